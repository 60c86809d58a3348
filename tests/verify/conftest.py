"""The vectors' modules and files, for the tests of the verifier."""

import importlib
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def _load(name: str) -> ModuleType:
    for folder in (VECTORS, Path(__file__).resolve().parent):
        if str(folder) not in sys.path:
            sys.path.append(str(folder))
    return importlib.import_module(name)


@pytest.fixture(scope="session")
def reference() -> ModuleType:
    return _load("reference")


@pytest.fixture(scope="session")
def cases() -> ModuleType:
    return _load("cases")


@pytest.fixture(scope="session")
def regenerate() -> ModuleType:
    return _load("regenerate")


@pytest.fixture(scope="session")
def reading() -> ModuleType:
    return _load("reading")


@pytest.fixture(scope="session")
def town() -> ModuleType:
    """The module that makes the logged town."""
    return _load("logged_town")


@pytest.fixture(scope="session")
def announced_office(town: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A town that was announced and witnessed, and is not drawn yet. Read only."""
    return town.announced(tmp_path_factory.mktemp("announced-town"))


@pytest.fixture(scope="session")
def drawn_office(announced_office: Any, town: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The same, drawn. Read only."""
    return town.drawn(announced_office.copy(tmp_path_factory.mktemp("drawn-town") / "root"))


@pytest.fixture(scope="session")
def office(drawn_office: Any, town: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The same, with changes, findings and an attestation. Read only: tests that change it take a copy."""
    return town.lived(drawn_office.copy(tmp_path_factory.mktemp("lived-town") / "root"))


@pytest.fixture(scope="session")
def city_office(town: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A city that was announced, witnessed and drawn; takes minutes."""
    return town.drawn(town.announced(tmp_path_factory.mktemp("city"), "city"))


@pytest.fixture(scope="session")
def verifiers() -> Iterator[dict[str, Any]]:
    """The three verifiers by name; the page only where there is Node."""
    module = _load("verifiers")
    found = {"package": module.package, "small": module.small(module.small_module())}
    if not module.has_node():
        yield found
        return
    with module.page() as page:
        yield found | {"page": page}


@pytest.fixture(scope="session")
def built(reference: ModuleType, cases: ModuleType) -> dict[str, Any]:
    """Every happy path, made anew."""
    return {
        name: reference.build(case, drawn=name not in cases.NOT_DRAWN)
        for name, case in cases.cases(reference).items()
    }


@pytest.fixture(scope="session")
def stored() -> dict[str, dict[str, bytes]]:
    """Every happy path as it is stored: public/ and auditor/ files by name."""
    return {
        folder.name: {
            path.relative_to(folder).as_posix(): path.read_bytes()
            for path in folder.rglob("*")
            if path.is_file() and path.name != "expected.json"
        }
        for folder in sorted((VECTORS / "happy").iterdir())
    }


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give each happy path a test of its own."""
    if "happy_path" in metafunc.fixturenames:
        metafunc.parametrize("happy_path", sorted(path.name for path in (VECTORS / "happy").iterdir()))
