"""Between announcement and round: nonces are revealed into the log, and witnesses cosign what will decide.

Only for campaigns with a log. The checkpoint that is kept as ``public/announced.checkpoint`` holds the announcement and
every revealed nonce; the time of its cosignatures proves that all of it was public before the round. The same is kept as
``public/exclusions/<number>.checkpoint`` for each exclusion, before the round that decides about its substitute.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dualrandom.campaign.contributing import nonce_of
from dualrandom.campaign.folder import Campaign, StateError, write_public
from dualrandom.campaign.logbook import (
    ANNOUNCED_CHECKPOINT,
    EXCLUSIONS,
    REVEALS,
    Logbook,
    required_logbook,
)
from dualrandom.campaign.publishing import published_changes
from dualrandom.campaign.state import announcement_of, state_of
from dualrandom.canonical import canonical
from dualrandom.ceremony import Phase
from dualrandom.contribution import reveal_document
from dualrandom.errors import InputError
from dualrandom.hashing import hash_hex, suite_digest
from dualrandom.log.entry import EntryType
from dualrandom.log.errors import LogError
from dualrandom.log.note import parse_note
from dualrandom.log.storage import Document
from dualrandom.log.submit import Answer, http_post
from dualrandom.log.submit import cosign as ask_witnesses
from dualrandom.policy.plan import Plan
from dualrandom.policy.reader import read_plan


@dataclass(frozen=True)
class Revealed:
    """Which parties' nonces were published now, which were before, and which are not here."""

    draw: str
    revealed: tuple[str, ...]
    before: tuple[str, ...]
    absent: tuple[str, ...]


@dataclass(frozen=True)
class Cosigned:
    """Which witnesses cosigned the log's checkpoint, and when (UTC); why others did not.

    ``quorum``: None if no witness is asked for. ``kept``: whether this is the draw's announced checkpoint now.
    ``exclusions``: the numbers of the exclusions for which it was kept.
    """

    draw: str
    size: int
    cosigned: Mapping[str, datetime]
    failures: tuple[LogError, ...]
    quorum: bool | None
    kept: bool
    exclusions: tuple[int, ...] = ()


def reveal(folder: Path, now: datetime, parties: Sequence[str] = ()) -> Revealed:
    """Publish and log the nonces of ``parties``; of all that the plan says reveal and whose nonce is here, if none is named.

    Raises StateError: not announced, closed already, a party that is unknown or whose nonce is not here or differs.
    """
    campaign = Campaign(folder)
    plan = plan_of(campaign)
    book = required_logbook(campaign, plan)
    stage = state_of(campaign, book)
    willing = [one.party for one in plan.contributions if one.reveal]
    asked = list(dict.fromkeys(parties or willing))
    document = announcement_of(campaign, stage)
    before = tuple(party for party in asked if party in stage.revealed)
    documents, files, absent = [], {}, []
    for party in asked:
        if party in stage.revealed:
            continue
        stage = stage.reveal(party, now)
        nonce = nonce_of(campaign, document, party)
        if nonce is None:
            absent.append(party)
            continue
        data = reveal_document(document["draw"], party, nonce)
        files[f"{REVEALS}/{party}.json"] = data
        documents.append(Document(document["draw"], EntryType.REVEAL, data, document["suite"]))
    if parties and absent:
        raise StateError(
            "nonce-missing",
            ", ".join(absent),
            {
                "zh": "contributions/ 和 private/nonces/ 中都没有该参与方的随机数",
                "en": "neither contributions/ nor private/nonces/ has a nonce of this party",
            },
            {
                "zh": "把该方交来的 参与方.reveal.json 放入 contributions/。",
                "en": "Put the PARTY.reveal.json that the party hands over into contributions/.",
            },
        )
    if documents:
        book.append(documents, lambda: write_public(campaign.public, files))
    else:
        book.publish()
    done = tuple(name.removeprefix(f"{REVEALS}/").removesuffix(".json") for name in files)
    return Revealed(document["draw"], done, before, tuple(absent))


def cosign(folder: Path, post: Callable[[str, bytes], Answer] = http_post) -> Cosigned:
    """Have the log's checkpoint cosigned and published; before the draw, keep it as the announced checkpoint.

    It is kept only with a quorum whose times lie before the round. Raises StateError: not announced, cosigned too late.
    """
    campaign = Campaign(folder)
    book = required_logbook(campaign, plan_of(campaign))
    stage = state_of(campaign, book)
    document = announcement_of(campaign, stage)
    with book.opened() as log:
        policy = book.policy()
        outcome = ask_witnesses(log, policy, post)
        note = log.reader.checkpoint_note()
        failures = list(outcome.failures.values())
        quorum: bool | None = None
        at = None
        if policy.needs_witnesses:
            try:
                at = policy.verify(note).quorum_time
                quorum = True
            except LogError as problem:
                failures.append(problem)
                quorum = False
        size = log.checkpoint.size
        cosigned = policy.cosignatures(parse_note(note))
    book.publish()
    kept = stage.phase is Phase.ANNOUNCED and quorum is not False
    if kept:
        stage.witness(None if at is None else datetime.fromtimestamp(at, UTC))
        write_public(campaign.public, {ANNOUNCED_CHECKPOINT: note})
    before = () if at is None else _exclusions_before(campaign, book, document, size, at)
    write_public(campaign.public, {f"{EXCLUSIONS}/{number}.checkpoint": note for number in before})
    times = {name: datetime.fromtimestamp(time, UTC) for name, time in cosigned.items()}
    return Cosigned(document["draw"], size, times, tuple(failures), quorum, kept, before)


def _exclusions_before(
    campaign: Campaign, book: Logbook, document: Mapping[str, Any], size: int, at: int
) -> tuple[int, ...]:
    """Return the numbers of exclusions that a checkpoint of ``size`` holds, seen at ``at`` before their round, first seen now."""
    chain = book.chain(document["draw"])
    found = []
    for row in published_changes(campaign):
        if row["type"] != "exclude" or row["beacon"] is None:
            continue
        digest = hash_hex(canonical(row), suite_digest(document["suite"]))
        index = chain.index_of(EntryType.EXCLUDE, digest)
        in_time = at < datetime.fromisoformat(row["beacon"]["time"]).timestamp()
        path = campaign.public / EXCLUSIONS / f"{row['number']}.checkpoint"
        if index is not None and index < size and in_time and not path.exists():
            found.append(int(row["number"]))
    return tuple(found)


def keep_unwitnessed(campaign: Campaign, book: Logbook) -> None:
    """Keep the log's checkpoint as the announced one where no witness is asked for: then nobody vouches for its time."""
    write_public(campaign.public, {ANNOUNCED_CHECKPOINT: book.reader.checkpoint_note()})


def plan_of(campaign: Campaign) -> Plan:
    """Return the campaign's plan. Raises InputError with its problems."""
    result = read_plan(campaign.plan)
    if result.plan is None:
        raise InputError(result.problems)
    return result.plan
