"""The ledger: checks done in a campaign, in the columns of the visits library, so that the next plan counts them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from datetime import date
from typing import Any

from dualrandom.registry.columns import LIBRARIES
from dualrandom.registry.models import PastVisit


def ledger_rows(
    findings: Mapping[str, Any],
    result: Mapping[str, Any],
    announcement: Mapping[str, Any],
    person_of: Mapping[str, str],
) -> tuple[PastVisit, ...]:
    """Return one row for each check with a finding, by enterprise, part, task and item.

    ``result`` is without embargo; ``person_of`` maps roster ids to the codes of the inspectors' library (an id that
    it lacks stands for itself). The date is the visit's: findings may be dated later.
    """
    department_of = {task["id"]: task["department"] for task in announcement["tasks"]}
    visits = {(visit["enterprise"], visit["part"]): visit for visit in result["visits"]}
    found = {(f["enterprise"], f["part"], f["task"], f["item"]) for f in findings["findings"]}
    rows: list[PastVisit] = []
    for enterprise, part, task, item in sorted(found):
        visit = visits[enterprise, part]
        crews = {crew["department"]: crew["seats"] for crew in visit["crews"]}
        department = department_of[task]
        rows.append(
            PastVisit(
                enterprise=enterprise,
                date=date.fromisoformat(visit["date"]),
                department=department,
                task=task,
                item=item,
                inspectors=tuple(sorted(person_of.get(person, person) for person in crews[department])),
                kind="plan",
            )
        )
    return tuple(rows)


def ledger_file(
    findings: Mapping[str, Any],
    result: Mapping[str, Any],
    announcement: Mapping[str, Any],
    person_of: Mapping[str, str],
) -> bytes:
    """Return :func:`ledger_rows` as CSV (UTF-8) with the headings of the visits library."""
    return visits_file(ledger_rows(findings, result, announcement, person_of))


def visits_file(rows: tuple[PastVisit, ...]) -> bytes:
    """Return rows of the visits library as CSV."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, lineterminator="\n")
    names = [column.name for column in LIBRARIES["visits"].columns]
    writer.writerow(names)
    for row in rows:
        cells = {name: getattr(row, name) for name in names}
        cells["inspectors"] = ";".join(row.inspectors)
        writer.writerow([cells[name] for name in names])
    return stream.getvalue().encode("utf-8")
