"""The rows of changes.jsonl as typed data (docs/protocol.md §13): form and chain only."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dualrandom.hashing import Digest
from dualrandom.verify import schema
from dualrandom.verify.lists import rows_of
from dualrandom.verify.published import Beacon
from dualrandom.verify.report import Fault
from dualrandom.verify.result import Visit, read_visit

NAME = "changes.jsonl"

EXCLUSION_REASONS = (
    "deregistered",
    "moved-away",
    "unreachable-before-visit",
    "suspended",
    "case-conflict",
    "register-error",
    "force-majeure",
)
REPLACEMENT_REACH = {
    "ill": "date",
    "other-duty": "date",
    "left": "later",
    "licence-expired": "later",
    "newly-recused": "enterprise",
    "on-enterprise-application": "enterprise",
}
"""Reason of a replacement → what the one who goes is kept away from (§13.3)."""
WITHDRAWAL_REASONS = ("reorganised", "ordered-elsewhere", "no-inspectors", "force-majeure")

_texts = re.compile("exclude|substitute|replace|withdraw")


@dataclass(frozen=True, slots=True)
class Exclude:
    """An enterprise that is taken out. ``round`` is None where no later round decides."""

    digest: str
    enterprise: str
    reason: str
    time: datetime
    round: str | None
    due: datetime | None


@dataclass(frozen=True, slots=True)
class Substitute:
    """The answer to an exclusion: randomness, new seed, who takes which task's place, and the visits."""

    exclude: str
    evidence: Beacon | None
    """kind, source and round are empty: the exclusion and the announcement say them."""
    names: frozenset[str]
    seed: str
    tasks: Mapping[str, str | None]
    visits: tuple[Visit, ...]


@dataclass(frozen=True, slots=True)
class Replace:
    """One inspector in the place of another."""

    enterprise: str
    part: int
    department: str
    seat: int
    out: str
    come: str
    seats: tuple[str, ...]
    reason: str
    time: datetime


@dataclass(frozen=True, slots=True)
class Withdraw:
    """A department that leaves: its crews have nobody from the day ``since`` on."""

    department: str
    since: str
    reason: str
    time: datetime


Change = Exclude | Substitute | Replace | Withdraw


def parse_changes(data: bytes, result: bytes, digest: Digest) -> tuple[Change, ...]:
    """Parse the document; ``result`` are the bytes that its first row names. Raises Fault."""
    if not data:
        raise Fault(f"{NAME} 为空", f"{NAME} is empty: it is absent until the first change")
    before = digest(result).hex()
    changes: list[Change] = []
    for number, row in enumerate(rows_of(data, NAME), 1):
        where = f"{NAME}:{number}"
        value = schema.parsed(row, where)
        kind = value.get("type") if type(value) is dict else None
        kind = schema.matching(kind, f"{where}: type", _texts, "更改的类型", "a type of change")
        found = schema.record(value, where, _KEYS[kind])
        if schema.positive(found["number"], f"{where}: number") != number:
            raise Fault(f"{where} 的 number 应为 {number}", f"{where}: number should be {number}")
        if schema.hex64(found["prev"], f"{where}: prev") != before:
            raise Fault(
                f"{where} 的 prev 不是前一行的摘要，链断开",
                f"{where}: prev is not the row before, the chain is broken",
            )
        before = digest(row).hex()
        if kind == "exclude":
            changes.append(_exclude(found, where, before))
        elif kind == "substitute":
            changes.append(_substitute(found, where))
        elif kind == "withdraw":
            changes.append(_withdraw(found, where))
        else:
            changes.append(_replace(found, where))
    return tuple(changes)


_KEYS = {
    "exclude": ("beacon", "enterprise", "evidence", "number", "prev", "reason", "time", "type"),
    "substitute": ("evidence", "exclude", "names", "number", "prev", "seed", "tasks", "type", "visits"),
    "replace": (
        "department", "enterprise", "in", "number", "out", "part", "prev", "reason", "seat", "seats", "time", "type",
    ),
    "withdraw": ("department", "evidence", "from", "number", "prev", "reason", "time", "type"),
}  # fmt: skip


def _exclude(found: Mapping[str, Any], where: str, digest: str) -> Exclude:
    beacon = found["beacon"]
    if beacon is not None:
        beacon = schema.record(beacon, f"{where}: beacon", ("round", "time"))
    schema.maybe(found["evidence"], f"{where}: evidence", schema.hex64)
    return Exclude(
        digest=digest,
        enterprise=schema.ident(found["enterprise"], f"{where}: enterprise"),
        reason=schema.choice(*EXCLUSION_REASONS)(found["reason"], f"{where}: reason"),
        time=schema.instant(found["time"], f"{where}: time"),
        round=None if beacon is None else schema.ident(beacon["round"], f"{where}: round"),
        due=None if beacon is None else schema.instant(beacon["time"], f"{where}: beacon.time"),
    )


def _substitute(found: Mapping[str, Any], where: str) -> Substitute:
    evidence = None
    if found["evidence"] is not None:
        place = f"{where}: evidence"
        given = schema.record(found["evidence"], place, ("keystring", "randomness", "signature"))
        keystring = schema.maybe(given["keystring"], f"{place}.keystring", schema.text)
        if keystring is not None and not keystring.isascii():
            raise Fault(f"{place}.keystring 应为 ASCII", f"{place}.keystring should be ASCII")
        evidence = Beacon(
            kind="",
            source="",
            round="",
            signature=schema.maybe(given["signature"], f"{place}.signature", schema.hexadecimal),
            keystring=keystring,
            randomness=schema.hex64(given["randomness"], f"{place}.randomness"),
        )
    names = schema.mapping(found["names"], f"{where}: names")
    for key, words in names.items():
        for language, name in schema.record(words, f"{where}: names.{key}", ("en", "zh")).items():
            schema.text(name, f"{where}: names.{key}.{language}")
    tasks: dict[str, str | None] = {}
    for i, entry in enumerate(schema.array(found["tasks"], f"{where}: tasks")):
        place = f"{where}: tasks[{i}]"
        given = schema.record(entry, place, ("enterprise", "task"))
        task = schema.ident(given["task"], f"{place}.task")
        if tasks:
            schema.ascending([next(reversed(tasks)), task], f"{where}: tasks")
        tasks[task] = schema.maybe(given["enterprise"], f"{place}.enterprise", schema.ident)
    return Substitute(
        exclude=schema.hex64(found["exclude"], f"{where}: exclude"),
        evidence=evidence,
        names=frozenset(names),
        seed=schema.hex64(found["seed"], f"{where}: seed"),
        tasks=tasks,
        visits=_visits(found["visits"], f"{where}: visits"),
    )


def _visits(value: Any, where: str) -> tuple[Visit, ...]:
    """Read visits in any order, each once."""
    visits = schema.many(value, where, read_visit)
    if len({(visit.enterprise, visit.part) for visit in visits}) != len(visits):
        raise Fault(f"{where} 有重复的检查", f"{where} has a visit twice")
    return visits


def _replace(found: Mapping[str, Any], where: str) -> Replace:
    return Replace(
        enterprise=schema.ident(found["enterprise"], f"{where}: enterprise"),
        part=schema.positive(found["part"], f"{where}: part"),
        department=schema.ident(found["department"], f"{where}: department"),
        seat=schema.integer(found["seat"], f"{where}: seat"),
        out=schema.ident(found["out"], f"{where}: out"),
        come=schema.ident(found["in"], f"{where}: in"),
        seats=schema.many(found["seats"], f"{where}: seats", schema.ident),
        reason=schema.choice(*REPLACEMENT_REACH)(found["reason"], f"{where}: reason"),
        time=schema.instant(found["time"], f"{where}: time"),
    )


def _withdraw(found: Mapping[str, Any], where: str) -> Withdraw:
    schema.maybe(found["evidence"], f"{where}: evidence", schema.hex64)
    return Withdraw(
        department=schema.ident(found["department"], f"{where}: department"),
        since=schema.day(found["from"], f"{where}: from"),
        reason=schema.choice(*WITHDRAWAL_REASONS)(found["reason"], f"{where}: reason"),
        time=schema.instant(found["time"], f"{where}: time"),
    )
