"""Connected components: crews and persons that can influence one another (pairing.md §1, decomposition)."""

from __future__ import annotations

import numpy as np

from dualrandom_solver.instance import Instance, Ints


def pools(instance: Instance) -> tuple[Ints, Ints]:
    """int64[C], int64[P]: the component of each crew and of each person, numbered from 0.

    Crew and person are joined when the person may take a seat of the crew on some day. A crew without
    candidates and a person without crews are components of their own.
    """
    crews, persons = instance.crews, instance.persons
    usable = instance.cand_seats != 0
    crew = instance.cand_crew[usable]
    person = instance.cand_person[usable]
    starts = np.searchsorted(crew, np.arange(crews + 1))
    filled = np.flatnonzero(np.diff(starts))
    label = np.arange(persons, dtype=np.int64)
    crew_label = np.arange(crews, dtype=np.int64) + persons
    while len(filled):
        crew_label[filled] = np.minimum.reduceat(label[person], starts[filled])
        lower = label.copy()
        np.minimum.at(lower, person, crew_label[crew])
        np.minimum.at(lower, label, lower.copy())
        lower = lower[lower]
        if np.array_equal(lower, label):
            break
        label = lower
    _, number = np.unique(np.concatenate([crew_label, label]), return_inverse=True)
    return number[:crews], number[crews:]
