"""One finding as a department reports it, and what can be wrong with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from dualrandom.errors import Problem
from dualrandom.policy.source import Text
from dualrandom.registry.faults import Place

Key = tuple[str, int, str, str]
"""Enterprise, part, task, item: what identifies a check of a draw."""


@dataclass(frozen=True, slots=True)
class FindingRow:
    """The outcome of one check (docs/protocol.md §10), and where it was read.

    ``sealed``: the salted hash, 64 hex digits, of what the authority knows beyond the row; None if there is nothing.
    """

    enterprise: str
    part: int
    task: str
    item: str
    code: str
    method: str
    date: date
    place: Place = field(compare=False)
    sealed: str | None = None

    @property
    def key(self) -> Key:
        """What identifies the check."""
        return self.enterprise, self.part, self.task, self.item


_TEXTS: Mapping[str, tuple[Text, Text]] = {
    "finding-headings": (
        (
            "检查结果表缺少列标题：{names}",
            "headings of findings are missing: {names_en}",
        ),
        (
            "使用 exports 中各部门的任务表填写，列标题不要改",
            "Fill in the department's task sheet from exports and keep its headings",
        ),
    ),
    "finding-none": (
        ("没有填写任何检查结果", "no finding is filled in"),
        (
            "在任务表中填写检查日期、检查方式和检查结果",
            "Fill in date, method and finding in the task sheet",
        ),
    ),
    "finding-incomplete": (
        ("该行缺少{zh}", "the row has no {en}"),
        ("补填；尚未检查的行三栏都留空", "Fill it in; of a check not made yet, leave all three empty"),
    ),
    "finding-date": (
        ("不是日期", "is not a date"),
        ("写作 2023-09-04 或设为日期格式", "Write it like 2023-09-04, or format the cell as a date"),
    ),
    "finding-early": (
        ("检查日期早于抽取确定的日期 {day}", "is before the date of the visit, {day}"),
        (
            "核对日期；检查不得早于公布的日期",
            "Check the date: a visit does not take place before its published day",
        ),
    ),
    "finding-heading-twice": (
        (
            "第 {first} 列与第 {second} 列的列标题含义相同",
            "the headings of columns {first} and {second} mean the same",
        ),
        ("删去其中一列，或改其列标题", "Take one of them out, or rename it"),
    ),
    "finding-code": (
        ("没有这个检查结果代码", "is not the code of a finding"),
        ("可用：{known}", "Allowed are {known}"),
    ),
    "finding-method": (
        ("没有这个检查方式", "is not a method"),
        ("可用：{known}", "Allowed are {known}"),
    ),
    "finding-enterprise": (
        ("本次抽取没有这个检查对象", "this draw does not visit this enterprise"),
        (
            "核对代码；个案检查不在此登记，写入 visits 名录",
            "Check the id; a case visit is not recorded here but in the visits library",
        ),
    ),
    "finding-part": (
        ("该企业没有这一次上门：{known}", "the enterprise has no such part; there are {known}"),
        ("更正次数，或留空", "Correct the part, or leave it empty"),
    ),
    "finding-task": (
        ("该企业的检查不含此任务：{known}", "the enterprise is not visited for this task, but for {known}"),
        ("更正任务，或留空", "Correct the task, or leave it empty"),
    ),
    "finding-item": (
        ("该企业的检查不含此事项：{known}", "this item is not checked at the enterprise; there are {known}"),
        (
            "更正事项；未抽中的事项不得检查",
            "Correct the item: what was not drawn cannot be checked",
        ),
    ),
    "finding-ambiguous": (
        ("该企业有多个检查含此事项：{known}", "several checks of the enterprise have this item: {known}"),
        ("填写任务（和次数）", "Fill in the task (and part)"),
    ),
    "finding-undated": (
        ("此次上门未能排期，不应有结果", "this visit could not be dated, so it has no finding"),
        (
            "核对；确已检查的另行安排，不作为本次抽取的结果",
            "Check the row; what was visited nevertheless is not part of this draw",
        ),
    ),
    "finding-unfilled": (
        (
            "部门 {department} 已退出，此次上门没有其检查组，不应有结果",
            "department {department} withdrew: this visit has no crew of it, so it has no finding",
        ),
        (
            "核对；确已检查的另行安排，不作为本次抽取的结果",
            "Check the row; what was visited nevertheless is not part of this draw",
        ),
    ),
    "finding-twice": (
        ("与第 {row} 行是同一检查，内容不同", "is the same check as row {row}, but says something else"),
        ("只保留正确的一行", "Keep the right one"),
    ),
    "finding-differs": (
        ("已公布的结果是 {known}", "published is {known}"),
        (
            "如需更正，用 --correct 写明理由；原结果保留可查",
            "To correct it, give the reason with --correct; the earlier finding stays visible",
        ),
    ),
}


def fault(
    code: str, place: Place, value: object = "", suggestion: str | None = None, **words: object
) -> Problem:
    """Return the problem ``code`` of findings at ``place``."""
    message, remedy = _TEXTS[code]
    return Problem(
        code=code,
        file=place.file,
        sheet=place.sheet,
        row=place.row,
        column=place.column,
        value=str(value)[:80],
        message_zh=message[0].format(**words),
        message_en=message[1].format(**words),
        remedy_zh=remedy[0].format(**words),
        remedy_en=remedy[1].format(**words),
        suggestion=suggestion,
    )
