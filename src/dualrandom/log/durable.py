"""Writing a file so that after a crash at any instruction it is there whole, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

PART = ".part"
PUBLIC_FILE = 0o644
PRIVATE_FILE = 0o600
PRIVATE_FOLDER = 0o700


def write_durably(path: Path, data: bytes, mode: int = PUBLIC_FILE) -> None:
    """Put a file in place by rename, contents and name on disk before this returns. One writer at a time."""
    write_unnamed(path, data, mode)
    sync_folder(path.parent)


def write_unnamed(path: Path, data: bytes, mode: int = PUBLIC_FILE) -> None:
    """Do the same but for the name, which is on disk only after :func:`sync_folder`: once for many files."""
    make_folder(path.parent)
    part = path.with_name(f".{path.name}{PART}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    with os.fdopen(descriptor, "wb") as stream:
        os.fchmod(stream.fileno(), mode)
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    part.replace(path)


def make_folder(folder: Path, mode: int = 0o777) -> None:
    """Make a folder and those above it; the new names are on disk before this returns."""
    if folder.is_dir():
        return
    make_folder(folder.parent, mode)
    folder.mkdir(mode=mode, exist_ok=True)
    sync_folder(folder.parent)


def sync_folder(folder: Path) -> None:
    """Bring a folder's names to disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
