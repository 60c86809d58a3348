"""Importing a library: upload a file, look at the difference, accept or discard it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi import Body as RawBody
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.registry.columns import Kind
from dualrandom.store import imports
from dualrandom.store.accepting import ask_to_accept
from dualrandom.store.imports import IMPORT
from dualrandom.store.libraries import SEALED, library_kind, read_sealed
from dualrandom.store.tables import Import, Job, Role
from dualrandom_api.service.dependencies import (
    ActorDep,
    Bilingual,
    IfMatch,
    JobAnswer,
    Listing,
    PageDep,
    ServiceDep,
    accepted,
    after_of,
    listing,
    tagged,
)
from dualrandom_api.service.problems import ProblemType, refusal
from dualrandom_api.service.routes.libraries import (
    ChangeAnswer,
    change_answer,
)
from dualrandom_api.service.security import GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["imports"])

PROBLEMS = (
    ProblemType(
        "unknown-import", 404, "没有这次导入，或不属于您", "there is no such import, or it is not yours",
        "核对编号。", "Check the number.",
    ),
    ProblemType(
        "import-file", 422, "文件类型或读取选项不可用", "this type of file, or an option for reading it, is not known",
        "文件为 .csv、.xlsx 或 .parquet；选项为 sheet、encoding、columns、values。",
        "A file is .csv, .xlsx or .parquet; options are sheet, encoding, columns and values.",
    ),
    ProblemType(
        "import-options", 422, "读取选项的形式不对", "the options for reading have the wrong form",
        "按接口说明填写 columns 和 values。", "Write columns and values as the description says.",
    ),
    ProblemType(
        "import-not-ready", 409, "没有可接受的差异", "there is no difference to accept",
        "读取中请等待；被拒绝的文件更正后重新上传。", "Wait while it is read; correct a refused file and upload it again.",
    ),
    ProblemType(
        "imports-waiting", 409, "等待接受的导入太多", "too many imports are waiting to be accepted",
        "先接受或放弃它们。", "Accept or discard them first.",
    ),
    ProblemType(
        "import-base-changed", 409, "比对之后名录已有新版本", "the library has changed since it was compared",
        "放弃这次导入，重新上传同一文件。", "Discard this import and upload the file again.",
    ),
    ProblemType(
        "import-ended", 409, "该导入已接受或已放弃", "this import has been accepted or discarded",
        "不必处理。", "Nothing has to be done.",
    ),
    ProblemType(
        "without-problems", 404, "该文件没有问题", "the file has no problems",
        "不必更正。", "Nothing has to be corrected.",
    ),
)  # fmt: skip

READERS = (Role.DISPATCHER, Role.DEPARTMENT, Role.AUDITOR, Role.SUPPORT)
WRITERS = (Role.DISPATCHER, Role.DEPARTMENT)
SHEET = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
EXAMPLE = """统一社会信用代码,名称,行政区划,信用风险分类
91420704MA0000017E,鄂州市示范食品有限公司,420704,B
"""

ImportId = Annotated[
    int, Path(ge=1, le=2**31 - 1, description="导入编号 · the import's number", examples=[1])
]
State = Literal["uploaded", "reading", "refused", "ready", "accepted", "discarded"]


class FaultAnswer(BaseModel):
    """One fault of a file, with its place."""

    code: str = Field(examples=["uscc-check-digit"])
    severity: Literal["error", "warning"]
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    value: str
    suggestion: str | None = None
    message: Bilingual
    remedy: Bilingual


class ImportAnswer(BaseModel):
    """An uploaded file. ``ready``: its difference waits to be accepted; ``refused``: see problems, and the sheet of all of them."""

    id: int
    kind: str = Field(examples=["enterprises"])
    filename: str
    department: str | None = Field(default=None, description="只替换该部门的行 · only its rows are replaced")
    state: State
    base_revision: int | None = Field(
        default=None, description="比对所依据的版次 · what it was compared with"
    )
    revision: int | None = Field(default=None, description="接受后的版次 · what it became")
    rows: int
    new: int
    changed: int
    gone: int
    unchanged: int
    problem_count: int
    problems: list[FaultAnswer] = Field(description="至多前 200 条 · the first 200")
    problem_sheet: str | None = Field(
        default=None, description="全部问题的工作簿 · a workbook of all of them"
    )
    created_by: str
    created_at: datetime
    version: int
    job: str | None = None
    url: str


def _answer(row: Import, job: Job | None = None) -> ImportAnswer:
    url = f"/v1/imports/{row.id}"
    return ImportAnswer.model_validate(
        {
            "id": row.id,
            "kind": row.kind,
            "filename": row.filename,
            "department": row.department_id,
            "state": row.state,
            "base_revision": row.base_revision,
            "revision": row.revision,
            "rows": row.rows,
            "new": row.new,
            "changed": row.changed,
            "gone": row.gone,
            "unchanged": row.unchanged,
            "problem_count": row.problem_count,
            "problems": [_fault(found) for found in row.problems],
            "problem_sheet": f"{url}/problems" if row.problem_sheet else None,
            "created_by": row.created_by,
            "created_at": row.created_at,
            "version": row.version,
            "job": None if job is None else f"/v1/jobs/{job.id}",
            "url": url,
        }
    )


def _fault(found: dict[str, Any]) -> dict[str, Any]:
    return {
        **{
            name: found[name]
            for name in ("code", "severity", "sheet", "row", "column", "value", "suggestion")
        },
        "message": {"zh": found["message_zh"], "en": found["message_en"]},
        "remedy": {"zh": found["remedy_zh"], "en": found["remedy_en"]},
    }


def _job(session: Session, row: Import) -> Job | None:
    return session.scalars(select(Job).where(col(Job.unique_key) == f"{IMPORT}:{row.id}")).one_or_none()


@router.post(
    "/v1/imports",
    status_code=202,
    response_model=ImportAnswer,
    **allow(
        *WRITERS,
        scope="libraries:write",
        problems=["library-not-yours", "import-file", "import-options", "imports-waiting"],
        upload=True,
    ),
)
def upload(
    service: ServiceDep,
    actor: ActorDep,
    content: Annotated[
        bytes,
        RawBody(
            media_type="application/octet-stream",
            description="文件的字节 · the file's bytes: csv, xlsx, parquet",
            examples=[EXAMPLE],
        ),
    ],
    kind: Annotated[Kind, Query(description="名录 · the library", examples=["enterprises"])],
    filename: Annotated[
        str, Query(min_length=1, max_length=200, pattern=r"^[^\x00]+$", examples=["enterprises.csv"])
    ],
    options: Annotated[
        str | None,
        Query(
            max_length=20_000,
            description="JSON：sheet、encoding、columns、values，同计划的 [libraries.…] · as in a plan's [libraries.…]",
            examples=['{"columns": {"id": "licence"}}'],
        ),
    ] = None,
) -> JSONResponse:
    """上传名录文件；在后台读取，不立即生效 · Upload a library; it is read in the background and changes nothing yet."""
    read = _options(options)
    with service.database.writing() as session:
        row, job = imports.create_import(
            session,
            service.vault,
            kind,
            filename,
            content,
            actor=actor,
            now=service.clock(),
            options=read,
        )
        answer = _answer(row, job)
    headers = {"Location": f"/v1/jobs/{job.id}", "Retry-After": "1"}
    return JSONResponse(answer.model_dump(mode="json"), 202, headers)


def _options(text: str | None) -> dict[str, Any]:
    try:
        read = json.loads(text or "{}")
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        raise refusal("import-options")
    imports.require_options(read)
    return read


@router.get("/v1/imports", response_model=Listing[ImportAnswer], **allow(*READERS, scope="libraries:read"))
def all_imports(
    service: ServiceDep,
    actor: ActorDep,
    page: PageDep,
    kind: Annotated[Kind | None, Query(description="名录 · the library")] = None,
) -> dict[str, Any]:
    """导入列表，最新在前 · Imports, the newest first."""
    after = after_of(page, int)
    with service.database.reading() as session:
        found = imports.imports(
            session, actor, kind=kind, before=after[0] if after else None, limit=page.fetch
        )
    return listing(found, page, lambda row: [row.id], _answer)


@router.get(
    "/v1/imports/{number}",
    **allow(*READERS, scope="libraries:read", object="import", problems=["unknown-import"]),
)
def one_import(service: ServiceDep, actor: ActorDep, number: ImportId, response: Response) -> ImportAnswer:
    """一次导入的进展、问题或差异计数 · How an import goes: its problems, or the counts of its difference."""
    with service.database.reading() as session:
        row = imports.import_of(session, number, actor)
        job = _job(session, row)
    tagged(response, row.version)
    return _answer(row, job)


@router.get(
    "/v1/imports/{number}/changes",
    response_model=Listing[ChangeAnswer],
    **allow(
        *READERS,
        scope="libraries:read",
        object="import",
        problems=["unknown-import", "import-not-ready", "sealed-column"],
    ),
)
def import_changes(
    service: ServiceDep,
    actor: ActorDep,
    number: ImportId,
    page: PageDep,
    change: Annotated[Literal["new", "changed", "gone"] | None, Query()] = None,
    sealed: Annotated[
        bool,
        Query(description="也给出内部列；查询会记入日志 · internal columns too; the reading is recorded"),
    ] = False,
) -> dict[str, Any]:
    """接受后会有的差异 · What accepting it would do."""
    after = after_of(page, int)
    with service.database.writing() if sealed else service.database.reading() as session:
        row = imports.import_of(session, number, actor)
        kind = library_kind(row.kind)
        found = imports.difference_page(
            session, row, change=change, after=after[0] if after else 0, limit=page.fetch
        )
        if sealed:
            read_sealed(session, kind, actor, service.clock(), [each.key for _, each in found])
    return listing(
        found, page, lambda pair: [pair[0]], lambda pair: change_answer(kind, pair[1], sealed=sealed)
    )


@router.get(
    "/v1/imports/{number}/problems",
    response_class=Response,
    responses={
        200: {
            "description": "标出错误单元格的工作簿 · a workbook with the wrong cells marked",
            "content": {SHEET: {"schema": {"type": "string", "format": "binary"}}},
        }
    },
    **allow(
        *WRITERS, scope="libraries:read", object="import", problems=["unknown-import", "without-problems"]
    ),
)
def problem_sheet(service: ServiceDep, actor: ActorDep, number: ImportId) -> Response:
    """下载问题清单：错误的行与标出的单元格 · The wrong rows with the wrong cells marked, and all faults in words."""
    with service.database.writing() as session:
        row = imports.import_of(session, number, actor)
        if row.problem_sheet is None:
            raise refusal("without-problems", str(number))
        kind = library_kind(row.kind)
        if kind in SEALED:
            # the rows are shown as they stand in the file, credit classes included
            read_sealed(session, kind, actor, service.clock(), [f"import:{number}"])
        content = service.vault.get(session, row.problem_sheet)
    headers = {
        "Content-Disposition": f'attachment; filename="problems-{number}.xlsx"',
        "Cache-Control": "no-store",
    }
    return Response(content, media_type=SHEET, headers=headers)


@router.post(
    "/v1/imports/{number}/acceptance",
    status_code=202,
    response_model=JobAnswer,
    **allow(
        *WRITERS,
        scope="libraries:write",
        object="import",
        problems=[
            "unknown-import",
            "import-not-ready",
            "import-base-changed",
            "library-not-yours",
            "changed-meanwhile",
        ],
    ),
)
def accept(service: ServiceDep, actor: ActorDep, number: ImportId, version: IfMatch) -> JSONResponse:
    """接受：由任务把整个文件作为名录的新一版 · Accept it: a job makes the whole file the library's next revision."""
    with service.database.writing() as session:
        job = ask_to_accept(session, number, version, actor=actor, now=service.clock())
    return accepted(job)


@router.delete(
    "/v1/imports/{number}",
    **allow(
        *WRITERS,
        scope="libraries:write",
        object="import",
        problems=["unknown-import", "import-ended", "changed-meanwhile"],
    ),
)
def discard(service: ServiceDep, actor: ActorDep, number: ImportId, version: IfMatch) -> ImportAnswer:
    """放弃；记录保留，内容不生效 · Discard it; the record of it stays."""
    with service.database.writing() as session:
        return _answer(imports.discard(session, number, version, actor=actor, now=service.clock()))
