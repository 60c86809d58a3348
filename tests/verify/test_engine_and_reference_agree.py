"""The drawing engine, the slow reference and the verifier were written apart from the same page; here they must agree."""

import importlib
import os
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from dualrandom.announcement import list_files
from dualrandom.canonical import canonical
from dualrandom.draw import draw_result
from dualrandom.frame import Frozen, RosterRow
from dualrandom.hashing import suite_digest
from dualrandom.quota import Stratum
from dualrandom.verify import AuditorFiles, verify_record

SMALL_DRAWS = range(400 if os.environ.get("DUALRANDOM_DEEP") == "1" else 40)


@pytest.fixture(scope="module")
def small(reference: ModuleType) -> dict[int, Any]:
    """Random small draws, made by the reference."""
    make = importlib.import_module("small").small_case
    return {number: reference.build(reference.Case(**make(number))) for number in SMALL_DRAWS}


def frozen(built: Any) -> Frozen:
    """The reference's lists in the engine's form."""
    profiles = tuple(built.profiles.values())
    pairs = {(a, b): ground for a, b, ground in sorted(built.recusals)}
    strata = {
        task: tuple(
            Stratum(id=s["id"], group=s["group"], size=s["size"], expected=Fraction(s["expected"]))
            for s in sorted(several, key=lambda s: str(s["id"]))
        )
        for task, several in built.strata.items()
    }
    ids = tuple(sorted(built.frame))
    return Frozen(
        draw=built.draw,
        ids=ids,
        keys=tuple(built.keys[key] for key in ids),
        districts=tuple(built.frame[key]["district"] for key in ids),
        streets=("",) * len(ids),
        closed=tuple(tuple(built.frame[key]["closed"]) for key in ids),
        profile=np.array([profiles.index(built.frame[key]["strata"]) for key in ids], dtype=np.int64),
        profiles=profiles,
        roster=tuple(
            RosterRow(
                id=key,
                person=row["person"],
                department=row["department"],
                districts=tuple(row["districts"]),
                marks=tuple(row["marks"]),
                absent=tuple(row["absent"]),
                daily=row["daily"],
                total=row["total"],
            )
            for key, row in sorted(built.roster.items())
        ),
        recused={pair: ground for pair, ground in pairs.items() if pair[1] not in built.roster},
        incompatible={pair: ground for pair, ground in pairs.items() if pair[1] in built.roster},
        strata=strata,
    )


def the_engine_agrees_with(built: Any) -> None:
    lists = frozen(built)
    sealed = built.case.sealed
    secret = built.case.secret
    for name, made in list_files(lists, secret if sealed else None, suite_digest(built.case.suite)).items():
        assert made.file() == built.public[f"{name}.jsonl"], name
    drawn = draw_result(built.announcement, built.digest, lists, built.seed, secret)
    assert canonical(drawn.result) == built.public["result.json"]
    for name, made in drawn.lists.items():
        assert made.file() == built.public[f"{name}.jsonl"], name
        assert made.openings_file() == built.openings[name], name


def the_verifier_agrees_with(built: Any) -> None:
    for auditor in (None, AuditorFiles(built.case.secret, built.openings)):
        report = verify_record(built.public, auditor)
        assert [(check.name, check.reason_en) for check in report.checks if check.status == "FAIL"] == []


def test_the_engine_makes_the_same_bytes_as_the_reference(
    happy_path: str, built: dict[str, Any], cases: ModuleType
) -> None:
    if happy_path not in cases.NOT_DRAWN and happy_path != "open-optimised":
        the_engine_agrees_with(built[happy_path])


@pytest.mark.parametrize("number", SMALL_DRAWS)
def test_engine_reference_and_verifier_agree_on_a_random_draw(number: int, small: dict[int, Any]) -> None:
    the_engine_agrees_with(small[number])
    the_verifier_agrees_with(small[number])


def test_the_random_draws_exercise_the_rules(small: dict[int, Any]) -> None:
    results = [built.result for built in small.values()]
    assert any(result["prices"] for result in results)
    assert any(price["period"] != "0" for result in results for price in result["prices"])
    assert any(result["relief"] for result in results)
    assert any(result["totals"]["undated"] for result in results)
    assert any(visit["part"] > 1 for result in results for visit in result["visits"])
    assert any(crew["barred"] for r in results for visit in r["visits"] for crew in visit["crews"])
    assert sum(result["totals"]["crews"] for result in results) > len(results)
    broken = [
        task
        for built in small.values()
        for task in built.announcement["tasks"]
        if task["control"] == "two-way"
        and any(not s["expected"].endswith("/1") for s in task["strata"] or ())
    ]
    assert len(broken) > 10
