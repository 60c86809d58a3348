"""Who is visited in the place of an excluded enterprise, when and by whom (docs/protocol.md §13.1, §13.2).

Pure: the same rows, lists and randomness give the same substitute, and nobody chooses it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from dualrandom.announcement import instant
from dualrandom.beacon import Evidence, first_round_at, round_time
from dualrandom.changes import EXCLUSIONS, NOTICE, ONLY_UNDATED, Effect, day_of
from dualrandom.crews import Barring, Crew, Eligibility, Rules
from dualrandom.errors import DualRandomError
from dualrandom.frame import Frozen
from dualrandom.hashing import Digest, hash_hex
from dualrandom.ticket import Tickets
from dualrandom.visits import Visit, plan_visits


@dataclass(frozen=True)
class NamedRound:
    """A later round of a public lottery or index, and when it is due."""

    round: str
    time: datetime


def exclude_row(
    announcement: Mapping[str, Any],
    effect: Effect,
    enterprise: str,
    reason: str,
    evidence: str | None,
    now: datetime,
    named: NamedRound | None = None,
) -> dict[str, Any]:
    """Return the next ``exclude`` row. ``evidence``: SHA-256 in hex; ``named``: the round, where the beacon is a key string.

    Raises DualRandomError: ``change-reason``, ``not-visited``, ``deregistered-is-a-finding``, ``change-too-early``,
    ``substitute-pending``, ``round-not-named``, ``round-used``.
    """
    require_reason(reason, EXCLUSIONS)
    visits = effect.of_enterprise(enterprise)
    if not visits:
        raise DualRandomError(
            code="not-visited",
            value=enterprise,
            message={
                "zh": f"{enterprise} 没有待执行的检查",
                "en": f"{enterprise} has no visit that is in effect",
            },
            remedy={
                "zh": "只有抽中（或递补）且未被排除的检查对象可以排除；请核对代码。",
                "en": "Only an enterprise that was drawn (or substituted) and not excluded can be; check its id.",
            },
        )
    if reason == ONLY_UNDATED and any(visit["date"] is not None for visit in visits):
        raise DualRandomError(
            code="deregistered-is-a-finding",
            value=enterprise,
            message={
                "zh": f"{enterprise} 在冻结与检查之间注销：这是检查结果，不是重抽的理由",
                "en": f"{enterprise} was deregistered between freeze and visit: that is a finding, not a redraw",
            },
            remedy={
                "zh": "按期登记检查结果 9（已注销）：dualrandom record。",
                "en": "Record finding 9 (deregistered) on the date of the visit: dualrandom record.",
            },
        )
    time = next_time(effect, now)
    require_nothing_due(announcement, effect, time, excluding=True)
    return {
        "beacon": _decided_by(announcement, effect, now, named),
        "enterprise": enterprise,
        "evidence": evidence,
        "number": effect.number + 1,
        "prev": effect.digest,
        "reason": reason,
        "time": time,
        "type": "exclude",
    }


def require_reason(reason: str, table: Mapping[str, Any]) -> None:
    """Raise DualRandomError ``change-reason`` for a code that the table lacks."""
    if reason in table:
        return
    zh = "、".join(f"{code}（{words.zh}）" for code, words in table.items())
    en = ", ".join(f"{code} ({words.en})" for code, words in table.items())
    raise DualRandomError(
        code="change-reason",
        value=reason,
        message={"zh": f"没有理由代码 {reason}", "en": f"there is no reason code {reason}"},
        remedy={"zh": f"可用：{zh}。", "en": f"Use one of {en}."},
    )


def next_time(effect: Effect, now: datetime) -> str:
    """Return ``now`` as the instant of the next row, or raise DualRandomError ``change-too-early``."""
    time = instant(now)
    if time >= effect.floor:
        return time
    raise DualRandomError(
        code="change-too-early",
        value=time,
        message={
            "zh": f"时刻 {time} 早于已有记录或信标 {effect.floor}",
            "en": f"{time} is before what is recorded already or before the beacon, {effect.floor}",
        },
        remedy={
            "zh": "等到那一时刻，或先递补待递补的排除（dualrandom substitute）；计算机时钟不准的，先校正。",
            "en": "Wait until then, or first substitute what is pending (dualrandom substitute); if this machine's clock is "
            "wrong, set it right.",
        },
    )


def require_nothing_due(
    announcement: Mapping[str, Any], effect: Effect, time: str, *, excluding: bool = False
) -> None:
    """Raise DualRandomError ``substitute-pending`` while a substitute is due at ``time``.

    Whoever knows the randomness must not shape what it meets (§13.2). ``excluding``: the row is an exclusion, which waits for
    no substitute that the draw's own seed decides: everybody knows that one anyway.
    """
    for exclusion, _, _ in effect.pending if announcement["policy"]["substitution"] != "none" else ():
        due = exclusion["beacon"]
        blocked = time >= due["time"] if due is not None else not excluding
        if blocked:
            raise DualRandomError(
                code="substitute-pending",
                value=exclusion["enterprise"],
                message={
                    "zh": f"{exclusion['enterprise']} 的递补尚未抽出，先要完成它",
                    "en": f"the substitute of {exclusion['enterprise']} is due and comes first",
                },
                remedy={"zh": "先运行 dualrandom substitute。", "en": "Run dualrandom substitute first."},
            )


def _decided_by(
    announcement: Mapping[str, Any], effect: Effect, now: datetime, named: NamedRound | None
) -> dict[str, str] | None:
    kind = announcement["beacon"]["kind"]
    if announcement["policy"]["substitution"] != "fresh" or kind == "local":
        return None
    if kind == "drand":
        number = first_round_at(now.replace(microsecond=0) + timedelta(seconds=1))
        return {"round": str(number), "time": instant(round_time(number))}
    if named is None or instant(named.time) <= instant(now):
        raise DualRandomError(
            code="round-not-named",
            value="" if named is None else instant(named.time),
            message={
                "zh": "须指明将来哪一期公开号码决定递补",
                "en": "the later round of the public lottery that decides the substitute must be named",
            },
            remedy={
                "zh": "用 --round 期号 --round-time 时刻 指明，须晚于现在。",
                "en": "Name it with --round ID --round-time INSTANT; it must be later than now.",
            },
        )
    if named.round.lower() in {announcement["beacon"]["round"].lower(), *effect.rounds}:
        raise DualRandomError(
            code="round-used",
            value=named.round,
            message={
                "zh": f"第 {named.round} 期已用于本次抽取或先前的排除",
                "en": f"round {named.round} decided this draw, or was named by an earlier exclusion",
            },
            remedy={
                "zh": "另指一期尚未公布、也未用过的号码。",
                "en": "Name another round that is not out yet and has not been named.",
            },
        )
    return {"round": named.round, "time": instant(named.time)}


def substitute_seed(seed: str, exclusion: str, randomness: str, digest: Digest) -> str:
    """Return the seed of a fresh substitution; ``exclusion`` is the digest of the ``exclude`` row."""
    statement = f"dualrandom/v1/substitute\nseed {seed}\nexclude {exclusion}\nrandomness {randomness}\n"
    return hash_hex(statement.encode("ascii"), digest)


def substitute_row(
    announcement: Mapping[str, Any],
    frozen: Frozen,
    full: Mapping[str, Any],
    effect: Effect,
    evidence: Evidence | None,
    names: Mapping[str, Mapping[str, str]],
    digest: Digest,
) -> dict[str, Any]:
    """Return the ``substitute`` row of the oldest pending exclusion.

    ``evidence``: of the round that the exclusion named, None under policy ``next``. ``names``: enterprise → zh, en.
    """
    exclusion, exclusion_digest, gone = effect.pending[0]
    seed = full["seed"]
    if evidence is not None:
        seed = substitute_seed(full["seed"], exclusion_digest, evidence.randomness, digest)
    tickets = Tickets(seed, announcement["suite"])
    tasks = {task["id"]: task for task in announcement["tasks"]}
    lost = sorted(
        {
            check["task"]
            for visit in gone
            for check in visit["checks"]
            if tasks[check["task"]]["mode"] == "own"
            and tasks[check["task"]]["department"] not in effect.withdrawn
        }
    )
    places = _places(frozen, effect, exclusion["enterprise"], lost, tickets)
    selected: dict[str, list[str]] = {task: [e] for task, e in places.items() if e is not None}
    profile_of = (
        {e: frozen.profiles[int(p)] for e, p in zip(frozen.ids, frozen.profile, strict=True)}
        if selected
        else {}
    )
    for task in tasks.values():
        lead = places.get(task["lead"]) if task["mode"] == "follows" else None
        if lead is not None and task["id"] in profile_of[lead] and task["department"] not in effect.withdrawn:
            selected[task["id"]] = [lead]
    first_day = day_of((exclusion["beacon"] or exclusion)["time"]) + NOTICE
    visits = _Calendar(announcement, frozen, full, effect, tickets).visits(
        plan_visits(selected, announcement, tickets), first_day.isoformat()
    )
    return {
        "evidence": None
        if evidence is None
        else {
            "keystring": evidence.keystring,
            "randomness": evidence.randomness,
            "signature": evidence.signature,
        },
        "exclude": exclusion_digest,
        "names": {visit["enterprise"]: dict(names[visit["enterprise"]]) for visit in visits},
        "number": effect.number + 1,
        "prev": effect.digest,
        "seed": seed,
        "tasks": [{"enterprise": places[task], "task": task} for task in lost],
        "type": "substitute",
        "visits": visits,
    }


def _places(
    frozen: Frozen, effect: Effect, enterprise: str, tasks: Sequence[str], tickets: Tickets
) -> dict[str, str | None]:
    """Return for each task the member of the excluded enterprise's stratum that takes its place, or None."""
    strata = frozen.profiles[int(frozen.profile[frozen.ids.index(enterprise)])]
    places: dict[str, str | None] = {}
    for task in tasks:
        profiles = {n for n, profile in enumerate(frozen.profiles) if profile.get(task) == strata[task]}
        members = [
            (key, other)
            for key, other, profile in zip(frozen.keys, frozen.ids, frozen.profile.tolist(), strict=True)
            if profile in profiles and other not in effect.visited
        ]
        drawn = tickets.many("enterprise", [key for key, _ in members])
        ranked = sorted(zip(drawn, (other for _, other in members), strict=True))
        places[task] = ranked[0][1] if ranked else None
    return places


class _Calendar:
    """Dates and crews of a substitution's visits, one visit after the other, while all other crews stay as they are."""

    def __init__(
        self,
        announcement: Mapping[str, Any],
        frozen: Frozen,
        full: Mapping[str, Any],
        effect: Effect,
        tickets: Tickets,
    ) -> None:
        self.announcement, self.frozen, self.effect, self.tickets = announcement, frozen, effect, tickets
        self.steps = full["relief"]
        self.daily, self.total = effect.loads()
        self.items = {task["id"]: [item["id"] for item in task["items"]] for task in announcement["tasks"]}

    def visits(self, planned: Sequence[Visit], first_day: str) -> list[dict[str, Any]]:
        """Return the visits as documents, in the order in which they took their dates."""
        frozen = self.frozen
        rules, crews, barred = self._staffable(planned)
        self.rules = rules
        position = {e: n for n, e in enumerate(frozen.ids)}
        key_of = {visit.enterprise: frozen.keys[position[visit.enterprise]] for visit in planned}
        order = sorted(
            range(len(planned)),
            key=lambda v: (
                self.tickets.raw("date", key_of[planned[v].enterprise]),
                planned[v].enterprise,
                planned[v].part,
            ),
        )
        documents: dict[int, dict[str, Any]] = {}
        for number in order:
            visit = planned[number]
            taken = {d["date"] for d in documents.values() if d["enterprise"] == visit.enterprise}
            closed = frozen.closed[position[visit.enterprise]]
            days = [
                day
                for day in self.announcement["days"]
                if day >= first_day and day not in closed and day not in taken
            ]
            key = key_of[visit.enterprise]
            days.sort(key=lambda day: (self.tickets.raw("day", f"{day}:{key}"), day))
            document: dict[str, Any] = {
                "checks": [{"items": self.items[task], "task": task} for task in visit.tasks],
                "crews": [],
                "date": None,
                "district": frozen.districts[position[visit.enterprise]],
                "enterprise": visit.enterprise,
                "part": visit.part,
            }
            mine = [crew for crew in crews if crew.visit == number]
            for day in days:
                filled = [self._filled(visit.enterprise, crew, barred[crew], day) for crew in mine]
                if all(seats is not None for seats in filled):
                    document["date"] = day
                    document["crews"] = [
                        {
                            "barred": sorted(frozen.roster[p].id for p in barred[crew]),
                            "department": crew.department,
                            "seats": list(seats or ()),
                        }
                        for crew, seats in zip(mine, filled, strict=True)
                    ]
                    for seats in filled:
                        for person in seats or ():
                            self.daily[person, day] += 1
                            self.total[person] += 1
                    break
            documents[number] = document
        return [documents[number] for number in order]

    def _staffable(
        self, planned: Sequence[Visit]
    ) -> tuple[Rules, tuple[Crew, ...], dict[Crew, frozenset[int]]]:
        """Return the rules with all relief used, the crews under them, and whom recusals and bars keep out of each."""
        eligibility = Eligibility(self.frozen, self.announcement)
        barring = Barring(self.frozen, planned, self.tickets)
        rules = Rules(cross_district=self.announcement["policy"]["cross_district"])
        crews = eligibility.crews(planned, rules)
        barring.extend(crews)
        for step in self.steps:
            rules = rules.relaxed(step)
            crews = eligibility.crews(planned, rules)
            barring.extend(crews)
        kept_out = {}
        for crew in crews:
            enterprise = planned[crew.visit].enterprise
            bars = barring.barred.get(crew.visit, set())
            kept_out[crew] = frozenset(
                p
                for p in crew.able
                if p in bars or (self.frozen.roster[p].id, enterprise) in self.frozen.recused
            )
        return rules, crews, kept_out

    def _filled(
        self, enterprise: str, crew: Crew, kept_out: frozenset[int], day: str
    ) -> tuple[str, ...] | None:
        """Return the crew of least tickets on a day, in seat order, or None if its seats cannot be filled."""
        roster, rules = self.frozen.roster, self.rules
        free: list[tuple[bytes, str, int]] = []
        for position, mask in zip(crew.able, crew.masks, strict=True):
            row = roster[position]
            daily = row.daily + rules.more_daily.get(row.department, 0)
            total = row.total + rules.more_total.get(row.department, 0)
            if (
                position not in kept_out
                and day not in row.absent
                and self.daily[row.id, day] < daily
                and self.total[row.id] < total
                and not self.effect.is_away(row.id, enterprise, day)
            ):
                ticket = self.tickets.raw("pair", f"{enterprise}:{crew.department}:{row.id}")
                free.append((ticket, row.id, mask))
        return least_crew(sorted(free), len(crew.seats))


def least_crew(ranked: Sequence[tuple[bytes, str, int]], seats: int) -> tuple[str, ...] | None:
    """Return the least-ticket filling in canonical seat order (§8.5, §13.2), None if the seats cannot be filled.

    ``ranked``: (ticket, id, mask of the seats that the person may take), ascending.
    """
    taken: list[tuple[bytes, str, int]] = []
    for person in ranked:
        if len(taken) == seats:
            break
        if _matching([*taken, person], range(seats)) is not None:
            taken.append(person)
    if len(taken) < seats:
        return None
    return seated(taken, seats)


def seated(members: Sequence[tuple[bytes, str, int]], seats: int) -> tuple[str, ...]:
    """Return who takes which seat: seat by seat, the smallest (ticket, id) who leaves the rest fillable."""
    rest = sorted(members)
    result: list[str] = []
    for seat in range(seats):
        for person in rest:
            others = [other for other in rest if other is not person]
            if person[2] >> seat & 1 and _matching(others, range(seat + 1, seats)) is not None:
                result.append(person[1])
                rest = others
                break
        else:
            raise AssertionError("members cannot fill their crew")
    return tuple(result)


def _matching(people: Sequence[tuple[bytes, str, int]], seats: range) -> dict[int, int] | None:
    """Return seat → person with a seat of his own for each of the people, or None (augmenting paths)."""
    holder: dict[int, int] = {}

    def place(person: int, tried: set[int]) -> bool:
        for seat in seats:
            if people[person][2] >> seat & 1 and seat not in tried:
                tried.add(seat)
                if seat not in holder or place(holder[seat], tried):
                    holder[seat] = person
                    return True
        return False

    return holder if all(place(person, set()) for person in range(len(people))) else None
