"""``dualrandom announce``: freeze the lists and publish what is fixed before the randomness exists."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from dualrandom.cli.options import AsJson, Campaign, InLanguage
from dualrandom.cli.screen import opened


def announce(
    context: typer.Context,
    campaign: Campaign,
    rehearsal: Annotated[
        bool,
        typer.Option(
            "--rehearsal", help="演练：允许随机数已公开，结果须注明 · allow a round that is known already"
        ),
    ] = False,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """冻结名录并发布抽取公告 · Freeze the lists and publish the announcement.

    公告之后不能再改；要改，先 void · nothing can be changed afterwards; to change something, void it
    """
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign import announce as announce_campaign  # noqa: PLC0415

        announced = announce_campaign(
            campaign, rehearsal=rehearsal, now=datetime.now(UTC), progress=screen.stage
        )
        screen.end_stage()
        screen.finish({"draw": announced.draw, "digest": announced.digest})
