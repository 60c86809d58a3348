"""The order of events (docs/protocol.md §11.3) is judged twice, by the verifier and by dualrandom.log.order; they agree."""

import json
from typing import Any

from dualrandom.log.entry import Chain, chains_of
from dualrandom.log.errors import LogError
from dualrandom.log.keys import with_succession
from dualrandom.log.order import check_order, check_prefix
from dualrandom.log.policy import parse_policy
from dualrandom.log.tile import entries_of
from dualrandom.verify import verify_record
from dualrandom.verify.schema import instant

LEFT = ("exclusion",)
"""What only the verifier looks at: the rounds of later exclusions."""


def proven(public: dict[str, bytes], trust: bytes) -> bool:
    """What the rule of those who draw says of a record whose log is whole."""
    notes = [public[name] for name in sorted(public) if name.startswith("log/keys/")]
    policy = with_succession(parse_policy(trust), notes)
    announcement = json.loads(public["announcement.json"])
    try:
        size = policy.verify(public["log/checkpoint"]).checkpoint.size
        entries = entries_of(lambda path: public.get(f"log/{path}"), size)
        kept = policy.verify(public["announced.checkpoint"])
        check_prefix(kept.checkpoint, entries)
        chain = chains_of(entries).draws.get(announcement["draw"], Chain(announcement["draw"]))
        due = instant(announcement["beacon"]["time"], "beacon.time")
        check_order(chain, kept, int(due.timestamp()))
    except LogError:
        return False
    return True


def test_both_readings_of_the_order_of_events_agree_on_all_vectors(reading: Any) -> None:
    compared = {True: 0, False: 0}
    happy = [(name, reading.happy(name)) for name in reading.names("happy")]
    lies = [(name, reading.mutant(name)[1]) for name in reading.names("mutants") if not name.startswith(LEFT)]
    for name, files in happy + lies:
        given = reading.given(files, auditor=False)
        whole = {"announced.checkpoint", "log/checkpoint", "announcement.json", "result.json"}
        if given.policy is None or not whole <= given.public.keys():
            continue
        report = verify_record(given.public, log_policy=parse_policy(given.policy))
        if report.status("log") != "PASS" or report.status("canonical") != "PASS":
            continue  # the log itself is not to be believed
        found = proven(given.public, given.policy)
        # what is NOT CHECKED about later exclusions or a rehearsal is no question of this order
        assert found == (report.status("events") != "FAIL"), name
        compared[found] += 1
    assert compared[True] >= 5
    assert compared[False] >= 8
