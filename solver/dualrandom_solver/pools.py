"""Connected components: crews and persons that can influence one another."""

from __future__ import annotations

import numpy as np

from dualrandom_solver.instance import Instance, Ints


def connected(tail: Ints, head: Ints, nodes: int) -> Ints:
    """int64[nodes]: the smallest node number of each node's component, arcs taken both ways."""
    label = np.arange(nodes)
    while True:
        lower = label.copy()
        np.minimum.at(lower, head, label[tail])
        np.minimum.at(lower, tail, lower[head])
        lower = lower[lower]
        if np.array_equal(lower, label):
            return label
        label = lower


def pools(instance: Instance) -> tuple[Ints, Ints]:
    """int64[C], int64[P]: the component of each crew and of each person, numbered from 0.

    Crew and person are joined when the person may take a seat of the crew on some day. A crew without
    candidates and a person without crews are components of their own.
    """
    usable = instance.cand_seats != 0
    crew, person = instance.cand_crew[usable], instance.crews + instance.cand_person[usable]
    label = connected(crew, person, instance.crews + instance.persons)
    _, number = np.unique(label, return_inverse=True)
    return number[: instance.crews], number[instance.crews :]
