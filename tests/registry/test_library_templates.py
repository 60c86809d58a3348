"""Blank workbooks: what is filled into them is read back, and their examples never become data."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from dualrandom.errors import DualRandomError, Language
from dualrandom.registry.columns import KINDS, LIBRARIES
from dualrandom.registry.reader import read_libraries, read_library, recognise
from dualrandom.registry.rows import EXAMPLE
from dualrandom.registry.templates import write_templates

Make = Callable[..., Any]
LANGUAGES: tuple[Language, ...] = ("zh", "en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_template_is_recognised_and_its_examples_are_passed_over(
    tmp_path: Path, language: Language
) -> None:
    paths = write_templates(tmp_path, language)
    assert [path.name for path in paths] == [f"{kind}.xlsx" for kind in KINDS]
    for kind, path in zip(KINDS, paths, strict=True):
        assert recognise(path) == kind
        found = {each.code for each in read_library(kind, path, None, None).problems}
        assert found == (
            {"example-ignored"} if kind in {"recusals", "visits"} else {"example-ignored", "no-rows"}
        )


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_template_filled_in_with_its_own_example_is_read_back(
    tmp_path: Path, plan: Make, language: Language
) -> None:
    paths = write_templates(tmp_path, language)
    for path in paths:
        book = openpyxl.load_workbook(path)
        sheet = book.worksheets[0]
        for row in range(2, sheet.max_row + 1):
            cell = sheet.cell(row, 1)
            if isinstance(cell.value, str):
                cell.value = cell.value.removeprefix(EXAMPLE).strip()
        if path.stem == "inspectors":
            copied = [sheet.cell(2, column).value for column in range(1, sheet.max_column + 1)]
            example = LIBRARIES["inspectors"].column("licence").example
            sheet.append(["amr-002", *(f"{cell}2" if cell == example else cell for cell in copied[1:])])
        book.save(path)
    result = read_libraries(tmp_path, plan())
    assert result.problems == ()
    assert dict(result.counts) == {"enterprises": 1, "inspectors": 2, "items": 1, "recusals": 2, "visits": 1}
    assert result.libraries.enterprises[0].id == LIBRARIES["enterprises"].columns[0].example
    assert {each.ground for each in result.libraries.recusals} == {"spouse", "kin"}


def test_the_same_template_has_the_same_bytes(tmp_path: Path) -> None:
    one, other = write_templates(tmp_path / "one", "zh"), write_templates(tmp_path / "other", "zh")
    assert [path.read_bytes() for path in one] == [path.read_bytes() for path in other]


def test_a_file_that_may_have_been_filled_in_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "items.xlsx").write_bytes(b"mine")
    with pytest.raises(DualRandomError, match="file-exists"):
        write_templates(tmp_path, "en")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["items.xlsx"]


def test_drop_downs_offer_the_words_of_the_plan(tmp_path: Path, plan: Make) -> None:
    write_templates(tmp_path, "zh", plan(classes=("low", "high")))
    offered = {
        str(rule.sqref).partition(":")[0]: rule.formula1
        for kind in ("enterprises", "inspectors")
        for rule in openpyxl.load_workbook(tmp_path / f"{kind}.xlsx")
        .worksheets[0]
        .data_validations.dataValidation
    }
    assert offered["D2"] == '"low,high"'
    assert '"amr,fire"' in offered.values()
    assert offered["E2"] == '"enterprise,cooperative,individual"'


def test_headings_have_both_languages_and_ids_keep_their_digits(tmp_path: Path) -> None:
    write_templates(tmp_path, "en")
    book = openpyxl.load_workbook(tmp_path / "enterprises.xlsx")
    first = book.worksheets[0]["A1"]
    assert "统一社会信用代码" in str(first.value)
    assert "unified social credit code" in str(first.value)
    assert first.comment is not None
    assert book.worksheets[0].column_dimensions["A"].number_format == "@"
    assert "README" in book.sheetnames[1]
    assert not [sheet.title for sheet in book.worksheets if sheet.sheet_state != "visible"]


def test_templates_need_their_extra(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "xlsxwriter", None)
    with pytest.raises(DualRandomError, match="extra-missing"):
        write_templates(tmp_path, "zh")
