"""The draw at the beacon's time, by itself: fetch the round, compute, publish, hand the visits to their crews."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, update
from sqlmodel import Session, col

from dualrandom.beacon import read_evidence
from dualrandom.campaign import DrawnSummary, draw
from dualrandom.progress import Progress, silent
from dualrandom.relay import Attempt, Wanted, ask
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.amendments import wake
from dualrandom.store.database import locked
from dualrandom.store.errors import ConflictError
from dualrandom.store.jobs import enqueue, finish, postpone
from dualrandom.store.messages import tell
from dualrandom.store.tables import Check, CrewSeat, DrawRow, DrawState, Job, Office, Outbox, Visit
from dualrandom.store.visits import visits_from_draw
from dualrandom.store.workspace import Keeping, add_file, file_of, run, touch, unknown_draw

EVIDENCE = "beacon.json"
ASK_AGAIN = timedelta(seconds=30)

Fetch = Callable[[Wanted], Attempt]
"""Asks for a round once, as :func:`dualrandom.relay.ask` does."""


def draw_now(
    keeping: Keeping,
    name: str,
    *,
    now: datetime,
    job: Job,
    fetch: Fetch = ask,
    progress: Progress = silent,
) -> DrawnSummary | None:
    """Draw, publish, and fill in the visits; None if there is nothing to do, or the round is not out: then later.

    No other round ever takes the place of the announced one. Past the deadline for the result everybody concerned is told,
    once, and the waiting goes on: only a reasoned void ends it.
    """
    with keeping.database.reading() as session:
        row = session.get(DrawRow, name)
        if row is None:
            raise unknown_draw(name)
        announced = file_of(session, keeping.vault, name, "public/announcement.json")
        given = file_of(session, keeping.vault, name, EVIDENCE)
    assert announced is not None
    beacon = json.loads(announced)["beacon"]
    if row.state is not DrawState.ANNOUNCED:
        with keeping.database.writing() as session:
            finish(session, job, now, result={"draw": name, "state": row.state.value})
        return None
    if given is None and beacon["kind"] != "local":
        given = fetch(Wanted(beacon["kind"], beacon["source"], beacon["round"], row.due)).data
        if given is None:
            _wait(keeping, row, job, now)
            return None

    def step(folder: Path) -> DrawnSummary:
        if given is not None:
            (folder / EVIDENCE).write_bytes(given)
        return draw(folder, progress=progress)

    def after(session: Session, drawn: DrawnSummary, folder: Path) -> None:
        summary = {
            **row.summary,
            "checks": drawn.checks,
            "crews": drawn.crews,
            "saved": drawn.saved,
            "undated": drawn.undated,
            "visits": drawn.visits,
        }
        session.execute(
            update(DrawRow)
            .where(col(DrawRow.id) == name)
            .values(state=DrawState.DRAWN, result=drawn.digest, drawn_at=now, summary=summary)
        )
        drawn_row = session.get_one(DrawRow, name, populate_existing=True)
        visits_from_draw(session, keeping.vault, drawn_row, folder, now)
        activity.record(session, activity.SERVICE, "draw", name, now, {"result": drawn.digest})
        # withdrawals that came before the result are appended now
        wake(session, name, now)
        enqueue(session, "cosign", name, now=now, by="service", unique_key=f"cosign-result:{name}")
        _tell_drawn(session, name, drawn.visits, now)
        finish(session, job, now, result={"draw": name, "result": drawn.digest})

    return run(keeping, name, step, job=job, after=after)


def give_evidence(
    session: Session, keeping: Keeping, name: str, content: bytes, *, actor: Actor, now: datetime
) -> None:
    """Take the beacon's evidence from a file where there is no network; it is checked now. The draw then goes ahead.

    Raises DualRandomError ``beacon-file``, ``beacon-forged``; ConflictError ``draw-ended``.
    """
    # the office's row comes first everywhere, so that two writers cannot wait for each other
    locked(session, Office, 1)
    row = locked(session, DrawRow, name)
    announced = file_of(session, keeping.vault, name, "public/announcement.json")
    if row is None or announced is None:
        raise unknown_draw(name)
    if row.state is not DrawState.ANNOUNCED:
        raise ConflictError(
            "draw-ended",
            name,
            {"zh": "该抽取已有结果或已作废", "en": "this draw has its result, or is void"},
            {"zh": "不必再交信标。", "en": "No beacon is needed any more."},
        )
    beacon = json.loads(announced)["beacon"]
    read_evidence(beacon["kind"], beacon["round"], content, EVIDENCE)
    add_file(session, keeping.vault, name, EVIDENCE, content)
    touch(session, name)
    session.execute(
        update(Job)
        .where(col(Job.unique_key) == f"draw:{name}", col(Job.state) == "queued")
        .values(run_after=now)
    )
    activity.record(session, actor, "beacon", name, now, {"round": beacon["round"]})


def _tell_drawn(session: Session, name: str, visits: int, now: datetime) -> None:
    """Tell every department and everybody with a seat how many visits they have, and the office that there is a result."""
    seats = (
        select(col(CrewSeat.inspector), func.count(func.distinct(col(Check.visit_id))))
        .join(Check, col(CrewSeat.check_id) == Check.id)
        .join(Visit, col(Check.visit_id) == Visit.id)
        .where(col(Visit.draw_id) == name)
        .group_by(col(CrewSeat.inspector))
    )
    departments = (
        select(col(Check.department_id), func.count(func.distinct(col(Check.visit_id))))
        .join(Visit, col(Check.visit_id) == Visit.id)
        .where(col(Visit.draw_id) == name)
        .group_by(col(Check.department_id))
    )
    counts = {f"inspector:{code}": count for code, count in session.execute(seats)}
    counts |= {f"department:{department}": count for department, count in session.execute(departments)}
    counts |= dict.fromkeys(("role:auditor", "role:dispatcher"), visits)
    session.add_all(
        Outbox(
            kind="drawn",
            audience=audience,
            subject=name,
            body_zh=f"抽取 {name} 已有结果：{count} 次检查，见检查列表。",
            body_en=f"Draw {name} has its result: {count} visits, see the list of visits.",
            unique_key=f"drawn:{name}:{audience}",
            at=now,
        )
        for audience, count in sorted(counts.items())
    )
    session.flush()


def _wait(keeping: Keeping, row: DrawRow, job: Job, now: datetime) -> None:
    with keeping.database.writing() as session:
        # somebody may have brought it while the relays were asked
        brought = file_of(session, keeping.vault, row.id, EVIDENCE) is not None
        postpone(session, job, now if brought else now + ASK_AGAIN)
        if brought or now <= row.result_by:
            return
        tell(
            session,
            "alarm",
            "role:dispatcher",
            row.id,
            (
                f"抽取 {row.id} 已过结果期限，信标仍无回应。等待不会改用其他轮次；可以说明理由作废。",
                f"Draw {row.id} is past its deadline and the beacon is silent. No other round will do; it may be voided.",
            ),
            now=now,
            once=f"no-beacon:{row.id}",
        )
