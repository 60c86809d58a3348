"""``dualrandom explain``: why an enterprise or an inspector was drawn or not; arithmetic to redo by hand."""

from __future__ import annotations

from typing import Annotated

import typer

from dualrandom.cli.options import AsJson, Campaign, InLanguage
from dualrandom.cli.screen import opened


def explain(
    context: typer.Context,
    campaign: Campaign,
    enterprise: Annotated[
        str | None, typer.Option("--enterprise", metavar="ID", help="检查对象的代码 · an enterprise's id")
    ] = None,
    inspector: Annotated[
        str | None, typer.Option("--inspector", metavar="CODE", help="检查人员的编号 · an inspector's code")
    ] = None,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """解释为何抽中或未抽中，可用 sha256sum 重算 · Why drawn or not; redo it with sha256sum."""
    with opened(context, as_json, language, campaign) as screen:
        screen.finish({"enterprise": enterprise, "inspector": inspector})
