"""From annual quotas to this period's expected sample sizes, in exact rationals.

An item's ratio is annual (年度抽查比例); a period draws what is still owed: (annual target - done so far) / months left. Policies
bound the target of each stratum and of several together (:class:`Bounds`); guidance (soft) gives way to law (hard). Sources: the
published item lists with floors, ceilings and exact ratios; 企业公示信息抽查办法. docs/protocol.md §6 takes the result as ``expected``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import ceil, floor

from dualrandom.policy.plan import Operator, Rounding, Task
from dualrandom.together import FREE, Bounds, Range, Step, Together, largest_remainders, scaled, settled


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
    inside: Mapping[str, bool] = field(default_factory=dict)
    """Rule that splits what would be one stratum → whether this part of it is the one that the rule concerns."""


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
    start = {s: min(max(mass[s], ranges[s][1]), ranges[s][2]) for s in populations}

    def moved(
        sizes: Mapping[str, Fraction], members: Sequence[str], wanted: Fraction, step: Step
    ) -> dict[str, Fraction]:
        inner, outer = (0, 3) if step.wide else (1, 2)
        lower = {s: step.kept.get(s, ranges[s][inner]) for s in members}
        upper = {s: step.kept.get(s, ranges[s][outer]) for s in members}
        if wanted < sum((sizes[s] for s in members), Fraction(0)):
            upper = {s: max(lower[s], min(upper[s], sizes[s])) for s in members}
        else:
            lower = {s: min(upper[s], max(lower[s], sizes[s])) for s in members}
        return scaled({s: sizes[s] or mass[s] for s in members}, lower, upper, wanted)

    def span(bound: Together) -> tuple[Fraction, Fraction | None]:
        base = _base(task, populations, bound)
        return base * bound.low, None if bound.high is None else base * bound.high

    targets = settled(bounds.together, lambda fixed: start | dict(fixed), span, moved)
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
    # larger sets first: what a smaller one takes away does not put a larger one above its ceiling
    for bound in sorted(bounds.together, key=lambda one: (-len(one.strata), sorted(one.strata))):
        if bound.high is None or not bound.hard:
            continue
        members = {s: targets[s] for s in populations if s in bound.strata}
        most_together = floor(_base(task, populations, bound) * bound.high)
        if sum(whole[s] for s in members) > most_together:
            whole |= largest_remainders(
                members, min(most_together, floor(sum(members.values(), Fraction(0))))
            )
    return whole


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
    total = min(available, sum(upper.values(), Fraction(0)))

    def shared(fixed: Mapping[str, Fraction]) -> dict[str, Fraction]:
        rest = {s: mass[s] for s in populations if s not in fixed}
        left = max(total - sum(fixed.values(), Fraction(0)), sum((lower[s] for s in rest), Fraction(0)))
        return scaled(rest, lower, upper, left) | dict(fixed)

    def moved(
        _: Mapping[str, Fraction], members: Sequence[str], wanted: Fraction, step: Step
    ) -> dict[str, Fraction]:
        kept = {s: step.kept[s] for s in members if s in step.kept}
        free = {s: mass[s] for s in members if s not in kept}
        found = scaled(free, lower, upper, wanted - sum(kept.values(), Fraction(0)))
        if rounding == "up":
            found = largest_remainders(found, round(sum(found.values(), Fraction(0))))
        return found | kept

    def span(bound: Together) -> tuple[Fraction, Fraction | None]:
        return span_now(bound, task, populations, months_left, rounding)

    sizes = settled(bounds.together, shared, span, moved)
    if rounding != "up":
        return sizes
    broken = {s: size for s, size in sizes.items() if size.denominator > 1}
    return sizes | largest_remainders(broken, ceil(sum(broken.values(), Fraction(0))))


def span_now(
    bound: Together, task: Task, populations: Mapping[str, Population], months_left: int, rounding: Rounding
) -> tuple[Fraction, Fraction | None]:
    """Return between what the members of a bound must lie together in this period. With ``up`` both are whole numbers."""
    base = _base(task, populations, bound)
    done = sum(p.done for s, p in populations.items() if s in bound.strata)
    low = owed(base * bound.low, done, months_left, rounding)
    if bound.high is None:
        return low, None
    most = base * bound.high
    high = owed(Fraction(floor(most)) if rounding == "up" else most, done, months_left, rounding)
    return min(low, high), high


def _base(task: Task, populations: Mapping[str, Population], bound: Together) -> Fraction:
    """Return the checks a year that 100 % of a bound's strata would be."""
    return Fraction(sum(p.whole for s, p in populations.items() if s in bound.strata) * task.frequency)


def weight(task: Task, population: Population) -> Fraction:
    """Return the budget weight of a stratum."""
    assert task.budget is not None
    return task.budget.weights.get(population.credit_class, Fraction(0))
