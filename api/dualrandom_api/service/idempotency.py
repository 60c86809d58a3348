"""Idempotency-Key: a POST that is repeated with its key gets the answer that it got, and nothing is done twice.

The answer is kept in the same transaction as the effect (see :class:`dualrandom_api.service.parts.ServiceDatabase`), sealed, since it may
hold a new API key. A refusal (4xx, 5xx) changed nothing and is not kept: the same request may be sent again with its key.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Final

from sqlmodel import Session
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from dualrandom.store import repeats
from dualrandom.store.activity import Actor
from dualrandom.store.database import StaleError
from dualrandom.store.repeats import DifferentError, InProgressError, Kept
from dualrandom_api.service.parts import Service
from dualrandom_api.service.problems import RefusalError, refusal

KEY_FORM: Final = re.compile(r"[\x21-\x7e]{8,128}")
KEPT_HEADERS: Final = ("content-type", "location", "etag", "content-language", "retry-after")

Handler = Callable[[Request], Awaitable[Response]]


async def answered_once(service: Service, actor: Actor, request: Request, handler: Handler) -> Response:
    """Answer a request under its key. Raises RefusalError ``header-invalid``, ``repeat-in-progress``, ``repeat-differs``."""
    key = request.headers["idempotency-key"]
    if KEY_FORM.fullmatch(key) is None:
        raise refusal("header-invalid", "Idempotency-Key")
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\0".encode())
    digest.update(request.headers.get("if-match", "").encode() + b"\0")
    digest.update(await request.body())
    wait = timedelta(seconds=service.settings.repeat_wait_seconds)
    try:
        begun = await run_in_threadpool(
            repeats.begin, service.database, actor.name, key, digest.hexdigest(), service.clock(), wait
        )
    except InProgressError:
        raise _in_progress(service, key) from None
    except DifferentError:
        raise refusal("repeat-differs", key) from None
    if isinstance(begun, Kept):
        body = service.answers.open(begun.body)
        if body is None:
            # the service's key was changed in between
            raise refusal("repeat-differs", key)
        headers = {**begun.headers, "Idempotent-Replayed": "true", "Cache-Control": "no-store"}
        return Response(body, status_code=begun.status, headers=headers)
    writing = service.database.writing()
    try:
        session: Session = await run_in_threadpool(writing.__enter__)
        try:
            with service.database.around(session):
                response = await handler(request)
            if response.status_code < 400:
                headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
                sealed = service.answers.seal(bytes(response.body))
                try:
                    await run_in_threadpool(
                        repeats.keep, session, begun, response.status_code, headers, sealed
                    )
                except StaleError:
                    # it took so long that a repetition has taken over; that one will have the answer
                    raise _in_progress(service, key) from None
        except BaseException as error:
            await run_in_threadpool(writing.__exit__, type(error), error, error.__traceback__)
            raise
        await run_in_threadpool(writing.__exit__, None, None, None)
    except BaseException:
        await run_in_threadpool(repeats.forget, service.database, begun)
        raise
    if response.status_code >= 400:
        await run_in_threadpool(repeats.forget, service.database, begun)
    return response


def _in_progress(service: Service, key: str) -> RefusalError:
    after = str(max(1, round(service.settings.repeat_wait_seconds / 10)))
    return refusal("repeat-in-progress", key, headers={"Retry-After": after})
