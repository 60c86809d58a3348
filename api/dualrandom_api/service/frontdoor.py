"""What holds for every request, outside of FastAPI: documents from memory, rate limits, request id, security headers, HEAD, CORS for
what is public, a log line, a crash's answer.

Nothing but ``/v1/public/…`` may be read by pages of other sites. Documents that are served from memory are counted in the metrics and
not logged one by one.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import re
import time
from itertools import count
from typing import Final

import structlog
from sqlalchemy.exc import OperationalError
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dualrandom.store import tries
from dualrandom_api.gate import NOTHING_LOADS
from dualrandom_api.service.documents import send_ready
from dualrandom_api.service.limits import Limit, address_of
from dualrandom_api.service.parts import Service
from dualrandom_api.service.problems import answer_of, refusal

PUBLIC: Final = "/v1/public/"
TRIES: Final = frozenset(
    {
        "/v1/sessions",
        "/v1/public/receipts",
        "/v1/public/scan-ins",
        "/v1/single-sign-on/return",
        "/v1/me/password",
    }
)
"""Where somebody may try passwords or codes."""
UNLIMITED: Final = frozenset({"/healthz", "/readyz", "/metrics"})
METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
"""Those that the metrics tell apart: what strangers make up must not fill the memory."""
REQUEST_ID: Final = re.compile(rb"[0-9A-Za-z._-]{8,64}")

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": NOTHING_LOADS,
}
PRIVATE_HEADERS: Final = {
    **HEADERS,
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
PUBLIC_HEADERS: Final = {
    **HEADERS,
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, X-Request-Id",
}

log = structlog.get_logger("dualrandom_api")


class FrontDoor:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp, service: Service) -> None:
        self.app = app
        self.service = service
        settings = service.settings
        self._public = Limit(settings.public_per_minute)
        self._tries = Limit(settings.sign_ins_per_minute)
        self._others = Limit(settings.requests_per_minute)
        self._proxies = settings.trusted_proxies
        self._prefix = os.urandom(6).hex()
        self._numbers = count(1)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, see to its answer and tell of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        path: str = scope["path"]
        method: str = scope["method"]
        request_id = self._request_id(scope)
        is_public = path.startswith(PUBLIC)
        wait = self._wait(scope, path, method, is_public=is_public)
        if not wait and _is_try(path, method):
            wait = await run_in_threadpool(self._tries_everywhere, address_of(scope, self._proxies))
        if is_public and not wait and method in {"GET", "HEAD"}:
            ready = self.service.documents.get(path)
            if ready is not None:
                await send_ready(ready, scope, send, request_id)
                self.service.metrics.from_memory.inc()
                return
        await self._passed_on(scope, receive, send, request_id.decode(), wait)

    async def _passed_on(
        self, scope: Scope, receive: Receive, send: Send, request_id: str, wait: int
    ) -> None:
        began = time.perf_counter()
        method: str = scope["method"]
        # a stream without its events would only keep a connection until the job ends
        head = method == "HEAD" and not scope["path"].endswith("/events")
        inner: Scope = {**scope, "method": "GET"} if head else dict(scope)
        inner["state"] = {**scope.get("state", {}), "request_id": request_id}
        extra = PUBLIC_HEADERS if scope["path"].startswith(PUBLIC) else PRIVATE_HEADERS
        status = 0

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in extra.items():
                    headers.setdefault(name, value)
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            if wait:
                error = refusal("too-many-requests", headers={"Retry-After": str(wait)})
                await answer_of(error, Request(inner))(inner, receive, guarded)
            else:
                await self.app(inner, receive, guarded)
        except Exception:
            # the caller learns that it failed, the operator's log why
            log.exception("request-failed", request_id=request_id, method=method, path=scope["path"])
            if status:
                raise
            await answer_of(refusal("internal-error"), Request(inner))(inner, receive, guarded)
        finally:
            seconds = time.perf_counter() - began
            route = inner.get("route")
            pattern = "" if route is None else route.path
            known = method if method in METHODS else "other"
            self.service.metrics.requests.labels(known, pattern, status).inc()
            self.service.metrics.seconds.observe(seconds)
            actor = inner["state"].get("actor")
            log.info(
                "request",
                request_id=request_id,
                method=method,
                path=scope["path"],
                status=status,
                milliseconds=round(seconds * 1000, 1),
                actor=None if actor is None else actor.name,
            )

    def _request_id(self, scope: Scope) -> bytes:
        for name, value in scope["headers"]:
            if name == b"x-request-id" and REQUEST_ID.fullmatch(value):
                return bytes(value)
        return b"%s-%x" % (self._prefix.encode(), next(self._numbers))

    def _wait(self, scope: Scope, path: str, method: str, *, is_public: bool) -> int:
        if path in UNLIMITED:
            return 0
        address = address_of(scope, self._proxies)
        if _is_try(path, method):
            return self._tries.wait(address)
        return (self._public if is_public else self._others).wait(address)

    def _tries_everywhere(self, address: str) -> int:
        """Count a try in the database: a limit against guessing has to hold over all servers."""
        name = hmac.new(self.service.secret, b"dualrandom/tries\0" + address.encode(), hashlib.sha256)
        limit = self.service.settings.sign_ins_per_minute
        try:
            with self.service.database.writing(apart=True) as session:
                return tries.wait(session, name.hexdigest(), self.service.clock(), limit)
        except OperationalError:
            # the route will say that the database is away; until then this server's own count holds
            log.warning("tries-not-counted")
            return 0


def _is_try(path: str, method: str) -> bool:
    return path in TRIES and (method != "GET" or path.endswith("/return"))
