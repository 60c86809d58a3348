"""What is late, and ending a draw.

Once a day (job ``alarm``) everybody concerned is told, once for each visit and stage: findings are due soon, overdue, long overdue;
a draw has no result past its deadline; a re-inspection is near; an enterprise that could not be reached has to be entered in the list
of abnormal operation. A draw is closed (job ``close``) with statistics once every finding is published; it is never reopened, and
findings can still be corrected.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.database import locked
from dualrandom.store.days import working_days_from
from dualrandom.store.errors import ConflictError
from dualrandom.store.findings import ABNORMAL, VIOLATIONS
from dualrandom.store.messages import tell
from dualrandom.store.tables import (
    Amendment,
    Check,
    DrawRow,
    DrawState,
    Finding,
    Job,
    Office,
    Outbox,
    PlanRow,
    PlanState,
    Referral,
    Visit,
)
from dualrandom.store.visit_lists import chunks, timezone_of, today
from dualrandom.store.workspace import unknown_draw

SOON: Final = 3
"""Working days before the last day for publishing."""
LONG: Final = 10
"""Working days after it; also within how many an enterprise that cannot be reached is entered in the list."""


@dataclass(frozen=True, slots=True)
class Stage:
    """How late a visit's findings are, and who is told besides the departments."""

    name: str
    zh: str
    en: str
    audiences: tuple[str, ...]


STAGES: Final = {
    "soon": Stage("soon", "即将到期", "are due soon", ()),
    "overdue": Stage("overdue", "已逾期", "are overdue", ("role:dispatcher",)),
    "long": Stage("long", "严重逾期", "are long overdue", ("role:auditor", "role:dispatcher")),
}


def raise_alarms(session: Session, now: datetime) -> Mapping[str, int]:
    """Tell everybody concerned what is late; return how many visits and draws each stage has today."""
    day = today(session, now)
    found = _late_visits(session, day)
    _tell_late(session, found, now)
    counts = {stage: len(rows) for stage, rows in found.items()}
    counts["draws"] = _late_draws(session, now)
    counts["reinspections"] = _near_reinspections(session, day, now)
    counts["abnormal"] = _unreachable(session, day, now)
    return counts


def announced_days(session: Session) -> dict[str, date]:
    """Return draw → the day by which its findings are announced to be published."""
    zone = ZoneInfo(timezone_of(session))
    rows = session.execute(select(col(DrawRow.id), col(DrawRow.findings_by)))
    return {draw: instant.astimezone(zone).date() for draw, instant in rows}


def close(session: Session, draw: str, *, actor: Actor, now: datetime) -> Mapping[str, Any]:
    """End a draw with its statistics. Raises UnknownError, ConflictError ``not-drawn``, ``findings-missing``, ``changes-pending``."""
    # the office's row comes first everywhere, so that two writers cannot wait for each other
    locked(session, Office, 1)
    row = locked(session, DrawRow, draw)
    if row is None:
        raise unknown_draw(draw)
    if row.state is DrawState.CLOSED:
        return dict(row.summary["closing"])
    if row.state is not DrawState.DRAWN:
        raise _conflict("not-drawn", draw, "尚未抽取，或已作废", "the draw has no result, or is void")
    missing = session.scalars(
        select(func.count()).where(col(Visit.draw_id) == draw, col(Visit.state) == "planned")
    ).one()
    if missing:
        raise _conflict(
            "findings-missing",
            str(missing),
            f"还有 {missing} 次检查的结果没有公布",
            f"the findings of {missing} visits are not published yet",
        )
    pending = select(col(Job.id)).where(
        col(Job.kind) == "change", col(Job.subject) == draw, col(Job.state).in_(("queued", "running"))
    )
    if session.scalars(pending).first() is not None:
        raise _conflict(
            "changes-pending", draw, "还有未完成的更改", "a change or a substitute is still pending"
        )
    statistics = statistics_of(session, draw)
    row.state, row.ended_at = DrawState.CLOSED, now
    row.summary = {**row.summary, "closing": statistics}
    row.version += 1
    session.add(row)
    session.execute(
        update(PlanRow)
        .where(col(PlanRow.id) == row.plan_id)
        .values(state=PlanState.CLOSED, version=PlanRow.version + 1)
    )
    activity.record(session, actor, "close", draw, now, statistics)
    took_part = (
        select(col(Check.department_id))
        .join(Visit, col(Check.visit_id) == Visit.id)
        .where(col(Visit.draw_id) == draw)
        .distinct()
    )
    departments = (f"department:{department}" for department in session.scalars(took_part))
    for audience in sorted({*departments, "role:auditor", "role:dispatcher"}):
        tell(
            session,
            "closed",
            audience,
            draw,
            (
                f"抽取 {draw} 已办结：检查 {statistics['visits']['done']} 次，发现问题 {statistics['violations']} 项。",
                f"Draw {draw} is closed: {statistics['visits']['done']} visits, {statistics['violations']} violations.",
            ),
            now=now,
            once=f"closed:{draw}:{audience}",
        )
    return statistics


def statistics_of(session: Session, draw: str) -> dict[str, Any]:
    """Return counts of a draw as it stands: visits by state, published findings by code and department, changes by type."""
    by_state = _counts(
        session,
        select(col(Visit.state), func.count()).where(col(Visit.draw_id) == draw).group_by(col(Visit.state)),
    )
    newest: dict[tuple[int, str], tuple[str, bool, str, bool]] = {}
    query = (
        select(
            col(Finding.check_id),
            col(Finding.item),
            col(Finding.code),
            col(Finding.disputed_at),
            col(Finding.published_at),
            col(Check.department_id),
            col(Visit.publish_by),
        )
        .join(Check, col(Finding.check_id) == Check.id)
        .join(Visit, col(Check.visit_id) == Visit.id)
        .where(col(Visit.draw_id) == draw, col(Finding.published_at).is_not(None))
        .order_by(col(Finding.version))
    )
    corrected = 0
    zone = ZoneInfo(timezone_of(session))
    for check, item, code, disputed_at, published_at, department, publish_by in session.execute(query):
        corrected += (check, item) in newest
        is_late = publish_by is not None and published_at.astimezone(zone).date() > publish_by
        newest[check, item] = code, disputed_at is not None, department, is_late
    codes = Counter(code for code, _, _, _ in newest.values())
    departments: dict[str, Counter[str]] = defaultdict(Counter)
    for code, _, department, _ in newest.values():
        departments[department]["findings"] += 1
        departments[department]["violations"] += code in VIOLATIONS
    empty = (
        select(col(Check.visit_id), col(Check.department_id), col(Check.unfilled))
        .join(Visit, col(Check.visit_id) == Visit.id)
        .where(col(Visit.draw_id) == draw, col(Check.unfilled) != "")
        .distinct()
    )
    unfilled = Counter(reason for _, _, reason in session.execute(empty))
    amended = _counts(
        session,
        select(col(Amendment.type), func.count())
        .where(col(Amendment.draw_id) == draw)
        .group_by(col(Amendment.type)),
    )
    return {
        "changes": amended,
        "codes": dict(sorted(codes.items())),
        "corrected": corrected,
        "departments": {name: dict(sorted(own.items())) for name, own in sorted(departments.items())},
        "disputed": sum(is_disputed for _, is_disputed, _, _ in newest.values()),
        "findings": len(newest),
        "late": sum(is_late for _, _, _, is_late in newest.values()),
        "unfilled": dict(sorted(unfilled.items())),
        "violations": sum(count for code, count in codes.items() if code in VIOLATIONS),
        "visits": {
            state: by_state.get(state, 0) for state in ("cancelled", "done", "planned", "undated", "unfilled")
        },
    }


def _late_visits(session: Session, day: date) -> dict[str, list[tuple[Visit, list[str]]]]:
    """Return stage → visits with the departments that still have to publish something."""
    soonest = working_days_from(session, day, SOON)
    query = select(Visit).where(
        col(Visit.state) == "planned", col(Visit.date) <= day, col(Visit.publish_by) <= soonest
    )
    visits = {visit.id or 0: visit for visit in session.scalars(query.order_by(col(Visit.id)))}
    owed: dict[int, set[str]] = defaultdict(set)
    for part in chunks(list(visits)):
        checks = list(
            session.scalars(select(Check).where(col(Check.visit_id).in_(part), col(Check.unfilled) == ""))
        )
        published = func.count(func.distinct(Finding.item))
        made = session.execute(
            select(col(Finding.check_id), published)
            .where(
                col(Finding.check_id).in_([check.id for check in checks]),
                col(Finding.published_at).is_not(None),
            )
            .group_by(col(Finding.check_id))
        )
        counts: dict[int, int] = dict(tuple(row) for row in made)
        for check in checks:
            if counts.get(check.id or 0, 0) < len(check.items):
                owed[check.visit_id].add(check.department_id)
    found: dict[str, list[tuple[Visit, list[str]]]] = {name: [] for name in STAGES}
    limits: dict[date, date] = {}
    for number, departments in sorted(owed.items()):
        visit = visits[number]
        assert visit.publish_by is not None
        if visit.publish_by not in limits:
            limits[visit.publish_by] = working_days_from(session, visit.publish_by, LONG)
        late = "long" if day > limits[visit.publish_by] else "overdue"
        stage = late if day > visit.publish_by else "soon"
        found[stage].append((visit, sorted(departments)))
    return found


def _tell_late(session: Session, found: Mapping[str, list[tuple[Visit, list[str]]]], now: datetime) -> None:
    """Write the messages of today that were not written before: there may be thousands, so they are not looked up one by one."""
    messages: dict[str, Outbox] = {}
    for name, rows in found.items():
        stage = STAGES[name]
        for visit, departments in rows:
            named = "、".join(departments)
            for audience in (*(f"department:{each}" for each in departments), *stage.audiences):
                key = f"late:{name}:{visit.id}:{audience}"
                messages[key] = Outbox(
                    kind="alarm",
                    audience=audience,
                    subject=f"visit:{visit.id}",
                    body_zh=f"{visit.name}（{visit.enterprise}）的检查结果{stage.zh}，公布期限 {visit.publish_by}：{named}。",
                    body_en=f"The findings of {visit.enterprise} {stage.en}, to be published by {visit.publish_by}: {named}.",
                    unique_key=key,
                    at=now,
                )
    for part in chunks(list(messages)):
        known = set(session.scalars(select(col(Outbox.unique_key)).where(col(Outbox.unique_key).in_(part))))
        session.add_all(messages[key] for key in part if key not in known)
    session.flush()


def _late_draws(session: Session, now: datetime) -> int:
    late = 0
    open_draws = select(DrawRow).where(col(DrawRow.state).in_((DrawState.ANNOUNCED, DrawState.DRAWN)))
    for draw in session.scalars(open_draws):
        is_waiting = draw.state is DrawState.ANNOUNCED
        limit = draw.result_by if is_waiting else draw.findings_by
        if now <= limit:
            continue
        late += 1
        what = ("结果", "result") if is_waiting else ("检查结果", "findings")
        for audience in ("role:auditor", "role:dispatcher"):
            tell(
                session,
                "alarm",
                audience,
                draw.id,
                (
                    f"抽取 {draw.id} 已过{what[0]}期限。",
                    f"Draw {draw.id} is past the deadline of its {what[1]}.",
                ),
                now=now,
                once=f"late-{what[1]}:{draw.id}:{audience}",
            )
    return late


def _near_reinspections(session: Session, day: date, now: datetime) -> int:
    query = (
        select(Referral, Check, Visit)
        .join(Finding, col(Referral.finding_id) == Finding.id)
        .join(Check, col(Finding.check_id) == Check.id)
        .join(Visit, col(Check.visit_id) == Visit.id)
        .where(
            col(Referral.state) != "closed", col(Referral.reinspect_on) <= working_days_from(session, day, 1)
        )
    )
    rows = list(session.execute(query))
    for referral, check, visit in rows:
        for department in sorted({check.department_id, referral.to_department}):
            tell(
                session,
                "reinspection",
                f"department:{department}",
                f"referral:{referral.id}",
                (
                    f"{visit.name}（{visit.enterprise}）应于 {referral.reinspect_on} 复查。",
                    f"{visit.enterprise} is to be inspected again on {referral.reinspect_on}.",
                ),
                now=now,
                once=f"reinspection:{referral.id}:{referral.reinspect_on}:{department}",
            )
    return len(rows)


def _unreachable(session: Session, day: date, now: datetime) -> int:
    """Remind of the list of abnormal operation: within 10 working days of the verification."""
    query = (
        select(Finding, Check, Visit)
        .join(Check, col(Finding.check_id) == Check.id)
        .join(Visit, col(Check.visit_id) == Visit.id)
        .where(col(Finding.code) == ABNORMAL, col(Finding.published_at).is_not(None))
        .where(col(Finding.found_on) >= day - timedelta(days=60))
    )
    count = 0
    for finding, check, visit in session.execute(query):
        limit = working_days_from(session, finding.found_on, LONG)
        if day > limit:
            continue
        count += 1
        tell(
            session,
            "abnormal",
            f"department:{check.department_id}",
            f"finding:{finding.id}",
            (
                f"{visit.name}（{visit.enterprise}）通过登记的住所无法联系：核实后应于 {limit} 前列入经营异常名录。",
                f"{visit.enterprise} cannot be reached: once verified, enter it in the list of abnormal operation by {limit}.",
            ),
            now=now,
            once=f"abnormal:{finding.check_id}:{finding.item}",
        )
    return count


def _counts(session: Session, query: Any) -> dict[str, int]:
    return dict(sorted((name, count) for name, count in session.execute(query)))


def _conflict(code: str, value: str, zh: str, en: str) -> ConflictError:
    remedy = {"zh": "先完成，再结束抽取。", "en": "Complete it first, then close the draw."}
    return ConflictError(code, value, {"zh": zh, "en": en}, {"zh": remedy["zh"], "en": remedy["en"]})
