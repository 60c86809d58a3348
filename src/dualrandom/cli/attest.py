"""``dualrandom attest``: the auditor checks everything with the openings, and signs it."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dualrandom.cli.options import AsJson, Campaign, InLanguage
from dualrandom.cli.screen import opened
from dualrandom.cli.verify import report_as_json, show_report


def attest(
    context: typer.Context,
    campaign: Campaign,
    key: Annotated[
        Path, typer.Option("--key", metavar="FILE", help="审计方的密钥文件 · the auditor's key file")
    ],
    log_policy: Annotated[
        Path | None,
        typer.Option(
            "--log-policy",
            metavar="FILE",
            help="您信任的日志与见证方 · the logs and witnesses that you trust",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """审计方用封存材料全面核对并签名证明 · The auditor checks everything with the openings and signs it.

    有一项不通过就不签 · nothing is signed if a check fails
    """
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign.attesting import attest as attest_campaign  # noqa: PLC0415

        policy = None
        if log_policy is not None:
            from dualrandom.log.policy import parse_policy  # noqa: PLC0415

            policy = parse_policy(log_policy.read_bytes())
        done = attest_campaign(campaign, key, log_policy=policy, progress=screen.stage)
        screen.end_stage()
        show_report(screen, done.report)
        path = campaign / "public" / "attest.json"
        screen.say(
            f"审计方 {done.auditor} 已签名证明抽取 {done.draw}，公布于 {path}。",
            f"{done.auditor} attests draw {done.draw}; published in {path}.",
        )
        screen.finish(
            {"draw": done.draw, "auditor": done.auditor, "attest": done.digest, "file": str(path)}
            | {"report": report_as_json(done.report)}
        )
