"""``dualrandom simulate``: what draws with other seeds would look like."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from dualrandom.cli.options import AsJson, Campaign, InLanguage
from dualrandom.cli.screen import Screen, opened

if TYPE_CHECKING:
    from dualrandom.simulate import Simulation

SHOWN_LOADS = 5
"""Most and least loaded inspectors shown of each; ``--json`` has them all."""


def simulate(
    context: typer.Context,
    campaign: Campaign,
    draws: Annotated[
        int, typer.Option("--draws", min=1, max=100_000, help="模拟多少次 · how many draws")
    ] = 20,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """用别的种子试抽，不公布任何东西 · Draw with other seeds; nothing is published.

    退出码 1：有检查对象的抽中频率越出界限 · exit code 1: some enterprise was drawn too often or too seldom
    """
    with opened(context, as_json, language, campaign) as screen:
        from dualrandom.campaign import load_inputs  # noqa: PLC0415
        from dualrandom.simulate import outlook  # noqa: PLC0415
        from dualrandom.simulate import simulate as simulate_draws  # noqa: PLC0415

        screen.stage("读取计划和名录库", "reading plan and libraries")
        ahead = outlook(load_inputs(campaign))
        screen.stage(f"模拟 {draws} 次抽取", f"simulating {draws} draws")
        simulation = simulate_draws(
            ahead,
            draws,
            lambda done: screen.update(f"模拟抽取 {done}/{draws}", f"simulated draw {done}/{draws}"),
        )
        screen.end_stage()
        _show(screen, simulation)
        screen.finish(simulation_as_json(simulation))
        if not all(task.inside for task in simulation.inclusion):
            raise typer.Exit(1)


def _show(screen: Screen, simulation: Simulation) -> None:
    pick = screen.pick

    def spread(numbers: tuple[int, float, int]) -> str:
        least, mean, greatest = numbers
        return f"{least:,} / {mean:,.1f} / {greatest:,}"

    draws = simulation.draws
    screen.fields(
        pick(f"{draws} 次模拟（最少/平均/最多）", f"{draws} simulated draws (least/mean/most)"),
        (
            ("上门检查", "visits", spread(simulation.visits)),
            ("合并上门省去", "visits saved by joining", spread(simulation.saved)),
            (
                "接近理论最少（占可省户数）",
                "how close to the fewest enterprises possible",
                "–"
                if simulation.closeness is None
                else " / ".join(f"{share:.1%}" for share in simulation.closeness),
            ),
            ("检查组", "crews", spread(simulation.crews)),
            ("未能排期", "visits without a date", spread(simulation.undated)),
            ("全部排上日期的次数", "draws in which all found a date", f"{simulation.fully_dated}/{draws}"),
            ("用到放宽步骤的次数", "draws that used relief", f"{simulation.relieved}/{draws}"),
            ("首个方案并列的次数", "draws whose first plan was tied", f"{simulation.tied}/{draws}"),
            ("每次用时（秒）", "seconds a draw", f"{simulation.seconds / draws:.2f}"),
        ),
    )
    screen.table(
        pick(
            "抽中频率与应有概率（偏差最大的检查对象）",
            "Shares against probabilities (the greatest deviation)",
        ),
        (
            pick("任务", "task"),
            pick("预计抽中", "expected"),
            pick("抽中（最少/平均/最多）", "selected (least/mean/most)"),
            pick("检查对象", "enterprise"),
            pick("应有概率", "probability"),
            pick("抽中频率", "share"),
            pick("界限", "band"),
            pick("结论", "verdict"),
        ),
        [
            (
                task.task,
                f"{float(task.expected):.2f}",
                spread(task.selected),
                task.enterprise or "–",
                f"{task.probability:.4f}",
                f"{task.share:.4f}",
                f"{task.lowest:.4f} – {task.highest:.4f}",
                pick("界内", "inside") if task.inside else pick("越界", "OUTSIDE"),
            )
            for task in simulation.inclusion
        ],
    )
    loads = sorted(simulation.loads, key=lambda load: load.crews[1])
    few = loads if len(loads) <= 2 * SHOWN_LOADS else [*loads[:SHOWN_LOADS], *loads[-SHOWN_LOADS:]]
    screen.table(
        pick("人均检查组（最轻与最重）", "Crews an inspector (the lightest and the heaviest loads)"),
        (
            pick("检查人员", "inspector"),
            pick("部门", "department"),
            pick("最少/平均/最多", "least/mean/most"),
        ),
        [(load.inspector, load.department, spread(load.crews)) for load in few],
    )


def simulation_as_json(simulation: Simulation) -> dict[str, Any]:
    """Return a simulation for programs."""

    def spread(numbers: tuple[int, float, int]) -> dict[str, float]:
        return dict(zip(("least", "mean", "greatest"), numbers, strict=True))

    return {
        "draw": simulation.draw,
        "draws": simulation.draws,
        "visits": spread(simulation.visits),
        "saved": spread(simulation.saved),
        "closeness": None
        if simulation.closeness is None
        else dict(zip(("least", "mean", "greatest"), simulation.closeness, strict=True)),
        "crews": spread(simulation.crews),
        "undated": spread(simulation.undated),
        "fully_dated": simulation.fully_dated,
        "relieved": simulation.relieved,
        "tied": simulation.tied,
        "seconds": round(simulation.seconds, 3),
        "inclusion": [
            {
                "task": task.task,
                "expected": str(task.expected),
                "selected": spread(task.selected),
                "enterprise": task.enterprise,
                "probability": task.probability,
                "share": task.share,
                "band": [task.lowest, task.highest],
                "inside": task.inside,
            }
            for task in simulation.inclusion
        ],
        "loads": [
            {"inspector": load.inspector, "department": load.department, "crews": spread(load.crews)}
            for load in simulation.loads
        ],
    }
