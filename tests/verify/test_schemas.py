"""The JSON Schemas describe the documents of the vectors, and refuse what the protocol refuses by form."""

import json
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

SCHEMAS = Path(__file__).resolve().parents[2] / "docs" / "schemas"
DOCUMENTS = ("announcement", "beacon", "result", "statistics", "labels", "findings", "void")
LISTS = ("frame", "roster", "recusals", "strata", "cutoffs", "visits")


def validator(name: str, part: str | None = None) -> Draft202012Validator:
    schema = json.loads((SCHEMAS / f"{name}.schema.json").read_text("utf-8"))
    if part is not None:
        schema = {"$ref": f"#/$defs/{part}", "$defs": schema["$defs"]}
    return Draft202012Validator(schema)


def rows(data: bytes) -> list[Any]:
    return [json.loads(row) for row in data.splitlines()]


@pytest.mark.parametrize("path", sorted(SCHEMAS.glob("*.json")), ids=lambda path: path.name)
def test_a_schema_is_valid_itself(path: Path) -> None:
    Draft202012Validator.check_schema(json.loads(path.read_text("utf-8")))


@pytest.mark.parametrize("name", DOCUMENTS)
def test_published_documents_have_the_form_of_their_schema(
    name: str, stored: dict[str, dict[str, bytes]]
) -> None:
    documents = [files[f"public/{name}.json"] for files in stored.values() if f"public/{name}.json" in files]
    assert documents
    for document in documents:
        validator(name).validate(json.loads(document))


def test_revealed_nonces_have_the_form_of_their_schema(stored: dict[str, dict[str, bytes]]) -> None:
    reveals = [
        data
        for files in stored.values()
        for name, data in files.items()
        if name.startswith("public/reveals/")
    ]
    assert reveals
    for reveal in reveals:
        validator("reveal").validate(json.loads(reveal))


@pytest.mark.parametrize("name", LISTS)
def test_rows_and_openings_have_the_form_of_their_schema(
    name: str, stored: dict[str, dict[str, bytes]]
) -> None:
    seen = 0
    for files in stored.values():
        for row in rows(files.get(f"public/{name}.jsonl", b"")):
            validator(f"row-{name}").validate(row)
            seen += 1
        for opening in rows(files.get(f"auditor/openings/{name}.jsonl", b"")):
            validator("opening").validate(opening)
            validator(f"row-{name}", "hidden").validate(opening["hidden"])
            seen += 1
    assert seen


def test_ties_have_the_form_of_their_schema() -> None:
    crew = {"department": "amr", "enterprise": "E1", "part": 1, "seats": ["a", "b"]}
    price = {"days": {"2023-09-04": "12"}, "inspector": "a", "period": "0"}
    attempt = {"attempt": 0, "crews": [crew], "prices": [price]}
    validator("ties").validate(
        {"announcement": "0" * 64, "attempts": [attempt], "type": "dualrandom/v1/ties"}
    )


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("announcement", {"suite": "md5"}),
        ("announcement", {"profiles": None}),
        ("announcement", {"auditor": {"key": "", "name": ""}}),
        ("announcement", {"days": []}),
        ("result", {"attempt": True}),
        ("result", {"seed": "0"}),
        ("beacon", {"signature": None}),
        ("statistics", {"remark": ""}),
    ],
)
def test_a_document_out_of_form_is_refused(
    name: str, change: dict[str, Any], stored: dict[str, dict[str, bytes]]
) -> None:
    document = json.loads(stored["open-drand"][f"public/{name}.json"])
    assert validator(name).is_valid(document)
    assert not validator(name).is_valid(document | change)
