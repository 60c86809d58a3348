"""Answers that a cache can trust: strong ETags from SHA-256, 304 for what the client has (RFC 9110, 9111)."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

SETTLED: Final = "public, max-age=31536000, immutable"
CHANGING: Final = "no-cache"


def answer(request: Request, content: bytes, digest: str, media_type: str, settled: bool) -> Response:
    """Return the bytes as they are, or 304 if the client has them. ``digest`` is their SHA-256 in hex."""
    etag = f'"{digest}"'
    headers = {"ETag": etag, "Cache-Control": SETTLED if settled else CHANGING}
    if _client_has(request.headers.get("if-none-match"), etag):
        return Response(status_code=304, headers=headers)
    # Starlette would add a charset to text types; the media type is given whole.
    return Response(content, headers={**headers, "Content-Type": media_type})


def _client_has(condition: str | None, etag: str) -> bool:
    """Tell whether If-None-Match names the ETag, by weak comparison as RFC 9110 §13.1.2 wants."""
    if condition is None:
        return False
    named = [part.strip().removeprefix("W/") for part in condition.split(",")]
    return "*" in named or etag in named
