"""Publishing a revealed nonce: into the draw's record and the authority's log, then cosigned again, all before the round."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.campaign import Revealed, reveal
from dualrandom.campaign.contributing import FOLDER
from dualrandom.contribution import REVEAL_FILE, reveal_document
from dualrandom.store import activity
from dualrandom.store.contributing import unknown_party
from dualrandom.store.jobs import enqueue, finish
from dualrandom.store.tables import ContributionRow, Job
from dualrandom.store.workspace import Keeping, run


def publish_nonce(keeping: Keeping, draw: str, party: str, *, now: datetime, job: Job) -> Revealed:
    """Publish and log the nonce that a party has handed in, and end the job; a job's work.

    Raises UnknownError, StateError (too late, or the draw is void): then its commitment takes its place in the seed.
    """
    with keeping.database.reading() as session:
        found = select(ContributionRow).where(
            col(ContributionRow.draw_id) == draw, col(ContributionRow.party) == party
        )
        row = session.scalars(found).one_or_none()
    if row is None or row.nonce is None:
        raise unknown_party(party)
    nonce = row.nonce

    def step(folder: Path) -> Revealed:
        path = folder / FOLDER / REVEAL_FILE.format(party=party)
        path.parent.mkdir(mode=0o700, exist_ok=True)
        path.write_bytes(reveal_document(draw, party, nonce))
        return reveal(folder, now, [party])

    def after(session: Session, revealed: Revealed, _folder: Path) -> None:
        activity.record(session, activity.SERVICE, "nonce-published", draw, now, {"party": party})
        # what the witnesses have cosigned must cover the nonce
        enqueue(session, "cosign", draw, now=now, by="service", unique_key=f"cosign:{draw}:{party}")
        finish(session, job, now, result={"draw": draw, "party": party, "published": bool(revealed.revealed)})

    return run(keeping, draw, step, job=job, after=after)
