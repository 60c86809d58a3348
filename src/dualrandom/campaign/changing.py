"""Changing what was drawn, by computation only: exclusions, substitutes, replacements, withdrawals (docs/protocol.md §13).

``result.json`` is never touched: every change appends one row to ``changes.jsonl`` and writes the exports anew.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

from dualrandom.beacon import Evidence, read_evidence
from dualrandom.campaign.announcing import LIST_SECRET, inputs_unchanged
from dualrandom.campaign.drawing import private_file, rebuilt_lists
from dualrandom.campaign.exporting import export
from dualrandom.campaign.folder import (
    Campaign,
    StateError,
    WaitingError,
    secret_hex,
    write_private,
    write_public,
)
from dualrandom.campaign.inputs import Inputs, load_inputs
from dualrandom.campaign.logbook import (
    CHANGES,
    Logbook,
    documents_of_changes,
    is_logged,
    logbook_of,
    put,
)
from dualrandom.campaign.publishing import full_result, published_changes, write_index
from dualrandom.campaign.state import book_of, state_of
from dualrandom.changes import (
    Counts,
    Effect,
    Place,
    alarms,
    counts_of,
    effect_of,
    effective_result,
    row_bytes,
    unfilled_crews,
)
from dualrandom.frame import Frozen
from dualrandom.hashing import Digest, suite_digest
from dualrandom.masking import public_name
from dualrandom.replacement import replace_row
from dualrandom.substitution import NamedRound, exclude_row, substitute_row
from dualrandom.withdrawal import withdraw_row

LEAD = timedelta(minutes=10)
"""What witnesses have to cosign an exclusion before the round that decides about its substitute."""


@dataclass(frozen=True)
class Change:
    """A change that was published. ``alarms``: what is unusual by now, in Chinese and English."""

    draw: str
    row: Mapping[str, Any]
    counts: Counts
    alarms: tuple[tuple[str, str], ...]
    names: Mapping[str, str]
    """Library codes (inspectors) and names (enterprises) of the ids in the row and in ``unfilled``."""
    unfilled: tuple[Place, ...] = ()
    """The visits that this row, a withdrawal, leaves without the department's crew."""


def exclude(
    folder: Path,
    enterprise: str,
    reason: str,
    evidence_file: Path | None,
    now: datetime,
    named: NamedRound | None = None,
) -> Change:
    """Take an enterprise out of the draw, with a reason. ``named``: the deciding round, where the beacon is a key string.

    With witnesses the row's time lies :data:`LEAD` ahead, so that they can cosign it before the round (docs/protocol.md §13.5).

    Raises StateError (not drawn, under an embargo, changed since, findings recorded), DualRandomError (see ``exclude_row``).
    """
    case = _Case(folder)
    evidence = _digest_of(evidence_file)
    if named is None and case.book is not None and case.book.policy().needs_witnesses:
        now += LEAD
    row = exclude_row(case.announcement, case.effect, enterprise, reason, evidence, now, named)
    case.require_no_findings(enterprise, None)
    return case.publish(row)


def substitute(folder: Path, beacon_file: Path | None = None) -> Change:
    """Compute the substitute of the oldest pending exclusion.

    ``beacon_file``: evidence of the round that the exclusion named, by default ``beacon-<round>.json`` in the campaign.
    Raises StateError (see :func:`exclude`; nothing pending, no substitutes under this policy), WaitingError (no evidence yet).
    """
    case = _Case(folder)
    if case.announcement["policy"]["substitution"] == "none":
        raise StateError(
            code="no-substitution",
            value=case.draw,
            message={"zh": "公告规定不递补", "en": "the announced policy has no substitutes"},
            remedy={
                "zh": "被排除的检查对象不再补足；下一次计划可在 [policy] substitution 中改变。",
                "en": "The excluded enterprise is not made up for; the next plan can change [policy] substitution.",
            },
        )
    if not case.effect.pending:
        raise StateError(
            code="nothing-pending",
            value=case.draw,
            message={"zh": "没有待递补的排除", "en": "no exclusion is waiting for a substitute"},
            remedy={
                "zh": "先运行 dualrandom exclude；已递补的见 changes.jsonl。",
                "en": "Run dualrandom exclude first; those substituted are in changes.jsonl.",
            },
        )
    names = {
        e.id: dict.fromkeys(("en", "zh"), public_name(e, case.inputs.plan))
        for e in case.inputs.libraries.enterprises
    }
    evidence = case.evidence(beacon_file)
    row = substitute_row(case.announcement, case.frozen, case.full, case.effect, evidence, names, case.digest)
    return case.publish(row)


def replace_inspector(
    folder: Path, enterprise: str, part: int, inspector: str, reason: str, now: datetime
) -> Change:
    """Replace one inspector of one visit. ``inspector``: the library's code, or the id in the roster.

    Raises StateError (see :func:`exclude`), DualRandomError (see ``replace_row``).
    """
    case = _Case(folder)
    roster_id = {row.person: row.id for row in case.frozen.roster}.get(inspector, inspector)
    row = replace_row(
        case.announcement, case.frozen, case.full, case.effect, enterprise, part, roster_id, reason, now
    )
    case.require_no_findings(enterprise, part)
    return case.publish(row)


def withdraw(
    folder: Path, department: str, since: date, reason: str, evidence_file: Path | None, now: datetime
) -> Change:
    """Let a department leave from the day ``since`` on: its crews are unfilled, nobody else moves.

    Raises StateError (see :func:`exclude`), DualRandomError (see ``withdraw_row``).
    """
    case = _Case(folder)
    evidence = _digest_of(evidence_file)
    row = withdraw_row(case.announcement, case.effect, department, since, reason, evidence, now)
    for enterprise, part in case.effect.crews_from(department, row["from"]):
        case.require_no_findings(enterprise, part, department)
    return case.publish(row)


def _digest_of(evidence_file: Path | None) -> str | None:
    return None if evidence_file is None else hashlib.sha256(evidence_file.read_bytes()).hexdigest()


class _Case:
    """A drawn campaign, read and frozen again, with the changes so far."""

    def __init__(self, folder: Path) -> None:
        self.campaign = campaign = Campaign(folder)
        state_of(campaign, book_of(campaign)).change()
        self.inputs: Inputs = load_inputs(folder)
        self.book: Logbook | None = logbook_of(campaign, self.inputs.plan)
        self.announcement: dict[str, Any] = json.loads((campaign.public / "announcement.json").read_bytes())
        self.draw = str(self.announcement["draw"])
        self.digest: Digest = suite_digest(self.announcement["suite"])
        self._require_open()
        inputs_unchanged(self.inputs, json.loads(private_file(campaign, "freeze.json"))["inputs"])
        secret = None
        if self.announcement["disclosure"] == "sealed":
            secret = bytes.fromhex(private_file(campaign, LIST_SECRET).decode().strip())
        prepared, _ = rebuilt_lists(self.inputs, self.announcement, secret, self.digest)
        self.frozen: Frozen = prepared.frozen
        self.full = full_result(campaign)
        self.rows = published_changes(campaign)
        self._finish_logging()
        result = (campaign.public / "result.json").read_bytes()
        self.effect: Effect = effect_of(self.announcement, self.full, result, self.rows, self.digest)

    def _require_open(self) -> None:
        """Refuse while an embargo hides anything: a change would show it."""
        if self.announcement["policy"]["embargo"] == "none":
            return
        public = self.campaign.public
        opened = set()
        if (public / "openings.jsonl").exists():
            rows = map(json.loads, (public / "openings.jsonl").read_bytes().splitlines())
            opened = {row["id"] for row in rows if row["list"] == "visits"}
        hidden = [json.loads(row)["id"] for row in (public / "visits.jsonl").read_bytes().splitlines()]
        if opened.issuperset(hidden):
            return
        raise StateError(
            code="under-embargo",
            value=self.draw,
            message={
                "zh": "保密期内不能更改：更改会显示被检查者或检查组",
                "en": "nothing can be changed under an embargo: a change would show an enterprise or a crew",
            },
            remedy={
                "zh": "全部启封后再更改；预计会有更改的，公告时不用 embargo。",
                "en": "Change after everything has been opened; where changes are expected, announce without embargo.",
            },
        )

    def _finish_logging(self) -> None:
        """Log rows that a killed process published without logging them."""
        if self.book is None or not self.rows:
            return
        documents = documents_of_changes(self._data(), self.draw, self.announcement["suite"])
        chain = self.book.chain(self.draw)
        if not all(is_logged(chain, each.type, each.data, each.suite) for each in documents):
            put(self.book, documents, lambda: None)

    def _data(self) -> bytes:
        path = self.campaign.public / CHANGES
        return path.read_bytes() if path.exists() else b""

    def require_no_findings(self, enterprise: str, part: int | None, department: str | None = None) -> None:
        """Refuse to change what has been inspected already (None: any part, any department)."""
        path = self.campaign.public / "findings.json"
        found = json.loads(path.read_bytes())["findings"] if path.exists() else []
        tasks = {
            task["id"] for task in self.announcement["tasks"] if department in (None, task["department"])
        }
        if not any(
            row["enterprise"] == enterprise and part in (None, row["part"]) and row["task"] in tasks
            for row in found
        ):
            return
        raise StateError(
            code="already-inspected",
            value=enterprise,
            message={
                "zh": f"{enterprise} 的检查结果已公布，不能再更改这次检查",
                "en": f"findings of {enterprise} are published: that visit cannot be changed any more",
            },
            remedy={
                "zh": "检查结果有误的，用 dualrandom record --correct 更正。",
                "en": "Correct wrong findings with dualrandom record --correct.",
            },
        )

    def evidence(self, beacon_file: Path | None) -> Evidence | None:
        """Return the evidence for the oldest pending exclusion, None under policy ``next``."""
        if self.announcement["policy"]["substitution"] == "next":
            return None
        beacon, exclusion = self.announcement["beacon"], self.effect.pending[0][0]
        if exclusion["beacon"] is None:
            randomness, new = secret_hex(
                self.campaign.private, f"substitutes/{self.draw}-{exclusion['number']}"
            )
            write_private(self.campaign.private, new)
            return Evidence(randomness, None, None)
        number, time = exclusion["beacon"]["round"], exclusion["beacon"]["time"]
        path = beacon_file or self.campaign.folder / f"beacon-{number}.json"
        if not path.exists():
            raise WaitingError(
                code="beacon-not-there",
                value=f"{beacon['kind']} {beacon['source']} {number}",
                message={
                    "zh": f"还没有信标 {beacon['kind']} 第 {number} 轮（应于 {time} 产生）的证据",
                    "en": f"no evidence yet for {beacon['kind']} round {number}, due at {time}",
                },
                remedy={
                    "zh": f"轮次产生后存为 {path}，或用 --beacon 文件。不可换用其他轮次。",
                    "en": f"When it is out, save it as {path} or use --beacon FILE; no other round will do.",
                },
            )
        return read_evidence(beacon["kind"], number, path.read_bytes(), str(path))

    def publish(self, row: dict[str, Any]) -> Change:
        """Append a row, write the page and the exports anew, and say what has been counted."""
        data = self._data() + row_bytes(row)
        rows = (*self.rows, row)

        def write() -> None:
            write_public(self.campaign.public, {CHANGES: data})
            write_index(self.campaign.public)

        put(self.book, documents_of_changes(data, self.draw, self.announcement["suite"]), write)
        people = {each.id: each.person for each in self.frozen.roster}
        export(self.campaign, self.inputs, self.announcement, effective_result(self.full, rows), people)
        enterprises = {e.id: e.name for e in self.inputs.libraries.enterprises}
        unfilled = unfilled_crews(self.full, rows)[row["department"]] if row["type"] == "withdraw" else ()
        visits = {visit["enterprise"] for visit in row.get("visits", ())}
        mentioned = visits | {row[key] for key in ("enterprise",) if key in row} | {e for e, _ in unfilled}
        seated = {p for v in row.get("visits", ()) for crew in v["crews"] for p in crew["seats"]}
        seated |= {row[key] for key in ("in", "out") if key in row}
        return Change(
            draw=self.draw,
            row=row,
            counts=counts_of(self.full, rows),
            alarms=alarms(self.full, rows),
            names={e: enterprises[e] for e in mentioned} | {p: people[p] for p in seated},
            unfilled=unfilled,
        )
