"""How fast published documents are served, beside a bare Starlette route with the same bytes in the same run.

    python benchmarks/documents.py [--seconds 4] [--rounds 5] [--connections 16]

Both are one uvicorn process; they are asked in turns by the same loader over kept-alive connections. The documents are those of the demonstration
town on SQLite: the largest up to 16 KiB, by name and by hash, and 304 answers. ``share`` = median rate of the service / of the bare route.

公布文件的读取速度，与同一次运行中返回相同字节的最简 Starlette 路由相比。
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import os
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2

from dualrandom.demo import write_campaign
from dualrandom.registry.columns import KINDS
from dualrandom.relay import Attempt
from dualrandom.store.activity import Actor
from dualrandom.store.announcing import Ready, announce_plan
from dualrandom.store.blobs import Vault
from dualrandom.store.database import Database, utc_now
from dualrandom.store.drawing import draw_now, give_evidence
from dualrandom.store.import_reading import import_now
from dualrandom.store.jobs import claim
from dualrandom.store.planning import create_plan
from dualrandom.store.tables import Office
from dualrandom.store.workspace import Keeping

if TYPE_CHECKING:
    from collections.abc import Iterator

KEY = base64.b64encode(bytes(32)).decode()
LARGEST = 16 * 1024

BARE = """
import sys
from pathlib import Path
import uvicorn
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
content = Path(sys.argv[1]).read_bytes()
async def document(request):
    if request.headers.get("if-none-match") == '"etag"':
        return Response(status_code=304, headers={"ETag": '"etag"'})
    return Response(content, headers={"ETag": '"etag"', "Content-Type": "application/json"})
app = Starlette(routes=[Route("/document", document)])
uvicorn.run(app, port=int(sys.argv[2]), log_level="error", access_log=False)
"""
SERVICE = """
import sys
import uvicorn
from dualrandom_api.service import logs
from dualrandom_api.service.application import create_service
from dualrandom_api.service.settings import Settings
logs.configure(as_json=True)
app = create_service(Settings(runners=0, public_per_minute=10**9))
uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False)
"""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--connections", type=int, default=16)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        drawn_town(folder)
        measure(folder, asked.seconds, asked.rounds, asked.connections)


def measure(folder: Path, seconds: float, rounds: int, connections: int) -> None:
    """Ask both in turns and print a table."""
    environment = {
        **os.environ,
        "DUALRANDOM_DATA": str(folder),
        "DUALRANDOM_SERVICE_KEY": KEY,
        "DUALRANDOM_DATABASE_URL": f"sqlite:///{folder / 'service.db'}",
    }
    with running([sys.executable, "-c", SERVICE], environment) as port:
        listed = httpx2.get(f"http://127.0.0.1:{port}/v1/public/draws").json()["items"][0]["url"]
        documents = httpx2.get(f"http://127.0.0.1:{port}{listed}").json()["documents"]
        chosen = max((one for one in documents if one["size"] <= LARGEST), key=lambda one: one["size"])
        content = httpx2.get(f"http://127.0.0.1:{port}{chosen['url']}").content
        (folder / "document").write_bytes(content)
        with running([sys.executable, "-c", BARE, str(folder / "document")], environment) as bare:
            etag = f'"{chosen["sha256"]}"'
            cases = (
                ("200, by name", chosen["url"], ""),
                ("200, by hash", chosen["immutable"], ""),
                ("304, by name", chosen["url"], etag),
            )
            print(
                f"{chosen['path']}: {chosen['size']} bytes; {connections} connections, {rounds} rounds of {seconds} s\n"
            )
            print("| | bare Starlette /s | service /s | share | bare p99 ms | service p99 ms |")
            print("|---|---|---|---|---|---|")
            for name, url, condition in cases:
                rates: dict[str, list[float]] = {"bare": [], "service": []}
                slow: dict[str, list[float]] = {"bare": [], "service": []}
                for _ in range(rounds):
                    for who, where, path, sent in (
                        ("bare", bare, "/document", '"etag"' if condition else ""),
                        ("service", port, url, condition),
                    ):
                        rate, p99 = asyncio.run(load(where, path, sent, seconds, connections))
                        rates[who].append(rate)
                        slow[who].append(p99)
                plain, ours = (statistics.median(rates[who]) for who in ("bare", "service"))
                print(
                    f"| {name} | {plain:.0f} | {ours:.0f} | {ours / plain:.2f} | "
                    f"{statistics.median(slow['bare']) * 1000:.1f} | {statistics.median(slow['service']) * 1000:.1f} |"
                )


async def load(port: int, path: str, condition: str, seconds: float, connections: int) -> tuple[float, float]:
    """Ask for ``seconds`` over some connections; return answers a second and the 99th percentile of their seconds."""
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1"]
    if condition:
        lines.append(f"If-None-Match: {condition}")
    request = ("\r\n".join(lines) + "\r\n\r\n").encode()
    wanted = b"HTTP/1.1 304" if condition else b"HTTP/1.1 200"
    took: list[float] = []
    end = time.perf_counter() + seconds

    async def client() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        while time.perf_counter() < end:
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            if not head.startswith(wanted):
                raise RuntimeError(head.decode())
            length = head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0]
            if length and not condition:
                await reader.readexactly(int(length))
            took.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(client() for _ in range(connections)))
    if not took:
        raise RuntimeError("no answer in time: measure on a machine that does nothing else")
    took.sort()
    return len(took) / seconds, took[int(len(took) * 0.99)]


@contextmanager
def running(words: list[str], environment: dict[str, str]) -> Iterator[int]:
    """Run a server on a free port until the block ends."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen([*words, str(port)], env=environment, stderr=subprocess.DEVNULL)
    try:
        while True:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
        yield port
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def drawn_town(folder: Path) -> None:
    """Announce and draw the demonstration town in ``service.db``."""
    campaign = folder / "campaign"
    write_campaign("town", campaign)
    database, vault, by = (
        Database(f"sqlite:///{folder / 'service.db'}"),
        Vault.from_text(KEY),
        Actor("user:d", "dispatcher"),
    )
    database.upgrade()
    keeping = Keeping(database, vault, folder)
    now = datetime.fromisoformat("2023-08-21T01:00:00+00:00")
    due = datetime.fromisoformat("2023-08-23T15:59:24+00:00")
    with database.writing() as session:
        session.add(Office(authority="yunxi", name="云溪县", name_en="Yunxi", created_at=utc_now()))
        session.flush()
        plan = create_plan(
            session, (campaign / "plan.toml").read_text("utf-8"), actor=by, now=now, joined=True
        )
        for kind in KINDS:
            (path,) = campaign.glob(f"{kind}.*")
            import_now(session, vault, kind, path.name, path.read_bytes(), actor=by, now=now)
        ready = Ready(plan.id, plan.version)
    draw = announce_plan(keeping, ready, actor=by, now=now)
    with database.writing() as session:
        give_evidence(session, keeping, draw, (campaign / "beacon.json").read_bytes(), actor=by, now=due)
    job = claim(database, "benchmark", due, ["draw"])
    if job is None:
        raise RuntimeError("no draw is due")
    draw_now(keeping, draw, fetch=lambda _: Attempt(None), now=due, job=job)
    database.close()


if __name__ == "__main__":
    main()
