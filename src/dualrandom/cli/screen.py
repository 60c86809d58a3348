"""What a command shows: text and tables on standard output, progress on standard error, or one JSON object.

Everything is said in one of two languages. Text from files is never read as markup. With ``--json``
nothing but one JSON object goes to standard output, whatever happens.
"""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dualrandom.cli import failures
from dualrandom.cli.language import language_of_machine, language_of_plan
from dualrandom.errors import DualRandomError, Language, Problem

if TYPE_CHECKING:
    from rich.console import Console
    from rich.status import Status

WIDTH_OF_A_PIPE = 160
"""Columns where the output is no terminal: a table in a file should not be squeezed into 80."""


SOON = 1.0
"""Seconds after which a stage is worth a line where standard error is no terminal."""


class Screen:
    """One command's output in one language. ``stage`` is a `Progress` callback."""

    def __init__(self, language: Language, as_json: bool) -> None:
        self.language: Language = language
        self.as_json = as_json
        self._out: Console | None = None
        self._status: Status | None = None
        self._timer: threading.Timer | None = None

    def pick(self, zh: str, en: str) -> str:
        """Return the text of this screen's language."""
        return zh if self.language == "zh" else en

    def say(self, zh: str, en: str, style: str = "") -> None:
        """Print one line or paragraph; with ``--json``, nothing."""
        if not self.as_json:
            self.console.print(self.pick(zh, en), style=style, markup=False, highlight=False, soft_wrap=True)

    def table(self, title: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
        """Print a table of plain texts (rich renderables may stand in cells); with ``--json``, nothing."""
        if self.as_json:
            return
        from rich.table import Table  # noqa: PLC0415  (a command that prints JSON does not need it)
        from rich.text import Text  # noqa: PLC0415

        shown = Table(show_header=any(columns))
        for number, column in enumerate(columns):
            # ids and names stand first: they are looked for, and copied
            shown.add_column(Text(column), overflow="fold", no_wrap=number == 0)
        for row in rows:
            shown.add_row(*(cell if isinstance(cell, Text) else Text(str(cell)) for cell in row))
        if title:
            self.say(title, title, style="bold")
        self.console.print(shown)

    def fields(self, title: str, fields: Sequence[tuple[str, str, Any]]) -> None:
        """Print names (Chinese, English) with their values, one a line."""
        if self.as_json:
            return
        self.table(title, ("", ""), [(self.pick(zh, en), value) for zh, en, value in fields])

    def problems(self, problems: Sequence[Problem]) -> None:
        """Print problems, warnings mostly, as a table."""
        if problems and not self.as_json:
            failures.show_problems(problems, self.language, self.console)

    def finish(self, data: Mapping[str, Any]) -> None:
        """Print the command's result as one JSON object if ``--json`` was given."""
        if self.as_json:
            print_json(data)

    def stage(self, zh: str, en: str) -> None:
        """Say on standard error what is being done now."""
        self.end_stage()
        text = self.pick(zh, en)
        if sys.stderr.isatty():
            from rich.console import Console  # noqa: PLC0415

            self._status = Console(stderr=True, emoji=False).status(failures.escaped(text))
            self._status.start()
        else:
            # a log wants no line for what is done at once
            self._timer = threading.Timer(SOON, _tell, (text,))
            self._timer.daemon = True
            self._timer.start()

    def note(self, zh: str, en: str) -> None:
        """Print a line on standard error, where progress goes; a running stage goes on."""
        text = self.pick(zh, en)
        if self._status is not None:
            self._status.console.print(failures.escaped(text), highlight=False, soft_wrap=True)
        else:
            _tell(text)

    def update(self, zh: str, en: str) -> None:
        """Change the text of the running stage where it is shown on a terminal."""
        if self._status is not None:
            self._status.update(failures.escaped(self.pick(zh, en)))

    def end_stage(self) -> None:
        """End the running stage, if there is one."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if self._status is not None:
            self._status.stop()
            self._status = None

    @property
    def console(self) -> Console:
        """Standard output."""
        if self._out is None:
            from rich.console import Console  # noqa: PLC0415

            wide = None if sys.stdout.isatty() or "COLUMNS" in os.environ else WIDTH_OF_A_PIPE
            self._out = Console(width=wide, emoji=False)
        return self._out


def _tell(text: str) -> None:
    print(f"… {text}", file=sys.stderr, flush=True)


def print_json(data: Mapping[str, Any]) -> None:
    """Print one JSON object in readable form on standard output."""
    text = json.dumps(data, ensure_ascii=False, indent=2)
    try:
        text.encode(sys.stdout.encoding or "utf-8")
    except UnicodeEncodeError:
        # what main() escapes for a person would not be JSON
        text = json.dumps(data, indent=2)
    print(text)


@contextmanager
def opened(
    context: typer.Context,
    as_json: bool,
    language: Language | None,
    campaign: Path | None = None,
    *,
    folder: Path | None = None,
) -> Iterator[Screen]:
    """Give a command its screen, and turn its errors into texts (or JSON) and exit codes.

    The language is the command's ``--language``, else that before the command, else the plan's, else the
    machine's. ``campaign``: the campaign that the command works on, which has to be a folder; ``folder``: one that may hold a
    campaign, for its language only. Raises typer.Exit with 1 or 2 for errors.
    """
    asked: Language | None = language or context.find_root().params.get("language")
    screen = Screen(asked or language_of_plan(campaign or folder) or language_of_machine(), as_json)
    try:
        if campaign is not None:
            _require_folder(campaign)
        yield screen
        screen.end_stage()
    except Exception as error:
        screen.end_stage()
        failure = failures.failure_of(error)
        if failure is None:
            raise
        if as_json:
            print_json(failure.as_json())
        else:
            failures.show(failure, screen.language)
        raise typer.Exit(failure.exit_code) from None
    finally:
        screen.end_stage()


def _require_folder(campaign: Path) -> None:
    if campaign.is_dir():
        return
    is_there = campaign.exists()
    raise DualRandomError(
        "no-campaign",
        str(campaign),
        {
            "zh": f"{campaign} 不是目录" if is_there else f"没有目录 {campaign}",
            "en": f"{campaign} is no folder" if is_there else f"there is no folder {campaign}",
        },
        {
            "zh": "给出抽查活动的目录（内有 plan.toml）；新建：dualrandom new 目录 --from 表格。",
            "en": "Give the campaign's folder (the one with plan.toml); to make one: dualrandom new DIR --from FILE....",
        },
    )
