"""More lies about changes: which randomness decides, when, and who is kept away (docs/protocol.md §13)."""

from __future__ import annotations

from typing import Any

import reference_changes as changed  # type: ignore[import-not-found]
from lies import Json, change, edit, jcs  # type: ignore[import-not-found]
from lies_after_the_draw import fields, first, tell  # type: ignore[import-not-found]

OPEN = "open-changed"
KEYSTRING, NEXT, LOCAL, NONE = (
    "open-changed-keystring",
    "open-changed-next",
    "open-changed-local",
    "open-changed-none",
)
ROW = "2023-08-23T15:59:25Z"

tell("exclusion-without-a-round", OPEN, "未指明轮次 · no round is named", exclude=fields(beacon=None))
tell(
    "round-named-though-the-seed-decides",
    NEXT,
    "沿用原种子却指明轮次 · a round, though the draw's seed decides",
    exclude=fields(beacon={"round": "1001", "time": "2023-08-23T15:59:27Z"}),
)
tell(
    "round-named-though-local",
    LOCAL,
    "本机随机却指明轮次 · a round of local randomness",
    exclude=fields(beacon={"round": "1", "time": "2023-08-24T15:59:27Z"}),
)
tell(
    "keystring-of-the-past",
    KEYSTRING,
    "所指号码早已公布 · a lottery that was known when it was named",
    exclude=fields(beacon={"round": "2023-08-22", "time": ROW}),
)
tell(
    "exclusion-by-the-draws-own-numbers",
    KEYSTRING,
    "所指为本次抽取的期号 · the round that decided the draw",
    exclude=fields(beacon={"round": "2023-08-23", "time": "2023-08-24T13:15:00Z"}),
)
tell(
    "exclusion-by-numbers-named-before",
    KEYSTRING,
    "所指为先前排除的期号 · the round that an earlier exclusion named",
    exclude=lambda _, row: row | {"beacon": {"round": "2023-08-24", "time": "2023-08-24T13:15:00Z"}},
)
tell(
    "substitute-without-evidence",
    OPEN,
    "缺信标凭据 · no evidence of the randomness",
    substituted=first(lambda _, row: row | {"evidence": None}),
)
tell(
    "evidence-though-the-seed-decides",
    NEXT,
    "沿用原种子却附凭据 · evidence, though the draw's seed decides",
    substituted=first(
        lambda _, row: row | {"evidence": {"keystring": None, "randomness": "0" * 64, "signature": None}}
    ),
)
tell(
    "keystring-not-of-its-randomness",
    KEYSTRING,
    "随机值不是号码的散列 · the randomness is not that of the numbers",
    evidence=lambda _, evidence: evidence | {"randomness": "0" * 64},
)
tell(
    "substitute-by-a-seed-from-nowhere",
    OPEN,
    "种子不是由所述内容得出 · a seed from nowhere",
    seed=lambda _, seed: seed[::-1],
)
tell(
    "substitute-by-another-seed-than-the-draws",
    NEXT,
    "应沿用原种子 · not the draw's seed",
    seed=lambda _, seed: seed[::-1],
)


def for_the_second(found: Any, rows: Json) -> Json:
    """The first substitute is said to answer the second exclusion."""
    second = found.built.h(jcs(rows[1])).hex()
    return changed.rechained(found, [*rows[:2], rows[2] | {"exclude": second}, *rows[3:]])


tell(
    "substitute-out-of-turn",
    OPEN,
    "递补次序颠倒 · the later exclusion is answered first",
    chain=for_the_second,
)
tell(
    "substitute-without-a-name",
    OPEN,
    "未列名称 · the names of the substitutes are missing",
    substituted=first(lambda _, row: row | {"names": {}}),
)
tell(
    "substitute-for-too-few-tasks",
    OPEN,
    "漏了一个任务 · a task that lost an enterprise is missing",
    tasks=first(lambda _, tasks: tasks[:-1]),
)


def with_a_substitute(built: Any) -> dict[str, bytes]:
    found = changed.Changed(built, {})
    ranked = sorted(built.visits, key=lambda v: (-len(v["checks"]), v["enterprise"]))
    found.exclude(ranked[0]["enterprise"], "register-error", "2023-08-24T02:00:00Z")
    found.substitute()
    return dict(changed.document(found))


change(
    "substitute-though-there-are-none",
    NONE,
    "changes",
    "公告规定不递补 · a substitute, though the policy has none",
    lambda _: {"beside": with_a_substitute},
)


def early(found: Any, visits: Json) -> Json:
    """The first substitute's visit on a day before it could be told."""
    return [visits[0] | {"date": "2023-08-24"}, *visits[1:]]


tell(
    "substitute-too-early",
    OPEN,
    "早于可安排的第一天 · before the first day that may be taken",
    visits=first(early),
)
tell(
    "substitute-out-of-its-district",
    OPEN,
    "区划不实 · a substitute in another district",
    visits=first(
        lambda _, visits: [
            visits[0] | {"district": "d1" if visits[0]["district"] == "d2" else "d2"},
            *visits[1:],
        ]
    ),
)
tell(
    "substitute-with-an-omitted-bar",
    OPEN,
    "漏列应回避者 · a bar of a substitute's crew is omitted",
    visits=first(
        lambda _, visits: [
            visits[0] | {"crews": [c | {"barred": []} for c in visits[0]["crews"]]},
            *visits[1:],
        ]
    ),
)
tell(
    "replaced-for-no-reason",
    OPEN,
    "没有这种理由 · no such reason for a replacement",
    replaced=first(lambda _, row: row | {"reason": "tired"}),
)
tell(
    "replaced-in-the-past",
    OPEN,
    "早于此前的记录 · earlier than what was recorded before",
    replaced=first(lambda _, row: row | {"time": ROW}),
)
tell(
    "replaced-in-no-crew",
    OPEN,
    "没有这个检查组 · there is no such crew",
    replaced=first(lambda _, row: row | {"department": "zoo"}),
)
tell(
    "replaced-in-no-part",
    OPEN,
    "没有这次检查 · there is no such part",
    replaced=first(lambda _, row: row | {"part": 2}),
)
tell(
    "replaced-though-in-the-crew",
    OPEN,
    "接替者已在该组 · he sits in that crew already",
    replaced=first(lambda _, row: row | {"in": row["out"]}),
)
edit(
    "excluded-twice",
    NONE,
    "changes.jsonl",
    "changes",
    "同一企业排除两次 · an enterprise is excluded twice",
    lambda data: data.splitlines(keepends=True)[0] * 2,
)


def back_again(reason: str) -> Any:
    """Somebody who is kept away after his replacement takes another seat there as if he were not."""

    def beside(built: Any) -> dict[str, bytes]:
        for seat in changed.Changed(built, {}).seats():
            found = changed.Changed(built, {})
            if not found.candidates(*seat):
                continue
            out = crew_of(found, seat)["seats"][seat[2]]
            day = found.visits[seat[0]]["date"]
            found.replace(*seat, reason, "2023-08-30T01:00:00Z")
            away, found.away = found.away, []
            for other in found.seats():
                there = found.visits[other[0]]["date"], other[0][0]
                reached = {
                    "ill": there[0] == day,
                    "left": there[0] > day,
                    "newly-recused": there[1] == seat[0][0],
                }
                if reached[reason] and found.candidates(*other)[:1] == [out]:
                    found.replace(*other, "other-duty", "2023-08-31T01:00:00Z")
                    found.away = away
                    return dict(changed.document(found))
        raise AssertionError(f"nobody comes back: {reason}")

    return beside


def crew_of(found: Any, seat: Any) -> Json:
    place, department, _ = seat
    return next(crew for crew in found.visits[place]["crews"] if crew["department"] == department)


for why, about in (
    ("ill", "当日已请假者又来 · somebody who is ill comes on the same day"),
    ("left", "已离岗者之后又来 · somebody who left comes later"),
    ("newly-recused", "已回避者又来 · somebody who is recused comes to the same enterprise"),
):
    change(
        f"kept-away-and-back-{why}", NONE, "changes", about, lambda _, why=why: {"beside": back_again(why)}
    )
