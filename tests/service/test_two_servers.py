"""Two servers on one PostgreSQL, killed at random under load: nothing is lost, nothing counts twice, one result a draw.

Departments and dispatchers work at the same time on joins, contributions, tasks, case visits, a plan that all of them edit, and draws, while
one of the servers after the other is killed (SIGKILL) and started again. Clients repeat what was not answered, as any client would.
"""

import base64
import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select
from sqlmodel import col

from dualrandom.demo import write_campaign
from dualrandom.hashing import suite_digest
from dualrandom.registry.columns import KINDS
from dualrandom.seed import commitment_of, contribution_statement
from dualrandom.store import accounts, activity
from dualrandom.store.activity import Actor
from dualrandom.store.blobs import Vault
from dualrandom.store.database import Database
from dualrandom.store.import_reading import import_now
from dualrandom.store.planning import create_plan
from dualrandom.store.tables import (
    Activity,
    CaseVisit,
    ContributionRow,
    DrawRow,
    Job,
    Join,
    LibraryRow,
    Office,
    PlanRow,
    TaskRow,
)
from dualrandom.store.workspace import files_of
from dualrandom.verify import verify_record

DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
EDITS, CASES, TASKS, INSPECTORS, COMMITMENTS, DRAWS = (70, 60, 25, 25, 14, 6) if DEEP else (8, 8, 4, 4, 3, 2)
KILLS = 40 if DEEP else 4
KEY = base64.b64encode(bytes(range(32))).decode()
DISPATCHER = Actor("user:dispatcher", "dispatcher")
PATIENCE = 180.0


class Relay(BaseHTTPRequestHandler):
    """A relay of drand that knows the town's round."""

    evidence = b""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(self.evidence)

    def log_message(self, *_: Any) -> None:
        pass


@dataclass
class Server:
    """A server process that can be killed and started again, at another address each time."""

    environment: dict[str, str]
    process: subprocess.Popen[str] | None = None
    url: str = ""

    def start(self) -> None:
        command = [sys.executable, "-m", "dualrandom", "serve", "--port", "0", "--json"]
        said = Path(self.environment["DUALRANDOM_DATA"]) / "server.log"
        with said.open("a") as log:
            self.process = subprocess.Popen(
                command, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, said.read_text()[-2000:]
        self.process.stdout.close()
        self.url = json.loads(line)["url"]

    def kill(self) -> None:
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()


@dataclass
class City:
    """Two servers, their clients, and what was asked of them."""

    database: Database
    servers: list[Server]
    tokens: dict[str, str]
    plan: dict[str, Any]
    unanswered: int = 0
    kills: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, who: str, method: str, path: str, body: Any = None, **headers: str) -> httpx2.Response:
        """Send a request to either server until one answers it."""
        until = time.monotonic() + PATIENCE
        headers = {name.replace("_", "-"): value for name, value in headers.items()}
        headers["Authorization"] = f"Bearer {self.tokens[who]}"
        while True:
            server = random.choice(self.servers)
            try:
                answer = httpx2.request(method, server.url + path, json=body, headers=headers, timeout=20)
            except httpx2.TransportError:
                with self._lock:
                    self.unanswered += 1
            else:
                busy = answer.status_code == 503 or "repeat-in-progress" in answer.text
                if not busy:
                    return answer
            assert time.monotonic() < until, (method, path)
            time.sleep(0.1 + random.random() / 5)


@pytest.fixture(scope="module")
def city(postgres: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[City]:
    folder = tmp_path_factory.mktemp("city") / "campaign"
    write_campaign("town", folder)
    Relay.evidence = (folder / "beacon.json").read_bytes()
    relay = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    threading.Thread(target=relay.serve_forever, daemon=True).start()
    url = postgres("two_servers")
    database = Database(url)
    now = datetime.now(UTC)
    text = (folder / "plan.toml").read_text("utf-8").replace("number = 1\n", "")
    tokens = {}
    with database.writing() as session:
        office = session.get_one(Office, 1)
        office.authority = "yunxi"
        session.add(office)
        for name in ("edited", *(f"draw-{n}" for n in range(DRAWS))):
            its = text.replace('id = "2023-09"', f'id = "{name}"')
            create_plan(session, its, actor=DISPATCHER, now=now, joined=True)
        for kind in KINDS:
            (path,) = folder.glob(f"{kind}.*")
            import_now(
                session, Vault.from_text(KEY), kind, path.name, path.read_bytes(), actor=DISPATCHER, now=now
            )
        for username in ("dispatcher", "dispatcher2", "amr", "fire"):
            user = accounts.the_user(session, username)
            tokens[username], _ = accounts.sign_in(session, user, now, timedelta(days=1), "test")
    environment = {
        **os.environ,
        "DUALRANDOM_DATABASE_URL": url,
        "DUALRANDOM_SERVICE_KEY": KEY,
        "DUALRANDOM_DATA": str(tmp_path_factory.mktemp("data")),
        "DUALRANDOM_RELAYS": json.dumps([f"http://127.0.0.1:{relay.server_port}"]),
        "DUALRANDOM_LEASE_SECONDS": "4",
        "DUALRANDOM_REPEAT_WAIT_SECONDS": "1",
        "DUALRANDOM_POLL_SECONDS": "0.2",
        "DUALRANDOM_REQUESTS_PER_MINUTE": "1000000",
        "PYTHONUTF8": "1",
    }
    servers = [Server(environment), Server(environment)]
    for server in servers:
        server.start()
    made = City(database, servers, tokens, {})
    yield made
    for server in servers:
        server.kill()
    relay.shutdown()
    relay.server_close()
    database.close()


def edit(city: City, number: int) -> None:
    """Add a closed day to the plan that everybody edits."""
    day = (date(2023, 10, 1) + timedelta(days=number)).isoformat()
    while True:
        read = city.call("dispatcher", "GET", "/v1/plans/edited/document")
        document = read.json()["document"]
        closed = document.setdefault("days", {}).setdefault("closed", [])
        if day in closed:
            return
        closed.append(day)
        answer = city.call(
            "dispatcher",
            "PUT",
            "/v1/plans/edited/document",
            {"document": document},
            If_Match=read.headers["ETag"],
        )
        assert answer.status_code in {200, 412}, answer.text


def bring_inspector(city: City, code: str) -> None:
    """Add an inspector to a department's part."""
    path = "/v1/plans/edited/joins/amr"
    while True:
        read = city.call("amr", "GET", path)
        chosen = read.json()["inspectors"] or []
        if code in chosen:
            return
        body = {"inspectors": [*chosen, code], "seats": read.json()["seats"]}
        answer = city.call("amr", "PUT", path, body, If_Match=read.headers["ETag"])
        assert answer.status_code in {200, 412}, answer.text


def add_task(city: City, number: int) -> None:
    body = {
        "id": f"task-{number}",
        "department": "fire",
        "task": {"name": f"任务 {number}", "items": ["crowded-places"], "ratios": {"A": "1%", "D": "9%"}},
    }
    answer = city.call("fire", "POST", "/v1/plans/edited/tasks", body, Idempotency_Key=f"task-{number:06d}")
    assert answer.status_code == 201, answer.text


def order_case(city: City, number: int, enterprise: str) -> None:
    body = {
        "enterprise": enterprise,
        "department": "amr",
        "date": "2026-12-18",
        "items": ["catering"],
        "basis": f"12315-{number}",
    }
    answer = city.call("amr", "POST", "/v1/case-visits", body, Idempotency_Key=f"case-{number:06d}")
    assert answer.status_code == 201, answer.text


def commit(city: City, number: int) -> None:
    """Hand in a signed commitment for the edited plan's next draw, replacing the one before."""
    read = city.call("amr", "GET", "/v1/plans/edited/contributions").json()
    draw, key = read["draw"], Ed25519PrivateKey.generate()
    nonce = f"{number:064x}"
    commitment = commitment_of(draw, "amr", nonce, suite_digest("sha256"))
    body = {
        "draw": draw,
        "party": "amr",
        "key": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
        "commitment": commitment,
        "signature": base64.b64encode(key.sign(contribution_statement(draw, "amr", commitment))).decode(),
    }
    answer = city.call("amr", "PUT", "/v1/plans/edited/contributions/amr", body)
    assert answer.status_code == 200, answer.text


def draw(city: City, plan: str) -> None:
    """Have a plan announced by two dispatchers, and wait until the service has drawn it."""
    until = time.monotonic() + PATIENCE
    while True:
        assert time.monotonic() < until, plan
        read = city.call("dispatcher", "GET", f"/v1/plans/{plan}")
        if read.json()["state"] == "announced":
            break
        asked = city.call(
            "dispatcher",
            "POST",
            f"/v1/plans/{plan}/announcement",
            {"rehearsal": True},
            If_Match=read.headers["ETag"],
        )
        if asked.status_code in {409, 412}:
            continue
        assert asked.status_code == 202, asked.text
        approval = asked.json()
        decided = city.call(
            "dispatcher2",
            "POST",
            f"{approval['url']}/decision",
            {"decision": "approve", "digest": approval["digest"]},
        )
        assert decided.status_code in {200, 409}, decided.text
        job = decided.json().get("job") or city.call("dispatcher", "GET", approval["url"]).json()["job"]
        while job is not None:
            assert time.monotonic() < until, plan
            state = city.call("dispatcher", "GET", job).json()
            if state["state"] in {"done", "failed"}:
                break
            time.sleep(0.3)
    while True:
        (one,) = city.call("dispatcher", "GET", f"/v1/draws?plan={plan}").json()["items"]
        if one["state"] == "drawn":
            return
        assert time.monotonic() < until, one
        time.sleep(0.3)


def draw_all(city: City) -> None:
    for number in range(DRAWS):
        draw(city, f"draw-{number}")


def kill_now_and_then(city: City, done: threading.Event) -> None:
    while city.kills < KILLS and not done.wait(random.uniform(1.0, 5.0)):
        server = random.choice(city.servers)
        server.kill()
        city.kills += 1
        server.start()


def test_killed_servers_lose_nothing_and_do_nothing_twice(city: City) -> None:
    with city.database.reading() as session:
        rows = select(col(LibraryRow.key)).where(col(LibraryRow.last).is_(None)).order_by(col(LibraryRow.key))
        firms = list(session.scalars(rows.where(col(LibraryRow.kind) == "enterprises").limit(CASES)))
        people = list(
            session.scalars(
                rows.where(col(LibraryRow.kind) == "inspectors", col(LibraryRow.department) == "amr").limit(
                    INSPECTORS
                )
            )
        )
        tasks_before = len(session.scalars(select(TaskRow).where(col(TaskRow.plan_id) == "edited")).all())
    work: list[tuple[Any, ...]] = [
        *((edit, number) for number in range(EDITS)),
        *((bring_inspector, code) for code in people),
        *((add_task, number) for number in range(TASKS)),
        *((order_case, number, firm) for number, firm in enumerate(firms)),
        *((commit, number) for number in range(COMMITMENTS)),
    ]
    random.shuffle(work)
    done = threading.Event()
    killer = threading.Thread(target=kill_now_and_then, args=(city, done))
    with ThreadPoolExecutor(12) as pool:
        killer.start()
        try:
            # two clients want the same draw, and nobody waits for the other
            drawn = [pool.submit(draw_all, city) for _ in range(2)]
            others = [pool.submit(do, city, *rest) for do, *rest in work]
            for future in (*others, *drawn):
                future.result()
        finally:
            done.set()
            killer.join()
    assert city.kills > 0
    with city.database.reading() as session:
        document = session.get_one(PlanRow, "edited").document
        days = [(date(2023, 10, 1) + timedelta(days=number)).isoformat() for number in range(EDITS)]
        assert Counter(document["days"]["closed"]) == Counter(days)
        join = session.scalars(
            select(Join).where(col(Join.plan_id) == "edited", col(Join.department_id) == "amr")
        ).one()
        assert join.inspectors == sorted(people)
        tasks = session.scalars(select(TaskRow).where(col(TaskRow.plan_id) == "edited")).all()
        assert len(tasks) == tasks_before + TASKS
        cases = session.scalars(select(col(CaseVisit.basis))).all()
        assert Counter(cases) == Counter(f"12315-{number}" for number in range(len(firms)))
        committed = session.scalars(
            select(ContributionRow).where(
                col(ContributionRow.plan_id) == "edited", col(ContributionRow.party) == "amr"
            )
        ).all()
        assert len(committed) == 1


def test_each_plan_has_one_draw_with_one_result_in_an_unbroken_log(city: City) -> None:
    with city.database.reading() as session:
        draws = session.scalars(select(DrawRow).order_by(col(DrawRow.id))).all()
        assert sorted(row.plan_id for row in draws) == [f"draw-{n}" for n in range(DRAWS)]
        assert {row.state.value for row in draws} == {"drawn"}
        for action in ("announce", "draw"):
            done = session.scalars(select(col(Activity.subject)).where(col(Activity.action) == action)).all()
            assert sorted(done) == [row.id for row in draws], action
        assert list(activity.faults(session)) == []
        vault = Vault.from_text(KEY)
        assert list(vault.faults(session)) == []
        failed = session.scalars(select(Job).where(col(Job.state) == "failed")).all()
        # what came too late for a version, or for a number, was refused, and its plan announced all the same
        assert {job.kind for job in failed} <= {"announce"}
        for row in draws:
            public = {
                path.removeprefix("public/"): vault.opened(blob)
                for path, blob in files_of(session, row.id)
                if path.startswith("public/")
            }
            report = verify_record(public)
            assert [check for check in report.checks if check.status == "FAIL"] == []


def test_a_request_without_an_answer_may_be_sent_again_to_the_other_server(city: City) -> None:
    with city.database.reading() as session:
        firm = session.scalars(
            select(col(LibraryRow.key)).where(col(LibraryRow.kind) == "enterprises").limit(1)
        ).one()
    body = {
        "enterprise": firm,
        "department": "amr",
        "date": "2026-12-19",
        "items": ["catering"],
        "basis": "twice",
    }
    answers = []
    for server in (*city.servers, *city.servers):
        headers = {"Authorization": f"Bearer {city.tokens['amr']}", "Idempotency-Key": "the-same-key"}
        answers.append(httpx2.post(f"{server.url}/v1/case-visits", json=body, headers=headers))
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.text for answer in answers}) == 1
    with city.database.reading() as session:
        kept = session.scalars(select(CaseVisit).where(col(CaseVisit.basis) == "twice")).all()
    assert len(kept) == 1
