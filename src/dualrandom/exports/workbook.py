"""Workbooks with the same bytes every time: fixed dates inside, text only as text, ready to print."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from io import BytesIO
from types import TracebackType
from typing import Any

import xlsxwriter

from dualrandom.exports.inert import looks_like_formula, plain

_HEADER_LIMIT = 255
"""Longest page header that Excel accepts."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column's heading and width in characters; ``fill`` is the number format of cells that people fill in."""

    heading: str
    width: float
    fill: str | None = None


class Workbook:
    """A workbook in memory. ``created`` stands in its properties, so that no clock enters the bytes.

    >>> from datetime import datetime
    >>> def once() -> bytes:
    ...     with Workbook("title", datetime(2023, 9, 1)) as book:
    ...         book.sheet("names", [Column("name", 20)], [("=1+1",)], "header")
    ...     return book.data
    >>> once() == once()
    True
    """

    def __init__(self, title: str, created: datetime) -> None:
        self._buffer = BytesIO()
        options = {
            "in_memory": True,
            "strings_to_formulas": False,
            "strings_to_urls": False,
            "strings_to_numbers": False,
        }
        self._book = xlsxwriter.Workbook(self._buffer, options)
        self._book.set_properties({"title": plain(title), "created": created})
        grid = {"text_wrap": True, "valign": "top", "border": 1, "border_color": "#C9CFD4", "font_size": 10}
        self._text = self._book.add_format(grid)
        self._quoted = self._book.add_format({**grid, "quote_prefix": True})
        self._number = self._book.add_format({**grid, "align": "right"})
        self._fill = {
            kind: self._book.add_format({**grid, "bg_color": "#FFF9E6", "num_format": kind})
            for kind in ("@", "yyyy-mm-dd")
        }
        self._head = self._book.add_format({**grid, "bold": True, "bg_color": "#E9EEF2", "valign": "vcenter"})
        self.data = b""
        """The file's bytes, once the workbook is closed."""

    def __enter__(self) -> Workbook:
        """Return the open workbook."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it and keep its bytes."""
        self._book.close()
        self.data = self._buffer.getvalue()

    def sheet(
        self, name: str, columns: Sequence[Column], rows: Sequence[Sequence[str | int]], header: str
    ) -> Any:
        """Add a sheet with a frozen first row, filters and landscape pages; return XlsxWriter's worksheet.

        ``header`` is printed above each page, with the page's number. Rows end where the columns to fill in begin.
        """
        sheet = self._book.add_worksheet(name)
        sheet.set_landscape()
        sheet.set_paper(9)
        sheet.fit_to_pages(1, 0)
        sheet.set_margins(left=0.4, right=0.4, top=0.8, bottom=0.6)
        sheet.set_header(_header(header))
        sheet.set_footer("&C&P / &N")
        sheet.repeat_rows(0)
        sheet.freeze_panes(1, 0)
        sheet.set_row(0, 32)
        for place, column in enumerate(columns):
            sheet.set_column(place, place, column.width)
            sheet.write_string(0, place, plain(column.heading), self._head)
        for number, cells in enumerate(rows, start=1):
            for place, cell in enumerate(cells):
                self._write(sheet, number, place, cell)
            for place, column in enumerate(columns[len(cells) :], start=len(cells)):
                if column.fill is not None:
                    sheet.write_blank(number, place, None, self._fill[column.fill])
        # ids and licences are digits that must stay text
        sheet.ignore_errors({"number_stored_as_text": "A1:XFD1048576"})
        sheet.autofilter(0, 0, max(len(rows), 1), len(columns) - 1)
        return sheet

    def _write(self, sheet: Any, number: int, place: int, cell: str | int) -> None:
        if isinstance(cell, int):
            sheet.write_number(number, place, cell, self._number)
            return
        text = plain(cell)
        # the quote prefix keeps a string a string even when somebody edits the cell
        sheet.write_string(number, place, text, self._quoted if looks_like_formula(text) else self._text)


def _header(text: str) -> str:
    """Return a page header. ``&`` begins a code there, so it is written full-width; too long a text is refused."""
    return "&L" + plain(text).replace("&", "\uff06")[: _HEADER_LIMIT - 2]
