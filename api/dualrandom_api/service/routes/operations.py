"""For those who run the service: is it alive, is it ready, what does it count; and the messages for people."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from fastapi import APIRouter
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel, Field
from starlette.responses import Response

from dualrandom.store import deliveries, jobs, messages
from dualrandom.store.tables import Outbox, Role
from dualrandom_api.service.dependencies import (
    ActorDep,
    Bilingual,
    Listing,
    PageDep,
    ServiceDep,
    after_of,
    listing,
)
from dualrandom_api.service.problems import refusal
from dualrandom_api.service.security import PEOPLE, GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["operations"])


class Alive(BaseModel):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Message(BaseModel):
    """A message: invitation, reminder, alarm, change."""

    id: int
    kind: str = Field(examples=["invitation"])
    subject: str
    body: Bilingual
    at: datetime


@router.get("/healthz", **allow(Role.PUBLIC))
def healthz() -> Alive:
    """进程是否应答 · The process answers; it asks nothing else."""
    return Alive()


@router.get("/readyz", **allow(Role.PUBLIC, problems=["unavailable"]))
def readyz(service: ServiceDep) -> Alive:
    """数据库是否可用 · The database answers and has its tables."""
    if not service.database.is_ready():
        raise refusal("unavailable", headers={"Retry-After": "5"})
    return Alive()


@router.get(
    "/metrics",
    responses={200: {"content": {"text/plain": {"schema": {"type": "string"}}}}},
    response_class=Response,
    **allow(Role.PUBLIC),
)
def metrics(service: ServiceDep) -> Response:
    """计数（Prometheus 文本格式），不含任何人的信息 · Counters in Prometheus' text format, nothing about anybody."""
    with service.database.reading() as session:
        service.metrics.jobs.clear()
        for (kind, state), number in jobs.counts(session).items():
            service.metrics.jobs.labels(kind, state).set(number)
        for state, number in deliveries.counts(session).items():
            service.metrics.mails.labels(state).set(number)
    return Response(service.metrics.text(), headers={"Content-Type": CONTENT_TYPE_LATEST})


def message_answer(row: Outbox) -> Message:
    """Return a message as the route shows it."""
    return Message(
        id=row.id or 0,
        kind=row.kind,
        subject=row.subject,
        body=Bilingual(en=row.body_en, zh=row.body_zh),
        at=row.at,
    )


@router.get("/v1/messages", response_model=Listing[Message], **allow(*PEOPLE, scope="messages:read"))
def own_messages(service: ServiceDep, actor: ActorDep, page: PageDep) -> dict[str, Any]:
    """发给自己、本部门或本角色的消息，最新在前 · Messages for oneself, one's department or role, the newest first."""
    after = after_of(page, int)
    with service.database.reading() as session:
        rows = messages.for_actor(session, actor, before=after[0] if after else None, limit=page.fetch)
    return listing(rows, page, lambda row: [row.id], message_answer)
