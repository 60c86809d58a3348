"""Contributions: a department commits to a nonce before the announcement and reveals it after, or does not.

What it signs names the draw, so the draw's number has to be known before: :func:`next_draw`. A nonce that is not revealed in
time is replaced by its commitment; nothing else happens. Both steps may come as a file from somebody without access, since
the signature, and not who hands it in, says whose it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.hashing import suite_digest
from dualrandom.log.note import decode, ed25519_verifies
from dualrandom.seed import commitment_of, contribution_statement
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.database import locked
from dualrandom.store.errors import ConflictError, ForbiddenError, RefusedError, UnknownError, unknown
from dualrandom.store.jobs import enqueue
from dualrandom.store.messages import tell
from dualrandom.store.tables import (
    ContributionRow,
    Department,
    DrawRow,
    DrawState,
    Job,
    Office,
    PlanRow,
    PlanState,
    Role,
)

REVEAL = "reveal"
"""Kind of the job that publishes and logs a revealed nonce; its subject is the draw."""
_HEX = frozenset("0123456789abcdef")


def next_draw(session: Session, plan: PlanRow) -> str:
    """Return the id that the plan's next announcement gets; after a void it is another one."""
    voids = select(col(DrawRow.id)).where(
        col(DrawRow.plan_id) == plan.id, col(DrawRow.state) == DrawState.VOID
    )
    head = plan.document.get("plan", {})
    year = str(head.get("period", {}).get("start", ""))[:4]
    number = head.get("number", 1)
    first = number if isinstance(number, int) else 1
    return f"{head.get('authority', '')}-{year}-{first + len(list(session.scalars(voids))):06d}"


def suite_of(plan: PlanRow) -> str:
    """Return the plan's hash suite."""
    return "sm3" if plan.document.get("plan", {}).get("suite") == "sm3" else "sha256"


def parties(plan: PlanRow) -> list[dict[str, Any]]:
    """Return the parties that the plan names: ``party``, ``name``, ``reveal``, and ``office`` if its nonce is made in the office."""
    found = plan.document.get("contributions") or []
    return [row for row in found if isinstance(row, dict) and isinstance(row.get("party"), str)]


def signed_for(session: Session, plan: PlanRow, draw: str) -> dict[str, ContributionRow]:
    """Return party → what it committed to for this draw."""
    found = select(ContributionRow).where(
        col(ContributionRow.plan_id) == plan.id, col(ContributionRow.draw_id) == draw
    )
    return {row.party: row for row in session.scalars(found)}


def commit(
    session: Session,
    plan_id: str,
    party: str,
    *,
    draw: str,
    key: str,
    commitment: str,
    signature: str,
    suite: str = "sha256",
    actor: Actor,
    now: datetime,
) -> ContributionRow:
    """Keep a party's signed commitment for the plan's next draw; a new one replaces it as long as nothing is announced.

    ``key``: base64 Ed25519 public key; ``commitment``: 64 hex; ``signature``: base64, over the statement of protocol §4. Raises
    UnknownError, ForbiddenError, ConflictError ``plan-announced``, RefusedError ``contribution-other-draw``,
    ``contribution-not-signed``, ``commitment-form``.
    """
    locked(session, Office, 1)
    plan = locked(session, PlanRow, plan_id)
    if plan is None:
        raise unknown("unknown-plan", plan_id, f"没有计划 {plan_id}", f"there is no plan {plan_id}")
    _require_own(actor, party)
    named = next((row for row in parties(plan) if row["party"] == party), None)
    if named is None:
        raise unknown_party(party)
    if plan.state not in {PlanState.DRAFT, PlanState.INVITING}:
        raise announced(plan_id)
    expected = next_draw(session, plan)
    if draw != expected:
        raise RefusedError(
            "contribution-other-draw",
            draw,
            {
                "zh": f"该承诺针对抽取 {draw}，而下一次抽取是 {expected}",
                "en": f"it is for draw {draw}, the next one is {expected}",
            },
            {
                "zh": f"请对抽取编号 {expected} 重新承诺并签名。",
                "en": f"Commit and sign again for draw {expected}.",
            },
        )
    if suite != suite_of(plan):
        raise RefusedError(
            "contribution-other-suite",
            suite,
            {"zh": f"本计划使用 {suite_of(plan)}", "en": f"this plan uses {suite_of(plan)}"},
            {"zh": "用该散列算法重新承诺。", "en": "Commit again with that hash suite."},
        )
    _require_signed(draw, party, key, commitment, signature)
    row = signed_for(session, plan, draw).get(party)
    if row is not None and (row.key, row.commitment, row.signature) == (key, commitment, signature):
        return row
    if row is None:
        row = ContributionRow(
            plan_id=plan_id,
            draw_id=draw,
            party=party,
            name=str(named.get("name", party)),
            key=key,
            commitment=commitment,
            signature=signature,
            committed_at=now,
        )
    else:
        row.key, row.commitment, row.signature, row.committed_at = key, commitment, signature, now
        row.version += 1
    session.add(row)
    plan.version += 1
    session.add(plan)
    activity.record(
        session, actor, "commit", plan_id, now, {"commitment": commitment, "draw": draw, "party": party}
    )
    if actor.department != party and session.get(Department, party) is not None:
        # the key comes with the commitment, so only the party can say whether it is its own
        tell(
            session,
            "commitment",
            f"department:{party}",
            plan_id,
            (
                f"{actor.name} 为本部门提交了对抽取 {draw} 的承诺 {commitment}。如非本部门所作，请重新提交自己的承诺。",
                f"{actor.name} handed in the commitment {commitment} to draw {draw} for your department. Not yours? Hand in your own.",
            ),
            now=now,
        )
    return row


def reveal(
    session: Session, draw_id: str, party: str, nonce: str, *, actor: Actor, now: datetime
) -> tuple[ContributionRow, Job]:
    """Take a party's nonce between the announcement and its deadline; a job publishes it and puts it into the log.

    The same nonce again changes nothing. Raises UnknownError, ForbiddenError, ConflictError ``reveal-too-late`` or
    ``draw-ended``, RefusedError ``nonce-differs`` or ``nonce-form``.
    """
    locked(session, Office, 1)
    draw = locked(session, DrawRow, draw_id)
    if draw is None:
        raise unknown("unknown-draw", draw_id, f"没有抽取 {draw_id}", f"there is no draw {draw_id}")
    _require_own(actor, party)
    plan = session.get_one(PlanRow, draw.plan_id)
    row = signed_for(session, plan, draw_id).get(party)
    if row is None:
        raise unknown_party(party)
    if len(nonce) != 64 or not set(nonce) <= _HEX:
        raise RefusedError(
            "nonce-form",
            party,
            {"zh": "随机数应为 64 位小写十六进制", "en": "a nonce is 64 lower-case hex digits"},
            {
                "zh": "交回承诺时生成的随机数原文。",
                "en": "Hand in the nonce that the commitment was made of.",
            },
        )
    if commitment_of(draw_id, party, nonce, suite_digest(suite_of(plan))) != row.commitment:
        raise RefusedError(
            "nonce-differs",
            party,
            {
                "zh": f"随机数与 {party} 的承诺不符",
                "en": f"the nonce does not match the commitment of {party}",
            },
            {"zh": "核对是否为本次抽取的随机数。", "en": "Check that it is the nonce of this draw."},
        )
    if row.nonce is None:
        if draw.state is not DrawState.ANNOUNCED:
            raise ConflictError(
                "draw-ended",
                draw_id,
                {"zh": "该抽取已有结果或已作废", "en": "this draw has its result, or is void"},
                {
                    "zh": "种子已用其承诺代替，不必处理。",
                    "en": "The seed has its commitment instead; nothing to do.",
                },
            )
        if now >= min(draw.reveal_by, draw.due):
            raise ConflictError(
                "reveal-too-late",
                min(draw.reveal_by, draw.due).isoformat(),
                {"zh": "公开随机数的期限已过", "en": "the deadline for revealing has passed"},
                {
                    "zh": "种子将用其承诺代替，不必处理。",
                    "en": "The seed takes its commitment instead; nothing to do.",
                },
            )
        row.nonce, row.revealed_at = nonce, now
        row.version += 1
        session.add(row)
        activity.record(session, actor, "reveal", draw_id, now, {"party": party})
    job = enqueue(
        session,
        REVEAL,
        draw_id,
        now=now,
        by=actor.name,
        arguments={"party": party},
        unique_key=f"{REVEAL}:{draw_id}:{party}",
    )
    return row, job


def contributions(session: Session, plan_id: str, draw: str) -> Sequence[ContributionRow]:
    """Return what parties committed to for one draw, by party."""
    found = select(ContributionRow).where(
        col(ContributionRow.plan_id) == plan_id, col(ContributionRow.draw_id) == draw
    )
    return sorted(session.scalars(found), key=lambda row: row.party)


def announced(plan_id: str) -> ConflictError:
    """Return the refusal of a change after the announcement."""
    return ConflictError(
        "plan-announced",
        plan_id,
        {"zh": "计划已公告，不能再改", "en": "the plan has been announced and cannot be changed any more"},
        {
            "zh": "公告以后只能退出、增补或说明理由作废，再公告新的一次抽取。",
            "en": "After announcing only withdrawals and amendments, or a reasoned void and a new draw.",
        },
    )


def unknown_party(party: str) -> UnknownError:
    """Return the error for a party that has no contribution here."""
    return unknown("unknown-party", party, f"没有贡献方 {party}", f"there is no contributing party {party}")


def _require_own(actor: Actor, party: str) -> None:
    """A department speaks for itself only; the dispatcher hands in files for those without access."""
    if actor.role == Role.DEPARTMENT and actor.department != party:
        raise unknown_party(party)
    if actor.role not in {Role.DEPARTMENT, Role.DISPATCHER}:
        raise ForbiddenError(
            "not-your-role",
            actor.role,
            {"zh": "只有贡献方或调度员可以提交", "en": "only the party or the dispatcher may hand it in"},
            {"zh": "请该部门提交。", "en": "Ask the party."},
        )


def _require_signed(draw: str, party: str, key: str, commitment: str, signature: str) -> None:
    if len(commitment) != 64 or not set(commitment) <= _HEX:
        raise RefusedError(
            "commitment-form",
            commitment[:80],
            {"zh": "承诺应为 64 位小写十六进制", "en": "a commitment is 64 lower-case hex digits"},
            {"zh": "按协议第 4 节计算。", "en": "Compute it as protocol §4 says."},
        )
    public, value = decode(key), decode(signature)
    statement = contribution_statement(draw, party, commitment)
    if public is None or value is None or not ed25519_verifies(public, value, statement):
        raise RefusedError(
            "contribution-not-signed",
            party,
            {
                "zh": f"签名不是 {party} 的密钥对抽取 {draw} 的承诺所签",
                "en": f"it is not signed by that key for draw {draw}",
            },
            {
                "zh": f"对 dualrandom/v1/contribution、{draw} {party} 与承诺签名（协议第 4 节）。",
                "en": "Sign the statement of protocol §4 with the key that is handed in.",
            },
        )
