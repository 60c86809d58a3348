"""Messages to people, written with what caused them and sent afterwards; one that has been written is not written again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.store.activity import Actor
from dualrandom.store.tables import Outbox, Role


def tell(
    session: Session,
    kind: str,
    audience: str,
    subject: str,
    body: tuple[str, str],
    *,
    now: datetime,
    once: str | None = None,
) -> None:
    """Put a message into the outbox: ``body`` in Chinese and English; ``once`` names what may be told only once.

    ``audience``: ``department:<id>``, ``role:<role>``, ``inspector:<code>`` or ``enterprise:<id>``.
    """
    if (
        once is not None
        and session.scalars(select(col(Outbox.id)).where(col(Outbox.unique_key) == once)).first()
    ):
        return
    put(session, kind, audience, subject, body, now=now, once=once)


def put(
    session: Session,
    kind: str,
    audience: str,
    subject: str,
    body: tuple[str, str],
    *,
    now: datetime,
    once: str | None = None,
) -> Outbox:
    """Add a message to the outbox, even one that was told before; see :func:`tell`."""
    message = Outbox(
        kind=kind,
        audience=audience,
        subject=subject,
        body_zh=body[0],
        body_en=body[1],
        unique_key=once,
        at=now,
    )
    session.add(message)
    session.flush()
    return message


def for_actor(session: Session, actor: Actor, *, before: int | None, limit: int) -> Sequence[Outbox]:
    """Return the messages for a person, their department or role, the newest first."""
    audiences = [f"role:{actor.role}"]
    if actor.role == Role.DEPARTMENT:
        audiences.append(f"department:{actor.department}")
    if actor.role == Role.CREW:
        audiences.append(f"inspector:{actor.inspector}")
    chosen = select(Outbox).where(col(Outbox.audience).in_(audiences)).order_by(col(Outbox.id).desc())
    if before is not None:
        chosen = chosen.where(col(Outbox.id) < before)
    return session.scalars(chosen.limit(limit)).all()
