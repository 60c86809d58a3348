"""Who may be drawn for a task now, and the reason wherever somebody may not: scope, policies and the visit ledger (检查台账).

The ledger is the library of past visits of all departments. Case visits (个案) are seen but never count; special ones (专项) count
unless a policy exempts them; several departments or items on one day are one visit. Spans of months run back from the first day
of the period. Sources: the State Council's notice 54 of 2024 (annual cap), the published item lists (item caps); the others are local policies.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import cache
from typing import Literal

from dualrandom.policy.documents import PolicyScope
from dualrandom.policy.filter import Filter, Value, parse_filter
from dualrandom.policy.plan import Plan, Task
from dualrandom.policy.precedence import Applied, rules_for
from dualrandom.reasons import (
    ANNUAL_CAP,
    DONE,
    EXEMPT,
    INTERVAL,
    ITEM_CAP,
    NO_QUOTA,
    OBSERVATION,
    OUT_OF_SCOPE,
    RECOGNISED,
    SUSPENDED,
)
from dualrandom.registry.models import Enterprise, Item, PastVisit

JULY = 7
"""An annual report is due by 30 June of the next year (企业信息公示暂行条例)."""
_MARKS = re.compile(r"[\W_]+")
filter_of = cache(parse_filter)


@dataclass(frozen=True, slots=True)
class Span:
    """One rule on visits: at most ``times`` in ``months`` (None: the calendar year), for enterprises in ``scope``."""

    times: int
    months: int | None
    scope: PolicyScope
    of: Literal["enterprise", "task"]
    items: tuple[str, ...]
    departments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TaskRules:
    """The rules on eligibility that concern one task."""

    caps: tuple[Span, ...] = ()
    item_caps: tuple[Span, ...] = ()
    intervals: tuple[Span, ...] = ()
    observations: tuple[Span, ...] = ()
    recognitions: tuple[Span, ...] = ()
    special_exempt: bool = False


@dataclass(frozen=True)
class YearToDate:
    """What the ledger says: this year's distinct days by enterprise, checks by (task, enterprise), and all that rules ask.

    ``visits`` are days without case visits, ``planned`` those without special ones as well, ``cases`` days of case visits; the
    ``last`` ones are of any year. ``items``: (item, enterprise) → (day, department) of the items that some rule asks about.
    """

    visits: Mapping[str, int] = field(default_factory=dict)
    checks: Mapping[tuple[str, str], int] = field(default_factory=dict)
    planned: Mapping[str, int] = field(default_factory=dict)
    cases: Mapping[str, int] = field(default_factory=dict)
    last: Mapping[str, date] = field(default_factory=dict)
    last_planned: Mapping[str, date] = field(default_factory=dict)
    last_check: Mapping[tuple[str, str], date] = field(default_factory=dict)
    items: Mapping[tuple[str, str], Sequence[tuple[date, str]]] = field(default_factory=dict)
    rules: Mapping[str, TaskRules] = field(default_factory=dict)
    policies: Mapping[str, tuple[Applied, ...]] = field(default_factory=dict)
    """Task → all rules in force that concern it, those on ratios included."""
    exempt: Mapping[str, frozenset[str]] = field(default_factory=dict)
    """Enterprise → tasks that it is exempt from."""
    addresses: Mapping[str, int] = field(default_factory=dict)
    """Normalised address → enterprises registered there."""

    def without_visits(self) -> YearToDate:
        """The same rules with an empty ledger, for enterprises that nobody has visited and nothing exempts."""
        return YearToDate(rules=self.rules, policies=self.policies, addresses=self.addresses)

    @property
    def touched(self) -> set[str]:
        """Enterprises that the ledger or an exemption names: they are looked at one by one."""
        asked = {enterprise for _, enterprise in self.items}
        return {enterprise for _, enterprise in self.last_check} | set(self.last) | set(self.exempt) | asked


def year_to_date(
    plan: Plan,
    visits: Iterable[PastVisit],
    items: Iterable[Item] = (),
    enterprises: Iterable[Enterprise] = (),
) -> YearToDate:
    """Read the ledger before the period under the plan's policies.

    ``items`` say which are key items, ``enterprises`` how many share an address; without them rules and filters that ask for
    this find nothing.
    """
    categories: dict[str, str] = {item.id: item.category for item in items}
    applied = {task.id: rules_for(plan, task, categories) for task in plan.tasks}
    rules = {task.id: task_rules(plan, task, applied[task.id]) for task in plan.tasks}
    asked = {
        item
        for task in plan.tasks
        for span in (*rules[task.id].item_caps, *rules[task.id].recognitions)
        for item in span.items
    }
    days: dict[str, set[date]] = defaultdict(set)
    planned: dict[str, set[date]] = defaultdict(set)
    cases: dict[str, set[date]] = defaultdict(set)
    checks: dict[tuple[str, str], set[date]] = defaultdict(set)
    last: dict[str, date] = {}
    last_planned: dict[str, date] = {}
    last_check: dict[tuple[str, str], date] = {}
    by_item: dict[tuple[str, str], set[tuple[date, str]]] = defaultdict(set)
    tasks_of: dict[str, list[Task]] = defaultdict(list)
    for task in plan.tasks:
        tasks_of[task.department].append(task)
    for visit in visits:
        day, firm = visit.date, visit.enterprise
        if day >= plan.period[0]:
            continue
        this_year = day.year == plan.year
        if visit.kind == "case":
            if this_year:
                cases[firm].add(day)
            continue
        last[firm] = max(day, last.get(firm, date.min))
        if visit.kind != "special":
            last_planned[firm] = max(day, last_planned.get(firm, date.min))
        if this_year:
            days[firm].add(day)
            if visit.kind != "special":
                planned[firm].add(day)
        if visit.item in asked:
            by_item[visit.item, firm].add((day, visit.department))
        for task in tasks_of[visit.department]:
            if visit.task == task.id or visit.item in task.items:
                key = task.id, firm
                last_check[key] = max(day, last_check.get(key, date.min))
                if this_year:
                    checks[key].add(day)
                if not visit.item:
                    for item in asked.intersection(task.items):
                        by_item[item, firm].add((day, visit.department))
    exempt: dict[str, set[str]] = defaultdict(set)
    for exemption in plan.exemptions:
        named = (exemption.task,) if exemption.task is not None else (task.id for task in plan.tasks)
        exempt[exemption.enterprise].update(named)
    asks_addresses = any(
        task.scope.where and "shared_address" in filter_of(task.scope.where).fields for task in plan.tasks
    )
    return YearToDate(
        visits={firm: len(dates) for firm, dates in days.items()},
        checks={key: len(dates) for key, dates in checks.items()},
        planned={firm: len(dates) for firm, dates in planned.items()},
        cases={firm: len(dates) for firm, dates in cases.items()},
        last=last,
        last_planned=last_planned,
        last_check=last_check,
        items={key: sorted(found) for key, found in by_item.items()},
        rules=rules,
        policies=applied,
        exempt={firm: frozenset(tasks) for firm, tasks in exempt.items()},
        addresses=address_counts(enterprises) if asks_addresses else {},
    )


def task_rules(plan: Plan, task: Task, applied: Sequence[Applied]) -> TaskRules:
    """Return the rules on eligibility of one task: the policies', the plan's annual cap and the task's own interval."""
    spans: dict[str, list[Span]] = defaultdict(list)
    anybody = PolicyScope()
    if plan.caps.enterprise_annual is not None:
        spans["annual-cap"].append(Span(plan.caps.enterprise_annual, None, anybody, "enterprise", (), ()))
    if task.interval is not None:
        spans["interval"].append(Span(1, task.interval, anybody, "task", (), ()))
    for one in applied:
        rule = one.rule
        items: tuple[str, ...] = ()
        if rule.kind == "item-cap":
            items = tuple(item for item in task.items if not rule.scope.items or item in rule.scope.items)
        elif rule.kind == "recognition":
            items = rule.recognised_items
        spans[rule.kind].append(
            Span(rule.times or 0, rule.months, rule.scope, rule.of, items, rule.recognised_departments)
        )
    return TaskRules(
        caps=tuple(spans["annual-cap"]),
        item_caps=tuple(spans["item-cap"]),
        intervals=tuple(spans["interval"]),
        observations=tuple(spans["observation"]),
        recognitions=tuple(spans["recognition"]),
        special_exempt=bool(spans["special-exempt"]),
    )


def in_scope(task: Task, enterprise: Enterprise, period: tuple[date, date], done: YearToDate) -> bool:
    """Whether the task's scope names the enterprise, whatever was done already."""
    scope = task.scope
    return (
        (not scope.kinds or enterprise.kind in scope.kinds)
        and (not scope.districts or enterprise.district in scope.districts)
        and (not scope.classes or enterprise.credit_class in scope.classes)
        and (not scope.categories or enterprise.category in scope.categories)
        and (not scope.industries or enterprise.industry.startswith(scope.industries))
        and (not scope.where or accepts(filter_of(scope.where), enterprise, period, done.addresses))
    )


def accepts(
    where: Filter, enterprise: Enterprise, period: tuple[date, date], addresses: Mapping[str, int]
) -> bool:
    """Whether a filter accepts an enterprise at the beginning of the period."""
    return where({name: _ask(name, enterprise, period, addresses) for name in where.fields})


def _ask(name: str, enterprise: Enterprise, period: tuple[date, date], addresses: Mapping[str, int]) -> Value:
    if name == "class":
        return enterprise.credit_class
    if name == "shared_address":
        address = normal_address(enterprise.address)
        return addresses.get(address) if address else None
    if name == "years_without_report":
        if enterprise.last_report is None:
            return None
        due = period[0].year - (1 if period[0].month >= JULY else 2)
        return max(0, due - enterprise.last_report)
    found: Value = getattr(enterprise, name)
    return found if found != "" else None


def normal_address(address: str) -> str:
    """Reduce an address to what distinguishes it: width, case, blanks and punctuation do not.

    >>> normal_address("示范路 １号（２楼）") == normal_address("示范路1号(2楼)")
    True
    """
    return _MARKS.sub("", unicodedata.normalize("NFKC", address).casefold())


def address_counts(enterprises: Iterable[Enterprise]) -> dict[str, int]:
    """Return how many enterprises each normalised address has."""
    counts = Counter(normal_address(enterprise.address) for enterprise in enterprises)
    del counts[""]
    return dict(counts)


def exclusion(plan: Plan, task: Task, enterprise: Enterprise, done: YearToDate) -> str | None:
    """Return why an enterprise is not in a task's frame now, or None if it is; reasons are tried in their order."""
    if not in_scope(task, enterprise, plan.period, done):
        return OUT_OF_SCOPE
    if without_quota(task, enterprise.credit_class):
        return NO_QUOTA
    firm, start = enterprise.id, plan.period[0]
    rules = done.rules.get(task.id) or task_rules(plan, task, ())
    if task.id in done.exempt.get(firm, ()):
        return EXEMPT
    if suspended(enterprise, plan.period):
        return SUSPENDED
    if any(
        observed(span.months, enterprise, start) and _in(span.scope, enterprise)
        for span in rules.observations
    ):
        return OBSERVATION
    if any(_recognised(span, task, enterprise, start, done) for span in rules.recognitions):
        return RECOGNISED
    visits = done.planned if rules.special_exempt else done.visits
    if any(visits.get(firm, 0) >= cap.times for cap in rules.caps if _in(cap.scope, enterprise)):
        return ANNUAL_CAP
    if any(_item_capped(span, enterprise, start, done) for span in rules.item_caps):
        return ITEM_CAP
    if done.checks.get((task.id, firm), 0) >= task.frequency:
        return DONE
    last = done.last_planned if rules.special_exempt else done.last
    for span in rules.intervals:
        before = last.get(firm) if span.of == "enterprise" else done.last_check.get((task.id, firm))
        if before is not None and _in(span.scope, enterprise) and later(before, span.months) > start:
            return INTERVAL
    return None


def without_quota(task: Task, credit_class: str) -> bool:
    """Whether the task gives this class no ratio or weight at all."""
    if task.mode == "follows":
        return False
    return credit_class not in (task.ratios if task.ratios is not None else task.budget.weights)  # type: ignore[union-attr]


def suspended(enterprise: Enterprise, period: tuple[date, date]) -> bool:
    """Whether the business is suspended (歇业) over the whole period; within it, the days until then are closed days."""
    return enterprise.suspended_until is not None and enterprise.suspended_until >= period[1]


def observed(months: int | None, enterprise: Enterprise, start: date) -> bool:
    """Whether a new enterprise is still under observation. One without a known date of establishment is not new."""
    return enterprise.established is not None and later(enterprise.established, months) > start


def _item_capped(span: Span, enterprise: Enterprise, start: date, done: YearToDate) -> bool:
    if not _in(span.scope, enterprise):
        return False
    for item in span.items:
        found = {day for day, _ in done.items.get((item, enterprise.id), ())}
        if span.months is None:
            counted = sum(day.year == start.year for day in found)
        else:
            counted = sum(later(day, span.months) > start for day in found)
        if counted >= span.times:
            return True
    return False


def _recognised(span: Span, task: Task, enterprise: Enterprise, start: date, done: YearToDate) -> bool:
    return _in(span.scope, enterprise) and any(
        department != task.department
        and (not span.departments or department in span.departments)
        and later(day, span.months) > start
        for item in span.items
        for day, department in done.items.get((item, enterprise.id), ())
    )


def _in(scope: PolicyScope, enterprise: Enterprise) -> bool:
    return (
        (not scope.kinds or enterprise.kind in scope.kinds)
        and (not scope.districts or enterprise.district in scope.districts)
        and (not scope.classes or enterprise.credit_class in scope.classes)
        and (not scope.categories or enterprise.category in scope.categories)
        and (not scope.industries or enterprise.industry.startswith(scope.industries))
    )


def later(day: date, months: int | None) -> date:
    """Return the day that many months later; the last of a month where that day does not exist.

    >>> later(date(2023, 8, 31), 6)
    datetime.date(2024, 2, 29)
    """
    years, month = divmod(day.month - 1 + (months or 0), 12)
    year, month = day.year + years, month + 1
    for last in (day.day, 30, 29, 28):
        try:
            return date(year, month, min(day.day, last))
        except ValueError:
            continue
    raise AssertionError(day)
