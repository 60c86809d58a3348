"""``dualrandom announce``: freeze the lists and publish what is fixed before the randomness exists."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dualrandom.cli.failures import problem_as_json
from dualrandom.cli.options import AsJson, Campaign, InLanguage
from dualrandom.cli.screen import Screen, opened
from dualrandom.errors import DualRandomError

if TYPE_CHECKING:
    from dualrandom.campaign import Announced


def announce(
    context: typer.Context,
    campaign: Campaign,
    rehearsal: Annotated[
        bool,
        typer.Option(
            "--rehearsal", help="演练：允许随机数已公开，结果须注明 · allow a round that is known already"
        ),
    ] = False,
    backup: Annotated[
        Path | None,
        typer.Option(
            "--backup",
            metavar="DIR",
            help="先把 private/ 备份到活动目录之外 · back private/ up first, outside the campaign",
            show_default=False,
        ),
    ] = None,
    no_backup: Annotated[
        bool,
        typer.Option("--no-backup", help="自行负责备份 private/ · you see to a backup of private/ yourself"),
    ] = False,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """冻结名录并发布抽取公告 · Freeze the lists and publish the announcement.

    公告之后不能再改；要改，先 void。private/ 丢失，抽取即须作废，故须备份 · nothing can be changed afterwards; to change
    something, void it. A lost private/ voids the draw, so back it up
    """
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign import announce as announce_campaign  # noqa: PLC0415

        if backup is None and not no_backup and not rehearsal:
            _require_backup(campaign)
        announced = announce_campaign(
            campaign, rehearsal=rehearsal, now=datetime.now(UTC), progress=screen.stage, backup=backup
        )
        screen.end_stage()
        screen.problems(announced.warnings)
        show_announced(screen, announced, campaign)
        screen.finish(announced_as_json(announced))


def _require_backup(campaign: Path) -> None:
    """Insist on a backup before a draw that counts. Raises DualRandomError ``backup-missing``.

    Trials with local randomness need none; what announcing would refuse anyway it refuses itself.
    """
    from dualrandom.campaign.state import state_of_folder  # noqa: PLC0415
    from dualrandom.ceremony import Phase  # noqa: PLC0415
    from dualrandom.policy.reader import read_plan  # noqa: PLC0415

    plan = read_plan(campaign / "plan.toml").plan
    if plan is None or plan.beacon.kind == "local" or plan.beacon.time <= datetime.now(UTC):
        return
    if state_of_folder(campaign).phase not in {Phase.DRAFTED, Phase.VOID}:
        return
    raise DualRandomError(
        "backup-missing",
        str(campaign / "private"),
        {
            "zh": "尚未指定 private/ 的备份：丢失它，抽取既不能完成也不能审计，只能以此为由公开作废",
            "en": "no backup of private/ was named: if it is lost the draw can be neither finished nor audited, and must "
            "be voided in public for this reason",
        },
        {
            "zh": "加上 --backup 目录（另一块磁盘或另一台机器）；已另有备份办法的，用 --no-backup。",
            "en": "Add --backup DIR (another disk, another machine), or --no-backup if it is backed up otherwise.",
        },
    )


def show_announced(screen: Screen, announced: Announced, campaign: Path) -> None:
    """Print what was announced and where."""
    expected = f"{float(announced.expected_checks):.1f}"
    screen.fields(
        screen.pick("抽取公告", "Announcement"),
        (
            ("抽取编号", "draw", announced.draw),
            ("公告摘要", "digest", announced.digest),
            ("抽样框（户）", "enterprises in the frame", f"{announced.frame_size:,}"),
            ("检查人员名录（人）", "inspectors in the roster", announced.roster_size),
            ("任务", "tasks", announced.tasks),
            ("可检查日", "days for visits", announced.days),
            ("预计抽中（各任务合计）", "expected selections, all tasks", expected),
        ),
    )
    public = campaign / "public"
    screen.say(
        f"请把 {public} 整个公布，并尽量广泛地公开上面的摘要：随机数产生之后，它证明名录没有改过。",
        f"Publish the whole of {public}, and spread the digest above: once the randomness is out, "
        "it proves that nothing was changed.",
    )


def announced_as_json(announced: Announced) -> dict[str, Any]:
    """Return what was announced for programs."""
    return {
        "draw": announced.draw,
        "digest": announced.digest,
        "enterprises": announced.frame_size,
        "inspectors": announced.roster_size,
        "tasks": announced.tasks,
        "days": announced.days,
        "expected_selections": str(announced.expected_checks),
        "warnings": [problem_as_json(problem) for problem in announced.warnings],
    }
