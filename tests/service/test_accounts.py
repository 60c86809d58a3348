"""People sign in, are locked out, change their password and are signed out; programs have keys; pages have cookies."""

from typing import Any

import pytest

PASSWORD = "Ordinary-27-horses"
NEW = "Quite-other-19-words"


def sign_in(office: Any, username: str, password: str = PASSWORD, **more: Any) -> Any:
    return office.public.post("/v1/sessions", json={"username": username, "password": password, **more})


def bearer(token: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {token}"}


def code(answer: Any) -> str:
    return str(answer.json()["type"]).rpartition(":")[2]


def new_user(office: Any, username: str, **more: Any) -> Any:
    body = {
        "username": username,
        "name": "李雷",
        "role": "department",
        "department": "amr",
        "password": PASSWORD,
    }
    return office.as_("dispatcher").post("/v1/users", json=body | more)


def test_a_person_signs_in_with_their_password_and_out_again(office: Any) -> None:
    answer = sign_in(office, "amr")
    assert answer.status_code == 201, answer.text
    headers = bearer(answer.json()["token"])
    me = office.public.get("/v1/me", headers=headers)
    assert (me.status_code, me.json()["department"]) == (200, "amr")
    assert [one["id"] for one in office.public.get("/v1/sessions", headers=headers).json()] != []
    assert office.public.delete("/v1/sessions/current", headers=headers).status_code == 204
    refused = office.public.get("/v1/me", headers=headers)
    assert (refused.status_code, code(refused)) == (401, "not-signed-in")
    assert refused.headers["WWW-Authenticate"].startswith("Bearer")


def test_a_session_ends_by_itself(office: Any) -> None:
    headers = bearer(sign_in(office, "fire").json()["token"])
    office.clock.pass_(hours=11.9)
    assert office.public.get("/v1/me", headers=headers).status_code == 200
    office.clock.pass_(hours=0.2)
    assert office.public.get("/v1/me", headers=headers).status_code == 401


def test_after_five_wrong_passwords_the_right_one_does_not_help_for_a_while(office: Any) -> None:
    assert new_user(office, "locked").status_code == 201
    for _ in range(5):
        assert code(sign_in(office, "locked", "wrong-password")) == "sign-in-refused"
    assert sign_in(office, "locked").status_code == 401
    office.clock.pass_(minutes=14)
    assert sign_in(office, "locked").status_code == 401
    office.clock.pass_(minutes=2)
    assert sign_in(office, "locked").status_code == 201


def test_four_wrong_passwords_and_the_right_one_begin_the_count_anew(office: Any) -> None:
    assert new_user(office, "clumsy").status_code == 201
    for _ in range(2):
        for _ in range(4):
            assert sign_in(office, "clumsy", "wrong-password").status_code == 401
        assert sign_in(office, "clumsy").status_code == 201


def test_an_unknown_name_gets_the_same_answer_after_the_same_work(
    office: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    verified = []
    hasher = office.service.passwords._hasher

    class Counting:
        def verify(self, kept: str, password: str) -> bool:
            verified.append(kept[:10])
            return bool(hasher.verify(kept, password))

    monkeypatch.setattr(office.service.passwords, "_hasher", Counting())
    known = sign_in(office, "amr", "wrong-password")
    unknown = sign_in(office, "nobody-of-this-name", "wrong-password")
    for answer in (known, unknown):
        answer.told = {
            name: value for name, value in answer.json().items() if name not in {"request_id", "instance"}
        }
    assert (known.status_code, known.told) == (unknown.status_code, unknown.told)
    assert len(verified) == 2
    assert verified[0] == verified[1]


def test_a_password_is_kept_as_argon2id_and_nothing_else(office: Any) -> None:
    from dualrandom.store.accounts import the_user

    with office.service.database.reading() as session:
        kept = the_user(session, "amr").password_hash
    assert str(kept).startswith("$argon2id$")


@pytest.mark.parametrize("weak", ["short", "aaaaaaaaaaaaaaaa", "xx-easy-name-xx", "x" * 300])
def test_an_easy_password_is_refused(office: Any, weak: str) -> None:
    refused = new_user(office, "easy-name", password=weak)
    assert (refused.status_code, code(refused)) == (422, "password-weak")


def test_changing_ones_password_ends_all_sessions(office: Any) -> None:
    assert new_user(office, "changer").status_code == 201
    first, second = (bearer(sign_in(office, "changer").json()["token"]) for _ in range(2))
    wrong = office.public.put("/v1/me/password", json={"present": "x", "new": NEW}, headers=first)
    assert (wrong.status_code, code(wrong)) == (403, "password-wrong")
    done = office.public.put("/v1/me/password", json={"present": PASSWORD, "new": NEW}, headers=first)
    assert done.status_code == 204
    assert office.public.get("/v1/me", headers=second).status_code == 401
    assert sign_in(office, "changer").status_code == 401
    assert sign_in(office, "changer", NEW).status_code == 201


def test_another_session_can_be_ended_and_another_persons_cannot(office: Any) -> None:
    mine = sign_in(office, "auditor").json()
    theirs = sign_in(office, "support").json()
    me = office.as_("auditor")
    assert me.delete(f"/v1/sessions/{theirs['id']}").status_code == 404
    assert me.delete(f"/v1/sessions/{mine['id']}").status_code == 204
    assert office.public.get("/v1/me", headers=bearer(mine["token"])).status_code == 401
    assert office.public.get("/v1/me", headers=bearer(theirs["token"])).status_code == 200


def test_a_disabled_person_is_out_at_once(office: Any) -> None:
    created = new_user(office, "leaver")
    headers = bearer(sign_in(office, "leaver").json()["token"])
    etag = created.headers["ETag"]
    dispatcher = office.as_("dispatcher")
    path = "/v1/users/leaver"
    assert code(dispatcher.patch(path, json={"disabled": True})) == "if-match-required"
    done = dispatcher.patch(path, json={"disabled": True}, headers={"If-Match": etag})
    assert (done.status_code, done.json()["disabled"]) == (200, True)
    assert office.public.get("/v1/me", headers=headers).status_code == 401
    assert sign_in(office, "leaver").status_code == 401
    stale = dispatcher.patch(path, json={"disabled": False}, headers={"If-Match": etag})
    assert (stale.status_code, code(stale)) == (412, "changed-meanwhile")
    malformed = dispatcher.patch(path, json={"disabled": False}, headers={"If-Match": "W/x"})
    assert (malformed.status_code, code(malformed)) == (400, "header-invalid")


def test_nobody_changes_their_own_role(office: Any) -> None:
    dispatcher = office.as_("dispatcher")
    etag = dispatcher.get("/v1/users/dispatcher").headers["ETag"]
    refused = dispatcher.patch("/v1/users/dispatcher", json={"role": "support"}, headers={"If-Match": etag})
    assert (refused.status_code, code(refused)) == (409, "own-account")


@pytest.mark.parametrize(
    "placed",
    [
        {"role": "department", "department": None},
        {"role": "auditor", "department": "amr"},
        {"role": "crew", "department": "amr"},
        {"role": "public", "department": None},
    ],
)
def test_role_department_and_inspector_go_together(office: Any, placed: dict[str, Any]) -> None:
    refused = new_user(office, "misplaced", **placed)
    assert (refused.status_code, code(refused)) == (422, "account-incomplete")


def test_a_name_is_given_once_and_lists_have_pages(office: Any) -> None:
    assert code(new_user(office, "amr")) == "username-taken"
    auditor = office.as_("auditor")
    seen: list[str] = []
    cursor = ""
    while True:
        page = auditor.get(f"/v1/users?limit=3{cursor}").json()
        seen += [one["username"] for one in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == sorted(set(seen))
    assert {"amr", "auditor", "crew", "dispatcher"} <= set(seen)
    foreign = auditor.get("/v1/users?cursor=W10")
    assert (foreign.status_code, code(foreign)) == (422, "invalid-parameter")


def test_a_page_needs_its_token_and_its_own_site(office: Any) -> None:
    answer = sign_in(office, "fire", cookie=True)
    assert answer.json()["token"] is None
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "samesite=strict" in cookie.lower()
    value = cookie.partition("=")[2].partition(";")[0]
    page = {"Cookie": f"dualrandom-session={value}"}
    me = office.public.get("/v1/me", headers=page)
    assert me.json()["csrf"] == answer.json()["csrf"]
    path = "/v1/departments/fire/api-keys"
    body = {"name": "k", "scopes": ["departments:read"]}

    def post(**headers: str) -> Any:
        return office.public.post(path, json=body, headers=page | headers)

    assert code(post()) == "csrf-refused"
    assert code(post(**{"X-CSRF-Token": "0" * 64})) == "csrf-refused"
    token = {"X-CSRF-Token": answer.json()["csrf"]}
    assert code(post(**token, Origin="https://elsewhere.example")) == "csrf-refused"
    assert post(**token, Origin="http://testserver").status_code == 202
    assert post(**token).status_code == 202
    office.public.cookies.clear()


def issued(office: Any, who: str, department: str, **body: Any) -> Any:
    """Ask for a key, have it approved, and collect it."""
    client, path = office.as_(who), f"/v1/departments/{department}/api-keys"
    asked = client.post(path, json={"name": "站点", "scopes": ["departments:read"], **body})
    prefix = office.approved(asked)["result"]["prefix"]
    collected = client.post(f"{path}/{prefix}/collection")
    assert collected.status_code == 200, collected.text
    return collected.json()


def test_a_key_acts_for_its_department_within_its_scopes_until_it_ends(office: Any) -> None:
    office_fire = office.as_("fire")
    path = "/v1/departments/fire/api-keys"
    made = issued(office, "fire", "fire", days=2)
    headers = bearer(made["key"])
    assert made["key"] not in office_fire.get(path).text
    assert office.public.get("/v1/departments", headers=headers).status_code == 200
    lacking = office.public.get("/v1/messages", headers=headers)
    assert (lacking.status_code, code(lacking)) == (403, "scope-missing")
    for closed in ("/v1/me", "/v1/users"):
        assert code(office.public.get(closed, headers=headers)) == "scope-missing"
    office.clock.pass_(days=2, seconds=1)
    assert office.public.get("/v1/departments", headers=headers).status_code == 401
    other = issued(office, "fire", "fire")
    assert office.public.get("/v1/departments", headers=bearer(other["key"])).status_code == 200
    assert office_fire.delete(f"{path}/{other['prefix']}").json()["revoked_at"] is not None
    assert office.public.get("/v1/departments", headers=bearer(other["key"])).status_code == 401
    unknown = office_fire.post(path, json={"name": "x", "scopes": ["everything"]})
    assert (unknown.status_code, code(unknown)) == (422, "unknown-scope")


def test_a_key_is_issued_by_two_persons_and_collected_once_by_who_asked(office: Any) -> None:
    fire, dispatcher = office.as_("fire"), office.as_("dispatcher")
    path = "/v1/departments/fire/api-keys"
    before = len(fire.get(path).json())
    asked = fire.post(path, json={"name": "采集", "scopes": ["departments:read"]})
    assert (asked.status_code, asked.headers["Location"]) == (202, asked.json()["url"])
    body = {"decision": "approve", "digest": asked.json()["digest"]}
    assert fire.post(f"{asked.json()['url']}/decision", json=body).status_code == 403
    assert fire.get(asked.json()["url"]).json()["state"] == "open"
    assert office.as_("amr").get(asked.json()["url"]).status_code == 404
    assert asked.json()["id"] not in [
        one["id"] for one in office.as_("amr").get("/v1/approvals").json()["items"]
    ]
    office.run_jobs()
    assert len(fire.get(path).json()) == before
    prefix = office.approved(asked, by="dispatcher2")["result"]["prefix"]
    assert next(one["collected"] for one in fire.get(path).json()) is False
    stranger = dispatcher.post(f"{path}/{prefix}/collection")
    assert (stranger.status_code, code(stranger)) == (403, "key-of-another-person")
    key = fire.post(f"{path}/{prefix}/collection")
    assert key.headers["Cache-Control"] == "no-store"
    assert office.public.get("/v1/departments", headers=bearer(key.json()["key"])).status_code == 200
    assert code(fire.post(f"{path}/{prefix}/collection")) == "key-collected"


def test_a_key_is_extended_by_two_persons_and_only_while_it_is_valid(office: Any) -> None:
    fire = office.as_("fire")
    made = issued(office, "fire", "fire", days=2)
    url = f"/v1/departments/fire/api-keys/{made['prefix']}"
    refused = fire.post(f"{url}/extension", json={"days": 5})
    withdrawn = fire.delete(refused.json()["url"])
    assert withdrawn.status_code == 204
    office.approved(fire.post(f"{url}/extension", json={"days": 10}))
    office.clock.pass_(days=5)
    assert office.public.get("/v1/departments", headers=bearer(made["key"])).status_code == 200
    office.clock.pass_(days=5, seconds=1)
    assert office.public.get("/v1/departments", headers=bearer(made["key"])).status_code == 401
    assert code(fire.post(f"{url}/extension", json={})) == "key-ended"


def test_a_department_does_not_see_anothers_keys(office: Any) -> None:
    amr = office.as_("amr")
    assert amr.get("/v1/departments/amr/api-keys").status_code == 200
    body = {"name": "k", "scopes": ["departments:read"]}
    for answer in (
        amr.get("/v1/departments/fire/api-keys"),
        amr.post("/v1/departments/fire/api-keys", json=body),
        amr.delete("/v1/departments/fire/api-keys/12345678"),
    ):
        assert (answer.status_code, code(answer)) == (404, "unknown-department")


def test_departments_are_added_and_changed_by_a_dispatcher(office: Any) -> None:
    dispatcher = office.as_("dispatcher")
    body = {"id": "water", "name": "水务局", "name_en": "Water", "seats": [["leader"], []]}
    assert dispatcher.post("/v1/departments", json=body).status_code == 201
    assert code(dispatcher.post("/v1/departments", json=body)) == "department-exists"
    changed = {name: value for name, value in body.items() if name != "id"} | {"active": False}
    assert dispatcher.put("/v1/departments/water", json=changed).json()["active"] is False
    assert code(dispatcher.put("/v1/departments/none", json=changed)) == "unknown-department"
    assert office.as_("amr").post("/v1/departments", json=body).status_code == 403


def test_a_retired_departments_keys_end(office: Any) -> None:
    dispatcher = office.as_("dispatcher")
    body = {"id": "old", "name": "旧局", "name_en": "Old", "seats": [[], []]}
    assert dispatcher.post("/v1/departments", json=body).status_code == 201
    key = issued(office, "dispatcher", "old")["key"]
    assert office.public.get("/v1/departments", headers=bearer(key)).status_code == 200
    del body["id"]
    dispatcher.put("/v1/departments/old", json=body | {"active": False})
    assert office.public.get("/v1/departments", headers=bearer(key)).status_code == 401


def test_all_of_it_stands_in_the_activity_log(office: Any) -> None:
    actions = {
        row["action"] for page in _pages(office.as_("auditor"), "/v1/activity?limit=100") for row in page
    }
    assert {"signed-in", "signed-out", "account-created", "account-changed", "account-locked"} <= actions
    assert {"key-created", "key-collected", "key-extended", "key-revoked", "department-created"} <= actions
    chain = office.as_("auditor").get("/v1/activity/chain").json()
    assert (chain["intact"], chain["faults"]) == (True, [])


def _pages(client: Any, path: str) -> Any:
    cursor = ""
    while True:
        page = client.get(path + cursor).json()
        yield page["items"]
        if page["next"] is None:
            return
        cursor = f"&cursor={page['next']}"
