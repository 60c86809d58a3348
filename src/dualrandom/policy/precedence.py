"""Which of several policies holds for a task and a stratum, and which conflicts nobody can meet (docs/policies.md).

Precedence between rules that bound the same thing in the same direction: law (``force = "hard"``) before guidance, the more
specific scope before the more general one, the higher level before the lower one, the later date before the earlier one; of
rules that are equal in all of this, the stricter one. A ceiling below a floor, both law, is an error that names both sources;
guidance always yields to law.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal

from dualrandom.policy.documents import EVERY_CLASS, LEVELS, RATIOS, Policy, PolicyScope, Rule
from dualrandom.policy.plan import Plan, Task
from dualrandom.quota import Population
from dualrandom.together import Bounds, Range, Together

Covers = Literal["all", "part", "none"]
Direction = Literal["floor", "ceiling"]


@dataclass(frozen=True, slots=True)
class Applied:
    """A rule with the policy it belongs to."""

    policy: Policy
    rule: Rule

    @property
    def name(self) -> str:
        """Policy and rule as they are cited: ``henan-2021/ratios-by-class``."""
        return f"{self.policy.id}/{self.rule.id}"

    @property
    def rank(self) -> tuple[bool, int, int, date]:
        """The greater, the more it prevails."""
        rule = self.rule
        level = LEVELS.index(self.policy.level)
        return rule.hard, rule.scope.specificity, level, self.policy.valid_from or date.min


def rules_for(plan: Plan, task: Task, item_categories: Mapping[str, str]) -> tuple[Applied, ...]:
    """Return the rules in force over the period that concern the task: the plan's policies and its own.

    ``item_categories``: item id → ``general`` or ``key``. Enterprises are not looked at here.
    """
    policies = {policy.id: policy for policy in (*plan.policies, *task.policies)}
    return tuple(
        Applied(policy, rule)
        for _, policy in sorted(policies.items())
        if policy.in_force(plan.period)
        for rule in policy.rules
        if _concerns(rule, task, item_categories)
    )


def _concerns(rule: Rule, task: Task, item_categories: Mapping[str, str]) -> bool:
    scope = rule.scope
    categories = {item_categories.get(item, "") for item in task.items}
    # a recognised finding replaces a check only if nothing else is left to check
    items = (
        set(task.items) <= set(scope.items)
        if rule.kind == "recognition"
        else set(task.items) & set(scope.items)
    )
    return (
        (not scope.departments or task.department in scope.departments)
        and (not scope.tasks or task.id in scope.tasks)
        and (not scope.items or bool(items))
        and (not scope.item_categories or bool(categories & set(scope.item_categories)))
    )


def covers(scope: PolicyScope, task: Task, population: Population, by: Sequence[str]) -> Covers:
    """Say whether a stratum's enterprises are in a rule's scope: all, some as far as the plan tells, or none."""
    answers: set[Covers] = {
        _share(scope.kinds, (population.kind,) if "kind" in by else task.scope.kinds),
        _share(scope.districts, (population.district,) if "district" in by else task.scope.districts),
        _share(scope.classes, (population.credit_class,) if "class" in by else task.scope.classes),
        _share(scope.categories, task.scope.categories),
        _prefixes(scope.industries, task.scope.industries),
    }
    return "none" if "none" in answers else "part" if "part" in answers else "all"


def _covered(applied: Applied, task: Task, population: Population) -> Covers:
    """The same for a stratum that may have been cut by this very rule."""
    inside = population.inside.get(applied.name)
    if inside is not None:
        return "all" if inside else "none"
    return covers(applied.rule.scope, task, population, task.strata_by)


def _share(wanted: Sequence[str], present: Sequence[str]) -> Covers:
    if not wanted:
        return "all"
    if not present:
        return "part"
    both = set(wanted) & set(present)
    return "all" if both == set(present) else "part" if both else "none"


def _prefixes(wanted: Sequence[str], present: Sequence[str]) -> Covers:
    if not wanted:
        return "all"
    if not present:
        return "part"
    inside = [any(one.startswith(prefix) for prefix in wanted) for one in present]
    if all(inside):
        return "all"
    outside = any(prefix.startswith(one) for one in present for prefix in wanted)
    return "part" if any(inside) or outside else "none"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What holds for one stratum (or several together) in one direction: the winning rule and those it beat."""

    direction: Direction
    ratio: Fraction
    winner: Applied
    beaten: tuple[Applied, ...]


@dataclass(frozen=True, slots=True)
class Conflict:
    """A law's floor above a law's ceiling, on ``where``: strata, joined by commas."""

    where: str
    floor: Verdict
    ceiling: Verdict


@dataclass(frozen=True)
class Resolution:
    """All that policies say about one task's ratios. ``partial``: rules that concern part of a stratum that cannot be cut."""

    bounds: Bounds
    verdicts: Mapping[str, tuple[Verdict, ...]]
    """Stratum, or strata together joined by commas → what holds there."""
    conflicts: tuple[Conflict, ...]
    partial: tuple[Applied, ...]
    by: tuple[str, ...]
    """Marks that divide the task into strata."""


Rivals = dict[tuple[frozenset[str], Direction, bool], list[tuple[Fraction, Applied]]]
"""(strata, direction, whether law) → ratios with their rules."""


def resolve(task: Task, populations: Mapping[str, Population], rules: Sequence[Applied]) -> Resolution:
    """Return the bounds of a task's strata. A conflict leaves the ceiling in place: the caller refuses it."""
    alone: Rivals = {}
    together: Rivals = {}
    partial: dict[str, Applied] = {}
    mixed = "class" not in task.strata_by and len(task.scope.classes) != 1
    for applied in rules:
        rule = applied.rule
        if rule.kind not in RATIOS:
            continue
        found = {s: _covered(applied, task, p) for s, p in populations.items()}
        members = frozenset(s for s, answer in found.items() if answer == "all")
        by_class = EVERY_CLASS not in rule.ratios
        if "part" in found.values() or (by_class and mixed and members):
            partial[applied.name] = applied
        for direction in _directions(rule) if members else ():
            if not by_class:
                together.setdefault((members, direction, rule.hard), []).append(
                    (rule.ratios[EVERY_CLASS], applied)
                )
                continue
            for s in members if not mixed else ():
                ratio = rule.ratios.get(populations[s].credit_class)
                if ratio is not None:
                    alone.setdefault((frozenset({s}), direction, rule.hard), []).append((ratio, applied))
    verdicts: dict[str, list[Verdict]] = {}
    conflicts: list[Conflict] = []
    hard: dict[str, Range] = {}
    soft: dict[str, Range] = {}
    for members, is_hard, low, high in _settled(alone, verdicts, conflicts):
        (stratum,) = members
        ranges = hard if is_hard else soft
        ranges[stratum] = Range(low or Fraction(0), Fraction(1) if high is None else high)
    sets = tuple(
        Together(members, low or Fraction(0), high, is_hard)
        for members, is_hard, low, high in _settled(together, verdicts, conflicts)
    )
    return Resolution(
        Bounds(hard, soft, sets),
        {where: tuple(found) for where, found in verdicts.items()},
        tuple(conflicts),
        tuple(partial[name] for name in sorted(partial)),
        task.strata_by,
    )


def _directions(rule: Rule) -> tuple[Direction, ...]:
    if rule.kind == "exact":
        return "floor", "ceiling"
    return ("floor",) if rule.kind == "floor" else ("ceiling",)


def _settled(
    rivals: Rivals, verdicts: dict[str, list[Verdict]], conflicts: list[Conflict]
) -> Iterator[tuple[frozenset[str], bool, Fraction | None, Fraction | None]]:
    """Yield (strata, whether law, least ratio, greatest ratio); note what won and which laws contradict each other."""
    keys = {(members, is_hard) for members, _, is_hard in rivals}
    for members, is_hard in sorted(keys, key=lambda key: (len(key[0]), sorted(key[0]), not key[1])):
        low, high = (_winner(rivals.get((members, d, is_hard)), d) for d in ("floor", "ceiling"))
        where = ",".join(sorted(members))
        verdicts.setdefault(where, []).extend(one for one in (low, high) if one is not None)
        if low is not None and high is not None and low.ratio > high.ratio:
            if is_hard:
                conflicts.append(Conflict(where, low, high))
            low = None
        yield members, is_hard, low.ratio if low else None, high.ratio if high else None


def _winner(rivals: Sequence[tuple[Fraction, Applied]] | None, direction: Direction) -> Verdict | None:
    if not rivals:
        return None
    strict = 1 if direction == "floor" else -1
    ordered = sorted(rivals, key=lambda one: (one[1].rank, strict * one[0], one[1].name), reverse=True)
    return Verdict(direction, ordered[0][0], ordered[0][1], tuple(one[1] for one in ordered[1:]))


def class_ratios(policies: Sequence[Policy], classes: Sequence[str]) -> Mapping[str, Fraction] | None:
    """Return the ratios by class that a policy prescribes exactly, for a task that gives none; None if no policy does.

    Of several, the one that prevails. Only policies whose rule covers every class of ``classes`` are asked.
    """
    found = [
        Applied(policy, rule)
        for policy in policies
        for rule in policy.rules
        if rule.kind == "exact" and set(classes) <= rule.ratios.keys()
    ]
    if not found:
        return None
    best = max(found, key=lambda one: (one.rank, one.name))
    return {name: best.rule.ratios[name] for name in classes}
