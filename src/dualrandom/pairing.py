"""The second random: dates, crews, prices (docs/protocol.md §8), by way of ``dualrandom_solver``.

This module turns visits and the roster into the solver's arrays and its answer back into people and dates.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any

import numpy as np
import numpy.typing as npt

import dualrandom_solver as solver
from dualrandom.crews import Barring, Crew, Eligibility, Rules
from dualrandom.frame import Frozen
from dualrandom.progress import Progress, silent
from dualrandom.ticket import COST_BITS, Tickets
from dualrandom.visits import Visit

Ints = npt.NDArray[np.int64]
TICKET_WORDS = 4


@dataclass(frozen=True)
class Attempt:
    """One optimal plan: per crew (order of ``Pairing.crews``) the roster positions in seat order, and its least prices."""

    seats: tuple[tuple[int, ...], ...]
    period: Ints
    day: Ints
    cost: int
    unique: bool


@dataclass(frozen=True)
class Pairing:
    """Dates and crews of all visits.

    ``dates``: per visit an index into ``days`` or None. ``barred``: per crew the roster positions that could take a seat but for
    a recusal or a bar. ``attempts``: the tied ones, then the unique plan.
    """

    days: tuple[str, ...]
    dates: tuple[int | None, ...]
    crews: tuple[Crew, ...]
    barred: tuple[tuple[int, ...], ...]
    attempts: tuple[Attempt, ...]
    relief: tuple[Mapping[str, Any], ...]
    rules: Rules
    instance: solver.Instance
    """What the solver was given (attempt 0), under ``rules``."""
    order: tuple[int, ...]
    """Numbers of the visits in lottery order, in which the instance counts them."""


def pair(
    announcement: Mapping[str, Any],
    frozen: Frozen,
    visits: Sequence[Visit],
    tickets: Tickets,
    progress: Progress = silent,
) -> Pairing:
    """Date all visits by lottery and fill their crews with the least-ticket plan."""
    days = tuple(announcement["days"])
    eligibility = Eligibility(frozen, announcement)
    rules = Rules(cross_district=announcement["policy"]["cross_district"])
    barring = Barring(frozen, visits, tickets)
    order = _lottery_order(frozen, visits, tickets)
    progress("抽取检查日期", "drawing dates")
    ladder = list(announcement["policy"]["relief"])
    used: list[Mapping[str, Any]] = []
    dates: Ints | None = None
    while True:
        crews = eligibility.crews(visits, rules)
        barring.extend(crews)
        barred = _kept_out(frozen, visits, crews, barring)
        problem = _Problem(frozen, visits, crews, barred, rules, days, order, tickets)
        instance = problem.instance("pair")
        dates = solver.lottery_dates(instance, dates)
        if not ladder or not np.any(dates < 0):
            break
        used.append(ladder.pop(0))
        rules = rules.relaxed(used[-1])
    if announcement["policy"]["calendar"] == "optimise":
        progress("优化检查日期", "optimising dates")
        dates = _optimised(frozen, visits, order, days, instance, dates)
    progress("配对检查人员", "pairing inspectors")
    attempts = [problem.attempt(instance, dates)]
    while not attempts[-1].unique:
        attempts.append(problem.attempt(problem.instance(f"pair.{len(attempts)}"), dates))
    undated: list[int | None] = [None] * len(visits)
    for visit, day in zip(order, dates.tolist(), strict=True):
        undated[visit] = day if day >= 0 else None
    return Pairing(
        days=days,
        dates=tuple(undated),
        crews=crews,
        barred=barred,
        attempts=tuple(attempts),
        relief=tuple(used),
        rules=rules,
        instance=instance,
        order=tuple(order),
    )


def _optimised(
    frozen: Frozen,
    visits: Sequence[Visit],
    order: Sequence[int],
    days: Sequence[str],
    instance: solver.Instance,
    dates: Ints,
) -> Ints:
    """Improve the lottery's dates district by district: a street's visits on one day, even weeks.

    A district with more visits than the solver takes keeps the lottery's dates. Everything outside the district that is being improved
    stays where it is: its visits are offered their own day only.
    """
    # imported here: CP-SAT takes longer to load than most draws
    from dualrandom_solver.optimise import VISITS_LIMIT, optimise_dates  # noqa: PLC0415

    position = {enterprise: number for number, enterprise in enumerate(frozen.ids)}
    places = [position[visits[visit].enterprise] for visit in order]
    streets = np.unique([frozen.streets[p] for p in places], return_inverse=True)[1].astype(np.int64)
    weeks = np.array([date.fromisoformat(day).isocalendar().week for day in days], dtype=np.int64)
    districts = [frozen.districts[p] for p in places]
    indptr = instance.visit_indptr.tolist()
    for district in sorted(set(districts)):
        if districts.count(district) > VISITS_LIMIT:
            continue
        offered: list[int] = []
        sizes: list[int] = []
        for visit, its_district in enumerate(districts):
            own = [int(dates[visit])] if dates[visit] >= 0 else []
            choice = instance.visit_days[indptr[visit] : indptr[visit + 1]].tolist()
            mine = choice if its_district == district and own else own
            offered.extend(mine)
            sizes.append(len(mine))
        restricted = replace(
            instance, visit_indptr=_indptr(sizes), visit_days=np.array(offered, dtype=np.int64)
        )
        dates = optimise_dates(restricted, streets, weeks, start=dates).dates
    return dates


def relaxed_instance(
    announcement: Mapping[str, Any],
    frozen: Frozen,
    visits: Sequence[Visit],
    pairing: Pairing,
    tickets: Tickets,
    step: Mapping[str, Any],
) -> solver.Instance:
    """Return the instance after one more relief step, to see what it would do. Bars are kept as they are."""
    rules = pairing.rules.relaxed(step)
    crews = Eligibility(frozen, announcement).crews(visits, rules)
    barring = Barring(frozen, visits, tickets)
    barring.extend(pairing.crews)
    barring.extend(crews)
    barred = _kept_out(frozen, visits, crews, barring)
    return _Problem(
        frozen, visits, crews, barred, rules, pairing.days, list(pairing.order), tickets
    ).instance("pair")


def _lottery_order(frozen: Frozen, visits: Sequence[Visit], tickets: Tickets) -> list[int]:
    """Return visit numbers in the order in which they choose their dates."""
    key_of = dict(zip(frozen.ids, frozen.keys, strict=True))
    drawn = tickets.many("date", [key_of[visit.enterprise] for visit in visits])
    return sorted(range(len(visits)), key=lambda v: (drawn[v], visits[v].enterprise, visits[v].part))


def _kept_out(
    frozen: Frozen, visits: Sequence[Visit], crews: Sequence[Crew], barring: Barring
) -> tuple[tuple[int, ...], ...]:
    """Return per crew those of ``able`` who are recused from the enterprise or barred from the visit."""
    recused_from: dict[str, set[str]] = {}
    for inspector, enterprise in frozen.recused:
        recused_from.setdefault(enterprise, set()).add(inspector)
    result: list[tuple[int, ...]] = []
    for crew in crews:
        recused = recused_from.get(visits[crew.visit].enterprise, set())
        barred = barring.barred.get(crew.visit, set())
        if not recused and not barred:
            result.append(())
            continue
        result.append(tuple(p for p in crew.able if p in barred or frozen.roster[p].id in recused))
    return tuple(result)


@dataclass(frozen=True)
class _Problem:
    """One roster, its crews and rules; gives the solver's instance for a stage of pair tickets."""

    frozen: Frozen
    visits: Sequence[Visit]
    crews: Sequence[Crew]
    barred: Sequence[tuple[int, ...]]
    rules: Rules
    days: tuple[str, ...]
    order: list[int]
    tickets: Tickets

    def instance(self, stage: str) -> solver.Instance:
        roster = self.frozen.roster
        day_index = {day: number for number, day in enumerate(self.days)}
        absent = np.zeros((len(roster), len(self.days)), dtype=np.bool_)
        for position, row in enumerate(roster):
            for day in row.absent:
                absent[position, day_index[day]] = True
        place = {visit: number for number, visit in enumerate(self.order)}
        visit_days, visit_indptr, groups = self._visit_days(day_index)
        persons, masks, indptr, words = self._candidates(stage)
        crew_number = np.repeat(np.arange(len(self.crews)), np.diff(indptr))
        # persons ascend within a crew as their ids do, so the stable sort breaks ties of tickets by id
        ranked = np.lexsort((*(words[:, w] for w in range(TICKET_WORDS - 1, -1, -1)), crew_number))
        rank = np.empty(len(persons), dtype=np.int64)
        rank[ranked] = np.arange(len(persons)) - np.repeat(indptr[:-1], np.diff(indptr))
        return solver.Instance(
            days=len(self.days),
            daily=np.array(
                [r.daily + self.rules.more_daily.get(r.department, 0) for r in roster], dtype=np.int64
            ),
            total=np.array(
                [r.total + self.rules.more_total.get(r.department, 0) for r in roster], dtype=np.int64
            ),
            absent=absent,
            visit_indptr=visit_indptr,
            visit_days=visit_days,
            visit_group=groups,
            crew_visit=np.array([place[crew.visit] for crew in self.crews], dtype=np.int64),
            seat_indptr=_indptr([len(crew.seats) for crew in self.crews]),
            cand_indptr=indptr,
            cand_person=persons,
            cand_cost=(words[:, 0] >> np.uint64(64 - COST_BITS)).astype(np.int64),
            cand_seats=masks,
            cand_rank=rank,
        )

    def _visit_days(self, day_index: Mapping[str, int]) -> tuple[Ints, Ints, Ints]:
        """Return each visit's days in its lottery order (ragged), and the number of its enterprise."""
        frozen = self.frozen
        position = {enterprise: number for number, enterprise in enumerate(frozen.ids)}
        days: list[int] = []
        sizes: list[int] = []
        groups: list[int] = []
        numbers: dict[str, int] = {}
        for visit in self.order:
            enterprise = self.visits[visit].enterprise
            key, closed = frozen.keys[position[enterprise]], frozen.closed[position[enterprise]]
            allowed = [day for day in self.days if day not in closed]
            drawn = self.tickets.many("day", [f"{day}:{key}" for day in allowed])
            ordered = sorted(zip(drawn, allowed, strict=True))
            days.extend(day_index[day] for _, day in ordered)
            sizes.append(len(ordered))
            groups.append(numbers.setdefault(enterprise, len(numbers)))
        return np.array(days, dtype=np.int64), _indptr(sizes), np.array(groups, dtype=np.int64)

    def _candidates(self, stage: str) -> tuple[Ints, npt.NDArray[np.uint64], Ints, npt.NDArray[np.uint64]]:
        """Return persons, seat masks, indptr and tickets (uint64[M, 4], big-endian words) of all candidates."""
        roster = self.frozen.roster
        persons: list[int] = []
        masks: list[int] = []
        sizes: list[int] = []
        drawn: list[bytes] = []
        for crew, barred in zip(self.crews, self.barred, strict=True):
            out = frozenset(barred)
            pairs = (
                list(zip(crew.able, crew.masks, strict=True))
                if not out
                else [(p, m) for p, m in zip(crew.able, crew.masks, strict=True) if p not in out]
            )
            prefix = f"{self.visits[crew.visit].enterprise}:{crew.department}:"
            drawn.extend(self.tickets.many(stage, [prefix + roster[p].id for p, _ in pairs]))
            persons.extend(p for p, _ in pairs)
            masks.extend(m for _, m in pairs)
            sizes.append(len(pairs))
        words = np.frombuffer(b"".join(drawn), dtype=">u8").reshape(-1, TICKET_WORDS).astype(np.uint64)
        return np.array(persons, dtype=np.int64), np.array(masks, dtype=np.uint64), _indptr(sizes), words

    def attempt(self, instance: solver.Instance, dates: Ints) -> Attempt:
        solution = solver.solve(instance, dates)
        members = solution.plan.members
        indptr = instance.seat_indptr.tolist()
        person = instance.cand_person
        seats = tuple(
            tuple(int(person[m]) for m in members[indptr[c] : indptr[c + 1]].tolist() if m >= 0)
            for c in range(len(self.crews))
        )
        return Attempt(
            seats, solution.prices.period, solution.prices.day, solution.plan.cost, solution.unique
        )


def _indptr(sizes: Sequence[int]) -> Ints:
    return np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.array(sizes, dtype=np.int64))])
