"""Mails: what is said in them, and handing them to the mail server (RFC 5321, over TLS).

A mail leaves the office's control, so it holds no more than it must: what a message says of enterprises and people is read after
signing in, and the mail only tells that there is something to read.
"""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final

from dualrandom.store.receiptcodes import MAIL as RECEIPT_CODE
from dualrandom.store.tables import Delivery, Outbox
from dualrandom_api.service.parts import Service
from dualrandom_api.service.sealing import Sealer
from dualrandom_api.service.settings import MailSettings

PURPOSE: Final = "mailed-secret"
PLAIN: Final = frozenset(
    {
        "announced",
        "approval-asked",
        "closed",
        "invitation",
        "join",
        "join-left-out",
        "join-reminder",
        RECEIPT_CODE,
    }
)
"""Kinds of messages that name plans, draws, departments and days only, so that their text may stand in a mail."""
PERMANENT: Final = 500
"""Replies from here on mean that trying again is of no use (RFC 5321 §4.2.1)."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a mail: no ``problem``, or why it was not taken; ``for_good``: it will not be taken later either."""

    delivery: int
    problem: str = ""
    for_good: bool = False


def sealer(service: Service) -> Sealer:
    """Return what seals the codes in mails that wait."""
    return Sealer(service.secret, PURPOSE)


def letter(service: Service, settings: MailSettings, delivery: Delivery, message: Outbox) -> EmailMessage:
    """Return a mail in both languages; its Message-ID is the same at each try."""
    secret = ""
    if delivery.secret is not None:
        opened = sealer(service).open(delivery.secret)
        secret = "" if opened is None else f"\n    {opened.decode()}\n"
    zh, en = message.body_zh, message.body_en
    if message.kind not in PLAIN:
        zh = f"有一条关于 {message.subject} 的消息，请登录后查看。"
        en = f"There is a message about {message.subject}. Please sign in to read it."
    made = EmailMessage(policy=SMTP.clone(cte_type="7bit"))
    made["From"] = settings.sender
    made["To"] = delivery.address
    made["Subject"] = f"双随机 dualrandom: {message.subject}"
    made["Date"] = format_datetime(message.at)
    made["Message-ID"] = delivery.message_id
    made["Auto-Submitted"] = "auto-generated"
    where = service.settings.base_url
    made.set_content(
        f"{zh}\n{secret}\n{where}\n此邮件由系统发出，请勿回复。\n\n"
        f"{en}\n{secret}\n{where}\nThis mail was sent by the service; please do not answer it.\n",
        cte="base64",
    )
    return made


def hand_over(
    service: Service, settings: MailSettings, mails: Sequence[tuple[Delivery, Outbox]]
) -> Iterator[Outcome]:
    """Hand mails to the mail server one after another, and yield what became of each at once.

    If the server cannot be reached or turns us away, that is what became of all that are left.
    """
    server: smtplib.SMTP | None = None
    unreachable = ""
    try:
        for delivery, message in mails:
            number = delivery.id or 0
            if unreachable:
                yield Outcome(number, unreachable)
                continue
            try:
                if server is None:
                    server = _connected(settings)
                server.send_message(letter(service, settings, delivery, message))
            except smtplib.SMTPRecipientsRefused as refused:
                status = next(iter(refused.recipients.values()))[0]
                yield Outcome(number, f"{status} recipient", status >= PERMANENT)
            except smtplib.SMTPDataError as refused:
                yield Outcome(number, f"{refused.smtp_code} data", refused.smtp_code >= PERMANENT)
            except (smtplib.SMTPException, OSError) as error:
                # the connection, the certificate, the password or the sender: it would be the same for the others
                unreachable = _said(error)
                yield Outcome(number, unreachable)
            else:
                yield Outcome(number)
    finally:
        if server is not None:
            with suppress(smtplib.SMTPException, OSError):
                server.quit()


def _connected(settings: MailSettings) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if settings.ca_file is not None:
        context.load_verify_locations(settings.ca_file)
    server: smtplib.SMTP
    if settings.security == "tls":
        server = smtplib.SMTP_SSL(
            settings.host, settings.port, timeout=settings.timeout_seconds, context=context
        )
    else:
        server = smtplib.SMTP(settings.host, settings.port, timeout=settings.timeout_seconds)
    try:
        if settings.security == "starttls":
            # a server that offers no TLS is refused here: nothing is said in the open
            server.starttls(context=context)
        if settings.username is not None and settings.password is not None:
            server.login(settings.username, settings.password.get_secret_value())
    except BaseException:
        server.close()
        raise
    return server


def _said(error: Exception) -> str:
    """Name an error without what the server said, which may repeat an address."""
    code = getattr(error, "smtp_code", None)
    name = type(error).__name__
    return name if not isinstance(code, int) else f"{code} {name}"
