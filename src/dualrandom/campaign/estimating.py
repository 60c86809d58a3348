"""Estimates from a campaign's published findings, opened by its own secrets where the draw is sealed."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from dualrandom.campaign.folder import Campaign, StateError
from dualrandom.estimate import estimate_document


def estimate_campaign(folder: Path, confidence: float) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the estimates and the labels. Raises StateError if no findings have been recorded."""
    campaign = Campaign(folder)
    public = campaign.public
    if not (public / "findings.json").exists():
        raise StateError(
            code="no-findings",
            value=str(folder),
            message={"zh": "尚无检查结果", "en": "no findings have been recorded"},
            remedy={
                "zh": "先用 dualrandom record 登记检查结果。",
                "en": "Record findings first with dualrandom record.",
            },
        )
    document = estimate_document(
        json.loads((public / "announcement.json").read_bytes()),
        json.loads((public / "result.json").read_bytes()),
        json.loads((public / "findings.json").read_bytes()),
        _rows(public / "frame.jsonl"),
        [
            row
            for name in ("frame", "strata", "visits")
            for row in _rows(campaign.private / "openings" / f"{name}.jsonl")
        ],
        _rows(public / "changes.jsonl"),
        confidence,
    )
    return document, json.loads((public / "labels.json").read_bytes())


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    if path.exists():
        with path.open("rb") as stream:
            for line in stream:
                yield json.loads(line)
