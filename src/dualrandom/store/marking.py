"""The sheet that a refused file comes back with: its wrong rows with the wrong cells marked, and every fault in words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dualrandom.errors import Problem
from dualrandom.registry.report import missing_writer, write_problem_sheet
from dualrandom.registry.rows import RowSet
from dualrandom.registry.values import written

MOST_ROWS = 100_000
"""Rows that are copied; a file with more wrong ones is wrong as a whole."""
_LONGEST = 32_000
_LONGEST_NOTE = 1_000


def marked_sheet(problems: Sequence[Problem], rows: RowSet | None, folder: Path) -> bytes:
    """Return a workbook: sheet 1 lists all faults in both languages, sheet 2 has the wrong rows as they stand in the file.

    A wrong cell is red, a doubtful one yellow, and its note says what is wrong and what to do. ``rows`` None: the file could not
    be read as rows at all. ``folder`` is for a temporary file. Raises DualRandomError ``extra-missing``.
    """
    path = folder / "problems.xlsx"
    faulty = [found for found in problems if found.row is not None]
    if rows is None or not faulty:
        write_problem_sheet(problems, path)
        return path.read_bytes()
    try:
        import xlsxwriter  # noqa: PLC0415 - an extra: checking a draw needs no workbook
    except ImportError as error:
        raise missing_writer() from error
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options) as book:
        _mark(book, rows, faulty)
        _list(book, problems)
    return path.read_bytes()


def _mark(book: Any, rows: RowSet, faulty: Sequence[Problem]) -> None:
    head = book.add_format({"bold": True, "text_wrap": True, "valign": "top", "num_format": "@"})
    plain = book.add_format({"num_format": "@"})
    formats = {
        "error": book.add_format({"num_format": "@", "bg_color": "#FFC7CE", "font_color": "#9C0006"}),
        "warning": book.add_format({"num_format": "@", "bg_color": "#FFEB9C", "font_color": "#7F6000"}),
    }
    sheet = book.add_worksheet("标记 marked")
    sheet.freeze_panes(1, 1)
    heading = rows.table.rows[rows.layout.heading]
    titles = [written(cell) for cell in heading]
    sheet.write_string(0, 0, "行 row", head)
    for column, title in enumerate(titles, 1):
        sheet.write_string(0, column, _safe(title), head)
        sheet.set_column(column, column, max(10, min(40, 2 * len(title) + 4)), plain)
    # a problem names the column by its title
    position = {title: index for index, title in reversed(list(enumerate(titles)))}
    by_row: dict[int, list[Problem]] = {}
    for found in faulty:
        by_row.setdefault(found.row or 0, []).append(found)
    for line, number in enumerate(sorted(by_row)[:MOST_ROWS], 1):
        cells = [written(cell) for cell in rows.table.rows[number - 1]]
        sheet.write_number(line, 0, number)
        for column, cell in enumerate(cells, 1):
            sheet.write_string(line, column, _safe(cell), plain)
        _mark_row(sheet, line, cells, by_row[number], position, formats)


def _mark_row(
    sheet: Any,
    line: int,
    cells: list[str],
    found: list[Problem],
    position: dict[str, int],
    formats: dict[str, Any],
) -> None:
    notes: dict[int, list[Problem]] = {}
    for one in found:
        # a fault of the whole row is noted at its number
        index = -1 if one.column is None else position.get(one.column, -1)
        notes.setdefault(index, []).append(one)
    for index, problems in notes.items():
        worst = "error" if any(one.severity == "error" for one in problems) else "warning"
        if index >= 0:
            cell = cells[index] if index < len(cells) else ""
            sheet.write_string(line, index + 1, _safe(cell), formats[worst])
        note = "\n".join(_note(one) for one in problems)
        sheet.write_comment(line, index + 1, note[:_LONGEST_NOTE], {"x_scale": 3, "y_scale": 2})


def _note(found: Problem) -> str:
    hint = f" → {found.suggestion}" if found.suggestion else ""
    return f"{found.message_zh}{hint}\n{found.message_en}\n{found.remedy_zh} / {found.remedy_en}"


def _list(book: Any, problems: Sequence[Problem]) -> None:
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    plain = book.add_format({"num_format": "@", "valign": "top"})
    sheet = book.add_worksheet("问题 problems")
    sheet.freeze_panes(1, 0)
    headings = (
        "严重程度 severity",
        "行 row",
        "列 column",
        "值 value",
        "问题",
        "problem",
        "建议 suggestion",
        "处理方法",
        "what to do",
        "代码 code",
    )
    for column, heading in enumerate(headings):
        sheet.set_column(column, column, 12 if column < 3 else 30)
        sheet.write_string(0, column, heading, bold)
    for line, found in enumerate(problems, 1):
        cells = (
            {"error": "错误 error", "warning": "提醒 warning"}[found.severity],
            str(found.row or ""),
            found.column or "",
            found.value,
            found.message_zh,
            found.message_en,
            found.suggestion or "",
            found.remedy_zh,
            found.remedy_en,
            found.code,
        )
        for column, cell in enumerate(cells):
            sheet.write_string(line, column, _safe(cell), plain)


def _safe(text: str) -> str:
    return text[:_LONGEST].encode("utf-8", "replace").decode()
