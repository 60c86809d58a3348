"""Damage to an office's files, at random: is each found by fsck? ``python tests/verify/damage.py [FIRST_SEED] [SEEDS] [OF_THE_LOG] [OF_THE_CAMPAIGN]``.

An office is a log and a campaign beside it (`logged_town.py`), made anew for each seed with keys of its own. One file at a time is
damaged as disks, copies and hands damage files; `dualrandom fsck` of the log or of the campaign must say so. What it may leave
unsaid, and why, is listed in `may_pass`.
"""

from __future__ import annotations

import json
import random
import sys
import tempfile
import traceback
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from dualrandom.campaign import faults
from dualrandom.campaign.faults import faults_of
from dualrandom.canonical import canonical
from dualrandom.errors import Problem
from dualrandom.keyring import log_faults
from dualrandom.log import cosignature, keystore, note
from dualrandom.log.fsck import check_files

IN_A_LOG = ("public/", "private/journal", "private/password", "private/keys/")
"""Of the log's folder: all but the empty file that is locked."""
OF_A_CAMPAIGN = ("public/", "private/")
WRITTEN = (
    "private/password",
    "private/nonces/",
    "private/keys/",
    "private/auditor.key",
    "private/list-secret",
)
"""Secrets as a line of text."""
DERIVED = {"public/index.html"}
"""Made from the other documents, for people; never judged."""


@dataclass(frozen=True)
class Damage:
    """What was done to which file; ``after`` None: it is gone."""

    kind: str
    name: str
    before: bytes
    after: bytes | None


def damaged(files: dict[str, bytes], dice: random.Random) -> Damage:
    """Damage one file at random."""
    name, other = dice.choice(sorted(files)), dice.choice(sorted(files))
    data = files[name]
    if not data:
        return Damage("appended", name, data, b"x")
    at, end = dice.randrange(len(data)), dice.randrange(len(data) + 1)
    size = min(len(data) - at, dice.choice((1, 1, 4, 64, 512)))
    states: dict[str, bytes | None] = {
        "bit": data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :],
        "byte": data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :],
        "cut short": data[:end],
        "hole": data[:at] + data[at + size :],
        "zeros": data[:at] + bytes(size) + data[at + size :],
        "doubled": data[: at + size] + data[at:],
        "appended": data + bytes(dice.randrange(256) for _ in range(dice.choice((1, 1, 8)))),
        "whole file doubled": data + data,
        "emptied": b"",
        "another's": files[other],
        "gone": None,
    }
    kinds = sorted(states)
    weights = [{"bit": 12, "byte": 4}.get(kind, 1) for kind in kinds]
    kind = dice.choices(kinds, weights)[0]
    return Damage(kind, name, data, states[kind])


def may_pass(place: str, damage: Damage) -> str:
    """Why a log or a campaign is sound in spite of this; empty where it is not."""
    name, before, after = damage.name, damage.before, damage.after
    if after == before:
        return "nothing changed"
    if after is not None and name.startswith(WRITTEN) and text(after) == text(before):
        return "a secret's line may end as it likes"
    if place == "log":
        if name.startswith("public/checkpoints/") and after is None:
            return "an older checkpoint may be missing: the log is whole without it"
        return ""
    if name == "public/labels.json" and after is not None:
        return "how things are called is not part of the draw" if same_labels(before, after) else ""
    if name.startswith("public/exclusions/") and after is None:
        return "that an exclusion was witnessed in time is then not proven, and a reader says so (protocol.md §11.3, 6)"
    if after is None and name.startswith(("private/nonces/", "private/keys/", "private/auditor.key")):
        return "a secret may be kept elsewhere"
    return ""


def text(line: bytes) -> str:
    """A secret as it is read."""
    return line.decode("utf-8", "replace").strip()


def same_labels(before: bytes, after: bytes) -> bool:
    """Whether names differ, but not for whom there are names."""
    try:
        old, new = json.loads(before), json.loads(after)
        return all(
            old[key].keys() >= new[key].keys() if key in ("enterprises", "inspectors") else True
            for key in old
        )
    except (ValueError, AttributeError, KeyError, TypeError):
        return False


def read(root: Path, kept: tuple[str, ...]) -> dict[str, bytes]:
    names = {path.relative_to(root).as_posix(): path for path in root.rglob("*") if path.is_file()}
    return {
        name: path.read_bytes()
        for name, path in sorted(names.items())
        if name.startswith(kept) and name not in DERIVED
    }


def errors(problems: Any) -> list[Problem]:
    return [problem for problem in problems if problem.severity == "error"]


def found_in(office: Any, place: str, damage: Damage, policy: Any, files: dict[str, bytes]) -> bool:
    """Whether fsck tells of it. The log's public part is judged as it would be on disk, which it is left on."""
    if place == "log" and damage.name.startswith("public/"):
        changed = {name[7:]: data for name, data in files.items() if name.startswith("public/")}
        if damage.after is None:
            del changed[damage.name[7:]]
        else:
            changed[damage.name[7:]] = damage.after
        return bool(errors(check_files(changed, policy)))
    path = (office.log if place == "log" else office.folder) / damage.name
    mode = path.stat().st_mode
    try:
        path.unlink()
        if damage.after is not None:
            path.write_bytes(damage.after)
            path.chmod(mode)
        return bool(
            errors(log_faults(office.log, policy) or () if place == "log" else faults_of(office.folder))
        )
    finally:
        path.write_bytes(damage.before)
        path.chmod(mode)


def missed(office: Any, seed: int, times: Mapping[str, int]) -> Iterator[Damage]:
    """Damage an office so many times in its ``log`` and its ``campaign``, and give what fsck did not find."""
    dice, policy = random.Random(seed), office.policy()
    for place, each in times.items():
        root, kept = (office.log, IN_A_LOG) if place == "log" else (office.folder, OF_A_CAMPAIGN)
        files = read(root, kept)
        for _ in range(each):
            damage = damaged(files, dice)
            try:
                found = bool(may_pass(place, damage)) or found_in(office, place, damage, policy, files)
            except Exception as crash:  # no damage may stop fsck
                crash.add_note(f"{damage.kind} {damage.name} {damage.after!r:.200}")
                print("".join(traceback.format_exception(crash)[-3:]), file=sys.stderr)
                found = False
            if not found:
                yield damage


def remember() -> None:
    """Compute once what thousands of checks ask again: signatures, a key's password, the libraries, which are not damaged here."""
    vars(note)["ed25519_verifies"] = vars(cosignature)["ed25519_verifies"] = cache(note.ed25519_verifies)
    vars(faults)["load_inputs"] = cache(vars(faults)["load_inputs"])
    derive, derived = keystore._derive, {}

    def once(password: str, head: dict[str, Any]) -> bytes:
        key = password, canonical(head)
        if key not in derived:
            derived[key] = derive(password, head)
        return derived[key]

    keystore._derive = once


def main() -> None:
    """Damage offices until the given number is reached, and tell what was missed."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "vectors"))
    import logged_town as town  # type: ignore[import-not-found]

    given = [int(word) for word in sys.argv[1:]]
    first, seeds, *each = given + [1, 1, 200, 100][len(given) :]
    times = dict(zip(("log", "campaign"), each, strict=True))
    remember()
    count: Counter[str] = Counter()
    for seed in range(first, first + seeds):
        with tempfile.TemporaryDirectory() as folder:
            office = town.lived(town.drawn(town.announced(Path(folder))))
            for damage in missed(office, seed, times):
                count["missed"] += 1
                print(seed, damage.kind, damage.name, damage.before[:60], (damage.after or b"-")[:60])
        count["damaged"] += sum(each)
        print(f"seed {seed}: {dict(count)}", flush=True)
    sys.exit(bool(count["missed"]))


if __name__ == "__main__":
    main()
