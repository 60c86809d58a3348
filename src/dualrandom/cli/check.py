"""``dualrandom check``: what announcing would refuse or warn about, and what the draw would look like."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from dualrandom.cli.failures import problem_as_json
from dualrandom.cli.options import AsJson, Campaign, InLanguage
from dualrandom.cli.screen import Screen, opened

if TYPE_CHECKING:
    from dualrandom.campaign import Inputs
    from dualrandom.simulate import Outlook


def check(
    context: typer.Context, campaign: Campaign, as_json: AsJson = False, language: InLanguage = None
) -> None:
    """公告前检查：全部错误和提醒，预计规模 · All errors and warnings, and what the draw will look like."""
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign import load_inputs  # noqa: PLC0415
        from dualrandom.simulate import outlook  # noqa: PLC0415

        screen.stage("读取计划和名录库", "reading plan and libraries")
        inputs = load_inputs(campaign)
        screen.stage("试建名录", "building the lists")
        ahead = outlook(inputs)
        screen.end_stage()
        tasks, departments = task_rows(inputs, ahead), department_rows(inputs, ahead)
        screen.problems(ahead.warnings)
        obstacle = _obstacle(campaign, inputs)
        _show(screen, inputs, ahead, tasks, departments)
        _show_policies(screen, ahead)
        if obstacle is not None:
            screen.say(*obstacle, style="yellow")
        screen.say(
            f"没有错误，{len(ahead.warnings)} 条提醒。",
            f"No errors, {len(ahead.warnings)} warning{'' if len(ahead.warnings) == 1 else 's'}.",
        )
        screen.finish(
            {
                "draw": ahead.frozen.draw,
                "warnings": [problem_as_json(problem) for problem in ahead.warnings],
                "enterprises": len(inputs.libraries.enterprises),
                "frame": len(ahead.frozen.ids),
                "excluded": dict(ahead.excluded),
                "inspectors": len(ahead.frozen.roster),
                "days": len(ahead.document["days"]),
                "tasks": tasks,
                "departments": departments,
                "policies": ahead.policies.as_json(),
                "flags": list(ahead.flags),
                "obstacle": None if obstacle is None else {"zh": obstacle[0], "en": obstacle[1]},
            }
        )


def _obstacle(campaign: Path, inputs: Inputs) -> tuple[str, str] | None:
    """Return why announcing would be refused now although the input is right, Chinese and English."""
    from dualrandom.campaign.state import state_of_folder  # noqa: PLC0415
    from dualrandom.ceremony import Phase  # noqa: PLC0415

    if state_of_folder(campaign).phase not in {Phase.DRAFTED, Phase.VOID}:
        return (
            "此活动已公告，不能再次公告。",
            "This campaign has been announced and cannot be announced again.",
        )
    beacon = inputs.plan.beacon
    if beacon.kind != "local" and beacon.time <= datetime.now(UTC):
        return (
            f"信标轮次的时间 {beacon.time:%Y-%m-%d %H:%M} UTC 已过，公告会被拒绝（演练可用 --rehearsal）。",
            (
                f"The beacon's round was due at {beacon.time:%Y-%m-%d %H:%M} UTC: announcing will be refused "
                "(--rehearsal allows it for a rehearsal)."
            ),
        )
    return None


def task_rows(inputs: Inputs, ahead: Outlook) -> list[dict[str, Any]]:
    """Return for each task its enterprises, the expected selection and the range of sampling rates."""
    names = {task.id: (task.name, task.name_en) for task in inputs.plan.tasks}
    rates = {rate["task"]: rate for rate in ahead.document["rates"]}
    members: Counter[str] = Counter()
    for profile, count in Counter(ahead.frozen.profile.tolist()).items():
        for task in ahead.frozen.profiles[profile]:
            members[task] += count
    return [
        {
            "task": task["id"],
            "name": {"zh": names[task["id"]][0], "en": names[task["id"]][1]},
            "department": task["department"],
            "mode": task["mode"],
            "lead": task["lead"],
            "enterprises": members[task["id"]],
            "strata": len(ahead.frozen.strata.get(task["id"], ())),
            "expected": task["total"],
            "least": rates.get(task["id"], {}).get("least"),
            "greatest": rates.get(task["id"], {}).get("greatest"),
            "left_out": dict(sorted(ahead.excluded_by_task.get(task["id"], {}).items())),
        }
        for task in ahead.document["tasks"]
    ]


def department_rows(inputs: Inputs, ahead: Outlook) -> list[dict[str, Any]]:
    """Return for each department its inspectors, expected crews and seats, and the seats that its people can take."""
    from dualrandom.foresight import capacity, expected_crews, expected_seats  # noqa: PLC0415

    names = {department.id: (department.name, department.name_en) for department in inputs.plan.departments}
    seats = expected_seats(ahead.document, ahead.frozen)
    people = Counter(row.department for row in ahead.frozen.roster)
    able = capacity(ahead.frozen, len(ahead.document["days"]))
    return [
        {
            "department": department,
            "name": dict(zip(("zh", "en"), names.get(department, (department, department)), strict=True)),
            "inspectors": people[department],
            "expected_crews": round(float(crews), 2),
            "expected_seats": round(float(seats[department]), 2),
            "capacity": able.get(department, 0),
        }
        for department, crews in expected_crews(ahead.document, ahead.frozen).items()
    ]


def _show(
    screen: Screen,
    inputs: Inputs,
    ahead: Outlook,
    tasks: list[dict[str, Any]],
    departments: list[dict[str, Any]],
) -> None:
    from dualrandom.reasons import OF_THE_ENTERPRISE, counted_reasons  # noqa: PLC0415

    pick, language = screen.pick, screen.language
    left_out = {
        whole: counted_reasons(
            {r: count for r, count in ahead.excluded.items() if (r in OF_THE_ENTERPRISE) == whole}, language
        )
        for whole in (True, False)
    }
    screen.fields(
        pick("名录", "Lists"),
        (
            ("将公告的抽取", "draw to be announced", ahead.frozen.draw),
            ("检查对象", "enterprises", f"{len(inputs.libraries.enterprises):,}"),
            ("其中进入抽样框", "of them in the frame", f"{len(ahead.frozen.ids):,}"),
            ("未进入（户）", "left out (enterprises)", left_out[True] or "–"),
            ("不入某任务（户×任务）", "not in a task (enterprises × tasks)", left_out[False] or "–"),
            ("检查人员", "inspectors", len(ahead.frozen.roster)),
            ("可检查日", "days for visits", len(ahead.document["days"])),
        ),
    )
    screen.table(
        pick("任务", "Tasks"),
        (
            pick("任务", "task"),
            pick("名称", "name"),
            pick("部门", "department"),
            pick("可抽（户）", "enterprises"),
            pick("层", "strata"),
            pick("预计抽中", "expected"),
            pick("抽查率", "rates"),
        ),
        [
            (
                row["task"],
                row["name"][language],
                row["department"],
                f"{row['enterprises']:,}",
                row["strata"] or "–",
                pick(f"随 {row['lead']}", f"follows {row['lead']}")
                if row["expected"] is None
                else _decimal(row["expected"]),
                "–" if row["least"] is None else f"{_percent(row['least'])} – {_percent(row['greatest'])}",
            )
            for row in tasks
        ],
    )
    if any(row["left_out"] for row in tasks):
        screen.table(
            pick("范围内而不可抽的检查对象（户）", "In a task's scope, but left out (enterprises)"),
            (pick("任务", "task"), pick("原因", "reasons")),
            [(row["task"], counted_reasons(row["left_out"], language)) for row in tasks if row["left_out"]],
        )
    screen.table(
        pick("部门", "Departments"),
        (
            pick("部门", "department"),
            pick("名称", "name"),
            pick("检查人员", "inspectors"),
            pick("预计检查组", "expected crews"),
            pick("预计人次", "expected seats"),
            pick("最多人次", "seats at most"),
        ),
        [
            (
                row["department"],
                row["name"][language],
                row["inspectors"],
                f"{row['expected_crews']:.1f}",
                f"{row['expected_seats']:.1f}",
                row["capacity"],
            )
            for row in departments
        ],
    )


def _show_policies(screen: Screen, ahead: Outlook) -> None:
    """Print which policies bound the quotas of which strata, what follows, and which decide who may be drawn."""
    pick = screen.pick
    if ahead.policies.rows:
        screen.table(
            pick("政策对比例的约束", "What policies make of the quotas"),
            (
                pick("任务", "task"),
                pick("层", "stratum"),
                pick("户数", "enterprises"),
                pick("依据与结果", "rules and outcome"),
            ),
            [(row.task, row.stratum, row.whole, pick(*row.why)) for row in ahead.policies.rows],
        )
    if ahead.policies.eligibility:
        screen.table(
            pick("政策对可抽对象的约束", "What policies make of who may be drawn"),
            (pick("任务", "task"), pick("规则", "rule"), pick("依据", "source")),
            [
                (task, f"{one.name} ({one.rule.kind})", one.rule.source)
                for task, rules in ahead.policies.eligibility.items()
                for one in rules
            ],
        )


def _decimal(ratio: str) -> str:
    numerator, _, denominator = ratio.partition("/")
    value = int(numerator) / int(denominator)
    return f"{value:,.0f}" if value == int(value) else f"{value:,.2f}"


def _percent(ratio: str) -> str:
    numerator, _, denominator = ratio.partition("/")
    return f"{int(numerator) / int(denominator):.1%}"
