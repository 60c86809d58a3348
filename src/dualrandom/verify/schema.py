"""Reading typed values out of parsed JSON (docs/protocol.md §1): every reader refuses what the page does not allow.

A reader takes the value and the name of its place (``result.json: visits[3].date``), and returns the value in its
Python type or raises :class:`Fault`.
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date, datetime
from fractions import Fraction
from math import gcd
from typing import Any, TypeVar

from dualrandom.canonical import parse_canonical
from dualrandom.errors import DualRandomError
from dualrandom.verify.report import Fault

ID = "[0-9A-Za-z][0-9A-Za-z._-]{0,63}"
DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
HEX64 = "[0-9a-f]{64}"
LARGEST_NUMBER = 100
"""Digits of a ratio's parts and of decimal strings: enough for anything real, small enough to compute with."""

_id = re.compile(ID)
_day = re.compile(DAY)
_instant = re.compile(f"{DAY}T[0-9]{{2}}:[0-9]{{2}}:[0-9]{{2}}Z")
_ratio = re.compile("(0|[1-9][0-9]*)/([1-9][0-9]*)")
_decimal = re.compile("0|[1-9][0-9]*")
_hex64 = re.compile(HEX64)
_hex = re.compile("(?:[0-9a-f]{2})+")

T = TypeVar("T")


def parsed(data: bytes, name: str) -> Any:
    """Return the value of canonical JSON bytes."""
    try:
        return parse_canonical(data, name)
    except DualRandomError as problem:
        raise Fault(problem.message("zh"), problem.message("en")) from problem


def shown(value: Any) -> str:
    """Return a short picture of any value for a reason."""
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def record(value: Any, where: str, keys: Sequence[str]) -> dict[str, Any]:
    """Return an object that has exactly ``keys``."""
    if type(value) is not dict:
        raise Fault(
            f"{where} 应为对象，实为 {shown(value)}", f"{where} should be an object, is {shown(value)}"
        )
    if value.keys() != set(keys):
        missing = sorted(set(keys) - value.keys())
        unknown = sorted(value.keys() - set(keys))
        if missing:
            raise Fault(f"{where} 缺少键 {missing[0]}", f"{where} lacks the key {missing[0]}")
        raise Fault(f"{where} 多出键 {shown(unknown[0])}", f"{where} has the unknown key {shown(unknown[0])}")
    return value


def mapping(value: Any, where: str) -> dict[str, Any]:
    """Return an object whose keys are ids."""
    if type(value) is not dict:
        raise Fault(
            f"{where} 应为对象，实为 {shown(value)}", f"{where} should be an object, is {shown(value)}"
        )
    for key in value:
        ident(key, f"{where} key")
    distinct_when_folded(value, where)
    return value


def array(value: Any, where: str) -> list[Any]:
    """Return an array."""
    if type(value) is not list:
        raise Fault(
            f"{where} 应为数组，实为 {shown(value)}", f"{where} should be an array, is {shown(value)}"
        )
    return value


def null(value: Any, where: str) -> None:
    """Insist on null."""
    if value is not None:
        raise Fault(f"{where} 应为 null，实为 {shown(value)}", f"{where} should be null, is {shown(value)}")


def many(value: Any, where: str, read: Callable[[Any, str], T]) -> tuple[T, ...]:
    """Return an array's elements, each read by ``read``."""
    return tuple(read(element, f"{where}[{i}]") for i, element in enumerate(array(value, where)))


def maybe(value: Any, where: str, read: Callable[[Any, str], T]) -> T | None:
    """Return null or what ``read`` reads."""
    return None if value is None else read(value, where)


def matching(value: Any, where: str, pattern: re.Pattern[str], zh: str, en: str) -> str:
    """Return a string that ``pattern`` matches as a whole."""
    if type(value) is not str or pattern.fullmatch(value) is None:
        raise Fault(f"{where} 应为{zh}，实为 {shown(value)}", f"{where} should be {en}, is {shown(value)}")
    return value


def ident(value: Any, where: str) -> str:
    """Return an id."""
    return matching(value, where, _id, "标识", "an id")


def hex64(value: Any, where: str) -> str:
    """Return 64 lower-case hex digits."""
    return matching(value, where, _hex64, " 64 位小写十六进制", "64 lower-case hex digits")


def hexadecimal(value: Any, where: str) -> str:
    """Return whole bytes in lower-case hex."""
    return matching(value, where, _hex, "小写十六进制字节", "bytes in lower-case hex")


def boolean(value: Any, where: str) -> bool:
    """Return true or false."""
    if type(value) is not bool:
        raise Fault(
            f"{where} 应为 true 或 false，实为 {shown(value)}",
            f"{where} should be a boolean, is {shown(value)}",
        )
    return value


def integer(value: Any, where: str, least: int = 0) -> int:
    """Return an integer of at least ``least``; true and false are none."""
    if type(value) is not int or value < least:
        raise Fault(
            f"{where} 应为不小于 {least} 的整数，实为 {shown(value)}",
            f"{where} should be an integer of at least {least}, is {shown(value)}",
        )
    return value


def positive(value: Any, where: str) -> int:
    """Return an integer of at least 1."""
    return integer(value, where, 1)


def text(value: Any, where: str) -> str:
    """Return a string in Unicode NFC."""
    if type(value) is not str:
        raise Fault(f"{where} 应为文本，实为 {shown(value)}", f"{where} should be text, is {shown(value)}")
    if not unicodedata.is_normalized("NFC", value):
        raise Fault(
            f"{where} 不是 Unicode NFC：{shown(value)}", f"{where} is not in Unicode NFC: {shown(value)}"
        )
    return value


def choice(*options: str) -> Callable[[Any, str], str]:
    """Return a reader of one of ``options``."""

    def read(value: Any, where: str) -> str:
        if type(value) is not str or value not in options:
            listed = ", ".join(options)
            raise Fault(
                f"{where} 应为 {listed} 之一，实为 {shown(value)}",
                f"{where} should be one of {listed}, is {shown(value)}",
            )
        return value

    return read


def day(value: Any, where: str) -> str:
    """Return a date, as its text: dates of this form compare like their text."""
    matching(value, where, _day, "日期 YYYY-MM-DD", "a date YYYY-MM-DD")
    try:
        date.fromisoformat(value)
    except ValueError as problem:
        raise Fault(
            f"{where} 不是存在的日期：{value}", f"{where} is no date of the calendar: {value}"
        ) from problem
    return str(value)


def instant(value: Any, where: str) -> datetime:
    """Return an instant in UTC."""
    matching(value, where, _instant, "时刻 YYYY-MM-DDTHH:MM:SSZ", "an instant YYYY-MM-DDTHH:MM:SSZ")
    try:
        return datetime.fromisoformat(value)
    except ValueError as problem:
        raise Fault(f"{where} 不是存在的时刻：{value}", f"{where} is no instant: {value}") from problem


def ratio(value: Any, where: str) -> Fraction:
    """Return a ratio ``p/q`` in lowest terms, each part of at most 100 digits."""
    matching(value, where, _ratio, "最简分数 p/q", "a ratio p/q")
    above, below = value.split("/")
    if len(above) > LARGEST_NUMBER or len(below) > LARGEST_NUMBER or gcd(int(above), int(below)) != 1:
        raise Fault(
            f"{where} 不是最简分数：{shown(value)}", f"{where} is not in lowest terms: {shown(value)}"
        )
    return Fraction(int(above), int(below))


def decimal(value: Any, where: str) -> int:
    """Return a decimal string as a number."""
    matching(value, where, _decimal, "十进制数字串", "a decimal string")
    if len(value) > LARGEST_NUMBER:
        raise Fault(f"{where} 过长", f"{where} is too long")
    return int(value)


def binary(value: Any, where: str, length: int) -> bytes:
    """Return the bytes of canonical base64 text."""
    if type(value) is str:
        try:
            data = base64.b64decode(value, validate=True)
        except (binascii.Error, ValueError):
            data = b""
        if len(data) == length and base64.b64encode(data).decode() == value:
            return data
    raise Fault(
        f"{where} 应为 {length} 字节的 base64，实为 {shown(value)}",
        f"{where} should be base64 of {length} bytes, is {shown(value)}",
    )


def ascending(values: Sequence[Any], where: str) -> None:
    """Insist on ascending, distinct values."""
    for i in range(1, len(values)):
        if not values[i - 1] < values[i]:
            raise Fault(
                f"{where} 未按升序排列或有重复：{shown(values[i - 1])} 之后是 {shown(values[i])}",
                f"{where} is not ascending and distinct: {shown(values[i - 1])} before {shown(values[i])}",
            )


def ids(value: Any, where: str) -> tuple[str, ...]:
    """Return ascending, distinct ids."""
    found = many(value, where, ident)
    ascending(found, where)
    return found


def distinct_ids(value: Any, where: str) -> tuple[str, ...]:
    """Return distinct ids in any order."""
    found = many(value, where, ident)
    if len(set(found)) != len(found):
        raise Fault(f"{where} 有重复的标识", f"{where} has an id twice")
    return found


def days(value: Any, where: str) -> tuple[str, ...]:
    """Return ascending, distinct dates."""
    found = many(value, where, day)
    ascending(found, where)
    return found


def distinct_when_folded(names: Any, where: str) -> None:
    """Insist that distinct ids of one kind differ in more than letter case."""
    seen: dict[str, str] = {}
    for name in names:
        other = seen.setdefault(name.lower(), name)
        if other != name:
            raise Fault(
                f"{where} 的标识 {other} 与 {name} 仅大小写不同",
                f"{where}: ids {other} and {name} differ only in letter case",
            )
