"""What the checks found: entered in versions, disputed, corrected, and their words removed by order.

The newest version of an item that has not been published yet is a draft: entering it again replaces it. What has been published is
corrected by a further version with a reason. The words of a finding and its attachments are kept apart from the record;
``findings.json``, and so the log, has a salted hash of the whole (docs/protocol.md §10), and the activity log too. A removal
breaks no proof: words and salt go, the hash stays.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from dualrandom.canonical import canonical
from dualrandom.errors import InputError, Problem
from dualrandom.hashing import hash_hex, suite_digest
from dualrandom.page.words import FINDING_CODES, METHODS
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.amendments import audiences
from dualrandom.store.attachments import forget, missing
from dualrandom.store.database import locked
from dualrandom.store.errors import ConflictError, RefusedError, UnknownError, unknown
from dualrandom.store.messages import tell
from dualrandom.store.tables import Check, CrewSeat, DrawRow, Finding, FindingText, Office, Role, Visit
from dualrandom.store.visit_lists import SEES_ALL, chunks, today, visit_of

VIOLATIONS: Final = frozenset("23458ABCDE")
"""Codes after which something is referred or followed up (docs/protocol.md §10)."""
ABNORMAL: Final = "6"
"""Cannot be reached at the registered address: a matter for the list of abnormal operation (经营异常名录)."""
TEXT_LENGTH: Final = 20_000
REASON_LENGTH: Final = 400

_FAULTS: Final[Mapping[str, tuple[str, str, str, str]]] = {
    "finding-task": ("该次检查没有此任务，或不由您负责", "the visit has no such task, or it is not yours",
                     "更正任务。", "Correct the task."),
    "finding-item": ("该任务没有此事项", "the task has no such item", "未抽中的事项不得检查。", "What was not drawn cannot be checked."),
    "finding-code": ("没有这个检查结果代码", "no such code of a finding",
                     "可用的代码见 /v1/finding-codes。", "The codes are at /v1/finding-codes."),
    "finding-method": ("没有这个检查方式", "no such method",
                       "可用的方式见 /v1/finding-codes。", "The methods are at /v1/finding-codes."),
    "finding-early": ("早于抽取确定的日期", "is before the day that was drawn",
                      "检查不得早于公布的日期。", "A visit does not take place before its published day."),
    "finding-in-future": ("日期在将来", "lies in the future", "检查之后再登记。", "Enter it after the check."),
    "finding-undated": ("此次检查未排期或没有检查组", "the visit has no date, or its crew is not filled",
                        "没有进行的检查没有结果。", "A check that was not made has no finding."),
    "finding-differs": ("已公布的结果不同", "differs from the published finding",
                        "更正须写明 reason。", "Give a reason to correct it."),
    "finding-twice": ("同一检查出现两次", "is the same check twice", "只保留一行。", "Keep one of them."),
    "finding-attachment": ("没有上传过这个附件", "no such attachment was uploaded",
                           "先上传到 /v1/attachments。", "Upload it to /v1/attachments first."),
    "finding-text": ("文字过长", "the text is too long", "写短一些，其余作为附件。", "Shorten it; attach the rest."),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Entry:
    """What somebody enters for one item of one check. ``reason``: why it differs from what is published."""

    task: str
    item: str
    code: str
    method: str
    found_on: date
    text: str = ""
    attachments: tuple[str, ...] = ()
    reason: str = ""


def enter(
    session: Session, visit: int, entries: Sequence[Entry], *, actor: Actor, now: datetime
) -> list[Finding]:
    """Keep findings of one visit; nothing is published yet. Those that say what is known already add no version.

    Raises UnknownError, ConflictError ``visit-cancelled``, InputError with every fault of every entry.
    """
    # two who enter the same item at once would both write its next version
    locked(session, Visit, visit)
    view = visit_of(session, actor, visit)
    if view.visit.state == "cancelled":
        raise ConflictError(
            "visit-cancelled",
            str(visit),
            {"zh": "该检查对象已被排除", "en": "the enterprise was excluded"},
            {"zh": "结果登记在递补的检查对象上。", "en": "Findings belong to its substitute."},
        )
    checks = {one.check.task: one.check for one in view.checks}
    latest = latest_of(session, [check.id for check in checks.values() if check.id is not None])
    faults: list[Problem] = []
    accepted: list[tuple[Check, Entry]] = []
    seen: set[tuple[str, str]] = set()
    day = today(session, now)
    for number, entry in enumerate(entries):
        check = checks.get(entry.task)
        before = len(faults)
        for name, code in _wrong(session, view.visit, check, entry, latest, day, actor):
            faults.append(fault(code, number, name, getattr(entry, name)))
        if (entry.task, entry.item) in seen:
            faults.append(fault("finding-twice", number, "item", entry.item))
        seen.add((entry.task, entry.item))
        if check is not None and len(faults) == before:
            accepted.append((check, entry))
    if faults:
        raise InputError(faults)
    added = [
        row
        for check, entry in accepted
        if (row := _version(session, view.visit, check, entry, latest, actor, now)) is not None
    ]
    if added:
        detail = {
            "findings": [{"digest": row.digest, "item": row.item, "version": row.version} for row in added]
        }
        activity.record(session, actor, "findings", f"visit:{visit}", now, detail)
    return added


def fault(code: str, number: int, name: str, value: object) -> Problem:
    """Return the problem ``code`` with entry ``number`` (from 0), field ``name``."""
    zh, en, remedy_zh, remedy_en = _FAULTS[code]
    return Problem(
        code=code,
        file="",
        sheet=None,
        row=number + 1,
        column=name,
        value=str(value)[:80],
        message_zh=zh,
        message_en=en,
        remedy_zh=remedy_zh,
        remedy_en=remedy_en,
    )


def _wrong(
    session: Session,
    visit: Visit,
    check: Check | None,
    entry: Entry,
    latest: Mapping[tuple[int, str], Finding],
    day: date,
    actor: Actor,
) -> list[tuple[str, str]]:
    """Return field and code of everything that is wrong with one entry."""
    wrong: list[tuple[str, str]] = []
    if entry.code not in FINDING_CODES:
        wrong.append(("code", "finding-code"))
    if entry.method not in METHODS:
        wrong.append(("method", "finding-method"))
    if len(entry.text) > TEXT_LENGTH:
        wrong.append(("text", "finding-text"))
    if entry.found_on > day:
        wrong.append(("found_on", "finding-in-future"))
    if entry.attachments and missing(session, list(entry.attachments), actor=actor):
        wrong.append(("attachments", "finding-attachment"))
    if check is None:
        return [*wrong, ("task", "finding-task")]
    if entry.item not in check.items:
        wrong.append(("item", "finding-item"))
    if visit.date is None or check.unfilled:
        wrong.append(("task", "finding-undated"))
    elif entry.found_on < visit.date:
        wrong.append(("found_on", "finding-early"))
    known = latest.get((check.id or 0, entry.item))
    differs = known is not None and not _same(session, known, entry)
    if differs and known is not None and known.published_at is not None and not entry.reason.strip():
        wrong.append(("reason", "finding-differs"))
    return wrong


def _same(session: Session, known: Finding, entry: Entry) -> bool:
    if (known.code, known.method, known.found_on) != (entry.code, entry.method, entry.found_on):
        return False
    return text_of_version(session, known) == clean_text(entry.text) and known.attachments == sorted(
        entry.attachments
    )


def _version(
    session: Session,
    visit: Visit,
    check: Check,
    entry: Entry,
    latest: dict[tuple[int, str], Finding],
    actor: Actor,
    now: datetime,
) -> Finding | None:
    assert check.id is not None
    known = latest.get((check.id, entry.item))
    if known is not None and _same(session, known, entry):
        return None
    words = None
    if entry.text.strip():
        words = FindingText(text=clean_text(entry.text))
        session.add(words)
        session.flush()
    row = Finding(
        check_id=check.id,
        item=entry.item,
        version=1 if known is None else known.version + 1,
        code=entry.code,
        method=entry.method,
        found_on=entry.found_on,
        attachments=sorted(entry.attachments),
        salt=secrets.token_hex(32),
        digest="",
        text_id=None if words is None else words.id,
        reason=reason_of(entry.reason) if entry.reason.strip() else "",
        at=now,
        by=actor.name,
    )
    hidden = hidden_object(row, visit, check.task, "" if words is None else words.text)
    row.digest = sealed_digest(row.salt, hidden, session.get_one(DrawRow, visit.draw_id).suite)
    session.add(row)
    session.flush()
    latest[check.id, entry.item] = row
    return row


def hidden_object(row: Finding, visit: Visit, task: str, text: str) -> dict[str, Any]:
    """Return the hidden object of a finding (docs/protocol.md §10)."""
    return {
        "attachments": row.attachments,
        "code": row.code,
        "date": row.found_on.isoformat(),
        "enterprise": visit.enterprise,
        "item": row.item,
        "method": row.method,
        "part": visit.part,
        "task": task,
        "text": text,
        "version": row.version,
    }


def sealed_digest(salt: str, hidden: Mapping[str, Any], suite: str) -> str:
    """Return the salted hash of a hidden object, formed as of a sealed row (docs/protocol.md §2)."""
    content = b"dualrandom/v1/sealed\n" + salt.encode() + b"\n" + canonical(hidden)
    return hash_hex(content, suite_digest(suite))


def sealed_of(row: Finding) -> str | None:
    """Return what ``findings.json`` has as ``sealed`` once a version is published; None if nothing is kept besides its row."""
    return row.digest if row.text_id is not None or row.attachments else None


def latest_of(session: Session, checks: Sequence[int]) -> dict[tuple[int, str], Finding]:
    """Return the newest version of every item of these checks."""
    latest: dict[tuple[int, str], Finding] = {}
    for part in chunks(checks):
        rows = select(Finding).where(col(Finding.check_id).in_(part)).order_by(col(Finding.version))
        for row in session.scalars(rows):
            latest[row.check_id, row.item] = row
    return latest


@dataclass(frozen=True, slots=True)
class FindingView:
    """A version of a finding, where it belongs, and whether it is the newest."""

    finding: Finding
    check: Check
    visit: Visit
    newest: bool


def list_findings(
    session: Session,
    actor: Actor,
    *,
    draw: str | None = None,
    visit: int | None = None,
    published: bool | None = None,
    code: str | None = None,
    disputed: bool = False,
    after: int = 0,
    limit: int = 100,
) -> tuple[list[FindingView], int | None]:
    """Return versions of findings in the order in which they were entered, and where the next page begins."""
    other = aliased(Finding)
    last = (
        select(func.max(col(other.version)))
        .where(col(other.check_id) == col(Finding.check_id), col(other.item) == col(Finding.item))
        .scalar_subquery()
    )
    query = (
        select(Finding, Check, Visit, last)
        .join(Check, col(Finding.check_id) == Check.id)
        .join(Visit, col(Check.visit_id) == Visit.id)
        .where(col(Finding.id) > after, *own_checks(actor))
        .order_by(col(Finding.id))
        .limit(limit + 1)
    )
    if draw is not None:
        query = query.where(col(Visit.draw_id) == draw)
    if visit is not None:
        query = query.where(col(Visit.id) == visit)
    if code is not None:
        query = query.where(col(Finding.code) == code)
    if disputed:
        query = query.where(col(Finding.disputed_at).is_not(None))
    if published is not None:
        column = col(Finding.published_at)
        query = query.where(column.is_not(None) if published else column.is_(None))
    rows = [
        FindingView(finding, check, place, finding.version == version)
        for finding, check, place, version in session.execute(query)
    ]
    more = len(rows) > limit
    return rows[:limit], rows[limit - 1].finding.id if more else None


def finding_of(session: Session, actor: Actor, number: int) -> FindingView:
    """Return one version of a finding. Raises UnknownError ``unknown-finding``."""
    query = (
        select(Finding, Check, Visit)
        .join(Check, col(Finding.check_id) == Check.id)
        .join(Visit, col(Check.visit_id) == Visit.id)
        .where(col(Finding.id) == number, *own_checks(actor))
    )
    found = session.execute(query).one_or_none()
    if found is None:
        raise unknown("unknown-finding", str(number), "没有这条检查结果", "there is no such finding")
    row, check, visit = found
    newest = latest_of(session, [row.check_id])[row.check_id, row.item]
    return FindingView(row, check, visit, newest.id == row.id)


def own_checks(actor: Actor) -> list[ColumnElement[bool]]:
    """Return the conditions under which ``actor`` sees the findings of a check."""
    if actor.role in SEES_ALL:
        return []
    if actor.role == Role.DEPARTMENT:
        return [col(Check.department_id) == actor.department]
    seated = select(col(CrewSeat.check_id)).where(col(CrewSeat.inspector) == actor.inspector)
    return [col(Check.id).in_(seated)]


def text_of_version(session: Session, finding: Finding) -> str:
    """Return the words of a version, empty if there are none or they were removed."""
    words = None if finding.text_id is None else session.get(FindingText, finding.text_id)
    return "" if words is None else words.text


def text_of(session: Session, actor: Actor, number: int) -> str:
    """Return the words of a finding. Raises UnknownError ``finding-text-removed`` with the order that removed them."""
    return _words(session, finding_of(session, actor, number).finding)


@dataclass(frozen=True, slots=True)
class Sealed:
    """Everything that is needed to recompute the salted hash of a finding (docs/protocol.md §10)."""

    salt: str
    hidden: Mapping[str, Any]
    suite: str
    digest: str
    published: str | None
    """As it is, or will be, in ``findings.json``; None: nothing is kept besides the row, so the row has none."""


def opened(session: Session, actor: Actor, number: int) -> Sealed:
    """Return a finding with its words and its salt. Raises UnknownError ``unknown-finding``, ``finding-text-removed``."""
    view = finding_of(session, actor, number)
    row = view.finding
    hidden = hidden_object(row, view.visit, view.check.task, _words(session, row))
    suite = session.get_one(DrawRow, view.visit.draw_id).suite
    return Sealed(row.salt, hidden, suite, row.digest, sealed_of(row))


def _words(session: Session, row: Finding) -> str:
    words = None if row.text_id is None else session.get(FindingText, row.text_id)
    if words is not None and words.removed_at is not None:
        raise UnknownError(
            "finding-text-removed",
            words.removal,
            {
                "zh": f"文字已按决定移除：{words.removal}",
                "en": f"the text was removed by order: {words.removal}",
            },
            {"zh": "散列仍在，证明不受影响。", "en": "Its hash remains; no proof is affected."},
        )
    return "" if words is None else words.text


def dispute(session: Session, number: int, reason: str, *, actor: Actor, now: datetime) -> FindingView:
    """Mark a published finding as disputed by the enterprise, until it is corrected or upheld by a further version."""
    locked(session, Office, 1)  # its words must not outlive a removal of the same moment
    view = finding_of(session, actor, number)
    row = view.finding
    if row.published_at is None or not view.newest:
        raise ConflictError(
            "finding-not-current",
            str(number),
            {
                "zh": "只有已公布的最新版本可以提出异议",
                "en": "only the newest published version can be disputed",
            },
            {"zh": "对最新版本提出异议。", "en": "Dispute the newest version."},
        )
    row.disputed_at, row.dispute = now, reason_of(reason)
    session.add(row)
    activity.record(session, actor, "dispute", f"finding:{number}", now, {"reason": row.dispute})
    place = f"{view.visit.enterprise} {view.check.task} {row.item}"
    for audience in sorted(audiences([view.check])):
        tell(
            session,
            "dispute",
            audience,
            f"finding:{number}",
            (f"检查结果有异议：{place}。{row.dispute}", f"A finding is disputed: {place}. {row.dispute}"),
            now=now,
        )
    return view


def remove_text(session: Session, number: int, order: str, *, actor: Actor, now: datetime) -> FindingView:
    """Remove words, salt and attachments of a finding by an order (which is named); code, date and hash stay.

    Where there is nothing to remove nothing changes.
    """
    locked(session, Office, 1)
    view = finding_of(session, actor, number)
    row = view.finding
    if sealed_of(row) is None:
        return view
    words = None if row.text_id is None else session.get(FindingText, row.text_id)
    if words is None:
        words = FindingText(text="")
    words.text, words.removed_at, words.removal = "", now, reason_of(order)
    session.add(words)
    session.flush()
    row.text_id, row.salt, row.dispute = words.id, "", ""
    session.add(row)
    for sha256 in row.attachments:
        forget(session, sha256)
    detail = {"digest": row.digest, "order": words.removal}
    activity.record(session, actor, "remove-text", f"finding:{number}", now, detail)
    place = f"{view.visit.enterprise} {view.check.task} {row.item}"
    for audience in sorted(audiences([view.check])):
        tell(
            session,
            "text-removed",
            audience,
            f"finding:{number}",
            (
                f"检查结果的文字和附件已按决定移除：{place}（{words.removal}）。",
                f"Words and attachments of a finding were removed by order: {place} ({words.removal}).",
            ),
            now=now,
        )
    return view


def reason_of(text: str) -> str:
    """Return a reason as it is kept and, where it says so, published. Raises RefusedError ``reason-missing``."""
    clean = clean_text(text)
    if not clean or len(clean) > REASON_LENGTH or not clean.isprintable():
        raise RefusedError(
            "reason-missing",
            text[:80],
            {
                "zh": "须写明理由：一行，不超过 400 字",
                "en": "a reason is needed: one line of at most 400 characters",
            },
            {"zh": "用一句话写明。", "en": "State it in a sentence."},
        )
    return clean


def clean_text(text: str) -> str:
    """Return text in NFC without what nobody sees at its ends; lines stay."""
    return "\n".join(
        " ".join(line.split()) for line in unicodedata.normalize("NFC", text).strip().splitlines()
    )
