"""A department's task sheet: its visits, crews and items, with columns to fill in and give back.

``dualrandom record`` reads the first sheet (docs/protocol.md §10 for codes and methods), so a department needs no other form.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from dualrandom.exports.view import ExportView
from dualrandom.exports.visit_list import word
from dualrandom.exports.workbook import Column, Workbook
from dualrandom.page.markup import Both
from dualrandom.page.words import FINDING_CODES, METHODS, weekday

CHECKS = (
    Column("计划日期 planned", 12),
    Column("星期 weekday", 8),
    Column("统一社会信用代码 enterprise", 21),
    Column("名称 name", 26),
    Column("地址 address", 24),
    Column("行政区划 district", 11),
    Column("次 part", 6),
    Column("任务 task", 8),
    Column("抽查事项 item", 9),
    Column("事项名称 item name", 24),
    Column("检查依据 basis", 24),
    Column("检查人员及证号 crew", 24),
    Column("检查日期 date", 12, to_fill=True),
    Column("检查方式 method", 12, to_fill=True),
    Column("检查结果 code", 12, to_fill=True),
    Column("备注 notes", 20, to_fill=True),
)
"""Columns of the sheet to fill in. Headings carry both languages: the same sheet is read whoever filled it in."""

_CREWS = (
    (Both("检查日期", "Date"), 12),
    (Both("统一社会信用代码", "Enterprise"), 21),
    (Both("名称", "Name"), 30),
    (Both("席位", "Seat"), 7),
    (Both("检查人员", "Inspector"), 16),
    (Both("执法证号", "Licence"), 20),
    (Both("人员编号", "Code"), 14),
)


def task_sheet(view: ExportView, department: str, created: datetime) -> bytes:
    """Return the xlsx file of one department: sheets to fill in, crews, and the meaning of codes and methods."""
    language = view.plan.language
    name = word(view.department_name(department), language)
    header = f"{name}  {word(view.authority, language)}  {view.draw}"
    with Workbook(f"{name} {view.draw}", created) as book:
        rows = _checks(view, department)
        sheet = book.sheet("findings", CHECKS, rows, header)
        book.sheet(
            "crews", [Column(word(h, language), w) for h, w in _CREWS], _crews(view, department), header
        )
        codes = [(code, words.zh, words.en) for code, words in FINDING_CODES.items()]
        methods = [(method, words.zh, words.en) for method, words in METHODS.items()]
        for title, entries in (("codes", codes), ("methods", methods)):
            book.sheet(title, (Column(title, 18), Column("中文", 34), Column("English", 44)), entries, header)
        _drop_downs(view, sheet, len(rows), language)
    return book.data


def _drop_downs(view: ExportView, sheet: Any, count: int, language: str) -> None:
    """Offer the codes and methods, and only days from the period's beginning on."""
    if not count:
        return
    places = {column.heading.rsplit(" ", 1)[-1]: place for place, column in enumerate(CHECKS)}
    chinese = language == "zh"
    for column, listed, words in (
        ("method", f"=methods!$A$2:$A${len(METHODS) + 1}", Both("检查方式", "Method")),
        ("code", f"=codes!$A$2:$A${len(FINDING_CODES) + 1}", Both("检查结果", "Finding")),
    ):
        sheet.data_validation(
            1,
            places[column],
            count,
            places[column],
            {
                "validate": "list",
                "source": listed,
                "input_title": word(words, language),
                "input_message": "含义见后面的工作表" if chinese else "for the meaning see the sheets behind",
                "error_title": word(words, language),
                "error_message": "请从列表中选择" if chinese else "choose from the list",
            },
        )
    _ = view


def _checks(view: ExportView, department: str) -> list[list[str | int]]:
    rows: list[list[str | int]] = []
    for visit in view.visits:
        crew = "；".join(f"{member.name} {member.licence}".strip() for member in visit.crew(department))
        for task, items in visit.checks:
            if task.department != department:
                continue
            rows.extend(
                [
                    visit.date or "未能排期 no date",
                    _both(weekday(visit.date)) if visit.date else "",
                    visit.enterprise.id,
                    visit.enterprise.name,
                    visit.enterprise.address,
                    _both(view.district_name(visit.district)),
                    visit.part,
                    task.id,
                    item.id,
                    _both(Both(item.name, item.name_en)),
                    item.basis,
                    crew,
                ]
                for item in items
            )
    return rows


def _both(words: Both) -> str:
    return words.zh if words.zh == words.en else f"{words.zh} {words.en}"


def _crews(view: ExportView, department: str) -> list[list[str | int]]:
    return [
        [
            visit.date,
            visit.enterprise.id,
            visit.enterprise.name,
            seat,
            member.name,
            member.licence,
            member.code,
        ]
        for visit in view.visits
        if visit.date is not None
        for seat, member in enumerate(visit.crew(department), start=1)
    ]
