"""The OpenAPI of the service: what follows from each route's rules is added to what FastAPI knows.

Responses for every problem that a route can give, with an example of each; the ways to sign in; the headers Idempotency-Key, ETag
and Location.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from dualrandom_api.service.problems import MEDIA_TYPE, REGISTRY, URN

METHODS: Final = ("get", "put", "post", "patch", "delete")

PROBLEM_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "details", "remedy"],
    "properties": {
        "type": {"type": "string", "description": "urn:dualrandom:problem:<code>"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "details": {"$ref": "#/components/schemas/Bilingual"},
        "remedy": {"$ref": "#/components/schemas/Bilingual"},
        "value": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": "string"},
        "problems": {"type": "array", "items": {"type": "object"}},
    },
}
BILINGUAL: Final[dict[str, Any]] = {
    "type": "object",
    "required": ["en", "zh"],
    "properties": {"en": {"type": "string"}, "zh": {"type": "string"}},
}
IDEMPOTENCY_KEY: Final[dict[str, Any]] = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "重试时沿用，同一请求只执行一次 · sent again with a retry, the request counts once",
    "schema": {"type": "string", "pattern": r"^[\x21-\x7e]{8,128}$"},
    "example": "5f0c7a52-9d1b-4a57-8a67-1f2a3b4c5d6e",
}


def install(app: FastAPI) -> None:
    """Let the application describe itself with all that its routes' rules mean."""

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign]


def operations(schema: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield method, path and description of every route."""
    for path, methods in schema["paths"].items():
        for method in METHODS:
            if method in methods:
                yield method.upper(), path, methods[method]


def _described(app: FastAPI) -> dict[str, Any]:
    schema = get_openapi(
        title=app.title,
        version=app.version,
        summary=app.summary,
        description=app.description,
        routes=app.routes,
        license_info=app.license_info,
    )
    components = schema.setdefault("components", {})
    schemas = components.setdefault("schemas", {})
    schemas.setdefault("Bilingual", BILINGUAL)
    schemas["Problem"] = PROBLEM_SCHEMA
    for unused in ("HTTPValidationError", "ValidationError"):
        schemas.pop(unused, None)
    components["securitySchemes"] = {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "会话或 API 密钥 · a session's token or an API key",
        },
        "cookie": {"type": "apiKey", "in": "cookie", "name": "dualrandom-session"},
    }
    for method, _, operation in operations(schema):
        _complete(method, operation)
    return schema


def _complete(method: str, operation: dict[str, Any]) -> None:
    is_public = "public" in operation["x-roles"]
    operation["security"] = [] if is_public else [{"bearer": []}, {"cookie": []}]
    repeats = method == "POST" and operation["x-repeats"]
    if repeats:
        operation.setdefault("parameters", []).append(IDEMPOTENCY_KEY)
    codes = list(dict.fromkeys([*operation["x-problems"], *_codes(method, operation, is_public, repeats)]))
    operation["x-problems"] = codes
    responses = operation["responses"]
    responses.pop("422", None)
    by_status: dict[int, list[str]] = {}
    for code in codes:
        by_status.setdefault(REGISTRY[code].status, []).append(code)
    for status, those in sorted(by_status.items()):
        response = responses.setdefault(str(status), {})
        said = "；".join(f"{REGISTRY[code].zh} · {REGISTRY[code].en}" for code in those)
        response["description"] = said
        response.setdefault("content", {})[MEDIA_TYPE] = {
            "schema": {"$ref": "#/components/schemas/Problem"},
            "examples": {code: {"value": _example(code)} for code in those},
        }


def _codes(method: str, operation: dict[str, Any], is_public: bool, repeats: bool) -> Iterator[str]:
    parameters = operation.get("parameters", [])
    if not is_public:
        yield "not-signed-in"
        yield "role-forbidden"
        yield "scope-missing"
        if method != "GET":
            yield "csrf-refused"
    if any(one["in"] == "header" and one["name"] == "If-Match" for one in parameters):
        yield from ("if-match-required", "header-invalid", "changed-meanwhile")
    if repeats:
        yield from ("header-invalid", "repeat-in-progress", "repeat-differs", "changed-meanwhile")
    if "requestBody" in operation:
        yield "malformed-request"
    if method != "GET":
        yield "body-too-large"
    if "requestBody" in operation or "422" in operation["responses"]:
        yield "invalid-parameter"
    yield "too-many-requests"
    yield "unavailable"


def _example(code: str) -> dict[str, Any]:
    known = REGISTRY[code]
    return {
        "type": URN + code,
        "title": f"{known.zh} · {known.en}",
        "status": known.status,
        "detail": f"{known.zh} · {known.en}",
        "details": {"en": known.en, "zh": known.zh},
        "remedy": {"en": known.remedy_en, "zh": known.remedy_zh},
    }
