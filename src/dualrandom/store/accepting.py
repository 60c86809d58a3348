"""Accepting an import as a job: a file of 200,000 rows becomes a revision in the background, whole or not at all."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.store.activity import Actor
from dualrandom.store.database import Database, StaleError
from dualrandom.store.imports import accept, import_of, require_acceptable
from dualrandom.store.jobs import enqueue, finish, renew
from dualrandom.store.tables import Job

ACCEPT = "accept-import"
"""Kind of the job; its subject is the import's number."""


def ask_to_accept(session: Session, number: int, version: int, *, actor: Actor, now: datetime) -> Job:
    """Queue the acceptance of an import, or return the job that was queued for it.

    Raises UnknownError, StaleError for another version, ForbiddenError, ConflictError ``import-not-ready``, ``import-base-changed``.
    """
    row = import_of(session, number, actor, lock=True)
    require_acceptable(session, row, actor)
    if row.version != version:
        raise StaleError(f"import {number}")
    earlier = select(Job).where(col(Job.kind) == ACCEPT, col(Job.subject) == str(number))
    jobs = session.scalars(earlier.order_by(col(Job.id))).all()
    if jobs and jobs[-1].state in {"queued", "running"}:
        return jobs[-1]
    return enqueue(
        session,
        ACCEPT,
        str(number),
        now=now,
        by=actor.name,
        arguments={"actor": asdict(actor), "version": version},
        # not their count: those that ended long ago are deleted
        unique_key=f"{ACCEPT}:{number}:{jobs[-1].id if jobs else 0}",
        total=row.new + row.changed + row.gone,
    )


def accept_import(database: Database, job: Job, now: datetime) -> None:
    """Accept an import for whoever asked, and end the job, in one transaction."""
    number, actor = int(job.subject), Actor(**job.arguments["actor"])
    renew(database, job, now, stage=("写入新版本", "writing the revision"))
    with database.writing() as session:
        revision = accept(session, number, job.arguments["version"], actor=actor, now=now)
        job_result = {
            "import": number,
            "kind": revision.kind,
            "revision": revision.number,
            "rows": revision.rows,
        }
        finish(session, job, now, result=job_result)
