"""How far a campaign's draw has come, read off its folder: the only place where a phase is derived.

| phase | what lies in ``public/``; with a log, what the log has of it |
|---|---|
| drafted | no announcement |
| announced | ``announcement.json``; with a log, ``announced.checkpoint`` does not cover it and every reveal yet |
| waiting | it does; without a log, at once: there is nobody to witness anything |
| seeded | ``seed.txt``: the round's randomness has come |
| drawn | ``result.json``, and the log has not taken it yet |
| published | ``result.json`` |
| executing | and a change, an opening or a finding |
| closed | and nothing is missing: every check of every visit in effect that has a date and a crew has a finding, no exclusion waits for its substitute, no embargo hides anything. No entry says so: whoever has the record sees it |
| void | ``void.json`` |

A deadline closes nothing: findings that are late are late (:func:`overdue`), they are not finished.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from dualrandom.campaign.folder import Campaign
from dualrandom.campaign.logbook import (
    CHANGES,
    Logbook,
    announced_size,
    documents_of_changes,
    is_logged,
    logbook_of,
    revealed_documents,
)
from dualrandom.campaign.publishing import full_result, published_changes
from dualrandom.ceremony import Ceremony, Phase
from dualrandom.changes import effective_visits, is_filled
from dualrandom.errors import InputError
from dualrandom.hashing import hash_hex, suite_digest
from dualrandom.log.entry import Chain, EntryType
from dualrandom.policy.reader import read_plan

_FOLLOWING = {
    EntryType.EXCLUDE,
    EntryType.SUBSTITUTE,
    EntryType.AMEND,
    EntryType.OPEN,
    EntryType.FINDINGS,
}


def state_of(campaign: Campaign, book: Logbook | None) -> Ceremony:
    """Return the ceremony of the announced draw: a document that is not in the log yet does not count."""
    data = _bytes(campaign.public / "announcement.json")
    if data is None:
        return Ceremony()
    folder = _Folder(campaign, book, json.loads(data))
    draw = str(folder.document["draw"])
    if not folder.has("announcement.json", EntryType.ANNOUNCE):
        return Ceremony(draw)
    due = folder.due()
    closes = datetime.fromisoformat(folder.document["deadlines"]["reveal"])
    return Ceremony(
        draw,
        folder.phase(),
        frozenset(contribution["party"] for contribution in folder.document["contributions"]),
        frozenset(folder.revealed()),
        due,
        None if due is None else min(closes, due),
        hash_hex(data, suite_digest(folder.document["suite"])),
    )


def state_of_folder(folder: Path) -> Ceremony:
    """Return the ceremony of a campaign's folder. Raises InputError if it has a log and its plan cannot be read."""
    campaign = Campaign(folder)
    return state_of(campaign, book_of(campaign))


def book_of(campaign: Campaign) -> Logbook | None:
    """Return the log that the campaign's plan names, None if it names none.

    Raises InputError if the plan cannot be read although a log has been published: nothing may go past it.
    """
    planned = read_plan(campaign.plan)
    if planned.plan is not None:
        return logbook_of(campaign, planned.plan)
    if (campaign.public / "log").exists():
        raise InputError(planned.problems)
    return None


@dataclass(frozen=True, slots=True)
class Overdue:
    """A deadline of the announcement (``result`` or ``findings``) that has passed while something is missing."""

    deadline: str
    time: datetime


def overdue(ceremony: Ceremony, announcement: Mapping[str, Any], now: datetime) -> tuple[Overdue, ...]:
    """Return the deadlines that have passed unmet at ``now``; none for a void draw."""
    deadlines = {name: datetime.fromisoformat(time) for name, time in announcement["deadlines"].items()}
    unmet = {
        "result": ceremony.phase < Phase.PUBLISHED,
        "findings": Phase.PUBLISHED <= ceremony.phase < Phase.CLOSED,
    }
    return tuple(
        Overdue(name, deadlines[name]) for name, missing in unmet.items() if missing and now > deadlines[name]
    )


@dataclass(frozen=True, slots=True)
class _Folder:
    """The published documents of one draw beside the log that should have them."""

    campaign: Campaign
    book: Logbook | None
    document: Mapping[str, Any]

    @property
    def chain(self) -> Chain:
        draw = str(self.document["draw"])
        return Chain(draw) if self.book is None else self.book.chain(draw)

    @property
    def suite(self) -> str:
        return str(self.document["suite"])

    def has(self, name: str, kind: EntryType) -> bool:
        """Say whether a document is there and, with a log, in it."""
        found = _bytes(self.campaign.public / name)
        return found is not None and (self.book is None or is_logged(self.chain, kind, found, self.suite))

    def phase(self) -> Phase:
        """Return the phase of a draw that was announced."""
        public = self.campaign.public
        draw = self.document["draw"]
        # the second place: whoever announces again may have been killed while moving the documents there
        if any(self.has(name, EntryType.VOID) for name in ("void.json", f"voided/{draw}/void.json")):
            return Phase.VOID
        if self.has("result.json", EntryType.RESULT):
            if self.is_complete():
                return Phase.CLOSED
            return Phase.EXECUTING if self.is_followed() else Phase.PUBLISHED
        if (public / "result.json").exists():
            return Phase.DRAWN
        if (public / "seed.txt").exists():
            return Phase.SEEDED
        return Phase.WAITING if self.book is None or self.is_witnessed() else Phase.ANNOUNCED

    def is_followed(self) -> bool:
        """Say whether anything came after the result."""
        if self.book is not None:
            return any(entry.type in _FOLLOWING for entry in self.chain.entries)
        names = (CHANGES, "openings.jsonl", "findings.json")
        return any((self.campaign.public / name).exists() for name in names)

    def is_complete(self) -> bool:
        """Say whether nothing is missing any more: see the table above."""
        result = json.loads((self.campaign.public / "result.json").read_bytes())
        if result["embargoed"] is not None:
            opened = _bytes(self.campaign.public / "openings.jsonl") or b""
            hidden = (self.campaign.public / "visits.jsonl").read_bytes()
            if len(opened.splitlines()) < len(hidden.splitlines()):
                return False
            result = full_result(self.campaign, opened)
        rows = published_changes(self.campaign)
        kinds = [row["type"] for row in rows]
        waits = self.document["policy"]["substitution"] != "none"
        if waits and kinds.count("exclude") > kinds.count("substitute"):
            return False
        findings = _bytes(self.campaign.public / "findings.json")
        found = {
            (row["enterprise"], row["part"], row["task"], row["item"])
            for row in (json.loads(findings)["findings"] if findings else ())
        }
        department_of = {task["id"]: task["department"] for task in self.document["tasks"]}
        wanted = {
            (visit["enterprise"], visit["part"], check["task"], item)
            for visit in effective_visits(result, rows)
            for check in visit["checks"]
            if is_filled(visit, department_of[check["task"]])
            for item in check["items"]
        }
        return wanted <= found and self._all_logged()

    def _all_logged(self) -> bool:
        if self.book is None:
            return True
        public, chain = self.campaign.public, self.chain
        rows = _bytes(public / CHANGES) or b""
        documents = documents_of_changes(rows, str(self.document["draw"]), self.suite)
        followers = (("openings.jsonl", EntryType.OPEN), ("findings.json", EntryType.FINDINGS))
        return all(is_logged(chain, each.type, each.data, each.suite) for each in documents) and all(
            self.has(name, kind) for name, kind in followers if (public / name).exists()
        )

    def is_witnessed(self) -> bool:
        """Say whether ``announced.checkpoint`` covers the announcement and every nonce that was revealed."""
        size = announced_size(self.campaign)
        chain = self.chain
        early = [
            index
            for index, entry in zip(chain.indices, chain.entries, strict=True)
            if entry.type in {EntryType.ANNOUNCE, EntryType.REVEAL}
        ]
        return size is not None and all(index < size for index in early)

    def revealed(self) -> list[str]:
        """Return the parties whose nonces the log has."""
        if self.book is None:
            return []
        return [one["party"] for one in revealed_documents(self.campaign, self.chain, self.suite)]

    def due(self) -> datetime | None:
        """Return when the round is due; None for a rehearsal and for local randomness."""
        freeze = _bytes(self.campaign.private / "freeze.json")
        if freeze is not None:
            rehearsal = bool(json.loads(freeze)["rehearsal"])
        else:
            # private/ was lost: what was published says it as well
            labels = _bytes(self.campaign.public / "labels.json")
            rehearsal = labels is not None and bool(json.loads(labels)["rehearsal"])
        if rehearsal or self.document["beacon"]["kind"] == "local":
            return None
        return datetime.fromisoformat(self.document["beacon"]["time"])


def announcement_of(campaign: Campaign, ceremony: Ceremony) -> dict[str, Any]:
    """Return the announcement. Raises StateError ``not-announced``."""
    ceremony.announced()
    document: dict[str, Any] = json.loads((campaign.public / "announcement.json").read_bytes())
    return document


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None
