"""What was changed after the draw: who fell out and why, who came instead, which department left (docs/protocol.md §13)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from dualrandom.changes import EXCLUSIONS, REPLACEMENTS, WITHDRAWALS, Reason
from dualrandom.page.documents import Documents
from dualrandom.page.markup import Both, Html, bullets, code, join, paragraph, row, table, tag
from dualrandom.page.words import many


def changes(documents: Documents) -> Html:
    """Return the part of the visits section on changes; nothing if there are none."""
    if not documents.changes:
        return Html("")
    counts = documents.counts
    parts = [
        tag("h3", Both("抽取之后的更改", "Changes after the draw"), id="changes"),
        paragraph(
            "抽取结果文件不变；下表按计算规则得出，每行都可复核。以上名单已计入这些更改。",
            "The result itself is unchanged. Every row follows from the rules and can be verified; the list above "
            "takes account of them.",
        ),
        _alarms(documents),
        table(
            (Both("行", "Row"), Both("更改", "Change"), Both("理由", "Reason"), Both("时刻", "Time")),
            [_row(documents, change) for change in documents.changes],
        ),
        table(
            (Both("理由", "Reason"), Both("次数", "Count")),
            [
                row(_word(reasons, reason), count, numbers=True)
                for reasons, counted in (
                    (EXCLUSIONS, counts.exclusions),
                    (REPLACEMENTS, counts.replacements),
                    (WITHDRAWALS, counts.withdrawals),
                )
                for reason, count in counted.items()
            ],
        ),
    ]
    if counts.pending:
        parts.append(
            paragraph(
                f"{counts.pending:,} 户没有递补。",
                f"{many(counts.pending, 'exclusion')} without a substitute.",
                "note",
            )
        )
    if counts.exhausted:
        parts.append(
            paragraph(
                f"{counts.exhausted:,} 个名额所在的层已无可递补者。",
                f"{many(counts.exhausted, 'place')} could not be filled: the stratum is exhausted.",
            )
        )
    if counts.unfilled:
        parts.append(
            paragraph(
                f"{counts.unfilled:,} 个检查组因部门退出而空缺，其他检查组不变。",
                f"{many(counts.unfilled, 'crew')} left unfilled by a department's withdrawal; nobody else moves.",
                "note",
            )
        )
    return tag("div", *parts)


def _alarms(documents: Documents) -> Html:
    if not documents.alarms:
        return Html("")
    warnings = bullets([Both(f"{zh}。", f"{en[0].upper()}{en[1:]}.") for zh, en in documents.alarms])
    return join(paragraph("次数异常，请留意：", "Unusually often:", "note"), warnings)


def _row(documents: Documents, change: Mapping[str, Any]) -> Html:
    kind = change["type"]
    if kind == "substitute":
        told = bullets(
            [
                join(
                    documents.name("tasks", place["task"]),
                    Both("：", ": "),
                    Both("该层已无可递补者", "nobody left in the stratum")
                    if place["enterprise"] is None
                    else _named(documents, "enterprises", place["enterprise"]),
                )
                for place in change["tasks"]
            ]
        )
        return row(
            str(change["number"]),
            join(Both("递补", "Substitute"), told),
            code(f"{change['exclude'][:16]}…"),
            "–",
        )
    if kind == "withdraw":
        words = join(
            Both("部门退出：", "Department withdrew: "),
            _named(documents, "departments", change["department"]),
            Both(f"，自 {change['from']} 起", f", from {change['from']} on"),
        )
        return row(str(change["number"]), words, _word(WITHDRAWALS, change["reason"]), change["time"])
    enterprise = _named(documents, "enterprises", change["enterprise"])
    if kind == "exclude":
        words = join(Both("排除 ", "Excluded "), enterprise)
        reason = _word(EXCLUSIONS, change["reason"])
    else:
        words = join(
            enterprise,
            Both("：", ": "),
            _named(documents, "inspectors", change["out"]),
            " → ",
            _named(documents, "inspectors", change["in"]),
        )
        reason = _word(REPLACEMENTS, change["reason"])
    return row(str(change["number"]), words, reason, change["time"])


def _named(documents: Documents, kind: str, identifier: str) -> Html:
    if documents.has_name(kind, identifier):
        return join(documents.name(kind, identifier), " ", code(identifier))
    return code(identifier)


def _word(reasons: Mapping[str, Reason], reason: str) -> Both:
    found = reasons.get(reason)
    return Both(reason, reason) if found is None else Both(found.zh, found.en)
