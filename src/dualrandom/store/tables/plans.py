"""A plan from its draft to its announcement: what the dispatcher writes, and what each department brings."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import UniqueConstraint
from sqlmodel import Field, SQLModel

from dualrandom.store.tables.base import instant_field, json_field, word_field


class PlanState(StrEnum):
    """How far a plan has come; its draws have states of their own."""

    DRAFT = "draft"
    INVITING = "inviting"
    ANNOUNCED = "announced"
    CLOSED = "closed"


class JoinState(StrEnum):
    """How a department stands to a plan."""

    INVITED = "invited"
    CONFIRMED = "confirmed"
    DECLINED = "declined"
    LEFT_OUT = "left-out"
    WITHDRAWN = "withdrawn"


class PlanRow(SQLModel, table=True):
    """A plan. ``document`` holds the tables of plan.toml but tasks, departments and libraries, dates and times as text.

    Its ``contributions`` name the parties; what they committed to is in :class:`ContributionRow`.
    """

    __tablename__ = "plan"

    id: str = Field(primary_key=True)
    title: str
    state: PlanState = word_field(PlanState, default=PlanState.DRAFT)
    document: dict[str, Any] = json_field()
    join_by: datetime | None = instant_field(default=None)
    """Until when departments confirm; then they are left out."""
    version: int = 1
    """Rises with every change of the plan, its tasks, joins and contributions: what two persons approve names it."""
    document_version: int = 1
    """Rises with every edit of ``document``; its ETag, so that a department's edits do not stand in the dispatcher's way."""
    copied_from: str | None = Field(default=None, foreign_key="plan.id")
    """The plan before this one, whose classes and scopes the flags are compared with."""
    created_by: str
    created_at: datetime = instant_field()


class PlanVersion(SQLModel, table=True):
    """Every version of a plan and of its joins and tasks, append-only."""

    __tablename__ = "plan_version"

    id: int | None = Field(default=None, primary_key=True)
    plan_id: str = Field(foreign_key="plan.id", index=True)
    subject: str
    """``plan``, ``join:<department>``, ``task:<id>``"""
    version: int
    document: dict[str, Any] = json_field()
    at: datetime = instant_field()
    by: str

    __table_args__ = (UniqueConstraint("plan_id", "subject", "version"),)


class Join(SQLModel, table=True):
    """A department's part in a plan: when it was invited, what it answered, with which inspectors."""

    __tablename__ = "plan_join"

    id: int | None = Field(default=None, primary_key=True)
    plan_id: str = Field(foreign_key="plan.id", index=True)
    department_id: str = Field(foreign_key="department.id", index=True)
    state: JoinState = word_field(JoinState, default=JoinState.INVITED)
    seats: list[list[str]] | None = json_field(default=None)
    """Seats of its crews in this plan; None: the department's."""
    inspectors: list[str] | None = json_field(default=None)
    """Codes of those who take part; None: all of the department."""
    invited_at: datetime = instant_field()
    deadline: datetime = instant_field()
    reminded_at: datetime | None = instant_field(default=None)
    answered_at: datetime | None = instant_field(default=None)
    reason: str = ""
    version: int = 1

    __table_args__ = (UniqueConstraint("plan_id", "department_id"),)


class TaskRow(SQLModel, table=True):
    """A task of a plan: one ``[[tasks]]`` table of plan.toml. ``removed``: taken out of the draft, kept in the history."""

    __tablename__ = "plan_task"

    pk: int | None = Field(default=None, primary_key=True)
    plan_id: str = Field(foreign_key="plan.id", index=True)
    id: str
    department_id: str = Field(foreign_key="department.id", index=True)
    document: dict[str, Any] = json_field()
    """The table's other keys."""
    removed: bool = False
    version: int = 1

    __table_args__ = (UniqueConstraint("plan_id", "id"),)


class ContributionRow(SQLModel, table=True):
    """A party's commitment to a nonce for the next draw of a plan, and the nonce once it is revealed."""

    __tablename__ = "contribution"

    id: int | None = Field(default=None, primary_key=True)
    plan_id: str = Field(foreign_key="plan.id", index=True)
    draw_id: str | None = None
    """The draw that its signature names; it holds for no other."""
    party: str
    name: str
    key: str
    commitment: str
    signature: str
    nonce: str | None = None
    committed_at: datetime = instant_field()
    revealed_at: datetime | None = instant_field(default=None)
    version: int = 1

    __table_args__ = (UniqueConstraint("plan_id", "draw_id", "party"),)


class PolicyRow(SQLModel, table=True):
    """A version of a policy document (docs/policies.md); the newest one of an id is what plans cite."""

    __tablename__ = "policy"

    id: int | None = Field(default=None, primary_key=True)
    policy: str
    """The id in the document."""
    number: int
    """1, 2, 3 … of this id."""
    name: str
    name_en: str
    digest: str
    content: str
    """The TOML document as uploaded."""
    withdrawn: bool = False
    """Set on the newest version: plans can no longer cite the id."""
    at: datetime = instant_field()
    by: str

    __table_args__ = (UniqueConstraint("policy", "number"),)
