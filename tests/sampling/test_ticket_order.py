"""The order of tickets, where they agree in their first bits or wholly (docs/protocol.md §5)."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualrandom.sample import ranking

PARTS = st.sampled_from([b"\x00", b"\x01", b"\x7f", b"\x80", b"\xff"])
TICKETS = st.builds(lambda head, tail: head * 8 + b"\x55" * 16 + tail * 8, PARTS, PARTS)


@given(st.lists(TICKETS, max_size=40))
def test_the_whole_ticket_decides_and_then_the_smaller_id(tickets: list[bytes]) -> None:
    ids = [f"e{number:02d}" for number in range(len(tickets))]
    ranked = ranking(ids, tickets, np.zeros(len(ids), dtype=np.int64), 1)
    expected = sorted(range(len(ids)), key=lambda position: (tickets[position], ids[position]))
    assert ranked.order.tolist() == expected


@pytest.mark.parametrize("byte", [0, 7, 8, 31])
def test_each_byte_of_a_ticket_counts(byte: int) -> None:
    high = bytes(byte) + b"\x02" + bytes(31 - byte)
    low = bytes(byte) + b"\x01" + bytes(31 - byte)
    ranked = ranking(["a", "b"], [high, low], np.zeros(2, dtype=np.int64), 1)
    assert ranked.order.tolist() == [1, 0]
