"""The first random: how many enterprises of each stratum, and which (docs/protocol.md §6).

Sizes are a systematic rounding of the cumulated expectations with one uniform number a task (Kish 1965; Deville and Tillé call it
systematic sampling of strata), so that each size is its expectation rounded down or up and unbiased. Selection is by permanent random
numbers that are fresh each period (Ohlsson 1995): the smallest tickets of a stratum, shared by all tasks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor

import numpy as np
import numpy.typing as npt

from dualrandom.quota import Stratum
from dualrandom.ticket import Tickets

TICKET_RANGE = 2**256


def sample_sizes(task: str, strata: Sequence[Stratum], tickets: Tickets) -> dict[str, int]:
    """Return n_h for each stratum id. Exact arithmetic; Σ n_h is Σ e_h rounded down or up, as is each group's sum."""
    first_of_group: dict[str, str] = {}
    for stratum in sorted(strata, key=lambda s: s.id):
        first_of_group.setdefault(stratum.group, stratum.id)
    ordered = sorted(
        strata,
        key=lambda s: (first_of_group[s.group], tickets.raw("order", f"{task}:{s.id}"), s.id),
    )
    start = Fraction(tickets.number("rounding", task), TICKET_RANGE)
    sizes: dict[str, int] = {}
    cumulated = Fraction(0)
    before = floor(start)
    for stratum in ordered:
        cumulated += stratum.expected
        after = floor(cumulated + start)
        sizes[stratum.id] = after - before
        before = after
    return sizes


@dataclass(frozen=True)
class Ranking:
    """The frame in ticket order.

    ``order``: int64[n], positions in the frame by ascending (ticket, id). ``by_profile``: for each profile the ranks of its
    members, ascending. A rank indexes ``order``.
    """

    order: npt.NDArray[np.int64]
    by_profile: tuple[npt.NDArray[np.int64], ...]


def ranking(
    ids: Sequence[str], tickets: Sequence[bytes], profile: npt.NDArray[np.int64], profiles: int
) -> Ranking:
    """Order a frame of n enterprises by ticket; ``profile`` is int64[n], the index of each one's profile."""
    order = _ticket_order(tickets)
    in_order = profile[order] if len(ids) else profile
    by_rank = np.argsort(in_order, kind="stable").astype(np.int64)
    bounds = np.searchsorted(in_order[by_rank], np.arange(profiles + 1))
    return Ranking(order, tuple(by_rank[bounds[p] : bounds[p + 1]] for p in range(profiles)))


def _ticket_order(tickets: Sequence[bytes]) -> npt.NDArray[np.int64]:
    """Return the positions of 32-byte tickets in ascending order, equal tickets by position (ids ascend in the frame)."""
    # the first 64 bits decide all but about n²/2^65 cases: sort by them, and by the whole only where they meet
    heads = np.frombuffer(b"".join(tickets), dtype=">u8")[::4].astype(np.uint64)
    order = np.argsort(heads, kind="stable").astype(np.int64)
    if np.any(heads[order[1:]] == heads[order[:-1]]):
        return np.array(sorted(range(len(tickets)), key=tickets.__getitem__), dtype=np.int64)
    return order


def members(ranked: Ranking, profiles: Iterable[int]) -> npt.NDArray[np.int64]:
    """Return the ranks of the members of some profiles, unordered."""
    parts = [ranked.by_profile[p] for p in profiles]
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)


def smallest(ranks: npt.NDArray[np.int64], n: int) -> npt.NDArray[np.int64]:
    """Return the ``n`` smallest ranks, ascending. Requires 0 ≤ n ≤ len(ranks)."""
    if n >= len(ranks):
        return np.sort(ranks)
    return np.sort(np.partition(ranks, n)[:n]) if n else ranks[:0]


def profiles_of_strata(profiles: Sequence[Mapping[str, str]]) -> dict[str, dict[str, list[int]]]:
    """Return task → stratum → indexes of the profiles that lie in it."""
    result: dict[str, dict[str, list[int]]] = {}
    for index, strata in enumerate(profiles):
        for task, stratum in strata.items():
            result.setdefault(task, {}).setdefault(stratum, []).append(index)
    return result
