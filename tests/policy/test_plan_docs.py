"""The documentation of the plan is held to what the reader reads."""

import re
from pathlib import Path

import pytest

from dualrandom.policy.layout import LIBRARIES, Value, documented
from dualrandom.policy.reader import parse_plan
from dualrandom.policy.writer import toml

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {"plan.md": "required", "plan.zh-CN.md": "必填"}


def layout() -> dict[str, Value]:
    """Every key once; the five libraries share theirs."""
    kinds = "|".join(LIBRARIES)
    return {re.sub(rf"^libraries\.({kinds})\.", "libraries.*.", path): value for path, value in documented()}


def rows(page: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in (DOCS / page).read_text("utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("| `"):
            key = cells[0].strip("`")
            assert key not in found, f"{key} is described twice"
            assert len(cells) == 4, line
            found[key] = cells[1:]
    return found


@pytest.mark.parametrize("page", PAGES)
def test_every_key_is_documented_and_no_other(page: str) -> None:
    assert set(rows(page)) == set(layout())


@pytest.mark.parametrize("page", PAGES)
def test_defaults_are_those_of_the_reader(page: str) -> None:
    described = rows(page)
    for key, value in layout().items():
        default = described[key][0]
        if value.required:
            assert default == PAGES[page], key
        elif value.default is not None:
            assert default == f"`{toml(value.default)}`", key
        elif value.shown is not None:
            assert default != "—", key


@pytest.mark.parametrize("page", PAGES)
def test_all_allowed_words_are_listed(page: str) -> None:
    described = rows(page)
    for key, value in layout().items():
        if value.options and key not in ("libraries.*.columns", "libraries.*.values"):
            assert tuple(re.findall(r"`([a-z0-9-]+)`", described[key][1])) == value.options, key


@pytest.mark.parametrize("page", PAGES)
def test_the_examples_together_are_a_plan_without_mistakes(page: str) -> None:
    blocks = re.findall(r"```toml\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL)
    result = parse_plan("\n".join(blocks).encode())
    assert result.problems == ()
    assert result.plan is not None


def test_both_pages_give_the_same_examples() -> None:
    first, second = (
        re.findall(r"```toml\n(.*?)```", (DOCS / page).read_text("utf-8"), re.DOTALL) for page in PAGES
    )
    assert first == second


def test_both_pages_allow_the_same_numbers() -> None:
    for key, (_, allowed, _) in rows("plan.md").items():
        found = [re.findall(r"\d+–\d+", text) for text in (allowed, rows("plan.zh-CN.md")[key][1])]
        assert found[0] == found[1], key
