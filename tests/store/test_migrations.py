"""The migrations lead to exactly the tables that the code knows, up and down, with a town's data in them."""

from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect, select
from sqlmodel import SQLModel

from dualrandom.store import activity
from dualrandom.store.database import Database
from dualrandom.store.tables import Office


def differences(database: Database) -> list[Any]:
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        return list(compare_metadata(context, SQLModel.metadata))


def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of all tables, parents before children."""
    with database.reading() as session:
        return {
            table.name: [tuple(row) for row in session.execute(select(table).order_by(*table.primary_key))]
            for table in SQLModel.metadata.sorted_tables
        }


def test_a_migrated_database_has_the_tables_of_the_code(database: Database) -> None:
    assert differences(database) == []


def test_upgrading_again_changes_nothing(town: Any) -> None:
    before = everything(town.database)
    town.database.upgrade()
    assert everything(town.database) == before


def test_a_filled_database_goes_down_and_up_and_takes_its_rows_back(town: Any) -> None:
    database: Database = town.database
    before = everything(database)
    assert len(before["library_row"]) > 600
    assert before["plan"]
    database.downgrade("base")
    with database.engine.connect() as connection:
        assert set(inspect(connection).get_table_names()) == {"alembic_version"}
    assert not database.is_ready()
    database.upgrade()
    assert database.is_ready()
    assert differences(database) == []
    with database.writing() as session:
        for table in SQLModel.metadata.sorted_tables:
            rows = [dict(zip(table.columns.keys(), row, strict=True)) for row in before[table.name]]
            if rows:
                session.execute(table.insert(), rows)
    assert everything(database) == before
    with database.reading() as session:
        assert list(activity.faults(session)) == []
        assert session.get_one(Office, 1).authority == "yunxi"


def test_what_fails_in_a_transaction_leaves_nothing(database: Database) -> None:
    with database.reading() as session:
        before = session.get_one(Office, 1).name

    def rename_and_stop() -> None:
        with database.writing() as session:
            office = session.get_one(Office, 1)
            office.name = "另一个"
            session.add(office)
            session.flush()
            raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        rename_and_stop()
    with database.reading() as session:
        assert session.get_one(Office, 1).name == before
