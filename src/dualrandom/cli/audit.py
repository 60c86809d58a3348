"""``dualrandom audit fairness``: does this way of drawing give everybody the chance that is announced?"""

from __future__ import annotations

import os
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import Annotated, Any

import typer

from dualrandom.cli.options import AsJson, Campaign, InLanguage
from dualrandom.cli.screen import Screen, opened

PAGE = "fairness.html"


class Subject(Enum):
    """What can be audited."""

    FAIRNESS = "fairness"


def audit(
    context: typer.Context,
    subject: Annotated[Subject, typer.Argument(metavar="fairness", help="审计什么 · what to audit")],
    campaign: Campaign,
    draws: Annotated[
        int, typer.Option("--draws", min=2, max=10_000_000, help="抽取多少次 · how many draws")
    ] = 2000,
    pairings: Annotated[
        int | None,
        typer.Option(
            "--pairings", min=0, help="其中多少次连同配对 · how many of them with crews", show_default=False
        ),
    ] = None,
    workers: Annotated[
        int | None, typer.Option("--workers", min=1, help="进程数 · processes", show_default=False)
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", metavar="FILE", help="网页报告 · the page; default: CAMPAIGN/exports/fairness.html"
        ),
    ] = None,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """公平性审计：用大量种子抽取并检验 · Draw with many seeds and test what comes out.

    退出码 1：抽取方法不公平 · exit code 1: this way of drawing is not fair
    """
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign import load_inputs  # noqa: PLC0415
        from dualrandom.fairness import audit as audit_fairness  # noqa: PLC0415
        from dualrandom.fairness import render_audit  # noqa: PLC0415
        from dualrandom.simulate import outlook  # noqa: PLC0415

        assert subject is Subject.FAIRNESS
        screen.stage("读取计划和名录库", "reading plan and libraries")
        ahead = outlook(load_inputs(campaign))
        screen.stage(f"抽取 {draws} 次", f"drawing {draws} times")
        report = audit_fairness(
            ahead.frozen,
            ahead.document,
            draws,
            pairings=min(draws, 100) if pairings is None else min(draws, pairings),
            workers=workers or os.cpu_count() or 1,
            progress=lambda done: screen.update(f"抽取 {done}/{draws}", f"draw {done}/{draws}"),
        )
        screen.end_stage()
        page = out or campaign / "exports" / PAGE
        page.parent.mkdir(parents=True, exist_ok=True)
        page.write_bytes(render_audit(report, screen.language))
        _show(screen, report, page)
        screen.finish({**report, "page": str(page)})
        if not report["fair"]:
            raise typer.Exit(1)


def _show(screen: Screen, report: Mapping[str, Any], page: Path) -> None:
    pick = screen.pick
    coverage = report["coverage"]
    weakest = report["weakest"]
    screen.fields(
        pick("公平性审计", "Fairness audit"),
        (
            ("抽取次数", "draws", f"{report['draws']:,}"),
            ("检验个数", "tests", f"{report['tests']:,}"),
            ("校正后的 p 值", "p-value, corrected", f"{report['p_value']:.4g}"),
            ("最弱的检验", "weakest test", f"{weakest['test']} {weakest['where']}"),
            ("可抽者", "can be drawn", f"{coverage['drawable']:,}"),
            ("已抽到过", "drawn at least once", f"{coverage['seen']:,}"),
            ("网页报告", "page", str(page)),
        ),
    )
    if report["fair"]:
        screen.say("未发现不公平。", "No unfairness found.", style="green")
    else:
        screen.say("抽取方法不公平。", "This way of drawing is not fair.", style="bold red")
