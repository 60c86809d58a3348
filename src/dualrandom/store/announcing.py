"""Announcing a plan's next draw, voiding one, and having the log cosigned: steps of the engine on what the database keeps."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select, update
from sqlmodel import Session, col

from dualrandom.campaign import Announced, Cosigned, Voided, announce, cosign, void
from dualrandom.keyring import revoke_key, rotate_key
from dualrandom.log.submit import Answer, http_post
from dualrandom.progress import Progress, silent
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.contributing import next_draw, signed_for
from dualrandom.store.database import locked
from dualrandom.store.errors import ConflictError
from dualrandom.store.jobs import enqueue, finish, holds
from dualrandom.store.libraries import current_revisions
from dualrandom.store.messages import tell
from dualrandom.store.plan_inputs import inputs_of, rules_of
from dualrandom.store.plans import keep_version, touched, unknown_plan
from dualrandom.store.tables import DrawRow, DrawState, Job, Join, JoinState, Office, PlanRow, PlanState
from dualrandom.store.visits import ensure_alarm
from dualrandom.store.workspace import Keeping, lay_out, run, run_log, save, written

COSIGN_AGAIN = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Ready:
    """What an announcement was asked for: versions of plan and libraries, which must not have changed since."""

    plan: str
    version: int
    rehearsal: bool = False
    revisions: Mapping[str, int] | None = None
    """Library kind → revision as it was when the announcement was asked for; None: whatever there is now."""
    rules: Mapping[str, str] | None = None
    """As :func:`dualrandom.store.plan_inputs.rules_of` gave it then; None: whatever there is now."""


def announce_plan(
    keeping: Keeping,
    ready: Ready,
    *,
    actor: Actor,
    now: datetime,
    job: Job | None = None,
    progress: Progress = silent,
) -> str:
    """Freeze, publish and log a plan's next draw; return its id.

    Raises InputError with everything that is wrong with plan or libraries, StateError, ConflictError ``plan-changed``,
    StaleError if the log was changed meanwhile (then again), LeaseLostError.
    """
    with tempfile.TemporaryDirectory(prefix="dualrandom-", dir=keeping.scratch) as made:
        folder = Path(made)
        with keeping.database.reading() as session:
            plan = session.get(PlanRow, ready.plan)
            _require_unchanged(plan, ready)
            revisions = current_revisions(session)
            if ready.revisions is not None and dict(ready.revisions) != revisions:
                raise _changed(ready.plan)
            # seats, policies and notices may be changed without touching the plan
            if ready.rules is not None and dict(ready.rules) != rules_of(session, ready.plan):
                raise _changed(ready.plan)
            snapshot = lay_out(session, keeping.vault, folder, _last_void(session, ready.plan))
            assert plan is not None
            numbered = _numbered(session, plan)
            _forget_inputs(folder / "campaign")
            with session.no_autoflush:
                plan.document = numbered
                files = inputs_of(session, keeping.vault, ready.plan, revisions)
            for name, content in files.items():
                target = folder / "campaign" / name
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)
        announced = announce(folder / "campaign", rehearsal=ready.rehearsal, now=now, progress=progress)
        document = json.loads((folder / "campaign/public/announcement.json").read_bytes())
        snapshot = replace(snapshot, files={}, draw_version=None)
        differences = written(folder, snapshot)
        with keeping.database.writing() as session:
            if job is not None:
                holds(session, job)
            # the office's row comes first everywhere, so that two writers cannot wait for each other
            locked(session, Office, 1)
            plan = locked(session, PlanRow, ready.plan)
            _require_unchanged(plan, ready)
            assert plan is not None
            session.add(_row(announced, document, ready.plan, revisions, now))
            session.flush()
            save(session, keeping.vault, differences, announced.draw, snapshot)
            plan.state = PlanState.ANNOUNCED
            if numbered != plan.document:
                plan.document = numbered
                plan.document_version += 1
                keep_version(session, plan, "plan", plan.document_version, numbered, actor, now)
            touched(session, plan)
            _schedule(session, announced.draw, document, now)
            _tell(session, ready.plan, announced.draw, now)
            detail = {"announcement": announced.digest, "plan": ready.plan, "revisions": revisions}
            activity.record(session, actor, "announce", announced.draw, now, detail)
            if job is not None:
                finish(session, job, now, result={"draw": announced.draw, "announcement": announced.digest})
    return announced.draw


def void_draw(
    keeping: Keeping, draw: str, reason: str, *, actor: Actor, now: datetime, job: Job | None = None
) -> Voided:
    """Void an announced draw that has no result; its plan may then be changed and announced anew, under the next number."""

    def after(session: Session, voided: Voided, _folder: Path) -> None:
        session.execute(
            update(DrawRow)
            .where(col(DrawRow.id) == draw)
            .values(state=DrawState.VOID, void_reason=voided.reason, ended_at=now)
        )
        row = session.get_one(DrawRow, draw)
        plan = locked(session, PlanRow, row.plan_id)
        assert plan is not None
        plan.state = PlanState.INVITING
        plan.version += 1
        session.add(plan)
        activity.record(session, actor, "void", draw, now, {"reason": voided.reason})
        _tell_void(session, row.plan_id, draw, voided.reason, now)
        if job is not None:
            finish(session, job, now, result={"draw": draw, "state": "void"})

    return run(keeping, draw, lambda folder: void(folder, reason, now), job=job, after=after)


def cosign_draw(
    keeping: Keeping,
    draw: str,
    *,
    now: datetime,
    job: Job | None = None,
    post: Callable[[str, bytes], Answer] = http_post,
) -> Cosigned:
    """Ask the log's witnesses to cosign; while their quorum is missing, they are asked again until the round is due."""

    def after(session: Session, cosigned: Cosigned, _folder: Path) -> None:
        detail = {"quorum": cosigned.quorum, "size": cosigned.size, "witnesses": sorted(cosigned.cosigned)}
        activity.record(session, activity.SERVICE, "cosign", draw, now, detail)
        row = session.get_one(DrawRow, draw)
        if cosigned.quorum is False and now + COSIGN_AGAIN < row.due:
            enqueue(session, "cosign", draw, now=now, by="service", run_after=now + COSIGN_AGAIN)
        if job is not None:
            finish(session, job, now, result=detail)

    return run(keeping, draw, lambda folder: cosign(folder, post), job=job, after=after)


def _require_unchanged(plan: PlanRow | None, ready: Ready) -> None:
    if plan is None:
        raise unknown_plan(ready.plan)
    if plan.version != ready.version or plan.state not in {PlanState.DRAFT, PlanState.INVITING}:
        raise _changed(ready.plan)


def _numbered(session: Session, plan: PlanRow) -> dict[str, Any]:
    """Return the plan's document with the number that the log expects next, unless parties have signed for another one."""
    head = plan.document["plan"]
    draw = next_draw(session, plan)
    year = draw.rpartition("-")[0]
    known = session.scalars(select(col(DrawRow.id)).where(col(DrawRow.id).startswith(f"{year}-"))).all()
    if not known or signed_for(session, plan, draw):
        return plan.document
    ahead = int(draw.rpartition("-")[2]) - max(int(one.rpartition("-")[2]) for one in known) - 1
    return {**plan.document, "plan": {**head, "number": head.get("number", 1) - ahead}}


def _forget_inputs(campaign: Path) -> None:
    """Take out the inputs of the draw before: only what the plan says now may decide."""
    kept = {campaign / name for name in ("public", "private", "exports")}
    for path in set(campaign.iterdir()) - kept:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def _changed(plan: str) -> ConflictError:
    return ConflictError(
        "plan-changed",
        plan,
        {
            "zh": "提请公告之后，计划、名录、席位、所引政策或节假日安排已修改，或计划已公告",
            "en": "plan, libraries, seats, policies or working days were changed, or the plan was announced, since its announcement "
            "was asked for",
        },
        {"zh": "核对计划和名录后重新提请。", "en": "Look at plan and libraries, then ask again."},
    )


def _last_void(session: Session, plan: str) -> str | None:
    """Return the plan's last draw, which must be void when the next one is announced; None if there is none."""
    rows = select(DrawRow).where(col(DrawRow.plan_id) == plan).order_by(col(DrawRow.id).desc()).limit(1)
    last = session.scalars(rows).one_or_none()
    return None if last is None else last.id


def _row(
    announced: Announced,
    document: Mapping[str, Any],
    plan: str,
    revisions: Mapping[str, int],
    now: datetime,
) -> DrawRow:
    return DrawRow(
        id=announced.draw,
        plan_id=plan,
        revisions=dict(revisions),
        suite=document["suite"],
        announcement=announced.digest,
        announced_at=now,
        reveal_by=_instant(document["deadlines"]["reveal"]),
        due=_instant(document["beacon"]["time"]),
        result_by=_instant(document["deadlines"]["result"]),
        findings_by=_instant(document["deadlines"]["findings"]),
        summary={
            "frame": announced.frame_size,
            "roster": announced.roster_size,
            "tasks": announced.tasks,
            "warnings": len(announced.warnings),
        },
    )


def _schedule(session: Session, draw: str, document: Mapping[str, Any], now: datetime) -> None:
    due = _instant(document["beacon"]["time"])
    enqueue(session, "cosign", draw, now=now, by="service", unique_key=f"cosign:{draw}")
    # the round's signature is out some seconds after its time
    enqueue(
        session,
        "draw",
        draw,
        now=now,
        by="service",
        run_after=max(now, due + timedelta(seconds=5)),
        unique_key=f"draw:{draw}",
    )
    ensure_alarm(session, now)


def _tell(session: Session, plan: str, draw: str, now: datetime) -> None:
    joined = select(Join).where(col(Join.plan_id) == plan, col(Join.state) == JoinState.CONFIRMED)
    signed = signed_for(session, session.get_one(PlanRow, plan), draw)
    for join in session.scalars(joined):
        party = join.department_id in signed
        tell(
            session,
            "announced",
            f"department:{join.department_id}",
            draw,
            (
                f"抽取 {draw} 已公告。{'请在截止前公开随机数。' if party else ''}",
                f"Draw {draw} has been announced.{' Reveal your nonce before the deadline.' if party else ''}",
            ),
            now=now,
            once=f"announced:{draw}:{join.department_id}",
        )


def _tell_void(session: Session, plan: str, draw: str, reason: str, now: datetime) -> None:
    joined = select(col(Join.department_id)).where(col(Join.plan_id) == plan)
    departments = (f"department:{department}" for department in session.scalars(joined))
    for audience in sorted({*departments, "role:auditor", "role:dispatcher"}):
        tell(
            session,
            "void",
            audience,
            draw,
            (
                f"抽取 {draw} 已作废：{reason}。没有结果，也没有检查。",
                f"Draw {draw} is void: {reason}. It has no result, and there are no visits.",
            ),
            now=now,
        )


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text)


def change_log_key(
    keeping: Keeping, *, reason: str | None, actor: Actor, now: datetime, job: Job | None = None
) -> str:
    """Hand the log over to a new key; with a ``reason``, revoke the current one. Returns the key's text (C2SP vkey).

    Raises LogError if there is no log yet, or its key cannot be used.
    """

    def step(folder: Path) -> str:
        key = rotate_key(folder, now) if reason is None else revoke_key(folder, None, now, reason)
        return key.text

    def after(session: Session, key: str) -> None:
        action = "log-key-rotated" if reason is None else "log-key-revoked"
        activity.record(session, actor, action, key, now, {} if reason is None else {"reason": reason})
        if job is not None:
            finish(session, job, now, result={"key": key})

    return run_log(keeping, step, job=job, after=after)
