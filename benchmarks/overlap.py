"""How close shared tickets come to the fewest visits possible, on the city demonstration at real ratios.

    python benchmarks/overlap.py [--seeds 200] [--scale city] [--strata as-planned class class-district] [--markdown]

``independent``: visits that independent draws of the tasks that draw for themselves would have made, expected exactly; ``least``: Σ over enterprises
of the greatest inclusion probability, which no way of drawing with these probabilities can beat on average; ``saved`` = (independent − visited) /
(independent − least), the closeness of docs/protocol.md §10. Before any limit on a visit. ``--strata`` divides every task further than
the plan does, with the same ratios: what fine strata cost.

共用签号使上门次数接近理论最小值的程度（城市示例，真实比例），以及分层过细的代价。
"""

from __future__ import annotations

import argparse
import hashlib
import re
import tempfile
from pathlib import Path
from statistics import median

from months import print_table

from dualrandom.campaign import load_inputs
from dualrandom.demo import Scale, write_campaign
from dualrandom.draw import select
from dualrandom.simulate import Outlook, outlook
from dualrandom.statistics import overlap_bounds
from dualrandom.ticket import Tickets

STRATA = ("as-planned", "class", "class-district")
HEAD = (
    "strata",
    "seeds",
    "strata drawn from",
    "independent",
    "least",
    "visited (median)",
    "saved (median)",
    "worst",
    "best",
    "joint tasks counted too (median)",
)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--scale", choices=["town", "city"], default="city")
    parser.add_argument("--strata", nargs="+", choices=STRATA, default=list(STRATA))
    parser.add_argument("--markdown", action="store_true", help="print a Markdown table")
    options = parser.parse_args()
    rows = [measure(options.scale, strata, options.seeds) for strata in options.strata]
    print_table(HEAD, rows, options.markdown)


def measure(scale: Scale, strata: str, seeds: int) -> tuple[str, ...]:
    """Draw with `seeds` seeds; the row of the table."""
    ahead = ahead_of(scale, strata)
    independent, least = (float(bound) for bound in overlap_bounds(ahead.frozen))
    visited, saved, joint = [], [], []
    for number in range(seeds):
        seed = hashlib.sha256(f"overlap {number}".encode()).hexdigest()
        drawn = select(ahead.document, ahead.frozen, Tickets(seed))
        alone = sum(len(selection.by_ticket) for selection in drawn)
        visited.append(len({enterprise for selection in drawn for enterprise in selection.by_ticket}))
        saved.append((independent - visited[-1]) / (independent - least))
        joint.append((alone - visited[-1]) / (alone - least))
    drawn_from = sum(stratum.expected > 0 for each in ahead.frozen.strata.values() for stratum in each)
    return (
        strata,
        str(seeds),
        str(drawn_from),
        f"{independent:.1f}",
        f"{least:.1f}",
        f"{median(visited):.0f}",
        f"{median(saved):.2%}",
        f"{min(saved):.2%}",
        f"{max(saved):.2%}",
        f"{median(joint):.2%}",
    )


def ahead_of(scale: Scale, strata: str) -> Outlook:
    """What the demonstration would announce, its tasks divided as asked."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary) / "campaign"
        write_campaign(scale, folder)
        plan = folder / "plan.toml"
        plan.write_text(divided(plan.read_text("utf-8"), strata), "utf-8", newline="\n")
        return outlook(load_inputs(folder))


def divided(plan: str, strata: str) -> str:
    """Divide every task that draws for itself by class, or by class and district, in the text of a plan.

    >>> divided('ratios = { A = "1%" }\\nstrata_by = []\\n', "class")
    'ratios = { A = "1%" }\\nstrata_by = ["class"]\\n'
    """
    if strata == "as-planned":
        return plan
    wanted = ", ".join(f'"{part}"' for part in strata.split("-"))
    plain = re.sub(r"^(strata_by|group_by) = .*\n", "", plan, flags=re.MULTILINE)
    return re.sub(r"^((?:ratios|budget) = .*\n)", rf"\1strata_by = [{wanted}]\n", plain, flags=re.MULTILINE)


if __name__ == "__main__":
    main()
