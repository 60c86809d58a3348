"""Appending: what is logged stays, once and in order; proofs come out; nobody signs a fork."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dualrandom.log.cosignature import Cosigner
from dualrandom.log.entry import EntryType
from dualrandom.log.errors import LogError
from dualrandom.log.fsck import fsck
from dualrandom.log.note import Signer, parse_note
from dualrandom.log.policy import Policy, PolicyLog, parse_policy
from dualrandom.log.proof import LogProof, parse_proof, verify_proof
from dualrandom.log.reader import LogReader
from dualrandom.log.storage import Document, Log, create_log

Story = Callable[[int], list[Document]]
Opened = Callable[[], Log]


def trusting(signer: Signer) -> Policy:
    return Policy((PolicyLog(signer.key),), (), (), "none")


def test_documents_are_logged_in_order_and_can_be_read_back(
    new_log: Opened, story: Story, signer: Signer
) -> None:
    with new_log() as log:
        logged = log.append(story(1), signer)
        reader = log.reader
    assert [item.index for item in logged] == [0, 1, 2, 3, 4]
    assert reader.entries() == tuple(item.entry.data for item in logged)
    assert [reader.document(item.entry.digest) for item in logged] == [d.data for d in story(1)]
    assert reader.checkpoint().size == 5
    assert fsck(reader.folder, trusting(signer), signer.key) == ()


def test_repeating_a_call_logs_nothing_twice(new_log: Opened, story: Story, signer: Signer) -> None:
    with new_log() as log:
        log.append(story(1)[:3], signer)
    with new_log() as log:
        logged = log.append(story(1), signer)
        assert [item.repeated for item in logged] == [True, True, True, False, False]
        assert [item.index for item in logged] == [0, 1, 2, 3, 4]
        before = log.reader.checkpoint_note()
        log.append(story(1), signer)
        assert log.reader.checkpoint_note() == before


def test_a_call_with_one_bad_document_logs_none_of_them(
    new_log: Opened, story: Story, signer: Signer
) -> None:
    with new_log() as log:
        log.append(story(1)[:1], signer)
        with pytest.raises(LogError):
            log.append([*story(1)[1:3], *story(2)[3:]], signer)
        assert log.reader.checkpoint().size == 1
        assert fsck(log.reader.folder, trusting(signer)) == ()
        assert [item.index for item in log.append(story(1), signer)] == [0, 1, 2, 3, 4]


def test_a_log_grows_past_full_tiles_and_keeps_every_proof(
    new_log: Opened, story: Story, signer: Signer, rfc6962: ModuleType
) -> None:
    findings = [Document(story(1)[0].draw, EntryType.FINDINGS, b"%d" % number) for number in range(600)]
    with new_log() as log:
        log.append(story(1)[:4], signer)
        sizes = [0, 4]
        for start, end in ((0, 200), (200, 252), (252, 253), (253, 600)):
            log.append(findings[start:end], signer)
            sizes.append(4 + end)
        reader = log.reader
        entries = reader.entries()
        assert len(entries) == 604
        assert fsck(reader.folder, trusting(signer), signer.key) == ()
        assert not (reader.folder / "tile/entries/000.p").exists()
        policy = trusting(signer)
        for size in sizes[1:]:
            assert reader.checkpoint(size).root == rfc6962.mth(list(entries[:size]))
            for index in {0, size // 2, size - 1}:
                verified = verify_proof(reader.proof(index, size), entries[index], policy)
                assert verified.checkpoint.size == size
            assert list(reader.consistency(size, 604)) == (rfc6962.proof(size, list(entries)))


def test_a_proof_file_with_extra_data_is_read_back(new_log: Opened, story: Story, signer: Signer) -> None:
    with new_log() as log:
        log.append(story(1), signer)
        data = log.reader.proof(3, extra=b"\x00receipt")
        entry = log.reader.entries()[3]
    proof = parse_proof(data)
    assert (proof.index, proof.extra) == (3, b"\x00receipt")
    assert proof.data == data
    verify_proof(data, entry, trusting(signer))


def test_every_changed_byte_of_a_proof_file_is_refused(new_log: Opened, story: Story, signer: Signer) -> None:
    with new_log() as log:
        log.append(story(1), signer)
        data = log.reader.proof(2)
        entries = log.reader.entries()
    policy = trusting(signer)
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(LogError):
            verify_proof(bytes(changed), entries[2], policy)
    with pytest.raises(LogError):
        verify_proof(data, entries[3], policy)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"c2sp.org/tlog-proof@v1\n", b"c2sp.org/tlog-proof@v2\n"),
        (b"index 2\n", b""),
        (b"index 2\n", b"index 02\n"),
        (b"index 2\n", b"index 2\nindex 2\n"),
        (b"index 2\n", b"index 2\nextra AAAA\n"),
        (b"index 2\n", b"extra !\nindex 2\n"),
        (b"index 2\n", b"index 2\n" + b"A" * 43 + b"=\n" * 1 + (b"A" * 43 + b"=\n") * 63),
        (b"index 2\n", b"index 2 \n"),
    ],
)
def test_a_malformed_proof_file_is_refused(
    new_log: Opened, story: Story, signer: Signer, old: bytes, new: bytes
) -> None:
    with new_log() as log:
        log.append(story(1), signer)
        data = log.reader.proof(2)
    assert old in data
    with pytest.raises(LogError) as refused:
        parse_proof(data.replace(old, new, 1))
    assert refused.value.code == "proof-malformed"


def test_cosignatures_are_published_and_kept_for_older_sizes(
    new_log: Opened, story: Story, signer: Signer, cosigners: tuple[Cosigner, ...]
) -> None:
    with new_log() as log:
        log.append(story(1)[:2], signer)
        text = log.checkpoint.text
        keys = [cosigner.key for cosigner in cosigners]
        log.add_cosignatures(text, [cosigners[0].cosign(text, 100)], keys)
        log.append(story(1)[2:3], signer)
        log.add_cosignatures(text, [cosigners[1].cosign(text, 200)], keys)
        reader = log.reader
        assert len(parse_note(reader.checkpoint_note(2)).signatures) == 3
        assert len(parse_note(reader.checkpoint_note()).signatures) == 1
        witnesses = "".join(f"witness w{i} {c.key.text}\n" for i, c in enumerate(cosigners))
        policy = parse_policy(f"log {signer.key.text}\n{witnesses}group g 2 w0 w1 w2\nquorum g\n".encode())
        assert verify_proof(reader.proof(0, 2), reader.entries()[0], policy).quorum_time == 200
        with pytest.raises(LogError) as refused:
            verify_proof(reader.proof(0), reader.entries()[0], policy)
        assert refused.value.code == "quorum-missing"
        assert fsck(reader.folder, policy, signer.key) == ()


def test_signatures_that_no_known_witness_made_are_not_published(
    new_log: Opened, story: Story, signer: Signer, cosigners: tuple[Cosigner, ...]
) -> None:
    with new_log() as log:
        log.append(story(1)[:1], signer)
        before = log.reader.checkpoint_note()
        text = log.checkpoint.text
        foreign = cosigners[0].cosign(text, 100)
        other = text.replace("\n1\n", "\n0\n")
        for checkpoint, signatures, known in (
            (text, [foreign], [cosigners[1].key]),
            (text, [cosigners[0].cosign(other, 100)], [cosigners[0].key]),
            (other, [cosigners[0].cosign(other, 100)], [cosigners[0].key]),
        ):
            with pytest.raises(LogError):
                log.add_cosignatures(checkpoint, signatures, known)
        assert log.reader.checkpoint_note() == before


def test_only_one_process_writes(new_log: Opened, tmp_path: Path) -> None:
    with new_log():
        with pytest.raises(LogError) as refused:
            Log.open(tmp_path / "public", tmp_path / "private", patience=0)
        assert refused.value.code == "log-in-use"
    new_log().close()


def test_another_key_can_neither_begin_nor_continue_the_log(
    new_log: Opened, story: Story, successor: Signer, tmp_path: Path
) -> None:
    with new_log() as log:
        with pytest.raises(LogError) as refused:
            log.append(story(1), successor)
        assert refused.value.code == "log-key-mismatch"
    with pytest.raises(LogError) as refused:
        create_log(tmp_path / "public", tmp_path / "private", successor)
    assert refused.value.code == "log-exists"


def test_a_public_folder_set_back_to_an_older_state_is_refused(
    new_log: Opened, story: Story, signer: Signer, tmp_path: Path
) -> None:
    public = tmp_path / "public"
    with new_log() as log:
        log.append(story(1)[:1], signer)
    shutil.copytree(public, tmp_path / "backup")
    with new_log() as log:
        log.append(story(1)[:2], signer)
        log.append(story(1)[:3], signer)
    shutil.rmtree(public)
    (tmp_path / "backup").rename(public)
    with pytest.raises(LogError) as refused:
        Log.open(public, tmp_path / "private")
    assert refused.value.code == "log-rolled-back"


def test_a_lost_private_folder_is_said_and_not_replaced(
    new_log: Opened, story: Story, signer: Signer, tmp_path: Path
) -> None:
    with new_log() as log:
        log.append(story(1), signer)
    shutil.rmtree(tmp_path / "private")
    begins: list[Opened] = [lambda: Log.open(tmp_path / "public", tmp_path / "private"), new_log]
    for begin in begins:
        with pytest.raises(LogError) as refused:
            begin()
        assert refused.value.code == "log-state-missing"


def test_a_damaged_journal_is_said(new_log: Opened, tmp_path: Path) -> None:
    new_log().close()
    journal = tmp_path / "private" / "journal"
    journal.write_bytes(journal.read_bytes().replace(b"log.vkey", b"log.vKey"))
    with pytest.raises(LogError) as refused:
        new_log()
    assert refused.value.code == "log-corrupt"


def test_nothing_is_signed_upon_damaged_entries(
    new_log: Opened, story: Story, signer: Signer, tmp_path: Path
) -> None:
    with new_log() as log:
        log.append(story(1)[:3], signer)
        log.append(story(1), signer)
        log.append(story(2)[:1], signer)
    path = tmp_path / "public" / "tile/entries/000.p/6"
    good = path.read_bytes()
    with new_log() as log:
        path.write_bytes(good.replace(b"REVEAL", b"REVEAK"))
        with pytest.raises(LogError):
            log.reader.entries()
    # it was part of the latest change, so opening restores it from the journal
    new_log().close()
    assert path.read_bytes() == good


def test_what_is_not_a_log_is_said(tmp_path: Path) -> None:
    reader = LogReader(tmp_path)
    for ask in (lambda: reader.first_key, reader.checkpoint_note, reader.entries):
        with pytest.raises(LogError) as refused:
            ask()
        assert refused.value.code == "log-missing"


def test_private_files_are_the_owners_alone(new_log: Opened, tmp_path: Path) -> None:
    new_log().close()
    private = tmp_path / "private"
    assert private.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in private.iterdir()} == {0o600}
    assert (tmp_path / "public" / "checkpoint").stat().st_mode & 0o777 == 0o644


def test_a_checkpoint_without_log_signature_is_not_written_into_a_proof(
    new_log: Opened, story: Story, signer: Signer
) -> None:
    other = Signer(signer.name, Ed25519PrivateKey.from_private_bytes(b"\x33" * 32))
    with new_log() as log:
        log.append(story(1), signer)
        proof = parse_proof(log.reader.proof(0))
        entry = log.reader.entries()[0]
    forged = LogProof(proof.index, proof.hashes, proof.checkpoint)
    with pytest.raises(LogError):
        verify_proof(forged.data, entry, trusting(other))


def test_what_a_power_cut_could_undo_is_on_disk_before_what_relies_on_it(
    new_log: Opened, story: Story, signer: Signer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps: list[tuple[str, str]] = []
    replace = os.replace

    def fsync(descriptor: int) -> None:
        steps.append(("sync", os.readlink(f"/proc/self/fd/{descriptor}")))

    def noted(source: str | Path, target: str | Path) -> None:
        steps.append(("named", str(target)))
        assert ("sync", str(source)) in steps, "the contents first, then the name"
        replace(source, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr(os, "replace", noted)
    with new_log() as log:
        steps.clear()
        log.append(story(1)[:3], signer)
    public, private = str(tmp_path / "public"), str(tmp_path / "private")
    journal = steps.index(("sync", private))
    first = min(place for place, (step, path) in enumerate(steps) if path.startswith(public))
    last = steps.index(("named", f"{public}/checkpoint"))
    assert steps.index(("named", f"{private}/journal")) < journal < first
    for place, (step, path) in enumerate(steps):
        if step == "named" and path.startswith(public) and path != f"{public}/checkpoint":
            parent = str(Path(path).parent)
            assert ("sync", parent) in steps[place:last], (
                "all names on disk before the checkpoint relies on them"
            )
    assert ("sync", public) in steps[last:]
