"""``dualrandom progress``: what each task has done this year and owes, and what it will miss at this pace."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dualrandom.cli.options import AsJson, Campaign, InLanguage
from dualrandom.cli.screen import Screen, opened

if TYPE_CHECKING:
    from dualrandom.campaign import Inputs
    from dualrandom.year import Progress

WORST = 20
"""Sentences at most; the table has them all."""


def progress(
    context: typer.Context,
    campaign: Campaign,
    task: Annotated[
        str | None, typer.Option("--task", help="只看一个任务 · one task only", show_default=False)
    ] = None,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """年度进度：应查、已查、预计缺口 · The year to date: owed, done, and what will be missed."""
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign import load_inputs  # noqa: PLC0415
        from dualrandom.errors import DualRandomError  # noqa: PLC0415
        from dualrandom.year import missed  # noqa: PLC0415
        from dualrandom.year import progress as year  # noqa: PLC0415

        screen.stage("读取计划和名录库", "reading plan and libraries")
        inputs = load_inputs(campaign)
        known = [one.id for one in inputs.plan.tasks if one.mode == "own"]
        if task is not None and task not in known:
            raise DualRandomError(
                "unknown-task",
                task,
                {"zh": f"没有自行抽取的任务 {task}", "en": f"there is no task {task} that draws for itself"},
                {"zh": f"可用：{'、'.join(known)}", "en": f"Known: {', '.join(known)}"},
            )
        screen.stage("统计", "counting")
        rows = [row for row in year(inputs.plan, inputs.libraries) if task in (None, row.task)]
        short = missed(rows)
        screen.end_stage()
        _show(screen, inputs, rows, short)
        screen.finish(
            {
                "year": inputs.plan.year,
                "until": inputs.plan.period[0].isoformat(),
                "months_left": inputs.plan.months_left,
                "rows": [_as_json(inputs, row) for row in rows],
            }
        )


def _as_json(inputs: Inputs, row: Progress) -> dict[str, Any]:
    zh, en = sentence(inputs, row) if row.short else (None, None)
    return {
        "task": row.task,
        "class": row.credit_class,
        "district": row.district,
        "whole": row.whole,
        "eligible": row.eligible,
        "target": str(row.target),
        "done": row.done,
        "recognised": row.recognised,
        "forecast": row.forecast,
        "short": row.short,
        "sentence": None if zh is None else {"zh": zh, "en": en},
    }


def sentence(inputs: Inputs, row: Progress) -> tuple[str, str]:
    """Say in Chinese and English what will be missed."""
    names = {district.id: (district.name, district.name_en) for district in inputs.plan.districts}
    zh, en = names.get(row.district, (row.district, row.district))
    return (
        f"{row.task}：{zh}，{row.credit_class} 类：到 12 月将缺 {row.short} 户次",
        f"{row.task}: {en}, class {row.credit_class}: {row.short} short by December",
    )


def _show(screen: Screen, inputs: Inputs, rows: list[Progress], short: tuple[Progress, ...]) -> None:
    pick = screen.pick
    screen.table(
        pick(
            f"{inputs.plan.year} 年至 {inputs.plan.period[0]} 前的进度",
            f"{inputs.plan.year} until {inputs.plan.period[0]}",
        ),
        (
            pick("任务", "task"),
            pick("分类", "class"),
            pick("区划", "district"),
            pick("范围内", "in scope"),
            pick("可抽", "can be drawn"),
            pick("全年应查", "owed a year"),
            pick("已查", "done"),
            pick("互认", "recognised"),
            pick("预计全年", "forecast"),
            pick("预计缺口", "short"),
        ),
        [
            (
                row.task,
                row.credit_class,
                row.district,
                f"{row.whole:,}",
                f"{row.eligible:,}",
                f"{float(row.target):,.1f}",
                f"{row.done:,}",
                f"{row.recognised:,}" if row.recognised else "–",
                f"{row.forecast:,}",
                f"{row.short:,}" if row.short else "–",
            )
            for row in rows
        ],
    )
    if not short:
        screen.say("照此进度，全年没有缺口。", "At this pace nothing will be missed.")
        return
    screen.say("照此进度：", "At this pace:", style="bold")
    for row in short[:WORST]:
        screen.say(*sentence(inputs, row))
    if len(short) > WORST:
        screen.say(
            f"另有 {len(short) - WORST} 处缺口，见上表。", f"{len(short) - WORST} more; the table has them."
        )
