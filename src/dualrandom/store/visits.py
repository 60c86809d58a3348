"""The visits of a draw: made from what was published, kept in step with every change, listed for those who carry them out.

The published record decides; these rows repeat it with names, and add what only the office knows: the numbers of notice and
approval, the scan-in code (扫码入企), the last day for publishing findings.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import delete, exists, select
from sqlmodel import Session, col

from dualrandom.campaign.folder import Campaign
from dualrandom.campaign.publishing import full_result, opening_rows, published_changes
from dualrandom.changes import effective_visits
from dualrandom.store.blobs import Vault
from dualrandom.store.days import publication_day
from dualrandom.store.jobs import enqueue
from dualrandom.store.scanning import sealed_code
from dualrandom.store.tables import Check, CrewSeat, DrawRow, Job, Visit
from dualrandom.store.visit_lists import chunks, library_cells, timezone_of

UNDATED: Final = date.max
"""Where a visit without a date stands in lists."""
ALARM_HOUR: Final = time(8)
"""Local time at which people are told what is late."""


def visits_from_draw(session: Session, vault: Vault, draw: DrawRow, folder: Path, now: datetime) -> None:
    """Bring the visits in step with a drawn campaign folder: after the draw all of them, after a change what it changed.

    Crews that a withdrawal emptied are marked unfilled with its reason. Repeating it changes nothing.
    """
    campaign = Campaign(folder)
    rows = published_changes(campaign)
    full = full_result(campaign)
    announcement: dict[str, Any] = json.loads((campaign.public / "announcement.json").read_bytes())
    labels: dict[str, Any] = json.loads((campaign.public / "labels.json").read_bytes())
    brought = {
        (visit["enterprise"], visit["part"]): str(row["number"])
        for row in rows
        if row["type"] == "substitute"
        for visit in row["visits"]
    }
    effective = {(visit["enterprise"], visit["part"]): visit for visit in effective_visits(full, rows)}
    known = {
        (row.enterprise, row.part): row
        for row in session.scalars(select(Visit).where(col(Visit.draw_id) == draw.id))
    }
    for place, row in known.items():
        if place not in effective and row.state != "cancelled":
            row.state = "cancelled"
            row.version += 1
            session.add(row)
    new = [visit for place, visit in effective.items() if place not in known]
    people = {row["id"]: row["hidden"]["person"] for row in opening_rows(campaign, "roster")}
    department_of = {task["id"]: task["department"] for task in announcement["tasks"]}
    _add(session, vault, draw, new, len(known), labels, brought)
    session.flush()
    ids = {
        (row.enterprise, row.part): row
        for row in session.scalars(select(Visit).where(col(Visit.draw_id) == draw.id))
    }
    reasons = {row["department"]: row["reason"] for row in rows if row["type"] == "withdraw"}
    _mark_unfilled(session, _seat(session, draw, effective, ids, people, department_of, reasons))
    ensure_alarm(session, now)


def _add(
    session: Session,
    vault: Vault,
    draw: DrawRow,
    new: Sequence[Mapping[str, Any]],
    numbered: int,
    labels: Mapping[str, Any],
    brought: Mapping[tuple[str, int], str],
) -> None:
    cells = library_cells(session, "enterprises", draw, [visit["enterprise"] for visit in new])
    order = sorted(new, key=lambda v: (v["date"] or "9999", v["enterprise"], v["part"]))
    findings_day = draw.findings_by.astimezone(ZoneInfo(timezone_of(session))).date()
    due: dict[date, date] = {}
    rows = []
    for number, visit in enumerate(order, start=numbered + 1):
        enterprise = visit["enterprise"]
        own = cells.get(enterprise, {})
        day = None if visit["date"] is None else date.fromisoformat(visit["date"])
        if day is not None and day not in due:
            due[day] = publication_day(session, day, findings_day)
        notice = f"{draw.id}-T{number:05}"
        rows.append(
            Visit(
                draw_id=draw.id,
                enterprise=enterprise,
                name=own.get("name") or labels["enterprises"].get(enterprise, {}).get("zh", ""),
                address=own.get("address", ""),
                district=visit["district"],
                part=visit["part"],
                date=day,
                day=day or UNDATED,
                publish_by=None if day is None else due[day],
                state="undated" if day is None else "planned",
                origin=brought.get((enterprise, visit["part"]), "result"),
                notice=notice,
                approval=f"{draw.id}-S{number:05}",
                scan_code=sealed_code(vault, notice),
            )
        )
    session.add_all(rows)


def _seat(
    session: Session,
    draw: DrawRow,
    effective: Mapping[tuple[str, int], Mapping[str, Any]],
    ids: Mapping[tuple[str, int], Visit],
    people: Mapping[str, str],
    department_of: Mapping[str, str],
    reasons: Mapping[str, str],
) -> list[Check]:
    """Write checks and crews of new visits, and the crews of earlier ones where they differ; return the latter.

    ``reasons``: why departments withdrew. A crew without seats is one that a withdrawal emptied.
    """
    checks: dict[tuple[int, str], Check] = {}
    drawn = select(Check).join(Visit, col(Check.visit_id) == Visit.id).where(col(Visit.draw_id) == draw.id)
    for check in session.scalars(drawn):
        checks[check.visit_id, check.task] = check
    added, changed = [], []
    for place, visit in effective.items():
        row = ids[place]
        assert row.id is not None
        crews = {crew["department"]: [people.get(i, i) for i in crew["seats"]] for crew in visit["crews"]}
        for one in visit["checks"]:
            department = department_of[one["task"]]
            crew, known = crews.get(department, []), checks.get((row.id, one["task"]))
            if known is None:
                added.append(
                    Check(
                        visit_id=row.id,
                        task=one["task"],
                        department_id=department,
                        items=list(one["items"]),
                        crew=crew,
                    )
                )
            elif known.crew != crew:
                known.crew = crew
                known.unfilled = "" if crew else reasons.get(department, "")
                changed.append(known)
                row.version += 1
                session.add(row)
    session.add_all([*added, *changed])
    session.flush()
    for part in chunks([check.id for check in changed if check.id is not None]):
        session.execute(delete(CrewSeat).where(col(CrewSeat.check_id).in_(part)))
    session.add_all(
        CrewSeat(check_id=check.id or 0, seat=seat, inspector=inspector)
        for check in (*added, *changed)
        for seat, inspector in enumerate(check.crew)
    )
    session.flush()
    return changed


def _mark_unfilled(session: Session, changed: Sequence[Check]) -> None:
    """Mark the visits to which nobody comes any more, now that these checks have no crew."""
    for part in chunks(sorted({check.visit_id for check in changed if check.unfilled})):
        manned = exists().where(col(Check.visit_id) == Visit.id, col(Check.unfilled) == "")
        empty = select(Visit).where(col(Visit.id).in_(part), col(Visit.state) == "planned", ~manned)
        for visit in session.scalars(empty):
            visit.state = "unfilled"
            session.add(visit)
    session.flush()


def ensure_alarm(session: Session, now: datetime) -> Job:
    """Queue the next daily look at deadlines (:mod:`dualrandom.store.deadlines`), unless it is queued already."""
    zone = ZoneInfo(timezone_of(session))
    local = now.astimezone(zone)
    day = local.date() if local.time() < ALARM_HOUR else local.date() + timedelta(days=1)
    due = datetime.combine(day, ALARM_HOUR, zone)
    return enqueue(
        session, "alarm", day.isoformat(), now=now, by="service", run_after=due, unique_key=f"alarm:{day}"
    )
