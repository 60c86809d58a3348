"""The reference's lists in the form that the drawing engine takes."""

from fractions import Fraction
from typing import Any

import numpy as np

from dualrandom.frame import Frozen, RosterRow
from dualrandom.quota import Stratum


def frozen(built: Any) -> Frozen:
    """The reference's lists in the engine's form."""
    profiles = tuple(built.profiles.values())
    pairs = {(a, b): ground for a, b, ground in sorted(built.recusals)}
    strata = {
        task: tuple(
            Stratum(id=s["id"], group=s["group"], size=s["size"], expected=Fraction(s["expected"]))
            for s in sorted(several, key=lambda s: str(s["id"]))
        )
        for task, several in built.strata.items()
    }
    ids = tuple(sorted(built.frame))
    return Frozen(
        draw=built.draw,
        ids=ids,
        keys=tuple(built.keys[key] for key in ids),
        districts=tuple(built.frame[key]["district"] for key in ids),
        streets=("",) * len(ids),
        closed=tuple(tuple(built.frame[key]["closed"]) for key in ids),
        profile=np.array([profiles.index(built.frame[key]["strata"]) for key in ids], dtype=np.int64),
        profiles=profiles,
        roster=tuple(
            RosterRow(
                id=key,
                person=row["person"],
                department=row["department"],
                districts=tuple(row["districts"]),
                marks=tuple(row["marks"]),
                absent=tuple(row["absent"]),
                daily=row["daily"],
                total=row["total"],
            )
            for key, row in sorted(built.roster.items())
        ),
        recused={pair: ground for pair, ground in pairs.items() if pair[1] not in built.roster},
        incompatible={pair: ground for pair, ground in pairs.items() if pair[1] in built.roster},
        strata=strata,
    )
