"""Small random instances, and the definition of the pairing by enumeration and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations, permutations, product

import numpy as np

from dualrandom_solver import Instance, Prices


def instance_of(seed: int) -> Instance:
    """At most 4 visits, 4 crews, 6 people, 3 days; often few cost values, so that ties occur."""
    rng = np.random.default_rng([seed, 2026])
    loose = rng.random() < 0.6
    days, visits = int(rng.integers(1, 4)), int(rng.integers(1, 5))
    persons = int(rng.integers(4 if loose else 1, 7))
    sizes = rng.choice([1, 1, 2, 2, 3] if loose else [0, 1, 2, 2, 3], size=rng.integers(1, 5)).tolist()
    few_days = 1 if loose else 0
    acceptable = [rng.permutation(days)[: rng.integers(few_days, days + 1)] for _ in range(visits)]
    top = int(rng.choice([3, 12, 1 << 40]))
    person, cost, mask, rank, starts = [], [], [], [], [0]
    for size in sizes:
        who = rng.permutation(persons)[: rng.integers(persons - 1 if loose else 0, persons + 1)]
        full = (1 << size) - 1
        masks = rng.choice([full, full, full & ~1, int(rng.integers(0, full + 1))], size=len(who))
        costs = rng.integers(0, top, size=len(who))
        ranks = np.empty(len(who), dtype=np.int64)
        ranks[np.lexsort((rng.random(len(who)), costs))] = np.arange(len(who))
        person += who.tolist()
        cost += costs.tolist()
        mask += masks.tolist()
        rank += ranks.tolist()
        starts.append(len(person))
    return Instance(
        days=days,
        daily=rng.integers(0 if rng.random() < 0.1 else 1, 3, size=persons),
        total=rng.integers(0 if rng.random() < 0.1 else 1, 4, size=persons),
        absent=rng.random((persons, days)) < 0.1,
        visit_indptr=np.cumsum([0, *(len(row) for row in acceptable)]),
        visit_days=np.concatenate(acceptable),
        visit_group=rng.integers(0, visits, size=visits),
        crew_visit=rng.integers(0, visits, size=len(sizes)),
        seat_indptr=np.cumsum([0, *sizes]),
        cand_indptr=np.array(starts),
        cand_person=np.array(person, dtype=np.int64),
        cand_cost=np.array(cost, dtype=np.int64),
        cand_seats=np.array(mask, dtype=np.uint64),
        cand_rank=np.array(rank, dtype=np.int64),
    )


@dataclass(frozen=True)
class Enumerated:
    """The definition of docs/protocol.md §8, by enumeration and nothing else."""

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
