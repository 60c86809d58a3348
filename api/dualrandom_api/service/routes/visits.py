"""Visits: who goes where and when, the printed notice, the scan-in at the door, a later day, calendars."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from dualrandom.store.activity import Actor
from dualrandom.store.blobs import Vault
from dualrandom.store.calendars import calendar_of
from dualrandom.store.later import make_later
from dualrandom.store.scanning import code_of, refuse, scan_in
from dualrandom.store.tables import Role
from dualrandom.store.visit_lists import CheckView, VisitFilter, VisitView, list_visits, today, visit_of
from dualrandom_api.gate import policy_of_page
from dualrandom_api.service.dependencies import (
    ActorDep,
    IfMatch,
    Listing,
    PageDep,
    ServiceDep,
    after_of,
    listing,
    tagged,
)
from dualrandom_api.service.fields import Body
from dualrandom_api.service.notice import notice_page
from dualrandom_api.service.parts import Service
from dualrandom_api.service.problems import refusal
from dualrandom_api.service.security import GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["visits"])

READERS = (Role.DISPATCHER, Role.DEPARTMENT, Role.CREW, Role.AUDITOR)
Day = date
"""Fields of models are called ``date`` too."""
IDENTIFIER = r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$"
VisitId = Annotated[int, Path(ge=1, le=2**31 - 1, description="检查编号 · a visit's number", examples=[12])]
Word = Annotated[str | None, Query(pattern=IDENTIFIER)]
Reason = Annotated[str, Field(max_length=400, examples=["企业当日停电"])]


class PersonAnswer(BaseModel):
    """A member of a crew."""

    code: str = Field(examples=["amr-008"])
    name: str
    licence: str


class CheckAnswer(BaseModel):
    """What one department checks on a visit, by whom, and how far its findings are."""

    task: str = Field(examples=["amr-food"])
    department: str
    items: list[str]
    crew: list[PersonAnswer]
    unfilled: Literal["", "reorganised", "ordered-elsewhere", "no-inspectors", "force-majeure"] = Field(
        description="没有检查组的原因（协议 §13.4 的代码），有则为空 · why there is no crew (codes of protocol §13.4); empty if there is one"
    )
    entered: int = Field(description="已登记的事项数 · items with a finding")
    published: int = Field(description="已公布的事项数 · items with a published finding")


class VisitAnswer(BaseModel):
    """A visit. ``checks`` are those that the caller may see; ``others`` are the departments that come along."""

    id: int
    draw: str = Field(examples=["ezhou-2026-000001"])
    enterprise: str
    name: str
    address: str
    district: str
    part: int
    date: Day | None = Field(description="抽取的日期 · the drawn date")
    later: Day | None = Field(description="改在这一天进行 · the day on which it is made instead")
    later_reason: str
    publish_by: Day | None = Field(description="结果公布期限 · last day for publishing the findings")
    state: Literal["planned", "undated", "unfilled", "cancelled", "done"]
    origin: str = Field(
        description="result，或带来此次检查的更改行号 · or the row of changes.jsonl that brought it"
    )
    notice: str = Field(description="检查通知书编号 · number of the inspection notice")
    approval: str = Field(description="审批编号 · number of the approval")
    scan_code: str | None = Field(description="入企码，只给检查组 · the scan-in code, for the crew only")
    scanned_at: datetime | None
    checks: list[CheckAnswer]
    others: list[str]
    url: str


class Later(Body):
    """The day on which the crews will come; null: on the drawn one after all."""

    day: Day | None = Field(examples=["2026-09-21"])
    reason: Reason = ""


class ScanIn(Body):
    """What is printed on the notice."""

    notice: Annotated[str, Field(max_length=120, examples=["ezhou-2026-000001-T00001"])]
    code: Annotated[str, Field(max_length=40, examples=["7Q2MX9KD4H"])]


class ScanCode(Body):
    """The code of the visit, from the notice."""

    code: Annotated[str, Field(max_length=40, examples=["7Q2MX9KD4H"])]


class ScanAnswer(BaseModel):
    """When the crew came. ``repeated``: it had been noted before, and the first time counts."""

    notice: str
    scanned_at: datetime
    repeated: bool


def visit_answer(view: VisitView, actor: Actor, vault: Vault) -> VisitAnswer:
    """Return a visit as a route shows it; the scan-in code only to its crew."""
    visit = view.visit
    return VisitAnswer(
        id=visit.id or 0,
        draw=visit.draw_id,
        enterprise=visit.enterprise,
        name=visit.name,
        address=visit.address,
        district=visit.district,
        part=visit.part,
        date=visit.date,
        later=visit.later,
        later_reason=visit.later_reason,
        publish_by=visit.publish_by,
        state=visit.state,  # type: ignore[arg-type]
        origin=visit.origin,
        notice=visit.notice,
        approval=visit.approval,
        scan_code=code_of(vault, visit) if actor.role == Role.CREW else None,
        scanned_at=visit.scanned_at,
        checks=[_check(one) for one in view.checks],
        others=list(view.others),
        url=f"/v1/visits/{visit.id}",
    )


def _check(one: CheckView) -> CheckAnswer:
    check = one.check
    return CheckAnswer(
        task=check.task,
        department=check.department_id,
        items=check.items,
        crew=[PersonAnswer(code=p.code, name=p.name, licence=p.licence) for p in one.crew],
        unfilled=check.unfilled,  # type: ignore[arg-type]
        entered=one.entered,
        published=one.published,
    )


@router.get("/v1/visits", response_model=Listing[VisitAnswer], **allow(*READERS, scope="visits:read"))
def visits(
    service: ServiceDep,
    actor: ActorDep,
    page: PageDep,
    draw: Word = None,
    department: Word = None,
    inspector: Word = None,
    enterprise: Word = None,
    state: Annotated[Literal["planned", "undated", "unfilled", "cancelled", "done"] | None, Query()] = None,
    first: Annotated[Day | None, Query(description="起 · from")] = None,
    last: Annotated[Day | None, Query(description="止 · to")] = None,
) -> dict[str, Any]:
    """检查列表，按日期；部门只见本部门的检查，检查人员只见自己的 · Visits by date; a department sees its own checks, a crew member their own visits."""
    after = after_of(page, str, int)
    wanted = VisitFilter(draw, department, inspector, enterprise, state, first, last)
    start = None if after is None else (_day(after[0]), after[1])
    with service.database.reading() as session:
        rows, _ = list_visits(session, actor, wanted, after=start, limit=page.fetch)
    return listing(
        rows,
        page,
        lambda view: [view.visit.day.isoformat(), view.visit.id],
        lambda view: visit_answer(view, actor, service.vault),
    )


@router.get(
    "/v1/visits/{visit}",
    **allow(*READERS, scope="visits:read", object="visit", problems=["unknown-visit"]),
)
def one_visit(service: ServiceDep, actor: ActorDep, visit: VisitId, response: Response) -> VisitAnswer:
    """一次检查 · One visit."""
    with service.database.reading() as session:
        view = visit_of(session, actor, visit)
    tagged(response, view.visit.version)
    return visit_answer(view, actor, service.vault)


@router.put(
    "/v1/visits/{visit}/later",
    **allow(
        Role.DISPATCHER,
        Role.DEPARTMENT,
        scope="visits:write",
        object="visit",
        problems=["unknown-visit", "visit-not-open", "date-is-drawn", "reason-missing"],
    ),
)
def postpone(
    service: ServiceDep, actor: ActorDep, visit: VisitId, version: IfMatch, body: Later, response: Response
) -> VisitAnswer:
    """延后检查；抽取的日期不变，只能改到本次抽取的另一检查日 · Make a visit on a later day of the draw; the drawn date stays published."""
    with service.database.writing() as session:
        view = make_later(
            session, service.vault, visit, version, body.day, body.reason, actor=actor, now=service.clock()
        )
    tagged(response, view.visit.version)
    return visit_answer(view, actor, service.vault)


@router.get(
    "/v1/visits/{visit}/notice",
    response_class=Response,
    responses={
        200: {
            "description": "可打印的通知书 · the printable notice",
            "content": {"text/html": {"schema": {"type": "string"}}},
        }
    },
    **allow(
        Role.DISPATCHER,
        Role.DEPARTMENT,
        Role.CREW,
        scope="visits:read",
        object="visit",
        problems=["unknown-visit"],
    ),
)
def notice(service: ServiceDep, actor: ActorDep, visit: VisitId) -> Response:
    """检查通知书，可打印，含入企码 · The inspection notice to print, with the scan-in code."""
    with service.database.reading() as session:
        view = visit_of(session, actor, visit)
        content = notice_page(session, view, code_of(service.vault, view.visit))
    headers = {"Content-Security-Policy": policy_of_page(content), "Cache-Control": "no-store"}
    return Response(content, media_type="text/html; charset=utf-8", headers=headers)


@router.post(
    "/v1/visits/{visit}/scan-in",
    **allow(
        Role.CREW,
        object="visit",
        problems=["unknown-visit", "scan-code-wrong", "scan-locked", "scan-early"],
        repeats=False,
    ),
)
def crew_scans(service: ServiceDep, actor: ActorDep, visit: VisitId, body: ScanCode) -> ScanAnswer:
    """检查组扫码入企 · The crew scans in at the door."""
    with service.database.reading() as session:
        number = visit_of(session, actor, visit).visit.notice
    return _scan(service, actor, number, body.code)


@router.post(
    "/v1/public/scan-ins",
    **allow(Role.PUBLIC, problems=["scan-code-wrong", "scan-locked", "scan-early"], repeats=False),
)
def enterprise_scans(service: ServiceDep, actor: ActorDep, body: ScanIn) -> ScanAnswer:
    """企业扫码确认检查组到达 · The enterprise confirms with the notice's code that the crew has come."""
    return _scan(service, actor, body.notice, body.code)


@router.get(
    "/v1/calendars/visits.ics",
    response_class=Response,
    responses={
        200: {"description": "iCalendar", "content": {"text/calendar": {"schema": {"type": "string"}}}}
    },
    **allow(Role.DISPATCHER, Role.DEPARTMENT, Role.CREW, scope="visits:read"),
)
def calendar(
    service: ServiceDep,
    actor: ActorDep,
    first: Annotated[Day | None, Query(description="起，默认 30 天前 · from, by default 30 days ago")] = None,
) -> Response:
    """自己的检查、个案检查和复查的日历 · Calendar of one's visits, case visits and re-inspections."""
    now = service.clock()
    with service.database.reading() as session:
        begin = first or today(session, now) - timedelta(days=30)
        content = calendar_of(session, actor, max(begin, date(2000, 1, 1)), now)
    headers = {"Content-Disposition": 'attachment; filename="visits.ics"', "Cache-Control": "no-cache"}
    return Response(content, media_type="text/calendar; charset=utf-8", headers=headers)


def _scan(service: Service, actor: Actor, number: str, code: str) -> ScanAnswer:
    # a wrong code is counted, so the refusal comes after the commit; with an Idempotency-Key nothing of a refusal would be kept, and a
    # scan that is repeated changes nothing anyhow
    with service.database.writing() as session:
        outcome, visit = scan_in(session, service.vault, number, code, actor=actor, now=service.clock())
        at = None if visit is None else visit.scanned_at
    refuse(outcome, number)
    assert at is not None, "what is not refused was kept"
    return ScanAnswer(notice=number, scanned_at=at, repeated=outcome == "repeated")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise refusal("invalid-parameter", "query.cursor") from None
