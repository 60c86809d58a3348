"""Errors of the solver: each has a stable code, the offending value and what to do next.

The solver may not import the rooms above it, so these are its own classes; the layer that calls it
translates codes into the reader's language.
"""

from __future__ import annotations


class SolverError(Exception):
    """Base of everything this package raises on purpose.

    Attributes: ``code`` (stable, dotted), ``value`` (what was wrong: an index, a status, a pair), ``remedy``.
    """

    code = "solver"
    remedy = ""

    def __init__(self, message: str, value: object = None) -> None:
        super().__init__(message)
        self.value = value


class InvalidInstance(SolverError):
    """The arrays do not describe an instance."""

    code = "solver.instance"
    remedy = "correct the array named in the message; nothing has been computed"


class InvalidPlan(SolverError):
    """Dates or members break a rule: a seat left empty, a mark missing, an absence, a cap."""

    code = "solver.plan"
    remedy = "the value names the first offender; use dates of lottery_dates and members of least_plan"


class NotSeatable(SolverError):
    """The seats of the dated visits cannot all be filled."""

    code = "solver.not_seatable"
    remedy = "take the dates from lottery_dates; hall_violators says who is short of whom"


class CostRange(SolverError):
    """Costs times nodes exceed what 64-bit arithmetic holds (roughly cost bits + log2 nodes > 61)."""

    code = "solver.cost_range"
    remedy = "divide the instance into its connected components or use costs of fewer bits"


class FlowFailed(SolverError):
    """The flow solver returned a status that correct input cannot produce."""

    code = "solver.flow_failed"
    remedy = "report the instance: this is a defect of the solver library or of this package"


class NotOptimal(SolverError):
    """No prices support the plan: a legal plan of smaller cost exists."""

    code = "solver.not_optimal"
    remedy = "the plan was altered or computed otherwise; compute it anew with least_plan"
