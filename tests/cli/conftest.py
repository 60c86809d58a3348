"""A demonstration campaign, announced and drawn once for all tests of the commands; those that change it take a copy."""

import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dualrandom.campaign import announce, draw
from dualrandom.cli import run
from dualrandom.demo import write_campaign

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(autouse=True)
def a_wide_english_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the output the same whatever machine and runner the tests are on."""
    for name in ("LC_ALL", "LC_MESSAGES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("LANG", "en_GB.UTF-8")
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign that was not announced. Read only."""
    folder = tmp_path_factory.mktemp("written") / "town"
    write_campaign("town", folder)
    return folder


@pytest.fixture(scope="session")
def announced(written: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign that was announced. Read only."""
    folder = tmp_path_factory.mktemp("announced") / "town"
    shutil.copytree(written, folder)
    announce(folder, rehearsal=True, now=datetime.now(UTC))
    return folder


@pytest.fixture(scope="session")
def drawn(announced: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign that was drawn. Read only."""
    folder = tmp_path_factory.mktemp("drawn") / "town"
    shutil.copytree(announced, folder)
    draw(folder)
    return folder


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Run a command with --json, check its exit code, and return the one object on standard output."""

    def asked(*arguments: object, code: int = 0) -> dict[str, Any]:
        returned = run([*map(str, arguments), "--json"])
        seen = capsys.readouterr()
        assert returned == code, seen.err + seen.out
        told: dict[str, Any] = json.loads(seen.out)
        return told

    return asked
