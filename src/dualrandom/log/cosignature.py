"""Cosignatures: a witness states that it saw a log grow consistently up to a checkpoint, and when.

C2SP tlog-cosignature, the Ed25519 kind (signature type 0x04): the signed message is ``cosignature/v1``, the line
``time <seconds>`` and the checkpoint's whole text. The time is the witness's, so nobody can backdate with our clock.
"""

from __future__ import annotations

from dataclasses import dataclass

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dualrandom.log.errors import refusal
from dualrandom.log.note import (
    SIGNATURE_BYTES,
    Signature,
    check_key,
    ed25519_verifies,
    key_id,
    vkey_parts,
    vkey_text,
)

COSIGNATURE = 0x04
"""Signature type of timestamped Ed25519 cosignatures."""
LATEST_TIME = 2**63 - 1
_TIME_BYTES = 8


@dataclass(frozen=True, slots=True)
class CosignerKey:
    """A witness's Ed25519 key: its name and 32 raw bytes. Raises LogError for a bad name or length."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        check_key(self.name, self.public)

    @property
    def key_id(self) -> int:
        """First four bytes of SHA-256(name, newline, 0x04, key), as a big-endian number."""
        return key_id(self.name, COSIGNATURE, self.public)

    @property
    def text(self) -> str:
        """The verifier key as text."""
        return vkey_text(self.name, COSIGNATURE, self.public)

    def verifies(self, text: str, value: bytes) -> bool:
        """Say whether ``value`` is this witness's cosignature of a checkpoint's text, of whatever non-zero time."""
        time = stated_time(value)
        return time is not None and ed25519_verifies(self.public, value[_TIME_BYTES:], _message(text, time))


@dataclass(frozen=True, slots=True)
class Cosigner:
    """A witness's private key under its name."""

    name: str
    private: Ed25519PrivateKey

    @property
    def key(self) -> CosignerKey:
        """The public half."""
        return CosignerKey(self.name, self.private.public_key().public_bytes_raw())

    def cosign(self, text: str, time: int) -> Signature:
        """Cosign a checkpoint's text at ``time``, seconds since 1970, from 1. Raises LogError ``time-out-of-range``."""
        if not 0 < time <= LATEST_TIME:
            raise refusal(
                "time-out-of-range", str(time), "共签时间超出范围", "the cosignature's time is out of range"
            )
        value = time.to_bytes(_TIME_BYTES, "big") + self.private.sign(_message(text, time))
        return Signature(self.name, self.key.key_id, value)


def parse_cosigner_key(text: str) -> CosignerKey:
    """Return the witness key of a verifier key's text. Raises LogError ``key-refused``."""
    name, kind, public = vkey_parts(text)
    if kind != COSIGNATURE:
        raise refusal(
            "key-refused",
            text,
            f"签名类型 {kind} 不是见证方共签（4）",
            f"signature type {kind} is not that of a witness (4)",
            remedy_zh="请填写见证方公布的公钥文本。",
            remedy_en="Use the verifier key that the witness publishes.",
        )
    return CosignerKey(name, public)


def stated_time(value: bytes) -> int | None:
    """Return the seconds since 1970 that a cosignature states, or None if its length or time is not that of a cosignature."""
    if len(value) != _TIME_BYTES + SIGNATURE_BYTES:
        return None
    time = int.from_bytes(value[:_TIME_BYTES], "big")
    return time if 0 < time <= LATEST_TIME else None


def _message(text: str, time: int) -> bytes:
    return f"cosignature/v1\ntime {time}\n{text}".encode()
