"""A receipt as a page of QR codes, to be printed and scanned: every byte of it, nothing loaded from elsewhere."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from typing import Any

import segno

from dualrandom.page.markup import Both, Html, code, join, page, paragraph, row, table, tag
from dualrandom.page.style import STYLE
from dualrandom.scan import texts_of

_CODES = """
.codes{display:flex;flex-wrap:wrap;gap:1rem;margin:1rem 0}
.codes figure{margin:0;break-inside:avoid;text-align:center;background:#fff;color:#000;padding:.5rem}
.codes svg{width:88mm;height:88mm;display:block}
@media print{.switch{display:none}.codes{gap:4mm}}
""".strip()
_STYLE = f"{STYLE}\n{_CODES}"
_DIGEST = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_DIGEST}'; base-uri 'none'; form-action 'none'"


def code_symbols(data: bytes) -> tuple[segno.QRCode, ...]:
    """Return the QR codes of a receipt's bytes, error correction M: a head in alphanumeric, digits in numeric mode."""
    # the library takes a list of segments, of which its types know nothing
    segments: list[Any] = [list(text) for text in texts_of(data)]
    return tuple(segno.make(text, error="m", boost_error=False, micro=False) for text in segments)


def receipt_codes_page(receipt: Mapping[str, Any], data: bytes, language: str) -> bytes:
    """Return the page as UTF-8 bytes. ``data``: the receipt's file; ``language``: the one that is shown first and printed."""
    symbols = code_symbols(data)
    subject = receipt["subject"]
    whose = {"enterprise": Both("检查对象", "enterprise"), "inspector": Both("检查人员", "inspector")}
    body = join(
        tag("header", tag("h1", Both("回执：二维码", "Receipt as QR codes"))),
        tag(
            "main",
            table(
                (Both("项目", "what"), Both("值", "value")),
                (
                    row(Both("抽取编号", "draw"), code(receipt["draw"])),
                    row(whose[subject["kind"]], code(subject["id"])),
                    row(
                        Both("回执文件的 SHA-256", "SHA-256 of the receipt's file"),
                        code(hashlib.sha256(data).hexdigest()),
                    ),
                ),
            ),
            paragraph(
                f"共 {len(symbols)} 个二维码，合起来就是回执文件，一个字节不差。用手机相机逐个扫描，把每次得到的文本存入同一个文件"
                "（一行一个，次序不限），粘贴到复核页面 verify.html 的“回执是二维码？”一栏，或在电脑上核验：",
                f"{len(symbols)} codes; together they are the receipt's file to the byte. Scan one after the other with a phone, "
                "save the texts in one file (one a line, in any order), paste them into the page verify.html (“Is the receipt a page of QR "
                "codes?”), or check them on a computer:",
            ),
            tag("pre", code("dualrandom verify PUBLIC_DIR --receipt SCANNED.txt")),
            tag(
                "div",
                *(_figure(symbol, number, len(symbols)) for number, symbol in enumerate(symbols, 1)),
                class_="codes",
            ),
            paragraph(
                "谁扫描这一页，就得到回执中的一切：请妥善保管。",
                "Whoever scans this page has all that the receipt holds: keep it to yourself.",
            ),
        ),
    )
    return page(Both("回执：二维码", "Receipt as QR codes"), language, _STYLE, _POLICY, body)


def _figure(symbol: segno.QRCode, number: int, codes: int) -> Html:
    drawing = symbol.svg_inline(border=4, dark="#000", light="#fff", omitsize=True)
    return tag("figure", Html(drawing), tag("figcaption", f"{number} / {codes}"))
