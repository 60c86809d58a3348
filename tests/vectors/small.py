"""Random small draws: every rule may bite, nothing is large. For tests that compare readings of the protocol."""

from __future__ import annotations

import hashlib
from random import Random
from typing import Any

import cases  # type: ignore[import-not-found]


def small_case(number: int) -> dict[str, Any]:
    """Return the fields of a reference.Case; equal numbers give equal cases."""
    rng = Random(number)
    departments = ["amr", "fire", "zoo"][: rng.randint(1, 3)]
    marks = ["gsp", "leader", "lift"]
    tasks: list[Any] = []
    strata: dict[str, list[Any]] = {}
    for index, department in enumerate(departments):
        for copy in range(rng.randint(1, 2)):
            name = f"t{index}{copy}"
            items = [
                cases.item(
                    f"i{index}{copy}{i}",
                    rng.choice(["1/1", "1/2", "2/1"]),
                    *rng.sample(marks, rng.choice([0, 0, 0, 1])),
                )
                for i in range(rng.randint(1, 2))
            ]
            tasks.append(cases.task(name, department, *items))
    own = [task["id"] for task in tasks]
    if rng.random() < 0.5:
        tasks.append(cases.task("t9f", rng.choice(departments), cases.item("i9"), lead=rng.choice(own)))
    frame: dict[str, dict[str, Any]] = {}
    for n in range(1, rng.randint(4, 10)):
        scope = {name: rng.choice("ABC") for name in own if rng.random() < 0.8} or {own[0]: "A"}
        if tasks[-1]["id"] == "t9f" and rng.random() < 0.7:
            scope["t9f"] = "all"
        closed = sorted(rng.sample(cases.DAYS[:3], rng.choice([0, 0, 0, 1, 2])))
        frame[f"E{n:02d}"] = {"closed": closed, "district": rng.choice(["d1", "d2"]), "strata": scope}
    sealed = rng.random() < 0.5
    for name in own:
        strata[name] = []
        for credit in "ABC":
            size = sum(row["strata"].get(name) == credit for row in frame.values())
            share = rng.choice([0, 1, 2]) if sealed else rng.randint(0, 8)
            expected = min(share, size) if sealed else f"{min(share, 4 * size)}/4"
            strata[name].append(cases.stratum(credit, rng.choice(["g", "h"]), expected))
    _two_way(Random(f"two-way {number}"), tasks, frame, strata, sealed)
    roster = {}
    for n in range(rng.randint(3 * len(departments), 6 * len(departments))):
        department = departments[n % len(departments)]
        roster[f"p{n:02d}"] = {
            "absent": sorted(rng.sample(cases.DAYS[:3], rng.choice([0, 0, 1]))),
            "daily": rng.choice([0, 1, 1, 2, 2, 2]),
            "department": department,
            "districts": sorted(rng.sample(["d1", "d2"], rng.choice([1, 2, 2]))),
            "marks": sorted(rng.sample(marks, rng.choice([0, 1, 2, 3, 3]))),
            "person": f"P{n}",
            "total": rng.choice([0, 1, 2, 3, 4, 5]),
        }
    recusals = [[p, e, "kin"] for p in roster for e in frame if rng.random() < 0.07]
    recusals += [[p, q, "kin"] for p in roster for q in roster if p < q and rng.random() < 0.08]
    kinds = ["daily", "total", "lend", "seats"]
    ladder = [
        {"amount": rng.randint(1, 2), "department": rng.choice(departments), "kind": rng.choice(kinds)}
        for _ in range(rng.choice([0, 0, 2, 4]))
    ]
    limit = {
        "checks": rng.choice([None, 2]),
        "departments": rng.choice([None, 1, 2]),
        "hours": rng.choice([None, "3/2"]),
    }
    crews = {
        d: rng.choice([[["leader"], []], [[], []], [["leader"], [], []], [[], ["gsp"], []]])
        for d in departments
    }
    return {
        "tasks": tasks,
        "crews": crews,
        "strata": strata,
        "frame": frame,
        "roster": roster,
        "days": list(cases.DAYS[:3]),
        "recusals": recusals,
        "policy": {
            "cross_district": rng.random() < 0.2,
            "relief": ladder,
            "visit_limit": limit if rng.random() < 0.4 else None,
        },
        "sealed": sealed,
        "suite": rng.choice(["sha256", "sha256", "sm3"]),
        "beacon": cases.local("")["beacon"],
        "evidence": {"randomness": hashlib.sha256(str(number).encode()).hexdigest()},
    }


def _two_way(
    rng: Random,
    tasks: list[Any],
    frame: dict[str, dict[str, Any]],
    strata: dict[str, list[Any]],
    sealed: bool,
) -> None:
    """Divide some tasks by class and district, with both held."""
    for task in tasks:
        name = task["id"]
        if name not in strata or rng.random() < 0.6:
            continue
        task["control"] = "two-way"
        for row in frame.values():
            if name in row["strata"]:
                row["strata"][name] += f".{row['district']}"
        strata[name] = []
        for cell in (f"{credit}.{district}" for credit in "ABC" for district in ("d1", "d2")):
            size = sum(row["strata"].get(name) == cell for row in frame.values())
            expected = rng.randint(0, min(size, 1)) if sealed else f"{min(rng.randint(0, 6), 5 * size)}/5"
            strata[name].append(cases.stratum(cell, cell[0], expected))
