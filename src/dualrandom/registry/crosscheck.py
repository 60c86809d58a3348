"""What holds between the libraries and the plan: legality of items, known people and firms, marks that somebody has.

A library that could not be read at all is None here, and nothing is said about references to it: one fault, one
problem.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import date

from dualrandom.errors import Problem
from dualrandom.policy.plan import Department, Plan
from dualrandom.registry.columns import Kind
from dualrandom.registry.faults import problem
from dualrandom.registry.rows import RowSet
from dualrandom.registry.values import Refused, Vocabulary, credit_code

Sets = Mapping[Kind, RowSet | None]


def check(sets: Sets, plan: Plan) -> tuple[Problem, ...]:
    """Report problems of the plan's tasks; those of rows are reported in the sets themselves."""
    _shared_ids(sets)
    _districts(sets, plan)
    _recusals(sets, plan)
    _visits(sets)
    return (*_legality(sets, plan), *_marks(sets, plan), *_scopes(sets, plan))


def _ids(rows: RowSet | None) -> frozenset[str]:
    """Ids of all rows, those with another fault included."""
    if rows is None:
        return frozenset()
    read = (value for value in rows.values[rows.library.columns[0].name] if isinstance(value, str))
    return rows.written_ids.union(read)


def _shared_ids(sets: Sets) -> None:
    firms, people = sets["enterprises"], sets["inspectors"]
    if firms is None or people is None:
        return
    known = _ids(firms)
    for index, code in enumerate(people.values["code"]):
        if isinstance(code, str) and code in known:
            people.refuse("id-shared", index, "code", code)


def _districts(sets: Sets, plan: Plan) -> None:
    """A plan without districts has those of its enterprises; an inspector's must be among them."""
    firms, people = sets["enterprises"], sets["inspectors"]
    if firms is None or people is None or plan.districts:
        return
    known = {value for value in firms.values["district"] if isinstance(value, str)}
    vocabulary = Vocabulary((name, ()) for name in sorted(known))
    for index, districts in enumerate(people.values["districts"]):
        for district in districts if isinstance(districts, tuple) else ():
            if district not in known:
                people.refuse(
                    "district-unknown",
                    index,
                    "districts",
                    district,
                    vocabulary.near(district),
                    names=vocabulary.names,
                )


def _recusals(sets: Sets, plan: Plan) -> None:
    rows, firms, people = sets["recusals"], sets["enterprises"], sets["inspectors"]
    if rows is None or people is None:
        return
    codes = _ids(people)
    ids = _ids(firms)
    licences = {
        licence: code
        for licence, code in zip(people.values["licence"], people.values["code"], strict=True)
        if isinstance(licence, str) and isinstance(code, str)
    }
    vocabulary = Vocabulary((code, ()) for code in sorted(codes))
    for index, (inspector, other) in enumerate(
        zip(rows.values["inspector"], rows.values["other"], strict=True)
    ):
        if isinstance(inspector, str) and inspector not in codes:
            near = licences.get(inspector) or vocabulary.near(inspector)
            rows.refuse("recusal-inspector-unknown", index, "inspector", inspector, near)
        if not isinstance(other, str) or other in codes or other in ids or firms is None:
            continue
        if other in licences:
            rows.refuse("recusal-inspector-unknown", index, "other", other, licences[other])
        elif plan.enterprise_ids == "uscc":
            verdict = credit_code(other)
            if isinstance(verdict, str):
                rows.refuse("recusal-other-unknown", index, "other", other)
            elif isinstance(verdict, Refused) and 15 <= len(other) <= 21:
                rows.refuse(verdict.code, index, "other", other, verdict.suggestion, **verdict.words)
            else:
                rows.refuse("recusal-inspector-unknown", index, "other", other, vocabulary.near(other))
        else:
            rows.refuse("recusal-other-unknown", index, "other", other, vocabulary.near(other))


def _visits(sets: Sets) -> None:
    rows = sets["visits"]
    if rows is None:
        return
    for column, kind, code in (
        ("enterprise", "enterprises", "visit-enterprise-unknown"),
        ("item", "items", "visit-item-unknown"),
        ("inspectors", "inspectors", "visit-inspector-unknown"),
    ):
        other = sets[kind]  # type: ignore[index]
        if other is None:
            continue
        known = _ids(other)
        vocabulary = Vocabulary((name, ()) for name in sorted(known)) if kind != "enterprises" else None
        for index, value in enumerate(rows.values[column]):
            for each in value if isinstance(value, tuple) else (value,):
                if isinstance(each, str) and each and each not in known:
                    rows.refuse(code, index, column, each, vocabulary.near(each) if vocabulary else None)


def _legality(sets: Sets, plan: Plan) -> Iterable[Problem]:
    """An item that is not on the published list, not in force or another department's cannot be checked."""
    rows = sets["items"]
    if rows is None:
        return
    departments = {each.id: _named(each) for each in plan.departments}
    listed = {value: index for index, value in enumerate(rows.values["id"]) if isinstance(value, str)}
    vocabulary = Vocabulary((name, ()) for name in sorted(listed))
    for task in plan.tasks:
        department = departments.get(task.department, task.department)
        for item in task.items:
            index = listed.get(item)
            if index is None:
                if item not in rows.written_ids:
                    yield problem(
                        "item-not-listed",
                        rows.place(None, "id"),
                        item,
                        vocabulary.near(item),
                        task=task.id,
                        department=department,
                    )
                continue
            owner, basis = rows.values["department"][index], rows.values["basis"][index]
            words = {
                "task": task.id,
                "department": department,
                "basis": "?" if isinstance(basis, Refused) else basis,
            }
            if isinstance(owner, str) and owner != task.department:
                yield problem(
                    "item-of-other-department",
                    rows.place(index, "department"),
                    item,
                    owner=departments.get(owner, owner),
                    **words,
                )
            first, last = rows.values["valid_from"][index], rows.values["valid_until"][index]
            start, end = plan.period
            late = isinstance(first, date) and first > start
            early = isinstance(last, date) and last < end
            if late or early:
                yield problem(
                    "item-not-in-force",
                    rows.place(index, "valid_from" if late else "valid_until"),
                    item,
                    start=start,
                    end=end,
                    span=f"{_date(first)} – {_date(last)}",
                    **words,
                )


def _named(department: Department) -> str:
    return f"{department.name} ({department.id})" if department.name != department.id else department.id


def _date(value: object) -> str:
    return str(value) if isinstance(value, date) else "…"


def _marks(sets: Sets, plan: Plan) -> Iterable[Problem]:
    """A mark that nobody of the department holds leaves every visit of the item without a crew."""
    items, people = sets["items"], sets["inspectors"]
    if items is None or people is None:
        return
    held: dict[object, set[str]] = {}
    for department, marks in zip(people.values["department"], people.values["marks"], strict=True):
        if isinstance(marks, tuple):
            held.setdefault(department, set()).update(marks)
    used = {item for task in plan.tasks for item in task.items}
    names = {each.id: _named(each) for each in plan.departments}
    for index, item in enumerate(items.values["id"]):
        department, marks = items.values["department"][index], items.values["marks"][index]
        if item not in used or not isinstance(marks, tuple) or not isinstance(department, str):
            continue
        holders = held.get(department, set())
        vocabulary = Vocabulary((name, ()) for name in sorted(holders))
        for mark in marks:
            if mark not in holders:
                yield problem(
                    "mark-without-holder",
                    items.place(index, "marks"),
                    mark,
                    vocabulary.near(mark),
                    department=names.get(department, department),
                )


def _scopes(sets: Sets, plan: Plan) -> Iterable[Problem]:
    """A word of a task's scope that no enterprise has is probably misspelt: the task would draw nobody by it."""
    rows = sets["enterprises"]
    if rows is None:
        return
    present: dict[str, Collection[str]] = {
        column: sorted({value for value in rows.values[column] if isinstance(value, str) and value})
        for column in ("kind", "category", "industry")
    }
    for task in plan.tasks:
        for field, column, wanted in (
            ("kinds", "kind", task.scope.kinds),
            ("categories", "category", task.scope.categories),
            ("industries", "industry", task.scope.industries),
        ):
            vocabulary: Vocabulary | None = None
            for word in wanted:
                if any(
                    value.startswith(word) if column == "industry" else value == word
                    for value in present[column]
                ):
                    continue
                vocabulary = vocabulary or Vocabulary((value, ()) for value in present[column])
                yield problem(
                    "scope-matches-nothing",
                    rows.place(None, column),
                    word,
                    vocabulary.near(word),
                    task=task.id,
                    field=field,
                    names=vocabulary.names or "—",
                )
