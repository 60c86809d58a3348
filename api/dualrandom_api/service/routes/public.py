"""What anybody may read without signing in: draws and their documents byte for byte, the log, the verifier page, sums.

Documents by their SHA-256 (``/v1/public/blobs/…``) never change and may be kept for a year; by their name they are asked for again each
time (ETag). Both are served from memory, see :mod:`dualrandom_api.service.documents`.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from importlib.resources import files
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Path, Request
from pydantic import BaseModel, Field
from starlette.responses import Response

from dualrandom.store import published
from dualrandom.store.tables import DrawRow, Role
from dualrandom_api.documents import FILES, HTML, JSON, JSON_LINES, TEXT
from dualrandom_api.gate import policy_of_page
from dualrandom_api.responses import CHANGING, SETTLED, answer
from dualrandom_api.service.dependencies import Listing, PageDep, ServiceDep, after_of, listing
from dualrandom_api.service.fields import YEARS
from dualrandom_api.service.frontdoor import PUBLIC_HEADERS
from dualrandom_api.service.parts import Service
from dualrandom_api.service.problems import ProblemType, refusal
from dualrandom_api.service.security import GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["public"])

PROBLEMS = (
    ProblemType(
        "unknown-document", 404, "没有公布这个文件", "no such document is published",
        "核对名称；抽取的页面列出已公布的文件。", "Check the name; the draw's route lists what is published.",
    ),
)  # fmt: skip

IDENTIFIER: Final = r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$"
OCTETS: Final = "application/octet-stream"

DrawId = Annotated[
    str, Path(pattern=IDENTIFIER, description="抽取编号 · a draw's id", examples=["ezhou-2026-000001"])
]
FilePath = Annotated[
    str,
    Path(
        pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,80}(/[0-9A-Za-z._+-]{1,80}){0,8}$",
        description="文件路径 · the file's path",
        examples=["result.json"],
    ),
]

BYTES: Final[dict[int | str, dict[str, Any]]] = {
    200: {
        "description": "与公布的文件逐字节相同 · the published file, byte for byte",
        "content": {
            kind: {"schema": {"type": "string", "format": "binary"}}
            for kind in (JSON, JSON_LINES, "text/plain", "text/html", OCTETS)
        },
        "headers": {
            "ETag": {"description": "SHA-256", "schema": {"type": "string"}},
            "Cache-Control": {"description": f"{SETTLED} | {CHANGING}", "schema": {"type": "string"}},
        },
    },
    304: {"description": "未变 · not modified"},
}


class DrawSummary(BaseModel):
    """One draw and where to find it."""

    draw: str = Field(examples=["ezhou-2026-000001"])
    state: Literal["announced", "drawn", "closed", "void"]
    announcement: str = Field(description="announcement.json 的摘要 · digest of announcement.json")
    announced_at: datetime
    due: datetime = Field(description="信标轮次的时间 · when the beacon's round comes")
    result: str | None = None
    url: str = Field(examples=["/v1/public/draws/ezhou-2026-000001"])


class DocumentSummary(BaseModel):
    """One published file, by its name and by its SHA-256."""

    path: str = Field(examples=["result.json"])
    size: int
    sha256: str
    settled: bool = Field(description="公布后不再改变 · never changes once it is published")
    url: str
    immutable: str = Field(examples=["/v1/public/blobs/9f86d0…"])


class DrawDetail(DrawSummary):
    """One draw with all its published files."""

    documents: list[DocumentSummary]


class DrawCounts(BaseModel):
    """How many draws are in which state."""

    announced: int
    drawn: int
    closed: int
    void: int


class Sums(BaseModel):
    """Sums over the draws that have a result."""

    frame: int
    visits: int
    checks: int
    crews: int
    saved: int
    undated: int


class Statistics(BaseModel):
    """Counts over all draws; each draw's own figures are in its statistics.json."""

    draws: DrawCounts
    sums: Sums


def summary_of(row: DrawRow) -> dict[str, Any]:
    """Return the members of a DrawSummary."""
    return {
        "draw": row.id,
        "state": row.state.value,
        "announcement": row.announcement,
        "announced_at": row.announced_at,
        "due": row.due,
        "result": row.result,
        "url": f"/v1/public/draws/{row.id}",
    }


@contextmanager
def forgetting(service: Service, request: Request) -> Iterator[None]:
    """Forget what memory has of an address that is not given any more, whatever the reason; the error goes on."""
    try:
        yield
    except Exception:
        service.documents.forget(request.url.path)
        raise


@router.get("/v1/public/draws", response_model=Listing[DrawSummary], **allow(Role.PUBLIC))
def draws(service: ServiceDep, page: PageDep) -> dict[str, Any]:
    """全部抽取，最新在前 · All draws, the newest first."""
    after = after_of(page, str, str)
    before = None
    if after is not None:
        try:
            before = (datetime.fromisoformat(after[0]), str(after[1]))
        except ValueError:
            raise refusal("invalid-parameter", "query.cursor") from None
        if before[0].tzinfo is None or before[0].year not in YEARS:
            raise refusal("invalid-parameter", "query.cursor")
    with service.database.reading() as session:
        rows = published.draws(session, before, page.fetch)
    return listing(rows, page, lambda row: [row.announced_at.isoformat(), row.id], summary_of)


@router.get("/v1/public/draws/{draw}", **allow(Role.PUBLIC, problems=["unknown-draw"]))
def one_draw(service: ServiceDep, draw: DrawId) -> DrawDetail:
    """一次抽取及其公布的文件 · One draw and its published files."""
    with service.database.reading() as session:
        row = published.the_draw(session, draw)
        found = published.files_of(session, draw)
    documents = [
        DocumentSummary(
            path=one.path,
            size=one.size,
            sha256=one.sha256,
            settled=is_settled(one.path),
            url=f"/v1/public/draws/{draw}/files/{one.path}",
            immutable=f"/v1/public/blobs/{one.sha256}",
        )
        for one in found
    ]
    return DrawDetail(**summary_of(row), documents=documents)


@router.get(
    "/v1/public/draws/{draw}/files/{path:path}",
    responses=BYTES,
    response_class=Response,
    **allow(Role.PUBLIC, problems=["unknown-draw", "unknown-document"]),
)
def draw_file(service: ServiceDep, request: Request, draw: DrawId, path: FilePath) -> Response:
    """一个公布的文件，按名称 · One published file by its name."""
    with forgetting(service, request), service.database.reading() as session:
        sha256, content = published.file_of(session, service.vault, draw, path)
    return given(service, request, content, sha256, path, settled=False)


@router.get(
    "/v1/public/blobs/{sha256}",
    responses=BYTES,
    response_class=Response,
    **allow(Role.PUBLIC, problems=["unknown-document"]),
)
def blob(
    service: ServiceDep,
    request: Request,
    sha256: Annotated[
        str,
        Path(pattern=r"^[0-9a-f]{64}$", description="SHA-256", examples=["9f86d081884c7d65" * 4]),
    ],
) -> Response:
    """一个公布的文件，按散列，可缓存一年 · One published file by its SHA-256; may be kept for a year."""
    with forgetting(service, request), service.database.reading() as session:
        path, content = published.blob(session, service.vault, sha256)
    return given(service, request, content, sha256, path, settled=is_settled(path))


@router.get(
    "/v1/public/log/{path:path}",
    responses=BYTES,
    response_class=Response,
    **allow(Role.PUBLIC, problems=["unknown-document"]),
)
def log_file(service: ServiceDep, request: Request, path: FilePath) -> Response:
    """透明日志的文件（C2SP tlog-tiles） · A file of the transparency log: checkpoint, tiles, documents."""
    with forgetting(service, request), service.database.reading() as session:
        sha256, content = published.log_file(session, service.vault, path)
    return given(service, request, content, sha256, path, settled=path.startswith(("tile/", "documents/")))


@router.get(
    "/v1/public/verify.html",
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}, 304: BYTES[304]},
    response_class=Response,
    **allow(Role.PUBLIC),
)
def verifier(service: ServiceDep, request: Request) -> Response:
    """复核页面：单个文件，可离线使用 · The verifier page: one file that also works offline."""
    content = files("dualrandom_api").joinpath("assets/verify.html").read_bytes()
    return given(service, request, content, hashlib.sha256(content).hexdigest(), "verify.html", settled=False)


@router.get("/v1/public/statistics", **allow(Role.PUBLIC))
def statistics(service: ServiceDep) -> Statistics:
    """全部抽取的合计 · Sums over all draws."""
    with service.database.reading() as session:
        return Statistics.model_validate(published.statistics(session))


@router.get(
    "/",
    responses={200: {"content": {"text/html": {"schema": {"type": "string"}}}}},
    response_class=Response,
    **allow(Role.PUBLIC),
)
def index(service: ServiceDep) -> Response:
    """给人看的首页 · The page for people: the draws and where to verify them."""
    with service.database.reading() as session:
        rows = published.draws(session, None, 100)
    items = "".join(
        f'<li><a href="/v1/public/draws/{html.escape(row.id)}/files/index.html">{html.escape(row.id)}</a> '
        f"{STATES[row.state.value]}</li>"
        for row in rows
    )
    content = PAGE.format(items=items or "<li>尚无抽取 · none yet</li>").encode()
    return Response(content, headers={"Content-Type": HTML, "Cache-Control": CHANGING})


STATES: Final = {
    "announced": "已公告 · announced",
    "drawn": "已抽取 · drawn",
    "closed": "已结束 · closed",
    "void": "已作废 · void",
}
PAGE: Final = """<!doctype html><html lang="zh"><head><meta charset="utf-8"><title>双随机抽查 · dualrandom</title></head>
<body><h1>双随机抽查 · Double-random inspection draws</h1><h2>抽取 · Draws</h2><ul>{items}</ul>
<p><a href="/v1/public/verify.html">自行复核 · verify them yourself</a></p>
<p><a href="/v1/openapi.json">接口说明 · description of the API</a></p></body></html>
"""


def is_settled(path: str) -> bool:
    """Tell whether a public file never changes: the settled documents of a draw, and tiles."""
    document = FILES.get(path)
    if document is not None:
        return document.settled
    return path.startswith(("tile/", "documents/"))


def media_type_of(path: str) -> str:
    """Return the media type of a public file."""
    document = FILES.get(path)
    if document is not None:
        return document.media_type
    for ending, kind in ((".html", HTML), (".jsonl", JSON_LINES), (".json", JSON)):
        if path.endswith(ending):
            return kind
    return OCTETS if "tile/" in path else TEXT


def given(
    service: Service, request: Request, content: bytes, sha256: str, path: str, *, settled: bool
) -> Response:
    """Return a public file, and keep it in memory for those who come next."""
    kind = media_type_of(path)
    headers = {
        **PUBLIC_HEADERS,
        "ETag": f'"{sha256}"',
        "Cache-Control": SETTLED if settled else CHANGING,
        "Content-Type": kind,
    }
    if kind == HTML:
        headers["Content-Security-Policy"] = policy_of_page(content)
    service.documents.put(request.url.path, content, headers, settled=settled)
    response = answer(request, content, sha256, kind, settled)
    if kind == HTML:
        response.headers["Content-Security-Policy"] = headers["Content-Security-Policy"]
    return response
