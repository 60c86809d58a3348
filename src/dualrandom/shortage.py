"""Why visits found no date, in the departments' own words: who is short of whom, where, by how many, and what would help.

The sentences come from Hall violators of a maximum flow: a set of seats whose possible occupants together have less capacity than there
are seats (Hall 1935). Conflicting rules are a minimal set: without any one of them the visits could be seated.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from dualrandom.crews import Eligibility
from dualrandom.draw import Drawn
from dualrandom.frame import Frozen
from dualrandom.pairing import relaxed_instance
from dualrandom_solver import (
    Instance,
    Rule,
    Violator,
    hall_violators,
    lottery_dates,
    minimal_conflict,
    why_undated,
)

RULES: Mapping[str, tuple[str, str]] = {
    "district": ("区划", "districts"),
    "qualification": ("资格", "qualifications"),
    "recusal": ("回避", "recusals"),
    "absence": ("请假和证件到期", "absences and expired licences"),
    "daily": ("每日上限", "daily caps"),
    "total": ("本期上限", "period caps"),
}
"""Rules that can be in conflict, with their names."""
NAMED = 6
"""So many inspectors are named in a sentence; the others are counted."""


@dataclass(frozen=True, slots=True)
class Shortage:
    """Seats that more people are needed for than there are.

    ``crews``: (enterprise, part) of the visits concerned; ``marks``: what the seats ask for; ``people``: roster ids of all who may
    take one; ``capacity``: how many of the ``seats`` they can fill.
    """

    department: str
    districts: tuple[str, ...]
    visits: tuple[tuple[str, int], ...]
    marks: tuple[str, ...]
    seats: int
    people: tuple[str, ...]
    capacity: int
    short: int

    def sentence(self, language: str) -> str:
        """Say it in ``zh`` or ``en``."""
        shown = ", ".join(self.people[:NAMED])
        more = len(self.people) - NAMED
        where = ", ".join(self.districts)
        if language == "zh":
            marks = f"需具备资格 {'、'.join(self.marks)} 的" if self.marks else ""
            rest = f" 等 {len(self.people)} 人" if more > 0 else ""
            who = f"可任者只有 {shown}{rest}，可承担 {self.capacity} 个" if self.people else "没有人可任"
            return f"部门 {self.department} 在 {where}：{len(self.visits)} 次检查{marks}席位 {self.seats} 个，{who}，缺 {self.short} 个"
        marks = f" qualified for {', '.join(self.marks)}" if self.marks else ""
        rest = f" and {more} more" if more > 0 else ""
        who = (
            f"only {shown}{rest} may take them, capacity {self.capacity}"
            if self.people
            else "nobody may take them"
        )
        return (
            f"department {self.department} in {where}: {len(self.visits)} visits need {self.seats} seats{marks}; {who}: "
            f"short by {self.short}"
        )


@dataclass(frozen=True, slots=True)
class Relief:
    """One step that would help: after it ``undated`` visits are left without a date."""

    step: Mapping[str, Any]
    undated: int


def shortages(frozen: Frozen, drawn: Drawn) -> tuple[Shortage, ...]:
    """Explain all undated visits of a draw; empty if there is none.

    If the visits could all be seated on some days taken together and only the lottery's earlier dates stand in the way, the day that
    came first in the lottery of each undated visit is explained.
    """
    pairing = drawn.pairing
    dates = _solver_dates(drawn)
    undated = np.flatnonzero(dates < 0)
    if not len(undated):
        return ()
    found = list(hall_violators(pairing.instance, dates, undated.tolist()))
    if not found:
        for visit in undated.tolist():
            days = why_undated(pairing.instance, dates, visit)
            found.extend(next((violators for _, violators in days if violators), ()))
    told: dict[tuple[Any, ...], Shortage] = {}
    for violator in found:
        shortage = _told(frozen, drawn, violator)
        told.setdefault((shortage.department, shortage.visits, shortage.marks), shortage)
    return tuple(sorted(told.values(), key=lambda s: (s.department, s.districts, -s.short, s.visits)))


def conflicting_rules(announcement: Mapping[str, Any], frozen: Frozen, drawn: Drawn) -> tuple[str, ...]:
    """Return a minimal set of rules (keys of RULES) that together leave visits without a date; empty if none is undated.

    Undated visits are granted every day they accept, as in :func:`shortages`.
    """
    dates = _solver_dates(drawn)
    undated = np.flatnonzero(dates < 0).tolist()
    if not undated:
        return ()
    bare, rules = _rules(announcement, frozen, drawn)
    conflict = minimal_conflict(bare, [rules[name] for name in RULES], dates, undated)
    names = list(RULES)
    return tuple(names[index] for index in conflict or ())


def cheapest_relief(
    announcement: Mapping[str, Any], frozen: Frozen, drawn: Drawn, prices: Mapping[str, int]
) -> tuple[Relief, ...]:
    """Return for each short department the cheapest single step that dates the most visits, cheapest first.

    ``prices``: kind of step → price of one unit (an amount of one, or the step itself for ``lend`` and ``seats``); kinds without a
    price are not offered. Dated visits keep their dates, as when a ladder is applied.
    """
    departments = sorted({shortage.department for shortage in shortages(frozen, drawn)})
    offers: list[tuple[int, int, Relief]] = []
    for department in departments:
        for kind, price in sorted(prices.items()):
            for amount in (1, 2, 3) if kind in ("daily", "total") else (1,):
                step = {"amount": amount, "department": department, "kind": kind}
                left = _undated_after(announcement, frozen, drawn, step)
                offers.append((left, price * amount, Relief(step, left)))
    now = int((_solver_dates(drawn) < 0).sum())
    helping = [offer for offer in offers if offer[0] < now]
    helping.sort(key=lambda offer: (offer[0], offer[1], str(sorted(offer[2].step.items()))))
    best: dict[str, Relief] = {}
    for _, _, relief in helping:
        best.setdefault(str(relief.step["department"]), relief)
    return tuple(best.values())


def _undated_after(
    announcement: Mapping[str, Any], frozen: Frozen, drawn: Drawn, step: Mapping[str, Any]
) -> int:
    instance = relaxed_instance(announcement, frozen, drawn.visits, drawn.pairing, drawn.tickets, step)
    return int((lottery_dates(instance, _solver_dates(drawn)) < 0).sum())


def _solver_dates(drawn: Drawn) -> npt.NDArray[np.int64]:
    dates = drawn.pairing.dates
    return np.array([-1 if dates[v] is None else dates[v] for v in drawn.pairing.order], dtype=np.int64)


def _told(frozen: Frozen, drawn: Drawn, violator: Violator) -> Shortage:
    pairing, instance = drawn.pairing, drawn.pairing.instance
    crews = [pairing.crews[c] for c in violator.crews.tolist()]
    district_of = dict(zip(frozen.ids, frozen.districts, strict=True))
    visits = sorted({(drawn.visits[crew.visit].enterprise, drawn.visits[crew.visit].part) for crew in crews})
    marks: set[str] = set()
    for seat in violator.seats.tolist():
        crew_number = int(np.searchsorted(instance.seat_indptr, seat, side="right")) - 1
        marks.update(pairing.crews[crew_number].seats[seat - int(instance.seat_indptr[crew_number])])
    return Shortage(
        department=crews[0].department,
        districts=tuple(sorted({district_of[enterprise] for enterprise, _ in visits})),
        visits=tuple(visits),
        marks=tuple(sorted(marks)),
        seats=len(violator.seats),
        people=tuple(frozen.roster[p].id for p in violator.persons.tolist()),
        capacity=violator.capacity,
        short=violator.short,
    )


def _rules(announcement: Mapping[str, Any], frozen: Frozen, drawn: Drawn) -> tuple[Instance, dict[str, Rule]]:
    """Return the instance in which a department's people may sit anywhere at any time, and what each rule takes away."""
    instance, roster = drawn.pairing.instance, frozen.roster
    eligibility = Eligibility(frozen, announcement)
    persons: list[int] = []
    everything: list[int] = []
    wrong_district: list[int] = []
    unqualified: list[int] = []
    kept_out: list[int] = []
    sizes: list[int] = []
    for crew, barred in zip(drawn.pairing.crews, drawn.pairing.barred, strict=True):
        full = (1 << len(crew.seats)) - 1
        district = eligibility.district_of[drawn.visits[crew.visit].enterprise]
        free = drawn.pairing.rules.cross_district or crew.department in drawn.pairing.rules.lending
        people = [p for p, row in enumerate(roster) if row.department == crew.department]
        out = set(barred)
        for person in people:
            row = roster[person]
            able = sum(1 << n for n, marks in enumerate(crew.seats) if set(marks) <= set(row.marks))
            persons.append(person)
            everything.append(full)
            wrong_district.append(0 if free or district in row.districts else full)
            unqualified.append(full & ~able)
            kept_out.append(full if person in out else 0)
        sizes.append(len(people))
    count = len(persons)
    indptr = np.concatenate([np.zeros(1, dtype=np.int64), np.cumsum(np.array(sizes, dtype=np.int64))])
    crew_start = np.repeat(indptr[:-1], np.diff(indptr))
    bare = replace(
        instance,
        cand_indptr=indptr,
        cand_person=np.array(persons, dtype=np.int64),
        cand_cost=np.zeros(count, dtype=np.int64),
        cand_seats=np.array(everything, dtype=np.uint64),
        cand_rank=np.arange(count, dtype=np.int64) - crew_start,
        absent=np.zeros_like(instance.absent),
        daily=np.full_like(instance.daily, max(1, len(drawn.pairing.crews))),
        total=np.full_like(instance.total, max(1, len(drawn.pairing.crews))),
    )
    return bare, {
        "district": Rule(forbids=np.array(wrong_district, dtype=np.uint64)),
        "qualification": Rule(forbids=np.array(unqualified, dtype=np.uint64)),
        "recusal": Rule(forbids=np.array(kept_out, dtype=np.uint64)),
        "absence": Rule(absent=np.asarray(instance.absent)),
        "daily": Rule(daily=np.asarray(instance.daily)),
        "total": Rule(total=np.asarray(instance.total)),
    }


def explanation(
    announcement: Mapping[str, Any], frozen: Frozen, drawn: Drawn, language: str, limit: int | None = None
) -> Sequence[str]:
    """Return sentences on all undated visits: shortages, then the rules in conflict. Empty if every visit has a date."""
    found = shortages(frozen, drawn)
    sentences = [shortage.sentence(language) for shortage in found[:limit]]
    rules = conflicting_rules(announcement, frozen, drawn)
    if rules:
        names = [RULES[rule][0 if language == "zh" else 1] for rule in rules]
        sentences.append(
            f"冲突的规则：{'、'.join(names)}(去掉任何一条即可排出)"
            if language == "zh"
            else f"rules in conflict: {', '.join(names)} (without any one of them all could be dated)"
        )
    return sentences
