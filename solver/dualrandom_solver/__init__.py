"""The pairing problem as mathematics: arrays in, arrays and certificates out (docs/pairing-soundness.md).

Knows persons, days, visits, crews and seats as numbers only. :mod:`dualrandom_solver.optimise` is imported by
itself, because loading CP-SAT takes longer than most draws.
"""

from dualrandom_solver.conflict import Rule, Violator, hall_violators, minimal_conflict, why_undated
from dualrandom_solver.errors import (
    CostRange,
    FlowFailed,
    InvalidInstance,
    InvalidPlan,
    NotOptimal,
    NotSeatable,
    SolverError,
)
from dualrandom_solver.instance import Instance
from dualrandom_solver.lottery import lottery_dates
from dualrandom_solver.plan import Plan, least_plan
from dualrandom_solver.prices import Prices, least_prices
from dualrandom_solver.seating import seat_members
from dualrandom_solver.solve import Solution, solve
from dualrandom_solver.substitutes import replacements
from dualrandom_solver.uniqueness import is_unique

__all__ = [
    "CostRange",
    "FlowFailed",
    "Instance",
    "InvalidInstance",
    "InvalidPlan",
    "NotOptimal",
    "NotSeatable",
    "Plan",
    "Prices",
    "Rule",
    "Solution",
    "SolverError",
    "Violator",
    "hall_violators",
    "is_unique",
    "least_plan",
    "least_prices",
    "lottery_dates",
    "minimal_conflict",
    "replacements",
    "seat_members",
    "solve",
    "why_undated",
]
