"""Which column of a file is which: by its heading in Chinese or English, or as the plan maps it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache

from dualrandom.errors import Problem
from dualrandom.policy.plan import LibrarySource
from dualrandom.registry.columns import KINDS, LIBRARIES, Kind, Library
from dualrandom.registry.faults import Place, problem
from dualrandom.registry.tables import Row, Table, column_letter

ROWS_TO_SEARCH = 20
"""Titles and notes may stand above the headings, but not for longer than this."""

_NOISE = re.compile(r"[\s*:._/\\、·\"'“”\-#]+")
_BRACKETS = re.compile(r"[(\[【][^)\]】]*[)\]】]")
LONGEST_HEADING = 500
"""Characters: what is longer names nothing, and looking for its brackets could take hours."""

FALLBACKS: Mapping[tuple[Kind, str], str] = {("inspectors", "code"): "licence"}
"""Columns that another one may stand for: a licence number is unique to a person."""


@dataclass(frozen=True, slots=True)
class Layout:
    """Where a table's headings are (index of their row) and which column (index) is which."""

    heading: int
    columns: Mapping[str, int]
    titles: Mapping[str, str]
    """Column → its heading as written, or its letter."""
    width: int
    problems: tuple[Problem, ...]

    @property
    def usable(self) -> bool:
        """Whether rows can be read at all; merged cells only spoil some of them."""
        return not any(found.severity == "error" and found.code != "merged-cells" for found in self.problems)


def normal(heading: object) -> str:
    """Reduce a heading to what distinguishes it: width, case, spaces, marks and punctuation do not."""
    text = unicodedata.normalize("NFKC", str(heading)).casefold()
    return _NOISE.sub("", text)


@cache
def _meanings(kind: Kind) -> Mapping[str, str]:
    meanings: dict[str, str] = {}
    for column in LIBRARIES[kind].columns:
        written = (
            column.name,
            column.zh,
            column.en,
            column.heading("zh"),
            column.heading("en"),
            f"{column.name} {column.zh}",
            f"{column.zh} {column.en}",
            *column.headings,
        )
        for word in written:
            if meanings.setdefault(normal(word), column.name) != column.name:
                raise ValueError(f"{word!r} heads two columns of {kind}")
    return meanings


@cache
def spellings(kind: Kind) -> frozenset[str]:
    """Return every heading of the library as it is usually written, in lower case."""
    return frozenset(
        word.casefold()
        for column in LIBRARIES[kind].columns
        for word in (column.name, column.zh, column.en, *column.headings)
    )


def meaning(kind: Kind, heading: object) -> str | None:
    """Return the column of library ``kind`` that ``heading`` names, or None."""
    if isinstance(heading, str) and len(heading) > LONGEST_HEADING:
        return None
    meanings = _meanings(kind)
    text = normal(heading)
    return meanings.get(text) or meanings.get(
        normal(_BRACKETS.sub("", unicodedata.normalize("NFKC", str(heading))))
    )


def matches(kind: Kind, row: Row, source: LibrarySource | None = None) -> frozenset[str]:
    """Return the columns of ``kind`` that the headings in ``row`` name, by themselves or by the plan's mapping."""
    found = {meaning(kind, cell) for cell in row if isinstance(cell, str) and cell} - {None}
    if source:
        texts = {cell.strip() for cell in row if isinstance(cell, str)}
        found |= {ours for ours, theirs in source.columns.items() if theirs.strip() in texts}
    known = {column.name for column in LIBRARIES[kind].columns}
    return frozenset(name for name in found if name in known)


def heading_row(rows: Sequence[Row], kind: Kind, source: LibrarySource | None = None) -> int:
    """Return the index of the row that looks most like headings of ``kind``; the first row if none does."""
    best, most = 0, 0
    for index, row in enumerate(rows[:ROWS_TO_SEARCH]):
        count = len(matches(kind, row, source))
        if count > most:
            best, most = index, count
    return best


def score(rows: Sequence[Row], kind: Kind | None, source: LibrarySource | None = None) -> int:
    """Count the recognised headings; with ``kind`` None, those of the library that fits best."""
    kinds = KINDS if kind is None else (kind,)
    own = max(len(matches(each, row, source)) for each in kinds for row in (*rows[:ROWS_TO_SEARCH], ()))
    if own or kind is None:
        return own * 100
    return score(rows, None)


def complete(kind: Kind, found: frozenset[str]) -> bool:
    """Whether all required columns are there, or others that stand for them."""
    return all(name in found or stood_for(kind, name, found) for name in LIBRARIES[kind].required)


def stood_for(kind: Kind, name: str, found: frozenset[str]) -> bool:
    """Whether another column that is there stands for column ``name``."""
    return FALLBACKS.get((kind, name)) in found


def recognised(rows: Sequence[Row]) -> Kind | None:
    """Return the library whose required columns are all there and that names most of the headings, if one does."""
    fitting: list[tuple[int, Kind]] = []
    for kind in KINDS:
        for row in rows[:ROWS_TO_SEARCH]:
            found = matches(kind, row)
            if complete(kind, found):
                fitting.append((len(found), kind))
    fitting.sort(reverse=True, key=lambda each: each[0])
    if not fitting or (
        len(fitting) > 1 and fitting[0][0] == fitting[1][0] and fitting[0][1] != fitting[1][1]
    ):
        return None
    return fitting[0][1]


def lay_out(table: Table, library: Library, source: LibrarySource | None) -> Layout:
    """Find the headings of ``table`` and report missing, doubled, unknown and wrongly mapped ones, all at once."""
    kind = library.kind
    at = heading_row(table.rows, kind, source)
    texts = ["" if cell is None else str(cell).strip() for cell in (table.rows[at] if table.rows else ())]
    place = table.place(at + 1)
    columns, absent, problems = _mapped(place, library, texts, source)
    strangers = _by_heading(table, at, texts, library, columns, absent, problems)
    if not complete(kind, frozenset(columns) | absent):
        other = recognised(table.rows)
        if other is not None and other != kind:
            return Layout(at, {}, {}, len(texts), (_wrong_template(place, library, LIBRARIES[other]),))
    for (owner, name), substitute in FALLBACKS.items():
        if owner == kind and name not in absent and substitute in columns:
            columns.setdefault(name, columns[substitute])
    for column in library.columns:
        if column.required and column.name not in columns and column.name not in absent:
            near = get_close_matches(column.zh, strangers, 1, 0.5) or get_close_matches(
                column.name, strangers, 1
            )
            problems.append(
                problem(
                    "heading-missing",
                    place,
                    column.zh,
                    near[0] if near else None,
                    kind=kind,
                    name=column.name,
                    names=" / ".join((column.zh, *column.headings[:4], column.name)),
                )
            )
    if strangers:
        near_one = _near_optional(library, columns, strangers)
        problems.append(problem("columns-ignored", place, ", ".join(strangers), near_one, kind=kind))
    problems += _maps_to_nothing(place, library, source)
    problems += _merged(table, at, columns)
    titles = {name: texts[index] or column_letter(index) for name, index in columns.items()}
    return Layout(at, columns, titles, len(texts), tuple(problems))


def _mapped(
    place: Place, library: Library, texts: Sequence[str], source: LibrarySource | None
) -> tuple[dict[str, int], frozenset[str], list[Problem]]:
    """Return the columns that the plan maps, the mapped ones that the file lacks, and the problems of the latter."""
    columns: dict[str, int] = {}
    absent: set[str] = set()
    problems: list[Problem] = []
    known = {column.name for column in library.columns}
    for ours, theirs in sorted(source.columns.items()) if source else ():
        if ours not in known:
            continue
        index = _find(texts, theirs)
        if index is not None:
            columns[ours] = index
            continue
        absent.add(ours)
        near = get_close_matches(theirs, [text for text in texts if text], 1)
        problems.append(
            problem(
                "heading-mapped-missing",
                place,
                theirs,
                near[0] if near else None,
                name=ours,
                kind=library.kind,
            )
        )
    return columns, frozenset(absent), problems


def _by_heading(
    table: Table,
    at: int,
    texts: Sequence[str],
    library: Library,
    columns: dict[str, int],
    absent: frozenset[str],
    problems: list[Problem],
) -> list[str]:
    """Add the columns that are recognised by their heading to ``columns``; return the headings of the others."""
    used = frozenset(columns.values())
    mapped = frozenset(columns) | absent
    strangers: list[str] = []
    for index, text in enumerate(texts):
        if index in used or not text:
            continue
        name = meaning(library.kind, text)
        if name is None or name in mapped:
            strangers.append(text)
        elif name in columns and (loser := _outdone(library, name, texts, columns[name], index)) is not None:
            strangers.append(texts[loser])
            columns[name] = columns[name] if loser == index else index
        elif name in columns:
            column = library.column(name)
            problems.append(
                problem(
                    "heading-duplicate",
                    table.place(at + 1, text),
                    text,
                    kind=library.kind,
                    first=column_letter(columns[name]),
                    second=column_letter(index),
                    name_zh=column.zh,
                    name_en=column.en,
                )
            )
        else:
            columns[name] = index
    return strangers


def _outdone(library: Library, name: str, texts: Sequence[str], one: int, other: int) -> int | None:
    """Return which of two columns of enterprises' ids has only another heading, while the other has the column's own.

    A register's exports have the old 注册号 beside the 统一社会信用代码, past visits the enterprise's name.
    """
    if library.kind not in {"enterprises", "visits"} or name != library.columns[0].name:
        return None
    own = normal(library.columns[0].zh)
    first, second = (normal(_BRACKETS.sub("", texts[index])) == own for index in (one, other))
    return None if first == second else other if first else one


def _find(texts: Sequence[str], theirs: str) -> int | None:
    for same in (lambda text: text == theirs.strip(), lambda text: normal(text) == normal(theirs)):
        for index, text in enumerate(texts):
            if text and same(text):
                return index
    return None


def _wrong_template(place: Place, library: Library, found: Library) -> Problem:
    return problem(
        "template-wrong",
        place,
        found.kind,
        found_zh=found.zh,
        found_en=found.en,
        library_zh=library.zh,
        library_en=library.en,
    )


def _near_optional(library: Library, columns: Mapping[str, int], strangers: Sequence[str]) -> str | None:
    """Say which absent column a stranger may have meant, as "theirs → ours"."""
    absent = {
        title: column.zh
        for column in library.columns
        if column.name not in columns
        for title in (column.zh, column.en, column.name)
    }
    for stranger in strangers:
        near = get_close_matches(stranger, absent, 1, 0.75)
        if near:
            return f"{stranger} → {absent[near[0]]}"
    return None


def _maps_to_nothing(place: Place, library: Library, source: LibrarySource | None) -> list[Problem]:
    if source is None:
        return []
    names = [column.name for column in library.columns]
    problems = []
    for table, keys in (("columns", source.columns), ("values", source.values)):
        for key in sorted(keys):
            if key not in names:
                near = get_close_matches(key, names, 1)
                problems.append(
                    problem(
                        "map-column-unknown",
                        Place(place.file),
                        key,
                        near[0] if near else None,
                        kind=library.kind,
                        table=table,
                        names=", ".join(names),
                    )
                )
    return problems


def _merged(table: Table, at: int, columns: Mapping[str, int]) -> list[Problem]:
    """Report merged ranges that touch the headings or rows of a column in use; a merged title above is harmless."""
    used = set(columns.values())
    problems = []
    for top, left, bottom, right in sorted(table.notes.merged):
        if bottom >= at + 1 and any(left <= index <= right for index in used):
            span = f"{column_letter(left)}{top}:{column_letter(right)}{bottom}"
            problems.append(problem("merged-cells", table.place(top, column_letter(left)), span))
    return problems
