"""Requests that must not count twice: the answer to a request is kept in the transaction of what it did.

:func:`begin` notes that a request is being answered, in a transaction of its own, so that everybody sees it. :func:`keep` completes the
note within the request's transaction; it fails if somebody took the note over in between, and then nothing was done. If the server dies,
neither the effect nor the answer is there, and after a wait the request may be sent again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import Session, col

from dualrandom.store.database import Database, StaleError
from dualrandom.store.tables import Repeat


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer that was given before."""

    status: int
    headers: Mapping[str, str]
    body: str


class InProgressError(Exception):
    """The same request is being answered at this moment."""


class DifferentError(Exception):
    """The key was used for another request."""


@dataclass(frozen=True, slots=True)
class Note:
    """That a request is being answered: whose, under which key, since when."""

    actor: str
    key: str
    at: datetime


def begin(
    database: Database, actor: str, key: str, request: str, now: datetime, wait: timedelta
) -> Note | Kept:
    """Note a request, or return the answer that it got before. Raises InProgressError, DifferentError.

    ``request`` is the SHA-256 of what makes it the same request. A note older than ``wait`` without an answer is taken over.
    """
    note = Note(actor, key, now)
    try:
        with database.writing(apart=True) as session:
            known = session.get(Repeat, (actor, key), with_for_update=True)
            if known is None:
                session.add(Repeat(actor=actor, key=key, request=request, headers={}, at=now))
                session.flush()
                return note
            if known.request != request:
                raise DifferentError
            if known.status is not None:
                return Kept(known.status, known.headers, known.body)
            if known.at > now - wait:
                raise InProgressError
            known.at = now
            session.add(known)
            return note
    except IntegrityError:
        raise InProgressError from None


def keep(session: Session, note: Note, status: int, headers: Mapping[str, str], body: str) -> None:
    """Keep the answer, in the transaction of what the request did. Raises StaleError if the note is somebody else's now."""
    changed = session.connection().execute(
        update(Repeat)
        .where(
            col(Repeat.actor) == note.actor,
            col(Repeat.key) == note.key,
            col(Repeat.at) == note.at,
            col(Repeat.status).is_(None),
        )
        .values(status=status, headers=dict(headers), body=body)
    )
    if changed.rowcount != 1:
        raise StaleError("repeat")


def forget(database: Database, note: Note) -> None:
    """Take a note back: the request was refused and changed nothing, so it may be sent again."""
    with database.writing(apart=True) as session:
        session.execute(
            delete(Repeat).where(
                col(Repeat.actor) == note.actor,
                col(Repeat.key) == note.key,
                col(Repeat.at) == note.at,
                col(Repeat.status).is_(None),
            )
        )


def sweep(session: Session, before: datetime) -> int:
    """Delete what is older; return how many."""
    result = session.connection().execute(delete(Repeat).where(col(Repeat.at) < before))
    return int(result.rowcount)
