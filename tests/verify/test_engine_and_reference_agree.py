"""The drawing engine, the slow reference and the verifier were written apart from the same page; here they must agree."""

import importlib
import os
from types import ModuleType
from typing import Any

import pytest

from dualrandom.announcement import list_files
from dualrandom.canonical import canonical
from dualrandom.draw import draw_result
from dualrandom.hashing import suite_digest
from dualrandom.verify import AuditorFiles, verify_record

SMALL_DRAWS = range(400 if os.environ.get("DUALRANDOM_DEEP") == "1" else 40)


@pytest.fixture(scope="module")
def small(reference: ModuleType) -> dict[int, Any]:
    """Random small draws, made by the reference."""
    make = importlib.import_module("small").small_case
    return {number: reference.build(reference.Case(**make(number))) for number in SMALL_DRAWS}


def the_engine_agrees_with(built: Any) -> None:
    lists = importlib.import_module("engine_form").frozen(built)
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
