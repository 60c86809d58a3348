"""Signed notes, checkpoints and cosignatures: what is accepted, and each way in which one can lie."""

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from dualrandom.log.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint, sign_checkpoint
from dualrandom.log.cosignature import Cosigner, parse_cosigner_key, stated_time
from dualrandom.log.errors import LogError
from dualrandom.log.note import (
    Note,
    Signature,
    Signer,
    VerifierKey,
    parse_note,
    parse_vkey,
    verified_signatures,
)

# The example of the Go project's package documentation for notes (a published key and signature: facts).
NEUMANN = "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
NEUMANN_NOTE = (
    "If you think cryptography is the answer to your problem,\n"
    "then you don't know what your problem is.\n"
    "\n"
    "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"
).encode()
# The key of the Go checksum database, for which thousands of tools compute the same id.
SUMDB = "sum.golang.org+033de0ae+Ac4zctda0e5eza+HJyk9SxEdh+s3Ux18htTTAD8OuAn8"


def test_a_note_of_another_implementation_verifies() -> None:
    note = parse_note(NEUMANN_NOTE)
    (signature,) = verified_signatures(note, [parse_vkey(NEUMANN)])
    assert signature.name == "PeterNeumann"
    assert note.data == NEUMANN_NOTE


def test_verifier_keys_of_other_implementations_have_the_ids_that_we_compute() -> None:
    for text in (NEUMANN, SUMDB):
        assert parse_vkey(text).text == text


def test_every_changed_byte_of_a_note_is_refused() -> None:
    key = parse_vkey(NEUMANN)
    for place in range(len(NEUMANN_NOTE)):
        changed = bytearray(NEUMANN_NOTE)
        changed[place] ^= 1
        with pytest.raises(LogError):
            verified_signatures(parse_note(bytes(changed)), [key])


def test_every_changed_character_of_a_verifier_key_is_refused_or_names_another_key() -> None:
    key = parse_vkey(NEUMANN)
    for place in range(len(NEUMANN)):
        changed = NEUMANN[:place] + chr(ord(NEUMANN[place]) ^ 1) + NEUMANN[place + 1 :]
        with pytest.raises(LogError):
            assert parse_vkey(changed) == key


MALFORMED = {
    "empty": b"",
    "no-signature": b"text\n",
    "no-empty-line": "text\n— a AAAAAAA=\n".encode(),
    "no-final-newline": NEUMANN_NOTE[:-1],
    "trailing-newline": NEUMANN_NOTE + b"\n",
    "carriage-returns": NEUMANN_NOTE.replace(b"\n", b"\r\n"),
    "tab-in-text": b"a\t" + NEUMANN_NOTE,
    "zero-byte-in-text": b"\x00" + NEUMANN_NOTE,
    "latin-1": NEUMANN_NOTE.replace("—".encode(), b"\x97"),
    "hyphen-for-dash": NEUMANN_NOTE.replace("—".encode(), b"-"),
    "two-spaces": NEUMANN_NOTE.replace(b"PeterNeumann ", b"PeterNeumann  "),
    "name-with-plus": NEUMANN_NOTE.replace(b"PeterNeumann ", b"Peter+Neumann "),
    "name-with-ideographic-space": NEUMANN_NOTE.replace(b"PeterNeumann ", "Peter\u3000Neumann ".encode()),
    "name-empty": NEUMANN_NOTE.replace(b"PeterNeumann ", b" "),
    "base64-without-padding": NEUMANN_NOTE.replace(b"AM=", b"AM"),
    "base64-with-loose-bits": NEUMANN_NOTE.replace(b"AM=", b"AN="),
    "base64-url-alphabet": NEUMANN_NOTE.replace(b"go/ZJ", b"go_ZJ"),
    "only-a-key-id": "text\n\n— a AAAAAA==\n".encode(),
    "too-long": b"a" * 1_000_001 + NEUMANN_NOTE,
    "too-many-signatures": NEUMANN_NOTE + "— a AAAAAAA=\n".encode() * 100,
}


@pytest.mark.parametrize("lie", MALFORMED)
def test_a_malformed_note_is_refused(lie: str) -> None:
    with pytest.raises(LogError) as refused:
        parse_note(MALFORMED[lie])
    assert refused.value.code == "note-malformed"


def test_signatures_of_unknown_keys_are_ignored_even_if_they_share_name_or_id(signer: Signer) -> None:
    note = parse_note(NEUMANN_NOTE)
    own = note.signatures[0]
    others = (
        Signature(own.name, own.key_id + 1, b"x" * 64),
        Signature("someone.else", own.key_id, b"x" * 64),
        signer.sign(note.text),
    )
    assert verified_signatures(Note(note.text, (*others, own)), [parse_vkey(NEUMANN)]) == (own,)
    with pytest.raises(LogError) as refused:
        verified_signatures(Note(note.text, others), [parse_vkey(NEUMANN)])
    assert refused.value.code == "signature-missing"


def test_one_bad_signature_of_a_known_key_spoils_the_note(signer: Signer) -> None:
    note = parse_note(NEUMANN_NOTE)
    forged = Signature(signer.name, signer.key.key_id, b"x" * 64)
    with pytest.raises(LogError) as refused:
        verified_signatures(Note(note.text, (*note.signatures, forged)), [parse_vkey(NEUMANN), signer.key])
    assert refused.value.code == "signature-invalid"


def test_the_text_ends_at_the_last_empty_line(signer: Signer) -> None:
    text = "first\n\nsecond\n— a AAAAAAA=\n"
    note = parse_note(Note(text, (signer.sign(text),)).data)
    assert note.text == text
    assert verified_signatures(note, [signer.key])


@given(
    st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=60), st.binary(min_size=32, max_size=32)
)
def test_a_signed_text_verifies_under_its_key_and_no_other(text: str, seed: bytes) -> None:
    own = Signer("own.example", Ed25519PrivateKey.from_private_bytes(seed))
    note = parse_note(Note(text + "\n", (own.sign(text + "\n"),)).data)
    assert verified_signatures(note, [own.key])
    with pytest.raises(LogError):
        verified_signatures(note, [VerifierKey("own.example", b"\x05" * 32)])


@given(st.binary(max_size=400))
def test_no_bytes_break_the_readers(data: bytes) -> None:
    for read in (parse_note, lambda raw: parse_checkpoint(raw.decode("utf-8", "replace"))):
        try:
            read(data)
        except LogError:
            continue


ROOT = base64.b64encode(b"\x07" * 32).decode()
CHECKPOINTS = {
    "no-lines": "",
    "no-newline": f"log.example\n5\n{ROOT}",
    "two-lines": "log.example\n5\n",
    "origin-empty": f"\n5\n{ROOT}\n",
    "leading-zero": f"log.example\n05\n{ROOT}\n",
    "sign": f"log.example\n+5\n{ROOT}\n",
    "negative": f"log.example\n-5\n{ROOT}\n",
    "arabic-digits": f"log.example\n\u0665\n{ROOT}\n",
    "too-large": f"log.example\n9223372036854775808\n{ROOT}\n",
    "root-short": "log.example\n5\nAAAA\n",
    "root-without-padding": f"log.example\n5\n{ROOT[:-1]}\n",
    "empty-extension": f"log.example\n5\n{ROOT}\n\n",
}


@pytest.mark.parametrize("lie", CHECKPOINTS)
def test_a_malformed_checkpoint_is_refused(lie: str) -> None:
    with pytest.raises(LogError) as refused:
        parse_checkpoint(CHECKPOINTS[lie])
    assert refused.value.code == "checkpoint-malformed"


def test_extension_lines_are_kept_and_signed(signer: Signer) -> None:
    checkpoint = Checkpoint(signer.name, 5, b"\x07" * 32, ("extra line",))
    read, note, keys = open_checkpoint(sign_checkpoint(checkpoint, [signer]), [signer.key])
    assert (read, keys) == (checkpoint, (signer.key,))
    with pytest.raises(LogError):
        open_checkpoint(note.data.replace(b"extra", b"other"), [signer.key])


def test_a_checkpoint_of_another_origin_is_refused_whoever_signed_it(signer: Signer) -> None:
    text = Checkpoint("log.example/other", 5, b"\x07" * 32).text
    with pytest.raises(LogError) as refused:
        open_checkpoint(Note(text, (signer.sign(text),)).data, [signer.key])
    assert refused.value.code == "origin-unknown"
    with pytest.raises(LogError):
        sign_checkpoint(Checkpoint("log.example/other", 5, b"\x07" * 32), [signer])


def test_a_cosignature_states_its_time_and_holds_for_that_time_only(cosigners: tuple[Cosigner, ...]) -> None:
    text = Checkpoint("log.example", 5, b"\x07" * 32).text
    signature = cosigners[0].cosign(text, 1_679_315_147)
    key = cosigners[0].key
    assert stated_time(signature.value) == 1_679_315_147
    assert key.verifies(text, signature.value)
    backdated = (1_679_315_146).to_bytes(8, "big") + signature.value[8:]
    assert not key.verifies(text, backdated)
    assert not key.verifies(text, signature.value[8:])
    assert not key.verifies(text.replace("5", "6"), signature.value)
    assert not cosigners[1].key.verifies(text, signature.value)


def test_the_signed_message_of_a_cosignature_is_the_specified_one(cosigners: tuple[Cosigner, ...]) -> None:
    text = Checkpoint("log.example", 5, b"\x07" * 32).text
    signature = cosigners[0].cosign(text, 12)
    message = b"cosignature/v1\ntime 12\nlog.example\n5\n" + ROOT.encode() + b"\n"
    cosigners[0].private.public_key().verify(signature.value[8:], message)


def test_a_note_signature_does_not_pass_for_a_cosignature() -> None:
    private = Ed25519PrivateKey.from_private_bytes(b"\x09" * 32)
    log, witness = Signer("same.example", private), Cosigner("same.example", private)
    text = Checkpoint("same.example", 5, b"\x07" * 32).text
    assert log.key.key_id != witness.key.key_id
    assert not witness.key.verifies(text, (7).to_bytes(8, "big") + log.sign(text).value)
    assert not log.key.verifies(text, witness.cosign(text, 7).value[8:])


@pytest.mark.parametrize("time", [0, -1, 2**63])
def test_a_cosignature_without_a_usable_time_is_neither_made_nor_counted(
    cosigners: tuple[Cosigner, ...], time: int
) -> None:
    with pytest.raises(LogError):
        cosigners[0].cosign("text\n", time)
    assert stated_time((time % 2**64).to_bytes(8, "big") + b"x" * 64) is None


def test_witness_keys_and_log_keys_are_not_mixed_up(signer: Signer, cosigners: tuple[Cosigner, ...]) -> None:
    assert parse_cosigner_key(cosigners[0].key.text) == cosigners[0].key
    with pytest.raises(LogError):
        parse_cosigner_key(signer.key.text)
    with pytest.raises(LogError):
        parse_vkey(cosigners[0].key.text)
