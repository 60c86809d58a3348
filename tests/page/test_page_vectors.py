"""verify.html, written from docs/protocol.md in another language, agrees with the conformance suite."""

from __future__ import annotations

import json
import os
import random
from pathlib import Path
from typing import Any

import pytest

from dualrandom.log.policy import parse_policy
from dualrandom.verify import CHECK_NAMES, AuditorFiles, verify_record

VECTORS = Path(__file__).resolve().parents[1] / "vectors"
HAPPY = sorted(path.name for path in (VECTORS / "happy").iterdir())
DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
EDITS = 3_000 if DEEP else 60


def statuses(found: dict[str, Any]) -> dict[str, str]:
    return {check: status for check, status, *_ in found["checks"]}


def failed(found: dict[str, Any]) -> list[str]:
    return [check for check, status, *_ in found["checks"] if status == "FAIL"]


@pytest.mark.parametrize("name", HAPPY)
def test_every_happy_path_gets_the_expected_statuses(name: str, happy: Any, in_node: Any) -> None:
    expected = json.loads((VECTORS / "happy" / name / "expected.json").read_text(encoding="utf-8"))
    for who, due in expected.items():
        found = in_node(happy(name), who == "auditor", who != "without policy")
        assert statuses(found) == due
        assert found["exit"] == (3 if "NOT CHECKED" in due.values() else 0)


@pytest.mark.parametrize("name", [name for name in HAPPY if (VECTORS / "happy" / name / "receipts").is_dir()])
def test_every_honest_receipt_gets_the_expected_status(name: str, happy: Any, in_node: Any) -> None:
    path = VECTORS / "happy" / name / "receipts" / "expected.json"
    for receipt, due in json.loads(path.read_text(encoding="utf-8")).items():
        assert statuses(in_node(happy(name), receipt=receipt))["receipt"] == due


def test_every_lie_is_found_in_the_very_checks_in_which_the_other_verifier_finds_it(
    mutant: Any, in_node: Any
) -> None:
    differing = {}
    for path in sorted((VECTORS / "mutants").glob("*.json")):
        about, files = mutant(path.stem)
        found = in_node(files, about["auditor"], receipt=about.get("receipt"))
        assert found["exit"] == 1
        if failed(found) != about["found"] or about["fails"] not in failed(found):
            differing[path.stem] = failed(found), about["found"]
    assert differing == {}


@pytest.mark.parametrize("name", HAPPY)
def test_the_browser_says_what_node_says(name: str, happy: Any, verified: Any, in_node: Any) -> None:
    auditor = "auditor/list-secret" in happy(name)
    found = verified(happy(name), auditor)
    assert statuses(found) == statuses(in_node(happy(name), auditor))


@pytest.mark.parametrize(
    "name", ["altered-tile", "backdated-cosignature", "exchanged-inspector", "passed-over", "wrong-nonce"]
)
def test_the_browser_finds_a_lie(name: str, mutant: Any, verified: Any) -> None:
    about, files = mutant(name)
    found = verified(files, about["auditor"], receipt=about.get("receipt"))
    assert failed(found) == about["found"]
    for _, _, zh, en in found["checks"]:
        assert en
        assert any("\u4e00" <= character <= "\u9fff" for character in zh)


def edited(data: bytes, random_: random.Random) -> bytes:
    """One small edit of a published file."""
    changed = bytearray(data)
    at = random_.randrange(len(changed))
    match random_.randrange(4):
        case 0:
            changed[at] ^= 1 << random_.randrange(8)
        case 1:
            del changed[at : at + random_.choice((1, 3, 20))]
        case 2:
            changed[at:at] = bytes(random_.choice(b'0123456789abcdef",:{}[]\n ') for _ in range(3))
        case _:
            digits = [k for k, byte in enumerate(changed) if byte in b"0123456789"]
            if digits:
                changed[random_.choice(digits)] = random_.choice(b"0123456789")
    return bytes(changed)


BASES = (
    "open-drand",
    "sealed-drand",
    "open-parts-keystring",
    "open-changed",
    "open-logged",
    "sealed-attested",
)


@pytest.mark.parametrize("base", BASES)
def test_an_edit_of_published_bytes_is_judged_alike_by_both_verifiers(
    base: str, happy: Any, in_node: Any
) -> None:
    random_ = random.Random(f"page {base}")
    original = happy(base)
    trust = parse_policy(original["reader/log.policy"]) if "reader/log.policy" in original else None
    editable = sorted(name for name, data in original.items() if name.startswith("public/") and data)
    auditor = None
    if base == "sealed-drand":
        openings = {
            name.removeprefix("auditor/openings/").removesuffix(".jsonl"): data
            for name, data in original.items()
            if name.startswith("auditor/openings/")
        }
        auditor = AuditorFiles(bytes.fromhex(original["auditor/list-secret"].decode()), openings)
    for number in range(EDITS // len(BASES)):
        name = random_.choice(editable)
        data = edited(original[name], random_)
        files = original | {name: data}
        public = {key[7:]: content for key, content in files.items() if key.startswith("public/")}
        full = verify_record(public, auditor, log_policy=trust)
        refused = [check.name for check in full.checks if check.status == "FAIL"]
        found = in_node(files, auditor is not None)
        assert [check for check, *_ in found["checks"]] == list(CHECK_NAMES)
        # In which check a fault is told may differ where several documents no longer fit each other.
        assert (found["exit"] == 1) == bool(refused), (number, name, refused, found)
