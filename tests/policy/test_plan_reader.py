"""A plan file that is right: defaults, exact numbers, what follows from what."""

from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path

import pytest

from dualrandom.policy.plan import Beacon, Department, Plan
from dualrandom.policy.reader import parse_plan, read_plan

QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"

SHORT = """
[plan]
id = "2023-09"
authority = "ezhou"
authority_name = "鄂州市双随机办"
period = { start = 2023-09-01, end = 2023-09-30 }

[beacon]
round = 1000

[auditor]
name = "市审计局"

[[departments]]
id = "amr"
name = "市场监管局"

[[tasks]]
id = "t01"
name = "公示信息抽查"
department = "amr"
items = ["i02", "i01"]
ratios = { A = "1%", B = 0.02, C = "1/10", D = "30%" }
"""


def plan_of(text: str) -> Plan:
    result = parse_plan(text.encode())
    assert [problem for problem in result.problems if problem.severity == "error"] == []
    assert result.plan is not None
    return result.plan


def test_a_short_plan_gets_the_documented_defaults() -> None:
    plan = plan_of(SHORT)
    assert plan.number == 1
    assert plan.year == 2023
    assert plan.timezone == "Asia/Shanghai"
    assert plan.months_left == 4
    assert (plan.suite, plan.disclosure, plan.enterprise_ids, plan.rounding) == (
        "sha256",
        "sealed",
        "uscc",
        "up",
    )
    assert plan.classes == ("A", "B", "C", "D")
    assert plan.departments == (Department("amr", "市场监管局", "市场监管局", (("leader",), ())),)
    assert plan.caps.enterprise_annual is None
    assert plan.rotation
    assert plan.visit_limit is None
    assert plan.libraries == {}


def test_ratios_are_exact_whatever_way_they_are_written() -> None:
    (task,) = plan_of(SHORT).tasks
    assert task.ratios == {
        "A": Fraction(1, 100),
        "B": Fraction(1, 50),
        "C": Fraction(1, 10),
        "D": Fraction(3, 10),
    }
    assert task.items == ("i01", "i02")


def test_the_time_of_a_drand_round_is_computed() -> None:
    assert plan_of(SHORT).beacon == Beacon(
        "drand", QUICKNET, "1000", datetime(2023, 8, 23, 15, 59, 24, tzinfo=UTC)
    )


@pytest.mark.parametrize("second", [22, 23, 24])
def test_a_drand_time_alone_takes_the_first_round_from_then_on(second: int) -> None:
    beacon = plan_of(SHORT.replace("round = 1000", f"time = 2023-08-23T23:59:{second}+08:00")).beacon
    assert (beacon.round, beacon.time) == ("1000", datetime(2023, 8, 23, 15, 59, 24, tzinfo=UTC))


def test_a_time_before_the_chain_takes_its_first_round() -> None:
    assert plan_of(SHORT.replace("round = 1000", "time = 2023-08-01T00:00:00Z")).beacon.round == "1"


def test_deadlines_follow_from_beacon_and_period() -> None:
    deadlines = plan_of(SHORT).deadlines
    assert deadlines.reveal == datetime(2023, 8, 23, 15, 59, 24, tzinfo=UTC)
    assert deadlines.result == datetime(2023, 8, 30, 15, 59, 24, tzinfo=UTC)
    # 20 working days after 30 September 2023: the National Day week is free, 7 and 8 October are worked
    assert deadlines.findings == datetime(2023, 11, 1, 15, 59, 59, tzinfo=UTC)


def test_written_deadlines_count_and_come_in_any_offset() -> None:
    deadlines = plan_of(SHORT + "[deadlines]\nresult = 2023-08-25T00:00:00+08:00\n").deadlines
    assert deadlines.result == datetime(2023, 8, 24, 16, tzinfo=UTC)


def test_tables_are_sorted_by_id_so_that_their_order_means_nothing() -> None:
    more = '[[departments]]\nid = "Fire"\nname = "消防"\n'
    assert plan_of(SHORT + more).departments == plan_of(more + SHORT).departments
    assert [department.id for department in plan_of(SHORT + more).departments] == ["Fire", "amr"]


def test_a_local_beacon_needs_only_its_time() -> None:
    text = SHORT.replace("round = 1000", 'kind = "local"\ntime = 2023-08-23T00:00:00Z')
    assert plan_of(text).beacon == Beacon("local", "none", "0", datetime(2023, 8, 23, tzinfo=UTC))


def test_a_lottery_may_be_the_beacon() -> None:
    text = SHORT.replace(
        "round = 1000",
        'kind = "keystring"\nsource = "cwl-ssq"\nround = "2023097"\ntime = 2023-08-24T13:15:00Z',
    )
    assert plan_of(text).beacon == Beacon(
        "keystring", "cwl-ssq", "2023097", datetime(2023, 8, 24, 13, 15, tzinfo=UTC)
    )


def test_a_task_restricted_to_classes_needs_ratios_for_these_only() -> None:
    text = SHORT.replace(
        'ratios = { A = "1%", B = 0.02, C = "1/10", D = "30%" }',
        'ratios = { D = 1 }\nscope = { classes = ["D"] }',
    )
    (task,) = plan_of(text).tasks
    assert task.ratios == {"D": Fraction(1)}


def test_a_budget_stands_for_ratios() -> None:
    text = SHORT.replace(
        'ratios = { A = "1%", B = 0.02, C = "1/10", D = "30%" }',
        'budget = { visits = 400, weights = { A = 1, B = "2", C = 2.5, D = "20/3" } }',
    )
    (task,) = plan_of(text).tasks
    assert task.ratios is None
    assert task.budget is not None
    assert task.budget.visits == 400
    assert task.budget.weights["D"] == Fraction(20, 3)


def test_a_task_may_follow_another() -> None:
    follower = '[[tasks]]\nid="t02"\nname="x"\ndepartment="amr"\nitems=["i03"]\nmode="follows"\nlead="t01"\n'
    task = plan_of(SHORT + follower).tasks[1]
    assert (task.mode, task.lead, task.ratios, task.budget) == ("follows", "t01", None, None)


def test_an_open_draw_says_why_its_classes_may_be_public() -> None:
    text = SHORT.replace('[auditor]\nname = "市审计局"\n', "").replace(
        "[plan]",
        '[plan]\ndisclosure = "open"\nclasses_public = "按公开的食品安全等级分类"\nrounding = "unbiased"',
    )
    plan = plan_of(text)
    assert plan.auditor is None
    assert plan.rounding == "unbiased"
    assert plan.classes_public == "按公开的食品安全等级分类"


def test_columns_and_values_of_a_foreign_library_are_mapped() -> None:
    text = SHORT + (
        '[libraries.enterprises]\nfile = "food.csv"\nencoding = "gbk"\n'
        'columns = { id = "License #", district = "Zip" }\nvalues = { credit_class = { "Risk 1 (High)" = "D" } }\n'
    )
    source = plan_of(text).libraries["enterprises"]
    assert source.columns == {"id": "License #", "district": "Zip"}
    assert source.values == {"credit_class": {"Risk 1 (High)": "D"}}


def test_a_byte_order_mark_and_windows_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "plan.toml"
    path.write_bytes(b"\xef\xbb\xbf" + SHORT.replace("\n", "\r\n").encode())
    assert read_plan(path).plan == plan_of(SHORT)


def test_names_are_normalised_so_that_equal_looking_ones_are_equal() -> None:
    decomposed = SHORT.replace("市审计局", "Cafe\N{COMBINING ACUTE ACCENT}")
    auditor = plan_of(decomposed).auditor
    assert auditor is not None
    assert auditor.name == "Caf\N{LATIN SMALL LETTER E WITH ACUTE}"


def test_a_beacon_after_the_first_day_for_visits_is_only_a_warning() -> None:
    result = parse_plan(SHORT.replace("round = 1000", "time = 2023-09-01T01:00:00Z").encode())
    assert result.plan is not None
    assert [(problem.code, problem.severity) for problem in result.problems] == [
        ("plan-beacon-late", "warning")
    ]


def test_days_are_sorted_and_may_lie_on_a_weekend() -> None:
    plan = plan_of(SHORT + "[days]\nextra = [2023-09-10, 2023-09-09]\nclosed = [2023-09-04]\n")
    assert plan.extra_days == (date(2023, 9, 9), date(2023, 9, 10))
