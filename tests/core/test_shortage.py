"""Undated visits are explained in words: who is short, where, by how many, which rules conflict, what would help."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from dualrandom.announcement import build_announcement
from dualrandom.calendar import visit_days
from dualrandom.draw import Drawn, draw_result
from dualrandom.frame import Frozen, freeze, membership, year_to_date
from dualrandom.policy.plan import Caps, Plan
from dualrandom.registry.models import Libraries
from dualrandom.shortage import cheapest_relief, conflicting_rules, explanation, shortages

PRICES = {"daily": 3, "total": 2, "seats": 5, "lend": 4}


def drawn(plan: Plan, libraries: Libraries, number: int = 0) -> tuple[dict[str, Any], Frozen, Drawn]:
    days = visit_days(*plan.period, plan.working_days, plan.extra_days, plan.closed_days)
    placed = membership(plan, libraries.enterprises, year_to_date(plan, libraries.visits))
    frozen = freeze(plan, libraries, placed, "test-2026-000001", days, None)
    document = build_announcement(plan, libraries, frozen, days, {}, [], None, [])
    seed = hashlib.sha256(f"shortage {number}".encode()).hexdigest()
    return document, frozen, draw_result(document, "0" * 64, frozen, seed, None)


def test_a_department_short_of_capacity_is_named_with_the_number_missing(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    plan = make_plan(tasks=(make_task("t2", "fire"),), caps=Caps(5, 3, None))
    document, frozen, outcome = drawn(plan, make_libraries(enterprises=40, inspectors=12))
    undated = outcome.full["totals"]["undated"]
    assert undated
    found = shortages(frozen, outcome)
    # six people of three crews each hold nine crews of two seats
    assert sum(s.short for s in found) == 2 * outcome.full["totals"]["visits"] - 18
    assert {s.department for s in found} == {"fire"}
    assert conflicting_rules(document, frozen, outcome) == ("total",)
    text = " ".join(explanation(document, frozen, outcome, "zh"))
    assert "本期上限" in text
    assert f"缺 {found[0].short} 个" in text
    best = cheapest_relief(document, frozen, outcome, PRICES)
    assert best[0].step["kind"] == "total"
    assert best[0].undated < undated


def test_a_missing_qualification_is_named(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    libraries = make_libraries(enterprises=20, inspectors=16)
    unqualified = tuple(replace(p, marks=("leader",)) for p in libraries.inspectors)
    plan = make_plan(tasks=(make_task("t1", "amr"),))
    document, frozen, outcome = drawn(plan, replace(libraries, inspectors=unqualified))
    assert outcome.full["totals"]["undated"] == outcome.full["totals"]["visits"]
    found = shortages(frozen, outcome)
    assert all(s.marks == ("food",) and not s.people for s in found)
    assert conflicting_rules(document, frozen, outcome) == ("qualification",)
    assert "qualified for food" in found[0].sentence("en")
    assert cheapest_relief(document, frozen, outcome, PRICES) == ()


def test_a_district_that_nobody_serves_is_a_conflict_that_lending_would_end(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    libraries = make_libraries(enterprises=20, inspectors=20)
    local = tuple(replace(p, districts=("d1",)) for p in libraries.inspectors)
    plan = make_plan(tasks=(make_task("t2", "fire"),))
    document, frozen, outcome = drawn(plan, replace(libraries, inspectors=local))
    assert outcome.full["totals"]["undated"]
    assert conflicting_rules(document, frozen, outcome) == ("district",)
    (best,) = cheapest_relief(document, frozen, outcome, PRICES)
    assert best.step["kind"] == "lend"
    assert best.undated == 0


def test_a_draw_with_all_visits_dated_has_nothing_to_explain(
    make_plan: Callable[..., Plan], make_libraries: Callable[..., Libraries]
) -> None:
    document, frozen, outcome = drawn(make_plan(), make_libraries(enterprises=10, inspectors=20))
    assert outcome.full["totals"]["undated"] == 0
    assert explanation(document, frozen, outcome, "en") == []
    assert conflicting_rules(document, frozen, outcome) == ()
