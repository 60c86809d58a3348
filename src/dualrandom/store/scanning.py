"""Scan-in at the door (扫码入企): the enterprise or the crew sends the code that is on the printed notice; the time is kept.

Codes are sealed under the service's key: whoever only has the database, or a backup of it, knows none.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime
from enum import StrEnum
from typing import Final

from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.blobs import Vault
from dualrandom.store.errors import ConflictError, RefusedError
from dualrandom.store.tables import Role, Visit
from dualrandom.store.visit_lists import today

ALPHABET: Final = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
LENGTH: Final = 10
TRIES: Final = 20
"""Wrong codes for one visit; then only its crew can scan in."""


class Scan(StrEnum):
    """What became of a scan."""

    KEPT = "kept"
    REPEATED = "repeated"
    WRONG = "wrong"
    LOCKED = "locked"
    EARLY = "early"


def sealed_code(vault: Vault, notice: str) -> bytes:
    """Return a new code for a notice, as it is kept."""
    return vault.seal("".join(secrets.choice(ALPHABET) for _ in range(LENGTH)), _about(notice))


def code_of(vault: Vault, visit: Visit) -> str:
    """Return the code of a visit, for those who print the notice or make the visit. Raises IntegrityError with another key."""
    return vault.unseal(visit.scan_code, _about(visit.notice))


def scan_in(
    session: Session, vault: Vault, notice: str, code: str, *, actor: Actor, now: datetime
) -> tuple[Scan, Visit | None]:
    """Note when a crew came. The first scan counts; a wrong code is counted, so the caller has to commit before refusing.

    Wrong codes lock out whoever has only the notice's number, which anybody can guess; the crew, who have signed in, they do not.
    """
    visit = session.scalars(
        select(Visit).where(col(Visit.notice) == notice.strip()).with_for_update()
    ).one_or_none()
    if visit is None or visit.state in {"cancelled", "undated"}:
        return Scan.WRONG, None
    if visit.scan_failures >= TRIES and actor.role != Role.CREW:
        return Scan.LOCKED, visit
    if not hmac.compare_digest(code_of(vault, visit).encode(), code.strip().upper().encode()):
        visit.scan_failures += 1
        session.add(visit)
        return Scan.WRONG, visit
    if visit.scanned_at is not None:
        return Scan.REPEATED, visit
    if visit.day > today(session, now):
        return Scan.EARLY, visit
    visit.scanned_at, visit.scanned_by = now, actor.name
    visit.version += 1
    session.add(visit)
    activity.record(session, actor, "scan-in", f"visit:{visit.id}", now, {"notice": visit.notice})
    return Scan.KEPT, visit


def _about(notice: str) -> str:
    return f"scan-in:{notice}"


def refuse(scan: Scan, notice: str) -> None:
    """Raise what a scan was refused with: RefusedError ``scan-code-wrong``, ConflictError ``scan-locked``, ``scan-early``."""
    if scan is Scan.WRONG:
        raise RefusedError(
            "scan-code-wrong",
            notice,
            {"zh": "通知书编号或入企码不正确", "en": "the notice's number or the code is wrong"},
            {"zh": "核对通知书。", "en": "Look at the notice."},
        )
    if scan is Scan.LOCKED:
        raise ConflictError(
            "scan-locked",
            notice,
            {"zh": "错误次数过多", "en": "too many wrong codes"},
            {"zh": "请检查组自行扫码。", "en": "Let the crew scan in."},
        )
    if scan is Scan.EARLY:
        raise ConflictError(
            "scan-early",
            notice,
            {"zh": "早于检查日期", "en": "it is before the date of the visit"},
            {"zh": "检查不得早于公布的日期。", "en": "A visit does not take place before its published day."},
        )
