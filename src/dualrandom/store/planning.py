"""A plan's draft: created, edited in versions, copied to the next month, and written out as the files of a campaign folder.

The plan's own tables are one document; a department's tasks and its part are rows of their own, so that 27 departments edit
without waiting for each other. What the engine gets is :func:`inputs_of`: exactly the files that a campaign folder has.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.errors import InputError
from dualrandom.policy.reader import parse_plan
from dualrandom.policy.values import ID
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.contributing import next_draw
from dualrandom.store.database import StaleError, locked
from dualrandom.store.errors import ConflictError, RefusedError
from dualrandom.store.plan_inputs import COMMITTED, inputs_of, plan_toml
from dualrandom.store.plan_text import ROWS, TABLES, json_of, require_plain
from dualrandom.store.plans import draft, keep_task, keep_version, touched, unknown_department
from dualrandom.store.tables import (
    ContributionRow,
    Department,
    DrawRow,
    Join,
    JoinState,
    Office,
    PlanRow,
    PlanState,
    TaskRow,
)

__all__ = ["add_task", "create_from", "create_plan", "edit_plan", "inputs_of", "plan_toml"]

KEPT_APART = frozenset({"tasks", "departments", "libraries"})
"""Tables of plan.toml that are rows of their own here."""


def create_plan(
    session: Session,
    text: str,
    *,
    actor: Actor,
    now: datetime,
    title: str | None = None,
    joined: bool = False,
) -> PlanRow:
    """Keep a plan.toml as a draft with its tasks; departments that the service does not know yet are added.

    ``joined``: all departments with tasks count as having confirmed, as in an office that needs no invitations. Raises
    InputError if the text is not TOML, RefusedError ``plan-id``, ``authority-differs``, ConflictError ``plan-exists``.
    """
    try:
        document = json_of(text)
    except tomllib.TOMLDecodeError:
        raise InputError(parse_plan(text.encode()).problems) from None
    _require_form(document)
    for row in document.get("contributions", ()):
        if not row.keys() >= COMMITTED:
            # as in a campaign folder: who hands in no commitment has it made in the office
            row["office"] = True
    return create_from(session, document, actor=actor, now=now, title=title, joined=joined)


def create_from(
    session: Session,
    document: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    title: str | None = None,
    joined: bool = False,
    copied_from: str | None = None,
) -> PlanRow:
    """Keep a plan in the shape of plan.toml (JSON) as a draft; see :func:`create_plan`."""
    office = locked(session, Office, 1)
    assert office is not None
    tables = _own_tables(document, office)
    head = tables["plan"]
    plan_id = head.get("id")
    if not isinstance(plan_id, str) or not ID.fullmatch(plan_id):
        raise RefusedError(
            "plan-id",
            str(plan_id),
            {"zh": "计划没有可用的编号", "en": "the plan has no usable id"},
            {
                "zh": "plan.id 用字母、数字和 . _ -，例如 2026-09。",
                "en": "plan.id: letters, digits and . _ -, like 2026-09.",
            },
        )
    if session.get(PlanRow, plan_id) is not None:
        raise ConflictError(
            "plan-exists",
            plan_id,
            {"zh": f"计划 {plan_id} 已存在", "en": f"there is a plan {plan_id} already"},
            {"zh": "换一个编号，或修改已有的计划。", "en": "Choose another id, or edit that plan."},
        )
    head.setdefault("number", _next_number(session, tables))
    plan = PlanRow(
        id=plan_id,
        title=title or plan_id,
        document=tables,
        copied_from=copied_from,
        created_by=actor.name,
        created_at=now,
    )
    session.add(plan)
    session.flush()
    keep_version(session, plan, "plan", 1, tables, actor, now)
    _add_departments(session, document)
    _add_commitments(session, plan, document, now)
    tasks = [row for row in document.get("tasks") or () if isinstance(row, Mapping)]
    for row in tasks:
        add_task(session, plan, row, actor, now)
    if joined:
        for department in sorted({str(row.get("department")) for row in tasks}):
            join = Join(
                plan_id=plan_id,
                department_id=department,
                state=JoinState.CONFIRMED,
                invited_at=now,
                deadline=now,
                answered_at=now,
            )
            session.add(join)
        plan.state = PlanState.INVITING
    session.flush()
    activity.record(session, actor, "plan-created", plan_id, now, {"tasks": len(tasks)})
    return plan


def edit_plan(
    session: Session,
    plan_id: str,
    version: int,
    document: Mapping[str, Any],
    *,
    actor: Actor,
    now: datetime,
    title: str | None = None,
) -> PlanRow:
    """Replace the plan's own tables; tasks and departments stay. ``version``: the document's.

    Raises UnknownError, StaleError, ConflictError ``plan-announced``, RefusedError.
    """
    plan = draft(session, plan_id)
    if plan.document_version != version:
        raise StaleError(f"plan {plan_id}")
    office = session.get_one(Office, 1)
    tables = _own_tables(document, office)
    if tables["plan"].setdefault("id", plan_id) != plan_id:
        raise RefusedError(
            "plan-id",
            str(tables["plan"]["id"]),
            {"zh": "计划编号不能更改", "en": "a plan's id cannot be changed"},
            {"zh": "复制为新计划。", "en": "Copy it to a new plan."},
        )
    tables["plan"].setdefault("number", plan.document["plan"]["number"])
    plan.document = tables
    plan.title = title or plan.title
    plan.document_version += 1
    touched(session, plan)
    keep_version(session, plan, "plan", plan.document_version, tables, actor, now)
    activity.record(session, actor, "plan-edited", plan_id, now, {"version": plan.document_version})
    return plan


def add_task(session: Session, plan: PlanRow, row: Mapping[str, Any], actor: Actor, now: datetime) -> TaskRow:
    """Add a task to a draft. ``row`` is a ``[[tasks]]`` table. Raises RefusedError ``task-id``, ``task-exists``."""
    require_plain(row)
    task_id, department = row.get("id"), row.get("department")
    if not isinstance(task_id, str) or not ID.fullmatch(task_id) or not isinstance(department, str):
        raise RefusedError(
            "task-id",
            str(task_id),
            {"zh": "任务没有可用的编号或部门", "en": "the task has no usable id or department"},
            {
                "zh": "id 用字母、数字和 . _ -；department 为部门代码。",
                "en": "id: letters, digits and . _ -; department: its id.",
            },
        )
    if session.get(Department, department) is None:
        raise unknown_department(department)
    document = {key: value for key, value in row.items() if key not in {"id", "department"}}
    known = select(TaskRow).where(col(TaskRow.plan_id) == plan.id, col(TaskRow.id) == task_id)
    task = session.scalars(known).one_or_none()
    if task is not None and not task.removed:
        raise RefusedError(
            "task-exists",
            task_id,
            {"zh": f"任务 {task_id} 已存在", "en": f"there is a task {task_id} already"},
            {"zh": "换一个编号，或修改该任务。", "en": "Choose another id, or edit that task."},
        )
    if task is None:
        task = TaskRow(plan_id=plan.id, id=task_id, department_id=department, document=document)
    else:
        task.department_id, task.document, task.removed = department, document, False
        task.version += 1
    session.add(task)
    session.flush()
    keep_task(session, plan, task, actor, now)
    return task


def _own_tables(document: Mapping[str, Any], office: Office) -> dict[str, Any]:
    """Return the plan's own tables with what the office's row says. Raises RefusedError."""
    require_plain(document)
    unknown_tables = sorted(document.keys() - {*TABLES, *ROWS, "libraries"})
    if unknown_tables:
        raise RefusedError(
            "plan-table-unknown",
            ", ".join(unknown_tables)[:200],
            {"zh": "计划中有不认识的表", "en": "the plan has tables that mean nothing"},
            {"zh": f"可用：{'、'.join((*TABLES, *ROWS))}。", "en": f"Known: {', '.join((*TABLES, *ROWS))}."},
        )
    _require_form(document)
    head = document.get("plan") or {}
    tables: dict[str, Any] = {
        name: value for name, value in document.items() if name not in KEPT_APART and value is not None
    }
    usual = {
        "authority": office.authority,
        "authority_name": office.name,
        "authority_name_en": office.name_en,
        "timezone": office.timezone,
    }
    tables["plan"] = {**usual, **head}
    if tables["plan"]["authority"] != office.authority:
        raise RefusedError(
            "authority-differs",
            str(tables["plan"]["authority"]),
            {"zh": f"本系统属于 {office.authority}", "en": f"this service belongs to {office.authority}"},
            {
                "zh": "删去 plan.authority，或改为本机关的代码。",
                "en": "Take plan.authority out, or correct it.",
            },
        )
    rows = tables.get("contributions")
    if isinstance(rows, list):
        tables["contributions"] = [
            {key: value for key, value in row.items() if key not in COMMITTED}
            if isinstance(row, Mapping)
            else row
            for row in rows
        ]
    return tables


def _require_form(document: Mapping[str, Any]) -> None:
    """Refuse a plan whose tables are no tables; what they hold is judged before announcing. Raises RefusedError ``plan-form``."""
    wrong = [
        name
        for name, value in document.items()
        if value is not None
        and not (
            isinstance(value, list) and all(isinstance(row, Mapping) for row in value)
            if name in ROWS
            else isinstance(value, Mapping)
        )
    ]
    if not wrong and not isinstance((document.get("plan") or {}).get("period") or {}, Mapping):
        wrong = ["plan.period"]
    if wrong:
        raise RefusedError(
            "plan-form",
            ", ".join(wrong),
            {"zh": f"{'、'.join(wrong)} 的形式不对", "en": f"{', '.join(wrong)} have the wrong form"},
            {
                "zh": f"{'、'.join(ROWS)} 为表的列表，其余为表。",
                "en": f"{', '.join(ROWS)} are lists of tables, the others tables.",
            },
        )


def _add_departments(session: Session, document: Mapping[str, Any]) -> None:
    for row in document.get("departments") or ():
        if not isinstance(row, Mapping) or not isinstance(row.get("id"), str):
            continue
        if session.get(Department, row["id"]) is None:
            name = str(row.get("name", row["id"]))
            session.add(
                Department(
                    id=row["id"],
                    name=name,
                    name_en=str(row.get("name_en") or name),
                    seats=row.get("seats") or [["leader"], []],
                )
            )
    session.flush()


def _add_commitments(session: Session, plan: PlanRow, document: Mapping[str, Any], now: datetime) -> None:
    for row in document.get("contributions") or ():
        if isinstance(row, Mapping) and all(
            isinstance(row.get(name), str) for name in (*sorted(COMMITTED), "party")
        ):
            session.add(
                ContributionRow(
                    plan_id=plan.id,
                    draw_id=next_draw(session, plan),
                    party=row["party"],
                    name=str(row.get("name", row["party"])),
                    committed_at=now,
                    **{name: row[name] for name in COMMITTED},
                )
            )


def _next_number(session: Session, tables: Mapping[str, Any]) -> int:
    """Return the number after all draws and drafts of the plan's year."""
    year = str((tables["plan"].get("period") or {}).get("start", ""))[:4]
    used = [0]
    for draw in session.scalars(select(col(DrawRow.id))):
        _, number_year, number = draw.rsplit("-", 2)
        if number_year == year:
            used.append(int(number))
    for document in session.scalars(select(col(PlanRow.document))):
        head = document.get("plan", {})
        if str((head.get("period") or {}).get("start", ""))[:4] == year and isinstance(
            head.get("number"), int
        ):
            used.append(head["number"])
    return 1 + max(used)
