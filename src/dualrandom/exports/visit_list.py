"""The list of visits: one row a visit, as a workbook with a sheet in each language and as CSV."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import datetime
from io import StringIO
from typing import Literal

from dualrandom.exports.inert import csv_cell
from dualrandom.exports.view import ExportView, VisitRow
from dualrandom.exports.workbook import Column, Workbook
from dualrandom.page.markup import Both
from dualrandom.page.words import weekday

Language = Literal["zh", "en"]

_COLUMNS = (
    (Both("序号", "No."), 6),
    (Both("检查日期", "Date"), 12),
    (Both("星期", "Weekday"), 7),
    (Both("统一社会信用代码", "Enterprise"), 21),
    (Both("名称", "Name"), 28),
    (Both("地址", "Address"), 28),
    (Both("行政区划", "District"), 12),
    (Both("次", "Part"), 5),
    (Both("部门", "Departments"), 18),
    (Both("抽查事项", "Items"), 40),
    (Both("检查人员", "Inspectors"), 30),
)
_SHEETS = Both("检查名单", "Visits")
_UNDATED = Both("未能排期", "no date")


def word(both: Both, language: str) -> str:
    """Return the words of one language."""
    return both.zh if language == "zh" else both.en


def visit_workbook(view: ExportView, created: datetime) -> bytes:
    """Return the xlsx file; the sheet in the plan's language comes first."""
    other = "en" if view.plan.language == "zh" else "zh"
    title = f"{word(view.authority, view.plan.language)} {view.draw}"
    with Workbook(title, created) as book:
        for language in (view.plan.language, other):
            columns = [Column(word(heading, language), width) for heading, width in _COLUMNS]
            header = f"{word(view.authority, language)}  {word(_SHEETS, language)}  {view.draw}"
            book.sheet(word(_SHEETS, language), columns, list(_rows(view, language)), header)
    return book.data


def visit_csv(view: ExportView) -> bytes:
    """Return the same rows as CSV in the plan's language: UTF-8 with a byte-order mark, which Excel needs."""
    language = view.plan.language
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow([word(heading, language) for heading, _ in _COLUMNS])
    for cells in _rows(view, language):
        writer.writerow([csv_cell(cell) if isinstance(cell, str) else cell for cell in cells])
    return b"\xef\xbb\xbf" + text.getvalue().encode()


def _rows(view: ExportView, language: str) -> Iterator[list[str | int]]:
    comma = "；" if language == "zh" else "; "
    for number, visit in enumerate(view.visits, start=1):
        yield [
            number,
            visit.date or word(_UNDATED, language),
            word(weekday(visit.date), language) if visit.date else "",
            visit.enterprise.id,
            visit.enterprise.name,
            visit.enterprise.address,
            word(view.district_name(visit.district), language),
            visit.part,
            comma.join(word(view.department_name(d), language) for d in visit.departments),
            comma.join(_items(visit, language)),
            comma.join(_crews(view, visit, language)),
        ]


def _items(visit: VisitRow, language: str) -> list[str]:
    named = (item.name if language == "zh" else item.name_en for _, items in visit.checks for item in items)
    return list(dict.fromkeys(named))


def _crews(view: ExportView, visit: VisitRow, language: str) -> Iterator[str]:
    colon, comma = ("：", "、") if language == "zh" else (": ", ", ")
    for crew in visit.crews:
        names = comma.join(member.name for member in crew.members)
        if not crew.members:
            names = word(view.unfilled_words(crew.department), language)
        yield f"{word(view.department_name(crew.department), language)}{colon}{names}"
