"""``dualrandom record``: publish findings."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dualrandom.cli.options import AsJson, Campaign, InLanguage
from dualrandom.cli.screen import opened


def record(
    context: typer.Context,
    campaign: Campaign,
    findings: Annotated[
        Path,
        typer.Argument(metavar="FINDINGS", help="填好的检查结果表 · the workbook of findings, filled in"),
    ],
    correct: Annotated[
        str | None,
        typer.Option(
            "--correct",
            metavar="REASON",
            help="更正已公布的结果及其理由 · correct published findings, and why",
        ),
    ] = None,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """登记并公布检查结果；更正另立一版，不覆盖 · Publish findings; a correction is a further revision."""
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign import record_findings  # noqa: PLC0415

        record_findings(campaign, findings, correct)
        screen.finish({"recorded": True})
