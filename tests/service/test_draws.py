"""A draw over the interface: two dispatchers announce it, the service draws it when the round is out, two void what must not stand."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from dualrandom.demo import write_campaign
from dualrandom.registry.columns import KINDS
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.backups import is_backed_up, record_backup
from dualrandom.store.import_reading import import_now
from dualrandom.store.planning import create_plan
from dualrandom.store.tables import Office
from dualrandom.store.workspace import files_of
from dualrandom.verify import verify_record
from dualrandom_api.service.handlers.keeping_house import keep_house

BEFORE = datetime(2023, 8, 21, 1, 0, tzinfo=UTC)
ROUND_DUE = datetime(2023, 8, 23, 15, 59, 24, tzinfo=UTC)
DISPATCHER = Actor("user:dispatcher", "dispatcher")


@pytest.fixture(scope="module")
def town_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town") / "campaign"
    write_campaign("town", folder)
    return folder


@pytest.fixture(scope="module")
def town(office: Any, town_folder: Path) -> Any:
    """The office with the town's plan and libraries, some days before the round."""
    office.clock.now = BEFORE
    office.service.settings.relays.clear()
    with office.service.database.writing() as session:
        kept = session.get(Office, 1)
        kept.authority = "yunxi"
        session.add(kept)
        text = (town_folder / "plan.toml").read_text("utf-8")
        create_plan(session, text, actor=DISPATCHER, now=BEFORE, joined=True)
        for kind in KINDS:
            (path,) = town_folder.glob(f"{kind}.*")
            content = path.read_bytes()
            import_now(session, office.service.vault, kind, path.name, content, actor=DISPATCHER, now=BEFORE)
    return office


def plan_etag(town: Any) -> str:
    from dualrandom.store.tables import PlanRow

    with town.service.database.reading() as session:
        return f'"{session.get(PlanRow, "2023-09").version}"'


def ask(town: Any, path: str, body: dict[str, Any], **headers: str) -> Any:
    return town.as_("dispatcher").post(path, json=body, headers=headers)


def decide(town: Any, asked: Any, by: str, decision: str = "approve") -> Any:
    approval = asked.json()
    body = {"decision": decision, "digest": approval["digest"]}
    return town.as_(by).post(f"{approval['url']}/decision", json=body)


def back_up(town: Any, who: str = "support") -> Any:
    return town.as_(who).post("/v1/backups", json={"keeper": "信息中心"})


def announce(town: Any) -> str:
    assert back_up(town).json()["suffices"]
    asked = ask(town, "/v1/plans/2023-09/announcement", {}, **{"If-Match": plan_etag(town)})
    assert asked.status_code == 202, asked.text
    decided = decide(town, asked, "auditor")
    assert decided.status_code == 200, decided.text
    town.run_jobs()
    job = town.as_("dispatcher").get(decided.json()["job"]).json()
    assert job["state"] == "done", job
    return str(job["result"]["draw"])


def test_nothing_is_announced_without_a_backup_since_the_last_change(town: Any, town_folder: Path) -> None:
    def asked(**body: bool) -> tuple[int, str]:
        answer = ask(town, "/v1/plans/2023-09/announcement", body, **{"If-Match": plan_etag(town)})
        return answer.status_code, str(answer.json().get("type", "")).rpartition(":")[2]

    def blocks() -> bool:
        points = town.as_("dispatcher").get("/v1/plans/2023-09/prerequisites").json()["points"]
        return ("backup-missing", "blocks") in {(one["code"], one["severity"]) for one in points}

    dispatcher = town.as_("dispatcher")
    assert (asked(), blocks()) == ((409, "backup-missing"), True)
    assert dispatcher.get("/v1/backups/latest").json() == {
        "at": None,
        "what": None,
        "by": None,
        "suffices": False,
    }
    assert back_up(town, "amr").status_code == 403
    assert back_up(town).status_code == 201
    assert (asked()[0], blocks()) == (202, False)
    (row,) = town.as_("auditor").get("/v1/activity?action=backup-stated").json()["items"]
    assert (row["actor"], row["subject"]) == ("user:support", "信息中心")
    (path,) = town_folder.glob("recusals.*")
    with town.service.database.writing() as session:
        vault, now = town.service.vault, town.clock()
        import_now(session, vault, "recusals", path.name, path.read_bytes(), actor=DISPATCHER, now=now)
    assert (asked(), blocks()) == ((409, "backup-missing"), True)
    assert asked(rehearsal=True)[0] == 202
    with town.service.database.writing() as session:
        (change,) = activity.rows(session, before=None, limit=1, action="import-accepted")
        record_backup(session, town.clock(), file="b", sha256="0" * 64, activity_rows=change.id - 1)
        assert not is_backed_up(session)
        record_backup(session, town.clock(), file="b", sha256="0" * 64, activity_rows=change.id)
    assert (asked()[0], blocks()) == (202, False)
    for open_one in town.as_("dispatcher").get("/v1/approvals?state=open").json()["items"]:
        assert dispatcher.delete(open_one["url"]).status_code == 204


def test_one_person_alone_announces_nothing(town: Any) -> None:
    asked = ask(town, "/v1/plans/2023-09/announcement", {}, **{"If-Match": plan_etag(town)})
    assert asked.headers["Location"] == asked.json()["url"]
    refused = decide(town, asked, "dispatcher")
    assert (refused.status_code, refused.json()["type"]) == (403, "urn:dualrandom:problem:approval-own")
    town.run_jobs()
    assert town.as_("amr").get("/v1/draws").json()["items"] == []
    assert decide(town, asked, "dispatcher2", "refuse").json()["state"] == "refused"
    town.run_jobs()
    assert town.as_("amr").get("/v1/draws").json()["items"] == []


def test_a_version_that_is_not_the_plans_cannot_be_announced(town: Any) -> None:
    stale = ask(town, "/v1/plans/2023-09/announcement", {}, **{"If-Match": '"7777"'})
    assert stale.status_code == 412
    assert ask(town, "/v1/plans/2023-09/announcement", {}).status_code == 428
    assert ask(town, "/v1/plans/2099-01/announcement", {}, **{"If-Match": '"1"'}).status_code == 404
    as_department = town.as_("amr").post(
        "/v1/plans/2023-09/announcement", json={}, headers={"If-Match": plan_etag(town)}
    )
    assert as_department.status_code == 403


def test_libraries_that_changed_after_the_request_are_not_announced(town: Any, town_folder: Path) -> None:
    back_up(town)
    asked = ask(town, "/v1/plans/2023-09/announcement", {}, **{"If-Match": plan_etag(town)})
    assert asked.json()["payload"]["revisions"]["items"] == 1
    (path,) = town_folder.glob("items.*")
    with town.service.database.writing() as session:
        content, now = path.read_bytes(), town.clock()
        import_now(session, town.service.vault, "items", path.name, content, actor=DISPATCHER, now=now)
    decided = decide(town, asked, "auditor")
    town.run_jobs()
    job = town.as_("dispatcher").get(decided.json()["job"]).json()
    assert (job["state"], job["problem"]["type"]) == ("failed", "urn:dualrandom:problem:plan-changed")
    assert town.as_("amr").get("/v1/draws").json()["items"] == []


def test_an_announced_draw_is_voided_by_two_and_announced_anew_under_the_next_number(town: Any) -> None:
    draw = announce(town)
    assert town.as_("amr").get(f"/v1/draws/{draw}").json()["state"] == "announced"
    again = ask(town, "/v1/plans/2023-09/announcement", {}, **{"If-Match": plan_etag(town)})
    assert (again.status_code, again.json()["type"]) == (409, "urn:dualrandom:problem:already-announced")
    asked = ask(town, f"/v1/draws/{draw}/void", {"reason": "名录有误"})
    assert decide(town, asked, "dispatcher2").status_code == 200
    town.run_jobs()
    voided = town.as_("amr").get(f"/v1/draws/{draw}").json()
    assert (voided["state"], voided["void_reason"]) == ("void", "名录有误")
    assert ask(town, f"/v1/draws/{draw}/void", {"reason": "again"}).status_code == 409
    second = announce(town)
    assert second > draw
    for _ in range(2):
        keep_house(town.service)
        town.clock.pass_(hours=1)
        town.run_jobs()
    told = [
        one for one in town.as_("support").get("/v1/messages").json()["items"] if one["kind"] == "backup-due"
    ]
    assert [one["subject"] for one in told] == [second]
    assert [one["draw"] for one in town.as_("amr").get("/v1/draws").json()["items"]] == [second, draw]


def test_a_draw_without_network_waits_for_its_round_and_takes_no_other(town: Any, town_folder: Path) -> None:
    (draw,) = [one["draw"] for one in town.as_("amr").get("/v1/draws?state=announced").json()["items"]]
    town.clock.now = ROUND_DUE + timedelta(minutes=1)
    town.run_jobs()
    assert town.as_("amr").get(f"/v1/draws/{draw}").json()["state"] == "announced"
    evidence = json.loads((town_folder / "beacon.json").read_text())
    path = f"/v1/draws/{draw}/beacon"
    other = ask(town, path, evidence | {"round": 1001})
    assert (other.status_code, other.json()["type"]) == (422, "urn:dualrandom:problem:beacon-file")
    forged = ask(town, path, evidence | {"signature": "b" * 96})
    assert (forged.status_code, forged.json()["type"]) == (422, "urn:dualrandom:problem:beacon-forged")
    assert town.as_("amr").post(path, json=evidence).status_code == 403
    taken = ask(town, path, evidence)
    assert taken.status_code == 202, taken.text
    town.run_jobs()
    assert town.as_("dispatcher").get(taken.headers["Location"]).json()["state"] == "done"
    drawn = town.as_("amr").get(f"/v1/draws/{draw}").json()
    assert (drawn["state"], drawn["summary"]["visits"] > 0) == ("drawn", True)
    assert ask(town, path, evidence).status_code == 409


def test_what_it_publishes_verifies(town: Any) -> None:
    (draw,) = [one["draw"] for one in town.as_("amr").get("/v1/draws?state=drawn").json()["items"]]
    with town.service.database.reading() as session:
        public = {
            path.removeprefix("public/"): town.service.vault.opened(blob)
            for path, blob in files_of(session, draw)
            if path.startswith("public/")
        }
    assert {
        check.name: check.reason_en for check in verify_record(public).checks if check.status == "FAIL"
    } == {}


def test_a_new_key_of_the_log_needs_two_persons_as_well(town: Any) -> None:
    asked = town.as_("dispatcher").post("/v1/log/key")
    assert asked.status_code == 202, asked.text
    decided = decide(town, asked, "auditor")
    town.run_jobs()
    job = town.as_("dispatcher").get(decided.json()["job"]).json()
    assert job["state"] == "done", job
    assert job["result"]["key"].startswith("dualrandom/yunxi+")
    assert town.as_("support").post("/v1/log/key").status_code == 403
    revoked = town.as_("dispatcher").post("/v1/log/key/revocation", json={"reason": "笔记本被盗"})
    assert revoked.status_code == 202
    assert revoked.json()["payload"] == {"reason": "笔记本被盗"}
