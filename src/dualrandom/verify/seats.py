"""Seats, who may sit in them, and barring (docs/protocol.md §8.1–8.3, §8.6)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dualrandom.ticket import Tickets
from dualrandom.verify.announcement import Announcement, Step
from dualrandom.verify.lists import Inspector, Recusals
from dualrandom.verify.result import Visit

Seats = tuple[tuple[str, ...], ...]
"""The marks that each seat of a crew requires, in seat order; () is an open seat."""

Pool = Mapping[str, int]
"""inspector → the seats he may take as a bit mask (bit j for seat j), never 0"""

Place = tuple[str, int]
"""(enterprise, part)"""


def attempt_stage(attempt: int) -> str:
    """Return the ticket stage of an attempt at the pairing (§5)."""
    return "pair" if attempt == 0 else f"pair.{attempt}"


def crew_seats(base: Sequence[tuple[str, ...]], marks: Iterable[str], *, drop_open: bool) -> Seats:
    """Return a crew's seats from the department's ``base`` and the marks its items require (§8.1, §8.6)."""
    seats = list(base)
    for mark in sorted(set(marks)):
        if any(mark in seat for seat in seats):
            continue
        if () in seats:
            seats[seats.index(())] = (mark,)
        else:
            seats.append((mark,))
    if drop_open:
        for position in range(len(seats) - 1, -1, -1):
            if len(seats) > 2 and not seats[position]:
                del seats[position]
    return tuple(seats)


@dataclass(slots=True)
class Rules:
    """The rules of seating under the relief steps used so far. Pools are shared by all crews with the same needs."""

    announcement: Announcement
    roster: Mapping[str, Inspector]
    steps: Sequence[Step]
    _members: dict[str, list[Inspector]] = field(default_factory=dict)
    _pools: dict[tuple[str, str, Seats], dict[str, int]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for inspector in self.roster.values():
            self._members.setdefault(inspector.department, []).append(inspector)

    def _used(self, kind: str, department: str) -> list[Step]:
        return [step for step in self.steps if step.kind == kind and step.department == department]

    def caps(self, inspector: Inspector) -> tuple[int, int]:
        """Return an inspector's caps: crews a day, crews in the period."""
        return (
            inspector.daily + sum(step.amount for step in self._used("daily", inspector.department)),
            inspector.total + sum(step.amount for step in self._used("total", inspector.department)),
        )

    def departments(self, visit: Visit) -> list[str]:
        """Return the departments with checks on a visit, ascending."""
        return sorted({self.announcement.tasks[task].department for task in visit.checks})

    def seats(self, visit: Visit, department: str) -> Seats:
        """Return the seats of a department's crew on a visit."""
        tasks = [self.announcement.tasks[task] for task in visit.checks]
        marks = [
            mark
            for task in tasks
            if task.department == department
            for item in task.items
            for mark in item.marks
        ]
        return crew_seats(
            self.announcement.crews[department], marks, drop_open=bool(self._used("seats", department))
        )

    def pool(self, visit: Visit, department: str) -> Pool:
        """Return who fits a crew by department, district and marks; recusals, bars, dates and caps aside."""
        seats = self.seats(visit, department)
        key = (department, visit.district, seats)
        found = self._pools.get(key)
        if found is None:
            lent = self.announcement.policy.cross_district or bool(self._used("lend", department))
            found = {}
            for inspector in self._members.get(department, ()):
                if lent or visit.district in inspector.districts:
                    mask = seats_for(inspector, seats)
                    if mask:
                        found[inspector.id] = mask
            self._pools[key] = found
        return found


def seats_for(inspector: Inspector, seats: Seats) -> int:
    """Return the mask of the seats whose marks the inspector has."""
    mask = 0
    for j, seat in enumerate(seats):
        if inspector.marks.issuperset(seat):
            mask |= 1 << j
    return mask


class Barring:
    """Who is barred from which visit because of an incompatible colleague; continued after each relief step."""

    def __init__(self, visits: Sequence[Visit], recusals: Recusals, tickets: Tickets, rules: Rules) -> None:
        self._visits = visits
        self._recusals = recusals
        self._tickets = tickets
        self.of: dict[Place, frozenset[str]] = {}
        self._able: dict[Place, frozenset[str]] = {}
        for visit in visits:
            place = (visit.enterprise, visit.part)
            able = self._able_on(visit, rules)
            self._able[place] = able
            conflicted = {i for i in able if not able.isdisjoint(recusals.colleagues[i])}
            barred: set[str] = set()
            for inspector in self._in_order(visit, conflicted, rules):
                if inspector not in barred:
                    barred |= recusals.colleagues[inspector] & able
            self.of[place] = frozenset(barred)

    def proceed(self, rules: Rules) -> None:
        """Continue under the rules after one more relief step: only newcomers can be barred."""
        for visit in self._visits:
            place = (visit.enterprise, visit.part)
            before = self._able[place]
            able = self._able_on(visit, rules)
            self._able[place] = before | able
            barred = set(self.of[place])
            present = before - barred
            for inspector in self._in_order(visit, able - before, rules):
                if present.isdisjoint(self._recusals.colleagues[inspector]):
                    present |= {inspector}
                else:
                    barred.add(inspector)
            self.of[place] = frozenset(barred)

    def _able_on(self, visit: Visit, rules: Rules) -> frozenset[str]:
        """Return those with incompatible colleagues anywhere who could sit on the visit."""
        colleagues = self._recusals.colleagues
        if not colleagues:
            return frozenset()
        able: set[str] = set()
        for department in rules.departments(visit):
            able |= rules.pool(visit, department).keys() & colleagues.keys()
        return frozenset(i for i in able if (i, visit.enterprise) not in self._recusals.enterprise)

    def _in_order(self, visit: Visit, inspectors: Iterable[str], rules: Rules) -> list[str]:
        def ticket(inspector: str) -> tuple[bytes, str]:
            department = rules.roster[inspector].department
            return self._tickets.raw("pair", f"{visit.enterprise}:{department}:{inspector}"), inspector

        return sorted(inspectors, key=ticket)


def replay_barring(
    visits: Sequence[Visit], recusals: Recusals, tickets: Tickets, rules: Rules
) -> dict[Place, frozenset[str]]:
    """Return who is barred from each visit when all steps of ``rules`` have been applied one after the other."""
    barring = Barring(visits, recusals, tickets, Rules(rules.announcement, rules.roster, ()))
    for used in range(1, len(rules.steps) + 1):
        barring.proceed(Rules(rules.announcement, rules.roster, rules.steps[:used]))
    return barring.of


def fillable(masks: Sequence[int], free: int) -> bool:
    """Say whether people with these seat masks can fill all ``free`` seats (a bit mask), one person a seat."""
    holder: dict[int, int] = {}

    def place(person: int, tried: set[int]) -> bool:
        for seat in range(free.bit_length()):
            if free >> seat & 1 and masks[person] >> seat & 1 and seat not in tried:
                tried.add(seat)
                if seat not in holder or place(holder[seat], tried):
                    holder[seat] = person
                    return True
        return False

    return sum(place(person, set()) for person in range(len(masks))) == free.bit_count()


def canonical_seating(
    masks: Mapping[str, int], tickets: Mapping[str, bytes], count: int
) -> tuple[str, ...] | None:
    """Return the members seat by seat as §8.5 orders them, or None if they cannot fill ``count`` seats."""
    remaining = sorted(masks, key=lambda person: (tickets[person], person))
    seated: list[str] = []
    for seat in range(count):
        free = (1 << count) - (1 << seat + 1)
        for person in remaining:
            others = [masks[other] for other in remaining if other != person]
            if masks[person] >> seat & 1 and fillable(others, free):
                seated.append(person)
                remaining.remove(person)
                break
        else:
            return None
    return tuple(seated)
