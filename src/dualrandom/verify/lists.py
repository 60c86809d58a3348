"""List files and openings as typed columns (docs/protocol.md §2).

The frame may have hundreds of thousands of rows. Each of its rows has one possible canonical form, which a regular
expression states exactly, so most rows need no JSON parser; a row that does not match is parsed to say why.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from dualrandom.canonical import canonical
from dualrandom.hashing import Digest, leaf_hash, row_salt, seal_bytes, tree_root
from dualrandom.verify import schema
from dualrandom.verify.announcement import Announcement, Commitment, Stratum, read_strata_of
from dualrandom.verify.report import Fault

T = TypeVar("T")

_DAYS = f'((?:"{schema.DAY}"(?:,"{schema.DAY}")*)?)'
_STRATA = f'(\\{{"{schema.ID}":"{schema.ID}"(?:,"{schema.ID}":"{schema.ID}")*\\}})'
_open_frame = re.compile(
    f'{{"detail":{{"closed":\\[{_DAYS}\\],"district":"({schema.ID})","profile":"({schema.ID})"}},"id":"({schema.ID})"}}'.encode()
)
_sealed_row = re.compile(f'{{"id":"({schema.ID})","sealed":"({schema.HEX64})"}}'.encode())
_frame_opening = re.compile(
    f'{{"hidden":({{"closed":\\[{_DAYS}\\],"district":"({schema.ID})","strata":{_STRATA}}}),'
    f'"id":"({schema.ID})","list":"frame","salt":"({schema.HEX64})"}}'.encode()
)


@dataclass(frozen=True, slots=True)
class ListFile:
    """A list's rows (bytes without the newline), their ids, and their seals where all of them are sealed."""

    name: str
    rows: Sequence[bytes]
    ids: Sequence[str]
    seals: Sequence[str] | None

    def root(self, digest: Digest) -> Commitment:
        """Return the commitment of these rows."""
        return Commitment(tree_root([leaf_hash(row, digest) for row in self.rows], digest), len(self.rows))


@dataclass(frozen=True, slots=True)
class Openings:
    """The openings of one list in row order: hidden content as canonical bytes and as ``values``, and salts."""

    name: str
    ids: Sequence[str]
    hidden: Sequence[bytes]
    salts: Sequence[str]
    values: Sequence[Any]


@dataclass(frozen=True, slots=True)
class Frame:
    """The eligible enterprises in id order; ``strata[profile_of[i]]`` are the strata of enterprise i by task."""

    ids: Sequence[str]
    keys: Sequence[str]
    closed: Sequence[tuple[str, ...]]
    districts: Sequence[str]
    profile_of: Sequence[int]
    strata: Sequence[Mapping[str, str]]
    index: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Inspector:
    """A row of the roster."""

    id: str
    department: str
    districts: frozenset[str]
    marks: frozenset[str]
    absent: frozenset[str]
    daily: int
    total: int


@dataclass(frozen=True, slots=True)
class Recusals:
    """Who may not inspect whom, and which colleagues may not serve on one visit."""

    enterprise: frozenset[tuple[str, str]]
    """(inspector, enterprise)"""
    colleagues: Mapping[str, frozenset[str]]
    """inspector → incompatible inspectors, both ways"""


def rows_of(data: bytes, name: str) -> list[bytes]:
    """Return the rows of a list file. Raises Fault if the last row does not end in a newline."""
    if not data:
        return []
    if not data.endswith(b"\n"):
        raise Fault(f"{name} 的末行没有以换行符结束", f"{name}: the last row does not end in a newline")
    return data[:-1].split(b"\n")


def _in_order(ids: Sequence[str], name: str) -> None:
    if any(map(str.__ge__, ids, ids[1:])):
        schema.ascending(ids, name)


def _read_rows(data: bytes, name: str, read: Callable[[Any, str], T]) -> tuple[list[bytes], list[T]]:
    rows = rows_of(data, name)
    return rows, [read(schema.parsed(row, f"{name}:{i}"), f"{name}:{i}") for i, row in enumerate(rows, 1)]


def read_sealed(data: bytes, list_name: str) -> ListFile:
    """Read a list whose rows have no open detail."""
    name = f"{list_name}.jsonl"
    rows = rows_of(data, name)
    ids, seals = [], []
    for i, row in enumerate(rows, 1):
        match = _sealed_row.fullmatch(row)
        if match is None:
            found = schema.record(schema.parsed(row, f"{name}:{i}"), f"{name}:{i}", ("id", "sealed"))
            schema.ident(found["id"], f"{name}:{i}: id")
            schema.hex64(found["sealed"], f"{name}:{i}: sealed")
            continue
        ids.append(match[1].decode())
        seals.append(match[2].decode())
    _in_order(ids, name)
    return ListFile(list_name, rows, ids, seals)


class _Columns:
    """Interned pieces of frame rows: few distinct values, each read once."""

    def __init__(self, announced_days: Sequence[str]) -> None:
        self.closed: dict[bytes, tuple[str, ...]] = {}
        self.names: dict[bytes, str] = {}
        self.announced_days = frozenset(announced_days)

    def read_closed(self, piece: bytes, where: str) -> tuple[str, ...]:
        found = self.closed.get(piece)
        if found is None:
            found = _subset_of_days(schema.parsed(b"[" + piece + b"]", where), where, self.announced_days)
            self.closed[piece] = found
        return found

    def name(self, piece: bytes) -> str:
        found = self.names.get(piece)
        if found is None:
            found = self.names[piece] = piece.decode()
        return found


def _subset_of_days(value: Any, where: str, announced_days: frozenset[str]) -> tuple[str, ...]:
    found = schema.days(value, where)
    outside = sorted(set(found) - announced_days)
    if outside:
        raise Fault(
            f"{where} 的 {outside[0]} 不在公告的 days 中",
            f"{where}: {outside[0]} is not among the announced days",
        )
    return found


def read_open_frame(data: bytes, announcement: Announcement) -> tuple[ListFile, Frame | Fault]:
    """Read an open draw's frame; a row that names no announced profile is the Fault beside the rows."""
    name = "frame.jsonl"
    rows = rows_of(data, name)
    columns = _Columns(announcement.days)
    profiles = {profile: i for i, profile in enumerate(announcement.profiles or ())}
    ids: list[str] = []
    closed, districts, profile_names = [], [], []
    for i, row in enumerate(rows, 1):
        match = _open_frame.fullmatch(row)
        if match is None:
            _refuse_open_frame_row(row, f"{name}:{i}", columns.announced_days)
            continue
        days, district, profile, key = match.groups()
        ids.append(key.decode())
        closed.append(columns.read_closed(days, f"{name}:{i}: closed") if days else ())
        districts.append(columns.name(district))
        profile_names.append(columns.name(profile))
    _in_order(ids, name)
    listed = ListFile("frame", rows, ids, None)
    unknown = next((i for i, profile in enumerate(profile_names) if profile not in profiles), None)
    if unknown is not None:
        profile = profile_names[unknown]
        return listed, Fault(
            f"{name} 企业 {ids[unknown]} 的档型 {profile} 不在公告中",
            f"{name}: enterprise {ids[unknown]} names profile {profile}, which is not announced",
        )
    return listed, Frame(
        ids=ids,
        keys=ids,
        closed=closed,
        districts=districts,
        profile_of=[profiles[profile] for profile in profile_names],
        strata=list((announcement.profiles or {}).values()),
        index={key: i for i, key in enumerate(ids)},
    )


def _refuse_open_frame_row(row: bytes, where: str, announced_days: frozenset[str]) -> None:
    found = schema.record(schema.parsed(row, where), where, ("detail", "id"))
    schema.ident(found["id"], f"{where}: id")
    detail = schema.record(found["detail"], f"{where}: detail", ("closed", "district", "profile"))
    _subset_of_days(detail["closed"], f"{where}: closed", announced_days)
    schema.ident(detail["district"], f"{where}: district")
    schema.ident(detail["profile"], f"{where}: profile")
    raise Fault(f"{where} 的形式不对", f"{where} does not have the form of a frame row")


def read_frame_openings(data: bytes, announcement: Announcement) -> tuple[Openings, Frame]:
    """Read the openings of a sealed frame."""
    name = "openings/frame.jsonl"
    rows = rows_of(data, name)
    columns = _Columns(announcement.days)
    profiles: dict[bytes, int] = {}
    strata: list[Mapping[str, str]] = []
    ids: list[str] = []
    closed, districts, profile_of, hidden, salts = [], [], [], [], []
    for i, row in enumerate(rows, 1):
        match = _frame_opening.fullmatch(row)
        if match is None:
            _refuse_frame_opening(row, f"{name}:{i}", columns.announced_days)
            continue
        content, days, district, profile, key, salt = match.groups()
        number = profiles.get(profile)
        if number is None:
            number = profiles[profile] = len(strata)
            strata.append(read_strata_of(schema.parsed(profile, f"{name}:{i}"), f"{name}:{i}: strata"))
        ids.append(key.decode())
        closed.append(columns.read_closed(days, f"{name}:{i}: closed") if days else ())
        districts.append(columns.name(district))
        profile_of.append(number)
        hidden.append(content)
        salts.append(salt.decode())
    _in_order(ids, name)
    frame = Frame(
        ids=ids,
        keys=[f"{key}:{salt}" for key, salt in zip(ids, salts, strict=True)],
        closed=closed,
        districts=districts,
        profile_of=profile_of,
        strata=strata,
        index={key: i for i, key in enumerate(ids)},
    )
    return Openings("frame", ids, hidden, salts, ()), frame


def _refuse_frame_opening(row: bytes, where: str, announced_days: frozenset[str]) -> None:
    opening = _opening(schema.parsed(row, where), where)
    hidden = schema.record(opening["hidden"], f"{where}: hidden", ("closed", "district", "strata"))
    _subset_of_days(hidden["closed"], f"{where}: closed", announced_days)
    schema.ident(hidden["district"], f"{where}: district")
    if not read_strata_of(hidden["strata"], f"{where}: strata"):
        raise Fault(f"{where} 的企业不在任何层中", f"{where}: the enterprise is in no stratum")
    raise Fault(f"{where} 的形式不对", f"{where} does not have the form of a frame opening")


def _opening(value: Any, where: str) -> dict[str, Any]:
    found = schema.record(value, where, ("hidden", "id", "list", "salt"))
    schema.ident(found["id"], f"{where}: id")
    schema.ident(found["list"], f"{where}: list")
    schema.hex64(found["salt"], f"{where}: salt")
    return found


def read_openings(data: bytes, file_name: str) -> dict[str, Openings]:
    """Read openings of any lists, ascending by list and id."""
    _, found = _read_rows(data, file_name, _opening)
    schema.ascending([(row["list"], row["id"]) for row in found], file_name)
    by_list: dict[str, list[dict[str, Any]]] = {}
    for row in found:
        by_list.setdefault(row["list"], []).append(row)
    return {
        name: Openings(
            name=name,
            ids=[row["id"] for row in rows],
            hidden=[canonical(row["hidden"]) for row in rows],
            salts=[row["salt"] for row in rows],
            values=[row["hidden"] for row in rows],
        )
        for name, rows in by_list.items()
    }


def read_roster(data: bytes, announcement: Announcement) -> tuple[ListFile, dict[str, Inspector]]:
    """Read the roster: open detail, and a seal in a sealed draw."""
    announced_days = frozenset(announcement.days)
    keys = ("detail", "id", "sealed") if announcement.sealed else ("detail", "id")

    def read(value: Any, where: str) -> tuple[Inspector, str]:
        row = schema.record(value, where, keys)
        detail = schema.record(
            row["detail"], where, ("absent", "daily", "department", "districts", "marks", "total")
        )
        inspector = Inspector(
            id=schema.ident(row["id"], f"{where}: id"),
            department=schema.ident(detail["department"], f"{where}: department"),
            districts=frozenset(schema.ids(detail["districts"], f"{where}: districts")),
            marks=frozenset(schema.ids(detail["marks"], f"{where}: marks")),
            absent=frozenset(_subset_of_days(detail["absent"], f"{where}: absent", announced_days)),
            daily=schema.integer(detail["daily"], f"{where}: daily"),
            total=schema.integer(detail["total"], f"{where}: total"),
        )
        return inspector, schema.hex64(row["sealed"], f"{where}: sealed") if announcement.sealed else ""

    rows, found = _read_rows(data, "roster.jsonl", read)
    ids = [inspector.id for inspector, _ in found]
    _in_order(ids, "roster.jsonl")
    seals = [seal for _, seal in found] if announcement.sealed else None
    return ListFile("roster", rows, ids, seals), {inspector.id: inspector for inspector, _ in found}


def read_open_recusals(data: bytes) -> tuple[ListFile, list[tuple[str, str]]]:
    """Read an open draw's recusals: the pairs in row order."""

    def read(value: Any, where: str) -> str:
        row = schema.record(value, where, ("detail", "id"))
        detail = schema.record(row["detail"], where, ("ground",))
        schema.ident(detail["ground"], f"{where}: ground")
        return schema.matching(row["id"], f"{where}: id", _pair, " a~b", "a pair a~b")

    rows, ids = _read_rows(data, "recusals.jsonl", read)
    _in_order(ids, "recusals.jsonl")
    return ListFile("recusals", rows, ids, None), [_split_pair(pair) for pair in ids]


_pair = re.compile(f"{schema.ID}~{schema.ID}")


def _split_pair(pair: str) -> tuple[str, str]:
    first, second = pair.split("~")
    return first, second


def read_hidden_pair(value: Any, where: str) -> tuple[str, str]:
    """Read the hidden content of a recusals row."""
    hidden = schema.record(value, where, ("ground", "pair"))
    schema.ident(hidden["ground"], f"{where}: ground")
    pair = schema.many(hidden["pair"], f"{where}: pair", schema.ident)
    if len(pair) != 2:
        raise Fault(f"{where}: pair 应有两项", f"{where}: pair should have two ids")
    return pair[0], pair[1]


def read_hidden_stratum(value: Any, where: str) -> tuple[str, Stratum]:
    """Read the hidden content of a strata row: task and stratum."""
    hidden = schema.record(value, where, ("expected", "group", "id", "size", "task"))
    stratum = Stratum(
        id=schema.ident(hidden["id"], f"{where}: id"),
        group=schema.ident(hidden["group"], f"{where}: group"),
        expected=schema.ratio(hidden["expected"], f"{where}: expected"),
        size=schema.integer(hidden["size"], f"{where}: size"),
    )
    return schema.ident(hidden["task"], f"{where}: task"), stratum


def read_hidden_person(value: Any, where: str) -> str:
    """Read the hidden content of a roster row."""
    return schema.text(schema.record(value, where, ("person",))["person"], f"{where}: person")


def read_hidden_cutoff(value: Any, where: str) -> tuple[int, tuple[str, ...]]:
    """Read the hidden content of a cutoffs row: n and the tickets."""
    hidden = schema.record(value, where, ("n", "tickets"))
    tickets = schema.many(hidden["tickets"], f"{where}: tickets", schema.hex64)
    schema.ascending(tickets, f"{where}: tickets")
    return schema.integer(hidden["n"], f"{where}: n"), tickets


def numbered(letter: str, count: int, width: int) -> list[str]:
    """Return the numbered ids of ``count`` rows, padded to ``width`` or to the largest number."""
    width = max(width, len(str(count)))
    return [f"{letter}{i:0{width}d}" for i in range(1, count + 1)]


def unmatched_seals(listed: ListFile, openings: Openings, digest: Digest) -> list[str]:
    """Return the ids whose opening does not give the row's seal, or that are no sealed rows of the list."""
    seals = dict(zip(listed.ids, listed.seals or (), strict=True)) if listed.seals is not None else {}
    return [
        key
        for key, hidden, salt in zip(openings.ids, openings.hidden, openings.salts, strict=True)
        if seal_bytes(hidden, salt, digest) != seals.get(key)
    ]


def foreign_salts(openings: Openings, secret: bytes, draw: str) -> list[str]:
    """Return the ids whose salt does not come from the list secret."""
    return [
        key
        for key, salt in zip(openings.ids, openings.salts, strict=True)
        if row_salt(secret, draw, openings.name, key) != salt
    ]
