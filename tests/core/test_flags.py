"""Lists that look like a choice are flagged, and the seats that crews need are counted as they will be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction
from typing import Any, Literal

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dualrandom.announcement import build_announcement
from dualrandom.draw import select
from dualrandom.eligibility import year_to_date
from dualrandom.flags import flag_warnings, flags, read_snapshot, snapshot
from dualrandom.foresight import expected_crews, expected_seats
from dualrandom.frame import Frozen, freeze, membership
from dualrandom.policy.plan import Department, Exemption, Plan, Scope
from dualrandom.reasons import FLAGS
from dualrandom.registry.models import Enterprise, Inspector, Item, Libraries
from dualrandom.ticket import Tickets

LISTS = {"frame": {"root": "0" * 64, "size": 0}}


def frozen_of(plan: Plan, libraries: Libraries) -> tuple[dict[str, Any], Frozen]:
    placed = membership(plan, libraries.enterprises, year_to_date(plan, libraries.visits))
    frozen = freeze(plan, libraries, placed, "test-2026-000001", plan.period, None)
    return build_announcement(plan, libraries, frozen, plan.period, LISTS, (), None, []), frozen


def found_in(plan: Plan, libraries: Libraries, previous: Any = None) -> dict[tuple[str, str], str]:
    document, frozen = frozen_of(plan, libraries)
    return {
        (flag["code"], flag["task"]): flag["value"]
        for flag in flags(plan, libraries, document, frozen, previous)
    }


def test_a_handful_of_firms_and_a_near_certainty_are_flagged(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    libraries = make_libraries(enterprises=60)
    few = replace(libraries.enterprises[0], category="only").id
    firms = tuple(replace(e, category="only") if e.id == few else e for e in libraries.enterprises)
    libraries = replace(libraries, enterprises=firms)
    tasks = (
        make_task("t1", "amr", ratios=dict.fromkeys("ABCD", Fraction(1, 2))),
        make_task("t2", "fire", ratios=dict.fromkeys("ABCD", Fraction(3, 4))),
        make_task("t3", "fire", scope=Scope(categories=("only",)), ratios=dict.fromkeys("ABCD", Fraction(0))),
    )
    found = found_in(make_plan(tasks=tasks, rounding="unbiased"), libraries)
    assert found["small-frame", "t3"] == "1"
    assert found["high-rate", "t2"] == "3/4"
    assert ("high-rate", "t1") not in found
    assert ("small-frame", "t1") not in found
    items = tuple(replace(item, category="key") for item in libraries.items)
    assert ("high-rate", "t2") not in found_in(make_plan(tasks=tasks), replace(libraries, items=items))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    # both sides of ten firms and of a half, and the edges themselves
    st.sampled_from([0, 1, 9, 9, 10, 10, 10, 11]).flatmap(
        lambda size: st.lists(st.sampled_from("AD"), min_size=size, max_size=size)
    ),
    st.integers(0, 3),
    st.tuples(*[st.sampled_from([40, 50, 50, 50, 51])] * 2),
    st.lists(st.sampled_from(["general", "key"]), min_size=1, max_size=2),
    st.lists(st.sets(st.sampled_from(["leader", "food"])), min_size=2, max_size=12),
)
def test_frames_below_ten_rates_above_a_half_and_pools_below_three_for_a_seat_are_flagged_and_no_others(
    make_plan: Callable[..., Plan],
    make_task: Callable[..., Any],
    make_libraries: Callable[..., Libraries],
    classes: list[str],
    exempt: int,
    percents: tuple[int, int],
    categories: list[Literal["general", "key"]],
    people: list[set[str]],
) -> None:
    base = make_libraries()
    # who is exempt is in the library but not in the frame
    everyone = [*classes, *"D" * exempt]
    firms = tuple(
        Enterprise(f"e{n:02d}", "企业", "d1", credit_class, "enterprise", "52", "", "", ())
        for n, credit_class in enumerate(everyone)
    )
    items = tuple(
        Item(f"i{n}", "i", "i", "amr", "law", category, ("food",), Fraction(1), None, None)
        for n, category in enumerate(categories)
    )
    inspectors = tuple(
        Inspector(f"x{n:02d}", "人员", "amr", (), tuple(sorted(marks)), f"L{n}", None, (), None, None)
        for n, marks in enumerate(people)
    )
    libraries = replace(base, enterprises=firms, items=items, inspectors=inspectors, recusals=())
    ratios = {name: Fraction(share, 100) for name, share in zip("AD", percents, strict=True)}
    plan = make_plan(
        # a crew has a leader and, for these items, somebody who knows food
        departments=(Department("amr", "市监", "AMR", (("leader",), ())),),
        tasks=(make_task("t1", "amr", items=tuple(item.id for item in items), ratios=ratios),),
        rounding="unbiased",
        exemptions=tuple(
            Exemption(f"e{n:02d}", None, "r", "文件") for n in range(len(classes), len(everyone))
        ),
    )
    found = {code: value for (code, _), value in found_in(plan, libraries).items()}
    greatest = max((ratios[name] for name in classes), default=Fraction(0))
    able = [sum(mark in marks for marks in people) for mark in ("leader", "food")]
    expected = {"edits-not-checked": "no-snapshot"}
    if len(classes) < 10:
        expected["small-frame"] = str(len(classes))
    if 2 * greatest > 1 and categories.count("key") < len(categories):
        expected["high-rate"] = f"{greatest.numerator}/{greatest.denominator}"
    # where nobody may be drawn there is no pairing to foresee
    if classes and min(able) < 3:
        expected["small-pool"] = str(min(able))
    assert found == expected


def test_edits_since_the_last_campaign_are_counted_or_said_to_be_unknown(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    libraries = make_libraries(enterprises=60)
    plan = make_plan(tasks=(make_task("t1", "amr"), make_task("t2", "fire", scope=Scope(districts=("d1",)))))
    before = read_snapshot(snapshot(plan, libraries))
    assert before is not None
    assert found_in(plan, libraries)["edits-not-checked", ""] == "no-snapshot"
    assert not {code for code, _ in found_in(plan, libraries, before)} & {
        "edits-not-checked",
        "classes-changed",
        "scope-changed",
    }
    moved = [e for e in libraries.enterprises if e.credit_class == "A"][:5]
    firms = tuple(replace(e, credit_class="D") if e in moved else e for e in libraries.enterprises)
    edited = replace(plan, tasks=(plan.tasks[0], replace(plan.tasks[1], scope=Scope(districts=("d2",)))))
    found = found_in(edited, replace(libraries, enterprises=firms), before)
    assert found["classes-changed", "t1"] == "5"
    assert found["classes-changed", "t2"] == str(sum(e.district == "d2" for e in moved))
    assert ("scope-changed", "t2") in found
    assert ("scope-changed", "t1") not in found
    assert read_snapshot(b"[]") is None


def test_a_pool_of_few_inspectors_is_flagged_for_each_of_its_tasks(
    make_plan: Callable[..., Plan], make_libraries: Callable[..., Libraries]
) -> None:
    plan = make_plan()
    libraries = make_libraries(inspectors=14)
    fire = [person for person in libraries.inspectors if person.department == "fire"][:4]
    others = [person for person in libraries.inspectors if person.department != "fire"]
    found = found_in(
        plan, replace(libraries, inspectors=tuple(sorted((*fire, *others), key=lambda p: p.code)))
    )
    assert found["small-pool", "t2"] == "4"


def test_every_flag_has_its_words_and_warnings_name_the_task(
    make_plan: Callable[..., Plan], make_libraries: Callable[..., Libraries]
) -> None:
    plan, libraries = make_plan(), make_libraries(enterprises=9)
    document, frozen = frozen_of(plan, libraries)
    found = flags(plan, libraries, document, frozen, None)
    assert {flag["code"] for flag in found} <= set(FLAGS)
    assert found == sorted(found, key=lambda flag: (flag["code"], flag["task"]))
    warned = {problem.column for problem in flag_warnings(found) if problem.code == "small-frame"}
    assert warned == {"tasks.t1", "tasks.t2"}


def test_expected_seats_are_what_draws_need_on_average(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    # one mark each: a crew of both tasks needs two marked seats and an open one more than a crew of one
    items = tuple(
        Item(f"{name}-item", name, name, "amr", "law", "general", marks, Fraction(1), None, None)
        for name, marks in (("t1", ("food",)), ("t2", ("gsp",)), ("t3", ("lift", "gas")))
    )
    libraries = replace(make_libraries(enterprises=300), items=items)
    tasks = tuple(
        make_task(name, "amr", ratios=dict.fromkeys("ABCD", Fraction(share, 100)), strata_by=())
        for name, share in (("t1", 40), ("t2", 20), ("t3", 10))
    )
    plan = make_plan(departments=(Department("amr", "市监", "AMR", ((), ())),), tasks=tasks)
    document, frozen = frozen_of(plan, libraries)
    needed = 0
    draws = 20
    for number in range(draws):
        selected = select(document, frozen, Tickets(f"{number:064x}"))
        joined: dict[str, set[str]] = {}
        for one in selected:
            for enterprise in one.by_ticket:
                joined.setdefault(enterprise, set()).add(one.task)
        needed += sum({1: 2, 2: 2, 3: 4}[len(tasks)] for tasks in joined.values())
    expected = expected_seats(document, frozen)["amr"]
    # quotas are whole here, and tickets shared: each draw needs exactly what is expected
    assert expected == Fraction(needed, draws) == 120 * 2 + 30 * 2
    assert expected_crews(document, frozen)["amr"] == 120
