"""Jobs and their leases: whatever takes longer than an answer, or has to wait for a time, is done once by one runner.

A runner claims a due job for a while and renews the claim as it works. If it dies, the lease runs out and another takes over
with a higher fence; what the dead one might still write is refused, since every write asks :func:`holds`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, case, func, or_, select, update
from sqlmodel import Session, col

from dualrandom.errors import DualRandomError
from dualrandom.store.activity import Actor
from dualrandom.store.database import Database
from dualrandom.store.errors import unknown
from dualrandom.store.tables import ApiKey, Job, Role, User

LEASE = timedelta(seconds=60)
URGENT = frozenset({"announce", "cosign", "draw", "reveal", "void"})
"""Kinds that go before all others: whoever crowds the queue must not delay a draw, or a nonce beyond the deadline for revealing it."""


class LeaseLostError(DualRandomError):
    """Another runner has taken the job over."""

    def __init__(self, job: Job) -> None:
        super().__init__(
            "lease-lost",
            f"{job.kind} {job.subject}",
            {"zh": "任务已由另一执行者接手", "en": "another runner has taken the job over"},
            {"zh": "不必处理。", "en": "Nothing has to be done."},
        )


def enqueue(
    session: Session,
    kind: str,
    subject: str,
    *,
    now: datetime,
    by: str,
    arguments: Mapping[str, Any] | None = None,
    run_after: datetime | None = None,
    unique_key: str | None = None,
    total: int = 0,
) -> Job:
    """Add a job, or return the one that has the same unique key."""
    if unique_key is not None:
        known = session.scalars(select(Job).where(col(Job.unique_key) == unique_key)).one_or_none()
        if known is not None:
            return known
    job = Job(
        kind=kind,
        subject=subject,
        arguments=dict(arguments or {}),
        run_after=run_after or now,
        unique_key=unique_key,
        total=total,
        created_by=by,
        created_at=now,
    )
    session.add(job)
    session.flush()
    return job


def claim(
    database: Database, owner: str, now: datetime, kinds: Sequence[str], lease: timedelta = LEASE
) -> Job | None:
    """Take the job that is due longest and that nobody holds, urgent ones first, or return None."""
    free = or_(col(Job.state) == "queued", (col(Job.state) == "running") & (col(Job.lease_until) < now))
    with database.writing(apart=True) as session:
        job = session.scalars(
            select(Job)
            .where(col(Job.kind).in_(kinds), col(Job.run_after) <= now, free)
            .order_by(case((col(Job.kind).in_(URGENT), 0), else_=1), col(Job.run_after), col(Job.id))
            .limit(1)
            .with_for_update(skip_locked=True)
        ).one_or_none()
        if job is None:
            return None
        job.state = "running"
        job.lease_owner, job.lease_until = owner, now + lease
        job.fence += 1
        job.attempts += 1
        session.add(job)
        return job


def holds(session: Session, job: Job) -> None:
    """Keep the job's row until the transaction ends, and see that its lease is still ours. Raises LeaseLostError."""
    kept = session.execute(
        select(col(Job.fence), col(Job.state)).where(col(Job.id) == job.id).with_for_update()
    ).one_or_none()
    if kept is None or tuple(kept) != (job.fence, "running"):
        raise LeaseLostError(job)


def renew(
    database: Database,
    job: Job,
    now: datetime,
    *,
    stage: tuple[str, str] | None = None,
    done: int | None = None,
    total: int | None = None,
    lease: timedelta = LEASE,
) -> None:
    """Lengthen the lease and note how far the job is. Raises LeaseLostError."""
    values: dict[str, Any] = {"lease_until": now + lease}
    if stage is not None:
        values |= {"stage_zh": stage[0], "stage_en": stage[1]}
    values |= {} if done is None else {"done": done}
    values |= {} if total is None else {"total": total}
    with database.writing(apart=True) as session:
        holds(session, job)
        session.execute(update(Job).where(col(Job.id) == job.id).values(values))


def finish(
    session: Session,
    job: Job,
    now: datetime,
    *,
    result: Mapping[str, Any] | None = None,
    problem: Mapping[str, Any] | None = None,
) -> None:
    """End a job in the transaction that keeps what it did. Raises LeaseLostError."""
    holds(session, job)
    values = {
        "state": "done" if problem is None else "failed",
        "result": None if result is None else dict(result),
        "problem": None if problem is None else dict(problem),
        "finished_at": now,
        "lease_until": None,
    }
    session.execute(update(Job).where(col(Job.id) == job.id).values(values))


def postpone(session: Session, job: Job, until: datetime, *, attempts: int = 0) -> None:
    """Give a job back to be done later, for instance when the beacon does not answer. Raises LeaseLostError.

    ``attempts``: how many have failed; whoever only waits for something has none behind it.
    """
    holds(session, job)
    values = {
        "state": "queued",
        "run_after": until,
        "attempts": attempts,
        "lease_owner": None,
        "lease_until": None,
    }
    session.execute(update(Job).where(col(Job.id) == job.id).values(values))


def come_again(session: Session, job: Job, at: datetime, result: Mapping[str, Any]) -> None:
    """Let a job that never ends run again later, and keep what it has done. Raises LeaseLostError."""
    postpone(session, job, at)
    session.execute(update(Job).where(col(Job.id) == job.id).values(result=dict(result)))


def keep_going(session: Session, kind: str, now: datetime, run_after: datetime) -> Job:
    """Return the one job of a kind that never ends; it is made, or begun anew if it failed."""
    job = enqueue(session, kind, "", now=now, by="service", run_after=run_after, unique_key=kind)
    if job.state in {"done", "failed"}:
        session.execute(
            update(Job)
            .where(col(Job.id) == job.id, col(Job.state) == job.state)
            .values(state="queued", run_after=run_after, attempts=0, problem=None, finished_at=None)
        )
    return job


def visible(session: Session, actor: Actor, *, before: int | None, limit: int) -> Sequence[Job]:
    """Return the jobs that an actor may see, the newest first: a department those that its people and keys began."""
    chosen = select(Job).order_by(col(Job.id).desc()).limit(limit)
    if before is not None:
        chosen = chosen.where(col(Job.id) < before)
    if actor.role == Role.DEPARTMENT:
        chosen = chosen.where(_begun_by(actor))
    return session.scalars(chosen).all()


def the_job(session: Session, actor: Actor, job: int) -> Job:
    """Return a job that the actor may see. Raises UnknownError ``unknown-job``."""
    chosen = select(Job).where(col(Job.id) == job)
    if actor.role == Role.DEPARTMENT:
        chosen = chosen.where(_begun_by(actor))
    found = session.scalars(chosen).one_or_none()
    if found is None:
        raise unknown(
            "unknown-job", str(job), "没有这个任务，或不属于您", "there is no such job, or it is not yours"
        )
    return found


def counts(session: Session) -> dict[tuple[str, str], int]:
    """Return how many jobs there are by kind and state."""
    rows = session.execute(
        select(col(Job.kind), col(Job.state), func.count()).group_by(col(Job.kind), col(Job.state))
    )
    return {(kind, state): number for kind, state, number in rows}


def _begun_by(actor: Actor) -> ColumnElement[bool]:
    people = select("user:" + col(User.username)).where(col(User.department_id) == actor.department)
    keys = select("key:" + col(ApiKey.prefix)).where(col(ApiKey.department_id) == actor.department)
    return or_(col(Job.created_by).in_(people), col(Job.created_by).in_(keys))
