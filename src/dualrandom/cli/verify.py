"""``dualrandom verify``: check a published draw, with nothing but its folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from dualrandom.cli.options import AsJson, InLanguage
from dualrandom.cli.screen import Screen, opened
from dualrandom.errors import DualRandomError

if TYPE_CHECKING:
    from dualrandom.verify import Report
    from dualrandom.verify.frame_change import FrameIds

STYLES = {"PASS": "green", "FAIL": "bold red", "NOT CHECKED": "yellow"}
SHOWN_IDS = 20
"""Enterprises named on the screen."""
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
    previous: Annotated[
        Path | None,
        typer.Option(
            "--previous",
            metavar="FOLDER",
            help="较早一次抽取的公布目录：列出此后新进与离开抽样框的企业 · an earlier draw's published folder: who came into the frame since, and who left it",
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
        earlier = None if previous is None else earlier_frame(previous)
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
        told = report_as_json(report) | {"folder": str(public)}
        if earlier is not None:
            told["frame_change"] = show_frame_change(screen, earlier, files)
        screen.finish(told)
        if report.exit_code:
            raise typer.Exit(report.exit_code)


def earlier_frame(folder: Path) -> FrameIds:
    """Return the frame of an earlier published folder. Raises DualRandomError ``no-announcement``, ``frame-refused``."""
    from dualrandom.verify import read_public  # noqa: PLC0415
    from dualrandom.verify.frame_change import frame_ids  # noqa: PLC0415
    from dualrandom.verify.report import Fault  # noqa: PLC0415

    public = public_folder(folder)
    try:
        return frame_ids(read_public(public))
    except Fault as fault:
        raise DualRandomError(
            "frame-refused",
            str(public),
            {
                "zh": f"{public} 的抽样框不能用来比对：{fault.zh}",
                "en": f"the frame in {public} cannot be compared with: {fault.en}",
            },
            {
                "zh": "先用 dualrandom verify 复核那次抽取；向公布单位取得完整的公布目录。",
                "en": "Check that draw with dualrandom verify first; get the whole published folder from who publishes it.",
            },
        ) from fault


def show_frame_change(screen: Screen, earlier: FrameIds, files: Mapping[str, bytes]) -> dict[str, Any] | None:
    """Say who came into the frame and who left it; return it for programs, None where this frame cannot be read."""
    from dualrandom.verify.frame_change import frame_ids  # noqa: PLC0415
    from dualrandom.verify.report import Fault  # noqa: PLC0415

    try:
        frame = frame_ids(files)
    except Fault as fault:
        screen.say(f"抽样框未能比对：{fault.zh}。", f"The frames were not compared: {fault.en}.")
        return None
    change = earlier.change_to(frame)
    screen.say(
        f"抽样框与 {earlier.draw} 相比：新进 {len(change.came)} 户，离开 {len(change.left)} 户，{change.stayed} 户仍在。",
        f"The frame, compared with that of {earlier.draw}: {len(change.came)} came, {len(change.left)} left, "
        f"{change.stayed} stayed.",
        style="bold",
    )
    for zh, en, ids in (("新进", "came", change.came), ("离开", "left", change.left)):
        if ids:
            shown, more = ", ".join(ids[:SHOWN_IDS]), len(ids) - SHOWN_IDS
            screen.say(
                f"{zh}：{shown}" + (f"……另有 {more} 户（--json 列出全部）" if more > 0 else ""),
                f"{en}: {shown}" + (f" … and {more} more (all with --json)" if more > 0 else ""),
            )
    if change.came or change.left:
        screen.say(
            "进出可能正当（任务不同、已达上限、间隔未满、登记变化），这是要向组织单位提出的问题，不是结论。",
            "Coming and leaving can be right (other tasks, a cap, an interval, the register): it is a question to the office, "
            "not an answer.",
        )
    return {
        "earlier": earlier.draw,
        "later": frame.draw,
        "came": list(change.came),
        "left": list(change.left),
        "stayed": change.stayed,
    }


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
