"""Readers of single values of a plan file: each checks type and form, notes faults and returns None then.

A reader is called with the list of faults, the path of the value and the value as ``tomllib`` gave it
(floats as ``Decimal``, so that ``0.03`` is exactly 3/100).
"""

from __future__ import annotations

import base64
import binascii
import re
import unicodedata
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from dualrandom.policy.source import Faults, Path, Text, nearest

Read = Callable[[Faults, Path, object], Any]

FILL_IN = "请填写"
"""Stands in texts of a plan that somebody must complete; such a plan is refused."""
FILL_IN_ID = "fill-in"
"""The same for ids."""
ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
"""Ids of docs/protocol.md §1."""
ID_FORM: Text = (
    "用 1–64 个字母、数字、点、下划线或连字符，以字母或数字开头；中文名称写在 name 里",
    "Use 1 to 64 letters, digits, dots, underscores or hyphens, a letter or digit first; words go into name",
)
_DAY = re.compile(r"\s*(\d{4})[-/.年](\d{1,2})[-/.月](\d{1,2})日?\s*")
_TYPES: tuple[tuple[type, Text], ...] = (
    (bool, ("真假值", "true or false")),
    (str, ("文字", "a text")),
    (int, ("整数", "an integer")),
    (Decimal, ("小数", "a decimal number")),
    (datetime, ("时刻", "a time")),
    (date, ("日期", "a date")),
    (list, ("列表", "a list")),
    (dict, ("表", "a table")),
)


def wrong_type(
    faults: Faults, path: Path, value: object, wanted: Text, suggestion: str | None = None
) -> None:
    """Note that ``value`` is not of the wanted type."""
    got = next((words for kind, words in _TYPES if isinstance(value, kind)), ("时间", "a time of day"))
    faults.error(
        path,
        "plan-type",
        value,
        (f"应为{wanted[0]}，实为{got[0]}", f"should be {wanted[1]}, is {got[1]}"),
        (f"改写为{wanted[0]}", f"Write it as {wanted[1]}"),
        suggestion,
    )


def ident(faults: Faults, path: Path, value: object) -> str | None:
    """Read an id."""
    if not isinstance(value, str):
        suggestion = f'"{value}"' if isinstance(value, int) and not isinstance(value, bool) else None
        wrong_type(faults, path, value, ("带引号的代码", "an id in quotes"), suggestion)
        return None
    if not ID.fullmatch(value):
        plain = unicodedata.normalize("NFKC", value).strip()
        faults.error(
            path,
            "plan-id",
            value,
            (
                "代码含有不允许的字符或长度不对",
                "the id has characters that are not allowed, or the wrong length",
            ),
            ID_FORM,
            plain if ID.fullmatch(plain) else None,
        )
        return None
    return None if value == FILL_IN_ID and _unfilled(faults, path, value) else value


def _unfilled(faults: Faults, path: Path, value: str) -> bool:
    faults.error(
        path,
        "plan-placeholder",
        value,
        ("还没有填写", "is still a placeholder"),
        ("填写实际内容；公告会原样发布", "Fill it in: the announcement publishes it as it is"),
    )
    return True


def text(faults: Faults, path: Path, value: object) -> str | None:
    """Read words for people: not empty, one line, in Unicode NFC, without blanks around."""
    if not isinstance(value, str):
        wrong_type(faults, path, value, ("带引号的文字", "a text in quotes"))
        return None
    words = unicodedata.normalize("NFC", value).strip()
    if not words or not all(character.isprintable() for character in words):
        faults.error(
            path,
            "plan-text",
            value,
            ("文字为空或含有不可见字符", "the text is empty or has invisible characters"),
            ("写一行可见文字，或删去这一行", "Write one line of visible text, or take the key out"),
        )
        return None
    return None if FILL_IN in words and _unfilled(faults, path, words) else words


def cell(faults: Faults, path: Path, value: object) -> str | None:
    """Read the content of a cell: a text that may be empty."""
    if isinstance(value, str) and (not value or value.isprintable()):
        return unicodedata.normalize("NFC", value)
    wrong_type(faults, path, value, ("带引号的文字", "a text in quotes"))
    return None


def flag(faults: Faults, path: Path, value: object) -> bool | None:
    """Read true or false."""
    if isinstance(value, bool):
        return value
    wrong_type(faults, path, value, ("不带引号的 true 或 false", "true or false without quotes"))
    return None


def integer(least: int, greatest: int = 10**9) -> Read:
    """Return a reader of integers within bounds."""

    def read(faults: Faults, path: Path, value: object) -> int | None:
        if not isinstance(value, int) or isinstance(value, bool):
            digits = isinstance(value, str) and value.strip().isdecimal()
            wrong_type(
                faults,
                path,
                value,
                ("不带引号的整数", "an integer without quotes"),
                str(value).strip() if digits else None,
            )
            return None
        if not least <= value <= greatest:
            faults.error(
                path,
                "plan-range",
                value,
                (f"超出范围 {least}–{greatest}", f"is not within {least} to {greatest}"),
                (f"改为 {least} 至 {greatest} 之间的整数", f"Choose an integer from {least} to {greatest}"),
            )
            return None
        return value

    return read


def choice(*options: str) -> Read:
    """Return a reader of one of the words ``options``."""

    def read(faults: Faults, path: Path, value: object) -> str | None:
        if isinstance(value, str) and value in options:
            return value
        listed = ", ".join(f'"{option}"' for option in options)
        faults.error(
            path,
            "plan-choice",
            value,
            ("不是允许的取值", "is not an allowed value"),
            (f"可用：{listed}", f"Allowed are {listed}"),
            nearest(value, options) if isinstance(value, str) else None,
        )
        return None

    return read


def day(faults: Faults, path: Path, value: object) -> date | None:
    """Read a date."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    found = _DAY.fullmatch(value) if isinstance(value, str) else None
    suggestion = f"{found[1]}-{int(found[2]):02}-{int(found[3]):02}" if found else None
    wrong_type(
        faults,
        path,
        value,
        ("不带引号的日期，如 2023-09-01", "a date without quotes, like 2023-09-01"),
        suggestion,
    )
    return None


def instant(faults: Faults, path: Path, value: object) -> datetime | None:
    """Read an instant with its offset, in whole seconds; returned in UTC."""
    if not isinstance(value, datetime):
        wrong_type(
            faults,
            path,
            value,
            (
                "不带引号、含时区的时刻，如 2023-08-24T09:00:00+08:00",
                "a time with offset, like 2023-08-24T09:00:00+08:00",
            ),
        )
        return None
    if value.tzinfo is None:
        faults.error(
            path,
            "plan-offset",
            value.isoformat(),
            ("时刻没有写明与世界时的差", "the time does not say how far it is from UTC"),
            ("在末尾写明时差，北京时间写 +08:00", "Add the offset at its end: Z for UTC, +08:00 for Beijing"),
            f"{value.isoformat()}+08:00",
        )
        return None
    try:
        utc = value.astimezone(UTC)
    except OverflowError:
        utc = None
    if utc is None or utc.microsecond or utc.year < 1970:
        faults.error(
            path,
            "plan-instant",
            value.isoformat(),
            ("时刻不是整秒，或早于 1970 年", "the time is not a whole second, or is before 1970"),
            ("写到整秒为止", "Write it to the whole second"),
        )
        return None
    return utc


def many(one: Read, *, filled: bool = False, ordered: bool = True) -> Read:
    """Return a reader of lists whose elements ``one`` reads, none twice; ascending tuple, or as written."""

    def read(faults: Faults, path: Path, value: object) -> tuple[Any, ...] | None:
        if not isinstance(value, list):
            suggestion = f'["{value}"]' if isinstance(value, str) else None
            wrong_type(faults, path, value, ("方括号中的列表", "a list in square brackets"), suggestion)
            return None
        elements = [one(faults, (*path, position), element) for position, element in enumerate(value)]
        if filled and not value:
            faults.error(
                path,
                "plan-empty",
                "[]",
                ("列表为空", "the list is empty"),
                ("至少写一项", "Name at least one"),
            )
            return None
        if None in elements:
            return None
        twice = sorted({element for element in elements if elements.count(element) > 1})
        for element in twice:
            faults.error(
                path,
                "plan-twice",
                element,
                ("同一项写了两次", "is in the list twice"),
                ("只保留一次", "Keep it once"),
            )
        if twice:
            return None
        return tuple(sorted(elements) if ordered else elements)

    return read


def seats(faults: Faults, path: Path, value: object) -> tuple[tuple[str, ...], ...] | None:
    """Read a crew's seats, one list of marks each; at least two (two licensed inspectors a department)."""
    if not isinstance(value, list) or not all(isinstance(seat, list) for seat in value):
        wrong_type(
            faults,
            path,
            value,
            (
                '每席一个列表，如 [["leader"], []]',
                'a list with one list of marks a seat, like [["leader"], []]',
            ),
        )
        return None
    read = [many(ident)(faults, (*path, position), seat) for position, seat in enumerate(value)]
    if len(value) < 2:
        faults.error(
            path,
            "plan-seats",
            len(value),
            ("每个部门的检查组少于两席", "a department's crew has fewer than two seats"),
            (
                "执法检查人员不得少于两人：至少写两席",
                "The law asks for at least two licensed inspectors a department: give two seats or more",
            ),
            '[["leader"], []]',
        )
        return None
    return None if None in read else tuple(seat for seat in read if seat is not None)


def mapping(one: Read) -> Read:
    """Return a reader of tables from any key to what ``one`` reads."""

    def read(faults: Faults, path: Path, value: object) -> dict[str, Any] | None:
        if not isinstance(value, dict):
            wrong_type(
                faults, path, value, ('花括号中的表，如 { A = "1%" }', 'a table in braces, like { A = "1%" }')
            )
            return None
        elements = {key: one(faults, (*path, key), element) for key, element in value.items()}
        return None if None in elements.values() else elements

    return read


def base64_bytes(length: int, what: Text) -> Read:
    """Return a reader of ``length`` bytes in base64, returned as they are written."""

    def read(faults: Faults, path: Path, value: object) -> str | None:
        try:
            good = isinstance(value, str) and len(base64.b64decode(value, validate=True)) == length
            # another spelling of the same bytes would not be the canonical one
            good = good and base64.b64encode(base64.b64decode(str(value))).decode() == value
        except (binascii.Error, ValueError):
            good = False
        if good:
            return str(value)
        faults.error(
            path,
            "plan-base64",
            value,
            (f"不是{what[0]}（{length} 字节的 base64）", f"is not {what[1]} ({length} bytes in base64)"),
            ("原样粘贴对方给出的一行", "Paste the line that you were given, unchanged"),
        )
        return None

    return read


def hex64(faults: Faults, path: Path, value: object) -> str | None:
    """Read 64 lower-case hex digits."""
    if isinstance(value, str) and re.fullmatch(r"[0-9a-f]{64}", value):
        return value
    lower = str(value).strip().lower()
    faults.error(
        path,
        "plan-hex",
        value,
        ("不是 64 位小写十六进制", "is not 64 lower-case hex digits"),
        ("原样粘贴对方给出的一行", "Paste the line that you were given, unchanged"),
        lower if re.fullmatch(r"[0-9a-f]{64}", lower) else None,
    )
    return None


def round_id(faults: Faults, path: Path, value: object) -> str | None:
    """Read a beacon round: an id, or an integer without quotes."""
    if isinstance(value, int) and not isinstance(value, bool) and value >= 0:
        return str(value)
    return ident(faults, path, value)
