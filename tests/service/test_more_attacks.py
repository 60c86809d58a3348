"""What a second attacker tried: to be two persons, to act for others unseen, to crowd out, to learn early. Each is refused or shows."""

import io
import json
import threading
import time
from base64 import b64encode
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Literal

import pyarrow as arrow
import pytest
from argon2 import PasswordHasher, extract_parameters
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pyarrow import parquet

from dualrandom.hashing import suite_digest
from dualrandom.seed import commitment_of, contribution_statement
from dualrandom.store import jobs
from dualrandom.store.accounts import the_user
from dualrandom.store.activity import Actor
from dualrandom.store.scanning import Scan, code_of, scan_in
from dualrandom.store.tables import Visit
from dualrandom_api.service.passwords import Passwords
from dualrandom_api.service.runner import HANDLERS, Runner
from dualrandom_api.service.settings import PasswordSettings

PASSWORD = "Ordinary-27-horses"
DRAW = "yunxi-2023-000001"
BYTES = {"Content-Type": "application/octet-stream"}


def code(answer: Any) -> str:
    return str(answer.json().get("type", "")).rpartition(":")[2]


def make(by: Any, username: str, role: str, **more: str) -> Any:
    body = {"username": username, "name": "傀儡", "role": role, "password": PASSWORD, **more}
    return by.post("/v1/users", json=body)


def decide(office: Any, asked: Any, who: str, decision: str = "refuse") -> Any:
    assert asked.status_code == 202, asked.text
    body = {"decision": decision, "digest": asked.json()["digest"]}
    return office.as_(who).post(f"{asked.json()['url']}/decision", json=body)


def told(office: Any, who: str, kind: str) -> list[dict[str, Any]]:
    items = office.as_(who).get("/v1/messages?limit=500").json()["items"]
    return [one for one in items if one["kind"] == kind]


def test_no_chain_of_made_accounts_is_a_second_person(office: Any) -> None:
    assert make(office.as_("dispatcher"), "puppet1", "dispatcher").status_code == 201
    assert make(office.as_("dispatcher"), "puppet2", "auditor").status_code == 201
    assert make(office.as_("puppet1"), "grandchild", "auditor").status_code == 201
    for asker, deciders in (
        ("puppet1", ("dispatcher", "puppet2", "grandchild")),
        ("dispatcher", ("puppet1", "puppet2", "grandchild")),
    ):
        asked = office.as_(asker).post("/v1/log/key", json={})
        for who in deciders:
            refused = decide(office, asked, who)
            assert (refused.status_code, code(refused)) == (403, "approval-dependent"), (asker, who)
        assert decide(office, asked, "auditor").status_code == 200
    asked = office.as_("puppet1").post("/v1/log/key", json={})
    office.clock.pass_(hours=25)
    assert decide(office, asked, "puppet2").status_code == 200


def test_a_department_sees_who_else_was_let_in_for_it(fresh: Any) -> None:
    assert make(fresh.as_("dispatcher"), "amr.helper", "department", department="amr").status_code == 201
    tag = {"If-Match": fresh.as_("dispatcher").get("/v1/users/amr").headers["ETag"]}
    fresh.as_("dispatcher").patch("/v1/users/amr", json={"password": PASSWORD + "-2"}, headers=tag)
    asked = fresh.as_("dispatcher").post(
        "/v1/departments/amr/api-keys", json={"name": "quiet", "scopes": ["plans:write"]}
    )
    fresh.approved(asked)
    assert [one["subject"] for one in told(fresh, "amr", "account")][:2] == ["user:amr", "user:amr.helper"]
    assert "user:dispatcher" in told(fresh, "amr", "key")[0]["body"]["en"]
    assert not [one for one in told(fresh, "fire", "account") if "amr" in one["subject"]]


def test_names_that_differ_in_capitals_only_are_the_same(office: Any) -> None:
    for name in ("Dispatcher", "AUDITOR"):
        assert code(make(office.as_("dispatcher"), name, "support")) == "username-taken"


def test_a_stolen_session_does_not_become_a_stolen_account(office: Any) -> None:
    me = office.as_("dispatcher2")
    tag = {"If-Match": me.get("/v1/me").headers["ETag"]}
    refused = me.patch("/v1/users/dispatcher2", json={"password": PASSWORD + "-2"}, headers=tag)
    assert (refused.status_code, code(refused)) == (409, "own-account")


@pytest.fixture
def invited(fresh: Any) -> str:
    """A plan that both departments are invited to, with a task of amr, which has confirmed."""
    document = {
        "plan": {"id": "2026-04", "period": {"start": "2026-04-01", "end": "2026-04-30"}},
        "contributions": [{"party": "amr", "name": "市场监管局"}],
    }
    assert fresh.as_("dispatcher").post("/v1/plans", json={"document": document}).status_code == 201
    body = {"departments": ["amr", "fire"]}
    assert fresh.as_("dispatcher").post("/v1/plans/2026-04/invitations", json=body).status_code < 300
    task = {
        "id": "amr-own",
        "department": "amr",
        "task": {"name": "x", "items": ["i1"], "ratios": {"A": "1%"}},
    }
    assert fresh.as_("amr").post("/v1/plans/2026-04/tasks", json=task).status_code == 201
    assert answer(fresh, "amr", "amr", "confirmation").json()["state"] == "confirmed"
    return "2026-04"


def answer(office: Any, who: str, department: str, how: str, body: Any = None) -> Any:
    path = f"/v1/plans/2026-04/joins/{department}"
    tag = {"If-Match": office.as_(who).get(path).headers["ETag"]}
    if not how:
        return office.as_(who).put(path, json=body, headers=tag)
    return office.as_(who).post(f"{path}/{how}", json=body, headers=tag)


def test_nobody_changes_seats_behind_a_confirmation(fresh: Any, invited: str) -> None:
    changed = answer(fresh, "dispatcher", "amr", "", {"seats": [[], []], "inspectors": None})
    assert changed.json()["state"] == "invited"
    assert told(fresh, "amr", "invitation")[0]["subject"] == invited
    assert answer(fresh, "amr", "amr", "confirmation").json()["state"] == "confirmed"
    assert (
        answer(fresh, "amr", "amr", "", {"seats": [["leader"], []], "inspectors": None}).json()["state"]
        == "confirmed"
    )


def test_a_department_hears_what_was_answered_for_it(fresh: Any, invited: str) -> None:
    assert not told(fresh, "amr", "join-answered")
    answer(fresh, "dispatcher", "amr", "declination", {"reason": "代为答复"})
    assert "user:dispatcher" in told(fresh, "amr", "join-answered")[0]["body"]["en"]


def test_an_answer_after_the_deadline_is_late_even_before_the_job_that_says_so(
    fresh: Any, invited: str
) -> None:
    path = f"/v1/plans/{invited}/joins/fire"
    deadline = datetime.fromisoformat(fresh.as_("fire").get(path).json()["deadline"])
    task = {"id": "f", "department": "fire", "task": {"name": "x", "items": ["i2"], "ratios": {"A": "1%"}}}
    assert fresh.as_("fire").post(f"/v1/plans/{invited}/tasks", json=task).status_code == 201
    fresh.clock.now = deadline
    late = answer(fresh, "fire", "fire", "confirmation")
    assert (late.status_code, code(late)) == (409, "join-closed")
    assert answer(fresh, "amr", "amr", "confirmation").status_code == 201


def test_a_commitment_that_another_hand_gave_shows(fresh: Any, invited: str) -> None:
    draw = fresh.as_("amr").get(f"/v1/plans/{invited}/contributions").json()["draw"]
    for who, nonce in (("amr", "1" * 64), ("dispatcher", "2" * 64)):
        key = Ed25519PrivateKey.generate()
        commitment = commitment_of(draw, "amr", nonce, suite_digest("sha256"))
        signature = key.sign(contribution_statement(draw, "amr", commitment))
        public = key.public_key().public_bytes_raw()
        body = {"draw": draw, "party": "amr", "commitment": commitment}
        body |= {"key": b64encode(public).decode(), "signature": b64encode(signature).decode()}
        sent = fresh.as_(who).put(f"/v1/plans/{invited}/contributions/amr", json=body)
        assert sent.status_code == 200, sent.text
        heard = told(fresh, "amr", "commitment")
        assert [commitment in one["body"]["zh"] for one in heard] == ([True] if who == "dispatcher" else [])


def test_who_crowds_the_queue_delays_no_draw_and_no_nonce(fresh: Any) -> None:
    now, owner = fresh.clock(), fresh.service.database
    with owner.writing() as session:
        for number in range(30):
            jobs.enqueue(session, "change", str(number), now=now - timedelta(hours=1), by="key:12345678")
        for kind in ("reveal", "draw"):
            jobs.enqueue(session, kind, "d", now=now, by="user:fire")
    kinds = ["change", "draw", "reveal"]
    taken = [jobs.claim(owner, "test", now, kinds) for _ in range(3)]
    assert [job.kind for job in taken if job is not None] == ["reveal", "draw", "change"]


def test_of_several_runners_one_is_kept_for_what_is_urgent(fresh: Any) -> None:
    begun: list[str] = []
    wait = threading.Event()

    def long(_service: Any, job: Any) -> None:
        begun.append(job.kind)
        if job.kind == "change":
            wait.wait(60)

    kept = {kind: HANDLERS[kind] for kind in ("change", "reveal")}
    HANDLERS.update(change=long, reveal=long)
    runner = Runner(replace(fresh.service, settings=fresh.service.settings.model_copy(update={"runners": 2})))
    try:
        with fresh.service.database.writing() as session:
            for number in range(2):
                jobs.enqueue(session, "change", str(number), now=fresh.clock(), by="user:fire")
        runner.start()
        while not begun:
            time.sleep(0.01)
        with fresh.service.database.writing() as session:
            jobs.enqueue(session, "reveal", "d", now=fresh.clock(), by="user:amr")
        while len(begun) < 2:
            time.sleep(0.01)
        assert begun == ["change", "reveal"]
    finally:
        wait.set()
        runner.stop()
        HANDLERS.update(kept)


def test_asking_again_for_a_change_that_waits_asks_once(drawn: Any) -> None:
    visits = drawn.as_("amr").get("/v1/visits?limit=200&state=planned").json()["items"]
    visit = next(one for one in visits if one["checks"] and one["checks"][0]["crew"])
    body = {"inspector": visit["checks"][0]["crew"][0]["code"], "reason": "ill"}
    path = f"/v1/visits/{visit['id']}/replacements"
    first = drawn.as_("amr").post(path, json=body)
    assert first.status_code == 202, first.text
    assert {drawn.as_("amr").post(path, json=body).json()["id"] for _ in range(3)} == {first.json()["id"]}
    excluded = {"enterprise": visit["enterprise"], "reason": "suspended"}
    asked = [drawn.as_("dispatcher").post(f"/v1/draws/{DRAW}/exclusions", json=excluded) for _ in range(2)]
    assert asked[0].json()["id"] == asked[1].json()["id"]


def test_wrong_scan_codes_are_counted_whatever_key_they_come_with_and_lock_out_no_crew(drawn: Any) -> None:
    visits = drawn.as_("dispatcher").get("/v1/visits?limit=500&state=planned").json()["items"]
    visit = next(one for one in visits if one["date"] and one["checks"][0]["crew"])
    wrong = {"notice": visit["notice"], "code": "A" * 10}
    seen = [
        code(
            drawn.public.post("/v1/public/scan-ins", json=wrong, headers={"Idempotency-Key": f"guess-{n:03}"})
        )
        for n in range(21)
    ]
    assert seen == ["scan-code-wrong"] * 20 + ["scan-locked"]
    check = visit["checks"][0]
    with drawn.service.database.writing() as session:
        row = session.get(Visit, visit["id"])
        right = {"notice": visit["notice"], "code": code_of(drawn.service.vault, row)}
        crew = Actor("user:x", "crew", check["department"], None, check["crew"][0]["code"])
        vault, now = drawn.service.vault, drawn.clock() + timedelta(days=60)
        assert scan_in(session, vault, visit["notice"], right["code"], actor=crew, now=now)[0] is Scan.KEPT
    assert code(drawn.public.post("/v1/public/scan-ins", json=right)) == "scan-locked"


def test_a_download_is_made_before_it_is_sent_so_that_slow_readers_hold_no_connection(drawn: Any) -> None:
    pool = drawn.service.database.engine.pool
    for kind in ("csv", "xlsx", "parquet"):
        with drawn.as_("amr").stream("GET", f"/v1/draws/{DRAW}/exports/visits.{kind}") as answer:
            assert answer.status_code == 200
            assert pool.checkedout() == 0
            assert len(answer.read()) > 1000
    with drawn.service.making.one_more("user:amr"), drawn.service.making.one_more("user:amr"):
        refused = drawn.as_("amr").get("/v1/exports/ledger.csv")
        assert (refused.status_code, code(refused)) == (429, "too-many-requests")
        assert drawn.as_("fire").get("/v1/exports/ledger.csv").status_code == 200


def test_nobody_fills_the_memory_with_uploads_at_once(fresh: Any) -> None:
    path = "/v1/imports?kind=inspectors&filename=a.csv"
    with ExitStack() as under_way:
        for _ in range(4):
            under_way.enter_context(fresh.service.uploading.one_more("user:amr"))
        refused = fresh.as_("amr").post(path, content=b"x", headers=BYTES)
        assert (refused.status_code, code(refused)) == (429, "too-many-requests")
        assert fresh.as_("fire").post(path, content=b"x", headers=BYTES).status_code == 202
    assert fresh.as_("amr").post(path, content=b"x", headers=BYTES).status_code == 202


def test_a_parquet_file_that_is_a_bomb_is_refused(fresh: Any) -> None:
    texts = arrow.DictionaryArray.from_arrays(
        arrow.array([0] * 1_000_000, arrow.int8()), arrow.array(["x" * 200])
    )
    packed = io.BytesIO()
    parquet.write_table(arrow.table({"code": texts, "name": texts}), packed)
    assert len(packed.getvalue()) < 1 << 20
    path = "/v1/imports?kind=inspectors&filename=a.parquet"
    begun = fresh.as_("amr").post(path, content=packed.getvalue(), headers=BYTES).json()
    fresh.run_jobs()
    read = fresh.as_("amr").get(begun["url"]).json()
    assert (read["state"], [one["code"] for one in read["problems"]]) == ("refused", ["file-too-large"])


def test_the_ends_of_the_calendar_crash_nothing(drawn: Any) -> None:
    enterprise = drawn.as_("dispatcher").get("/v1/visits?limit=1").json()["items"][0]["enterprise"]
    item = drawn.as_("dispatcher").get("/v1/libraries/items/rows?limit=1").json()["items"][0]["key"]
    case = {"enterprise": enterprise, "department": "amr", "items": [item], "kind": "case", "basis": "x"}
    for day, instant in (
        ("9999-12-31", "9999-12-31T23:59:59-14:00"),
        ("0001-01-01", "0001-01-01T00:00:00+14:00"),
    ):
        excluded = {"enterprise": enterprise, "reason": "suspended", "round": "1", "round_time": instant}
        cursor = b64encode(json.dumps([instant, "x"]).encode()).decode().rstrip("=")
        for answered in (
            drawn.as_("amr").post("/v1/case-visits", json={**case, "date": day}),
            drawn.as_("amr").post(
                "/v1/findings/1/referral", json={"to_department": "fire", "reinspect_on": day}
            ),
            drawn.as_("dispatcher").post(f"/v1/draws/{DRAW}/exclusions", json=excluded),
            drawn.public.get("/v1/public/draws", params={"cursor": cursor}),
        ):
            assert (answered.status_code, code(answered)) == (422, "invalid-parameter"), answered.text


def test_a_name_shows_as_it_is(office: Any) -> None:
    for name in ("a\r\nBcc: x", "\u202egpj.exe", "a\u200bb", "\u0000"):
        for path, body in (
            ("/v1/users", {"username": "shown", "name": name, "role": "support"}),
            ("/v1/departments", {"id": "shown", "name": name, "name_en": "x", "seats": [[], []]}),
        ):
            refused = office.as_("dispatcher").post(path, json=body)
            assert (refused.status_code, code(refused)) == (422, "invalid-parameter")
            why = refused.json()["details"]
            assert "不显示" in why["zh"] or "NUL" in why["zh"]
            assert "do not show" in why["en"] or "NUL" in why["en"]
    shown = {"username": "shown", "name": "阿不都\u3000O'Brien·é", "role": "support"}
    assert office.as_("dispatcher").post("/v1/users", json=shown).status_code == 201


def test_a_password_that_was_hashed_with_other_settings_takes_no_less_work_and_is_hashed_anew() -> None:
    work = []

    class Counting(PasswordHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002  (the base's name)
            work.append(extract_parameters(str(hash)).memory_cost)
            return super().verify(hash, password)

    settings = PasswordSettings(time_cost=1, memory_kib=64, parallelism=1)
    passwords = Passwords(settings)
    passwords._hasher = Counting(time_cost=1, memory_cost=64, parallelism=1)
    old = Passwords(PasswordSettings(time_cost=1, memory_kib=8, parallelism=1)).hashed(PASSWORD, "x")
    assert not passwords.is_right(None, PASSWORD)
    assert work == [64]
    assert not passwords.is_right(old, "another password")
    assert passwords.is_right(old, PASSWORD)
    assert work == [64, 8, 64, 8, 64]
    new = passwords.renewed(old, PASSWORD)
    assert new is not None
    assert passwords.is_right(new, PASSWORD)
    assert work[5:] == [64]
    assert passwords.renewed(new, PASSWORD) is None


def test_signing_in_brings_an_old_hash_up_to_date(fresh: Any) -> None:
    def kept() -> str:
        with fresh.service.database.reading() as session:
            return str(the_user(session, "amr").password_hash)

    with fresh.service.database.writing() as session:
        old = Passwords(PasswordSettings(time_cost=1, memory_kib=64, parallelism=1)).hashed(PASSWORD, "x")
        the_user(session, "amr").password_hash = old
    body = {"username": "amr", "password": PASSWORD}
    assert fresh.public.post("/v1/sessions", json={**body, "password": "wrong one"}).status_code == 401
    assert kept() == old
    assert fresh.public.post("/v1/sessions", json=body).status_code == 201
    assert kept() != old
    assert fresh.public.post("/v1/sessions", json=body).status_code == 201


def test_auditors_hear_of_whoever_collects_receipts_to_learn_classes(drawn: Any) -> None:
    visits = drawn.as_("dispatcher").get("/v1/visits?limit=500").json()["items"]
    path, firm = f"/v1/draws/{DRAW}/receipt-codes", {"enterprise": visits[0]["enterprise"]}
    heard: list[Any] = []
    for number in range(51):
        assert drawn.as_("fire").post(path, json=firm).status_code == 201
        heard = [one for one in told(drawn, "auditor", "alarm") if "receipt codes" in one["body"]["en"]]
        assert len(heard) == (1 if number >= 49 else 0)
    assert "user:fire" in heard[0]["body"]["en"]
