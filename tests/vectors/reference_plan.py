"""The reference's dates, plan and prices (docs/protocol.md §8.4–8.7)."""

from __future__ import annotations

import itertools
from collections.abc import Callable

from reference_lists import Json  # type: ignore[import-not-found]
from reference_visits import Visited  # type: ignore[import-not-found]


class Planned(Visited):  # type: ignore[misc]
    """Adds dates, people and prices."""

    visits: Json

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
        # without costs any path will do
        while queue and (cost or "sink" not in distance):
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
