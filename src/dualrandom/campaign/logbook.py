"""A campaign's draws in the authority's transparency log (docs/protocol.md §11).

For every step, in this order: the log is opened for writing and asked whether it would take the entries; the documents are
written; the entries are appended; the log is copied to ``public/log/``. A step that was killed in between is finished by
running the same command again: documents are the same bytes, and the log appends none that it has already. Until its
entry stands in the log a document does not count: :func:`dualrandom.campaign.state.state_of` sees the draw in the phase before.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dualrandom.campaign.folder import Campaign, StateError, write_public
from dualrandom.hashing import hash_hex, suite_digest
from dualrandom.keyring import begin_log, current_signer, private_folder, public_folder
from dualrandom.log.checkpoint import parse_checkpoint
from dualrandom.log.entry import Chain, Chains, EntryType, chains_of, document_path, parse_entry
from dualrandom.log.errors import LogError
from dualrandom.log.keys import key_note_path, with_succession
from dualrandom.log.note import parse_note
from dualrandom.log.policy import Policy, PolicyLog, parse_policy
from dualrandom.log.reader import CHECKPOINT, FIRST_KEY, LogReader
from dualrandom.log.storage import Document, Log
from dualrandom.log.tile import tiles_of
from dualrandom.policy.plan import Plan

REVEALS = "reveals"
ANNOUNCED_CHECKPOINT = "announced.checkpoint"
EXCLUSIONS = "exclusions"
PUBLISHED = "log"
CHANGES = "changes.jsonl"
_TYPES_OF_CHANGES = {
    "exclude": EntryType.EXCLUDE,
    "substitute": EntryType.SUBSTITUTE,
    "replace": EntryType.AMEND,
    "withdraw": EntryType.AMEND,
}


@dataclass(frozen=True, slots=True)
class Logbook:
    """The log that a campaign's plan names, as this campaign uses it."""

    campaign: Campaign
    folder: Path
    origin: str
    policy_file: Path | None

    @property
    def reader(self) -> LogReader:
        """The log as it stands."""
        return LogReader(public_folder(self.folder))

    def begin(self) -> None:
        """Make the log unless it is there."""
        begin_log(self.folder, self.origin)

    def opened(self) -> Log:
        """Open the log for writing; it is made at first use, and a killed append is finished."""
        self.begin()
        return Log.open(public_folder(self.folder), private_folder(self.folder))

    def policy(self) -> Policy:
        """Return whom the office asks: this log, and the policy file's witnesses and quorum. Raises LogError, OSError."""
        witnesses = None if self.policy_file is None else parse_policy(self.policy_file.read_bytes())
        log = PolicyLog(self.reader.first_key)
        policy = Policy((log,), (), (), "none") if witnesses is None else witnesses.with_logs([log])
        return with_succession(policy, self.reader.key_notes)

    def chains(self) -> Chains:
        """Return all draws of the log; none before it exists."""
        if self.reader.file(CHECKPOINT) is None:
            return Chains()
        return chains_of(self.reader.entries())

    def chain(self, draw: str) -> Chain:
        """Return one draw's entries."""
        return self.chains().draws.get(draw, Chain(draw))

    def append(self, documents: Sequence[Document], write: Callable[[], None]) -> None:
        """Write documents and log them. Raises LogError before anything is written if the log would not take them."""
        signer = current_signer_of(self)
        with self.opened() as log:
            would_take(log.chains, documents)
            write()
            log.append(documents, signer)
            self._publish(log)

    def publish(self) -> None:
        """Copy the log to ``public/log/`` again, for instance after it was cosigned."""
        with self.opened() as log:
            self._publish(log)

    def _publish(self, log: Log) -> None:
        size = log.checkpoint.size
        reader = log.reader
        names = [FIRST_KEY, *(key_note_path(n + 1) for n in range(len(reader.key_notes)))]
        names += [tile.path for tile in tiles_of(size)]
        names += [
            document_path(entry.digest)
            for chain in log.chains.draws.values()
            for entry in chain.entries
            if entry.type is EntryType.ANNOUNCE
        ]
        files = {name: reader.file(name) or b"" for name in dict.fromkeys([*names, CHECKPOINT])}
        target = self.campaign.public / PUBLISHED
        changed = {
            name: data for name, data in files.items() if not _has(target / name, data) or name == CHECKPOINT
        }
        write_public(target, changed)
        # tiles that have become full, and what a killed process half wrote
        for path in target.rglob("*"):
            if path.is_file() and path.relative_to(target).as_posix() not in files:
                path.unlink()


def current_signer_of(book: Logbook) -> Any:
    """Return the key that signs the log, which is made at first use."""
    book.begin()
    return current_signer(book.folder)


def logbook_of(campaign: Campaign, plan: Plan) -> Logbook | None:
    """Return the log that the plan names, or None."""
    if plan.log is None:
        return None
    return Logbook(
        campaign,
        campaign.folder / plan.log.folder,
        plan.log.origin or f"dualrandom/{plan.authority}",
        None if plan.log.policy is None else campaign.folder / plan.log.policy,
    )


def required_logbook(campaign: Campaign, plan: Plan) -> Logbook:
    """Return the log that the plan names. Raises StateError ``no-log`` if it names none."""
    book = logbook_of(campaign, plan)
    if book is None:
        raise StateError(
            "no-log",
            str(campaign.plan),
            {
                "zh": "计划没有 [log]：不使用透明日志",
                "en": "the plan has no [log]: it uses no transparency log",
            },
            {
                "zh": "在公告之前于 plan.toml 加入 [log] folder。",
                "en": "Add [log] folder to plan.toml before announcing.",
            },
        )
    return book


def put(book: Logbook | None, documents: Sequence[Document], write: Callable[[], None]) -> None:
    """Write documents, and log them where there is a log."""
    if book is None:
        write()
    else:
        book.append(documents, write)


def would_take(chains: Chains, documents: Iterable[Document]) -> None:
    """Raise LogError ``entry-out-of-order`` unless the log would take these documents, or has them."""
    for document in documents:
        entry = chains.next_entry(document.type, document.draw, document.data, document.suite)
        chain = chains.draws.get(document.draw)
        if chain is None or chain.index_of(entry.type, entry.digest) is None:
            chains = chains.after(entry)


def is_logged(chain: Chain, kind: EntryType, data: bytes, suite: str) -> bool:
    """Say whether a document stands in its draw's chain."""
    return chain.index_of(kind, hash_hex(data, suite_digest(suite))) is not None


def is_published(campaign: Campaign, kind: EntryType, data: bytes) -> bool:
    """Say whether ``public/log/`` has the entry of a document: logging is done when it has been published."""
    reader = LogReader(campaign.public / PUBLISHED)
    try:
        entries = [parse_entry(entry) for entry in reader.entries()]
    except LogError:
        return False
    return any(entry.type is kind and entry.is_of(data) for entry in entries)


def revealed_documents(
    campaign: Campaign, chain: Chain, suite: str, size: int | None = None
) -> list[Mapping[str, Any]]:
    """Return the published reveals that the log has, among its first ``size`` entries."""
    found = []
    for path in sorted((campaign.public / REVEALS).glob("*.json")):
        data = path.read_bytes()
        index = chain.index_of(EntryType.REVEAL, hash_hex(data, suite_digest(suite)))
        if index is not None and (size is None or index < size):
            found.append(json.loads(data))
    return found


def announced_size(campaign: Campaign) -> int | None:
    """Return how many entries ``announced.checkpoint`` covers, None before it is there."""
    data = _bytes(campaign.public / ANNOUNCED_CHECKPOINT)
    return None if data is None else parse_checkpoint(parse_note(data).text).size


def documents_of_changes(data: bytes, draw: str, suite: str) -> list[Document]:
    """Return one document for each row of ``changes.jsonl``: the row's bytes without the newline."""
    return [
        Document(draw, _TYPES_OF_CHANGES[json.loads(row)["type"]], row, suite) for row in data.splitlines()
    ]


def _bytes(path: Path) -> bytes | None:
    return path.read_bytes() if path.is_file() else None


def _has(path: Path, data: bytes) -> bool:
    return path.is_file() and path.read_bytes() == data
