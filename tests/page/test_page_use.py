"""The page as people use it: a journalist, an auditor, an enterprise."""

from __future__ import annotations

import functools
import hashlib
import http.server
import json
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "api" / "dualrandom_api" / "assets" / "verify.html"

Opened = Callable[..., Page]
Made = Callable[[str], Path]


def status(page: Page, check: str) -> str | None:
    return page.get_attribute(f'[data-check="{check}"]', "data-status")


def test_a_journalist_checks_a_folder_and_reads_the_verdict_in_chinese(
    open_page: Opened, campaign: Made
) -> None:
    page = open_page()
    assert "把公布的文件夹拖到这里" in page.inner_text("main")
    page.set_input_files("#folder", str(campaign("open-drand") / "public"))
    page.wait_for_selector(".verdict.part")
    assert "没有发现错误" in page.inner_text(".verdict")
    assert status(page, "prices") == "PASS"
    assert status(page, "log") == "NOT CHECKED"
    assert "透明日志" in page.inner_text('[data-check="log"]')


def test_a_false_record_is_called_false_with_the_reason(
    open_page: Opened, mutant: Any, tmp_path: Path
) -> None:
    _, files = mutant("swapped-enterprise")
    (tmp_path / "record").mkdir()
    for name, data in files.items():
        if name.startswith("public/"):
            (tmp_path / "record" / name.removeprefix("public/")).write_bytes(data)
    page = open_page("en-US")
    page.set_input_files("#files", [str(path) for path in sorted((tmp_path / "record").iterdir())])
    page.wait_for_selector(".verdict.fail")
    assert "Something is wrong" in page.inner_text(".verdict")
    assert status(page, "selection") == "FAIL"
    assert "smallest tickets" in page.inner_text('[data-check="selection"]')


def test_the_language_can_be_changed_at_any_time(open_page: Opened, campaign: Made) -> None:
    page = open_page()
    page.click("header button")
    assert page.inner_text("h1") == "Check a double-random draw"
    page.set_input_files("#folder", str(campaign("sealed-drand") / "public"))
    page.wait_for_selector(".verdict")
    page.click("header button")
    assert page.get_attribute("html", "lang") == "zh-CN"
    assert "密封" in page.inner_text('[data-check="selection"]')


def test_an_auditor_gives_the_private_folder_and_sees_what_is_sealed(
    open_page: Opened, campaign: Made
) -> None:
    page = open_page()
    folder = campaign("sealed-drand")
    page.set_input_files("#folder", str(folder / "public"))
    page.wait_for_selector(".verdict")
    assert status(page, "selection") == "NOT CHECKED"
    page.reload()
    page.set_input_files("#folder", str(folder))
    page.wait_for_selector(".verdict")
    assert status(page, "selection") == "PASS"
    assert "已使用审计材料" in page.inner_text(".verdict")


def test_one_enterprise_is_computed_by_hand_as_anybody_can(open_page: Opened, campaign: Made) -> None:
    page = open_page()
    folder = campaign("open-drand") / "public"
    page.set_input_files("#folder", str(folder))
    page.wait_for_selector(".verdict")
    page.fill("#search", "e1")
    page.wait_for_selector('.matches button[data-id="E11"]')
    page.click('.matches button[data-id="E11"]')
    page.wait_for_selector("#explained .command")
    command = page.inner_text("#explained .command code")
    seed = json.loads((folder / "result.json").read_bytes())["seed"]
    assert command == f"printf '%s' '{seed}:enterprise:E11' | sha256sum"
    ticket = hashlib.sha256(f"{seed}:enterprise:E11".encode()).hexdigest()
    assert page.inner_text("#explained .command output") == ticket


def ticket_of(folder: Path, opening: Any) -> str:
    seed = json.loads((folder / "public" / "result.json").read_bytes())["seed"]
    return hashlib.sha256(f"{seed}:enterprise:{opening['id']}:{opening['salt']}".encode()).hexdigest()


def test_an_enterprise_computes_its_ticket_from_the_salt_of_its_receipt(
    open_page: Opened, campaign: Made
) -> None:
    folder = campaign("sealed-drand")
    opening = (folder / "private" / "openings" / "frame.jsonl").read_text(encoding="utf-8").splitlines()[0]
    row = json.loads(opening)
    page = open_page()
    page.set_input_files("#folder", str(folder / "public"))
    page.wait_for_selector(".verdict")
    page.fill("#search", row["id"])
    page.click(f'.matches button[data-id="{row["id"]}"]')
    page.fill("#receipt", "no salt")
    page.press("#receipt", "Enter")
    page.wait_for_selector("#explained .notice:not([hidden])")
    page.fill("#receipt", row["salt"])
    page.press("#receipt", "Enter")
    page.wait_for_selector("#explained .command")
    assert page.inner_text("#explained .command output") == ticket_of(folder, row)


def receipts(name: str) -> Path:
    return ROOT / "tests" / "vectors" / "happy" / name / "receipts"


@pytest.mark.parametrize("first", [True, False])
def test_an_enterprise_gives_its_receipt_before_or_after_the_folder_and_reads_the_verdict(
    first: bool, open_page: Opened, campaign: Made
) -> None:
    folder = campaign("sealed-drand")
    path = receipts("sealed-drand") / "drawn.json"
    page = open_page()
    if first:
        page.set_input_files("#files", str(path))
        page.wait_for_selector(".notice.good")
        assert "回执" in page.inner_text(".notice")
    page.set_input_files("#folder", str(folder / "public"))
    page.wait_for_selector(".verdict")
    if not first:
        row = json.loads(path.read_bytes())["subject"]["id"]
        page.fill("#search", row)
        page.click(f'.matches button[data-id="{row}"]')
        page.set_input_files("#receipt-file", str(path))
    page.wait_for_selector("#explained td.yes")
    assert status(page, "receipt") == "PASS"
    assert "应当抽中" in page.inner_text("#verdict-of-receipt")
    (frame,) = (row for row in json.loads(path.read_bytes())["rows"] if row["list"] == "frame")
    assert page.inner_text("#explained .command output") == ticket_of(folder, frame["opening"])
    assert "个签号中第" in page.inner_text("#explained table")


def test_an_enterprise_that_was_passed_over_reads_so(open_page: Opened, mutant: Any, tmp_path: Path) -> None:
    about, files = mutant("passed-over")
    for name, data in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    page = open_page()
    page.set_input_files("#files", str(tmp_path / "receipts" / f"{about['receipt']}.json"))
    page.wait_for_selector(".notice.good")
    page.set_input_files("#folder", str(tmp_path / "public"))
    page.wait_for_selector("#verdict-of-receipt.fail")
    assert "跳过了该企业" in page.inner_text("#verdict-of-receipt")


def test_a_reader_says_whom_to_trust_and_the_log_is_checked(open_page: Opened, campaign: Made) -> None:
    policy = ROOT / "tests" / "vectors" / "happy" / "open-logged" / "reader" / "log.policy"
    page = open_page()
    page.set_input_files("#folder", str(campaign("open-logged") / "public"))
    page.wait_for_selector(".verdict.part")
    assert status(page, "log") == "NOT CHECKED"
    assert "是否可信由您判断" in page.inner_text('[data-check="log"]')
    page.fill("#policy", "quorum nobody")
    page.get_by_text("按此策略再核对一次").click()
    page.wait_for_selector("#policy ~ .notice:not([hidden])")
    page.set_input_files("#policy-file", str(policy))
    page.wait_for_selector(".verdict.pass")
    assert status(page, "events") == "PASS"
    assert "全部核对无误" in page.inner_text(".verdict")


def test_whom_to_trust_is_never_taken_from_the_record(open_page: Opened, campaign: Made) -> None:
    folder = campaign("open-logged") / "public"
    policy = ROOT / "tests" / "vectors" / "happy" / "open-logged" / "reader" / "log.policy"
    shutil.copy(policy, folder / "log.policy")
    page = open_page()
    page.set_input_files("#folder", str(folder))
    page.wait_for_selector(".verdict.part")
    assert status(page, "log") == "NOT CHECKED"


def test_before_the_draw_the_page_says_what_is_waited_for(open_page: Opened, campaign: Made) -> None:
    page = open_page()
    page.set_input_files("#folder", str(campaign("open-announced") / "public"))
    page.wait_for_selector(".verdict.part")
    assert "尚未抽取" in page.inner_text(".verdict")
    assert status(page, "lists") == "PASS"


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("notes.txt", "收到 1 个文件（notes.txt），其中没有 announcement.json"),
        ("public.zip", "public.zip 是压缩包"),
        (None, "文件夹是空的"),
    ],
)
def test_what_is_no_record_is_refused_with_what_it_was(
    name: str | None, complaint: str, open_page: Opened, tmp_path: Path
) -> None:
    (tmp_path / "given").mkdir()
    if name is not None:
        (tmp_path / "given" / name).write_text("hello", encoding="utf-8")
    page = open_page()
    page.set_input_files("#folder", str(tmp_path / "given"))
    page.wait_for_selector(".notice[role=alert]")
    assert complaint in page.inner_text(".notice")


def drop(page: Page, *paths: Path) -> None:
    """Drop files or folders of this machine, as a person does with the mouse."""
    session = page.context.new_cdp_session(page)
    data = {"dragOperationsMask": 1, "files": [str(path) for path in paths], "items": []}
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"data": data, "type": kind, "x": 300, "y": 300})
    session.detach()


def test_folders_are_dropped_on_the_page_opened_from_its_file(open_page: Opened, campaign: Made) -> None:
    folder = campaign("sealed-drand") / "public"
    page = open_page()
    drop(page, folder, receipts("sealed-drand") / "drawn.json")
    page.wait_for_selector("#verdict-of-receipt.pass")
    assert status(page, "lists") == "NOT CHECKED"
    drop(page, folder / "result.json")
    page.wait_for_selector(".notice[role=alert]")
    assert "result.json" in page.inner_text(".notice[role=alert]")
    assert page.query_selector(".verdict.part") is not None


def test_of_several_records_it_says_which_one_this_is(
    open_page: Opened, campaign: Made, tmp_path: Path
) -> None:
    for name in ("first", "second"):
        shutil.copytree(campaign("open-drand") / "public", tmp_path / "draws" / name)
        shutil.rmtree(tmp_path / "open-drand")
    page = open_page()
    drop(page, tmp_path / "draws")
    page.wait_for_selector(".verdict")
    assert "其中有 2 次抽取。这里复核的是 draws/first" in page.inner_text(".notice.good")


def test_a_folder_can_be_dropped(open_page: Opened, happy: Any) -> None:
    page = open_page()
    files = {name[7:]: data.decode() for name, data in happy("open-drand").items() if "/" not in name[7:]}
    page.evaluate(
        """(files) => {
          const transfer = new DataTransfer();
          for (const [name, text] of Object.entries(files)) transfer.items.add(new File([text], name));
          window.dispatchEvent(new DragEvent("drop", { dataTransfer: transfer, bubbles: true, cancelable: true }));
        }""",
        files,
    )
    page.wait_for_selector(".verdict.part")
    assert status(page, "announcement") == "PASS"
    assert status(page, "result") == "PASS"


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    folder = tmp_path / "site"
    folder.mkdir()
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder))
    )
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", folder
    server.shutdown()
    server.server_close()
    thread.join()


def test_served_beside_a_record_over_plain_http_it_checks_it_at_once(
    browser: Any, campaign: Made, site: tuple[str, Path]
) -> None:
    address, folder = site
    shutil.copytree(campaign("open-drawn-after-void") / "public", folder / "draw")
    shutil.copy(PAGE, folder / "draw" / "verify.html")
    page = browser.new_page(locale="zh-CN")
    page.set_default_timeout(180_000)
    page.goto(f"{address}/draw/verify.html")
    page.wait_for_selector(".verdict.part")
    assert status(page, "draws") == "PASS"
    page.close()


def test_it_fetches_a_record_with_its_log_by_its_address(
    browser: Any, campaign: Made, site: tuple[str, Path]
) -> None:
    address, folder = site
    shutil.copytree(campaign("open-logged-changed") / "public", folder / "2023" / "000001")
    shutil.copy(PAGE, folder / "verify.html")
    page = browser.new_page(locale="zh-CN")
    page.set_default_timeout(180_000)
    page.goto(f"{address}/verify.html")
    page.fill("#address", "2023/000001")
    page.press("#address", "Enter")
    page.wait_for_selector(".verdict.part")
    page.set_input_files(
        "#policy-file",
        str(ROOT / "tests" / "vectors" / "happy" / "open-logged-changed" / "reader" / "log.policy"),
    )
    page.wait_for_selector('[data-check="log"][data-status="PASS"]')
    assert status(page, "events") == "PASS"
    page.reload()
    page.fill("#address", "nowhere")
    page.press("#address", "Enter")
    page.wait_for_selector(".notice")
    page.close()
