"""A department's tasks in a plan: added, changed and taken out of the draft, each version kept.

Whoever has confirmed answers for his tasks as they are: if somebody else changes them, he is asked again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.database import StaleError
from dualrandom.store.errors import ForbiddenError, RefusedError, unknown
from dualrandom.store.joining import ask_again, closed, expect, usual_deadline
from dualrandom.store.plan_text import require_plain
from dualrandom.store.planning import add_task
from dualrandom.store.plans import draft, joins_of, keep_task, plan_of, touched, unknown_plan
from dualrandom.store.tables import JoinState, PlanRow, Role, TaskRow


def put_task(
    session: Session,
    plan_id: str,
    row: Mapping[str, Any],
    *,
    version: int | None,
    actor: Actor,
    now: datetime,
) -> TaskRow:
    """Add a task (``version`` None) or change one. ``row``: a ``[[tasks]]`` table with id and department.

    A department has its own tasks only. Raises UnknownError, StaleError, ForbiddenError, ConflictError, RefusedError.
    """
    plan = draft(session, plan_id)
    department = row.get("department")
    _require_member(session, plan_id, department, actor)
    if version is None:
        task = add_task(session, plan, row, actor, now)
    else:
        require_plain(row)
        task = task_of(session, plan_id, str(row.get("id")), actor)
        if task.version != version:
            raise StaleError(f"task {task.id}")
        if task.department_id != department:
            raise RefusedError(
                "task-department",
                str(department),
                {"zh": "任务的部门不能更改", "en": "a task's department cannot be changed"},
                {
                    "zh": "删去该任务，由另一部门新建。",
                    "en": "Remove it and let the other department add its own.",
                },
            )
        task.document = {key: value for key, value in row.items() if key not in {"id", "department"}}
        task.version += 1
        session.add(task)
        session.flush()
        keep_task(session, plan, task, actor, now)
    _task_changed(session, plan, task, actor, now)
    activity.record(session, actor, "task-edited", plan_id, now, {"task": task.id, "version": task.version})
    return task


def remove_task(
    session: Session, plan_id: str, task_id: str, version: int, *, actor: Actor, now: datetime
) -> None:
    """Take a task out of the draft; its history stays. Raises UnknownError, StaleError, ConflictError."""
    plan = draft(session, plan_id)
    task = task_of(session, plan_id, task_id, actor)
    _require_member(session, plan_id, task.department_id, actor)
    if task.version != version:
        raise StaleError(f"task {task_id}")
    task.removed = True
    task.version += 1
    session.add(task)
    session.flush()
    keep_task(session, plan, task, actor, now)
    _task_changed(session, plan, task, actor, now)
    activity.record(session, actor, "task-removed", plan_id, now, {"task": task_id})


def task_of(session: Session, plan_id: str, task_id: str, actor: Actor) -> TaskRow:
    """Return a task of the draft. Raises UnknownError, also for a department that was not invited."""
    plan_of(session, plan_id, actor)
    found = select(TaskRow).where(
        col(TaskRow.plan_id) == plan_id, col(TaskRow.id) == task_id, ~col(TaskRow.removed)
    )
    task = session.scalars(found).one_or_none()
    if task is None:
        raise unknown("unknown-task", task_id, f"没有任务 {task_id}", f"there is no task {task_id}")
    return task


def _require_member(session: Session, plan_id: str, department: object, actor: Actor) -> None:
    """The dispatcher may prepare anybody's tasks, a department its own as long as it takes part."""
    if actor.role != Role.DEPARTMENT:
        return
    joins = {join.department_id: join for join in joins_of(session, plan_id)}
    own = joins.get(actor.department or "")
    if own is None:
        raise unknown_plan(plan_id)
    if department != actor.department:
        raise ForbiddenError(
            "task-not-yours",
            str(department),
            {"zh": "部门只能管理本部门的任务", "en": "a department has its own tasks only"},
            {"zh": "请该部门或调度员办理。", "en": "Ask that department or the dispatcher."},
        )
    if own.state not in {JoinState.INVITED, JoinState.CONFIRMED}:
        raise closed(own)


def _task_changed(session: Session, plan: PlanRow, task: TaskRow, actor: Actor, now: datetime) -> None:
    """Ask a department again that had confirmed, if somebody else has changed its tasks."""
    touched(session, plan)
    if actor.department == task.department_id:
        return
    for join in joins_of(session, plan.id):
        if join.department_id == task.department_id and join.state is JoinState.CONFIRMED:
            ask_again(join, usual_deadline(session, now), now)
            expect(session, plan, join, actor, now)
