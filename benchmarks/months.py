"""Simulated months: how many visits find a date and a crew at 40 to 90 % utilisation, and why the others do not.

    python benchmarks/months.py [--seeds 20] [--crews 400] [--markdown]

Utilisation is seats over all inspectors' period caps. Three sizes of pools: some 12, 40 and 105 inspectors a crew can be drawn from.
Every undated visit is explained by its Hall violators on each of its days; one that is not would be counted as unexplained.

模拟月份：利用率 40%–90% 时有多少检查能排到日期和人员，其余为何不能。
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import numpy as np
from _pairing_instances import synthetic

from dualrandom_solver import Instance, solve
from dualrandom_solver.conflict import why_undated

UTILISATIONS = (0.4, 0.6, 0.7, 0.8, 0.9)
POOLS = (12, 40, 105)
REASONS = ("nobody eligible", "period caps", "daily caps", "absences", "unexplained")


def reason(instance: Instance, dates: np.ndarray, visit: int) -> str:
    """What stands in the way on most of the visit's days."""
    votes: Counter[str] = Counter()
    for _, violators in why_undated(instance, dates, visit):
        if not violators:
            votes["unexplained"] += 1
        for violator in violators:
            if not len(violator.persons):
                votes["nobody eligible"] += 1
            elif len(violator.booked_persons):
                votes["period caps"] += 1
            elif len(violator.booked_days):
                votes["daily caps"] += 1
            else:
                votes["absences"] += 1
    return votes.most_common(1)[0][0] if votes else "unexplained"


def month(
    utilisation: float, pool: int, crews: int, seed: int
) -> tuple[int, int, int, int, Counter[str], float]:
    instance = synthetic(
        crews, pairs_per_crew=pool, utilisation=utilisation, departments=6, districts=4, seed=seed
    )
    start = time.process_time()
    solution = solve(instance)
    seconds = time.process_time() - start
    undated = np.flatnonzero(solution.dates < 0)
    dated_crew = solution.dates[instance.crew_visit] >= 0
    seats = np.diff(instance.seat_indptr)
    filled = int((solution.plan.members >= 0).sum())
    why = Counter(reason(instance, solution.dates, int(visit)) for visit in undated)
    return instance.visits, len(undated), int(seats[dated_crew].sum()), filled, why, seconds


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--crews", type=int, default=400)
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    options = parser.parse_args()
    head = (
        "utilisation",
        "pool",
        "visits",
        "dated",
        "seats filled",
        *REASONS,
        "seconds (median)",
        "seconds (max)",
    )
    rows = []
    for utilisation in UTILISATIONS:
        for pool in POOLS:
            months = [month(utilisation, pool, options.crews, seed) for seed in range(options.seeds)]
            visits = sum(m[0] for m in months)
            undated = sum(m[1] for m in months)
            demanded, filled = sum(m[2] for m in months), sum(m[3] for m in months)
            why = sum((m[4] for m in months), Counter())
            seconds = sorted(m[5] for m in months)
            rows.append(
                (
                    f"{utilisation:.0%}",
                    str(pool),
                    str(visits),
                    f"{1 - undated / visits:.2%}",
                    f"{filled / max(1, demanded):.2%}",
                    *(str(why[name]) for name in REASONS),
                    f"{seconds[len(seconds) // 2]:.2f}",
                    f"{seconds[-1]:.2f}",
                )
            )
    print_table(head, rows, options.markdown)


def print_table(head: tuple[str, ...], rows: list[tuple[str, ...]], markdown: bool) -> None:
    if markdown:
        print("| " + " | ".join(head) + " |")
        print("|" + "---|" * len(head))
        for row in rows:
            print("| " + " | ".join(row) + " |")
        return
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]
    for row in [head, *rows]:
        print("  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)))


if __name__ == "__main__":
    main()
