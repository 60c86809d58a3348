"""The libraries, append-only: a row lives from the revision that brought it to the one that replaced it or took it out."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from dualrandom.store.tables.base import CodeType, instant_field, json_field


class Import(SQLModel, table=True):
    """A file that somebody wants in a library: read in the background, shown as a difference, then accepted or not."""

    __tablename__ = "library_import"

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(index=True)
    """enterprises, inspectors, items, recusals, visits"""
    filename: str
    blob: str = Field(foreign_key="blob.sha256")
    department_id: str | None = Field(default=None, foreign_key="department.id", index=True)
    """Only this department's rows are replaced; None: all."""
    options: dict[str, Any] = json_field(default_factory=dict)
    """How the file is to be read where that is not evident: sheet, encoding, columns, values (as in the plan's libraries)."""
    state: str = "uploaded"
    """uploaded, reading, refused (see problems), ready (see the counts), accepted, discarded"""
    base_revision: int | None = None
    """The revision against which the difference was computed; accepting on top of another one is refused."""
    rows: int = 0
    new: int = 0
    changed: int = 0
    gone: int = 0
    unchanged: int = 0
    problems: list[dict[str, Any]] = json_field()
    """The first faults of the file; the sheet of all of them is ``problem_sheet``."""
    problem_count: int = 0
    problem_sheet: str | None = Field(default=None, foreign_key="blob.sha256")
    revision: int | None = None
    """What it became, once accepted."""
    created_by: str
    created_at: datetime = instant_field()
    version: int = 1


class StagedRow(SQLModel, table=True):
    """A row of an import that has been read and not been accepted."""

    __tablename__ = "staged_row"

    import_id: int = Field(primary_key=True, foreign_key="library_import.id", ondelete="CASCADE")
    position: int = Field(primary_key=True)
    key: str
    change: str
    """new, changed, gone; rows that stay as they are are only counted"""
    name: str = ""
    district: str = ""
    department: str = ""
    cells: dict[str, Any] = json_field()
    digest: str

    __table_args__ = (Index("ix_staged_row_change", "import_id", "change", "position"),)


class Revision(SQLModel, table=True):
    """One state of one library: 1, 2, 3 … A draw names the revisions that it froze."""

    __tablename__ = "library_revision"

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    number: int
    import_id: int | None = Field(default=None, foreign_key="library_import.id")
    rows: int
    at: datetime = instant_field()
    by: str

    __table_args__ = (UniqueConstraint("kind", "number"),)


class LibraryRow(SQLModel, table=True):
    """One version of one row: in the library from revision ``first`` up to and including ``last`` (None: still)."""

    __tablename__ = "library_row"

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    key: str = Field(sa_type=CodeType)
    """What identifies the row in its library: the enterprise's id, the inspector's code …"""
    first: int
    last: int | None = None
    name: str = ""
    """What it is searched by, cut off where an index would be full; of a recusal the inspector, of a visit the enterprise."""
    district: str = ""
    department: str = ""
    """Of enterprises and recusals empty."""
    day: str | None = Field(default=None, sa_type=CodeType)
    """Of a past visit its date (ISO 8601), so that the ledger can be read by date; else nothing."""
    sort: str | None = None
    """Of a past visit what it was (plan, case, special); else nothing."""
    cells: dict[str, Any] = json_field()
    """Column → text, as the library's file would have it; empty ones are left out."""
    digest: str

    __table_args__ = (
        UniqueConstraint("kind", "key", "first"),
        # covers what lists filter by, so that a search reads no row that it does not show
        Index("ix_library_row_current", "kind", "last", "key", "department", "district", "name"),
        Index(
            # what the ledger is narrowed to is in it, so that rare ones are found without reading every row
            "ix_library_row_day",
            "day",
            "id",
            "department",
            "sort",
            sqlite_where=text("day IS NOT NULL AND last IS NULL"),
            postgresql_where=text("day IS NOT NULL AND last IS NULL"),
        ),
    )
