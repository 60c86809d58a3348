"""Visits outside the draw: after a complaint, an alert or a transferred lead (个案), or by a special order (专项).

They are in the ledger as soon as they are planned, and count once they are done; the caps of plans do not count their kinds where the
plan says so. If the enterprise has a drawn visit near the date, joining it is offered: one door, one date.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

from sqlalchemy import func, select
from sqlmodel import Session, col

from dualrandom.registry.columns import LIBRARIES
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.blobs import Vault
from dualrandom.store.database import change
from dualrandom.store.errors import ConflictError, ForbiddenError, RefusedError, unknown
from dualrandom.store.findings import clean_text, reason_of
from dualrandom.store.ledger import enter_case
from dualrandom.store.libraries import current_revision, in_revision
from dualrandom.store.messages import tell
from dualrandom.store.tables import CaseVisit, Check, Department, LibraryRow, Role, Visit
from dualrandom.store.visit_lists import SEES_ALL, today, visible
from dualrandom.store.workspace import file_of

KINDS: Final = ("case", "special")
NEAR: Final = 14
"""Days before and after a case visit within which a drawn visit is offered."""


def plan_case(
    session: Session,
    *,
    enterprise: str,
    department: str,
    day: date,
    items: Sequence[str],
    kind: str,
    basis: str,
    actor: Actor,
    now: datetime,
) -> CaseVisit:
    """Plan a visit outside the draw. Raises ForbiddenError, RefusedError ``unknown-enterprise``, ``unknown-item``."""
    if actor.role == Role.DEPARTMENT and department != actor.department:
        raise ForbiddenError(
            "foreign-department",
            department,
            {"zh": "只能为本部门登记", "en": "a department enters only its own visits"},
            {"zh": "请该部门办理。", "en": "Ask that department."},
        )
    if session.get(Department, department) is None:
        raise unknown("unknown-department", department, "没有这个部门", "there is no such department")
    if not _in_library(session, "enterprises", [enterprise]):
        raise _refused(
            "unknown-enterprise",
            enterprise,
            "检查对象名录库中没有此代码",
            "the library has no such enterprise",
        )
    wanted = sorted(set(items))
    missing = sorted(set(wanted) - _in_library(session, "items", wanted))
    if missing or not wanted:
        listed = ", ".join(missing)
        raise _refused("unknown-item", listed, "事项清单中没有此事项", "the item list has no such item")
    case = CaseVisit(
        enterprise=enterprise,
        department_id=department,
        date=day,
        items=wanted,
        kind=kind,
        basis=reason_of(basis),
        inspectors=[],
        at=now,
        by=actor.name,
    )
    session.add(case)
    session.flush()
    enter_case(session, case, now)
    detail = {"date": day.isoformat(), "enterprise": enterprise, "kind": kind}
    activity.record(session, actor, "plan-case", f"case:{case.id}", now, detail)
    return case


def offers(
    session: Session, vault: Vault, case: CaseVisit, near: int = NEAR, *, actor: Actor, now: datetime
) -> list[Visit]:
    """Return drawn visits to the same enterprise that are still to be made within ``near`` days of a planned case visit.

    What an embargo still hides is offered to those only who know of it: who sees all, and the departments that come.
    """
    if case.state != "planned" or case.joined_visit is not None:
        return []
    span = timedelta(days=near)
    day = func.coalesce(Visit.later, Visit.date)
    query = select(Visit).where(
        col(Visit.enterprise) == case.enterprise,
        col(Visit.state) == "planned",
        day >= case.date - span,
        day <= case.date + span,
    )
    found = list(session.scalars(query.order_by(day, col(Visit.id))))
    ids = [visit.id for visit in found]
    known = set(session.scalars(select(col(Visit.id)).where(col(Visit.id).in_(ids), *visible(actor))))
    hiding = {draw for draw in {visit.draw_id for visit in found} if _hides_visits(session, vault, draw)}
    open_until = today(session, now)
    return [
        visit
        for visit in found
        if visit.draw_id not in hiding or visit.day <= open_until or visit.id in known
    ]


def _hides_visits(session: Session, vault: Vault, draw: str) -> bool:
    """Whether a draw keeps back who is visited until the day."""
    announced = file_of(session, vault, draw, "public/announcement.json")
    return announced is not None and json.loads(announced)["policy"]["embargo"] == "visits"


def join(
    session: Session,
    vault: Vault,
    number: int,
    version: int,
    visit: int,
    *,
    actor: Actor,
    now: datetime,
    near: int = NEAR,
) -> CaseVisit:
    """Let a case visit go with a drawn one: it takes its date, and everybody on that visit is told."""
    case = case_of(session, actor, number)
    found = offers(session, vault, case, near, actor=actor, now=now)
    offered = next((each for each in found if each.id == visit), None)
    if offered is None:
        raise ConflictError(
            "not-offered",
            str(visit),
            {"zh": "没有可以合并的这次检查", "en": "this visit is not on offer for joining"},
            {"zh": "可合并的检查见 offers。", "en": "Look at the offers of the case visit."},
        )
    day = offered.later or offered.date
    assert day is not None
    change(session, case, version, {"joined_visit": visit, "date": day})
    enter_case(session, case, now)
    detail = {"date": day.isoformat(), "visit": visit}
    activity.record(session, actor, "join-case", f"case:{number}", now, detail)
    checks = session.scalars(select(Check).where(col(Check.visit_id) == visit))
    people = {f"department:{case.department_id}"}
    for check in checks:
        people |= {f"department:{check.department_id}", *(f"inspector:{code}" for code in check.crew)}
    for audience in sorted(people):
        tell(
            session,
            "case-joined",
            audience,
            f"visit:{visit}",
            (
                f"{case.department_id} 的个案检查并入 {day} 对 {case.enterprise} 的检查。",
                f"A case visit of {case.department_id} joins the visit to {case.enterprise} on {day}.",
            ),
            now=now,
        )
    return case


def complete(
    session: Session,
    number: int,
    version: int,
    day: date,
    inspectors: Sequence[str],
    outcome: str,
    *,
    actor: Actor,
    now: datetime,
) -> CaseVisit:
    """Note that a case visit was made, by whom and with what outcome; from now on it counts."""
    case = case_of(session, actor, number)
    _require_planned(case)
    people = sorted(set(inspectors))
    if not people or set(people) - _in_library(session, "inspectors", people, case.department_id):
        listed = ", ".join(people)
        raise _refused(
            "unknown-inspector", listed, "本部门没有这些检查人员", "the department has no such inspectors"
        )
    if day > now.date() + timedelta(days=1):
        raise _refused("date-in-future", day.isoformat(), "日期在将来", "the date lies in the future")
    values: dict[str, Any] = {
        "state": "done",
        "date": day,
        "inspectors": people,
        "outcome": clean_text(outcome),
    }
    change(session, case, version, values)
    enter_case(session, case, now)
    activity.record(session, actor, "complete-case", f"case:{number}", now, {"date": day.isoformat()})
    return case


def cancel(
    session: Session, number: int, version: int, reason: str, *, actor: Actor, now: datetime
) -> CaseVisit:
    """Give up a planned case visit, with a reason."""
    case = case_of(session, actor, number)
    _require_planned(case)
    change(session, case, version, {"state": "cancelled", "outcome": reason_of(reason)})
    enter_case(session, case, now)
    activity.record(session, actor, "cancel-case", f"case:{number}", now, {"reason": case.outcome})
    return case


def case_of(session: Session, actor: Actor, number: int) -> CaseVisit:
    """Return a case visit. Raises UnknownError ``unknown-case``."""
    case = session.get(CaseVisit, number)
    if case is None or (actor.role not in SEES_ALL and case.department_id != actor.department):
        raise unknown("unknown-case", str(number), "没有这次个案检查", "there is no such case visit")
    return case


def list_cases(
    session: Session,
    actor: Actor,
    *,
    enterprise: str | None = None,
    state: str | None = None,
    after: int = 0,
    limit: int = 100,
) -> list[CaseVisit]:
    """Return case visits in the order in which they were entered, at most ``limit`` after number ``after``."""
    query = select(CaseVisit).where(col(CaseVisit.id) > after)
    if actor.role not in SEES_ALL:
        query = query.where(col(CaseVisit.department_id) == actor.department)
    if enterprise is not None:
        query = query.where(col(CaseVisit.enterprise) == enterprise)
    if state is not None:
        query = query.where(col(CaseVisit.state) == state)
    return list(session.scalars(query.order_by(col(CaseVisit.id)).limit(limit)))


def _require_planned(case: CaseVisit) -> None:
    if case.state != "planned":
        raise ConflictError(
            "case-ended",
            str(case.id),
            {"zh": "该个案检查已结束", "en": "this case visit has ended"},
            {"zh": "不必再做。", "en": "There is nothing left to do."},
        )


def _in_library(session: Session, kind: str, keys: Sequence[str], department: str | None = None) -> set[str]:
    assert kind in LIBRARIES
    revision = current_revision(session, kind)  # type: ignore[arg-type]
    if revision is None:
        return set()
    query = select(col(LibraryRow.key)).where(
        in_revision(kind, revision.number),  # type: ignore[arg-type]
        col(LibraryRow.key).in_(keys),
    )
    if department is not None:
        query = query.where(col(LibraryRow.department) == department)
    return set(session.scalars(query))


def _refused(code: str, value: str, zh: str, en: str) -> RefusedError:
    remedy = {"zh": "核对后再提交。", "en": "Check it and send it again."}
    return RefusedError(code, value, {"zh": zh, "en": en}, {"zh": remedy["zh"], "en": remedy["en"]})
