"""Findings: only what was drawn can have one, nothing is overwritten, and what was done is counted."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualrandom.errors import DualRandomError, InputError, IntegrityError
from dualrandom.exports.task_sheet import CHECKS
from dualrandom.findings import FindingRow, ledger_file, ledger_rows, merge_findings, read_findings
from dualrandom.page.words import FINDING_CODES, METHODS
from dualrandom.policy.plan import Plan
from dualrandom.policy.reader import parse_plan
from dualrandom.registry.faults import Place
from dualrandom.registry.reader import read_library
from dualrandom.verify.published import CODES, parse_findings
from dualrandom.verify.published import METHODS as VERIFIED_METHODS

DIGEST = "ab" * 32
ANNOUNCEMENT: dict[str, Any] = {
    "draw": "ezhou-2023-000001",
    "tasks": [
        {"id": "t01", "department": "amr"},
        {"id": "t02", "department": "amr"},
        {"id": "t03", "department": "fire"},
    ],
}


def visit(enterprise: str, part: int, day: str | None, **checks: list[str]) -> dict[str, Any]:
    departments = sorted({"fire" if task == "t03" else "amr" for task in checks})
    return {
        "enterprise": enterprise,
        "part": part,
        "date": day,
        "district": "420704",
        "checks": [{"task": task, "items": items} for task, items in sorted(checks.items())],
        "crews": [
            {"department": name, "seats": [f"{name}-2", f"{name}-1"], "barred": []} for name in departments
        ]
        if day
        else [],
    }


RESULT: dict[str, Any] = {
    "draw": "ezhou-2023-000001",
    "visits": [
        visit("e1", 1, "2023-09-04", t01=["i01", "i02"], t02=["i02"]),
        visit("e1", 2, "2023-09-06", t03=["i03"]),
        visit("e2", 1, None, t01=["i01"]),
        visit("e3", 1, "2023-09-05", t01=["i01"]),
    ],
}
PLAN_TEXT = """
[plan]
id = "p"
authority = "ezhou"
authority_name = "n"
enterprise_ids = "free"
period = { start = 2023-09-01, end = 2023-09-30 }
[beacon]
round = 1000
[auditor]
name = "x"
[[departments]]
id = "amr"
name = "市场监管局"
[[departments]]
id = "fire"
name = "消防"
[[tasks]]
id = "t01"
name = "t"
department = "amr"
items = ["i01"]
ratios = { A = 1, B = 1, C = 1, D = 1 }
"""
HEAD = [
    "统一社会信用代码 enterprise",
    "次 part",
    "任务 task",
    "抽查事项 item",
    "检查日期 date",
    "检查方式 method",
    "检查结果 code",
]
GOOD = ["e1", "", "", "i01", "2023-09-04", "on-site", "1"]


def the_plan() -> Plan:
    plan = parse_plan(PLAN_TEXT.encode()).plan
    assert plan is not None
    return plan


def sheet(folder: Path, *rows: Sequence[object], head: Sequence[object] = HEAD) -> Path:
    path = folder / "findings.csv"
    with path.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows([head, *rows])
    return path


def read(path: Path) -> tuple[FindingRow, ...]:
    return read_findings(path, RESULT, ANNOUNCEMENT, the_plan())


def refused(path: Path) -> list[tuple[str, int | None, str | None]]:
    with pytest.raises(InputError) as error:
        read(path)
    return [(problem.code, problem.row, problem.suggestion) for problem in error.value.problems]


def row(
    enterprise: str = "e1", part: int = 1, task: str = "t01", item: str = "i01", code: str = "1"
) -> FindingRow:
    return FindingRow(
        enterprise, part, task, item, code, "on-site", date(2023, 9, 4), Place("f.csv", None, 2)
    )


def test_a_department_fills_in_its_own_task_sheet(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    first.append([column.heading for column in CHECKS])
    common: dict[str, object] = {"统一社会信用代码 enterprise": "e1", "次 part": 1, "任务 task": "t01"}
    for item, filled in (
        ("i01", {"检查日期 date": date(2023, 9, 4), "检查方式 method": "on-site", "检查结果 code": 1}),
        ("i02", {}),
    ):
        cells = {
            **common,
            "抽查事项 item": item,
            "计划日期 planned": "2023-09-04",
            "备注 notes": "无",
            **filled,
        }
        first.append([cells.get(column.heading, "") for column in CHECKS])
    codes = book.create_sheet("codes")
    codes.append(["codes", "中文", "English"])
    book.save(tmp_path / "amr.xlsx")
    book.close()
    assert read(tmp_path / "amr.xlsx") == (row(),)


def test_what_is_not_filled_in_yet_is_passed_over(tmp_path: Path) -> None:
    assert read(sheet(tmp_path, GOOD, ["e3", "", "", "i01", "", "", ""])) == (row(),)


def test_the_task_is_found_by_the_item_where_only_one_has_it(tmp_path: Path) -> None:
    (found,) = read(sheet(tmp_path, ["e1", "", "", "i03", "2023-09-07", "online", "A"]))
    assert (found.part, found.task) == (2, "t03")


@pytest.mark.parametrize(
    "written", ["2023-09-04", "2023/9/4", "2023年9月4日", "20230904", "2023-09-04 00:00:00", "45173"]
)
def test_dates_are_read_as_people_write_them(tmp_path: Path, written: str) -> None:
    assert read(sheet(tmp_path, [*GOOD[:4], written, *GOOD[5:]])) == (row(),)


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("1", "1"),
        ("未发现问题", "1"),
        ("nothing found", "1"),
        ("a", "A"),
        ("6 通过登记的住所无法联系", "6"),
        ("\N{FULLWIDTH LATIN CAPITAL LETTER E}", "E"),
    ],
)
def test_findings_are_named_by_code_or_by_meaning(tmp_path: Path, written: str, code: str) -> None:
    assert [found.code for found in read(sheet(tmp_path, [*GOOD[:6], written]))] == [code]


@pytest.mark.parametrize(
    ("cells", "code", "suggestion"),
    [
        (["e9", "", "", "i01", "2023-09-04", "on-site", "1"], "finding-enterprise", None),
        (["E1", "", "", "i01", "2023-09-04", "on-site", "1"], "finding-enterprise", "e1"),
        (["e1", "3", "", "i01", "2023-09-04", "on-site", "1"], "finding-part", None),
        (["e1", "", "t04", "i01", "2023-09-04", "on-site", "1"], "finding-task", None),
        (["e1", "", "", "i09", "2023-09-04", "on-site", "1"], "finding-item", None),
        (["e1", "", "t03", "i01", "2023-09-04", "on-site", "1"], "finding-item", None),
        (["e1", "", "", "", "2023-09-04", "on-site", "1"], "finding-item", None),
        (["e1", "", "", "i02", "2023-09-04", "on-site", "1"], "finding-ambiguous", None),
        (["e2", "", "", "i01", "2023-09-04", "on-site", "1"], "finding-undated", None),
        (["e1", "", "", "i01", "2023-09-03", "on-site", "1"], "finding-early", "2023-09-04"),
        (["e1", "", "", "i01", "2023-09-31", "on-site", "1"], "finding-date", None),
        (["e1", "", "", "i01", "2023111", "on-site", "1"], "finding-date", None),
        (["e1", "", "", "i01", "2023-09-04", "onsite?", "1"], "finding-method", "on-site"),
        (["e1", "", "", "i01", "2023-09-04", "on-site", "G"], "finding-code", None),
        (["e1", "", "", "i01", "", "on-site", "1"], "finding-incomplete", None),
        (["e1", "", "", "i01", "2023-09-04", "", "1"], "finding-incomplete", None),
        (["e1", "", "", "i01", "2023-09-04", "on-site", ""], "finding-incomplete", None),
    ],
)
def test_a_wrong_row_is_refused_with_its_number(
    tmp_path: Path, cells: list[str], code: str, suggestion: str | None
) -> None:
    found = refused(sheet(tmp_path, GOOD, cells))
    assert [each[:2] for each in found] == [(code, 3)]
    if suggestion is not None:
        assert found[0][2] == suggestion


def test_all_wrong_rows_are_reported_at_once(tmp_path: Path) -> None:
    path = sheet(
        tmp_path,
        ["e9", "", "", "i01", "2023-9-4", "", "X"],
        ["e1", "", "", "i02", "gestern", "online", "1"],
    )
    assert {(code, line) for code, line, _ in refused(path)} == {
        ("finding-incomplete", 2),
        ("finding-enterprise", 2),
        ("finding-code", 2),
        ("finding-ambiguous", 3),
        ("finding-date", 3),
    }


def test_the_same_check_twice_is_refused_only_if_it_says_something_else(tmp_path: Path) -> None:
    assert read(sheet(tmp_path, GOOD, GOOD)) == (row(),)
    assert refused(sheet(tmp_path, GOOD, [*GOOD[:6], "2"])) == [("finding-twice", 3, None)]


def test_a_table_without_the_headings_says_which_are_missing(tmp_path: Path) -> None:
    with pytest.raises(InputError) as error:
        read(sheet(tmp_path, ["e1", "1"], head=["统一社会信用代码", "检查结果"]))
    (problem,) = error.value.problems
    assert problem.code == "finding-headings"
    assert "抽查事项、检查日期、检查方式" in problem.message_zh


def test_a_second_column_of_findings_is_refused(tmp_path: Path) -> None:
    head = ["企业", "抽查事项", "检查日期", "检查方式", "检查结果", "结果"]
    with pytest.raises(InputError) as error:
        read(sheet(tmp_path, ["e1", "i01", "2023-09-04", "on-site", "", "1"], head=head))
    assert {found.code for found in error.value.problems} == {"finding-heading-twice", "finding-incomplete"}


def test_a_sheet_that_lacks_one_heading_is_not_passed_over(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first = book.worksheets[0]
    heads = ["企业", "抽查事项", "检查日期", "检查方式", "检查结果"]
    for line in (heads, ["e3", "i01", "2023-09-05", "on-site", "1"]):
        first.append(line)
    second = book.create_sheet("续表")
    for line in ([*heads[:3], "怎么查的", heads[4]], ["e1", "i01", "2023-09-04", "on-site", "1"]):
        second.append(line)
    book.save(tmp_path / "f.xlsx")
    with pytest.raises(InputError) as error:
        read(tmp_path / "f.xlsx")
    (found,) = error.value.problems
    assert (found.code, found.sheet) == ("finding-headings", "续表")


def test_an_empty_sheet_is_no_recording(tmp_path: Path) -> None:
    assert [code for code, _, _ in refused(sheet(tmp_path))] == ["finding-none"]


def test_merged_cells_are_refused_because_all_but_the_first_would_be_lost(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first = book.active
    assert first is not None
    for cells in (HEAD, GOOD, ["e3", "", "", "i01", "", "", ""]):
        first.append(list(cells))
    first.merge_cells("G2:G3")
    book.save(tmp_path / "merged.xlsx")
    book.close()
    assert "merged-cells" in {code for code, _, _ in refused(tmp_path / "merged.xlsx")}


def test_a_result_of_another_draw_is_refused(tmp_path: Path) -> None:
    with pytest.raises(IntegrityError):
        read_findings(sheet(tmp_path, GOOD), {**RESULT, "draw": "x-2023-000002"}, ANNOUNCEMENT, the_plan())


def test_codes_and_methods_are_those_that_the_verifier_knows() -> None:
    assert tuple(FINDING_CODES) == CODES
    assert tuple(METHODS) == VERIFIED_METHODS


# --- findings.json ---


def test_first_findings_have_revision_one_and_no_reason() -> None:
    document = merge_findings(None, [row(), row("e3", code="E")], "not needed", ANNOUNCEMENT, DIGEST)
    assert [(entry["enterprise"], entry["revision"], entry["reason"]) for entry in document["findings"]] == [
        ("e1", 1, None),
        ("e3", 1, None),
    ]


def test_recording_the_same_again_changes_nothing() -> None:
    document = merge_findings(None, [row()], None, ANNOUNCEMENT, DIGEST)
    assert merge_findings(document, [row()], None, ANNOUNCEMENT, DIGEST) == document


def test_a_different_finding_without_a_reason_is_refused_and_all_are_listed() -> None:
    document = merge_findings(None, [row(), row("e3")], None, ANNOUNCEMENT, DIGEST)
    with pytest.raises(InputError) as error:
        merge_findings(document, [row(code="2"), row("e3", code="E")], None, ANNOUNCEMENT, DIGEST)
    assert [problem.code for problem in error.value.problems] == ["finding-differs"] * 2


def test_a_correction_is_a_further_revision_and_the_first_stays() -> None:
    document = merge_findings(None, [row()], None, ANNOUNCEMENT, DIGEST)
    corrected = merge_findings(document, [row(code="2")], " 复核\n更正 ", ANNOUNCEMENT, DIGEST)
    assert [(e["code"], e["revision"], e["reason"]) for e in corrected["findings"]] == [
        ("1", 1, None),
        ("2", 2, "复核 更正"),
    ]
    back = merge_findings(corrected, [row()], "误改", ANNOUNCEMENT, DIGEST)
    assert [e["revision"] for e in back["findings"]] == [1, 2, 3]


def test_a_finding_keeps_the_hash_of_what_it_leaves_out_and_only_if_there_is_some() -> None:
    kept = replace(row(), sealed="a" * 64)
    document = merge_findings(None, [kept, row("e3")], None, ANNOUNCEMENT, DIGEST)
    first, second = document["findings"]
    assert first["sealed"] == "a" * 64
    assert "sealed" not in second
    assert merge_findings(document, [kept, row("e3")], None, ANNOUNCEMENT, DIGEST) == document


def test_other_words_behind_the_same_finding_are_a_further_revision() -> None:
    document = merge_findings(None, [replace(row(), sealed="a" * 64)], None, ANNOUNCEMENT, DIGEST)
    for changed in (replace(row(), sealed="b" * 64), row()):
        with pytest.raises(InputError) as error:
            merge_findings(document, [changed], None, ANNOUNCEMENT, DIGEST)
        assert [problem.code for problem in error.value.problems] == ["finding-differs"]
        corrected = merge_findings(document, [changed], "更正文字", ANNOUNCEMENT, DIGEST)
        assert [(e["revision"], e.get("sealed")) for e in corrected["findings"]] == [
            (1, "a" * 64),
            (2, changed.sealed),
        ]


@pytest.mark.parametrize("reason", ["", "  ", "\x00"])
def test_a_correction_without_words_is_refused(reason: str) -> None:
    with pytest.raises(DualRandomError) as error:
        merge_findings(None, [row()], reason, ANNOUNCEMENT, DIGEST)
    assert error.value.code == "reason-missing"


def test_findings_of_another_announcement_are_never_added_to() -> None:
    document = merge_findings(None, [row()], None, ANNOUNCEMENT, "cd" * 32)
    with pytest.raises(IntegrityError):
        merge_findings(document, [row()], None, ANNOUNCEMENT, DIGEST)


ROWS = st.builds(
    row, enterprise=st.sampled_from(["e1", "e3"]), part=st.integers(1, 2), item=st.sampled_from(["i01", "i02"]),
    code=st.sampled_from(["1", "2", "A"]),
)  # fmt: skip


@given(st.lists(st.lists(ROWS, max_size=4), max_size=4))
def test_revisions_are_gapless_ordered_and_only_grow(batches: list[list[FindingRow]]) -> None:
    from dualrandom.canonical import canonical

    document: dict[str, Any] | None = None
    for batch in batches:
        before = [] if document is None else document["findings"]
        document = merge_findings(document, batch, "更正", ANNOUNCEMENT, DIGEST)
        assert all(entry in document["findings"] for entry in before)
        parse_findings(canonical(document))
        revisions: dict[tuple[object, ...], int] = {}
        for entry in document["findings"]:
            key = (entry["enterprise"], entry["part"], entry["task"], entry["item"])
            assert entry["revision"] == revisions.get(key, 0) + 1
            assert (entry["reason"] is None) == (entry["revision"] == 1)
            revisions[key] = entry["revision"]


# --- ledger ---


def test_the_ledger_reads_as_a_visits_library(tmp_path: Path) -> None:
    document = merge_findings(
        None, [row("e1", 2, "t03", "i03"), row(), row("e3")], None, ANNOUNCEMENT, DIGEST
    )
    people = {"fire-1": "p7", "fire-2": "p3"}
    path = tmp_path / "ledger.csv"
    path.write_bytes(ledger_file(document, RESULT, ANNOUNCEMENT, people))
    result = read_library("visits", path, None, the_plan())
    assert [problem for problem in result.problems if problem.severity == "error"] == []
    assert result.rows == ledger_rows(document, RESULT, ANNOUNCEMENT, people)
    assert [next(iter(csv.DictReader(io.StringIO(path.read_text("utf-8"))))), len(result.rows)] == [
        {
            "enterprise": "e1",
            "date": "2023-09-04",
            "department": "amr",
            "task": "t01",
            "item": "i01",
            "inspectors": "amr-1;amr-2",
            "kind": "plan",
        },
        3,
    ]


def test_a_corrected_finding_is_one_check_done() -> None:
    document = merge_findings(None, [row()], None, ANNOUNCEMENT, DIGEST)
    document = merge_findings(document, [row(code="2")], "更正", ANNOUNCEMENT, DIGEST)
    assert len(ledger_rows(document, RESULT, ANNOUNCEMENT, {})) == 1
