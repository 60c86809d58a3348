"""Rows of the libraries as immutable data. Readers validate them; whoever holds one may trust it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import Literal


@dataclass(frozen=True, slots=True)
class Enterprise:
    """What can be inspected (检查对象). ``closed`` are days on which it cannot be visited."""

    id: str
    name: str
    district: str
    credit_class: str
    kind: str
    """Object kind: ``enterprise``, ``cooperative``, ``individual`` or another word of the plan."""
    industry: str
    """GB/T 4754 code or empty."""
    category: str
    """Licence type, facility type or empty."""
    address: str
    closed: tuple[date, ...]
    size: str = ""
    abnormal: bool = False
    """On the list of abnormal operation (经营异常名录)."""
    last_report: int | None = None
    """The year that the last annual report is about."""
    established: date | None = None
    suspended_until: date | None = None
    """Last day of a suspension of business (歇业)."""
    street: str = ""


@dataclass(frozen=True, slots=True)
class Inspector:
    """A licensed inspector (执法检查人员). ``daily`` and ``total`` are crews a day and in the period, ``None``: the plan's."""

    code: str
    name: str
    department: str
    districts: tuple[str, ...]
    """Districts served; empty: every district of the plan."""
    marks: tuple[str, ...]
    licence: str
    valid_until: date | None
    days_off: tuple[date, ...]
    daily: int | None
    total: int | None


@dataclass(frozen=True, slots=True)
class Item:
    """An entry of the published item list (抽查事项清单): who checks what, on which legal basis."""

    id: str
    name: str
    name_en: str
    department: str
    basis: str
    category: Literal["general", "key"]
    marks: tuple[str, ...]
    hours: Fraction
    valid_from: date | None
    valid_until: date | None


@dataclass(frozen=True, slots=True)
class Recusal:
    """``inspector`` may not check ``other`` (an enterprise) or serve with ``other`` (an inspector); ``ground`` is a code."""

    inspector: str
    other: str
    ground: str


@dataclass(frozen=True, slots=True)
class PastVisit:
    """One check done earlier: who was visited when, for which task or item, by whom."""

    enterprise: str
    date: date
    department: str
    task: str
    """Task id of the plan it belonged to, or empty."""
    item: str
    inspectors: tuple[str, ...]
    kind: Literal["plan", "case", "special"]


@dataclass(frozen=True, slots=True)
class Libraries:
    """All libraries of a campaign, each sorted by its id, so the order of rows in a file changes nothing."""

    enterprises: tuple[Enterprise, ...]
    inspectors: tuple[Inspector, ...]
    items: tuple[Item, ...]
    recusals: tuple[Recusal, ...]
    visits: tuple[PastVisit, ...]
