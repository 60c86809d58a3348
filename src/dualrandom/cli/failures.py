"""Errors as a person reads them: what is wrong, where, what to do next; all faults of all files in one table.

Nothing here is raised; exceptions become a `Failure`. An exception that is no one's mistake but ours is not
turned into one, so that it stays visible.
"""

from __future__ import annotations

import errno
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dualrandom.errors import DualRandomError, InputError, IntegrityError, Language, Problem
from dualrandom.registry.report import inert

if TYPE_CHECKING:
    from rich.console import Console

WRONG = 1
BAD_INPUT = 2
INCOMPLETE = 3

NOT_YET = {"beacon-not-there"}
"""Codes of errors that say no more than that something has not come yet."""

ALARMS = {"beacon-overdue"}
"""Codes of errors that somebody has to hear of although the input is right: exit code 1."""

PACKAGES_OF = {
    "draw": "numpy ortools pandas python_calamine xlsxwriter icalendar segno sqlmodel alembic pydantic_settings",
    "api": "fastapi starlette uvicorn jinja2 babel authlib argon2 structlog multipart",
    "scale": "pyarrow numba dask distributed",
}
"""Packages (as imported) that an extra of the distribution brings."""

EXTRA_OF = {package: extra for extra, packages in PACKAGES_OF.items() for package in packages.split()}
"""Which extra of the distribution brings a package that the base install lacks."""

SYSTEM_ERRORS = {
    errno.EADDRINUSE: "端口已被占用",
    errno.EADDRNOTAVAIL: "本机没有这个地址",
    errno.EAGAIN: "资源暂时不可用",
    errno.EBUSY: "正被占用",
    errno.ECONNREFUSED: "对方拒绝连接",
    errno.EDQUOT: "超出磁盘配额",
    errno.EEXIST: "已存在",
    errno.EFBIG: "文件过大",
    errno.EHOSTUNREACH: "无法到达对方主机",
    errno.EINVAL: "参数无效",
    errno.EIO: "读写出错，存储设备可能已损坏",
    errno.ELOOP: "符号链接循环",
    errno.EMFILE: "打开的文件过多",
    errno.ENAMETOOLONG: "文件名过长",
    errno.ENETUNREACH: "网络不可达",
    errno.ENFILE: "系统打开的文件过多",
    errno.ENODEV: "没有这个设备",
    errno.ENOSPC: "磁盘已满",
    errno.ENOTEMPTY: "目录不为空",
    errno.ENXIO: "没有这个设备或地址",
    errno.EROFS: "文件系统只读",
    errno.ESTALE: "网络文件系统的文件已失效",
    errno.ETIMEDOUT: "超时",
    errno.ETXTBSY: "文件正在运行",
    errno.EXDEV: "不能跨文件系统移动",
}
"""What the system's error numbers mean, in Chinese; it says them in English itself."""

Row = tuple[str, str, str, str, str]
"""Severity, place, value, message, remedy, as they are shown."""

HEADINGS: dict[Language, tuple[str, str, str, str]] = {
    "zh": ("位置", "值", "问题", "怎么办"),
    "en": ("where", "value", "what is wrong", "what to do"),
}
STYLES = {"错误": "bold red", "error": "bold red", "提醒": "yellow", "warning": "yellow"}

NARROW = 120
"""Columns below which five columns of a table are too thin to read."""

SHOWN_IN_FULL = 50
"""With more problems than this, equal ones are grouped and only the first places of each are named."""


@dataclass(frozen=True, slots=True)
class Failure:
    """One refused command: the error, its problems, and the exit code."""

    code: str
    value: str
    message: Mapping[Language, str]
    remedy: Mapping[Language, str]
    exit_code: int = BAD_INPUT
    problems: tuple[Problem, ...] = ()

    def as_json(self) -> dict[str, Any]:
        """Return ``{"error": …, "problems": […]}`` with both languages."""
        return {
            "error": {
                "code": self.code,
                "value": self.value,
                "message": dict(self.message),
                "remedy": dict(self.remedy),
                "exit_code": self.exit_code,
            },
            "problems": [problem_as_json(problem) for problem in self.problems],
        }


def problem_as_json(problem: Problem) -> dict[str, Any]:
    """Return one problem with both languages."""
    return {
        "code": problem.code,
        "severity": problem.severity,
        "file": problem.file,
        "sheet": problem.sheet,
        "row": problem.row,
        "column": problem.column,
        "value": problem.value,
        "message": {"zh": problem.message_zh, "en": problem.message_en},
        "remedy": {"zh": problem.remedy_zh, "en": problem.remedy_en},
        "suggestion": problem.suggestion,
    }


def failure_of(error: BaseException) -> Failure | None:
    """Return what to tell the person about an exception, or None if it is a fault of this program."""
    if isinstance(error, DualRandomError):
        problems = error.problems if isinstance(error, InputError) else ()
        exit_code = WRONG if isinstance(error, IntegrityError) else BAD_INPUT
        if error.code in NOT_YET:
            exit_code = INCOMPLETE
        if error.code in ALARMS:
            exit_code = WRONG
        return Failure(error.code, error.value, error.messages, error.remedies, exit_code, problems)
    if isinstance(error, ModuleNotFoundError):
        return _missing_extra(error)
    if isinstance(error, OSError) and error.errno != errno.EPIPE:
        return _operating_system(error)
    if isinstance(error, MemoryError):
        return Failure(
            "out-of-memory",
            "",
            {"zh": "内存不足，未能完成", "en": "there is not enough memory to go on"},
            {
                "zh": "关闭其他程序，或查看是否有异常大的文件。",
                "en": "Close other programs, or look for a file that is far too large.",
            },
        )
    return None


def _missing_extra(error: ModuleNotFoundError) -> Failure | None:
    extra = EXTRA_OF.get((error.name or "").partition(".")[0])
    if extra is None:
        return None
    return Failure(
        "missing-extra",
        error.name or "",
        {
            "zh": f"此命令需要附加组件 {extra}（缺少 {error.name}），当前只安装了其余部分",
            "en": f"this command needs the extra “{extra}” ({error.name} is not installed)",
        },
        {
            "zh": f'请运行：pip install "dualrandom[{extra}]"',
            "en": f'Run: pip install "dualrandom[{extra}]"',
        },
    )


def _operating_system(error: OSError) -> Failure:
    path = str(error.filename or "")
    if isinstance(error, FileNotFoundError):
        said = {"zh": f"找不到 {path}", "en": f"there is no {path}"}
        remedy = {"zh": "请检查路径是否写对。", "en": "Check the path."}
    elif isinstance(error, PermissionError):
        said = {"zh": f"没有权限读写 {path}", "en": f"not permitted to read or write {path}"}
        remedy = {
            "zh": "请检查文件权限，或换一个目录。",
            "en": "Check the file's permissions, or use another folder.",
        }
    elif isinstance(error, IsADirectoryError):
        said = {"zh": f"{path} 是目录，不是文件", "en": f"{path} is a folder, not a file"}
        remedy = {"zh": "请给出文件的路径。", "en": "Give the path of a file."}
    elif isinstance(error, NotADirectoryError):
        said = {"zh": f"{path} 不是目录", "en": f"{path} is not a folder"}
        remedy = {"zh": "请给出目录的路径。", "en": "Give the path of a folder."}
    else:
        reason = error.strerror or str(error)
        zh = SYSTEM_ERRORS.get(error.errno or 0, f"错误号 {error.errno}" if error.errno else "原因不明")
        said = {
            "zh": f"系统拒绝了操作：{zh}" + (f"（{path}）" if path else ""),
            "en": f"the system refused: {reason}" + (f" ({path})" if path else ""),
        }
        remedy = {
            "zh": "请排除该原因（如磁盘已满）后重试。",
            "en": "Remove the cause (a full disk, for instance) and try again.",
        }
        if error.errno == errno.EADDRINUSE:
            remedy = {
                "zh": "用 --port 换一个端口，或停止占用它的程序。",
                "en": "Choose another port with --port, or stop the program that has it.",
            }
    return Failure(
        "file-access", path, {"zh": said["zh"], "en": said["en"]}, {"zh": remedy["zh"], "en": remedy["en"]}
    )


def escaped(text: str) -> str:
    """Return text that rich prints literally."""
    from rich.markup import escape  # noqa: PLC0415

    return escape(text)


def show(failure: Failure, language: Language) -> None:
    """Print an error on standard error: its problems as a table, then what is wrong and what to do."""
    from rich.console import Console  # noqa: PLC0415

    console = Console(stderr=True, emoji=False, width=None if sys.stderr.isatty() else 160)
    if failure.problems:
        show_problems(failure.problems, language, console)
    label = "错误：" if language == "zh" else "Error: "
    console.print(
        f"[bold red]{label}[/]{escaped(failure.message[language])}", highlight=False, soft_wrap=True
    )
    label = "怎么办：" if language == "zh" else "What to do: "
    console.print(f"[bold]{label}[/]{escaped(failure.remedy[language])}", highlight=False, soft_wrap=True)


def show_problems(problems: Sequence[Problem], language: Language, console: Console) -> None:
    """Print problems as a table, in a narrow terminal one under the other; more than 50 are counted together."""
    zh = language == "zh"
    grouped = len(problems) > SHOWN_IN_FULL
    rows = grouped_rows(problems, language) if grouped else [problem_row(one, language) for one in problems]
    if console.width < NARROW:
        _show_paragraphs(rows, language, console)
    else:
        _show_table(rows, language, console)
    if grouped:
        told = (
            f"共 {len(problems)} 处，相同的已合并；全部位置见 --json。"
            if zh
            else f"{len(problems)} in all; equal ones are counted together. --json lists every place."
        )
        console.print(told, highlight=False)


def _show_table(rows: Sequence[Row], language: Language, console: Console) -> None:
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(show_lines=True)
    for name in ("", *HEADINGS[language]):
        table.add_column(name, overflow="fold")
    for severity, *cells in rows:
        table.add_row(Text(severity, style=STYLES[severity]), *(Text(cell) for cell in cells))
    console.print(table)


def _show_paragraphs(rows: Sequence[Row], language: Language, console: Console) -> None:
    from rich.text import Text  # noqa: PLC0415

    _, *names = HEADINGS[language]
    for severity, where, *cells in rows:
        console.print(Text.assemble((severity, STYLES[severity]), " ", where))
        for name, cell in zip(names, cells, strict=True):
            if cell:
                console.print(Text(f"{name}: {cell}"), style="default")
        console.print()


def place(problem: Problem, language: Language) -> str:
    """Return where a problem is; in a plan the column is a key."""
    if problem.column is None or not problem.file.endswith(".toml"):
        return problem.place(language)
    key = f"键 {problem.column}" if language == "zh" else f"key {problem.column}"
    return f"{replace(problem, column=None).place(language)} · {key}"


def problem_row(problem: Problem, language: Language) -> Row:
    """Return severity, place, value, message, and remedy with the suggestion if there is one."""
    zh = language == "zh"
    severity = {"error": "错误", "warning": "提醒"}[problem.severity] if zh else problem.severity
    remedy = problem.remedy(language)
    if problem.suggestion is not None:
        meant = inert(problem.suggestion)
        remedy += f"\n您是不是要写 {meant} ？" if zh else f"\ndid you mean {meant}?"
    return (
        severity,
        inert(place(problem, language)),
        inert(problem.value),
        inert(problem.message(language)),
        remedy,
    )


def grouped_rows(problems: Sequence[Problem], language: Language) -> list[Row]:
    """Return a row for each kind of problem, errors first, most frequent first: count and first places.

    Of one kind are problems of the same severity, code, file, sheet and column; what is no matter of a row (a missing column, an
    item that a task names) stays by itself, unless there are too many of them.
    """
    kinds: dict[tuple[object, ...], list[Problem]] = {}
    apart: Counter[tuple[object, ...]] = Counter()
    for one in problems:
        kind: tuple[object, ...] = (one.severity, one.code, one.file, one.sheet or "", one.column or "")
        if (one.row is None or one.column is None) and apart[kind] < SHOWN_IN_FULL:
            apart[kind] += 1
            kind = (*kind, one.message_en)
        kinds.setdefault(kind, []).append(one)
    ordered = sorted(
        kinds.values(), key=lambda same: (same[0].severity, -len(same), same[0].file, same[0].code)
    )
    return [_grouped_row(same, language) for same in ordered]


def _grouped_row(same: Sequence[Problem], language: Language) -> Row:
    severity, where, value, message, remedy = problem_row(same[0], language)
    if len(same) > 1:
        zh = language == "zh"
        first = [str(one.row) for one in same[:5] if one.row is not None]
        more = "…" if len(same) > 5 else ""
        rows = f"，第 {'、'.join(first)}{more} 行" if zh else f", rows {', '.join(first)}{more}"
        where = inert(place(replace(same[0], row=None), language))
        where = f"{len(same)} × {where}{rows if first else ''}"
        values = list(dict.fromkeys(one.value for one in same[:1000] if one.value))
        if len(values) > 1:
            value = inert("、".join(values[:3])) + (" …" if len(values) > 3 else "")
    return severity, where, value, message, remedy
