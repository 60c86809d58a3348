"""Lies about sizes, selection, visits and dates."""

from __future__ import annotations

import copy
import itertools
from collections.abc import Callable
from typing import Any

import reference  # type: ignore[import-not-found]
from lies import (  # type: ignore[import-not-found]
    OPEN,
    PARTS,
    RELIEF,
    SCARCE,
    SEALED,
    Files,
    Json,
    add,
    lie,
    value,
)

# --- sizes and selection


def one_more(_built: Any, sizes: Json) -> None:
    sizes["t1", "A"] += 1


def replaced(task: str) -> Callable[[Any, Json], None]:
    """Replace the first selected enterprise by one of the same stratum that was not selected."""

    def tell(built: Any, selected: Json) -> None:
        first = selected[task][0]
        others = [
            k
            for k in built.frame
            if k not in selected[task]
            and built.frame[k]["strata"].get(task) == built.frame[first]["strata"][task]
        ]
        assert others
        selected[task] = sorted(
            [others[0], *selected[task][1:]], key=lambda k: built.ticket("enterprise", built.keys[k])
        )

    return tell


def follower_is_lost(_built: Any, selected: Json) -> None:
    selected["t3f"].pop()


def stranger_follows(built: Any, selected: Json) -> None:
    selected["t3f"].append(
        next(k for k in built.frame if k not in selected["t1"] and "t3f" in built.frame[k]["strata"])
    )


lie(
    "one-more-than-drawn",
    OPEN,
    "sizes",
    "多抽一户 · one enterprise more than the sizes give",
    {"sizes": one_more},
)
lie(
    "sealed-one-more",
    SEALED,
    "sizes",
    "密封抽取多抽一户（公众可见） · one more in a sealed draw, which the public sees",
    {"sizes": one_more},
)
lie(
    "swapped-enterprise",
    OPEN,
    "selection",
    "换了一户企业 · an enterprise was swapped",
    {"selection": replaced("t1")},
)
lie(
    "sealed-swapped-enterprise",
    SEALED,
    "selection",
    "密封抽取中换了一户 · an enterprise was swapped in a sealed draw",
    {"selection": replaced("t1")},
    auditor=True,
)
lie(
    "follower-lost",
    OPEN,
    "selection",
    "跟随任务漏一户 · a following task lost an enterprise",
    {"selection": follower_is_lost},
)
lie(
    "follower-without-its-lead",
    SEALED,
    "selection",
    "跟随任务多一户（公众可见） · a follower whose lead did not draw it",
    {"selection": stranger_follows},
)
value(
    "ticket-order",
    OPEN,
    "result.json",
    "selection",
    "选中次序不是签号次序 · the selected are not in ticket order",
    lambda d: d["selection"][0]["selected"].reverse(),
)
value(
    "changed-cutoff",
    OPEN,
    "result.json",
    "selection",
    "末位签号被改 · a cutoff was changed",
    lambda d: d["selection"][0]["strata"][2].update(cutoff="f" * 64),
)
value(
    "sealed-ticket-changed",
    SEALED,
    "result.json",
    "selection",
    "一个签号被改 · a ticket was changed",
    lambda d: d["selection"][0]["tickets"].__setitem__(-1, "f" * 64),
    auditor=True,
)
value(
    "sealed-ticket-not-shared",
    SEALED,
    "result.json",
    "selection",
    "各任务签号不一致（公众可见） · tickets that are not shared",
    lambda d: d["selection"][1]["tickets"].__setitem__(-1, "f" * 64),
)
lie(
    "false-cutoffs",
    SEALED,
    "selection",
    "承诺的 cutoffs 不实 · false cutoffs were committed",
    {"cutoffs": lambda _, rows: rows[2]["tickets"].__setitem__(0, "0" * 64)},
    auditor=True,
)
lie(
    "false-sizes-in-cutoffs",
    SEALED,
    "sizes",
    "cutoffs 中的样本量不实 · false sizes in cutoffs",
    {"cutoffs": lambda _, rows: rows[0].update(n=7)},
    auditor=True,
)

# --- visits


def merged(_built: Any, visits: Json) -> list[Json]:
    """Put the parts of the first divided enterprise back together."""
    second = next(v for v in visits if v["part"] == 2)
    first = next(v for v in visits if v["enterprise"] == second["enterprise"] and v["part"] == 1)
    first["checks"] = sorted(first["checks"] + second["checks"], key=lambda check: check["task"])
    return [v for v in visits if v is not second]


def renumbered(_built: Any, visits: Json) -> None:
    """Exchange what two parts check."""
    second = next(v for v in visits if v["part"] == 2)
    first = next(v for v in visits if v["enterprise"] == second["enterprise"] and v["part"] == 1)
    first["checks"], second["checks"] = second["checks"], first["checks"]


def added_visit(built: Any, visits: Json) -> list[Json]:
    key = next(k for k in sorted(built.frame) if all(v["enterprise"] != k for v in visits))
    extra = copy.deepcopy(visits[0]) | {"enterprise": key, "district": built.frame[key]["district"]}
    return sorted([*visits, extra], key=lambda v: v["enterprise"])


def dropped_check(_built: Any, visits: Json) -> None:
    next(v for v in visits if len(v["checks"]) > 1)["checks"].pop(0)


lie(
    "hidden-visit",
    OPEN,
    "visits",
    "选中企业没有检查 · a selected enterprise without a visit",
    {"visits": lambda _, v: v[1:]},
)
lie(
    "hidden-second-visit",
    PARTS,
    "visits",
    "第二次检查被隐去 · a second part was hidden",
    {"visits": lambda _, v: [x for x in v if x["part"] == 1]},
)
lie(
    "undivided-visit",
    PARTS,
    "visits",
    "超限检查未拆分 · a visit beyond its limit was not divided",
    {"visits": merged},
)
lie(
    "exchanged-parts",
    PARTS,
    "visits",
    "两次检查的内容对调 · what two parts check was exchanged",
    {"visits": renumbered},
)
lie(
    "added-visit",
    OPEN,
    "visits",
    "未选中企业被检查 · a visit that the draw does not call for",
    {"visits": added_visit},
)
lie("dropped-check", OPEN, "visits", "少了一项任务 · a task's checks were dropped", {"visits": dropped_check})
value(
    "dropped-item",
    OPEN,
    "result.json",
    "visits",
    "少了一个事项 · an item was dropped",
    lambda d: d["visits"][0]["checks"][0]["items"].pop(),
)
lie(
    "moved-enterprise",
    OPEN,
    "visits",
    "检查的区划不实 · a visit in another district",
    {"visits": lambda _, v: v[0].update(district="d1" if v[0]["district"] == "d2" else "d2")},
)

# --- dates


def shifted(built: Any, visits: Json) -> None:
    """Move one visit to another day on which everybody can still be seated."""

    for visit in visits:
        honest = visit["date"]
        for day in built.announcement["days"]:
            if day not in (honest, *built.frame[visit["enterprise"]]["closed"]) and honest:
                visit["date"] = day
                if (
                    reference.cheapest(built.network(v for v in visits if v["date"]), built.caps, None)
                    is not None
                ):
                    return
        visit["date"] = honest
    raise AssertionError


def closed_day(built: Any, visits: Json) -> None:

    for visit in visits:
        honest = visit["date"]
        for day in built.frame[visit["enterprise"]]["closed"]:
            visit["date"] = day
            if (
                reference.cheapest(built.network(v for v in visits if v["date"]), built.caps, None)
                is not None
            ):
                return
        visit["date"] = honest
    raise AssertionError


def always_closed(c: Any) -> dict[str, Any]:
    return {"frame": {key: row | {"closed": c.days[:2]} for key, row in c.frame.items()}}


def make_closed(_files: Files, build: Callable[..., Files]) -> Files:
    return build({"dates": closed_day}, always_closed)


lie(
    "shifted-date",
    OPEN,
    "dates",
    "换了日期，其余照算 · a visit on another day, all else computed honestly",
    {"dates": shifted},
)
lie(
    "sealed-shifted-date",
    SEALED,
    "dates",
    "密封抽取中换了日期 · another day in a sealed draw",
    {"dates": shifted},
    auditor=True,
)
add("visit-on-a-closed-day", OPEN, "dates", "歇业日检查 · a visit on a closed day", make_closed)
lie(
    "undated-though-possible",
    OPEN,
    "dates",
    "本可排期却称无日期 · a visit is called undated though it had a day",
    {"dates": lambda _, v: v[0].update(date=None)},
)
lie(
    "optimised-away",
    "open-optimised",
    "dates",
    "优化时抹去一次检查的日期 · optimising took a visit's date away",
    {"dates": lambda _, v: v[-1].update(date=None)},
)
value(
    "optimised-beyond-the-days",
    "open-optimised",
    "result.json",
    "dates",
    "优化到公告之外的日期 · optimised to a day that was not announced",
    lambda d: d["visits"][0].update(date="2023-09-29"),
)
value(
    "date-outside-the-days",
    OPEN,
    "result.json",
    "dates",
    "日期不在日期表中 · a date that was not announced",
    lambda d: d["visits"][0].update(date="2023-09-29"),
)
value(
    "two-parts-on-one-day",
    PARTS,
    "result.json",
    "dates",
    "两次检查同一天 · two parts on one day",
    lambda d: next(v for v in d["visits"] if v["part"] == 2).update(
        date=next(
            v
            for v in d["visits"]
            if v["part"] == 1
            and v["enterprise"] == next(w["enterprise"] for w in d["visits"] if w["part"] == 2)
        )["date"]
    ),
)
value(
    "relief-not-admitted",
    RELIEF,
    "result.json",
    "dates",
    "用了放宽却不承认 · a relief step was used but not admitted",
    lambda d: d["relief"].pop(),
)
value(
    "relief-out-of-order",
    RELIEF,
    "result.json",
    "dates",
    "放宽次序不对 · relief steps out of order",
    lambda d: d["relief"].reverse(),
)


def make_undated(_files: Files, build: Callable[..., Files]) -> Files:
    """Try made-up randomness until a visit finds no date."""
    for number in itertools.count():
        randomness = f"{number:064x}"
        files = build(
            {}, lambda _c, r=randomness: {"policy": {"undated": "void"}, "evidence": {"randomness": r}}
        )
        if b'"date":null' in files["public/result.json"]:
            return files
    raise AssertionError


add(
    "undated-though-void",
    SCARCE,
    "dates",
    "规则要求作废却列为无日期 · undated where the policy says void",
    make_undated,
)
