"""Entries and the order of a draw's events in the log."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualrandom.log.entry import Chains, Entry, EntryType, chains_of, parse_entry
from dualrandom.log.errors import LogError
from dualrandom.log.storage import Document

DRAW = "ezhou-2026-000001"
T = EntryType
GOOD = b'{"digest":"' + b"ab" * 32 + b'","draw":"ezhou-2026-000001","prev":null,"size":12,"type":"ANNOUNCE"}'


def logged(*kinds: EntryType, draw: str = DRAW, chains: Chains | None = None) -> Chains:
    chains = chains or Chains()
    for number, kind in enumerate(kinds):
        chains = chains.after(chains.next_entry(kind, draw, f"{kind.value} {number}".encode()))
    return chains


def test_an_entry_is_read_back_as_it_was_written() -> None:
    assert parse_entry(GOOD) == Entry(T.ANNOUNCE, DRAW, "ab" * 32, 12, None)
    assert parse_entry(GOOD).data == GOOD


MALFORMED = {
    "space": GOOD.replace(b",", b", ", 1),
    "newline": GOOD + b"\n",
    "keys-out-of-order": b'{"type":"VOID","size":1,"prev":null,"draw":"a-2026-000001","digest":"'
    + b"a" * 64
    + b'"}',
    "unknown-key": GOOD.replace(b'"draw"', b'"documents":1,"draw"'),
    "missing-key": GOOD.replace(b',"prev":null', b""),
    "unknown-type": GOOD.replace(b"ANNOUNCE", b"ANNUL"),
    "type-in-small-letters": GOOD.replace(b"ANNOUNCE", b"announce"),
    "digest-in-capitals": GOOD.replace(b"ab" * 32, b"AB" * 32),
    "digest-short": GOOD.replace(b"ab" * 32, b"ab" * 31),
    "prev-empty": GOOD.replace(b"null", b'""'),
    "prev-number": GOOD.replace(b"null", b"1"),
    "size-negative": GOOD.replace(b":12", b":-1"),
    "size-true": GOOD.replace(b":12", b":true"),
    "size-float": GOOD.replace(b":12", b":12.0"),
    "size-text": GOOD.replace(b":12", b':"12"'),
    "draw-without-number": GOOD.replace(b"-000001", b""),
    "draw-with-newline": GOOD.replace(b"-000001", b"-000001\\n"),
    "not-an-object": b"[]",
    "not-json": b"{",
}


@pytest.mark.parametrize("lie", MALFORMED)
def test_a_malformed_entry_is_refused(lie: str) -> None:
    with pytest.raises(LogError) as refused:
        parse_entry(MALFORMED[lie])
    assert refused.value.code == "entry-malformed"


def test_a_draws_whole_story_is_accepted() -> None:
    after = (T.EXCLUDE, T.SUBSTITUTE, T.AMEND, T.OPEN, T.FINDINGS, T.ATTEST, T.FINDINGS)
    chains = logged(T.ANNOUNCE, T.REVEAL, T.REVEAL, T.BEACON, T.RESULT, *after)
    assert chains.size == 12
    assert chains.draws[DRAW].indices == tuple(range(12))
    assert chains.open_draws == chains.void_draws == chains.missing_draws == ()


@pytest.mark.parametrize("before", [(T.ANNOUNCE,), (T.ANNOUNCE, T.REVEAL), (T.ANNOUNCE, T.BEACON)])
def test_a_draw_may_be_voided_until_its_result(before: tuple[EntryType, ...]) -> None:
    assert logged(*before).open_draws == (DRAW,)
    assert logged(*before, T.VOID).void_draws == (DRAW,)


OUT_OF_ORDER = {
    "nothing-announced": (T.RESULT,),
    "voided-unannounced": (T.VOID,),
    "announced-twice": (T.ANNOUNCE, T.ANNOUNCE),
    "result-without-beacon": (T.ANNOUNCE, T.REVEAL, T.RESULT),
    "reveal-after-beacon": (T.ANNOUNCE, T.BEACON, T.REVEAL),
    "two-beacons": (T.ANNOUNCE, T.BEACON, T.BEACON),
    "two-results": (T.ANNOUNCE, T.BEACON, T.RESULT, T.RESULT),
    "second-result-after-findings": (T.ANNOUNCE, T.BEACON, T.RESULT, T.FINDINGS, T.RESULT),
    "void-after-result": (T.ANNOUNCE, T.BEACON, T.RESULT, T.VOID),
    "void-after-amendment": (T.ANNOUNCE, T.BEACON, T.RESULT, T.AMEND, T.VOID),
    "two-voids": (T.ANNOUNCE, T.VOID, T.VOID),
    "result-after-void": (T.ANNOUNCE, T.BEACON, T.VOID, T.RESULT),
    "announced-again-after-void": (T.ANNOUNCE, T.VOID, T.ANNOUNCE),
    "substitution-before-result": (T.ANNOUNCE, T.BEACON, T.SUBSTITUTE),
    "amendment-before-seed": (T.ANNOUNCE, T.AMEND),
}


@pytest.mark.parametrize("lie", OUT_OF_ORDER)
def test_an_event_out_of_order_is_refused(lie: str) -> None:
    *before, last = OUT_OF_ORDER[lie]
    chains = logged(*before)
    with pytest.raises(LogError) as refused:
        logged(last, chains=chains)
    assert refused.value.code == "entry-out-of-order"


@given(st.lists(st.sampled_from(EntryType), max_size=12))
def test_no_story_has_two_ends(kinds: list[EntryType]) -> None:
    chains = Chains()
    for number, kind in enumerate(kinds):
        try:
            chains = chains.after(chains.next_entry(kind, DRAW, b"%d" % number))
        except LogError:
            continue
    told = [entry.type for entry in chains.draws[DRAW].entries] if DRAW in chains.draws else []
    assert sum(kind in {T.RESULT, T.VOID} for kind in told) <= 1
    assert told.count(T.ANNOUNCE) == (1 if told else 0)
    if T.VOID in told:
        assert told[-1] is T.VOID


def test_an_entry_that_does_not_name_the_last_one_is_refused() -> None:
    chains = logged(T.ANNOUNCE, T.REVEAL)
    good = chains.next_entry(T.BEACON, DRAW, b"beacon")
    for prev in (None, "00" * 32, chains.draws[DRAW].entries[0].hash):
        with pytest.raises(LogError) as refused:
            chains.after(replace(good, prev=prev))
        assert refused.value.code == "entry-out-of-order"


def test_a_first_entry_with_a_predecessor_is_refused() -> None:
    with pytest.raises(LogError):
        Chains().after(replace(parse_entry(GOOD), prev="00" * 32))


def test_the_same_document_is_not_logged_twice() -> None:
    chains = logged(T.ANNOUNCE)
    chains = chains.after(chains.next_entry(T.REVEAL, DRAW, b"nonce"))
    with pytest.raises(LogError):
        chains.after(chains.next_entry(T.REVEAL, DRAW, b"nonce"))


def test_numbers_leave_no_gap_and_years_and_authorities_count_apart() -> None:
    chains = logged(T.ANNOUNCE, T.VOID)
    for draw in ("ezhou-2026-000003", "ezhou-2026-000001"):
        with pytest.raises(LogError):
            logged(T.ANNOUNCE, draw=draw, chains=chains)
    for draw in ("ezhou-2026-000002", "ezhou-2027-000001", "wuhan-2026-000001", "ezhou-2026-2026-000001"):
        chains = logged(T.ANNOUNCE, draw=draw, chains=chains)
    assert chains.missing_draws == ()


def test_a_log_that_begins_within_a_year_shows_which_draws_it_lacks() -> None:
    chains = logged(T.ANNOUNCE, draw="ezhou-2026-000003")
    assert chains.missing_draws == ("ezhou-2026-000001", "ezhou-2026-000002")


def test_draws_interleave_without_touching_each_others_chains(story: Callable[[int], list[Document]]) -> None:
    chains = Chains()
    entries: list[bytes] = []
    for one, two in zip(story(1), story(2), strict=True):
        for document in (one, two):
            entry = chains.next_entry(document.type, document.draw, document.data)
            chains = chains.after(entry)
            entries.append(entry.data)
    assert chains_of(entries) == chains
    assert chains.draws["ezhou-2026-000002"].indices == (1, 3, 5, 7, 9)
    for place in range(8):
        swapped = list(entries)
        swapped[place], swapped[place + 2] = swapped[place + 2], swapped[place]
        with pytest.raises(LogError):
            chains_of(swapped)


def test_an_entry_knows_its_document_in_either_suite() -> None:
    for suite in ("sha256", "sm3"):
        entry = Chains().next_entry(T.ANNOUNCE, DRAW, b"document", suite)
        assert entry.is_of(b"document")
        assert not entry.is_of(b"documents")
        assert not entry.is_of(b"Document")
