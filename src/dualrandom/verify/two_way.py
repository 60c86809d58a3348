"""Sample sizes of a task with control in two ways, replayed from the tickets (docs/protocol.md §6.2)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from math import floor, lcm

from dualrandom.verify.announcement import Announcement, Stratum
from dualrandom.verify.rules import Strata
from dualrandom.verify.schema import ID

WHOLE_RANGE = 2**256


def column_of(stratum: Stratum) -> str | None:
    """Return the column of a stratum id that is group.column, or None for any other id."""
    found = re.fullmatch(f"{re.escape(stratum.group)}[.]({ID})", stratum.id)
    return None if found is None else found[1]


def misnamed(announcement: Announcement, strata: Strata) -> Iterator[tuple[str, str]]:
    """Yield which strata of tasks with two-way control are not named by group and column (§3)."""
    for task in announcement.tasks.values():
        if task.control != "two-way":
            continue
        for stratum in strata.get(task.id, ()):
            if column_of(stratum) is None:
                yield (
                    f"任务 {task.id} 为双向控制，层 {stratum.id} 应为“{stratum.group}.列”",
                    f"task {task.id} has two-way control: stratum {stratum.id} should be {stratum.group}.column",
                )


def two_way_sizes(strata: Sequence[Stratum], ticket: Callable[[int], int]) -> dict[str, int]:
    """Return n_h by stratum id; ``ticket(k)`` is the number of step k. Every id must be group.column."""
    columns = {stratum.id: column_of(stratum) or "" for stratum in strata}
    # Nodes of the walk: rows 0..R with the slack row R, then columns with the slack column last.
    rows = {group: i for i, group in enumerate(sorted({stratum.group for stratum in strata}))}
    slack_row = len(rows)
    nodes = {column: slack_row + 1 + i for i, column in enumerate(sorted(set(columns.values())))}
    slack_column = slack_row + 1 + len(nodes)
    # All cells over one denominator: fractions would reduce at every step, which awkward ratios make slow.
    whole = lcm(*(stratum.expected.denominator for stratum in strata))
    # Of each row and column the cells that are not whole, by their other end: a cell stands in both.
    links: list[dict[int, int]] = [{} for _ in range(slack_column + 1)]

    def put(row: int, column: int, value: int) -> None:
        for here, there in ((row, column), (column, row)):
            if value in (0, whole):
                links[here].pop(there, None)
            else:
                links[here][there] = value

    place = {stratum.id: (rows[stratum.group], nodes[columns[stratum.id]]) for stratum in strata}
    for stratum in strata:
        numerator = stratum.expected.numerator * (whole // stratum.expected.denominator)
        put(*place[stratum.id], numerator % whole)
    total = sum(sum(links[row].values()) for row in range(slack_row))
    for row in range(slack_row):
        put(row, slack_column, -sum(links[row].values()) % whole)
    for column in nodes.values():
        put(slack_row, column, -sum(links[column].values()) % whole)
    put(slack_row, slack_column, total % whole)

    raised = {stratum.id: 0 for stratum in strata}
    names = {cell: name for name, cell in place.items()}
    step = 0
    while (start := next((row for row in range(slack_row + 1) if links[row]), None)) is not None:
        cycle = _cycle(links, start)
        ends = [(min(cell), max(cell)) for cell in cycle]
        values = [links[row][column] for row, column in ends]
        rising, falling = values[0::2], values[1::2]
        up = min(*(whole - value for value in rising), *falling)
        down = min(*rising, *(whole - value for value in falling))
        change = up if ticket(step) * (up + down) < down * WHOLE_RANGE else -down
        for i, cell in enumerate(ends):
            moved = values[i] + (change if i % 2 == 0 else -change)
            put(*cell, moved)
            if moved == whole and cell in names:
                raised[names[cell]] = 1
        step += 1
    return {stratum.id: floor(stratum.expected) + raised[stratum.id] for stratum in strata}


def _cycle(links: Sequence[dict[int, int]], start: int) -> list[tuple[int, int]]:
    """Walk from a row along cells that are not whole; return the cells of the cycle it runs into, in walking order."""
    path = [start]
    came_from = -1
    while True:
        here = path[-1]
        there = min(node for node in links[here] if node != came_from)
        came_from = here
        if there in path:
            path = [*path[path.index(there) :], there]
            return list(pairwise(path))
        path.append(there)
