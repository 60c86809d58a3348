"""Excel workbooks (ECMA-376): cell values through calamine, and what calamine does not tell from the XML itself.

calamine gives a formula's cached result without saying so, an error cell as an empty one, and only the first cell of a
merged range. All three would lose or invent data silently, so the sheets' XML is searched for them; most files have none
and are only scanned. Sizes are checked beforehand, because one stray cell in the last corner of a sheet would make
a dense table of it.
"""

from __future__ import annotations

import io
import posixpath
import re
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Any
from xml.etree import ElementTree

LARGEST_UNPACKED = 1 << 30
ORDINARY = 64 << 20
MOST_PACKED = 50
"""A workbook that unpacks to more than ORDINARY bytes and to so many times its size is no table. Six lists
of 6,000 to 12,000 rows that XlsxWriter and openpyxl wrote, three with equal rows only, unpacked to 7 to 17 times theirs."""
SHORT = 12
"""Characters of a cell whose text is likely to be that of many cells, so that it is kept once."""
LARGEST_GRID = 60_000_000
"""Cells of the rectangle that holds a sheet's content."""

_WORTH_PARSING = re.compile(rb'<(?:\w+:)?f[ >/]|<(?:\w+:)?mergeCell |hidden="(?:1|true)"|t="e"')
_WIDE = re.compile(rb' r="([A-Z]{2,3})\d')
_LAST_ROW = re.compile(rb'row [^>]*?\br="(\d+)"')
_REFERENCE = re.compile(r"([A-Z]+)(\d+)")

Span = tuple[int, int, int, int]
"""First row, first column, last row, last column; rows count from 1, columns from 0."""


@dataclass(frozen=True, slots=True)
class SheetNotes:
    """What a value does not show. Cells are (row from 1, column from 0)."""

    formulas: Mapping[tuple[int, int], bool] = field(default_factory=dict)
    """Cells with a formula, and whether its result is stored."""
    errors: Mapping[tuple[int, int], str] = field(default_factory=dict)
    merged: tuple[Span, ...] = ()
    hidden_rows: frozenset[int] = frozenset()
    from_1904: bool = False
    """Day numbers of this workbook count from 1904."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """One worksheet. ``rows`` start at cell A1; those of a hidden sheet are left out."""

    name: str
    hidden: bool
    rows: Sequence[Sequence[str | int | float | bool | date | datetime | time | timedelta | None]]
    notes: SheetNotes


@dataclass(frozen=True, slots=True)
class Workbook:
    """Worksheets in order, or the code of the fault that prevents reading, with its words."""

    sheets: tuple[Sheet, ...] = ()
    fault: str | None = None
    fault_value: str = ""
    words: Mapping[str, object] = field(default_factory=dict)


def read_workbook(data: bytes) -> Workbook:
    """Read all visible worksheets of an .xlsx file. Never raises for what is in the file."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
        size = sum(entry.file_size for entry in archive.infolist())
        if size > LARGEST_UNPACKED or size > max(ORDINARY, MOST_PACKED * len(data)):
            return Workbook(fault="file-too-large", words={"size": size >> 20})
        if "xl/workbook.xml" not in archive.namelist():
            return Workbook(fault="format-unknown")
        from_1904, parts = _parts(archive)
    except Exception as error:  # a damaged archive raises many kinds
        return _unreadable(error)
    try:
        import python_calamine  # noqa: PLC0415 - an extra: checking a draw needs no workbook
    except ImportError:
        return Workbook(fault="extra-missing", fault_value="python-calamine", words={"extra": "draw"})
    sheets = []
    try:
        book = python_calamine.load_workbook(io.BytesIO(data))
        for name, hidden, part in parts:
            if hidden:
                sheets.append(Sheet(name, True, (), SheetNotes()))
                continue
            xml = archive.read(part)
            cells = _grid(xml)
            if cells > LARGEST_GRID:
                return Workbook(fault="file-too-large", fault_value=name, words={"size": cells * 16 >> 20})
            notes = _notes(xml, from_1904)
            # it is many times as large as the file (5 to 17, see MOST_PACKED), and calamine needs room for as much again
            del xml
            rows = _rows(book.get_sheet_by_name(name))
            # Rows at the end that hold nothing but formulas without results are no rows to calamine.
            last = max((row for row, _ in (*notes.formulas, *notes.errors)), default=0)
            width = len(rows[0]) if rows else 0
            rows += [[""] * width for _ in range(last - len(rows))]
            sheets.append(Sheet(name, False, rows, notes))
    except BaseException as error:
        # A panic inside calamine is a BaseException of its own; it means a damaged file, not a wish to stop.
        if not isinstance(error, Exception) and type(error).__name__ != "PanicException":
            raise
        return _unreadable(error)
    return Workbook(tuple(sheets))


def _rows(sheet: Any) -> list[list[Any]]:
    """Return a sheet's rows from cell A1 on, with equal short texts kept once."""
    if sheet.start is None:
        return []
    before = [""] * sheet.start[1]
    known: dict[str, str] = {}
    kept = known.setdefault
    rows: list[list[Any]] = []
    blank: list[Any] = []
    for row in sheet.iter_rows():
        if row.count("") == len(row):
            # one stray cell at the very end makes a million of these
            blank = blank or [*before, *row]
            rows.append(blank)
        else:
            short = [
                kept(cell, cell) if isinstance(cell, str) and len(cell) <= SHORT else cell for cell in row
            ]
            rows.append(before + short)
    return rows


def _unreadable(error: BaseException) -> Workbook:
    reason = (str(error).strip() or type(error).__name__).splitlines()[0][:200]
    return Workbook(fault="file-unreadable", words={"reason": reason})


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _parts(archive: zipfile.ZipFile) -> tuple[bool, list[tuple[str, bool, str]]]:
    """Return whether days count from 1904, and name, hidden, part of each worksheet in order."""
    targets = {}
    for relation in ElementTree.fromstring(archive.read("xl/_rels/workbook.xml.rels")):  # noqa: S314 - expat limits it
        if relation.get("Type", "").endswith("/worksheet"):
            targets[relation.get("Id")] = posixpath.normpath(
                posixpath.join("/xl", relation.get("Target", ""))
            ).lstrip("/")
    from_1904 = False
    parts = []
    for element in ElementTree.fromstring(archive.read("xl/workbook.xml")).iter():  # noqa: S314
        tag = _local(element.tag)
        if tag == "workbookPr":
            from_1904 = element.get("date1904") in {"1", "true"}
        elif tag == "sheet":
            identity = next((value for key, value in element.items() if _local(key) == "id"), None)
            if identity in targets:
                hidden = element.get("state", "visible") != "visible"
                parts.append((element.get("name", ""), hidden, targets[identity]))
    return from_1904, parts


def _grid(xml: bytes) -> int:
    last = 1
    for match in _LAST_ROW.finditer(xml, max(0, xml.rfind(b"row ") - 1)):
        last = int(match.group(1))
    widest = max((_column(letters.decode()) for letters in set(_WIDE.findall(xml))), default=25)
    return last * (widest + 1)


def _column(letters: str) -> int:
    index = 0
    for letter in letters:
        index = index * 26 + ord(letter) - 64
    return index - 1


def _notes(xml: bytes, from_1904: bool) -> SheetNotes:
    if not _WORTH_PARSING.search(xml):
        return SheetNotes(from_1904=from_1904)
    formulas: dict[tuple[int, int], bool] = {}
    errors: dict[tuple[int, int], str] = {}
    merged: list[Span] = []
    hidden: set[int] = set()
    row = column = -1
    formula = stored = False
    value = ""
    for event, element in ElementTree.iterparse(io.BytesIO(xml), ("start", "end")):  # noqa: S314
        tag = _local(element.tag)
        if event == "start":
            if tag == "row":
                row = int(element.get("r") or (row + 1 if row > 0 else 1))
                column = -1
                if element.get("hidden") in {"1", "true"}:
                    hidden.add(row)
            elif tag == "c":
                match = _REFERENCE.fullmatch(element.get("r") or "")
                column = _column(match.group(1)) if match else column + 1
                formula = stored = False
                value = ""
        elif tag == "f":
            formula = True
        elif tag == "v":
            stored, value = True, element.text or ""
        elif tag == "c":
            if formula:
                formulas[row, column] = stored and (value != "" or element.get("t") == "str")
            if element.get("t") == "e":
                errors[row, column] = value
        elif tag == "mergeCell":
            ends = _REFERENCE.findall(element.get("ref") or "")
            if len(ends) == 2:
                (left, top), (right, bottom) = ends
                merged.append((int(top), _column(left), int(bottom), _column(right)))
        elif tag == "row":
            element.clear()
    return SheetNotes(formulas, errors, tuple(merged), frozenset(hidden), from_1904)
