"""Work that goes on after an answer: jobs with leases, messages to send, requests that must not count twice."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import UniqueConstraint
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
    addressed_at: datetime | None = instant_field(default=None, index=True)
    """When it was seen to whom it goes by mail, which may be nobody; None: not yet."""


class Delivery(SQLModel, table=True):
    """One message on its way to one mailbox: tried until the mail server takes it, or given up (``dead``)."""

    __tablename__ = "delivery"

    id: int | None = Field(default=None, primary_key=True)
    outbox_id: int = Field(foreign_key="outbox.id", index=True)
    recipient: str
    """``user:<username>``, ``department:<id>`` or ``enterprise:<id>``"""
    address: str
    message_id: str = Field(unique=True)
    """The same at each try, so that a mailbox can tell a repetition."""
    secret: str | None = None
    """What only this mail says, sealed; gone when it is sent or given up."""
    state: str = Field(default="waiting", index=True)
    """waiting, sent, dead"""
    attempts: int = 0
    next_at: datetime = instant_field(index=True)
    problem: str = ""
    """Why the last try failed: the mail server's number and class of error, never an address."""
    at: datetime = instant_field()
    ended_at: datetime | None = instant_field(default=None)

    __table_args__ = (UniqueConstraint("outbox_id", "address"),)


class Tries(SQLModel, table=True):
    """How often one address tried passwords or codes within a minute, counted for all servers together."""

    __tablename__ = "tries"

    name: str = Field(primary_key=True)
    """An HMAC of the address under the service's key."""
    minute: int = Field(primary_key=True, index=True)
    """Minutes since 1970."""
    count: int


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
