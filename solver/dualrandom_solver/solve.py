"""Everything in one call: dates, plan, prices, uniqueness."""

from __future__ import annotations

from dataclasses import dataclass

from dualrandom_solver.dated import checked_loads, dated_pairs
from dualrandom_solver.instance import Instance, Ints
from dualrandom_solver.lottery import lottery_dates
from dualrandom_solver.plan import Plan, least_plan
from dualrandom_solver.prices import Prices, prices_of
from dualrandom_solver.replacement import replacement_arcs
from dualrandom_solver.uniqueness import unique_plan


@dataclass(frozen=True, eq=False)
class Solution:
    """dates int64[V], the plan, its least prices, and whether no other plan has its cost."""

    dates: Ints
    plan: Plan
    prices: Prices
    unique: bool


def solve(instance: Instance, dates: Ints | None = None) -> Solution:
    """Dates by lottery unless given, the cheapest plan, its certificate. Errors as of the single steps."""
    if dates is None:
        dates = lottery_dates(instance)
    plan = least_plan(instance, dates)
    pairs = dated_pairs(instance, dates)
    loads = checked_loads(pairs, plan.members)
    arcs = replacement_arcs(pairs, plan.members)
    prices = prices_of(pairs, plan.members, loads, arcs)
    return Solution(dates, plan, prices, unique_plan(pairs, plan.members, loads, arcs, prices))
