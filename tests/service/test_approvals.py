"""What cannot be undone takes two persons, who approve exactly what they see, once, and in time."""

from collections.abc import Iterator
from typing import Any

import pytest

from dualrandom.store import accounts, approvals
from dualrandom.store.activity import Actor
from dualrandom.store.errors import ForbiddenError
from dualrandom_api.service import runner


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, Any]]]:
    """What the jobs of approved actions were asked to do; nothing is really announced."""
    seen: list[dict[str, Any]] = []
    monkeypatch.setitem(runner.HANDLERS, "announce", lambda _, job: seen.append(job.arguments))
    yield seen
    seen.clear()


def ask(office: Any, subject: str, by: str = "dispatcher", **payload: Any) -> Any:
    with office.service.database.writing() as session:
        actor = accounts.actor_of(accounts.the_user(session, by))
        return approvals.ask(
            session,
            actor,
            office.clock(),
            action="announce",
            subject=subject,
            payload=payload,
            lasts=office.service.settings.approval_time,
        )


def decide(office: Any, approval: Any, by: str, decision: str = "approve", **changed: Any) -> Any:
    body = {"decision": decision, "digest": approval.digest} | changed
    return office.as_(by).post(f"/v1/approvals/{approval.id}/decision", json=body)


def code(answer: Any) -> str:
    return str(answer.json()["type"]).rpartition(":")[2]


@pytest.mark.parametrize("second", ["dispatcher2", "auditor"])
def test_a_second_person_approves_and_it_is_done_once(
    office: Any, done: list[dict[str, Any]], second: str
) -> None:
    approval = ask(office, f"plan-of-{second}", version=3)
    answer = decide(office, approval, second)
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["decided_by"]) == ("approved", second)
    office.run_jobs()
    assert done == [{"approval": approval.id, "version": 3}]
    job = office.as_("dispatcher").get(answer.json()["job"]).json()
    assert (job["state"], job["kind"]) == ("done", "announce")
    again = decide(office, approval, second)
    assert (again.status_code, code(again)) == (409, "approval-decided")
    office.run_jobs()
    assert len(done) == 1


def test_who_asked_does_not_decide(office: Any, done: list[dict[str, Any]]) -> None:
    approval = ask(office, "own-plan")
    refused = decide(office, approval, "dispatcher")
    assert (refused.status_code, code(refused)) == (403, "approval-own")
    for other in ("amr", "crew", "support"):
        assert decide(office, approval, other).status_code == 403
    office.run_jobs()
    assert done == []


def test_a_refusal_ends_it(office: Any, done: list[dict[str, Any]]) -> None:
    approval = ask(office, "refused-plan")
    answer = decide(office, approval, "auditor", "refuse", reason="名单未核对")
    assert answer.json()["state"] == "refused"
    assert code(decide(office, approval, "dispatcher2")) == "approval-decided"
    office.run_jobs()
    assert done == []


def test_nobody_approves_what_they_did_not_see(office: Any, done: list[dict[str, Any]]) -> None:
    before = ask(office, "changing-plan", version=1)
    after = ask(office, "changing-plan", version=2)
    assert before.digest != after.digest
    differs = decide(office, after, "auditor", digest=before.digest)
    assert (differs.status_code, code(differs)) == (409, "approval-differs")
    # what was asked for before is withdrawn by asking for something else
    assert code(decide(office, before, "auditor")) == "approval-decided"
    assert decide(office, after, "auditor").status_code == 200
    office.run_jobs()
    assert done == [{"approval": after.id, "version": 2}]


def test_it_expires(office: Any) -> None:
    approval = ask(office, "old-plan")
    office.clock.pass_(hours=72)
    late = decide(office, approval, "auditor")
    assert (late.status_code, code(late)) == (409, "approval-expired")
    path = f"/v1/approvals/{approval.id}"
    assert office.as_("auditor").get(path).json()["state"] == "expired"
    assert ask(office, "old-plan").id != approval.id


def test_asking_twice_for_the_same_asks_once(office: Any) -> None:
    assert ask(office, "same-plan", version=1).id == ask(office, "same-plan", version=1).id


def test_only_who_asked_withdraws(office: Any, done: list[dict[str, Any]]) -> None:
    approval = ask(office, "withdrawn-plan")
    path = f"/v1/approvals/{approval.id}"
    assert code(office.as_("dispatcher2").delete(path)) == "approval-not-own"
    assert office.as_("dispatcher").delete(path).status_code == 204
    assert code(office.as_("dispatcher").delete(path)) == "approval-decided"
    assert code(decide(office, approval, "auditor")) == "approval-decided"
    office.run_jobs()
    assert done == []


def test_a_program_cannot_ask(office: Any) -> None:
    key = Actor("key:12345678", "department", "amr")
    with pytest.raises(ForbiddenError), office.service.database.writing() as session:
        approvals.ask(
            session,
            key,
            office.clock(),
            action="announce",
            subject="x",
            payload={},
            lasts=office.service.settings.approval_time,
        )


def test_those_who_decide_are_told_and_the_log_knows_both(office: Any, done: list[dict[str, Any]]) -> None:
    approval = ask(office, "told-plan")
    told = office.as_("auditor").get("/v1/messages").json()["items"]
    assert any(one["subject"] == f"approval:{approval.id}" for one in told)
    decide(office, approval, "auditor")
    rows = office.as_("auditor").get(f"/v1/activity?subject=approval:{approval.id}").json()["items"]
    assert [(row["actor"], row["action"]) for row in rows] == [
        ("user:auditor", "approval-approved"),
        ("user:dispatcher", "approval-asked"),
    ]
    office.run_jobs()


def test_the_list_has_open_ones(office: Any) -> None:
    approval = ask(office, "listed-plan")
    listed = office.as_("auditor").get("/v1/approvals?state=open&limit=1").json()
    assert [one["id"] for one in listed["items"]] == [approval.id]
    assert office.as_("amr").get("/v1/approvals").json()["items"] == []
    assert office.as_("crew").get("/v1/approvals").status_code == 403
    assert code(office.as_("auditor").get("/v1/approvals/999999")) == "unknown-approval"
