"""Rules of a plan's tasks: departments, leads, quotas, strata and scopes (一个任务：谁来查、查谁、抽多少)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dualrandom.policy.rules import Parsed, ids_of, known, rows
from dualrandom.policy.source import Faults, Path, nearest


def check_tasks(faults: Faults, parsed: Parsed, raw: Mapping[str, Any]) -> None:
    """Departments, leads, quotas and scopes of all tasks."""
    departments = ids_of(parsed, "departments")
    modes = {task["id"]: task["mode"] for _, task in rows(parsed, "tasks") if task["id"] is not None}
    for position, task in rows(parsed, "tasks"):
        path: Path = ("tasks", position)
        written = raw["tasks"][position]
        known(faults, (*path, "department"), task["department"], departments, ("部门", "department"))
        _scope(faults, path, task, parsed)
        if task["control"] == "two-way":
            _two_way(faults, path, task, parsed)
        if task["mode"] == "follows":
            _follower(faults, path, task, written, modes)
        elif task["mode"] == "own":
            _quota(faults, path, task, written, parsed)


def _follower(
    faults: Faults, path: Path, task: Parsed, written: Parsed, modes: Mapping[str, str | None]
) -> None:
    own = [name for name, mode in modes.items() if mode == "own" and name != task["id"]]
    lead = task["lead"]
    if "lead" not in written:
        faults.error(
            (*path, "lead"),
            "plan-lead",
            "",
            ("参与任务没有写发起任务", "a task that follows names no lead"),
            ("lead 写发起部门的任务代码", "Give the lead department's task id in lead"),
            own[0] if len(own) == 1 else None,
        )
    elif lead is not None and modes.get(lead) == "follows":
        faults.error(
            (*path, "lead"),
            "plan-lead",
            lead,
            ("发起任务自身也是参与任务", "the lead follows another task itself"),
            ('lead 须是 mode = "own" 的任务', 'The lead must be a task with mode = "own"'),
        )
    elif lead is not None and lead not in modes:
        faults.error(
            (*path, "lead"),
            "plan-lead",
            lead,
            ("没有这个任务", "there is no such task"),
            (f"可用：{'、'.join(own)}", f"Known: {', '.join(own)}"),
            nearest(lead, own),
        )
    for key in ("ratios", "budget", "operator", "frequency", "strata_by", "group_by", "minimum"):
        if key in written:
            faults.error(
                (*path, key),
                "plan-follows",
                key,
                ("参与任务随发起任务抽取，没有自己的比例", "a task that follows has no quota of its own"),
                (f"删去 {key}", f"Take {key} out"),
            )


def _quota(faults: Faults, path: Path, task: Parsed, written: Parsed, parsed: Parsed) -> None:
    if "lead" in written:
        faults.error(
            (*path, "lead"),
            "plan-lead",
            task["lead"],
            ("自行抽取的任务没有发起任务", "a task that draws for itself has no lead"),
            ('删去 lead，或写 mode = "follows"', 'Take lead out, or set mode = "follows"'),
        )
    given = [key for key in ("ratios", "budget") if key in written]
    if not given and task["ratios"] is not None:
        given = ["ratios"]  # a policy prescribes them
    if len(given) != 1:
        faults.error(
            path if not given else (*path, "budget"),
            "plan-quota",
            task["id"],
            ("比例与总量须恰好写一种", "a task has either ratios or a budget, exactly one of them"),
            (
                '写 ratios = { A = "1%", … }，或 budget = { visits = 400, weights = { A = 1, … } }，或采用规定了各类比例的政策',
                'Give ratios = { A = "1%", … } or budget = { visits = 400, weights = { A = 1, … } }, or a policy with ratios',
            ),
        )
    if task["ratios"] is not None:
        _by_class(faults, (*path, "ratios"), task, task["ratios"], parsed)
    weights = (task["budget"] or {}).get("weights")
    if weights is not None:
        _by_class(faults, (*path, "budget", "weights"), task, weights, parsed)
        if weights and not any(weights.values()):
            faults.error(
                (*path, "budget", "weights"),
                "plan-weights",
                "0",
                ("所有权重都是 0", "all weights are 0"),
                ("至少一类的权重大于 0", "Give at least one class a weight above 0"),
            )
    strata_by = task["strata_by"]
    if strata_by is None:
        return
    quota = task["ratios"] or weights or {}
    if "class" not in strata_by and len(set(quota.values())) > 1:
        faults.error(
            (*path, "strata_by"),
            "plan-strata",
            list(strata_by),
            ("各类比例不同，却不按信用分类分层", "the classes have different quotas, but are no strata"),
            (
                'strata_by 加上 "class"，或各类用同一比例',
                'Add "class" to strata_by, or use one quota for all classes',
            ),
            str([*("class",), *strata_by]).replace("'", '"'),
        )
    if task["group_by"] not in (None, "task", *strata_by):
        faults.error(
            (*path, "group_by"),
            "plan-strata",
            task["group_by"],
            ("分组依据不在分层依据之中", "strata are grouped by what they are not divided by"),
            (
                f'strata_by 加上 "{task["group_by"]}"，或写 group_by = "task"',
                f'Add "{task["group_by"]}" to strata_by, or set group_by = "task"',
            ),
        )


def _two_way(faults: Faults, path: Path, task: Parsed, parsed: Parsed) -> None:
    """Two-way control rounds a table: classes by districts, its rows the groups (docs/protocol.md §6.2)."""
    if task["mode"] == "follows":
        faults.error(
            (*path, "control"),
            "plan-two-way",
            "two-way",
            ("参与任务没有自己的样本量，无须取整", "a task that follows has no sample sizes to round"),
            ('删去 control 或写 "one-way"', 'Take control out or write "one-way"'),
            '"one-way"',
        )
        return
    strata_by, group_by = task["strata_by"], task["group_by"]
    if None in (task["mode"], strata_by, group_by):
        return
    if sorted(strata_by) != ["class", "district"] or group_by != strata_by[0]:
        faults.error(
            (*path, "control"),
            "plan-two-way",
            "two-way",
            (
                "双向控制须按信用分类和区划分层，并按其中第一项分组",
                "two-way control needs strata by class and district, grouped by the first of them",
            ),
            (
                '写 strata_by = ["class", "district"] 和 group_by = "class"，或写 control = "one-way"',
                'Set strata_by = ["class", "district"] and group_by = "class", or control = "one-way"',
            ),
            '"one-way"',
        )
        return
    plan = parsed["plan"] or {}
    if plan.get("rounding") == "up":
        sealed = plan.get("disclosure") == "sealed"
        faults.warning(
            (*path, "control"),
            "plan-two-way-idle",
            "two-way",
            (
                '双向控制不起作用：rounding = "up" 时各层应抽数已是整数，没有可取整的',
                'two-way control has no effect: with rounding = "up" the expected samples are whole, nothing is left to round',
            ),
            (
                '删去 control；只有公开抽取（disclosure = "open"）可以写 rounding = "unbiased"'
                if sealed
                else '在 [plan] 写 rounding = "unbiased"，或删去 control',
                'Take control out; only an open draw (disclosure = "open") can have rounding = "unbiased"'
                if sealed
                else 'Set rounding = "unbiased" in [plan], or take control out',
            ),
        )


def _by_class(faults: Faults, path: Path, task: Parsed, quota: Parsed, parsed: Parsed) -> None:
    classes = (parsed["plan"] or {}).get("classes")
    if classes is None:
        return
    wanted = (task["scope"] or {}).get("classes") or classes
    missing = [name for name in wanted if name in classes and name not in quota]
    if missing:
        faults.error(
            path,
            "plan-class-missing",
            ", ".join(missing),
            (f"缺少类别 {'、'.join(missing)}", f"class {', '.join(missing)} is missing"),
            (
                "每一类都写；不抽的写 0，或用 scope.classes 限定类别",
                "Give every class a number, 0 if it is not drawn; or restrict the task with scope.classes",
            ),
        )
    for name in quota:
        if name not in classes:
            known(faults, (*path, name), name, classes, ("信用分类", "credit class"))


def _scope(faults: Faults, path: Path, task: Parsed, parsed: Parsed) -> None:
    scope = task["scope"]
    if scope is None:
        return
    classes = (parsed["plan"] or {}).get("classes")
    for name in scope["classes"] or ():
        known(faults, (*path, "scope", "classes"), name, classes or (), ("信用分类", "credit class"))
    districts = ids_of(parsed, "districts")
    # without [[districts]] the districts are those of the enterprise library
    for name in (scope["districts"] or ()) if parsed["districts"] else ():
        known(faults, (*path, "scope", "districts"), name, districts, ("行政区划", "district"))
