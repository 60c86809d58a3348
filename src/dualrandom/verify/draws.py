"""How the draw ended, and the voided draws that it follows (docs/protocol.md §10)."""

from __future__ import annotations

from dualrandom.verify.announcement import Announcement, parse_announcement
from dualrandom.verify.loading import Record
from dualrandom.verify.published import parse_void
from dualrandom.verify.report import Fault, Verdict


def check_draws(record: Record, announcement: Announcement) -> None:
    """Check that there is one result or one void, and that voided draws of the plan are named and shown."""
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
    shown = {
        name.split("/")[1] for name in record.files if name.startswith("voided/") and name.count("/") > 1
    }
    for draw in sorted(shown - set(announcement.voids)):
        verdict.fail(f"voids 未列出已作废的 {draw[:80]}", f"voids does not name the voided draw {draw[:80]}")
    for draw in announcement.voids:
        if draw in shown:
            _check_voided(record, announcement, draw, verdict)
        else:
            verdict.fail(f"缺少已作废抽取的文件 voided/{draw}/", f"the documents voided/{draw}/ are missing")
    ended = ("作废", "a void") if voided else ("结果", "a result")
    verdict.note(
        f"以{ended[0]}终结；此前作废 {len(announcement.voids)} 次",
        f"ended in {ended[1]}; voided before: {len(announcement.voids)}",
    )


def _check_voided(record: Record, announcement: Announcement, draw: str, verdict: Verdict) -> None:
    folder = f"voided/{draw}/"
    documents = {}
    for name in ("announcement.json", "void.json"):
        data = record.files.get(folder + name)
        if data is None:
            verdict.fail(f"缺少 {folder}{name}", f"{folder}{name} is missing")
            return
        documents[name] = data
    if folder + "result.json" in record.files:
        verdict.fail(f"已作废的 {draw} 却有结果", f"the voided draw {draw} has a result")
    try:
        earlier = parse_announcement(documents["announcement.json"], f"{folder}announcement.json")
        void = parse_void(documents["void.json"], f"{folder}void.json")
    except Fault as fault:
        verdict.fail(fault.zh, fault.en)
        return
    if (
        earlier.draw != draw
        or earlier.plan != announcement.plan
        or earlier.authority != announcement.authority
    ):
        verdict.fail(f"{folder} 不是本计划的抽取 {draw}", f"{folder} is not draw {draw} of this plan")
    if void.draw != draw or void.announcement != earlier.digest:
        verdict.fail(
            f"{folder}void.json 不是该公告的作废", f"{folder}void.json does not void that announcement"
        )
    if not set(earlier.voids) < set(announcement.voids) or earlier.draw >= announcement.draw:
        verdict.fail(f"{draw} 不是更早的抽取", f"{draw} is not an earlier draw")
