"""Policies of the office (docs/policies.md): TOML documents, uploaded in versions, cited by plans by their id.

A plan cites the newest version; what it was when a draw was announced is kept with the draw.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.errors import InputError
from dualrandom.policy.documents import LARGEST, parse_policy, shipped_policies
from dualrandom.policy.reader import POLICIES
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.database import StaleError, locked
from dualrandom.store.errors import RefusedError, unknown
from dualrandom.store.tables import Office, PolicyRow


def upload(
    session: Session, content: bytes, *, actor: Actor, now: datetime, base: int | None = None
) -> PolicyRow:
    """Keep a policy as the newest version of its id; the same bytes again change nothing.

    ``base`` is the number of the version that it replaces, None for a new id. Raises InputError with all faults, StaleError if
    ``base`` is not the newest.
    """
    if len(content) > LARGEST:
        raise RefusedError(
            "policy-too-large",
            str(len(content)),
            {"zh": "政策文件过大", "en": "the policy is too large"},
            {"zh": "最大 1 MB。", "en": "1 MB at most."},
        )
    result = parse_policy(content, "policy.toml")
    if result.policy is None:
        raise InputError(result.problems)
    policy = result.policy
    # versions of one id are numbered without gaps, so one at a time
    locked(session, Office, 1)
    newest = newest_policy(session, policy.id)
    digest = hashlib.sha256(content).hexdigest()
    if newest is not None and newest.digest == digest and not newest.withdrawn:
        return newest
    if (None if newest is None else newest.number) != base:
        raise StaleError(f"policy {policy.id}")
    row = PolicyRow(
        policy=policy.id,
        number=1 if newest is None else newest.number + 1,
        name=policy.name,
        name_en=policy.name_en,
        digest=digest,
        content=content.decode("utf-8-sig"),
        at=now,
        by=actor.name,
    )
    session.add(row)
    session.flush()
    activity.record(session, actor, "policy", policy.id, now, {"digest": digest, "number": row.number})
    return row


def withdraw(session: Session, policy: str, number: int, *, actor: Actor, now: datetime) -> PolicyRow:
    """Let no plan cite a policy any more; its versions stay. Raises UnknownError, StaleError."""
    locked(session, Office, 1)
    row = newest_policy(session, policy)
    if row is None or row.withdrawn:
        raise unknown("unknown-policy", policy, f"没有政策 {policy}", f"there is no policy {policy}")
    if row.number != number:
        raise StaleError(f"policy {policy}")
    row.withdrawn = True
    session.add(row)
    activity.record(session, actor, "policy-withdrawn", policy, now, {"number": number})
    return row


def newest_policy(session: Session, policy: str) -> PolicyRow | None:
    """Return the newest version of an uploaded policy, withdrawn or not."""
    found = (
        select(PolicyRow)
        .where(col(PolicyRow.policy) == policy)
        .order_by(col(PolicyRow.number).desc())
        .limit(1)
    )
    return session.scalars(found).one_or_none()


def versions(session: Session, policy: str) -> Sequence[PolicyRow]:
    """Return all versions of an uploaded policy, newest first. Raises UnknownError."""
    found = select(PolicyRow).where(col(PolicyRow.policy) == policy).order_by(col(PolicyRow.number).desc())
    rows = list(session.scalars(found))
    if not rows:
        raise unknown("unknown-policy", policy, f"没有政策 {policy}", f"there is no policy {policy}")
    return rows


def current(session: Session, after: str = "", limit: int = 50) -> Sequence[PolicyRow]:
    """Return the newest version of every uploaded policy that plans may cite, by id."""
    later = PolicyRow.__table__.alias("later")  # type: ignore[attr-defined]
    newer = select(later.c.id).where(
        later.c.policy == col(PolicyRow.policy), later.c.number > col(PolicyRow.number)
    )
    found = (
        select(PolicyRow)
        .where(~newer.exists(), ~col(PolicyRow.withdrawn), col(PolicyRow.policy) > after)
        .order_by(col(PolicyRow.policy))
        .limit(limit)
    )
    return list(session.scalars(found))


def cited_files(session: Session, cited: Collection[str]) -> dict[str, bytes]:
    """Return the files of the cited policies that the office uploaded; shipped ones need none, unknown ones have none."""
    files = {}
    for policy in sorted(cited):
        row = newest_policy(session, policy)
        if row is not None and not row.withdrawn:
            files[f"{POLICIES}/{policy}.toml"] = row.content.encode()
    return files


def is_known(session: Session, policy: str) -> bool:
    """Tell whether a plan may cite this id."""
    row = newest_policy(session, policy)
    return policy in shipped_policies() or (row is not None and not row.withdrawn)
