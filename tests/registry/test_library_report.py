"""The report of a broken file stays readable, keeps everything, and cannot be turned against its reader."""

import io
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import openpyxl
import pytest

from dualrandom.errors import DualRandomError, Problem
from dualrandom.registry import reader
from dualrandom.registry.faults import FAULTS, Place, problem
from dualrandom.registry.reader import ReadResult
from dualrandom.registry.report import render_problems, summarise, write_problem_sheet

HEAD = "统一社会信用代码,名称,行政区划,信用风险分类\n"


def wrong(code: str = "class-unknown", row: int = 2, value: object = "X") -> Problem:
    return problem(code, Place("a.csv", None, row, "分类"), value, names="A, B", kind="enterprises")


def test_no_problems_make_no_text() -> None:
    assert render_problems((), "zh") == ""


def test_ten_thousand_broken_rows_make_a_short_text_and_lose_nothing(read: Callable[..., ReadResult]) -> None:
    rows = "".join(
        f"914207040000{number:05}X,企业{number},42070{number % 10},Z\n" for number in range(10_000)
    )
    result = read({"enterprises": HEAD + rows})
    assert result.errors > 20_000
    for language, more in (("zh", "另有"), ("en", "more")):
        text = render_problems(result.problems, language)  # type: ignore[arg-type]
        assert len(text.splitlines()) < 60
        assert str(result.errors) in text
        assert more in text
    assert sum(len(group) for group in summarise(result.problems)) == len(result.problems)


def test_errors_come_before_warnings_and_each_has_its_remedy() -> None:
    warning = problem("encoding-gb", Place("a.csv"), kind="enterprises")
    text = render_problems([warning, wrong()], "en")
    assert text.startswith("1 file: 1 error, 1 warning; nothing was imported\n")
    assert text.index("ERROR") < text.index("WARNING")
    assert text.count("To do:") == 2


def test_the_chinese_text_names_place_value_and_suggestion() -> None:
    found = problem(
        "uscc-check-digit", Place("企业.csv", None, 7, "代码"), "914207040000000000", "91420704000000000L"
    )
    text = render_problems([found], "zh")
    for part in (
        "企业.csv",
        "第 7 行",
        "“代码”列",
        "914207040000000000",
        "是否应为 91420704000000000L？",
        "校验码",
        "处理：",
    ):
        assert part in text


def test_different_messages_of_one_kind_are_each_shown() -> None:
    found = [
        problem(
            "id-duplicate", Place("a.csv", None, row, "id"), "p1", first=1, second=row, differs="name: a / b"
        )
        for row in (3, 4)
    ]
    text = render_problems(found, "en")
    assert "rows 1 and 3" in text
    assert "rows 1 and 4" in text


def test_control_characters_of_a_file_do_not_reach_the_terminal() -> None:
    text = render_problems([wrong(value="\x1b[2J\x07\u202e甲")], "zh")
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "甲" in text


@pytest.mark.parametrize(
    "value", ["=1+1", "+1", "-1", "@SUM(1)", "\t=1", "https://example.org", "{=1}", "123"]
)
def test_values_are_inert_in_the_sheet(tmp_path: Path, value: str) -> None:
    path = tmp_path / "problems.xlsx"
    write_problem_sheet([wrong(value=value)], path)
    book = openpyxl.load_workbook(path)
    row = [cell for cell in book.worksheets[0][2] if cell.value is not None]
    assert [(cell.value, cell.data_type) for cell in row if cell.column == 6] == [(value, "s")]
    xml = zipfile.ZipFile(io.BytesIO(path.read_bytes())).read("xl/worksheets/sheet1.xml")
    assert b"<f" not in xml
    assert b"hyperlink" not in xml


def test_the_sheet_holds_every_problem_in_both_languages(tmp_path: Path) -> None:
    path = tmp_path / "problems.xlsx"
    found = [wrong(row=row, value=f"x\ud800{row}") for row in range(2, 300)]
    write_problem_sheet(found, path)
    sheet = openpyxl.load_workbook(path).worksheets[0]
    assert sheet.max_row == len(found) + 1
    texts = [cell.value for cell in sheet[2]]
    assert found[0].message_zh in texts
    assert found[0].remedy_en in texts
    assert sheet.cell(299, 4).value == 299


def test_the_sheet_needs_its_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(DualRandomError, match="extra-missing"):
        write_problem_sheet([wrong()], tmp_path / "problems.xlsx")


def test_every_fault_is_used_and_speaks_both_languages() -> None:
    folder = Path(reader.__file__).parent
    sources = "".join(
        path.read_text("utf-8")
        for path in folder.glob("*.py")
        if path.name not in {"file_faults.py", "row_faults.py"}
    )
    for code, fault in FAULTS.items():
        assert f'"{code}"' in sources, code
        assert any("\u4e00" <= character <= "\u9fff" for character in fault.zh + fault.remedy_zh), code
        assert not any("\u4e00" <= character <= "\u9fff" for character in fault.en.replace("长期", "")), code
        assert fault.en
        assert fault.remedy_en


def test_a_long_value_is_cut() -> None:
    assert len(wrong(value="x" * 10_000).value) < 250
