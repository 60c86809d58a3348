"""The application: every command of this package, and those of the rooms above it by their entry points."""

from __future__ import annotations

import importlib.metadata
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

import dualrandom
from dualrandom.cli import failures
from dualrandom.cli.announce import announce
from dualrandom.cli.attest import attest
from dualrandom.cli.audit import audit
from dualrandom.cli.change import exclude, replace, substitute, withdraw
from dualrandom.cli.check import check
from dualrandom.cli.contribute import contribute
from dualrandom.cli.cosign import cosign
from dualrandom.cli.demo import demo
from dualrandom.cli.draw import draw
from dualrandom.cli.estimate import estimate
from dualrandom.cli.explain import explain
from dualrandom.cli.fsck import fsck
from dualrandom.cli.keys import keys
from dualrandom.cli.new import NewCommand, new
from dualrandom.cli.options import InLanguage
from dualrandom.cli.progress import progress
from dualrandom.cli.receipt import receipt
from dualrandom.cli.record import record
from dualrandom.cli.reveal import reveal
from dualrandom.cli.simulate import simulate
from dualrandom.cli.status import status
from dualrandom.cli.template import template
from dualrandom.cli.verify import verify
from dualrandom.cli.void import void
from dualrandom.cli.witness import witness
from dualrandom.errors import DualRandomError

ENTRY_POINTS = "dualrandom.commands"


class CommandGroup(TyperGroup):
    """The group of all commands; those of higher rooms are loaded when they are named."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order in which a campaign uses them, then the higher rooms'."""
        return [*super().list_commands(ctx), *sorted(entry.name for entry in _entry_points())]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return a command, or None if there is none of this name."""
        known = super().get_command(ctx, cmd_name)
        if known is not None:
            return known
        for entry in _entry_points():
            if entry.name == cmd_name:
                return _loaded(entry)
        return None


def _entry_points() -> tuple[importlib.metadata.EntryPoint, ...]:
    return tuple(importlib.metadata.entry_points(group=ENTRY_POINTS))


def _loaded(entry: importlib.metadata.EntryPoint) -> Any:
    """Return the command of an entry point; if its room is not installed, one that says so."""
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    try:
        function = entry.load()
    except ModuleNotFoundError as missing:
        failure = failures.failure_of(missing)
        if failure is None:
            raise
        function = _unavailable(failure)
    single.command(entry.name)(function)
    return typer.main.get_command(single)


def _unavailable(failure: failures.Failure) -> Any:
    def refuse() -> None:
        """需要附加组件 · needs an extra."""
        raise DualRandomError(failure.code, failure.value, failure.message, failure.remedy)

    return refuse


app = typer.Typer(
    cls=CommandGroup,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _show_version(asked: bool) -> None:
    if asked:
        print(f"dualrandom {dualrandom.__version__}")
        raise typer.Exit


@app.callback()
def dualrandom_command(
    version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="显示版本 · show the version"),
    ] = False,
    language: InLanguage = None,
) -> None:
    """双随机抽查：人人可复核的抽取 · Double-random inspection draws that anyone can verify.

    顺序 · order: template → new → check → simulate → announce → draw → verify → record
    """


app.command()(demo)
app.command()(template)
app.command(cls=NewCommand)(new)
app.command()(check)
app.command()(simulate)
app.command()(contribute)
app.command()(announce)
app.command()(status)
app.command()(reveal)
app.command()(cosign)
app.command()(draw)
app.command()(void)
app.command()(exclude)
app.command()(substitute)
app.command()(replace)
app.command()(withdraw)
app.command()(record)
app.command()(progress)
app.command()(estimate)
app.command()(audit)
app.command()(verify)
app.command()(receipt)
app.command()(attest)
app.command()(explain)
app.command()(fsck)
app.command()(keys)
app.command()(witness)
