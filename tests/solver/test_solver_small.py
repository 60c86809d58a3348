"""All rules at once against brute force: every legal plan of small random instances is enumerated."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import combinations, permutations, product

import numpy as np
import pytest

from dualrandom_solver import (
    Instance,
    NotOptimal,
    NotSeatable,
    Prices,
    is_unique,
    least_plan,
    least_prices,
    lottery_dates,
    replacements,
    solve,
)

SEEDS = range(600 if os.environ.get("DUALRANDOM_DEEP") == "1" else 60)


@cache
def instance_of(seed: int) -> Instance:
    """At most 4 visits, 5 crews, 6 people, 3 days; few cost values, so that ties occur."""
    rng = np.random.default_rng([seed, 2026])
    days, persons, visits = (int(rng.integers(1, top)) for top in (4, 7, 5))
    crews = int(rng.integers(1, 5))
    top = int(rng.choice([3, 12, 1 << 40]))
    acceptable = [
        rng.permutation(days)[: rng.integers(0 if visits > 2 else 1, days + 1)] for _ in range(visits)
    ]
    sizes = rng.choice([0, 1, 2, 2, 3], size=crews)
    person, cost, mask, rank, starts = [], [], [], [], [0]
    for size in sizes.tolist():
        who = rng.permutation(persons)[: rng.integers(0 if rng.random() < 0.1 else persons // 2, persons + 1)]
        kind = rng.random()
        full = (1 << size) - 1
        masks = rng.integers(0, full + 1, size=len(who)) if kind < 0.5 else np.full(len(who), full)
        if 0.5 <= kind < 0.8 and size > 1:
            masks = np.where(rng.random(len(who)) < 0.5, full, full & ~1)
        costs = rng.integers(0, top, size=len(who))
        order = np.lexsort((rng.random(len(who)), costs))
        ranks = np.empty(len(who), dtype=np.int64)
        ranks[order] = np.arange(len(who))
        person += who.tolist()
        cost += costs.tolist()
        mask += masks.tolist()
        rank += ranks.tolist()
        starts.append(len(person))
    return Instance(
        days=days,
        daily=rng.integers(0 if rng.random() < 0.1 else 1, 3, size=persons),
        total=rng.integers(0 if rng.random() < 0.1 else 1, 5, size=persons),
        absent=rng.random((persons, days)) < 0.15,
        visit_indptr=np.cumsum([0, *(len(row) for row in acceptable)]),
        visit_days=np.concatenate(acceptable),
        visit_group=rng.integers(0, visits, size=visits),
        crew_visit=rng.integers(0, visits, size=crews),
        seat_indptr=np.cumsum([0, *sizes.tolist()]),
        cand_indptr=np.array(starts),
        cand_person=np.array(person, dtype=np.int64),
        cand_cost=np.array(cost, dtype=np.int64),
        cand_seats=np.array(mask, dtype=np.uint64),
        cand_rank=np.array(rank, dtype=np.int64),
    )


@dataclass(frozen=True)
class Enumerated:
    """The definition of pairing.md §1, by enumeration and nothing else."""

    instance: Instance

    def crew_sets(self, crew: int, day: int) -> list[tuple[int, ...]]:
        """All sets of candidates, rising, that can fill the crew on the day."""
        it = self.instance
        rows = range(int(it.cand_indptr[crew]), int(it.cand_indptr[crew + 1]))
        able = [c for c in rows if not it.absent[it.cand_person[c], day]]
        size = int(it.crew_size[crew])
        return [chosen for chosen in combinations(able, size) if next(self.orders(chosen), None) is not None]

    def orders(self, chosen: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        for order in permutations(chosen):
            if all(int(self.instance.cand_seats[c]) >> seat & 1 for seat, c in enumerate(order)):
                yield order

    def canonical(self, chosen: tuple[int, ...]) -> tuple[int, ...]:
        return min(self.orders(chosen), key=lambda order: [int(self.instance.cand_rank[c]) for c in order])

    def loads(self, plan: dict[int, tuple[int, ...]], dates: list[int]) -> tuple[np.ndarray, np.ndarray]:
        it = self.instance
        by_day = np.zeros((it.persons, it.days), dtype=np.int64)
        for crew, chosen in plan.items():
            for cand in chosen:
                by_day[it.cand_person[cand], dates[it.crew_visit[crew]]] += 1
        return by_day, by_day.sum(axis=1)

    def legal(self, plan: dict[int, tuple[int, ...]], dates: list[int]) -> bool:
        by_day, by_period = self.loads(plan, dates)
        return bool(
            np.all(by_day <= self.instance.daily[:, None]) and np.all(by_period <= self.instance.total)
        )

    def plans(self, dates: list[int]) -> Iterator[dict[int, tuple[int, ...]]]:
        it = self.instance
        crews = [c for c in range(it.crews) if dates[it.crew_visit[c]] >= 0]
        choices = [self.crew_sets(c, dates[it.crew_visit[c]]) for c in crews]
        for sets in product(*choices):
            plan = dict(zip(crews, sets, strict=True))
            if self.legal(plan, dates):
                yield plan

    def cost(self, plan: dict[int, tuple[int, ...]]) -> int:
        return sum(int(self.instance.cand_cost[c]) for chosen in plan.values() for c in chosen)

    def lottery(self, kept: list[int] | None = None) -> list[int]:
        it = self.instance
        dates = kept or [-1] * it.visits
        for visit in range(it.visits):
            used = {d for v, d in enumerate(dates) if it.visit_group[v] == it.visit_group[visit]}
            if dates[visit] >= 0:
                continue
            for day in it.visit_days[it.visit_indptr[visit] : it.visit_indptr[visit + 1]].tolist():
                trial = [*dates[:visit], day, *dates[visit + 1 :]]
                if day not in used and next(self.plans(trial), None) is not None:
                    dates = trial
                    break
        return dates

    def prices(self, plan: dict[int, tuple[int, ...]], dates: list[int]) -> Prices | None:
        """Least prices by rounds; p can be replaced by q when the crew with q for p can be filled."""
        it = self.instance
        by_day, by_period = self.loads(plan, dates)
        arcs = []
        for crew, chosen in plan.items():
            day = dates[it.crew_visit[crew]]
            sets = set(self.crew_sets(crew, day))
            for p in chosen:
                for q in range(int(it.cand_indptr[crew]), int(it.cand_indptr[crew + 1])):
                    if q not in chosen and tuple(sorted({*chosen, q} - {p})) in sets:
                        gain = int(it.cand_cost[p] - it.cand_cost[q])
                        arcs.append((int(it.cand_person[p]), int(it.cand_person[q]), day, gain))
        value = np.zeros((it.persons, it.days), dtype=np.int64)
        period = np.zeros(it.persons, dtype=np.int64)
        for _ in range(value.size + period.size + 2):
            before = value.copy(), period.copy()
            for p, q, day, gain in arcs:
                value[q, day] = max(value[q, day], value[p, day] + gain)
            for person, day in product(range(it.persons), range(it.days)):
                if by_day[person, day] < it.daily[person]:
                    period[person] = max(period[person], value[person, day])
            value = np.maximum(value, period[:, None])
            if np.array_equal(before[0], value) and np.array_equal(before[1], period):
                if np.any(period[by_period < it.total] > 0):
                    return None
                return Prices(period, value - period[:, None])
        return None


def chosen_sets(instance: Instance, dates: np.ndarray, members: np.ndarray) -> dict[int, tuple[int, ...]]:
    rows = zip(instance.seat_indptr[:-1].tolist(), instance.seat_indptr[1:].tolist(), strict=True)
    return {
        crew: tuple(members[start:stop].tolist())
        for crew, (start, stop) in enumerate(rows)
        if dates[instance.crew_visit[crew]] >= 0
    }


def members_of(truth: Enumerated, plan: dict[int, tuple[int, ...]]) -> np.ndarray:
    members = np.full(truth.instance.seats, -1, dtype=np.int64)
    for crew, chosen in plan.items():
        start = truth.instance.seat_indptr[crew]
        members[start : start + len(chosen)] = truth.canonical(chosen)
    return members


@pytest.mark.parametrize("seed", SEEDS)
def test_dates_plan_prices_and_uniqueness_agree_with_enumeration(seed: int) -> None:
    instance = instance_of(seed)
    truth = Enumerated(instance)
    dates = lottery_dates(instance)
    assert dates.tolist() == truth.lottery()
    solution = solve(instance)
    plans = list(truth.plans(dates.tolist()))
    best = min(truth.cost(plan) for plan in plans)
    optimal = [plan for plan in plans if truth.cost(plan) == best]
    assert solution.plan.cost == best
    assert solution.unique == (len(optimal) == 1)
    found = chosen_sets(instance, dates, solution.plan.members)
    assert {crew: tuple(sorted(chosen)) for crew, chosen in found.items()} in optimal
    for chosen in found.values():
        assert chosen == truth.canonical(chosen)
    expected = truth.prices(found, dates.tolist())
    assert expected is not None
    assert np.array_equal(solution.prices.period, expected.period)
    assert np.array_equal(solution.prices.day, expected.day)


@pytest.mark.parametrize("seed", SEEDS)
def test_every_dearer_plan_is_refused_and_every_optimal_one_has_prices(seed: int) -> None:
    instance = instance_of(seed)
    truth = Enumerated(instance)
    dates = lottery_dates(instance)
    plans = list(truth.plans(dates.tolist()))
    best = min(truth.cost(plan) for plan in plans)
    step = max(1, len(plans) // 40)
    for plan in plans[::step]:
        members = members_of(truth, plan)
        if truth.cost(plan) > best:
            with pytest.raises(NotOptimal):
                least_prices(instance, dates, members)
        else:
            prices = least_prices(instance, dates, members)
            assert is_unique(instance, dates, members, prices) == (
                sum(truth.cost(p) == best for p in plans) == 1
            )


@pytest.mark.parametrize("seed", SEEDS)
def test_given_dates_are_seatable_exactly_when_a_plan_exists(seed: int) -> None:
    instance = instance_of(seed)
    truth = Enumerated(instance)
    rng = np.random.default_rng(seed)
    dates = rng.integers(-1, instance.days, size=instance.visits)
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
def test_replacements_are_the_legal_single_changes_cheapest_first(seed: int) -> None:
    instance = instance_of(seed)
    truth = Enumerated(instance)
    solution = solve(instance)
    days = solution.dates.tolist()
    plan = chosen_sets(instance, solution.dates, solution.plan.members)
    for crew, chosen in plan.items():
        day = days[instance.crew_visit[crew]]
        sets = truth.crew_sets(crew, day)
        for seat, leaving in enumerate(chosen):
            legal = []
            for newcomer in range(int(instance.cand_indptr[crew]), int(instance.cand_indptr[crew + 1])):
                changed = tuple(sorted({*chosen, newcomer} - {leaving}))
                others_full = truth.loads({c: s for c, s in plan.items() if c != crew}, days)
                person = instance.cand_person[newcomer]
                if newcomer in chosen or changed not in sets:
                    continue
                if (
                    others_full[0][person, day] < instance.daily[person]
                    and others_full[1][person] < instance.total[person]
                ):
                    price = solution.prices.period[person] + solution.prices.day[person, day]
                    legal.append(
                        (
                            int(instance.cand_cost[newcomer] + price),
                            int(instance.cand_rank[newcomer]),
                            newcomer,
                        )
                    )
            answer = replacements(
                instance, solution.dates, solution.plan.members, solution.prices, crew, seat
            )
            assert answer.tolist() == [newcomer for _, _, newcomer in sorted(legal)]
