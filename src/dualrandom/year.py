"""The year to date: what each task owes, has done and will miss at this pace, by credit class and district.

Ratios are annual, so a month that was skipped must be made up for. The forecast is plain: what was done so far, plus the same
pace for the months that are left; it says where a dispatcher has to act, not what a plan will draw. Checks that another
department's finding stands for (互认) are counted apart: they are neither done nor owed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import ceil, floor

from dualrandom.eligibility import year_to_date
from dualrandom.membership import Membership, membership
from dualrandom.policy.plan import Plan, Task
from dualrandom.quota import annual_targets, expected_sizes
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
    recognised: int
    forecast: int
    short: int


def progress(plan: Plan, libraries: Libraries) -> tuple[Progress, ...]:
    """Return one row per ``own`` task, class and district in its scope.

    Targets are those after policies; a class and district has its stratum's by its share, a budget task's by its weights.
    """
    done = year_to_date(plan, libraries.visits, libraries.items, libraries.enterprises)
    placed = membership(plan, libraries.enterprises, done)
    elapsed = plan.period[0].month - 1
    rows: list[Progress] = []
    for task in plan.tasks:
        if task.mode == "follows":
            continue
        targets = _targets(task, placed)
        cells = [(cell, counts) for cell, counts in placed.cells.items() if cell[0] == task.id]
        for credit_class, district in sorted({cell[1:3] for cell, _ in cells}):
            here = [(cell, counts) for cell, counts in cells if cell[1:3] == (credit_class, district)]
            target = sum((targets[cell] for cell, _ in here), Fraction(0))
            checked = sum(counts.done for _, counts in here)
            # in January there is no pace yet: the forecast is that the plan is kept
            forecast = (
                checked + int(Fraction(checked, elapsed) * plan.months_left) if elapsed else ceil(target)
            )
            rows.append(
                Progress(
                    task=task.id,
                    credit_class=credit_class,
                    district=district,
                    whole=sum(counts.whole for _, counts in here),
                    eligible=sum(counts.eligible for _, counts in here),
                    target=target,
                    done=checked,
                    recognised=sum(counts.recognised for _, counts in here),
                    forecast=forecast,
                    # a class of a small district owes fractions: only whole checks are missed
                    short=0 if task.operator == "ceiling" else max(0, floor(target - forecast)),
                )
            )
    return tuple(rows)


def _targets(task: Task, placed: Membership) -> dict[tuple[str, str, str, str], Fraction]:
    """Return the checks a year of each cell: its share of its stratum's, in which all are owed equally many."""
    populations, bounds = placed.populations[task.id], placed.resolutions[task.id].bounds
    if task.ratios is not None:
        by_stratum = annual_targets(task, populations, "unbiased", bounds)
    else:
        # the budget as it is shared over a whole year in which nothing has been done yet, within what policies say
        year = {s: replace(one, eligible=one.whole, done=0, waiting=0) for s, one in populations.items()}
        by_stratum = expected_sizes(task, year, 1, "unbiased", bounds)
    return {
        cell: by_stratum[cell[3]] * counts.whole / populations[cell[3]].whole if counts.whole else Fraction(0)
        for cell, counts in placed.cells.items()
        if cell[0] == task.id
    }


def missed(rows: Sequence[Progress]) -> tuple[Progress, ...]:
    """Return the rows that will end the year short, the worst first."""
    return tuple(
        sorted((r for r in rows if r.short), key=lambda r: (-r.short, r.task, r.credit_class, r.district))
    )
