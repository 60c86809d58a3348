"""Canonical JSON (RFC 8785): the one byte form in which documents are stored, hashed and compared.

Implements docs/protocol.md §1. Keys of our documents are ASCII and numbers are integers, for which the standard
library's encoder already gives RFC 8785 bytes; a property test holds it against the ``rfc8785`` package.
"""

from __future__ import annotations

import json
from typing import Any

from dualrandom.errors import DualRandomError

LARGEST_INTEGER = 2**53 - 1
"""Integers beyond this are not exact in every JSON reader (RFC 7493)."""

_encode = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False).encode


def canonical(value: Any) -> bytes:
    """Return the RFC 8785 bytes of ``value``: dicts with ASCII keys, lists, strings, integers, booleans and None."""
    return _encode(value).encode()


def parse_canonical(data: bytes, name: str) -> Any:
    """Parse ``data`` and insist that it is exactly the canonical form of its own value.

    ``name`` is the document's name, for the error. Raises :class:`DualRandomError` (code ``not-canonical``) for invalid
    UTF-8 or JSON, duplicate keys, floats, integers of 2^53 or more, lone surrogates, and any other byte difference.
    """
    try:
        value = json.loads(
            data.decode("utf-8"),
            object_pairs_hook=_distinct,
            parse_float=_no_float,
            parse_constant=_no_float,
            parse_int=_integer,
        )
        same = canonical(value) == data
    except (ValueError, RecursionError) as problem:
        raise _refused(name, str(problem)) from problem
    if not same:
        raise _refused(name, "bytes differ from the canonical form")
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError("duplicate key in an object")
    return result


def _no_float(text: str) -> Any:
    raise ValueError(f"number {text[:40]} is not an integer")


def _integer(text: str) -> int:
    if len(text) > 17 or abs(int(text)) > LARGEST_INTEGER:
        raise ValueError(f"integer {text[:40]} is out of range")
    return int(text)


def _refused(name: str, reason: str) -> DualRandomError:
    return DualRandomError(
        code="not-canonical",
        value=name,
        message={
            "zh": f"{name} 不是规范 JSON(RFC 8785):{reason[:200]}",
            "en": f"{name} is not canonical JSON (RFC 8785): {reason[:200]}",
        },
        remedy={
            "zh": "请使用原始发布文件，不要重新保存或编辑。",
            "en": "Use the file as it was published; do not re-save or edit it.",
        },
    )
