"""Lies about changes after the draw: exclusions, substitutes and replacements (docs/protocol.md §13)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import reference_changes as changed  # type: ignore[import-not-found]
from cases import ROUND_1000  # type: ignore[import-not-found]
from lies import Json, change, edit, jcs  # type: ignore[import-not-found]

OPEN, SEALED = "open-changed", "sealed-changed"
Tell = Callable[[Any, Json], Json]


def tell(
    name: str,
    base: str,
    about: str,
    *,
    fails: str = "changes",
    auditor: bool = False,
    early: bool = False,
    **lies: Tell,
) -> None:
    """A story with a lie in it, everything after it told honestly."""
    change(name, base, fails, about, lambda _case: {"beside": changed.beside(lies, early)}, auditor=auditor)


def first(lie: Tell) -> Tell:
    """The lie told at the first call only."""
    calls: list[Any] = []

    def told(found: Any, honest: Json) -> Json:
        if found in calls:
            return honest
        calls.append(found)
        return lie(found, honest)

    return told


def fields(**values: Json) -> Tell:
    return first(lambda _, row: row | values)


def other(pick: Callable[[Any, str, str], str]) -> Tell:
    """Another enterprise in the first place of a substitute: `pick` gets the changes, the task and the honest one."""

    def lie(found: Any, tasks: Json) -> Json:
        place = next(place for place in tasks if place["enterprise"])
        chosen = pick(found, place["task"], place["enterprise"])
        assert chosen != place["enterprise"]
        return [p | {"enterprise": chosen} if p is place else p for p in tasks]

    return first(lie)


def members(found: Any, task: str, honest: str) -> list[str]:
    """The other members of the stratum that nobody visits."""
    frame = found.built.frame
    stratum = frame[honest]["strata"][task]
    return [
        key
        for key in sorted(frame)
        if frame[key]["strata"].get(task) == stratum and key not in found.visited and key != honest
    ]


def of_another_stratum(found: Any, task: str, honest: str) -> str:
    frame = found.built.frame
    return next(
        str(key)
        for key in sorted(frame)
        if frame[key]["strata"].get(task) not in (None, frame[honest]["strata"][task])
        and key not in found.visited
    )


PICKED = "自行挑选递补企业 · the substitute was picked by hand"
tell("hand-picked-substitute", OPEN, PICKED, tasks=other(lambda f, t, h: members(f, t, h)[-1]))
tell(
    "skipped-substitute",
    OPEN,
    "跳过签号最小者 · the smallest ticket was passed over",
    tasks=other(lambda f, t, h: members(f, t, h)[0]),
)
tell(
    "substitute-of-another-stratum",
    OPEN,
    "递补自另一层 · a substitute of another stratum",
    tasks=other(of_another_stratum),
)
tell(
    "substitute-drawn-already",
    OPEN,
    "递补已被抽中者 · the substitute was drawn already",
    tasks=other(lambda f, t, h: sorted(f.visited)[0]),
)
tell(
    "no-substitute-though-there-is-one",
    OPEN,
    "谎称该层已尽 · the stratum is called exhausted",
    tasks=first(lambda _, tasks: [p | {"enterprise": None} for p in tasks]),
)
tell(
    "sealed-hand-picked-substitute",
    SEALED,
    PICKED,
    tasks=other(lambda f, t, h: members(f, t, h)[-1]),
    auditor=True,
)
tell(
    "sealed-substitute-drawn-already",
    SEALED,
    "递补已被抽中者 · the substitute was drawn already",
    tasks=other(lambda f, t, h: sorted(f.visited)[0]),
)

EARLIER = {"round": "1000", "time": "2023-08-23T15:59:24Z"}
LATER = {"round": "1002", "time": "2023-08-23T15:59:30Z"}
tell(
    "substitute-by-an-earlier-round",
    OPEN,
    "用已知的轮次 · a round that was known already",
    exclude=fields(beacon=EARLIER),
    signature=lambda *_: ROUND_1000,
)
tell("substitute-by-a-later-round", OPEN, "跳过一轮 · a round was passed over", exclude=fields(beacon=LATER))
tell(
    "round-moved",
    OPEN,
    "轮次的时刻不实 · a false time of the round",
    exclude=fields(beacon={"round": "1001", "time": "2023-08-23T15:59:30Z"}),
)
tell(
    "signature-of-another-round-for-a-substitute",
    OPEN,
    "凭据属于另一轮 · the evidence of another round",
    signature=lambda *_: ROUND_1000,
)
tell(
    "replacement-before-the-substitute",
    OPEN,
    "随机数已知后先行替换 · a replacement once the randomness was known",
    early=True,
)


def too_late(found: Any) -> dict[str, bytes]:
    """A second firm is excluded when the round of the first is out and nobody has been substituted yet."""
    ranked = sorted(found.built.visits, key=lambda v: (-len(v["checks"]), v["enterprise"]))
    found.exclude(ranked[1]["enterprise"], "moved-away", "2023-08-23T15:59:25Z")
    found.exclude(ranked[0]["enterprise"], "suspended", "2023-08-23T15:59:27Z")
    found.substitute()
    return dict(changed.document(found))


for name, base in (
    ("exclusion-before-the-substitute", OPEN),
    ("sealed-exclusion-before-the-substitute", SEALED),
):
    change(
        name,
        base,
        "changes",
        "随机数已知后先行排除 · an exclusion once the randomness was known",
        lambda _case: {"beside": lambda built: too_late(changed.Changed(built, {}))},
    )


def stranger(found: Any, row: Json) -> Json:
    return row | {"enterprise": next(key for key in sorted(found.built.frame) if key not in found.visited)}


tell(
    "exclusion-of-a-stranger",
    OPEN,
    "排除未抽中者 · an enterprise that was not drawn is excluded",
    exclude=first(stranger),
)
tell(
    "deregistered-though-dated",
    OPEN,
    "注销应为检查结果 · a deregistered firm is a finding",
    exclude=fields(reason="deregistered"),
)
tell("exclusion-for-convenience", OPEN, "没有这种理由 · no such reason", exclude=fields(reason="convenience"))
tell(
    "exclusion-before-the-draw",
    OPEN,
    "早于抽取 · before the draw",
    exclude=fields(time="2023-08-23T15:59:22Z"),
)


def shifted(found: Any, visits: Json) -> Json:
    """The first substitute's visit on another day on which its crews are free as well."""
    visit = visits[0]
    for day in found.built.announcement["days"]:
        if day == visit["date"] or day in found.built.frame[visit["enterprise"]]["closed"]:
            continue
        people = [person for crew in visit["crews"] for person in crew["seats"]]
        if all(found.free(person, visit, day) for person in people):
            return [visit | {"date": day}, *visits[1:]]
    raise AssertionError("no other day")


def exchanged(found: Any, visits: Json) -> Json:
    """Another colleague in a substitute's crew."""
    visit = visits[0]
    view = found.views[visit["enterprise"], visit["part"]]
    for crew in visit["crews"]:
        for seat, person in enumerate(crew["seats"]):
            for come in found.candidates((visit["enterprise"], visit["part"]), crew["department"], seat):
                options = found.options(visit, crew["department"], [p for _, p in view.fit(visit)])
                if come in options[seat]:
                    seats = [come if p == person else p for p in crew["seats"]]
                    crews = [c | {"seats": seats} if c is crew else c for c in visit["crews"]]
                    return [visit | {"crews": crews}, *visits[1:]]
    raise AssertionError("nobody else")


tell("substitute-on-another-day", OPEN, "递补的日期不实 · a substitute on another day", visits=first(shifted))
tell(
    "picked-crew-of-a-substitute",
    OPEN,
    "自行挑选递补的检查组 · a picked crew for a substitute",
    visits=first(exchanged),
)
tell(
    "sealed-picked-crew-of-a-substitute",
    SEALED,
    "自行挑选递补的检查组 · a picked crew for a substitute",
    visits=first(exchanged),
)
tell(
    "sealed-substitute-on-another-day",
    SEALED,
    "递补的日期不实 · a substitute on another day",
    visits=first(shifted),
    auditor=True,
)


def kept_out(found: Any, _ranked: Json) -> Json:
    return changed.outsiders(found, found.now)


def unfit(found: Any, _ranked: Json) -> Json:
    """People of the department who fit the seat but are absent or have no capacity left on the day."""
    place, department, seat = found.now
    visit = found.visits[place]
    crew = next(c for c in visit["crews"] if c["department"] == department)
    needed = found.built.seats(visit, department)[seat]
    return [
        p
        for p in sorted(found.built.roster)
        if found.built.fits(p, visit, department, needed)
        and p not in [*crew["seats"], *crew["barred"]]
        and not found.free(p, visit, visit["date"])
    ]


tell(
    "replaced-by-a-dearer-colleague",
    OPEN,
    "跳过更小者 · a smaller adjusted number was passed over",
    replace=first(lambda _, ranked: ranked[1:]),
)
tell(
    "replaced-by-a-barred-colleague",
    OPEN,
    "由应回避者接替 · replaced by somebody barred or recused",
    replace=first(kept_out),
)
tell(
    "sealed-replaced-by-a-barred-colleague",
    SEALED,
    "由应回避者接替 · replaced by somebody barred or recused",
    replace=first(kept_out),
)
tell(
    "sealed-replaced-by-a-dearer-colleague",
    SEALED,
    "跳过更小者 · a smaller adjusted number was passed over",
    replace=first(lambda _, ranked: ranked[1:]),
)
tell(
    "replaced-seats-exchanged",
    OPEN,
    "席位次序不对 · seats in another order",
    replaced=first(lambda _, row: row | {"seats": row["seats"][::-1]}),
)
tell(
    "replaced-from-another-seat",
    OPEN,
    "不坐在该席 · he does not sit there",
    replaced=first(lambda _, row: row | {"seat": 1 - row["seat"]}),
)
tell(
    "replaced-by-a-stranger",
    OPEN,
    "名录以外的人 · somebody from nowhere",
    replaced=first(lambda _, row: row | {"in": "a99"}),
)


def broken(_found: Any, rows: Json) -> Json:
    return [row | {"prev": "0" * 64} if row["number"] == 4 else row for row in rows]


def swapped(found: Any, rows: Json) -> Json:
    return changed.rechained(found, [rows[1], rows[0], *rows[2:]])


tell("broken-chain-of-changes", OPEN, "链断开 · the chain is broken", chain=broken)
tell(
    "changes-reordered",
    OPEN,
    "行序被调换 · rows in another order",
    chain=lambda _, rows: [*rows[:-2], rows[-1], rows[-2]],
)
tell("changes-reordered-and-chained-anew", OPEN, "调换后重新成链 · reordered and chained anew", chain=swapped)
tell(
    "change-dropped-in-the-middle",
    OPEN,
    "中间一行被删 · a row is missing in the middle",
    chain=lambda _, rows: [*rows[:4], *rows[5:]],
)
tell(
    "substitute-dropped-and-chained-anew",
    OPEN,
    "删去递补后重新成链 · a substitute is missing",
    chain=lambda f, rows: changed.rechained(f, [*rows[:2], *rows[3:]]),
)
tell(
    "changes-of-another-result",
    OPEN,
    "属于另一结果 · changes of another result",
    chain=lambda _, rows: [rows[0] | {"prev": "0" * 64}, *rows[1:]],
)
tell(
    "change-with-a-remark",
    OPEN,
    "多出的键 · an unknown key",
    chain=lambda _, rows: [rows[0] | {"remark": ""}, *rows[1:]],
)
tell("empty-changes", OPEN, "空文件 · an empty file", chain=lambda *_: [])
tell(
    "finding-of-an-excluded-enterprise",
    OPEN,
    "被排除者的检查结果 · a finding of an excluded enterprise",
    fails="findings",
    found=lambda found, _: next(
        v for v in found.built.visits if v["enterprise"] not in {e for e, _ in found.visits}
    ),
)
edit(
    "changes-under-an-embargo",
    "open-embargo-visits",
    "changes.jsonl",
    "changes",
    "保密期内的更改 · a change under an embargo",
    lambda _: jcs({"type": "exclude"}) + b"\n",
)
edit(
    "changes-without-a-result",
    "open-announced",
    "changes.jsonl",
    "changes",
    "没有结果却有更改 · a change without a result",
    lambda _: jcs({"type": "exclude"}) + b"\n",
)
