"""Sealing of what is kept or handed out for a while: AES-256-GCM under a key of its own for each purpose, derived from the service's."""

from __future__ import annotations

import base64
import binascii
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE = 12


class Sealer:
    """Seals for one purpose; what was sealed for another does not open."""

    def __init__(self, secret: bytes, purpose: str) -> None:
        key = HKDF(SHA256(), 32, salt=None, info=b"dualrandom/" + purpose.encode()).derive(secret)
        self._cipher = AESGCM(key)

    def seal(self, content: bytes) -> str:
        """Return the sealed content as text."""
        nonce = os.urandom(NONCE)
        return base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, content, None)).decode()

    def open(self, sealed: str) -> bytes | None:
        """Return what was sealed, None if this is nothing that was."""
        try:
            raw = base64.urlsafe_b64decode(sealed)
            return self._cipher.decrypt(raw[:NONCE], raw[NONCE:], None)
        except (binascii.Error, ValueError, InvalidTag):
            return None
