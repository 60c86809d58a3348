"""One-time codes with which an enterprise proves itself for its receipt."""

from __future__ import annotations

from datetime import datetime

from sqlmodel import Field, SQLModel

from dualrandom.store.tables.base import instant_field


class ReceiptCode(SQLModel, table=True):
    """A code that was issued to an enterprise of a draw, kept as its SHA-256; good for one receipt."""

    __tablename__ = "receipt_code"

    id: int | None = Field(default=None, primary_key=True)
    draw_id: str = Field(foreign_key="draw.id", index=True)
    enterprise: str
    code_hash: str = Field(unique=True)
    issued_by: str
    issued_at: datetime = instant_field()
    expires_at: datetime = instant_field()
    used_at: datetime | None = instant_field(default=None)
    revoked_at: datetime | None = instant_field(default=None)
