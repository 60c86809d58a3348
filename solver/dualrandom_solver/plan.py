"""The plan: the filling of all seats with the least total cost (pairing.md §1), as a min-cost flow."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from dualrandom_solver.dated import DatedPairs, dated_pairs
from dualrandom_solver.errors import CostRange, FlowFailed, NotSeatable
from dualrandom_solver.instance import Instance, Ints
from dualrandom_solver.seating import seat_members


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
    chosen = cheapest_pairs(pairs)
    members = np.full(instance.seats, -1, dtype=np.int64)
    crews = np.flatnonzero(pairs.dated_crew & (instance.crew_size > 0))
    members[pairs.dated_seat] = seat_members(instance, crews, pairs.cand[chosen])
    return Plan(members, int(instance.cand_cost[members[members >= 0]].sum()))


def cheapest_pairs(pairs: DatedPairs) -> Ints:
    """int64: indexes of the pairs used by one flow of least cost, rising."""
    demand = int(pairs.dated_seat.sum())
    if demand == 0:
        return np.empty(0, dtype=np.int64)
    network = _network(pairs)
    flow = SimpleMinCostFlow()
    arcs = flow.add_arcs_with_capacity_and_unit_cost(
        network.tail, network.head, network.capacity, network.cost
    )
    flow.set_nodes_supplies(np.arange(len(network.supply), dtype=np.int32), network.supply)
    status = flow.solve()
    if status == SimpleMinCostFlow.INFEASIBLE:
        raise NotSeatable("the seats of the dated visits cannot all be filled", demand)
    if status in (SimpleMinCostFlow.BAD_COST_RANGE, SimpleMinCostFlow.BAD_CAPACITY_RANGE):
        raise CostRange("costs times nodes exceed 64 bits", status.name)
    if status != SimpleMinCostFlow.OPTIMAL:
        raise FlowFailed("the flow solver stopped without an optimum", status.name)
    used = flow.flows(arcs[: len(network.pair)]) > 0
    return np.sort(network.pair[used])


@dataclass(frozen=True, eq=False)
class _Network:
    """Arcs; the first len(pair) of them stand for pairs, and pair says which."""

    tail: np.ndarray
    head: np.ndarray
    capacity: np.ndarray
    cost: np.ndarray
    supply: np.ndarray
    pair: Ints


def _network(pairs: DatedPairs) -> _Network:
    """Nodes: runs of equal seats, candidates who fit several runs, persons' days, persons, sink.

    A node that cannot bind is left out: a day on which the person has no more pairs than the day allows,
    a person whose days cannot add up to more than the period allows.
    """
    instance = pairs.instance
    persons, slots = instance.persons, instance.persons * instance.days
    per_slot = np.bincount(pairs.slot, minlength=slots)
    cap = np.repeat(instance.daily, instance.days)
    day_binds = per_slot > cap
    by_day = np.minimum(per_slot, cap).reshape(persons, instance.days)
    period_binds = by_day.sum(axis=1) > instance.total
    slot_person = np.repeat(np.arange(persons), instance.days)

    first = instance.class_first[instance.seat_crew]
    offset = (np.arange(instance.seats) - instance.seat_indptr[instance.seat_crew]).astype(np.uint64)
    begins = ((first >> offset) & np.uint64(1) != 0) & pairs.dated_seat
    run_of_seat = np.cumsum(begins) - 1
    runs = int(begins.sum())
    run_demand = np.bincount(run_of_seat[pairs.dated_seat], minlength=runs)

    fits = pairs.seats & instance.class_first[pairs.crew]
    several = (fits & (fits - np.uint64(1))) != 0
    # a capacity of one at the day already stops a person from sitting twice in the crew
    several &= ~(day_binds[pairs.slot] & (cap[pairs.slot] == 1))
    middle = np.flatnonzero(several)

    sink = 0
    nodes = 1 + runs
    slot_node = np.zeros(slots, dtype=np.int64)
    slot_node[day_binds] = nodes + np.arange(int(day_binds.sum()))
    nodes += int(day_binds.sum())
    person_node = np.zeros(persons, dtype=np.int64)
    person_node[period_binds] = nodes + np.arange(int(period_binds.sum()))
    nodes += int(period_binds.sum())
    slot_node[~day_binds] = person_node[slot_person[~day_binds]]
    target = slot_node[pairs.slot]
    pair_target = target.copy()
    pair_target[middle] = nodes + np.arange(len(middle))
    nodes += len(middle)

    tails, heads, costs, pair_of = [], [], [], []
    seat0 = instance.seat_indptr[pairs.crew]
    widest = int(instance.crew_size.max(initial=0))
    for place in range(widest):
        here = np.flatnonzero((fits >> np.uint64(place)) & np.uint64(1))
        if len(here):
            tails.append(1 + run_of_seat[seat0[here] + place])
            heads.append(pair_target[here])
            costs.append(instance.cand_cost[pairs.cand[here]])
            pair_of.append(here)
    pair = np.concatenate(pair_of) if pair_of else np.empty(0, dtype=np.int64)
    bound_slots = np.flatnonzero(day_binds)
    bound_persons = np.flatnonzero(period_binds)
    rest_tail = np.concatenate([pair_target[middle], slot_node[bound_slots], person_node[bound_persons]])
    rest_head = np.concatenate(
        [target[middle], person_node[slot_person[bound_slots]], np.full(len(bound_persons), sink)]
    )
    rest_capacity = np.concatenate(
        [np.ones(len(middle), dtype=np.int64), cap[bound_slots], instance.total[bound_persons]]
    )
    supply = np.zeros(nodes, dtype=np.int64)
    supply[1 : runs + 1] = run_demand
    supply[sink] = -int(run_demand.sum())
    return _Network(
        np.concatenate([*tails, rest_tail]).astype(np.int32),
        np.concatenate([*heads, rest_head]).astype(np.int32),
        np.concatenate([np.ones(len(pair), dtype=np.int64), rest_capacity]),
        np.concatenate([*costs, np.zeros(len(rest_tail), dtype=np.int64)]),
        supply,
        pair,
    )
