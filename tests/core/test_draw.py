"""The draw as a whole: determinism, order independence, legality, what the statistics say."""

from __future__ import annotations

import hashlib
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from dualrandom.announcement import build_announcement, list_files
from dualrandom.calendar import visit_days
from dualrandom.canonical import canonical, parse_canonical
from dualrandom.draw import Drawn, draw_result
from dualrandom.errors import InputError
from dualrandom.frame import Frozen, freeze, membership, year_to_date
from dualrandom.hashing import hash_hex, suite_digest
from dualrandom.policy.plan import Budget, Plan, Scope, VisitLimit
from dualrandom.registry.models import Libraries, PastVisit
from dualrandom.statistics import statistics_document

SECRET = bytes(range(32))


def seed(number: int) -> str:
    return hashlib.sha256(f"draw test {number}".encode()).hexdigest()


def announced(plan: Plan, libraries: Libraries) -> tuple[dict[str, Any], Frozen]:
    days = visit_days(*plan.period, plan.working_days, plan.extra_days, plan.closed_days)
    placed = membership(plan, libraries.enterprises, year_to_date(plan, libraries.visits))
    secret = None if plan.disclosure == "open" else SECRET
    frozen = freeze(plan, libraries, placed, "test-2026-000001", days, secret)
    digest = suite_digest(plan.suite)
    lists = {name: file.commitment(digest) for name, file in list_files(frozen, secret, digest).items()}
    auditor = None if plan.auditor is None else {"key": str(plan.auditor.key), "name": plan.auditor.name}
    return build_announcement(plan, libraries, frozen, days, lists, [], auditor, []), frozen


def drawn(plan: Plan, libraries: Libraries, number: int = 0) -> tuple[dict[str, Any], Frozen, Drawn]:
    document, frozen = announced(plan, libraries)
    digest_hex = hash_hex(canonical(document), suite_digest(plan.suite))
    return document, frozen, draw_result(document, digest_hex, frozen, seed(number), SECRET)


def shuffled(libraries: Libraries, dice: random.Random) -> Libraries:
    """The same libraries as a reader returns them, sorted, whatever the order of the rows was."""
    enterprises = list(libraries.enterprises)
    dice.shuffle(enterprises)
    return replace(libraries, enterprises=tuple(sorted(enterprises, key=lambda e: e.id)))


@pytest.mark.parametrize("disclosure", ["open", "sealed"])
@pytest.mark.parametrize("suite", ["sha256", "sm3"])
def test_the_same_inputs_give_the_same_bytes(
    make_plan: Callable[..., Plan], make_libraries: Callable[..., Libraries], disclosure: str, suite: str
) -> None:
    plan = make_plan(disclosure=disclosure, suite=suite)
    first = drawn(plan, make_libraries())
    again = drawn(plan, shuffled(make_libraries(), random.Random(4)))
    assert canonical(first[0]) == canonical(again[0])
    assert canonical(first[2].result) == canonical(again[2].result)
    for name, file in first[2].lists.items():
        assert file.file() == again[2].lists[name].file()


@pytest.mark.parametrize("number", range(12))
def test_every_crew_is_legal_and_within_all_caps(
    make_plan: Callable[..., Plan],
    make_task: Callable[..., Any],
    make_libraries: Callable[..., Libraries],
    number: int,
) -> None:
    plan = make_plan(
        tasks=(
            make_task("t1", "amr"),
            make_task("t2", "fire"),
            make_task("t4", "amr", strata_by=("class", "district")),
        ),
        visit_limit=VisitLimit(departments=1, checks=None, hours=None) if number % 3 == 0 else None,
    )
    document, frozen, outcome = drawn(plan, make_libraries(seed=number), number)
    people = {row.id: row for row in frozen.roster}
    daily: Counter[tuple[str, str]] = Counter()
    total: Counter[str] = Counter()
    dates: set[tuple[str, str]] = set()
    for visit in outcome.full["visits"]:
        if visit["date"] is None:
            assert visit["crews"] == []
            continue
        assert visit["date"] in document["days"]
        assert (visit["enterprise"], visit["date"]) not in dates
        dates.add((visit["enterprise"], visit["date"]))
        everyone = [i for crew in visit["crews"] for i in crew["seats"]]
        assert len(set(everyone)) == len(everyone)
        for a in everyone:
            for b in everyone:
                assert (a, b) not in frozen.incompatible
        for crew in visit["crews"]:
            assert len(crew["seats"]) >= 2
            for inspector in crew["seats"]:
                row = people[inspector]
                assert row.department == crew["department"]
                assert visit["date"] not in row.absent
                assert visit["district"] in row.districts
                assert (inspector, visit["enterprise"]) not in frozen.recused
                assert inspector not in crew["barred"]
                daily[inspector, visit["date"]] += 1
                total[inspector] += 1
    assert all(count <= people[i].daily for (i, _), count in daily.items())
    assert all(count <= people[i].total for i, count in total.items())


def test_a_follows_task_joins_what_its_lead_drew_within_its_own_scope(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    joined = make_task("t3", "fire", mode="follows", lead="t1", ratios=None, scope=Scope(districts=("d1",)))
    _, frozen, outcome = drawn(make_plan(tasks=(make_task("t1", "amr"), joined)), make_libraries())
    chosen = {s.task: s.by_ticket for s in outcome.selection}
    district = dict(zip(frozen.ids, frozen.districts, strict=True))
    assert chosen["t3"] == tuple(e for e in chosen["t1"] if district[e] == "d1")
    assert chosen["t3"]


def test_relief_is_applied_in_its_order_and_only_while_a_visit_is_undated(
    make_plan: Callable[..., Plan], make_libraries: Callable[..., Libraries]
) -> None:
    ladder = tuple(
        {"amount": 4, "department": department, "kind": kind}
        for kind in ("daily", "total")
        for department in ("amr", "fire")
    )
    libraries = make_libraries(enterprises=60, inspectors=10)
    tight = drawn(make_plan(), libraries)[2]
    relieved = drawn(make_plan(relief=ladder), libraries)[2]
    assert tight.full["totals"]["undated"] > relieved.full["totals"]["undated"]
    assert relieved.full["relief"] == list(ladder[: len(relieved.full["relief"])])
    kept = {(v["enterprise"], v["part"]): v["date"] for v in tight.full["visits"] if v["date"]}
    after = {(v["enterprise"], v["part"]): v["date"] for v in relieved.full["visits"]}
    assert all(after[visit] == day for visit, day in kept.items())
    roomy = drawn(make_plan(relief=ladder), make_libraries(enterprises=10, inspectors=20))[2]
    assert roomy.full["relief"] == []


@pytest.mark.parametrize("embargo", ["crews", "visits"])
def test_an_embargo_hides_dates_and_crews_but_commits_to_them(
    make_plan: Callable[..., Plan], make_libraries: Callable[..., Libraries], embargo: str
) -> None:
    document, frozen, outcome = drawn(make_plan(embargo=embargo), make_libraries())
    text = canonical(outcome.result).decode()
    assert outcome.result["prices"] is None
    assert '"crews":[' not in text
    assert '"date"' not in text
    statistics = canonical(statistics_document(document, "0" * 64, frozen, outcome, {})).decode()
    if embargo == "visits":
        assert not any(visit.enterprise in text + statistics for visit in outcome.visits)
    rows = [parse_canonical(row, "row") for row in outcome.lists["visits"].openings]
    assert [row["hidden"] for row in rows if row["id"].startswith("v")] == outcome.full["visits"]


def test_a_quota_above_its_stratum_is_refused_with_task_and_stratum(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    libraries = make_libraries()
    firms = [e for e in libraries.enterprises if e.credit_class == "D"]
    visited = tuple(
        PastVisit(firms[0].id, date(2026, month, 3), "tax", "", "", (), "plan") for month in (1, 2)
    )
    plan = make_plan(tasks=(make_task("t1", "amr"),))
    capped = replace(plan, caps=replace(plan.caps, enterprise_annual=2))
    with pytest.raises(InputError) as refused:
        announced(capped, replace(libraries, visits=visited))
    (problem,) = [p for p in refused.value.problems if p.severity == "error"]
    assert problem.code == "quota-above-stratum"
    assert "stratum D" in problem.message_en


def test_what_was_done_this_year_is_owed_no_more(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    day = date(2026, 3, 3)
    libraries = make_libraries()
    done = tuple(
        PastVisit(e.id, day, "amr", "t1", "", ("x001",), "plan")
        for e in libraries.enterprises
        if e.credit_class == "D"
    )
    plan = make_plan(tasks=(make_task("t1", "amr"),))
    document, frozen, outcome = drawn(plan, replace(libraries, visits=done))
    sizes = {s.id: s for s in frozen.strata["t1"]}
    assert sizes["D"].expected == sizes["D"].size == 0
    assert not {visit.enterprise for visit in outcome.visits} & {visit.enterprise for visit in done}
    assert document["tasks"][0]["total"] == f"{sum(s.expected for s in sizes.values())}/1"


def test_a_budget_is_shared_by_weight_and_never_exceeds_a_stratum(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], make_libraries: Callable[..., Libraries]
) -> None:
    weights = {"A": Fraction(1), "B": Fraction(2), "C": Fraction(5), "D": Fraction(10)}
    for rounding in ("up", "unbiased"):
        plan = make_plan(
            rounding=rounding,
            tasks=(make_task("t1", "amr", ratios=None, budget=Budget(20, weights)),),
        )
        _, frozen = announced(plan, make_libraries())
        rows = frozen.strata["t1"]
        assert sum(row.expected for row in rows) == 20
        assert all(0 <= row.expected <= row.size for row in rows)
        rates = {row.id: row.expected / row.size for row in rows}
        assert all(rates[a] <= rates[b] + (rounding == "up") for a, b in pairwise("ABCD"))


def test_the_least_possible_number_of_visits_bounds_what_independent_draws_need(
    make_plan: Callable[..., Plan], make_libraries: Callable[..., Libraries]
) -> None:
    document, frozen, outcome = drawn(make_plan(), make_libraries())
    overlap = statistics_document(document, "0" * 64, frozen, outcome, {})["overlap"]
    assert float(overlap["least_possible"]) <= overlap["visited"] <= overlap["alone"]
    assert float(overlap["least_possible"]) <= float(overlap["independent"]) <= overlap["alone"]
