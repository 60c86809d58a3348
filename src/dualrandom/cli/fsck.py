"""``dualrandom fsck``: every fault of a log's folder or of a campaign's."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dualrandom.cli.failures import WRONG, problem_as_json
from dualrandom.cli.options import AsJson, InLanguage
from dualrandom.cli.screen import opened


def fsck(
    context: typer.Context,
    path: Annotated[
        Path,
        typer.Argument(metavar="PATH", help="日志的文件夹，或活动目录 · a log's folder, or a campaign's"),
    ],
    log_policy: Annotated[
        Path | None,
        typer.Option(
            "--log-policy",
            metavar="FILE",
            help="您信任的日志与见证方（C2SP tlog-policy） · the logs and witnesses that you trust",
        ),
    ] = None,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """找出日志或活动目录中的全部损坏；不作更改 · Find every corruption of a log or a campaign; changes nothing.

    退出码 1：有损坏 · exit code 1: something is damaged
    """
    with opened(context, as_json, language, folder=path) as screen:
        from dualrandom.keyring import log_faults  # noqa: PLC0415
        from dualrandom.log.policy import parse_policy  # noqa: PLC0415

        screen.stage("核对", "checking")
        policy = None if log_policy is None else parse_policy(log_policy.read_bytes())
        problems = log_faults(path, policy)
        if problems is None:
            # what follows needs the extra that draws; a log can be checked without it
            from dualrandom.campaign.faults import faults_of  # noqa: PLC0415

            problems = faults_of(path, policy)
        screen.end_stage()
        screen.problems(problems)
        damaged = any(problem.severity == "error" for problem in problems)
        if damaged:
            screen.say("有损坏。", "Something is damaged.", style="bold red")
        else:
            screen.say("未发现损坏。", "No damage was found.", style="green")
        screen.finish(
            {
                "path": str(path),
                "damaged": damaged,
                "problems": [problem_as_json(problem) for problem in problems],
            }
        )
        if damaged:
            raise typer.Exit(WRONG)
