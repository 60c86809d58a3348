"""Who can replace whom in a crew (docs/protocol.md §8.7).

q can replace p when q may take a seat whose occupant is p, or whose occupant may move to another seat, and
so on to p. So the members whom a candidate can replace are the occupants of a closed set of seats: all seats
reachable from the seats that the candidate may take. A *group* is a crew with one such set.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dualrandom_solver.dated import DatedPairs
from dualrandom_solver.instance import Instance, Ints, Masks


@dataclass(frozen=True, eq=False)
class Replacements:
    """G groups over the pairs of people outside their crews.

    pair_group      int64[N]: group of each pair, -1 for members
    group_indptr    int64[G+1]; group g may replace the occupants of the seats
    group_seat      group_seat[group_indptr[g]:group_indptr[g+1]], never empty
    group_crew      int64[G]
    """

    pair_group: Ints
    group_indptr: Ints
    group_seat: Ints
    group_crew: Ints


def closed_seats(instance: Instance, members: Ints) -> Masks:
    """uint64[S]: for each occupied seat the seats of its crew reachable from it, itself included."""
    seats = np.flatnonzero(members >= 0)
    crew = instance.seat_crew[seats]
    offset = (seats - instance.seat_indptr[crew]).astype(np.uint64)
    reach = np.zeros(instance.seats, dtype=np.uint64)
    reach[seats] = instance.cand_seats[members[seats]] | (np.uint64(1) << offset)
    partial = np.zeros(instance.crews, dtype=np.bool_)
    partial[crew[reach[seats] != instance.crew_full[crew]]] = True
    work = seats[partial[crew]]
    size = instance.crew_size[instance.seat_crew[work]]
    for middle in range(int(size.max(initial=0))):  # Warshall's closure, all crews at once
        through = work[(middle < size) & ((reach[work] >> np.uint64(middle)) & np.uint64(1) != 0)]
        reach[through] |= reach[instance.seat_indptr[instance.seat_crew[through]] + middle]
    return reach


def replacement_arcs(pairs: DatedPairs, members: Ints) -> Replacements:
    """The replacement relation of a legal plan; members int64[S] as in Plan."""
    instance = pairs.instance
    reach = closed_seats(instance, members)
    seated = members[members >= 0]
    outside = np.ones(len(instance.cand_person), dtype=np.bool_)
    outside[seated] = False
    other = np.flatnonzero(outside[pairs.cand])
    crew = pairs.crew[other]
    full = instance.crew_full[crew]
    closed = pairs.seats[other].copy()
    partial = np.flatnonzero(closed != full)
    part = closed[partial]
    seat0 = instance.seat_indptr[crew[partial]]
    spread = np.zeros(len(partial), dtype=np.uint64)
    for place in range(int(instance.crew_size.max(initial=0))):
        here = np.flatnonzero((part >> np.uint64(place)) & np.uint64(1))
        spread[here] |= reach[seat0[here] + place]
    closed[partial] = spread
    # groups: (crew, all seats) first, then the remaining distinct (crew, set)
    pair_group = np.full(len(pairs.cand), -1, dtype=np.int64)
    whole = closed == full
    whole_crews, whole_group = np.unique(crew[whole], return_inverse=True)
    pair_group[other[whole]] = whole_group
    rest = np.flatnonzero(~whole)
    order = rest[np.lexsort((closed[rest], crew[rest]))]
    begins = np.ones(len(order), dtype=np.bool_)
    begins[1:] = (crew[order][1:] != crew[order][:-1]) | (closed[order][1:] != closed[order][:-1])
    pair_group[other[order]] = len(whole_crews) + np.cumsum(begins) - 1
    group_crew = np.concatenate([whole_crews, crew[order[begins]]])
    group_mask = np.concatenate([instance.crew_full[whole_crews], closed[order[begins]]])
    counts = np.bitwise_count(group_mask).astype(np.int64)
    indptr = np.concatenate([[0], np.cumsum(counts)])
    group_seat = np.empty(int(indptr[-1]), dtype=np.int64)
    filled = indptr[:-1].copy()
    for place in range(int(instance.crew_size.max(initial=0))):
        here = np.flatnonzero((group_mask >> np.uint64(place)) & np.uint64(1))
        group_seat[filled[here]] = instance.seat_indptr[group_crew[here]] + place
        filled[here] += 1
    return Replacements(pair_group, indptr, group_seat, group_crew)
