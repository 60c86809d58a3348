"""docs/verify_draw.py agrees with the conformance suite as far as its checks go."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "vectors"

# What the small verifier says that it does not check.
BLS = {"signature-of-the-next-round", "signature-outside-the-subgroup", "signature-that-is-no-point"}
FIGURES = {"flattering-overlap", "false-shares-of-districts"}
AFTER_CHANGES = {"finding-of-an-excluded-enterprise"}


@pytest.mark.parametrize("name", sorted(path.name for path in (VECTORS / "happy").iterdir()))
def test_every_happy_path_gets_the_expected_statuses(name: str, happy: Any, check: Any) -> None:
    expected = json.loads((VECTORS / "happy" / name / "expected.json").read_text(encoding="utf-8"))
    files = happy(name)
    changed = "public/changes.jsonl" in files
    for who, statuses in expected.items():
        # Logs are not read here: docs/protocol.md does not define their bytes yet (§11).
        statuses |= {"log": "NOT CHECKED", "events": "NOT CHECKED"}
        report = {check: status for check, status, _ in check(files, who == "auditor")}
        for made, status in report.items():
            left_out = (
                made in {"signatures", "beacon"}
                or (changed and made in {"changes", "findings"})
                or made in {"log", "events"}
            )
            assert status == statuses.get(made) or (left_out and status == "NOT CHECKED"), (who, made)
        assert "FAIL" not in report.values()


@pytest.mark.parametrize("name", sorted(path.stem for path in (VECTORS / "mutants").iterdir()))
def test_every_lie_is_found_by_the_check_that_is_named_for_it(name: str, mutant: Any, check: Any) -> None:
    about, files = mutant(name)
    report = {made: status for made, status, _ in check(files, about["auditor"])}
    if about["fails"] in report and report[about["fails"]] == "FAIL":
        return
    # Only the log shows some lies, and docs/protocol.md does not define its bytes yet (§11).
    of_the_log = "logged" in about["base"]
    beyond = (
        of_the_log
        or about["fails"] in {"signatures", "changes", "log", "events", "attest"}
        or name in BLS | FIGURES | AFTER_CHANGES
    )
    assert beyond, report
    assert "NOT CHECKED" in report.values()


def test_a_record_is_judged_from_the_command_line(tmp_path: Path) -> None:
    script = str(ROOT / "docs" / "verify_draw.py")
    record = str(VECTORS / "happy" / "open-drand" / "public")
    run = subprocess.run([sys.executable, script, record], capture_output=True, text=True, check=False)
    assert run.returncode == 3
    assert "NOT CHECKED  log" in run.stdout
    audited = VECTORS / "happy" / "sealed-drand"
    run = subprocess.run(
        [sys.executable, script, str(audited / "public"), "--auditor", str(audited / "auditor")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 3
    assert "PASS         selection" in run.stdout
    (tmp_path / "announcement.json").write_bytes(b"{}")
    run = subprocess.run([sys.executable, script, str(tmp_path)], capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "announcement.json" in run.stdout
    assert run.stderr == ""
    run = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    assert run.returncode == 2


def test_it_needs_nothing_but_the_standard_library(small: ModuleType) -> None:
    imported = {
        line.split()[1].split(".")[0]
        for line in Path(str(small.__file__)).read_text(encoding="utf-8").splitlines()
        if line.startswith("from ")
    }
    for line in Path(str(small.__file__)).read_text(encoding="utf-8").splitlines():
        if line.startswith("import "):
            imported |= {name.strip() for name in line[len("import ") :].split(",")}
    assert imported <= set(sys.stdlib_module_names)


def test_a_python_without_sm3_says_so(
    small: ModuleType, happy: Any, check: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    genuine = small.hashlib.new

    def without(name: str, *data: bytes) -> Any:
        if name == "sm3":
            raise ValueError(name)
        return genuine(name, *data)

    monkeypatch.setattr(small.hashlib, "new", without)
    report = check(happy("sealed-sm3"), False)
    assert {status for _, status, _ in report} == {"NOT CHECKED"}
    assert "SM3" in report[0][2]
