"""A department that withdraws after the announcement (docs/protocol.md §13.4).

The result stands, or will stand, as announced; from a day on the department's crews are unfilled with the reason, nobody else moves. The
withdrawal is a row of changes.jsonl, appended by a job of the kind ``change``: at once if the draw has a result, else right after the
publication; behind a substitute that is due it waits until that stands.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import exists, select
from sqlmodel import Session, col

from dualrandom.campaign import Change
from dualrandom.campaign import withdraw as append_withdrawal
from dualrandom.changes import WITHDRAWALS
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.amendments import audiences, conflict, list_amendments, no_reason, not_open
from dualrandom.store.attachments import missing
from dualrandom.store.blobs import Vault
from dualrandom.store.database import locked
from dualrandom.store.errors import ConflictError, ForbiddenError, RefusedError, unknown
from dualrandom.store.findings import reason_of
from dualrandom.store.jobs import enqueue
from dualrandom.store.messages import tell
from dualrandom.store.publishing import finish_visits
from dualrandom.store.tables import (
    Check,
    DrawRow,
    DrawState,
    Finding,
    Job,
    Join,
    JoinState,
    Office,
    Role,
    Visit,
)
from dualrandom.store.visit_lists import chunks, today
from dualrandom.store.workspace import Keeping, file_of, unknown_draw

WITHDRAW: Final = "withdraw"


@dataclass(frozen=True, slots=True)
class Withdrawal:
    """What is asked for. ``since``: the first day without the department, None: the draw's next day; ``evidence``: SHA-256 of an
    attachment; ``note``: what the reason's code does not say, kept in the activity log only."""

    department: str
    reason: str
    since: date | None = None
    evidence: str | None = None
    note: str = ""


def ask_withdrawal(
    session: Session, vault: Vault, draw: str, wanted: Withdrawal, *, actor: Actor, now: datetime
) -> Job:
    """Queue the withdrawal of a department; a department only its own. What is evident now is refused now, the rest by the job.

    Raises UnknownError, ForbiddenError ``foreign-department``, RefusedError ``change-reason``, ``reason-missing``, ``day-not-announced``,
    ConflictError ``draw-not-open``, ``not-in-the-draw``, ``already-withdrawn``, ``under-embargo``, ``withdrawal-too-early``,
    ``no-crew-left``, ``already-inspected``.
    """
    department = wanted.department
    if actor.role == Role.DEPARTMENT and actor.department != department:
        raise ForbiddenError(
            "foreign-department",
            department,
            {"zh": "只能为本部门退出", "en": "a department withdraws only for itself"},
            {"zh": "请该部门或调度员办理。", "en": "Ask that department or a dispatcher."},
        )
    if wanted.reason not in WITHDRAWALS:
        raise no_reason(wanted.reason, WITHDRAWALS)
    note = reason_of(wanted.note) if wanted.note.strip() else ""
    locked(session, Office, 1)
    row = locked(session, DrawRow, draw)
    announced = file_of(session, vault, draw, "public/announcement.json")
    if row is None or announced is None:
        raise unknown_draw(draw)
    if row.state not in {DrawState.ANNOUNCED, DrawState.DRAWN}:
        raise not_open(draw)
    announcement = json.loads(announced)
    _require_part(session, draw, department, announcement)
    _require_opened(session, vault, draw, announcement)
    if wanted.evidence is not None and missing(session, [wanted.evidence], actor=actor):
        raise unknown("unknown-attachment", wanted.evidence, "没有这个附件", "there is no such attachment")
    if wanted.since is not None:
        _require_day(announcement, wanted.since, now)
    if row.state is DrawState.DRAWN:
        since = first_day(announcement["days"], wanted.since, today(session, now), now)
        if not crews_from(session, draw, department, since):
            raise no_crew_left(department)
        require_uninspected(session, draw, department, since)
    arguments = {
        "do": WITHDRAW,
        "leaving": department,
        "reason": wanted.reason,
        "since": None if wanted.since is None else wanted.since.isoformat(),
        "evidence": wanted.evidence,
        "role": actor.role,
        "department": actor.department,
    }
    at = now if row.state is DrawState.DRAWN else max(now, row.due)
    job = enqueue(session, "change", draw, now=now, by=actor.name, arguments=arguments, run_after=at)
    _leave_plan(session, row.plan_id, department, wanted.reason)
    detail = {"department": department, "job": job.id, "note": note, "reason": wanted.reason}
    activity.record(session, actor, "ask-withdrawal", draw, now, detail)
    if row.state is DrawState.ANNOUNCED:
        _tell_early(session, row, announcement, wanted, now)
    return job


def waiting_withdrawals(session: Session, draw: str) -> list[Job]:
    """Return the withdrawals that were asked for and are not in the record yet, in order."""
    jobs = select(Job).where(
        col(Job.kind) == "change", col(Job.subject) == draw, col(Job.state).in_(("queued", "running"))
    )
    return [job for job in session.scalars(jobs.order_by(col(Job.id))) if job.arguments.get("do") == WITHDRAW]


def withdrawal_step(
    keeping: Keeping, arguments: Mapping[str, Any], now: datetime
) -> Callable[[Path], Change]:
    """Return the step of the engine that appends the row. The day that was asked for may be over by now: then it is the next one."""
    content = None
    with keeping.database.reading() as session:
        day = today(session, now)
        if arguments["evidence"] is not None:
            content = keeping.vault.get(session, arguments["evidence"])
    asked = None if arguments["since"] is None else date.fromisoformat(arguments["since"])

    def step(folder: Path) -> Change:
        announcement = json.loads((folder / "public" / "announcement.json").read_bytes())
        since = first_day(announcement["days"], asked, day, now)
        if since is None:
            raise no_crew_left(arguments["leaving"])
        path = None
        if content is not None:
            # beside the campaign: only its hash belongs to the record
            path = folder.parent / "evidence"
            path.write_bytes(content)
        return append_withdrawal(folder, arguments["leaving"], since, arguments["reason"], path, now)

    return step


def after_withdrawal(session: Session, draw: str, row: Mapping[str, Any], now: datetime) -> list[int]:
    """Bring in step what a withdrawal ends: visits of which nothing else is missing are done.

    Return the visits that were drawn for an earlier day and put off to one without the department. The record knows the drawn day only,
    so their crews stay; the department and the dispatchers are told to see to them.
    """
    department, since = row["department"], date.fromisoformat(row["from"])
    checks = crews_from(session, draw, department, since, unfilled=True)
    finish_visits(session, [check.id for check in checks if check.id is not None])
    put_off = select(Visit).where(
        col(Visit.draw_id) == draw,
        col(Visit.state) == "planned",
        col(Visit.date) < since,
        col(Visit.later) >= since,
        exists().where(
            col(Check.visit_id) == Visit.id,
            col(Check.department_id) == department,
            col(Check.unfilled) == "",
        ),
    )
    visits = session.scalars(put_off.order_by(col(Visit.id))).all()
    for visit in visits:
        zh = f"对 {visit.enterprise} 的检查（抽取日期 {visit.date}）改在 {visit.later} 进行，而部门 {department} 自 {since} 起退出；检查组没有空缺。"
        en = f"The visit to {visit.enterprise} (drawn: {visit.date}) was put off to {visit.later}; {department} withdrew from {since} on."
        body = (
            f"{zh}请改到退出之前的检查日，或更换检查人员，或排除该检查对象。",
            f"{en} Its crew stays: choose a day before that, replace the inspectors, or exclude the enterprise.",
        )
        for audience in (f"department:{department}", "role:dispatcher"):
            tell(session, WITHDRAW, audience, f"visit:{visit.id}", body, now=now)
    return [visit.id for visit in visits if visit.id is not None]


def away_since(session: Session, draw: str) -> dict[str, date]:
    """Return department → the first day without it, of those that have withdrawn or have asked to."""
    waiting = {
        job.arguments["leaving"]: job.arguments["since"] or today(session, job.created_at).isoformat()
        for job in waiting_withdrawals(session, draw)
    }
    published = {
        row.document["department"]: row.document["from"]
        for row in list_amendments(session, draw)
        if row.type == WITHDRAW
    }
    return {name: date.fromisoformat(day) for name, day in {**waiting, **published}.items()}


def first_day(days: list[str], asked: date | None, local: date, now: datetime) -> date | None:
    """Return the announced day from which a department is away, None if there is none.

    ``asked``: the first that is not before it and not over; None: the first after ``local``, today at the office.
    """
    known = sorted(map(date.fromisoformat, days))
    if asked is None:
        return next((day for day in known if day > local), None)
    earliest = max(asked, now.astimezone(UTC).date())
    return next((day for day in known if day >= earliest), None)


def crews_from(
    session: Session, draw: str, department: str, since: date | None, *, unfilled: bool = False
) -> list[Check]:
    """Return a department's checks with a crew (``unfilled``: without one) of the visits that were drawn for ``since`` or later."""
    if since is None:
        return []
    query = (
        select(Check)
        .join(Visit, col(Check.visit_id) == Visit.id)
        .where(
            col(Visit.draw_id) == draw,
            col(Visit.state) != "cancelled",
            col(Visit.date) >= since,
            col(Check.department_id) == department,
            col(Check.unfilled) != "" if unfilled else col(Check.unfilled) == "",
        )
    )
    return list(session.scalars(query))


def require_uninspected(session: Session, draw: str, department: str, since: date | None) -> None:
    """Refuse to empty crews that have entered findings. Raises ConflictError ``already-inspected``."""
    for part in chunks([c.id for c in crews_from(session, draw, department, since) if c.id is not None]):
        found = select(Visit).where(
            exists().where(
                col(Check.visit_id) == Visit.id,
                col(Check.id).in_(part),
                col(Finding.check_id) == Check.id,
            )
        )
        visit = session.scalars(found.limit(1)).first()
        if visit is not None:
            raise conflict(
                "already-inspected",
                visit.enterprise,
                (
                    f"{visit.date} 的检查已登记结果，检查组不能再空缺",
                    f"findings of {visit.date} were entered: those crews cannot become unfilled",
                ),
                ("改用更晚的退出日期。", "Withdraw from a later day."),
            )


def no_crew_left(department: str) -> ConflictError:
    """Return the refusal for a department that has no crew any more."""
    return conflict(
        "no-crew-left",
        department,
        ("该部门此后没有检查组", "the department has no crew from then on"),
        ("没有检查组的部门无须退出。", "A department without crews need not withdraw."),
    )


def withdrawal_told(change: Change) -> tuple[str, str]:
    """Return what everybody on an emptied visit is told, in Chinese and English."""
    row, reason = change.row, WITHDRAWALS[change.row["reason"]]
    crews = len(change.unfilled)
    return (
        f"部门 {row['department']} 自 {row['from']} 起退出抽取 {change.draw}（{reason.zh}）：其 {crews} 个检查组空缺，其他安排不变。",
        f"{row['department']} withdrew from draw {change.draw} from {row['from']} on ({reason.en}): {crews} crews unfilled.",
    )


def emptied_audiences(session: Session, draw: str, change: Change) -> set[str]:
    """Return the departments and inspectors of the visits that a withdrawal leaves without a crew, as they are now."""
    places = set(change.unfilled)
    found: set[str] = set()
    for part in chunks(sorted({enterprise for enterprise, _ in places})):
        query = (
            select(Check, Visit)
            .join(Visit, col(Check.visit_id) == Visit.id)
            .where(col(Visit.draw_id) == draw, col(Visit.enterprise).in_(part))
        )
        rows = session.execute(query)
        found |= audiences(check for check, visit in rows if (visit.enterprise, visit.part) in places)
    return found


def _require_part(session: Session, draw: str, department: str, announcement: Mapping[str, Any]) -> None:
    if all(task["department"] != department for task in announcement["tasks"]):
        raise conflict(
            "not-in-the-draw",
            department,
            ("该部门不在本次抽取中", "this department has no part in the draw"),
            ("核对部门。", "Check the department."),
        )
    known = {row.document["department"] for row in list_amendments(session, draw) if row.type == WITHDRAW}
    known |= {job.arguments["leaving"] for job in waiting_withdrawals(session, draw)}
    if department in known:
        raise conflict(
            "already-withdrawn",
            department,
            (
                "该部门已退出，或退出待公布",
                "this department has withdrawn, or its withdrawal waits to be published",
            ),
            ("不必再做。", "There is nothing left to do."),
        )


def _require_opened(session: Session, vault: Vault, draw: str, announcement: Mapping[str, Any]) -> None:
    """Refuse while an embargo hides anything: an emptied crew would show it."""
    if announcement["policy"]["embargo"] == "none":
        return
    hidden = file_of(session, vault, draw, "public/visits.jsonl")
    opened = file_of(session, vault, draw, "public/openings.jsonl") or b""
    if hidden is None or len(opened.splitlines()) < len(hidden.splitlines()):
        raise conflict(
            "under-embargo",
            draw,
            (
                "保密期内不能更改：更改会显示被检查者或检查组",
                "nothing can be changed under an embargo: a change would show an enterprise or a crew",
            ),
            (
                "全部启封后再更改；预计会有更改的，公告时不用 embargo。",
                "Change after everything has been opened; where changes are expected, announce without embargo.",
            ),
        )


def _require_day(announcement: Mapping[str, Any], since: date, now: datetime) -> None:
    days = announcement["days"]
    if since.isoformat() not in days:
        raise RefusedError(
            "day-not-announced",
            since.isoformat(),
            {"zh": "不是本次抽取的检查日", "en": "is not one of the draw's days"},
            {
                "zh": f"用 {days[0]} 至 {days[-1]} 之间公告的日期，或不写。",
                "en": f"Use an announced day from {days[0]} to {days[-1]}, or leave it out.",
            },
        )
    if since < now.astimezone(UTC).date():
        raise conflict(
            "withdrawal-too-early",
            since.isoformat(),
            ("该日已经过去", "this day is over"),
            (
                "从今天或以后某日起退出；更早的检查如实登记结果。",
                "Withdraw from today or later; of earlier visits enter the findings.",
            ),
        )


def _leave_plan(session: Session, plan: str, department: str, reason: str) -> None:
    """Mark the department's part in the plan: whatever is announced of it later is announced without the department."""
    join = session.scalars(
        select(Join).where(col(Join.plan_id) == plan, col(Join.department_id) == department)
    ).one_or_none()
    if join is not None:
        join.state, join.reason = JoinState.WITHDRAWN, WITHDRAWALS[reason].zh
        join.version += 1
        session.add(join)


def _tell_early(
    session: Session, row: DrawRow, announcement: Mapping[str, Any], wanted: Withdrawal, now: datetime
) -> None:
    """Tell everybody who takes part that a department leaves before the draw, which stays as it was announced."""
    reason = WITHDRAWALS[wanted.reason]
    departments = sorted({task["department"] for task in announcement["tasks"]})
    for audience in (*(f"department:{each}" for each in departments), "role:auditor", "role:dispatcher"):
        tell(
            session,
            WITHDRAW,
            audience,
            row.id,
            (
                f"部门 {wanted.department} 退出抽取 {row.id}（{reason.zh}）。抽取照公告进行，公布之后其检查组空缺。",
                f"{wanted.department} withdraws from draw {row.id} ({reason.en}). Crews are unfilled after the publication.",
            ),
            now=now,
        )
