"""After the draw: exclusions, replacements, substitutes, withdrawals (a ``withdraw`` row each); and its end with statistics."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from dualrandom.store import changes, deadlines, withdrawals
from dualrandom.store.amendments import list_amendments
from dualrandom.store.changes import Exclusion
from dualrandom.store.tables import Amendment, DrawRow, Job, Role
from dualrandom.store.withdrawals import Withdrawal
from dualrandom.store.workspace import unknown_draw
from dualrandom_api.service.dependencies import ActorDep, JobAnswer, ServiceDep, accepted
from dualrandom_api.service.fields import Body, GivenInstant, Identifier
from dualrandom_api.service.routes.draws import DrawId, Evidence
from dualrandom_api.service.routes.visits import Day, VisitId
from dualrandom_api.service.security import PEOPLE, GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["changes"])


class NewExclusion(Body):
    """An enterprise that cannot be visited (protocol §13.1). ``evidence``: SHA-256 of an attachment; only its hash is published."""

    enterprise: Identifier
    reason: Literal[
        "deregistered",
        "moved-away",
        "unreachable-before-visit",
        "suspended",
        "case-conflict",
        "register-error",
        "force-majeure",
    ]
    evidence: Annotated[str | None, Field(pattern=r"^[0-9a-f]{64}$")] = None
    round: Identifier | None = Field(
        default=None, description="仅 keystring 信标：决定递补的轮次 · key strings only: the deciding round"
    )
    round_time: GivenInstant | None = None


class NewReplacement(Body):
    """An inspector who cannot come (protocol §13.3), by the library's code. Who comes instead is computed."""

    inspector: Identifier
    reason: Literal[
        "ill", "other-duty", "left", "licence-expired", "newly-recused", "on-enterprise-application"
    ]


class NewWithdrawal(Body):
    """A department that withdraws after the announcement (protocol §13.4). ``evidence``: SHA-256 of an attachment, the letter; only its
    hash is published."""

    department: Identifier
    reason: Literal["reorganised", "ordered-elsewhere", "no-inspectors", "force-majeure"]
    since: Day | None = Field(
        default=None,
        alias="from",
        description="退出的第一天，默认本次抽取的下一个检查日 · first day without the department; by default the draw's next day",
        examples=["2026-09-21"],
    )
    evidence: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")] | None = None
    note: Annotated[str, Field(max_length=400, examples=["机构改革，职能划转"])] = Field(
        default="",
        description="补充说明，只存入操作日志，不公布 · further words, kept in the activity log and not published",
    )


class WaitingWithdrawal(BaseModel):
    """A withdrawal that is not in the record yet: the draw has no result, or a substitute comes first."""

    department: str
    reason: str
    since: Day | None = Field(alias="from", serialization_alias="from")
    job: int
    at: datetime


class AmendmentAnswer(BaseModel):
    """One change after the announcement; ``document`` is what was published."""

    sequence: int
    type: Literal["exclude", "substitute", "replace", "withdraw"]
    reason: str
    document: dict[str, Any]
    at: datetime


class Amendments(BaseModel):
    """All changes of a draw, in order; ``waiting``: withdrawals that will follow."""

    items: list[AmendmentAnswer]
    waiting: list[WaitingWithdrawal]


class RoundAnswer(BaseModel):
    """Which round was taken."""

    round: str


class StatisticsAnswer(BaseModel):
    """Counts of a draw as it stands, or as it was closed."""

    state: Literal["announced", "drawn", "closed", "void"]
    statistics: dict[str, Any]


def _answer(row: Amendment) -> AmendmentAnswer:
    return AmendmentAnswer(
        sequence=row.sequence,
        type=row.type,  # type: ignore[arg-type]
        reason=row.reason,
        document=row.document,
        at=row.at,
    )


def _waiting(job: Job) -> WaitingWithdrawal:
    asked = job.arguments
    return WaitingWithdrawal.model_validate(
        {
            "department": asked["leaving"],
            "reason": asked["reason"],
            "from": asked["since"],
            "job": job.id,
            "at": job.created_at,
        }
    )


@router.post(
    "/v1/draws/{draw}/exclusions",
    status_code=202,
    response_model=JobAnswer,
    **allow(
        Role.DISPATCHER,
        problems=[
            "unknown-draw",
            "draw-not-open",
            "not-visited",
            "deregistered-is-a-finding",
            "already-inspected",
            "substitute-pending",
            "unknown-attachment",
        ],
    ),
)
def exclude(service: ServiceDep, actor: ActorDep, draw: DrawId, body: NewExclusion) -> JSONResponse:
    """排除一户检查对象并公布理由；递补由其后的信标轮次决定 · Exclude an enterprise; a later round decides who is visited instead."""
    wanted = Exclusion(body.enterprise, body.reason, body.evidence, body.round, body.round_time)
    with service.database.writing() as session:
        job = changes.ask_exclusion(session, draw, wanted, actor=actor, now=service.clock())
    return accepted(job)


@router.post(
    "/v1/visits/{visit}/replacements",
    status_code=202,
    response_model=JobAnswer,
    **allow(
        Role.DISPATCHER,
        Role.DEPARTMENT,
        scope="visits:write",
        object="visit",
        problems=["unknown-visit", "unknown-draw", "draw-not-open", "not-in-crew", "already-inspected"],
    ),
)
def replace(service: ServiceDep, actor: ActorDep, visit: VisitId, body: NewReplacement) -> JSONResponse:
    """更换不能到场或须回避的检查人员，人选由签号决定 · Replace an inspector; the tickets decide who comes."""
    with service.database.writing() as session:
        job = changes.ask_replacement(
            session, visit, body.inspector, body.reason, actor=actor, now=service.clock()
        )
    return accepted(job)


@router.post(
    "/v1/draws/{draw}/substitution-beacon",
    **allow(
        Role.DISPATCHER,
        Role.AUDITOR,
        problems=["unknown-draw", "nothing-pending", "beacon-file", "beacon-forged"],
    ),
)
def bring_round(service: ServiceDep, actor: ActorDep, draw: DrawId, body: Evidence) -> RoundAnswer:
    """没有网络时交来决定递补的轮次；当场验证 · Bring the round that decides a substitute; it is verified now."""
    content = body.model_dump_json(exclude_none=True).encode()
    with service.database.writing() as session:
        number = changes.give_evidence(
            session, service.vault, draw, content, actor=actor, now=service.clock()
        )
    return RoundAnswer(round=number)


@router.post(
    "/v1/draws/{draw}/withdrawals",
    status_code=202,
    response_model=JobAnswer,
    **allow(
        Role.DISPATCHER,
        Role.DEPARTMENT,
        scope="plans:write",
        problems=[
            "unknown-draw",
            "foreign-department",
            "draw-not-open",
            "not-in-the-draw",
            "already-withdrawn",
            "already-inspected",
            "day-not-announced",
            "no-crew-left",
            "reason-missing",
            "under-embargo",
            "unknown-attachment",
            "withdrawal-too-early",
        ],
    ),
)
def withdraw(service: ServiceDep, actor: ActorDep, draw: DrawId, body: NewWithdrawal) -> JSONResponse:
    """公告后退出：结果照公告计算，其检查组空缺，其他不变 · Withdraw after the announcement: crews become unfilled, nobody else moves."""
    wanted = Withdrawal(body.department, body.reason, body.since, body.evidence, body.note)
    with service.database.writing() as session:
        job = withdrawals.ask_withdrawal(
            session, service.vault, draw, wanted, actor=actor, now=service.clock()
        )
    return accepted(job)


@router.get(
    "/v1/draws/{draw}/amendments",
    **allow(*PEOPLE, scope="draws:read", problems=["unknown-draw"]),
)
def amendments(service: ServiceDep, draw: DrawId) -> Amendments:
    """公告后的全部更改 · Everything that changed after the announcement."""
    with service.database.reading() as session:
        if session.get(DrawRow, draw) is None:
            raise unknown_draw(draw)
        rows = list_amendments(session, draw)
        waiting = withdrawals.waiting_withdrawals(session, draw)
    return Amendments(items=[_answer(row) for row in rows], waiting=[_waiting(job) for job in waiting])


@router.post(
    "/v1/draws/{draw}/closing",
    **allow(
        Role.DISPATCHER,
        problems=["unknown-draw", "not-drawn", "findings-missing", "changes-pending"],
    ),
)
def close(service: ServiceDep, actor: ActorDep, draw: DrawId) -> StatisticsAnswer:
    """办结；全部结果公布后也会自动办结。不能重开，结果仍可更正 · Close a draw; it is never reopened, findings can still be corrected."""
    with service.database.writing() as session:
        counts = deadlines.close(session, draw, actor=actor, now=service.clock())
    return StatisticsAnswer(state="closed", statistics=dict(counts))


@router.get(
    "/v1/draws/{draw}/statistics",
    **allow(*PEOPLE, scope="draws:read", problems=["unknown-draw"]),
)
def statistics(service: ServiceDep, draw: DrawId) -> StatisticsAnswer:
    """执行情况统计 · How far a draw is carried out."""
    with service.database.reading() as session:
        row = session.get(DrawRow, draw)
        if row is None:
            raise unknown_draw(draw)
        counts = deadlines.statistics_of(session, draw)
    return StatisticsAnswer(state=row.state.value, statistics=counts)
