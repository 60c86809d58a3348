"""What occurs in spreadsheets whose plan does not exist yet: which library each is, and the words in its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dualrandom.errors import Problem
from dualrandom.registry.columns import KINDS, LIBRARIES, MAY_BE_ABSENT, Kind
from dualrandom.registry.faults import Place, problem
from dualrandom.registry.headings import (
    FALLBACKS,
    ROWS_TO_SEARCH,
    lay_out,
    matches,
    meaning,
    recognised,
    score,
    stood_for,
)
from dualrandom.registry.parsers import Words
from dualrandom.registry.reader import is_readme
from dualrandom.registry.rows import RowSet, read_rows
from dualrandom.registry.tables import Table, open_tables
from dualrandom.registry.values import written


@dataclass(frozen=True, slots=True)
class Sheet:
    """A sheet that is a library. ``alone``: no other sheet of its file is one."""

    kind: Kind
    path: Path
    name: str | None
    alone: bool
    rows: RowSet

    def column(self, name: str) -> list[str]:
        """Return the cells of a column as written, one a row; empty where the file has no such column."""
        index = self.rows.layout.columns.get(name)
        if index is None:
            return [""] * len(self.rows.numbers)
        lines = (self.rows.table.rows[number - 1] for number in self.rows.numbers)
        return [written(line[index]) if index < len(line) else "" for line in lines]

    def values(self, name: str) -> list[object]:
        """Return the values of a column; a refused cell is not a str, number or tuple."""
        return list(self.rows.values[name])


def find_sheets(paths: Sequence[Path]) -> tuple[dict[Kind, Sheet], tuple[Problem, ...]]:
    """Return the library in each sheet of the files, and everything that stands in the way of a campaign.

    Sheets that are not read are warnings, where reading the libraries will not tell of them: a workbook of several libraries.
    """
    sheets: dict[Kind, Sheet] = {}
    problems: list[Problem] = []
    unknown: list[tuple[str, Table]] = []
    for path in paths:
        opened = open_tables(path, path.name, "enterprises", None, lambda rows: score(rows, None))
        problems += [found for found in opened.problems if found.severity == "error"]
        known = [(kind, table) for table in opened.tables if (kind := recognised(table.rows)) is not None]
        others = [
            table
            for table in opened.tables
            if any(map(any, table.rows))
            and not is_readme(table.sheet or "")
            and recognised(table.rows) is None
        ]
        if not known and others:
            unknown.append((path.name, max(others, key=lambda table: score(table.rows, None))))
        elif not known and opened.tables and not any(any(map(any, table.rows)) for table in opened.tables):
            problems.append(problem("file-empty", Place(path.name)))
        if len(known) > 1:
            problems += [found for found in opened.problems if found.severity != "error"]
            problems += [
                problem("sheet-ignored", Place(path.name, table.sheet), table.sheet) for table in others
            ]
        for kind, table in known:
            if kind in sheets:
                problems.append(_twice(kind, path.name, table.sheet, sheets[kind].path.name))
                continue
            layout = lay_out(table, LIBRARIES[kind], None)
            if not layout.usable:
                problems += [found for found in layout.problems if found.severity == "error"]
                continue
            rows = read_rows(table, LIBRARIES[kind], layout, Words.of(None), None)
            sheets[kind] = Sheet(kind, path, table.sheet, len(known) == 1, rows)
    # what is there already is not what an unknown file was meant to be
    wanted = [kind for kind in KINDS if kind not in sheets] or list(KINDS)
    problems += [_unrecognised(file, table, wanted) for file, table in unknown]
    problems += [_missing(kind) for kind in KINDS if kind not in sheets and kind not in MAY_BE_ABSENT]
    return sheets, tuple(problems)


def _unrecognised(file: str, table: Table, kinds: Sequence[Kind]) -> Problem:
    """Say which of the libraries ``kinds`` the sheet comes nearest to, and which headings it lacks for that."""
    kind, row = max(
        ((kind, row) for kind in kinds for row in range(min(len(table.rows), ROWS_TO_SEARCH))),
        key=lambda one: len(matches(one[0], table.rows[one[1]]) & _sufficient(one[0])),
    )
    library = LIBRARIES[kind]
    texts = [written(cell) for cell in table.rows[row]]
    found = matches(kind, table.rows[row])
    lacking = [
        library.column(name) for name in sorted(library.required - found) if not stood_for(kind, name, found)
    ]
    if len(lacking) == len(library.required):
        needed = "; ".join(
            f"{kind}: {', '.join(column.zh for column in LIBRARIES[kind].columns if column.required)}"
            for kind in KINDS
        )
        return _problem(
            "new-unrecognised",
            Place(file, table.sheet, 1),
            " | ".join(written(cell) for cell in table.rows[0]),
            ("看不出这是哪一个名录", "it is not evident which library this is"),
            (
                f"列标题须含（另可用英文或常用别名）：{needed}",
                f"These headings are needed (English ones serve too): {needed}",
            ),
        )
    strange = [text for text in texts if text and meaning(kind, text) is None]
    return _problem(
        "new-unrecognised",
        Place(file, table.sheet, row + 1),
        " | ".join(strange),
        (
            f"最像{library.zh}，但没有这些必需的列：{'、'.join(column.zh for column in lacking)}",
            f"most like the library of {library.en}, but these required columns are missing: "
            + ", ".join(f"{column.en} ({column.zh})" for column in lacking),
        ),
        (
            "补上所缺的列；如列名不同（“值”中是未识别的列标题），改为："
            + "；".join(" / ".join((column.zh, *column.headings[:3])) for column in lacking),
            "Add them; where a column goes by another name (those not recognised are given), call it: "
            + "; ".join(" / ".join((column.en, column.zh, column.name)) for column in lacking),
        ),
    )


def _sufficient(kind: Kind) -> frozenset[str]:
    return LIBRARIES[kind].required | {other for (owner, _), other in FALLBACKS.items() if owner == kind}


def _twice(kind: Kind, file: str, sheet: str | None, other: str) -> Problem:
    library = LIBRARIES[kind]
    return _problem(
        "new-twice",
        Place(file, sheet),
        other,
        (
            f"{library.zh}有两个：另一个是 {other}",
            f"there are two libraries of {library.en}; the other one is {other}",
        ),
        ("只给出一个", "Give one of them only"),
    )


def _missing(kind: Kind) -> Problem:
    library = LIBRARIES[kind]
    return _problem(
        "new-missing",
        Place(f"{kind}.xlsx"),
        "",
        (f"没有{library.zh}", f"the library of {library.en} is missing"),
        (
            "一并给出该文件；空白表格用 dualrandom template 生成",
            "Give this file as well; dualrandom template makes a blank one",
        ),
    )


def _problem(
    code: str, place: Place, value: str, message: tuple[str, str], remedy: tuple[str, str]
) -> Problem:
    return Problem(code, place.file, place.sheet, place.row, None, value[:80], *message, *remedy)
