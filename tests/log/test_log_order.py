"""Order of events: what a quorum had seen before the round, and each way of being too late."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from dualrandom.log.cosignature import Cosigner
from dualrandom.log.entry import EntryType
from dualrandom.log.errors import LogError
from dualrandom.log.note import Signer
from dualrandom.log.order import check_order, check_prefix
from dualrandom.log.policy import Policy, Verified, parse_policy
from dualrandom.log.storage import Document, Log

Story = Callable[[int], list[Document]]
Opened = Callable[[], Log]
ROUND = 1_000


def policy_of(signer: Signer, cosigners: tuple[Cosigner, ...]) -> Policy:
    lines = [f"log {signer.key.text}", *(f"witness {c.name} {c.key.text}" for c in cosigners)]
    return parse_policy(
        "\n".join([*lines, f"group g 2 {' '.join(c.name for c in cosigners)}", "quorum g", ""]).encode()
    )


def witnessed(log: Log, policy: Policy, cosigners: tuple[Cosigner, ...], times: tuple[int, ...]) -> Verified:
    text = log.checkpoint.text
    signatures = [c.cosign(text, time) for c, time in zip(cosigners, times, strict=False)]
    log.add_cosignatures(text, signatures, [c.key for c in cosigners])
    return policy.verify(log.reader.checkpoint_note())


def test_what_a_quorum_saw_before_the_round_is_proven(
    new_log: Opened, story: Story, signer: Signer, cosigners: tuple[Cosigner, ...]
) -> None:
    policy = policy_of(signer, cosigners)
    with new_log() as log:
        log.append([*story(1)[:2], story(2)[0]], signer)
        # one witness is late: the others make the quorum
        before = witnessed(log, policy, cosigners, (500, 999, 5_000))
        log.append([*story(2)[1:2], *story(1)[2:]], signer)
        entries = log.reader.entries()
        check_prefix(before.checkpoint, entries)
        proven = check_order(log.chains.draws[story(1)[0].draw], before, ROUND)
    assert proven.proven == 999
    assert proven.announce.is_of(story(1)[0].data)
    assert [entry.type for entry in proven.reveals] == [EntryType.REVEAL]


@pytest.mark.parametrize(
    ("lie", "inside", "times"),
    [
        ("cosigned-at-the-round", 2, (500, 1_000)),
        ("cosigned-after-the-round", 2, (1_500, 2_000)),
        ("announced-after-the-checkpoint", 0, (500, 600)),
        ("revealed-after-the-checkpoint", 1, (500, 600)),
        ("beacon-in-the-checkpoint", 3, (500, 600)),
    ],
)
def test_what_came_too_late_is_refused(
    new_log: Opened,
    story: Story,
    signer: Signer,
    cosigners: tuple[Cosigner, ...],
    lie: str,
    inside: int,
    times: tuple[int, ...],
) -> None:
    policy = policy_of(signer, cosigners)
    with new_log() as log:
        log.append(story(1)[:inside], signer)
        before = witnessed(log, policy, cosigners, times)
        log.append(story(1), signer)
        with pytest.raises(LogError) as refused:
            check_order(log.chains.draws[story(1)[0].draw], before, ROUND)
    assert refused.value.code == "order-refused", lie


def test_without_witnesses_or_beacon_nothing_is_proven(
    new_log: Opened, story: Story, signer: Signer, cosigners: tuple[Cosigner, ...]
) -> None:
    policy = policy_of(signer, cosigners)
    with new_log() as log:
        log.append(story(1)[:2], signer)
        before = witnessed(log, policy, cosigners, (500, 600))
        chain = log.chains.draws[story(1)[0].draw]
        for checkpoint in (before, replace(before, quorum_time=None)):
            with pytest.raises(LogError) as refused:
                check_order(chain, checkpoint, ROUND)
            assert refused.value.code == "order-refused"


def test_a_checkpoint_of_another_log_is_no_prefix(
    new_log: Opened, story: Story, signer: Signer, cosigners: tuple[Cosigner, ...]
) -> None:
    with new_log() as log:
        log.append(story(1), signer)
        entries = list(log.reader.entries())
        checkpoint = log.checkpoint
    check_prefix(checkpoint, entries)
    check_prefix(checkpoint, [*entries, b"later"])
    for wrong in (entries[:-1], [*entries[:-1], b"other"], [*entries[1:], entries[0]]):
        with pytest.raises(LogError):
            check_prefix(checkpoint, wrong)
