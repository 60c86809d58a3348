"""What was changed after the draw, as ``dualrandom explain`` tells it (docs/protocol.md §13)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dualrandom.cli.screen import Screen


def show_changes(screen: Screen, changes: Sequence[Mapping[str, Any]]) -> None:
    """Say what was changed after the draw (protocol.md §13)."""
    screen.say("抽取之后的更改：", "Changed after the draw:", style="bold")
    for change in changes:
        screen.say(*_change_in_words(change))


def _change_in_words(change: Mapping[str, Any]) -> tuple[str, str]:
    number, reason = change["number"], change["reason"]
    why_zh, why_en = f"{reason['zh']}（{reason['code']}）", f"{reason['en']} ({reason['code']})"
    if change["type"] == "exclude":
        zh = f"第 {number} 行，{change['time']}：{change['enterprise']} 被排除，理由：{why_zh}。"
        en = f"Row {number}, {change['time']}: {change['enterprise']} was excluded: {why_en}."
        if change["pending"]:
            return f"{zh}尚待递补。", f"{en} Its substitute is not decided yet."
        for place in change["substitutes"]:
            who = place["enterprise"]
            zh += (
                f"任务 {place['task']} 由 {who} 递补。" if who else f"任务 {place['task']} 本层已无可递补者。"
            )
            en += f" Task {place['task']}: " + (
                f"{who} takes the place." if who else "its stratum is exhausted."
            )
        return zh, en
    if change["type"] == "substitute":
        tasks, dates = ", ".join(change["tasks"]), ", ".join(date or "–" for date in change["dates"])
        who, instead = change["enterprise"], change["instead_of"]
        zh = f"第 {number} 行：{who} 在任务 {tasks} 中递补 {instead}（其排除理由：{why_zh}），检查日期 {dates}。"
        en = f"Row {number}: {who} takes the place of {instead} in {tasks} (excluded: {why_en}); visit on {dates}."
        return zh, en
    if change["type"] == "withdraw":
        return _withdrawal_in_words(change, why_zh, why_en)
    where, department, time = f"{change['enterprise']}/{change['part']}", change["department"], change["time"]
    zh = f"第 {number} 行，{time}：检查 {where}，部门 {department}：{change['out']} 由 {change['in']} 替换，理由：{why_zh}。"
    en = f"Row {number}, {time}: visit {where}, department {department}: "
    return zh, f"{en}{change['in']} comes instead of {change['out']}: {why_en}."


def _withdrawal_in_words(change: Mapping[str, Any], why_zh: str, why_en: str) -> tuple[str, str]:
    number, time, department, since = (change[key] for key in ("number", "time", "department", "from"))
    zh = f"第 {number} 行，{time}：部门 {department} 自 {since} 起退出，理由：{why_zh}。"
    en = f"Row {number}, {time}: department {department} withdrew from {since} on: {why_en}."
    if change["enterprise"] is None:
        return zh, en
    where = f"{change['enterprise']}/{change['part']}"
    return f"{zh}检查 {where} 的该部门检查组空缺。", f"{en} Its crew of visit {where} is unfilled."


def show_effect(screen: Screen, visits: Sequence[Mapping[str, Any]]) -> None:
    """Show an enterprise's visits after all changes."""
    pick = screen.pick
    if not visits:
        screen.say("现在没有对它的检查。", "No visit to it is in effect now.")
        return
    screen.table(
        pick("现行的检查", "Visits in effect"),
        (pick("第几次", "visit"), pick("日期", "date"), pick("任务", "tasks"), pick("检查组", "crews")),
        [
            (
                visit["part"],
                visit["date"] or pick("未能排期", "no date"),
                ", ".join(visit["tasks"]),
                pick("；", "; ").join(
                    f"{crew['department']}: {', '.join(crew['inspectors']) or pick('空缺', 'unfilled')}"
                    for crew in visit["crews"]
                ),
            )
            for visit in visits
        ],
    )
