"""Tail probabilities against scipy, to the errors that dualrandom.tails states."""

from __future__ import annotations

import pytest
import scipy  # loads its parts when they are used: every process of the tests reads this file
from hypothesis import given
from hypothesis import strategies as st

from dualrandom.tails import (
    beta_below,
    beta_quantile,
    binomial_at_least,
    binomial_band,
    binomial_two_sided,
    chi_square_tail,
    clopper_pearson,
    gamma_tail,
    normal_two_sided,
    poisson_tail,
)

shapes = st.floats(0.5, 1e6)
spreads = st.floats(-6, 30)


@given(shapes, spreads)
def test_the_gamma_tail_agrees_with_scipy(shape: float, spread: float) -> None:
    x = max(0.0, shape + spread * shape**0.5)
    assert gamma_tail(shape, x) == pytest.approx(scipy.special.gammaincc(shape, x), rel=1e-9, abs=1e-280)


@given(st.integers(1, 100_000), st.floats(-5, 30))
def test_the_chi_square_tail_agrees_with_scipy(degrees: int, spread: float) -> None:
    statistic = max(0.0, degrees + spread * (2 * degrees) ** 0.5)
    assert chi_square_tail(statistic, degrees) == pytest.approx(
        scipy.stats.chi2.sf(statistic, degrees), rel=1e-9, abs=1e-280
    )


@given(st.integers(0, 2000), st.floats(0.001, 2000))
def test_the_poisson_tail_agrees_with_scipy(count: int, mean: float) -> None:
    assert poisson_tail(count, mean) == pytest.approx(
        scipy.special.gammainc(count, mean) if count else 1.0, rel=1e-9, abs=1e-250
    )


@given(st.floats(0, 1), st.floats(0.5, 2000), st.floats(0.5, 2000))
def test_the_beta_function_agrees_with_scipy(x: float, a: float, b: float) -> None:
    assert beta_below(x, a, b) == pytest.approx(scipy.special.betainc(a, b, x), rel=1e-8, abs=1e-15)


@given(st.integers(1, 5000), st.floats(0.001, 0.999), st.floats(-8, 8))
def test_binomial_tails_agree_with_scipy(trials: int, probability: float, spread: float) -> None:
    middle = trials * probability + spread * (trials * probability * (1 - probability)) ** 0.5
    count = min(trials, max(0, round(middle)))
    assert binomial_at_least(count, trials, probability) == pytest.approx(
        scipy.stats.binom.sf(count - 1, trials, probability), rel=1e-8, abs=1e-15
    )
    above, below = (
        scipy.stats.binom.sf(count - 1, trials, probability),
        scipy.stats.binom.cdf(count, trials, probability),
    )
    assert binomial_two_sided(count, trials, probability) == pytest.approx(
        min(1, 2 * min(above, below)), rel=1e-7, abs=1e-15
    )


@given(st.integers(1, 2000), st.floats(0.001, 0.999), st.floats(1e-8, 0.5))
def test_a_band_leaves_no_more_than_asked_and_no_shorter_one_does(
    trials: int, probability: float, miss: float
) -> None:
    low, high = binomial_band(trials, probability, miss)
    binomial = scipy.stats.binom(trials, probability)
    assert binomial.cdf(low - 1) <= miss / 2 * (1 + 1e-9)
    assert binomial.cdf(low) > miss / 2 * (1 - 1e-9)
    assert binomial.sf(high) <= miss / 2 * (1 + 1e-9)
    assert high == 0 or binomial.sf(high - 1) > miss / 2 * (1 - 1e-9)


@given(st.floats(0, 1), st.floats(0.5, 500), st.floats(0.5, 500))
def test_a_beta_quantile_inverts_the_distribution(probability: float, a: float, b: float) -> None:
    assert beta_below(beta_quantile(probability, a, b), a, b) == pytest.approx(probability, abs=1e-9)


@pytest.mark.parametrize(("hits", "trials"), [(0, 7), (1, 7), (3, 40), (40, 40), (12, 900)])
def test_exact_intervals_agree_with_scipy(hits: int, trials: int) -> None:
    expected = scipy.stats.binomtest(hits, trials).proportion_ci(0.95, method="exact")
    assert clopper_pearson(hits, trials, 0.95) == pytest.approx((expected.low, expected.high), abs=1e-9)


def test_normal_tails_agree_with_scipy() -> None:
    for z in (-4.0, -1.96, 0.0, 0.5, 3.0, 30.0):
        assert normal_two_sided(z) == pytest.approx(2 * scipy.stats.norm.sf(abs(z)), rel=1e-10)
