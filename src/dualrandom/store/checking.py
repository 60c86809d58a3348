"""Reading a plan and its libraries as announcing would, in a job, before any secret is made.

The outcome holds until anything that was read has changed (:func:`fingerprint_of`).
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from sqlalchemy import func, select
from sqlmodel import Session, col

from dualrandom.announcement import SignedContribution, build_announcement
from dualrandom.campaign.inputs import load_inputs, prepare, require_staffed, warnings_of
from dualrandom.canonical import canonical
from dualrandom.errors import DualRandomError, InputError, Problem
from dualrandom.flags import flags
from dualrandom.store.activity import Actor
from dualrandom.store.blobs import Vault
from dualrandom.store.contributing import announced, next_draw, signed_for
from dualrandom.store.database import Database
from dualrandom.store.jobs import enqueue, finish, renew
from dualrandom.store.libraries import current_revisions
from dualrandom.store.plan_inputs import TAKING_PART, inputs_of
from dualrandom.store.plans import joins_of, plan_of, tasks_of
from dualrandom.store.tables import (
    DayNotice,
    Department,
    Job,
    LedgerEntry,
    PlanRow,
    PlanState,
    PolicyRow,
    Role,
)

CHECK = "check"
"""Kind of the job that reads plan and libraries as announcing would; its subject is the plan."""
SHOWN = 200
DISPATCHER = "dispatcher"
_TASK = re.compile(r"tasks\[(\d+)\]")
_FILE = re.compile(r"(enterprises|inspectors|items|recusals|visits)\.csv")


@dataclass(frozen=True, slots=True)
class Prerequisite:
    """One thing to do, or to know. ``who``: ``dispatcher``, ``operator`` or ``department:<id>``."""

    code: str
    severity: Literal["blocks", "warns"]
    who: str
    where: str
    value: str
    message_zh: str
    message_en: str
    remedy_zh: str
    remedy_en: str


def check(session: Session, plan_id: str, actor: Actor, now: datetime) -> Job:
    """Let a job read plan and libraries as they are now; one that has done so already is returned.

    Raises UnknownError, ConflictError ``plan-announced``.
    """
    plan = plan_of(session, plan_id, actor)
    if plan.state not in {PlanState.DRAFT, PlanState.INVITING}:
        raise announced(plan_id)
    known = check_of(session, plan)
    if known is not None and known.state != "failed":
        return known
    fingerprint = fingerprint_of(session, plan)
    attempt = "" if known is None else f":{known.id}"
    return enqueue(
        session,
        CHECK,
        plan_id,
        now=now,
        by=actor.name,
        arguments={"fingerprint": fingerprint},
        unique_key=f"{CHECK}:{plan_id}:{fingerprint}{attempt}",
    )


def result_for(actor: Actor, job: Job) -> dict[str, Any] | None:
    """Return a job's result as ``actor`` may read it: of a check, a department reads its own points, since others name people."""
    result = job.result
    if result is None or job.kind != CHECK or actor.role != Role.DEPARTMENT:
        return result
    own = f"department:{actor.department}"
    return {**result, "points": [point for point in result["points"] if point["who"] == own]}


def check_inputs(
    database: Database, vault: Vault, job: Job, clock: Callable[[], datetime], scratch: Path | None = None
) -> None:
    """Read plan and libraries as announcing would, and end the job with every problem and warning; a job's work."""
    with database.reading() as session:
        plan = session.get_one(PlanRow, job.subject)
        fingerprint = fingerprint_of(session, plan)
        files = inputs_of(session, vault, plan.id, current_revisions(session))
        draw = next_draw(session, plan)
        signed = [
            SignedContribution(row.party, row.key, row.commitment, row.signature)
            for row in signed_for(session, plan, draw).values()
        ]
        departments = task_departments(session, plan.id)
    summary: dict[str, Any] = {}
    with tempfile.TemporaryDirectory(prefix="dualrandom-", dir=scratch) as made:
        folder = Path(made)
        for name, content in files.items():
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)

        def progress(zh: str, en: str) -> None:
            renew(database, job, clock(), stage=(zh, en))

        try:
            problems, summary = _dry_run(folder, draw, signed, progress)
        except InputError as refused:
            problems = refused.problems
        except DualRandomError as refused:
            problems = (_problem_of(refused),)
    points = [asdict(point) for point in points_of(problems, files, departments)]
    errors = sum(point["severity"] == "blocks" for point in points)
    points.sort(key=lambda point: point["severity"] != "blocks")
    with database.writing() as session:
        result = {
            "fingerprint": fingerprint,
            "errors": errors,
            "warnings": len(points) - errors,
            "points": points[:SHOWN],
            **summary,
        }
        finish(session, job, clock(), result=result)


def fingerprint_of(session: Session, plan: PlanRow) -> str:
    """Return 32 hex digits that change when anything does that the check reads."""
    read = {
        "ledger": session.scalars(select(func.max(col(LedgerEntry.id)))).one(),
        "notices": [
            [year, at.isoformat()]
            for year, at in session.execute(
                select(col(DayNotice.year), col(DayNotice.at)).order_by(col(DayNotice.year))
            )
        ],
        "departments": [
            [row.id, row.name, row.name_en, row.seats, row.active]
            for row in session.scalars(select(Department).order_by(col(Department.id)))
        ],
        "plan": plan.version,
        "policies": [
            [policy, number, withdrawn]
            for policy, number, withdrawn in session.execute(
                select(col(PolicyRow.policy), col(PolicyRow.number), col(PolicyRow.withdrawn)).order_by(
                    col(PolicyRow.id)
                )
            )
        ],
        "revisions": current_revisions(session),
    }
    return hashlib.sha256(canonical(read)).hexdigest()[:32]


def check_of(session: Session, plan: PlanRow) -> Job | None:
    """Return the newest check of the plan and the libraries as they are."""
    prefix = f"{CHECK}:{plan.id}:{fingerprint_of(session, plan)}"
    found = select(Job).where(
        col(Job.kind) == CHECK, col(Job.subject) == plan.id, col(Job.unique_key).startswith(prefix)
    )
    return session.scalars(found.order_by(col(Job.id).desc()).limit(1)).one_or_none()


def _dry_run(
    folder: Path,
    draw: str,
    signed: Sequence[SignedContribution],
    progress: Callable[[str, str], None],
) -> tuple[tuple[Problem, ...], dict[str, Any]]:
    """Do what announcing does up to where secrets are made; return its warnings and a few counts."""
    progress("读取计划和名录库", "reading plan and libraries")
    inputs = load_inputs(folder)
    plan = inputs.plan
    progress("冻结名录", "freezing the lists")
    # a secret of this run only: nothing that depends on it leaves it
    secret = None if plan.disclosure == "open" else bytes(32)
    prepared = prepare(inputs, draw, secret)
    require_staffed(plan, prepared)
    progress("预计工作量", "expecting the work")
    document = build_announcement(
        plan, inputs.libraries, prepared.frozen, prepared.days, {}, signed, None, ()
    )
    found = flags(plan, inputs.libraries, document, prepared.frozen, inputs.previous)
    expected = sum(
        float(stratum.expected) for strata in prepared.frozen.strata.values() for stratum in strata
    )
    summary = {
        "draw": draw,
        "frame": len(prepared.frozen.ids),
        "roster": len(prepared.frozen.roster),
        "days": len(prepared.days),
        "expected_checks": round(expected),
    }
    return warnings_of(inputs, prepared, document, found), summary


def task_departments(session: Session, plan_id: str) -> list[str]:
    """Return the department of each task of the plan.toml, in its order."""
    taking_part = {join.department_id for join in joins_of(session, plan_id) if join.state in TAKING_PART}
    return [task.department_id for task in tasks_of(session, plan_id) if task.department_id in taking_part]


def points_of(
    problems: Sequence[Problem], files: Mapping[str, bytes], departments: Sequence[str]
) -> Iterator[Prerequisite]:
    """Turn problems of files into points: whose they are, and which row of a library they are about."""
    tables: dict[str, list[list[str]]] = {}
    for found in problems:
        who, where = DISPATCHER, found.column or ""
        task = _TASK.match(where)
        if found.file == "plan.toml":
            if task and int(task[1]) <= len(departments):
                who = f"department:{departments[int(task[1]) - 1]}"
            where = f"plan/{where}"
        elif _FILE.fullmatch(found.file):
            kind = found.file.removesuffix(".csv")
            if found.file not in tables:
                tables[found.file] = list(csv.reader(io.StringIO(files.get(found.file, b"").decode())))
            rows = tables[found.file]
            where = f"libraries/{kind}"
            if found.row is not None and 0 < found.row <= len(rows):
                row = dict(zip(rows[0], rows[found.row - 1], strict=False))
                where += f"/{rows[found.row - 1][0]}"
                if kind == "inspectors" and row.get("department"):
                    who = f"department:{row['department']}"
        yield Prerequisite(
            found.code,
            "blocks" if found.severity == "error" else "warns",
            who,
            where,
            found.value,
            found.message_zh,
            found.message_en,
            found.remedy_zh,
            found.remedy_en,
        )


def _problem_of(error: DualRandomError) -> Problem:
    return Problem(
        error.code,
        "plan.toml",
        None,
        None,
        None,
        error.value,
        error.messages["zh"],
        error.messages["en"],
        error.remedies["zh"],
        error.remedies["en"],
    )
