"""The manual lists every column, heading, word and fault that the code knows, in both languages."""

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest

from dualrandom.registry.columns import KINDS, LIBRARIES, Kind
from dualrandom.registry.faults import FAULTS
from dualrandom.registry.parsers import GROUNDS, ITEM_CATEGORIES, OBJECT_KINDS, VISIT_KINDS, defaults, model

DOCS = Path(__file__).resolve().parents[2] / "docs"
MANUALS = [("libraries.md", "en"), ("libraries.zh-CN.md", "zh")]


def cells(name: str) -> list[list[str]]:
    """Return the cells of every table row of a manual."""
    lines = (DOCS / name).read_text("utf-8").splitlines()
    return [
        [cell.strip() for cell in line.strip("| ").split(" | ")] for line in lines if line.startswith("|")
    ]


@pytest.mark.parametrize(("name", "language"), MANUALS)
@pytest.mark.parametrize("kind", KINDS)
def test_every_column_is_documented_as_it_is(name: str, language: str, kind: Kind) -> None:
    text = (DOCS / name).read_text("utf-8")
    start = text.index(f"（{kind}）\n" if language == "zh" else f"\n## {kind} ·")
    section = text[start : text.index("\n## ", start + 5)]
    rows = {
        row[1]: row
        for row in ([cell.strip() for cell in line.strip("| ").split(" | ")] for line in section.splitlines())
        if len(row) == 6
    }
    for column in LIBRARIES[kind].columns:
        zh = language == "zh"
        assert rows.pop(f"`{column.name}`") == [
            column.zh if zh else f"{column.en} · {column.zh}",
            f"`{column.name}`",
            {True: ("yes", "是"), False: ("no", "否")}[column.required][zh],
            column.about_zh if zh else column.about_en,
            f"`{column.example}`",
            ("、" if zh else ", ").join(column.headings),
        ]
    assert set(rows) <= {"---", "name", "名称（name）"}


@pytest.mark.parametrize(("name", "language"), MANUALS)
def test_every_fault_is_documented_as_it_is(name: str, language: str) -> None:
    documented = {
        row[0].strip("`"): row[1:] for row in cells(name) if len(row) == 4 and row[0].startswith("`")
    }
    zh = language == "zh"
    assert documented == {
        code: [
            {"error": ("error", "错误"), "warning": ("warning", "提醒")}[fault.severity][zh],
            fault.zh if zh else fault.en,
            fault.remedy_zh if zh else fault.remedy_en,
        ]
        for code, fault in FAULTS.items()
    }


@pytest.mark.parametrize(("name", "language"), MANUALS)
def test_every_word_is_documented(name: str, language: str) -> None:
    documented = {
        (row[0].strip("`"), row[1]) for row in cells(name) if len(row) == 2 and row[0].startswith("`")
    }
    comma = "、" if language == "zh" else ", "
    words = (*OBJECT_KINDS, *ITEM_CATEGORIES, *GROUNDS, *VISIT_KINDS)
    assert documented == {(code, comma.join(others)) for code, others in words}


@pytest.mark.parametrize("kind", KINDS)
def test_columns_are_the_fields_of_the_rows(kind: Kind) -> None:
    library = LIBRARIES[kind]
    assert [column.name for column in library.columns] == [field.name for field in fields(model(kind))]  # type: ignore[arg-type]
    optional = {column.name for column in library.columns if not column.required}
    assert set(defaults(kind)) == optional


@pytest.mark.parametrize(("name", "language"), MANUALS)
def test_the_example_of_a_map_is_valid(name: str, language: str) -> None:
    example = (DOCS / name).read_text("utf-8").split("```toml\n")[1].split("```")[0]
    source = tomllib.loads(example)["libraries"]["enterprises"]
    known = {column.name for column in LIBRARIES["enterprises"].columns}
    assert set(source["columns"]) | set(source["values"]) <= known
