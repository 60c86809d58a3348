"""Public randomness: drand quicknet verified offline, key strings of public lotteries, and a local source for development.

docs/protocol.md §4. An announcement pins kind, source and round; :data:`KINDS` says for each kind how its evidence is read and
where a relay has it. A further kind is a further entry there, a row of that section and a check in every verifier.
 The chain is pinned: hash, key, genesis and period are constants (drand's scheme bls-unchained-g1-rfc9380: signatures on
G1 over SHA-256 of the round number, RFC 9380 hash to curve).
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from dualrandom.errors import DualRandomError

QUICKNET_HASH = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
QUICKNET_KEY = bytes.fromhex(
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
    "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
)
QUICKNET_GENESIS = 1692803367
QUICKNET_PERIOD = 3
QUICKNET_DST = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
IDENTITY_G1 = bytes([0xC0]) + bytes(47)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What proves a beacon's randomness: a signature (drand, hex), a key string, or neither (local)."""

    randomness: str
    signature: str | None
    keystring: str | None


def round_time(number: int) -> datetime:
    """Return when a quicknet round (≥ 1) is due."""
    return datetime.fromtimestamp(QUICKNET_GENESIS + (number - 1) * QUICKNET_PERIOD, UTC)


def first_round_at(time: datetime) -> int:
    """Return the first quicknet round that is due at or after ``time``."""
    seconds = -(-int(time.timestamp() * 1000) // 1000) - QUICKNET_GENESIS
    return max(1, -(-seconds // QUICKNET_PERIOD) + 1)


def check_quicknet(number: int, signature: bytes) -> str:
    """Return the randomness (64 hex) of a quicknet round, or raise DualRandomError ``beacon-forged``."""
    # imported here: reading a plan needs no pairing-friendly curve
    from py_arkworks_bls12381 import GT, G1Point, G2Point  # noqa: PLC0415

    if len(signature) != len(IDENTITY_G1) or signature == IDENTITY_G1:
        raise _forged(
            number, "签名长度不对或为单位元", "the signature has the wrong length or is the identity point"
        )
    message = hashlib.sha256(number.to_bytes(8, "big")).digest()
    try:
        point = G1Point.from_compressed_bytes(signature)
    except ValueError as problem:
        raise _forged(number, "签名不是曲线上的点", "the signature is not a point of the curve") from problem
    hashed = G1Point.hash_to_curve(message, QUICKNET_DST)
    # e(signature, g2) = e(H(message), key), as one product
    paired = GT.multi_pairing([point, -hashed], [G2Point(), G2Point.from_compressed_bytes(QUICKNET_KEY)])
    if paired != GT.one():
        raise _forged(number, "签名验证失败", "the signature does not verify")
    return hashlib.sha256(signature).hexdigest()


def rfc3797_keystring(sources: Sequence[Sequence[int]]) -> str:
    """Return the key string of RFC 3797 §4 for the whole numbers that each source gave, the sources in their announced order.

    >>> rfc3797_keystring([[9319], [2, 5, 12, 8, 10], [9, 18, 26, 34, 41, 45]])
    '9319./2.5.8.10.12./9.18.26.34.41.45./'
    """
    return "".join("".join(f"{number}." for number in sorted(numbers)) + "/" for numbers in sources)


def read_evidence(kind: str, round_id: str, data: bytes, name: str) -> Evidence:
    """Read an operator's beacon file and check it as far as bytes can: for drand an API object, for a key string
    ``{"keystring": "…"}`` or ``{"numbers": [[…], …]}``, from which the key string is made.

    Raises DualRandomError: ``beacon-file`` (unreadable, wrong round), ``beacon-forged``.
    """
    try:
        value = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise _unreadable(name, "不是 JSON", "it is not JSON") from problem
    if not isinstance(value, dict):
        raise _unreadable(name, "不是 JSON 对象", "it is not a JSON object")
    return KINDS[kind].read(round_id, value, name)


def _drand(round_id: str, value: Mapping[str, Any], name: str) -> Evidence:
    # it goes into the message, whatever it is: not megabytes, and no lone surrogates, which no output can encode
    shown = str(value.get("round"))[:80].encode("utf-8", "replace").decode()
    if shown != round_id:
        raise _unreadable(
            name, f"轮次是 {shown}，公告的是 {round_id}", f"it is round {shown}, announced was {round_id}"
        )
    signature = value.get("signature")
    if not isinstance(signature, str) or not re.fullmatch("[0-9a-f]{96}", signature):
        raise _unreadable(name, "缺少签名 signature（96 位十六进制）", "signature (96 hex digits) is missing")
    randomness = check_quicknet(int(round_id), bytes.fromhex(signature))
    if value.get("randomness", randomness) != randomness:
        raise _forged(
            int(round_id), "randomness 不是签名的 SHA-256", "randomness is not the signature's SHA-256"
        )
    return Evidence(randomness, signature, None)


def _keystring(value: Mapping[str, Any], name: str) -> Evidence:
    if "numbers" in value and "keystring" not in value:
        value = {"keystring": rfc3797_keystring(_numbers(value["numbers"], name))}
    text = value.get("keystring")
    if not isinstance(text, str) or not text or not text.isascii() or not text.isprintable():
        raise _unreadable(name, "缺少 keystring（可打印 ASCII）", "keystring (printable ASCII) is missing")
    return Evidence(hashlib.sha256(text.encode("ascii")).hexdigest(), None, text)


def _numbers(value: object, name: str) -> list[list[int]]:
    if isinstance(value, list) and value:
        found = [
            source for source in value if isinstance(source, list) and source and all(map(_whole, source))
        ]
        if len(found) == len(value):
            return found
    raise _unreadable(
        name,
        "numbers 应为每个来源一个非负整数的数组",
        "numbers should be one array of whole numbers for each source",
    )


def _whole(value: object) -> bool:
    return type(value) is int and value >= 0


def _unreadable(name: str, zh: str, en: str) -> DualRandomError:
    return DualRandomError(
        code="beacon-file",
        value=name,
        message={"zh": f"信标文件 {name} 不能用：{zh}", "en": f"the beacon file {name} cannot be used: {en}"},
        remedy={
            "zh": 'drand：保存 /public/<轮次> 的 JSON；彩票：{"keystring": "…"} 或 {"numbers": [[…], …]}，格式与公告一致。',
            "en": 'drand: save the JSON of /public/<round>; lottery: {"keystring": "…"} or {"numbers": [[…], …]} in the '
            "announced format.",
        },
    )


def _forged(number: int, zh: str, en: str) -> DualRandomError:
    return DualRandomError(
        code="beacon-forged",
        value=str(number),
        message={
            "zh": f"quicknet 第 {number} 轮未通过验证：{zh}",
            "en": f"quicknet round {number} is not genuine: {en}",
        },
        remedy={
            "zh": "重新获取该轮；不可换用其他轮次。",
            "en": "Fetch the round again; another round must not be used.",
        },
    )


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of beacon works: ``read`` (round, parsed file, its name) checks evidence.

    ``path`` (source, round) is where a relay has it below its address; None: no relay has it, a person brings the file.
    """

    read: Callable[[str, Mapping[str, Any], str], Evidence]
    path: Callable[[str, str], str] | None


KINDS: Mapping[str, Kind] = {
    "drand": Kind(_drand, lambda source, number: f"{source}/public/{number}"),
    "keystring": Kind(lambda _, value, name: _keystring(value, name), None),
}
"""The kinds that need evidence; ``local`` has none."""
