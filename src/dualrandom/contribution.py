"""A party's own random number, made where the party is: nonce, commitment, signature, and the two files it hands over.

For a department without access to the office's system, on a machine with nothing but the base install. In the party's
folder:

    <party>.key                      its Ed25519 key, the 32-byte seed in hex (0600); kept from draw to draw
    <draw>/<party>.nonce             the nonce (0600); never used for another draw
    <draw>/<party>.commitment.json   handed over before the announcement
    <draw>/<party>.reveal.json       handed over after it, before the round is due

The reveal is the document that is published (docs/protocol.md §11.1). The commitment is JCS ``{"commitment","draw",
"key","party","signature","suite","type": "dualrandom/v1/contribution"}``, fields as in the announcement (§3, §4).
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dualrandom.canonical import canonical
from dualrandom.errors import DualRandomError
from dualrandom.hashing import suite_digest
from dualrandom.keyring import kept_secret, public_text, signing_key_at
from dualrandom.log.durable import write_durably
from dualrandom.log.note import decode, ed25519_verifies
from dualrandom.seed import commitment_of, contribution_statement

TYPE = "dualrandom/v1/contribution"
REVEAL_TYPE = "dualrandom/v1/reveal"
COMMITMENT_FILE = "{party}.commitment.json"
REVEAL_FILE = "{party}.reveal.json"
_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}")
_HEX = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Contribution:
    """What a party commits to: ``key`` and ``signature`` in base64, ``commitment`` in 64 hex digits."""

    draw: str
    party: str
    suite: str
    key: str
    commitment: str
    signature: str

    @property
    def data(self) -> bytes:
        """The file that is handed over."""
        return canonical(
            {
                "commitment": self.commitment,
                "draw": self.draw,
                "key": self.key,
                "party": self.party,
                "signature": self.signature,
                "suite": self.suite,
                "type": TYPE,
            }
        )


def commit(folder: Path, draw: str, party: str, suite: str = "sha256") -> Path:
    """Make the party's nonce for a draw, and its key if it has none; return the commitment's file. Safe to repeat.

    Raises DualRandomError ``bad-id``, ``unknown-suite``, ``private-file-damaged``; OSError.
    """
    for value in (draw, party):
        _require_id(value)
    digest = suite_digest(suite)
    key = signing_key_at(folder / f"{party}.key")
    nonce = kept_secret(folder / draw / f"{party}.nonce")
    commitment = commitment_of(draw, party, nonce, digest)
    signature = base64.b64encode(key.sign(contribution_statement(draw, party, commitment))).decode()
    path = folder / draw / COMMITMENT_FILE.format(party=party)
    made = Contribution(draw, party, suite, public_text(key), commitment, signature)
    write_durably(path, made.data)
    return path


def reveal(folder: Path, party: str, announcement: bytes) -> Path:
    """Write the party's reveal for the announced draw, once its commitment stands in the announcement; return the file.

    Raises DualRandomError ``announcement-unreadable``, ``not-announced-yet`` (the commitment is not in it: a nonce that is
    told before would let others choose), ``nonce-missing``.
    """
    _require_id(party)
    try:
        document = json.loads(announcement)
        draw, digest = str(document["draw"]), suite_digest(document["suite"])
        announced = {one["party"]: one["commitment"] for one in document["contributions"]}
        _require_id(draw)
    except (ValueError, KeyError, TypeError, RecursionError) as problem:
        raise DualRandomError(
            "announcement-unreadable",
            "",
            {"zh": "这不是公告文件", "en": "this is no announcement"},
            {"zh": "给出已公布的 announcement.json。", "en": "Give the published announcement.json."},
        ) from problem
    path = folder / draw / f"{party}.nonce"
    if not path.exists():
        raise DualRandomError(
            "nonce-missing",
            str(path),
            {
                "zh": f"{folder} 中没有 {party} 为抽取 {draw} 生成的随机数",
                "en": f"{folder} has no nonce of {party} for draw {draw}",
            },
            {
                "zh": "核对文件夹与参与方；丢失的，其承诺值代替它计入种子，抽取照常进行。",
                "en": "Look at the folder and the party; if it is lost, its commitment takes its place and the draw goes on.",
            },
        )
    nonce = kept_secret(path)
    if commitment_of(draw, party, nonce, digest) != announced.get(party):
        raise DualRandomError(
            "not-announced-yet",
            party,
            {
                "zh": f"公告 {draw} 中没有 {party} 的这一承诺",
                "en": f"the announcement of {draw} does not hold this commitment of {party}",
            },
            {
                "zh": "不要交出随机数；先向发起单位查问，公告中列入本方承诺之后再公开。",
                "en": "Do not hand the nonce over; ask the office first, and reveal only when the announcement has it.",
            },
        )
    made = folder / draw / REVEAL_FILE.format(party=party)
    write_durably(made, reveal_document(draw, party, nonce))
    return made


def reveal_document(draw: str, party: str, nonce: str) -> bytes:
    """Return ``reveals/<party>.json`` (docs/protocol.md §11.1)."""
    return canonical({"draw": draw, "nonce": nonce, "party": party, "type": REVEAL_TYPE})


def read_contribution(data: bytes, name: str) -> Contribution:
    """Read a commitment's file and check its signature. Raises DualRandomError ``contribution-file``, ``contribution-not-signed``."""
    value = _object(data, name, TYPE, {"commitment", "draw", "key", "party", "signature", "suite"})
    given = Contribution(
        value["draw"],
        value["party"],
        value["suite"],
        value["key"],
        value["commitment"],
        value["signature"],
    )
    if not _HEX.fullmatch(given.commitment):
        raise _unreadable(name)
    require_signed(given)
    return given


def require_signed(given: Contribution) -> None:
    """Insist that a party's contribution is signed by its key, for its draw. Raises DualRandomError ``contribution-not-signed``."""
    key, signature = decode(given.key), decode(given.signature)
    statement = contribution_statement(given.draw, given.party, given.commitment)
    if key is None or signature is None or not ed25519_verifies(key, signature, statement):
        raise DualRandomError(
            "contribution-not-signed",
            given.party,
            {
                "zh": f"{given.party} 的随机贡献不是其密钥对抽取 {given.draw} 的签名",
                "en": f"the contribution of {given.party} is not signed by its key for draw {given.draw}",
            },
            {
                "zh": f"请该部门对抽取编号 {given.draw} 重新生成承诺和签名（作废后编号会变）。",
                "en": f"Ask the party to commit and sign again for draw {given.draw} (the number changes after a void).",
            },
        )


def read_reveal(data: bytes, name: str, draw: str, party: str) -> str:
    """Return the nonce of a reveal's file. Raises DualRandomError ``contribution-file`` for another draw or party as well."""
    value = _object(data, name, REVEAL_TYPE, {"draw", "nonce", "party"})
    if (value["draw"], value["party"]) != (draw, party) or not _HEX.fullmatch(value["nonce"]):
        raise _unreadable(name)
    return str(value["nonce"])


def _object(data: bytes, name: str, kind: str, keys: set[str]) -> dict[str, str]:
    try:
        value: Any = json.loads(data)
    except (ValueError, RecursionError) as problem:
        raise _unreadable(name) from problem
    whole = isinstance(value, dict) and value.keys() == keys | {"type"} and value["type"] == kind
    if not whole or not all(isinstance(one, str) and one.isascii() for one in value.values()):
        raise _unreadable(name)
    return {key: str(one) for key, one in value.items()}


def _unreadable(name: str) -> DualRandomError:
    return DualRandomError(
        "contribution-file",
        name,
        {
            "zh": f"{name} 不是本次抽取中该参与方的随机贡献文件",
            "en": f"{name} is no contribution file of this party for this draw",
        },
        {
            "zh": "请该部门用 dualrandom contribute 重新生成，并核对抽取编号和参与方。",
            "en": "Ask the party to make it again with dualrandom contribute; look at the draw's number and the party.",
        },
    )


def _require_id(value: str) -> None:
    if _ID.fullmatch(value):
        return
    raise DualRandomError(
        "bad-id",
        value,
        {"zh": f"{value!r} 不是编号", "en": f"{value!r} is no id"},
        {
            "zh": "用 1 至 64 个字母、数字、点、下划线或连字符，以字母或数字开头。",
            "en": "Use 1 to 64 letters, digits, dots, underscores or hyphens, beginning with a letter or digit.",
        },
    )
