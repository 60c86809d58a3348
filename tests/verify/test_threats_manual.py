"""docs/threats.md names the tests that make its attacks, in both languages, and every one of them."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent


def named(text: str) -> set[str]:
    return set(re.findall(r"`(test_[a-z0-9_]+)`", text))


def test_every_attack_of_the_manual_is_made_by_a_test_and_every_test_is_in_the_manual() -> None:
    made = set(re.findall(r"^def (test_\w+)", (HERE / "test_threats.py").read_text("utf-8"), re.MULTILINE))
    made -= {"test_the_record_that_is_attacked_is_an_honest_one"}
    others = set(
        re.findall(
            r"^def (test_\w+)", (HERE / "test_three_readings_agree.py").read_text("utf-8"), re.MULTILINE
        )
    )
    for page in ("threats.md", "threats.zh-CN.md"):
        found = named((ROOT / "docs" / page).read_text("utf-8"))
        assert made <= found
        assert found <= made | others


def test_both_languages_have_the_same_rows() -> None:
    rows = [
        [
            named(line)
            for line in (ROOT / "docs" / page).read_text("utf-8").splitlines()
            if line.startswith("| ")
        ]
        for page in ("threats.md", "threats.zh-CN.md")
    ]
    assert rows[0] == rows[1]
    assert len(rows[0]) == 18
