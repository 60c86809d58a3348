"""Messages: what the service tells a role, a department or a person: invitations, reminders, alarms, changes."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from fastapi import APIRouter
from pydantic import BaseModel, Field

from dualrandom.store.messages import messages_for
from dualrandom.store.tables import Outbox
from dualrandom_api.service.dependencies import (
    ActorDep,
    Bilingual,
    Listing,
    PageDep,
    ServiceDep,
    after_of,
    listing,
)
from dualrandom_api.service.security import PEOPLE, GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["messages"])


class MessageAnswer(BaseModel):
    """One message."""

    id: int
    kind: str = Field(examples=["alarm"])
    subject: str = Field(examples=["visit:12"], description="所涉对象 · what it is about")
    body: Bilingual
    at: datetime


def _answer(row: Outbox) -> MessageAnswer:
    return MessageAnswer(
        id=row.id or 0,
        kind=row.kind,
        subject=row.subject,
        body=Bilingual(en=row.body_en, zh=row.body_zh),
        at=row.at,
    )


@router.get("/v1/messages", response_model=Listing[MessageAnswer], **allow(*PEOPLE, scope="messages:read"))
def messages(service: ServiceDep, actor: ActorDep, page: PageDep) -> dict[str, Any]:
    """给自己的消息，最新在前 · Messages to oneself, one's department or role, the newest first."""
    after = after_of(page, int)
    with service.database.reading() as session:
        rows = messages_for(session, actor, before=after[0] if after else None, limit=page.fetch)
    return listing(rows, page, lambda row: [row.id], _answer)
