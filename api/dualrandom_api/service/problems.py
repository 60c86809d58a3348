"""What can go wrong over HTTP: a registry of problem types (RFC 9457), and how errors of the lower rooms become answers.

A module of routes names its own types in a tuple ``PROBLEMS``; those here belong to all. A type's code ends its URN
(``urn:dualrandom:problem:<code>``), and docs/service.md lists every one. Errors of the engine that no route names keep their own code
and are answered with the status of their class.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from dualrandom.errors import DualRandomError, InputError, IntegrityError, Problem
from dualrandom.store.database import StaleError
from dualrandom.store.errors import ConflictError, ForbiddenError, RefusedError, UnknownError

logger = logging.getLogger("dualrandom_api")

MEDIA_TYPE: Final = "application/problem+json"
URN: Final = "urn:dualrandom:problem:"
SHOWN_PROBLEMS: Final = 100
"""Of a refused file; the sheet of an import has all."""


@dataclass(frozen=True, slots=True)
class ProblemType:
    """One type: status, title and what to do next, in both languages."""

    code: str
    status: int
    zh: str
    en: str
    remedy_zh: str
    remedy_en: str


REGISTRY: Final[dict[str, ProblemType]] = {}


def register(types: Iterable[ProblemType]) -> None:
    """Add types. Two modules may name the same one; the first says it. Raises ValueError if its status differs."""
    for one in types:
        if REGISTRY.setdefault(one.code, one).status != one.status:
            raise ValueError(f"two meanings for the problem code {one.code}")


_COMMON = (
    ("malformed-request", 400, "请求无法解析", "the request cannot be parsed",
     "按接口说明检查请求的格式。", "Check the request's form against the API's description."),
    ("header-invalid", 400, "请求头不合规定", "a request header is not as it should be",
     "按接口说明更正该请求头。", "Correct the header as the API's description says."),
    ("not-signed-in", 401, "未登录，或凭证无效、过期", "not signed in, or the credential is wrong or expired",
     "重新登录（POST /v1/sessions），或更换 API 密钥。", "Sign in again (POST /v1/sessions), or use another API key."),
    ("role-forbidden", 403, "您的角色不能做此操作", "your role may not do this",
     "请有权限的人办理；各接口的角色见文档。", "Ask somebody who may; the documentation names the roles of each route."),
    ("scope-missing", 403, "API 密钥没有此权限范围", "the API key lacks the scope for this",
     "为密钥增加权限范围，或以个人身份登录。", "Make a key with this scope, or sign in as a person."),
    ("csrf-refused", 403, "页面请求缺少防伪标记，或来自其他网站", "a page's request lacks its CSRF token, or comes from another site",
     "在请求头 X-CSRF-Token 中带上登录时得到的标记。", "Send the token of the sign-in as X-CSRF-Token."),
    ("not-found", 404, "没有这个资源", "no such resource",
     "核对地址。", "Check the address."),
    ("unknown-plan", 404, "没有这个计划，或您未参与", "there is no such plan, or you do not take part in it",
     "核对计划编号；列表中只有您可以看到的计划。", "Check the plan's id; lists show what you may see."),
    ("method-not-allowed", 405, "不支持此方法", "method not allowed",
     "Allow 响应头列出了可用的方法。", "The Allow header lists the methods."),
    ("repeat-in-progress", 409, "同一 Idempotency-Key 的请求正在处理", "a request with this Idempotency-Key is being answered",
     "按 Retry-After 稍后重试。", "Try again after Retry-After."),
    ("changed-meanwhile", 412, "其间已被他人修改", "somebody else changed it in between",
     "重新读取后再修改。", "Read it again, then repeat the change."),
    ("body-too-large", 413, "请求内容过大", "the request's body is too large",
     "分批提交，或请管理员调高上限。", "Send less at once, or ask the operator for a higher limit."),
    ("invalid-parameter", 422, "参数不合规定", "invalid parameter",
     "按 details 更正。", "Correct what the details name."),
    ("repeat-differs", 422, "同一 Idempotency-Key 曾用于另一请求", "this Idempotency-Key was used for another request",
     "每个新请求使用新的 Idempotency-Key。", "Use a new key for each new request."),
    ("refused", 422, "内容不能接受", "what was sent cannot be accepted",
     "按 details 更正。", "Correct what the details name."),
    ("input-refused", 422, "文件或内容有错误", "the input has errors",
     "按 problems 所列逐条更正。", "Correct the places listed in problems."),
    ("if-match-required", 428, "修改时须带 If-Match", "a change needs If-Match",
     "先读取，再把 ETag 作为 If-Match 发送。", "Read it first and send its ETag as If-Match."),
    ("too-many-requests", 429, "请求过于频繁", "too many requests",
     "按 Retry-After 稍后重试。", "Try again after Retry-After."),
    ("internal-error", 500, "服务内部错误", "internal error",
     "稍后再试；仍不行时把 request_id 告诉管理员。", "Try again later; if it stays, tell the operator the request_id."),
    ("damaged", 500, "保存的数据已损坏", "stored data are damaged",
     "请管理员运行 dualrandom fsck，并从备份恢复。", "Ask the operator to run dualrandom fsck and to restore the backup."),
    ("unavailable", 503, "暂时不可用", "unavailable for the moment",
     "按 Retry-After 稍后重试。", "Try again after Retry-After."),
)  # fmt: skip
register(ProblemType(*one) for one in _COMMON)

_BY_CLASS: Final[tuple[tuple[type[DualRandomError], int], ...]] = (
    (StaleError, 412),
    (UnknownError, 404),
    (ForbiddenError, 403),
    (ConflictError, 409),
    (RefusedError, 422),
    (InputError, 422),
    (IntegrityError, 500),
)


def refusal(
    code: str, value: str = "", *, zh: str = "", en: str = "", headers: Mapping[str, str] | None = None
) -> RefusalError:
    """Return the error of a registered type; ``zh`` and ``en`` say more than its title. Raises KeyError."""
    known = REGISTRY[code]
    error = RefusalError(
        code,
        value,
        {"zh": zh or known.zh, "en": en or known.en},
        {"zh": known.remedy_zh, "en": known.remedy_en},
    )
    error.headers = dict(headers or {})
    return error


class RefusalError(DualRandomError):
    """A request that a registered problem answers, with headers such as Retry-After."""

    headers: Mapping[str, str] = {}


def status_of(error: DualRandomError) -> int:
    """Return the status of an error: its type's, else its class's, else 422."""
    known = REGISTRY.get(error.code)
    if known is not None:
        return known.status
    return next((status for kind, status in _BY_CLASS if isinstance(error, kind)), 422)


def document_of(error: DualRandomError, instance: str = "", request_id: str = "") -> dict[str, Any]:
    """Return the RFC 9457 document of an error; jobs keep it as their problem."""
    known = REGISTRY.get(error.code)
    status = status_of(error)
    title = (known.zh, known.en) if known else (error.messages["zh"], error.messages["en"])
    document: dict[str, Any] = {
        "type": URN + error.code,
        "title": f"{title[0]} · {title[1]}",
        "status": status,
        "detail": f"{error.messages['zh']} · {error.messages['en']}",
        "details": {"en": error.messages["en"], "zh": error.messages["zh"]},
        "remedy": {"en": error.remedies["en"], "zh": error.remedies["zh"]},
    }
    if error.value:
        document["value"] = error.value
    if instance:
        document["instance"] = instance
    if request_id:
        document["request_id"] = request_id
    if isinstance(error, InputError):
        document["problems"] = [_problem(one) for one in error.problems[:SHOWN_PROBLEMS]]
    return document


def answer_of(error: DualRandomError, request: Request) -> Response:
    """Return an error as an answer that nobody may cache."""
    request_id = request.scope.get("state", {}).get("request_id", "")
    document = document_of(error, request.url.path, request_id)
    if document["status"] >= 500:
        logger.error("%s", error)
    headers = {"Cache-Control": "no-store", "Content-Language": "zh, en"}
    headers.update(getattr(error, "headers", {}))
    if error.code == "not-signed-in":
        headers["WWW-Authenticate"] = 'Bearer realm="dualrandom"'
    content = json.dumps(document, ensure_ascii=False).encode()
    return Response(content, status_code=document["status"], media_type=MEDIA_TYPE, headers=headers)


def install(app: FastAPI) -> None:
    """Let an application answer every error with a problem document."""

    def told(request: Request, error: Exception) -> Response:
        assert isinstance(error, DualRandomError)
        route = request.scope.get("route")
        if app.state.told is not None and route is not None:
            app.state.told.append((request.method, route.path, error.code))
        return answer_of(error, request)

    def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        return told(request, _of_validation(error))

    def of_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return answer_of(_of_http(error, request), request)

    def of_database(request: Request, error: Exception) -> Response:
        logger.error("the database did not answer: %s", error)
        return answer_of(refusal("unavailable", headers={"Retry-After": "5"}), request)

    app.add_exception_handler(DualRandomError, told)
    app.add_exception_handler(RequestValidationError, invalid)
    app.add_exception_handler(HTTPException, of_http)
    app.add_exception_handler(OperationalError, of_database)
    # no connection became free
    app.add_exception_handler(PoolTimeoutError, of_database)


def _of_validation(error: RequestValidationError) -> RefusalError:
    faults = error.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        told = str(faults[0].get("ctx", {}).get("error", ""))
        return refusal("malformed-request", zh=f"JSON 有误：{told}", en=f"the JSON is wrong: {told}")
    names = ", ".join(dict.fromkeys(".".join(str(part) for part in fault["loc"]) for fault in faults))
    said = "; ".join(str(fault["msg"]) for fault in faults)
    why = "；".join(dict.fromkeys(fault["ctx"]["zh"] for fault in faults if "zh" in fault.get("ctx", {})))
    return refusal(
        "invalid-parameter",
        names,
        zh=f"{names} 不合规定" + (f"：{why}" if why else ""),
        en=f"{names}: {said}",
    )


def _of_http(error: HTTPException, request: Request) -> RefusalError:
    headers = dict(error.headers or {})
    code = {404: "not-found", 405: "method-not-allowed", 413: "body-too-large"}.get(error.status_code)
    return refusal(
        code or "malformed-request", request.url.path if code == "not-found" else "", headers=headers
    )


def _problem(one: Problem) -> dict[str, Any]:
    return {
        "code": one.code,
        "file": one.file,
        "sheet": one.sheet,
        "row": one.row,
        "column": one.column,
        "value": one.value,
        "severity": one.severity,
        "message": {"en": one.message_en, "zh": one.message_zh},
        "remedy": {"en": one.remedy_en, "zh": one.remedy_zh},
    }
