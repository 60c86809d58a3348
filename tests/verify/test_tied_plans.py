"""Tied plans (docs/protocol.md §8.5, 8.7, 9): with costs of 40 bits nobody can make a record of one, so all readers are given costs of two.

What the engine draws then, with its further attempts and the evidence of the ties, each verifier must let pass; and each must refuse
it when the evidence is missing, is false, or when the plan is that of an attempt which was tied.
"""

from __future__ import annotations

import copy
import importlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dualrandom import pairing, ticket
from dualrandom.canonical import canonical
from dualrandom.draw import draw_result
from dualrandom.statistics import statistics_document

DOCS = Path(__file__).resolve().parents[2] / "docs"
TIED = (2, 16, 35, 38)
"""Small draws whose first plan, or first plans, are tied when costs have two bits."""
DRAWS = range(200) if os.environ.get("DUALRANDOM_DEEP") == "1" else TIED
Judge = Callable[[dict[str, bytes]], set[str]]


def edited(source: str, pattern: str, put: str, times: int) -> str:
    """The source with its costs cut to two bits."""
    found, count = re.subn(pattern, put, source)
    assert count == times, f"{pattern} stands {count} times"
    return found


@pytest.fixture(scope="module")
def judges(reading: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Judge]]:
    """The three verifiers, with costs of two bits: which checks FAIL."""
    verifiers = importlib.import_module("verifiers")
    folder = tmp_path_factory.mktemp("two-bits")
    for source in DOCS.glob("verify_*.py"):
        times = {"verify_crews.py": 2, "verify_documents.py": 1}.get(source.name, 0)
        text = edited(source.read_text(encoding="utf-8"), r"\[:10\], 16\)", "[:1], 16) // 4", times)
        (folder / source.name).write_text(text, encoding="utf-8")

    def given(files: dict[str, bytes]) -> Any:
        return reading.Given(public=files, secret=None, openings={}, policy=None, receipt=None)

    def small(files: dict[str, bytes]) -> set[str]:
        for old in (folder / "record").glob("*"):
            old.unlink()
        for name, data in files.items():
            (folder / "record" / name).parent.mkdir(exist_ok=True)
            (folder / "record" / name).write_bytes(data)
        command = [sys.executable, str(folder / "verify_draw.py"), str(folder / "record")]
        told = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        assert told.returncode in (0, 1, 3), told
        return {line.split()[1] for line in told.stdout.splitlines() if line.startswith("FAIL")}

    def failing(verifier: Callable[[Any], Any]) -> Judge:
        return lambda files: {
            name for name, (status, _) in verifier(given(files)).items() if status == "FAIL"
        }

    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setattr(ticket, "COST_BITS", 2)
        patch.setattr(pairing, "COST_BITS", 2)
        found = {"package": failing(verifiers.package), "small": small}
        if verifiers.has_node():
            page = folder / "verify.html"
            cost = r"\(([\w.]+)\[0\]>>>0\)\*256\+\(\1\[1\]>>>24\)"
            page.write_text(
                edited(verifiers.PAGE.read_text(encoding="utf-8"), cost, r"(\1[0]>>>30)", 4), encoding="utf-8"
            )
            found["page"] = failing(stack.enter_context(verifiers.page(page)))
        yield found


def drawn(built: Any) -> dict[str, bytes]:
    """The public files of the draw, drawn by the engine."""
    lists = importlib.import_module("engine_form").frozen(built)
    made = draw_result(built.announcement, built.digest, lists, built.seed, built.case.secret)
    files = dict(built.public) | {"result.json": canonical(made.result)}
    if made.ties is not None:
        files["ties.json"] = canonical(made.ties)
    before = json.loads(built.public["statistics.json"])
    excluded = {row["reason"]: row["count"] for row in before["excluded"]}
    files["statistics.json"] = canonical(
        statistics_document(built.announcement, built.digest, lists, made, excluded, before["flags"])
    )
    return files


def lies(files: dict[str, bytes]) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Yield falsified copies of a tied record, by what they do."""
    ties = json.loads(files["ties.json"])
    yield "the evidence is missing", {name: data for name, data in files.items() if name != "ties.json"}
    fewer = copy.deepcopy(ties)
    del fewer["attempts"][-1]
    yield "an attempt is not evidenced", files | {"ties.json": canonical(fewer)}
    result = json.loads(files["result.json"])
    dearer = copy.deepcopy(ties)
    prices = {row["inspector"]: row for row in dearer["attempts"][-1]["prices"]}
    someone = dearer["attempts"][-1]["crews"][0]["seats"][0]
    row = prices.setdefault(someone, {"days": {}, "inspector": someone, "period": "0"})
    row["period"] = str(int(row["period"]) + 1)
    dearer["attempts"][-1]["prices"] = [prices[name] for name in sorted(prices)]
    yield "the evidence's prices are not the least", files | {"ties.json": canonical(dearer)}
    earlier = result | {"attempt": result["attempt"] - 1}
    yield "the attempt is an earlier one", files | {"result.json": canonical(earlier)}


@pytest.mark.parametrize("number", DRAWS)
def test_a_tied_plan_is_drawn_again_and_its_evidence_holds(
    number: int, reference: ModuleType, judges: dict[str, Judge]
) -> None:
    fields = importlib.import_module("small").small_case(number)
    fields |= {"suite": "sha256", "sealed": False, "policy": fields["policy"] | {"embargo": "none"}}
    built = reference.build(reference.Case(**fields))
    files = drawn(built)
    attempt = json.loads(files["result.json"])["attempt"]
    assert (attempt > 0) == ("ties.json" in files)
    assert {name: judge(files) for name, judge in judges.items()} == {name: set() for name in judges}
    if number in TIED:
        assert attempt > 0
    for lie, falsified in lies(files) if attempt else ():
        assert all(judge(falsified) for judge in judges.values()), lie
