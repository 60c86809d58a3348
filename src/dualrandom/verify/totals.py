"""The check `result`: totals, keys, and that nothing is missing from the folder or added to it (docs/protocol.md §9, §10)."""

from __future__ import annotations

from dualrandom.ticket import Tickets
from dualrandom.verify.announcement import Announcement
from dualrandom.verify.crews import total_cost
from dualrandom.verify.figures import check_statistics
from dualrandom.verify.loading import Record
from dualrandom.verify.report import Verdict
from dualrandom.verify.result import Result, Totals


def check_result(record: Record, announcement: Announcement) -> None:
    """Check the result's keys and totals, and the documents beside it."""
    verdict = record.verdicts["result"]
    result = record.result
    _check_labels(record, announcement, verdict)
    if result is None:
        if "result.json" in record.broken:
            verdict.unchecked("result.json 损坏", "result.json is broken")
        elif record.void is not None:
            verdict.unchecked("抽取已作废，没有结果", "the draw was voided, there is no result")
        else:
            verdict.unchecked("尚未抽取", "not drawn yet")
        return
    if result.announcement != announcement.digest:
        verdict.fail(
            f"结果所指的公告 {result.announcement} 不是 {announcement.digest}",
            f"the result refers to announcement {result.announcement}, this one is {announcement.digest}",
        )
    if result.draw != announcement.draw:
        verdict.fail(f"结果属于 {result.draw}", f"the result belongs to draw {result.draw}")
    _check_totals(verdict, result, announcement)
    _check_presence(record, announcement, result, verdict)
    if record.statistics is not None:
        check_statistics(
            verdict,
            record.statistics,
            announcement,
            result,
            record.frame if record.references_hold else None,
            record.strata,
            record.roster if record.references_hold else None,
            record.recusals,
        )
    verdict.note("总数与键相符，无缺无增", "totals and keys are right, nothing is missing or added")


def _check_totals(verdict: Verdict, result: Result, announcement: Announcement) -> None:
    totals = result.totals
    if result.embargoed is not None:
        # beside the visits the list has the prices and, where visits are hidden too, the selection
        hidden = result.embargoed.size - (2 if announcement.policy.embargo == "visits" else 1)
        if totals.visits != hidden:
            verdict.fail(
                f"totals.visits 为 {totals.visits}，保密列表有 {hidden} 次检查",
                f"totals.visits is {totals.visits}, the embargoed list has {hidden} visits",
            )
    if result.visits is None:
        verdict.unchecked("仍在保密期：总数未核对", "under an embargo: totals are not compared")
        return
    checks = sum(len(items) for visit in result.visits for items in visit.checks.values())
    found = Totals(checks, totals.cost, totals.crews, totals.undated, len(result.visits))
    if result.complete:
        crews = sum(len(visit.crews or ()) for visit in result.visits if visit.date is not None)
        undated = sum(visit.date is None for visit in result.visits)
        cost = total_cost(result.visits, Tickets(result.seed, announcement.suite), result.attempt)
        found = Totals(checks, cost, crews, undated, len(result.visits))
    else:
        verdict.unchecked(
            "仍在保密期：检查组、成本与无日期数未核对",
            "under an embargo: crews, cost and undated are not compared",
        )
    for name in ("checks", "cost", "crews", "undated", "visits"):
        expected, published = getattr(found, name), getattr(totals, name)
        if expected != published:
            verdict.fail(
                f"totals.{name} 应为 {expected}，公布为 {published}",
                f"totals.{name} should be {expected}, published is {published}",
            )


def _check_presence(record: Record, announcement: Announcement, result: Result, verdict: Verdict) -> None:
    # tied fillings name crews: under an embargo they stay away until everything is open
    due = {"statistics.json": True, "ties.json": result.attempt > 0 and record.openly_complete()}
    due["strata.jsonl"] = due["cutoffs.jsonl"] = announcement.sealed
    due["visits.jsonl"] = result.embargoed is not None
    for name, wanted in due.items():
        if wanted and name not in record.files:
            verdict.fail(f"缺少 {name}", f"{name} is missing")
        if not wanted and name in record.files:
            verdict.fail(f"不应有 {name}", f"{name} should not exist for this draw")
    digests = {"ties.json": record.ties_digest if record.ties is not None else None}
    digests["statistics.json"] = record.statistics.announcement if record.statistics is not None else None
    for name, digest in digests.items():
        if digest is not None and digest != announcement.digest:
            verdict.fail(f"{name} 属于另一公告", f"{name} belongs to another announcement")


def _check_labels(record: Record, announcement: Announcement, verdict: Verdict) -> None:
    labels = record.labels
    if "labels.json" not in record.files:
        verdict.fail("缺少 labels.json", "labels.json is missing")
    if labels is None:
        return
    if labels.announcement != announcement.digest:
        verdict.fail("labels.json 属于另一公告", "labels.json belongs to another announcement")
    if "result.json" not in record.broken:
        shown = record.result.visits or () if record.result is not None else ()
        if announcement.policy.embargo == "visits":  # what the auditor's openings show besides is not public
            shown = record.opened_in_public
        visible = {visit.enterprise for visit in shown}
        for enterprise in sorted(labels.ids["enterprises"] - visible):
            verdict.fail(
                f"labels.json 给出了未公开检查的企业 {enterprise}",
                f"labels.json names enterprise {enterprise}, which has no visible visit",
            )
    if announcement.sealed and labels.ids["inspectors"]:
        verdict.fail(
            "密封抽取的 labels.json 不应有人员姓名", "labels.json of a sealed draw should name no inspectors"
        )
