"""Whatever bytes they are given, parsers of foreign files return or raise what they document, and nothing else.

Notes, keys, policies, tiles, proofs, published documents, receipts and the files that departments hand in: all come from others.
Given are torn and edited copies of files, and what breaks parsers: nothing, CRLF, byte-order marks, huge numbers, lone
surrogates, and arrays within arrays within arrays.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dualrandom.beacon import read_evidence
from dualrandom.canonical import parse_canonical
from dualrandom.contribution import read_contribution, read_reveal
from dualrandom.errors import DualRandomError
from dualrandom.flags import read_snapshot
from dualrandom.hashing import suite_digest
from dualrandom.log.checkpoint import open_checkpoint, parse_checkpoint
from dualrandom.log.cosignature import parse_cosigner_key
from dualrandom.log.entry import parse_entry
from dualrandom.log.errors import LogError
from dualrandom.log.fsck import check_files
from dualrandom.log.keys import succession, with_succession
from dualrandom.log.keystore import open_key
from dualrandom.log.note import parse_note, parse_vkey
from dualrandom.log.policy import Policy, parse_policy
from dualrandom.log.proof import parse_proof
from dualrandom.log.reader import read_vkey
from dualrandom.log.tile import parse_bundle, parse_tile
from dualrandom.log.witness import parse_request
from dualrandom.policy import documents, reader
from dualrandom.policy.filter import FilterError, parse_filter
from dualrandom.registry.workbook import read_workbook
from dualrandom.scan import from_texts
from dualrandom.verify import AuditorFiles, verify_record
from dualrandom.verify.announcement import parse_announcement
from dualrandom.verify.attestation import parse_attest
from dualrandom.verify.change_rows import parse_changes
from dualrandom.verify.figures import parse_statistics
from dualrandom.verify.frame_change import frame_change
from dualrandom.verify.nonces import parse_reveal
from dualrandom.verify.published import parse_beacon, parse_findings, parse_labels, parse_void
from dualrandom.verify.receipt import judge_receipt, parse_receipt
from dualrandom.verify.report import Fault
from dualrandom.verify.result import parse_result, parse_ties
from dualrandom.verify.seed_beacon import parse_seed

DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
TRIES = 2_000 if DEEP else 8
NESTED = 10**6 if DEEP else 20_000
SLOW = ("judged", "log's", "openings", "record")
"""What runs a whole verifier: tried with less."""
NASTY = [
    b"",
    b"\n",
    b"\n\n",
    b"\r\n\r\n",
    b"\n\n\xe2\x80\x94 a AAAAAAA=\n",
    b"\xef\xbb\xbf{}",
    b"\xff\xfe",
    b"\x00",
    b"null",
    b"[]",
    b"{}",
    b'""',
    b"0",
    b"-0",
    b"1e400",
    b"NaN",
    b"-Infinity",
    b"9" * 5_000,
    b"[" * NESTED,
    b"[" * NESTED + b"]" * NESTED,
    b'{"a":' * NESTED,
    b'{"a":1,"a":1}',
    b'"\\ud800"',
    b'{"\\udfff":"\\ud800"}',
    b'{"round":"\\ud800","signature":"\\ud800"}',
    b"a = " + b"[" * NESTED,
    b"a" + b".a" * 100_000 + b" = 1",
    b"a = " + b"9" * 5_000,
    b"PK\x03\x04" + bytes(60),
]
VALUES: list[Any] = [
    None,
    True,
    -1,
    2**53,
    10**30,
    1.5,
    "",
    "\ud800",
    "\u0000",
    "a\r\nb",
    [],
    {},
    [[[]]],
    {"": {}},
    "9" * 200,
]


@dataclass(frozen=True)
class Parser:
    """A reader of foreign bytes, what it may raise, and bytes from which edits start: honest ones, or a sketch of its form."""

    read: Callable[[bytes], object]
    raises: tuple[type[Exception], ...]
    start: bytes


@cache
def files(name: str) -> Mapping[str, bytes]:
    import reading  # type: ignore[import-not-found]

    found: Mapping[str, bytes] = reading.happy(name)
    return found


def public(name: str) -> dict[str, bytes]:
    return {key[7:]: data for key, data in files(name).items() if key.startswith("public/")}


def text(read: Callable[[str], object]) -> Callable[[bytes], object]:
    return lambda data: read(data.decode("utf-8", "replace"))


def within(folder: Mapping[str, bytes], name: str) -> Callable[[bytes], object]:
    """The whole verifier, with one file of a record replaced: it says what is wrong and never breaks."""

    def judge(data: bytes) -> None:
        report = verify_record({**folder, name: data}, log_policy=parse_policy(POLICY()))
        broken = [check.reason_en for check in report.checks if "internal error" in check.reason_en]
        assert broken == []

    return judge


def of_a_log(log: Mapping[str, bytes], name: str, trust: Policy) -> Callable[[bytes], object]:
    return lambda data: check_files({**log, name: data}, trust)


def POLICY() -> bytes:  # noqa: N802 - a constant, read when it is first wanted
    return files("open-logged-rotated")["reader/log.policy"]


def opened(data: bytes) -> None:
    """An auditor's openings that are anything."""
    report = verify_record(public("sealed-drand"), AuditorFiles(bytes(32), {"frame": data, "strata": data}))
    assert [check for check in report.checks if "internal error" in check.reason_en] == []


@cache
def parsers() -> dict[str, Parser]:
    rotated, changed, sealed = (
        public("open-logged-rotated"),
        public("open-changed"),
        public("sealed-attested"),
    )
    announced = parse_announcement(sealed["announcement.json"])
    own = parse_announcement(rotated["announcement.json"])
    key = read_vkey(rotated["log/log.vkey"])
    note, checkpoint = rotated["log/keys/000001.note"], rotated["log/checkpoint"]
    bundle = next(name for name in rotated if name.startswith("log/tile/entries/"))
    trust = parse_policy(POLICY())
    log = {name[4:]: data for name, data in rotated.items() if name.startswith("log/")}
    reveal = next(name for name in rotated if name.startswith("reveals/"))
    receipt = files("sealed-drand")["receipts/drawn.json"]
    drand = json.dumps({"round": 1000, "signature": json.loads(rotated["beacon.json"])["signature"]}).encode()
    fault, refused, of_log = (Fault,), (DualRandomError,), (LogError,)
    return {
        # the log
        "note": Parser(parse_note, of_log, note),
        "checkpoint": Parser(lambda data: open_checkpoint(data, [key]), of_log, checkpoint),
        "checkpoint's text": Parser(text(parse_checkpoint), of_log, parse_note(checkpoint).text.encode()),
        "succession": Parser(lambda data: succession(key, [data]), of_log, note),
        "policy with notes": Parser(lambda data: with_succession(trust, [data]), of_log, note),
        "policy": Parser(parse_policy, of_log, POLICY()),
        "verifier key": Parser(text(parse_vkey), of_log, key.text.encode()),
        "key file": Parser(read_vkey, of_log, rotated["log/log.vkey"]),
        "witness's key": Parser(text(parse_cosigner_key), of_log, key.text.encode()),
        "bundle": Parser(lambda data: parse_bundle(data, 2), of_log, rotated[bundle]),
        "tile": Parser(lambda data: parse_tile(data, 2), of_log, bytes(64)),
        "entry": Parser(parse_entry, of_log, parse_bundle_of(rotated[bundle])),
        "proof": Parser(parse_proof, of_log, b"c2sp.org/tlog-proof@v1\nindex 0\n\n" + checkpoint),
        "witness's request": Parser(parse_request, of_log, b"old 0\n\n" + checkpoint),
        "private key": Parser(
            lambda data: open_key(data, "log", "a password"), of_log, b'{"cost":2,"sealed":""}'
        ),
        **{
            f"log's {name}": Parser(of_a_log(log, name, trust), (), log[name])
            for name in ("checkpoint", "log.vkey", "keys/000001.note", bundle[4:])
        },
        # published documents
        "canonical form": Parser(lambda data: parse_canonical(data, "x"), refused, rotated["result.json"]),
        "announcement": Parser(parse_announcement, fault, sealed["announcement.json"]),
        "result": Parser(lambda data: parse_result(data, announced), fault, sealed["result.json"]),
        "open result": Parser(lambda data: parse_result(data, own), fault, rotated["result.json"]),
        "ties": Parser(parse_ties, fault, b'{"announcement":"","attempts":[],"type":"dualrandom/v1/ties"}'),
        "beacon": Parser(parse_beacon, fault, rotated["beacon.json"]),
        "void": Parser(parse_void, fault, public("open-voided")["void.json"]),
        "findings": Parser(parse_findings, fault, public("open-conspicuous").get("findings.json", b"{}")),
        "labels": Parser(parse_labels, fault, rotated["labels.json"]),
        "statistics": Parser(parse_statistics, fault, rotated["statistics.json"]),
        "attestation": Parser(parse_attest, fault, sealed["attest.json"]),
        "changes": Parser(
            lambda data: parse_changes(data, changed["result.json"], suite_digest("sha256")),
            fault,
            changed["changes.jsonl"],
        ),
        "seed": Parser(lambda data: parse_seed(data, own), fault, rotated["seed.txt"]),
        "published reveal": Parser(lambda data: parse_reveal(data, reveal), fault, rotated[reveal]),
        "receipt": Parser(lambda data: parse_receipt(data, sealed=True), fault, receipt),
        "judged receipt": Parser(lambda data: judge_receipt(public("sealed-drand"), data), (), receipt),
        "frames": Parser(
            lambda data: frame_change(rotated, {"frame.jsonl": data}), fault, rotated["frame.jsonl"]
        ),
        "openings": Parser(opened, (), files("sealed-drand")["auditor/openings/frame.jsonl"]),
        **{
            f"record with {name}": Parser(within(rotated, name), (), rotated[name])
            for name in (
                "announcement.json",
                "announced.checkpoint",
                "frame.jsonl",
                "log/keys/000001.note",
                "log/log.vkey",
                "result.json",
                "seed.txt",
            )
        },
        # what departments, lotteries and readers hand in
        "drand file": Parser(lambda data: read_evidence("drand", "1000", data, "x"), refused, drand),
        "key string file": Parser(
            lambda data: read_evidence("keystring", "1", data, "x"), refused, b'{"numbers":[[1,2],[3]]}'
        ),
        "contribution": Parser(
            lambda data: read_contribution(data, "x"), refused, b'{"type":"dualrandom/v1/contribution"}'
        ),
        "reveal": Parser(lambda data: read_reveal(data, "x", "d", "p"), refused, rotated[reveal]),
        "texts of codes": Parser(text(from_texts), refused, b"DR1:1/1:00000000:123"),
        "snapshot": Parser(read_snapshot, (), b'{"classes":{},"scopes":{}}'),
        "plan": Parser(reader.parse_plan, (), b'[plan]\nid = "a"\n'),
        "policy document": Parser(
            lambda data: documents.parse_policy(data, "x"), (), b'[policy]\nid = "a"\n'
        ),
        "filter": Parser(text(parse_filter), (FilterError,), b"size > 3 and not (area in ['a'])"),
        "workbook": Parser(read_workbook, (), b"PK\x05\x06" + bytes(18)),
    }


def parse_bundle_of(data: bytes) -> bytes:
    """The first entry of a bundle."""
    return data[2 : 2 + int.from_bytes(data[:2], "big")]


NAMES = sorted(
    [
        "announcement", "attestation", "beacon", "bundle", "canonical form", "changes", "checkpoint", "checkpoint's text",
        "contribution", "drand file", "entry", "filter", "findings", "frames", "judged receipt", "key file",
        "key string file", "labels", "log's checkpoint", "log's keys/000001.note", "log's log.vkey", "note",
        "open result", "openings", "plan", "policy", "policy document", "policy with notes", "private key", "proof",
        "published reveal", "receipt", "record with announced.checkpoint", "record with announcement.json",
        "record with frame.jsonl", "record with log/keys/000001.note", "record with log/log.vkey",
        "record with result.json", "record with seed.txt", "result", "reveal", "seed", "snapshot", "statistics",
        "succession", "texts of codes", "ties", "tile", "verifier key", "void", "witness's key", "witness's request",
        "workbook",
    ]
)  # fmt: skip


def answer_of(parser: Parser, data: bytes) -> str | None:
    """What is said of these bytes, in both languages; None: they were read. Whatever is not documented goes on."""
    try:
        parser.read(data)
    except parser.raises as refusal:
        if isinstance(refusal, Fault):
            return refusal.zh + refusal.en
        if isinstance(refusal, DualRandomError):
            said = "".join(refusal.message(one) + refusal.remedy(one) for one in ("zh", "en"))
            return said + refusal.value
        return str(refusal)
    return None


def can_be_shown(said: str | None) -> bool:
    """Words there are, and a terminal takes them: no lone surrogates."""
    return said is None or len(said.encode()) > 0


@pytest.mark.parametrize("name", NAMES)
def test_what_breaks_parsers_is_read_or_refused_in_words(name: str, reading: Any) -> None:
    parser = parsers()[name]
    nasty = NASTY[::3] if name.startswith(SLOW) and not DEEP else NASTY
    for data in (*nasty, parser.start, parser.start.replace(b"\n", b"\r\n"), parser.start * 2):
        assert can_be_shown(answer_of(parser, data)), data[:80]


def paths(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path]
    if isinstance(value, dict):
        found += [inner for key in value for inner in paths(value[key], (*path, key))]
    elif isinstance(value, list):
        found += [inner for at, one in enumerate(value) for inner in paths(one, (*path, at))]
    return found


@st.composite
def edited(draw: st.DrawFn, whole: bytes) -> bytes:
    """These bytes with pieces cut, inserted and exchanged, or with a value of another kind somewhere in their JSON."""
    lines = whole.split(b"\n")
    at = draw(st.integers(0, len(lines) - 1))
    try:
        value = json.loads(lines[at])
    except ValueError:
        value = None
    if isinstance(value, dict | list) and draw(st.booleans()):
        path = draw(st.sampled_from(paths(value)))
        put = draw(st.sampled_from(VALUES))
        if path:
            holder = value
            for step in path[:-1]:
                holder = holder[step]
            holder[path[-1]] = put
        else:
            value = put
        encoded = json.dumps(value, ensure_ascii=draw(st.booleans()), sort_keys=True, separators=(",", ":"))
        lines[at] = encoded.encode("utf-8", "surrogatepass")
        return b"\n".join(lines)
    data = whole
    for _ in range(draw(st.integers(1, 3))):
        start = draw(st.integers(0, len(data)))
        size = draw(st.integers(0, 80))
        put = draw(st.one_of(st.binary(max_size=8), st.sampled_from(NASTY[:18])))
        data = data[:start] + put + data[start + size :]
    return data


@pytest.mark.parametrize("name", NAMES)
def test_edited_files_are_read_or_refused_and_nothing_else(name: str, reading: Any) -> None:
    parser = parsers()[name]

    @settings(
        max_examples=max(TRIES // (10 if name.startswith(SLOW) else 1), 3),
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    @given(edited(parser.start))
    def check(data: bytes) -> None:
        assert can_be_shown(answer_of(parser, data))

    check()


def test_every_parser_is_tried() -> None:
    assert {name for name in parsers() if not name.startswith("log's tile")} == set(NAMES)
