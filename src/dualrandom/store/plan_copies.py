"""Where a plan begins: as a copy of the last one for the month after it, or as a template for what is in the libraries."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlmodel import Session

from dualrandom.errors import InputError
from dualrandom.policy.documents import Policy, parse_policy
from dualrandom.policy.plan import Plan
from dualrandom.policy.reader import PlanResult, parse_plan
from dualrandom.policy.writer import write_plan
from dualrandom.registry.columns import KINDS
from dualrandom.scaffold.from_campaign import next_plan
from dualrandom.scaffold.from_files import new_from_files
from dualrandom.store.activity import Actor
from dualrandom.store.contributing import parties
from dualrandom.store.days import notices
from dualrandom.store.errors import ConflictError
from dualrandom.store.libraries import current_revisions, library_csv
from dualrandom.store.plan_inputs import cited_policies, plan_toml
from dualrandom.store.plan_text import json_of
from dualrandom.store.planning import create_from
from dualrandom.store.plans import plan_of
from dualrandom.store.policies import cited_files
from dualrandom.store.tables import Office, PlanRow

DAYS_AHEAD = 7
"""From today to the beacon of a copied plan."""


def read_back(session: Session, text: str) -> PlanResult:
    """Read a plan.toml with the office's own policies and notices of working days."""
    own: dict[str, Policy] = {}
    for content in cited_files(session, cited_policies(text)).values():
        policy = parse_policy(content, "policy.toml").policy
        if policy is not None:
            own[policy.id] = policy
    return parse_plan(text.encode(), "plan.toml", own, notices(session))


def copy_plan(
    session: Session,
    plan_id: str,
    *,
    actor: Actor,
    now: datetime,
    new_id: str | None = None,
    title: str | None = None,
) -> PlanRow:
    """Make a draft for the month after ``plan_id``: the same rules and tasks, new dates, the next number; nobody has joined yet.

    Commitments hold for one draw and are not copied. Raises UnknownError, InputError if the plan cannot be read, ConflictError.
    """
    last = plan_of(session, plan_id, actor)
    read = read_back(session, plan_toml(session, plan_id, None))
    if read.plan is None:
        raise InputError(read.problems)
    plan, _ = next_plan(read.plan, (), now, DAYS_AHEAD)
    document = _document(plan)
    document["plan"]["id"] = new_id or plan.id
    made_here = {row["party"] for row in parties(last) if row.get("office")}
    for row in document.get("contributions", ()):
        if row["party"] in made_here:
            row["office"] = True
    return create_from(session, document, actor=actor, now=now, title=title, copied_from=plan_id)


def template(session: Session, now: datetime) -> dict[str, Any]:
    """Return a plan for what is in the libraries: departments, districts, classes, a task for each department's items.

    What only a person can say is a placeholder that the plan's reader refuses. Raises ConflictError ``library-missing``.
    """
    revisions = current_revisions(session)
    missing = sorted({"enterprises", "inspectors", "items"} - revisions.keys())
    if missing:
        raise ConflictError(
            "library-missing",
            ", ".join(missing),
            {
                "zh": "名录尚不齐全，无法由其生成计划",
                "en": "libraries are missing that a plan could be made from",
            },
            {
                "zh": "先导入检查对象、检查人员和事项清单。",
                "en": "Import enterprises, inspectors and items first.",
            },
        )
    office = session.get_one(Office, 1)
    with tempfile.TemporaryDirectory(prefix="dualrandom-") as made:
        folder = Path(made)
        files = []
        for kind in KINDS:
            if kind in {"enterprises", "inspectors", "items"}:
                files.append(folder / f"{kind}.csv")
                files[-1].write_bytes(library_csv(session, kind, revisions[kind]))
        created = new_from_files(folder / "plan", files, now=now, days_ahead=DAYS_AHEAD)
        document = json_of((created.folder / "plan.toml").read_text("utf-8"))
    head = document["plan"]
    # the service knows who it belongs to, and counts the draws itself
    head |= {
        "authority": office.authority,
        "authority_name": office.name,
        "authority_name_en": office.name_en,
    }
    head["timezone"] = office.timezone
    del head["number"]
    document.pop("libraries", None)
    return document


def _document(plan: Plan) -> dict[str, Any]:
    document = json_of(write_plan(plan))
    for table in ("libraries", "departments", "log"):
        document.pop(table, None)
    del document["plan"]["number"]
    return document
