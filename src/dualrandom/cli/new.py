"""``dualrandom new``: a campaign's folder from filled-in workbooks or from the last campaign."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from dualrandom.cli.options import AsJson, InLanguage
from dualrandom.cli.screen import opened


class NewCommand(TyperCommand):
    """Accepts ``--from a.xlsx b.xlsx`` as shells expand ``*.xlsx``, and ``--from a.xlsx --from b.xlsx``."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Repeat ``--from`` before each of its values, then parse as usual."""
        return super().parse_args(ctx, spread_from(args))


def spread_from(arguments: list[str]) -> list[str]:
    """Return the arguments with ``--from`` before every file that follows one.

    >>> spread_from(["here", "--from", "a.xlsx", "b.xlsx", "--json"])
    ['here', '--from', 'a.xlsx', '--from', 'b.xlsx', '--json']
    """
    spread: list[str] = []
    within = False
    for argument in arguments:
        if argument == "--from":
            within = True
        elif argument.startswith("-") and argument != "-":
            within = argument.startswith("--from=")
            spread.append(argument)
        else:
            spread += ["--from", argument] if within else [argument]
    return spread


def new(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="新活动的目录 · the new campaign's folder")],
    sources: Annotated[
        list[Path],
        typer.Option(
            "--from",
            metavar="FILE...",
            help="填好的表格，或上一次活动的目录 · filled-in workbooks, or the last campaign's folder",
        ),
    ],
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """从表格或上一次活动建立新活动 · Make a campaign from workbooks or from the last campaign."""
    with opened(context, as_json, language) as screen:
        from dualrandom.scaffold import new_campaign  # noqa: PLC0415

        new_campaign(folder, sources)
        screen.finish({"folder": str(folder)})
