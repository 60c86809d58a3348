"""Order of events: the announcement and the contributions were public before the seed's randomness existed.

docs/protocol.md §4. A draw's BEACON entry comes after a checkpoint K that a quorum of witnesses cosigned before the
beacon's round was due. Then what K covers was fixed and public, whatever the clock of the office said.

The verifier has this rule of its own, :mod:`dualrandom.verify.order`, written from the page alone and sharing no decision with
what draws; this one is for those who have a log and no record. A test compares them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dualrandom.hashing import leaf_hash
from dualrandom.log.checkpoint import Checkpoint
from dualrandom.log.entry import Chain, Entry, EntryType
from dualrandom.log.errors import LogError, refusal
from dualrandom.log.merkle import nodes_of, root
from dualrandom.log.policy import Verified


@dataclass(frozen=True, slots=True)
class BeforeTheRound:
    """What was public in time: the ANNOUNCE entry and the REVEAL entries in their order, the first of a party counting.

    ``proven`` is the second (since 1970) by which a quorum had cosigned.
    """

    announce: Entry
    reveals: tuple[Entry, ...]
    proven: int


def check_prefix(checkpoint: Checkpoint, entries: Sequence[bytes]) -> None:
    """Check that a checkpoint is one of the log with these entries. Raises LogError ``order-refused``."""
    if checkpoint.size > len(entries):
        raise _refused("检查点大于日志", "the checkpoint is larger than the log")
    leaves = [leaf_hash(entry) for entry in entries[: checkpoint.size]]
    if root(checkpoint.size, nodes_of(leaves)) != checkpoint.root:
        raise _refused("检查点属于另一份日志", "the checkpoint is one of another log")


def check_order(chain: Chain, checkpoint: Verified, round_time: int) -> BeforeTheRound:
    """Check one draw's events against the checkpoint K that its BEACON entry relies on.

    ``round_time`` is when the beacon's round was due, in seconds since 1970. K was verified under the reader's policy, and
    belongs to the log by :func:`check_prefix`. Raises LogError ``order-refused``: K was not cosigned by a quorum before the
    round, ANNOUNCE is not in K, or an entry of the draw lies between K and BEACON.
    """
    if checkpoint.quorum_time is None:
        raise _refused("没有见证方，先后无从证明", "without witnesses nothing proves what came first")
    if checkpoint.quorum_time >= round_time:
        raise _refused(
            f"法定数共签于 {checkpoint.quorum_time}，不早于轮次的 {round_time}",
            f"the quorum cosigned at {checkpoint.quorum_time}, not before the round's {round_time}",
        )
    beacon = next(
        (i for i, e in zip(chain.indices, chain.entries, strict=True) if e.type is EntryType.BEACON), None
    )
    if beacon is None:
        raise _refused("没有 BEACON 条目", "there is no BEACON entry")
    size = checkpoint.checkpoint.size
    inside = [entry for index, entry in zip(chain.indices, chain.entries, strict=True) if index < size]
    if not inside or inside[0].type is not EntryType.ANNOUNCE:
        raise _refused("公告不在该检查点内", "the announcement is not in the checkpoint")
    if beacon < size:
        raise _refused("BEACON 已在该检查点内", "BEACON is in the checkpoint already")
    if any(size <= index < beacon for index in chain.indices):
        raise _refused(
            "该检查点与 BEACON 之间另有本抽取的条目",
            "an entry of the draw lies between the checkpoint and BEACON",
        )
    reveals = tuple(entry for entry in inside if entry.type is EntryType.REVEAL)
    return BeforeTheRound(inside[0], reveals, checkpoint.quorum_time)


def _refused(zh: str, en: str) -> LogError:
    return refusal(
        "order-refused",
        "",
        f"事件先后不能证实：{zh}",
        f"the order of events is not proven: {en}",
        remedy_zh="先后次序无法事后补证；请以本检查的结论评价该次抽取。",
        remedy_en="The order cannot be proven afterwards; judge the draw by what this check says.",
    )
