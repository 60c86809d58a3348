"""Over the interface, from empty libraries to a draw that its parties have contributed to, as the offices' people would do it."""

import io
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from dualrandom.contribution import commit as make_commitment
from dualrandom.contribution import reveal as make_reveal
from dualrandom.demo import write_campaign
from dualrandom.policy.reader import parse_plan
from dualrandom.store.plan_text import json_of
from dualrandom.store.tables import Office
from dualrandom.store.workspace import file_of

MONDAY = datetime(2023, 8, 21, 1, 0, tzinfo=UTC)
FIRMS = (
    "id,name,district,credit_class\n"
    "91420704000000000L,甲食品有限公司,420704,A\n"
    "91420704000000001P,乙食品有限公司,420703,D\n"
    "91420704000000002T,丙餐饮店,420704,C\n"
)


@pytest.fixture(scope="module")
def town_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town") / "campaign"
    write_campaign("town", folder)
    return folder


@pytest.fixture(scope="module")
def town(office: Any) -> Any:
    """The office some days before the town's round, with the town's four departments."""
    office.clock.now = MONDAY
    with office.service.database.writing() as session:
        kept = session.get(Office, 1)
        kept.authority = "yunxi"
        session.add(kept)
    for id_, name in (("health", "卫生健康局"), ("urban", "城市管理执法局")):
        answer = office.as_("dispatcher").post(
            "/v1/departments", json={"id": id_, "name": name, "name_en": id_, "seats": [["leader"], []]}
        )
        assert answer.status_code == 201
    return office


def upload(client: Any, kind: str, content: bytes, name: str = "a.csv", **query: str) -> Any:
    return client.post(
        "/v1/imports",
        params={"kind": kind, "filename": name, **query},
        content=content,
        headers={"Content-Type": "application/octet-stream"},
    )


def read_import(office: Any, client: Any, kind: str, content: bytes, name: str = "a.csv") -> Any:
    answer = upload(client, kind, content, name)
    assert answer.status_code == 202, answer.text
    assert client.get(answer.headers["Location"]).json()["state"] == "queued"
    office.run_jobs()
    return client.get(answer.json()["url"])


def import_whole(office: Any, client: Any, kind: str, content: bytes, name: str = "a.csv") -> Any:
    read = read_import(office, client, kind, content, name)
    assert read.json()["state"] == "ready", read.text
    answer = client.post(f"{read.json()['url']}/acceptance", headers={"If-Match": read.headers["ETag"]})
    assert answer.status_code == 202, answer.text
    office.run_jobs()
    job = client.get(answer.headers["Location"]).json()
    assert job["state"] == "done", job
    return job["result"]


def test_a_file_is_uploaded_read_compared_and_accepted(town: Any) -> None:
    client = town.as_("dispatcher")
    read = read_import(town, client, "enterprises", FIRMS.encode("gb18030"))
    import_ = read.json()
    assert (import_["state"], import_["rows"], import_["new"]) == ("ready", 3, 3)
    assert [found["code"] for found in import_["problems"]] == ["encoding-gb"]
    page = client.get(f"{import_['url']}/changes", params={"limit": 2}).json()
    assert [(row["change"], row["key"]) for row in page["items"]] == [
        ("new", "91420704000000000L"),
        ("new", "91420704000000001P"),
    ]
    rest = client.get(f"{import_['url']}/changes", params={"limit": 2, "cursor": page["next"]}).json()
    assert (len(rest["items"]), rest["next"]) == (1, None)
    stale = client.post(f"{import_['url']}/acceptance", headers={"If-Match": '"1"'})
    assert (stale.status_code, stale.json()["type"]) == (412, "urn:dualrandom:problem:changed-meanwhile")
    asked, again = (
        client.post(f"{import_['url']}/acceptance", headers={"If-Match": read.headers["ETag"]})
        for _ in range(2)
    )
    assert (asked.status_code, asked.json()["state"], asked.json()["total"]) == (202, "queued", 3)
    assert again.headers["Location"] == asked.headers["Location"]
    assert client.get(import_["url"]).json()["state"] == "ready"
    town.run_jobs()
    job = client.get(asked.headers["Location"]).json()
    assert (job["state"], job["result"]["revision"], job["result"]["rows"]) == ("done", 1, 3)
    assert len(client.get("/v1/libraries/enterprises/revisions/1/changes").json()["items"]) == 3
    assert client.get(import_["url"]).json()["state"] == "accepted"
    ended = client.post(f"{import_['url']}/acceptance", headers={"If-Match": read.headers["ETag"]})
    assert ended.json()["type"].endswith("import-not-ready")


def test_a_refused_file_comes_back_with_its_cells_marked(town: Any) -> None:
    client = town.as_("dispatcher")
    import_ = read_import(
        town, client, "enterprises", FIRMS.replace("000000001P", "000000001Q").encode()
    ).json()
    assert (import_["state"], import_["problem_count"]) == ("refused", 1)
    fault = import_["problems"][0]
    assert (fault["code"], fault["row"], fault["suggestion"]) == ("uscc-check-digit", 3, "91420704000000001P")
    assert fault["message"]["zh"]
    sheet = client.get(import_["problem_sheet"])
    assert sheet.headers["Content-Type"].endswith("spreadsheetml.sheet")
    book = openpyxl.load_workbook(io.BytesIO(sheet.content))
    assert book.sheetnames == ["标记 marked", "问题 problems"]
    refused = client.post(f"{import_['url']}/acceptance", headers={"If-Match": '"2"'})
    assert refused.json()["type"].endswith("import-not-ready")
    discarded = client.delete(import_["url"], headers={"If-Match": f'"{import_["version"]}"'})
    assert discarded.json()["state"] == "discarded"


def test_an_upload_that_is_sent_twice_counts_once(town: Any) -> None:
    client = town.as_("dispatcher")
    headers = {"Idempotency-Key": "import-0001", "Content-Type": "application/octet-stream"}
    params = {"kind": "enterprises", "filename": "a.csv"}
    one, two = (client.post("/v1/imports", params=params, content=FIRMS, headers=headers) for _ in range(2))
    assert one.json()["id"] == two.json()["id"]
    town.run_jobs()
    import_ = client.get(one.json()["url"]).json()
    assert client.delete(import_["url"], headers={"If-Match": f'"{import_["version"]}"'}).status_code == 200


@pytest.mark.parametrize(
    ("name", "options", "code"),
    [
        ("a.doc", "{}", "import-file"),
        ("a.csv", "[]", "import-options"),
        ("a.csv", '{"columns": {"id": 1}}', "import-options"),
        ("a.csv", '{"colour": "red"}', "import-file"),
    ],
)
def test_an_upload_that_cannot_be_read_is_refused_at_once(
    town: Any, name: str, options: str, code: str
) -> None:
    answer = upload(town.as_("dispatcher"), "items", b"x", name, options=options)
    assert (answer.status_code, answer.json()["type"]) == (422, f"urn:dualrandom:problem:{code}")


def test_one_row_is_edited_with_its_etag_and_keeps_its_history(town: Any) -> None:
    client = town.as_("dispatcher")
    url = "/v1/libraries/enterprises/rows/91420704000000001P"
    read = client.get(url)
    assert "credit_class" not in read.json()["cells"]
    body = {"cells": {"credit_class": "B"}}
    assert client.put(url, json=body).status_code == 428
    changed = client.put(url, json=body, headers={"If-Match": read.headers["ETag"]})
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')
    assert client.put(url, json=body, headers={"If-Match": read.headers["ETag"]}).status_code == 412
    versions = client.get(f"{url}/versions").json()["items"]
    assert [(version["first"], version["last"], version["by"]) for version in versions] == [
        (1, 1, "user:dispatcher"),
        (2, None, "user:dispatcher"),
    ]
    (change,) = client.get("/v1/libraries/enterprises/revisions/2/changes").json()["items"]
    assert (change["change"], change["columns"]) == ("changed", ["credit_class"])
    wrong = client.put(url, json={"cells": {"established": "once"}}, headers={"If-Match": '"2"'})
    assert (wrong.status_code, wrong.json()["problems"][0]["code"]) == (422, "date-invalid")


def test_rows_are_searched_and_internal_columns_leave_a_trace(town: Any) -> None:
    client = town.as_("auditor")

    def keys(**params: Any) -> list[str]:
        answer = client.get("/v1/libraries/enterprises/rows", params=params)
        assert answer.status_code == 200
        return [row["key"][-2:] for row in answer.json()["items"]]

    assert keys(name="食品") == ["0L", "1P"]
    assert keys(district="420704") == ["0L", "2T"]
    assert keys(prefix="91420704000000002") == ["2T"]
    first = client.get("/v1/libraries/enterprises/rows", params={"limit": 2}).json()
    assert keys(limit=2, cursor=first["next"]) == ["2T"]
    shown = client.get("/v1/libraries/enterprises/rows", params={"sealed": True}).json()
    assert {row["cells"]["credit_class"] for row in shown["items"]} == {"A", "B", "C"}
    trail = client.get("/v1/activity", params={"action": "read-sealed"}).json()["items"]
    assert ("user:auditor", "library:enterprises") in [(row["actor"], row["subject"]) for row in trail]
    refused = town.as_("amr").get("/v1/libraries/enterprises/rows", params={"sealed": True})
    assert refused.json()["type"].endswith("sealed-column")


def test_a_template_is_a_workbook_that_the_service_reads(town: Any) -> None:
    client = town.as_("amr")
    answer = client.get("/v1/libraries/inspectors/template", params={"language": "en"})
    book = openpyxl.load_workbook(io.BytesIO(answer.content))
    sheet = book.worksheets[0]
    titles = [cell.value for cell in sheet[1]]
    row = {"code": "p1", "name": "张三", "department": "amr", "licence": "L1"}
    sheet.append([row.get(str(title).split()[-2]) for title in titles])
    out = io.BytesIO()
    book.save(out)
    import_ = read_import(town, client, "inspectors", out.getvalue(), "inspectors.xlsx").json()
    assert (import_["state"], import_["rows"], import_["department"]) == ("ready", 1, "amr")
    client.delete(import_["url"], headers={"If-Match": f'"{import_["version"]}"'})


def test_a_department_manages_its_own_people_only(town: Any) -> None:
    dispatcher, amr, fire = (town.as_(name) for name in ("dispatcher", "amr", "fire"))
    people = "code,name,department,licence\np1,张三,amr,L1\np3,王五,fire,L3\n"
    import_whole(town, dispatcher, "inspectors", people.encode())
    assert [row["key"] for row in amr.get("/v1/libraries/inspectors/rows").json()["items"]] == ["p1"]
    assert amr.get("/v1/libraries/inspectors/rows/p3").status_code == 404
    added = fire.post(
        "/v1/libraries/recusals/rows", json={"cells": {"inspector": "p3", "other": "p1", "ground": "kin"}}
    )
    assert (added.status_code, added.json()["key"]) == (201, "p3 p1")
    assert fire.get(added.headers["Location"]).status_code == 200
    assert amr.get(added.headers["Location"]).status_code == 404
    assert upload(amr, "enterprises", FIRMS.encode()).json()["type"].endswith("library-not-yours")
    theirs = read_import(town, fire, "inspectors", people.encode()).json()
    assert theirs["problems"][0]["code"] == "row-of-another-department"
    assert amr.get(theirs["url"]).status_code == 404
    gone = fire.delete(added.json()["url"], headers={"If-Match": added.headers["ETag"]})
    assert gone.status_code == 204


def test_a_plan_lives_from_a_draft_to_contributions_and_what_blocks_it_is_said(
    town: Any, town_folder: Path, tmp_path: Path
) -> None:
    dispatcher, amr, fire = (town.as_(name) for name in ("dispatcher", "amr", "fire"))
    for kind in ("enterprises", "inspectors", "items", "recusals", "visits"):
        (path,) = town_folder.glob(f"{kind}.*")
        import_whole(town, dispatcher, kind, path.read_bytes(), path.name)
    document = json_of((town_folder / "plan.toml").read_text("utf-8"))
    tasks = document.pop("tasks")
    for table in ("departments", "libraries"):
        document.pop(table, None)
    document["contributions"] = [
        {"party": "fire", "name": "消防"},
        {"party": "amr", "name": "市场监管", "office": True},
    ]
    made = dispatcher.post("/v1/plans", json={"document": document, "title": "九月"})
    assert made.status_code == 201, made.text
    url = made.headers["Location"]
    assert dispatcher.post("/v1/plans", json={"document": document}).json()["type"].endswith("plan-exists")
    assert (made.json()["next_draw"], made.json()["state"]) == ("yunxi-2023-000001", "draft")

    # nobody but the invited see it
    assert fire.get(url).status_code == 404
    invited = dispatcher.post(f"{url}/invitations", json={"departments": ["amr", "fire", "urban"]})
    assert {join["state"] for join in invited.json()} == {"invited"}
    assert fire.get(url).json()["title"] == "九月"

    # each brings its tasks, people and seats
    for task in tasks:
        who = {"amr": amr, "fire": fire}.get(task["department"])
        if who is None or task.get("mode") == "follows":
            continue
        row = {key: value for key, value in task.items() if key not in {"id", "department"}}
        added = who.post(
            f"{url}/tasks", json={"id": task["id"], "department": task["department"], "task": row}
        )
        assert added.status_code == 201, added.text
        other = fire if who is amr else amr
        refused = other.put(
            added.json()["url"],
            json={"department": task["department"], "task": row},
            headers={"If-Match": '"1"'},
        )
        assert refused.json()["type"].endswith("task-not-yours")
    join = fire.get(f"{url}/joins/fire")
    assert amr.get(f"{url}/joins/fire").status_code == 404
    edited = fire.put(
        f"{url}/joins/fire", json={"seats": [["leader"], []]}, headers={"If-Match": join.headers["ETag"]}
    )
    assert edited.status_code == 200, edited.text
    confirmed = fire.post(f"{url}/joins/fire/confirmation", headers={"If-Match": edited.headers["ETag"]})
    assert confirmed.json()["state"] == "confirmed"
    blocking = amr.get(f"{url}/prerequisites").json()
    assert (blocking["ready"], [point["code"] for point in blocking["points"]]) == (
        False,
        ["join-unanswered"],
    )
    amr.post(f"{url}/joins/amr/confirmation", headers={"If-Match": '"1"'})
    declined = dispatcher.post(
        f"{url}/joins/urban/declination", json={"reason": "人手不足"}, headers={"If-Match": '"1"'}
    )
    assert (declined.json()["state"], declined.json()["reason"]) == ("declined", "人手不足")

    # a party commits with the file that its own machine makes
    file = make_commitment(tmp_path, "yunxi-2023-000001", "fire")
    json_header = {"Content-Type": "application/json"}
    foreign = amr.put(f"{url}/contributions/fire", content=file.read_bytes(), headers=json_header)
    assert foreign.status_code == 404
    committed = fire.put(f"{url}/contributions/fire", content=file.read_bytes(), headers=json_header)
    assert (committed.status_code, committed.json()["draw"]) == (200, "yunxi-2023-000001")
    of_plan = dispatcher.get(f"{url}/contributions").json()["items"]
    assert [(one["party"], one["office"]) for one in of_plan] == [("fire", False), ("amr", True)]

    # the check that announcing would make
    stated = dispatcher.post("/v1/backups", json={"keeper": "信息中心"})
    assert stated.json()["suffices"]
    found = dispatcher.get(f"{url}/prerequisites").json()
    assert [point["code"] for point in found["points"] if point["severity"] == "blocks"] == [
        "inputs-unchecked"
    ]
    job = dispatcher.post(f"{url}/check")
    assert job.status_code == 202
    town.run_jobs()
    found = dispatcher.get(f"{url}/prerequisites").json()
    assert found["ready"], found
    assert found["check"]["result"]["frame"] > 400

    # announced by two persons, then revealed, logged and drawn
    plan = dispatcher.get(url)
    asked = dispatcher.post(f"{url}/announcement", json={}, headers={"If-Match": plan.headers["ETag"]})
    assert asked.status_code == 202, asked.text
    decision = town.as_("dispatcher2").post(
        f"{asked.headers['Location']}/decision",
        json={"decision": "approve", "digest": asked.json()["digest"]},
    )
    assert decision.status_code == 200, decision.text
    town.run_jobs()
    draw = dispatcher.get("/v1/draws/yunxi-2023-000001")
    assert draw.json()["state"] == "announced", dispatcher.get(asked.headers["Location"]).text
    changes: tuple[Callable[[], Any], ...] = (
        lambda: dispatcher.put(f"{url}/document", json={"document": document}, headers={"If-Match": '"1"'}),
        lambda: fire.post(f"{url}/joins/fire/confirmation", headers={"If-Match": '"2"'}),
        lambda: fire.put(f"{url}/contributions/fire", content=file.read_bytes(), headers=json_header),
    )
    for change in changes:
        assert change().json()["type"].endswith("plan-announced")
    with town.service.database.reading() as session:
        published = file_of(session, town.service.vault, "yunxi-2023-000001", "public/announcement.json")
    assert published is not None
    revealed = make_reveal(tmp_path, "fire", published)
    answer = fire.post(
        "/v1/draws/yunxi-2023-000001/contributions/fire", content=revealed.read_bytes(), headers=json_header
    )
    assert answer.status_code == 202, answer.text
    town.run_jobs()
    assert fire.get(answer.headers["Location"]).json()["state"] == "done", fire.get(
        answer.headers["Location"]
    ).text
    with town.service.database.reading() as session:
        logged = file_of(session, town.service.vault, "yunxi-2023-000001", "public/reveals/fire.json")
    assert logged == revealed.read_bytes()
    of_draw = dispatcher.get("/v1/draws/yunxi-2023-000001/contributions").json()["items"]
    assert of_draw[0]["revealed_at"] is not None

    # next month's plan is a copy; another one may begin from what the libraries have
    template = dispatcher.get("/v1/plan-template").json()["document"]
    assert template["plan"]["authority"] == "yunxi"
    copy = dispatcher.post(f"{url}/copies", json={})
    assert (copy.status_code, copy.json()["id"], copy.json()["next_draw"]) == (
        201,
        "2023-10",
        "yunxi-2023-000002",
    )
    text = dispatcher.get(f"{copy.json()['url']}/plan.toml").text
    # nobody has joined yet
    assert parse_plan(text.encode()).plan is None


def test_a_plan_can_be_sent_as_toml_and_edited_with_its_etag(town: Any, town_folder: Path) -> None:
    client = town.as_("dispatcher")
    text = (town_folder / "plan.toml").read_text("utf-8").replace('id = "2023-09"', 'id = "as-toml"')
    made = client.post("/v1/plans", json={"toml": text})
    assert (made.status_code, len(made.json()["tasks"])) == (201, 9)
    url = made.headers["Location"]
    read = client.get(f"{url}/document")
    document = read.json()["document"] | {"caps": {"daily": 3}}
    edited = client.put(
        f"{url}/document", json={"document": document}, headers={"If-Match": read.headers["ETag"]}
    )
    assert edited.json()["document"]["caps"] == {"daily": 3}
    stale = client.put(
        f"{url}/document", json={"document": document}, headers={"If-Match": read.headers["ETag"]}
    )
    assert stale.status_code == 412
    subjects = [row["subject"] for row in client.get(f"{url}/versions", params={"limit": 2}).json()["items"]]
    assert subjects[0] == "plan"
    task = client.get(f"{url}/tasks/amr-food")
    gone = client.delete(f"{url}/tasks/amr-food", headers={"If-Match": task.headers["ETag"]})
    assert gone.status_code == 204
    assert client.get(f"{url}/tasks/amr-food").status_code == 404
    wrong = client.post("/v1/plans", json={"toml": "[plan"})
    assert wrong.json()["problems"][0]["code"] == "plan-syntax"
    assert client.post("/v1/plans", json={}).status_code == 422


def test_policies_are_uploaded_listed_and_withdrawn(town: Any) -> None:
    client = town.as_("dispatcher")
    text = (
        '[policy]\nid = "yunxi-rest"\nversion = "1"\nname = "云溪规定"\nlevel = "city"\nauthority = "云溪县"\n'
        'valid_from = 2023-01-01\n[[rules]]\nid = "cap"\nkind = "annual-cap"\nsource = "云溪规"\ntimes = 2\n'
    )
    headers = {"Content-Type": "application/toml"}
    made = client.post("/v1/policies", content=text.encode(), headers=headers)
    assert (made.status_code, made.headers["ETag"]) == (201, '"1"')
    newer = text.replace("times = 2", "times = 3").encode()
    assert client.post("/v1/policies", content=newer, headers=headers).status_code == 412
    changed = client.post("/v1/policies", content=newer, headers={**headers, "If-Match": '"1"'})
    assert changed.json()["number"] == 2
    assert [row["number"] for row in client.get("/v1/policies").json()["items"]] == [2]
    assert "times = 3" in client.get("/v1/policies/yunxi-rest").json()["toml"]
    assert len(client.get("/v1/policies/yunxi-rest/versions").json()["items"]) == 2
    assert client.get("/v1/shipped-policies").json()["items"]
    withdrawn = client.delete("/v1/policies/yunxi-rest", headers={"If-Match": '"2"'})
    assert withdrawn.json()["withdrawn"]
    wrong = client.post("/v1/policies", content=b"[policy]\n", headers=headers)
    assert (wrong.status_code, wrong.json()["type"]) == (422, "urn:dualrandom:problem:input-refused")


def test_who_does_not_answer_is_reminded_and_left_out_by_itself(town: Any) -> None:
    dispatcher, fire = town.as_("dispatcher"), town.as_("fire")
    url = "/v1/plans/as-toml"
    (join,) = dispatcher.post(f"{url}/invitations", json={"departments": ["fire"]}).json()
    town.clock.now = datetime.fromisoformat(join["deadline"]).astimezone(UTC) - timedelta(hours=6)
    town.run_jobs()
    assert fire.get(f"{url}/joins/fire").json()["reminded_at"] is not None
    town.clock.now = datetime.fromisoformat(join["deadline"]).astimezone(UTC)
    town.run_jobs()
    assert fire.get(f"{url}/joins/fire").json()["state"] == "left-out"
    kinds = {message["kind"] for message in fire.get("/v1/messages").json()["items"]}
    assert {"invitation", "join-reminder", "join-left-out"} <= kinds
    late = fire.post(f"{url}/joins/fire/confirmation", headers={"If-Match": '"2"'})
    assert late.json()["type"].endswith("join-closed")


def test_of_two_files_that_were_compared_with_the_same_state_one_is_accepted(town: Any) -> None:
    client = town.as_("dispatcher")
    reads = [
        read_import(town, client, "enterprises", FIRMS.replace("食品", f"食品{name}").encode())
        for name in ("甲", "乙")
    ]
    jobs = []
    for read in reads:
        asked = client.post(f"{read.json()['url']}/acceptance", headers={"If-Match": read.headers["ETag"]})
        jobs.append(asked.headers["Location"])
    before = client.get("/v1/libraries/enterprises/rows").json()
    town.run_jobs()
    first, second = (client.get(job).json() for job in jobs)
    assert first["state"] == "done"
    assert second["problem"]["type"].endswith("import-base-changed")
    assert client.get("/v1/libraries/enterprises/rows").json() != before
    late = client.post(f"{reads[1].json()['url']}/acceptance", headers={"If-Match": reads[1].headers["ETag"]})
    assert (late.status_code, late.json()["type"].rpartition(":")[2]) == (409, "import-base-changed")
    version = client.get(reads[1].json()["url"]).headers["ETag"]
    assert client.delete(reads[1].json()["url"], headers={"If-Match": version}).status_code == 200
