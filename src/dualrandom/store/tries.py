"""How often one address tries passwords and codes, counted in the database, so that it holds however many servers there are."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlmodel import Session

MINUTE: Final = 60
_COUNTED: Final = text(
    "INSERT INTO tries (name, minute, count) VALUES (:name, :minute, 1) "
    "ON CONFLICT (name, minute) DO UPDATE SET count = tries.count + 1 RETURNING count"
)
_BEFORE: Final = text("SELECT count FROM tries WHERE name = :name AND minute = :minute")


def wait(session: Session, name: str, now: datetime, per_minute: int) -> int:
    """Count a try; return 0, or after how many seconds to come again if it is one too many.

    What counts is this minute's tries and, of the minute before, the share that lies within the last sixty seconds.
    """
    minute, second = divmod(int(now.timestamp()), MINUTE)
    here = int(session.execute(_COUNTED, {"name": name, "minute": minute}).scalar_one())
    before = session.execute(_BEFORE, {"name": name, "minute": minute - 1}).scalar() or 0
    within = here + before * (MINUTE - second) / MINUTE
    return 0 if within <= per_minute else MINUTE - second
