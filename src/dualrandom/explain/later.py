"""What was changed after the draw (docs/protocol.md §13), as far as it concerns one enterprise or one inspector."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dualrandom.changes import EXCLUSIONS, REPLACEMENTS, WITHDRAWALS, Place, effective_visits, unfilled_crews
from dualrandom.explain.context import Context


def changes_of_enterprise(context: Context, enterprise: str) -> list[dict[str, Any]]:
    """Return the rows that concern an enterprise, in their order, in words: its exclusion, that it takes a place, its crews."""
    told = []
    assert context.result is not None
    unfilled = unfilled_crews(context.result, context.changes)
    for position, row in enumerate(context.changes):
        if row["type"] == "exclude" and row["enterprise"] == enterprise:
            told.append(_exclusion(context, position))
        elif row["type"] == "substitute" and any(one["enterprise"] == enterprise for one in row["tasks"]):
            told.append(_place(context, row, enterprise))
        elif row["type"] == "replace" and row["enterprise"] == enterprise:
            told.append(_replacement(context, row))
        elif row["type"] == "withdraw":
            told += [
                _withdrawal(row, place) for place in unfilled[row["department"]] if place[0] == enterprise
            ]
    return told


def changes_of_inspector(context: Context, inspector: str) -> list[dict[str, Any]]:
    """Return the rows in which an inspector (roster id) goes or comes, in their order, or his department leaves."""
    told = []
    department = next(one.department for one in context.prepared.frozen.roster if one.id == inspector)
    for row in context.changes:
        if row["type"] == "replace" and inspector in {row["in"], row["out"]}:
            told.append(_replacement(context, row))
        elif row["type"] == "substitute":
            told += [
                {**_place(context, row, visit["enterprise"]), "department": crew["department"]}
                for visit in row["visits"]
                for crew in visit["crews"]
                if inspector in crew["seats"]
            ]
        elif row["type"] == "withdraw" and row["department"] == department:
            told.append(_withdrawal(row, None))
    return told


def visits_in_effect(context: Context, enterprise: str) -> list[dict[str, Any]]:
    """Return an enterprise's visits after all changes: ``part``, ``date``, ``crews`` with people's codes."""
    assert context.result is not None
    person_of = {row.id: row.person for row in context.prepared.frozen.roster}
    return [
        {
            "part": visit["part"],
            "date": visit["date"],
            "tasks": sorted({check["task"] for check in visit["checks"]}),
            "crews": [
                {"department": crew["department"], "inspectors": [person_of[one] for one in crew["seats"]]}
                for crew in visit["crews"]
            ],
        }
        for visit in effective_visits(context.result, context.changes)
        if visit["enterprise"] == enterprise
    ]


def _exclusion(context: Context, position: int) -> dict[str, Any]:
    row = context.changes[position]
    # the substitutes stand in the order of the exclusions
    before = sum(one["type"] == "exclude" for one in context.changes[:position])
    substitutes = [one for one in context.changes if one["type"] == "substitute"]
    answer = substitutes[before] if before < len(substitutes) else None
    return {
        "number": row["number"],
        "type": "exclude",
        "enterprise": row["enterprise"],
        "time": row["time"],
        "reason": _reason(row["reason"]),
        "round": None if row["beacon"] is None else row["beacon"]["round"],
        "pending": answer is None and context.announcement["policy"]["substitution"] != "none",
        "substitutes": [] if answer is None else [dict(place) for place in answer["tasks"]],
    }


def _place(context: Context, row: Mapping[str, Any], enterprise: str) -> dict[str, Any]:
    exclusions = [one for one in context.changes if one["type"] == "exclude"]
    before = sum(one["type"] == "substitute" and one["number"] < row["number"] for one in context.changes)
    excluded = exclusions[before]
    return {
        "number": row["number"],
        "type": "substitute",
        "enterprise": enterprise,
        "instead_of": excluded["enterprise"],
        "reason": _reason(excluded["reason"]),
        "seed": row["seed"],
        "tasks": [one["task"] for one in row["tasks"] if one["enterprise"] == enterprise],
        "dates": [visit["date"] for visit in row["visits"] if visit["enterprise"] == enterprise],
    }


def _replacement(context: Context, row: Mapping[str, Any]) -> dict[str, Any]:
    person_of = {one.id: one.person for one in context.prepared.frozen.roster}
    return {
        "number": row["number"],
        "type": "replace",
        "enterprise": row["enterprise"],
        "part": row["part"],
        "department": row["department"],
        "time": row["time"],
        "reason": _reason(row["reason"]),
        "out": person_of[row["out"]],
        "in": person_of[row["in"]],
    }


def _withdrawal(row: Mapping[str, Any], place: Place | None) -> dict[str, Any]:
    """Return a withdrawal; ``place``: the visit whose crew it left unfilled, None for the department's people."""
    return {
        "number": row["number"],
        "type": "withdraw",
        "enterprise": None if place is None else place[0],
        "part": None if place is None else place[1],
        "department": row["department"],
        "from": row["from"],
        "time": row["time"],
        "reason": _reason(row["reason"]),
    }


def _reason(code: str) -> dict[str, str]:
    words = {**WITHDRAWALS, **REPLACEMENTS, **EXCLUSIONS}[code]
    return {"code": code, "zh": words.zh, "en": words.en}
