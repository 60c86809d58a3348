"""The year to date: targets, what was done, and the forecast of what will be missed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from typing import Any, Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dualrandom.policy.documents import parse_policy
from dualrandom.policy.plan import Budget, Plan
from dualrandom.registry.models import Enterprise, Libraries, PastVisit
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


FIRMS = st.lists(
    st.tuples(
        st.sampled_from("AD"),
        st.sampled_from(["d1", "d2"]),
        st.booleans(),
        st.lists(
            st.tuples(
                st.dates(date(2025, 11, 1), date(2026, 12, 31)),
                st.sampled_from(["t1", "t1", "t1", "other"]),
                st.sampled_from(["plan", "plan", "special", "case"]),
            ),
            max_size=4,
        ),
    ),
    min_size=1,
    max_size=24,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    FIRMS,
    st.integers(1, 12),
    st.integers(1, 2),
    st.tuples(st.fractions(0, 1, max_denominator=20), st.fractions(0, 1, max_denominator=20)),
    st.sampled_from([("class",), ("class", "district")]),
)
def test_in_any_month_a_cell_owes_its_ratio_of_the_year_and_ends_it_at_the_pace_so_far(
    make_plan: Callable[..., Plan],
    make_task: Callable[..., Any],
    make_libraries: Callable[..., Libraries],
    drawn: list[tuple[str, str, bool, list[tuple[date, str, Literal["plan", "special", "case"]]]]],
    month: int,
    frequency: int,
    shares: tuple[Fraction, Fraction],
    strata_by: tuple[str, ...],
) -> None:
    start, end = date(2026, month, 2), date(2026, month, 6)
    ratios = dict(zip("AD", shares, strict=True))
    firms, visits = [], []
    owing: dict[tuple[str, str], int] = {}
    checked: dict[tuple[str, str], int] = {}
    for number, (credit_class, district, suspended, days) in enumerate(drawn):
        one = Enterprise(f"e{number:02d}", "企业", district, credit_class, "enterprise", "52", "", "", ())
        firms.append(replace(one, suspended_until=end if suspended else None))
        visits += [PastVisit(one.id, day, "amr", task, "", (), kind) for day, task, kind in days]
        if suspended:
            continue
        cell = credit_class, district
        owing[cell] = owing.get(cell, 0) + 1
        counted = {
            day
            for day, task, kind in days
            if date(2026, 1, 1) <= day < start and task == "t1" and kind != "case"
        }
        checked[cell] = checked.get(cell, 0) + min(len(counted), frequency)
    task = make_task("t1", "amr", ratios=ratios, frequency=frequency, strata_by=strata_by)
    plan = make_plan(tasks=(task,), period=(start, end), months_left=13 - month)
    rows = progress(
        plan, replace(make_libraries(), enterprises=tuple(firms), visits=tuple(visits), recusals=())
    )
    assert {(r.credit_class, r.district): (r.whole, r.done) for r in rows if r.whole} == {
        cell: (owing[cell], checked[cell]) for cell in owing
    }
    for row in rows:
        # neither the month nor what was done moves what the year owes
        assert row.target == ratios[row.credit_class] * frequency * row.whole
        if month == 1:
            assert row.target <= row.forecast < row.target + 1
        else:
            # twelve months at the pace of those that are over, in whole checks
            assert 0 <= Fraction(12 * row.done, month - 1) - row.forecast < 1
        assert row.short >= 0
        missing = row.target - row.forecast
        assert row.short <= missing < row.short + 1 if missing > 0 else row.short == 0
    assert set(missed(rows)) == {row for row in rows if row.target - row.forecast >= 1}
