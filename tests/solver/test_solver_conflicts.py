"""Who is short of whom, which rules cause it, and dates by optimisation."""

from __future__ import annotations

import os
from dataclasses import replace
from itertools import product
from types import ModuleType

import numpy as np
import pytest

from dualrandom_solver import (
    Instance,
    InvalidInstance,
    InvalidPlan,
    NotSeatable,
    Rule,
    hall_violators,
    least_plan,
    lottery_dates,
    minimal_conflict,
    why_undated,
)
from dualrandom_solver.optimise import optimise_dates

SEEDS = range(600 if os.environ.get("DUALRANDOM_DEEP") == "1" else 60)


def crews_of(needs: list[int], able: list[list[int]], persons: int, total: int = 1) -> Instance:
    """One visit a crew, all on the only day; equal seats; ``able`` lists who may sit in each crew."""
    length = [len(row) for row in able]
    return Instance(
        days=1,
        daily=np.full(persons, 9),
        total=np.full(persons, total),
        absent=np.zeros((persons, 1), dtype=np.bool_),
        visit_indptr=np.arange(len(needs) + 1),
        visit_days=np.zeros(len(needs), dtype=np.int64),
        visit_group=np.arange(len(needs)),
        crew_visit=np.arange(len(needs)),
        seat_indptr=np.cumsum([0, *needs]),
        cand_indptr=np.cumsum([0, *length]),
        cand_person=np.array([person for row in able for person in row], dtype=np.int64),
        cand_cost=np.arange(sum(length)),
        cand_seats=np.repeat([(1 << need) - 1 for need in needs], length).astype(np.uint64),
        cand_rank=np.arange(sum(length)),
    )


def most_filled(instance: Instance, dates: np.ndarray, seats: list[int]) -> int:
    """Greatest number of the seats that can be filled, by trying everything."""
    used: set[int] = set()
    days: dict[tuple[int, int], int] = {}
    periods: dict[int, int] = {}

    def fill(at: int) -> int:
        if at == len(seats):
            return 0
        best = fill(at + 1)
        crew = int(instance.seat_crew[seats[at]])
        place = seats[at] - int(instance.seat_indptr[crew])
        day = int(dates[instance.crew_visit[crew]])
        for cand in range(int(instance.cand_indptr[crew]), int(instance.cand_indptr[crew + 1])):
            if best == len(seats) - at:
                break
            person = int(instance.cand_person[cand])
            today, overall = days.get((person, day), 0), periods.get(person, 0)
            fits = cand not in used and int(instance.cand_seats[cand]) >> place & 1
            if not fits or instance.absent[person, day]:
                continue
            if today < instance.daily[person] and overall < instance.total[person]:
                used.add(cand)
                days[person, day], periods[person] = today + 1, overall + 1
                best = max(best, 1 + fill(at + 1))
                used.discard(cand)
                days[person, day], periods[person] = today, overall
        return best

    return fill(0)


@pytest.mark.parametrize("seed", SEEDS)
def test_violators_add_up_to_the_seats_that_must_stay_empty(seed: int, enumeration: ModuleType) -> None:
    instance = enumeration.instance_of(seed)
    dates = np.random.default_rng(seed).integers(0, instance.days, size=instance.visits)
    dates[instance.visits // 2 :] *= np.random.default_rng(seed).integers(0, 2) * 2 - 1
    dates = np.maximum(dates, -1)
    seats = np.flatnonzero(dates[instance.crew_visit][instance.seat_crew] >= 0).tolist()
    found = hall_violators(instance, dates)
    assert sum(violator.short for violator in found) == len(seats) - most_filled(instance, dates, seats)
    named = [seat for violator in found for seat in violator.seats.tolist()]
    assert len(named) == len(set(named))
    for violator in found:
        assert violator.short > 0
        assert violator.capacity == most_filled(instance, dates, violator.seats.tolist())


def test_each_shortage_is_reported_by_itself_with_its_people() -> None:
    instance = crews_of([2, 1, 2, 1], [[0, 1], [1], [2, 3, 4], [4]], persons=5)
    first, *rest = hall_violators(instance, np.zeros(4, dtype=np.int64))
    assert not rest
    assert first.seats.tolist() == [0, 1, 2]
    assert first.persons.tolist() == [0, 1]
    assert first.booked_persons.tolist() == [1]  # person 0 counts once, in the only crew open to them
    assert (first.capacity, first.short) == (2, 1)
    apart = crews_of([2, 2], [[0], [1]], persons=2)
    assert [violator.crews.tolist() for violator in hall_violators(apart, np.zeros(2, dtype=np.int64))] == [
        [0],
        [1],
    ]


def test_crews_without_anybody_are_reported_together() -> None:
    instance = crews_of([2, 1, 1], [[], [0], []], persons=1)
    (violator,) = hall_violators(instance, np.zeros(3, dtype=np.int64))
    assert violator.crews.tolist() == [0, 2]
    assert violator.persons.tolist() == []
    assert (violator.capacity, violator.short) == (0, 3)


@pytest.mark.parametrize("seed", SEEDS)
def test_violators_of_undated_visits_mean_that_no_days_can_help(seed: int, enumeration: ModuleType) -> None:
    instance = enumeration.instance_of(seed)
    truth = enumeration.Enumerated(instance)
    indptr = instance.visit_indptr
    choices = [instance.visit_days[indptr[v] : indptr[v + 1]].tolist() for v in range(instance.visits)]
    everything = np.full(instance.visits, -1)
    seatable = any(next(truth.plans(list(days)), None) is not None for days in product(*choices))
    if hall_violators(instance, everything, range(instance.visits)):
        assert not seatable
    if all(len(days) == 1 for days in choices):
        assert seatable == (not hall_violators(instance, everything, range(instance.visits)))


@pytest.mark.parametrize("seed", SEEDS)
def test_every_refused_day_has_a_reason(seed: int, enumeration: ModuleType) -> None:
    instance = enumeration.instance_of(seed)
    dates = lottery_dates(instance)
    for visit in range(instance.visits):
        if dates[visit] >= 0:
            with pytest.raises(InvalidPlan):
                why_undated(instance, dates, visit)
            continue
        same = instance.visit_group[:visit] == instance.visit_group[visit]
        taken = set(dates[:visit][same].tolist())
        reasons = why_undated(instance, dates, visit)
        start, stop = instance.visit_indptr[visit], instance.visit_indptr[visit + 1]
        assert [day for day, _ in reasons] == instance.visit_days[start:stop].tolist()
        assert all(violators or day in taken for day, violators in reasons)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_minimal_conflict_needs_each_of_its_rules(seed: int, enumeration: ModuleType) -> None:
    instance = enumeration.instance_of(seed)
    rng = np.random.default_rng([seed, 11])
    dates = rng.integers(0, instance.days, size=instance.visits)
    pairs = len(instance.cand_person)
    rules = [
        Rule(forbids=np.where(rng.random(pairs) < 0.3, instance.cand_seats, np.uint64(0))),
        Rule(total=rng.integers(0, 3, size=instance.persons)),
        Rule(forbids=instance.cand_seats & rng.integers(0, 4, size=pairs).astype(np.uint64)),
        Rule(daily=np.ones(instance.persons, dtype=np.int64)),
        Rule(absent=rng.random((instance.persons, instance.days)) < 0.2),
    ]

    def seatable(kept: list[int]) -> bool:
        seats, daily, total = instance.cand_seats, instance.daily, instance.total
        absent = instance.absent
        for rule in (rules[index] for index in kept):
            seats = seats if rule.forbids is None else seats & ~rule.forbids
            daily = daily if rule.daily is None else np.minimum(daily, rule.daily)
            total = total if rule.total is None else np.minimum(total, rule.total)
            absent = absent if rule.absent is None else absent | rule.absent
        try:
            least_plan(replace(instance, cand_seats=seats, daily=daily, total=total, absent=absent), dates)
        except NotSeatable:
            return False
        return True

    conflict = minimal_conflict(instance, rules, dates)
    if conflict is None:
        assert seatable(list(range(len(rules))))
        return
    assert not seatable(list(conflict))
    for index in conflict:
        assert seatable([other for other in conflict if other != index])


def small_town(instances: ModuleType, seed: int) -> Instance:
    made = instances.synthetic(
        12, pairs_per_crew=6, days=4, daily=1, utilisation=0.8, departments=2, districts=1, seed=seed
    )
    assert isinstance(made, Instance)
    return made


@pytest.mark.parametrize("seed", range(30 if os.environ.get("DUALRANDOM_DEEP") == "1" else 3))
def test_optimised_dates_are_seatable_and_best_when_proven(seed: int, instances: ModuleType) -> None:
    instance = small_town(instances, seed)
    streets = np.arange(instance.visits) % 3
    weeks = np.array([0, 0, 1, 1])
    lottery = lottery_dates(instance)
    answer = optimise_dates(instance, streets, weeks, effort=1.0)
    assert np.array_equal(answer.dates >= 0, lottery >= 0)
    least_plan(instance, answer.dates)

    def street_days(dates: np.ndarray) -> int:
        return len({(int(streets[v]), int(dates[v])) for v in range(instance.visits) if dates[v] >= 0})

    def unevenness(dates: np.ndarray) -> int:
        return int(
            np.abs(np.bincount(dates[dates >= 0] // 2, minlength=2) * 4 - 2 * (dates >= 0).sum()).sum()
        )

    assert answer.street_days == street_days(answer.dates) <= street_days(lottery)
    assert answer.unevenness == unevenness(answer.dates)
    if answer.proven:
        dated = np.flatnonzero(lottery >= 0)
        for days in product(range(instance.days), repeat=len(dated)):
            other = np.full(instance.visits, -1)
            other[dated] = days
            if (street_days(other), unevenness(other)) < (answer.street_days, answer.unevenness):
                with pytest.raises(NotSeatable):
                    least_plan(instance, other)


def test_optimised_dates_are_the_same_when_computed_again(instances: ModuleType) -> None:
    instance = small_town(instances, 5)
    streets, weeks = np.arange(instance.visits) % 2, np.array([0, 0, 1, 1])
    first = optimise_dates(instance, streets, weeks, effort=0.2)
    again = optimise_dates(instance, streets, weeks, effort=0.2)
    assert np.array_equal(first.dates, again.dates)


def test_too_many_visits_or_labels_of_another_length_are_refused(instances: ModuleType) -> None:
    many = instances.synthetic(240, pairs_per_crew=6, days=4, departments=2, districts=1)
    with pytest.raises(InvalidInstance, match="120 visits"):
        optimise_dates(many, np.zeros(many.visits, dtype=np.int64), np.zeros(4, dtype=np.int64))
    few = small_town(instances, 1)
    with pytest.raises(InvalidInstance, match="label"):
        optimise_dates(few, np.zeros(1, dtype=np.int64), np.zeros(4, dtype=np.int64))


def test_an_optimiser_given_dates_starts_from_them(instances: ModuleType) -> None:
    instance = small_town(instances, 2)
    streets, weeks = np.zeros(instance.visits, dtype=np.int64), np.array([0, 0, 1, 1])
    start = lottery_dates(instance)
    start[np.flatnonzero(start >= 0)[0]] = -1  # undated visits stay so, even where a day is open
    answer = optimise_dates(instance, streets, weeks, effort=0.1, start=start)
    assert np.array_equal(answer.dates >= 0, start >= 0)
    least_plan(instance, answer.dates)
    only = replace(
        instance, visit_indptr=np.arange(instance.visits + 1), visit_days=np.maximum(start, 0)
    )  # one day each: nothing to choose
    assert optimise_dates(only, streets, weeks, start=start).dates.tolist() == start.tolist()


def test_an_optimiser_refuses_dates_that_cannot_stand(instances: ModuleType) -> None:
    instance = small_town(instances, 2)
    streets, weeks = np.zeros(instance.visits, dtype=np.int64), np.array([0, 0, 1, 1])
    with pytest.raises(NotSeatable):
        optimise_dates(instance, streets, weeks, start=np.zeros(instance.visits, dtype=np.int64))
    with pytest.raises(InvalidPlan, match="acceptable"):
        optimise_dates(instance, streets, weeks, start=np.full(instance.visits, 4))
    one_firm = replace(instance, visit_group=np.zeros(instance.visits, dtype=np.int64))
    with pytest.raises(InvalidPlan, match="same day"):
        optimise_dates(one_firm, streets, weeks, start=np.zeros(instance.visits, dtype=np.int64))
