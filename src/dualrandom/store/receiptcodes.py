"""One-time codes (回执验证码): the office or a department mails one to an enterprise, and with it the enterprise gets its receipt.

A code is 16 characters of 5 bits; letters that look like digits are left out, and read as the digits.
"""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.errors import ForbiddenError, RefusedError, unknown
from dualrandom.store.messages import tell
from dualrandom.store.tables import DrawRow, LibraryRow, Office, ReceiptCode

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
LENGTH: Final = 16
LASTS: Final = timedelta(days=60)
MAIL: Final = "receipt-code"
"""Kind of the message that carries a code to an enterprise."""
PUBLIC: Final = Actor("public", "public")
MANY: Final = 50
"""Codes by one person or key within a day of which auditors are told: with its receipt a code gives away an enterprise's class."""


def issue(
    session: Session, actor: Actor, now: datetime, draw: str, enterprise: str
) -> tuple[str, ReceiptCode]:
    """Make a code for an enterprise that was in the library when the draw was announced; earlier ones of the draw end.

    The code is returned this once, in groups of four. Raises UnknownError ``unknown-draw``, RefusedError ``not-in-library``.
    """
    row = session.get(DrawRow, draw)
    if row is None:
        raise unknown("unknown-draw", draw, "没有这个抽取", "there is no such draw")
    revision = row.revisions.get("enterprises")
    known = None
    if revision is not None:
        known = session.scalars(
            select(col(LibraryRow.id)).where(
                col(LibraryRow.kind) == "enterprises",
                col(LibraryRow.key) == enterprise,
                col(LibraryRow.first) <= revision,
                col(LibraryRow.last).is_(None) | (col(LibraryRow.last) >= revision),
            )
        ).first()
    if known is None:
        raise RefusedError(
            "not-in-library",
            enterprise,
            {
                "zh": "抽取所用的名录中没有这个检查对象",
                "en": "the library that was drawn from does not have this enterprise",
            },
            {"zh": "核对统一社会信用代码。", "en": "Check the enterprise's id."},
        )
    session.execute(
        update(ReceiptCode)
        .where(
            col(ReceiptCode.draw_id) == draw,
            col(ReceiptCode.enterprise) == enterprise,
            col(ReceiptCode.used_at).is_(None),
            col(ReceiptCode.revoked_at).is_(None),
        )
        .values(revoked_at=now)
    )
    code = "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))
    kept = ReceiptCode(
        draw_id=draw,
        enterprise=enterprise,
        code_hash=_digest(enterprise, code),
        issued_by=actor.name,
        issued_at=now,
        expires_at=now + LASTS,
    )
    session.add(kept)
    session.flush()
    activity.record(session, actor, "receipt-code-issued", draw, now, {"enterprise": enterprise})
    _tell_of_many(session, actor, now, draw)
    return "-".join(code[start : start + 4] for start in range(0, LENGTH, 4)), kept


def _tell_of_many(session: Session, actor: Actor, now: datetime, draw: str) -> None:
    issued = select(func.count()).where(
        col(ReceiptCode.issued_by) == actor.name, col(ReceiptCode.issued_at) > now - timedelta(days=1)
    )
    if session.scalars(issued).one() < MANY:
        return
    day = f"{now:%Y-%m-%d}"
    tell(
        session,
        "alarm",
        "role:auditor",
        draw,
        (
            f"{actor.name} 一天内签发了 {MANY} 个以上回执代码。回执含有企业的信用分类，请查看操作日志。",
            f"{actor.name} issued {MANY} receipt codes or more within a day. Receipts show credit classes: look at the activity log.",
        ),
        now=now,
        once=f"receipt-codes:{actor.name}:{day}",
    )


def words(session: Session, row: ReceiptCode) -> tuple[str, str]:
    """Return what is written to the enterprise above its code."""
    office = session.get_one(Office, 1)
    until = f"{row.expires_at.astimezone(ZoneInfo(office.timezone)):%Y-%m-%d}"
    zh = (
        f"{office.name}：凭以下一次性代码和统一社会信用代码，可在 {until} 前领取抽取 {row.draw_id} 的回执，"
        "自行核对本单位所受的对待。请勿转给他人。"
    )
    en = (
        f"{office.name_en}: with this one-time code and your enterprise's id you can get your receipt of draw {row.draw_id} "
        f"until {until}, and check your own treatment with it. Do not pass it on."
    )
    return zh, en


def check(session: Session, now: datetime, enterprise: str, code: str) -> ReceiptCode:
    """Return the code's row if it is good. Raises ForbiddenError ``receipt-code-wrong``."""
    plain = code.upper().replace("-", "").replace(" ", "").translate(str.maketrans("OIL", "011"))
    row = session.scalars(
        select(ReceiptCode).where(col(ReceiptCode.code_hash) == _digest(enterprise, plain)).with_for_update()
    ).one_or_none()
    if row is None or row.used_at is not None or row.revoked_at is not None or row.expires_at <= now:
        raise ForbiddenError(
            "receipt-code-wrong",
            "",
            {"zh": "代码不符，或已使用、过期", "en": "the code is wrong, used or expired"},
            {
                "zh": "核对代码，或请主管部门重新寄发。",
                "en": "Check it, or ask the department for a new one.",
            },
        )
    return row


def use(session: Session, now: datetime, row: ReceiptCode) -> None:
    """Note that a code was used, with the receipt that is given for it."""
    row.used_at = now
    session.add(row)
    activity.record(session, PUBLIC, "receipt-given", row.draw_id, now, {"enterprise": row.enterprise})


def _digest(enterprise: str, code: str) -> str:
    return hashlib.sha256(f"{enterprise}\0{code}".encode()).hexdigest()
