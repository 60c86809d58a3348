"""The JSON Schema of changes.jsonl describes the rows of the vectors, and knows the same reasons as engine and verifier."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from dualrandom.changes import EXCLUSIONS, REPLACEMENTS, WITHDRAWALS
from dualrandom.verify.change_rows import EXCLUSION_REASONS, REPLACEMENT_REACH, WITHDRAWAL_REASONS

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[2] / "docs" / "schemas" / "row-changes.schema.json").read_text("utf-8")
)
PAGE = (Path(__file__).resolve().parents[2] / "docs" / "protocol.md").read_text("utf-8")


@pytest.fixture
def rows(stored: dict[str, dict[str, bytes]]) -> list[dict[str, Any]]:
    return [
        json.loads(row)
        for files in stored.values()
        for row in files.get("public/changes.jsonl", b"").splitlines()
    ]


def test_published_changes_have_the_form_of_their_schema(rows: list[dict[str, Any]]) -> None:
    assert {row["type"] for row in rows} == {"exclude", "substitute", "replace", "withdraw"}
    for row in rows:
        Draft202012Validator(SCHEMA).validate(row)


def test_rows_out_of_form_are_refused_by_the_schema(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        for change in ({"number": 0}, {"prev": "0"}, {"type": "amend"}, {"remark": ""}, {"reason": "bored"}):
            assert not Draft202012Validator(SCHEMA).is_valid(row | change)


def test_engine_verifier_schema_and_page_know_the_same_reasons() -> None:
    exclude, _, replace, withdraw = SCHEMA["oneOf"]
    assert exclude["properties"]["reason"]["enum"] == list(EXCLUSIONS) == list(EXCLUSION_REASONS)
    assert replace["properties"]["reason"]["enum"] == list(REPLACEMENTS) == list(REPLACEMENT_REACH)
    assert withdraw["properties"]["reason"]["enum"] == list(WITHDRAWALS) == list(WITHDRAWAL_REASONS)
    sections = ((EXCLUSIONS, "13.1", "13.2"), (REPLACEMENTS, "13.3", "13.4"), (WITHDRAWALS, "13.4", "13.5"))
    for reasons, begin, end in sections:
        section = PAGE[PAGE.index(f"### {begin}") : PAGE.index(f"### {end}")]
        for code, words in reasons.items():
            assert f"| `{code}` {words.zh} |" in section
