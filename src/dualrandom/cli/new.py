"""``dualrandom new``: a campaign's folder from filled-in workbooks or from the last campaign."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from typer.core import TyperCommand

from dualrandom.cli.failures import INCOMPLETE, problem_as_json
from dualrandom.cli.options import AsJson, InLanguage
from dualrandom.cli.screen import Screen, opened

if TYPE_CHECKING:
    from dualrandom.scaffold import Created


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
    """从表格或上一次活动建立新活动 · Make a campaign from workbooks or from the last campaign.

    退出码 3：已建立，但表格中有错误待更正 · exit code 3: made, but the workbooks hold mistakes to correct
    """
    with opened(context, as_json, language) as screen:
        from dualrandom.scaffold import new_campaign  # noqa: PLC0415

        screen.stage("读取表格", "reading the files")
        created = new_campaign(folder, sources, language=screen.language)
        screen.end_stage()
        _show(screen, created)
        screen.finish(
            {
                "folder": str(created.folder),
                "plan": str(created.folder / "plan.toml"),
                "libraries": dict(created.libraries),
                "to_fill": list(created.to_fill),
                "problems": [problem_as_json(problem) for problem in created.problems],
            }
        )
        if mistakes(created):
            raise typer.Exit(INCOMPLETE)


def mistakes(created: Created) -> int:
    """Return how many errors the libraries still hold."""
    return sum(problem.severity == "error" for problem in created.problems)


def _show(screen: Screen, created: Created) -> None:
    screen.problems(created.problems)
    plan = created.plan
    screen.fields(
        screen.pick(f"新活动 {created.folder}", f"New campaign {created.folder}"),
        (
            *((kind, kind, file) for kind, file in created.libraries.items()),
            ("检查期间", "period", f"{plan.period[0]} – {plan.period[1]}"),
            ("任务", "tasks", len(plan.tasks)),
            ("信标轮次", "beacon's round", f"{plan.beacon.kind} {plan.beacon.round}"),
            ("随机数产生于", "randomness due", f"{plan.beacon.time:%Y-%m-%d %H:%M} UTC"),
        ),
    )
    path = created.folder / "plan.toml"
    if created.to_fill:
        keys = ", ".join(created.to_fill)
        screen.say(f"请在 {path} 中填写：{keys}", f"Fill in, in {path}: {keys}", style="yellow")
    count = mistakes(created)
    if count:
        screen.say(
            f"名录中有 {count} 处错误（见上表）：请在 {created.folder} 的文件中更正。",
            f"The libraries hold {count} mistakes (see above): correct them in the files of {created.folder}.",
            style="yellow",
        )
    screen.say(
        f"请通读 {path}（比例、期间、上限都是暂定的），然后运行：dualrandom check {created.folder}",
        f"Read {path} through (ratios, period and caps are proposals), then run: dualrandom check {created.folder}",
    )
