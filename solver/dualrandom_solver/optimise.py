"""Dates by optimisation instead of lottery order: visits of one street on one day, weeks evenly filled.

A constraint model (CP-SAT) chooses the days and knows of crews only what maximum flows have taught it: when
its days cannot be seated, each violator of Hall's condition becomes a constraint on days (Benders
decomposition). Let K be the persons and the (person, day) that a violator counts with their caps. A crew on
a day has g seats that stay empty unless capacity of K is used; summed over all crews this is at most the
capacity of K, whatever the dates, as long as they can be seated. The refused days break it.

The answer is always seatable, dates the same visits as the dates from which the search starts (the lottery's,
unless others are given), and is never worse than those. It depends on the version of OR-tools, so unlike the lottery it can be
checked for legality but not recomputed.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from ortools.sat.python import cp_model

from dualrandom_solver.conflict import Violator, hall_violators
from dualrandom_solver.errors import InvalidInstance, InvalidPlan
from dualrandom_solver.instance import Bools, Instance, Ints
from dualrandom_solver.lottery import lottery_dates

VISITS_LIMIT = 120
ROUNDS_LIMIT = 200
SHARES = 8  # of the effort: the most that one round may take
SEED = 1


@dataclass(frozen=True, eq=False)
class OptimisedDates:
    """dates: int64[V], -1 where the start has none either.

    street_days     number of different (street, day) pairs: smaller means more visits together
    unevenness      sum over the weeks of |visits x days of the period - all visits x days of the week|
    proven          whether no seatable dates of the same visits have a smaller (street_days, unevenness)
    """

    dates: Ints
    street_days: int
    unevenness: int
    proven: bool


def optimise_dates(
    instance: Instance, streets: Ints, weeks: Ints, effort: float = 2.0, start: Ints | None = None
) -> OptimisedDates:
    """Seatable dates with few street-days and, among those, even weeks.

    streets: int64[V], label of each visit's street. weeks: int64[T], label of each day's week. ``effort`` is
    CP-SAT's deterministic time, not seconds of a clock: the same input gives the same answer on any machine.
    ``start``: int64[V], dates to be improved, -1 = undated and stays so; default: the lottery's.
    Raises InvalidInstance for more than 120 visits that have a choice of days, or labels of wrong length;
    InvalidPlan for a start that gives an unacceptable day, NotSeatable for one that cannot be seated.
    """
    free = int((np.diff(instance.visit_indptr) > 1).sum())
    if free > VISITS_LIMIT:
        raise InvalidInstance(f"at most {VISITS_LIMIT} visits can be optimised; use lottery_dates", free)
    if streets.shape != (instance.visits,) or weeks.shape != (instance.days,):
        raise InvalidInstance(
            "streets must label each visit and weeks each day", (streets.shape, weeks.shape)
        )
    best = lottery_dates(instance) if start is None else _checked(instance, np.asarray(start, dtype=np.int64))
    model = _Model(instance, best, streets, weeks)
    value = model.value(best)
    proven = False
    share = effort / SHARES
    for _ in range(ROUNDS_LIMIT):
        answer = model.solve(best, min(share, effort))
        if answer is None:
            break
        dates, bound, spent = answer
        effort -= spent
        candidates = [dates]
        violators = hall_violators(instance, dates)
        if violators:
            model.learn(violators)
            candidates = [model.repaired(dates)]
        for candidate in candidates:
            if np.array_equal(candidate >= 0, best >= 0) and model.value(candidate) < value:
                best, value = candidate, model.value(candidate)
        if bound >= value:
            proven = True
            break
        if effort <= 0:
            break
    return OptimisedDates(best, model.street_days(best), model.unevenness(best), proven)


def _checked(instance: Instance, start: Ints) -> Ints:
    """The start, if its days are acceptable, differ within a group, and can be seated together."""
    if start.shape != (instance.visits,):
        raise InvalidPlan("the start must give a day or -1 for each visit", start.shape)
    visit = np.repeat(np.arange(instance.visits), np.diff(instance.visit_indptr))
    acceptable = start < 0
    acceptable[visit[instance.visit_days == start[visit]]] = True
    if not acceptable.all():
        raise InvalidPlan("the start gives a visit a day that is not acceptable", int(np.argmin(acceptable)))
    dated = np.flatnonzero(start >= 0)
    taken = np.sort(instance.visit_group[dated] * instance.days + start[dated])
    if np.any(taken[1:] == taken[:-1]):
        raise InvalidPlan("the start gives two visits of one group the same day")
    return lottery_dates(_offering(instance, start), fixed=start)


def _offering(instance: Instance, dates: Ints) -> Instance:
    """The instance in which undated visits stay undated."""
    kept = np.repeat(dates >= 0, np.diff(instance.visit_indptr))
    sizes = np.where(dates >= 0, np.diff(instance.visit_indptr), 0)
    return replace(
        instance, visit_indptr=np.concatenate([[0], np.cumsum(sizes)]), visit_days=instance.visit_days[kept]
    )


class _Model:
    """The choice of days, and what flows have taught about it."""

    def __init__(self, instance: Instance, start: Ints, streets: Ints, weeks: Ints) -> None:
        self.instance = instance
        self.streets = np.unique(streets, return_inverse=True)[1]
        self.weeks = np.unique(weeks, return_inverse=True)[1]
        self.visits = np.flatnonzero(start >= 0).tolist()
        self.weight = 2 * instance.days * (len(self.visits) + 1) + 1  # more than any unevenness
        self.model = cp_model.CpModel()
        self.on: dict[tuple[int, int], cp_model.IntVar] = {}
        self._choose_days()
        self._state_objective()
        self.crews: list[list[int]] = [[] for _ in range(instance.visits)]
        for crew, visit in enumerate(instance.crew_visit.tolist()):
            self.crews[visit].append(crew)

    def _days(self, visit: int) -> list[int]:
        it = self.instance
        days: list[int] = it.visit_days[it.visit_indptr[visit] : it.visit_indptr[visit + 1]].tolist()
        return days

    def _choose_days(self) -> None:
        taken: dict[tuple[int, int], list[cp_model.IntVar]] = {}
        for visit in self.visits:
            for day in self._days(visit):
                self.on[visit, day] = self.model.new_bool_var(f"visit {visit} on {day}")
                taken.setdefault((int(self.instance.visit_group[visit]), day), []).append(self.on[visit, day])
            self.model.add_exactly_one(self.on[visit, day] for day in self._days(visit))
        for same in taken.values():
            if len(same) > 1:
                self.model.add_at_most_one(same)

    def _state_objective(self) -> None:
        there: dict[tuple[int, int], cp_model.IntVar] = {}
        for (visit, day), chosen in self.on.items():
            key = int(self.streets[visit]), day
            if key not in there:
                there[key] = self.model.new_bool_var(f"street {key[0]} on {day}")
            self.model.add_implication(chosen, there[key])
        gaps = []
        days = self.instance.days
        for week, length in enumerate(np.bincount(self.weeks).tolist()):
            count = sum(chosen for (_, day), chosen in self.on.items() if self.weeks[day] == week)
            gap = self.model.new_int_var(0, days * (len(self.visits) + 1), f"week {week}")
            self.model.add(gap >= count * days - len(self.visits) * length)
            self.model.add(gap >= len(self.visits) * length - count * days)
            gaps.append(gap)
        self.model.minimize(self.weight * sum(there.values()) + sum(gaps))

    def street_days(self, dates: Ints) -> int:
        return len({(int(self.streets[visit]), int(dates[visit])) for visit in self.visits})

    def unevenness(self, dates: Ints) -> int:
        visits = np.bincount(self.weeks[dates[self.visits]], minlength=int(self.weeks.max()) + 1)
        share = len(self.visits) * np.bincount(self.weeks)
        return int(np.abs(visits * self.instance.days - share).sum())

    def value(self, dates: Ints) -> int:
        return self.weight * self.street_days(dates) + self.unevenness(dates)

    def solve(self, hint: Ints, effort: float) -> tuple[Ints, int, float] | None:
        """Days, a lower bound of the value of any seatable days, and the effort spent; None without an answer."""
        self.model.clear_hints()  # type: ignore[no-untyped-call]
        for (visit, day), chosen in self.on.items():
            self.model.add_hint(chosen, bool(hint[visit] == day))
        solver = cp_model.CpSolver()
        solver.parameters.num_workers = 1
        solver.parameters.random_seed = SEED
        solver.parameters.max_deterministic_time = effort
        status = solver.solve(self.model)
        if status not in (cp_model.OPTIMAL, cp_model.FEASIBLE):
            return None
        dates = np.full(self.instance.visits, -1, dtype=np.int64)
        for (visit, day), chosen in self.on.items():
            if solver.boolean_value(chosen):
                dates[visit] = day
        bound = int(np.ceil(solver.best_objective_bound - 1e-6))
        return dates, bound, float(solver.response_proto.deterministic_time)

    def learn(self, violators: tuple[Violator, ...]) -> None:
        it = self.instance
        for violator in violators:
            counted = np.zeros((it.persons, it.days), dtype=np.bool_)
            counted[violator.booked_days[:, 0], violator.booked_days[:, 1]] = True
            counted[violator.booked_persons] = True
            capacity = int(
                it.daily[violator.booked_days[:, 0]].sum() + it.total[violator.booked_persons].sum()
            )
            usable = ~(it.absent | counted)
            terms = []
            for (visit, day), chosen in self.on.items():
                needs = sum(_left_empty(it, crew, usable[:, day]) for crew in self.crews[visit])
                if needs:
                    terms.append(needs * chosen)
            self.model.add(sum(terms) <= capacity)

    def repaired(self, dates: Ints) -> Ints:
        """The lottery with each dated visit's wished day first: seatable, and mostly near to the wishes."""
        it = self.instance
        rows: list[list[int]] = []
        for visit in range(it.visits):
            wish = int(dates[visit])
            rows.append([] if wish < 0 else [wish, *(day for day in self._days(visit) if day != wish)])
        wishes = replace(
            it,
            visit_indptr=np.cumsum([0, *(len(row) for row in rows)]),
            visit_days=np.array([day for row in rows for day in row], dtype=np.int64),
        )
        return lottery_dates(wishes)


def _left_empty(instance: Instance, crew: int, usable: Bools) -> int:
    """Seats of the crew that stay empty when only usable persons may sit (maximum matching by seats)."""
    rows = slice(int(instance.cand_indptr[crew]), int(instance.cand_indptr[crew + 1]))
    size = int(instance.crew_size[crew])
    masks = instance.cand_seats[rows][usable[instance.cand_person[rows]]]
    if int(np.count_nonzero(masks == instance.crew_full[crew])) >= size:
        return 0
    member = [-1] * size
    able = masks.tolist()

    def seat_one(candidate: int, tried: set[int]) -> bool:
        for seat in range(size):
            if able[candidate] >> seat & 1 and seat not in tried:
                tried.add(seat)
                if member[seat] < 0 or seat_one(member[seat], tried):
                    member[seat] = candidate
                    return True
        return False

    filled = 0
    for candidate in range(len(able)):
        if filled == size:
            break
        filled += seat_one(candidate, set())
    return size - filled
