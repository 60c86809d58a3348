"""What parties revealed: its form, and whether a nonce that counts as revealed was committed to before (docs/protocol.md §11.1, §12).

Commitments name draw and party, so equal nonces have different commitments, and whoever knew a nonce already when it was
committed to could have tried the outcome with it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dualrandom.errors import DualRandomError
from dualrandom.hashing import hash_hex, suite_digest
from dualrandom.log.entry import EntryType, document_path
from dualrandom.verify import schema
from dualrandom.verify.announcement import Announcement
from dualrandom.verify.public_log import FOLDER, PublicLog
from dualrandom.verify.report import Fault, Verdict

REVEALS = "reveals/"


@dataclass(frozen=True, slots=True)
class Reveal:
    """reveals/<party>.json."""

    party: str
    draw: str
    nonce: str


def parse_reveal(data: bytes, name: str) -> Reveal:
    """Parse one reveal. Raises Fault."""
    found = schema.record(schema.parsed(data, name), name, ("draw", "nonce", "party", "type"))
    schema.choice("dualrandom/v1/reveal")(found["type"], f"{name}: type")
    reveal = Reveal(
        party=schema.ident(found["party"], f"{name}: party"),
        draw=schema.ident(found["draw"], f"{name}: draw"),
        nonce=schema.hex64(found["nonce"], f"{name}: nonce"),
    )
    if name != f"{REVEALS}{reveal.party}.json":
        raise Fault(f"{name} 的 party 是 {reveal.party}", f"{name} is of the party {reveal.party}")
    return reveal


def check_reuse(
    verdict: Verdict, a: Announcement, log: PublicLog, files: Mapping[str, bytes], revealed: Mapping[str, str]
) -> None:
    """Look for ``revealed`` nonces (party → 64 hex digits) in the announcements that stand before this one."""
    if not revealed:
        return
    for entry in log.entries:
        if entry is None or entry.type is not EntryType.ANNOUNCE:
            continue
        if entry.draw == a.draw:
            return
        data = files.get(FOLDER + document_path(entry.digest))
        committed = None if data is None or not entry.is_of(data) else tuple(_commitments(data))
        if committed is None:
            verdict.unchecked(
                f"未公布 {entry.draw} 的公告：随机数是否用过不得而知",
                f"the announcement of {entry.draw} is not here: whether a nonce was used before is not known",
            )
            continue
        for draw, suite, party, commitment in committed:
            for mine, nonce in revealed.items():
                text = f"dualrandom/v1/nonce\n{draw} {party} {nonce}\n"
                if hash_hex(text.encode(), suite_digest(suite)) == commitment:
                    verdict.fail(
                        f"{mine} 的随机数在 {draw} 中已由 {party} 用过",
                        f"the nonce of {mine} was used before, by {party} in {draw}",
                    )


def _commitments(data: bytes) -> Iterator[tuple[str, str, str, str]]:
    """Yield draw, suite, party and commitment of another draw's announcement, as far as it can be read."""
    try:
        document: Mapping[str, Any] = schema.parsed(data, "log/documents")
        draw, suite = str(document["draw"]), schema.choice("sha256", "sm3")(document["suite"], "suite")
        for one in document["contributions"]:
            yield draw, suite, str(one["party"]), str(one["commitment"])
    except (Fault, KeyError, TypeError, DualRandomError):
        return  # a folder of that draw says so
