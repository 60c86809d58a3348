"""The documents beside the result, as typed data (docs/protocol.md §4, §10): form only."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dualrandom.verify import schema
from dualrandom.verify.report import Fault

CODES = ("1", "2", "3", "4", "5", "6", "7", "8", "9", "A", "B", "C", "D", "E", "F")
METHODS = ("on-site", "documents", "online", "laboratory", "expert", "other-department")


@dataclass(frozen=True, slots=True)
class Beacon:
    """beacon.json: the evidence of the public randomness."""

    kind: str
    source: str
    round: str
    signature: str | None
    keystring: str | None
    randomness: str


def parse_beacon(data: bytes) -> Beacon:
    """Parse beacon.json."""
    name = "beacon.json"
    keys = ("keystring", "kind", "randomness", "round", "signature", "source", "type")
    found = schema.record(schema.parsed(data, name), name, keys)
    schema.choice("dualrandom/v1/beacon")(found["type"], f"{name}: type")
    return Beacon(
        kind=schema.choice("drand", "keystring", "local")(found["kind"], f"{name}: kind"),
        source=schema.ident(found["source"], f"{name}: source"),
        round=schema.ident(found["round"], f"{name}: round"),
        signature=schema.maybe(found["signature"], f"{name}: signature", schema.hexadecimal),
        keystring=schema.maybe(found["keystring"], f"{name}: keystring", _ascii),
        randomness=schema.hex64(found["randomness"], f"{name}: randomness"),
    )


def _ascii(value: Any, where: str) -> str:
    if not schema.text(value, where).isascii():
        raise Fault(f"{where} 应为 ASCII", f"{where} should be ASCII")
    return str(value)


@dataclass(frozen=True, slots=True)
class Void:
    """void.json: the end of a draw without a result."""

    announcement: str
    draw: str
    time: datetime


def parse_void(data: bytes, name: str = "void.json") -> Void:
    """Parse void.json."""
    found = schema.record(schema.parsed(data, name), name, ("announcement", "draw", "reason", "time", "type"))
    schema.choice("dualrandom/v1/void")(found["type"], f"{name}: type")
    schema.text(found["reason"], f"{name}: reason")
    return Void(
        announcement=schema.hex64(found["announcement"], f"{name}: announcement"),
        draw=schema.ident(found["draw"], f"{name}: draw"),
        time=schema.instant(found["time"], f"{name}: time"),
    )


@dataclass(frozen=True, slots=True)
class Finding:
    """The outcome of one check (one revision of it)."""

    enterprise: str
    part: int
    task: str
    item: str
    revision: int
    code: str
    method: str
    date: str
    reason: str | None

    @property
    def name(self) -> str:
        """How reasons call this finding."""
        return f"{self.enterprise} part {self.part} {self.task} {self.item} revision {self.revision}"


@dataclass(frozen=True, slots=True)
class Findings:
    """findings.json."""

    announcement: str
    draw: str
    findings: tuple[Finding, ...]


def parse_findings(data: bytes) -> Findings:
    """Parse findings.json."""
    name = "findings.json"
    found = schema.record(schema.parsed(data, name), name, ("announcement", "draw", "findings", "type"))
    schema.choice("dualrandom/v1/findings")(found["type"], f"{name}: type")
    findings = schema.many(found["findings"], f"{name}: findings", _finding)
    schema.ascending(
        [(f.enterprise, f.part, f.task, f.item, f.revision) for f in findings], f"{name}: findings"
    )
    return Findings(
        announcement=schema.hex64(found["announcement"], f"{name}: announcement"),
        draw=schema.ident(found["draw"], f"{name}: draw"),
        findings=findings,
    )


def _finding(value: Any, where: str) -> Finding:
    keys = ["code", "date", "enterprise", "item", "method", "part", "reason", "revision", "task"]
    if type(value) is dict and "sealed" in value:
        keys.append("sealed")
        schema.hex64(value["sealed"], f"{where}.sealed")
    found = schema.record(value, where, keys)
    # Codes and methods are compared by the findings check, which names what does not exist.
    return Finding(
        enterprise=schema.ident(found["enterprise"], f"{where}.enterprise"),
        part=schema.positive(found["part"], f"{where}.part"),
        task=schema.ident(found["task"], f"{where}.task"),
        item=schema.ident(found["item"], f"{where}.item"),
        revision=schema.positive(found["revision"], f"{where}.revision"),
        code=schema.text(found["code"], f"{where}.code"),
        method=schema.text(found["method"], f"{where}.method"),
        date=schema.day(found["date"], f"{where}.date"),
        reason=schema.maybe(found["reason"], f"{where}.reason", schema.text),
    )


@dataclass(frozen=True, slots=True)
class Labels:
    """labels.json: which ids have names."""

    announcement: str
    rehearsal: bool
    ids: Mapping[str, frozenset[str]]
    """kind (departments, districts, enterprises, inspectors, items, tasks) → ids"""


_LABELLED = ("departments", "districts", "enterprises", "inspectors", "items", "tasks")


def parse_labels(data: bytes) -> Labels:
    """Parse labels.json."""
    name = "labels.json"
    document = schema.record(
        schema.parsed(data, name), name, ("announcement", "authority", "rehearsal", "type", *_LABELLED)
    )
    schema.choice("dualrandom/v1/labels")(document["type"], f"{name}: type")
    _names(document["authority"], f"{name}: authority", ("en", "zh"))
    for kind in _LABELLED:
        for key, names in schema.mapping(document[kind], f"{name}: {kind}").items():
            _names(names, f"{name}: {kind}.{key}", ("basis", "en", "zh") if kind == "items" else ("en", "zh"))
    return Labels(
        announcement=schema.hex64(document["announcement"], f"{name}: announcement"),
        rehearsal=schema.boolean(document["rehearsal"], f"{name}: rehearsal"),
        ids={kind: frozenset(document[kind]) for kind in _LABELLED},
    )


def _names(value: Any, where: str, keys: tuple[str, ...]) -> None:
    for key, name in schema.record(value, where, keys).items():
        schema.text(name, f"{where}.{key}")
