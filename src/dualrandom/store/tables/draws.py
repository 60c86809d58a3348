"""A draw and all its bytes: what was frozen, what is published and what stays in the office, content-addressed."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import LargeBinary, UniqueConstraint
from sqlmodel import Field, SQLModel

from dualrandom.store.tables.base import instant_field, json_field, word_field


class DrawState(StrEnum):
    """The phases of :mod:`dualrandom.ceremony` that outlive a request."""

    ANNOUNCED = "announced"
    DRAWN = "drawn"
    CLOSED = "closed"
    VOID = "void"


class Blob(SQLModel, table=True):
    """Bytes by their SHA-256; never changed. Private ones are sealed with the service's key."""

    __tablename__ = "blob"

    sha256: str = Field(primary_key=True)
    """Of the bytes as they are, before sealing."""
    size: int
    sealed: bool = False
    content: bytes = Field(sa_type=LargeBinary)


class DrawRow(SQLModel, table=True):
    """A draw, from its announcement on. Its documents are :class:`DrawFile` rows."""

    __tablename__ = "draw"

    id: str = Field(primary_key=True)
    plan_id: str = Field(foreign_key="plan.id", index=True)
    state: DrawState = word_field(DrawState, default=DrawState.ANNOUNCED)
    revisions: dict[str, int] = json_field()
    """Library kind → the revision that was frozen."""
    suite: str = "sha256"
    """The announcement's hash suite: sha256 or sm3."""
    announcement: str
    """Digest of announcement.json."""
    result: str | None = None
    announced_at: datetime = instant_field()
    reveal_by: datetime = instant_field()
    due: datetime = instant_field(index=True)
    """When the beacon's round comes."""
    result_by: datetime = instant_field()
    findings_by: datetime = instant_field()
    drawn_at: datetime | None = instant_field(default=None)
    ended_at: datetime | None = instant_field(default=None)
    void_reason: str = ""
    summary: dict[str, Any] = json_field()
    """Counts for lists and pages; everything in it follows from the documents."""
    version: int = 1


class DrawFile(SQLModel, table=True):
    """A file of a draw's campaign folder. ``path`` is relative to it, as in :mod:`dualrandom.campaign`."""

    __tablename__ = "draw_file"

    id: int | None = Field(default=None, primary_key=True)
    draw_id: str = Field(foreign_key="draw.id")
    path: str
    """``public/…``, ``private/…``, ``exports/…`` or an input's name."""
    blob: str = Field(foreign_key="blob.sha256", index=True)

    __table_args__ = (UniqueConstraint("draw_id", "path"),)


class LogFile(SQLModel, table=True):
    """A file of the authority's log, ``public/…`` or ``private/…``; its state is counted in ``office.log_version``."""

    __tablename__ = "log_file"

    path: str = Field(primary_key=True)
    blob: str = Field(foreign_key="blob.sha256", index=True)


class Amendment(SQLModel, table=True):
    """Something that changed after the draw: exclusion, substitute, replacement, amendment, opening (protocol §13)."""

    __tablename__ = "amendment"

    id: int | None = Field(default=None, primary_key=True)
    draw_id: str = Field(foreign_key="draw.id", index=True)
    sequence: int
    type: str
    reason: str
    document: dict[str, Any] = json_field()
    at: datetime = instant_field()
    by: str

    __table_args__ = (UniqueConstraint("draw_id", "sequence"),)
