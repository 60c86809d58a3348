"""After the announcement: voiding a draw with a reason, and recording findings (the fourth 公开)."""

from __future__ import annotations

import json
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dualrandom.announcement import instant
from dualrandom.campaign.exporting import export
from dualrandom.campaign.folder import Campaign, StateError, write_public
from dualrandom.campaign.inputs import load_inputs
from dualrandom.campaign.publishing import write_index
from dualrandom.canonical import canonical
from dualrandom.errors import DualRandomError
from dualrandom.findings import ledger_file, merge_findings, read_findings
from dualrandom.hashing import hash_hex, suite_digest

LEDGER = "ledger.csv"


@dataclass(frozen=True)
class Voided:
    """A voided draw."""

    draw: str
    digest: str
    reason: str


@dataclass(frozen=True)
class Recorded:
    """How many findings the file held, how many of them were new or corrections, and how many are published now."""

    draw: str
    rows: int
    added: int
    published: int


def void(folder: Path, reason: str, now: datetime) -> Voided:
    """Void an announced draw that has no result. Nothing is deleted; the next announcement names it."""
    campaign = Campaign(folder)
    _data, document, digest_hex = _announcement(campaign)
    # a reason typed on some systems arrives decomposed, which readers of documents refuse
    reason = unicodedata.normalize("NFC", reason.strip())
    if not reason:
        raise DualRandomError(
            code="reason-missing",
            value="",
            message={"zh": "作废必须说明理由", "en": "a void needs a reason"},
            remedy={
                "zh": "用 --reason 写明，将会公布。",
                "en": "State it with --reason; it will be published.",
            },
        )
    if (campaign.public / "result.json").exists():
        raise StateError(
            code="result-published",
            value=document["draw"],
            message={
                "zh": "结果已发布，不能作废",
                "en": "the result has been published and cannot be voided",
            },
            remedy={
                "zh": "执行中的变化按递补和更正规则处理。",
                "en": "Changes during execution are substitutions and corrections.",
            },
        )
    if (campaign.public / "void.json").exists():
        raise StateError(
            code="draw-is-void",
            value=document["draw"],
            message={"zh": "该抽取已作废", "en": "this draw is void already"},
            remedy={"zh": "重新运行 dualrandom announce。", "en": "Announce again with dualrandom announce."},
        )
    write_public(
        campaign.public,
        {
            "void.json": canonical(
                {
                    "announcement": digest_hex,
                    "draw": document["draw"],
                    "reason": reason,
                    "time": instant(now),
                    "type": "dualrandom/v1/void",
                }
            )
        },
    )
    write_index(campaign.public)
    return Voided(document["draw"], digest_hex, reason)


def record_findings(folder: Path, path: Path, correct: str | None = None) -> Recorded:
    """Validate findings, publish them, add them to the ledger.

    ``correct``: the reason under which rows that differ from published ones become further revisions. Raises InputError with
    all problems; nothing is written then.
    """
    campaign = Campaign(folder)
    _, document, digest_hex = _announcement(campaign)
    if not (campaign.public / "result.json").exists():
        raise StateError(
            code="not-drawn",
            value=document["draw"],
            message={
                "zh": "尚未抽取，没有可登记的检查",
                "en": "nothing has been drawn, so there is nothing to record",
            },
            remedy={"zh": "先运行 dualrandom draw。", "en": "Run dualrandom draw first."},
        )
    inputs = load_inputs(folder)
    full = full_result(campaign)
    rows = read_findings(path, full, document, inputs.plan)
    existing = _read_json(campaign.public / "findings.json")
    merged = merge_findings(existing, rows, correct, document, digest_hex)
    before = len(existing["findings"]) if existing else 0
    openings = _openings(
        campaign, full, document, {(row["enterprise"], row["part"]) for row in merged["findings"]}
    )
    people = _people(campaign, full)
    # the ledger first: a finding that is published is always counted
    write_public(folder, {LEDGER: ledger_file(merged, full, document, people)})
    write_public(campaign.public, {**openings, "findings.json": canonical(merged)})
    write_index(campaign.public)
    export(campaign, inputs, document, full, people)
    return Recorded(document["draw"], len(rows), len(merged["findings"]) - before, len(merged["findings"]))


def full_result(campaign: Campaign) -> dict[str, Any]:
    """Return the result with what an embargo hides put back from the private openings."""
    result: dict[str, Any] = json.loads((campaign.public / "result.json").read_bytes())
    if result["embargoed"] is None:
        return result
    hidden = {row["id"]: row["hidden"] for row in _opening_rows(campaign, "visits")}
    visits = [hidden[i] for i in sorted(hidden) if i not in ("prices", "selection")]
    return {
        **result,
        "visits": visits,
        "prices": hidden["prices"],
        "selection": hidden.get("selection", result["selection"]),
        "embargoed": None,
    }


def _people(campaign: Campaign, full: dict[str, Any]) -> dict[str, str]:
    """Return roster id → the code in the department's library."""
    names = {row["id"]: row["hidden"]["person"] for row in _opening_rows(campaign, "roster")}
    seated = {i for visit in full["visits"] for crew in visit["crews"] for i in crew["seats"]}
    return {i: names.get(i, i) for i in seated}


def _opening_rows(campaign: Campaign, name: str) -> list[dict[str, Any]]:
    path = campaign.private / "openings" / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def _openings(
    campaign: Campaign, full: dict[str, Any], document: dict[str, Any], found: set[tuple[str, int]]
) -> dict[str, bytes]:
    """Return ``openings.jsonl`` with the visits that have findings; all rows once every dated visit has some."""
    if document["policy"]["embargo"] == "none":
        return {}
    dated = {(visit["enterprise"], visit["part"]) for visit in full["visits"] if visit["date"] is not None}
    everything = dated <= found
    lines = []
    for row in _opening_rows(campaign, "visits"):
        hidden = row["hidden"]
        is_visit = isinstance(hidden, dict)
        if everything or (is_visit and (hidden["enterprise"], hidden["part"]) in found):
            lines.append(canonical(row))
    return {"openings.jsonl": b"".join(line + b"\n" for line in lines)}


def _announcement(campaign: Campaign) -> tuple[bytes, dict[str, Any], str]:
    path = campaign.public / "announcement.json"
    if not path.exists():
        raise StateError(
            code="not-announced",
            value=str(campaign.folder),
            message={"zh": "尚未公告", "en": "nothing has been announced"},
            remedy={"zh": "先运行 dualrandom announce。", "en": "Run dualrandom announce first."},
        )
    data = path.read_bytes()
    document = json.loads(data)
    return data, document, hash_hex(data, suite_digest(document["suite"]))


def _read_json(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_bytes()) if path.exists() else None
