"""Into which strata a task is divided: by the plan's marks, and further where a rule concerns only some of a stratum's firms.

A floor for restaurants in a task of all food businesses, a ceiling for one district in a task by class: such a rule can be held
only if the firms it concerns are strata of their own, for within a stratum all have the same probability. So each such rule cuts
the strata that it splits in two, inside and outside; what it does not split stays whole. A rule with a ratio for each
class divides a task that mixes classes by class. With two-way control the strata are a table and cannot be cut
(docs/protocol.md §6.2): there the rule is an error (:mod:`dualrandom.policy.report`). docs/policies.md describes the names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from dualrandom.policy.documents import EVERY_CLASS, RATIOS, PolicyScope
from dualrandom.policy.plan import Task
from dualrandom.policy.precedence import Applied, covers
from dualrandom.quota import Population
from dualrandom.registry.models import Enterprise

Firms = tuple[tuple[str, ...], ...]


def firms_of(scope: PolicyScope) -> Firms:
    """Return what a scope says about enterprises."""
    return scope.kinds, scope.districts, scope.industries, scope.categories, scope.classes


def concerns(scope: PolicyScope, enterprise: Enterprise) -> bool:
    """Whether a rule's scope names the enterprise."""
    return (
        (not scope.kinds or enterprise.kind in scope.kinds)
        and (not scope.districts or enterprise.district in scope.districts)
        and (not scope.classes or enterprise.credit_class in scope.classes)
        and (not scope.categories or enterprise.category in scope.categories)
        and (not scope.industries or enterprise.industry.startswith(scope.industries))
    )


@dataclass(frozen=True, slots=True)
class Cut:
    """Rules (by name) that concern the same firms, some of a stratum only. ``number`` counts a task's cuts from 1."""

    number: int
    scope: PolicyScope
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Division:
    """How one task is divided. ``task`` has ``strata_by`` as it is used."""

    task: Task
    cuts: tuple[Cut, ...] = ()

    def stratum(self, enterprise: Enterprise) -> str:
        """Return the enterprise's stratum: marks joined by dots, then ``p`` and the cuts it is inside of (``p0``: none)."""
        inside = self.inside(enterprise)
        whole = _marks(self.task, enterprise)
        if not inside:
            return whole
        numbers = sorted({cut.number for cut in self.cuts for rule in cut.rules if inside.get(rule)})
        return f"{whole}.p{'-'.join(map(str, numbers)) or '0'}"

    def inside(self, enterprise: Enterprise) -> dict[str, bool]:
        """Return, for each rule that splits the enterprise's stratum, whether it concerns the enterprise."""
        if not self.cuts:
            return {}
        like = Population(
            enterprise.credit_class, 0, 0, 0, kind=enterprise.kind, district=enterprise.district
        )
        return {
            rule: concerns(cut.scope, enterprise)
            for cut in self.cuts
            if covers(cut.scope, self.task, like, self.task.strata_by) == "part"
            for rule in cut.rules
        }


def _marks(task: Task, enterprise: Enterprise) -> str:
    if task.mode == "follows" or not task.strata_by:
        return "all"
    values = {"class": enterprise.credit_class, "district": enterprise.district, "kind": enterprise.kind}
    return ".".join(values[part] for part in task.strata_by)


def division(task: Task, rules: Sequence[Applied]) -> Division:
    """Return how a task is divided under the rules that concern it."""
    bounding = [applied for applied in rules if applied.rule.kind in RATIOS]
    if task.mode == "follows" or task.control == "two-way" or not bounding:
        return Division(task)
    mixed = "class" not in task.strata_by and len(task.scope.classes) != 1
    if mixed and any(_by_class(one) and _may_hold(one.rule.scope, task) for one in bounding):
        task = replace(task, strata_by=(*task.strata_by, "class"))
    found: dict[Firms, list[Applied]] = {}
    for applied in sorted(bounding, key=lambda one: one.name):
        if _may_split(applied.rule.scope, task):
            found.setdefault(firms_of(applied.rule.scope), []).append(applied)
    return Division(
        task,
        tuple(
            Cut(number, alike[0].rule.scope, tuple(one.name for one in alike))
            for number, alike in enumerate(found.values(), start=1)
        ),
    )


def _by_class(applied: Applied) -> bool:
    return EVERY_CLASS not in applied.rule.ratios


def _may_hold(scope: PolicyScope, task: Task) -> bool:
    """Whether the scope can concern any firm of the task, as far as the plan tells."""
    return covers(scope, task, _NOBODY, ()) != "none"


def _may_split(scope: PolicyScope, task: Task) -> bool:
    """Whether a stratum can have firms inside and outside of the scope: one of its marks is no mark of the strata."""
    if not _may_hold(scope, task):
        return False
    open_marks = replace(
        scope,
        kinds=() if "kind" in task.strata_by else scope.kinds,
        districts=() if "district" in task.strata_by else scope.districts,
        classes=() if "class" in task.strata_by else scope.classes,
    )
    return covers(open_marks, task, _NOBODY, ()) == "part"


_NOBODY = Population("", 0, 0, 0)


def industries_of(divisions: Mapping[str, Division]) -> set[str]:
    """Return the industry prefixes that the cuts of all tasks ask about."""
    return {prefix for one in divisions.values() for cut in one.cuts for prefix in cut.scope.industries}
