"""Two persons have to be two: whoever may decide is known to all who may, and is nobody's own creature.

A dispatcher can make accounts and set passwords, and could so be a second person of their own. So every such change of an account that
may decide is told to all who may; and for a day two accounts behind which the same person may be do not decide for each other: of two
the one made the other, or somebody made both, whether by themselves or through accounts that they made.
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
OF_WEIGHT: Final = frozenset({"department_id", "disabled", "inspector", "password", "role"})
"""Changes after which somebody else may be behind an account."""


def is_dependent(session: Session, decider: User, asker: User, now: datetime) -> bool:
    """Tell whether within :data:`APART` the same person may have come to be behind both accounts."""
    rows = session.scalars(
        select(Activity).where(col(Activity.action).in_((CREATED, CHANGED)), col(Activity.at) > now - APART)
    )
    makers: dict[str, set[str]] = {}
    for row in rows:
        of_weight = row.action == CREATED or OF_WEIGHT & row.detail.keys()
        # who came through the provider of identities was made by no person
        if of_weight and row.actor.startswith("user:"):
            makers.setdefault(row.subject, set()).add(row.actor)
    behind = _behind(makers, f"user:{decider.username}"), _behind(makers, f"user:{asker.username}")
    return not behind[0].isdisjoint(behind[1])


def _behind(makers: Mapping[str, set[str]], account: str) -> set[str]:
    """Return an account, whoever made it, whoever made those, and so on."""
    found, open_ = {account}, [account]
    while open_:
        more = makers.get(open_.pop(), set()) - found
        found |= more
        open_ += more
    return found


def tell_of_account(
    session: Session, by: str, user: User, was: Role | None, changes: Mapping[str, Any], now: datetime
) -> None:
    """Tell whom an account concerns that somebody else made it, or changed who can use it.

    Of one that may decide, or could before, everybody who decides is told; of one that acts for a department, the department.
    """
    if by == f"user:{user.username}" or not (was is None or OF_WEIGHT & changes.keys()):
        return
    audiences = set()
    if user.role.value in DECIDES or (was is not None and was.value in DECIDES):
        audiences |= {f"role:{role}" for role in DECIDES}
    if user.department_id is not None and not by.startswith("provider:"):
        audiences.add(f"department:{user.department_id}")
    what = ("新建", "made") if was is None else ("变更", "changed")
    details = ", ".join(sorted(OF_WEIGHT & changes.keys()))
    for audience in sorted(audiences):
        tell(
            session,
            "account",
            audience,
            f"user:{user.username}",
            (
                f"{by} {what[0]}了账号 {user.username}（{user.name}，{user.role.value}）{details}。",
                f"{by} {what[1]} the account {user.username} ({user.name}, {user.role.value}) {details}".rstrip()
                + ".",
            ),
            now=now,
        )
