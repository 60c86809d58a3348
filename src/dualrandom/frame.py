"""Who can be drawn, in which stratum, and by whom: the lists of one draw, frozen (docs/protocol.md §2).

:func:`freeze` turns a plan, its libraries and everybody's place in the strata (:mod:`dualrandom.membership`) into a :class:`Frozen`.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from dualrandom.eligibility import YearToDate, exclusion, year_to_date
from dualrandom.errors import InputError, Problem
from dualrandom.hashing import row_salt
from dualrandom.membership import Membership, membership
from dualrandom.policy.plan import Plan, Task
from dualrandom.policy.report import conflict_problems
from dualrandom.policy.values import ID
from dualrandom.quota import Stratum, expected_sizes
from dualrandom.registry.models import Enterprise, Inspector, Libraries, PastVisit

__all__ = [
    "Frozen",
    "Membership",
    "RosterRow",
    "YearToDate",
    "exclusion",
    "freeze",
    "membership",
    "quota_warnings",
    "strata_of",
    "year_to_date",
]


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


def strata_of(plan: Plan, placed: Membership) -> dict[str, tuple[Stratum, ...]]:
    """Return each ``own`` task's strata with their expected sizes.

    What a stratum owes beyond its eligible members is left for later months if it is owed by enterprises whose interval has
    not passed yet. Raises InputError for quotas above their strata otherwise, and for laws that contradict each other.
    """
    result: dict[str, tuple[Stratum, ...]] = {}
    problems: list[Problem] = []
    for task in plan.tasks:
        if task.mode == "follows":
            continue
        populations = placed.populations[task.id]
        problems += conflict_problems(task, placed.resolutions[task.id])
        strata = []
        for stratum, expected in sorted(_owed(plan, placed, task).items()):
            population = populations[stratum]
            if not ID.fullmatch(stratum):
                problems.append(_nameless_stratum(task, stratum))
            if expected > population.eligible + population.waiting:
                problems.append(_quota_problem(task, stratum, str(expected), population.eligible))
            drawn = min(expected, Fraction(population.eligible))
            strata.append(Stratum(stratum, placed.groups[task.id][stratum], population.eligible, drawn))
        result[task.id] = tuple(strata)
    if problems:
        raise InputError(problems)
    return result


def _owed(plan: Plan, placed: Membership, task: Task) -> dict[str, Fraction]:
    bounds = placed.resolutions[task.id].bounds
    return expected_sizes(task, placed.populations[task.id], plan.months_left, plan.rounding, bounds)


def quota_warnings(plan: Plan, placed: Membership) -> tuple[Problem, ...]:
    """Return warnings about tasks that have nobody to draw, and about checks that wait for an interval to pass."""
    problems: list[Problem] = []
    for task in plan.tasks:
        if task.mode == "follows":
            continue
        populations = placed.populations[task.id]
        if not any(population.eligible for population in populations.values()):
            problems.append(_empty_task(task))
        for stratum, expected in sorted(_owed(plan, placed, task).items()):
            if expected > populations[stratum].eligible:
                problems.append(_postponed(task, stratum, expected - populations[stratum].eligible))
    return tuple(problems)


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
            _closed(enterprise, shown_days) if enterprise.closed or enterprise.suspended_until else ()
            for enterprise in enterprises
        ),
        streets=tuple(street_of(e) for e in enterprises) if plan.calendar == "optimise" else (),
        profile=profile,
        profiles=profiles,
        roster=roster,
        recused=recused,
        incompatible=incompatible,
        strata=strata,
    )


def _closed(enterprise: Enterprise, shown_days: Mapping[date, str]) -> tuple[str, ...]:
    """Return the days on which it cannot be visited: closed days, and all until a suspension ends."""
    until = enterprise.suspended_until or date.min
    return tuple(
        shown for day, shown in sorted(shown_days.items()) if day in enterprise.closed or day <= until
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


def _nameless_stratum(task: Task, stratum: str) -> Problem:
    return Problem(
        code="stratum-not-an-id",
        file="plan.toml",
        sheet=None,
        row=None,
        column=f"tasks.{task.id}.strata_by",
        value=stratum,
        message_zh=f"任务 {task.id} 的层名 {stratum} 不是代码（字母、数字、点、下划线、连字符，最长 64 位）",
        message_en=f"stratum {stratum} of task {task.id} is no id (letters, digits, dots, underscores, hyphens, at most 64)",
        remedy_zh="用 [libraries.enterprises] values 把主体类型的写法对应为代码，或不按 kind 分层。",
        remedy_en="Map the kinds to ids in [libraries.enterprises] values, or leave kind out of strata_by.",
    )


def _postponed(task: Task, stratum: str, missing: Fraction) -> Problem:
    number = float(missing) if missing.denominator > 1 else missing.numerator
    return Problem(
        code="quota-postponed",
        file="plan.toml",
        sheet=None,
        row=None,
        column=f"tasks.{task.id}.interval",
        value=str(number),
        message_zh=f"任务 {task.id} 的层 {stratum}：本期少抽 {number} 户，间隔未满，留待以后各月",
        message_en=f"task {task.id}, stratum {stratum}: {number} fewer now, their interval has not passed; left for later months",
        remedy_zh="缩短间隔，或接受延后（dualrandom progress 会显示全年缺口）。",
        remedy_en="Shorten the interval, or accept it (dualrandom progress shows what the year will miss).",
        severity="warning",
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
        remedy_zh="检查 scope 的取值（区划、行业、类别、对象类型），或删去该任务。",
        remedy_en="Check the values of its scope (districts, industries, categories, kinds), or remove the task.",
        severity="warning",
    )
