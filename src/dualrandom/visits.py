"""From selected enterprises to visits: one visit, many checks (进一次门、查多项事； docs/protocol.md §7)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from dualrandom.ticket import Tickets


@dataclass(frozen=True, slots=True)
class Visit:
    """One enterprise, one date, the checks of ``tasks`` (ids, ascending). ``part`` counts from 1."""

    enterprise: str
    part: int
    tasks: tuple[str, ...]


def plan_visits(
    selected: Mapping[str, Sequence[str]], announcement: Mapping[str, Any], tickets: Tickets
) -> tuple[Visit, ...]:
    """Return all visits by (enterprise, part). ``selected``: task → enterprise ids."""
    tasks_of: dict[str, list[str]] = {}
    for task in sorted(selected):
        for enterprise in selected[task]:
            tasks_of.setdefault(enterprise, []).append(task)
    tasks = {task["id"]: task for task in announcement["tasks"]}
    limit = announcement["policy"]["visit_limit"]
    visits: list[Visit] = []
    for enterprise in sorted(tasks_of):
        if limit is None:
            visits.append(Visit(enterprise, 1, tuple(tasks_of[enterprise])))
        else:
            visits.extend(_parts(enterprise, tasks_of[enterprise], tasks, limit, tickets))
    return tuple(visits)


def _parts(
    enterprise: str,
    selected_by: Sequence[str],
    tasks: Mapping[str, Mapping[str, Any]],
    limit: Mapping[str, Any],
    tickets: Tickets,
) -> list[Visit]:
    """Divide one enterprise's departments over as many visits as the limit asks for."""
    by_department: dict[str, list[str]] = {}
    for task in selected_by:
        by_department.setdefault(tasks[task]["department"], []).append(task)
    order = sorted(by_department, key=lambda d: (tickets.raw("order", f"{enterprise}:{d}"), d))
    parts: list[list[str]] = [[]]
    departments, checks, hours = 0, 0, Fraction(0)
    for department in order:
        items = [item for task in by_department[department] for item in tasks[task]["items"]]
        more_hours = sum((Fraction(item["hours"]) for item in items), Fraction(0))
        exceeded = (
            (limit["departments"] is not None and departments + 1 > limit["departments"])
            or (limit["checks"] is not None and checks + len(items) > limit["checks"])
            or (limit["hours"] is not None and hours + more_hours > Fraction(limit["hours"]))
        )
        if departments and exceeded:
            parts.append([])
            departments, checks, hours = 0, 0, Fraction(0)
        parts[-1].extend(by_department[department])
        departments += 1
        checks += len(items)
        hours += more_hours
    return [Visit(enterprise, number, tuple(sorted(part))) for number, part in enumerate(parts, start=1)]
