"""Why an enterprise is not in a task's frame: the codes, and their names in both languages, in one table.

Used wherever a reason is shown: ``check``, ``explain``, ``statistics.json`` and the published page. The order is that in which
reasons are looked for: the first one that holds is the one that is given.
"""

from __future__ import annotations

from collections.abc import Mapping

OUT_OF_SCOPE = "out-of-scope"
NO_QUOTA = "class-without-quota"
EXEMPT = "exempt"
SUSPENDED = "suspended"
OBSERVATION = "observation"
RECOGNISED = "recognised"
ANNUAL_CAP = "annual-cap"
ITEM_CAP = "item-cap"
DONE = "done-this-year"
INTERVAL = "interval"
NOTHING_LEFT = "nothing-left"

REASONS: Mapping[str, tuple[str, str]] = {
    OUT_OF_SCOPE: ("不在任何任务范围内", "in no task's scope"),
    NO_QUOTA: ("所属分类无抽查比例", "its class has no quota"),
    EXEMPT: ("豁免（见计划 [[exemptions]]）", "exempt, see the plan's [[exemptions]]"),
    SUSPENDED: ("歇业中", "business suspended"),
    OBSERVATION: ("新设立，观察期未满", "newly established, still under observation"),
    RECOGNISED: ("其他部门的检查结果已互认", "another department's finding is recognised"),
    ANNUAL_CAP: ("已达年度检查上限", "annual cap of visits reached"),
    ITEM_CAP: ("已达该事项的次数上限", "this item's cap is reached"),
    DONE: ("本年已查", "checked this year already"),
    INTERVAL: ("距上次检查未满最短间隔", "too soon after the last visit"),
    NOTHING_LEFT: ("各任务均不可抽", "no task may draw it now"),
}
"""Reason code → Chinese, English."""

ORDER = tuple(REASONS)
OF_THE_ENTERPRISE = frozenset({OUT_OF_SCOPE, NOTHING_LEFT})
"""Counted once an enterprise; all others once for each task that the enterprise would have been in."""
OUTSIDE = frozenset({OUT_OF_SCOPE, NO_QUOTA})
"""The task never concerned the enterprise."""
NOT_OWED = frozenset({EXEMPT, SUSPENDED, OBSERVATION, RECOGNISED})
"""Who is out for these does not count in the population that the annual ratio is taken of."""

FLAGS: Mapping[str, tuple[str, str]] = {
    "small-frame": ("可抽的检查对象不足 10 户", "fewer than ten enterprises to draw from"),
    "high-rate": (
        "抽查率超过 50%，且不全是重点事项",
        "drawn at more than 50 %, and not all items are key items",
    ),
    "small-pool": ("某席位可任的检查人员过少", "few inspectors may take some seat"),
    "classes-changed": (
        "信用分类与上一次活动不同的户数",
        "enterprises whose credit class differs from the last campaign's",
    ),
    "scope-changed": ("范围与上一次活动不同", "the scope differs from the last campaign's"),
    "edits-not-checked": (
        "没有上一次活动的记录，未核对修改",
        "the last campaign is not on record, edits were not checked",
    ),
}
"""Flag code of ``statistics.json`` → Chinese, English."""


def reason_name(code: str, language: str) -> str:
    """Return a reason in words, or the code itself if it is not one of ours."""
    words = REASONS.get(code)
    return code if words is None else words[0 if language == "zh" else 1]


def counted_reasons(counts: Mapping[str, int], language: str) -> str:
    """Return reasons with their numbers, in words and in the order of their codes."""
    separator = "；" if language == "zh" else "; "
    return separator.join(
        f"{reason_name(code, language)} {count:,}" for code, count in sorted(counts.items())
    )
