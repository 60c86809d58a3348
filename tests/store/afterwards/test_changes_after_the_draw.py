"""Enterprises excluded, inspectors replaced: the engine decides, the record proves it, everybody is told."""

from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from dualrandom.changes import read_rows
from dualrandom.store.activity import Actor
from dualrandom.store.amendments import list_amendments
from dualrandom.store.attachments import attach
from dualrandom.store.changes import Exclusion, ask_exclusion, ask_replacement
from dualrandom.store.database import StaleError
from dualrandom.store.errors import ConflictError, RefusedError
from dualrandom.store.findings import Entry, enter
from dualrandom.store.later import make_later
from dualrandom.store.tables import Check, DrawRow, Job, Visit
from dualrandom.store.visit_lists import VisitFilter, VisitView, list_visits, visit_of
from dualrandom.verify import read_auditor, read_public, verify_record

DISPATCHER = Actor("user:dispatcher", "dispatcher")
# round 1000 is due at 15:59:24, so that an exclusion a second later is decided by round 1001
EXCLUDED = datetime(2023, 8, 23, 15, 59, 25, tzinfo=UTC)
LATER = datetime(2023, 8, 25, 8, tzinfo=UTC)


def views(drawn: Any, **wanted: Any) -> list[VisitView]:
    with drawn.database.reading() as session:
        return list_visits(session, DISPATCHER, VisitFilter(draw=drawn.draw, **wanted), limit=500)[0]


def verified(drawn: Any, folder: Path) -> Path:
    laid: Path = drawn.folder(folder)
    for auditor in (None, read_auditor(laid)):
        report = verify_record(read_public(laid / "public"), auditor)
        assert [(c.name, c.reason_en) for c in report.checks if c.status == "FAIL"] == []
    return laid


def test_what_is_evidently_impossible_is_refused_at_once(drawn: Any) -> None:
    enterprise = views(drawn)[0].visit.enterprise
    refused = {
        "deregistered-is-a-finding": Exclusion(enterprise, "deregistered"),
        "not-visited": Exclusion("91420700XN0000012Q", "moved-away"),
        "change-reason": Exclusion(enterprise, "no-time"),
    }
    for code, wanted in refused.items():
        with drawn.database.writing() as session, pytest.raises((ConflictError, RefusedError), match=code):
            ask_exclusion(session, drawn.draw, wanted, actor=DISPATCHER, now=EXCLUDED)
    with drawn.database.writing() as session, pytest.raises(ConflictError, match="not-in-crew"):
        ask_replacement(
            session, views(drawn)[0].visit.id or 0, "nobody", "ill", actor=DISPATCHER, now=EXCLUDED
        )


def test_an_excluded_enterprise_is_substituted_when_the_later_round_is_out(
    drawn: Any, tmp_path: Path
) -> None:
    view = views(drawn)[0]
    gone, before = view.visit, views(drawn)
    with drawn.database.writing() as session:
        letter = attach(
            session, drawn.vault, "a.pdf", "application/pdf", b"moved", actor=DISPATCHER, now=EXCLUDED
        )
        wanted = Exclusion(gone.enterprise, "moved-away", evidence=letter.sha256)
        ask_exclusion(session, drawn.draw, wanted, actor=DISPATCHER, now=EXCLUDED)
    (job,) = drawn.do(EXCLUDED, "change")
    assert job.arguments["do"] == "exclude"
    assert {one.visit.state for one in views(drawn, enterprise=gone.enterprise)} == {"cancelled"}
    with drawn.database.reading() as session:
        (row,) = list_amendments(session, drawn.draw)
    assert (row.type, row.reason, row.document["evidence"]) == ("exclude", "moved-away", letter.sha256)
    told = drawn.messages("exclude")
    crew = {f"inspector:{person.code}" for one in view.checks for person in one.crew}
    departments = {f"department:{one.check.department_id}" for one in view.checks}
    assert crew | departments | {"role:dispatcher"} <= told.keys()

    # the round is not due yet: the substitute waits as a job
    assert drawn.do(EXCLUDED, "change") == []
    (job,) = drawn.do(EXCLUDED + timedelta(seconds=3), "change")
    assert job.arguments["do"] == "substitute"
    laid = verified(drawn, tmp_path / "laid")
    _, substituted = read_rows((laid / "public/changes.jsonl").read_bytes())
    new = {(visit["enterprise"], visit["part"]) for visit in substituted["visits"]}
    after = views(drawn)
    brought = [one for one in after if one.visit.origin == "2"]
    assert {(one.visit.enterprise, one.visit.part) for one in brought} == new
    assert len({one.visit.notice for one in after}) == len(after)
    assert all(one.checks and one.visit.name for one in brought)
    kept = {one.visit.id: one for one in after}
    for one in before:
        if one.visit.enterprise != gone.enterprise:
            assert kept[one.visit.id] == one
    listed = (laid / "exports/visits.csv").read_text("utf-8-sig")
    assert gone.enterprise not in listed


def test_a_round_that_is_not_there_is_waited_for_and_no_other_is_taken(drawn: Any) -> None:
    view = next(one for one in views(drawn, state="planned"))
    with drawn.database.writing() as session:
        wanted = Exclusion(view.visit.enterprise, "suspended")
        ask_exclusion(session, drawn.draw, wanted, actor=DISPATCHER, now=LATER)
    drawn.do(LATER, "change")
    first, second = (drawn.do(LATER + timedelta(minutes=minutes), "change") for minutes in (1, 2))
    assert [job.arguments["do"] for job in (*first, *second)] == ["substitute", "substitute"]
    with drawn.database.reading() as session:
        assert [row.type for row in list_amendments(session, drawn.draw)] == [
            "exclude",
            "substitute",
            "exclude",
        ]
        waiting = session.get_one(Job, second[0].id)
        assert waiting.state == "queued"


def test_nobody_is_replaced_while_a_substitute_is_due(drawn: Any) -> None:
    view = views(drawn, state="planned")[0]
    with drawn.database.writing() as session:
        ask_replacement(
            session,
            view.visit.id or 0,
            view.checks[0].crew[0].code,
            "ill",
            actor=DISPATCHER,
            now=LATER + timedelta(hours=1),
        )
    # the waiting substitute comes first, and what may not come before it waits
    done = [drawn.do(LATER + timedelta(hours=1), "change") for _ in range(3)]
    assert [[job.arguments["do"] for job in jobs] for jobs in done] == [["substitute"], ["replace"], []]
    with drawn.database.reading() as session:
        assert session.get_one(Job, done[1][0].id).state == "queued"
        assert [row.type for row in list_amendments(session, drawn.draw)][-1] == "exclude"


@pytest.mark.parametrize("do", ["exclude", "replace"])
def test_what_was_inspected_since_a_change_was_asked_for_is_not_changed(own_town: Any, do: str) -> None:
    town = own_town
    view = next(one for one in views(town, state="planned") if one.checks[0].crew)
    number, check, noon = view.visit.id or 0, view.checks[0].check, LATER + timedelta(days=60)
    with town.database.writing() as session:
        if do == "exclude":
            wanted = Exclusion(view.visit.enterprise, "suspended")
            ask_exclusion(session, town.draw, wanted, actor=DISPATCHER, now=noon)
        else:
            ask_replacement(session, number, check.crew[0], "ill", actor=DISPATCHER, now=noon)
        entry = Entry(check.task, check.items[0], "1", "on-site", view.visit.date or date.min)
        enter(session, number, [entry], actor=DISPATCHER, now=noon)
    with pytest.raises(ConflictError, match="already-inspected"):
        town.do(noon, "change")
    with town.database.reading() as session:
        assert list_amendments(session, town.draw) == []


def test_a_day_that_will_not_do_names_no_inspector_of_another_department(drawn: Any) -> None:
    named, heard = 0, set()
    for view in views(drawn, state="planned"):
        people = {one.check.department_id: {p.code for p in one.crew} for one in view.checks}
        if len(people) < 2 or view.visit.date is None or view.visit.id is None:
            continue
        for asker in people:
            actor = Actor(f"user:{asker}", "department", asker)
            others = set().union(*(codes for name, codes in people.items() if name != asker))
            for ahead in range(1, 25):
                day = view.visit.date + timedelta(days=ahead)
                try:
                    with drawn.database.writing() as session:
                        make_later(
                            session,
                            drawn.vault,
                            view.visit.id,
                            view.visit.version,
                            day,
                            "x",
                            actor=actor,
                            now=LATER,
                        )
                        raise ConflictError("undone", "", {"zh": "", "en": ""}, {"zh": "", "en": ""})
                except ConflictError as refused:
                    told = str(refused.messages)
                    assert not any(code in told for code in others), told
                    named += "crew of" in told
                    heard.add(refused.code)
        if named:
            break
    assert named, heard


def test_a_date_is_drawn_and_can_only_become_a_later_day_of_the_draw(drawn: Any) -> None:
    amr = Actor("user:amr", "department", "amr")
    view = next(one for one in views(drawn, department="amr", state="planned"))
    number, drawn_on = view.visit.id or 0, view.visit.date
    assert drawn_on is not None
    for day in (drawn_on, drawn_on - timedelta(days=1), date(2023, 9, 10), date(2023, 12, 1)):
        with drawn.database.writing() as session, pytest.raises(ConflictError, match="date-is-drawn"):
            make_later(session, drawn.vault, number, view.visit.version, day, "停电", actor=amr, now=LATER)
    later = None
    for day in (drawn_on + timedelta(n) for n in range(1, 30)):
        try:
            with drawn.database.writing() as session:
                later = make_later(
                    session, drawn.vault, number, view.visit.version, day, "停电", actor=amr, now=LATER
                )
            break
        except ConflictError as refused:
            assert refused.code == "date-is-drawn"  # noqa: PT017
    assert later is not None
    assert (later.visit.date, later.visit.later_reason) == (drawn_on, "停电")
    assert later.visit.later is not None
    assert later.visit.later > drawn_on
    with drawn.database.writing() as session, pytest.raises(StaleError):
        make_later(session, drawn.vault, number, view.visit.version, None, "", actor=amr, now=LATER)
    crew = {f"inspector:{person.code}" for one in view.checks for person in one.crew}
    assert crew <= drawn.messages("later").keys()


def test_rows_of_visits_agree_with_their_crews(drawn: Any) -> None:
    from dualrandom.store.tables import CrewSeat

    with drawn.database.reading() as session:
        for check in session.scalars(select(Check).join(Visit, col(Check.visit_id) == Visit.id)):
            seats = session.scalars(
                select(CrewSeat).where(col(CrewSeat.check_id) == check.id).order_by(col(CrewSeat.seat))
            )
            assert [seat.inspector for seat in seats] == check.crew
        assert session.get_one(DrawRow, drawn.draw).state.value == "drawn"
        some = session.scalars(select(Visit).limit(1)).one()
        assert visit_of(session, DISPATCHER, some.id or 0).visit.id == some.id
