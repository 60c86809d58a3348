"""Random edits of published bytes: whatever the full verifier refuses, the small one does not let pass."""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

from dualrandom.verify import verify_record

EDITS = 4000 if os.environ.get("DUALRANDOM_DEEP") == "1" else 60

# Checks that the small verifier leaves to the others.
BEYOND = {"signatures", "log", "events", "changes", "attest"}


def edited(random_: random.Random, data: bytes) -> bytes:
    """Flip, delete, double, insert or exchange a few bytes."""
    at = random_.randrange(len(data) + 1)
    length = random_.choice((1, 1, 1, 2, 8, 64))
    kind = random_.randrange(5)
    if kind == 0 and at < len(data):
        return data[:at] + bytes([data[at] ^ (1 << random_.randrange(8))]) + data[at + 1 :]
    if kind == 1:
        return data[:at] + data[at + length :]
    if kind == 2:
        return data[:at] + data[at : at + length] + data[at:]
    if kind == 3:
        return (
            data[:at]
            + bytes(random_.choice(b'0123456789abcdef",:{}[]\n ') for _ in range(length))
            + data[at:]
        )
    digits = [k for k, byte in enumerate(data) if byte in b"0123456789"]
    if not digits:
        return data + b"0"
    at = random_.choice(digits)
    return data[:at] + str(random_.randrange(10)).encode() + data[at + 1 :]


@pytest.mark.parametrize(
    ("base", "auditor"),
    [
        ("open-drand", False),
        ("sealed-drand", True),
        ("open-scarce-local", False),
        ("sealed-embargo-crews", False),
    ],
)
def test_no_edit_crashes_it_or_passes_what_the_full_verifier_refuses(
    base: str, auditor: bool, happy: Any, check: Any
) -> None:
    random_ = random.Random(f"small verifier {base}")
    original = happy(base)
    editable = sorted(
        name for name in original if name.startswith("public/") and not name.endswith("index.html")
    )
    for number in range(EDITS // 4):
        name = random_.choice(editable)
        files = original | {name: edited(random_, original[name])}
        report = check(files, auditor)
        fails = {made for made, status, _ in report if status == "FAIL"}
        assert not any("Traceback" in reason for _, _, reason in report)
        full = verify_record({key[7:]: data for key, data in files.items() if key.startswith("public/")})
        refused = {made.name for made in full.checks if made.status == "FAIL"} - BEYOND
        if name == "public/beacon.json" and refused == {"beacon"}:
            continue  # what only the pairing shows
        if name == "public/statistics.json" and refused == {"result"}:
            continue  # figures that the small verifier leaves to the others
        assert bool(fails) or not refused, (number, name, refused)
