"""Signed notes: a text and the signatures under it (C2SP signed-note, Ed25519).

The form of everything that the log signs: text ending in a newline, an empty line, then one line a signature:
em dash, key name, base64 of a 4-byte key id and the signature. A reader ignores the signatures of keys it does
not know, and refuses the whole note if one by a known key does not hold.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from dualrandom.log.errors import refusal

ED25519 = 0x01
"""Signature type of Ed25519 over the note's text."""
LARGEST_NOTE = 1_000_000
"""Bytes of a note that a reader is willing to look at."""
MOST_SIGNATURES = 100
"""Signature lines that a reader is willing to look at; the specification asks for at least 16."""
ID_BYTES = 4
PUBLIC_BYTES = 32
SIGNATURE_BYTES = 64
_DASH = "— "
_CONTROL_BUT_NEWLINE = re.compile(r"[\x00-\x09\x0b-\x1f]")
_NOT_IN_NAMES = re.compile(r"[\s+\x00-\x1f\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: the key's name, its id as an unsigned 32-bit number, and what the key made."""

    name: str
    key_id: int
    value: bytes

    @property
    def line(self) -> str:
        """The line with its newline."""
        return f"{_DASH}{self.name} {encode(self.key_id.to_bytes(ID_BYTES, 'big') + self.value)}\n"


@dataclass(frozen=True, slots=True)
class Note:
    """A text and its signature lines in their order. Nothing is verified yet."""

    text: str
    signatures: tuple[Signature, ...]

    @property
    def data(self) -> bytes:
        """The note's bytes."""
        return f"{self.text}\n{''.join(signature.line for signature in self.signatures)}".encode()


class Verifier(Protocol):
    """A key that a reader knows, of any signature type."""

    @property
    def name(self) -> str:
        """The key's name in signature lines."""

    @property
    def key_id(self) -> int:
        """The key's id in signature lines."""

    def verifies(self, text: str, value: bytes) -> bool:
        """Say whether ``value`` is this key's signature for the note's text."""


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """An Ed25519 key (type 0x01) that signs notes: its name and 32 raw bytes. Raises LogError for a bad name or length."""

    name: str
    public: bytes

    def __post_init__(self) -> None:
        check_key(self.name, self.public)

    @property
    def key_id(self) -> int:
        """First four bytes of SHA-256(name, newline, type, key), as a big-endian number."""
        return key_id(self.name, ED25519, self.public)

    @property
    def text(self) -> str:
        """The verifier key as text: name+id+base64."""
        return vkey_text(self.name, ED25519, self.public)

    def verifies(self, text: str, value: bytes) -> bool:
        """Say whether ``value`` is this key's signature over the text."""
        return ed25519_verifies(self.public, value, text.encode())


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key that signs notes under a name."""

    name: str
    private: Ed25519PrivateKey

    @property
    def key(self) -> VerifierKey:
        """The public half."""
        return VerifierKey(self.name, self.private.public_key().public_bytes_raw())

    def sign(self, text: str) -> Signature:
        """Sign a note's text."""
        return Signature(self.name, self.key.key_id, self.private.sign(text.encode()))


def key_id(name: str, kind: int, public: bytes) -> int:
    """Return the id of a key: the first four bytes of SHA-256(name, newline, signature type, key)."""
    return int.from_bytes(
        hashlib.sha256(name.encode() + b"\n" + bytes([kind]) + public).digest()[:ID_BYTES], "big"
    )


def vkey_text(name: str, kind: int, public: bytes) -> str:
    """Return a verifier key's text form."""
    return f"{name}+{key_id(name, kind, public):08x}+{encode(bytes([kind]) + public)}"


def parse_vkey(text: str) -> VerifierKey:
    """Return the note key of a verifier key's text. Raises LogError: form, id, or another signature type."""
    name, kind, public = vkey_parts(text)
    if kind != ED25519:
        raise _bad_key(text, f"签名类型 {kind} 不是 Ed25519(1)", f"signature type {kind} is not Ed25519 (1)")
    return VerifierKey(name, public)


def vkey_parts(text: str) -> tuple[str, int, bytes]:
    """Return name, signature type and key of a verifier key's text, its id checked. Raises LogError ``key-refused``."""
    parts = text.split("+", 2)
    if len(parts) != 3:
        raise _bad_key(text, "应为 名称+标识+base64", "expected name+id+base64")
    name, identifier, material = parts
    raw = decode(material)
    if raw is None or len(raw) != 1 + PUBLIC_BYTES:
        raise _bad_key(text, "密钥内容不是 33 字节的 base64", "the key is not base64 of 33 bytes")
    kind, public = raw[0], raw[1:]
    check_key(name, public)
    if identifier != f"{key_id(name, kind, public):08x}":
        raise _bad_key(text, "标识与名称和密钥不符", "the id does not belong to this name and key")
    return name, kind, public


def check_key(name: str, public: bytes) -> None:
    """Refuse a key name that is empty or holds spaces, plus or control characters, and keys that are not 32 bytes."""
    if not is_key_name(name):
        raise _bad_key(name, "名称为空或含空格、加号", "the name is empty or has spaces or plus signs")
    if len(public) != PUBLIC_BYTES:
        raise _bad_key(name, "公钥应为 32 字节", "a public key has 32 bytes")
    if not is_sound_key(public):
        raise _bad_key(name, "公钥非规范编码，或为小阶点", "the key is not canonical, or of small order")


def is_key_name(name: str) -> bool:
    """Say whether a text may name a key: not empty, no Unicode space, no plus, no control character, valid UTF-8."""
    return bool(name) and not _NOT_IN_NAMES.search(name)


def parse_note(data: bytes) -> Note:
    """Read a note without verifying anything. Raises LogError ``note-malformed`` for every departure from the form."""
    if len(data) > LARGEST_NOTE:
        raise _malformed(f"超过 {LARGEST_NOTE} 字节", f"longer than {LARGEST_NOTE} bytes")
    try:
        whole = data.decode()
    except UnicodeDecodeError as problem:
        raise _malformed("不是 UTF-8", "not UTF-8") from problem
    if _CONTROL_BUT_NEWLINE.search(whole):
        raise _malformed("含控制字符", "has control characters")
    end = whole.rfind("\n\n")
    if end < 0 or not whole.endswith("\n") or end + 2 == len(whole):
        raise _malformed(
            "正文与签名之间没有空行，或没有签名", "no empty line before signatures, or no signature"
        )
    lines = whole[end + 2 : -1].split("\n")
    if len(lines) > MOST_SIGNATURES:
        raise _malformed(f"签名多于 {MOST_SIGNATURES} 行", f"more than {MOST_SIGNATURES} signatures")
    return Note(whole[: end + 1], tuple(parse_signature(line) for line in lines))


def parse_signature(line: str) -> Signature:
    """Read one signature line, without its newline. Raises LogError ``note-malformed``."""
    name, space, material = line.removeprefix(_DASH).partition(" ")
    raw = decode(material)
    if (
        not line.startswith(_DASH)
        or not space
        or not is_key_name(name)
        or raw is None
        or len(raw) <= ID_BYTES
    ):
        raise _malformed(f"签名行有误：{line[:80]}", f"bad signature line: {line[:80]}")
    return Signature(name, int.from_bytes(raw[:ID_BYTES], "big"), raw[ID_BYTES:])


def verified_signatures(note: Note, known: Iterable[Verifier]) -> tuple[Signature, ...]:
    """Return the signatures of known keys, each verified, in the note's order; other signatures are ignored.

    Raises LogError ``signature-invalid`` if one of a known key does not hold, ``signature-missing`` if there is none.
    """
    keys = {(key.name, key.key_id): key for key in known}
    valid = []
    for signature in note.signatures:
        key = keys.get((signature.name, signature.key_id))
        if key is None:
            continue
        if not key.verifies(note.text, signature.value):
            raise refusal(
                "signature-invalid",
                signature.name,
                f"{signature.name} 的签名不成立",
                f"the signature of {signature.name} does not hold",
            )
        valid.append(signature)
    if not valid:
        names = ", ".join(sorted({signature.name for signature in note.signatures}))
        raise refusal(
            "signature-missing", names, "没有一个已知密钥的签名", "no signature by a key that is known here"
        )
    return tuple(valid)


_FIELD = 2**255 - 19
_Y_OF_ORDER_8 = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER = frozenset({0, 1, _FIELD - 1, _Y_OF_ORDER_8, _FIELD - _Y_OF_ORDER_8})
"""The y of the eight points of small order: under such a key a signature is of every message."""


def is_sound_key(public: bytes) -> bool:
    """Say whether 32 bytes can be an Ed25519 key: canonical, not of small order (docs/protocol.md §4)."""
    y = int.from_bytes(public, "little") % 2**255
    return len(public) == PUBLIC_BYTES and y < _FIELD and y not in _SMALL_ORDER


def ed25519_verifies(public: bytes, value: bytes, message: bytes) -> bool:
    """Say whether ``value`` is the RFC 8032 signature of a 32-byte key over a message, without cofactor.

    A key that is malformed or of small order verifies nothing (docs/protocol.md §4).
    """
    if len(value) != SIGNATURE_BYTES or not is_sound_key(public):
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(value, message)
    except (InvalidSignature, ValueError):
        return False
    return True


def encode(data: bytes) -> str:
    """Return standard base64 (RFC 4648 §4)."""
    return base64.b64encode(data).decode()


def decode(text: str) -> bytes | None:
    """Return the bytes of canonical standard base64, or None: one byte string has exactly one text."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        return None
    return data if encode(data) == text else None


def _malformed(zh: str, en: str) -> Exception:
    return refusal("note-malformed", "", f"签名文书的格式有误：{zh}", f"the signed note is malformed: {en}")


def _bad_key(text: str, zh: str, en: str) -> Exception:
    return refusal(
        "key-refused",
        text,
        f"公钥文本有误：{zh}",
        f"the verifier key is wrong: {en}",
        remedy_zh="请从密钥所有者公布之处原样复制。",
        remedy_en="Copy it unchanged from where its owner publishes it.",
    )
