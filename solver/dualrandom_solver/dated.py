"""The candidates that count once dates are given, and a plan checked against every rule."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from dualrandom_solver.errors import InvalidPlan
from dualrandom_solver.instance import Bools, Instance, Ints, Masks


@dataclass(frozen=True, eq=False)
class DatedPairs:
    """The N candidates of dated crews who may take some seat and are not absent on the crew's date.

    cand    int64[N]: candidate index, rising (so pairs of one crew are contiguous)
    crew    int64[N]
    slot    int64[N]: person * days + day
    seats   uint64[N]
    """

    instance: Instance
    crew_day: Ints
    cand: Ints
    crew: Ints
    slot: Ints
    seats: Masks

    def take(self, rows: Ints) -> DatedPairs:
        """The pairs with the given indexes, which must rise."""
        return DatedPairs(
            self.instance, self.crew_day, self.cand[rows], self.crew[rows], self.slot[rows], self.seats[rows]
        )

    @cached_property
    def start(self) -> Ints:
        """int64[C+1]: pairs of crew c are start[c] .. start[c+1]-1."""
        return np.searchsorted(self.crew, np.arange(self.instance.crews + 1))

    @cached_property
    def dated_crew(self) -> Bools:
        """bool[C]: has a date."""
        return self.crew_day >= 0

    @cached_property
    def dated_seat(self) -> Bools:
        """bool[S]: belongs to a crew with a date."""
        return self.dated_crew[self.instance.seat_crew]


def dated_pairs(instance: Instance, dates: Ints) -> DatedPairs:
    """Select the candidates of dated crews. Raises InvalidPlan when dates is no vector of V days or -1."""
    dates = np.asarray(dates, dtype=np.int64)
    if dates.shape != (instance.visits,) or np.any((dates < -1) | (dates >= instance.days)):
        raise InvalidPlan("dates must give a day or -1 for each visit", dates.shape)
    crew_day = dates[instance.crew_visit]
    day = crew_day[instance.cand_crew]
    usable = (day >= 0) & (instance.cand_seats != 0)
    usable &= ~instance.absent[instance.cand_person, np.maximum(day, 0)]
    cand = np.flatnonzero(usable)
    return DatedPairs(
        instance,
        crew_day,
        cand,
        instance.cand_crew[cand],
        instance.cand_person[cand] * instance.days + day[cand],
        instance.cand_seats[cand],
    )


@dataclass(frozen=True, eq=False)
class Loads:
    """day int64[P, T] and period int64[P]: crews that the plan's members serve."""

    day: Ints
    period: Ints


def checked_loads(pairs: DatedPairs, members: Ints) -> Loads:
    """Loads of a plan that keeps every rule; InvalidPlan names the first seat or person that does not.

    members: int64[S], the candidate in each seat, -1 exactly where the visit has no date.
    """
    instance = pairs.instance
    if members.shape != (instance.seats,):
        raise InvalidPlan("members must give a candidate for each seat", members.shape)
    dated = pairs.dated_seat
    _refuse((members < 0) == dated, "a seat is empty though its visit has a date, or filled without one")
    _refuse(members >= len(instance.cand_person), "no such candidate")
    seat = np.flatnonzero(dated)
    cand = members[seat]
    crew = instance.seat_crew[seat]
    _refuse(instance.cand_crew[cand] != crew, "the candidate belongs to another crew", seat)
    offset = (seat - instance.seat_indptr[crew]).astype(np.uint64)
    _refuse((instance.cand_seats[cand] >> offset) & np.uint64(1) == 0, "may not take this seat", seat)
    taken = np.sort(cand)
    if np.any(taken[1:] == taken[:-1]):
        raise InvalidPlan("one candidate in two seats", int(taken[1:][taken[1:] == taken[:-1]][0]))
    person, day = instance.cand_person[cand], pairs.crew_day[crew]
    _refuse(instance.absent[person, day], "absent on the date", seat)
    slots = np.bincount(person * instance.days + day, minlength=instance.persons * instance.days)
    by_day = slots.reshape(instance.persons, instance.days)
    by_period = by_day.sum(axis=1)
    _refuse(np.any(by_day > instance.daily[:, None], axis=1), "a person serves more crews a day than allowed")
    _refuse(by_period > instance.total, "a person serves more crews than allowed")
    return Loads(by_day, by_period)


def _refuse(wrong: Bools, message: str, names: Ints | None = None) -> None:
    if wrong.any():
        at = int(np.argmax(wrong))
        raise InvalidPlan(message, at if names is None else int(names[at]))
