"""Who may act: departments, people, API keys, sessions, the approvals of two persons, and what everybody did."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from dualrandom.store.tables.base import instant_field, json_field, word_field


class Role(StrEnum):
    """What a person is to the service; ``public`` is everybody who has not signed in, and has no account."""

    DISPATCHER = "dispatcher"
    DEPARTMENT = "department"
    CREW = "crew"
    AUDITOR = "auditor"
    SUPPORT = "support"
    PUBLIC = "public"


class Office(SQLModel, table=True):
    """The authority that this service belongs to: one row, with the number of the next draw and of the log's state."""

    __tablename__ = "office"

    id: int = Field(default=1, primary_key=True)
    authority: str
    """The id in draw ids, for instance ``ezhou``."""
    name: str
    name_en: str
    timezone: str = "Asia/Shanghai"
    log_version: int = 0
    """Counts what was appended to the log; a writer that read an older number must start again."""
    created_at: datetime = instant_field()


class Department(SQLModel, table=True):
    """A department and the seats of its crews (see :class:`dualrandom.policy.plan.Department`)."""

    __tablename__ = "department"

    id: str = Field(primary_key=True)
    name: str
    name_en: str
    seats: list[list[str]] = json_field()
    active: bool = True
    email: str | None = None
    """Where its messages go; none: to those of its people who have an address."""


class User(SQLModel, table=True):
    """A person. ``password_hash`` (argon2id) or ``subject`` (OpenID Connect), or both."""

    __tablename__ = "user_account"

    id: int | None = Field(default=None, primary_key=True)
    username: str = Field(unique=True)
    name: str
    role: Role = word_field(Role)
    department_id: str | None = Field(default=None, foreign_key="department.id", index=True)
    inspector: str | None = None
    """The inspector's code of a crew member."""
    email: str | None = None
    password_hash: str | None = None
    issuer: str | None = None
    subject: str | None = None
    failed_attempts: int = 0
    locked_until: datetime | None = instant_field(default=None)
    disabled: bool = False
    version: int = 1
    created_at: datetime = instant_field()

    __table_args__ = (UniqueConstraint("issuer", "subject"),)


class SignIn(SQLModel, table=True):
    """A session: the token's SHA-256, never the token."""

    __tablename__ = "sign_in"

    token_hash: str = Field(primary_key=True)
    user_id: int = Field(foreign_key="user_account.id", index=True)
    created_at: datetime = instant_field()
    expires_at: datetime = instant_field()
    revoked_at: datetime | None = instant_field(default=None)


class ApiKey(SQLModel, table=True):
    """A department's key for programs: scoped, expiring, kept as its SHA-256."""

    __tablename__ = "api_key"

    id: int | None = Field(default=None, primary_key=True)
    department_id: str = Field(foreign_key="department.id", index=True)
    name: str
    prefix: str = Field(unique=True)
    """The first characters, by which a person recognises it."""
    key_hash: str | None = None
    """None until whoever asked for the key has collected it; nobody can use it before."""
    scopes: list[str] = json_field()
    created_by: int = Field(foreign_key="user_account.id")
    created_at: datetime = instant_field()
    expires_at: datetime = instant_field()
    revoked_at: datetime | None = instant_field(default=None)


class Approval(SQLModel, table=True):
    """What one person asked for and a second one decides: announce, void, keys (双人复核)."""

    __tablename__ = "approval"

    id: int | None = Field(default=None, primary_key=True)
    action: str
    subject: str = Field(index=True)
    """What it is about, for instance a plan's id."""
    digest: str
    """SHA-256 of exactly what is approved; anything else needs a new approval."""
    payload: dict[str, Any] = json_field()
    requested_by: int = Field(foreign_key="user_account.id")
    requested_at: datetime = instant_field()
    expires_at: datetime = instant_field()
    decided_by: int | None = Field(default=None, foreign_key="user_account.id")
    decided_at: datetime | None = instant_field(default=None)
    state: str = "open"
    """open, approved, refused, withdrawn; what was approved is done by one job, which has the key ``approval:<id>``"""
    version: int = 1


class Activity(SQLModel, table=True):
    """One action in the hash-chained activity log; ``digest`` covers the row and the digest before it."""

    __tablename__ = "activity"

    id: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    """1, 2, 3 … without gaps."""
    at: datetime = instant_field()
    actor: str
    """``user:<username>``, ``key:<prefix>``, ``service`` or ``public``."""
    role: str
    action: str = Field(index=True)
    subject: str = Field(index=True)
    detail: dict[str, Any] = json_field()
    previous: str
    digest: str
