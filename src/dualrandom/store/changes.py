"""Asking for changes after the draw: enterprises excluded and inspectors replaced; what is evidently wrong is refused at once.

The change is made by a job (:mod:`dualrandom.store.changing`). Departments withdraw by :mod:`dualrandom.store.withdrawals`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.announcement import instant
from dualrandom.beacon import read_evidence
from dualrandom.changes import EXCLUSIONS, ONLY_UNDATED, REPLACEMENTS
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.amendments import (
    conflict,
    no_reason,
    not_open,
    require_no_findings,
    wake,
)
from dualrandom.store.attachments import missing
from dualrandom.store.blobs import Vault
from dualrandom.store.changing import pending_exclusion
from dualrandom.store.database import locked
from dualrandom.store.errors import unknown
from dualrandom.store.jobs import enqueue
from dualrandom.store.tables import (
    DrawRow,
    DrawState,
    Job,
    Visit,
)
from dualrandom.store.visit_lists import visit_of
from dualrandom.store.workspace import add_file, file_of, touch, unknown_draw


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What is asked for: ``evidence`` the SHA-256 of an attachment; ``round`` and ``round_time`` where the beacon is a key string."""

    enterprise: str
    reason: str
    evidence: str | None = None
    round: str | None = None
    round_time: datetime | None = None


def ask_exclusion(session: Session, draw: str, wanted: Exclusion, *, actor: Actor, now: datetime) -> Job:
    """Queue the exclusion of an enterprise, unless it is queued already. What is evident now is refused now, the rest by the job.

    Raises UnknownError, ConflictError ``draw-not-open``, ``not-visited``, ``already-inspected``, ``deregistered-is-a-finding``,
    ``substitute-pending``, RefusedError ``change-reason``.
    """
    _require_open(session, draw)
    if wanted.reason not in EXCLUSIONS:
        raise no_reason(wanted.reason, EXCLUSIONS)
    visits = list(
        session.scalars(
            select(Visit).where(
                col(Visit.draw_id) == draw,
                col(Visit.enterprise) == wanted.enterprise,
                col(Visit.state) != "cancelled",
            )
        )
    )
    if not visits:
        raise conflict(
            "not-visited",
            wanted.enterprise,
            ("该检查对象没有待执行的检查", "this enterprise has no visit that is in effect"),
            ("核对代码。", "Check its id."),
        )
    if wanted.reason == ONLY_UNDATED and any(visit.date is not None for visit in visits):
        raise conflict(
            "deregistered-is-a-finding",
            wanted.enterprise,
            (
                "冻结与检查之间注销：这是检查结果，不是重抽的理由",
                "deregistered between freeze and visit: that is a finding, not a redraw",
            ),
            ("按期登记检查结果 9（已注销）。", "Enter finding 9 (deregistered) on the date of the visit."),
        )
    require_no_findings(session, [visit.id or 0 for visit in visits], wanted.enterprise)
    _require_nothing_due(session, draw, now)
    if wanted.evidence is not None and missing(session, [wanted.evidence], actor=actor):
        raise unknown("unknown-attachment", wanted.evidence, "没有这个附件", "there is no such attachment")
    arguments = {
        "do": "exclude",
        "enterprise": wanted.enterprise,
        "reason": wanted.reason,
        "evidence": wanted.evidence,
        "round": wanted.round,
        "round_time": None if wanted.round_time is None else instant(wanted.round_time),
        "role": actor.role,
        "department": actor.department,
    }
    known = _waiting(session, draw, arguments)
    if known is not None:
        return known
    job = enqueue(session, "change", draw, now=now, by=actor.name, arguments=arguments)
    detail = {"enterprise": wanted.enterprise, "job": job.id, "reason": wanted.reason}
    activity.record(session, actor, "ask-exclusion", draw, now, detail)
    return job


def _require_nothing_due(session: Session, draw: str, now: datetime) -> None:
    """Refuse an exclusion while the round that decides about an earlier one is out (docs/protocol.md §13.2)."""
    pending = pending_exclusion(session, draw)
    if pending is None or pending["beacon"] is None or instant(now) < pending["beacon"]["time"]:
        return
    raise conflict(
        "substitute-pending",
        pending["enterprise"],
        (
            f"{pending['enterprise']} 的递补轮次已到，先要完成递补",
            f"the round that decides the substitute of {pending['enterprise']} is out: the substitute comes first",
        ),
        (
            "系统取得随机数后会自行递补；完成后再排除。号码由人录入的，先录入。",
            "The service substitutes once it has the randomness; exclude after that. Enter numbers that people enter first.",
        ),
    )


def ask_replacement(
    session: Session, visit: int, inspector: str, reason: str, *, actor: Actor, now: datetime
) -> Job:
    """Queue the replacement of an inspector (their library's code) on one visit, unless it is queued already; a department only its own.

    Raises UnknownError, ConflictError ``draw-not-open``, ``not-in-crew``, ``already-inspected``, RefusedError ``change-reason``.
    """
    view = visit_of(session, actor, visit)
    _require_open(session, view.visit.draw_id)
    if reason not in REPLACEMENTS:
        raise no_reason(reason, REPLACEMENTS)
    if not any(inspector in one.check.crew for one in view.checks):
        raise conflict(
            "not-in-crew",
            inspector,
            (
                "此人不在该次检查的检查组中，或不属于您的部门",
                "is in no crew of this visit, or not of your department",
            ),
            ("核对人员编号。", "Check the inspector's code."),
        )
    require_no_findings(session, [visit], view.visit.enterprise)
    arguments = {
        "do": "replace",
        "enterprise": view.visit.enterprise,
        "part": view.visit.part,
        "inspector": inspector,
        "reason": reason,
        "role": actor.role,
        "department": actor.department,
    }
    known = _waiting(session, view.visit.draw_id, arguments)
    if known is not None:
        return known
    job = enqueue(session, "change", view.visit.draw_id, now=now, by=actor.name, arguments=arguments)
    detail = {"inspector": inspector, "job": job.id, "reason": reason}
    activity.record(session, actor, "ask-replacement", f"visit:{visit}", now, detail)
    return job


def _waiting(session: Session, draw: str, wanted: Mapping[str, Any]) -> Job | None:
    """Return a change that was asked for in the same words and is still to be made: to ask twice is to ask once."""
    jobs = select(Job).where(
        col(Job.kind) == "change", col(Job.subject) == draw, col(Job.state).in_(("queued", "running"))
    )
    return next((job for job in session.scalars(jobs.order_by(col(Job.id))) if job.arguments == wanted), None)


def give_evidence(
    session: Session, vault: Vault, draw: str, content: bytes, *, actor: Actor, now: datetime
) -> str:
    """Take the evidence of the round that the oldest pending exclusion named; return the round. It is checked now."""
    pending = pending_exclusion(session, draw)
    announced = file_of(session, vault, draw, "public/announcement.json")
    if announced is None:
        raise unknown_draw(draw)
    if pending is None or pending["beacon"] is None:
        raise conflict(
            "nothing-pending",
            draw,
            ("没有等待信标的递补", "no substitute is waiting for a round"),
            ("先排除检查对象。", "Exclude an enterprise first."),
        )
    beacon, number = json.loads(announced)["beacon"], str(pending["beacon"]["round"])
    read_evidence(beacon["kind"], number, content, f"beacon-{number}.json")
    add_file(session, vault, draw, f"beacon-{number}.json", content)
    touch(session, draw)
    activity.record(session, actor, "beacon", draw, now, {"round": number})
    wake(session, draw, now)
    return number


def _require_open(session: Session, draw: str) -> None:
    # it must not be closed before the change is queued
    row = locked(session, DrawRow, draw)
    if row is None:
        raise unknown_draw(draw)
    if row.state is not DrawState.DRAWN:
        raise not_open(draw)
