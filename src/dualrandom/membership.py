"""Every enterprise's place in the strata of every task, and what the quotas need to know about those strata.

Who may be drawn is :mod:`dualrandom.eligibility`; how many are drawn is :mod:`dualrandom.quota`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from dualrandom.eligibility import YearToDate, accepts, exclusion, filter_of, observed, suspended
from dualrandom.policy.division import Division, division, industries_of
from dualrandom.policy.plan import Plan, Task
from dualrandom.policy.precedence import Resolution, resolve
from dualrandom.quota import Population
from dualrandom.reasons import INTERVAL, NOT_OWED, NOTHING_LEFT, OUT_OF_SCOPE, OUTSIDE, RECOGNISED
from dualrandom.registry.models import Enterprise


def _group_of(task: Task, enterprise: Enterprise) -> str:
    values = {"class": enterprise.credit_class, "district": enterprise.district, "kind": enterprise.kind}
    return values.get(task.group_by, "all")


@dataclass(frozen=True, slots=True)
class Cell:
    """One task's enterprises of one credit class in one district: as in :class:`~dualrandom.quota.Population`, and how many are
    out of it because another department's finding is recognised."""

    whole: int
    eligible: int
    done: int
    recognised: int


@dataclass(frozen=True)
class Membership:
    """Which profile each enterprise of the library has, and what the quotas need."""

    profile: npt.NDArray[np.int64]
    """int64[N] over the library's enterprises; -1: in no task's frame."""
    profiles: tuple[tuple[tuple[str, str], ...], ...]
    populations: Mapping[str, Mapping[str, Population]]
    groups: Mapping[str, Mapping[str, str]]
    excluded: Mapping[str, int]
    """Reason → how many (task, enterprise) memberships it prevented, or how many enterprises are in no task at all."""
    by_task: Mapping[str, Mapping[str, int]]
    """Task → reason → enterprises of its scope that are left out for it."""
    resolutions: Mapping[str, Resolution]
    """Own task → what policies say about its ratios."""
    divisions: Mapping[str, Division]
    """Task → how it is divided into strata."""
    cells: Mapping[tuple[str, str, str, str], Cell]
    """(task, class, district, stratum) → counts."""


def membership(plan: Plan, enterprises: Sequence[Enterprise], done: YearToDate) -> Membership:
    """Place every enterprise in the strata of every task.

    Enterprises that agree in all that scopes and rules may ask share one computation; only those that the ledger or an
    exemption names are looked at one by one.
    """
    placing = _Placing(plan, done)
    shared: dict[tuple[object, ...], tuple[_Place, Enterprise]] = {}
    counts: Counter[tuple[object, ...]] = Counter()
    profile = np.empty(len(enterprises), dtype=np.int64)
    touched, untouched = done.touched, done.without_visits()
    signature = _signatures(plan, done, industries_of(placing.divisions))
    for position, enterprise in enumerate(enterprises):
        if enterprise.id in touched:
            place = placing.place(enterprise, done)
            placing.count(enterprise, place, 1)
            placing.check(enterprise, place, done)
            profile[position] = place.profile
            continue
        alike = signature(enterprise)
        known = shared.get(alike)
        if known is None:
            known = shared[alike] = placing.place(enterprise, untouched), enterprise
        counts[alike] += 1
        profile[position] = known[0].profile
    for alike, times in counts.items():
        place, enterprise = shared[alike]
        placing.count(enterprise, place, times)
    return placing.membership(profile, done)


@dataclass(frozen=True, slots=True)
class _Place:
    """An enterprise's profile (-1: in no task) and, for each task that leaves it out, the reason."""

    profile: int
    reasons: Mapping[str, str]


class _Placing:
    """Counts enterprises by task and stratum while they are placed."""

    def __init__(self, plan: Plan, done: YearToDate) -> None:
        self.plan = plan
        self.divisions = {task.id: division(task, done.policies.get(task.id, ())) for task in plan.tasks}
        self.index: dict[tuple[tuple[str, str], ...], int] = {}
        self.excluded: Counter[str] = Counter()
        self.by_task: dict[str, Counter[str]] = {task.id: Counter() for task in plan.tasks}
        self.eligible: Counter[tuple[str, str]] = Counter()
        self.whole: Counter[tuple[str, str]] = Counter()
        self.checked: Counter[tuple[str, str]] = Counter()
        self.waiting: Counter[tuple[str, str]] = Counter()
        self.cells: Counter[tuple[str, str, str, str, str]] = Counter()
        self.example: dict[tuple[str, str], Enterprise] = {}

    def place(self, enterprise: Enterprise, history: YearToDate) -> _Place:
        """Return the place of one enterprise."""
        reasons: dict[str, str] = {}
        strata: list[tuple[str, str]] = []
        for task in self.plan.tasks:
            reason = exclusion(self.plan, task, enterprise, history)
            if reason is None:
                strata.append((task.id, self.divisions[task.id].stratum(enterprise)))
            else:
                reasons[task.id] = reason
        strata.sort()
        number = self.index.setdefault(tuple(strata), len(self.index)) if strata else -1
        return _Place(number, reasons)

    def count(self, enterprise: Enterprise, place: _Place, times: int) -> None:
        """Count an enterprise that stands for ``times`` alike."""
        if place.profile < 0:
            outside = all(reason in OUTSIDE for reason in place.reasons.values())
            self.excluded[OUT_OF_SCOPE if outside else NOTHING_LEFT] += times
        for task in self.plan.tasks:
            reason = place.reasons.get(task.id)
            if reason in OUTSIDE:
                continue
            key = task.id, self.divisions[task.id].stratum(enterprise)
            self.example.setdefault(key, enterprise)
            cell = task.id, enterprise.credit_class, enterprise.district, key[1]
            if reason is None:
                self.eligible[key] += times
                self.cells[*cell, "eligible"] += times
            else:
                self.excluded[reason] += times
                self.by_task[task.id][reason] += times
                self.waiting[key] += times if reason == INTERVAL else 0
            if reason not in NOT_OWED:
                self.whole[key] += times
                self.cells[*cell, "whole"] += times
            elif reason == RECOGNISED:
                self.cells[*cell, "recognised"] += times

    def check(self, enterprise: Enterprise, place: _Place, done: YearToDate) -> None:
        """Count the checks that an enterprise had this year towards the tasks that owe it some."""
        for task in self.plan.tasks:
            times = done.checks.get((task.id, enterprise.id))
            if times and place.reasons.get(task.id) not in OUTSIDE | NOT_OWED:
                stratum = self.divisions[task.id].stratum(enterprise)
                self.checked[task.id, stratum] += min(task.frequency, times)
                cell = task.id, enterprise.credit_class, enterprise.district, stratum
                self.cells[*cell, "done"] += min(task.frequency, times)

    def membership(self, profile: npt.NDArray[np.int64], done: YearToDate) -> Membership:
        """Return everything once all enterprises are placed."""
        own = [task for task in self.plan.tasks if task.mode == "own"]
        strata = {task.id: sorted(s for t, s in self.example if t == task.id) for task in own}
        populations = {task.id: {s: self._population(task, s) for s in strata[task.id]} for task in own}
        return Membership(
            profile,
            tuple(self.index),
            populations,
            {
                task.id: {s: _group_of(task, self.example[task.id, s]) for s in strata[task.id]}
                for task in own
            },
            dict(self.excluded),
            {task: dict(reasons) for task, reasons in self.by_task.items()},
            {
                task.id: resolve(
                    self.divisions[task.id].task, populations[task.id], done.policies.get(task.id, ())
                )
                for task in own
            },
            self.divisions,
            {
                cell: Cell(*(self.cells[*cell, what] for what in ("whole", "eligible", "done", "recognised")))
                for cell in sorted({key[:4] for key in self.cells})
            },
        )

    def _population(self, task: Task, stratum: str) -> Population:
        key = task.id, stratum
        example = self.example[key]
        return Population(
            example.credit_class,
            self.whole[key],
            self.eligible[key],
            self.checked[key],
            example.kind if "kind" in task.strata_by else "",
            example.district if "district" in task.strata_by else "",
            self.waiting[key],
            self.divisions[task.id].inside(example),
        )


def _signatures(plan: Plan, done: YearToDate, cut: set[str]) -> Callable[[Enterprise], tuple[object, ...]]:
    """Return a function that gives enterprises that are alike in all that scopes and rules ask the same value.

    ``cut``: the industry prefixes that divide strata.
    """
    prefixes = cut | {prefix for task in plan.tasks for prefix in task.scope.industries}
    spans = [
        span for rules in done.rules.values() for span in (*rules.observations, *rules.caps, *rules.intervals)
    ]
    spans += [span for rules in done.rules.values() for span in (*rules.item_caps, *rules.recognitions)]
    prefixes.update(prefix for span in spans for prefix in span.scope.industries)
    ordered = sorted(prefixes)
    filters = [filter_of(where) for where in sorted({task.scope.where for task in plan.tasks} - {""})]
    months = sorted({span.months or 0 for rules in done.rules.values() for span in rules.observations})
    start = plan.period[0]

    @cache
    def sector(industry: str) -> str:
        return " ".join(prefix for prefix in ordered if industry.startswith(prefix))

    def signature(enterprise: Enterprise) -> tuple[object, ...]:
        basic = (
            enterprise.kind,
            enterprise.district,
            enterprise.credit_class,
            enterprise.category,
            sector(enterprise.industry),
        )
        further: list[bool] = [accepts(one, enterprise, plan.period, done.addresses) for one in filters]
        if enterprise.suspended_until is not None:
            further.append(suspended(enterprise, plan.period))
        if months and enterprise.established is not None:
            further += [observed(span, enterprise, start) for span in months]
        return (*basic, len(further), *further) if further else basic

    return signature
