"""A receipt that was printed as QR codes comes back together on the page, from their texts or from pictures of them."""

from __future__ import annotations

import json
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

from dualrandom import scan

RECEIPTS = Path(__file__).resolve().parents[1] / "vectors" / "happy" / "sealed-drand" / "receipts"

# A browser that reads pictures: the width of a picture says which of these texts it shows.
DETECTOR = """globalThis.BarcodeDetector = class {
  async detect(image) { return [{ rawValue: %s[image.width - 1] }]; }
}; null"""


@pytest.fixture
def codes(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], list[str]]:
    """The texts of the codes of a receipt, of 400 bytes each, so that there are several."""
    monkeypatch.setattr(scan, "SMALL", 400)

    def made(name: str) -> list[str]:
        return ["".join(text) for text in scan.texts_of((RECEIPTS / f"{name}.json").read_bytes())]

    return made


def shown(page: Page) -> str:
    page.locator("details.codes").wait_for()
    text: str = page.inner_text("main")
    return text


def give(page: Page, text: str) -> None:
    if not page.locator("#codes").is_visible():
        page.click("details.codes summary")
    page.fill("#codes", text)
    page.locator("details.codes button").click()


def picture(width: int) -> bytes:
    """A white PNG of one row."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", width, 1, 8, 0, 0, 0, 0)
    pixels = zlib.compress(b"\0" + b"\xff" * width)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


@pytest.mark.parametrize("first", [True, False])
def test_a_receipt_is_put_together_from_pasted_texts_before_or_after_the_folder(
    first: bool, open_page: Any, campaign: Any, codes: Any
) -> None:
    texts = codes("drawn")
    assert len(texts) > 2
    folder = str(campaign("sealed-drand") / "public")
    pasted = "第 2 张\n" + "\n\n".join(reversed(texts)) + f"\n{texts[0]}\n"
    page = open_page()
    if first:
        give(page, pasted)
        page.wait_for_selector(".notice.good")
        assert "回执" in page.inner_text(".notice")
    page.set_input_files("#folder", folder)
    page.wait_for_selector(".verdict")
    if not first:
        give(page, pasted)
    page.wait_for_selector('#verdict-of-receipt[data-status="PASS"]')
    assert "应当抽中" in page.inner_text("#verdict-of-receipt")
    page.wait_for_selector("#explained td.yes")


def test_it_says_how_far_one_has_come_and_which_code_is_missing(open_page: Any, codes: Any) -> None:
    first, second, *rest = codes("missed")
    page = open_page("en-US")
    page.click("details.codes summary")
    assert page.inner_text("#codes-far") == ""
    page.fill("#codes", first)
    assert f"still missing: {', '.join(str(n) for n in range(2, 3 + len(rest)))}" in page.inner_text(
        "#codes-far"
    )
    give(page, "\n".join([first, *rest]))
    page.wait_for_selector(".notice[role=alert]")
    assert f"code 2 of {2 + len(rest)} is missing" in page.inner_text(".notice")
    # What was pasted stays, also in the other language.
    page.click("header button")
    assert "还缺第 2 个" in page.inner_text("#codes-far")
    give(page, page.input_value("#codes") + "\n" + second)
    page.wait_for_selector(".notice.good")
    assert page.input_value("#codes") == ""


def test_what_does_not_belong_together_is_refused_with_its_numbers(open_page: Any, codes: Any) -> None:
    texts, others = codes("drawn"), codes("missed")
    again = texts[0][:-1] + str((int(texts[0][-1]) + 1) % 10)
    last = texts[-1][:-1] + str((int(texts[-1][-1]) + 1) % 10)
    for given, complaint in (
        ([*texts[:-1], others[-1]], "不止一份回执"),
        ([*texts, again], "第 1 个二维码有两份不同的文本"),
        ([*texts[:-1], last], "有损坏"),
        ([text.replace("DUALRANDOM", "OTHER") for text in texts], "没有完整的回执二维码文本"),
    ):
        page = open_page()
        give(page, "\n".join(given))
        page.wait_for_selector(".notice[role=alert]")
        assert complaint in page.inner_text(".notice")


def test_texts_may_be_given_as_files(open_page: Any, campaign: Any, codes: Any, tmp_path: Path) -> None:
    paths = []
    for number, text in enumerate(codes("inspector")):
        paths.append(tmp_path / f"{number}.txt")
        paths[-1].write_text(text)
    page = open_page()
    page.set_input_files("#files", [str(path) for path in paths[1:]])
    page.wait_for_selector(".notice[role=alert]")
    assert "缺少第 1 个" in page.inner_text(".notice")
    page.set_input_files("#files", str(paths[0]))
    page.wait_for_selector(".notice.good")
    page.set_input_files("#folder", str(campaign("sealed-drand") / "public"))
    due = json.loads((RECEIPTS / "expected.json").read_text())["inspector"]
    page.wait_for_selector(f'#verdict-of-receipt[data-status="{due}"]')


def test_pictures_of_codes_are_read_where_the_browser_can(open_page: Any, codes: Any, tmp_path: Path) -> None:
    texts = codes("drawn")
    paths = []
    for number in range(len(texts)):
        paths.append(str(tmp_path / f"{number}.png"))
        Path(paths[-1]).write_bytes(picture(number + 1))
    page = open_page()
    page.evaluate(DETECTOR % json.dumps(texts))
    page.click("header button")
    page.click("details.codes summary")
    page.set_input_files("#pictures", paths[:1])
    page.wait_for_selector(".notice[role=alert]")
    assert "missing" in page.inner_text(".notice")
    page.set_input_files("#pictures", paths[1:])
    page.wait_for_selector(".notice.good")


def test_where_the_browser_reads_no_pictures_it_says_what_to_do(open_page: Any, tmp_path: Path) -> None:
    (tmp_path / "code.png").write_bytes(picture(9))
    page = open_page()
    page.evaluate("delete globalThis.BarcodeDetector")
    page.set_input_files("#files", str(tmp_path / "code.png"))
    page.wait_for_selector(".notice[role=alert]")
    assert "请用手机扫描" in page.inner_text(".notice")
