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
            help="更正已公布的结果，并写明理由 · correct published findings, and say why",
        ),
    ] = None,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """登记并公布检查结果；更正另立一版，不覆盖 · Publish findings; a correction is a further revision."""
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign import record_findings  # noqa: PLC0415

        screen.stage("登记检查结果", "recording findings")
        recorded = record_findings(campaign, findings, correct)
        screen.end_stage()
        screen.fields(
            screen.pick("检查结果", "Findings"),
            (
                ("抽取编号", "draw", recorded.draw),
                ("表中行数", "rows in the file", recorded.rows),
                ("新登记或更正", "new or corrected", recorded.added),
                ("已公布", "published in all", recorded.published),
            ),
        )
        screen.finish(
            {
                "draw": recorded.draw,
                "rows": recorded.rows,
                "added": recorded.added,
                "published": recorded.published,
            }
        )
