"""A table with known headings → rows of a library, with every fault of every row."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dualrandom.errors import Problem
from dualrandom.policy.plan import LibrarySource
from dualrandom.registry.columns import Column, Library
from dualrandom.registry.faults import Place, problem
from dualrandom.registry.headings import FALLBACKS, Layout, meaning, spellings
from dualrandom.registry.parsers import Words, defaults, parsers
from dualrandom.registry.tables import Raw, Row, Table, column_letter
from dualrandom.registry.values import Noted, Parse, Refused, written
from dualrandom.registry.values import text as any_text
from dualrandom.registry.workbook import Span

SAMPLE = 1000
"""Cells that tell whether a column repeats itself, so that each of its texts is worth remembering."""
EXAMPLE = "示例 example:"
"""A template's example rows begin with this."""
TOTALS = frozenset(
    {"合计", "小计", "总计", "共计", "总数", "汇总", "total", "totals", "subtotal", "sum", "grand total"}
)


@dataclass(slots=True)
class RowSet:
    """The rows of one library as values by column. Where a cell was refused, its value is a :class:`Refused`."""

    table: Table
    library: Library
    layout: Layout
    numbers: Sequence[int] = ()
    values: Mapping[str, Sequence[object]] = field(default_factory=dict)
    bad: set[int] = field(default_factory=set)
    """Rows with an error."""
    dropped: set[int] = field(default_factory=set)
    """Rows that say again what another row says."""
    problems: list[Problem] = field(default_factory=list)
    written_ids: frozenset[str] = frozenset()
    """First cells of all rows as written, those refused included: a row may refer to a row that has another fault."""

    def place(self, index: int | None, column: str | None) -> Place:
        """Name the place of row ``index`` of this set."""
        number = None if index is None else self.numbers[index]
        return self.table.place(number, None if column is None else self.layout.titles.get(column, column))

    def records(self) -> Iterator[tuple[object, ...]]:
        """Yield the values, in the order of columns, of each row without an error that counts."""
        out = self.bad | self.dropped
        rows = zip(*(self.values[column.name] for column in self.library.columns), strict=True)
        return rows if not out else (row for index, row in enumerate(rows) if index not in out)

    def refuse(
        self,
        code: str,
        index: int,
        column: str | None,
        value: object,
        suggestion: str | None = None,
        /,
        **words: object,
    ) -> None:
        """Report a fault of one row; an error also takes the row out."""
        found = problem(code, self.place(index, column), value, suggestion, kind=self.library.kind, **words)
        self.problems.append(found)
        if found.severity == "error":
            self.bad.add(index)


def read_rows(
    table: Table, library: Library, layout: Layout, words: Words, source: LibrarySource | None
) -> RowSet:
    """Parse all rows below the headings. Problems are in the order of columns; the caller sorts them."""
    rows, numbers, problems = _records(table, library, layout)
    found = RowSet(table, library, layout, numbers, problems=problems)
    mappings = source.values if source else {}
    parse = parsers(library.kind, words, table.notes.from_1904, mappings)
    default = defaults(library.kind)
    columns: dict[str, Sequence[object]] = {}
    for column in library.columns:
        index = layout.columns.get(column.name)
        if index is None:
            columns[column.name] = [default[column.name]] * len(rows)
            continue
        read = _cell_parser(
            column, parse.get(column.name), default.get(column.name), mappings.get(column.name, {})
        )
        cells = [row[index] for row in rows]
        columns[column.name] = _column(found, column, index, cells, read)
    found.values = columns
    key = layout.columns[library.columns[0].name]
    found.written_ids = frozenset(written(row[key]) for row in rows)
    return found


def _records(table: Table, library: Library, layout: Layout) -> tuple[list[Row], list[int], list[Problem]]:
    """Keep the rows that are records: drop blank ones and examples, report totals, headings and cells too many."""
    key = layout.columns[library.columns[0].name]
    title = layout.titles[library.columns[0].name]
    width = max(layout.width, key + 1)
    kept: list[Row] = []
    numbers: list[int] = []
    problems: list[Problem] = []
    used = set(layout.columns.values())
    noted = bool(table.notes.formulas or table.notes.errors)
    suspicious = {title.casefold(), *TOTALS, *(f"{word}:" for word in TOTALS), *spellings(library.kind)}
    for number, row in enumerate(table.rows[layout.heading + 1 :], layout.heading + 2):
        length = len(row)
        first = row[key] if key < length else ""
        if first == "" and row.count("") == length and not noted:
            continue
        text = written(first)
        if length > width:
            extra = next((written(cell) for cell in row[width:] if written(cell)), "")
            if extra:
                problems.append(problem("extra-cells", table.place(number, column_letter(width)), extra))
        if not text or text.casefold() in suspicious or (text[0] > "~" and len(text) < 40):
            special = _not_a_record(table, library, layout, number, row, text)
            if special is not None:
                problems += special
                continue
        kept.append(row if length >= width else [*row, *[""] * (width - length)])
        numbers.append(number)
    notes = table.notes
    hidden = sum(number in notes.hidden_rows for number in numbers) if notes.hidden_rows else 0
    if hidden:
        problems.append(problem("rows-hidden", table.place(), hidden))
    if notes.formulas or notes.errors:
        present = set(numbers)
        for at, stored in sorted(notes.formulas.items()):
            if stored and at[0] in present and at[1] in used and at not in notes.errors:
                problems.append(
                    problem(
                        "formula",
                        table.place(at[0], _title(layout, at[1])),
                        written(table.rows[at[0] - 1][at[1]]),
                    )
                )
    return kept, numbers, problems


def _not_a_record(
    table: Table, library: Library, layout: Layout, number: int, row: Row, text: str
) -> list[Problem] | None:
    """Return the problems of a row that is no record (none for a blank one), or None if it is one."""
    texts = [written(cell) for cell in row]
    noted = any(
        (number, index) in table.notes.formulas or (number, index) in table.notes.errors
        for index in layout.columns.values()
    )
    if not any(texts) and not noted:
        return []
    if text.startswith(EXAMPLE):
        return [problem("example-ignored", table.place(number), text)]
    words = [text] if text else texts
    total = next((word for word in words if _is_total(word)), None)
    if total is not None:
        return [problem("total-row", table.place(number), total)]
    named = [meaning(library.kind, each) for each in texts if each]
    if len(named) > 1 and all(named[:3]) and sum(each is not None for each in named) * 2 > len(named):
        return [problem("heading-repeated", table.place(number), text)]
    return None


def _is_total(word: str) -> bool:
    return word.rstrip(" :：").replace(" ", "").replace("\u3000", "").casefold() in TOTALS


def _title(layout: Layout, index: int) -> str:
    return next(layout.titles[name] for name, at in layout.columns.items() if at == index)


def _cell_parser(column: Column, parse: Parse | None, default: object, mapping: Mapping[str, str]) -> Parse:
    inner = parse or any_text

    def read(raw: Raw) -> object:
        value = written(raw)
        if value in mapping:
            raw = value = mapping[value]
        if not value:
            return Refused("cell-empty") if column.required else default
        return inner(raw)

    return read


class _Memo(dict[str, object]):
    """Text → what it was read as. Most columns have few different texts, however many rows there are."""

    def __init__(self, parse: Parse) -> None:
        super().__init__()
        self._parse = parse

    def __missing__(self, text: str) -> object:
        value = self[text] = self._parse(text)
        return value


def _read_all(cells: Sequence[Raw], read: Parse) -> list[object]:
    first = cells[:SAMPLE]
    if not all(isinstance(cell, str) for cell in first) or len(set(first)) * 2 > len(first) > 100:
        return list(map(read, cells))
    memo = _Memo(read)
    return [memo[cell] if isinstance(cell, str) else read(cell) for cell in cells]


def _column(found: RowSet, column: Column, index: int, cells: Sequence[Raw], read: Parse) -> list[object]:
    values = _read_all(cells, read)
    notes = found.table.notes
    if notes.errors or notes.formulas:
        for row, number in enumerate(found.numbers):
            at = (number, index)
            if at in notes.errors:
                values[row] = Refused("cell-error", words={"shown": notes.errors[at]})
            elif notes.formulas.get(at) is False:
                values[row] = Refused("formula-without-value")
    if {Refused, Noted}.isdisjoint(map(type, values)):
        return values
    for row, value in enumerate(values):
        if isinstance(value, Refused):
            if value.code == "cell-empty" and _inside(notes.merged, found.numbers[row], index):
                found.bad.add(row)  # the merged range itself is reported
                continue
            shown = value.words.get("shown", written(cells[row]))
            stands_in = found.layout.columns.get(FALLBACKS.get((found.library.kind, column.name), ""))
            code = value.code
            if code == "id-pattern":
                refers = found.library.kind in {"recusals", "visits"}
                code = "licence-as-code" if stands_in == index else "reference-pattern" if refers else code
            found.refuse(
                code,
                row,
                column.name,
                shown,
                value.suggestion,
                about_zh=column.about_zh,
                about_en=column.about_en,
                **{name: word for name, word in value.words.items() if name != "shown"},
            )
        elif isinstance(value, Noted):
            found.refuse(value.code, row, column.name, written(cells[row]))
            values[row] = value.value
    return values


def _inside(merged: Sequence[Span], row: int, column: int) -> bool:
    return any(top <= row <= bottom and left <= column <= right for top, left, bottom, right in merged)
