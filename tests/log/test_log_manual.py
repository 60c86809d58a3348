"""The log's manual tells the truth, in both languages."""

import re
from pathlib import Path

import pytest

import dualrandom.log
from dualrandom.log.entry import EntryType

DOCS = Path(__file__).resolve().parents[2] / "docs"
PAGES = ("log.md", "log.zh-CN.md")
SOURCES = "".join(path.read_text("utf-8") for path in Path(dualrandom.log.__file__).parent.glob("*.py"))


def python_of(page: str) -> str:
    found = re.findall(r"^```python\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)
    assert len(found) == 1
    return str(found[0])


def test_the_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    exec(compile(python_of(PAGES[0]), PAGES[0], "exec"), {})
    assert (tmp_path / "public/log/checkpoint").exists()


def test_both_languages_show_the_same_example() -> None:
    assert python_of(PAGES[0]) == python_of(PAGES[1])


@pytest.mark.parametrize("page", PAGES)
def test_every_entry_type_and_every_code_in_the_manual_exists(page: str) -> None:
    text = (DOCS / page).read_text("utf-8")
    for kind in EntryType:
        assert kind.value in text
    table = text[text.index("## fsck") :]
    codes = set(re.findall(r"`([a-z]+(?:-[a-z]+)+)`", table))
    assert len(codes) >= 15
    for code in codes:
        assert f'"{code}"' in SOURCES, code


def test_the_manual_names_every_problem_of_fsck() -> None:
    fsck = (Path(dualrandom.log.__file__).parent / "fsck.py").read_text("utf-8")
    codes = set(re.findall(r'_problem\(\s*"([a-z-]+)"', fsck))
    assert codes
    for page in PAGES:
        text = (DOCS / page).read_text("utf-8")
        assert {code for code in codes if f"`{code}`" not in text} == set()
