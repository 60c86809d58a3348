"""A plan made from three small workbooks needs few edits and then reads without errors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest

from dualrandom.errors import DualRandomError, InputError
from dualrandom.policy.plan import Plan
from dualrandom.policy.reader import read_plan
from dualrandom.registry.reader import read_libraries
from dualrandom.registry.uscc import check_digit
from dualrandom.scaffold import Created, new_campaign

NOW = datetime(2023, 8, 20, 9, tzinfo=UTC)
Rows = Sequence[Sequence[object]]


def firm(number: int) -> str:
    first = f"91420704MA{number:07}"
    return first + check_digit(first)


ENTERPRISES: Rows = [
    ["统一社会信用代码", "企业名称", "行政区划", "信用风险分类"],
    *([firm(n), f"示例企业{n}", ("梁子湖区", "华容区")[n % 2], "ABCD"[n % 4]] for n in range(1, 41)),
]
INSPECTORS: Rows = [
    ["人员编号", "姓名", "部门", "资格", "执法证号"],
    ["p1", "甲", "市场监管局", "组长", "4201"],
    ["p2", "乙", "市场监管局", "", "4202"],
    ["p3", "丙", "消防救援支队", "", "4203"],
    ["p4", "丁", "消防救援支队", "", "4204"],
]
ITEMS: Rows = [
    ["事项编号", "抽查事项", "部门", "法律依据"],
    ["i01", "公示信息检查", "市场监管局", "企业信息公示暂行条例"],
    ["i02", "登记事项检查", "市场监管局", "市场主体登记管理条例"],
    ["i03", "消防安全检查", "消防救援支队", "消防法"],
]


def workbook(path: Path, **sheets: Rows) -> Path:
    book = openpyxl.Workbook()
    book.remove(book.active)  # type: ignore[arg-type]
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(list(row))
    book.save(path)
    book.close()
    return path


def three(folder: Path, **changed: Rows) -> list[Path]:
    tables = {"企业": ENTERPRISES, "人员": INSPECTORS, "清单": ITEMS, **changed}
    return [workbook(folder / f"{name} 2023.xlsx", **{name: rows}) for name, rows in tables.items()]


def filled(created: Created) -> Plan:
    path = created.folder / "plan.toml"
    text = path.read_text("utf-8").replace('"fill-in"', '"ezhou"').replace("请填写：", "鄂州 ")
    path.write_text(text, "utf-8")
    result = read_plan(path)
    assert [problem for problem in result.problems if problem.severity == "error"] == []
    assert result.plan is not None
    return result.plan


def test_three_workbooks_become_a_campaign_that_reads_after_three_edits(tmp_path: Path) -> None:
    created = new_campaign(tmp_path / "campaign", three(tmp_path), now=NOW)
    assert created.libraries == {kind: f"{kind}.xlsx" for kind in ("enterprises", "inspectors", "items")}
    refused = [problem.column for problem in read_plan(created.folder / "plan.toml").problems]
    assert set(refused) == set(created.to_fill) == {"plan.authority", "plan.authority_name", "auditor.name"}
    plan = filled(created)
    assert plan.period == (date(2023, 9, 1), date(2023, 9, 30))
    assert plan.beacon.time == datetime(2023, 8, 27, 2, 0, tzinfo=UTC)
    assert [(task.id, task.department, task.items) for task in plan.tasks] == [
        ("amr-1", "amr", ("i01", "i02")),
        ("fire-1", "fire", ("i03",)),
    ]
    assert [district.name for district in plan.districts] == ["华容区", "梁子湖区"]
    read = read_libraries(created.folder, plan)
    assert [problem for problem in read.problems if problem.severity == "error"] == []
    assert len(read.libraries.enterprises) == 40


def test_a_department_without_leaders_gets_open_seats_and_a_remark(tmp_path: Path) -> None:
    created = new_campaign(tmp_path / "campaign", three(tmp_path), now=NOW)
    assert [department.seats for department in created.plan.departments] == [(("leader",), ()), ((), ())]
    assert "没有组长" in (created.folder / "plan.toml").read_text("utf-8")


def test_one_workbook_may_hold_all_libraries(tmp_path: Path) -> None:
    book = workbook(tmp_path / "all.xlsx", 企业=ENTERPRISES, 人员=INSPECTORS, 清单=ITEMS)
    created = new_campaign(tmp_path / "campaign", [book], now=NOW)
    plan = filled(created)
    assert {source.sheet for source in plan.libraries.values()} == {"企业", "人员", "清单"}
    assert len(read_libraries(created.folder, plan).libraries.items) == 3


def test_a_sheet_of_such_a_workbook_that_is_not_read_is_named(tmp_path: Path) -> None:
    lost = [["检查人员", "企业全称", "回避事由"], ["p1", "甲", "夫妻"]]
    sheets = {"企业": ENTERPRISES, "人员": INSPECTORS, "清单": ITEMS, "回避": lost}
    created = new_campaign(tmp_path / "campaign", [workbook(tmp_path / "all.xlsx", **sheets)], now=NOW)
    assert [(found.code, found.sheet) for found in created.problems] == [("sheet-ignored", "回避")]


def test_a_table_that_lacks_a_column_is_told_which_one(tmp_path: Path) -> None:
    rows = [["表一"], ["统一社会信用代码", "企业名称", "归属地", "信用风险分类"], *ENTERPRISES[1:]]
    with pytest.raises(InputError) as refused:
        new_campaign(tmp_path / "campaign", three(tmp_path, 企业=rows), now=NOW)
    found = next(one for one in refused.value.problems if one.code == "new-unrecognised")
    assert (found.row, found.value) == (2, "归属地")
    assert found.message_zh.endswith("没有这些必需的列：行政区划")


def test_an_unknown_table_is_held_against_what_is_not_there_yet(tmp_path: Path) -> None:
    rows = [["license", "name", "risk", "zip"], ["9", "COSI", "1", "60606"]]
    with pytest.raises(InputError) as refused:
        new_campaign(tmp_path / "campaign", three(tmp_path, 企业=rows), now=NOW)
    (found,) = (one for one in refused.value.problems if one.code == "new-unrecognised")
    assert found.message_zh.startswith("最像检查对象名录库")


def test_classes_of_other_words_are_mapped_and_put_up_for_ordering(tmp_path: Path) -> None:
    rows = [row if n == 0 else [*row[:3], ("低风险", "高风险")[n % 2]] for n, row in enumerate(ENTERPRISES)]
    created = new_campaign(tmp_path / "campaign", three(tmp_path, 企业=rows), now=NOW)
    plan = filled(created)
    assert len(plan.classes) == 2
    assert "由低到高" in (created.folder / "plan.toml").read_text("utf-8")
    read = read_libraries(created.folder, plan)
    assert [problem for problem in read.problems if problem.severity == "error"] == []
    assert {enterprise.credit_class for enterprise in read.libraries.enterprises} == set(plan.classes)


def test_enterprises_without_credit_codes_are_free(tmp_path: Path) -> None:
    rows = [row if n == 0 else [f"L{n}", *row[1:]] for n, row in enumerate(ENTERPRISES)]
    plan = filled(new_campaign(tmp_path / "campaign", three(tmp_path, 企业=rows), now=NOW))
    assert plan.enterprise_ids == "free"


def test_rows_with_mistakes_do_not_prevent_the_plan_but_are_reported(tmp_path: Path) -> None:
    rows = [*ENTERPRISES, ["91420704MA00000000", "错误代码企业", "华容区", "A"]]
    created = new_campaign(tmp_path / "campaign", three(tmp_path, 企业=rows), now=NOW)
    assert [problem.row for problem in created.problems if problem.severity == "error"] == [42]
    assert (created.folder / "plan.toml").exists()


def test_everything_wrong_with_the_files_is_said_at_once(tmp_path: Path) -> None:
    files = [
        workbook(tmp_path / "a.xlsx", a=ENTERPRISES),
        workbook(tmp_path / "b.xlsx", b=ENTERPRISES),
        workbook(tmp_path / "c.xlsx", c=[["地点", "菜单"], ["x", "y"]]),
        tmp_path / "missing.xlsx",
        workbook(tmp_path / "blank.xlsx", d=[]),
    ]
    with pytest.raises(InputError) as refused:
        new_campaign(tmp_path / "campaign", files, now=NOW)
    found = {(problem.code, problem.file) for problem in refused.value.problems}
    assert found >= {
        ("new-twice", "b.xlsx"),
        ("new-unrecognised", "c.xlsx"),
        ("file-empty", "blank.xlsx"),
        ("file-absent", "missing.xlsx"),
        ("new-missing", "inspectors.xlsx"),
        ("new-missing", "items.xlsx"),
    }
    assert not (tmp_path / "campaign").exists()


@pytest.mark.parametrize("there", ["plan.toml", "Enterprises.csv", "public"])
def test_nothing_is_overwritten(tmp_path: Path, there: str) -> None:
    folder = tmp_path / "campaign"
    folder.mkdir()
    (folder / there).write_text("mine")
    with pytest.raises(DualRandomError) as refused:
        new_campaign(folder, three(tmp_path), now=NOW)
    assert refused.value.code == "campaign-exists"
    assert [path.name for path in folder.iterdir()] == [there]
    assert (folder / there).read_text() == "mine"


@pytest.mark.parametrize(
    ("now", "period"),
    [
        (datetime(2023, 8, 1, tzinfo=UTC), (date(2023, 9, 1), date(2023, 9, 30))),
        (datetime(2023, 8, 29, tzinfo=UTC), (date(2023, 9, 6), date(2023, 9, 30))),
        (datetime(2023, 8, 31, 16, tzinfo=UTC), (date(2023, 10, 1), date(2023, 10, 31))),
        (datetime(2023, 12, 20, tzinfo=UTC), (date(2024, 1, 1), date(2024, 1, 31))),
        (datetime(2026, 11, 24, tzinfo=UTC), (date(2026, 12, 2), date(2026, 12, 31))),
        (datetime(2031, 5, 24, tzinfo=UTC), (date(2031, 6, 1), date(2031, 6, 30))),
    ],
)
def test_the_period_is_the_next_month_and_begins_after_the_beacon(
    tmp_path: Path, now: datetime, period: tuple[date, date]
) -> None:
    created = new_campaign(tmp_path / "campaign", three(tmp_path), now=now)
    plan = filled(created)
    assert plan.period == period
    assert plan.beacon.time.date() < period[0]
    assert plan.deadlines.findings.date() > period[1]


def test_the_plan_is_commented_in_both_languages(tmp_path: Path) -> None:
    created = new_campaign(tmp_path / "campaign", three(tmp_path), now=NOW)
    text = (created.folder / "plan.toml").read_text("utf-8")
    assert text.count("# ★ 请填写\n# ★ fill this in\n") == 3
