"""From a drawn campaign over a department's sheet to published findings and the next campaign."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from pathlib import Path

import openpyxl
import pytest

from dualrandom.campaign import announce, draw, record_findings
from dualrandom.demo import write_campaign
from dualrandom.errors import InputError
from dualrandom.policy.reader import read_plan
from dualrandom.registry.reader import read_library
from dualrandom.scaffold import new_campaign


def fill_in(exported: Path, target: Path, code: str) -> int:
    """Fill in every row of a task sheet as planned; return how many checks that are."""
    book = openpyxl.load_workbook(exported)
    sheet = book.worksheets[0]
    place = {str(cell.value): column for column, cell in enumerate(sheet[1], 1)}
    for row in range(2, sheet.max_row + 1):
        sheet.cell(row, place["检查日期 date"]).value = sheet.cell(row, place["计划日期 planned"]).value
        sheet.cell(row, place["检查方式 method"]).value = "on-site"
        sheet.cell(row, place["检查结果 code"]).value = code
    book.save(target)
    checks = sheet.max_row - 1
    book.close()
    return checks


def test_findings_of_a_draw_are_published_counted_and_taken_over(tmp_path: Path) -> None:
    folder = tmp_path / "september"
    write_campaign("town", folder)
    announce(folder, now=datetime(2023, 8, 20, tzinfo=UTC))
    draw(folder)
    checks = fill_in(folder / "exports" / "task-sheet-amr.xlsx", tmp_path / "amr.xlsx", "1")
    recorded = record_findings(folder, tmp_path / "amr.xlsx")
    assert (recorded.rows, recorded.added, recorded.published) == (checks, checks, checks)

    again = record_findings(folder, tmp_path / "amr.xlsx")
    assert (again.added, again.published) == (0, checks)

    fill_in(folder / "exports" / "task-sheet-amr.xlsx", tmp_path / "corrected.xlsx", "E")
    with pytest.raises(InputError):
        record_findings(folder, tmp_path / "corrected.xlsx")
    assert record_findings(folder, tmp_path / "corrected.xlsx", "复核后更正").published == 2 * checks
    published = json.loads((folder / "public" / "findings.json").read_bytes())["findings"]
    assert {(entry["revision"], entry["code"], entry["reason"]) for entry in published} == {
        (1, "1", None),
        (2, "E", "复核后更正"),
    }

    october = new_campaign(tmp_path / "october", [folder], now=datetime(2023, 9, 20, tzinfo=UTC)).folder
    plan = read_plan(october / "plan.toml").plan
    assert plan is not None
    assert (plan.number, plan.period) == (2, (date(2023, 10, 1), date(2023, 10, 31)))
    before = len(read_library("visits", next(folder.glob("visits.*")), None, None).rows)
    after = read_library("visits", october / "visits.csv", None, plan).rows
    assert len(after) == before + checks
