"""The shell around the pure verifier: reads a published folder and the auditor's material from disk."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dualrandom.errors import DualRandomError

_SECRET_BYTES = 32

_READ_WHOLE = (".json", ".jsonl", ".txt", ".html")
_LARGEST_STRANGER = 64 * 2**20
"""Bytes beyond which a file that is no document of the protocol (a film, an archive) is named but not read."""


@dataclass(frozen=True, slots=True)
class AuditorFiles:
    """What an auditor holds of a draw: the list secret (32 bytes) and list name → bytes of ``<list>.jsonl`` openings."""

    secret: bytes
    openings: Mapping[str, bytes]


def read_public(folder: Path) -> dict[str, bytes]:
    """Return the documents of a published folder by relative name with forward slashes.

    Hidden files are left out; a large or unreadable file beside the record that is no document of it is empty.
    Raises DualRandomError ``no-folder`` where there is no folder.
    """
    if not folder.is_dir():
        raise _missing("no-folder", folder, "不是文件夹", "is not a folder")
    return {
        path.relative_to(folder).as_posix(): b"" if _left_unread(path, folder) else path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    }


def _left_unread(path: Path, folder: Path) -> bool:
    logged = path.relative_to(folder).parts[0] == "log"
    if logged or path.suffix in _READ_WHOLE:
        return False
    return path.stat().st_size > _LARGEST_STRANGER or not os.access(path, os.R_OK)


def read_auditor(campaign: Path) -> AuditorFiles:
    """Return the auditor's material from a campaign's ``private`` folder, or from a copy of that folder itself.

    Raises DualRandomError ``no-list-secret`` or ``bad-list-secret``.
    """
    private = campaign / "private" if (campaign / "private").is_dir() else campaign
    secret_file = private / "list-secret"
    if not secret_file.is_file():
        raise _missing("no-list-secret", secret_file, "不存在", "does not exist")
    secret = secret_file.read_bytes()
    if len(secret) != _SECRET_BYTES:
        written = secret.strip()
        if re.fullmatch(rb"[0-9a-f]{64}", written) is None:
            raise _missing(
                "bad-list-secret", secret_file, "应为 32 字节或其十六进制", "should be 32 bytes or their hex"
            )
        secret = bytes.fromhex(written.decode())
    openings = private / "openings"
    return AuditorFiles(
        secret=secret,
        openings={
            path.stem: path.read_bytes() for path in sorted(openings.glob("*.jsonl")) if path.is_file()
        },
    )


def _missing(code: str, path: Path, zh: str, en: str) -> DualRandomError:
    return DualRandomError(
        code=code,
        value=str(path),
        message={"zh": f"{path} {zh}", "en": f"{path} {en}"},
        remedy={
            "zh": "请给出公布的文件夹，或抽取活动的文件夹。",
            "en": "Name the published folder, or the folder of the campaign.",
        },
    )
