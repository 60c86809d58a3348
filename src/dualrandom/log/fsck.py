"""Every fault of a log's public folder: whatever byte of whatever file changed, some check below names a file."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dualrandom.errors import DualRandomError, Problem, Severity
from dualrandom.hashing import leaf_hash
from dualrandom.log.checkpoint import Checkpoint, decimal, open_checkpoint
from dualrandom.log.durable import PART
from dualrandom.log.entry import Chains, document_path, parse_entry
from dualrandom.log.keys import Succession, key_note_path, succession, with_succession
from dualrandom.log.merkle import Node, nodes_of, root
from dualrandom.log.note import VerifierKey, parse_note
from dualrandom.log.policy import Policy
from dualrandom.log.reader import CHECKPOINT, FIRST_KEY, archive_path, read_vkey
from dualrandom.log.tile import (
    ENTRIES_LEVEL,
    WIDTH,
    parse_bundle,
    parse_path,
    parse_tile,
    tile_data,
    tile_levels,
    tiles_of,
)

_RESTORE_ZH = "从备份恢复该文件；没有备份时，向镜像或见证方求取。"
_RESTORE_EN = "Restore the file from a backup; without one, ask a mirror or a witness."


@dataclass(frozen=True, slots=True)
class _Tree:
    """What the entry bundles say, verified or not."""

    checkpoint: Checkpoint
    entries: Sequence[bytes]
    leaves: Sequence[bytes]
    node: Node


def fsck(
    folder: Path, policy: Policy | None = None, first_key: VerifierKey | None = None
) -> tuple[Problem, ...]:
    """Read a log's public folder and return every fault, worst first; empty if all is well. Never raises for contents.

    ``policy`` makes cosignatures checkable and says which log is meant; ``first_key`` is the key with which the log
    began, got from elsewhere. Without either, a log that was replaced as a whole is not noticed, and cosignatures are
    reported as not checked.
    """
    files: dict[str, bytes] = {}
    problems: list[Problem] = []
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_dir() and not path.is_symlink():
            continue
        try:
            if path.is_symlink() or not path.is_file():
                raise OSError("not a regular file")
            files[name] = path.read_bytes()
        except OSError as problem:
            problems.append(
                _problem("file-unreadable", name, f"无法读取：{problem}", f"cannot be read: {problem}")
            )
    return tuple(sorted((*problems, *check_files(files, policy, first_key)), key=lambda p: p.severity))


def check_files(
    files: Mapping[str, bytes], policy: Policy | None = None, first_key: VerifierKey | None = None
) -> tuple[Problem, ...]:
    """Do what :func:`fsck` does, for a log's files given by their paths below the log. Pure."""
    return tuple(_Checker(files, policy, first_key).run())


class _Checker:
    def __init__(
        self, files: Mapping[str, bytes], policy: Policy | None, first_key: VerifierKey | None
    ) -> None:
        self.files = files
        self.policy = policy
        self.first_key = first_key
        self.seen = {FIRST_KEY, CHECKPOINT}

    def run(self) -> Iterator[Problem]:
        try:
            key = read_vkey(self.files[FIRST_KEY])
        except KeyError:
            yield _missing(FIRST_KEY)
            return
        except DualRandomError as problem:
            yield _of(FIRST_KEY, problem)
            return
        if self.first_key is not None and self.first_key != key:
            yield _problem(
                "log-replaced", FIRST_KEY, "不是本日志最初的密钥", "not the key with which this log began"
            )
        keys = yield from self._succession(key)
        checkpoint = yield from self._signed(CHECKPOINT, keys)
        if checkpoint is not None:
            yield from self._contents(checkpoint, keys)
        yield from self._unexpected()

    def _succession(self, first: VerifierKey) -> Generator[Problem, None, Succession]:
        notes: list[bytes] = []
        state = Succession((first,))
        while (path := key_note_path(len(notes) + 1)) in self.files:
            self.seen.add(path)
            notes.append(self.files[path])
            try:
                state = succession(first, notes, begins=True)
                known = {(key.name, key.key_id) for key in state.keys}
                if any((s.name, s.key_id) not in known for s in parse_note(notes[-1]).signatures):
                    yield _problem(
                        "signature-unknown", path, "有未知密钥的签名", "a signature by an unknown key"
                    )
            except DualRandomError as problem:
                yield _of(path, problem)
                break
        if self.policy is not None:
            try:
                self.policy = with_succession(self.policy, notes)
            except DualRandomError as problem:
                yield _of(key_note_path(len(notes)), problem)
            if all(log.key not in state.keys for log in self.policy.logs):
                yield _problem(
                    "origin-unknown", FIRST_KEY, "策略中没有这个日志", "the policy does not name this log"
                )
        return state

    def _signed(self, path: str, keys: Succession) -> Generator[Problem, None, Checkpoint | None]:
        """Check a checkpoint's form and every signature line under it."""
        self.seen.add(path)
        if path not in self.files:
            yield _missing(path)
            return None
        data = self.files[path]
        try:
            checkpoint, note, _ = open_checkpoint(data, keys.keys)
            cosigned = set() if self.policy is None else set(self.policy.cosignatures(note))
        except DualRandomError as problem:
            yield _of(path, problem)
            return None
        known = {(key.name, key.key_id) for key in keys.keys}
        if self.policy is not None:
            known |= {(w.key.name, w.key.key_id) for w in self.policy.witnesses if w.name in cosigned}
        lines = [
            signature for signature in note.signatures if (signature.name, signature.key_id) not in known
        ]
        for signature in lines:
            yield _problem(
                "signature-unknown",
                path,
                f"{signature.name} 的签名未能核对：未给出其公钥",
                f"the signature of {signature.name} was not checked: its key is not given",
                severity="warning" if self.policy is None else "error",
            )
        if checkpoint.extensions or note.data != data or len(set(note.signatures)) != len(note.signatures):
            yield _problem("checkpoint-unusual", path, "有多余的行", "superfluous lines")
        return checkpoint

    def _contents(self, checkpoint: Checkpoint, keys: Succession) -> Iterator[Problem]:
        tree = yield from self._tree(checkpoint)
        yield from self._archive(checkpoint, tree, keys)
        if tree is not None:
            yield from self._entries(tree)

    def _tree(self, checkpoint: Checkpoint) -> Generator[Problem, None, _Tree | None]:
        """Read bundles and tiles; where they disagree, the checkpoint's root says which of them is right."""
        entries: list[bytes] = []
        hashes: list[bytes] = []
        complete = True
        bundles = sum(path.startswith("tile/entries/") for path in self.files)
        if checkpoint.size > bundles * WIDTH:
            # a signed size may be absurd: name the first missing bundle, not all of them
            missing = next(tile.path for tile in tiles_of(checkpoint.size) if tile.path not in self.files)
            yield _missing(missing)
            return None
        for tile in tiles_of(checkpoint.size):
            self.seen.add(tile.path)
            if tile.path not in self.files:
                yield _missing(tile.path)
                complete = False
                continue
            try:
                if tile.level == ENTRIES_LEVEL:
                    entries += parse_bundle(self.files[tile.path], tile.width)
                elif tile.level == 0:
                    hashes += parse_tile(self.files[tile.path], tile.width)
            except DualRandomError as problem:
                yield _of(tile.path, problem)
                complete = False
        if not complete:
            return None
        leaves = [leaf_hash(entry) for entry in entries]
        if root(checkpoint.size, nodes_of(leaves)) == checkpoint.root:
            yield from self._compare_tiles(checkpoint.size, entries, leaves)
            return _Tree(checkpoint, entries, leaves, nodes_of(leaves))
        if root(checkpoint.size, nodes_of(hashes)) == checkpoint.root:
            for index, (leaf, expected) in enumerate(zip(leaves, hashes, strict=True)):
                if leaf != expected:
                    path = next(
                        t.path
                        for t in tiles_of(checkpoint.size)
                        if t.level == ENTRIES_LEVEL and t.index == index // WIDTH
                    )
                    yield _problem(
                        "entry-changed",
                        path,
                        f"第 {index} 条与树不符",
                        f"entry {index} is not the tree's",
                        index,
                    )
        else:
            yield _problem(
                "root-mismatch",
                CHECKPOINT,
                "条目与散列块都算不出检查点的根散列",
                "neither entries nor tiles lead to the checkpoint's root hash",
            )
        return None

    def _compare_tiles(
        self, size: int, entries: Sequence[bytes], leaves: Sequence[bytes]
    ) -> Iterator[Problem]:
        """Compare every tile, current or left from smaller trees, with what the entries give."""
        levels = tile_levels(leaves)
        for path, data in self.files.items():
            tile = parse_path(path)
            if tile is None:
                continue
            self.seen.add(path)
            held = size >> (8 * max(tile.level, 0))
            if tile.index * WIDTH + tile.width > held:
                yield _problem(
                    "file-unpublished",
                    path,
                    "检查点尚未包含此文件",
                    "no checkpoint covers this file yet",
                    severity="warning",
                    remedy_zh="若追加曾中断，打开日志即会完成。",
                    remedy_en="If an append was interrupted, opening the log finishes it.",
                )
            elif tile_data(tile, levels, entries) != data:
                yield _problem(
                    "tile-changed", path, "内容与条目不符", "the contents are not those of the entries"
                )

    def _archive(self, latest: Checkpoint, tree: _Tree | None, keys: Succession) -> Iterator[Problem]:
        for path in (archive_path(0), archive_path(latest.size)):
            if path not in self.files:
                yield _missing(path)
        for path in sorted(self.files):
            folder, _, name = path.partition("/")
            size = decimal(name)
            if folder != "checkpoints" or size is None:
                continue
            old = yield from self._signed(path, keys)
            if old is None:
                continue
            if old.size != size or old.size > latest.size:
                yield _problem(
                    "checkpoint-misplaced", path, "大小与文件名不符", "its size is not the file's name"
                )
                continue
            if tree is not None and root(size, tree.node) != old.root:
                yield _problem("fork", path, "与现行检查点不一致", "inconsistent with the latest checkpoint")
            if size == latest.size and self.files[path] != self.files[CHECKPOINT]:
                yield _problem(
                    "checkpoint-differs", path, "与 checkpoint 文件不同", "differs from the file checkpoint"
                )
            if tree is not None:
                yield from self._tiles_of_old(size)

    def _tiles_of_old(self, size: int) -> Iterator[Problem]:
        for tile in tiles_of(size):
            if (
                tile.path not in self.files
                and tile.full.path not in self.files
                and tile.path not in self.seen
            ):
                self.seen.add(tile.path)
                yield _missing(tile.path)

    def _entries(self, tree: _Tree) -> Iterator[Problem]:
        chains = Chains()
        for index, data in enumerate(tree.entries):
            path = f"tile/entries #{index}"
            try:
                entry = parse_entry(data)
                document = document_path(entry.digest)
                self.seen.add(document)
                if document not in self.files:
                    yield _missing(document)
                elif not entry.is_of(self.files[document]):
                    yield _problem(
                        "document-changed", document, "与登记的散列不符", "not the document that was logged"
                    )
                chains = chains.after(entry)
            except DualRandomError as problem:
                yield _of(path, problem, index)

    def _unexpected(self) -> Iterator[Problem]:
        for path in sorted(set(self.files) - self.seen):
            name = path.rsplit("/", 1)[-1]
            interrupted = name.startswith(".") and name.endswith(PART)
            yield _problem(
                "file-unexpected",
                path,
                "不属于日志，或未能核对",
                "not part of the log, or could not be checked",
                severity="warning" if interrupted else "error",
                remedy_zh="若追加曾中断，打开日志即会完成；否则移走该文件。",
                remedy_en="If an append was interrupted, opening the log finishes it; otherwise move the file away.",
            )


def _missing(path: str) -> Problem:
    return _problem("file-missing", path, "缺此文件", "the file is missing")


def _of(path: str, error: DualRandomError, index: int | None = None) -> Problem:
    return _problem(error.code, path, error.message("zh"), error.message("en"), index)


def _problem(
    code: str,
    path: str,
    zh: str,
    en: str,
    index: int | None = None,
    *,
    severity: Severity = "error",
    remedy_zh: str = _RESTORE_ZH,
    remedy_en: str = _RESTORE_EN,
) -> Problem:
    value = "" if index is None else str(index)
    return Problem(code, path, None, None, None, value, zh, en, remedy_zh, remedy_en, severity)
