"""The plan's life until it is announced: drafts in versions, departments that join or do not, commitments, what still blocks."""

import base64
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from sqlmodel import Session, col

from dualrandom.errors import InputError
from dualrandom.hashing import suite_digest
from dualrandom.keyring import public_text
from dualrandom.seed import commitment_of, contribution_statement
from dualrandom.store import checking, contributing, joining, plan_copies, plan_tasks, planning, policies
from dualrandom.store.activity import Actor
from dualrandom.store.backups import state_backup
from dualrandom.store.database import StaleError
from dualrandom.store.errors import ConflictError, ForbiddenError, RefusedError, UnknownError
from dualrandom.store.jobs import claim
from dualrandom.store.plan_text import json_of, require_plain, text_of
from dualrandom.store.plans import plan_versions, tasks_of
from dualrandom.store.prerequisites import Prerequisites, prerequisites
from dualrandom.store.tables import (
    Activity,
    ContributionRow,
    DrawRow,
    DrawState,
    Job,
    Join,
    JoinState,
    Outbox,
    PlanRow,
    PlanState,
    PlanVersion,
    PolicyRow,
    Role,
    TaskRow,
    User,
)

NOW = datetime(2023, 8, 21, 1, 0, tzinfo=UTC)
"""Monday morning in Shanghai."""
DISPATCHER = Actor("user:dispatcher", "dispatcher")
AMR = Actor("user:amr", "department", "amr")
FIRE = Actor("user:fire", "department", "fire")
HEALTH = Actor("user:health", "department", "health")
PLAN = "joint"
TASK = {
    "id": "fire-x",
    "department": "fire",
    "name": "消防",
    "items": ["crowded-places"],
    "ratios": {"A": "3%"},
}


@dataclass
class Desk:
    """The demonstration town with a second plan that nobody has joined; whatever a test does to it is undone."""

    town: Any

    def writing(self) -> Any:
        return self.town.database.writing()

    def reading(self) -> Any:
        return self.town.database.reading()

    def invite(self, *departments: str, at: datetime = NOW) -> None:
        with self.writing() as session:
            joining.invite(session, PLAN, departments, actor=DISPATCHER, now=at)

    def join(self, department: str) -> Join:
        with self.reading() as session:
            return joining.join_of(session, PLAN, department, DISPATCHER)

    def confirm(self, department: str, at: datetime = NOW) -> None:
        with self.writing() as session:
            version = joining.join_of(session, PLAN, department, DISPATCHER).version
            actor = Actor(f"user:{department}", "department", department)
            joining.confirm(session, PLAN, department, version, actor=actor, now=at)

    def run_jobs(self, at: datetime) -> None:
        """Do what is due, as the service's runners do."""
        database = self.town.database
        while (
            job := claim(database, "me", at, [joining.REMINDER, joining.DEADLINE, checking.CHECK])
        ) is not None:
            if job.kind == checking.CHECK:
                checking.check_inputs(database, self.town.vault, job, lambda: at)
                continue
            with database.writing() as session:
                work = joining.remind if job.kind == joining.REMINDER else joining.leave_out
                invited = datetime.fromisoformat(job.arguments["invited_at"])
                work(session, job.subject, job.arguments["department"], invited, at)
                session.get_one(Job, job.id).state = "done"

    def points(self, actor: Actor = DISPATCHER, at: datetime = NOW, plan: str = PLAN) -> Prerequisites:
        with self.reading() as session:
            return prerequisites(session, plan, actor, at, log_password=True)

    def codes(self, actor: Actor = DISPATCHER, at: datetime = NOW) -> set[tuple[str, str]]:
        return {
            (point.code, point.who) for point in self.points(actor, at).points if point.severity == "blocks"
        }

    def told(self, kind: str) -> list[str]:
        with self.reading() as session:
            return list(session.scalars(select(col(Outbox.audience)).where(col(Outbox.kind) == kind)))


@pytest.fixture
def desk(town: Any) -> Iterator[Desk]:
    text = (town.folder / "plan.toml").read_text("utf-8")
    document = json_of(text)
    document["plan"]["id"] = PLAN
    document["beacon"] = {"time": "2023-08-30T10:00:00+08:00"}
    document["contributions"] = [
        {"party": "amr", "name": "市场监管局"},
        {"party": "fire", "name": "消防", "office": True},
    ]
    with town.database.writing() as session:
        for role in (Role.DISPATCHER, Role.AUDITOR):
            session.add(User(username=role.value, name=role.value, role=role, created_at=NOW))
        planning.create_from(session, document, actor=DISPATCHER, now=NOW)
    yield Desk(town)
    with town.database.writing() as session:
        session.execute(delete(ContributionRow))
        session.execute(delete(DrawRow))
        for table in (PlanVersion, TaskRow, Join):
            session.execute(delete(table).where(col(table.plan_id) != town.plan))
        session.execute(update(PlanRow).values(copied_from=None))
        session.execute(delete(PlanRow).where(col(PlanRow.id) != town.plan))
        for emptied in (Job, Outbox, Activity, User, PolicyRow):
            session.execute(delete(emptied))


# --- the draft ----------------------------------------------------------------------------------------------------


def test_every_version_of_a_draft_stays(desk: Desk) -> None:
    with desk.writing() as session:
        plan = session.get_one(PlanRow, PLAN)
        changed = copy.deepcopy(plan.document) | {"caps": {"daily": 3}}
        before = plan.version
        planning.edit_plan(session, PLAN, 1, changed, actor=DISPATCHER, now=NOW, title="十月")
        assert (plan.title, plan.document_version, plan.version > before) == ("十月", 2, True)
        versions = [row for row in plan_versions(session, PLAN, DISPATCHER) if row.subject == "plan"]
    assert [(row.version, row.document.get("caps", {}).get("daily")) for row in versions] == [(2, 3), (1, 2)]


def test_an_edit_of_an_older_version_is_refused(desk: Desk) -> None:
    with desk.writing() as session:
        document = session.get_one(PlanRow, PLAN).document
        planning.edit_plan(session, PLAN, 1, document, actor=DISPATCHER, now=NOW)
    with desk.writing() as session, pytest.raises(StaleError):
        planning.edit_plan(session, PLAN, 1, document, actor=DISPATCHER, now=NOW)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"plan": {"id": "other"}}, "plan-id"),
        ({"plan": {"authority": "wuhan"}}, "authority-differs"),
        ({"pollicy": {}}, "plan-table-unknown"),
        ({"plan": {"period": "soon"}}, "plan-form"),
        ({"plan": []}, "plan-form"),
        ({"contributions": {"party": "amr"}}, "plan-form"),
        ({"districts": 5}, "plan-form"),
        ({"tasks": ["x"]}, "plan-form"),
        ({"log": [1]}, "plan-form"),
        ({"plan": {"authority_name": "a\0b"}}, "text-invalid"),
        ({"plan": {"authority_name": "\ud800"}}, "text-invalid"),
        ({"caps": {"daily": float("nan")}}, "text-invalid"),
        ({"caps": {"daily": [[[[[[[[1]]]]]]]]}}, "text-invalid"),
    ],
)
def test_a_draft_that_cannot_be_kept_is_refused(desk: Desk, change: Any, code: str) -> None:
    with desk.writing() as session, pytest.raises(RefusedError, match=code):
        planning.edit_plan(session, PLAN, 1, change, actor=DISPATCHER, now=NOW)


def test_a_plan_that_exists_or_is_no_toml_is_refused(desk: Desk) -> None:
    text = (desk.town.folder / "plan.toml").read_text("utf-8")
    with desk.writing() as session, pytest.raises(ConflictError, match="plan-exists"):
        planning.create_plan(session, text, actor=DISPATCHER, now=NOW)
    with desk.writing() as session, pytest.raises(RefusedError, match="plan-form"):
        planning.create_plan(session, "contributions = 5", actor=DISPATCHER, now=NOW)
    with desk.writing() as session, pytest.raises(InputError, match="plan-syntax"):
        planning.create_plan(session, "[plan", actor=DISPATCHER, now=NOW)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=5) | st.floats(-5, 5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(document=st.dictionaries(st.sampled_from(["plan", "days", "tasks", "beacon", "x"]), _JSON, max_size=4))
def test_whatever_is_kept_as_a_draft_can_be_written_as_toml(document: dict[str, Any]) -> None:
    try:
        require_plain(document)
    except RefusedError:
        return
    written = json_of(text_of(document))
    assert written == json_of(text_of(written))


# --- joining ------------------------------------------------------------------------------------------------------


def test_departments_have_two_working_days_and_a_weekend_does_not_count(desk: Desk) -> None:
    desk.invite("fire")
    assert desk.join("fire").deadline == datetime(2023, 8, 23, 16, 0, tzinfo=UTC)
    friday = datetime(2023, 8, 25, 1, 0, tzinfo=UTC)
    desk.invite("health", at=friday)
    assert desk.join("health").deadline == datetime(2023, 8, 29, 16, 0, tzinfo=UTC)
    assert desk.told("invitation") == ["department:fire", "department:health"]


def test_who_does_not_answer_is_reminded_and_then_left_out(desk: Desk) -> None:
    desk.invite("fire", "health")
    desk.confirm("health")
    desk.run_jobs(NOW + timedelta(days=1))
    assert desk.told("join-reminder") == []
    last_morning = datetime(2023, 8, 23, 1, 0, tzinfo=UTC)
    desk.run_jobs(last_morning)
    assert desk.told("join-reminder") == ["department:fire"]
    desk.run_jobs(desk.join("fire").deadline)
    assert (desk.join("fire").state, desk.join("health").state) == (JoinState.LEFT_OUT, JoinState.CONFIRMED)
    assert desk.told("join-left-out") == ["department:fire"]
    with desk.writing() as session, pytest.raises(ConflictError, match="join-closed"):
        joining.confirm(session, PLAN, "fire", desk.join("fire").version, actor=FIRE, now=NOW)


def test_who_was_left_out_can_be_invited_again_and_old_deadlines_do_nothing(desk: Desk) -> None:
    desk.invite("fire")
    first = desk.join("fire")
    desk.run_jobs(first.deadline)
    again = first.deadline + timedelta(hours=1)
    desk.invite("fire", at=again)
    assert desk.join("fire").state is JoinState.INVITED
    with desk.writing() as session:
        joining.leave_out(session, PLAN, "fire", first.invited_at, again)
    assert desk.join("fire").state is JoinState.INVITED
    desk.confirm("fire", again)
    assert desk.join("fire").state is JoinState.CONFIRMED


def test_a_department_declines_with_its_reason(desk: Desk) -> None:
    desk.invite("fire")
    with desk.writing() as session:
        join = joining.decline(session, PLAN, "fire", 1, "人手不足", actor=FIRE, now=NOW)
    assert (join.state, join.reason) == (JoinState.DECLINED, "人手不足")
    assert desk.told("join-declined") == ["role:dispatcher"]


def test_a_department_brings_tasks_seats_and_people_and_confirms(desk: Desk) -> None:
    desk.invite("fire")
    with desk.writing() as session:
        plan_tasks.put_task(session, PLAN, TASK, version=None, actor=FIRE, now=NOW)
        task = plan_tasks.put_task(
            session, PLAN, TASK | {"ratios": {"A": "5%"}}, version=1, actor=FIRE, now=NOW
        )
        assert (task.version, task.document["ratios"]) == (2, {"A": "5%"})
        joining.edit_join(
            session,
            PLAN,
            "fire",
            1,
            seats=[["leader"], [], []],
            inspectors=["fire-002", "fire-001"],
            actor=FIRE,
            now=NOW,
        )
    desk.confirm("fire")
    with desk.reading() as session:
        text = planning.plan_toml(session, PLAN)
        subjects = [(row.subject, row.version) for row in plan_versions(session, PLAN, FIRE)]
    document = json_of(text)
    assert {task["department"] for task in document["tasks"]} == {"fire"}
    assert {"id": "fire-x", "ratios": {"A": "5%"}}.items() <= next(
        task for task in document["tasks"] if task["id"] == "fire-x"
    ).items()
    seats = {row["id"]: row["seats"] for row in document["departments"]}
    assert (seats["fire"], seats["amr"]) == ([["leader"], [], []], [["leader"], []])
    assert ("task:fire-x", 2) in subjects
    assert ("join:fire", 3) in subjects


def test_a_department_touches_only_what_is_its_own(desk: Desk) -> None:
    desk.invite("fire")
    with desk.writing() as session:
        with pytest.raises(UnknownError, match="unknown-plan"):
            plan_tasks.put_task(session, PLAN, TASK, version=None, actor=HEALTH, now=NOW)
        with pytest.raises(ForbiddenError, match="task-not-yours"):
            plan_tasks.put_task(
                session, PLAN, TASK | {"department": "amr"}, version=None, actor=FIRE, now=NOW
            )
        with pytest.raises(ForbiddenError, match="task-not-yours"):
            plan_tasks.remove_task(session, PLAN, "amr-food", 1, actor=FIRE, now=NOW)
        with pytest.raises(UnknownError, match="unknown-join"):
            joining.confirm(session, PLAN, "fire", 1, actor=AMR, now=NOW)
        with pytest.raises(RefusedError, match="inspector-unknown"):
            joining.edit_join(
                session, PLAN, "fire", 1, seats=None, inspectors=["amr-001"], actor=FIRE, now=NOW
            )


def test_a_department_without_a_task_cannot_confirm(desk: Desk) -> None:
    desk.invite("urban")
    with desk.writing() as session:
        for task in tasks_of(session, PLAN):
            if task.department_id == "urban":
                plan_tasks.remove_task(session, PLAN, task.id, 1, actor=DISPATCHER, now=NOW)
    with pytest.raises(RefusedError, match="join-without-tasks"):
        desk.confirm("urban")


def test_who_has_confirmed_is_asked_again_when_somebody_else_changes_its_task(desk: Desk) -> None:
    desk.invite("fire")
    desk.confirm("fire")
    with desk.writing() as session:
        task = plan_tasks.task_of(session, PLAN, "fire-premises", FIRE)
        row = {"id": task.id, "department": "fire", **task.document, "frequency": 2}
        plan_tasks.put_task(session, PLAN, row, version=1, actor=FIRE, now=NOW)
    assert desk.join("fire").state is JoinState.CONFIRMED
    later = NOW + timedelta(hours=1)
    with desk.writing() as session:
        plan_tasks.put_task(session, PLAN, row | {"frequency": 3}, version=2, actor=DISPATCHER, now=later)
    assert desk.join("fire").state is JoinState.INVITED


def test_nothing_changes_any_more_after_the_announcement(desk: Desk) -> None:
    desk.invite("fire")
    with desk.writing() as session:
        session.execute(update(PlanRow).where(col(PlanRow.id) == PLAN).values(state=PlanState.ANNOUNCED))
    changes: list[Callable[[Session], Any]] = [
        lambda session: planning.edit_plan(session, PLAN, 1, {}, actor=DISPATCHER, now=NOW),
        lambda session: joining.invite(session, PLAN, ["amr"], actor=DISPATCHER, now=NOW),
        lambda session: joining.confirm(session, PLAN, "fire", 1, actor=FIRE, now=NOW),
        lambda session: joining.decline(session, PLAN, "fire", 1, "no", actor=FIRE, now=NOW),
        lambda session: plan_tasks.put_task(session, PLAN, TASK, version=None, actor=FIRE, now=NOW),
        lambda session: plan_tasks.remove_task(session, PLAN, "amr-food", 1, actor=DISPATCHER, now=NOW),
        lambda session: commit(session, "amr"),
        lambda session: prerequisites(session, PLAN, DISPATCHER, NOW, log_password=True),
    ]
    for change in changes:
        with desk.writing() as session, pytest.raises(ConflictError, match="plan-announced"):
            change(session)
    desk.run_jobs(desk.join("fire").deadline)
    assert desk.join("fire").state is JoinState.INVITED


# --- contributions ------------------------------------------------------------------------------------------------

NONCE = "ab" * 32
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))


def commit(
    session: Session, party: str, draw: str = "yunxi-2023-000001", actor: Actor = DISPATCHER, **changed: str
) -> ContributionRow:
    commitment = commitment_of(draw, party, NONCE, suite_digest("sha256"))
    signature = KEY.sign(contribution_statement(draw, party, commitment))
    given_ = {
        "draw": draw,
        "key": public_text(KEY),
        "commitment": commitment,
        "signature": base64.b64encode(signature).decode(),
    }
    return contributing.commit(session, PLAN, party, **{**given_, **changed}, actor=actor, now=NOW)


def announce(session: Session, draw: str = "yunxi-2023-000001") -> None:
    plan = session.get_one(PlanRow, PLAN)
    plan.state = PlanState.ANNOUNCED
    due = NOW + timedelta(days=5)
    times: dict[str, Any] = dict.fromkeys(("reveal_by", "result_by", "findings_by"), due - timedelta(hours=1))
    session.add(
        DrawRow(
            id=draw,
            plan_id=PLAN,
            revisions={},
            announcement="x",
            announced_at=NOW,
            due=due,
            summary={},
            **times,
        )
    )
    session.flush()


def test_a_signed_commitment_goes_into_the_plan_of_the_draw_that_it_names(desk: Desk) -> None:
    with desk.writing() as session:
        before = session.get_one(PlanRow, PLAN).version
        row = commit(session, "amr", actor=AMR)
        assert commit(session, "amr", actor=AMR).version == row.version == 1
        assert session.get_one(PlanRow, PLAN).version == before + 1
        rows = {one["party"]: one for one in json_of(planning.plan_toml(session, PLAN))["contributions"]}
    assert rows["amr"]["commitment"] == row.commitment
    assert rows["fire"] == {"party": "fire", "name": "消防"}


@pytest.mark.parametrize(
    ("changed", "code"),
    [
        ({"draw": "yunxi-2023-000002"}, "contribution-other-draw"),
        ({"commitment": "0" * 64}, "contribution-not-signed"),
        ({"commitment": "A" * 64}, "commitment-form"),
        ({"key": "AAAA"}, "contribution-not-signed"),
        ({"signature": "not base64"}, "contribution-not-signed"),
    ],
)
def test_a_commitment_that_is_not_its_partys_for_this_draw_is_refused(
    desk: Desk, changed: Any, code: str
) -> None:
    with desk.writing() as session, pytest.raises(RefusedError, match=code):
        commit(session, "amr", **changed)


def test_a_party_speaks_for_itself_only(desk: Desk) -> None:
    with desk.writing() as session:
        with pytest.raises(UnknownError, match="unknown-party"):
            commit(session, "amr", actor=FIRE)
        with pytest.raises(UnknownError, match="unknown-party"):
            commit(session, "water")
        with pytest.raises(ForbiddenError):
            commit(session, "amr", actor=Actor("user:auditor", "auditor"))


def test_after_a_void_the_commitment_has_to_be_made_anew(desk: Desk) -> None:
    with desk.writing() as session:
        commit(session, "amr")
        announce(session)
        session.execute(update(DrawRow).values(state=DrawState.VOID))
        plan = session.get_one(PlanRow, PLAN)
        plan.state = PlanState.INVITING
        session.flush()
        assert contributing.next_draw(session, plan) == "yunxi-2023-000002"
        assert "commitment" not in planning.plan_toml(session, PLAN)
    assert ("contribution-missing", "department:amr") in desk.codes()


def test_who_withdrew_from_a_voided_draw_is_in_the_next_one_only_when_invited_again(desk: Desk) -> None:
    desk.invite("fire", "health")
    for department in ("fire", "health"):
        desk.confirm(department)
    with desk.writing() as session:
        session.execute(
            update(Join)
            .where(col(Join.plan_id) == PLAN, col(Join.department_id) == "fire")
            .values(state=JoinState.WITHDRAWN)
        )
        tasks = json_of(planning.plan_toml(session, PLAN))["tasks"]
    assert {task["department"] for task in tasks} == {"health"}
    desk.invite("fire")
    assert desk.join("fire").state is JoinState.INVITED


def test_a_nonce_is_taken_once_in_time_and_a_job_publishes_it(desk: Desk) -> None:
    with desk.writing() as session:
        commit(session, "amr")
        announce(session)
        row, job = contributing.reveal(session, "yunxi-2023-000001", "amr", NONCE, actor=AMR, now=NOW)
        assert (row.nonce, job.kind, job.subject) == (NONCE, "reveal", "yunxi-2023-000001")
        again, same = contributing.reveal(
            session, "yunxi-2023-000001", "amr", NONCE, actor=AMR, now=NOW + timedelta(days=9)
        )
        assert (again.version, same.id) == (row.version, job.id)


def test_a_nonce_that_is_late_or_another_one_is_refused_and_nothing_else_happens(desk: Desk) -> None:
    late = NOW + timedelta(days=5)
    with desk.writing() as session:
        commit(session, "amr")
        announce(session)
        for nonce, at, code in (("cd" * 32, NOW, "nonce-differs"), ("x", NOW, "nonce-form")):
            with pytest.raises(RefusedError, match=code):
                contributing.reveal(session, "yunxi-2023-000001", "amr", nonce, actor=AMR, now=at)
        with pytest.raises(ConflictError, match="reveal-too-late"):
            contributing.reveal(session, "yunxi-2023-000001", "amr", NONCE, actor=AMR, now=late)
        with pytest.raises(UnknownError, match="unknown-party"):
            contributing.reveal(session, "yunxi-2023-000001", "fire", NONCE, actor=FIRE, now=NOW)
        (row,) = contributing.contributions(session, PLAN, "yunxi-2023-000001")
    assert row.nonce is None


# --- what still blocks --------------------------------------------------------------------------------------------


def test_every_point_says_who_must_act(desk: Desk) -> None:
    assert {
        ("no-department-joined", "dispatcher"),
        ("contribution-missing", "department:amr"),
        ("inputs-unchecked", "dispatcher"),
    } <= desk.codes()
    desk.invite("amr", "fire", "health")
    desk.confirm("amr")
    desk.confirm("health")
    codes = desk.codes()
    assert ("join-unanswered", "department:fire") in codes
    assert not {code for code, _ in codes} & {"no-department-joined"}
    assert {point.code for point in desk.points(FIRE).points} == {"join-unanswered"}
    # nothing is left for it to do, and still the plan is not ready
    assert desk.points(AMR).points[0].code == "contribution-missing"
    assert (desk.points(HEALTH).points, desk.points(HEALTH).is_ready) == ((), False)
    for point in desk.points().points:
        assert point.message_zh
        assert point.message_en
        assert point.remedy_zh
        assert point.remedy_en


def test_a_checked_plan_that_everybody_has_joined_is_ready_until_something_changes(desk: Desk) -> None:
    desk.invite("amr", "fire", "health", "urban")
    for department in ("amr", "fire", "health", "urban"):
        desk.confirm(department)
    with desk.writing() as session:
        commit(session, "amr")
        checking.check(session, PLAN, DISPATCHER, NOW)
    desk.run_jobs(NOW)
    assert desk.codes() == {("backup-missing", "operator")}
    with desk.writing() as session:
        state_backup(session, DISPATCHER, NOW - timedelta(days=8), keeper="信息中心")
    found = desk.points()
    assert [point for point in found.points if point.severity == "blocks"] == []
    assert found.is_ready
    assert found.checked is not None
    assert found.checked.result is not None
    assert found.checked.result["frame"] > 400
    assert "backup-old" in {point.code for point in found.points}
    with desk.writing() as session:
        same = checking.check(session, PLAN, DISPATCHER, NOW)
        assert same.id == found.checked.id
        document = session.get_one(PlanRow, PLAN).document
        planning.edit_plan(session, PLAN, 1, document, actor=DISPATCHER, now=NOW)
    assert desk.codes() == {("inputs-unchecked", "dispatcher")}


def test_what_does_not_fit_together_is_found_before_announcing_with_its_owner(desk: Desk) -> None:
    desk.invite("amr", "fire", "health", "urban")
    with desk.writing() as session:
        task = TASK | {"items": ["crowded-places", "no-such-item"], "ratios": dict.fromkeys("ABCD", "2%")}
        plan_tasks.put_task(session, PLAN, task, version=None, actor=FIRE, now=NOW)
        commit(session, "amr")
    for department in ("amr", "fire", "health", "urban"):
        desk.confirm(department)
    with desk.writing() as session:
        checking.check(session, PLAN, DISPATCHER, NOW)
        state_backup(session, DISPATCHER, NOW, keeper="信息中心")
    desk.run_jobs(NOW)
    (point,) = (point for point in desk.points().points if point.severity == "blocks")
    assert (point.code, point.value, point.where) == ("item-not-listed", "no-such-item", "libraries/items")


def test_a_mistake_in_a_task_is_its_departments_to_correct(desk: Desk) -> None:
    desk.invite("fire")
    with desk.writing() as session:
        plan_tasks.put_task(
            session, PLAN, TASK | {"ratios": {"A": "300%"}}, version=None, actor=FIRE, now=NOW
        )
    desk.confirm("fire")
    found = [point for point in desk.points(FIRE).points if point.where.startswith("plan/tasks")]
    assert found
    assert {point.who for point in found} == {"department:fire"}


def test_beacon_and_number_must_lie_ahead(desk: Desk) -> None:
    desk.invite("amr", "fire", "health", "urban")
    for department in ("amr", "fire", "health", "urban"):
        desk.confirm(department)
    with desk.writing() as session:
        plan = session.get_one(PlanRow, PLAN)
        plan.document = copy.deepcopy(plan.document)
        plan.document["plan"]["number"] = 3
        session.add(plan)
    points = {point.code: point for point in desk.points(at=datetime(2023, 8, 31, tzinfo=UTC)).points}
    assert points["beacon-past"].severity == "blocks"
    assert "1" in points["draw-number"].remedy_en
    assert "beacon-past" not in {point.code for point in desk.points().points}


def test_one_person_alone_cannot_announce(desk: Desk) -> None:
    with desk.writing() as session:
        session.execute(delete(User).where(col(User.username) == "auditor"))
    assert ("second-person-missing", "operator") in desk.codes()


# --- copies, templates, policies ----------------------------------------------------------------------------------


def test_a_copy_is_the_next_months_plan_with_the_next_number_and_nobody_joined(desk: Desk) -> None:
    now = datetime(2023, 9, 20, 1, 0, tzinfo=UTC)
    with desk.writing() as session:
        made = plan_copies.copy_plan(session, PLAN, actor=DISPATCHER, now=now)
        text = planning.plan_toml(session, made.id, None)
        tasks = [task.id for task in tasks_of(session, made.id)]
        assert tasks == [task.id for task in tasks_of(session, PLAN)]
    assert (made.id, made.copied_from, made.state) == ("2023-10", PLAN, PlanState.DRAFT)
    assert made.document["plan"]["period"] == {"start": "2023-10-01", "end": "2023-10-31"}
    assert made.document["plan"]["number"] == 2
    assert [row.get("office", False) for row in made.document["contributions"]] == [False, True]
    with desk.reading() as session:
        read = plan_copies.read_back(session, text).plan
    assert read is not None
    assert read.months_left == 3


def test_a_template_has_what_occurs_in_the_libraries(desk: Desk) -> None:
    with desk.writing() as session:
        document = plan_copies.template(session, NOW)
        document["plan"]["id"] = "2023-12"
        made = planning.create_from(session, document, actor=DISPATCHER, now=NOW)
        departments = {task.department_id for task in tasks_of(session, made.id)}
    assert document["plan"]["authority"] == "yunxi"
    assert departments == {"amr", "fire", "health", "urban"}


POLICY = """
[policy]
id = "yunxi-rest"
version = "1"
name = "云溪规定"
level = "city"
authority = "云溪县"
valid_from = 2023-01-01
[[rules]]
id = "cap"
kind = "annual-cap"
source = "云溪规 2023 年 1 号"
times = 2
"""


def test_policies_are_kept_in_versions_and_cited_by_plans(desk: Desk) -> None:
    with desk.writing() as session:
        first = policies.upload(session, POLICY.encode(), actor=DISPATCHER, now=NOW)
        assert (
            policies.upload(session, POLICY.encode(), actor=DISPATCHER, now=NOW, base=1).number
            == first.number
            == 1
        )
        with pytest.raises(StaleError):
            policies.upload(
                session, POLICY.replace("times = 2", "times = 3").encode(), actor=DISPATCHER, now=NOW
            )
        second = policies.upload(
            session, POLICY.replace("times = 2", "times = 3").encode(), actor=DISPATCHER, now=NOW, base=1
        )
        assert [row.number for row in policies.versions(session, "yunxi-rest")] == [2, 1]
        assert [row.number for row in policies.current(session)] == [2]
        document = copy.deepcopy(session.get_one(PlanRow, PLAN).document)
        document["plan"]["policies"] = ["yunxi-rest"]
        planning.edit_plan(session, PLAN, 1, document, actor=DISPATCHER, now=NOW)
        files = planning.inputs_of(session, desk.town.vault, PLAN, {})
        assert files["policies/yunxi-rest.toml"] == second.content.encode()
        policies.withdraw(session, "yunxi-rest", 2, actor=DISPATCHER, now=NOW)
        assert policies.current(session) == []
    assert ("plan-policy-unknown", "dispatcher") in desk.codes()


def test_a_policy_with_mistakes_is_refused_with_all_of_them(desk: Desk) -> None:
    with desk.writing() as session, pytest.raises(InputError) as refused:
        policies.upload(
            session,
            POLICY.replace("times = 2", "").replace('"city"', '"town"').encode(),
            actor=DISPATCHER,
            now=NOW,
        )
    assert {found.code for found in refused.value.problems} >= {"policy-value-missing", "plan-choice"}
