"""The departments of the office: what they are called, how their crews are made up, whether they take part."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.database import locked
from dualrandom.store.errors import ConflictError, unknown
from dualrandom.store.tables import Department, Office, Role


def departments(session: Session) -> Sequence[Department]:
    """Return all departments by id."""
    return session.scalars(select(Department).order_by(col(Department.id))).all()


def the_department(session: Session, actor: Actor, department: str) -> Department:
    """Return a department. Raises UnknownError ``unknown-department`` also for another's."""
    owned(actor, department)
    row = session.get(Department, department)
    if row is None:
        raise unknown("unknown-department", department, "没有这个部门", "there is no such department")
    return row


def create_department(session: Session, actor: Actor, now: datetime, row: Department) -> Department:
    """Add a department. Raises ConflictError ``department-exists``."""
    locked(session, Office, 1)
    if session.get(Department, row.id) is not None:
        raise ConflictError(
            "department-exists",
            row.id,
            {"zh": "部门已存在", "en": "the department exists already"},
            {"zh": "用 PUT 更改它。", "en": "Change it with PUT."},
        )
    session.add(row)
    session.flush()
    activity.record(session, actor, "department-created", f"department:{row.id}", now, {"name": row.name})
    return row


def change_department(
    session: Session, actor: Actor, now: datetime, department: str, values: Mapping[str, Any]
) -> Department:
    """Change names, seats or whether it is active. Raises UnknownError ``unknown-department``."""
    row = locked(session, Department, department)
    if row is None:
        raise unknown("unknown-department", department, "没有这个部门", "there is no such department")
    for name, value in values.items():
        setattr(row, name, value)
    session.add(row)
    session.flush()
    activity.record(session, actor, "department-changed", f"department:{department}", now, dict(values))
    return row


def owned(actor: Actor, department: str) -> None:
    """See that a department's object is the actor's to see. Raises UnknownError: others do not learn that it exists."""
    if actor.role in {Role.DEPARTMENT, Role.CREW} and actor.department != department:
        raise unknown(
            "unknown-department",
            department,
            "没有这个部门，或不属于您",
            "there is no such department, or it is not yours",
        )
