"""Who may sit on which crew: seats, eligibility, barring of incompatible colleagues, relief (docs/protocol.md §8.1–8.3, 8.6)."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dualrandom.frame import Frozen, RosterRow
from dualrandom.ticket import Tickets
from dualrandom.visits import Visit

Seats = tuple[tuple[str, ...], ...]
"""One tuple of marks a seat, in order; ``()`` is an open seat."""


def crew_seats(department_seats: Sequence[Sequence[str]], required: Iterable[str]) -> Seats:
    """Return a crew's seats: the department's, with each required mark placed in the first open seat or appended."""
    seats = [tuple(marks) for marks in department_seats]
    for mark in sorted(set(required)):
        if any(mark in seat for seat in seats):
            continue
        if () in seats:
            seats[seats.index(())] = (mark,)
        else:
            seats.append((mark,))
    return tuple(seats)


def without_extra_open_seats(seats: Seats) -> Seats:
    """Drop open seats beyond two seats in all, the last ones first; a crew never has fewer than two."""
    kept = list(seats)
    for position in range(len(kept) - 1, -1, -1):
        if len(kept) > 2 and kept[position] == ():
            del kept[position]
    return tuple(kept)


@dataclass(frozen=True)
class Rules:
    """The rules in force: the announced ones and the relief steps used so far, by department."""

    cross_district: bool
    lending: frozenset[str] = frozenset()
    without_extra_seats: frozenset[str] = frozenset()
    more_daily: Mapping[str, int] = None  # type: ignore[assignment]
    more_total: Mapping[str, int] = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        object.__setattr__(self, "more_daily", dict(self.more_daily or {}))
        object.__setattr__(self, "more_total", dict(self.more_total or {}))

    def relaxed(self, step: Mapping[str, Any]) -> Rules:
        """Return the rules after one step of the relief ladder."""
        department, amount = step["department"], step["amount"]
        if step["kind"] == "lend":
            return replace(self, lending=self.lending | {department})
        if step["kind"] == "seats":
            return replace(self, without_extra_seats=self.without_extra_seats | {department})
        if step["kind"] == "daily":
            more = {**self.more_daily, department: self.more_daily.get(department, 0) + amount}
            return replace(self, more_daily=more)
        more = {**self.more_total, department: self.more_total.get(department, 0) + amount}
        return replace(self, more_total=more)


@dataclass(frozen=True)
class Crew:
    """A department's crew on one visit, before people are chosen.

    ``able``: roster positions that could take one of its seats, dates, absences, caps, recusals and bars aside; ascending.
    ``masks``: for each of them a bitmask of the seats that its marks allow.
    """

    visit: int
    department: str
    seats: Seats
    able: tuple[int, ...]
    masks: tuple[int, ...]


class Eligibility:
    """Answers who could sit, for one roster. Pools and masks are computed once for equal questions."""

    def __init__(self, frozen: Frozen, announcement: Mapping[str, Any]) -> None:
        self.frozen = frozen
        self.tasks = {task["id"]: task for task in announcement["tasks"]}
        self.department_seats = {crew["department"]: crew["seats"] for crew in announcement["crews"]}
        self.district_of = dict(zip(frozen.ids, frozen.districts, strict=True))
        self._pools: dict[tuple[str, str | None], tuple[int, ...]] = {}
        self._able: dict[tuple[str, str | None, Seats], tuple[tuple[int, ...], tuple[int, ...]]] = {}
        self._of_department: dict[str, list[int]] = defaultdict(list)
        for position, row in enumerate(frozen.roster):
            self._of_department[row.department].append(position)

    def crews(self, visits: Sequence[Visit], rules: Rules) -> tuple[Crew, ...]:
        """Return all crews of all visits, by visit and department."""
        result = []
        for number, visit in enumerate(visits):
            tasks_of: dict[str, list[str]] = defaultdict(list)
            for task in visit.tasks:
                tasks_of[self.tasks[task]["department"]].append(task)
            for department in sorted(tasks_of):
                marks = [
                    m
                    for task in tasks_of[department]
                    for item in self.tasks[task]["items"]
                    for m in item["marks"]
                ]
                seats = crew_seats(self.department_seats[department], marks)
                if department in rules.without_extra_seats:
                    seats = without_extra_open_seats(seats)
                free = rules.cross_district or department in rules.lending
                district = None if free else self.district_of[visit.enterprise]
                able, masks = self._able_for(department, district, seats)
                result.append(Crew(number, department, seats, able, masks))
        return tuple(result)

    def _able_for(
        self, department: str, district: str | None, seats: Seats
    ) -> tuple[tuple[int, ...], tuple[int, ...]]:
        key = department, district, seats
        if key not in self._able:
            masks = {p: _seat_mask(self.frozen.roster[p], seats) for p in self._pool(department, district)}
            able = tuple(position for position, mask in masks.items() if mask)
            self._able[key] = able, tuple(masks[position] for position in able)
        return self._able[key]

    def _pool(self, department: str, district: str | None) -> tuple[int, ...]:
        key = department, district
        if key not in self._pools:
            self._pools[key] = tuple(
                position
                for position in self._of_department[department]
                if district is None or district in self.frozen.roster[position].districts
            )
        return self._pools[key]


def _seat_mask(row: RosterRow, seats: Seats) -> int:
    return sum(1 << number for number, marks in enumerate(seats) if all(mark in row.marks for mark in marks))


@dataclass
class Barring:
    """Who is barred from which visit because an incompatible colleague was taken first; continued step by step.

    ``barred`` and ``seen`` map a visit to sets of roster positions: those barred, and those that were eligible so far.
    """

    frozen: Frozen
    visits: Sequence[Visit]
    tickets: Tickets

    def __post_init__(self) -> None:
        self.barred: dict[int, set[int]] = defaultdict(set)
        self.seen: dict[int, set[int]] = defaultdict(set)
        position = {row.id: number for number, row in enumerate(self.frozen.roster)}
        self.colleagues: dict[int, set[int]] = defaultdict(set)
        for a, b in self.frozen.incompatible:
            self.colleagues[position[a]].add(position[b])
            self.colleagues[position[b]].add(position[a])

    def extend(self, crews: Sequence[Crew]) -> None:
        """Take account of the people whom ``crews`` (all crews under the rules now in force) admit."""
        if not self.colleagues:
            return
        listed: dict[int, set[int]] = defaultdict(set)
        for crew in crews:
            enterprise = self.visits[crew.visit].enterprise
            for person in crew.able:
                if (
                    person in self.colleagues
                    and (self.frozen.roster[person].id, enterprise) not in self.frozen.recused
                ):
                    listed[crew.visit].add(person)
        for visit, people in listed.items():
            self._extend_visit(visit, people)

    def _extend_visit(self, visit: int, people: set[int]) -> None:
        roster, enterprise = self.frozen.roster, self.visits[visit].enterprise
        barred, seen = self.barred[visit], self.seen[visit]
        newcomers = people - seen
        conflicted = [p for p in newcomers if self.colleagues[p] & (people | seen)]
        conflicted.sort(
            key=lambda p: (
                self.tickets.raw("pair", f"{enterprise}:{roster[p].department}:{roster[p].id}"),
                roster[p].id,
            )
        )
        # those who could already sit and are not barred keep their place
        taken = {p for p in seen if p not in barred}
        for person in conflicted:
            if self.colleagues[person] & taken:
                barred.add(person)
            else:
                taken.add(person)
        seen |= newcomers
