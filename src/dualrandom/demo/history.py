"""Invented past: the visits of January to August by the same plan, some case visits, and recusals (回避)."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt

from dualrandom.calendar import visit_days
from dualrandom.demo.chance import Dice
from dualrandom.demo.staff import Person
from dualrandom.demo.world import Firm

VISIT_COLUMNS = ("enterprise", "date", "department", "task", "item", "inspectors", "kind")
RECUSAL_COLUMNS = ("inspector", "other", "ground")
GROUNDS = ("spouse", "direct-line", "collateral", "in-law", "interest", "employment", "application")
COLLEAGUES = "kin"
MONTHS = range(1, 9)
YEAR = 2023
Plan = Mapping[str, Any]


def past_visits(
    scale: str, plan: Plan, firms: Sequence[Firm], staff: Sequence[Person]
) -> list[tuple[str, ...]]:
    """Rows of the visits library: what the plan's tasks owed until August, a few cases and special campaigns.

    Each month all tasks share one ticket per enterprise as in a real draw; nobody is drawn twice for a task.
    """
    selected = _selections(plan, firms)
    items = {task["id"]: task["items"] for task in plan["tasks"]}
    departments = {task["id"]: task["department"] for task in plan["tasks"]}
    crews = _crews(staff)
    rows: list[tuple[str, ...]] = []
    for month in MONTHS:
        days = [day.isoformat() for day in visit_days(date(YEAR, month, 1), date(YEAR, month, 28), "cn")]
        tasks_of: dict[int, list[str]] = defaultdict(list)
        for task, chosen in selected[month].items():
            for index in chosen.tolist():
                tasks_of[index].append(task)
        for index, tasks in sorted(tasks_of.items()):
            firm = firms[index]
            dice = Dice(f"{scale} past visit {month} {index}")
            day = dice.one_of(days)
            crew: dict[str, str] = {}
            for task in tasks:
                department = departments[task]
                if department not in crew:
                    crew[department] = ";".join(sorted(dice.some_of(crews[department, firm.district], 2)))
                rows += [
                    (firm.id, day, department, task, item, crew[department], "plan") for item in items[task]
                ]
    rows += _unplanned(scale, plan, firms, crews)
    return sorted(rows)


def _crews(staff: Sequence[Person]) -> Mapping[tuple[str, str], list[str]]:
    """(department, district) → codes of those who serve there."""
    found: dict[tuple[str, str], list[str]] = defaultdict(list)
    served = [(person, person.districts.split(";") if person.districts else []) for person in staff]
    every = sorted({district for _, districts in served for district in districts})
    for person, districts in served:
        for district in districts or every:
            found[person.department, district].append(person.code)
    return found


def _unplanned(
    scale: str, plan: Plan, firms: Sequence[Firm], crews: Mapping[tuple[str, str], list[str]]
) -> Iterator[tuple[str, ...]]:
    """Case visits (个案) of one firm in 1000, special campaigns (专项) for one in 2000: no task of the plan."""
    lead = plan["tasks"][0]
    department, item = lead["department"], lead["items"][-1]
    days = [day.isoformat() for day in visit_days(date(YEAR, 3, 1), date(YEAR, 8, 25), "cn")]
    for number in range(len(firms) * 3 // 2000):
        dice = Dice(f"{scale} unplanned {number}")
        firm = dice.one_of(firms)
        kind = "special" if number % 3 == 0 else "case"
        people = ";".join(sorted(dice.some_of(crews[department, firm.district], 2)))
        yield firm.id, dice.one_of(days), department, "", "" if kind == "case" else item, people, kind


def in_scope(firm: Firm, scope: Mapping[str, Sequence[str]]) -> bool:
    """Whether a task's scope names the firm: empty lists do not restrict, industries are prefixes."""
    asked = (
        (scope.get("kinds"), firm.kind),
        (scope.get("districts"), firm.district),
        (scope.get("classes"), firm.credit_class),
        (scope.get("categories"), firm.category),
    )
    if not all(not allowed or value in allowed for allowed, value in asked):
        return False
    return not scope.get("industries") or firm.industry.startswith(tuple(scope["industries"]))


def _members(plan: Plan, firms: Sequence[Firm]) -> Mapping[str, npt.NDArray[np.bool_]]:
    """Task → bool[len(firms)], whether each firm is in its scope. Firms alike share one computation."""
    groups: dict[tuple[str, ...], list[int]] = defaultdict(list)
    for index, firm in enumerate(firms):
        groups[firm.kind, firm.district, firm.credit_class, firm.category, firm.industry].append(index)
    alike = [(firms[indices[0]], np.array(indices)) for indices in groups.values()]
    members = {}
    for task in plan["tasks"]:
        inside = np.zeros(len(firms), dtype=np.bool_)
        for firm, indices in alike:
            if in_scope(firm, task.get("scope", {})):
                inside[indices] = True
        members[task["id"]] = inside
    return members


def _tickets(month: int, count: int) -> npt.NDArray[np.uint64]:
    """uint64[count]: a month's tickets by the SplitMix64 mixer, distinct since the mixer is a bijection."""
    numbers = np.arange(count, dtype=np.uint64) + np.uint64(month << 32)
    numbers = (numbers + np.uint64(1)) * np.uint64(0x9E3779B97F4A7C15)
    numbers = (numbers ^ (numbers >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    numbers = (numbers ^ (numbers >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return numbers ^ (numbers >> np.uint64(31))


def _selections(plan: Plan, firms: Sequence[Firm]) -> Mapping[int, Mapping[str, npt.NDArray[np.int64]]]:
    """Month → task → indices of the firms drawn, a twelfth of each class's annual target a month."""
    members = _members(plan, firms)
    codes = {name: number for number, name in enumerate(plan["plan"]["classes"])}
    classes = np.array([codes[firm.credit_class] for firm in firms])
    strata = {
        (task, name): np.flatnonzero(inside & (classes == codes[name]))
        for task, inside in members.items()
        for name in codes
    }
    open_for = {task: inside.copy() for task, inside in members.items()}
    result: dict[int, dict[str, npt.NDArray[np.int64]]] = {}
    for month in MONTHS:
        tickets = _tickets(month, len(firms))
        chosen: dict[str, npt.NDArray[np.int64]] = {}
        for task in plan["tasks"]:
            name = task["id"]
            if task.get("mode", "own") == "follows":
                lead = chosen[task["lead"]]
                chosen[name] = lead[open_for[name][lead]]
            else:
                parts = []
                for credit_class in codes:
                    stratum = strata[name, credit_class]
                    due = [_due(task, credit_class, len(stratum), until) for until in (month - 1, month)]
                    candidates = stratum[open_for[name][stratum]]
                    parts.append(_least(candidates, tickets[candidates], due[1] - due[0]))
                chosen[name] = np.concatenate(parts)
            open_for[name][chosen[name]] = False
        result[month] = chosen
    return result


def _least(
    indices: npt.NDArray[np.int64], tickets: npt.NDArray[np.uint64], count: int
) -> npt.NDArray[np.int64]:
    """The `count` indices with the smallest tickets, which are distinct; all, if there are no more."""
    if count >= len(indices):
        return indices
    return indices[np.argpartition(tickets, count)[:count]]


def _due(task: Mapping[str, Any], credit_class: str, whole: int, month: int) -> int:
    """Checks owed until the end of a month, rounded down, so that September always owes something."""
    if "budget" in task:
        return 0
    ratio = task["ratios"].get(credit_class, "0%")
    return int(whole * Fraction(ratio.removesuffix("%")) / 100 * month / 12)


def recusals(
    scale: str, firms: Sequence[Firm], staff: Sequence[Person], per_thousand: int
) -> list[tuple[str, ...]]:
    """Relations of `per_thousand` of the firms with somebody who could be sent there, and of some colleagues."""
    crews = _crews(staff)
    departments = sorted({person.department for person in staff})
    pairs: dict[tuple[str, str], str] = {}
    for number in range(len(firms) * per_thousand // 1000):
        dice = Dice(f"{scale} recusal {number}")
        firm = dice.one_of(firms)
        person = dice.one_of(crews[dice.one_of(departments), firm.district])
        pairs[person, firm.id] = dice.one_of(GROUNDS)
    for number in range(max(2, len(staff) * 15 // 1000)):
        dice = Dice(f"{scale} colleagues {number}")
        one, other = sorted(dice.some_of([person.code for person in staff], 2))
        pairs[one, other] = COLLEAGUES
    return [(one, other, ground) for (one, other), ground in sorted(pairs.items())]
