"""Policy documents: what is shipped, what is refused, and that the manual's examples are true."""

import re
import textwrap
from fractions import Fraction
from pathlib import Path

import pytest

from dualrandom.policy.documents import KINDS, parse_policy, policies_in, shipped_policies
from dualrandom.policy.filter import FIELDS, FIELDS_ZH
from dualrandom.policy.reader import parse_plan, read_plan
from dualrandom.reasons import FLAGS, REASONS

DOCS = Path(__file__).parents[2] / "docs"
PAGES = ("policies.md", "policies.zh-CN.md")
OWN = """
[policy]
id = "own"
version = "1"
name = "细则"
level = "city"
authority = "鄂州市"
[[rules]]
id = "r"
kind = "floor"
ratio = "3%"
source = "细则第三条"
"""
PLAN = """
[plan]
id = "p"
authority = "a"
authority_name = "机关"
period = {{ start = 2023-09-01, end = 2023-09-30 }}
{plan}
[beacon]
time = 2023-08-25T00:00:00Z
[auditor]
name = "审计"
[[departments]]
id = "amr"
name = "市监"
[[tasks]]
id = "t"
name = "任务"
department = "amr"
items = ["i"]
{task}
"""


def blocks(page: str) -> list[str]:
    text = (DOCS / page).read_text("utf-8")
    return [
        textwrap.dedent(found).strip()
        for found in re.findall(r"(?:^ {4}.*\n|^\n(?= {4}))+", text, re.MULTILINE)
    ]


def test_the_shipped_ratios_are_those_of_their_sources() -> None:
    shipped = shipped_policies()
    ratios = {
        f"{policy.id}/{rule.id}": dict(rule.ratios) for policy in shipped.values() for rule in policy.rules
    }
    percent = {name: {key: ratio * 100 for key, ratio in found.items()} for name, found in ratios.items()}
    assert percent["henan-2021/ratios-by-class"] == {"A": 1, "B": 2, "C": 10, "D": 30}
    assert percent["henan-2020/five-classes"] == {"1": 100, "2": 20, "3": 8, "4": 4, "5": 1}
    assert [
        percent[f"henan-2020/{kind}"]["*"] for kind in ("enterprises", "cooperatives", "individuals")
    ] == [4, 3, 1]
    assert percent["lindian-bands/at-most"] == {"A": 5, "B": 20, "C": 60, "D": 100}
    assert percent["lindian-bands/at-least"] == {"B": 5, "C": 21, "D": 61}
    assert ratios["national-publicity/at-least-3-percent"] == {"*": Fraction(3, 100)}
    assert percent["item-categories/general-at-most-10-percent"] == {"*": 10}
    assert all(rule.source for policy in shipped.values() for rule in policy.rules)


@pytest.mark.parametrize("page", PAGES)
def test_the_manual_names_every_policy_kind_reason_flag_and_field(page: str) -> None:
    text = (DOCS / page).read_text("utf-8")
    for code in (*shipped_policies(), *KINDS, *REASONS, *FLAGS, *FIELDS):
        if code != "nothing-left":
            assert f"`{code}`" in text, code
    assert all(word in text for word in FIELDS_ZH)


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_of_the_manual_are_read_without_a_mistake(page: str) -> None:
    (own,) = [block for block in blocks(page) if block.startswith("[policy]")]
    result = parse_policy(own.encode(), "own.toml")
    assert result.problems == ()
    assert result.policy is not None
    assert [rule.kind for rule in result.policy.rules] == ["ceiling", "interval"]
    # a rule without a scope has the document's
    assert all(rule.scope.departments == ("amr",) for rule in result.policy.rules)
    scopes = next(block for block in blocks(page) if block.startswith("scope ="))
    for line in scopes.splitlines():
        task = f"ratios = {{ A = 1, B = 1, C = 1, D = 1 }}\n{line}"
        assert parse_plan(PLAN.format(plan="", task=task).encode()).problems == ()
    fields = next(block for block in blocks(page) if "minimum = 1" in block)
    assert parse_plan(PLAN.format(plan="", task=fields.removeprefix("[[tasks]]")).encode()).problems == ()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ('source = "细则第三条"', "", "plan-missing-key"),
        ('ratio = "3%"', "", "policy-value-missing"),
        ('ratio = "3%"', 'ratio = "130%"', "plan-range"),
        ('ratio = "3%"', 'ratio = "3%"\nmonths = 3', "policy-value-unused"),
        ('kind = "floor"', 'kind = "flor"', "plan-choice"),
        (
            'authority = "鄂州市"',
            'authority = "鄂州市"\nvalid_from = 2024-01-01\nvalid_until = 2023-01-01',
            "policy-dates",
        ),
        ("[policy]", "[policy", "policy-not-toml"),
    ],
)
def test_a_document_that_does_not_say_what_it_must_is_refused(old: str, new: str, code: str) -> None:
    result = parse_policy(OWN.replace(old, new).encode(), "own.toml")
    assert result.policy is None
    assert code in {problem.code for problem in result.problems}


def test_two_documents_of_one_id_are_refused_by_name(tmp_path: Path) -> None:
    for name in ("a.toml", "b.toml"):
        (tmp_path / name).write_text(OWN, "utf-8")
    found, problems = policies_in(tmp_path)
    assert list(found) == ["own"]
    assert [(problem.code, problem.file) for problem in problems] == [
        ("policy-twice", f"{tmp_path.name}/b.toml")
    ]


def test_a_task_without_ratios_takes_those_that_a_policy_prescribes() -> None:
    result = parse_plan(PLAN.format(plan='policies = ["henan-2021"]', task="").encode())
    assert result.problems == ()
    assert result.plan is not None
    assert result.plan.tasks[0].ratios == {
        "A": Fraction(1, 100),
        "B": Fraction(2, 100),
        "C": Fraction(10, 100),
        "D": Fraction(30, 100),
    }


def test_an_unknown_policy_is_refused_with_the_one_that_was_meant() -> None:
    (problem, *_) = parse_plan(PLAN.format(plan='policies = ["henan-2012"]', task="").encode()).problems
    assert problem.code == "plan-policy-unknown"
    assert problem.suggestion in {"henan-2021", None}


def test_a_campaigns_own_policy_prevails_over_a_shipped_one_of_the_same_id(tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(
        PLAN.format(plan='policies = ["henan-2021"]', task="ratios = { A = 1, B = 1, C = 1, D = 1 }"), "utf-8"
    )
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "x.toml").write_text(OWN.replace('"own"', '"henan-2021"'), "utf-8")
    plan = read_plan(tmp_path / "plan.toml").plan
    assert plan is not None
    assert [policy.file for policy in plan.policies] == ["policies/x.toml"]
    (tmp_path / "policies" / "x.toml").write_text("[policy]", "utf-8")
    broken = read_plan(tmp_path / "plan.toml")
    assert broken.plan is None
    assert "policies/x.toml" in {problem.file for problem in broken.problems}


def test_a_mistake_in_a_filter_points_at_its_character() -> None:
    task = "ratios = { A = 1, B = 1, C = 1, D = 1 }\nscope = { where = 'industri starts \"52\"' }"
    (problem,) = parse_plan(PLAN.format(plan="", task=task).encode()).problems
    assert (problem.code, problem.column) == ("filter-unreadable", "tasks[1].scope.where")
    assert "did you mean industry" in problem.message_en
    assert problem.message_en.endswith("^")


def test_an_exemption_names_a_task_of_the_plan_once() -> None:
    exemption = '\n[[exemptions]]\nenterprise = "x"\ntask = "nobody"\nreason = "r"\ntext = "文件"\n'
    task = "ratios = { A = 1, B = 1, C = 1, D = 1 }" + exemption * 2
    codes = [problem.code for problem in parse_plan(PLAN.format(plan="", task=task).encode()).problems]
    assert sorted(set(codes)) == ["plan-exemption-twice", "plan-unknown-id"]


def test_a_notice_beside_the_plan_gives_the_working_days_of_its_year(tmp_path: Path) -> None:
    text = PLAN.format(plan="", task="ratios = { A = 1, B = 1, C = 1, D = 1 }").replace("2023-0", "2027-0")
    (tmp_path / "plan.toml").write_text(text, "utf-8")
    assert "working-days-unknown" in {problem.code for problem in read_plan(tmp_path / "plan.toml").problems}
    notice = next(block for block in blocks("policies.md") if block.startswith("[[notices]]"))
    (tmp_path / "working-days.toml").write_text(notice, "utf-8")
    result = read_plan(tmp_path / "plan.toml")
    assert result.problems == ()
    assert result.plan is not None
    assert result.plan.notices is not None
    assert 2027 in result.plan.notices.by_year
    (tmp_path / "working-days.toml").write_text("[[notices]]\nyear = 1", "utf-8")
    assert read_plan(tmp_path / "plan.toml").plan is None
