"""The command line: ``dualrandom COMMAND``, one command a module.

Exit codes: 0 good, 1 wrong, 2 bad usage or input, 3 incomplete (something could not be checked).
Commands import what they need when they run, so that ``verify`` starts fast and needs no extra.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence
from typing import Any

from dualrandom.cli import failures
from dualrandom.cli.application import app
from dualrandom.cli.language import language_in, language_of_machine
from dualrandom.cli.screen import print_json


def main() -> None:
    """Run the command line of this process and exit."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            # a name in a script that the terminal's encoding lacks is shown escaped, not as a traceback
            reconfigure(errors="backslashreplace")
    sys.exit(run(sys.argv[1:]))


def run(arguments: Sequence[str]) -> int:
    """Run one command line, without the program's name; return its exit code."""
    given = list(arguments) or ["--help"]
    try:
        returned = app(given, prog_name="dualrandom", standalone_mode=False)
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    except SystemExit as stopped:
        return stopped.code if isinstance(stopped.code, int) else 1
    except Exception as error:
        if not hasattr(error, "format_message"):
            raise
        return _usage_error(error, given)
    return returned if isinstance(returned, int) else 0


def _usage_error(error: Any, arguments: list[str]) -> int:
    """Report a command line that cannot be understood; return 2."""
    language = language_in(arguments) or language_of_machine()
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "dualrandom"
    told = " ".join(str(error.format_message()).split())
    failure = failures.Failure(
        "usage",
        told,
        {
            "zh": f"命令行有误：{_in_chinese(error, told)}",
            "en": f"the command line cannot be understood: {told}",
        },
        {"zh": f"用法见：{command} --help", "en": f"See the usage: {command} --help"},
    )
    if "--json" in arguments:
        print_json(failure.as_json())
    else:
        failures.show(failure, language)
    return failure.exit_code


def _in_chinese(error: Any, told: str) -> str:
    kind = type(error).__name__
    parameter: Any = getattr(error, "param", None)
    option = "" if parameter is None else parameter.opts[0]
    name = option if option.startswith("-") or not option else parameter.metavar or option
    if kind == "NoSuchOption":
        near = "、".join(error.possibilities or ())
        return f"没有选项 {error.option_name}" + (f"（您是不是要写 {near}？）" if near else "")
    if kind == "MissingParameter":
        return f"缺少 {name}"
    if kind == "BadParameter":
        return f"{name} 的值无效" + _because(told)
    if kind == "BadOptionUsage":
        return (
            f"{error.option_name} 之后缺少值"
            if "requires an argument" in told
            else f"{error.option_name} 用法有误"
        )
    quoted = re.findall(r"'([^']*)'", told)
    if told.startswith("No such command"):
        # what it names, and what it may have meant
        near = "、".join(quoted[1:])
        return f"没有此命令：{''.join(quoted[:1])}" + (f"（您是不是要写 {near}？）" if near else "")
    if told.startswith("Got unexpected extra argument"):
        return "参数过多：" + told.rpartition("(")[2].rstrip(")")
    return "无法理解所给的参数"


_SHOULD = (
    (r"valid integer", "应为整数"),
    (r"valid (?:number|float)", "应为数字"),
    (r"greater than or equal to (\S+)", "应不小于 {0}"),
    (r"less than or equal to (\S+)", "应不大于 {0}"),
    (r"not in the range (\S+?)\.?$", "应在范围 {0} 之内"),
    (r"does not exist", "不存在"),
    (r"is a directory", "应为文件，不是目录"),
    (r"is a file", "应为目录，不是文件"),
)
"""What the parser says in English about a value, and the same in Chinese."""


def _because(told: str) -> str:
    """Say in Chinese what is wrong with a value."""
    said = told.partition("': ")[2] or told
    quoted = re.findall(r"'([^']*)'", said)
    if "is not one of" in said:
        return f"：{quoted[0]}，应为 {'、'.join(quoted[1:])} 之一"
    value = f"：{quoted[0]}" if quoted else ""
    for pattern, words in _SHOULD:
        found = re.search(pattern, said)
        if found:
            return f"{value}，{words.format(*found.groups())}"
    return value
