"""Plans as they are kept: who may see which, their tasks, joins and versions, and the draft that one transaction changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from dualrandom.store.activity import Actor
from dualrandom.store.contributing import announced
from dualrandom.store.database import locked
from dualrandom.store.errors import UnknownError, unknown
from dualrandom.store.tables import Join, Office, PlanRow, PlanState, PlanVersion, Role, TaskRow


def plan_of(session: Session, plan_id: str, actor: Actor) -> PlanRow:
    """Return a plan that somebody may see. Raises UnknownError."""
    plan = session.scalars(select(PlanRow).where(col(PlanRow.id) == plan_id, *_visible(actor))).one_or_none()
    if plan is None:
        raise unknown_plan(plan_id)
    return plan


def plans(
    session: Session,
    actor: Actor,
    *,
    state: PlanState | None = None,
    after: str | None = None,
    limit: int = 50,
) -> Sequence[PlanRow]:
    """Return the plans that somebody may see, newest id first."""
    found = select(PlanRow).where(*_visible(actor))
    if state is not None:
        found = found.where(col(PlanRow.state) == state)
    if after is not None:
        found = found.where(col(PlanRow.id) < after)
    return list(session.scalars(found.order_by(col(PlanRow.id).desc()).limit(limit)))


def plan_versions(
    session: Session, plan_id: str, actor: Actor, *, before: int | None = None, limit: int = 50
) -> Sequence[PlanVersion]:
    """Return what was written over time, newest first: versions of the plan, and of the tasks and joins one may see."""
    plan_of(session, plan_id, actor)
    found = select(PlanVersion).where(col(PlanVersion.plan_id) == plan_id)
    if actor.role not in {Role.DISPATCHER, Role.AUDITOR}:
        # another department's part names its inspectors
        joins = col(PlanVersion.subject).startswith("join:", autoescape=True)
        found = found.where(~joins | (col(PlanVersion.subject) == f"join:{actor.department}"))
    if before is not None:
        found = found.where(col(PlanVersion.id) < before)
    return list(session.scalars(found.order_by(col(PlanVersion.id).desc()).limit(limit)))


def tasks_of(session: Session, plan_id: str) -> Sequence[TaskRow]:
    """Return the plan's tasks that are in the draft, by id."""
    found = select(TaskRow).where(col(TaskRow.plan_id) == plan_id, ~col(TaskRow.removed))
    return sorted(session.scalars(found), key=lambda task: task.id)


def joins_of(session: Session, plan_id: str) -> Sequence[Join]:
    """Return how every invited department stands to the plan, by department."""
    found = select(Join).where(col(Join.plan_id) == plan_id)
    return sorted(session.scalars(found), key=lambda join: join.department_id)


def draft(session: Session, plan_id: str) -> PlanRow:
    """Return the plan, which nobody else changes until this transaction ends.

    Raises UnknownError, ConflictError ``plan-announced``.
    """
    # the office's row comes first everywhere, so that two writers cannot wait for each other
    locked(session, Office, 1)
    plan = locked(session, PlanRow, plan_id)
    if plan is None:
        raise unknown_plan(plan_id)
    session.refresh(plan)
    if plan.state not in {PlanState.DRAFT, PlanState.INVITING}:
        raise announced(plan_id)
    return plan


def touched(session: Session, plan: PlanRow) -> None:
    """Count a change, so that an approval of the plan as it was no longer holds."""
    plan.version += 1
    session.add(plan)
    session.flush()


def keep_task(session: Session, plan: PlanRow, task: TaskRow, actor: Actor, now: datetime) -> None:
    """Add a task's present version to the history."""
    row = {"id": task.id, "department": task.department_id, **task.document}
    if task.removed:
        row["removed"] = True
    keep_version(session, plan, f"task:{task.id}", task.version, row, actor, now)


def keep_join(session: Session, plan: PlanRow, join: Join, actor: Actor, now: datetime) -> None:
    """Add the present version of a department's part to the history."""
    row = {
        "deadline": join.deadline.isoformat(),
        "inspectors": join.inspectors,
        "reason": join.reason,
        "seats": join.seats,
        "state": join.state.value,
    }
    keep_version(session, plan, f"join:{join.department_id}", join.version, row, actor, now)


def keep_version(
    session: Session,
    plan: PlanRow,
    subject: str,
    version: int,
    document: Mapping[str, Any],
    actor: Actor,
    now: datetime,
) -> None:
    """Add a version to the history of ``subject``."""
    session.add(
        PlanVersion(
            plan_id=plan.id, subject=subject, version=version, document=dict(document), at=now, by=actor.name
        )
    )
    session.flush()


def unknown_plan(plan_id: str) -> UnknownError:
    """Return the error for a plan that is not there or not the asker's to see."""
    return unknown("unknown-plan", plan_id, f"没有计划 {plan_id}", f"there is no plan {plan_id}")


def unknown_department(department: str) -> UnknownError:
    """Return the error for a department that the service does not know."""
    return unknown(
        "unknown-department", department, f"没有部门 {department}", f"there is no department {department}"
    )


def _visible(actor: Actor) -> list[ColumnElement[bool]]:
    if actor.role in {Role.DISPATCHER, Role.AUDITOR, Role.SUPPORT, "service"}:
        return []
    invited = select(col(Join.id)).where(
        col(Join.plan_id) == col(PlanRow.id), col(Join.department_id) == (actor.department or "")
    )
    return [invited.exists()]
