"""Entries: what is logged of each draw, and the order in which it may happen (docs/protocol.md §11).

An entry is the RFC 8785 form of ``{"digest","draw","prev","size","type"}``: the digest and size of a document that lies
beside the log, and the SHA-256 of the draw's previous entry, null in the first. The entries of one draw so form a
chain of their own: whoever holds the last one holds them all.

    ANNOUNCE → REVEAL … → BEACON → RESULT → EXCLUDE, SUBSTITUTE, AMEND, OPEN, FINDINGS, ATTEST …
        └────────┴──────────┴────→ VOID

- A draw begins with its one ANNOUNCE, and ends in one RESULT or one VOID; what follows a RESULT reports on it.
- Nothing follows a VOID; nothing is voided after its RESULT.
- Within one authority and year, draws are announced in the order of their numbers, without a gap.
- No document is logged twice with the same type in one draw.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from dualrandom.canonical import LARGEST_INTEGER, canonical, parse_canonical
from dualrandom.errors import DualRandomError
from dualrandom.hashing import hash_hex, suite_digest
from dualrandom.log.errors import LogError, refusal

DRAW = re.compile(r"([0-9A-Za-z][0-9A-Za-z._-]{0,63})-([0-9]{4})-((?!000000)[0-9]{6})")
_HEX64 = re.compile("[0-9a-f]{64}")


class EntryType(Enum):
    """What an entry's document is."""

    ANNOUNCE = "ANNOUNCE"
    REVEAL = "REVEAL"
    BEACON = "BEACON"
    RESULT = "RESULT"
    EXCLUDE = "EXCLUDE"
    SUBSTITUTE = "SUBSTITUTE"
    AMEND = "AMEND"
    OPEN = "OPEN"
    FINDINGS = "FINDINGS"
    ATTEST = "ATTEST"
    VOID = "VOID"


_BEFORE_SEED = frozenset({EntryType.REVEAL, EntryType.BEACON, EntryType.VOID})
_AFTER_RESULT = frozenset(
    {
        EntryType.EXCLUDE,
        EntryType.SUBSTITUTE,
        EntryType.AMEND,
        EntryType.OPEN,
        EntryType.FINDINGS,
        EntryType.ATTEST,
    }
)
_MAY_FOLLOW: Mapping[EntryType | None, frozenset[EntryType]] = {
    None: frozenset({EntryType.ANNOUNCE}),
    EntryType.ANNOUNCE: _BEFORE_SEED,
    EntryType.REVEAL: _BEFORE_SEED,
    EntryType.BEACON: frozenset({EntryType.RESULT, EntryType.VOID}),
    EntryType.RESULT: _AFTER_RESULT,
    EntryType.VOID: frozenset(),
    **dict.fromkeys(_AFTER_RESULT, _AFTER_RESULT),
}


@dataclass(frozen=True, slots=True)
class Entry:
    """One log entry. ``digest`` is H of the document in the draw's suite, ``prev`` a SHA-256, both 64 lower-case hex digits.

    Raises LogError ``entry-malformed`` if a field is out of its range.
    """

    type: EntryType
    draw: str
    digest: str
    size: int
    prev: str | None

    def __post_init__(self) -> None:
        if not DRAW.fullmatch(self.draw):
            raise _malformed("抽取编号有误", "the draw's id is wrong")
        if not _HEX64.fullmatch(self.digest) or (self.prev is not None and not _HEX64.fullmatch(self.prev)):
            raise _malformed("散列应为 64 位小写十六进制", "a digest is not 64 lower-case hex digits")
        if not 0 <= self.size <= LARGEST_INTEGER:
            raise _malformed("大小超出范围", "the size is out of range")

    @property
    def data(self) -> bytes:
        """The entry's bytes."""
        return canonical(
            {
                "digest": self.digest,
                "draw": self.draw,
                "prev": self.prev,
                "size": self.size,
                "type": self.type.value,
            }
        )

    @property
    def hash(self) -> str:
        """What the draw's next entry names as ``prev``: SHA-256 of the bytes, in hex."""
        return hashlib.sha256(self.data).hexdigest()

    def is_of(self, document: bytes) -> bool:
        """Say whether this is the entry of the document, whichever suite the draw uses."""
        return len(document) == self.size and any(
            hash_hex(document, suite_digest(suite)) == self.digest for suite in ("sha256", "sm3")
        )


def parse_entry(data: bytes) -> Entry:
    """Read an entry. Raises LogError ``entry-malformed``."""
    try:
        value = parse_canonical(data, "entry")
    except DualRandomError as problem:
        raise _malformed(problem.message("zh"), problem.message("en")) from problem
    match value:
        case {
            "digest": str(digest),
            "draw": str(draw),
            "prev": prev,
            "size": int(size),
            "type": str(kind),
        } if len(value) == 5 and isinstance(prev, str | None) and not isinstance(size, bool):
            if kind not in EntryType.__members__:
                raise _malformed(f"未知类型 {kind[:40]}", f"unknown type {kind[:40]}")
            return Entry(EntryType(kind), draw, digest, size, prev)
    raise _malformed("字段不符", "the fields are not those of an entry")


@dataclass(frozen=True, slots=True)
class Chain:
    """What a log says of one draw: its entries' indices in the log and the entries, in order."""

    draw: str
    indices: tuple[int, ...] = ()
    entries: tuple[Entry, ...] = ()

    @property
    def last(self) -> Entry | None:
        """The latest entry."""
        return self.entries[-1] if self.entries else None

    @property
    def is_open(self) -> bool:
        """Whether neither RESULT nor VOID has been logged."""
        return not any(entry.type in {EntryType.RESULT, EntryType.VOID} for entry in self.entries)

    @property
    def is_void(self) -> bool:
        """Whether the draw ended in a VOID."""
        return self.last is not None and self.last.type is EntryType.VOID

    def index_of(self, kind: EntryType, digest: str) -> int | None:
        """Return the log index of the entry of this type and document, or None."""
        for index, entry in zip(self.indices, self.entries, strict=True):
            if entry.type is kind and entry.digest == digest:
                return index
        return None


@dataclass(frozen=True, slots=True)
class Chains:
    """All draws of a log, folded entry by entry; every rule of this module's docstring is held here."""

    size: int = 0
    draws: Mapping[str, Chain] = field(default_factory=dict)
    numbers: Mapping[tuple[str, str], int] = field(default_factory=dict)
    """The latest announced number by authority and year."""

    def after(self, entry: Entry) -> Chains:
        """Return the chains with one more entry. Raises LogError ``entry-out-of-order`` if a rule forbids it."""
        chain = self.draws.get(entry.draw, Chain(entry.draw))
        last = chain.last
        if entry.type not in _MAY_FOLLOW[None if last is None else last.type]:
            before = "-" if last is None else last.type.value
            raise _out_of_order(
                entry,
                f"{entry.type.value} 不能接在 {before} 之后",
                f"{entry.type.value} cannot follow {before}",
            )
        if entry.prev != (None if last is None else last.hash):
            raise _out_of_order(
                entry, "prev 不是该抽取上一条目的散列", "prev is not the hash of the draw's last entry"
            )
        if chain.index_of(entry.type, entry.digest) is not None:
            raise _out_of_order(entry, "同一文书不能登记两次", "the same document was logged before")
        numbers = dict(self.numbers)
        if entry.type is EntryType.ANNOUNCE:
            authority, year, number = draw_parts(entry.draw)
            latest = numbers.get((authority, year))
            if latest is not None and number != latest + 1:
                raise _out_of_order(
                    entry, f"下一个编号应为 {latest + 1:06d}", f"the next number is {latest + 1:06d}"
                )
            numbers[authority, year] = number
        grown = Chain(entry.draw, (*chain.indices, self.size), (*chain.entries, entry))
        return Chains(self.size + 1, {**self.draws, entry.draw: grown}, numbers)

    def next_entry(self, kind: EntryType, draw: str, document: bytes, suite: str = "sha256") -> Entry:
        """Return the entry that would log a document as the draw's next one."""
        chain = self.draws.get(draw)
        prev = None if chain is None or chain.last is None else chain.last.hash
        return Entry(kind, draw, hash_hex(document, suite_digest(suite)), len(document), prev)

    @property
    def open_draws(self) -> tuple[str, ...]:
        """Draws without RESULT or VOID, ascending."""
        return tuple(sorted(draw for draw, chain in self.draws.items() if chain.is_open))

    @property
    def void_draws(self) -> tuple[str, ...]:
        """Draws that were voided, ascending."""
        return tuple(sorted(draw for draw, chain in self.draws.items() if chain.is_void))

    @property
    def missing_draws(self) -> tuple[str, ...]:
        """Numbers from 000001 up to the latest of each authority and year that this log does not show, ascending."""
        return tuple(
            sorted(
                draw
                for (authority, year), latest in self.numbers.items()
                for draw in (f"{authority}-{year}-{number:06d}" for number in range(1, latest))
                if draw not in self.draws
            )
        )


def chains_of(entries: Iterable[bytes]) -> Chains:
    """Read all entries of a log in order. Raises LogError ``entry-malformed``, ``entry-out-of-order``."""
    chains = Chains()
    for data in entries:
        chains = chains.after(parse_entry(data))
    return chains


def document_path(digest: str) -> str:
    """Return the path of a logged document below the log."""
    return f"documents/{digest}"


def draw_parts(draw: str) -> tuple[str, str, int]:
    """Return authority, year and number of a draw's id. Raises LogError ``entry-malformed``."""
    match = DRAW.fullmatch(draw)
    if match is None:
        raise _malformed("抽取编号有误", "the draw's id is wrong")
    return match[1], match[2], int(match[3])


def _malformed(zh: str, en: str) -> LogError:
    return refusal("entry-malformed", "", f"日志条目有误：{zh}", f"the log entry is malformed: {en}")


def _out_of_order(entry: Entry, zh: str, en: str) -> LogError:
    return refusal(
        "entry-out-of-order",
        entry.draw,
        f"日志条目次序有误：{zh}",
        f"the log entry is out of order: {en}",
        remedy_zh="核对该抽取在日志中的已有条目，只登记其后允许的事项。",
        remedy_en="Look at the draw's entries in the log and add only what may follow them.",
    )
