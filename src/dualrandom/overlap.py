"""How close a draw came to the fewest visits possible, from the figures in statistics.json (docs/protocol.md §10)."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any


def closeness(overlap: Mapping[str, Any]) -> Fraction | None:
    """Return (independent − visited) / (independent − least_possible); None where tasks have no firm in common.

    ``overlap`` is that of ``statistics.json``. 1 is what no way of drawing beats on average; one draw may lie above.

    >>> closeness({"alone": 9, "independent": "8.000000", "least_possible": "4.000000", "visited": 5})
    Fraction(3, 4)
    """
    independent, least = Fraction(overlap["independent"]), Fraction(overlap["least_possible"])
    if independent == least:
        return None
    return (independent - int(overlap["visited"])) / (independent - least)
