"""After the announcement: voiding a draw with a reason, and recording findings (the fourth 公开)."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dualrandom.announcement import instant
from dualrandom.campaign.exporting import export
from dualrandom.campaign.folder import Campaign, write_public
from dualrandom.campaign.inputs import load_inputs
from dualrandom.campaign.logbook import logbook_of, put
from dualrandom.campaign.publishing import full_result, opening_rows, published_changes, write_index
from dualrandom.campaign.state import announcement_of, book_of, state_of
from dualrandom.canonical import canonical
from dualrandom.changes import effective_result
from dualrandom.findings import ledger_file, merge_findings, read_findings
from dualrandom.findings.row import Key
from dualrandom.log.entry import EntryType
from dualrandom.log.storage import Document

LEDGER = "ledger.csv"
NOTHING: Mapping[Key, str] = MappingProxyType({})


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
    book = book_of(campaign)
    # a reason typed on some systems arrives decomposed, which readers of documents refuse
    reason = unicodedata.normalize("NFC", reason.strip())
    ceremony = state_of(campaign, book)
    ceremony.void(reason)
    document = announcement_of(campaign, ceremony)
    data = (campaign.public / "announcement.json").read_bytes()
    draw, digest_hex = document["draw"], ceremony.digest
    path = campaign.public / "void.json"
    if path.exists():
        # published before, but not in the log: the reason stays what the public has read
        content = path.read_bytes()
        reason = json.loads(content)["reason"]
    else:
        content = canonical(
            {
                "announcement": digest_hex,
                "draw": draw,
                "reason": reason,
                "time": instant(now),
                "type": "dualrandom/v1/void",
            }
        )

    def write() -> None:
        write_public(campaign.public, {path.name: content})
        write_index(campaign.public)

    suite = document["suite"]
    put(
        book,
        [Document(draw, EntryType.ANNOUNCE, data, suite), Document(draw, EntryType.VOID, content, suite)],
        write,
    )
    return Voided(draw, digest_hex, reason)


def record_findings(
    folder: Path, path: Path, correct: str | None = None, sealed: Mapping[Key, str] = NOTHING
) -> Recorded:
    """Validate findings, publish them, add them to the ledger.

    ``correct``: the reason under which rows that differ from published ones become further revisions. ``sealed``: of rows about
    which the authority keeps more than it publishes, the salted hash of everything, 64 hex digits (docs/protocol.md §10). Raises
    InputError with all problems; nothing is written then.
    """
    campaign = Campaign(folder)
    ceremony = state_of(campaign, book_of(campaign))
    ceremony.change()
    document, digest_hex = announcement_of(campaign, ceremony), ceremony.digest
    inputs = load_inputs(folder)
    book = logbook_of(campaign, inputs.plan)
    full = effective_result(full_result(campaign), published_changes(campaign))
    rows = [
        replace(row, sealed=sealed.get(row.key)) for row in read_findings(path, full, document, inputs.plan)
    ]
    existing = _read_json(campaign.public / "findings.json")
    merged = merge_findings(existing, rows, correct, document, digest_hex)
    before = len(existing["findings"]) if existing else 0
    openings = _openings(
        campaign, full, document, {(row["enterprise"], row["part"]) for row in merged["findings"]}
    )
    people = _people(campaign, full)
    # the ledger first: a finding that is published is always counted
    write_public(folder, {LEDGER: ledger_file(merged, full, document, people)})
    files = {**openings, "findings.json": canonical(merged)}
    kinds = {"openings.jsonl": EntryType.OPEN, "findings.json": EntryType.FINDINGS}

    def write() -> None:
        write_public(campaign.public, files)
        write_index(campaign.public)

    documents = [
        Document(document["draw"], kinds[name], data, document["suite"])
        for name, data in files.items()
        if name in kinds
    ]
    put(book, documents, write)
    export(campaign, inputs, document, full, people)
    return Recorded(document["draw"], len(rows), len(merged["findings"]) - before, len(merged["findings"]))


def _people(campaign: Campaign, full: dict[str, Any]) -> dict[str, str]:
    """Return roster id → the code in the department's library."""
    names = {row["id"]: row["hidden"]["person"] for row in opening_rows(campaign, "roster")}
    seated = {i for visit in full["visits"] for crew in visit["crews"] for i in crew["seats"]}
    return {i: names.get(i, i) for i in seated}


def _openings(
    campaign: Campaign, full: dict[str, Any], document: dict[str, Any], found: set[tuple[str, int]]
) -> dict[str, bytes]:
    """Return ``openings.jsonl`` with the visits that have findings; all rows once every dated visit has some."""
    if document["policy"]["embargo"] == "none":
        return {}
    dated = {(visit["enterprise"], visit["part"]) for visit in full["visits"] if visit["date"] is not None}
    everything = dated <= found
    lines = []
    for row in opening_rows(campaign, "visits"):
        hidden = row["hidden"]
        is_visit = isinstance(hidden, dict)
        if everything or (is_visit and (hidden["enterprise"], hidden["part"]) in found):
            lines.append(canonical(row))
    ties = campaign.private / "ties.json"
    opened = {"ties.json": ties.read_bytes()} if everything and ties.exists() else {}
    return {**opened, "openings.jsonl": b"".join(line + b"\n" for line in lines)}


def _read_json(path: Path) -> dict[str, Any] | None:
    return json.loads(path.read_bytes()) if path.exists() else None
