"""What follows a violation: to whom it was referred, under which case number, when the enterprise is inspected again.

The feedback for the credit system (分级分类结果反馈) is made from it: the violations that were published, each once, with what followed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from dualrandom.page.words import finding_words
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.database import change as change_row
from dualrandom.store.database import locked
from dualrandom.store.errors import ConflictError, unknown
from dualrandom.store.findings import ABNORMAL, VIOLATIONS, FindingView, finding_of, own_checks
from dualrandom.store.messages import tell
from dualrandom.store.tables import Check, Finding, Referral, Visit

STATES: Final = ("open", "case", "closed")


def refer(
    session: Session,
    finding: int,
    *,
    to_department: str,
    case_number: str | None,
    reinspect_on: date | None,
    actor: Actor,
    now: datetime,
) -> Referral:
    """Refer a published violation. Raises UnknownError, ConflictError ``not-a-violation``, ``already-referred``, ``case-number-taken``."""
    locked(session, Finding, finding)
    view = finding_of(session, actor, finding)
    row = view.finding
    if row.code not in VIOLATIONS or row.published_at is None or not view.newest:
        raise ConflictError(
            "not-a-violation",
            row.code,
            {"zh": "只有已公布的违法问题可以移送", "en": "only a published violation can be referred"},
            {
                "zh": "先公布检查结果；未发现问题的不移送。",
                "en": "Publish the finding first; nothing found is not referred.",
            },
        )
    if (
        session.scalars(select(col(Referral.id)).where(col(Referral.finding_id) == finding)).first()
        is not None
    ):
        raise ConflictError(
            "already-referred",
            str(finding),
            {"zh": "已经移送", "en": "it was referred already"},
            {"zh": "修改已有的移送。", "en": "Change the referral that is there."},
        )
    _require_free(session, case_number, None)
    referral = Referral(
        finding_id=finding,
        to_department=to_department,
        case_number=case_number,
        reinspect_on=reinspect_on,
        at=now,
        by=actor.name,
    )
    session.add(referral)
    try:
        session.flush()
    except IntegrityError as error:
        raise _taken(case_number or "") from error
    _note(session, "refer", referral, view, actor, now)
    return referral


def change_referral(
    session: Session, number: int, version: int, values: Mapping[str, Any], *, actor: Actor, now: datetime
) -> Referral:
    """Change case number, date of the re-inspection, addressee or state. Raises UnknownError, StaleError, ConflictError."""
    # two who give the same case number at once
    locked(session, Referral, number)
    referral, view = referral_of(session, actor, number)
    if "case_number" in values:
        _require_free(session, values["case_number"], number)
    change_row(session, referral, version, values)
    _note(session, "change-referral", referral, view, actor, now)
    return referral


def referral_of(session: Session, actor: Actor, number: int) -> tuple[Referral, FindingView]:
    """Return a referral with its finding. Raises UnknownError ``unknown-referral``."""
    referral = session.get(Referral, number)
    visible = referral is not None and _visible(session, actor, referral)
    if referral is None or not visible:
        raise unknown("unknown-referral", str(number), "没有这项移送", "there is no such referral")
    return referral, finding_of(session, _reader(actor, referral), referral.finding_id)


def list_referrals(
    session: Session, actor: Actor, *, state: str | None = None, after: int = 0, limit: int = 100
) -> list[tuple[Referral, Check, Visit]]:
    """Return referrals of the own checks and those addressed to the own department, at most ``limit`` after number ``after``."""
    query = (
        select(Referral, Check, Visit)
        .join(Finding, col(Referral.finding_id) == Finding.id)
        .join(Check, col(Finding.check_id) == Check.id)
        .join(Visit, col(Check.visit_id) == Visit.id)
        .where(col(Referral.id) > after)
        .order_by(col(Referral.id))
        .limit(limit)
    )
    own = own_checks(actor)
    if own:
        query = query.where(own[0] | (col(Referral.to_department) == actor.department))
    if state is not None:
        query = query.where(col(Referral.state) == state)
    return [(referral, check, visit) for referral, check, visit in session.execute(query)]


def reinspections(session: Session, actor: Actor) -> list[tuple[Referral, Check, Visit]]:
    """Return the referrals that have a date for a re-inspection and are not closed, for calendars."""
    found = list_referrals(session, actor, limit=5000)
    return [each for each in found if each[0].reinspect_on is not None and each[0].state != "closed"]


FEEDBACK: Final = (
    ("enterprise", "统一社会信用代码"),
    ("name", "名称"),
    ("draw", "抽查批次"),
    ("department", "部门"),
    ("task", "任务"),
    ("item", "抽查事项"),
    ("date", "检查日期"),
    ("code", "结果代码"),
    ("meaning", "检查结果"),
    ("method", "检查方式"),
    ("disputed", "有异议"),
    ("referred_to", "移送部门"),
    ("case_number", "案号"),
    ("reinspect_on", "复查日期"),
)
"""Columns of the feedback for the credit system, with their Chinese headings."""


def feedback(session: Session, actor: Actor, draw: str | None) -> Iterator[tuple[Any, ...]]:
    """Yield a row of :data:`FEEDBACK` for each published violation, and for each enterprise that could not be reached."""
    other = aliased(Finding)
    last = (
        select(func.max(col(other.version)))
        .where(
            col(other.check_id) == col(Finding.check_id),
            col(other.item) == col(Finding.item),
            col(other.published_at).is_not(None),
        )
        .scalar_subquery()
    )
    query = (
        select(Finding, Check, Visit, Referral)
        .join(Check, col(Finding.check_id) == Check.id)
        .join(Visit, col(Check.visit_id) == Visit.id)
        .outerjoin(Referral, col(Referral.finding_id) == Finding.id)
        .where(
            col(Finding.version) == last, col(Finding.code).in_([*VIOLATIONS, ABNORMAL]), *own_checks(actor)
        )
        .order_by(col(Finding.id))
    )
    if draw is not None:
        query = query.where(col(Visit.draw_id) == draw)
    for finding, check, visit, referral in session.execute(query.execution_options(yield_per=2000)):
        yield (
            visit.enterprise,
            visit.name,
            visit.draw_id,
            check.department_id,
            check.task,
            finding.item,
            finding.found_on,
            finding.code,
            finding_words(finding.code).zh,
            finding.method,
            "是" if finding.disputed_at is not None else "",
            "" if referral is None else referral.to_department,
            "" if referral is None else referral.case_number or "",
            None if referral is None else referral.reinspect_on,
        )


def _visible(session: Session, actor: Actor, referral: Referral) -> bool:
    if actor.department is not None and referral.to_department == actor.department:
        return True
    query = (
        select(col(Finding.id))
        .join(Check, col(Finding.check_id) == Check.id)
        .where(col(Finding.id) == referral.finding_id, *own_checks(actor))
    )
    return session.scalars(query).first() is not None


def _reader(actor: Actor, referral: Referral) -> Actor:
    """Whoever is addressed reads the finding that was referred, though it is another department's."""
    if actor.department is not None and actor.department == referral.to_department:
        return Actor(actor.name, "service")
    return actor


def _note(
    session: Session, action: str, referral: Referral, view: FindingView, actor: Actor, now: datetime
) -> None:
    day = None if referral.reinspect_on is None else referral.reinspect_on.isoformat()
    detail = {
        "case_number": referral.case_number,
        "reinspect_on": day,
        "state": referral.state,
        "to": referral.to_department,
    }
    activity.record(session, actor, action, f"finding:{referral.finding_id}", now, detail)
    visit, words = view.visit, finding_words(view.finding.code)
    for audience in sorted(
        {f"department:{referral.to_department}", f"department:{view.check.department_id}"}
    ):
        tell(
            session,
            "referral",
            audience,
            f"referral:{referral.id}",
            (
                f"{visit.enterprise}：{words.zh}。移送 {referral.to_department}，案号 {referral.case_number or '—'}，复查 {day or '—'}。",
                f"{visit.enterprise}: {words.en}. Referred to {referral.to_department}, {referral.case_number or '-'}, {day or '-'}.",
            ),
            now=now,
        )


def _require_free(session: Session, case_number: str | None, referral: int | None) -> None:
    if case_number is None:
        return
    taken = session.scalars(select(col(Referral.id)).where(col(Referral.case_number) == case_number)).first()
    if taken is not None and taken != referral:
        raise _taken(case_number)


def _taken(case_number: str) -> ConflictError:
    return ConflictError(
        "case-number-taken",
        case_number,
        {"zh": "案号已用于另一项移送", "en": "this case number belongs to another referral"},
        {"zh": "核对案号。", "en": "Check the case number."},
    )
