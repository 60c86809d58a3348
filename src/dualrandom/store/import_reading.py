"""Reading an uploaded file: its rows as they will be kept and compared, or every fault that it has.

Words that the office uses for its departments and districts are understood, whoever wrote the file. Its rows are held in memory as
they were read (some 1 KB a row); as they are stored they are made one after another, and the database gets them in batches.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, overload

from sqlalchemy import delete, select
from sqlmodel import Session, col

from dualrandom.errors import InputError, Problem
from dualrandom.policy.plan import LibrarySource
from dualrandom.registry.columns import LIBRARIES, Kind
from dualrandom.registry.reader import read_library
from dualrandom.registry.rows import RowSet
from dualrandom.registry.values import Vocabulary
from dualrandom.store.accepting import accept
from dualrandom.store.activity import Actor
from dualrandom.store.blobs import Vault
from dualrandom.store.database import Database
from dualrandom.store.imports import Difference, create_import, known_rows, stage
from dualrandom.store.jobs import finish, holds, renew
from dualrandom.store.libraries import current_revision, library_kind
from dualrandom.store.library_cells import Cells, cells_of, packed
from dualrandom.store.marking import marked_sheet
from dualrandom.store.tables import Department, Import, Job, LibraryRow, PlanRow, Revision, StagedRow

BATCH = 5000
SHOWN = 200
"""Problems that are kept as data; the sheet has them all."""


@dataclass(frozen=True, slots=True)
class OfficeWords:
    """What files may call things: departments and districts by name → id, and whose inspectors there are."""

    departments: Mapping[str, str]
    districts: Mapping[str, str]
    people: frozenset[str] | None
    """Codes of a department's inspectors, where only their recusals may be imported."""
    taken: frozenset[str] = frozenset()
    """Codes of other departments' inspectors, which a department's file cannot take."""


class PackedRows(Sequence[Cells]):
    """Rows as they will be kept, each made when it is asked for: that form of all of them would be larger than the file."""

    def __init__(self, kind: Kind, records: Sequence[object]) -> None:
        self._kind, self._records = kind, records

    def __len__(self) -> int:
        return len(self._records)

    @overload
    def __getitem__(self, index: int) -> Cells: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Cells]: ...
    def __getitem__(self, index: int | slice) -> Cells | Sequence[Cells]:
        if isinstance(index, slice):
            return PackedRows(self._kind, self._records[index])
        return packed(self._kind, cells_of(self._kind, self._records[index]))


@dataclass(frozen=True, slots=True)
class FileRows:
    """The rows of a file, none if it has an error, and what is to be said of it; the sheet is there if there is a problem."""

    rows: Sequence[Cells]
    problems: Sequence[Problem]
    sheet: bytes | None

    @property
    def errors(self) -> int:
        """How many problems refuse the file."""
        return sum(found.severity == "error" for found in self.problems)


def office_words(session: Session, kind: Kind, department: str | None) -> OfficeWords:
    """Return what the office calls its departments and districts."""
    departments: dict[str, str] = {}
    for one in session.scalars(select(Department)):
        departments |= {one.id: one.id, one.name: one.id, one.name_en: one.id}
    districts: dict[str, str] = {}
    for document in session.scalars(select(col(PlanRow.document))):
        for row in document.get("districts") or ():
            if isinstance(row, dict) and isinstance(row.get("id"), str):
                names = (row.get(name) for name in ("name", "name_en"))
                # an empty name would say what an empty cell means
                districts |= {name: row["id"] for name in names if isinstance(name, str) and name}
    people = None
    if kind == "recusals" and department is not None:
        own = select(col(LibraryRow.key)).where(
            col(LibraryRow.kind) == "inspectors",
            col(LibraryRow.last).is_(None),
            col(LibraryRow.department) == department,
        )
        people = frozenset(session.scalars(own))
    taken: frozenset[str] = frozenset()
    if kind == "inspectors" and department is not None:
        others = select(col(LibraryRow.key)).where(
            col(LibraryRow.kind) == kind,
            col(LibraryRow.last).is_(None),
            col(LibraryRow.department) != department,
        )
        taken = frozenset(session.scalars(others))
    return OfficeWords(departments, districts, people, taken)


def read_rows(
    kind: Kind,
    filename: str,
    content: bytes,
    words: OfficeWords,
    department: str | None,
    options: Mapping[str, Any],
    *,
    sheet: bool = True,
) -> FileRows:
    """Read a file's bytes as library ``kind``. ``department``: whose rows it may have, None: anybody's.

    ``sheet``: whether to make the sheet of its problems.
    """
    with tempfile.TemporaryDirectory(prefix="dualrandom-") as made:
        # the name may be longer than a file's may be
        path = Path(made) / f"{kind}{PurePosixPath(filename).suffix.lower()}"
        path.write_bytes(content)
        return read_file(kind, filename, path, words, department, options, sheet=sheet)


def read_file(
    kind: Kind,
    filename: str,
    path: Path,
    words: OfficeWords,
    department: str | None,
    options: Mapping[str, Any],
    *,
    sheet: bool = True,
) -> FileRows:
    """Read the file at ``path``, in a folder of its own, which was uploaded as ``filename``; see :func:`read_rows`."""
    seen: list[RowSet] = []

    def further(rows: RowSet) -> None:
        seen.append(rows)
        _known_departments(rows, words)
        if department is not None:
            _own(rows, department, words)

    read = read_library(kind, path, _source(kind, options, words), None, None, further)
    problems = [_shown(replace(found, file=filename)) for found in read.problems]
    marked = None
    if sheet and problems:
        marked = marked_sheet(problems, seen[0] if seen else None, path.parent)
    return FileRows(PackedRows(kind, read.rows), problems, marked)


def _shown(found: Problem) -> Problem:
    """Return a problem that can be kept: a file may hold anything, a database's text may not."""
    words: dict[str, Any] = asdict(found)
    if all(text.isprintable() for text in words.values() if isinstance(text, str)):
        return found
    words = {name: _printable(text) if isinstance(text, str) else text for name, text in words.items()}
    return Problem(**words)


def _printable(text: str) -> str:
    return "".join(character if character.isprintable() else "\ufffd" for character in text)


def read_import(database: Database, vault: Vault, job: Job, clock: Callable[[], datetime]) -> None:
    """Read an uploaded file, keep the difference, and end the job. Run again after a crash it begins anew."""
    number = int(job.subject)
    with database.writing() as session:
        holds(session, job)
        row = session.get_one(Import, number)
        if row.state not in {"uploaded", "reading"}:
            finish(session, job, clock(), result={"import": number, "state": row.state})
            return
        row.state = "reading"
        session.add(row)
        session.execute(delete(StagedRow).where(col(StagedRow.import_id) == number))
    kind = library_kind(row.kind)
    renew(database, job, clock(), stage=("读取文件", "reading the file"), done=0, total=0)
    with tempfile.TemporaryDirectory(prefix="dualrandom-") as made:
        path = Path(made) / f"{kind}{PurePosixPath(row.filename).suffix.lower()}"
        with database.reading() as session:
            path.write_bytes(vault.get(session, row.blob))
            words = office_words(session, kind, row.department_id)
        read = read_file(kind, row.filename, path, words, row.department_id, row.options)
    if read.errors:
        _refuse(database, vault, job, row, read, clock())
        return
    total = len(read.rows)
    renew(database, job, clock(), stage=("与现有名录比对", "comparing with the library"), done=0, total=total)
    with database.reading() as session:
        head = current_revision(session, kind)
        base = 0 if head is None else head.number
        difference = Difference(known_rows(session, kind, row.department_id, base), read.rows)
    renew(database, job, clock(), stage=("比对并暂存差异", "comparing, and keeping the difference"))
    position = 1
    for batch in difference.batches(BATCH):
        with database.writing(apart=True) as session:
            holds(session, job)
            stage(session, number, position, batch)
        position += len(batch)
        renew(database, job, clock(), done=difference.compared)
    with database.writing() as session:
        row = session.get_one(Import, number, with_for_update=True)
        if _is_discarded(session, job, row, clock()):
            return
        row.state, row.base_revision, row.rows = "ready", base, total
        row.new, row.changed, row.gone = difference.new, difference.changed, difference.gone
        row.unchanged = difference.unchanged
        _keep_problems(session, vault, row, read)
        counts = {name: getattr(row, name) for name in ("rows", "new", "changed", "gone", "unchanged")}
        finish(session, job, clock(), result={"import": number, "state": "ready", **counts})


def import_now(
    session: Session,
    vault: Vault,
    kind: Kind,
    filename: str,
    content: bytes,
    *,
    actor: Actor,
    now: datetime,
    options: Mapping[str, Any] | None = None,
) -> Revision:
    """Read a file and accept it, within one transaction. Raises InputError with all its problems."""
    row, job = create_import(session, vault, kind, filename, content, actor=actor, now=now, options=options)
    assert row.id is not None
    words = office_words(session, kind, row.department_id)
    read = read_rows(kind, row.filename, content, words, row.department_id, row.options)
    if read.errors:
        raise InputError(read.problems)
    head = current_revision(session, kind)
    row.base_revision = 0 if head is None else head.number
    difference = Difference(known_rows(session, kind, row.department_id, row.base_revision), read.rows)
    position = 1
    for batch in difference.batches(BATCH):
        stage(session, row.id, position, batch)
        position += len(batch)
    row.state, row.rows, row.unchanged = "ready", len(read.rows), difference.unchanged
    row.new, row.changed, row.gone = difference.new, difference.changed, difference.gone
    _keep_problems(session, vault, row, read)
    session.flush()
    job.state, job.finished_at = "done", now
    session.add(job)
    return accept(session, row.id, row.version, actor=actor, now=now)


def _refuse(database: Database, vault: Vault, job: Job, row: Import, read: FileRows, now: datetime) -> None:
    with database.writing() as session:
        kept = session.get_one(Import, row.id, with_for_update=True)
        if _is_discarded(session, job, kept, now):
            return
        kept.state = "refused"
        _keep_problems(session, vault, kept, read)
        finish(
            session,
            job,
            now,
            result={"import": kept.id, "state": "refused", "problems": kept.problem_count},
        )


def _is_discarded(session: Session, job: Job, row: Import, now: datetime) -> bool:
    """End the job if the import was discarded while it was read: what was staged since goes too."""
    if row.state == "reading":
        return False
    session.execute(delete(StagedRow).where(col(StagedRow.import_id) == row.id))
    finish(session, job, now, result={"import": row.id, "state": row.state})
    return True


def _keep_problems(session: Session, vault: Vault, row: Import, read: FileRows) -> None:
    first = sorted(read.problems, key=lambda found: found.severity != "error")[:SHOWN]
    row.problems = [asdict(found) for found in first]
    row.problem_count = len(read.problems)
    row.problem_sheet = None if read.sheet is None else vault.put(session, read.sheet, private=True)
    row.version += 1
    session.add(row)
    session.flush()


def _source(kind: Kind, options: Mapping[str, Any], words: OfficeWords) -> LibrarySource:
    """Return how to read the file: the importer's mappings, which prevail, and the office's words."""
    columns, values = options.get("columns") or {}, options.get("values") or {}
    usual = {"department": words.departments, "district": words.districts, "districts": words.districts}
    own = {column.name for column in LIBRARIES[kind].columns}
    office = {name: texts for name, texts in usual.items() if name in own and texts}
    merged = {name: {**office.get(name, {}), **values.get(name, {})} for name in {**office, **values}}
    return LibrarySource("", options.get("sheet"), options.get("encoding"), columns, merged)


def _known_departments(rows: RowSet, words: OfficeWords) -> None:
    column = rows.values.get("department")
    if column is None:
        return
    ids = frozenset(words.departments.values())
    vocabulary = Vocabulary((name, ()) for name in sorted(ids))
    for index, value in enumerate(column):
        if isinstance(value, str) and value not in ids:
            rows.refuse(
                "department-unknown",
                index,
                "department",
                value,
                vocabulary.near(value),
                names=vocabulary.names,
            )


def _own(rows: RowSet, department: str, words: OfficeWords) -> None:
    """Refuse rows that belong to another department, or would take the code of somebody there."""
    name = "inspector" if words.people is not None else "department"
    own = words.people if words.people is not None else frozenset({department})
    for index, value in enumerate(rows.values[name]):
        if isinstance(value, str) and value not in own:
            place = rows.place(index, name)
            rows.bad.add(index)
            rows.problems.append(
                Problem(
                    "row-of-another-department",
                    place.file,
                    place.sheet,
                    place.row,
                    place.column,
                    value,
                    f"不属于部门 {department}",
                    f"does not belong to department {department}",
                    "删去这一行：部门只导入本部门的人员与回避名单；新增人员先导入人员名录。",
                    "Take the row out: a department imports its own people and their recusals; import new people first.",
                )
            )
    for index, value in enumerate(rows.values["code"] if words.taken else ()):
        if value in words.taken:
            place = rows.place(index, "code")
            rows.bad.add(index)
            rows.problems.append(
                Problem(
                    "code-taken",
                    place.file,
                    place.sheet,
                    place.row,
                    place.column,
                    str(value),
                    "其他部门的人员已使用此编号",
                    "this code belongs to somebody of another department",
                    "改用其他编号；人员调入的，请原部门先移出。",
                    "Use another code; if the person has moved, their former department removes them first.",
                )
            )
