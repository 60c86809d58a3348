"""A second drawing program: slow, small, and written from docs/protocol.md alone, to make records to check.

It shares no code with the package, so where it, the drawing engine and the verifier agree, three readings of the page agree.
`build(case)` returns the published files and the auditor's. A *lie* is a function that changes one intermediate value; all
that follows from it is computed honestly, so that only the check that looks at this value can find it.

    lies: announcement, frame, roster, recusals (rows before they are sealed), pairs, cells (the order of sealed lists), statement, sizes, selection, visits, barred,
          dates, plan, seats, prices, cutoffs, embargoed, result, flags

It is built up in `reference_lists` (lists, announcement, seed), `reference_visits` (selection, visits, who may sit) and
`reference_plan` (dates, plan, prices).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from fractions import Fraction

import reference_flags  # type: ignore[import-not-found]
from reference_lists import Case, Json, Lie, jcs, ratio  # type: ignore[import-not-found]
from reference_plan import Planned, cheapest  # type: ignore[import-not-found]

__all__ = ["Built", "Case", "build", "cheapest", "jcs", "ratio"]


class Built(Planned):  # type: ignore[misc]
    """One record in the making; attributes keep what later steps and tests look at."""

    # --- result and the documents beside it (§9, §10)

    def publish_result(self) -> None:
        embargo = self.announcement["policy"]["embargo"]
        prices = self.all_prices = self.lie("prices", self.prices())
        crews = [(v, c) for v in self.visits for c in v["crews"]]
        result = {
            "type": "dualrandom/v1/result",
            "announcement": self.digest,
            "draw": self.draw,
            "seed": self.seed,
            "attempt": 0,
            "relief": self.relief,
            "selection": self.selection,
            "cutoffs": self.cutoffs,
            "visits": self.visits,
            "prices": prices,
            "embargoed": None,
            "totals": {
                "checks": sum(len(check["items"]) for visit in self.visits for check in visit["checks"]),
                "cost": str(
                    sum(self.cost(v["enterprise"], c["department"], p) for v, c in crews for p in c["seats"])
                ),
                "crews": len(crews),
                "undated": sum(visit["date"] is None for visit in self.visits),
                "visits": len(self.visits),
            },
        }
        if embargo != "none":
            rows = {"prices": prices} | {f"v{i:05d}": visit for i, visit in enumerate(self.visits, 1)}
            if embargo == "visits":
                rows["selection"] = self.selection
            rows = self.lie("embargoed", rows)
            result["embargoed"] = self.publish("visits", {key: (None, row) for key, row in rows.items()})
            shown = ("checks", "district", "enterprise", "part")
            result["visits"] = (
                None if embargo == "visits" else [{k: v[k] for k in shown} for v in self.visits]
            )
            result["selection"] = None if embargo == "visits" else self.selection
            result["prices"] = None
            if self.case.open_embargoed is not None:
                opened = self.openings["visits"].splitlines(keepends=True)
                self.public["openings.jsonl"] = b"".join(
                    row for row in opened if self.case.open_embargoed(json.loads(row)["id"])
                )
        self.result = self.lie("result", result)
        self.public["result.json"] = jcs(self.result)
        self.publish_beside(embargo)

    def publish_beside(self, embargo: str) -> None:
        visible = [] if embargo == "visits" else self.visits
        staffed = [] if embargo != "none" else self.visits
        loads = {
            p: [v["date"] for v in self.visits for c in v["crews"] if p in c["seats"]]
            for p in sorted(self.roster)
        }
        counts = sorted(len(dates) for dates in loads.values()) if embargo == "none" else [0]
        task_ids = [task["id"] for task in self.announcement["tasks"]]
        districts = [row["district"] for row in self.frame.values()]
        visited = {visit["enterprise"]: visit["district"] for visit in visible}
        probability = {
            cell: Fraction(s["expected"]) / s["size"] for cell, s in self.cell_strata() if s["size"]
        }
        rates = [
            [probability[c] for c in row["strata"].items() if c in probability] for row in self.frame.values()
        ]
        missed = []
        for several in rates:
            product = Fraction(1)
            for rate in several:
                product *= 1 - rate
            missed.append(1 - product)
        self.public["statistics.json"] = jcs(
            {
                "type": "dualrandom/v1/statistics",
                "announcement": self.digest,
                "draw": self.draw,
                "excluded": None if self.case.sealed else [],
                "flags": self.lie("flags", reference_flags.flags(self)),
                "frame": {"districts": counted(districts), "size": len(self.frame)},
                "load": {
                    "greatest": counts[-1],
                    "least": counts[0],
                    "median": counts[(len(counts) - 1) // 2],
                },
                "overlap": {
                    "alone": sum(len(members) for members in self.selected.values()),
                    "independent": six(sum(missed, Fraction(0))),
                    "least_possible": six(sum((max(r, default=Fraction(0)) for r in rates), Fraction(0))),
                    "visited": len({visit["enterprise"] for visit in self.visits}),
                },
                "sample": counted(list(visited.values())),
                "tasks": [
                    {
                        "expected": next(
                            (t["total"] for t in self.announcement["tasks"] if t["id"] == task), None
                        ),
                        "selected": len(self.selected[task]),
                        "task": task,
                    }
                    for task in task_ids
                ],
                "undated": [
                    {
                        "enterprise": v["enterprise"],
                        "part": v["part"],
                        "reason": reference_flags.reason(self, v),
                    }
                    for v in staffed
                    if v["date"] is None
                ],
                "workload": [
                    {"crews": len(loads[p]), "days": len(set(loads[p])), "inspector": p}
                    for p in loads
                    if embargo == "none"
                ],
            }
        )
        self.publish_labels(visited)

    def publish_labels(self, visited: Iterable[str]) -> None:
        names = {"en": "Name", "zh": "名称"}
        items = sorted({item["id"] for task in self.announcement["tasks"] for item in task["items"]})
        self.public["labels.json"] = jcs(
            {
                "type": "dualrandom/v1/labels",
                "announcement": self.digest,
                "authority": names,
                "departments": {crew["department"]: names for crew in self.announcement["crews"]},
                "districts": dict.fromkeys((row["district"] for row in self.frame.values()), names),
                "enterprises": dict.fromkeys(visited, names),
                "inspectors": {} if self.case.sealed else dict.fromkeys(self.roster, names),
                "items": {item: names | {"basis": "依据"} for item in items},
                "rehearsal": True,
                "tasks": {task["id"]: names for task in self.announcement["tasks"]},
            }
        )

    def cell_strata(self) -> list[tuple[tuple[str, str], Json]]:
        return [((task, s["id"]), s) for task, strata in self.strata.items() for s in strata]


def counted(districts: list[str]) -> list[Json]:
    return [{"count": districts.count(d), "district": d} for d in sorted(set(districts))]


def six(value: Fraction) -> str:
    scaled = round(value * 10**6)
    return f"{scaled // 10**6}.{scaled % 10**6:06d}"


def build(case: Case, lies: Mapping[str, Lie] | None = None, *, drawn: bool = True) -> Built:
    """Return the whole record of a case, changed by the lies; with drawn=False only what is announced."""
    built = Built(case, lies or {})
    built.announce()
    built.publish_labels([])
    if drawn:
        built.make_seed()
        built.select()
        built.make_visits()
        built.run_lottery()
        built.pair()
        built.publish_result()
    if case.beside is not None:
        built.public |= case.beside(built)
    return built
