"""Accepting an import as a job: a file of 200,000 rows becomes a revision in the background, whole or not at all."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime

from sqlalchemy import or_, select, text
from sqlmodel import Session, col

from dualrandom.registry.columns import Kind
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.database import Database, StaleError
from dualrandom.store.errors import ConflictError
from dualrandom.store.imports import end, import_of, may_import, next_revision, own_rows, require_ready
from dualrandom.store.jobs import enqueue, finish, renew
from dualrandom.store.libraries import current_revision, library_kind
from dualrandom.store.tables import Import, Job, LibraryRow, Revision, StagedRow

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


def require_acceptable(session: Session, row: Import, actor: Actor) -> None:
    """See that an import could be accepted at this moment.

    Raises ForbiddenError, ConflictError ``import-not-ready``, or ``import-base-changed`` if what it replaces has changed since it was
    compared.
    """
    require_ready(row)
    kind, base = library_kind(row.kind), row.base_revision or 0
    may_import(kind, actor)
    head = current_revision(session, kind)
    newest = 0 if head is None else head.number
    if newest != base and _touched_since(session, kind, row.department_id, base):
        raise _base_changed(kind, base, newest)


def accept(session: Session, number: int, version: int, *, actor: Actor, now: datetime) -> Revision:
    """Make an import the library's next revision, whole.

    Raises UnknownError, StaleError (another version, or the rows that it replaces have changed since it was compared),
    ConflictError ``import-not-ready``.
    """
    row = import_of(session, number, actor, lock=True)
    require_ready(row)
    if row.version != version:
        raise StaleError(f"import {number}")
    kind = library_kind(row.kind)
    may_import(kind, actor)
    base = row.base_revision or 0
    revision = next_revision(session, kind, (row.new - row.gone), number, actor, now)
    # nobody else can begin a revision before this transaction ends, so what is true now stays true
    if revision.number - 1 != base and _touched_since(session, kind, row.department_id, base):
        raise _base_changed(kind, base, revision.number - 1)
    if row.department_id is not None and _takes(session, kind, number):
        raise _base_changed(kind, base, revision.number - 1)
    values = {"kind": kind, "number": revision.number, "before": revision.number - 1, "import": number}
    dated = {"dated": kind == "visits"}
    session.execute(
        text(
            "UPDATE library_row SET last = :before WHERE kind = :kind AND last IS NULL AND key IN "
            "(SELECT key FROM staged_row WHERE import_id = :import AND change IN ('changed', 'gone'))"
        ),
        values,
    )
    session.execute(
        text(
            "INSERT INTO library_row (kind, key, first, name, district, department, day, sort, cells, digest) "
            "SELECT :kind, key, :number, name, district, department, CASE WHEN :dated THEN cells ->> 'date' END, "
            "CASE WHEN :dated THEN coalesce(cells ->> 'kind', 'plan') END, cells, digest FROM staged_row "
            "WHERE import_id = :import AND change IN ('new', 'changed') ORDER BY position"
        ),
        values | dated,
    )
    end(session, row, "accepted")
    row.revision = revision.number
    activity.record(
        session,
        actor,
        "import-accepted",
        f"library:{kind}",
        now,
        {
            "changed": row.changed,
            "gone": row.gone,
            "import": number,
            "new": row.new,
            "revision": revision.number,
        },
    )
    return revision


def _takes(session: Session, kind: Kind, number: int) -> bool:
    """Whether what is new in a department's file has come into the library in the meantime, through another department."""
    found = (
        select(col(StagedRow.key))
        .join(LibraryRow, (col(LibraryRow.key) == col(StagedRow.key)) & (col(LibraryRow.kind) == kind))
        .where(
            col(StagedRow.import_id) == number,
            col(StagedRow.change) == "new",
            col(LibraryRow.last).is_(None),
        )
    )
    return session.scalars(found.limit(1)).first() is not None


def _touched_since(session: Session, kind: Kind, department: str | None, base: int) -> bool:
    """Tell whether rows that the import replaces have come, changed or gone after revision ``base``."""
    touched = or_(col(LibraryRow.first) > base, col(LibraryRow.last) >= base)
    found = select(col(LibraryRow.id)).where(
        col(LibraryRow.kind) == kind, touched, *own_rows(kind, department)
    )
    return session.scalars(found.limit(1)).first() is not None


def _base_changed(kind: Kind, base: int, newest: int) -> ConflictError:
    return ConflictError(
        "import-base-changed",
        f"{kind} {base}",
        {
            "zh": f"比对之后名录已有新版本（第 {newest} 版）",
            "en": f"the library has changed since this was compared with it (revision {newest})",
        },
        {
            "zh": "放弃这次导入，重新上传同一文件。",
            "en": "Discard this import and upload the file again.",
        },
    )
