"""The activity log, and reading what is sealed, which is always noted in it."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query
from pydantic import BaseModel, Field
from starlette.responses import Response

from dualrandom.store import activity, sealed
from dualrandom.store.tables import Activity, Role
from dualrandom_api.service.dependencies import (
    ActorDep,
    Listing,
    PageDep,
    ServiceDep,
    after_of,
    listing,
)
from dualrandom_api.service.fields import Body
from dualrandom_api.service.problems import ProblemType
from dualrandom_api.service.routes.public import DrawId
from dualrandom_api.service.security import GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["activity"])

PROBLEMS = (
    ProblemType(
        "unknown-sealed-list", 404, "没有这份封存的名单", "there is no such sealed list",
        "GET /v1/draws/{draw}/sealed 列出全部。", "GET /v1/draws/{draw}/sealed lists them.",
    ),
)  # fmt: skip

Word = Annotated[str | None, Query(max_length=100, pattern=r"^[^\x00]*$")]


class ActivityAnswer(BaseModel):
    """One action. ``digest`` covers the row and the digest before it."""

    id: int
    at: datetime
    actor: str = Field(examples=["user:zhang.wei"])
    role: str
    action: str = Field(examples=["announce"])
    subject: str
    detail: dict[str, Any]
    previous: str
    digest: str


class Chain(BaseModel):
    """Whether the whole chain holds: the rows, the newest digest (to be written down elsewhere), and what is wrong."""

    rows: int
    head: str
    intact: bool
    faults: list[int] = Field(description="有误的行，最多 100 · rows that are wrong, at most 100")


class SealedList(BaseModel):
    """A sealed list of a draw; its content is given only against a reason."""

    name: str = Field(examples=["openings/strata.jsonl"])
    size: int
    sha256: str


class SealedRequest(Body):
    """Which list, and why: the reason stands in the activity log for ever."""

    name: Annotated[str, Field(pattern=r"^[0-9A-Za-z._/-]{1,100}$", examples=["openings/strata.jsonl"])]
    reason: Annotated[
        str, Field(min_length=4, max_length=500, pattern=r"^[^\x00]*$", examples=["季度审计 2026-3"])
    ]


def activity_answer(row: Activity) -> ActivityAnswer:
    """Return a row as the route shows it."""
    return ActivityAnswer(
        id=row.id,
        at=row.at,
        actor=row.actor,
        role=row.role,
        action=row.action,
        subject=row.subject,
        detail=row.detail,
        previous=row.previous,
        digest=row.digest,
    )


@router.get("/v1/activity", response_model=Listing[ActivityAnswer], **allow(Role.DISPATCHER, Role.AUDITOR))
def rows(
    service: ServiceDep,
    page: PageDep,
    actor_name: Annotated[str | None, Query(alias="actor", max_length=100, pattern=r"^[^\x00]*$")] = None,
    action: Word = None,
    subject: Word = None,
) -> dict[str, Any]:
    """操作日志，最新在前 · What everybody did, the newest first."""
    after = after_of(page, int)
    with service.database.reading() as session:
        found = activity.rows(
            session,
            before=after[0] if after else None,
            limit=page.fetch,
            actor=actor_name,
            action=action,
            subject=subject,
        )
    return listing(found, page, lambda row: [row.id], activity_answer)


@router.get("/v1/activity/chain", **allow(Role.DISPATCHER, Role.AUDITOR))
def chain(service: ServiceDep) -> Chain:
    """核对整条日志 · Check the whole chain."""
    with service.database.reading() as session:
        count, head = activity.head(session)
        faults = []
        for number in activity.faults(session):
            faults.append(number)
            if len(faults) == 100:
                break
    return Chain(rows=count, head=head, intact=not faults, faults=faults)


@router.get("/v1/draws/{draw}/sealed", **allow(Role.AUDITOR, problems=["unknown-draw"]))
def sealed_lists(service: ServiceDep, draw: DrawId) -> list[SealedList]:
    """封存的名单（不含内容） · The sealed lists of a draw, without their content."""
    with service.database.reading() as session:
        found = sealed.lists_of(session, draw)
    return [SealedList(name=name, size=size, sha256=sha256) for name, sha256, size in found]


@router.post(
    "/v1/draws/{draw}/sealed/readings",
    responses={
        200: {
            "description": "名单的内容，一行一个 JSON · the list's content, a JSON object a line",
            "content": {"application/jsonl": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
    response_class=Response,
    **allow(Role.AUDITOR, problems=["unknown-draw", "unknown-sealed-list"], repeats=False),
)
def read_sealed(service: ServiceDep, actor: ActorDep, draw: DrawId, body: SealedRequest) -> Response:
    """阅读封存的名单，事由记入日志 · Read a sealed list; who, what and why go into the activity log first."""
    with service.database.writing() as session:
        content = sealed.read(session, service.vault, actor, service.clock(), draw, body.name, body.reason)
    return Response(content, media_type="application/jsonl", headers={"Cache-Control": "no-store"})
