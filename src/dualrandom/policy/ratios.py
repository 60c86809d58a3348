"""Exact numbers of a plan file: ratios, weights and hours, as people write them."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from fractions import Fraction
from typing import TypeGuard

from dualrandom.policy.source import Faults, Path
from dualrandom.policy.values import Read, mapping

_NUMBER = re.compile(r"(\d{1,20})(?:\.(\d{1,20}))?(%?)|(\d{1,20})/(\d{1,20})")


def number(words: str) -> Fraction | None:
    """Return the value of ``3%``, ``1/30``, ``0.05`` or ``2``, exactly; None if it is none of these."""
    match = _NUMBER.fullmatch(words.strip())
    if not match:
        return None
    if match[4]:
        return Fraction(int(match[4]), int(match[5])) if int(match[5]) else None
    decimals = match[2] or ""
    return Fraction(int(match[1] + decimals), 10 ** len(decimals) * (100 if match[3] else 1))


def _is_number(value: object) -> TypeGuard[int | Decimal]:
    if isinstance(value, Decimal):
        # 1e999999 would not fit into memory as a fraction
        return value.is_finite() and abs(value.adjusted()) <= 20
    return isinstance(value, int) and not isinstance(value, bool)


_HUNDREDTHS = re.compile(r"百分之([\d.]+|[一二三四五六七八九十]{1,3})|([一二三四五六七八九十]{1,3})%")
_TENS = re.compile(r"([一二三四五六七八九]?)(十?)([一二三四五六七八九]?)")
_DIGITS = "零一二三四五六七八九"


def _meant(words: str) -> str | None:
    """Return how a ratio written in another way, like 百分之五 or 5 %, is written here."""
    bare = "".join(words.split())
    said = _HUNDREDTHS.fullmatch(bare)
    if said:
        count = said[1] or said[2]
        tens = _TENS.fullmatch(count)
        if tens and tens[2]:
            count = str(
                (_DIGITS.index(tens[1]) if tens[1] else 1) * 10 + (_DIGITS.index(tens[3]) if tens[3] else 0)
            )
        elif tens and tens[1] and not tens[3]:
            count = str(_DIGITS.index(tens[1]))
        bare = f"{count}%"
    return f'"{bare}"' if number(bare) is not None else None


def ratios(faults: Faults, path: Path, value: object) -> dict[str, Fraction] | None:
    """Read a table of ratios between 0 and 1; among numbers above 1, which are percentages, a bare 1 is not taken as 100 %."""
    table: dict[str, Fraction] | None = mapping(rational(1))(faults, path, value)
    if isinstance(value, dict) and any(_bare(each, above=True) for each in value.values()):
        for key, each in value.items():
            if _bare(each, above=False):
                faults.error(
                    (*path, key),
                    "plan-range",
                    each,
                    ("其他比例写成了百分数，而 1 是 100%", "the other ratios are percentages, but 1 is 100%"),
                    ('写作 "1%"（或 "100%"）', 'Write "1%" (or "100%")'),
                    '"1%"',
                )
    return table


def _bare(value: object, *, above: bool) -> bool:
    """Whether a number without a percent sign is above 1, or else 1."""
    found = number(value) if isinstance(value, str) and not set(value) & set("/%") else None
    if _is_number(value):
        found = Fraction(value)
    return found is not None and (found > 1 if above else found == 1)


def rational(greatest: int | None = None, *, positive: bool = False) -> Read:
    """Return a reader of exact numbers ≥ 0 (> 0 if ``positive``), not above ``greatest``."""

    def read(faults: Faults, path: Path, value: object) -> Fraction | None:
        found: Fraction | None = None
        if isinstance(value, str):
            found = number(value)
        elif _is_number(value) and value >= 0:
            found = Fraction(value)
        words = unicodedata.normalize("NFKC", str(value)).strip()
        if found is None:
            faults.error(
                path,
                "plan-number",
                value,
                ("不是比例或数值", "is not a ratio or number"),
                ('写作 "3%"、"1/30" 或 0.05', 'Write it like "3%", "1/30" or 0.05'),
                _meant(words) if isinstance(value, str) else None,
            )
            return None
        if (greatest is not None and found > greatest) or (positive and not found):
            top = f"{greatest} (100%)" if greatest == 1 else str(greatest)
            low = "大于 0" if positive else "0"
            faults.error(
                path,
                "plan-range",
                value,
                (
                    f"应在 {low} 与 {top} 之间" if greatest is not None else "应大于 0",
                    f"should be between 0 and {top}" if greatest is not None else "should be greater than 0",
                ),
                (
                    '比例写百分号，如 "3%"' if greatest == 1 else "改为允许范围内的数",
                    'Write a ratio with its percent sign, like "3%"'
                    if greatest == 1
                    else "Choose a number in range",
                ),
                f'"{words}%"' if greatest == 1 and found <= 100 and not set(words) & set("/%") else None,
            )
            return None
        return found

    return read
