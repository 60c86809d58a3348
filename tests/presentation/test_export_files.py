"""Exports for the people at work: what is in them, that nothing in them is a formula, that the bytes are fixed."""

import csv
import io
import json
import re
import zipfile
from collections.abc import Callable
from datetime import date
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import icalendar
import openpyxl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook

from dualrandom.exports import ExportView, write_exports
from dualrandom.exports.inert import csv_cell, looks_like_formula
from dualrandom.findings import read_findings

View = Callable[..., ExportView]
FILES = {
    "visits.xlsx",
    "visits.csv",
    "calendar.ics",
    "calendar-amr.ics",
    "calendar-fire.ics",
    "task-sheet-amr.xlsx",
    "task-sheet-fire.xlsx",
    "provincial-platform.json",
    "summary.html",
}
HOSTILE = (
    "=cmd|' /C calc'!A0",
    "+1+1",
    "-2+3",
    "@SUM(1)",
    "＝1",
    "＋1",
    "－1",
    "\uff20A1",
    "\t=1+1",
    "\r=1+1",
    '=HYPERLINK("http://a.example","x")',
    "https://a.example/",
    "mailto:a@b.example",
    "{=1}",
    "<script>alert(1)</script>",
    "a\r\nATTACH:b\x00",
)


def rows(path: Path, sheet: str | int = 0) -> list[list[Any]]:
    """Cells of one sheet, by name or position."""
    book = CalamineWorkbook.from_path(path)
    found = book.get_sheet_by_name(sheet) if isinstance(sheet, str) else book.get_sheet_by_index(sheet)
    return [list(row) for row in found.to_python()]


def test_two_runs_write_the_same_files_with_the_same_bytes(view: View, tmp_path: Path) -> None:
    written = write_exports(view(), tmp_path / "first")
    assert {path.name for path in written} == FILES
    write_exports(view(), tmp_path / "second")
    for name in FILES:
        assert (tmp_path / "first" / name).read_bytes() == (tmp_path / "second" / name).read_bytes(), name


def test_exports_are_for_their_owner_only(view: View, tmp_path: Path) -> None:
    assert {path.stat().st_mode & 0o777 for path in write_exports(view(), tmp_path)} == {0o600}


def test_a_filled_in_sheet_is_set_aside_before_it_is_written_anew(view: View, tmp_path: Path) -> None:
    write_exports(view(), tmp_path)
    sheet, fresh = tmp_path / "task-sheet-amr.xlsx", (tmp_path / "task-sheet-amr.xlsx").read_bytes()
    for text in (b"filled in", b"filled in again"):
        sheet.write_bytes(text)
        (tmp_path / "task-sheet-gone.xlsx").write_bytes(text)
        write_exports(view(), tmp_path)
        assert sheet.read_bytes() == fresh
    kept = {path.name: path.read_bytes() for path in (tmp_path / "earlier").iterdir()}
    assert kept == {
        f"task-sheet-{name}.{number}.xlsx": text
        for name in ("amr", "gone")
        for number, text in ((1, b"filled in"), (2, b"filled in again"))
    }
    assert {path.name for path in tmp_path.iterdir() if path.is_file()} == FILES


def test_the_list_has_one_row_a_visit_by_date_and_the_undated_last(view: View, tmp_path: Path) -> None:
    write_exports(view(), tmp_path)
    heading, *visits = rows(tmp_path / "visits.xlsx", "检查名单")
    assert heading[:5] == ["序号", "检查日期", "星期", "统一社会信用代码", "名称"]
    assert [row[1] for row in visits] == ["2023-09-04", "2023-09-04", "2023-09-05", "未能排期"]
    first = dict(zip(heading, visits[0], strict=True))
    assert first["星期"] == "周一"
    assert first["统一社会信用代码"] == "91420704MA0000017E"
    assert first["名称"] == "鄂州市示范甲有限公司"
    assert first["地址"] == "鄂州市鄂城区示范路 1 号"
    assert first["行政区划"] == "梁子湖区"
    assert first["部门"] == "市场监管局；消防救援支队"
    assert first["抽查事项"] == "公示信息检查；登记事项检查；消防安全检查"
    assert first["检查人员"] == "市场监管局：张伟、王芳；消防救援支队：刘洋、陈静"


def test_the_list_is_there_in_both_languages_the_plans_first(view: View, tmp_path: Path) -> None:
    write_exports(view(language="en"), tmp_path)
    assert CalamineWorkbook.from_path(tmp_path / "visits.xlsx").sheet_names == ["Visits", "检查名单"]
    english = rows(tmp_path / "visits.xlsx", "Visits")
    assert english[0][1:4] == ["Date", "Weekday", "Enterprise"]
    assert english[1][2] == "Mon"
    assert english[1][9] == "Publicity information; Registration; Fire safety"
    assert [row[3] for row in english[1:]] == [
        row[3] for row in rows(tmp_path / "visits.xlsx", "检查名单")[1:]
    ]


def test_the_csv_file_says_the_same_as_the_workbook(view: View, tmp_path: Path) -> None:
    write_exports(view(), tmp_path)
    data = (tmp_path / "visits.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    table = list(csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    as_text = [
        [str(int(cell)) if isinstance(cell, float) else cell for cell in row]
        for row in rows(tmp_path / "visits.xlsx")
    ]
    assert table == as_text


def test_a_task_sheet_has_the_departments_own_checks_crews_and_licences(view: View, tmp_path: Path) -> None:
    write_exports(view(), tmp_path)
    heading, *checks = rows(tmp_path / "task-sheet-fire.xlsx", "findings")
    table = [dict(zip(heading, row, strict=True)) for row in checks]
    assert [row["统一社会信用代码 enterprise"] for row in table] == [
        "91420704MA0000017E",
        "91420704MA00000336",
    ]
    assert {row["抽查事项 item"] for row in table} == {"i3"}
    assert table[0]["检查依据 basis"] == "消防法"
    assert table[0]["检查人员及证号 crew"] == "刘洋 鄂G-f1；陈静 鄂G-f2"
    assert all(row[column] == "" for row in table for column in heading[-4:])
    crews = rows(tmp_path / "task-sheet-fire.xlsx", "crews")
    assert crews[1] == [
        "2023-09-04",
        "91420704MA0000017E",
        "鄂州市示范甲有限公司",
        1,
        "刘洋",
        "鄂G-f1",
        "f1",
    ]
    assert len(crews) == 5


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_filled_task_sheet_can_be_given_back(view: View, tmp_path: Path, language: str) -> None:
    shown = view(language=language)
    write_exports(shown, tmp_path)
    path = tmp_path / "task-sheet-amr.xlsx"
    book = openpyxl.load_workbook(path)
    sheet = book["findings"]
    places = {str(cell.value).rsplit(" ", 1)[-1]: place for place, cell in enumerate(sheet[1], start=1)}
    codes, methods = ([cell.value for cell in book[name]["A"]][1:] for name in ("codes", "methods"))
    assert len(codes) == 15
    assert len(methods) == 6
    filled = list(range(2, 7))
    for number in filled:
        sheet.cell(number, places["date"], date(2023, 9, 5))
        sheet.cell(number, places["method"], methods[number % 6])
        sheet.cell(number, places["code"], codes[(number * 3) % 15])
    back = tmp_path / "back.xlsx"
    book.save(back)
    book.close()
    found = read_findings(back, shown.result, shown.announcement, shown.plan)
    assert len(found) == len(filled)
    assert {row.code for row in found} == {"7", "A", "D", "1", "4"}
    assert {row.method for row in found} == {"online", "laboratory", "expert", "other-department", "on-site"}
    assert {row.date for row in found} == {date(2023, 9, 5)}
    assert {row.task for row in found} == {"t1"}


def test_codes_and_methods_are_offered_as_drop_downs(view: View, tmp_path: Path) -> None:
    write_exports(view(), tmp_path)
    book = openpyxl.load_workbook(tmp_path / "task-sheet-amr.xlsx")
    rules = {str(rule.sqref): rule for rule in book["findings"].data_validations.dataValidation}
    assert [(rule.type, rule.formula1) for rule in rules.values()] == [
        ("list", "methods!$A$2:$A$7"),
        ("list", "codes!$A$2:$A$16"),
        ("date", "45170"),
    ]
    assert set(rules) == {"N2:N7", "O2:O7", "M2:M7"}
    assert book["codes"]["A2"].value == "1 未发现问题"
    book.close()


def test_sheets_print_well(view: View, tmp_path: Path) -> None:
    write_exports(view(), tmp_path)
    for name in sorted(name for name in FILES if name.endswith(".xlsx")):
        book = openpyxl.load_workbook(tmp_path / name)
        for sheet in book.worksheets:
            assert sheet.page_setup.orientation == "landscape"
            assert sheet.freeze_panes == "A2"
            assert sheet.print_title_rows == "$1:$1"
            assert "ezhou-2023-000007" in str(sheet.oddHeader.left.text)  # type: ignore[union-attr]
            assert sheet.column_dimensions["A"].width >= 5
        book.close()


@pytest.mark.parametrize("text", HOSTILE)
def test_no_export_holds_a_formula_or_a_link_whatever_names_say(
    view: View, tmp_path: Path, text: str
) -> None:
    shown = view(firm=text, address=text)
    write_exports(shown, tmp_path)
    for path in tmp_path.glob("*.xlsx"):
        with zipfile.ZipFile(path) as archive:
            for part in archive.namelist():
                root = ElementTree.fromstring(archive.read(part))
                local = [element.tag.rsplit("}", 1)[-1] for element in root.iter()]
                assert "hyperlink" not in local
                if part.startswith("xl/worksheets/"):
                    assert "f" not in local
    table = list(csv.reader(io.StringIO((tmp_path / "visits.csv").read_text("utf-8-sig"), newline="")))
    for row in table:
        assert not any(looks_like_formula(cell) or cell[:1] in {"\t", "\r", "\n"} for cell in row)
    calendar = icalendar.Calendar.from_ical((tmp_path / "calendar.ics").read_bytes())
    assert all("attach" not in event for event in calendar.walk("VEVENT"))
    json.loads((tmp_path / "provincial-platform.json").read_bytes())
    assert b"<script" not in (tmp_path / "summary.html").read_bytes()


def test_an_invisible_character_before_a_formula_does_not_hide_it() -> None:
    for before in ("", " ", "\u00a0", "\u200b", "\ufeff", "\u202e"):
        assert csv_cell(f"{before}=1+1").startswith("'")
    assert csv_cell("甲=1") == "甲=1"


@given(st.text())
def test_a_csv_cell_never_begins_with_what_is_evaluated(text: str) -> None:
    cell = csv_cell(text)
    assert not looks_like_formula(cell)
    assert not re.search("[\x00-\x1f\x7f-\x9f\u2028\u2029]", cell)
    assert len(cell) - len(text) in {0, 1}


def test_a_header_with_codes_and_too_much_text_stays_a_header(view: View, tmp_path: Path) -> None:
    from dualrandom.exports.workbook import Column, Workbook

    with Workbook("x", view().plan.beacon.time.replace(tzinfo=None)) as book:
        book.sheet("a", [Column("x", 9)], [], "A&P & B&R" * 60)
    (tmp_path / "a.xlsx").write_bytes(book.data)
    with zipfile.ZipFile(tmp_path / "a.xlsx") as archive:
        sheet = ElementTree.fromstring(archive.read("xl/worksheets/sheet1.xml"))
    headers = [str(element.text) for element in sheet.iter() if element.tag.endswith("oddHeader")]
    assert len(headers) == 1
    assert headers[0].startswith("&LA\uff06P \uff06 B\uff06R")
    assert headers[0].count("&") == 1
    assert len(headers[0]) <= 255


def test_calendars_have_an_all_day_event_for_each_crew(view: View, tmp_path: Path) -> None:
    write_exports(view(), tmp_path)
    calendars = {
        name: icalendar.Calendar.from_ical((tmp_path / f"{name}.ics").read_bytes())
        for name in ("calendar", "calendar-amr", "calendar-fire")
    }
    events = {name: list(calendar.walk("VEVENT")) for name, calendar in calendars.items()}
    assert [len(events[name]) for name in calendars] == [5, 3, 2]
    assert {str(e["uid"]) for e in events["calendar"]} == {
        str(e["uid"]) for name in ("calendar-amr", "calendar-fire") for e in events[name]
    }
    assert len({str(e["uid"]) for e in events["calendar"]}) == 5
    first = events["calendar-fire"][0]
    assert first["dtstart"].to_ical() == b"20230904"
    assert first["dtend"].to_ical() == b"20230905"
    assert first["dtstamp"].to_ical() == b"20230823T164924Z"
    assert str(first["summary"]) == "消防救援支队：鄂州市示范甲有限公司"
    assert "刘洋 (鄂G-f1)" in str(first["description"])
    assert "消防安全检查" in str(first["description"])
    assert "登记事项检查" not in str(first["description"])
    assert str(calendars["calendar"]["x-wr-timezone"]) == "Asia/Shanghai"


def test_the_provincial_shape_has_its_fields_and_findings_once_recorded(view: View, tmp_path: Path) -> None:
    shown = view()
    finding = {
        "code": "6",
        "enterprise": "91420704MA0000017E",
        "item": "i2",
        "part": 1,
        "task": "t1",
    }
    recorded = ExportView(
        **{
            name: getattr(shown, name)
            for name in ("plan", "libraries", "announcement", "result", "person_of", "statistics", "seed")
        },
        findings=[{**finding, "revision": 2, "code": "1"}, {**finding, "revision": 1}],
    )
    write_exports(recorded, tmp_path)
    entries = json.loads((tmp_path / "provincial-platform.json").read_bytes())
    assert len(entries) == 7
    assert entries[0] == {
        "insAuth": "鄂州市市场监督管理局",
        "insDate": "2023-09-04",
        "pripId": "91420704MA0000017E",
        "raninsTypeName": "不定向",
        "raninsPlanId": "2023-09",
        "raninsPlaneName": "鄂州市市场监督管理局 2023-09",
        "raninsTaskId": "t1",
        "raninsTaskName": "公示与登记检查",
        "details": [
            {"seqno": 1, "raninsItemName": "公示信息检查", "raninsCheckResName": ""},
            {"seqno": 2, "raninsItemName": "登记事项检查", "raninsCheckResName": "未发现问题"},
        ],
    }
    assert entries[1]["raninsTypeName"] == "定向"
    assert entries[-1]["insDate"] == ""


def test_the_summary_names_inspectors_and_says_that_it_is_internal(view: View, tmp_path: Path) -> None:
    write_exports(view(), tmp_path)
    page = (tmp_path / "summary.html").read_text("utf-8")
    reader = HTMLParser()
    reader.feed(page)
    assert "仅供内部使用，不得公开" in page
    assert "not for publication" in page
    assert "张伟" in page
    assert "91420704MA00000412" in page
