"""The verifier page in Debian's Chromium, and its verifier in Node. Without a browser, or Node, tests are skipped and say so.

Records by the hundred are judged by the script of the page's background thread in one Node process, without a browser:
`tests/verify/page_in_node.mjs` says how to ask it, one JSON line a record; the fixture `in_node` does.
"""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from dualrandom.verify import CHECK_NAMES

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "api" / "dualrandom_api" / "assets" / "verify.html"
VECTORS = ROOT / "tests" / "vectors"
CHROMIUM = "/usr/bin/chromium"

Files = dict[str, bytes]

# How the tests call what the interface itself calls.
CALL = """async ([files, auditor, policy, receipt]) => {
  const bytes = (text) => text === null ? null : Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
  const all = (given) => Object.fromEntries(Object.entries(given).map(([name, text]) => [name, bytes(text)]));
  const held = auditor && { secret: auditor.secret, openings: all(auditor.openings) };
  const found = await window.dualrandomVerify(all(files), held, bytes(policy), bytes(receipt));
  return { exit: found.exit, checks: found.outcomes.map((one) => [one.name, one.status, one.reason.zh, one.reason.en]) };
}"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip(f"no browser: {CHROMIUM} is missing (apt-get install chromium fonts-noto-cjk libatomic1)")
    # Module scope: a running playwright would break the asyncio tests of other modules.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM)
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Open the page from its file; anything that it says on the console, or any request, is a failure."""
    complaints: list[str] = []
    contexts = []

    def opened(locale: str = "zh-CN", address: str = f"file://{PAGE}", **more: Any) -> Page:
        context = browser.new_context(locale=locale, **more)
        contexts.append(context)
        # Other programs may be busy: a test waits for what is due, however long that takes, within reason.
        context.set_default_timeout(180_000)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        if address.startswith("file:"):
            page.on(
                "request",
                lambda request: (
                    None if request.url.startswith(("file:", "blob:")) else complaints.append(request.url)
                ),
            )
        page.goto(address)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert complaints == []


def encoded(data: bytes | None) -> str | None:
    return None if data is None else base64.b64encode(data).decode()


def within(files: Files, folder: str, end: str = "") -> dict[str, str | None]:
    return {
        name[len(folder) : len(name) - len(end)]: encoded(data)
        for name, data in files.items()
        if name.startswith(folder) and name.endswith(end)
    }


def policy_of(files: Files, policy: bool) -> str | None:
    return encoded(files.get("reader/log.policy")) if policy else None


def receipt_of(files: Files, receipt: str | None) -> str | None:
    return None if receipt is None else encoded(files[f"receipts/{receipt}.json"])


@pytest.fixture(scope="module")
def verified(browser: Browser) -> Iterator[Callable[..., dict[str, Any]]]:
    """Verify a vector's files in the page."""
    page = browser.new_page()
    page.goto(f"file://{PAGE}")

    def verify(
        files: Files, auditor: bool = False, policy: bool = True, receipt: str | None = None
    ) -> dict[str, Any]:
        material = None
        if auditor:
            openings = within(files, "auditor/openings/", ".jsonl")
            material = {"secret": files["auditor/list-secret"].decode(), "openings": openings}
        given = [within(files, "public/"), material, policy_of(files, policy), receipt_of(files, receipt)]
        found: dict[str, Any] = page.evaluate(CALL, given)
        return found

    yield verify
    page.close()


@pytest.fixture(scope="module")
def in_node() -> Iterator[Callable[..., dict[str, Any]]]:
    """Verify a vector's files with the page's verifier in one Node process."""
    if shutil.which("node") is None:
        pytest.skip("no Node (install nodejs 20 or later)")
    script = ROOT / "tests" / "verify" / "page_in_node.mjs"
    with subprocess.Popen(
        ["node", str(script), str(PAGE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        stdin, stdout = process.stdin, process.stdout

        def verify(
            files: Files, auditor: bool = False, policy: bool = True, receipt: str | None = None
        ) -> dict[str, Any]:
            material = None
            if auditor:
                secret = encoded(bytes.fromhex(files["auditor/list-secret"].decode()))
                material = {"secret": secret, "openings": within(files, "auditor/openings/", ".jsonl")}
            given = {
                "auditor": material,
                "checks": CHECK_NAMES,
                "files": within(files, "public/"),
                "policy": policy_of(files, policy),
                "receipt": receipt_of(files, receipt),
            }
            stdin.write(json.dumps(given) + "\n")
            stdin.flush()
            answer: dict[str, Any] = json.loads(stdout.readline())
            return answer

        yield verify
        stdin.close()


@pytest.fixture
def campaign(tmp_path: Path) -> Callable[[str], Path]:
    """A vector as folders public/ and private/, as an office keeps them."""

    def made(name: str) -> Path:
        folder = tmp_path / name
        shutil.copytree(VECTORS / "happy" / name / "public", folder / "public")
        if (VECTORS / "happy" / name / "auditor").is_dir():
            shutil.copytree(VECTORS / "happy" / name / "auditor", folder / "private")
        return folder

    return made
