"""Carries out changes after the draw: jobs of the kind ``change``, done by the engine (docs/protocol.md §13).

Nobody chooses who comes instead. A substitute that a later round of the beacon decides waits for it as a job of its own, and behind one
that is due replacements and withdrawals wait. Everybody on a visit that changes is told, and whoever asked for a change that the
engine refuses.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select, true
from sqlmodel import Session, col

from dualrandom.campaign import Change, exclude, replace_inspector, substitute
from dualrandom.changes import EXCLUSIONS, REPLACEMENTS
from dualrandom.errors import DualRandomError
from dualrandom.relay import Attempt, Wanted, ask
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.amendments import (
    amend,
    audiences,
    list_amendments,
    not_open,
    require_no_findings,
    wake,
)
from dualrandom.store.database import StaleError
from dualrandom.store.jobs import LeaseLostError, enqueue, finish, postpone
from dualrandom.store.messages import tell
from dualrandom.store.publishing import close_if_complete
from dualrandom.store.tables import (
    Amendment,
    Check,
    DrawRow,
    DrawState,
    Job,
    Visit,
)
from dualrandom.store.visits import visits_from_draw
from dualrandom.store.withdrawals import (
    WITHDRAW,
    after_withdrawal,
    emptied_audiences,
    require_uninspected,
    withdrawal_step,
    withdrawal_told,
)
from dualrandom.store.workspace import Keeping, file_of, run

ASK_AGAIN: Final = timedelta(seconds=30)
WAITING: Final = frozenset({"exclude", "replace", WITHDRAW})
"""Changes that wait where the engine says :data:`FOR_LATER`: behind a substitute that is due, or a row with a time ahead."""
FOR_LATER: Final = frozenset({"substitute-pending", "change-too-early"})
Fetch = Callable[[Wanted], Attempt]


def carry_out(keeping: Keeping, job: Job, *, now: datetime, fetch: Fetch = ask) -> None:
    """Do a job of the kind ``change``. Raises what the engine refuses (docs/protocol.md §13); whoever asked for it is told."""
    try:
        _carry_out(keeping, job, now, fetch)
    except (StaleError, LeaseLostError):
        raise
    except DualRandomError as error:
        if job.arguments["do"] in WAITING and error.code in FOR_LATER:
            with keeping.database.writing(apart=True) as session:
                postpone(session, job, now + ASK_AGAIN)
            return
        with keeping.database.writing() as session:
            _tell_refused(session, job, error, now)
        raise


def _carry_out(keeping: Keeping, job: Job, now: datetime, fetch: Fetch) -> None:
    arguments, draw = job.arguments, job.subject
    actor = Actor(job.created_by, arguments["role"], arguments["department"])
    step: Callable[[Path], Change]
    if arguments["do"] == "exclude":
        step = _exclusion(keeping, arguments, now)
    elif arguments["do"] == WITHDRAW:
        if not _has_result(keeping, job, now):
            return
        step = withdrawal_step(keeping, arguments, now)
    elif arguments["do"] == "replace":

        def step(folder: Path) -> Change:
            return replace_inspector(
                folder,
                arguments["enterprise"],
                arguments["part"],
                arguments["inspector"],
                arguments["reason"],
                now,
            )

    else:
        found = _evidence(keeping, draw, job, fetch, now)
        if found is None:
            return
        name, content = found

        def step(folder: Path) -> Change:
            if name is None:
                return substitute(folder)
            path = folder / name
            path.write_bytes(content)
            return substitute(folder, path)

    def after(session: Session, change: Change, folder: Path) -> None:
        row = session.get_one(DrawRow, draw, populate_existing=True)
        before = _affected(session, draw, change)
        if change.row["type"] == WITHDRAW:
            # entered since it was asked for, or before this job began
            since = date.fromisoformat(change.row["from"])
            require_uninspected(session, draw, change.row["department"], since)
        elif change.row["type"] in {"exclude", "replace"}:
            _require_unvisited(session, draw, change.row)
        visits_from_draw(session, keeping.vault, row, folder, now)
        result = {"draw": draw, "row": change.row["number"], "type": change.row["type"]}
        if change.row["type"] == WITHDRAW:
            result["put_off"] = after_withdrawal(session, draw, change.row, now)
        _note(session, draw, dict(change.row), job, actor, now)
        people = before | _affected(session, draw, change)
        _tell_of_change(session, draw, change, people, now)
        _follow_up(session, draw, change.row, folder, actor, now)
        finish(session, job, now, result=result)
        close_if_complete(session, draw, now)

    run(keeping, draw, step, job=job, after=after)


def _require_unvisited(session: Session, draw: str, row: Mapping[str, Any]) -> None:
    """Refuse a change of what was inspected since it was asked for. Raises ConflictError ``already-inspected``."""
    visits = select(col(Visit.id)).where(
        col(Visit.draw_id) == draw,
        col(Visit.enterprise) == row["enterprise"],
        col(Visit.part) == row["part"] if "part" in row else true(),
    )
    ids = [number for number in session.scalars(visits) if number is not None]
    require_no_findings(session, ids, row["enterprise"])


def _exclusion(keeping: Keeping, arguments: Mapping[str, Any], now: datetime) -> Callable[[Path], Change]:
    from dualrandom.substitution import NamedRound  # noqa: PLC0415  (numpy is slow to import)

    named = None
    if arguments["round"] is not None and arguments["round_time"] is not None:
        named = NamedRound(arguments["round"], datetime.fromisoformat(arguments["round_time"]))
    content = None
    if arguments["evidence"] is not None:
        with keeping.database.reading() as session:
            content = keeping.vault.get(session, arguments["evidence"])

    def step(folder: Path) -> Change:
        path = None
        if content is not None:
            # beside the campaign: only its hash belongs to the record
            path = folder.parent / "evidence"
            path.write_bytes(content)
        return exclude(folder, arguments["enterprise"], arguments["reason"], path, now, named)

    return step


def _evidence(
    keeping: Keeping, draw: str, job: Job, fetch: Fetch, now: datetime
) -> tuple[str | None, bytes] | None:
    """Return file name and evidence for the oldest pending exclusion; None if the job ended or waits for the round."""
    with keeping.database.reading() as session:
        pending = pending_exclusion(session, draw)
        announced = file_of(session, keeping.vault, draw, "public/announcement.json")
        assert announced is not None
        beacon = json.loads(announced)["beacon"]
        name = None
        given = None
        if pending is not None and pending["beacon"] is not None:
            name = f"beacon-{pending['beacon']['round']}.json"
            given = file_of(session, keeping.vault, draw, name)
    if pending is None:
        with keeping.database.writing(apart=True) as session:
            finish(session, job, now, result={"draw": draw, "row": None})
        return None
    if name is None:
        return None, b""
    if given is None:
        due = datetime.fromisoformat(pending["beacon"]["time"])
        given = fetch(Wanted(beacon["kind"], beacon["source"], pending["beacon"]["round"], due)).data
    if given is None:
        with keeping.database.writing(apart=True) as session:
            postpone(session, job, now + ASK_AGAIN)
        return None
    return name, given


def _has_result(keeping: Keeping, job: Job, now: datetime) -> bool:
    """Tell whether a withdrawal can be appended; it waits for the result, and ends if the draw was voided in between."""
    with keeping.database.reading() as session:
        row = session.get_one(DrawRow, job.subject)
    if row.state is DrawState.CLOSED:
        raise not_open(job.subject)
    if row.state is DrawState.DRAWN:
        return True
    with keeping.database.writing(apart=True) as session:
        if row.state is DrawState.VOID:
            finish(session, job, now, result={"draw": job.subject, "row": None})
        else:
            postpone(session, job, now + ASK_AGAIN)
    return False


def pending_exclusion(session: Session, draw: str) -> Mapping[str, Any] | None:
    """Return the row of the oldest exclusion that no substitute answers."""
    rows = list_amendments(session, draw)
    excluded = [row.document for row in rows if row.type == "exclude"]
    answered = sum(row.type == "substitute" for row in rows)
    return excluded[answered] if len(excluded) > answered else None


def _follow_up(
    session: Session, draw: str, row: Mapping[str, Any], folder: Path, actor: Actor, now: datetime
) -> None:
    """Queue what a row calls for: the substitute once its round is due, and the witnesses' cosignatures."""
    policy = json.loads((folder / "public" / "announcement.json").read_bytes())["policy"]
    if row["type"] == "exclude" and policy["substitution"] != "none":
        due = now if row["beacon"] is None else datetime.fromisoformat(row["beacon"]["time"])
        enqueue(
            session,
            "change",
            draw,
            now=now,
            by=actor.name,
            arguments={"do": "substitute", "role": actor.role, "department": actor.department},
            run_after=max(now, due),
            unique_key=f"substitute:{draw}:{row['number']}",
        )
    elif row["type"] == "substitute":
        wake(session, draw, now)
    enqueue(
        session, "cosign", draw, now=now, by="service", unique_key=f"cosign-change:{draw}:{row['number']}"
    )


def _note(
    session: Session, draw: str, row: dict[str, Any], job: Job, actor: Actor, now: datetime
) -> Amendment:
    """Keep a row of changes.jsonl as an amendment and in the activity log."""
    amendment = amend(session, draw, row["type"], row.get("reason", ""), row, actor, now)
    activity.record(session, actor, row["type"], draw, now, {"job": job.id, "number": row["number"]})
    return amendment


def _affected(session: Session, draw: str, change: Change) -> set[str]:
    """Return the audiences of the visits that a change is about, as they are now."""
    row = change.row
    if row["type"] == WITHDRAW:
        return emptied_audiences(session, draw, change) | {f"department:{row['department']}", "role:auditor"}
    enterprises = {visit["enterprise"] for visit in row.get("visits", ())}
    enterprises |= {row["enterprise"]} if "enterprise" in row else set()
    checks = session.scalars(
        select(Check)
        .join(Visit, col(Check.visit_id) == Visit.id)
        .where(col(Visit.draw_id) == draw, col(Visit.enterprise).in_(enterprises))
    )
    return audiences(checks)


def _tell_of_change(session: Session, draw: str, change: Change, people: set[str], now: datetime) -> None:
    row, names = change.row, change.names
    if row["type"] == "exclude":
        name, why = names[row["enterprise"]], EXCLUSIONS[row["reason"]]
        body = (
            f"{name}（{row['enterprise']}）不再检查：{why.zh}。",
            f"{name} ({row['enterprise']}) is not visited: {why.en}.",
        )
    elif row["type"] == "replace":
        reason = REPLACEMENTS[row["reason"]]
        body = (
            f"对 {names[row['enterprise']]} 的检查：{names[row['in']]} 接替 {names[row['out']]}（{reason.zh}）。",
            f"Visit to {names[row['enterprise']]}: {names[row['in']]} takes the place of {names[row['out']]} ({reason.en}).",
        )
    elif row["type"] == WITHDRAW:
        body = withdrawal_told(change)
    else:
        listed = ", ".join(f"{names[v['enterprise']]} {v['date'] or '-'}" for v in row["visits"]) or "-"
        body = (f"递补的检查：{listed}。", f"Substituted visits: {listed}.")
    for audience in sorted(people | {"role:dispatcher"}):
        tell(session, row["type"], audience, draw, body, now=now)
    for zh, en in change.alarms:
        for audience in ("role:auditor", "role:dispatcher"):
            once = f"change-alarm:{draw}:{row['number']}:{audience}:{en}"[:200]
            tell(session, "alarm", audience, draw, (zh, en), now=now, once=once)


def _tell_refused(session: Session, job: Job, error: DualRandomError, now: datetime) -> None:
    """Tell who asked for a change, and the dispatchers, that it was not made."""
    department = job.arguments["department"]
    messages, remedies = error.messages, error.remedies
    for audience in sorted({"role:dispatcher"} | ({f"department:{department}"} if department else set())):
        tell(
            session,
            "change-refused",
            audience,
            job.subject,
            (
                f"抽取 {job.subject} 的更改没有进行（{job.arguments['do']}）：{messages['zh']}。{remedies['zh']}",
                f"A change of draw {job.subject} was not made ({job.arguments['do']}): {messages['en']}. {remedies['en']}",
            ),
            now=now,
            once=f"change-refused:{job.id}:{audience}",
        )
