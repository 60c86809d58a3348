"""What needs two persons (双人复核): one asks, another one decides, then it runs as a job, once.

The digest covers exactly what was asked for: action, subject and payload. Whoever decides repeats it, so nobody approves anything but
what they saw; if the plan changes afterwards, the job finds another version than the payload's and refuses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, select
from sqlmodel import Session, col

from dualrandom.canonical import canonical
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.errors import ConflictError, ForbiddenError, unknown
from dualrandom.store.independence import DECIDES, is_dependent
from dualrandom.store.jobs import enqueue
from dualrandom.store.messages import tell
from dualrandom.store.tables import Approval, Job, Role, User

ACTIONS: Final[Mapping[str, tuple[str, str]]] = {
    "announce": ("公告抽取", "announce a draw"),
    "void": ("作废抽取", "void a draw"),
    "rotate-log-key": ("轮换日志密钥", "hand the log over to a new key"),
    "revoke-log-key": ("吊销日志密钥", "revoke a key of the log"),
    "issue-api-key": ("签发 API 密钥", "issue an API key"),
    "extend-api-key": ("延长 API 密钥", "extend an API key"),
}
"""What needs two persons; each is also the kind of the job that does it."""

ASKS: Final = frozenset({Role.DISPATCHER.value})
ASKED_BY_DEPARTMENTS: Final = frozenset({"issue-api-key", "extend-api-key"})
"""What a department's people may ask for as well, for their department."""


def digest_of(action: str, subject: str, payload: Mapping[str, Any]) -> str:
    """Return the SHA-256 of what is asked for."""
    members = {"action": action, "payload": dict(payload), "subject": subject}
    return hashlib.sha256(canonical(members)).hexdigest()


def ask(
    session: Session,
    actor: Actor,
    now: datetime,
    *,
    action: str,
    subject: str,
    payload: Mapping[str, Any],
    lasts: timedelta,
) -> Approval:
    """Ask for a second person's decision; asking again for the same gives the same approval.

    What was asked for the same subject before and differs is withdrawn. ``payload`` holds JSON values without floating-point numbers.
    Raises ForbiddenError ``person-needed`` for an API key or another role.
    """
    if action not in ACTIONS:
        raise ValueError(f"no such action: {action}")
    asks = ASKS | {Role.DEPARTMENT.value} if action in ASKED_BY_DEPARTMENTS else ASKS
    if actor.user is None or actor.role not in asks:
        raise ForbiddenError(
            "person-needed",
            action,
            {"zh": "此操作须由调度员本人提出", "en": "a dispatcher has to ask for this in person"},
            {"zh": "请调度员登录后提出。", "en": "Have a dispatcher sign in and ask."},
        )
    digest = digest_of(action, subject, payload)
    for one in session.scalars(
        select(Approval)
        .where(
            col(Approval.action) == action, col(Approval.subject) == subject, col(Approval.state) == "open"
        )
        .with_for_update()
    ).all():
        if one.digest == digest and one.expires_at > now:
            return one
        one.state, one.version = "withdrawn", one.version + 1
        session.add(one)
    approval = Approval(
        action=action,
        subject=subject,
        digest=digest,
        payload=dict(payload),
        requested_by=actor.user,
        requested_at=now,
        expires_at=now + lasts,
    )
    session.add(approval)
    session.flush()
    zh, en = ACTIONS[action]
    for role in sorted(DECIDES):
        until = f"{approval.expires_at:%Y-%m-%d %H:%M} UTC"
        tell(
            session,
            "approval-asked",
            f"role:{role}",
            f"approval:{approval.id}",
            (
                f"待复核：{zh}（{subject}），{until} 前有效。",
                f"To be decided: {en} ({subject}), until {until}.",
            ),
            now=now,
        )
    detail = {"action": action, "subject": subject, "digest": digest}
    activity.record(session, actor, "approval-asked", f"approval:{approval.id}", now, detail)
    return approval


def decide(
    session: Session,
    actor: Actor,
    now: datetime,
    approval_id: int,
    *,
    digest: str,
    approve: bool,
    reason: str = "",
) -> tuple[Approval, Job | None]:
    """Approve or refuse; return the approval and, if approved, the job that does it.

    Raises UnknownError, ForbiddenError ``approval-own``, ``approval-dependent``, ConflictError ``approval-decided``, ``approval-expired``,
    ``approval-differs``.
    """
    approval = the_approval(session, actor, approval_id, lock=True)
    if actor.user is None or actor.role not in DECIDES or actor.user == approval.requested_by:
        raise ForbiddenError(
            "approval-own",
            str(approval_id),
            {"zh": "须由提出人以外的另一人决定", "en": "somebody other than who asked has to decide"},
            {"zh": "请另一位调度员或审计人员决定。", "en": "Ask another dispatcher or an auditor."},
        )
    decider, asker = session.get_one(User, actor.user), session.get_one(User, approval.requested_by)
    if is_dependent(session, decider, asker, now):
        raise ForbiddenError(
            "approval-dependent",
            decider.username,
            {
                "zh": f"一天之内，您与提出人 {asker.username} 中一人为另一人新建账号或设置密码，或两人的账号均由同一人设置",
                "en": f"within a day one of you and {asker.username} made the other's account or set its password, or somebody did so "
                "with both",
            },
            {"zh": "请其他人决定，或过一天再决定。", "en": "Somebody else decides, or you do after a day."},
        )
    if approval.state != "open":
        raise ConflictError(
            "approval-decided",
            approval.state,
            {"zh": "此申请已有决定或已撤回", "en": "this was decided or withdrawn already"},
            {"zh": "需要时重新提出。", "en": "Ask anew if it is still needed."},
        )
    if approval.expires_at <= now:
        raise ConflictError(
            "approval-expired",
            approval.expires_at.isoformat(),
            {"zh": "此申请已过期", "en": "this has expired"},
            {"zh": "重新提出。", "en": "Ask anew."},
        )
    if approval.digest != digest:
        raise ConflictError(
            "approval-differs",
            digest,
            {"zh": "所示内容不是申请的内容", "en": "this is not what was asked for"},
            {"zh": "重新读取申请，核对内容与 digest。", "en": "Read it again, and check content and digest."},
        )
    approval.state = "approved" if approve else "refused"
    approval.decided_by, approval.decided_at = actor.user, now
    approval.version += 1
    session.add(approval)
    detail = {"action": approval.action, "subject": approval.subject, "digest": digest, "reason": reason}
    activity.record(session, actor, f"approval-{approval.state}", f"approval:{approval_id}", now, detail)
    if not approve:
        return approval, None
    asked_by = session.get_one(User, approval.requested_by)
    job = enqueue(
        session,
        approval.action,
        approval.subject,
        now=now,
        by=f"user:{asked_by.username}",
        arguments={**approval.payload, "approval": approval_id},
        unique_key=f"approval:{approval_id}",
    )
    return approval, job


def withdraw(session: Session, actor: Actor, now: datetime, approval_id: int) -> Approval:
    """Take back what one asked for. Raises UnknownError, ForbiddenError ``approval-not-own``, ConflictError."""
    approval = the_approval(session, actor, approval_id, lock=True)
    if actor.user != approval.requested_by:
        raise ForbiddenError(
            "approval-not-own",
            str(approval_id),
            {"zh": "只有提出人可以撤回", "en": "only who asked can withdraw it"},
            {"zh": "可以不同意。", "en": "You may refuse it instead."},
        )
    if approval.state != "open":
        raise ConflictError(
            "approval-decided",
            approval.state,
            {"zh": "此申请已有决定或已撤回", "en": "this was decided or withdrawn already"},
            {"zh": "不必处理。", "en": "Nothing has to be done."},
        )
    approval.state, approval.version = "withdrawn", approval.version + 1
    session.add(approval)
    activity.record(session, actor, "approval-withdrawn", f"approval:{approval_id}", now)
    return approval


def the_approval(session: Session, actor: Actor, approval_id: int, *, lock: bool = False) -> Approval:
    """Return an approval that the actor may see. Raises UnknownError ``unknown-approval``."""
    found = session.scalars(
        select(Approval).where(col(Approval.id) == approval_id, *_visible(actor))
    ).one_or_none()
    if found is None:
        raise unknown(
            "unknown-approval",
            str(approval_id),
            "没有这个申请，或不属于您",
            "there is no such approval, or it is not yours",
        )
    if lock:
        session.refresh(found, with_for_update=True)
    return found


def approvals(
    session: Session, actor: Actor, *, before: int | None, limit: int, state: str | None
) -> Sequence[Approval]:
    """Return approvals, the newest first; a department sees what its own people asked for."""
    chosen = select(Approval).where(*_visible(actor)).order_by(col(Approval.id).desc()).limit(limit)
    if before is not None:
        chosen = chosen.where(col(Approval.id) < before)
    if state is not None:
        chosen = chosen.where(col(Approval.state) == state)
    return session.scalars(chosen).all()


def _visible(actor: Actor) -> list[ColumnElement[bool]]:
    if actor.role != Role.DEPARTMENT:
        return []
    own = select(col(User.id)).where(col(User.department_id) == actor.department)
    return [col(Approval.requested_by).in_(own)]


def names_of(session: Session, those: Sequence[Approval]) -> dict[int, str]:
    """Return the user names of everybody who asked or decided."""
    ids = {one.requested_by for one in those} | {
        one.decided_by for one in those if one.decided_by is not None
    }
    rows = session.execute(select(col(User.id), col(User.username)).where(col(User.id).in_(ids)))
    return {number: name for number, name in rows if number is not None}


def jobs_of(session: Session, those: Sequence[Approval]) -> dict[int, int]:
    """Return approval → the job that does it, for those that were approved."""
    keys = {f"approval:{one.id}": one.id for one in those if one.id is not None}
    rows = session.execute(select(col(Job.unique_key), col(Job.id)).where(col(Job.unique_key).in_(keys)))
    return {keys[key]: number for key, number in rows if key is not None and number is not None}
