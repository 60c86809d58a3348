"""``dualrandom estimate``: what the findings say about all enterprises, not only those that were drawn."""

from __future__ import annotations

from typing import Annotated

import typer

from dualrandom.cli.options import AsJson, Campaign, InLanguage
from dualrandom.cli.screen import opened


def estimate(
    context: typer.Context,
    campaign: Campaign,
    confidence: Annotated[
        float, typer.Option("--confidence", min=0.5, max=0.999, help="置信水平 · confidence level")
    ] = 0.95,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """由检查结果估计违规率及置信区间 · Rates of violation from the findings, with confidence intervals.

    按信用风险分类的数字属内部信息 · figures by credit class are internal
    """
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign.estimating import estimate_campaign  # noqa: PLC0415
        from dualrandom.estimate import render_estimate  # noqa: PLC0415

        screen.stage("读取公示记录和检查结果", "reading the record and its findings")
        document, labels = estimate_campaign(campaign, confidence)
        screen.end_stage()
        if not as_json:
            typer.echo(render_estimate(document, screen.language, labels), nl=False)
        screen.finish(document)
