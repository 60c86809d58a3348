"""The published folder: which files belong to the current draw, and the page made from them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dualrandom.campaign.folder import Campaign, write_public
from dualrandom.changes import read_rows

DOCUMENTS = (
    "announcement.json",
    "frame.jsonl",
    "roster.jsonl",
    "recusals.jsonl",
    "strata.jsonl",
    "announced.checkpoint",
    "beacon.json",
    "seed.txt",
    "result.json",
    "cutoffs.jsonl",
    "visits.jsonl",
    "openings.jsonl",
    "ties.json",
    "statistics.json",
    "labels.json",
    "changes.jsonl",
    "findings.json",
    "attest.json",
    "void.json",
    "index.html",
)


def published_files(public: Path) -> Iterator[Path]:
    """Yield the current draw's documents that exist, not those of voided draws."""
    for name in DOCUMENTS:
        path = public / name
        if path.is_file():
            yield path
    yield from sorted((public / "reveals").glob("*.json"))


def published_changes(campaign: Campaign) -> tuple[dict[str, Any], ...]:
    """Return the rows of ``changes.jsonl``, none before the first change."""
    path = campaign.public / "changes.jsonl"
    return read_rows(path.read_bytes()) if path.is_file() else ()


def write_index(public: Path) -> None:
    """Write ``index.html`` from the published documents alone."""
    from dualrandom.page import render_index  # noqa: PLC0415

    files = {
        path.relative_to(public).as_posix(): path.read_bytes()
        for path in published_files(public)
        if path.name != "index.html"
    }
    write_public(public, {"index.html": render_index(files)})
