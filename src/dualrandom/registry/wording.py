"""How a fault is worded: what is wrong and what to do, in both languages."""

from __future__ import annotations

from dataclasses import dataclass

from dualrandom.errors import Severity


@dataclass(frozen=True, slots=True)
class Fault:
    """The texts of one code; braces are filled in, and whether it refuses the file."""

    zh: str
    en: str
    remedy_zh: str
    remedy_en: str
    severity: Severity = "error"


def warning(zh: str, en: str, remedy_zh: str, remedy_en: str) -> Fault:
    """Return a fault that does not refuse the file."""
    return Fault(zh, en, remedy_zh, remedy_en, "warning")
