"""Write all exports of one draw into a folder."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import count
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
    department ``task-sheet-<id>.xlsx`` and ``calendar-<id>.ics``. They hold names of inspectors: they are not for
    publication, and are readable by their owner only. A file that is there already and differs, because a department
    filled it in or it is of another draw, moves to ``earlier/``: nothing that people wrote is lost.
    """
    out.mkdir(parents=True, exist_ok=True)
    files = dict(_exports(view))
    for path in sorted(
        {*out.glob("task-sheet-*.xlsx"), *out.glob("calendar-*.ics"), *(out / name for name in files)}
    ):
        if path.is_file() and path.read_bytes() != files.get(path.name):
            _set_aside(path)
    for name, data in files.items():
        (out / name).write_bytes(data)
        (out / name).chmod(0o600)
    return tuple(out / name for name in files)


def _set_aside(path: Path) -> None:
    """Move a file to ``earlier/`` beside it, under the first number that is free."""
    folder = path.parent / "earlier"
    folder.mkdir(mode=0o700, exist_ok=True)
    free = next(
        target
        for number in count(1)
        if not (target := folder / f"{path.stem}.{number}{path.suffix}").exists()
    )
    path.rename(free)


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
