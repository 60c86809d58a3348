"""A witness: it cosigns a log's checkpoint only if the log has grown consistently since the one it cosigned last.

The program for a chamber of commerce, a university, another authority: C2SP tlog-witness (``add-checkpoint`` and the
retrieval of checkpoints) over HTTP, with nothing but the standard library under it. Its folder holds

    witness.key                  its private key, encrypted
    logs                         the logs that it watches: lines of c2sp.org/tlog-policy, and ``quorum none``
    state/<hash>/checkpoint      the latest checkpoint that it cosigned, one a log; hash = SHA-256 of the origin

The state is on disk before a cosignature leaves. A witness that forgets can be made to cosign a fork, so a damaged
state stops it; restore the folder from a backup and never delete a state.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import sys
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from dualrandom.log.checkpoint import Checkpoint, decimal, open_checkpoint, parse_checkpoint
from dualrandom.log.cosignature import Cosigner
from dualrandom.log.durable import PRIVATE_FILE, PRIVATE_FOLDER, make_folder, write_durably
from dualrandom.log.errors import LogError, refusal
from dualrandom.log.keystore import create_key, load_cosigner
from dualrandom.log.merkle import EMPTY_ROOT, verify_consistency
from dualrandom.log.note import Note, VerifierKey, encode, parse_note, verified_signatures
from dualrandom.log.policy import parse_policy
from dualrandom.log.proof import parse_hashes

KEY_FILE = "witness.key"
LOGS_FILE = "logs"
LARGEST_REQUEST = 256 * 1024
MOST_CONNECTIONS = 64
"""Requests served at once; more are turned away, so a flood cannot exhaust the machine."""
SECONDS_OF_SILENCE = 30
_PLAIN = "text/plain; charset=utf-8"
_SIZE = "text/x.tlog.size"


@dataclass(frozen=True, slots=True)
class Response:
    """An HTTP answer."""

    status: int
    body: bytes
    content_type: str = _PLAIN


@dataclass(frozen=True, slots=True)
class Request:
    """An ``add-checkpoint`` request: the size that the sender believes the witness to have, the proof, the signed note."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: bytes

    @property
    def data(self) -> bytes:
        """The request's body."""
        lines = [f"old {self.old}", *(encode(value) for value in self.proof), ""]
        return "".join(f"{line}\n" for line in lines).encode() + self.checkpoint


def parse_request(body: bytes) -> Request:
    """Read an ``add-checkpoint`` body. Raises LogError ``request-malformed`` or ``proof-malformed``."""
    head, blank, checkpoint = body.partition(b"\n\n")
    lines = head.decode("ascii", "replace").split("\n")
    old = decimal(lines[0].removeprefix("old ")) if lines[0].startswith("old ") else None
    if old is None or not blank:
        raise refusal("request-malformed", "", "请求格式有误", "the request is malformed")
    return Request(old, parse_hashes(lines[1:]), checkpoint)


def judge(
    request: Request, logs: Mapping[str, Sequence[VerifierKey]], latest: Callable[[str], Checkpoint | None]
) -> Note | Response:
    """Return the checkpoint's note with the log's verified signatures if it may be cosigned, or the refusal.

    ``logs`` maps origins to keys, ``latest`` gives the checkpoint cosigned last for an origin. Pure; the statuses are those
    of C2SP tlog-witness.
    """
    try:
        note = parse_note(request.checkpoint)
        checkpoint = parse_checkpoint(note.text)
    except LogError as problem:
        return _refused(400, problem)
    keys = logs.get(checkpoint.origin)
    if keys is None:
        return Response(404, b"this witness does not watch that log\n")
    try:
        signatures = verified_signatures(note, keys)
    except LogError as problem:
        return _refused(403, problem)
    if request.old > checkpoint.size:
        return Response(400, b"the old size is larger than the checkpoint\n")
    recorded = latest(checkpoint.origin) or Checkpoint(checkpoint.origin, 0, EMPTY_ROOT)
    if request.old != recorded.size:
        return Response(409, f"{recorded.size}\n".encode(), _SIZE)
    try:
        verify_consistency(recorded.size, recorded.root, checkpoint.size, checkpoint.root, request.proof)
    except LogError as problem:
        return _refused(422, problem)
    return Note(note.text, signatures)


class Witness:
    """A witness with its state on disk; one process at a time. ``clock`` returns seconds since 1970.

    Raises LogError ``witness-running``, ``witness-state-damaged``.
    """

    def __init__(
        self, folder: Path, cosigner: Cosigner, logs: Iterable[VerifierKey], clock: Callable[[], float]
    ) -> None:
        self._state = folder / "state"
        self._cosigner = cosigner
        self._clock = clock
        self._logs: dict[str, list[VerifierKey]] = {}
        for key in logs:
            self._logs.setdefault(key.name, []).append(key)
        make_folder(self._state, PRIVATE_FOLDER)
        self._turn = threading.Lock()
        self._lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, PRIVATE_FILE)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as problem:
            self.close()
            raise refusal(
                "witness-running",
                str(folder),
                "该文件夹的见证程序已在运行",
                "a witness of this folder is running already",
                remedy_zh="先停止另一个进程。",
                remedy_en="Stop the other process first.",
            ) from problem
        try:
            self._latest = {origin: self._load(origin) for origin in self._logs}
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Let another process use the folder."""
        os.close(self._lock)

    def add_checkpoint(self, body: bytes) -> Response:
        """Answer an ``add-checkpoint`` request."""
        try:
            request = parse_request(body)
        except LogError as problem:
            return _refused(400, problem)
        # one at a time: judging against the recorded checkpoint and recording the next must not interleave
        with self._turn:
            verdict = judge(request, self._logs, self._latest.get)
            if isinstance(verdict, Response):
                return verdict
            checkpoint = parse_checkpoint(verdict.text)
            cosignature = self._cosigner.cosign(verdict.text, int(self._clock()))
            cosigned = Note(verdict.text, (*verdict.signatures, cosignature))
            write_durably(self._path(checkpoint.origin), cosigned.data, PRIVATE_FILE)
            self._latest[checkpoint.origin] = checkpoint
        return Response(200, cosignature.line.encode())

    def checkpoint(self, origin_hash: str) -> Response:
        """Answer with the latest checkpoint cosigned for a log, given the hex SHA-256 of its origin."""
        for origin in self._logs:
            if _hash(origin) == origin_hash and self._path(origin).exists():
                return Response(200, self._path(origin).read_bytes())
        return Response(404, b"nothing cosigned for that log\n")

    def _path(self, origin: str) -> Path:
        return self._state / _hash(origin) / "checkpoint"

    def _load(self, origin: str) -> Checkpoint | None:
        path = self._path(origin)
        if not path.exists():
            return None
        try:
            data = path.read_bytes()
            checkpoint, note, _ = open_checkpoint(data, self._logs[origin])
            verified_signatures(note, [self._cosigner.key])
        except LogError as problem:
            raise refusal(
                "witness-state-damaged",
                str(path),
                "见证状态已损坏，或其密钥已更换",
                "the witness's state is damaged, or its keys were changed",
                remedy_zh="从备份恢复整个文件夹；切勿删除状态：遗忘的见证方会被骗去共签分叉。",
                remedy_en="Restore the whole folder from a backup; never delete a state: a witness that forgets cosigns forks.",
            ) from problem
        return checkpoint


def create_witness(folder: Path, name: str, password: str) -> str:
    """Make a witness's folder and key; return the verifier key that it should publish. Raises LogError ``key-exists``."""
    make_folder(folder, PRIVATE_FOLDER)
    create_key(folder / KEY_FILE, name, "witness", password)
    if not (folder / LOGS_FILE).exists():
        text = "# log <vkey>   一行一个所见证的日志 · one line for each log that is watched\nquorum none\n"
        write_durably(folder / LOGS_FILE, text.encode())
    return load_cosigner(folder / KEY_FILE, password).key.text


def open_witness(folder: Path, password: str, clock: Callable[[], float]) -> Witness:
    """Open a witness's folder. Raises LogError: key, ``policy-refused``, state; OSError."""
    cosigner = load_cosigner(folder / KEY_FILE, password)
    policy = parse_policy((folder / LOGS_FILE).read_bytes())
    return Witness(folder, cosigner, (log.key for log in policy.logs), clock)


def _silent(_: str) -> None:
    """Report to nobody."""


def serve_witness(
    witness: Witness, host: str, port: int, report: Callable[[str], None] = _silent
) -> ThreadingHTTPServer:
    """Return a server bound to an address (port 0: any free one); call its ``serve_forever``.

    It speaks plain HTTP: to the outside, put a web server with TLS before it. ``report`` gets a line a request.
    """
    return _Server((host, port), witness, report)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = MOST_CONNECTIONS

    def __init__(self, address: tuple[str, int], witness: Witness, report: Callable[[str], None]) -> None:
        self.witness = witness
        self.report = report
        self._places = threading.BoundedSemaphore(MOST_CONNECTIONS)
        super().__init__(address, _Handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        if self._places.acquire(blocking=False):
            super().process_request(request, client_address)
        else:
            self.shutdown_request(request)

    def process_request_thread(self, request: Any, client_address: Any) -> None:
        try:
            super().process_request_thread(request, client_address)
        finally:
            self._places.release()

    def handle_error(self, request: Any, client_address: Any) -> None:  # noqa: ARG002
        """Report what went wrong with one connection; the others go on."""
        self.report(f"{client_address[0]} {sys.exception()!r}")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "dualrandom-witness"
    sys_version = ""
    timeout = SECONDS_OF_SILENCE

    @property
    def _owner(self) -> _Server:
        return cast("_Server", self.server)

    def do_POST(self) -> None:
        """Serve add-checkpoint."""
        length = decimal(self.headers.get("Content-Length", ""))
        if length is None or length > LARGEST_REQUEST or self.headers.get("Transfer-Encoding"):
            self.close_connection = True
            self._answer(
                Response(411 if length is None else 413, b"a body with a Content-Length, not too long\n")
            )
            return
        body = self.rfile.read(length)
        if self.path == "/add-checkpoint":
            self._answer(self._owner.witness.add_checkpoint(body))
        else:
            self._answer(Response(404, b"no such resource\n"))

    def do_GET(self) -> None:
        """Serve the latest cosigned checkpoint of a log."""
        parts = self.path.split("/")
        if len(parts) == 3 and parts[0] == "" and parts[2] == "checkpoint":
            self._answer(self._owner.witness.checkpoint(parts[1]))
        else:
            self._answer(Response(404, b"no such resource\n"))

    def _answer(self, response: Response) -> None:
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(response.body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(response.body)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Report one request."""
        self._owner.report(f"{self.client_address[0]} {format % args}")


def run_witness(
    folder: Path,
    password: str,
    host: str,
    port: int,
    clock: Callable[[], float],
    ready: Callable[[str], None],
    report: Callable[[str], None] = _silent,
) -> None:
    """Serve a witness's folder until interrupted; ``ready`` gets its address once it listens. Raises LogError, OSError."""
    witness = open_witness(folder, password, clock)
    try:
        with serve_witness(witness, host, port, report) as server:
            name, number = server.server_address[:2]
            ready(f"http://{name if isinstance(name, str) else name.decode()}:{number}/")
            server.serve_forever()
    finally:
        witness.close()


def _hash(origin: str) -> str:
    return hashlib.sha256(origin.encode()).hexdigest()


def _refused(status: int, problem: LogError) -> Response:
    return Response(status, f"{problem.code}: {problem.message('en')}\n".encode())
