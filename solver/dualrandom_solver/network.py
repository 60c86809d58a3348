"""The pairing as a min-cost flow network, and its solution component by component (docs/pairing-soundness.md §1).

    run of equal seats -> (crew, person) -> (person, day) -> person -> sink

Nodes that cannot bind are left out: a (crew, person) who fits only one run of seats, a day on which a person
has no more pairs than the day allows, a person whose days cannot add up to more than the period allows. What
then hangs together only through the sink is solved separately, which costs far less than the whole at once.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from ortools.graph.python.min_cost_flow import SimpleMinCostFlow

from dualrandom_solver.dated import DatedPairs
from dualrandom_solver.errors import CostRange, FlowFailed
from dualrandom_solver.instance import Bools, Instance, Ints
from dualrandom_solver.pools import connected

SINK = 0


@dataclass(frozen=True, eq=False)
class Network:
    """Arcs (the first len(pair) of them stand for pairs), supplies, and the component of each node.

    pair        int64: the pair of each of the first arcs
    component   int64[nodes]: connected component when the sink is taken away; the sink's own is not used
    crew_component  int64[C]: component of each crew with seats to fill, -1 for others
    """

    tail: Ints
    head: Ints
    capacity: Ints
    cost: Ints
    supply: Ints
    pair: Ints
    component: Ints
    crew_component: Ints


def network(pairs: DatedPairs) -> Network:
    """Build the network of all dated crews over the given pairs."""
    instance = pairs.instance
    persons, slots = instance.persons, instance.persons * instance.days
    per_slot = np.bincount(pairs.slot, minlength=slots)
    daily = np.repeat(instance.daily, instance.days)
    day_binds = per_slot > daily
    possible = np.minimum(per_slot, daily).reshape(persons, instance.days).sum(axis=1)
    period_binds = possible > instance.total

    begins, run_of_seat = _runs(pairs)
    runs = int(begins.sum())
    fits = pairs.seats & instance.class_first[pairs.crew]
    several = (fits & (fits - np.uint64(1))) != 0
    # a capacity of one on the day already stops a person from sitting twice in one crew
    several &= ~(day_binds[pairs.slot] & (daily[pairs.slot] == 1))
    middle = np.flatnonzero(several)

    bound_slots = np.flatnonzero(day_binds)
    bound_persons = np.flatnonzero(period_binds)
    person_node = np.full(persons, SINK, dtype=np.int64)
    person_node[bound_persons] = 1 + runs + np.arange(len(bound_persons))
    slot_node = np.repeat(person_node, instance.days)
    slot_node[bound_slots] = 1 + runs + len(bound_persons) + np.arange(len(bound_slots))
    nodes = 1 + runs + len(bound_persons) + len(bound_slots) + len(middle)
    beyond = slot_node[pairs.slot]
    entry = beyond.copy()
    entry[middle] = nodes - len(middle) + np.arange(len(middle))

    arcs = [_arcs_of_place(pairs, place, fits, run_of_seat) for place in range(_widest(instance))]
    tail = np.concatenate([tail for tail, _ in arcs] or [np.empty(0, dtype=np.int64)])
    pair = np.concatenate([pair for _, pair in arcs] or [np.empty(0, dtype=np.int64)])
    tail = np.concatenate([tail, entry[middle], slot_node[bound_slots], person_node[bound_persons]])
    head = np.concatenate(
        [
            entry[pair],
            beyond[middle],
            person_node[bound_slots // instance.days],
            np.full(len(bound_persons), SINK),
        ]
    )
    single = np.ones(len(pair) + len(middle), dtype=np.int64)
    capacity = np.concatenate([single, daily[bound_slots], instance.total[bound_persons]])
    cost = np.zeros(len(tail), dtype=np.int64)
    cost[: len(pair)] = instance.cand_cost[pairs.cand[pair]]
    supply = np.zeros(nodes, dtype=np.int64)
    supply[1 : 1 + runs] = np.bincount(run_of_seat[pairs.dated_seat], minlength=runs)

    inner = head != SINK
    run, first_run = _crew_runs(pairs, begins, run_of_seat)
    component = connected(np.concatenate([tail[inner], run]), np.concatenate([head[inner], first_run]), nodes)
    crew_component = np.full(instance.crews, -1, dtype=np.int64)
    seats = np.flatnonzero(begins)
    crew_component[instance.seat_crew[seats]] = component[1 + run_of_seat[seats]]
    return Network(tail, head, capacity, cost, supply, pair, component, crew_component)


def _widest(instance: Instance) -> int:
    return int(instance.crew_size.max(initial=0))


def _runs(pairs: DatedPairs) -> tuple[Bools, Ints]:
    """bool[S]: the seat begins a run of a dated crew; int64[S]: number of its run (dated seats only)."""
    instance = pairs.instance
    offset = (np.arange(instance.seats) - instance.seat_indptr[instance.seat_crew]).astype(np.uint64)
    first = instance.class_first[instance.seat_crew]
    begins = ((first >> offset) & np.uint64(1) != 0) & pairs.dated_seat
    return begins, np.cumsum(begins) - 1


def _arcs_of_place(pairs: DatedPairs, place: int, fits: np.ndarray, run_of_seat: Ints) -> tuple[Ints, Ints]:
    """Tails and pairs of the arcs from the runs that begin at the given place of their crew."""
    pair = np.flatnonzero((fits >> np.uint64(place)) & np.uint64(1))
    return 1 + run_of_seat[pairs.instance.seat_indptr[pairs.crew[pair]] + place], pair


def _crew_runs(pairs: DatedPairs, begins: Bools, run_of_seat: Ints) -> tuple[Ints, Ints]:
    """Node of each run and of the first run of its crew: a crew is kept in one component."""
    instance = pairs.instance
    seats = np.flatnonzero(begins)
    return 1 + run_of_seat[seats], 1 + run_of_seat[instance.seat_indptr[instance.seat_crew[seats]]]


def solve_components(net: Network, wanted: Ints) -> tuple[Ints, Ints]:
    """Pairs used by a flow of least cost in the wanted components, and the components without a flow.

    ``wanted`` are labels as in net.component. Raises CostRange or FlowFailed as the solver's status demands.
    """
    belongs = net.component[net.tail]
    order = np.argsort(belongs, kind="stable")
    starts = np.searchsorted(belongs[order], wanted)
    stops = np.searchsorted(belongs[order], wanted, side="right")
    node_order = np.argsort(net.component[1:], kind="stable") + 1
    node_starts = np.searchsorted(net.component[node_order], wanted)
    node_stops = np.searchsorted(net.component[node_order], wanted, side="right")
    local = np.zeros(len(net.component), dtype=np.int32)
    used: list[Ints] = []
    stuck: list[int] = []
    for number, label in enumerate(wanted.tolist()):
        arcs = order[starts[number] : stops[number]]
        nodes = node_order[node_starts[number] : node_stops[number]]
        local[nodes] = np.arange(1, len(nodes) + 1)
        supply = net.supply[np.concatenate([[SINK], nodes])]
        supply[SINK] = -supply.sum()
        flow = SimpleMinCostFlow()
        numbered = flow.add_arcs_with_capacity_and_unit_cost(
            local[net.tail[arcs]], local[net.head[arcs]], net.capacity[arcs], net.cost[arcs]
        )
        flow.set_nodes_supplies(np.arange(len(supply), dtype=np.int32), supply)
        status = flow.solve()
        if status == SimpleMinCostFlow.INFEASIBLE:
            stuck.append(label)
        elif status in (SimpleMinCostFlow.BAD_COST_RANGE, SimpleMinCostFlow.BAD_CAPACITY_RANGE):
            raise CostRange("costs times nodes exceed 64 bits", status.name)
        elif status != SimpleMinCostFlow.OPTIMAL:
            raise FlowFailed("the flow solver stopped without an optimum", status.name)
        else:
            paired = arcs < len(net.pair)
            flowing = flow.flows(numbered[paired]) > 0
            used.append(net.pair[arcs[paired][flowing]])
    pairs = np.sort(np.concatenate(used)) if used else np.empty(0, dtype=np.int64)
    return pairs, np.array(stuck, dtype=np.int64)
