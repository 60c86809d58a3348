"""fsck over a whole office: a flipped bit in whatever file of its log, its public folder or its private folder is found."""

from __future__ import annotations

import importlib
import json
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dualrandom.campaign.faults import faults_of
from dualrandom.canonical import canonical
from dualrandom.errors import DualRandomError
from dualrandom.keyring import log_faults
from dualrandom.log.fsck import fsck
from dualrandom.log.journal import check_journal
from dualrandom.log.keystore import load_signer

DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
FLIPS = 40 if DEEP else 1
"""Flips in each private file and each published one."""
DERIVED = {"index.html"}
"""Made from the other documents, for people; never judged."""


@pytest.fixture(scope="module")
def damaged(office: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """An office of its own, whose files are damaged and mended again."""
    return office.copy(tmp_path_factory.mktemp("damaged") / "root")


def errors(problems: Any) -> list[str]:
    return [problem.code for problem in problems if problem.severity == "error"]


def flipped(path: Path, dice: random.Random) -> bytes:
    """The file with one bit of its content changed; the newline at its end is no content."""
    data = path.read_bytes()
    at = dice.randrange(len(data.removesuffix(b"\n")))
    return data[:at] + bytes([data[at] ^ 1 << dice.randrange(8)]) + data[at + 1 :]


def test_a_sound_office_has_no_faults(damaged: Any) -> None:
    assert errors(faults_of(damaged.folder)) == []
    assert errors(log_faults(damaged.log, damaged.policy()) or ()) == []


def test_a_flipped_bit_of_a_campaigns_files_is_found(damaged: Any) -> None:
    dice = random.Random(20260901)
    private = [path for path in sorted((damaged.folder / "private").rglob("*")) if path.is_file()]
    public = [
        path for path in sorted(damaged.public.rglob("*")) if path.is_file() and path.name not in DERIVED
    ]
    secrets = [path for path in private if path.parent.name != "openings"]
    chosen = private + public if DEEP else [*secrets, dice.choice(public), private[-1]]
    missed = []
    for path in chosen:
        sound = path.read_bytes()
        for _ in range(FLIPS if sound else 0):
            path.write_bytes(flipped(path, dice))
            if not errors(faults_of(damaged.folder)):
                missed.append((path.relative_to(damaged.root).as_posix(), path.read_bytes()[:60]))
            path.write_bytes(sound)
    # whether names are right cannot be told from a record (docs/threats.md)
    assert [one for one in missed if one[0] != "town/public/labels.json"] == []


def test_a_flipped_bit_of_a_logs_files_is_found(damaged: Any) -> None:
    dice, policy = random.Random(20260902), damaged.policy()
    paths = [path for path in sorted((damaged.log / "public").rglob("*")) if path.is_file()]
    chosen = paths if DEEP else dice.sample(paths, 3)
    missed = []
    for path in chosen:
        sound = path.read_bytes()
        for _ in range(FLIPS):
            path.write_bytes(flipped(path, dice))
            if not errors(fsck(damaged.log / "public", policy)):
                missed.append(path.relative_to(damaged.root).as_posix())
            path.write_bytes(sound)
    assert missed == []


def test_every_flipped_bit_of_a_journal_is_found(damaged: Any, tmp_path: Path) -> None:
    sound = (damaged.log / "private" / "journal").read_bytes()
    for at in range(0, len(sound), 1 if DEEP else 37):
        for bit in range(8):
            changed = sound[:at] + bytes([sound[at] ^ 1 << bit]) + sound[at + 1 :]
            (tmp_path / "journal").write_bytes(changed)
            with pytest.raises(DualRandomError):
                check_journal(tmp_path)


def test_every_flipped_byte_of_a_logs_key_is_found(damaged: Any, tmp_path: Path) -> None:
    folder = damaged.log / "private"
    password = (folder / "password").read_text("utf-8").strip()
    sound = (folder / "keys" / "000001.key").read_bytes()
    path = tmp_path / "key"
    for at in range(0, len(sound.rstrip()), 1 if DEEP else 71):
        path.write_bytes(sound[:at] + bytes([sound[at] ^ 1]) + sound[at + 1 :])
        with pytest.raises(DualRandomError):
            load_signer(path, password)
    path.write_bytes(sound)
    assert load_signer(path, password).key == damaged.reader.first_key


@pytest.mark.parametrize("name", ["journal", "password", "keys/000001.key"])
def test_damage_of_a_logs_private_files_is_told(name: str, damaged: Any) -> None:
    path = damaged.log / "private" / name
    sound = path.read_bytes()
    path.write_bytes(flipped(path, random.Random(name)))
    problems = log_faults(damaged.log, damaged.policy()) or ()
    path.write_bytes(sound)
    assert errors(problems)
    assert all(problem.message("zh") and problem.remedy("en") for problem in problems)


def test_counts_of_those_left_out_are_computed_anew_from_the_libraries(damaged: Any) -> None:
    path = damaged.folder / "private" / "freeze.json"
    sound = path.read_bytes()
    frozen = json.loads(sound)
    assert frozen["excluded"]
    reason = min(frozen["excluded"])
    frozen["excluded"][reason] += 1
    path.write_bytes(canonical(frozen))
    found = errors(faults_of(damaged.folder))
    path.write_bytes(sound)
    assert set(found) == {"figures-differ"}


def gone(_: bytes) -> None:
    """The file is no longer there."""


def with_put(old: bytes, new: bytes) -> Callable[[bytes], bytes]:
    def change(data: bytes) -> bytes:
        assert old in data
        return data.replace(old, new, 1)

    return change


@pytest.mark.parametrize(
    ("name", "change", "code"),
    [
        ("town/public/announcement.json", with_put(b'{"greatest"', b'{"greatess"'), "check-canonical"),
        ("town/public/announcement.json", with_put(b'"department"', b'"departmenu"'), "check-canonical"),
        ("town/public/announcement.json", gone, "file-missing"),
        ("town/private/list-secret", gone, "private-file-missing"),
        ("town/private/freeze.json", with_put(b'{"draw":"yunxi-2023', b'{"draw":"yunxi-2024'), "private-file-damaged"),
        ("town/private/freeze.json", with_put(b'"rehearsal":false', b'"rehearsal":true'), "private-file-damaged"),
        ("town/private/freeze.json", with_put(b'"inputs":{', b'"inputs":[{'), "private-file-damaged"),
        ("log/private/password", lambda data: b"\xd9" + data[1:], "password-wrong"),
        ("log/private/keys/000001.key", gone, "log-state-missing"),
    ],
)  # fmt: skip
def test_damage_that_once_went_unnoticed_or_broke_the_search_is_told(
    name: str, change: Callable[[bytes], bytes | None], code: str, damaged: Any
) -> None:
    path = damaged.root / name
    sound, mode = path.read_bytes(), path.stat().st_mode
    changed = change(sound)
    path.unlink()
    if changed is not None:
        path.write_bytes(changed)
        path.chmod(mode)
    found = errors(faults_of(damaged.log if name.startswith("log/") else damaged.folder, damaged.policy()))
    path.write_bytes(sound)
    path.chmod(mode)
    assert code in found


def test_a_copy_of_the_log_without_an_announcement_is_told(damaged: Any) -> None:
    (path,) = (damaged.public / "log" / "documents").iterdir()
    sound = path.read_bytes()
    path.unlink()
    found = errors(faults_of(damaged.folder))
    path.write_bytes(sound)
    assert found == ["file-missing"]


def test_random_damage_to_files_of_a_log_and_a_campaign_is_found(damaged: Any) -> None:
    module = importlib.import_module("damage")
    times = {"log": 2_000, "campaign": 400} if DEEP else {"log": 25, "campaign": 6}
    assert [(one.kind, one.name) for one in module.missed(damaged, 20260903, times)] == []
