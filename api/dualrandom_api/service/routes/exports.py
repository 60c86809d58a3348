"""Files to take along: visits, findings, the ledger, feedback for the credit system, and the shape of a provincial platform."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from dualrandom.store import listings
from dualrandom.store.errors import unknown
from dualrandom.store.ledger import LedgerFilter
from dualrandom.store.tables import DrawRow, Role
from dualrandom.store.workspace import file_of, unknown_draw
from dualrandom_api.service.dependencies import ActorDep, ServiceDep
from dualrandom_api.service.routes.draws import DrawId
from dualrandom_api.service.routes.visits import IDENTIFIER, READERS, Day
from dualrandom_api.service.security import GuardedRoute, allow
from dualrandom_api.service.tabular import TABLE, Format, table

router = APIRouter(route_class=GuardedRoute, tags=["exports"])

Kind = Annotated[Format, Path(description="格式 · format", examples=["csv"])]
OPTIONAL_DRAW = Annotated[str | None, Query(pattern=IDENTIFIER)]


@router.get(
    "/v1/draws/{draw}/exports/visits.{kind}",
    response_class=Response,
    responses=TABLE,
    **allow(*READERS, scope="visits:read", problems=["unknown-draw", "parquet-unavailable"]),
)
def visits(service: ServiceDep, actor: ActorDep, draw: DrawId, kind: Kind) -> Response:
    """检查名单，每项任务一行 · Visits, a row for each task."""
    return table(
        service,
        actor,
        f"visits-{draw}",
        kind,
        listings.VISITS,
        lambda session: listings.visit_rows(session, actor, draw),
    )


@router.get(
    "/v1/draws/{draw}/exports/findings.{kind}",
    response_class=Response,
    responses=TABLE,
    **allow(*READERS, scope="findings:read", problems=["unknown-draw", "parquet-unavailable"]),
)
def findings(service: ServiceDep, actor: ActorDep, draw: DrawId, kind: Kind) -> Response:
    """检查结果的全部版本 · All versions of the findings."""
    return table(
        service,
        actor,
        f"findings-{draw}",
        kind,
        listings.FINDINGS,
        lambda session: listings.finding_rows(session, actor, draw),
    )


@router.get(
    "/v1/exports/ledger.{kind}",
    response_class=Response,
    responses=TABLE,
    **allow(*READERS, scope="ledger:read", problems=["parquet-unavailable"]),
)
def ledger(
    service: ServiceDep,
    actor: ActorDep,
    kind: Kind,
    department: Annotated[str | None, Query(pattern=IDENTIFIER)] = None,
    first: Annotated[Day | None, Query(description="起 · from")] = None,
    last: Annotated[Day | None, Query(description="止 · to")] = None,
) -> Response:
    """检查台账 · The ledger."""
    wanted = LedgerFilter(department=department, first=first, last=last)
    return table(
        service,
        actor,
        "ledger",
        kind,
        listings.LEDGER,
        lambda session: listings.ledger_rows(session, actor, wanted),
    )


@router.get(
    "/v1/exports/class-feedback.{kind}",
    response_class=Response,
    responses=TABLE,
    **allow(
        Role.DISPATCHER,
        Role.DEPARTMENT,
        Role.AUDITOR,
        scope="findings:read",
        problems=["parquet-unavailable"],
    ),
)
def class_feedback(service: ServiceDep, actor: ActorDep, kind: Kind, draw: OPTIONAL_DRAW = None) -> Response:
    """分级分类反馈：已公布的问题及后续处理 · Feedback for the credit system: published violations and what followed."""
    return table(
        service,
        actor,
        "class-feedback",
        kind,
        listings.CLASS_FEEDBACK,
        lambda session: listings.feedback_rows(session, actor, draw),
    )


@router.get(
    "/v1/draws/{draw}/exports/provincial-platform.json",
    response_class=Response,
    responses={
        200: {
            "description": "省平台的交换格式 · the exchange shape of a provincial platform",
            "content": {"application/json": {"schema": {"type": "array", "items": {"type": "object"}}}},
        }
    },
    **allow(Role.DISPATCHER, Role.AUDITOR, problems=["unknown-draw", "no-export"]),
)
def provincial_platform(service: ServiceDep, draw: DrawId) -> Response:
    """省平台的交换格式，含已公布的结果 · The exchange shape of a provincial platform, with what has been published."""
    with service.database.reading() as session:
        if session.get(DrawRow, draw) is None:
            raise unknown_draw(draw)
        content = file_of(session, service.vault, draw, "exports/provincial-platform.json")
    if content is None:
        raise unknown("no-export", draw, "抽取之后才有", "it is there after the draw")
    return Response(content, media_type="application/json", headers={"Cache-Control": "no-store"})
