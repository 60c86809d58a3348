"""A log on disk: static files for the public, and a private journal that makes every change atomic.

The public folder holds what tlog-tiles prescribes (``checkpoint``, ``tile/…``), and beside it ``log.vkey`` (the log's
first key), ``documents/<digest>``, ``checkpoints/<size>`` (every checkpoint ever signed, with its cosignatures) and
``keys/<number>.note`` (rotations and revocations).

Order of writing, for any change:

1. The journal, in the private folder, by rename: all files of the change with their contents, ``checkpoint`` last, and
   the checkpoint that stood before. From here on the change has happened.
2. The files, each by rename; ``checkpoint`` last, so no reader meets one whose tiles are missing.
3. Partial tiles that have become full are removed.

A process killed before 1 has done nothing. One killed later is finished by the next :meth:`Log.open`, which carries
out the journal again: it is kept, so it also remembers what was signed last. A public folder that was set back to an
older state is refused: signing there again would be a fork, for which witnesses would denounce the log.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from dualrandom.hashing import leaf_hash
from dualrandom.log.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint
from dualrandom.log.durable import PRIVATE_FOLDER, make_folder
from dualrandom.log.entry import Chains, Entry, EntryType, chains_of, document_path
from dualrandom.log.errors import refusal
from dualrandom.log.journal import WriterLock, carry_out, has_journal, no_state, write_journal
from dualrandom.log.keys import key_note_path, revocation, rotation, succession
from dualrandom.log.merkle import EMPTY_ROOT, nodes_of, root
from dualrandom.log.note import (
    Note,
    Signature,
    Signer,
    Verifier,
    VerifierKey,
    parse_note,
    verified_signatures,
)
from dualrandom.log.reader import CHECKPOINT, FIRST_KEY, LogReader, archive_path
from dualrandom.log.tile import tile_data, tile_levels, tiles_of


@dataclass(frozen=True, slots=True)
class Document:
    """A document to be logged: its draw, type, bytes, and the hash suite of its draw."""

    draw: str
    type: EntryType
    data: bytes
    suite: str = "sha256"


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry and its index in the log. ``repeated`` says that it stood there before this call."""

    index: int
    entry: Entry
    repeated: bool


def create_log(folder: Path, state: Path, signer: Signer) -> None:
    """Begin an empty log in ``folder``, whose origin is the signer's name; ``state`` is private to the log's owner.

    Safe to repeat with the same key. Raises LogError ``log-exists`` if there is another log.
    """
    make_folder(folder)
    make_folder(state, PRIVATE_FOLDER)
    reader = LogReader(folder)
    vkey = f"{signer.key.text}\n".encode()
    note = sign_checkpoint(Checkpoint(signer.name, 0, EMPTY_ROOT), [signer])
    with WriterLock(state, 10):
        if has_journal(state):
            carry_out(folder, state)
        elif reader.file(CHECKPOINT) is None and reader.file(FIRST_KEY) is None:
            write_journal(state, None, [(FIRST_KEY, vkey), (archive_path(0), note), (CHECKPOINT, note)])
            carry_out(folder, state)
        else:
            raise no_state(state)
    if reader.file(FIRST_KEY) != vkey:
        raise refusal(
            "log-exists",
            str(folder),
            "此处已有另一把密钥的日志",
            "there is a log of another key here",
            remedy_zh="另选文件夹；更换密钥请用轮换。",
            remedy_en="Choose another folder; to change the key, rotate it.",
        )


class Log:
    """A log opened for appending: the only writer, until it is closed. Use it in a ``with`` statement."""

    def __init__(self, folder: Path, state: Path, lock: WriterLock) -> None:
        self.reader = LogReader(folder)
        self._state = state
        self._lock = lock
        self._load()

    @classmethod
    def open(cls, folder: Path, state: Path, *, patience: float = 10) -> Self:
        """Take the lock, finish what a killed process left, and check entries against the checkpoint.

        Waits up to ``patience`` seconds for another writer. Raises LogError: ``log-in-use``, ``log-state-missing``,
        ``log-rolled-back``, ``log-corrupt``, ``log-missing``.
        """
        if not has_journal(state):
            raise no_state(state)
        lock = WriterLock(state, patience)
        lock.__enter__()
        try:
            carry_out(folder, state)
            return cls(folder, state, lock)
        except BaseException:
            lock.close()
            raise

    def _load(self) -> None:
        self.checkpoint = self.reader.checkpoint()
        self._entries = list(self.reader.entries())
        self._leaves = [leaf_hash(entry) for entry in self._entries]
        self.chains = chains_of(self._entries)

    def append(
        self, documents: Iterable[Document], signer: Signer, former: Signer | None = None
    ) -> tuple[Logged, ...]:
        """Log documents, all or none, under one new checkpoint; return their entries in the given order.

        A document that its draw has logged before with the same type is not logged again: repeating a call after a
        crash is safe. ``former`` also signs, for witnesses that do not know a new key yet. Raises LogError
        ``entry-out-of-order``, ``entry-malformed``, ``log-key-mismatch``.
        """
        self._check_signer(signer)
        chains: Chains = self.chains
        files: dict[str, bytes] = {}
        added: list[bytes] = []
        logged: list[Logged] = []
        for document in documents:
            entry = chains.next_entry(document.type, document.draw, document.data, document.suite)
            chain = chains.draws.get(document.draw)
            known = None if chain is None else chain.index_of(entry.type, entry.digest)
            if chain is not None and known is not None:
                logged.append(Logged(known, chain.entries[chain.indices.index(known)], repeated=True))
                continue
            logged.append(Logged(chains.size, entry, repeated=False))
            chains = chains.after(entry)
            added.append(entry.data)
            files[document_path(entry.digest)] = document.data
        if added:
            self._grow(added, files, [signer] if former is None else [signer, former])
            self.chains = chains
        return tuple(logged)

    def add_cosignatures(
        self, text: str, signatures: Iterable[Signature], witnesses: Iterable[Verifier]
    ) -> None:
        """Publish the signatures of known witnesses under the checkpoint of this text; others are left out.

        Raises LogError ``checkpoint-unknown`` if this log did not sign that checkpoint, ``signature-invalid``,
        ``signature-missing``.
        """
        signatures = verified_signatures(Note(text, tuple(signatures)), witnesses)
        size = parse_checkpoint(text).size
        before = parse_note(self.reader.checkpoint_note(size))
        if before.text != text:
            raise refusal(
                "checkpoint-unknown", str(size), "不是本日志的检查点", "not a checkpoint of this log"
            )
        note = Note(text, tuple(dict.fromkeys((*before.signatures, *signatures)))).data
        files = {archive_path(size): note}
        if size == self.checkpoint.size:
            files[CHECKPOINT] = note
        self._commit(files)

    def rotate(self, signer: Signer, successor: Signer, now: datetime) -> None:
        """Hand the log over to another key: publish the note that both sign, and the checkpoint with the new key's signature.

        Raises LogError ``log-key-mismatch``, ``succession-refused``.
        """
        self._check_signer(signer)
        # readers want the latest checkpoint by the current key; witnesses' cosignatures are of its text and stay
        head = parse_note(self.reader.checkpoint_note())
        signed = Note(head.text, (*head.signatures, successor.sign(head.text))).data
        files = {archive_path(self.checkpoint.size): signed, CHECKPOINT: signed}
        self._add_key_note(rotation(signer, successor, now), files)

    def revoke(self, signer: Signer, key: VerifierKey, now: datetime, reason: str) -> None:
        """Publish that a key counts no more from ``now``. Raises LogError ``succession-refused``."""
        self._add_key_note(revocation(signer, key, now, reason))

    def close(self) -> None:
        """Release the lock."""
        self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check_signer(self, signer: Signer) -> None:
        if self.reader.succession.current != signer.key:
            raise refusal(
                "log-key-mismatch",
                signer.key.text,
                "不是日志现行的密钥",
                "not the log's current key",
                remedy_zh="使用轮换后的密钥；密钥丢失时，进行中的抽取须以此为由作废。",
                remedy_en="Use the key of the latest rotation; if it is lost, void open draws for this reason.",
            )

    def _add_key_note(self, note: bytes, files: Mapping[str, bytes] | None = None) -> None:
        notes = self.reader.key_notes
        succession(self.reader.first_key, (*notes, note), begins=True)
        self._commit({key_note_path(len(notes) + 1): note, **(files or {})})

    def _grow(self, added: Sequence[bytes], files: dict[str, bytes], signers: Sequence[Signer]) -> None:
        old = set(tiles_of(len(self._entries)))
        entries = [*self._entries, *added]
        leaves = [*self._leaves, *(leaf_hash(entry) for entry in added)]
        levels = tile_levels(leaves)
        for tile in tiles_of(len(entries)):
            if tile not in old:
                files[tile.path] = tile_data(tile, levels, entries)
        checkpoint = Checkpoint(self.checkpoint.origin, len(entries), root(len(leaves), nodes_of(leaves)))
        note = sign_checkpoint(checkpoint, signers)
        self._commit({**files, archive_path(checkpoint.size): note, CHECKPOINT: note})
        self.checkpoint, self._entries, self._leaves = checkpoint, entries, leaves

    def _commit(self, files: dict[str, bytes]) -> None:
        before = self.reader.checkpoint_note()
        if CHECKPOINT not in files:
            files = {**files, CHECKPOINT: before}
        ordered = sorted(files.items(), key=lambda item: item[0] == CHECKPOINT)
        write_journal(self._state, before, ordered)
        carry_out(self.reader.folder, self._state)
