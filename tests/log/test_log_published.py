"""Proofs, notes and checkpoints that other implementations published; where they are from: published/README.md."""

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from dualrandom.hashing import leaf_hash
from dualrandom.log.checkpoint import parse_checkpoint
from dualrandom.log.errors import LogError
from dualrandom.log.merkle import verify_consistency, verify_inclusion
from dualrandom.log.note import parse_note, parse_vkey, verified_signatures

PUBLISHED = Path(__file__).resolve().parent / "published"


def read(name: str) -> Any:
    return json.loads((PUBLISHED / f"{name}.json").read_text("utf-8"))


def raw(values: list[str] | None) -> list[bytes]:
    return [base64.b64decode(value) for value in values or ()]


def refused(check: Any, *arguments: Any) -> bool:
    try:
        check(*arguments)
    except LogError:
        return True
    return False


MERKLE = read("merkle")
NOTES = read("notes")


@pytest.mark.parametrize("case", MERKLE["inclusion"], ids=lambda case: case["name"])
def test_published_inclusion_proofs_are_judged_as_their_makers_say(case: dict[str, Any]) -> None:
    leaf, root = raw([case["leafHash"], case["root"]])
    given = (leaf, case["leafIdx"], case["treeSize"], raw(case["proof"]), root)
    assert refused(verify_inclusion, *given) == case["wantErr"]


@pytest.mark.parametrize("case", MERKLE["consistency"], ids=lambda case: case["name"])
def test_published_consistency_proofs_are_judged_as_their_makers_say(case: dict[str, Any]) -> None:
    first, second = raw([case["root1"], case["root2"]])
    given = (case["size1"], first, case["size2"], second, raw(case["proof"]))
    # ours also refuses roots that are no hashes
    assert refused(verify_consistency, *given) == (case["wantErr"] or {len(first), len(second)} != {32})


def test_an_entry_of_a_public_log_of_a_billion_is_proven_to_stand_in_it() -> None:
    log = read("argon2020")
    entry = log["inclusion"]
    leaf = leaf_hash(base64.b64decode(entry["leafInput"]))
    (root,) = raw([log["root"]])
    proof = raw(entry["proof"])
    verify_inclusion(leaf, entry["index"], log["size"], proof, root)
    for wrong in ((leaf, entry["index"] + 1), (bytes(32), entry["index"])):
        assert refused(verify_inclusion, *wrong, log["size"], proof, root)
    older = log["consistency"]
    (first,) = raw([older["root1"]])
    verify_consistency(older["size1"], first, log["size"], root, raw(older["proof"]))
    assert refused(verify_consistency, older["size1"] + 1, first, log["size"], root, raw(older["proof"]))


@pytest.mark.parametrize("case", NOTES["notes"])
def test_published_notes_are_opened_or_refused_as_their_makers_say(case: dict[str, Any]) -> None:
    keys = [parse_vkey(NOTES["keys"][name]) for name in case["known"]]
    if case["signers"] is None:
        with pytest.raises(LogError):
            verified_signatures(parse_note(case["note"].encode()), keys)
        return
    found = verified_signatures(parse_note(case["note"].encode()), keys)
    assert [signature.name for signature in found] == case["signers"]


@pytest.mark.parametrize("text", NOTES["badKeys"])
def test_keys_that_others_refuse_are_refused(text: str) -> None:
    with pytest.raises(LogError):
        parse_vkey(text)


@pytest.mark.parametrize("tree", NOTES["trees"], ids=lambda tree: str(tree["size"]))
def test_published_trees_are_read(tree: dict[str, Any]) -> None:
    found = parse_checkpoint(tree["text"])
    assert (found.origin, found.size) == (tree["origin"], tree["size"])
    assert base64.b64encode(found.root).decode() == tree["root"]
    assert found.text == tree["text"]


@pytest.mark.parametrize("text", NOTES["badTrees"])
def test_trees_that_others_refuse_are_refused(text: str) -> None:
    with pytest.raises(LogError):
        parse_checkpoint(text)
