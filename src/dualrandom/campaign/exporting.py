"""The departments' sheets, made from the published record, the private names and the libraries."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from dualrandom.campaign.folder import Campaign
from dualrandom.campaign.inputs import Inputs
from dualrandom.campaign.publishing import published_changes
from dualrandom.changes import WITHDRAWALS


def export(
    campaign: Campaign,
    inputs: Inputs,
    announcement: Mapping[str, Any],
    full: Mapping[str, Any],
    person_of: Mapping[str, str],
) -> None:
    """Write ``exports/`` anew. ``full``: the result in effect, without embargo; ``person_of``: roster id → library code."""
    from dualrandom.exports import ExportView, write_exports  # noqa: PLC0415
    from dualrandom.page.markup import Both  # noqa: PLC0415

    findings = campaign.public / "findings.json"
    reasons = {
        row["department"]: WITHDRAWALS[row["reason"]]
        for row in published_changes(campaign)
        if row["type"] == "withdraw"
    }
    view = ExportView(
        plan=inputs.plan,
        libraries=inputs.libraries,
        announcement=announcement,
        result=full,
        person_of=person_of,
        statistics=json.loads((campaign.public / "statistics.json").read_bytes()),
        seed=full["seed"],
        findings=json.loads(findings.read_bytes())["findings"] if findings.exists() else (),
        withdrawals={department: Both(words.zh, words.en) for department, words in reasons.items()},
    )
    write_exports(view, campaign.exports)
