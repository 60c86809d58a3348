"""Who may call a route, and who is calling: every route says it with :func:`allow`, and :class:`GuardedRoute` sees to it.

    router = APIRouter(route_class=GuardedRoute, tags=["plans"])

    @router.post("/v1/plans", status_code=201, **allow(Role.DISPATCHER, scope="plans:write", problems=["plan-exists"]))
    def create_plan(service: ServiceDep, actor: ActorDep, body: NewPlan) -> PlanAnswer: ...

``allow`` writes ``x-roles``, ``x-scope``, ``x-object`` and ``x-problems`` into the OpenAPI, from which responses, the resource table and
the authorisation matrix are made. The caller is known before the body is parsed. A POST may carry an Idempotency-Key (see
:mod:`dualrandom_api.service.idempotency`).

Credentials: ``Authorization: Bearer`` with a session's token or an API key, or a session's cookie. With a cookie, whatever changes
something needs ``X-CSRF-Token`` as well and must not come from another site; a bearer token is never sent by a browser on its own.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from anyio import CapacityLimiter
from anyio.lowlevel import RunVar
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message

from dualrandom.store import accounts
from dualrandom.store.activity import Actor
from dualrandom.store.tables import Role
from dualrandom_api.service.idempotency import answered_once
from dualrandom_api.service.parts import Service
from dualrandom_api.service.problems import refusal

COOKIE: Final = "dualrandom-session"
CSRF: Final = "X-CSRF-Token"
ANYBODY: Final = Actor("public", Role.PUBLIC.value)
SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})
SCOPES: Final[dict[str, str]] = {}
"""Every scope that a route names, and the first route that does."""

CHANGES_AT_ONCE: Final = 24
"""Of the threads that answer requests (40) so many at most may wait for each other's locks: one that holds a lock needs another
thread to let go of it, to keep its answer for its Idempotency-Key and to commit."""
_limiter: RunVar[CapacityLimiter] = RunVar("changes_at_once")

PEOPLE: Final = (Role.DISPATCHER, Role.DEPARTMENT, Role.CREW, Role.AUDITOR, Role.SUPPORT)
"""Everybody who has an account."""


def allow(
    *roles: Role,
    scope: str = "",
    object: str = "",  # noqa: A002  (as it is called in the schema)
    problems: Sequence[str] = (),
    repeats: bool = True,
    upload: bool = False,
) -> dict[str, Any]:
    """Return the arguments of a route's decorator that say who may call it.

    ``scope``: what an API key needs (none: no key may call it; keys act as Role.DEPARTMENT). ``object``: what the path names, if
    rows of it belong to a department or person: ``plan``, ``visit`` … ``problems``: the codes that it answers with besides those
    that follow from its form. ``repeats``: False for a POST that may not be kept for an Idempotency-Key (sign-in).
    ``upload``: its body may be as long as the settings' ``upload_bytes``.
    """
    assert roles, "a route is somebody's"
    if scope:
        SCOPES.setdefault(scope, object)
    extra = {
        "x-roles": [role.value for role in roles],
        "x-scope": scope,
        "x-object": object,
        "x-problems": list(problems),
        "x-repeats": repeats,
        "x-upload": upload,
    }
    return {"openapi_extra": extra}


class GuardedRoute(APIRoute):
    """A route that knows who calls it before it reads anything else."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the handler with the guard around it."""
        inner = super().get_route_handler()
        rules = self.openapi_extra or {}
        assert "x-roles" in rules, f"{self.path} does not say who may call it: use allow()"
        roles = frozenset(rules["x-roles"])
        scope: str = rules["x-scope"]
        keeps = "POST" in (self.methods or ()) and rules["x-repeats"]
        asks = _asks(self.dependant)

        async def guarded(request: Request) -> Response:
            service: Service = request.app.state.service
            if Role.PUBLIC in roles:
                actor = ANYBODY
            else:
                actor = await run_in_threadpool(who_calls, service, request, scope)
                if actor.role not in roles:
                    raise refusal("role-forbidden", actor.role)
            request.state.actor = actor
            if asks and b"%00" in request.scope["query_string"]:
                # no database keeps or compares it
                raise refusal("invalid-parameter", "query")
            if request.method in SAFE:
                return await inner(request)
            if not rules["x-upload"]:
                return await changed(service, actor, _bounded(request, service.settings.body_bytes))
            with service.uploading.one_more(actor.name):
                return await changed(service, actor, _bounded(request, service.settings.upload_bytes))

        async def changed(service: Service, actor: Actor, request: Request) -> Response:
            # whoever sends slowly must not take a turn
            try:
                await request.body()
            except ClientDisconnect:
                raise refusal("malformed-request") from None
            async with _turns():
                if keeps and "idempotency-key" in request.headers:
                    return await answered_once(service, actor, request, inner)
                return await inner(request)

        return guarded


def _turns() -> CapacityLimiter:
    """Return what lets CHANGES_AT_ONCE requests of this process through."""
    try:
        return _limiter.get()
    except LookupError:
        made = CapacityLimiter(CHANGES_AT_ONCE)
        _limiter.set(made)
        return made


def _asks(dependant: Dependant) -> bool:
    """Whether a route or what it depends on reads parameters of the query."""
    return bool(dependant.query_params) or any(map(_asks, dependant.dependencies))


def _bounded(request: Request, limit: int) -> Request:
    """Return the request with a body that ends in an error after ``limit`` bytes."""
    read = 0

    async def receive() -> Message:
        nonlocal read
        message = await request.receive()
        read += len(message.get("body", b""))
        if read > limit:
            raise HTTPException(413)
        return message

    announced = request.headers.get("content-length", "")
    if announced.isdecimal() and int(announced) > limit:
        raise HTTPException(413)
    return Request(request.scope, receive)


def who_calls(service: Service, request: Request, scope: str = "") -> Actor:
    """Return who sends a request. Raises RefusalError ``not-signed-in``, ``csrf-refused``, ``scope-missing``."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme:
        if scheme.lower() != "bearer" or not token:
            raise refusal("not-signed-in")
        token = token.strip()
    else:
        token = request.cookies.get(COOKIE, "")
        if token and request.method not in SAFE:
            _same_site(service, request, token)
    if not token:
        raise refusal("not-signed-in")
    with service.database.reading() as session:
        caller = accounts.caller_of(session, token, service.clock())
    if caller is None:
        raise refusal("not-signed-in")
    if caller.scopes is not None and scope not in caller.scopes:
        raise refusal("scope-missing", scope)
    return caller.actor


def csrf_token(service: Service, token: str) -> str:
    """Return what a page of this session sends along with every change."""
    return hmac.new(service.secret, b"dualrandom/csrf\0" + token.encode(), hashlib.sha256).hexdigest()


def _same_site(service: Service, request: Request, token: str) -> None:
    origin = request.headers.get("origin")
    # an origin that is "null" has no host, and is not ours
    ours = {urlsplit(service.settings.base_url).netloc, request.headers.get("host", "")} - {""}
    sent = request.headers.get(CSRF, "")
    right = hmac.compare_digest(sent.encode(), csrf_token(service, token).encode())
    if not right or (origin is not None and urlsplit(origin).netloc not in ours):
        raise refusal("csrf-refused")
