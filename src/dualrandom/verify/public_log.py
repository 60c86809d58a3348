"""The published log as a verifier sees it: `log/` in the folder, read and checked against its own signatures (docs/protocol.md §11)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dualrandom.errors import DualRandomError
from dualrandom.hashing import leaf_hash
from dualrandom.log.checkpoint import Checkpoint, open_checkpoint
from dualrandom.log.entry import Chain, Chains, Entry, EntryType, document_path, parse_entry
from dualrandom.log.errors import LogError
from dualrandom.log.keys import Succession, key_note_path, succession, with_succession
from dualrandom.log.merkle import nodes_of, root
from dualrandom.log.note import parse_vkey
from dualrandom.log.policy import Policy, PolicyLog
from dualrandom.log.tile import entries_of, tile_data, tile_levels, tiles_of
from dualrandom.verify.report import Verdict

FOLDER = "log/"
CHECKPOINT = f"{FOLDER}checkpoint"
KEY = f"{FOLDER}log.vkey"
ANNOUNCED = "announced.checkpoint"
_FOLDERS = tuple(f"{FOLDER}{name}/" for name in ("tile", "keys", "documents"))


@dataclass(frozen=True, slots=True)
class PublicLog:
    """A log whose entries lead to the root that its key signed. ``policy`` knows the log's keys; ``trusted``: from the reader."""

    checkpoint: Checkpoint
    policy: Policy
    trusted: bool
    entries: tuple[Entry | None, ...]
    """None where an entry cannot be read."""
    leaves: tuple[bytes, ...]
    chains: Chains
    """All entries that keep the rules of order, in their order; those that break them are left out."""

    def chain(self, draw: str) -> Chain:
        """Return one draw's entries."""
        return self.chains.draws.get(draw, Chain(draw))

    def indices(self, draw: str) -> list[tuple[int, Entry]]:
        """Return the places of one draw's entries in the log, whether or not they keep the rules."""
        return [
            (i, entry) for i, entry in enumerate(self.entries) if entry is not None and entry.draw == draw
        ]

    def root_of(self, size: int) -> bytes:
        """Return the tree hash of the first ``size`` entries."""
        return root(size, nodes_of(self.leaves[:size])) if size else root(0, nodes_of([]))


def read_log(files: Mapping[str, bytes], trust: Policy | None, verdict: Verdict) -> PublicLog | None:
    """Read `log/`; note in ``verdict`` what is wrong. None if there is no log or it cannot be used.

    ``trust`` is the reader's policy: which logs and witnesses he relies on.
    """
    if CHECKPOINT not in files:
        if any(name.startswith(FOLDER) for name in files):
            verdict.fail(f"缺少 {CHECKPOINT}", f"{CHECKPOINT} is missing")
        return None
    try:
        policy, trusted = _policy(files, trust)
        checkpoint, _, _ = open_checkpoint(files[CHECKPOINT], (log.key for log in policy.logs))
    except LogError as problem:
        verdict.fail(f"{CHECKPOINT}：{problem.message('zh')}", f"{CHECKPOINT}: {problem.message('en')}")
        return None
    try:
        entries = entries_of(lambda path: files.get(FOLDER + path), checkpoint.size)
    except LogError as problem:
        verdict.fail(f"日志条目：{problem.message('zh')}", f"the log's entries: {problem.message('en')}")
        return None
    leaves = tuple(leaf_hash(entry) for entry in entries)
    if root(len(leaves), nodes_of(leaves)) != checkpoint.root:
        verdict.fail("条目算不出检查点的根散列", "the entries do not lead to the checkpoint's root hash")
        return None
    _check_first_key(files, verdict)
    _check_tiles(files, entries, leaves, verdict)
    parsed, chains = _folded(entries, verdict)
    _check_layout(files, parsed, verdict)
    return PublicLog(checkpoint, policy, trusted, parsed, leaves, chains)


def _notes(files: Mapping[str, bytes]) -> list[bytes]:
    """Return the rotations and revocations, up to the first gap."""
    notes: list[bytes] = []
    while (note := files.get(FOLDER + key_note_path(len(notes) + 1))) is not None:
        notes.append(note)
    return notes


def _check_first_key(files: Mapping[str, bytes], verdict: Verdict) -> None:
    """Check that the key in the folder, which readers with a policy do not need, leads to the one that signed."""
    try:
        first = parse_vkey(_first_key(files))
        # the last key: one that was handed over signs nothing new
        open_checkpoint(files[CHECKPOINT], succession(first, _notes(files), begins=True).keys[-1:])
    except LogError as problem:
        verdict.fail(f"{KEY}：{problem.message('zh')}", f"{KEY}: {problem.message('en')}")


def _first_key(files: Mapping[str, bytes]) -> str:
    data = files.get(KEY, b"").decode("utf-8", "replace")
    return data[:-1] if data.endswith("\n") else ""


def _check_layout(files: Mapping[str, bytes], entries: Sequence[Entry | None], verdict: Verdict) -> None:
    """Check that nothing lies among tiles, keys and documents that does not belong there."""
    allowed = {FOLDER + tile.path for tile in tiles_of(len(entries))}
    allowed |= {FOLDER + key_note_path(number) for number in range(1, len(_notes(files)) + 1)}
    for entry in entries:
        name = "" if entry is None else FOLDER + document_path(entry.digest)
        if entry is None or entry.type is not EntryType.ANNOUNCE or name not in files:
            continue
        allowed.add(name)
        if not entry.is_of(files[name]):
            verdict.fail(f"{name} 不是其名称所示的公告", f"{name} is not the announcement that its name says")
    for name in sorted(files):
        if name.startswith(_FOLDERS) and name not in allowed:
            verdict.fail(f"{name[:120]} 不属于日志", f"{name[:120]} does not belong to the log")


def _policy(files: Mapping[str, bytes], trust: Policy | None) -> tuple[Policy, bool]:
    """Return the reader's policy with what the log's keys handed over to; without one, the folder's own key and no witness."""
    notes = _notes(files)
    if trust is not None and trust.logs:
        return with_succession(trust, notes), True
    first = parse_vkey(_first_key(files))
    state: Succession = succession(first, notes, begins=True)
    logs = tuple(PolicyLog(key) for key in state.keys)
    own = Policy(logs, (), (), "none", state.revoked)
    if trust is not None:
        own = Policy(logs, trust.witnesses, trust.groups, trust.quorum, state.revoked)
    return own, False


def _check_tiles(
    files: Mapping[str, bytes], entries: Sequence[bytes], leaves: Sequence[bytes], verdict: Verdict
) -> None:
    levels = tile_levels(leaves)
    for tile in tiles_of(len(entries)):
        found = files.get(FOLDER + tile.path)
        if found is None:
            verdict.fail(f"缺少 {FOLDER}{tile.path}", f"{FOLDER}{tile.path} is missing")
        elif found != tile_data(tile, levels, entries):
            verdict.fail(
                f"{FOLDER}{tile.path} 与条目不符", f"{FOLDER}{tile.path} is not what the entries give"
            )


def _folded(entries: Sequence[bytes], verdict: Verdict) -> tuple[tuple[Entry | None, ...], Chains]:
    parsed: list[Entry | None] = []
    chains = Chains()
    for index, data in enumerate(entries):
        entry: Entry | None = None
        try:
            entry = parse_entry(data)
            chains = chains.after(entry)
        except DualRandomError as problem:
            draw = "" if entry is None else entry.draw
            verdict.fail(
                f"第 {index} 条 {draw}：{problem.message('zh')}",
                f"entry {index} {draw}: {problem.message('en')}",
            )
            chains = Chains(chains.size + 1, chains.draws, chains.numbers)
        parsed.append(entry)
    return tuple(parsed), chains
