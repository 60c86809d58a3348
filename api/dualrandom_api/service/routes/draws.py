"""Draws: announced when two persons agree, drawn by the service itself when the beacon's round is out, voided with a reason."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.store import approvals
from dualrandom.store.backups import require_backup
from dualrandom.store.database import StaleError
from dualrandom.store.drawing import give_evidence
from dualrandom.store.errors import ConflictError
from dualrandom.store.libraries import current_revisions
from dualrandom.store.plan_inputs import rules_of
from dualrandom.store.plans import plan_of
from dualrandom.store.tables import DrawRow, DrawState, Job, PlanState, Role
from dualrandom.store.workspace import unknown_draw
from dualrandom_api.service.dependencies import (
    ActorDep,
    IfMatch,
    JobAnswer,
    Listing,
    PageDep,
    ServiceDep,
    accepted,
    after_of,
    listing,
)
from dualrandom_api.service.fields import Body
from dualrandom_api.service.handlers.draws import keeping_of
from dualrandom_api.service.parts import Service
from dualrandom_api.service.problems import ProblemType
from dualrandom_api.service.routes.approvals import ApprovalAnswer, asked
from dualrandom_api.service.security import PEOPLE, GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["draws"])

PROBLEMS = (
    ProblemType(
        "unknown-draw", 404, "没有这个抽取", "there is no such draw", "核对抽取编号。", "Check the draw's id.",
    ),
    ProblemType(
        "already-announced", 409, "已经公告", "it has been announced",
        "公告不能更改；要放弃，作废后重新公告。", "An announcement cannot be changed; to give it up, void it and announce again.",
    ),
    ProblemType(
        "draw-ended", 409, "该抽取已有结果或已作废", "this draw has its result, or is void",
        "查看该抽取的状态。", "Look at the draw's state.",
    ),
    ProblemType(
        "beacon-file", 422, "信标文件不能用", "the beacon's file cannot be used",
        "保存所公告轮次的 JSON，原样提交。", "Save the JSON of the announced round, and send it as it is.",
    ),
    ProblemType(
        "beacon-forged", 422, "信标签名不真实", "the beacon's signature is forged",
        "从可信的中继重新取得该轮次。", "Get the round again from a relay that you trust.",
    ),
)  # fmt: skip

DrawId = Annotated[
    str,
    Path(
        pattern=r"^[A-Za-z0-9._-]{1,100}$",
        description="抽取编号 · a draw's id",
        examples=["ezhou-2026-000001"],
    ),
]
PlanId = Annotated[
    str, Path(pattern=r"^[A-Za-z0-9._-]{1,100}$", description="计划编号 · a plan's id", examples=["2026-09"])
]
Reason = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"\S", examples=["名录有误"])]


class DrawAnswer(BaseModel):
    """A draw and its dates. ``summary``: counts that follow from the published documents."""

    draw: str = Field(examples=["ezhou-2026-000001"])
    plan: str
    state: Literal["announced", "drawn", "closed", "void"]
    announcement: str = Field(description="SHA-256 or SM3 of announcement.json")
    result: str | None = None
    announced_at: datetime
    reveal_by: datetime
    due: datetime = Field(description="信标轮次的时间 · when the beacon's round is due")
    result_by: datetime
    findings_by: datetime
    drawn_at: datetime | None = None
    ended_at: datetime | None = None
    void_reason: str = ""
    revisions: dict[str, int] = Field(
        description="冻结的名录版本 · the libraries' revisions that were frozen"
    )
    summary: dict[str, Any]
    url: str


class Announcing(Body):
    """What is announced is the plan's version in If-Match. ``rehearsal``: its round may be out already, and the result says so."""

    rehearsal: bool = False


class Voiding(Body):
    """The reason is published."""

    reason: Reason


class Evidence(Body):
    """A round as drand's API gives it, or a key string."""

    round: int | None = Field(default=None, ge=1, le=2**53, examples=[1000])
    signature: str | None = Field(default=None, pattern=r"^[0-9a-f]{96}$")
    randomness: str | None = Field(default=None, pattern=r"^[0-9a-f]{64}$")
    keystring: str | None = Field(default=None, max_length=4096)


def _answer(row: DrawRow) -> DrawAnswer:
    return DrawAnswer(
        draw=row.id,
        plan=row.plan_id,
        state=row.state.value,
        announcement=row.announcement,
        result=row.result,
        announced_at=row.announced_at,
        reveal_by=row.reveal_by,
        due=row.due,
        result_by=row.result_by,
        findings_by=row.findings_by,
        drawn_at=row.drawn_at,
        ended_at=row.ended_at,
        void_reason=row.void_reason,
        revisions=row.revisions,
        summary=row.summary,
        url=f"/v1/draws/{row.id}",
    )


def _draw(session: Session, draw: str) -> DrawRow:
    row = session.get(DrawRow, draw)
    if row is None:
        raise unknown_draw(draw)
    return row


@router.get("/v1/draws", response_model=Listing[DrawAnswer], **allow(*PEOPLE, scope="draws:read"))
def all_draws(
    service: ServiceDep,
    page: PageDep,
    state: Annotated[DrawState | None, Query()] = None,
    plan: Annotated[str | None, Query(max_length=100)] = None,
) -> dict[str, Any]:
    """抽取列表，最新在前 · Draws, the newest first."""
    after = after_of(page, str)
    chosen = select(DrawRow).order_by(col(DrawRow.id).desc()).limit(page.fetch)
    if after:
        chosen = chosen.where(col(DrawRow.id) < after[0])
    if state is not None:
        chosen = chosen.where(col(DrawRow.state) == state)
    if plan is not None:
        chosen = chosen.where(col(DrawRow.plan_id) == plan)
    with service.database.reading() as session:
        rows = session.scalars(chosen).all()
    return listing(rows, page, lambda row: [row.id], _answer)


@router.get("/v1/draws/{draw}", **allow(*PEOPLE, scope="draws:read", problems=["unknown-draw"]))
def one_draw(service: ServiceDep, draw: DrawId, response: Response) -> DrawAnswer:
    """一次抽取 · One draw."""
    response.headers["Cache-Control"] = "no-cache"
    with service.database.reading() as session:
        return _answer(_draw(session, draw))


@router.post(
    "/v1/plans/{plan}/announcement",
    status_code=202,
    response_model=ApprovalAnswer,
    **allow(
        Role.DISPATCHER, problems=["unknown-plan", "already-announced", "backup-missing", "person-needed"]
    ),
)
def ask_to_announce(
    service: ServiceDep, actor: ActorDep, plan: PlanId, version: IfMatch, body: Announcing
) -> JSONResponse:
    """提请公告；第二人同意后冻结名录并发布 · Ask to announce a plan; when a second person agrees, its lists are frozen and published."""
    with service.database.writing() as session:
        row = plan_of(session, plan, actor)
        if row.state not in {PlanState.DRAFT, PlanState.INVITING}:
            raise ConflictError(
                "already-announced",
                plan,
                {"zh": "已经公告", "en": "it has been announced"},
                {"zh": "要放弃，作废后重新公告。", "en": "To give it up, void it and announce again."},
            )
        if row.version != version:
            raise StaleError(f"plan {plan}")
        if not body.rehearsal:
            require_backup(session)
        rules = rules_of(session, plan)
        approval = approvals.ask(
            session,
            actor,
            service.clock(),
            action="announce",
            subject=plan,
            payload={
                "plan_toml": rules.pop("plan.toml"),
                "rehearsal": body.rehearsal,
                "revisions": current_revisions(session),
                "rules": rules,
                "version": version,
            },
            lasts=service.settings.approval_time,
        )
        return asked(service, session, approval)


@router.post(
    "/v1/draws/{draw}/void",
    status_code=202,
    response_model=ApprovalAnswer,
    **allow(Role.DISPATCHER, problems=["unknown-draw", "draw-ended", "person-needed"]),
)
def ask_to_void(service: ServiceDep, actor: ActorDep, draw: DrawId, body: Voiding) -> JSONResponse:
    """提请作废；只能在结果发布之前 · Ask to void a draw that has no result."""
    with service.database.writing() as session:
        row = _draw(session, draw)
        if row.state is not DrawState.ANNOUNCED:
            raise ConflictError(
                "draw-ended",
                draw,
                {"zh": "该抽取已有结果或已作废", "en": "this draw has its result, or is void"},
                {
                    "zh": "执行中的变化按递补和更正规则处理。",
                    "en": "Changes afterwards are substitutions and corrections.",
                },
            )
        approval = approvals.ask(
            session,
            actor,
            service.clock(),
            action="void",
            subject=draw,
            payload={"reason": body.reason.strip()},
            lasts=service.settings.approval_time,
        )
        return asked(service, session, approval)


@router.post(
    "/v1/draws/{draw}/beacon",
    status_code=202,
    response_model=JobAnswer,
    **allow(
        Role.DISPATCHER,
        Role.AUDITOR,
        problems=["unknown-draw", "draw-ended", "beacon-file", "beacon-forged"],
    ),
)
def bring_beacon(service: ServiceDep, actor: ActorDep, draw: DrawId, body: Evidence) -> JSONResponse:
    """没有网络时交来信标；当场验证，只收所公告的轮次 · Bring the announced round where there is no network; it is verified now."""
    content = body.model_dump_json(exclude_none=True).encode()
    with service.database.writing() as session:
        give_evidence(session, keeping_of(service), draw, content, actor=actor, now=service.clock())
        job = session.scalars(select(Job).where(col(Job.unique_key) == f"draw:{draw}")).one()
    return accepted(job)


@router.post(
    "/v1/log/key",
    status_code=202,
    response_model=ApprovalAnswer,
    **allow(Role.DISPATCHER, problems=["person-needed"]),
)
def ask_for_new_key(service: ServiceDep, actor: ActorDep) -> JSONResponse:
    """提请轮换日志密钥 · Ask to hand the log over to a new key."""
    return _about_key(service, actor, "rotate-log-key", {})


@router.post(
    "/v1/log/key/revocation",
    status_code=202,
    response_model=ApprovalAnswer,
    **allow(Role.DISPATCHER, problems=["person-needed"]),
)
def ask_to_revoke_key(service: ServiceDep, actor: ActorDep, body: Voiding) -> JSONResponse:
    """提请吊销日志现行密钥 · Ask to revoke the log's current key."""
    return _about_key(service, actor, "revoke-log-key", {"reason": body.reason.strip()})


def _about_key(service: Service, actor: Any, action: str, payload: dict[str, Any]) -> JSONResponse:
    with service.database.writing() as session:
        approval = approvals.ask(
            session,
            actor,
            service.clock(),
            action=action,
            subject="log",
            payload=payload,
            lasts=service.settings.approval_time,
        )
        return asked(service, session, approval)
