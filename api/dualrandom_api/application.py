"""The public service of one published record: the documents byte for byte, and what follows from them.

    app = create_app(Path("campaign/public"))

It reads; it never writes. There are no sessions, no cookies, and nothing is loaded from elsewhere.
"""

from __future__ import annotations

from pathlib import Path

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

import dualrandom
from dualrandom_api.gate import Gate
from dualrandom_api.problems import ProblemError, problem_response
from dualrandom_api.record import PublishedRecord
from dualrandom_api.routes import router

DESCRIPTION = """\
双随机抽查的公示记录，只读；每个文件与公布目录中的文件逐字节相同。
要放心，请下载后用 `dualrandom verify` 自行复核。

A published record of double-random inspection draws, read-only. Every document is byte for byte the file of
the published folder. To rely on it, download it and run `dualrandom verify` yourself. Every GET can be asked
as HEAD; errors are RFC 9457 problem documents.
"""


def create_app(record: Path) -> FastAPI:
    """Return the application that serves the record in ``record``, a folder of published documents."""
    app = FastAPI(
        title="dualrandom",
        version=dualrandom.__version__,
        summary="双随机抽查公示记录 · published record of double-random inspection draws",
        description=DESCRIPTION,
        license_info={"name": "Apache-2.0", "identifier": "Apache-2.0"},
        # The ready-made documentation pages load scripts from elsewhere.
        docs_url=None,
        redoc_url=None,
        # a redirect would go wherever the Host header says
        redirect_slashes=False,
    )
    app.state.record = PublishedRecord(record)
    app.include_router(router)
    app.add_exception_handler(ProblemError, _problem)
    app.add_exception_handler(HTTPException, _http_error)
    app.add_exception_handler(RequestValidationError, _invalid)
    app.add_middleware(Gate)
    return app


def _problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return problem_response(error.status, error.code, error.zh, error.en, request.url.path)


def _http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    path = request.url.path
    if error.status_code == 404:
        return problem_response(404, "not-found", f"没有 {path}", f"there is no {path}", path)
    if error.status_code == 405:
        method = request.method
        zh, en = (
            f"此处不支持 {method}，只支持 GET 和 HEAD",
            f"{method} is not allowed here, only GET and HEAD",
        )
        return problem_response(405, "method-not-allowed", zh, en, path, {"Allow": "GET, HEAD"})
    return problem_response(error.status_code, "bad-request", "请求无法处理", str(error.detail), path)


def _invalid(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    names = ", ".join(".".join(str(part) for part in one["loc"]) for one in error.errors())
    told = "; ".join(str(one["msg"]) for one in error.errors())
    return problem_response(
        422, "invalid-parameter", f"参数 {names} 不合规定", f"parameter {names}: {told}", request.url.path
    )
