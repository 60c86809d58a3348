"""The published folder: which files belong to the current draw, and the page made from them."""

from __future__ import annotations

import json
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
    yield from sorted((public / "exclusions").glob("*.checkpoint"))


def published_changes(campaign: Campaign) -> tuple[dict[str, Any], ...]:
    """Return the rows of ``changes.jsonl``, none before the first change."""
    path = campaign.public / "changes.jsonl"
    return read_rows(path.read_bytes()) if path.is_file() else ()


def full_result(campaign: Campaign, opened: bytes | None = None) -> dict[str, Any]:
    """Return the result with what an embargo hides put back: from ``opened`` (JCS openings), else the private openings."""
    result: dict[str, Any] = json.loads((campaign.public / "result.json").read_bytes())
    if result["embargoed"] is None:
        return result
    rows = opening_rows(campaign, "visits") if opened is None else map(json.loads, opened.splitlines())
    hidden = {row["id"]: row["hidden"] for row in rows if row["list"] == "visits"}
    visits = [hidden[i] for i in sorted(hidden) if i not in ("prices", "selection")]
    return {
        **result,
        "visits": visits,
        "prices": hidden["prices"],
        "selection": hidden.get("selection", result["selection"]),
        "embargoed": None,
    }


def opening_rows(campaign: Campaign, name: str) -> list[dict[str, Any]]:
    """Return the private openings of a list; none if the list is not sealed."""
    path = campaign.private / "openings" / f"{name}.jsonl"
    return [json.loads(line) for line in path.read_bytes().splitlines()] if path.exists() else []


def write_index(public: Path) -> None:
    """Write ``index.html`` from the published documents alone."""
    from dualrandom.page import render_index  # noqa: PLC0415

    files = {
        path.relative_to(public).as_posix(): path.read_bytes()
        for path in published_files(public)
        if path.name != "index.html"
    }
    write_public(public, {"index.html": render_index(files)})
