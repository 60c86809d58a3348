"""``dualrandom fsck``: every fault of a log's folder, of a campaign's, or of a service's database."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dualrandom.cli.failures import WRONG, problem_as_json
from dualrandom.cli.options import AsJson, InLanguage
from dualrandom.cli.screen import opened

if TYPE_CHECKING:
    from dualrandom.errors import Problem
    from dualrandom.log.policy import Policy


def fsck(
    context: typer.Context,
    path: Annotated[
        str,
        typer.Argument(
            metavar="PATH",
            help="日志的文件夹、活动目录或数据库地址 · a log's folder, a campaign's, or a database's URL",
        ),
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
    """找出日志、活动目录或数据库中的全部损坏；不作更改 · Find every corruption of a log, a campaign or a database.

    数据库：sqlite:///文件 或 postgresql://…，服务密钥取自 DUALRANDOM_SERVICE_KEY · a database needs the service's key in that variable.
    退出码 1：有损坏 · exit code 1: something is damaged
    """
    is_database = "://" in path
    with opened(context, as_json, language, folder=None if is_database else Path(path)) as screen:
        from dualrandom.log.policy import parse_policy  # noqa: PLC0415

        screen.stage("核对", "checking")
        policy = None if log_policy is None else parse_policy(log_policy.read_bytes())
        problems = _of_database(path, policy) if is_database else _of_folder(Path(path), policy)
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


def _of_folder(path: Path, policy: Policy | None) -> tuple[Problem, ...]:
    from dualrandom.keyring import log_faults  # noqa: PLC0415

    problems = log_faults(path, policy)
    if problems is not None:
        return problems
    # what follows needs the extra that draws; a log can be checked without it
    from dualrandom.campaign.faults import faults_of  # noqa: PLC0415

    return faults_of(path, policy)


def _of_database(url: str, policy: Policy | None) -> tuple[Problem, ...]:
    from dualrandom.store.blobs import SERVICE_KEY, Vault  # noqa: PLC0415
    from dualrandom.store.fsck import database_faults, existing_database  # noqa: PLC0415

    key = os.environ.get(SERVICE_KEY)
    database = existing_database(url)
    try:
        return database_faults(database, Vault.from_text(key) if key else None, policy)
    finally:
        database.close()
