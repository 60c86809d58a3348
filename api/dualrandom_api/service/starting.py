"""What happens before a server answers: the tables are brought up to date, by one server at a time; and how an office begins."""

from __future__ import annotations

import base64
import fcntl
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Final

from sqlalchemy import text

from dualrandom.errors import DualRandomError
from dualrandom.store import accounts, activity
from dualrandom.store.activity import SERVICE
from dualrandom.store.database import Database
from dualrandom.store.tables import Office, Role
from dualrandom_api.service.parts import Service
from dualrandom_api.service.settings import Settings

MIGRATION_LOCK: Final = 0x64756172
"""The number of PostgreSQL's advisory lock."""
PRIVATE_FILE: Final = 0o600
PRIVATE_FOLDER: Final = 0o700


def bring_up(database: Database, data: Path) -> None:
    """Bring the tables up to this version; several servers that start together wait for each other."""
    with _alone(database, data):
        database.upgrade()


@contextmanager
def _alone(database: Database, data: Path) -> Iterator[None]:
    if database.is_sqlite:
        data.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        with (data / "migration.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield
        return
    with database.engine.connect() as connection:
        connection.execute(text("SELECT pg_advisory_lock(:number)"), {"number": MIGRATION_LOCK})
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:number)"), {"number": MIGRATION_LOCK})
            connection.rollback()


def make_key(settings: Settings) -> Path | None:
    """Make a service key in the data folder unless there is one; return where, None if there was one."""
    if settings.service_key is not None:
        return None
    settings.data.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    path = settings.data / "service.key"
    try:
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "w") as file:
            file.write(base64.b64encode(secrets.token_bytes(32)).decode() + "\n")
    except FileExistsError:
        return None
    return path


def begin_office(
    service: Service,
    now: datetime,
    *,
    authority: str,
    name: str,
    name_en: str,
    username: str,
    password: str,
) -> None:
    """Make the office and its first dispatcher. Raises DualRandomError ``office-exists``, RefusedError ``password-weak``."""
    hashed = service.passwords.hashed(password, username)
    with service.database.writing() as session:
        if session.get(Office, 1) is not None:
            raise DualRandomError(
                "office-exists",
                authority,
                {"zh": "此数据库已有机构", "en": "this database has its office already"},
                {"zh": "直接运行 dualrandom serve。", "en": "Just run dualrandom serve."},
            )
        session.add(Office(authority=authority, name=name, name_en=name_en, created_at=now))
        session.flush()
        activity.record(session, SERVICE, "office-begun", authority, now, {"name": name})
        accounts.create_user(
            session,
            SERVICE,
            now,
            username=username,
            name=username,
            role=Role.DISPATCHER,
            password_hash=hashed,
        )


def require_office(service: Service) -> None:
    """Raise DualRandomError ``service-not-begun`` unless the database has its office."""
    with service.database.reading() as session:
        if session.get(Office, 1) is None:
            raise DualRandomError(
                "service-not-begun",
                service.database.url.render_as_string(hide_password=True),
                {
                    "zh": "此数据库还没有机构和调度员",
                    "en": "this database has no office and no dispatcher yet",
                },
                {
                    "zh": "先运行 dualrandom service init；或用 --record 只公开一份记录。",
                    "en": "Run dualrandom service init first; or serve a record with --record.",
                },
            )
