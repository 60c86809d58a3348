"""Tables as files: CSV with a byte-order mark, xlsx, parquet, made in a temporary file before the first byte goes out: whoever reads
slowly must not keep a connection to the database.

What a spreadsheet program might take for a formula is made inert (:mod:`dualrandom.exports.inert`).
"""

from __future__ import annotations

import csv
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import date, datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final, Literal
from urllib.parse import quote

import xlsxwriter
from sqlmodel import Session
from starlette.responses import Response, StreamingResponse

from dualrandom.exports.inert import csv_cell, looks_like_formula, plain
from dualrandom.store.activity import Actor
from dualrandom.store.listings import Cell, Heading, Rows
from dualrandom_api.service.parts import Service
from dualrandom_api.service.problems import refusal

Format = Literal["csv", "xlsx", "parquet"]
MEDIA_TYPES: Final = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "parquet": "application/vnd.apache.parquet",
}
TABLE: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "文件 · the file",
        "content": {
            kind.partition(";")[0]: {"schema": {"type": "string", "format": "binary"}}
            for kind in MEDIA_TYPES.values()
        },
    }
}
"""For the OpenAPI of a route that answers with a table."""
AT_ONCE: Final = 2000
PIECE: Final = 64 << 10
Reading = Callable[[], AbstractContextManager[Session]]


def table(
    service: Service,
    actor: Actor,
    name: str,
    kind: Format,
    headings: Sequence[Heading],
    rows: Callable[[Session], Rows],
) -> Response:
    """Return rows as a file to download; ``rows`` can refuse. Raises RefusalError ``too-many-requests``, ``parquet-unavailable``."""
    if kind == "parquet":
        _parquet_module()
    with service.making.one_more(actor.name):
        return _table(name, kind, headings, service.database.reading, rows)


def _table(
    name: str,
    kind: Format,
    headings: Sequence[Heading],
    reading: Reading,
    rows: Callable[[Session], Rows],
) -> Response:
    headers = {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}.{kind}",
        "Cache-Control": "no-store",
    }
    pieces = {"csv": _csv, "xlsx": _xlsx, "parquet": _parquet}[kind](headings, reading, rows)
    first = next(pieces, b"")
    return StreamingResponse(_with(first, pieces), media_type=MEDIA_TYPES[kind], headers=headers)


def _with(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    yield first
    yield from rest


def _csv(headings: Sequence[Heading], reading: Reading, rows: Callable[[Session], Rows]) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.csv"
        with path.open("w", encoding="utf-8-sig", newline="") as file, reading() as session:
            writer = csv.writer(file, lineterminator="\r\n")
            writer.writerow(heading.zh for heading in headings)
            writer.writerows([_csv_cell(cell) for cell in row] for row in rows(session))
        yield from _pieces(path)


def _csv_cell(cell: Cell) -> str | int:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return csv_cell(cell)
    if isinstance(cell, datetime):
        return cell.isoformat(" ", "seconds")
    return cell.isoformat() if isinstance(cell, date) else cell


def _xlsx(headings: Sequence[Heading], reading: Reading, rows: Callable[[Session], Rows]) -> Iterator[bytes]:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.xlsx"
        options = {
            "constant_memory": True,
            "tmpdir": folder,
            "strings_to_formulas": False,
            "strings_to_urls": False,
        }
        # closed also when the rows are refused: it keeps a file open
        with xlsxwriter.Workbook(str(path), options) as book:
            formats = {
                date: book.add_format({"num_format": "yyyy-mm-dd"}),
                datetime: book.add_format({"num_format": "yyyy-mm-dd hh:mm"}),
            }
            quoted, bold = book.add_format({"quote_prefix": True}), book.add_format({"bold": True})
            sheet = book.add_worksheet()
            sheet.freeze_panes(1, 0)
            for place, heading in enumerate(headings):
                sheet.write_string(0, place, heading.zh, bold)
            with reading() as session:
                for number, row in enumerate(rows(session), start=1):
                    for place, cell in enumerate(row):
                        if isinstance(cell, str) and cell:
                            text = plain(cell)
                            sheet.write_string(
                                number, place, text, quoted if looks_like_formula(text) else None
                            )
                        elif isinstance(cell, int):
                            sheet.write_number(number, place, cell)
                        elif isinstance(cell, date):
                            sheet.write_datetime(number, place, cell, formats[type(cell)])
        yield from _pieces(path)


def _parquet(
    headings: Sequence[Heading], reading: Reading, rows: Callable[[Session], Rows]
) -> Iterator[bytes]:
    arrow, parquet = _parquet_module()
    types = {str: arrow.string(), int: arrow.int64(), date: arrow.date32(), datetime: arrow.timestamp("s")}
    schema = arrow.schema([(heading.name, types[heading.kind]) for heading in headings])
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "table.parquet"
        with parquet.ParquetWriter(path, schema) as writer, reading() as session:
            found = rows(session)
            while part := list(islice(found, AT_ONCE)):
                columns = [list(column) for column in zip(*part, strict=True)]
                writer.write_table(arrow.table(dict(zip(schema.names, columns, strict=True)), schema=schema))
        yield from _pieces(path)


def _parquet_module() -> tuple[Any, Any]:
    try:
        import pyarrow  # noqa: PLC0415
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        raise refusal("parquet-unavailable") from None
    return pyarrow, parquet


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE):
            yield piece
