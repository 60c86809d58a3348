"""Instances of some hundred crews: totals of other solvers, dates by other flows, prices as a proof."""

from __future__ import annotations

import os
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.sparse.csgraph import maximum_flow

from dualrandom_solver import (
    Instance,
    NotOptimal,
    Solution,
    is_unique,
    least_prices,
    lottery_dates,
    replacements,
    seat_members,
    solve,
)

DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
SEEDS = range(60 if DEEP else 4)


def month(instances: ModuleType, seed: int) -> Instance:
    """A few departments and districts; slack, tight and impossible months in turn."""
    made = instances.synthetic(
        120,
        pairs_per_crew=14,
        days=8,
        daily=1 + seed % 2,
        utilisation=(0.7, 0.95, 1.1)[seed % 3],
        departments=3,
        districts=2,
        seed=seed,
    )
    assert isinstance(made, Instance)
    return made


@pytest.mark.parametrize("seed", SEEDS)
def test_the_total_is_that_of_the_linear_programme(
    seed: int, instances: ModuleType, rivals: ModuleType
) -> None:
    instance = month(instances, seed)
    solution = solve(instance)
    assert rivals.highs(instance, solution.dates) == (solution.plan.cost, "")


@pytest.mark.parametrize("seed", range(50 if DEEP else 1))
def test_the_total_is_that_of_the_constraint_model(
    seed: int, instances: ModuleType, rivals: ModuleType
) -> None:
    instance = instances.synthetic(
        24, pairs_per_crew=10, days=4, utilisation=0.9, departments=2, districts=1, seed=seed
    )
    solution = solve(instance)
    assert rivals.cp_sat(instance, solution.dates, limit=None) == (solution.plan.cost, "")


def fills_all(instance: Instance, dates: np.ndarray, rivals: ModuleType) -> bool:
    """Whether a maximum flow of scipy fills all seats of the dated visits."""
    demand = int(instance.crew_size[dates[instance.crew_visit] >= 0].sum())
    if demand == 0:
        return True
    rows = rivals.table(instance, dates)
    seat = 2
    cand = seat + instance.seats
    slot = cand + len(instance.cand_person)
    person = slot + instance.persons * instance.days
    dated = np.flatnonzero(dates[instance.crew_visit][instance.seat_crew] >= 0)
    cands, first = np.unique(rows.cand, return_index=True)
    slots = np.unique(rows.slot)
    arcs = [
        (np.zeros(len(dated)), seat + dated, np.ones(len(dated))),
        (seat + rows.seat, cand + rows.cand, np.ones(len(rows.seat))),
        (cand + cands, slot + rows.slot[first], np.ones(len(cands))),
        (slot + slots, person + slots // instance.days, instance.daily[slots // instance.days]),
        (person + np.arange(instance.persons), np.ones(instance.persons), instance.total),
    ]
    tail, head, capacity = (np.concatenate(part).astype(np.int32) for part in zip(*arcs, strict=True))
    nodes = person + instance.persons
    graph = csr_array((capacity, (tail, head)), shape=(nodes, nodes), dtype=np.int32)
    return int(maximum_flow(graph, 0, 1).flow_value) == demand


@pytest.mark.parametrize("seed", range(60 if DEEP else 3))
def test_dates_are_those_of_trying_every_day_with_a_new_flow(
    seed: int, instances: ModuleType, rivals: ModuleType
) -> None:
    instance = instances.synthetic(
        (60, 40, 90)[seed % 3],
        pairs_per_crew=(7, 12, 9)[seed % 3],
        days=5,
        daily=1 + seed % 2,
        utilisation=(1.3, 1.15, 0.3)[seed % 3],
        presence=0.7,
        departments=2,
        districts=1 + seed % 2,
        seed=seed,
    )
    expected = np.full(instance.visits, -1)
    refused = 0
    for visit in range(instance.visits):
        for day in instance.visit_days[instance.visit_indptr[visit] : instance.visit_indptr[visit + 1]]:
            expected[visit] = day
            if fills_all(instance, expected, rivals):
                break
            expected[visit] = -1
            refused += 1
    assert refused
    assert lottery_dates(instance).tolist() == expected.tolist()


def cheapest_crew(instance: Instance, crew: int, day: int, adjusted: np.ndarray) -> int:
    """Sum of the cheapest crew: candidates by adjusted cost, each kept whom the seats still admit."""
    rows = range(int(instance.cand_indptr[crew]), int(instance.cand_indptr[crew + 1]))
    able = [c for c in rows if not instance.absent[instance.cand_person[c], day]]
    holder: dict[int, int] = {}

    def admitted(candidate: int, tried: set[int]) -> bool:
        for seat in range(int(instance.crew_size[crew])):
            if int(instance.cand_seats[candidate]) >> seat & 1 and seat not in tried:
                tried.add(seat)
                if seat not in holder or admitted(holder[seat], tried):
                    holder[seat] = candidate
                    return True
        return False

    return sum(int(adjusted[c]) for c in sorted(able, key=lambda c: int(adjusted[c])) if admitted(c, set()))


def proven_total(instance: Instance, solution: Solution) -> int:
    """A lower bound of all plans' totals, from the prices alone."""
    period, by_day = solution.prices.period, solution.prices.day
    assert period.min() >= 0
    assert by_day.min() >= 0
    bound = -int((instance.total * period).sum()) - int((instance.daily[:, None] * by_day).sum())
    for crew in range(instance.crews):
        day = int(solution.dates[instance.crew_visit[crew]])
        if day >= 0:
            person = instance.cand_person
            adjusted = instance.cand_cost + period[person] + by_day[person, day]
            bound += cheapest_crew(instance, crew, day, adjusted)
    return bound


@pytest.mark.parametrize("seed", SEEDS)
def test_prices_prove_the_total_without_a_solver(seed: int, instances: ModuleType) -> None:
    instance = month(instances, seed)
    solution = solve(instance)
    assert proven_total(instance, solution) == solution.plan.cost


@pytest.mark.parametrize("name", ["preflib1", "preflib3", "aamas2015", "n030w4"])
def test_public_instances_are_solved_and_agree_with_the_linear_programme(
    name: str, data: Path, instances: ModuleType, rivals: ModuleType
) -> None:
    if name == "n030w4":
        instance = instances.read_roster(data / "inrc2" / name)
        assert (instance.days, instance.persons) == (28, 30)
    else:
        instance = instances.read_similarities(data / "assignment" / f"{name}.in")
    solution = solve(instance)
    assert np.all(solution.dates >= 0)
    assert solution.unique
    assert proven_total(instance, solution) == solution.plan.cost
    if DEEP or instance.crews < 600:
        assert rivals.highs(instance, solution.dates) == (solution.plan.cost, "")


def changed(instance: Instance, solution: Solution, crew: int, seat: int, newcomer: int) -> np.ndarray:
    """Members after the newcomer took the place of the seat's occupant."""
    first = int(instance.seat_indptr[crew])
    stop = int(instance.seat_indptr[crew + 1])
    members = solution.plan.members.copy()
    members[first + seat] = newcomer
    members[first:stop] = seat_members(instance, np.array([crew]), members[first:stop])
    return members


@pytest.mark.parametrize("seed", SEEDS)
def test_every_legal_single_change_costs_as_much_or_more_and_is_refused(
    seed: int, instances: ModuleType
) -> None:
    instance = month(instances, seed)
    solution = solve(instance)
    dates, plan, prices = solution.dates, solution.plan, solution.prices
    assert is_unique(instance, dates, plan.members, prices)
    tried = 0
    for crew in np.flatnonzero(dates[instance.crew_visit] >= 0)[:: 1 if DEEP else 12].tolist():
        for seat in range(int(instance.crew_size[crew])):
            for newcomer in replacements(instance, dates, plan.members, prices, crew, seat)[:2].tolist():
                members = changed(instance, solution, crew, seat, newcomer)
                cost = int(instance.cand_cost[members[members >= 0]].sum())
                assert cost > plan.cost
                tried += 1
                with pytest.raises(NotOptimal):
                    least_prices(instance, dates, members)
    assert tried
