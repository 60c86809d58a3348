"""TOML that people hand in: ``tomllib``, but no text can make it take hours or all memory.

``tomllib`` keeps every beginning of a dotted key, so a line of 100,000 parts needs gigabytes; no document here nests that deep.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from typing import Any

MOST_PARTS = 32
"""Parts of a dotted key."""
MOST_WORDS = 1_000
"""Words with dots between them that are no key, in a text or a comment: so many cost ``tomllib`` nothing even if they are taken for one."""
_PART = r"""(?:"[^"\n]*"|'[^'\n]*'|[A-Za-z0-9_-]+)"""
# possessive, and found one behind the other: no text is gone over twice
_CHAIN = re.compile(
    rf"(?<![A-Za-z0-9_.-])(?:{_PART}[ \t]*\.[ \t]*){{{MOST_PARTS},}}+(?:{_PART}[ \t]*)?+(?P<key>[=\]]?)"
)


def read_toml(text: str, parse_float: Callable[[str], Any] = float) -> dict[str, Any]:
    """Parse TOML. Raises ``tomllib.TOMLDecodeError`` (a ValueError) for what is none, or has keys of more than MOST_PARTS parts."""
    for found in _CHAIN.finditer(text):
        if found["key"] or found[0].count(".") > MOST_WORDS:
            line = text.count("\n", 0, found.start()) + 1
            raise tomllib.TOMLDecodeError(f"A key of more than {MOST_PARTS} parts (at line {line}, column 1)")
    try:
        document = tomllib.loads(text, parse_float=parse_float)
        _require_writable(document)
        return document
    except RecursionError as problem:
        raise tomllib.TOMLDecodeError("Nested too deep (at end of document)") from problem
    except tomllib.TOMLDecodeError:
        raise
    except ValueError as problem:  # an integer of thousands of digits
        raise tomllib.TOMLDecodeError("A number that is too long (at end of document)") from problem


def _require_writable(document: Any) -> None:
    """Raise ValueError if a number is too long to be written. ``tomllib`` does so for decimal digits, but not for hexadecimal ones."""
    waiting = [document]
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict):
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
        elif isinstance(value, int):
            str(value)
