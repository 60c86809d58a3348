"""Figures derived from a draw, and the names that readers need (docs/protocol.md §10). Neither decides anything."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal
from fractions import Fraction
from statistics import median_low
from typing import Any

import numpy as np

from dualrandom.announcement import ratio
from dualrandom.draw import Drawn
from dualrandom.frame import Frozen
from dualrandom.masking import public_name
from dualrandom.policy.plan import Plan
from dualrandom.registry.models import Libraries
from dualrandom.visits import Visit


def decimal_six(value: Fraction) -> str:
    """Return a fraction with six digits after the point, rounded half to even."""
    scaled = Decimal(round(value * 10**6)) / 10**6
    return str(scaled.quantize(Decimal("0.000001"), rounding=ROUND_HALF_EVEN))


def overlap_bounds(frozen: Frozen) -> tuple[Fraction, Fraction]:
    """Return how many distinct enterprises independent draws would visit (exact expectation), and the fewest possible.

    With inclusion probabilities π(i, t) these are Σ_i (1 − Π_t (1 − π(i, t))) and Σ_i max_t π(i, t).
    """
    probability = {
        (task, stratum.id): stratum.expected / stratum.size
        for task, strata in frozen.strata.items()
        for stratum in strata
        if stratum.size
    }
    sizes = np.bincount(frozen.profile, minlength=len(frozen.profiles)).tolist()
    independent = fewest = Fraction(0)
    for profile, size in zip(frozen.profiles, sizes, strict=True):
        rates = [probability[key] for key in profile.items() if key in probability]
        missed = Fraction(1)
        for rate in rates:
            missed *= 1 - rate
        # one summand with 60 factors has a huge denominator: keep 40 digits, far below the six that are shown
        independent += Fraction(round((1 - missed) * 10**40), 10**40) * size
        fewest += max(rates, default=Fraction(0)) * size
    return independent, fewest


def statistics_document(
    announcement: Mapping[str, Any],
    digest_hex: str,
    frozen: Frozen,
    drawn: Drawn,
    excluded: Mapping[str, int],
    flags: Sequence[Mapping[str, str]] = (),
) -> dict[str, Any]:
    """Return ``statistics.json`` as a value; what an embargo or a seal hides stays out.

    ``excluded``: reason → number of (task, enterprise) memberships that it prevented; ``flags``: as frozen when announced.
    """
    embargo = announcement["policy"]["embargo"]
    independent, fewest = overlap_bounds(frozen)
    roster = frozen.roster
    crews_of: Counter[int] = Counter()
    days_of: dict[int, set[int]] = {}
    for crew, seats in zip(drawn.pairing.crews, drawn.pairing.attempts[-1].seats, strict=True):
        day = drawn.pairing.dates[crew.visit]
        for person in seats if day is not None else ():
            crews_of[person] += 1
            days_of.setdefault(person, set()).add(day)  # type: ignore[arg-type]
    loads = [crews_of[p] for p in range(len(roster))] or [0]
    hide_crews = embargo != "none"
    hide_visits = embargo == "visits"
    district_of = dict(zip(frozen.ids, frozen.districts, strict=True))
    return {
        "type": "dualrandom/v1/statistics",
        "announcement": digest_hex,
        "draw": announcement["draw"],
        "excluded": [{"count": excluded[reason], "reason": reason} for reason in sorted(excluded)]
        if announcement["disclosure"] == "open"
        else None,
        "flags": [dict(flag) for flag in flags],
        "frame": {"districts": _counts(Counter(frozen.districts)), "size": len(frozen.ids)},
        "load": {
            "greatest": 0 if hide_crews else max(loads),
            "least": 0 if hide_crews else min(loads),
            "median": 0 if hide_crews else median_low(loads),
        },
        "overlap": {
            "alone": sum(len(s.by_ticket) for s in drawn.selection),
            "independent": decimal_six(independent),
            "least_possible": decimal_six(fewest),
            "visited": len({visit.enterprise for visit in drawn.visits}),
        },
        "sample": []
        if hide_visits
        else _counts(
            Counter(district_of[enterprise] for enterprise in {visit.enterprise for visit in drawn.visits})
        ),
        "tasks": [
            {
                "expected": ratio(sum((s.expected for s in frozen.strata[selection.task]), Fraction(0)))
                if selection.task in frozen.strata
                else None,
                "selected": len(selection.by_ticket),
                "task": selection.task,
            }
            for selection in drawn.selection
        ],
        "undated": []
        if hide_crews
        else [
            {
                "enterprise": visit.enterprise,
                "part": visit.part,
                "reason": undated_reason(drawn, frozen, number),
            }
            for number, visit in enumerate(drawn.visits)
            if drawn.pairing.dates[number] is None
        ],
        "workload": []
        if hide_crews
        else [
            {"crews": crews_of[p], "days": len(days_of.get(p, ())), "inspector": roster[p].id}
            for p in range(len(roster))
        ],
    }


def undated_reason(drawn: Drawn, frozen: Frozen, visit: int) -> str:
    """Return why a visit found no date: ``closed``, ``seat-without-candidate`` or ``no-seatable-day``."""
    position = frozen.ids.index(drawn.visits[visit].enterprise)
    if set(drawn.pairing.days) <= set(frozen.closed[position]):
        return "closed"
    for crew, barred in zip(drawn.pairing.crews, drawn.pairing.barred, strict=True):
        if crew.visit == visit:
            able = [mask for person, mask in zip(crew.able, crew.masks, strict=True) if person not in barred]
            fillable = 0
            for mask in able:
                fillable |= mask
            if fillable != (1 << len(crew.seats)) - 1 or len(able) < len(crew.seats):
                return "seat-without-candidate"
    return "no-seatable-day"


def _counts(counter: Counter[str]) -> list[dict[str, Any]]:
    return [{"count": counter[district], "district": district} for district in sorted(counter)]


def labels_document(
    plan: Plan,
    libraries: Libraries,
    announcement: Mapping[str, Any],
    digest_hex: str,
    visits: Iterable[Visit],
    rehearsal: bool,
) -> dict[str, Any]:
    """Return ``labels.json`` as a value: names of what the published documents mention. No visits: not drawn yet."""
    visible = set() if announcement["policy"]["embargo"] == "visits" else {v.enterprise for v in visits}
    departments = {task["department"] for task in announcement["tasks"]}
    items = {item["id"] for task in announcement["tasks"] for item in task["items"]}
    is_open = announcement["disclosure"] == "open"
    return {
        "type": "dualrandom/v1/labels",
        "announcement": digest_hex,
        "authority": {"en": plan.authority_name_en, "zh": plan.authority_name},
        "departments": {
            d.id: {"en": d.name_en, "zh": d.name} for d in plan.departments if d.id in departments
        },
        "districts": {d.id: {"en": d.name_en, "zh": d.name} for d in plan.districts},
        "enterprises": {
            e.id: dict.fromkeys(("en", "zh"), public_name(e, plan))
            for e in libraries.enterprises
            if e.id in visible
        },
        "inspectors": {
            i.code: {"en": i.name, "zh": i.name} for i in libraries.inspectors if i.department in departments
        }
        if is_open
        else {},
        "items": {
            i.id: {"basis": i.basis, "en": i.name_en, "zh": i.name} for i in libraries.items if i.id in items
        },
        "rehearsal": rehearsal,
        "tasks": {t.id: {"en": t.name_en, "zh": t.name} for t in plan.tasks},
    }
