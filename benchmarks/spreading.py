"""Twenty-four months in a row: do fresh seeds and the visit ledger spread the visits?

    python benchmarks/spreading.py [--firms 3000] [--markdown]

Invented firms, four departments with two tasks each (one of them twice a year) at four sets of class ratios, a new seed every month, what was drawn becomes next month's
ledger. Rows: tickets that stay the same (what a long-lived number per firm would do), fresh seeds without a ledger, with the ledger,
and with an annual cap of two visiting days and an interval of three months as policies. Nothing is paired or dated: every selected
firm counts as visited on the 15th.

连续二十四个月：每月的新种子和检查台账是否把上门分散开？四个部门各两个任务（其一每年两次），四组分类比例。各行依次为：签号固定不变、新种子而无台账、有台账、
再加年度上限两天和最短间隔三个月。
"""

from __future__ import annotations

import argparse
import hashlib
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import date, timedelta
from fractions import Fraction
from itertools import pairwise

from dualrandom.announcement import build_announcement
from dualrandom.draw import select
from dualrandom.eligibility import year_to_date
from dualrandom.frame import freeze, membership
from dualrandom.policy.documents import Policy, parse_policy
from dualrandom.policy.reader import parse_plan
from dualrandom.registry.models import Enterprise, Inspector, Item, Libraries, PastVisit
from dualrandom.ticket import Tickets

MONTHS = 24
PERCENT = {"a": (1, 2, 10, 30), "b": (3, 3, 3, 3), "c": (4, 5, 21, 61), "d": (1, 4, 8, 20)}
"""Annual ratios by department and class (A to D). The first task of each department wants two checks a year."""
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


def plan_text(first: date) -> str:
    last = (first.replace(day=28) + timedelta(days=4)).replace(day=1) - timedelta(days=1)
    text = f"""
[plan]
id = "p"
authority = "a"
authority_name = "机关"
period = {{ start = {first}, end = {last} }}
enterprise_ids = "free"
[days]
working = "weekdays"
[deadlines]
findings = 2026-01-01T00:00:00Z
[beacon]
kind = "local"
time = {first - timedelta(days=5)}T00:00:00Z
[auditor]
name = "审计"
"""
    for department in "abcd":
        text += f'[[departments]]\nid = "{department}"\nname = "{department}"\n'
    for department in "abcd":
        for number in (1, 2):
            name = f"{department}{number}"
            text += f'[[tasks]]\nid = "{name}"\nname = "{name}"\ndepartment = "{department}"\nitems = ["{name}"]\n'
            shares = ", ".join(f'{c} = "{p}%"' for c, p in zip("ABCD", PERCENT[department], strict=True))
            text += f"ratios = {{ {shares} }}\n" + ("frequency = 2\n" if number == 1 else "")
    return text


def libraries(count: int) -> Libraries:
    dice = random.Random(1)
    firms = tuple(
        Enterprise(
            f"e{n:05d}", "企业", "d1", dice.choices("ABCD", (55, 30, 12, 3))[0], "enterprise", "", "", "", ()
        )
        for n in range(count)
    )
    people = tuple(
        Inspector(f"{d}-{n}", "人员", d, (), ("leader",), f"{d}{n}", None, (), None, None)
        for d in "abcd"
        for n in range(4)
    )
    items = tuple(
        sorted(
            (
                Item(f"{d}{n}", "事项", "item", d, "法", "general", (), Fraction(1), None, None)
                for d in "abcd"
                for n in (1, 2)
            ),
            key=lambda item: item.id,
        )
    )
    return Libraries(firms, people, items, (), ())


@dataclass(frozen=True)
class Way:
    """One way of drawing month after month."""

    name: str
    seed: Callable[[int], str]
    ledger: bool
    policies: tuple[Policy, ...]


def fresh(month: int) -> str:
    return hashlib.sha256(f"spreading {month}".encode()).hexdigest()


def months(way: Way, base: Libraries) -> dict[str, list[int]]:
    """Return each visited firm's months, from 0, ascending."""
    visits: list[PastVisit] = []
    visited: dict[str, set[int]] = defaultdict(set)
    department = {f"{d}{n}": d for d in "abcd" for n in (1, 2)}
    for month in range(MONTHS):
        first = date(2023 + month // 12, 1 + month % 12, 1)
        plan = parse_plan(plan_text(first).encode()).plan
        assert plan is not None
        # who keeps no ledger draws a twelfth of the year's checks each month
        plan = replace(plan, policies=way.policies, months_left=plan.months_left if way.ledger else 12)
        current = Libraries(
            base.enterprises, base.inspectors, base.items, (), tuple(visits) if way.ledger else ()
        )
        placed = membership(plan, current.enterprises, year_to_date(plan, current.visits, current.items))
        frozen = freeze(plan, current, placed, f"a-{first.year}-{month + 1:06d}", plan.period, b"\0" * 32)
        if way.seed is not fresh:
            # a number that stays is one that everybody knows
            frozen = replace(frozen, keys=frozen.ids)
        announcement = build_announcement(
            plan, current, frozen, plan.period, {"frame": {"root": "", "size": 0}}, (), None, ()
        )
        for one in select(announcement, frozen, Tickets(way.seed(month))):
            for firm in one.by_ticket:
                visited[firm].add(month)
                row = PastVisit(
                    firm, first.replace(day=15), department[one.task], one.task, one.task, (), "plan"
                )
                visits.append(row)
    return {firm: sorted(found) for firm, found in visited.items()}


def row(name: str, found: Mapping[str, list[int]]) -> tuple[str, ...]:
    gaps = [b - a for when in found.values() for a, b in pairwise(when)]
    years = Counter((firm, month // 12) for firm, when in found.items() for month in when)
    total = sum(len(when) for when in found.values())
    longest = max(_run(when) for when in found.values())
    again = sum(gap == 1 for gap in gaps)
    return (
        name,
        f"{total:,}",
        f"{len(found):,}",
        f"{again:,} ({again / total:.1%})",
        str(longest),
        str(max(years.values())),
        str(min(gaps, default=0)),
    )


def _run(when: list[int]) -> int:
    best = run = 1
    for a, b in pairwise(when):
        run = run + 1 if b == a + 1 else 1
        best = max(best, run)
    return best


HEADINGS = (
    "way · 方式",
    "visits · 上门",
    "firms · 户数",
    "again next month · 次月又来",
    "longest run of months · 连续最长月数",
    "most in a year · 一年最多",
    "least gap in months · 最短间隔月数",
)


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--firms", type=int, default=3000)
    parser.add_argument("--markdown", action="store_true")
    asked = parser.parse_args()
    found = parse_policy(POLICY.encode(), "spread.toml").policy
    assert found is not None
    base = libraries(asked.firms)
    ways = (
        Way("tickets that stay · 签号不变", lambda _: fresh(0), False, ()),
        Way("fresh seeds, no ledger · 新种子，无台账", fresh, False, ()),
        Way("fresh seeds, ledger · 新种子，有台账", fresh, True, ()),
        Way("ledger, cap 2, interval 3 · 台账、上限二、间隔三", fresh, True, (found,)),
    )
    rows = [row(way.name, months(way, base)) for way in ways]
    if asked.markdown:
        print("| " + " | ".join(HEADINGS) + " |")
        print("|" + "---|" * len(HEADINGS))
        for cells in rows:
            print("| " + " | ".join(cells) + " |")
    else:
        for cells in rows:
            print(
                "; ".join(
                    f"{heading.split(' · ', maxsplit=1)[0]}: {cell}"
                    for heading, cell in zip(HEADINGS, cells, strict=True)
                )
            )


if __name__ == "__main__":
    main()
