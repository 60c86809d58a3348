"""Bounds on strata, alone and together, and how sizes are moved until they keep them. Exact rationals throughout.

Policies bound single strata and sums over several of them; the sets may be nested or cross each other. They are met one after the
other, smaller sets first, by one common factor on the members of a set. What a set needed is fixed from then on; where that
breaks a bound met before, that one is fixed at its edge first, and everything is done again.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from math import floor


@dataclass(frozen=True, slots=True)
class Range:
    """A stratum's least and greatest annual ratio, and whether the greatest is a law's ceiling (rounded down)."""

    low: Fraction = Fraction(0)
    high: Fraction = Fraction(1)


@dataclass(frozen=True, slots=True)
class Together:
    """Bounds on several strata at once: ``low`` ≤ Σ targets / (Σ whole · frequency) ≤ ``high``."""

    strata: frozenset[str]
    low: Fraction = Fraction(0)
    high: Fraction | None = None
    hard: bool = True


@dataclass(frozen=True)
class Bounds:
    """What policies say about the strata of one task. Soft ranges lie within the hard ones."""

    hard: Mapping[str, Range] = field(default_factory=dict)
    soft: Mapping[str, Range] = field(default_factory=dict)
    together: tuple[Together, ...] = ()


FREE = Bounds()


@dataclass(frozen=True, slots=True)
class Step:
    """How far sizes may be moved: ``kept`` stay as they are; ``wide``: beyond guidance, as far as law allows."""

    kept: Mapping[str, Fraction]
    wide: bool


Span = Callable[[Together], tuple[Fraction, Fraction | None]]
"""Between what the sizes of a bound's members must lie together."""
Move = Callable[[Mapping[str, Fraction], Sequence[str], Fraction, Step], dict[str, Fraction]]
"""(sizes, members, wanted sum, step) → sizes of the members, as near to the wanted sum as the step allows."""


def settled(
    bounds: Sequence[Together],
    start: Callable[[Mapping[str, Fraction]], dict[str, Fraction]],
    span: Span,
    move: Move,
) -> dict[str, Fraction]:
    """Return sizes that keep the bounds as far as possible; ``start`` gives all sizes when some are fixed.

    Guidance yields to law: where a law cannot be met otherwise, what guidance fixed is moved again.
    """
    ordered = sorted(bounds, key=lambda one: (len(one.strata), not one.hard, sorted(one.strata)))
    pinned: dict[int, Fraction] = {}
    while True:
        fixed: dict[str, Fraction] = {}
        by_law: dict[str, Fraction] = {}
        for number, bound in enumerate(ordered):
            sizes = start(fixed)
            members = [s for s in sizes if s in bound.strata]
            total = sum((sizes[s] for s in members), Fraction(0))
            wanted = pinned.get(number, _nearest(total, *span(bound)))
            if wanted == total and number not in pinned:
                continue
            found: dict[str, Fraction] = {}
            for step in _steps(bound.hard, fixed, by_law):
                found = move(sizes, members, wanted, step)
                if sum(found.values(), Fraction(0)) == wanted:
                    break
            fixed |= found
            if bound.hard:
                by_law |= found
        sizes = start(fixed)
        broken = {}
        for number, bound in enumerate(ordered):
            total = sum((sizes[s] for s in sizes if s in bound.strata), Fraction(0))
            edge = _nearest(total, *span(bound))
            if edge != total and number not in pinned:
                broken[number] = edge
        if not broken:
            return sizes
        pinned |= broken


def _nearest(total: Fraction, low: Fraction, high: Fraction | None) -> Fraction:
    return max(total, low) if high is None else min(max(total, low), high)


def _steps(hard: bool, fixed: Mapping[str, Fraction], by_law: Mapping[str, Fraction]) -> tuple[Step, ...]:
    within = Step(fixed, wide=False)
    return (within, Step(fixed, wide=True), Step(by_law, wide=True)) if hard else (within,)


def scaled(
    mass: Mapping[str, Fraction],
    lower: Mapping[str, Fraction],
    upper: Mapping[str, Fraction],
    total: Fraction,
) -> dict[str, Fraction]:
    """Return the values min(upper, max(lower, factor · mass)) whose sum is ``total``, for one factor ≥ 0.

    Below Σ lower all are lower, above what the uppers allow all are upper; what has no mass stays lower. Exact.
    """
    moving = [s for s in mass if mass[s] > 0]

    def values(factor: Fraction) -> dict[str, Fraction]:
        return {s: min(upper[s], max(lower[s], factor * mass[s])) for s in mass}

    def whole(factor: Fraction) -> Fraction:
        return sum(values(factor).values(), Fraction(0))

    edges = sorted({edge[s] / mass[s] for s in moving for edge in (lower, upper)})
    if not edges or total <= whole(edges[0]):
        return dict(lower)
    below, above = 0, len(edges) - 1
    if whole(edges[above]) <= total:
        return values(edges[above])
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (middle, above) if whole(edges[middle]) <= total else (below, middle)
    at_rest = values(edges[below])
    middle_factor = (edges[below] + edges[above]) / 2
    free = [s for s in moving if lower[s] < middle_factor * mass[s] < upper[s]]
    missing = total - sum(at_rest.values(), Fraction(0))
    slope = sum((mass[s] for s in free), Fraction(0))
    return values(edges[below] + missing / slope) if free else at_rest


def largest_remainders(sizes: Mapping[str, Fraction], total: int) -> dict[str, Fraction]:
    """Round sizes to whole numbers with the given sum, which is between Σ floors and Σ ceilings."""
    whole = {stratum: Fraction(floor(size)) for stratum, size in sizes.items()}
    missing = total - int(sum(whole.values(), Fraction(0)))
    by_remainder = sorted(sizes, key=lambda stratum: (whole[stratum] - sizes[stratum], stratum))
    for stratum in by_remainder[:missing] if missing > 0 else ():
        whole[stratum] += 1
    return whole
