"""Lies about what was conspicuous in the lists, why visits have no date, and who was left out (docs/protocol.md §10.1)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lies import OPEN, SCARCE, SEALED, Json, value  # type: ignore[import-not-found]

FEW = "open-conspicuous"
Flag = dict[str, str]


def flags(
    name: str,
    about: str,
    tell: Callable[[list[Flag]], Any],
    base: str = FEW,
    fails: str = "result",
    **more: Any,
) -> None:
    """The flags are changed, and sorted again; None where the list was changed in place."""

    def told(document: Json) -> None:
        changed = tell(document["flags"])
        if changed is not None:
            document["flags"] = changed
        else:
            document["flags"].sort(key=lambda flag: (flag["code"], flag["task"]))

    value(name, base, "statistics.json", fails, about, told, **more)


def flag(code: str, task: str, shown: str) -> Flag:
    return {"code": code, "task": task, "value": shown}


def without(code: str, task: str = "") -> Callable[[list[Flag]], None]:
    """Every flag of this code is hidden, or that of one task."""

    def tell(found: list[Flag]) -> None:
        kept = [one for one in found if one["code"] != code or task not in ("", one["task"])]
        assert len(kept) < len(found)
        found[:] = kept

    return tell


def valued(code: str, shown: str) -> Callable[[list[Flag]], None]:
    return lambda found: next(one for one in found if one["code"] == code).update(value=shown)


flags("hidden-small-frame", "隐去可抽者很少 · a small frame is hidden", without("small-frame"))
flags("prettified-small-frame", "少报得多些 · a small frame is made larger", valued("small-frame", "10"))
flags(
    "invented-small-frame",
    "谎称可抽者很少 · a frame is called small that is not",
    lambda found: found.append(flag("small-frame", "t1", "9")),
)
flags("hidden-small-pool", "隐去可任者很少 · a thin pool is hidden", without("small-pool", "t2"))
flags("prettified-small-pool", "可任者多报 · a thin pool is made larger", valued("small-pool", "2"))
flags(
    "invented-small-pool",
    "谎称可任者很少 · a pool is called thin that is not",
    lambda found: found.append(flag("small-pool", "t1", "2")),
)
flags("false-high-rate", "抽查率不实 · a false rate in a flag", valued("high-rate", "2/3"))
flags(
    "invented-high-rate",
    "谎称抽查率高 · a rate is called high that is not",
    lambda found: found.append(flag("high-rate", "t1", "3/8")),
    base=OPEN,
)
flags(
    "flag-of-no-task",
    "标记的任务不存在 · a flag of a task that does not exist",
    lambda found: [flag("scope-changed", "t9", "scope"), *found[1:]],
    base=OPEN,
)
flags(
    "sealed-hidden-small-pool",
    "密封抽取隐去可任者很少（审计方可见） · a thin pool is hidden in a sealed draw, which the auditor sees",
    without("small-pool"),
    base=SEALED,
    auditor=True,
)
flags(
    "sealed-invented-small-frame",
    "密封抽取谎称可抽者很少 · a frame of a sealed draw is called small",
    lambda found: found.append(flag("small-frame", "t1", "3")),
    base=SEALED,
    auditor=True,
)
flags(
    "edits-both-unknown-and-known",
    "既未核对修改又列出修改 · edits are not checked, and yet listed",
    lambda found: found.append(flag("scope-changed", "t1", "scope")),
    fails="canonical",
)
flags(
    "flag-without-a-meaning",
    "没有这种标记 · a flag that is not defined",
    lambda found: found.append(flag("all-is-well", "t1", "1")),
    fails="canonical",
)
flags("flags-out-of-order", "标记未排序 · flags out of order", lambda found: found[::-1], fails="canonical")
flags(
    "flag-twice",
    "标记重复 · a flag stands twice",
    lambda found: [*found[:2], found[1], *found[2:]],
    fails="canonical",
)
flags(
    "flag-of-no-changed-class",
    "零户也标记 · no class changed, and yet a flag",
    lambda found: [flag("classes-changed", "t1", "0"), *found[1:]],
    fails="canonical",
)
flags(
    "flag-of-the-whole-draw",
    "应指明任务 · a flag that should name its task",
    lambda found: [*found, flag("small-pool", "", "1")],
    fails="canonical",
)
flags(
    "flag-with-a-decimal-rate",
    "抽查率不是分数 · a rate that is no ratio",
    valued("high-rate", "0.55"),
    fails="canonical",
)

value(
    "false-reason-of-an-undated-visit",
    FEW,
    "statistics.json",
    "result",
    "企业全程歇业，却称排不开 · a firm that was closed all along is said to have found no seats",
    lambda d: d["undated"][0].update(reason="no-seatable-day"),
)
value(
    "shortage-called-closed",
    SCARCE,
    "statistics.json",
    "result",
    "人手不足却称企业歇业 · a shortage is blamed on the enterprise",
    lambda d: d["undated"][0].update(reason="closed"),
)
value(
    "undefined-reason",
    SCARCE,
    "statistics.json",
    "canonical",
    "没有这种原因 · a reason that is not defined",
    lambda d: d["undated"][0].update(reason="bad-luck"),
)
value(
    "excluded-hidden",
    OPEN,
    "statistics.json",
    "result",
    "公开抽取不列排除情况 · an open draw hides who was left out",
    lambda d: d.update(excluded=None),
)
value(
    "excluded-told-of-a-sealed-draw",
    SEALED,
    "statistics.json",
    "result",
    "密封抽取列出排除情况 · a sealed draw tells who was left out",
    lambda d: d.update(excluded=[]),
)
value(
    "excluded-nobody",
    OPEN,
    "statistics.json",
    "canonical",
    "排除零户 · nobody is counted as left out",
    lambda d: d.update(excluded=[{"count": 0, "reason": "recognised"}]),
)
value(
    "excluded-out-of-order",
    OPEN,
    "statistics.json",
    "canonical",
    "排除原因未排序 · reasons out of order",
    lambda d: d.update(excluded=[{"count": 1, "reason": "suspended"}, {"count": 1, "reason": "recognised"}]),
)
