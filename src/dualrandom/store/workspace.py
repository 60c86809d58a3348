"""Runs a step of the engine on a draw that the database keeps.

The step is a function of a campaign folder (:mod:`dualrandom.campaign`). The folder is made from the database, the step runs,
and every file that it wrote is stored in one transaction, together with what the caller adds. Nothing is stored if the
step fails, if another server changed the draw or the log in between, or if the job's lease was lost: the same step may
then be run again, since every step is safe to repeat.

    folder/
      campaign/   plan.toml, libraries, public/, private/, exports/
      log/        the authority's log, shared by all draws
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from sqlalchemy import delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import Session, col

from dualrandom.store.blobs import Vault
from dualrandom.store.database import Database, StaleError, locked
from dualrandom.store.errors import UnknownError, unknown
from dualrandom.store.jobs import holds
from dualrandom.store.tables import Blob, DrawFile, DrawRow, Job, LogFile, Office

Result = TypeVar("Result")

PUBLIC = "public/"
PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600


@dataclass(frozen=True, slots=True)
class Keeping:
    """Where draws are kept: the database, the vault of the service's key, and where folders are made for a while."""

    database: Database
    vault: Vault
    scratch: Path | None = None
    """None: the system's temporary folder. Private files lie there, with mode 0600, while a step runs."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What the folder was made from: path → SHA-256 of the campaign's and of the log's files, and their versions."""

    files: Mapping[str, str]
    log: Mapping[str, str]
    log_version: int
    draw_version: int | None


@dataclass(frozen=True, slots=True)
class Differences:
    """What a step did to a folder: path → file that is new or another one, and the paths that are gone."""

    changed: Mapping[str, Path]
    gone: Sequence[str]


@dataclass(frozen=True, slots=True)
class Written:
    """What a step did to the campaign's folder and to the log's."""

    campaign: Differences
    log: Differences


def run(
    keeping: Keeping,
    draw: str,
    step: Callable[[Path], Result],
    *,
    job: Job | None = None,
    after: Callable[[Session, Result, Path], None],
) -> Result:
    """Run ``step`` in the folder of a draw and store what it wrote. ``after`` adds rows in the same transaction.

    Raises what the step raises, StaleError if the draw or the log changed in between, LeaseLostError.
    """
    with tempfile.TemporaryDirectory(prefix="dualrandom-", dir=keeping.scratch) as made:
        folder = Path(made)
        with keeping.database.reading() as session:
            snapshot = lay_out(session, keeping.vault, folder, draw)
        result = step(folder / "campaign")
        differences = written(folder, snapshot)
        with keeping.database.writing() as session:
            if job is not None:
                holds(session, job)
            save(session, keeping.vault, differences, draw, snapshot)
            after(session, result, folder / "campaign")
        return result


def run_log(
    keeping: Keeping,
    step: Callable[[Path], Result],
    *,
    job: Job | None = None,
    after: Callable[[Session, Result], None],
) -> Result:
    """Run ``step`` in the folder of the log alone, for instance to change its key; otherwise as :func:`run`."""
    with tempfile.TemporaryDirectory(prefix="dualrandom-", dir=keeping.scratch) as made:
        folder = Path(made)
        with keeping.database.reading() as session:
            snapshot = lay_out(session, keeping.vault, folder, None)
        result = step(folder / "log")
        differences = written(folder, snapshot)
        with keeping.database.writing() as session:
            if job is not None:
                holds(session, job)
            _save_log(session, keeping.vault, differences.log, snapshot)
            after(session, result)
        return result


def lay_out(session: Session, vault: Vault, folder: Path, draw: str | None) -> Snapshot:
    """Write the files of a draw (None: of none yet) and of the log below ``folder``."""
    office = session.get(Office, 1)
    row = None if draw is None else session.get(DrawRow, draw)
    if office is None or (draw is not None and row is None):
        raise unknown_draw(draw or "")
    files = {} if draw is None else _write(vault, folder / "campaign", files_of(session, draw))
    (folder / "campaign").mkdir(exist_ok=True)
    log = _write(vault, folder / "log", _log_files(session))
    return Snapshot(files, log, office.log_version, None if row is None else row.version)


def written(folder: Path, snapshot: Snapshot) -> Written:
    """Return what has changed below ``folder`` since the snapshot. It reads every file, so nobody should be waiting for it."""
    return Written(
        _differences(folder / "campaign", snapshot.files), _differences(folder / "log", snapshot.log)
    )


def save(session: Session, vault: Vault, made: Written, draw: str, snapshot: Snapshot) -> None:
    """Store what has changed since the snapshot. Raises StaleError if somebody else was faster."""
    _save_log(session, vault, made.log, snapshot)
    row = locked(session, DrawRow, draw)
    if row is None or (snapshot.draw_version is not None and row.version != snapshot.draw_version):
        raise StaleError(draw)
    _store(session, vault, made.campaign, draw)
    row.version += 1
    session.add(row)


def _save_log(session: Session, vault: Vault, made: Differences, snapshot: Snapshot) -> None:
    # the log's rows are always locked before a draw's, so two writers cannot wait for each other
    office = locked(session, Office, 1)
    if office is None or office.log_version != snapshot.log_version:
        raise StaleError("log")
    if _store(session, vault, made, None):
        office.log_version += 1
        session.add(office)


def files_of(session: Session, draw: str) -> Iterator[tuple[str, Blob]]:
    """Yield path and blob of every file of a draw."""
    rows = select(DrawFile, Blob).join(Blob, col(DrawFile.blob) == Blob.sha256)
    for file, blob in session.execute(
        rows.where(col(DrawFile.draw_id) == draw).execution_options(yield_per=20)
    ):
        yield file.path, blob


def file_of(session: Session, vault: Vault, draw: str, path: str) -> bytes | None:
    """Return one file of a draw, or None."""
    rows = select(Blob).join(DrawFile, col(DrawFile.blob) == Blob.sha256)
    blob = session.scalars(
        rows.where(col(DrawFile.draw_id) == draw, col(DrawFile.path) == path)
    ).one_or_none()
    return None if blob is None else vault.opened(blob)


def add_file(session: Session, vault: Vault, draw: str, path: str, content: bytes) -> None:
    """Put one file into a draw's folder, for instance the beacon's evidence, or replace it."""
    _put(session, draw, path, vault.put(session, content, private=not path.startswith(PUBLIC)))


def unknown_draw(draw: str) -> UnknownError:
    """Return the error for a draw that does not exist."""
    return unknown("unknown-draw", draw, f"没有抽取 {draw}", f"there is no draw {draw}")


def _log_files(session: Session) -> Iterator[tuple[str, Blob]]:
    rows = select(LogFile, Blob).join(Blob, col(LogFile.blob) == Blob.sha256)
    for file, blob in session.execute(rows):
        yield file.path, blob


def _write(vault: Vault, folder: Path, files: Iterator[tuple[str, Blob]]) -> dict[str, str]:
    folder.mkdir(mode=PRIVATE_FOLDER)
    known = {}
    for path, blob in files:
        target = folder / path
        target.parent.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
        with open(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE_FILE), "wb") as file:
            file.write(vault.opened(blob))
        known[path] = blob.sha256
    return known


def _differences(folder: Path, known: Mapping[str, str]) -> Differences:
    found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
    changed = {
        name: path
        for name, path in sorted(found.items())
        if hashlib.sha256(path.read_bytes()).hexdigest() != known.get(name)
    }
    return Differences(changed, sorted(known.keys() - found.keys()))


def _store(session: Session, vault: Vault, made: Differences, draw: str | None) -> bool:
    """Store new and changed files, forget those that are gone; tell whether there was anything to do."""
    for name, path in made.changed.items():
        _put(session, draw, name, vault.put(session, path.read_bytes(), private=not name.startswith(PUBLIC)))
    if draw is None:
        session.execute(delete(LogFile).where(col(LogFile.path).in_(made.gone)))
    else:
        session.execute(
            delete(DrawFile).where(col(DrawFile.draw_id) == draw, col(DrawFile.path).in_(made.gone))
        )
    return bool(made.changed or made.gone)


def _put(session: Session, draw: str | None, path: str, blob: str) -> None:
    insert = sqlite.insert if session.get_bind().dialect.name == "sqlite" else postgresql.insert
    if draw is None:
        session.execute(
            insert(LogFile)
            .values(path=path, blob=blob)
            .on_conflict_do_update(index_elements=["path"], set_={"blob": blob})
        )
    else:
        session.execute(
            insert(DrawFile)
            .values(draw_id=draw, path=path, blob=blob)
            .on_conflict_do_update(index_elements=["draw_id", "path"], set_={"blob": blob})
        )


def touch(session: Session, draw: str) -> None:
    """Count a change of a draw's files that was made outside a step, so that a step on the old ones is refused."""
    session.execute(update(DrawRow).where(col(DrawRow.id) == draw).values(version=DrawRow.version + 1))
