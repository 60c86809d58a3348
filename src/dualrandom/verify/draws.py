"""How the draw ended, and the voided draws that it follows (docs/protocol.md §10)."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from dualrandom.verify.announcement import Announcement, parse_announcement
from dualrandom.verify.loading import Record
from dualrandom.verify.report import Fault, Report, Verdict

Judge = Callable[[Mapping[str, bytes]], Report]
"""Checks the folder of a voided draw."""


def check_draws(record: Record, announcement: Announcement, judge: Judge | None) -> None:
    """Check that there is one result or one void, and that voided draws of the plan are named, shown and in order.

    ``judge`` is None within the folder of a voided draw: those that it names lie beside it and are checked there.
    """
    verdict = record.verdicts["draws"]
    drawn, voided = "result.json" in record.files, "void.json" in record.files
    if drawn and voided:
        verdict.fail("既有结果又有作废", "there are both a result and a void")
    if not drawn and not voided:
        verdict.unchecked(
            "抽取尚未终结：没有结果也没有作废", "the draw is open: neither a result nor a void yet"
        )
    if voided and record.void is None:
        verdict.unchecked("void.json 损坏", "void.json is broken")
    if record.void is not None and (
        record.void.announcement != announcement.digest or record.void.draw != announcement.draw
    ):
        verdict.fail(
            f"void.json 属于 {record.void.draw}，不是本次抽取的公告",
            f"void.json belongs to another announcement ({record.void.draw})",
        )
    if judge is not None:
        _check_voids(record, announcement, judge, verdict)
    ended = ("作废", "a void") if voided else ("结果", "a result")
    verdict.note(
        f"以{ended[0]}终结；此前作废 {len(announcement.voids)} 次",
        f"ended in {ended[1]}; voided before: {len(announcement.voids)}",
    )


def _check_voids(record: Record, announcement: Announcement, judge: Judge, verdict: Verdict) -> None:
    folders: dict[str, dict[str, bytes]] = {}
    for name, data in record.files.items():
        parts = name.split("/", 2)
        if len(parts) == 3 and parts[0] == "voided":
            folders.setdefault(parts[1], {})[parts[2]] = data
    for draw in sorted(folders.keys() - set(announcement.voids)):
        verdict.fail(f"voids 未列出已作废的 {draw[:80]}", f"voids does not name the voided draw {draw[:80]}")
    for draw in announcement.voids:
        if draw in folders:
            _check_voided(announcement, draw, folders[draw], judge, verdict)
        else:
            verdict.fail(f"缺少已作废抽取的文件 voided/{draw}/", f"the documents voided/{draw}/ are missing")


def _check_voided(
    announcement: Announcement, draw: str, files: Mapping[str, bytes], judge: Judge, verdict: Verdict
) -> None:
    folder = f"voided/{draw}/"
    for name in ("announcement.json", "void.json"):
        if name not in files:
            verdict.fail(f"缺少 {folder}{name}", f"{folder}{name} is missing")
            return
    for check in judge(files).checks:
        if check.status == "FAIL":
            verdict.fail(
                f"{folder} 的 {check.name}：{check.reason_zh}", f"{folder} {check.name}: {check.reason_en}"
            )
    try:
        earlier = parse_announcement(files["announcement.json"])
    except Fault:
        return  # told by its own check `canonical`
    same_plan = (earlier.plan, earlier.authority) == (announcement.plan, announcement.authority)
    if earlier.draw != draw or not same_plan:
        verdict.fail(f"{folder} 不是本计划的抽取 {draw}", f"{folder} is not draw {draw} of this plan")
    if not set(earlier.voids) < set(announcement.voids) or earlier.draw >= announcement.draw:
        verdict.fail(f"{draw} 不是更早的抽取", f"{draw} is not an earlier draw")
