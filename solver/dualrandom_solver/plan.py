"""The plan: the filling of all seats with the least total cost (docs/protocol.md §8.5).

Nearly all members come from the cheapest few candidates of their seats, so the flow is solved over a short
list of pairs first. Its least prices are then held against all pairs: where none undercuts them, they prove
the plan cheapest over all pairs (docs/pairing-soundness.md §7); where some do, these are added and the affected components
are solved again. The answer does not depend on the length of the lists, only the time does.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from dualrandom_solver.dated import DatedPairs, checked_loads, dated_pairs
from dualrandom_solver.errors import NotSeatable
from dualrandom_solver.instance import Bools, Instance, Ints
from dualrandom_solver.network import Network, network, solve_components
from dualrandom_solver.prices import undercutting_pairs
from dualrandom_solver.seating import seat_members

SHORTLIST = 8  # candidates of each run of seats at first
LENGTHENED = 4  # by this factor where the short list cannot fill the seats


@dataclass(frozen=True, eq=False)
class Plan:
    """members: int64[S], the candidate in each seat in seat order, -1 where the visit has no date.

    cost: sum of the members' costs.
    """

    members: Ints
    cost: int


def least_plan(instance: Instance, dates: Ints) -> Plan:
    """The cheapest legal filling of the seats of all dated visits, each crew's members in seat order.

    Raises NotSeatable when the seats cannot all be filled (impossible after lottery_dates), CostRange and
    FlowFailed as the flow solver's status demands.
    """
    pairs = dated_pairs(instance, dates)
    members = np.full(instance.seats, -1, dtype=np.int64)
    position = _positions(pairs)
    limit = np.full(instance.crews, SHORTLIST, dtype=np.int64)
    listed = position < SHORTLIST
    stale = pairs.dated_crew & (instance.crew_size > 0)
    while stale.any():
        listed |= position < limit[pairs.crew]
        short = pairs.take(np.flatnonzero(listed))
        net = network(short)
        wanted = np.unique(net.crew_component[stale])
        chosen, stuck = solve_components(net, wanted)
        stale = np.isin(net.crew_component, stuck)
        if stale.any():
            _lengthen(limit, stale, pairs, listed, net)
        # the rest of the wanted components is solved: seat them, even when a later round seats them again
        solved = np.flatnonzero(np.isin(net.crew_component, wanted) & ~stale)
        _seat(instance, members, solved, short.cand[chosen])
        if not stale.any():
            undercut = undercutting_pairs(pairs, listed, members)
            listed[undercut] = True
            stale = np.zeros(instance.crews, dtype=np.bool_)
            stale[pairs.crew[undercut]] = True
    checked_loads(pairs, members)
    return Plan(members, int(instance.cand_cost[members[members >= 0]].sum()))


def _positions(pairs: DatedPairs) -> Ints:
    """int64[N]: how many pairs of smaller rank compete for the same run of seats (the fewest over its runs).

    Ranks follow costs; if they did not, the lists would only be poorer. They are distinct, so that the order
    is the same whatever the sorting algorithm.
    """
    instance = pairs.instance
    rank = instance.cand_rank[pairs.cand]
    order = np.argsort(pairs.crew * (int(rank.max(initial=0)) + 1) + rank)
    fits = (pairs.seats & instance.class_first[pairs.crew])[order]
    position = np.full(len(order), len(order), dtype=np.int64)
    for place in range(int(instance.crew_size.max(initial=0))):
        here = order[np.flatnonzero((fits >> np.uint64(place)) & np.uint64(1))]
        crew = pairs.crew[here]
        first = np.searchsorted(crew, np.arange(instance.crews))
        position[here] = np.minimum(position[here], np.arange(len(here)) - first[crew])
    return position


def _lengthen(limit: Ints, stuck: Bools, pairs: DatedPairs, listed: Bools, net: Network) -> None:
    """Longer lists for crews whose component has no flow; NotSeatable where nothing is left to add."""
    left = np.zeros(len(limit), dtype=np.bool_)
    left[pairs.crew[~listed]] = True
    for label in np.unique(net.crew_component[stuck]).tolist():
        crews = np.flatnonzero(net.crew_component == label)
        if not left[crews].any():
            raise NotSeatable("the seats of the dated visits cannot all be filled", crews.tolist())
    limit[stuck] *= LENGTHENED


def _seat(instance: Instance, members: Ints, crews: Ints, chosen: Ints) -> None:
    seats = np.zeros(instance.crews, dtype=np.bool_)
    seats[crews] = True
    members[seats[instance.seat_crew]] = seat_members(instance, crews, chosen)
