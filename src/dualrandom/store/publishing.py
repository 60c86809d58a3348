"""Publishing findings: the newest versions that are not published yet go into the record by a step of the engine, and into the ledger.

A version with words or attachments is published with the salted hash of everything (:func:`dualrandom.store.findings.sealed_of`). Words
are served apart and may be removed; the hashes stay, in the record and in the log.
"""

from __future__ import annotations

import csv
import io
import json
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import aliased
from sqlmodel import Session, col

from dualrandom.campaign import record_findings
from dualrandom.campaign.folder import Campaign
from dualrandom.campaign.publishing import full_result, published_changes
from dualrandom.changes import effective_result
from dualrandom.errors import InputError
from dualrandom.findings import FindingRow, read_findings
from dualrandom.findings.row import Key
from dualrandom.policy.reader import read_plan
from dualrandom.registry.headings import normal
from dualrandom.registry.tables import open_tables
from dualrandom.store import activity
from dualrandom.store.activity import SERVICE, Actor
from dualrandom.store.blobs import Vault
from dualrandom.store.database import StaleError
from dualrandom.store.errors import ConflictError
from dualrandom.store.findings import Entry, FindingView, enter, fault, list_findings, sealed_of
from dualrandom.store.jobs import enqueue, finish
from dualrandom.store.ledger import enter_checks
from dualrandom.store.tables import Check, DrawRow, DrawState, Finding, Job, Role, Visit
from dualrandom.store.visit_lists import chunks
from dualrandom.store.workspace import Keeping, file_of, run, unknown_draw

HEADINGS: Final = ("enterprise", "part", "task", "item", "date", "method", "code")
NOTES: Final = frozenset(map(normal, ("备注", "notes", "备注 notes")))


@dataclass(frozen=True, slots=True)
class Waiting:
    """A version that is to be published."""

    finding: int
    check: int
    row: Mapping[str, str]
    """The cells of a sheet of findings."""
    reason: str | None
    """Why it replaces a published one; None: it is the first."""
    digest: str
    sealed: str | None
    revision: int
    """What it will be in findings.json."""


def ask_publication(
    session: Session, draw: str, *, department: str | None, actor: Actor, now: datetime
) -> Job:
    """Queue the publication of a draw's findings (``department``: only its own); a job that waits already is returned.

    Raises UnknownError ``unknown-draw``, ConflictError ``nothing-to-publish``.
    """
    if session.get(DrawRow, draw) is None:
        raise unknown_draw(draw)
    if not waiting(session, draw, department):
        raise ConflictError(
            "nothing-to-publish",
            draw,
            {"zh": "没有待公布的检查结果", "en": "there are no findings to publish"},
            {"zh": "先登记检查结果。", "en": "Enter findings first."},
        )
    subject = draw if department is None else f"{draw} {department}"
    queued = select(Job).where(
        col(Job.kind) == "findings", col(Job.subject) == subject, col(Job.state) == "queued"
    )
    known = session.scalars(queued.limit(1)).one_or_none()
    if known is not None:
        return known
    arguments = {"draw": draw, "department": department}
    job = enqueue(session, "findings", subject, now=now, by=actor.name, arguments=arguments)
    activity.record(session, actor, "ask-publication", draw, now, {"department": department})
    return job


def publish(keeping: Keeping, job: Job, now: datetime) -> int:
    """Publish what waits; return how many versions.

    Raises InputError if the record refuses a row, StaleError if draw, log or a finding were changed meanwhile (then again).
    """
    draw, department = str(job.arguments["draw"]), job.arguments["department"]
    with keeping.database.reading() as session:
        rows = waiting(session, draw, department)
    if not rows:
        with keeping.database.writing() as session:
            finish(session, job, now, result={"draw": draw, "published": 0})
        return 0

    def step(folder: Path) -> None:
        groups: dict[str | None, list[Waiting]] = defaultdict(list)
        for row in rows:
            groups[row.reason].append(row)
        # first versions before corrections, each reason by itself: it is published with its rows
        for reason in sorted(groups, key=lambda r: (r is not None, r or "")):
            with tempfile.TemporaryDirectory() as made:
                path = Path(made) / "findings.csv"
                path.write_bytes(_sheet(groups[reason]))
                record_findings(folder, path, reason, _sealed(groups[reason]))

    def after(session: Session, _: None, folder: Path) -> None:  # noqa: ARG001
        newest = {row.finding for row in waiting(session, draw, department)}
        if any(row.finding not in newest for row in rows):
            # entered anew meanwhile, without the reason that what is published already would call for
            raise StaleError(f"findings {draw}")
        mark_published(session, draw, rows, now)
        finish(session, job, now, result={"draw": draw, "published": len(rows)})

    run(keeping, draw, step, job=job, after=after)
    return len(rows)


def waiting(session: Session, draw: str, department: str | None) -> list[Waiting]:
    """Return the newest version of every item of a draw that is not published yet."""
    other = aliased(Finding)
    newest = (
        select(func.max(col(other.version)))
        .where(col(other.check_id) == col(Finding.check_id), col(other.item) == col(Finding.item))
        .scalar_subquery()
    )
    query = (
        select(Finding, Check, Visit)
        .join(Check, col(Finding.check_id) == Check.id)
        .join(Visit, col(Check.visit_id) == Visit.id)
        .where(col(Visit.draw_id) == draw, col(Visit.state) != "cancelled")
        .where(col(Finding.published_at).is_(None), col(Finding.version) == newest)
        .order_by(col(Finding.id))
    )
    if department is not None:
        query = query.where(col(Check.department_id) == department)
    found = [(finding, check, visit) for finding, check, visit in session.execute(query)]
    earlier = _last_published(session, [check.id for _, check, _ in found if check.id is not None])
    rows = []
    for finding, check, visit in found:
        assert finding.id is not None
        assert check.id is not None
        cells = {
            "enterprise": visit.enterprise,
            "part": str(visit.part),
            "task": check.task,
            "item": finding.item,
            "date": finding.found_on.isoformat(),
            "method": finding.method,
            "code": finding.code,
        }
        before = earlier.get((check.id, finding.item))
        # what is entered again without a difference is no version, so every version is a revision
        revision = 1 if before is None else (before.revision or 0) + 1
        reason = None if before is None else finding.reason
        rows.append(
            Waiting(finding.id, check.id, cells, reason, finding.digest, sealed_of(finding), revision)
        )
    return rows


def mark_published(session: Session, draw: str, rows: Sequence[Waiting], now: datetime) -> None:
    """Note what has been published, count it in the ledger, and close the draw if nothing is missing any more."""
    revisions = {row.finding: row.revision for row in rows}
    for part in chunks(list(revisions)):
        for finding in session.scalars(select(Finding).where(col(Finding.id).in_(part))):
            finding.published_at, finding.revision = now, revisions[finding.id or 0]
            session.add(finding)
    session.flush()
    checks = sorted({row.check for row in rows})
    enter_checks(session, checks, now)
    finish_visits(session, checks)
    detail = {"count": len(rows), "digests": sorted(row.digest for row in rows)}
    activity.record(session, SERVICE, "publish-findings", draw, now, detail)
    close_if_complete(session, draw, now)


def finish_visits(session: Session, checks: Sequence[int]) -> list[int]:
    """Mark the visits of these checks as done whose every item has a published finding; return those that became done."""
    done = []
    touched: set[int] = set()
    for part in chunks(checks):
        touched |= set(session.scalars(select(col(Check.visit_id)).where(col(Check.id).in_(part))))
    for part in chunks(sorted(touched)):
        of_visit: dict[int, list[Check]] = defaultdict(list)
        for check in session.scalars(select(Check).where(col(Check.visit_id).in_(part))):
            of_visit[check.visit_id].append(check)
        published = _published_items(
            session, [c.id for own in of_visit.values() for c in own if c.id is not None]
        )
        for visit in session.scalars(
            select(Visit).where(col(Visit.id).in_(part), col(Visit.state) == "planned")
        ):
            own = of_visit[visit.id or 0]
            if all(
                (check.id or 0, item) in published
                for check in own
                if not check.unfilled
                for item in check.items
            ):
                visit.state = "done"
                visit.version += 1
                session.add(visit)
                done.append(visit.id or 0)
    session.flush()
    return done


def published_rows(session: Session, draw: str, *, after: int = 0, limit: int = 100) -> list[FindingView]:
    """Return the published versions of a draw's findings, at most ``limit`` after number ``after``. Raises UnknownError."""
    if session.get(DrawRow, draw) is None:
        raise unknown_draw(draw)
    return list_findings(session, SERVICE, draw=draw, published=True, after=after, limit=limit)[0]


def close_if_complete(session: Session, draw: str, now: datetime) -> None:
    """Queue the end of a draw of which nothing is missing any more: no findings, no change that is under way."""
    row = session.get_one(DrawRow, draw)
    states = select(col(Visit.state), func.count()).where(col(Visit.draw_id) == draw)
    counts: dict[str, int] = dict(tuple(one) for one in session.execute(states.group_by(col(Visit.state))))
    under_way = select(col(Job.id)).where(
        col(Job.kind) == "change", col(Job.subject) == draw, col(Job.state).in_(("queued", "running"))
    )
    if (
        row.state is not DrawState.DRAWN
        or counts.get("planned", 0)
        or not counts.get("done", 0)
        or session.scalars(under_way.limit(1)).first() is not None
    ):
        return
    # a substitute may come and be inspected after an end that was refused for its sake
    key = "close:{}:{}".format(draw, "-".join(f"{state}{count}" for state, count in sorted(counts.items())))
    enqueue(session, "close", draw, now=now, by="service", unique_key=key)


def enter_sheet(
    session: Session,
    vault: Vault,
    draw: str,
    filename: str,
    content: bytes,
    reason: str,
    *,
    actor: Actor,
    now: datetime,
) -> int:
    """Enter all findings of a filled-in sheet (xlsx, csv, parquet); return how many versions they added.

    A department's sheet may only have its own tasks. ``reason``: for rows that differ from published ones. Raises InputError with
    every fault of the file; nothing is kept then.
    """
    row = session.get(DrawRow, draw)
    if row is None:
        raise unknown_draw(draw)
    if row.state not in {DrawState.DRAWN, DrawState.CLOSED}:
        raise ConflictError(
            "not-drawn",
            draw,
            {"zh": "尚未抽取", "en": "this draw has no result"},
            {"zh": "抽取之后再登记检查结果。", "en": "Enter findings after the draw."},
        )
    found, texts = _read_sheet(session, vault, draw, filename, content)
    bound = actor.role in {Role.DEPARTMENT, Role.CREW}
    checks = _checks(session, draw)
    problems = [
        fault("finding-task", (each.place.row or 1) - 1, "task", each.task)
        for each in found
        if bound and checks[each.enterprise, each.part, each.task][1] != actor.department
    ]
    if problems:
        raise InputError(problems)
    entries: dict[int, list[Entry]] = defaultdict(list)
    for each in found:
        visit, _ = checks[each.enterprise, each.part, each.task]
        text = texts.get((each.place.sheet, each.place.row), "")
        entries[visit].append(
            Entry(each.task, each.item, each.code, each.method, each.date, text, reason=reason)
        )
    faults: list[Any] = []
    added = 0
    for visit, listed in sorted(entries.items()):
        try:
            added += len(enter(session, visit, listed, actor=actor, now=now))
        except InputError as error:
            faults += error.problems
    if faults:
        raise InputError(faults)
    return added


def _read_sheet(
    session: Session, vault: Vault, draw: str, filename: str, content: bytes
) -> tuple[tuple[FindingRow, ...], dict[tuple[str | None, int | None], str]]:
    """Return the rows of a sheet, held against the result in effect, and the notes beside them by sheet and row."""
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made) / "campaign"
        campaign = Campaign(folder)
        names = ("public/announcement.json", "public/result.json", "public/changes.jsonl", "plan.toml")
        more = ("private/openings/visits.jsonl", "working-days.toml")
        for name in (*names, *more):
            data = file_of(session, vault, draw, name)
            if data is not None:
                target = folder / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(data)
        plan = read_plan(campaign.plan).plan
        assert plan is not None, "an announced plan was read before"
        announcement = json.loads((folder / "public/announcement.json").read_bytes())
        result = effective_result(full_result(campaign), published_changes(campaign))
        # a caller's text: never a folder like "..", and never longer than a file system's names (255 bytes)
        name = "".join(filter(str.isprintable, Path(filename.replace("\\", "/")).name)).lstrip(".")[-60:]
        path = Path(made) / (name or "findings.csv")
        path.write_bytes(content)
        return read_findings(path, result, announcement, plan), _notes(path)


def _notes(path: Path) -> dict[tuple[str | None, int | None], str]:
    """Return the notes of a task sheet by sheet and row."""
    notes: dict[tuple[str | None, int | None], str] = {}
    for table in open_tables(path, path.name, "visits", None, len).tables:
        column: int | None = None
        for number, row in enumerate(table.rows, start=1):
            heading = next((i for i, c in enumerate(row) if isinstance(c, str) and normal(c) in NOTES), None)
            if column is None:
                column = heading
            elif column < len(row) and isinstance(row[column], str) and str(row[column]).strip():
                place = table.place(number)
                notes[place.sheet, place.row] = str(row[column]).strip()
    return notes


def _checks(session: Session, draw: str) -> dict[tuple[str, int, str], tuple[int, str]]:
    query = (
        select(
            col(Visit.enterprise), col(Visit.part), col(Check.task), col(Visit.id), col(Check.department_id)
        )
        .join(Check, col(Check.visit_id) == Visit.id)
        .where(col(Visit.draw_id) == draw)
    )
    return {
        (e, part, task): (visit, department) for e, part, task, visit, department in session.execute(query)
    }


def _last_published(session: Session, checks: Sequence[int]) -> dict[tuple[int, str], Finding]:
    """Return the newest published version of every item of these checks."""
    last: dict[tuple[int, str], Finding] = {}
    for part in chunks(checks):
        query = select(Finding).where(col(Finding.check_id).in_(part), col(Finding.published_at).is_not(None))
        for row in session.scalars(query.order_by(col(Finding.version))):
            last[row.check_id, row.item] = row
    return last


def _published_items(session: Session, checks: Sequence[int]) -> set[tuple[int, str]]:
    found: set[tuple[int, str]] = set()
    for part in chunks(checks):
        query = select(col(Finding.check_id), col(Finding.item)).where(
            col(Finding.check_id).in_(part), col(Finding.published_at).is_not(None)
        )
        found |= {(check, item) for check, item in session.execute(query)}
    return found


def _sheet(rows: Sequence[Waiting]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.DictWriter(stream, HEADINGS, lineterminator="\n")
    writer.writeheader()
    writer.writerows(row.row for row in rows)
    return stream.getvalue().encode()


def _sealed(rows: Sequence[Waiting]) -> dict[Key, str]:
    """Return the salted hashes of the rows that have one."""
    return {
        (row.row["enterprise"], int(row.row["part"]), row.row["task"], row.row["item"]): row.sealed
        for row in rows
        if row.sealed is not None
    }
