"""Sizes and selection: exact expectations, inclusion probabilities, overlap (docs/protocol.md §6)."""

from __future__ import annotations

import hashlib
import os
import random
from fractions import Fraction
from math import ceil, floor, lcm

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from dualrandom.quota import Stratum
from dualrandom.sample import TICKET_RANGE, members, profiles_of_strata, ranking, sample_sizes, smallest
from dualrandom.ticket import Tickets

DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
SEEDS = 20_000 if DEEP else 3_000
CHI_SQUARE_999 = {19: 43.82, 39: 72.05}
"""99.9 % quantiles by degrees of freedom; the seeds are fixed, so the verdict never flickers."""


def seed(number: int) -> str:
    return hashlib.sha256(f"test {number}".encode()).hexdigest()


@st.composite
def strata(draw: st.DrawFn) -> list[Stratum]:
    count = draw(st.integers(1, 8))
    groups = st.sampled_from(["g1", "g2", "g3"])
    result = []
    for number in range(count):
        size = draw(st.integers(0, 30))
        expected = draw(st.fractions(0, size, max_denominator=60)) if size else Fraction(0)
        result.append(Stratum(f"s{number}", draw(groups), size, expected))
    return result


@given(strata(), st.integers(0, 10**6))
def test_sizes_of_strata_groups_and_task_are_their_expectations_rounded_down_or_up(
    rows: list[Stratum], number: int
) -> None:
    sizes = sample_sizes("t", rows, Tickets(seed(number)))
    for group in {row.group for row in rows} | {None}:
        inside = [row for row in rows if group is None or row.group == group]
        expected = sum((row.expected for row in inside), Fraction(0))
        assert floor(expected) <= sum(sizes[row.id] for row in inside) <= ceil(expected)
    for row in rows:
        assert floor(row.expected) <= sizes[row.id] <= ceil(row.expected)


@given(strata(), st.randoms())
def test_the_order_in_which_strata_are_listed_changes_nothing(
    rows: list[Stratum], dice: random.Random
) -> None:
    shuffled = list(rows)
    dice.shuffle(shuffled)
    assert sample_sizes("t", rows, Tickets(seed(1))) == sample_sizes("t", shuffled, Tickets(seed(1)))


class FixedStart(Tickets):
    """Tickets whose ``rounding`` number is given, to integrate over it exactly."""

    start = 0

    def number(self, stage: str, name: str) -> int:
        assert stage == "rounding", name
        return self.start


@given(strata())
def test_the_expectation_of_each_size_is_exact(rows: list[Stratum]) -> None:
    # every C_h is a multiple of 1/q, so n_h is constant on the q intervals of equal length of U
    q = lcm(*(row.expected.denominator for row in rows))
    assume(q <= 5000)
    total = dict.fromkeys((row.id for row in rows), 0)
    for step in range(q):
        tickets = FixedStart(seed(7))
        object.__setattr__(tickets, "start", (2 * step + 1) * TICKET_RANGE // (2 * q))
        for stratum, size in sample_sizes("t", rows, tickets).items():
            total[stratum] += size
    for row in rows:
        assert Fraction(total[row.id], q) == row.expected


def drawn(number: int, n: int, size: int) -> list[int]:
    ids = [f"e{i:03d}" for i in range(n)]
    tickets = Tickets(seed(number)).many("enterprise", ids)
    ranked = ranking(ids, tickets, np.zeros(n, dtype=np.int64), 1)
    return [int(p) for p in ranked.order[smallest(members(ranked, [0]), size)]]


def chi_square_of_pairs(samples: list[list[int]], n: int, size: int) -> float:
    """Compare how often neighbours (i, i+1) are drawn together with a simple random sample."""
    together = np.zeros(n)
    for sample in samples:
        chosen = np.zeros(n, dtype=bool)
        chosen[sample] = True
        together += chosen & np.roll(chosen, -1)
    expected = len(samples) * size * (size - 1) / (n * (n - 1))
    return float(((together - expected) ** 2 / expected).sum())


def chi_square_of_units(samples: list[list[int]], n: int, size: int) -> float:
    counts = np.bincount([unit for sample in samples for unit in sample], minlength=n)
    expected = len(samples) * size / n
    # counts of a sample without replacement vary less than a multinomial: scale to n-1 degrees of freedom
    return float(((counts - expected) ** 2).sum() / expected * (n - 1) / (n - size))


def test_inclusion_probabilities_fit_and_systematic_sampling_is_caught() -> None:
    n, size = 40, 8
    ours = [drawn(number, n, size) for number in range(SEEDS)]
    assert chi_square_of_units(ours, n, size) < CHI_SQUARE_999[n - 1]
    assert chi_square_of_pairs(ours, n, size) < CHI_SQUARE_999[n - 1]
    # a random start and a fixed step: each unit is drawn as often, but only five samples exist
    step = n // size
    systematic = [list(range(int(seed(k), 16) % step, n, step)) for k in range(SEEDS)]
    assert chi_square_of_pairs(systematic, n, size) > CHI_SQUARE_999[n - 1]
    # paging off by one: the last unit can never be drawn
    paged = [sorted(drawn(k, n - 1, size)) for k in range(SEEDS)]
    assert chi_square_of_units(paged, n, size) > CHI_SQUARE_999[n - 1]


def test_tasks_with_equal_strata_draw_the_same_enterprises() -> None:
    ids = [f"e{i:03d}" for i in range(50)]
    profiles = [{"t1": "A", "t2": "A"}, {"t1": "B"}]
    profile = np.array([i % 2 for i in range(50)], dtype=np.int64)
    ranked = ranking(ids, Tickets(seed(3)).many("enterprise", ids), profile, 2)
    placed = profiles_of_strata(profiles)
    first = smallest(members(ranked, placed["t1"]["A"]), 5).tolist()
    assert first == smallest(members(ranked, placed["t2"]["A"]), 5).tolist()
    assert set(smallest(members(ranked, placed["t2"]["A"]), 3).tolist()) <= set(first)


@given(st.integers(0, 60), st.integers(1, 60), st.integers(0, 10**6))
def test_the_smallest_tickets_are_selected(size: int, n: int, number: int) -> None:
    size = min(size, n)
    ids = [f"e{i:03d}" for i in range(n)]
    tickets = dict(zip(ids, Tickets(seed(number)).many("enterprise", ids), strict=True))
    chosen = [ids[position] for position in drawn(number, n, size)]
    assert chosen == sorted(ids, key=lambda i: (tickets[i], i))[:size]
