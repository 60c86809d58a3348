"""Private keys at rest: scrypt and AES-256-GCM, one JSON file a key (RFC 7914, NIST SP 800-38D)."""

from __future__ import annotations

import os
import unicodedata
from pathlib import Path
from typing import Any, Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from dualrandom.canonical import canonical, parse_canonical
from dualrandom.errors import DualRandomError
from dualrandom.log.cosignature import Cosigner
from dualrandom.log.durable import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, write_durably
from dualrandom.log.errors import LogError, refusal
from dualrandom.log.note import Signer, check_key, decode, encode

Kind = Literal["log", "witness"]
TYPE = "dualrandom/v1/key"
SHORTEST_PASSWORD = 10
COST = 2**16
"""scrypt's n; with r = 8 one guess takes 64 MiB."""
_LARGEST_COST = 2**20
_BLOCK = 8


def create_key(path: Path, name: str, kind: Kind, password: str, *, cost: int = COST) -> None:
    """Make a new Ed25519 key and keep it, encrypted, in a file that only the owner may read.

    Raises LogError: ``key-exists`` (never overwritten), ``password-too-short``, ``key-refused`` for a bad name.
    """
    if path.exists():
        raise refusal(
            "key-exists",
            str(path),
            f"{path.name} 已存在，不会覆盖",
            f"{path.name} exists and is not overwritten",
            remedy_zh="另选文件名；更换密钥请用轮换。",
            remedy_en="Choose another name; to change a key, rotate it.",
        )
    data = seal_key(Ed25519PrivateKey.generate(), name, kind, password, cost=cost)
    make_folder(path.parent, PRIVATE_FOLDER)
    write_durably(path, data, PRIVATE_FILE)


def load_signer(path: Path, password: str) -> Signer:
    """Return a log's key from its file. Raises LogError ``password-wrong``, ``key-file-damaged``; OSError."""
    name, private = open_key(path.read_bytes(), "log", password)
    return Signer(name, private)


def load_cosigner(path: Path, password: str) -> Cosigner:
    """Return a witness's key from its file. Raises LogError ``password-wrong``, ``key-file-damaged``; OSError."""
    name, private = open_key(path.read_bytes(), "witness", password)
    return Cosigner(name, private)


def seal_key(private: Ed25519PrivateKey, name: str, kind: Kind, password: str, *, cost: int = COST) -> bytes:
    """Return the key file's bytes. ``cost`` is scrypt's n, a power of two."""
    if len(password) < SHORTEST_PASSWORD:
        raise refusal(
            "password-too-short",
            str(len(password)),
            f"口令少于 {SHORTEST_PASSWORD} 个字符",
            f"the password has fewer than {SHORTEST_PASSWORD} characters",
            remedy_zh="请用更长的口令，例如几个不相关的词。",
            remedy_en="Use a longer one, for instance several unrelated words.",
        )
    check_key(name, private.public_key().public_bytes_raw())
    head: dict[str, Any] = {
        "cipher": "AES-256-GCM",
        "cost": cost,
        "kdf": "scrypt",
        "kind": kind,
        "name": name,
        "nonce": encode(os.urandom(12)),
        "public": encode(private.public_key().public_bytes_raw()),
        "salt": encode(os.urandom(16)),
        "type": TYPE,
    }
    sealed = AESGCM(_derive(password, head)).encrypt(
        _bytes(head, "nonce"), private.private_bytes_raw(), canonical(head)
    )
    return canonical({**head, "sealed": encode(sealed)})


def open_key(data: bytes, kind: Kind, password: str) -> tuple[str, Ed25519PrivateKey]:
    """Return name and private key of a key file. Raises LogError ``password-wrong``, ``key-file-damaged``."""
    try:
        head = parse_canonical(data, "key")
        sealed = decode(head.pop("sealed"))
        cost = head["cost"]
        fits = (
            sealed is not None
            and set(head) == {"cipher", "cost", "kdf", "kind", "name", "nonce", "public", "salt", "type"}
            and (head["type"], head["kdf"], head["cipher"]) == (TYPE, "scrypt", "AES-256-GCM")
            and isinstance(cost, int)
            and 1 < cost <= _LARGEST_COST
            and cost & (cost - 1) == 0
        )
        nonce, salt = _bytes(head, "nonce"), _bytes(head, "salt")
    except (DualRandomError, KeyError, TypeError, AttributeError) as problem:
        raise _damaged() from problem
    if not fits or sealed is None or len(nonce) != 12 or len(salt) != 16:
        raise _damaged()
    if head["kind"] != kind:
        raise refusal(
            "key-of-another-kind",
            str(head["kind"]),
            "密钥用途不同（log / witness）",
            "the key serves another purpose (log, witness)",
            remedy_zh="日志密钥与见证密钥须分别创建。",
            remedy_en="A log and a witness each need a key of their own.",
        )
    try:
        raw = AESGCM(_derive(password, head)).decrypt(nonce, sealed, canonical(head))
    except InvalidTag as problem:
        raise refusal(
            "password-wrong",
            str(head["name"]),
            "口令不对，或密钥文件已损坏",
            "the password is wrong, or the key file was damaged",
            remedy_zh="重新输入口令；仍不行，请从备份恢复密钥文件。",
            remedy_en="Enter the password again; if it still fails, restore the key file from its backup.",
        ) from problem
    private = Ed25519PrivateKey.from_private_bytes(raw)
    if encode(private.public_key().public_bytes_raw()) != head["public"]:
        raise _damaged()
    return str(head["name"]), private


def _derive(password: str, head: dict[str, Any]) -> bytes:
    # the same characters typed on another keyboard or system must give the same key
    text = unicodedata.normalize("NFC", password)
    kdf = Scrypt(salt=_bytes(head, "salt"), length=32, n=head["cost"], r=_BLOCK, p=1)
    return kdf.derive(text.encode("utf-8", "surrogatepass"))


def _bytes(head: dict[str, Any], name: str) -> bytes:
    data = decode(head[name])
    if data is None:
        raise _damaged()
    return data


def _damaged() -> LogError:
    return refusal(
        "key-file-damaged",
        "",
        "密钥文件已损坏",
        "the key file is damaged",
        remedy_zh="从备份恢复密钥文件。",
        remedy_en="Restore the key file from its backup.",
    )
