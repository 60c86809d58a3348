"""Hash suites and the Merkle tree of a list (RFC 6962 §2.1; docs/protocol.md §1–2)."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Iterable, Sequence
from typing import Any, Literal

from dualrandom.canonical import canonical
from dualrandom.errors import DualRandomError

SuiteName = Literal["sha256", "sm3"]
Digest = Callable[[bytes], bytes]
"""Bytes to their raw 32-byte digest."""


def _sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def _sm3(data: bytes) -> bytes:
    # imported here: OpenSSL builds without SM3 still verify the common suite
    from cryptography.hazmat.primitives import hashes  # noqa: PLC0415

    state = hashes.Hash(hashes.SM3())
    state.update(data)
    return state.finalize()


def suite_digest(suite: str) -> Digest:
    """Return the digest function of a suite, ``sha256`` or ``sm3``. Raises DualRandomError ``unknown-suite``."""
    if suite == "sha256":
        return _sha256
    if suite == "sm3":
        return _sm3
    raise DualRandomError(
        code="unknown-suite",
        value=suite,
        message={"zh": f"未知的散列套件 {suite}", "en": f"unknown hash suite {suite}"},
        remedy={"zh": "请使用 sha256 或 sm3。", "en": "Use sha256 or sm3."},
    )


def hash_hex(data: bytes, digest: Digest = _sha256) -> str:
    """Return H(data) as 64 lower-case hex digits."""
    return digest(data).hex()


def leaf_hash(row: bytes, digest: Digest = _sha256) -> bytes:
    """Return the RFC 6962 leaf hash of one row, 32 raw bytes."""
    return digest(b"\x00" + row)


def tree_root(leaves: Sequence[bytes], digest: Digest = _sha256) -> str:
    """Return the RFC 6962 tree hash over leaf hashes, in hex; of no leaves, the hash of the empty string."""
    if not leaves:
        return digest(b"").hex()
    level = list(leaves)
    # Pairing level by level and carrying an odd last node up gives the same tree as the RFC's recursive split.
    while len(level) > 1:
        paired = [digest(b"\x01" + level[i] + level[i + 1]) for i in range(0, len(level) - 1, 2)]
        if len(level) % 2:
            paired.append(level[-1])
        level = paired
    return level[0].hex()


def commitment(rows: Iterable[bytes], digest: Digest = _sha256) -> dict[str, Any]:
    """Return ``{"root", "size"}`` of a list given its rows' bytes without newlines, in order."""
    leaves = [leaf_hash(row, digest) for row in rows]
    return {"root": tree_root(leaves, digest), "size": len(leaves)}


def row_salt(secret: bytes, draw: str, list_name: str, row_id: str) -> str:
    """Return a sealed row's salt: HMAC-SHA256(secret, draw LF list LF id) in hex."""
    return hmac.digest(secret, f"{draw}\n{list_name}\n{row_id}".encode(), "sha256").hex()


def seal(hidden: Any, salt: str, digest: Digest = _sha256) -> str:
    """Return the ``sealed`` value of a row (docs/protocol.md §2)."""
    return seal_bytes(canonical(hidden), salt, digest)


def seal_bytes(hidden: bytes, salt: str, digest: Digest = _sha256) -> str:
    """Return the ``sealed`` value for hidden content that is canonical already."""
    return digest(b"dualrandom/v1/sealed\n" + salt.encode() + b"\n" + hidden).hex()
