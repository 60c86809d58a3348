"""The published record as it lies on disk: which draws there are, and the bytes of their documents.

Draws are found by listing the folder, documents by a fixed table, files of the log by patterns that no path out of
the folder fits. Symbolic links are not followed: a link in the folder cannot publish what lies outside it.
"""

from __future__ import annotations

import hashlib
import json
import re
import stat
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dualrandom_api.documents import DOCUMENTS, Document

IDENTIFIER = r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$"
"""Ids of the protocol (§1)."""


@dataclass(frozen=True, slots=True)
class Stored:
    """The bytes of one file and their SHA-256 in hex."""

    content: bytes
    digest: str


@dataclass(frozen=True, slots=True)
class Draw:
    """One draw of the record: its id, folder and whether it was moved to ``voided``."""

    id: str
    folder: Path
    voided: bool


class PublishedRecord:
    """A folder of published documents, read anew whenever a file has changed. Threads may share it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._cache: dict[Path, tuple[tuple[int, int, int], Stored]] = {}
        self._reports: dict[str, Any] = {}
        self._lock = threading.Lock()
        self._checking = threading.Lock()

    def draws(self) -> tuple[Draw, ...]:
        """Return the draws, the current one first, then the voided ones by id. Folders without a readable
        announcement are no draws."""
        found = []
        current = self._draw(self.folder, voided=False)
        if current is not None:
            found.append(current)
        voided = self.folder / "voided"
        if voided.is_dir() and not voided.is_symlink():
            folders = sorted(path for path in voided.iterdir() if path.is_dir() and not path.is_symlink())
            found += [
                draw for draw in (self._draw(path, voided=True) for path in folders) if draw is not None
            ]
        return tuple(found)

    def draw(self, draw_id: str) -> Draw | None:
        """Return the draw with this id."""
        return next((draw for draw in self.draws() if draw.id == draw_id), None)

    def document(self, draw: Draw, document: Document) -> Stored | None:
        """Return a document of a draw, None if it is not published."""
        return self.file(draw.folder / document.file)

    def file(self, path: Path) -> Stored | None:
        """Return a regular file's bytes and digest; read once while size, time and inode stay the same."""
        try:
            status = path.lstat()
            if not stat.S_ISREG(status.st_mode):
                return None
            mark = (status.st_mtime_ns, status.st_size, status.st_ino)
            with self._lock:
                known = self._cache.get(path)
            if known is not None and known[0] == mark:
                return known[1]
            content = path.read_bytes()
        except (FileNotFoundError, NotADirectoryError):
            return None
        stored = Stored(content, hashlib.sha256(content).hexdigest())
        with self._lock:
            self._cache[path] = (mark, stored)
        return stored

    def beside(self, path: str) -> Stored | None:
        """Return a file of the log, a revealed nonce or the announced checkpoint; ``path`` fits one of ``documents.BESIDE``."""
        at = self.folder
        for part in path.split("/"):
            # a link on the way would lead out of the folder
            if at.is_symlink():
                return None
            at = at / part
        return self.file(at)

    def json(self, draw: Draw, name: str) -> Any:
        """Return a JSON document of a draw, None if not published. Raises ValueError if it is damaged."""
        stored = self.document(draw, DOCUMENTS[name])
        return None if stored is None else json.loads(stored.content)

    def report(self, draw: Draw) -> tuple[str, Any]:
        """Return the digest of a draw's folder and the verifier's report on it, made once for each digest."""
        from dualrandom.verify import read_public, verify_record  # noqa: PLC0415  (heavy, and only needed here)

        files: Mapping[str, bytes] = read_public(draw.folder)
        seen = hashlib.sha256()
        for name in sorted(files):
            seen.update(f"{name}\0{hashlib.sha256(files[name]).hexdigest()}\n".encode())
        digest = seen.hexdigest()
        with self._checking:
            if digest not in self._reports:
                self._reports[digest] = verify_record(files)
            return digest, self._reports[digest]

    def _draw(self, folder: Path, voided: bool) -> Draw | None:
        stored = self.file(folder / DOCUMENTS["announcement"].file)
        if stored is None:
            return None
        try:
            named = json.loads(stored.content)["draw"]
        except (ValueError, KeyError, TypeError):
            return None
        if not isinstance(named, str) or not re.match(IDENTIFIER, named):
            return None
        return Draw(named, folder, voided)
