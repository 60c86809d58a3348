"""The house is in order: packages, versions, pins, and nothing in the sources that should not be there."""

import importlib
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

import dualrandom

ROOT = Path(__file__).resolve().parent.parent

# The single-letter classes keep this file from containing what it forbids.
INDEX_ADDRESS = re.compile(
    rb'"resolve[d]"\s*:|\bregistry [=] "|\bregistry\s*=\s*"?(?:https?|file):'
    rb"|--(?:extra-)?index-ur[l]\b|--find-link[s]\b|^\s*index-ur[l]\s*=",
    re.MULTILINE,
)
CONFLICT = re.compile(rb"^(?:<{7}|>{7}|\|{7})(?: |\r?$)", re.MULTILINE)
PIN = re.compile(r"^([A-Za-z0-9._-]+)==([^\s;]+)(?:\s*;\s*(.*?))?\s*\\?$", re.MULTILINE)


@pytest.fixture(scope="module")
def tracked() -> dict[str, bytes]:
    """Path → bytes of each file under version control, as it lies in the work tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False)
    if listed.returncode:
        pytest.skip("not a git work tree")
    paths = [path.decode() for path in listed.stdout.split(b"\0") if path]
    return {path: (ROOT / path).read_bytes() for path in paths if (ROOT / path).is_file()}


def pins(lock: str) -> set[tuple[str, str, str]]:
    return set(PIN.findall((ROOT / "requirements" / lock).read_text("utf-8")))


def test_no_tracked_file_names_a_package_index(tracked: dict[str, bytes]) -> None:
    assert tracked
    assert [path for path, content in tracked.items() if INDEX_ADDRESS.search(content)] == []


@pytest.mark.parametrize(
    "line",
    [
        '"re@solved": "x"',
        'source = { re@gistry = "x" }',
        "re@gistry=https://x",
        "--in@dex-url x",
        "--extra-in@dex-url=x",
        "--fi@nd-links x",
        "in@dex-url = x",
    ],
)
def test_lines_that_name_an_index_are_recognised(line: str) -> None:
    assert INDEX_ADDRESS.search(f"first\n{line}\nlast".replace("@", "").encode())


def test_no_tracked_file_holds_a_merge_conflict(tracked: dict[str, bytes]) -> None:
    assert [path for path, content in tracked.items() if CONFLICT.search(content)] == []


@pytest.mark.parametrize("package", ["dualrandom", "dualrandom_solver", "dualrandom_api"])
def test_each_room_is_importable_documented_and_typed(package: str) -> None:
    module = importlib.import_module(package)
    assert module.__doc__
    assert module.__file__
    assert Path(module.__file__).with_name("py.typed").is_file()


def test_the_version_is_the_same_everywhere() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["version"] == dualrandom.__version__


def test_the_demo_runs_on_what_the_tests_ran_on() -> None:
    run, dev = pins("run.lock"), pins("dev.lock")
    assert run
    assert run - dev == set()


def test_every_pin_carries_hashes() -> None:
    for lock in ("run.lock", "dev.lock"):
        blocks = re.split(r"^(?=\S)", (ROOT / "requirements" / lock).read_text("utf-8"), flags=re.MULTILINE)
        requirements = [block for block in blocks if "==" in block]
        assert len(requirements) > 20
        assert [block for block in requirements if "--hash=sha256:" not in block] == []
