"""The year to date: targets, what was done, and the forecast of what will be missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

from dualrandom.policy.documents import parse_policy
from dualrandom.policy.plan import Budget, Plan
from dualrandom.registry.models import Libraries, PastVisit
from dualrandom.year import missed, progress


def test_the_forecast_names_class_and_district_that_will_be_short(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    libraries = make_libraries(enterprises=60)
    risky = [e for e in libraries.enterprises if e.credit_class == "D" and e.district == "d1"]
    assert len(risky) >= 3
    done = tuple(PastVisit(e.id, date(2026, 3, 2), "amr", "t1", "", (), "plan") for e in risky[:2])
    plan = make_plan(tasks=(make_task("t1", "amr"),), months_left=2)
    rows = {(r.credit_class, r.district): r for r in progress(plan, replace(libraries, visits=done))}
    row = rows["D", "d1"]
    assert (row.whole, row.done, row.eligible) == (len(risky), 2, len(risky) - 2)
    assert row.target == len(risky)
    # two checks in ten months are a fifth a month: nothing more in the two that are left
    assert (row.forecast, row.short) == (2, len(risky) - 2)
    assert missed(tuple(rows.values()))[0].short == max(r.short for r in rows.values())
    assert sum(r.whole for r in rows.values()) == len(libraries.enterprises)


def test_case_visits_and_other_years_do_not_count_towards_the_target(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    libraries = make_libraries()
    firm = libraries.enterprises[0].id
    visits = (
        PastVisit(firm, date(2026, 3, 2), "amr", "t1", "", (), "case"),
        PastVisit(firm, date(2025, 3, 2), "amr", "t1", "", (), "plan"),
    )
    plan = make_plan(tasks=(make_task("t1", "amr"),))
    assert sum(r.done for r in progress(plan, replace(libraries, visits=visits))) == 0


def test_a_budget_is_the_target_of_all_cells_together(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    budget = Budget(30, {"A": Fraction(1), "B": Fraction(1), "C": Fraction(2), "D": Fraction(4)})
    plan = make_plan(tasks=(make_task("t1", "amr", ratios=None, budget=budget),))
    assert sum(r.target for r in progress(plan, make_libraries())) == 30


def test_a_law_for_some_firms_moves_a_budgets_targets_to_them(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    libraries = make_libraries()
    law = parse_policy(
        '[policy]\nid = "law"\nversion = "1"\nname = "细则"\nlevel = "city"\nauthority = "市"\n[[rules]]\nid = "d"\n'
        'kind = "floor"\nratio = "50%"\nsource = "第一条"\nscope = { districts = ["d1"], classes = ["A"] }'.encode(),
        "law.toml",
    ).policy
    assert law is not None
    budget = Budget(8, dict.fromkeys("ABCD", Fraction(1)))
    task = make_task("t1", "amr", ratios=None, budget=budget, strata_by=())
    rows = progress(make_plan(tasks=(task,), policies=(law,)), libraries)
    assert sum(r.target for r in rows) == 8
    (owed,) = [r for r in rows if (r.credit_class, r.district) == ("A", "d1")]
    assert owed.target == Fraction(owed.whole, 2) > 8 * Fraction(owed.whole, len(libraries.enterprises))


RECOGNITION = """
[policy]
id = "own"
version = "1"
name = "互认"
level = "city"
authority = "市"
[[rules]]
id = "fire"
kind = "recognition"
months = 12
recognises = { items = ["f7"] }
source = "互认办法"
[[rules]]
id = "floor"
kind = "floor"
ratio = { D = "50%" }
source = "下限"
"""


def test_recognised_firms_are_counted_apart_and_targets_are_those_after_policies(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    policy = parse_policy(RECOGNITION.encode(), "own.toml").policy
    assert policy is not None
    libraries = make_libraries(enterprises=60)
    risky = [e for e in libraries.enterprises if e.credit_class == "D"]
    visits = (PastVisit(risky[0].id, date(2026, 3, 2), "fire", "", "f7", (), "plan"),)
    task = make_task("t1", "amr", ratios=dict.fromkeys("ABCD", Fraction(1, 10)))
    plan = make_plan(tasks=(task,), policies=(policy,))
    rows = progress(plan, replace(libraries, visits=visits))
    of_class = {name: [row for row in rows if row.credit_class == name] for name in "ABCD"}
    assert sum(row.recognised for row in rows) == sum(row.recognised for row in of_class["D"]) == 1
    assert sum(row.whole for row in of_class["D"]) == len(risky) - 1
    assert sum(row.done for row in rows) == 0
    # the floor of one class is the law, the plan's tenth is left to the others
    assert sum(row.target for row in of_class["D"]) == Fraction(len(risky) - 1, 2)
    assert sum(row.target for row in of_class["A"]) == Fraction(sum(row.whole for row in of_class["A"]), 10)


def test_object_kinds_and_five_classes_are_data(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    base = make_libraries(enterprises=50)
    firms = tuple(
        replace(firm, credit_class=str(1 + n % 5), kind=("enterprise", "stall")[n % 2])
        for n, firm in enumerate(base.enterprises)
    )
    ratios = {str(n): Fraction(n, 5) for n in range(1, 6)}
    task = make_task("t1", "amr", ratios=ratios, strata_by=("kind", "class"))
    plan = make_plan(tasks=(task,), classes=tuple("12345"))
    rows: dict[str, Fraction] = {}
    for row in progress(plan, replace(base, enterprises=firms)):
        rows[row.credit_class] = rows.get(row.credit_class, Fraction(0)) + row.target
    assert rows == {name: 10 * ratio for name, ratio in ratios.items()}
