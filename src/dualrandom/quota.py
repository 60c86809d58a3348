"""From annual quotas to this period's expected sample sizes, in exact rationals.

An item's ratio is annual (年度抽查比例); a period draws what is still owed: (annual target - done so far) / months left. Policies
bound the target of each stratum and of several together (:class:`Bounds`); guidance (soft) gives way to law (hard). Sources: the
published item lists with floors, ceilings and exact ratios; 企业公示信息抽查办法. docs/protocol.md §6 takes the result as ``expected``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
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
    be drawn; ``done`` the checks of this task that count towards the year. ``kind`` and ``district`` are empty where the
    stratum mixes them; ``credit_class`` is always one that has the stratum's ratio.
    """

    credit_class: str
    whole: int
    eligible: int
    done: int
    kind: str = ""
    district: str = ""
    waiting: int = 0
    """How many are out only until their interval has passed."""


@dataclass(frozen=True, slots=True)
class Range:
    """A stratum's least and greatest annual ratio, and whether the greatest is a law's ceiling (rounded down)."""

    low: Fraction = Fraction(0)
    high: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class Together:
    """Bounds on several strata at once: ``low`` ≤ Σ targets / (Σ whole · frequency) ≤ ``high``."""

    strata: frozenset[str]
    low: Fraction = Fraction(0)
    high: Fraction | None = None
    hard: bool = True


@dataclass(frozen=True)
class Bounds:
    """What policies say about the strata of one task. Soft ranges lie within the hard ones."""

    hard: Mapping[str, Range] = field(default_factory=dict)
    soft: Mapping[str, Range] = field(default_factory=dict)
    together: tuple[Together, ...] = ()


FREE = Bounds()


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


def annual_targets(
    task: Task, populations: Mapping[str, Population], rounding: Rounding, bounds: Bounds = FREE
) -> dict[str, Fraction]:
    """Return the checks a year of each stratum of a task with ratios, within the bounds as far as they can be met.

    The plan's ratio is moved into the soft and then the hard range, and to the task's ``minimum``. Where strata together miss a
    bound, all their targets are multiplied by one factor, each kept within its range: within the soft ranges first, then
    within the hard ones. Smaller sets of strata come first, and what they fixed stays fixed.
    """
    assert task.ratios is not None
    mass: dict[str, Fraction] = {}
    ranges: dict[str, tuple[Fraction, Fraction, Fraction, Fraction]] = {}
    for stratum, population in populations.items():
        base = Fraction(population.whole * task.frequency)
        hard, soft = bounds.hard.get(stratum, Range()), bounds.soft.get(stratum, Range())
        least = min(Fraction(task.minimum), base * hard.high, Fraction(population.whole))
        low, high = max(base * hard.low, least), base * hard.high
        soft_low, soft_high = (min(max(base * edge, low), high) for edge in (soft.low, soft.high))
        mass[stratum] = base * task.ratios[population.credit_class]
        ranges[stratum] = low, soft_low, soft_high, high
    targets = {s: min(max(mass[s], ranges[s][1]), ranges[s][2]) for s in populations}
    fixed: dict[str, Fraction] = {}
    for bound in sorted(bounds.together, key=lambda one: (len(one.strata), not one.hard, sorted(one.strata))):
        members = [s for s in populations if s in bound.strata]
        base = sum((Fraction(populations[s].whole * task.frequency) for s in members), Fraction(0))
        total = sum((targets[s] for s in members), Fraction(0))
        wanted = max(total, base * bound.low)
        if bound.high is not None:
            wanted = min(wanted, base * bound.high)
        if wanted == total:
            continue
        for inner, outer in ((1, 2), (0, 3)) if bound.hard else ((1, 2),):
            lower = {s: fixed.get(s, ranges[s][inner]) if wanted < total else targets[s] for s in members}
            upper = {s: targets[s] if wanted < total else fixed.get(s, ranges[s][outer]) for s in members}
            lower = {s: min(lower[s], upper[s]) for s in members}
            targets |= scaled({s: targets[s] or mass[s] for s in members}, lower, upper, wanted)
            if sum((targets[s] for s in members), Fraction(0)) == wanted:
                break
        fixed |= {s: targets[s] for s in members}
    if rounding == "unbiased":
        return targets
    return _whole(task, populations, targets, {s: floor(ranges[s][3]) for s in populations}, bounds)


def _whole(
    task: Task,
    populations: Mapping[str, Population],
    targets: Mapping[str, Fraction],
    most: Mapping[str, int],
    bounds: Bounds,
) -> dict[str, Fraction]:
    """Make targets whole: up, but never above a law's ceiling, of a stratum or of several together."""
    up = task.operator != "ceiling"
    whole = {
        s: Fraction(ceil(t) if up and ceil(t) <= most[s] else min(floor(t), most[s]))
        for s, t in targets.items()
    }
    for bound in bounds.together:
        if bound.high is None or not bound.hard:
            continue
        members = {s: targets[s] for s in populations if s in bound.strata}
        base = sum((Fraction(populations[s].whole * task.frequency) for s in members), Fraction(0))
        most_together = floor(base * bound.high)
        if sum(whole[s] for s in members) > most_together:
            whole |= largest_remainders(
                members, min(most_together, floor(sum(members.values(), Fraction(0))))
            )
    return whole


def scaled(
    mass: Mapping[str, Fraction],
    lower: Mapping[str, Fraction],
    upper: Mapping[str, Fraction],
    total: Fraction,
) -> dict[str, Fraction]:
    """Return the values min(upper, max(lower, factor · mass)) whose sum is ``total``, for one factor ≥ 0.

    Below Σ lower all are lower, above what the uppers allow all are upper; what has no mass stays lower. Exact.
    """
    moving = [s for s in mass if mass[s] > 0]

    def values(factor: Fraction) -> dict[str, Fraction]:
        return {s: min(upper[s], max(lower[s], factor * mass[s])) for s in mass}

    def whole(factor: Fraction) -> Fraction:
        return sum(values(factor).values(), Fraction(0))

    edges = sorted({edge[s] / mass[s] for s in moving for edge in (lower, upper)})
    if not edges or total <= whole(edges[0]):
        return dict(lower)
    below, above = 0, len(edges) - 1
    if whole(edges[above]) <= total:
        return values(edges[above])
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (middle, above) if whole(edges[middle]) <= total else (below, middle)
    at_rest = values(edges[below])
    middle_factor = (edges[below] + edges[above]) / 2
    free = [s for s in moving if lower[s] < middle_factor * mass[s] < upper[s]]
    missing = total - sum(at_rest.values(), Fraction(0))
    slope = sum((mass[s] for s in free), Fraction(0))
    return values(edges[below] + missing / slope) if free else at_rest


def expected_sizes(
    task: Task,
    populations: Mapping[str, Population],
    months_left: int,
    rounding: Rounding,
    bounds: Bounds = FREE,
) -> dict[str, Fraction]:
    """Return e_h for each stratum of an ``own`` task. Sizes may exceed the eligible ones: the caller refuses that."""
    if task.budget is not None:
        return _budget_sizes(task, populations, months_left, rounding, bounds)
    targets = annual_targets(task, populations, rounding, bounds)
    return {s: owed(targets[s], populations[s].done, months_left, rounding) for s in populations}


def annual_budget(task: Task, populations: Mapping[str, Population], bounds: Bounds = FREE) -> Fraction:
    """Return the visits a year of a budget task: its budget, raised or lowered to the laws on all its strata together."""
    assert task.budget is not None
    budget = Fraction(task.budget.visits)
    base = Fraction(sum(p.whole for p in populations.values()) * task.frequency)
    for bound in bounds.together:
        if bound.strata >= populations.keys():
            budget = max(budget, base * bound.low)
            budget = budget if bound.high is None else min(budget, base * bound.high)
    return budget


def _budget_sizes(
    task: Task,
    populations: Mapping[str, Population],
    months_left: int,
    rounding: Rounding,
    bounds: Bounds,
) -> dict[str, Fraction]:
    """Share the period's budget in proportion to weight times eligible enterprises, each within its bounds and stratum.

    What a full stratum cannot take goes to the others in the same proportion. With ``up`` the sizes are made whole by
    largest remainders (ties: smaller stratum id), so the budget is kept.
    """
    done = sum(population.done for population in populations.values())
    available = max(Fraction(0), annual_budget(task, populations, bounds) - done) / months_left
    if rounding == "up":
        available = Fraction(ceil(available))
    lower: dict[str, Fraction] = {}
    upper: dict[str, Fraction] = {}
    mass: dict[str, Fraction] = {}
    for s, p in populations.items():
        base = Fraction(p.whole * task.frequency)
        hard, soft = bounds.hard.get(s, Range()), bounds.soft.get(s, Range())
        high = base * min(hard.high, max(soft.high, hard.low))
        low = max(base * max(hard.low, min(soft.low, hard.high)), min(Fraction(task.minimum), high))
        if rounding == "up":
            low, high = Fraction(ceil(low)), Fraction(floor(high))
        weighty = weight(task, p) > 0 or low > 0
        upper[s] = (
            min(Fraction(p.eligible), owed(high, p.done, months_left, rounding)) if weighty else Fraction(0)
        )
        if s not in bounds.hard and s not in bounds.soft:
            upper[s] = Fraction(p.eligible) if weighty else Fraction(0)
        lower[s] = min(owed(low, p.done, months_left, rounding), upper[s])
        mass[s] = weight(task, p) * p.eligible
    available = max(available, sum(lower.values(), Fraction(0)))
    sizes = scaled(mass, lower, upper, min(available, sum(upper.values(), Fraction(0))))
    if rounding != "up":
        return sizes
    return largest_remainders(sizes, round(sum(sizes.values(), Fraction(0))))


def weight(task: Task, population: Population) -> Fraction:
    """Return the budget weight of a stratum."""
    assert task.budget is not None
    return task.budget.weights.get(population.credit_class, Fraction(0))


def largest_remainders(sizes: Mapping[str, Fraction], total: int) -> dict[str, Fraction]:
    """Round sizes to whole numbers with the given sum, which is between Σ floors and Σ ceilings."""
    whole = {stratum: Fraction(floor(size)) for stratum, size in sizes.items()}
    missing = total - int(sum(whole.values(), Fraction(0)))
    by_remainder = sorted(sizes, key=lambda stratum: (whole[stratum] - sizes[stratum], stratum))
    for stratum in by_remainder[:missing] if missing > 0 else ():
        whole[stratum] += 1
    return whole
