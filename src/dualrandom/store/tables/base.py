"""Types that both databases keep alike: instants in UTC, JSON, and names for constraints, so that migrations find them."""

from __future__ import annotations

from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import JSON, DateTime, Enum, String
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.engine import Dialect
from sqlalchemy.types import TypeDecorator
from sqlmodel import Field, SQLModel

NAMING: Final = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
SQLModel.metadata.naming_convention = NAMING


class Instant(TypeDecorator[datetime]):
    """An instant, aware and in UTC on both sides; SQLite has no time zones. Raises ValueError for a naive one."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Refuse naive instants: nobody knows when they are."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"an instant without time zone: {value}")
        return value.astimezone(UTC)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Return what was stored, in UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


JsonType = JSON(none_as_null=True).with_variant(JSONB(none_as_null=True), "postgresql")

CodeType = String().with_variant(String(collation="C"), "postgresql")
"""Text in the order of its code points, as SQLite and Python have it, so that prefixes and pages are ranges of an index."""


def instant_field(*, index: bool = False, **options: Any) -> Any:
    """Return a column for an instant; nullable if it has a default of None."""
    nullable = options.get("default", ...) is None
    return Field(sa_type=Instant, nullable=nullable, index=index, **options)


def json_field(**options: Any) -> Any:
    """Return a column for a JSON value."""
    nullable = options.get("default", ...) is None
    return Field(sa_type=JsonType, nullable=nullable, **options)


def word_field(words: type[StrEnum], **options: Any) -> Any:
    """Return a column for one of an enumeration's words, kept as text so that a new word needs no new type."""
    kept = Enum(
        words, native_enum=False, length=24, values_callable=lambda known: [word.value for word in known]
    )
    return Field(sa_type=kept, nullable=False, **options)
