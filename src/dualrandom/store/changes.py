"""After the draw: enterprises excluded and substituted, inspectors replaced.

Exclusions, substitutes and replacements are computed by the engine (docs/protocol.md §13) in jobs of the kind ``change``; nobody
chooses who comes instead. A substitute that a later round of the beacon decides waits for it as a job of its own.

Everybody on a visit that changes is told.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select
from sqlmodel import Session, col

from dualrandom.announcement import instant
from dualrandom.beacon import read_evidence
from dualrandom.campaign import Change, exclude, replace_inspector, substitute
from dualrandom.changes import EXCLUSIONS, ONLY_UNDATED, REPLACEMENTS
from dualrandom.relay import Attempt, Wanted, ask
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.attachments import missing
from dualrandom.store.blobs import Vault
from dualrandom.store.errors import ConflictError, RefusedError, unknown
from dualrandom.store.jobs import enqueue, finish, postpone
from dualrandom.store.messages import tell
from dualrandom.store.publishing import close_if_complete
from dualrandom.store.tables import (
    Amendment,
    Check,
    DrawRow,
    DrawState,
    Finding,
    Job,
    Visit,
)
from dualrandom.store.visit_lists import visit_of
from dualrandom.store.visits import visits_from_draw
from dualrandom.store.workspace import Keeping, add_file, file_of, run, touch, unknown_draw

ASK_AGAIN: Final = timedelta(seconds=30)
Fetch = Callable[[Wanted], Attempt]


@dataclass(frozen=True, slots=True)
class Exclusion:
    """What is asked for: ``evidence`` the SHA-256 of an attachment; ``round`` and ``round_time`` where the beacon is a key string."""

    enterprise: str
    reason: str
    evidence: str | None = None
    round: str | None = None
    round_time: datetime | None = None


def ask_exclusion(session: Session, draw: str, wanted: Exclusion, *, actor: Actor, now: datetime) -> Job:
    """Queue the exclusion of an enterprise. What is evident now is refused now, the rest by the job.

    Raises UnknownError, ConflictError ``draw-not-open``, ``not-visited``, ``already-inspected``, ``deregistered-is-a-finding``,
    RefusedError ``change-reason``.
    """
    _open_draw(session, draw)
    if wanted.reason not in EXCLUSIONS:
        raise _no_reason(wanted.reason, EXCLUSIONS)
    visits = list(
        session.scalars(
            select(Visit).where(
                col(Visit.draw_id) == draw,
                col(Visit.enterprise) == wanted.enterprise,
                col(Visit.state) != "cancelled",
            )
        )
    )
    if not visits:
        raise conflict(
            "not-visited",
            wanted.enterprise,
            ("该检查对象没有待执行的检查", "this enterprise has no visit that is in effect"),
            ("核对代码。", "Check its id."),
        )
    if wanted.reason == ONLY_UNDATED and any(visit.date is not None for visit in visits):
        raise conflict(
            "deregistered-is-a-finding",
            wanted.enterprise,
            (
                "冻结与检查之间注销：这是检查结果，不是重抽的理由",
                "deregistered between freeze and visit: that is a finding, not a redraw",
            ),
            ("按期登记检查结果 9（已注销）。", "Enter finding 9 (deregistered) on the date of the visit."),
        )
    _require_no_findings(session, [visit.id or 0 for visit in visits], wanted.enterprise)
    if wanted.evidence is not None and missing(session, [wanted.evidence], actor=actor):
        raise unknown("unknown-attachment", wanted.evidence, "没有这个附件", "there is no such attachment")
    arguments = {
        "do": "exclude",
        "enterprise": wanted.enterprise,
        "reason": wanted.reason,
        "evidence": wanted.evidence,
        "round": wanted.round,
        "round_time": None if wanted.round_time is None else instant(wanted.round_time),
        "role": actor.role,
        "department": actor.department,
    }
    job = enqueue(session, "change", draw, now=now, by=actor.name, arguments=arguments)
    detail = {"enterprise": wanted.enterprise, "job": job.id, "reason": wanted.reason}
    activity.record(session, actor, "ask-exclusion", draw, now, detail)
    return job


def ask_replacement(
    session: Session, visit: int, inspector: str, reason: str, *, actor: Actor, now: datetime
) -> Job:
    """Queue the replacement of an inspector (their library's code) on one visit; a department only its own.

    Raises UnknownError, ConflictError ``draw-not-open``, ``not-in-crew``, ``already-inspected``, RefusedError ``change-reason``.
    """
    view = visit_of(session, actor, visit)
    _open_draw(session, view.visit.draw_id)
    if reason not in REPLACEMENTS:
        raise _no_reason(reason, REPLACEMENTS)
    if not any(inspector in one.check.crew for one in view.checks):
        raise conflict(
            "not-in-crew",
            inspector,
            (
                "此人不在该次检查的检查组中，或不属于您的部门",
                "is in no crew of this visit, or not of your department",
            ),
            ("核对人员编号。", "Check the inspector's code."),
        )
    _require_no_findings(session, [visit], view.visit.enterprise)
    arguments = {
        "do": "replace",
        "enterprise": view.visit.enterprise,
        "part": view.visit.part,
        "inspector": inspector,
        "reason": reason,
        "role": actor.role,
        "department": actor.department,
    }
    job = enqueue(session, "change", view.visit.draw_id, now=now, by=actor.name, arguments=arguments)
    detail = {"inspector": inspector, "job": job.id, "reason": reason}
    activity.record(session, actor, "ask-replacement", f"visit:{visit}", now, detail)
    return job


def carry_out(keeping: Keeping, job: Job, *, now: datetime, fetch: Fetch = ask) -> None:
    """Do a job of the kind ``change``. Raises what the engine refuses (docs/protocol.md §13)."""
    arguments, draw = job.arguments, job.subject
    actor = Actor(job.created_by, arguments["role"], arguments["department"])
    step: Callable[[Path], Change]
    if arguments["do"] == "exclude":
        step = _exclusion(keeping, arguments, now)
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
        before = _affected(session, draw, change.row)
        visits_from_draw(session, keeping.vault, row, folder, now)
        _note(session, draw, dict(change.row), job, actor, now)
        people = before | _affected(session, draw, change.row)
        _tell_of_change(session, draw, change, people, now)
        _follow_up(session, draw, change.row, folder, actor, now)
        result = {"draw": draw, "row": change.row["number"], "type": change.row["type"]}
        finish(session, job, now, result=result)
        close_if_complete(session, draw, now)

    run(keeping, draw, step, job=job, after=after)


def give_evidence(
    session: Session, vault: Vault, draw: str, content: bytes, *, actor: Actor, now: datetime
) -> str:
    """Take the evidence of the round that the oldest pending exclusion named; return the round. It is checked now."""
    pending = _pending(session, draw)
    announced = file_of(session, vault, draw, "public/announcement.json")
    if announced is None:
        raise unknown_draw(draw)
    if pending is None or pending["beacon"] is None:
        raise conflict(
            "nothing-pending",
            draw,
            ("没有等待信标的递补", "no substitute is waiting for a round"),
            ("先排除检查对象。", "Exclude an enterprise first."),
        )
    beacon, number = json.loads(announced)["beacon"], str(pending["beacon"]["round"])
    read_evidence(beacon["kind"], number, content, f"beacon-{number}.json")
    add_file(session, vault, draw, f"beacon-{number}.json", content)
    touch(session, draw)
    activity.record(session, actor, "beacon", draw, now, {"round": number})
    waiting = select(Job).where(
        col(Job.kind) == "change",
        col(Job.subject) == draw,
        col(Job.state) == "queued",
        col(Job.run_after) > now,
    )
    for job in session.scalars(waiting):
        job.run_after = now
        session.add(job)
    return number


def list_amendments(session: Session, draw: str) -> list[Amendment]:
    """Return what changed after the announcement, in order."""
    return list(
        session.scalars(
            select(Amendment).where(col(Amendment.draw_id) == draw).order_by(col(Amendment.sequence))
        )
    )


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
        pending = _pending(session, draw)
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


def _pending(session: Session, draw: str) -> Mapping[str, Any] | None:
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


def amend(
    session: Session, draw: str, kind: str, reason: str, document: dict[str, Any], actor: Actor, now: datetime
) -> Amendment:
    """Append an amendment of a draw and return it."""
    last = session.scalars(select(func.max(Amendment.sequence)).where(col(Amendment.draw_id) == draw)).one()
    amendment = Amendment(
        draw_id=draw,
        sequence=(last or 0) + 1,
        type=kind,
        reason=reason,
        document=document,
        at=now,
        by=actor.name,
    )
    session.add(amendment)
    session.flush()
    return amendment


def _affected(session: Session, draw: str, row: Mapping[str, Any]) -> set[str]:
    """Return the audiences of the visits that a row is about, as they are now."""
    enterprises = {visit["enterprise"] for visit in row.get("visits", ())}
    enterprises |= {row["enterprise"]} if "enterprise" in row else set()
    checks = session.scalars(
        select(Check)
        .join(Visit, col(Check.visit_id) == Visit.id)
        .where(col(Visit.draw_id) == draw, col(Visit.enterprise).in_(enterprises))
    )
    return audiences(checks)


def audiences(checks: Any) -> set[str]:
    """Return whom to tell about these checks: departments and inspectors."""
    found: set[str] = set()
    for check in checks:
        found.add(f"department:{check.department_id}")
        found |= {f"inspector:{code}" for code in check.crew}
    return found


def checks_of(session: Session, visit: int) -> list[Check]:
    """Return the checks of a visit by task."""
    return list(session.scalars(select(Check).where(col(Check.visit_id) == visit).order_by(col(Check.task))))


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
    else:
        listed = ", ".join(f"{names[v['enterprise']]} {v['date'] or '-'}" for v in row["visits"]) or "-"
        body = (f"递补的检查：{listed}。", f"Substituted visits: {listed}.")
    for audience in sorted(people | {"role:dispatcher"}):
        tell(session, row["type"], audience, draw, body, now=now)
    for zh, en in change.alarms:
        for audience in ("role:auditor", "role:dispatcher"):
            once = f"change-alarm:{draw}:{row['number']}:{audience}:{en}"[:200]
            tell(session, "alarm", audience, draw, (zh, en), now=now, once=once)


def _open_draw(session: Session, draw: str) -> DrawRow:
    row = session.get(DrawRow, draw)
    if row is None:
        raise unknown_draw(draw)
    if row.state is not DrawState.DRAWN:
        raise not_open(draw)
    return row


def _require_no_findings(session: Session, visits: list[int], enterprise: str) -> None:
    found = (
        select(col(Finding.id))
        .join(Check, col(Finding.check_id) == Check.id)
        .where(col(Check.visit_id).in_(visits))
    )
    if session.scalars(found.limit(1)).first() is not None:
        raise conflict(
            "already-inspected",
            enterprise,
            (
                "已登记检查结果，不能再更改这次检查",
                "findings were entered: the visit cannot be changed any more",
            ),
            ("结果有误的，更正结果。", "Correct wrong findings."),
        )


def _no_reason(reason: str, known: Mapping[str, Any]) -> RefusedError:
    listed = ", ".join(known)
    return RefusedError(
        "change-reason",
        reason,
        {"zh": "没有这个理由代码", "en": "no such reason code"},
        {"zh": f"可用：{listed}。", "en": f"Allowed: {listed}."},
    )


def not_open(draw: str) -> ConflictError:
    """Return the refusal for a draw that cannot be changed."""
    return conflict(
        "draw-not-open",
        draw,
        ("该抽取尚未执行，或已结束", "this draw has no result yet, or has ended"),
        ("已结束的抽取只能更正检查结果。", "Of a draw that has ended only findings can be corrected."),
    )


def conflict(code: str, value: str, said: tuple[str, str], remedy: tuple[str, str]) -> ConflictError:
    """Return a refusal in both languages; ``said`` and ``remedy`` are Chinese, English."""
    return ConflictError(code, value, {"zh": said[0], "en": said[1]}, {"zh": remedy[0], "en": remedy[1]})
