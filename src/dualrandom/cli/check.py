"""``dualrandom check``: what announcing would refuse or warn about, and what the draw would look like."""

from __future__ import annotations

import typer

from dualrandom.cli.options import AsJson, Campaign, InLanguage
from dualrandom.cli.screen import opened


def check(
    context: typer.Context, campaign: Campaign, as_json: AsJson = False, language: InLanguage = None
) -> None:
    """公告前检查：全部错误和提醒，预计规模 · All errors and warnings, and what the draw will look like."""
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign import load_inputs  # noqa: PLC0415

        load_inputs(campaign)
        screen.finish({})
