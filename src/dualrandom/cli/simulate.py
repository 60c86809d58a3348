"""``dualrandom simulate``: what draws with other seeds would look like."""

from __future__ import annotations

from typing import Annotated

import typer

from dualrandom.cli.options import AsJson, Campaign, InLanguage
from dualrandom.cli.screen import opened


def simulate(
    context: typer.Context,
    campaign: Campaign,
    draws: Annotated[
        int, typer.Option("--draws", min=1, max=100_000, help="模拟多少次 · how many draws")
    ] = 20,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """用别的种子试抽，不公布任何东西 · Draw with other seeds; nothing is published."""
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.simulate import simulate as simulate_campaign  # noqa: PLC0415

        simulate_campaign(campaign, draws, screen.stage)
        screen.finish({})
