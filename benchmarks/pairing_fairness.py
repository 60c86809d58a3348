"""How evenly the least-ticket plan pairs people, against enumeration of all feasible plans.

    python benchmarks/pairing_fairness.py [--seeds 2000] [--markdown]

For three small months (one symmetric, two asymmetric) all feasible plans are enumerated; a lottery that drew a plan uniformly would pair
person p with crew c with the share of plans in which p sits there. The least-ticket plan is drawn with fresh tickets for each seed and
compared. Bands are the largest deviation that 99.9 % of such experiments would show for the uniform plan itself.

最小签号方案与穷举全部可行方案的均匀抽取相比，配对机会有多均等。
"""

from __future__ import annotations

import argparse
import itertools
from collections.abc import Iterator
from math import sqrt
from statistics import NormalDist

import numpy as np
from _pairing_instances import ranks
from months import print_table

from dualrandom_solver import Instance, least_plan


def case(name: str) -> tuple[list[list[int]], list[int], int]:
    """Crews' pools, each person's period cap, seats a crew."""
    if name == "symmetric":
        return [list(range(8))] * 3, [1] * 8, 2
    if name == "overlapping pools":
        return [[0, 1, 2, 3], [2, 3, 4, 5, 6], [5, 6, 7]], [1] * 8, 2
    return [[0, 1, 2, 3, 4], [0, 1, 2], [3, 4, 5, 6]], [2, 1, 1, 2, 1, 1, 1], 2


CASES = ("symmetric", "overlapping pools", "unequal caps")


def instance(pools: list[list[int]], caps: list[int], seats: int, rng: np.random.Generator) -> Instance:
    indptr = np.concatenate([[0], np.cumsum([len(pool) for pool in pools])])
    cost = rng.integers(0, 1 << 40, size=int(indptr[-1]))
    crews = len(pools)
    return Instance(
        days=1,
        daily=np.array(caps),
        total=np.array(caps),
        absent=np.zeros((len(caps), 1), dtype=bool),
        visit_indptr=np.arange(crews + 1),
        visit_days=np.zeros(crews, dtype=np.int64),
        visit_group=np.arange(crews),
        crew_visit=np.arange(crews),
        seat_indptr=np.arange(crews + 1) * seats,
        cand_indptr=indptr,
        cand_person=np.concatenate(pools),
        cand_cost=cost,
        cand_seats=np.full(int(indptr[-1]), (1 << seats) - 1, dtype=np.uint64),
        cand_rank=ranks(cost, indptr),
    )


def feasible(pools: list[list[int]], caps: list[int], seats: int) -> Iterator[tuple[tuple[int, ...], ...]]:
    for plan in itertools.product(*(itertools.combinations(pool, seats) for pool in pools)):
        loads = np.bincount([person for crew in plan for person in crew], minlength=len(caps))
        if np.all(loads <= caps):
            yield plan


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=2000)
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    options = parser.parse_args()
    rows = []
    for name in CASES:
        pools, caps, seats = case(name)
        shape = len(pools), len(caps)
        uniform, plans = np.zeros(shape), 0
        for plan in feasible(pools, caps, seats):
            plans += 1
            for crew, people in enumerate(plan):
                uniform[crew, list(people)] += 1
        uniform /= plans
        ours = np.zeros(shape)
        for seed in range(options.seeds):
            made = instance(pools, caps, seats, np.random.default_rng([2026, seed]))
            members = least_plan(made, np.zeros(len(pools), dtype=np.int64)).members
            ours[np.repeat(np.arange(len(pools)), seats), made.cand_person[members]] += 1
        ours /= options.seeds
        possible = uniform > 0
        delta = np.abs(ours - uniform)[possible]
        # normal approximation, Bonferroni over the pairs
        quantile = NormalDist().inv_cdf(1 - 0.001 / (2 * int(possible.sum())))
        noise = quantile * float(np.sqrt(uniform * (1 - uniform) / options.seeds).max())
        rows.append(
            (
                name,
                str(plans),
                str(int(possible.sum())),
                f"{delta.mean():.4f}",
                f"{delta.max():.4f}",
                f"{noise:.4f}",
                f"{sqrt(float((delta**2).mean())):.4f}",
                f"{ours[possible].min():.3f}–{ours[possible].max():.3f}",
                f"{uniform[possible].min():.3f}–{uniform[possible].max():.3f}",
            )
        )
    head = ("case", "plans", "pairs", "mean abs Δ", "largest abs Δ", "band", "rms Δ", "ours", "uniform")
    print_table(head, rows, options.markdown)


if __name__ == "__main__":
    main()
