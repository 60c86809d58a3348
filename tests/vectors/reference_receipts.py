"""The reference's receipts and attestations (docs/protocol.md §14, §15), from a record that it made."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from reference_lists import jcs  # type: ignore[import-not-found]

Json = Any
AUDITOR = Ed25519PrivateKey.from_private_bytes(bytes(32))
"""The key that the reference announces."""
CHECKS = [
    "canonical",
    "signatures",
    "log",
    "lists",
    "announcement",
    "events",
    "contributions",
    "beacon",
    "seed",
    "sizes",
    "selection",
    "visits",
    "dates",
    "crews",
    "prices",
    "result",
    "findings",
    "changes",
    "draws",
]


def path(built: Any, leaves: list[bytes], index: int) -> list[str]:
    """RFC 6962 §2.1.1, literally; the leaf's sibling first."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return [*path(built, leaves[:split], index), built.tree(leaves[split:]).hex()]
    return [*path(built, leaves[split:], index - split), built.tree(leaves[:split]).hex()]


def row(built: Any, name: str, key: str) -> Json:
    rows = built.public[f"{name}.jsonl"].splitlines()
    ids = [json.loads(one)["id"] for one in rows]
    index = ids.index(key)
    openings = [json.loads(one) for one in built.openings.get(name, b"").splitlines()]
    return {
        "index": index,
        "list": name,
        "opening": next((one for one in openings if one["id"] == key), None),
        "proof": path(built, [built.h(b"\x00" + one) for one in rows], index),
        "row": json.loads(rows[index]),
    }


def receipt(built: Any, kind: str, subject: str) -> bytes:
    """The receipt of an enterprise or an inspector."""
    rows = [row(built, "frame" if kind == "enterprise" else "roster", subject)]
    if kind == "inspector":
        hidden = built.openings.get("recusals", b"").splitlines()
        pairs = {one["id"]: one["hidden"]["pair"] for one in map(json.loads, hidden)} or {
            f"{a}~{b}": [a, b] for a, b, _ in built.recusals
        }
        rows += [row(built, "recusals", key) for key, pair in pairs.items() if subject in pair]
    elif built.case.sealed:
        mine = built.frame[subject]["strata"]
        for number, (task, name) in enumerate(built.cells, 1):
            if mine.get(task) == name:
                lists = ("strata", "cutoffs") if "cutoffs.jsonl" in built.public else ("strata",)
                rows += [row(built, one, f"s{number:04d}") for one in lists]
    written: bytes = jcs(
        {
            "announcement": built.digest,
            "draw": built.draw,
            "rows": sorted(rows, key=lambda one: (one["list"], one["index"])),
            "subject": {"id": subject, "kind": kind},
            "type": "dualrandom/v1/receipt",
        }
    )
    return written


def statement(document: Json) -> bytes:
    lines = [
        "dualrandom/v1/attest",
        f"draw {document['draw']}",
        f"announcement {document['announcement']}",
        f"result {document['result']}",
        f"changes {document['changes'] or 'none'}",
        *(f"check {one['name']} {one['status']}" for one in document["checks"]),
    ]
    return "".join(f"{line}\n" for line in lines).encode()


def signed(document: Json, key: Ed25519PrivateKey = AUDITOR) -> bytes:
    signature = base64.b64encode(key.sign(statement(document))).decode()
    return bytes(jcs(document | {"signature": signature}))


def attest(built: Any, files: dict[str, bytes]) -> Json:
    """The attestation, still unsigned, of a record with these files beside its result."""
    left = {"log", "events"} | ({"findings"} if "findings.json" not in files else set())
    rows = files.get("changes.jsonl", b"").splitlines()
    return {
        "announcement": built.digest,
        "auditor": base64.b64encode(AUDITOR.public_key().public_bytes_raw()).decode(),
        "changes": built.h(rows[-1]).hex() if rows else None,
        "checks": [{"name": one, "status": "NOT CHECKED" if one in left else "PASS"} for one in CHECKS],
        "draw": built.draw,
        "result": built.h(built.public["result.json"]).hex(),
        "type": "dualrandom/v1/attest",
    }


def stranger(name: str) -> Ed25519PrivateKey:
    return Ed25519PrivateKey.from_private_bytes(hashlib.sha256(name.encode()).digest())
