"""``dualrandom contribute``: a party's own random number, made where the party is; two files to hand over."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Annotated, Literal

import typer

from dualrandom.cli.options import AsJson, InLanguage
from dualrandom.cli.screen import opened
from dualrandom.errors import DualRandomError


def contribute(
    context: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(
            metavar="DIR", help="本方的文件夹，不得交出 · the party's own folder, never handed over"
        ),
    ],
    party: Annotated[str, typer.Option("--party", metavar="ID", help="参与方，与计划一致 · the party")],
    draw: Annotated[
        str | None,
        typer.Option(
            "--draw", metavar="ID", help="为哪次抽取作承诺 · commit for this draw", show_default=False
        ),
    ] = None,
    reveal: Annotated[
        Path | None,
        typer.Option(
            "--reveal",
            metavar="ANNOUNCEMENT",
            exists=True,
            dir_okay=False,
            help="依已公布的 announcement.json 公开 · reveal, given the published announcement.json",
            show_default=False,
        ),
    ] = None,
    suite: Annotated[
        Literal["sha256", "sm3"], typer.Option("--suite", help="计划的散列套件 · the plan's hash suite")
    ] = "sha256",
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """本方自备随机数：公告前交承诺，公告后交公开文件 · A party's own random number: commit before, reveal after.

    无须联网，也无须附加组件 · needs neither network nor extras
    """
    with opened(context, as_json, language) as screen:
        if (draw is None) == (reveal is None):
            raise DualRandomError(
                "commit-or-reveal",
                "",
                {"zh": "是作承诺，还是公开？", "en": "commit, or reveal?"},
                {
                    "zh": "请给出 --draw 抽取编号（承诺）或 --reveal announcement.json（公开），二者之一。",
                    "en": "Give either --draw ID (to commit) or --reveal announcement.json (to reveal).",
                },
            )
        from dualrandom import contribution  # noqa: PLC0415

        if draw is not None:
            path = contribution.commit(folder, draw, party, suite)
            told = contribution.read_contribution(path.read_bytes(), str(path))
            screen.fields(
                screen.pick("承诺", "Commitment"),
                (
                    ("参与方", "party", party),
                    ("抽取编号", "draw", draw),
                    ("承诺值", "commitment", told.commitment),
                    ("公钥", "key", told.key),
                    ("交出", "to hand over", path),
                ),
            )
            screen.say(
                f"只交出 {path.name}；其余文件留在 {folder}，并作备份。公告发布后运行：dualrandom contribute {folder} "
                f"--party {party} --reveal announcement.json",
                f"Hand over {path.name} only; all else stays in {folder}, backed up. When the announcement is published, "
                f"run: dualrandom contribute {folder} --party {party} --reveal announcement.json",
            )
        else:
            assert reveal is not None
            path = contribution.reveal(folder, party, reveal.read_bytes())
            screen.say(
                f"公告中确有本方的承诺。请在信标轮次之前交出 {path}。",
                f"The announcement holds this commitment. Hand over {path} before the round is due.",
            )
        screen.finish(
            {
                "party": party,
                "step": "commit" if draw is not None else "reveal",
                "file": str(path),
                "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            }
        )
