"""Two servers on one PostgreSQL, killed at random under load: nothing is lost, nothing counts twice, one result a draw.

A hypothesis state machine. Its rules let many clients at once join, contribute, edit, add tasks, order case visits, announce and bring the
beacon's round, repeat requests with their Idempotency-Key on either server, and kill (SIGKILL) and start servers, also in the midst of
all that. Beside it stands what each client was told; after every step and at the end the database must agree with it: what was
acknowledged is there and stays, what was refused is not, and what got no answer is there once or not at all.
"""

import base64
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import func, select
from sqlmodel import Session, col

from dualrandom.demo import write_campaign
from dualrandom.hashing import suite_digest
from dualrandom.registry.columns import KINDS
from dualrandom.seed import commitment_of, contribution_statement
from dualrandom.store import accounts, activity, joining
from dualrandom.store.activity import SERVICE, Actor
from dualrandom.store.blobs import Vault
from dualrandom.store.database import Database
from dualrandom.store.fsck import database_faults
from dualrandom.store.import_reading import import_now
from dualrandom.store.planning import create_plan
from dualrandom.store.tables import (
    Activity,
    CaseVisit,
    ContributionRow,
    Department,
    DrawRow,
    Job,
    LibraryRow,
    Office,
    PlanRow,
    PlanVersion,
    Role,
    TaskRow,
)
from dualrandom.store.workspace import files_of
from dualrandom.verify import verify_record

DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
EXAMPLES, STEPS, OFFICES = (20, 6, 30) if DEEP else (1, 4, 6)
LEAST, MOST, AT_FIRST = (20, 60, 200) if DEEP else (8, 24, 24)
KEY = base64.b64encode(bytes(range(32))).decode()
DISPATCHER = Actor("user:dispatcher", "dispatcher")
PATIENCE = 240.0
TRIES = 12
DRAWN, JOINED = "2023-09", "2024-02"
"""The plan that is announced and drawn, and the one that many departments are invited to."""
FIRST_DAY = date(2025, 1, 1)
"""Edits are told apart by a closed day each, far from every plan's period."""

KINDS_OF_WORK = ("edit", "join", "contribute", "case", "edit joined", "task")


def mixed(size: int, others: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
    """Return what many clients do, and at which server: of everything some, and some more of something."""
    turns = [(KINDS_OF_WORK[n % 6], n // 6 % 2) for n in range(size)]
    return [*turns, *others]


once = st.integers(0, 1)
crowd = st.builds(
    mixed,
    st.integers(LEAST, MOST),
    st.lists(st.tuples(st.sampled_from(KINDS_OF_WORK), once), max_size=MOST - LEAST),
)
first_crowd = st.integers(AT_FIRST // 2, AT_FIRST).map(lambda size: mixed(size, []))
death = st.tuples(once, st.integers(LEAST, 2 * LEAST)) | st.none()
"""Which server is killed, after how many requests."""


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
    client: httpx2.Client | None = None

    def launch(self) -> None:
        command = [sys.executable, "-m", "dualrandom", "serve", "--port", "0", "--json"]
        with self._log.open("a") as log:
            self.process = subprocess.Popen(
                command, env=self.environment, stdout=subprocess.PIPE, stderr=log, text=True
            )

    def wait(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self._log.read_text()[-2000:]
        self.process.stdout.close()
        limits = httpx2.Limits(max_connections=None, max_keepalive_connections=20)
        self.client = httpx2.Client(base_url=json.loads(line)["url"], timeout=60, limits=limits)

    def kill(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None
        if self.client is not None:
            self.client.close()

    @property
    def _log(self) -> Path:
        return Path(self.environment["DUALRANDOM_DATA"]) / "server.log"


@dataclass
class Town:
    """What every example starts from, and what all of them did."""

    copied: Callable[[str], str]
    """Makes a database that is a copy of the prepared one; returns its URL."""
    environment: dict[str, str]
    data: Callable[[str], Path]
    tokens: dict[str, str]
    evidence: dict[str, Any]
    firms: list[str]
    relay: str
    tally: Counter[str] = field(default_factory=Counter)


@dataclass
class Sent:
    """A request that must count once, and what its sender was told."""

    who: str
    method: str
    path: str
    body: Any
    headers: dict[str, str]
    answer: httpx2.Response | None = None
    """Its first success."""
    refused: httpx2.Response | None = None
    unanswered: bool = False

    @property
    def key(self) -> str | None:
        return self.headers.get("Idempotency-Key")


@dataclass
class Change:
    """A change of a draft under If-Match: ``version`` if it was acknowledged, ``open`` if one try at least was not answered."""

    plan: str
    subject: str
    mark: Any
    version: int | None = None
    open: bool = False


class TwoServers(RuleBasedStateMachine):
    """The machine; ``town`` is set by the test."""

    town: Town

    @initialize(by_itself=st.booleans(), those=first_crowd, dies=death)
    def begin(self, by_itself: bool, those: Sequence[tuple[str, int]], dies: tuple[int, int] | None) -> None:
        """Start two servers on a fresh copy and let many clients work.

        ``by_itself``: they find the beacon's round at a relay, else somebody brings it.
        """
        town = self.town
        number = town.tally["examples"]
        town.tally["examples"] += 1
        url = town.copied(f"two_servers_{number}")
        self.database = Database(url)
        self.servers = [
            Server(
                town.environment
                | {
                    "DUALRANDOM_DATABASE_URL": url,
                    "DUALRANDOM_DATA": str(town.data(f"data-{number}-{name}")),
                    "DUALRANDOM_RELAYS": json.dumps([town.relay] if by_itself else []),
                }
            )
            for name in ("a", "b")
        ]
        self.serials = count()
        self.sent: list[Sent] = []
        self.changes: list[Change] = []
        self.commitments: list[Sent] = []
        self.fuse: tuple[int, int] | None = None
        self.lock = threading.Lock()
        self._revive()
        self.work_at_once(those, dies)

    # what clients do

    @rule(those=crowd, dies=death)
    def work(self, those: Sequence[tuple[str, int]], dies: tuple[int, int] | None) -> None:
        self.work_at_once(those, dies)

    def work_at_once(self, those: Sequence[tuple[str, int]], dies: tuple[int, int] | None) -> None:
        """Let many clients work at the same time, while a server may die."""
        does: dict[str, Callable[[int, int], None]] = {
            "edit": partial(self._close_day, DRAWN),
            "edit joined": partial(self._close_day, JOINED),
            "join": self._join,
            "contribute": self._contribute,
            "task": self._add_task,
            "case": self._order_case,
        }
        self._together([partial(does[name], at, next(self.serials)) for name, at in those], dies)

    @rule(times=st.integers(1, 4), beside=crowd, dies=death)
    def announce(self, times: int, beside: Sequence[tuple[str, int]], dies: tuple[int, int] | None) -> None:
        """Let several dispatchers ask for the announcement while others still edit, and another one agree to each."""
        edits = [at for name, at in beside if name.startswith("edit")]
        self._together(
            [
                *(partial(self._announce, at % 2) for at in range(times)),
                *(partial(self._close_day, DRAWN, at, next(self.serials)) for at in edits),
            ],
            dies,
        )

    @rule(times=st.integers(1, 4), dies=death)
    def round_comes(self, times: int, dies: tuple[int, int] | None) -> None:
        """Bring the beacon's round to both servers: whatever was announced is due."""
        self._together([partial(self._bring_round, at % 2) for at in range(times)], dies)

    @rule(
        which=st.lists(st.integers(0, 10_000), min_size=1, max_size=LEAST),
        at=once,
        times=st.integers(1, 3),
        dies=death,
    )
    def repeat(self, which: Sequence[int], at: int, times: int, dies: tuple[int, int] | None) -> None:
        """Send earlier requests again with their keys, on this server or the other, several times at once."""
        keyed = [one for one in self.sent if one.key is not None]
        if keyed:
            chosen = {id(one): one for one in (keyed[number % len(keyed)] for number in which)}
            self._together(
                [partial(self._send, one, at + n) for one in chosen.values() for n in range(times)],
                dies,
            )

    @rule(at=once)
    def kill(self, at: int) -> None:
        self._kill(at)

    @rule(at=once)
    def start(self, at: int) -> None:
        self._bring_up(at)

    # what must hold

    @invariant()
    def nothing_acknowledged_is_missing(self) -> None:
        if hasattr(self, "database"):
            with self._at_one_instant() as session:
                self._require_all(session)

    def teardown(self) -> None:
        """Start what was killed, finish what was begun, and look at everything."""
        if not hasattr(self, "database"):
            return
        try:
            self._revive()
            self._finish()
            with self._at_one_instant() as session:
                self._require_all(session, ended=True)
                self._require_one_result(session)
            assert database_faults(self.database, Vault.from_text(KEY)) == ()
        finally:
            for server in self.servers:
                server.kill()
            self.database.close()
            print(dict(self.town.tally), flush=True)

    # sending

    def _together(self, those: Sequence[Callable[[], object]], dies: tuple[int, int] | None) -> None:
        """Run clients at once; the server that ``dies`` names is killed after so many requests."""
        if DEEP and dies is not None:
            # only who lives can be killed
            self._bring_up(dies[0])
        self.fuse = dies
        with ThreadPoolExecutor(len(those) or 1) as pool:
            for future in [pool.submit(do) for do in those]:
                future.result()
        self.fuse = None

    def _send(self, one: Sent, first: int, tries: int = TRIES) -> httpx2.Response | None:
        """Send a request to a server and, without an answer, to the other; compare with what its sender was told before."""
        for number in range(tries):
            server = self.servers[(first + number) % 2]
            self._count("requests")
            answer = None
            try:
                if server.process is not None and server.client is not None:
                    headers = {**one.headers, "Authorization": f"Bearer {self.town.tokens[one.who]}"}
                    answer = server.client.request(one.method, one.path, json=one.body, headers=headers)
            except httpx2.ConnectError:
                pass
            except httpx2.TransportError:
                one.unanswered = True
            if answer is None:
                self._count("unanswered")
            elif answer.status_code == 503 or _code(answer) == "repeat-in-progress":
                self._count("told to wait")
            else:
                self._judge(one, answer)
                return answer
            if all(server.process is None for server in self.servers):
                return None
            time.sleep(0.1 * (1 + number))
        return None

    def _judge(self, one: Sent, answer: httpx2.Response) -> None:
        told = f"{one.method} {one.path} {one.headers}: {answer.status_code} {answer.text[:500]}"
        assert answer.status_code < 500, told
        if answer.status_code == 412:
            assert "If-Match" in one.headers, told
        with self.lock:
            if answer.status_code >= 400:
                assert one.key is None or one.answer is None, f"applied, now refused: {told}"
                one.refused = answer
            elif one.key is None or one.answer is None:
                one.answer = answer
            else:
                self.town.tally["repeats that got their answer again"] += 1
                assert _told(answer) == _told(one.answer), told

    def _count(self, what: str) -> None:
        with self.lock:
            self.town.tally[what] += 1
            if what != "requests" or self.fuse is None:
                return
            at, left = self.fuse
            self.fuse = (at, left - 1) if left > 1 else None
            if left <= 1:
                self._kill(at)

    def _ask(
        self, who: str, method: str, path: str, body: Any = None, at: int = 0, *, version: str | None = None
    ) -> Sent:
        """Send something new that must count once; a POST gets a key."""
        headers = {} if version is None else {"If-Match": version}
        if method == "POST":
            headers["Idempotency-Key"] = f"request-{next(self.serials):08d}"
        one = Sent(who, method, path, body, headers)
        if method != "GET":
            with self.lock:
                self.sent.append(one)
        self._send(one, at, TRIES if method in {"GET", "POST"} else 1)
        return one

    def _kill(self, at: int) -> None:
        if self.servers[at].process is not None:
            self.servers[at].kill()
            self.town.tally["kills"] += 1

    def _bring_up(self, at: int) -> None:
        if self.servers[at].process is None:
            self.servers[at].launch()
            self.servers[at].wait()

    def _revive(self) -> None:
        dead = [server for server in self.servers if server.process is None]
        for server in dead:
            server.launch()
        for server in dead:
            server.wait()

    # one client's work

    def _close_day(self, plan: str, at: int, serial: int) -> None:
        """Add a closed day to a plan that others edit as well."""
        day = (FIRST_DAY + timedelta(days=serial)).isoformat()
        change = Change(plan, "plan", day)

        def edited(read: dict[str, Any]) -> dict[str, Any] | None:
            closed = read["document"].setdefault("days", {}).setdefault("closed", [])
            if day in closed:
                return None
            closed.append(day)
            return {"document": read["document"]}

        self._change(change, "dispatcher", f"/v1/plans/{plan}/document", edited, at)

    def _join(self, at: int, serial: int) -> None:
        """Bring a task and seats as one of the invited departments, and confirm."""
        department = f"d{serial % OFFICES:02d}"
        self._add_task(at, serial)
        path, seats = f"/v1/plans/{JOINED}/joins/{department}", [["leader"], [f"q{serial}"]]

        def edited(read: dict[str, Any]) -> dict[str, Any] | None:
            return None if read["seats"] == seats else {"seats": seats, "inspectors": None}

        self._change(Change(JOINED, f"join:{department}", seats), department, path, edited, at)
        for _ in range(3):
            read = self._ask(department, "GET", path, at=at).answer
            if read is None:
                return
            sent = self._ask(department, "POST", f"{path}/confirmation", at=at, version=read.headers["ETag"])
            if sent.refused is None:
                return
            assert sent.refused.status_code == 412 or _code(sent.refused) == "join-without-tasks"

    def _add_task(self, at: int, serial: int) -> None:
        department = f"d{serial % OFFICES:02d}"
        body = {
            "id": f"task-{serial}",
            "department": department,
            "task": {"name": f"任务 {serial}", "items": ["crowded-places"], "ratios": {"A": "1%", "D": "9%"}},
        }
        sent = self._ask(department, "POST", f"/v1/plans/{JOINED}/tasks", body, at)
        assert sent.refused is None, sent.refused.text

    def _order_case(self, at: int, serial: int) -> None:
        body = {
            "enterprise": self.town.firms[serial % len(self.town.firms)],
            "department": "amr",
            "date": "2026-12-18",
            "items": ["catering"],
            "basis": f"12315-{serial}",
        }
        sent = self._ask("amr", "POST", "/v1/case-visits", body, at)
        assert sent.refused is None, sent.refused.text

    def _contribute(self, at: int, serial: int) -> None:
        """Hand in a signed commitment for the plan's next draw, replacing the one before."""
        party = ("amr", "fire")[serial % 2]
        read = self._ask(party, "GET", f"/v1/plans/{DRAWN}/contributions", at=at).answer
        if read is None:
            return
        draw, key = read.json()["draw"], Ed25519PrivateKey.from_private_bytes(serial.to_bytes(32, "big"))
        commitment = commitment_of(draw, party, f"{serial:064x}", suite_digest("sha256"))
        body = {
            "draw": draw,
            "party": party,
            "key": base64.b64encode(key.public_key().public_bytes_raw()).decode(),
            "commitment": commitment,
            "signature": base64.b64encode(key.sign(contribution_statement(draw, party, commitment))).decode(),
        }
        sent = self._ask(party, "PUT", f"/v1/plans/{DRAWN}/contributions/{party}", body, at)
        assert sent.refused is None or _code(sent.refused) == "plan-announced", sent.refused.text
        with self.lock:
            self.commitments.append(sent)

    def _change(
        self,
        change: Change,
        who: str,
        path: str,
        edited: Callable[[dict[str, Any]], dict[str, Any] | None],
        at: int,
    ) -> None:
        """Read, edit and write under If-Match, again if somebody was faster; None from ``edited``: it is there already."""
        with self.lock:
            self.changes.append(change)
        for _ in range(6):
            read = self._ask(who, "GET", path, at=at).answer
            body = None if read is None else edited(read.json())
            if read is None or body is None:
                assert read is None or change.open, f"{path} has {change.mark}, which nobody sent"
                return
            # set before sending: whoever looks meanwhile must not take it for refused
            sent = self._ask(who, "PUT", path, body, at, version=read.headers["ETag"])
            change.open |= sent.unanswered
            if sent.answer is not None:
                change.version = int(sent.answer.headers["ETag"].strip('"'))
                return
            if sent.refused is not None:
                if _code(sent.refused) == "plan-announced":
                    return
                assert sent.refused.status_code == 412, sent.refused.text
            at += 1

    def _announce(self, at: int) -> str | None:
        """Ask for the announcement and have it approved; return the URL of its job if there is one."""
        read = self._ask("dispatcher", "GET", f"/v1/plans/{DRAWN}", at=at).answer
        if read is None:
            return None
        version = read.headers["ETag"]
        path = f"/v1/plans/{DRAWN}/announcement"
        asked = self._ask("dispatcher", "POST", path, {"rehearsal": True}, at, version=version)
        if asked.refused is not None:
            assert asked.refused.status_code in {409, 412}, asked.refused.text
        if asked.answer is None:
            return None
        approval = asked.answer.json()
        body = {"decision": "approve", "digest": approval["digest"]}
        decided = self._ask("dispatcher2", "POST", f"{approval['url']}/decision", body, at)
        if decided.refused is not None:
            assert _code(decided.refused) == "approval-decided", decided.refused.text
            read = self._ask("dispatcher", "GET", approval["url"], at=at).answer
            return None if read is None else read.json()["job"]
        return None if decided.answer is None else str(decided.answer.json()["job"])

    def _bring_round(self, at: int) -> None:
        found = self._ask("auditor", "GET", f"/v1/draws?plan={DRAWN}", at=at).answer
        for one in [] if found is None else found.json()["items"]:
            sent = self._ask("auditor", "POST", f"{one['url']}/beacon", self.town.evidence, at)
            assert sent.refused is None or _code(sent.refused) == "draw-ended", sent.refused.text

    def _finish(self) -> None:
        """Repeat what got no answer until it gets one; have the plan announced and drawn, whatever that takes."""
        for one in [one for one in self.sent if one.key and not one.answer and not one.refused]:
            assert self._send(one, 0, 60) is not None, one
        answered = [one for one in self.sent if one.key and one.answer]
        for at in (0, 1):
            self._together([partial(self._send, one, at) for one in answered], None)
        until = time.monotonic() + PATIENCE
        draws: list[Any] = []
        while not draws:
            assert time.monotonic() < until, "not announced"
            job = self._announce(0)
            while job is not None:
                state = self._read(job)["state"]
                if state in {"done", "failed"}:
                    break
                assert time.monotonic() < until, self._read(job)
                time.sleep(0.2)
            draws = self._read(f"/v1/draws?plan={DRAWN}")["items"]
        self._bring_round(1)
        while self._read(f"/v1/draws?plan={DRAWN}")["items"][0]["state"] != "drawn":
            assert time.monotonic() < until, draws
            time.sleep(0.2)

    def _read(self, path: str) -> Any:
        read = self._ask("dispatcher", "GET", path).answer
        assert read is not None, path
        return read.json()

    # what the database says

    def _at_one_instant(self) -> Session:
        """Return a session that does not see what jobs do meanwhile."""
        return Session(self.database.engine.execution_options(isolation_level="REPEATABLE READ"))

    def _require_all(self, session: Session, *, ended: bool = False) -> None:
        """What was acknowledged is there, once; what was refused is not; ``ended``: nothing is left open."""
        assert list(activity.faults(session)) == []
        cases = Counter(session.scalars(select(col(CaseVisit.basis))))
        tasks = Counter(session.scalars(select(col(TaskRow.id)).where(col(TaskRow.plan_id) == JOINED)))
        for one in self.sent:
            if one.path == "/v1/case-visits":
                self._require_once(one, cases.pop(one.body["basis"], 0), ended)
            elif one.path.endswith("/tasks"):
                self._require_once(one, tasks.pop(one.body["id"], 0), ended)
        assert not cases, "case visits that nobody ordered"
        assert not [id_ for id_ in tasks if id_.startswith("task-")], "tasks that nobody added"
        for plan in (DRAWN, JOINED):
            self._require_history(session, plan)
        self._require_commitments(session)

    def _require_once(self, one: Sent, there: int, ended: bool) -> None:
        if one.answer is not None:
            assert there == 1, one
        else:
            assert there <= (0 if one.refused is not None or not one.unanswered or ended else 1), one

    def _require_history(self, session: Session, plan: str) -> None:
        """Versions follow each other, and hold each acknowledged edit from its version on."""
        rows = session.scalars(select(PlanVersion).where(col(PlanVersion.plan_id) == plan)).all()
        history: dict[str, dict[int, dict[str, Any]]] = {}
        for row in rows:
            history.setdefault(row.subject, {})[row.version] = row.document
        for subject, versions in history.items():
            assert sorted(versions) == list(range(1, len(versions) + 1)), (plan, subject)
        kept = {
            version: document.get("days", {}).get("closed", [])
            for version, document in history["plan"].items()
        }
        newest = kept[max(kept)]
        assert session.get_one(PlanRow, plan).document.get("days", {}).get("closed", []) == newest
        assert len(newest) == len(set(newest))
        days = set(newest)
        for change in (one for one in self.changes if one.plan == plan):
            if change.subject != "plan":
                if change.version is not None:
                    assert history[change.subject][change.version]["seats"] == change.mark, change
                continue
            if change.version is not None:
                assert all((change.mark in kept[v]) is (v >= change.version) for v in kept), change
            assert change.version is not None or change.open or change.mark not in days, change
            days.discard(change.mark)
        assert days == set(), "edits that nobody made"
        for one in self.sent:
            if one.path.endswith("/confirmation") and one.answer is not None and plan == JOINED:
                told = one.answer.json()
                assert history[f"join:{told['department']}"][told["version"]]["state"] == "confirmed"
        noted = select(Activity).where(col(Activity.action) == "plan-edited", col(Activity.subject) == plan)
        edits = [row.detail["version"] for row in session.scalars(noted.order_by(col(Activity.id)))]
        assert edits == sorted(set(edits))

    def _require_commitments(self, session: Session) -> None:
        """Each acknowledged commitment was kept, and the one that counts is the last one."""
        told = select(Activity).where(col(Activity.action) == "commit").order_by(col(Activity.id))
        kept: dict[str, list[str]] = {}
        for row in session.scalars(told):
            kept.setdefault(row.detail["party"], []).append(row.detail["commitment"])
        for one in self.commitments:
            there = one.body["commitment"] in kept.get(one.body["party"], [])
            assert there if one.answer is not None else not there or one.unanswered, one
        rows = session.scalars(select(ContributionRow).where(col(ContributionRow.plan_id) == DRAWN)).all()
        assert {row.party: row.commitment for row in rows} == {
            party: those[-1] for party, those in kept.items()
        }
        assert len(rows) == len(kept)

    def _require_one_result(self, session: Session) -> None:
        """One draw, announced once and drawn once, whose record verifies; nothing of its plan changed after that."""
        (draw,) = session.scalars(select(DrawRow)).all()
        assert draw.state.value == "drawn"
        at = {}
        for action in ("announce", "draw"):
            (row,) = session.scalars(select(Activity).where(col(Activity.action) == action)).all()
            assert row.subject == draw.id
            at[action] = row.id
        late = select(func.count()).where(
            col(Activity.id) > at["announce"],
            col(Activity.subject) == DRAWN,
            col(Activity.action).in_(("commit", "plan-edited", "task-edited", "join-edited")),
        )
        assert session.scalar(late) == 0
        failed = session.scalars(select(Job).where(col(Job.state) == "failed")).all()
        # what came too late for a version was refused, and its plan announced all the same
        assert {job.kind for job in failed} <= {"announce"}, [job.problem for job in failed]
        vault = Vault.from_text(KEY)
        public = {
            path.removeprefix("public/"): vault.opened(blob)
            for path, blob in files_of(session, draw.id)
            if path.startswith("public/")
        }
        report = verify_record(public)
        assert [check for check in report.checks if check.status == "FAIL"] == []


def _code(answer: httpx2.Response) -> str:
    """Return the problem that an answer tells of, or nothing."""
    if answer.headers.get("Content-Type") != "application/problem+json":
        return ""
    return str(answer.json()["type"]).rpartition(":")[2]


def _told(answer: httpx2.Response) -> tuple[Any, ...]:
    return (answer.status_code, answer.text, answer.headers.get("Location"), answer.headers.get("ETag"))


@pytest.fixture(scope="module")
def town(postgres: Callable[..., str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town") / "campaign"
    write_campaign("town", folder)
    Relay.evidence = (folder / "beacon.json").read_bytes()
    relay = ThreadingHTTPServer(("127.0.0.1", 0), Relay)
    threading.Thread(target=relay.serve_forever, daemon=True).start()
    database = Database(postgres("template_two_servers"))
    now = datetime.now(UTC)
    text = (folder / "plan.toml").read_text("utf-8").replace("number = 1\n", "")
    later = text.replace("2023-09", JOINED).replace(f"{JOINED}-30", f"{JOINED}-29")
    offices = [f"d{n:02d}" for n in range(OFFICES)]
    tokens = {}
    with database.writing() as session:
        office = session.get_one(Office, 1)
        office.authority = "yunxi"
        session.add(office)
        for id_ in offices:
            session.add(Department(id=id_, name=f"部门 {id_}", name_en=id_, seats=[["leader"], []]))
        session.flush()
        create_plan(session, text, actor=DISPATCHER, now=now, joined=True)
        create_plan(session, later, actor=DISPATCHER, now=now)
        joining.invite(session, JOINED, offices, actor=DISPATCHER, now=now)
        for kind in KINDS:
            (path,) = folder.glob(f"{kind}.*")
            import_now(
                session, Vault.from_text(KEY), kind, path.name, path.read_bytes(), actor=DISPATCHER, now=now
            )
        for id_ in offices:
            accounts.create_user(
                session, SERVICE, now, username=id_, name=id_, role=Role.DEPARTMENT, department=id_
            )
        for username in ("dispatcher", "dispatcher2", "auditor", "amr", "fire", *offices):
            user = accounts.the_user(session, username)
            tokens[username], _ = accounts.sign_in(session, user, now, timedelta(days=1), "test")
        firms = select(col(LibraryRow.key)).where(
            col(LibraryRow.kind) == "enterprises", col(LibraryRow.last).is_(None)
        )
        keys = sorted(session.scalars(firms))
    database.close()
    environment = {
        **os.environ,
        "DUALRANDOM_SERVICE_KEY": KEY,
        "DUALRANDOM_LEASE_SECONDS": "4",
        "DUALRANDOM_REPEAT_WAIT_SECONDS": "2",
        "DUALRANDOM_POLL_SECONDS": "0.2",
        "DUALRANDOM_REQUESTS_PER_MINUTE": "1000000",
        "PYTHONUTF8": "1",
    }
    yield Town(
        copied=lambda name: postgres(name, "template_two_servers"),
        environment=environment,
        data=tmp_path_factory.mktemp,
        tokens=tokens,
        evidence=json.loads(Relay.evidence),
        firms=keys,
        relay=f"http://127.0.0.1:{relay.server_port}",
    )
    relay.shutdown()
    relay.server_close()


def test_two_servers_lose_nothing_and_do_nothing_twice_however_they_are_killed(town: Town) -> None:
    TwoServers.town = town
    began = time.monotonic()
    try:
        run_state_machine_as_test(
            TwoServers,
            settings=settings(
                max_examples=EXAMPLES,
                stateful_step_count=STEPS,
                derandomize=True,
                database=None,
                deadline=None,
                # a failure is told as it was found: to shrink it would kill servers for hours
                phases=[Phase.generate],
                suppress_health_check=list(HealthCheck),
            ),
        )
    finally:
        print(f"{dict(town.tally)} in {time.monotonic() - began:.0f} s")
    assert town.tally["kills"] > 0
    assert town.tally["repeats that got their answer again"] > 0
