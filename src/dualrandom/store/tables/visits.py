"""What is carried out: visits, their checks, findings in versions, referrals, case visits, the ledger."""

from __future__ import annotations

import datetime as dt
from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint
from sqlmodel import Field, SQLModel

from dualrandom.store.tables.base import instant_field, json_field


class Visit(SQLModel, table=True):
    """One visit of a draw: the current state; how it came to be is in the amendments."""

    __tablename__ = "visit"

    id: int | None = Field(default=None, primary_key=True)
    draw_id: str = Field(foreign_key="draw.id", index=True)
    enterprise: str = Field(index=True)
    name: str = ""
    """The enterprise's name, address and district as frozen for the draw."""
    address: str = ""
    district: str = ""
    part: int = 0
    date: dt.date | None = Field(default=None, index=True)
    """The date that was drawn."""
    day: dt.date
    """The date by which lists are ordered: the drawn one, 9999-12-31 if there is none."""
    later: dt.date | None = None
    """The day on which the crews will come if not on the drawn one; always later."""
    later_reason: str = ""
    publish_by: dt.date | None = Field(default=None, index=True)
    """Last day for publishing its findings."""
    state: str = "planned"
    """planned, undated, unfilled, cancelled, done (all findings are published)"""
    origin: str = "result"
    """result, or the number of the row of changes.jsonl that brought it"""
    notice: str
    """Number of the inspection notice (检查通知书)."""
    approval: str
    """Number of the approval (行政检查审批)."""
    scan_code: bytes
    """The scan-in code (扫码入企), sealed under the service's key: it is on the printed notice, and shown to the crew only."""
    scan_failures: int = 0
    scanned_at: datetime | None = instant_field(default=None)
    scanned_by: str = ""
    version: int = 1

    __table_args__ = (
        UniqueConstraint("draw_id", "enterprise", "part"),
        Index("ix_visit_list", "draw_id", "day", "id"),
        Index("ix_visit_day", "day", "id"),
    )


class Check(SQLModel, table=True):
    """One task of a visit with its crew."""

    __tablename__ = "visit_check"

    id: int | None = Field(default=None, primary_key=True)
    visit_id: int = Field(foreign_key="visit.id", index=True)
    task: str
    department_id: str = Field(index=True)
    items: list[str] = json_field()
    crew: list[str] = json_field()
    """Codes of the inspectors, in the order of the seats; empty if unfilled."""
    unfilled: str = ""
    """Why there is no crew: the code of the department's withdrawal (protocol §13.4)."""

    __table_args__ = (
        UniqueConstraint("visit_id", "task"),
        Index("ix_visit_check_department", "department_id", "visit_id"),
    )


class CrewSeat(SQLModel, table=True):
    """Who serves where, so that an inspector's visits are found at once."""

    __tablename__ = "crew_seat"

    check_id: int = Field(primary_key=True, foreign_key="visit_check.id")
    seat: int = Field(primary_key=True)
    inspector: str = Field(index=True)


class Finding(SQLModel, table=True):
    """A version of the finding of one item of one check (检查结果). The text is served apart and may be removed."""

    __tablename__ = "finding"

    id: int | None = Field(default=None, primary_key=True)
    check_id: int = Field(foreign_key="visit_check.id", index=True)
    item: str
    version: int
    code: str
    """As in protocol §10."""
    method: str
    found_on: dt.date
    attachments: list[str] = json_field()
    """SHA-256 of each attachment."""
    salt: str
    digest: str
    """Salted hash of the whole finding with its text (protocol §10): it stays when the text is removed, and then ``salt`` is empty."""
    text_id: int | None = Field(default=None, foreign_key="finding_text.id")
    disputed_at: datetime | None = instant_field(default=None)
    dispute: str = ""
    published_at: datetime | None = instant_field(default=None)
    revision: int | None = None
    """Its revision in findings.json."""
    reason: str = ""
    """Why this version replaces the one before."""
    at: datetime = instant_field()
    by: str

    __table_args__ = (
        UniqueConstraint("check_id", "item", "version"),
        Index("ix_finding_unpublished", "published_at", "check_id"),
    )


class FindingText(SQLModel, table=True):
    """The words of a finding; ``removed`` by an order leaves the hash and breaks no proof."""

    __tablename__ = "finding_text"

    id: int | None = Field(default=None, primary_key=True)
    text: str
    removed_at: datetime | None = instant_field(default=None)
    removal: str = ""


class Attachment(SQLModel, table=True):
    """A file that belongs to findings: photographs, records, evidence. Its bytes are a private blob."""

    __tablename__ = "attachment"

    id: int | None = Field(default=None, primary_key=True)
    sha256: str = Field(foreign_key="blob.sha256", index=True)
    filename: str
    media_type: str
    department_id: str | None = Field(default=None, foreign_key="department.id", index=True)
    at: datetime = instant_field()
    by: str

    __table_args__ = (UniqueConstraint("sha256", "department_id"),)


class Referral(SQLModel, table=True):
    """What follows a violation: to whom it was referred, the case number, when it is inspected again."""

    __tablename__ = "referral"

    id: int | None = Field(default=None, primary_key=True)
    finding_id: int = Field(foreign_key="finding.id", index=True, unique=True)
    to_department: str
    case_number: str | None = Field(default=None, unique=True)
    reinspect_on: dt.date | None = None
    state: str = "open"
    version: int = 1
    at: datetime = instant_field()
    by: str


class CaseVisit(SQLModel, table=True):
    """A visit outside the draw, for a complaint or a case (个案); in the ledger, and exempt from caps."""

    __tablename__ = "case_visit"

    id: int | None = Field(default=None, primary_key=True)
    enterprise: str = Field(index=True)
    department_id: str = Field(foreign_key="department.id", index=True)
    date: dt.date
    items: list[str] = json_field()
    kind: str = "case"
    """case (个案: a complaint, an alert, a transferred lead) or special (专项)"""
    basis: str
    """Why: the complaint's or the case's number."""
    state: str = "planned"
    """planned, done, cancelled"""
    inspectors: list[str] = json_field()
    """Who was there, once it is done."""
    outcome: str = ""
    joined_visit: int | None = Field(default=None, foreign_key="visit.id")
    """The planned visit that it goes with, if the department took the offer."""
    version: int = 1
    at: datetime = instant_field()
    by: str


class LedgerEntry(SQLModel, table=True):
    """One check that was done, whoever ordered it: what caps and intervals count (检查台账)."""

    __tablename__ = "ledger_entry"

    id: int | None = Field(default=None, primary_key=True)
    enterprise: str = Field(index=True)
    date: dt.date = Field(index=True)
    department_id: str = Field(index=True)
    task: str = ""
    item: str
    inspectors: list[str] = json_field()
    kind: str
    """plan, case, special"""
    source: str
    """``visit:<id>``, ``case:<id>`` or ``revision:<number>`` of the library of visits"""
    done: bool = True
    """False: a case visit that is still to be made. It counts for nothing yet."""
    at: datetime = instant_field()

    __table_args__ = (
        UniqueConstraint("source", "task", "item", "enterprise", "date"),
        Index("ix_ledger_entry_list", "date", "id"),
        Index("ix_ledger_entry_department_list", "department_id", "date", "id"),
        Index("ix_ledger_entry_kind_list", "kind", "date", "id"),
    )


class DayNotice(SQLModel, table=True):
    """A public notice of working days that the office imported (调休), by year."""

    __tablename__ = "working_day_notice"

    year: int = Field(primary_key=True)
    document: dict[str, Any] = json_field()
    at: datetime = instant_field()
    by: str
