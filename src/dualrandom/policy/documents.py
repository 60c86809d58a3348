"""Policies as data: what a law or an authority's rule says about ratios, caps and intervals (docs/policies.md).

A policy document is a TOML file with an id, a version, the level and authority that issued it, the dates between which it is in
force, a scope, and ``[[rules]]``, each with the legal source that it rests on. Nothing here decides anything: which rule wins
is :mod:`dualrandom.policy.precedence`, who may be drawn is :mod:`dualrandom.eligibility`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from dualrandom.errors import Problem
from dualrandom.policy import values
from dualrandom.policy.layout import Rows, Table, Value, read_table
from dualrandom.policy.ratios import rational, ratios
from dualrandom.policy.source import Faults, lines_of
from dualrandom.policy.source import Path as Place
from dualrandom.toml_text import read_toml

Level = Literal["national", "province", "city"]
LEVELS: tuple[Level, ...] = ("city", "province", "national")
"""From low to high."""
Kind = Literal[
    "floor",
    "ceiling",
    "exact",
    "annual-cap",
    "item-cap",
    "interval",
    "observation",
    "recognition",
    "special-exempt",
]
RATIOS: tuple[Kind, ...] = ("floor", "ceiling", "exact")
ELIGIBILITY: tuple[Kind, ...] = (
    "annual-cap",
    "item-cap",
    "interval",
    "observation",
    "recognition",
    "special-exempt",
)
EVERY_CLASS = "*"
"""In a rule's ratios: one ratio for all classes together, of the task's whole population."""
LARGEST = 2**20


@dataclass(frozen=True, slots=True)
class PolicyScope:
    """What a policy or rule is about; an empty tuple does not restrict. The last four concern the enterprise."""

    departments: tuple[str, ...] = ()
    tasks: tuple[str, ...] = ()
    items: tuple[str, ...] = ()
    item_categories: tuple[str, ...] = ()
    kinds: tuple[str, ...] = ()
    districts: tuple[str, ...] = ()
    industries: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()

    def within(self, outer: PolicyScope) -> PolicyScope:
        """Return this scope where it says something, and the outer one elsewhere."""
        return PolicyScope(*(getattr(self, f.name) or getattr(outer, f.name) for f in fields(self)))

    @property
    def specificity(self) -> int:
        """Count what is restricted: the more, the more specific."""
        return sum(bool(getattr(self, f.name)) for f in fields(self))


@dataclass(frozen=True, slots=True)
class Rule:
    """One rule. Which of the values it has depends on ``kind`` (docs/policies.md).

    ``ratios``: class → annual ratio, or ``*`` for all classes together; ``times`` a number of visits or checks; ``months`` a
    span back from the first day of the period; ``of`` whose visits count; ``hard``: law, as against guidance that yields to it.
    """

    id: str
    kind: Kind
    source: str
    scope: PolicyScope
    hard: bool
    ratios: Mapping[str, Fraction]
    times: int | None
    months: int | None
    of: Literal["enterprise", "task"]
    recognised_items: tuple[str, ...]
    recognised_departments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Policy:
    """A policy document. ``digest`` is the SHA-256 of its bytes; ``file`` where it lies, for messages."""

    id: str
    version: str
    name: str
    name_en: str
    level: Level
    authority: str
    valid_from: date | None
    """None: the source does not say since when."""
    valid_until: date | None
    rules: tuple[Rule, ...]
    digest: str
    file: str

    def in_force(self, period: tuple[date, date]) -> bool:
        """Whether it is in force over the whole period."""
        begun = self.valid_from is None or self.valid_from <= period[0]
        return begun and (self.valid_until is None or period[1] <= self.valid_until)


@dataclass(frozen=True, slots=True)
class PolicyResult:
    """The document, None if there is an error, and everything that was noticed."""

    policy: Policy | None
    problems: tuple[Problem, ...]


def _ratios(faults: Faults, path: Place, value: object) -> dict[str, Fraction] | None:
    if isinstance(value, dict):
        return ratios(faults, path, value)
    ratio = rational(1)(faults, path, value)
    return None if ratio is None else {EVERY_CLASS: ratio}


_texts, _ids = values.many(values.text), values.many(values.ident)
_SCOPE = Table(
    {
        "departments": Value(_ids, ()),
        "tasks": Value(_ids, ()),
        "items": Value(_ids, ()),
        "item_categories": Value(
            values.many(values.choice("general", "key")), (), options=("general", "key")
        ),
        "kinds": Value(_texts, ()),
        "districts": Value(_ids, ()),
        "industries": Value(_texts, ()),
        "categories": Value(_texts, ()),
        "classes": Value(_ids, ()),
    }
)
KINDS = RATIOS + ELIGIBILITY
LAYOUT = Table(
    {
        "policy": Table(
            {
                "id": Value(values.ident, required=True),
                "version": Value(values.text, required=True),
                "name": Value(values.text, required=True),
                "name_en": Value(values.text),
                "level": Value(values.choice(*LEVELS), required=True, options=LEVELS),
                "authority": Value(values.text, required=True),
                "valid_from": Value(values.day),
                "valid_until": Value(values.day),
                "scope": _SCOPE,
            },
            required=True,
        ),
        "rules": Rows(
            Table(
                {
                    "id": Value(values.ident, required=True),
                    "kind": Value(values.choice(*KINDS), required=True, options=KINDS),
                    "source": Value(values.text, required=True),
                    "force": Value(values.choice("hard", "soft"), "hard", options=("hard", "soft")),
                    "ratio": Value(_ratios),
                    "times": Value(values.integer(0, 366)),
                    "months": Value(values.integer(1, 600)),
                    "of": Value(
                        values.choice("enterprise", "task"), "enterprise", options=("enterprise", "task")
                    ),
                    "recognises": Table(
                        {"items": Value(_ids, required=True), "departments": Value(_ids, ())}, optional=True
                    ),
                    "scope": _SCOPE,
                }
            ),
            required=True,
        ),
    },
    required=True,
)
NEEDED: Mapping[Kind, tuple[str, ...]] = {
    "floor": ("ratio",),
    "ceiling": ("ratio",),
    "exact": ("ratio",),
    "annual-cap": ("times",),
    "item-cap": ("times",),
    "interval": ("months",),
    "observation": ("months",),
    "recognition": ("months", "recognises"),
    "special-exempt": (),
}
"""The values that a rule of each kind must have; ``months`` of an item cap and ``of`` of an interval may stand, others may not."""
_ALLOWED: Mapping[Kind, tuple[str, ...]] = {"item-cap": ("months",), "interval": ("of",)}


def parse_policy(content: bytes, file: str) -> PolicyResult:
    """Read a policy document; all its mistakes at once."""
    faults = Faults(file, {})
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n") if len(content) <= LARGEST else ""
        raw = read_toml(text, parse_float=Decimal)
    except ValueError as failure:
        faults.error(
            (),
            "policy-not-toml",
            "",
            (f"不是有效的 UTF-8 TOML：{failure}", f"is not valid TOML in UTF-8: {failure}"),
            ("照 docs/policies.zh-CN.md 的例子更正", "Correct it after the examples in docs/policies.md"),
        )
        return PolicyResult(None, faults.all)
    faults = Faults(file, lines_of(text))
    parsed = read_table(faults, (), raw, LAYOUT)
    assert parsed is not None
    _check(faults, parsed, raw)
    if faults.refused:
        return PolicyResult(None, faults.all)
    head = parsed["policy"]
    outer = PolicyScope(**head["scope"])
    return PolicyResult(
        Policy(
            id=head["id"],
            version=head["version"],
            name=head["name"],
            name_en=head["name_en"] or head["name"],
            level=head["level"],
            authority=head["authority"],
            valid_from=head["valid_from"],
            valid_until=head["valid_until"],
            rules=tuple(_rule(row, outer) for row in parsed["rules"]),
            digest=hashlib.sha256(content).hexdigest(),
            file=file,
        ),
        faults.all,
    )


def _rule(row: Mapping[str, Any], outer: PolicyScope) -> Rule:
    recognises = row["recognises"] or {"items": (), "departments": ()}
    return Rule(
        id=row["id"],
        kind=row["kind"],
        source=row["source"],
        scope=PolicyScope(**row["scope"]).within(outer),
        hard=row["force"] == "hard",
        ratios=row["ratio"] or {},
        times=row["times"],
        months=row["months"],
        of=row["of"],
        recognised_items=recognises["items"],
        recognised_departments=recognises["departments"],
    )


def _check(faults: Faults, parsed: Mapping[str, Any], raw: Mapping[str, Any]) -> None:
    """Rules have the values that their kind asks for and no others; ids occur once; dates are in order."""
    seen: set[str] = set()
    for position, row in enumerate(parsed["rules"] or ()):
        if row is None or row["kind"] is None:
            continue
        path: Place = ("rules", position)
        written = raw["rules"][position]
        kind: Kind = row["kind"]
        for key in NEEDED[kind]:
            if key not in written:
                faults.error(
                    path,
                    "policy-value-missing",
                    kind,
                    (f"{kind} 规则缺少 {key}", f"a rule of kind {kind} needs {key}"),
                    (f"补写 {key}", f"Add {key}"),
                )
        for key in ("ratio", "times", "months", "of", "recognises"):
            if key in written and key not in (*NEEDED[kind], *_ALLOWED.get(kind, ())):
                faults.error(
                    (*path, key),
                    "policy-value-unused",
                    key,
                    (f"{kind} 规则不用 {key}", f"a rule of kind {kind} has no {key}"),
                    (f"删去 {key}", f"Take {key} out"),
                )
        if row["id"] in seen:
            faults.error(
                (*path, "id"),
                "policy-rule-twice",
                row["id"],
                ("规则代码重复", "the rule's id is used twice"),
                ("换一个代码", "Give it another id"),
            )
        seen.add(row["id"])
    head = parsed["policy"]
    if head and head["valid_from"] and head["valid_until"] and head["valid_from"] > head["valid_until"]:
        faults.error(
            ("policy", "valid_until"),
            "policy-dates",
            head["valid_until"],
            ("失效日早于生效日", "it ends before it begins"),
            ("更正日期", "Correct the dates"),
        )


@cache
def shipped_policies() -> Mapping[str, Policy]:
    """Return the policies that this release brings along, by id."""
    found: dict[str, Policy] = {}
    for entry in sorted((files("dualrandom") / "data" / "policies").iterdir(), key=lambda one: one.name):
        if entry.name.endswith(".toml"):
            result = parse_policy(entry.read_bytes(), entry.name)
            assert result.policy is not None, result.problems
            found[result.policy.id] = result.policy
    return found


def policies_in(folder: Path) -> tuple[dict[str, Policy], tuple[Problem, ...]]:
    """Return the policies of a campaign's own ``policies`` folder by id, and what is wrong with its files."""
    found: dict[str, Policy] = {}
    problems: list[Problem] = []
    for path in sorted(folder.glob("*.toml")) if folder.is_dir() else ():
        shown = f"{folder.name}/{path.name}"
        result = parse_policy(path.read_bytes(), shown)
        problems += result.problems
        if result.policy is None:
            continue
        if result.policy.id in found:
            problems.append(
                Problem(
                    "policy-twice",
                    shown,
                    None,
                    None,
                    "policy.id",
                    result.policy.id,
                    f"与 {found[result.policy.id].file} 代码相同",
                    f"has the id of {found[result.policy.id].file}",
                    "给其中一个换代码",
                    "Give one of them another id",
                )
            )
        found.setdefault(result.policy.id, result.policy)
    return found, tuple(problems)
