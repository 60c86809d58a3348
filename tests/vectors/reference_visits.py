"""The reference's sizes, selection, visits, and who may sit where (docs/protocol.md §6–8.3)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction

from reference_lists import Announced, Json  # type: ignore[import-not-found]
from reference_two_way import two_way  # type: ignore[import-not-found]


class Visited(Announced):  # type: ignore[misc]
    """Adds what is visited and by whom it could be."""

    # --- sizes and selection (§6)

    def one_way(self, task: str, strata: list[Json]) -> dict[str, int]:
        smallest = {s["group"]: min(o["id"] for o in strata if o["group"] == s["group"]) for s in strata}
        ordered = sorted(
            strata, key=lambda s: (smallest[s["group"]], self.ticket("order", f"{task}:{s['id']}"), s["id"])
        )
        u = int(self.ticket("rounding", task), 16)
        total = Fraction(0)
        sizes = {}
        for stratum in ordered:
            before = (total.numerator * 2**256 + u * total.denominator) // (total.denominator * 2**256)
            total += Fraction(stratum["expected"])
            after = (total.numerator * 2**256 + u * total.denominator) // (total.denominator * 2**256)
            sizes[stratum["id"]] = after - before
        return sizes

    def two_way(self, task: str, strata: list[Json]) -> dict[str, int]:
        sizes: dict[str, int] = two_way(strata, lambda k: int(self.ticket("control", f"{task}:{k}"), 16))
        return sizes

    def select(self) -> None:
        self.n: dict[tuple[str, str], int] = {}
        rounded = {
            task["id"]: self.two_way if task["control"] == "two-way" else self.one_way
            for task in self.announcement["tasks"]
        }
        for task, strata in self.strata.items():
            self.n |= {(task, stratum): n for stratum, n in rounded[task](task, strata).items()}
        self.n = self.lie("sizes", self.n)
        tickets = {key: self.ticket("enterprise", self.keys[key]) for key in self.frame}
        self.drawn = {
            (task, stratum): sorted(
                (key for key, row in self.frame.items() if row["strata"].get(task) == stratum),
                key=lambda key: (tickets[key], key),
            )[:n]
            for (task, stratum), n in self.n.items()
        }
        selected: dict[str, list[str]] = {task["id"]: [] for task in self.announcement["tasks"]}
        for (task, _), members in self.drawn.items():
            selected[task] += members
        for task in self.announcement["tasks"]:
            if task["mode"] == "follows":
                selected[task["id"]] = [
                    key
                    for key in selected[task["lead"]]
                    if self.frame[key]["strata"].get(task["id"]) == "all"
                ]
        selected = self.lie(
            "selection", {t: sorted(s, key=lambda k: (tickets[k], k)) for t, s in selected.items()}
        )
        self.selected = selected
        self.selection = []
        for task in sorted(selected):
            own, is_open = task in self.strata, not self.case.sealed
            cutoffs = {
                name: [tickets[k] for k in members]
                for (owner, name), members in self.drawn.items()
                if owner == task
            }
            self.selection.append(
                {
                    "selected": selected[task] if is_open else sorted(selected[task]),
                    "strata": [
                        {"cutoff": max(cutoffs[name], default=None), "id": name, "n": len(cutoffs[name])}
                        for name in sorted(cutoffs)
                    ]
                    if own and is_open
                    else None,
                    "task": task,
                    "tickets": sorted(tickets[key] for key in selected[task])
                    if own and not is_open
                    else None,
                }
            )
        self.cutoffs = None
        if self.case.sealed:
            rows = [
                {"n": self.n[cell], "tickets": sorted(tickets[key] for key in self.drawn[cell])}
                for cell in self.cells
            ]
            rows = self.lie("cutoffs", rows)
            self.cutoffs = self.publish(
                "cutoffs", {f"s{i:04d}": (None, row) for i, row in enumerate(rows, 1)}
            )

    # --- visits (§7)

    def make_visits(self) -> None:
        tasks = {task["id"]: task for task in self.announcement["tasks"]}
        limit = self.announcement["policy"]["visit_limit"]
        visits = []
        for key in sorted({key for members in self.selected.values() for key in members}):
            mine = [name for name in sorted(tasks) if key in self.selected[name]]
            departments = sorted({tasks[name]["department"] for name in mine})
            parts: list[list[str]] = [mine]
            if limit is not None:
                departments.sort(key=lambda d: (self.ticket("order", f"{key}:{d}"), d))
                parts = []
                for department in departments:
                    group = [name for name in mine if tasks[name]["department"] == department]
                    if not parts or self.exceeds(limit, [*parts[-1], *group], tasks):
                        parts.append([])
                    parts[-1] += group
            for part, names in enumerate(parts, 1):
                visits.append(
                    {
                        "checks": [
                            {"items": [item["id"] for item in tasks[name]["items"]], "task": name}
                            for name in sorted(names)
                        ],
                        "crews": [],
                        "date": None,
                        "district": self.frame[key]["district"] if key in self.frame else "d1",
                        "enterprise": key,
                        "part": part,
                    }
                )
        self.visits: Json = self.lie("visits", visits)

    @staticmethod
    def exceeds(limit: Json, names: list[str], tasks: Mapping[str, Json]) -> bool:
        items = [item for name in names for item in tasks[name]["items"]]
        return bool(
            (
                limit["departments"] is not None
                and len({tasks[n]["department"] for n in names}) > limit["departments"]
            )
            or (limit["checks"] is not None and len(items) > limit["checks"])
            or (
                limit["hours"] is not None
                and sum(Fraction(i["hours"]) for i in items) > Fraction(limit["hours"])
            )
        )

    # --- seats, bars, dates (§8.1–8.4, §8.6)

    def used(self, kind: str, department: str) -> int | None:
        steps = [s["amount"] for s in self.relief if s["kind"] == kind and s["department"] == department]
        return sum(steps) if steps else None

    def seats(self, visit: Json, department: str) -> list[list[str]]:
        tasks = {task["id"]: task for task in self.announcement["tasks"]}
        seats = [
            list(s) for c in self.announcement["crews"] if c["department"] == department for s in c["seats"]
        ]
        marks = {
            mark
            for check in visit["checks"]
            if tasks[check["task"]]["department"] == department
            for item in tasks[check["task"]]["items"]
            for mark in item["marks"]
        }
        for mark in sorted(marks):
            if not any(mark in seat for seat in seats):
                if [] in seats:
                    seats[seats.index([])] = [mark]
                else:
                    seats.append([mark])
        if self.used("seats", department) is not None:
            while len(seats) > 2 and [] in seats:
                del seats[max(i for i, seat in enumerate(seats) if not seat)]
        return seats

    def departments(self, visit: Json) -> list[str]:
        tasks = {task["id"]: task for task in self.announcement["tasks"]}
        return sorted({tasks[check["task"]]["department"] for check in visit["checks"]})

    def fits(self, person: str, visit: Json, department: str, seat: list[str]) -> bool:
        row = self.roster[person]
        lent = self.announcement["policy"]["cross_district"] or self.used("lend", department) is not None
        return (
            row["department"] == department
            and (lent or visit["district"] in row["districts"])
            and set(seat) <= set(row["marks"])
        )

    def fit(self, visit: Json) -> list[tuple[str, str]]:
        """(department, person) of all who fit some seat of the visit, recusals aside."""
        return [
            (department, person)
            for department in self.departments(visit)
            for seats in [self.seats(visit, department)]
            for person in sorted(self.roster)
            if any(self.fits(person, visit, department, seat) for seat in seats)
        ]

    def recused(self, person: str, enterprise: str) -> bool:
        return any([a, b] == [person, enterprise] for a, b, _ in self.recusals)

    def bar(self) -> None:
        """Bar incompatible colleagues; called again after each relief step it only adds newcomers."""
        foes: dict[str, set[str]] = {}
        for a, b, _ in self.recusals:
            if a in self.roster and b in self.roster:
                foes.setdefault(a, set()).add(b)
                foes.setdefault(b, set()).add(a)
        for visit in self.visits:
            name = (visit["enterprise"], visit["part"])
            known, barred = self.known.setdefault(name, set()), self.barred.setdefault(name, set())
            able = {(d, p) for d, p in self.fit(visit) if not self.recused(p, visit["enterprise"])}
            newcomers = [
                (self.ticket("pair", f"{visit['enterprise']}:{d}:{p}"), p) for d, p in able if p not in known
            ]
            taken = known - barred
            for _, person in sorted(newcomers):
                if foes.get(person, set()) & taken:
                    barred.add(person)
                else:
                    taken.add(person)
            known |= {person for _, person in able}

    def network(self, visits: Iterable[Json]) -> list[tuple[str, str, str, list[list[str]]]]:
        """All crews of dated visits: (enterprise, department, date, people for each seat)."""
        crews = []
        for visit in visits:
            barred = self.barred[visit["enterprise"], visit["part"]]
            for department in self.departments(visit):
                people = [
                    [
                        person
                        for person in sorted(self.roster)
                        if self.fits(person, visit, department, seat)
                        and person not in barred
                        and not self.recused(person, visit["enterprise"])
                        and visit["date"] not in self.roster[person]["absent"]
                    ]
                    for seat in self.seats(visit, department)
                ]
                crews.append((visit["enterprise"], department, visit["date"], people))
        return crews

    def caps(self, person: str) -> tuple[int, int]:
        row = self.roster[person]
        return row["daily"] + (self.used("daily", row["department"]) or 0), row["total"] + (
            self.used("total", row["department"]) or 0
        )
