"""The visits that are public so far, as JSON and as a table for spreadsheet programs."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from dualrandom.exports.inert import csv_cell

COLUMNS: Final = (
    ("检查对象", "enterprise"),
    ("名称", "name"),
    ("名称（英文）", "name_en"),
    ("次", "part"),
    ("日期", "date"),
    ("行政区划", "district"),
    ("任务", "tasks"),
    ("事项", "items"),
    ("检查组", "crews"),
)


def visible_visits(result: Mapping[str, Any], openings: bytes | None) -> list[dict[str, Any]]:
    """Return the visits of a result in its order, with those in place that an embargo has released since.

    ``openings`` are the bytes of ``openings.jsonl``. They are shown, not checked: the verifier does that.
    """
    visits = {(visit["enterprise"], visit["part"]): visit for visit in result["visits"] or []}
    for line in (openings or b"").splitlines():
        opening = json.loads(line)
        if opening["list"] == "visits" and opening["id"] not in {"prices", "selection"}:
            visit = opening["hidden"]
            visits[visit["enterprise"], visit["part"]] = visit
    return [visits[key] for key in sorted(visits)]


def visits_table(visits: Sequence[Mapping[str, Any]], labels: Mapping[str, Any] | None) -> bytes:
    """Return the visits as CSV: UTF-8 with byte-order mark for Excel's sake; no cell is a formula."""
    names = (labels or {}).get("enterprises", {})
    people = (labels or {}).get("inspectors", {})
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([f"{zh} {en}" for zh, en in COLUMNS])
    for visit in visits:
        name = names.get(visit["enterprise"], {})
        checks = visit["checks"]
        row = (
            visit["enterprise"],
            name.get("zh", ""),
            name.get("en", ""),
            str(visit["part"]),
            visit.get("date") or "",
            visit["district"],
            " ".join(check["task"] for check in checks),
            " ".join(f"{check['task']}:{item}" for check in checks for item in check["items"]),
            "; ".join(_crew(crew, people) for crew in visit.get("crews", [])),
        )
        writer.writerow([csv_cell(cell) for cell in row])
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _crew(crew: Mapping[str, Any], people: Mapping[str, Any]) -> str:
    seats = ", ".join(f"{seat} {people[seat]['zh']}" if seat in people else seat for seat in crew["seats"])
    return f"{crew['department']}: {seats}"
