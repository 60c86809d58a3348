"""Reading the libraries of a campaign: files in, immutable rows and all problems of all files out.

    result = read_libraries(Path("campaign"), plan)
    if result.errors: print(render_problems(result.problems, "zh"))

A file with an error is not read by halves: as soon as one library has an error, ``libraries`` is empty.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from operator import attrgetter
from pathlib import Path
from typing import Any

from dualrandom.errors import Problem
from dualrandom.policy.plan import LibrarySource, Plan
from dualrandom.registry.columns import KINDS, LIBRARIES, MAY_BE_ABSENT, Kind, Library
from dualrandom.registry.crosscheck import check
from dualrandom.registry.faults import Place, problem
from dualrandom.registry.headings import lay_out, matches, recognised, score
from dualrandom.registry.models import Libraries, Recusal
from dualrandom.registry.parsers import Words, model
from dualrandom.registry.rows import RowSet, read_rows
from dualrandom.registry.rules import check_rows
from dualrandom.registry.tables import FOREIGN, Opened, Row, Table, open_tables

SUFFIXES = (".csv", ".xlsx", ".parquet")
_UNREADABLE = FOREIGN | {".xls", ".xlsm", ".xlsb", ".et", ".txt", ".tsv"}
"""Opened where no proper file is there: better to say what is wrong with such a file than that none exists."""
_EMPTY = Libraries((), (), (), (), ())
_SORTED_BY: Mapping[Kind, Any] = {
    "enterprises": attrgetter("id"),
    "inspectors": attrgetter("code"),
    "items": attrgetter("id"),
    "recusals": attrgetter("inspector", "other", "ground"),
    "visits": attrgetter("enterprise", "date", "department", "task", "item", "inspectors", "kind"),
}


@dataclass(frozen=True, slots=True)
class ReadResult:
    """All libraries, each sorted by its id, or empty ones if there is an error; and everything to be said of the files.

    ``counts`` is the number of rows of each library, those with errors included.
    """

    libraries: Libraries
    problems: tuple[Problem, ...]
    counts: Mapping[str, int] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        """How many problems refuse the files."""
        return sum(found.severity == "error" for found in self.problems)


@dataclass(frozen=True, slots=True)
class OneLibrary:
    """The rows of a single file, sorted by id, or none if it has an error; and everything to be said of it."""

    kind: Kind
    rows: tuple[object, ...]
    problems: tuple[Problem, ...]


def read_libraries(folder: Path, plan: Plan) -> ReadResult:
    """Read all libraries that lie in ``folder``. Never raises for what is in it."""
    sets: dict[Kind, RowSet | None] = {}
    problems: list[Problem] = []
    words = Words.of(plan)
    for kind in KINDS:
        source = plan.libraries.get(kind)
        path, shown, missing = _locate(folder, kind, source)
        problems += missing
        sets[kind] = None
        if path is not None:
            sets[kind], found = _read(kind, path, shown, source, words, plan)
            problems += found
    problems += check(sets, plan)
    read = {kind: rows for kind, rows in sets.items() if rows is not None}
    for rows in read.values():
        problems += rows.problems
    refused = any(found.severity == "error" for found in problems)
    libraries = _EMPTY if refused else _libraries(read)
    counts: dict[str, int] = {kind: len(read[kind].numbers) if kind in read else 0 for kind in KINDS}
    return ReadResult(libraries, _ordered(problems), counts)


def read_library(
    kind: Kind,
    path: Path,
    source: LibrarySource | None,
    plan: Plan | None,
    uscc: bool | None = None,
    further: Callable[[RowSet], None] | None = None,
) -> OneLibrary:
    """Read a single file as library ``kind``; without a plan, its words (classes, districts, …) are not checked.

    ``uscc`` says without a plan whether enterprise ids are unified social credit codes (None: those of 18 characters).
    ``further`` sees the rows before they are accepted and may refuse some.
    """
    words = replace(Words.of(None), uscc=uscc) if plan is None else Words.of(plan)
    rows, found = _read(kind, path, path.name, source, words, plan)
    if rows is not None and further is not None:
        further(rows)
    problems = _ordered([*found, *(rows.problems if rows is not None else ())])
    refused = any(each.severity == "error" for each in problems)
    return OneLibrary(kind, () if refused or rows is None else _records(rows, frozenset()), problems)


def recognise(path: Path) -> Kind | None:
    """Say which library the file at ``path`` is, by its headings; None if no library's required columns are there."""
    opened = open_tables(path, path.name, "enterprises", None, lambda rows: score(rows, None))
    kinds = {recognised(table.rows) for table in opened.tables} - {None}
    return kinds.pop() if len(kinds) == 1 else None


def _locate(folder: Path, kind: Kind, source: LibrarySource | None) -> tuple[Path | None, str, list[Problem]]:
    """Return the file of a library and its name, or what is wrong with that; an optional one may be absent."""
    library = LIBRARIES[kind]
    words = {"kind": kind, "library_zh": library.zh, "library_en": library.en}
    there = sorted(path for path in folder.iterdir() if path.is_file()) if folder.is_dir() else []
    if source and source.file:
        if (folder / source.file).is_file():
            return folder / source.file, source.file, []
        near = get_close_matches(source.file, [path.name for path in there], 1)
        missing = problem(
            "file-missing",
            Place(source.file),
            source.file,
            near[0] if near else None,
            names=source.file,
            **words,
        )
        return None, source.file, [missing]
    named = [path for path in there if path.stem.casefold() == kind]
    proper = [path for path in named if path.suffix.casefold() in SUFFIXES] or [
        path for path in named if path.suffix.casefold() in _UNREADABLE
    ][:1]
    if len(proper) == 1:
        return proper[0], proper[0].name, []
    if proper:
        several = ", ".join(path.name for path in proper)
        return None, "", [problem("file-ambiguous", Place(proper[0].name), several, names=several, **words)]
    if kind in MAY_BE_ABSENT:
        return None, "", []
    expected = ", ".join(f"{kind}{suffix}" for suffix in SUFFIXES)
    looks_right = _nameless(there, kind)
    return None, "", [problem("file-missing", Place(f"{kind}.csv"), "", looks_right, names=expected, **words)]


def _nameless(there: Sequence[Path], kind: Kind) -> str | None:
    """Name a file that is the library by its headings though not by its name."""
    for path in there:
        if (
            path.suffix.casefold() in SUFFIXES
            and path.stem.casefold() not in KINDS
            and recognise(path) == kind
        ):
            return path.name
    return None


def _read(
    kind: Kind, path: Path, shown: str, source: LibrarySource | None, words: Words, plan: Plan | None
) -> tuple[RowSet | None, list[Problem]]:
    """Return the rows, or None if they could not be read, and the problems of file and headings."""
    library = LIBRARIES[kind]

    def fit(rows: Sequence[Row]) -> int:
        return score(rows, kind, source)

    opened = open_tables(path, shown, kind, source, fit)
    problems = list(opened.problems)
    table = _choose(opened, library, source, shown, problems)
    if table is None:
        return None, problems
    layout = lay_out(table, library, source)
    problems += layout.problems
    if not layout.usable:
        return None, problems
    rows = read_rows(table, library, layout, words, source)
    if (
        not rows.numbers
        and kind not in MAY_BE_ABSENT
        and not any(p.severity == "error" for p in rows.problems)
    ):
        problems.append(problem("no-rows", table.place()))
    check_rows(rows, plan)
    return rows, problems


def _choose(
    opened: Opened, library: Library, source: LibrarySource | None, shown: str, problems: list[Problem]
) -> Table | None:
    """Choose the sheet that holds the library; several that could be it are an error, others are named."""
    tables = [table for table in opened.tables if any(any(row) for row in table.rows)]
    if opened.named and opened.tables:
        return opened.tables[0]
    if not tables:
        if not any(found.severity == "error" for found in problems):
            problems.append(problem("file-empty", Place(shown)))
        return None
    if len(tables) == 1:
        return tables[0]
    fits = [
        (max((len(matches(library.kind, row, source)) for row in table.rows[:20]), default=0), table)
        for table in tables
    ]
    most = max(count for count, _ in fits)
    needed = max(2, len(library.required) - 1)
    likely = [table for count, table in fits if count >= needed]
    if len(likely) > 1:
        names = ", ".join(table.sheet or "" for table in likely)
        problems.append(
            problem(
                "sheets-several",
                Place(shown),
                names,
                names=names,
                kind=library.kind,
                library_zh=library.zh,
                library_en=library.en,
            )
        )
        return None
    chosen = likely[0] if likely else next(table for count, table in fits if count == most)
    problems += [
        problem("sheet-ignored", Place(shown, table.sheet), table.sheet)
        for table in tables
        if table is not chosen and not is_readme(table.sheet or "")
    ]
    return chosen


def is_readme(sheet: str) -> bool:
    """Whether a sheet's name says that it only explains the others."""
    name = sheet.casefold()
    return any(word in name for word in ("readme", "说明", "示例", "example", "notes", "lists", "选项"))


def _records(rows: RowSet, inspectors: frozenset[str]) -> tuple[Any, ...]:
    make = model(rows.library.kind)
    records: list[Any] = [make(*row) for row in rows.records()]
    kind = rows.library.kind
    if kind == "items":
        records = [record if record.name_en else replace(record, name_en=record.name) for record in records]
    elif kind == "recusals":
        records = [_colleagues_in_order(record, inspectors) for record in records]
    return tuple(sorted(records, key=_SORTED_BY[kind]))


def _colleagues_in_order(recusal: Recusal, inspectors: frozenset[str]) -> Recusal:
    """Two colleagues are recused from each other; the smaller code comes first (protocol §2)."""
    if recusal.other in inspectors and recusal.other < recusal.inspector:
        return Recusal(recusal.other, recusal.inspector, recusal.ground)
    return recusal


def _libraries(read: Mapping[Kind, RowSet]) -> Libraries:
    codes = frozenset(str(code) for code in read["inspectors"].values["code"])
    return Libraries(*(_records(read[kind], codes) if kind in read else () for kind in KINDS))


def _ordered(problems: Sequence[Problem]) -> tuple[Problem, ...]:
    """By file and row; faults of one row in the order in which they were found."""
    return tuple(sorted(problems, key=lambda found: (found.file, found.sheet or "", found.row or 0)))
