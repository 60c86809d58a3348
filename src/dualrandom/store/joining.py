"""Joining a plan: departments are invited, bring their tasks and people, and confirm by a deadline or are left out.

    invited → confirmed | declined | left-out (at the deadline, by a job) → invited again, if the dispatcher asks again
    confirmed → withdrawn, from an announced draw; should that be voided, the next one goes on without, or after a new invitation

Whoever has confirmed answers for his tasks, seats and people as they are: if somebody else changes them, he is asked again. After the
announcement nothing here changes any more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.store import activity
from dualrandom.store.activity import SERVICE, Actor
from dualrandom.store.database import StaleError
from dualrandom.store.days import working_days_from
from dualrandom.store.errors import ConflictError, RefusedError, UnknownError, unknown
from dualrandom.store.jobs import enqueue
from dualrandom.store.messages import tell
from dualrandom.store.plan_text import require_plain
from dualrandom.store.plans import (
    draft,
    joins_of,
    keep_join,
    tasks_of,
    touched,
    unknown_department,
)
from dualrandom.store.tables import (
    Department,
    Join,
    JoinState,
    LibraryRow,
    Office,
    PlanRow,
    PlanState,
    Role,
)

ANSWER_DAYS = 2
"""Working days within which departments answer, unless the dispatcher says otherwise."""
LONGEST_WAIT = timedelta(days=366)
REMINDER = "join-reminder"
DEADLINE = "join-deadline"
"""Kinds of jobs; their subject is the plan."""
_MORNING = time(9)


def invite(
    session: Session,
    plan_id: str,
    departments: Collection[str],
    *,
    actor: Actor,
    now: datetime,
    deadline: datetime | None = None,
) -> Sequence[Join]:
    """Invite departments, or those again that declined, withdrew or were left out; return their joins.

    ``deadline``: by default the end of the second working day after today. Who has been invited or has confirmed is left as it
    is. Raises UnknownError, ConflictError ``plan-announced``, RefusedError ``deadline-wrong``.
    """
    plan = draft(session, plan_id)
    until = deadline or usual_deadline(session, now)
    if not timedelta(0) < until - now <= LONGEST_WAIT:
        raise RefusedError(
            "deadline-wrong",
            until.isoformat(),
            {"zh": "期限不在今后一年之内", "en": "the deadline is not within a year from now"},
            {"zh": "给出将来的时刻。", "en": "Give a time in the near future."},
        )
    known = {join.department_id: join for join in joins_of(session, plan_id)}
    for department in sorted(set(departments)):
        row = session.get(Department, department)
        if row is None or not row.active:
            raise unknown_department(department)
        join = known.get(department)
        if join is None:
            known[department] = join = Join(
                plan_id=plan_id, department_id=department, invited_at=now, deadline=until
            )
        elif join.state in {JoinState.DECLINED, JoinState.LEFT_OUT, JoinState.WITHDRAWN}:
            ask_again(join, until, now)
        else:
            continue
        expect(session, plan, join, actor, now)
        activity.record(
            session, actor, "invite", plan_id, now, {"deadline": until.isoformat(), "department": department}
        )
    plan.state = PlanState.INVITING
    plan.join_by = max((join.deadline for join in known.values()), default=None)
    touched(session, plan)
    return [known[department] for department in sorted(set(departments))]


def usual_deadline(session: Session, now: datetime) -> datetime:
    """Return the end of the second working day after today, in the office's time."""
    zone = _zone(session)
    day = working_days_from(session, now.astimezone(zone).date(), ANSWER_DAYS)
    return datetime.combine(day + timedelta(days=1), time(), zone)


def join_of(session: Session, plan_id: str, department: str, actor: Actor) -> Join:
    """Return a department's part. Raises UnknownError, also for another department's."""
    if actor.role == Role.DEPARTMENT and actor.department != department:
        raise unknown_join(department)
    join = session.scalars(
        select(Join).where(col(Join.plan_id) == plan_id, col(Join.department_id) == department)
    ).one_or_none()
    if join is None:
        raise unknown_join(department)
    return join


def edit_join(
    session: Session,
    plan_id: str,
    department: str,
    version: int,
    *,
    seats: Sequence[Sequence[str]] | None,
    inspectors: Sequence[str] | None,
    actor: Actor,
    now: datetime,
) -> Join:
    """Say which seats a department's crews have in this plan and which of its inspectors take part (None: its usual, all).

    Raises UnknownError, StaleError, ConflictError ``plan-announced``, ``join-closed``, RefusedError ``inspector-unknown``.
    """
    plan = draft(session, plan_id)
    join = _open_join(session, plan_id, department, version, actor, now)
    if inspectors is not None:
        own = select(col(LibraryRow.key)).where(
            col(LibraryRow.kind) == "inspectors",
            col(LibraryRow.last).is_(None),
            col(LibraryRow.department) == department,
            col(LibraryRow.key).in_(inspectors),
        )
        strangers = sorted(set(inspectors) - set(session.scalars(own)))
        if strangers:
            raise RefusedError(
                "inspector-unknown",
                ", ".join(strangers[:20]),
                {
                    "zh": f"不是部门 {department} 名录库中的检查人员",
                    "en": f"not inspectors of department {department}",
                },
                {
                    "zh": "先导入人员名录，或更正编号。",
                    "en": "Import the inspectors first, or correct the codes.",
                },
            )
    join.seats = None if seats is None else [list(seat) for seat in seats]
    join.inspectors = None if inspectors is None else sorted(set(inspectors))
    if join.state is JoinState.CONFIRMED and actor.department != department:
        ask_again(join, usual_deadline(session, now), now)
        touched(session, plan)
        expect(session, plan, join, actor, now)
    else:
        _changed(session, plan, join, actor, now)
    activity.record(session, actor, "join-edited", plan_id, now, {"department": department})
    return join


def confirm(
    session: Session, plan_id: str, department: str, version: int, *, actor: Actor, now: datetime
) -> Join:
    """Take part, with the tasks as they are now.

    Raises UnknownError, StaleError, ConflictError ``plan-announced``, ``join-closed``, RefusedError ``join-without-tasks``.
    """
    plan = draft(session, plan_id)
    join = _open_join(session, plan_id, department, version, actor, now)
    if not any(task.department_id == department for task in tasks_of(session, plan_id)):
        raise RefusedError(
            "join-without-tasks",
            department,
            {"zh": f"部门 {department} 还没有任务", "en": f"department {department} has no task yet"},
            {"zh": "先提交任务，或说明理由不参加。", "en": "Add a task first, or decline with a reason."},
        )
    if join.state is JoinState.CONFIRMED:
        return join
    join.state, join.answered_at, join.reason = JoinState.CONFIRMED, now, ""
    _changed(session, plan, join, actor, now)
    activity.record(session, actor, "join-confirmed", plan_id, now, {"department": department})
    _tell_dispatcher(
        session, join, now, f"部门 {department} 已确认参加", f"Department {department} takes part"
    )
    _tell_of_answer(session, join, actor, now, ("确认参加", "confirmed"))
    return join


def decline(
    session: Session, plan_id: str, department: str, version: int, reason: str, *, actor: Actor, now: datetime
) -> Join:
    """Do not take part, with a reason; also after having confirmed, as long as nothing is announced."""
    plan = draft(session, plan_id)
    require_plain(reason)
    join = _open_join(session, plan_id, department, version, actor, now)
    join.state, join.answered_at, join.reason = JoinState.DECLINED, now, reason
    _changed(session, plan, join, actor, now)
    activity.record(
        session, actor, "join-declined", plan_id, now, {"department": department, "reason": reason}
    )
    _tell_dispatcher(
        session,
        join,
        now,
        f"部门 {department} 不参加：{reason}",
        f"Department {department} declines: {reason}",
        kind="join-declined",
    )
    _tell_of_answer(session, join, actor, now, (f"答复不参加（{reason}）", f"declined ({reason})"))
    return join


def remind(session: Session, plan_id: str, department: str, invited_at: datetime, now: datetime) -> None:
    """Remind a department that has not answered this invitation; a job's work."""
    join = _waiting(session, plan_id, department, invited_at)
    if join is None:
        return
    join.reminded_at = now
    session.add(join)
    until = _shown(session, join.deadline)
    tell(
        session,
        "join-reminder",
        f"department:{department}",
        plan_id,
        (
            f"计划 {plan_id} 请在 {until} 前确认或说明不参加；逾期不列入本次抽查。",
            f"Plan {plan_id}: confirm or decline before {until}; after that your department is left out.",
        ),
        now=now,
        once=f"join-reminder:{plan_id}:{department}:{invited_at.isoformat()}",
    )


def leave_out(session: Session, plan_id: str, department: str, invited_at: datetime, now: datetime) -> None:
    """Leave a department out that has not answered this invitation by its deadline; a job's work."""
    try:
        plan = draft(session, plan_id)
    except ConflictError:
        return
    join = _waiting(session, plan_id, department, invited_at)
    if join is None or now < join.deadline:
        return
    join.state = JoinState.LEFT_OUT
    _changed(session, plan, join, SERVICE, now)
    activity.record(session, SERVICE, "join-left-out", plan_id, now, {"department": department})
    zh, en = (
        f"部门 {department} 逾期未答复，未列入",
        f"Department {department} did not answer in time and is left out",
    )
    _tell_dispatcher(session, join, now, zh, en)
    tell(
        session,
        "join-left-out",
        f"department:{department}",
        plan_id,
        (f"计划 {plan_id}：{zh}。", f"Plan {plan_id}: {en}."),
        now=now,
    )


def unknown_join(department: str) -> UnknownError:
    """Return the error for a department that was not invited, or is not the asker's."""
    return unknown(
        "unknown-join",
        department,
        f"部门 {department} 未受邀，或不属于您",
        f"department {department} was not invited, or is not yours",
    )


def _open_join(
    session: Session, plan_id: str, department: str, version: int, actor: Actor, now: datetime
) -> Join:
    join = join_of(session, plan_id, department, actor)
    session.refresh(join)
    if join.version != version:
        raise StaleError(f"join {plan_id} {department}")
    # the job that leaves a department out may come a little after the deadline
    late = join.state is JoinState.INVITED and now >= join.deadline
    if late or join.state not in {JoinState.INVITED, JoinState.CONFIRMED}:
        raise closed(join)
    return join


def closed(join: Join) -> ConflictError:
    """Return the refusal for a department that is not asked any more."""
    return ConflictError(
        "join-closed",
        join.state.value,
        {
            "zh": f"部门 {join.department_id} 已不在答复期内（{join.state.value}）",
            "en": f"department {join.department_id} is not asked any more ({join.state.value})",
        },
        {"zh": "请调度员重新邀请。", "en": "Ask the dispatcher to invite you again."},
    )


def ask_again(join: Join, until: datetime, now: datetime) -> None:
    """Put a department back to where it was invited."""
    join.state, join.invited_at, join.deadline = JoinState.INVITED, now, until
    join.reminded_at, join.answered_at, join.reason = None, None, ""
    join.version = (join.version or 0) + 1


def expect(session: Session, plan: PlanRow, join: Join, actor: Actor, now: datetime) -> None:
    """Tell a department that it is asked, and let jobs remind it and, at the deadline, leave it out."""
    session.add(join)
    session.flush()
    keep_join(session, plan, join, actor, now)
    department, until = join.department_id, _shown(session, join.deadline)
    tell(
        session,
        "invitation",
        f"department:{department}",
        plan.id,
        (
            f"请参加计划 {plan.id}（{plan.title}）：提交任务、席位和人员，并在 {until} 前确认或说明不参加。",
            f"Please join plan {plan.id} ({plan.title}): bring tasks, seats and people, and confirm or decline before {until}.",
        ),
        now=now,
    )
    local = join.deadline.astimezone(_zone(session))
    # the morning of the last day, or at once if that is over
    last_day = (local - timedelta(microseconds=1)).date()
    morning = datetime.combine(last_day, _MORNING, local.tzinfo)
    invited = join.invited_at.isoformat()
    for kind, when in ((REMINDER, max(now, morning)), (DEADLINE, join.deadline)):
        enqueue(
            session,
            kind,
            plan.id,
            now=now,
            by=actor.name,
            arguments={"department": department, "invited_at": invited},
            run_after=when,
            unique_key=f"{kind}:{plan.id}:{department}:{invited}",
        )


def _waiting(session: Session, plan_id: str, department: str, invited_at: datetime) -> Join | None:
    join = session.scalars(
        select(Join).where(col(Join.plan_id) == plan_id, col(Join.department_id) == department)
    ).one_or_none()
    waits = join is not None and join.state is JoinState.INVITED and join.invited_at == invited_at
    return join if waits else None


def _changed(session: Session, plan: PlanRow, join: Join, actor: Actor, now: datetime) -> None:
    join.version += 1
    session.add(join)
    touched(session, plan)
    keep_join(session, plan, join, actor, now)


def _tell_dispatcher(
    session: Session, join: Join, now: datetime, zh: str, en: str, *, kind: str = "join"
) -> None:
    tell(
        session,
        kind,
        f"role:{Role.DISPATCHER.value}",
        join.plan_id,
        (f"计划 {join.plan_id}：{zh}。", f"Plan {join.plan_id}: {en}."),
        now=now,
    )


def _tell_of_answer(
    session: Session, join: Join, actor: Actor, now: datetime, answer: tuple[str, str]
) -> None:
    """Tell a department what somebody else has answered for it."""
    if actor.department == join.department_id:
        return
    tell(
        session,
        "join-answered",
        f"department:{join.department_id}",
        join.plan_id,
        (
            f"计划 {join.plan_id}：{actor.name} 代本部门{answer[0]}。",
            f"Plan {join.plan_id}: {actor.name} {answer[1]} for your department.",
        ),
        now=now,
    )


def _zone(session: Session) -> ZoneInfo:
    return ZoneInfo(session.get_one(Office, 1).timezone)


def _shown(session: Session, at: datetime) -> str:
    return f"{at.astimezone(_zone(session)):%Y-%m-%d %H:%M}"
