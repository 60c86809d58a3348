"""Crews as published: seats, who sits in them, bars and caps (docs/protocol.md §8.1–8.3, §8.5), and the proof of §8.7."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from dualrandom.ticket import Tickets, cost_of
from dualrandom.verify.lists import Inspector, Recusals
from dualrandom.verify.prices import LeastPrices, PricedCrew, least_prices
from dualrandom.verify.report import Fault, Verdict
from dualrandom.verify.result import Crew, Prices, Tie, Visit
from dualrandom.verify.seats import Place, Pool, Rules, attempt_stage, canonical_seating

Cost = Callable[[bytes], int]


@dataclass(frozen=True, slots=True)
class Hidden:
    """What only an open draw or the auditor shows of a draw's crews."""

    recusals: Recusals
    barred: Mapping[Place, frozenset[str]]


def misfits(visit: Visit, crew: Crew, rules: Rules, seats: Sequence[str]) -> list[tuple[str, str]]:
    """Return what is wrong with the people in a crew's ``seats``, bars and recusals aside; [] lets prices be computed."""
    place_zh, place_en = (
        f"检查 {visit.name} 部门 {crew.department}",
        f"visit {visit.name} department {crew.department}",
    )
    wanted = rules.seats(visit, crew.department)
    faults: list[tuple[str, str]] = []
    if len(seats) != len(wanted):
        faults.append(
            (
                f"{place_zh} 应有 {len(wanted)} 个席位，实有 {len(seats)} 人",
                f"{place_en} should have {len(wanted)} seats, has {len(seats)} people",
            )
        )
        return faults
    for person, count in Counter(seats).items():
        if count > 1:
            faults.append(
                (f"{place_zh} 的 {person} 占了 {count} 席", f"{place_en}: {person} sits {count} times")
            )
    pool = rules.pool(visit, crew.department)
    for seat, person in enumerate(seats):
        inspector = rules.roster.get(person)
        if inspector is None:
            faults.append(
                (f"{place_zh} 的 {person} 不在名录中", f"{place_en}: {person} is not in the roster")
            )
        elif not pool.get(person, 0) >> seat & 1:
            zh, en = _why_not(inspector, visit, crew.department, wanted[seat])
            faults.append(
                (f"{place_zh} 第 {seat + 1} 席的 {person} {zh}", f"{place_en} seat {seat + 1}: {person} {en}")
            )
        elif visit.date in inspector.absent:
            faults.append(
                (
                    f"{place_zh} 的 {person} 在 {visit.date} 缺勤",
                    f"{place_en}: {person} is absent on {visit.date}",
                )
            )
    return faults


def _why_not(inspector: Inspector, visit: Visit, department: str, marks: Sequence[str]) -> tuple[str, str]:
    if inspector.department != department:
        return f"属于部门 {inspector.department}", f"belongs to department {inspector.department}"
    missing = sorted(set(marks) - inspector.marks)
    if missing:
        return f"缺少资格 {missing}", f"lacks the marks {missing}"
    return f"不负责区划 {visit.district}", f"does not serve district {visit.district}"


def over_caps(visits: Sequence[tuple[str, Sequence[str]]], rules: Rules) -> list[tuple[str, str]]:
    """Return whose caps are exceeded by (date, people) of all crews."""
    daily: Counter[tuple[str, str]] = Counter()
    total: Counter[str] = Counter()
    for date, people in visits:
        for person in people:
            daily[person, date] += 1
            total[person] += 1
    faults = []
    for (person, date), count in sorted(daily.items()):
        if person in rules.roster and count > rules.caps(rules.roster[person])[0]:
            limit = rules.caps(rules.roster[person])[0]
            faults.append(
                (
                    f"{person} 在 {date} 有 {count} 个检查组，每日上限 {limit}",
                    f"{person} has {count} crews on {date}, the daily cap is {limit}",
                )
            )
    for person, count in sorted(total.items()):
        if person in rules.roster and count > rules.caps(rules.roster[person])[1]:
            limit = rules.caps(rules.roster[person])[1]
            faults.append(
                (
                    f"{person} 共有 {count} 个检查组，时段上限 {limit}",
                    f"{person} has {count} crews in all, the period cap is {limit}",
                )
            )
    return faults


def check_crews(
    verdict: Verdict,
    visits: Sequence[Visit],
    rules: Rules,
    tickets: Tickets,
    attempt: int,
    hidden: Hidden | None,
) -> bool:
    """Check all crews; return whether they are legal enough for prices to mean something."""
    sound = True
    dated: list[tuple[str, Sequence[str]]] = []
    for visit in visits:
        crews = visit.crews or ()
        departments = rules.departments(visit) if visit.date is not None else []
        if [crew.department for crew in crews] != departments:
            sound = False
            verdict.fail(
                f"检查 {visit.name} 应有部门 {departments} 的检查组，实有 {[crew.department for crew in crews]}",
                f"visit {visit.name} should have crews of {departments}, has {[crew.department for crew in crews]}",
            )
            continue
        for crew in crews:
            assert visit.date is not None
            dated.append((visit.date, crew.seats))
            faults = misfits(visit, crew, rules, crew.seats)
            if faults:
                sound = False
                for zh, en in faults:
                    verdict.fail(zh, en)
                continue
            sound &= _check_bars(verdict, visit, crew, rules, hidden)
            _check_order(verdict, visit, crew, rules, tickets, attempt)
        if hidden is not None:
            _check_colleagues(verdict, visit, hidden.recusals)
    for zh, en in over_caps(dated, rules):
        sound = False
        verdict.fail(zh, en)
    verdict.note(
        f"{len(dated)} 个检查组的席位、资格、回避与上限相符",
        f"seats, marks, bars and caps of {len(dated)} crews are right",
    )
    return sound


def _check_bars(verdict: Verdict, visit: Visit, crew: Crew, rules: Rules, hidden: Hidden | None) -> bool:
    place_zh, place_en = (
        f"检查 {visit.name} 部门 {crew.department}",
        f"visit {visit.name} department {crew.department}",
    )
    pool = rules.pool(visit, crew.department)
    seated = sorted(set(crew.seats) & set(crew.barred))
    for person in seated:
        verdict.fail(f"{place_zh} 的 {person} 在 barred 之列", f"{place_en}: {person} sits though barred")
    if hidden is None:
        for person in crew.barred:
            if person not in pool:
                verdict.fail(
                    f"{place_zh} 的 barred 中 {person} 本来就不能入席",
                    f"{place_en}: {person} is barred but could not sit anyway",
                )
        return not seated
    kept_out = {person for person in pool if (person, visit.enterprise) in hidden.recusals.enterprise}
    for person in sorted(kept_out & set(crew.seats)):
        verdict.fail(
            f"{place_zh} 的 {person} 应回避该企业", f"{place_en}: {person} is recused from the enterprise"
        )
    expected = tuple(sorted(kept_out | (hidden.barred[visit.enterprise, visit.part] & pool.keys())))
    if crew.barred != expected:
        verdict.fail(
            f"{place_zh} 的 barred 应为 {list(expected)}，实为 {list(crew.barred)}",
            f"{place_en}: barred should be {list(expected)}, is {list(crew.barred)}",
        )
    return not seated


def _check_colleagues(verdict: Verdict, visit: Visit, recusals: Recusals) -> None:
    present = {person for crew in visit.crews or () for person in crew.seats}
    for person in sorted(present):
        for other in sorted(recusals.colleagues.get(person, frozenset()) & present):
            if person < other:
                verdict.fail(
                    f"检查 {visit.name} 的 {person} 与 {other} 不得同组",
                    f"visit {visit.name}: {person} and {other} may not serve together",
                )


def _check_order(
    verdict: Verdict, visit: Visit, crew: Crew, rules: Rules, tickets: Tickets, attempt: int
) -> None:
    pool = rules.pool(visit, crew.department)
    stage = attempt_stage(attempt)
    numbers = {
        person: tickets.raw(stage, f"{visit.enterprise}:{crew.department}:{person}") for person in crew.seats
    }
    expected = canonical_seating({person: pool[person] for person in crew.seats}, numbers, len(crew.seats))
    if expected is not None and expected != crew.seats:
        verdict.fail(
            f"检查 {visit.name} 部门 {crew.department} 的席位次序应为 {list(expected)}，实为 {list(crew.seats)}",
            f"visit {visit.name} department {crew.department}: the seats should be {list(expected)}, "
            f"are {list(crew.seats)}",
        )


def priced_crews(
    visits: Sequence[Visit],
    seats_of: Callable[[Visit, Crew], Sequence[str]],
    rules: Rules,
    tickets: Tickets,
    attempt: int,
    cost: Cost = cost_of,
) -> list[PricedCrew]:
    """Return all crews with everybody's cost at an attempt; who may sit is judged by the published ``barred``."""
    stage = attempt_stage(attempt)
    priced = []
    for visit in visits:
        if visit.date is None:
            continue
        for crew in visit.crews or ():
            able = _able(rules.pool(visit, crew.department), visit.date, frozenset(crew.barred), rules)
            names = [f"{visit.enterprise}:{crew.department}:{person}" for person in able]
            costs = {
                person: cost(ticket) for person, ticket in zip(able, tickets.many(stage, names), strict=True)
            }
            name = f"{visit.name} {crew.department}"
            priced.append(PricedCrew(name, visit.date, tuple(seats_of(visit, crew)), able, costs))
    return priced


def _able(pool: Pool, date: str, barred: frozenset[str], rules: Rules) -> dict[str, int]:
    return {
        person: mask
        for person, mask in pool.items()
        if person not in barred and date not in rules.roster[person].absent
    }


def total_cost(visits: Sequence[Visit], tickets: Tickets, attempt: int) -> int:
    """Return the sum of all crew members' costs at an attempt."""
    names = [
        f"{visit.enterprise}:{crew.department}:{person}"
        for visit in visits
        for crew in visit.crews or ()
        for person in crew.seats
    ]
    return sum(map(cost_of, tickets.many(attempt_stage(attempt), names)))


def check_prices(
    verdict: Verdict,
    visits: Sequence[Visit],
    published: Prices,
    rules: Rules,
    tickets: Tickets,
    attempt: int,
    ties: Sequence[Tie] | None,
    cost: Cost = cost_of,
    *,
    withheld: bool = False,
) -> None:
    """Check that the plan is the least one and unique, its prices the least ones, and that tied attempts are evidenced.

    The crews must be legal. ``ties`` is None where ties.json is missing or broken; ``withheld``: there is none yet, by the embargo.
    """
    caps = {inspector.id: rules.caps(inspector) for inspector in rules.roster.values()}
    priced = priced_crews(visits, lambda _, crew: crew.seats, rules, tickets, attempt, cost)
    least = _least(verdict, priced, caps, "方案", "the plan")
    if least is not None:
        _compare_prices(verdict, published, least.published(), "prices", "prices")
        other = least.another_plan()
        if other is not None:
            verdict.fail(
                f"方案不唯一：{other} 可互换而总成本相同", f"the plan is not unique: {other} costs the same"
            )
        verdict.note(
            f"{len(priced)} 个检查组的方案总成本最小且唯一，价格相符",
            f"the plan of {len(priced)} crews is the least one and unique, and its prices are right",
        )
    if attempt == 0:
        return
    if ties is None and withheld:
        verdict.unchecked(
            "ties.json 在保密期内不公布", "ties.json stays away until the embargo is lifted in public"
        )
        return
    if ties is None:
        verdict.fail(
            f"attempt 为 {attempt}，却没有可用的 ties.json",
            f"attempt is {attempt}, but there is no usable ties.json",
        )
        return
    # lengths first: the number is whatever the record says
    if len(ties) != attempt or [tie.attempt for tie in ties] != list(range(len(ties))):
        verdict.fail(
            f"ties.json 应有第 0 至 {attempt - 1} 次", f"ties.json should have attempts 0 to {attempt - 1}"
        )
    for tie in ties:
        _check_tie(verdict, tie, visits, rules, tickets, caps, cost)


def _least(
    verdict: Verdict, priced: Sequence[PricedCrew], caps: Mapping[str, tuple[int, int]], zh: str, en: str
) -> LeastPrices | None:
    try:
        return least_prices(priced, caps)
    except Fault as fault:
        verdict.fail(f"{zh}：{fault.zh}", f"{en}: {fault.en}")
        return None


def _compare_prices(verdict: Verdict, published: Prices, expected: Prices, zh: str, en: str) -> None:
    for inspector in sorted(published.keys() | expected.keys()):
        ours, theirs = expected.get(inspector, (0, {})), published.get(inspector, (0, {}))
        if _told(ours) != _told(theirs):
            verdict.fail(
                f"{zh} 中 {inspector} 的价格应为 {_told(ours)}，公布为 {_told(theirs)}",
                f"{en}: the prices of {inspector} should be {_told(ours)}, published are {_told(theirs)}",
            )


def _told(prices: tuple[int, Mapping[str, int]]) -> str:
    return ", ".join([f"period {prices[0]}", *(f"{day} {price}" for day, price in sorted(prices[1].items()))])


def _check_tie(
    verdict: Verdict,
    tie: Tie,
    visits: Sequence[Visit],
    rules: Rules,
    tickets: Tickets,
    caps: Mapping[str, tuple[int, int]],
    cost: Cost,
) -> None:
    zh, en = f"第 {tie.attempt} 次", f"attempt {tie.attempt}"
    keys = {(v.enterprise, v.part, crew.department) for v in visits for crew in v.crews or ()}
    if tie.crews.keys() != keys:
        verdict.fail(
            f"ties.json {zh}的检查组与结果不同", f"ties.json {en}: its crews are not those of the result"
        )
        return
    faults: list[tuple[str, str]] = []
    dated: list[tuple[str, Sequence[str]]] = []

    def seats_of(visit: Visit, crew: Crew) -> Sequence[str]:
        return tie.crews[visit.enterprise, visit.part, crew.department]

    for visit in visits:
        for crew in visit.crews or ():
            seats = seats_of(visit, crew)
            faults += misfits(visit, crew, rules, seats)
            faults += [
                (f"{visit.name} 的 {person} 在 barred 之列", f"{visit.name}: {person} sits though barred")
                for person in set(seats) & set(crew.barred)
            ]
            dated.append((visit.date or "", seats))
    faults += over_caps(dated, rules)
    for fault_zh, fault_en in faults:
        verdict.fail(f"ties.json {zh}：{fault_zh}", f"ties.json {en}: {fault_en}")
    if faults:
        return
    priced = priced_crews(visits, seats_of, rules, tickets, tie.attempt, cost)
    least = _least(verdict, priced, caps, f"ties.json {zh}", f"ties.json {en}")
    if least is not None:
        _compare_prices(verdict, tie.prices, least.published(), f"ties.json {zh}", f"ties.json {en}")
        if least.another_plan() is None:
            verdict.fail(
                f"ties.json {zh}的方案是唯一的，不应进入下一次",
                f"ties.json {en}: the plan is unique, so there was no reason for another attempt",
            )
