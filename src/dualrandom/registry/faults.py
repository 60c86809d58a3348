"""Every fault that a library can have, in both languages, with what to do about it.

Codes are stable. The braces of a text are filled by :func:`problem`; ``value`` is always there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dualrandom.errors import Problem
from dualrandom.registry.file_faults import FILES, HEADINGS
from dualrandom.registry.row_faults import CELLS, RULES
from dualrandom.registry.wording import Fault

LONGEST_VALUE = 200
"""Longer values are cut in a problem: it is read by people."""


FAULTS: Mapping[str, Fault] = {**FILES, **HEADINGS, **CELLS, **RULES}


@dataclass(frozen=True, slots=True)
class Place:
    """Where a file is at fault; None where a part does not apply."""

    file: str
    sheet: str | None = None
    row: int | None = None
    column: str | None = None


def problem(
    code: str, place: Place, value: object = "", suggestion: str | None = None, /, **words: object
) -> Problem:
    """Return the problem ``code`` at ``place``. Raises ``KeyError`` for an unknown code or a missing word."""
    fault = FAULTS[code]
    shown = str(value)
    if len(shown) > LONGEST_VALUE:
        shown = shown[:LONGEST_VALUE] + "…"
    if not shown.isprintable():
        shown = shown.encode("utf-8", "replace").decode()
    words["value"] = shown
    return Problem(
        code=code,
        file=place.file,
        sheet=place.sheet,
        row=place.row,
        column=place.column,
        value=shown,
        message_zh=fault.zh.format_map(words),
        message_en=fault.en.format_map(words),
        remedy_zh=fault.remedy_zh.format_map(words),
        remedy_en=fault.remedy_en.format_map(words),
        severity=fault.severity,
        suggestion=suggestion,
    )
