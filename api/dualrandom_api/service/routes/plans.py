"""Plans until they are announced: the draft, who joins with which tasks, and what still blocks the announcement."""

from __future__ import annotations

import os
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlmodel import Session

from dualrandom.keyring import LOG_PASSWORD
from dualrandom.store import checking, contributing, plan_copies, planning
from dualrandom.store.checking import Prerequisite
from dualrandom.store.plan_inputs import plan_toml
from dualrandom.store.plans import joins_of, plan_of, plan_versions, plans, tasks_of
from dualrandom.store.prerequisites import prerequisites
from dualrandom.store.tables import PlanRow, PlanState, PlanVersion, Role
from dualrandom_api.service.dependencies import (
    ActorDep,
    Bilingual,
    IfMatch,
    JobAnswer,
    Listing,
    PageDep,
    ServiceDep,
    accepted,
    after_of,
    job_answer,
    listing,
    tagged,
)
from dualrandom_api.service.fields import Body, Identifier
from dualrandom_api.service.problems import ProblemType, refusal
from dualrandom_api.service.routes.joins import (
    MEMBERS,
    READERS,
    JoinAnswer,
    PlanId,
    TaskAnswer,
    join_answer,
    task_answer,
)
from dualrandom_api.service.security import GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["plans"])

PROBLEMS = (
    ProblemType(
        "plan-announced", 409, "计划已公告，不能再改", "the plan has been announced and cannot be changed any more",
        "公告以后只能退出、增补，或说明理由作废。", "After announcing only withdrawals, amendments, or a reasoned void.",
    ),
    ProblemType(
        "plan-exists", 409, "计划编号已被使用", "there is a plan with this id",
        "换一个编号，或修改已有的计划。", "Choose another id, or edit that plan.",
    ),
    ProblemType(
        "plan-id", 422, "计划编号不可用", "the plan's id cannot be used",
        "用字母、数字和 . _ -，且不更改。", "Use letters, digits and . _ -, and do not change it.",
    ),
    ProblemType(
        "plan-table-unknown", 422, "计划中有不认识的表", "the plan has tables that mean nothing",
        "表与键见 docs/plan.zh-CN.md。", "docs/plan.md lists tables and keys.",
    ),
    ProblemType(
        "plan-form", 422, "计划的表形式不对", "tables of the plan have the wrong form",
        "按 details 更正。", "Correct what the details name.",
    ),
    ProblemType(
        "authority-differs", 422, "计划属于其他机关", "the plan is another authority's",
        "删去 plan.authority，或改为本机关的代码。", "Take plan.authority out, or correct it.",
    ),
    ProblemType(
        "library-missing", 409, "名录尚不齐全", "libraries are missing",
        "先导入检查对象、检查人员和事项清单。", "Import enterprises, inspectors and items first.",
    ),
)  # fmt: skip

Document = Annotated[
    dict[str, Any],
    Field(
        description="plan.toml 的各表，日期与时刻写作文字；不含 tasks、departments、libraries · the tables of plan.toml, "
        "dates and times as text; without tasks, departments, libraries",
        examples=[
            {
                "plan": {"id": "2026-09", "period": {"start": "2026-09-01", "end": "2026-09-30"}},
                "beacon": {"time": "2026-08-25T10:00:00+08:00"},
                "auditor": {"name": "鄂州市审计局"},
                "contributions": [{"party": "fire", "name": "消防救援支队"}],
            }
        ],
    ),
]
Title = Annotated[
    str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*\S[^\x00]*$", examples=["九月抽查"])
]


class PlanSummary(BaseModel):
    """A plan. ``version`` rises with whatever belongs to it: what an announcement is approved for."""

    id: str = Field(examples=["2026-09"])
    title: str
    state: PlanState
    version: int
    join_by: datetime | None = None
    next_draw: str = Field(description="下一次公告的抽取编号 · the id that the next announcement gets")
    copied_from: str | None = None
    created_by: str
    created_at: datetime
    url: str


class PlanAnswer(PlanSummary):
    """A plan with its document, tasks and joins."""

    document: dict[str, Any]
    document_version: int
    tasks: list[TaskAnswer]
    joins: list[JoinAnswer]


class DocumentAnswer(BaseModel):
    """The plan's own tables."""

    title: str
    document: Document


class VersionAnswer(BaseModel):
    """What was written once. ``subject``: plan, task:<id> or join:<department>."""

    subject: str
    version: int
    document: dict[str, Any]
    at: datetime
    by: str


class NewPlan(Body):
    """A plan as JSON (``document``, tasks and departments included) or as the text of a plan.toml (``toml``), one of them."""

    document: dict[str, Any] | None = Field(
        default=None,
        examples=[
            {
                "plan": {"id": "2026-09", "period": {"start": "2026-09-01", "end": "2026-09-30"}},
                "beacon": {"time": "2026-08-25T10:00:00+08:00"},
                "auditor": {"name": "鄂州市审计局"},
            }
        ],
    )
    toml: str | None = Field(default=None, max_length=4_000_000)
    title: Title | None = None


class DocumentBody(Body):
    """The plan's own tables, whole."""

    document: Document
    title: Title | None = None


class Copying(Body):
    """The copy's id; by default the next month's."""

    id: Identifier | None = None
    title: Title | None = None


class PointAnswer(BaseModel):
    """One thing to do (``blocks``) or to know (``warns``). ``who``: dispatcher, operator or department:<id>."""

    code: str = Field(examples=["join-unanswered"])
    severity: Literal["blocks", "warns"]
    who: str = Field(examples=["department:fire"])
    where: str
    value: str
    message: Bilingual
    remedy: Bilingual


class Ready(BaseModel):
    """What still blocks the announcement, and the check of plan and libraries as they are now."""

    ready: bool
    points: list[PointAnswer]
    check: JobAnswer | None = None


class Template(BaseModel):
    """A plan to begin with, made from the libraries; placeholders have to be filled in."""

    document: dict[str, Any]


def _summary(session: Session, plan: PlanRow) -> dict[str, Any]:
    return {
        "id": plan.id,
        "title": plan.title,
        "state": plan.state,
        "version": plan.version,
        "join_by": plan.join_by,
        "next_draw": contributing.next_draw(session, plan),
        "copied_from": plan.copied_from,
        "created_by": plan.created_by,
        "created_at": plan.created_at,
        "url": f"/v1/plans/{plan.id}",
    }


def _plan(session: Session, plan: PlanRow, actor: ActorDep) -> PlanAnswer:
    return PlanAnswer(
        **_summary(session, plan),
        document=plan.document,
        document_version=plan.document_version,
        tasks=[task_answer(task) for task in tasks_of(session, plan.id)],
        joins=[join_answer(join, actor) for join in joins_of(session, plan.id)],
    )


def _version(row: PlanVersion) -> VersionAnswer:
    return VersionAnswer(
        subject=row.subject, version=row.version, document=row.document, at=row.at, by=row.by
    )


def _point(point: Prerequisite) -> PointAnswer:
    return PointAnswer(
        code=point.code,
        severity=point.severity,
        who=point.who,
        where=point.where,
        value=point.value,
        message=Bilingual(zh=point.message_zh, en=point.message_en),
        remedy=Bilingual(zh=point.remedy_zh, en=point.remedy_en),
    )


@router.get("/v1/plans", response_model=Listing[PlanSummary], **allow(*READERS, scope="plans:read"))
def all_plans(
    service: ServiceDep,
    actor: ActorDep,
    page: PageDep,
    state: Annotated[PlanState | None, Query(description="状态 · state")] = None,
) -> dict[str, Any]:
    """计划列表，编号大的在前；部门只见受邀的 · Plans by id, the last first; a department sees those that it was invited to."""
    after = after_of(page, str)
    with service.database.reading() as session:
        found = plans(session, actor, state=state, after=after[0] if after else None, limit=page.fetch)
        return listing(found, page, lambda plan: [plan.id], lambda plan: _summary(session, plan))


@router.post(
    "/v1/plans",
    status_code=201,
    **allow(
        Role.DISPATCHER,
        problems=[
            "plan-id",
            "plan-exists",
            "plan-table-unknown",
            "plan-form",
            "authority-differs",
            "text-invalid",
            "task-id",
            "task-exists",
            "unknown-department",
            "input-refused",
            "invalid-parameter",
        ],
    ),
)
def create_plan(service: ServiceDep, actor: ActorDep, body: NewPlan, response: Response) -> PlanAnswer:
    """新建计划草稿 · A new draft, from JSON or from a plan.toml."""
    given: dict[str, Any] = {"actor": actor, "now": service.clock(), "title": body.title}
    with service.database.writing() as session:
        if body.toml is not None and body.document is None:
            plan = planning.create_plan(session, body.toml, **given)
        elif body.document is not None and body.toml is None:
            plan = planning.create_from(session, body.document, **given)
        else:
            raise refusal(
                "invalid-parameter",
                "document, toml",
                zh="document 与 toml 给出其一",
                en="give document or toml",
            )
        answer = _plan(session, plan, actor)
    tagged(response, plan.version)
    response.headers["Location"] = answer.url
    return answer


@router.get("/v1/plan-template", **allow(Role.DISPATCHER, problems=["library-missing", "input-refused"]))
def plan_template(service: ServiceDep) -> Template:
    """由现有名录生成的计划模板 · A plan to begin with, made from the libraries."""
    with service.database.reading() as session:
        return Template(document=plan_copies.template(session, service.clock()))


@router.get(
    "/v1/plans/{plan}",
    **allow(*READERS, scope="plans:read", object="plan", problems=["unknown-plan"]),
)
def one_plan(service: ServiceDep, actor: ActorDep, plan: PlanId, response: Response) -> PlanAnswer:
    """一个计划；ETag 为其总版次 · A plan; its ETag is the version of all that belongs to it."""
    with service.database.reading() as session:
        row = plan_of(session, plan, actor)
        tagged(response, row.version)
        return _plan(session, row, actor)


@router.get(
    "/v1/plans/{plan}/document",
    **allow(*READERS, scope="plans:read", object="plan", problems=["unknown-plan"]),
)
def plan_document(service: ServiceDep, actor: ActorDep, plan: PlanId, response: Response) -> DocumentAnswer:
    """计划自身的各表，有自己的 ETag · The plan's own tables, with an ETag of their own."""
    with service.database.reading() as session:
        row = plan_of(session, plan, actor)
    tagged(response, row.document_version)
    return DocumentAnswer(title=row.title, document=row.document)


@router.put(
    "/v1/plans/{plan}/document",
    **allow(
        Role.DISPATCHER,
        object="plan",
        problems=[
            "unknown-plan",
            "plan-announced",
            "plan-id",
            "plan-table-unknown",
            "plan-form",
            "authority-differs",
            "text-invalid",
            "changed-meanwhile",
        ],
    ),
)
def edit_plan(
    service: ServiceDep,
    actor: ActorDep,
    plan: PlanId,
    version: IfMatch,
    body: DocumentBody,
    response: Response,
) -> DocumentAnswer:
    """更改计划自身的各表；旧版保留 · Replace the plan's own tables; the version before stays."""
    with service.database.writing() as session:
        row = planning.edit_plan(
            session, plan, version, body.document, actor=actor, now=service.clock(), title=body.title
        )
    tagged(response, row.document_version)
    return DocumentAnswer(title=row.title, document=row.document)


@router.get(
    "/v1/plans/{plan}/plan.toml",
    response_class=Response,
    responses={
        200: {"description": "plan.toml", "content": {"application/toml": {"schema": {"type": "string"}}}}
    },
    **allow(*READERS, scope="plans:read", object="plan", problems=["unknown-plan"]),
)
def as_toml(service: ServiceDep, actor: ActorDep, plan: PlanId) -> Response:
    """已确认部门的整个计划，同命令行所用 · The whole plan with the departments that take part, as the command line reads it."""
    with service.database.reading() as session:
        plan_of(session, plan, actor)
        text = plan_toml(session, plan)
    return Response(text, media_type="application/toml", headers={"Cache-Control": "no-store"})


@router.get(
    "/v1/plans/{plan}/versions",
    response_model=Listing[VersionAnswer],
    **allow(*READERS, scope="plans:read", object="plan", problems=["unknown-plan"]),
)
def versions(service: ServiceDep, actor: ActorDep, plan: PlanId, page: PageDep) -> dict[str, Any]:
    """计划、任务与参与情况的历次版本，最新在前 · All versions of the plan, its tasks and joins, the newest first."""
    after = after_of(page, int)
    with service.database.reading() as session:
        found = plan_versions(session, plan, actor, before=after[0] if after else None, limit=page.fetch)
    return listing(found, page, lambda row: [row.id], _version)


@router.post(
    "/v1/plans/{plan}/copies",
    status_code=201,
    **allow(
        Role.DISPATCHER,
        object="plan",
        problems=[
            "unknown-plan",
            "plan-exists",
            "plan-id",
            "input-refused",
            "unknown-department",
            "text-invalid",
        ],
    ),
)
def copy_plan(
    service: ServiceDep, actor: ActorDep, plan: PlanId, body: Copying, response: Response
) -> PlanAnswer:
    """复制为下一月的草稿 · A draft for the month after: the same rules and tasks, new dates, the next number."""
    with service.database.writing() as session:
        row = plan_copies.copy_plan(
            session, plan, actor=actor, now=service.clock(), new_id=body.id, title=body.title
        )
        answer = _plan(session, row, actor)
    tagged(response, row.version)
    response.headers["Location"] = answer.url
    return answer


@router.get(
    "/v1/plans/{plan}/prerequisites",
    **allow(*READERS, scope="plans:read", object="plan", problems=["unknown-plan", "plan-announced"]),
)
def what_blocks(service: ServiceDep, actor: ActorDep, plan: PlanId) -> Ready:
    """公告前还缺什么、由谁办理；部门只见自己的 · What still blocks the announcement, and who must act; a department sees its own."""
    with service.database.reading() as session:
        found = prerequisites(
            session, plan, actor, service.clock(), log_password=bool(os.environ.get(LOG_PASSWORD))
        )
    return Ready(
        ready=found.is_ready,
        points=[_point(point) for point in found.points],
        check=None if found.checked is None else job_answer(found.checked, actor),
    )


@router.post(
    "/v1/plans/{plan}/check",
    status_code=202,
    response_model=JobAnswer,
    **allow(*MEMBERS, scope="plans:write", object="plan", problems=["unknown-plan", "plan-announced"]),
)
def check(service: ServiceDep, actor: ActorDep, plan: PlanId) -> JSONResponse:
    """在后台按公告的方式检查计划与名录 · Read plan and libraries in the background as announcing would."""
    with service.database.writing() as session:
        job = checking.check(session, plan, actor, service.clock())
    return accepted(job, actor)
