"""A department that leaves after the announcement: its crews are unfilled from a day on, nobody else moves (docs/protocol.md §13.4)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from dualrandom.changes import WITHDRAWALS, Effect, day_of
from dualrandom.errors import DualRandomError
from dualrandom.substitution import next_time, require_nothing_due, require_reason


def withdraw_row(
    announcement: Mapping[str, Any],
    effect: Effect,
    department: str,
    since: date,
    reason: str,
    evidence: str | None,
    now: datetime,
) -> dict[str, Any]:
    """Return the next ``withdraw`` row. ``since``: the first day without the department; ``evidence``: SHA-256 in hex.

    Raises DualRandomError: ``change-reason``, ``department-not-in-the-draw``, ``department-withdrawn``, ``day-not-announced``,
    ``withdrawal-too-early``, ``no-crew-left``, ``substitute-pending``, ``change-too-early``.
    """
    require_reason(reason, WITHDRAWALS)
    time = next_time(effect, now)
    require_nothing_due(announcement, effect, time)
    _require_department(announcement, effect, department)
    _require_day(announcement, effect, department, since, day_of(time))
    return {
        "department": department,
        "evidence": evidence,
        "from": since.isoformat(),
        "number": effect.number + 1,
        "prev": effect.digest,
        "reason": reason,
        "time": time,
        "type": "withdraw",
    }


def _require_department(announcement: Mapping[str, Any], effect: Effect, department: str) -> None:
    known = sorted({task["department"] for task in announcement["tasks"]})
    if department not in known:
        raise DualRandomError(
            code="department-not-in-the-draw",
            value=department,
            message={
                "zh": f"本次抽取没有部门 {department} 的任务",
                "en": f"department {department} has no task in this draw",
            },
            remedy={"zh": f"可用：{'、'.join(known)}。", "en": f"Use one of {', '.join(known)}."},
        )
    if department in effect.withdrawn:
        raise DualRandomError(
            code="department-withdrawn",
            value=department,
            message={
                "zh": f"部门 {department} 已退出",
                "en": f"department {department} has withdrawn already",
            },
            remedy={
                "zh": "已公布的退出不能更改；见 changes.jsonl。",
                "en": "A published withdrawal cannot be changed; see changes.jsonl.",
            },
        )


def _require_day(
    announcement: Mapping[str, Any], effect: Effect, department: str, since: date, today: date
) -> None:
    days = announcement["days"]
    if since.isoformat() not in days:
        raise DualRandomError(
            code="day-not-announced",
            value=since.isoformat(),
            message={
                "zh": f"{since} 不在公告的检查日期之内",
                "en": f"{since} is not among the days of the announcement",
            },
            remedy={
                "zh": f"用 {days[0]} 至 {days[-1]} 之间公告的日期。",
                "en": f"Use an announced day from {days[0]} to {days[-1]}.",
            },
        )
    if since < today:
        raise DualRandomError(
            code="withdrawal-too-early",
            value=since.isoformat(),
            message={"zh": f"{since} 已经过去", "en": f"{since} is over"},
            remedy={
                "zh": f"部门从今天（{today}，UTC）或以后某日起退出；更早的检查如实登记检查结果。",
                "en": f"A department withdraws from today ({today}, UTC) or later; of earlier visits record findings.",
            },
        )
    if not effect.crews_from(department, since.isoformat()):
        raise DualRandomError(
            code="no-crew-left",
            value=department,
            message={
                "zh": f"部门 {department} 自 {since} 起没有检查组",
                "en": f"department {department} has no crew on {since} or later",
            },
            remedy={
                "zh": "请核对日期；没有检查组的部门无须退出。",
                "en": "Check the day; a department without crews need not withdraw.",
            },
        )
