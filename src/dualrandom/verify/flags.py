"""What was conspicuous in the lists, and why a visit has no date, computed anew (docs/protocol.md §10.1)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from dualrandom.ticket import Tickets
from dualrandom.verify import schema
from dualrandom.verify.announcement import Announcement
from dualrandom.verify.lists import Frame, Inspector, Recusals
from dualrandom.verify.report import Fault
from dualrandom.verify.result import Result
from dualrandom.verify.seats import Rules, crew_seats, replay_barring

SMALL_FRAME = 10
HIGH_RATE = Fraction(1, 2)
THIN = 3
"""People for each seat of a crew below which a pool is thin."""

CODES = frozenset(
    {"small-frame", "high-rate", "small-pool", "classes-changed", "scope-changed", "edits-not-checked"}
)
REASONS = frozenset({"closed", "seat-without-candidate", "no-seatable-day"})
_EDITS = ("classes-changed", "scope-changed")

Flags = Mapping[tuple[str, str], str]
"""(code, task) → value, in order."""


def parse_flags(value: Any, where: str) -> Flags:
    """Return the flags. Raises Fault for anything that is not of the form of §10.1."""
    flags: dict[tuple[str, str], str] = {}
    for i, entry in enumerate(schema.array(value, where)):
        place = f"{where}[{i}]"
        found = schema.record(entry, place, ("code", "task", "value"))
        code = schema.choice(*sorted(CODES))(found["code"], f"{place}.code")
        if code == "edits-not-checked":
            schema.choice("")(found["task"], f"{place}.task")
            schema.choice("no-snapshot")(found["value"], f"{place}.value")
        else:
            schema.ident(found["task"], f"{place}.task")
            _check_value(code, found["value"], f"{place}.value")
        flags[code, found["task"]] = found["value"]
    schema.ascending([(entry["code"], entry["task"]) for entry in value], where)
    if ("edits-not-checked", "") in flags and any(code in _EDITS for code, _ in flags):
        raise Fault(
            f"{where} 既说未核对修改，又列出修改", f"{where}: edits were not checked, and yet some are listed"
        )
    return flags


def _check_value(code: str, value: Any, where: str) -> None:
    if code == "high-rate":
        schema.ratio(value, where)
    elif code == "scope-changed":
        schema.choice("scope")(value, where)
    else:
        schema.decimal(value, where)
        if code == "classes-changed" and value == "0":
            raise Fault(f"{where} 应至少为 1", f"{where} should be at least 1")


def false_flags(
    shown: Flags, a: Announcement, frame: Frame | None, roster: Mapping[str, Inspector] | None
) -> list[tuple[str, str]]:
    """Return what is wrong with the flags, as far as the lists at hand tell."""
    faults = [
        (f"{code} 所指的任务 {task} 不存在", f"{code} names task {task}, which does not exist")
        for code, task in shown
        if task and task not in a.tasks
    ]
    for code, expected in _expected(a, frame, roster).items():
        told = {task: value for (one, task), value in shown.items() if one == code}
        # whether all items of a task are key items is not in the record: a high rate may stand without its flag
        due = {
            task: value
            for task, value in expected.items()
            if code != "high-rate" or told.get(task) is not None
        }
        if told != due:
            faults.append(
                (
                    f"{code} 应为 {schema.shown(due)}，公布为 {schema.shown(told)}",
                    f"{code} should be {schema.shown(due)}, published is {schema.shown(told)}",
                )
            )
    return faults


def _expected(
    a: Announcement, frame: Frame | None, roster: Mapping[str, Inspector] | None
) -> dict[str, dict[str, str]]:
    rates = {rate.task: rate.greatest for rate in a.rates if rate.greatest > HIGH_RATE}
    expected = {
        "high-rate": {task: f"{rate.numerator}/{rate.denominator}" for task, rate in rates.items()},
    }
    if frame is not None:
        members: Counter[str] = Counter()
        for number, count in Counter(frame.profile_of).items():
            for task in frame.strata[number]:
                members[task] += count
        expected["small-frame"] = {
            task: str(members[task]) for task in a.tasks if members[task] < SMALL_FRAME
        }
    if roster is not None and (frame is not None or a.policy.cross_district):
        districts = None if frame is None or a.policy.cross_district else sorted(set(frame.districts))
        thin = {department: _thinnest(a, department, roster, districts) for department in a.crews}
        pools = {task.id: thin[task.department] for task in a.tasks.values()}
        expected["small-pool"] = {task: str(least) for task, least in pools.items() if least is not None}
    return expected


def _thinnest(
    a: Announcement, department: str, roster: Mapping[str, Inspector], districts: Sequence[str] | None
) -> int | None:
    """Return the size of a department's smallest thin pool, None if none is thin. ``districts`` None: they do not bind."""
    tasks = [task for task in a.tasks.values() if task.department == department]
    marks = [mark for task in tasks for item in task.items for mark in item.marks]
    seats = Counter(crew_seats(a.crews[department], marks, drop_open=False))
    people = [inspector for inspector in roster.values() if inspector.department == department]
    sizes = []
    for district in (None,) if districts is None else districts:
        for seat, wanted in seats.items():
            able = sum(
                inspector.marks.issuperset(seat) and (district is None or district in inspector.districts)
                for inspector in people
            )
            if able < THIN * wanted:
                sizes.append(able)
    return min(sizes, default=None)


def undated_reasons(
    a: Announcement, result: Result, frame: Frame, roster: Mapping[str, Inspector], recusals: Recusals
) -> list[dict[str, Any]]:
    """Return the undated visits with their reasons, as statistics.json should have them. Needs complete visits."""
    visits = result.visits or ()
    undated = [visit for visit in visits if visit.date is None]
    if not undated:
        return []
    rules = Rules(a, roster, result.relief)
    barred = replay_barring(undated, recusals, Tickets(result.seed, a.suite), rules)
    rows = []
    for visit in undated:
        reason = "no-seatable-day"
        position = frame.index.get(visit.enterprise)
        if position is not None and set(a.days) <= set(frame.closed[position]):
            reason = "closed"
        else:
            for department in rules.departments(visit):
                every = (1 << len(rules.seats(visit, department))) - 1
                able = [
                    mask
                    for person, mask in rules.pool(visit, department).items()
                    if person not in barred[visit.enterprise, visit.part]
                    and (person, visit.enterprise) not in recusals.enterprise
                ]
                covered = 0
                for mask in able:
                    covered |= mask
                if covered != every or len(able) < every.bit_length():
                    reason = "seat-without-candidate"
        rows.append({"enterprise": visit.enterprise, "part": visit.part, "reason": reason})
    return rows
