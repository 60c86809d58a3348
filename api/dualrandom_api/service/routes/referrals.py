"""Referrals: what follows a violation, to whom it goes, under which case number, when the enterprise is inspected again."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from dualrandom.store import findings, referrals
from dualrandom.store.tables import Check, Referral, Role, Visit
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
from dualrandom_api.service.fields import Body, GivenDay
from dualrandom_api.service.routes.findings import FindingId
from dualrandom_api.service.routes.visits import READERS, Day
from dualrandom_api.service.security import GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["findings"])

ReferralId = Annotated[
    int, Path(ge=1, le=2**31 - 1, description="移送编号 · a referral's number", examples=[4])
]


class NewReferral(Body):
    """To whom a violation goes."""

    to_department: Annotated[str, Field(min_length=1, max_length=100, examples=["公安机关"])]
    case_number: Annotated[
        str | None, Field(min_length=1, max_length=100, examples=["鄂市监移2026-12号"])
    ] = None
    reinspect_on: GivenDay | None = None


class ReferralChange(Body):
    """What is to be changed; members that are left out stay."""

    to_department: Annotated[str, Field(min_length=1, max_length=100)] = ""
    case_number: Annotated[str | None, Field(min_length=1, max_length=100)] = None
    reinspect_on: GivenDay | None = None
    state: Literal["open", "case", "closed"] = "open"


class ReferralAnswer(BaseModel):
    """What follows a violation."""

    id: int
    finding: int
    enterprise: str
    name: str
    task: str
    department: str
    to_department: str
    case_number: str | None
    reinspect_on: Day | None
    state: Literal["open", "case", "closed"]
    at: datetime
    url: str


def _referral(referral: Referral, check: Check, visit: Visit) -> ReferralAnswer:
    return ReferralAnswer(
        id=referral.id or 0,
        finding=referral.finding_id,
        enterprise=visit.enterprise,
        name=visit.name,
        task=check.task,
        department=check.department_id,
        to_department=referral.to_department,
        case_number=referral.case_number,
        reinspect_on=referral.reinspect_on,
        state=referral.state,  # type: ignore[arg-type]
        at=referral.at,
        url=f"/v1/referrals/{referral.id}",
    )


@router.post(
    "/v1/findings/{finding}/referral",
    status_code=201,
    **allow(
        Role.DISPATCHER,
        Role.DEPARTMENT,
        scope="findings:write",
        object="finding",
        problems=["unknown-finding", "not-a-violation", "already-referred", "case-number-taken"],
    ),
)
def refer(
    service: ServiceDep, actor: ActorDep, finding: FindingId, body: NewReferral, response: Response
) -> ReferralAnswer:
    """移送违法问题，写明案号和复查日期 · Refer a violation, with case number and date of the re-inspection."""
    with service.database.writing() as session:
        row = referrals.refer(
            session,
            finding,
            to_department=body.to_department,
            case_number=body.case_number,
            reinspect_on=body.reinspect_on,
            actor=actor,
            now=service.clock(),
        )
        view = findings.finding_of(session, actor, finding)
    tagged(response, row.version)
    return _referral(row, view.check, view.visit)


@router.get("/v1/referrals", response_model=Listing[ReferralAnswer], **allow(*READERS, scope="findings:read"))
def all_referrals(
    service: ServiceDep,
    actor: ActorDep,
    page: PageDep,
    state: Annotated[Literal["open", "case", "closed"] | None, Query()] = None,
) -> dict[str, Any]:
    """移送列表：本部门的和移送给本部门的 · Referrals of one's own findings and those addressed to one's department."""
    after = after_of(page, int)
    with service.database.reading() as session:
        rows = referrals.list_referrals(
            session, actor, state=state, after=after[0] if after else 0, limit=page.fetch
        )
    return listing(rows, page, lambda row: [row[0].id], lambda row: _referral(*row))


@router.patch(
    "/v1/referrals/{referral}",
    **allow(
        Role.DISPATCHER,
        Role.DEPARTMENT,
        scope="findings:write",
        object="referral",
        problems=["unknown-referral", "case-number-taken"],
    ),
)
def change_referral(
    service: ServiceDep,
    actor: ActorDep,
    referral: ReferralId,
    version: IfMatch,
    body: ReferralChange,
    response: Response,
) -> ReferralAnswer:
    """更改案号、复查日期、移送部门或状态 · Change a referral."""
    values = body.model_dump(exclude_unset=True)
    if not values.get("to_department", "-"):
        del values["to_department"]
    with service.database.writing() as session:
        row = referrals.change_referral(session, referral, version, values, actor=actor, now=service.clock())
        _, view = referrals.referral_of(session, actor, referral)
    tagged(response, row.version)
    return _referral(row, view.check, view.visit)
