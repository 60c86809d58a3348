"""The year to date: targets, what was done, and the forecast of what will be missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any

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
