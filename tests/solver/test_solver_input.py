"""What the solver refuses, and with what words."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import fields, replace

import numpy as np
import pytest

from dualrandom_solver import (
    CostRange,
    FlowFailed,
    Instance,
    InvalidInstance,
    InvalidPlan,
    NotOptimal,
    NotSeatable,
    SolverError,
    least_plan,
    least_prices,
    lottery_dates,
    replacements,
    solve,
)


def two_crews() -> Instance:
    """Two visits on two days, a crew of two seats each, four people; the first seat needs person 0 or 1."""
    return Instance(
        days=2,
        daily=np.array([1, 1, 1, 1]),
        total=np.array([1, 2, 2, 2]),
        absent=np.array([[0, 0], [0, 0], [0, 1], [0, 0]], dtype=np.bool_),
        visit_indptr=np.array([0, 2, 4]),
        visit_days=np.array([0, 1, 1, 0]),
        visit_group=np.array([0, 0]),
        crew_visit=np.array([0, 1]),
        seat_indptr=np.array([0, 2, 4]),
        cand_indptr=np.array([0, 4, 8]),
        cand_person=np.array([0, 1, 2, 3, 0, 1, 2, 3]),
        cand_cost=np.array([5, 9, 4, 7, 3, 8, 1, 6]),
        cand_seats=np.array([3, 3, 2, 2, 3, 3, 2, 2], dtype=np.uint64),
        cand_rank=np.array([1, 3, 0, 2, 1, 3, 0, 2]),
    )


def test_the_worked_example_comes_out_as_by_hand() -> None:
    solution = solve(two_crews())
    assert solution.dates.tolist() == [0, 1]
    # person 0 may serve once: crew 0 takes 0 and 2 with crew 1 left 1 and 3 (5+4+8+6), or 1 and 2 with 0 and 3
    assert solution.plan.members.tolist() == [1, 2, 4, 7]
    assert solution.plan.cost == 9 + 4 + 3 + 6
    # on the first date person 0 would undercut person 1 by 4
    assert solution.prices.period.tolist() == [4, 0, 0, 0]
    assert not solution.prices.day.any()
    assert solution.unique


WRONG: list[tuple[str, object, str]] = [
    ("days", 0, "days"),
    ("daily", np.array([1, 1, 1]), "one length"),
    ("daily", np.array([1, 1, 1, -1]), "daily"),
    ("total", np.array([1, 2, 2, 1.5]), "int64"),
    ("absent", np.zeros((4, 3), dtype=np.bool_), "persons x days"),
    ("absent", np.zeros((4, 2), dtype=np.int64), "bool"),
    ("visit_indptr", np.array([0, 3, 2]), "visit_indptr"),
    ("visit_indptr", np.array([0, 2, 3]), "must end at 4"),
    ("visit_days", np.array([0, 1, 1, 2]), "visit_days"),
    ("visit_days", np.array([0, 0, 1, 0]), "repeats"),
    ("visit_group", np.array([0]), "visit_group"),
    ("crew_visit", np.array([0, 2]), "crew_visit"),
    ("seat_indptr", np.array([0, 2, 67]), "seats of a crew"),
    ("cand_indptr", np.array([1, 4, 8]), "cand_indptr"),
    ("cand_person", np.array([0, 1, 2, 4, 0, 1, 2, 3]), "cand_person"),
    ("cand_person", np.array([0, 1, 2, 0, 0, 1, 2, 3]), "repeats a value in row 0"),
    ("cand_cost", np.full(8, 1 << 40), "cand_cost"),
    ("cand_cost", np.full(8, -1), "cand_cost"),
    ("cand_seats", np.full(8, 4, dtype=np.uint64), "does not have"),
    ("cand_seats", np.full(8, -1), "negative"),
    ("cand_rank", np.array([1, 3, 0, 2, 1, 3, 0, 3]), "repeats a value in row 1"),
]


@pytest.mark.parametrize(("name", "value", "words"), WRONG)
def test_arrays_that_describe_no_instance_are_refused(name: str, value: object, words: str) -> None:
    with pytest.raises(InvalidInstance, match=words) as caught:
        replace(two_crews(), **{name: value})  # type: ignore[arg-type]
    assert caught.value.code == "solver.instance"
    assert caught.value.value is not None


def test_an_instance_cannot_be_changed() -> None:
    instance = two_crews()
    for field in fields(instance):
        if field.name != "days":
            with pytest.raises(ValueError, match="read-only"):
                getattr(instance, field.name)[:1] = 0


MEMBERS = [1, 2, 4, 7]


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([1, 2, 4], "for each seat"),
        ([1, -1, 4, 7], "empty"),
        ([1, 2, 4, 8], "no such"),
        ([1, 4, 2, 7], "another crew"),
        ([2, 1, 4, 7], "may not take"),
        ([1, 1, 4, 7], "two seats"),
        ([1, 2, 4, 6], "absent"),
        ([0, 2, 4, 7], "more crews than"),
    ],
)
def test_a_plan_that_breaks_a_rule_is_refused(members: list[int], words: str) -> None:
    with pytest.raises(InvalidPlan, match=words):
        least_prices(two_crews(), np.array([0, 1]), np.array(members))


def test_more_crews_a_day_than_allowed_are_refused() -> None:
    instance = replace(two_crews(), visit_group=np.array([0, 1]))
    with pytest.raises(InvalidPlan, match="crews a day"):
        least_prices(instance, np.array([0, 0]), np.array([1, 2, 5, 7]))


def test_a_plan_that_swaps_two_people_for_the_worse_is_refused() -> None:
    with pytest.raises(NotOptimal) as caught:
        least_prices(two_crews(), np.array([0, 1]), np.array([0, 2, 5, 7]))
    assert caught.value.code == "solver.not_optimal"


def test_dates_that_are_no_days_are_refused() -> None:
    for dates in ([0], [0, 2], [0, -2]):
        with pytest.raises(InvalidPlan, match="dates"):
            least_plan(two_crews(), np.array(dates))


def test_seats_that_cannot_be_filled_are_refused() -> None:
    instance = replace(two_crews(), total=np.array([1, 0, 2, 2]))
    with pytest.raises(NotSeatable):
        least_plan(instance, np.array([0, 1]))
    with pytest.raises(NotSeatable):
        lottery_dates(instance, fixed=np.array([0, 1]))
    assert lottery_dates(instance).tolist() == [0, -1]


def test_visits_of_one_enterprise_never_share_a_day() -> None:
    instance = replace(
        two_crews(), total=np.full(4, 9), daily=np.full(4, 9), visit_days=np.array([0, 1, 0, 1])
    )
    assert lottery_dates(instance).tolist() == [0, 1]
    assert lottery_dates(replace(instance, visit_group=np.array([0, 1]))).tolist() == [0, 0]
    assert lottery_dates(instance, fixed=np.array([-1, 0])).tolist() == [1, 0]


def test_only_seats_of_crews_with_a_date_can_be_vacated() -> None:
    solution = solve(two_crews())
    with pytest.raises(InvalidPlan, match="no such seat"):
        replacements(two_crews(), solution.dates, solution.plan.members, solution.prices, 0, 2)
    dates = np.array([0, -1])
    plan = least_plan(two_crews(), dates)
    prices = least_prices(two_crews(), dates, plan.members)
    with pytest.raises(InvalidPlan, match="no date"):
        replacements(two_crews(), dates, plan.members, prices, 1, 0)


def nobody() -> Instance:
    empty = np.empty(0, dtype=np.int64)
    return Instance(
        days=1,
        daily=empty,
        total=empty,
        absent=np.empty((0, 1), dtype=np.bool_),
        visit_indptr=np.array([0]),
        visit_days=empty,
        visit_group=empty,
        crew_visit=empty,
        seat_indptr=np.array([0]),
        cand_indptr=np.array([0]),
        cand_person=empty,
        cand_cost=empty,
        cand_seats=np.empty(0, dtype=np.uint64),
        cand_rank=empty,
    )


def test_nothing_to_do_is_done() -> None:
    solution = solve(nobody())
    assert solution.plan.cost == 0
    assert solution.unique


def test_visits_without_crews_take_their_first_day() -> None:
    instance = replace(
        nobody(),
        days=2,
        absent=np.empty((0, 2), dtype=np.bool_),
        visit_indptr=np.array([0, 2, 2]),
        visit_days=np.array([1, 0]),
        visit_group=np.array([0, 1]),
    )
    assert solve(instance).dates.tolist() == [1, -1]


def test_a_tie_is_noticed() -> None:
    instance = replace(two_crews(), cand_cost=np.zeros(8, dtype=np.int64))
    solution = solve(instance)
    assert not solution.unique
    assert solution.prices.period.tolist() == [0, 0, 0, 0]


def test_the_package_loads_nothing_but_numpy_and_the_flow_solvers() -> None:
    heavy = {"scipy", "highspy", "pandas", "numba", "ortools.sat", "dualrandom"}
    program = "import sys, dualrandom_solver; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not heavy & set(done.stdout.split())


@pytest.mark.parametrize(
    "error", [InvalidInstance, InvalidPlan, NotSeatable, CostRange, FlowFailed, NotOptimal]
)
def test_every_error_has_a_code_and_speaks_both_languages(error: Callable[[str], SolverError]) -> None:
    raised = error("detail")
    assert raised.code.startswith("solver.")
    for text in (raised.message, raised.remedy):
        assert set(text) == {"zh", "en"}
        assert any("一" <= mark <= "鿿" for mark in text["zh"])
    assert raised.detail == str(raised) == "detail"
