"""Whether the plan is the only one of its cost (docs/pairing-soundness.md §4).

Nodes are slots (person, day), persons and the sink; arcs are the steps of the residual flow that cost
nothing. Another plan of the same cost exists exactly when a replacement lies on a circle of such steps.
"""

from __future__ import annotations

import numpy as np

from dualrandom_solver.dated import DatedPairs, Loads, checked_loads, dated_pairs
from dualrandom_solver.instance import Instance, Ints
from dualrandom_solver.prices import Prices
from dualrandom_solver.replacement import Replacements, replacement_arcs


def is_unique(instance: Instance, dates: Ints, members: Ints, prices: Prices) -> bool:
    """Whether no other set of crews has the plan's cost, given the plan's least prices."""
    pairs = dated_pairs(instance, dates)
    loads = checked_loads(pairs, members)
    return unique_plan(pairs, members, loads, replacement_arcs(pairs, members), prices)


def unique_plan(pairs: DatedPairs, members: Ints, loads: Loads, arcs: Replacements, prices: Prices) -> bool:
    """As is_unique, for a plan already checked."""
    tail, head = _free_replacements(pairs, members, arcs, prices)
    if not len(tail):
        return True
    instance = pairs.instance
    days = instance.days
    slots = np.unique(np.concatenate([tail, head]))
    # other slots and persons could only be visited from, and left to, the same neighbour
    persons = np.unique(slots // days)
    owner = slots // days
    by_slot = loads.day.ravel()[slots]
    up = slots[by_slot < instance.daily[owner]]
    down = slots[(by_slot > 0) & (prices.day.ravel()[slots] == 0)]
    size = instance.persons * days
    sink = size + instance.persons
    spare = persons[loads.period[persons] < instance.total[persons]]
    loose = persons[(loads.period[persons] > 0) & (prices.period[persons] == 0)]
    tails = np.concatenate([tail, up, size + down // days, size + spare, np.full(len(loose), sink)])
    heads = np.concatenate([head, size + up // days, down, np.full(len(spare), sink), size + loose])
    nodes, numbered = np.unique(np.concatenate([tails, heads]), return_inverse=True)
    component = strong_components(numbered[: len(tails)], numbered[len(tails) :], len(nodes))
    free = component[numbered[: len(tail)]] == component[numbered[len(tails) : len(tails) + len(tail)]]
    return not bool(free.any())


def _free_replacements(
    pairs: DatedPairs, members: Ints, arcs: Replacements, prices: Prices
) -> tuple[Ints, Ints]:
    """Slots (of p, of q) of all replacements of p by q with equal adjusted costs."""
    instance = pairs.instance
    adjustment = (prices.day + prices.period[:, None]).ravel()
    days = instance.days
    seat_slot = np.zeros(instance.seats, dtype=np.int64)
    seats = np.flatnonzero(members >= 0)
    seat_slot[seats] = instance.cand_person[members[seats]] * days + pairs.crew_day[instance.seat_crew[seats]]
    adjusted = np.zeros(instance.seats, dtype=np.int64)
    adjusted[seats] = instance.cand_cost[members[seats]] + adjustment[seat_slot[seats]]
    groups = len(arcs.group_crew)
    if not groups:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    threshold = np.maximum.reduceat(adjusted[arcs.group_seat], arcs.group_indptr[:-1])
    other = np.flatnonzero(arcs.pair_group >= 0)
    own = instance.cand_cost[pairs.cand[other]] + adjustment[pairs.slot[other]]
    other = other[own == threshold[arcs.pair_group[other]]]
    tails, heads = [], []
    for pair in other.tolist():
        group = arcs.pair_group[pair]
        inside = arcs.group_seat[arcs.group_indptr[group] : arcs.group_indptr[group + 1]]
        equal = inside[adjusted[inside] == threshold[group]]
        tails.append(seat_slot[equal])
        heads.append(np.full(len(equal), pairs.slot[pair]))
    if not tails:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    return np.concatenate(tails), np.concatenate(heads)


def strong_components(tail: Ints, head: Ints, nodes: int) -> Ints:
    """int64[nodes]: strongly connected component of each node (Tarjan 1972, without recursion)."""
    order = np.argsort(tail, kind="stable")
    targets = head[order].tolist()
    start = np.searchsorted(tail[order], np.arange(nodes + 1)).tolist()
    number = [-1] * nodes
    low = [0] * nodes
    component = np.full(nodes, -1, dtype=np.int64)
    on_stack = [False] * nodes
    stack: list[int] = []
    counter = found = 0
    for root in range(nodes):
        if number[root] >= 0:
            continue
        path = [(root, start[root])]
        number[root] = low[root] = counter
        counter += 1
        stack.append(root)
        on_stack[root] = True
        while path:
            node, at = path[-1]
            if at < start[node + 1]:
                path[-1] = (node, at + 1)
                target = targets[at]
                if number[target] < 0:
                    number[target] = low[target] = counter
                    counter += 1
                    stack.append(target)
                    on_stack[target] = True
                    path.append((target, start[target]))
                elif on_stack[target]:
                    low[node] = min(low[node], number[target])
                continue
            path.pop()
            if path:
                low[path[-1][0]] = min(low[path[-1][0]], low[node])
            if low[node] == number[node]:
                while True:
                    member = stack.pop()
                    on_stack[member] = False
                    component[member] = found
                    if member == node:
                        break
                found += 1
    return component
