"""Period, time zone, beacon and deadlines of a plan: what is written, what follows, and their order.

Sources: docs/protocol.md §3 (deadlines) and §4 (beacon). Findings are due within 20 working days, counted
here from the end of the period; local rules differ on the start, so a plan may say otherwise.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

from dualrandom.beacon import QUICKNET_HASH, first_round_at, round_time
from dualrandom.calendar import Notices, add_working_days, visit_days
from dualrandom.errors import DualRandomError
from dualrandom.policy.plan import Beacon, Deadlines
from dualrandom.policy.source import Faults, nearest

RESULT_AFTER = timedelta(days=7)
FINDINGS_WORKING_DAYS = 20
END_OF_DAY = time(23, 59, 59)
_ROUND = re.compile(r"[1-9][0-9]{0,10}")
_ZONES = {
    "beijing": "Asia/Shanghai",
    "asia/beijing": "Asia/Shanghai",
    "cst": "Asia/Shanghai",
    "utc+8": "Asia/Shanghai",
}


def zone_of(faults: Faults, name: str | None) -> ZoneInfo | None:
    """Return the IANA time zone ``name``."""
    if name is None:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        faults.error(
            ("plan", "timezone"),
            "plan-timezone",
            name,
            ("没有这个时区", "there is no such time zone"),
            ("用 IANA 时区名，中国大陆为 Asia/Shanghai", "Use an IANA name; mainland China is Asia/Shanghai"),
            _ZONES.get(name.lower()) or nearest(name, available_timezones()),
        )
        return None


def period_of(faults: Faults, plan: Mapping[str, Any]) -> tuple[date, date] | None:
    """Return the first and last day of the period, both in one calendar year, because quotas are annual."""
    period = plan["period"]
    if period is None or period["start"] is None or period["end"] is None:
        return None
    start, end = period["start"], period["end"]
    if start > end:
        faults.error(
            ("plan", "period"),
            "plan-period",
            f"{start} – {end}",
            ("期间的首日晚于末日", "the period starts after it ends"),
            ("更正 start 与 end", "Correct start and end"),
            f"{{ start = {end}, end = {start} }}",
        )
        return None
    if start.year != end.year:
        faults.error(
            ("plan", "period"),
            "plan-period",
            f"{start} – {end}",
            ("期间跨年；抽查比例按年计算", "the period spans two years; ratios are annual"),
            ("按年分成两个计划", "Make one plan for each year"),
        )
        return None
    return start, end


def beacon_of(faults: Faults, table: Mapping[str, Any] | None, raw: object) -> Beacon | None:
    """Return the announced randomness with source, round and time filled in (docs/protocol.md §4)."""
    if table is None or not isinstance(raw, dict):
        return None
    kind = table["kind"]
    if kind == "drand":
        return _drand(faults, table, raw)
    if kind == "local":
        return _local(faults, table, raw)
    if kind == "keystring":
        for key, zh, en in (
            ("source", "公开彩票或指数的代码", "the id of the public lottery or index"),
            ("round", "期号或日期", "its issue or date"),
            ("time", "开奖或公布的时刻", "the time when it is drawn or published"),
        ):
            if key not in raw:
                faults.error(
                    ("beacon", key),
                    "plan-beacon",
                    "",
                    (f"keystring 信标缺少 {key}", f"a keystring beacon needs {key}"),
                    (f"写明{zh}", f"Name {en}"),
                )
        if None not in (table["source"], table["round"], table["time"]):
            return Beacon("keystring", table["source"], table["round"], table["time"])
    return None


def _drand(faults: Faults, table: Mapping[str, Any], raw: Mapping[str, Any]) -> Beacon | None:
    source, number, due = table["source"], table["round"], table["time"]
    if source is not None and source != QUICKNET_HASH:
        faults.error(
            ("beacon", "source"),
            "plan-beacon-source",
            source,
            ("只接受 drand quicknet", "only drand quicknet is accepted"),
            ("删去 source，或写 quicknet 的链散列", "Leave source out, or write quicknet's chain hash"),
            QUICKNET_HASH,
        )
        return None
    if number is not None and not _ROUND.fullmatch(number):
        faults.error(
            ("beacon", "round"),
            "plan-beacon-round",
            number,
            ("轮次应为不带前导零的正整数", "a round is a positive integer without leading zeros"),
            ("改正轮次，或删去 round 只写 time", "Correct it, or leave round out and give time"),
        )
        return None
    if "round" not in raw and "time" not in raw:
        faults.error(
            ("beacon",),
            "plan-beacon",
            "",
            ("drand 信标既无轮次也无时刻", "the drand beacon has neither round nor time"),
            ("写 time（其后第一轮）或 round", "Give time (the first round after it is used) or round"),
        )
        return None
    if number is None:
        if due is None or "round" in raw:
            return None
        number = str(first_round_at(due))
        return Beacon("drand", QUICKNET_HASH, number, round_time(int(number)))
    computed = round_time(int(number))
    if due is not None and due != computed:
        faults.error(
            ("beacon", "time"),
            "plan-beacon-time",
            due.isoformat(),
            (f"第 {number} 轮不在此时刻", f"round {number} is not due then"),
            (
                f"第 {number} 轮在 {_utc(computed)}；该时刻起第一轮是 {first_round_at(due)}；只写其一即可",
                f"Round {number} is due at {_utc(computed)}; {first_round_at(due)} is the first from then on",
            ),
            _utc(computed),
        )
        return None
    return Beacon("drand", QUICKNET_HASH, number, computed)


def _local(faults: Faults, table: Mapping[str, Any], raw: Mapping[str, Any]) -> Beacon | None:
    good = True
    for key, only in (("source", "none"), ("round", "0")):
        if key in raw and table[key] not in (None, only):
            good = False
            faults.error(
                ("beacon", key),
                "plan-beacon-local",
                table[key],
                (f"local 信标的 {key} 只能是 {only}", f"{key} of a local beacon can only be {only}"),
                (f"删去 {key}", f"Leave {key} out"),
                f'"{only}"',
            )
    if "time" not in raw:
        faults.error(
            ("beacon", "time"),
            "plan-beacon",
            "",
            ("local 信标缺少 time", "a local beacon needs time"),
            ("写明何时抽取", "Say when the draw will be made"),
        )
    return Beacon("local", "none", "0", table["time"]) if good and table["time"] is not None else None


def deadlines_of(
    faults: Faults,
    parsed: Mapping[str, Any],
    beacon: Beacon | None,
    period: tuple[date, date] | None,
    zone: ZoneInfo | None,
    notices: Notices | None = None,
) -> Deadlines | None:
    """Return the deadlines, defaults filled in; they must be ordered reveal ≤ beacon ≤ result ≤ findings."""
    written = parsed["deadlines"]
    if written is None or beacon is None or period is None or zone is None:
        return None
    reveal = written["reveal"] or beacon.time
    result = written["result"] or beacon.time + RESULT_AFTER
    findings = written["findings"] or _findings_due(faults, parsed, period[1], zone, notices)
    if findings is None:
        return None
    steps = (("reveal", reveal), ("beacon", beacon.time), ("result", result), ("findings", findings))
    for (first, earlier), (second, later) in pairwise(steps):
        if earlier > later:
            key = second if second != "beacon" else first
            if written[key] is None:
                key = first if first != "beacon" and written[first] is not None else key
            faults.error(
                ("deadlines", key),
                "plan-deadline-order",
                _utc({"reveal": reveal, "result": result, "findings": findings}[key]),
                (
                    f"时限顺序有误：{first} {_utc(earlier)} 晚于 {second} {_utc(later)}",
                    f"the deadlines are out of order: {first} {_utc(earlier)}, {second} {_utc(later)}",
                ),
                (
                    "须 reveal ≤ 信标时刻 ≤ result ≤ findings；缺省值通常即可",
                    "They must be reveal ≤ beacon time ≤ result ≤ findings; the defaults usually serve",
                ),
            )
    return Deadlines(reveal, result, findings)


def _findings_due(
    faults: Faults, parsed: Mapping[str, Any], end: date, zone: ZoneInfo, notices: Notices | None
) -> datetime | None:
    days = parsed["days"]
    if days is None or days["working"] is None:
        return None
    try:
        last = add_working_days(
            end, FINDINGS_WORKING_DAYS, "cn" if days["working"] == "cn" else "weekdays", notices
        )
    except DualRandomError as unknown:
        example = f"{end + timedelta(days=31)}T23:59:59+08:00"
        faults.error(
            ("deadlines", "findings"),
            unknown.code,
            unknown.value,
            (unknown.message("zh"), unknown.message("en")),
            (
                f"自行写明，如 findings = {example}；或把该年的通知写入计划旁的 working-days.toml",
                f"Give it yourself, like findings = {example}; or put that year's notice into working-days.toml",
            ),
        )
        return None
    return datetime.combine(last, END_OF_DAY, zone).astimezone(UTC)


def check_days(
    faults: Faults,
    days: Mapping[str, Any] | None,
    period: tuple[date, date] | None,
    beacon: Beacon | None,
    zone: ZoneInfo | None,
    notices: Notices | None = None,
) -> None:
    """Check that there is a day for visits, that extra days are in the period and not closed at once."""
    if days is None or period is None or None in (days["working"], days["extra"], days["closed"]):
        return
    start, end = period
    for key in ("extra", "closed"):
        for outside in [day for day in days[key] if not start <= day <= end]:
            message = ("不在期间内", "is not within the period")
            remedy = (f"期间为 {start} 至 {end}", f"The period is {start} to {end}")
            (faults.error if key == "extra" else faults.warning)(
                ("days", key), "plan-day-outside", outside, message, remedy
            )
    for both in sorted(set(days["extra"]) & set(days["closed"])):
        faults.error(
            ("days", "closed"),
            "plan-day-both",
            both,
            ("既列为加开又列为停办", "is both an extra and a closed day"),
            ("只保留一处", "Keep it in one of the two"),
        )
    try:
        any_day = visit_days(start, end, days["working"], days["extra"], days["closed"], notices)
    except DualRandomError as unknown:
        faults.error(
            ("days", "working"),
            unknown.code,
            unknown.value,
            (unknown.message("zh"), unknown.message("en")),
            (unknown.remedy("zh"), unknown.remedy("en")),
        )
        return
    if not any_day:
        faults.error(
            ("plan", "period"),
            "plan-no-day",
            f"{start} – {end}",
            ("期间内没有可检查的日期", "there is no day in the period on which visits may take place"),
            ("延长期间，或增加 days.extra", "Lengthen the period, or add days.extra"),
        )
    elif beacon is not None and zone is not None and beacon.time.astimezone(zone).date() >= any_day[0]:
        faults.warning(
            ("beacon", "time"),
            "plan-beacon-late",
            _utc(beacon.time),
            (
                f"信标在首个检查日 {any_day[0]} 之前尚未产生，抽出的日期可能已过去",
                f"the randomness is not there before {any_day[0]}, a day that may be drawn for a visit",
            ),
            (
                "提前信标，或把过早的日期列入 days.closed",
                "Take an earlier beacon, or list the days before it in days.closed",
            ),
        )


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
