"""Checkpoints: what a log says of itself at one size (C2SP tlog-checkpoint)."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from dualrandom.log.errors import refusal
from dualrandom.log.note import (
    Note,
    Signature,
    Signer,
    VerifierKey,
    decode,
    encode,
    parse_note,
    verified_signatures,
)

LARGEST_SIZE = 2**63 - 1
HASH_BYTES = 32
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """Origin, number of entries, and the RFC 6962 tree hash (32 raw bytes) of all of them.

    ``extensions`` are opaque further lines; our log writes none. Raises LogError ``checkpoint-malformed`` if a field
    cannot be written.
    """

    origin: str
    size: int
    root: bytes
    extensions: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        lines = (self.origin, *self.extensions)
        if any(not line or any(c < " " for c in line) for line in lines):
            raise _malformed("有空行或控制字符", "an empty line or a control character")
        if not 0 <= self.size <= LARGEST_SIZE or len(self.root) != HASH_BYTES:
            raise _malformed("大小或根散列超出范围", "size or root hash out of range")

    @property
    def text(self) -> str:
        """The note text."""
        lines = (self.origin, str(self.size), encode(self.root), *self.extensions)
        return "".join(f"{line}\n" for line in lines)


def parse_checkpoint(text: str) -> Checkpoint:
    """Return the checkpoint of a note text. Raises LogError ``checkpoint-malformed``."""
    if not text.endswith("\n"):
        raise _malformed("末尾没有换行", "no newline at the end")
    lines = text[:-1].split("\n")
    if len(lines) < 3:
        raise _malformed("不足三行", "fewer than three lines")
    size = decimal(lines[1])
    root = decode(lines[2])
    if size is None:
        raise _malformed("大小不是十进制数", "the size is not a decimal number")
    if root is None or len(root) != HASH_BYTES:
        raise _malformed("根散列不是 32 字节的 base64", "the root hash is not base64 of 32 bytes")
    return Checkpoint(lines[0], size, root, tuple(lines[3:]))


def decimal(text: str) -> int | None:
    """Return an unsigned number below 2^63 written in ASCII without leading zeros, or None."""
    if not _DECIMAL.fullmatch(text) or int(text) > LARGEST_SIZE:
        return None
    return int(text)


def sign_checkpoint(checkpoint: Checkpoint, signers: Iterable[Signer]) -> bytes:
    """Return the checkpoint as a signed note. Raises LogError ``origin-unknown`` if a signer's name is not the origin."""
    signatures: list[Signature] = []
    for signer in signers:
        if signer.name != checkpoint.origin:
            raise _unknown_origin(signer.name)
        signatures.append(signer.sign(checkpoint.text))
    return Note(checkpoint.text, tuple(signatures)).data


def open_checkpoint(
    data: bytes, log_keys: Iterable[VerifierKey]
) -> tuple[Checkpoint, Note, tuple[VerifierKey, ...]]:
    """Return checkpoint, note and the log keys that signed it, in the order of their signatures.

    Only keys named as the checkpoint's origin can sign for it. Raises LogError: malformed, ``origin-unknown``,
    ``signature-missing``, ``signature-invalid``.
    """
    note = parse_note(data)
    checkpoint = parse_checkpoint(note.text)
    keys = {key.key_id: key for key in log_keys if key.name == checkpoint.origin}
    if not keys:
        raise _unknown_origin(checkpoint.origin)
    signatures = verified_signatures(note, keys.values())
    return checkpoint, note, tuple(keys[signature.key_id] for signature in signatures)


def _malformed(zh: str, en: str) -> Exception:
    return refusal(
        "checkpoint-malformed", "", f"检查点的格式有误：{zh}", f"the checkpoint is malformed: {en}"
    )


def _unknown_origin(origin: str) -> Exception:
    return refusal(
        "origin-unknown",
        origin,
        f"没有日志 {origin} 的公钥",
        f"no key of the log {origin} is known here",
        remedy_zh="核对策略文件中的日志名称；确属可信的日志，再加入其公钥。",
        remedy_en="Compare the log's name in the policy; add its key only if the log is one you trust.",
    )
