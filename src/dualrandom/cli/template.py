"""``dualrandom template``: blank workbooks to fill in."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from dualrandom.cli.options import AsJson, InLanguage
from dualrandom.cli.screen import opened


def template(
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="写到哪个目录 · where to write them")],
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """写出空白表格（带下拉选项和示例） · Write blank workbooks with drop-downs and examples."""
    with opened(context, as_json, language) as screen:
        from dualrandom.registry.templates import write_templates  # noqa: PLC0415

        written = write_templates(folder, screen.language)
        screen.say(f"表格已写入 {folder}：", f"The workbooks are in {folder}:")
        for path in written:
            screen.say(f"  {path.name}", f"  {path.name}")
        screen.say(
            f"填好后运行：dualrandom new 活动目录 --from {folder}/*.xlsx",
            f"Fill them in, then run: dualrandom new CAMPAIGN --from {folder}/*.xlsx",
        )
        screen.finish({"folder": str(folder), "files": [path.name for path in written]})
