"""Case visits (个案) and special checks (专项): outside the draw, in the ledger, offered for joining a drawn visit."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from dualrandom.store import cases
from dualrandom.store.tables import CaseVisit, Role, Visit
from dualrandom_api.service.dependencies import (
    ActorDep,
    IfMatch,
    Listing,
    PageDep,
    ServiceDep,
    after_of,
    listing,
    tagged,
)
from dualrandom_api.service.fields import Body, GivenDay, Identifier
from dualrandom_api.service.routes.visits import IDENTIFIER, READERS, Day
from dualrandom_api.service.security import GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["case visits"])

WRITERS = (Role.DISPATCHER, Role.DEPARTMENT)
CaseId = Annotated[
    int, Path(ge=1, le=2**31 - 1, description="个案检查编号 · a case visit's number", examples=[3])
]
Near = Annotated[int, Query(ge=0, le=60, description="前后多少天 · days before and after")]


class NewCase(Body):
    """A visit outside the draw. ``basis``: the number of the complaint, the alert, the order."""

    enterprise: Identifier
    department: Identifier
    date: GivenDay = Field(examples=["2026-09-18"])
    items: Annotated[list[Identifier], Field(min_length=1, max_length=100)]
    kind: Literal["case", "special"] = "case"
    basis: Annotated[str, Field(max_length=400, examples=["12315 举报 2026-0918-004"])]


class Joining(Body):
    """The drawn visit that it goes with."""

    visit: Annotated[int, Field(ge=1, le=2**31 - 1)]


class Completion(Body):
    """When it was made, by whom, with what outcome."""

    date: GivenDay
    inspectors: Annotated[list[Identifier], Field(min_length=1, max_length=50)]
    outcome: Annotated[str, Field(max_length=2000)] = ""


class Cancellation(Body):
    """Why it is not made."""

    reason: Annotated[str, Field(max_length=400)]


class Offer(BaseModel):
    """A drawn visit to the same enterprise near the date."""

    visit: int
    date: Day
    notice: str


class CaseAnswer(BaseModel):
    """A visit outside the draw. ``offers``: drawn visits that it could go with."""

    id: int
    enterprise: str
    department: str
    date: Day
    items: list[str]
    kind: Literal["case", "special"]
    basis: str
    state: Literal["planned", "done", "cancelled"]
    joined_visit: int | None
    inspectors: list[str]
    outcome: str
    at: datetime
    offers: list[Offer]
    url: str


def _answer(case: CaseVisit, offers: list[Visit] | None = None) -> CaseAnswer:
    return CaseAnswer(
        id=case.id or 0,
        enterprise=case.enterprise,
        department=case.department_id,
        date=case.date,
        items=case.items,
        kind=case.kind,  # type: ignore[arg-type]
        basis=case.basis,
        state=case.state,  # type: ignore[arg-type]
        joined_visit=case.joined_visit,
        inspectors=case.inspectors,
        outcome=case.outcome,
        at=case.at,
        offers=[
            Offer(visit=visit.id or 0, date=visit.later or visit.day, notice=visit.notice)
            for visit in offers or ()
        ],
        url=f"/v1/case-visits/{case.id}",
    )


@router.post(
    "/v1/case-visits",
    status_code=201,
    **allow(
        *WRITERS,
        scope="cases:write",
        problems=[
            "foreign-department",
            "unknown-department",
            "unknown-enterprise",
            "unknown-item",
            "reason-missing",
        ],
    ),
)
def plan(service: ServiceDep, actor: ActorDep, body: NewCase, response: Response) -> CaseAnswer:
    """登记个案或专项检查，不占抽查上限；附近有抽查的可以合并 · Plan a visit outside the draw; joining a drawn one nearby is offered."""
    with service.database.writing() as session:
        case = cases.plan_case(
            session,
            enterprise=body.enterprise,
            department=body.department,
            day=body.date,
            items=body.items,
            kind=body.kind,
            basis=body.basis,
            actor=actor,
            now=service.clock(),
        )
        offers = cases.offers(session, service.vault, case, actor=actor, now=service.clock())
    tagged(response, case.version)
    response.headers["Location"] = f"/v1/case-visits/{case.id}"
    return _answer(case, offers)


@router.get("/v1/case-visits", response_model=Listing[CaseAnswer], **allow(*READERS, scope="cases:read"))
def all_cases(
    service: ServiceDep,
    actor: ActorDep,
    page: PageDep,
    enterprise: Annotated[str | None, Query(pattern=IDENTIFIER)] = None,
    state: Annotated[Literal["planned", "done", "cancelled"] | None, Query()] = None,
) -> dict[str, Any]:
    """个案与专项检查列表 · Visits outside the draw."""
    after = after_of(page, int)
    with service.database.reading() as session:
        rows = cases.list_cases(
            session,
            actor,
            enterprise=enterprise,
            state=state,
            after=after[0] if after else 0,
            limit=page.fetch,
        )
    return listing(rows, page, lambda row: [row.id], _answer)


@router.get(
    "/v1/case-visits/{case}",
    **allow(*READERS, scope="cases:read", object="case", problems=["unknown-case"]),
)
def one_case(
    service: ServiceDep, actor: ActorDep, case: CaseId, response: Response, near: Near = cases.NEAR
) -> CaseAnswer:
    """一次个案或专项检查，及可以合并的抽查 · One visit outside the draw, and the drawn ones that it could go with."""
    with service.database.reading() as session:
        row = cases.case_of(session, actor, case)
        offers = cases.offers(session, service.vault, row, near, actor=actor, now=service.clock())
    tagged(response, row.version)
    return _answer(row, offers)


@router.post(
    "/v1/case-visits/{case}/joining",
    **allow(*WRITERS, scope="cases:write", object="case", problems=["unknown-case", "not-offered"]),
)
def join(
    service: ServiceDep,
    actor: ActorDep,
    case: CaseId,
    version: IfMatch,
    body: Joining,
    response: Response,
    near: Near = cases.NEAR,
) -> CaseAnswer:
    """并入一次抽查：同日一次进门 · Let it go with a drawn visit: one door, one date."""
    with service.database.writing() as session:
        row = cases.join(
            session, service.vault, case, version, body.visit, actor=actor, now=service.clock(), near=near
        )
    tagged(response, row.version)
    return _answer(row)


@router.post(
    "/v1/case-visits/{case}/completion",
    **allow(
        *WRITERS,
        scope="cases:write",
        object="case",
        problems=["unknown-case", "case-ended", "unknown-inspector", "date-in-future"],
    ),
)
def complete(
    service: ServiceDep, actor: ActorDep, case: CaseId, version: IfMatch, body: Completion, response: Response
) -> CaseAnswer:
    """登记已完成，计入台账 · It was made: it counts in the ledger from now on."""
    with service.database.writing() as session:
        row = cases.complete(
            session,
            case,
            version,
            body.date,
            body.inspectors,
            body.outcome,
            actor=actor,
            now=service.clock(),
        )
    tagged(response, row.version)
    return _answer(row)


@router.post(
    "/v1/case-visits/{case}/cancellation",
    **allow(
        *WRITERS,
        scope="cases:write",
        object="case",
        problems=["unknown-case", "case-ended", "reason-missing"],
    ),
)
def cancel(
    service: ServiceDep,
    actor: ActorDep,
    case: CaseId,
    version: IfMatch,
    body: Cancellation,
    response: Response,
) -> CaseAnswer:
    """取消 · Give it up, with a reason."""
    with service.database.writing() as session:
        row = cases.cancel(session, case, version, body.reason, actor=actor, now=service.clock())
    tagged(response, row.version)
    return _answer(row)
