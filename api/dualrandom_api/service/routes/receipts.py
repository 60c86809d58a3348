"""Receipts (回执): an enterprise proves itself with a code that was mailed to it, and gets what it needs to check its own treatment."""

from __future__ import annotations

import base64
import json
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Response
from pydantic import BaseModel, Field

from dualrandom.campaign.receipts import give_receipt
from dualrandom.store import deliveries, receiptcodes
from dualrandom.store.tables import Role
from dualrandom.store.workspace import lay_out
from dualrandom_api.service.dependencies import ActorDep, ServiceDep
from dualrandom_api.service.fields import Body, Mailbox
from dualrandom_api.service.post import sealer
from dualrandom_api.service.problems import ProblemType, refusal
from dualrandom_api.service.routes.public import DrawId
from dualrandom_api.service.security import GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["receipts"])

PROBLEMS = (
    ProblemType(
        "mail-off", 409, "服务没有设置邮件", "the service sends no mail",
        "不填 email，代码另行寄交；或请管理员设置 DUALRANDOM_MAIL__*。",
        "Leave email out and bring the code in another way, or have DUALRANDOM_MAIL__* set.",
    ),
    ProblemType(
        "not-in-library", 422, "抽取所用的名录中没有这个检查对象",
        "the library that was drawn from does not have this enterprise",
        "核对统一社会信用代码。", "Check the enterprise's id.",
    ),
    ProblemType(
        "receipt-code-wrong", 403, "代码不符，或已使用、过期", "the code is wrong, used or expired",
        "核对代码，或请主管部门重新寄发。", "Check it, or ask the department for a new one.",
    ),
    ProblemType(
        "not-drawn", 409, "尚未抽取", "not drawn yet",
        "抽取并检查完毕后再来领取；代码仍有效。", "Come again after the draw and your last visit; the code stays good.",
    ),
    ProblemType(
        "receipt-too-early", 409, "还不能出具回执", "too early for the receipt",
        "最后一次检查之后再来领取；代码仍有效。", "Come again after your last visit; the code stays good.",
    ),
    ProblemType(
        "draw-is-void", 409, "该抽取已作废", "the draw is void",
        "查阅取代它的抽取。", "See the draw that takes its place.",
    ),
    ProblemType(
        "not-in-frame", 409, "该检查对象不在抽样框中", "the enterprise is not in the frame",
        "向主管部门询问原因。", "Ask the department why.",
    ),
    ProblemType(
        "private-file-missing", 500, "服务缺少出具回执所需的文件", "the service lacks a file that receipts need",
        "请管理员从备份恢复。", "Ask the operator to restore the backup.",
    ),
)  # fmt: skip

EnterpriseId = Annotated[
    str, Field(pattern=r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$", examples=["91420700MA4XXXXX0X"])
]


class CodeRequest(Body):
    """For which enterprise of the draw, and its mailbox if the code is to be mailed there."""

    enterprise: EnterpriseId
    email: Mailbox | None = None


class CodeAnswer(BaseModel):
    """A code, shown this once. ``mailed``: it is on its way to the mailbox that was given; else take it to the enterprise."""

    draw: str
    enterprise: str
    code: str = Field(examples=["7K3M-0QZA-9V2X-41TD"])
    expires_at: datetime
    mailed: bool = False


class ReceiptRequest(Body):
    """Who asks, and the code that was mailed to them."""

    enterprise: EnterpriseId
    code: Annotated[str, Field(pattern=r"^[0-9A-Za-z -]{16,40}$", examples=["7K3M-0QZA-9V2X-41TD"])]


class ReceiptAnswer(BaseModel):
    """The receipt, for the enterprise only: it holds salts. ``page`` shows it to people; ``document`` is what to verify."""

    draw: str
    enterprise: str
    sha256: str
    status: str = Field(description="本服务器的结论，请自行复核 · this server's verdict; verify it yourself")
    document: dict[str, Any]
    document_base64: str = Field(description="回执文件的字节 · the bytes of the receipt's file")
    page: str = Field(description="HTML")


@router.post(
    "/v1/draws/{draw}/receipt-codes",
    status_code=201,
    **allow(
        Role.DISPATCHER,
        Role.DEPARTMENT,
        scope="receipts:write",
        problems=["unknown-draw", "not-in-library", "mail-off"],
    ),
)
def issue_code(
    service: ServiceDep, actor: ActorDep, draw: DrawId, body: CodeRequest, response: Response
) -> CodeAnswer:
    """为企业签发一次性代码，寄给企业 · Issue a one-time code for an enterprise, and mail it if its mailbox is given; earlier ones end."""
    mail, now = service.settings.mail, service.clock()
    if body.email is not None and mail is None:
        raise refusal("mail-off")
    with service.database.writing() as session:
        code, row = receiptcodes.issue(session, actor, now, draw, body.enterprise)
        if body.email is not None and mail is not None:
            deliveries.write_to(
                session,
                receiptcodes.MAIL,
                f"enterprise:{row.enterprise}",
                draw,
                receiptcodes.words(session, row),
                mailbox=body.email,
                secret=sealer(service).seal(code.encode()),
                domain=mail.domain,
                now=now,
            )
    response.headers["Cache-Control"] = "no-store"
    return CodeAnswer(
        draw=draw,
        enterprise=row.enterprise,
        code=code,
        expires_at=row.expires_at,
        mailed=body.email is not None,
    )


@router.post(
    "/v1/public/receipts",
    **allow(
        Role.PUBLIC,
        problems=[
            "receipt-code-wrong",
            "not-drawn",
            "receipt-too-early",
            "draw-is-void",
            "not-in-frame",
            "private-file-missing",
        ],
    ),
)
def receipt(service: ServiceDep, body: ReceiptRequest, response: Response) -> ReceiptAnswer:
    """凭代码领取回执 · Get one's receipt with the code; the code is used up only when the receipt is given."""
    response.headers["Cache-Control"] = "no-store"
    now = service.clock()
    with service.database.reading() as session:
        draw = receiptcodes.check(session, now, body.enterprise, body.code).draw_id
    with tempfile.TemporaryDirectory(prefix="receipt-", dir=service.temp) as made:
        with service.database.reading() as session:
            lay_out(session, service.vault, Path(made), draw)
        given = give_receipt(Path(made) / "campaign", enterprise=body.enterprise, now=now)
    with service.database.writing() as session:
        receiptcodes.use(session, now, receiptcodes.check(session, now, body.enterprise, body.code))
    return ReceiptAnswer(
        draw=given.draw,
        enterprise=given.subject,
        sha256=given.sha256,
        status=given.check.status,
        document=json.loads(given.data),
        document_base64=base64.b64encode(given.data).decode(),
        page=given.page.decode(),
    )
