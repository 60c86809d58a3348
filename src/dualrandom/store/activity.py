"""The activity log: every action, each row's digest covering the row before it, so that none can be taken out or changed.

``digest`` = SHA-256 over the canonical JSON of the row with ``previous``. The newest digest is also what a dispatcher may
publish or write down; :func:`faults` then finds every row that was changed since.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.canonical import canonical
from dualrandom.store.database import locked
from dualrandom.store.tables import Activity, Office

FIRST = "0" * 64


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something: ``name`` as in Activity.actor, and in which role."""

    name: str
    role: str
    department: str | None = None
    user: int | None = None
    inspector: str | None = None
    """The inspector's code of a crew member."""


SERVICE = Actor("service", "service")


def record(
    session: Session,
    actor: Actor,
    action: str,
    subject: str,
    at: datetime,
    detail: Mapping[str, Any] | None = None,
) -> Activity:
    """Append one row, within the transaction that does what it tells of."""
    # the office's row orders all writers of the chain
    locked(session, Office, 1)
    last = session.scalars(select(Activity).order_by(col(Activity.id).desc()).limit(1)).one_or_none()
    row = Activity(
        id=1 if last is None else last.id + 1,
        at=at,
        actor=actor.name,
        role=actor.role,
        action=action,
        subject=subject,
        detail=dict(detail or {}),
        previous=FIRST if last is None else last.digest,
        digest="",
    )
    row.digest = digest_of(row)
    session.add(row)
    session.flush()
    return row


def digest_of(row: Activity) -> str:
    """Return the digest that a row should have."""
    members = {
        "action": row.action,
        "actor": row.actor,
        "at": row.at.astimezone(UTC).isoformat(),
        "detail": row.detail,
        "id": row.id,
        "previous": row.previous,
        "role": row.role,
        "subject": row.subject,
    }
    return hashlib.sha256(canonical(members)).hexdigest()


def faults(session: Session) -> Iterator[int]:
    """Yield the number of every row whose digest, predecessor or number is wrong."""
    previous, number = FIRST, 0
    for row in session.scalars(select(Activity).order_by(col(Activity.id)).execution_options(yield_per=1000)):
        number += 1
        if row.id != number or row.previous != previous or digest_of(row) != row.digest:
            yield row.id
        previous, number = row.digest, row.id


def rows(
    session: Session,
    *,
    before: int | None,
    limit: int,
    actor: str | None = None,
    action: str | None = None,
    subject: str | None = None,
) -> Sequence[Activity]:
    """Return rows, the newest first, of one actor, action or subject if asked for."""
    chosen = select(Activity).order_by(col(Activity.id).desc()).limit(limit)
    if before is not None:
        chosen = chosen.where(col(Activity.id) < before)
    for column, wanted in ((Activity.actor, actor), (Activity.action, action), (Activity.subject, subject)):
        if wanted is not None:
            chosen = chosen.where(col(column) == wanted)
    return session.scalars(chosen).all()


def head(session: Session) -> tuple[int, str]:
    """Return the number of rows and the newest digest."""
    last = session.scalars(select(Activity).order_by(col(Activity.id).desc()).limit(1)).one_or_none()
    return (0, FIRST) if last is None else (last.id, last.digest)


def digest_at(session: Session, number: int) -> str | None:
    """Return the digest of row ``number``, FIRST for 0, None if there is no such row."""
    if number == 0:
        return FIRST
    row = session.get(Activity, number)
    return None if row is None else row.digest
