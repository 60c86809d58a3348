"""Visits, replayed from the selection (docs/protocol.md §7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction

from dualrandom.ticket import Tickets
from dualrandom.verify.announcement import Announcement, Task, VisitLimit
from dualrandom.verify.lists import Frame
from dualrandom.verify.report import Verdict
from dualrandom.verify.result import Selection, Visit

Expected = Mapping[tuple[str, int], tuple[str, ...]]
"""(enterprise, part) → its tasks, ascending"""


def expected_visits(
    announcement: Announcement, selections: Mapping[str, Selection], tickets: Tickets
) -> Expected:
    """Return every visit that the selection calls for."""
    tasks_of: dict[str, list[str]] = {}
    for task in announcement.tasks:
        for enterprise in selections[task].selected:
            tasks_of.setdefault(enterprise, []).append(task)
    visits: dict[tuple[str, int], tuple[str, ...]] = {}
    for enterprise in sorted(tasks_of):
        tasks = [announcement.tasks[task] for task in tasks_of[enterprise]]
        for part, group in enumerate(_parts(announcement.policy.visit_limit, enterprise, tasks, tickets), 1):
            visits[enterprise, part] = tuple(sorted(task.id for task in group))
    return visits


def _parts(
    limit: VisitLimit | None, enterprise: str, tasks: Sequence[Task], tickets: Tickets
) -> list[list[Task]]:
    if limit is None:
        return [list(tasks)]
    of_department: dict[str, list[Task]] = {}
    for task in tasks:
        of_department.setdefault(task.department, []).append(task)
    parts: list[list[Task]] = []
    departments = checks = 0
    hours = Fraction(0)
    for department in sorted(of_department, key=lambda d: (tickets.raw("order", f"{enterprise}:{d}"), d)):
        joining = of_department[department]
        more_checks = sum(len(task.items) for task in joining)
        more_hours = sum((item.hours for task in joining for item in task.items), Fraction(0))
        fits = (
            (limit.departments is None or departments + 1 <= limit.departments)
            and (limit.checks is None or checks + more_checks <= limit.checks)
            and (limit.hours is None or hours + more_hours <= limit.hours)
        )
        if not parts or not fits:
            parts.append([])
            departments = checks = 0
            hours = Fraction(0)
        parts[-1] += joining
        departments += 1
        checks += more_checks
        hours += more_hours
    return parts


def broken_visits(announcement: Announcement, visits: Sequence[Visit]) -> list[tuple[str, str]]:
    """Return where visits name tasks or items that do not exist; without any, the other checks can follow them."""
    faults = []
    for visit in visits:
        if not visit.checks:
            faults.append((f"检查 {visit.name} 没有检查项", f"visit {visit.name} has no checks"))
        for task, items in visit.checks.items():
            if task not in announcement.tasks:
                faults.append(
                    (f"检查 {visit.name} 的任务 {task} 不存在", f"visit {visit.name}: no task {task}")
                )
                continue
            known = tuple(item.id for item in announcement.tasks[task].items)
            if items != known:
                faults.append(
                    (
                        f"检查 {visit.name} 任务 {task} 的事项应为 {list(known)}，实为 {list(items)}",
                        f"visit {visit.name} should have the items {list(known)} of task {task}, has {list(items)}",
                    )
                )
    return faults


def check_visits(verdict: Verdict, visits: Sequence[Visit], expected: Expected) -> None:
    """Compare the published visits with the expected ones."""
    published = {(visit.enterprise, visit.part): visit for visit in visits}
    for enterprise, part in sorted(expected.keys() - published.keys()):
        verdict.fail(
            f"应有的检查 {enterprise} part {part} 缺失",
            f"the visit {enterprise} part {part} is due but missing",
        )
    for enterprise, part in sorted(published.keys() - expected.keys()):
        verdict.fail(
            f"多出的检查 {enterprise} part {part}：不由选择结果产生",
            f"the visit {enterprise} part {part} does not follow from the selection",
        )
    for key in sorted(published.keys() & expected.keys()):
        tasks = tuple(published[key].checks)
        if tasks != expected[key]:
            verdict.fail(
                f"检查 {published[key].name} 应有任务 {list(expected[key])}，实为 {list(tasks)}",
                f"visit {published[key].name} should have tasks {list(expected[key])}, has {list(tasks)}",
            )
    verdict.note(f"{len(expected)} 次检查及其检查项相符", f"{len(expected)} visits with exactly their checks")


def check_districts(verdict: Verdict, visits: Sequence[Visit], frame: Frame) -> None:
    """Compare the visits' districts with the frame's."""
    for visit in visits:
        position = frame.index.get(visit.enterprise)
        if position is None:
            verdict.fail(
                f"企业 {visit.enterprise} 不在抽样框中", f"enterprise {visit.enterprise} is not in the frame"
            )
        elif frame.districts[position] != visit.district:
            verdict.fail(
                f"检查 {visit.name} 的区划应为 {frame.districts[position]}，实为 {visit.district}",
                f"visit {visit.name} should be in district {frame.districts[position]}, says {visit.district}",
            )
