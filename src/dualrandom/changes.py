"""The rows of ``changes.jsonl``: what they mean for the visits, how they are chained, counted and warned about (docs/protocol.md §13).

Nothing here decides who takes a place: :mod:`dualrandom.substitution` and :mod:`dualrandom.replacement` do. What a department's
withdrawal may say is in :mod:`dualrandom.withdrawal`.
"""

from __future__ import annotations

import copy
import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal

from dualrandom.canonical import canonical
from dualrandom.hashing import Digest, hash_hex

Place = tuple[str, int]
"""(enterprise, part)"""
Row = Mapping[str, Any]
Reach = Literal["date", "from-date", "enterprise"]


@dataclass(frozen=True, slots=True)
class Reason:
    """The words of a reason code; ``reach``: what a replaced inspector is kept away from (None: not a replacement's reason)."""

    zh: str
    en: str
    reach: Reach | None = None


EXCLUSIONS: Mapping[str, Reason] = {
    "deregistered": Reason("已注销", "deregistered"),
    "moved-away": Reason("迁出辖区", "moved out of the district"),
    "unreachable-before-visit": Reason("检查前无法联系", "could not be reached before the visit"),
    "suspended": Reason("歇业", "business suspended"),
    "case-conflict": Reason("正在立案调查", "a case is being investigated"),
    "register-error": Reason("名录有误", "should not have been in the frame"),
    "force-majeure": Reason("不可抗力", "force majeure"),
}
ONLY_UNDATED = "deregistered"
"""A firm deregistered between freeze and visit is finding 9; only one that found no date may be excluded for it."""

REPLACEMENTS: Mapping[str, Reason] = {
    "ill": Reason("生病", "ill", "date"),
    "other-duty": Reason("另有紧急公务", "urgent duty elsewhere", "date"),
    "left": Reason("离岗", "left the department", "from-date"),
    "licence-expired": Reason("执法证失效", "licence expired", "from-date"),
    "newly-recused": Reason("新出现的回避情形", "a new ground for recusal", "enterprise"),
    "on-enterprise-application": Reason(
        "企业申请回避", "recused on the enterprise's application", "enterprise"
    ),
}

WITHDRAWALS: Mapping[str, Reason] = {
    "reorganised": Reason(
        "机构改革或职权调整", "the department, or its power to inspect, was merged or moved"
    ),
    "ordered-elsewhere": Reason("执行上级专项任务", "its inspectors are ordered elsewhere by a superior"),
    "no-inspectors": Reason("执法人员不足", "it no longer has the licensed inspectors"),
    "force-majeure": Reason("不可抗力", "force majeure"),
}

ALARM_COUNT = 3
ALARM_SHARE = 10
"""A warning needs three or more, and for departments and enterprises over one in ten."""
NOTICE = timedelta(days=2)
"""From the UTC date of the deciding moment: later than that moment's day wherever the draw takes place."""


def day_of(instant: str) -> date:
    """Return the UTC date of an instant ``YYYY-MM-DDTHH:MM:SSZ``."""
    return datetime.fromisoformat(instant).astimezone(UTC).date()


def read_rows(data: bytes) -> tuple[dict[str, Any], ...]:
    """Return the rows of a ``changes.jsonl`` of our own making, in order."""
    return tuple(json.loads(line) for line in data.splitlines())


def row_bytes(row: Row) -> bytes:
    """Return a row as it is stored, with its newline."""
    return canonical(row) + b"\n"


def kept_away(row: Row, day: str) -> Iterator[tuple[str, str, str | None, str | None]]:
    """Yield (inspector, kind, date, enterprise) of what a ``replace`` row keeps ``out`` away from; ``day`` is the visit's."""
    reach = REPLACEMENTS[row["reason"]].reach
    if reach == "enterprise":
        yield row["out"], "enterprise", None, row["enterprise"]
    elif reach is not None:
        yield row["out"], reach, day, None


@dataclass
class Effect:
    """The visits in effect after some rows, with what later rows need to know.

    ``visits``: by place, as in the result. ``source``: the seed of a visit's pair tickets where it is not the result's.
    ``visited``: all enterprises that ever had a visit. ``pending``: exclusions without substitute, as (row, digest, the
    visits it took away). ``withdrawn``: departments that left. ``rounds``: those that exclusions named, in lower case.
    ``floor``: the earliest time that a next row may have.
    """

    visits: dict[Place, dict[str, Any]]
    visited: set[str]
    floor: str
    digest: str
    number: int = 0
    source: dict[Place, str] = field(default_factory=dict)
    pending: list[tuple[Row, str, tuple[Row, ...]]] = field(default_factory=list)
    away: set[tuple[str, str, str | None, str | None]] = field(default_factory=set)
    withdrawn: set[str] = field(default_factory=set)
    rounds: set[str] = field(default_factory=set)

    def is_away(self, inspector: str, enterprise: str, day: str) -> bool:
        """Whether earlier replacements keep an inspector away from an enterprise's visit on ``day``."""
        return (
            (inspector, "date", day, None) in self.away
            or (inspector, "enterprise", None, enterprise) in self.away
            or any(
                who == inspector and kind == "from-date" and since is not None and since <= day
                for who, kind, since, _ in self.away
            )
        )

    def of_enterprise(self, enterprise: str) -> tuple[dict[str, Any], ...]:
        """Return an enterprise's visits in effect, by part."""
        return tuple(self.visits[place] for place in sorted(self.visits) if place[0] == enterprise)

    def crews_from(self, department: str, day: str) -> tuple[Place, ...]:
        """Return the places of a department's crews that have seats and stand on ``day`` or later."""
        return tuple(
            place for place, visit in sorted(self.visits.items()) if _stands_from(visit, department, day)
        )

    def loads(self) -> tuple[Counter[tuple[str, str]], Counter[str]]:
        """Return crews by (inspector, date) and by inspector."""
        daily: Counter[tuple[str, str]] = Counter()
        total: Counter[str] = Counter()
        for visit in self.visits.values():
            for crew in visit["crews"]:
                for person in crew["seats"]:
                    daily[person, visit["date"]] += 1
                    total[person] += 1
        return daily, total

    def apply(self, row: Row, digest: Digest) -> None:
        """Take account of the next row, which must be a sound one."""
        data = canonical(row)
        self.digest, self.number = hash_hex(data, digest), row["number"]
        self.floor = max(self.floor, row.get("time", self.floor))
        if row["type"] == "exclude":
            gone = self.of_enterprise(row["enterprise"])
            for visit in gone:
                del self.visits[visit["enterprise"], visit["part"]]
            self.pending.append((row, self.digest, gone))
            if row["beacon"] is not None:
                self.rounds.add(row["beacon"]["round"].lower())
        elif row["type"] == "substitute":
            exclusion = self.pending.pop(0)[0]
            if exclusion["beacon"] is not None:
                self.floor = max(self.floor, exclusion["beacon"]["time"])
            for visit in row["visits"]:
                place = visit["enterprise"], visit["part"]
                self.visits[place] = copy.deepcopy(visit)
                self.source[place] = row["seed"]
                self.visited.add(visit["enterprise"])
        elif row["type"] == "withdraw":
            for place in self.crews_from(row["department"], row["from"]):
                for crew in self.visits[place]["crews"]:
                    if crew["department"] == row["department"]:
                        crew["seats"] = []
            self.withdrawn.add(row["department"])
        else:
            visit = self.visits[row["enterprise"], row["part"]]
            crew = next(crew for crew in visit["crews"] if crew["department"] == row["department"])
            crew["seats"] = list(row["seats"])
            self.away.update(kept_away(row, visit["date"]))


def effect_of(
    announcement: Mapping[str, Any],
    full: Mapping[str, Any],
    result: bytes,
    rows: Iterable[Row],
    digest: Digest,
) -> Effect:
    """Return the visits in effect. ``full``: the result without embargo; ``result``: the bytes of ``result.json``."""
    effect = Effect(
        visits={(v["enterprise"], v["part"]): copy.deepcopy(v) for v in full["visits"]},
        visited={v["enterprise"] for v in full["visits"]},
        floor=announcement["beacon"]["time"],
        digest=hash_hex(result, digest),
    )
    for row in rows:
        effect.apply(row, digest)
    return effect


Visits = Mapping[Place, dict[str, Any]]


def effective_visits(full: Mapping[str, Any], rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Return the visits in effect by (enterprise, part): the result's, changed by ``rows``."""
    visits = _by_place(full)
    for row in rows:
        visits = _changed(visits, row)
    return [visits[place] for place in sorted(visits)]


def _by_place(full: Mapping[str, Any]) -> Visits:
    return {(v["enterprise"], v["part"]): v for v in full["visits"]}


def _changed(visits: Visits, row: Row) -> Visits:
    """Return the visits after one more row; those that it does not change are the same objects."""
    if row["type"] == "exclude":
        return {place: v for place, v in visits.items() if place[0] != row["enterprise"]}
    if row["type"] == "substitute":
        return {**visits, **_by_place(row)}
    department = row["department"]
    if row["type"] == "withdraw":
        gone = {
            place: _reseated(v, department, [])
            for place, v in visits.items()
            if _stands_from(v, department, row["from"])
        }
        return {**visits, **gone}
    place = row["enterprise"], row["part"]
    return {**visits, place: _reseated(visits[place], department, row["seats"])}


def _reseated(visit: dict[str, Any], department: str, seats: Sequence[str]) -> dict[str, Any]:
    crews = [
        {**crew, "seats": list(seats)} if crew["department"] == department else crew
        for crew in visit["crews"]
    ]
    return {**visit, "crews": crews}


def unfilled_crews(full: Mapping[str, Any], rows: Iterable[Row]) -> dict[str, tuple[Place, ...]]:
    """Return department → the places of the crews that its withdrawal left unfilled, whatever became of the visits later."""
    visits = _by_place(full)
    found: dict[str, tuple[Place, ...]] = {}
    for row in rows:
        after = _changed(visits, row)
        if row["type"] == "withdraw":
            found[row["department"]] = tuple(
                place for place in sorted(visits) if after[place] is not visits[place]
            )
        visits = after
    return found


def is_filled(visit: Mapping[str, Any], department: str) -> bool:
    """Whether a department's crew of a visit in effect has inspectors: after a withdrawal it has none."""
    return any(crew["department"] == department and crew["seats"] for crew in visit["crews"])


def _stands_from(visit: Mapping[str, Any], department: str, day: str) -> bool:
    """Whether a withdrawal from ``day`` on would leave the department's crew of a visit unfilled."""
    return visit["date"] is not None and visit["date"] >= day and is_filled(visit, department)


def effective_result(full: Mapping[str, Any], rows: Sequence[Row]) -> dict[str, Any]:
    """Return the result with the visits in effect in the place of its own."""
    return {**full, "visits": effective_visits(full, rows)} if rows else dict(full)


@dataclass(frozen=True, slots=True)
class Counts:
    """What the public is told about changes: numbers by code, department and inspector."""

    exclusions: Mapping[str, int]
    pending: int
    """Exclusions that no substitute answers yet, or ever under policy ``none``."""
    substituted: int
    """Places of tasks that were filled again."""
    exhausted: int
    """Places of tasks for which the stratum held nobody any more."""
    replacements: Mapping[str, int]
    departments: Mapping[str, int]
    inspectors: Mapping[str, int]
    """By the roster id of who was replaced."""
    withdrawals: Mapping[str, int]
    unfilled: int
    """Crews that withdrawals left unfilled."""


def counts_of(full: Mapping[str, Any], rows: Sequence[Row]) -> Counts:
    """Count changes. ``full``: the result without embargo."""
    excluded = [row for row in rows if row["type"] == "exclude"]
    places = [place for row in rows if row["type"] == "substitute" for place in row["tasks"]]
    replaced = [row for row in rows if row["type"] == "replace"]
    return Counts(
        exclusions=_counted(row["reason"] for row in excluded),
        pending=len(excluded) - sum(row["type"] == "substitute" for row in rows),
        substituted=sum(place["enterprise"] is not None for place in places),
        exhausted=sum(place["enterprise"] is None for place in places),
        replacements=_counted(row["reason"] for row in replaced),
        departments=_counted(row["department"] for row in replaced),
        inspectors=_counted(row["out"] for row in replaced),
        withdrawals=_counted(row["reason"] for row in rows if row["type"] == "withdraw"),
        unfilled=sum(map(len, unfilled_crews(full, rows).values())),
    )


def _counted(words: Iterable[str]) -> dict[str, int]:
    return dict(sorted(Counter(words).items()))


def alarms(full: Mapping[str, Any], rows: Sequence[Row]) -> tuple[tuple[str, str], ...]:
    """Return a sentence in Chinese and English for each unusual repetition (§13.5)."""
    counts = counts_of(full, rows)
    found: list[tuple[str, str]] = []
    for inspector, count in counts.inspectors.items():
        if count >= ALARM_COUNT:
            found.append(
                (f"人员 {inspector} 已被替换 {count} 次", f"inspector {inspector} was replaced {count} times")
            )
    seats: Counter[str] = Counter()
    for visit in full["visits"]:
        for crew in visit["crews"]:
            seats[crew["department"]] += len(crew["seats"])
    for department, count in counts.departments.items():
        if count >= ALARM_COUNT and count * ALARM_SHARE > seats[department]:
            found.append(
                (
                    f"部门 {department} 的 {seats[department]} 个席位中已替换 {count} 个",
                    f"department {department} replaced {count} of its {seats[department]} seats",
                )
            )
    visited, excluded = len({v["enterprise"] for v in full["visits"]}), sum(counts.exclusions.values())
    if excluded >= ALARM_COUNT and excluded * ALARM_SHARE > visited:
        found.append(
            (
                f"抽中的 {visited} 户中已排除 {excluded} 户",
                f"{excluded} of the {visited} drawn enterprises were excluded",
            )
        )
    return tuple(found)
