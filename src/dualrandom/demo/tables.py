"""Tables of the demonstration: the shipped ones are read, csv and workbooks written reproducibly."""

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

from dualrandom.errors import DualRandomError

Row = Mapping[str, str]
CREATED = datetime(2023, 8, 1, tzinfo=UTC).replace(tzinfo=None)
"""Written into every workbook, since the real time would change its bytes."""


def shipped_text(name: str) -> str:
    """The text of a file of the package, `name` relative to it with slashes."""
    return files("dualrandom").joinpath(*name.split("/")).read_text("utf-8")


def shipped_rows(name: str) -> list[dict[str, str]]:
    """The rows of a csv file of the package."""
    return list(csv.DictReader(io.StringIO(shipped_text(name), newline="")))


def write_csv(path: Path, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write rows in the order of `columns`, UTF-8, a line feed after each."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows(rows)


def write_workbook(path: Path, sheet: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Write one sheet of text cells, header frozen. Raises `DualRandomError` if XlsxWriter is not installed."""
    try:
        import xlsxwriter  # noqa: PLC0415
    except ImportError:
        raise DualRandomError(
            "extra-missing",
            "xlsxwriter",
            {"zh": "写工作簿需要 XlsxWriter", "en": "XlsxWriter is needed to write workbooks"},
            {"zh": "安装 dualrandom[draw]", "en": "install dualrandom[draw]"},
        ) from None
    with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
        book.set_properties({"created": CREATED})
        bold = book.add_format({"bold": True})
        page = book.add_worksheet(sheet)
        page.freeze_panes(1, 0)
        widths = [len(column) for column in columns]
        page.write_row(0, 0, columns, bold)
        for number, row in enumerate(rows, start=1):
            page.write_row(number, 0, row)
            widths = [max(width, len(cell)) for width, cell in zip(widths, row, strict=True)]
        for column, width in enumerate(widths):
            page.set_column(column, column, min(60, 2 + width * 3 // 2))
