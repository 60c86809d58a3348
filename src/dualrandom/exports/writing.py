"""Write all exports of one draw into a folder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from dualrandom.exports.calendars import visit_calendars
from dualrandom.exports.provincial import provincial_platform
from dualrandom.exports.summary import summary
from dualrandom.exports.task_sheet import task_sheet
from dualrandom.exports.view import ExportView
from dualrandom.exports.visit_list import visit_csv, visit_workbook


def write_exports(view: ExportView, out: Path) -> tuple[Path, ...]:
    """Write every export into ``out``, made if absent, and return the paths.

    Files: ``visits.xlsx``, ``visits.csv``, ``calendar.ics``, ``provincial-platform.json``, ``summary.html``, and per
    department ``task-sheet-<id>.xlsx`` and ``calendar-<id>.ics``. Files hold names of inspectors: they are not for
    publication, and are readable by their owner only.
    """
    out.mkdir(parents=True, exist_ok=True)
    written = []
    for name, data in _exports(view):
        path = out / name
        path.write_bytes(data)
        path.chmod(0o600)
        written.append(path)
    return tuple(written)


def _exports(view: ExportView) -> Iterator[tuple[str, bytes]]:
    # the one instant that the draw itself fixes: when its randomness was due
    created = datetime.fromisoformat(view.announcement["beacon"]["time"])
    naive = created.replace(tzinfo=None)
    yield "visits.xlsx", visit_workbook(view, naive)
    yield "visits.csv", visit_csv(view)
    for department_id, calendar in visit_calendars(view, created).items():
        yield "calendar.ics" if department_id is None else f"calendar-{department_id}.ics", calendar
    for department in view.departments:
        yield f"task-sheet-{department.id}.xlsx", task_sheet(view, department.id, naive)
    yield "provincial-platform.json", provincial_platform(view)
    yield "summary.html", summary(view)
