"""Two-way control: every cell, row, column and the total rounded down or up, each without bias (docs/protocol.md §6.2)."""

from __future__ import annotations

import hashlib
import os
import random
from collections import defaultdict
from collections.abc import Callable, Mapping
from fractions import Fraction
from math import ceil, floor, sqrt

import pytest

from dualrandom.controlled_rounding import TICKET_RANGE, controlled_sizes, two_way_sizes
from dualrandom.errors import DualRandomError
from dualrandom.quota import Stratum
from dualrandom.ticket import Tickets
from dualrandom.verify import announcement as announced
from dualrandom.verify import two_way

DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
TABLES = 10_000 if DEEP else 200
UNBIASED_TABLES, SEEDS = (20, 2_000) if DEEP else (3, 400)

Table = dict[tuple[str, str], Fraction]


def uniform(name: str) -> Callable[[int], int]:
    return lambda step: int.from_bytes(hashlib.sha256(f"{name}:{step}".encode()).digest(), "big")


def random_table(dice: random.Random) -> Table:
    """From one cell to 6 × 9, with absent cells, whole cells, whole margins and awkward denominators."""
    rows, columns = dice.randint(1, 6), dice.randint(1, 9)
    kind = dice.choice(("any", "halves", "primes", "small"))
    denominators = {"any": range(1, 40), "halves": (2,), "primes": (7, 11, 13), "small": (1, 2, 3, 4)}[kind]
    table: Table = {}
    for row in range(rows):
        for column in range(columns):
            if dice.random() < 0.15:
                continue
            below = dice.choice(denominators)
            table[f"r{row}", f"c{column}"] = Fraction(dice.randint(0, 5 * below), below)
    return table


def margins(table: Mapping[tuple[str, str], Fraction | int]) -> dict[tuple[str, str], Fraction]:
    """Every sum that is controlled, by its name."""
    sums: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for (row, column), value in table.items():
        for name in ((row, column), (row, "*"), ("*", column), ("*", "*")):
            sums[name] += value
    return sums


def test_every_cell_row_column_and_the_total_is_rounded_down_or_up() -> None:
    dice = random.Random(1)
    for number in range(TABLES):
        table = random_table(dice)
        sizes = controlled_sizes(table, uniform(f"table {number}"))
        assert sizes.keys() == table.keys()
        rounded = margins(sizes)
        for name, exact in margins(table).items():
            assert floor(exact) <= rounded[name] <= ceil(exact), (number, name)


def test_the_mean_of_every_cell_and_margin_is_its_exact_value() -> None:
    dice = random.Random(2)
    for number in range(UNBIASED_TABLES):
        table = random_table(dice)
        total: dict[tuple[str, str], Fraction] = defaultdict(Fraction)
        for seed in range(SEEDS):
            for name, size in margins(controlled_sizes(table, uniform(f"mean {number} {seed}"))).items():
                total[name] += size
        for name, exact in margins(table).items():
            up = exact - floor(exact)
            # a rounding is a coin of probability ``up``; 5 standard deviations for some thousand sums in all
            band = 5 * sqrt(float(up * (1 - up)) * SEEDS)
            assert abs(float(total[name] - exact * SEEDS)) <= band, (number, name)


def test_the_order_of_rows_and_columns_changes_nothing() -> None:
    dice = random.Random(3)
    for number in range(30):
        table = random_table(dice)
        cells = list(table.items())
        dice.shuffle(cells)
        again = controlled_sizes(dict(cells), uniform(f"order {number}"))
        assert again == controlled_sizes(table, uniform(f"order {number}"))


def test_each_step_is_decided_by_its_own_ticket_in_order() -> None:
    asked: list[int] = []

    def ticket(step: int) -> int:
        asked.append(step)
        return step * TICKET_RANGE // 7 % TICKET_RANGE

    controlled_sizes({(r, c): Fraction(1, 3) for r in "ab" for c in "xyz"}, ticket)
    assert asked == list(range(len(asked)))
    assert asked


HALVES: Table = {(r, c): Fraction(1, 2) for r in "ab" for c in "xy"}


@pytest.mark.parametrize(
    ("ticket", "expected"),
    [
        (0, {("a", "x"): 1, ("a", "y"): 0, ("b", "x"): 0, ("b", "y"): 1}),
        (TICKET_RANGE // 2 - 1, {("a", "x"): 1, ("a", "y"): 0, ("b", "x"): 0, ("b", "y"): 1}),
        (TICKET_RANGE // 2, {("a", "x"): 0, ("a", "y"): 1, ("b", "x"): 1, ("b", "y"): 0}),
    ],
)
def test_a_square_of_halves_is_rounded_as_by_hand(ticket: int, expected: dict[tuple[str, str], int]) -> None:
    # all margins are whole, so one cycle over the four cells settles everything; its first cell rises
    assert controlled_sizes(HALVES, lambda _: ticket) == expected


def test_a_single_cell_is_a_coin_with_its_own_fraction() -> None:
    third = {("a", "x"): Fraction(7, 3)}
    below = -(-TICKET_RANGE // 3) - 1
    assert controlled_sizes(third, lambda _: below) == {("a", "x"): 3}
    assert controlled_sizes(third, lambda _: below + 1) == {("a", "x"): 2}


def test_the_worked_example_of_the_manual_comes_out() -> None:
    # docs/sampling.md: two classes, three districts
    values = {
        ("C", "d1"): "3/2", ("C", "d2"): "6/5", ("C", "d3"): "3/10",
        ("D", "d1"): "1/2", ("D", "d2"): "4/5", ("D", "d3"): "7/10",
    }  # fmt: skip
    table = {cell: Fraction(value) for cell, value in values.items()}
    strata = [Stratum(f"{r}.{c}", r, 10, value) for (r, c), value in table.items()]
    tickets = Tickets("00" * 32)
    assert two_way_sizes("t01", strata, tickets) == {
        "C.d1": 2, "C.d2": 1, "C.d3": 0, "D.d1": 0, "D.d2": 1, "D.d3": 1,
    }  # fmt: skip
    assert two_way_sizes("t01", strata[::-1], tickets) == two_way_sizes("t01", strata, tickets)


def by_the_text(table: Table, uniform: Callable[[int], int]) -> dict[tuple[str, str], int]:
    """The steps of docs/protocol.md §6.2 word by word, with searches and fractions instead of bookkeeping."""
    rows = [*sorted({row for row, _ in table}), "~slack"]
    columns = [*sorted({column for _, column in table}), "~slack"]
    part = {(r, c): table.get((r, c), Fraction(0)) % 1 for r in rows[:-1] for c in columns[:-1]}
    sums = {name: total % 1 for name, total in margins(table).items()}
    part |= {(r, "~slack"): -sums[r, "*"] % 1 for r in rows[:-1]}
    part |= {("~slack", c): -sums["*", c] % 1 for c in columns[:-1]}
    part["~slack", "~slack"] = sums["*", "*"] if table else Fraction(0)
    step = 0
    while any(0 < value < 1 for value in part.values()):
        row = next(r for r in rows if any(0 < part[r, c] < 1 for c in columns))
        visited, last = [("row", row)], ("column", "")
        walk: list[tuple[str, str]] = []
        there = visited[0]
        while not walk or there not in visited:
            if walk:
                visited.append(there)
            kind, here = visited[-1]
            if kind == "row":
                there = "column", next(c for c in columns if 0 < part[here, c] < 1 and ("column", c) != last)
                walk.append((here, there[1]))
            else:
                there = "row", next(r for r in rows if 0 < part[r, here] < 1 and ("row", r) != last)
                walk.append((there[1], here))
            last = visited[-1]
        cycle = walk[visited.index(there) :]
        odd, even = cycle[0::2], cycle[1::2]
        up = min([1 - part[cell] for cell in odd] + [part[cell] for cell in even])
        down = min([part[cell] for cell in odd] + [1 - part[cell] for cell in even])
        change = up if Fraction(uniform(step), TICKET_RANGE) < down / (up + down) else -down
        for cell in odd:
            part[cell] += change
        for cell in even:
            part[cell] -= change
        step += 1
    return {cell: floor(value) + int(part[cell]) for cell, value in table.items()}


def test_a_second_implementation_from_the_text_agrees() -> None:
    dice = random.Random(4)
    for number in range(TABLES // 5):
        table = random_table(dice)
        tickets = uniform(f"text {number}")
        assert controlled_sizes(table, tickets) == by_the_text(table, tickets)


def test_the_verifier_reads_the_text_in_the_same_way() -> None:
    dice = random.Random(5)
    for number in range(TABLES):
        table = random_table(dice)
        strata = [announced.Stratum(f"{r}.{c}", r, value, 100) for (r, c), value in table.items()]
        dice.shuffle(strata)
        sizes = controlled_sizes(table, uniform(f"verifier {number}"))
        expected = {f"{r}.{c}": size for (r, c), size in sizes.items()}
        assert two_way.two_way_sizes(strata, uniform(f"verifier {number}")) == expected


def test_groups_and_columns_with_dots_are_told_apart_by_the_group() -> None:
    assert two_way.column_of(announced.Stratum("a.b.c", "a", Fraction(0), 0)) == "b.c"
    assert two_way.column_of(announced.Stratum("a.b.c", "a.b", Fraction(0), 0)) == "c"
    for stratum, group in (
        ("a.b", "b"),
        ("a", "a"),
        ("a.", "a"),
        ("a..b", "a"),
        ("aXb", "a"),
        ("axb.c", "a.b"),
    ):
        assert two_way.column_of(announced.Stratum(stratum, group, Fraction(0), 0)) is None


def test_an_empty_table_has_no_sizes() -> None:
    assert controlled_sizes({}, lambda _: 0) == {}


@pytest.mark.parametrize("stratum", ["A", "A.", "B.d1"])
def test_a_stratum_that_is_not_group_and_column_is_refused(stratum: str) -> None:
    with pytest.raises(DualRandomError) as caught:
        two_way_sizes("t1", [Stratum(stratum, "A", 3, Fraction(1, 2))], Tickets("00" * 32))
    assert caught.value.code == "not-two-way"
