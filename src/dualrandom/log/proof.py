"""Proof files: one entry's place in a cosigned log, verifiable offline (C2SP tlog-proof)."""

from __future__ import annotations

from dataclasses import dataclass

from dualrandom.hashing import leaf_hash
from dualrandom.log.checkpoint import decimal
from dualrandom.log.errors import LogError, refusal
from dualrandom.log.merkle import HASH_BYTES, verify_inclusion
from dualrandom.log.note import LARGEST_NOTE, decode, encode, parse_note
from dualrandom.log.policy import Policy, Verified

HEADER = "c2sp.org/tlog-proof@v1"
MOST_HASHES = 63


@dataclass(frozen=True, slots=True)
class LogProof:
    """An entry's index, its inclusion proof (leaf's sibling first), the signed checkpoint, and unauthenticated extra data."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    @property
    def data(self) -> bytes:
        """The proof file's bytes."""
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {encode(self.extra)}")
        lines += [f"index {self.index}", *(encode(value) for value in self.hashes), ""]
        return "".join(f"{line}\n" for line in lines).encode() + self.checkpoint


def parse_proof(data: bytes) -> LogProof:
    """Read a proof file. Raises LogError ``proof-malformed``, or what :func:`parse_note` says of its checkpoint."""
    if len(data) > LARGEST_NOTE:
        raise _malformed("文件过大", "the file is too large")
    head, blank, checkpoint = data.partition(b"\n\n")
    if not blank:
        raise _malformed("证明与检查点之间没有空行", "no empty line before the checkpoint")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as problem:
        raise _malformed("含非 ASCII 字符", "characters that are not ASCII") from problem
    if lines.pop(0) != HEADER:
        raise _malformed("首行不对", "the first line is wrong")
    extra = None
    if lines and lines[0].startswith("extra "):
        extra = decode(lines.pop(0).removeprefix("extra "))
        if extra is None:
            raise _malformed("附加数据不是 base64", "the extra data is not base64")
    if not lines or not lines[0].startswith("index "):
        raise _malformed("没有 index 行", "no index line")
    index = decimal(lines.pop(0).removeprefix("index "))
    if index is None:
        raise _malformed("序号不是十进制数", "the index is not a decimal number")
    parse_note(checkpoint)
    return LogProof(index, parse_hashes(lines), checkpoint, extra)


def parse_hashes(lines: list[str]) -> tuple[bytes, ...]:
    """Return the hashes of base64 lines, at most 63. Raises LogError ``proof-malformed``."""
    hashes = [decode(line) for line in lines]
    good = tuple(value for value in hashes if value is not None and len(value) == HASH_BYTES)
    if len(good) != len(lines) or len(lines) > MOST_HASHES:
        raise _malformed("散列行有误或超过 63 行", "a hash line is wrong, or there are more than 63")
    return good


def verify_proof(data: bytes, entry: bytes, policy: Policy) -> Verified:
    """Check that the entry's bytes are in a log that the policy trusts, as one of the entries its witnesses cosigned.

    Returns the verified checkpoint; its ``quorum_time`` says since when at the latest the entry was public. Raises LogError.
    """
    proof = parse_proof(data)
    verified = policy.verify(proof.checkpoint)
    verify_inclusion(
        leaf_hash(entry), proof.index, verified.checkpoint.size, proof.hashes, verified.checkpoint.root
    )
    return verified


def _malformed(zh: str, en: str) -> LogError:
    return refusal("proof-malformed", "", f"证明文件的格式有误：{zh}", f"the proof file is malformed: {en}")
