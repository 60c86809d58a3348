"""Random edits of published bytes: the small verifier refuses exactly what the full one refuses, and never crashes.

Edits keep documents canonical JSON most of the time, so that they come past the parser and meet the rules.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import pytest

from dualrandom.log.policy import parse_policy
from dualrandom.verify import AuditorFiles, verify_record

EDITS = 10_000 if os.environ.get("DUALRANDOM_DEEP") == "1" else 98

BASES = [
    "open-changed",
    "open-embargo-lifted",
    "open-logged",
    "open-logged-after-void",
    "open-logged-changed",
    "open-parts-keystring",
    "open-scarce-local",
    "open-two-way",
    "open-withdrawn",
    "sealed-attested",
    "sealed-changed",
    "sealed-drand",
    "sealed-embargo-crews",
    "sealed-withdrawn",
]


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Yield the path of every value in a document."""
    yield path
    for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
        yield from places(value[key], (*path, key))


def words(value: Any) -> Iterator[str]:
    """Yield every text in a document: what a liar may put in the place of another."""
    if isinstance(value, str):
        yield value
    for key in value if isinstance(value, dict) else ():
        yield from words(value[key])
    for element in value if isinstance(value, list) else ():
        yield from words(element)


def other(random_: random.Random, value: Any, known: list[str]) -> Any:
    """Return another value in the place of one."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int):
        return random_.choice([value + 1, value - 1, 0, -1, str(value)])
    if isinstance(value, str):
        at = random_.randrange(len(value) + 1)
        return random_.choice(
            [
                random_.choice(known),
                value[:at] + random_.choice("0123456789abcdefxZ-") + value[at + 1 :],
                value[:-1],
                value + "0",
                value.swapcase(),
                None,
            ]
        )
    if isinstance(value, list) and value:
        at = random_.randrange(len(value))
        return random_.choice(
            [
                value[:at] + value[at + 1 :],
                [*value, value[at]],
                value[at:] + value[:at],
                None,
            ]
        )
    if isinstance(value, dict) and value:
        gone = random_.choice(sorted(value))
        kept = {key: element for key, element in value.items() if key != gone}
        return random_.choice([kept, value | {"note": random_.choice(known)}])
    return random_.choice(known)


def changed(random_: random.Random, data: bytes, known: list[str]) -> bytes:
    """Change one value of a canonical document."""
    value = json.loads(data)
    path = random_.choice(list(places(value))[1:] or [()])
    if not path:
        return data
    inside = value
    for key in path[:-1]:
        inside = inside[key]
    inside[path[-1]] = other(random_, inside[path[-1]], known)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def edited(random_: random.Random, name: str, data: bytes, known: list[str]) -> bytes:
    """Change a value, a row, or a few bytes."""
    kind = random_.random()
    if name.endswith(".json") and kind < 0.75:
        return changed(random_, data, known)
    if name.endswith(".jsonl") and kind < 0.75 and data:
        rows = data.split(b"\n")[:-1]
        at = random_.randrange(len(rows))
        rows[at : at + 1] = random_.choice(
            [[changed(random_, rows[at], known)]] * 3 + [[], [rows[at]] * 2, [rows[at - 1]]]
        )
        return b"".join(row + b"\n" for row in rows)
    at = random_.randrange(len(data) + 1)
    return random_.choice(
        [
            data[:at]
            + bytes(byte ^ (1 << random_.randrange(8)) for byte in data[at : at + 1])
            + data[at + 1 :],
            data[:at] + data[at + 1 :],
            data[:at] + data[at : at + 3] + data[at:],
            data[:at],
        ]
    )


@pytest.mark.parametrize("base", BASES)
def test_it_refuses_exactly_what_the_full_verifier_refuses(
    base: str, small: ModuleType, happy: Callable[[str], dict[str, bytes]], given: Any
) -> None:
    if "sm3" in base and "sm3" not in hashlib.algorithms_available:
        pytest.skip("this Python has no SM3")
    random_ = random.Random(f"small verifier {base}")
    original = happy(base)
    documents = ("announcement.json", "result.json")
    known = sorted({word for name in documents for word in words(json.loads(original[f"public/{name}"]))})
    public = sorted(name for name in original if name.startswith("public/") and "index.html" not in name)
    held = sorted(name for name in original if name.startswith("auditor/openings/"))
    receipts = sorted(name for name in original if name.startswith("receipts/"))
    for number in range(EDITS // len(BASES)):
        auditor = bool(held) and random_.random() < 0.5
        receipt = random_.choice(receipts)[len("receipts/") : -len(".json")] if receipts else None
        name = random_.choice(public + (held if auditor else []) + receipts[:3])
        if name.startswith("receipts/"):
            receipt = name[len("receipts/") : -len(".json")]
        files = original | {name: edited(random_, name, original[name], known)}
        how = given(files, auditor=auditor, receipt=receipt)
        report = small.verify(**how)
        full = verify_record(
            how["files"],
            AuditorFiles(*how["auditor"]) if auditor else None,
            log_policy=None if how["policy"] is None else parse_policy(how["policy"]),
            receipt=how["receipt"],
        )
        assert all(reason for _, _, reason in report)
        refused = {made.name for made in full.checks if made.status == "FAIL"}
        found = {made: reason for made, status, reason in report if status == "FAIL"}
        only_bls = refused <= {"beacon", "changes"} and any("BLS" in reason for _, _, reason in report)
        assert bool(found) == bool(refused) or only_bls, (number, name, refused, found)
