"""Was each exclusion public before the round that found its substitute? (docs/protocol.md §11.3, 6)"""

from __future__ import annotations

from datetime import UTC, datetime

from dualrandom.hashing import hash_hex
from dualrandom.log.checkpoint import open_checkpoint
from dualrandom.log.entry import EntryType
from dualrandom.log.errors import LogError
from dualrandom.verify.announcement import Announcement
from dualrandom.verify.change_rows import NAME, Exclude, parse_changes
from dualrandom.verify.loading import Record
from dualrandom.verify.public_log import PublicLog
from dualrandom.verify.report import Fault, Verdict

FOLDER = "exclusions/"
_END = ".checkpoint"


def check_exclusions(record: Record, a: Announcement, log: PublicLog | None) -> None:
    """Check, under `events`, the checkpoint that was kept for each exclusion that names a round."""
    verdict = record.verdicts["events"]
    kept = {name for name in record.files if name.startswith(FOLDER) and name.endswith(_END)}
    named: dict[str, tuple[Exclude, bytes]] = {}
    if NAME in record.files and "result.json" in record.files:
        data = record.files[NAME]
        try:
            changes = parse_changes(data, record.files["result.json"], a.hash)
        except Fault:
            verdict.unchecked(f"{NAME} 不可用", f"{NAME} cannot be used")
            return
        for number, (change, row) in enumerate(zip(changes, data.splitlines(), strict=True), 1):
            if isinstance(change, Exclude) and change.due is not None:
                named[f"{FOLDER}{number}{_END}"] = change, row
    for name in sorted(kept - named.keys()):
        verdict.fail(f"{name[:80]} 不对应任何排除", f"{name[:80]} is of no exclusion that names a round")
    if log is None or not log.policy.needs_witnesses:
        if named:
            verdict.unchecked(
                "没有读者信任的见证方，不能证明排除先于其信标轮次公开",
                "without witnesses that the reader trusts nothing proves that exclusions were public before their rounds",
            )
        return
    for name, (change, row) in named.items():
        _check_one(verdict, record, a, log, name, change, row)


def _check_one(
    verdict: Verdict, record: Record, a: Announcement, log: PublicLog, name: str, change: Exclude, row: bytes
) -> None:
    data = record.files.get(name)
    if data is None:
        verdict.unchecked(
            f"没有 {name}：不能证明排除 {change.enterprise} 先于其信标轮次公开",
            f"there is no {name}: nothing proves that the exclusion of {change.enterprise} was public before its round",
        )
        return
    try:
        checkpoint = open_checkpoint(data, (one.key for one in log.policy.logs))[0]
        at = log.policy.verify(data).quorum_time
    except LogError as problem:
        verdict.fail(f"{name}：{problem.message('zh')}", f"{name}: {problem.message('en')}")
        return
    assert at is not None
    assert change.due is not None
    if checkpoint.size > log.checkpoint.size or log.root_of(checkpoint.size) != checkpoint.root:
        verdict.fail(f"{name} 不属于此日志", f"{name} is not of this log")
        return
    digest = hash_hex(row, a.hash)
    if not any(
        entry.type is EntryType.EXCLUDE and entry.digest == digest and index < checkpoint.size
        for index, entry in log.indices(a.draw)
    ):
        verdict.fail(f"{name} 不含该排除", f"{name} does not hold this exclusion")
    if at >= change.due.timestamp():
        verdict.fail(
            f"见证方在 {_told(at)} 才共签 {name}，其轮次的时间是 {change.due:%Y-%m-%dT%H:%M:%SZ}",
            f"the witnesses cosigned {name} at {_told(at)}, its round was due at {change.due:%Y-%m-%dT%H:%M:%SZ}",
        )
        return
    verdict.note(
        f"排除 {change.enterprise} 至迟于 {_told(at)} 公开，早于其轮次",
        f"the exclusion of {change.enterprise} was public at {_told(at)}, before its round",
    )


def _told(seconds: int) -> str:
    try:
        return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%SZ}"
    except (OverflowError, OSError, ValueError):
        return str(seconds)
