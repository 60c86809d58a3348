"""Exact numbers of a plan file: ratios, weights and hours, as people write them."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from fractions import Fraction
from typing import TypeGuard

from dualrandom.policy.source import Faults, Path
from dualrandom.policy.values import Read

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
                f'"{words}"' if isinstance(value, str) and number(words) is not None else None,
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
