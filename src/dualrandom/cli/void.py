"""``dualrandom void``: end an announcement without a result, in public and with a reason."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from dualrandom.cli.options import AsJson, Campaign, InLanguage
from dualrandom.cli.screen import opened
from dualrandom.errors import DualRandomError


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
        if not reason.strip():
            raise DualRandomError(
                "no-reason",
                reason,
                {"zh": "作废必须写明理由", "en": "a draw is not voided without a reason"},
                {"zh": "请用 --reason 写明理由，它会公开。", "en": "Give --reason; it is published."},
            )
        from dualrandom.campaign import void as void_campaign  # noqa: PLC0415

        void_campaign(campaign, reason.strip(), datetime.now(UTC))
        screen.say(
            f"已作废，理由已公布于 {campaign / 'public' / 'void.json'}",
            f"Voided; the reason is published in {campaign / 'public' / 'void.json'}",
        )
        screen.finish({"voided": True, "reason": reason.strip()})
