"""When the next draw can be: a beacon some days ahead, a period after it, deadlines that follow."""

from __future__ import annotations

from calendar import monthrange
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from dualrandom.beacon import QUICKNET_HASH, first_round_at, round_time
from dualrandom.calendar import add_working_days, visit_days
from dualrandom.errors import DualRandomError
from dualrandom.policy.moments import END_OF_DAY, FINDINGS_WORKING_DAYS, RESULT_AFTER
from dualrandom.policy.plan import Beacon, Deadlines
from dualrandom.policy.source import Text

HOUR_OF_DRAW = time(10, 0)
"""Local time of day at which people can watch."""
SHORTEST = 10
"""Days; a shorter rest of a month is left to the next one."""
Working = Literal["cn", "weekdays", "all"]


@dataclass(frozen=True, slots=True)
class Dates:
    """The dates of a draw, and remarks by key of the plan where a person must look at them."""

    beacon: Beacon
    period: tuple[date, date]
    working: Working
    deadlines: Deadlines
    remarks: dict[str, Text]


def next_dates(
    now: datetime, days_ahead: int, zone: ZoneInfo, working: Working, first: date, months: int = 1
) -> Dates:
    """Return dates for a draw over ``months`` calendar months, from the month of ``first`` on.

    The randomness is a drand round ``days_ahead`` local days after ``now``; the period begins after its day and ends
    with a month, within one year.
    """
    day = now.astimezone(zone).date() + timedelta(days=days_ahead)
    number = first_round_at(datetime.combine(day, HOUR_OF_DRAW, zone))
    beacon = Beacon("drand", QUICKNET_HASH, str(number), round_time(number))
    start = max(first.replace(day=1), day + timedelta(days=1))
    end = _month_end(first, months)
    if start > end:
        end = _month_end(start, months)
    if (end - start).days + 1 < SHORTEST:
        start = following_month(start)
        end = _month_end(start, months)
    return _with_deadlines(beacon, (start, end), working, zone)


def following_month(day: date) -> date:
    """Return the first day of the month after that of ``day``."""
    return date(day.year + day.month // 12, day.month % 12 + 1, 1)


def _with_deadlines(beacon: Beacon, period: tuple[date, date], working: Working, zone: ZoneInfo) -> Dates:
    remarks: dict[str, Text] = {}
    if working == "cn":
        try:
            visit_days(*period, "cn")
        except DualRandomError as unknown:
            working = "weekdays"
            remarks["days.working"] = (
                f"尚无 {unknown.value} 年的放假安排：暂按周一至周五，请把节假日列入 closed",
                f"no notice for {unknown.value} yet: Monday to Friday; list the holidays in closed",
            )
    try:
        last = add_working_days(period[1], FINDINGS_WORKING_DAYS, "cn" if working == "cn" else "weekdays")
    except DualRandomError as unknown:
        last = add_working_days(period[1], FINDINGS_WORKING_DAYS, "weekdays")
        remarks["deadlines.findings"] = (
            f"尚无 {unknown.value} 年的放假安排：此时限未计节假日，请核对",
            f"no notice for {unknown.value} yet: holidays are not counted here, check this time",
        )
    findings = datetime.combine(last, END_OF_DAY, zone).astimezone(UTC)
    return Dates(
        beacon, period, working, Deadlines(beacon.time, beacon.time + RESULT_AFTER, findings), remarks
    )


def _month_end(start: date, months: int) -> date:
    """The last day of the ``months``-th month from that of ``start``, not beyond December."""
    month = min(12, start.month + months - 1)
    return date(start.year, month, monthrange(start.year, month)[1])
