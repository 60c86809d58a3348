"""Reading the filter of a task's scope (定向抽查) in a plan."""

from __future__ import annotations

from dualrandom.policy.filter import FilterError, parse_filter
from dualrandom.policy.source import Faults, Path
from dualrandom.policy.values import wrong_type


def filter_text(faults: Faults, path: Path, value: object) -> str | None:
    """Read a filter; lines of a long one are joined. The fault points at the character where reading stopped."""
    if not isinstance(value, str):
        wrong_type(
            faults,
            path,
            value,
            ("带引号的过滤条件", "a filter in quotes"),
        )
        return None
    text = " ".join(value.split("\n")).strip()
    try:
        parse_filter(text)
    except FilterError as refused:
        faults.error(
            path,
            refused.code,
            text,
            (refused.message("zh"), refused.message("en")),
            (refused.remedy("zh"), refused.remedy("en")),
        )
        return None
    return text
