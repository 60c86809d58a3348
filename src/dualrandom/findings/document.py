"""``findings.json`` (docs/protocol.md §10): nothing is overwritten, a correction is a further revision with its reason."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any

from dualrandom.errors import DualRandomError, InputError, IntegrityError, Problem
from dualrandom.findings.row import FindingRow, Key, fault

TYPE = "dualrandom/v1/findings"
_OUTCOME = ("code", "date", "method", "sealed")


def merge_findings(
    existing: Mapping[str, Any] | None,
    rows: Sequence[FindingRow],
    reason: str | None,
    announcement: Mapping[str, Any],
    digest: str,
) -> dict[str, Any]:
    """Return the findings document with ``rows`` added to ``existing`` (None: there is none yet).

    A row that says what is published already, ``sealed`` included, changes nothing. One that differs becomes a further
    revision under ``reason``. Raises ``InputError`` with all differing rows if there is no reason, ``DualRandomError`` for an empty
    reason, ``IntegrityError`` if ``existing`` belongs to another announcement (``digest`` is this one's).
    """
    if existing is not None and (existing["announcement"], existing["draw"]) != (
        digest,
        announcement["draw"],
    ):
        raise IntegrityError(
            code="findings-of-another-draw",
            value=str(existing["draw"]),
            message={
                "zh": "已有的 findings.json 属于另一次抽取",
                "en": "the findings.json that is there belongs to another draw",
            },
            remedy={"zh": "从备份恢复 public 目录。", "en": "Restore the folder public from its backup."},
        )
    why = None if reason is None else _reason(reason)
    entries: list[Mapping[str, Any]] = list(existing["findings"]) if existing is not None else []
    latest: dict[Key, Mapping[str, Any]] = {}
    for entry in entries:
        latest[_key(entry)] = entry
    problems: list[Problem] = []
    for row in rows:
        known = latest.get(row.key)
        outcome = {"code": row.code, "date": row.date.isoformat(), "method": row.method}
        if row.sealed is not None:
            outcome["sealed"] = row.sealed
        if known is not None and {name: known[name] for name in _OUTCOME if name in known} == outcome:
            continue
        if known is not None and why is None:
            said = f"{known['code']} / {known['method']} / {known['date']}"
            problems.append(
                fault("finding-differs", row.place, f"{row.code} / {row.method} / {row.date}", known=said)
            )
            continue
        entry = {
            **outcome,
            "enterprise": row.enterprise,
            "item": row.item,
            "part": row.part,
            "reason": None if known is None else why,
            "revision": 1 if known is None else known["revision"] + 1,
            "task": row.task,
        }
        latest[row.key] = entry
        entries.append(entry)
    if problems:
        raise InputError(problems)
    entries.sort(key=lambda entry: (*_key(entry), entry["revision"]))
    return {
        "announcement": digest,
        "draw": announcement["draw"],
        "findings": [dict(entry) for entry in entries],
        "type": TYPE,
    }


def _key(entry: Mapping[str, Any]) -> Key:
    return entry["enterprise"], entry["part"], entry["task"], entry["item"]


def _reason(reason: str) -> str:
    text = unicodedata.normalize("NFC", " ".join(reason.split()))
    if not text or not text.isprintable():
        raise DualRandomError(
            code="reason-missing",
            value=reason,
            message={"zh": "更正须写明理由", "en": "a correction needs a reason"},
            remedy={
                "zh": "用 --correct 写一句话，将会公布。",
                "en": "State it with --correct in one line; it will be published.",
            },
        )
    return text
