"""The lottery of dates, replayed (docs/protocol.md §8.4, §8.6)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dualrandom.ticket import Tickets
from dualrandom.verify.announcement import Announcement, Step
from dualrandom.verify.flow import Seating
from dualrandom.verify.lists import Frame, Inspector, Recusals
from dualrandom.verify.report import Verdict
from dualrandom.verify.result import Visit
from dualrandom.verify.seats import Barring, Place, Rules


@dataclass(frozen=True, slots=True)
class Calendar:
    """The dates that the lottery gives, null where there is none, and the relief steps it uses."""

    dates: Mapping[Place, str | None]
    relief: tuple[Step, ...]


@dataclass(slots=True)
class _Lottery:
    announcement: Announcement
    frame: Frame
    recusals: Recusals
    tickets: Tickets
    visits: list[Visit]
    """In lottery order."""
    dates: dict[Place, str | None]

    def key(self, visit: Visit) -> str:
        return self.frame.keys[self.frame.index[visit.enterprise]]

    def days_to_try(self, visit: Visit) -> list[str]:
        """Return the days that a visit may take, in the order of its day tickets."""
        closed = self.frame.closed[self.frame.index[visit.enterprise]]
        taken = {date for (enterprise, _), date in self.dates_of(visit.enterprise) if date is not None}
        key = self.key(visit)
        open_days = [day for day in self.announcement.days if day not in closed and day not in taken]
        return sorted(open_days, key=lambda day: (self.tickets.raw("day", f"{day}:{key}"), day))

    def dates_of(self, enterprise: str) -> list[tuple[Place, str | None]]:
        found = []
        part = 1
        while (enterprise, part) in self.dates:
            found.append(((enterprise, part), self.dates[enterprise, part]))
            part += 1
        return found

    def crews(self, visit: Visit, day: str, rules: Rules, barred: frozenset[str]) -> list[list[list[str]]]:
        """Return the visit's crews on a day: for each seat the people who may take it (§8.2, caps aside)."""
        crews = []
        for department in rules.departments(visit):
            able = [
                (person, mask)
                for person, mask in rules.pool(visit, department).items()
                if person not in barred
                and day not in rules.roster[person].absent
                and (person, visit.enterprise) not in self.recusals.enterprise
            ]
            count = len(rules.seats(visit, department))
            crews.append([[person for person, mask in able if mask >> seat & 1] for seat in range(count)])
        return crews

    def run(self, rules: Rules, barred: Mapping[Place, frozenset[str]]) -> bool:
        """Give dates to undated visits under these rules; return whether every visit has one now."""
        seating = Seating({inspector.id: rules.caps(inspector) for inspector in rules.roster.values()})
        for visit in self.visits:
            place = (visit.enterprise, visit.part)
            day = self.dates[place]
            if day is not None:
                seating.try_add(self.crews(visit, day, rules, barred[place]), day)
        for visit in self.visits:
            place = (visit.enterprise, visit.part)
            if self.dates[place] is None:
                for day in self.days_to_try(visit):
                    if seating.try_add(self.crews(visit, day, rules, barred[place]), day):
                        self.dates[place] = day
                        break
        return None not in self.dates.values()


def replay_dates(
    announcement: Announcement,
    frame: Frame,
    roster: Mapping[str, Inspector],
    recusals: Recusals,
    visits: Sequence[Visit],
    tickets: Tickets,
) -> Calendar:
    """Return the dates and the relief that the lottery gives to visits of enterprises in the frame."""
    lottery = _Lottery(
        announcement, frame, recusals, tickets, [], {(v.enterprise, v.part): None for v in visits}
    )
    lottery.visits = sorted(
        visits, key=lambda visit: (tickets.raw("date", lottery.key(visit)), visit.enterprise, visit.part)
    )
    rules = Rules(announcement, roster, ())
    barring = Barring(visits, recusals, tickets, rules)
    complete = lottery.run(rules, barring.of)
    used: tuple[Step, ...] = ()
    for step in announcement.policy.relief:
        if complete:
            break
        used = (*used, step)
        rules = Rules(announcement, roster, used)
        barring.proceed(rules)
        complete = lottery.run(rules, barring.of)
    return Calendar(lottery.dates, used)


def check_plain_rules(verdict: Verdict, announcement: Announcement, visits: Sequence[Visit]) -> None:
    """Check what needs no lottery: announced days, distinct days of parts, undated visits."""
    days = frozenset(announcement.days)
    taken: dict[tuple[str, str], Visit] = {}
    for visit in visits:
        if visit.date is None:
            if announcement.policy.undated == "void":
                verdict.fail(
                    f"检查 {visit.name} 没有日期，而规则 undated = void 不允许",
                    f"visit {visit.name} has no date, which the policy undated = void does not allow",
                )
            continue
        if visit.date not in days:
            verdict.fail(
                f"检查 {visit.name} 的日期 {visit.date} 不在公告的 days 中",
                f"visit {visit.name} is on {visit.date}, which is not among the announced days",
            )
        other = taken.setdefault((visit.enterprise, visit.date), visit)
        if other is not visit:
            verdict.fail(
                f"企业 {visit.enterprise} 的 part {other.part} 与 {visit.part} 同日 {visit.date}",
                f"parts {other.part} and {visit.part} of enterprise {visit.enterprise} are both on {visit.date}",
            )
    verdict.note("日期都在公告的 days 中", "all dates are among the announced days")


def check_ladder(verdict: Verdict, announcement: Announcement, relief: Sequence[Step]) -> None:
    """Check that the relief used is the beginning of the announced ladder, which an embargo does not hide."""
    if tuple(relief) != announcement.policy.relief[: len(relief)]:
        verdict.fail("relief 不是公告阶梯的开头部分", "relief is not the beginning of the announced ladder")


def check_closed(verdict: Verdict, frame: Frame, visits: Sequence[Visit]) -> None:
    """Check that no visit is on a day on which its enterprise is closed."""
    for visit in visits:
        if visit.date is not None and visit.date in frame.closed[frame.index[visit.enterprise]]:
            verdict.fail(
                f"企业 {visit.enterprise} 在 {visit.date} 歇业，不能检查",
                f"enterprise {visit.enterprise} is closed on {visit.date}",
            )


def check_lottery(
    verdict: Verdict, calendar: Calendar, visits: Sequence[Visit], relief: Sequence[Step], *, moved: bool
) -> None:
    """Compare the published dates and relief with the lottery's; dates that were ``moved`` afterwards only exist alike."""
    for visit in visits:
        expected = calendar.dates[visit.enterprise, visit.part]
        if moved and None not in (expected, visit.date):
            continue
        if expected != visit.date:
            verdict.fail(
                f"检查 {visit.name} 的日期应为 {expected}，公布为 {visit.date}",
                f"visit {visit.name} should be on {expected}, published is {visit.date}",
            )
    if tuple(relief) != calendar.relief:
        verdict.fail(
            f"应使用 relief 的前 {len(calendar.relief)} 步，公布了 {len(relief)} 步",
            f"the first {len(calendar.relief)} relief steps should be used, {len(relief)} are published",
        )
    undated = sum(date is None for date in calendar.dates.values())
    if moved:
        verdict.note(
            f"日期经优化移动，仅核对可行；{undated} 次无日期与抽签相符",
            f"dates were moved by optimisation and are checked as feasible; {undated} undated as in the lottery",
        )
        return
    verdict.note(
        f"{len(visits)} 次检查的日期由抽签重算相符，其中 {undated} 次无日期",
        f"the dates of {len(visits)} visits follow from the lottery, {undated} of them undated",
    )
