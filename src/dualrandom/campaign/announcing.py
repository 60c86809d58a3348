"""Announcing a campaign: lists are frozen, commitments published, before the randomness exists."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

from dualrandom.announcement import build_announcement, list_files
from dualrandom.campaign.backup import back_up
from dualrandom.campaign.contributing import contributions_of
from dualrandom.campaign.folder import (
    Campaign,
    StateError,
    public_base64,
    secret_hex,
    signing_key,
    write_private,
    write_public,
)
from dualrandom.campaign.inputs import (
    Inputs,
    input_digests,
    load_inputs,
    prepare,
    require_staffed,
    warnings_of,
)
from dualrandom.campaign.logbook import Logbook, is_published, logbook_of, put
from dualrandom.campaign.publishing import published_files, write_index
from dualrandom.campaign.state import book_of, state_of
from dualrandom.canonical import canonical
from dualrandom.ceremony import Ceremony, Phase
from dualrandom.errors import Problem
from dualrandom.flags import flags
from dualrandom.hashing import hash_hex, suite_digest
from dualrandom.keyring import AUDITOR_KEY
from dualrandom.log.entry import EntryType
from dualrandom.log.storage import Document
from dualrandom.policy.plan import Plan
from dualrandom.policy.reader import read_plan
from dualrandom.progress import Progress, silent
from dualrandom.statistics import labels_document

LIST_SECRET = "list-secret"


@dataclass(frozen=True)
class Announced:
    """What was announced."""

    draw: str
    digest: str
    frame_size: int
    roster_size: int
    tasks: int
    days: int
    expected_checks: Fraction
    """Σ expected sizes of all own tasks: the visits if every department came alone."""
    warnings: tuple[Problem, ...]


def announce(
    folder: Path,
    *,
    rehearsal: bool = False,
    now: datetime,
    progress: Progress = silent,
    backup: Path | None = None,
) -> Announced:
    """Validate, freeze, publish, log. Raises InputError, or StateError if there is an announcement already.

    With a log, an announcement that was published but not logged, because this was killed in between, is logged now.
    ``backup``: a folder that gets a copy of ``private/`` before anything is published; see :mod:`.backup`.
    """
    campaign = Campaign(folder)
    progress("读取计划和名录库", "reading plan and libraries")
    begun = _begun(campaign)
    if begun is not None:
        load_inputs(folder)
        return _finished(campaign, *begun)
    before = state_of(campaign, book_of(campaign))
    if Phase.DRAFTED < before.phase < Phase.VOID:
        # refuses, since a draw is announced once
        before.announce((), None, now)
    archive = before.draw_id if before.phase is Phase.VOID else None
    inputs = load_inputs(folder)
    plan = inputs.plan
    book = logbook_of(campaign, plan)
    if archive:
        _log_void(campaign, book, archive)
    voids = sorted({*campaign.voided_draws(), *([archive] if archive else [])})
    draw = f"{plan.authority}-{plan.year}-{plan.number + len(voids):06d}"
    Ceremony(draw).announce(
        (contribution.party for contribution in plan.contributions),
        None if rehearsal or plan.beacon.kind == "local" else plan.beacon.time,
        now,
    )
    digest = suite_digest(plan.suite)
    progress("冻结名录", "freezing the lists")
    private = campaign.private
    new: dict[str, bytes] = {}
    # a new draw never reuses a voided one's secret or nonces
    secret_text, written = secret_hex(private, LIST_SECRET, fresh=archive is not None)
    new |= written
    secret = bytes.fromhex(secret_text)
    is_open = plan.disclosure == "open"
    prepared = prepare(inputs, draw, None if is_open else secret)
    require_staffed(plan, prepared)
    progress("计算承诺", "computing the commitments")
    lists = list_files(prepared.frozen, None if is_open else secret, digest)
    contributions, written = contributions_of(plan, campaign, draw, fresh=archive is not None)
    new |= written
    auditor, written = _auditor(plan, private)
    new |= written
    document = build_announcement(
        plan,
        inputs.libraries,
        prepared.frozen,
        prepared.days,
        {name: file.commitment(digest) for name, file in lists.items()},
        contributions,
        auditor,
        voids,
    )
    found = flags(plan, inputs.libraries, document, prepared.frozen, inputs.previous)
    data = canonical(document)
    progress("写入公告", "writing the announcement")
    if archive:
        _archive(campaign, archive)
    freeze = {
        "draw": draw,
        "excluded": dict(prepared.placed.excluded),
        "flags": found,
        "inputs": input_digests(inputs),
        "rehearsal": rehearsal,
    }
    openings = (
        {} if is_open else {f"openings/{name}.jsonl": file.openings_file() for name, file in lists.items()}
    )
    write_private(private, {**new, **openings, "freeze.json": canonical(freeze)})
    if backup is not None:
        progress("备份 private/", "backing private/ up")
        back_up(campaign, draw, backup)
    digest_hex = hash_hex(data, digest)
    labels = labels_document(plan, inputs.libraries, document, digest_hex, (), rehearsal)
    files = {
        **{f"{name}.jsonl": file.file() for name, file in lists.items()},
        "labels.json": canonical(labels),
        "announcement.json": data,
    }

    def write() -> None:
        write_public(campaign.public, files)
        write_index(campaign.public)

    put(book, [Document(draw, EntryType.ANNOUNCE, data, plan.suite)], write)
    return Announced(
        draw=draw,
        digest=digest_hex,
        frame_size=len(prepared.frozen.ids),
        roster_size=len(prepared.frozen.roster),
        tasks=len(plan.tasks),
        days=len(prepared.days),
        expected_checks=sum(
            (s.expected for strata in prepared.frozen.strata.values() for s in strata), Fraction(0)
        ),
        warnings=warnings_of(inputs, prepared, document, found),
    )


def _begun(campaign: Campaign) -> tuple[Logbook, bytes] | None:
    """Return the announcement that is published but not in the published log, with the log it should be in."""
    path = campaign.public / "announcement.json"
    plan = read_plan(campaign.plan).plan
    book = None if plan is None else logbook_of(campaign, plan)
    if book is None or not path.exists() or (campaign.public / "void.json").exists():
        return None
    data = path.read_bytes()
    return None if is_published(campaign, EntryType.ANNOUNCE, data) else (book, data)


def _finished(campaign: Campaign, book: Logbook, data: bytes) -> Announced:
    """Log an announcement that was published before."""
    document = json.loads(data)
    book.append(
        [Document(document["draw"], EntryType.ANNOUNCE, data, document["suite"])],
        lambda: write_index(campaign.public),
    )
    return Announced(
        draw=document["draw"],
        digest=hash_hex(data, suite_digest(document["suite"])),
        frame_size=document["lists"]["frame"]["size"],
        roster_size=document["lists"]["roster"]["size"],
        tasks=len(document["tasks"]),
        days=len(document["days"]),
        expected_checks=sum((Fraction(t["total"]) for t in document["tasks"] if t["total"]), Fraction(0)),
        warnings=(),
    )


def _log_void(campaign: Campaign, book: Logbook | None, draw: str) -> None:
    """See to it that a voided draw stands in the log before the next one is announced."""
    if book is None:
        return
    found = {
        name: next(path for path in (campaign.public / name, campaign.voided / draw / name) if path.exists())
        for name in ("announcement.json", "void.json")
    }
    announcement, void = (path.read_bytes() for path in found.values())
    suite = json.loads(announcement)["suite"]
    documents = [
        Document(draw, EntryType.ANNOUNCE, announcement, suite),
        Document(draw, EntryType.VOID, void, suite),
    ]
    book.append(documents, lambda: None)


def _archive(campaign: Campaign, draw: str) -> None:
    """Move a voided draw's documents aside, unchanged; nothing is deleted."""
    target = campaign.voided / draw
    target.mkdir(parents=True, exist_ok=True)
    private_target = campaign.private / "voided" / draw
    private_target.mkdir(parents=True, mode=0o700, exist_ok=True)
    for name in (LIST_SECRET, "nonces", "openings", "freeze.json", "local-randomness"):
        path = campaign.private / name
        if path.exists():
            path.rename(private_target / name)
    # the announcement goes last: as long as it is here, a rerun after a crash finishes the move
    for path in sorted(published_files(campaign.public), key=lambda path: path.name == "announcement.json"):
        moved = target / path.relative_to(campaign.public)
        moved.parent.mkdir(exist_ok=True)
        path.rename(moved)


def _auditor(plan: Plan, private: Path) -> tuple[dict[str, Any] | None, dict[str, bytes]]:
    if plan.auditor is None:
        return None, {}
    if plan.auditor.key is not None:
        return {"key": plan.auditor.key, "name": plan.auditor.name}, {}
    key, new = signing_key(private, AUDITOR_KEY)
    return {"key": public_base64(key), "name": plan.auditor.name}, new


def inputs_unchanged(inputs: Inputs, frozen: dict[str, str]) -> None:
    """Raise StateError naming each input file that differs from what was announced."""
    now = input_digests(inputs)
    changed = sorted(name for name in now.keys() | frozen.keys() if now.get(name) != frozen.get(name))
    if not changed:
        return
    names = ", ".join(changed)
    raise StateError(
        code="changed-since-announced",
        value=names,
        message={"zh": f"公告后被更改：{names}", "en": f"changed since the announcement: {names}"},
        remedy={
            "zh": "恢复公告时的文件；要用新数据，先 dualrandom void --reason …，再重新公告。",
            "en": "Restore the files as announced; to use new data, dualrandom void --reason … and announce again.",
        },
    )
