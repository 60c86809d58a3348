"""A second drawing program: slow, small, and written from docs/protocol.md alone, to make records to check.

It shares no code with the package, so where it, the drawing engine and the verifier agree, three readings of the page agree.
`build(case)` returns the published files and the auditor's. A *lie* is a function that changes one intermediate value; all
that follows from it is computed honestly, so that only the check that looks at this value can find it.

    lies: announcement, frame, roster, recusals (rows before they are sealed), statement, sizes, selection, visits, barred,
          dates, plan, seats, prices, cutoffs, embargoed, result
"""

from __future__ import annotations

import hashlib
import hmac
import itertools
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

Json = Any
Lie = Callable[[Any, Any], Any]
"""Takes the record in the making and the honest value, returns the value to go on with."""


@dataclass
class Case:
    """What a draw starts from. `frame`: id → {closed, district, strata}; `roster`: id → detail and `person`; `recusals`:
    [a, b, ground]; `strata`: task → [{expected, group, id}] (size is counted); `nonces`: party → (nonce, revealed)."""

    tasks: list[dict[str, Json]]
    crews: dict[str, list[list[str]]]
    strata: dict[str, list[dict[str, Json]]]
    frame: dict[str, dict[str, Json]]
    roster: dict[str, dict[str, Json]]
    days: list[str]
    recusals: list[list[str]] = field(default_factory=list)
    nonces: dict[str, tuple[str, bool]] = field(default_factory=dict)
    policy: dict[str, Json] = field(default_factory=dict)
    sealed: bool = False
    suite: str = "sha256"
    beacon: dict[str, Json] = field(default_factory=dict)
    evidence: dict[str, Json] = field(default_factory=dict)
    open_embargoed: Callable[[str], bool] | None = None
    secret: bytes = bytes(range(32))
    announcement: dict[str, Json] = field(default_factory=dict)
    draw: str = "test-2023-000001"
    moved: str | None = None
    """Optimised calendar: the day to which visits are moved as far as that is feasible."""
    beside: Callable[[Any], dict[str, bytes]] | None = None
    """Further published files, from the finished record."""


def jcs(value: Json) -> bytes:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def ratio(value: Fraction | int | str) -> str:
    value = Fraction(value)
    return f"{value.numerator}/{value.denominator}"


class Built:
    """One record in the making; attributes keep what later steps and tests look at."""

    def __init__(self, case: Case, lies: Mapping[str, Lie]) -> None:
        self.case, self.lies = case, lies
        self.public: dict[str, bytes] = {}
        self.openings: dict[str, bytes] = {}
        self.lists: dict[str, Json] = {}
        self.draw = case.draw

    def lie(self, name: str, value: Json) -> Json:
        return self.lies[name](self, value) if name in self.lies else value

    def h(self, data: bytes) -> bytes:
        if self.case.suite == "sha256":
            return hashlib.sha256(data).digest()
        state = hashes.Hash(hashes.SM3())
        state.update(data)
        return state.finalize()

    def ticket(self, stage: str, name: str) -> str:
        return self.h(f"{self.seed}:{stage}:{name}".encode()).hex()

    # --- lists (§2)

    def tree(self, leaves: list[bytes]) -> bytes:
        if len(leaves) < 2:
            return leaves[0] if leaves else self.h(b"")
        split = 1
        while split * 2 < len(leaves):
            split *= 2
        return self.h(b"\x01" + self.tree(leaves[:split]) + self.tree(leaves[split:]))

    def salt(self, name: str, key: str) -> str:
        return hmac.new(self.case.secret, f"{self.draw}\n{name}\n{key}".encode(), "sha256").hexdigest()

    def publish(self, name: str, rows: Mapping[str, tuple[Json, Json]]) -> Json:
        """Write list `name` from id → (open detail or None, hidden or None); return its commitment."""
        written, opened = [], []
        for key in sorted(rows):
            detail, hidden = rows[key]
            row = {"id": key}
            if detail is not None:
                row["detail"] = detail
            if hidden is not None:
                salt = self.salt(name, key)
                row["sealed"] = self.h(f"dualrandom/v1/sealed\n{salt}\n".encode() + jcs(hidden)).hex()
                opened.append(jcs({"hidden": hidden, "id": key, "list": name, "salt": salt}) + b"\n")
            written.append(jcs(row))
        self.public[f"{name}.jsonl"] = b"".join(row + b"\n" for row in written)
        if opened or any(hidden is not None for _, hidden in rows.values()) or name in ("strata", "cutoffs"):
            self.openings[name] = b"".join(opened)
        return {"root": self.tree([self.h(b"\x00" + row) for row in written]).hex(), "size": len(written)}

    def list_commitments(self) -> Json:
        case = self.case
        self.frame = self.lie("frame", case.frame)
        self.roster = self.lie("roster", case.roster)
        self.recusals = self.lie("recusals", case.recusals)
        combinations = sorted({tuple(sorted(row["strata"].items())) for row in self.frame.values()})
        self.profiles = {f"p{i:04d}": dict(strata) for i, strata in enumerate(combinations, 1)}
        named = {tuple(sorted(strata.items())): name for name, strata in self.profiles.items()}
        details = {key: {k: v for k, v in row.items() if k != "person"} for key, row in self.roster.items()}
        pairs = sorted((f"{a}~{b}", a, b, ground) for a, b, ground in self.recusals)
        self.sizes = {
            (task, stratum["id"]): sum(
                row["strata"].get(task) == stratum["id"] for row in self.frame.values()
            )
            for task, strata in case.strata.items()
            for stratum in strata
        }
        self.strata = {
            task: [s | {"expected": ratio(s["expected"]), "size": self.sizes[task, s["id"]]} for s in strata]
            for task, strata in case.strata.items()
        }
        self.keys = {key: f"{key}:{self.salt('frame', key)}" if case.sealed else key for key in self.frame}
        if not case.sealed:
            frame: dict[str, tuple[Json, Json]] = {
                key: (
                    {
                        "closed": row["closed"],
                        "district": row["district"],
                        "profile": named[tuple(sorted(row["strata"].items()))],
                    },
                    None,
                )
                for key, row in self.frame.items()
            }
            return {
                "frame": self.publish("frame", frame),
                "recusals": self.publish(
                    "recusals", {pair: ({"ground": ground}, None) for pair, _, _, ground in pairs}
                ),
                "roster": self.publish("roster", {key: (detail, None) for key, detail in details.items()}),
            }
        cells = sorted((task, s["id"], s) for task, strata in self.strata.items() for s in strata)
        self.cells = [(task, name) for task, name, _ in cells]
        return {
            "frame": self.publish("frame", {key: (None, row) for key, row in self.frame.items()}),
            "recusals": self.publish(
                "recusals",
                {
                    f"r{i:06d}": (None, {"ground": ground, "pair": [a, b]})
                    for i, (_, a, b, ground) in enumerate(pairs, 1)
                },
            ),
            "roster": self.publish(
                "roster",
                {key: (detail, {"person": self.roster[key]["person"]}) for key, detail in details.items()},
            ),
            "strata": self.publish(
                "strata", {f"s{i:04d}": (None, s | {"task": task}) for i, (task, _, s) in enumerate(cells, 1)}
            ),
        }

    # --- announcement and seed (§3, §4)

    def announce(self) -> None:
        case = self.case
        lists = self.list_commitments()
        tasks = []
        for task in case.tasks:
            own = task["mode"] == "own"
            strata = self.strata.get(task["id"], [])
            total = sum((Fraction(s["expected"]) for s in strata), Fraction(0))
            tasks.append(
                task
                | {
                    "control": "one-way",
                    "lead": task.get("lead"),
                    "strata": strata if own and not case.sealed else None,
                }
                | {"total": ratio(total) if own else None}
            )
        contributions = []
        for party, (nonce, _) in sorted(case.nonces.items()):
            key = Ed25519PrivateKey.from_private_bytes(hashlib.sha256(party.encode()).digest())
            commitment = self.h(f"dualrandom/v1/nonce\n{self.draw} {party} {nonce}\n".encode()).hex()
            signed = key.sign(f"dualrandom/v1/contribution\n{self.draw} {party} {commitment}\n".encode())
            public = key.public_key().public_bytes_raw()
            contributions.append(
                {"commitment": commitment, "key": base64(public), "party": party, "signature": base64(signed)}
            )
        auditor_key = Ed25519PrivateKey.from_private_bytes(bytes(32)).public_key().public_bytes_raw()
        self.announcement: Json = {
            "type": "dualrandom/v1/announcement",
            "draw": self.draw,
            "plan": "2023-09",
            "authority": "test",
            "timezone": "Asia/Shanghai",
            "suite": case.suite,
            "disclosure": "sealed" if case.sealed else "open",
            "enterprise_ids": "free",
            "auditor": {"key": base64(auditor_key), "name": "审计局"} if case.sealed else None,
            "beacon": case.beacon,
            "contributions": contributions,
            "period": {"end": "2023-09-30", "start": "2023-09-01"},
            "days": case.days,
            "deadlines": {
                "findings": "2023-10-31T15:59:59Z",
                "result": "2023-08-31T00:00:00Z",
                "reveal": case.beacon["time"],
            },
            "lists": lists,
            "crews": [{"department": d, "seats": seats} for d, seats in sorted(case.crews.items())],
            "tasks": tasks,
            "profiles": None
            if case.sealed
            else [{"id": name, "strata": s} for name, s in self.profiles.items()],
            "policy": {
                "calendar": "lottery",
                "cross_district": False,
                "embargo": "none",
                "relief": [],
                "substitution": "none",
                "undated": "list",
                "visit_limit": None,
            }
            | case.policy,
            "rates": [self.rate(task, strata) for task, strata in sorted(self.strata.items())],
            "software": {"name": "reference", "version": "1"},
            "voids": [],
        } | case.announcement
        self.announcement = self.lie("announcement", self.announcement)
        self.public["announcement.json"] = jcs(self.announcement)
        self.digest = self.h(self.public["announcement.json"]).hex()

    def rate(self, task: str, strata: list[dict[str, Json]]) -> Json:
        filled = [s for s in strata if s["size"]]
        rates = [Fraction(s["expected"]) / s["size"] for s in filled] or [Fraction(0)]
        small = [s["id"] for s in filled if s["size"] < 5 and Fraction(s["expected"]) in (0, s["size"])]
        return {
            "greatest": ratio(max(rates)),
            "least": ratio(min(rates)),
            "small": len(small) if self.case.sealed else sorted(small),
            "task": task,
        }

    def make_seed(self) -> None:
        beacon = self.announcement["beacon"]
        evidence: dict[str, Json] = {"keystring": None, "signature": None} | self.case.evidence
        if beacon["kind"] == "drand":
            evidence["randomness"] = hashlib.sha256(bytes.fromhex(evidence["signature"])).hexdigest()
        elif beacon["kind"] == "keystring":
            evidence["randomness"] = hashlib.sha256(evidence["keystring"].encode()).hexdigest()
        document = {key: beacon[key] for key in ("kind", "round", "source")} | evidence
        self.public["beacon.json"] = jcs(self.lie("beacon", document | {"type": "dualrandom/v1/beacon"}))
        document = json.loads(self.public["beacon.json"])
        lines = [
            "dualrandom/v1/seed",
            f"announcement {self.digest}",
            f"beacon {beacon['kind']} {beacon['source']} {beacon['round']}",
            f"randomness {document['randomness']}",
        ]
        for contribution in self.announcement["contributions"]:
            party = contribution["party"]
            nonce, revealed = self.case.nonces[party]
            lines.append(
                f"contribution {party} revealed {nonce}"
                if revealed
                else f"contribution {party} withheld {contribution['commitment']}"
            )
        lines = self.lie("statement", lines)
        self.public["seed.txt"] = "".join(line + "\n" for line in lines).encode()
        self.seed = self.h(self.public["seed.txt"]).hex()

    # --- sizes and selection (§6)

    def select(self) -> None:
        self.n: dict[tuple[str, str], int] = {}
        for task, strata in self.strata.items():
            smallest = {s["group"]: min(o["id"] for o in strata if o["group"] == s["group"]) for s in strata}
            ordered = sorted(
                strata,
                key=lambda s: (smallest[s["group"]], self.ticket("order", f"{task}:{s['id']}"), s["id"]),
            )
            u = int(self.ticket("rounding", task), 16)
            total = Fraction(0)
            for stratum in ordered:
                before = (total.numerator * 2**256 + u * total.denominator) // (total.denominator * 2**256)
                total += Fraction(stratum["expected"])
                after = (total.numerator * 2**256 + u * total.denominator) // (total.denominator * 2**256)
                self.n[task, stratum["id"]] = after - before
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
        self.visits = self.lie("visits", visits)

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
            for person in sorted(self.roster)
            if any(self.fits(person, visit, department, seat) for seat in self.seats(visit, department))
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

    def run_lottery(self) -> None:
        self.known: dict[tuple[str, int], set[str]] = {}
        self.barred: dict[tuple[str, int], set[str]] = {}
        self.relief: list[Json] = []
        key = {visit["enterprise"]: self.keys[visit["enterprise"]] for visit in self.visits}
        order = sorted(
            self.visits, key=lambda v: (self.ticket("date", key[v["enterprise"]]), v["enterprise"], v["part"])
        )
        ladder = list(self.announcement["policy"]["relief"])
        while True:
            self.bar()
            for visit in order:
                if visit["date"] is None:
                    self.find_day(visit, key[visit["enterprise"]])
            if not ladder or all(visit["date"] for visit in self.visits):
                break
            self.relief.append(ladder.pop(0))
        self.move_dates()
        self.visits = self.lie("dates", self.visits)
        self.barred = self.lie("barred", self.barred)

    def move_dates(self) -> None:
        day = self.case.moved
        for visit in self.visits:
            parts = {v["date"] for v in self.visits if v["enterprise"] == visit["enterprise"]}
            closed = self.frame[visit["enterprise"]]["closed"]
            if day is None or visit["date"] is None or day in parts or day in closed:
                continue
            lottery, visit["date"] = visit["date"], day
            if cheapest(self.network(v for v in self.visits if v["date"]), self.caps, None) is None:
                visit["date"] = lottery

    def find_day(self, visit: Json, key: str) -> None:
        taken = {v["date"] for v in self.visits if v["enterprise"] == visit["enterprise"]}
        closed = self.frame[visit["enterprise"]]["closed"]
        days = [day for day in self.announcement["days"] if day not in closed and day not in taken]
        for day in sorted(days, key=lambda day: (self.ticket("day", f"{day}:{key}"), day)):
            visit["date"] = day
            if cheapest(self.network(v for v in self.visits if v["date"]), self.caps, None) is not None:
                return
        visit["date"] = None

    # --- plan and prices (§8.5, §8.7)

    def cost(self, enterprise: str, department: str, person: str) -> int:
        return int(self.ticket("pair", f"{enterprise}:{department}:{person}")[:10], 16)

    def pair(self) -> None:
        dated = [visit for visit in self.visits if visit["date"]]
        crews = self.network(dated)
        plan = cheapest(crews, self.caps, self.cost)
        assert plan is not None, "the lottery gave dates that cannot be staffed"
        self.plan = self.lie("plan", [sorted(people) for people in plan])
        people = iter(zip(crews, self.plan, strict=True))
        self.filled = []
        for visit in dated:
            visit["crews"] = []
            for department in self.departments(visit):
                (enterprise, _, date, options), members = next(people)
                seated = self.canonical_seats(enterprise, department, options, members)
                kept_out = {
                    person
                    for d, person in self.fit(visit)
                    if d == department
                    and (self.recused(person, enterprise) or person in self.barred[enterprise, visit["part"]])
                }
                visit["crews"].append({"barred": sorted(kept_out), "department": department, "seats": seated})
                self.filled.append((enterprise, department, date, options, seated))
        self.visits = self.lie("seats", self.visits)
        filled = {
            (v["enterprise"], c["department"], v["date"]): c["seats"] for v in dated for c in v["crews"]
        }
        self.filled = [(*crew[:4], filled.get(crew[:3], crew[4])) for crew in self.filled]

    def canonical_seats(
        self, enterprise: str, department: str, options: list[list[str]], members: list[str]
    ) -> list[str]:
        tickets = {p: (self.ticket("pair", f"{enterprise}:{department}:{p}"), p) for p in members}
        legal = [
            order
            for order in itertools.permutations(members)
            if all(person in seat for person, seat in zip(order, options, strict=False))
        ]
        return list(min(legal, key=lambda order: [tickets[p] for p in order], default=members))

    def prices(self) -> list[Json]:
        """The least values of §8.7 by rounds over all inequalities."""
        a = {(person, day): 0 for person in self.roster for day in self.announcement["days"]}
        period = dict.fromkeys(self.roster, 0)
        daily = {slot: sum(slot[0] in f[4] and f[2] == slot[1] for f in self.filled) for slot in a}
        for _ in range(len(a) + len(period) + 1):
            risen = False
            for enterprise, department, date, options, seated in self.filled:
                for q in {person for seat in options for person in seat} - set(seated):
                    reached = {i for i, seat in enumerate(options) if q in seat}
                    while True:
                        more = {
                            j for i in reached for j, seat in enumerate(options) if seated[i] in seat
                        } - reached
                        if not more:
                            break
                        reached |= more
                    for i in reached:
                        p = seated[i]
                        least = (
                            a[p, date]
                            + self.cost(enterprise, department, p)
                            - self.cost(enterprise, department, q)
                        )
                        if least > a[q, date]:
                            a[q, date], risen = least, True
            for (person, day), value in list(a.items()):
                if value < period[person]:
                    a[person, day], risen = period[person], True
                elif daily[person, day] < self.caps(person)[0] and period[person] < value:
                    period[person], risen = value, True
            if not risen:
                break
        found = []
        for person in sorted(self.roster):
            days = {
                d: str(a[person, d] - period[person])
                for d in self.announcement["days"]
                if a[person, d] > period[person]
            }
            if days or period[person]:
                found.append({"days": days, "inspector": person, "period": str(period[person])})
        return found

    # --- result and the documents beside it (§9, §10)

    def publish_result(self) -> None:
        embargo = self.announcement["policy"]["embargo"]
        prices = self.lie("prices", self.prices())
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
                    {"enterprise": v["enterprise"], "part": v["part"], "reason": "no-seatable-day"}
                    for v in visible
                    if v["date"] is None
                ],
                "workload": [
                    {"crews": len(loads[p]), "days": len(set(loads[p])), "inspector": p}
                    for p in loads
                    if staffed
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


def base64(data: bytes) -> str:
    import base64 as codec

    return codec.b64encode(data).decode()


def cheapest(
    crews: list[tuple[str, str, str, list[list[str]]]],
    caps: Callable[[str], tuple[int, int]],
    cost: Callable[[str, str, str], int] | None,
) -> list[list[str]] | None:
    """Fill all seats with the least total cost by successive cheapest paths (Bellman-Ford); None if they cannot be filled."""
    capacity: dict[tuple[Json, Json], int] = {}
    price: dict[tuple[Json, Json], int] = {}
    after: dict[Json, list[Json]] = {}

    def arc(u: Json, v: Json, room: int, c: int) -> None:
        if (u, v) not in capacity:
            after.setdefault(u, []).append(v)
            after.setdefault(v, []).append(u)
            capacity[u, v], capacity[v, u], price[u, v], price[v, u] = room, 0, c, -c

    seats = 0
    for number, (enterprise, department, date, options) in enumerate(crews):
        for seat, people in enumerate(options):
            seats += 1
            arc("source", ("seat", number, seat), 1, 0)
            for person in people:
                arc(("seat", number, seat), ("member", number, person), 1, 0)
                arc(
                    ("member", number, person),
                    (person, date),
                    1,
                    cost(enterprise, department, person) if cost else 0,
                )
                arc((person, date), person, caps(person)[0], 0)
                arc(person, "sink", caps(person)[1], 0)
    for _ in range(seats):
        distance, before, queue = {"source": 0}, {}, ["source"]
        while queue:
            u = queue.pop(0)
            for v in after.get(u, []):
                if capacity[u, v] > 0 and (
                    v not in distance or (cost and distance[u] + price[u, v] < distance[v])
                ):
                    distance[v], before[v] = distance[u] + price[u, v], u
                    if v not in queue:
                        queue.append(v)
        if "sink" not in distance:
            return None
        node: Json = "sink"
        while node != "source":
            capacity[before[node], node] -= 1
            capacity[node, before[node]] += 1
            node = before[node]
    return [
        [
            p
            for s, people in enumerate(options)
            for p in people
            if capacity[("member", n, p), ("seat", n, s)] > 0
        ]
        for n, (_, _, _, options) in enumerate(crews)
    ]


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
