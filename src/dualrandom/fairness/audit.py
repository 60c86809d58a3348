"""The fairness audit: many seeds on the frozen lists, and what they show (docs/sampling.md, "Fairness audit")."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import ceil, floor, inf, sqrt
from statistics import NormalDist
from typing import Any

import numpy as np

from dualrandom.canonical import canonical
from dualrandom.fairness.exchangeable import (
    ChiSquare,
    Ints,
    Sum,
    chi_square,
    neighbours,
    repeats,
    spreads_of_loads,
    spreads_of_sizes,
    trend,
)
from dualrandom.fairness.tally import (
    Document,
    Layout,
    Pairer,
    Sampler,
    Tally,
    TaskTally,
    audit_seed,
    draw_crews,
    draw_enterprises,
    layout,
    run,
    unheard,
)
from dualrandom.frame import Frozen, RosterRow
from dualrandom.hashing import hash_hex
from dualrandom.quota import Stratum
from dualrandom.tails import binomial_at_least, binomial_band, binomial_two_sided, poisson_tail

__all__ = ["ALPHA", "audit", "audit_seed"]

ALPHA = 0.001
"""A fair way of drawing is called unfair once in a thousand audits at most."""
LISTED = 20
"""How many enterprises that were never drawn are named."""
BINS = 32
REACH = 4.0
"""The histogram of standardised deviations goes from -REACH to REACH; what lies beyond is in its last bins."""


def audit(
    frozen: Frozen,
    announcement: Document,
    draws: int,
    *,
    pairings: int = 0,
    workers: int = 1,
    progress: Callable[[int], None] = unheard,
    sampler: Sampler = draw_enterprises,
    pairer: Pairer = draw_crews,
) -> dict[str, Any]:
    """Draw ``draws`` ≥ 2 times with derived seeds, ``pairings`` ≤ draws of them whole, and test what comes out.

    The result can be written as JSON. ``p_value`` is the least p-value of all tests times their number (Bonferroni), ``fair`` whether it
    is at least ``alpha``; ``coverage`` says who was never drawn; ``tasks`` and ``pairing`` hold the tables, ``histogram`` the plot. It does not depend
    on ``workers``. ``progress`` is told the number of draws done.
    """
    digest = hash_hex(canonical(announcement))
    tally = run(announcement, frozen, digest, draws, pairings, workers, sampler, pairer, progress)
    layouts = {task: layout(frozen, task) for task in tally.tasks}
    tasks = [_task(task, frozen, layouts[task], part, draws) for task, part in tally.tasks.items()]
    pairing = _pairing(frozen, tally.crews)
    tests = [
        (name, entry["task"], entry[name]["p"])
        for entry in tasks
        for name in ("sizes", "chi_square", "trend", "neighbours", "largest", "coverage", "repeats")
    ] + [("pairing", entry["department"], entry["p"]) for entry in pairing["departments"]]
    name, where, least = min(tests, key=lambda test: test[2], default=("none", "", 1.0))
    p_value = min(1.0, least * len(tests))
    return {
        "announcement": digest,
        "draw": announcement["draw"],
        "sealed": announcement["disclosure"] == "sealed",
        "draws": draws,
        "pairings": pairings,
        "alpha": ALPHA,
        "p_value": p_value,
        "fair": p_value >= ALPHA,
        "tests": len(tests),
        "weakest": {"test": name, "where": where, "p": least},
        "coverage": _whole_coverage(frozen, layouts, tally),
        "tasks": tasks,
        "followers": [task["id"] for task in announcement["tasks"] if task["id"] not in tally.tasks],
        "histogram": _histogram(frozen, layouts, tally, draws),
        "pairing": pairing,
    }


@dataclass(frozen=True)
class _Class:
    """The members of one stratum over all draws: positions in the frame by id, counts, and sizes by draw."""

    stratum: Stratum
    positions: Ints
    counts: Ints
    sizes: Ints
    pairs: Ints

    @property
    def probability(self) -> Fraction:
        return self.stratum.expected / self.stratum.size

    @property
    def unseen(self) -> float:
        """The probability that a member is never drawn, given the sizes."""
        missed = 1 - self.sizes / self.stratum.size
        return float(np.prod(missed))


def _classes(frozen: Frozen, task: str, placed: Layout, part: TaskTally) -> list[_Class]:
    classes = []
    order = np.argsort(placed.stratum, kind="stable")
    starts = np.searchsorted(placed.stratum[order], np.arange(len(placed.sizes) + 1))
    for index, stratum in enumerate(frozen.strata[task]):
        positions = order[starts[index] : starts[index + 1]]
        if len(positions):
            classes.append(
                _Class(
                    stratum,
                    positions,
                    part.counts[positions],
                    part.sizes[:, index],
                    part.neighbours[:, index],
                )
            )
    return classes


def _task(task: str, frozen: Frozen, placed: Layout, part: TaskTally, draws: int) -> dict[str, Any]:
    classes = _classes(frozen, task, placed, part)
    spreads = [spreads_of_sizes(c.sizes, c.stratum.size) for c in classes]
    uneven = sum((chi_square(c.counts, s) for c, s in zip(classes, spreads, strict=True)), ChiSquare())
    trended = sum((trend(c.counts, s) for c, s in zip(classes, spreads, strict=True)), Sum())
    adjacent = sum((neighbours(c.pairs, c.sizes, c.stratum.size) for c in classes), Sum())
    recurring = repeats(part.samples, part.sizes, placed.sizes)
    expected = sum((stratum.expected for stratum in frozen.strata[task]), Fraction(0))
    return {
        "task": task,
        "enterprises": sum(len(c.positions) for c in classes),
        "expected": float(expected),
        "selected": float(part.sizes.sum()) / draws,
        "sizes": _sizes(classes, part, expected, draws),
        "chi_square": {
            "statistic": uneven.scaled,
            "degrees": uneven.degrees,
            "unscaled": uneven.statistic,
            "variance": uneven.variance,
            "p": uneven.p,
        },
        "trend": {"z": _finite(trended.z), "p": trended.p},
        "neighbours": {
            "pairs": int(adjacent.observed),
            "expected": adjacent.mean,
            "z": _finite(adjacent.z),
            "p": adjacent.p_count,
        },
        "largest": _largest(frozen, classes, draws),
        "coverage": _coverage(frozen, classes),
        "repeats": {"pairs": recurring.pairs, "expected": recurring.expected, "p": recurring.p},
    }


def _finite(z: float) -> float | None:
    """JSON has no infinity: None is a deviation where none is possible."""
    return None if abs(z) == inf else z


def _sizes(classes: Sequence[_Class], part: TaskTally, expected: Fraction, draws: int) -> dict[str, Any]:
    """Test the sizes: each is e_h rounded down or up, up as often as its fraction says, and so is the sum."""
    impossible = part.foreign
    least = 1.0
    for c in classes:
        low, high = floor(c.stratum.expected), ceil(c.stratum.expected)
        impossible += int(np.count_nonzero((c.sizes < low) | (c.sizes > high)))
        if low < high:
            ups = int(np.count_nonzero(c.sizes == high))
            least = min(least, binomial_two_sided(ups, draws, float(c.stratum.expected - low)))
    totals = part.sizes.sum(axis=1)
    impossible += int(np.count_nonzero((totals < floor(expected)) | (totals > ceil(expected))))
    p = 0.0 if impossible else min(1.0, least * max(1, len(classes)))
    return {"impossible": impossible, "p": p}


def _largest(frozen: Frozen, classes: Sequence[_Class], draws: int) -> dict[str, Any]:
    """Find the enterprise whose count is least likely, with the band that all of the task's keep together."""
    units = max(1, sum(len(c.positions) for c in classes))
    worst: tuple[float, int, _Class] | None = None
    for c in classes:
        for index in {int(np.argmin(c.counts)), int(np.argmax(c.counts))}:
            p = binomial_two_sided(int(c.counts[index]), draws, float(c.probability))
            if worst is None or p < worst[0]:
                worst = p, index, c
    if worst is None:
        return {"enterprise": None, "p": 1.0}
    p, index, c = worst
    low, high = binomial_band(draws, float(c.probability), ALPHA / units)
    return {
        "enterprise": frozen.ids[int(c.positions[index])],
        "stratum": c.stratum.id,
        "probability": float(c.probability),
        "share": int(c.counts[index]) / draws,
        "lowest": low / draws,
        "highest": high / draws,
        "p": min(1.0, p * units),
    }


def _coverage(frozen: Frozen, classes: Sequence[_Class]) -> dict[str, Any]:
    """Count the enterprises with a chance that no draw chose, and how many chance leaves out."""
    drawable = seen = 0
    expected = 0.0
    missing: list[str] = []
    for c in classes:
        if c.stratum.expected > 0:
            drawable += len(c.positions)
            seen += int(np.count_nonzero(c.counts))
            expected += len(c.positions) * c.unseen
            missing += [frozen.ids[int(p)] for p in c.positions[c.counts == 0]]
    unseen = drawable - seen
    return {
        "eligible": sum(len(c.positions) for c in classes),
        "drawable": drawable,
        "seen": seen,
        "unseen": unseen,
        "expected_unseen": expected,
        "unseen_ids": sorted(missing)[:LISTED],
        # whether one is left out makes it less likely that another is, so the number varies less than a Poisson one
        "p": poisson_tail(unseen, expected),
    }


def _whole_coverage(frozen: Frozen, layouts: Mapping[str, Layout], tally: Tally) -> dict[str, Any]:
    """Say who of the frame was drawn by any task. The expectation is an upper bound: the task most likely to draw one."""
    counts = sum((part.counts for part in tally.tasks.values()), np.zeros(len(frozen.ids), dtype=np.int64))
    escape = np.ones(len(frozen.ids))
    drawable = np.zeros(len(frozen.ids), dtype=np.bool_)
    for task, part in tally.tasks.items():
        for c in _classes(frozen, task, layouts[task], part):
            if c.stratum.expected > 0:
                drawable[c.positions] = True
                escape[c.positions] = np.minimum(escape[c.positions], c.unseen)
    missing = np.flatnonzero(drawable & (counts == 0))
    return {
        "eligible": len(frozen.ids),
        "drawable": int(drawable.sum()),
        "seen": int(np.count_nonzero(drawable & (counts > 0))),
        "unseen": len(missing),
        "expected_unseen_at_most": float(escape[drawable].sum()),
        "unseen_ids": [frozen.ids[int(p)] for p in missing[:LISTED]],
    }


def _histogram(frozen: Frozen, layouts: Mapping[str, Layout], tally: Tally, draws: int) -> dict[str, Any]:
    """Return how many (task, enterprise) counts deviate by how many standard deviations, and how many should (binomial)."""
    edges = np.linspace(-REACH, REACH, BINS + 1)
    observed, expected = np.zeros(BINS), np.zeros(BINS)
    cumulated: dict[Fraction, Any] = {}
    for task, part in tally.tasks.items():
        for c in _classes(frozen, task, layouts[task], part):
            p = c.probability
            if not 0 < p < 1:
                continue
            mean, sd = float(draws * p), sqrt(float(draws * p * (1 - p)))
            bins = np.clip(np.floor(((c.counts - mean) / sd + REACH) / (2 * REACH) * BINS), 0, BINS - 1)
            observed += np.bincount(bins.astype(np.int64), minlength=BINS)
            if p not in cumulated:
                # a count k lies in the bin from an edge on if k ≥ mean + edge·sd
                at_least = [
                    binomial_at_least(ceil(mean + edge * sd - 1e-9), draws, float(p))
                    for edge in edges[1:-1].tolist()
                ]
                cumulated[p] = -np.diff(np.array([1.0, *at_least, 0.0]))
            expected += len(c.positions) * cumulated[p]
    return {
        "edges": edges.tolist(),
        "observed": observed.astype(np.int64).tolist(),
        "expected": expected.tolist(),
    }


def _alike(row: RosterRow) -> tuple[Any, ...]:
    return row.department, row.districts, row.marks, row.daily, row.total


def _pairing(frozen: Frozen, crews: Ints) -> dict[str, Any]:
    """Compare inspectors who agree in all that the pairing may look at; who has no equal is listed without a test."""
    alike: dict[tuple[Any, ...], list[int]] = {}
    for position, row in enumerate(frozen.roster):
        alike.setdefault(_alike(row), []).append(position)
    statistics: dict[str, ChiSquare] = {}
    people: list[dict[str, Any]] = []
    pairings = len(crews)
    reach = NormalDist().inv_cdf(1 - ALPHA / 2 / max(1, len(frozen.roster)))
    for number, positions in enumerate(alike.values()):
        loads = crews[:, positions]
        tested = len(positions) > 1 and pairings > 1
        spreads = spreads_of_loads(loads) if tested else np.zeros(0)
        department = frozen.roster[positions[0]].department
        part = chi_square(loads.sum(axis=0), spreads) if tested else ChiSquare()
        statistics[department] = statistics.get(department, ChiSquare()) + part
        mean = float(loads.sum()) / len(positions) / pairings if pairings else 0.0
        half = 0.0
        if tested:
            half = reach * sqrt(float(spreads.sum()) * (1 - 1 / len(positions))) / pairings
        people += [
            {
                "inspector": frozen.roster[position].id,
                "department": department,
                "class": number,
                "crews": float(loads[:, column].sum()) / pairings if pairings else 0.0,
                "mean": mean,
                "lowest": mean - half if tested else None,
                "highest": mean + half if tested else None,
            }
            for column, position in enumerate(positions)
        ]
    return {
        "draws": pairings,
        "departments": [
            {
                "department": department,
                "compared": sum(p["lowest"] is not None for p in people if p["department"] == department),
                "inspectors": sum(p["department"] == department for p in people),
                "statistic": found.scaled,
                "degrees": found.degrees,
                "p": found.p,
            }
            for department, found in sorted(statistics.items())
        ]
        if pairings
        else [],
        "inspectors": sorted(people, key=lambda p: p["inspector"]) if pairings else [],
    }
