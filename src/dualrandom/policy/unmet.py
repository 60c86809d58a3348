"""Bounds on several strata together that the draw cannot keep: an error where they are law, a warning where they are guidance.

Bounds are met one after the other, smaller sets of strata first (:mod:`dualrandom.quota`). Where sets overlap, or ceilings and
empty strata stand in the way, one may be missed; it is then told here with the sources and never left aside.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from math import floor
from typing import Any

from dualrandom.errors import Problem
from dualrandom.policy.plan import Plan, Task
from dualrandom.policy.precedence import Direction, Resolution
from dualrandom.quota import Population, annual_targets, expected_sizes, span_now
from dualrandom.together import Together


def percent(ratio: Fraction) -> str:
    """Write a ratio in per cent, with two decimals at most.

    >>> percent(Fraction(3, 100)), percent(Fraction(1, 30))
    ('3%', '3.33%')
    """
    return f"{float(ratio * 100):.2f}".rstrip("0").rstrip(".") + "%"


def shown(number: Fraction) -> str:
    """Write a number of checks: whole, or with two decimals."""
    return str(number.numerator) if number.denominator == 1 else f"{float(number):.2f}"


def problem(
    code: str, task: Task, value: str, zh: str, en: str, remedy_zh: str, remedy_en: str, severity: Any
) -> Problem:
    """Return a problem of a task's quota."""
    return Problem(
        code,
        "plan.toml",
        None,
        None,
        f"tasks.{task.id}",
        value,
        zh,
        en,
        remedy_zh,
        remedy_en,
        severity=severity,
    )


def unmet(
    plan: Plan, task: Task, populations: Mapping[str, Population], resolution: Resolution
) -> Iterable[Problem]:
    """Return the bounds on several strata that the year's targets, or a budget's share of this period, miss."""
    bounds = resolution.bounds
    if task.ratios is not None:
        sizes = annual_targets(task, populations, plan.rounding, bounds)
    else:
        sizes = expected_sizes(task, populations, plan.months_left, plan.rounding, bounds)
    for together in bounds.together:
        low, high = _span(plan, task, populations, together)
        total = sum((sizes[s] for s in together.strata), Fraction(0))
        if total < low:
            yield _missed(task, resolution, together, "floor", total, low)
        elif high is not None and total > high + _slack(plan, together):
            yield _missed(task, resolution, together, "ceiling", total, high)


def _span(
    plan: Plan, task: Task, populations: Mapping[str, Population], together: Together
) -> tuple[Fraction, Fraction | None]:
    if task.ratios is None:
        return span_now(together, task, populations, plan.months_left, plan.rounding)
    base = Fraction(sum(populations[s].whole for s in together.strata) * task.frequency)
    low = base * together.low
    if together.high is None:
        return low, None
    # a ceiling is rounded down, and what it asks for at the same time goes down with it
    high = Fraction(floor(base * together.high)) if plan.rounding == "up" else base * together.high
    return min(low, high), high


def _slack(plan: Plan, together: Together) -> int:
    """Rounding up may carry guidance beyond its ceiling, in each stratum by less than one."""
    return 0 if together.hard or plan.rounding == "unbiased" else len(together.strata)


def _missed(
    task: Task, resolution: Resolution, together: Together, way: Direction, total: Fraction, limit: Fraction
) -> Problem:
    where = ",".join(sorted(together.strata))
    verdict = next(
        one
        for one in resolution.verdicts[where]
        if one.direction == way and one.winner.rule.hard == together.hard
    )
    rivals = sorted(
        {
            other.winner.rule.source
            for strata, found in resolution.verdicts.items()
            for other in found
            if other.direction != way and together.strata & set(strata.split(","))
        }
    )
    span_zh, span_en = ("全年", " a year") if task.ratios is not None else ("本期", " in this period")
    sources = [verdict.winner.rule.source, *rivals]
    if way == "floor":
        return problem(
            "policy-floor-missed",
            task,
            f"{shown(total)} < {shown(limit)}",
            f"任务 {task.id}：下限 {percent(verdict.ratio)} 要求{span_zh} {shown(limit)}，各层最多只能抽 {shown(total)}（{'；'.join(sources)}）",
            f"task {task.id}: the floor of {percent(verdict.ratio)} asks for {shown(limit)} checks{span_en}, the strata "
            f"allow {shown(total)} ({'; '.join(sources)})",
            "提高各类比例（0 的类别不会自动提高），或放宽上限。",
            "Raise the ratios (a class with 0 is not raised by itself), or relax the ceilings.",
            "error" if together.hard else "warning",
        )
    return problem(
        "policy-ceiling-missed",
        task,
        f"{shown(total)} > {shown(limit)}",
        f"任务 {task.id}：上限 {percent(verdict.ratio)} 只许{span_zh} {shown(limit)}，其他规则至少要抽 {shown(total)}（{'；'.join(sources)}）",
        f"task {task.id}: the ceiling of {percent(verdict.ratio)} allows {shown(limit)} checks{span_en}, other rules ask for "
        f"{shown(total)} ({'; '.join(sources)})",
        "降低下限、minimum 或缩小其中一条规则的 scope，使二者可以同时满足。",
        "Lower the floor or the minimum, or narrow the scope of one of the rules, so that both can be met.",
        "error" if together.hard else "warning",
    )
