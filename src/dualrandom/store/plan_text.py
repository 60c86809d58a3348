"""A plan's TOML and its JSON: the same tables, with dates and times as text in JSON, which has none.

``document`` of a stored plan is JSON in the shape of plan.toml (docs/plan.md). Nothing is judged here: what is not a date
where a date should be is written as it is, and :func:`dualrandom.policy.reader.parse_plan` says so.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from dualrandom.policy.writer import toml
from dualrandom.store.errors import RefusedError
from dualrandom.toml_text import read_toml

_DATES = frozenset({"plan.period.start", "plan.period.end", "days.extra", "days.closed"})
_TIMES = frozenset({"deadlines.reveal", "deadlines.result", "deadlines.findings", "beacon.time"})
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})?")
DEEPEST = 8
"""Tables within tables; a plan needs five."""
LARGEST_NUMBER = 2**53
"""What every reader of JSON still tells apart from its neighbours (RFC 8259 §6)."""
TABLES = ("plan", "deadlines", "days", "caps", "policy", "beacon", "auditor", "log")
ROWS = ("contributions", "districts", "departments", "tasks", "exemptions")


def json_of(text: str) -> dict[str, Any]:
    """Return the tables of a plan.toml as JSON. Raises ``tomllib.TOMLDecodeError``."""
    found: dict[str, Any] = _plain(read_toml(text, parse_float=Decimal))
    return found


def require_plain(document: Any) -> None:
    """Refuse JSON that no database keeps: NUL and lone surrogates in texts, NaN, huge numbers, nested too deep. Raises RefusedError ``text-invalid``."""
    waiting: list[tuple[Any, int]] = [(document, 0)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, str):
            plain = "\0" not in value and not any("\ud800" <= character <= "\udfff" for character in value)
        else:
            is_number = isinstance(value, int | float)
            plain = depth <= DEEPEST and not (is_number and not abs(value) <= LARGEST_NUMBER)
        if not plain:
            raise RefusedError(
                "text-invalid",
                value.encode("unicode_escape").decode()[:80] if isinstance(value, str) else "",
                {
                    "zh": "文字含有不能保存的字符，数字过大，或嵌套过深",
                    "en": "a text has characters that cannot be kept, a number is too large, or it is nested too deep",
                },
                {
                    "zh": "删去 NUL、不成对的代理字符和过大的数字。",
                    "en": "Take NUL, unpaired surrogates and huge numbers out.",
                },
            )
        if isinstance(value, Mapping):
            waiting += [(part, depth + 1) for pair in value.items() for part in pair]
        elif isinstance(value, list):
            waiting += [(part, depth + 1) for part in value]


def text_of(document: Mapping[str, Any]) -> str:
    """Return JSON in the shape of a plan as TOML, in a fixed order of tables."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Mapping[str, Any]) -> Iterator[str]:
    known = (*TABLES, *ROWS)
    # unknown tables are written too, so that the reader names them instead of losing them
    for name in (*known, *sorted(document.keys() - set(known))):
        value = document.get(name)
        if isinstance(value, Mapping):
            yield from (f"[{toml_key(name)}]", *_pairs(name, value), "")
        elif isinstance(value, list) and value and all(isinstance(row, Mapping) for row in value):
            for row in value:
                yield from (f"[[{toml_key(name)}]]", *_pairs(f"{name}[]", row), "")
        elif value is not None and name in document:
            # a key before any table belongs to none: it cannot be anything but a mistake, shown in a table of its own
            yield from (f"[{toml_key(name)}]", f"value = {toml(_dated(name, value))}", "")


def _pairs(path: str, table: Mapping[str, Any]) -> Iterator[str]:
    for key, value in table.items():
        if value is not None:
            yield f"{toml_key(key)} = {toml(_dated(f'{path}.{key}', value))}"


def toml_key(key: str) -> str:
    """Return a key as TOML writes it."""
    return key if re.fullmatch(r"[A-Za-z0-9_-]+", key) else toml(key)


def _dated(path: str, value: Any) -> Any:
    if isinstance(value, Mapping):
        return {
            key: _dated(f"{path}.{key}", element) for key, element in value.items() if element is not None
        }
    if isinstance(value, list):
        return [_dated(path, element) for element in value if element is not None]
    if isinstance(value, str) and path in _DATES and _DATE.fullmatch(value):
        return _or_text(date.fromisoformat, value)
    if isinstance(value, str) and path in _TIMES and _TIME.fullmatch(value):
        return _or_text(datetime.fromisoformat, value)
    return value


def _or_text(parse: Any, value: str) -> Any:
    try:
        return parse(value)
    except ValueError:
        return value


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(element) for key, element in value.items()}
    if isinstance(value, list):
        return [_plain(element) for element in value]
    if isinstance(value, datetime | date):
        return value.isoformat().replace("+00:00", "Z")
    return str(value) if isinstance(value, Decimal) else value
