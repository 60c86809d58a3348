"""The schema is kept: whatever is sent, as whom, no route crashes or answers with something that it does not name."""

import os
import re
from datetime import timedelta
from pathlib import Path
from typing import Any
from zlib import crc32

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import CHECKS, load_all_checks
from schemathesis.core.failures import FailureGroup

from dualrandom.store import accounts
from dualrandom_api.service.manual import PAGES, SECTIONS, brought_up, example_of
from dualrandom_api.service.problems import REGISTRY
from dualrandom_api.service.schema import operations

DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
EXAMPLES = 15 if DEEP else 1
"""Requests to each route as somebody whom it lets in, 25 ms of work each: 14,000 for all roles on both databases. See REFUSED."""
REFUSED = 2 if DEEP else 1
"""Requests to each route as somebody else: it refuses them before it reads anything, and a public one asks nobody who they are."""
ROLES = {
    "dispatcher": "dispatcher",
    "amr": "department",
    "crew": "crew",
    "auditor": "auditor",
    "support": "support",
    "": "public",
}
CASES = [
    (database, who)
    for database in ("sqlite", "postgres")
    for who in ROLES
    if DEEP
    or (database, who)
    in {("sqlite", "dispatcher"), ("sqlite", "amr"), ("sqlite", ""), ("postgres", "dispatcher")}
]
ONE = pytest.mark.parametrize("drawn_url", ["sqlite"], indirect=True)
DOCS = Path(__file__).parents[2] / "docs"

load_all_checks()
ASSERTED = [
    CHECKS.get_one(name)
    for name in (
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    )
]


@schemathesis.serializer("application/toml")
def toml(_: Any, value: Any) -> Any:
    """Send a body of text as it is."""
    return value if isinstance(value, bytes) else str(value).encode()


def signed_in(drawn: Any, who: str) -> dict[str, str]:
    """The headers of somebody in a new session."""
    if not who:
        return {}
    with drawn.service.database.writing() as session:
        user = accounts.the_user(session, who)
        token, _ = accounts.sign_in(session, user, drawn.clock(), timedelta(days=1), "test")
    return {"Authorization": f"Bearer {token}"}


@pytest.mark.parametrize(("drawn_url", "who"), CASES, indirect=["drawn_url"])
def test_nothing_crashes_and_nothing_is_answered_that_the_schema_does_not_name(drawn: Any, who: str) -> None:
    schema = schemathesis.openapi.from_asgi("/v1/openapi.json", drawn.app)
    faults: list[str] = []
    headers: dict[str, str] = {}
    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        may = ROLES[who] in operation.definition.raw["x-roles"]
        # a route that ends sessions ends none that the next one needs
        headers.update(signed_in(drawn, who))

        # others ask for other things, and the same on both databases
        @seed(crc32(f"{who} {operation.label}".encode()))
        @settings(
            max_examples=EXAMPLES if may else REFUSED,
            database=None,
            deadline=None,
            # each answer is told whole; to shrink what led to it would take as long as all the rest
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=operation.as_strategy())
        def tried(case: Any) -> None:
            response = case.call(headers=headers)
            case.validate_response(response, checks=ASSERTED)

        try:
            tried()
        except (Exception, FailureGroup) as error:  # the latter is no Exception
            faults.append(f"{operation.label}: {str(error)[:600]}")
    drawn.app.state.told[:] = []
    assert faults == []
    # else what came last was refused for another reason than its own
    assert not who or drawn.public.get("/v1/me", headers=signed_in(drawn, who)).status_code == 200


@ONE
def test_every_example_is_one_of_its_kind(drawn: Any) -> None:
    schema = drawn.app.openapi()
    seen = 0

    def walk(part: Any, where: str) -> None:
        nonlocal seen
        if isinstance(part, list):
            for number, one in enumerate(part):
                walk(one, f"{where}[{number}]")
        if not isinstance(part, dict):
            return
        if "examples" in part and isinstance(part["examples"], list) and ("type" in part or "anyOf" in part):
            whole = {**part, "components": schema["components"]}
            for example in part["examples"]:
                seen += 1
                if "…" not in str(example):
                    jsonschema.validate(example, whole, cls=jsonschema.Draft202012Validator)
        for name, one in part.items():
            walk(one, f"{where}/{name}")

    walk(schema["components"]["schemas"], "schemas")
    for method, path, operation in operations(schema):
        for parameter in operation.get("parameters", []):
            if parameter["in"] == "path":
                jsonschema.validate(example_of(parameter), parameter["schema"])
                seen += 1
        for answer in operation["responses"].values():
            of_problem = answer.get("content", {}).get("application/problem+json", {})
            for told in of_problem.get("examples", {}).values():
                jsonschema.validate(
                    told["value"],
                    {"$ref": "#/components/schemas/Problem"} | {"components": schema["components"]},
                )
        assert operation.get("description", "").count(" · ") >= 1, (
            f"{method} {path} says what it is in both languages"
        )
    assert seen > 100


@ONE
def test_the_schema_is_openapi_3_1(drawn: Any) -> None:
    schema = drawn.public.get("/v1/openapi.json").json()
    assert schema["openapi"].startswith("3.1")
    assert set(schema["components"]["securitySchemes"]) == {"bearer", "cookie"}


@ONE
@pytest.mark.parametrize("language", PAGES)
def test_the_manual_has_every_route_and_every_problem(drawn: Any, language: str) -> None:
    text = (DOCS / PAGES[language]).read_text("utf-8")
    assert text == brought_up(text, drawn.app.openapi(), language), (
        "run python -m dualrandom_api.service.manual docs"
    )
    for name in SECTIONS:
        assert text.count(f"<!-- {name} -->") == 1


def test_both_manuals_have_the_same_parts() -> None:
    english, chinese = ((DOCS / PAGES[language]).read_text("utf-8") for language in ("en", "zh"))
    assert english.count("\n## ") == chinese.count("\n## ")
    assert re.findall(r"^    .*$", english, re.MULTILINE) == re.findall(r"^    .*$", chinese, re.MULTILINE)


def test_every_problem_is_told_in_both_languages() -> None:
    for code, one in REGISTRY.items():
        assert re.fullmatch(r"[a-z0-9-]+", code)
        assert re.search(r"[\u4e00-\u9fff]", one.zh + one.remedy_zh), code
        assert re.search(r"[a-z]{3}", one.en), code
        assert re.search(r"[a-zA-Z]{3}", one.remedy_en), code
