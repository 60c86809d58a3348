"""Random changes after random small draws, made by brute force: all three verifiers let them pass, and refuse the same lies about them.

Departments leave before, between and after exclusions and replacements (docs/protocol.md §13). What one of the three gets wrong in a
corner that no vector shows is seen here.
"""

from __future__ import annotations

import copy
import importlib
import os
import random
from collections.abc import Iterator
from typing import Any

import pytest

DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
DRAWS = 200 if DEEP else 8
LIES = 6 if DEEP else 2
REASONS = ("reorganised", "ordered-elsewhere", "no-inspectors", "force-majeure")


def change_at_random(found: Any, dice: random.Random) -> dict[str, bytes]:
    """Make up to eight changes of all kinds; what is pending is substituted where the policy has substitutes."""
    built = found.built
    substitutes = built.announcement["policy"]["substitution"] != "none"
    for minute in range(8):
        now = f"2023-08-24T01:{minute:02d}:00Z"
        kind = dice.choice(["exclude", "withdraw", "replace"])
        if found.pending and substitutes:
            found.substitute()
        elif kind == "exclude" and found.visits:
            found.exclude(dice.choice(sorted(found.visits))[0], "suspended", now)
        elif kind == "withdraw":
            department = dice.choice(sorted({task["department"] for task in built.announcement["tasks"]}))
            since = dice.choice(built.announcement["days"])
            seated = {(d, found.visits[place]["date"]) for place, d, _ in found.seats()}
            if department not in found.left and any(d == department and day >= since for d, day in seated):
                found.withdraw(department, since, dice.choice(REASONS), now)
        elif kind == "replace":
            seats = [seat for seat in found.seats() if found.candidates(*seat)]
            if seats:
                found.replace(*dice.choice(seats), dice.choice(["ill", "left", "newly-recused"]), now)
    while found.pending and substitutes:
        found.substitute()
    document: dict[str, bytes] = importlib.import_module("reference_changes").document(found)
    return document if found.rows else {}


def lied(found: Any, dice: random.Random) -> list[Any]:
    """Change one value of one row, or drop, double or move a row; then number and chain the rows anew."""
    rows = copy.deepcopy(found.rows)
    at = dice.randrange(len(rows))
    row = rows[at]
    departments = sorted({task["department"] for task in found.built.announcement["tasks"]})
    kind = dice.randrange(5)
    if kind == 0:
        del rows[at]
    elif kind == 1:
        rows.insert(dice.randrange(len(rows) + 1), rows.pop(at))
    elif kind == 2 and row["type"] == "withdraw":
        row[dice.choice(["from", "department"])] = dice.choice(
            [*found.built.announcement["days"], *departments]
        )
    else:
        paths = [
            path for path in places(row) if path and path[0] not in ("exclude", "number", "prev", "type")
        ]
        path = dice.choice(paths)
        inside = row
        for key in path[:-1]:
            inside = inside[key]
        known = [*departments, *found.built.announcement["days"], *sorted(found.built.roster), None, [], 0]
        inside[path[-1]] = dice.choice(known)
    chained: list[Any] = importlib.import_module("reference_changes").rechained(found, rows)
    return chained


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value of a row."""
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


def differing(judged: dict[str, Any]) -> dict[str, Any]:
    """Which checks fail for one verifier and not for another."""
    failed = {
        name: {check for check, (status, _) in found.items() if status == "FAIL"}
        for name, found in judged.items()
    }
    return {
        check: {name: found[check] for name, found in judged.items()}
        for check in set().union(*failed.values())
        if any(check not in those for those in failed.values())
    }


@pytest.mark.parametrize("number", range(DRAWS))
def test_random_changes_and_lies_about_them_get_the_same_verdict_from_all(
    number: int, reference: Any, reading: Any, verifiers: dict[str, Any]
) -> None:
    dice = random.Random(f"random changes {number}")
    changed = importlib.import_module("reference_changes")
    told: list[Any] = []
    fields = importlib.import_module("small").small_case(number)
    fields["policy"]["substitution"] = dice.choice(["none", "next", "fresh"])
    fields["suite"] = "sha256"

    def beside(built: Any) -> dict[str, bytes]:
        told.append(changed.Changed(built, {}))
        return change_at_random(told[0], dice)

    built = reference.build(reference.Case(**fields, beside=beside))
    found, openings = told[0], dict(built.openings)
    tries = [found.rows] + [lied(found, dice) for _ in range(LIES if found.rows else 0)]
    for rows in tries:
        document = b"".join(importlib.import_module("lies").jcs(row) + b"\n" for row in rows)
        files = {name: data for name, data in built.public.items() if name != "changes.jsonl"}
        files |= {"changes.jsonl": document} if rows else {}
        for auditor in (True, False) if openings else (False,):
            given = reading.Given(
                public=files,
                secret=built.case.secret if auditor else None,
                openings=openings if auditor else {},
                policy=None,
                receipt=None,
            )
            judged = {name: verify(given) for name, verify in verifiers.items()}
            assert differing(judged) == {}, rows
            if rows is found.rows:
                assert [check for check, (status, _) in judged["package"].items() if status == "FAIL"] == []
                statuses = {name: told_by["changes"][0] for name, told_by in judged.items()}
                assert len(set(statuses.values())) == 1, statuses


def test_the_random_changes_have_departments_that_leave(reference: Any) -> None:
    changed = importlib.import_module("reference_changes")
    seen = set()
    for number in range(8):
        dice = random.Random(f"random changes {number}")
        fields = importlib.import_module("small").small_case(number)
        fields["policy"]["substitution"] = dice.choice(["none", "next", "fresh"])
        fields["suite"] = "sha256"
        found = changed.Changed(reference.build(reference.Case(**fields)), {})
        change_at_random(found, dice)
        kinds = [row["type"] for row in found.rows]
        seen |= {*kinds}
        if "withdraw" in kinds:
            seen |= {f"{kind} after a withdrawal" for kind in kinds[kinds.index("withdraw") + 1 :]}
    assert seen >= {"exclude", "substitute", "replace", "withdraw", "substitute after a withdrawal"}
