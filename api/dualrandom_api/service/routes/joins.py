"""Joining a plan: invitations, what each department brings, its answer, and its tasks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Path, Response
from pydantic import BaseModel, Field

from dualrandom.store import joining, plan_tasks
from dualrandom.store.plans import plan_of
from dualrandom.store.tables import Join, Role, TaskRow
from dualrandom_api.service.dependencies import ActorDep, IfMatch, ServiceDep, tagged
from dualrandom_api.service.fields import Body, GivenInstant, Identifier
from dualrandom_api.service.problems import ProblemType
from dualrandom_api.service.routes.departments import DepartmentId, Seat
from dualrandom_api.service.security import GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["plans"])

PROBLEMS = (
    ProblemType(
        "deadline-wrong", 422, "期限不在今后一年之内", "the deadline is not within a year from now",
        "给出将来的时刻。", "Give a time in the near future.",
    ),
    ProblemType(
        "unknown-join", 404, "部门未受邀，或不属于您", "the department was not invited, or is not yours",
        "核对部门代码；请调度员邀请。", "Check the department's id, or ask the dispatcher to invite it.",
    ),
    ProblemType(
        "join-closed", 409, "该部门已不在答复期内", "the department is not asked any more",
        "请调度员重新邀请。", "Ask the dispatcher to invite it again.",
    ),
    ProblemType(
        "join-without-tasks", 422, "该部门还没有任务", "the department has no task yet",
        "先提交任务，或说明理由不参加。", "Add a task first, or decline with a reason.",
    ),
    ProblemType(
        "inspector-unknown", 422, "不是本部门名录库中的检查人员", "not inspectors of this department",
        "先导入人员名录，或更正编号。", "Import the inspectors first, or correct the codes.",
    ),
    ProblemType(
        "unknown-task", 404, "没有这个任务", "there is no such task", "核对任务编号。", "Check the task's id.",
    ),
    ProblemType(
        "task-exists", 422, "任务编号已被使用", "there is a task with this id",
        "换一个编号，或修改该任务。", "Choose another id, or edit that task.",
    ),
    ProblemType(
        "task-id", 422, "任务没有可用的编号或部门", "the task has no usable id or department",
        "按 details 更正。", "Correct what the details name.",
    ),
    ProblemType(
        "task-department", 422, "任务的部门不能更改", "a task's department cannot be changed",
        "删去该任务，由另一部门新建。", "Remove it and let the other department add its own.",
    ),
    ProblemType(
        "task-not-yours", 403, "部门只能管理本部门的任务", "a department has its own tasks only",
        "请该部门或调度员办理。", "Ask that department or the dispatcher.",
    ),
)  # fmt: skip

READERS = (Role.DISPATCHER, Role.DEPARTMENT, Role.AUDITOR, Role.SUPPORT)
MEMBERS = (Role.DISPATCHER, Role.DEPARTMENT)
JOINS = ("unknown-plan", "unknown-join", "join-closed", "plan-announced", "changed-meanwhile")

TASKS = (
    "unknown-plan",
    "plan-announced",
    "task-not-yours",
    "join-closed",
    "text-invalid",
    "unknown-department",
)

PlanId = Annotated[
    str,
    Path(
        pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$",
        description="计划编号 · a plan's id",
        examples=["2026-09"],
    ),
]
TaskId = Annotated[
    str,
    Path(
        pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$",
        description="任务编号 · a task's id",
        examples=["fire-premises"],
    ),
]
Reason = Annotated[
    str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*\S[^\x00]*$", examples=["人手不足"])
]


class JoinAnswer(BaseModel):
    """How a department stands to a plan. Another department's ``inspectors`` are not shown."""

    department: str = Field(examples=["fire"])
    state: str = Field(examples=["invited"], description="invited, confirmed, declined, left-out, withdrawn")
    invited_at: datetime
    deadline: datetime
    reminded_at: datetime | None = None
    answered_at: datetime | None = None
    reason: str = ""
    seats: list[list[str]] | None = Field(
        default=None, description="null：部门平常的席位 · null: the department's usual ones"
    )
    inspectors: list[str] | None = Field(default=None, description="null：全部人员 · null: all")
    version: int
    url: str


class TaskAnswer(BaseModel):
    """A task: one ``[[tasks]]`` table of plan.toml."""

    id: str = Field(examples=["fire-premises"])
    department: str = Field(examples=["fire"])
    task: dict[str, Any]
    version: int
    url: str


class Inviting(Body):
    """Which departments, and until when they answer (default: two working days)."""

    departments: Annotated[list[Identifier], Field(min_length=1, max_length=200)]
    deadline: GivenInstant | None = Field(default=None, examples=["2026-08-20T18:00:00+08:00"])


class JoinBody(Body):
    """What a department brings; null: its usual seats, all of its inspectors."""

    seats: (
        Annotated[list[Annotated[list[Seat], Field(max_length=10)]], Field(min_length=2, max_length=10)]
        | None
    ) = Field(default=None, examples=[[["leader"], []]])
    inspectors: Annotated[list[Identifier], Field(max_length=10_000)] | None = None


class Declining(Body):
    """Why."""

    reason: Reason


class TaskBody(Body):
    """A ``[[tasks]]`` table of plan.toml without id and department (docs/plan.md)."""

    department: Identifier = Field(examples=["fire"])
    task: dict[str, Any] = Field(
        examples=[
            {
                "name": "消防安全抽查",
                "items": ["i01"],
                "ratios": {"A": "2%", "B": "5%", "C": "10%", "D": "50%"},
            }
        ]
    )


class NewTask(TaskBody):
    """A new task."""

    id: Identifier = Field(examples=["fire-premises"])


def join_answer(join: Join, actor: ActorDep) -> JoinAnswer:
    """Return a department's part as routes show it."""
    own = actor.role in {Role.DISPATCHER, Role.AUDITOR} or actor.department == join.department_id
    return JoinAnswer(
        department=join.department_id,
        state=join.state.value,
        invited_at=join.invited_at,
        deadline=join.deadline,
        reminded_at=join.reminded_at,
        answered_at=join.answered_at,
        reason=join.reason,
        seats=join.seats,
        inspectors=join.inspectors if own else None,
        version=join.version,
        url=f"/v1/plans/{join.plan_id}/joins/{join.department_id}",
    )


def task_answer(task: TaskRow) -> TaskAnswer:
    """Return a task as routes show it."""
    return TaskAnswer(
        id=task.id,
        department=task.department_id,
        task=task.document,
        version=task.version,
        url=f"/v1/plans/{task.plan_id}/tasks/{task.id}",
    )


@router.post(
    "/v1/plans/{plan}/invitations",
    status_code=201,
    **allow(
        Role.DISPATCHER,
        object="plan",
        problems=["unknown-plan", "unknown-department", "plan-announced", "deadline-wrong"],
    ),
)
def invite(service: ServiceDep, actor: ActorDep, plan: PlanId, body: Inviting) -> list[JoinAnswer]:
    """邀请部门，或再次邀请 · Invite departments, or those again that declined or were left out."""
    with service.database.writing() as session:
        found = joining.invite(
            session, plan, body.departments, actor=actor, now=service.clock(), deadline=body.deadline
        )
        return [join_answer(join, actor) for join in found]


@router.get(
    "/v1/plans/{plan}/joins/{department}",
    **allow(*READERS, scope="plans:read", object="join", problems=["unknown-plan", "unknown-join"]),
)
def one_join(
    service: ServiceDep, actor: ActorDep, plan: PlanId, department: DepartmentId, response: Response
) -> JoinAnswer:
    """一个部门的参与情况 · How a department stands to the plan."""
    with service.database.reading() as session:
        plan_of(session, plan, actor)
        join = joining.join_of(session, plan, department, actor)
    tagged(response, join.version)
    return join_answer(join, actor)


@router.put(
    "/v1/plans/{plan}/joins/{department}",
    **allow(*MEMBERS, scope="plans:write", object="join", problems=[*JOINS, "inspector-unknown"]),
)
def edit_join(
    service: ServiceDep,
    actor: ActorDep,
    plan: PlanId,
    department: DepartmentId,
    version: IfMatch,
    body: JoinBody,
    response: Response,
) -> JoinAnswer:
    """本部门在此计划中的席位与人员 · Which seats and people a department brings."""
    with service.database.writing() as session:
        join = joining.edit_join(
            session,
            plan,
            department,
            version,
            seats=body.seats,
            inspectors=body.inspectors,
            actor=actor,
            now=service.clock(),
        )
    tagged(response, join.version)
    return join_answer(join, actor)


@router.post(
    "/v1/plans/{plan}/joins/{department}/confirmation",
    status_code=201,
    **allow(*MEMBERS, scope="plans:write", object="join", problems=[*JOINS, "join-without-tasks"]),
)
def confirm(
    service: ServiceDep,
    actor: ActorDep,
    plan: PlanId,
    department: DepartmentId,
    version: IfMatch,
    response: Response,
) -> JoinAnswer:
    """确认参加，任务以现有内容为准 · Take part, with the tasks as they are."""
    with service.database.writing() as session:
        join = joining.confirm(session, plan, department, version, actor=actor, now=service.clock())
    tagged(response, join.version)
    return join_answer(join, actor)


@router.post(
    "/v1/plans/{plan}/joins/{department}/declination",
    status_code=201,
    **allow(*MEMBERS, scope="plans:write", object="join", problems=JOINS),
)
def decline(
    service: ServiceDep,
    actor: ActorDep,
    plan: PlanId,
    department: DepartmentId,
    version: IfMatch,
    body: Declining,
    response: Response,
) -> JoinAnswer:
    """不参加，说明理由；公告前也可由确认改为不参加 · Decline with a reason, also after having confirmed."""
    with service.database.writing() as session:
        join = joining.decline(
            session, plan, department, version, body.reason.strip(), actor=actor, now=service.clock()
        )
    tagged(response, join.version)
    return join_answer(join, actor)


@router.post(
    "/v1/plans/{plan}/tasks",
    status_code=201,
    **allow(*MEMBERS, scope="plans:write", object="plan", problems=[*TASKS, "task-exists", "task-id"]),
)
def add_task(
    service: ServiceDep, actor: ActorDep, plan: PlanId, body: NewTask, response: Response
) -> TaskAnswer:
    """新增任务；部门只管本部门的 · Add a task; a department its own."""
    row = {**body.task, "id": body.id, "department": body.department}
    with service.database.writing() as session:
        task = plan_tasks.put_task(session, plan, row, version=None, actor=actor, now=service.clock())
    tagged(response, task.version)
    answer = task_answer(task)
    response.headers["Location"] = answer.url
    return answer


@router.get(
    "/v1/plans/{plan}/tasks/{task}",
    **allow(*READERS, scope="plans:read", object="plan", problems=["unknown-plan", "unknown-task"]),
)
def one_task(
    service: ServiceDep, actor: ActorDep, plan: PlanId, task: TaskId, response: Response
) -> TaskAnswer:
    """一个任务 · A task."""
    with service.database.reading() as session:
        row = plan_tasks.task_of(session, plan, task, actor)
    tagged(response, row.version)
    return task_answer(row)


@router.put(
    "/v1/plans/{plan}/tasks/{task}",
    **allow(
        *MEMBERS,
        scope="plans:write",
        object="task",
        problems=[*TASKS, "unknown-task", "task-department", "changed-meanwhile"],
    ),
)
def change_task(
    service: ServiceDep,
    actor: ActorDep,
    plan: PlanId,
    task: TaskId,
    version: IfMatch,
    body: TaskBody,
    response: Response,
) -> TaskAnswer:
    """更改任务；他人更改后，已确认的部门须再次确认 · Change a task; if somebody else does, its department confirms again."""
    row = {**body.task, "id": task, "department": body.department}
    with service.database.writing() as session:
        changed = plan_tasks.put_task(session, plan, row, version=version, actor=actor, now=service.clock())
    tagged(response, changed.version)
    return task_answer(changed)


@router.delete(
    "/v1/plans/{plan}/tasks/{task}",
    status_code=204,
    **allow(
        *MEMBERS,
        scope="plans:write",
        object="task",
        problems=[*TASKS, "unknown-task", "changed-meanwhile"],
    ),
)
def remove_task(service: ServiceDep, actor: ActorDep, plan: PlanId, task: TaskId, version: IfMatch) -> None:
    """删去任务；历史保留 · Take a task out; its history stays."""
    with service.database.writing() as session:
        plan_tasks.remove_task(session, plan, task, version, actor=actor, now=service.clock())
