"""Files as rows of cells, each with its place: csv in its usual encodings, xlsx and parquet.

What a file is, is told by its first bytes, not by its name. Nothing here knows what a column means; the caller says how
well a separator fits (``score``), because only headings tell a semicolon in a name from one between cells.
"""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, TypeAlias

from dualrandom.errors import Problem
from dualrandom.policy.plan import LibrarySource
from dualrandom.registry.columns import Kind
from dualrandom.registry.faults import Place, problem
from dualrandom.registry.workbook import (
    LARGEST_GRID,
    LARGEST_UNPACKED,
    MOST_PACKED,
    ORDINARY,
    SHORT,
    SheetNotes,
    read_workbook,
)

Raw: TypeAlias = str | int | float | bool | date | datetime | time | timedelta | None
Row: TypeAlias = Sequence[Raw]
Score: TypeAlias = Callable[[Sequence[Row]], int]

LARGEST_FILE = 1 << 30
SEPARATORS = (",", ";", "\t")
LINES_TO_JUDGE = 30
JUDGED = 65536
"""Characters among which these lines are looked for."""
CSV_FAULTS = {
    "unexpected end": "双引号没有结束",
    "expected after": "双引号结束之后还有内容",
    "field larger": "一格超过 131072 个字符（多半是双引号没有结束）",
}
"""Parts of the messages of the standard library's reader, in Chinese."""
FOREIGN = frozenset({".parquet", ".ods", ".numbers", ".pdf", ".doc", ".docx", ".zip", ".rar", ".7z"})
"""What no text is, and no workbook either where the content does not begin like one."""
_OLE2 = bytes.fromhex("d0cf11e0a1b11ae1")


@dataclass(frozen=True, slots=True)
class Table:
    """One sheet. ``rows[0]`` is row 1 of the file; blank rows are kept, so that numbers are the spreadsheet's."""

    file: str
    sheet: str | None
    rows: Sequence[Row]
    notes: SheetNotes = field(default_factory=SheetNotes)

    def place(self, row: int | None = None, column: str | None = None) -> Place:
        """Name a place in this sheet; ``row`` counts from 1."""
        return Place(self.file, self.sheet, row, column)


@dataclass(frozen=True, slots=True)
class Opened:
    """The visible sheets of a file, and what is wrong with the file. ``named`` is true if the plan chose the sheet."""

    tables: tuple[Table, ...]
    problems: tuple[Problem, ...]
    named: bool = False


def column_letter(index: int) -> str:
    """Return the spreadsheet's name of the column with this index, which counts from 0.

    >>> column_letter(0), column_letter(25), column_letter(26)
    ('A', 'Z', 'AA')
    """
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def open_tables(path: Path, shown: str, kind: Kind, source: LibrarySource | None, score: Score) -> Opened:
    """Read the file at ``path``; ``shown`` is its name in problems. Never raises for what is in the file."""
    place = Place(shown)
    try:
        if path.stat().st_size > LARGEST_FILE:
            return _failed(problem("file-too-large", place, size=path.stat().st_size >> 20))
        data = path.read_bytes()
    except FileNotFoundError:
        return _failed(problem("file-absent", place))
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or type(error).__name__
        return _failed(problem("file-unreadable", place, reason=reason))
    suffix = path.suffix.lower()
    if not data.strip(b" \t\r\n\0"):
        return _failed(problem("file-empty", place))
    if data.startswith(_OLE2):
        encrypted = "EncryptedPackage".encode("utf-16-le") in data
        return _failed(problem("encrypted-workbook" if encrypted else "old-excel", place))
    if data.startswith(b"PK\x03\x04"):
        return _workbook(data, shown, kind, source)
    if data.startswith(b"PAR1"):
        return _parquet(data, shown)
    if suffix in {".xlsx", ".xlsm", ".xls"}:
        return _failed(problem("not-a-workbook", place, reason=_looks_like(data)))
    if suffix in FOREIGN or data.startswith(b"%PDF"):
        return _failed(problem("format-unknown", place))
    return _text(data, shown, kind, source, score)


def _failed(*problems: Problem) -> Opened:
    return Opened((), problems)


def _looks_like(data: bytes) -> str:
    start = data[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith(b"%pdf"):
        return "PDF"
    return "HTML" if start.startswith((b"<html", b"<!doctype", b"<table", b"<?xml")) else "text"


# --- text ---------------------------------------------------------------------------------------------------------


def _text(data: bytes, shown: str, kind: Kind, source: LibrarySource | None, score: Score) -> Opened:
    place = Place(shown)
    notes: list[Problem] = []
    encodings = [source.encoding] if source and source.encoding else ["utf-8-sig", "gb18030"]
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) and len(encodings) > 1:
        encodings = ["utf-16"]
    text, furthest = None, 0
    for encoding in encodings:
        try:
            text = data.decode(encoding).removeprefix("\ufeff")
        except UnicodeDecodeError as error:
            furthest = max(furthest, error.start)
        except (LookupError, ValueError):
            continue
        else:
            if encoding == "gb18030" and len(encodings) > 1:
                notes.append(problem("encoding-gb", place))
            break
    if text is None:
        tried = " / ".join(encodings).upper().replace("-SIG", "")
        line = data.count(b"\n", 0, furthest) + 1
        return _failed(problem("encoding-unknown", place, tried=tried, line=line, kind=kind))
    # the rest is decoded anew bit by bit: the whole text takes twice to four times the file's size
    head = text[:JUDGED]
    del text
    separator = max(SEPARATORS, key=lambda candidate: (_fit(head, candidate, score), candidate == ","))
    rows: list[Row] = []
    known: dict[str, str] = {}
    kept = known.setdefault
    reader = csv.reader(_lines(data, encoding), delimiter=separator, strict=True)
    try:
        rows.extend([kept(cell, cell) if len(cell) <= SHORT else cell for cell in row] for row in reader)
    except csv.Error as error:
        reason = str(error)
        said = next((zh for begin, zh in CSV_FAULTS.items() if begin in reason), reason)
        broken = problem("csv-broken", Place(shown, None, len(rows) + 1), reason=reason, reason_zh=said)
        return Opened((), (*notes, broken))
    swallowed = [
        problem("csv-rows-swallowed", Place(shown, None, number, column_letter(index)), row[index])
        for number, row in enumerate(rows if reader.line_num > len(rows) else (), 1)
        for index in _with_rows_inside(row, separator)
    ]
    if swallowed:
        return Opened((), (*notes, *swallowed))
    return Opened((Table(shown, None, rows),), tuple(notes))


def _with_rows_inside(row: Row, separator: str) -> Iterator[int]:
    """Yield cells that hold the end of one row and the beginning of another: two stray quotes make one cell of all between.

    Lines of ordinary text do not have the separators of a row at the very places where this row has its own.
    """
    for index, cell in enumerate(row):
        if isinstance(cell, str) and "\n" in cell:
            first, *between, last = (line.count(separator) for line in cell.split("\n"))
            ends = (first, last) == (len(row) - 1 - index, index)
            if len(row) > 1 and ends and all(count == len(row) - 1 for count in between):
                yield index


def _lines(data: bytes, encoding: str) -> io.TextIOWrapper:
    stream = io.TextIOWrapper(io.BytesIO(data), encoding=encoding, newline="")
    if stream.read(1) != "\ufeff":
        stream.seek(0)
    return stream


def _fit(text: str, separator: str, score: Score) -> int:
    """Judge a separator by the headings that it yields among the first lines."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator)
    rows: list[Row] = []
    try:
        rows.extend(itertools.islice(reader, LINES_TO_JUDGE))
    except csv.Error:
        if not rows:
            return -1
    return score(rows)


# --- xlsx, parquet ------------------------------------------------------------------------------------------------


def _workbook(data: bytes, shown: str, kind: Kind, source: LibrarySource | None) -> Opened:
    book = read_workbook(data)
    place = Place(shown)
    if book.fault:
        return _failed(problem(book.fault, place, book.fault_value, **book.words))
    wanted = source.sheet if source else None
    names = ", ".join(sheet.name for sheet in book.sheets)
    if wanted is not None and wanted not in {sheet.name for sheet in book.sheets}:
        return _failed(problem("sheet-missing", place, wanted, names=names, kind=kind))
    visible = [sheet for sheet in book.sheets if not sheet.hidden]
    hidden = [sheet for sheet in book.sheets if sheet.hidden]
    problems: list[Problem] = []
    if wanted is not None:
        visible = [sheet for sheet in visible if sheet.name == wanted]
        hidden = [sheet for sheet in hidden if sheet.name == wanted]
    for sheet in hidden:
        refused = wanted is not None or not visible
        code = "sheet-hidden" if refused else "hidden-sheet-ignored"
        problems.append(problem(code, Place(shown, sheet.name), sheet.name))
    tables = tuple(Table(shown, sheet.name, sheet.rows, sheet.notes) for sheet in visible)
    return Opened(tables, tuple(problems), wanted is not None)


def _parquet(data: bytes, shown: str) -> Opened:
    try:
        from pyarrow import parquet  # noqa: PLC0415 - an extra that most installations do without
    except ImportError:
        return _failed(problem("extra-missing", Place(shown), "pyarrow", extra="scale"))
    try:
        described = parquet.read_metadata(io.BytesIO(data))
        groups = [described.row_group(number) for number in range(described.num_row_groups)]
        chunks = [group.column(number) for group in groups for number in range(group.num_columns)]
        cells = max(sum(chunk.num_values for chunk in chunks), described.num_rows * described.num_columns)
        size = max(sum(chunk.total_uncompressed_size for chunk in chunks), cells * 16)
        if cells > LARGEST_GRID or size > LARGEST_UNPACKED:
            return _failed(problem("file-too-large", Place(shown), size=size >> 20))
        leaves = [described.schema.column(number) for number in range(described.num_columns)]
        # a text that stands in a million cells takes the room of one here, and so in the file
        texts = [leaf.path for leaf in leaves if leaf.physical_type == "BYTE_ARRAY"]
        table = parquet.ParquetFile(io.BytesIO(data), read_dictionary=texts).read()
        size = sum(_characters(chunk) for column in table.columns for chunk in column.chunks)
        if size > max(ORDINARY, MOST_PACKED * len(data)):
            return _failed(problem("file-too-large", Place(shown), size=size >> 20))
        names: list[Raw] = [str(name) for name in table.column_names]
        columns = [[cell for chunk in column.chunks for cell in _cells(chunk)] for column in table.columns]
    except Exception as error:  # a broken file raises many kinds
        return _failed(problem("file-unreadable", Place(shown), reason=_first_line(error)))
    rows: list[Row] = [names, *zip(*columns, strict=True)]
    return Opened((Table(shown, None, rows),), ())


def _characters(array: Any) -> int:
    """Return how many bytes of text an Arrow array has in all its cells."""
    from pyarrow import compute, types  # noqa: PLC0415 - as above

    if types.is_dictionary(array.type):
        lengths = compute.binary_length(array.dictionary)
        return int(compute.sum(lengths.take(array.indices)).as_py() or 0)
    if types.is_nested(array.type):
        inner = array.flatten()
        return sum(map(_characters, inner)) if isinstance(inner, list) else _characters(inner)
    return 0


def _cells(array: Any) -> list[Raw]:
    """Return the cells of an Arrow array; equal texts are kept once."""
    if not hasattr(array, "dictionary"):
        return [_cell(value) for value in array.to_pylist()]
    known = [_cell(value) for value in array.dictionary.to_pylist()]
    return [None if place is None else known[place] for place in array.indices.to_pylist()]


def _cell(value: object) -> Raw:
    if isinstance(value, float) and math.isnan(value):
        return None  # what data frames write for no value
    if isinstance(value, datetime) and value.tzinfo is not None:
        # another zone's evening is the next day here: only what is midnight there was meant as a day
        return value.date() if value.time() == time() else value.isoformat()
    if value is None or isinstance(value, str | int | float | date | time | timedelta):
        return value
    if isinstance(value, list | tuple):
        return ";".join(str(part) for part in value)
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, Mapping):
        return str(dict(value))
    return str(value)


def _first_line(error: BaseException) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0][:200]
