"""The department's guide: each of its requests is one that the service has, and both languages give the same ones."""

import re
from pathlib import Path
from typing import Any

import pytest

DOCS = Path(__file__).resolve().parents[2] / "docs"
GUIDES = ("department.md", "department.zh-CN.md")
REQUEST = re.compile(r"(?:ask|curl -s)(?: -i)?(?: -X (?P<method>[A-Z]+))? \"?\$SERVICE(?P<path>/[^\s\"?`]*)")


def requests_of(name: str) -> list[tuple[str, str]]:
    """Method and path of every request of a guide, in order."""
    text = (DOCS / name).read_text("utf-8")
    found = [(match["method"] or "GET", match["path"]) for match in REQUEST.finditer(text)]
    return found + [("GET", path) for path in re.findall(r"`GET (/v1/[^`]*)`", text)]


def test_both_languages_give_the_same_requests() -> None:
    assert requests_of(GUIDES[0]) == requests_of(GUIDES[1])
    assert len(requests_of(GUIDES[0])) > 20


@pytest.mark.parametrize("guide", GUIDES)
def test_every_request_of_the_guide_is_one_that_a_department_may_make(office: Any, guide: str) -> None:
    schema = office.app.openapi()["paths"]
    patterns = {path: re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(path)) + "$") for path in schema}
    for method, path in requests_of(guide):
        fitting = [name for name, pattern in patterns.items() if pattern.match(path) or name == path]
        fitting = fitting or [
            name for name in schema if name.endswith("{path}") and path.startswith(name[: name.index("{")])
        ]
        roles = {role for name in fitting for role in schema[name].get(method.lower(), {}).get("x-roles", ())}
        assert roles & {"department", "public"}, (method, path)
