"""What in the ledger or the library keeps an enterprise out of a task's frame, in words: dates and numbers, not only a code."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from dualrandom.eligibility import YearToDate
from dualrandom.policy.plan import Plan, Task
from dualrandom.reasons import (
    ANNUAL_CAP,
    DONE,
    EXEMPT,
    INTERVAL,
    ITEM_CAP,
    OBSERVATION,
    RECOGNISED,
    SUSPENDED,
)
from dualrandom.registry.models import Enterprise

Words = dict[str, str]


def history(enterprise: str, done: YearToDate) -> dict[str, Any]:
    """Return this year's visiting days, those of case visits (个案, which count for nothing), and the last visit."""
    last = done.last.get(enterprise)
    return {
        "days": done.visits.get(enterprise, 0),
        "cases": done.cases.get(enterprise, 0),
        "last": None if last is None else last.isoformat(),
    }


def grounds(plan: Plan, task: Task, enterprise: Enterprise, done: YearToDate, reason: str) -> Words | None:
    """Return what a reason rests on, Chinese and English; None where the code says it all."""
    tell = _TELL.get(reason)
    return None if tell is None else tell(_Case(plan, task, enterprise, done))


@dataclass(frozen=True, slots=True)
class _Case:
    """One enterprise that one task may not draw."""

    plan: Plan
    task: Task
    enterprise: Enterprise
    done: YearToDate

    def exempt(self) -> Words:
        found = next(
            one
            for one in self.plan.exemptions
            if one.enterprise == self.enterprise.id and one.task in (None, self.task.id)
        )
        return {"zh": f"{found.reason}：{found.text}", "en": f"{found.reason}: {found.text}"}

    def suspended(self) -> Words:
        return {
            "zh": f"歇业至 {self.enterprise.suspended_until}",
            "en": f"suspended until {self.enterprise.suspended_until}",
        }

    def observed(self) -> Words:
        return {
            "zh": f"成立于 {self.enterprise.established}",
            "en": f"established on {self.enterprise.established}",
        }

    def recognised(self) -> Words:
        items = {item for span in self.done.rules[self.task.id].recognitions for item in span.items}
        day, department, item = max(
            (day, department, item)
            for item in items
            for day, department in self.done.items.get((item, self.enterprise.id), ())
            if department != self.task.department
        )
        return {"zh": f"{department} 于 {day} 检查了 {item}", "en": f"{department} checked {item} on {day}"}

    def annual_cap(self) -> Words:
        days = (self.done.planned if self.done.rules[self.task.id].special_exempt else self.done.visits).get(
            self.enterprise.id, 0
        )
        return {"zh": f"今年已有 {days} 个检查日", "en": f"{days} visiting days this year"}

    def item_cap(self) -> Words:
        items = sorted({item for span in self.done.rules[self.task.id].item_caps for item in span.items})
        found = [
            f"{item} {day}"
            for item in items
            for day in sorted({day for day, _ in self.done.items.get((item, self.enterprise.id), ())})
        ]
        return {"zh": f"已查：{'、'.join(found)}", "en": f"checked: {', '.join(found)}"}

    def checked(self) -> Words:
        last = self.done.last_check[self.task.id, self.enterprise.id]
        times = self.done.checks[self.task.id, self.enterprise.id]
        return {"zh": f"今年 {times} 次，最近 {last}", "en": f"{times} this year, the last on {last}"}

    def interval(self) -> Words:
        spans = self.done.rules[self.task.id].intervals
        zh, en = [], []
        for span in spans:
            of_all = span.of == "enterprise"
            last = (
                self.done.last.get(self.enterprise.id)
                if of_all
                else self.done.last_check.get((self.task.id, self.enterprise.id))
            )
            if last is not None:
                zh.append(f"{'上次检查' if of_all else '本任务上次检查'} {last}，间隔 {span.months} 个月")
                en.append(
                    f"last {'visit' if of_all else 'check of this task'} on {last}, interval {span.months} months"
                )
        return {"zh": "；".join(zh), "en": "; ".join(en)}


_TELL: Mapping[str, Callable[[_Case], Words]] = {
    EXEMPT: _Case.exempt,
    SUSPENDED: _Case.suspended,
    OBSERVATION: _Case.observed,
    RECOGNISED: _Case.recognised,
    ANNUAL_CAP: _Case.annual_cap,
    ITEM_CAP: _Case.item_cap,
    DONE: _Case.checked,
    INTERVAL: _Case.interval,
}
