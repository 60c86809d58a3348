"""Whom a reader trusts: the policy file's form, quorums, and when a quorum stood."""

import pytest

from dualrandom.log.checkpoint import Checkpoint, sign_checkpoint
from dualrandom.log.cosignature import Cosigner
from dualrandom.log.errors import LogError
from dualrandom.log.note import Note, Signature, Signer, parse_note
from dualrandom.log.policy import Policy, parse_policy

Cosigners = tuple[Cosigner, ...]
ROOT = b"\x07" * 32


def two_of_three(signer: Signer, cosigners: Cosigners) -> Policy:
    return parse_policy(text_of(signer, cosigners, "group all-of-them 2 w1 w2 w3\nquorum all-of-them\n"))


def text_of(signer: Signer, cosigners: Cosigners, end: str) -> bytes:
    lines = [f"log {signer.key.text} https://log.example/ezhou"]
    lines += [f"witness w{i} {cosigner.key.text}" for i, cosigner in enumerate(cosigners, 1)]
    return ("\n".join(lines) + "\n" + end).encode()


def checkpoint(signer: Signer, cosigners: Cosigners, times: tuple[int, ...], size: int = 5) -> bytes:
    note = parse_note(sign_checkpoint(Checkpoint(signer.name, size, ROOT), [signer]))
    cosigned = tuple(
        cosigner.cosign(note.text, time) for cosigner, time in zip(cosigners, times, strict=False) if time
    )
    return Note(note.text, note.signatures + cosigned).data


def test_two_of_three_witnesses_make_the_quorum_and_one_does_not(
    signer: Signer, cosigners: Cosigners
) -> None:
    policy = two_of_three(signer, cosigners)
    verified = policy.verify(checkpoint(signer, cosigners, (100, 0, 300)))
    assert verified.cosigned == {"w1": 100, "w3": 300}
    assert verified.checkpoint.size == 5
    for times in ((100, 0, 0), (0, 0, 0)):
        with pytest.raises(LogError) as refused:
            policy.verify(checkpoint(signer, cosigners, times))
        assert refused.value.code == "quorum-missing"


def test_the_quorum_stood_when_its_last_needed_witness_had_cosigned(
    signer: Signer, cosigners: Cosigners
) -> None:
    policy = two_of_three(signer, cosigners)
    assert policy.verify(checkpoint(signer, cosigners, (300, 100, 200))).quorum_time == 200
    assert policy.verify(checkpoint(signer, cosigners, (100, 0, 100))).quorum_time == 100


def test_one_witness_cannot_count_twice(signer: Signer, cosigners: Cosigners) -> None:
    note = parse_note(checkpoint(signer, cosigners, (100,)))
    again = cosigners[0].cosign(note.text, 50)
    data = Note(note.text, (*note.signatures, again, again)).data
    with pytest.raises(LogError) as refused:
        two_of_three(signer, cosigners).verify(data)
    assert refused.value.code == "quorum-missing"


def test_a_forged_cosignature_spoils_the_checkpoint(signer: Signer, cosigners: Cosigners) -> None:
    note = parse_note(checkpoint(signer, cosigners, (100, 200)))
    forged = Signature(cosigners[2].name, cosigners[2].key.key_id, b"\x00" * 7 + b"\x01" + b"x" * 64)
    with pytest.raises(LogError) as refused:
        two_of_three(signer, cosigners).verify(Note(note.text, (*note.signatures, forged)).data)
    assert refused.value.code == "signature-invalid"


def test_cosignatures_of_another_checkpoint_do_not_count(signer: Signer, cosigners: Cosigners) -> None:
    mine = parse_note(checkpoint(signer, cosigners, ()))
    other = parse_note(checkpoint(signer, cosigners, (100, 200), size=6))
    with pytest.raises(LogError):
        two_of_three(signer, cosigners).verify(Note(mine.text, mine.signatures + other.signatures[1:]).data)


def test_witnesses_do_not_replace_the_logs_signature(signer: Signer, cosigners: Cosigners) -> None:
    note = parse_note(checkpoint(signer, cosigners, (100, 200, 300)))
    with pytest.raises(LogError) as refused:
        two_of_three(signer, cosigners).verify(Note(note.text, note.signatures[1:]).data)
    assert refused.value.code == "signature-missing"


def test_groups_of_groups_count_as_their_own_thresholds_say(signer: Signer, cosigners: Cosigners) -> None:
    end = "group pair any w1 w2\ngroup top all pair w3\nquorum top\n"
    policy = parse_policy(text_of(signer, cosigners, end))
    met = {(), ("w3",), ("w1", "w2"), ("w1", "w3"), ("w2", "w3"), ("w1", "w2", "w3")}
    assert {names for names in met if policy.is_met(set(names))} == {
        ("w1", "w3"),
        ("w2", "w3"),
        ("w1", "w2", "w3"),
    }


def test_a_group_may_not_be_named_as_if_it_were_a_witness_that_cosigned(
    signer: Signer, cosigners: Cosigners
) -> None:
    assert not two_of_three(signer, cosigners).is_met({"all-of-them", "w1"})


def test_without_witnesses_no_time_is_claimed(signer: Signer, cosigners: Cosigners) -> None:
    policy = parse_policy(text_of(signer, cosigners, "quorum none\n"))
    assert not policy.needs_witnesses
    assert policy.verify(checkpoint(signer, cosigners, (100, 200, 300))).quorum_time is None


def test_spaces_tabs_comments_and_octets_are_read_as_the_form_allows(
    signer: Signer, cosigners: Cosigners
) -> None:
    data = (
        b"# a comment \xff\n\n \t # another\n"
        + f"log {signer.key.text}\n\twitness  \t w\u00e9 {cosigners[0].key.text}  \n".encode()
        + b"witness \xfe\xff "
        + cosigners[1].key.text.encode()
        + "\ngroup g any w\u00e9 ".encode()
        + b"\xfe\xff\nquorum g\n"
    )
    policy = parse_policy(data)
    assert [witness.name for witness in policy.witnesses] == ["w\u00e9", "\udcfe\udcff"]


WRONG = {
    "no-quorum": "group g any w1\n",
    "two-quorums": "quorum none\nquorum none\n",
    "quorum-undefined": "quorum w4\n",
    "quorum-above-its-group": "quorum g\ngroup g any w1\n",
    "group-of-itself": "group g any g\nquorum g\n",
    "group-of-none": "group g any none\nquorum g\n",
    "group-without-members": "group g any\nquorum g\n",
    "group-named-none": "group none any w1\nquorum none\n",
    "group-named-as-a-witness": "group w1 any w2\nquorum w1\n",
    "threshold-zero": "group g 0 w1 w2\nquorum g\n",
    "threshold-too-large": "group g 3 w1 w2\nquorum g\n",
    "threshold-with-leading-zero": "group g 02 w1 w2\nquorum g\n",
    "threshold-in-words": "group g two w1 w2\nquorum g\n",
    "member-twice": "group g 2 w1 w1\nquorum g\n",
    "member-of-two-groups": "group g any w1 w2\ngroup h any w2 w3\ngroup t all g h\nquorum t\n",
    "unknown-word": "mirror m1\nquorum none\n",
    "quorum-of-two": "quorum w1 w2\n",
    "capital": "Quorum none\n",
    "no-final-newline": "quorum none",
    "carriage-return": "quorum none\r\n",
    "no-break-space": "quorum\u00a0none\n",
}


@pytest.mark.parametrize("lie", WRONG)
def test_a_policy_that_does_not_follow_the_form_is_refused(
    lie: str, signer: Signer, cosigners: Cosigners
) -> None:
    with pytest.raises(LogError) as refused:
        parse_policy(text_of(signer, cosigners, WRONG[lie]))
    assert refused.value.code == "policy-refused"


def test_the_same_key_under_two_names_is_refused(signer: Signer, cosigners: Cosigners) -> None:
    twin = Cosigner("twin.example", cosigners[0].private)
    for line in (f"witness twin {twin.key.text}", f"log {signer.key.text}", f"witness w1 {twin.key.text}"):
        with pytest.raises(LogError) as refused:
            parse_policy(text_of(signer, cosigners, f"{line}\nquorum none\n"))
        assert refused.value.code == "policy-refused"


def test_the_line_that_is_wrong_is_named(signer: Signer, cosigners: Cosigners) -> None:
    with pytest.raises(LogError) as refused:
        parse_policy(text_of(signer, cosigners, "\n# fine\nquorum nobody\n"))
    assert refused.value.value == "7"
    assert "line 7" in refused.value.message("en")
    assert "第 7 行" in refused.value.message("zh")
