"""The reference's changes after the draw (docs/protocol.md §13): brute force over crews, written from the page alone.

`Changed` makes rows one after the other; `beside` tells the story of the vectors, and reference_withdrawals.py that of departments
that leave.

    lies: exclude, signature, evidence, seed, tasks, visits, substituted (the row), replace (those who may come, best first),
          replaced (the row), chain (the finished rows), found (the visit that has a finding), withdraw (the row), emptied (the
          places that it empties), left (whose own tasks take no part in a substitution), following (whose joint tasks)
"""

from __future__ import annotations

import copy
import hashlib
import itertools
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any

from reference_lists import jcs  # type: ignore[import-not-found]

Json = Any
GENESIS, PERIOD = 1692803367, 3
ROUND_1001 = (
    "b33bf3667cbd5a82de3a24b4e0e9fe5513cc1a0e840368c6e31f5fcfa79bea03f73896b25883abf2853d10337fb8fa41"
)
"""The real signature of quicknet's round 1001 (public randomness)."""
NAMES = {"en": "Name", "zh": "名称"}
DATE, LATER, FIRM = (
    ("ill", "other-duty"),
    ("left", "licence-expired"),
    ("newly-recused", "on-enterprise-application"),
)


@cache  # a round's number is counted up from the first one's moment
def moment(text: str) -> datetime:
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=UTC)


class Changed:
    """The visits in effect, and the rows so far."""

    def __init__(self, built: Any, lies: Mapping[str, Callable[[Any, Json], Any]]) -> None:
        self.built, self.lies = built, lies
        self.visits = {(v["enterprise"], v["part"]): copy.deepcopy(v) for v in built.visits}
        self.views = dict.fromkeys(self.visits, built)
        self.visited = {enterprise for enterprise, _ in self.visits}
        self.pending: list[tuple[Json, str, list[Json]]] = []
        self.away: list[tuple[str, str, str, str]] = []
        self.left: list[str] = []
        self.rows: list[Json] = []
        self.digest = built.h(built.public["result.json"]).hex()

    def lie(self, name: str, value: Json) -> Json:
        return self.lies[name](self, value) if name in self.lies else value

    def append(self, row: Json) -> Json:
        row = row | {"number": len(self.rows) + 1, "prev": self.digest}
        self.digest = self.built.h(jcs(row)).hex()
        self.rows.append(row)
        return row

    def view(self, seed: str) -> Any:
        """The record with another seed for its tickets."""
        other = copy.copy(self.built)
        other.seed, other.known, other.barred = seed, {}, {}
        return other

    # --- who is free

    def free(self, person: str, visit: Json, day: str) -> bool:
        seats = [(v["date"], p) for v in self.visits.values() for c in v["crews"] for p in c["seats"]]
        daily, total = self.built.caps(person)
        return (
            day not in self.built.roster[person]["absent"]
            and sum(seat == (day, person) for seat in seats) < daily
            and sum(p == person for _, p in seats) < total
            and not any(
                who == person
                and (
                    (reason in DATE and since == day)
                    or (reason in LATER and since <= day)
                    or (reason in FIRM and firm == visit["enterprise"])
                )
                for who, reason, since, firm in self.away
            )
        )

    def options(self, visit: Json, department: str, people: Sequence[str]) -> list[list[str]]:
        return [
            [p for p in people if self.built.fits(p, visit, department, seat)]
            for seat in self.built.seats(visit, department)
        ]

    @staticmethod
    def seatable(options: list[list[str]], people: Sequence[str]) -> bool:
        return len(people) == len(options) and any(
            all(p in seat for p, seat in zip(order, options, strict=True))
            for order in itertools.permutations(people)
        )

    # --- rows

    def exclude(self, enterprise: str, reason: str, time: str) -> None:
        beacon = None
        kind = self.built.announcement["beacon"]["kind"]
        if self.built.announcement["policy"]["substitution"] == "fresh" and kind == "drand":
            number = 1
            while GENESIS + (number - 1) * PERIOD <= moment(time).timestamp():
                number += 1
            due = datetime.fromtimestamp(GENESIS + (number - 1) * PERIOD, UTC)
            beacon = {"round": str(number), "time": f"{due:%Y-%m-%dT%H:%M:%SZ}"}
        if self.built.announcement["policy"]["substitution"] == "fresh" and kind == "keystring":
            named = sum(row["type"] == "exclude" for row in self.rows)
            beacon = {"round": f"2023-08-{24 + named}", "time": f"2023-08-{24 + named}T13:15:00Z"}
        row = {
            "beacon": beacon,
            "enterprise": enterprise,
            "evidence": "e" * 64,
            "reason": reason,
            "time": time,
            "type": "exclude",
        }
        row = self.append(self.lie("exclude", row))
        gone = [v for v in self.visits.values() if v["enterprise"] == row["enterprise"]]
        self.visits = {k: v for k, v in self.visits.items() if k[0] != row["enterprise"]}
        self.pending.append((row, self.digest, gone))

    def substitute(self) -> None:
        built = self.built
        row, digest, gone = self.pending.pop(0)
        seed, evidence = built.seed, None
        if built.announcement["policy"]["substitution"] == "fresh":
            evidence = self.lie("evidence", self.evidence())
            randomness = evidence["randomness"]
            text = f"dualrandom/v1/substitute\nseed {seed}\nexclude {digest}\nrandomness {randomness}\n"
            seed = built.h(text.encode()).hex()
        seed = self.lie("seed", seed)
        view = self.view(seed)
        department_of = {t["id"]: t["department"] for t in built.announcement["tasks"]}
        left, following = self.lie("left", self.left), self.lie("following", self.left)
        own = sorted({c["task"] for v in gone for c in v["checks"] if c["task"] in built.strata})
        own = [task for task in own if department_of[task] not in left]
        tasks = []
        for task in own:
            mine = (
                built.frame[row["enterprise"]]["strata"][task] if row["enterprise"] in built.frame else None
            )
            ranked = sorted(
                (view.ticket("enterprise", built.keys[key]), key)
                for key, other in built.frame.items()
                if other["strata"].get(task) == mine and key not in self.visited
            )
            tasks.append({"enterprise": ranked[0][1] if ranked else None, "task": task})
        tasks = self.lie("tasks", tasks)
        view.selected = {t["id"]: [] for t in built.announcement["tasks"]}
        for place in tasks:
            if place["enterprise"]:
                view.selected[place["task"]].append(place["enterprise"])
        for task in built.announcement["tasks"]:
            if task["mode"] == "follows" and task["department"] not in following:
                view.selected[task["id"]] = [
                    k
                    for k in view.selected[task["lead"]]
                    if built.frame[k]["strata"].get(task["id"]) == "all"
                ]
        view.lies = {}
        view.make_visits()
        view.relief = []
        view.bar()
        for step in built.relief:
            view.relief = [*view.relief, step]
            view.bar()
        moment_of = moment((row["beacon"] or row)["time"])
        first = f"{moment_of + timedelta(days=2):%Y-%m-%d}"
        order = sorted(
            view.visits,
            key=lambda v: (view.ticket("date", built.keys[v["enterprise"]]), v["enterprise"], v["part"]),
        )
        for visit in order:
            self.find_day(view, visit, first)
            self.visits[visit["enterprise"], visit["part"]] = visit
            self.views[visit["enterprise"], visit["part"]] = view
        visits = self.lie("visits", order)
        for visit in visits:
            self.visits[visit["enterprise"], visit["part"]] = visit
            self.visited.add(visit["enterprise"])
        answer = {
            "evidence": evidence,
            "exclude": digest,
            "names": {visit["enterprise"]: NAMES for visit in visits},
            "seed": seed,
            "tasks": tasks,
            "type": "substitute",
            "visits": copy.deepcopy(visits),
        }
        self.append(self.lie("substituted", answer))

    def evidence(self) -> Json:
        """The later randomness, of the kind that the draw uses."""
        kind = self.built.announcement["beacon"]["kind"]
        if kind == "drand":
            signature = self.lie("signature", ROUND_1001)
            randomness = hashlib.sha256(bytes.fromhex(signature)).hexdigest()
            return {"keystring": None, "randomness": randomness, "signature": signature}
        if kind == "keystring":
            numbers = "1.9.17.22.30.33./"
            randomness = hashlib.sha256(numbers.encode()).hexdigest()
            return {"keystring": numbers, "randomness": randomness, "signature": None}
        randomness = hashlib.sha256(f"local {len(self.rows)}".encode()).hexdigest()
        return {"keystring": None, "randomness": randomness, "signature": None}

    def kept_out(self, view: Any, visit: Json, department: str) -> list[str]:
        enterprise = visit["enterprise"]
        bars = view.barred[enterprise, visit["part"]]
        return sorted(
            p for d, p in view.fit(visit) if d == department and (view.recused(p, enterprise) or p in bars)
        )

    def find_day(self, view: Any, visit: Json, first: str) -> None:
        key = self.built.keys[visit["enterprise"]]
        closed = self.built.frame[visit["enterprise"]]["closed"]
        taken = {v["date"] for v in self.visits.values() if v["enterprise"] == visit["enterprise"]}
        days = [
            d for d in self.built.announcement["days"] if d >= first and d not in closed and d not in taken
        ]
        for day in sorted(days, key=lambda d: (view.ticket("day", f"{d}:{key}"), d)):
            crews = []
            for department in view.departments(visit):
                out = self.kept_out(view, visit, department)
                able = [
                    p
                    for d, p in view.fit(visit)
                    if d == department and p not in out and self.free(p, visit, day)
                ]
                options = self.options(visit, department, able)
                ticket = {
                    p: int(view.ticket("pair", f"{visit['enterprise']}:{department}:{p}"), 16) for p in able
                }
                teams = [
                    (sum(ticket[p] for p in team), team)
                    for team in itertools.combinations(able, len(options))
                    if self.seatable(options, team)
                ]
                if not teams:
                    break
                seats = view.canonical_seats(visit["enterprise"], department, options, list(min(teams)[1]))
                crews.append({"barred": out, "department": department, "seats": seats})
            else:
                visit["date"], visit["crews"] = day, crews
                return

    def candidates(self, place: tuple[str, int], department: str, seat: int) -> list[str]:
        """Who could take a seat, best first."""
        view, visit = self.views[place], self.visits[place]
        crew = next(c for c in visit["crews"] if c["department"] == department)
        rest = [p for p in crew["seats"] if p != crew["seats"][seat]]
        prices = {p["inspector"]: p for p in self.built.all_prices}

        def adjusted(person: str) -> tuple[int, str, str]:
            ticket = view.ticket("pair", f"{place[0]}:{department}:{person}")
            price = prices.get(person, {"days": {}, "period": "0"})
            surcharge = int(price["period"]) + int(price["days"].get(visit["date"], "0"))
            return int(ticket[:10], 16) + surcharge, ticket, person

        ranked = sorted(
            adjusted(p)
            for p in sorted({p for d, p in view.fit(visit) if d == department})
            if p not in crew["seats"]
            and p not in crew["barred"]
            and self.free(p, visit, visit["date"])
            and self.seatable(self.options(visit, department, [*rest, p]), [*rest, p])
        )
        return [p for _, _, p in ranked]

    def seats(self) -> list[tuple[tuple[str, int], str, int]]:
        """Every seat in effect as (visit, department, seat)."""
        return [
            (place, crew["department"], seat)
            for place in sorted(self.visits)
            for crew in self.visits[place]["crews"]
            for seat in range(len(crew["seats"]))
        ]

    def replace(self, place: tuple[str, int], department: str, seat: int, reason: str, time: str) -> None:
        view, visit = self.views[place], self.visits[place]
        crew = next(c for c in visit["crews"] if c["department"] == department)
        out = crew["seats"][seat]
        rest = [p for p in crew["seats"] if p != out]
        self.now = place, department, seat
        come = self.lie("replace", self.candidates(place, department, seat))[0]
        members = [*rest, come]
        options = self.options(visit, department, members)
        seats = view.canonical_seats(place[0], department, options, members)
        row = {
            "department": department,
            "enterprise": place[0],
            "in": come,
            "out": out,
            "part": place[1],
            "reason": reason,
            "seat": seat,
            "seats": seats,
            "time": time,
            "type": "replace",
        }
        self.append(self.lie("replaced", row))
        crew["seats"] = seats
        self.away.append((out, reason, visit["date"], place[0]))

    def withdraw(
        self, department: str, since: str, reason: str, time: str, evidence: str | None = None
    ) -> None:
        row = {
            "department": department,
            "evidence": evidence,
            "from": since,
            "reason": reason,
            "time": time,
            "type": "withdraw",
        }
        row = self.append(self.lie("withdraw", row))
        ours = row.get("department")
        emptied = [
            place
            for place, visit in self.visits.items()
            if visit["date"] and visit["date"] >= row["from"]
            for crew in visit["crews"]
            if crew["department"] == ours
        ]
        for place in self.lie("emptied", emptied):
            for crew in self.visits[place]["crews"]:
                if crew["department"] == ours:
                    crew["seats"] = []
        self.left.append(ours)


def rechained(found: Changed, rows: list[Json]) -> list[Json]:
    """The rows numbered and chained anew; substitutes go on naming their exclusions."""
    digest = found.built.h(found.built.public["result.json"]).hex()
    renamed: dict[str, str] = {}
    made = []
    for number, row in enumerate(rows, 1):
        before = found.built.h(jcs(row)).hex()
        chained = row | {"number": number, "prev": digest}
        if row["type"] == "substitute":
            chained["exclude"] = renamed.get(row["exclude"], row["exclude"])
        digest = renamed[before] = found.built.h(jcs(chained)).hex()
        made.append(chained)
    return made


def story(found: Changed, early: bool = False) -> dict[str, bytes]:
    """Two enterprises fall out, two substitutions answer, two inspectors are replaced; findings of a substitute.

    `early`: the first inspector is replaced after the round is due and before the substitutes are there.
    """
    # the visits with the most tasks, so that several tasks lose one enterprise
    ranked = sorted(found.built.visits, key=lambda v: (-len(v["checks"]), v["enterprise"]))
    found.exclude(ranked[1]["enterprise"], "moved-away", "2023-08-23T15:59:25Z")
    found.exclude(ranked[0]["enterprise"], "suspended", "2023-08-23T15:59:26Z")
    if not early:
        found.substitute()
        found.substitute()
    seats = [seat for seat in found.seats() if found.candidates(*seat)]
    seats.sort(key=lambda seat: (len(found.candidates(*seat)) < 2, not outsiders(found, seat)))
    found.replace(*seats[0], "left", "2023-08-30T01:00:00Z")
    found.replace(
        *next(s for s in found.seats() if found.candidates(*s)), "newly-recused", "2023-08-31T01:00:00Z"
    )
    if early:
        found.substitute()
        found.substitute()
    return document(found) | findings(found)


def alone(built: Any) -> dict[str, bytes]:
    """Two exclusions that nobody takes the place of, and one replacement."""
    found = Changed(built, {})
    ranked = sorted(built.visits, key=lambda v: (-len(v["checks"]), v["enterprise"]))
    found.exclude(ranked[0]["enterprise"], "register-error", "2023-08-24T02:00:00Z")
    found.exclude(ranked[1]["enterprise"], "force-majeure", "2023-08-24T02:00:00Z")
    found.replace(*next(s for s in found.seats() if found.candidates(*s)), "ill", "2023-08-25T01:00:00Z")
    return document(found)


def pending(built: Any) -> dict[str, bytes]:
    """An exclusion whose round is not out yet, and a replacement before it."""
    found = Changed(built, {})
    found.replace(
        *next(s for s in found.seats() if found.candidates(*s)), "other-duty", "2023-08-23T15:59:25Z"
    )
    ranked = sorted(found.visits.values(), key=lambda v: (-len(v["checks"]), v["enterprise"]))
    found.exclude(ranked[0]["enterprise"], "unreachable-before-visit", "2023-08-23T15:59:26Z")
    return document(found)


def outsiders(found: Changed, seat: tuple[tuple[str, int], str, int]) -> list[str]:
    """Who fits a seat and is kept out of its crew by a recusal or a bar."""
    place, department, position = seat
    visit = found.visits[place]
    crew = next(c for c in visit["crews"] if c["department"] == department)
    needed = found.built.seats(visit, department)[position]
    return [p for p in crew["barred"] if found.built.fits(p, visit, department, needed)]


def findings(found: Changed) -> dict[str, bytes]:
    """A finding of a substitute's visit."""
    added = [v for row in found.rows if row["type"] == "substitute" for v in row["visits"] if v["date"]]
    visit = found.lie("found", added[0])
    check = visit["checks"][0]
    row = {
        "code": "1",
        "date": visit["date"],
        "enterprise": visit["enterprise"],
        "item": check["items"][0],
        "method": "on-site",
        "part": visit["part"],
        "reason": None,
        "revision": 1,
        "task": check["task"],
    }
    value = {
        "announcement": found.built.digest,
        "draw": found.built.draw,
        "findings": [row],
        "type": "dualrandom/v1/findings",
    }
    return {"findings.json": jcs(value)}


def beside(lies: Mapping[str, Any] | None = None, early: bool = False) -> Callable[[Any], dict[str, bytes]]:
    """What a case publishes beside its result."""
    return lambda built: story(Changed(built, lies or {}), early)


def document(found: Changed) -> dict[str, bytes]:
    """Return changes.jsonl, one row a line."""
    rows = found.lie("chain", found.rows)
    return {"changes.jsonl": b"".join(jcs(row) + b"\n" for row in rows)}
