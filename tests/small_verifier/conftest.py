"""The small verifier as a module, and the vectors."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "vectors"

Files = dict[str, bytes]
Report = list[tuple[str, str, str]]


def load(path: Path) -> ModuleType:
    """Import a verify_draw.py as a reader would; what lies beside it is loaded with it."""
    spec = importlib.util.spec_from_file_location("verify_draw", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["verify_draw"] = module
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def loaded() -> Callable[[Path], ModuleType]:
    """Import a verify_draw.py by its path."""
    return load


@pytest.fixture(scope="session")
def small() -> ModuleType:
    """docs/verify_draw.py with the files beside it."""
    return load(ROOT / "docs" / "verify_draw.py")


@pytest.fixture(scope="session")
def given() -> Callable[..., dict[str, Any]]:
    """Turn a vector's files into the arguments of ``verify``."""

    def arguments(
        files: Files, *, auditor: bool = False, policy: bool = True, receipt: str | None = None
    ) -> dict[str, Any]:
        openings = {
            name[len("auditor/openings/") : -len(".jsonl")]: data
            for name, data in files.items()
            if name.startswith("auditor/openings/")
        }
        secret = bytes.fromhex(files["auditor/list-secret"].decode()) if auditor else b""
        return {
            "files": {name[7:]: data for name, data in files.items() if name.startswith("public/")},
            "auditor": (secret, openings) if auditor else None,
            "policy": files.get("reader/log.policy") if policy else None,
            "receipt": None if receipt is None else files[f"receipts/{receipt}.json"],
        }

    return arguments


@pytest.fixture(scope="session")
def check(small: ModuleType, given: Callable[..., dict[str, Any]]) -> Callable[..., Report]:
    """Verify a vector's files: for the public or the auditor, with the reader's policy or without, with a receipt."""

    def verify(files: Files, **how: Any) -> Report:
        report: Report = small.verify(**given(files, **how))
        return report

    return verify
