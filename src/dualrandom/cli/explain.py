"""``dualrandom explain``: why an enterprise or an inspector was drawn or not; arithmetic to redo by hand."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Annotated, Any

import typer

from dualrandom.cli.explain_changes import show_changes, show_effect
from dualrandom.cli.options import AsJson, Campaign, InLanguage
from dualrandom.cli.screen import Screen, opened
from dualrandom.errors import DualRandomError

DAYS = {
    "closed": ("检查对象当日不便", "the enterprise is closed"),
    "other-part": ("本检查对象另一次检查在当日", "another visit to this enterprise is on it"),
    "not-seatable": (
        "与先排的检查合起来人手不够",
        "with the visits dated before, the crews could not be filled",
    ),
    "taken": ("排在这一天", "taken"),
    "not-reached": ("无须再试", "not tried any more"),
}
OUTCOMES = {
    "paired": ("配对", "paired"),
    "cost": ("他人在组（调整后成本不更高）", "others sit (at no more adjusted cost)"),
    "absent": ("当日不在岗", "absent on the day"),
    "barred": ("与同事回避", "barred by a colleague"),
    "recused": ("回避该检查对象", "recused"),
    "other-district": ("不负责该区划", "serves other districts"),
    "no-seat": ("没有席位所需资格", "no seat for these marks"),
    "undated": ("检查未能排期", "the visit has no date"),
}
NEAREST = 15
"""Visits on which the inspector could sit but does not that are shown; ``--json`` has all."""


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
    """解释为何抽中或未抽中，可用 sha256sum 重算 · Why drawn or not; redo it with sha256sum.

    内容含封存信息，仅供本单位、当事人和审计 · holds what is sealed: for the office, the person concerned, the auditor
    """
    with opened(context, as_json, language, campaign) as screen:
        if (enterprise is None) == (inspector is None):
            raise DualRandomError(
                "explain-whom",
                "",
                {"zh": "要解释谁？", "en": "whom should be explained?"},
                {
                    "zh": "请给出 --enterprise 代码 或 --inspector 编号，二者之一。",
                    "en": "Give either --enterprise ID or --inspector CODE.",
                },
            )
        from dualrandom.explain import explain_enterprise, explain_inspector, read_context  # noqa: PLC0415

        screen.stage("重建名录", "rebuilding the lists")
        known = read_context(campaign)
        screen.stage("推导", "deriving")
        if enterprise is not None:
            told = explain_enterprise(known, enterprise)
            screen.end_stage()
            _show_enterprise(screen, told)
        else:
            assert inspector is not None
            told = explain_inspector(known, inspector)
            screen.end_stage()
            _show_inspector(screen, told)
        screen.finish(told)


def _show_enterprise(screen: Screen, told: Mapping[str, Any]) -> None:
    pick = screen.pick
    screen.say(f"{told['enterprise']}　{told['name']}", f"{told['enterprise']}  {told['name']}", style="bold")
    if not told["drawn"]:
        _show_state(screen, told)
    screen.table(
        pick("各任务", "Tasks"),
        (
            pick("任务", "task"),
            pick("名称", "name"),
            pick("层", "stratum"),
            pick("层内可抽", "size"),
            pick("应抽", "expected"),
            pick("实抽", "drawn"),
            pick("签号名次", "rank"),
            pick("结论", "outcome"),
        ),
        [_task_row(screen, task) for task in told["tasks"]],
    )
    if any(task["left_out"] for task in told["tasks"]):
        from dualrandom.reasons import counted_reasons  # noqa: PLC0415

        screen.table(
            pick(
                "范围内而不可抽的全部检查对象（户）",
                "All that are in a task's scope, but left out (enterprises)",
            ),
            (pick("任务", "task"), pick("原因", "reasons")),
            [
                (task["task"], counted_reasons(task["left_out"], screen.language))
                for task in told["tasks"]
                if task["left_out"]
            ],
        )
    past = told["history"]
    screen.say(
        f"本年已有 {past['days']} 个检查日，另有个案检查 {past['cases']} 日（不计）；上次检查：{past['last'] or '无'}。",
        f"{past['days']} visiting days this year, and {past['cases']} of case visits, which do not count; last visit: "
        f"{past['last'] or 'none'}.",
    )
    if not told["in_frame"]:
        screen.say("不在抽样框中：没有签号。", "Not in the frame: it has no ticket.")
    if told["ticket"] is None:
        return
    _show_ticket(screen, told)
    for visit in told["visits"]:
        _show_visit(screen, visit)
    if told["changes"]:
        show_changes(screen, told["changes"])
        show_effect(screen, told["in_effect"])


def _show_state(screen: Screen, told: Mapping[str, Any]) -> None:
    """Say why there is no result to explain."""
    if told["voided"]:
        screen.say(
            f"抽取 {told['draw']} 已作废，没有结果。", f"Draw {told['draw']} was voided; it has no result."
        )
    else:
        screen.say(
            f"抽取 {told['draw']} 已公告，尚未抽取。", f"Draw {told['draw']} is announced, not drawn yet."
        )


def _task_row(screen: Screen, task: Mapping[str, Any]) -> tuple[Any, ...]:
    name = task["name"][screen.language]
    if task["excluded"] is not None:
        return task["task"], name, "–", "–", "–", "–", "–", _excluded(screen, task)
    expected = None if task["expected"] is None else task["expected"].removesuffix("/1")
    figures = (task["size"], expected, task["drawn"], task["rank"])
    shown = ("–" if figure is None else figure for figure in figures)
    return task["task"], name, task["stratum"], *shown, _task_outcome(screen, task)


def _excluded(screen: Screen, task: Mapping[str, Any]) -> str:
    """Say why a task may not draw an enterprise, and what that rests on."""
    from dualrandom.reasons import OUT_OF_SCOPE, reason_name  # noqa: PLC0415

    reason = task["excluded"]
    because = {"zh": "", "en": ""}
    if task["because"] is not None:
        because = {"zh": f"（{task['because']['zh']}）", "en": f" ({task['because']['en']})"}
    if reason == OUT_OF_SCOPE:
        return screen.pick("不可抽：不在任务范围内", "cannot be drawn: not in its scope")
    return screen.pick(
        f"不可抽：{reason_name(reason, 'zh')}{because['zh']}",
        f"cannot be drawn: {reason_name(reason, 'en')}{because['en']}",
    )


def _task_outcome(screen: Screen, task: Mapping[str, Any]) -> str:
    if task["selected"] is None:
        return screen.pick("尚未抽取", "not drawn yet")
    if task["mode"] == "follows":
        if task["selected"]:
            return screen.pick(f"随 {task['lead']} 抽中", f"selected with {task['lead']}")
        return screen.pick(f"{task['lead']} 未抽中", f"not selected by {task['lead']}")
    if task["selected"]:
        return screen.pick(
            f"抽中：名次 {task['rank']} ≤ {task['drawn']}", f"selected: rank {task['rank']} ≤ {task['drawn']}"
        )
    return screen.pick(
        f"未抽中：名次 {task['rank']} > {task['drawn']}",
        f"not selected: rank {task['rank']} > {task['drawn']}",
    )


def _show_ticket(screen: Screen, told: Mapping[str, Any]) -> None:
    screen.say("签号（越小越先）：", "Ticket (smaller goes first):", style="bold")
    _show_command(screen, told["ticket"])
    if told["sealed"]:
        screen.say(
            "命令中代码之后的 64 位是本检查对象的封存盐值：只可交给当事人和审计，不得公布。",
            "The 64 digits after the id are this enterprise's salt: for itself and the auditor only.",
        )
    for task in told["tasks"]:
        if task["quota"] is not None:
            _show_quota(screen, task)
        if task["cutoff"] is not None:
            screen.say(
                f"任务 {task['task']} 层 {task['stratum']} 抽中者的最大签号：{task['cutoff']}",
                f"Greatest ticket selected by task {task['task']} in stratum {task['stratum']}: {task['cutoff']}",
            )
    for task in told["tasks"]:
        if task["rounding"] is not None:
            if task["control"] == "two-way":
                screen.say(
                    f"任务 {task['task']} 双向取整第 0 步的随机数，其后各步末尾依次为 1、2……（见 protocol.md §6.2）：",
                    f"Number of step 0 of the two-way rounding of task {task['task']}; "
                    "later steps end in 1, 2, … (protocol.md §6.2):",
                )
            else:
                screen.say(
                    f"任务 {task['task']} 取整用的随机数（决定各层实抽数，见 protocol.md §6.1）：",
                    f"Number that rounds the sizes of task {task['task']} (protocol.md §6.1):",
                )
            _show_command(screen, task["rounding"])


def _show_quota(screen: Screen, task: Mapping[str, Any]) -> None:
    """Say how many are owed in the enterprise's stratum and why."""
    quota = task["quota"]
    expected = task["expected"].removesuffix("/1")
    if quota["policies"] is not None:
        screen.say(
            f"任务 {task['task']} 层 {task['stratum']}：{quota['policies']['zh']}",
            f"Task {task['task']}, stratum {task['stratum']}: {quota['policies']['en']}",
        )
    ratio = "" if quota["ratio"] is None else quota["ratio"]
    screen.say(
        f"任务 {task['task']} 层 {task['stratum']}：范围内 {quota['whole']} 户，年度比例 {ratio or '按总量分配'}"
        f" × {quota['frequency']} 次，本年已查 {quota['done']}，尚余 {quota['months_left']} 个月 → 本期应抽 {expected}",
        f"Task {task['task']}, stratum {task['stratum']}: {quota['whole']} in scope, annual ratio "
        f"{ratio or 'from the budget'} × {quota['frequency']}, {quota['done']} done this year, "
        f"{quota['months_left']} months left → {expected} expected now",
    )


def _show_command(screen: Screen, ticket: Mapping[str, Any]) -> None:
    screen.say(f"  $ {ticket['command']}", f"  $ {ticket['command']}")
    screen.say(f"  {ticket['ticket']}", f"  {ticket['ticket']}", style="cyan")


def _show_visit(screen: Screen, visit: Mapping[str, Any]) -> None:
    pick = screen.pick
    tasks = ", ".join(visit["tasks"])
    date = visit["date"] or pick("未能排期", "no date")
    screen.say(
        f"第 {visit['part']} 次上门：{date}（任务 {tasks}）",
        f"Visit {visit['part']}: {date} (tasks {tasks})",
        style="bold",
    )
    order = visit["order"]
    screen.say(
        f"选日期的次序：第 {order['place']} 位（共 {order['of']} 位）",
        f"Order of choosing dates: number {order['place']} of {order['of']}",
    )
    _show_command(screen, order)
    rows = []
    for day in visit["days"]:
        if day["outcome"] == "not-reached":
            break
        rows.append((day["date"], day["ticket"][:16] + "…", pick(*DAYS[day["outcome"]])))
    columns = (pick("日期", "day"), pick("签号", "ticket"), pick("结果", "outcome"))
    screen.table(pick("依签号依次尝试的日期", "Days in the order in which they were tried"), columns, rows)
    for day in visit["days"]:
        if day["outcome"] == "taken":
            _show_command(screen, day)
    for crew in visit["crews"]:
        _show_crew(screen, crew)


def _show_crew(screen: Screen, crew: Mapping[str, Any]) -> None:
    pick = screen.pick
    screen.table(
        pick(f"检查组：{crew['department']}", f"Crew: {crew['department']}"),
        (
            pick("席位", "seat"),
            pick("检查人员", "inspector"),
            pick("名录编号", "roster id"),
            pick("成本", "cost"),
            pick("价格", "price"),
            pick("调整后成本", "adjusted cost"),
        ),
        [
            (
                "+".join(seat["marks"]) or pick("不限", "open"),
                seat["inspector"],
                seat["roster_id"],
                seat["cost"],
                seat["price"],
                seat["adjusted"],
            )
            for seat in crew["seats"]
        ],
    )
    screen.say(
        f"当日可任者 {crew['could_sit']} 人；不在岗 {crew['absent']} 人；回避 {len(crew['barred'])} 人。",
        f"{crew['could_sit']} could sit on the day; {crew['absent']} were absent, {len(crew['barred'])} recused or barred.",
    )
    screen.say("成本是以下签号的前 10 位十六进制数：", "The cost is the first 10 hex digits of the ticket:")
    for seat in crew["seats"]:
        _show_command(screen, seat)


def _show_inspector(screen: Screen, told: Mapping[str, Any]) -> None:
    pick = screen.pick
    none = pick("无", "none")
    period = "–" if told["prices"] is None else told["prices"]["period"]
    screen.fields(
        pick(f"检查人员 {told['inspector']}", f"Inspector {told['inspector']}"),
        (
            ("名录编号", "roster id", told["roster_id"]),
            ("部门", "department", told["department"]),
            ("区划", "districts", ", ".join(told["districts"])),
            ("资格", "marks", ", ".join(told["marks"]) or none),
            ("每日上限", "crews a day at most", told["daily"]),
            ("本期上限", "crews in the period at most", told["total"]),
            ("不在岗", "absent", ", ".join(told["absent"]) or none),
            (
                "回避",
                "recusals",
                ", ".join(f"{one['other']} ({one['ground']})" for one in told["recusals"]) or none,
            ),
            ("本期价格", "price of the period", period),
            ("检查组", "crews", told["crews"]),
        ),
    )
    if not told["drawn"]:
        _show_state(screen, told)
        return
    counts = Counter(visit["outcome"] for visit in told["visits"])
    screen.table(
        pick("本部门的全部检查组", "All crews of the department"),
        (pick("结果", "outcome"), pick("组数", "crews")),
        [(pick(*OUTCOMES[outcome]), count) for outcome, count in counts.most_common()],
    )
    _show_priced(screen, pick("配对的检查组", "Crews that the inspector is in"), told, "paired", None)
    _show_priced(
        screen, pick("可任而未配对（差距最小者）", "Could sit, does not (the nearest)"), told, "cost", NEAREST
    )
    screen.say(
        "成本是签号的前 10 位十六进制数；调整后成本 = 成本 + 本期价格 + 当日价格（protocol.md §8.7）。"
        "价格反映此人因次数上限而另有更合适的安排。",
        "A cost is the first 10 hex digits of the ticket; adjusted cost = cost + price of the period + price of the day "
        "(protocol.md §8.7). Prices reflect that a person whose crews are capped is better placed elsewhere.",
    )
    if told["changes"]:
        show_changes(screen, told["changes"])


def _show_priced(
    screen: Screen, title: str, told: Mapping[str, Any], outcome: str, limit: int | None
) -> None:
    visits = [visit for visit in told["visits"] if visit["outcome"] == outcome]
    if outcome == "cost":
        visits.sort(key=lambda visit: visit["adjusted"] - max(one["adjusted"] for one in visit["sitting"]))
    pick = screen.pick
    screen.table(
        title,
        (
            pick("日期", "date"),
            pick("检查对象", "enterprise"),
            pick("成本", "cost"),
            pick("价格", "price"),
            pick("调整后成本", "adjusted cost"),
            pick("在组者（调整后成本）", "who sits (adjusted cost)"),
        ),
        [
            (
                visit["date"],
                visit["enterprise"],
                visit["cost"],
                visit["price"],
                visit["adjusted"],
                ", ".join(f"{one['inspector']} {one['adjusted']}" for one in visit["sitting"]),
            )
            for visit in visits[:limit]
        ],
    )
    for visit in visits[:1]:
        _show_command(screen, visit)
