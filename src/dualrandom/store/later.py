"""A visit that is made on a later day than the drawn one.

The record has nothing of it: the drawn date stays published, everybody on the visit is told, and the date of the findings shows when it
was made.
"""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any

from sqlalchemy import func, select
from sqlmodel import Session, col

from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.amendments import audiences, checks_of, conflict
from dualrandom.store.blobs import Vault
from dualrandom.store.database import change, locked
from dualrandom.store.findings import reason_of
from dualrandom.store.messages import tell
from dualrandom.store.tables import Check, CrewSeat, DrawRow, Office, Role, Visit
from dualrandom.store.visit_lists import VisitView, library_cells, visit_of
from dualrandom.store.withdrawals import away_since
from dualrandom.store.workspace import file_of


def make_later(
    session: Session,
    vault: Vault,
    visit: int,
    version: int,
    day: date | None,
    reason: str,
    *,
    actor: Actor,
    now: datetime,
) -> VisitView:
    """Let the crews of a visit come on a later day than the drawn one (None: on the drawn one after all).

    The drawn date stays what was published. The day must be one of the draw's, not be closed at the enterprise, and all crews must
    be free on it. Raises UnknownError, StaleError, ConflictError ``date-is-drawn``, ``visit-not-open``.
    """
    # who counts on which days somebody is free must not be overtaken
    locked(session, Office, 1)
    view = visit_of(session, actor, visit)
    row = view.visit
    # a department that has withdrawn from it decides nothing about the others' day
    if (
        row.state != "planned"
        or row.date is None
        or row.scanned_at is not None
        or all(one.check.unfilled for one in view.checks)
    ):
        raise conflict(
            "visit-not-open",
            str(visit),
            ("该次检查已进行、被排除或没有日期", "the visit was made, excluded, or has no date"),
            ("只有待执行的检查可以延后。", "Only a visit that is still to be made can be made later."),
        )
    if day is not None:
        obstacle = _obstacle(session, vault, row, day, actor)
        if obstacle is not None:
            raise conflict(
                "date-is-drawn",
                day.isoformat(),
                obstacle,
                (
                    "日期由抽取确定：只能延后到本次抽取的另一检查日，且企业营业、检查人员有空；否则更换人员或排除。",
                    "Dates are drawn: only another, later day of the draw will do, on which enterprise and crews are free.",
                ),
            )
    why = "" if day is None else reason_of(reason)
    change(session, row, version, {"later": day, "later_reason": why})
    detail = {"day": None if day is None else day.isoformat(), "drawn": row.date.isoformat(), "reason": why}
    activity.record(session, actor, "make-later", f"visit:{visit}", now, detail)
    shown = (day or row.date).isoformat()
    for audience in sorted(audiences(checks_of(session, visit))):
        tell(
            session,
            "later",
            audience,
            f"visit:{visit}",
            (
                f"对 {row.enterprise} 的检查改在 {shown} 进行（抽取日期 {row.date}）。{why}",
                f"The visit to {row.enterprise} takes place on {shown} (drawn: {row.date}). {why}",
            ),
            now=now,
        )
    return visit_of(session, actor, visit)


def _obstacle(
    session: Session, vault: Vault, visit: Visit, day: date, actor: Actor
) -> tuple[str, str] | None:
    """Return what keeps the crews of a visit from coming on ``day``, in both languages; a department learns no others' people."""
    announced = file_of(session, vault, visit.draw_id, "public/announcement.json")
    assert announced is not None
    assert visit.date is not None
    shown = day.isoformat()
    if day <= visit.date:
        return (
            f"{shown} 不晚于抽取的日期 {visit.date}",
            f"{shown} is not later than the drawn date {visit.date}",
        )
    if shown not in json.loads(announced)["days"]:
        return f"{shown} 不是本次抽取的检查日", f"{shown} is not one of the draw's days"
    draw = session.get_one(DrawRow, visit.draw_id)
    cells = library_cells(session, "enterprises", draw, [visit.enterprise]).get(visit.enterprise, {})
    if shown in cells.get("closed", ""):
        return f"企业 {shown} 不营业", f"the enterprise is closed on {shown}"
    roster, away = _roster(session, vault, visit.draw_id), away_since(session, visit.draw_id)
    for check in checks_of(session, visit.id or 0):
        since = away.get(check.department_id)
        if check.crew and since is not None and day >= since:
            return (
                f"部门 {check.department_id} 自 {since} 起退出",
                f"{check.department_id} is away from {since} on",
            )
        for code in check.crew:
            detail = roster.get(code, {})
            if shown in detail.get("absent", []) or _load(session, code, day, visit.id or 0) >= detail.get(
                "daily", 1
            ):
                if actor.role == Role.DEPARTMENT and actor.department != check.department_id:
                    who = check.department_id
                    return f"部门 {who} 的检查组当日没有空", f"the crew of {who} is not free on that day"
                return f"检查人员 {code} 当日没有空", f"inspector {code} is not free on that day"
    return None


def _roster(session: Session, vault: Vault, draw: str) -> dict[str, dict[str, Any]]:
    """Return the frozen details of inspectors by their codes."""
    rows = file_of(session, vault, draw, "public/roster.jsonl") or b""
    opened = file_of(session, vault, draw, "private/openings/roster.jsonl") or b""
    people = {row["id"]: row["hidden"]["person"] for row in map(json.loads, opened.splitlines())}
    return {people.get(row["id"], row["id"]): row["detail"] for row in map(json.loads, rows.splitlines())}


def _load(session: Session, inspector: str, day: date, besides: int) -> int:
    """Return on how many other visits an inspector is on a day."""
    query = (
        select(func.count(func.distinct(Visit.id)))
        .join(Check, col(Check.visit_id) == Visit.id)
        .join(CrewSeat, col(CrewSeat.check_id) == Check.id)
        .where(
            col(CrewSeat.inspector) == inspector,
            func.coalesce(Visit.later, Visit.date) == day,
            col(Visit.state).in_(("planned", "done")),
            col(Visit.id) != besides,
        )
    )
    return int(session.scalars(query).one())
