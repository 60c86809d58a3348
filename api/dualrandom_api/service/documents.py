"""Published documents from memory, before FastAPI is asked: a cache of ready answers by path.

What is addressed by its SHA-256 never changes and stays until memory is short. What is addressed by its name may be replaced: it is
asked for again in the database after ``FRESH`` seconds, by one request, while the others are still served.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from starlette.types import Scope, Send

FRESH: Final = 1.0
"""Seconds for which a named document is served without asking the database."""

RawHeaders = list[tuple[bytes, bytes]]


@dataclass(slots=True)
class Ready:
    """A ready answer. ``until``: when it is to be asked for again (monotonic seconds), None: never."""

    body: bytes
    etag: bytes
    headers: RawHeaders
    unchanged: RawHeaders
    until: float | None


class DocumentCache:
    """Ready answers, the least recently used of which go first when there are more than ``limit`` bytes of them."""

    def __init__(self, limit: int, monotonic: Callable[[], float] = time.monotonic) -> None:
        self.limit = limit
        self.size = 0
        self._monotonic = monotonic
        self._ready: OrderedDict[str, Ready] = OrderedDict()
        self._lock = threading.Lock()

    def put(self, path: str, body: bytes, headers: Mapping[str, str], *, settled: bool) -> None:
        """Keep an answer under its path; ``headers`` hold an ETag."""
        raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        unchanged = [(name, value) for name, value in raw if name not in {b"content-type", b"content-length"}]
        ready = Ready(
            body=body,
            etag=headers["ETag"].encode("latin-1"),
            headers=[*unchanged, *((name, value) for name, value in raw if name == b"content-type")],
            unchanged=unchanged,
            until=None if settled else self._monotonic() + FRESH,
        )
        ready.headers.append((b"content-length", str(len(body)).encode()))
        with self._lock:
            self._drop(path)
            if len(body) > self.limit // 4:
                return
            self._ready[path] = ready
            self.size += len(body)
            while self.size > self.limit:
                self._drop(next(iter(self._ready)))

    def get(self, path: str) -> Ready | None:
        """Return the answer for a path. Of those who ask for one that is no longer fresh, one gets None and fetches it."""
        ready = self._ready.get(path)
        if ready is None:
            return None
        if ready.until is not None:
            now = self._monotonic()
            if now >= ready.until:
                ready.until = now + FRESH
                return None
        with self._lock:
            if path in self._ready:
                self._ready.move_to_end(path)
        return ready

    def forget(self, path: str) -> None:
        """Drop an answer: what it told of is not published any more."""
        with self._lock:
            self._drop(path)

    def _drop(self, path: str) -> None:
        known = self._ready.pop(path, None)
        if known is not None:
            self.size -= len(known.body)


async def send_ready(ready: Ready, scope: Scope, send: Send, request_id: bytes) -> int:
    """Send a ready answer, or 304 if the client has it; return the status."""
    condition = next((value for name, value in scope["headers"] if name == b"if-none-match"), None)
    status, headers, body = 200, ready.headers, ready.body
    if condition is not None and _named(condition, ready.etag):
        status, headers, body = 304, ready.unchanged, b""
    elif scope["method"] == "HEAD":
        body = b""
    start = {
        "type": "http.response.start",
        "status": status,
        "headers": [*headers, (b"x-request-id", request_id)],
    }
    await send(start)
    await send({"type": "http.response.body", "body": body})
    return status


def _named(condition: bytes, etag: bytes) -> bool:
    if condition == etag:
        return True
    # weak comparison, RFC 9110 §13.1.2
    named = [part.strip().removeprefix(b"W/") for part in condition.split(b",")]
    return b"*" in named or etag in named
