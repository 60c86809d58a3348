"""``dualrandom verify``: check a published draw, with nothing but its folder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dualrandom.cli.options import AsJson, InLanguage
from dualrandom.cli.screen import Screen, opened
from dualrandom.errors import DualRandomError

if TYPE_CHECKING:
    from dualrandom.verify import Report

STYLES = {"PASS": "green", "FAIL": "bold red", "NOT CHECKED": "yellow"}
STATUS_ZH = {"PASS": "通过", "FAIL": "不通过", "NOT CHECKED": "未核验"}


def verify(
    context: typer.Context,
    folder: Annotated[
        Path,
        typer.Argument(metavar="FOLDER", help="公布目录；加 --auditor 时为活动目录 · the published folder"),
    ],
    auditor: Annotated[
        bool,
        typer.Option(
            "--auditor",
            help="以审计人身份用活动目录中的开封材料复核 · check with the openings of a campaign's folder",
        ),
    ] = False,
    log_policy: Annotated[
        Path | None,
        typer.Option(
            "--log-policy",
            metavar="FILE",
            help="您信任的日志与见证方（C2SP tlog-policy） · the logs and witnesses that you trust",
        ),
    ] = None,
    receipt: Annotated[
        Path | None,
        typer.Option(
            "--receipt",
            metavar="FILE",
            help="同时核对这份回执（文件，或扫描二维码所得的文本） · check this receipt as well (its file, or the texts of its QR codes)",
            show_default=False,
        ),
    ] = None,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """复核一次已公布的抽取 · Check a published draw.

    退出码 · exit code: 0 全部通过 all passed, 1 有不通过 something failed, 3 有未核验 something not checked
    """
    with opened(context, as_json, language, folder=folder) as screen:
        public = public_folder(folder)
        from dualrandom.verify import read_auditor, read_public, verify_record  # noqa: PLC0415

        screen.stage("读取公布文件", "reading the published files")
        files = read_public(public)
        openings = read_auditor(folder) if auditor else None
        policy = None
        if log_policy is not None:
            from dualrandom.log.policy import parse_policy  # noqa: PLC0415

            policy = parse_policy(log_policy.read_bytes())
        screen.stage("复核", "checking")
        given = None if receipt is None else receipt_bytes(receipt)
        report = verify_record(files, openings, screen.stage, policy, receipt=given)
        screen.end_stage()
        show_report(screen, report)
        screen.finish(report_as_json(report) | {"folder": str(public)})
        if report.exit_code:
            raise typer.Exit(report.exit_code)


def receipt_bytes(path: Path) -> bytes:
    """Return a receipt's bytes, from its file or from the texts of its scanned QR codes."""
    from dualrandom.scan import from_texts, is_scanned  # noqa: PLC0415

    data = path.read_bytes()
    return from_texts(data.decode("utf-8", "replace")) if is_scanned(data) else data


def public_folder(folder: Path) -> Path:
    """Return the folder with the announcement: the given one, or its ``public``. Raises DualRandomError."""
    for candidate in (folder, folder / "public"):
        if (candidate / "announcement.json").is_file():
            return candidate
    raise DualRandomError(
        "no-announcement",
        str(folder),
        {"zh": f"{folder} 中没有 announcement.json", "en": f"there is no announcement.json in {folder}"},
        {
            "zh": "请给出公布目录（内有 announcement.json），例如 活动目录/public。",
            "en": "Give the published folder (the one with announcement.json), for instance CAMPAIGN/public.",
        },
    )


def show_report(screen: Screen, report: Report) -> None:
    """Print the table of checks and the verdict."""
    from rich.text import Text  # noqa: PLC0415

    rows = [
        (
            check.name,
            Text(screen.pick(STATUS_ZH[check.status], check.status), style=STYLES[check.status]),
            screen.pick(check.reason_zh, check.reason_en),
        )
        for check in report.checks
    ]
    titles = (screen.pick("检查", "check"), screen.pick("结论", "verdict"), screen.pick("说明", "reason"))
    screen.table(screen.pick("复核", "Verification"), titles, rows)
    screen.say(*verdict_text(report))


def verdict_text(report: Report) -> tuple[str, str]:
    """Return the sentence about the whole report, Chinese and English."""
    count = {status: sum(check.status == status for check in report.checks) for status in STYLES}
    if count["FAIL"]:
        return (
            f"不通过：{count['FAIL']} 项检查发现问题。",
            f"FAIL: {count['FAIL']} of {len(report.checks)} checks found something wrong.",
        )
    if count["NOT CHECKED"]:
        return (
            f"已核验的 {count['PASS']} 项全部通过；{count['NOT CHECKED']} 项未能核验（原因见上表）。",
            f"Nothing wrong: {count['PASS']} checks passed; {count['NOT CHECKED']} not made (reasons above).",
        )
    return f"通过：{count['PASS']} 项检查全部通过。", f"PASS: all {count['PASS']} checks passed."


def report_as_json(report: Report) -> dict[str, Any]:
    """Return the report for programs."""
    statuses = {check.status for check in report.checks}
    verdict = next((status for status in ("FAIL", "NOT CHECKED") if status in statuses), "PASS")
    return {
        "verdict": verdict,
        "exit_code": report.exit_code,
        "checks": [
            {
                "name": check.name,
                "status": check.status,
                "reason": {"zh": check.reason_zh, "en": check.reason_en},
            }
            for check in report.checks
        ],
    }
