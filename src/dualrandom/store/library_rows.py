"""Changing one row of a library: the next revision has it added, changed or gone, all other rows as they were."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select, update
from sqlmodel import Session, col

from dualrandom.errors import InputError
from dualrandom.registry.columns import LIBRARIES, Kind
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.database import StaleError
from dualrandom.store.errors import ConflictError, RefusedError
from dualrandom.store.import_reading import office_words, read_rows
from dualrandom.store.imports import may_import, next_revision
from dualrandom.store.libraries import current_row
from dualrandom.store.library_cells import Cells, csv_of
from dualrandom.store.plan_text import require_plain
from dualrandom.store.tables import LibraryRow, Revision


def change_row(
    session: Session,
    kind: Kind,
    key: str,
    version: int,
    cells: Mapping[str, str],
    *,
    actor: Actor,
    now: datetime,
) -> LibraryRow:
    """Replace a row's cells; ``version`` is the revision that brought the row as it was read (``first``).

    Columns that are not given keep their text; an empty text empties them. A new key (for instance a corrected code) makes a new
    row. Raises UnknownError, ForbiddenError, StaleError, InputError with every fault of the row.
    """
    department = may_import(kind, actor)
    row = current_row(session, kind, key, actor)
    if row.first != version:
        raise StaleError(f"{kind} {key}")
    read = _read(session, kind, {**row.cells, **cells}, department)
    if read.digest == row.digest:
        return row
    if read.key != key:
        _require_free(session, kind, read.key)
    revision = next_revision(session, kind, 0, None, actor, now)
    if read.key != key:
        _require_free(session, kind, read.key)
    _end(session, row, revision)
    made = _add(session, kind, read, revision.number)
    detail = {"key": made.key, "revision": revision.number}
    activity.record(session, actor, "row-changed", f"library:{kind}", now, detail)
    return made


def add_row(
    session: Session, kind: Kind, cells: Mapping[str, str], *, actor: Actor, now: datetime
) -> LibraryRow:
    """Add a row. Raises ForbiddenError, ConflictError ``row-exists``, InputError with every fault of the row."""
    department = may_import(kind, actor)
    read = _read(session, kind, cells, department)
    _require_free(session, kind, read.key)
    revision = next_revision(session, kind, 1, None, actor, now)
    # whoever added it at the same time was waited for
    _require_free(session, kind, read.key)
    made = _add(session, kind, read, revision.number)
    detail = {"key": made.key, "revision": revision.number}
    activity.record(session, actor, "row-added", f"library:{kind}", now, detail)
    return made


def remove_row(session: Session, kind: Kind, key: str, version: int, *, actor: Actor, now: datetime) -> None:
    """Take a row out of the library; its versions stay. Raises UnknownError, ForbiddenError, StaleError."""
    may_import(kind, actor)
    row = current_row(session, kind, key, actor)
    if row.first != version:
        raise StaleError(f"{kind} {key}")
    revision = next_revision(session, kind, -1, None, actor, now)
    _end(session, row, revision)
    detail = {"key": key, "revision": revision.number}
    activity.record(session, actor, "row-removed", f"library:{kind}", now, detail)


def _read(session: Session, kind: Kind, cells: Mapping[str, str], department: str | None) -> Cells:
    """Read one row as if it stood in a file, with the same rules."""
    require_plain(dict(cells))
    unknown_columns = sorted(cells.keys() - {column.name for column in LIBRARIES[kind].columns})
    if unknown_columns:
        raise RefusedError(
            "column-unknown",
            ", ".join(unknown_columns)[:200],
            {"zh": f"{LIBRARIES[kind].zh}没有这些列", "en": f"{LIBRARIES[kind].en} have no such columns"},
            {
                "zh": f"可用：{'、'.join(column.name for column in LIBRARIES[kind].columns)}。",
                "en": f"Known: {', '.join(column.name for column in LIBRARIES[kind].columns)}.",
            },
        )
    words = office_words(session, kind, department)
    found = read_rows(kind, f"{kind}.csv", csv_of(kind, [cells]), words, department, {}, sheet=False)
    if found.errors or len(found.rows) != 1:
        problems = [one for one in found.problems if one.severity == "error"]
        if problems:
            raise InputError(problems)
        raise RefusedError(
            "row-empty",
            "",
            {
                "zh": "没有内容，或被当作示例或合计行",
                "en": "there is nothing in it, or it reads like an example or a total",
            },
            {"zh": "填写必填的列。", "en": "Fill in the required columns."},
        )
    return found.rows[0]


def _end(session: Session, row: LibraryRow, revision: Revision) -> None:
    """Let a row's version end before a revision. Raises StaleError if somebody else ended it in between."""
    ended = session.connection().execute(
        update(LibraryRow)
        .where(col(LibraryRow.id) == row.id, col(LibraryRow.last).is_(None))
        .values(last=revision.number - 1)
    )
    if ended.rowcount != 1:
        raise StaleError(f"{row.kind} {row.key}")
    session.refresh(row)


def _require_free(session: Session, kind: Kind, key: str) -> None:
    taken = select(col(LibraryRow.id)).where(
        col(LibraryRow.kind) == kind, col(LibraryRow.key) == key, col(LibraryRow.last).is_(None)
    )
    if session.scalars(taken).first() is not None:
        raise ConflictError(
            "row-exists",
            key,
            {"zh": f"{key} 已在{LIBRARIES[kind].zh}中", "en": f"{key} is in the library already"},
            {"zh": "修改已有的一行。", "en": "Change the row that is there."},
        )


def _add(session: Session, kind: Kind, read: Cells, revision: int) -> LibraryRow:
    row = LibraryRow(
        kind=kind,
        key=read.key,
        first=revision,
        name=read.name,
        district=read.district,
        department=read.department,
        day=read.cells["date"] if kind == "visits" else None,
        sort=read.cells.get("kind", "plan") if kind == "visits" else None,
        cells=read.cells,
        digest=read.digest,
    )
    session.add(row)
    session.flush()
    return row
