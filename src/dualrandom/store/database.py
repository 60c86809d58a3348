"""One database, SQLite or PostgreSQL, and its transactions.

    database = Database("sqlite:///service.db")      # or postgresql://user:password@host/name
    database.upgrade()
    with database.writing() as session: ...          # committed at the end, or nothing

A writing transaction on SQLite takes the write lock at once (``BEGIN IMMEDIATE``), so two writers wait for each other instead
of failing late. On PostgreSQL rows are changed under a condition on their version, see :func:`change`, and every writing
transaction locks the office's row before the first row that it writes or locks. All write to the activity log, which that row
orders, so they would wait for it later anyhow, with other rows in their hands; this way no two can wait for each other. What
writes nothing but its own bookkeeping (leases, repeated requests) says ``apart`` and may not touch the office.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, select, text, update
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, SQLModel

from dualrandom.errors import DualRandomError

MIGRATIONS = Path(__file__).parent / "migrations"
WAIT_SECONDS = 30.0
"""For another writer; who waits longer is told so, instead of keeping a thread for ever."""
POOL = 20
OFFICE = "office"
HAS_OFFICE = "has-office"

Row = TypeVar("Row", bound=SQLModel)


class StaleError(DualRandomError):
    """Somebody else changed the row in between."""

    def __init__(self, what: str) -> None:
        super().__init__(
            "changed-meanwhile",
            what,
            {"zh": "其间已被他人修改", "en": "somebody else changed it in between"},
            {"zh": "重新读取后再修改。", "en": "Read it again, then repeat the change."},
        )


def utc_now() -> datetime:
    """Return the present instant; the service passes its own clock where it matters to tests."""
    return datetime.now(UTC)


class Database:
    """An engine with this project's rules for transactions. ``wait_seconds``: how long a writer waits for another one."""

    def __init__(self, url: str, wait_seconds: float = WAIT_SECONDS) -> None:
        parsed = make_url(url)
        if parsed.drivername in {"postgresql", "postgres"}:
            parsed = parsed.set(drivername="postgresql+psycopg")
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self.url = parsed
        options: dict[str, Any] = {
            "pool_size": POOL,
            "max_overflow": POOL,
            "pool_pre_ping": not self.is_sqlite,
        }
        if self.is_sqlite:
            options["connect_args"] = {"timeout": wait_seconds, "check_same_thread": False}
        self.engine: Engine = create_engine(parsed, **options)
        if self.is_sqlite:
            event.listen(self.engine, "connect", _prepare_sqlite)
            event.listen(self.engine, "begin", _begin_sqlite)
        else:
            event.listen(self.engine, "connect", partial(_prepare_postgres, wait_seconds))
            event.listen(self.engine, "begin", _begin_unlocked)
            event.listen(self.engine, "rollback_savepoint", _perhaps_unlocked)
        event.listen(self.engine, "before_cursor_execute", _office_first)

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session that changes nothing."""
        with Session(self.engine, expire_on_commit=False) as session:
            yield session

    @contextmanager
    def writing(self, *, apart: bool = False) -> Iterator[Session]:
        """Yield a session whose changes are committed together at the end, or not at all if anything raises.

        ``apart``: it does not wait for the other writers, and must neither lock the office nor write to the activity log.
        """
        engine = self.engine.execution_options(writing=True, apart=apart)
        with Session(engine, expire_on_commit=False) as session, session.begin():
            yield session

    def upgrade(self, revision: str = "head") -> None:
        """Bring the tables up to this version."""
        command.upgrade(self._alembic(), revision)

    def downgrade(self, revision: str) -> None:
        """Take the tables back to an earlier version."""
        command.downgrade(self._alembic(), revision)

    def is_ready(self) -> bool:
        """Tell whether the database answers and has its tables."""
        try:
            with self.engine.connect() as connection:
                connection.execute(text("SELECT 1"))
                return inspect(connection).has_table("office")
        except SQLAlchemyError:
            return False

    def close(self) -> None:
        """Give all connections back."""
        self.engine.dispose()

    def _alembic(self) -> Config:
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        config.attributes["engine"] = self.engine
        return config


def change(session: Session, row: SQLModel, version: int, values: Mapping[str, Any]) -> int:
    """Change a row if it still has ``version``; return the new one. Raises StaleError.

    ``row`` has a primary key and a ``version``; it is refreshed.
    """
    table: Any = type(row)
    keys = {column.key: getattr(row, column.key) for column in inspect(table).primary_key}
    unchanged = [getattr(table, name) == value for name, value in {**keys, "version": version}.items()]
    changed = session.connection().execute(
        update(table).where(*unchanged).values({**values, "version": version + 1})
    )
    if changed.rowcount != 1:
        raise StaleError(f"{table.__tablename__} {' '.join(map(str, keys.values()))}")
    session.refresh(row)
    return version + 1


def locked(session: Session, table: type[Row], key: Any) -> Row | None:
    """Return a row, as it is by now, that nobody else changes until this transaction ends (SQLite: nobody changes anything)."""
    (column,) = inspect(table).primary_key
    # what the session read before it had to wait may be over
    current = select(table).where(column == key).with_for_update().execution_options(populate_existing=True)
    return session.scalars(current).one_or_none()


def _prepare_sqlite(connection: Any, _record: Any) -> None:
    # the driver's own begin would come too late for IMMEDIATE
    connection.isolation_level = None
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "foreign_keys=ON", "synchronous=FULL"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()


def _prepare_postgres(wait_seconds: float, connection: Any, _record: Any) -> None:
    connection.autocommit = True
    # zero would mean for ever
    connection.execute(f"SET lock_timeout = {max(1, round(wait_seconds * 1000))}")
    connection.autocommit = False


def _begin_sqlite(connection: Connection) -> None:
    writing = connection.get_execution_options().get("writing", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")


def _begin_unlocked(connection: Connection) -> None:
    connection.info[HAS_OFFICE] = False


def _perhaps_unlocked(connection: Connection, _name: str, _context: Any) -> None:
    # what was locked after the savepoint is free again; to lock what is still ours costs nothing
    connection.info[HAS_OFFICE] = False


def _office_first(
    connection: Connection, _cursor: Any, _statement: str, _parameters: Any, context: Any, _many: bool
) -> None:
    """Lock the office's row before the first row that a transaction writes or locks (SQLite has one lock for everything)."""
    statement: Any = None if context.compiled is None else context.compiled.statement
    locks = getattr(statement, "_for_update_arg", None) is not None
    if not (locks or context.isinsert or context.isupdate or context.isdelete):
        return
    options = connection.get_execution_options()
    if options.get("apart", False):
        if locks and any(table.name == OFFICE for table in statement.get_final_froms()):
            raise RuntimeError("a transaction apart from the others may not lock the office")
        return
    if options.get("writing", False) and not connection.info.get(HAS_OFFICE, True):
        connection.info[HAS_OFFICE] = True
        driver: Any = connection.connection.driver_connection
        with driver.cursor() as cursor:
            cursor.execute(f"SELECT id FROM {OFFICE} ORDER BY id FOR UPDATE")  # noqa: S608  (a name of ours)
