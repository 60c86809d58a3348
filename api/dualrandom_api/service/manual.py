"""The parts of the manual that follow from the schema: the table of resources, the registry of problems, the settings.

    python -m dualrandom_api.service.manual docs        # brings docs/service.md and docs/service.zh-CN.md up to date

A test compares them, so a new route, problem or setting cannot be forgotten.
"""

from __future__ import annotations

import base64
import re
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import SecretStr

from dualrandom_api.service.application import create_service
from dualrandom_api.service.problems import REGISTRY
from dualrandom_api.service.schema import operations
from dualrandom_api.service.settings import Settings

PAGES: Final = {"en": "service.md", "zh": "service.zh-CN.md"}
ROLE_ZH: Final = {
    "dispatcher": "调度员",
    "department": "部门",
    "crew": "检查人员",
    "auditor": "审计",
    "support": "支持",
    "public": "公众",
}
HEADINGS: Final = {
    ("resources", "en"): "| method | path | what | roles | scope of an API key | example |",
    ("resources", "zh"): "| 方法 | 路径 | 内容 | 角色 | API 密钥的权限范围 | 示例 |",
    ("problems", "en"): "| type | status | what is wrong | what to do |",
    ("problems", "zh"): "| 类型 | 状态 | 含义 | 处理 |",
}


def the_schema() -> dict[str, Any]:
    """Return the OpenAPI of the service."""
    with tempfile.TemporaryDirectory() as made:
        settings = Settings(
            database_url=f"sqlite:///{made}/none.db",
            data=Path(made),
            service_key=SecretStr(base64.b64encode(bytes(32)).decode()),
        )
        app = create_service(settings)
        app.state.service.database.close()
        return app.openapi()


def resource_table(schema: Mapping[str, Any], language: str) -> str:
    """Return the table of all routes, by path."""
    lines = [HEADINGS["resources", language], "|---|---|---|---|---|---|"]
    for method, path, operation in sorted(operations(dict(schema)), key=lambda one: (one[1], one[0])):
        text = operation.get("description") or operation["summary"]
        zh, _, en = text.partition(" · ")
        roles = [ROLE_ZH[role] if language == "zh" else role for role in operation["x-roles"]]
        scope = operation["x-scope"]
        cells = [
            method,
            f"`{path}`",
            (zh if language == "zh" else en).splitlines()[0].strip(),
            "、".join(roles) if language == "zh" else ", ".join(roles),
            f"`{scope}`" if scope else "",
            f"`{example_path(path, operation)}`",
        ]
        lines.append(f"| {' | '.join(cell.replace('|', '/') for cell in cells)} |")
    return "\n".join(lines)


def problem_table(schema: Mapping[str, Any], language: str) -> str:
    """Return the table of all problem types that a route can give, by code."""
    used = {code for _, _, operation in operations(dict(schema)) for code in operation["x-problems"]}
    used |= {"not-found", "method-not-allowed", "internal-error", "damaged"}
    lines = [HEADINGS["problems", language], "|---|---|---|---|"]
    for code in sorted(used):
        one = REGISTRY[code]
        text, remedy = (one.zh, one.remedy_zh) if language == "zh" else (one.en, one.remedy_en)
        lines.append(f"| `{code}` | {one.status} | {text} | {remedy} |")
    return "\n".join(lines)


def example_path(path: str, operation: Mapping[str, Any]) -> str:
    """Return a path with its parameters' examples in place. Raises KeyError if a parameter has none."""
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            value = str(example_of(parameter))
            path = path.replace("{" + parameter["name"] + "}", value).replace(
                "{" + parameter["name"] + ":path}", value
            )
    return path


def example_of(parameter: Mapping[str, Any]) -> Any:
    """Return a parameter's first example. Raises KeyError."""
    schema = parameter.get("schema", {})
    for place in (parameter, schema):
        if "example" in place:
            return place["example"]
        given = place.get("examples")
        if isinstance(given, list) and given:
            return given[0]
        if isinstance(given, dict) and given:
            return next(iter(given.values()))["value"]
    if "enum" in schema:
        return schema["enum"][0]
    raise KeyError(f"no example for {parameter['name']}")


SECTIONS: Final[Mapping[str, Callable[[Mapping[str, Any], str], str]]] = {
    "resources": resource_table,
    "problems": problem_table,
}


def brought_up(text: str, schema: Mapping[str, Any], language: str) -> str:
    """Return a page with its generated sections as they should be. Raises ValueError if one has no place."""
    for name, table in SECTIONS.items():
        pattern = re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
        found = pattern.search(text)
        if found is None:
            raise ValueError(f"no place for {name}")
        text = (
            text[: found.start()] + found[1] + table(schema, language) + "\n" + found[2] + text[found.end() :]
        )
    return text


def main(folder: Path) -> None:
    """Bring both pages up to date."""
    schema = the_schema()
    for language, name in PAGES.items():
        page = folder / name
        page.write_text(brought_up(page.read_text("utf-8"), schema, language), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
