"""Verdicts: what each check of docs/protocol.md §12 found, said in Chinese and English.

A check fails if anything is wrong, is NOT CHECKED if something could not be seen and nothing is wrong, and passes
only when all of it was seen and right.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Status = Literal["PASS", "FAIL", "NOT CHECKED"]

CHECK_NAMES = (
    "canonical",
    "signatures",
    "log",
    "lists",
    "announcement",
    "events",
    "contributions",
    "beacon",
    "seed",
    "sizes",
    "selection",
    "visits",
    "dates",
    "crews",
    "prices",
    "result",
    "findings",
    "changes",
    "draws",
)
"""All checks in the order of the protocol; a report has each of them once."""

SHOWN = 5
"""Faults told in full by one check; the rest are counted."""


class Fault(Exception):
    """One thing that is wrong with a record, in both languages."""

    def __init__(self, zh: str, en: str) -> None:
        super().__init__(zh, en)
        self.zh = zh
        self.en = en


@dataclass(frozen=True, slots=True)
class Check:
    """The outcome of one named check with its reason."""

    name: str
    status: Status
    reason_zh: str
    reason_en: str


@dataclass(frozen=True, slots=True)
class Report:
    """All checks of one record, in the protocol's order."""

    checks: tuple[Check, ...]

    @property
    def exit_code(self) -> int:
        """1 when anything failed, else 3 when anything was not checked, else 0."""
        statuses = {check.status for check in self.checks}
        if "FAIL" in statuses:
            return 1
        return 3 if "NOT CHECKED" in statuses else 0

    def status(self, name: str) -> Status:
        """Return the status of one check. Raises KeyError for an unknown name."""
        return {check.name: check.status for check in self.checks}[name]


@dataclass(slots=True)
class Verdict:
    """Collects what one check finds; the only mutable thing a check writes to."""

    name: str
    faults: list[tuple[str, str]] = field(default_factory=list)
    gaps: list[tuple[str, str]] = field(default_factory=list)
    notes: list[tuple[str, str]] = field(default_factory=list)

    def fail(self, zh: str, en: str) -> None:
        """Note that something is wrong."""
        self.faults.append((zh, en))

    def unchecked(self, zh: str, en: str) -> None:
        """Note that something could not be seen, and why."""
        if (zh, en) not in self.gaps:
            self.gaps.append((zh, en))

    def note(self, zh: str, en: str) -> None:
        """Say what was checked; shown when nothing is wrong."""
        self.notes.append((zh, en))

    def check(self) -> Check:
        """Return the outcome."""
        if self.faults:
            return self._told("FAIL", self.faults)
        if self.gaps:
            seen = [(f"已核对：{zh}", f"checked: {en}") for zh, en in self.notes]
            return self._told("NOT CHECKED", self.gaps + seen)
        return self._told("PASS", self.notes)

    def _told(self, status: Status, texts: list[tuple[str, str]]) -> Check:
        zh = "；".join(text[0] for text in texts[:SHOWN])
        en = "; ".join(text[1] for text in texts[:SHOWN])
        more = len(texts) - SHOWN
        if more > 0:
            zh += f"；另有 {more} 处"
            en += f"; and {more} more"
        return Check(self.name, status, zh, en)
