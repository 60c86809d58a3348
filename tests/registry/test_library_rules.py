"""What holds between libraries and plan: licences, recusals, past visits, and the legality of items."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dualrandom.errors import Problem
from dualrandom.policy.plan import Scope
from dualrandom.registry.columns import KINDS, LIBRARIES
from dualrandom.registry.reader import ReadResult

Read = Callable[..., ReadResult]
Make = Callable[..., Any]

FIRM = "91420704000000000L"
INSPECTORS = "人员编号,姓名,部门,执法证号,证件有效期,标记/资格\n"
ITEMS = "事项编号,抽查事项,部门,法律依据,生效日期,失效日期,资格要求\n"
RECUSALS = "检查人员,回避对象,回避事由\n"
VISITS = "统一社会信用代码,检查日期,检查部门,抽查事项,检查人员\n"


def only(result: ReadResult, code: str) -> Problem:
    """Return the one problem there is."""
    assert [found.code for found in result.problems] == [code]
    return result.problems[0]


# --- licences -----------------------------------------------------------------------------------------------------


def test_a_licence_that_expired_before_the_period_is_refused(read: Read) -> None:
    found = only(read({"inspectors": INSPECTORS + "p1,张三,amr,L1,2023-08-31,\n"}), "licence-expired")
    assert (found.row, found.column, found.value, found.severity) == (2, "证件有效期", "2023-08-31", "error")


@pytest.mark.parametrize("day", ["2023-09-01", "2023-09-29"])
def test_a_licence_that_expires_within_the_period_is_a_warning(read: Read, day: str) -> None:
    result = read({"inspectors": INSPECTORS + f"p1,张三,amr,L1,{day},\n"})
    assert only(result, "licence-expires").severity == "warning"
    assert result.libraries.inspectors[0].valid_until == date.fromisoformat(day)


@pytest.mark.parametrize("day", ["2023-09-30", "2027-01-01", "长期", ""])
def test_a_licence_that_outlasts_the_period_is_fine(read: Read, day: str) -> None:
    assert read({"inspectors": INSPECTORS + f"p1,张三,amr,L1,{day},\n"}).problems == ()


def test_nobody_without_a_licence_is_an_inspector(read: Read) -> None:
    found = only(read({"inspectors": INSPECTORS + "p1,协管员,amr,,,\n"}), "cell-empty")
    assert found.column == "执法证号"
    assert "第三方" in found.remedy_zh


@pytest.mark.parametrize("written", ["无", "/", "协管员", "办理中"])
def test_a_licence_number_without_a_digit_says_that_there_is_none(read: Read, written: str) -> None:
    found = only(read({"inspectors": INSPECTORS + f"p1,张三,amr,{written},,\n"}), "licence-none")
    assert (found.row, found.column, found.value) == (2, "执法证号", written)


def test_a_licence_number_that_lost_its_digits_is_refused(read: Read) -> None:
    assert only(read({"inspectors": INSPECTORS + "p1,张三,amr,4.20704E+13,,\n"}), "id-as-number").row == 2


@pytest.mark.parametrize("second", ["amr,鄂G-2021", "fire,鄂G-2021", "amr,鄂g-202 1"])
def test_one_licence_under_two_codes_is_refused(read: Read, second: str) -> None:
    text = INSPECTORS + f"p1,张三,amr,鄂G-2021,,\np2,张三,{second},,\n"
    found = only(read({"inspectors": text}), "licence-repeated")
    assert (found.row, found.severity) == (3, "error")
    assert "第 2 行和第 3 行" in found.message_zh


def test_a_licence_that_cannot_be_a_code_asks_for_a_column_of_codes(read: Read) -> None:
    found = only(read({"inspectors": "姓名,部门,执法证号\n张三,amr,鄂G-2021\n"}), "licence-as-code")
    assert (found.row, found.column, found.value) == (2, "执法证号", "鄂G-2021")
    assert "人员编号" in found.remedy_zh


# --- recusals -----------------------------------------------------------------------------------------------------


def test_nobody_is_recused_from_himself(read: Read) -> None:
    assert only(read({"recusals": RECUSALS + "p1,p1,kin\n"}), "recusal-self").row == 2


def test_a_recusal_of_an_unknown_inspector_is_refused(read: Read) -> None:
    found = only(read({"recusals": RECUSALS + f"p11,{FIRM},kin\n"}), "recusal-inspector-unknown")
    assert (found.column, found.suggestion) == ("检查人员", "p1")


@pytest.mark.parametrize(
    ("row", "column"), [("张三,p2,kin", "检查人员"), ("p1,甲食品有限公司,kin", "回避对象")]
)
def test_a_recusal_by_names_asks_for_codes(read: Read, row: str, column: str) -> None:
    found = only(read({"recusals": RECUSALS + row + "\n"}), "reference-pattern")
    assert (found.row, found.column) == (2, column)
    assert "编号" in found.remedy_zh


def test_a_licence_number_in_place_of_a_code_is_resolved_as_a_suggestion(read: Read) -> None:
    found = only(read({"recusals": RECUSALS + f"L3,{FIRM},kin\n"}), "recusal-inspector-unknown")
    assert found.suggestion == "p3"


def test_a_recusal_from_a_firm_that_is_not_in_the_library_is_a_warning(read: Read) -> None:
    result = read({"recusals": RECUSALS + "p1,91420704MA0000017E,kin\n"})
    assert only(result, "recusal-other-unknown").severity == "warning"
    assert len(result.libraries.recusals) == 1


@pytest.mark.parametrize(
    ("other", "code"),
    [
        ("91420704MA0000017F", "uscc-check-digit"),
        ("91420704ma0000017e", "id-form"),
        ("p9", "recusal-inspector-unknown"),
    ],
)
def test_a_mistyped_other_side_is_refused(read: Read, other: str, code: str) -> None:
    assert only(read({"recusals": RECUSALS + f"p1,{other},kin\n"}), code).column == "回避对象"


def test_colleagues_are_recused_from_each_other_once(read: Read) -> None:
    result = read({"recusals": RECUSALS + "p2,p1,kin\np1,p2,kin\n"})
    assert only(result, "row-duplicate").row == 3
    assert [(each.inspector, each.other) for each in result.libraries.recusals] == [("p1", "p2")]


def test_a_recusal_with_two_grounds_is_recorded_under_the_first_of_them(read: Read) -> None:
    result = read({"recusals": RECUSALS + f"p1,{FIRM},spouse\np1,{FIRM},employment\n"})
    assert only(result, "recusal-repeated").severity == "warning"
    assert [each.ground for each in result.libraries.recusals] == ["employment"]


# --- past visits --------------------------------------------------------------------------------------------------


def test_a_past_visit_after_the_period_is_refused(read: Read) -> None:
    found = only(read({"visits": VISITS + f"{FIRM},2023-10-01,amr,i01,p1\n"}), "visit-future")
    assert (found.column, found.value) == ("检查日期", "2023-10-01")


@pytest.mark.parametrize(
    ("row", "code"),
    [
        ("91420704MA0000017E,2023-03-01,amr,i01,p1", "visit-enterprise-unknown"),
        (f"{FIRM},2023-03-01,amr,i09,p1", "visit-item-unknown"),
        (f"{FIRM},2023-03-01,amr,i01,p1;p9", "visit-inspector-unknown"),
    ],
)
def test_a_past_visit_of_something_gone_is_a_warning(read: Read, row: str, code: str) -> None:
    result = read({"visits": VISITS + row + "\n"})
    assert only(result, code).severity == "warning"
    assert len(result.libraries.visits) == 1


def test_a_past_visit_by_an_unknown_department_is_refused(read: Read) -> None:
    assert (
        only(read({"visits": VISITS + f"{FIRM},2023-03-01,arm,i01,p1\n"}), "department-unknown").suggestion
        == "amr"
    )


def test_a_past_visit_needs_neither_task_nor_item_nor_people(read: Read) -> None:
    result = read({"visits": VISITS + f"{FIRM},2023-03-01,amr,,\n"})
    assert result.problems == ()
    assert (result.libraries.visits[0].item, result.libraries.visits[0].inspectors) == ("", ())


# --- legality -----------------------------------------------------------------------------------------------------


def test_an_item_that_is_not_on_the_list_is_refused_naming_task_and_department(
    read: Read, plan: Make, task: Make
) -> None:
    found = only(read(None, plan(tasks=(task(items=("i01", "i1")),))), "item-not-listed")
    for text in (found.message_zh, found.message_en):
        assert all(part in text for part in ("i1", "t01", "市场监督管理局"))
    assert found.suggestion == "i01"
    assert "法律依据" in found.remedy_zh


def test_an_item_of_another_department_is_refused_naming_its_basis(
    read: Read, plan: Make, task: Make
) -> None:
    found = only(read(None, plan(tasks=(task(items=("i02",)),))), "item-of-other-department")
    assert (found.row, found.value) == (3, "i02")
    assert all(
        part in found.message_zh for part in ("i02", "消防救援支队", "市场监督管理局", "消防法第五十三条")
    )


@pytest.mark.parametrize("span", ["2023-09-02,", ",2023-09-29", "2020-01-01,2022-12-31"])
def test_an_item_must_be_in_force_over_the_whole_period(read: Read, span: str) -> None:
    found = only(read({"items": ITEMS + f"i01,食品,amr,食品安全法,{span},\n"}), "item-not-in-force")
    assert (found.row, found.severity) == (2, "error")
    assert all(part in found.message_en for part in ("i01", "t01", "食品安全法", "2023-09-01"))


@pytest.mark.parametrize("span", ["2023-09-01,2023-09-30", ",长期", ","])
def test_an_item_in_force_over_the_whole_period_is_fine(read: Read, span: str) -> None:
    assert read({"items": ITEMS + f"i01,食品,amr,食品安全法,{span},\n"}).problems == ()


def test_an_item_that_no_task_uses_may_be_out_of_force(read: Read) -> None:
    text = ITEMS + "i01,食品,amr,食品安全法,,,\ni09,旧事项,amr,旧法,,2020-01-01,\n"
    assert read({"items": text}).problems == ()


def test_an_item_that_ends_before_it_begins_is_refused(read: Read) -> None:
    text = ITEMS + "i01,食品,amr,食品安全法,,,\ni09,旧,amr,旧法,2021-01-01,2020-01-01,\n"
    assert only(read({"items": text}), "dates-reversed").row == 3


def test_a_mark_that_nobody_holds_is_a_warning_with_the_nearest(read: Read) -> None:
    result = read(
        {
            "items": ITEMS + "i01,食品,amr,食品安全法,,,foods\n",
            "inspectors": INSPECTORS + "p1,张三,amr,L1,,food\np2,李四,fire,L2,,foods\n",
        }
    )
    found = only(result, "mark-without-holder")
    assert (found.severity, found.suggestion, found.row) == ("warning", "food", 2)


@pytest.mark.parametrize(
    ("scope", "field"),
    [
        (Scope(categories=("餐厅",)), "categories"),
        (Scope(kinds=("cooperative",)), "kinds"),
        (Scope(industries=("F52",)), "industries"),
    ],
)
def test_a_scope_that_matches_nothing_is_a_warning(
    read: Read, plan: Make, task: Make, scope: Scope, field: str
) -> None:
    found = only(read(None, plan(tasks=(task(scope=scope),))), "scope-matches-nothing")
    assert found.severity == "warning"
    assert field in found.message_en


# --- one fault, one problem; and no input raises ------------------------------------------------------------------


def test_references_to_rows_with_another_fault_are_not_faults(read: Read) -> None:
    result = read(
        {
            "enterprises": f"统一社会信用代码,名称,行政区划,信用风险分类\n{FIRM},甲,420704,X\n91420704MA0000017F,乙,420704,A\n",
            "inspectors": INSPECTORS + "p1,张三,amr,L1,2020-01-01,\n",
            "items": ITEMS + "i01,食品,none,法,,,\n",
            "recusals": RECUSALS + f"p1,{FIRM},kin\np1,91420704MA0000017F,kin\n",
            "visits": VISITS + f"{FIRM},2023-03-01,amr,i01,p1\n",
        }
    )
    assert [found.code for found in result.problems] == [
        "class-unknown",
        "uscc-check-digit",
        "licence-expired",
        "department-unknown",
    ]


def test_references_to_a_library_that_could_not_be_read_are_not_faults(read: Read) -> None:
    result = read(
        {
            "enterprises": None,
            "inspectors": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1",
            "recusals": RECUSALS + f"p1,{FIRM},kin\n",
            "visits": VISITS + f"{FIRM},2023-03-01,amr,i01,p1\n",
        }
    )
    assert sorted(found.code for found in result.problems) == ["file-missing", "old-excel"]


CELLS = st.sampled_from(
    [
        "",
        "p1",
        "p2",
        FIRM,
        "91420704MA0000017F",
        "amr",
        "fire",
        "420704",
        "A",
        "X",
        "i01",
        "2023-09-04",
        "2023-10-09",
        "-1",
        "1/2",
        "kin",
        "组长;food",
        "合计",
        "示例 example: x",
        "\u200b",
        "=1+1",
        "9.1E+17",
        "2023-09-01~2023-09-03",
        "长期",
        "企业",
    ]
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.data_too_large])
@given(data=st.data())
def test_no_cells_make_the_reader_raise(read: Read, plan: Make, data: st.DataObject) -> None:
    files = {}
    for kind in KINDS:
        columns = LIBRARIES[kind].columns
        rows = data.draw(st.lists(st.lists(CELLS, min_size=len(columns), max_size=len(columns)), max_size=4))
        files[kind] = "\n".join(",".join(row) for row in ([column.zh for column in columns], *rows))
    result = read(files, plan(enterprise_ids=data.draw(st.sampled_from(["uscc", "free"]))))
    assert (result.libraries.enterprises == ()) == (result.errors > 0)
    assert all(
        found.message_zh and found.message_en and found.remedy_zh and found.remedy_en
        for found in result.problems
    )
