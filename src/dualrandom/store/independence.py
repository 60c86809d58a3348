"""Two persons have to be two: whoever may decide is known to all who may, and is nobody's own creature.

A dispatcher can make accounts and set passwords, and could so be a second person of their own. So every such change of an account that
may decide is told to all who may; and for a day that account decides nothing that whoever changed it asks for.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.store.messages import tell
from dualrandom.store.tables import Activity, Role, User

DECIDES: Final = frozenset({Role.DISPATCHER.value, Role.AUDITOR.value})
"""Roles that decide what takes two persons."""
APART: Final = timedelta(hours=24)
CREATED: Final = "account-created"
CHANGED: Final = "account-changed"
OF_WEIGHT: Final = frozenset({"password", "role", "disabled"})
"""Changes after which somebody else may be behind an account."""


def is_dependent(session: Session, decider: User, asker: User, now: datetime) -> bool:
    """Tell whether ``asker`` made ``decider``'s account, or changed who can use it, within :data:`APART`."""
    rows = session.scalars(
        select(Activity).where(
            col(Activity.subject) == f"user:{decider.username}",
            col(Activity.actor) == f"user:{asker.username}",
            col(Activity.action).in_((CREATED, CHANGED)),
            col(Activity.at) > now - APART,
        )
    )
    return any(row.action == CREATED or OF_WEIGHT & row.detail.keys() for row in rows)


def tell_deciders(
    session: Session, by: str, user: User, was: Role | None, changes: Mapping[str, Any], now: datetime
) -> None:
    """Tell everybody who decides that an account that may decide, or could before, was made or changed by somebody else."""
    if user.role.value not in DECIDES and (was is None or was.value not in DECIDES):
        return
    if by == f"user:{user.username}" or not (was is None or OF_WEIGHT & changes.keys()):
        return
    what = ("新建", "made") if was is None else ("变更", "changed")
    details = ", ".join(sorted(OF_WEIGHT & changes.keys()))
    for role in sorted(DECIDES):
        tell(
            session,
            "account",
            f"role:{role}",
            f"user:{user.username}",
            (
                f"{by} {what[0]}了账号 {user.username}（{user.name}，{user.role.value}）{details}。",
                f"{by} {what[1]} the account {user.username} ({user.name}, {user.role.value}) {details}".rstrip()
                + ".",
            ),
            now=now,
        )
