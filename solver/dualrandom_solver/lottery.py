"""Dates by lottery (docs/protocol.md §8.4): each visit in order takes its first acceptable day on which it can still
be seated beside the visits dated before it.

The question is a yes/no question about a flow

    seat -> (crew, person) -> (person, day) -> person -> sink

so one feasible flow is kept and each trial tries to push the visit's seats into it by augmenting paths; a
trial that fails is undone exactly. Two memories keep failing trials cheap; both are argued in
docs/pairing-soundness.md §6 ("Regions"):

* a *region* is a set of (person, day) and person nodes from which at most ``room`` more units can leave.
  A search that fails after ``j`` seats of the same trial had been placed inside the set it explored proves
  the set a region with room j. Committed paths never raise the room, because a path that starts outside
  a set and ends outside it leaves the set's net outflow capacity unchanged.
* a region with room 0 is *dead*: nothing in it is ever explored again.

Sets of persons are Python integers used as bitmasks, so a step over all candidates of a seat is a few
machine instructions.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from dualrandom_solver.errors import NotSeatable
from dualrandom_solver.instance import Instance, Ints
from dualrandom_solver.pools import pools

REGIONS_KEPT = 4  # a day; forgetting one costs time, never truth


def lottery_dates(instance: Instance, fixed: Ints | None = None) -> Ints:
    """int64[V]: the day of each visit, or -1 where no acceptable day leaves it seatable.

    ``fixed`` (int64[V], -1 = undated) keeps the dates already given: those visits are seated first and the
    others are tried in order, as a ladder of reliefs requires. Raises NotSeatable when the fixed dates
    themselves cannot be seated; their being acceptable is the caller's affair.
    """
    dates = np.full(instance.visits, -1, dtype=np.int64)
    roster = _Roster(instance)
    groups: list[int] = instance.visit_group.tolist()
    taken: dict[int, set[int]] = {group: set() for group in groups}
    waiting: Sequence[int] = range(instance.visits)
    if fixed is not None:
        for visit in np.flatnonzero(fixed >= 0).tolist():
            if not roster.place(visit, int(fixed[visit])):
                raise NotSeatable("the dates to be kept cannot be seated", visit)
            dates[visit] = fixed[visit]
            taken[groups[visit]].add(int(fixed[visit]))
        waiting = np.flatnonzero(dates < 0).tolist()
    indptr = instance.visit_indptr.tolist()
    days = instance.visit_days.tolist()
    for visit in waiting:
        used = taken[groups[visit]]
        for day in days[indptr[visit] : indptr[visit + 1]]:
            if day not in used and roster.place(visit, day):
                dates[visit] = day
                used.add(day)
                break
    return dates


class _Roster:
    """The flow of all visits placed so far, one pool per connected component."""

    def __init__(self, instance: Instance) -> None:
        crew_pool, person_pool = pools(instance)
        order = np.argsort(person_pool, kind="stable")
        sizes = np.bincount(person_pool, minlength=int(crew_pool.max(initial=-1)) + 1)
        local = np.empty(instance.persons, dtype=np.int64)
        local[order] = np.arange(instance.persons) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        used = np.unique(crew_pool).tolist()
        members = {pool: order[start:stop] for pool, start, stop in _ranges(used, sizes)}
        self.pools = {pool: _Pool(instance, members[pool]) for pool in used}
        masks = _seat_masks(instance, crew_pool, local, sizes)
        pool_of = crew_pool.tolist()
        first = instance.seat_indptr.tolist()
        self.visits: list[dict[int, list[int]]] = [{} for _ in range(instance.visits)]
        for crew, visit in enumerate(instance.crew_visit.tolist()):
            seats = list(range(first[crew], first[crew + 1]))
            if seats:
                self.pools[pool_of[crew]].add_crew(crew, seats, masks)
                self.visits[visit].setdefault(pool_of[crew], []).extend(seats)

    def place(self, visit: int, day: int) -> bool:
        """Seat the visit on the day beside all visits placed before, or change nothing and say False."""
        needs = self.visits[visit]
        if any(self.pools[pool].is_full(seats, day) for pool, seats in needs.items()):
            return False
        begun: list[_Pool] = []
        for pool_number, seats in needs.items():
            pool = self.pools[pool_number]
            begun.append(pool)
            if not pool.push(seats, day):
                for other in begun:
                    other.undo()
                return False
        for pool_number, seats in needs.items():
            self.pools[pool_number].commit(seats, day)
        return True


class _Pool:
    """Residual graph of one component. Persons are numbered within the pool; sets of persons are ints."""

    def __init__(self, instance: Instance, persons: Ints) -> None:
        self.days = instance.days
        self.daily: list[int] = instance.daily[persons].tolist()
        self.total: list[int] = instance.total[persons].tolist()
        packed = np.packbits(~instance.absent[persons].T, axis=1, bitorder="little")
        self.available = [int.from_bytes(row.tobytes(), "little") for row in packed]
        may_work = _mask(instance.daily[persons] > 0)
        self.open_day = [mask & may_work for mask in self.available]  # day cap not reached
        self.open_period = _mask(instance.total[persons] > 0)  # period cap not reached
        self.dead = [0] * self.days
        self.dead_persons = 0
        self.load: list[int] = [0] * len(self.daily)
        self.serves: list[dict[int, set[int]]] = [{} for _ in self.daily]  # person -> day -> seats
        self.mask: dict[int, int] = {}
        self.crew: dict[int, int] = {}
        self.crew_seats: dict[int, list[int]] = {}
        self.crew_members: dict[int, int] = {}
        self.occupant: dict[int, int] = {}
        self.day_of: dict[int, int] = {}
        self.log: list[tuple[int, int, int]] = []  # seat, person before, person after (-1 = none)
        self.regions: list[list[_Region]] = [[] for _ in range(self.days)]  # by day, newest first

    def add_crew(self, crew: int, seats: list[int], masks: list[int]) -> None:
        self.crew_seats[crew] = seats
        self.crew_members[crew] = 0
        for seat in seats:
            self.mask[seat] = masks[seat]
            self.crew[seat] = crew
            self.occupant[seat] = -1

    def is_full(self, seats: list[int], day: int) -> bool:
        """Whether memory alone already refuses these seats on this day."""
        live = self.available[day] & ~self.dead[day]
        rests = [self.mask[seat] & live for seat in seats]
        if not all(rests):
            return True
        for region in self.regions[day]:
            outside = ~region.days[day]
            if sum(1 for rest in rests if not rest & outside) > region.room:
                return True
        return False

    def push(self, seats: list[int], day: int) -> bool:
        """Try to fill the seats; on False the caller must undo()."""
        for seat in seats:
            self.day_of[seat] = day
        for count, seat in enumerate(seats):
            crew = self.crew[seat]
            choice = self.mask[seat] & self.open_day[day] & self.open_period & ~self.crew_members[crew]
            if choice:
                self._move(seat, (choice & -choice).bit_length() - 1)
            elif not self._augment(seat, seats[:count]):
                return False
        return True

    def undo(self) -> None:
        for seat, before, after in reversed(self.log):
            if after >= 0:
                self._leave(seat, after)
            if before >= 0:
                self._enter(seat, before)
        self.log.clear()

    def commit(self, seats: list[int], day: int) -> None:
        self.log.clear()
        if not self.regions[day]:
            return
        live = self.available[day] & ~self.dead[day]
        for region in self.regions[day]:
            outside = ~region.days[day]
            region.room -= sum(1 for seat in seats if not self.mask[seat] & live & outside)
            if region.room == 0:
                self._bury(region)
        self.regions[day] = [region for region in self.regions[day] if region.room > 0]

    def _bury(self, region: _Region) -> None:
        for day, persons in region.days.items():
            self.dead[day] |= persons
        self.dead_persons |= region.persons

    def _move(self, seat: int, person: int) -> None:
        self.log.append((seat, -1, person))
        self._enter(seat, person)

    def _enter(self, seat: int, person: int) -> None:
        day = self.day_of[seat]
        bit = 1 << person
        seats = self.serves[person].setdefault(day, set())
        seats.add(seat)
        if len(seats) >= self.daily[person]:
            self.open_day[day] &= ~bit
        self.load[person] += 1
        if self.load[person] >= self.total[person]:
            self.open_period &= ~bit
        self.crew_members[self.crew[seat]] |= bit
        self.occupant[seat] = person

    def _leave(self, seat: int, person: int) -> None:
        day = self.day_of[seat]
        bit = 1 << person
        seats = self.serves[person][day]
        seats.discard(seat)
        if not seats:
            del self.serves[person][day]
        self.open_day[day] |= bit
        self.load[person] -= 1
        self.open_period |= bit
        self.crew_members[self.crew[seat]] &= ~bit
        self.occupant[seat] = -1

    def _augment(self, source: int, placed: list[int]) -> bool:
        """Breadth-first search for a path to a person with capacity left; apply it, or remember the region."""
        parent = {source: source}
        queue = [source]
        seen = [0] * self.days
        seen_persons = 0
        for seat in queue:
            day = self.day_of[seat]
            crew = self.crew[seat]
            members = self.crew_members[crew]
            may = self.mask[seat]
            if may & members:
                for fellow in self.crew_seats[crew]:
                    if (
                        fellow not in parent
                        and self.occupant[fellow] >= 0
                        and may >> self.occupant[fellow] & 1
                    ):
                        parent[fellow] = seat
                        queue.append(fellow)
            fresh = may & self.available[day] & ~(members | seen[day] | self.dead[day])
            goal = fresh & self.open_day[day] & self.open_period
            if goal:
                self._apply(seat, (goal & -goal).bit_length() - 1, parent)
                return True
            seen[day] |= fresh
            open_day = self.open_day[day]
            while fresh:
                bit = fresh & -fresh
                fresh ^= bit
                serves = self.serves[bit.bit_length() - 1]
                for other in serves.get(day, ()):
                    if other not in parent:
                        parent[other] = seat
                        queue.append(other)
                if open_day & bit and not (seen_persons | self.dead_persons) & bit:
                    seen_persons |= bit
                    for far, others in serves.items():
                        if not (seen[far] | self.dead[far]) & bit:
                            seen[far] |= bit
                            for other in others:
                                if other not in parent:
                                    parent[other] = seat
                                    queue.append(other)
        self._remember(_Region(sum(1 for seat in placed if seat in parent), seen, seen_persons))
        return False

    def _remember(self, region: _Region) -> None:
        if region.room == 0:
            self._bury(region)
            return
        for day in region.days:
            self.regions[day] = [region, *self.regions[day][: REGIONS_KEPT - 1]]

    def _apply(self, seat: int, person: int, parent: dict[int, int]) -> None:
        while True:
            before = self.occupant[seat]
            if before >= 0:
                self._leave(seat, before)
            self._enter(seat, person)
            self.log.append((seat, before, person))
            if before < 0:
                return
            seat, person = parent[seat], before


class _Region:
    """Nodes from which at most ``room`` more units can leave: persons per day, and persons."""

    __slots__ = ("days", "persons", "room")

    def __init__(self, room: int, seen: list[int], persons: int) -> None:
        self.room = room
        self.days = {day: mask for day, mask in enumerate(seen) if mask}
        self.persons = persons


def _mask(flags: np.ndarray) -> int:
    return int.from_bytes(np.packbits(flags, bitorder="little").tobytes(), "little")


def _ranges(used: list[int], sizes: Ints) -> list[tuple[int, int, int]]:
    stops = np.cumsum(sizes)
    return [(pool, int(stops[pool] - sizes[pool]), int(stops[pool])) for pool in used]


def _seat_masks(instance: Instance, crew_pool: Ints, local: Ints, sizes: Ints) -> list[int]:
    """For each seat the set of persons, numbered within the pool, who may take it."""
    result = [0] * instance.seats
    first = instance.seat_indptr
    for crew in range(instance.crews):
        rows = slice(int(instance.cand_indptr[crew]), int(instance.cand_indptr[crew + 1]))
        person = local[instance.cand_person[rows]]
        seats = instance.cand_seats[rows]
        width = int(sizes[crew_pool[crew]])
        run = 0
        for offset in range(int(instance.crew_size[crew])):
            if int(instance.class_first[crew]) >> offset & 1:
                flags = np.zeros(width, dtype=np.bool_)
                flags[person[(seats >> np.uint64(offset)) & np.uint64(1) != 0]] = True
                run = _mask(flags)
            result[int(first[crew]) + offset] = run
    return result
