"""What policies make of quotas: exact, within the law, in the order of precedence, and told with both sources."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from fractions import Fraction
from math import floor
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dualrandom.eligibility import year_to_date
from dualrandom.errors import InputError
from dualrandom.frame import membership, strata_of
from dualrandom.policy.documents import Policy, parse_policy, shipped_policies
from dualrandom.policy.plan import Budget, Plan, Scope, Task
from dualrandom.policy.report import PolicyReport, policy_report
from dualrandom.quota import Population, annual_targets, expected_sizes
from dualrandom.registry.models import Enterprise
from dualrandom.together import Bounds, Range, Together, scaled

DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"


def policy(name: str, *rules: str, level: str = "city", head: str = "") -> Policy:
    text = f'[policy]\nid = "{name}"\nversion = "1"\nname = "细则"\nlevel = "{level}"\nauthority = "市"\n{head}\n'
    for number, rule in enumerate(rules):
        text += f'[[rules]]\nid = "r{number}"\nsource = "{name} 第 {number} 条"\n{rule}\n'
    found = parse_policy(text.encode(), f"{name}.toml")
    assert found.policy is not None, found.problems
    return found.policy


def firms(counts: Mapping[str, int], kind: str = "enterprise") -> list[Enterprise]:
    return [
        Enterprise(f"{kind[0]}{credit_class}{n:05d}", "企业", "d1", credit_class, kind, "52", "", "", ())
        for credit_class, count in counts.items()
        for n in range(count)
    ]


def report_of(plan: Plan, enterprises: list[Enterprise], items: Any = ()) -> PolicyReport:
    done = year_to_date(plan, (), items)
    placed = membership(plan, enterprises, done)
    return policy_report(plan, placed.populations, placed.resolutions, done.policies)


def targets(report: PolicyReport) -> dict[str, Fraction | None]:
    return {row.stratum: row.target for row in report.rows}


@pytest.fixture
def plan_with(make_plan: Callable[..., Plan], make_task: Callable[..., Any]) -> Callable[..., Plan]:
    def of(*policies: Policy, plan: Mapping[str, Any] | None = None, **task: Any) -> Plan:
        return make_plan(tasks=(make_task("t1", "amr", **task),), policies=policies, **(plan or {}))

    return of


PERCENT = {name: Fraction(share, 100) for name, share in zip("ABCD", (1, 2, 10, 30), strict=True)}
FLOOR = policy("law", 'kind = "floor"\nratio = "3%"', level="national")


def test_a_floor_of_all_classes_that_is_met_changes_nothing(plan_with: Callable[..., Plan]) -> None:
    found = report_of(plan_with(FLOOR, ratios=PERCENT), firms({"A": 9000, "D": 1000}))
    assert targets(found) == {"A": 90, "D": 300}
    assert found.problems == ()


def test_a_floor_that_is_missed_raises_all_ratios_by_one_factor(plan_with: Callable[..., Plan]) -> None:
    found = report_of(plan_with(FLOOR, ratios=PERCENT, operator="exact"), firms({"A": 9000, "B": 500}))
    # 90 + 10 = 100 checks, the law asks for 285 of 9,500
    assert targets(found) == {"A": 257, "B": 29}
    assert {problem.code for problem in found.problems} == {"policy-changes-quota"}
    assert all("law 第 0 条" in problem.remedy_zh for problem in found.problems)


def test_a_class_ceiling_a_floor_of_all_and_a_budget_are_told_apart(plan_with: Callable[..., Plan]) -> None:
    everyone = firms({"A": 9000, "B": 1000})
    weights = {name: Fraction(1) for name in "ABCD"}
    budget: dict[str, Any] = {"ratios": None, "budget": Budget(400, weights)}
    free = plan_with(**budget)
    placed = membership(free, everyone, year_to_date(free, ()))
    assert {one.id: one.expected for one in strata_of(free, placed)["t1"]} == {"A": 360, "B": 40}
    ceiling = policy("city", 'kind = "ceiling"\nratio = { A = "3%" }')
    capped = report_of(plan_with(ceiling, **budget), everyone)
    assert {row.stratum: row.expected for row in capped.rows} == {"A": 270, "B": 130}
    five = policy("law", 'kind = "floor"\nratio = "5%"', level="national")
    both = report_of(plan_with(ceiling, five, **budget), everyone)
    assert {row.stratum: row.expected for row in both.rows} == {"A": 270, "B": 230}
    changed = {
        problem.code: problem.value for problem in both.problems if problem.code == "policy-changes-budget"
    }
    assert changed == {"policy-changes-budget": "400 → 500"}


def test_laws_that_contradict_each_other_are_an_error_with_both_sources(
    plan_with: Callable[..., Plan],
) -> None:
    low = policy("low", 'kind = "ceiling"\nratio = { A = "2%" }')
    high = policy("high", 'kind = "floor"\nratio = { A = "3%" }')
    found = report_of(plan_with(low, high, ratios=PERCENT), firms({"A": 1000}))
    (problem,) = [one for one in found.problems if one.severity == "error"]
    assert problem.code == "policy-conflict"
    for words in (problem.message_zh, problem.message_en):
        assert "low 第 0 条" in words
        assert "high 第 0 条" in words
    guidance = policy("low", 'kind = "ceiling"\nforce = "soft"\nratio = { A = "2%" }')
    assert targets(report_of(plan_with(guidance, high, ratios=PERCENT), firms({"A": 1000}))) == {"A": 30}


def test_ceilings_that_keep_a_floor_of_all_out_of_reach_are_an_error(plan_with: Callable[..., Plan]) -> None:
    ceiling = policy("city", 'kind = "ceiling"\nratio = { A = "2%", B = "2%" }')
    plan = plan_with(FLOOR, ceiling, ratios=PERCENT)
    found = report_of(plan, firms({"A": 900, "B": 100}))
    (problem,) = [one for one in found.problems if one.severity == "error"]
    assert problem.code == "policy-floor-missed"
    assert "law 第 0 条" in problem.message_en
    assert "city 第 0 条" in problem.message_en
    plan = plan_with(low := policy("low", 'kind = "ceiling"\nratio = { A = "2%" }'), ratios=PERCENT)
    conflicting = replace(plan, policies=(low, policy("high", 'kind = "floor"\nratio = { A = "3%" }')))
    with pytest.raises(InputError):
        strata_of(conflicting, membership(conflicting, firms({"A": 9}), year_to_date(conflicting, ())))


@pytest.mark.parametrize(
    ("winner", "loser"),
    [
        (
            policy("a", 'kind = "ceiling"\nratio = { A = "9%" }'),
            policy("b", 'kind = "ceiling"\nforce = "soft"\nratio = { A = "1%" }'),
        ),
        (
            policy("a", 'kind = "ceiling"\nratio = { A = "9%" }\nscope = { departments = ["amr"] }'),
            policy("b", 'kind = "ceiling"\nratio = { A = "8%" }', level="national"),
        ),
        (
            policy("a", 'kind = "ceiling"\nratio = { A = "9%" }', level="province"),
            policy("b", 'kind = "ceiling"\nratio = { A = "8%" }'),
        ),
        (
            policy("a", 'kind = "ceiling"\nratio = { A = "9%" }', head="valid_from = 2022-01-01"),
            policy("b", 'kind = "ceiling"\nratio = { A = "8%" }', head="valid_from = 2021-01-01"),
        ),
        (
            policy("a", 'kind = "ceiling"\nratio = { A = "8%" }'),
            policy("b", 'kind = "ceiling"\nratio = { A = "9%" }'),
        ),
    ],
    ids=["law before guidance", "specific before general", "higher level", "later", "stricter"],
)
def test_precedence(plan_with: Callable[..., Plan], winner: Policy, loser: Policy) -> None:
    for policies in ((winner, loser), (loser, winner)):
        found = report_of(plan_with(*policies, ratios=dict.fromkeys("ABCD", Fraction(1))), firms({"A": 1000}))
        (row,) = found.rows
        hard = next(one for one in row.holds if one.winner.policy.id == "a")
        if winner.rules[0].hard == loser.rules[0].hard:
            assert [one.policy.id for one in hard.beaten] == ["b"]
            assert row.target == 1000 * winner.rules[0].ratios["A"]
        else:
            # guidance still guides where the law leaves room
            assert row.target == 10


def test_a_policy_that_is_not_in_force_is_left_aside(plan_with: Callable[..., Plan]) -> None:
    old = policy("old", 'kind = "ceiling"\nratio = { A = "1%" }', head="valid_until = 2025-12-31")
    found = report_of(plan_with(old, ratios=PERCENT), firms({"A": 100}))
    assert {problem.code for problem in found.problems} == {"policy-not-in-force"}
    assert found.rows == ()


def test_ratios_by_object_kind_are_met_each_for_itself(plan_with: Callable[..., Plan]) -> None:
    shipped = shipped_policies()["henan-2020"]
    everyone = [
        *firms({"5": 5000, "1": 10}),
        *firms({"5": 1000}, "cooperative"),
        *firms({"5": 9000}, "individual"),
    ]
    ratios = {str(n): Fraction(share, 100) for n, share in zip(range(1, 6), (100, 20, 8, 4, 1), strict=True)}
    plan = plan_with(
        shipped, ratios=ratios, strata_by=("class", "kind"), plan={"classes": ("5", "4", "3", "2", "1")}
    )
    found = targets(report_of(plan, everyone))
    # floors of 4, 3 and 1 %; guidance keeps the riskiest class at 100 %
    assert found["1.enterprise"] == 10
    assert found["5.enterprise"] == 191
    assert found["5.cooperative"] == 30
    assert found["5.individual"] == 90


def test_a_kind_that_is_no_id_cannot_name_a_stratum(plan_with: Callable[..., Plan]) -> None:
    plan = plan_with(ratios=PERCENT, strata_by=("class", "kind"))
    with pytest.raises(InputError) as refused:
        strata_of(plan, membership(plan, firms({"A": 9}, "摊贩"), year_to_date(plan, ())))
    assert [problem.code for problem in refused.value.problems] == ["stratum-not-an-id"]


def test_general_items_stay_below_their_ceiling_and_key_items_do_not(
    plan_with: Callable[..., Plan], make_libraries: Callable[..., Any]
) -> None:
    items = make_libraries().items
    plan = plan_with(shipped_policies()["item-categories"], ratios=dict.fromkeys("ABCD", Fraction(1)))
    everyone = firms({"A": 95, "B": 9, "C": 7})
    general = targets(report_of(plan, everyone, items))
    assert sum(one or 0 for one in general.values()) == 11  # 10 % of 111, rounded down
    key = [replace(item, category="key") for item in items]
    assert targets(report_of(plan, everyone, key)) == {"A": 95, "B": 9, "C": 7}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.sampled_from(["general", "key"]), min_size=1, max_size=3),
    st.integers(0, 40),
    st.tuples(*[st.integers(0, 60)] * 3),
    st.tuples(*[st.integers(0, 100)] * 3),
)
def test_one_general_item_keeps_the_whole_task_below_the_ceiling_and_key_items_alone_never(
    plan_with: Callable[..., Plan],
    make_libraries: Callable[..., Any],
    categories: list[str],
    ceiling: int,
    sizes: tuple[int, int, int],
    percents: tuple[int, int, int],
) -> None:
    example = make_libraries().items[0]
    items = [replace(example, id=f"i{n}", category=category) for n, category in enumerate(categories)]
    rules = (
        f'kind = "ceiling"\nratio = "{ceiling}%"\nscope = {{ item_categories = ["general"] }}',
        'kind = "ceiling"\nratio = "100%"\nscope = { item_categories = ["key"] }',
    )
    ratios = {name: Fraction(share, 100) for name, share in zip("ABC", percents, strict=True)}
    counts = dict(zip("ABC", sizes, strict=True))
    wished = {name: ratios[name] * count for name, count in counts.items() if count}
    free, most = sum(wished.values(), Fraction(0)), Fraction(ceiling * sum(sizes), 100)
    for rounding in ("unbiased", "up"):
        plan = plan_with(
            policy("lists", *rules),
            ratios=ratios,
            items=tuple(item.id for item in items),
            plan={"rounding": rounding},
        )
        placed = membership(plan, firms(counts), year_to_date(plan, (), items))
        found = {one.id: one.expected for one in strata_of(plan, placed)["t1"]}
        assert set(found) == set(wished)
        total = sum(found.values(), Fraction(0))
        bound = "general" in categories
        if rounding == "up":
            assert total <= most if bound else all(0 <= found[s] - wished[s] < 1 for s in found)
        elif bound and free > most:
            # what is too much is taken from all in proportion, and no more than that
            assert total == most
            assert all(found[s] * free == wished[s] * most for s in found)
        else:
            assert found == wished


def test_the_minimum_of_a_stratum_is_met_as_far_as_it_has_firms(plan_with: Callable[..., Plan]) -> None:
    plan = plan_with(ratios=dict.fromkeys("ABCD", Fraction(0)), minimum=3)
    placed = membership(plan, firms({"A": 100, "D": 2}), year_to_date(plan, ()))
    assert {one.id: one.expected for one in strata_of(plan, placed)["t1"]} == {"A": 3, "D": 2}
    ceiling = policy("law", 'kind = "ceiling"\nratio = { A = "1%" }')
    plan = replace(plan, policies=(ceiling,))
    placed = membership(plan, firms({"A": 100, "D": 2}), year_to_date(plan, ()))
    assert {one.id: one.expected for one in strata_of(plan, placed)["t1"]} == {"A": 1, "D": 2}


def random_bounds(dice: random.Random, populations: Mapping[str, Population]) -> Bounds:
    def span() -> Range:
        low, high = sorted(Fraction(dice.randrange(0, 11), 10) for _ in range(2))
        return Range(low, high)

    names = sorted(populations)
    hard = {name: span() for name in names if dice.random() < 0.4}
    soft = {name: span() for name in names if dice.random() < 0.4}
    together = []
    for _ in range(dice.randrange(0, 3)):
        members = frozenset(dice.sample(names, dice.randrange(1, len(names) + 1)))
        low = Fraction(dice.randrange(0, 10), 10)
        high = low + Fraction(dice.randrange(0, 10), 10) if dice.random() < 0.5 else None
        together.append(Together(members, low, high, dice.random() < 0.7))
    return Bounds(hard, soft, tuple(together))


@settings(max_examples=1000 if DEEP else 100)
@given(st.integers(0, 10**9))
def test_targets_are_within_the_law_whatever_is_combined(seed: int) -> None:
    dice = random.Random(seed)
    populations = {
        name: Population(name, dice.randrange(0, 60), 60, dice.randrange(0, 9))
        for name in "ABCD"[: dice.randrange(1, 5)]
    }
    bounds = random_bounds(dice, populations)
    task = a_task(dice, populations)
    for rounding in ("up", "unbiased"):
        found = annual_targets(task, populations, rounding, bounds)
        for name, population in populations.items():
            base = population.whole * task.frequency
            span = bounds.hard.get(name, Range())
            assert found[name] <= base * span.high
            if rounding == "up":
                assert found[name].denominator == 1
            else:
                assert base * span.low <= found[name]
            assert found[name] <= base
        sizes = expected_sizes(task, populations, dice.randrange(1, 13), rounding, bounds)
        assert all(size >= 0 for size in sizes.values())


@settings(max_examples=1000 if DEEP else 100)
@given(st.integers(0, 10**9))
def test_a_minimum_is_met_in_every_stratum_that_the_law_leaves_room_in(seed: int) -> None:
    dice = random.Random(seed)
    populations = {name: Population(name, dice.randrange(0, 60), 60, 0) for name in "ABCD"}
    spans = {name: Range(Fraction(0), Fraction(dice.randrange(0, 11), 10)) for name in "AB"}
    task = replace(a_task(dice, populations), minimum=dice.randrange(0, 9))
    for rounding in ("up", "unbiased"):
        found = annual_targets(task, populations, rounding, Bounds(hard=spans))
        for name, population in populations.items():
            most = population.whole * task.frequency * spans.get(name, Range()).high
            least = min(Fraction(task.minimum), most, Fraction(population.whole))
            assert found[name] >= (floor(least) if rounding == "up" else least)


@settings(max_examples=1000 if DEEP else 100)
@given(st.integers(0, 10**9))
def test_a_budget_is_shared_within_the_law_and_never_above_a_stratum(seed: int) -> None:
    dice = random.Random(seed)
    populations = {}
    for name in "ABCD"[: dice.randrange(1, 5)]:
        whole = dice.randrange(0, 60)
        populations[name] = Population(name, whole, dice.randrange(0, whole + 1), dice.randrange(0, 9))
    bounds = random_bounds(dice, populations)
    weights = {name: Fraction(dice.randrange(0, 4), dice.randrange(1, 4)) for name in populations}
    task = replace(
        a_task(dice, populations), ratios=None, budget=Budget(dice.randrange(1, 200), weights), frequency=1
    )
    for rounding in ("up", "unbiased"):
        sizes = expected_sizes(task, populations, dice.randrange(1, 13), rounding, bounds)
        for name, size in sizes.items():
            assert 0 <= size <= populations[name].eligible
            if rounding == "up":
                assert size.denominator == 1
            if name in bounds.hard:
                owed = populations[name].whole * bounds.hard[name].high - populations[name].done
                assert size <= max(Fraction(0), owed)


def a_task(dice: random.Random, populations: Mapping[str, Population]) -> Task:
    return Task(
        "t",
        "t",
        "t",
        "d",
        "own",
        None,
        ("i",),
        Scope(),
        dice.choice(["floor", "ceiling", "exact"]),
        {name: Fraction(dice.randrange(0, 8), 7) for name in populations},
        None,
        dice.randrange(1, 3),
        ("class",),
        "task",
        "one-way",
        dice.randrange(0, 3),
    )


@given(
    st.lists(
        st.tuples(st.fractions(0, 9), st.fractions(0, 9), st.fractions(0, 9)).map(
            lambda three: (three[0], min(three[1:]), max(three[1:]))
        ),
        min_size=1,
        max_size=5,
    ),
    st.fractions(0, 40),
)
def test_one_factor_gives_the_total_as_far_as_the_bounds_allow(
    parts: list[tuple[Fraction, Fraction, Fraction]], total: Fraction
) -> None:
    names = [f"s{n}" for n in range(len(parts))]
    mass, lower, upper = (dict(zip(names, column, strict=True)) for column in zip(*parts, strict=True))
    found = scaled(mass, lower, upper, total)
    assert all(lower[s] <= found[s] <= upper[s] for s in names)
    least = sum(lower.values(), Fraction(0))
    most = sum((upper[s] if mass[s] else lower[s] for s in names), Fraction(0))
    assert sum(found.values(), Fraction(0)) == min(max(total, least), most)
    free = [found[s] / mass[s] for s in names if mass[s] and lower[s] < found[s] < upper[s]]
    assert len(set(free)) <= 1
