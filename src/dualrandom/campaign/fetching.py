"""The evidence of a campaign's rounds: from the file that a person brought, else from relays into that file.

Fetched evidence is checked before it is kept, in the place where ``draw`` and ``substitute`` look for it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from dualrandom.beacon import read_evidence
from dualrandom.campaign.folder import Campaign, write_public
from dualrandom.campaign.publishing import published_changes
from dualrandom.campaign.state import announcement_of, state_of_folder
from dualrandom.ceremony import Phase
from dualrandom.errors import DualRandomError
from dualrandom.relay import RELAYS, Attempt, Get, Wanted, ask, http_get, wait


@dataclass(frozen=True, slots=True)
class Round:
    """A round that a campaign needs next, and the file in which its evidence is kept."""

    wanted: Wanted
    path: Path

    def is_there(self) -> bool:
        """Say whether the file is there; what it holds is for its reader to judge."""
        return self.path.exists()


def next_round(folder: Path) -> Round | None:
    """Return the round that the draw, or the oldest exclusion without substitute, waits for; None if nothing waits for one.

    Raises StateError ``not-announced``.
    """
    campaign = Campaign(folder)
    ceremony = state_of_folder(folder).announced()
    document = announcement_of(campaign, ceremony)
    beacon = document["beacon"]
    if beacon["kind"] == "local" or ceremony.phase is Phase.VOID:
        return None
    # the deadlines of a rehearsal lie where its round does: in the past
    last = "result" if ceremony.phase < Phase.PUBLISHED else "findings"
    deadline = None if ceremony.due is None else datetime.fromisoformat(document["deadlines"][last])
    number, due, path = beacon["round"], beacon["time"], campaign.folder / "beacon.json"
    if ceremony.phase >= Phase.PUBLISHED:
        rows = published_changes(campaign)
        exclusions = [row for row in rows if row["type"] == "exclude"]
        pending = exclusions[sum(row["type"] == "substitute" for row in rows) :]
        if not pending or pending[0]["beacon"] is None:
            return None
        number, due = pending[0]["beacon"]["round"], pending[0]["beacon"]["time"]
        path = campaign.folder / f"beacon-{number}.json"
    wanted = Wanted(beacon["kind"], beacon["source"], number, datetime.fromisoformat(due), deadline)
    return Round(wanted, path)


def fetch(
    needed: Round,
    *,
    relays: Sequence[str] = RELAYS,
    get: Get = http_get,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Attempt:
    """Ask the relays once, unless the file is there or the round is not due; keep evidence that holds."""
    if needed.is_there() or now() < needed.wanted.due:
        return Attempt(None)
    return _kept(needed, ask(needed.wanted, relays, get))


def wait_for(
    needed: Round,
    *,
    relays: Sequence[str] = RELAYS,
    get: Get = http_get,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], None] = time.sleep,
    tell: Callable[[Attempt, float], None] = lambda _attempt, _pause: None,
) -> None:
    """Wait until the evidence is there, brought as a file or from a relay. Raises DualRandomError ``beacon-overdue``."""

    def look() -> Attempt:
        wanted = needed.wanted
        if not needed.is_there():
            return _kept(needed, ask(wanted, relays, get))
        data = needed.path.read_bytes()
        try:
            # it may be half copied: then it is looked at again
            read_evidence(wanted.kind, wanted.round, data, str(needed.path))
        except DualRandomError as problem:
            return Attempt(None, ((str(needed.path), problem.message("zh"), problem.message("en")),))
        return Attempt(data)

    wait(needed.wanted, look, now, sleep, tell)


def _kept(needed: Round, attempt: Attempt) -> Attempt:
    if attempt.data is not None:
        write_public(needed.path.parent, {needed.path.name: attempt.data})
    return attempt
