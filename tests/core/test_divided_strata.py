"""Rules that concern only some of a stratum's enterprises divide it, and no rule is ever left aside in silence."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from fractions import Fraction
from math import floor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from dualrandom.campaign import announce, draw
from dualrandom.demo import write_campaign
from dualrandom.eligibility import year_to_date
from dualrandom.frame import Membership, membership, strata_of
from dualrandom.policy.division import concerns
from dualrandom.policy.documents import EVERY_CLASS, Policy, parse_policy
from dualrandom.policy.plan import Budget, Plan, Scope
from dualrandom.policy.precedence import Applied
from dualrandom.policy.report import PolicyReport, policy_report
from dualrandom.quota import annual_targets
from dualrandom.registry.models import Enterprise
from dualrandom.verify import verify_record
from dualrandom.verify.folder import read_auditor, read_public

DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
PERCENT = {name: Fraction(share, 100) for name, share in zip("ABCD", (1, 2, 10, 30), strict=True)}
TENTH = dict.fromkeys("ABCD", Fraction(1, 10))


def rules(*texts: str) -> Policy:
    text = '[policy]\nid = "law"\nversion = "1"\nname = "细则"\nlevel = "city"\nauthority = "市"\n'
    for number, rule in enumerate(texts):
        text += f'[[rules]]\nid = "r{number}"\nsource = "第 {number} 条"\n{rule}\n'
    found = parse_policy(text.encode(), "law.toml")
    assert found.policy is not None, found.problems
    return found.policy


def firms(count: int, **marks: str) -> list[Enterprise]:
    base = Enterprise("", "企业", "d1", "A", "enterprise", "5210", "", "", ())
    start = "".join(marks.values()) or "x"
    return [replace(base, id=f"{start}{n:05d}", **marks) for n in range(count)]  # type: ignore[arg-type]


def placed_and_told(plan: Plan, enterprises: Sequence[Enterprise]) -> tuple[Membership, PolicyReport]:
    done = year_to_date(plan, ())
    placed = membership(plan, enterprises, done)
    return placed, policy_report(plan, placed.populations, placed.resolutions, done.policies)


def targets(report: PolicyReport) -> dict[str, Fraction | None]:
    return {row.stratum: row.target for row in report.rows}


@pytest.fixture
def plan_of(make_plan: Callable[..., Plan], make_task: Callable[..., Any]) -> Callable[..., Plan]:
    def of(law: Policy, plan: Mapping[str, Any] | None = None, **task: Any) -> Plan:
        return make_plan(tasks=(make_task("t1", "amr", **task),), policies=(law,), **(plan or {}))

    return of


def test_a_floor_for_one_object_kind_divides_the_classes(plan_of: Callable[..., Plan]) -> None:
    law = rules('kind = "floor"\nratio = "50%"\nscope = { kinds = ["individual"] }')
    everyone = [*firms(100), *firms(100, kind="individual")]
    placed, report = placed_and_told(plan_of(law, ratios=PERCENT), everyone)
    assert targets(report) == {"A.p0": 1, "A.p1": 50}
    assert {p.code: p.severity for p in report.problems} == {
        "policy-divides-strata": "warning",
        "policy-changes-quota": "warning",
    }
    assert placed.populations["t1"]["A.p1"].whole == 100


def test_a_ceiling_for_one_category_binds_only_its_firms(plan_of: Callable[..., Plan]) -> None:
    law = rules('kind = "ceiling"\nratio = "4%"\nscope = { categories = ["餐饮服务"] }')
    everyone = [*firms(200), *firms(100, category="餐饮服务"), *firms(50, credit_class="D")]
    _, report = placed_and_told(plan_of(law, ratios=TENTH), everyone)
    assert targets(report) == {"A.p0": 20, "A.p1": 4, "D.p0": 5}


def test_what_a_rule_does_not_split_stays_whole(plan_of: Callable[..., Plan]) -> None:
    law = rules(
        'kind = "floor"\nratio = "3%"',
        'kind = "floor"\nratio = "20%"\nscope = { classes = ["D"], industries = ["5"] }',
        'kind = "ceiling"\nratio = "9%"\nscope = { districts = ["d1"] }',
    )
    everyone = [*firms(300, district="d2"), *firms(100), *firms(100, credit_class="D", industry="52")]
    plan = plan_of(law, ratios=TENTH, strata_by=("class", "district"), scope=Scope(industries=("52",)))
    _, report = placed_and_told(plan, everyone)
    assert sorted(targets(report)) == ["A.d1", "A.d2", "D.d1"]


def test_two_rules_that_cross_make_up_to_four_parts(plan_of: Callable[..., Plan]) -> None:
    law = rules(
        'kind = "exact"\nratio = "20%"\nscope = { districts = ["d1"] }',
        'kind = "floor"\nratio = "10%"\nscope = { categories = ["广告"] }',
    )
    everyone = [
        firm
        for n, marks in enumerate(((), ("district",), ("category",), ("district", "category")))
        for firm in firms(
            100 + n, **{m: {"district": "d2", "category": "广告"}[m] for m in marks}, name=f"n{n}"
        )
    ]
    plan = plan_of(law, {"rounding": "unbiased", "disclosure": "open"}, ratios=PERCENT)
    _, report = placed_and_told(plan, everyone)
    assert sorted(targets(report)) == ["A.p0", "A.p1", "A.p1-2", "A.p2"]
    found = {stratum: target or 0 for stratum, target in targets(report).items()}
    assert found["A.p1"] + found["A.p1-2"] == Fraction(20, 100) * (100 + 102)
    assert found["A.p2"] + found["A.p1-2"] >= Fraction(10, 100) * (102 + 103)


def test_ratios_by_class_divide_a_task_that_mixes_the_classes(plan_of: Callable[..., Plan]) -> None:
    law = rules('kind = "floor"\nratio = { D = "50%" }')
    everyone = [*firms(100), *firms(10, credit_class="D")]
    _, report = placed_and_told(plan_of(law, ratios=TENTH, strata_by=()), everyone)
    assert targets(report) == {"A": 10, "D": 5}
    assert [p.severity for p in report.problems if p.code == "policy-divides-strata"] == ["warning"]


def test_two_way_strata_are_not_cut_but_refused(plan_of: Callable[..., Plan]) -> None:
    law = rules('kind = "floor"\nratio = "50%"\nscope = { kinds = ["individual"] }')
    everyone = [*firms(100), *firms(100, kind="individual")]
    two_way = {"strata_by": ("class", "district"), "group_by": "class", "control": "two-way"}
    _, report = placed_and_told(plan_of(law, ratios=PERCENT, **two_way), everyone)
    (problem,) = [p for p in report.problems if p.code == "policy-partial"]
    assert problem.severity == "error"
    assert "one-way" in problem.remedy_en
    assert "one-way" in problem.remedy_zh


def test_a_floor_of_some_firms_moves_a_budget_to_them(plan_of: Callable[..., Plan]) -> None:
    law = rules('kind = "floor"\nratio = "30%"\nscope = { kinds = ["individual"] }')
    everyone = [*firms(300), *firms(100, kind="individual")]
    budget = Budget(60, dict.fromkeys("ABCD", Fraction(1)))
    plan = plan_of(law, {"months_left": 1}, ratios=None, budget=budget, strata_by=())
    placed, report = placed_and_told(plan, everyone)
    sizes = {s.id: s.expected for s in strata_of(plan, placed)["t1"]}
    assert sizes == {"all.p0": 30, "all.p1": 30}
    assert not [p for p in report.problems if p.severity == "error"]


def test_a_ceiling_of_all_below_the_floors_of_its_classes_is_an_error(plan_of: Callable[..., Plan]) -> None:
    law = rules('kind = "floor"\nratio = { D = "61%" }', 'kind = "ceiling"\nratio = "10%"')
    _, report = placed_and_told(plan_of(law, ratios=PERCENT), firms(100, credit_class="D"))
    (problem,) = [p for p in report.problems if p.severity == "error"]
    assert problem.code == "policy-ceiling-missed"
    assert "第 0 条" in problem.message_zh
    assert "第 1 条" in problem.message_en


def test_guidance_on_some_firms_yields_to_a_law_on_more_of_them(plan_of: Callable[..., Plan]) -> None:
    law = rules(
        'kind = "exact"\nforce = "soft"\nratio = "1%"\nscope = { kinds = ["individual"] }',
        'kind = "floor"\nratio = "40%"\nscope = { classes = ["A"] }',
        'kind = "ceiling"\nratio = "20%"\nscope = { kinds = ["enterprise"] }',
    )
    everyone = [*firms(100), *firms(100, kind="individual")]
    _, report = placed_and_told(plan_of(law, ratios=PERCENT), everyone)
    assert sum(target or 0 for target in targets(report).values()) >= 80
    assert not [p for p in report.problems if p.severity == "error"]
    assert "policy-ceiling-missed" in {p.code for p in report.problems}


def test_a_divided_task_is_drawn_and_verified_with_its_parts(tmp_path: Path) -> None:
    write_campaign("town", tmp_path)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "law.toml").write_text(
        '[policy]\nid = "law"\nversion = "1"\nname = "细则"\nlevel = "city"\nauthority = "市"\n[[rules]]\n'
        'id = "catering"\nkind = "floor"\nratio = "60%"\nsource = "第一条"\n'
        'scope = { tasks = ["amr-food"], categories = ["餐饮服务"] }\n',
        "utf-8",
    )
    plan = (tmp_path / "plan.toml").read_text("utf-8")
    (tmp_path / "plan.toml").write_text(plan.replace("[plan]", '[plan]\npolicies = ["law"]', 1), "utf-8")
    announce(tmp_path, rehearsal=True, now=datetime(2026, 1, 1, tzinfo=UTC))
    draw(tmp_path, beacon_file=None)
    strata = (tmp_path / "private" / "openings" / "strata.jsonl").read_text("utf-8")
    assert all(f"{name}.p{part}" in strata for name in "AB" for part in (0, 1))
    report = verify_record(read_public(tmp_path / "public"), read_auditor(tmp_path))
    assert [check.name for check in report.checks if check.status == "FAIL"] == []
    assert next(check.status for check in report.checks if check.name == "selection") == "PASS"


SCOPES = st.fixed_dictionaries(
    {},
    optional={
        "kinds": st.sampled_from(['["enterprise"]', '["individual"]']),
        "districts": st.sampled_from(['["d1"]', '["d2", "d3"]']),
        "categories": st.sampled_from(['["餐饮服务"]', '["广告", "旅馆"]']),
        "industries": st.sampled_from(['["5"]', '["52", "62"]']),
        "classes": st.sampled_from(['["A"]', '["C", "D"]']),
    },
)
RATIOS = st.one_of(
    st.integers(0, 40).map(lambda share: f'"{share}%"'),
    st.tuples(st.sampled_from("ABCD"), st.integers(0, 40)).map(lambda one: f'{{ {one[0]} = "{one[1]}%" }}'),
)
RULES = st.lists(
    st.tuples(st.sampled_from(["floor", "ceiling", "exact"]), st.booleans(), RATIOS, SCOPES),
    min_size=1,
    max_size=4,
)


def world(seed: int) -> list[Enterprise]:
    dice = random.Random(seed)
    return [
        Enterprise(
            f"e{n:04d}",
            "企业",
            dice.choice(["d1", "d2", "d3"]),
            dice.choice("AABCD"),
            dice.choice(["enterprise", "individual"]),
            dice.choice(["5210", "6210", "7100"]),
            dice.choice(["", "餐饮服务", "广告", "旅馆"]),
            "",
            (),
        )
        for n in range(dice.randrange(1, 200))
    ]


def kept(
    applied: Applied, ratio: Fraction, total: Fraction, whole: int, most: Fraction | None, up: bool
) -> bool:
    """Whether the firms' targets add up to what the law asks; ``most``: what a ceiling on the same firms allows."""
    asked = ratio * whole
    # with whole numbers a ceiling is rounded down, and a floor above it goes down with it
    ceiling = Fraction(floor(asked)) if up else asked
    at_least = total >= (asked if most is None else min(asked, Fraction(floor(most)) if up else most))
    return {"floor": at_least, "ceiling": total <= ceiling, "exact": at_least and total <= ceiling}[
        applied.rule.kind
    ]


@settings(
    max_examples=1500 if DEEP else 150,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    deadline=None,
)
@given(
    seed=st.integers(0, 10**6),
    texts=RULES,
    up=st.booleans(),
    by=st.sampled_from([(), ("class",), ("kind",), ("district", "class")]),
    share=st.integers(0, 30),
    visits=st.one_of(st.none(), st.integers(1, 60)),
)
def test_every_rule_is_kept_or_check_says_which_one_is_not(
    plan_of: Callable[..., Plan],
    seed: int,
    texts: list[tuple[str, bool, str, dict[str, str]]],
    up: bool,
    by: tuple[str, ...],
    share: int,
    visits: int | None,
) -> None:
    law = rules(
        *(
            f'kind = "{kind}"\nforce = "{"hard" if hard else "soft"}"\nratio = {ratio}\n'
            + (f"scope = {{ {', '.join(f'{k} = {v}' for k, v in scope.items())} }}" if scope else "")
            for kind, hard, ratio, scope in texts
        )
    )
    enterprises = world(seed)
    rounding = {"rounding": "up" if up else "unbiased", "disclosure": "open", "months_left": 1}
    quota: dict[str, Any] = {"ratios": dict.fromkeys("ABCD", Fraction(share, 100))}
    if visits is not None:
        quota = {"ratios": None, "budget": Budget(visits, dict.fromkeys("ABCD", Fraction(1)))}
    plan = plan_of(law, rounding, strata_by=by, **quota)
    placed, report = placed_and_told(plan, enterprises)
    (task,) = plan.tasks
    resolution = placed.resolutions["t1"]
    assert resolution.partial == ()
    unmet = {p.code for p in report.problems if p.code != "policy-divides-strata"}
    if unmet & {"policy-conflict", "policy-floor-missed", "policy-ceiling-missed"}:
        event("told: not all can be met")
        return
    populations = placed.populations["t1"]
    if visits is None:
        sizes = annual_targets(task, populations, plan.rounding, resolution.bounds)
    else:
        sizes = {s.id: s.expected for s in strata_of(plan, placed)["t1"]}
    stratum = {firm.id: placed.divisions["t1"].stratum(firm) for firm in enterprises}
    each = {firm.id: sizes[stratum[firm.id]] / populations[stratum[firm.id]].whole for firm in enterprises}
    winners = {
        (verdict.winner.name, where) for where, found in resolution.verdicts.items() for verdict in found
    }
    beaten = {one.name for found in resolution.verdicts.values() for v in found for one in v.beaten}
    checked = 0
    for applied in year_to_date(plan, ()).policies["t1"]:
        firms_in = [firm for firm in enterprises if concerns(applied.rule.scope, firm)]
        if not applied.rule.hard or applied.name in beaten or not firms_in:
            continue
        assert any(name == applied.name for name, _ in winners) or EVERY_CLASS not in applied.rule.ratios
        for credit_class, ratio in applied.rule.ratios.items():
            who = [f for f in firms_in if credit_class in (EVERY_CLASS, f.credit_class)]
            if EVERY_CLASS in applied.rule.ratios:
                total = sum((each[firm.id] for firm in who), Fraction(0))
                strata = frozenset(stratum[firm.id] for firm in who)
                allowed = [
                    one.high for one in resolution.bounds.together if one.strata == strata and one.hard
                ]
                most = None if not allowed or allowed[0] is None else allowed[0] * len(who)
                assert kept(applied, ratio, total, len(who), most, up), (applied.name, texts)
                checked += 1
            elif visits is None:
                # by class a law holds in each stratum alone; rounding down may take a part of one check from a floor
                for name in {stratum[f.id] for f in who}:
                    base = populations[name].whole
                    if applied.rule.kind != "floor":
                        assert sizes[name] <= ratio * base
                    if applied.rule.kind != "ceiling":
                        assert sizes[name] >= (floor(ratio * base) if up else ratio * base)
                checked += 1
    event(f"rules counted: {min(checked, 3)}")
