"""The libraries: their rows as they are and were, one row at a time or by file."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path as FilePath
from typing import Annotated, Any, Literal
from urllib.parse import quote

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel, Field

from dualrandom.registry.columns import LIBRARIES, Kind
from dualrandom.registry.templates import write_templates
from dualrandom.store import libraries, library_rows
from dualrandom.store.libraries import Change
from dualrandom.store.tables import LibraryRow, Revision, Role
from dualrandom_api.service.dependencies import (
    ActorDep,
    IfMatch,
    Listing,
    PageDep,
    ServiceDep,
    after_of,
    listing,
    tagged,
)
from dualrandom_api.service.problems import ProblemType
from dualrandom_api.service.security import GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["libraries"])

PROBLEMS = (
    ProblemType(
        "unknown-row", 404, "名录中没有这一行，或不属于您", "the library has no such row, or it is not yours",
        "核对编号；部门只能看到本部门的人员和回避名单。", "Check the id; a department sees its own people and recusals only.",
    ),
    ProblemType(
        "unknown-revision", 404, "没有这一版名录", "there is no such revision",
        "GET /v1/libraries/{kind}/revisions 列出各版。", "GET /v1/libraries/{kind}/revisions lists them.",
    ),
    ProblemType(
        "library-not-yours", 403, "部门只能管理本部门的检查人员和回避名单",
        "a department manages its own inspectors and recusals only",
        "其他名录请调度员办理。", "Ask the dispatcher for the other libraries.",
    ),
    ProblemType(
        "sealed-column", 403, "信用风险分类是内部信息", "credit classes are internal",
        "不带 sealed 再查询。", "Ask again without sealed.",
    ),
    ProblemType(
        "without-department", 403, "账号不属于任何部门", "the account belongs to no department",
        "请调度员设置部门。", "Ask the dispatcher to set it.",
    ),
    ProblemType(
        "row-exists", 409, "名录中已有这一行", "the row is in the library already",
        "修改已有的一行。", "Change the row that is there.",
    ),
    ProblemType(
        "row-empty", 422, "没有内容，或像示例、合计行", "there is nothing in it, or it reads like an example or a total",
        "填写必填的列。", "Fill in the required columns.",
    ),
    ProblemType(
        "column-unknown", 422, "名录没有这些列", "the library has no such columns",
        "按 details 更正。", "Correct what the details name.",
    ),
    ProblemType(
        "text-invalid", 422, "文字含有不能保存的字符，或嵌套过深",
        "a text has characters that cannot be kept, or it is nested too deep",
        "删去 NUL 和不成对的代理字符。", "Take NUL and unpaired surrogates out.",
    ),
)  # fmt: skip

READERS = (Role.DISPATCHER, Role.DEPARTMENT, Role.AUDITOR, Role.SUPPORT)
WRITERS = (Role.DISPATCHER, Role.DEPARTMENT)
CHANGES = (
    "library-not-yours",
    "without-department",
    "input-refused",
    "column-unknown",
    "row-empty",
    "text-invalid",
)

KindInPath = Annotated[Kind, Path(description="名录 · the library", examples=["enterprises"])]
Key = Annotated[
    str,
    Path(
        pattern=r"^[0-9A-Za-z][0-9A-Za-z ._-]{0,199}$",
        description="检查对象代码、人员编号、事项编号；回避为“人员 对象” · the row's id; of a recusal: person, space, other",
        examples=["91420704MA0000017E"],
    ),
]
Number = Annotated[int, Path(ge=1, le=2**31 - 1, description="版次 · revision", examples=[1])]
Word = Annotated[str | None, Query(min_length=1, max_length=100, pattern=r"^[^\x00]+$")]
Cells = Annotated[
    dict[str, Annotated[str, Field(max_length=20_000)]],
    Field(description="列名 → 文字，同文件中的写法 · column → text, as a file has it"),
]


class RowAnswer(BaseModel):
    """One version of one row: in the library from revision ``first`` to ``last`` (null: still)."""

    kind: str = Field(examples=["enterprises"])
    key: str = Field(examples=["91420704MA0000017E"])
    first: int
    last: int | None = None
    cells: dict[str, str] = Field(description="内部列只在 sealed 时给出 · internal columns with sealed only")
    url: str


class VersionAnswer(RowAnswer):
    """A version, with when and by whom it came."""

    at: datetime
    by: str
    import_id: int | None = None


class RevisionAnswer(BaseModel):
    """One state of a library. ``import_id`` null: a single row was changed."""

    kind: str = Field(examples=["enterprises"])
    number: int
    rows: int
    at: datetime
    by: str
    import_id: int | None = None


class ChangeAnswer(BaseModel):
    """What happened, or would happen, to one row; ``columns`` are those that differ."""

    key: str
    change: Literal["new", "changed", "gone"]
    columns: list[str]
    before: dict[str, str] | None = None
    after: dict[str, str] | None = None


class LibraryAnswer(BaseModel):
    """A library and its newest revision, null if it has none."""

    kind: str
    name: str
    name_en: str
    columns: list[str]
    revision: RevisionAnswer | None = None


class LibraryList(BaseModel):
    """All libraries."""

    items: list[LibraryAnswer]


class RowBody(BaseModel):
    """Columns that are not given keep their text; an empty text empties them."""

    cells: Cells = Field(examples=[{"credit_class": "B"}])


def row_answer(row: LibraryRow, *, sealed: bool = False) -> RowAnswer:
    """Return a row as its route shows it."""
    kind = libraries.library_kind(row.kind)
    return RowAnswer(
        kind=kind,
        key=row.key,
        first=row.first,
        last=row.last,
        cells=libraries.shown(kind, row.cells, sealed=sealed),
        url=f"/v1/libraries/{kind}/rows/{quote(row.key)}",
    )


def revision_answer(revision: Revision) -> RevisionAnswer:
    """Return a revision as routes show it."""
    return RevisionAnswer(
        kind=revision.kind,
        number=revision.number,
        rows=revision.rows,
        at=revision.at,
        by=revision.by,
        import_id=revision.import_id,
    )


def change_answer(kind: Kind, change: Change, *, sealed: bool) -> ChangeAnswer:
    """Return a change as routes show it; a hidden column is named among those that differ, its content is not shown."""

    def cells(found: Mapping[str, str] | None) -> dict[str, str] | None:
        return None if found is None else libraries.shown(kind, found, sealed=sealed)

    return ChangeAnswer.model_validate(
        {
            "key": change.key,
            "change": change.change,
            "columns": list(change.columns),
            "before": cells(change.before),
            "after": cells(change.after),
        }
    )


@router.get("/v1/libraries", **allow(*READERS, scope="libraries:read"))
def all_libraries(service: ServiceDep) -> LibraryList:
    """名录一览 · The libraries."""
    with service.database.reading() as session:
        newest = {kind: libraries.current_revision(session, kind) for kind in LIBRARIES}
    return LibraryList(
        items=[
            LibraryAnswer(
                kind=kind,
                name=library.zh,
                name_en=library.en,
                columns=[column.name for column in library.columns],
                revision=None if (found := newest[kind]) is None else revision_answer(found),
            )
            for kind, library in LIBRARIES.items()
        ]
    )


@router.get(
    "/v1/libraries/{kind}/rows",
    response_model=Listing[RowAnswer],
    **allow(*READERS, scope="libraries:read", problems=["sealed-column", "without-department"]),
)
def rows(
    service: ServiceDep,
    actor: ActorDep,
    kind: KindInPath,
    page: PageDep,
    name: Annotated[Word, Query(description="名称中的文字 · part of the name")] = None,
    prefix: Annotated[Word, Query(description="编号的开头 · beginning of the id")] = None,
    district: Annotated[Word, Query(description="区划代码 · district")] = None,
    department: Annotated[Word, Query(description="部门代码 · department")] = None,
    sealed: Annotated[
        bool,
        Query(description="也给出内部列；查询会记入日志 · internal columns too; the reading is recorded"),
    ] = False,
) -> dict[str, Any]:
    """查询现行名录，按编号排序 · Rows of the library as it is, by id."""
    after = after_of(page, str)
    opened = service.database.writing() if sealed else service.database.reading()
    with opened as session:
        found = libraries.search(
            session,
            kind,
            actor,
            service.clock(),
            text=name,
            prefix=prefix,
            district=district,
            department=department,
            after=after[0] if after else None,
            limit=page.fetch,
            sealed=sealed,
        )
    return listing(found, page, lambda row: [row.key], lambda row: row_answer(row, sealed=sealed))


@router.post(
    "/v1/libraries/{kind}/rows",
    status_code=201,
    **allow(*WRITERS, scope="libraries:write", problems=[*CHANGES, "row-exists", "changed-meanwhile"]),
)
def add_row(
    service: ServiceDep, actor: ActorDep, kind: KindInPath, body: RowBody, response: Response
) -> RowAnswer:
    """新增一行，成为新的一版 · Add a row, which makes a revision."""
    with service.database.writing() as session:
        row = library_rows.add_row(session, kind, body.cells, actor=actor, now=service.clock())
    tagged(response, row.first)
    answer = row_answer(row)
    response.headers["Location"] = answer.url
    return answer


@router.get(
    "/v1/libraries/{kind}/rows/{key}",
    **allow(
        *READERS,
        scope="libraries:read",
        object="row",
        problems=["unknown-row", "sealed-column", "without-department"],
    ),
)
def one_row(
    service: ServiceDep,
    actor: ActorDep,
    kind: KindInPath,
    key: Key,
    response: Response,
    sealed: Annotated[bool, Query(description="也给出内部列 · internal columns too")] = False,
) -> RowAnswer:
    """现行的一行 · A row as it is."""
    with service.database.writing() if sealed else service.database.reading() as session:
        row = libraries.current_row(session, kind, key, actor)
        if sealed:
            libraries.read_sealed(session, kind, actor, service.clock(), [key])
    tagged(response, row.first)
    return row_answer(row, sealed=sealed)


@router.put(
    "/v1/libraries/{kind}/rows/{key}",
    **allow(
        *WRITERS,
        scope="libraries:write",
        object="row",
        problems=[*CHANGES, "unknown-row", "row-exists", "changed-meanwhile"],
    ),
)
def change_row(
    service: ServiceDep,
    actor: ActorDep,
    kind: KindInPath,
    key: Key,
    version: IfMatch,
    body: RowBody,
    response: Response,
) -> RowAnswer:
    """更改一行：成为新的一版，旧版保留 · Change a row: a new revision, the old one stays."""
    with service.database.writing() as session:
        row = library_rows.change_row(
            session, kind, key, version, body.cells, actor=actor, now=service.clock()
        )
    tagged(response, row.first)
    return row_answer(row)


@router.delete(
    "/v1/libraries/{kind}/rows/{key}",
    status_code=204,
    **allow(
        *WRITERS,
        scope="libraries:write",
        object="row",
        problems=["library-not-yours", "without-department", "unknown-row", "changed-meanwhile"],
    ),
)
def remove_row(service: ServiceDep, actor: ActorDep, kind: KindInPath, key: Key, version: IfMatch) -> None:
    """移出一行；历史保留 · Take a row out; its history stays."""
    with service.database.writing() as session:
        library_rows.remove_row(session, kind, key, version, actor=actor, now=service.clock())


@router.get(
    "/v1/libraries/{kind}/rows/{key}/versions",
    response_model=Listing[VersionAnswer],
    **allow(*READERS, scope="libraries:read", object="row", problems=["unknown-row", "without-department"]),
)
def row_history(service: ServiceDep, actor: ActorDep, kind: KindInPath, key: Key) -> dict[str, Any]:
    """一行的全部版本，最早的在前 · All versions of a row, the oldest first."""
    with service.database.reading() as session:
        found = libraries.history(session, kind, key, actor)
    items = [
        VersionAnswer(
            **row_answer(row).model_dump(), at=revision.at, by=revision.by, import_id=revision.import_id
        )
        for row, revision in found
    ]
    return {"items": items, "next": None}


@router.get(
    "/v1/libraries/{kind}/revisions",
    response_model=Listing[RevisionAnswer],
    **allow(*READERS, scope="libraries:read"),
)
def revisions(service: ServiceDep, kind: KindInPath, page: PageDep) -> dict[str, Any]:
    """名录各版，最新在前 · A library's revisions, the newest first."""
    after = after_of(page, int)
    with service.database.reading() as session:
        found = libraries.revisions(session, kind, before=after[0] if after else None, limit=page.fetch)
    return listing(found, page, lambda row: [row.number], revision_answer)


@router.get(
    "/v1/libraries/{kind}/revisions/{number}/changes",
    response_model=Listing[ChangeAnswer],
    **allow(*READERS, scope="libraries:read", problems=["unknown-revision", "without-department"]),
)
def revision_changes(
    service: ServiceDep, actor: ActorDep, kind: KindInPath, number: Number, page: PageDep
) -> dict[str, Any]:
    """一版与上一版的差异，按编号排序 · What a revision changed, by id."""
    after = after_of(page, str)
    with service.database.reading() as session:
        found = libraries.changes_of(
            session, kind, number, actor, after=after[0] if after else None, limit=page.fetch
        )
    return listing(
        found, page, lambda change: [change.key], lambda change: change_answer(kind, change, sealed=False)
    )


@router.get(
    "/v1/libraries/{kind}/template",
    response_class=Response,
    responses={
        200: {
            "description": "空白工作簿，含说明和下拉选项 · a blank workbook with explanations and drop-downs",
            "content": {
                "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": {
                    "schema": {"type": "string", "format": "binary"}
                }
            },
        }
    },
    **allow(*READERS, scope="libraries:read"),
)
def template(
    kind: KindInPath,
    language: Annotated[Literal["zh", "en"], Query(description="语言 · language")] = "zh",
) -> Response:
    """下载空白模板 · A blank workbook to fill in."""
    with tempfile.TemporaryDirectory(prefix="dualrandom-") as folder:
        paths = write_templates(FilePath(folder), language)
        content = next(path for path in paths if path.stem == kind).read_bytes()
    return Response(
        content,
        media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        headers={"Content-Disposition": f'attachment; filename="{kind}.xlsx"'},
    )
