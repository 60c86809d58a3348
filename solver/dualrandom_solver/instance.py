"""The instance of the pairing problem: who may sit where, as arrays (docs/pairing-soundness.md §1).

Persons, days, visits, crews, seats and candidates are numbers. A *candidate* is one person who may sit
in one crew; which of the crew's seats it may take is a bitmask. Recusals, bars, districts and marks have
been applied to these masks; dates, absences and caps have not.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from dualrandom_solver.errors import InvalidInstance

Ints: TypeAlias = npt.NDArray[np.int64]
Masks: TypeAlias = npt.NDArray[np.uint64]
Bools: TypeAlias = npt.NDArray[np.bool_]

COST_LIMIT = 1 << 40
SEATS_LIMIT = 64


@dataclass(frozen=True, eq=False)
class Instance:
    """T days, P persons, V visits, C crews, S seats, M candidates.

    Raises InvalidInstance on construction; afterwards the arrays are read-only and trusted.

    days            T, the number of calendar days
    daily, total    int64[P]: crews a person may serve on a day / in the period
    absent          bool[P, T]
    visit_indptr    int64[V+1]; visit v's acceptable days are ``visit_days[visit_indptr[v]:visit_indptr[v+1]]``,
    visit_days      in the visit's own lottery order; visits are numbered in lottery order
    visit_group     int64[V]: visits with the same number never share a day
    crew_visit      int64[C]
    seat_indptr     int64[C+1]; crew c has seats seat_indptr[c] .. seat_indptr[c+1]-1, at most 64
    cand_indptr     int64[C+1]; crew c has candidates cand_indptr[c] .. cand_indptr[c+1]-1
    cand_person     int64[M]; a person occurs once in a crew
    cand_cost       int64[M], 0 .. 2^40-1
    cand_seats      uint64[M]: bit j = may take the crew's j-th seat
    cand_rank       int64[M]: rank by full ticket, 0 .. 2^40-1, distinct within the crew
    """

    days: int
    daily: Ints
    total: Ints
    absent: Bools
    visit_indptr: Ints
    visit_days: Ints
    visit_group: Ints
    crew_visit: Ints
    seat_indptr: Ints
    cand_indptr: Ints
    cand_person: Ints
    cand_cost: Ints
    cand_seats: Masks
    cand_rank: Ints

    def __post_init__(self) -> None:
        for field in fields(self):
            if field.name != "days":
                object.__setattr__(self, field.name, _frozen(field.name, getattr(self, field.name)))
        self._check_shapes()
        self._check_values()

    def _check_shapes(self) -> None:
        if self.days < 1:
            raise InvalidInstance("days must be at least 1", self.days)
        if self.daily.shape != self.total.shape or self.daily.ndim != 1:
            raise InvalidInstance("daily and total must be vectors of one length", self.daily.shape)
        if self.absent.shape != (len(self.daily), self.days):
            raise InvalidInstance("absent must be persons x days", self.absent.shape)
        candidates = len(self.cand_person)
        for name, size in (
            ("visit_group", self.visits),
            ("cand_cost", candidates),
            ("cand_seats", candidates),
            ("cand_rank", candidates),
        ):
            if getattr(self, name).shape != (size,):
                raise InvalidInstance(f"{name} must have {size} entries", getattr(self, name).shape)
        pointers: tuple[tuple[str, int, int | None], ...] = (
            ("visit_indptr", self.visits, len(self.visit_days)),
            ("seat_indptr", self.crews, None),
            ("cand_indptr", self.crews, candidates),
        )
        for name, rows, end in pointers:
            pointer = getattr(self, name)
            if pointer.shape != (rows + 1,) or pointer[0] != 0 or np.any(np.diff(pointer) < 0):
                raise InvalidInstance(f"{name} must rise from 0 over {rows + 1} entries", pointer.shape)
            if end is not None and pointer[-1] != end:
                raise InvalidInstance(f"{name} must end at {end}", int(pointer[-1]))

    def _check_values(self) -> None:
        _within("daily", self.daily, 0, None)
        _within("total", self.total, 0, None)
        _within("visit_days", self.visit_days, 0, self.days)
        _within("crew_visit", self.crew_visit, 0, self.visits)
        _within("cand_person", self.cand_person, 0, self.persons)
        _within("cand_cost", self.cand_cost, 0, COST_LIMIT)
        _distinct("visit_days", self.visit_days, self.visit_indptr, self.days)
        _distinct("cand_person", self.cand_person, self.cand_indptr, self.persons)
        _within("cand_rank", self.cand_rank, 0, COST_LIMIT)
        _distinct("cand_rank", self.cand_rank, self.cand_indptr, int(self.cand_rank.max(initial=0)) + 1)
        seats = self.crew_size
        _within("seats of a crew", seats, 0, SEATS_LIMIT + 1)
        beyond = (self.cand_seats & ~self.crew_full[self.cand_crew]) != 0
        if beyond.any():
            raise InvalidInstance(
                "cand_seats names a seat that its crew does not have", int(np.argmax(beyond))
            )

    @property
    def persons(self) -> int:
        """P."""
        return len(self.daily)

    @property
    def visits(self) -> int:
        """V."""
        return len(self.visit_indptr) - 1

    @property
    def crews(self) -> int:
        """C."""
        return len(self.crew_visit)

    @property
    def seats(self) -> int:
        """S, seats of all crews."""
        return int(self.seat_indptr[-1])

    @cached_property
    def crew_size(self) -> Ints:
        """int64[C]: seats of each crew."""
        return np.diff(self.seat_indptr)

    @cached_property
    def crew_full(self) -> Masks:
        """uint64[C]: the mask of all seats of each crew."""
        return _low_bits(self.crew_size)

    @cached_property
    def cand_crew(self) -> Ints:
        """int64[M]: crew of each candidate."""
        return np.repeat(np.arange(self.crews), np.diff(self.cand_indptr))

    @cached_property
    def seat_crew(self) -> Ints:
        """int64[S]: crew of each seat."""
        return np.repeat(np.arange(self.crews), self.crew_size)

    @cached_property
    def class_first(self) -> Masks:
        """uint64[C]: bit j set where seat j is the first of a run of seats open to the same candidates.

        Seats of a run are interchangeable, so a run is one node with a demand instead of several nodes.
        """
        change = self.cand_seats ^ (self.cand_seats << np.uint64(1))
        first = _or_by_row(change, self.cand_indptr) | np.uint64(1)
        return np.asarray(first & self.crew_full, dtype=np.uint64)


def _frozen(name: str, values: object) -> npt.NDArray[np.generic]:
    """A read-only array of the field's kind; numbers are never rounded or wrapped to fit."""
    given = np.asarray(values)
    kind: type[np.generic] = np.int64
    if name == "absent":
        kind = np.bool_
    elif name == "cand_seats":
        kind = np.uint64
        if given.dtype.kind == "i" and given.size and given.min() < 0:
            raise InvalidInstance("cand_seats must not be negative", int(given.min()))
    fits = given.dtype.kind == "b" if kind is np.bool_ else given.dtype.kind in "iu"
    if not fits and given.size:
        raise InvalidInstance(f"{name} must be an array of {kind.__name__}", str(given.dtype))
    array = np.ascontiguousarray(given, dtype=kind).view()
    array.flags.writeable = False
    return array


def _low_bits(count: Ints) -> Masks:
    """uint64: masks of the ``count`` lowest bits, count in 0..64."""
    shift = np.minimum(count, SEATS_LIMIT - 1).astype(np.uint64)
    masks = (np.uint64(1) << shift) - np.uint64(1)
    masks[count >= SEATS_LIMIT] = np.uint64(0xFFFF_FFFF_FFFF_FFFF)
    return masks


def _or_by_row(values: Masks, indptr: Ints) -> Masks:
    """uint64[rows]: OR of the values of each row; 0 for an empty row."""
    result = np.zeros(len(indptr) - 1, dtype=np.uint64)
    filled = np.flatnonzero(np.diff(indptr))
    if len(filled):
        result[filled] = np.bitwise_or.reduceat(values, indptr[filled])
    return result


def _within(name: str, values: Ints, low: int, high: int | None) -> None:
    wrong = values < low
    if high is not None:
        wrong |= values >= high
    if wrong.any():
        at = int(np.argmax(wrong))
        raise InvalidInstance(f"{name}[{at}] is out of range", int(values[at]))


def _distinct(name: str, values: Ints, indptr: Ints, limit: int) -> None:
    """Each row's values must differ. Rows in rising order, the common case, need no sorting."""
    if len(values) < 2:
        return
    row_start = np.zeros(len(values), dtype=np.bool_)
    starts = indptr[:-1]
    row_start[starts[starts < len(values)]] = True
    if np.all((np.diff(values) > 0) | row_start[1:]):
        return
    rows = np.repeat(np.arange(len(indptr) - 1), np.diff(indptr))
    keys = np.sort(rows * limit + values)
    same = keys[1:] == keys[:-1]
    if same.any():
        row = int(keys[int(np.argmax(same))] // limit)
        raise InvalidInstance(f"{name} repeats a value in row {row}", row)
