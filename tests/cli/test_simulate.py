"""A simulation is repeatable, publishes nothing, and would notice a draw that favours somebody."""

import doctest
import hashlib
import os
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import scipy  # loads its parts when they are used: every process of the tests reads this file
from hypothesis import given
from hypothesis import strategies as st

from dualrandom import simulate
from dualrandom.campaign import load_inputs
from dualrandom.cli import run
from dualrandom.simulate import binomial_band, outlook

Ask = Callable[..., dict[str, Any]]
DRAWS = 400 if os.environ.get("DUALRANDOM_DEEP") == "1" else 40


def content(folder: Path) -> dict[str, str]:
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_shares_keep_within_their_bands_and_nothing_is_written(ask: Ask, written: Path) -> None:
    before = content(written)
    told = ask("simulate", written, "--draws", DRAWS)
    assert content(written) == before
    assert told["draws"] == DRAWS
    assert told["inclusion"]
    for task in told["inclusion"]:
        assert task["inside"]
        assert task["band"][0] <= task["share"] <= task["band"][1]
        expected = Fraction(task["expected"])
        assert expected - 1 < task["selected"]["least"] <= task["selected"]["greatest"] < expected + 1
    assert told["visits"]["least"] <= told["visits"]["mean"] <= told["visits"]["greatest"]
    assert told["fully_dated"] + (told["undated"]["greatest"] > 0) <= DRAWS
    crews = sum(load["crews"]["mean"] for load in told["loads"])
    assert crews == pytest.approx(2 * told["crews"]["mean"], rel=0.2)


def test_a_simulation_can_be_repeated(ask: Ask, written: Path) -> None:
    first, again = (ask("simulate", written, "--draws", 3) for _ in range(2))
    del first["seconds"], again["seconds"]
    assert first == again


def test_a_draw_that_favours_somebody_leaves_its_band(
    ask: Ask, written: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("dualrandom.simulate.simulated_seed", lambda digest, number: "ab" * 32)
    told = ask("simulate", written, "--draws", 20, code=1)
    assert not all(task["inside"] for task in told["inclusion"])


def test_simulated_seeds_differ_and_follow_from_the_lists(written: Path) -> None:
    assert doctest.testmod(simulate).failed == 0
    seeds = {simulate.simulated_seed("00" * 32, number) for number in range(100)}
    assert len(seeds) == 100
    assert simulate.simulated_seed("01" * 32, 0) not in seeds
    inputs = load_inputs(written)
    assert outlook(inputs).document == outlook(inputs).document


@given(trials=st.integers(1, 300), share=st.fractions(0, 1), miss=st.sampled_from([0.1, 0.01, 1e-6]))
def test_a_band_leaves_out_no_more_than_it_may_and_no_less_than_it_could(
    trials: int, share: Fraction, miss: float
) -> None:
    low, high = binomial_band(trials, share, miss)
    below, above = (
        scipy.stats.binom.cdf(low - 1, trials, float(share)),
        scipy.stats.binom.sf(high, trials, float(share)),
    )
    assert below <= miss / 2 * (1 + 1e-6)
    assert above <= miss / 2 * (1 + 1e-6)
    if 0 < share < 1:
        assert scipy.stats.binom.cdf(low, trials, float(share)) > miss / 2 * (1 - 1e-6)
        assert scipy.stats.binom.sf(high - 1, trials, float(share)) > miss / 2 * (1 - 1e-6)


@pytest.mark.parametrize(("language", "words"), [("zh", "应有概率"), ("en", "probability")])
def test_the_outcome_is_told_in_both_languages(
    language: str, words: str, written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["simulate", str(written), "--draws", "2", "--language", language]) == 0
    assert words in capsys.readouterr().out
