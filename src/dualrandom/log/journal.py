"""The journal that makes a change of the log atomic, and the lock that lets one process write.

See :mod:`dualrandom.log.storage` for the order of writing.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Self

from dualrandom.canonical import canonical, parse_canonical
from dualrandom.errors import DualRandomError
from dualrandom.log.durable import PART, PRIVATE_FILE, sync_folder, write_durably, write_unnamed
from dualrandom.log.errors import LogError, refusal
from dualrandom.log.note import decode, encode
from dualrandom.log.reader import CHECKPOINT, LogReader, corrupt
from dualrandom.log.tile import parse_path

_JOURNAL = "journal"
_LOCK = "lock"


class WriterLock:
    """An exclusive lock on a folder, which the system releases when its process ends, however it ends."""

    def __init__(self, folder: Path, patience: float) -> None:
        self._folder = folder
        self._patience = patience
        self._descriptor: int | None = None

    def __enter__(self) -> Self:
        descriptor = os.open(self._folder / _LOCK, os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        deadline = time.monotonic() + self._patience
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as problem:
                if time.monotonic() >= deadline:
                    os.close(descriptor)
                    raise refusal(
                        "log-in-use",
                        str(self._folder),
                        "另一程序正在写入日志",
                        "another program is writing to the log",
                        remedy_zh="等待其结束后重试。",
                        remedy_en="Wait until it has finished, then try again.",
                    ) from problem
                time.sleep(0.05)
            else:
                self._descriptor = descriptor
                return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Release it."""
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None


def has_journal(state: Path) -> bool:
    """Say whether a log was ever begun with this private folder."""
    return (state / _JOURNAL).exists()


def check_journal(state: Path) -> None:
    """Check that the journal is whole. Raises LogError ``log-state-missing`` or ``log-corrupt``."""
    if not has_journal(state):
        raise no_state(state)
    _read_journal(state)


def write_journal(state: Path, before: bytes | None, files: Sequence[tuple[str, bytes]]) -> None:
    """Commit a change: the files to write, ``checkpoint`` last, and the checkpoint that they replace."""
    body = canonical(
        {
            "before": None if before is None else encode(before),
            "files": [[path, encode(data)] for path, data in files],
        }
    )
    write_durably(state / _JOURNAL, hashlib.sha256(body).hexdigest().encode() + b"\n" + body, PRIVATE_FILE)


def _read_journal(state: Path) -> tuple[bytes | None, list[tuple[str, bytes]]]:
    digest, _, body = (state / _JOURNAL).read_bytes().partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise corrupt(state, _JOURNAL)
    try:
        value = parse_canonical(body, _JOURNAL)
    except DualRandomError as problem:
        raise corrupt(state, _JOURNAL) from problem
    before = None if value["before"] is None else decode(value["before"])
    return before, [(path, decode(data) or b"") for path, data in value["files"]]


def carry_out(folder: Path, state: Path) -> None:
    """Bring the public folder to where the journal says, from whatever point a killed process left it at."""
    before, files = _read_journal(state)
    reader = LogReader(folder)
    now = reader.file(CHECKPOINT)
    if now not in {before, files[-1][1]}:
        raise refusal(
            "log-rolled-back",
            str(folder),
            "公开的检查点不是本日志最后签署的那一份",
            "the published checkpoint is not the one that this log signed last",
            remedy_zh="从最新备份恢复公开文件夹；切勿在旧状态上继续追加，那会成为分叉。",
            remedy_en="Restore the public folder from its latest backup; never append to an older state: that is a fork.",
        )
    *others, (_, checkpoint) = files
    changed = [folder / path for path, data in others if reader.file(path) != data]
    contents = {folder / path: data for path, data in others}
    for path in changed:
        write_unnamed(path, contents[path])
    for parent in sorted({path.parent for path in changed}):
        sync_folder(parent)
    if now != checkpoint:
        write_durably(folder / CHECKPOINT, checkpoint)
    _sweep(folder, {path for path, _ in files})


def _sweep(folder: Path, written: set[str]) -> None:
    """Remove partial tiles whose full tile this change wrote, and half-written files of a killed process."""
    for path in written:
        (folder / path).with_name(f".{Path(path).name}{PART}").unlink(missing_ok=True)
        tile = parse_path(path)
        if tile is not None and tile == tile.full:
            partial = folder / f"{path}.p"
            if partial.is_dir():
                for old in partial.iterdir():
                    old.unlink()
                with suppress(OSError):
                    partial.rmdir()
                sync_folder(partial.parent)


def no_state(state: Path) -> LogError:
    """Return the error for a log whose private folder was lost."""
    return refusal(
        "log-state-missing",
        str(state),
        "缺少日志的私有状态",
        "the log's private state is missing",
        remedy_zh="从备份恢复私有文件夹；没有备份时，进行中的抽取须以此为由作废，另建新日志。",
        remedy_en="Restore the private folder from its backup; without one, void open draws for this reason and begin a new log.",
    )
