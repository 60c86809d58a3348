"""The routes. Each GET is also a HEAD (see :mod:`dualrandom_api.gate`)."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from dualrandom.verify.report import Report, Status
from dualrandom_api.documents import BESIDE, BYTES, CSV, DOCUMENTS, FILES, INDEX, JSON, LISTS, Document
from dualrandom_api.gate import policy_of_page
from dualrandom_api.models import (
    CheckResult,
    DocumentSummary,
    DrawDetail,
    Draws,
    DrawSummary,
    Health,
    Text,
    VerificationReport,
)
from dualrandom_api.problems import MEDIA_TYPE, ProblemError
from dualrandom_api.record import IDENTIFIER, Draw, PublishedRecord
from dualrandom_api.responses import answer
from dualrandom_api.visits import visible_visits, visits_table

router = APIRouter()

PROBLEM: Final[dict[str, Any]] = {
    "content": {
        MEDIA_TYPE: {
            "schema": {
                "type": "object",
                "required": ["type", "title", "status", "detail", "instance", "details"],
                "properties": {
                    "type": {"type": "string"},
                    "title": {"type": "string"},
                    "status": {"type": "integer"},
                    "detail": {"type": "string"},
                    "instance": {"type": "string"},
                    "details": {
                        "type": "object",
                        "required": ["en", "zh"],
                        "properties": {"en": {"type": "string"}, "zh": {"type": "string"}},
                    },
                },
            },
            "example": {
                "type": "urn:dualrandom:problem:unknown-draw",
                "title": "没有这个资源 · no such resource",
                "status": 404,
                "detail": "没有抽取 ezhou-2023-000009 · there is no draw ezhou-2023-000009",
                "instance": "/v1/draws/ezhou-2023-000009",
                "details": {
                    "en": "there is no draw ezhou-2023-000009",
                    "zh": "没有抽取 ezhou-2023-000009",
                },
            },
        }
    }
}
NOT_FOUND: Final[dict[int | str, dict[str, Any]]] = {
    404: {"description": "没有这个抽取或文件 · no such draw or document", **PROBLEM},
    422: {"description": "参数不合规定 · invalid parameter", **PROBLEM},
}
UNCHANGED: Final[dict[int | str, dict[str, Any]]] = {304: {"description": "未变 · not modified"}}


def the_record(request: Request) -> PublishedRecord:
    """Return the record that the application serves."""
    record = request.app.state.record
    assert isinstance(record, PublishedRecord)
    return record


Record = Annotated[PublishedRecord, Depends(the_record)]


def the_draw(
    record: Record,
    draw: Annotated[
        str, Path(pattern=IDENTIFIER, description="抽取编号 · a draw's id", examples=["ezhou-2023-000001"])
    ],
) -> Draw:
    """Return the draw that the path names. Raises ProblemError 404."""
    found = record.draw(draw)
    if found is None:
        raise ProblemError(404, "unknown-draw", f"没有抽取 {draw}", f"there is no draw {draw}")
    return found


NamedDraw = Annotated[Draw, Depends(the_draw)]


def example(media_type: str, schema: dict[str, Any], value: Any) -> dict[int | str, dict[str, Any]]:
    """Return the description of a 200 answer that this service passes on as bytes, with its errors."""
    content = {media_type: {"schema": schema, "example": value}}
    return {
        200: {"content": content, "description": "与公布的文件相同 · the published file"},
        **UNCHANGED,
        **NOT_FOUND,
    }


def model_answer(request: Request, model: BaseModel, settled: bool = False) -> Response:
    """Return a model as JSON with an ETag of its own bytes."""
    content = json.dumps(model.model_dump(mode="json"), ensure_ascii=False).encode()
    return answer(request, content, hashlib.sha256(content).hexdigest(), JSON, settled)


@router.get(
    "/healthz", responses={503: {"description": "记录无法读取 · the record cannot be read", **PROBLEM}}
)
def healthz(record: Record) -> Health:
    """记录能否读取 · Whether the record can be read."""
    draws = record.draws()
    if not draws:
        raise ProblemError(
            503, "no-record", "目录中没有公布的抽取", "there is no published draw in the folder"
        )
    return Health(status="ok", draws=len(draws))


def state_of(record: PublishedRecord, draw: Draw) -> str:
    """Return ``void``, ``drawn`` or ``announced``."""
    if record.document(draw, DOCUMENTS["void"]) is not None:
        return "void"
    return "announced" if record.document(draw, DOCUMENTS["result"]) is None else "drawn"


def summary_of(record: PublishedRecord, draw: Draw) -> dict[str, Any]:
    """Return the members of a DrawSummary."""
    announcement = record.document(draw, DOCUMENTS["announcement"])
    assert announcement is not None
    return {
        "draw": draw.id,
        "state": state_of(record, draw),
        "announcement": announcement.digest,
        "url": f"/v1/draws/{draw.id}",
    }


@router.get("/v1/draws", response_model=Draws, responses=UNCHANGED)
def draws(request: Request, record: Record) -> Response:
    """全部抽取，含已作废的 · All draws, voided ones too."""
    return model_answer(
        request, Draws(draws=[DrawSummary(**summary_of(record, one)) for one in record.draws()])
    )


@router.get("/v1/draws/{draw}", response_model=DrawDetail, responses={**UNCHANGED, **NOT_FOUND})
def one_draw(request: Request, record: Record, draw: NamedDraw) -> Response:
    """一次抽取及其全部文件 · One draw and its documents."""
    return model_answer(
        request,
        DrawDetail(
            **summary_of(record, draw),
            documents=_documents(record, draw, DOCUMENTS, ""),
            lists=_documents(record, draw, LISTS, "lists/"),
        ),
    )


def _documents(
    record: PublishedRecord, draw: Draw, table: dict[str, Document], under: str
) -> list[DocumentSummary]:
    summaries = []
    for document in table.values():
        stored = record.document(draw, document)
        if stored is not None:
            summaries.append(
                DocumentSummary(
                    name=document.name,
                    file=document.file,
                    title=Text(en=document.en, zh=document.zh),
                    media_type=document.media_type,
                    size=len(stored.content),
                    sha256=stored.digest,
                    settled=document.settled,
                    url=f"/v1/draws/{draw.id}/{under}{document.name}",
                )
            )
    return summaries


def passed_on(request: Request, record: PublishedRecord, draw: Draw, document: Document) -> Response:
    """Return a published file as it is. Raises ProblemError 404 if it is not published (yet)."""
    stored = record.document(draw, document)
    if stored is None:
        raise ProblemError(
            404,
            "not-published",
            f"抽取 {draw.id} 没有公布{document.zh}（{document.file}）",
            f"{document.en} ({document.file}) of draw {draw.id} is not published",
        )
    return answer(request, stored.content, stored.digest, document.media_type, document.settled)


@router.get(
    "/v1/draws/{draw}/visits", responses=example(JSON, {"type": "object"}, {"draw": "…", "visits": []})
)
def visits(request: Request, record: Record, draw: NamedDraw) -> Response:
    """目前已公开的上门检查 · The visits that are public so far."""
    rows, settled = _visits(record, draw)
    content = json.dumps(
        {"draw": draw.id, "visits": rows}, ensure_ascii=False, separators=(",", ":")
    ).encode()
    return answer(request, content, hashlib.sha256(content).hexdigest(), JSON, settled)


@router.get(
    "/v1/draws/{draw}/visits.csv",
    responses=example("text/csv", {"type": "string"}, "检查对象 enterprise,名称 name,…\r\n"),
)
def visits_csv(request: Request, record: Record, draw: NamedDraw) -> Response:
    """同上，供表格软件打开 · The same for spreadsheet programs (UTF-8 with BOM, no cell is a formula)."""
    rows, _ = _visits(record, draw)
    content = visits_table(rows, record.json(draw, "labels"))
    # Names may still be corrected, so this is never settled.
    response = answer(request, content, hashlib.sha256(content).hexdigest(), CSV, settled=False)
    response.headers["Content-Disposition"] = f'attachment; filename="{draw.id}-visits.csv"'
    return response


def _visits(record: PublishedRecord, draw: Draw) -> tuple[list[dict[str, Any]], bool]:
    result = record.json(draw, "result")
    if result is None:
        raise ProblemError(
            404,
            "not-published",
            f"抽取 {draw.id} 尚无结果",
            f"draw {draw.id} has no result",
        )
    openings = record.document(draw, LISTS["openings"])
    rows = visible_visits(result, None if openings is None else openings.content)
    return rows, result["embargoed"] is None


@router.get(
    "/v1/draws/{draw}/verify", response_model=VerificationReport, responses={**UNCHANGED, **NOT_FOUND}
)
def verify(request: Request, record: Record, draw: NamedDraw) -> Response:
    """本服务器的复核结果，请自行复核 · This server's verification; better run the verifier yourself."""
    digest, report = record.report(draw)
    checks = [
        CheckResult(name=check.name, status=check.status, reason=Text(en=check.reason_en, zh=check.reason_zh))
        for check in report.checks
    ]
    return model_answer(
        request, VerificationReport(draw=draw.id, verdict=verdict_of(report), digest=digest, checks=checks)
    )


@router.get(
    "/v1/draws/{draw}/lists/{name}",
    responses=example("application/jsonl", {"type": "string"}, '{"id":"s0001","sealed":"9f86d0…"}\n'),
)
def published_list(
    request: Request,
    record: Record,
    draw: NamedDraw,
    name: Annotated[
        str,
        Path(pattern=IDENTIFIER, description=f"名单 · one of {', '.join(LISTS)}", examples=["frame"]),
    ],
) -> Response:
    """一份名单，每行一个 JSON 对象 · One list, a JSON object a line."""
    document = LISTS.get(name)
    if document is None:
        known = "、".join(LISTS)
        raise ProblemError(
            404,
            "unknown-list",
            f"没有名单 {name}，只有：{known}",
            f"there is no list {name}, only {', '.join(LISTS)}",
        )
    return passed_on(request, record, draw, document)


EXAMPLES: Final[dict[str, Any]] = {
    "announcement": {"type": "dualrandom/v1/announcement", "draw": "ezhou-2023-000001"},
    "beacon": {"type": "dualrandom/v1/beacon", "kind": "drand", "round": "1000"},
    "seed": "dualrandom/v1/seed\nannouncement 9f86d0…\nbeacon drand 52db9b… 1000\n",
    "result": {"type": "dualrandom/v1/result", "draw": "ezhou-2023-000001"},
    "ties": {"type": "dualrandom/v1/ties", "attempts": []},
    "statistics": {"type": "dualrandom/v1/statistics", "draw": "ezhou-2023-000001"},
    "labels": {"type": "dualrandom/v1/labels", "rehearsal": False},
    "findings": {"type": "dualrandom/v1/findings", "findings": []},
    "attest": {"type": "dualrandom/v1/attest", "draw": "ezhou-2023-000001"},
    "void": {"type": "dualrandom/v1/void", "reason": "…"},
}


def verdict_of(report: Report) -> Status:
    """Return the verdict over all checks: one failure fails, one gap leaves it open."""
    statuses = {check.status for check in report.checks}
    if "FAIL" in statuses:
        return "FAIL"
    return "NOT CHECKED" if "NOT CHECKED" in statuses else "PASS"


def _add_document_route(document: Document) -> None:
    def published(request: Request, record: Record, draw: NamedDraw) -> Response:
        return passed_on(request, record, draw, document)

    plain = document.media_type.partition(";")[0]
    kind = "object" if plain == JSON else "string"
    router.add_api_route(
        f"/v1/draws/{{draw}}/{document.name}",
        published,
        methods=["GET"],
        name=document.name,
        summary=f"{document.zh} · {document.en}",
        description=f"与公布的文件逐字节相同 · `{document.file}` of the published folder, byte for byte.",
        responses=example(plain, {"type": kind}, EXAMPLES[document.name]),
        response_class=Response,
    )


for _document in DOCUMENTS.values():
    _add_document_route(_document)


PAGE: Final[dict[int | str, dict[str, Any]]] = {
    200: {"content": {"text/html": {}}, "description": "公布的页面 · the page as published"},
    **UNCHANGED,
    **NOT_FOUND,
}
ANY_FILE: Final[dict[int | str, dict[str, Any]]] = {
    **PAGE,
    200: {
        "content": {
            **{document.media_type.partition(";")[0]: {} for document in FILES.values()},
            BYTES: {},
        },
        "description": "与公布的文件相同 · the published file",
    },
}
FileName = Annotated[
    str, Path(description="公布的文件名 · a published file's name", examples=["result.json"])
]


def as_in_the_folder(request: Request, record: PublishedRecord, draw: Draw, file: str) -> Response:
    """Return a file under its own name, as the page's relative links ask for it. Raises ProblemError 404.

    The current draw may become a voided one, so nothing under these addresses is settled.
    """
    document = FILES.get(file)
    stored = None if document is None else record.document(draw, document)
    if document is None or stored is None:
        path = request.url.path
        raise ProblemError(404, "not-found", f"没有 {path}", f"there is no {path}")
    response = answer(request, stored.content, stored.digest, document.media_type, settled=False)
    if document is INDEX:
        response.headers["Content-Security-Policy"] = policy_of_page(stored.content)
    return response


def current_draw(request: Request, record: Record) -> Draw:
    """Return the draw that is not voided. Raises ProblemError 404."""
    for draw in record.draws():
        if not draw.voided:
            return draw
    path = request.url.path
    raise ProblemError(
        404, "no-draw", f"没有 {path}：目录中没有公告", f"there is no {path}: nothing is announced"
    )


CurrentDraw = Annotated[Draw, Depends(current_draw)]


@router.get("/", responses=PAGE, response_class=Response)
def page(request: Request, record: Record, draw: CurrentDraw) -> Response:
    """给人看的页面 · The record's page for people (index.html)."""
    return as_in_the_folder(request, record, draw, INDEX.file)


@router.get("/voided/{draw}/{file}", responses=ANY_FILE, response_class=Response)
def voided_file(request: Request, record: Record, draw: NamedDraw, file: FileName) -> Response:
    """已作废抽取的文件，按原文件名 · A file of a voided draw under its own name."""
    if not draw.voided:
        raise ProblemError(404, "not-voided", f"抽取 {draw.id} 没有作废", f"draw {draw.id} is not void")
    return as_in_the_folder(request, record, draw, file)


@router.get("/verify.html", responses=PAGE, response_class=Response)
def verifier(request: Request) -> Response:
    """复核页面：在浏览器里复核本记录 · The verifier page: checks this record, or any, in the browser."""
    content = verifier_page()
    response = answer(request, content, hashlib.sha256(content).hexdigest(), INDEX.media_type, settled=False)
    # the page names its own policy, by hash, since it also works from a disk; only framing needs a header
    own = re.search(rb'http-equiv="Content-Security-Policy" content="([^"]+)"', content)
    assert own is not None
    response.headers["Content-Security-Policy"] = f"{own[1].decode()}; frame-ancestors 'none'"
    return response


@cache
def verifier_page() -> bytes:
    """Return the built page that the package brings along."""
    return (files("dualrandom_api") / "assets" / "verify.html").read_bytes()


@router.get("/announced.checkpoint", responses=ANY_FILE, response_class=Response)
@router.get("/reveals/{rest:path}", responses=ANY_FILE, response_class=Response)
@router.get("/log/{rest:path}", responses=ANY_FILE, response_class=Response)
def beside(request: Request, record: Record) -> Response:
    """透明日志的文件、已公开的随机数 · Files of the transparency log, revealed nonces, the announced checkpoint."""
    path = request.url.path.removeprefix("/")
    for pattern, media_type, settled in BESIDE:
        stored = record.beside(path) if pattern.fullmatch(path) else None
        if stored is not None:
            return answer(request, stored.content, stored.digest, media_type, settled)
    raise ProblemError(404, "not-found", f"没有 /{path}", f"there is no /{path}")


@router.get("/{file}", responses=ANY_FILE, response_class=Response)
def current_file(request: Request, record: Record, draw: CurrentDraw, file: FileName) -> Response:
    """当前抽取的文件，按原文件名 · A file of the current draw under its own name."""
    return as_in_the_folder(request, record, draw, file)
