"""Errors over HTTP as RFC 9457 problem details, in Chinese and English."""

from __future__ import annotations

import json
from typing import Any, Final

from starlette.responses import Response

MEDIA_TYPE: Final = "application/problem+json"

TITLES: Final = {
    400: ("bad-request", "请求有误", "bad request"),
    404: ("not-found", "没有这个资源", "no such resource"),
    405: ("method-not-allowed", "不支持此方法", "method not allowed"),
    422: ("invalid-parameter", "参数不合规定", "invalid parameter"),
    500: ("internal-error", "服务内部错误", "internal error"),
    503: ("unavailable", "暂时不可用", "unavailable"),
}


class ProblemError(Exception):
    """A request that is answered with a problem document; ``code`` ends the problem's type URN."""

    def __init__(self, status: int, code: str, zh: str, en: str) -> None:
        super().__init__(code)
        self.status = status
        self.code = code
        self.zh = zh
        self.en = en


def problem_body(status: int, code: str, zh: str, en: str, instance: str) -> dict[str, Any]:
    """Return the members of one problem document."""
    _, title_zh, title_en = TITLES.get(status, ("error", "错误", "error"))
    return {
        "type": f"urn:dualrandom:problem:{code}",
        "title": f"{title_zh} · {title_en}",
        "status": status,
        "detail": f"{zh} · {en}",
        "instance": instance,
        "details": {"en": en, "zh": zh},
    }


def problem_response(
    status: int, code: str, zh: str, en: str, instance: str, headers: dict[str, str] | None = None
) -> Response:
    """Return one problem document as a response that nobody may cache."""
    body = json.dumps(problem_body(status, code, zh, en, instance), ensure_ascii=False).encode()
    return Response(
        body,
        status_code=status,
        media_type=MEDIA_TYPE,
        headers={"Cache-Control": "no-store", "Content-Language": "zh, en", **(headers or {})},
    )
