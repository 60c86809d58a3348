"""What an attacker would try: others' objects, one's own second person, hostile bodies, guesses. Each is refused, and is not a crash."""

import io
import json
import os
import zipfile
from contextlib import ExitStack
from typing import Any

import pytest
import xlsxwriter

PASSWORD = "Ordinary-27-horses"
DRAW = "yunxi-2023-000001"
BYTES = {"Content-Type": "application/octet-stream"}


def code(answer: Any) -> str:
    return str(answer.json().get("type", "")).rpartition(":")[2]


def approve(office: Any, asked: Any, who: str) -> Any:
    body = {"decision": "approve", "digest": asked.json()["digest"]}
    return office.as_(who).post(f"{asked.json()['url']}/decision", json=body)


def asked_to_announce(office: Any, plan: str) -> Any:
    dispatcher = office.as_("dispatcher")
    tag = dispatcher.get(f"/v1/plans/{plan}").headers["ETag"]
    path = f"/v1/plans/{plan}/announcement"
    return dispatcher.post(path, json={"rehearsal": True}, headers={"If-Match": tag})


@pytest.fixture
def next_plan(drawn: Any) -> str:
    made = drawn.as_("dispatcher").post("/v1/plans/2023-09/copies", json={})
    return "2023-10" if code(made) == "plan-exists" else str(made.json()["id"])


def test_seats_that_change_after_the_request_are_not_announced(drawn: Any, next_plan: str) -> None:
    asked = asked_to_announce(drawn, next_plan)
    assert asked.status_code == 202, asked.text
    department = next(one for one in drawn.as_("dispatcher").get("/v1/departments").json() if one["seats"])
    body = {name: department[name] for name in ("name", "name_en", "active")} | {
        "seats": [["leader"], [], [], []]
    }
    path = f"/v1/departments/{department['id']}"
    assert drawn.as_("dispatcher").put(path, json=body).status_code == 200
    decided = approve(drawn, asked, "auditor")
    assert decided.status_code == 200, decided.text
    drawn.run_jobs()
    job = drawn.as_("dispatcher").get(decided.json()["job"]).json()
    assert (job["state"], job["problem"]["type"]) == ("failed", "urn:dualrandom:problem:plan-changed")


def test_nobody_is_their_own_second_person(office: Any) -> None:
    dispatcher = office.as_("dispatcher")
    made = dispatcher.post(
        "/v1/users",
        json={"username": "puppet", "name": "傀儡", "role": "auditor", "password": PASSWORD},
    )
    assert made.status_code == 201
    tag = office.as_("dispatcher").get("/v1/users/dispatcher2").headers["ETag"]
    reset = dispatcher.patch("/v1/users/dispatcher2", json={"password": PASSWORD}, headers={"If-Match": tag})
    assert reset.status_code == 200
    asked = dispatcher.post("/v1/log/key", json={})
    for who in ("puppet", "dispatcher2"):
        session = office.public.post("/v1/sessions", json={"username": who, "password": PASSWORD}).json()
        bearer = {"Authorization": f"Bearer {session['token']}"}
        body = {"decision": "approve", "digest": asked.json()["digest"]}
        refused = office.public.post(f"{asked.json()['url']}/decision", json=body, headers=bearer)
        assert (refused.status_code, code(refused)) == (403, "approval-dependent")
    told = office.as_("auditor").get("/v1/messages").json()["items"]
    assert {one["subject"] for one in told if one["kind"] == "account"} >= {"user:puppet", "user:dispatcher2"}
    office.clock.pass_(hours=25)
    body = {"decision": "refuse", "digest": asked.json()["digest"]}
    office._clients.pop("dispatcher2", None)
    assert office.as_("dispatcher2").post(f"{asked.json()['url']}/decision", json=body).status_code == 200


def test_a_department_cannot_find_out_who_of_others_inspects(drawn: Any) -> None:
    dispatcher = drawn.as_("dispatcher")
    shared = [v for v in dispatcher.get("/v1/visits?limit=500").json()["items"] if len(v["checks"]) > 1]
    amr = drawn.as_("amr")
    tried = 0
    for visit in shared:
        of = {check["department"]: [p["code"] for p in check["crew"]] for check in visit["checks"]}
        for department, people in of.items():
            if department != "amr" and "amr" in of:
                for person in people:
                    found = amr.get("/v1/visits", params={"inspector": person, "limit": 500}).json()["items"]
                    assert found == [], "a filter is an oracle"
                    tried += 1
        if tried > 5:
            break
    assert tried


def test_a_department_does_not_read_anothers_faults_in_a_check(drawn: Any, next_plan: str) -> None:
    dispatcher = drawn.as_("dispatcher")
    names = ["amr", "fire"]
    assert (
        dispatcher.post(f"/v1/plans/{next_plan}/invitations", json={"departments": names}).status_code < 300
    )
    amr = drawn.as_("amr")
    asked = amr.post(f"/v1/plans/{next_plan}/check", json={})
    drawn.run_jobs()
    whole = dispatcher.get(asked.json()["url"]).json()["result"]["points"]
    assert any(point["who"] != "department:amr" for point in whole)
    for answer in (
        amr.get(asked.json()["url"]).json(),
        amr.get(f"/v1/plans/{next_plan}/prerequisites").json()["check"],
        amr.post(f"/v1/plans/{next_plan}/check", json={}).json(),
        next(job for job in amr.get("/v1/jobs").json()["items"] if job["id"] == asked.json()["id"]),
    ):
        assert {point["who"] for point in answer["result"]["points"]} <= {"department:amr"}


def test_a_department_cannot_take_anothers_people(drawn: Any) -> None:
    dispatcher = drawn.as_("dispatcher")
    rows = dispatcher.get("/v1/libraries/inspectors/rows?department=fire&limit=1").json()["items"]
    cells = rows[0]["cells"]
    amr = drawn.as_("amr")
    taken = {**cells, "department": "amr"}
    refused = amr.post("/v1/libraries/inspectors/rows", json={"cells": taken})
    assert [problem["code"] for problem in refused.json()["problems"]] == ["code-taken"]
    foreign = {**cells, "code": "new-01"}
    assert amr.post("/v1/libraries/inspectors/rows", json={"cells": foreign}).status_code == 422
    names = [name for name in taken if taken[name]]
    text = ",".join(names) + "\n" + ",".join(f'"{taken[name]}"' for name in names) + "\n"
    begun = amr.post(
        "/v1/imports?kind=inspectors&filename=a.csv", content=text.encode(), headers=BYTES
    ).json()
    drawn.run_jobs()
    read = amr.get(begun["url"]).json()
    assert (read["state"], [problem["code"] for problem in read["problems"]]) == ("refused", ["code-taken"])
    still = dispatcher.get(f"/v1/libraries/inspectors/rows/{cells['code']}").json()
    assert still["cells"]["department"] == "fire"
    recusal = {"inspector": cells["code"], "other": "92420700XN90000006", "ground": "spouse"}
    assert amr.post("/v1/libraries/recusals/rows", json={"cells": recusal}).status_code == 422


def test_a_task_is_its_departments_whatever_its_body_says(drawn: Any, next_plan: str) -> None:
    path = f"/v1/plans/{next_plan}/tasks"
    names = ["amr", "fire"]
    drawn.as_("dispatcher").post(f"/v1/plans/{next_plan}/invitations", json={"departments": names})
    before = drawn.as_("dispatcher").get(f"/v1/plans/{next_plan}/plan.toml").text
    items = drawn.as_("amr").get("/v1/libraries/items/rows?department=amr&limit=1").json()["items"]
    task = {"name": "x", "items": [items[0]["key"]], "ratios": {"A": "1%"}}
    for extra in ({"department": "fire"}, {"id": "t01"}, {"department": "fire", "id": "other"}):
        sent = {"id": "amr-own", "department": "amr", "task": {**task, **extra}}
        made = drawn.as_("amr").post(path, json=sent)
        if made.status_code < 300:
            kept = drawn.as_("dispatcher").get(made.json()["url"])
            assert (kept.json()["id"], kept.json()["department"]) == ("amr-own", "amr")
            assert not {"id", "department"} & kept.json()["task"].keys()
            tag = {"If-Match": kept.headers["ETag"]}
            assert drawn.as_("amr").delete(made.json()["url"], headers=tag).status_code == 204
    assert (
        drawn.as_("amr").post(path, json={"id": "a", "department": "fire", "task": task}).status_code == 403
    )
    assert drawn.as_("dispatcher").get(f"/v1/plans/{next_plan}/plan.toml").text == before


HOSTILE = (
    b'{"username": "\\ud800", "password": "\\ud800"}',
    b'{"username": "a\\u0000b", "password": "a\\u0000b"}',
    b'{"username": ' + b"9" * 6000 + b', "password": "x"}',
    b"[" * 100_000,
    b'{"username": "' + b"a" * 900_000 + b'", "password": "x"}',
    b"\xff\xfe",
    b'{"username": NaN, "password": Infinity}',
)


@pytest.mark.parametrize("number", range(len(HOSTILE)))
def test_no_body_makes_signing_in_crash(office: Any, number: int) -> None:
    answer = office.public.post(
        "/v1/sessions", content=HOSTILE[number], headers={"Content-Type": "application/json"}
    )
    assert 400 <= answer.status_code < 500, answer.text


@pytest.mark.parametrize(
    "value", ["NaN", "1e999", "9" * 6000, '"\\ud800"', '"\\u0000"', "[" * 3000 + "]" * 3000]
)
def test_no_document_makes_a_plan_crash(office: Any, value: str) -> None:
    content = '{"document": {"plan": {"id": "2026-11"}, "caps": {"daily": ' + value + "}}}"
    headers = {"Content-Type": "application/json"}
    answer = office.as_("dispatcher").post("/v1/plans", content=content.encode(), headers=headers)
    assert 400 <= answer.status_code < 500, answer.text


def test_a_scan_in_with_any_letters_is_only_wrong(drawn: Any) -> None:
    notice = drawn.as_("dispatcher").get("/v1/visits?limit=1").json()["items"][0]["notice"]
    for wrong in ("中文", "\ufffd", "é" * 40, ""):
        answer = drawn.public.post("/v1/public/scan-ins", json={"notice": notice, "code": wrong})
        assert (answer.status_code, code(answer)) == (422, "scan-code-wrong")


def test_nobody_is_sent_to_another_host(office: Any) -> None:
    for path in ("/v1/public/draws/", "/v1/sessions/", "//evil.example/v1/public/draws/"):
        answer = office.public.get(path, headers={"Host": "evil.example"}, follow_redirects=False)
        assert answer.status_code in {401, 404, 405}, (path, answer.headers)
        assert "evil.example" not in str(answer.headers)


def test_no_path_leads_out_of_what_is_published(drawn: Any) -> None:
    for path in (
        f"/v1/public/draws/{DRAW}/files/../private/list-secret",
        f"/v1/public/draws/{DRAW}/files/%2e%2e/private/list-secret",
        f"/v1/public/draws/{DRAW}/files/..%2fprivate%2flist-secret",
        f"/v1/public/draws/{DRAW}/files/log/../../private/list-secret",
        "/v1/public/log/../private/log.key",
        "/v1/public/log/..%2f..%2fprivate/log.key",
        "/v1/public/blobs/" + "0" * 64,
    ):
        assert drawn.public.get(path).status_code in {404, 422}, path
    sealed = drawn.as_("auditor").get(f"/v1/draws/{DRAW}/sealed").json()
    for one in sealed:
        assert drawn.public.get(f"/v1/public/blobs/{one['sha256']}").status_code == 404


def test_what_is_uploaded_is_never_a_page_of_the_service(drawn: Any) -> None:
    page = b"<html><script>alert(document.cookie)</script></html>"
    for kind in ("text/html", "image/svg+xml"):
        params = {"filename": "a.html", "type": kind}
        made = drawn.as_("amr").post("/v1/attachments", params=params, content=page, headers=BYTES)
        assert made.status_code == 201
        given = drawn.as_("amr").get(made.json()["url"])
        assert given.headers["Content-Type"] == "application/octet-stream"
        assert given.headers["Content-Disposition"].startswith("attachment")
        assert given.headers["X-Content-Type-Options"] == "nosniff"
        assert drawn.as_("fire").get(made.json()["url"]).status_code == 404
        assert drawn.public.get(f"/v1/public/blobs/{made.json()['sha256']}").status_code == 404
    split = drawn.as_("amr").post("/v1/attachments?type=text/html%0d%0aX-Evil:1", content=page, headers=BYTES)
    assert split.status_code == 422


def test_another_persons_repeat_key_is_nothing_to_me(drawn: Any) -> None:
    key = {"Idempotency-Key": "the-same-key-1"}
    body = {"enterprise": drawn.as_("dispatcher").get("/v1/visits?limit=1").json()["items"][0]["enterprise"]}
    path = f"/v1/draws/{DRAW}/receipt-codes"
    first = drawn.as_("amr").post(path, json=body, headers=key)
    assert first.status_code == 201
    other = drawn.as_("fire").post(path, json=body, headers=key)
    assert "Idempotent-Replayed" not in other.headers
    assert other.json()["code"] != first.json()["code"]


def workbook(part: str, begin: bytes, filling: int, end: bytes) -> bytes:
    """Return a workbook one part of which holds ``filling`` MiB of spaces between ``begin`` and ``end``."""
    plain, made = io.BytesIO(), io.BytesIO()
    with xlsxwriter.Workbook(plain) as book:
        book.add_worksheet().write(0, 0, "事项编号")
    with zipfile.ZipFile(plain) as source, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in source.namelist():
            if name != part:
                archive.writestr(name, source.read(name))
                continue
            with archive.open(name, "w", force_zip64=True) as file:
                file.write(begin)
                for _ in range(filling):
                    file.write(b" " * (1 << 20))
                file.write(end)
    return made.getvalue()


SPREADSHEET = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
LAUGHS = (
    '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {chr(98 + n)} "{f"&{chr(97 + n)};" * 10}">' for n in range(9))
    + "]>"
)


def test_a_workbook_that_is_a_bomb_is_refused(office: Any) -> None:
    content = workbook("xl/sharedStrings.xml", b"<sst " + SPREADSHEET + b"><si><t>", 80, b"</t></si></sst>")
    assert len(content) < 1 << 20
    assert faults(office, content) == ["file-too-large"]


def test_a_workbook_that_laughs_a_billion_times_is_refused(office: Any) -> None:
    content = workbook(
        "xl/worksheets/sheet1.xml",
        LAUGHS.encode() + b"<worksheet " + SPREADSHEET + b'><sheetData><row r="1"><c r="A1" t="str"><v>&j;',
        0,
        b"</v></c></row></sheetData></worksheet>",
    )
    assert len(faults(office, content)) >= 1


def faults(office: Any, content: bytes) -> list[str]:
    """Return the codes of the problems for which a file is refused."""
    path = "/v1/imports?kind=items&filename=a.xlsx"
    begun = office.as_("dispatcher").post(path, content=content, headers=BYTES)
    office.run_jobs()
    done = office.as_("dispatcher").get(begun.json()["url"]).json()
    assert done["state"] == "refused"
    return [problem["code"] for problem in done["problems"]]


def test_two_departments_that_bring_the_same_code_at_once_do_not_both_get_it(office: Any) -> None:
    begun = []
    for department in ("amr", "fire"):
        text = f"code,name,department,marks,licence\nshared-01,张三,{department},leader,L1\n"
        path = "/v1/imports?kind=inspectors&filename=a.csv"
        begun.append(office.as_(department).post(path, content=text.encode(), headers=BYTES).json()["url"])
    office.run_jobs()
    jobs = []
    for department, url in zip(("amr", "fire"), begun, strict=True):
        tag = {"If-Match": office.as_(department).get(url).headers["ETag"]}
        jobs.append(office.as_(department).post(f"{url}/acceptance", headers=tag).json()["url"])
    office.run_jobs()
    states = [office.as_("dispatcher").get(url).json()["state"] for url in jobs]
    assert states == ["done", "failed"]
    (row,) = office.as_("dispatcher").get("/v1/libraries/inspectors/rows").json()["items"]
    assert row["cells"]["department"] == "amr"


def test_only_so_many_imports_wait(fresh: Any) -> None:
    path = "/v1/imports?kind=inspectors&filename=a.csv"
    answers = [fresh.as_("amr").post(path, content=b"x", headers=BYTES) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [202] * 20 + [409]
    assert code(answers[-1]) == "imports-waiting"
    assert fresh.as_("fire").post(path, content=b"x", headers=BYTES).status_code == 202


def leaves(schema: dict[str, Any], whole: dict[str, Any], text: str, at: int) -> tuple[Any, int]:
    """Return a body of this shape from the schema's examples, with ``text`` as its leaf number ``at``, and how many text leaves it has."""
    if "$ref" in schema:
        return leaves(whole[schema["$ref"].rpartition("/")[2]], whole, text, at)
    for part in schema.get("anyOf", ()):
        if part.get("type") != "null":
            return leaves({**schema, **part, "anyOf": ()}, whole, text, at)
    if "properties" in schema:
        body, count = {}, 0
        for name, inner in schema["properties"].items():
            body[name], more = leaves(inner, whole, text, at - count)
            count += more
        return body, count
    kind = schema.get("type")
    if kind == "array":
        made, count = leaves(schema["items"], whole, text, at)
        return [made], count
    if kind == "object":
        example = (schema.get("examples") or [{}])[0]
        return ({**example, text: text} if at == 0 else example), 1
    if kind == "string" or "enum" in schema:
        usual = [*schema.get("examples", ()), *schema.get("enum", ()), schema.get("const"), "2023-09-12"]
        return (text if at == 0 else next(one for one in usual if one is not None)), 1
    return next(iter(schema.get("examples", ())), {"integer": 1, "boolean": True}.get(str(kind))), 0


TEXTS = ["a\0b", "\ud800", "\u202e" * 20, "x" * 70_000]


@pytest.mark.parametrize("text", TEXTS if os.environ.get("DUALRANDOM_DEEP") == "1" else TEXTS[:1], ids=len)
def test_no_text_anywhere_crashes_the_service(drawn: Any, text: str) -> None:
    schema = drawn.app.openapi()
    parts = schema["components"]["schemas"]
    for path, operations in schema["paths"].items():
        for method, operation in operations.items():
            who = "dispatcher" if "dispatcher" in operation.get("x-roles", ()) else "auditor"
            client = drawn.as_("crew" if operation.get("x-roles") == ["crew"] else who)
            named = operation.get("parameters", [])
            url = path
            for one in named:
                if one["in"] == "path":
                    value = (one.get("examples") or one["schema"].get("examples") or ["1"])[0]
                    url = url.replace("{" + one["name"] + "}", str(DRAW if one["name"] == "draw" else value))
            headers = {"If-Match": '"1"', "Content-Type": "application/json"}
            body = operation.get("requestBody", {}).get("content", {}).get("application/json")
            sent: list[tuple[dict[str, str], bytes]] = []
            if body is not None:
                _, count = leaves(body["schema"], parts, text, -1)
                sent = [
                    ({}, json.dumps(leaves(body["schema"], parts, text, n)[0]).encode()) for n in range(count)
                ]
            if "\ud800" not in text and len(text) < 70_000:
                sent += [({one["name"]: text}, b"{}") for one in named if one["in"] == "query"]
            for params, content in sent:
                answer = client.request(method, url, params=params, content=content, headers=headers)
                assert answer.status_code < 500, (method, url, params, content[:300], answer.text)


def test_nobody_keeps_more_than_so_many_streams(fresh: Any) -> None:
    amr = fresh.as_("amr")
    begun = amr.post("/v1/imports?kind=inspectors&filename=a.csv", content=b"x", headers=BYTES)
    events = f"{begun.json()['job']}/events"
    fresh.run_jobs()
    assert amr.get(events).status_code == 200
    followers = fresh.service.followers
    assert followers.under_way("user:amr") == 0, "a stream that ended is no longer counted"
    with ExitStack() as open_:
        for _ in range(20):
            open_.enter_context(followers.one_more("user:amr"))
        refused = amr.get(events)
        assert (refused.status_code, code(refused)) == (429, "too-many-requests")
        assert "Retry-After" in refused.headers
    assert amr.get(events).status_code == 200
