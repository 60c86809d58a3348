"""A service on either database, with accounts for every role and a clock that tests move.

PostgreSQL is a real server from a wheel, one for a test process; each test module has a database of its own, copied from one that has
the tables and accounts.
"""

import base64
import logging
import re
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import structlog
from fastapi import FastAPI
from fastapi.testclient import TestClient
from sqlalchemy import text
from sqlmodel import Session

from dualrandom.demo import write_campaign
from dualrandom.registry.columns import KINDS
from dualrandom.relay import Attempt
from dualrandom.store import accounts, api_keys
from dualrandom.store.activity import SERVICE, Actor
from dualrandom.store.announcing import Ready, announce_plan
from dualrandom.store.blobs import Vault
from dualrandom.store.database import Database
from dualrandom.store.drawing import draw_now, give_evidence
from dualrandom.store.import_reading import import_now
from dualrandom.store.jobs import claim
from dualrandom.store.planning import create_plan
from dualrandom.store.tables import Department, Office, Role
from dualrandom.store.workspace import Keeping
from dualrandom_api.service.application import create_service
from dualrandom_api.service.parts import Service
from dualrandom_api.service.passwords import Passwords
from dualrandom_api.service.runner import Runner
from dualrandom_api.service.settings import PasswordSettings, Settings

BEGIN = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
TOWN_BEGIN = datetime(2023, 8, 21, 1, 0, tzinfo=UTC)
ROUND_DUE = datetime(2023, 8, 23, 15, 59, 24, tzinfo=UTC)
"""When the round of the town's beacon came."""
TOWN_DISPATCHER = Actor("user:dispatcher", "dispatcher")
KEY = base64.b64encode(bytes(range(32))).decode()
PASSWORD = "Ordinary-27-horses"
CHEAP = PasswordSettings(time_cost=1, memory_kib=8, parallelism=1)
DESCRIBED: dict[str, Any] = {}
"""The OpenAPI, once for all services: no setting changes which routes there are, and to describe them takes longer than most tests."""

DEPARTMENTS = (("amr", "市场监管局", "Market regulation"), ("fire", "消防救援支队", "Fire and rescue"))
PEOPLE = (
    ("dispatcher", Role.DISPATCHER, None, None),
    ("dispatcher2", Role.DISPATCHER, None, None),
    ("amr", Role.DEPARTMENT, "amr", None),
    ("fire", Role.DEPARTMENT, "fire", None),
    ("crew", Role.CREW, "amr", "p001"),
    ("firecrew", Role.CREW, "fire", "p101"),
    ("auditor", Role.AUDITOR, None, None),
    ("support", Role.SUPPORT, None, None),
)


structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))


@dataclass
class Clock:
    """The service's clock; ``clock.pass_(days=1)`` moves it."""

    now: datetime = BEGIN

    def __call__(self) -> datetime:
        return self.now

    def pass_(self, **by: float) -> None:
        self.now += timedelta(**by)


@dataclass
class Running:
    """A running service as tests use it. ``office.as_("amr").get("/v1/me")``: a client that is signed in."""

    app: FastAPI
    clock: Clock
    service: Service
    _clients: dict[str, TestClient] = field(default_factory=dict)

    @property
    def public(self) -> TestClient:
        """A client that has not signed in."""
        return self._clients.setdefault("", TestClient(self.app, raise_server_exceptions=False))

    def as_(self, username: str) -> TestClient:
        """A client with the bearer token of one of PEOPLE; sessions last as long as the module."""
        if username not in self._clients:
            client = TestClient(self.app, raise_server_exceptions=False)
            with self.service.database.writing() as session:
                user = accounts.the_user(session, username)
                token, _ = accounts.sign_in(session, user, self.clock(), timedelta(days=3650), "test")
            client.headers["Authorization"] = f"Bearer {token}"
            self._clients[username] = client
        return self._clients[username]

    def api_key(self, department: str, *scopes: str) -> TestClient:
        """A client with an API key of a department."""
        client = TestClient(self.app, raise_server_exceptions=False)
        with self.service.database.writing() as session:
            maker = accounts.actor_of(accounts.the_user(session, department))
            row = api_keys.issue_key(
                session,
                maker,
                self.clock(),
                department=department,
                name="test",
                scopes=scopes,
                expires_at=self.clock() + timedelta(days=3650),
            )
            key, _ = api_keys.collect_key(session, maker, self.clock(), department, row.prefix)
        client.headers["Authorization"] = f"Bearer {key}"
        return client

    def approved(self, asked: Any, by: str = "auditor") -> Any:
        """Let a second person agree to what was asked for, have it done, and return the job."""
        assert asked.status_code == 202, asked.text
        body = {"decision": "approve", "digest": asked.json()["digest"]}
        decided = self.as_(by).post(f"{asked.json()['url']}/decision", json=body)
        assert decided.status_code == 200, decided.text
        self.run_jobs()
        return self.as_("dispatcher").get(decided.json()["job"]).json()

    def run_jobs(self) -> int:
        """Do every job that is due at the clock's time; return how many."""
        return Runner(self.service).run_due()

    def close(self) -> None:
        self.service.database.close()


def furnish(session: Session) -> None:
    """The rows that every test starts with."""
    session.add(
        Office(authority="ezhou", name="鄂州市双随机办公室", name_en="Ezhou office", created_at=BEGIN)
    )
    for id_, name, name_en in DEPARTMENTS:
        session.add(Department(id=id_, name=name, name_en=name_en, seats=[["leader"], []]))
    session.flush()
    hashed = Passwords(CHEAP).hashed(PASSWORD, "nobody")
    for username, role, department, inspector in PEOPLE:
        accounts.create_user(
            session,
            SERVICE,
            BEGIN,
            username=username,
            name=f"张{username}",
            role=role,
            department=department,
            inspector=inspector,
            password_hash=hashed,
        )


def _prepare(url: str) -> None:
    database = Database(url)
    database.upgrade()
    with database.writing() as session:
        furnish(session)
    database.close()


def _draw_the_town(url: str, folder: Path, scratch: Path) -> None:
    """Announce and draw the demonstration town in a prepared database."""
    write_campaign("town", folder)
    database, vault = Database(url), Vault.from_text(KEY)
    keeping = Keeping(database, vault, scratch)
    with database.writing() as session:
        kept = session.get_one(Office, 1)
        kept.authority = "yunxi"
        session.add(kept)
        text = (folder / "plan.toml").read_text("utf-8")
        plan = create_plan(session, text, actor=TOWN_DISPATCHER, now=TOWN_BEGIN, joined=True)
        for kind in KINDS:
            (path,) = folder.glob(f"{kind}.*")
            import_now(
                session, vault, kind, path.name, path.read_bytes(), actor=TOWN_DISPATCHER, now=TOWN_BEGIN
            )
        ready = Ready(plan.id, plan.version)
    draw = announce_plan(keeping, ready, actor=TOWN_DISPATCHER, now=TOWN_BEGIN)
    with database.writing() as session:
        evidence = (folder / "beacon.json").read_bytes()
        give_evidence(session, keeping, draw, evidence, actor=TOWN_DISPATCHER, now=ROUND_DUE)
    job = claim(database, "test", ROUND_DUE, ["draw"])
    assert job is not None
    draw_now(keeping, draw, fetch=lambda _: Attempt(None), now=ROUND_DUE, job=job)
    database.close()


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("template") / "service.db"
    _prepare(f"sqlite:///{path}")
    return path


@pytest.fixture(scope="session")
def postgres(postgres_server: Any) -> Iterator[Callable[[str], str]]:
    """Gives the URL of a new copy of the template under a name."""

    def url_of(name: str) -> str:
        return str(postgres_server.get_uri(database=name))

    admin = Database(url_of("postgres"))
    autocommit = admin.engine.execution_options(isolation_level="AUTOCOMMIT")

    made: Counter[str] = Counter()

    def copied(name: str, template: str = "template_service") -> str:
        # a module may ask again, with other parameters
        made[name] += 1
        if made[name] > 1:
            name = f"{name}_{made[name]}"
        with autocommit.connect() as connection:
            connection.execute(text(f'CREATE DATABASE "{name}" TEMPLATE "{template}"'))
        return url_of(name)

    copied("template_service", "template0")
    _prepare(url_of("template_service"))
    yield copied
    admin.close()


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def database_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a fresh database with tables and accounts, one for a module."""
    if request.param == "sqlite":
        template: Path = request.getfixturevalue("sqlite_template")
        path = tmp_path_factory.mktemp("database") / "service.db"
        shutil.copy(template, path)
        return f"sqlite:///{path}"
    copied: Callable[[str], str] = request.getfixturevalue("postgres")
    return copied(f"of_{request.module.__name__.rpartition('.')[2]}")


@pytest.fixture(scope="session")
def drawn_sqlite(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("drawn") / "service.db"
    shutil.copy(sqlite_template, path)
    _draw_the_town(f"sqlite:///{path}", path.parent / "campaign", path.parent)
    return path


@pytest.fixture(scope="session")
def drawn_postgres(postgres: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("drawn")
    _draw_the_town(postgres("template_drawn"), folder / "campaign", folder)
    return "template_drawn"


@pytest.fixture(scope="module", params=["sqlite", "postgres"])
def drawn_url(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The URL of a database of a module's own in which the demonstration town was drawn."""
    if request.param == "sqlite":
        path = tmp_path_factory.mktemp("database") / "service.db"
        shutil.copy(request.getfixturevalue("drawn_sqlite"), path)
        return f"sqlite:///{path}"
    template: str = request.getfixturevalue("drawn_postgres")
    copied: Callable[..., str] = request.getfixturevalue("postgres")
    return copied(f"drawn_{request.module.__name__.rpartition('.')[2]}", template)


@pytest.fixture(scope="module")
def drawn(drawn_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service in which the demonstration town was drawn, on both databases."""
    made = create_office(drawn_url, tmp_path_factory.mktemp("data"), Clock(ROUND_DUE))
    yield made
    made.close()


@pytest.fixture(scope="module")
def office(database_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with accounts for every role, one for a module and database."""
    clock = Clock()
    made = create_office(database_url, tmp_path_factory.mktemp("data"), clock)
    yield made
    made.close()


@pytest.fixture
def fresh(sqlite_template: Path, tmp_path: Path) -> Iterator[Running]:
    """A service of a test's own, on SQLite."""
    shutil.copy(sqlite_template, tmp_path / "service.db")
    made = create_office(f"sqlite:///{tmp_path / 'service.db'}", tmp_path, Clock())
    yield made
    made.close()


def create_office(url: str, data: Path, clock: Clock, **changed: Any) -> Running:
    values = {
        "database_url": url,
        "data": data,
        "service_key": KEY,
        "passwords": CHEAP,
        "runners": 0,
        "public_per_minute": 1_000_000,
        "requests_per_minute": 1_000_000,
        "sign_ins_per_minute": 1_000_000,
        **changed,
    }
    app = create_service(Settings(**values), clock=clock)
    if not DESCRIBED:
        DESCRIBED.update(app.openapi())
    app.openapi_schema = DESCRIBED
    app.state.told = []
    return Running(app, clock, app.state.service)


@pytest.fixture(scope="session")
def promised() -> Callable[[Running, str, str, Any], None]:
    """Asserts that an answer is one that its route names: no crash, a known status, a problem in both languages."""

    def check(made: Running, method: str, path: str, answer: Any) -> None:
        operation = made.app.openapi()["paths"][path][method.lower()]
        told = f"{method} {answer.request.url}: {answer.status_code} {answer.text[:600]}"
        assert answer.status_code < 500 or answer.status_code in {501, 503}, told
        assert str(answer.status_code) in operation["responses"], told
        if answer.status_code < 400:
            return
        assert answer.headers["Content-Type"] == "application/problem+json", told
        problem = answer.json()
        assert problem["type"].rpartition(":")[2] in operation["x-problems"], told
        for words in (problem["details"], problem["remedy"]):
            assert re.search(r"[\u4e00-\u9fff]", words["zh"]), told
            assert re.search(r"[A-Za-z]{2}", words["en"]), told

    return check


@pytest.fixture(autouse=True)
def every_problem_is_documented(request: pytest.FixtureRequest) -> Iterator[None]:
    """After each test: whatever a route answered with is among the problems that its OpenAPI names."""
    known = [name for name in ("office", "fresh", "drawn") if name in request.fixturenames]
    services: list[Running] = [request.getfixturevalue(name) for name in known]
    yield
    for made in services:
        told, made.app.state.told[:] = list(made.app.state.told), []
        schema = made.app.openapi()
        for method, path, code in told:
            operation = schema["paths"][path.replace(":path}", "}")][method.lower()]
            assert code in operation["x-problems"], (
                f"{method} {path} answered with {code}, which it does not name"
            )
