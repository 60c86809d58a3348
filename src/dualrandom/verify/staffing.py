"""Crews of changed visits: least-ticket fillings beside fixed loads, and replacements by price (docs/protocol.md §13.2, §13.3)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence

from dualrandom.ticket import Tickets, cost_of
from dualrandom.verify.loading import Record
from dualrandom.verify.report import Fault
from dualrandom.verify.result import Crew, Prices, Visit
from dualrandom.verify.seats import Rules, canonical_seating, replay_barring

Away = tuple[str, str, str]
"""(inspector, ``date``, ``later`` or ``enterprise``, the date or enterprise)"""


class Staff:
    """Everyone's load from the visits in effect, and who is kept away from what."""

    def __init__(self, rules: Rules, visits: Iterable[Visit], away: Sequence[Away]) -> None:
        self.rules, self.away = rules, away
        self.daily: Counter[tuple[str, str]] = Counter()
        self.total: Counter[str] = Counter()
        self.dated: dict[str, set[str]] = {}
        """enterprise → days that its parts have taken, in the order of the lottery."""
        for visit in visits:
            self._count(visit)

    def _count(self, visit: Visit) -> None:
        for crew in visit.crews or ():
            for person in crew.seats:
                self.daily[person, visit.date or ""] += 1
                self.total[person] += 1

    def available(self, person: str, enterprise: str, day: str) -> bool:
        """Say whether absence, caps and earlier replacements leave an inspector free for one more crew on a day."""
        inspector = self.rules.roster[person]
        daily, total = self.rules.caps(inspector)
        if day in inspector.absent or self.daily[person, day] >= daily or self.total[person] >= total:
            return False
        for who, reach, what in self.away:
            if who == person and (
                (reach == "date" and what == day)
                or (reach == "later" and what <= day)
                or (reach == "enterprise" and what == enterprise)
            ):
                return False
        return True

    def filled(
        self, visit: Visit, department: str, barred: Collection[str], day: str, tickets: Tickets
    ) -> tuple[str, ...] | None:
        """Return the least-ticket crew in seat order, None if its seats cannot be filled on that day."""
        pool = self.rules.pool(visit, department)
        count = len(self.rules.seats(visit, department))
        ticket = {p: tickets.raw("pair", f"{visit.enterprise}:{department}:{p}") for p in pool}
        taken: dict[str, int] = {}
        for person in sorted(pool, key=lambda p: (ticket[p], p)):
            if person in barred or not self.available(person, visit.enterprise, day):
                continue
            if len(taken) < count and seatable([*taken.values(), pool[person]]):
                taken[person] = pool[person]
        return canonical_seating(taken, ticket, count) if len(taken) == count else None

    def visit(
        self, record: Record, visit: Visit, together: Sequence[Visit], tickets: Tickets, first_day: str
    ) -> None:
        """Check date and crews of one visit of a substitution and add it to the loads. Raises Fault."""
        departments = self.rules.departments(visit)
        crews = {crew.department: crew for crew in visit.crews or ()}
        if list(crews) != (departments if visit.date is not None else []):
            raise Fault(f"{visit.name} 的检查组部门不符", f"{visit.name} should have crews of {departments}")
        barred = self._bars(record, visit, tickets)
        days = [day for day in self.rules.announcement.days if day >= first_day]
        if visit.date is not None and visit.date not in days:
            raise Fault(
                f"{visit.name} 的日期 {visit.date} 不在 {first_day} 起的 days 中",
                f"{visit.name} is on {visit.date}, which is not among the days from {first_day} on",
            )
        others = {v.date for v in together if v.enterprise == visit.enterprise and v.part != visit.part} - {
            None
        }
        if visit.date in others:
            raise Fault(f"{visit.name} 与另一次同日", f"{visit.name} is on the day of another part")
        if barred is not None and record.frame is not None:
            self._check_day(record, visit, barred, days, tickets)
        elif visit.date is not None:
            for department, crew in crews.items():
                pool = self.rules.pool(visit, department)
                if not set(crew.barred) <= pool.keys():
                    raise Fault(
                        f"{visit.name} 的 barred 有误",
                        f"{visit.name}: barred names somebody who could not sit",
                    )
                self._check_crew(visit, crew, crew.barred, visit.date, tickets)
        self._count(visit)

    def _bars(self, record: Record, visit: Visit, tickets: Tickets) -> dict[str, tuple[str, ...]] | None:
        """Return department → whom recusals and bars keep out, None where the recusals are sealed."""
        recusals = record.recusals
        if recusals is None:
            return None
        bars = replay_barring([visit], recusals, tickets, self.rules)[visit.enterprise, visit.part]
        return {
            department: tuple(
                sorted(
                    person
                    for person in self.rules.pool(visit, department)
                    if person in bars or (person, visit.enterprise) in recusals.enterprise
                )
            )
            for department in self.rules.departments(visit)
        }

    def _check_day(
        self,
        record: Record,
        visit: Visit,
        barred: Mapping[str, tuple[str, ...]],
        days: Sequence[str],
        tickets: Tickets,
    ) -> None:
        """Try the days in lottery order; days of parts that were dated before are taken."""
        frame = record.frame
        assert frame is not None
        position = frame.index[visit.enterprise]
        key, closed = frame.keys[position], frame.closed[position]
        expected = None
        for day in sorted(days, key=lambda day: (tickets.raw("day", f"{day}:{key}"), day)):
            if day in closed or day in self.dated.get(visit.enterprise, ()):
                continue
            crews = {d: self.filled(visit, d, bars, day, tickets) for d, bars in barred.items()}
            if None not in crews.values():
                expected = day
                break
        if visit.date != expected:
            raise Fault(
                f"{visit.name} 的日期应为 {expected}，公布为 {visit.date}",
                f"{visit.name} should be on {expected}, published is {visit.date}",
            )
        if expected is not None:
            self.dated.setdefault(visit.enterprise, set()).add(expected)
        for crew in visit.crews or ():
            if crew.barred != barred[crew.department]:
                raise Fault(
                    f"{visit.name} 的 barred 应为 {list(barred[crew.department])}",
                    f"{visit.name}: barred should be {list(barred[crew.department])}",
                )
            assert expected is not None
            self._check_crew(visit, crew, crew.barred, expected, tickets)

    def _check_crew(
        self, visit: Visit, crew: Crew, barred: Collection[str], day: str, tickets: Tickets
    ) -> None:
        expected = self.filled(visit, crew.department, barred, day, tickets)
        if crew.seats != expected:
            raise Fault(
                f"{visit.name} 部门 {crew.department} 应为 {list(expected or ())}，公布为 {list(crew.seats)}",
                f"{visit.name} {crew.department}: the crew should be {list(expected or ())}, is {list(crew.seats)}",
            )


def seatable(masks: Sequence[int]) -> bool:
    """Say whether people with these seat masks can all sit at once, one a seat."""
    holder: dict[int, int] = {}

    def place(person: int, tried: set[int]) -> bool:
        for seat in range(masks[person].bit_length()):
            if masks[person] >> seat & 1 and seat not in tried:
                tried.add(seat)
                if seat not in holder or place(holder[seat], tried):
                    holder[seat] = person
                    return True
        return False

    return all(place(person, set()) for person in range(len(masks)))


def best_replacement(
    staff: Staff, visit: Visit, crew: Crew, seat: int, tickets: Tickets, stage: str, prices: Prices
) -> str | None:
    """Return who takes the place of the occupant of ``seat``: the smallest adjusted number among those who can, or None."""
    assert visit.date is not None
    pool = staff.rules.pool(visit, crew.department)
    leads = 1 << seat
    grown = True
    while grown:
        # a seat leads to the one that falls free if its occupant may move to one that does
        grown = False
        for other, person in enumerate(crew.seats):
            if not leads >> other & 1 and pool.get(person, 0) & leads:
                leads |= 1 << other
                grown = True
    ranked = []
    for person, mask in pool.items():
        if person in crew.seats or person in crew.barred or not mask & leads:
            continue
        if staff.available(person, visit.enterprise, visit.date):
            ticket = tickets.raw(stage, f"{visit.enterprise}:{crew.department}:{person}")
            period, days = prices.get(person, (0, {}))
            ranked.append((cost_of(ticket) + period + days.get(visit.date, 0), ticket, person))
    return min(ranked)[2] if ranked else None


def reseated(
    rules: Rules, visit: Visit, department: str, members: Sequence[str], tickets: Tickets, stage: str
) -> tuple[str, ...] | None:
    """Return the members in the seat order of §8.5, None if they cannot fill the seats."""
    pool = rules.pool(visit, department)
    masks = {person: pool.get(person, 0) for person in members}
    ticket = {p: tickets.raw(stage, f"{visit.enterprise}:{department}:{p}") for p in members}
    return canonical_seating(masks, ticket, len(rules.seats(visit, department)))
