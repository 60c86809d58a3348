"""Arguments and options that several commands share."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dualrandom.errors import Language

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
