"""Signatures, public randomness and the seed (docs/protocol.md §4)."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from py_arkworks_bls12381 import GT, G1Point, G2Point

from dualrandom.hashing import hash_hex
from dualrandom.log.note import ed25519_verifies
from dualrandom.verify import schema
from dualrandom.verify.announcement import Announcement
from dualrandom.verify.published import Beacon
from dualrandom.verify.report import Fault, Verdict

QUICKNET = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"
"""Chain hash of drand's quicknet, the one chain that §4 pins."""

_QUICKNET_KEY = (
    "83cf0f2896adee7eb8b5f01fcad3912212c437e0073e911fb90022d3e760183c8c4b450b6a0a6c3ac6a5776a2d106451"
    "0d1fec758c921cc22b0e17e63aaf4bcb5ed66304de9cf809bd274ca73bab4af5a6e9c76a4bc09e76eae8991ef5ece45a"
)
_QUICKNET_GENESIS = 1692803367
_QUICKNET_PERIOD = 3
_DST = b"BLS_SIG_BLS12381G1_XMD:SHA-256_SSWU_RO_NUL_"
_SIGNATURE_BYTES = 48
_LARGEST_ROUND = 2**64 - 1


def _round_number(text: str) -> int | None:
    canonical = text.isascii() and text.isdigit() and text[0] != "0" and len(text) <= 20
    return int(text) if canonical and int(text) <= _LARGEST_ROUND else None


def drand_time(chain: str, round_text: str) -> datetime | None:
    """Return when a round is due; None for an unknown chain or what is no round of it."""
    number = _round_number(round_text)
    if chain != QUICKNET or number is None:
        return None
    try:
        return datetime.fromtimestamp(_QUICKNET_GENESIS, UTC) + timedelta(
            seconds=(number - 1) * _QUICKNET_PERIOD
        )
    except OverflowError:
        return None


@lru_cache(maxsize=256)  # whoever checks many records, or one many times, meets the same rounds again
def verify_quicknet(round_number: int, signature: bytes, public_key: bytes | None = None) -> bool:
    """Say whether ``signature`` (48 bytes, G1 compressed) is quicknet's over a round (RFC 9380, BLS on BLS12-381).

    ``public_key`` (96 bytes, G2 compressed) replaces the pinned key, for tests. Identity points are refused: with an
    identity key every message would verify under the identity signature.
    """
    key = bytes.fromhex(_QUICKNET_KEY) if public_key is None else public_key
    if len(signature) != _SIGNATURE_BYTES or len(key) != 2 * _SIGNATURE_BYTES:
        return False
    try:
        point = G1Point.from_compressed_bytes(signature)
        key_point = G2Point.from_compressed_bytes(key)
    except ValueError:
        return False
    if point == G1Point.identity() or key_point == G2Point.identity():
        return False
    message = hashlib.sha256(round_number.to_bytes(8, "big")).digest()
    hashed = G1Point.hash_to_curve(message, _DST)
    return bool(GT.pairing_check([point, -hashed], [G2Point(), key_point]))


def check_signatures(verdict: Verdict, announcement: Announcement) -> None:
    """Check each contribution's Ed25519 signature."""
    for contribution in announcement.contributions:
        statement = f"dualrandom/v1/contribution\n{announcement.draw} {contribution.party} {contribution.commitment}\n"
        if not ed25519_verifies(contribution.key, contribution.signature, statement.encode()):
            verdict.fail(
                f"{contribution.party} 的承诺签名无效",
                f"the signature of {contribution.party} does not verify",
            )
    count = len(announcement.contributions)
    verdict.note(f"{count} 个签名有效", f"{count} signatures verify")


def check_beacon(verdict: Verdict, announcement: Announcement, beacon: Beacon) -> None:
    """Check that beacon.json is the announced round and that its evidence gives its randomness."""
    announced = announcement.beacon
    for name, ours, theirs in (
        ("kind", announced.kind, beacon.kind),
        ("source", announced.source, beacon.source),
        ("round", announced.round, beacon.round),
    ):
        if ours != theirs:
            verdict.fail(
                f"beacon.json 的 {name} 为 {theirs}，公告为 {ours}",
                f"beacon.json has {name} {theirs}, announced is {ours}",
            )
    if beacon.kind == "drand":
        _check_drand(verdict, beacon)
    elif beacon.kind == "keystring":
        _check_keystring(verdict, beacon)
    else:
        if beacon.signature is not None or beacon.keystring is not None:
            verdict.fail("local 信标不应有凭据", "a local beacon should have no evidence")
        verdict.unchecked(
            "local 随机数由操作者的计算机选定，仅供开发",
            "the local randomness was chosen by the operator's machine: for development only",
        )


def _check_drand(verdict: Verdict, beacon: Beacon) -> None:
    number = _round_number(beacon.round)
    if beacon.source != QUICKNET or number is None:
        verdict.fail(
            f"drand 链 {beacon.source} 或轮次 {beacon.round} 未知",
            f"drand chain {beacon.source} or round {beacon.round} is unknown",
        )
        return
    if beacon.keystring is not None or beacon.signature is None:
        verdict.fail("drand 信标的凭据应为签名", "the evidence of a drand beacon should be its signature")
        return
    signature = bytes.fromhex(beacon.signature)
    if not verify_quicknet(number, signature):
        verdict.fail(
            f"签名不是 quicknet 第 {number} 轮的有效签名",
            f"the signature is not quicknet's over round {number}",
        )
    if hashlib.sha256(signature).hexdigest() != beacon.randomness:
        verdict.fail("randomness 不是签名的 SHA-256", "the randomness is not the SHA-256 of the signature")
    verdict.note(f"quicknet 第 {number} 轮签名有效", f"the signature is quicknet's over round {number}")


def _check_keystring(verdict: Verdict, beacon: Beacon) -> None:
    if beacon.signature is not None or beacon.keystring is None:
        verdict.fail(
            "keystring 信标的凭据应为 key string",
            "the evidence of a keystring beacon should be its key string",
        )
        return
    if hashlib.sha256(beacon.keystring.encode()).hexdigest() != beacon.randomness:
        verdict.fail(
            "randomness 不是 key string 的 SHA-256", "the randomness is not the SHA-256 of the key string"
        )
    verdict.unchecked(
        f"key string 是否就是 {beacon.source} {beacon.round} 公布的数字，需人工核对：{beacon.keystring[:120]}",
        f"a person must compare the key string with what {beacon.source} {beacon.round} published: "
        f"{beacon.keystring[:120]}",
    )


@dataclass(frozen=True, slots=True)
class SeedStatement:
    """seed.txt taken apart: the lines before the contributions, and (party, word, value) of each of these."""

    head: tuple[str, ...]
    contributions: tuple[tuple[str, str, str], ...]
    digest: str


def parse_seed(data: bytes, announcement: Announcement) -> SeedStatement:
    """Take seed.txt apart. Raises Fault if it does not have the form of the statement."""
    try:
        text = data.decode("ascii")
    except UnicodeDecodeError as problem:
        raise Fault("seed.txt 应为 ASCII", "seed.txt should be ASCII") from problem
    lines = text.split("\n")
    if len(lines) < 5 or lines.pop() != "":
        raise Fault(
            "seed.txt 应至少有四行，每行以换行符结束",
            "seed.txt should have at least four lines, each ended by a newline",
        )
    contributions = []
    for line in lines[4:]:
        words = line.split(" ")
        if len(words) != 4 or words[0] != "contribution" or words[2] not in ("revealed", "withheld"):
            raise Fault(
                f"seed.txt 中的行不对：{line[:80]!r}", f"seed.txt has a line out of form: {line[:80]!r}"
            )
        schema.hex64(words[3], f"seed.txt: {words[1][:64]}")
        contributions.append((words[1], words[2], words[3]))
    return SeedStatement(tuple(lines[:4]), tuple(contributions), hash_hex(data, announcement.hash))


def check_contributions(verdict: Verdict, announcement: Announcement, statement: SeedStatement) -> None:
    """Check revealed nonces against their commitments, and that withheld ones show the commitment."""
    committed = {contribution.party: contribution.commitment for contribution in announcement.contributions}
    withheld = 0
    for party, word, value in statement.contributions:
        commitment = committed.get(party)
        if commitment is None:
            continue  # the seed check names the parties that differ
        if word == "withheld":
            withheld += 1
            shown = value
        else:
            shown = hash_hex(
                f"dualrandom/v1/nonce\n{announcement.draw} {party} {value}\n".encode(), announcement.hash
            )
        if shown != commitment:
            verdict.fail(
                f"{party} 的 {word} 值与其承诺 {commitment} 不符",
                f"the {word} value of {party} does not match its commitment {commitment}",
            )
    verdict.note(
        f"{len(statement.contributions) - withheld} 份已公开并相符，{withheld} 份未公开",
        f"{len(statement.contributions) - withheld} revealed and matching, {withheld} withheld",
    )


def check_seed(
    verdict: Verdict,
    announcement: Announcement,
    beacon: Beacon | None,
    statement: SeedStatement,
    seed: str | None,
) -> None:
    """Check that seed.txt is the statement of these documents and hashes to the result's ``seed``."""
    announced = announcement.beacon
    expected = [
        "dualrandom/v1/seed",
        f"announcement {announcement.digest}",
        f"beacon {announced.kind} {announced.source} {announced.round}",
    ]
    if beacon is not None:
        expected.append(f"randomness {beacon.randomness}")
    for ours, theirs in zip(expected, statement.head, strict=False):
        if ours != theirs:
            verdict.fail(
                f"seed.txt 应有“{ours}”，实为“{theirs[:160]}”",
                f"seed.txt should say '{ours}', says '{theirs[:160]}'",
            )
    parties = [contribution.party for contribution in announcement.contributions]
    stated = [party for party, _, _ in statement.contributions]
    if parties != stated:
        verdict.fail(
            f"seed.txt 的参与方应为 {parties}，实为 {schema.shown(stated)}",
            f"seed.txt should list the parties {parties}, lists {schema.shown(stated)}",
        )
    if seed is not None and seed != statement.digest:
        verdict.fail(
            f"seed.txt 的散列是 {statement.digest}，结果的种子是 {seed}",
            f"seed.txt hashes to {statement.digest}, the result's seed is {seed}",
        )
    if beacon is None:
        verdict.unchecked("beacon.json 缺失或损坏", "beacon.json is missing or broken")
    verdict.note(f"种子 {statement.digest}", f"seed {statement.digest}")
