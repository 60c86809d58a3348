"""The published findings (docs/protocol.md §10)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dualrandom.verify.announcement import Announcement
from dualrandom.verify.published import CODES, METHODS, Finding, Findings
from dualrandom.verify.report import Verdict
from dualrandom.verify.result import Visit


def check_findings(
    verdict: Verdict, announcement: Announcement, findings: Findings, visits: Sequence[Visit], hidden: bool
) -> None:
    """Check what findings refer to, their codes, methods and revisions; ``hidden`` visits may exist beside ``visits``."""
    if findings.announcement != announcement.digest or findings.draw != announcement.draw:
        verdict.fail(
            f"findings.json 属于 {findings.draw}，不是本次抽取的公告",
            f"findings.json belongs to another announcement ({findings.draw})",
        )
    known: Mapping[tuple[str, int], Visit] = {(visit.enterprise, visit.part): visit for visit in visits}
    revision_of: dict[tuple[str, int, str, str], int] = {}
    for finding in findings.findings:
        if finding.code not in CODES:
            verdict.fail(
                f"{finding.name} 的代码 {finding.code!r} 不存在", f"{finding.name}: no code {finding.code!r}"
            )
        if finding.method not in METHODS:
            verdict.fail(
                f"{finding.name} 的方法 {finding.method!r} 不存在",
                f"{finding.name}: no method {finding.method!r}",
            )
        _check_revision(verdict, finding, revision_of)
        visit = known.get((finding.enterprise, finding.part))
        if visit is None and hidden:
            verdict.unchecked(
                "部分检查仍在保密期，其检查结果无法对应",
                "some visits are still under an embargo, so their findings cannot be matched",
            )
        elif visit is None:
            verdict.fail(f"{finding.name}：没有该次检查", f"{finding.name}: there is no such visit")
        elif finding.item not in visit.checks.get(finding.task, ()):
            verdict.fail(
                f"{finding.name}：该次检查没有此任务与事项",
                f"{finding.name}: the visit has no such task and item",
            )
        elif _unfilled(announcement, visit, finding.task):
            verdict.fail(
                f"{finding.name}：部门已退出，检查组空缺，无人到场",
                f"{finding.name}: the department withdrew and its crew is unfilled, so nobody was there",
            )
    verdict.note(
        f"{len(findings.findings)} 条检查结果有效", f"{len(findings.findings)} findings are in order"
    )


def _unfilled(announcement: Announcement, visit: Visit, task: str) -> bool:
    """Say whether the crew of a task has nobody: in a result that is never so, after a withdrawal it is (§13.4)."""
    known = announcement.tasks.get(task)
    return known is not None and any(
        crew.department == known.department and not crew.seats for crew in visit.crews or ()
    )


def _check_revision(
    verdict: Verdict, finding: Finding, revision_of: dict[tuple[str, int, str, str], int]
) -> None:
    check = (finding.enterprise, finding.part, finding.task, finding.item)
    expected = revision_of.get(check, 0) + 1
    revision_of[check] = finding.revision
    if finding.revision != expected:
        verdict.fail(
            f"{finding.name}：应为第 {expected} 版", f"{finding.name}: revision {expected} is missing"
        )
    if finding.revision == 1 and finding.reason is not None:
        verdict.fail(f"{finding.name}：首版不应有更正理由", f"{finding.name}: a first revision has no reason")
    if finding.revision > 1 and not finding.reason:
        verdict.fail(f"{finding.name}：更正须有理由", f"{finding.name}: a correction needs a reason")
