"""The ledger: every check that was done, by all departments."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from dualrandom.store.ledger import Done, LedgerFilter, history_of, list_ledger
from dualrandom_api.service.dependencies import (
    ActorDep,
    Listing,
    PageDep,
    ServiceDep,
    after_of,
    listing,
)
from dualrandom_api.service.problems import refusal
from dualrandom_api.service.routes.visits import IDENTIFIER, READERS, Day
from dualrandom_api.service.security import GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["ledger"])

EnterpriseId = Annotated[
    str,
    Path(
        pattern=IDENTIFIER, description="检查对象代码 · an enterprise's id", examples=["91420700XN0000012Q"]
    ),
]


class DoneAnswer(BaseModel):
    """One check. ``inspectors`` is null where they are another department's."""

    enterprise: str
    date: Day
    department: str
    task: str
    item: str
    inspectors: list[str] | None
    kind: Literal["plan", "case", "special"]
    source: str = Field(examples=["visit:12"])
    done: bool = Field(description="false：尚未进行的个案检查 · false: a case visit still to be made")


class History(BaseModel):
    """All checks of one enterprise by date, past visits of the library included."""

    enterprise: str
    checks: list[DoneAnswer]


def _answer(row: Done) -> DoneAnswer:
    return DoneAnswer(
        enterprise=row.enterprise,
        date=row.date,
        department=row.department,
        task=row.task,
        item=row.item,
        inspectors=None if row.inspectors is None else list(row.inspectors),
        kind=row.kind,  # type: ignore[arg-type]
        source=row.source,
        done=row.done,
    )


@router.get("/v1/ledger", response_model=Listing[DoneAnswer], **allow(*READERS, scope="ledger:read"))
def ledger(
    service: ServiceDep,
    actor: ActorDep,
    page: PageDep,
    enterprise: Annotated[str | None, Query(pattern=IDENTIFIER)] = None,
    department: Annotated[str | None, Query(pattern=IDENTIFIER)] = None,
    kind: Annotated[Literal["plan", "case", "special"] | None, Query()] = None,
    first: Annotated[Day | None, Query(description="起 · from")] = None,
    last: Annotated[Day | None, Query(description="止 · to")] = None,
    done: Annotated[bool | None, Query()] = None,
) -> dict[str, Any]:
    """检查台账，按日期，全部部门 · All departments' checks by date; other departments' inspectors are left out."""
    after = after_of(page, str, int)
    wanted = LedgerFilter(enterprise, department, kind, first, last, done)
    start = None
    if after is not None:
        try:
            start = date.fromisoformat(after[0]), after[1]
        except ValueError:
            raise refusal("invalid-parameter", "query.cursor") from None
    with service.database.reading() as session:
        rows = list_ledger(session, actor, wanted, after=start, limit=page.fetch)
    return listing(rows, page, lambda row: [row[1].date.isoformat(), row[0]], lambda row: _answer(row[1]))


@router.get(
    "/v1/enterprises/{enterprise}/checks",
    **allow(*READERS, scope="ledger:read"),
)
def history(service: ServiceDep, actor: ActorDep, enterprise: EnterpriseId) -> History:
    """一户检查对象的全部检查 · All checks of one enterprise."""
    with service.database.reading() as session:
        rows = history_of(session, actor, enterprise)
    return History(enterprise=enterprise, checks=[_answer(row) for row in rows])
