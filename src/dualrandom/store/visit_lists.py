"""Lists of visits: who may see which, with checks, crews and counts of findings, in few queries however long they are."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, exists, func, or_, select, tuple_
from sqlmodel import Session, col

from dualrandom.changes import WITHDRAWALS
from dualrandom.store.activity import Actor
from dualrandom.store.errors import UnknownError, unknown
from dualrandom.store.tables import Check, CrewSeat, DrawRow, Finding, LibraryRow, Office, Role, Visit

CHUNK: Final = 500
SEES_ALL: Final = frozenset({Role.DISPATCHER.value, Role.AUDITOR.value, Role.SUPPORT.value, "service"})

Key = TypeVar("Key", str, int)


@dataclass(frozen=True, slots=True)
class Person:
    """A member of a crew, named as in the frozen library."""

    code: str
    name: str
    licence: str


@dataclass(frozen=True, slots=True)
class CheckView:
    """One check of a visit with its crew, and how many of its items have a finding and a published one."""

    check: Check
    crew: tuple[Person, ...]
    entered: int
    published: int


@dataclass(frozen=True, slots=True)
class VisitView:
    """A visit as somebody may see it: ``checks`` are those of the own department, ``others`` the departments that come along."""

    visit: Visit
    checks: tuple[CheckView, ...]
    others: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VisitFilter:
    """What a list of visits is narrowed to; None and empty: everything."""

    draw: str | None = None
    department: str | None = None
    inspector: str | None = None
    enterprise: str | None = None
    state: str | None = None
    first: date | None = None
    last: date | None = None


def list_visits(
    session: Session,
    actor: Actor,
    wanted: VisitFilter,
    *,
    after: tuple[date, int] | None = None,
    limit: int = 100,
) -> tuple[list[VisitView], tuple[date, int] | None]:
    """Return visits by day, as ``actor`` may see them, and where the next page begins (None: there is none)."""
    query = select(Visit).where(*visible(actor), *_narrowed(wanted, actor))
    if after is not None:
        query = query.where(tuple_(col(Visit.day), col(Visit.id)) > tuple_(*after))
    rows = list(session.scalars(query.order_by(col(Visit.day), col(Visit.id)).limit(limit + 1)))
    more = len(rows) > limit
    rows = rows[:limit]
    last = rows[-1] if more else None
    return views(session, actor, rows), None if last is None or last.id is None else (last.day, last.id)


def visit_of(session: Session, actor: Actor, number: int) -> VisitView:
    """Return one visit as ``actor`` may see it. Raises UnknownError ``unknown-visit``."""
    row = session.scalars(select(Visit).where(col(Visit.id) == number, *visible(actor))).one_or_none()
    if row is None:
        raise unknown_visit(number)
    return views(session, actor, [row])[0]


def unknown_visit(number: int) -> UnknownError:
    """Return the refusal for a visit that does not exist, or is not the asker's."""
    return unknown("unknown-visit", str(number), "没有这次检查", "there is no such visit")


def visible(actor: Actor) -> list[ColumnElement[bool]]:
    """Return the conditions under which ``actor`` sees a visit."""
    if actor.role in SEES_ALL:
        return []
    if actor.role == Role.DEPARTMENT:
        return [_has_department(actor.department)]
    return [_has_inspector(actor.inspector)]


def _has_department(department: str | None) -> ColumnElement[bool]:
    return exists().where(col(Check.visit_id) == Visit.id, col(Check.department_id) == department)


def _own(actor: Actor) -> list[ColumnElement[bool]]:
    return [col(Check.department_id) == actor.department] if actor.role == Role.DEPARTMENT else []


def _has_inspector(inspector: str | None, *of: ColumnElement[bool]) -> ColumnElement[bool]:
    seated = select(col(Check.visit_id)).join(CrewSeat, col(CrewSeat.check_id) == Check.id)
    return col(Visit.id).in_(seated.where(col(CrewSeat.inspector) == inspector, *of))


def _narrowed(wanted: VisitFilter, actor: Actor) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.draw is not None:
        conditions.append(col(Visit.draw_id) == wanted.draw)
    if wanted.department is not None:
        conditions.append(_has_department(wanted.department))
    if wanted.inspector is not None:
        # a department that could ask for others' people would learn which visits they make
        conditions.append(_has_inspector(wanted.inspector, *_own(actor)))
    if wanted.enterprise is not None:
        conditions.append(col(Visit.enterprise) == wanted.enterprise)
    if wanted.state is not None:
        conditions.append(col(Visit.state) == wanted.state)
    if wanted.first is not None:
        conditions.append(col(Visit.day) >= wanted.first)
    if wanted.last is not None:
        conditions.append(col(Visit.day) <= wanted.last)
    return conditions


def views(session: Session, actor: Actor, rows: Sequence[Visit]) -> list[VisitView]:
    """Return visits with checks and crews, in few queries however many there are."""
    checks: dict[int, list[Check]] = defaultdict(list)
    ids = [row.id for row in rows if row.id is not None]
    for part in chunks(ids):
        for check in session.scalars(
            select(Check).where(col(Check.visit_id).in_(part)).order_by(col(Check.task))
        ):
            checks[check.visit_id].append(check)
    shown = {row.id: [c for c in checks[row.id or 0] if _sees(actor, c)] for row in rows}
    counts = _counted(session, [check.id for own in shown.values() for check in own if check.id is not None])
    draws = {
        row.id: row
        for row in session.scalars(select(DrawRow).where(col(DrawRow.id).in_({r.draw_id for r in rows})))
    }
    people: dict[tuple[str, str], Person] = {}
    codes: dict[str, set[str]] = defaultdict(set)
    # support helps with the service, it does not need to know who inspects whom
    crews = actor.role != Role.SUPPORT
    if crews:
        for row in rows:
            codes[row.draw_id].update(code for check in shown[row.id] for code in check.crew)
    for draw_id, wanted in codes.items():
        for code, cells in library_cells(session, "inspectors", draws[draw_id], wanted).items():
            people[draw_id, code] = Person(code, cells.get("name", ""), cells.get("licence", ""))
    result = []
    for row in rows:
        own = shown[row.id]
        seen = tuple(
            CheckView(
                check,
                tuple(people.get((row.draw_id, code), Person(code, "", "")) for code in check.crew if crews),
                *counts.get(check.id or 0, (0, 0)),
            )
            for check in own
        )
        everybody = {check.department_id for check in checks[row.id or 0]}
        others = tuple(sorted(everybody - {check.department_id for check in own}))
        result.append(VisitView(row, seen, others))
    return result


def _sees(actor: Actor, check: Check) -> bool:
    if actor.role in SEES_ALL:
        return True
    if actor.role == Role.DEPARTMENT:
        return check.department_id == actor.department
    return actor.inspector in check.crew


def _counted(session: Session, ids: Sequence[int]) -> dict[int, tuple[int, int]]:
    """Return check → (items with a finding, items with a published one)."""
    counts: dict[int, tuple[int, int]] = {}
    for part in chunks(ids):
        published = func.count(func.distinct(Finding.item)).filter(col(Finding.published_at).is_not(None))
        query = (
            select(col(Finding.check_id), func.count(func.distinct(Finding.item)), published)
            .where(col(Finding.check_id).in_(part))
            .group_by(col(Finding.check_id))
        )
        counts.update({check: (entered, done) for check, entered, done in session.execute(query)})
    return counts


def library_cells(
    session: Session, kind: str, draw: DrawRow, keys: Iterable[str]
) -> dict[str, Mapping[str, str]]:
    """Return the cells of a library's rows by key, as they were when ``draw`` froze them."""
    revision = draw.revisions.get(kind)
    if revision is None:
        return {}
    found: dict[str, Mapping[str, str]] = {}
    for part in chunks(sorted(set(keys))):
        query = select(col(LibraryRow.key), col(LibraryRow.cells)).where(
            col(LibraryRow.kind) == kind,
            col(LibraryRow.key).in_(part),
            col(LibraryRow.first) <= revision,
            or_(col(LibraryRow.last).is_(None), col(LibraryRow.last) >= revision),
        )
        found |= dict(tuple(row) for row in session.execute(query))
    return found


def chunks(ids: Sequence[Key]) -> Iterable[Sequence[Key]]:
    """Yield ids in portions that a query may name."""
    for start in range(0, len(ids), CHUNK):
        yield ids[start : start + CHUNK]


def unfilled_words(reason: str) -> str:
    """Return in Chinese why a check has no crew, empty if it has one."""
    return WITHDRAWALS[reason].zh if reason in WITHDRAWALS else reason


def today(session: Session, now: datetime) -> date:
    """Return the day that it is at the office."""
    return now.astimezone(ZoneInfo(timezone_of(session))).date()


def timezone_of(session: Session) -> str:
    """Return the name of the office's time zone."""
    office = session.get(Office, 1)
    return "Asia/Shanghai" if office is None else office.timezone
