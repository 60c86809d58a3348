"""Departments that leave after the announcement, and findings that commit to what they leave out (docs/protocol.md §10, 13.4).

`beside`, `before` and `alone` tell the stories of the vectors; lies are those of reference_changes.py, and `sealed` (a finding's hash).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from reference_changes import Changed, document  # type: ignore[import-not-found]
from reference_lists import jcs  # type: ignore[import-not-found]

Json = Any
LETTER = "e" * 64
"""The hash of a letter that nobody has to see."""


def filled(found: Any, department: str) -> list[Json]:
    """The visits in effect in which a department's crew has seats, by date."""
    seated = [
        visit
        for visit in found.visits.values()
        if visit["date"] and any(c["department"] == department and c["seats"] for c in visit["crews"])
    ]
    return sorted(seated, key=lambda v: (v["date"], v["enterprise"], v["part"]))


def ranked(built: Any) -> list[str]:
    """The drawn enterprises, those with the most tasks first."""
    return [v["enterprise"] for v in sorted(built.visits, key=lambda v: (-len(v["checks"]), v["enterprise"]))]


def after(built: Any, day: str) -> str:
    """The next of the days."""
    return str(next(one for one in built.announcement["days"] if one > day))


def story(found: Any) -> dict[str, bytes]:
    """One firm falls out, a department leaves, a firm that it would have visited falls out as well; both are substituted without it.

    Then somebody is replaced, and another department leaves in the last second (UTC) of its first day.
    """
    built = found.built
    found.exclude(ranked(built)[1], "moved-away", "2023-08-23T15:59:25Z")
    since = after(built, filled(found, "fire")[0]["date"])
    gone = next(visit["enterprise"] for visit in filled(found, "fire") if visit["date"] >= since)
    found.withdraw("fire", since, "reorganised", "2023-08-23T15:59:25Z", LETTER)
    found.exclude(gone, "suspended", "2023-08-23T15:59:26Z")
    found.substitute()
    found.substitute()
    seat = found.lie("seat", next(s for s in found.seats() if found.candidates(*s)))
    found.replace(*seat, "left", "2023-08-30T01:00:00Z")
    found.withdraw("amr", "2023-09-06", "no-inspectors", "2023-09-06T23:59:59Z")
    return dict(document(found) | findings(found))


def before(found: Any) -> dict[str, bytes]:
    """A department leaves at once. Of a firm that it alone would have visited nothing is left to substitute."""
    nothing_left(found)
    found.exclude(ranked(found.built)[0], "unreachable-before-visit", "2023-08-24T02:00:00Z")
    found.substitute()
    return dict(document(found))


def nothing_left(found: Any) -> dict[str, bytes]:
    """The same of that one firm alone: even of a sealed draw the public can check all of it."""
    built = found.built
    alone = next(v for v in built.visits if len(v["crews"]) == 1)
    left, days = alone["crews"][0]["department"], built.announcement["days"]
    found.withdraw(left, days[0], "force-majeure", "2023-08-24T01:00:00Z")
    found.exclude(alone["enterprise"], "unreachable-before-visit", "2023-08-24T02:00:00Z")
    found.substitute()
    return dict(document(found))


def alone(found: Any) -> dict[str, bytes]:
    """A department's last days fall away; who is free because of that takes a colleague's place on an earlier one."""
    found.withdraw("amr", "2023-09-06", "ordered-elsewhere", "2023-08-24T01:00:00Z", LETTER)
    seat = next(s for s in found.seats() if freed(found, s))
    found.replace(*seat, "ill", "2023-08-25T01:00:00Z")
    return dict(document(found))


def drawn(found: Any, person: str) -> int:
    """How many crews of the result seat somebody."""
    return sum(person in crew["seats"] for visit in found.built.visits for crew in visit["crews"])


def freed(found: Any, seat: Any) -> bool:
    """Whether the best who could come had no room before the withdrawal."""
    best = found.candidates(*seat)[:1]
    return any(drawn(found, person) >= found.built.caps(person)[1] for person in best)


def sealed(found: Any, row: Json, number: int) -> str:
    """A finding's hash: of words and attachments that the authority keeps."""
    words = {key: row[key] for key in ("code", "date", "enterprise", "item", "method", "part", "task")}
    hidden = words | {"attachments": ["a" * 64, "b" * 64], "text": "二层安全出口锁闭。", "version": number}
    text = f"dualrandom/v1/sealed\n{number:064x}\n"
    return str(found.built.h(text.encode() + jcs(hidden)).hex())


def findings(found: Any) -> dict[str, bytes]:
    """Findings of the first crew that has people: one that was corrected, each version with its hash; one of another item without."""
    of = {t["id"]: t["department"] for t in found.built.announcement["tasks"]}
    visit = next(
        v for _, v in sorted(found.visits.items()) if v["date"] and any(c["seats"] for c in v["crews"])
    )
    seats = {crew["department"]: crew["seats"] for crew in visit["crews"]}
    checks = [(c["task"], item) for c in visit["checks"] if seats[of[c["task"]]] for item in c["items"]]
    rows = []
    for number, (task, item) in enumerate(checks[:2]):
        row = {
            "code": "1",
            "date": visit["date"],
            "enterprise": visit["enterprise"],
            "item": item,
            "method": "on-site",
            "part": visit["part"],
            "reason": None,
            "revision": 1,
            "task": task,
        }
        if number == 0:
            corrected = row | {"code": "E", "reason": "复核后更正 corrected on review", "revision": 2}
            rows += [
                row | {"sealed": sealed(found, row, 1)},
                corrected | {"sealed": sealed(found, corrected, 3)},
            ]
        else:
            rows.append(row)
    value = {
        "announcement": found.built.digest,
        "draw": found.built.draw,
        "findings": found.lie("findings", rows),
        "type": "dualrandom/v1/findings",
    }
    return {"findings.json": jcs(value)}


def beside(
    tell: Callable[[Any], dict[str, bytes]] = story, lies: Mapping[str, Any] | None = None
) -> Callable[[Any], dict[str, bytes]]:
    """What a case publishes beside its result."""
    return lambda built: tell(Changed(built, lies or {}))
