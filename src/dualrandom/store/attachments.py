"""Files that belong to findings: kept by their hash, sealed at rest, seen by the department that brought them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import ColumnElement, delete, exists, select
from sqlmodel import Session, col

from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.blobs import Vault
from dualrandom.store.database import locked
from dualrandom.store.errors import RefusedError, unknown
from dualrandom.store.tables import Attachment, Blob, DrawFile, Import, LogFile, Role

LARGEST: Final = 20 << 20
NAME_LENGTH: Final = 200


def attach(
    session: Session,
    vault: Vault,
    filename: str,
    media_type: str,
    content: bytes,
    *,
    actor: Actor,
    now: datetime,
) -> Attachment:
    """Keep a file; the same bytes of the same department are one attachment. Raises RefusedError."""
    if not content or len(content) > LARGEST:
        raise RefusedError(
            "attachment-size",
            str(len(content)),
            {"zh": "附件为空或超过 20 MB", "en": "the attachment is empty or larger than 20 MB"},
            {"zh": "压缩或拆分后再上传。", "en": "Compress or divide it, then upload it again."},
        )
    sha256 = vault.put(session, content, private=True)
    department = actor.department
    # whoever brings the same bytes at the same time waits for this row
    locked(session, Blob, sha256)
    known = session.scalars(
        select(Attachment).where(col(Attachment.sha256) == sha256, _owned(department))
    ).one_or_none()
    if known is not None:
        return known
    name = "".join(c for c in filename if c.isprintable())[-NAME_LENGTH:] or sha256
    row = Attachment(
        sha256=sha256,
        filename=name,
        media_type=media_type,
        department_id=department,
        at=now,
        by=actor.name,
    )
    session.add(row)
    session.flush()
    activity.record(session, actor, "attach", f"attachment:{sha256}", now, {"size": len(content)})
    return row


def attachment_of(session: Session, vault: Vault, sha256: str, *, actor: Actor) -> tuple[Attachment, bytes]:
    """Return an attachment and its bytes. Raises UnknownError ``unknown-attachment``."""
    seen = select(Attachment).where(col(Attachment.sha256) == sha256)
    if actor.role in {Role.DEPARTMENT, Role.CREW}:
        seen = seen.where(_owned(actor.department))
    row = session.scalars(seen.order_by(col(Attachment.id)).limit(1)).one_or_none()
    if row is None:
        raise unknown("unknown-attachment", sha256, "没有这个附件", "there is no such attachment")
    return row, vault.get(session, sha256)


def missing(session: Session, hashes: list[str], *, actor: Actor) -> list[str]:
    """Return those of the hashes that ``actor`` has no attachment for."""
    seen = select(col(Attachment.sha256)).where(col(Attachment.sha256).in_(hashes))
    if actor.role in {Role.DEPARTMENT, Role.CREW}:
        seen = seen.where(_owned(actor.department))
    known = set(session.scalars(seen))
    return [each for each in hashes if each not in known]


def forget(session: Session, sha256: str) -> None:
    """Delete an attachment and its bytes; bytes that something else needs as well stay."""
    session.execute(delete(Attachment).where(col(Attachment.sha256) == sha256))
    needed = (
        exists().where(col(DrawFile.blob) == Blob.sha256),
        exists().where(col(LogFile.blob) == Blob.sha256),
        exists().where(col(Import.blob) == Blob.sha256),
        exists().where(col(Import.problem_sheet) == Blob.sha256),
    )
    session.execute(delete(Blob).where(col(Blob.sha256) == sha256, *(~each for each in needed)))


def _owned(department: str | None) -> ColumnElement[bool]:
    column = col(Attachment.department_id)
    return column.is_(None) if department is None else column == department
