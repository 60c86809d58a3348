"""Estimates from a stratified simple random sample without replacement (docs/sampling.md).

Given the sizes n_h, the smallest tickets of a stratum are a simple random sample: π_i = n/N and π_ij = n(n-1)/(N(N-1)), and the
Horvitz-Thompson estimator and its variance are the textbook ones (Horvitz and Thompson 1952; Cochran 1977, chapters 5 and 5A.12; Särndal,
Swensson and Wretman 1992, chapter 5). A domain's rate is a ratio of two totals, linearised. Exact fractions up to the last square root.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from math import sqrt
from statistics import NormalDist

from dualrandom.tails import clopper_pearson

FEW = 10
"""With fewer violations, or fewer enterprises without one, counted or effective, the normal interval is not used."""


@dataclass(frozen=True, slots=True)
class Counts:
    """What one stratum's sample shows of one domain.

    ``size`` N_h and ``expected`` e_h are the stratum's; ``drawn`` n_h; ``recorded``: those of the drawn that are known, be it that
    they lie outside the domain; ``checked``, ``violations`` ⊆ checked and ``missed``: of the domain.
    """

    id: str
    group: str
    size: int
    expected: Fraction
    drawn: int
    recorded: int
    checked: int
    violations: int
    missed: int


@dataclass(frozen=True, slots=True)
class Estimate:
    """A domain's estimates; ``None`` where the sample does not say.

    ``rate`` is violations among enterprises that could be checked, ``low`` to ``high`` its interval by ``interval`` (``normal``,
    ``korn-graubard`` or ``census``), ``error`` its standard error by ``variance`` (``stratified``, ``collapsed`` or ``none``); ``violating``
    estimates how many enterprises violate, ``missed_rate`` the share that could not be checked.
    """

    rate: Fraction | None
    error: float | None
    low: float | None
    high: float | None
    interval: str | None
    variance: str
    violating: Fraction | None
    violating_error: float | None
    missed_rate: Fraction | None


@dataclass(frozen=True, slots=True)
class Unconditional:
    """Horvitz-Thompson with first-order π_i = e_h/N_h, whatever sizes the rounding gave: totals and their ratio."""

    violating: Fraction
    checked: Fraction
    rate: Fraction | None


def horvitz_thompson(strata: Sequence[Counts]) -> Unconditional | None:
    """Return Σ y_i/π_i; ``None`` while something that was drawn is not recorded."""
    if any(s.recorded < s.drawn for s in strata):
        return None
    drawable = [s for s in strata if s.expected > 0]
    violating = sum((s.violations * s.size / s.expected for s in drawable), Fraction(0))
    checked = sum((s.checked * s.size / s.expected for s in drawable), Fraction(0))
    return Unconditional(violating, checked, violating / checked if checked else None)


def collapsed_groups(strata: Sequence[Counts]) -> list[tuple[str, ...]]:
    """Return which strata are put together because a single recorded enterprise shows no variance.

    Such strata are taken in pairs in the order (group, id), the last three together if their number is odd; a lonely one takes
    the next stratum of that order, or else the one before.
    """
    ordered = sorted((s for s in strata if s.recorded), key=lambda s: (s.group, s.id))
    single = [s for s in ordered if s.recorded == 1 < s.size]
    if not single:
        return []
    if len(single) == 1:
        place = ordered.index(single[0])
        if len(ordered) == 1:
            return []
        other = ordered[place + 1] if place + 1 < len(ordered) else ordered[place - 1]
        return [tuple(sorted((single[0].id, other.id)))]
    bounds = [*range(0, len(single) - 1, 2), len(single)]
    return [tuple(s.id for s in single[start:end]) for start, end in pairwise(bounds)]


def _variance(strata: Sequence[Counts], moments: Mapping[str, tuple[Fraction, Fraction]]) -> Fraction | None:
    """Return the estimated variance of Σ N_h/m_h Σ r_i, or None where no sample shows any.

    ``moments``: stratum → (Σ r_i, Σ r_i²) of its recorded enterprises.
    """
    groups = collapsed_groups(strata)
    together = {name for group in groups for name in group}
    by_id = {s.id: s for s in strata}
    total = Fraction(0)
    for s in strata:
        if s.recorded == 0 or s.id in together or s.recorded == s.size:
            continue
        if s.recorded == 1:
            return None
        first, second = moments[s.id]
        spread = (second - first * first / s.recorded) / (s.recorded - 1)
        total += Fraction(s.size * (s.size - s.recorded), s.recorded) * spread
    for group in groups:
        sums = {name: by_id[name].size * moments[name][0] / by_id[name].recorded for name in group}
        size = sum(by_id[name].size for name in group)
        whole = sum(sums.values(), Fraction(0))
        between = sum(((sums[n] - whole * by_id[n].size / size) ** 2 for n in group), Fraction(0))
        total += between * len(group) / (len(group) - 1)
    return total


def estimate(strata: Sequence[Counts], confidence: float) -> Estimate:
    """Estimate a domain from its counts; strata without a recorded enterprise contribute nothing (the caller says so)."""
    seen = [s for s in strata if s.recorded]
    violating = sum((Fraction(s.size * s.violations, s.recorded) for s in seen), Fraction(0))
    checked = sum((Fraction(s.size * s.checked, s.recorded) for s in seen), Fraction(0))
    missed = sum((Fraction(s.size * s.missed, s.recorded) for s in seen), Fraction(0))
    ones = {s.id: (Fraction(s.violations), Fraction(s.violations)) for s in seen}
    total_variance = _variance(seen, ones) if seen else None
    variance_name = "none"
    if total_variance is not None:
        variance_name = "collapsed" if collapsed_groups(seen) else "stratified"
    missed_rate = missed / (checked + missed) if checked + missed else None
    if not checked:
        return Estimate(None, None, None, None, None, variance_name, None, None, missed_rate)
    rate = violating / checked
    residuals = {
        s.id: (
            s.violations - rate * s.checked,
            s.violations * (1 - rate) ** 2 + (s.checked - s.violations) * rate**2,
        )
        for s in seen
    }
    variance = _variance(seen, residuals)
    rate_variance = None if variance is None else variance / checked**2
    low, high, interval = _interval(seen, rate, rate_variance, confidence)
    return Estimate(
        rate=rate,
        error=None if rate_variance is None else sqrt(rate_variance),
        low=low,
        high=high,
        interval=interval,
        variance=variance_name,
        violating=violating,
        violating_error=None if total_variance is None else sqrt(total_variance),
        missed_rate=missed_rate,
    )


def _interval(
    strata: Sequence[Counts], rate: Fraction, variance: Fraction | None, confidence: float
) -> tuple[float, float, str]:
    """Return low, high and the method.

    Few cases: Clopper-Pearson at the effective sample size p(1-p)/v, never above the real one (Korn and Graubard 1998). It covers at least
    as often as promised, at the price of width.
    """
    if all(s.recorded == s.size for s in strata):
        return float(rate), float(rate), "census"
    violations = sum(s.violations for s in strata)
    checked = sum(s.checked for s in strata)
    effective = Fraction(checked)
    if variance:
        effective = min(effective, rate * (1 - rate) / variance)
    # unequal weights may leave few effective cases of many counted ones, or the other way round: both are asked
    enough = min(violations, checked - violations) >= FEW and effective * min(rate, 1 - rate) >= FEW
    if variance and enough:
        reach = NormalDist().inv_cdf((1 + confidence) / 2) * sqrt(variance)
        return max(0.0, float(rate) - reach), min(1.0, float(rate) + reach), "normal"
    low, high = clopper_pearson(float(rate * effective), float(effective), confidence)
    return low, high, "korn-graubard"
