"""The inner rules of an announcement (docs/protocol.md §3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from fractions import Fraction

from dualrandom.verify.announcement import WHOLE_SCOPE, Announcement, Rate, Stratum, Task
from dualrandom.verify.report import Verdict
from dualrandom.verify.seed_beacon import drand_time

Strata = Mapping[str, tuple[Stratum, ...]]
"""own task → its strata"""

SMALL_STRATUM = 5


def broken_references(announcement: Announcement) -> Iterator[tuple[str, str]]:
    """Yield where ids of the announcement name nothing; without any, the other checks can follow all of them."""
    tasks = announcement.tasks
    departments = {task.department for task in tasks.values()}
    if not tasks:
        yield "没有任务", "there is no task"
    if set(announcement.crews) != departments:
        differing = ", ".join(sorted(set(announcement.crews) ^ departments))
        yield (
            f"crews 与任务的部门不一致：{differing}",
            f"crews should have one entry per department of a task; differs in {differing}",
        )
    for task in tasks.values():
        if task.lead is not None and (task.lead not in tasks or tasks[task.lead].mode != "own"):
            yield (
                f"任务 {task.id} 的 lead {task.lead} 不是独立任务",
                f"task {task.id} follows {task.lead}, which is no own task",
            )
        if not task.items:
            yield f"任务 {task.id} 没有事项", f"task {task.id} has no items"
    for step in announcement.policy.relief:
        if step.department not in departments:
            yield (
                f"relief 的部门 {step.department} 没有任务",
                f"a relief step names department {step.department}, which has no task",
            )
    own = sorted(task.id for task in tasks.values() if task.mode == "own")
    if [rate.task for rate in announcement.rates] != own:
        yield "rates 应对每个独立任务各有一项", "rates should have one entry per own task"


def check_simple_rules(verdict: Verdict, announcement: Announcement) -> None:
    """Check what needs no list: period, deadlines, seats, profiles, limits, relief."""
    a = announcement
    start, end = a.period
    if start > end:
        verdict.fail(
            f"期间的开始 {start} 晚于结束 {end}", f"the period starts on {start}, after its end {end}"
        )
    if not a.days:
        verdict.fail("days 为空", "days is empty")
    for day in a.days:
        if not start <= day <= end:
            verdict.fail(f"日期 {day} 不在期间内", f"day {day} is outside the period")
    if not a.reveal <= a.beacon.time <= a.result <= a.findings:
        verdict.fail(
            "期限次序应为：公开随机数 ≤ 信标时刻 ≤ 结果 ≤ 检查结果",
            "deadlines should be reveal <= beacon time <= result <= findings",
        )
    _check_beacon_terms(verdict, a)
    for department, seats in a.crews.items():
        if len(seats) < 2:
            verdict.fail(
                f"部门 {department} 的检查组只有 {len(seats)} 个席位，至少两个",
                f"crews of department {department} have {len(seats)} seats, at least two are required",
            )
    limit = a.policy.visit_limit
    if limit is not None and limit.hours is not None and limit.hours <= 0:
        verdict.fail("visit_limit.hours 应大于 0", "visit_limit.hours should be greater than 0")
    for step in a.policy.relief:
        if step.kind in ("daily", "total") and step.amount < 1:
            verdict.fail(
                f"relief 的 {step.kind} 增量应至少为 1", f"a relief step {step.kind} should add at least 1"
            )
    if a.draw in a.voids:
        verdict.fail("voids 含本次抽取自身", "voids names this very draw")
    _check_profiles(verdict, a)
    verdict.note("期间、期限、信标与席位合规", "period, deadlines, beacon and seats are in order")


def _check_beacon_terms(verdict: Verdict, a: Announcement) -> None:
    beacon = a.beacon
    if beacon.kind == "drand":
        due = drand_time(beacon.source, beacon.round)
        if due is None:
            verdict.fail(
                f"drand 链 {beacon.source} 或轮次 {beacon.round} 未知",
                f"drand chain {beacon.source} or round {beacon.round} is unknown",
            )
        elif due != beacon.time:
            verdict.fail(
                f"drand 第 {beacon.round} 轮的时刻是 {due:%Y-%m-%dT%H:%M:%SZ}，公告为 {beacon.time:%Y-%m-%dT%H:%M:%SZ}",
                f"drand round {beacon.round} is due at {due:%Y-%m-%dT%H:%M:%SZ}, "
                f"the announcement says {beacon.time:%Y-%m-%dT%H:%M:%SZ}",
            )
    elif beacon.kind == "local" and (beacon.source, beacon.round) != ("none", "0"):
        verdict.fail("local 信标应为 none、0", "a local beacon should have source none and round 0")


def _check_profiles(verdict: Verdict, a: Announcement) -> None:
    if a.profiles is None:
        return
    seen: dict[tuple[tuple[str, str], ...], str] = {}
    for profile, strata in a.profiles.items():
        other = seen.setdefault(tuple(strata.items()), profile)
        if other != profile:
            verdict.fail(
                f"档型 {other} 与 {profile} 相同", f"profiles {other} and {profile} have the same strata"
            )
        for zh, en in misplaced(a, strata, {task.id: task.strata or () for task in a.tasks.values()}):
            verdict.fail(f"档型 {profile}：{zh}", f"profile {profile}: {en}")


def misplaced(a: Announcement, strata_of: Mapping[str, str], strata: Strata) -> Iterator[tuple[str, str]]:
    """Yield what is wrong with one enterprise's or profile's map task → stratum."""
    if not strata_of:
        yield "不在任何层中", "is in no stratum"
    for task_id, stratum in strata_of.items():
        task = a.tasks.get(task_id)
        if task is None:
            yield f"任务 {task_id} 不存在", f"task {task_id} does not exist"
        elif task.mode == "follows":
            if stratum != WHOLE_SCOPE:
                yield (
                    f"跟随任务 {task_id} 的层应为 all",
                    f"the stratum of following task {task_id} should be all",
                )
        elif all(stratum != found.id for found in strata.get(task_id, ())):
            yield f"任务 {task_id} 没有层 {stratum}", f"task {task_id} has no stratum {stratum}"


def check_quotas(
    verdict: Verdict, a: Announcement, strata: Strata, sizes: Mapping[tuple[str, str], int] | None
) -> None:
    """Check expected sizes, totals and rates; with ``sizes`` (task, stratum → frame rows) the announced sizes too."""
    rates = {rate.task: rate for rate in a.rates}
    for task in a.tasks.values():
        if task.mode != "own":
            continue
        found = strata.get(task.id, ())
        for stratum in found:
            _check_stratum(verdict, a, task, stratum)
            if sizes is not None:
                rows = sizes.get((task.id, stratum.id), 0)
                if rows != stratum.size:
                    verdict.fail(
                        f"任务 {task.id} 层 {stratum.id} 公告 {stratum.size} 户，抽样框中有 {rows} 户",
                        f"task {task.id} stratum {stratum.id} is announced with size {stratum.size}, "
                        f"the frame has {rows}",
                    )
        total = sum((stratum.expected for stratum in found), Fraction(0))
        if total != task.total:
            verdict.fail(
                f"任务 {task.id} 的 total 为 {task.total}，各层合计 {total}",
                f"task {task.id} has total {task.total}, its strata sum to {total}",
            )
        expected_rate = _rate(task.id, found, sealed=a.sealed)
        if rates[task.id] != expected_rate:
            verdict.fail(
                f"任务 {task.id} 的 rates 应为 {_told(expected_rate)}，实为 {_told(rates[task.id])}",
                f"rates of task {task.id} should be {_told(expected_rate)}, are {_told(rates[task.id])}",
            )


def _check_stratum(verdict: Verdict, a: Announcement, task: Task, stratum: Stratum) -> None:
    place_zh, place_en = f"任务 {task.id} 层 {stratum.id}", f"task {task.id} stratum {stratum.id}"
    if stratum.expected > stratum.size:
        verdict.fail(
            f"{place_zh} 期望 {stratum.expected} 超过层大小 {stratum.size}",
            f"{place_en} expects {stratum.expected} of only {stratum.size}",
        )
    if a.sealed and stratum.expected.denominator != 1:
        verdict.fail(
            f"{place_zh} 期望 {stratum.expected} 在密封抽取中应为整数",
            f"{place_en} expects {stratum.expected}, which a sealed draw must make whole",
        )


def _rate(task: str, strata: tuple[Stratum, ...], *, sealed: bool) -> Rate:
    filled = [stratum for stratum in strata if stratum.size > 0]
    rates = [stratum.expected / stratum.size for stratum in filled] or [Fraction(0)]
    small = tuple(s.id for s in filled if s.size < SMALL_STRATUM and s.expected in (0, s.size))
    return Rate(task, min(rates), max(rates), len(small) if sealed else small)


def _told(rate: Rate) -> str:
    return f"{rate.least}..{rate.greatest} small={rate.small}"
