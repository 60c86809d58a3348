"""The least prices that support a plan (docs/protocol.md §8.7): the certificate that it is optimal.

With a(p, t) = period(p) + day(p, t), the prices are the least solution of

    a(q, t) >= a(p, t) + cost(p) - cost(q)   where q, outside the crew, can replace p in it on date t
    a(p, t) >= period(p) >= 0
    period(p) >= a(p, t)                     on days on which p's daily cap is not reached

found by raising from zero (Bellman and Ford) until nothing changes. It is a longest-path problem, so values
that never settle mean a circle of replacements that saves cost; a price for a period that is not exhausted
means a chain of replacements that does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dualrandom_solver.dated import DatedPairs, Loads, checked_loads, dated_pairs
from dualrandom_solver.errors import NotOptimal
from dualrandom_solver.instance import Bools, Instance, Ints
from dualrandom_solver.replacement import Replacements, replacement_arcs


@dataclass(frozen=True, eq=False)
class Prices:
    """period: int64[P]; day: int64[P, T]. Surcharges of exhausted persons and fully booked days."""

    period: Ints
    day: Ints


def least_prices(instance: Instance, dates: Ints, members: Ints) -> Prices:
    """The least prices of the plan. Raises InvalidPlan (illegal) or NotOptimal (a cheaper plan exists)."""
    pairs = dated_pairs(instance, dates)
    loads = checked_loads(pairs, members)
    return prices_of(pairs, members, loads, replacement_arcs(pairs, members))


def prices_of(pairs: DatedPairs, members: Ints, loads: Loads, arcs: Replacements) -> Prices:
    """As least_prices, for a plan already checked."""
    rising = _settled(pairs, members, loads, arcs)
    shape = (pairs.instance.persons, pairs.instance.days)
    return Prices(rising.period, rising.value.reshape(shape) - rising.period[:, None])


def _settled(pairs: DatedPairs, members: Ints, loads: Loads, arcs: Replacements) -> _Rising:
    """The values when nothing rises any more; NotOptimal when that cannot happen."""
    rising = _Rising(pairs, members, loads, arcs)
    rounds = 0
    check_at = 32
    while rising.round():
        rounds += 1
        if np.any(rising.period[rising.slack_period] > 0):
            person = int(np.argmax(rising.slack_period & (rising.period > 0)))
            raise NotOptimal("a person with capacity left in the period would need a price", person)
        if rounds == check_at:
            check_at += check_at // 4
            if rounds > len(rising.value) + len(rising.period) or rising.has_circle():
                raise NotOptimal("prices rise without end: a circle of replacements saves cost", rounds)
    return rising


def undercutting_pairs(pairs: DatedPairs, listed: Bools, members: Ints) -> Ints:
    """Pairs outside the listed ones that undercut the least prices of a plan cheapest among the listed.

    listed: bool[N]. An empty answer proves the plan cheapest among all pairs. Raises NotOptimal when the plan
    is not cheapest among the listed pairs.
    """
    arcs = replacement_arcs(pairs, members)
    rows = np.flatnonzero(listed)
    short = Replacements(arcs.pair_group[rows], arcs.group_indptr, arcs.group_seat, arcs.group_crew)
    rising = _settled(pairs.take(rows), members, checked_loads(pairs, members), short)
    if not len(arcs.group_crew):
        return np.empty(0, dtype=np.int64)
    adjusted = rising.seat_cost + rising.value[rising.seat_slot]
    threshold = np.maximum.reduceat(adjusted[arcs.group_seat], arcs.group_indptr[:-1])
    other = np.flatnonzero(arcs.pair_group >= 0)
    own = pairs.instance.cand_cost[pairs.cand[other]] + rising.value[pairs.slot[other]]
    return other[own < threshold[arcs.pair_group[other]]]


class _Rising:
    """Values a and period, and the slots whose value rose in the last round."""

    def __init__(self, pairs: DatedPairs, members: Ints, loads: Loads, arcs: Replacements) -> None:
        instance = pairs.instance
        self.days = instance.days
        self.value = np.zeros(instance.persons * instance.days, dtype=np.int64)
        self.period = np.zeros(instance.persons, dtype=np.int64)
        self.slack_period: Bools = loads.period < instance.total
        self.slack_day: Bools = (loads.day < instance.daily[:, None]).ravel()
        self.arcs = arcs
        seats = np.flatnonzero(members >= 0)
        self.seat_cost = np.zeros(instance.seats, dtype=np.int64)
        self.seat_cost[seats] = instance.cand_cost[members[seats]]
        self.seat_slot = np.full(instance.seats, 0, dtype=np.int64)
        day = pairs.crew_day[instance.seat_crew[seats]]
        self.seat_slot[seats] = instance.cand_person[members[seats]] * instance.days + day
        self.pair_slot = pairs.slot
        self.pair_cost = instance.cand_cost[pairs.cand]
        # pairs by group, seats by slot, groups by seat: three lists for following what rose
        outside = np.flatnonzero(arcs.pair_group >= 0)
        self.group_pairs = outside[np.argsort(arcs.pair_group[outside], kind="stable")]
        groups = len(arcs.group_crew)
        self.group_start = np.searchsorted(arcs.pair_group[self.group_pairs], np.arange(groups + 1))
        self.slot_seats = seats[np.argsort(self.seat_slot[seats], kind="stable")]
        slots = np.arange(len(self.value) + 1)
        self.slot_start = np.searchsorted(self.seat_slot[self.slot_seats], slots)
        owner = np.repeat(np.arange(groups), np.diff(arcs.group_indptr))
        by_seat = np.argsort(arcs.group_seat, kind="stable")
        self.seat_groups = owner[by_seat]
        self.seat_start = np.searchsorted(arcs.group_seat[by_seat], np.arange(instance.seats + 1))
        self.work = np.arange(groups)  # groups whose threshold may have risen
        self.cause = np.full(len(self.value), -1, dtype=np.int64)  # slot that raised it; ~p: the period of p
        self.period_cause = np.full(len(self.period), -1, dtype=np.int64)

    def round(self) -> bool:
        """Raise everything that the last round's rises demand; False when nothing rose."""
        groups = self.work
        if not len(groups):
            return False
        seat_at, group_of = _rows(self.arcs.group_indptr, groups)
        seats = self.arcs.group_seat[seat_at]
        adjusted = self.seat_cost[seats] + self.value[self.seat_slot[seats]]
        starts = np.cumsum(np.diff(self.arcs.group_indptr)[groups]) - np.diff(self.arcs.group_indptr)[groups]
        threshold = np.maximum.reduceat(adjusted, starts)
        pair_at, group_of_pair = _rows(self.group_start, groups)
        pair = self.group_pairs[pair_at]
        demanded = threshold[group_of_pair] - self.pair_cost[pair]
        slot = self.pair_slot[pair]
        higher = np.flatnonzero(demanded > self.value[slot])
        slot, demanded = slot[higher], demanded[higher]
        np.maximum.at(self.value, slot, demanded)
        winners = np.flatnonzero(self.value[slot] == demanded)
        top = np.zeros(len(groups), dtype=np.int64)
        dearest = np.flatnonzero(adjusted == threshold[group_of])
        top[group_of[dearest]] = self.seat_slot[seats[dearest]]
        self.cause[slot[winners]] = top[group_of_pair[higher[winners]]]
        risen = np.unique(slot)
        risen = np.union1d(risen, self._periods(risen))
        seat_at, _ = _rows(self.slot_start, risen)
        group_at, _ = _rows(self.seat_start, self.slot_seats[seat_at])
        self.work = np.unique(self.seat_groups[group_at])
        return len(risen) > 0

    def _periods(self, risen: Ints) -> Ints:
        """Lift periods to values of days not full, then all days of those persons to their periods."""
        free = risen[self.slack_day[risen]]
        person = free // self.days
        higher = self.value[free] > self.period[person]
        free, person = free[higher], person[higher]
        np.maximum.at(self.period, person, self.value[free])
        winners = self.period[person] == self.value[free]
        self.period_cause[person[winners]] = free[winners]
        persons = np.unique(person)
        slots = (persons[:, None] * self.days + np.arange(self.days)).ravel()
        floor = np.repeat(self.period[persons], self.days)
        low = self.value[slots] < floor
        self.value[slots[low]] = floor[low]
        self.cause[slots[low]] = ~(slots[low] // self.days)
        lifted: Ints = slots[low]
        return lifted

    def has_circle(self) -> bool:
        """Whether causes run in a circle. Every cause lifted its effect strictly, so a circle gains."""
        slots = len(self.value)
        step = np.concatenate([self.cause, self.period_cause, [0]])
        nowhere = len(step) - 1
        through_period = self.cause < -1
        step[:slots][through_period] = slots + ~self.cause[through_period]
        step[step == -1] = nowhere
        step[nowhere] = nowhere
        for _ in range(len(step).bit_length()):
            step = step[step]
        return bool(np.any(step != nowhere))


def _rows(indptr: Ints, rows: Ints) -> tuple[Ints, Ints]:
    """Positions of all entries of the given rows, and for each the index into ``rows``."""
    lengths = indptr[rows + 1] - indptr[rows]
    index = np.repeat(np.arange(len(rows)), lengths)
    offset = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
    return indptr[rows][index] + offset, index
