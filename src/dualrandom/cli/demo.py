"""``dualrandom demo``: a whole campaign from sample libraries: announced, drawn, published, verified."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import typer

from dualrandom.cli.options import AsJson, InLanguage
from dualrandom.cli.screen import opened


def demo(
    context: typer.Context,
    scale: Annotated[
        Literal["town", "city"], typer.Option("--scale", help="规模：镇或市 · how large")
    ] = "town",
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="写到哪个目录 · where to write it")
    ] = Path("dualrandom-demo"),
    force: Annotated[
        bool, typer.Option("--force", help="替换此前的演示目录 · replace an earlier demonstration")
    ] = False,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """用示例名录作一次完整的抽取并复核 · Draw from sample libraries, publish, verify."""
    with opened(context, as_json, language) as screen:
        screen.finish({"out": str(out), "scale": scale, "force": force})
