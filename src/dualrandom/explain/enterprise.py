"""Why an enterprise is visited or not: frame, stratum, ticket and rank, date, crews (docs/protocol.md §5–8)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dualrandom.announcement import ratio
from dualrandom.errors import DualRandomError
from dualrandom.explain.context import Context
from dualrandom.explain.grounds import grounds, history
from dualrandom.explain.later import changes_of_enterprise, visits_in_effect
from dualrandom.frame import exclusion
from dualrandom.policy.plan import Task
from dualrandom.registry.models import Enterprise


def explain_enterprise(context: Context, enterprise_id: str) -> dict[str, Any]:
    """Return the explanation as data: ``tasks``, ``visits`` and every ticket with its command line.

    Raises DualRandomError ``unknown-enterprise``.
    """
    enterprise = next((one for one in context.inputs.libraries.enterprises if one.id == enterprise_id), None)
    if enterprise is None:
        raise DualRandomError(
            "unknown-enterprise",
            enterprise_id,
            {
                "zh": f"检查对象名录库中没有 {enterprise_id}",
                "en": f"the enterprise library has no {enterprise_id}",
            },
            {"zh": "请核对代码。", "en": "Check the id."},
        )
    drawn = context.result is not None
    in_frame = enterprise_id in context.position
    explanation: dict[str, Any] = {
        "enterprise": enterprise_id,
        "name": enterprise.name,
        "draw": context.announcement["draw"],
        "drawn": drawn,
        "voided": context.voided,
        "seed": context.result["seed"] if context.result is not None else None,
        "sealed": context.announcement["disclosure"] == "sealed",
        "in_frame": in_frame,
        "history": history(enterprise_id, context.done),
        "key": context.prepared.frozen.keys[context.position[enterprise_id]] if in_frame else None,
        "ticket": None,
        "tasks": [],
        "visits": [],
        "changes": [],
        "in_effect": [],
    }
    if in_frame and drawn:
        explanation["ticket"] = context.ticket("enterprise", explanation["key"])
    explanation["tasks"] = [
        _task(context, task, enterprise) for task in sorted(context.inputs.plan.tasks, key=lambda one: one.id)
    ]
    if in_frame and drawn:
        explanation["visits"] = [
            _visit(context, number)
            for number, visit in enumerate(context.visits)
            if visit.enterprise == enterprise_id
        ]
        explanation["changes"] = changes_of_enterprise(context, enterprise_id)
        explanation["in_effect"] = visits_in_effect(context, enterprise_id)
    return explanation


def _task(context: Context, task: Task, enterprise: Enterprise) -> dict[str, Any]:
    """Return in which stratum of a task the enterprise lies, its rank there, and whether it was selected."""
    told: dict[str, Any] = {
        "task": task.id,
        "name": {"zh": task.name, "en": task.name_en},
        "mode": task.mode,
        "control": task.control,
        "lead": task.lead,
        "excluded": exclusion(context.inputs.plan, task, enterprise, context.done),
        "left_out": dict(sorted(context.prepared.placed.by_task.get(task.id, {}).items())),
        "because": None,
        "stratum": None,
        "size": None,
        "expected": None,
        "drawn": None,
        "rank": None,
        "cutoff": None,
        "rounding": None,
        "quota": None,
        "selected": None,
    }
    if told["excluded"] is not None:
        told["because"] = grounds(context.inputs.plan, task, enterprise, context.done, told["excluded"])
        return told
    frozen = context.prepared.frozen
    strata = frozen.profiles[int(frozen.profile[context.position[enterprise.id]])]
    told["stratum"] = strata[task.id]
    if task.mode == "own":
        stratum = next(one for one in frozen.strata[task.id] if one.id == strata[task.id])
        told |= {
            "size": stratum.size,
            "expected": ratio(stratum.expected),
            "quota": _quota(context, task, stratum.id),
        }
    if context.result is None:
        return told
    selection = context.selections[task.id]
    told["selected"] = enterprise.id in selection.by_ticket
    if task.mode == "own":
        tickets = selection.drawn[told["stratum"]]
        told |= {
            "drawn": selection.sizes[told["stratum"]],
            "cutoff": tickets[-1] if tickets else None,
            "rank": _rank(context, task.id, told["stratum"], enterprise.id),
        }
        # whole expectations are drawn as they are; the number decides nothing then
        if any(one.expected.denominator > 1 for one in frozen.strata[task.id]):
            two_way = task.control == "two-way"
            told["rounding"] = context.ticket(
                "control" if two_way else "rounding", f"{task.id}:0" if two_way else task.id
            )
    return told


def _quota(context: Context, task: Task, stratum: str) -> dict[str, Any]:
    """Return what the expected size was computed from: annual ratio, what was done, months left."""
    population = context.prepared.placed.populations[task.id][stratum]
    why = context.policies.get((task.id, stratum))
    return {
        "policies": None if why is None else {"zh": why[0], "en": why[1]},
        "whole": population.whole,
        "done": population.done,
        "ratio": None if task.ratios is None else ratio(task.ratios[population.credit_class]),
        "frequency": task.frequency,
        "operator": task.operator,
        "months_left": context.inputs.plan.months_left,
    }


def _rank(context: Context, task: str, stratum: str, enterprise: str) -> int:
    """Return the place of an enterprise among its stratum's tickets, from 1; ties by the smaller id."""
    frozen = context.prepared.frozen
    own = (context.tickets.raw("enterprise", frozen.keys[context.position[enterprise]]), enterprise)
    belongs = [profile.get(task) == stratum for profile in frozen.profiles]
    members = [number for number, profile in enumerate(frozen.profile.tolist()) if belongs[profile]]
    drawn = context.tickets.many("enterprise", [frozen.keys[number] for number in members])
    ids = [frozen.ids[number] for number in members]
    return 1 + sum((ticket, name) < own for ticket, name in zip(drawn, ids, strict=True))


def _visit(context: Context, number: int) -> dict[str, Any]:
    """Return one visit: its place in the date lottery, its days in their order, its crews."""
    visit = context.visits[number]
    published = context.published_visits[visit.enterprise, visit.part]
    frozen = context.prepared.frozen
    place = context.position[visit.enterprise]
    key = frozen.keys[place]
    order = sorted(
        (context.tickets.raw("date", frozen.keys[context.position[one.enterprise]]), one.enterprise, one.part)
        for one in context.visits
    )
    own = context.tickets.raw("date", key), visit.enterprise, visit.part
    return {
        "part": visit.part,
        "tasks": list(visit.tasks),
        "date": published["date"],
        "order": context.ticket("date", key) | {"place": order.index(own) + 1, "of": len(order)},
        "days": _days(context, key, frozen.closed[place], published, _earlier_dates(context, published)),
        "crews": [_crew(context, number, crew, published["date"]) for crew in published["crews"]],
    }


def _earlier_dates(context: Context, published: Mapping[str, Any]) -> set[str]:
    """Return the dates that earlier parts of the same enterprise took."""
    return {
        visit["date"]
        for (enterprise, part), visit in context.published_visits.items()
        if enterprise == published["enterprise"] and part < published["part"] and visit["date"] is not None
    }


def _days(
    context: Context, key: str, closed: tuple[str, ...], published: Mapping[str, Any], taken: set[str]
) -> list[dict[str, Any]]:
    """Return the days in the order in which the visit tried them, with what became of each.

    A day before the one taken that was neither closed nor another part's was not seatable: the rule leaves no other
    reason.
    """
    days = context.announcement["days"]
    names = [f"{day}:{key}" for day in days]
    ordered = sorted(zip(context.tickets.many("day", names), days, strict=True))
    told = []
    reached = True
    for _, day in ordered:
        if day in closed:
            outcome = "closed"
        elif day in taken:
            outcome = "other-part"
        elif not reached:
            outcome = "not-reached"
        elif day == published["date"]:
            outcome = "taken"
        else:
            outcome = "not-seatable"
        reached = reached and outcome != "taken"
        told.append({"date": day, "outcome": outcome, **context.ticket("day", f"{day}:{key}")})
    return told


def _crew(context: Context, number: int, published: Mapping[str, Any], day: str) -> dict[str, Any]:
    """Return who sits in a crew with cost and adjusted cost, and how many could have."""
    crews, barring = context.seating
    frozen = context.prepared.frozen
    visit = context.visits[number]
    crew = next(one for one in crews if one.visit == number and one.department == published["department"])
    barred = set(published["barred"])
    seats = []
    for marks, inspector in zip(crew.seats, published["seats"], strict=True):
        name = f"{visit.enterprise}:{crew.department}:{inspector}"
        cost = context.cost(name)
        row = next(row for row in frozen.roster if row.id == inspector)
        seats.append(
            {
                "marks": list(marks),
                "inspector": row.person,
                "roster_id": inspector,
                "cost": cost,
                "price": context.price(inspector, day),
                "adjusted": cost + context.price(inspector, day),
                **context.ticket(context.pair_stage, name),
            }
        )
    able = [frozen.roster[position] for position in crew.able]
    present = [row for row in able if row.id not in barred and day not in row.absent]
    return {
        "department": crew.department,
        "seats": seats,
        "could_sit": len(present),
        "absent": sum(day in row.absent for row in able if row.id not in barred),
        "barred": [
            {
                "inspector": row.person,
                "roster_id": row.id,
                "why": context.barred_because(number, row.id, barring),
            }
            for row in able
            if row.id in barred
        ],
    }
