"""``dualrandom reveal``: publish nonces that were committed to, in the log, before the round."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from dualrandom.cli.options import AsJson, Campaign, InLanguage
from dualrandom.cli.screen import opened


def reveal(
    context: typer.Context,
    campaign: Campaign,
    party: Annotated[
        list[str] | None,
        typer.Option(
            "--party",
            metavar="PARTY",
            help="只公开这一方，可重复 · only this party's; may be repeated",
        ),
    ] = None,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """在信标轮次之前公开随机贡献并登记日志 · Publish committed nonces and log them, before the round.

    之后须再运行 cosign · run cosign afterwards
    """
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign import reveal as reveal_nonces  # noqa: PLC0415

        done = reveal_nonces(campaign, datetime.now(UTC), party or ())
        screen.fields(
            screen.pick("随机贡献", "Contributions"),
            (
                ("抽取编号", "draw", done.draw),
                ("现已公开", "revealed now", ", ".join(done.revealed) or "-"),
                ("此前已公开", "revealed before", ", ".join(done.before) or "-"),
                ("随机数不在此处", "nonces that are not here", ", ".join(done.absent) or "-"),
            ),
        )
        if done.revealed:
            screen.say(
                f"请在信标轮次之前运行：dualrandom cosign {campaign}",
                f"Before the round is due, run: dualrandom cosign {campaign}",
            )
        screen.finish(
            {
                "draw": done.draw,
                "revealed": list(done.revealed),
                "before": list(done.before),
                "absent": list(done.absent),
            }
        )
