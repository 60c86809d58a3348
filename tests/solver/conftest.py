"""What the solver's tests share: the enumerating reference, the benchmark's instances and its rivals."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]


def _load(path: Path) -> ModuleType:
    name = f"solver_tests_{path.stem}"
    if name not in sys.modules:
        spec = importlib.util.spec_from_file_location(name, path)
        assert spec is not None
        assert spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[name] = module
        spec.loader.exec_module(module)
    return sys.modules[name]


@pytest.fixture(scope="session")
def instances() -> ModuleType:
    """Synthetic and public instances, as in the benchmark."""
    return _load(ROOT / "benchmarks" / "_pairing_instances.py")


@pytest.fixture(scope="session")
def rivals() -> ModuleType:
    """The same optimum by other solvers, as in the benchmark."""
    return _load(ROOT / "benchmarks" / "_pairing_rivals.py")


@pytest.fixture(scope="session")
def enumeration() -> ModuleType:
    """Small random instances and the definition by enumeration."""
    return _load(Path(__file__).with_name("enumeration.py"))


@pytest.fixture(scope="session")
def data() -> Path:
    return Path(__file__).with_name("data")
