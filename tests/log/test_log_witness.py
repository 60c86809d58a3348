"""A witness over real HTTP: it cosigns what grows consistently, remembers through kills, and refuses every fork."""

import hashlib
import http.client
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from dualrandom.log.checkpoint import Checkpoint, parse_checkpoint, sign_checkpoint
from dualrandom.log.cosignature import Cosigner, stated_time
from dualrandom.log.errors import LogError
from dualrandom.log.merkle import EMPTY_ROOT
from dualrandom.log.note import Signer, parse_note, verified_signatures
from dualrandom.log.policy import Policy, parse_policy
from dualrandom.log.proof import verify_proof
from dualrandom.log.storage import Document, Log, create_log
from dualrandom.log.submit import Answer, cosign, http_post, request_cosignatures
from dualrandom.log.witness import (
    Request,
    Response,
    Witness,
    create_witness,
    open_witness,
    serve_witness,
)

NOW = 1_800_000_000
Story = Callable[[int], list[Document]]
Opened = Callable[[], Log]


@contextmanager
def serving(witness: Witness) -> Iterator[str]:
    with serve_witness(witness, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}/"
        finally:
            server.shutdown()
            thread.join()
            witness.close()


@pytest.fixture
def witness_url(tmp_path: Path, signer: Signer, cosigners: tuple[Cosigner, ...]) -> Iterator[str]:
    with serving(Witness(tmp_path / "witness", cosigners[0], [signer.key], lambda: NOW)) as url:
        yield url


def policy_of(signer: Signer, cosigners: tuple[Cosigner, ...], urls: list[str], least: int) -> Policy:
    lines = [f"log {signer.key.text}"]
    lines += [
        f"witness w{i} {c.key.text} {url}" for i, (c, url) in enumerate(zip(cosigners, urls, strict=True))
    ]
    names = " ".join(f"w{i}" for i in range(len(urls)))
    return parse_policy("\n".join([*lines, f"group g {least} {names}", "quorum g", ""]).encode())


def add(url: str, old: int, proof: tuple[bytes, ...], note: bytes) -> Answer:
    return http_post(f"{url}add-checkpoint", Request(old, proof, note).data)


def get(url: str, path: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=5)
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response.status, body


def test_a_growing_log_is_cosigned_step_by_step(
    witness_url: str, new_log: Opened, story: Story, signer: Signer, cosigners: tuple[Cosigner, ...]
) -> None:
    policy = policy_of(signer, cosigners[:1], [witness_url], 1)
    with new_log() as log:
        for end in (0, 1, 3, 5):
            log.append(story(1)[:end], signer)
            outcome = cosign(log, policy, http_post)
            assert not outcome.failures
            verified = policy.verify(log.reader.checkpoint_note())
            assert (verified.checkpoint.size, verified.quorum_time) == (end, NOW)
        entry = log.reader.entries()[2]
        assert verify_proof(log.reader.proof(2), entry, policy).cosigned == {"w0": NOW}


def test_the_latest_cosigned_checkpoint_can_be_fetched(
    witness_url: str, new_log: Opened, story: Story, signer: Signer, cosigners: tuple[Cosigner, ...]
) -> None:
    path = f"/{hashlib.sha256(signer.name.encode()).hexdigest()}/checkpoint"
    assert get(witness_url, path)[0] == 404
    policy = policy_of(signer, cosigners[:1], [witness_url], 1)
    with new_log() as log:
        log.append(story(1), signer)
        cosign(log, policy, http_post)
        status, body = get(witness_url, path)
        assert status == 200
        assert policy.verify(body) == policy.verify(log.reader.checkpoint_note())
    assert get(witness_url, f"/{'0' * 64}/checkpoint")[0] == 404
    assert get(witness_url, "/../witness.key")[0] == 404


def test_a_forked_log_is_refused_whatever_it_claims(
    witness_url: str, new_log: Opened, story: Story, signer: Signer, tmp_path: Path
) -> None:
    create_log(tmp_path / "fork", tmp_path / "fork-private", signer)
    with new_log() as log, Log.open(tmp_path / "fork", tmp_path / "fork-private") as fork:
        log.append(story(1)[:3], signer)
        fork.append([*story(1)[:1], *story(1)[2:4]], signer)
        assert add(witness_url, 0, (), log.reader.checkpoint_note()).status == 200
        # as large as the one that was cosigned, smaller and larger
        assert add(witness_url, 3, (), fork.reader.checkpoint_note()).status == 422
        fork.append(story(1)[4:], signer)
        for old, size in ((0, 3), (3, 4), (1, 4)):
            proof = fork.reader.consistency(old, size)
            answer = add(witness_url, old, proof, fork.reader.checkpoint_note(size))
            assert answer.status == (409 if old != 3 else 422)
        assert add(witness_url, 3, log.reader.consistency(1, 3), fork.reader.checkpoint_note()).status == 422
        # the witness still stands where it stood
        log.append(story(1), signer)
        assert add(witness_url, 3, log.reader.consistency(3, 5), log.reader.checkpoint_note()).status == 200


def test_a_log_that_was_set_back_learns_of_it_from_its_witness(
    witness_url: str,
    new_log: Opened,
    story: Story,
    signer: Signer,
    cosigners: tuple[Cosigner, ...],
    tmp_path: Path,
) -> None:
    policy = policy_of(signer, cosigners[:1], [witness_url], 1)
    create_log(tmp_path / "fork", tmp_path / "fork-private", signer)
    with new_log() as log, Log.open(tmp_path / "fork", tmp_path / "fork-private") as fork:
        log.append(story(1), signer)
        cosign(log, policy, http_post)
        fork.append(story(1)[:2], signer)
        assert cosign(fork, policy, http_post).failures["w0"].code == "witness-saw-more"
        fork.append([*story(1), *story(2)], signer)
        assert not cosign(fork, policy, http_post).failures
        log.append([*story(1), *story(2)[:1]], signer)
        log.append([Document("wuhan-2026-000001", story(1)[0].type, b"other")], signer)
        assert cosign(log, policy, http_post).failures["w0"].code == "witness-saw-more"
        log.append([Document(f"wuhan-2026-{n:06d}", story(1)[0].type, b"x") for n in range(2, 9)], signer)
        assert cosign(log, policy, http_post).failures["w0"].code == "witness-refused"


def test_each_wrong_request_gets_the_status_that_the_specification_names(
    witness_url: str, new_log: Opened, story: Story, signer: Signer, successor: Signer
) -> None:
    def note(size: int, root: bytes = b"\x07" * 32, origin: str = "", by: Signer | None = None) -> bytes:
        checkpoint = Checkpoint(origin or signer.name, size, root)
        key = by or signer
        return sign_checkpoint(checkpoint, [Signer(checkpoint.origin, key.private)])

    good = note(5)
    stranger = good.replace(b"\n\n", b"\n\n" + "— a AAAAAAA=\n".encode(), 1)
    forged = good[:-8] + b"AAAAAA==\n"[-8:]
    assert add(witness_url, 0, (), note(5, origin="log.example/unknown")).status == 404
    assert add(witness_url, 0, (), note(5, by=successor)).status == 403
    assert add(witness_url, 0, (), good.replace(b"\n5\n", b"\n6\n")).status == 403
    assert add(witness_url, 0, (), forged).status in {400, 403}
    assert add(witness_url, 6, (), good).status == 400
    assert add(witness_url, 1, (), good).status == 409
    assert add(witness_url, 0, (b"\x01" * 32,), good).status == 422
    assert add(witness_url, 0, (), note(0)).status == 422
    assert add(witness_url, 0, (), note(0, EMPTY_ROOT)).status == 200
    assert add(witness_url, 0, (), stranger).status == 200
    conflict = add(witness_url, 0, (), good)
    assert (conflict.status, conflict.body) == (409, b"5\n")
    assert add(witness_url, 5, (b"\x01" * 32,), good).status == 422
    assert add(witness_url, 5, (), good).status == 200


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\n\n",
        b"old 0\n",
        b"old\n\nlog\n0\n\n",
        b"old 00\n\n",
        b"old -1\n\n",
        b"old 0 \n\n",
        b"Old 0\n\n",
        b"old 0\nAAAA\n\n",
        b"old 0\n" + (b"A" * 43 + b"=\n") * 64 + b"\n",
        b"old 0\n\nno note at all",
        b"\xff\xfe",
    ],
)
def test_a_malformed_request_is_a_bad_request(witness_url: str, body: bytes) -> None:
    assert http_post(f"{witness_url}add-checkpoint", body).status == 400


def test_requests_to_elsewhere_too_long_or_without_length_are_turned_away(witness_url: str) -> None:
    assert http_post(f"{witness_url}add", b"old 0\n\n").status == 404
    for header, status in ((("Content-Length", "300000"), 413), (("Transfer-Encoding", "chunked"), 411)):
        connection = http.client.HTTPConnection(urlsplit(witness_url).netloc, timeout=5)
        connection.putrequest("POST", "/add-checkpoint")
        connection.putheader(*header)
        connection.endheaders()
        assert connection.getresponse().status == status
        connection.close()


def test_a_connection_serves_several_requests(witness_url: str, new_log: Opened) -> None:
    with new_log() as log:
        body = Request(0, (), log.reader.checkpoint_note()).data
    connection = http.client.HTTPConnection(urlsplit(witness_url).netloc, timeout=5)
    for _ in range(3):
        connection.request("POST", "/add-checkpoint", body)
        response = connection.getresponse()
        assert (response.status, bool(response.read())) == (200, True)
    connection.close()


def test_the_state_is_on_disk_before_a_cosignature_leaves(
    new_log: Opened, story: Story, signer: Signer, cosigners: tuple[Cosigner, ...], tmp_path: Path
) -> None:
    folder = tmp_path / "witness"
    with new_log() as log:
        log.append(story(1), signer)
        body = Request(0, (), log.reader.checkpoint_note()).data
        first = Witness(folder, cosigners[0], [signer.key], lambda: NOW)
        assert first.add_checkpoint(body).status == 200
        # what a kill leaves behind: the folder, and a lock that the system has released
        first.close()
        again = Witness(folder, cosigners[0], [signer.key], lambda: NOW)
        assert again.add_checkpoint(body) == Response(409, b"5\n", "text/x.tlog.size")
        again.close()


def test_what_cannot_be_remembered_is_not_cosigned(
    new_log: Opened, signer: Signer, cosigners: tuple[Cosigner, ...], tmp_path: Path
) -> None:
    folder = tmp_path / "witness"
    with new_log() as log:
        body = Request(0, (), log.reader.checkpoint_note()).data
    witness = Witness(folder, cosigners[0], [signer.key], lambda: NOW)
    state = folder / "state" / hashlib.sha256(signer.name.encode()).hexdigest() / "checkpoint"
    state.mkdir(parents=True)
    with serving(witness) as url, pytest.raises(OSError, match="closed connection"):
        http_post(f"{url}add-checkpoint", body)


def test_a_witness_with_a_damaged_state_does_not_start(
    new_log: Opened, story: Story, signer: Signer, cosigners: tuple[Cosigner, ...], tmp_path: Path
) -> None:
    folder = tmp_path / "witness"
    with new_log() as log:
        log.append(story(1), signer)
        witness = Witness(folder, cosigners[0], [signer.key], lambda: NOW)
        witness.add_checkpoint(Request(0, (), log.reader.checkpoint_note()).data)
        witness.close()
    path = next((folder / "state").glob("*/checkpoint"))
    good = path.read_bytes()
    for place in range(0, len(good), 3):
        path.write_bytes(good[:place] + bytes([good[place] ^ 1]) + good[place + 1 :])
        with pytest.raises(LogError) as refused:
            Witness(folder, cosigners[0], [signer.key], lambda: NOW)
        assert refused.value.code == "witness-state-damaged"
    path.write_bytes(good)
    Witness(folder, cosigners[0], [signer.key], lambda: NOW).close()


def test_one_folder_serves_one_witness(
    tmp_path: Path, signer: Signer, cosigners: tuple[Cosigner, ...]
) -> None:
    witness = Witness(tmp_path / "w", cosigners[0], [signer.key], lambda: NOW)
    with pytest.raises(LogError) as refused:
        Witness(tmp_path / "w", cosigners[0], [signer.key], lambda: NOW)
    assert refused.value.code == "witness-running"
    witness.close()


def test_of_many_checkpoints_sent_at_once_one_line_of_growth_is_cosigned(
    witness_url: str, new_log: Opened, story: Story, signer: Signer
) -> None:
    with new_log() as log:
        for end in range(1, 6):
            log.append(story(1)[:end], signer)
        bodies = [
            Request(old, log.reader.consistency(old, size), log.reader.checkpoint_note(size)).data
            for old in range(5)
            for size in range(old + 1, 6)
        ]
    cosigned: list[tuple[int, int]] = []
    unanswered: list[bytes] = []

    def send(body: bytes) -> None:
        try:
            status = http_post(f"{witness_url}add-checkpoint", body).status
        except OSError:
            unanswered.append(body)  # on a machine that is busy with other things
            return
        if status == 200:
            old, _, note = body.partition(b"\n\n")
            cosigned.append((int(old.split()[1]), parse_checkpoint(parse_note(note).text).size))

    threads = [threading.Thread(target=send, args=(body,)) for body in bodies for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    steps = sorted(cosigned)
    # never two that overlap; with all answers at hand, one step goes on where the last ended
    assert all(one[1] <= two[0] for one, two in pairwise(steps))
    if not unanswered:
        assert steps[0][0] == 0
        assert all(one[1] == two[0] for one, two in pairwise(steps))


def test_two_of_three_witnesses_suffice_when_one_is_away(
    new_log: Opened, story: Story, signer: Signer, cosigners: tuple[Cosigner, ...], tmp_path: Path
) -> None:
    with ExitStack() as stack, new_log() as log:
        urls = [
            stack.enter_context(
                serving(Witness(tmp_path / cosigner.name, cosigner, [signer.key], lambda: NOW))
            )
            for cosigner in cosigners[:2]
        ]
        policy = policy_of(signer, cosigners, [*urls, "http://127.0.0.1:9/"], 2)
        log.append(story(1), signer)
        with pytest.raises(LogError) as refused:
            policy.verify(log.reader.checkpoint_note())
        assert refused.value.code == "quorum-missing"
        outcome = cosign(log, policy, http_post)
        assert set(outcome.signatures) == {"w0", "w1"}
        assert outcome.failures["w2"].code == "witness-unreachable"
        assert policy.verify(log.reader.checkpoint_note()).cosigned == {"w0": NOW, "w1": NOW}
        strict = policy_of(signer, cosigners, [*urls, "http://127.0.0.1:9/"], 3)
        with pytest.raises(LogError):
            strict.verify(log.reader.checkpoint_note())


def answering(answer: Answer) -> Callable[[str, bytes], Answer]:
    return lambda url, body: answer


def test_an_answer_that_is_no_cosignature_of_this_witness_is_not_published(
    new_log: Opened, story: Story, signer: Signer, cosigners: tuple[Cosigner, ...]
) -> None:
    policy = policy_of(signer, cosigners[:1], ["http://witness.example/"], 1)
    with new_log() as log:
        log.append(story(1), signer)
        text = log.checkpoint.text
        other = Checkpoint(signer.name, 4, b"\x07" * 32).text
        answers = [
            Answer(200, b""),
            Answer(200, b"welcome\n"),
            Answer(200, cosigners[1].cosign(text, NOW).line.encode()),
            Answer(200, cosigners[0].cosign(other, NOW).line.encode()),
            Answer(200, signer.sign(text).line.encode()),
            Answer(409, b"many\n"),
            Answer(409, b"0\n"),
            Answer(500, b"\xff"),
            Answer(302, b""),
        ]
        before = log.reader.checkpoint_note()
        for answer in answers:
            outcome = cosign(log, policy, answering(answer))
            assert set(outcome.failures) == {"w0"}
            assert log.reader.checkpoint_note() == before
        mixed = cosigners[1].cosign(text, NOW).line + cosigners[0].cosign(text, NOW).line
        outcome = cosign(log, policy, answering(Answer(200, mixed.encode())))
        assert [signature.name for signature in outcome.signatures["w0"]] == [cosigners[0].name]


def test_nothing_is_sent_to_witnesses_without_an_address_or_to_other_schemes(
    new_log: Opened, signer: Signer, cosigners: tuple[Cosigner, ...]
) -> None:
    silent = parse_policy(f"log {signer.key.text}\nwitness w {cosigners[0].key.text}\nquorum w\n".encode())
    file = policy_of(signer, cosigners[:1], ["file:///etc/passwd"], 1)
    with new_log() as log:
        outcome = request_cosignatures(log.reader, silent, http_post)
        assert not outcome.signatures
        assert not outcome.failures
        assert set(request_cosignatures(log.reader, file, http_post).failures) == {"w0"}


PROGRAM = """
import sys, time
from pathlib import Path
from dualrandom.log.witness import run_witness
run_witness(Path(sys.argv[1]), sys.argv[2], "127.0.0.1", 0, time.time, lambda url: print(url, flush=True))
"""


@contextmanager
def program(folder: Path) -> Iterator[str]:
    """A witness as its own process, which ends by kill -9."""
    command = [sys.executable, "-c", PROGRAM, str(folder), "correct horse battery"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield str(process.stdout.readline()).strip()
        finally:
            process.kill()


def test_a_witness_is_set_up_from_a_folder_serves_it_and_remembers_through_kills(
    new_log: Opened, story: Story, signer: Signer, tmp_path: Path
) -> None:
    folder = tmp_path / "chamber"
    vkey = create_witness(folder, "chamber.example/w1", "correct horse battery")
    with pytest.raises(LogError):
        create_witness(folder, "chamber.example/w1", "correct horse battery")
    (folder / "logs").write_text(f"log {signer.key.text}\nquorum none\n", "utf-8")
    with pytest.raises(LogError) as refused:
        open_witness(folder, "wrong horse battery", time.time)
    assert refused.value.code == "password-wrong"
    with new_log() as log:
        for end in (3, 5):
            log.append(story(1)[:end], signer)
            with program(folder) as url:
                policy = parse_policy(
                    f"log {signer.key.text}\nwitness chamber {vkey} {url}\nquorum chamber\n".encode()
                )
                answer = add(url, 0, (), log.reader.checkpoint_note())
                assert answer.status == (200 if end == 3 else 409)
                outcome = cosign(log, policy, http_post)
            assert not outcome.failures
            (signature,) = outcome.signatures["chamber"]
            assert verified_signatures(parse_note(log.reader.checkpoint_note()), [policy.witnesses[0].key])
            assert abs((stated_time(signature.value) or 0) - time.time()) < 600
