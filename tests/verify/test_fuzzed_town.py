"""No change of a town's published or private bytes passes: each is refused by all three verifiers, and none of them crashes.

Flips, cuts and insertions of bytes, and edits of values that keep documents canonical, on the logged and witnessed town with the
auditor's material. What may change, by rule of the protocol, is listed in `is_harmless` and in docs/threats.md.
"""

from __future__ import annotations

import copy
import importlib
import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from dualrandom.canonical import canonical
from dualrandom.errors import DualRandomError

DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
EDITS, CHUNKS = (500, 20) if DEEP else (300, 1)
"""In chunks, each from its own seed: one can be run again by itself."""
SECRET = "secret"
Files = dict[str, bytes]


def flip(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]


def cut(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data))
    return data[:at] + data[at + dice.choice((1, 1, 2, 7, 40, len(data))) :]


def insert(data: bytes, dice: random.Random) -> bytes:
    at = dice.randrange(len(data) + 1)
    piece = bytes(dice.choice(b'0123456789abcdef",:{}[]\n ') for _ in range(dice.choice((1, 1, 2, 9))))
    return data[:at] + piece + data[at:]


def double(data: bytes, dice: random.Random) -> bytes:
    at, length = dice.randrange(len(data)), dice.choice((1, 8, 60))
    return data[:at] + data[at : at + length] + data[at:]


def digit(data: bytes, dice: random.Random) -> bytes:
    places = [at for at, byte in enumerate(data) if byte in b"0123456789abcdef"]
    if not places:
        return insert(data, dice)  # a file may have no digit at all
    at = dice.choice(places)
    return data[:at] + dice.choice(b"0123456789abcdef").to_bytes() + data[at + 1 :]


def rows(data: bytes, dice: random.Random) -> bytes:
    """Drop, double or exchange rows of a list, or lines of a text."""
    lines = data.splitlines(keepends=True)
    one, two = dice.randrange(len(lines)), dice.randrange(len(lines))
    kind = dice.randrange(3)
    if kind == 0:
        del lines[one]
    elif kind == 1:
        lines.insert(one, lines[one])
    else:
        lines[one], lines[two] = lines[two], lines[one]
    return b"".join(lines)


def places(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    if isinstance(value, dict):
        for key in value:
            found += places(value[key], (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            found += places(inner, (*path, index))
    return found


def replaced(document: Any, dice: random.Random) -> Any:
    """The document with one value changed, removed, doubled or exchanged with another."""
    document = copy.deepcopy(document)
    known = places(document)
    path, other = dice.choice(known), dice.choice(known)
    holder, donor = document, document
    for step in path[:-1]:
        holder = holder[step]
    for step in other:
        donor = donor[step]
    kind, value = dice.randrange(6), holder[path[-1]]
    if kind == 0:
        del holder[path[-1]]
    elif kind == 1 and isinstance(holder, list):
        holder.insert(path[-1], copy.deepcopy(value))
    elif kind == 2 and isinstance(value, int) and not isinstance(value, bool):
        holder[path[-1]] = value + dice.choice((-1, 1, 1000))
    elif kind == 3 and isinstance(value, list):
        dice.shuffle(value)
    elif kind == 4 and isinstance(value, str) and value:
        holder[path[-1]] = value[:-1] + dice.choice("0123456789abcxyz甲")
    else:
        holder[path[-1]] = copy.deepcopy(donor)
    return document


def value(data: bytes, dice: random.Random) -> bytes:
    """Another value in a document or a row of a list, in canonical form again."""
    lines = data.splitlines()
    at = dice.randrange(len(lines))
    ended = data.endswith(b"\n")
    try:
        lines[at] = canonical(replaced(json.loads(lines[at]), dice))
    except (ValueError, TypeError, IndexError, KeyError, DualRandomError):
        return flip(data, dice)  # no JSON, or no longer any
    return b"\n".join(lines) + (b"\n" if ended else b"")


ORDER = ("package", "small", "page")
KINDS = (flip, flip, cut, insert, double, digit, rows, value, value, value, value)


def is_harmless(name: str, before: bytes, after: bytes) -> bool:
    """Whether the protocol lets this change pass: it decides nothing and cannot be computed from the record."""
    if after == before:
        return True
    if name.endswith("checkpoint"):
        return signatures(before) == signatures(after)  # their order is free
    if name not in ("public/labels.json", "public/statistics.json"):
        return False
    try:
        old, new = json.loads(before), json.loads(after)
        if canonical(new) != after:
            return False
        if name == "public/labels.json":
            return only_words_differ(old, new)
        return bool(without_claims(old) == without_claims(new))
    except (ValueError, TypeError, AttributeError, KeyError, DualRandomError):
        return False


def signatures(note: bytes) -> tuple[bytes, frozenset[bytes]]:
    text, _, lines = note.partition(b"\n\n")
    return text, frozenset(lines.split(b"\n"))


def only_words_differ(old: Any, new: Any) -> bool:
    """Whether labels are of the same announcement and name nobody else: how things are called, and a rehearsal, is free."""
    fixed = ("announcement", "type")
    return (
        old.keys() == new.keys()
        and all(old[key] == new[key] for key in fixed)
        and all(new[key].keys() <= old[key].keys() for key in ("enterprises", "inspectors"))
    )


def without_claims(statistics: Any) -> Any:
    """Statistics without the flags about edits."""
    edits = ("classes-changed", "scope-changed", "edits-not-checked")
    return statistics | {"flags": [flag for flag in statistics["flags"] if flag["code"] not in edits]}


def original(office: Any) -> Files:
    held = office.auditor()
    files = {f"public/{name}": data for name, data in office.files().items() if name != "index.html"}
    files |= {f"openings/{name}": data for name, data in held.openings.items() if data}
    return files | {SECRET: held.secret}


def given_of(policy: bytes, files: Files, *, auditor: bool = True) -> Any:
    reading = importlib.import_module("reading")
    openings = {name[9:]: data for name, data in files.items() if name.startswith("openings/")}
    return reading.Given(
        public={name[7:]: data for name, data in files.items() if name.startswith("public/")},
        secret=files[SECRET] if auditor else None,
        openings=openings if auditor else {},
        policy=policy,
        receipt=None,
    )


def refused(name: str, verdicts: dict[str, tuple[str, str]]) -> bool:
    """Whether something FAILs. Cosignatures of the latest checkpoint may be lacking: then `log` is NOT CHECKED (§12)."""
    if any(status == "FAIL" for status, _ in verdicts.values()):
        return True
    return name == "public/log/checkpoint" and verdicts["log"][0] == "NOT CHECKED"


@pytest.fixture(scope="module")
def judges(office: Any) -> Iterator[dict[str, Any]]:
    """The three verifiers; the page, where there is Node, stops at the first FAIL."""
    module = importlib.import_module("verifiers")
    small = module.small_module()
    module.remember_lists(small, original(office).values())
    found = {"package": module.package, "small": module.small(small)}
    if not module.has_node():
        yield found
        return
    with module.page(hasty=True) as page:
        yield found | {"page": page}


@pytest.mark.parametrize("chunk", range(CHUNKS))
def test_no_change_of_a_record_passes_any_verifier(chunk: int, office: Any, judges: dict[str, Any]) -> None:
    dice = random.Random(20260901 + chunk)
    honest, policy = original(office), office.policy_text()
    names = sorted(honest)
    # everything else is committed to in what is logged, which everybody sees
    audited = {name for name in names if not name.startswith("public/")} | {"public/statistics.json"}
    passed, crashed = [], []
    tried: Counter[str] = Counter()
    while sum(tried.values()) < EDITS:
        name, kind = dice.choice(names), dice.choice(KINDS)
        before = honest[name]
        after = kind(before, dice)
        if is_harmless(name, before, after) or (name == SECRET and len(after) != len(before)):
            continue
        tried[name] += 1
        given = given_of(policy, honest | {name: after}, auditor=name in audited)
        page = judges.get("page")
        if page is not None:
            page.ask(given)  # in a process of its own, while the others work here
        for program in (one for one in ORDER if one in judges):
            verdicts = judges["page"].answer() if program == "page" else judges[program](given)
            if any("internal error" in reason for _, reason in verdicts.values()):
                crashed.append((program, name, kind.__name__, verdicts))
            if not refused(name, verdicts):
                passed.append((program, name, kind.__name__, difference(before, after)))
    assert crashed == []
    assert passed == []
    assert set(tried) == set(names)


def difference(before: bytes, after: bytes) -> tuple[bytes, bytes]:
    """The first place where two files differ, for a person."""
    at = next((i for i, (a, b) in enumerate(zip(before, after, strict=False)) if a != b), 0)
    return before[max(0, at - 30) : at + 40], after[max(0, at - 30) : at + 40]


def test_the_page_judged_too(judges: dict[str, Any]) -> None:
    if "page" not in judges:
        pytest.skip("no Node: the page's script did not judge the edits (install nodejs 20 or later)")
    assert set(judges) == {"package", "page", "small"}
