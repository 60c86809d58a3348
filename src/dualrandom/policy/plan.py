"""The plan of one campaign as immutable data: what ``plan.toml`` says, validated.

A plan names the authority, the period, the tasks with their annual quotas, the crews, the caps and the source of the
randomness (抽查计划). It holds no library rows and does no I/O; :mod:`dualrandom.policy.reader` builds it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from fractions import Fraction
from typing import Literal

from dualrandom.calendar import Notices
from dualrandom.policy.documents import Policy

Operator = Literal["floor", "ceiling", "exact"]
Rounding = Literal["up", "unbiased"]
Disclosure = Literal["sealed", "open"]
Embargo = Literal["none", "crews", "visits"]
BeaconKind = Literal["drand", "keystring", "local"]
Control = Literal["one-way", "two-way"]


@dataclass(frozen=True, slots=True)
class Named:
    """An id with its names in both languages (``name_en`` falls back to ``name``)."""

    id: str
    name: str
    name_en: str


@dataclass(frozen=True, slots=True)
class Department:
    """A department and the seats of its crews: one tuple of marks a seat, in order; ``()`` is an open seat."""

    id: str
    name: str
    name_en: str
    seats: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Scope:
    """Which enterprises a task may draw (定向/不定向). An empty tuple does not restrict; all empty is undirected."""

    kinds: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    """Prefixes of GB/T 4754 codes."""
    classes: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    """Values of the enterprise library's ``category`` column (for instance a licence or facility type)."""
    where: str = ""
    """A filter (:mod:`dualrandom.policy.filter`) that was read without error, or empty."""


@dataclass(frozen=True, slots=True)
class Budget:
    """Budget mode: ``visits`` a year, shared over the classes in proportion to weight times size."""

    visits: int
    weights: Mapping[str, Fraction]


@dataclass(frozen=True, slots=True)
class Task:
    """One department's items, scope and annual quota (抽查任务). Exactly one of ``ratios`` and ``budget`` unless it follows."""

    id: str
    name: str
    name_en: str
    department: str
    mode: Literal["own", "follows"]
    lead: str | None
    items: tuple[str, ...]
    scope: Scope
    operator: Operator
    ratios: Mapping[str, Fraction] | None
    """Annual ratio by credit class, each in [0, 1]."""
    budget: Budget | None
    frequency: int
    strata_by: tuple[Literal["class", "district", "kind"], ...]
    group_by: Literal["class", "district", "kind", "task"]
    control: Control
    minimum: int = 0
    """Checks a year of each stratum at least, as far as it has enterprises and no law forbids it."""
    interval: int | None = None
    """Months that must pass between two checks of one enterprise under this task."""
    policies: tuple[Policy, ...] = ()
    """Policies that concern this task, besides the plan's."""


@dataclass(frozen=True, slots=True)
class VisitLimit:
    """What one visit may carry at most; ``None`` does not limit. ``hours`` sums the items' hours."""

    departments: int | None
    checks: int | None
    hours: Fraction | None


@dataclass(frozen=True, slots=True)
class Caps:
    """Defaults for inspectors whose row leaves the cap empty, and the enterprises' annual cap (``None``: none)."""

    daily: int
    total: int
    enterprise_annual: int | None


@dataclass(frozen=True, slots=True)
class Beacon:
    """The public randomness announced beforehand. ``time`` is when the round is due (UTC)."""

    kind: BeaconKind
    source: str
    round: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Contribution:
    """A party whose committed nonce goes into the seed. ``key``, ``commitment``, ``signature`` are given together when
    the party made them itself, else they are generated under ``private/``."""

    party: str
    name: str
    reveal: bool
    key: str | None
    commitment: str | None
    signature: str | None


@dataclass(frozen=True, slots=True)
class Auditor:
    """Who holds the opening secret of a sealed draw. ``key``: base64 Ed25519 public key, ``None``: generate one."""

    name: str
    key: str | None


@dataclass(frozen=True, slots=True)
class PublicLog:
    """Where the transparency log lies that carries this authority's draws, and the witnesses that it asks."""

    folder: str
    """Relative to the campaign; shared by all campaigns of the authority."""
    origin: str | None
    """The log's name in its checkpoints; None: ``dualrandom/<authority>``."""
    policy: str | None
    """A file of witnesses and quorum (C2SP tlog-policy), relative to the campaign; None: no witnesses."""


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Until when nonces are revealed, the result is published (instants, UTC) and the findings are published."""

    reveal: datetime
    result: datetime
    findings: datetime


@dataclass(frozen=True, slots=True)
class Exemption:
    """An enterprise that must not be drawn, for one task or (None) for all, with the reason that the office states."""

    enterprise: str
    task: str | None
    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class LibrarySource:
    """Where one library lies and how its columns map to ours (ours → theirs; values: ours column → theirs → ours)."""

    file: str
    sheet: str | None
    encoding: str | None
    columns: Mapping[str, str]
    values: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Plan:
    """Everything ``plan.toml`` fixes before the randomness exists."""

    id: str
    authority: str
    authority_name: str
    authority_name_en: str
    number: int
    """Number of the first draw of this plan within the authority and year."""
    year: int
    timezone: str
    language: Literal["zh", "en"]
    period: tuple[date, date]
    months_left: int
    """Months of the year over which the owed visits are spread, this one included (≥ 1)."""
    suite: Literal["sha256", "sm3"]
    disclosure: Disclosure
    classes_public: str | None
    enterprise_ids: Literal["uscc", "free"]
    classes: tuple[str, ...]
    """Credit classes from low to high risk."""
    districts: tuple[Named, ...]
    departments: tuple[Department, ...]
    tasks: tuple[Task, ...]
    rounding: Rounding
    calendar: Literal["lottery", "optimise"]
    working_days: Literal["cn", "weekdays", "all"]
    extra_days: tuple[date, ...]
    closed_days: tuple[date, ...]
    cross_district: bool
    cross_district_basis: str | None
    rotation: bool
    """The inspectors of an enterprise's last visit are recused from the next one."""
    embargo: Embargo
    undated: Literal["list", "void"]
    substitution: Literal["fresh", "next", "none"]
    visit_limit: VisitLimit | None
    caps: Caps
    relief: tuple[Mapping[str, object], ...]
    beacon: Beacon
    contributions: tuple[Contribution, ...]
    auditor: Auditor | None
    deadlines: Deadlines
    libraries: Mapping[str, LibrarySource]
    """Keys: enterprises, inspectors, items, recusals, visits; a library without an entry is found by file name."""
    policies: tuple[Policy, ...] = ()
    """Policies that concern every task in their scope."""
    exemptions: tuple[Exemption, ...] = ()
    notices: Notices | None = None
    """Notices of working days that the campaign brings along, those of the release included; None: only these."""
    log: PublicLog | None = None
    mask_individuals: bool = True
    """Published documents mask the names of individual businesses, which are personal."""
