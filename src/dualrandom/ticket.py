"""Tickets (签号): the lottery numbers of one draw (docs/protocol.md §5).

    ticket(stage, id) = H( seed + ":" + stage + ":" + id )

256 bits, read as a big-endian number; compared in full, the smaller id breaks a tie. A ticket depends on nothing but
the seed, the stage and the id, so an error elsewhere in a list moves nobody else.

>>> Tickets("00" * 32).hex("enterprise", "91420700MA00000000")[:8]
'e8e72eaf'
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field

from dualrandom.hashing import Digest, suite_digest

COST_BITS = 40
"""The pairing's costs are the first 40 bits of a ticket: safe in 64-bit flow arithmetic for millions of nodes."""


@dataclass(frozen=True)
class Tickets:
    """All tickets of one seed (64 lower-case hex digits) under one suite."""

    seed: str
    suite: str = "sha256"
    _digest: Digest = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_digest", suite_digest(self.suite))

    def raw(self, stage: str, name: str) -> bytes:
        """Return one ticket as 32 bytes; bytes compare like the numbers they stand for."""
        return self._digest(f"{self.seed}:{stage}:{name}".encode("ascii"))

    def hex(self, stage: str, name: str) -> str:
        """Return one ticket as 64 hex digits."""
        return self.raw(stage, name).hex()

    def number(self, stage: str, name: str) -> int:
        """Return one ticket as an integer below 2^256."""
        return int.from_bytes(self.raw(stage, name), "big")

    def many(self, stage: str, names: Iterable[str]) -> list[bytes]:
        """Return the tickets of many ids of one stage, 32 bytes each, in the order of ``names``."""
        prefix = f"{self.seed}:{stage}:".encode("ascii")
        if self.suite != "sha256":
            return [self._digest(prefix + name.encode("ascii")) for name in names]
        # The seed fills the first 64-byte block exactly: hash it once and copy the state.
        start = hashlib.sha256(prefix)
        tickets = []
        for name in names:
            state = start.copy()
            state.update(name.encode("ascii"))
            tickets.append(state.digest())
        return tickets


def cost_of(ticket: bytes) -> int:
    """Return the pairing cost of a ticket: its first 40 bits."""
    return int.from_bytes(ticket[:8], "big") >> (64 - COST_BITS)
