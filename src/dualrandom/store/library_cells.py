"""A library's row as text by column, and back as a csv that :mod:`dualrandom.registry` reads to the same row."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from dualrandom.registry.columns import LIBRARIES, Kind

LONGEST_NAME = 200
"""Characters of a name that are searched by: an index entry of PostgreSQL has at most 2,700 bytes."""
_SEARCHED: Mapping[Kind, tuple[str, str, str]] = {
    "enterprises": ("name", "district", ""),
    "inspectors": ("name", "", "department"),
    "items": ("name", "", "department"),
    "recusals": ("inspector", "", ""),
    "visits": ("enterprise", "", "department"),
}
"""Columns that are kept apart to be searched by: name, district, department."""
_KEYS: Mapping[Kind, tuple[str, ...]] = {
    "enterprises": ("id",),
    "inspectors": ("code",),
    "items": ("id",),
    "recusals": ("inspector", "other"),
}


@dataclass(frozen=True, slots=True)
class Cells:
    """One row: what identifies it, what it is searched by, its cells as JSON with sorted names, and their SHA-256."""

    key: str
    name: str
    district: str
    department: str
    json: str
    digest: str

    @property
    def cells(self) -> dict[str, str]:
        """Column → text."""
        found: dict[str, str] = json.loads(self.json)
        return found


def cells_of(kind: Kind, record: object) -> dict[str, str]:
    """Return a row's cells as text, without empty ones. ``record`` is of the library's row class."""
    # PostgreSQL keeps no NUL; the reader has warned about such a text
    found = ((name, _text(getattr(record, name)).replace("\0", "\ufffd")) for name in _columns(kind))
    return {name: text for name, text in found if text}


def packed(kind: Kind, cells: Mapping[str, str]) -> Cells:
    """Return a row ready to be stored."""
    text = json.dumps(cells, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    digest = hashlib.sha256(text.encode()).hexdigest()
    name, district, department = (cells.get(column, "") for column in _SEARCHED[kind])
    return Cells(key_of(kind, cells, digest), name[:LONGEST_NAME], district, department, text, digest)


def key_of(kind: Kind, cells: Mapping[str, str], digest: str) -> str:
    """Return what identifies a row in its library; a past visit has no name but its content."""
    if kind == "visits":
        return f"{cells['enterprise']} {cells['date']} {digest[:16]}"
    return " ".join(cells[column] for column in _KEYS[kind])


def csv_of(kind: Kind, rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return rows (cells by column) as a csv in UTF-8 with all of the library's columns."""
    columns = _columns(kind)
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(columns)
    writer.writerows([row.get(column, "") for column in columns] for row in rows)
    return text.getvalue().encode()


def _columns(kind: Kind) -> tuple[str, ...]:
    return tuple(column.name for column in LIBRARIES[kind].columns)


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ";".join(map(str, value))
    if isinstance(value, bool):
        return "yes" if value else ""
    return "" if value is None else str(value)
