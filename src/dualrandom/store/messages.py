"""Messages to people, written with what caused them and sent afterwards; one that has been written is not written again."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.store.tables import Outbox


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
    if once is not None and session.scalars(select(col(Outbox.id)).where(col(Outbox.unique_key) == once)).first():
        return
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
