"""The shape in which one provincial platform exchanges inspections, read from its public code.

It has no field for a seed or a method; the published record is what is missing there.
"""

from __future__ import annotations

import json

from dualrandom.exports.view import ExportView
from dualrandom.page.words import finding_words
from dualrandom.policy.plan import Scope


def provincial_platform(view: ExportView) -> bytes:
    """Return ``provincial-platform.json``: one object for each visit and task, in the platform's Chinese.

    ``insDate`` is empty for a visit without a date and ``raninsCheckResName`` until a finding is recorded. A task whose crew
    is unfilled is left out: nobody inspects.
    """
    codes = view.latest_codes
    entries = []
    for visit in view.visits:
        for task, items in visit.checks:
            if task.department in visit.unfilled:
                continue
            details = []
            for number, item in enumerate(items, start=1):
                code = codes.get((visit.enterprise.id, visit.part, task.id, item.id))
                result = finding_words(code).zh if code else ""
                details.append({"seqno": number, "raninsItemName": item.name, "raninsCheckResName": result})
            entries.append(
                {
                    "insAuth": view.plan.authority_name,
                    "insDate": visit.date or "",
                    "pripId": visit.enterprise.id,
                    "raninsTypeName": "不定向" if task.scope == Scope() else "定向",
                    "raninsPlanId": view.plan.id,
                    "raninsPlaneName": f"{view.plan.authority_name} {view.plan.id}",
                    "raninsTaskId": task.id,
                    "raninsTaskName": task.name,
                    "details": details,
                }
            )
    return (json.dumps(entries, ensure_ascii=False, indent=2) + "\n").encode()
