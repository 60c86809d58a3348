"""The keys of ``plan.toml`` as data: type, default and allowed values of each.

The layout serves four ends: it reads, it knows every key for "did you mean", it is what the documentation
(docs/plan.md) is tested against, and it gives the defaults that a written plan may leave out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from dualrandom.policy import values
from dualrandom.policy.ratios import rational, ratios
from dualrandom.policy.scopes import filter_text
from dualrandom.policy.source import Faults, Path, nearest
from dualrandom.policy.values import Read
from dualrandom.registry import models

LIBRARIES: Mapping[str, type] = {
    "enterprises": models.Enterprise,
    "inspectors": models.Inspector,
    "items": models.Item,
    "recusals": models.Recusal,
    "visits": models.PastVisit,
}
"""The libraries and the rows that they consist of."""
OPEN_SEATS = (("leader",), ())


@dataclass(frozen=True, slots=True)
class Value:
    """A key with a value. ``default`` is what an absent key means; ``shown`` says so where it is computed;
    ``options`` are the allowed words, where these are few."""

    read: Read
    default: Any = None
    required: bool = False
    shown: str | None = None
    options: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Table:
    """A table with known keys. An absent one means all its defaults, or None if it is ``optional``."""

    keys: Mapping[str, Value | Table | Rows]
    required: bool = False
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Rows:
    """An array of tables, ``[[…]]``."""

    row: Table
    required: bool = field(default=False, kw_only=True)


def _choice(*options: str, default: str | None = None) -> Value:
    return Value(values.choice(*options), default, options=options)


def _library(row: type) -> Table:
    columns = tuple(column.name for column in fields(row))
    return Table(
        {
            "file": Value(values.text, required=True),
            "sheet": Value(values.text),
            "encoding": _choice("utf-8", "gbk", "gb18030", "utf-16"),
            "columns": Value(_keyed(columns, values.text), {}, options=columns),
            "values": Value(_keyed(columns, values.mapping(values.cell)), {}, options=columns),
        },
        optional=True,
    )


def _keyed(known: tuple[str, ...], one: Read) -> Read:
    def read(faults: Faults, path: Path, value: object) -> dict[str, Any] | None:
        table: dict[str, Any] | None = values.mapping(one)(faults, path, value)
        if isinstance(value, dict):
            unknown = [key for key in value if key not in known]
            for key in unknown:
                unknown_key(faults, (*path, key), known)
            if unknown:
                return None
        return table

    return read


_idents = values.many(values.ident)
_texts = values.many(values.text)
_days = values.many(values.day)
_names = {"name": Value(values.text, required=True), "name_en": Value(values.text, shown="name")}
_id = Value(values.ident, required=True)

LAYOUT = Table(
    {
        "plan": Table(
            {
                "id": _id,
                "authority": _id,
                "authority_name": Value(values.text, required=True),
                "authority_name_en": Value(values.text, shown="authority_name"),
                "number": Value(values.integer(1, 999_999), 1),
                "timezone": Value(values.text, "Asia/Shanghai"),
                "language": _choice("zh", "en", default="zh"),
                "period": Table(
                    {"start": Value(values.day, required=True), "end": Value(values.day, required=True)},
                    required=True,
                ),
                "months_left": Value(values.integer(1, 12), shown="13 - month(period.start)"),
                "suite": _choice("sha256", "sm3", default="sha256"),
                "disclosure": _choice("sealed", "open", default="sealed"),
                "classes_public": Value(values.text),
                "enterprise_ids": _choice("uscc", "free", default="uscc"),
                "rounding": _choice("up", "unbiased", default="up"),
                "classes": Value(values.many(values.ident, filled=True, ordered=False), ("A", "B", "C", "D")),
                "policies": Value(_idents, ()),
            },
            required=True,
        ),
        "deadlines": Table(
            {
                "reveal": Value(values.instant, shown="beacon.time"),
                "result": Value(values.instant, shown="beacon.time + 7 d"),
                "findings": Value(values.instant, shown="period.end + 20 working days"),
            }
        ),
        "days": Table(
            {
                "working": _choice("cn", "weekdays", "all", default="cn"),
                "extra": Value(_days, ()),
                "closed": Value(_days, ()),
            }
        ),
        "caps": Table(
            {
                "daily": Value(values.integer(1, 1000), 2),
                "total": Value(values.integer(1, 100_000), 20),
                "enterprise_annual": Value(values.integer(1, 366)),
            }
        ),
        "policy": Table(
            {
                "cross_district": Value(values.flag, False),
                "cross_district_basis": Value(values.text),
                "rotation": Value(values.flag, True),
                "mask_individuals": Value(values.flag, True),
                "embargo": _choice("none", "crews", "visits", default="none"),
                "undated": _choice("list", "void", default="list"),
                "substitution": _choice("fresh", "next", "none", default="fresh"),
                "calendar": _choice("lottery", "optimise", default="lottery"),
                "visit_limit": Table(
                    {
                        "departments": Value(values.integer(1, 1000)),
                        "checks": Value(values.integer(1, 100_000)),
                        "hours": Value(rational(positive=True)),
                    },
                    optional=True,
                ),
                "relief": Rows(
                    Table(
                        {
                            "kind": Value(
                                values.choice("daily", "total", "lend", "seats"),
                                required=True,
                                options=("daily", "total", "lend", "seats"),
                            ),
                            "department": _id,
                            "amount": Value(values.integer(0, 100_000), 0),
                        }
                    )
                ),
            }
        ),
        "beacon": Table(
            {
                "kind": _choice("drand", "keystring", "local", default="drand"),
                "source": Value(values.ident, shown="quicknet"),
                "round": Value(values.round_id, shown="first round ≥ time"),
                "time": Value(values.instant, shown="time of the round"),
            },
            required=True,
        ),
        "auditor": Table(
            {
                "name": Value(values.text, required=True),
                "key": Value(values.base64_bytes(32, ("Ed25519 公钥", "an Ed25519 public key"))),
            },
            optional=True,
        ),
        "log": Table(
            {
                "folder": Value(values.text, required=True),
                "origin": Value(values.text, shown="dualrandom/<plan.authority>"),
                "policy": Value(values.text),
            },
            optional=True,
        ),
        "contributions": Rows(
            Table(
                {
                    "party": _id,
                    "name": Value(values.text, required=True),
                    "reveal": Value(values.flag, True),
                    "key": Value(values.base64_bytes(32, ("Ed25519 公钥", "an Ed25519 public key"))),
                    "commitment": Value(values.hex64),
                    "signature": Value(values.base64_bytes(64, ("Ed25519 签名", "an Ed25519 signature"))),
                }
            )
        ),
        "districts": Rows(Table({"id": _id, **_names})),
        "departments": Rows(
            Table({"id": _id, **_names, "seats": Value(values.seats, OPEN_SEATS)}), required=True
        ),
        "tasks": Rows(
            Table(
                {
                    "id": _id,
                    **_names,
                    "department": _id,
                    "mode": _choice("own", "follows", default="own"),
                    "lead": Value(values.ident),
                    "items": Value(values.many(values.ident, filled=True), required=True),
                    "operator": _choice("floor", "ceiling", "exact", default="floor"),
                    "ratios": Value(ratios),
                    "budget": Table(
                        {
                            "visits": Value(values.integer(1), required=True),
                            "weights": Value(values.mapping(rational()), required=True),
                        },
                        optional=True,
                    ),
                    "frequency": Value(values.integer(1, 366), 1),
                    "strata_by": Value(
                        values.many(values.choice("class", "district", "kind"), ordered=False),
                        ("class",),
                        options=("class", "district", "kind"),
                    ),
                    "group_by": _choice("class", "district", "kind", "task", default="task"),
                    "control": _choice("one-way", "two-way", default="one-way"),
                    "scope": Table(
                        {
                            "kinds": Value(_texts, ()),
                            "districts": Value(_idents, ()),
                            "industries": Value(_texts, ()),
                            "classes": Value(_idents, ()),
                            "categories": Value(_texts, ()),
                            "where": Value(filter_text, ""),
                        }
                    ),
                    "minimum": Value(values.integer(0, 1_000_000), 0),
                    "interval": Value(values.integer(1, 600)),
                    "policies": Value(_idents, ()),
                }
            ),
            required=True,
        ),
        "exemptions": Rows(
            Table(
                {
                    "enterprise": _id,
                    "task": Value(values.ident),
                    "reason": _id,
                    "text": Value(values.text, required=True),
                }
            )
        ),
        "libraries": Table({kind: _library(row) for kind, row in LIBRARIES.items()}),
    },
    required=True,
)


def documented(node: Table = LAYOUT, prefix: str = "") -> Iterator[tuple[str, Value]]:
    """Yield every key as documentation writes it, ``tasks[].scope.kinds``, with its layout."""
    for key, below in node.keys.items():
        path = f"{prefix}.{key}" if prefix else key
        if isinstance(below, Value):
            yield path, below
        elif isinstance(below, Rows):
            yield from documented(below.row, f"{path}[]")
        else:
            yield from documented(below, path)


def read_table(faults: Faults, path: Path, raw: object, table: Table) -> dict[str, Any] | None:
    """Read ``raw`` as ``table``: its values and defaults by key; what is absent or wrong is None."""
    if not isinstance(raw, dict):
        values.wrong_type(faults, path, raw, (f"表 [{path[-1]}]", f"a table [{path[-1]}]"))
        return None
    for key in raw:
        if key not in table.keys:
            unknown_key(faults, (*path, key), table.keys)
    result: dict[str, Any] = {}
    for key, below in table.keys.items():
        where = (*path, key)
        if key in raw:
            result[key] = _read_node(faults, where, raw[key], below)
        elif below.required:
            _missing(faults, where)
            result[key] = () if isinstance(below, Rows) else None
        elif isinstance(below, Rows):
            result[key] = ()
        elif isinstance(below, Table):
            result[key] = None if below.optional else read_table(faults, where, {}, below)
        else:
            result[key] = below.default
    return result


def _read_node(faults: Faults, path: Path, raw: object, node: Value | Table | Rows) -> Any:
    if isinstance(node, Value):
        return node.read(faults, path, raw)
    if isinstance(node, Table):
        return read_table(faults, path, raw, node)
    if not isinstance(raw, list) or not all(isinstance(row, dict) for row in raw):
        values.wrong_type(faults, path, raw, (f"[[{path[-1]}]] 表", f"tables [[{path[-1]}]]"))
        return ()
    if node.required and not raw:
        _missing(faults, path)
    return tuple(read_table(faults, (*path, position), row, node.row) for position, row in enumerate(raw))


def unknown_key(faults: Faults, path: Path, known: Mapping[str, Any] | tuple[str, ...]) -> None:
    """Note a key that means nothing, with the one that was probably meant."""
    faults.error(
        path,
        "plan-unknown-key",
        path[-1],
        ("没有这个键", "there is no such key"),
        (
            f"删去或改正；此处可用：{'、'.join(known)}",
            f"Take it out or correct it; known here: {', '.join(known)}",
        ),
        nearest(str(path[-1]), known),
    )


def _missing(faults: Faults, path: Path) -> None:
    faults.error(
        path,
        "plan-missing-key",
        path[-1],
        ("缺少必填的键", "a required key is missing"),
        (
            f"补写 {path[-1]}（含义见 docs/plan.zh-CN.md）",
            f"Add {path[-1]} (docs/plan.md says what it means)",
        ),
    )
