"""fsck: whatever byte of whatever file of a log changed, it is found."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dualrandom.hashing import leaf_hash
from dualrandom.log.checkpoint import Checkpoint, sign_checkpoint
from dualrandom.log.cosignature import Cosigner
from dualrandom.log.fsck import check_files, fsck
from dualrandom.log.keys import rotation
from dualrandom.log.merkle import nodes_of, root
from dualrandom.log.note import Note, Signer, ed25519_verifies, parse_note
from dualrandom.log.policy import Policy, parse_policy
from dualrandom.log.storage import Document, Log, create_log
from dualrandom.log.tile import bundle

CHANGES = tuple(1 << bit for bit in range(8)) if os.environ.get("DUALRANDOM_DEEP") == "1" else (1,)
Story = Callable[[int], list[Document]]
Opened = Callable[[], Log]
Files = dict[str, bytes]


@pytest.fixture
def policy(signer: Signer, cosigners: tuple[Cosigner, ...]) -> Policy:
    lines = [f"log {signer.key.text}", *(f"witness {c.name} {c.key.text}" for c in cosigners)]
    names = " ".join(c.name for c in cosigners)
    return parse_policy("\n".join([*lines, f"group g 2 {names}", "quorum g", ""]).encode())


@pytest.fixture
def files(
    new_log: Opened,
    story: Story,
    signer: Signer,
    successor: Signer,
    cosigners: tuple[Cosigner, ...],
    tmp_path: Path,
) -> Files:
    """A small log with everything that a log can hold: two draws, older checkpoints, cosignatures, a rotated key."""
    with new_log() as log:
        log.append(story(1)[:2], signer)
        text = log.checkpoint.text
        log.add_cosignatures(text, [c.cosign(text, 100) for c in cosigners[:2]], [c.key for c in cosigners])
        log.rotate(signer, successor, datetime(2026, 9, 1, tzinfo=UTC))
        log.append(story(1)[:3], successor, signer)
        log.append(story(2)[:1], successor)
        text = log.checkpoint.text
        log.add_cosignatures(text, [cosigners[2].cosign(text, 200)], [c.key for c in cosigners])
    public = tmp_path / "public"
    return {p.relative_to(public).as_posix(): p.read_bytes() for p in public.rglob("*") if p.is_file()}


def test_a_sound_log_has_no_problems(files: Files, policy: Policy, signer: Signer, tmp_path: Path) -> None:
    assert check_files(files, policy, signer.key) == ()
    assert fsck(tmp_path / "public", policy, signer.key) == ()
    assert {name.split("/")[0] for name in files} == {
        "checkpoint",
        "checkpoints",
        "documents",
        "keys",
        "log.vkey",
        "tile",
    }


def test_every_byte_of_every_file_matters(
    files: Files, policy: Policy, monkeypatch: pytest.MonkeyPatch
) -> None:
    # thousands of checks of almost the same signatures: each is computed once
    remembered = cache(ed25519_verifies)
    monkeypatch.setattr("dualrandom.log.note.ed25519_verifies", remembered)
    monkeypatch.setattr("dualrandom.log.cosignature.ed25519_verifies", remembered)
    missed = []
    for name, data in files.items():
        for place in range(len(data)):
            for change in CHANGES:
                changed = data[:place] + bytes([data[place] ^ change]) + data[place + 1 :]
                problems = check_files({**files, name: changed}, policy)
                if not any(problem.severity == "error" for problem in problems):
                    missed.append((name, place, change))
    assert missed == []


def test_every_file_that_is_cut_emptied_lengthened_or_removed_is_found(files: Files, policy: Policy) -> None:
    for name, data in files.items():
        removed = {other: content for other, content in files.items() if other != name}
        states: list[Files] = [{**files, name: new} for new in (data[:-1], b"", data + b"\n", data + data)]
        # an older checkpoint may be missing: the log is whole without it
        if not (name.startswith("checkpoints/") and name not in {"checkpoints/0", "checkpoints/4"}):
            states.append(removed)
        for state in states:
            assert any(problem.severity == "error" for problem in check_files(state, policy)), name


def test_two_files_that_change_places_are_found(files: Files, policy: Policy) -> None:
    names = sorted(files)
    for one in names:
        for two in names:
            if one < two and files[one] != files[two]:
                assert check_files({**files, one: files[two], two: files[one]}, policy), (one, two)


def test_each_problem_is_told_in_both_languages_with_its_file(files: Files, policy: Policy) -> None:
    for name in files:
        for problem in check_files({**files, name: b"x"}, policy):
            assert problem.file
            assert problem.message_zh != problem.message_en
            assert problem.remedy_zh
            assert problem.remedy_en


def test_the_changed_file_is_the_one_that_is_named(files: Files, policy: Policy) -> None:
    for name in files:
        if name.startswith(("tile/", "documents/")):
            changed = bytes([files[name][0] ^ 1]) + files[name][1:]
            assert name in {problem.file for problem in check_files({**files, name: changed}, policy)}


def test_foreign_files_are_reported(files: Files, policy: Policy) -> None:
    for name in (
        "documents/" + "0" * 64,
        "tile/0/001",
        "tile/0/000.p/9",
        "keys/000003.note",
        "index.html",
        ".x.part",
    ):
        assert [problem.file for problem in check_files({**files, name: b"x"}, policy)] == [name]


def rewritten(files: Files, signers: list[Signer], entries: list[bytes]) -> Iterator[tuple[str, bytes]]:
    """The last checkpoint's files for other entries, signed by the log itself: a fork by the operator."""
    leaves = [leaf_hash(entry) for entry in entries]
    checkpoint = Checkpoint(signers[0].name, len(entries), root(len(entries), nodes_of(leaves)))
    note = sign_checkpoint(checkpoint, signers)
    yield from (("checkpoint", note), (f"checkpoints/{len(entries)}", note))
    yield f"tile/0/000.p/{len(entries)}", b"".join(leaves)
    yield f"tile/entries/000.p/{len(entries)}", bundle(entries)


def test_a_fork_that_the_log_itself_signed_is_found_by_its_older_checkpoints(
    files: Files, policy: Policy, new_log: Opened, successor: Signer
) -> None:
    with new_log() as log:
        entries = list(log.reader.entries())
    assert check_files({**files, **dict(rewritten(files, [successor], entries))}, policy) == ()
    forged = [entries[1], entries[0], *entries[2:]]
    problems = check_files({**files, **dict(rewritten(files, [successor], forged))}, policy)
    assert "fork" in {problem.code for problem in problems}
    assert "entry-out-of-order" in {problem.code for problem in problems}


def test_a_log_replaced_as_a_whole_is_found_by_who_knows_its_first_key_or_has_a_policy(
    files: Files, policy: Policy, new_log: Opened, story: Story, tmp_path: Path
) -> None:
    impostor = Signer("log.example/ezhou", Ed25519PrivateKey.from_private_bytes(b"\x55" * 32))
    create_log(tmp_path / "other", tmp_path / "other-private", impostor)
    with Log.open(tmp_path / "other", tmp_path / "other-private") as log:
        log.append(story(1), impostor)
    assert fsck(tmp_path / "other") == ()
    assert {p.code for p in fsck(tmp_path / "other", policy)} == {"origin-unknown"}
    first = policy.logs[0].key
    assert {p.code for p in fsck(tmp_path / "other", None, first)} == {"log-replaced"}


def test_without_a_policy_cosignatures_are_said_to_be_unchecked(files: Files) -> None:
    problems = check_files(files)
    assert {(problem.code, problem.severity) for problem in problems} == {("signature-unknown", "warning")}


def test_a_rotation_slipped_in_by_someone_else_is_found(
    files: Files, policy: Policy, successor: Signer
) -> None:
    thief = Signer(successor.name, Ed25519PrivateKey.from_private_bytes(b"\x66" * 32))
    at = datetime(2026, 9, 2, tzinfo=UTC)
    forged = parse_note(rotation(thief, successor, at))
    text = forged.text.replace(thief.key.text, "@").replace(successor.key.text, thief.key.text)
    text = text.replace("@", successor.key.text)
    note = Note(text, (thief.sign(text),)).data
    problems = check_files({**files, "keys/000002.note": note}, policy)
    assert {problem.file for problem in problems} == {"keys/000002.note"}


def test_unreadable_files_and_links_are_reported(files: Files, policy: Policy, tmp_path: Path) -> None:
    target = tmp_path / "public" / "checkpoints" / "2"
    target.rename(tmp_path / "elsewhere")
    target.symlink_to(tmp_path / "elsewhere")
    assert "file-unreadable" in {problem.code for problem in fsck(tmp_path / "public", policy)}


def test_an_absurd_size_that_the_log_signed_is_refused_at_once(
    files: Files, policy: Policy, successor: Signer
) -> None:
    note = sign_checkpoint(Checkpoint(successor.name, 2**63 - 1, b"\x07" * 32), [successor])
    for changed in ({"checkpoint": note}, {f"checkpoints/{2**63 - 1}": note}, {"checkpoints/2": note}):
        problems = check_files({**files, **changed}, policy)
        assert any(problem.severity == "error" for problem in problems)
        assert len(problems) < 100


def test_an_empty_folder_is_no_log(tmp_path: Path) -> None:
    assert {problem.file for problem in fsck(tmp_path)} == {"log.vkey"}
