"""What in a draw's lists looks like a result that was chosen: recorded in ``statistics.json`` (docs/protocol.md §10) and warned about.

A scope that fits a handful of enterprises, a rate near certainty outside key items (重点事项), a pool of few inspectors, a class or scope
edited since the last campaign: each has honest causes, so each is shown, none is refused. Compare the Ukrainian courts whose draws
were left with one candidate.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from fractions import Fraction
from typing import Any

from dualrandom.announcement import ratio
from dualrandom.canonical import canonical
from dualrandom.errors import Problem
from dualrandom.foresight import thin_pools
from dualrandom.frame import Frozen
from dualrandom.policy.plan import Plan, Task
from dualrandom.registry.models import Libraries

SMALL_FRAME = 10
HIGH_RATE = Fraction(1, 2)
NOT_CHECKED = "edits-not-checked"

Flag = dict[str, str]
"""``{"code", "task", "value"}``; the task is empty where the flag concerns the whole draw."""


def snapshot(plan: Plan, libraries: Libraries) -> bytes:
    """Return what the next campaign needs to notice edits: every enterprise's class and every task's scope."""
    document = {
        "classes": {enterprise.id: enterprise.credit_class for enterprise in libraries.enterprises},
        "plan": plan.id,
        "scopes": {task.id: _scope(task) for task in plan.tasks},
    }
    return canonical(document) + b"\n"


def read_snapshot(data: bytes) -> Mapping[str, Any] | None:
    """Return a snapshot, or None if it is none."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError):
        return None
    whole = isinstance(found, dict) and all(isinstance(found.get(key), dict) for key in ("classes", "scopes"))
    return found if whole else None


def _scope(task: Task) -> str:
    return canonical(asdict(task.scope)).decode()


def flags(
    plan: Plan,
    libraries: Libraries,
    announcement: Mapping[str, Any],
    frozen: Frozen,
    previous: Mapping[str, Any] | None,
) -> list[Flag]:
    """Return all flags, ascending by code and task. ``previous``: the last campaign's snapshot, None: not recorded."""
    found = [
        *_frames(frozen, [task.id for task in plan.tasks]),
        *_rates(plan, libraries, announcement, frozen),
        *_pools(announcement, frozen),
        *_edits(plan, libraries, frozen, previous),
    ]
    return sorted(found, key=lambda flag: (flag["code"], flag["task"]))


def _frames(frozen: Frozen, tasks: Sequence[str]) -> list[Flag]:
    sizes: Counter[str] = Counter()
    for profile, count in Counter(frozen.profile.tolist()).items():
        for task in frozen.profiles[profile]:
            sizes[task] += count
    return [
        {"code": "small-frame", "task": task, "value": str(sizes[task])}
        for task in tasks
        if sizes[task] < SMALL_FRAME
    ]


def _rates(plan: Plan, libraries: Libraries, announcement: Mapping[str, Any], frozen: Frozen) -> list[Flag]:
    key = {item.id for item in libraries.items if item.category == "key"}
    only_key = {task.id for task in plan.tasks if set(task.items) <= key}
    greatest = {rate["task"]: Fraction(rate["greatest"]) for rate in announcement["rates"]}
    return [
        {"code": "high-rate", "task": task, "value": ratio(greatest[task])}
        for task in frozen.strata
        if task not in only_key and greatest[task] > HIGH_RATE
    ]


def _pools(announcement: Mapping[str, Any], frozen: Frozen) -> list[Flag]:
    least: dict[str, int] = {}
    for pool in thin_pools(announcement, frozen):
        least[pool.department] = min(pool.able, least.get(pool.department, pool.able))
    return [
        {"code": "small-pool", "task": task["id"], "value": str(least[task["department"]])}
        for task in announcement["tasks"]
        if task["department"] in least
    ]


def _edits(
    plan: Plan, libraries: Libraries, frozen: Frozen, previous: Mapping[str, Any] | None
) -> list[Flag]:
    if previous is None:
        return [{"code": NOT_CHECKED, "task": "", "value": "no-snapshot"}]
    before = previous["classes"]
    changed = {e.id for e in libraries.enterprises if before.get(e.id, e.credit_class) != e.credit_class}
    counts: Counter[str] = Counter()
    for enterprise, profile in zip(frozen.ids, frozen.profile.tolist(), strict=True):
        if enterprise in changed:
            counts.update(frozen.profiles[profile].keys())
    found: list[Flag] = [
        {"code": "classes-changed", "task": task, "value": str(counts[task])} for task in sorted(counts)
    ]
    scopes = previous["scopes"]
    found += [
        {"code": "scope-changed", "task": task.id, "value": "scope"}
        for task in plan.tasks
        if scopes.get(task.id, _scope(task)) != _scope(task)
    ]
    return found


def flag_warnings(found: Sequence[Flag]) -> tuple[Problem, ...]:
    """Return the flags as warnings for those who are about to announce; thin pools have warnings of their own."""
    problems = []
    for flag in found:
        words = _WORDS.get(flag["code"])
        if words is None:
            continue
        zh, en, remedy_zh, remedy_en = words
        task, value = flag["task"], flag["value"]
        problems.append(
            Problem(
                flag["code"],
                "plan.toml",
                None,
                None,
                f"tasks.{task}",
                value,
                zh.format(task=task, value=value),
                en.format(task=task, value=value),
                remedy_zh,
                remedy_en,
                severity="warning",
            )
        )
    return tuple(problems)


_WORDS: Mapping[str, tuple[str, str, str, str]] = {
    "small-frame": (
        "任务 {task} 只有 {value} 户可抽，不足 10 户：结果几乎等于指定，公示中会标出",
        "task {task} has only {value} enterprises to draw from, under ten: nearly a choice; the record flags it",
        "扩大范围，或确认这是本意。",
        "Widen the scope, or be sure that this is meant.",
    ),
    "high-rate": (
        "任务 {task} 有层的抽查率超过 50%（{value}），而事项并非全是重点事项：公示中会标出",
        "task {task} has a stratum drawn at more than 50 % ({value}), and not all its items are key items; the record flags it",
        "核对比例与剩余月数，或确认这是本意。",
        "Check the ratio and the months left, or be sure that this is meant.",
    ),
    "scope-changed": (
        "任务 {task} 的范围与上一次活动不同：公示中会标出",
        "the scope of task {task} differs from the last campaign's; the record flags it",
        "确认这一修改是本意。",
        "Be sure that the change is meant.",
    ),
}
