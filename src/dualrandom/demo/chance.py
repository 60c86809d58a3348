"""Reproducible pseudo-random numbers for invented data: functions of a name, not of any library's version."""

import hashlib
import struct
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import Generic, TypeVar

Value = TypeVar("Value")

_WORDS = struct.Struct(">16I")


class Dice:
    """32-bit numbers that follow from a name."""

    __slots__ = ("_digest", "_numbers")

    def __init__(self, name: str) -> None:
        self._digest = hashlib.sha512(name.encode()).digest()
        self._numbers: list[int] = list(_WORDS.unpack(self._digest))

    def roll(self, sides: int) -> int:
        """The next number, 0 ≤ number < `sides` (at most 2^32)."""
        if not self._numbers:
            self._digest = hashlib.sha512(self._digest).digest()
            self._numbers = list(_WORDS.unpack(self._digest))
        return (self._numbers.pop() * sides) >> 32

    def chance(self, per_thousand: int) -> bool:
        """Whether something of this probability happens."""
        return self.roll(1000) < per_thousand

    def one_of(self, values: Sequence[Value]) -> Value:
        """One of the values, all equally likely. Raises `IndexError` if there is none."""
        return values[self.roll(len(values))]

    def some_of(self, values: Iterable[Value], count: int) -> list[Value]:
        """`count` different values (all, if there are fewer), in the order in which they came out."""
        left = list(values)
        return [left.pop(self.roll(len(left))) for _ in range(min(count, len(left)))]


class Wheel(Generic[Value]):
    """Values with weights, of which a roll picks one."""

    __slots__ = ("_bounds", "values")

    def __init__(self, weighted: Iterable[tuple[Value, float]]) -> None:
        pairs = [(value, round(weight * 1000)) for value, weight in weighted]
        self.values = [value for value, _ in pairs]
        self._bounds = list(accumulate(weight for _, weight in pairs))

    def pick(self, dice: Dice) -> Value:
        """One of the values, with a probability in proportion to its weight."""
        return self.values[bisect_right(self._bounds, dice.roll(self._bounds[-1]))]
