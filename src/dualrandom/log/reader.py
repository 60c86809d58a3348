"""Reading a published log: its files' names, its entries, and proofs made from its tiles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dualrandom.hashing import leaf_hash
from dualrandom.log.checkpoint import Checkpoint, open_checkpoint
from dualrandom.log.entry import document_path
from dualrandom.log.errors import LogError, refusal
from dualrandom.log.keys import Succession, key_note_path, succession
from dualrandom.log.merkle import Node, consistency_proof, inclusion_proof, nodes_of, root
from dualrandom.log.note import VerifierKey, parse_vkey
from dualrandom.log.proof import LogProof
from dualrandom.log.tile import entries_of, tile_nodes

CHECKPOINT = "checkpoint"
FIRST_KEY = "log.vkey"


def archive_path(size: int) -> str:
    """Return the path at which the checkpoint of a size stays."""
    return f"checkpoints/{size}"


@dataclass(frozen=True, slots=True)
class LogReader:
    """Reads a published log; verifies nothing that it does not say it does."""

    folder: Path

    def file(self, path: str) -> bytes | None:
        """Return a file of the log, or None."""
        try:
            return (self.folder / path).read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None

    @property
    def first_key(self) -> VerifierKey:
        """The key with which the log began. Raises LogError ``log-missing``, ``key-refused``."""
        data = self.file(FIRST_KEY)
        if data is None:
            raise _no_log(self.folder)
        return read_vkey(data)

    @property
    def key_notes(self) -> tuple[bytes, ...]:
        """Rotations and revocations, in order."""
        notes: list[bytes] = []
        while (data := self.file(key_note_path(len(notes) + 1))) is not None:
            notes.append(data)
        return tuple(notes)

    @property
    def succession(self) -> Succession:
        """The log's keys so far."""
        return succession(self.first_key, self.key_notes, begins=True)

    def checkpoint_note(self, size: int | None = None) -> bytes:
        """Return the latest checkpoint, or the one that was signed at ``size``. Raises LogError ``log-missing``."""
        data = self.file(CHECKPOINT if size is None else archive_path(size))
        if data is None:
            raise _no_log(self.folder)
        return data

    def checkpoint(self, size: int | None = None) -> Checkpoint:
        """Return the latest checkpoint, or that of ``size``, if one of the log's keys signed it. Raises LogError."""
        return open_checkpoint(self.checkpoint_note(size), self.succession.keys)[0]

    def node(self, size: int) -> Node:
        """Return the node function of the tree of ``size`` entries."""
        return tile_nodes(self.file, size)

    def entries(self) -> tuple[bytes, ...]:
        """Return all entries' bytes, checked against the checkpoint's root. Raises LogError ``log-corrupt``."""
        checkpoint = self.checkpoint()
        entries = entries_of(self.file, checkpoint.size)
        if root(len(entries), nodes_of([leaf_hash(entry) for entry in entries])) != checkpoint.root:
            raise corrupt(self.folder, "entries")
        return entries

    def document(self, digest: str) -> bytes | None:
        """Return a document's bytes, or None."""
        return self.file(document_path(digest))

    def consistency(self, old: int, size: int) -> tuple[bytes, ...]:
        """Return the proof that the tree of ``old`` entries is a prefix of that of ``size`` entries."""
        return consistency_proof(old, size, self.node(size))

    def proof(self, index: int, size: int | None = None, extra: bytes | None = None) -> bytes:
        """Return the proof file of an entry under the checkpoint of ``size`` (the latest if None). Raises LogError."""
        note = self.checkpoint_note(size)
        # from the same bytes: the log may grow while this runs
        covered = open_checkpoint(note, self.succession.keys)[0].size
        return LogProof(index, inclusion_proof(index, covered, self.node(covered)), note, extra).data


def read_vkey(data: bytes) -> VerifierKey:
    """Return the key of a ``log.vkey`` file: one line. Raises LogError ``key-refused``."""
    text = data.decode("utf-8", "replace")
    key = parse_vkey(text.removesuffix("\n"))
    if not text.endswith("\n"):
        raise refusal("key-refused", text, "公钥文件末尾没有换行", "the key file has no newline at its end")
    return key


def _no_log(folder: Path) -> LogError:
    return refusal(
        "log-missing",
        str(folder),
        "此处没有日志，或没有所要的检查点",
        "there is no log here, or no such checkpoint",
        remedy_zh="核对文件夹。",
        remedy_en="Look at the folder's name.",
    )


def corrupt(folder: Path, what: str) -> LogError:
    """Return the error for files that do not fit each other."""
    return refusal(
        "log-corrupt",
        f"{folder}: {what}",
        "日志文件已损坏",
        "files of the log are damaged",
        remedy_zh="用 fsck 找出损坏的文件，并从备份恢复。",
        remedy_en="Find the damaged files with fsck and restore them from a backup.",
    )
