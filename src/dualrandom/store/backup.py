"""Backup and restore of the whole database: SQLite's own ``.backup``, PostgreSQL's pg_dump and psql.

Beside the backup lies a manifest: the SHA-256 of the file, how long the activity log was and its newest digest. Every change is in that
log, so what a restored database lacks shows. The service's key is not in a backup; keep it elsewhere.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from sqlalchemy import URL, inspect

from dualrandom.errors import DualRandomError, IntegrityError
from dualrandom.store import activity
from dualrandom.store.database import Database

PRIVATE_FILE = 0o600
MANIFEST = ".manifest.json"


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a backup holds."""

    sha256: str
    kind: str
    """sqlite or postgresql"""
    activity_rows: int
    activity_head: str


def back_up(database: Database, target: Path, programs: Path | None = None) -> Manifest:
    """Write the database to ``target`` and its manifest beside it; the service may go on meanwhile.

    ``programs``: the folder of pg_dump, else the one on PATH, which may not be older than the server. Raises DualRandomError
    ``backup-exists``, ``program-failed``.
    """
    if target.exists():
        raise DualRandomError(
            "backup-exists",
            str(target),
            {"zh": f"{target} 已存在", "en": f"{target} exists"},
            {"zh": "换一个文件名。", "en": "Choose another name."},
        )
    # rows that are added while the backup runs may be in it as well, so this is the least that it holds
    with database.reading() as session:
        rows, head = activity.head(session)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))
    if database.is_sqlite:
        source = _reading(Path(database.url.database or ""))
        copy = sqlite3.connect(target)
        try:
            source.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
        finally:
            copy.close()
            source.close()
    else:
        address = _address(database.url)
        _run(
            programs, "pg_dump", ["--no-owner", "--no-privileges", f"--file={target}", address], database.url
        )
    kind = "sqlite" if database.is_sqlite else "postgresql"
    manifest = Manifest(_sha256(target), kind, rows, head)
    _manifest(target).write_text(json.dumps(asdict(manifest), indent=2) + "\n", "utf-8")
    return manifest


def restore(source: Path, database: Database, programs: Path | None = None) -> Manifest:
    """Fill an empty database from a backup. Raises IntegrityError ``backup-damaged``, DualRandomError ``database-not-empty`` …"""
    try:
        manifest = Manifest(**json.loads(_manifest(source).read_text("utf-8")))
    except (OSError, ValueError, TypeError):
        raise _damaged(source, "没有可读的清单", "has no readable manifest") from None
    if not source.is_file() or _sha256(source) != manifest.sha256:
        raise _damaged(source, "与清单中的散列不符", "does not match the hash in its manifest")
    if (manifest.kind == "sqlite") != database.is_sqlite:
        raise DualRandomError(
            "backup-of-another-kind",
            manifest.kind,
            {"zh": "备份来自另一种数据库", "en": "the backup is of another kind of database"},
            {"zh": f"恢复到 {manifest.kind} 数据库。", "en": f"Restore it into a {manifest.kind} database."},
        )
    if database.is_sqlite:
        _restore_sqlite(source, Path(database.url.database or ""))
    else:
        _require_empty(database)
        words = [
            "--no-psqlrc",
            "--quiet",
            "--single-transaction",
            "--set=ON_ERROR_STOP=1",
            f"--file={source}",
        ]
        _run(programs, "psql", [*words, _address(database.url)], database.url)
    with database.reading() as session:
        row = activity.digest_at(session, manifest.activity_rows)
    if row != manifest.activity_head:
        raise _damaged(source, "缺少操作日志的末尾", "lacks the end of the activity log")
    return manifest


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(path.resolve().as_uri() + "?mode=ro", uri=True)


def _restore_sqlite(source: Path, target: Path) -> None:
    if target.exists():
        raise _not_empty(str(target))
    target.parent.mkdir(parents=True, exist_ok=True)
    os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE))
    kept = _reading(source)
    copy = sqlite3.connect(target)
    try:
        kept.backup(copy)
        told = copy.execute("PRAGMA integrity_check").fetchone()[0]
    finally:
        copy.close()
        kept.close()
    if told != "ok":
        raise _damaged(source, f"SQLite：{told}", f"SQLite: {told}")


def _require_empty(database: Database) -> None:
    if inspect(database.engine).get_table_names():
        raise _not_empty(database.url.render_as_string(hide_password=True))


def _not_empty(where: str) -> DualRandomError:
    return DualRandomError(
        "database-not-empty",
        where,
        {"zh": "目标数据库不是空的", "en": "the database to restore into is not empty"},
        {"zh": "新建一个空数据库，再恢复到其中。", "en": "Make an empty database and restore into that."},
    )


def _address(url: URL) -> str:
    return url.set(drivername="postgresql", password=None).render_as_string()


def _run(programs: Path | None, name: str, words: Sequence[str], url: URL) -> None:
    found = str(programs / name) if programs is not None else shutil.which(name)
    environment = dict(os.environ)
    if url.password is not None:
        # not on the command line, where everybody on the machine could read it
        environment["PGPASSWORD"] = str(url.password)
    try:
        if found is None:
            raise FileNotFoundError(name)
        subprocess.run([found, *words], check=True, capture_output=True, env=environment)
    except (OSError, subprocess.CalledProcessError) as error:
        said = getattr(error, "stderr", b"") or str(error).encode()
        told = said.decode("utf-8", "replace").strip()[-2000:]
        raise DualRandomError(
            "program-failed",
            name,
            {"zh": f"{name} 未能完成：{told}", "en": f"{name} failed: {told}"},
            {
                "zh": "安装不低于服务器版本的 PostgreSQL 客户端，或用 --programs 指明其目录。",
                "en": "Install PostgreSQL's client programs, not older than the server, or name their folder with --programs.",
            },
        ) from None


def _damaged(source: Path, zh: str, en: str) -> IntegrityError:
    return IntegrityError(
        "backup-damaged",
        str(source),
        {"zh": f"备份{zh}", "en": f"the backup {en}"},
        {"zh": "使用另一份备份。", "en": "Use another backup."},
    )


def _manifest(target: Path) -> Path:
    return target.with_name(target.name + MANIFEST)


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
