"""Can all seats of some dated crews be filled at once? A maximum flow that grows crew by crew (docs/protocol.md §8.4).

The network is crew → seat → (crew, person) → (person, day) → person → sink, with capacity 1 up to (person, day), the
daily cap behind it and the period cap behind the person. Seats are filled one after the other along augmenting paths.
Whoever was once proved unable to reach the sink stays so while only crews are added, and is never searched again.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

Slot = tuple[str, str]
"""(inspector, date)"""


@dataclass(slots=True)
class _Network:
    """Who holds which seat. Seats are numbered; a crew is named by the number of its first seat."""

    crew: list[int] = field(default_factory=list)
    day: list[str] = field(default_factory=list)
    options: list[Sequence[str]] = field(default_factory=list)
    person: list[str | None] = field(default_factory=list)
    seat_in_crew: dict[tuple[int, str], int] = field(default_factory=dict)
    seats_of_slot: dict[Slot, set[int]] = field(default_factory=dict)
    slots_of: dict[str, set[Slot]] = field(default_factory=dict)
    load: dict[str, int] = field(default_factory=dict)

    def assign(self, seat: int, person: str | None) -> None:
        old = self.person[seat]
        day = self.day[seat]
        if old is not None:
            del self.seat_in_crew[self.crew[seat], old]
            slot = self.seats_of_slot[old, day]
            slot.discard(seat)
            if not slot:
                self.slots_of[old].discard((old, day))
            self.load[old] -= 1
        self.person[seat] = person
        if person is not None:
            self.seat_in_crew[self.crew[seat], person] = seat
            self.seats_of_slot.setdefault((person, day), set()).add(seat)
            self.slots_of.setdefault(person, set()).add((person, day))
            self.load[person] = self.load.get(person, 0) + 1


class Seating:
    """A set of dated crews whose seats are all filled; crews join only as long as that stays possible."""

    def __init__(self, caps: Mapping[str, tuple[int, int]]) -> None:
        self._caps = caps
        self._net = _Network()
        self._dead_seats: set[int] = set()
        self._dead_slots: set[Slot] = set()
        self._dead_people: set[str] = set()

    def try_add(self, crews: Sequence[Sequence[Sequence[str]]], day: str) -> bool:
        """Add crews on one day, each a list of seats with the people who may take them, if all stay fillable."""
        net = self._net
        first = len(net.person)
        log: list[tuple[int, str | None]] = []
        for seats in crews:
            name = len(net.person)
            for options in seats:
                net.crew.append(name)
                net.day.append(day)
                net.options.append(options)
                net.person.append(None)
        for seat in range(first, len(net.person)):
            if not self._augment(seat, log):
                self._withdraw(first, log)
                return False
        return True

    def _withdraw(self, first: int, log: list[tuple[int, str | None]]) -> None:
        net = self._net
        for seat in range(first, len(net.person)):
            net.assign(seat, None)
        restored = {seat: person for seat, person in reversed(log) if seat < first}
        for seat in restored:
            net.assign(seat, None)
        for seat, person in restored.items():
            net.assign(seat, person)
        for column in (net.crew, net.day, net.options, net.person):
            del column[first:]

    def _augment(self, start: int, log: list[tuple[int, str | None]]) -> bool:
        """Fill one more seat, moving others if need be; on failure remember what cannot reach the sink."""
        net = self._net
        came_from: dict[int, tuple[int, str] | None] = {start: None}
        slots: set[Slot] = set()
        people: set[str] = set()
        queue = deque([start])
        while queue:
            seat = queue.popleft()
            for person in net.options[seat]:
                found = self._next_seats(seat, person, slots, people)
                if found is None:
                    self._shift(seat, person, came_from, log)
                    return True
                for other in found:
                    if other not in came_from and other not in self._dead_seats:
                        came_from[other] = (seat, person)
                        queue.append(other)
        if not log:
            # The flow is that of the crews added before: what is unreachable now stays so.
            self._dead_seats.update(seat for seat in came_from if seat < net.crew[start])
            self._dead_slots |= slots
            self._dead_people |= people
        return False

    def _next_seats(self, seat: int, person: str, slots: set[Slot], people: set[str]) -> set[int] | None:
        """Return the seats that would have to move if ``person`` took ``seat``; None if none has to."""
        net = self._net
        inside = net.seat_in_crew.get((net.crew[seat], person))
        if inside is not None:
            return {inside} if inside != seat else set()
        slot = (person, net.day[seat])
        if slot in slots or slot in self._dead_slots:
            return set()
        slots.add(slot)
        daily, total = self._caps[person]
        holders = net.seats_of_slot.get(slot, set())
        if len(holders) >= daily:
            return holders
        if person in people or person in self._dead_people:
            return holders
        if net.load.get(person, 0) < total:
            return None
        people.add(person)
        displaced: set[int] = set(holders)
        for other in net.slots_of.get(person, ()):
            if other not in slots and other not in self._dead_slots:
                slots.add(other)
                displaced |= net.seats_of_slot[other]
        return displaced

    def _shift(
        self,
        seat: int,
        person: str,
        came_from: Mapping[int, tuple[int, str] | None],
        log: list[tuple[int, str | None]],
    ) -> None:
        moves = [(seat, person)]
        while (step := came_from[seat]) is not None:
            moves.append(step)
            seat = step[0]
        for moved, _ in moves:
            log.append((moved, self._net.person[moved]))
            self._net.assign(moved, None)
        for moved, taken in moves:
            self._net.assign(moved, taken)
