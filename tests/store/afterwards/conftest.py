"""The demonstration town drawn by the service, in a database of its own for each module."""

import json
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select
from sqlmodel import col

from dualrandom.registry.columns import KINDS
from dualrandom.relay import Attempt, Wanted
from dualrandom.store import jobs
from dualrandom.store.activity import Actor
from dualrandom.store.announcing import Ready, announce_plan
from dualrandom.store.blobs import Vault
from dualrandom.store.changing import carry_out
from dualrandom.store.database import Database
from dualrandom.store.deadlines import close
from dualrandom.store.drawing import draw_now
from dualrandom.store.import_reading import import_now
from dualrandom.store.planning import create_plan
from dualrandom.store.publishing import publish
from dualrandom.store.tables import DrawRow, Job, Outbox, Visit
from dualrandom.store.workspace import Keeping, lay_out

ANNOUNCED = datetime(2023, 8, 21, 2, 0, tzinfo=UTC)
DRAWN = datetime(2023, 8, 23, 15, 59, 24, tzinfo=UTC)
DISPATCHER = Actor("user:dispatcher", "dispatcher")
ROUNDS = {
    "1000": "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
    "1001": "b33bf3667cbd5a82de3a24b4e0e9fe5513cc1a0e840368c6e31f5fcfa79bea03f73896b25883abf2853d10337fb8fa41",
}


def fetch(wanted: Wanted) -> Attempt:
    """The beacon as far as it is known here."""
    if wanted.round not in ROUNDS:
        return Attempt(None)
    return Attempt(json.dumps({"round": int(wanted.round), "signature": ROUNDS[wanted.round]}).encode())


@dataclass
class Drawn:
    """A drawn town: ``do`` runs the due jobs of some kinds at an instant."""

    database: Database
    vault: Vault
    keeping: Keeping
    draw: str

    def do(self, now: datetime, *kinds: str) -> list[Job]:
        done = []
        wanted = kinds or ("change", "findings", "close")
        while job := jobs.claim(self.database, "test", now, wanted):
            if job.kind == "change":
                carry_out(self.keeping, job, now=now, fetch=fetch)
            elif job.kind == "findings":
                publish(self.keeping, job, now)
            else:
                with self.database.writing() as session:
                    result = close(session, job.subject, actor=Actor("service", "service"), now=now)
                    jobs.finish(session, job, now, result=result)
            done.append(job)
            with self.database.reading() as session:
                kept = session.get(Job, job.id)
                if kept is not None and kept.state == "queued":
                    return done
        return done

    def visits(self) -> list[Visit]:
        with self.database.reading() as session:
            rows = (
                select(Visit).where(col(Visit.draw_id) == self.draw).order_by(col(Visit.day), col(Visit.id))
            )
            return list(session.scalars(rows))

    def messages(self, kind: str) -> dict[str, str]:
        with self.database.reading() as session:
            rows = session.scalars(select(Outbox).where(col(Outbox.kind) == kind).order_by(col(Outbox.id)))
            return {row.audience: row.body_en for row in rows}

    def folder(self, to: Path) -> Path:
        """The campaign as files."""
        to.mkdir()
        with self.database.reading() as session:
            lay_out(session, self.vault, to, self.draw)
        return to / "campaign"


@pytest.fixture(scope="session")
def drawn_sqlite(
    tmp_path_factory: pytest.TempPathFactory, empty_sqlite: Path, vault: Vault, town_folder: Path
) -> Path:
    """The drawn town, to be copied."""
    path = tmp_path_factory.mktemp("drawn") / "store.db"
    shutil.copy(empty_sqlite, path)
    draw_town(f"sqlite:///{path}", vault, town_folder)
    return path


@pytest.fixture(scope="session")
def drawn_postgres(new_postgres: Callable[..., str], vault: Vault, town_folder: Path) -> str:
    """The name of a database with the drawn town, to be copied."""
    draw_town(new_postgres("template_store_drawn"), vault, town_folder)
    return "template_store_drawn"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def drawn(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, vault: Vault
) -> Iterator[Drawn]:
    """A drawn town of this module's own: it may be changed."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("database") / "store.db"
        shutil.copy(request.getfixturevalue("drawn_sqlite"), path)
        url = f"sqlite:///{path}"
    else:
        template = request.getfixturevalue("drawn_postgres")
        copied: Callable[..., str] = request.getfixturevalue("new_postgres")
        url = copied(f"drawn_{request.module.__name__.rpartition('.')[2]}", template)
    database = Database(url)
    with database.reading() as session:
        draw = session.scalars(select(col(DrawRow.id))).one()
    yield Drawn(database, vault, Keeping(database, vault), draw)
    database.close()


@pytest.fixture
def own_town(tmp_path: Path, drawn_sqlite: Path, vault: Vault) -> Iterator[Drawn]:
    """A drawn town of one test's own, on SQLite."""
    path = tmp_path / "store.db"
    shutil.copy(drawn_sqlite, path)
    database = Database(f"sqlite:///{path}")
    with database.reading() as session:
        draw = session.scalars(select(col(DrawRow.id))).one()
    yield Drawn(database, vault, Keeping(database, vault), draw)
    database.close()


@pytest.fixture(scope="module")
def open_town(
    tmp_path_factory: pytest.TempPathFactory, empty_sqlite: Path, vault: Vault, town_folder: Path
) -> Iterator[Callable[..., Drawn]]:
    """Gives towns whose plan is another one, on SQLite; ``between`` happens after the announcement."""
    opened: list[Database] = []

    def made(
        rewritten: Callable[[str], str], between: Callable[[Database, str], None] | None = None
    ) -> Drawn:
        path = tmp_path_factory.mktemp("database") / "store.db"
        shutil.copy(empty_sqlite, path)
        draw_town(f"sqlite:///{path}", vault, town_folder, rewritten, between)
        database = Database(f"sqlite:///{path}")
        opened.append(database)
        with database.reading() as session:
            draw = session.scalars(select(col(DrawRow.id))).one()
        return Drawn(database, vault, Keeping(database, vault), draw)

    yield made
    for database in opened:
        database.close()


def draw_town(
    url: str,
    vault: Vault,
    folder: Path,
    rewritten: Callable[[str], str] = str,
    between: Callable[[Database, str], None] | None = None,
) -> None:
    """Announce and draw the town in an empty database."""
    database = Database(url)
    keeping = Keeping(database, vault)
    with database.writing() as session:
        text = rewritten((folder / "plan.toml").read_text("utf-8"))
        plan = create_plan(session, text, actor=DISPATCHER, now=ANNOUNCED, joined=True)
        for kind in KINDS:
            (path,) = folder.glob(f"{kind}.*")
            import_now(session, vault, kind, path.name, path.read_bytes(), actor=DISPATCHER, now=ANNOUNCED)
        ready = Ready(plan.id, plan.version)
    draw = announce_plan(keeping, ready, actor=DISPATCHER, now=ANNOUNCED)
    if between is not None:
        between(database, draw)
    job = jobs.claim(database, "test", DRAWN + timedelta(minutes=5), ["draw"])
    assert job is not None
    assert draw_now(keeping, draw, now=DRAWN, job=job, fetch=fetch) is not None
    # a copy of a SQLite file in WAL mode needs everything in it
    database.close()
