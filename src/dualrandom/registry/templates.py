"""Blank workbooks to fill in: bilingual headings, drop-downs, examples that are never taken for data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dualrandom.errors import DualRandomError, Language
from dualrandom.policy.plan import Plan
from dualrandom.registry.columns import KINDS, LIBRARIES, Column, Kind, Library
from dualrandom.registry.parsers import GROUNDS, ITEM_CATEGORIES, OBJECT_KINDS, VISIT_KINDS
from dualrandom.registry.report import missing_writer
from dualrandom.registry.rows import EXAMPLE

ROWS = 5000
"""Rows below the headings that have drop-downs and the text format; more may be filled in."""
LONGEST_CHOICE = 255
"""Excel's limit for the text of a drop-down."""
_MADE = datetime(2000, 1, 1, tzinfo=UTC).replace(tzinfo=None)
"""A fixed date, so that the same templates have the same bytes."""

_CHOICES: Mapping[tuple[Kind, str], Sequence[str]] = {
    ("enterprises", "kind"): [name for name, _ in OBJECT_KINDS],
    ("items", "category"): [name for name, _ in ITEM_CATEGORIES],
    ("recusals", "ground"): [name for name, _ in GROUNDS],
    ("visits", "kind"): [name for name, _ in VISIT_KINDS],
}
_SECOND_EXAMPLE: Mapping[tuple[Kind, str], str] = {
    ("recusals", "other"): "amr-002",
    ("recusals", "ground"): "kin",
}


def write_templates(folder: Path, language: Language, plan: Plan | None = None) -> tuple[Path, ...]:
    """Write one blank workbook for each library into ``folder`` and return their paths.

    With a ``plan`` the drop-downs offer its classes, districts and departments. Raises :class:`DualRandomError`
    ``file-exists`` rather than overwrite a file that somebody may have filled in, ``extra-missing`` without XlsxWriter.
    """
    paths = tuple(folder / f"{kind}.xlsx" for kind in KINDS)
    for path in paths:
        if path.exists():
            raise DualRandomError(
                "file-exists",
                path.name,
                {
                    "zh": f"文件 {path.name} 已存在，可能已填写",
                    "en": f"{path.name} exists and may have been filled in",
                },
                {
                    "zh": "换一个文件夹，或先移走该文件",
                    "en": "choose another folder, or move the file away first",
                },
            )
    try:
        import xlsxwriter  # noqa: PLC0415 - an extra: checking a draw needs no workbook
    except ImportError as error:
        raise missing_writer() from error
    folder.mkdir(parents=True, exist_ok=True)
    for kind, path in zip(KINDS, paths, strict=True):
        with xlsxwriter.Workbook(str(path), {"strings_to_formulas": False, "strings_to_urls": False}) as book:
            book.set_properties({"created": _MADE, "title": LIBRARIES[kind].zh})
            _fill(book, LIBRARIES[kind], language, plan)
    return paths


def _fill(book: Any, library: Library, language: Language, plan: Plan | None) -> None:
    zh = language == "zh"
    required = book.add_format(
        {"bold": True, "text_wrap": True, "bg_color": "#FCE4D6", "border": 1, "num_format": "@"}
    )
    optional = book.add_format(
        {"bold": True, "text_wrap": True, "bg_color": "#E2EFDA", "border": 1, "num_format": "@"}
    )
    plain = book.add_format({"num_format": "@"})
    grey = book.add_format({"num_format": "@", "italic": True, "font_color": "#7F7F7F"})
    sheet = book.add_worksheet(library.zh if zh else library.en)
    sheet.freeze_panes(1, 1)
    sheet.set_row(0, 34)
    for index, column in enumerate(library.columns):
        sheet.set_column(index, index, max(14, 2 * len(column.zh) + 4, len(column.example) + 3), plain)
        sheet.write_string(0, index, column.heading(language), required if column.required else optional)
        sheet.write_comment(
            0, index, column.about_zh if zh else column.about_en, {"x_scale": 2, "y_scale": 1.4}
        )
        for row, example in enumerate(_examples(library, column), 1):
            sheet.write_string(row, index, f"{EXAMPLE} {example}" if index == 0 else example, grey)
        choices = _choices(library.kind, column.name, plan)
        if choices and len(",".join(choices)) <= LONGEST_CHOICE:
            several = column.name in {"districts", "marks"}
            sheet.data_validation(
                1,
                index,
                ROWS,
                index,
                {
                    "validate": "list",
                    "source": list(choices),
                    "error_type": "information" if several or column.name == "ground" else "stop",
                    "error_title": column.zh if zh else column.en,
                    "error_message": "请从列表中选择" if zh else "choose from the list",
                },
            )
    readme = book.add_worksheet("说明 README")
    _explain(book, readme, library, language)


def _examples(library: Library, column: Column) -> list[str]:
    """Return the cells of the example rows: one, and for recusals a second one between two colleagues."""
    second = _SECOND_EXAMPLE.get((library.kind, column.name), column.example)
    return [column.example, second] if library.kind == "recusals" else [column.example]


def _choices(kind: Kind, column: str, plan: Plan | None) -> Sequence[str]:
    if column == "credit_class":
        return plan.classes if plan else ("A", "B", "C", "D")
    if plan and column == "department":
        return [each.id for each in plan.departments]
    if plan and column == "district":
        return [each.id for each in plan.districts]
    return _CHOICES.get((kind, column), ())


def _explain(book: Any, sheet: Any, library: Library, language: Language) -> None:
    bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
    wrapped = book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"})
    notes = {
        "zh": f"本表填写{library.zh}。橙色标题为必填列，绿色为选填列；列的次序可变，标题可只留中文或英文。"
        f"以“{EXAMPLE}”开头的行是示例，不读取。编号列保持“文本”格式，否则 18 位代码会丢失末位数字。"
        "不要合并单元格，不要加合计行，不要隐藏工作表。",
        "en": f"Fill in the library of {library.en}. Orange headings are required columns, green ones optional; columns may "
        f'stand in any order, headings in one language only. Rows that begin with "{EXAMPLE}" are examples and are not '
        'read. Keep columns of ids in "text" format, or 18-digit codes lose their last digits. No merged cells, no rows '
        "of totals, no hidden sheets.",
    }
    order: tuple[Language, ...] = ("zh", "en") if language == "zh" else ("en", "zh")
    for row, each in enumerate(order):
        sheet.merge_range(row, 0, row, 5, notes[each], wrapped)
        sheet.set_row(row, 66)
    about = {"zh": "填写内容", "en": "what it holds"}
    headings = (
        "栏目 title",
        "英文 English",
        "必填 required",
        about[order[0]],
        about[order[1]],
        "示例值 e.g.",
    )
    for column, (heading, width) in enumerate(zip(headings, (20, 24, 14, 60, 60, 30), strict=True)):
        sheet.set_column(column, column, width)
        sheet.write_string(3, column, heading, bold)
    for row, each_column in enumerate(library.columns, 4):
        texts = {"zh": each_column.about_zh, "en": each_column.about_en}
        cells = (
            each_column.zh,
            f"{each_column.en} ({each_column.name})",
            "必填 yes" if each_column.required else "选填 no",
            texts[order[0]],
            texts[order[1]],
            each_column.example,
        )
        for column, cell in enumerate(cells):
            sheet.write_string(row, column, cell, wrapped)
