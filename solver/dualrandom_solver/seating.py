"""Which member takes which seat (docs/protocol.md §8.5): seat by seat in order, the member with the smallest rank
who leaves the rest fillable. Equivalently the seat order whose ranks are lexicographically smallest."""

from __future__ import annotations

from itertools import permutations

import numpy as np

from dualrandom_solver.instance import Instance, Ints

ENUMERATED = 4  # crews up to this size are seated together, permutation by permutation


def seat_members(instance: Instance, crews: Ints, chosen: Ints) -> Ints:
    """int64[len(chosen)]: the same candidates, each crew's in seat order.

    ``chosen`` holds the members of the given crews, crew after crew, in any order within a crew. The members
    must be able to fill the seats (a flow or a maximum matching says so).
    """
    sizes = instance.crew_size[crews]
    starts = np.cumsum(sizes) - sizes
    owner = np.repeat(np.arange(len(crews)), sizes)
    by_rank = chosen[np.lexsort((instance.cand_rank[chosen], owner))]
    result = by_rank.copy()
    partial = instance.cand_seats[by_rank] != instance.crew_full[crews][owner]
    special = np.zeros(len(crews), dtype=np.bool_)
    special[owner[partial]] = True
    for size in np.unique(sizes[special]).tolist():
        rows = np.flatnonzero(special & (sizes == size))
        where = starts[rows][:, None] + np.arange(size)
        table = by_rank[where]
        masks = instance.cand_seats[table]
        if size <= ENUMERATED:
            result[where] = np.take_along_axis(table, _first_order(masks, size), axis=1)
        else:
            for row, mask, place in zip(table, masks, where, strict=True):
                result[place] = row[_greedy_order(mask.tolist())]
    return result


def _first_order(masks: np.ndarray, size: int) -> Ints:
    """int64[rows, size]: member (by rank) in each seat; permutations come in lexicographic order."""
    order = np.full((len(masks), size), -1, dtype=np.int64)
    open_rows = np.ones(len(masks), dtype=np.bool_)
    for permutation in permutations(range(size)):
        fits = open_rows.copy()
        for seat, member in enumerate(permutation):
            fits &= (masks[:, member] >> np.uint64(seat)) & np.uint64(1) != 0
        order[fits] = permutation
        open_rows &= ~fits
    if open_rows.any():
        raise AssertionError("members cannot fill their crew")
    return order


def _greedy_order(masks: list[int]) -> list[int]:
    """Member in each seat, by matching: fix seats in order, test that the rest can still be matched."""
    size = len(masks)
    seat_of = [-1] * size  # member -> seat
    member_of = [-1] * size

    def reseat(member: int, barred: int, seen: set[int]) -> bool:
        for seat in range(barred, size):
            if masks[member] >> seat & 1 and seat not in seen:
                seen.add(seat)
                if member_of[seat] < 0 or reseat(member_of[seat], barred, seen):
                    member_of[seat], seat_of[member] = member, seat
                    return True
        return False

    for member in range(size):
        if not reseat(member, 0, set()):
            raise AssertionError("members cannot fill their crew")
    for seat in range(size):
        for member in range(size):
            if seat_of[member] < seat or not masks[member] >> seat & 1:
                continue
            if seat_of[member] == seat:
                break
            old_members, old_seats = member_of.copy(), seat_of.copy()
            moved, free = member_of[seat], seat_of[member]
            member_of[free] = -1
            member_of[seat], seat_of[member] = member, seat
            if reseat(moved, seat + 1, set()):
                break
            member_of[:], seat_of[:] = old_members, old_seats
    return member_of
