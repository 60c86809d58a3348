"""The town of the demonstration, drawn once (sealed), and the stored vectors, for the tests of what a record hides and shows."""

import importlib.util
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dualrandom.campaign import announce, draw, load_inputs, prepare
from dualrandom.campaign.inputs import Inputs
from dualrandom.demo import write_campaign
from dualrandom.frame import Frozen
from dualrandom.verify import read_public

VECTORS = Path(__file__).resolve().parents[1] / "vectors" / "happy"
SECRET = bytes(range(32))


@dataclass(frozen=True)
class World:
    """The town's inputs and lists, frozen under a fixed secret."""

    inputs: Inputs
    days: tuple[Any, ...]
    frozen: Frozen


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sealed campaign that was drawn. Read only: those that change it take a copy."""
    folder = tmp_path_factory.mktemp("private-town") / "town"
    write_campaign("town", folder)
    announce(folder, rehearsal=True, now=datetime.now(UTC))
    draw(folder)
    return folder


@pytest.fixture
def copy_of_town(town: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(town, tmp_path / "town"))


@pytest.fixture(scope="session")
def public(town: Path) -> dict[str, bytes]:
    return read_public(town / "public")


@pytest.fixture(scope="session")
def world(town: Path) -> World:
    inputs = load_inputs(town)
    prepared = prepare(inputs, "yunxi-2023-000001", SECRET)
    return World(inputs, prepared.days, prepared.frozen)


@pytest.fixture(scope="session")
def vector() -> Callable[[str], dict[str, bytes]]:
    """Return a stored vector's files by name."""

    def read(name: str) -> dict[str, bytes]:
        folder = VECTORS / name
        return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}

    return read


@pytest.fixture(scope="session")
def measure() -> Any:
    """The program whose figures docs/privacy.md quotes."""
    spec = importlib.util.spec_from_file_location(
        "class_leak", Path(__file__).resolve().parents[2] / "benchmarks" / "class_leak.py"
    )
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module
