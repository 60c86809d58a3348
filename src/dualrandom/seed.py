"""Nonces, their commitments and the seed (docs/protocol.md §4).

The seed is the hash of a statement that a person can type. It binds the announcement, the beacon's randomness and each party's nonce;
a nonce that is not revealed is replaced by its commitment, so silence neither stops nor re-rolls a draw.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dualrandom.hashing import Digest, hash_hex


def commitment_of(draw: str, party: str, nonce: str, digest: Digest) -> str:
    """Return the commitment (64 hex) of a nonce of 64 lower-case hex digits."""
    return hash_hex(f"dualrandom/v1/nonce\n{draw} {party} {nonce}\n".encode("ascii"), digest)


def contribution_statement(draw: str, party: str, commitment: str) -> bytes:
    """Return what a party signs with its Ed25519 key."""
    return f"dualrandom/v1/contribution\n{draw} {party} {commitment}\n".encode("ascii")


def seed_statement(
    announcement: Mapping[str, Any], digest_hex: str, randomness: str, revealed: Mapping[str, str]
) -> bytes:
    """Return ``seed.txt``. ``revealed`` maps the parties that revealed to their nonces."""
    beacon = announcement["beacon"]
    contributions: Sequence[Mapping[str, str]] = announcement["contributions"]
    lines = [
        "dualrandom/v1/seed",
        f"announcement {digest_hex}",
        f"beacon {beacon['kind']} {beacon['source']} {beacon['round']}",
        f"randomness {randomness}",
    ]
    for contribution in contributions:
        party = contribution["party"]
        if party in revealed:
            lines.append(f"contribution {party} revealed {revealed[party]}")
        else:
            lines.append(f"contribution {party} withheld {contribution['commitment']}")
    return "".join(line + "\n" for line in lines).encode("ascii")
