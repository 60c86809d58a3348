"""The store on both databases, SQLite and a real PostgreSQL server from a wheel; each test module has a fresh database.

``database`` has tables and an office, ``town`` also the plan and the libraries of the demonstration town.
"""

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from dualrandom.demo import write_campaign
from dualrandom.registry.columns import KINDS
from dualrandom.store.activity import Actor
from dualrandom.store.blobs import Vault
from dualrandom.store.database import Database
from dualrandom.store.import_reading import import_now
from dualrandom.store.planning import create_plan
from dualrandom.store.tables import Office

BEGIN = datetime(2023, 8, 21, 1, 0, tzinfo=UTC)
"""A Monday, before the town's beacon round."""
DISPATCHER = Actor("user:dispatcher", "dispatcher")


@dataclass(frozen=True)
class Town:
    """The demonstration town in a database; ``folder`` has the same as a campaign."""

    database: Database
    vault: Vault
    folder: Path
    plan: str = "2023-09"


def _prepare(url: str) -> None:
    database = Database(url)
    database.upgrade()
    with database.writing() as session:
        session.add(
            Office(authority="yunxi", name="云溪县双随机办公室", name_en="Yunxi office", created_at=BEGIN)
        )
    database.close()


@pytest.fixture(scope="session")
def empty_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "store.db"
    _prepare(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def new_postgres(postgres_server: Any) -> Iterator[Callable[[str], str]]:
    """Gives the URL of a new database with tables under a name."""

    def url_of(name: str) -> str:
        return str(postgres_server.get_uri(database=name))

    admin = Database(url_of("postgres"))
    autocommit = admin.engine.execution_options(isolation_level="AUTOCOMMIT")

    def copied(name: str, template: str = "template_store") -> str:
        with autocommit.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
        return url_of(name)

    copied("template_store", "template0")
    _prepare(url_of("template_store"))
    yield copied
    admin.close()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A fresh database with tables and an office, one for a module."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("database") / "store.db"
        shutil.copy(request.getfixturevalue("empty_sqlite"), path)
        url = f"sqlite:///{path}"
    else:
        copied: Callable[[str], str] = request.getfixturevalue("new_postgres")
        url = copied(f"of_{request.module.__name__.rpartition('.')[2]}")
    made = Database(url)
    yield made
    made.close()


@pytest.fixture(scope="session")
def vault() -> Vault:
    return Vault(bytes(range(32)))


@pytest.fixture(scope="session")
def town_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town") / "campaign"
    write_campaign("town", folder)
    return folder


@pytest.fixture(scope="module")
def town(database: Database, vault: Vault, town_folder: Path) -> Town:
    """The demonstration town, with all departments joined, in this module's database."""
    with database.writing() as session:
        create_plan(
            session, (town_folder / "plan.toml").read_text("utf-8"), actor=DISPATCHER, now=BEGIN, joined=True
        )
        for kind in KINDS:
            (path,) = town_folder.glob(f"{kind}.*")
            import_now(session, vault, kind, path.name, path.read_bytes(), actor=DISPATCHER, now=BEGIN)
    return Town(database, vault, town_folder)
