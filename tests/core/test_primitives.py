"""Canonical JSON, hashing, tickets, seed and beacon: the bytes everything else stands on (docs/protocol.md §1–5)."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from dualrandom.beacon import first_round_at, read_evidence, round_time
from dualrandom.canonical import LARGEST_INTEGER, canonical, parse_canonical
from dualrandom.errors import DualRandomError
from dualrandom.hashing import commitment, leaf_hash, row_salt, seal, suite_digest, tree_root
from dualrandom.seed import commitment_of, seed_statement
from dualrandom.ticket import Tickets, cost_of

ROUNDS = json.loads((Path(__file__).parents[1] / "data" / "drand-quicknet.json").read_text())
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
KEYS = st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=8)
INTEGERS = st.integers(-LARGEST_INTEGER, LARGEST_INTEGER)
VALUES = st.recursive(
    st.none() | st.booleans() | INTEGERS | TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4),
    max_leaves=12,
)


@given(VALUES)
def test_canonical_bytes_are_those_of_rfc_8785(value: Any) -> None:
    data = canonical(value)
    assert data == rfc8785.dumps(value)
    assert parse_canonical(data, "value") == value


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":1}',
        b'{"b":1,"a":1}',
        b'{"a": 1}',
        b'{"a":1}\n',
        b'{"a":1.0}',
        b'{"a":1e3}',
        b'{"a":9007199254740992}',
        b'{"a":NaN}',
        b'{"a":01}',
        b'{"a":"\\u0041"}',
        b'{"a":"\\ud800"}',
        b'\xef\xbb\xbf{"a":1}',
        b'{"a":"\xff"}',
        b"[" * 100_000,
        b"",
    ],
)
def test_bytes_that_are_not_canonical_are_refused(data: bytes) -> None:
    with pytest.raises(DualRandomError) as refused:
        parse_canonical(data, "document")
    assert refused.value.code == "not-canonical"


def split_root(leaves: list[bytes]) -> bytes:
    """RFC 6962 §2.1 as it is written: split at the largest power of two below n."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1
    while k * 2 < len(leaves):
        k *= 2
    return hashlib.sha256(b"\x01" + split_root(leaves[:k]) + split_root(leaves[k:])).digest()


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 6, 7, 8, 9, 13, 31, 32, 33, 100])
def test_the_tree_is_the_one_of_rfc_6962(size: int) -> None:
    leaves = [leaf_hash(str(number).encode()) for number in range(size)]
    assert tree_root(leaves) == split_root(leaves).hex()


def test_the_empty_list_has_the_hash_of_nothing() -> None:
    assert commitment([]) == {"root": hashlib.sha256(b"").hexdigest(), "size": 0}


def test_sm3_is_that_of_the_standard() -> None:
    expected = "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
    assert suite_digest("sm3")(b"abc").hex() == expected
    with pytest.raises(DualRandomError):
        suite_digest("md5")


def test_seals_and_salts_can_be_recomputed_by_hand() -> None:
    salt = row_salt(bytes(32), "a-2026-000001", "frame", "e1")
    assert salt == hmac.new(bytes(32), b"a-2026-000001\nframe\ne1", hashlib.sha256).hexdigest()
    text = f'dualrandom/v1/sealed\n{salt}\n{{"a":1}}'
    assert seal({"a": 1}, salt) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize("suite", ["sha256", "sm3"])
def test_many_tickets_are_the_single_ones(suite: str) -> None:
    tickets = Tickets("ab" * 32, suite)
    names = [f"e{number}" for number in range(5)]
    assert tickets.many("enterprise", names) == [tickets.raw("enterprise", name) for name in names]
    digest = suite_digest(suite)
    assert tickets.raw("pair", "x") == digest(b"ab" * 32 + b":pair:x")
    assert cost_of(tickets.raw("pair", "x")) == tickets.number("pair", "x") >> 216


@pytest.mark.parametrize("valid", ROUNDS["valid"], ids=lambda entry: str(entry["round"]))
def test_real_rounds_of_quicknet_are_accepted(valid: dict[str, Any]) -> None:
    evidence = read_evidence("drand", str(valid["round"]), json.dumps(valid).encode(), "beacon.json")
    assert evidence.randomness == valid["randomness"]


@pytest.mark.parametrize("altered", ROUNDS["invalid"], ids=lambda entry: str(entry["desc"]))
def test_altered_rounds_are_refused(altered: dict[str, Any]) -> None:
    with pytest.raises(DualRandomError) as refused:
        read_evidence("drand", str(altered["round"]), json.dumps(altered).encode(), "beacon.json")
    assert refused.value.code == "beacon-forged"


@pytest.mark.parametrize(
    "signature",
    ["c0" + "00" * 47, "00" * 48, "ff" * 48, ROUNDS["valid"][0]["signature"][:-2] + "00"],
)
def test_the_identity_and_other_false_points_are_refused(signature: str) -> None:
    with pytest.raises(DualRandomError) as refused:
        read_evidence("drand", "1000", json.dumps({"round": 1000, "signature": signature}).encode(), "b")
    assert refused.value.code == "beacon-forged"


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("drand", b"{"),
        ("drand", b"[]"),
        ("drand", json.dumps(ROUNDS["valid"][1]).encode()),
        ("drand", b'{"round":1000}'),
        ("keystring", b'{"keystring":""}'),
        ("keystring", '{"keystring":"彩票"}'.encode()),
    ],
)
def test_a_beacon_file_that_is_not_the_announced_round_is_refused(kind: str, data: bytes) -> None:
    with pytest.raises(DualRandomError) as refused:
        read_evidence(kind, "1000", data, "beacon.json")
    assert refused.value.code == "beacon-file"


@given(st.integers(0, 10**9))
def test_the_first_round_after_a_time_is_not_before_it_and_no_later_than_needed(seconds: int) -> None:
    time = datetime(2023, 8, 24, tzinfo=UTC) + timedelta(seconds=seconds)
    number = first_round_at(time)
    assert round_time(number) >= time > round_time(number - 1)


def test_the_seed_statement_can_be_typed() -> None:
    nonce = "ab" * 32
    commitments = {party: commitment_of("d", party, nonce, suite_digest("sha256")) for party in ("p", "q")}
    announcement = {
        "beacon": {"kind": "local", "source": "none", "round": "0"},
        "contributions": [{"party": party, "commitment": c} for party, c in commitments.items()],
    }
    statement = seed_statement(announcement, "11" * 32, "22" * 32, {"p": nonce})
    assert statement.decode() == (
        f"dualrandom/v1/seed\nannouncement {'11' * 32}\nbeacon local none 0\nrandomness {'22' * 32}\n"
        f"contribution p revealed {nonce}\ncontribution q withheld {commitments['q']}\n"
    )
    assert commitments["p"] == hashlib.sha256(f"dualrandom/v1/nonce\nd p {nonce}\n".encode()).hexdigest()
