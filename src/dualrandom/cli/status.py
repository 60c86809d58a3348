"""``dualrandom status``: how far a campaign's draw has come, what comes next, and which deadline has passed."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dualrandom.cli.failures import WRONG
from dualrandom.cli.options import AsJson, Campaign, InLanguage, Now, instant_of
from dualrandom.cli.screen import Screen, opened

if TYPE_CHECKING:
    from dualrandom.ceremony import Ceremony

PHASES = {
    "DRAFTED": ("草拟", "drafted"),
    "ANNOUNCED": ("已公告", "announced"),
    "WAITING": ("等待信标", "waiting for the round"),
    "SEEDED": ("种子已定", "seeded"),
    "DRAWN": ("已抽取，未发布", "drawn, not published"),
    "PUBLISHED": ("已发布", "published"),
    "EXECUTING": ("执行中", "executing"),
    "CLOSED": ("已办结", "closed"),
    "VOID": ("已作废", "void"),
}
NEXT = {
    "DRAFTED": ("dualrandom check，然后 dualrandom announce", "dualrandom check, then dualrandom announce"),
    "ANNOUNCED": (
        "轮次之前：dualrandom reveal，然后 dualrandom cosign",
        "before the round: dualrandom reveal, then dualrandom cosign",
    ),
    "WAITING": ("dualrandom draw --wait", "dualrandom draw --wait"),
    "SEEDED": ("再次运行 dualrandom draw", "dualrandom draw again"),
    "DRAWN": ("再次运行 dualrandom draw", "dualrandom draw again"),
    "PUBLISHED": ("检查之后：dualrandom record", "after the visits: dualrandom record"),
    "EXECUTING": (
        "dualrandom record，直至每个检查项都有结果；有待递补的：dualrandom substitute",
        "dualrandom record until each check has its finding; dualrandom substitute for what is pending",
    ),
    "CLOSED": ("无；更正用 dualrandom record --correct", "nothing; to correct, dualrandom record --correct"),
    "VOID": ("dualrandom announce 重新公告", "dualrandom announce, under the next number"),
}
DEADLINES = {
    "reveal": ("公开随机数", "nonces"),
    "result": ("结果", "result"),
    "findings": ("检查结果", "findings"),
}


def status(
    context: typer.Context,
    campaign: Campaign,
    now: Now = None,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """进行到哪一步、下一步是什么、是否逾期 · How far it has come, what comes next, what is overdue.

    退出码 1：有期限已过 · exit code 1: a deadline has passed
    """
    with opened(context, as_json, language, campaign) as screen:
        import json  # noqa: PLC0415

        from dualrandom.campaign.state import overdue, state_of_folder  # noqa: PLC0415
        from dualrandom.ceremony import Phase  # noqa: PLC0415

        moment = instant_of(now)
        ceremony = state_of_folder(campaign)
        document: dict[str, Any] | None = None
        if ceremony.phase is not Phase.DRAFTED:
            document = json.loads((campaign / "public" / "announcement.json").read_bytes())
        late = () if document is None else overdue(ceremony, document, moment)
        deadlines = {} if document is None else dict(document["deadlines"])
        withdrawn = _withdrawn(campaign) if Phase.PUBLISHED <= ceremony.phase < Phase.VOID else []
        _show(screen, ceremony, deadlines, {one.deadline for one in late}, withdrawn)
        screen.finish(
            {
                "phase": ceremony.phase.name.lower(),
                "draw": ceremony.draw_id or None,
                "announcement": ceremony.digest or None,
                "parties": sorted(ceremony.parties),
                "revealed": sorted(ceremony.revealed),
                "due": None if document is None else document["beacon"]["time"],
                "deadlines": deadlines,
                "overdue": [one.deadline for one in late],
                "withdrawn": withdrawn,
                "next": dict(zip(("zh", "en"), NEXT[ceremony.phase.name], strict=True)),
            }
        )
        if late:
            raise typer.Exit(WRONG)


def _withdrawn(folder: Path) -> list[dict[str, Any]]:
    """Return the departments that withdrew, with the number of crews that it left unfilled (docs/protocol.md §13.4)."""
    from dualrandom.campaign import Campaign  # noqa: PLC0415
    from dualrandom.campaign.publishing import full_result, published_changes  # noqa: PLC0415
    from dualrandom.changes import unfilled_crews  # noqa: PLC0415

    rows = published_changes(Campaign(folder))
    left = [row for row in rows if row["type"] == "withdraw"]
    if not left:
        return []
    unfilled = unfilled_crews(full_result(Campaign(folder)), rows)
    return [
        {
            "department": row["department"],
            "from": row["from"],
            "reason": row["reason"],
            "unfilled": len(unfilled[row["department"]]),
        }
        for row in left
    ]


def _show(
    screen: Screen,
    ceremony: Ceremony,
    deadlines: dict[str, str],
    late: set[str],
    withdrawn: list[dict[str, Any]],
) -> None:
    from dualrandom.changes import WITHDRAWALS  # noqa: PLC0415

    pick = screen.pick
    passed = pick("（已过）", " (passed)")
    screen.fields(
        pick("进度", "Progress"),
        (
            ("阶段", "phase", pick(*PHASES[ceremony.phase.name])),
            ("抽取编号", "draw", ceremony.draw_id or "–"),
            ("公告摘要", "digest", ceremony.digest or "–"),
            ("参与方", "parties", ", ".join(sorted(ceremony.parties)) or "–"),
            ("其中已公开登记", "of them revealed in the log", ", ".join(sorted(ceremony.revealed)) or "–"),
            *(
                (
                    f"期限：{DEADLINES[name][0]}",
                    f"deadline: {DEADLINES[name][1]}",
                    time + (passed if name in late else ""),
                )
                for name, time in sorted(deadlines.items(), key=lambda item: item[1])
            ),
            *(
                (
                    f"部门 {one['department']} 已退出",
                    f"department {one['department']} withdrew",
                    pick(
                        f"自 {one['from']} 起，{one['unfilled']} 个检查组空缺，理由：{WITHDRAWALS[one['reason']].zh}",
                        f"from {one['from']} on, unfilled crews: {one['unfilled']}; {WITHDRAWALS[one['reason']].en}",
                    ),
                )
                for one in withdrawn
            ),
            ("下一步", "next", pick(*NEXT[ceremony.phase.name])),
        ),
    )
    if late:
        screen.say("有期限已过。", "A deadline has passed.", style="bold red")
