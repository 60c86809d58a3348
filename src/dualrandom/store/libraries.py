"""The libraries as they are and as they were: one revision, its rows, one row's history, what a revision changed.

A row is never changed: another version of it begins with the next revision. A draw names the revisions that it froze, and
they can always be read again. What is read here may be a department's view: it sees its own inspectors and recusals only.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, false, func, or_, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from dualrandom.registry.columns import KINDS, LIBRARIES, Kind
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.errors import ForbiddenError, UnknownError, unknown
from dualrandom.store.library_cells import csv_of
from dualrandom.store.tables import LibraryRow, Revision, Role

SEALED = {"enterprises": ("credit_class",)}
"""Columns that are internal by rule: shown only on request, and every request is in the activity log."""
CONFIDENTIAL: frozenset[Kind] = frozenset({"inspectors", "recusals"})
"""Libraries of which a department sees its own rows only, and support none."""
LAST = "\U0010ffff"
"""Comes after everything that a key may go on with."""
_AT_ONCE = 5000


@dataclass(frozen=True, slots=True)
class Change:
    """What a revision, or an import that waits to be accepted, does to one row."""

    key: str
    change: str
    """new, changed, gone"""
    before: Mapping[str, str] | None
    after: Mapping[str, str] | None

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns that differ."""
        before, after = self.before or {}, self.after or {}
        return tuple(sorted(name for name in {*before, *after} if before.get(name) != after.get(name)))


def library_kind(text: str) -> Kind:
    """Return the library of this name. Raises UnknownError."""
    for kind in KINDS:
        if kind == text:
            return kind
    raise unknown("unknown-library", text, f"没有名录 {text}", f"there is no library {text}")


def current_revision(session: Session, kind: Kind) -> Revision | None:
    """Return the newest revision of a library, None if it has none yet."""
    newest = select(Revision).where(col(Revision.kind) == kind).order_by(col(Revision.number).desc()).limit(1)
    return session.scalars(newest).one_or_none()


def current_revisions(session: Session) -> dict[str, int]:
    """Return library kind → number of its newest revision, for those that have one."""
    newest = select(col(Revision.kind), func.max(col(Revision.number))).group_by(col(Revision.kind))
    return dict(session.execute(newest).all())


def library_csv(session: Session, kind: Kind, revision: int) -> bytes:
    """Return the rows of one revision as a csv that :mod:`dualrandom.registry` reads; the same bytes each time.

    Raises UnknownError if there is no such revision.
    """
    _require_revision(session, kind, revision)
    return csv_of(kind, rows_of(session, kind, revision))


def rows_of(session: Session, kind: Kind, revision: int) -> Iterator[dict[str, Any]]:
    """Yield the cells of every row of one revision, sorted by key."""
    found = select(col(LibraryRow.cells)).where(in_revision(kind, revision)).order_by(col(LibraryRow.key))
    yield from session.scalars(found.execution_options(yield_per=_AT_ONCE))


def in_revision(kind: Kind, revision: int) -> ColumnElement[bool]:
    """Return the condition for rows that are in a revision."""
    until = or_(col(LibraryRow.last).is_(None), col(LibraryRow.last) >= revision)
    return and_(col(LibraryRow.kind) == kind, col(LibraryRow.first) <= revision, until)


def search(
    session: Session,
    kind: Kind,
    actor: Actor,
    now: datetime,
    *,
    text: str | None = None,
    prefix: str | None = None,
    district: str | None = None,
    department: str | None = None,
    after: str | None = None,
    limit: int = 50,
    sealed: bool = False,
) -> Sequence[LibraryRow]:
    """Return current rows by key, at most ``limit`` of those after key ``after``.

    ``text`` is part of the name, ``prefix`` the beginning of the key. With ``sealed`` internal columns are shown, which needs a
    writing session: it is recorded. Raises ForbiddenError.
    """
    conditions = [col(LibraryRow.kind) == kind, col(LibraryRow.last).is_(None), *visible(kind, actor)]
    if text:
        conditions.append(col(LibraryRow.name).contains(text, autoescape=True))
    if prefix:
        conditions += [col(LibraryRow.key) >= prefix, col(LibraryRow.key) < prefix + LAST]
    if district:
        conditions.append(col(LibraryRow.district) == district)
    if department:
        conditions.append(col(LibraryRow.department) == department)
    if after:
        conditions.append(col(LibraryRow.key) > after)
    # the index answers everything but the cells, which are read for the page only
    page = select(col(LibraryRow.id)).where(*conditions).order_by(col(LibraryRow.key)).limit(limit)
    numbers = list(session.scalars(page))
    rows = session.scalars(
        select(LibraryRow).where(col(LibraryRow.id).in_(numbers)).order_by(col(LibraryRow.key))
    )
    found = list(rows)
    if sealed:
        read_sealed(session, kind, actor, now, [row.key for row in found])
    return found


def current_row(session: Session, kind: Kind, key: str, actor: Actor) -> LibraryRow:
    """Return the row as it is now. Raises UnknownError, also if it is not the department's to see."""
    found = select(LibraryRow).where(
        col(LibraryRow.kind) == kind,
        col(LibraryRow.key) == key,
        col(LibraryRow.last).is_(None),
        *visible(kind, actor),
    )
    row = session.scalars(found).one_or_none()
    if row is None:
        raise unknown_row(kind, key)
    return row


def history(session: Session, kind: Kind, key: str, actor: Actor) -> Sequence[tuple[LibraryRow, Revision]]:
    """Return all versions of one row, oldest first, with the revision that brought each. Raises UnknownError."""
    began = and_(col(Revision.kind) == col(LibraryRow.kind), col(Revision.number) == col(LibraryRow.first))
    found = (
        select(LibraryRow, Revision)
        .join(Revision, began)
        .where(col(LibraryRow.kind) == kind, col(LibraryRow.key) == key)
        .order_by(col(LibraryRow.first))
    )
    versions = [(row, revision) for row, revision in session.execute(found)]
    if not versions:
        raise unknown_row(kind, key)
    if kind in CONFIDENTIAL:
        # whoever has the person now may see where the person came from
        newest = select(col(LibraryRow.id)).where(
            col(LibraryRow.id) == versions[-1][0].id, *visible(kind, actor)
        )
        if session.scalars(newest).one_or_none() is None:
            raise unknown_row(kind, key)
    return versions


def revisions(
    session: Session, kind: Kind, *, before: int | None = None, limit: int = 50
) -> Sequence[Revision]:
    """Return a library's revisions, newest first."""
    found = select(Revision).where(col(Revision.kind) == kind)
    if before is not None:
        found = found.where(col(Revision.number) < before)
    return list(session.scalars(found.order_by(col(Revision.number).desc()).limit(limit)))


def changes_of(
    session: Session, kind: Kind, revision: int, actor: Actor, *, after: str | None = None, limit: int = 50
) -> Sequence[Change]:
    """Return what a revision changed against the one before, by key. Raises UnknownError."""
    _require_revision(session, kind, revision)
    touched = or_(col(LibraryRow.first) == revision, col(LibraryRow.last) == revision - 1)
    keys = select(col(LibraryRow.key)).where(col(LibraryRow.kind) == kind, touched, *visible(kind, actor))
    if after:
        keys = keys.where(col(LibraryRow.key) > after)
    page = list(session.scalars(keys.distinct().order_by(col(LibraryRow.key)).limit(limit)))
    rows = session.scalars(
        select(LibraryRow).where(col(LibraryRow.kind) == kind, col(LibraryRow.key).in_(page), touched)
    )
    before: dict[str, dict[str, Any]] = {}
    now: dict[str, dict[str, Any]] = {}
    for row in rows:
        (now if row.first == revision else before)[row.key] = row.cells
    return [
        Change(
            key,
            "new" if key not in before else "changed" if key in now else "gone",
            before.get(key),
            now.get(key),
        )
        for key in page
    ]


def visible(kind: Kind, actor: Actor) -> list[ColumnElement[bool]]:
    """Return the condition for rows that somebody may see. Raises ForbiddenError."""
    if actor.role == Role.SUPPORT and kind in CONFIDENTIAL:
        # support helps with the service, it does not need to know who inspects whom
        return [false()]
    if not is_departments(actor):
        return []
    if actor.department is None:
        raise ForbiddenError(
            "without-department",
            actor.name,
            {"zh": "账号不属于任何部门", "en": "the account belongs to no department"},
            {"zh": "请管理员设置部门。", "en": "Ask the dispatcher to give it one."},
        )
    if kind == "inspectors":
        return [col(LibraryRow.department) == actor.department]
    if kind == "recusals":
        return [own_recusals(actor.department)]
    return []


def own_recusals(department: str) -> ColumnElement[bool]:
    """Return the condition for recusals of a department's present inspectors (of a recusal, ``name`` is the inspector)."""
    person = aliased(LibraryRow)
    return (
        select(col(person.id))
        .where(
            col(person.kind) == "inspectors",
            col(person.last).is_(None),
            col(person.key) == col(LibraryRow.name),
            col(person.department) == department,
        )
        .exists()
    )


def is_departments(actor: Actor) -> bool:
    """Tell whether somebody acts for a department and so sees no other department's rows."""
    return actor.role in {Role.DEPARTMENT, Role.CREW}


def read_sealed(session: Session, kind: Kind, actor: Actor, now: datetime, keys: Sequence[str]) -> None:
    """Record that somebody reads internal columns. Raises ForbiddenError for who may not."""
    if kind not in SEALED or not keys:
        return
    if actor.role not in {Role.DISPATCHER, Role.AUDITOR}:
        raise ForbiddenError(
            "sealed-column",
            ", ".join(SEALED[kind]),
            {"zh": "信用风险分类是内部信息", "en": "credit classes are internal"},
            {"zh": "不带 sealed 再查询。", "en": "Ask again without sealed."},
        )
    shown = {"columns": list(SEALED[kind]), "rows": len(keys), "first": keys[0], "last": keys[-1]}
    activity.record(session, actor, "read-sealed", f"library:{kind}", now, shown)


def shown(kind: Kind, cells: Mapping[str, Any], *, sealed: bool = False) -> dict[str, str]:
    """Return all columns of a row that may be shown, empty ones included."""
    hidden = () if sealed else SEALED.get(kind, ())
    names = (column.name for column in LIBRARIES[kind].columns)
    return {name: cells.get(name, "") for name in names if name not in hidden}


def unknown_row(kind: Kind, key: str) -> UnknownError:
    """Return the error for a row that is not there or not the asker's to see."""
    return unknown(
        "unknown-row", key, f"{LIBRARIES[kind].zh}中没有 {key}", f"{LIBRARIES[kind].en} have no row {key}"
    )


def _require_revision(session: Session, kind: Kind, revision: int) -> None:
    known = select(col(Revision.id)).where(col(Revision.kind) == kind, col(Revision.number) == revision)
    if session.scalars(known).one_or_none() is None:
        raise unknown(
            "unknown-revision",
            f"{kind} {revision}",
            f"{LIBRARIES[kind].zh}没有第 {revision} 版",
            f"{LIBRARIES[kind].en} have no revision {revision}",
        )
