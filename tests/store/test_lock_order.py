"""All writers take the office's row first, so that no two of them can wait for each other."""

import threading
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text, update
from sqlmodel import col

from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.database import Database, locked
from dualrandom.store.days import import_notice
from dualrandom.store.tables import DayNotice, Office

NOW = datetime(2023, 8, 21, tzinfo=UTC)


def sign(session: Any, year: int, name: str) -> None:
    session.execute(update(DayNotice).where(col(DayNotice.year) == year).values(by=name))


def somebody_waits_for_a_lock(database: Database) -> bool:
    with database.engine.connect() as connection:
        waiting = text(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        )
        return bool(connection.execute(waiting).scalar_one())


def test_writers_who_take_the_same_rows_in_opposite_orders_both_finish(database: Database) -> None:
    with database.writing() as session:
        session.add_all(DayNotice(year=year, document={}, at=NOW, by="") for year in (2001, 2002))
    failed: list[BaseException] = []
    has_row = threading.Event()

    def other() -> None:
        try:
            with database.writing() as session:
                sign(session, 2002, "other")
                has_row.set()
                sign(session, 2001, "other")
                activity.record(session, activity.SERVICE, "signed", "other", NOW)
        except BaseException as error:
            failed.append(error)

    with database.writing() as session:
        sign(session, 2001, "own")
        thread = threading.Thread(target=other)
        thread.start()
        # SQLite lets the other one not even begin
        while not (database.is_sqlite or has_row.is_set() or somebody_waits_for_a_lock(database)):
            pass
        sign(session, 2002, "own")
        activity.record(session, activity.SERVICE, "signed", "own", NOW)
    thread.join()
    assert failed == []
    with database.reading() as session:
        assert [session.get_one(DayNotice, year).by for year in (2001, 2002)] == ["other", "other"]
        assert list(activity.faults(session)) == []


def test_two_who_bring_the_same_years_notice_at_once_both_do(database: Database) -> None:
    content = b"""[[notices]]
year = 2005
number = "%s"
issued = 2004-11-01
holidays = [{ name = "A", name_en = "A", first = 2005-01-01, last = 2005-01-03 }]
working = [2005-01-08]
"""
    failed: list[BaseException] = []

    def bring(session: Any, name: str) -> None:
        import_notice(session, 2005, content % name.encode(), actor=Actor(name, "dispatcher"), now=NOW)

    def other() -> None:
        try:
            with database.writing() as session:
                bring(session, "other")
        except BaseException as error:
            failed.append(error)

    with database.writing() as session:
        bring(session, "own")
        thread = threading.Thread(target=other)
        thread.start()
        # SQLite lets the other one not even begin
        while thread.is_alive() and not (database.is_sqlite or somebody_waits_for_a_lock(database)):
            pass
    thread.join()
    assert failed == []
    with database.reading() as session:
        assert session.get_one(DayNotice, 2005).by == "other"
        assert list(activity.faults(session)) == []


def test_a_row_that_was_waited_for_is_what_the_other_made_of_it(database: Database) -> None:
    with database.writing() as session:
        session.add(DayNotice(year=2003, document={}, at=NOW, by="nobody"))
    has_read = threading.Event()
    seen: list[str] = []

    def other() -> None:
        with database.writing() as session:
            known = session.get_one(DayNotice, 2003)
            has_read.set()
            assert locked(session, DayNotice, 2003) is known
            seen.append(known.by)

    thread = threading.Thread(target=other)
    with database.writing() as session:
        sign(session, 2003, "own")
        thread.start()
        # SQLite lets the other one not even begin
        assert database.is_sqlite or has_read.wait(60)
    thread.join()
    assert seen == ["own"]


def test_who_takes_a_step_back_still_takes_the_office_first(database: Database) -> None:
    with database.writing() as session:
        session.add(DayNotice(year=2004, document={}, at=NOW, by=""))
    with database.writing() as session:
        step = session.begin_nested()
        sign(session, 2004, "own")
        step.rollback()
        sign(session, 2004, "own")
        if not database.is_sqlite:
            with database.engine.connect() as other:
                free = text("SELECT id FROM office WHERE id = 1 FOR UPDATE SKIP LOCKED")
                assert other.execute(free).all() == []


def test_what_is_written_apart_from_the_others_may_not_wait_for_the_office(database: Database) -> None:
    with pytest.raises(RuntimeError), database.writing(apart=True) as session:
        activity.record(session, activity.SERVICE, "nothing", "nothing", NOW)
    with database.writing() as session:
        assert session.get(Office, 1, with_for_update=True) is not None
        # one who writes apart is not kept from it meanwhile
        if not database.is_sqlite:
            with database.writing(apart=True) as other:
                sign(other, 1, "nobody")
