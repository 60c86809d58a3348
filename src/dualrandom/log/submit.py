"""Asking witnesses to cosign the log's latest checkpoint: the client of C2SP tlog-witness."""

from __future__ import annotations

import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import Any

from dualrandom.log.checkpoint import decimal, parse_checkpoint
from dualrandom.log.errors import LogError, refusal
from dualrandom.log.note import Note, Signature, parse_note, verified_signatures
from dualrandom.log.policy import Policy, PolicyWitness
from dualrandom.log.reader import LogReader
from dualrandom.log.storage import Log
from dualrandom.log.witness import Request

LARGEST_ANSWER = 64 * 1024
PATIENCE = 15.0
"""Seconds that a witness has for an answer."""


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP status and body."""

    status: int
    body: bytes


Post = Callable[[str, bytes], Answer]
"""Sends a body to an address. Raises OSError if the other side cannot be reached."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the witnesses answered: signatures by the witness's name in the policy, and why others gave none."""

    text: str
    signatures: Mapping[str, tuple[Signature, ...]]
    failures: Mapping[str, LogError]


def cosign(log: Log, policy: Policy, post: Post) -> Outcome:
    """Ask every witness of the policy that has an address, publish what they sign, and say who did not.

    Whether the quorum is met is for :meth:`Policy.verify` to say about the published checkpoint. A witness's failure is
    not an error of ours: the next call asks again.
    """
    outcome = request_cosignatures(log.reader, policy, post)
    signatures = [signature for of_one in outcome.signatures.values() for signature in of_one]
    if signatures:
        log.add_cosignatures(outcome.text, signatures, (witness.key for witness in policy.witnesses))
    return outcome


def request_cosignatures(reader: LogReader, policy: Policy, post: Post) -> Outcome:
    """Ask the policy's witnesses for cosignatures of the latest checkpoint, in turn; nothing is written."""
    note = reader.checkpoint_note()
    signatures: dict[str, tuple[Signature, ...]] = {}
    failures: dict[str, LogError] = {}
    for witness in policy.witnesses:
        if witness.url is not None:
            try:
                signatures[witness.name] = _ask(reader, note, witness, post)
            except LogError as problem:
                failures[witness.name] = problem
    return Outcome(parse_note(note).text, signatures, failures)


def http_post(url: str, body: bytes) -> Answer:
    """Post over http or https; redirections are not followed. Raises OSError."""
    if urllib.parse.urlsplit(url).scheme not in {"http", "https"}:
        raise OSError(f"not an http address: {url}")
    request = urllib.request.Request(url, body, {"Content-Type": "text/plain; charset=utf-8"}, method="POST")  # noqa: S310
    try:
        with _opener.open(request, timeout=PATIENCE) as response:
            return Answer(response.status, response.read(LARGEST_ANSWER))
    except urllib.error.HTTPError as problem:
        with problem:
            return Answer(problem.code, problem.read(LARGEST_ANSWER))
    except HTTPException as problem:
        raise OSError(str(problem)) from problem


class _Stay(urllib.request.HTTPRedirectHandler):
    """Redirections would turn the POST into a GET elsewhere."""

    def redirect_request(self, *_: Any) -> None:
        return None


_opener = urllib.request.build_opener(_Stay)


def _ask(
    reader: LogReader, note: bytes, witness: PolicyWitness, post: Post, old: int = 0
) -> tuple[Signature, ...]:
    size = parse_checkpoint(parse_note(note).text).size
    address = f"{(witness.url or '').rstrip('/')}/add-checkpoint"
    try:
        answer = post(address, Request(old, reader.consistency(old, size), note).data)
    except OSError as problem:
        raise refusal(
            "witness-unreachable",
            witness.name,
            f"无法连接见证方 {witness.name}：{problem}",
            f"the witness {witness.name} cannot be reached: {problem}",
            remedy_zh="稍后再试；抽取可凭其余见证方的法定数继续。",
            remedy_en="Try again later; a draw goes on with a quorum of the others.",
        ) from problem
    if answer.status == 200:
        return _signatures(parse_note(note), witness, answer.body)
    known = decimal(answer.body.decode("ascii", "replace").removesuffix("\n"))
    if answer.status == 409 and known is not None:
        if known > size:
            raise refusal(
                "witness-saw-more",
                witness.name,
                f"见证方 {witness.name} 见过 {known} 条的日志，此处只有 {size} 条",
                f"the witness {witness.name} has seen {known} entries of this log; here are only {size}",
                remedy_zh="日志被回退或分叉：立即停止追加，从备份恢复最新状态。",
                remedy_en="The log was set back or forked: stop appending and restore its latest state from a backup.",
            )
        # a witness that knows the log answers the first request with the size from which it needs a proof
        if old == 0 < known:
            return _ask(reader, note, witness, post, known)
    raise refusal(
        "witness-refused",
        witness.name,
        f"见证方 {witness.name} 拒绝共签：{answer.status} {answer.body[:100]!r}",
        f"the witness {witness.name} refused to cosign: {answer.status} {answer.body[:100]!r}",
        remedy_zh="若为 404，请见证方登记本日志的公钥；若为 422，日志可能已分叉，停止追加并查明。",
        remedy_en="On 404, ask the witness to watch this log's key; on 422, the log may have forked: stop and find out why.",
    )


def _signatures(note: Note, witness: PolicyWitness, body: bytes) -> tuple[Signature, ...]:
    """Return the witness's own signatures of its answer; others are ignored. Raises LogError if none of them holds."""
    answered = parse_note(f"{note.text}\n".encode() + body)
    return verified_signatures(answered, [witness.key])
