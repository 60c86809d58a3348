"""Arguments and options that several commands share."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer

from dualrandom.errors import DualRandomError, Language

Campaign = Annotated[
    Path,
    typer.Argument(
        metavar="CAMPAIGN", help="抽查活动的目录（含 plan.toml） · the campaign's folder (with plan.toml)"
    ),
]
AsJson = Annotated[
    bool,
    typer.Option("--json", help="只向标准输出写一个 JSON 对象 · print one JSON object on standard output"),
]
InLanguage = Annotated[
    Language | None,
    typer.Option("--language", help="语言：zh 中文，en 英文 · language of the texts", show_default=False),
]
Now = Annotated[
    str | None,
    typer.Option(
        "--now",
        metavar="INSTANT",
        help="以此为现在，默认本机时钟 · count this as now",
        show_default=False,
    ),
]


def instant_of(text: str | None) -> datetime:
    """Return the instant that ``--now`` names, else this machine's. Raises DualRandomError ``bad-instant``."""
    if text is None:
        return datetime.now(UTC)
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        instant = None
    if instant is None or instant.tzinfo is None:
        raise DualRandomError(
            "bad-instant",
            text,
            {"zh": f"{text} 不是带时区的时刻", "en": f"{text} is no instant with a time zone"},
            {"zh": "例如 2026-11-30T18:00:00+08:00。", "en": "For instance 2026-11-30T18:00:00+08:00."},
        )
    return instant
