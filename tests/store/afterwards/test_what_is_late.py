"""Deadlines run in Chinese working days; who is late is told once for each stage; a year's notice can be imported."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from dualrandom.calendar import shipped_notices
from dualrandom.errors import InputError
from dualrandom.store import days
from dualrandom.store.activity import Actor
from dualrandom.store.deadlines import announced_days, close, raise_alarms
from dualrandom.store.errors import ConflictError, RefusedError, UnknownError
from dualrandom.store.findings import Entry, enter
from dualrandom.store.publishing import ask_publication
from dualrandom.store.tables import DrawRow, Outbox
from dualrandom.store.visit_lists import VisitFilter, list_visits

DISPATCHER = Actor("user:dispatcher", "dispatcher")


def noon(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, 4, tzinfo=UTC)


def alarms(drawn: Any, subject: str) -> list[str]:
    with drawn.database.reading() as session:
        rows = select(Outbox).where(col(Outbox.kind) == "alarm", col(Outbox.subject) == subject)
        return [row.audience for row in session.scalars(rows.order_by(col(Outbox.id)))]


def test_who_is_late_is_told_once_for_each_visit_and_stage(drawn: Any) -> None:
    with drawn.database.reading() as session:
        view = list_visits(session, DISPATCHER, VisitFilter(), limit=1)[0][0]
    visit, departments = view.visit, sorted({one.check.department_id for one in view.checks})
    assert visit.publish_by is not None
    own = [f"department:{name}" for name in departments]
    subject = f"visit:{visit.id}"
    told: list[str] = []
    for day, expected in (
        (visit.publish_by - timedelta(days=14), []),
        (visit.publish_by, own),
        (visit.publish_by + timedelta(days=1), [*own, "role:dispatcher"]),
        (visit.publish_by + timedelta(days=21), [*own, "role:auditor", "role:dispatcher"]),
    ):
        for _ in range(2):
            with drawn.database.writing() as session:
                raise_alarms(session, noon(day))
        told += expected
        assert alarms(drawn, subject) == told


def test_who_has_published_is_not_late(drawn: Any) -> None:
    with drawn.database.reading() as session:
        every = list_visits(session, DISPATCHER, VisitFilter(), limit=500)[0]
    view = every[-1]
    assert view.visit.date is not None
    entries = [
        Entry(one.check.task, item, "6", "on-site", view.visit.date)
        for one in view.checks
        for item in one.check.items
    ]
    now = noon(view.visit.date)
    with drawn.database.writing() as session:
        enter(session, view.visit.id or 0, entries, actor=DISPATCHER, now=now)
        ask_publication(session, drawn.draw, department=None, actor=DISPATCHER, now=now)
    drawn.do(now, "findings")
    before = alarms(drawn, f"visit:{view.visit.id}")
    with drawn.database.writing() as session:
        counts = raise_alarms(session, noon(date(2023, 12, 29)))
    assert alarms(drawn, f"visit:{view.visit.id}") == before
    assert counts["long"] == len(every) - 1
    with drawn.database.writing() as session:
        assert raise_alarms(session, now)["abnormal"] == len(entries)
    departments = {f"department:{one.check.department_id}" for one in view.checks}
    assert drawn.messages("abnormal").keys() == departments


def test_a_draw_past_a_deadline_is_told_to_dispatchers_and_auditors(drawn: Any) -> None:
    with drawn.database.reading() as session:
        row = session.get_one(DrawRow, drawn.draw)
    with drawn.database.writing() as session:
        raise_alarms(session, row.findings_by + timedelta(days=1))
    assert alarms(drawn, drawn.draw) == ["role:auditor", "role:dispatcher"]


def test_a_draw_with_findings_missing_is_not_closed(drawn: Any) -> None:
    with drawn.database.writing() as session, pytest.raises(ConflictError, match="findings-missing"):
        close(session, drawn.draw, actor=DISPATCHER, now=noon(date(2023, 10, 1)))


def test_a_notice_is_imported_and_moves_the_deadlines_of_open_visits(drawn: Any) -> None:
    with drawn.database.reading() as session:
        visits = list_visits(session, DISPATCHER, VisitFilter(state="planned"), limit=500)[0]
    shipped = shipped_notices().by_year[2023]
    # as if 7 and 8 October 2023 had not been worked
    kept = sorted(shipped.working - {date(2023, 10, 7), date(2023, 10, 8)})
    holidays = ", ".join(f"{{ first = {day}, last = {day} }}" for day in sorted(shipped.holidays))
    text = (
        f'[[notices]]\nyear = 2023\nnumber = "试"\nissued = 2022-12-08\nholidays = [{holidays}]\n'
        f"working = [{', '.join(map(str, kept))}]\n"
    )
    now = noon(date(2023, 8, 25))
    with drawn.database.writing() as session:
        known = days.import_notice(session, 2023, text.encode(), actor=DISPATCHER, now=now)
        assert (known.imported, known.notice.working) == (True, frozenset(kept))
    with drawn.database.reading() as session:
        after = {
            view.visit.id: view.visit
            for view in list_visits(session, DISPATCHER, VisitFilter(), limit=500)[0]
        }
        content = days.notices_toml(session)
        announced = announced_days(session)[drawn.draw]
        assert content is not None
        assert days.notice_of(session, 2023).imported
    for view in visits:
        was, now_ = view.visit.publish_by, after[view.visit.id].publish_by
        assert was is not None
        assert now_ is not None
        if was >= date(2023, 10, 7):
            assert now_ > was or now_ == announced, "never later than the draw announced"
        else:
            assert now_ == was


def test_a_notice_that_is_wrong_or_of_another_year_is_refused(drawn: Any) -> None:
    now = noon(date(2023, 8, 25))
    good = b'[[notices]]\nyear = 2031\nnumber = "x"\nissued = 2030-11-01\nholidays = [{first=2031-01-01,last=2031-01-01}]\nworking = []\n'
    with drawn.database.writing() as session, pytest.raises(RefusedError, match="notice-year-differs"):
        days.import_notice(session, 2032, good, actor=DISPATCHER, now=now)
    with drawn.database.writing() as session, pytest.raises(InputError, match="notice-year"):
        days.import_notice(session, 2031, good.replace(b"2031-01", b"2033-01"), actor=DISPATCHER, now=now)
    with drawn.database.reading() as session, pytest.raises(UnknownError, match="unknown-notice"):
        days.notice_of(session, 2031)
