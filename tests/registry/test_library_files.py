"""Files as they arrive: encodings, separators, Excel's habits, and files that are not what their name says."""

import io
import os
import struct
import sys
import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest
import xlsxwriter
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dualrandom.errors import Problem
from dualrandom.policy.plan import LibrarySource, Plan
from dualrandom.registry.columns import KINDS, LIBRARIES, Kind
from dualrandom.registry.reader import ReadResult, read_library, recognise

Read = Callable[..., ReadResult]
Make = Callable[..., Any]

HEADINGS = ("统一社会信用代码", "名称", "行政区划", "信用风险分类")
FIRST = ("91420704000000000L", "甲食品有限公司", "420704", "A")
SECOND = ("91420704000000001P", "乙食品有限公司", "420703", "D")
CSV = "\n".join(",".join(row) for row in (HEADINGS, FIRST, SECOND)) + "\n"


def only(result: ReadResult, code: str, *also: str) -> Problem:
    """Return the one problem with ``code``; no others may be there but ``also``."""
    assert {found.code for found in result.problems} == {code, *also}
    (found,) = (found for found in result.problems if found.code == code)
    return found


def codes(result: ReadResult) -> list[str]:
    return [found.code for found in result.problems]


def workbook(fill: Callable[[Any], None]) -> bytes:
    """Return the bytes of a workbook that ``fill`` has changed; its first sheet holds the two good enterprises."""
    book = openpyxl.Workbook()
    sheet = book.active
    assert sheet is not None
    sheet.title = "企业"
    for row in (HEADINGS, FIRST, SECOND):
        sheet.append(row)
    fill(book)
    data = io.BytesIO()
    book.save(data)
    return data.getvalue()


def untouched(book: Any) -> None:
    """Change nothing."""


# --- text ---------------------------------------------------------------------------------------------------------


def test_a_good_campaign_is_read_without_a_word(read: Read) -> None:
    result = read()
    assert result.problems == ()
    assert [each.id for each in result.libraries.enterprises] == [FIRST[0], SECOND[0]]
    assert [each.department for each in result.libraries.inspectors] == ["amr", "amr", "fire"]
    assert result.libraries.items[0].name_en == "食品生产"
    assert result.counts == {"enterprises": 2, "inspectors": 3, "items": 2, "recusals": 0, "visits": 0}


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_separator_and_encoding_are_recognised(read: Read, separator: str, encoding: str) -> None:
    result = read({"enterprises": CSV.replace(",", separator).encode(encoding)})
    assert result.problems == ()
    assert result.libraries == read().libraries


@pytest.mark.parametrize("encoding", ["gbk", "gb18030"])
def test_a_gbk_file_is_read_and_said_to_be_one(read: Read, encoding: str) -> None:
    result = read({"enterprises": CSV.encode(encoding)})
    assert only(result, "encoding-gb").severity == "warning"
    assert result.libraries == read().libraries


def test_the_encoding_that_the_plan_names_is_used(read: Read, plan: Make, source: Make) -> None:
    named = plan(libraries={"enterprises": source("enterprises.csv", encoding="gb18030")})
    assert read({"enterprises": CSV.encode("gbk")}, named).problems == ()


@pytest.mark.parametrize("encoding", [None, "utf-8", "no-such-encoding", "rot13"])
def test_unreadable_text_is_refused_with_its_line(
    read: Read, plan: Make, source: Make, encoding: str | None
) -> None:
    named = plan(libraries={"enterprises": source("enterprises.csv", encoding=encoding)})
    found = only(read({"enterprises": CSV.encode() + b"\xff\xff\n"}, named), "encoding-unknown")
    assert found.file == "enterprises.csv"
    assert ("4" if encoding in {None, "utf-8"} else "1") in found.message_en


def test_a_quote_that_is_never_closed_is_refused(read: Read) -> None:
    found = only(read({"enterprises": CSV + '91420704MA0000017E,"丙\n'}), "csv-broken")
    assert found.row == 4


def test_quoted_cells_may_hold_separators_and_line_ends(read: Read) -> None:
    text = CSV + '91420704MA0000017E,"丙,""老字号""\n分店",420704,B\n'
    assert read({"enterprises": text}).libraries.enterprises[2].name == '丙,"老字号" 分店'


def test_a_cell_too_many_is_refused(read: Read) -> None:
    found = only(read({"enterprises": CSV + "91420704MA0000017E,丙,420704,B,示范路,1号\n"}), "extra-cells")
    assert (found.row, found.column, found.value) == (4, "E", "示范路")


def test_titles_above_the_headings_and_blank_rows_are_passed_over(read: Read) -> None:
    result = read({"enterprises": "鄂州市名录,,,\n,,,\n" + CSV.replace("\n9", "\n,,,\n9")})
    assert result.problems == ()
    assert len(result.libraries.enterprises) == 2


def test_rows_are_numbered_as_the_spreadsheet_does(read: Read) -> None:
    found = only(
        read({"enterprises": "标题,,,\n" + CSV + ",,,\n" + "91420704MA0000017E,丙,420704,X\n"}),
        "class-unknown",
    )
    assert found.row == 6


@pytest.mark.parametrize("content", ["", " \n\n", "\0\0"])
def test_an_empty_file_is_refused(read: Read, content: str) -> None:
    assert only(read({"enterprises": content}), "file-empty").severity == "error"


def test_headings_without_rows_are_refused_but_for_optional_libraries(read: Read) -> None:
    only(read({"enterprises": ",".join(HEADINGS)}), "no-rows")
    assert read({"recusals": "检查人员,回避对象,回避事由\n"}).problems == ()


def test_what_excel_writes_to_keep_digits_is_undone(read: Read) -> None:
    text = CSV.replace(FIRST[0], f'"=""{FIRST[0]}"""').replace(SECOND[0], f"{SECOND[0]}\t ")
    assert read({"enterprises": text}).libraries == read().libraries


# --- which file ---------------------------------------------------------------------------------------------------


def test_missing_libraries_are_named_all_at_once(read: Read) -> None:
    result = read({"enterprises": None, "inspectors": None, "items": None})
    assert codes(result) == ["file-missing"] * 3
    assert [found.file for found in result.problems] == ["enterprises.csv", "inspectors.csv", "items.csv"]


def test_a_misnamed_library_is_found_by_its_headings(read: Read) -> None:
    found = only(read({"enterprises": None, "企业名录.csv": CSV}), "file-missing")
    assert found.suggestion == "企业名录.csv"


def test_two_files_of_one_library_are_refused(read: Read) -> None:
    found = only(read({"enterprises.csv": CSV, "enterprises.xlsx": workbook(untouched)}), "file-ambiguous")
    assert found.value == "enterprises.csv, enterprises.xlsx"


def test_a_file_that_the_plan_misspells_is_suggested(read: Read, plan: Make, source: Make) -> None:
    named = plan(libraries={"enterprises": source("entreprises.csv")})
    assert only(read(None, named), "file-missing").suggestion == "enterprises.csv"


def test_each_library_is_recognised_by_its_headings(tmp_path: Path) -> None:
    for kind in KINDS:
        for language in ("zh", "en"):
            path = tmp_path / f"{kind}-{language}.csv"
            columns = LIBRARIES[kind].columns
            path.write_text(
                ",".join(column.zh if language == "zh" else column.en for column in columns), "utf-8"
            )
            assert recognise(path) == kind
    (tmp_path / "other.csv").write_text("a,b\n1,2\n", "utf-8")
    assert recognise(tmp_path / "other.csv") is None


def test_the_wrong_template_is_recognised_and_named(read: Read) -> None:
    inspectors = "人员编号,姓名,部门,执法证号\np1,张三,amr,L1\n"
    found = only(read({"enterprises": inspectors}), "template-wrong")
    assert found.value == "inspectors"
    assert "检查人员名录库" in found.message_zh


# --- headings -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "headings",
    [
        "统一社会信用代码,企业名称,所属区划,信用等级",
        "社会信用代码,市场主体名称,区划,企业信用风险分类",
        "id,name,district,credit_class",
        "Unified Social Credit Code,Enterprise Name,District Code,Credit Class",
        "统一社会信用代码（必填）,*名称*,行政 区划：,信用风险分类(A-D)",
        "统一社会信用代码 id,名称 name,行政区划 district,信用风险分类 credit_class",
        "ＩＤ,ｎａｍｅ,district ,credit-class",  # noqa: RUF001 - full width is the point
    ],
)
def test_headings_are_recognised_in_both_languages(read: Read, headings: str) -> None:
    result = read({"enterprises": CSV.replace(",".join(HEADINGS), headings)})
    assert result.problems == ()
    assert result.libraries == read().libraries


def test_no_heading_names_two_columns_of_a_library(tmp_path: Path) -> None:
    for kind in KINDS:
        for column in LIBRARIES[kind].columns:
            for word in (column.name, column.zh, column.en, *column.headings):
                path = tmp_path / "one.csv"
                path.write_text(f"{word}\n", "utf-8")
                result = read_library(kind, path, None, None)
                missing = {found.value for found in result.problems if found.code == "heading-missing"}
                assert column.zh not in missing, word


def test_columns_and_values_are_mapped_by_the_plan(read: Read, plan: Make, source: Make) -> None:
    mapped = source(
        "enterprises.csv",
        columns={"id": "license", "district": "zip", "credit_class": "risk", "category": "facility"},
        values={"credit_class": {"1": "D", "2": "C", "": "A"}, "district": {"60606": "60600"}},
    )
    text = "license,name,zip,risk,facility,district,latitude\n2,COSI,60606,1,Restaurant,Loop,41.8\n9,XANDO,60603,2,,Loop,41.9\n4,TREE,60603,,,,\n"
    chicago = plan(enterprise_ids="free", districts=(), libraries={"enterprises": mapped})
    result = read({"enterprises": text}, chicago)
    assert only(result, "columns-ignored").value == "district, latitude"
    rows = [
        (each.id, each.district, each.credit_class, each.category) for each in result.libraries.enterprises
    ]
    assert rows == [("2", "60600", "D", "Restaurant"), ("4", "60603", "A", ""), ("9", "60603", "C", "")]


def test_a_mapped_column_that_is_not_there_is_named(read: Read, plan: Make, source: Make) -> None:
    mapped = plan(libraries={"enterprises": source("enterprises.csv", columns={"id": "统一社会信用代玛"})})
    found = only(read(None, mapped), "heading-mapped-missing", "columns-ignored")
    assert (found.value, found.suggestion) == ("统一社会信用代玛", "统一社会信用代码")


def test_a_map_of_a_column_that_does_not_exist_is_refused(read: Read, plan: Make, source: Make) -> None:
    odd = source("enterprises.csv", columns={"districts": "行政区划"}, values={"xyz": {"1": "A"}})
    result = read(None, plan(libraries={"enterprises": odd}))
    assert codes(result) == ["map-column-unknown", "map-column-unknown"]
    assert [found.suggestion for found in result.problems] == ["district", None]


def test_a_missing_column_is_named_with_what_it_may_be_called(read: Read) -> None:
    result = read({"enterprises": CSV.replace("信用风险分类", "信用分险分类")})
    found = only(result, "heading-missing", "columns-ignored")
    assert (found.value, found.suggestion) == ("信用风险分类", "信用分险分类")


def test_a_doubled_heading_is_refused_with_both_columns(read: Read) -> None:
    text = CSV.replace("\n", ",B\n").replace("分类,B", "分类,信用等级", 1)
    found = only(read({"enterprises": text}), "heading-duplicate")
    assert "D" in found.message_en
    assert "E" in found.message_en


def test_a_doubled_heading_is_settled_by_the_plan(read: Read, plan: Make, source: Make) -> None:
    text = CSV.replace("\n", ",B\n").replace("分类,B", "分类,信用等级", 1)
    mapped = plan(libraries={"enterprises": source("enterprises.csv", columns={"credit_class": "信用等级"})})
    result = read({"enterprises": text}, mapped)
    assert only(result, "columns-ignored").value == "信用风险分类"
    assert {each.credit_class for each in result.libraries.enterprises} == {"B"}


def test_a_row_of_headings_among_the_rows_is_refused(read: Read) -> None:
    found = only(read({"enterprises": CSV + CSV.split("\n", maxsplit=1)[0]}), "heading-repeated")
    assert found.row == 4


@pytest.mark.parametrize("row", ["合计,2,,", "小计：,,,", ",合 计,,", "Total,2,,", "TOTAL:,,,"])
def test_a_row_of_totals_is_refused(read: Read, plan: Make, row: str) -> None:
    for ids in ("uscc", "free"):
        found = only(read({"enterprises": CSV + row + "\n"}, plan(enterprise_ids=ids)), "total-row")
        assert found.row == 4


def test_a_firm_may_be_called_total(read: Read) -> None:
    result = read({"enterprises": CSV + "91420704MA0000017E,Total,420704,B\n"})
    assert result.libraries.enterprises[2].name == "Total"


# --- workbooks ----------------------------------------------------------------------------------------------------


def test_a_workbook_gives_the_same_as_a_csv(read: Read) -> None:
    assert read({"enterprises.xlsx": workbook(untouched)}).libraries == read().libraries


def test_an_old_excel_file_is_to_be_saved_anew(read: Read) -> None:
    data = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600)
    assert ".xlsx" in only(read({"enterprises.xls": data}), "old-excel").remedy_zh


def test_an_encrypted_workbook_is_said_to_be_encrypted(read: Read) -> None:
    data = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(600) + "EncryptedPackage".encode("utf-16-le") + bytes(64)
    assert only(read({"enterprises.xlsx": data}), "encrypted-workbook").severity == "error"


@pytest.mark.parametrize("content", [CSV, "<html><table></table></html>"])
def test_text_that_calls_itself_a_workbook_is_refused(read: Read, content: str) -> None:
    assert only(read({"enterprises.xlsx": content}), "not-a-workbook").severity == "error"


def test_a_workbook_that_calls_itself_csv_is_read_as_what_it_is(read: Read) -> None:
    assert read({"enterprises.csv": workbook(untouched)}).libraries == read().libraries


@pytest.mark.parametrize("length", [40, 900, 3000])
def test_a_damaged_workbook_is_refused(read: Read, length: int) -> None:
    cut = workbook(untouched)[:length]
    assert only(read({"enterprises.xlsx": cut}), "file-unreadable").severity == "error"


REGISTERS: tuple[tuple[Kind, str], ...] = (
    ("enterprises", "社会统一信用代码,行政相对人名称,县（市、区）,企业信用风险等级"),
    ("enterprises", "uniscid,entname,所在辖区,信用风险分类结果"),
    ("inspectors", "员工编号,检查员姓名,执法机构,行政执法证件编号"),
    ("items", "随机抽查事项编码,抽查项目,实施主体,法定依据"),
)


@pytest.mark.parametrize(("kind", "headings"), REGISTERS)
def test_headings_of_real_registers_are_recognised(read: Read, kind: Kind, headings: str) -> None:
    rows = {
        "enterprises": ",".join(FIRST),
        "inspectors": "p1,张三,amr,L1",
        "items": "i01,食品生产,amr,食品安全法",
    }
    assert read({kind: f"{headings}\n{rows[kind]}\n"}).problems == ()


def test_the_old_registration_number_beside_the_credit_code_is_passed_over(read: Read) -> None:
    text = "\n".join(",".join(row) for row in (("注册号", *HEADINGS), ("4207", *FIRST))) + "\n"
    result = read({"enterprises": text})
    assert only(result, "columns-ignored").value == "注册号"
    assert result.libraries.enterprises[0].id == FIRST[0]


def test_rows_between_two_stray_quotes_are_not_lost(read: Read) -> None:
    rows = (FIRST, SECOND, ("91420704MA0000017E", "丙公司", "420704", "B"))
    lines = [",".join(HEADINGS), *(",".join(row) for row in rows)]
    lines[1], lines[3] = lines[1].replace("甲", '"甲'), lines[3].replace("公司", '公司"')
    found = only(read({"enterprises": "\n".join(lines) + "\n"}), "csv-rows-swallowed")
    assert (found.row, found.column) == (2, "B")


def test_lines_within_a_cell_are_one_text(read: Read) -> None:
    text = CSV.replace("甲食品有限公司", '"甲食品\n有限,公司\n"')
    result = read({"enterprises": text})
    assert (result.problems, result.libraries.enterprises[0].name) == ((), "甲食品 有限,公司")


def test_another_zip_file_is_no_workbook(read: Read) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("content.xml", "<x/>")
    only(read({"enterprises.xlsx": data.getvalue()}), "format-unknown")


def test_a_pdf_is_not_read_as_text(read: Read) -> None:
    only(read({"enterprises.csv": b"%PDF-1.7\n1 0 obj\n"}), "format-unknown")


def test_a_hidden_sheet_is_never_read_silently(read: Read) -> None:
    def hide(book: Any) -> None:
        extra = book.create_sheet("旧数据")
        extra.append(HEADINGS)
        extra.append(("91420704MA0000017E", "丙", "420704", "B"))
        extra.sheet_state = "hidden"

    found = only(read({"enterprises.xlsx": workbook(hide)}), "hidden-sheet-ignored")
    assert (found.severity, found.sheet) == ("warning", "旧数据")


def test_a_library_on_a_hidden_sheet_is_refused(read: Read, plan: Make, source: Make) -> None:
    def hide(book: Any) -> None:
        book["企业"].sheet_state = "veryHidden"
        book.create_sheet("封面").append(("鄂州市",))

    named = plan(libraries={"enterprises": source("enterprises.xlsx", sheet="企业")})
    assert only(read({"enterprises.xlsx": workbook(hide)}, named), "sheet-hidden").value == "企业"


def test_a_sheet_that_the_plan_names_must_exist(read: Read, plan: Make, source: Make) -> None:
    named = plan(libraries={"enterprises": source("enterprises.xlsx", sheet="企业库")})
    found = only(read({"enterprises.xlsx": workbook(untouched)}, named), "sheet-missing")
    assert "企业" in found.message_zh


def test_several_sheets_that_look_alike_are_refused(read: Read, plan: Make, source: Make) -> None:
    def double(book: Any) -> None:
        book.copy_worksheet(book["企业"]).title = "企业 (2)"

    data = workbook(double)
    assert only(read({"enterprises.xlsx": data}), "sheets-several").value == "企业, 企业 (2)"
    named = plan(libraries={"enterprises": source("enterprises.xlsx", sheet="企业")})
    assert read({"enterprises.xlsx": data}, named).problems == ()


def test_a_sheet_without_known_headings_is_named_as_not_read(read: Read) -> None:
    def add(book: Any) -> None:
        book.create_sheet("统计").append(("月份", "数量"))
        book.create_sheet("填表说明").append(("请填写", "谢谢"))

    assert only(read({"enterprises.xlsx": workbook(add)}), "sheet-ignored").sheet == "统计"


def test_a_formula_without_its_result_is_refused(read: Read) -> None:
    def spoil(book: Any) -> None:
        book["企业"]["B2"] = '="甲"&"食品"'

    found = only(read({"enterprises.xlsx": workbook(spoil)}), "formula-without-value")
    assert (found.sheet, found.row, found.column) == ("企业", 2, "名称")


def test_a_last_row_of_formulas_without_results_is_not_lost(read: Read) -> None:
    def spoil(book: Any) -> None:
        for column in "ABCD":
            book["企业"][f"{column}4"] = f"=上月!{column}4"

    result = read({"enterprises.xlsx": workbook(spoil)})
    assert [(found.code, found.row) for found in result.problems] == [("formula-without-value", 4)] * 4


def test_a_formula_with_its_result_is_read_with_a_warning(read: Read, tmp_path: Path) -> None:
    path = tmp_path / "made.xlsx"
    with xlsxwriter.Workbook(str(path)) as book:
        sheet = book.add_worksheet("企业")
        for row, cells in enumerate((HEADINGS, FIRST, SECOND)):
            sheet.write_row(row, 0, cells)
        sheet.write_formula(1, 3, '=IF(1,"B","C")', None, "B")
    result = read({"enterprises.xlsx": path.read_bytes()})
    found = only(result, "formula")
    assert (found.severity, found.row, found.value) == ("warning", 2, "B")
    assert result.libraries.enterprises[0].credit_class == "B"


def test_a_formula_error_is_not_read_as_an_empty_cell(read: Read) -> None:
    def spoil(book: Any) -> None:
        sheet = book["企业"]
        sheet["E1"] = "地址"
        sheet["E2"] = "#N/A"
        sheet["E2"].data_type = "e"

    found = only(read({"enterprises.xlsx": workbook(spoil)}), "cell-error")
    assert (found.row, found.column, found.value) == (2, "地址", "#N/A")


def test_merged_cells_are_refused_where_rows_are(read: Read) -> None:
    def merge(book: Any) -> None:
        book["企业"].merge_cells("C2:C3")

    found = only(read({"enterprises.xlsx": workbook(merge)}), "merged-cells")
    assert (found.row, found.value) == (2, "C2:C3")


def test_merged_headings_are_refused_and_a_merged_title_is_not(read: Read) -> None:
    def title(book: Any) -> None:
        sheet = book["企业"]
        sheet.insert_rows(1)
        sheet["A1"] = "鄂州市名录"
        sheet.merge_cells("A1:D1")

    def double(book: Any) -> None:
        title(book)
        book["企业"].merge_cells("C2:D2")

    assert read({"enterprises.xlsx": workbook(title)}).problems == ()
    assert "merged-cells" in codes(read({"enterprises.xlsx": workbook(double)}))


def test_filtered_rows_are_read_with_a_warning(read: Read) -> None:
    def hide(book: Any) -> None:
        book["企业"].row_dimensions[3].hidden = True

    result = read({"enterprises.xlsx": workbook(hide)})
    assert only(result, "rows-hidden").value == "1"
    assert len(result.libraries.enterprises) == 2


def test_dates_and_numbers_of_a_workbook_are_read_as_they_look(read: Read, plan: Make) -> None:
    def fill(book: Any) -> None:
        sheet = book["企业"]
        for row, cells in enumerate(
            (("不可检查日", "行业代码"), (date(2023, 9, 4), 1411), (45170, 5211.0)), 1
        ):
            for column, cell in enumerate(cells, 5):
                sheet.cell(row, column).value = cell
        sheet["A2"], sheet["A3"], sheet["C2"] = 17, "18", 420704

    result = read({"enterprises.xlsx": workbook(fill)}, plan(enterprise_ids="free"))
    assert result.problems == ()
    rows = [(each.id, each.district, each.industry, each.closed) for each in result.libraries.enterprises]
    assert rows == [
        ("17", "420704", "1411", (date(2023, 9, 4),)),
        ("18", "420703", "5211", (date(2023, 9, 1),)),
    ]


def test_day_numbers_may_count_from_1904(read: Read) -> None:
    def fill(book: Any) -> None:
        book.epoch = datetime(1904, 1, 1)  # noqa: DTZ001 - a spreadsheet's days have no zone
        sheet = book["企业"]
        sheet["E1"], sheet["E2"] = "不可检查日", 43708

    result = read({"enterprises.xlsx": workbook(fill)})
    assert result.libraries.enterprises[0].closed == (date(2023, 9, 1),)


def test_a_code_that_excel_took_for_a_number_is_refused(read: Read) -> None:
    def spoil(book: Any) -> None:
        book["企业"]["A2"] = 914207040000000012.0

    found = only(read({"enterprises.xlsx": workbook(spoil)}), "id-as-number")
    assert (found.row, found.value) == (2, "9.1420704e+17")


def test_a_stray_cell_in_the_last_corner_does_not_fill_the_memory(read: Read) -> None:
    def stray(book: Any) -> None:
        book["企业"]["XFD1048576"] = "x"

    only(read({"enterprises.xlsx": workbook(stray)}), "file-too-large")


# --- parquet ------------------------------------------------------------------------------------------------------


def parquet(**columns: list[Any]) -> bytes:
    pyarrow = pytest.importorskip("pyarrow")
    writer = pytest.importorskip("pyarrow.parquet")
    data = io.BytesIO()
    writer.write_table(pyarrow.table(columns), data)
    return data.getvalue()


def test_a_parquet_file_is_read_with_its_types(read: Read) -> None:
    data = parquet(
        id=[FIRST[0], SECOND[0]],
        name=["甲食品有限公司", "乙食品有限公司"],
        district=[420704, 420703],
        credit_class=["A", "D"],
        closed=[[date(2023, 9, 4), date(2023, 9, 5)], None],
    )
    result = read({"enterprises.parquet": data})
    assert result.problems == ()
    assert [each.closed for each in result.libraries.enterprises] == [
        (date(2023, 9, 4), date(2023, 9, 5)),
        (),
    ]


def test_a_fault_in_a_parquet_file_has_its_row(read: Read) -> None:
    data = parquet(id=[FIRST[0], "x"], name=["甲", "乙"], district=["420704"] * 2, credit_class=["A", "A"])
    assert only(read({"enterprises.parquet": data}), "uscc-length").row == 3


def test_a_parquet_files_missing_numbers_and_days_of_other_zones_are_not_guessed(read: Read) -> None:
    rest: dict[str, list[Any]] = {
        "name": ["甲"],
        "district": ["420704"],
        "credit_class": ["A"],
        "last_report": [float("nan")],
    }
    midnight = datetime(2023, 9, 4, tzinfo=UTC)
    taken = read({"enterprises.parquet": parquet(id=[FIRST[0]], established=[midnight], **rest)})
    assert taken.problems == ()
    assert taken.libraries.enterprises[0].established == date(2023, 9, 4)
    assert taken.libraries.enterprises[0].last_report is None
    evening = parquet(id=[FIRST[0]], established=[midnight.replace(hour=16)], **rest)
    assert only(read({"enterprises.parquet": evening}), "date-invalid").value == "2023-09-04T16:00:00+00:00"


def test_an_archive_in_place_of_a_table_is_named(read: Read) -> None:
    assert only(read({"enterprises.rar": b"Rar!\x1a\x07"}), "format-unknown").file == "enterprises.rar"
    assert "PDF" in only(read({"enterprises.xlsx": b"%PDF-1.4"}), "not-a-workbook").message_zh


def test_a_damaged_parquet_file_is_refused(read: Read) -> None:
    only(read({"enterprises.parquet": b"PAR1" + struct.pack("<I", 7) * 9 + b"PAR1"}), "file-unreadable")


@pytest.mark.parametrize(
    ("module", "name", "extra"),
    [("pyarrow", "enterprises.parquet", "scale"), ("python_calamine", "enterprises.xlsx", "draw")],
)
def test_a_missing_extra_is_named(
    read: Read, monkeypatch: pytest.MonkeyPatch, module: str, name: str, extra: str
) -> None:
    data = b"PAR1" + bytes(40) if module == "pyarrow" else workbook(untouched)
    monkeypatch.setitem(sys.modules, module, None)
    found = only(read({name: data}), "extra-missing")
    assert f"dualrandom[{extra}]" in found.remedy_en


# --- anything -----------------------------------------------------------------------------------------------------


@settings(
    max_examples=2000 if os.environ.get("DUALRANDOM_DEEP") == "1" else 100,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    kind=st.sampled_from(KINDS),
    data=st.binary(max_size=200) | st.text(max_size=200).map(str.encode),
    headed=st.booleans(),
)
def test_no_bytes_crash_the_reader(kind: Kind, data: bytes, headed: bool, tmp_path: Path) -> None:
    path = tmp_path / "any.csv"
    head = ",".join(column.zh for column in LIBRARIES[kind].columns) + "\n"
    path.write_bytes(head.encode() + data if headed else data)
    result = read_library(kind, path, None, None)
    assert result.rows == () or all(found.severity == "warning" for found in result.problems)


@settings(
    max_examples=500 if os.environ.get("DUALRANDOM_DEEP") == "1" else 40,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(place=st.integers(0, 6000), garbage=st.binary(min_size=1, max_size=8))
def test_no_damage_to_a_workbook_crashes_the_reader(tmp_path: Path, place: int, garbage: bytes) -> None:
    data = workbook(untouched)
    place %= len(data)
    path = tmp_path / "any.xlsx"
    path.write_bytes(data[:place] + garbage + data[place + len(garbage) :])
    result = read_library("enterprises", path, LibrarySource("any.xlsx", None, None, {}, {}), None)
    assert isinstance(result.problems, tuple)


def test_a_plan_is_not_needed_to_judge_a_file(tmp_path: Path, plan: Callable[..., Plan]) -> None:
    path = tmp_path / "enterprises.csv"
    path.write_text(CSV, "utf-8")
    assert len(read_library("enterprises", path, None, None).rows) == 2
    assert read_library("enterprises", path, None, plan()).problems == ()
