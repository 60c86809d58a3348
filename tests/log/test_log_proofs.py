"""Merkle proofs: the literal RFC 6962 as oracle, vectors named for their lies, and every change refused."""

import base64
import json
import os
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualrandom.log.errors import LogError
from dualrandom.log.merkle import (
    EMPTY_ROOT,
    consistency_proof,
    inclusion_proof,
    nodes_of,
    root,
    verify_consistency,
    verify_inclusion,
)

VECTORS = Path(__file__).resolve().parent / "vectors"
LARGEST = 300
STEP = 1 if os.environ.get("DUALRANDOM_DEEP") == "1" else 7
# Roots of the first n of Certificate Transparency's well-known test entries (RFC 6962 reference implementations).
CT_ENTRIES = [bytes.fromhex(t) for t in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657")]
CT_ENTRIES.append(bytes.fromhex("606162636465666768696a6b6c6d6e6f"))
CT_ROOTS = (
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
)


def refuses(check: Any, *arguments: Any) -> bool:
    try:
        check(*arguments)
    except LogError:
        return True
    return False


def test_roots_are_those_of_other_implementations(rfc6962: ModuleType) -> None:
    for size, expected in enumerate(CT_ROOTS, 1):
        leaves = [rfc6962.leaf(entry) for entry in CT_ENTRIES[:size]]
        assert root(size, nodes_of(leaves)).hex() == expected
    assert root(0, nodes_of([])) == EMPTY_ROOT


def test_the_committed_vectors_are_what_their_program_writes(rfc6962: ModuleType) -> None:
    committed = {
        path.relative_to(VECTORS).as_posix(): path.read_text("utf-8") for path in VECTORS.rglob("*.json")
    }
    assert committed == rfc6962.vectors()


@pytest.mark.parametrize("folder", sorted((VECTORS / "inclusion").iterdir()), ids=lambda path: path.name)
def test_inclusion_vectors(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        case = json.loads(path.read_text("utf-8"))
        refused = refuses(
            verify_inclusion,
            base64.b64decode(case["leaf"]),
            case["index"],
            case["size"],
            [base64.b64decode(value) for value in case["proof"]],
            base64.b64decode(case["root"]),
        )
        assert refused == case["wantErr"], path.name


@pytest.mark.parametrize("folder", sorted((VECTORS / "consistency").iterdir()), ids=lambda path: path.name)
def test_consistency_vectors(folder: Path) -> None:
    for path in sorted(folder.iterdir()):
        case = json.loads(path.read_text("utf-8"))
        refused = refuses(
            verify_consistency,
            case["old"],
            base64.b64decode(case["oldRoot"]),
            case["size"],
            base64.b64decode(case["root"]),
            [base64.b64decode(value) for value in case["proof"]],
        )
        assert refused == case["wantErr"], path.name


def test_every_inclusion_proof_of_every_tree_up_to_300_verifies(rfc6962: ModuleType) -> None:
    leaves = [rfc6962.leaf(entry) for entry in rfc6962.entries_of(LARGEST)]
    for size in {*range(1, LARGEST + 1, STEP), 1, 2, 255, 256, 257, LARGEST}:
        node = nodes_of(leaves[:size])
        top = root(size, node)
        for index in range(size):
            verify_inclusion(leaves[index], index, size, inclusion_proof(index, size, node), top)


def test_every_consistency_proof_between_trees_up_to_300_verifies(rfc6962: ModuleType) -> None:
    leaves = [rfc6962.leaf(entry) for entry in rfc6962.entries_of(LARGEST)]
    roots = [root(size, nodes_of(leaves[:size])) for size in range(LARGEST + 1)]
    for size in {*range(0, LARGEST + 1, STEP), 1, 2, 255, 256, 257, LARGEST}:
        node = nodes_of(leaves[:size])
        for old in range(size + 1):
            verify_consistency(old, roots[old], size, roots[size], consistency_proof(old, size, node))


@given(st.data())
def test_proofs_are_those_of_the_literal_rfc(rfc6962: ModuleType, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 70))
    number = data.draw(st.integers(0, size - 1))
    entries = rfc6962.entries_of(size)
    node = nodes_of([rfc6962.leaf(entry) for entry in entries])
    assert root(size, node) == rfc6962.mth(entries)
    assert list(inclusion_proof(number, size, node)) == rfc6962.path(number, entries)
    if number:
        assert list(consistency_proof(number, size, node)) == rfc6962.proof(number, entries)


def changed(data: st.DataObject, proof: Sequence[bytes]) -> list[bytes]:
    """One change of a proof: a bit, a hash more, less, doubled or exchanged."""
    hashes = list(proof)
    place = data.draw(st.integers(0, max(0, len(hashes) - 1)))
    kinds = ["insert"] + (["flip", "remove", "double"] if hashes else [])
    kind = data.draw(st.sampled_from(kinds))
    if kind == "insert":
        hashes.insert(data.draw(st.integers(0, len(hashes))), data.draw(st.binary(min_size=32, max_size=32)))
    elif kind == "flip":
        bit = data.draw(st.integers(0, 255))
        hashes[place] = (int.from_bytes(hashes[place], "big") ^ 1 << bit).to_bytes(32, "big")
    elif kind == "remove":
        del hashes[place]
    else:
        hashes.insert(place, hashes[place])
    return hashes


@given(st.data())
def test_every_changed_inclusion_proof_is_refused(rfc6962: ModuleType, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, LARGEST))
    index = data.draw(st.integers(0, size - 1))
    leaves = [rfc6962.leaf(b"%d" % number) for number in range(size)]
    node = nodes_of(leaves)
    proof, top = inclusion_proof(index, size, node), root(size, node)
    assert refuses(verify_inclusion, leaves[index], index, size, changed(data, proof), top)
    other = data.draw(st.integers(-2, LARGEST + 2).filter(lambda number: number != index))
    assert refuses(verify_inclusion, leaves[index], other, size, proof, top)
    assert refuses(verify_inclusion, rfc6962.leaf(b"x"), index, size, proof, top)
    assert refuses(verify_inclusion, leaves[index], index, size, proof, rfc6962.leaf(b"x"))


@given(st.data())
def test_every_changed_consistency_proof_is_refused(rfc6962: ModuleType, data: st.DataObject) -> None:
    size = data.draw(st.integers(1, LARGEST))
    old = data.draw(st.integers(0, size))
    leaves = [rfc6962.leaf(b"%d" % number) for number in range(size)]
    node = nodes_of(leaves)
    proof, top = consistency_proof(old, size, node), root(size, node)
    old_root = root(old, nodes_of(leaves[:old]))
    assert refuses(verify_consistency, old, old_root, size, top, changed(data, proof))
    assert refuses(verify_consistency, old, rfc6962.leaf(b"x"), size, top, proof)
    if old > 0:
        assert refuses(verify_consistency, old, old_root, size, rfc6962.leaf(b"x"), proof)
        wrong = data.draw(st.integers(-2, LARGEST + 2).filter(lambda number: number not in {0, old}))
        assert refuses(verify_consistency, wrong, old_root, size, top, proof)


def test_a_proof_beyond_the_tree_is_not_made() -> None:
    for make in (inclusion_proof, consistency_proof):
        for number in (-1, 4):
            with pytest.raises(LogError) as refused:
                make(number, 3, nodes_of([b"x" * 32] * 3))
            assert refused.value.code == "proof-out-of-range"
