"""``dualrandom receipt``: what one enterprise or inspector needs to check its own treatment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from dualrandom.cli.options import AsJson, Campaign, InLanguage, Now, instant_of
from dualrandom.cli.screen import opened
from dualrandom.cli.verify import STATUS_ZH


def receipt(
    context: typer.Context,
    campaign: Campaign,
    enterprise: Annotated[
        str | None, typer.Option("--enterprise", metavar="ID", help="检查对象的代码 · an enterprise's id")
    ] = None,
    inspector: Annotated[
        str | None, typer.Option("--inspector", metavar="CODE", help="检查人员的编号 · an inspector's code")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE", help="写到哪里 · where to write it", show_default=False),
    ] = None,
    qr: Annotated[
        bool, typer.Option("--qr", help="另写一页可打印的二维码 · write a printable page of QR codes as well")
    ] = False,
    now: Now = None,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """出具回执：企业自行核对是否该被抽中 · Give a receipt: whether an enterprise was rightly drawn, to check by itself.

    被抽中的企业须在最后一次检查之后 · a drawn enterprise gets it after its last visit
    """
    with opened(context, as_json, language, campaign) as screen:
        instant = instant_of(now)
        from dualrandom.campaign.folder import write_private  # noqa: PLC0415
        from dualrandom.campaign.receipts import FOLDER, give_receipt  # noqa: PLC0415

        screen.stage("制作回执", "making the receipt")
        given = give_receipt(campaign, enterprise=enterprise, inspector=inspector, now=instant)
        screen.end_stage()
        path = out or campaign / "private" / FOLDER / f"{given.name}.json"
        page = path.with_suffix(".html")
        if out is None:
            write_private(
                campaign / "private",
                {f"{FOLDER}/{path.name}": given.data, f"{FOLDER}/{page.name}": given.page},
            )
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(given.data)
            page.write_bytes(given.page)
        codes = None
        if qr:
            from dualrandom.page.receipt_codes import receipt_codes_page  # noqa: PLC0415

            codes = path.with_suffix(".qr.html")
            shown = receipt_codes_page(json.loads(given.data), given.data, screen.language)
            if out is None:
                write_private(campaign / "private", {f"{FOLDER}/{codes.name}": shown})
            else:
                codes.write_bytes(shown)
        status = screen.pick(STATUS_ZH[given.check.status], given.check.status)
        screen.fields(
            screen.pick("回执", "Receipt"),
            (
                ("对象", "subject", given.subject),
                ("文件", "file", path),
                ("给人看的页面", "the page for people", page),
                *(() if codes is None else (("二维码页", "the page of QR codes", codes),)),
                ("结论", "verdict", status),
                ("说明", "reason", screen.pick(given.check.reason_zh, given.check.reason_en)),
                ("SHA-256", "SHA-256", given.sha256),
            ),
        )
        screen.say(
            "只交给当事人：其中有盐和所在的层。",
            "For the person concerned only: it holds the salt and the strata.",
        )
        screen.finish(
            {
                "draw": given.draw,
                "kind": given.kind,
                "subject": given.subject,
                "file": str(path),
                "page": str(page),
                "codes": None if codes is None else str(codes),
                "bytes": len(given.data),
                "sha256": given.sha256,
                "status": given.check.status,
                "reason": {"zh": given.check.reason_zh, "en": given.check.reason_en},
            }
        )
        if given.check.status == "FAIL":
            raise typer.Exit(1)
