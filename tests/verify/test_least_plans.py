"""Prices, uniqueness and seatability against brute force over all fillings, with costs so coarse that ties are common."""

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualrandom.ticket import Tickets
from dualrandom.verify.announcement import (
    Announcement,
    BeaconRound,
    Item,
    Policy,
    Task,
)
from dualrandom.verify.crews import check_prices
from dualrandom.verify.flow import Seating
from dualrandom.verify.lists import Inspector
from dualrandom.verify.prices import PricedCrew, least_prices
from dualrandom.verify.report import Fault, Verdict
from dualrandom.verify.result import Crew, Prices, Tie, Visit
from dualrandom.verify.schema import instant
from dualrandom.verify.seats import Rules

Plan = tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Puzzle:
    """Crews as (date, masks), everybody's cost by crew, and caps."""

    crews: tuple[tuple[str, Mapping[str, int]], ...]
    seats: tuple[int, ...]
    costs: tuple[Mapping[str, int], ...]
    caps: Mapping[str, tuple[int, int]]

    def fillings(self) -> Iterator[Plan]:
        """All legal fillings, people in seat order."""
        each = [
            [
                people
                for people in itertools.permutations(sorted(masks), count)
                if all(masks[person] >> seat & 1 for seat, person in enumerate(people))
            ]
            for (_, masks), count in zip(self.crews, self.seats, strict=True)
        ]
        for plan in itertools.product(*each):
            daily: Counter[tuple[str, str]] = Counter()
            total: Counter[str] = Counter()
            for (date, _), people in zip(self.crews, plan, strict=True):
                daily.update((person, date) for person in people)
                total.update(people)
            if all(n <= self.caps[slot[0]][0] for slot, n in daily.items()) and all(
                n <= self.caps[person][1] for person, n in total.items()
            ):
                yield plan

    def cost(self, plan: Plan) -> int:
        return sum(costs[person] for costs, people in zip(self.costs, plan, strict=True) for person in people)

    def priced(self, plan: Plan) -> list[PricedCrew]:
        return [
            PricedCrew(f"crew {n}", date, people, masks, costs)
            for n, ((date, masks), people, costs) in enumerate(zip(self.crews, plan, self.costs, strict=True))
        ]


@st.composite
def puzzles(draw: st.DrawFn) -> Puzzle:
    rng = Random(draw(st.integers(0, 10**9)))
    people = [f"p{n}" for n in range(rng.randint(2, 5))]
    crews, seats, costs = [], [], []
    for _ in range(rng.randint(1, 3)):
        count = rng.randint(1, 3)
        masks = {p: rng.randrange(1, 1 << count) for p in people if rng.random() < 0.85}
        crews.append((rng.choice(["mon", "tue"]), masks))
        seats.append(count)
        costs.append({p: rng.randint(0, 4) for p in masks})
    caps = {p: (rng.choice([0, 1, 1, 2]), rng.choice([0, 1, 2, 3])) for p in people}
    return Puzzle(tuple(crews), tuple(seats), tuple(costs), caps)


def members(plan: Plan) -> tuple[frozenset[str], ...]:
    return tuple(frozenset(people) for people in plan)


@given(puzzles())
def test_prices_exist_exactly_for_the_least_plans(puzzle: Puzzle) -> None:
    plans = list(itertools.islice(puzzle.fillings(), 300))
    if len(plans) == 300:
        return
    least = min(map(puzzle.cost, plans), default=0)
    for plan in plans:
        try:
            least_prices(puzzle.priced(plan), puzzle.caps)
            accepted = True
        except Fault:
            accepted = False
        assert accepted == (puzzle.cost(plan) == least)


@given(puzzles())
def test_a_plan_is_called_unique_exactly_when_it_is(puzzle: Puzzle) -> None:
    plans = list(itertools.islice(puzzle.fillings(), 300))
    if len(plans) == 300:
        return
    least = min(map(puzzle.cost, plans), default=0)
    best = {members(plan): plan for plan in plans if puzzle.cost(plan) == least}
    for plan in best.values():
        other = least_prices(puzzle.priced(plan), puzzle.caps).another_plan()
        assert (other is None) == (len(best) == 1)


@given(puzzles())
def test_least_prices_do_not_depend_on_the_order_of_crews(puzzle: Puzzle) -> None:
    plan = next((p for p in puzzle.fillings()), None)
    if plan is None:
        return
    best = min(itertools.islice(puzzle.fillings(), 300), key=puzzle.cost)
    crews = puzzle.priced(best)
    try:
        prices = least_prices(crews, puzzle.caps).published()
    except Fault:
        return
    assert least_prices(crews[::-1], puzzle.caps).published() == prices


@given(puzzles())
def test_a_growing_flow_says_what_trying_everything_says(puzzle: Puzzle) -> None:
    seating = Seating(puzzle.caps)
    kept: list[int] = []
    for number, (date, masks) in enumerate(puzzle.crews * 2):
        number %= len(puzzle.crews)  # noqa: PLW2901
        crew = [[p for p in sorted(masks) if masks[p] >> seat & 1] for seat in range(puzzle.seats[number])]
        together = [*kept, number]
        part = Puzzle(
            tuple(puzzle.crews[n] for n in together),
            tuple(puzzle.seats[n] for n in together),
            tuple(puzzle.costs[n] for n in together),
            puzzle.caps,
        )
        fits = next(part.fillings(), None) is not None
        assert seating.try_add([crew], date) == fits
        if fits:
            kept.append(number)


def announced() -> Announcement:
    """One department, one task, crews of one open seat beside a leader."""
    task = Task("t1", "amr", "one-way", "own", None, (Item("i1", Fraction(1), ()),), (), None)
    due = instant("2023-08-23T15:59:24Z", "due")
    return Announcement(
        digest="0" * 64,
        draw="test-2023-000001",
        plan="p",
        authority="test",
        suite="sha256",
        sealed=False,
        uscc=False,
        beacon=BeaconRound("local", "none", "0", due),
        contributions=(),
        period=("2023-09-01", "2023-09-30"),
        days=("2023-09-04",),
        reveal=due,
        result=due,
        findings=due,
        lists={},
        crews={"amr": ((), ())},
        tasks={"t1": task},
        profiles={},
        policy=Policy("lottery", False, "none", (), "none", "list", None),
        rates=(),
        voids=(),
        ids={},
    )


PEOPLE = {
    name: Inspector(name, "amr", frozenset({"d1"}), frozenset(), frozenset(), 1, 1)
    for name in ("a", "b", "c")
}


def verdict_on(
    seats: tuple[str, str], attempt: int, ties: list[Tie] | None, costs: Mapping[str, Mapping[str, int]]
) -> Verdict:
    """Judge a plan of one crew; costs: stage → inspector → cost."""
    rules = Rules(announced(), PEOPLE, ())
    visit = Visit("E1", 1, "d1", {"t1": ("i1",)}, "2023-09-04", (Crew("amr", seats, ()),))
    tickets = Tickets("0" * 64)
    of_ticket = {
        tickets.raw(stage, f"E1:amr:{person}"): cost
        for stage, several in costs.items()
        for person, cost in several.items()
    }
    verdict = Verdict("prices")
    none: Prices = {}
    check_prices(verdict, [visit], none, rules, tickets, attempt, ties, of_ticket.__getitem__)
    return verdict


TIED = {"pair": {"a": 1, "b": 2, "c": 2}, "pair.1": {"a": 1, "b": 2, "c": 3}}


def tie(*seats: str, attempt: int = 0, prices: Prices | None = None) -> Tie:
    return Tie(attempt, {("E1", 1, "amr"): seats}, prices or {})


def test_a_tie_needs_another_attempt() -> None:
    assert any("not unique" in en for _, en in verdict_on(("a", "b"), 0, None, TIED).faults)


@pytest.mark.parametrize("seats", [("a", "b"), ("c", "a")])
def test_any_of_the_tied_plans_is_evidence(seats: tuple[str, str]) -> None:
    assert verdict_on(("a", "b"), 1, [tie(*seats)], TIED).check().status == "PASS"


@pytest.mark.parametrize(
    ("ties", "costs", "reason"),
    [
        (None, TIED, "no usable ties.json"),
        ([], TIED, "attempts 0 to 0"),
        ([tie("b", "c")], TIED, "not the least"),
        ([tie("a", "z")], TIED, "not in the roster"),
        ([tie("a", "a")], TIED, "sits 2 times"),
        ([tie("a", "b", prices={"a": (3, {})})], TIED, "should be period 0"),
        (
            [tie("a", "b")],
            {"pair": {"a": 1, "b": 2, "c": 3}, "pair.1": TIED["pair.1"]},
            "no reason for another",
        ),
        ([tie("a", "b"), tie("a", "b", attempt=1)], TIED, "attempts 0 to 0"),
    ],
)
def test_false_evidence_of_a_tie_is_refused(
    ties: list[Tie] | None, costs: Mapping[str, Mapping[str, int]], reason: str
) -> None:
    faults = verdict_on(("a", "b"), 1, ties, {**TIED, **costs}).faults
    assert any(reason in en for _, en in faults), faults
