"""The table of rules names tests and examples that are there."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TABLE = ROOT / "docs" / "measurements" / "rules.md"
ROWS = [line.split(" | ") for line in TABLE.read_text("utf-8").splitlines() if line.startswith("| ")][1:]


def anchors(manual: Path) -> set[str]:
    """The anchors of a manual's headings, as hosts of repositories make them."""
    headings = re.findall(r"^#+ (.*)$", manual.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_test_of_the_table_exists() -> None:
    assert len(ROWS) > 20
    for rule, tests, _ in ROWS:
        named = re.findall(r"`([\w/]+\.py)::(\w+)`", tests)
        assert named, rule
        for file, test in named:
            assert f"def {test}(" in (ROOT / file).read_text("utf-8"), test


def test_every_rule_has_an_example_in_both_languages() -> None:
    for rule, _, examples in ROWS:
        links = re.findall(r"\]\(([^)#]+)(?:#([^)]+))?\)", examples)
        assert links, rule
        for path, anchor in links:
            manual = (TABLE.parent / path).resolve()
            assert not anchor or anchor in anchors(manual), (rule, anchor)
            # measurements and the protocol are in both languages in one, or the authority in one
            if manual.parent == ROOT / "docs" and manual.name != "protocol.md":
                assert manual.with_suffix(".zh-CN.md").exists(), rule
