"""A department's keys for programs: issued and extended by two persons, collected once by whoever asked, revoked at once.

Between the second person's decision and the collection nobody has the key, the service included: it is made when it is collected, and
only its SHA-256 is kept.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.store import activity
from dualrandom.store.accounts import KEY, digest_of
from dualrandom.store.activity import Actor
from dualrandom.store.departments import owned, the_department
from dualrandom.store.errors import ConflictError, ForbiddenError, unknown
from dualrandom.store.messages import tell
from dualrandom.store.tables import ApiKey


def issue_key(
    session: Session,
    actor: Actor,
    now: datetime,
    *,
    department: str,
    name: str,
    scopes: Sequence[str],
    expires_at: datetime,
) -> ApiKey:
    """Make a department's key, which the actor then has to collect; return its row. Raises UnknownError for another's department."""
    the_department(session, actor, department)
    assert actor.user is not None
    prefix = secrets.token_hex(4)
    row = ApiKey(
        department_id=department,
        name=name,
        prefix=prefix,
        scopes=sorted(set(scopes)),
        created_by=actor.user,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(row)
    session.flush()
    detail = {"department": department, "scopes": row.scopes, "expires_at": expires_at.isoformat()}
    activity.record(session, actor, "key-created", f"key:{prefix}", now, detail)
    tell(
        session,
        "key",
        f"department:{department}",
        f"key:{prefix}",
        (
            f"{actor.name} 申请的 API 密钥 {prefix}（{name}）已获同意，可代表本部门：{'、'.join(row.scopes)}。",
            f"The API key {prefix} ({name}) that {actor.name} asked for was agreed to; it acts for the department: {', '.join(row.scopes)}.",
        ),
        now=now,
    )
    return row


def collect_key(
    session: Session, actor: Actor, now: datetime, department: str, prefix: str
) -> tuple[str, ApiKey]:
    """Return a key to whoever asked for it, this once; before that nobody can use it.

    Raises UnknownError, ForbiddenError ``key-of-another-person``, ConflictError ``key-collected``.
    """
    row = the_key(session, actor, department, prefix)
    if row.created_by != actor.user:
        raise ForbiddenError(
            "key-of-another-person",
            prefix,
            {"zh": "只有申请人可以领取密钥", "en": "only who asked for the key can collect it"},
            {"zh": "请申请人领取，或自行申请。", "en": "Have them collect it, or ask for one of your own."},
        )
    if row.key_hash is not None or row.revoked_at is not None or row.expires_at <= now:
        raise ConflictError(
            "key-collected",
            prefix,
            {"zh": "密钥已领取、吊销或过期", "en": "the key was collected or revoked, or has expired"},
            {"zh": "遗失的，吊销后重新申请。", "en": "If it is lost, revoke it and ask for another one."},
        )
    key = f"{KEY}{prefix}_{secrets.token_urlsafe(32)}"
    row.key_hash = digest_of(key)
    session.add(row)
    activity.record(session, actor, "key-collected", f"key:{prefix}", now)
    return key, row


def extend_key(
    session: Session, actor: Actor, now: datetime, department: str, prefix: str, expires_at: datetime
) -> ApiKey:
    """Let a key that is valid expire at another time. Raises UnknownError, ConflictError ``key-ended``."""
    row = the_key(session, actor, department, prefix)
    require_valid(row, now)
    row.expires_at = expires_at
    session.add(row)
    detail = {"expires_at": expires_at.isoformat()}
    activity.record(session, actor, "key-extended", f"key:{prefix}", now, detail)
    return row


def require_valid(row: ApiKey, now: datetime) -> None:
    """Raise ConflictError ``key-ended`` for a key that was revoked or has expired."""
    if row.revoked_at is not None or row.expires_at <= now:
        raise ConflictError(
            "key-ended",
            row.prefix,
            {"zh": "密钥已吊销或过期", "en": "the key was revoked or has expired"},
            {"zh": "申请新的密钥。", "en": "Ask for a new one."},
        )


def keys_of(session: Session, actor: Actor, department: str) -> Sequence[ApiKey]:
    """Return a department's keys, the newest first. Raises UnknownError for another's department."""
    owned(actor, department)
    chosen = select(ApiKey).where(col(ApiKey.department_id) == department).order_by(col(ApiKey.id).desc())
    return session.scalars(chosen).all()


def revoke_key(session: Session, actor: Actor, now: datetime, department: str, prefix: str) -> ApiKey:
    """End a key. Raises UnknownError ``unknown-key``."""
    key = the_key(session, actor, department, prefix)
    if key.revoked_at is None:
        key.revoked_at = now
        session.add(key)
        activity.record(session, actor, "key-revoked", f"key:{prefix}", now)
    return key


def the_key(session: Session, actor: Actor, department: str, prefix: str) -> ApiKey:
    """Return a department's key. Raises UnknownError ``unknown-key``, ``unknown-department``."""
    owned(actor, department)
    key = session.scalars(
        select(ApiKey)
        .where(col(ApiKey.department_id) == department, col(ApiKey.prefix) == prefix)
        .with_for_update()
    ).one_or_none()
    if key is None:
        raise unknown("unknown-key", prefix, "没有这个密钥", "there is no such key")
    return key
