"""The demonstration town drawn by the service, in a database of its own for each module."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from dualrandom.relay import Attempt, Wanted
from dualrandom.store import jobs
from dualrandom.store.activity import Actor
from dualrandom.store.announcing import Ready, announce_plan
from dualrandom.store.blobs import Vault
from dualrandom.store.changes import carry_out
from dualrandom.store.database import Database
from dualrandom.store.deadlines import close
from dualrandom.store.drawing import draw_now
from dualrandom.store.publishing import publish
from dualrandom.store.tables import Department, Job, Outbox, PlanRow, Visit
from dualrandom.store.workspace import Keeping, lay_out

ANNOUNCED = datetime(2023, 8, 21, 2, 0, tzinfo=UTC)
DRAWN = datetime(2023, 8, 23, 15, 59, 24, tzinfo=UTC)
DISPATCHER = Actor("user:dispatcher", "dispatcher")
ROUNDS = {
    "1000": "b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39",
    "1001": "b33bf3667cbd5a82de3a24b4e0e9fe5513cc1a0e840368c6e31f5fcfa79bea03f73896b25883abf2853d10337fb8fa41",
}


def fetch(wanted: Wanted) -> Attempt:
    """The beacon as far as it is known here."""
    if wanted.round not in ROUNDS:
        return Attempt(None)
    return Attempt(json.dumps({"round": int(wanted.round), "signature": ROUNDS[wanted.round]}).encode())


@dataclass
class Drawn:
    """A drawn town: ``do`` runs the due jobs of some kinds at an instant."""

    database: Database
    vault: Vault
    keeping: Keeping
    draw: str

    def do(self, now: datetime, *kinds: str) -> list[Job]:
        done = []
        wanted = kinds or ("change", "findings", "close")
        while job := jobs.claim(self.database, "test", now, wanted):
            if job.kind == "change":
                carry_out(self.keeping, job, now=now, fetch=fetch)
            elif job.kind == "findings":
                publish(self.keeping, job, now)
            else:
                with self.database.writing() as session:
                    result = close(session, job.subject, actor=Actor("service", "service"), now=now)
                    jobs.finish(session, job, now, result=result)
            done.append(job)
            with self.database.reading() as session:
                kept = session.get(Job, job.id)
                if kept is not None and kept.state == "queued":
                    return done
        return done

    def visits(self) -> list[Visit]:
        with self.database.reading() as session:
            rows = (
                select(Visit).where(col(Visit.draw_id) == self.draw).order_by(col(Visit.day), col(Visit.id))
            )
            return list(session.scalars(rows))

    def messages(self, kind: str) -> dict[str, str]:
        with self.database.reading() as session:
            rows = session.scalars(select(Outbox).where(col(Outbox.kind) == kind).order_by(col(Outbox.id)))
            return {row.audience: row.body_en for row in rows}

    def folder(self, to: Path) -> Path:
        """The campaign as files."""
        to.mkdir()
        with self.database.reading() as session:
            lay_out(session, self.vault, to, self.draw)
        return to / "campaign"


@pytest.fixture(scope="module")
def drawn(town: Any) -> Drawn:
    return draw_town(town)


def draw_town(town: Any) -> Drawn:
    keeping = Keeping(town.database, town.vault)
    with town.database.reading() as session:
        version = session.get_one(PlanRow, town.plan).version
        assert session.get(Department, "amr") is not None
    draw = announce_plan(keeping, Ready(town.plan, version), actor=DISPATCHER, now=ANNOUNCED)
    job = jobs.claim(town.database, "test", DRAWN + timedelta(minutes=5), ["draw"])
    assert job is not None
    assert draw_now(keeping, draw, now=DRAWN, job=job, fetch=fetch) is not None
    return Drawn(town.database, town.vault, keeping, draw)
