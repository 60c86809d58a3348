"""The reference's flags and reasons (docs/protocol.md §10.1), by counting one enterprise and one person at a time."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

Json = Any


def flags(built: Any) -> list[Json]:
    """What is conspicuous; nothing is known of an earlier draw, and no item is a key item."""
    a = built.announcement
    found = [{"code": "edits-not-checked", "task": "", "value": "no-snapshot"}]
    found += [
        {"code": "high-rate", "task": rate["task"], "value": rate["greatest"]}
        for rate in a["rates"]
        if 2 * Fraction(rate["greatest"]) > 1
    ]
    for task in a["tasks"]:
        name = task["id"]
        size = sum(name in row["strata"] for row in built.frame.values())
        if size < 10:
            found.append({"code": "small-frame", "task": name, "value": str(size)})
        thin = pools(built, task["department"])
        if thin:
            found.append({"code": "small-pool", "task": name, "value": str(min(thin))})
    return sorted(found, key=lambda flag: (flag["code"], flag["task"]))


def pools(built: Any, department: str) -> list[int]:
    """The sizes of a department's thin pools."""
    a = built.announcement
    checks = [{"task": task["id"]} for task in a["tasks"] if task["department"] == department]
    relief, built.relief = built.relief, []  # the ladder is no matter of the lists
    seats = built.seats({"checks": checks}, department)
    built.relief = relief
    everywhere = a["policy"]["cross_district"]
    thin = []
    for district in {row["district"] for row in built.frame.values()}:
        for seat in seats:
            able = [
                row
                for row in built.roster.values()
                if row["department"] == department
                and set(seat) <= set(row["marks"])
                and (everywhere or district in row["districts"])
            ]
            if len(able) < 3 * seats.count(seat):
                thin.append(len(able))
    return thin


def reason(built: Any, visit: Json) -> str:
    """Why a visit has no date."""
    if all(day in built.frame[visit["enterprise"]]["closed"] for day in built.announcement["days"]):
        return "closed"
    barred = built.barred[visit["enterprise"], visit["part"]]
    for department in built.departments(visit):
        people = [
            [
                person
                for person in built.roster
                if built.fits(person, visit, department, seat)
                and person not in barred
                and not built.recused(person, visit["enterprise"])
            ]
            for seat in built.seats(visit, department)
        ]
        if not all(people) or len({person for able in people for person in able}) < len(people):
            return "seat-without-candidate"
    return "no-seatable-day"
