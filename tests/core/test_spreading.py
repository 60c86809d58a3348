"""Month after month: fresh seeds and the ledger spread the visits, and key items end the year at 100 %."""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Any

from dualrandom.announcement import build_announcement
from dualrandom.draw import select
from dualrandom.eligibility import year_to_date
from dualrandom.frame import freeze, membership
from dualrandom.policy.documents import Policy, parse_policy
from dualrandom.policy.plan import Plan, Task
from dualrandom.registry.models import Libraries, PastVisit
from dualrandom.ticket import Tickets

POLICY = """
[policy]
id = "spread"
version = "1"
name = "分散"
level = "city"
authority = "市"
[[rules]]
id = "cap"
kind = "annual-cap"
times = 2
source = "示例"
[[rules]]
id = "interval"
kind = "interval"
months = 3
source = "示例"
"""


def run(plan: Plan, base: Libraries, months: int) -> list[PastVisit]:
    """Draw so many months from January 2025 on; what is selected is visited on the 15th."""
    visits: list[PastVisit] = []
    department = {task.id: task.department for task in plan.tasks}
    for month in range(months):
        first = date(2025 + month // 12, 1 + month % 12, 1)
        now = replace(
            plan, year=first.year, period=(first, first.replace(day=28)), months_left=12 - month % 12
        )
        libraries = replace(base, visits=tuple(visits))
        placed = membership(now, base.enterprises, year_to_date(now, visits, base.items))
        frozen = freeze(now, libraries, placed, f"test-{first.year}-000001", now.period, None)
        document = build_announcement(
            now, libraries, frozen, now.period, {"frame": {"root": "", "size": 0}}, (), None, ()
        )
        seed = hashlib.sha256(f"month {month}".encode()).hexdigest()
        for one in select(document, frozen, Tickets(seed)):
            visits += [
                PastVisit(firm, first.replace(day=15), department[one.task], one.task, "", (), "plan")
                for firm in one.by_ticket
            ]
    return visits


def tasks(make_task: Callable[..., Task]) -> tuple[Task, ...]:
    shares = {"t1": (5, 10, 20, 40), "t2": (10, 10, 10, 10)}
    return tuple(
        make_task(
            name,
            department,
            ratios={c: Fraction(s, 100) for c, s in zip("ABCD", shares[name], strict=True)},
        )
        for name, department in (("t1", "amr"), ("t2", "fire"))
    )


def months_of(visits: list[PastVisit]) -> dict[str, list[int]]:
    found: dict[str, set[int]] = defaultdict(set)
    for visit in visits:
        found[visit.enterprise].add(visit.date.year * 12 + visit.date.month)
    return {firm: sorted(months) for firm, months in found.items()}


def test_no_firm_is_visited_month_after_month_under_a_cap_and_an_interval(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    policy = parse_policy(POLICY.encode(), "spread.toml").policy
    assert isinstance(policy, Policy)
    base = make_libraries(enterprises=300)
    plan = make_plan(tasks=tasks(make_task), policies=(policy,))
    found = months_of(run(plan, base, 24))
    assert len(found) > 60
    for months in found.values():
        assert all(b - a >= 4 for a, b in pairwise(months))
        assert max(Counter((month - 1) // 12 for month in months).values()) <= 2


def test_the_annual_ratio_is_met_each_year_from_what_is_still_owed(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    base = make_libraries(enterprises=300)
    plan = make_plan(tasks=tasks(make_task))
    visits = run(plan, base, 24)
    classes = {firm.id: firm.credit_class for firm in base.enterprises}
    sizes = Counter(classes.values())
    for task in plan.tasks:
        assert task.ratios is not None
        for year in (2025, 2026):
            done = Counter(classes[v.enterprise] for v in visits if v.task == task.id and v.date.year == year)
            for name, ratio in task.ratios.items():
                assert done[name] == -(-sizes[name] * ratio // 1)


def test_key_items_end_the_year_at_a_hundred_per_cent_and_twice_where_twice_is_owed(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    base = make_libraries(enterprises=60)
    whole = dict.fromkeys("ABCD", Fraction(1))
    plan = make_plan(
        tasks=(
            make_task("t1", "amr", ratios=whole),
            make_task("t2", "fire", ratios=whole, frequency=2, interval=5),
        )
    )
    visits = run(plan, base, 12)
    counts = Counter((v.task, v.enterprise) for v in visits)
    assert {counts["t1", firm.id] for firm in base.enterprises} == {1}
    assert {counts["t2", firm.id] for firm in base.enterprises} == {2}
    twice = months_of([v for v in visits if v.task == "t2"])
    assert all(b - a >= 6 for months in twice.values() for a, b in pairwise(months))
