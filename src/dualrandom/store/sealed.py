"""Reading sealed lists: an auditor gets one against a reason, and who read what and why is in the activity log before the content is given.

Sealed lists are the openings of a draw's rows (classes, people, cutoffs). Nonces, keys and the list secret are given to nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.blobs import Vault
from dualrandom.store.errors import unknown
from dualrandom.store.published import the_draw
from dualrandom.store.tables import Blob, DrawFile
from dualrandom.store.workspace import file_of

PRIVATE: Final = "private/"
READABLE: Final = "private/openings/"


def lists_of(session: Session, draw: str) -> Sequence[tuple[str, str, int]]:
    """Return name, SHA-256 and size of a draw's sealed lists. Raises UnknownError ``unknown-draw``."""
    the_draw(session, draw)
    rows = session.execute(
        select(col(DrawFile.path), col(Blob.sha256), col(Blob.size))
        .join(Blob, col(DrawFile.blob) == col(Blob.sha256))
        .where(col(DrawFile.draw_id) == draw, col(DrawFile.path).startswith(READABLE, autoescape=True))
        .order_by(col(DrawFile.path))
    )
    return [(path.removeprefix(PRIVATE), sha256, size) for path, sha256, size in rows]


def read(
    session: Session, vault: Vault, actor: Actor, now: datetime, draw: str, name: str, reason: str
) -> bytes:
    """Return a sealed list and note it. Raises UnknownError ``unknown-draw``, ``unknown-sealed-list``."""
    the_draw(session, draw)
    path = PRIVATE + name
    content = file_of(session, vault, draw, path) if path.startswith(READABLE) else None
    if content is None:
        raise unknown("unknown-sealed-list", name, "没有这份封存的名单", "there is no such sealed list")
    activity.record(session, actor, "sealed-list-read", draw, now, {"list": name, "reason": reason})
    return content
