"""Findings: entered per check or by the sheet, published, disputed, corrected; their words apart from the record; referrals."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Path, Query, Response
from fastapi import Body as RawBody
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from dualrandom.page.words import FINDING_CODES, METHODS
from dualrandom.store import findings
from dualrandom.store.findings import Entry, FindingView
from dualrandom.store.publishing import ask_publication, enter_sheet, published_rows
from dualrandom.store.tables import Role
from dualrandom_api.service.dependencies import (
    ActorDep,
    Bilingual,
    JobAnswer,
    Listing,
    PageDep,
    ServiceDep,
    accepted,
    after_of,
    listing,
)
from dualrandom_api.service.fields import Body, Identifier
from dualrandom_api.service.routes.draws import DrawId
from dualrandom_api.service.routes.visits import IDENTIFIER, READERS, Day, VisitId
from dualrandom_api.service.security import PEOPLE, GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["findings"])

WRITERS = (Role.DISPATCHER, Role.DEPARTMENT, Role.CREW)

FindingId = Annotated[
    int, Path(ge=1, le=2**31 - 1, description="检查结果编号 · a finding's number", examples=[31])
]
Reason = Annotated[str, Field(max_length=400, examples=["称量错误，复核后更正"])]
Code = Annotated[str, Field(max_length=2, examples=["1"])]
Filename = Annotated[
    str, Query(max_length=200, description="文件名 · the file's name", examples=["findings.xlsx"])
]
Binary = Annotated[
    bytes,
    RawBody(
        media_type="application/octet-stream",
        description="文件的字节 · the file's bytes",
    ),
]


class Word(BaseModel):
    """A code and what it means."""

    code: str
    meaning: Bilingual


class FindingWords(BaseModel):
    """The codes of findings and the methods, in version 1 of the table (protocol §10)."""

    version: Literal[1] = 1
    codes: list[Word]
    methods: list[Word]


class FindingEntry(Body):
    """The finding of one item. ``reason`` is needed where it differs from a published one."""

    task: Identifier
    item: Identifier
    code: Code
    method: Annotated[str, Field(max_length=40, examples=["on-site"])]
    found_on: Day = Field(examples=["2026-09-14"])
    text: Annotated[str, Field(max_length=20000, examples=["现场未发现问题。"])] = ""
    attachments: list[Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]] = Field(
        default_factory=list, max_length=50
    )
    reason: Reason = ""


class Findings(Body):
    """The findings of one visit; all are kept or none."""

    findings: Annotated[list[FindingEntry], Field(min_length=1, max_length=200)]


class FindingAnswer(BaseModel):
    """One version of a finding."""

    id: int
    visit: int
    draw: str
    enterprise: str
    part: int
    task: str
    item: str
    department: str
    version: int
    newest: bool
    code: str
    meaning: Bilingual
    method: str
    found_on: Day
    attachments: list[str]
    has_text: bool
    digest: str = Field(description="加盐散列，含文字 · salted hash of everything, words included")
    sealed: str | None = Field(
        description="findings.json 中的散列；除该行外没有别的内容则为空 · the hash in findings.json; null where nothing is kept besides its row"
    )
    published_at: datetime | None
    revision: int | None = Field(description="findings.json 中的版次 · its revision in findings.json")
    disputed_at: datetime | None
    dispute: str
    reason: str
    url: str


class Hidden(BaseModel):
    """The hidden object of a finding; its canonical JSON (RFC 8785) is what the salted hash covers (protocol §10)."""

    attachments: list[str] = Field(description="附件的 SHA-256，升序 · SHA-256 of each attachment, ascending")
    code: str = Field(examples=["2"])
    date: str = Field(examples=["2026-09-14"])
    enterprise: str
    item: str
    method: str = Field(examples=["on-site"])
    part: int
    task: str
    text: str = Field(examples=["过期食品三袋，已封存"])
    version: int


class SealedAnswer(BaseModel):
    """A finding opened: H of the three lines ``dualrandom/v1/sealed``, the salt, and ``hidden`` as canonical JSON is ``digest``."""

    suite: Literal["sha256", "sm3"]
    salt: str = Field(
        description="盐，64 个十六进制数字 · the salt, 64 hex digits", examples=["0123456789abcdef" * 4]
    )
    hidden: Hidden
    digest: str = Field(
        description="重算应得的散列 · what recomputing gives", examples=["9f86d081884c7d65" * 4]
    )
    sealed: str | None = Field(
        description="findings.json（因而日志）中的散列 · the hash in findings.json, and so in the log",
        examples=["9f86d081884c7d65" * 4],
    )


class Entered(BaseModel):
    """What was added; a finding that says what is known already adds nothing."""

    added: int
    findings: list[FindingAnswer] = Field(default_factory=list)


class Disputing(Body):
    """What the enterprise objects to."""

    reason: Annotated[str, Field(max_length=400, examples=["当日未营业"])]


class Removal(Body):
    """The order that demands it."""

    order: Annotated[str, Field(max_length=400, examples=["（2026）鄂行终 12 号"])]


class PublishedFinding(BaseModel):
    """A published finding as the public sees it. ``disputed``: the enterprise objects, and it is being looked into."""

    enterprise: str
    part: int
    task: str
    item: str
    code: str
    meaning: Bilingual
    method: str
    date: Day
    revision: int = Field(description="findings.json 中的版次 · its revision in findings.json")
    reason: str | None
    disputed: bool
    sealed: str | None = Field(
        description="加盐散列，与 findings.json 相同；没有文字和附件则为空 · salted hash as in findings.json; null without words and attachments"
    )


def _meaning(code: str) -> Bilingual:
    words = FINDING_CODES[code]
    return Bilingual(en=words.en, zh=words.zh)


def _answer(view: FindingView) -> FindingAnswer:
    row, visit = view.finding, view.visit
    return FindingAnswer(
        id=row.id or 0,
        visit=visit.id or 0,
        draw=visit.draw_id,
        enterprise=visit.enterprise,
        part=visit.part,
        task=view.check.task,
        item=row.item,
        department=view.check.department_id,
        version=row.version,
        newest=view.newest,
        code=row.code,
        meaning=_meaning(row.code),
        method=row.method,
        found_on=row.found_on,
        attachments=row.attachments,
        has_text=row.text_id is not None,
        digest=row.digest,
        sealed=findings.sealed_of(row),
        published_at=row.published_at,
        revision=row.revision,
        disputed_at=row.disputed_at,
        dispute=row.dispute,
        reason=row.reason,
        url=f"/v1/findings/{row.id}",
    )


@router.get("/v1/finding-codes", **allow(*PEOPLE, scope="findings:read"))
def finding_words() -> FindingWords:
    """检查结果代码与检查方式 · Codes of findings and methods."""
    return FindingWords(
        codes=[Word(code=code, meaning=_meaning(code)) for code in FINDING_CODES],
        methods=[Word(code=code, meaning=Bilingual(en=w.en, zh=w.zh)) for code, w in METHODS.items()],
    )


@router.post(
    "/v1/visits/{visit}/findings",
    status_code=201,
    **allow(
        *WRITERS,
        scope="findings:write",
        object="visit",
        problems=["unknown-visit", "visit-cancelled", "input-refused", "reason-missing"],
    ),
)
def enter(service: ServiceDep, actor: ActorDep, visit: VisitId, body: Findings) -> Entered:
    """登记一次检查的结果，尚不公布；已公布的须写明理由更正 · Enter the findings of a visit; nothing is published yet."""
    entries = [
        Entry(
            one.task,
            one.item,
            one.code,
            one.method,
            one.found_on,
            one.text,
            tuple(one.attachments),
            one.reason,
        )
        for one in body.findings
    ]
    with service.database.writing() as session:
        rows = findings.enter(session, visit, entries, actor=actor, now=service.clock())
        views = [findings.finding_of(session, actor, row.id or 0) for row in rows]
    return Entered(added=len(views), findings=[_answer(view) for view in views])


@router.get("/v1/findings", response_model=Listing[FindingAnswer], **allow(*READERS, scope="findings:read"))
def all_findings(
    service: ServiceDep,
    actor: ActorDep,
    page: PageDep,
    draw: Annotated[str | None, Query(pattern=IDENTIFIER)] = None,
    visit: Annotated[int | None, Query(ge=1, le=2**31 - 1)] = None,
    published: Annotated[bool | None, Query()] = None,
    code: Annotated[str | None, Query(max_length=2)] = None,
    disputed: Annotated[bool, Query()] = False,
) -> dict[str, Any]:
    """检查结果的各版本，按登记顺序 · Versions of findings in the order in which they were entered."""
    after = after_of(page, int)
    with service.database.reading() as session:
        rows, _ = findings.list_findings(
            session,
            actor,
            draw=draw,
            visit=visit,
            published=published,
            code=code,
            disputed=disputed,
            after=after[0] if after else 0,
            limit=page.fetch,
        )
    return listing(rows, page, lambda view: [view.finding.id], _answer)


@router.get(
    "/v1/findings/{finding}",
    **allow(*READERS, scope="findings:read", object="finding", problems=["unknown-finding"]),
)
def one_finding(
    service: ServiceDep, actor: ActorDep, finding: FindingId, response: Response
) -> FindingAnswer:
    """检查结果的一个版本 · One version of a finding."""
    response.headers["Cache-Control"] = "no-cache"
    with service.database.reading() as session:
        return _answer(findings.finding_of(session, actor, finding))


@router.get(
    "/v1/findings/{finding}/text",
    response_class=Response,
    responses={
        200: {"description": "文字 · the words", "content": {"text/plain": {"schema": {"type": "string"}}}}
    },
    **allow(
        *READERS,
        scope="findings:read",
        object="finding",
        problems=["unknown-finding", "finding-text-removed"],
    ),
)
def text(service: ServiceDep, actor: ActorDep, finding: FindingId) -> Response:
    """检查结果的文字，与公示记录分开，不得缓存 · The words of a finding, kept apart from the record and never cached."""
    with service.database.reading() as session:
        words = findings.text_of(session, actor, finding)
    return Response(words, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"})


@router.get(
    "/v1/findings/{finding}/sealed",
    **allow(
        *READERS,
        scope="findings:read",
        object="finding",
        problems=["unknown-finding", "finding-text-removed"],
    ),
)
def opened(service: ServiceDep, actor: ActorDep, finding: FindingId, response: Response) -> SealedAnswer:
    """检查结果的全部内容及其盐，据此可重算日志中的散列 · All of a finding with its salt, to recompute the hash that is in the log."""
    response.headers["Cache-Control"] = "no-cache"
    with service.database.reading() as session:
        found = findings.opened(session, actor, finding)
    return SealedAnswer(
        suite=found.suite,  # type: ignore[arg-type]
        salt=found.salt,
        hidden=Hidden(**found.hidden),
        digest=found.digest,
        sealed=found.published,
    )


@router.post(
    "/v1/findings/{finding}/dispute",
    **allow(
        Role.DISPATCHER,
        Role.DEPARTMENT,
        scope="findings:write",
        object="finding",
        problems=["unknown-finding", "finding-not-current", "reason-missing"],
    ),
)
def dispute(service: ServiceDep, actor: ActorDep, finding: FindingId, body: Disputing) -> FindingAnswer:
    """登记企业对结果的异议；更正或维持都是一个新版本 · Note that the enterprise disputes a finding; it ends with a further version."""
    with service.database.writing() as session:
        return _answer(findings.dispute(session, finding, body.reason, actor=actor, now=service.clock()))


@router.post(
    "/v1/findings/{finding}/removal",
    **allow(Role.DISPATCHER, object="finding", problems=["unknown-finding", "reason-missing"]),
)
def remove(service: ServiceDep, actor: ActorDep, finding: FindingId, body: Removal) -> FindingAnswer:
    """按决定移除文字和附件；代码、日期和散列保留，证明不受影响 · Remove words and attachments by an order; no proof is affected."""
    with service.database.writing() as session:
        return _answer(findings.remove_text(session, finding, body.order, actor=actor, now=service.clock()))


@router.post(
    "/v1/draws/{draw}/finding-sheets",
    status_code=201,
    **allow(
        Role.DISPATCHER,
        Role.DEPARTMENT,
        scope="findings:write",
        problems=[
            "unknown-draw",
            "not-drawn",
            "input-refused",
            "reason-missing",
            "unknown-visit",
            "visit-cancelled",
        ],
        upload=True,
    ),
)
def sheet(
    service: ServiceDep,
    actor: ActorDep,
    draw: DrawId,
    content: Binary,
    filename: Filename = "findings.xlsx",
    reason: Annotated[
        str, Query(max_length=400, description="与已公布的不同时的理由 · why rows differ from published ones")
    ] = "",
) -> Entered:
    """上传填好的任务表（xlsx、csv、parquet）；有错则一条都不登记，全部错误一次列出 · Upload a filled-in task sheet; all faults at once."""
    with service.database.writing() as session:
        added = enter_sheet(
            session, service.vault, draw, filename, content, reason, actor=actor, now=service.clock()
        )
    return Entered(added=added)


@router.post(
    "/v1/draws/{draw}/publication",
    status_code=202,
    response_model=JobAnswer,
    **allow(
        Role.DISPATCHER,
        Role.DEPARTMENT,
        scope="findings:write",
        problems=["unknown-draw", "nothing-to-publish"],
    ),
)
def publish(service: ServiceDep, actor: ActorDep, draw: DrawId) -> JSONResponse:
    """公布已登记的结果；部门公布本部门的 · Publish what has been entered; a department publishes its own."""
    with service.database.writing() as session:
        job = ask_publication(session, draw, department=actor.department, actor=actor, now=service.clock())
    return accepted(job)


@router.get(
    "/v1/public/draws/{draw}/findings",
    response_model=Listing[PublishedFinding],
    **allow(Role.PUBLIC, problems=["unknown-draw"]),
)
def public_findings(service: ServiceDep, page: PageDep, draw: DrawId, response: Response) -> dict[str, Any]:
    """已公布的检查结果及异议标记 · Published findings, and which of them are disputed."""
    response.headers["Cache-Control"] = "no-cache"
    after = after_of(page, int)
    with service.database.reading() as session:
        rows = published_rows(session, draw, after=after[0] if after else 0, limit=page.fetch)
    return listing(
        rows,
        page,
        lambda view: [view.finding.id],
        lambda view: PublishedFinding(
            enterprise=view.visit.enterprise,
            part=view.visit.part,
            task=view.check.task,
            item=view.finding.item,
            code=view.finding.code,
            meaning=_meaning(view.finding.code),
            method=view.finding.method,
            date=view.finding.found_on,
            revision=view.finding.revision or 1,
            reason=view.finding.reason or None if (view.finding.revision or 1) > 1 else None,
            disputed=view.finding.disputed_at is not None,
            sealed=findings.sealed_of(view.finding),
        ),
    )
