"""The ledger (检查台账): every check that was done, whoever ordered it. What caps and intervals of the next plan count.

Entries come from published findings, from case visits (个案) and special checks (专项). Checks done before the service began, or
elsewhere, are in the library of past visits. Lists show both by date, each check once, and a plan's inputs join them.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, String, cast, delete, exists, func, select, tuple_
from sqlmodel import Session, col

from dualrandom.store.activity import Actor
from dualrandom.store.tables import CaseVisit, Check, Finding, LedgerEntry, LibraryRow, Role, Visit
from dualrandom.store.visit_lists import SEES_ALL, chunks


@dataclass(frozen=True, slots=True)
class LedgerFilter:
    """What the ledger is narrowed to; None: everything."""

    enterprise: str | None = None
    department: str | None = None
    kind: str | None = None
    first: date | None = None
    last: date | None = None
    done: bool | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """A check as the ledger shows it. ``inspectors`` is None where they are another department's."""

    enterprise: str
    date: date
    department: str
    task: str
    item: str
    inspectors: tuple[str, ...] | None
    kind: str
    source: str
    done: bool


def enter_checks(session: Session, checks: Sequence[int], now: datetime) -> None:
    """Enter every item of these checks that has a published finding, once. The date is the visit's; findings may be dated later."""
    known: set[tuple[str, str, str]] = set()
    places: list[tuple[Check, Visit, str]] = []
    for part in chunks(checks):
        query = (
            select(Check, Visit, col(Finding.item))
            .join(Visit, col(Check.visit_id) == Visit.id)
            .join(Finding, col(Finding.check_id) == Check.id)
            .where(col(Check.id).in_(part), col(Finding.published_at).is_not(None))
        )
        places += [(check, visit, item) for check, visit, item in session.execute(query)]
        sources = {f"visit:{visit.id}" for _, visit, _ in places}
        for sources_part in chunks(sorted(sources)):
            rows = select(col(LedgerEntry.source), col(LedgerEntry.task), col(LedgerEntry.item))
            known |= {
                tuple(row) for row in session.execute(rows.where(col(LedgerEntry.source).in_(sources_part)))
            }
    for check, visit, item in places:
        # several versions of one item are one check
        key = (f"visit:{visit.id}", check.task, item)
        if key in known or visit.date is None:
            continue
        known.add(key)
        session.add(
            LedgerEntry(
                enterprise=visit.enterprise,
                date=visit.date,
                department_id=check.department_id,
                task=check.task,
                item=item,
                inspectors=sorted(check.crew),
                kind="plan",
                source=key[0],
                at=now,
            )
        )
    session.flush()


def enter_case(session: Session, case: CaseVisit, now: datetime) -> None:
    """Write a case visit's entries anew: planned ones are visible, and count once they are done."""
    source = f"case:{case.id}"
    session.execute(delete(LedgerEntry).where(col(LedgerEntry.source) == source))
    if case.state != "cancelled":
        session.add_all(
            LedgerEntry(
                enterprise=case.enterprise,
                date=case.date,
                department_id=case.department_id,
                item=item,
                inspectors=sorted(case.inspectors),
                kind=case.kind,
                source=source,
                done=case.state == "done",
                at=now,
            )
            for item in case.items
        )
    session.flush()


def list_ledger(
    session: Session,
    actor: Actor,
    wanted: LedgerFilter,
    *,
    after: tuple[date, int] | None = None,
    limit: int = 100,
) -> list[tuple[int, Done]]:
    """Return checks by date, at most ``limit`` after ``after``, with their numbers. Inspectors of others are left out.

    Numbers are even for entries and odd for rows of the library of past visits.
    """
    entries, past = _entries(wanted).limit(limit), _past(wanted)
    day, number = (date.min, 0) if after is None else after
    if after is not None:
        entries = entries.where(tuple_(col(LedgerEntry.date), col(LedgerEntry.id)) > (day, number // 2))
    rows = [(2 * (row.id or 0), _shown(row, actor)) for row in session.scalars(entries)]
    if past is not None:
        if after is not None:
            begin = day.isoformat(), (number - 1) // 2
            past = past.where(tuple_(col(LibraryRow.day), col(LibraryRow.id)) > begin)
        rows += [
            (2 * (row.id or 0) + 1, _past_shown(row, actor)) for row in session.scalars(past.limit(limit))
        ]
    return sorted(rows, key=lambda row: (row[1].date, row[0]))[:limit]


def all_entries(session: Session, actor: Actor, wanted: LedgerFilter) -> Iterator[Done]:
    """Yield every check by date, as it is read."""
    entries = session.scalars(_entries(wanted).execution_options(yield_per=2000))
    streams: list[Iterator[Done]] = [(_shown(row, actor) for row in entries)]
    past = _past(wanted)
    if past is not None:
        found = session.scalars(past.execution_options(yield_per=2000))
        streams.append(_past_shown(row, actor) for row in found)
    return heapq.merge(*streams, key=lambda done: done.date)


def history_of(session: Session, actor: Actor, enterprise: str) -> list[Done]:
    """Return every check of one enterprise by date: from the ledger and from the library of past visits, each once."""
    return list(all_entries(session, actor, LedgerFilter(enterprise=enterprise)))


def _entries(wanted: LedgerFilter) -> Select[LedgerEntry]:
    return (
        select(LedgerEntry).where(*_conditions(wanted)).order_by(col(LedgerEntry.date), col(LedgerEntry.id))
    )


def _past(wanted: LedgerFilter) -> Select[LibraryRow] | None:
    """Return the query for rows of the library of past visits that the ledger has not itself; None: there are none."""
    if wanted.done is False:
        return None
    cells = col(LibraryRow.cells)
    known = exists().where(
        col(LedgerEntry.enterprise) == col(LibraryRow.name),
        cast(col(LedgerEntry.date), String) == col(LibraryRow.day),
        col(LedgerEntry.department_id) == col(LibraryRow.department),
        col(LedgerEntry.task) == func.coalesce(cells["task"].as_string(), ""),
        col(LedgerEntry.item) == func.coalesce(cells["item"].as_string(), ""),
    )
    # only visits have a day; without their kind in the condition no other index is tempting
    conditions: list[ColumnElement[bool]] = [col(LibraryRow.day).is_not(None), col(LibraryRow.last).is_(None)]
    if wanted.enterprise is not None:
        # the key of a past visit begins with its enterprise (library_cells.key_of)
        begin, end = f"{wanted.enterprise} ", f"{wanted.enterprise}!"
        conditions += [
            col(LibraryRow.kind) == "visits",
            col(LibraryRow.key) >= begin,
            col(LibraryRow.key) < end,
        ]
        conditions.append(col(LibraryRow.name) == wanted.enterprise)
    if wanted.department is not None:
        conditions.append(col(LibraryRow.department) == wanted.department)
    if wanted.kind is not None:
        conditions.append(col(LibraryRow.sort) == wanted.kind)
    if wanted.first is not None:
        conditions.append(col(LibraryRow.day) >= wanted.first.isoformat())
    if wanted.last is not None:
        conditions.append(col(LibraryRow.day) <= wanted.last.isoformat())
    # the dear condition comes last
    return select(LibraryRow).where(*conditions, ~known).order_by(col(LibraryRow.day), col(LibraryRow.id))


def _past_shown(row: LibraryRow, actor: Actor) -> Done:
    cells: dict[str, Any] = row.cells
    people = tuple(each for each in str(cells.get("inspectors", "")).split(";") if each)
    return Done(
        enterprise=str(cells["enterprise"]),
        date=date.fromisoformat(cells["date"]),
        department=row.department,
        task=str(cells.get("task", "")),
        item=str(cells.get("item", "")),
        inspectors=people if _sees(actor, row.department, people) else None,
        kind=str(cells.get("kind", "plan")),
        source=f"revision:{row.first}",
        done=True,
    )


def _shown(row: LedgerEntry, actor: Actor) -> Done:
    people = tuple(row.inspectors)
    return Done(
        enterprise=row.enterprise,
        date=row.date,
        department=row.department_id,
        task=row.task,
        item=row.item,
        inspectors=people if _sees(actor, row.department_id, people) else None,
        kind=row.kind,
        source=row.source,
        done=row.done,
    )


def _sees(actor: Actor, department: str, inspectors: tuple[str, ...]) -> bool:
    if actor.role == Role.SUPPORT:
        return False
    if actor.role in SEES_ALL:
        return True
    if actor.role == Role.DEPARTMENT:
        return department == actor.department
    return actor.inspector in inspectors


def _conditions(wanted: LedgerFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.enterprise is not None:
        conditions.append(col(LedgerEntry.enterprise) == wanted.enterprise)
    if wanted.department is not None:
        conditions.append(col(LedgerEntry.department_id) == wanted.department)
    if wanted.kind is not None:
        conditions.append(col(LedgerEntry.kind) == wanted.kind)
    if wanted.first is not None:
        conditions.append(col(LedgerEntry.date) >= wanted.first)
    if wanted.last is not None:
        conditions.append(col(LedgerEntry.date) <= wanted.last)
    if wanted.done is not None:
        conditions.append(col(LedgerEntry.done).is_(wanted.done))
    return conditions
