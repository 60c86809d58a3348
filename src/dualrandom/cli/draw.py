"""``dualrandom draw``: from the announcement and the randomness to the published result."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dualrandom.cli.options import AsJson, Campaign, InLanguage
from dualrandom.cli.screen import opened


def draw(
    context: typer.Context,
    campaign: Campaign,
    beacon: Annotated[
        Path | None,
        typer.Option(
            "--beacon",
            metavar="FILE",
            help="信标的证据，默认为活动目录中的 beacon.json · evidence; default: CAMPAIGN/beacon.json",
        ),
    ] = None,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """抽取并公布结果；重复运行得到相同的字节 · Draw and publish; running it again gives the same bytes."""
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign import draw as draw_campaign  # noqa: PLC0415

        summary = draw_campaign(campaign, beacon_file=beacon, progress=screen.stage)
        screen.end_stage()
        screen.finish({"draw": summary.draw, "digest": summary.digest})
