"""What holds for every request, outside of FastAPI: request id, security headers, HEAD, CORS for what is public, log line, crash.

Nothing but ``/v1/public/…`` may be read by pages of other sites.
"""

from __future__ import annotations

import re
import time
import uuid
from typing import Final

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dualrandom_api.gate import NOTHING_LOADS
from dualrandom_api.service.problems import answer_of, refusal

PUBLIC: Final = "/v1/public/"
REQUEST_ID: Final = re.compile(r"[0-9A-Za-z._-]{8,64}")

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Content-Security-Policy": NOTHING_LOADS,
}
PRIVATE_HEADERS: Final = {"Cross-Origin-Resource-Policy": "same-origin", "Cache-Control": "no-store"}
PUBLIC_HEADERS: Final = {
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, X-Request-Id",
}

log = structlog.get_logger("dualrandom_api")


class FrontDoor:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, see to its answer and tell of it."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        began = time.perf_counter()
        path: str = scope["path"]
        request_id = _request_id(scope)
        head = scope["method"] == "HEAD"
        inner: Scope = {**scope, "method": "GET"} if head else dict(scope)
        inner["state"] = {**scope.get("state", {}), "request_id": request_id}
        extra = PUBLIC_HEADERS if path.startswith(PUBLIC) else PRIVATE_HEADERS
        status = 0

        async def guarded(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                headers["X-Request-Id"] = request_id
                for name, value in (*HEADERS.items(), *extra.items()):
                    headers.setdefault(name, value)
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self.app(inner, receive, guarded)
        except Exception:
            # the caller learns that it failed, the operator's log why
            log.exception("request-failed", request_id=request_id, method=scope["method"], path=path)
            if status:
                raise
            await answer_of(refusal("internal-error"), Request(inner))(inner, receive, guarded)
        finally:
            actor = inner["state"].get("actor")
            log.info(
                "request",
                request_id=request_id,
                method=scope["method"],
                path=path,
                status=status,
                milliseconds=round((time.perf_counter() - began) * 1000, 1),
                actor=None if actor is None else actor.name,
            )


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if REQUEST_ID.fullmatch(given) else uuid.uuid4().hex
