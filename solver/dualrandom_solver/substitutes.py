"""Who takes the place of a member who cannot serve (docs/protocol.md §13)."""

from __future__ import annotations

import numpy as np

from dualrandom_solver.dated import checked_loads, dated_pairs
from dualrandom_solver.errors import InvalidPlan
from dualrandom_solver.instance import Instance, Ints
from dualrandom_solver.prices import Prices
from dualrandom_solver.replacement import closed_seats


def replacements(
    instance: Instance, dates: Ints, members: Ints, prices: Prices, crew: int, seat: int
) -> Ints:
    """Candidates who could legally replace the occupant of the crew's ``seat`` (0 .. size-1), best first.

    Best = smallest cost + period price + day price on the crew's date; ties by rank. Legal = outside the crew,
    available that day, caps kept beside all other crews of the plan, and able to replace the occupant, if need be by
    members of the crew changing seats (seat_members then gives the new seats).
    Raises InvalidPlan for an illegal plan, a crew without a date or a seat that the crew does not have.
    """
    pairs = dated_pairs(instance, dates)
    loads = checked_loads(pairs, members)
    if not 0 <= crew < instance.crews or pairs.crew_day[crew] < 0:
        raise InvalidPlan("the crew has no date", crew)
    if not 0 <= seat < instance.crew_size[crew]:
        raise InvalidPlan("the crew has no such seat", seat)
    day = int(pairs.crew_day[crew])
    rows = slice(int(pairs.start[crew]), int(pairs.start[crew + 1]))
    cand, mask = pairs.cand[rows], pairs.seats[rows]
    first = int(instance.seat_indptr[crew])
    reach = closed_seats(instance, members)
    leads_here = np.uint64(0)
    for other in range(int(instance.crew_size[crew])):
        if int(reach[first + other]) >> seat & 1:
            leads_here |= np.uint64(1 << other)
    person = instance.cand_person[cand]
    legal = (mask & leads_here) != 0
    legal &= ~np.isin(cand, members[first : first + int(instance.crew_size[crew])])
    legal &= loads.day[person, day] < instance.daily[person]
    legal &= loads.period[person] < instance.total[person]
    cand, person = cand[legal], person[legal]
    adjusted = instance.cand_cost[cand] + prices.period[person] + prices.day[person, day]
    best_first: Ints = cand[np.lexsort((instance.cand_rank[cand], adjusted))]
    return best_first
