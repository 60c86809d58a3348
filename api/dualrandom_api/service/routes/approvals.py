"""Approvals (双人复核): what one person asked for and another one decides."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlmodel import Session

from dualrandom.store import approvals
from dualrandom.store.approvals import ACTIONS
from dualrandom.store.tables import Approval, Role
from dualrandom_api.service.dependencies import (
    ActorDep,
    Bilingual,
    Listing,
    PageDep,
    ServiceDep,
    after_of,
    listing,
)
from dualrandom_api.service.fields import Body
from dualrandom_api.service.parts import Service
from dualrandom_api.service.problems import ProblemType
from dualrandom_api.service.security import GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["approvals"])

PROBLEMS = (
    ProblemType(
        "unknown-approval", 404, "没有这个申请，或不属于您", "there is no such approval, or it is not yours",
        "核对编号。", "Check the id.",
    ),
    ProblemType(
        "person-needed", 403, "此操作须由调度员本人提出", "a dispatcher has to ask for this in person",
        "请调度员登录后提出。", "Have a dispatcher sign in and ask.",
    ),
    ProblemType(
        "approval-own", 403, "须由提出人以外的另一人决定", "somebody other than who asked has to decide",
        "请另一位调度员或审计人员决定。", "Ask another dispatcher or an auditor.",
    ),
    ProblemType(
        "approval-dependent", 403, "一天之内，其中一人为另一人新建账号或设置密码，或两人的账号均由同一人设置",
        "within a day one made the other's account or set its password, or the same person did with both",
        "请其他人决定，或过一天再决定。", "Somebody else decides, or you do after a day.",
    ),
    ProblemType(
        "approval-not-own", 403, "只有提出人可以撤回", "only who asked can withdraw it",
        "可以不同意。", "You may refuse it instead.",
    ),
    ProblemType(
        "approval-decided", 409, "此申请已有决定或已撤回", "this was decided or withdrawn already",
        "需要时重新提出。", "Ask anew if it is still needed.",
    ),
    ProblemType(
        "approval-expired", 409, "此申请已过期", "this has expired", "重新提出。", "Ask anew.",
    ),
    ProblemType(
        "approval-differs", 409, "所示内容不是申请的内容", "this is not what was asked for",
        "重新读取申请，核对内容与 digest。", "Read it again, and check content and digest.",
    ),
)  # fmt: skip

READERS = (Role.DISPATCHER, Role.DEPARTMENT, Role.AUDITOR)

ApprovalId = Annotated[
    int, Path(ge=1, le=2**31 - 1, description="申请编号 · an approval's number", examples=[1])
]


class ApprovalAnswer(BaseModel):
    """What was asked for, by whom, and what became of it."""

    id: int
    action: str = Field(examples=["announce"])
    title: Bilingual
    subject: str = Field(examples=["2026-09"])
    payload: dict[str, Any]
    digest: str = Field(description="SHA-256 of action, payload and subject", examples=["9f86d0…"])
    state: Literal["open", "approved", "refused", "withdrawn", "expired"]
    asked_by: str
    asked_at: datetime
    expires_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None
    job: str | None = Field(default=None, examples=["/v1/jobs/7"])
    url: str


class Decision(Body):
    """Approve or refuse exactly what has this digest."""

    decision: Literal["approve", "refuse"]
    digest: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", examples=["9f86d081884c7d65" * 4])]
    reason: Annotated[str, Field(max_length=1000, pattern=r"^[^\x00]*$")] = ""


def asked(service: Service, session: Session, approval: Approval) -> JSONResponse:
    """Return 202 with where the second person decides. Routes that give it say ``status_code=202, response_model=ApprovalAnswer``."""
    names, jobs = approvals.names_of(session, [approval]), approvals.jobs_of(session, [approval])
    answer = approval_answer(approval, names, service.clock(), jobs.get(approval.id or 0))
    return JSONResponse(answer.model_dump(mode="json"), 202, {"Location": answer.url})


def approval_answer(
    approval: Approval, names: dict[int, str], now: datetime, job: int | None = None
) -> ApprovalAnswer:
    """Return an approval as the routes show it."""
    zh, en = ACTIONS[approval.action]
    state: Any = approval.state
    if state == "open" and approval.expires_at <= now:
        state = "expired"
    return ApprovalAnswer(
        id=approval.id or 0,
        action=approval.action,
        title=Bilingual(en=en, zh=zh),
        subject=approval.subject,
        payload=approval.payload,
        digest=approval.digest,
        state=state,
        asked_by=names[approval.requested_by],
        asked_at=approval.requested_at,
        expires_at=approval.expires_at,
        decided_by=None if approval.decided_by is None else names[approval.decided_by],
        decided_at=approval.decided_at,
        job=None if job is None else f"/v1/jobs/{job}",
        url=f"/v1/approvals/{approval.id}",
    )


@router.get("/v1/approvals", response_model=Listing[ApprovalAnswer], **allow(*READERS))
def all_approvals(
    service: ServiceDep,
    actor: ActorDep,
    page: PageDep,
    state: Annotated[Literal["open", "approved", "refused", "withdrawn"] | None, Query()] = None,
) -> dict[str, Any]:
    """申请列表，最新在前；部门只见自己的 · Approvals, the newest first; a department sees its own."""
    after = after_of(page, int)
    with service.database.reading() as session:
        rows = approvals.approvals(
            session, actor, before=after[0] if after else None, limit=page.fetch, state=state
        )
        names = approvals.names_of(session, rows)
        jobs = approvals.jobs_of(session, rows)
    now = service.clock()
    return listing(
        rows,
        page,
        lambda row: [row.id],
        lambda row: approval_answer(row, names, now, jobs.get(row.id or 0)),
    )


@router.get("/v1/approvals/{approval}", **allow(*READERS, object="approval", problems=["unknown-approval"]))
def one_approval(service: ServiceDep, actor: ActorDep, approval: ApprovalId) -> ApprovalAnswer:
    """一项申请 · One approval: read it, then decide with its digest."""
    with service.database.reading() as session:
        row = approvals.the_approval(session, actor, approval)
        names, jobs = approvals.names_of(session, [row]), approvals.jobs_of(session, [row])
    return approval_answer(row, names, service.clock(), jobs.get(approval))


@router.post(
    "/v1/approvals/{approval}/decision",
    **allow(
        Role.DISPATCHER,
        Role.AUDITOR,
        problems=[
            "unknown-approval",
            "approval-own",
            "approval-dependent",
            "approval-decided",
            "approval-expired",
            "approval-differs",
        ],
    ),
)
def decide(service: ServiceDep, actor: ActorDep, approval: ApprovalId, body: Decision) -> ApprovalAnswer:
    """第二人决定；同意后由任务执行一次 · The second person decides; what is approved is done once, by a job."""
    with service.database.writing() as session:
        row, job = approvals.decide(
            session,
            actor,
            service.clock(),
            approval,
            digest=body.digest,
            approve=body.decision == "approve",
            reason=body.reason,
        )
        names = approvals.names_of(session, [row])
    return approval_answer(row, names, service.clock(), None if job is None else job.id)


@router.delete(
    "/v1/approvals/{approval}",
    status_code=204,
    **allow(
        Role.DISPATCHER,
        Role.DEPARTMENT,
        object="approval",
        problems=["unknown-approval", "approval-not-own", "approval-decided"],
    ),
)
def withdraw(service: ServiceDep, actor: ActorDep, approval: ApprovalId) -> None:
    """撤回自己的申请 · Withdraw what one asked for."""
    with service.database.writing() as session:
        approvals.withdraw(session, actor, service.clock(), approval)
