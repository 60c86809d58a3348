"""Errors of the solver: each has a stable code, the offending value and what to do next.

The solver may not import the rooms above it, so these are its own classes; ``code``, ``message`` and ``remedy``
have the form of the errors above, so that the layer that calls it can pass them on in either language.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar


class SolverError(Exception):
    """Base of everything this package raises on purpose.

    code        stable, dotted
    message     what is wrong, {"zh", "en"}
    remedy      what to do next, {"zh", "en"}
    detail      what exactly, for developers; the text of the exception
    value       the offending index, status or size
    """

    code: ClassVar[str] = "solver"
    message: ClassVar[Mapping[str, str]] = {"zh": "求解失败", "en": "the solver failed"}
    remedy: ClassVar[Mapping[str, str]] = {"zh": "见具体说明", "en": "see the detail"}

    def __init__(self, detail: str, value: object = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.value = value


class InvalidInstance(SolverError):
    """The arrays do not describe an instance."""

    code = "solver.instance"
    message: ClassVar[Mapping[str, str]] = {
        "zh": "编组数据不合要求",
        "en": "the arrays do not describe a pairing problem",
    }
    remedy: ClassVar[Mapping[str, str]] = {
        "zh": "改正说明中指出的数组；尚未进行任何计算",
        "en": "correct the array that the detail names; nothing has been computed",
    }


class InvalidPlan(SolverError):
    """Dates or members break a rule: a seat left empty, a mark missing, an absence, a cap."""

    code = "solver.plan"
    message: ClassVar[Mapping[str, str]] = {"zh": "编组结果违反规则", "en": "the dates or crews break a rule"}
    remedy: ClassVar[Mapping[str, str]] = {
        "zh": "值为首个违规之处；日期应取自 lottery_dates，成员应取自 least_plan",
        "en": "the value is the first offender; take dates from lottery_dates and members from least_plan",
    }


class NotSeatable(SolverError):
    """The seats of the dated visits cannot all be filled."""

    code = "solver.not_seatable"
    message: ClassVar[Mapping[str, str]] = {"zh": "席位无法全部排满", "en": "the seats cannot all be filled"}
    remedy: ClassVar[Mapping[str, str]] = {
        "zh": "日期应取自 lottery_dates；hall_violators 指出缺哪些人员、缺多少",
        "en": "take the dates from lottery_dates; hall_violators says who is short of whom, and by how many",
    }


class CostRange(SolverError):
    """Costs times nodes exceed what 64-bit arithmetic holds (roughly cost bits + log2 nodes > 61)."""

    code = "solver.cost_range"
    message: ClassVar[Mapping[str, str]] = {
        "zh": "规模超出 64 位整数范围",
        "en": "the problem exceeds 64-bit arithmetic",
    }
    remedy: ClassVar[Mapping[str, str]] = {
        "zh": "按部门或区划拆分，或减少签号位数",
        "en": "divide it by department or district, or use costs of fewer bits",
    }


class FlowFailed(SolverError):
    """The flow solver returned a status that correct input cannot produce."""

    code = "solver.flow_failed"
    message: ClassVar[Mapping[str, str]] = {"zh": "网络流求解器异常", "en": "the flow solver failed"}
    remedy: ClassVar[Mapping[str, str]] = {
        "zh": "请连同输入报告：这是求解器或本软件的缺陷",
        "en": "report it with the input: this is a defect of the solver library or of this package",
    }


class NotOptimal(SolverError):
    """No prices support the plan: a legal plan of smaller cost exists."""

    code = "solver.not_optimal"
    message: ClassVar[Mapping[str, str]] = {
        "zh": "编组不是签号之和最小的方案",
        "en": "the crews are not those of the least cost",
    }
    remedy: ClassVar[Mapping[str, str]] = {
        "zh": "方案被改动过或另法算出；用 least_plan 重新计算",
        "en": "the plan was altered or computed otherwise; compute it anew with least_plan",
    }
