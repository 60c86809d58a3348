"""What occurs in spreadsheets whose plan does not exist yet: which library each is, and the words in its columns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dualrandom.errors import Problem
from dualrandom.registry.columns import KINDS, LIBRARIES, MAY_BE_ABSENT, Kind
from dualrandom.registry.faults import Place
from dualrandom.registry.headings import lay_out, recognised, score
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
    """Return the library in each sheet of the files, and everything that stands in the way of a campaign."""
    sheets: dict[Kind, Sheet] = {}
    problems: list[Problem] = []
    for path in paths:
        opened = open_tables(path, path.name, "enterprises", None, lambda rows: score(rows, None))
        problems += [found for found in opened.problems if found.severity == "error"]
        tables = [table for table in opened.tables if not is_readme(table.sheet or "")]
        known = [(kind, table) for table in tables if (kind := recognised(table.rows)) is not None]
        if not known and tables:
            problems.append(_unrecognised(path.name, tables[0]))
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
    problems += [_missing(kind) for kind in KINDS if kind not in sheets and kind not in MAY_BE_ABSENT]
    return sheets, tuple(problems)


def _unrecognised(file: str, table: Table) -> Problem:
    needed = "; ".join(
        f"{kind}: {', '.join(column.zh for column in LIBRARIES[kind].columns if column.required)}"
        for kind in KINDS
    )
    heads = " | ".join(written(cell) for cell in (table.rows[0] if table.rows else ()))
    return _problem(
        "new-unrecognised",
        Place(file, table.sheet, 1),
        heads,
        ("看不出这是哪一个名录", "it is not evident which library this is"),
        (
            f"列标题须含（另可用英文或常用别名）：{needed}",
            f"These headings are needed (English ones serve too): {needed}",
        ),
    )


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
