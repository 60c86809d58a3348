"""Housekeeping: what nobody needs any more is deleted, so that the database holds no more of people than it must.

Never touched: the activity log, libraries, plans, draws and whatever a draw's history is told by, which includes its jobs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, or_
from sqlmodel import Session, col

from dualrandom.store.accepting import ACCEPT
from dualrandom.store.checking import CHECK
from dualrandom.store.imports import IMPORT
from dualrandom.store.joining import DEADLINE, REMINDER
from dualrandom.store.repeats import sweep
from dualrandom.store.tables import Delivery, Job, SignIn, Tries

PASSING: Final = (IMPORT, ACCEPT, CHECK, REMINDER, DEADLINE, "alarm")
"""Kinds of jobs that are of no use once they have ended, and that nothing begins again under the same key."""
MINUTE: Final = 60
TRIES_LAST: Final = 10
"""Minutes."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How long what has ended is kept."""

    repeats: timedelta
    sign_ins: timedelta
    jobs: timedelta
    mails: timedelta


def tidy(session: Session, now: datetime, keep: Keep) -> Mapping[str, int]:
    """Delete what is older; return how many rows of each."""

    def deleted(table: type, *conditions: object) -> int:
        result = session.connection().execute(delete(table).where(*conditions))  # type: ignore[arg-type]
        return int(result.rowcount)

    ended = now - keep.sign_ins
    return {
        "repeats": sweep(session, now - keep.repeats),
        "sign_ins": deleted(SignIn, or_(col(SignIn.expires_at) < ended, col(SignIn.revoked_at) < ended)),
        "jobs": deleted(
            Job,
            col(Job.kind).in_(PASSING),
            col(Job.state).in_(("done", "failed")),
            col(Job.finished_at) < now - keep.jobs,
        ),
        "mails": deleted(
            Delivery, col(Delivery.state).in_(("sent", "dead")), col(Delivery.ended_at) < now - keep.mails
        ),
        "tries": deleted(Tries, col(Tries.minute) < int(now.timestamp()) // MINUTE - TRIES_LAST),
    }
