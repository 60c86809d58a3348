"""Why seats cannot be filled: who is short of whom, and which rules together cause it (docs/pairing-soundness.md §8).

Both answers come from a maximum flow over all seats demanded. Its smallest source side names seats whose
possible occupants have, together, less capacity than there are seats (Hall's condition fails there).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from ortools.graph.python.max_flow import SimpleMaxFlow

from dualrandom_solver.errors import FlowFailed, InvalidPlan
from dualrandom_solver.instance import Bools, Instance, Ints, Masks
from dualrandom_solver.pools import connected, pools


@dataclass(frozen=True, eq=False)
class Violator:
    """Seats that need more people than may take them.

    seats       int64: seat numbers
    crews       int64: their crews, rising
    persons     int64: everyone who may take one of these seats on a day in question
    capacity    how many of the seats these persons can fill at most: the caps of the booked ones below, and
                one seat for each of these crews open to each other person
    short       len(seats) - capacity, at least 1
    booked_days      int64[n, 2]: (person, day) counted with the daily cap, because the day is what binds
    booked_persons   int64: persons counted with the period cap, because the period is what binds
    """

    seats: Ints
    crews: Ints
    persons: Ints
    capacity: int
    short: int
    booked_days: Ints
    booked_persons: Ints


@dataclass(frozen=True, eq=False)
class Rule:
    """What one rule takes away from an instance in which it does not hold.

    forbids     uint64[M] or None: seats of their crews that candidates lose
    absent      bool[P, T] or None: days that persons lose
    daily, total    int64[P] or None: caps that the rule sets (the smaller one holds)
    """

    forbids: Masks | None = None
    absent: Bools | None = None
    daily: Ints | None = None
    total: Ints | None = None


def hall_violators(instance: Instance, dates: Ints, undated: Sequence[int] = ()) -> tuple[Violator, ...]:
    """Disjoint violators that explain why all dated visits, and the given undated ones, cannot be seated.

    Undated visits are granted every acceptable day at once, a day for each seat: if even that fails, no date
    can help, and the violators say what is missing. Crews for which nobody at all is eligible come as one
    violator without persons. Empty when there is nothing to say: the dated visits alone are seatable and the
    undated ones fail only day by day (see why_undated).
    """
    return _violators(instance, np.asarray(dates, dtype=np.int64), np.array(undated, dtype=np.int64))


def why_undated(instance: Instance, dates: Ints, visit: int) -> tuple[tuple[int, tuple[Violator, ...]], ...]:
    """For each acceptable day of an undated visit, in its lottery order, what is missing on that day.

    Visits later in the lottery are left out: they were not there when the day was refused. A day taken by
    another visit of the group, or open by now, comes with no violators. Raises InvalidPlan for a dated visit.
    """
    dates = np.asarray(dates, dtype=np.int64)
    if dates[visit] >= 0:
        raise InvalidPlan("the visit has a date", visit)
    before = dates.copy()
    before[visit:] = -1
    answer = []
    for day in instance.visit_days[instance.visit_indptr[visit] : instance.visit_indptr[visit + 1]].tolist():
        before[visit] = day
        answer.append((day, _violators(instance, before, np.empty(0, dtype=np.int64), visit)))
    return tuple(answer)


def minimal_conflict(
    instance: Instance, rules: Sequence[Rule], dates: Ints, undated: Sequence[int] = ()
) -> tuple[int, ...] | None:
    """Indexes of rules that together make the visits unseatable while without any one of them they are not.

    ``instance`` is the one in which none of the rules holds. None: seatable under all rules. (): not seatable
    even without them. Rules are dropped in order, so that of several minimal sets the one of late rules is
    found; one maximum flow a rule.
    """

    def unseatable(kept: list[int]) -> bool:
        return bool(hall_violators(_under(instance, [rules[index] for index in kept]), dates, undated))

    kept = list(range(len(rules)))
    if not unseatable(kept):
        return None
    for index in range(len(rules)):
        fewer = [other for other in kept if other != index]
        if unseatable(fewer):
            kept = fewer
    return tuple(kept)


def _under(instance: Instance, rules: Sequence[Rule]) -> Instance:
    seats, absent = instance.cand_seats, instance.absent
    daily, total = instance.daily, instance.total
    for rule in rules:
        if rule.forbids is not None:
            seats = seats & ~rule.forbids
        if rule.absent is not None:
            absent = absent | rule.absent
        if rule.daily is not None:
            daily = np.minimum(daily, rule.daily)
        if rule.total is not None:
            total = np.minimum(total, rule.total)
    return replace(instance, cand_seats=seats, absent=absent, daily=daily, total=total)


@dataclass(frozen=True, eq=False)
class _Options:
    """The possible (candidate, day) of all crews that matter. Visits without a date have several days."""

    cand: Ints
    crew: Ints
    slot: Ints


def _options(instance: Instance, dates: Ints, undated: Ints, crews: Bools) -> _Options:
    free = np.zeros(instance.visits, dtype=np.bool_)
    free[undated] = dates[undated] < 0
    visit = instance.crew_visit[instance.cand_crew]
    usable = crews[instance.cand_crew] & (instance.cand_seats != 0)
    fixed = np.flatnonzero(usable & (dates[visit] >= 0))
    cands, days = [fixed], [dates[visit[fixed]]]
    loose = np.flatnonzero(usable & free[visit])
    counts = np.diff(instance.visit_indptr)[visit[loose]]
    repeated = np.repeat(loose, counts)
    at = np.arange(len(repeated)) - np.repeat(np.cumsum(counts) - counts, counts)
    cands.append(repeated)
    days.append(instance.visit_days[instance.visit_indptr[visit[repeated]] + at])
    cand, day = np.concatenate(cands), np.concatenate(days)
    present = ~instance.absent[instance.cand_person[cand], day]
    cand, day = cand[present], day[present]
    return _Options(cand, instance.cand_crew[cand], instance.cand_person[cand] * instance.days + day)


def _violators(
    instance: Instance, dates: Ints, undated: Ints, about: int | None = None
) -> tuple[Violator, ...]:
    """Violators of all crews, or of the components that the undated visits, or one visit, touch."""
    wanted = dates >= 0
    wanted[undated] = True
    crews = wanted[instance.crew_visit] & (instance.crew_size > 0)
    if about is not None or len(undated):
        crew_pool, _ = pools(instance)
        touched = np.isin(instance.crew_visit, undated if about is None else [about])
        crews &= np.isin(crew_pool, crew_pool[touched])
    return _Cut(instance, crews, _options(instance, dates, undated, crews)).violators()


class _Cut:
    """Maximum flow source -> seat -> (crew, person) -> (person, day) -> person -> sink, and its smallest cut."""

    def __init__(self, instance: Instance, crews: Bools, options: _Options) -> None:
        self.instance = instance
        self.options = options
        self.seats = np.flatnonzero(crews[instance.seat_crew])
        self.cands, cand_of = np.unique(options.cand, return_inverse=True)
        self.slots, slot_of = np.unique(options.slot, return_inverse=True)
        slot_person = self.slots // instance.days
        self.persons, person_of = np.unique(slot_person, return_inverse=True)
        self.seat_at = 2
        self.cand_at = self.seat_at + len(self.seats)
        self.once_at = self.cand_at + len(self.cands)  # a candidate sits once in the crew
        self.slot_at = self.once_at + len(self.cands)
        self.person_at = self.slot_at + len(self.slots)
        seat_row, cand_row = self._may_sit()
        source, sink = 0, 1
        self.tail = np.concatenate(
            [
                np.full(len(self.seats), source),
                self.seat_at + seat_row,
                self.cand_at + np.arange(len(self.cands)),
                self.once_at + cand_of,
                self.slot_at + np.arange(len(self.slots)),
                self.person_at + np.arange(len(self.persons)),
            ]
        )
        self.head = np.concatenate(
            [
                self.seat_at + np.arange(len(self.seats)),
                self.cand_at + cand_row,
                self.once_at + np.arange(len(self.cands)),
                self.slot_at + slot_of,
                self.person_at + person_of,
                np.full(len(self.persons), sink),
            ]
        )
        links = len(self.seats) + len(seat_row) + len(self.cands) + len(cand_of)
        self.capacity = np.concatenate(
            [np.ones(links, dtype=np.int64), instance.daily[slot_person], instance.total[self.persons]]
        )

    def _may_sit(self) -> tuple[Ints, Ints]:
        """Rows (into seats, into cands) of all pairs of a seat and a candidate who may take it."""
        instance = self.instance
        row_of_seat = np.full(instance.seats, -1, dtype=np.int64)
        row_of_seat[self.seats] = np.arange(len(self.seats))
        crew = instance.cand_crew[self.cands]
        seat_rows, cand_rows = [], []
        for place in range(int(instance.crew_size.max(initial=0))):
            here = np.flatnonzero((instance.cand_seats[self.cands] >> np.uint64(place)) & np.uint64(1))
            seat_rows.append(row_of_seat[instance.seat_indptr[crew[here]] + place])
            cand_rows.append(here)
        empty = [np.empty(0, dtype=np.int64)]
        return np.concatenate(seat_rows or empty), np.concatenate(cand_rows or empty)

    def _source_side(self) -> Bools:
        flow = SimpleMaxFlow()
        flow.add_arcs_with_capacity(
            self.tail.astype(np.int32), self.head.astype(np.int32), self.capacity.astype(np.int64)
        )
        nodes = self.person_at + len(self.persons)
        inside = np.zeros(nodes, dtype=np.bool_)
        if not len(self.seats) or not len(self.persons):
            inside[0] = True
            inside[self.seat_at : self.cand_at] = True
            return inside
        if flow.solve(0, 1) != SimpleMaxFlow.OPTIMAL:
            raise FlowFailed("the flow solver stopped without a maximum flow")
        inside[np.array(flow.get_source_side_min_cut(), dtype=np.int64)] = True
        if flow.optimal_flow() == len(self.seats):
            inside[:] = False
        return inside

    def violators(self) -> tuple[Violator, ...]:
        inside = self._source_side()
        inner = np.flatnonzero(inside[self.tail] & inside[self.head] & (self.tail != 0))
        label = connected(self.tail[inner], self.head[inner], len(inside))
        crossing = np.flatnonzero(inside[self.tail] & ~inside[self.head] & (self.tail != 0))
        member = np.flatnonzero(inside[self.seat_at : self.cand_at]) + self.seat_at
        hopeless = ~np.isin(member, self.tail[len(self.seats) :])
        label[member[hopeless]] = 0
        found = [
            self._violator(
                np.flatnonzero(inside & (label == part)), crossing[label[self.tail[crossing]] == part]
            )
            for part in np.unique(label[member]).tolist()
        ]
        return tuple(sorted(found, key=lambda violator: (-violator.short, int(violator.seats[0]))))

    def _violator(self, nodes: Ints, crossing: Ints) -> Violator:
        instance = self.instance
        rows = nodes[(nodes >= self.seat_at) & (nodes < self.cand_at)] - self.seat_at
        seats = self.seats[rows]
        tails = self.tail[crossing]
        by_slot = tails[(tails >= self.slot_at) & (tails < self.person_at)] - self.slot_at
        by_person = tails[tails >= self.person_at] - self.person_at
        eligible = np.isin(self.tail, rows + self.seat_at)
        cands = self.cands[np.unique(self.head[eligible]) - self.cand_at]
        capacity = int(self.capacity[crossing].sum())
        booked = self.slots[by_slot]
        return Violator(
            seats=seats,
            crews=np.unique(instance.seat_crew[seats]),
            persons=np.unique(instance.cand_person[cands]),
            capacity=capacity,
            short=len(seats) - capacity,
            booked_days=np.stack([booked // instance.days, booked % instance.days], axis=1),
            booked_persons=self.persons[by_person],
        )
