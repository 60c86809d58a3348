"""Who takes the seat of an inspector who cannot come (docs/protocol.md §13.3).

The solver finds everyone who could legally replace him, best first; the published prices say what best means.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import numpy as np

import dualrandom_solver as solver
from dualrandom.changes import REPLACEMENTS, Effect
from dualrandom.crews import Crew, Eligibility, Rules
from dualrandom.errors import DualRandomError
from dualrandom.frame import Frozen
from dualrandom.substitution import next_time, require_nothing_due, require_reason, seated
from dualrandom.ticket import Tickets, cost_of
from dualrandom.visits import Visit


def replace_row(
    announcement: Mapping[str, Any],
    frozen: Frozen,
    full: Mapping[str, Any],
    effect: Effect,
    enterprise: str,
    part: int,
    inspector: str,
    reason: str,
    now: datetime,
) -> dict[str, Any]:
    """Return the next ``replace`` row: ``inspector`` (roster id) goes, the smallest adjusted number comes.

    Raises DualRandomError: ``change-reason``, ``substitute-pending``, ``not-visited``, ``not-in-crew``, ``no-replacement``,
    ``change-too-early``.
    """
    require_reason(reason, REPLACEMENTS)
    time = next_time(effect, now)
    require_nothing_due(announcement, effect, time)
    code_of = {row.id: row.person for row in frozen.roster}
    visit, crew = _seat_of(effect, enterprise, part, inspector, code_of)
    department, day = crew["department"], visit["date"]
    seat = crew["seats"].index(inspector)
    stage = (
        "pair" if (enterprise, part) in effect.source or not full["attempt"] else f"pair.{full['attempt']}"
    )
    tickets = Tickets(effect.source.get((enterprise, part), full["seed"]), announcement["suite"])
    rules = Rules(cross_district=announcement["policy"]["cross_district"])
    for step in full["relief"]:
        rules = rules.relaxed(step)
    tasks = tuple(check["task"] for check in visit["checks"])
    crews = Eligibility(frozen, announcement).crews((Visit(enterprise, part, tasks),), rules)
    ours = next(found for found in crews if found.department == department)
    # nobody comes who is barred or kept away; those who sit stay candidates, whatever has happened to them elsewhere
    out = {frozen.roster[p].id for p in ours.able} & {
        *crew["barred"],
        *(row.id for row in frozen.roster if effect.is_away(row.id, enterprise, day)),
    }
    drawn = {
        frozen.roster[p].id: (tickets.raw(stage, f"{enterprise}:{department}:{frozen.roster[p].id}"), mask)
        for p, mask in zip(ours.able, ours.masks, strict=True)
        if frozen.roster[p].id not in out or frozen.roster[p].id in crew["seats"]
    }
    come = _best(frozen, full, effect, rules, ours, drawn, (enterprise, part), seat)
    if come is None:
        raise _nobody(enterprise, department, code_of[inspector])
    members = [_ranked(person, drawn) for person in crew["seats"] if person != inspector]
    return {
        "department": department,
        "enterprise": enterprise,
        "in": come,
        "number": effect.number + 1,
        "out": inspector,
        "part": part,
        "prev": effect.digest,
        "reason": reason,
        "seat": seat,
        "seats": list(seated([*members, _ranked(come, drawn)], len(ours.seats))),
        "time": time,
        "type": "replace",
    }


def _ranked(person: str, drawn: Mapping[str, tuple[bytes, int]]) -> tuple[bytes, str, int]:
    ticket, mask = drawn[person]
    return ticket, person, mask


def _seat_of(
    effect: Effect, enterprise: str, part: int, inspector: str, code_of: Mapping[str, str]
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    visit = effect.visits.get((enterprise, part))
    if visit is None or visit["date"] is None:
        raise DualRandomError(
            code="not-visited",
            value=f"{enterprise} {part}",
            message={
                "zh": f"{enterprise} 第 {part} 次没有待执行的有日期的检查",
                "en": f"{enterprise} has no dated visit in effect with part {part}",
            },
            remedy={"zh": "请核对代码和 --part。", "en": "Check the id and --part."},
        )
    for crew in visit["crews"]:
        if inspector in crew["seats"]:
            return visit, crew
    sitting = ", ".join(code_of[person] for crew in visit["crews"] for person in crew["seats"])
    raise DualRandomError(
        code="not-in-crew",
        value=code_of.get(inspector, inspector),
        message={
            "zh": f"{code_of.get(inspector, inspector)} 不在 {enterprise} 这次检查的检查组中",
            "en": f"{code_of.get(inspector, inspector)} is in no crew of that visit to {enterprise}",
        },
        remedy={"zh": f"现有人员：{sitting}。", "en": f"Those who sit: {sitting}."},
    )


def _nobody(enterprise: str, department: str, inspector: str) -> DualRandomError:
    return DualRandomError(
        code="no-replacement",
        value=inspector,
        message={
            "zh": f"{department} 当日没有人可以接替 {inspector} 检查 {enterprise}",
            "en": f"nobody of {department} can take the place of {inspector} at {enterprise} on that day",
        },
        remedy={
            "zh": "检查组不得缩小：检查按期不能进行的，如实登记检查结果，或排除该检查对象并递补。",
            "en": "A crew is never made smaller: record what happened as findings, or exclude the enterprise and substitute it.",
        },
    )


def _best(
    frozen: Frozen,
    full: Mapping[str, Any],
    effect: Effect,
    rules: Rules,
    ours: Crew,
    drawn: Mapping[str, tuple[bytes, int]],
    place: tuple[str, int],
    seat: int,
) -> str | None:
    """Return the roster id of the best replacement. Every other crew has no candidates but its members: they stay."""
    roster = frozen.roster
    position = {row.id: number for number, row in enumerate(roster)}
    places = [
        p for p, visit in sorted(effect.visits.items()) if any(crew["seats"] for crew in visit["crews"])
    ]
    days = sorted({day for row in roster for day in row.absent} | {effect.visits[p]["date"] for p in places})
    index = {day: number for number, day in enumerate(days)}
    crew_visit: list[int] = []
    persons: list[int] = []
    masks: list[int] = []
    costs: list[int] = []
    ranks: list[int] = []
    seats: list[int] = []
    sizes: list[int] = []
    members: list[int] = []
    target = -1
    for number, found in enumerate(places):
        for crew in effect.visits[found]["crews"]:
            if not crew["seats"]:
                continue  # its department withdrew: nobody sits there, and nobody comes
            first = len(persons)
            here = sorted(crew["seats"], key=position.__getitem__)
            if found == place and crew["department"] == ours.department:
                target = len(crew_visit)
                here = sorted(drawn, key=position.__getitem__)
                by_ticket = sorted(here, key=lambda person: (drawn[person][0], person))
                masks += [drawn[person][1] for person in here]
                costs += [cost_of(drawn[person][0]) for person in here]
                ranks += [by_ticket.index(person) for person in here]
            else:
                masks += [1 << crew["seats"].index(person) for person in here]
                costs += [0] * len(here)
                ranks += list(range(len(here)))
            crew_visit.append(number)
            persons += [position[person] for person in here]
            sizes.append(len(here))
            seats.append(len(crew["seats"]))
            members += [first + here.index(person) for person in crew["seats"]]
    absent = np.zeros((len(roster), len(days)), dtype=np.bool_)
    for number, row in enumerate(roster):
        absent[number, [index[day] for day in row.absent]] = True
    dates = np.array([index[effect.visits[p]["date"]] for p in places], dtype=np.int64)
    instance = solver.Instance(
        days=len(days),
        daily=np.array([r.daily + rules.more_daily.get(r.department, 0) for r in roster], dtype=np.int64),
        total=np.array([r.total + rules.more_total.get(r.department, 0) for r in roster], dtype=np.int64),
        absent=absent,
        visit_indptr=np.arange(len(places) + 1, dtype=np.int64),
        visit_days=dates,
        visit_group=np.arange(len(places), dtype=np.int64),
        crew_visit=np.array(crew_visit, dtype=np.int64),
        seat_indptr=np.cumsum([0, *seats], dtype=np.int64),
        cand_indptr=np.cumsum([0, *sizes], dtype=np.int64),
        cand_person=np.array(persons, dtype=np.int64),
        cand_cost=np.array(costs, dtype=np.int64),
        cand_seats=np.array(masks, dtype=np.uint64),
        cand_rank=np.array(ranks, dtype=np.int64),
    )
    period = np.zeros(len(roster), dtype=np.int64)
    day_price = np.zeros((len(roster), len(days)), dtype=np.int64)
    for price in full["prices"]:
        person = position[price["inspector"]]
        period[person] = int(price["period"])
        for day, value in price["days"].items():
            if day in index:
                day_price[person, index[day]] = int(value)
    best = solver.replacements(
        instance, dates, np.array(members, dtype=np.int64), solver.Prices(period, day_price), target, seat
    )
    return roster[int(instance.cand_person[best[0]])].id if len(best) else None
