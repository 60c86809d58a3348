"""Running many draws on the same frozen lists and counting what they do, in one process or several."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from multiprocessing import get_context
from typing import Any

import numpy as np
import numpy.typing as npt

from dualrandom.draw import select
from dualrandom.frame import Frozen
from dualrandom.hashing import hash_hex
from dualrandom.pairing import pair
from dualrandom.ticket import Tickets
from dualrandom.visits import plan_visits

Ints = npt.NDArray[np.int64]
Document = Mapping[str, Any]
Sampler = Callable[[Document, Frozen, str], Mapping[str, Sequence[str]]]
"""Announcement, lists and seed to the enterprises that each ``own`` task draws."""
Pairer = Callable[[Document, Frozen, str], Sequence[int]]
"""Announcement, lists and seed to the number of crews of each inspector, in the order of the roster."""

PARTS = 10
"""Portions of the work per process: progress is told after each."""


def unheard(_done: int) -> None:
    """Tell nobody how many draws are done."""


def audit_seed(digest: str, number: int) -> str:
    """Return the seed of the ``number``-th draw of an audit: 64 hex digits from the announcement's digest.

    >>> audit_seed("00" * 32, 0)[:16]
    '42a03eb12fa5c09f'
    """
    return hash_hex(f"dualrandom/audit\n{digest}\n{number}".encode())


def draw_enterprises(announcement: Document, frozen: Frozen, seed: str) -> dict[str, tuple[str, ...]]:
    """Draw as the protocol does (docs/protocol.md §6)."""
    selections = select(announcement, frozen, Tickets(seed, announcement["suite"]))
    return {selection.task: selection.by_ticket for selection in selections}


def levelled(frozen: Frozen) -> Frozen:
    """Return the lists without recusals and absences.

    Rotation gives nearly every inspector a recusal of his own, so on the real lists hardly two are alike. Whether the pairing
    treats equals alike can be seen where they are equal.
    """
    roster = tuple(replace(row, absent=()) for row in frozen.roster)
    return replace(frozen, roster=roster, recused={}, incompatible={})


def draw_crews(announcement: Document, frozen: Frozen, seed: str) -> list[int]:
    """Make a whole draw as the protocol does (§6-8) and count the crews of each inspector."""
    tickets = Tickets(seed, announcement["suite"])
    selections = select(announcement, frozen, tickets)
    visits = plan_visits({s.task: s.by_ticket for s in selections}, announcement, tickets)
    paired = pair(announcement, frozen, visits, tickets)
    crews = [0] * len(frozen.roster)
    for crew, seats in zip(paired.crews, paired.attempts[-1].seats, strict=True):
        for person in seats if paired.dates[crew.visit] is not None else ():
            crews[person] += 1
    return crews


@dataclass(frozen=True)
class Layout:
    """One task's frame. ``strata`` are indexes into ``frozen.strata[task]``.

    ``stratum``: int64[n] of the frame, -1 outside of the task; ``place``: int64[n], rank by id within the stratum.
    """

    stratum: Ints
    place: Ints
    sizes: Ints


def layout(frozen: Frozen, task: str) -> Layout:
    """Place the frame's enterprises in the strata of one task."""
    number = {stratum.id: index for index, stratum in enumerate(frozen.strata[task])}
    of_profile = np.array([number.get(p.get(task, ""), -1) for p in frozen.profiles], dtype=np.int64)
    stratum = of_profile[frozen.profile]
    order = np.argsort(stratum, kind="stable")
    ordered = stratum[order]
    starts = np.searchsorted(ordered, np.arange(-1, len(number) + 1))
    place = np.empty(len(stratum), dtype=np.int64)
    place[order] = np.arange(len(stratum)) - starts[ordered + 1]
    return Layout(stratum, place, np.diff(starts)[1:])


@dataclass
class TaskTally:
    """One task over D draws.

    ``counts``: int64[n], how often each enterprise was drawn; ``sizes`` and ``neighbours``: int64[D, strata], how many of each
    stratum, and how many pairs of them are next to each other in the order of ids; ``samples``: a digest of each draw's sample;
    ``foreign``: enterprises drawn twice or outside of the task's frame.
    """

    counts: Ints
    sizes: Ints
    neighbours: Ints
    samples: list[bytes]
    foreign: int

    def add(self, other: TaskTally) -> None:
        """Append the draws of a later portion."""
        self.counts += other.counts
        self.sizes = np.concatenate([self.sizes, other.sizes])
        self.neighbours = np.concatenate([self.neighbours, other.neighbours])
        self.samples += other.samples
        self.foreign += other.foreign


@dataclass
class Tally:
    """All tasks over all draws, and ``crews``: int64[P, inspectors], the inspectors' crews over P whole draws."""

    tasks: dict[str, TaskTally]
    crews: Ints

    def add(self, other: Tally) -> None:
        """Append the draws of a later portion."""
        for task, tally in other.tasks.items():
            self.tasks[task].add(tally)
        self.crews = np.concatenate([self.crews, other.crews])


class Runner:
    """Draws a range of seeds and counts."""

    def __init__(
        self, announcement: Document, frozen: Frozen, digest: str, sampler: Sampler, pairer: Pairer
    ) -> None:
        self.announcement = announcement
        self.frozen = frozen
        self.digest = digest
        self.sampler = sampler
        self.pairer = pairer
        self.level = levelled(frozen)
        self.layouts = {task: layout(frozen, task) for task in sorted(frozen.strata)}
        self.position = {enterprise: number for number, enterprise in enumerate(frozen.ids)}

    def empty(self) -> Tally:
        """Return the tally of no draw."""
        tasks = {}
        for task, placed in self.layouts.items():
            none = np.empty((0, len(placed.sizes)), dtype=np.int64)
            tasks[task] = TaskTally(np.zeros(len(self.frozen.ids), dtype=np.int64), none, none, [], 0)
        return Tally(tasks, np.empty((0, len(self.frozen.roster)), dtype=np.int64))

    def run(self, draws: range, pairings: range) -> Tally:
        """Return the tally of the draws with these numbers; ``pairings`` are the numbers of the whole draws."""
        tally = self.empty()
        rows: dict[str, tuple[list[Ints], list[Ints]]] = {task: ([], []) for task in tally.tasks}
        for number in draws:
            drawn = self.sampler(self.announcement, self.frozen, audit_seed(self.digest, number))
            for task, part in tally.tasks.items():
                sizes, neighbours = self._count(task, part, drawn[task])
                rows[task][0].append(sizes)
                rows[task][1].append(neighbours)
        for task, (sizes_rows, neighbour_rows) in rows.items():
            if sizes_rows:
                tally.tasks[task].sizes = np.stack(sizes_rows)
                tally.tasks[task].neighbours = np.stack(neighbour_rows)
        crews = [
            self.pairer(self.announcement, self.level, audit_seed(self.digest, number)) for number in pairings
        ]
        if crews:
            tally.crews = np.array(crews, dtype=np.int64)
        return tally

    def _count(self, task: str, tally: TaskTally, enterprises: Sequence[str]) -> tuple[Ints, Ints]:
        placed = self.layouts[task]
        known = [self.position[e] for e in enterprises if e in self.position]
        positions = np.unique(np.array(known, dtype=np.int64))
        positions = positions[placed.stratum[positions] >= 0]
        tally.foreign += len(enterprises) - len(positions)
        tally.counts[positions] += 1
        tally.samples.append(hashlib.blake2b(positions.tobytes(), digest_size=12).digest())
        stratum = placed.stratum[positions]
        strata = len(placed.sizes)
        # strata lie further apart than any two neighbours
        line = np.sort(stratum * (len(placed.stratum) + 2) + placed.place[positions])
        adjacent = line[1:][np.diff(line) == 1] // (len(placed.stratum) + 2)
        return np.bincount(stratum, minlength=strata), np.bincount(adjacent, minlength=strata)


_runner: list[Runner] = []
"""The runner of a worker process, made once when it starts."""


def _start(announcement: Document, frozen: Frozen, digest: str, sampler: Sampler, pairer: Pairer) -> None:
    _runner.append(Runner(announcement, frozen, digest, sampler, pairer))


def _portion(draws: range, pairings: range) -> Tally:
    return _runner[0].run(draws, pairings)


def portions(total: int, parts: int) -> Iterator[range]:
    """Divide 0…total-1 into ranges of nearly equal length, without empty ones unless total is 0."""
    for part in range(parts):
        yield range(total * part // parts, total * (part + 1) // parts)


def run(
    announcement: Document,
    frozen: Frozen,
    digest: str,
    draws: int,
    pairings: int,
    workers: int,
    sampler: Sampler,
    pairer: Pairer,
    progress: Callable[[int], None],
) -> Tally:
    """Run all draws, in ``workers`` processes if more than one; the tally does not depend on their number.

    ``progress`` is told the number of draws that are done. With several processes samplers must be importable.
    """
    parts = min(draws, PARTS * workers)
    work = list(zip(portions(draws, parts), portions(pairings, parts), strict=True))
    arguments = announcement, frozen, digest, sampler, pairer
    runner = Runner(*arguments)
    total = runner.empty()
    if workers == 1:
        for numbers, whole in work:
            total.add(runner.run(numbers, whole))
            progress(numbers.stop)
        return total
    # spawned, not forked: the solver's threads would not survive a fork
    with ProcessPoolExecutor(workers, get_context("spawn"), _start, arguments) as pool:
        results = pool.map(_portion, *zip(*work, strict=True))
        for (numbers, _), part in zip(work, results, strict=True):
            total.add(part)
            progress(numbers.stop)
    return total
