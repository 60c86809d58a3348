"""Work that goes on after an answer: jobs with leases, messages to send, requests that must not count twice."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlmodel import Field, SQLModel

from dualrandom.store.tables.base import instant_field, json_field


class Job(SQLModel, table=True):
    """Something to do once. A runner holds a lease; ``fence`` rises with each lease, so a late runner's writes are refused."""

    __tablename__ = "job"

    id: int | None = Field(default=None, primary_key=True)
    kind: str = Field(index=True)
    subject: str
    arguments: dict[str, Any] = json_field()
    unique_key: str | None = Field(default=None, unique=True)
    """At most one job with this key ever."""
    state: str = Field(default="queued", index=True)
    """queued, running, done, failed"""
    run_after: datetime = instant_field(index=True)
    lease_owner: str | None = None
    lease_until: datetime | None = instant_field(default=None)
    fence: int = 0
    attempts: int = 0
    done: int = 0
    total: int = 0
    stage_zh: str = ""
    stage_en: str = ""
    problem: dict[str, Any] | None = json_field(default=None)
    """The RFC 9457 document of what went wrong."""
    result: dict[str, Any] | None = json_field(default=None)
    created_by: str
    created_at: datetime = instant_field()
    finished_at: datetime | None = instant_field(default=None)


class Outbox(SQLModel, table=True):
    """A message to people: invitation, reminder, alarm, substitution; written with what caused it, sent afterwards."""

    __tablename__ = "outbox"

    id: int | None = Field(default=None, primary_key=True)
    kind: str
    audience: str = Field(index=True)
    """``department:<id>``, ``role:<role>``, ``inspector:<code>`` or ``enterprise:<id>``"""
    subject: str
    body_zh: str
    body_en: str
    unique_key: str | None = Field(default=None, unique=True)
    at: datetime = instant_field()
    sent_at: datetime | None = instant_field(default=None)
    attempts: int = 0


class Repeat(SQLModel, table=True):
    """The answer to a request that carried an Idempotency-Key, given again when the request is repeated."""

    __tablename__ = "repeat"

    actor: str = Field(primary_key=True)
    key: str = Field(primary_key=True)
    request: str
    """SHA-256 of method, path and body: the same key with another request is refused."""
    status: int | None = None
    """None while the first request is being answered."""
    headers: dict[str, str] = json_field()
    body: str = ""
    at: datetime = instant_field(index=True)
