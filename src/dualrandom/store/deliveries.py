"""Messages on their way to mailboxes: each is addressed once, then tried until the mail server takes it or it is given up.

A mail goes out at least once: if a server dies between the mail server's answer and the note of it, the same mail is sent again
under the same Message-ID. Whatever is given up (``dead``) stays in sight of those who run the service, who may have it tried again.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import ColumnElement, func, select, update
from sqlmodel import Session, col

from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.errors import ConflictError, unknown
from dualrandom.store.messages import put, tell
from dualrandom.store.tables import Delivery, Department, Outbox, Role, User

GIVEN_UP: Final = "mail-given-up"
"""Kind of the message about a mail that could not be sent; it goes by no mail itself."""
AT_ONCE: Final = 200
YOUNG: Final = timedelta(days=2)
"""What is older when mail is switched on was read long ago, or is of no use any more."""
FIRST_DELAY: Final = timedelta(minutes=1)
LONGEST_DELAY: Final = timedelta(hours=6)


def address(session: Session, now: datetime, domain: str) -> int:
    """Note for new messages into which mailboxes they go; return how many mails that makes.

    ``domain``: what the Message-IDs end with.
    """
    chosen = (
        select(Outbox)
        .where(col(Outbox.addressed_at).is_(None))
        .order_by(col(Outbox.id))
        .limit(AT_ONCE)
        .with_for_update(skip_locked=True)
    )
    made = 0
    mailboxes: dict[str, Sequence[tuple[str, str]]] = {}
    for message in session.scalars(chosen).all():
        message.addressed_at = now
        session.add(message)
        if message.kind == GIVEN_UP or now - message.at > YOUNG:
            continue
        if message.audience not in mailboxes:
            mailboxes[message.audience] = _mailboxes(session, message.audience)
        for address_, recipient in {box: who for who, box in mailboxes[message.audience]}.items():
            session.add(_delivery(message, recipient, address_, now, domain))
            made += 1
    session.flush()
    return made


def write_to(
    session: Session,
    kind: str,
    audience: str,
    subject: str,
    body: tuple[str, str],
    *,
    mailbox: str,
    secret: str,
    domain: str,
    now: datetime,
) -> Delivery:
    """Write a message to one mailbox. ``secret`` (sealed) stands in this mail only; what waits there about the same is given up."""
    earlier = select(col(Outbox.id)).where(
        col(Outbox.kind) == kind, col(Outbox.audience) == audience, col(Outbox.subject) == subject
    )
    session.execute(
        update(Delivery)
        .where(col(Delivery.outbox_id).in_(earlier), col(Delivery.state) == "waiting")
        .values(state="dead", problem="superseded", secret=None, ended_at=now)
    )
    message = put(session, kind, audience, subject, body, now=now)
    message.addressed_at = now
    row = _delivery(message, audience, mailbox, now, domain)
    row.secret = secret
    session.add(row)
    session.flush()
    return row


def due(session: Session, now: datetime) -> Sequence[tuple[Delivery, Outbox]]:
    """Return mails that are to be tried now, those that wait longest first."""
    chosen = (
        select(Delivery, Outbox)
        .join(Outbox, col(Outbox.id) == col(Delivery.outbox_id))
        .where(col(Delivery.state) == "waiting", col(Delivery.next_at) <= now)
        .order_by(col(Delivery.next_at), col(Delivery.id))
        .limit(AT_ONCE)
    )
    return [(delivery, message) for delivery, message in session.execute(chosen)]


def sent(session: Session, delivery: int, now: datetime) -> None:
    """Note that the mail server took a mail."""
    session.execute(
        update(Delivery)
        .where(col(Delivery.id) == delivery)
        .values(state="sent", attempts=Delivery.attempts + 1, problem="", secret=None, ended_at=now)
    )


def failed(
    session: Session, delivery: int, now: datetime, problem: str, *, tries: int, for_good: bool
) -> bool:
    """Note that a try failed; return whether the mail is given up: it was refused ``for_good``, or ``tries`` were made.

    Else it is tried again after a minute, then after twice as long each time, at most six hours.
    """
    row = session.get_one(Delivery, delivery, with_for_update=True)
    row.attempts += 1
    row.problem = problem[:200]
    session.add(row)
    if not for_good and row.attempts < tries:
        row.next_at = now + min(FIRST_DELAY * 2 ** min(row.attempts - 1, 20), LONGEST_DELAY)
        return False
    row.state, row.ended_at, row.secret = "dead", now, None
    for role in (Role.DISPATCHER, Role.SUPPORT):
        tell(
            session,
            GIVEN_UP,
            f"role:{role.value}",
            f"delivery:{delivery}",
            (
                f"邮件 {delivery} 未能送达，已放弃（{row.attempts} 次，{row.problem}）。",
                f"Mail {delivery} could not be delivered and was given up ({row.attempts} tries, {row.problem}).",
            ),
            now=now,
        )
    return True


def deliveries(
    session: Session, *, state: str | None, before: int | None, limit: int
) -> Sequence[tuple[Delivery, Outbox]]:
    """Return mails with their messages, the newest first."""
    chosen = (
        select(Delivery, Outbox)
        .join(Outbox, col(Outbox.id) == col(Delivery.outbox_id))
        .order_by(col(Delivery.id).desc())
        .limit(limit)
    )
    if state is not None:
        chosen = chosen.where(col(Delivery.state) == state)
    if before is not None:
        chosen = chosen.where(col(Delivery.id) < before)
    return [(delivery, message) for delivery, message in session.execute(chosen)]


def try_again(session: Session, actor: Actor, now: datetime, delivery: int) -> tuple[Delivery, Outbox]:
    """Let a mail that was given up be tried anew. Raises UnknownError ``unknown-delivery``, ConflictError ``delivery-not-dead``."""
    row = session.get(Delivery, delivery, with_for_update=True)
    if row is None:
        raise unknown("unknown-delivery", str(delivery), "没有这封邮件", "there is no such mail")
    message = session.get_one(Outbox, row.outbox_id)
    if row.state != "dead" or message.audience.startswith("enterprise:"):
        raise ConflictError(
            "delivery-not-dead",
            row.state,
            {
                "zh": "只有已放弃、且不含代码的邮件可以重新发送",
                "en": "only a mail that was given up and held no code can be tried again",
            },
            {
                "zh": "等待，或重新签发代码。",
                "en": "Wait, or issue the code anew.",
            },
        )
    row.state, row.attempts, row.next_at, row.ended_at = "waiting", 0, now, None
    session.add(row)
    session.flush()
    activity.record(session, actor, "mail-again", f"delivery:{delivery}", now)
    return row, message


def counts(session: Session) -> Mapping[str, int]:
    """Return how many mails there are in each state."""
    rows = session.execute(select(col(Delivery.state), func.count()).group_by(col(Delivery.state)))
    found = dict.fromkeys(("waiting", "sent", "dead"), 0)
    for state, number in rows:
        found[state] = number
    return found


def _delivery(message: Outbox, recipient: str, mailbox: str, now: datetime, domain: str) -> Delivery:
    assert message.id is not None
    return Delivery(
        outbox_id=message.id,
        recipient=recipient,
        address=mailbox,
        message_id=f"<{uuid.uuid4().hex}@{domain}>",
        next_at=now,
        at=now,
    )


def _mailboxes(session: Session, audience: str) -> Sequence[tuple[str, str]]:
    """Return (who, mailbox) of an audience; a department's own mailbox stands for its people."""
    kind, _, name = audience.partition(":")
    if kind == "department":
        row = session.get(Department, name)
        if row is None or not row.active:
            return []
        if row.email is not None:
            return [(audience, row.email)]
        return _people(session, col(User.role) == Role.DEPARTMENT, col(User.department_id) == name)
    if kind == "role":
        return _people(session, col(User.role) == name)
    if kind == "inspector":
        return _people(session, col(User.role) == Role.CREW, col(User.inspector) == name)
    return []


def _people(session: Session, *conditions: ColumnElement[bool]) -> Sequence[tuple[str, str]]:
    rows = session.execute(
        select(col(User.username), col(User.email))
        .where(*conditions, ~col(User.disabled), col(User.email).is_not(None))
        .order_by(col(User.id))
    )
    return [(f"user:{username}", mailbox) for username, mailbox in rows]
