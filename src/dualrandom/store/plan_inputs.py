"""The files of a campaign folder, from a plan's rows and the libraries' revisions: what the engine reads."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.campaign.inputs import PREVIOUS
from dualrandom.flags import snapshot
from dualrandom.policy.reader import POLICIES, WORKING_DAYS, read_plan
from dualrandom.registry.columns import KINDS
from dualrandom.registry.models import Enterprise, Libraries
from dualrandom.registry.reader import read_library
from dualrandom.store.blobs import Vault
from dualrandom.store.contributing import next_draw, parties, signed_for
from dualrandom.store.days import notices_toml
from dualrandom.store.libraries import library_csv, rows_of
from dualrandom.store.library_cells import csv_of
from dualrandom.store.plan_text import text_of
from dualrandom.store.plans import joins_of, tasks_of, unknown_plan
from dualrandom.store.policies import cited_files
from dualrandom.store.tables import (
    Department,
    DrawRow,
    DrawState,
    JoinState,
    LedgerEntry,
    PlanRow,
)
from dualrandom.store.workspace import files_of
from dualrandom.toml_text import read_toml

LOG_FOLDER = "../log"
"""Where :mod:`dualrandom.store.workspace` lays the authority's log."""
TAKING_PART = (JoinState.CONFIRMED,)
"""Who is in the plan's next draw. What an announced draw has stands in its own files, whoever withdraws from it later."""
APART = frozenset({"tasks", "departments", "libraries"})
COMMITTED = frozenset({"key", "commitment", "signature"})
_ANNOUNCED = frozenset({"plan.toml", "enterprises.csv", WORKING_DAYS})
"""Files of a draw's folder that tell which classes and scopes it had."""


def plan_toml(session: Session, plan_id: str, states: Collection[JoinState] | None = TAKING_PART) -> str:
    """Return the whole plan.toml, with the tasks of the departments whose join is in one of ``states`` (None: all tasks).

    Raises UnknownError.
    """
    plan = session.get(PlanRow, plan_id)
    if plan is None:
        raise unknown_plan(plan_id)
    found = joins_of(session, plan_id)
    joins = {join.department_id: join for join in found if states is None or join.state in states}
    departments = session.scalars(select(Department).order_by(col(Department.id)))
    document = {name: plan.document[name] for name in plan.document if name not in APART}
    document["log"] = {**(plan.document.get("log") or {}), "folder": LOG_FOLDER}
    document["contributions"] = _contributions(session, plan)
    # all of them, since libraries may name departments that take no part
    document["departments"] = [
        {
            "id": one.id,
            "name": one.name,
            "name_en": one.name_en,
            "seats": (joins[one.id].seats if one.id in joins else None) or one.seats or None,
        }
        for one in departments
        if one.active or one.id in joins
    ]
    document["tasks"] = [
        {"id": task.id, "department": task.department_id, **task.document}
        for task in tasks_of(session, plan_id)
        if states is None or task.department_id in joins
    ]
    if not document["tasks"]:
        # an empty list is no table; that tasks are missing is said as such
        del document["tasks"]
    return text_of(document)


def inputs_of(
    session: Session,
    vault: Vault,
    plan_id: str,
    revisions: Mapping[str, int],
    states: Collection[JoinState] = TAKING_PART,
) -> dict[str, bytes]:
    """Return name → content of every file that a campaign folder of this plan has before it is announced.

    ``revisions``: library kind → the revision to freeze. Only inspectors that their department has named take part; past visits
    are the library's and what the ledger has since. Raises UnknownError.
    """
    plan = session.get(PlanRow, plan_id)
    if plan is None:
        raise unknown_plan(plan_id)
    text = plan_toml(session, plan_id, states)
    files = {"plan.toml": text.encode()}
    chosen = {
        join.department_id: frozenset(join.inspectors)
        for join in joins_of(session, plan_id)
        if join.state in states and join.inspectors is not None
    }
    absent: set[str] = set()
    for kind in KINDS:
        if kind == "visits":
            continue
        if kind not in revisions:
            continue
        if chosen and kind == "inspectors":
            people = list(rows_of(session, kind, revisions[kind]))
            absent = {
                row["code"]
                for row in people
                if row["department"] in chosen and row["code"] not in chosen[row["department"]]
            }
            files["inspectors.csv"] = csv_of(kind, (row for row in people if row["code"] not in absent))
        elif absent and kind == "recusals":
            rows = rows_of(session, kind, revisions[kind])
            files["recusals.csv"] = csv_of(
                kind, (row for row in rows if absent.isdisjoint((row["inspector"], row["other"])))
            )
        else:
            files[f"{kind}.csv"] = library_csv(session, kind, revisions[kind])
    visits = _visits(session, revisions.get("visits"))
    if visits is not None:
        files["visits.csv"] = visits
    files |= cited_files(session, cited_policies(text))
    notices = notices_toml(session)
    if notices is not None:
        files[WORKING_DAYS] = notices
    previous = _previous(session, vault, plan)
    if previous is not None:
        files[PREVIOUS] = previous
    return files


def rules_of(session: Session, plan_id: str) -> dict[str, str]:
    """Return name → SHA-256 of what an announcement takes besides libraries: the whole plan, policies that it cites, notices of working days.

    Departments' seats are in the plan; none of this has a version that rises with the plan's. Raises UnknownError.
    """
    text = plan_toml(session, plan_id)
    files = {"plan.toml": text.encode(), **cited_files(session, cited_policies(text))}
    notices = notices_toml(session)
    if notices is not None:
        files[WORKING_DAYS] = notices
    return {name: hashlib.sha256(content).hexdigest() for name, content in sorted(files.items())}


def _visits(session: Session, revision: int | None) -> bytes | None:
    """Past visits: the library's, and what has been entered into the ledger; one that is in both counts once."""
    library = [] if revision is None else list(rows_of(session, "visits", revision))
    ledger = [
        {
            "date": entry.date.isoformat(),
            "department": entry.department_id,
            "enterprise": entry.enterprise,
            "inspectors": ";".join(sorted(entry.inspectors)),
            "item": entry.item,
            "kind": entry.kind,
            "task": entry.task,
        }
        for entry in session.scalars(
            select(LedgerEntry).where(col(LedgerEntry.done)).execution_options(yield_per=5000)
        )
    ]
    if revision is None and not ledger:
        return None
    rows = {
        tuple(sorted((name, text) for name, text in row.items() if text)): row for row in (*library, *ledger)
    }
    return csv_of("visits", (rows[key] for key in sorted(rows)))


def cited_policies(text: str) -> set[str]:
    """Return the ids of the policies that a plan.toml and its tasks name."""
    document = read_toml(text)
    tables = [document.get("plan"), *(document.get("tasks") or ())]
    found = [table.get("policies") for table in tables if isinstance(table, dict)]
    return {name for names in found if isinstance(names, list) for name in names if isinstance(name, str)}


def _previous(session: Session, vault: Vault, plan: PlanRow) -> bytes | None:
    """Return the classes and scopes of the plan before, as :func:`dualrandom.flags.snapshot` writes them."""
    if plan.copied_from is None:
        return None
    last = session.scalars(
        select(DrawRow)
        .where(col(DrawRow.plan_id) == plan.copied_from, col(DrawRow.state) != DrawState.VOID)
        .order_by(col(DrawRow.announced_at).desc())
        .limit(1)
    ).one_or_none()
    if last is None:
        return None
    with tempfile.TemporaryDirectory(prefix="dualrandom-") as made:
        folder = Path(made)
        for name, blob in files_of(session, last.id):
            if name in _ANNOUNCED or name.startswith(f"{POLICIES}/"):
                (folder / name).parent.mkdir(exist_ok=True)
                (folder / name).write_bytes(vault.opened(blob))
        read = read_plan(folder / "plan.toml").plan
        if read is None:
            return None
        firms = read_library("enterprises", folder / "enterprises.csv", None, read).rows
    enterprises = tuple(firm for firm in firms if isinstance(firm, Enterprise))
    return snapshot(read, Libraries(enterprises, (), (), (), ()))


def _contributions(session: Session, plan: PlanRow) -> list[dict[str, Any]]:
    signed = signed_for(session, plan, next_draw(session, plan))
    rows = []
    for party in parties(plan):
        row = {key: value for key, value in party.items() if key != "office"}
        found = signed.get(party["party"])
        if found is not None:
            row |= {name: getattr(found, name) for name in sorted(COMMITTED)}
        rows.append(row)
    return rows
