"""How close a draw came to the fewest visits possible, and who was left out of each task: told wherever a draw is told."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualrandom.campaign import announce, draw
from dualrandom.cli import run
from dualrandom.demo import write_campaign
from dualrandom.overlap import closeness


@given(st.integers(0, 10**9), st.integers(1, 10**9), st.integers(0, 1000))
def test_independent_draws_have_none_of_it_and_the_bound_has_all(least: int, gap: int, visited: int) -> None:
    def six(millionths: int) -> str:
        return f"{millionths // 10**6}.{millionths % 10**6:06d}"

    figures = {"alone": 0, "independent": six(least + gap), "least_possible": six(least), "visited": visited}
    share = closeness(figures)
    assert share is not None
    # linear in the visits: 0 at what independent draws need, 1 at the least
    assert share * gap == least + gap - visited * 10**6


def test_tasks_without_a_firm_in_common_have_no_share() -> None:
    figures = {"alone": 3, "independent": "3.000000", "least_possible": "3.000000", "visited": 3}
    assert closeness(figures) is None


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("closeness") / "town"
    write_campaign("town", folder)
    return folder


@pytest.fixture
def asked(capsys: pytest.CaptureFixture[str]) -> Callable[..., Any]:
    def ask(*arguments: object) -> Any:
        assert run([*map(str, arguments), "--json"]) == 0
        return json.loads(capsys.readouterr().out)

    return ask


def test_reasons_are_counted_for_each_task_before_the_draw(
    town: Path, asked: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    told = asked("check", town)
    of_tasks: dict[str, int] = {}
    for task in told["tasks"]:
        for reason, count in task["left_out"].items():
            of_tasks[reason] = of_tasks.get(reason, 0) + count
    assert of_tasks["done-this-year"] > 0
    assert {reason: count for reason, count in told["excluded"].items() if reason in of_tasks} == of_tasks
    assert run(["check", str(town), "--language", "en"]) == 0
    assert "left out" in capsys.readouterr().out


def test_the_command_the_page_and_the_explanation_tell_the_same(
    town: Path, asked: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    before = {task["task"]: task["left_out"] for task in asked("check", town)["tasks"]}
    announce(town, rehearsal=True, now=datetime(2026, 1, 1, tzinfo=UTC))
    draw(town, beacon_file=None)
    told = asked("draw", town)
    overlap = json.loads((town / "public" / "statistics.json").read_bytes())["overlap"]
    share = closeness(overlap)
    assert share is not None
    assert Fraction(told["closeness"]).limit_denominator(10**9) == share.limit_denominator(10**9)
    page = (town / "public" / "index.html").read_text("utf-8")
    assert f"{float(share * 100):.2f} %" in page
    firm = (town / "enterprises.csv").read_text("utf-8").splitlines()[1].split(",")[0]
    explained = asked("explain", town, "--enterprise", firm)
    assert {task["task"]: task["left_out"] for task in explained["tasks"]} == before
    assert run(["explain", str(town), "--enterprise", firm, "--language", "zh"]) == 0
    assert "范围内而不可抽" in capsys.readouterr().out


def test_simulated_draws_tell_their_range(town: Path, asked: Callable[..., Any]) -> None:
    told = asked("simulate", town, "--draws", "3")["closeness"]
    assert told["least"] <= told["mean"] <= told["greatest"]
