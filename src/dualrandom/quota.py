"""From annual quotas to this period's expected sample sizes, in exact rationals.

An item's ratio is annual (年度抽查比例); a period draws what is still owed: (annual target - done so far) / months left. Sources: the
published item lists with floors, ceilings and exact ratios; 企业公示信息抽查办法. docs/protocol.md §6 takes the result as ``expected``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor

from dualrandom.policy.plan import Operator, Rounding, Task


@dataclass(frozen=True, slots=True)
class Stratum:
    """A stratum (层) of one task: its ``group``, the number of eligible enterprises and the expected sample."""

    id: str
    group: str
    size: int
    expected: Fraction


@dataclass(frozen=True, slots=True)
class Population:
    """What the quota of one stratum is computed from.

    ``whole`` counts the enterprises in scope, those already checked this year included; ``eligible`` those that can still
    be drawn; ``done`` the checks of this task that count towards the year.
    """

    credit_class: str
    whole: int
    eligible: int
    done: int


def annual_target(
    whole: int, ratio: Fraction, frequency: int, operator: Operator, rounding: Rounding
) -> Fraction:
    """Return a stratum's checks a year. With ``up`` a floor is rounded up and a ceiling down to whole checks."""
    target = whole * ratio * frequency
    if rounding == "unbiased":
        return target
    return Fraction(floor(target) if operator == "ceiling" else ceil(target))


def owed(target: Fraction, done: int, months_left: int, rounding: Rounding) -> Fraction:
    """Return this period's share of what is still owed, never negative; with ``up`` a whole number."""
    share = max(Fraction(0), target - done) / months_left
    return Fraction(ceil(share)) if rounding == "up" else share


def expected_sizes(
    task: Task, populations: Mapping[str, Population], months_left: int, rounding: Rounding
) -> dict[str, Fraction]:
    """Return e_h for each stratum of an ``own`` task. Sizes may exceed the eligible ones: the caller refuses that."""
    if task.budget is not None:
        return _budget_sizes(task, populations, months_left, rounding)
    assert task.ratios is not None
    return {
        stratum: owed(
            annual_target(
                population.whole,
                task.ratios[population.credit_class],
                task.frequency,
                task.operator,
                rounding,
            ),
            population.done,
            months_left,
            rounding,
        )
        for stratum, population in populations.items()
    }


def _budget_sizes(
    task: Task, populations: Mapping[str, Population], months_left: int, rounding: Rounding
) -> dict[str, Fraction]:
    """Share the period's budget in proportion to weight times eligible enterprises, none above its stratum.

    What a full stratum cannot take goes to the others in the same proportion. With ``up`` the sizes are made whole by
    largest remainders (ties: smaller stratum id), so the budget is kept.
    """
    assert task.budget is not None
    done = sum(population.done for population in populations.values())
    available = max(Fraction(0), Fraction(task.budget.visits - done)) / months_left
    if rounding == "up":
        available = Fraction(ceil(available))
    available = min(
        available, Fraction(sum(p.eligible for p in populations.values() if _weight(task, p) > 0))
    )
    sizes = dict.fromkeys(populations, Fraction(0))
    open_strata = {s for s, p in populations.items() if p.eligible and _weight(task, p) > 0}
    while open_strata and available > 0:
        mass = {s: _weight(task, populations[s]) * populations[s].eligible for s in open_strata}
        whole = sum(mass.values(), Fraction(0))
        full = {s for s in open_strata if available * mass[s] >= populations[s].eligible * whole}
        if not full:
            sizes |= {s: available * mass[s] / whole for s in open_strata}
            break
        sizes |= {s: Fraction(populations[s].eligible) for s in full}
        available -= sum(populations[s].eligible for s in full)
        open_strata -= full
    return _largest_remainders(sizes) if rounding == "up" else sizes


def _weight(task: Task, population: Population) -> Fraction:
    assert task.budget is not None
    return task.budget.weights.get(population.credit_class, Fraction(0))


def _largest_remainders(sizes: Mapping[str, Fraction]) -> dict[str, Fraction]:
    whole = {stratum: Fraction(floor(size)) for stratum, size in sizes.items()}
    missing = round(sum(sizes.values(), Fraction(0)) - sum(whole.values(), Fraction(0)))
    by_remainder = sorted(sizes, key=lambda stratum: (whole[stratum] - sizes[stratum], stratum))
    for stratum in by_remainder[:missing]:
        whole[stratum] += 1
    return whole
