"""Least prices, which prove that the plan is the least one, and its uniqueness (docs/protocol.md §8.7).

Written from the inequalities alone: values rise from 0 until every one holds. Nodes are (inspector, date) and
inspector; a replacement of p by q in a crew on date t is an arc between their nodes.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dualrandom.verify.report import Fault
from dualrandom.verify.result import Prices

Slot = tuple[str, str]
"""(inspector, date)"""

Node = Slot | str
"""A slot or an inspector."""

Outsider = tuple[int, str, int]
"""(cost, inspector, mask of the seats whose people he can replace)"""


@dataclass(frozen=True, slots=True)
class PricedCrew:
    """A crew on a date: its people in seat order, the seat masks of all who may sit on that day (people included), and
    everyone's cost."""

    name: str
    date: str
    people: tuple[str, ...]
    masks: Mapping[str, int]
    costs: Mapping[str, int]

    def replacements(self, limit: int) -> list[Outsider]:
        """Return who is not in the crew and costs at most ``limit``, cheapest first."""
        reach = self._reach()
        inside = set(self.people)
        outsiders = []
        seen: dict[int, int] = {}
        near = [inspector for inspector, cost in self.costs.items() if cost <= limit]
        for inspector in near:
            if inspector in inside:
                continue
            mask = self.masks[inspector]
            replaced = seen.get(mask)
            if replaced is None:
                replaced = 0
                for seat, reached in enumerate(reach):
                    if mask >> seat & 1:
                        replaced |= reached
                seen[mask] = replaced
            outsiders.append((self.costs[inspector], inspector, replaced))
        outsiders.sort()
        return outsiders

    def _reach(self) -> list[int]:
        """Return for each seat the seats whose occupants may go when somebody takes it: moves to other seats included."""
        reach = [1 << seat for seat in range(len(self.people))]
        masks = [self.masks[person] & ((1 << len(self.people)) - 1) for person in self.people]
        changed = True
        while changed:
            changed = False
            for seat, mask in enumerate(masks):
                found = reach[seat]
                for other in range(len(masks)):
                    if mask >> other & 1:
                        found |= reach[other]
                if found != reach[seat]:
                    reach[seat] = found
                    changed = True
        return reach


@dataclass(slots=True)
class _Served:
    """A crew with its outsiders, of whom only those cheap enough to matter so far are looked at."""

    crew: PricedCrew
    reached: int = -1
    outsiders: list[Outsider] = field(default_factory=list)

    def below(self, limit: int) -> list[Outsider]:
        """Return the outsiders in rising order of cost, with at least all that cost ``limit`` or less."""
        if limit > self.reached:
            self.reached = limit + limit // 4
            self.outsiders = self.crew.replacements(self.reached)
        return self.outsiders


@dataclass(slots=True)
class _Pricing:
    """The rising values: ``period`` by inspector, ``day`` = a(p, t) by slot, where they have left 0."""

    caps: Mapping[str, tuple[int, int]]
    crews_of: dict[Slot, list[tuple[_Served, int]]] = field(default_factory=dict)
    days_of: dict[str, set[str]] = field(default_factory=dict)
    loads: dict[str, int] = field(default_factory=dict)
    period: dict[str, int] = field(default_factory=dict)
    raised: dict[Slot, int] = field(default_factory=dict)
    cause: dict[Node, Node] = field(default_factory=dict)

    def adjusted(self, inspector: str, date: str) -> int:
        """Return a(p, t)."""
        return max(self.raised.get((inspector, date), 0), self.period.get(inspector, 0))

    def day_is_full(self, slot: Slot) -> bool:
        return len(self.crews_of.get(slot, ())) >= self.caps[slot[0]][0]

    def period_is_full(self, inspector: str) -> bool:
        return self.loads.get(inspector, 0) >= self.caps[inspector][1]

    def raise_to(self, slot: Slot, value: int, cause: Node) -> Iterator[Slot]:
        """Raise a(p, t) and what follows from it for p alone; yield the slots that rose. Raises Fault, see below."""
        if value <= self.adjusted(*slot):
            return
        self.raised[slot] = value
        self.cause[slot] = cause
        yield slot
        inspector = slot[0]
        if self.day_is_full(slot):
            return
        if not self.period_is_full(inspector):
            raise Fault(
                f"{inspector} 的时段附加价须大于 0，而其时段上限未用尽：该方案不是最小方案",
                f"the period price of {inspector} would have to exceed 0 though his period cap is not exhausted: "
                f"the plan is not the least one",
            )
        self.period[inspector] = value
        self.cause[inspector] = slot
        for date in self.days_of.get(inspector, ()):
            other = (inspector, date)
            if self.raised.get(other, 0) < value:
                self.raised[other] = value
                self.cause[other] = inspector
                yield other

    def refuse_circles(self) -> None:
        """Raise Fault if values raise each other in a circle: then they would rise for ever."""
        state: dict[Node, int] = {}
        for number, start in enumerate(self.cause):
            node: Node | None = start
            while node is not None and node not in state:
                state[node] = number
                node = self.cause.get(node)
            if node is not None and state[node] == number:
                told = node if isinstance(node, str) else " on ".join(node)
                raise Fault(
                    f"价格无限上升（经过 {told}）：该方案不是最小方案",
                    f"prices would rise for ever (through {told}): the plan is not the least one",
                )


def least_prices(crews: Sequence[PricedCrew], caps: Mapping[str, tuple[int, int]]) -> LeastPrices:
    """Return the least prices of a legal plan. Raises Fault if there are none: the plan is not the least one.

    ``caps`` has each inspector's crews a day and in the period. Crews must be filled legally.
    """
    pricing = _Pricing(caps)
    for crew in crews:
        served = _Served(crew)
        for seat, person in enumerate(crew.people):
            pricing.crews_of.setdefault((person, crew.date), []).append((served, seat))
            pricing.days_of.setdefault(person, set()).add(crew.date)
            pricing.loads[person] = pricing.loads.get(person, 0) + 1
    queue = deque(pricing.crews_of)
    waiting = set(queue)
    size = len(queue) + len(caps)
    budget = size
    while queue:
        slot = queue.popleft()
        waiting.discard(slot)
        value = pricing.adjusted(*slot)
        for served, seat in pricing.crews_of.get(slot, ()):
            limit = value + served.crew.costs[slot[0]]
            for cost, inspector, replaced in served.below(limit):
                if cost >= limit:
                    break
                if replaced >> seat & 1:
                    for risen in pricing.raise_to((inspector, slot[1]), limit - cost, slot):
                        budget -= 1
                        if risen not in waiting and risen in pricing.crews_of:
                            waiting.add(risen)
                            queue.append(risen)
        if budget < 0:
            pricing.refuse_circles()
            budget = size
    return LeastPrices(pricing)


class LeastPrices:
    """The fixpoint: published prices and the question of uniqueness are answered from it."""

    def __init__(self, pricing: _Pricing) -> None:
        self._pricing = pricing

    def published(self) -> Prices:
        """Return period and day prices as §8.7 publishes them."""
        pricing = self._pricing
        prices: dict[str, tuple[int, dict[str, int]]] = {}
        for inspector, value in pricing.period.items():
            if value:
                prices[inspector] = (value, {})
        for (inspector, date), value in pricing.raised.items():
            above = value - pricing.period.get(inspector, 0)
            if above > 0:
                prices.setdefault(inspector, (0, {}))[1][date] = above
        return prices

    def another_plan(self) -> str | None:
        """Return the replacement with which another plan costs the same, or None: the plan is unique."""
        pricing = self._pricing
        equal: list[tuple[Slot, Slot, str]] = []
        for slot, crews in pricing.crews_of.items():
            value = pricing.adjusted(*slot)
            for served, seat in crews:
                limit = value + served.crew.costs[slot[0]]
                for cost, inspector, replaced in served.below(limit):
                    if cost > limit:
                        break
                    if replaced >> seat & 1 and pricing.adjusted(inspector, slot[1]) + cost == limit:
                        equal.append((slot, (inspector, slot[1]), served.crew.name))
        component = _components(self._arcs(equal))
        for source, target, name in equal:
            if component[source] == component[target]:
                return f"{name}: {source[0]} / {target[0]}"
        return None

    def _arcs(self, equal: Iterable[tuple[Slot, Slot, str]]) -> dict[Node, list[Node]]:
        pricing = self._pricing
        arcs: dict[Node, list[Node]] = {_SINK: []}
        slots = set(pricing.crews_of)
        for source, target, _ in equal:
            arcs.setdefault(source, []).append(target)
            slots |= {source, target}
        for slot in slots:
            inspector = slot[0]
            arcs.setdefault(slot, [])
            arcs.setdefault(inspector, [])
            if not pricing.day_is_full(slot):
                arcs[slot].append(inspector)
            if slot in pricing.crews_of and pricing.adjusted(*slot) == pricing.period.get(inspector, 0):
                arcs[inspector].append(slot)
        for inspector in {slot[0] for slot in slots}:
            if not pricing.period_is_full(inspector):
                arcs[inspector].append(_SINK)
            if pricing.loads.get(inspector, 0) and not pricing.period.get(inspector, 0):
                arcs[_SINK].append(inspector)
        return arcs


_SINK = "~"
"""No inspector's id."""


def _components(arcs: Mapping[Node, Sequence[Node]]) -> dict[Node, int]:
    """Return the number of each node's strongly connected component (Tarjan 1972, without recursion)."""
    index: dict[Node, int] = {}
    low: dict[Node, int] = {}
    component: dict[Node, int] = {}
    stack: list[Node] = []
    for root in arcs:
        if root in index:
            continue
        path = [(root, iter(arcs[root]))]
        index[root] = low[root] = len(index)
        stack.append(root)
        while path:
            node, rest = path[-1]
            for target in rest:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    path.append((target, iter(arcs[target])))
                    break
                if target not in component:
                    low[node] = min(low[node], index[target])
            else:
                path.pop()
                if path:
                    low[path[-1][0]] = min(low[path[-1][0]], low[node])
                if low[node] == index[node]:
                    number = len(component)
                    while True:
                        member = stack.pop()
                        component[member] = number
                        if member == node:
                            break
    return component
