"""The announcement as typed data (docs/protocol.md §3): form only; its inner rules are in :mod:`.rules`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from typing import Any

from dualrandom.hashing import Digest, hash_hex, suite_digest
from dualrandom.verify import schema
from dualrandom.verify.report import Fault

NAME = "announcement.json"
TYPE = "dualrandom/v1/announcement"
LEADER = "leader"
WHOLE_SCOPE = "all"
"""The stratum of a task that follows another."""

_timezone = re.compile("[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*")


@dataclass(frozen=True, slots=True)
class Commitment:
    """Root (64 hex digits) and number of rows of a list."""

    root: str
    size: int


@dataclass(frozen=True, slots=True)
class Item:
    """A check item of a task: hours and the marks that its inspection requires."""

    id: str
    hours: Fraction
    marks: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Stratum:
    """A cell of a task's frame with its expected sample size."""

    id: str
    group: str
    expected: Fraction
    size: int


@dataclass(frozen=True, slots=True)
class Task:
    """One department's task; ``strata`` is None where it is sealed or the task follows, ``total`` only where it follows."""

    id: str
    department: str
    control: str
    mode: str
    lead: str | None
    items: tuple[Item, ...]
    strata: tuple[Stratum, ...] | None
    total: Fraction | None


@dataclass(frozen=True, slots=True)
class Contribution:
    """A party's committed nonce: Ed25519 key (32 bytes), signature (64 bytes), commitment (hex)."""

    party: str
    key: bytes
    commitment: str
    signature: bytes


@dataclass(frozen=True, slots=True)
class BeaconRound:
    """The public randomness that was announced."""

    kind: str
    source: str
    round: str
    time: datetime


@dataclass(frozen=True, slots=True)
class VisitLimit:
    """What one visit may carry at most; None does not limit."""

    checks: int | None
    departments: int | None
    hours: Fraction | None


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the relief ladder."""

    kind: str
    department: str
    amount: int


@dataclass(frozen=True, slots=True)
class Policy:
    """The announced rules that vary between authorities."""

    calendar: str
    cross_district: bool
    embargo: str
    relief: tuple[Step, ...]
    substitution: str
    undated: str
    visit_limit: VisitLimit | None


@dataclass(frozen=True, slots=True)
class Rate:
    """The published inclusion probabilities of a task; ``small`` is a count when sealed, else stratum ids."""

    task: str
    least: Fraction
    greatest: Fraction
    small: int | tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Announcement:
    """What was fixed before the randomness existed. ``digest`` is H of the document's bytes."""

    digest: str
    draw: str
    plan: str
    authority: str
    suite: str
    sealed: bool
    uscc: bool
    beacon: BeaconRound
    contributions: tuple[Contribution, ...]
    period: tuple[str, str]
    days: tuple[str, ...]
    reveal: datetime
    result: datetime
    findings: datetime
    lists: Mapping[str, Commitment]
    crews: Mapping[str, tuple[tuple[str, ...], ...]]
    tasks: Mapping[str, Task]
    profiles: Mapping[str, Mapping[str, str]] | None
    policy: Policy
    rates: tuple[Rate, ...]
    voids: tuple[str, ...]
    ids: Mapping[str, frozenset[str]]
    """All ids of the document by kind, for the rule on letter case."""

    @property
    def hash(self) -> Digest:
        """The digest function of the suite."""
        return suite_digest(self.suite)


_KEYS = (
    "auditor", "authority", "beacon", "contributions", "crews", "days", "deadlines", "disclosure", "draw",
    "enterprise_ids", "lists", "period", "plan", "policy", "profiles", "rates", "software", "suite", "tasks",
    "timezone", "type", "voids",
)  # fmt: skip


def parse_announcement(data: bytes, name: str = NAME) -> Announcement:
    """Parse the document. Raises Fault for anything that is not of the form of §3."""
    document = schema.record(schema.parsed(data, name), name, _KEYS)

    def at(key: str) -> tuple[Any, str]:
        return document[key], f"{name}: {key}"

    schema.choice(TYPE)(*at("type"))
    suite = schema.choice("sha256", "sm3")(*at("suite"))
    sealed = schema.choice("open", "sealed")(*at("disclosure")) == "sealed"
    _auditor(*at("auditor"), sealed)
    schema.matching(*at("timezone"), _timezone, "时区名", "a time zone's name")
    period = schema.record(*at("period"), ("end", "start"))
    deadlines = schema.record(*at("deadlines"), ("findings", "result", "reveal"))
    software = schema.record(*at("software"), ("name", "version"))
    for key in ("name", "version"):
        schema.text(software[key], f"{name}: software.{key}")
    crews = _crews(*at("crews"))
    tasks = _tasks(*at("tasks"), sealed)
    profiles = _profiles(*at("profiles"), sealed)
    policy = _policy(*at("policy"))
    contributions = schema.many(*at("contributions"), _contribution)
    schema.ascending([c.party for c in contributions], f"{name}: contributions")
    return Announcement(
        digest=hash_hex(data, suite_digest(suite)),
        draw=_draw_id(*at("draw"), schema.ident(*at("authority"))),
        plan=schema.ident(*at("plan")),
        authority=document["authority"],
        suite=suite,
        sealed=sealed,
        uscc=schema.choice("uscc", "free")(*at("enterprise_ids")) == "uscc",
        beacon=_beacon(*at("beacon")),
        contributions=contributions,
        period=(
            schema.day(period["start"], f"{name}: period.start"),
            schema.day(period["end"], f"{name}: period.end"),
        ),
        days=schema.days(*at("days")),
        reveal=schema.instant(deadlines["reveal"], f"{name}: deadlines.reveal"),
        result=schema.instant(deadlines["result"], f"{name}: deadlines.result"),
        findings=schema.instant(deadlines["findings"], f"{name}: deadlines.findings"),
        lists=_lists(*at("lists"), sealed),
        crews=crews,
        tasks=tasks,
        profiles=profiles,
        policy=policy,
        rates=_rates(*at("rates"), sealed),
        voids=schema.ids(*at("voids")),
        ids=_ids(crews, tasks, profiles, contributions, policy),
    )


def _draw_id(value: Any, where: str, authority: str) -> str:
    schema.ident(value, where)
    if re.fullmatch(re.escape(authority) + "-[0-9]{4}-(?!000000)[0-9]{6}", value) is None:
        raise Fault(
            f"{where} 应为 {authority}-年份-六位序号（自 000001 起），实为 {value}",
            f"{where} should be {authority}-<year>-<6 digits, from 000001>, is {value}",
        )
    return str(value)


def _auditor(value: Any, where: str, sealed: bool) -> None:
    if not sealed:
        schema.null(value, where)
        return
    auditor = schema.record(value, where, ("key", "name"))
    schema.binary(auditor["key"], f"{where}.key", 32)
    schema.text(auditor["name"], f"{where}.name")


def _beacon(value: Any, where: str) -> BeaconRound:
    found = schema.record(value, where, ("kind", "round", "source", "time"))
    return BeaconRound(
        kind=schema.choice("drand", "keystring", "local")(found["kind"], f"{where}.kind"),
        source=schema.ident(found["source"], f"{where}.source"),
        round=schema.ident(found["round"], f"{where}.round"),
        time=schema.instant(found["time"], f"{where}.time"),
    )


def _contribution(value: Any, where: str) -> Contribution:
    found = schema.record(value, where, ("commitment", "key", "party", "signature"))
    return Contribution(
        party=schema.ident(found["party"], f"{where}.party"),
        key=schema.binary(found["key"], f"{where}.key", 32),
        commitment=schema.hex64(found["commitment"], f"{where}.commitment"),
        signature=schema.binary(found["signature"], f"{where}.signature", 64),
    )


def read_commitment(value: Any, where: str) -> Commitment:
    """Read ``{"root", "size"}``."""
    found = schema.record(value, where, ("root", "size"))
    return Commitment(
        schema.hex64(found["root"], f"{where}.root"), schema.integer(found["size"], f"{where}.size")
    )


def _lists(value: Any, where: str, sealed: bool) -> dict[str, Commitment]:
    names = ("frame", "recusals", "roster", "strata") if sealed else ("frame", "recusals", "roster")
    found = schema.record(value, where, names)
    return {name: read_commitment(found[name], f"{where}.{name}") for name in names}


def _crews(value: Any, where: str) -> dict[str, tuple[tuple[str, ...], ...]]:
    crews: dict[str, tuple[tuple[str, ...], ...]] = {}
    for i, entry in enumerate(schema.array(value, where)):
        found = schema.record(entry, f"{where}[{i}]", ("department", "seats"))
        department = schema.ident(found["department"], f"{where}[{i}].department")
        if crews:
            schema.ascending([next(reversed(crews)), department], where)
        crews[department] = schema.many(found["seats"], f"{where}[{i}].seats", schema.ids)
    return crews


def _item(value: Any, where: str) -> Item:
    found = schema.record(value, where, ("hours", "id", "marks"))
    return Item(
        id=schema.ident(found["id"], f"{where}.id"),
        hours=schema.ratio(found["hours"], f"{where}.hours"),
        marks=schema.ids(found["marks"], f"{where}.marks"),
    )


def _stratum(value: Any, where: str) -> Stratum:
    found = schema.record(value, where, ("expected", "group", "id", "size"))
    return Stratum(
        id=schema.ident(found["id"], f"{where}.id"),
        group=schema.ident(found["group"], f"{where}.group"),
        expected=schema.ratio(found["expected"], f"{where}.expected"),
        size=schema.integer(found["size"], f"{where}.size"),
    )


def _tasks(value: Any, where: str, sealed: bool) -> dict[str, Task]:
    keys = ("control", "department", "id", "items", "lead", "mode", "strata", "total")
    tasks: list[Task] = []
    for i, entry in enumerate(schema.array(value, where)):
        place = f"{where}[{i}]"
        found = schema.record(entry, place, keys)
        mode = schema.choice("own", "follows")(found["mode"], f"{place}.mode")
        controls = ("one-way", "two-way") if mode == "own" else ("one-way",)
        items = schema.many(found["items"], f"{place}.items", _item)
        schema.ascending([item.id for item in items], f"{place}.items")
        strata = None
        total = None
        if mode == "own":
            schema.null(found["lead"], f"{place}.lead")
            total = schema.ratio(found["total"], f"{place}.total")
        else:
            schema.ident(found["lead"], f"{place}.lead")
            schema.null(found["total"], f"{place}.total")
        if mode == "own" and not sealed:
            strata = schema.many(found["strata"], f"{place}.strata", _stratum)
            schema.ascending([stratum.id for stratum in strata], f"{place}.strata")
        else:
            schema.null(found["strata"], f"{place}.strata")
        tasks.append(
            Task(
                id=schema.ident(found["id"], f"{place}.id"),
                department=schema.ident(found["department"], f"{place}.department"),
                control=schema.choice(*controls)(found["control"], f"{place}.control"),
                mode=mode,
                lead=found["lead"],
                items=items,
                strata=strata,
                total=total,
            )
        )
    schema.ascending([task.id for task in tasks], where)
    return {task.id: task for task in tasks}


def read_strata_of(value: Any, where: str) -> dict[str, str]:
    """Read a map task → stratum."""
    return {
        task: schema.ident(stratum, f"{where}.{task}")
        for task, stratum in schema.mapping(value, where).items()
    }


def _profiles(value: Any, where: str, sealed: bool) -> dict[str, Mapping[str, str]] | None:
    if sealed:
        schema.null(value, where)
        return None
    profiles: dict[str, Mapping[str, str]] = {}
    for i, entry in enumerate(schema.array(value, where)):
        found = schema.record(entry, f"{where}[{i}]", ("id", "strata"))
        profile = schema.ident(found["id"], f"{where}[{i}].id")
        if profiles:
            schema.ascending([next(reversed(profiles)), profile], where)
        profiles[profile] = read_strata_of(found["strata"], f"{where}[{i}].strata")
    return profiles


def read_step(value: Any, where: str) -> Step:
    """Read one step of the relief ladder."""
    found = schema.record(value, where, ("amount", "department", "kind"))
    return Step(
        kind=schema.choice("daily", "total", "lend", "seats")(found["kind"], f"{where}.kind"),
        department=schema.ident(found["department"], f"{where}.department"),
        amount=schema.integer(found["amount"], f"{where}.amount"),
    )


def _visit_limit(value: Any, where: str) -> VisitLimit:
    found = schema.record(value, where, ("checks", "departments", "hours"))
    return VisitLimit(
        checks=schema.maybe(found["checks"], f"{where}.checks", schema.positive),
        departments=schema.maybe(found["departments"], f"{where}.departments", schema.positive),
        hours=schema.maybe(found["hours"], f"{where}.hours", schema.ratio),
    )


def _policy(value: Any, where: str) -> Policy:
    keys = ("calendar", "cross_district", "embargo", "relief", "substitution", "undated", "visit_limit")
    found = schema.record(value, where, keys)
    return Policy(
        calendar=schema.choice("lottery", "optimise")(found["calendar"], f"{where}.calendar"),
        cross_district=schema.boolean(found["cross_district"], f"{where}.cross_district"),
        embargo=schema.choice("none", "crews", "visits")(found["embargo"], f"{where}.embargo"),
        relief=schema.many(found["relief"], f"{where}.relief", read_step),
        substitution=schema.choice("fresh", "next", "none")(found["substitution"], f"{where}.substitution"),
        undated=schema.choice("list", "void")(found["undated"], f"{where}.undated"),
        visit_limit=schema.maybe(found["visit_limit"], f"{where}.visit_limit", _visit_limit),
    )


def _rates(value: Any, where: str, sealed: bool) -> tuple[Rate, ...]:
    rates = []
    for i, entry in enumerate(schema.array(value, where)):
        place = f"{where}[{i}]"
        found = schema.record(entry, place, ("greatest", "least", "small", "task"))
        read_small = schema.integer if sealed else schema.ids
        rates.append(
            Rate(
                task=schema.ident(found["task"], f"{place}.task"),
                least=schema.ratio(found["least"], f"{place}.least"),
                greatest=schema.ratio(found["greatest"], f"{place}.greatest"),
                small=read_small(found["small"], f"{place}.small"),
            )
        )
    schema.ascending([rate.task for rate in rates], where)
    return tuple(rates)


def _ids(
    crews: Mapping[str, tuple[tuple[str, ...], ...]],
    tasks: Mapping[str, Task],
    profiles: Mapping[str, Mapping[str, str]] | None,
    contributions: tuple[Contribution, ...],
    policy: Policy,
) -> dict[str, frozenset[str]]:
    strata = [stratum for task in tasks.values() for stratum in task.strata or ()]
    items = [item for task in tasks.values() for item in task.items]
    return {
        "department": frozenset(crews)
        | {task.department for task in tasks.values()}
        | {step.department for step in policy.relief},
        "task": frozenset(tasks) | {task.lead for task in tasks.values() if task.lead is not None},
        "stratum": frozenset(stratum.id for stratum in strata),
        "group": frozenset(stratum.group for stratum in strata),
        "profile": frozenset(profiles or ()),
        "item": frozenset(item.id for item in items),
        "mark": frozenset(mark for item in items for mark in item.marks)
        | {mark for seats in crews.values() for seat in seats for mark in seat},
        "party": frozenset(contribution.party for contribution in contributions),
    }
