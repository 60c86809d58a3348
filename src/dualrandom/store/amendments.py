"""What changed after the announcement: rows of changes.jsonl as the service keeps them, whom they concern, and changes that wait."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from dualrandom.store.activity import Actor
from dualrandom.store.errors import ConflictError, RefusedError
from dualrandom.store.tables import Amendment, Check, Finding, Job


def amend(
    session: Session, draw: str, kind: str, reason: str, document: dict[str, Any], actor: Actor, now: datetime
) -> Amendment:
    """Append an amendment of a draw and return it."""
    last = session.scalars(select(func.max(Amendment.sequence)).where(col(Amendment.draw_id) == draw)).one()
    amendment = Amendment(
        draw_id=draw,
        sequence=(last or 0) + 1,
        type=kind,
        reason=reason,
        document=document,
        at=now,
        by=actor.name,
    )
    session.add(amendment)
    session.flush()
    return amendment


def list_amendments(session: Session, draw: str) -> list[Amendment]:
    """Return what changed after the announcement, in order."""
    return list(
        session.scalars(
            select(Amendment).where(col(Amendment.draw_id) == draw).order_by(col(Amendment.sequence))
        )
    )


def wake(session: Session, draw: str, now: datetime) -> None:
    """Let the changes of a draw that wait for something look again now."""
    session.execute(
        update(Job)
        .where(
            col(Job.kind) == "change",
            col(Job.subject) == draw,
            col(Job.state) == "queued",
            col(Job.run_after) > now,
        )
        .values(run_after=now)
        .execution_options(synchronize_session=False)
    )


def audiences(checks: Iterable[Check]) -> set[str]:
    """Return whom to tell about these checks: departments and inspectors."""
    found: set[str] = set()
    for check in checks:
        found.add(f"department:{check.department_id}")
        found |= {f"inspector:{code}" for code in check.crew}
    return found


def checks_of(session: Session, visit: int) -> list[Check]:
    """Return the checks of a visit by task."""
    return list(session.scalars(select(Check).where(col(Check.visit_id) == visit).order_by(col(Check.task))))


def not_open(draw: str) -> ConflictError:
    """Return the refusal for a draw that cannot be changed."""
    return conflict(
        "draw-not-open",
        draw,
        ("该抽取尚未执行，或已结束", "this draw has no result yet, or has ended"),
        ("已结束的抽取只能更正检查结果。", "Of a draw that has ended only findings can be corrected."),
    )


def conflict(code: str, value: str, said: tuple[str, str], remedy: tuple[str, str]) -> ConflictError:
    """Return a refusal in both languages; ``said`` and ``remedy`` are Chinese, English."""
    return ConflictError(code, value, {"zh": said[0], "en": said[1]}, {"zh": remedy[0], "en": remedy[1]})


def no_reason(reason: str, known: Iterable[str]) -> RefusedError:
    """Return the refusal for a reason that has no such code; ``known``: those that there are."""
    listed = ", ".join(known)
    return RefusedError(
        "change-reason",
        reason,
        {"zh": "没有这个理由代码", "en": "no such reason code"},
        {"zh": f"可用：{listed}。", "en": f"Allowed: {listed}."},
    )


def require_no_findings(session: Session, visits: Sequence[int], enterprise: str) -> None:
    """Refuse to change visits of which findings were entered. Raises ConflictError ``already-inspected``."""
    found = (
        select(col(Finding.id))
        .join(Check, col(Finding.check_id) == Check.id)
        .where(col(Check.visit_id).in_(visits))
    )
    if session.scalars(found.limit(1)).first() is not None:
        raise conflict(
            "already-inspected",
            enterprise,
            (
                "已登记检查结果，不能再更改这次检查",
                "findings were entered: the visit cannot be changed any more",
            ),
            ("结果有误的，更正结果。", "Correct wrong findings."),
        )
