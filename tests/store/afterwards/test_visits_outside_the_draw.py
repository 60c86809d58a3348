"""A complaint in the month: a case visit outside the draw, in the ledger, joined to a drawn visit that is near."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from dualrandom.store import cases
from dualrandom.store.activity import Actor
from dualrandom.store.errors import ConflictError, ForbiddenError, RefusedError, UnknownError
from dualrandom.store.ledger import LedgerFilter, all_entries, history_of, list_ledger
from dualrandom.store.libraries import current_revisions
from dualrandom.store.library_rows import add_row
from dualrandom.store.planning import inputs_of
from dualrandom.store.tables import LedgerEntry, LibraryRow
from dualrandom.store.visit_lists import VisitFilter, list_visits

NOW = datetime(2023, 8, 25, 8, tzinfo=UTC)
DISPATCHER = Actor("user:dispatcher", "dispatcher")
AMR = Actor("user:amr", "department", "amr")
FIRE = Actor("user:fire", "department", "fire")


def plan(drawn: Any, **changes: Any) -> Any:
    values: dict[str, Any] = {
        "enterprise": "91420000XN000331XY",
        "department": "amr",
        "day": date(2023, 9, 12),
        "items": ["registration", "publicity"],
        "kind": "case",
        "basis": "12315 举报 004",
        "actor": AMR,
        "now": NOW,
    } | changes
    with drawn.database.writing() as session:
        return cases.plan_case(session, **values)


def test_a_case_visit_is_in_the_ledger_at_once_and_counts_when_it_is_done(drawn: Any) -> None:
    case = plan(drawn)
    entries = LedgerFilter(enterprise=case.enterprise, kind="case")
    with drawn.database.reading() as session:
        rows = [done for _, done in list_ledger(session, DISPATCHER, entries)]
        counted = inputs_of(session, drawn.vault, "2023-09", current_revisions(session))[
            "visits.csv"
        ].decode()
    assert [(row.item, row.kind, row.done) for row in rows] == [
        ("publicity", "case", False),
        ("registration", "case", False),
    ]
    assert "2023-09-12" not in counted, "what was not done yet counts for nothing"
    with drawn.database.writing() as session:
        person = session.scalars(
            select(col(LibraryRow.key)).where(
                col(LibraryRow.kind) == "inspectors", col(LibraryRow.department) == "amr"
            )
        ).first()
        assert person is not None
        with pytest.raises(RefusedError, match="unknown-inspector"):
            cases.complete(session, case.id, 1, date(2023, 8, 25), ["fire-001"], "", actor=AMR, now=NOW)
        cases.complete(session, case.id, 1, date(2023, 8, 25), [person], "属实", actor=AMR, now=NOW)
    with drawn.database.reading() as session:
        rows = [done for _, done in list_ledger(session, DISPATCHER, entries)]
        counted = inputs_of(session, drawn.vault, "2023-09", current_revisions(session))[
            "visits.csv"
        ].decode()
        history = history_of(session, FIRE, case.enterprise)
    assert {(row.date, row.done, row.inspectors) for row in rows} == {(date(2023, 8, 25), True, (person,))}
    assert f"{case.enterprise},2023-08-25,amr,,publicity,{person},case" in counted
    assert {row.kind for row in history} == {"case", "plan"}
    assert all(row.inspectors is None for row in history if row.department == "amr")
    assert [row.date for row in history] == sorted(row.date for row in history)


def test_a_drawn_visit_nearby_is_offered_and_joining_takes_its_date(drawn: Any) -> None:
    with drawn.database.reading() as session:
        view = list_visits(session, DISPATCHER, VisitFilter(), limit=1)[0][0]
    visit = view.visit
    assert visit.date is not None
    far = plan(drawn, enterprise=visit.enterprise, day=visit.date + timedelta(days=60))
    near = plan(drawn, enterprise=visit.enterprise, day=visit.date + timedelta(days=5))
    with drawn.database.writing() as session:
        assert cases.offers(session, drawn.vault, far, actor=AMR, now=NOW) == []
        with pytest.raises(ConflictError, match="not-offered"):
            cases.join(session, drawn.vault, far.id, 1, visit.id or 0, actor=AMR, now=NOW)
        offered = cases.offers(session, drawn.vault, near, actor=AMR, now=NOW)
        assert visit.id in {offer.id for offer in offered}
        joined = cases.join(session, drawn.vault, near.id, 1, visit.id or 0, actor=AMR, now=NOW)
        assert (joined.joined_visit, joined.date) == (visit.id, visit.date)
        assert cases.offers(session, drawn.vault, joined, actor=AMR, now=NOW) == []
    crew = {f"inspector:{person.code}" for one in view.checks for person in one.crew}
    assert crew <= drawn.messages("case-joined").keys()


def test_what_is_not_there_or_not_ones_own_is_refused(drawn: Any) -> None:
    for code, kind, changes in (
        ("foreign-department", ForbiddenError, {"department": "fire"}),
        ("unknown-enterprise", RefusedError, {"enterprise": "91420700XN9999999X"}),
        ("unknown-item", RefusedError, {"items": ["flying"]}),
        ("reason-missing", RefusedError, {"basis": " "}),
        ("unknown-department", UnknownError, {"department": "navy", "actor": DISPATCHER}),
    ):
        with pytest.raises(kind, match=code):
            plan(drawn, **changes)
    case = plan(drawn, kind="special", basis="专项整治 3 号")
    with drawn.database.reading() as session, pytest.raises(UnknownError, match="unknown-case"):
        cases.case_of(session, FIRE, case.id)
    with drawn.database.writing() as session:
        cases.cancel(session, case.id, 1, "误报", actor=AMR, now=NOW)
        with pytest.raises(ConflictError, match="case-ended"):
            cases.cancel(session, case.id, 2, "误报", actor=AMR, now=NOW)
        sources = {done.source for _, done in list_ledger(session, DISPATCHER, LedgerFilter(kind="special"))}
    assert f"case:{case.id}" not in sources


def test_past_visits_of_the_library_are_in_the_ledger_by_date_each_once(drawn: Any) -> None:
    with drawn.database.reading() as session:
        library = list(
            session.scalars(
                select(LibraryRow).where(col(LibraryRow.kind) == "visits", col(LibraryRow.last).is_(None))
            )
        )
    assert len(library) > 20
    # one of them is entered as well, as a plan's check that was imported later would be
    cells = library[0].cells
    with drawn.database.writing() as session:
        session.add(
            LedgerEntry(
                enterprise=cells["enterprise"],
                date=date.fromisoformat(cells["date"]),
                department_id=cells["department"],
                task=cells.get("task", ""),
                item=cells.get("item", ""),
                inspectors=[],
                kind="plan",
                source="visit:0",
                at=NOW,
            )
        )
    listed: list[tuple[int, Any]] = []
    with drawn.database.reading() as session:
        while page := list_ledger(
            session,
            AMR,
            LedgerFilter(),
            after=(listed[-1][1].date, listed[-1][0]) if listed else None,
            limit=7,
        ):
            listed += page
        exported = list(all_entries(session, AMR, LedgerFilter()))
        assert not any(
            done.source.startswith("revision:")
            for _, done in list_ledger(session, AMR, LedgerFilter(done=False), limit=500)
        )
    rows = [done for _, done in listed]
    assert [done.date for done in rows] == sorted(done.date for done in rows)
    assert len({number for number, _ in listed}) == len(rows)
    assert sorted(map(repr, exported)) == sorted(map(repr, rows))
    past = [done for done in rows if done.source == "revision:1"]
    assert len(past) == len(library) - 1
    assert sum(done.source == "visit:0" for done in rows) == 1
    assert {done.kind for done in past} <= {"plan", "case", "special"}
    for done in past:
        assert (done.inspectors is None) == (done.department != "amr")
    chosen = past[5]
    narrow = LedgerFilter(chosen.enterprise, chosen.department, chosen.kind, chosen.date, chosen.date, True)
    with drawn.database.reading() as session:
        assert chosen in [done for _, done in list_ledger(session, AMR, narrow)]
    with drawn.database.writing() as session:
        cells = {**library[1].cells, "kind": "special"}
        add_row(session, "visits", cells, actor=DISPATCHER, now=NOW)
        special = [done for _, done in list_ledger(session, AMR, LedgerFilter(kind="special"), limit=500)]
        plan = list(all_entries(session, AMR, LedgerFilter(kind="plan")))
    assert [done.source for done in special if done.source.startswith("revision:")][-1:] == ["revision:2"]
    assert {done.kind for done in special} == {"special"}
    assert sorted(map(repr, plan)) == sorted(repr(done) for done in rows if done.kind == "plan")
