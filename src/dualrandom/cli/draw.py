"""``dualrandom draw``: from the announcement and the randomness to the published result."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dualrandom.cli.options import AsJson, Campaign, InLanguage
from dualrandom.cli.rounds import Offline, Relay, Wait, obtain
from dualrandom.cli.screen import Screen, opened

if TYPE_CHECKING:
    from dualrandom.campaign import DrawnSummary


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
    wait: Wait = False,
    relay: Relay = None,
    offline: Offline = False,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """抽取并公布结果；重复运行得到相同的字节 · Draw and publish; running it again gives the same bytes.

    退出码 3：随机数尚未产生；1：--wait 等到结果期限仍未产生 · exit code 3: the randomness is not there yet;
    1: it was not there by the deadline, with --wait
    """
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign import draw as draw_campaign  # noqa: PLC0415

        obtain(screen, campaign, beacon, wait=wait, relays=relay, offline=offline)
        summary = draw_campaign(campaign, beacon_file=beacon, progress=screen.stage)
        screen.end_stage()
        show_drawn(screen, summary)
        show_shortages(screen, summary)
        if summary.repeated:
            screen.say(
                "结果此前已公布，重算所得字节完全相同。",
                "The result was published before; drawing again gave the same bytes.",
            )
        screen.say(
            f"公布：{campaign / 'public'}　供各部门使用：{campaign / 'exports'}",
            f"Published: {campaign / 'public'}   For the departments: {campaign / 'exports'}",
        )
        screen.say(
            f"复核：dualrandom verify {campaign / 'public'}",
            f"Verify it: dualrandom verify {campaign / 'public'}",
        )
        screen.finish(drawn_as_json(summary))


def show_drawn(screen: Screen, summary: DrawnSummary) -> None:
    """Print the figures of a draw."""
    least, median, greatest = summary.load
    load = f"{least}/{median}/{greatest}"
    if summary.crews and not greatest:
        # an embargo keeps the statistics silent about crews
        load = screen.pick("缓公开", "under embargo")
    screen.fields(
        screen.pick("抽取结果", "Result"),
        (
            ("抽取编号", "draw", summary.draw),
            ("种子", "seed", summary.seed),
            ("抽样框（户）", "enterprises", f"{summary.enterprises:,}"),
            ("任务", "tasks", summary.tasks),
            ("上门检查", "visits", f"{summary.visits:,}"),
            ("检查项", "checks", f"{summary.checks:,}"),
            ("合并上门省去", "visits saved by joining", f"{summary.saved:,}"),
            (
                "接近理论最少（占可省户数）",
                "how close to the fewest enterprises possible",
                "–" if summary.closeness is None else f"{float(summary.closeness):.1%}",
            ),
            ("检查组", "crews", f"{summary.crews:,}"),
            (
                "人均检查组（最少/中位/最多）",
                "crews an inspector: least/median/most",
                load,
            ),
            ("未能排期", "visits without a date", summary.undated),
        ),
    )


def show_shortages(screen: Screen, summary: DrawnSummary) -> None:
    """Say why visits found no date, and what would help."""
    if summary.shortages:
        screen.say("未能排期的原因：", "Why visits have no date:", style="bold")
    for zh, en in summary.shortages:
        screen.say(f"· {zh}", f"· {en}")


def drawn_as_json(summary: DrawnSummary) -> dict[str, Any]:
    """Return the figures of a draw for programs."""
    least, median, greatest = summary.load
    return {
        "draw": summary.draw,
        "digest": summary.digest,
        "seed": summary.seed,
        "enterprises": summary.enterprises,
        "tasks": summary.tasks,
        "visits": summary.visits,
        "checks": summary.checks,
        "saved": summary.saved,
        "closeness": None if summary.closeness is None else float(summary.closeness),
        "crews": summary.crews,
        "load": {"least": least, "median": median, "greatest": greatest},
        "undated": summary.undated,
        "shortages": [{"zh": zh, "en": en} for zh, en in summary.shortages],
        "stages": {name: round(seconds, 3) for name, seconds in summary.stages.items()},
        "repeated": summary.repeated,
    }
