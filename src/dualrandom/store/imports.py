"""Importing a library: a file is read in the background, shown as a difference, and then accepted or discarded as a whole.

Nothing of a file that has an error is kept but the list of its errors. A department imports its own inspectors and recusals;
its file replaces its own rows and leaves those of others alone.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from pathlib import PurePosixPath
from typing import Any

from sqlalchemy import ColumnElement, delete, func, select
from sqlmodel import Session, col

from dualrandom.registry.columns import Kind
from dualrandom.registry.reader import SUFFIXES
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.blobs import Vault
from dualrandom.store.bulk import insert_rows
from dualrandom.store.database import StaleError, locked
from dualrandom.store.errors import ConflictError, ForbiddenError, RefusedError, unknown
from dualrandom.store.jobs import enqueue
from dualrandom.store.libraries import (
    CONFIDENTIAL,
    Change,
    current_revision,
    in_revision,
    is_departments,
    library_kind,
    own_recusals,
)
from dualrandom.store.library_cells import Cells
from dualrandom.store.plan_text import require_plain
from dualrandom.store.tables import Import, Job, LibraryRow, Office, Revision, Role, StagedRow

IMPORT = "import"
"""Kind of the job that reads an uploaded file; its subject is the import's number."""
OPTIONS = frozenset({"sheet", "encoding", "columns", "values"})
MOST_WAITING = 20
"""Files of a department, or of the office, that wait to be read or accepted."""
_STAGED = ("import_id", "position", "key", "change", "name", "district", "department", "cells", "digest")


class Difference:
    """What a file does to a library: its rows by change, in the file's order of keys, then those that are gone; and the counts.

    ``known``: key → digest of the rows that it replaces, which is used up. The counts are right when all batches were taken.
    """

    def __init__(self, known: dict[str, str], rows: Sequence[Cells]) -> None:
        self._known, self._rows = known, rows
        self.compared = self.new = self.changed = self.gone = self.unchanged = 0

    def batches(self, size: int) -> Iterator[Sequence[tuple[str, Cells]]]:
        """Yield the rows that differ, at most ``size`` at once, so that never all of them are in memory."""
        batch: list[tuple[str, Cells]] = []
        for change in self._changes():
            batch.append(change)
            if len(batch) == size:
                yield batch
                batch = []
        if batch:
            yield batch

    def _changes(self) -> Iterator[tuple[str, Cells]]:
        for row in self._rows:
            self.compared += 1
            digest = self._known.pop(row.key, None)
            if digest == row.digest:
                self.unchanged += 1
            elif digest is None:
                self.new += 1
                yield "new", row
            else:
                self.changed += 1
                yield "changed", row
        for key in sorted(self._known):
            self.gone += 1
            yield "gone", Cells(key, "", "", "", "{}", "")


def create_import(
    session: Session,
    vault: Vault,
    kind: Kind,
    filename: str,
    content: bytes,
    *,
    actor: Actor,
    now: datetime,
    options: Mapping[str, Any] | None = None,
) -> tuple[Import, Job]:
    """Keep an uploaded file and let a job read it.

    ``options``: sheet, encoding, columns, values, as in a plan's ``[libraries.…]``. Raises ForbiddenError, RefusedError.
    """
    department = may_import(kind, actor)
    options = dict(options or {})
    require_options(options)
    unknown_options = sorted(options.keys() - OPTIONS)
    name = "".join(filter(str.isprintable, PurePosixPath(filename.replace("\\", "/")).name))[-200:]
    if unknown_options or not name.lower().endswith(SUFFIXES):
        raise RefusedError(
            "import-file",
            ", ".join(unknown_options) or name,
            {
                "zh": "文件类型或读取选项不可用",
                "en": "this type of file, or an option for reading it, is not known",
            },
            {
                "zh": "文件为 .csv、.xlsx 或 .parquet；选项为 sheet、encoding、columns、values。",
                "en": "A file is .csv, .xlsx or .parquet; options are sheet, encoding, columns and values.",
            },
        )
    _require_room(session, department)
    row = Import(
        kind=kind,
        filename=name,
        blob=vault.put(session, content, private=True),
        department_id=department,
        options=options,
        problems=[],
        created_by=actor.name,
        created_at=now,
    )
    session.add(row)
    session.flush()
    activity.record(
        session, actor, "import", f"import:{row.id}", now, {"file": name, "kind": kind, "sha256": row.blob}
    )
    job = enqueue(session, IMPORT, str(row.id), now=now, by=actor.name, unique_key=f"{IMPORT}:{row.id}")
    return row, job


def _require_room(session: Session, department: str | None) -> None:
    """See that a department, or the office, has not too many files waiting: each is kept, and read into the database, whole."""
    waiting = select(func.count()).where(
        col(Import.state).in_(("uploaded", "reading", "ready")), col(Import.department_id) == department
    )
    if session.scalars(waiting).one() >= MOST_WAITING:
        raise ConflictError(
            "imports-waiting",
            str(MOST_WAITING),
            {
                "zh": f"已有 {MOST_WAITING} 个导入等待接受",
                "en": f"{MOST_WAITING} imports are waiting to be accepted",
            },
            {"zh": "先接受或放弃它们。", "en": "Accept or discard them first."},
        )


def imports(
    session: Session, actor: Actor, *, kind: str | None = None, before: int | None = None, limit: int = 50
) -> Sequence[Import]:
    """Return the imports that somebody may see, newest first."""
    found = select(Import).where(*_visible(actor))
    if kind is not None:
        found = found.where(col(Import.kind) == kind)
    if before is not None:
        found = found.where(col(Import.id) < before)
    return list(session.scalars(found.order_by(col(Import.id).desc()).limit(limit)))


def import_of(session: Session, number: int, actor: Actor, *, lock: bool = False) -> Import:
    """Return one import; ``lock``: nobody else accepts or discards it until the transaction ends. Raises UnknownError."""
    row = session.scalars(select(Import).where(col(Import.id) == number, *_visible(actor))).one_or_none()
    if row is None:
        raise unknown("unknown-import", str(number), f"没有导入 {number}", f"there is no import {number}")
    if lock:
        locked(session, Import, number)
    return row


def difference_page(
    session: Session, row: Import, *, change: str | None = None, after: int = 0, limit: int = 50
) -> Sequence[tuple[int, Change]]:
    """Return what accepting would do, as (position, change) with positions above ``after``. Raises ConflictError ``import-not-ready``."""
    require_ready(row)
    found = select(StagedRow).where(col(StagedRow.import_id) == row.id, col(StagedRow.position) > after)
    if change is not None:
        found = found.where(col(StagedRow.change) == change)
    staged = list(session.scalars(found.order_by(col(StagedRow.position)).limit(limit)))
    kind = library_kind(row.kind)
    old = select(col(LibraryRow.key), col(LibraryRow.cells)).where(
        in_revision(kind, row.base_revision or 0), col(LibraryRow.key).in_([each.key for each in staged])
    )
    before = dict(session.execute(old).all())
    return [
        (
            each.position,
            Change(
                each.key,
                each.change,
                before.get(each.key),
                None if each.change == "gone" else each.cells,
            ),
        )
        for each in staged
    ]


def discard(session: Session, number: int, version: int, *, actor: Actor, now: datetime) -> Import:
    """Give an import up. Raises UnknownError, StaleError, ConflictError ``import-ended``."""
    row = import_of(session, number, actor, lock=True)
    if row.version != version:
        raise StaleError(f"import {number}")
    if row.state in {"accepted", "discarded"}:
        raise ConflictError(
            "import-ended",
            str(number),
            {"zh": "该导入已接受或已放弃", "en": "this import has been accepted or discarded"},
            {"zh": "不必处理。", "en": "Nothing has to be done."},
        )
    end(session, row, "discarded")
    activity.record(session, actor, "import-discarded", f"import:{number}", now)
    return row


def next_revision(
    session: Session, kind: Kind, more: int, import_id: int | None, actor: Actor, now: datetime
) -> Revision:
    """Begin the library's next revision, with ``more`` rows than the one before; until the transaction ends no other begins."""
    locked(session, Office, 1)
    head = current_revision(session, kind)
    revision = Revision(
        kind=kind,
        number=1 if head is None else head.number + 1,
        import_id=import_id,
        rows=more + (0 if head is None else head.rows),
        at=now,
        by=actor.name,
    )
    session.add(revision)
    session.flush()
    return revision


def known_rows(session: Session, kind: Kind, department: str | None, base: int) -> dict[str, str]:
    """Return key → digest of a revision's rows, of a department its own: what a file is compared with."""
    scope = [in_revision(kind, base), *own_rows(kind, department)]
    return dict(session.execute(select(col(LibraryRow.key), col(LibraryRow.digest)).where(*scope)).all())


def stage(session: Session, number: int, first: int, rows: Sequence[tuple[str, Cells]]) -> None:
    """Keep some of a difference's rows, numbered from ``first``."""
    insert_rows(
        session,
        "staged_row",
        _STAGED,
        (
            (number, position, row.key, change, row.name, row.district, row.department, row.json, row.digest)
            for position, (change, row) in enumerate(rows, first)
        ),
    )


def own_rows(kind: Kind, department: str | None) -> list[ColumnElement[bool]]:
    """Return the condition for the rows that a department's file replaces."""
    if department is None:
        return []
    return [own_recusals(department) if kind == "recusals" else col(LibraryRow.department) == department]


def require_options(options: Mapping[str, Any]) -> None:
    """Refuse options for reading a file that have the wrong form. Raises RefusedError ``import-options``."""
    values = options.get("values") or {}
    texts = isinstance(values, Mapping) and all(map(_is_texts, values.values()))
    names = (options.get(name) for name in ("sheet", "encoding"))
    if (
        texts
        and _is_texts(options.get("columns") or {})
        and all(isinstance(name, str | None) for name in names)
    ):
        require_plain(dict(options))
        return
    raise RefusedError(
        "import-options",
        "",
        {"zh": "读取选项的形式不对", "en": "the options for reading have the wrong form"},
        {
            "zh": "columns：本系统列名 → 文件列名；values：列名 → {文件中的值 → 本系统的值}；sheet、encoding 为文字。",
            "en": "columns: our name → the file's; values: our name → {the file's value → ours}; sheet and encoding are texts.",
        },
    )


def _is_texts(found: object) -> bool:
    return isinstance(found, Mapping) and all(isinstance(text, str) for text in found.values())


def may_import(kind: Kind, actor: Actor) -> str | None:
    """Return whose rows an import by this actor replaces, None: all. Raises ForbiddenError."""
    if actor.role == Role.DISPATCHER:
        return None
    if not is_departments(actor) or actor.department is None or kind not in CONFIDENTIAL:
        raise ForbiddenError(
            "library-not-yours",
            kind,
            {
                "zh": "部门只能导入本部门的检查人员和回避名单",
                "en": "a department imports its own inspectors and recusals only",
            },
            {"zh": "其他名录请调度员导入。", "en": "Ask the dispatcher to import the other libraries."},
        )
    return actor.department


def _visible(actor: Actor) -> list[ColumnElement[bool]]:
    if actor.role == Role.SUPPORT:
        return [~col(Import.kind).in_(sorted(CONFIDENTIAL))]
    return [col(Import.department_id) == (actor.department or "")] if is_departments(actor) else []


def require_ready(row: Import) -> None:
    """See that an import has been read and not been ended. Raises ConflictError ``import-not-ready``."""
    if row.state != "ready":
        raise ConflictError(
            "import-not-ready",
            row.state,
            {
                "zh": f"该导入的状态是 {row.state}，没有可接受的差异",
                "en": f"this import is {row.state}: there is no difference to accept",
            },
            {
                "zh": "读取中请等待；被拒绝的文件按问题清单更正后重新上传。",
                "en": "Wait while it is read; correct a refused file as its list of problems says, and upload it again.",
            },
        )


def end(session: Session, row: Import, state: str) -> None:
    """Let an import be over: what was staged of it goes."""
    session.execute(delete(StagedRow).where(col(StagedRow.import_id) == row.id))
    row.state = state
    row.version += 1
    session.add(row)
    session.flush()
