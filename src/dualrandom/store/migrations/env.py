"""Alembic's environment: the service passes its engine; ``compare`` works against the tables' metadata."""

from __future__ import annotations

from typing import Any, Literal

from alembic import context
from sqlmodel import SQLModel
from sqlmodel.sql.sqltypes import AutoString

import dualrandom.store.tables  # noqa: F401  (fills the metadata)
from dualrandom.store.tables.base import Instant, JsonType


def render_plainly(kind: str, item: Any, _context: Any) -> str | Literal[False]:
    """Write a migration in SQLAlchemy's own types, so that an old one does not change with this project's."""
    if kind != "type":
        return False
    if isinstance(item, Instant):
        return "sa.DateTime(timezone=True)"
    if isinstance(item, AutoString):
        return "sa.String()"
    return "JSON" if item is JsonType else False


engine = context.config.attributes["engine"]
with engine.connect() as connection:
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        # SQLite cannot alter a table; Alembic copies it
        render_as_batch=connection.dialect.name == "sqlite",
        compare_type=True,
        render_item=render_plainly,
    )
    with context.begin_transaction():
        context.run_migrations()
    connection.commit()
