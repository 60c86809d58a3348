"""Calendars (RFC 5545) of what somebody has to do: drawn visits, case visits, re-inspections; all-day events."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta

from icalendar import Calendar, Event
from sqlmodel import Session

from dualrandom.exports.inert import plain
from dualrandom.store.activity import Actor
from dualrandom.store.cases import list_cases
from dualrandom.store.referrals import reinspections
from dualrandom.store.visit_lists import VisitFilter, VisitView, list_visits

AT_ONCE = 500


def calendar_of(session: Session, actor: Actor, first: date, now: datetime) -> bytes:
    """Return the calendar of what ``actor`` sees from ``first`` on. UIDs stay, so importing it again doubles nothing."""
    calendar = Calendar()
    calendar.add("prodid", "-//dualrandom//service//ZH")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", "双随机检查")
    for view in all_visits(session, actor, VisitFilter(first=first - timedelta(days=60))):
        visit = view.visit
        day = visit.later or visit.date
        if day is None or day < first or visit.state not in {"planned", "done"}:
            continue
        if all(one.check.unfilled for one in view.checks):
            # a department that has withdrawn sends nobody
            continue
        crew = "；".join(
            f"{one.check.department_id} {'、'.join(person.name or person.code for person in one.crew)}"
            for one in view.checks
        )
        lines = [
            f"检查对象：{visit.name} {visit.enterprise}",
            f"事项：{'、'.join(item for one in view.checks for item in one.check.items)}",
            f"检查人员：{crew}",
            f"通知书：{visit.notice}",
        ]
        if visit.later is not None:
            lines.append(f"抽取日期：{visit.date}；{visit.later_reason}")
        calendar.add_component(
            _event(f"visit-{visit.id}", day, f"检查 {visit.name}", lines, visit.address, now)
        )
    for referral, check, visit in reinspections(session, actor):
        if referral.reinspect_on is not None and referral.reinspect_on >= first:
            lines = [
                f"检查对象：{visit.name} {visit.enterprise}",
                f"移送：{referral.to_department}，案号 {referral.case_number or '—'}",
                f"任务：{check.task}",
            ]
            calendar.add_component(
                _event(
                    f"reinspection-{referral.id}",
                    referral.reinspect_on,
                    f"复查 {visit.name}",
                    lines,
                    visit.address,
                    now,
                )
            )
    for case in list_cases(session, actor, state="planned", limit=5000):
        if case.date >= first and case.joined_visit is None:
            lines = [f"检查对象：{case.enterprise}", f"依据：{case.basis}", f"事项：{'、'.join(case.items)}"]
            title = f"{'个案' if case.kind == 'case' else '专项'}检查 {case.enterprise}"
            calendar.add_component(_event(f"case-{case.id}", case.date, title, lines, "", now))
    return bytes(calendar.to_ical())


def all_visits(session: Session, actor: Actor, wanted: VisitFilter) -> Iterator[VisitView]:
    """Yield every visit of a list, page by page."""
    after = None
    while True:
        page, after = list_visits(session, actor, wanted, after=after, limit=AT_ONCE)
        yield from page
        if after is None:
            return
        session.expunge_all()


def _event(uid: str, day: date, title: str, lines: list[str], place: str, now: datetime) -> Event:
    event = Event()
    event.add("uid", f"{uid}@dualrandom")
    event.add("dtstamp", now)
    event.add("dtstart", day)
    event.add("dtend", day + timedelta(days=1))
    event.add("summary", plain(title))
    if place:
        event.add("location", plain(place))
    event.add("description", "\n".join(map(plain, lines)))
    return event
