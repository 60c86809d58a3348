"""Calendars of the visits (RFC 5545): all-day events, so that no time zone shifts a day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from icalendar import Calendar, Event

from dualrandom.exports.inert import plain
from dualrandom.exports.view import ExportView, VisitRow
from dualrandom.exports.visit_list import word


def visit_calendar(view: ExportView, created: datetime, department: str | None = None) -> bytes:
    """Return the ics file of one department, or of all with one event for each visit and department.

    UIDs are made of draw, enterprise, part and department, so importing a newer file replaces events instead of
    doubling them; DTSTAMP is ``created`` (UTC).
    """
    language = view.plan.language
    name = word(view.authority, language)
    if department is not None:
        name = word(view.department_name(department), language)
    calendar = Calendar()
    calendar.add("prodid", "-//dualrandom//visits//ZH" if language == "zh" else "-//dualrandom//visits//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", plain(f"{name} {view.draw}"))
    calendar.add("x-wr-timezone", view.plan.timezone)
    for visit in view.visits:
        for crew in visit.crews:
            if visit.date is not None and department in {None, crew.department}:
                calendar.add_component(_event(view, visit, crew.department, visit.date, created))
    data: bytes = calendar.to_ical()
    return data


def _event(view: ExportView, visit: VisitRow, department: str, day: str, created: datetime) -> Event:
    language = view.plan.language
    chinese = language == "zh"
    colon = "：" if chinese else ": "
    first = date.fromisoformat(day)
    names = ", ".join(f"{member.name} ({member.licence})" for member in visit.crew(department))
    items = [
        item.name if chinese else item.name_en
        for task, listed in visit.checks
        if task.department == department
        for item in listed
    ]
    lines = [
        f"{'检查对象' if chinese else 'Enterprise'}{colon}{visit.enterprise.name} {visit.enterprise.id}",
        f"{'抽查事项' if chinese else 'Items'}{colon}{'; '.join(dict.fromkeys(items))}",
        f"{'检查人员' if chinese else 'Inspectors'}{colon}{names}",
        f"{'抽查批次' if chinese else 'Draw'}{colon}{view.draw}",
    ]
    event = Event()
    event.add("uid", f"{view.draw}/{visit.enterprise.id}/{visit.part}/{department}@dualrandom")
    event.add("dtstamp", created)
    event.add("dtstart", first)
    event.add("dtend", first + timedelta(days=1))
    event.add(
        "summary", plain(f"{word(view.department_name(department), language)}{colon}{visit.enterprise.name}")
    )
    if visit.enterprise.address:
        event.add("location", plain(visit.enterprise.address))
    event.add("description", "\n".join(map(plain, lines)))
    event.add("categories", [department])
    return event
