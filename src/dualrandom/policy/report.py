"""Which policies apply to each task and stratum, which of them wins and why, and what the draw will do about it.

The rules themselves are :mod:`dualrandom.policy.precedence`; this module puts their outcome into words and problems. Conflicts
that nobody can meet are errors and name both sources; where a policy changes what the plan asks for, that is a warning.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from dualrandom.errors import Problem
from dualrandom.policy.documents import ELIGIBILITY
from dualrandom.policy.plan import Plan, Task
from dualrandom.policy.precedence import Applied, Resolution, Verdict
from dualrandom.policy.unmet import percent, problem, shown, unmet
from dualrandom.quota import Population, annual_budget, annual_targets, expected_sizes
from dualrandom.together import FREE, Bounds

LEVEL_NAMES = {"national": ("国家", "national"), "province": ("省", "provincial"), "city": ("市县", "local")}


@dataclass(frozen=True, slots=True)
class PolicyRow:
    """One stratum of one task. Ratios are annual; ``asked`` is the plan's, ``target`` checks a year after policies,
    ``expected`` this period's draw; ``why`` says in Chinese and English which rules hold and what follows."""

    task: str
    stratum: str
    credit_class: str
    whole: int
    asked: Fraction | None
    target: Fraction | None
    expected: Fraction
    holds: tuple[Verdict, ...]
    why: tuple[str, str]


@dataclass(frozen=True)
class PolicyReport:
    """All rows, the rules on eligibility by task, and what a person should look at."""

    rows: tuple[PolicyRow, ...]
    eligibility: Mapping[str, tuple[Applied, ...]]
    problems: tuple[Problem, ...]

    def as_json(self) -> dict[str, Any]:
        """Return the report as plain data."""
        return {
            "strata": [
                {
                    "task": row.task,
                    "stratum": row.stratum,
                    "class": row.credit_class,
                    "whole": row.whole,
                    "asked": None if row.asked is None else str(row.asked),
                    "target": None if row.target is None else str(row.target),
                    "expected": str(row.expected),
                    "rules": [
                        {
                            "direction": one.direction,
                            "ratio": str(one.ratio),
                            "rule": one.winner.name,
                            "source": one.winner.rule.source,
                            "beaten": [beaten.name for beaten in one.beaten],
                        }
                        for one in row.holds
                    ],
                    "why": {"zh": row.why[0], "en": row.why[1]},
                }
                for row in self.rows
            ],
            "eligibility": {
                task: [{"rule": one.name, "kind": one.rule.kind, "source": one.rule.source} for one in rules]
                for task, rules in self.eligibility.items()
            },
        }


def policy_report(
    plan: Plan,
    populations: Mapping[str, Mapping[str, Population]],
    resolutions: Mapping[str, Resolution],
    applied: Mapping[str, Sequence[Applied]],
) -> PolicyReport:
    """Report on all tasks; the arguments are those of a :class:`dualrandom.frame.Membership` and the rules by task."""
    rows: list[PolicyRow] = []
    problems: list[Problem] = [*_not_in_force(plan)]
    for task in plan.tasks:
        if task.mode == "follows" or task.id not in resolutions:
            continue
        resolution = resolutions[task.id]
        conflicts = conflict_problems(task, resolution)
        problems += conflicts
        problems += _partial(task, resolution)
        problems += _divided(task, populations[task.id], resolution)
        found = _rows(plan, task, populations[task.id], resolution)
        rows += found
        if not conflicts and found:
            problems += _changes(plan, task, populations[task.id], resolution, found)
            problems += unmet(plan, task, populations[task.id], resolution)
    return PolicyReport(
        tuple(rows),
        {
            task: chosen
            for task, rules in applied.items()
            if (chosen := tuple(one for one in rules if one.rule.kind in ELIGIBILITY))
        },
        tuple(problems),
    )


def _rows(
    plan: Plan, task: Task, populations: Mapping[str, Population], resolution: Resolution
) -> list[PolicyRow]:
    if not resolution.verdicts:
        return []
    expected = expected_sizes(task, populations, plan.months_left, plan.rounding, resolution.bounds)
    targets = (
        None if task.ratios is None else annual_targets(task, populations, plan.rounding, resolution.bounds)
    )
    rows = []
    for stratum, population in populations.items():
        holds = tuple(
            verdict
            for where, found in resolution.verdicts.items()
            if stratum in where.split(",")
            for verdict in found
        )
        asked = None if task.ratios is None else task.ratios[population.credit_class]
        target = None if targets is None else targets[stratum]
        rows.append(
            PolicyRow(
                task.id,
                stratum,
                population.credit_class if "class" in resolution.by else "",
                population.whole,
                asked,
                target,
                expected[stratum],
                holds,
                _why(holds, asked, target, population, task, expected[stratum]),
            )
        )
    return rows


def _why(
    holds: Sequence[Verdict],
    asked: Fraction | None,
    target: Fraction | None,
    population: Population,
    task: Task,
    expected: Fraction,
) -> tuple[str, str]:
    zh, en = [], []
    for one in holds:
        level_zh, level_en = LEVEL_NAMES[one.winner.policy.level]
        word_zh, word_en = ("下限", "floor") if one.direction == "floor" else ("上限", "ceiling")
        force_zh, force_en = ("", "") if one.winner.rule.hard else ("（指导）", " (guidance)")
        beaten_zh = f"，优先于 {'、'.join(b.name for b in one.beaten)}" if one.beaten else ""
        beaten_en = f", before {', '.join(b.name for b in one.beaten)}" if one.beaten else ""
        zh.append(f"{word_zh} {percent(one.ratio)}{force_zh}：{one.winner.name}，{level_zh}级{beaten_zh}")
        en.append(f"{word_en} {percent(one.ratio)}{force_en}: {one.winner.name}, {level_en}{beaten_en}")
    if target is not None and asked is not None:
        base = population.whole * task.frequency
        zh.append(f"计划 {percent(asked)} × {base} → 全年 {shown(target)}，本期抽 {shown(expected)}")
        en.append(f"plan {percent(asked)} × {base} → {shown(target)} this year, {shown(expected)} now")
    else:
        zh.append(f"按总量分配，本期抽 {shown(expected)}")
        en.append(f"shared from the budget, {shown(expected)} now")
    return "；".join(zh), "; ".join(en)


def conflict_problems(task: Task, resolution: Resolution) -> list[Problem]:
    """Return an error for each law's floor above a law's ceiling, with both sources."""
    return [
        problem(
            "policy-conflict",
            task,
            f"{percent(one.floor.ratio)} > {percent(one.ceiling.ratio)}",
            f"任务 {task.id} {_place(one.where)[0]}：下限 {percent(one.floor.ratio)}（{one.floor.winner.name}："
            f"{one.floor.winner.rule.source}）高于上限 {percent(one.ceiling.ratio)}（{one.ceiling.winner.name}："
            f"{one.ceiling.winner.rule.source}），无法同时满足",
            f"task {task.id}, {_place(one.where)[1]}: the floor {percent(one.floor.ratio)} ({one.floor.winner.name}: "
            f"{one.floor.winner.rule.source}) is above the ceiling {percent(one.ceiling.ratio)} "
            f"({one.ceiling.winner.name}: {one.ceiling.winner.rule.source}); both cannot be met",
            '缩小其中一条的 scope，或把其中一条改为 force = "soft"（指导），或只采用其中一份政策。',
            'Narrow the scope of one of them, make one guidance (force = "soft"), or name only one of the policies.',
            "error",
        )
        for one in resolution.conflicts
    ]


def _place(where: str) -> tuple[str, str]:
    if "," in where:
        return f"层 {where.replace(',', '、')} 合计", f"strata {where.replace(',', ', ')} together"
    return f"层 {where}", f"stratum {where}"


def _not_in_force(plan: Plan) -> Iterable[Problem]:
    found = {policy.id: policy for policy in plan.policies}
    found |= {policy.id: policy for task in plan.tasks for policy in task.policies}
    for _, policy in sorted(found.items()):
        if not policy.in_force(plan.period):
            dates = f"{policy.valid_from or '…'} – {policy.valid_until or '…'}"
            yield Problem(
                "policy-not-in-force",
                "plan.toml",
                None,
                None,
                "plan.policies",
                policy.id,
                f"政策 {policy.id}（{dates}）不覆盖本期，未采用",
                f"policy {policy.id} ({dates}) is not in force over the whole period and is left aside",
                "改用有效的版本，或删去。",
                "Name the version that is in force, or take it out.",
                severity="warning",
            )


def _partial(task: Task, resolution: Resolution) -> Iterable[Problem]:
    for one in resolution.partial:
        yield problem(
            "policy-partial",
            task,
            one.name,
            f"规则 {one.name} 只涉及任务 {task.id} 某些层中的一部分检查对象；双向控制的层是一张表，不能再分，无法执行这条规则",
            f"rule {one.name} concerns only some of the enterprises in strata of task {task.id}; strata with two-way control are a "
            "table and cannot be divided, so the rule cannot be held",
            '改用 control = "one-way"，或用 scope 把任务拆成两个。',
            'Set control = "one-way", or make it two tasks with scope.',
            "error",
        )


def _divided(task: Task, populations: Mapping[str, Population], resolution: Resolution) -> Iterable[Problem]:
    """Tell which rules divide a task further than its plan does."""
    rules = {rule for population in populations.values() for rule in population.inside}
    for rule in sorted(rules):
        strata = [s for s, p in sorted(populations.items()) if p.inside.get(rule)]
        yield problem(
            "policy-divides-strata",
            task,
            rule,
            f"规则 {rule} 只涉及任务 {task.id} 某些层中的一部分检查对象，这些层分为两部分；涉及的是层 {'、'.join(strata) or '（无）'}",
            f"rule {rule} concerns only some of the enterprises in strata of task {task.id}: these are divided in two; it holds for "
            f"{', '.join(strata) or 'none of them'}",
            "无须改动；层越细，部门之间越难相遇，可用 scope 缩小任务，或把规则写成整层适用。",
            "Nothing needs to be done. Finer strata let departments meet less often: narrow the task with scope, or let the "
            "rule concern whole strata.",
            "warning",
        )
    if resolution.by != task.strata_by:
        yield problem(
            "policy-divides-strata",
            task,
            "class",
            f"政策按信用分类规定比例，任务 {task.id} 因此按信用分类分层",
            f"policies have ratios by credit class, so task {task.id} is divided by class",
            f"在计划中写明 strata_by = {[*resolution.by]}。".replace("'", '"'),
            f"Write strata_by = {[*resolution.by]} in the plan.".replace("'", '"'),
            "warning",
        )


def _changes(
    plan: Plan,
    task: Task,
    populations: Mapping[str, Population],
    resolution: Resolution,
    rows: Sequence[PolicyRow],
) -> Iterable[Problem]:
    """Warn where policies change what the plan asks for."""
    bounds = resolution.bounds
    if task.ratios is None:
        yield from _budget_changes(plan, task, populations, bounds, rows)
        return
    free = annual_targets(task, populations, plan.rounding, FREE)
    for row in rows:
        if row.target is not None and row.target != free[row.stratum]:
            zh, en = row.why
            yield problem(
                "policy-changes-quota",
                task,
                f"{shown(free[row.stratum])} → {shown(row.target)}",
                f"任务 {task.id} 层 {row.stratum}：计划要求全年 {shown(free[row.stratum])} 户次，依政策改为 {shown(row.target)}。{zh}",
                f"task {task.id}, stratum {row.stratum}: the plan asks for {shown(free[row.stratum])} checks a year, policies "
                f"make it {shown(row.target)}. {en}",
                f"按政策改写 ratios（{'；'.join(one.winner.rule.source for one in row.holds)}），或核对采用的政策。",
                f"Write the ratio that the policies allow ({'; '.join(one.winner.rule.source for one in row.holds)}), "
                "or check which policies apply.",
                "warning",
            )


def _budget_changes(
    plan: Plan, task: Task, populations: Mapping[str, Population], bounds: Bounds, rows: Sequence[PolicyRow]
) -> Iterable[Problem]:
    assert task.budget is not None
    budget = annual_budget(task, populations, bounds)
    if budget != task.budget.visits:
        sources = sorted({one.winner.rule.source for row in rows for one in row.holds})
        yield problem(
            "policy-changes-budget",
            task,
            f"{task.budget.visits} → {shown(budget)}",
            f"任务 {task.id}：总量 {task.budget.visits} 依政策改为 {shown(budget)}（{'；'.join(sources)}）",
            f"task {task.id}: the budget of {task.budget.visits} becomes {shown(budget)} ({'; '.join(sources)})",
            "把 budget.visits 改为该数，或核对采用的政策。",
            "Write this number in budget.visits, or check which policies apply.",
            "warning",
        )
    free = expected_sizes(task, populations, plan.months_left, plan.rounding, FREE)
    for row in rows:
        if row.expected != free[row.stratum]:
            yield problem(
                "policy-changes-quota",
                task,
                f"{shown(free[row.stratum])} → {shown(row.expected)}",
                f"任务 {task.id} 层 {row.stratum}：按总量分配本期 {shown(free[row.stratum])} 户，依政策改为 {shown(row.expected)}。{row.why[0]}",
                f"task {task.id}, stratum {row.stratum}: the budget gives {shown(free[row.stratum])} now, policies make it "
                f"{shown(row.expected)}. {row.why[1]}",
                "调整 weights，或核对采用的政策。",
                "Change the weights, or check which policies apply.",
                "warning",
            )
