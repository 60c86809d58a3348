"""The year to date: what each task owes, has done and will miss at this pace, by credit class and district.

Ratios are annual, so a month that was skipped must be made up for. The forecast is plain: what was done so far, plus the same
pace for the months that are left; it says where a dispatcher has to act, not what a plan will draw.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil

from dualrandom.eligibility import exclusion, in_scope, year_to_date
from dualrandom.policy.plan import Plan, Task
from dualrandom.quota import annual_target
from dualrandom.registry.models import Libraries


@dataclass(frozen=True, slots=True)
class Progress:
    """One task's year in one class and district. ``target``, ``forecast`` and ``short`` are checks a year."""

    task: str
    credit_class: str
    district: str
    whole: int
    eligible: int
    target: Fraction
    done: int
    forecast: int
    short: int


def progress(plan: Plan, libraries: Libraries) -> tuple[Progress, ...]:
    """Return one row per ``own`` task, class and district in its scope. A budget task's target is its share by weight."""
    done = year_to_date(plan, libraries.visits, libraries.items, libraries.enterprises)
    elapsed = plan.period[0].month - 1
    rows: list[Progress] = []
    for task in plan.tasks:
        if task.mode == "follows":
            continue
        whole: Counter[tuple[str, str]] = Counter()
        eligible: Counter[tuple[str, str]] = Counter()
        checked: Counter[tuple[str, str]] = Counter()
        for enterprise in libraries.enterprises:
            if not in_scope(task, enterprise, plan.period, done):
                continue
            cell = enterprise.credit_class, enterprise.district
            whole[cell] += 1
            eligible[cell] += exclusion(plan, task, enterprise, done) is None
            checked[cell] += min(task.frequency, done.checks.get((task.id, enterprise.id), 0))
        targets = _targets(task, whole)
        for cell in sorted(whole):
            pace = Fraction(checked[cell], elapsed) if elapsed else None
            # in January there is no pace yet: the forecast is that the plan is kept
            forecast = ceil(targets[cell]) if pace is None else checked[cell] + int(pace * plan.months_left)
            rows.append(
                Progress(
                    task=task.id,
                    credit_class=cell[0],
                    district=cell[1],
                    whole=whole[cell],
                    eligible=eligible[cell],
                    target=targets[cell],
                    done=checked[cell],
                    forecast=forecast,
                    short=0 if task.operator == "ceiling" else max(0, ceil(targets[cell]) - forecast),
                )
            )
    return tuple(rows)


def _targets(task: Task, whole: Counter[tuple[str, str]]) -> dict[tuple[str, str], Fraction]:
    if task.ratios is not None:
        return {
            cell: annual_target(
                size, task.ratios.get(cell[0], Fraction(0)), task.frequency, task.operator, "unbiased"
            )
            for cell, size in whole.items()
        }
    assert task.budget is not None
    mass = {cell: task.budget.weights.get(cell[0], Fraction(0)) * size for cell, size in whole.items()}
    total = sum(mass.values(), Fraction(0))
    return {cell: task.budget.visits * part / total if total else Fraction(0) for cell, part in mass.items()}


def missed(rows: Sequence[Progress]) -> tuple[Progress, ...]:
    """Return the rows that will end the year short, the worst first."""
    return tuple(
        sorted((r for r in rows if r.short), key=lambda r: (-r.short, r.task, r.credit_class, r.district))
    )
