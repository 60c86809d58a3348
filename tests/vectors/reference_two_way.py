"""The reference's sizes under two-way control: the steps of docs/protocol.md §6.2, one after the other, without haste."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

Json = Any
Place = tuple[int, str]
"""A row or column: (0, id), or (1, "slack"), which is behind all."""


def two_way(strata: list[Json], ticket: Callable[[int], int]) -> dict[str, int]:
    """Return n of every stratum id; `ticket(k)` is the number of step k."""
    table: dict[tuple[Place, Place], Fraction] = {}
    place = {}
    for stratum in strata:
        group, name = stratum["group"], stratum["id"]
        assert name[: len(group) + 1] == f"{group}."
        place[name] = (0, group), (0, name[len(group) + 1 :])
    rows = sorted({row for row, _ in place.values()})
    columns = sorted({column for _, column in place.values()})
    for row in rows:
        for column in columns:
            table[row, column] = Fraction(0)
    for stratum in strata:  # 1
        expected = Fraction(stratum["expected"])
        table[place[stratum["id"]]] = expected - expected.numerator // expected.denominator
    slack: Place = (1, "slack")
    inner = dict(table)
    for row in rows:  # 2
        table[row, slack] = mod1(-sum((f for (r, _), f in inner.items() if r == row), Fraction(0)))
    for column in columns:
        table[slack, column] = mod1(-sum((f for (_, c), f in inner.items() if c == column), Fraction(0)))
    table[slack, slack] = mod1(sum(inner.values(), Fraction(0)))
    k = 0
    while any(f.denominator > 1 for f in table.values()):  # 3
        cycle = walk(table, [*rows, slack], [*columns, slack])
        odd = [cell for i, cell in enumerate(cycle, 1) if i % 2 == 1]
        even = [cell for i, cell in enumerate(cycle, 1) if i % 2 == 0]
        assert len(odd) == len(even) >= 2
        up = min([1 - table[cell] for cell in odd] + [table[cell] for cell in even])
        down = min([table[cell] for cell in odd] + [1 - table[cell] for cell in even])
        move = up if ticket(k) * (up + down) < down * 2**256 else -down
        for cell in odd:
            table[cell] += move
        for cell in even:
            table[cell] -= move
        k += 1
    return {  # 4
        s["id"]: int(
            Fraction(s["expected"]).numerator // Fraction(s["expected"]).denominator + table[place[s["id"]]]
        )
        for s in strata
    }


def walk(
    table: dict[tuple[Place, Place], Fraction], rows: list[Place], columns: list[Place]
) -> list[tuple[Place, Place]]:
    """Return the cells of the cycle."""
    broken = [(r, c) for r in rows for c in columns if table[r, c].denominator > 1]
    row = broken[0][0]
    been: list[tuple[str, Place]] = [("row", row)]
    passed: list[tuple[Place, Place]] = []
    from_column: Place | None = None
    while True:
        column = next(c for r, c in broken if r == row and c != from_column)
        passed.append((row, column))
        if ("column", column) in been:
            return passed[been.index(("column", column)) :]
        been.append(("column", column))
        from_row = row
        row = min((r for r, c in broken if c == column and r != from_row), key=rows.index)
        passed.append((row, column))
        if ("row", row) in been:
            return passed[been.index(("row", row)) :]
        been.append(("row", row))
        from_column = column


def mod1(x: Fraction) -> Fraction:
    return x - x.numerator // x.denominator
