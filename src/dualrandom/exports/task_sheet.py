"""A department's task sheet: its visits, crews and items, with columns to fill in and give back.

``dualrandom record`` reads the first sheet (docs/protocol.md §10 for codes and methods), so a department needs no other form.
"""

from __future__ import annotations

from datetime import date, datetime
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
    Column("检查日期 date", 12, fill="yyyy-mm-dd"),
    Column("检查方式 method", 14, fill="@"),
    Column("检查结果 code", 22, fill="@"),
    Column("备注 notes", 20, fill="@"),
)
"""Columns of the sheet to fill in. Headings carry both languages: the same sheet is read whoever filled it in."""

_PLACES = {column.heading.rsplit(" ", 1)[-1]: place for place, column in enumerate(CHECKS)}
_CODE = Both("检查结果", "Finding")
_METHOD = Both("检查方式", "Method")

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
    """Return the xlsx file of one department: checks to fill in, crews, and the words that may be filled in."""
    language = view.plan.language
    name = word(view.department_name(department), language)
    header = f"{name}  {word(view.authority, language)}  {view.draw}"
    with Workbook(f"{name} {view.draw}", created) as book:
        rows = _checks(view, department)
        sheet = book.sheet("findings", CHECKS, rows, header)
        book.sheet(
            "crews", [Column(word(h, language), w) for h, w in _CREWS], _crews(view, department), header
        )
        codes = [
            (f"{known} {word(words, language)}", words.zh, words.en) for known, words in FINDING_CODES.items()
        ]
        methods = [(word(words, language), words.zh, words.en) for words in METHODS.values()]
        for title, words, entries in (("codes", _CODE, codes), ("methods", _METHOD, methods)):
            columns = (Column(word(words, language), 40), Column("中文", 34), Column("English", 44))
            book.sheet(title, columns, entries, header)
        if rows:
            _choices(sheet, "method", f"=methods!$A$2:$A${len(methods) + 1}", len(rows), _METHOD, language)
            _choices(sheet, "code", f"=codes!$A$2:$A${len(codes) + 1}", len(rows), _CODE, language)
            _days(sheet, view.plan.period[0], len(rows), language)
    return book.data


def _choices(sheet: Any, column: str, source: str, count: int, title: Both, language: str) -> None:
    """Offer the words of a sheet as a drop-down."""
    place = _PLACES[column]
    rule = {
        "validate": "list",
        "source": source,
        "error_title": word(title, language),
        "error_message": "请从列表中选择" if language == "zh" else "choose from the list",
    }
    sheet.data_validation(1, place, count, place, rule)


def _days(sheet: Any, first: date, count: int, language: str) -> None:
    """Admit only dates, from the first day of the period on."""
    place = _PLACES["date"]
    rule = {
        "validate": "date",
        "criteria": ">=",
        "value": first,
        "error_title": "检查日期" if language == "zh" else "Date",
        "error_message": f"{first} 或以后的日期" if language == "zh" else f"a date from {first} on",
    }
    sheet.data_validation(1, place, count, place, rule)


def _checks(view: ExportView, department: str) -> list[list[str | int]]:
    """Return one row a check of a dated visit; without a date or with an unfilled crew there is nobody to send."""
    rows: list[list[str | int]] = []
    for visit in view.visits:
        if visit.date is None or department in visit.unfilled:
            continue
        crew = "；".join(f"{member.name} {member.licence}".strip() for member in visit.crew(department))
        for task, items in visit.checks:
            if task.department != department:
                continue
            rows.extend(
                [
                    visit.date,
                    _both(weekday(visit.date)),
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
    """Return one row a seat; an unfilled crew has one row that says why nobody goes."""
    rows: list[list[str | int]] = []
    for visit in view.visits:
        if visit.date is None:
            continue
        start = (visit.date, visit.enterprise.id, visit.enterprise.name)
        if department in visit.unfilled:
            rows.append([*start, "", _both(view.unfilled_words(department)), "", ""])
        rows.extend(
            [*start, seat, member.name, member.licence, member.code]
            for seat, member in enumerate(visit.crew(department), start=1)
        )
    return rows
