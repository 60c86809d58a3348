"""Words for the codes that documents contain, in both languages (docs/protocol.md §10)."""

from __future__ import annotations

from datetime import date, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from dualrandom.page.markup import Both

FINDING_CODES = {
    "1": Both("未发现问题", "nothing found"),
    "2": Both("违反市场监管法规", "violation of market regulation"),
    "3": Both("违反食品药品法规", "violation of food and drug rules"),
    "4": Both("违反质量法规", "violation of quality rules"),
    "5": Both("违反其他部门法规", "violation of other departments' rules"),
    "6": Both("通过登记的住所无法联系", "cannot be reached at the registered address"),
    "7": Both("已关闭停业或正在清算", "closed or in liquidation"),
    "8": Both("不配合检查情节严重", "refuses, serious"),
    "9": Both("已注销", "deregistered"),
    "A": Both("发现问题待后续处理", "problem, to be handled"),
    "B": Both("未按规定公示应当公示的信息", "did not publish what it must"),
    "C": Both("公示信息隐瞒真实情况、弄虚作假", "false publication"),
    "D": Both("其他违法违规", "other violation"),
    "E": Both("发现问题已责令改正并改正", "ordered to correct, corrected"),
    "F": Both("未开展所检查的经营活动", "did not carry on the inspected activity"),
}

METHODS = {
    "on-site": Both("现场检查", "on site"),
    "documents": Both("书面检查", "documents"),
    "online": Both("网络监测", "online"),
    "laboratory": Both("检验检测", "laboratory"),
    "expert": Both("专业机构", "expert body"),
    "other-department": Both("采用其他部门结果", "another department's result"),
}

LISTS = {
    "frame": Both("抽样框（检查对象）", "frame (enterprises)"),
    "recusals": Both("回避关系", "recusals"),
    "roster": Both("检查人员名录", "roster (inspectors)"),
    "strata": Both("分层与样本量", "strata and sample sizes"),
}

WEEKDAYS = tuple(
    Both(f"周{zh}", en)
    for zh, en in zip("一二三四五六日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"), strict=True)
)


def many(number: int, noun: str) -> str:
    """Return a number with its English noun, in the plural where it is due."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def weekday(day: str) -> Both:
    """Return the day of the week of ``YYYY-MM-DD``."""
    return WEEKDAYS[date.fromisoformat(day).weekday()]


def finding_words(code: str) -> Both:
    """Return the meaning of a finding code; an unknown one stands for itself."""
    return FINDING_CODES.get(code, Both(code, code))


def method_words(method: str) -> Both:
    """Return the meaning of a method."""
    return METHODS.get(method, Both(method, method))


def percent(value: Fraction) -> str:
    """Return a ratio as a percentage with two digits."""
    return f"{float(value * 100):.2f} %"


def local_time(instant: str, zone: str) -> str:
    """Return ``YYYY-MM-DDTHH:MM:SSZ`` as time of ``zone``; in UTC if the zone's rules are not installed."""
    moment = datetime.fromisoformat(instant)
    try:
        local = moment.astimezone(ZoneInfo(zone))
    except (ZoneInfoNotFoundError, ValueError):
        return f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    offset = f"{local:%z}"
    return f"{local:%Y-%m-%d %H:%M:%S} (UTC{offset[:3]}:{offset[3:]})"
