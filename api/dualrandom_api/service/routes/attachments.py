"""Attachments: files that findings name by their SHA-256, kept apart from the record."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Query, Response
from pydantic import BaseModel

from dualrandom.store import attachments, findings
from dualrandom.store.activity import SERVICE
from dualrandom.store.tables import Attachment
from dualrandom_api.service.dependencies import ActorDep, ServiceDep
from dualrandom_api.service.routes.findings import WRITERS, Binary, Filename
from dualrandom_api.service.routes.visits import READERS
from dualrandom_api.service.security import GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["findings"])

Sha256 = Annotated[
    str,
    Path(
        pattern=r"^[0-9a-f]{64}$",
        description="附件的 SHA-256 · the attachment's SHA-256",
        examples=["9f86d081884c7d65" * 4],
    ),
]


class AttachmentAnswer(BaseModel):
    """A kept file."""

    sha256: str
    filename: str
    media_type: str
    at: datetime
    url: str


def _attachment(row: Attachment) -> AttachmentAnswer:
    return AttachmentAnswer(
        sha256=row.sha256,
        filename=row.filename,
        media_type=row.media_type,
        at=row.at,
        url=f"/v1/attachments/{row.sha256}",
    )


@router.post(
    "/v1/attachments",
    status_code=201,
    **allow(*WRITERS, scope="findings:write", problems=["attachment-size"], upload=True),
)
def attach(
    service: ServiceDep,
    actor: ActorDep,
    content: Binary,
    filename: Filename = "attachment",
    media_type: Annotated[
        str,
        Query(
            alias="type", pattern=r"^[a-z]{1,20}/[0-9A-Za-z.+-]{1,80}$", description="媒体类型 · media type"
        ),
    ] = "application/octet-stream",
) -> AttachmentAnswer:
    """上传附件；登记结果时引用其 SHA-256 · Upload a file; findings name it by its SHA-256."""
    with service.database.writing() as session:
        row = attachments.attach(
            session, service.vault, filename, media_type, content, actor=actor, now=service.clock()
        )
    return _attachment(row)


@router.get(
    "/v1/attachments/{sha256}",
    response_class=Response,
    responses={
        200: {
            "description": "文件 · the file",
            "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
        }
    },
    **allow(
        *READERS,
        scope="findings:read",
        object="attachment",
        problems=["unknown-attachment", "unknown-finding"],
    ),
)
def attachment(
    service: ServiceDep,
    actor: ActorDep,
    sha256: Sha256,
    finding: Annotated[
        int | None,
        Query(ge=1, le=2**31 - 1, description="引用它的检查结果 · a finding of yours that names it"),
    ] = None,
) -> Response:
    """附件：本部门上传的，或自己的检查结果所引用的 · An attachment of one's department, or one that a finding of one's own names."""
    with service.database.reading() as session:
        if finding is not None and sha256 in findings.finding_of(session, actor, finding).finding.attachments:
            actor = SERVICE
        _, content = attachments.attachment_of(session, service.vault, sha256, actor=actor)
    # never shown in the browser as a page of ours, whatever somebody uploaded
    headers = {"Content-Disposition": "attachment", "Cache-Control": "no-cache, no-store"}
    return Response(content, media_type="application/octet-stream", headers=headers)
