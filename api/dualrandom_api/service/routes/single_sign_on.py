"""Signing in through the provider of identities (OpenID Connect), for browsers: leave for it, and come back."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Any, Final

from fastapi import APIRouter, Query, Request
from starlette.responses import RedirectResponse, Response

from dualrandom.store import accounts
from dualrandom.store.tables import Role
from dualrandom_api.service.dependencies import ServiceDep
from dualrandom_api.service.oidc import LASTS, Provider
from dualrandom_api.service.parts import Service
from dualrandom_api.service.problems import ProblemType, refusal
from dualrandom_api.service.routes.accounts import give_cookie
from dualrandom_api.service.security import GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["accounts"])

PROBLEMS = (
    ProblemType(
        "single-sign-on-off", 404, "没有配置统一身份认证", "no provider of identities is configured",
        "用用户名和密码登录。", "Sign in with user name and password.",
    ),
    ProblemType(
        "single-sign-on-refused", 403, "统一身份认证未通过", "the sign-in at the provider did not go as it should",
        "重新登录；仍不行时联系管理员。", "Sign in again; if it stays, ask the operator.",
    ),
    ProblemType(
        "single-sign-on-unknown", 403, "您的身份没有对应的角色", "no role is configured for you",
        "请管理员配置角色对应关系。", "Ask the operator to configure your role.",
    ),
    ProblemType(
        "account-disabled", 403, "账号已停用", "the account is disabled", "请联系调度员。", "Ask a dispatcher.",
    ),
    ProblemType(
        "provider-unreachable", 503, "统一身份认证暂时无法访问", "the provider of identities cannot be reached",
        "按 Retry-After 稍后重试。", "Try again after Retry-After.",
    ),
)  # fmt: skip

COOKIE: Final = "dualrandom-leaving"
PATH: Final = "/v1/single-sign-on"
REDIRECT: Final[dict[int | str, dict[str, Any]]] = {
    303: {
        "description": "转到另一页 · on to another page",
        "headers": {"Location": {"schema": {"type": "string"}}},
    }
}


def _provider(service: Service) -> Provider:
    if service.provider is None:
        raise refusal("single-sign-on-off")
    return service.provider


@router.get(
    PATH,
    status_code=303,
    responses=REDIRECT,
    response_class=Response,
    **allow(Role.PUBLIC, problems=["single-sign-on-off", "provider-unreachable"]),
)
def leave(service: ServiceDep) -> Response:
    """转到统一身份认证 · On to the provider of identities."""
    url, kept = _provider(service).leave(service.clock())
    answer = RedirectResponse(url, 303, {"Cache-Control": "no-store"})
    # lax: the provider sends the browser back from its own site
    answer.set_cookie(
        COOKIE,
        kept,
        max_age=LASTS,
        httponly=True,
        secure=service.settings.is_https,
        samesite="lax",
        path=PATH,
    )
    return answer


@router.get(
    f"{PATH}/return",
    status_code=303,
    responses=REDIRECT,
    response_class=Response,
    **allow(
        Role.PUBLIC,
        problems=[
            "single-sign-on-off",
            "single-sign-on-refused",
            "single-sign-on-unknown",
            "account-disabled",
            "username-taken",
            "account-incomplete",
            "unknown-department",
            "provider-unreachable",
        ],
    ),
)
def come_back(
    service: ServiceDep,
    request: Request,
    state: Annotated[str, Query(max_length=200)] = "",
    code: Annotated[str, Query(max_length=4000)] = "",
    error: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """从统一身份认证返回 · Back from the provider; begins a session and goes on to the first page."""
    provider = _provider(service)
    if error or not code or not state:
        raise refusal("single-sign-on-refused", error)
    now = service.clock()
    identity = provider.come_back(request.cookies.get(COOKIE, ""), state, code, now)
    with service.database.writing() as session:
        user = accounts.from_provider(
            session,
            now,
            issuer=identity.issuer,
            subject=identity.subject,
            username=identity.username,
            name=identity.name,
            role=identity.role,
            department=identity.department,
            inspector=identity.inspector,
        )
        lasts = timedelta(hours=service.settings.session_hours)
        token, _ = accounts.sign_in(session, user, now, lasts, "provider")
    answer = RedirectResponse("/", 303, {"Cache-Control": "no-store"})
    answer.delete_cookie(COOKIE, path=PATH)
    give_cookie(service, answer, token)
    return answer
