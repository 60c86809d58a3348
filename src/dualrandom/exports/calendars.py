"""Calendars of the visits (RFC 5545): all-day events, so that no time zone shifts a day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from icalendar import Calendar, Event

from dualrandom.exports.inert import plain
from dualrandom.exports.view import ExportView, VisitRow
from dualrandom.exports.visit_list import word

_END = b"END:VCALENDAR\r\n"


def visit_calendars(view: ExportView, created: datetime) -> dict[str | None, bytes]:
    """Return an ics file for each department, and under ``None`` one for all: an event for each crew.

    An unfilled crew has none: nobody goes. UIDs are made of draw, enterprise, part and department, so importing a newer
    file replaces events instead of doubling them; DTSTAMP is ``created`` (UTC).
    """
    events: dict[str, list[bytes]] = {department.id: [] for department in view.departments}
    together: list[bytes] = []
    for visit in view.visits:
        for crew in visit.crews:
            if visit.date is not None and crew.members:
                event = bytes(_event(view, visit, crew.department, visit.date, created).to_ical())
                events[crew.department].append(event)
                together.append(event)
    return {
        None: _calendar(view, word(view.authority, view.plan.language), together),
        **{
            department: _calendar(view, word(view.department_name(department), view.plan.language), own)
            for department, own in events.items()
        },
    }


def _calendar(view: ExportView, name: str, events: list[bytes]) -> bytes:
    """Return a calendar around events that are bytes already: each of them stands in two files."""
    calendar = Calendar()
    calendar.add("prodid", f"-//dualrandom//visits//{view.plan.language.upper()}")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", plain(f"{name} {view.draw}"))
    calendar.add("x-wr-timezone", view.plan.timezone)
    return bytes(calendar.to_ical()).removesuffix(_END) + b"".join(events) + _END


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
