"""What the public bytes of a sealed draw say about credit classes, measured: the figures of docs/privacy.md.

    python benchmarks/class_leak.py town|city [SEEDS]

The attacker is given more than the record: which tasks' scopes each firm is in, the classes' shares there, and every quota.
A firm's *footprint* is what the record shows of it: which tasks drew it (none: it was not drawn). For each seed all firms
are sampled as a draw does; the share of a class among the firms with a footprint is what an attacker can believe of each of
them. Scopes with fewer than
LEAST_SCOPE firms are left out of the last figures: whoever knows the shares in a scope of one firm knows its class.
"""

from __future__ import annotations

import sys
import tempfile
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dualrandom import sample
from dualrandom.campaign import load_inputs, prepare
from dualrandom.demo import write_campaign
from dualrandom.frame import Frozen
from dualrandom.hashing import hash_hex
from dualrandom.ticket import Tickets

CONFIDENCES = (0.5, 0.9)
LEAST_SCOPE = 20


@dataclass(frozen=True)
class Belief:
    """Class → share, among all firms of the frame, the drawn, the undrawn, and those drawn by each task (averages over seeds)."""

    prior: Mapping[str, float]
    drawn: Mapping[str, float]
    undrawn: Mapping[str, float]
    by_task: Mapping[str, Mapping[str, float]]
    visited: float
    """Share of the frame that was drawn."""
    best: Mapping[str, float]
    """Class → the greatest share that it has among the firms with one footprint (of at least ``least`` firms over all seeds)."""
    told: Mapping[str, Mapping[float, float]]
    """Class → confidence → share of its drawn firms whose footprint shows it with that confidence, which the scope alone did not."""


def drawn_by(frozen: Frozen, seed: str) -> dict[str, list[int]]:
    """Return task → positions of the firms that it draws under a seed."""
    tickets = Tickets(seed)
    raw = tickets.many("enterprise", frozen.keys)
    ranked = sample.ranking(frozen.ids, raw, frozen.profile, len(frozen.profiles))
    placed = sample.profiles_of_strata(frozen.profiles)
    found = {}
    for task, strata in frozen.strata.items():
        sizes = sample.sample_sizes(task, strata, tickets)
        found[task] = [
            int(ranked.order[rank])
            for stratum, n in sizes.items()
            for rank in sample.smallest(sample.members(ranked, placed[task].get(stratum, ())), n).tolist()
        ]
    return found


def measure(frozen: Frozen, classes: Mapping[str, str], seeds: int, least: int = 50) -> Belief:
    """Return what footprints say over ``seeds`` seeds. ``classes``: firm → credit class."""
    of = [classes[i] for i in frozen.ids]
    scopes = [frozenset(profile) for profile in frozen.profiles]
    scope = [scopes[number] for number in frozen.profile.tolist()]
    drawn: Counter[str] = Counter()
    undrawn: Counter[str] = Counter()
    by_task: dict[str, Counter[str]] = defaultdict(Counter)
    shown: dict[tuple[frozenset[str], frozenset[str]], Counter[str]] = defaultdict(Counter)
    in_scope: dict[frozenset[str], Counter[str]] = defaultdict(Counter)
    for place, own in enumerate(scope):
        in_scope[own][of[place]] += 1
    for number in range(seeds):
        tasks_of: dict[int, set[str]] = defaultdict(set)
        for task, places in drawn_by(frozen, hash_hex(f"leak {number}".encode())).items():
            by_task[task].update(of[place] for place in places)
            for place in places:
                tasks_of[place].add(task)
        drawn.update(of[place] for place in tasks_of)
        undrawn.update(of[place] for place in range(len(of)) if place not in tasks_of)
        for place in range(len(of)):
            shown[scope[place], frozenset(tasks_of.get(place, ()))][of[place]] += 1
    best: dict[str, float] = {}
    told: dict[str, Counter[float]] = defaultdict(Counter)
    for (own, by), found in shown.items():
        whole = found.total()
        if whole < least or in_scope[own].total() < LEAST_SCOPE:
            continue
        for name, count in found.items():
            best[name] = max(best.get(name, 0.0), count / whole)
            before = in_scope[own][name] / in_scope[own].total()
            for confidence in CONFIDENCES if by else ():
                told[name][confidence] += count if count / whole >= confidence > before else 0
    return Belief(
        prior=shares(of),
        drawn=_share(drawn),
        undrawn=_share(undrawn),
        by_task={task: _share(found) for task, found in sorted(by_task.items())},
        visited=drawn.total() / (seeds * len(of)),
        best=best,
        told={
            name: {confidence: told[name][confidence] / drawn[name] for confidence in CONFIDENCES}
            for name in sorted(drawn)
        },
    )


def shares(of: Iterable[str]) -> dict[str, float]:
    """Return each class's share."""
    return _share(Counter(of))


def _share(found: Counter[str]) -> dict[str, float]:
    whole = max(found.total(), 1)
    return {name: found[name] / whole for name in sorted(found)}


def main(scale: str, seeds: int) -> None:
    """Print the table of one scale."""
    with tempfile.TemporaryDirectory() as folder:
        campaign = Path(folder) / "campaign"
        write_campaign("city" if scale == "city" else "town", campaign)
        inputs = load_inputs(campaign)
        frozen = prepare(inputs, "test-2023-000001", bytes(32)).frozen
    classes = {e.id: e.credit_class for e in inputs.libraries.enterprises}
    belief = measure(frozen, classes, seeds)
    names = sorted(belief.prior)
    print(
        f"{scale}: {len(frozen.ids)} firms, {len(frozen.strata)} tasks, {seeds} seeds, "
        f"{100 * belief.visited:.1f} % of the firms drawn"
    )
    print("share of class          " + "".join(f"{name:>9}" for name in names))
    rows = {"all firms of the frame": belief.prior, "drawn": belief.drawn, "not drawn": belief.undrawn}
    rows["most telling footprint"] = belief.best
    for title, found in rows.items():
        print(f"{title:<24}" + "".join(f"{100 * found.get(name, 0):8.2f}%" for name in names))
    highest = max(belief.by_task.items(), key=lambda one: one[1].get(names[-1], 0.0))
    print(f"{highest[0]:<24}" + "".join(f"{100 * highest[1].get(n, 0):8.2f}%" for n in names))
    for confidence in CONFIDENCES:
        cells = (f"{100 * belief.told.get(name, {}).get(confidence, 0):8.2f}%" for name in names)
        print(f"{f'drawn, told at {confidence:.0%}':<24}" + "".join(cells))


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "town", int(sys.argv[2]) if len(sys.argv) > 2 else 100)
