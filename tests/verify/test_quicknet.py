"""drand's quicknet: rounds that were published, and altered ones (public randomness; values are facts)."""

from datetime import UTC, datetime

import pytest

from dualrandom.verify.seed_beacon import QUICKNET, drand_time, verify_quicknet

ROUNDS = {
    1000: "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
    1001: "b33bf3667cbd5a82de3a24b4e0e9fe5513cc1a0e840368c6e31f5fcfa79bea03f73896b25883abf2853d10337fb8fa41",
}
IDENTITY_G1 = "c0" + "00" * 47
IDENTITY_G2 = "c0" + "00" * 95


@pytest.mark.parametrize(("number", "signature"), ROUNDS.items())
def test_a_published_round_verifies(number: int, signature: str) -> None:
    assert verify_quicknet(number, bytes.fromhex(signature))


def test_the_signature_of_another_round_is_refused() -> None:
    assert not verify_quicknet(1001, bytes.fromhex(ROUNDS[1000]))
    assert not verify_quicknet(1000, bytes.fromhex(ROUNDS[1001]))


@pytest.mark.parametrize("bit", [0, 3, 100, 383])
def test_a_changed_bit_is_refused(bit: int) -> None:
    changed = int(ROUNDS[1000], 16) ^ (1 << bit)
    assert not verify_quicknet(1000, changed.to_bytes(48, "big"))


def test_identity_points_are_refused() -> None:
    assert not verify_quicknet(1000, bytes.fromhex(IDENTITY_G1))
    assert not verify_quicknet(1000, bytes.fromhex(IDENTITY_G1), bytes.fromhex(IDENTITY_G2))


@pytest.mark.parametrize("signature", [b"", b"\x80" * 47, bytes.fromhex(ROUNDS[1000]) + b"\x00"])
def test_a_signature_of_another_length_is_refused(signature: bytes) -> None:
    assert not verify_quicknet(1000, signature)


@pytest.mark.parametrize(
    ("number", "time"), [("1", 1692803367), ("1000", 1692806364), ("32398885", 1790000019)]
)
def test_rounds_are_due_when_the_chain_says(number: str, time: int) -> None:
    assert drand_time(QUICKNET, number) == datetime.fromtimestamp(time, UTC)


@pytest.mark.parametrize(
    "number", ["0", "01", "+1", "1.0", "x", "18446744073709551616", "99999999999999999999", "\u0661"]
)
def test_what_is_no_round_has_no_time(number: str) -> None:
    assert drand_time(QUICKNET, number) is None


def test_an_unknown_chain_has_no_rounds() -> None:
    assert drand_time("ab" * 32, "1") is None
