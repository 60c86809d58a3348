"""``dualrandom cosign``: have witnesses cosign the log, and keep what they saw before the round."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

import typer

from dualrandom.cli.failures import INCOMPLETE
from dualrandom.cli.options import AsJson, Campaign, InLanguage
from dualrandom.cli.screen import Screen, opened

if TYPE_CHECKING:
    from dualrandom.campaign import Cosigned


def cosign(
    context: typer.Context, campaign: Campaign, as_json: AsJson = False, language: InLanguage = None
) -> None:
    """请见证方共签日志；抽取之前留存为 announced.checkpoint · Ask the witnesses to cosign the log.

    退出码 3：见证方不足法定数 · exit code 3: too few witnesses cosigned
    """
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign import cosign as cosign_log  # noqa: PLC0415

        screen.stage("请见证方共签", "asking the witnesses")
        done = cosign_log(campaign)
        screen.end_stage()
        show_cosigned(screen, done)
        screen.finish(cosigned_as_json(done))
        if done.quorum is False:
            raise typer.Exit(INCOMPLETE)


def show_cosigned(screen: Screen, done: Cosigned) -> None:
    """Print who cosigned what, and why others did not."""
    screen.fields(
        screen.pick("共签", "Cosignatures"),
        (
            ("抽取编号", "draw", done.draw),
            ("日志条目", "entries of the log", done.size),
            *((name, name, _instant(time)) for name, time in sorted(done.cosigned.items())),
        ),
    )
    for failure in done.failures:
        screen.say(f"· {failure.message('zh')}", f"· {failure.message('en')}", style="yellow")
        screen.say(f"  {failure.remedy('zh')}", f"  {failure.remedy('en')}")
    if done.quorum is None:
        screen.say(
            "没有配置见证方：日志只由其自身密钥签署。",
            "No witness is asked for: the log is signed by its own key only.",
            style="yellow",
        )
    if done.kept:
        screen.say(
            "已留存为 public/announced.checkpoint：公告与已公开的随机数先于信标轮次。",
            "Kept as public/announced.checkpoint: announcement and revealed nonces came before the round.",
        )
    for number in done.exclusions:
        screen.say(
            f"已留存为 public/exclusions/{number}.checkpoint：第 {number} 行的排除先于决定递补的轮次。",
            f"Kept as public/exclusions/{number}.checkpoint: the exclusion of row {number} came before its round.",
        )


def cosigned_as_json(done: Cosigned) -> dict[str, Any]:
    """Return who cosigned for programs."""
    return {
        "draw": done.draw,
        "size": done.size,
        "cosigned": {name: _instant(time) for name, time in sorted(done.cosigned.items())},
        "failures": [
            {
                "code": one.code,
                "value": one.value,
                "message": {"zh": one.message("zh"), "en": one.message("en")},
                "remedy": {"zh": one.remedy("zh"), "en": one.remedy("en")},
            }
            for one in done.failures
        ],
        "quorum": done.quorum,
        "kept": done.kept,
        "exclusions": list(done.exclusions),
    }


def _instant(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")
