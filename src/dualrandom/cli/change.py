"""``dualrandom exclude``, ``substitute``, ``replace`` and ``withdraw``: changes after the draw, computed and published."""

from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dualrandom.cli.options import AsJson, Campaign, InLanguage, Now, instant_of
from dualrandom.cli.rounds import Offline, Relay, Wait, obtain
from dualrandom.cli.screen import Screen, opened
from dualrandom.errors import DualRandomError

if TYPE_CHECKING:
    from dualrandom.campaign import Change
    from dualrandom.substitution import NamedRound

Reason = Annotated[
    str, typer.Option("--reason", metavar="CODE", help="理由代码，将公布 · reason code; it is published")
]
Evidence = Annotated[
    Path | None,
    typer.Option(
        "--evidence",
        metavar="FILE",
        exists=True,
        dir_okay=False,
        help="证明文件，只公布其 SHA-256 · a file that proves it; only its SHA-256 is published",
    ),
]


def exclude(
    context: typer.Context,
    campaign: Campaign,
    enterprise: Annotated[str, typer.Option("--enterprise", metavar="ID", help="检查对象 · the enterprise")],
    reason: Reason,
    evidence: Evidence = None,
    round_: Annotated[
        str | None,
        typer.Option(
            "--round",
            metavar="ID",
            help="决定递补的将来一期公开号码（仅 keystring 信标） · the later round that decides (keystring only)",
        ),
    ] = None,
    round_time: Annotated[
        str | None,
        typer.Option(
            "--round-time",
            metavar="INSTANT",
            help="该期产生的时刻，如 2026-11-03T13:15:00Z · when that round is due",
        ),
    ] = None,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """排除一个已抽中的检查对象；由之后的随机数决定递补 · Take a drawn enterprise out; later randomness finds its substitute.

    结果文件不变，changes.jsonl 追加一行 · result.json stays, changes.jsonl gains a row
    """
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign import exclude as exclude_enterprise  # noqa: PLC0415

        screen.stage("排除检查对象", "excluding an enterprise")
        named = _named(round_, round_time)
        change = exclude_enterprise(campaign, enterprise, reason, evidence, datetime.now(UTC), named)
        screen.end_stage()
        show(screen, change)
        beacon = change.row["beacon"]
        if beacon is not None:
            screen.say(
                f"递补由第 {beacon['round']} 轮决定，于 {beacon['time']} 产生；之后运行 dualrandom substitute。",
                f"Round {beacon['round']}, due at {beacon['time']}, decides the substitute; then run dualrandom substitute.",
            )
            if (campaign / "public" / "log").exists():
                screen.say(
                    f"有见证方的，请在此之前运行：dualrandom cosign {campaign}",
                    f"With witnesses, run before that: dualrandom cosign {campaign}",
                )
        screen.finish(as_object(change))


def substitute(
    context: typer.Context,
    campaign: Campaign,
    beacon: Annotated[
        Path | None,
        typer.Option(
            "--beacon",
            metavar="FILE",
            help="排除时所指轮次的证据，默认 beacon-<轮次>.json · evidence of the round that the exclusion named",
        ),
    ] = None,
    wait: Wait = False,
    relay: Relay = None,
    offline: Offline = False,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """计算最早一个待递补的排除由谁递补 · Compute the substitute of the oldest exclusion that waits for one.

    退出码 3：随机数尚未产生 · exit code 3: the randomness is not there yet
    """
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign import substitute as substitute_enterprise  # noqa: PLC0415

        obtain(screen, campaign, beacon, wait=wait, relays=relay, offline=offline)
        screen.stage("计算递补", "computing the substitute")
        change = substitute_enterprise(campaign, beacon)
        screen.end_stage()
        show(screen, change)
        screen.finish(as_object(change))


def replace(
    context: typer.Context,
    campaign: Campaign,
    enterprise: Annotated[str, typer.Option("--enterprise", metavar="ID", help="检查对象 · the enterprise")],
    inspector: Annotated[
        str,
        typer.Option(
            "--inspector", metavar="CODE", help="不能到场的检查人员 · the inspector who cannot come"
        ),
    ],
    reason: Reason,
    part: Annotated[
        int, typer.Option("--part", metavar="N", min=1, help="第几次上门 · which visit to the enterprise")
    ] = 1,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """替换一名检查人员：由调整后签号最小者接替 · Replace an inspector: the smallest adjusted number comes.

    结果文件不变，changes.jsonl 追加一行 · result.json stays, changes.jsonl gains a row
    """
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign import replace_inspector  # noqa: PLC0415

        screen.stage("替换检查人员", "replacing an inspector")
        change = replace_inspector(campaign, enterprise, part, inspector, reason, datetime.now(UTC))
        screen.end_stage()
        show(screen, change)
        screen.finish(as_object(change))


def withdraw(
    context: typer.Context,
    campaign: Campaign,
    department: Annotated[
        str, typer.Argument(metavar="DEPARTMENT", help="退出的部门 · the department that withdraws")
    ],
    since: Annotated[
        str,
        typer.Option(
            "--from",
            metavar="DAY",
            help="自哪一个公告的检查日期起，如 2026-11-03 · the announced day from which on it does not come",
        ),
    ],
    reason: Reason,
    evidence: Evidence = None,
    now: Now = None,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """登记一个部门退出：其检查组空缺，其他人不变 · Let a department withdraw: its crews are unfilled, nobody else moves.

    结果文件不变，changes.jsonl 追加一行 · result.json stays, changes.jsonl gains a row
    """
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign import withdraw as withdraw_department  # noqa: PLC0415

        screen.stage("登记部门退出", "withdrawing a department")
        day = _day(since)
        change = withdraw_department(campaign, department, day, reason, evidence, instant_of(now))
        screen.end_stage()
        show(screen, change)
        screen.finish(as_object(change))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise DualRandomError(
            code="bad-date",
            value=text,
            message={"zh": f"{text} 不是日期", "en": f"{text} is no date"},
            remedy={"zh": "例如 --from 2026-11-03。", "en": "For instance --from 2026-11-03."},
        ) from None


def _named(round_: str | None, time: str | None) -> NamedRound | None:
    from dualrandom.substitution import NamedRound  # noqa: PLC0415

    if round_ is None and time is None:
        return None
    try:
        due = datetime.fromisoformat(time or "")
    except ValueError:
        due = None
    if round_ is None or due is None or due.tzinfo is None:
        raise DualRandomError(
            code="round-not-named",
            value=f"{round_} {time}",
            message={
                "zh": "--round 与 --round-time 须同时给出，时刻须带时区",
                "en": "--round and --round-time go together, and the instant needs its offset",
            },
            remedy={
                "zh": "例如 --round 2026-11-03 --round-time 2026-11-03T21:15:00+08:00。",
                "en": "For instance --round 2026-11-03 --round-time 2026-11-03T21:15:00+08:00.",
            },
        )
    return NamedRound(round_, due.astimezone(UTC))


def show(screen: Screen, change: Change) -> None:
    """Print one change, the counts and what is unusual."""
    from dualrandom.changes import EXCLUSIONS, REPLACEMENTS, WITHDRAWALS  # noqa: PLC0415

    row, names = change.row, change.names

    def named(identifier: str | None) -> str:
        if identifier is None:
            return screen.pick("该层已无可递补者", "nobody left in the stratum")
        name = names.get(identifier, identifier)
        return identifier if name == identifier else f"{identifier} {name}"

    fields: list[tuple[str, str, Any]] = [
        ("抽取编号", "draw", change.draw),
        ("第几行", "row", row["number"]),
    ]
    if row["type"] == "exclude":
        reason = EXCLUSIONS[row["reason"]]
        fields += [
            ("排除", "excluded", named(row["enterprise"])),
            ("理由", "reason", f"{row['reason']} {screen.pick(reason.zh, reason.en)}"),
        ]
    elif row["type"] == "substitute":
        fields += [("种子", "seed", row["seed"])]
        for place in row["tasks"]:
            fields.append((f"任务 {place['task']}", f"task {place['task']}", named(place["enterprise"])))
        for visit in row["visits"]:
            crews = "; ".join(
                f"{crew['department']}: {', '.join(names[p] for p in crew['seats'])}"
                for crew in visit["crews"]
            )
            date = visit["date"] or screen.pick("未能排期", "no date")
            fields.append(
                ("检查", "visit", f"{visit['enterprise']} ({visit['part']}) {date} {crews}".rstrip())
            )
    elif row["type"] == "withdraw":
        reason = WITHDRAWALS[row["reason"]]
        fields += [
            ("退出部门", "department", row["department"]),
            ("自此日起", "from", row["from"]),
            ("理由", "reason", f"{row['reason']} {screen.pick(reason.zh, reason.en)}"),
        ]
        fields += [("空缺的检查组", "unfilled crew", f"{named(e)} ({part})") for e, part in change.unfilled]
    else:
        reason = REPLACEMENTS[row["reason"]]
        fields += [
            ("检查", "visit", f"{named(row['enterprise'])} ({row['part']})"),
            ("部门", "department", row["department"]),
            ("不能到场", "out", named(row["out"])),
            ("接替", "in", named(row["in"])),
            ("理由", "reason", f"{row['reason']} {screen.pick(reason.zh, reason.en)}"),
        ]
    counts = change.counts
    fields += [
        ("累计排除", "exclusions so far", sum(counts.exclusions.values())),
        ("尚无递补", "without a substitute", counts.pending),
        ("累计替换人员", "replacements so far", sum(counts.replacements.values())),
        ("累计退出部门", "withdrawals so far", sum(counts.withdrawals.values())),
    ]
    screen.fields(screen.pick("更改", "Change"), fields)
    for zh, en in change.alarms:
        screen.say(f"注意：{zh}。", f"Warning: {en}.", style="bold yellow")


def as_object(change: Change) -> dict[str, Any]:
    """Return a change for programs."""
    counts = change.counts
    return {
        "draw": change.draw,
        "row": dict(change.row),
        "names": dict(change.names),
        "unfilled": [{"enterprise": enterprise, "part": part} for enterprise, part in change.unfilled],
        "counts": {
            "exclusions": dict(counts.exclusions),
            "pending": counts.pending,
            "substituted": counts.substituted,
            "exhausted": counts.exhausted,
            "replacements": dict(counts.replacements),
            "departments": dict(counts.departments),
            "inspectors": dict(counts.inspectors),
            "withdrawals": dict(counts.withdrawals),
            "unfilled": counts.unfilled,
        },
        "alarms": [{"zh": zh, "en": en} for zh, en in change.alarms],
    }
