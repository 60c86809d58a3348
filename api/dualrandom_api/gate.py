"""What holds for every answer: security headers, HEAD without a body, and a problem document for a crash."""

from __future__ import annotations

import base64
import hashlib
import logging
import re
from typing import Final

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from dualrandom_api.problems import problem_response

logger = logging.getLogger("dualrandom_api")

NOTHING_LOADS: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

HEADERS: Final = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    # The record is public: a verifier in anyone's page may read it.
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag",
}


class Gate:
    """ASGI middleware around the whole application."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, and see to its answer."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        head = scope["method"] == "HEAD"
        inner: Scope = {**scope, "method": "GET"} if head else scope
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
                headers.setdefault("Content-Security-Policy", NOTHING_LOADS)
            elif head and message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        try:
            await self.app(inner, receive, guarded)
        except Exception:
            # The visitor learns that it failed, the operator's log why.
            logger.exception("%s %s failed", scope["method"], scope["path"])
            if started:
                raise
            crash = problem_response(
                500,
                "internal-error",
                "服务出错，已记入日志；请稍后再试",
                "the service failed and has logged why; try again later",
                scope["path"],
            )
            await crash(inner, receive, guarded)


def policy_of_page(html: bytes) -> str:
    """Return a Content-Security-Policy that allows just a page's own inline scripts and styles, by hash."""
    allowed = []
    for directive, tag in (("script-src", b"script"), ("style-src", b"style")):
        bodies = re.findall(rb"<" + tag + rb"\b[^>]*>(.*?)</" + tag + rb">", html, re.DOTALL | re.IGNORECASE)
        hashes = [f"'sha256-{base64.b64encode(hashlib.sha256(body).digest()).decode()}'" for body in bodies]
        if hashes:
            allowed.append(f"{directive} {' '.join(dict.fromkeys(hashes))}")
    return "; ".join([NOTHING_LOADS, "img-src data:", *allowed])
