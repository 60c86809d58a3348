"""What draws with other seeds would look like on the lists as they would be frozen; nothing is written or published.

The seeds are derived from the announcement that would be made, so a simulation can be repeated. A sealed draw is
simulated with a secret that everybody knows: the real one plays no part before the draw. How often each enterprise is
drawn is held against its inclusion probability e_h/N_h (docs/protocol.md §6) with an exact binomial band.
"""

from __future__ import annotations

import hashlib
import statistics
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import exp, lgamma, log, log1p
from typing import Any

import numpy as np

from dualrandom.announcement import build_announcement, list_files
from dualrandom.campaign import Inputs, prepare
from dualrandom.campaign.inputs import require_staffed, warnings_of
from dualrandom.canonical import canonical
from dualrandom.draw import Selection, select
from dualrandom.errors import Problem
from dualrandom.flags import Flag, flags
from dualrandom.frame import Frozen
from dualrandom.hashing import hash_hex, suite_digest
from dualrandom.pairing import Pairing, pair
from dualrandom.policy.report import PolicyReport
from dualrandom.statistics import overlap_bounds
from dualrandom.ticket import Tickets
from dualrandom.visits import Visit, plan_visits

PUBLIC_SECRET = hashlib.sha256(b"dualrandom/simulate secret").digest()
FALSE_ALARM = 0.001
"""Probability that a correct draw leaves a task's band anywhere."""


@dataclass(frozen=True)
class Outlook:
    """What would be announced: the document (without contributions), the lists, and those left out by reason."""

    document: Mapping[str, Any]
    frozen: Frozen
    excluded: Mapping[str, int]
    excluded_by_task: Mapping[str, Mapping[str, int]]
    warnings: tuple[Problem, ...]
    policies: PolicyReport
    flags: tuple[Flag, ...]


@dataclass(frozen=True, slots=True)
class Inclusion:
    """One task's enterprises: the greatest deviation of drawn share from probability, and the band it should keep.

    ``enterprise`` is the one that deviates most; ``lowest`` and ``highest`` bound its share with all the task's
    enterprises at once. ``selected``: least, mean and greatest number selected; ``expected`` their expectation.
    """

    task: str
    enterprise: str | None
    probability: float
    share: float
    lowest: float
    highest: float
    inside: bool
    expected: Fraction
    selected: tuple[int, float, int]


@dataclass(frozen=True, slots=True)
class Load:
    """One inspector's crews over all simulated draws: least, mean and greatest."""

    inspector: str
    department: str
    crews: tuple[int, float, int]


@dataclass(frozen=True)
class Simulation:
    """The outcome of all simulated draws. Triples are least, mean, greatest over the draws."""

    draw: str
    draws: int
    inclusion: tuple[Inclusion, ...]
    visits: tuple[int, float, int]
    saved: tuple[int, float, int]
    closeness: tuple[float, float, float] | None
    """How close the draws came to the fewest visits possible (docs/protocol.md §10); None without tasks in common."""
    crews: tuple[int, float, int]
    undated: tuple[int, float, int]
    fully_dated: int
    """Draws in which every visit found a date."""
    relieved: int
    """Draws that needed a relief step."""
    tied: int
    """Draws whose first plan was not unique."""
    loads: tuple[Load, ...]
    seconds: float


def outlook(inputs: Inputs) -> Outlook:
    """Freeze the inputs as announcing would, without a secret that matters. Raises InputError."""
    plan = inputs.plan
    voids = inputs.campaign.voided_draws()
    draw = f"{plan.authority}-{plan.year}-{plan.number + len(voids):06d}"
    sealed = PUBLIC_SECRET if plan.disclosure == "sealed" else None
    prepared = prepare(inputs, draw, sealed)
    require_staffed(plan, prepared)
    digest = suite_digest(plan.suite)
    lists = {
        name: file.commitment(digest) for name, file in list_files(prepared.frozen, sealed, digest).items()
    }
    document = build_announcement(
        plan, inputs.libraries, prepared.frozen, prepared.days, lists, (), None, voids
    )
    found = flags(plan, inputs.libraries, document, prepared.frozen, inputs.previous)
    warnings = warnings_of(inputs, prepared, document, found)
    return Outlook(
        document,
        prepared.frozen,
        prepared.placed.excluded,
        prepared.placed.by_task,
        warnings,
        prepared.policies,
        tuple(found),
    )


def unheard(done: int) -> None:
    """Report nothing."""


def simulated_seed(announcement_digest: str, number: int) -> str:
    """Return the seed of the ``number``-th simulated draw: 64 hex digits.

    >>> simulated_seed("00" * 32, 0)[:16]
    '5adf0e5991a14969'
    """
    return hash_hex(f"dualrandom/simulate\n{announcement_digest}\n{number}\n".encode())


def simulate(ahead: Outlook, draws: int, progress: Callable[[int], None] = unheard) -> Simulation:
    """Draw ``draws`` (≥ 1) times with derived seeds; ``progress`` is told the number of draws done so far."""
    digest = hash_hex(canonical(ahead.document))
    started = time.perf_counter()
    tally = _Tally(ahead)
    for number in range(draws):
        tickets = Tickets(simulated_seed(digest, number), ahead.document["suite"])
        selections = select(ahead.document, ahead.frozen, tickets)
        visits = plan_visits({s.task: s.by_ticket for s in selections}, ahead.document, tickets)
        tally.add(selections, visits, pair(ahead.document, ahead.frozen, visits, tickets))
        progress(number + 1)
    return tally.simulation(draws, time.perf_counter() - started)


class _Tally:
    """Counts what the simulated draws did."""

    def __init__(self, ahead: Outlook) -> None:
        self.ahead = ahead
        self.chosen: dict[str, Counter[str]] = {task: Counter() for task in ahead.frozen.strata}
        self.sizes: dict[str, list[int]] = {task: [] for task in ahead.frozen.strata}
        self.numbers: dict[str, list[int]] = {name: [] for name in ("visits", "saved", "crews", "undated")}
        self.loads: list[list[int]] = []
        self.enterprises: list[int] = []
        self.relieved = self.tied = 0

    def add(self, selections: Sequence[Selection], visits: Sequence[Visit], paired: Pairing) -> None:
        for selection in selections:
            if selection.task in self.chosen:
                self.chosen[selection.task].update(selection.by_ticket)
                self.sizes[selection.task].append(len(selection.by_ticket))
        dated = [paired.dates[crew.visit] is not None for crew in paired.crews]
        self.numbers["visits"].append(len(visits))
        self.enterprises.append(len({visit.enterprise for visit in visits}))
        self.numbers["saved"].append(sum(len(s.by_ticket) for s in selections) - len(visits))
        self.numbers["crews"].append(sum(dated))
        self.numbers["undated"].append(sum(day is None for day in paired.dates))
        loads = [0] * len(self.ahead.frozen.roster)
        for seats, counts in zip(paired.attempts[-1].seats, dated, strict=True):
            for person in seats if counts else ():
                loads[person] += 1
        self.loads.append(loads)
        self.relieved += bool(paired.relief)
        self.tied += len(paired.attempts) > 1

    def simulation(self, draws: int, seconds: float) -> Simulation:
        roster = self.ahead.frozen.roster
        return Simulation(
            draw=self.ahead.frozen.draw,
            draws=draws,
            inclusion=tuple(self._inclusion(task, draws) for task in sorted(self.chosen)),
            visits=spread(self.numbers["visits"]),
            saved=spread(self.numbers["saved"]),
            closeness=self._closeness(),
            crews=spread(self.numbers["crews"]),
            undated=spread(self.numbers["undated"]),
            fully_dated=self.numbers["undated"].count(0),
            relieved=self.relieved,
            tied=self.tied,
            loads=tuple(
                Load(row.person, row.department, spread([loads[position] for loads in self.loads]))
                for position, row in enumerate(roster)
            ),
            seconds=seconds,
        )

    def _closeness(self) -> tuple[float, float, float] | None:
        independent, least = overlap_bounds(self.ahead.frozen)
        if independent == least:
            return None
        shares = [float((independent - visited) / (independent - least)) for visited in self.enterprises]
        return min(shares), statistics.fmean(shares), max(shares)

    def _inclusion(self, task: str, draws: int) -> Inclusion:
        frozen = self.ahead.frozen
        strata = {stratum.id: stratum for stratum in frozen.strata[task]}
        of_profile = [profile.get(task) for profile in frozen.profiles]
        enterprises = sum(stratum.size for stratum in strata.values())
        worst: tuple[float, str, str] | None = None
        outside: tuple[float, str, str] | None = None
        bands = {
            name: binomial_band(draws, stratum.expected / stratum.size, FALSE_ALARM / max(1, enterprises))
            for name, stratum in strata.items()
            if stratum.size
        }
        for position in np.flatnonzero(np.array([name is not None for name in of_profile])[frozen.profile]):
            name = of_profile[int(frozen.profile[position])]
            assert name is not None
            count = self.chosen[task][frozen.ids[position]]
            probability = float(strata[name].expected / strata[name].size)
            found = abs(count / draws - probability), frozen.ids[position], name
            low, high = bands[name]
            if worst is None or found[0] > worst[0]:
                worst = found
            if not low <= count <= high and (outside is None or found[0] > outside[0]):
                outside = found
        shown = outside or worst
        expected = sum((stratum.expected for stratum in strata.values()), Fraction(0))
        if shown is None:
            return Inclusion(task, None, 0.0, 0.0, 0.0, 0.0, True, expected, spread(self.sizes[task]))
        _, enterprise, name = shown
        low, high = bands[name]
        return Inclusion(
            task=task,
            enterprise=enterprise,
            probability=float(strata[name].expected / strata[name].size),
            share=self.chosen[task][enterprise] / draws,
            lowest=low / draws,
            highest=high / draws,
            inside=outside is None,
            expected=expected,
            selected=spread(self.sizes[task]),
        )


def spread(numbers: Sequence[int]) -> tuple[int, float, int]:
    """Return least, mean and greatest."""
    return min(numbers), statistics.fmean(numbers), max(numbers)


def binomial_band(trials: int, probability: Fraction, miss: float) -> tuple[int, int]:
    """Return the smallest counts interval that a binomial variable leaves on either side with at most ``miss``/2.

    >>> binomial_band(10, Fraction(1, 2), 0.05)
    (2, 8)
    >>> binomial_band(10, Fraction(1), 0.05), binomial_band(10, Fraction(0), 0.05)
    ((10, 10), (0, 0))
    """
    if probability in (0, 1):
        certain = trials * int(probability)
        return certain, certain
    p = float(probability)
    logs = (
        lgamma(trials + 1) - lgamma(k + 1) - lgamma(trials - k + 1) + k * log(p) + (trials - k) * log1p(-p)
        for k in range(trials + 1)
    )
    mass = [exp(one) for one in logs]
    low, below = 0, 0.0
    while below + mass[low] <= miss / 2:
        below += mass[low]
        low += 1
    high, above = trials, 0.0
    while above + mass[high] <= miss / 2:
        above += mass[high]
        high -= 1
    return low, high
