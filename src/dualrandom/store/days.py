"""Working days: the notices that this release brings and those that the office imported, and the deadlines that follow.

A notice of the State Council (国务院办公厅关于……部分节假日安排的通知) is imported as the TOML of ``data/working-days-cn.toml``; it
replaces the one of its year. Nothing is guessed: where a notice is missing, the announced deadline of the draw holds.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.calendar import Notice, Notices, add_working_days, load_notice, shipped_notices
from dualrandom.errors import DualRandomError
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.database import locked
from dualrandom.store.errors import RefusedError, unknown
from dualrandom.store.tables import DayNotice, Visit

PUBLICATION_DAYS: Final = 20
"""Findings are published within 20 working days of the check, unless the draw announced an earlier day (docs/plan.md)."""
CACHED: Final = "working-day-notices"


@dataclass(frozen=True, slots=True)
class KnownNotice:
    """A notice and whether the office imported it."""

    notice: Notice
    imported: bool


def notices(session: Session) -> Notices:
    """Return all notices, the imported ones in place of those that came along. One query a session."""
    known = session.info.get(CACHED)
    if known is None:
        known = shipped_notices()
        for row in session.scalars(select(DayNotice)):
            known = known.replaced_by(_notice(row.document))
        session.info[CACHED] = known
    assert isinstance(known, Notices)
    return known


def list_notices(session: Session) -> list[KnownNotice]:
    """Return every notice by year."""
    imported = set(session.scalars(select(col(DayNotice.year))))
    known = notices(session)
    return [KnownNotice(known.by_year[year], year in imported) for year in sorted(known.by_year)]


def notice_of(session: Session, year: int) -> KnownNotice:
    """Return the notice of one year. Raises UnknownError ``unknown-notice``."""
    found = next((each for each in list_notices(session) if each.notice.year == year), None)
    if found is None:
        raise unknown(
            "unknown-notice",
            str(year),
            f"没有 {year} 年的节假日安排",
            f"there is no notice for {year}",
        )
    return found


def import_notice(session: Session, year: int, content: bytes, *, actor: Actor, now: datetime) -> KnownNotice:
    """Take one year's notice from its TOML, and count the deadlines of open visits anew.

    Raises InputError with all faults of the file, RefusedError ``notice-year-differs``.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "working-days.toml"
        path.write_bytes(content)
        read = load_notice(path, Notices({}))
    if set(read.by_year) != {year}:
        years = ", ".join(map(str, sorted(read.by_year)))
        raise RefusedError(
            "notice-year-differs",
            years,
            {
                "zh": f"文件是 {years} 年的安排，地址是 {year} 年",
                "en": f"the file is about {years}, the address about {year}",
            },
            {"zh": "每次导入一年，年份与地址一致。", "en": "Import one year at a time, to its own address."},
        )
    notice = read.by_year[year]
    # two who bring the same year's notice at once
    row = locked(session, DayNotice, year) or DayNotice(year=year, document={}, at=now, by=actor.name)
    row.document, row.at, row.by = _document(notice), now, actor.name
    session.add(row)
    session.flush()
    session.info.pop(CACHED, None)
    activity.record(session, actor, "working-days", str(year), now, {"number": notice.number})
    _deadlines_anew(session, year)
    return KnownNotice(notice, imported=True)


def notices_toml(session: Session) -> bytes | None:
    """Return the imported notices as ``working-days.toml`` for a campaign's folder; None if there are none."""
    rows = list(session.scalars(select(DayNotice).order_by(col(DayNotice.year))))
    if not rows:
        return None
    return b"\n".join(_toml(_notice(row.document)) for row in rows)


def publication_day(session: Session, visited: date, announced: date) -> date:
    """Return the last day for publishing the findings of a visit on ``visited``.

    20 working days after the visit, but never later than the deadline that the draw announced, which also holds where a
    year's notice is missing.
    """
    try:
        return min(add_working_days(visited, PUBLICATION_DAYS, "cn", notices(session)), announced)
    except DualRandomError:
        return announced


def working_days_from(session: Session, day: date, count: int) -> date:
    """Return the ``count``-th working day after ``day``; weekdays count where a year's notice is missing."""
    try:
        return add_working_days(day, count, "cn", notices(session))
    except DualRandomError:
        return add_working_days(day, count, "weekdays")


def _deadlines_anew(session: Session, year: int) -> None:
    from dualrandom.store.deadlines import announced_days  # noqa: PLC0415  (which needs this module)

    announced = announced_days(session)
    touched = select(Visit).where(
        col(Visit.date).is_not(None),
        col(Visit.state).in_(("planned", "unfilled")),
        col(Visit.day) >= date(year - 1, 10, 1),
        col(Visit.day) <= date(year, 12, 31),
    )
    for visit in session.scalars(touched):
        if visit.date is not None:
            visit.publish_by = publication_day(session, visit.date, announced[visit.draw_id])
            session.add(visit)


def _document(notice: Notice) -> dict[str, Any]:
    return {
        "year": notice.year,
        "number": notice.number,
        "issued": notice.issued.isoformat(),
        "holidays": sorted(day.isoformat() for day in notice.holidays),
        "working": sorted(day.isoformat() for day in notice.working),
    }


def _notice(document: Mapping[str, Any]) -> Notice:
    return Notice(
        document["year"],
        document["number"],
        date.fromisoformat(document["issued"]),
        frozenset(map(date.fromisoformat, document["holidays"])),
        frozenset(map(date.fromisoformat, document["working"])),
    )


def _toml(notice: Notice) -> bytes:
    """Return one [[notices]] table; each free day is a holiday of its own."""
    number = notice.number.replace("\\", "\\\\").replace('"', '\\"')
    days = ", ".join(f"{{ first = {day}, last = {day} }}" for day in sorted(notice.holidays))
    working = ", ".join(map(str, sorted(notice.working)))
    lines = (
        "[[notices]]",
        f"year = {notice.year}",
        f'number = "{number}"',
        f"issued = {notice.issued}",
        f"holidays = [{days}]",
        f"working = [{working}]",
    )
    return ("\n".join(lines) + "\n").encode()
