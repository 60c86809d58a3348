"""Who can be drawn, in which stratum, and by whom: the lists of one draw, frozen (docs/protocol.md §2).

:func:`freeze` turns a plan and its libraries into a :class:`Frozen`; it decides eligibility (scope, annual cap, already checked this
year) and gives the reason wherever an enterprise is left out.
"""

from __future__ import annotations

import hmac
import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache

import numpy as np
import numpy.typing as npt

from dualrandom.errors import InputError, Problem
from dualrandom.hashing import row_salt
from dualrandom.policy.plan import Plan, Task
from dualrandom.quota import Population, Stratum, expected_sizes
from dualrandom.registry.models import Enterprise, Inspector, Libraries, PastVisit

OUT_OF_SCOPE = "out-of-scope"
NO_QUOTA = "class-without-quota"
ANNUAL_CAP = "annual-cap"
DONE = "done-this-year"


@dataclass(frozen=True, slots=True)
class RosterRow:
    """One inspector of the roster. ``person`` is the code in the department's library, ``id`` what the record shows."""

    id: str
    person: str
    department: str
    districts: tuple[str, ...]
    marks: tuple[str, ...]
    absent: tuple[str, ...]
    daily: int
    total: int


@dataclass(frozen=True)
class Frozen:
    """The lists of one draw. Sequences of n enterprises are aligned and ascend by id.

    ``keys``: what the tickets are computed from; ``profile``: int64[n], index into ``profiles`` (task → stratum).
    ``recused``: (roster id, enterprise) → ground; ``incompatible``: (smaller id, larger id) → ground.
    """

    draw: str
    ids: tuple[str, ...]
    keys: tuple[str, ...]
    districts: tuple[str, ...]
    closed: tuple[tuple[str, ...], ...]
    profile: npt.NDArray[np.int64]
    profiles: tuple[Mapping[str, str], ...]
    roster: tuple[RosterRow, ...]
    recused: Mapping[tuple[str, str], str]
    incompatible: Mapping[tuple[str, str], str]
    strata: Mapping[str, tuple[Stratum, ...]]
    streets: tuple[str, ...] = ()
    """District and street of each enterprise, needed for optimised dates only; not part of any list."""


@dataclass(frozen=True)
class YearToDate:
    """What past visits say about this year: distinct dates per enterprise and checks per (task, enterprise)."""

    visits: Mapping[str, int]
    checks: Mapping[tuple[str, str], int]


def year_to_date(plan: Plan, visits: Iterable[PastVisit]) -> YearToDate:
    """Count this year's visits before the period. Case visits (个案) count for neither cap nor quota."""
    days: dict[str, set[date]] = defaultdict(set)
    checks: dict[tuple[str, str], set[date]] = defaultdict(set)
    tasks_of: dict[str, list[Task]] = defaultdict(list)
    for task in plan.tasks:
        tasks_of[task.department].append(task)
    for visit in visits:
        if visit.date.year != plan.year or visit.date >= plan.period[0] or visit.kind == "case":
            continue
        days[visit.enterprise].add(visit.date)
        for task in tasks_of[visit.department]:
            if visit.task == task.id or visit.item in task.items:
                checks[task.id, visit.enterprise].add(visit.date)
    return YearToDate(
        {enterprise: len(dates) for enterprise, dates in days.items()},
        {key: len(dates) for key, dates in checks.items()},
    )


def in_scope(task: Task, enterprise: Enterprise) -> bool:
    """Whether the task's scope names the enterprise, whatever was done already."""
    scope = task.scope
    return (
        (not scope.kinds or enterprise.kind in scope.kinds)
        and (not scope.districts or enterprise.district in scope.districts)
        and (not scope.classes or enterprise.credit_class in scope.classes)
        and (not scope.categories or enterprise.category in scope.categories)
        and (not scope.industries or enterprise.industry.startswith(scope.industries))
    )


def exclusion(plan: Plan, task: Task, enterprise: Enterprise, done: YearToDate) -> str | None:
    """Return why an enterprise is not in a task's frame, or None if it is."""
    if not in_scope(task, enterprise):
        return OUT_OF_SCOPE
    if _weightless(task, enterprise.credit_class):
        return NO_QUOTA
    cap = plan.caps.enterprise_annual
    if cap is not None and done.visits.get(enterprise.id, 0) >= cap:
        return ANNUAL_CAP
    if done.checks.get((task.id, enterprise.id), 0) >= task.frequency:
        return DONE
    return None


def stratum_of(task: Task, enterprise: Enterprise) -> str:
    """Return the stratum id of an enterprise within a task: class, district or both, joined by a dot."""
    if task.mode == "follows" or not task.strata_by:
        return "all"
    values = {"class": enterprise.credit_class, "district": enterprise.district}
    return ".".join(values[part] for part in task.strata_by)


def _weightless(task: Task, credit_class: str) -> bool:
    if task.mode == "follows":
        return False
    return credit_class not in (task.ratios if task.ratios is not None else task.budget.weights)  # type: ignore[union-attr]


def _group_of(task: Task, credit_class: str, district: str) -> str:
    return {"class": credit_class, "district": district, "task": "all"}[task.group_by]


@dataclass(frozen=True)
class Membership:
    """Which profile each enterprise of the library has, and what the quotas need."""

    profile: npt.NDArray[np.int64]
    """int64[N] over the library's enterprises; -1: in no task's frame."""
    profiles: tuple[tuple[tuple[str, str], ...], ...]
    populations: Mapping[str, Mapping[str, Population]]
    groups: Mapping[str, Mapping[str, str]]
    excluded: Mapping[str, int]


def membership(plan: Plan, enterprises: Sequence[Enterprise], done: YearToDate) -> Membership:
    """Place every enterprise in the strata of every task.

    Enterprises that agree in all that a scope may ask share one computation; only those with visits this year are
    looked at one by one.
    """
    index: dict[tuple[tuple[str, str], ...], int] = {}
    by_signature: dict[tuple[str, ...], int] = {}
    cases: dict[tuple[str, ...], Enterprise] = {}
    scope_counts: Counter[tuple[str, ...]] = Counter()
    profile = np.empty(len(enterprises), dtype=np.int64)
    touched = {enterprise for _, enterprise in done.checks} | set(done.visits)
    nothing = YearToDate({}, {})
    excluded: Counter[str] = Counter()
    eligible: dict[str, Counter[str]] = {task.id: Counter() for task in plan.tasks}
    checked: dict[str, Counter[str]] = {task.id: Counter() for task in plan.tasks}

    def place(enterprise: Enterprise, history: YearToDate) -> int:
        strata = tuple(
            sorted(
                (task.id, stratum_of(task, enterprise))
                for task in plan.tasks
                if exclusion(plan, task, enterprise, history) is None
            )
        )
        return index.setdefault(strata, len(index)) if strata else -1

    sector = _sectors(plan)
    for position, enterprise in enumerate(enterprises):
        signature: tuple[str, ...] = (
            enterprise.kind,
            enterprise.district,
            enterprise.credit_class,
            enterprise.category,
            sector(enterprise.industry),
        )
        scope_counts[signature] += 1
        if signature not in by_signature:
            by_signature[signature] = place(enterprise, nothing)
            cases[signature] = enterprise
        profile[position] = by_signature[signature]
        if enterprise.id in touched:
            profile[position] = place(enterprise, done)
            for task in plan.tasks:
                reason = exclusion(plan, task, enterprise, done)
                if reason in (ANNUAL_CAP, DONE):
                    excluded[reason] += 1
                if in_scope(task, enterprise):
                    times = min(task.frequency, done.checks.get((task.id, enterprise.id), 0))
                    checked[task.id][stratum_of(task, enterprise)] += times
        if profile[position] < 0:
            excluded[OUT_OF_SCOPE if enterprise.id not in touched else "nothing-left"] += 1

    profiles = tuple(index)
    for number, count in zip(*np.unique(profile, return_counts=True), strict=True):
        if number >= 0:
            for task_id, stratum in profiles[number]:
                eligible[task_id][stratum] += int(count)
    populations: dict[str, dict[str, Population]] = {}
    groups: dict[str, dict[str, str]] = {}
    for task in plan.tasks:
        if task.mode == "follows":
            continue
        whole: Counter[str] = Counter()
        class_of: dict[str, str] = {}
        groups[task.id] = {}
        for signature, enterprise in cases.items():
            if in_scope(task, enterprise) and not _weightless(task, enterprise.credit_class):
                stratum = stratum_of(task, enterprise)
                whole[stratum] += scope_counts[signature]
                class_of[stratum] = enterprise.credit_class
                groups[task.id][stratum] = _group_of(task, enterprise.credit_class, enterprise.district)
        populations[task.id] = {
            stratum: Population(
                class_of[stratum], size, eligible[task.id][stratum], checked[task.id][stratum]
            )
            for stratum, size in sorted(whole.items())
        }
    return Membership(profile, profiles, populations, groups, dict(excluded))


def _sectors(plan: Plan) -> Callable[[str], str]:
    """Return a function that gives all industry codes alike in every scope the same name."""
    prefixes = sorted({prefix for task in plan.tasks for prefix in task.scope.industries})

    @cache
    def sector(industry: str) -> str:
        return " ".join(prefix for prefix in prefixes if industry.startswith(prefix))

    return sector


def strata_of(plan: Plan, placed: Membership) -> dict[str, tuple[Stratum, ...]]:
    """Return each ``own`` task's strata with their expected sizes, or raise InputError for quotas above their strata."""
    result: dict[str, tuple[Stratum, ...]] = {}
    problems: list[Problem] = []
    for task in plan.tasks:
        if task.mode == "follows":
            continue
        populations = placed.populations[task.id]
        sizes = expected_sizes(task, populations, plan.months_left, plan.rounding)
        for stratum, expected in sizes.items():
            if expected > populations[stratum].eligible:
                problems.append(_quota_problem(task, stratum, str(expected), populations[stratum].eligible))
        if not any(population.eligible for population in populations.values()):
            problems.append(_empty_task(task))
        result[task.id] = tuple(
            Stratum(stratum, placed.groups[task.id][stratum], populations[stratum].eligible, expected)
            for stratum, expected in sorted(sizes.items())
        )
    if any(problem.severity == "error" for problem in problems):
        raise InputError(problems)
    return result


_NUMBER = re.compile(r"^[\d\s-]+|\d.*$")


def street_of(enterprise: Enterprise) -> str:
    """Return the district and the street of an address: what stands before (or after) the house number."""
    return f"{enterprise.district} {_NUMBER.sub('', enterprise.address).strip()}"


def freeze(
    plan: Plan,
    libraries: Libraries,
    placed: Membership,
    draw: str,
    days: Sequence[date],
    secret: bytes | None,
) -> Frozen:
    """Freeze plan and libraries for one draw. ``secret`` (32 bytes) seals it; None freezes an open draw.

    Raises InputError when a quota exceeds its stratum.
    """
    strata = strata_of(plan, placed)
    kept = np.flatnonzero(placed.profile >= 0)
    enterprises = [libraries.enterprises[i] for i in kept.tolist()]
    ids = tuple(enterprise.id for enterprise in enterprises)
    profiles, profile = _sorted_profiles(placed, placed.profile[kept])
    shown_days = {day: day.isoformat() for day in days}
    district_ids = tuple(
        sorted({d.id for d in plan.districts} or {e.district for e in libraries.enterprises})
    )
    roster = _roster(plan, libraries.inspectors, district_ids, draw, shown_days, secret)
    names = {row.person: row.id for row in roster}
    recused, incompatible = _recusals(plan, libraries, names, frozenset(ids))
    keys = ids if secret is None else tuple(f"{i}:{row_salt(secret, draw, 'frame', i)}" for i in ids)
    return Frozen(
        draw=draw,
        ids=ids,
        keys=keys,
        districts=tuple(enterprise.district for enterprise in enterprises),
        closed=tuple(
            tuple(shown_days[day] for day in enterprise.closed if day in shown_days)
            if enterprise.closed
            else ()
            for enterprise in enterprises
        ),
        streets=tuple(street_of(enterprise) for enterprise in enterprises),
        profile=profile,
        profiles=profiles,
        roster=roster,
        recused=recused,
        incompatible=incompatible,
        strata=strata,
    )


def _sorted_profiles(
    placed: Membership, profile: npt.NDArray[np.int64]
) -> tuple[tuple[Mapping[str, str], ...], npt.NDArray[np.int64]]:
    """Drop unused profiles and number the others in the order of their contents, so that input order changes nothing."""
    used = np.unique(profile).tolist()
    ordered = sorted(used, key=lambda number: placed.profiles[number])
    renumber = np.full(len(placed.profiles) + 1, -1, dtype=np.int64)
    renumber[ordered] = np.arange(len(ordered))
    return tuple(dict(placed.profiles[number]) for number in ordered), renumber[profile]


def _roster(
    plan: Plan,
    inspectors: Sequence[Inspector],
    district_ids: tuple[str, ...],
    draw: str,
    shown_days: Mapping[date, str],
    secret: bytes | None,
) -> tuple[RosterRow, ...]:
    """Return the inspectors of departments with tasks; sealed: under pseudonyms in an order that only the secret gives."""
    departments = {task.department for task in plan.tasks}
    serving = [inspector for inspector in inspectors if inspector.department in departments]
    if secret is not None:
        serving.sort(key=lambda i: hmac.digest(secret, f"{draw}\npseudonym\n{i.code}".encode(), "sha256"))
    width = max(4, len(str(len(serving))))
    rows = []
    for number, inspector in enumerate(serving, start=1):
        expires = inspector.valid_until
        absent = tuple(
            shown
            for day, shown in sorted(shown_days.items())
            if day in inspector.days_off or (expires is not None and day > expires)
        )
        rows.append(
            RosterRow(
                id=inspector.code if secret is None else f"i{number:0{width}d}",
                person=inspector.code,
                department=inspector.department,
                districts=inspector.districts or district_ids,
                marks=inspector.marks,
                absent=absent,
                daily=plan.caps.daily if inspector.daily is None else inspector.daily,
                total=plan.caps.total if inspector.total is None else inspector.total,
            )
        )
    return tuple(sorted(rows, key=lambda row: row.id))


def _recusals(
    plan: Plan, libraries: Libraries, names: Mapping[str, str], frame_ids: frozenset[str]
) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], str]]:
    """Return recused (inspector, enterprise) and incompatible (inspector, inspector) pairs by roster id, with grounds."""
    recused: dict[tuple[str, str], str] = {}
    incompatible: dict[tuple[str, str], str] = {}
    if plan.rotation:
        for enterprise, person in _last_inspectors(libraries.visits):
            if enterprise in frame_ids and person in names:
                recused[names[person], enterprise] = "rotation"
    for recusal in libraries.recusals:
        if recusal.inspector not in names:
            continue
        a = names[recusal.inspector]
        if recusal.other in names:
            b = names[recusal.other]
            incompatible[min(a, b), max(a, b)] = recusal.ground
        elif recusal.other in frame_ids:
            recused[a, recusal.other] = recusal.ground
    return recused, incompatible


def _last_inspectors(visits: Sequence[PastVisit]) -> set[tuple[str, str]]:
    """Return (enterprise, inspector) pairs of each department's last visit to each enterprise (轮换)."""
    last: dict[tuple[str, str], tuple[date, set[str]]] = {}
    for visit in visits:
        key = visit.enterprise, visit.department
        when, people = last.get(key, (date.min, set()))
        if visit.date > when:
            last[key] = visit.date, set(visit.inspectors)
        elif visit.date == when:
            people.update(visit.inspectors)
    return {(enterprise, person) for (enterprise, _), (_, people) in last.items() for person in people}


def _quota_problem(task: Task, stratum: str, expected: str, eligible: int) -> Problem:
    return Problem(
        code="quota-above-stratum",
        file="plan.toml",
        sheet=None,
        row=None,
        column=f"tasks.{task.id}.ratios",
        value=expected,
        message_zh=f"任务 {task.id} 的层 {stratum} 本期应抽 {expected} 户，但只有 {eligible} 户可抽",
        message_en=f"task {task.id} owes {expected} enterprises in stratum {stratum}, only {eligible} can be drawn",
        remedy_zh="降低比例或频次，扩大范围，或提高企业年度检查上限。",
        remedy_en="Lower the ratio or frequency, widen the scope, or raise the enterprises' annual cap.",
    )


def _empty_task(task: Task) -> Problem:
    return Problem(
        code="empty-frame",
        file="plan.toml",
        sheet=None,
        row=None,
        column=f"tasks.{task.id}.scope",
        value=task.id,
        message_zh=f"任务 {task.id} 的范围内没有可抽的检查对象",
        message_en=f"no enterprise in the scope of task {task.id} can be drawn",
        remedy_zh="检查 scope 的取值(区划、行业、类别、对象类型),或删去该任务。",
        remedy_en="Check the values of its scope (districts, industries, categories, kinds), or remove the task.",
        severity="warning",
    )
