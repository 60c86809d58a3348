"""The departments' sheets, made from the published record, the private names and the libraries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dualrandom.campaign.folder import Campaign
from dualrandom.campaign.inputs import Inputs


def export(
    campaign: Campaign,
    inputs: Inputs,
    announcement: Mapping[str, Any],
    full: Mapping[str, Any],
    person_of: Mapping[str, str],
) -> None:
    """Write ``exports/`` anew. ``full``: the result without embargo; ``person_of``: roster id → library code."""
    from dualrandom.exports import ExportView, write_exports  # noqa: PLC0415

    findings = campaign.public / "findings.json"
    view = ExportView(
        plan=inputs.plan,
        libraries=inputs.libraries,
        announcement=announcement,
        result=full,
        person_of=person_of,
        statistics=json.loads((campaign.public / "statistics.json").read_bytes()),
        seed=full["seed"],
        findings=json.loads(findings.read_bytes())["findings"] if findings.exists() else (),
    )
    write_exports(view, campaign.exports)
