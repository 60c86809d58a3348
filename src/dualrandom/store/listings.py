"""Rows for files: what a department or the office takes along of visits, findings and the ledger. Read as they are written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlmodel import Session

from dualrandom.page.words import finding_words, method_words
from dualrandom.store.activity import Actor
from dualrandom.store.calendars import all_visits
from dualrandom.store.findings import list_findings, sealed_of
from dualrandom.store.ledger import LedgerFilter, all_entries
from dualrandom.store.referrals import FEEDBACK, feedback
from dualrandom.store.tables import DrawRow
from dualrandom.store.visit_lists import VisitFilter, timezone_of, unfilled_words
from dualrandom.store.workspace import unknown_draw

Cell = str | int | date | datetime | None
AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True)
class Heading:
    """A column: its name in programs, its Chinese heading, and what its cells are."""

    name: str
    zh: str
    kind: type = str


VISITS: Final = (
    Heading("draw", "抽查批次"),
    Heading("date", "抽取日期", date),
    Heading("later", "改在", date),
    Heading("enterprise", "统一社会信用代码"),
    Heading("name", "名称"),
    Heading("address", "地址"),
    Heading("district", "行政区划"),
    Heading("part", "次", int),
    Heading("department", "部门"),
    Heading("task", "任务"),
    Heading("items", "抽查事项"),
    Heading("crew", "检查人员"),
    Heading("unfilled", "空缺原因"),
    Heading("state", "状态"),
    Heading("publish_by", "公布期限", date),
    Heading("notice", "通知书"),
    Heading("approval", "审批"),
    Heading("scanned_at", "入企时间", datetime),
)
FINDINGS: Final = (
    Heading("draw", "抽查批次"),
    Heading("enterprise", "统一社会信用代码"),
    Heading("name", "名称"),
    Heading("part", "次", int),
    Heading("department", "部门"),
    Heading("task", "任务"),
    Heading("item", "抽查事项"),
    Heading("version", "版本", int),
    Heading("newest", "最新"),
    Heading("date", "检查日期", date),
    Heading("code", "结果代码"),
    Heading("meaning", "检查结果"),
    Heading("method", "检查方式"),
    Heading("published_at", "公布时间", datetime),
    Heading("disputed", "有异议"),
    Heading("reason", "更正理由"),
    Heading("sealed", "加盐散列"),
)
LEDGER: Final = (
    Heading("enterprise", "统一社会信用代码"),
    Heading("date", "日期", date),
    Heading("department", "部门"),
    Heading("task", "任务"),
    Heading("item", "抽查事项"),
    Heading("inspectors", "检查人员"),
    Heading("kind", "类别"),
    Heading("done", "已完成"),
    Heading("source", "来源"),
)
CLASS_FEEDBACK: Final = tuple(
    Heading(name, zh, date if name in {"date", "reinspect_on"} else str) for name, zh in FEEDBACK
)

Rows = Iterator[tuple[Cell, ...]]


def visit_rows(session: Session, actor: Actor, draw: str) -> Rows:
    """Yield a row of :data:`VISITS` for each check of a draw. Raises UnknownError."""
    zone = _zone(session, draw)
    for view in all_visits(session, actor, VisitFilter(draw=draw)):
        visit = view.visit
        for one in view.checks:
            crew = "；".join(f"{p.name or p.code} {p.licence}".strip() for p in one.crew)
            yield (
                visit.draw_id,
                visit.date,
                visit.later,
                visit.enterprise,
                visit.name,
                visit.address,
                visit.district,
                visit.part,
                one.check.department_id,
                one.check.task,
                "；".join(one.check.items),
                crew,
                unfilled_words(one.check.unfilled),
                visit.state,
                visit.publish_by,
                visit.notice,
                visit.approval,
                _local(visit.scanned_at, zone),
            )


def finding_rows(session: Session, actor: Actor, draw: str) -> Rows:
    """Yield a row of :data:`FINDINGS` for each version of a draw's findings; words are not in it."""
    zone = _zone(session, draw)
    after: int | None = 0
    while after is not None:
        page, after = list_findings(session, actor, draw=draw, after=after, limit=AT_ONCE)
        for view in page:
            row, visit = view.finding, view.visit
            yield (
                visit.draw_id,
                visit.enterprise,
                visit.name,
                visit.part,
                view.check.department_id,
                view.check.task,
                row.item,
                row.version,
                "是" if view.newest else "",
                row.found_on,
                row.code,
                finding_words(row.code).zh,
                method_words(row.method).zh,
                _local(row.published_at, zone),
                "是" if row.disputed_at is not None else "",
                row.reason,
                sealed_of(row) or "",
            )
        session.expunge_all()


def ledger_rows(session: Session, actor: Actor, wanted: LedgerFilter) -> Rows:
    """Yield a row of :data:`LEDGER` for each entry."""
    for done in all_entries(session, actor, wanted):
        yield (
            done.enterprise,
            done.date,
            done.department,
            done.task,
            done.item,
            "" if done.inspectors is None else ";".join(done.inspectors),
            done.kind,
            "是" if done.done else "",
            done.source,
        )


def feedback_rows(session: Session, actor: Actor, draw: str | None) -> Rows:
    """Yield a row of :data:`CLASS_FEEDBACK` for each published violation."""
    rows: Iterator[tuple[Any, ...]] = feedback(session, actor, draw)
    yield from rows


def _zone(session: Session, draw: str) -> ZoneInfo:
    if session.get(DrawRow, draw) is None:
        raise unknown_draw(draw)
    return ZoneInfo(timezone_of(session))


def _local(at: datetime | None, zone: ZoneInfo) -> datetime | None:
    """Return an instant as the office's clock shows it, without its zone, as spreadsheets know it."""
    return None if at is None else at.astimezone(zone).replace(tzinfo=None)
