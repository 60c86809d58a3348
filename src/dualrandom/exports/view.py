"""What the exports show: the full result joined with the libraries, in the order in which people work."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from dualrandom.page.markup import Both
from dualrandom.policy.plan import Department, Plan, Task
from dualrandom.registry.models import Enterprise, Inspector, Item, Libraries


@dataclass(frozen=True, slots=True)
class CrewRow:
    """One department's crew in seat order; without members it is unfilled, its department withdrew."""

    department: str
    members: tuple[Inspector, ...]


@dataclass(frozen=True, slots=True)
class VisitRow:
    """One visit. ``date`` is ``None`` and ``crews`` empty if it could not be dated."""

    enterprise: Enterprise
    part: int
    district: str
    date: str | None
    checks: tuple[tuple[Task, tuple[Item, ...]], ...]
    crews: tuple[CrewRow, ...]

    @property
    def departments(self) -> tuple[str, ...]:
        """Ids of the departments with checks, ascending."""
        return tuple(sorted({task.department for task, _ in self.checks}))

    def crew(self, department: str) -> tuple[Inspector, ...]:
        """Return the members of a department's crew, empty if there is none."""
        return next((crew.members for crew in self.crews if crew.department == department), ())

    @property
    def unfilled(self) -> frozenset[str]:
        """Ids of the departments whose crew has nobody."""
        return frozenset(crew.department for crew in self.crews if not crew.members)


@dataclass(frozen=True)
class ExportView:
    """Everything the exports need. ``result`` is the full one, without embargo, with the visits in effect.

    ``person_of`` maps roster ids (pseudonyms in a sealed draw) to codes of the inspector library; ``findings`` are the
    rows of ``findings.json`` (docs/protocol.md §10), empty before any are recorded; ``withdrawals`` says why a department
    withdrew (§13.4).
    """

    plan: Plan
    libraries: Libraries
    announcement: Mapping[str, Any]
    result: Mapping[str, Any]
    person_of: Mapping[str, str]
    statistics: Mapping[str, Any]
    seed: str
    findings: Sequence[Mapping[str, Any]] = field(default=())
    withdrawals: Mapping[str, Both] = field(default_factory=dict)

    @property
    def draw(self) -> str:
        """The id of the draw."""
        return str(self.announcement["draw"])

    @cached_property
    def departments(self) -> tuple[Department, ...]:
        """Departments that have a task, ascending by id."""
        used = {task["department"] for task in self.announcement["tasks"]}
        return tuple(sorted((d for d in self.plan.departments if d.id in used), key=lambda d: d.id))

    @cached_property
    def items(self) -> Mapping[str, Item]:
        """Items by id."""
        return {item.id: item for item in self.libraries.items}

    @cached_property
    def inspectors(self) -> Mapping[str, Inspector]:
        """Inspectors by roster id."""
        by_code = {inspector.code: inspector for inspector in self.libraries.inspectors}
        return {roster_id: by_code[code] for roster_id, code in self.person_of.items() if code in by_code}

    @cached_property
    def visits(self) -> tuple[VisitRow, ...]:
        """All visits by (date, enterprise, part), those without a date last."""
        tasks = {task.id: task for task in self.plan.tasks}
        wanted = {visit["enterprise"] for visit in self.result["visits"]}
        enterprises = {e.id: e for e in self.libraries.enterprises if e.id in wanted}
        rows = [
            VisitRow(
                enterprise=enterprises[visit["enterprise"]],
                part=visit["part"],
                district=visit["district"],
                date=visit["date"],
                checks=tuple(
                    (tasks[check["task"]], tuple(self.items[item] for item in check["items"]))
                    for check in visit["checks"]
                ),
                crews=tuple(
                    CrewRow(crew["department"], tuple(self.inspectors[seat] for seat in crew["seats"]))
                    for crew in visit["crews"]
                ),
            )
            for visit in self.result["visits"]
        ]
        return tuple(sorted(rows, key=lambda v: (v.date is None, v.date or "", v.enterprise.id, v.part)))

    @cached_property
    def latest_codes(self) -> Mapping[tuple[str, int, str, str], str]:
        """Finding code of each check's latest revision, by (enterprise, part, task, item)."""
        return {
            (f["enterprise"], f["part"], f["task"], f["item"]): f["code"]
            for f in sorted(self.findings, key=lambda f: int(f["revision"]))
        }

    def unfilled_words(self, department: str) -> Both:
        """Return what stands in the place of the people of an unfilled crew."""
        reason = self.withdrawals[department]
        return Both(f"空缺（部门退出：{reason.zh}）", f"unfilled (the department withdrew: {reason.en})")

    def department_name(self, department: str) -> Both:
        """Return a department's name in both languages."""
        return next(
            (Both(d.name, d.name_en) for d in self.plan.departments if d.id == department),
            Both(department, department),
        )

    def district_name(self, district: str) -> Both:
        """Return a district's name in both languages; the id where the plan names none."""
        return next(
            (Both(d.name, d.name_en) for d in self.plan.districts if d.id == district),
            Both(district, district),
        )

    @property
    def authority(self) -> Both:
        """The authority's name in both languages."""
        return Both(self.plan.authority_name, self.plan.authority_name_en)
