"""The committed verify.html is one safe file, and is what its sources give."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
WEB = ROOT / "api" / "web"
PAGE = ROOT / "api" / "dualrandom_api" / "assets" / "verify.html"


def source_digest() -> str:
    """The digest that build.mjs embeds: sha256 over 'path sha256(content)' lines, ascending by path."""
    paths = sorted(
        path.relative_to(WEB).as_posix()
        for path in WEB.rglob("*")
        if path.is_file() and "node_modules" not in path.relative_to(WEB).parts
    )
    lines = (f"{path} {hashlib.sha256((WEB / path).read_bytes()).hexdigest()}\n" for path in paths)
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def test_the_committed_page_was_built_from_these_sources() -> None:
    embedded = re.findall(r"<!-- sources sha256:([0-9a-f]{64}) -->", PAGE.read_text(encoding="utf-8"))
    assert embedded == [source_digest()], "api/web changed: run `make page` and commit verify.html"


def test_the_policy_admits_this_script_and_style_by_their_hashes_and_nothing_else() -> None:
    html = PAGE.read_text(encoding="utf-8")
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]*)"', html)
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    (script,) = re.findall(r"<script>(.*?)</script>", html, re.S)
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.S)
    for text, rule in ((script, rules["script-src"]), (style, rules["style-src"])):
        assert rule == f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"
    assert "unsafe" not in policy


def test_the_page_refers_to_no_other_file() -> None:
    html = PAGE.read_text(encoding="utf-8")
    markup = re.sub(r"<(script|style)[^>]*>.*?</\1>", "", html, flags=re.S)
    assert not re.search(r"\b(src|href|action)\s*=", markup)
    (style,) = re.findall(r"<style>(.*?)</style>", html, re.S)
    assert "url(" not in style
    assert "@import" not in style


def test_the_lock_of_the_packages_names_no_address() -> None:
    lock = (WEB / "package-lock.json").read_text(encoding="utf-8")
    assert '"resolved"' not in lock
    assert '"integrity"' in lock


def node() -> str:
    found = shutil.which("node")
    if found is None or not (WEB / "node_modules" / "vite").is_dir():
        pytest.skip("no Node, or its packages are not installed (make page)")
    return found


def test_two_builds_give_the_committed_bytes(tmp_path: Path) -> None:
    program = node()
    for name in ("first.html", "second.html"):
        subprocess.run([program, "build.mjs", str(tmp_path / name)], cwd=WEB, check=True, capture_output=True)
        assert (tmp_path / name).read_bytes() == PAGE.read_bytes()


def test_the_pages_own_hashes_agree_with_other_implementations() -> None:
    run = subprocess.run([node(), "check-hash.mjs"], cwd=WEB, check=True, capture_output=True, text=True)
    assert run.stdout.strip().endswith("hashes agree")


def test_the_sources_are_well_typed() -> None:
    program = node()
    subprocess.run(
        [program, "node_modules/typescript/bin/tsc", "--noEmit"], cwd=WEB, check=True, capture_output=True
    )


def test_a_browser_that_hashes_wrongly_is_told_so_before_anything_is_judged(tmp_path: Path) -> None:
    """One constant of SM3 is changed in the page's script, as if the browser computed wrongly."""
    if shutil.which("node") is None:
        pytest.skip("no Node (install nodejs 20 or later)")
    html = PAGE.read_text(encoding="utf-8")
    assert "1937774191" in html
    (tmp_path / "wrong.html").write_text(html.replace("1937774191", "1937774190"), encoding="utf-8")
    request = json.dumps(
        {"auditor": None, "checks": ["canonical"], "files": {}, "policy": None, "receipt": None}
    )
    reader = ROOT / "tests" / "verify" / "page_in_node.mjs"
    for page, complaint in ((PAGE, ""), (tmp_path / "wrong.html", "computes hashes wrongly")):
        run = subprocess.run(
            ["node", str(reader), str(page)],
            input=f"{request}\n",
            capture_output=True,
            text=True,
            check=False,
        )
        assert complaint in run.stderr
        assert (run.returncode == 0) == (complaint == "")
