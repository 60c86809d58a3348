"""``dualrandom void``: end an announcement without a result, in public and with a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from dualrandom.cli.options import AsJson, Campaign, InLanguage
from dualrandom.cli.screen import opened


def void(
    context: typer.Context,
    campaign: Campaign,
    reason: Annotated[str, typer.Option("--reason", help="公开的理由 · the reason, which is published")],
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """作废一次公告：什么都不删除，理由公开 · Void an announcement: nothing is deleted, the reason is public.

    再次公告时编号加一，并列出被作废的抽取 · announcing again takes the next number and names the voided draw
    """
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign import void as void_campaign  # noqa: PLC0415

        voided = void_campaign(campaign, reason, datetime.now(UTC))
        path = campaign / "public" / "void.json"
        screen.say(
            f"抽取 {voided.draw} 已作废，理由公布于 {path}；可以修改后重新公告。",
            f"Draw {voided.draw} is void; the reason is published in {path}. Change what must be changed, "
            "then announce again.",
        )
        screen.finish({"draw": voided.draw, "announcement": voided.digest, "reason": voided.reason})
