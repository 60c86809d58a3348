"""Bytes by their SHA-256. Private ones are sealed at rest with AES-256-GCM under the service's key.

The key is 32 bytes, base64, in the environment variable DUALRANDOM_SERVICE_KEY; it is not in the database, so that a stolen
backup opens nothing. Whoever loses it has lost ``private/`` of every draw.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import os
from collections.abc import Iterable

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from dualrandom.errors import DualRandomError, IntegrityError
from dualrandom.store.tables import Blob

SERVICE_KEY = "DUALRANDOM_SERVICE_KEY"
NONCE_BYTES = 12


class Vault:
    """Keeps and gives back blobs; ``key`` has 32 bytes."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    @classmethod
    def from_text(cls, key: str) -> Vault:
        """Return the vault for a base64 key. Raises DualRandomError ``service-key-invalid``."""
        try:
            raw = base64.b64decode(key, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
        if len(raw) != 32:
            raise DualRandomError(
                "service-key-invalid",
                SERVICE_KEY,
                {"zh": "服务密钥不是 32 字节的 base64", "en": "the service's key is not 32 bytes in base64"},
                {
                    "zh": f"用 openssl rand -base64 32 生成，设为环境变量 {SERVICE_KEY}，并另行备份。",
                    "en": f"Make one with openssl rand -base64 32, set {SERVICE_KEY}, and keep a copy elsewhere.",
                },
            )
        return cls(raw)

    def put(self, session: Session, content: bytes, *, private: bool) -> str:
        """Store bytes unless they are there; return their SHA-256."""
        sha256 = hashlib.sha256(content).hexdigest()
        if session.execute(select(col(Blob.sealed)).where(col(Blob.sha256) == sha256)).first() is None:
            kept = self._sealed(content, sha256) if private else content
            insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
            # two writers may bring the same bytes at the same time
            session.execute(
                insert(Blob)
                .values(sha256=sha256, size=len(content), sealed=private, content=kept)
                .on_conflict_do_nothing()
            )
        return sha256

    def get(self, session: Session, sha256: str) -> bytes:
        """Return stored bytes. Raises KeyError, or IntegrityError if they are not what was stored."""
        blob = session.get(Blob, sha256)
        if blob is None:
            raise KeyError(sha256)
        return self.opened(blob)

    def opened(self, blob: Blob) -> bytes:
        """Return a blob's bytes. Raises IntegrityError if they are not those that its name says."""
        content = blob.content
        if blob.sealed:
            nonce, sealed = content[:NONCE_BYTES], content[NONCE_BYTES:]
            try:
                content = self._cipher.decrypt(nonce, sealed, blob.sha256.encode())
            except (InvalidTag, ValueError):  # a cut nonce is a ValueError
                raise _damaged(blob.sha256, sealed=True) from None
        if hashlib.sha256(content).hexdigest() != blob.sha256:
            raise _damaged(blob.sha256, sealed=False)
        return content

    def seal(self, text: str, about: str) -> bytes:
        """Return a short text sealed under the key; it is opened only together with ``about``, what it belongs to."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, text.encode(), about.encode())

    def unseal(self, sealed: bytes, about: str) -> str:
        """Return a text that :meth:`seal` sealed. Raises IntegrityError with another key, or another ``about``."""
        try:
            return self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], about.encode()).decode()
        except (InvalidTag, ValueError):
            raise _damaged(about, sealed=True) from None

    def faults(self, session: Session) -> Iterable[str]:
        """Yield the name of every blob that cannot be given back."""
        for sha256 in session.scalars(select(col(Blob.sha256)).order_by(col(Blob.sha256))):
            try:
                self.get(session, sha256)
            except IntegrityError:
                yield sha256
            session.expunge_all()

    def _sealed(self, content: bytes, sha256: str) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, content, sha256.encode())


def _damaged(sha256: str, *, sealed: bool) -> IntegrityError:
    zh = "内容无法解密：服务密钥不符，或数据已损坏" if sealed else "内容与其散列不符：数据已损坏"
    en = "cannot be opened: another service key, or damage" if sealed else "does not match its hash: damaged"
    return IntegrityError(
        "blob-damaged",
        sha256,
        {"zh": zh, "en": en},
        {"zh": f"核对 {SERVICE_KEY}，或从备份恢复。", "en": f"Check {SERVICE_KEY}, or restore the backup."},
    )
