"""``dualrandom demo``: a whole draw from sample libraries: committed, announced, witnessed, drawn, recorded, verified."""

from __future__ import annotations

import shutil
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from dualrandom.cli.announce import announced_as_json
from dualrandom.cli.cosign import cosigned_as_json
from dualrandom.cli.draw import drawn_as_json, show_drawn, show_shortages
from dualrandom.cli.options import AsJson, InLanguage
from dualrandom.cli.screen import Screen, opened
from dualrandom.cli.verify import STATUS_ZH, STYLES, report_as_json, verdict_text
from dualrandom.errors import DualRandomError

if TYPE_CHECKING:
    from dualrandom.demo.play import Played
    from dualrandom.verify import Report

MARKER = "DEMO.txt"
MARKER_TEXT = (
    "由 dualrandom demo 写成，数据均为虚构；dualrandom demo --force 会替换整个目录。\n"
    "Written by dualrandom demo; all data are invented. dualrandom demo --force replaces this whole folder.\n"
)


def demo(
    context: typer.Context,
    scale: Annotated[
        Literal["town", "city"], typer.Option("--scale", help="规模：town 镇，city 市 · how large")
    ] = "town",
    out: Annotated[
        Path, typer.Option("--out", metavar="DIR", help="写到哪个目录 · where to write it")
    ] = Path("dualrandom-demo"),
    force: Annotated[
        bool, typer.Option("--force", help="替换此前的演示目录 · replace an earlier demonstration")
    ] = False,
    as_json: AsJson = False,
    language: InLanguage = None,
) -> None:
    """用示例名录演示一次完整的抽取，从承诺到回执，并复核 · Play a whole draw on sample libraries, and verify it.

    信标轮次早已公开，因此只是演练 · its beacon round has long been public, so it is a rehearsal
    """
    with opened(context, as_json, language) as screen:
        from dualrandom.demo.play import play, reader_policy  # noqa: PLC0415
        from dualrandom.verify import read_auditor, read_public, verify_record  # noqa: PLC0415

        _make_room(out, force)
        seconds: list[tuple[str, str, float]] = []
        started = time.perf_counter()

        def finished(zh: str, en: str) -> None:
            nonlocal started
            screen.end_stage()
            seconds.append((zh, en, time.perf_counter() - started))
            started = time.perf_counter()

        out.mkdir(parents=True, exist_ok=True)
        (out / MARKER).write_text(MARKER_TEXT, "utf-8")
        played = play(scale, out, screen.language, screen.stage, finished)
        screen.stage("复核公布的文件", "verifying what is published")
        policy, files = reader_policy(out), read_public(out / "public")
        public = verify_record(files, None, screen.stage, policy, receipt=played.receipt.data)
        finished("公众与企业复核", "verifying as the public and the enterprise")
        auditor = verify_record(files, read_auditor(out), screen.stage, policy, receipt=played.receipt.data)
        finished("审计复核", "verifying as the auditor")

        _show_seconds(screen, seconds)
        show_drawn(screen, played.drawn)
        show_shortages(screen, played.drawn)
        _show_reports(screen, public, auditor)
        _show_places(screen, out, played)
        screen.finish(
            {
                "out": str(out),
                "scale": scale,
                "announced": announced_as_json(played.announced),
                "cosigned": cosigned_as_json(played.cosigned),
                "drawn": drawn_as_json(played.drawn),
                "findings": played.recorded.published,
                "attested": played.attested.digest,
                "receipt": {
                    "subject": played.receipt.subject,
                    "file": str(played.receipt_path),
                    "codes": str(played.codes_path),
                    "status": played.receipt.check.status,
                },
                "verified": {"public": report_as_json(public), "auditor": report_as_json(auditor)},
                "seconds": {en: round(taken, 3) for _, en, taken in seconds},
            }
        )
        if 1 in {public.exit_code, auditor.exit_code}:
            raise typer.Exit(1)


def _make_room(out: Path, force: bool) -> None:
    """Remove an earlier demonstration. Raises DualRandomError rather than touch anything else."""
    if not out.exists() or (out.is_dir() and not any(out.iterdir())):
        return
    earlier = (out / MARKER).is_file()
    if not earlier or not force:
        raise DualRandomError(
            "folder-in-use",
            str(out),
            {
                "zh": f"{out} 已有内容" + ("（此前的演示）" if earlier else "，且不是演示目录，不会被覆盖"),
                "en": f"{out} is not empty"
                + (" (an earlier demonstration)" if earlier else " and no demonstration; it is left alone"),
            },
            {
                "zh": "请加 --force 替换它。" if earlier else "请用 --out 换一个目录。",
                "en": "Use --force to replace it." if earlier else "Choose another folder with --out.",
            },
        )
    shutil.rmtree(out)


def _show_seconds(screen: Screen, seconds: list[tuple[str, str, float]]) -> None:
    rows: list[Sequence[Any]] = []
    for number, (zh, en, taken) in enumerate(seconds, 1):
        rows.append((number, screen.pick(zh, en), f"{taken:.2f}"))
    rows.append(("", screen.pick("合计", "in all"), f"{sum(taken for _, _, taken in seconds):.2f}"))
    screen.table(
        screen.pick("经过", "What happened"),
        ("", screen.pick("步骤", "step"), screen.pick("秒", "seconds")),
        rows,
    )


def _show_reports(screen: Screen, public: Report, auditor: Report) -> None:
    """Print both reports side by side: what anyone can check, and what the auditor can."""
    if screen.as_json:
        return
    from rich.text import Text  # noqa: PLC0415

    def shown(status: str) -> Text:
        return Text(screen.pick(STATUS_ZH[status], status), style=STYLES[status])

    rows = []
    for seen, audited in zip(public.checks, auditor.checks, strict=True):
        telling = seen if seen.status != "PASS" else audited
        reason = screen.pick(telling.reason_zh, telling.reason_en)
        rows.append((seen.name, shown(seen.status), shown(audited.status), reason))
    columns = (
        screen.pick("检查", "check"),
        screen.pick("公众", "public"),
        screen.pick("审计", "auditor"),
        screen.pick("说明", "reason"),
    )
    screen.table(screen.pick("复核", "Verification"), columns, rows)
    for name_zh, name_en, report in (("公众", "The public", public), ("审计", "The auditor", auditor)):
        zh, en = verdict_text(report)
        screen.say(f"{name_zh}：{zh}", f"{name_en}: {en}")


def _show_places(screen: Screen, out: Path, played: Played) -> None:
    public, policy, receipt = out / "public", out / "reader.policy", played.receipt_path
    places = (
        ("公布的记录", "the published record", public),
        ("给人看的页面", "the page for people", public / "index.html"),
        ("读者所信任的日志与见证方", "the log and witnesses that a reader trusts", policy),
        (
            f"企业 {played.receipt.subject} 的回执",
            f"the receipt of {played.receipt.subject}",
            played.receipt_path.with_suffix(".html"),
        ),
        ("其二维码", "its QR codes", played.codes_path),
        ("各部门的表格", "the departments' sheets", out / "exports"),
        ("本单位不得公开", "what this office never publishes", out / "private"),
        ("部门、见证方、审计方各自保管", "what departments, witnesses and auditor keep", out / "others"),
    )
    screen.fields(screen.pick("结果位于", "Where it is"), places)
    screen.say(
        "自己复核，公众、企业、审计：", "Check it yourself, as the public, the enterprise, the auditor:"
    )
    for line in (
        f"dualrandom verify {public} --log-policy {policy}",
        f"dualrandom verify {public} --log-policy {policy} --receipt {receipt}",
        f"dualrandom verify {out} --auditor --log-policy {policy}",
        f"dualrandom explain {out} --enterprise {played.receipt.subject}",
        f"dualrandom status {out}",
    ):
        screen.say(f"  {line}", f"  {line}")
