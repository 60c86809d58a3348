"""The manual on privacy says the same in both languages, with the figures that were measured."""

import re
from pathlib import Path

DOCS = Path(__file__).resolve().parents[2] / "docs"
ENGLISH, CHINESE = ((DOCS / f"privacy{suffix}.md").read_text("utf-8") for suffix in ("", ".zh-CN"))


def figures(text: str) -> list[str]:
    return re.findall(r"\d[\d,.]* %", text)


def test_both_languages_have_the_same_sections_points_and_figures() -> None:
    for mark in (r"^## ", r"^- \*\*", r"^\| ", r"`[a-z]+\.jsonl?`"):
        found = [len(re.findall(mark, text, re.MULTILINE)) for text in (ENGLISH, CHINESE)]
        assert found[0] == found[1] > 0, mark
    assert figures(ENGLISH) == figures(CHINESE)


def test_it_says_what_cryptography_cannot_close() -> None:
    section = ENGLISH.split("## What cryptography cannot close")[1]
    for words in ("false register", "leaked list", "Wrong classes", "Everybody together", "witnesses"):
        assert words in section
