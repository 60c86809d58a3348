"""Tests of whether members who should be alike were treated alike, exact in their first two moments.

If a draw treats the m members of a stratum alike, then given what it handed out in all (n places, or the loads of m inspectors), every
assignment to the members is as likely as any other. Take from each draw its deviation vector v_d (the members' figures less their mean) and
let λ_d = |v_d|²/(m-1); for n of m drawn without replacement λ_d = n(m-n)/(m(m-1)). Then for S = Σ v_d over independent draws

    X = |S|²/Σλ_d   has   E X = m-1   and   Var X = 2(m-1)(1 - Σλ_d²/(Σλ_d)²)

whatever the expected counts are; rescaled to the variance of χ² it is held against χ² with m-1 degrees of freedom.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import exp, inf, lgamma, log, sqrt

import numpy as np
import numpy.typing as npt

from dualrandom.tails import chi_square_tail, normal_two_sided, poisson_tail

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
FEW = 30
"""Below this variance a count is held against Poisson tails instead of the normal."""


@dataclass(frozen=True, slots=True)
class ChiSquare:
    """A statistic that is the sum of independent parts, its degrees of freedom and its exact variance."""

    statistic: float = 0.0
    degrees: int = 0
    variance: float = 0.0

    def __add__(self, other: ChiSquare) -> ChiSquare:
        return ChiSquare(
            self.statistic + other.statistic, self.degrees + other.degrees, self.variance + other.variance
        )

    @property
    def scaled(self) -> float:
        """The statistic, stretched about its mean so that its variance is that of χ²."""
        if self.variance <= 0:
            return float(self.degrees)
        stretch = sqrt(2 * self.degrees / self.variance)
        return max(0.0, self.degrees + (self.statistic - self.degrees) * stretch)

    @property
    def p(self) -> float:
        """Two-sided: both too uneven and too even are unlikely."""
        if self.degrees == 0 or self.variance <= 0:
            return 1.0
        above = chi_square_tail(self.scaled, self.degrees)
        return min(1.0, 2 * min(above, 1 - above))


def chi_square(sums: Floats | Ints, spreads: Floats) -> ChiSquare:
    """Return X of one class of alike members. ``sums``: [m], each one's total; ``spreads``: [D], λ_d of each draw."""
    whole = float(spreads.sum())
    if len(sums) < 2 or whole <= 0:
        return ChiSquare()
    share = float((spreads**2).sum()) / whole**2
    if share >= 1 - 1e-12:
        # a single draw that could vary: its deviation is fixed, nothing is tested
        return ChiSquare()
    deviation = sums - sums.mean()
    degrees = len(sums) - 1
    return ChiSquare(float((deviation**2).sum()) / whole, degrees, 2 * degrees * (1 - share))


def spreads_of_sizes(sizes: Ints, members: int) -> Floats:
    """Return λ_d for n_d of ``members`` drawn without replacement."""
    if members < 2:
        return np.zeros(len(sizes))
    return sizes * (members - sizes) / (members * (members - 1))


def spreads_of_loads(loads: Ints) -> Floats:
    """Return λ_d for loads [D, m] of m ≥ 2 alike members."""
    deviations: Floats = loads - loads.mean(axis=1, keepdims=True)
    spreads: Floats = (deviations**2).sum(axis=1) / (loads.shape[1] - 1)
    return spreads


@dataclass(frozen=True, slots=True)
class Sum:
    """A sum of independent random figures: what it is, its exact mean and its exact variance."""

    observed: float = 0.0
    mean: float = 0.0
    variance: float = 0.0

    def __add__(self, other: Sum) -> Sum:
        return Sum(self.observed + other.observed, self.mean + other.mean, self.variance + other.variance)

    @property
    def z(self) -> float:
        """Standard deviations from the mean."""
        gap = self.observed - self.mean
        if self.variance <= 0:
            return 0.0 if abs(gap) < 1e-9 else inf
        return gap / sqrt(self.variance)

    @property
    def p(self) -> float:
        """Two-sided normal."""
        return normal_two_sided(self.z)

    @property
    def p_count(self) -> float:
        """Two-sided for a count that varies at most like a Poisson one."""
        if self.variance >= FEW:
            return self.p
        count = round(self.observed)
        above = poisson_tail(count, self.mean)
        below = 1 - poisson_tail(count + 1, self.mean)
        return min(1.0, 2 * min(above, below))


def trend(counts: Ints, spreads: Floats) -> Sum:
    """Weigh the counts of members (in the order of ids) by their place: early ones preferred, or late ones?"""
    weights = np.arange(len(counts)) - (len(counts) - 1) / 2
    return Sum(float(weights @ counts), 0.0, float(spreads.sum()) * float((weights**2).sum()))


def neighbours(pairs: Ints, sizes: Ints, members: int) -> Sum:
    """Count pairs of neighbours drawn together. The number of runs is hypergeometric (Wald and Wolfowitz 1940).

    Random start and fixed step gives every member its fair chance, but hardly ever neighbours.
    """
    if members < 2:
        return Sum()
    n, m = sizes.astype(np.float64), float(members)
    mean = n * (n - 1) / m
    variance = n * (n - 1) * (m - n + 1) * (m - n) / (m**2 * (m - 1))
    return Sum(float(pairs.sum()), float(mean.sum()), float(variance.sum()))


@dataclass(frozen=True, slots=True)
class Repeats:
    """Pairs of draws with the same sample, how many there should be, and the p-value."""

    pairs: int
    expected: float
    p: float


def repeats(samples: list[bytes], sizes: Ints, members: Ints) -> Repeats:
    """Hold how often a whole sample recurs against the number of possible samples.

    A seed of 20 bits or a start and a step have few samples. ``sizes``: [D, strata]. Draws with equal sizes are compared: where there
    are fewer possible samples than a fifth of the draws, by χ² of how often each was drawn, else by the Poisson number of equal pairs.
    """
    groups: dict[bytes, list[int]] = {}
    for number, row in enumerate(sizes):
        groups.setdefault(row.tobytes(), []).append(number)
    pairs, expected = 0, 0.0
    rare_pairs, rare_mean, common = 0, 0.0, ChiSquare()
    for numbers in groups.values():
        tally: dict[bytes, int] = {}
        for number in numbers:
            tally[samples[number]] = tally.get(samples[number], 0) + 1
        equal = sum(count * (count - 1) // 2 for count in tally.values())
        possible = _log_samples(sizes[numbers[0]], members)
        mean = len(numbers) * (len(numbers) - 1) / 2 * exp(-possible)
        pairs, expected = pairs + equal, expected + mean
        if possible > log(len(numbers) / 5):
            rare_pairs, rare_mean = rare_pairs + equal, rare_mean + mean
        elif possible > 0.5:
            kinds = round(exp(possible))
            squares = sum(count * count for count in tally.values())
            statistic = kinds * squares / len(numbers) - len(numbers)
            common += ChiSquare(statistic, kinds - 1, 2 * (kinds - 1) * (1 - 1 / len(numbers)))
    p = min(1.0, 2 * min(poisson_tail(rare_pairs, rare_mean), common.p))
    return Repeats(pairs, expected, p)


def _log_samples(sizes: Ints, members: Ints) -> float:
    """Return log of Π C(N_h, n_h)."""
    return sum(
        lgamma(m + 1) - lgamma(n + 1) - lgamma(m - n + 1)
        for n, m in zip(sizes.tolist(), members.tolist(), strict=True)
        if 0 <= n <= m
    )
