"""Why an inspector is paired with a visit or not: districts, marks, recusals, bars, absence, costs and prices (§8)."""

from __future__ import annotations

from typing import Any

from dualrandom.crews import Crew
from dualrandom.errors import DualRandomError
from dualrandom.explain.context import Context
from dualrandom.explain.later import changes_of_inspector
from dualrandom.frame import RosterRow


def explain_inspector(context: Context, code: str) -> dict[str, Any]:
    """Return the explanation as data: the roster row, recusals, workload, and one entry for each crew of the department.

    Raises DualRandomError ``unknown-inspector``.
    """
    roster = context.prepared.frozen.roster
    place = next((n for n, row in enumerate(roster) if code in {row.person, row.id}), None)
    if place is None:
        raise _unknown(context, code)
    row = roster[place]
    explanation: dict[str, Any] = {
        "inspector": row.person,
        "roster_id": row.id,
        "draw": context.announcement["draw"],
        "drawn": context.result is not None,
        "voided": context.voided,
        "department": row.department,
        "districts": list(row.districts),
        "marks": list(row.marks),
        "daily": row.daily,
        "total": row.total,
        "absent": list(row.absent),
        "recusals": _recusals(context, row),
        "prices": None,
        "crews": 0,
        "visits": [],
        "changes": [],
    }
    if context.result is None:
        return explanation
    crews, _ = context.seating
    explanation["prices"] = context.prices.get(row.id, {"days": {}, "inspector": row.id, "period": "0"})
    explanation["visits"] = [
        _crew(context, crew, place) for crew in crews if crew.department == row.department
    ]
    explanation["visits"].sort(key=lambda one: (one["date"] or "", one["enterprise"], one["part"]))
    explanation["crews"] = sum(visit["outcome"] == "paired" for visit in explanation["visits"])
    explanation["changes"] = changes_of_inspector(context, row.id)
    return explanation


def _unknown(context: Context, code: str) -> DualRandomError:
    known = next((one for one in context.inputs.libraries.inspectors if one.code == code), None)
    if known is not None:
        return DualRandomError(
            "inspector-without-task",
            code,
            {
                "zh": f"{code} 属于部门 {known.department}，该部门在本计划中没有任务，因此不在名录中",
                "en": f"{code} belongs to department {known.department}, which has no task in this plan",
            },
            {"zh": "无需处理。", "en": "There is nothing to do."},
        )
    return DualRandomError(
        "unknown-inspector",
        code,
        {"zh": f"检查人员名录库中没有 {code}", "en": f"the inspector library has no {code}"},
        {"zh": "请核对编号。", "en": "Check the code."},
    )


def _recusals(context: Context, row: RosterRow) -> list[dict[str, str]]:
    frozen = context.prepared.frozen
    person_of = {one.id: one.person for one in frozen.roster}
    told = [
        {"other": enterprise, "ground": ground}
        for (inspector, enterprise), ground in frozen.recused.items()
        if inspector == row.id
    ]
    for (a, b), ground in frozen.incompatible.items():
        if row.id in {a, b}:
            told.append({"other": person_of[b if a == row.id else a], "ground": ground})
    return sorted(told, key=lambda one: one["other"])


def _crew(context: Context, crew: Crew, place: int) -> dict[str, Any]:
    """Return what became of the inspector in one crew of the department.

    ``outcome``: paired, cost (someone cheaper sits), absent, barred, recused, other-district, no-seat or undated.
    """
    frozen = context.prepared.frozen
    row = frozen.roster[place]
    visit = context.visits[crew.visit]
    published = context.published_visits[visit.enterprise, visit.part]
    day = published["date"]
    told: dict[str, Any] = {
        "enterprise": visit.enterprise,
        "part": visit.part,
        "date": day,
        "district": published["district"],
        "outcome": _outcome(context, crew, place, day),
        "why": None,
        "cost": None,
        "price": None,
        "adjusted": None,
        "ticket": None,
        "command": None,
        "sitting": [],
    }
    if day is None:
        return told
    seated = next(one for one in published["crews"] if one["department"] == crew.department)["seats"]
    if row.id in seated:
        told["outcome"] = "paired"
    if told["outcome"] in {"recused", "barred"}:
        told["why"] = context.barred_because(crew.visit, row.id, context.seating[1])
    if told["outcome"] in {"paired", "cost"}:
        told |= _priced(context, visit.enterprise, crew.department, row.id, day)
        person_of = {one.id: one.person for one in frozen.roster}
        told["sitting"] = [
            {"inspector": person_of[one], **_priced(context, visit.enterprise, crew.department, one, day)}
            for one in seated
        ]
    return told


def _outcome(context: Context, crew: Crew, place: int, day: str | None) -> str:
    frozen = context.prepared.frozen
    row = frozen.roster[place]
    visit = context.visits[crew.visit]
    if day is None:
        return "undated"
    if place not in crew.able:
        district = frozen.districts[context.position[visit.enterprise]]
        held = any(set(marks) <= set(row.marks) for marks in crew.seats)
        return "other-district" if held and district not in row.districts else "no-seat"
    if (row.id, visit.enterprise) in frozen.recused:
        return "recused"
    if place in context.seating[1].barred.get(crew.visit, set()):
        return "barred"
    return "absent" if day in row.absent else "cost"


def _priced(context: Context, enterprise: str, department: str, inspector: str, day: str) -> dict[str, Any]:
    name = f"{enterprise}:{department}:{inspector}"
    cost, price = context.cost(name), context.price(inspector, day)
    return {
        "cost": cost,
        "price": price,
        "adjusted": cost + price,
        **context.ticket(context.pair_stage, name),
    }
