"""How close shared tickets come to the fewest visits possible, on the city demonstration at real ratios.

    python benchmarks/overlap.py [--seeds 200] [--scale city] [--markdown]

``alone``: visits if every task, joint ones too, made its own; ``least possible``: Σ over enterprises of its greatest inclusion probability, which no way
of drawing with these probabilities can beat on average; ``saved``: (alone − visited) / (alone − least possible). Before any limit on a visit.

共用签号使上门次数接近理论最小值的程度（城市示例，真实比例）。
"""

from __future__ import annotations

import argparse
import hashlib
import tempfile
from pathlib import Path
from statistics import median

from months import print_table

from dualrandom.campaign import load_inputs
from dualrandom.demo import write_campaign
from dualrandom.draw import select
from dualrandom.simulate import outlook
from dualrandom.statistics import overlap_bounds
from dualrandom.ticket import Tickets


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--scale", choices=["town", "city"], default="city")
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "campaign"
        write_campaign(options.scale, folder)
        ahead = outlook(load_inputs(folder))
    independent, least = (float(bound) for bound in overlap_bounds(ahead.frozen))
    alone, visited, saved, saved_own = [], [], [], []
    for number in range(options.seeds):
        seed = hashlib.sha256(f"overlap {number}".encode()).hexdigest()
        drawn = select(ahead.document, ahead.frozen, Tickets(seed))
        alone.append(sum(len(selection.by_ticket) for selection in drawn))
        visited.append(len({enterprise for selection in drawn for enterprise in selection.by_ticket}))
        saved.append((alone[-1] - visited[-1]) / (alone[-1] - least))
        own = sum(len(s.by_ticket) for s in drawn if s.task in ahead.frozen.strata)
        saved_own.append((own - visited[-1]) / (own - least))
    head = (
        "scale",
        "seeds",
        "alone",
        "independent (own tasks)",
        "least possible",
        "visited (median)",
        "saved (median)",
        "worst",
        "best",
        "own tasks only (median)",
    )
    row = (
        options.scale,
        str(options.seeds),
        f"{median(alone):.0f}",
        f"{independent:.1f}",
        f"{least:.1f}",
        f"{median(visited):.0f}",
        f"{median(saved):.2%}",
        f"{min(saved):.2%}",
        f"{max(saved):.2%}",
        f"{median(saved_own):.2%}",
    )
    print_table(head, [row], options.markdown)


if __name__ == "__main__":
    main()
