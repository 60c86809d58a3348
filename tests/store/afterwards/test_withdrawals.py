"""A department that withdraws after the announcement: a row of the record, its crews unfilled, nobody else moves, everybody is told."""

import contextlib
import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from dualrandom.changes import read_rows
from dualrandom.errors import DualRandomError
from dualrandom.store.activity import Actor
from dualrandom.store.amendments import list_amendments
from dualrandom.store.attachments import attach
from dualrandom.store.blobs import Vault
from dualrandom.store.changes import Exclusion, ask_exclusion
from dualrandom.store.deadlines import raise_alarms, statistics_of
from dualrandom.store.errors import ConflictError, ForbiddenError, RefusedError
from dualrandom.store.findings import Entry, enter
from dualrandom.store.fsck import database_faults
from dualrandom.store.later import make_later
from dualrandom.store.listings import VISITS, visit_rows
from dualrandom.store.publishing import ask_publication
from dualrandom.store.tables import Activity, CrewSeat, Job, Join, Outbox
from dualrandom.store.visit_lists import VisitFilter, VisitView, list_visits
from dualrandom.store.withdrawals import Withdrawal, ask_withdrawal, waiting_withdrawals
from dualrandom.verify import read_auditor, read_public, verify_record

DISPATCHER = Actor("user:dispatcher", "dispatcher")
FIRE = Actor("user:fire", "department", "fire")
# round 1000 is due at 15:59:24, so that an exclusion a second later is decided by round 1001
EXCLUDED = datetime(2023, 8, 23, 15, 59, 25, tzinfo=UTC)
LATER = datetime(2023, 8, 25, 8, tzinfo=UTC)
AFTER = datetime(2023, 10, 2, 2, tzinfo=UTC)


def views(drawn: Any, **wanted: Any) -> list[VisitView]:
    with drawn.database.reading() as session:
        return list_visits(session, DISPATCHER, VisitFilter(draw=drawn.draw, **wanted), limit=500)[0]


def ask(drawn: Any, wanted: Withdrawal, actor: Actor = DISPATCHER, now: datetime = LATER) -> Job:
    with drawn.database.writing() as session:
        return ask_withdrawal(session, drawn.vault, drawn.draw, wanted, actor=actor, now=now)


def rows_of(drawn: Any) -> list[dict[str, Any]]:
    with drawn.database.reading() as session:
        return [row.document for row in list_amendments(session, drawn.draw)]


def verified(drawn: Any, folder: Path) -> Path:
    laid: Path = drawn.folder(folder)
    for auditor in (None, read_auditor(laid)):
        report = verify_record(read_public(laid / "public"), auditor)
        assert [(c.name, c.reason_en) for c in report.checks if c.status == "FAIL"] == []
    assert database_faults(drawn.database, drawn.vault) == ()
    return laid


def middle_day(drawn: Any, department: str) -> date:
    """A day on which the department has crews, with others before it and later."""
    days = sorted({one.visit.date for one in views(drawn, department=department) if one.visit.date})
    assert len(days) > 2
    return days[len(days) // 2]


def test_what_is_evidently_impossible_is_refused_at_once(drawn: Any) -> None:
    day = middle_day(drawn, "fire")
    refused = {
        "change-reason": Withdrawal("fire", "no-time"),
        "not-in-the-draw": Withdrawal("navy", "reorganised"),
        "day-not-announced": Withdrawal("fire", "reorganised", date(2023, 12, 1)),
        "unknown-attachment": Withdrawal("fire", "reorganised", evidence="0" * 64),
    }
    for code, wanted in refused.items():
        with pytest.raises(DualRandomError, match=code):
            ask(drawn, wanted)
    with pytest.raises(ForbiddenError, match="foreign-department"):
        ask(drawn, Withdrawal("health", "reorganised"), FIRE)
    with pytest.raises(ConflictError, match="withdrawal-too-early"):
        ask(drawn, Withdrawal("fire", "reorganised", day), now=datetime(2023, 10, 2, tzinfo=UTC))
    with pytest.raises(ConflictError, match="no-crew-left"):
        ask(drawn, Withdrawal("fire", "reorganised"), now=datetime(2024, 1, 2, tzinfo=UTC))
    with pytest.raises(RefusedError, match="reason-missing"):
        ask(drawn, Withdrawal("fire", "reorganised", note="x" * 401))
    assert rows_of(drawn) == []


def test_a_withdrawal_from_a_day_on_is_a_row_of_the_record_and_nobody_else_moves(
    drawn: Any, tmp_path: Path
) -> None:
    before = views(drawn)
    result = (drawn.folder(tmp_path / "before") / "public/result.json").read_bytes()
    day = middle_day(drawn, "fire")
    with drawn.database.writing() as session:
        letter = attach(session, drawn.vault, "a.pdf", "application/pdf", b"letter", actor=FIRE, now=LATER)
    wanted = Withdrawal("fire", "ordered-elsewhere", day, letter.sha256, "支援外地专项行动")
    job = ask(drawn, wanted, FIRE)
    with pytest.raises(ConflictError, match="already-withdrawn"):
        ask(drawn, wanted)
    with drawn.database.reading() as session:
        assert [one.id for one in waiting_withdrawals(session, drawn.draw)] == [job.id]
    assert [one.id for one in drawn.do(LATER, "change")] == [job.id]
    with pytest.raises(ConflictError, match="already-withdrawn"):
        ask(drawn, wanted)

    laid = verified(drawn, tmp_path / "after")
    assert verify_record(read_public(laid / "public")).status("changes") == "PASS"
    assert (laid / "public/result.json").read_bytes() == result
    assert not (laid / "public/amendments").exists()
    (row,) = read_rows((laid / "public/changes.jsonl").read_bytes())
    assert [row[name] for name in ("type", "department", "reason", "from", "evidence")] == [
        "withdraw",
        "fire",
        "ordered-elsewhere",
        day.isoformat(),
        letter.sha256,
    ]
    assert rows_of(drawn) == [row]
    published = b"".join(read_public(laid / "public").values())
    assert "支援外地".encode() not in published
    with drawn.database.reading() as session:
        details = session.scalars(
            select(col(Activity.detail)).where(col(Activity.action) == "ask-withdrawal")
        )
        assert [detail["note"] for detail in details] == ["支援外地专项行动"]
        joins = session.scalars(select(Join).where(col(Join.department_id) == "fire"))
        assert [join.state.value for join in joins] == ["withdrawn"]
        seated = set(session.scalars(select(col(CrewSeat.check_id))))
        cells = [
            dict(zip((h.name for h in VISITS), each, strict=True))
            for each in visit_rows(session, DISPATCHER, drawn.draw)
        ]
        counted = statistics_of(session, drawn.draw)

    emptied = set()
    crews: set[str] = set()
    for old, new in zip(before, views(drawn), strict=True):
        for was, now_ in zip(old.checks, new.checks, strict=True):
            if was.check.department_id == "fire" and old.visit.date is not None and old.visit.date >= day:
                assert (now_.check.unfilled, now_.check.crew, now_.crew) == ("ordered-elsewhere", [], ())
                assert was.check.id not in seated
                emptied.add(old.visit.id)
                crews |= {f"inspector:{person.code}" for one in old.checks for person in one.crew}
            else:
                assert now_ == was
        alone = {one.check.department_id for one in old.checks} == {"fire"} and old.visit.id in emptied
        assert new.visit.state == ("unfilled" if alone else old.visit.state)
    assert (
        0
        < len(emptied)
        < len([one for one in before if any(c.check.department_id == "fire" for c in one.checks)])
    )
    assert counted["changes"] == {"withdraw": 1}
    assert counted["unfilled"] == {"ordered-elsewhere": len(emptied)}
    assert {cell["unfilled"] for cell in cells} == {"", "执行上级专项任务"}
    assert crews | {"department:fire", "role:dispatcher", "role:auditor"} <= drawn.messages("withdraw").keys()

    # nobody was there, so nothing was found
    unfilled = next(one for one in views(drawn) if one.visit.id in emptied)
    check = next(one.check for one in unfilled.checks if one.check.unfilled)
    entry = Entry(check.task, check.items[0], "1", "on-site", unfilled.visit.date or date.min)
    with drawn.database.writing() as session, pytest.raises(DualRandomError, match="finding-undated"):
        enter(session, unfilled.visit.id or 0, [entry], actor=DISPATCHER, now=AFTER)


def test_the_rest_of_the_draw_is_carried_out_and_closes(drawn: Any, tmp_path: Path) -> None:
    with drawn.database.writing() as session:
        # nothing is owed for crews that are not there
        raise_alarms(session, datetime(2023, 12, 20, 2, tzinfo=UTC))
    fire_only = {
        one.visit.id
        for one in views(drawn, state="unfilled")
        if {c.check.department_id for c in one.checks} == {"fire"}
    }
    for view in views(drawn):
        entries = [
            Entry(one.check.task, item, "1", "on-site", view.visit.date or date.min)
            for one in view.checks
            if not one.check.unfilled
            for item in one.check.items
        ]
        if entries and view.visit.date is not None:
            with drawn.database.writing() as session:
                enter(session, view.visit.id or 0, entries, actor=DISPATCHER, now=AFTER)
    with drawn.database.writing() as session:
        ask_publication(session, drawn.draw, department=None, actor=DISPATCHER, now=AFTER)
    assert [job.kind for job in drawn.do(AFTER, "findings", "close")] == ["findings", "close"]
    assert {one.visit.id for one in views(drawn, state="unfilled")} == fire_only
    laid = verified(drawn, tmp_path / "closed")
    report = verify_record(read_public(laid / "public"))
    assert report.status("findings") == "PASS"
    with pytest.raises(ConflictError, match="draw-not-open"):
        ask(drawn, Withdrawal("health", "reorganised"), now=AFTER)


@pytest.fixture
def left_early(open_town: Callable[..., Any], vault: Vault) -> Any:
    def leave(database: Any, draw: str) -> None:
        with database.writing() as session:
            wanted = Withdrawal("fire", "reorganised", note="机构改革")
            ask_withdrawal(session, vault, draw, wanted, actor=FIRE, now=LATER - timedelta(days=3))

    return open_town(lambda text: text, leave)


def test_who_withdraws_before_the_draw_is_drawn_as_announced_and_leaves_right_after_the_publication(
    left_early: Any, tmp_path: Path
) -> None:
    town = left_early
    assert {"department:amr", "department:fire", "role:auditor"} <= town.messages("withdraw").keys()
    drawn_so = [one for view in views(town) for one in view.checks if one.check.department_id == "fire"]
    assert drawn_so
    assert all(one.check.crew for one in drawn_so)
    with town.database.reading() as session:
        (waiting,) = waiting_withdrawals(session, town.draw)
    done = town.do(datetime(2023, 8, 23, 16, 5, tzinfo=UTC), "change")
    assert [job.id for job in done] == [waiting.id]
    fire = [one for view in views(town) for one in view.checks if one.check.department_id == "fire"]
    assert all((one.check.unfilled, one.check.crew) == ("reorganised", []) for one in fire)
    laid = verified(town, tmp_path / "laid")
    announcement = json.loads((laid / "public/announcement.json").read_bytes())
    (row,) = rows_of(town)
    assert row["from"] == announcement["days"][0]
    result = json.loads((laid / "public/result.json").read_bytes())
    crews = [crew for visit in result["visits"] for crew in visit["crews"] if crew["department"] == "fire"]
    assert crews
    assert all(crew["seats"] for crew in crews), "the result is computed as announced"


def test_a_withdrawal_waits_for_a_substitute_that_is_due(own_town: Any, tmp_path: Path) -> None:
    town = own_town
    gone = next(one for one in views(town) if one.visit.date is not None)
    with town.database.writing() as session:
        wanted = Exclusion(gone.visit.enterprise, "moved-away")
        ask_exclusion(session, town.draw, wanted, actor=DISPATCHER, now=EXCLUDED)
    town.do(EXCLUDED, "change")
    # the round is due, its substitute has not come yet: another runner takes the withdrawal first
    due = EXCLUDED + timedelta(seconds=4)
    job = ask(town, Withdrawal("fire", "no-inspectors"), now=due)
    with town.database.writing() as session:
        first = session.get_one(Job, job.id)
        first.run_after = EXCLUDED
        session.add(first)
    assert [one.arguments["do"] for one in town.do(due, "change")] == ["withdraw"]
    assert [one.arguments["do"] for one in town.do(due, "change")] == ["substitute", "withdraw"]
    assert [row["type"] for row in rows_of(town)] == ["exclude", "substitute", "withdraw"]
    verified(town, tmp_path / "laid")
    for view in views(town):
        for one in view.checks:
            if one.check.department_id == "fire" and view.visit.state != "cancelled":
                assert one.check.unfilled == "no-inspectors"


def test_crews_that_have_been_there_do_not_become_unfilled(own_town: Any) -> None:
    town = own_town
    days = sorted({one.visit.date for one in views(town, department="fire") if one.visit.date})
    visited = next(one for one in views(town, department="fire") if one.visit.date == days[0])
    noon = datetime.fromisoformat(f"{days[0]}T04:00:00+00:00")
    check = next(one.check for one in visited.checks if one.check.department_id == "fire")
    ask(town, Withdrawal("fire", "no-inspectors", days[0]), FIRE, now=noon)
    # the crew enters what it found while the withdrawal waits
    entry = Entry(check.task, check.items[0], "1", "on-site", days[0])
    with town.database.writing() as session:
        enter(session, visited.visit.id or 0, [entry], actor=FIRE, now=noon)
    with pytest.raises(ConflictError, match="already-inspected"):
        town.do(noon, "change")
    assert rows_of(town) == []
    assert "findings" in town.messages("change-refused")["department:fire"]
    with town.database.writing() as session:
        # the runner ends what failed
        job = waiting_withdrawals(session, town.draw)[0]
        job.state = "failed"
        session.add(job)
    with pytest.raises(ConflictError, match="already-inspected"):
        ask(town, Withdrawal("fire", "no-inspectors", days[0]), FIRE, now=noon)
    ask(town, Withdrawal("fire", "no-inspectors"), FIRE, now=noon)
    town.do(noon, "change")
    (row,) = rows_of(town)
    assert row["from"] > days[0].isoformat()


def test_a_visit_that_was_put_off_beyond_a_withdrawal_is_told_and_none_is_put_off_so_far_after_it(
    own_town: Any,
) -> None:
    town = own_town
    since = middle_day(town, "fire")
    before = [one for one in views(town, department="fire") if one.visit.date and one.visit.date < since]
    days = sorted({one.visit.date for one in views(town) if one.visit.date and one.visit.date >= since})

    def put_off(view: VisitView, day: date | None) -> VisitView:
        with town.database.writing() as session:
            number, version = view.visit.id or 0, view.visit.version
            return make_later(session, town.vault, number, version, day, "停电", actor=FIRE, now=LATER)

    moved = None
    for view, day in ((view, day) for view in before for day in days):
        with contextlib.suppress(ConflictError):
            moved = put_off(view, day)
            break
    assert moved is not None
    ask(town, Withdrawal("fire", "reorganised", since), FIRE)
    (job,) = town.do(LATER, "change")
    with town.database.reading() as session:
        assert session.get_one(Job, job.id).result["put_off"] == [moved.visit.id]
        told = session.scalars(select(Outbox).where(col(Outbox.subject) == f"visit:{moved.visit.id}"))
        told = {one.audience: one.body_en for one in told if one.kind == "withdraw"}
    assert told.keys() == {"department:fire", "role:dispatcher"}
    assert str(moved.visit.later) in told["department:fire"]
    back = put_off(moved, None)
    assert back.visit.later is None
    with pytest.raises(ConflictError, match="fire is away"):
        put_off(back, moved.visit.later)
