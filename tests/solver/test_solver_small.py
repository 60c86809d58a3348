"""All rules at once against enumeration: every legal plan of small random instances is looked at."""

from __future__ import annotations

import os
from dataclasses import replace
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualrandom_solver import (
    Instance,
    NotOptimal,
    NotSeatable,
    is_unique,
    least_plan,
    least_prices,
    lottery_dates,
    replacements,
    seat_members,
    solve,
)

SEEDS = range(600 if os.environ.get("DUALRANDOM_DEEP") == "1" else 60)
Crews = dict[int, tuple[int, ...]]


@pytest.mark.parametrize("seed", SEEDS)
def test_dates_plan_prices_and_uniqueness_agree_with_enumeration(seed: int, enumeration: ModuleType) -> None:
    instance = enumeration.instance_of(seed)
    truth = enumeration.Enumerated(instance)
    solution = solve(instance)
    dates = solution.dates.tolist()
    assert dates == truth.lottery()
    plans = list(truth.plans(dates))
    best = min(truth.cost(plan) for plan in plans)
    optimal = [plan for plan in plans if truth.cost(plan) == best]
    assert solution.plan.cost == best
    assert solution.unique == (len(optimal) == 1)
    found = enumeration.chosen_sets(instance, solution.dates, solution.plan.members)
    assert {crew: tuple(sorted(chosen)) for crew, chosen in found.items()} in optimal
    for chosen in found.values():
        assert chosen == truth.canonical(chosen)
    expected = truth.prices(found, dates)
    assert np.array_equal(solution.prices.period, expected.period)
    assert np.array_equal(solution.prices.day, expected.day)


@pytest.mark.parametrize("seed", SEEDS)
def test_dearer_plans_are_refused_and_optimal_ones_share_one_set_of_prices(
    seed: int, enumeration: ModuleType
) -> None:
    instance = enumeration.instance_of(seed)
    truth = enumeration.Enumerated(instance)
    solution = solve(instance)
    dates = solution.dates
    plans = list(truth.plans(dates.tolist()))
    for plan in plans[:: max(1, len(plans) // 40)]:
        members = enumeration.members_of(truth, plan)
        if truth.cost(plan) > solution.plan.cost:
            with pytest.raises(NotOptimal):
                least_prices(instance, dates, members)
        else:
            prices = least_prices(instance, dates, members)
            assert np.array_equal(prices.period, solution.prices.period)
            assert np.array_equal(prices.day, solution.prices.day)
            assert is_unique(instance, dates, members, prices) == solution.unique


@pytest.mark.parametrize("seed", SEEDS)
def test_given_dates_are_seatable_exactly_when_a_plan_exists(seed: int, enumeration: ModuleType) -> None:
    instance = enumeration.instance_of(seed)
    truth = enumeration.Enumerated(instance)
    dates = np.random.default_rng(seed).integers(-1, instance.days, size=instance.visits)
    plans = [truth.cost(plan) for plan in truth.plans(dates.tolist())]
    if plans:
        assert least_plan(instance, dates).cost == min(plans)
        assert lottery_dates(instance, fixed=dates).tolist() == truth.lottery(dates.tolist())
    else:
        with pytest.raises(NotSeatable):
            least_plan(instance, dates)
        with pytest.raises(NotSeatable):
            lottery_dates(instance, fixed=dates)


@pytest.mark.parametrize("seed", SEEDS)
def test_the_length_of_the_short_list_changes_nothing(
    seed: int, enumeration: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance = enumeration.instance_of(seed)
    expected = solve(instance)
    monkeypatch.setattr("dualrandom_solver.plan.SHORTLIST", 1)
    found = solve(instance)
    assert found.plan.cost == expected.plan.cost
    if expected.unique:
        assert np.array_equal(found.plan.members, expected.plan.members)


@pytest.mark.parametrize("seed", SEEDS)
def test_replacements_are_the_legal_single_changes_cheapest_first(seed: int, enumeration: ModuleType) -> None:
    instance = enumeration.instance_of(seed)
    truth = enumeration.Enumerated(instance)
    solution = solve(instance)
    days = solution.dates.tolist()
    plan: Crews = enumeration.chosen_sets(instance, solution.dates, solution.plan.members)
    for crew, chosen in plan.items():
        day = days[instance.crew_visit[crew]]
        sets = truth.crew_sets(crew, day)
        by_day, by_period = truth.loads({other: plan[other] for other in plan if other != crew}, days)
        for seat, leaving in enumerate(chosen):
            legal = []
            for newcomer in range(int(instance.cand_indptr[crew]), int(instance.cand_indptr[crew + 1])):
                person = int(instance.cand_person[newcomer])
                if newcomer in chosen or tuple(sorted({*chosen, newcomer} - {leaving})) not in sets:
                    continue
                if (
                    by_day[person, day] < instance.daily[person]
                    and by_period[person] < instance.total[person]
                ):
                    price = solution.prices.period[person] + solution.prices.day[person, day]
                    adjusted = int(instance.cand_cost[newcomer] + price)
                    legal.append((adjusted, int(instance.cand_rank[newcomer]), newcomer))
            answer = replacements(
                instance, solution.dates, solution.plan.members, solution.prices, crew, seat
            )
            assert answer.tolist() == [newcomer for _, _, newcomer in sorted(legal)]


@pytest.mark.parametrize("seed", SEEDS)
def test_large_crews_are_seated_like_small_ones(seed: int, enumeration: ModuleType) -> None:
    rng = np.random.default_rng([seed, 7])
    size = int(rng.integers(5, 7))
    order = rng.permutation(size)
    masks = rng.integers(0, 1 << size, size=size) | (1 << order)  # member m can take at least seat order[m]
    instance = Instance(
        days=1,
        daily=np.ones(size, dtype=np.int64),
        total=np.ones(size, dtype=np.int64),
        absent=np.zeros((size, 1), dtype=np.bool_),
        visit_indptr=np.array([0, 1]),
        visit_days=np.array([0]),
        visit_group=np.array([0]),
        crew_visit=np.array([0]),
        seat_indptr=np.array([0, size]),
        cand_indptr=np.array([0, size]),
        cand_person=np.arange(size),
        cand_cost=np.zeros(size, dtype=np.int64),
        cand_seats=masks.astype(np.uint64),
        cand_rank=rng.permutation(size),
    )
    seated = seat_members(instance, np.array([0]), np.arange(size))
    assert tuple(seated.tolist()) == enumeration.Enumerated(instance).canonical(tuple(range(size)))


def relabelled(instance: Instance, seed: int) -> tuple[Instance, np.ndarray, np.ndarray]:
    """The same instance with persons and candidates in another order; new number of each of them."""
    rng = np.random.default_rng(seed)
    person = rng.permutation(instance.persons)
    place = np.argsort(person)
    order = np.concatenate(
        [
            start + rng.permutation(stop - start)
            for start, stop in zip(instance.cand_indptr[:-1], instance.cand_indptr[1:], strict=True)
        ]
        or [np.empty(0, dtype=np.int64)]
    )
    other = replace(
        instance,
        daily=instance.daily[place],
        total=instance.total[place],
        absent=instance.absent[place],
        cand_person=person[instance.cand_person[order]],
        cand_cost=instance.cand_cost[order],
        cand_seats=instance.cand_seats[order],
        cand_rank=instance.cand_rank[order],
    )
    return other, person, order


@given(seed=st.integers(0, 10**6), shuffle=st.integers(0, 10**6), large=st.booleans())
def test_the_order_of_persons_and_candidates_changes_nothing(
    seed: int, shuffle: int, large: bool, enumeration: ModuleType, instances: ModuleType
) -> None:
    instance = enumeration.instance_of(seed)
    if large:
        instance = instances.synthetic(
            30, pairs_per_crew=12, days=4, departments=2, districts=2, utilisation=0.9, seed=seed
        )
    expected = solve(instance)
    other, person, order = relabelled(instance, shuffle)
    found = solve(other)
    assert np.array_equal(found.dates, expected.dates)
    assert found.plan.cost == expected.plan.cost
    assert found.unique == expected.unique
    assert np.array_equal(found.prices.period[person], expected.prices.period)
    assert np.array_equal(found.prices.day[person], expected.prices.day)
    if expected.unique:
        filled = found.plan.members >= 0
        assert np.array_equal(order[found.plan.members[filled]], expected.plan.members[filled])
