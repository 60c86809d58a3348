"""What anybody may read: the public files of draws and of the log, byte for byte, and what draws there are.

A blob is public if a file below ``public/`` has it. What replaces a public file (names, findings, the page) takes the old bytes out of
public view; documents that are settled never change (docs/protocol.md §10).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from dualrandom.store.blobs import Vault
from dualrandom.store.errors import unknown
from dualrandom.store.tables import Blob, DrawFile, DrawRow, DrawState, LogFile
from dualrandom.store.workspace import PUBLIC


@dataclass(frozen=True, slots=True)
class PublicFile:
    """A public file: its path below ``public/``, the SHA-256 and the number of its bytes."""

    path: str
    sha256: str
    size: int


def draws(session: Session, before: tuple[datetime, str] | None, limit: int) -> Sequence[DrawRow]:
    """Return draws, the newest first."""
    chosen = select(DrawRow).order_by(col(DrawRow.announced_at).desc(), col(DrawRow.id).desc()).limit(limit)
    if before is not None:
        at, name = before
        chosen = chosen.where(
            (col(DrawRow.announced_at) < at) | ((col(DrawRow.announced_at) == at) & (col(DrawRow.id) < name))
        )
    return session.scalars(chosen).all()


def the_draw(session: Session, draw: str) -> DrawRow:
    """Return a draw. Raises UnknownError ``unknown-draw``."""
    row = session.get(DrawRow, draw)
    if row is None:
        raise unknown("unknown-draw", draw, "没有这个抽取", "there is no such draw")
    return row


def files_of(session: Session, draw: str) -> Sequence[PublicFile]:
    """Return the public files of a draw by path."""
    rows = session.execute(
        select(col(DrawFile.path), col(Blob.sha256), col(Blob.size))
        .join(Blob, col(DrawFile.blob) == col(Blob.sha256))
        .where(col(DrawFile.draw_id) == draw, col(DrawFile.path).startswith(PUBLIC, autoescape=True))
        .order_by(col(DrawFile.path))
    )
    return [PublicFile(path.removeprefix(PUBLIC), sha256, size) for path, sha256, size in rows]


def file_of(session: Session, vault: Vault, draw: str, path: str) -> tuple[str, bytes]:
    """Return SHA-256 and bytes of a draw's public file. Raises UnknownError ``unknown-draw``, ``unknown-document``."""
    blob = session.scalars(
        select(Blob)
        .join(DrawFile, col(DrawFile.blob) == col(Blob.sha256))
        .where(col(DrawFile.draw_id) == draw, col(DrawFile.path) == PUBLIC + path)
    ).one_or_none()
    if blob is None:
        the_draw(session, draw)
        raise unknown("unknown-document", path, "没有公布这个文件", "no such document is published")
    return blob.sha256, vault.opened(blob)


def log_file(session: Session, vault: Vault, path: str) -> tuple[str, bytes]:
    """Return SHA-256 and bytes of a public file of the log. Raises UnknownError ``unknown-document``."""
    blob = session.scalars(
        select(Blob)
        .join(LogFile, col(LogFile.blob) == col(Blob.sha256))
        .where(col(LogFile.path) == PUBLIC + path)
    ).one_or_none()
    if blob is None:
        raise unknown("unknown-document", path, "没有公布这个文件", "no such document is published")
    return blob.sha256, vault.opened(blob)


def blob(session: Session, vault: Vault, sha256: str) -> tuple[str, bytes]:
    """Return a public path and the bytes with this SHA-256. Raises UnknownError ``unknown-document``."""
    paths = session.scalars(
        select(col(DrawFile.path)).where(
            col(DrawFile.blob) == sha256, col(DrawFile.path).startswith(PUBLIC, autoescape=True)
        )
    ).all()
    if not paths:
        paths = session.scalars(
            select(col(LogFile.path)).where(
                col(LogFile.blob) == sha256, col(LogFile.path).startswith(PUBLIC, autoescape=True)
            )
        ).all()
    if not paths:
        raise unknown("unknown-document", sha256, "没有公布这个文件", "no such document is published")
    return min(paths).removeprefix(PUBLIC), vault.get(session, sha256)


def statistics(session: Session) -> Mapping[str, Any]:
    """Return how many draws there are in each state, and the sums over those that have a result."""
    counted = session.execute(select(col(DrawRow.state), func.count()).group_by(col(DrawRow.state)))
    states = {state.value: 0 for state in DrawState}
    states |= {state.value: number for state, number in counted}
    sums = dict.fromkeys(("frame", "visits", "checks", "crews", "saved", "undated"), 0)
    drawn = select(col(DrawRow.summary)).where(col(DrawRow.state).in_([DrawState.DRAWN, DrawState.CLOSED]))
    for summary in session.scalars(drawn):
        for name in sums:
            value = summary.get(name, 0)
            sums[name] += value if isinstance(value, int) else 0
    return {"draws": states, "sums": sums}
