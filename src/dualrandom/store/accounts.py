"""Accounts and sessions: who may sign in, and who a token belongs to.

Passwords are hashed and checked by the service; here are only hashes. Tokens and keys are kept as their SHA-256: they have 256 bits of
randomness, so a slow hash would add nothing.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.database import change, locked
from dualrandom.store.errors import ConflictError, ForbiddenError, RefusedError, unknown
from dualrandom.store.independence import tell_of_account
from dualrandom.store.tables import ApiKey, Department, Office, Role, SignIn, User

SESSION: Final = "drs_"
KEY: Final = "drk_"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who a credential belongs to. ``scopes``: what a key may do; None for a person, who may do what the role may."""

    actor: Actor
    scopes: frozenset[str] | None = None


def digest_of(token: str) -> str:
    """Return what is kept of a token."""
    return hashlib.sha256(token.encode()).hexdigest()


def actor_of(user: User) -> Actor:
    """Return a person as the activity log names them."""
    return Actor(f"user:{user.username}", user.role.value, user.department_id, user.id, user.inspector)


def caller_of(session: Session, token: str, now: datetime) -> Caller | None:
    """Return who a session's token or an API key belongs to, None if it is not valid (any more)."""
    if token.startswith(KEY):
        return _key_holder(session, token, now)
    row = session.execute(
        select(SignIn, User)
        .join(User, col(User.id) == col(SignIn.user_id))
        .where(col(SignIn.token_hash) == digest_of(token))
    ).one_or_none()
    if row is None:
        return None
    sign_in, user = row
    if sign_in.revoked_at is not None or sign_in.expires_at <= now or user.disabled:
        return None
    return Caller(actor_of(user))


def _key_holder(session: Session, token: str, now: datetime) -> Caller | None:
    key = session.scalars(select(ApiKey).where(col(ApiKey.key_hash) == digest_of(token))).one_or_none()
    if key is None or key.revoked_at is not None or key.expires_at <= now:
        return None
    department = session.get(Department, key.department_id)
    if department is None or not department.active:
        return None
    actor = Actor(f"key:{key.prefix}", Role.DEPARTMENT.value, key.department_id)
    return Caller(actor, frozenset(key.scopes))


# people


def create_user(
    session: Session,
    actor: Actor,
    now: datetime,
    *,
    username: str,
    name: str,
    role: Role,
    department: str | None = None,
    inspector: str | None = None,
    email: str | None = None,
    password_hash: str | None = None,
    issuer: str | None = None,
    subject: str | None = None,
) -> User:
    """Add a person. Raises ConflictError ``username-taken``, RefusedError ``account-incomplete``, UnknownError."""
    # two who choose the same name at once
    locked(session, Office, 1)
    # people would not tell apart what differs in capitals only
    same = select(col(User.id)).where(func.lower(col(User.username)) == username.lower())
    if session.scalars(same.limit(1)).first() is not None:
        raise _taken(username)
    check_placement(session, role, department, inspector)
    user = User(
        username=username,
        name=name,
        role=role,
        department_id=department,
        inspector=inspector,
        email=email,
        password_hash=password_hash,
        issuer=issuer,
        subject=subject,
        created_at=now,
    )
    session.add(user)
    session.flush()
    activity.record(
        session,
        actor,
        "account-created",
        f"user:{username}",
        now,
        {"role": role.value, "department": department},
    )
    tell_of_account(session, actor.name, user, None, {}, now)
    return user


def check_placement(session: Session, role: Role, department: str | None, inspector: str | None) -> None:
    """See that a role has what it needs: a department, and a crew member an inspector's code."""
    needs = role in {Role.DEPARTMENT, Role.CREW}
    if (
        role is Role.PUBLIC
        or needs != (department is not None)
        or (role is Role.CREW) != (inspector is not None)
    ):
        raise RefusedError(
            "account-incomplete",
            role.value,
            {"zh": "角色、部门与检查人员不相符", "en": "role, department and inspector do not go together"},
            {
                "zh": "部门账号须有部门；检查人员账号须有部门和人员编号；其他角色都没有。",
                "en": "A department's account needs a department, a crew member's also an inspector's code; others have neither.",
            },
        )
    if department is not None and session.get(Department, department) is None:
        raise unknown("unknown-department", department, "没有这个部门", "there is no such department")


def _taken(username: str) -> ConflictError:
    return ConflictError(
        "username-taken",
        username,
        {"zh": "用户名已被使用", "en": "the user name is taken"},
        {"zh": "换一个用户名。", "en": "Choose another one."},
    )


def user_named(session: Session, username: str) -> User | None:
    """Return the person with a user name; nobody has one that a database cannot even compare."""
    if "\0" in username:
        return None
    return session.scalars(select(User).where(col(User.username) == username)).one_or_none()


def the_user(session: Session, username: str) -> User:
    """Return the person with a user name. Raises UnknownError ``unknown-user``."""
    user = user_named(session, username)
    if user is None:
        raise unknown("unknown-user", username, "没有这个用户", "there is no such user")
    return user


def users(session: Session, after: str, limit: int) -> Sequence[User]:
    """Return people in the order of their user names."""
    chosen = select(User).where(col(User.username) > after).order_by(col(User.username)).limit(limit)
    return session.scalars(chosen).all()


def change_user(
    session: Session, actor: Actor, now: datetime, username: str, version: int, values: Mapping[str, Any]
) -> User:
    """Change name, role, department, inspector, email, disabled or password_hash. Raises StaleError, RefusedError.

    Whoever is disabled, gets another role or another password is signed out everywhere. Nobody changes their own role or disables
    themselves, so the last dispatcher cannot lock the office out.
    """
    user = the_user(session, username)
    if user.id == actor.user and {"role", "department_id", "disabled"} & values.keys():
        raise ConflictError(
            "own-account",
            username,
            {
                "zh": "不能更改自己的角色、部门或停用自己",
                "en": "nobody changes their own role or disables themselves",
            },
            {"zh": "请另一位调度员办理。", "en": "Ask another dispatcher."},
        )
    was = user.role
    change(session, user, version, values)
    check_placement(session, user.role, user.department_id, user.inspector)
    if {"role", "department_id", "disabled", "password_hash", "inspector"} & values.keys():
        _sign_out_everywhere(session, user, now)
    # the log is never shortened, so it holds neither hashes nor addresses
    told = {name: value for name, value in values.items() if name not in {"password_hash", "email"}}
    if "password_hash" in values:
        told["password"] = "changed"
    if "email" in values:
        told["email"] = "changed"
    activity.record(session, actor, "account-changed", f"user:{username}", now, _plain(told))
    tell_of_account(session, actor.name, user, was, told, now)
    return user


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value.value if isinstance(value, Role) else value for name, value in values.items()}


# sessions


def attempt(
    session: Session, username: str, right: bool, now: datetime, *, failures: int, lock: timedelta
) -> User | None:
    """Note an attempt to sign in with a password; return the person if it succeeds.

    After ``failures`` wrong passwords in a row nobody enters for ``lock``, not even with the right one.
    """
    found = user_named(session, username)
    user = None if found is None else locked(session, User, found.id)
    if user is None or user.disabled or (user.locked_until is not None and user.locked_until > now):
        _write_as_much(session)
        return None
    if right:
        user.failed_attempts, user.locked_until = 0, None
        session.add(user)
        return user
    user.failed_attempts += 1
    if user.failed_attempts >= failures:
        user.failed_attempts, user.locked_until = 0, now + lock
        activity.record(session, actor_of(user), "account-locked", f"user:{username}", now)
    session.add(user)
    return None


def _write_as_much(session: Session) -> None:
    """Write a row as it is, so that an unknown or locked name takes as long as a wrong password."""
    first = select(func.min(col(User.id))).scalar_subquery()
    session.execute(
        update(User)
        .where(col(User.id) == first)
        .values(failed_attempts=User.failed_attempts)
        .execution_options(synchronize_session=False)
    )


def sign_in(session: Session, user: User, now: datetime, lasts: timedelta, how: str) -> tuple[str, SignIn]:
    """Begin a session; return its token, which is kept nowhere, and its row."""
    token = SESSION + secrets.token_urlsafe(32)
    assert user.id is not None
    row = SignIn(token_hash=digest_of(token), user_id=user.id, created_at=now, expires_at=now + lasts)
    session.add(row)
    session.flush()
    activity.record(session, actor_of(user), "signed-in", f"user:{user.username}", now, {"how": how})
    return token, row


def from_provider(
    session: Session,
    now: datetime,
    *,
    issuer: str,
    subject: str,
    username: str,
    name: str,
    role: Role,
    department: str | None,
    inspector: str | None,
) -> User:
    """Return the account of somebody whom the provider of identities knows, made or brought up to date.

    An account that was made here by hand is not taken over because of its user name. Raises ForbiddenError ``account-disabled``,
    ConflictError ``username-taken``, RefusedError ``account-incomplete``, UnknownError ``unknown-department``.
    """
    user = session.scalars(
        select(User).where(col(User.issuer) == issuer, col(User.subject) == subject).with_for_update()
    ).one_or_none()
    if user is None:
        by = Actor(f"provider:{issuer}", "service")
        return create_user(
            session,
            by,
            now,
            username=username,
            name=name,
            role=role,
            department=department,
            inspector=inspector,
            issuer=issuer,
            subject=subject,
        )
    if user.disabled:
        raise ForbiddenError(
            "account-disabled",
            user.username,
            {"zh": "账号已停用", "en": "the account is disabled"},
            {"zh": "请联系调度员。", "en": "Ask a dispatcher."},
        )
    told = {"name": name, "role": role, "department_id": department, "inspector": inspector}
    changed = {key: value for key, value in told.items() if getattr(user, key) != value}
    if changed:
        check_placement(session, role, department, inspector)
        if changed.keys() - {"name"}:
            _sign_out_everywhere(session, user, now)
        change(session, user, user.version, changed)
        activity.record(
            session,
            Actor(f"provider:{issuer}", "service"),
            "account-changed",
            f"user:{user.username}",
            now,
            _plain(changed),
        )
    return user


def sessions_of(session: Session, user: int, now: datetime) -> Sequence[SignIn]:
    """Return a person's sessions that are still valid, the newest first."""
    chosen = (
        select(SignIn)
        .where(col(SignIn.user_id) == user, col(SignIn.revoked_at).is_(None), col(SignIn.expires_at) > now)
        .order_by(col(SignIn.created_at).desc())
    )
    return session.scalars(chosen).all()


def sign_out(session: Session, actor: Actor, now: datetime, name: str) -> None:
    """End the actor's session whose token hash begins with ``name``. Raises UnknownError ``unknown-session``."""
    assert actor.user is not None
    for row in sessions_of(session, actor.user, now):
        if row.token_hash.startswith(name):
            row.revoked_at = now
            session.add(row)
            activity.record(session, actor, "signed-out", actor.name, now)
            return
    raise unknown("unknown-session", name, "没有这个会话", "there is no such session")


def _sign_out_everywhere(session: Session, user: User, now: datetime) -> None:
    session.execute(
        update(SignIn)
        .where(col(SignIn.user_id) == user.id, col(SignIn.revoked_at).is_(None))
        .values(revoked_at=now)
    )
