"""Working days: the State Council's notices by year, as they came along or as the office imported them."""

from __future__ import annotations

from datetime import date
from typing import Annotated

from fastapi import APIRouter, Path
from fastapi import Body as RawBody
from pydantic import BaseModel, Field

from dualrandom.store import days
from dualrandom.store.days import KnownNotice
from dualrandom.store.tables import Role
from dualrandom_api.service.dependencies import ActorDep, ServiceDep
from dualrandom_api.service.security import PEOPLE, GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["working days"])

Year = Annotated[int, Path(ge=2000, le=2100, description="年份 · year", examples=[2027])]
EXAMPLE = """[[notices]]
year = 2027
number = "国办发明电2026-1号"
issued = 2026-11-01
holidays = [{ name = "元旦", name_en = "New Year's Day", first = 2027-01-01, last = 2027-01-03 }]
working = [2027-01-09]
"""


class NoticeAnswer(BaseModel):
    """One year's notice: free days, and weekend days that are worked."""

    year: int
    number: str
    issued: date
    holidays: list[date]
    working: list[date]
    imported: bool = Field(description="由本机构导入 · imported by this office")


class Notices(BaseModel):
    """All notices at hand by year."""

    items: list[NoticeAnswer]


def _answer(known: KnownNotice) -> NoticeAnswer:
    notice = known.notice
    return NoticeAnswer(
        year=notice.year,
        number=notice.number,
        issued=notice.issued,
        holidays=sorted(notice.holidays),
        working=sorted(notice.working),
        imported=known.imported,
    )


@router.get("/v1/working-days", **allow(*PEOPLE, scope="plans:read"))
def all_notices(service: ServiceDep) -> Notices:
    """已知的节假日安排 · The notices at hand."""
    with service.database.reading() as session:
        return Notices(items=[_answer(each) for each in days.list_notices(session)])


@router.get("/v1/working-days/{year}", **allow(*PEOPLE, scope="plans:read", problems=["unknown-notice"]))
def one_notice(service: ServiceDep, year: Year) -> NoticeAnswer:
    """一年的节假日安排 · One year's notice."""
    with service.database.reading() as session:
        return _answer(days.notice_of(session, year))


@router.post(
    "/v1/working-days/{year}",
    status_code=201,
    **allow(Role.DISPATCHER, problems=["input-refused", "notice-year-differs"]),
)
def import_notice(
    service: ServiceDep,
    actor: ActorDep,
    year: Year,
    content: Annotated[
        bytes,
        RawBody(
            media_type="text/plain",
            description="与 working-days-cn.toml 同形 · in the shape of working-days-cn.toml",
            examples=[EXAMPLE],
        ),
    ],
) -> NoticeAnswer:
    """导入一年的节假日安排（TOML），并重算未完成检查的期限 · Import a year's notice; deadlines of open visits are counted anew."""
    with service.database.writing() as session:
        return _answer(days.import_notice(session, year, content, actor=actor, now=service.clock()))
