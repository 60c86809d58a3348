"""Read a sheet of findings and hold every row against the result: only what was drawn can have a finding.

The sheet is a department's task sheet as exported, or any table with its headings. Rows whose date, method and finding
are all empty are checks not made yet and are passed over.
"""

from __future__ import annotations

import unicodedata
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from typing import Any

from dualrandom.errors import InputError, IntegrityError, Problem
from dualrandom.findings.row import FindingRow, Key, fault
from dualrandom.page.words import FINDING_CODES, METHODS
from dualrandom.policy.plan import Plan
from dualrandom.policy.source import nearest
from dualrandom.registry.faults import problem
from dualrandom.registry.headings import normal
from dualrandom.registry.tables import Raw, Row, Table, column_letter, open_tables
from dualrandom.registry.uscc import suggestion
from dualrandom.registry.values import day as day_parser

ROWS_TO_SEARCH = 20
HEADINGS: Mapping[str, tuple[str, ...]] = {
    "enterprise": (
        "统一社会信用代码",
        "社会信用代码",
        "信用代码",
        "检查对象",
        "企业",
        "企业编号",
        "uscc",
        "id",
    ),
    "part": ("次", "第几次", "分次"),
    "task": ("任务", "抽查任务", "任务编号", "task id"),
    "item": ("抽查事项", "检查事项", "事项", "事项编号", "item id"),
    "date": ("检查日期", "日期", "完成日期"),
    "method": ("检查方式", "方式"),
    "code": ("检查结果", "结果", "结果代码", "finding", "result"),
}
"""Column → headings it is recognised by, besides its name alone or after one of them."""
REQUIRED = ("enterprise", "item", "date", "method", "code")
_FILLED: Mapping[str, tuple[str, str]] = {
    "date": ("检查日期", "date"),
    "method": ("检查方式", "method"),
    "code": ("检查结果", "finding"),
}
_MEANING = {
    normal(text): name
    for name, words in HEADINGS.items()
    for text in (name, *words, *(f"{word} {name}" for word in words))
}
ALMOST = len(REQUIRED) - 1
"""With so many required columns a sheet is one of findings that lacks the others, not a list of crews or codes."""
_SUGGESTIONS = 20
"""Looking for a similar id among thousands takes time; a file of nothing but strangers needs no hints."""


def read_findings(
    path: Path, result: Mapping[str, Any], announcement: Mapping[str, Any], plan: Plan
) -> tuple[FindingRow, ...]:
    """Return the findings in ``path`` (xlsx, csv or parquet), by enterprise, part, task and item.

    ``result`` is the result without embargo with the visits in effect, ``announcement`` its announcement. Raises
    ``InputError`` with every problem of the file, ``IntegrityError`` if result and announcement do not belong together.
    """
    if result["draw"] != announcement["draw"]:
        raise IntegrityError(
            code="result-of-another-draw",
            value=str(result["draw"]),
            message={"zh": "结果与公告不是同一次抽取", "en": "the result is not that of the announcement"},
            remedy={"zh": "从备份恢复 public 目录。", "en": "Restore the folder public from its backup."},
        )
    opened = open_tables(path, path.name, "visits", None, _score)
    problems = [found for found in opened.problems if found.severity == "error"]
    laid = [(table, *_lay_out(table)) for table in opened.tables]
    complete = [(table, at, columns) for table, at, columns in laid if set(REQUIRED) <= set(columns)]
    if not complete and not problems:
        nothing: tuple[Table, int, dict[str, int]] = (Table(path.name, None, ()), 0, {})
        problems.append(_incomplete(*max(laid, key=lambda each: len(each[2]), default=nothing)))
    elif not problems:
        problems += [
            _incomplete(table, at, columns)
            for table, at, columns in laid
            if ALMOST <= len(set(REQUIRED) & set(columns)) < len(REQUIRED)
        ]
    for table, at, columns in complete:
        problems += _doubled(table, at, columns)
        problems += _unreadable(table, at, columns)
    checks = _Checks(result, announcement, plan)
    rows: dict[Key, FindingRow] = {}
    for table, at, columns in complete:
        for cells in _cells(table, at, columns):
            row = checks.read(cells, problems)
            if row is None:
                continue
            first = rows.setdefault(row.key, row)
            if first != row:
                problems.append(fault("finding-twice", row.place, row.code, row=first.place.row))
    if not rows and not problems:
        problems.append(fault("finding-none", complete[0][0].place()))
    if problems:
        raise InputError(problems)
    return tuple(rows[key] for key in sorted(rows))


def _score(rows: Sequence[Row]) -> int:
    return max((len(_columns(row)) for row in rows[:ROWS_TO_SEARCH]), default=0)


def _columns(row: Row) -> dict[str, int]:
    columns: dict[str, int] = {}
    for index, cell in enumerate(row):
        name = _MEANING.get(normal(cell)) if isinstance(cell, str) else None
        if name is not None:
            columns.setdefault(name, index)
    return columns


def _incomplete(table: Table, at: int, columns: Mapping[str, int]) -> Problem:
    missing = [name for name in REQUIRED if name not in columns]
    place = table.place(at + 1 if table.rows else None)
    names = "、".join(HEADINGS[name][0] for name in missing)
    return fault("finding-headings", place, names=names, names_en=", ".join(missing))


def _doubled(table: Table, at: int, columns: Mapping[str, int]) -> Iterator[Problem]:
    """Columns of the same meaning as one before: which of them was filled in, nobody can tell."""
    for index, cell in enumerate(table.rows[at]):
        name = _MEANING.get(normal(cell)) if isinstance(cell, str) else None
        if name is not None and columns[name] != index:
            first = column_letter(columns[name])
            place = table.place(at + 1, column_letter(index))
            yield fault("finding-heading-twice", place, cell, first=first, second=column_letter(index))


def _lay_out(table: Table) -> tuple[int, dict[str, int]]:
    """Return the index of the heading row and the column of each heading."""
    found = [_columns(row) for row in table.rows[:ROWS_TO_SEARCH]]
    at = max(range(len(found)), key=lambda index: len(found[index]), default=0)
    return at, found[at] if found else {}


@dataclass(frozen=True, slots=True)
class _Cells:
    """The cells of one row by column, as text, or as a date where the file has one."""

    table: Table
    row: int
    titles: Mapping[str, str]
    values: Mapping[str, str | date]

    def text(self, name: str) -> str:
        value = self.values.get(name, "")
        return value if isinstance(value, str) else value.isoformat()

    def fault(self, code: str, column: str, suggestion: str | None = None, **words: object) -> Problem:
        place = self.table.place(self.row, self.titles.get(column))
        return fault(code, place, self.text(column), suggestion, **words)


def _unreadable(table: Table, at: int, columns: Mapping[str, int]) -> Iterator[Problem]:
    """Cells that look filled in but hold nothing to read: they would pass for checks not made yet."""
    titles = {index: str(table.rows[at][index]).strip() for index in columns.values()}
    for top, left, bottom, right in sorted(table.notes.merged):
        if bottom > at + 1 and any(left <= index <= right for index in titles):
            span = f"{column_letter(left)}{top}:{column_letter(right)}{bottom}"
            yield problem("merged-cells", table.place(top, column_letter(left)), span)
    for (row, index), shown in sorted(table.notes.errors.items()):
        if row > at + 1 and index in titles:
            yield problem("cell-error", table.place(row, titles[index]), shown)
    for (row, index), stored in sorted(table.notes.formulas.items()):
        if row > at + 1 and index in titles and not stored and (row, index) not in table.notes.errors:
            yield problem("formula-without-value", table.place(row, titles[index]))


def _cells(table: Table, at: int, columns: Mapping[str, int]) -> Iterator[_Cells]:
    heads = table.rows[at]
    titles = {name: str(heads[index]).strip() for name, index in columns.items()}
    for index, row in enumerate(table.rows[at + 1 :], at + 2):
        values = {name: _value(row[place]) for name, place in columns.items() if place < len(row)}
        if any(values.get(name) for name in _FILLED):
            yield _Cells(table, index, titles, values)


def _value(cell: Raw) -> str | date:
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return "" if cell is None else unicodedata.normalize("NFKC", str(cell)).strip()


class _Checks:
    """The checks of a result, to which findings are matched."""

    def __init__(self, result: Mapping[str, Any], announcement: Mapping[str, Any], plan: Plan) -> None:
        self._of: dict[str, list[tuple[int, str, str]]] = defaultdict(list)
        self._date: dict[tuple[str, int], date | None] = {}
        self._unfilled: set[tuple[str, int, str]] = set()
        self._department_of = {task["id"]: str(task["department"]) for task in announcement["tasks"]}
        for visit in result["visits"]:
            enterprise, part = visit["enterprise"], visit["part"]
            self._date[enterprise, part] = date.fromisoformat(visit["date"]) if visit["date"] else None
            self._unfilled |= {(enterprise, part, c["department"]) for c in visit["crews"] if not c["seats"]}
            self._of[enterprise] += [
                (part, check["task"], item) for check in visit["checks"] for item in check["items"]
            ]
        self._uscc = plan.enterprise_ids == "uscc"
        self._hints = _SUGGESTIONS

    def read(self, cells: _Cells, problems: list[Problem]) -> FindingRow | None:
        """Return the row, or None after noting everything that is wrong with it."""
        before = len(problems)
        problems += [
            cells.fault("finding-incomplete", name, None, zh=zh, en=en)
            for name, (zh, en) in _FILLED.items()
            if not cells.values.get(name)
        ]
        check = self._check(cells, problems)
        code = _word(
            "code", "finding-code", {c: (w.zh, w.en) for c, w in FINDING_CODES.items()}, cells, problems
        )
        method = _word(
            "method", "finding-method", {m: (w.zh, w.en) for m, w in METHODS.items()}, cells, problems
        )
        day = _day(cells, problems)
        enterprise = cells.text("enterprise")
        if check is not None:
            planned = self._date[enterprise, check[0]]
            department = self._department_of[check[1]]
            if planned is None:
                problems.append(cells.fault("finding-undated", "enterprise"))
            elif (enterprise, check[0], department) in self._unfilled:
                problems.append(cells.fault("finding-unfilled", "enterprise", department=department))
            elif day is not None and day < planned:
                problems.append(cells.fault("finding-early", "date", planned.isoformat(), day=planned))
        if len(problems) > before or check is None or code is None or method is None or day is None:
            return None
        part, task, item = check
        return FindingRow(enterprise, part, task, item, code, method, day, cells.table.place(cells.row))

    def _check(self, cells: _Cells, problems: list[Problem]) -> tuple[int, str, str] | None:
        """Find the one check that the row means, by enterprise, item and, where given, task and part."""
        enterprise = cells.text("enterprise")
        checks = self._of.get(enterprise)
        if not checks:
            problems.append(cells.fault("finding-enterprise", "enterprise", self._hint(enterprise)))
            return None
        for position, name in ((0, "part"), (1, "task"), (2, "item")):
            wanted = cells.text(name)
            if not wanted and name != "item":
                continue
            known = sorted({str(check[position]) for check in checks})
            checks = [check for check in checks if str(check[position]) == wanted]
            if not checks:
                problems.append(
                    cells.fault(f"finding-{name}", name, nearest(wanted, known), known=", ".join(known))
                )
                return None
        if len(checks) > 1:
            known = [f"{task} ({part})" for part, task, _ in checks]
            problems.append(cells.fault("finding-ambiguous", "item", known=", ".join(known)))
            return None
        return checks[0]

    def _hint(self, enterprise: str) -> str | None:
        """Return the drawn enterprise that was probably meant."""
        repaired = suggestion(enterprise) if self._uscc else enterprise.upper()
        if repaired in self._of or not self._hints or not enterprise:
            return repaired if repaired in self._of else None
        self._hints -= 1
        return nearest(enterprise, self._of)


def _word(
    name: str, code: str, words: Mapping[str, tuple[str, str]], cells: _Cells, problems: list[Problem]
) -> str | None:
    """Return the code that a cell names: by itself, by its Chinese or English meaning, or by both."""
    written = cells.text(name)
    if not written:
        return None
    for known, (zh, en) in words.items():
        if normal(written) in {
            normal(known),
            normal(zh),
            normal(en),
            normal(f"{known} {zh}"),
            normal(f"{known} {en}"),
        }:
            return known
    listed = ", ".join(f"{known} {zh} ({en})" for known, (zh, en) in words.items())
    problems.append(cells.fault(code, name, nearest(written, words), known=listed))
    return None


def _day(cells: _Cells, problems: list[Problem]) -> date | None:
    value = cells.values.get("date", "")
    if isinstance(value, date) or not value:
        return value or None
    found = day_parser(cells.table.notes.from_1904)(value)
    if isinstance(found, date):
        return found
    problems.append(cells.fault("finding-date", "date"))
    return None
