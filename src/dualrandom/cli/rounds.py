"""Options of the commands that need a beacon's round, and getting it before they run."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from dualrandom.cli.screen import Screen

if TYPE_CHECKING:
    from dualrandom.relay import Attempt

Wait = Annotated[
    bool,
    typer.Option(
        "--wait", help="等到轮次产生，断网时继续等待 · wait for the round, through an outage of the network"
    ),
]
Relay = Annotated[
    list[str] | None,
    typer.Option(
        "--relay",
        metavar="URL",
        help="drand 中继，可重复，默认为公开的中继 · a drand relay; may be repeated; default: public ones",
        show_default=False,
    ),
]
Offline = Annotated[
    bool, typer.Option("--offline", help="不联网，只用文件 · ask no relay, use the file only")
]


def obtain(
    screen: Screen,
    campaign: Path,
    beacon: Path | None,
    *,
    wait: bool,
    relays: Sequence[str] | None,
    offline: bool,
) -> None:
    """See to it that the evidence of the round that decides next is there, if it can be had.

    Raises DualRandomError ``beacon-overdue``.
    """
    from dualrandom.campaign.fetching import fetch, next_round, wait_for  # noqa: PLC0415
    from dualrandom.relay import RELAYS  # noqa: PLC0415

    needed = next_round(campaign)
    if needed is None:
        return
    if beacon is not None:
        needed = replace(needed, path=beacon)
    asked = () if offline else tuple(relays or RELAYS)
    wanted = needed.wanted
    if wait:
        due = f"{wanted.due:%Y-%m-%d %H:%M:%S} UTC"
        screen.stage(
            f"等待信标 {wanted.kind} 第 {wanted.round} 轮（{due}）",
            f"waiting for {wanted.kind} round {wanted.round}, due {due}",
        )
        wait_for(needed, relays=asked, tell=lambda attempt, pause: _tell(screen, attempt, pause))
        screen.end_stage()
    elif asked and not needed.is_there():
        screen.stage("获取信标", "fetching the beacon's round")
        attempt = fetch(needed, relays=asked)
        screen.end_stage()
        _tell(screen, attempt, None)


def _tell(screen: Screen, attempt: Attempt, pause: float | None) -> None:
    """Say on standard error what was asked in vain, and how long until the next attempt."""
    if attempt.data is not None:
        return
    for relay, zh, en in attempt.failures:
        screen.note(f"{relay}：{zh}", f"{relay}: {en}")
    if pause is not None:
        screen.note(f"{pause:.0f} 秒后再试", f"trying again in {pause:.0f} s")
