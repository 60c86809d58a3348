"""What to worry about before announcing: thin pools, marks held by one person, tight capacity, tiny strata.

After the seed nothing can be repaired without suspicion, so these warnings come with ``check`` and ``announce``.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil
from typing import Any

import numpy as np

from dualrandom.crews import crew_seats
from dualrandom.errors import Problem
from dualrandom.frame import Frozen

POOL_FACTOR = 3
"""A pool below three times the seats of one crew makes the pairing nearly foreseeable."""


def expected_crews(announcement: Mapping[str, Any], frozen: Frozen) -> dict[str, Fraction]:
    """Return each department's expected number of crews: Σ over enterprises of its greatest inclusion probability."""
    return {
        department: sum((rates[0] * size for size, rates, _ in cells), Fraction(0))
        for department, cells in _cells(announcement, frozen).items()
    }


def expected_seats(announcement: Mapping[str, Any], frozen: Frozen) -> dict[str, Fraction]:
    """Return each department's expected number of seats, exactly up to the rounding of sample sizes.

    All tasks share the tickets, so an enterprise that a department's task with the smaller inclusion probability draws is
    drawn by those with a greater one too. With π_1 ≥ π_2 ≥ … in a profile, its crews have the seats of the first k tasks
    with probability π_k − π_(k+1).
    """
    seats = {crew["department"]: crew["seats"] for crew in announcement["crews"]}
    marks_of = {
        task["id"]: [m for item in task["items"] for m in item["marks"]] for task in announcement["tasks"]
    }
    lengths: dict[tuple[str, tuple[str, ...]], int] = {}
    result: dict[str, Fraction] = {}
    for department, cells in _cells(announcement, frozen).items():
        total = Fraction(0)
        for size, rates, tasks in cells:
            for k, rate in enumerate(rates):
                following = rates[k + 1] if k + 1 < len(rates) else Fraction(0)
                if rate == following:
                    continue
                first = department, tasks[: k + 1]
                if first not in lengths:
                    marks = sorted({mark for task in first[1] for mark in marks_of[task]})
                    lengths[first] = len(crew_seats(seats[department], marks))
                total += (rate - following) * lengths[first] * size
        result[department] = total
    return result


Cell = tuple[int, list[Fraction], tuple[str, ...]]
"""A profile's size, a department's inclusion probabilities in it from great to small, and their tasks."""


def _cells(announcement: Mapping[str, Any], frozen: Frozen) -> dict[str, list[Cell]]:
    department_of = {task["id"]: task["department"] for task in announcement["tasks"]}
    lead_of = {task["id"]: task["lead"] for task in announcement["tasks"]}
    probability = {
        (task, s.id): s.expected / s.size for task, strata in frozen.strata.items() for s in strata if s.size
    }
    sizes = np.bincount(frozen.profile, minlength=len(frozen.profiles)).tolist()
    cells: dict[str, list[Cell]] = {department: [] for department in sorted(set(department_of.values()))}
    for profile, size in zip(frozen.profiles, sizes, strict=True):
        found: dict[str, list[tuple[Fraction, str]]] = defaultdict(list)
        for task in profile:
            source = lead_of[task] or task
            rate = probability.get((source, profile[source])) if source in profile else None
            if rate:
                found[department_of[task]].append((rate, task))
        for department, rates in found.items():
            ordered = sorted(rates, key=lambda one: (-one[0], one[1]))
            cells[department].append(
                (size, [rate for rate, _ in ordered], tuple(task for _, task in ordered))
            )
    return cells


def capacity(frozen: Frozen, days: int) -> dict[str, int]:
    """Return each department's seats in the period: Σ over its inspectors of the smaller of both caps' totals."""
    result: dict[str, int] = defaultdict(int)
    for row in frozen.roster:
        result[row.department] += min(row.total, row.daily * (days - len(row.absent)))
    return dict(result)


def early_warnings(announcement: Mapping[str, Any], frozen: Frozen) -> tuple[Problem, ...]:
    """Return warnings about pools, marks, capacity and small strata, by department and task."""
    return (
        *_capacity_warnings(announcement, frozen),
        *_pool_warnings(announcement, frozen),
        *_small_strata(announcement),
    )


def _capacity_warnings(announcement: Mapping[str, Any], frozen: Frozen) -> list[Problem]:
    available = capacity(frozen, len(announcement["days"]))
    problems = []
    for department, seats in expected_seats(announcement, frozen).items():
        need, have = ceil(seats), available.get(department, 0)
        if need > have:
            problems.append(
                _warning(
                    "capacity-short",
                    f"crews.{department}",
                    f"{need} > {have}",
                    f"部门 {department} 预计需要 {need} 人次，检查人员本期最多 {have} 人次：部分检查将无日期",
                    f"department {department} will need about {need} seats, its inspectors have {have}: visits will stay undated",
                    "增加检查人员、提高 caps，或减少任务。",
                    "Add inspectors, raise the caps, or reduce the tasks.",
                )
            )
    return problems


@dataclass(frozen=True, slots=True)
class ThinPool:
    """A seat that few may take: ``need`` a crew, ``able`` people, in ``places`` (``*``: all districts)."""

    department: str
    marks: tuple[str, ...]
    need: int
    able: int
    places: str


def thin_pools(announcement: Mapping[str, Any], frozen: Frozen) -> list[ThinPool]:
    """Return the seats whose pool makes the pairing nearly foreseeable, by department."""
    cross = announcement["policy"]["cross_district"]
    all_districts = sorted(set(frozen.districts))
    districts = [None] if cross else all_districts
    found = []
    for department, seats in _seats(announcement).items():
        rows = [row for row in frozen.roster if row.department == department]
        thin: dict[tuple[tuple[str, ...], int, int], list[str]] = defaultdict(list)
        for district in districts:
            pool = [row for row in rows if district is None or district in row.districts]
            for marks in sorted(set(seats)):
                need = seats.count(marks)
                able = sum(1 for row in pool if set(marks) <= set(row.marks))
                if able < POOL_FACTOR * need or (marks and able == 1):
                    thin[marks, need, able].append(district or "*")
        for (marks, need, able), where in sorted(thin.items()):
            places = "*" if len(where) == len(all_districts) and len(where) > 1 else ", ".join(where)
            found.append(ThinPool(department, marks, need, able, places))
    return found


def _pool_warnings(announcement: Mapping[str, Any], frozen: Frozen) -> list[Problem]:
    problems = []
    for pool in thin_pools(announcement, frozen):
        named = "+".join(pool.marks) or "open"
        problems.append(
            _warning(
                "mark-held-by-one" if pool.marks and pool.able == 1 else "pool-thin",
                f"crews.{pool.department}",
                f"{named}: {pool.able}",
                f"部门 {pool.department} 在区划 {pool.places}：席位 {named} 每组需 {pool.need} 人，可任者仅 {pool.able} 人，"
                "配对几乎可以预知",
                f"department {pool.department} in {pool.places}: seat {named} needs {pool.need} a crew, only {pool.able} "
                "may take it; the pairing is nearly foreseeable",
                "为该区划增加有此资格的检查人员（至少为需求的三倍）。",
                "Add inspectors with these marks there (at least three times the need).",
            )
        )
    return problems


def _small_strata(announcement: Mapping[str, Any]) -> list[Problem]:
    return [
        _warning(
            "small-strata",
            f"tasks.{rate['task']}",
            str(rate["small"]),
            f"任务 {rate['task']} 有不足 5 户且全抽或不抽的层：结果等于指定，公示中会显示",
            f"task {rate['task']} has strata of under five enterprises that are drawn whole or not at all; the record shows this",
            "合并层或扩大范围。",
            "Merge strata or widen the scope.",
        )
        for rate in announcement["rates"]
        if rate["small"]
    ]


def _seats(announcement: Mapping[str, Any]) -> dict[str, list[tuple[str, ...]]]:
    """Return each department's seats as its tasks need them at most, all marks of its items on one visit."""
    result = {}
    for crew in announcement["crews"]:
        department = crew["department"]
        marks = [
            mark
            for task in announcement["tasks"]
            if task["department"] == department
            for item in task["items"]
            for mark in item["marks"]
        ]
        result[department] = list(crew_seats(crew["seats"], marks))
    return result


def _warning(code: str, column: str, value: str, zh: str, en: str, remedy_zh: str, remedy_en: str) -> Problem:
    return Problem(
        code, "plan.toml", None, None, column, value, zh, en, remedy_zh, remedy_en, severity="warning"
    )
