"""Problems as people read them: a short text however many rows are broken, and a sheet with every one of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from dualrandom.errors import DualRandomError, Language, Problem

SHOWN = 5
"""Places of one kind of fault that the text names; the sheet has them all."""
LONGEST_SHEET = 1_000_000
_LONGEST_CELL = 32_000


@dataclass(frozen=True, slots=True)
class Group:
    """Problems of one code in one column of one sheet, in the order of rows."""

    problems: tuple[Problem, ...]

    @property
    def first(self) -> Problem:
        """The problem that stands for the group."""
        return self.problems[0]

    def __len__(self) -> int:
        return len(self.problems)


def summarise(problems: Sequence[Problem]) -> tuple[Group, ...]:
    """Group problems of the same code, file, sheet and column (without one: message); groups with errors first, then by file and first row."""
    groups: dict[tuple[str, str, str, str], list[Problem]] = {}
    for found in problems:
        # columns that are missing and the like differ in their remedies
        which = found.message_en if found.column is None else found.column
        groups.setdefault((found.file, found.sheet or "", found.code, which), []).append(found)
    ordered = sorted(
        groups.values(),
        key=lambda group: (
            group[0].severity != "error",
            group[0].file,
            group[0].sheet or "",
            group[0].row or 0,
            group[0].code,
        ),
    )
    return tuple(Group(tuple(group)) for group in ordered)


def render_problems(problems: Sequence[Problem], language: Language, shown: int = SHOWN) -> str:
    """Return a plain text: how many errors and warnings, then each kind of fault with its first places and its remedy.

    The text is empty if there are no problems. ``shown`` limits the places named of one kind of fault.
    """
    if not problems:
        return ""
    zh = language == "zh"
    errors = sum(found.severity == "error" for found in problems)
    warnings = len(problems) - errors
    files = len({found.file for found in problems})
    if zh:
        lines = [
            f"{files} 个文件，{errors} 处错误，{warnings} 条提醒"
            + ("；有错误，未导入任何内容" if errors else "")
        ]
    else:
        lines = [
            f"{_plural(files, 'file')}: {_plural(errors, 'error')}, {_plural(warnings, 'warning')}"
            + ("; nothing was imported" if errors else "")
        ]
    for group in summarise(problems):
        lines += ["", *_group_lines(group, language, shown)]
    return "\n".join(lines) + "\n"


def _group_lines(group: Group, language: Language, shown: int) -> list[str]:
    zh = language == "zh"
    first = group.first
    label = {"error": ("错误", "ERROR"), "warning": ("提醒", "WARNING")}[first.severity][0 if zh else 1]
    count = "" if len(group) == 1 else f"（{len(group)} 处）" if zh else f" ({len(group)} places)"
    colon = "：" if zh else ": "
    same = len({found.message(language) for found in group.problems}) == 1
    lines = [f"{label}{count}{colon}{inert(first.message(language)) if same else ''}".rstrip()]
    for found in group.problems[:shown]:
        message = found.message(language)
        line = "  " + inert(found.place(language))
        if found.value and found.value not in message:
            line += colon + inert(found.value)
        if not same:
            line += " — " + inert(message)
        if found.suggestion:
            line += (
                f" → 是否应为 {inert(found.suggestion)}？"
                if zh
                else f" → did you mean {inert(found.suggestion)}?"
            )
        lines.append(line)
    rest = group.problems[shown:]
    if rest:
        rows = [found.row for found in rest if found.row is not None]
        span = (
            "" if not rows else f"（第 {rows[0]}–{rows[-1]} 行）" if zh else f" (rows {rows[0]}–{rows[-1]})"
        )
        lines.append(f"  …… 另有 {len(rest)} 处{span}" if zh else f"  … and {len(rest)} more{span}")
    lines.append(("  处理：" if zh else "  To do: ") + inert(first.remedy(language)))
    return lines


def _plural(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"


def inert(text: str) -> str:
    """Take the power out of what a file may carry: a terminal obeys control characters; wide blanks are harmless."""
    if text.isprintable():
        return text
    return "".join(
        each
        if each.isprintable()
        else " "
        if each in "\u00a0\u3000"
        else f"\\x{ord(each):02x}"
        if each < "\x80"
        else f"\\u{ord(each):04x}"
        for each in text
    )


_HEADINGS = (
    ("严重程度 severity", 16),
    ("文件 file", 22),
    ("工作表 sheet", 16),
    ("行 row", 9),
    ("列 column", 20),
    ("值 value", 30),
    ("问题", 44),
    ("problem", 44),
    ("建议 suggestion", 24),
    ("处理方法", 44),
    ("what to do", 44),
    ("代码 code", 22),
)


def write_problem_sheet(problems: Sequence[Problem], path: Path) -> None:
    """Write every problem into an .xlsx file, in both languages, one a row.

    All values are written as text, so that one that begins with ``=``, ``+``, ``-`` or ``@`` stays inert. Raises
    :class:`DualRandomError` (``extra-missing``) without XlsxWriter. Beyond a million problems the last row says how many more.
    """
    try:
        import xlsxwriter  # noqa: PLC0415 - an extra: checking a draw needs no workbook
    except ImportError as error:
        raise missing_writer() from error
    options = {"strings_to_formulas": False, "strings_to_urls": False, "strings_to_numbers": False}
    with xlsxwriter.Workbook(str(path), options | {"constant_memory": True}) as book:
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        plain = book.add_format({"num_format": "@", "valign": "top"})
        sheet = book.add_worksheet("问题 problems")
        sheet.freeze_panes(1, 0)
        for column, (heading, width) in enumerate(_HEADINGS):
            sheet.set_column(column, column, width)
            sheet.write_string(0, column, heading, bold)
        for row, found in enumerate(problems[:LONGEST_SHEET], 1):
            cells = (
                {"error": "错误 error", "warning": "提醒 warning"}[found.severity],
                found.file,
                found.sheet or "",
                found.row,
                found.column or "",
                found.value,
                found.message_zh,
                found.message_en,
                found.suggestion or "",
                found.remedy_zh,
                found.remedy_en,
                found.code,
            )
            for column, cell in enumerate(cells):
                if isinstance(cell, int):
                    sheet.write_number(row, column, cell)
                elif cell:
                    sheet.write_string(row, column, _safe(cell), plain)
        rest = len(problems) - LONGEST_SHEET
        if rest > 0:
            sheet.write_string(LONGEST_SHEET + 1, 0, f"另有 {rest} 条 · {rest} more", bold)
        sheet.autofilter(0, 0, min(len(problems), LONGEST_SHEET), len(_HEADINGS) - 1)


def missing_writer() -> DualRandomError:
    """Return the error that XlsxWriter is not installed."""
    return DualRandomError(
        "extra-missing",
        "XlsxWriter",
        {
            "zh": "写 Excel 文件需要 XlsxWriter，尚未安装",
            "en": "writing Excel files needs XlsxWriter, which is not installed",
        },
        {"zh": "安装 dualrandom[draw]", "en": "install dualrandom[draw]"},
    )


def _safe(text: str) -> str:
    return text[:_LONGEST_CELL].encode("utf-8", "replace").decode()
