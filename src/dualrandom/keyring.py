"""The keys of the authority's log, kept encrypted below its private folder, and the plain keys of parties and auditors.

    <log>/private/keys/000001.key …   one file a key, scrypt and AES-256-GCM
    <log>/private/password            the password, if the environment does not give it (0600)

The password is that of the environment variable DUALRANDOM_LOG_PASSWORD. Without it one is made up and kept beside the
keys: then a stolen backup of that folder holds both, so offices should set the variable.

The keys with which a party signs its commitment and an auditor its attestation are files of their own, an Ed25519 seed of
32 bytes in hex that only the owner may read.
"""

from __future__ import annotations

import base64
import json
import os
import re
import secrets
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dualrandom.errors import DualRandomError, Problem
from dualrandom.log.durable import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, write_durably
from dualrandom.log.errors import refusal
from dualrandom.log.fsck import fsck
from dualrandom.log.journal import check_journal, has_journal, no_state
from dualrandom.log.keystore import create_key, load_signer
from dualrandom.log.note import Signer, VerifierKey, decode
from dualrandom.log.policy import Policy
from dualrandom.log.reader import CHECKPOINT, FIRST_KEY, LogReader
from dualrandom.log.storage import Log, create_log

LOG_PASSWORD = "DUALRANDOM_LOG_PASSWORD"
WITNESS_PASSWORD = "DUALRANDOM_WITNESS_PASSWORD"
PASSWORD_FILE = "password"
KEYS = "keys"
AUDITOR_KEY = "auditor.key"


def public_folder(log: Path) -> Path:
    """Return the folder of a log that anybody may read."""
    return log / "public"


def private_folder(log: Path) -> Path:
    """Return the folder of a log that stays in the office."""
    return log / "private"


def log_faults(path: Path, policy: Policy | None = None) -> tuple[Problem, ...] | None:
    """Return every fault of a log, given by its folder or the public part of it; None if there is no log."""
    for folder in (path, public_folder(path)):
        if (folder / FIRST_KEY).is_file() or (folder / CHECKPOINT).is_file():
            beside = private_folder(folder.parent)
            own = beside if folder.name == public_folder(path).name and beside.is_dir() else None
            return fsck(folder, policy) + (() if own is None else tuple(_private_faults(own, folder)))
    return None


def _private_faults(private: Path, public: Path) -> Iterator[Problem]:
    """Look at what the log needs to go on: its journal, and each key with its password."""
    try:
        check_journal(private)
    except DualRandomError as problem:
        yield _of(private / "journal", problem)
    try:
        known = {key.public for key in LogReader(public).succession.keys}
    except DualRandomError:
        return  # told of the public part
    found = set()
    for path in _key_files(private):
        try:
            key = load_signer(path, password_for(private, LOG_PASSWORD, has_keys=True)).key
        except DualRandomError as problem:
            yield _of(path, problem)
            continue
        # one that was made and not handed over to yet is no fault
        found.add(key.public)
    if not known & found:
        yield _of(private / KEYS, no_state(private))


def _of(path: Path, error: DualRandomError) -> Problem:
    return Problem(
        error.code,
        path.name,
        None,
        None,
        None,
        error.value,
        error.message("zh"),
        error.message("en"),
        error.remedy("zh"),
        error.remedy("en"),
    )


def password_for(folder: Path, variable: str, *, has_keys: bool) -> str:
    """Return the password of the keys in a private folder: the variable's, else the file's, else a new one in the file.

    Raises LogError ``password-missing`` if there are keys and neither, ``password-exposed`` if others can read the file.
    """
    given = os.environ.get(variable)
    if given:
        return given
    path = folder / PASSWORD_FILE
    if not path.exists():
        if has_keys:
            raise refusal(
                "password-missing",
                variable,
                "没有密钥的口令",
                "the password of the keys is missing",
                remedy_zh=f"设置环境变量 {variable}，或从备份恢复 {path}。",
                remedy_en=f"Set the environment variable {variable}, or restore {path} from its backup.",
            )
        make_folder(folder, PRIVATE_FOLDER)
        write_durably(path, secrets.token_urlsafe(32).encode() + b"\n", PRIVATE_FILE)
    if path.stat().st_mode & 0o077:
        raise refusal(
            "password-exposed",
            str(path),
            "口令文件可被他人读取",
            "others can read the file of the password",
            remedy_zh=f"运行 chmod 600 {path}；若可能已泄露，轮换密钥。",
            remedy_en=f"Run chmod 600 {path}; rotate the key if somebody may have read it.",
        )
    # what is damaged so that it is no text any more is simply not the password
    return path.read_text("utf-8", "replace").strip()


def kept_secret(path: Path) -> str:
    """Return the 32-byte secret in hex that a file keeps; it is made (0600, its folder 0700) if the file is not there.

    Raises DualRandomError ``private-file-damaged``.
    """
    if not path.exists():
        make_folder(path.parent, PRIVATE_FOLDER)
        write_durably(path, secrets.token_hex(32).encode() + b"\n", PRIVATE_FILE)
    text = path.read_text("ascii", errors="replace").strip()
    if re.fullmatch("[0-9a-f]{64}", text):
        return text
    raise DualRandomError(
        "private-file-damaged",
        str(path),
        {"zh": f"{path} 应为 64 位小写十六进制", "en": f"{path} should be 64 lower-case hex digits"},
        {"zh": "从备份恢复该文件。", "en": "Restore the file from its backup."},
    )


def signing_key_at(path: Path) -> Ed25519PrivateKey:
    """Return the Ed25519 key that a file keeps, made if the file is not there. Raises DualRandomError ``private-file-damaged``."""
    return Ed25519PrivateKey.from_private_bytes(bytes.fromhex(kept_secret(path)))


def public_text(key: Ed25519PrivateKey) -> str:
    """Return the public key of a signing key in base64, as plans and announcements have it."""
    raw = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    return base64.b64encode(raw).decode()


def begin_log(log: Path, origin: str) -> VerifierKey:
    """Make a log with its key unless it is there; safe to repeat. Returns its first key.

    Raises LogError ``log-origin-differs`` if the log there has another name, ``log-state-missing`` if its private folder
    was lost.
    """
    reader = LogReader(public_folder(log))
    private = private_folder(log)
    if not has_journal(private) and reader.file(FIRST_KEY) is not None:
        raise no_state(private)
    if not has_journal(private) or reader.file(CHECKPOINT) is None:
        path = private / KEYS / "000001.key"
        password = password_for(private, LOG_PASSWORD, has_keys=path.exists())
        if not path.exists():
            create_key(path, origin, "log", password)
        create_log(public_folder(log), private, load_signer(path, password))
    key = reader.first_key
    if key.name != origin:
        raise refusal(
            "log-origin-differs",
            key.name,
            f"此处日志的名称是 {key.name}，不是 {origin}",
            f"the log here is called {key.name}, not {origin}",
            remedy_zh="更正计划中的 log.folder 或 log.origin。",
            remedy_en="Correct log.folder or log.origin in the plan.",
        )
    return key


def current_signer(log: Path) -> Signer:
    """Return the key that signs the log now. Raises LogError ``log-key-missing`` and what the key's file lacks."""
    current = LogReader(public_folder(log)).succession.current
    private = private_folder(log)
    files = _key_files(private)
    for path in files:
        if current is not None and _public_of(path) == current.public:
            return load_signer(path, password_for(private, LOG_PASSWORD, has_keys=True))
    raise refusal(
        "log-key-missing",
        "-" if current is None else current.text,
        "日志现行密钥已吊销，或其文件不在",
        "the log's current key was revoked, or its file is missing",
        remedy_zh="从备份恢复密钥文件；无法恢复时，以此为由作废进行中的抽取，另建新日志。",
        remedy_en="Restore its file from the backup; if that is impossible, void open draws for this reason and begin a new log.",
    )


def rotate_key(log: Path, now: datetime) -> VerifierKey:
    """Hand the log over to a new key; return it. After a crash the key that was made is used by the next call."""
    signer = current_signer(log)
    private = private_folder(log)
    used = {key.public for key in LogReader(public_folder(log)).succession.keys}
    path = next((path for path in _key_files(private) if _public_of(path) not in used), None)
    password = password_for(private, LOG_PASSWORD, has_keys=True)
    if path is None:
        path = private / KEYS / f"{len(_key_files(private)) + 1:06d}.key"
        create_key(path, signer.name, "log", password)
    successor = load_signer(path, password)
    with Log.open(public_folder(log), private) as opened:
        opened.rotate(signer, successor, now)
    return successor.key


def revoke_key(log: Path, key: VerifierKey | None, now: datetime, reason: str) -> VerifierKey:
    """Publish that a key of the log (the current one if None) counts no more; return it."""
    signer = current_signer(log)
    revoked = key or signer.key
    with Log.open(public_folder(log), private_folder(log)) as opened:
        opened.revoke(signer, revoked, now, reason)
    return revoked


def _key_files(private: Path) -> list[Path]:
    return sorted((private / KEYS).glob("*.key"))


def _public_of(path: Path) -> bytes | None:
    try:
        return decode(json.loads(path.read_bytes())["public"])
    except (ValueError, KeyError, TypeError):
        return None
