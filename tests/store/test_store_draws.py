"""A draw that the database keeps: announced, drawn once, waiting through outages, voided, never torn between two servers."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlmodel import Session, col

from dualrandom.campaign import StateError
from dualrandom.relay import Attempt, Wanted
from dualrandom.store import activity, jobs
from dualrandom.store.activity import SERVICE, Actor
from dualrandom.store.announcing import Ready, announce_plan, change_log_key, cosign_draw, void_draw
from dualrandom.store.database import StaleError
from dualrandom.store.drawing import draw_now, give_evidence
from dualrandom.store.errors import ConflictError, UnknownError
from dualrandom.store.jobs import LEASE, LeaseLostError
from dualrandom.store.planning import create_plan
from dualrandom.store.tables import Activity, DrawRow, DrawState, Job, Outbox, PlanRow, PlanVersion, Visit
from dualrandom.store.workspace import Keeping, file_of, files_of, run
from dualrandom.verify import verify_record

DISPATCHER = Actor("user:dispatcher", "dispatcher")
NOW = datetime(2023, 8, 21, 1, 0, tzinfo=UTC)
ROUND_DUE = datetime(2023, 8, 23, 15, 59, 24, tzinfo=UTC)
AFTER = ROUND_DUE + timedelta(minutes=1)


@dataclass
class Story:
    """The town's draws on one database, in the order in which the tests of this module tell them."""

    keeping: Keeping
    evidence: bytes
    plan: str
    draw: str = ""
    second: str = ""

    def relay(self, wanted: Wanted) -> Attempt:
        assert wanted.round == "1000"
        return Attempt(self.evidence)

    def row(self, draw: str) -> DrawRow:
        with self.keeping.database.reading() as session:
            return session.get_one(DrawRow, draw)

    def told(self, kind: str) -> set[str]:
        with self.keeping.database.reading() as session:
            return set(session.scalars(select(col(Outbox.audience)).where(col(Outbox.kind) == kind)))

    def version(self) -> int:
        with self.keeping.database.reading() as session:
            return session.get_one(PlanRow, self.plan).version

    def job(self, kind: str, now: datetime) -> Job:
        found = jobs.claim(self.keeping.database, "test", now, [kind])
        assert found is not None
        return found


@pytest.fixture(scope="module")
def story(town: Any) -> Story:
    return Story(Keeping(town.database, town.vault), (town.folder / "beacon.json").read_bytes(), town.plan)


def silent(_wanted: Wanted) -> Attempt:
    return Attempt(None, (("https://relay", "没有应答", "no answer"),))


def public(story: Story, draw: str) -> dict[str, bytes]:
    with story.keeping.database.reading() as session:
        return {
            path.removeprefix("public/"): story.keeping.vault.opened(blob)
            for path, blob in files_of(session, draw)
            if path.startswith("public/")
        }


def test_a_plan_that_was_changed_after_it_was_approved_is_not_announced(story: Story) -> None:
    with pytest.raises(ConflictError, match="plan-changed"):
        announce_plan(story.keeping, Ready(story.plan, story.version() - 1), actor=DISPATCHER, now=NOW)
    with pytest.raises(UnknownError, match="unknown-plan"):
        announce_plan(story.keeping, Ready("2031-01", 1), actor=DISPATCHER, now=NOW)
    with story.keeping.database.reading() as session:
        assert session.scalars(select(DrawRow)).all() == []


def test_a_step_that_fails_leaves_nothing_behind(story: Story) -> None:
    ready = Ready(story.plan, story.version())
    with pytest.raises(StateError, match="round-already-known"):
        announce_plan(story.keeping, ready, actor=DISPATCHER, now=AFTER)
    with story.keeping.database.reading() as session:
        assert session.scalars(select(DrawRow)).all() == []
        assert session.get_one(PlanRow, story.plan).version == ready.version


def test_an_announced_plan_has_its_draw_its_documents_and_its_jobs(story: Story) -> None:
    story.draw = announce_plan(story.keeping, Ready(story.plan, story.version()), actor=DISPATCHER, now=NOW)
    row = story.row(story.draw)
    assert (row.state, row.due, row.plan_id) == (DrawState.ANNOUNCED, ROUND_DUE, story.plan)
    document = json.loads(public(story, story.draw)["announcement.json"])
    assert document["draw"] == story.draw
    with story.keeping.database.reading() as session:
        waiting = session.execute(
            select(col(Job.kind), col(Job.run_after)).where(col(Job.subject) == story.draw)
        )
        assert sorted(waiting.all()) == [("cosign", NOW), ("draw", ROUND_DUE + timedelta(seconds=5))]
        secret = file_of(session, story.keeping.vault, story.draw, "private/list-secret")
    assert secret is not None
    assert len(secret.strip()) == 64


def test_what_is_private_is_sealed_in_the_database(story: Story) -> None:
    with story.keeping.database.reading() as session:
        for path, blob in files_of(session, story.draw):
            assert blob.sealed is not path.startswith("public/"), path
            if blob.sealed and blob.size > 100:
                assert story.keeping.vault.opened(blob)[:50] not in blob.content


def test_it_cannot_be_announced_twice(story: Story) -> None:
    with pytest.raises(ConflictError, match="plan-changed"):
        announce_plan(story.keeping, Ready(story.plan, story.version()), actor=DISPATCHER, now=NOW)


def test_two_servers_that_take_a_step_at_once_do_not_both_keep_it(story: Story) -> None:
    def slow(folder: Path) -> str:
        # meanwhile another server cosigns, which changes the log
        cosign_draw(story.keeping, story.draw, now=NOW, job=story.job("cosign", NOW))
        (folder / "public/stray.json").write_bytes(b"{}")
        return "late"

    kept: list[str] = []
    with pytest.raises(StaleError):
        run(story.keeping, story.draw, slow, after=lambda _session, result, _folder: kept.append(result))
    assert kept == []
    assert "stray.json" not in public(story, story.draw)
    assert "announced.checkpoint" in public(story, story.draw)


def test_a_voided_draw_keeps_its_number_and_the_next_one_names_it(story: Story) -> None:
    void_draw(story.keeping, story.draw, "名录有误", actor=DISPATCHER, now=NOW)
    assert (story.row(story.draw).state, story.row(story.draw).void_reason) == (DrawState.VOID, "名录有误")
    assert {"role:auditor", "role:dispatcher", "department:amr"} <= story.told("void")
    with pytest.raises(StateError, match="draw-is-void"):
        void_draw(story.keeping, story.draw, "again", actor=DISPATCHER, now=NOW)
    overtaken = draw_now(
        story.keeping, story.draw, now=AFTER, job=story.job("draw", AFTER), fetch=story.relay
    )
    assert overtaken is None
    story.second = announce_plan(
        story.keeping, Ready(story.plan, story.version()), actor=DISPATCHER, now=NOW + timedelta(hours=1)
    )
    assert story.second != story.draw
    files = public(story, story.second)
    assert json.loads(files["announcement.json"])["voids"] == [story.draw]
    assert f"voided/{story.draw}/void.json" in files
    cosign_draw(story.keeping, story.second, now=NOW, job=story.job("cosign", NOW + timedelta(hours=1)))


def test_a_draw_waits_through_an_outage_and_alarms_once_at_its_deadline(story: Story) -> None:
    row = story.row(story.second)
    for now in (AFTER, row.result_by + timedelta(minutes=1), row.result_by + timedelta(minutes=5)):
        job = story.job("draw", now)
        assert draw_now(story.keeping, story.second, now=now, job=job, fetch=silent) is None
        with story.keeping.database.reading() as session:
            again = session.get_one(Job, job.id)
            alarms = session.scalars(select(Outbox).where(col(Outbox.kind) == "alarm")).all()
        assert (again.state, again.run_after) == ("queued", now + timedelta(seconds=30))
        assert len(alarms) == (0 if now == AFTER else 1)
    assert story.row(story.second).state is DrawState.ANNOUNCED


def test_evidence_of_another_round_or_a_forged_one_is_refused(story: Story) -> None:
    other = json.loads(story.evidence) | {"round": 1001}
    forged = json.loads(story.evidence) | {"signature": "a" * 96}
    for wrong, code in ((other, "beacon-file"), (forged, "beacon-forged")):
        with story.keeping.database.writing() as session, pytest.raises(Exception, match=code):
            give_evidence(
                session,
                story.keeping,
                story.second,
                json.dumps(wrong).encode(),
                actor=DISPATCHER,
                now=AFTER,
            )


def test_evidence_that_comes_while_the_relays_are_asked_is_not_waited_for(story: Story) -> None:
    late = story.row(story.second).result_by + timedelta(hours=1)

    def brought_meanwhile(_wanted: Wanted) -> Attempt:
        with story.keeping.database.writing() as session:
            give_evidence(session, story.keeping, story.second, story.evidence, actor=DISPATCHER, now=late)
        return Attempt(None)

    job = story.job("draw", late)
    assert draw_now(story.keeping, story.second, now=late, job=job, fetch=brought_meanwhile) is None
    with story.keeping.database.reading() as session:
        assert session.get_one(Job, job.id).run_after == late


def test_a_runner_that_lost_its_lease_publishes_nothing(story: Story) -> None:
    late = story.row(story.second).result_by + timedelta(hours=1)
    dead = story.job("draw", late)
    other = story.job("draw", late + LEASE + timedelta(seconds=1))
    assert (other.id, other.fence) == (dead.id, dead.fence + 1)
    with pytest.raises(LeaseLostError):
        draw_now(story.keeping, story.second, now=late, job=dead, fetch=silent)
    assert story.row(story.second).state is DrawState.ANNOUNCED
    drawn = draw_now(story.keeping, story.second, now=late, job=other, fetch=silent)
    assert drawn is not None
    assert story.row(story.second).result == drawn.digest


def test_the_published_record_verifies_and_its_visits_are_kept(story: Story) -> None:
    report = verify_record(public(story, story.second))
    assert [check for check in report.checks if check.status == "FAIL"] == []
    totals = json.loads(public(story, story.second)["result.json"])["totals"]
    with story.keeping.database.reading() as session:
        visits = session.scalar(
            select(func.count()).select_from(Visit).where(col(Visit.draw_id) == story.second)
        )
    assert visits == totals["visits"] == story.row(story.second).summary["visits"]


def test_a_draw_with_a_result_takes_no_evidence_and_no_void(story: Story) -> None:
    with story.keeping.database.writing() as session, pytest.raises(ConflictError, match="draw-ended"):
        give_evidence(session, story.keeping, story.second, story.evidence, actor=DISPATCHER, now=AFTER)
    with pytest.raises(StateError, match="result-published"):
        void_draw(story.keeping, story.second, "we do not like it", actor=DISPATCHER, now=AFTER)


def test_a_plan_gets_the_number_that_is_next_and_its_history_says_so(story: Story, town: Any) -> None:
    text = (town.folder / "plan.toml").read_text("utf-8")
    text = text.replace('id = "2023-09"', 'id = "later"').replace("number = 1\n", "number = 7\n")
    with story.keeping.database.writing() as session:
        plan = create_plan(session, text, actor=DISPATCHER, now=NOW, joined=True)
        version = plan.version
    third = announce_plan(story.keeping, Ready("later", version), actor=DISPATCHER, now=NOW)
    assert (story.draw[-1], story.second[-1], third[-1]) == ("1", "2", "3")
    with story.keeping.database.reading() as session:
        kept = session.scalars(
            select(PlanVersion)
            .where(col(PlanVersion.plan_id) == "later", col(PlanVersion.subject) == "plan")
            .order_by(col(PlanVersion.version))
        ).all()
    assert [one.document["plan"]["number"] for one in kept] == [7, 3]


def test_the_log_goes_on_under_a_new_key(story: Story) -> None:
    key = change_log_key(story.keeping, reason=None, actor=DISPATCHER, now=AFTER)
    revoked = change_log_key(story.keeping, reason="stolen laptop", actor=DISPATCHER, now=AFTER)
    assert key == revoked
    with story.keeping.database.reading() as session:
        done = session.scalars(select(Activity).order_by(col(Activity.id).desc()).limit(2)).all()
    assert [row.action for row in done] == ["log-key-revoked", "log-key-rotated"]


def test_every_step_stands_in_an_unbroken_activity_log(story: Story) -> None:
    with story.keeping.database.reading() as session:
        actions = session.scalars(select(col(Activity.action)).order_by(col(Activity.id))).all()
        assert list(activity.faults(session)) == []
    told = [action for action in actions if action in {"announce", "cosign", "void", "beacon", "draw"}]
    assert told == ["announce", "cosign", "void", "announce", "cosign", "beacon", "draw", "announce"]


@pytest.mark.parametrize("lie", ["detail", "actor", "digest"])
def test_a_changed_activity_is_found(story: Story, lie: str) -> None:
    changes: dict[str, Callable[[Any], Any]] = {
        "detail": lambda row: {**row.detail, "reason": "another"},
        "actor": lambda _row: "user:somebody",
        "digest": lambda _row: "0" * 64,
    }
    with Session(story.keeping.database.engine) as session:
        row = session.get_one(Activity, 3)
        setattr(row, lie, changes[lie](row))
        session.add(row)
        session.flush()
        assert 3 in list(activity.faults(session))
        session.rollback()


def test_nobody_can_add_an_activity_at_the_same_number(story: Story) -> None:
    with story.keeping.database.writing() as session:
        first = activity.record(session, SERVICE, "test", "one", AFTER)
        second = activity.record(session, SERVICE, "test", "two", AFTER)
    assert second.previous == first.digest
    assert second.id == first.id + 1
