"""Paths of a campaign, its secrets, and writing files so that a reader never sees half of one."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dualrandom.ceremony import StateError
from dualrandom.errors import DualRandomError

__all__ = [
    "Campaign",
    "StateError",
    "WaitingError",
    "public_base64",
    "secret_hex",
    "signing_key",
    "write_private",
    "write_public",
]

PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600


class WaitingError(DualRandomError):
    """Something that will come has not come yet, for instance the beacon's round."""


@dataclass(frozen=True, slots=True)
class Campaign:
    """The folder of one campaign."""

    folder: Path

    @property
    def plan(self) -> Path:
        """The plan's file."""
        return self.folder / "plan.toml"

    @property
    def public(self) -> Path:
        """All that is published."""
        return self.folder / "public"

    @property
    def private(self) -> Path:
        """What must stay in the office: list secret, nonces, keys, openings."""
        return self.folder / "private"

    @property
    def exports(self) -> Path:
        """Sheets for the departments."""
        return self.folder / "exports"

    @property
    def voided(self) -> Path:
        """Documents of voided draws, one folder each."""
        return self.public / "voided"

    def voided_draws(self) -> tuple[str, ...]:
        """Return the ids of the voided draws that have been archived, ascending."""
        return tuple(sorted(path.name for path in self.voided.iterdir())) if self.voided.is_dir() else ()


def write_public(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files in the given order, each by rename, so the last one announces that the others are there."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in files.items():
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        _replace(target, data, 0o644)


def write_private(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files that only the owner may read; the folders on the way too."""
    _private_folder(folder)
    for name, data in files.items():
        target = folder / name
        _private_folder(target.parent)
        _replace(target, data, PRIVATE_FILE)


def _private_folder(folder: Path) -> None:
    folder.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    folder.chmod(PRIVATE_FOLDER)


def _replace(target: Path, data: bytes, mode: int) -> None:
    temporary = target.with_name(f".{target.name}.{os.getpid()}.part")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
    try:
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(mode)
        temporary.replace(target)
    finally:
        temporary.unlink(missing_ok=True)


def secret_hex(private: Path, name: str, *, fresh: bool = False) -> tuple[str, dict[str, bytes]]:
    """Return a 32-byte secret as hex, and the file to write if it did not exist yet. ``fresh`` ignores an existing one."""
    path = private / name
    if path.exists() and not fresh:
        text = path.read_text("ascii", errors="replace").strip()
        if len(text) != 64 or set(text) - set("0123456789abcdef"):
            raise StateError(
                code="private-file-damaged",
                value=str(path),
                message={
                    "zh": f"{path} 应为 64 位小写十六进制",
                    "en": f"{path} should be 64 lower-case hex digits",
                },
                remedy={"zh": "从备份恢复该文件。", "en": "Restore the file from its backup."},
            )
        return text, {}
    text = secrets.token_hex(32)
    return text, {name: text.encode() + b"\n"}


def signing_key(private: Path, name: str) -> tuple[Ed25519PrivateKey, dict[str, bytes]]:
    """Return an Ed25519 key kept as its 32-byte seed in hex, and the file to write if it did not exist yet."""
    text, new = secret_hex(private, name)
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(text)), new


def public_base64(key: Ed25519PrivateKey) -> str:
    """Return the public key of a signing key in base64."""
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.b64encode(raw).decode()
