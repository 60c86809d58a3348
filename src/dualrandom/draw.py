"""One draw as a pure function: announcement, frozen lists and seed give the result (docs/protocol.md §6–9)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dualrandom import sample
from dualrandom.announcement import ListFile, numbered, sealed_row, strata_in_order
from dualrandom.canonical import canonical
from dualrandom.controlled_rounding import two_way_sizes
from dualrandom.frame import Frozen
from dualrandom.hashing import suite_digest
from dualrandom.pairing import Attempt, Pairing, pair
from dualrandom.progress import Progress, silent
from dualrandom.ticket import Tickets
from dualrandom.visits import Visit, plan_visits


@dataclass(frozen=True)
class Selection:
    """What one task selected. ``by_ticket``: enterprise ids in ticket order; ``sizes`` and ``drawn``: stratum → n, tickets (hex)."""

    task: str
    by_ticket: tuple[str, ...]
    tickets: tuple[str, ...]
    sizes: Mapping[str, int]
    drawn: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True)
class Drawn:
    """A draw's outcome. ``result`` is ``result.json``; ``full`` the same without embargo; ``ties`` is ``ties.json`` or None."""

    result: Mapping[str, Any]
    full: Mapping[str, Any]
    ties: Mapping[str, Any] | None
    lists: Mapping[str, ListFile]
    selection: tuple[Selection, ...]
    visits: tuple[Visit, ...]
    pairing: Pairing
    tickets: Tickets


def select(announcement: Mapping[str, Any], frozen: Frozen, tickets: Tickets) -> tuple[Selection, ...]:
    """Draw the enterprises of every task, by task id; ``follows`` tasks join what their lead drew."""
    drawn = tickets.many("enterprise", frozen.keys)
    ranked = sample.ranking(frozen.ids, drawn, frozen.profile, len(frozen.profiles))
    placed = sample.profiles_of_strata(frozen.profiles)
    chosen: dict[str, Selection] = {}
    ranks_of: dict[str, list[int]] = {}
    tasks = announcement["tasks"]

    def selection(
        task: str, ranks: Sequence[int], sizes: Mapping[str, int], of: Mapping[str, Sequence[int]]
    ) -> Selection:
        positions = [int(ranked.order[rank]) for rank in ranks]
        return Selection(
            task,
            tuple(frozen.ids[p] for p in positions),
            tuple(drawn[p].hex() for p in positions),
            sizes,
            {
                stratum: tuple(drawn[int(ranked.order[rank])].hex() for rank in members)
                for stratum, members in of.items()
            },
        )

    for task in tasks:
        if task["mode"] == "own":
            name = task["id"]
            rounded = two_way_sizes if task["control"] == "two-way" else sample.sample_sizes
            sizes = rounded(name, frozen.strata[name], tickets)
            of = {
                stratum: sample.smallest(
                    sample.members(ranked, placed.get(name, {}).get(stratum, ())), size
                ).tolist()
                for stratum, size in sizes.items()
            }
            ranks_of[name] = sorted(rank for ranks in of.values() for rank in ranks)
            chosen[name] = selection(name, ranks_of[name], sizes, of)
    for task in tasks:
        if task["mode"] == "follows":
            in_scope = {p for profiles in placed.get(task["id"], {}).values() for p in profiles}
            ranks = [
                rank for rank in ranks_of[task["lead"]] if int(frozen.profile[ranked.order[rank]]) in in_scope
            ]
            chosen[task["id"]] = selection(task["id"], ranks, {}, {})
    return tuple(chosen[task] for task in sorted(chosen))


def draw_result(
    announcement: Mapping[str, Any],
    digest_hex: str,
    frozen: Frozen,
    seed: str,
    secret: bytes | None,
    progress: Progress = silent,
) -> Drawn:
    """Compute the whole result. ``secret`` (32 bytes) is required when the draw is sealed or has an embargo."""
    tickets = Tickets(seed, announcement["suite"])
    digest = suite_digest(announcement["suite"])
    is_open = announcement["disclosure"] == "open"
    progress("抽取检查对象", "drawing enterprises")
    selections = select(announcement, frozen, tickets)
    visits = plan_visits({s.task: s.by_ticket for s in selections}, announcement, tickets)
    paired = pair(announcement, frozen, visits, tickets, progress)
    progress("整理结果", "writing the result")
    lists: dict[str, ListFile] = {}
    cutoffs = None
    if not is_open:
        assert secret is not None
        lists["cutoffs"] = _cutoffs(frozen, selections, secret, digest)
        cutoffs = lists["cutoffs"].commitment(digest)
    visit_documents = _visit_documents(announcement, frozen, visits, paired)
    final = paired.attempts[-1]
    full: dict[str, Any] = {
        "type": "dualrandom/v1/result",
        "announcement": digest_hex,
        "draw": announcement["draw"],
        "seed": seed,
        "attempt": len(paired.attempts) - 1,
        "relief": [dict(step) for step in paired.relief],
        "selection": [_selection_document(s, frozen, is_open) for s in selections],
        "cutoffs": cutoffs,
        "visits": visit_documents,
        "prices": _prices_document(frozen, paired, final),
        "embargoed": None,
        "totals": _totals(announcement, visits, paired, final),
    }
    result = full
    embargo = announcement["policy"]["embargo"]
    if embargo != "none":
        assert secret is not None
        lists["visits"] = _embargoed(full, embargo, frozen.draw, secret, digest)
        result = _under_embargo(full, embargo, lists["visits"].commitment(digest))
    ties = _ties_document(digest_hex, frozen, visits, paired) if len(paired.attempts) > 1 else None
    return Drawn(result, full, ties, lists, selections, visits, paired, tickets)


def _selection_document(selection: Selection, frozen: Frozen, is_open: bool) -> dict[str, Any]:
    follows = selection.task not in frozen.strata
    strata = None
    if is_open and not follows:
        strata = [
            {"cutoff": drawn[-1] if drawn else None, "id": stratum, "n": selection.sizes[stratum]}
            for stratum, drawn in sorted(selection.drawn.items())
        ]
    return {
        "task": selection.task,
        "selected": list(selection.by_ticket) if is_open else sorted(selection.by_ticket),
        "strata": strata,
        "tickets": None if is_open or follows else sorted(selection.tickets),
    }


def _cutoffs(frozen: Frozen, selections: Sequence[Selection], secret: bytes, digest: Any) -> ListFile:
    drawn = {s.task: s.drawn for s in selections}
    strata = strata_in_order(frozen)
    rows, openings = [], []
    for row_id, (task, stratum) in zip(numbered("s", len(strata), 4), strata, strict=True):
        tickets = list(drawn[task][stratum.id])
        hidden = canonical({"n": len(tickets), "tickets": tickets})
        row, opening = sealed_row("cutoffs", row_id, hidden, secret, frozen.draw, digest)
        rows.append(row)
        openings.append(opening)
    return ListFile("cutoffs", tuple(rows), tuple(openings))


def _visit_documents(
    announcement: Mapping[str, Any], frozen: Frozen, visits: Sequence[Visit], paired: Pairing
) -> list[dict[str, Any]]:
    items = {task["id"]: [item["id"] for item in task["items"]] for task in announcement["tasks"]}
    district_of = dict(zip(frozen.ids, frozen.districts, strict=True))
    documents: list[dict[str, Any]] = []
    for visit, day in zip(visits, paired.dates, strict=True):
        documents.append(
            {
                "checks": [{"items": items[task], "task": task} for task in visit.tasks],
                "crews": [],
                "date": None if day is None else paired.days[day],
                "district": district_of[visit.enterprise],
                "enterprise": visit.enterprise,
                "part": visit.part,
            }
        )
    final = paired.attempts[-1]
    for crew, barred, seats in zip(paired.crews, paired.barred, final.seats, strict=True):
        if paired.dates[crew.visit] is not None:
            documents[crew.visit]["crews"].append(
                {
                    "barred": [frozen.roster[p].id for p in barred],
                    "department": crew.department,
                    "seats": [frozen.roster[p].id for p in seats],
                }
            )
    return documents


def _prices_document(frozen: Frozen, paired: Pairing, attempt: Attempt) -> list[dict[str, Any]]:
    documents = []
    nonzero = np.flatnonzero((attempt.period != 0) | np.any(attempt.day != 0, axis=1))
    for position in nonzero.tolist():
        days = {
            paired.days[t]: str(int(attempt.day[position, t]))
            for t in np.flatnonzero(attempt.day[position]).tolist()
        }
        documents.append(
            {
                "days": days,
                "inspector": frozen.roster[position].id,
                "period": str(int(attempt.period[position])),
            }
        )
    return documents


def _totals(
    announcement: Mapping[str, Any], visits: Sequence[Visit], paired: Pairing, final: Attempt
) -> dict[str, Any]:
    items = {task["id"]: len(task["items"]) for task in announcement["tasks"]}
    return {
        "checks": sum(items[task] for visit in visits for task in visit.tasks),
        "cost": str(final.cost),
        "crews": sum(paired.dates[crew.visit] is not None for crew in paired.crews),
        "undated": sum(day is None for day in paired.dates),
        "visits": len(visits),
    }


def _embargoed(full: Mapping[str, Any], embargo: str, draw: str, secret: bytes, digest: Any) -> ListFile:
    hidden = {"prices": canonical(full["prices"])}
    if embargo == "visits":
        hidden["selection"] = canonical(full["selection"])
    for row_id, visit in zip(numbered("v", len(full["visits"]), 5), full["visits"], strict=True):
        hidden[row_id] = canonical(visit)
    rows, openings = [], []
    for row_id in sorted(hidden):
        row, opening = sealed_row("visits", row_id, hidden[row_id], secret, draw, digest)
        rows.append(row)
        openings.append(opening)
    return ListFile("visits", tuple(rows), tuple(openings))


def _under_embargo(full: Mapping[str, Any], embargo: str, commitment: Mapping[str, Any]) -> dict[str, Any]:
    shown = ("checks", "district", "enterprise", "part")
    visits = None if embargo == "visits" else [{key: visit[key] for key in shown} for visit in full["visits"]]
    selection = None if embargo == "visits" else full["selection"]
    return {**full, "selection": selection, "visits": visits, "prices": None, "embargoed": commitment}


def _ties_document(
    digest_hex: str, frozen: Frozen, visits: Sequence[Visit], paired: Pairing
) -> dict[str, Any]:
    return {
        "type": "dualrandom/v1/ties",
        "announcement": digest_hex,
        "attempts": [
            {
                "attempt": number,
                "crews": [
                    {
                        "department": crew.department,
                        "enterprise": visits[crew.visit].enterprise,
                        "part": visits[crew.visit].part,
                        "seats": [frozen.roster[p].id for p in seats],
                    }
                    for crew, seats in zip(paired.crews, attempt.seats, strict=True)
                    if paired.dates[crew.visit] is not None
                ],
                "prices": _prices_document(frozen, paired, attempt),
            }
            for number, attempt in enumerate(paired.attempts[:-1])
        ],
    }
