"""Every fault of a service's database: the activity log's chain, the bytes of every blob, what refers to them, the log, every draw.

Without the service's key the sealed blobs cannot be opened; then they are reported as not checked, and the rest is.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import ForeignKeyConstraint, MetaData, Table, and_, inspect, not_, select
from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import Session, SQLModel, col

from dualrandom.campaign.faults import faults_of
from dualrandom.errors import DualRandomError, Problem
from dualrandom.keyring import log_faults
from dualrandom.log.policy import Policy
from dualrandom.store import activity
from dualrandom.store.blobs import SERVICE_KEY, Vault
from dualrandom.store.database import Database
from dualrandom.store.findings import hidden_object, sealed_digest, sealed_of
from dualrandom.store.tables import Blob, Check, DrawFile, DrawRow, Finding, FindingText, Visit
from dualrandom.store.workspace import file_of, lay_out

_RESTORE = ("从备份恢复。", "Restore the backup.")


def existing_database(url: str) -> Database:
    """Return the database at an address; none is made. Raises DualRandomError ``no-such-database``."""
    try:
        database = Database(url)
    except SQLAlchemyError as error:
        raise _no_database(url, str(error)) from None
    if database.is_sqlite and not Path(database.url.database or "").is_file():
        raise _no_database(url, "no such file")
    return database


def _no_database(url: str, why: str) -> DualRandomError:
    return DualRandomError(
        "no-such-database",
        url,
        {"zh": f"数据库无法访问：{why}", "en": f"the database cannot be reached: {why}"},
        {"zh": "核对地址。", "en": "Check the address."},
    )


def database_faults(
    database: Database, vault: Vault | None, policy: Policy | None = None
) -> tuple[Problem, ...]:
    """Return every fault of a database, errors first; nothing is changed. Raises DualRandomError ``no-such-database``."""
    try:
        missing = sorted(set(SQLModel.metadata.tables) - set(inspect(database.engine).get_table_names()))
    except SQLAlchemyError as error:
        raise _no_database(database.url.render_as_string(hide_password=True), str(error)) from None
    if missing:
        names = " ".join(missing)
        return (_problem("tables-missing", names, f"缺少表 {names}", f"the tables {names} are missing"),)
    with database.reading() as session:
        found = list(_faults(session, vault, policy))
    return tuple(sorted(found, key=lambda problem: problem.severity))


def _faults(session: Session, vault: Vault | None, policy: Policy | None) -> Iterator[Problem]:
    for number in activity.faults(session):
        yield _problem(
            "activity-changed",
            str(number),
            f"操作日志第 {number} 行被改动，或其前一行缺失",
            f"row {number} of the activity log was changed, or the row before it is missing",
        )
    yield from _dangling(session)
    yield from _blobs(session, vault)
    if vault is None:
        yield _problem(
            "sealed-not-checked",
            SERVICE_KEY,
            "没有服务密钥，未核对封存的内容、日志与各次抽取",
            "without the service's key sealed content, the log and the draws were not checked",
            severity="warning",
        )
        return
    yield from _log(session, vault, policy)
    for draw in session.scalars(select(col(DrawRow.id)).order_by(col(DrawRow.id))):
        yield from _draw(session, vault, draw, policy)


def _dangling(session: Session) -> Iterator[Problem]:
    """Find rows whose foreign key leads nowhere, which a restore without constraints could leave."""
    metadata: MetaData = SQLModel.metadata
    for table in metadata.sorted_tables:
        for constraint in table.foreign_key_constraints:
            yield from _dangling_in(session, table, constraint)


def _dangling_in(session: Session, table: Table, constraint: ForeignKeyConstraint) -> Iterator[Problem]:
    target = constraint.referred_table.alias()
    pairs = [(element.parent, target.c[element.column.name]) for element in constraint.elements]
    there = select(target).where(*(column == referred for column, referred in pairs)).exists()
    given = and_(*(column.is_not(None) for column, _ in pairs))
    keys = list(table.primary_key.columns)
    for row in session.execute(select(*keys).where(given, not_(there)).limit(100)):
        name = f"{table.name} {' '.join(map(str, row))}"
        yield _problem(
            "reference-missing",
            name,
            f"{name} 所指的 {constraint.referred_table.name} 不存在",
            f"what {name} refers to in {constraint.referred_table.name} is missing",
        )


def _blobs(session: Session, vault: Vault | None) -> Iterator[Problem]:
    names = session.execute(select(col(Blob.sha256), col(Blob.sealed)).order_by(col(Blob.sha256))).all()
    for sha256, sealed in names:
        if sealed and vault is None:
            continue
        blob = session.get_one(Blob, sha256)
        try:
            content = blob.content if vault is None else vault.opened(blob)
            is_right = hashlib.sha256(content).hexdigest() == sha256 and len(content) == blob.size
        except DualRandomError:
            is_right = False
        if not is_right:
            yield _problem(
                "blob-damaged",
                sha256,
                f"内容 {sha256} 已损坏",
                f"the bytes {sha256} are damaged or sealed with another key",
            )
        session.expunge(blob)


def _log(session: Session, vault: Vault, policy: Policy | None) -> Iterator[Problem]:
    with tempfile.TemporaryDirectory(prefix="dualrandom-") as made:
        try:
            lay_out(session, vault, Path(made), None)
        except DualRandomError as error:
            yield _of("log", error)
            return
        yield from log_faults(Path(made) / "log", policy) or ()


def _draw(session: Session, vault: Vault, draw: str, policy: Policy | None) -> Iterator[Problem]:
    row = session.get_one(DrawRow, draw)
    named: dict[str, Any] = {
        "public/announcement.json": row.announcement,
        "public/result.json": row.result,
    }
    files = select(col(DrawFile.path), col(DrawFile.blob)).where(col(DrawFile.draw_id) == draw)
    kept: dict[str, str] = dict(tuple(file) for file in session.execute(files))
    for path, digest in named.items():
        if digest is not None and path not in kept:
            yield _problem(
                "document-missing",
                f"{draw} {path}",
                f"抽取 {draw} 缺少 {path}",
                f"{path} of {draw} is missing",
            )
    with tempfile.TemporaryDirectory(prefix="dualrandom-") as made:
        try:
            lay_out(session, vault, Path(made), draw)
        except DualRandomError as error:
            yield _of(draw, error)
            return
        for problem in faults_of(Path(made) / "campaign", policy):
            yield _in(draw, problem)
    yield from _findings(session, vault, row)


def _findings(session: Session, vault: Vault, draw: DrawRow) -> Iterator[Problem]:
    """Hold the words and salted hashes that are kept against the draw's findings.json."""
    data = file_of(session, vault, draw.id, "public/findings.json")
    published = {
        (row["enterprise"], row["part"], row["task"], row["item"], row["revision"]): row.get("sealed")
        for row in (() if data is None else json.loads(data)["findings"])
    }
    kept = (
        select(Finding, FindingText, Check, Visit)
        .join(FindingText, col(Finding.text_id) == FindingText.id, isouter=True)
        .join(Check, col(Finding.check_id) == Check.id)
        .join(Visit, col(Check.visit_id) == Visit.id)
        .where(col(Visit.draw_id) == draw.id)
        .order_by(col(Finding.id))
    )
    for row, words, check, visit in session.execute(kept.execution_options(yield_per=1000)):
        named = f"{draw.id} {visit.enterprise} {check.task} {row.item} {row.version}"
        if words is None or words.removed_at is None:
            hidden = hidden_object(row, visit, check.task, "" if words is None else words.text)
            if sealed_digest(row.salt, hidden, draw.suite) != row.digest:
                yield _problem(
                    "finding-changed",
                    named,
                    "检查结果或其文字与登记时的散列不符",
                    "a finding or its words are not what was entered: the salted hash differs",
                )
        place = (visit.enterprise, visit.part, check.task, row.item, row.revision)
        if row.published_at is not None and published.get(place, "") != sealed_of(row):
            yield _problem(
                "finding-not-published",
                named,
                "已公布的检查结果不在 findings.json 中，或散列不同",
                "a published finding is not in findings.json, or has another hash there",
            )


def _in(draw: str, problem: Problem) -> Problem:
    return Problem(
        code=problem.code,
        file=f"{draw}/{problem.file}",
        sheet=problem.sheet,
        row=problem.row,
        column=problem.column,
        value=problem.value,
        message_zh=problem.message_zh,
        message_en=problem.message_en,
        remedy_zh=problem.remedy_zh,
        remedy_en=problem.remedy_en,
        severity=problem.severity,
        suggestion=problem.suggestion,
    )


def _of(name: str, error: DualRandomError) -> Problem:
    return Problem(
        code=error.code,
        file=name,
        sheet=None,
        row=None,
        column=None,
        value=error.value,
        message_zh=error.messages["zh"],
        message_en=error.messages["en"],
        remedy_zh=error.remedies["zh"],
        remedy_en=error.remedies["en"],
    )


def _problem(code: str, value: str, zh: str, en: str, *, severity: Any = "error") -> Problem:
    remedy = (
        _RESTORE
        if severity == "error"
        else (f"设环境变量 {SERVICE_KEY} 后再核对。", f"Set {SERVICE_KEY} and check again.")
    )
    return Problem(
        code=code,
        file="database",
        sheet=None,
        row=None,
        column=None,
        value=value,
        message_zh=zh,
        message_en=en,
        remedy_zh=remedy[0],
        remedy_en=remedy[1],
        severity=severity,
    )
