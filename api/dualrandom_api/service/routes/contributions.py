"""Contributions to the seed: a party commits before the announcement and reveals after it, with the files of ``dualrandom contribute``.

The bodies are those files as they are: ``curl --data @fire.commitment.json``. The dispatcher may hand them in for a party
without access; the signature says whose they are.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlmodel import Session

from dualrandom.store import contributing
from dualrandom.store.plans import plan_of
from dualrandom.store.tables import ContributionRow, DrawRow, PlanRow, Role
from dualrandom.store.workspace import unknown_draw
from dualrandom_api.service.dependencies import ActorDep, JobAnswer, ServiceDep, accepted
from dualrandom_api.service.fields import Body
from dualrandom_api.service.problems import ProblemType, refusal
from dualrandom_api.service.routes.draws import DrawId
from dualrandom_api.service.routes.joins import PlanId
from dualrandom_api.service.security import GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["contributions"])

PROBLEMS = (
    ProblemType(
        "unknown-party", 404, "没有这个贡献方，或不是您", "there is no such contributing party, or it is not you",
        "计划的 contributions 列出各方。", "The plan's contributions name the parties.",
    ),
    ProblemType(
        "contribution-other-draw", 422, "该承诺针对另一次抽取", "the commitment is for another draw",
        "对 next_draw 所示的编号重新承诺。", "Commit again for the draw that next_draw names.",
    ),
    ProblemType(
        "contribution-other-suite", 422, "散列算法与计划不同", "the hash suite is not the plan's",
        "用计划的散列算法重新承诺。", "Commit again with the plan's suite.",
    ),
    ProblemType(
        "contribution-not-signed", 422, "签名与密钥、抽取或承诺不符", "the signature does not fit key, draw and commitment",
        "对协议第 4 节的语句签名。", "Sign the statement of protocol §4.",
    ),
    ProblemType(
        "commitment-form", 422, "承诺的形式不对", "the commitment has the wrong form",
        "承诺为 64 位小写十六进制。", "A commitment is 64 lower-case hex digits.",
    ),
    ProblemType(
        "nonce-form", 422, "随机数的形式不对", "the nonce has the wrong form",
        "随机数为 64 位小写十六进制。", "A nonce is 64 lower-case hex digits.",
    ),
    ProblemType(
        "nonce-differs", 422, "随机数与承诺不符", "the nonce does not match the commitment",
        "核对是否为本次抽取的随机数。", "Check that it is the nonce of this draw.",
    ),
    ProblemType(
        "reveal-too-late", 409, "公开随机数的期限已过", "the deadline for revealing has passed",
        "种子将用其承诺代替，不必处理。", "The seed takes its commitment instead; nothing to do.",
    ),
)  # fmt: skip

READERS = (Role.DISPATCHER, Role.DEPARTMENT, Role.AUDITOR, Role.SUPPORT)
PARTIES = (Role.DISPATCHER, Role.DEPARTMENT)

Party = Annotated[
    str,
    Path(
        pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$",
        description="贡献方，部门即其代码 · the party; a department's id",
        examples=["fire"],
    ),
]
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$", examples=["5f" * 32])]
Base64 = Annotated[str, Field(pattern=r"^[0-9A-Za-z+/]{1,200}={0,2}$")]
Named = Annotated[str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,99}$")]


class Commitment(Body):
    """``<party>.commitment.json`` of ``dualrandom contribute``."""

    type: Literal["dualrandom/v1/contribution"] = "dualrandom/v1/contribution"
    draw: Named = Field(examples=["ezhou-2026-000001"])
    party: Named = Field(examples=["fire"])
    suite: Literal["sha256", "sm3"] = "sha256"
    key: Base64
    commitment: Hex
    signature: Base64


class Reveal(Body):
    """``<party>.reveal.json`` of ``dualrandom contribute``."""

    type: Literal["dualrandom/v1/reveal"] = "dualrandom/v1/reveal"
    draw: Named = Field(examples=["ezhou-2026-000001"])
    party: Named = Field(examples=["fire"])
    nonce: Hex


class ContributionAnswer(BaseModel):
    """What a party committed to. ``office``: its nonce is made in the office when the draw is announced."""

    party: str = Field(examples=["fire"])
    name: str
    draw: str
    office: bool
    key: str | None = None
    commitment: str | None = None
    committed_at: datetime | None = None
    revealed_at: datetime | None = None


class ContributionList(BaseModel):
    """All parties of a draw."""

    draw: str
    items: list[ContributionAnswer]


def _answers(session: Session, plan: PlanRow, draw: str) -> ContributionList:
    signed = contributing.signed_for(session, plan, draw)
    return ContributionList(
        draw=draw,
        items=[_answer(row, draw, signed.get(row["party"])) for row in contributing.parties(plan)],
    )


def _answer(named: Mapping[str, Any], draw: str, row: ContributionRow | None) -> ContributionAnswer:
    party = str(named["party"])
    name = str(named.get("name", party))
    if row is None:
        return ContributionAnswer(party=party, name=name, draw=draw, office=bool(named.get("office")))
    return ContributionAnswer(
        party=party,
        name=name,
        draw=draw,
        office=False,
        key=row.key,
        commitment=row.commitment,
        committed_at=row.committed_at,
        revealed_at=row.revealed_at,
    )


@router.get(
    "/v1/plans/{plan}/contributions",
    **allow(*READERS, scope="plans:read", object="plan", problems=["unknown-plan"]),
)
def of_plan(service: ServiceDep, actor: ActorDep, plan: PlanId) -> ContributionList:
    """下一次抽取的各贡献方 · The parties of the plan's next draw."""
    with service.database.reading() as session:
        row = plan_of(session, plan, actor)
        return _answers(session, row, contributing.next_draw(session, row))


@router.put(
    "/v1/plans/{plan}/contributions/{party}",
    **allow(
        *PARTIES,
        scope="contributions:write",
        object="party",
        problems=[
            "unknown-plan",
            "unknown-party",
            "plan-announced",
            "contribution-other-draw",
            "contribution-other-suite",
            "contribution-not-signed",
            "commitment-form",
            "invalid-parameter",
        ],
    ),
)
def commit(
    service: ServiceDep, actor: ActorDep, plan: PlanId, party: Party, body: Commitment
) -> ContributionAnswer:
    """提交签名的承诺；公告前可以替换 · Hand in a signed commitment; until the announcement it may be replaced."""
    _require_same(party, body.party)
    with service.database.writing() as session:
        plan_of(session, plan, actor)
        row = contributing.commit(
            session,
            plan,
            party,
            draw=body.draw,
            key=body.key,
            commitment=body.commitment,
            signature=body.signature,
            suite=body.suite,
            actor=actor,
            now=service.clock(),
        )
    return _answer({"party": party, "name": row.name}, body.draw, row)


@router.get(
    "/v1/draws/{draw}/contributions",
    **allow(*READERS, scope="draws:read", object="draw", problems=["unknown-draw", "unknown-plan"]),
)
def of_draw(service: ServiceDep, actor: ActorDep, draw: DrawId) -> ContributionList:
    """一次抽取的各贡献方，谁已公开 · The parties of a draw, and who has revealed."""
    with service.database.reading() as session:
        row = session.get(DrawRow, draw)
        if row is None:
            raise unknown_draw(draw)
        return _answers(session, plan_of(session, row.plan_id, actor), draw)


@router.post(
    "/v1/draws/{draw}/contributions/{party}",
    status_code=202,
    response_model=JobAnswer,
    **allow(
        *PARTIES,
        scope="contributions:write",
        object="party",
        problems=[
            "unknown-draw",
            "unknown-party",
            "draw-ended",
            "reveal-too-late",
            "nonce-form",
            "nonce-differs",
            "invalid-parameter",
        ],
    ),
)
def reveal(service: ServiceDep, actor: ActorDep, draw: DrawId, party: Party, body: Reveal) -> JSONResponse:
    """在期限前公开随机数；随后登记日志。不公开则用承诺代替，抽取照常 · Reveal the nonce before the deadline; it is then logged.

    Whoever does not reveal is represented by the commitment, and the draw goes on.
    """
    _require_same(party, body.party)
    _require_same(draw, body.draw)
    with service.database.writing() as session:
        _, job = contributing.reveal(session, draw, party, body.nonce, actor=actor, now=service.clock())
    return accepted(job)


def _require_same(path: str, body: str) -> None:
    if path != body:
        raise refusal(
            "invalid-parameter",
            body,
            zh=f"文件针对 {body}，地址是 {path}",
            en=f"the file is about {body}, the address about {path}",
        )
