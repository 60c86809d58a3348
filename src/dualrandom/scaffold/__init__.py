"""A new campaign's folder: from filled-in spreadsheets, or from the last campaign (dualrandom new)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from dualrandom.errors import Language
from dualrandom.scaffold.folder import Created
from dualrandom.scaffold.from_campaign import new_from_campaign
from dualrandom.scaffold.from_files import DAYS_AHEAD, new_from_files

__all__ = ["Created", "new_campaign", "new_from_campaign", "new_from_files"]


def new_campaign(
    folder: Path,
    sources: Sequence[Path],
    *,
    now: datetime | None = None,
    days_ahead: int = DAYS_AHEAD,
    language: Language = "zh",
) -> Created:
    """Make ``folder`` from spreadsheets, or, if the only source is a folder, from the campaign in it.

    ``now`` (aware) is the present if None: randomness and period lie after it. Raises ``InputError`` with all problems
    of the sources, ``DualRandomError`` if something is in the way; nothing is overwritten.
    """
    moment = datetime.now(UTC) if now is None else now
    if len(sources) == 1 and sources[0].is_dir():
        return new_from_campaign(folder, sources[0], now=moment, days_ahead=days_ahead)
    return new_from_files(folder, sources, now=moment, days_ahead=days_ahead, language=language)
