"""Mails on their way: what waits, what was sent, what was given up and may be tried anew. Never an address."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query
from pydantic import BaseModel, Field

from dualrandom.store import deliveries
from dualrandom.store.activity import Actor
from dualrandom.store.tables import Delivery, Outbox, Role
from dualrandom_api.service.dependencies import (
    ActorDep,
    Listing,
    PageDep,
    ServiceDep,
    after_of,
    listing,
)
from dualrandom_api.service.problems import ProblemType
from dualrandom_api.service.security import GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["operations"])

PROBLEMS = (
    ProblemType(
        "unknown-delivery", 404, "没有这封邮件", "there is no such mail", "核对编号。", "Check the number.",
    ),
    ProblemType(
        "delivery-not-dead", 409, "只有已放弃、且不含代码的邮件可以重新发送",
        "only a mail that was given up and held no code can be tried again",
        "等待，或重新签发代码。", "Wait, or issue the code anew.",
    ),
)  # fmt: skip

State = Literal["waiting", "sent", "dead"]


class DeliveryAnswer(BaseModel):
    """A mail. ``recipient`` names an account, a department or an enterprise, and is hidden from support where it is a person."""

    id: int
    kind: str = Field(examples=["invitation"])
    subject: str
    recipient: str | None = Field(examples=["department:amr"])
    state: State
    attempts: int
    next_at: datetime | None = None
    problem: str = Field(examples=["550 recipient"])
    at: datetime
    ended_at: datetime | None = None


def _answer(actor: Actor, row: Delivery, message: Outbox) -> DeliveryAnswer:
    is_hidden = actor.role == Role.SUPPORT and row.recipient.startswith("user:")
    return DeliveryAnswer.model_validate(
        {
            "id": row.id,
            "kind": message.kind,
            "subject": message.subject,
            "recipient": None if is_hidden else row.recipient,
            "state": row.state,
            "attempts": row.attempts,
            "next_at": row.next_at if row.state == "waiting" else None,
            "problem": row.problem,
            "at": row.at,
            "ended_at": row.ended_at,
        }
    )


@router.get("/v1/deliveries", response_model=Listing[DeliveryAnswer], **allow(Role.DISPATCHER, Role.SUPPORT))
def all_deliveries(
    service: ServiceDep,
    actor: ActorDep,
    page: PageDep,
    state: Annotated[State | None, Query(description="邮件的状态 · the mails' state")] = None,
) -> dict[str, Any]:
    """邮件的送达情况，最新在前；dead 为已放弃 · Mails, the newest first; what is dead was given up."""
    after = after_of(page, int)
    with service.database.reading() as session:
        rows = deliveries.deliveries(
            session, state=state, before=after[0] if after else None, limit=page.fetch
        )
    return listing(rows, page, lambda row: [row[0].id], lambda row: _answer(actor, *row))


@router.post(
    "/v1/deliveries/{delivery}/another-try",
    **allow(Role.DISPATCHER, Role.SUPPORT, problems=["unknown-delivery", "delivery-not-dead"]),
)
def try_again(
    service: ServiceDep,
    actor: ActorDep,
    delivery: Annotated[
        int, Path(ge=1, le=2**31 - 1, description="邮件编号 · a mail's number", examples=[5])
    ],
) -> DeliveryAnswer:
    """重新发送已放弃的邮件 · Try a mail again that was given up."""
    with service.database.writing() as session:
        row, message = deliveries.try_again(session, actor, service.clock(), delivery)
    return _answer(actor, row, message)
