"""Two-way control of sample sizes: unbiased controlled rounding of a table (docs/protocol.md §6.2, docs/sampling.md).

One-way sizes (§6.1) keep every stratum, every group and the task at its expectation rounded down or up. With two ways
the totals of *both* margins, for instance of every credit class and of every district, are held as well. The table of fractional parts
gets a slack row and a slack column that make all margins whole; then a cycle of cells is moved up and down by turns, one way or the
other at random, until no cell has a fraction left (Causey, Cox and Ernst 1985; Cox 1987, "A constructive procedure for unbiased
controlled rounding", JASA 82, 520-524). Each step keeps the expectation of every cell, so the whole is unbiased. Exact integers only.
"""

from __future__ import annotations

from bisect import insort
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from fractions import Fraction
from math import floor, lcm

from dualrandom.errors import DualRandomError
from dualrandom.quota import Stratum
from dualrandom.ticket import Tickets

TICKET_RANGE = 2**256

Cell = tuple[str, str]
"""Row id and column id."""


def controlled_sizes(cells: Mapping[Cell, Fraction], uniform: Callable[[int], int]) -> dict[Cell, int]:
    """Round a table so that every cell, row, column and the total is its exact value rounded down or up.

    ``cells``: expectations ≥ 0 by (row, column); what is absent is zero and stays zero. ``uniform(k)`` is the ticket of step
    k = 0, 1, …, an integer in [0, 2^256), asked once each and in order. The expectation of each result over the tickets is its cell, to 2^-256
    a step. The order of ``cells`` plays no part.
    """
    scale = lcm(*(value.denominator for value in cells.values()))
    table = _Fractions(cells, scale)
    step = 0
    while (cycle := table.cycle()) is not None:
        table.move(cycle, uniform(step))
        step += 1
    return {cell: floor(value) + table.rounded_up(cell) for cell, value in cells.items()}


def two_way_sizes(task: str, strata: Sequence[Stratum], tickets: Tickets) -> dict[str, int]:
    """Return n_h for each stratum id of a task under two-way control: rows are groups, columns the rest of the stratum ids.

    Raises DualRandomError ``not-two-way`` for a stratum whose id is not its group, a dot and a column.
    """
    cell_of = {stratum.id: _cell(task, stratum) for stratum in strata}
    sizes = controlled_sizes(
        {cell_of[stratum.id]: stratum.expected for stratum in strata},
        lambda step: tickets.number("control", f"{task}:{step}"),
    )
    return {stratum.id: sizes[cell_of[stratum.id]] for stratum in strata}


def _cell(task: str, stratum: Stratum) -> Cell:
    column = stratum.id.removeprefix(f"{stratum.group}.")
    if column in (stratum.id, ""):
        raise DualRandomError(
            code="not-two-way",
            value=stratum.id,
            message={
                "zh": f"任务 {task} 采用双向控制，但层 {stratum.id} 不是“组.列”的形式（组为 {stratum.group}）",
                "en": f"task {task} has two-way control, but stratum {stratum.id} is not group.column (group {stratum.group})",
            },
            remedy={
                "zh": '双向控制须按两项分层并按第一项分组：strata_by = ["class", "district"]，group_by = "class"。',
                "en": 'Two-way control needs strata by two marks, grouped by the first: strata_by = ["class", "district"], group_by = "class".',
            },
        )
    return stratum.group, column


Node = tuple[int, str]
"""A row or a column of the table: (0, id), or (1, "") for the slack one, which so comes last."""
_SLACK: Node = (1, "")


class _Fractions:
    """The fractional cells of the table with its slack row and column, as numerators over one denominator.

    ``columns_of`` and ``rows_of`` hold, ascending, where a row or column still has fractions: none, or at least two, because its sum
    is whole.
    """

    def __init__(self, cells: Mapping[Cell, Fraction], scale: int) -> None:
        self.scale = scale
        self.value: dict[tuple[Node, Node], int] = {}
        row_sum: dict[Node, int] = defaultdict(int)
        column_sum: dict[Node, int] = defaultdict(int)
        for (row, column), expected in cells.items():
            numerator = int(expected * scale) % scale
            self.value[(0, row), (0, column)] = numerator
            row_sum[0, row] += numerator
            column_sum[0, column] += numerator
        for row_node, numerator in row_sum.items():
            self.value[row_node, _SLACK] = -numerator % scale
        for column_node, numerator in column_sum.items():
            self.value[_SLACK, column_node] = -numerator % scale
        self.value[_SLACK, _SLACK] = sum(row_sum.values()) % scale
        self.columns_of: dict[Node, list[Node]] = defaultdict(list)
        self.rows_of: dict[Node, list[Node]] = defaultdict(list)
        for (row_node, column_node), numerator in self.value.items():
            if numerator:
                insort(self.columns_of[row_node], column_node)
                insort(self.rows_of[column_node], row_node)
        self.open_rows = sorted(self.columns_of)

    def cycle(self) -> list[tuple[Node, Node]] | None:
        """Return the cells of the canonical cycle in walking order, or None when no fraction is left."""
        while self.open_rows and not self.columns_of[self.open_rows[0]]:
            self.open_rows.pop(0)
        if not self.open_rows:
            return None
        here, in_row = self.open_rows[0], True
        came_from: Node | None = None
        first_step = {(True, here): 0}
        walk: list[tuple[Node, Node]] = []
        while True:
            choices = self.columns_of[here] if in_row else self.rows_of[here]
            there = choices[1] if choices[0] == came_from else choices[0]
            walk.append((here, there) if in_row else (there, here))
            came_from, here, in_row = here, there, not in_row
            if (in_row, here) in first_step:
                return walk[first_step[in_row, here] :]
            first_step[in_row, here] = len(walk)

    def move(self, cycle: Sequence[tuple[Node, Node]], ticket: int) -> None:
        """Move the cycle's cells by turns up and down as far as it goes, one way or the other by the ticket."""
        rising = [self.value[cell] for cell in cycle[0::2]]
        falling = [self.value[cell] for cell in cycle[1::2]]
        forth = min(self.scale - max(rising), *falling)
        back = min(*rising, self.scale - max(falling))
        change = forth if ticket * (forth + back) < back * TICKET_RANGE else -back
        for place, cell in enumerate(cycle):
            self.value[cell] += change if place % 2 == 0 else -change
            if self.value[cell] in (0, self.scale):
                row, column = cell
                self.columns_of[row].remove(column)
                self.rows_of[column].remove(row)

    def rounded_up(self, cell: Cell) -> int:
        """Return 1 if the cell's fraction ended at one, else 0."""
        row, column = cell
        return self.value[(0, row), (0, column)] // self.scale
