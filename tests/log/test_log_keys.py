"""The log's keys: kept encrypted, handed over by both hands, revoked from an instant."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from dualrandom.canonical import canonical, parse_canonical
from dualrandom.log.checkpoint import Checkpoint, open_checkpoint, sign_checkpoint
from dualrandom.log.cosignature import Cosigner
from dualrandom.log.errors import LogError
from dualrandom.log.keys import revocation, rotation, succession, with_succession
from dualrandom.log.keystore import create_key, load_cosigner, load_signer, open_key, seal_key
from dualrandom.log.note import Note, Signer, VerifierKey, ed25519_verifies, parse_note
from dualrandom.log.policy import Policy, parse_policy
from dualrandom.log.storage import Document, Log

AT = datetime(2026, 9, 1, 8, 30, tzinfo=UTC)
SECONDS = int(AT.timestamp())
CHEAP = 2**4
PASSWORD = "五个不相关的词拼在一起"
Opened = Callable[[], Log]


@pytest.fixture(scope="module")
def third() -> Signer:
    return Signer("log.example/ezhou", Ed25519PrivateKey.from_private_bytes(b"\x03" * 32))


def test_a_key_is_made_kept_and_opened_with_its_password(tmp_path: Path) -> None:
    path = tmp_path / "private" / "log.key"
    create_key(path, "log.example/ezhou", "log", PASSWORD, cost=CHEAP)
    first = load_signer(path, PASSWORD)
    assert first.name == "log.example/ezhou"
    assert load_signer(path, PASSWORD).key == first.key
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    raw = first.private.private_bytes_raw()
    assert raw not in path.read_bytes()
    assert raw.hex().encode() not in path.read_bytes()


def test_two_keys_are_never_the_same(tmp_path: Path) -> None:
    for name in ("a", "b"):
        create_key(tmp_path / name, "w.example", "witness", PASSWORD, cost=CHEAP)
    one, two = (load_cosigner(tmp_path / name, PASSWORD) for name in ("a", "b"))
    assert one.key != two.key


def test_a_wrong_password_opens_nothing(tmp_path: Path) -> None:
    create_key(tmp_path / "k", "w.example", "log", PASSWORD, cost=CHEAP)
    for wrong in ("", PASSWORD + " ", PASSWORD[::-1]):
        with pytest.raises(LogError) as refused:
            load_signer(tmp_path / "k", wrong)
        assert refused.value.code == "password-wrong"


def test_the_same_password_typed_in_another_unicode_form_opens_the_key() -> None:
    private = Ed25519PrivateKey.generate()
    data = seal_key(private, "w.example", "log", "caf\u00e9 caf\u00e9 caf\u00e9", cost=CHEAP)
    name, opened = open_key(data, "log", "cafe\u0301 cafe\u0301 cafe\u0301")
    assert (name, opened.private_bytes_raw()) == ("w.example", private.private_bytes_raw())


def test_a_key_file_is_never_overwritten(tmp_path: Path) -> None:
    create_key(tmp_path / "k", "w.example", "log", PASSWORD, cost=CHEAP)
    with pytest.raises(LogError) as refused:
        create_key(tmp_path / "k", "w.example", "log", PASSWORD, cost=CHEAP)
    assert refused.value.code == "key-exists"


def test_short_passwords_and_bad_names_are_refused(tmp_path: Path) -> None:
    for name, password, code in (
        ("w.example", "short", "password-too-short"),
        ("w example", PASSWORD, "key-refused"),
        ("", PASSWORD, "key-refused"),
        ("w+example", PASSWORD, "key-refused"),
    ):
        with pytest.raises(LogError) as refused:
            create_key(tmp_path / "k", name, "log", password, cost=CHEAP)
        assert refused.value.code == code
        assert not (tmp_path / "k").exists()


def test_a_witness_key_does_not_serve_as_a_log_key() -> None:
    data = seal_key(Ed25519PrivateKey.generate(), "w.example", "witness", PASSWORD, cost=CHEAP)
    with pytest.raises(LogError) as refused:
        open_key(data, "log", PASSWORD)
    assert refused.value.code == "key-of-another-kind"


def test_every_changed_byte_of_a_key_file_is_noticed() -> None:
    data = seal_key(Ed25519PrivateKey.generate(), "w.example", "log", PASSWORD, cost=CHEAP)
    for place in range(len(data)):
        changed = bytearray(data)
        changed[place] ^= 1
        with pytest.raises(LogError):
            open_key(bytes(changed), "log", PASSWORD)


@pytest.mark.parametrize("cost", [0, 1, 3, 2**21, True, "16", None])
def test_a_key_file_cannot_ask_for_absurd_work(cost: object) -> None:
    data = seal_key(Ed25519PrivateKey.generate(), "w.example", "log", PASSWORD, cost=CHEAP)
    head = parse_canonical(data, "key")
    with pytest.raises(LogError) as refused:
        open_key(canonical({**head, "cost": cost}), "log", PASSWORD)
    assert refused.value.code == "key-file-damaged"


def test_trust_follows_rotations_signed_by_both_keys(
    signer: Signer, successor: Signer, third: Signer
) -> None:
    notes = [rotation(signer, successor, AT), rotation(successor, third, AT)]
    state = succession(signer.key, notes)
    assert state.keys == (signer.key, successor.key, third.key)
    assert state.current == third.key
    assert succession(successor.key, notes).keys == (successor.key, third.key)
    assert parse_note(notes[0]).text == (
        f"dualrandom/v1/rotation\nlog.example/ezhou\n{signer.key.text}\n{successor.key.text}\n2026-09-01T08:30:00Z\n"
    )


def test_a_rotation_with_one_signature_is_refused(signer: Signer, successor: Signer) -> None:
    note = parse_note(rotation(signer, successor, AT))
    for kept in (0, 1):
        with pytest.raises(LogError):
            succession(signer.key, [Note(note.text, (note.signatures[kept],)).data])


def test_a_rotation_by_a_key_that_is_no_longer_current_is_refused(
    signer: Signer, successor: Signer, third: Signer
) -> None:
    with pytest.raises(LogError) as refused:
        succession(signer.key, [rotation(signer, successor, AT), rotation(signer, third, AT)])
    assert refused.value.code == "succession-refused"


def test_a_key_does_not_come_back(signer: Signer, successor: Signer) -> None:
    with pytest.raises(LogError):
        succession(signer.key, [rotation(signer, successor, AT), rotation(successor, signer, AT)])
    with pytest.raises(LogError):
        rotation(signer, signer, AT)


def test_other_notes_are_no_succession(signer: Signer, successor: Signer) -> None:
    good = parse_note(rotation(signer, successor, AT)).text
    for text in (
        "hello\n",
        Checkpoint(signer.name, 5, b"\x07" * 32).text,
        good.replace("ezhou\n", "other\n", 1),
        good.replace("2026-09-01T08:30:00Z", "2026-09-31T08:30:00Z"),
        good.replace("2026-09-01T08:30:00Z", "1.9.2026"),
        good + "more\n",
        good.replace("v1", "v2"),
    ):
        with pytest.raises(LogError):
            succession(signer.key, [Note(text, (signer.sign(text), successor.sign(text))).data])


def cosigned(signer: Signer, cosigner: Cosigner, time: int) -> bytes:
    note = parse_note(sign_checkpoint(Checkpoint(signer.name, 5, b"\x07" * 32), [signer]))
    return Note(note.text, (*note.signatures, cosigner.cosign(note.text, time))).data


def witnessed(signer: Signer, cosigner: Cosigner) -> Policy:
    return parse_policy(f"log {signer.key.text}\nwitness w {cosigner.key.text}\nquorum w\n".encode())


def test_a_revoked_keys_checkpoints_count_only_if_witnessed_before(
    signer: Signer, successor: Signer, cosigners: tuple[Cosigner, ...]
) -> None:
    notes = [rotation(signer, successor, AT), revocation(successor, signer.key, AT, "laptop stolen 电脑被盗")]
    policy = with_succession(witnessed(signer, cosigners[0]), notes)
    assert policy.verify(cosigned(signer, cosigners[0], SECONDS - 1)).quorum_time == SECONDS - 1
    assert policy.verify(cosigned(successor, cosigners[0], SECONDS + 1)).log_key == successor.key
    with pytest.raises(LogError) as refused:
        policy.verify(cosigned(signer, cosigners[0], SECONDS))
    assert refused.value.code == "key-revoked"


def test_a_checkpoint_signed_by_both_keys_counts_for_the_one_that_was_not_revoked(
    signer: Signer, successor: Signer
) -> None:
    notes = [rotation(signer, successor, AT), revocation(successor, signer.key, AT, "stolen")]
    policy = with_succession(parse_policy(f"log {signer.key.text}\nquorum none\n".encode()), notes)
    checkpoint = Checkpoint(signer.name, 5, b"\x07" * 32)
    for signers in ([signer, successor], [successor, signer]):
        assert policy.verify(sign_checkpoint(checkpoint, signers)).log_key == successor.key


def test_without_witnesses_nothing_of_a_revoked_key_counts(
    signer: Signer, successor: Signer, cosigners: tuple[Cosigner, ...]
) -> None:
    notes = [rotation(signer, successor, AT), revocation(signer, signer.key, AT, "stolen")]
    policy = with_succession(parse_policy(f"log {signer.key.text}\nquorum none\n".encode()), notes)
    with pytest.raises(LogError) as refused:
        policy.verify(cosigned(signer, cosigners[0], SECONDS - 1))
    assert refused.value.code == "key-revoked"


def test_only_the_key_itself_or_the_current_key_revokes(
    signer: Signer, successor: Signer, third: Signer
) -> None:
    handed = [rotation(signer, successor, AT), rotation(successor, third, AT)]
    for by, key in (
        (signer, signer),
        (third, signer),
        (third, successor),
        (successor, successor),
        (third, third),
    ):
        assert succession(signer.key, [*handed, revocation(by, key.key, AT, "why")]).revoked
    for by, key in ((signer, third), (signer, successor), (successor, third), (successor, signer)):
        with pytest.raises(LogError):
            succession(signer.key, [*handed, revocation(by, key.key, AT, "why")])


def test_after_its_last_key_was_revoked_a_log_has_none(signer: Signer, successor: Signer) -> None:
    gone = revocation(signer, signer.key, AT, "lost")
    assert succession(signer.key, [gone]).current is None
    with pytest.raises(LogError):
        succession(signer.key, [gone, rotation(signer, successor, AT)])


def test_a_revocation_needs_a_reason_of_one_line(signer: Signer) -> None:
    for reason in ("", "  ", "two\nlines"):
        with pytest.raises(LogError):
            revocation(signer, signer.key, AT, reason)


def test_a_policy_without_notes_stays_as_it_is(signer: Signer, cosigners: tuple[Cosigner, ...]) -> None:
    policy = witnessed(signer, cosigners[0])
    assert with_succession(policy, []) == policy


def test_a_log_goes_on_under_its_new_key_and_not_under_the_old(
    new_log: Opened, story: Callable[[int], list[Document]], signer: Signer, successor: Signer
) -> None:
    with new_log() as log:
        log.append(story(1)[:2], signer)
        log.rotate(signer, successor, AT)
        with pytest.raises(LogError) as refused:
            log.append(story(1), signer)
        assert refused.value.code == "log-key-mismatch"
        log.append(story(1)[:3], successor, former=signer)
        assert len(parse_note(log.reader.checkpoint_note()).signatures) == 2
        log.revoke(successor, signer.key, AT + timedelta(days=1), "rotated")
        log.append(story(1), successor)
    with new_log() as log:
        assert log.checkpoint.size == 5
        assert log.reader.succession.current == successor.key


def test_the_latest_checkpoint_is_by_the_new_key_as_soon_as_the_log_was_handed_over(
    new_log: Opened, story: Callable[[int], list[Document]], signer: Signer, successor: Signer
) -> None:
    with new_log() as log:
        log.append(story(1)[:2], signer)
        before = parse_note(log.reader.checkpoint_note())
        log.rotate(signer, successor, AT)
        after = parse_note(log.reader.checkpoint_note())
        assert after.text == before.text
        assert [s.key_id for s in after.signatures] == [signer.key.key_id, successor.key.key_id]
        assert open_checkpoint(log.reader.checkpoint_note(), [successor.key])[0].size == 2


SMALL_ORDER = [
    "0100000000000000000000000000000000000000000000000000000000000000",
    "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    "0000000000000000000000000000000000000000000000000000000000000080",
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
    "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
]
"""Keys of small order in hex (the last one also not canonical)."""


@pytest.mark.parametrize("key", SMALL_ORDER)
def test_a_key_of_small_order_is_no_key_and_verifies_nothing(key: str) -> None:
    public = bytes.fromhex(key)
    with pytest.raises(LogError) as refused:
        VerifierKey("log.example/a", public)
    assert refused.value.code == "key-refused"
    assert not ed25519_verifies(public, bytes([1]) + bytes(63), b"any text")


def test_a_log_whose_only_key_was_revoked_signs_nothing_more(
    new_log: Opened, story: Callable[[int], list[Document]], signer: Signer
) -> None:
    with new_log() as log:
        log.revoke(signer, signer.key, AT, "lost")
        with pytest.raises(LogError):
            log.append(story(1), signer)
        with pytest.raises(LogError):
            log.revoke(signer, Signer("x.example", signer.private).key, AT, "why")
