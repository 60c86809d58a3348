"""What still blocks a plan's announcement: each point with what is wrong, who must act, and what to do.

Most of it is read off the rows at once; whether plan and libraries fit together comes from :mod:`dualrandom.store.checking`.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, select
from sqlmodel import Session, col

from dualrandom.errors import Problem
from dualrandom.policy.plan import Plan
from dualrandom.registry.columns import KINDS, LIBRARIES, MAY_BE_ABSENT
from dualrandom.store.activity import Actor
from dualrandom.store.backups import MESSAGE, REMEDY, is_backed_up, last_backup
from dualrandom.store.checking import DISPATCHER, Prerequisite, check_of, points_of, task_departments
from dualrandom.store.contributing import announced, next_draw, parties, signed_for
from dualrandom.store.libraries import current_revisions
from dualrandom.store.plan_copies import read_back
from dualrandom.store.plan_inputs import plan_toml
from dualrandom.store.plans import joins_of, plan_of, tasks_of
from dualrandom.store.tables import (
    Department,
    DrawRow,
    Import,
    Job,
    JoinState,
    LibraryRow,
    PlanRow,
    PlanState,
    Role,
    User,
)
from dualrandom.store.visit_lists import timezone_of

BACKUP_AGE = timedelta(days=7)
OPERATOR = "operator"


@dataclass(frozen=True, slots=True)
class Prerequisites:
    """All of them, those that block first; ``checked``: the job that read plan and libraries as they are now, if any."""

    points: tuple[Prerequisite, ...]
    is_ready: bool
    """Whether nothing blocks the announcement, whoever has to act."""
    checked: Job | None


def prerequisites(
    session: Session, plan_id: str, actor: Actor, now: datetime, *, log_password: bool
) -> Prerequisites:
    """Return what still blocks the announcement. ``log_password``: whether the log's password is set apart from its keys.

    A department sees what it must do itself, and what is everybody's. Raises UnknownError, ConflictError ``plan-announced``.
    """
    plan = plan_of(session, plan_id, actor)
    if plan.state not in {PlanState.DRAFT, PlanState.INVITING}:
        raise announced(plan_id)
    read = read_back(session, plan_toml(session, plan_id))
    parsed, problems = read.plan, read.problems
    job = check_of(session, plan)
    points = [
        *_joins(session, plan),
        *_libraries(session, plan),
        *_contributions(session, plan),
        *_number(session, plan),
        *(_beacon(parsed, now) if parsed is not None else ()),
        *_problem_points(session, plan, problems),
        *_checked(job),
        *_office(session, now, log_password=log_password),
    ]
    points = list(dict.fromkeys(points))
    ready = not any(point.severity == "blocks" for point in points)
    if actor.role == Role.DEPARTMENT:
        own = f"department:{actor.department}"
        points = [point for point in points if point.who == own]
    order = {"blocks": 0, "warns": 1}
    return Prerequisites(tuple(sorted(points, key=lambda point: order[point.severity])), ready, job)


def _joins(session: Session, plan: PlanRow) -> Iterator[Prerequisite]:
    joins = joins_of(session, plan.id)
    zone = ZoneInfo(timezone_of(session))
    tasks = {task.department_id for task in tasks_of(session, plan.id)}
    if not any(join.state is JoinState.CONFIRMED for join in joins):
        yield _blocks(
            "no-department-joined",
            DISPATCHER,
            "joins",
            "",
            ("没有部门确认参加", "no department has confirmed"),
            (
                "邀请部门：POST /v1/plans/{plan}/invitations。",
                "Invite departments: POST /v1/plans/{plan}/invitations.",
            ),
        )
    for join in joins:
        department, who = join.department_id, f"department:{join.department_id}"
        if join.state is JoinState.INVITED:
            until = f"{join.deadline.astimezone(zone):%Y-%m-%d %H:%M}"
            yield _blocks(
                "join-unanswered",
                who,
                f"joins/{department}",
                until,
                (f"部门 {department} 尚未答复", f"department {department} has not answered"),
                (
                    f"在 {until} 前确认或说明不参加；逾期自动不列入。",
                    f"Confirm or decline before {until}; then it is left out.",
                ),
            )
        elif join.state is JoinState.CONFIRMED and department not in tasks:
            yield _blocks(
                "join-without-tasks",
                who,
                f"joins/{department}",
                department,
                (
                    f"部门 {department} 已确认但没有任务",
                    f"department {department} has confirmed without a task",
                ),
                ("提交任务，或改为不参加。", "Add a task, or decline."),
            )
    taking_part = {
        join.department_id for join in joins if join.state in {JoinState.CONFIRMED, JoinState.INVITED}
    }
    for department in sorted(tasks - taking_part):
        yield _warns(
            "tasks-left-out",
            DISPATCHER,
            f"joins/{department}",
            department,
            (
                f"部门 {department} 不参加，其任务不列入",
                f"department {department} takes no part, its tasks are left out",
            ),
            ("重新邀请该部门，或删去这些任务。", "Invite it again, or remove its tasks."),
        )


def _libraries(session: Session, plan: PlanRow) -> Iterator[Prerequisite]:
    revisions = current_revisions(session)
    for kind in KINDS:
        if kind not in revisions and kind not in MAY_BE_ABSENT:
            yield _blocks(
                "library-missing",
                DISPATCHER,
                f"libraries/{kind}",
                kind,
                (f"还没有{LIBRARIES[kind].zh}", f"there is no library of {LIBRARIES[kind].en} yet"),
                ("导入并接受：POST /v1/imports。", "Import and accept it: POST /v1/imports."),
            )
    people = select(col(LibraryRow.department)).where(
        col(LibraryRow.kind) == "inspectors", col(LibraryRow.last).is_(None)
    )
    staffed = set(session.scalars(people.distinct()))
    for join in joins_of(session, plan.id):
        if join.state is JoinState.CONFIRMED and join.department_id not in staffed:
            yield _blocks(
                "department-without-inspectors",
                f"department:{join.department_id}",
                "libraries/inspectors",
                join.department_id,
                (
                    f"部门 {join.department_id} 在人员名录库中没有检查人员",
                    f"department {join.department_id} has no inspector in the library",
                ),
                ("导入本部门的检查人员：POST /v1/imports。", "Import its inspectors: POST /v1/imports."),
            )
    for row in session.scalars(
        select(Import).where(col(Import.state).in_(("uploaded", "reading", "ready"))).order_by(col(Import.id))
    ):
        yield _warns(
            "import-waiting",
            DISPATCHER if row.department_id is None else f"department:{row.department_id}",
            f"imports/{row.id}",
            row.filename,
            (
                f"导入 {row.id}（{row.filename}）尚未接受",
                f"import {row.id} ({row.filename}) has not been accepted",
            ),
            ("查看差异后接受或放弃。", "Look at its difference, then accept or discard it."),
        )


def _contributions(session: Session, plan: PlanRow) -> Iterator[Prerequisite]:
    draw = next_draw(session, plan)
    signed = signed_for(session, plan, draw)
    for row in parties(plan):
        party = row["party"]
        if row.get("office") or party in signed:
            continue
        is_department = session.get(Department, party) is not None
        yield _blocks(
            "contribution-missing",
            f"department:{party}" if is_department else DISPATCHER,
            f"contributions/{party}",
            draw,
            (
                f"{party} 还没有为抽取 {draw} 提交签名的承诺",
                f"{party} has handed in no signed commitment for draw {draw}",
            ),
            (
                "提交承诺：PUT /v1/plans/{plan}/contributions/{party}；或改为由本单位生成（office = true）。",
                "Hand it in: PUT /v1/plans/{plan}/contributions/{party}; or let the office make it (office = true).",
            ),
        )


def _number(session: Session, plan: PlanRow) -> Iterator[Prerequisite]:
    draw = next_draw(session, plan)
    series, _, number = draw.rpartition("-")
    used = select(col(DrawRow.id)).where(col(DrawRow.id).startswith(f"{series}-", autoescape=True))
    last = session.scalars(used.order_by(col(DrawRow.id).desc()).limit(1)).one_or_none()
    following = 1 + (0 if last is None else int(last.rpartition("-")[2]))
    if int(number) != following:
        own = plan.document.get("plan", {}).get("number", 1)
        right = following - (int(number) - own) if isinstance(own, int) else following
        yield _blocks(
            "draw-number",
            DISPATCHER,
            "document/plan.number",
            draw,
            (
                f"下一次抽取应为第 {following} 号：编号不能跳号或重复",
                f"the next draw must be number {following}: none is left out or used twice",
            ),
            (f"把 plan.number 改为 {right}。", f"Set plan.number to {right}."),
        )


def _beacon(plan: Plan, now: datetime) -> Iterator[Prerequisite]:
    if plan.beacon.kind == "local":
        yield _warns(
            "beacon-local",
            DISPATCHER,
            "document/beacon",
            "local",
            (
                "随机数由本机产生，只适合试用",
                "the randomness is made by this machine, which is for trials only",
            ),
            ("改用 drand 或公开的彩票号码。", "Use drand, or the numbers of a public lottery."),
        )
    elif plan.beacon.time <= now:
        yield _blocks(
            "beacon-past",
            DISPATCHER,
            "document/beacon.time",
            plan.beacon.time.isoformat(),
            (
                "信标轮次不在将来：其随机数已公开",
                "the beacon's round is not in the future: its randomness is known",
            ),
            ("选择将来的轮次或时刻。", "Choose a round, or a time, in the future."),
        )
    elif plan.deadlines.reveal <= now:
        yield _blocks(
            "reveal-past",
            DISPATCHER,
            "document/deadlines.reveal",
            plan.deadlines.reveal.isoformat(),
            ("公开随机数的期限已过", "the deadline for revealing has passed"),
            ("改为公告之后、信标之前的时刻。", "Set a time after the announcement and before the beacon."),
        )


def _checked(job: Job | None) -> Iterator[Prerequisite]:
    remedy = ("运行检查：POST /v1/plans/{plan}/check。", "Run the check: POST /v1/plans/{plan}/check.")
    if job is None or job.state == "failed":
        yield _blocks(
            "inputs-unchecked",
            DISPATCHER,
            "check",
            "",
            ("计划与名录自上次更改后尚未检查", "plan and libraries have not been checked since they changed"),
            remedy,
        )
    elif job.state != "done":
        yield _blocks(
            "inputs-being-checked",
            DISPATCHER,
            f"jobs/{job.id}",
            "",
            ("正在检查计划与名录", "plan and libraries are being checked"),
            ("稍后再查询。", "Ask again in a while."),
        )
    else:
        for point in (job.result or {}).get("points", ()):
            yield Prerequisite(**point)


def _office(session: Session, now: datetime, *, log_password: bool) -> Iterator[Prerequisite]:
    deciders = select(func.count()).where(
        col(User.role).in_((Role.DISPATCHER, Role.AUDITOR)), ~col(User.disabled)
    )
    if session.scalars(deciders).one() < 2:
        yield _blocks(
            "second-person-missing",
            OPERATOR,
            "users",
            "",
            (
                "公告须两人办理，而系统中没有第二位调度员或审计人员",
                "announcing takes two persons, and there is no second dispatcher or auditor",
            ),
            ("增加一位调度员或审计人员。", "Add a dispatcher or an auditor."),
        )
    if not log_password:
        yield _warns(
            "log-password",
            OPERATOR,
            "log",
            "DUALRANDOM_LOG_PASSWORD",
            ("日志密钥的口令与密钥保存在一起", "the password of the log's keys is kept beside them"),
            (
                "设置环境变量 DUALRANDOM_LOG_PASSWORD。",
                "Set the environment variable DUALRANDOM_LOG_PASSWORD.",
            ),
        )
    last = last_backup(session)
    if not is_backed_up(session):
        yield _blocks(
            "backup-missing",
            OPERATOR,
            "backup",
            "" if last is None else last.at.isoformat(),
            (MESSAGE["zh"], MESSAGE["en"]),
            (REMEDY["zh"], REMEDY["en"]),
        )
    elif last is not None and now - last.at > BACKUP_AGE:
        yield _warns(
            "backup-old",
            OPERATOR,
            "backup",
            last.at.isoformat(),
            ("最近七日没有备份", "no backup within seven days"),
            ("备份数据库与服务密钥。", "Back up the database and the service's key."),
        )


def _problem_points(session: Session, plan: PlanRow, problems: Sequence[Problem]) -> list[Prerequisite]:
    return list(points_of(problems, {}, task_departments(session, plan.id)))


def _blocks(
    code: str, who: str, where: str, value: str, message: tuple[str, str], remedy: tuple[str, str]
) -> Prerequisite:
    return Prerequisite(code, "blocks", who, where, value, *message, *remedy)


def _warns(
    code: str, who: str, where: str, value: str, message: tuple[str, str], remedy: tuple[str, str]
) -> Prerequisite:
    return Prerequisite(code, "warns", who, where, value, *message, *remedy)
