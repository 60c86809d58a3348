"""The page in a real browser, from a file: its policy admits its style, one language shows, nothing overflows."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dualrandom.page import render_index

BROWSER = Path("/usr/bin/chromium")
pytestmark = pytest.mark.skipif(not BROWSER.exists(), reason="no Chromium here")


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as driver:
        running = driver.chromium.launch(executable_path=str(BROWSER), args=["--no-sandbox"])
        yield running
        running.close()


@pytest.mark.parametrize("width", [360, 1200])
def test_one_language_shows_at_a_time_and_fits_the_screen(
    draw: Callable[..., dict[str, bytes]], browser: Any, tmp_path: Path, width: int
) -> None:
    path = tmp_path / "index.html"
    path.write_bytes(render_index(draw()))
    page = browser.new_page(viewport={"width": width, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(path.as_uri())
    title = page.locator("h1")
    assert title.inner_text() == "鄂州市市场监督管理局：双随机抽查公示"
    page.get_by_text("English", exact=True).click()
    assert (
        title.inner_text()
        == "Ezhou Administration for Market Regulation: public record of a random inspection draw"
    )
    assert page.locator("main [lang=zh]:visible").count() == 0
    assert page.locator("main [lang=en]:visible").count() > 50
    page.get_by_label("中文").focus()
    page.keyboard.press("Space")
    assert page.locator("main [lang=en]:visible").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate("getComputedStyle(document.querySelector('header')).borderBottomWidth") == "3px"
    assert complaints == []
    assert asked == [path.as_uri()]
    page.close()
