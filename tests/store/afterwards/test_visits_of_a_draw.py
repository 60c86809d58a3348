"""After the draw everybody has the visits that concern them, and nobody sees more."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from chinese_calendar import is_workday
from sqlalchemy import select
from sqlmodel import col

from dualrandom.errors import IntegrityError
from dualrandom.store.activity import Actor
from dualrandom.store.blobs import Vault
from dualrandom.store.errors import UnknownError
from dualrandom.store.scanning import code_of
from dualrandom.store.tables import DrawRow
from dualrandom.store.visit_lists import VisitFilter, list_visits, visit_of
from dualrandom.store.visits import visits_from_draw

DISPATCHER = Actor("user:dispatcher", "dispatcher")
FIRE = Actor("user:fire", "department", "fire")
SUPPORT = Actor("user:support", "support")


def everything(session: Any, actor: Actor, wanted: VisitFilter, limit: int = 5) -> list[Any]:
    found: list[Any] = []
    after = None
    while True:
        page, after = list_visits(session, actor, wanted, after=after, limit=limit)
        found += page
        if after is None:
            return found


def test_the_rows_say_what_the_record_says(drawn: Any, tmp_path: Any) -> None:
    folder = drawn.folder(tmp_path / "laid")
    result = json.loads((folder / "public" / "result.json").read_bytes())
    people = {
        row["id"]: row["hidden"]["person"]
        for row in map(json.loads, (folder / "private/openings/roster.jsonl").read_bytes().splitlines())
    }
    with drawn.database.reading() as session:
        views = everything(session, DISPATCHER, VisitFilter(draw=drawn.draw))
    kept = {
        (view.visit.enterprise, view.visit.part): (
            None if view.visit.date is None else view.visit.date.isoformat(),
            {(one.check.task, tuple(one.check.items)) for one in view.checks},
            {(one.check.department_id, tuple(person.code for person in one.crew)) for one in view.checks},
        )
        for view in views
    }
    drawn_there = {
        (visit["enterprise"], visit["part"]): (
            visit["date"],
            {(check["task"], tuple(check["items"])) for check in visit["checks"]},
            {(crew["department"], tuple(people[i] for i in crew["seats"])) for crew in visit["crews"]},
        )
        for visit in result["visits"]
    }
    assert kept == drawn_there
    assert [view.visit.day for view in views] == sorted(view.visit.day for view in views)
    assert all(view.visit.name.endswith("（虚构）") for view in views)
    assert all(person.name for view in views for one in view.checks for person in one.crew)


def test_every_visit_has_numbers_of_its_own_a_code_and_a_deadline(drawn: Any) -> None:
    visits = drawn.visits()
    for name in ("notice", "approval"):
        assert len({getattr(visit, name) for visit in visits}) == len(visits)
    codes = {code_of(drawn.vault, visit) for visit in visits}
    assert len(codes) == len(visits)
    assert not any(code.encode() in visit.scan_code for code in codes for visit in visits)
    with pytest.raises(IntegrityError, match="blob-damaged"):
        code_of(Vault(bytes(32)), visits[0])
    visits[0].notice = visits[1].notice
    with pytest.raises(IntegrityError, match="blob-damaged"):
        code_of(drawn.vault, visits[0])
    for visit in visits:
        assert visit.date is not None
        assert visit.publish_by is not None
        days = [visit.date + timedelta(n) for n in range(1, (visit.publish_by - visit.date).days + 1)]
        assert sum(map(is_workday, days)) == 20
        assert is_workday(visit.publish_by)


def test_everybody_with_a_seat_is_told_how_many_visits_they_have(drawn: Any) -> None:
    with drawn.database.reading() as session:
        listed = everything(session, DISPATCHER, VisitFilter())
    told = drawn.messages("drawn")
    crews = [
        {f"inspector:{person.code}" for one in view.checks for person in one.crew}
        | {f"department:{one.check.department_id}" for one in view.checks}
        for view in listed
    ]
    assert told.keys() == set[str]().union(*crews) | {"role:auditor", "role:dispatcher"}
    for audience in told.keys() - {"role:auditor", "role:dispatcher"}:
        count = sum(audience in crew for crew in crews)
        assert f": {count} visits" in told[audience]


def test_bringing_the_visits_in_step_again_changes_nothing(drawn: Any, tmp_path: Any) -> None:
    before = [row.model_dump() for row in drawn.visits()]
    folder = drawn.folder(tmp_path / "laid")
    with drawn.database.writing() as session:
        visits_from_draw(
            session,
            drawn.vault,
            session.get_one(DrawRow, drawn.draw),
            folder,
            datetime(2023, 8, 24, tzinfo=UTC),
        )
    assert [row.model_dump() for row in drawn.visits()] == before


def test_a_department_sees_its_own_checks_and_who_comes_along(drawn: Any) -> None:
    with drawn.database.reading() as session:
        own = everything(session, FIRE, VisitFilter())
        every = everything(session, DISPATCHER, VisitFilter())
    assert 0 < len(own) < len(every)
    assert {one.check.department_id for view in own for one in view.checks} == {"fire"}
    assert any("amr" in view.others for view in own)
    hidden = next(view for view in every if all(one.check.department_id != "fire" for one in view.checks))
    with drawn.database.reading() as session, pytest.raises(UnknownError):
        visit_of(session, FIRE, hidden.visit.id)


def test_a_crew_member_sees_only_the_visits_with_a_seat(drawn: Any) -> None:
    with drawn.database.reading() as session:
        every = everything(session, DISPATCHER, VisitFilter())
        code = every[0].checks[0].crew[0].code
        member = Actor("user:crew", "crew", every[0].checks[0].check.department_id, inspector=code)
        own = everything(session, member, VisitFilter())
    assert [view.visit.id for view in own] == [
        view.visit.id
        for view in every
        if any(person.code == code for one in view.checks for person in one.crew)
    ]
    assert all(code in one.check.crew for view in own for one in view.checks)


def test_support_sees_visits_without_people(drawn: Any) -> None:
    with drawn.database.reading() as session:
        views = everything(session, SUPPORT, VisitFilter())
    assert views
    assert not any(one.crew for view in views for one in view.checks)


def test_lists_are_narrowed_by_day_department_state_and_enterprise(drawn: Any) -> None:
    with drawn.database.reading() as session:
        every = everything(session, DISPATCHER, VisitFilter())
        day = every[3].visit.day
        on_day = everything(session, DISPATCHER, VisitFilter(first=day, last=day))
        health = everything(session, DISPATCHER, VisitFilter(department="health"))
        one = everything(session, DISPATCHER, VisitFilter(enterprise=every[3].visit.enterprise))
        undated = everything(session, DISPATCHER, VisitFilter(state="undated"))
    assert {view.visit.day for view in on_day} == {day}
    assert {view.visit.id for view in health} == {
        view.visit.id for view in every if any(c.check.department_id == "health" for c in view.checks)
    }
    assert {view.visit.enterprise for view in one} == {every[3].visit.enterprise}
    assert undated == []


def test_a_page_of_visits_takes_a_fixed_number_of_queries(drawn: Any) -> None:
    from sqlalchemy import event

    counts = []
    for limit in (3, 15):
        statements: list[str] = []

        def note(_c: Any, _u: Any, statement: str, *_: Any, kept: list[str] = statements) -> None:
            kept.append(statement)

        event.listen(drawn.database.engine, "before_cursor_execute", note)
        with drawn.database.reading() as session:
            list_visits(session, DISPATCHER, VisitFilter(draw=drawn.draw), limit=limit)
        event.remove(drawn.database.engine, "before_cursor_execute", note)
        counts.append(len(statements))
    assert counts[0] == counts[1]


def test_the_daily_look_at_deadlines_is_queued_with_the_draw(drawn: Any) -> None:
    from dualrandom.store.tables import Job

    with drawn.database.reading() as session:
        queued = set(session.scalars(select(col(Job.unique_key)).where(col(Job.kind) == "alarm")))
    assert {"alarm:2023-08-22", "alarm:2023-08-24"} <= queued
