"""Other ways to the same optimum: HiGHS (linear programme), CP-SAT (constraint model), scipy (assignment).

Each takes an instance with dates and returns (total cost, remark). They share no code with the solver's flow:
rows and variables are written here from the definition in docs/pairing-soundness.md.
"""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
from ortools.sat.python import cp_model
from scipy.optimize import linear_sum_assignment

from dualrandom_solver import Instance


@dataclass(frozen=True)
class Table:
    """One row for each (seat, candidate) that the dates allow."""

    seat: np.ndarray
    cand: np.ndarray
    slot: np.ndarray
    person: np.ndarray
    cost: np.ndarray


def table(instance: Instance, dates: np.ndarray) -> Table:
    day = dates[instance.crew_visit][instance.cand_crew]
    seats, cands = [], []
    for place in range(int(instance.crew_size.max(initial=0))):
        takes = (instance.cand_seats >> np.uint64(place)) & np.uint64(1) != 0
        cand = np.flatnonzero(takes & (day >= 0) & ~instance.absent[instance.cand_person, np.maximum(day, 0)])
        seats.append(instance.seat_indptr[instance.cand_crew[cand]] + place)
        cands.append(cand)
    cand = np.concatenate(cands)
    person = instance.cand_person[cand]
    return Table(
        np.concatenate(seats), cand, person * instance.days + day[cand], person, instance.cand_cost[cand]
    )


def _rows(instance: Instance, rows: Table) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Four rows a variable (seat filled, candidate once, day cap, period cap), with lower and upper bounds."""
    blocks, lower, upper, first = [], [], [], 0
    for keys, cap in (
        (rows.seat, None),
        (rows.cand, np.ones(len(instance.cand_person))),
        (rows.slot, np.repeat(instance.daily, instance.days)),
        (rows.person, instance.total),
    ):
        used, number = np.unique(keys, return_inverse=True)
        blocks.append(first + number)
        lower.append(np.ones(len(used)) if cap is None else np.zeros(len(used)))
        upper.append(np.ones(len(used)) if cap is None else cap[used].astype(float))
        first += len(used)
    return np.stack(blocks, axis=1), np.concatenate(lower), np.concatenate(upper), np.array(first)


def highs(instance: Instance, dates: np.ndarray) -> tuple[int, str]:
    """Linear programme; its vertices are whole numbers, which the total is computed from."""
    rows = table(instance, dates)
    index, lower, upper, _ = _rows(instance, rows)
    model = highspy.HighsLp()
    model.num_col_, model.num_row_ = len(rows.cand), len(lower)
    model.col_cost_ = rows.cost.astype(float)
    model.col_lower_ = np.zeros(len(rows.cand))
    model.col_upper_ = np.ones(len(rows.cand))
    model.row_lower_, model.row_upper_ = lower, upper
    model.a_matrix_.start_ = np.arange(len(rows.cand) + 1) * 4
    model.a_matrix_.index_ = index.ravel()
    model.a_matrix_.value_ = np.ones(index.size)
    solver = highspy.Highs()
    solver.setOptionValue("output_flag", False)
    solver.setOptionValue("log_to_console", False)
    solver.setOptionValue("threads", 1)
    solver.passModel(model)
    solver.run()
    if solver.getModelStatus() != highspy.HighsModelStatus.kOptimal:
        return 0, str(solver.getModelStatus())
    value = np.array(solver.getSolution().col_value)
    fraction = float(np.abs(value - np.round(value)).max(initial=0))
    return int(rows.cost[value > 0.5].sum()), "" if fraction < 1e-6 else "fractional"


def cp_sat(instance: Instance, dates: np.ndarray, limit: float | None = None) -> tuple[int, str]:
    """Constraint model with the settings that were found to suit it best."""
    rows = table(instance, dates)
    index, lower, upper, _ = _rows(instance, rows)
    model = cp_model.CpModel()
    chosen = [model.new_bool_var("") for _ in range(len(rows.cand))]
    terms: list[list[object]] = [[] for _ in range(len(lower))]
    for variable, places in zip(chosen, index.tolist(), strict=True):
        for place in places:
            terms[place].append(variable)
    for row, least, most in zip(terms, lower.astype(int).tolist(), upper.astype(int).tolist(), strict=True):
        if least:
            model.add_exactly_one(row)
        elif len(row) > most:
            model.add(sum(row) <= most)
    model.minimize(cp_model.LinearExpr.weighted_sum(chosen, rows.cost.tolist()))
    solver = cp_model.CpSolver()
    solver.parameters.linearization_level = 2
    solver.parameters.num_workers = 2
    solver.parameters.subsolvers.extend(["max_lp", "core"])
    if limit is not None:
        solver.parameters.max_time_in_seconds = limit
    status = solver.solve(model)
    if status != cp_model.OPTIMAL:
        return 0, solver.status_name(status)
    picked = np.array([solver.boolean_value(variable) for variable in chosen])
    return int(rows.cost[picked].sum()), ""


def scipy_assignment(instance: Instance, dates: np.ndarray) -> tuple[int, str]:
    """Seats against copies of persons, one for each crew of the period cap: not the same problem.

    Daily caps and "once in a crew" cannot be said, so the total may be lower than any legal one.
    """
    rows = table(instance, dates)
    copies = np.minimum(instance.total, np.bincount(rows.person, minlength=instance.persons))
    first = np.cumsum(copies) - copies
    seats, seat = np.unique(rows.seat, return_inverse=True)
    never = float(1 << 46)
    matrix = np.full((len(seats), int(copies.sum())), never)
    repeated = np.repeat(np.arange(len(seat)), copies[rows.person])
    offset = np.arange(len(repeated)) - np.repeat(
        np.cumsum(copies[rows.person]) - copies[rows.person], copies[rows.person]
    )
    matrix[seat[repeated], first[rows.person[repeated]] + offset] = rows.cost[repeated]
    row, column = linear_sum_assignment(matrix)
    total = matrix[row, column]
    if np.any(total >= never):
        return 0, "no assignment"
    return int(
        total.astype(np.int64).sum()
    ), "a smaller problem: no daily caps, one person may take two seats of a crew"
