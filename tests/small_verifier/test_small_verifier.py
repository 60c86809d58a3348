"""docs/verify_draw.py, with the three files beside it, agrees with the conformance suite on everything but BLS."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
VECTORS = ROOT / "tests" / "vectors"
PARTS = ("verify_draw", "verify_documents", "verify_crews", "verify_log")

BLS = {
    "signature-of-another-round-for-a-substitute",
    "signature-of-the-next-round",
    "signature-outside-the-subgroup",
    "signature-that-is-no-point",
}
"""Lies that only a BLS signature gives away: what the small verifier says that it does not check."""

needs_sm3 = pytest.mark.skipif("sm3" not in hashlib.algorithms_available, reason="this Python has no SM3")


def happy_paths() -> list[Any]:
    names = sorted(path.name for path in (VECTORS / "happy").iterdir())
    return [pytest.param(name, marks=needs_sm3 if "sm3" in name else ()) for name in names]


def lies() -> list[Any]:
    names = sorted(path.stem for path in (VECTORS / "mutants").iterdir())
    bases = {
        name: json.loads((VECTORS / "mutants" / f"{name}.json").read_text("utf-8"))["base"] for name in names
    }
    return [pytest.param(name, marks=needs_sm3 if "sm3" in bases[name] else ()) for name in names]


@pytest.mark.parametrize("name", happy_paths())
def test_every_happy_path_gets_the_expected_statuses(name: str, happy: Any, check: Any) -> None:
    files = happy(name)
    expected = json.loads((VECTORS / "happy" / name / "expected.json").read_text(encoding="utf-8"))
    for who, statuses in expected.items():
        report = check(files, auditor=who == "auditor", policy=who != "without policy")
        assert [made for made, _, _ in report] == list(statuses) or {made for made, _, _ in report} == set(
            statuses
        )
        for made, status, reason in report:
            bls = made in {"beacon", "changes"} and status == "NOT CHECKED" and "BLS" in reason
            assert status == statuses[made] or bls, (who, made, reason)


@pytest.mark.parametrize("name", happy_paths())
def test_every_receipt_gets_the_expected_status(name: str, happy: Any, check: Any) -> None:
    path = VECTORS / "happy" / name / "receipts" / "expected.json"
    expected = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    files = happy(name)
    for receipt, status in expected.items():
        made = {check_: found for check_, found, _ in check(files, receipt=receipt)}
        assert made["receipt"] == status, receipt


@pytest.mark.parametrize("name", lies())
def test_every_lie_is_found_by_the_check_that_is_named_for_it(name: str, mutant: Any, check: Any) -> None:
    about, files = mutant(name)
    report = check(files, auditor=about["auditor"], receipt=about.get("receipt"))
    found = {made: (status, reason) for made, status, reason in report}
    status, reason = found[about["fails"]]
    if name in BLS:
        assert status == "NOT CHECKED"
        assert "BLS" in reason
    else:
        assert status == "FAIL", report


def run(*arguments: str, script: Path = ROOT / "docs" / "verify_draw.py") -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(script), *arguments], capture_output=True, text=True, check=False
    )


def test_a_record_is_judged_from_the_command_line(tmp_path: Path) -> None:
    record = str(VECTORS / "happy" / "open-drand" / "public")
    judged = run(record)
    assert (judged.returncode, judged.stderr) == (3, "")
    assert "NOT CHECKED  log" in judged.stdout
    audited = VECTORS / "happy" / "sealed-drand"
    judged = run(str(audited / "public"), "--auditor", str(audited / "auditor"))
    assert judged.returncode == 3
    assert "PASS         selection" in judged.stdout
    logged = VECTORS / "happy" / "open-logged"
    judged = run(str(logged / "public"), "--log-policy", str(logged / "reader" / "log.policy"))
    assert "PASS         events" in judged.stdout
    assert "ANNOUNCE" in judged.stdout
    (tmp_path / "announcement.json").write_bytes(b"{}")
    judged = run(str(tmp_path))
    assert (judged.returncode, judged.stderr) == (1, "")
    assert "announcement.json" in judged.stdout
    for wrong in ([], [record, "--auditor"], [record, "--depth", "1"], [str(tmp_path / "nowhere")]):
        assert run(*wrong).returncode == 2


def test_an_enterprise_checks_its_receipt_from_the_command_line() -> None:
    folder = VECTORS / "happy" / "sealed-drand"
    receipts = json.loads((folder / "receipts" / "expected.json").read_text(encoding="utf-8"))
    name = next(name for name, status in receipts.items() if status == "PASS")
    judged = run(str(folder / "receipts" / f"{name}.json"), str(folder / "public"))
    assert judged.returncode == 3
    last = judged.stdout.splitlines()[-1]
    assert last.startswith("PASS         receipt")
    assert "ticket" in last or "recusals" in last


def test_each_file_is_short_and_needs_nothing_but_the_standard_library() -> None:
    for part in PARTS:
        lines = (ROOT / "docs" / f"{part}.py").read_text(encoding="utf-8").splitlines()
        assert len(lines) < 500, part
        assert [line for line in lines if len(line) > 110] == [], part
        imported = {line.split()[1].split(".")[0] for line in lines if line.startswith("from ")}
        for line in lines:
            if line.startswith("import "):
                imported |= {name.strip().split(".")[0] for name in line[len("import ") :].split(",")}
        assert imported <= sys.stdlib_module_names | {"verify_draw"}, part


def test_the_first_file_alone_refuses_nothing_honest_and_says_what_it_leaves_out(
    tmp_path: Path, loaded: Callable[[Path], ModuleType], happy: Any, given: Any
) -> None:
    before = sys.modules["verify_draw"]
    shutil.copy(ROOT / "docs" / "verify_draw.py", tmp_path)
    try:
        alone = loaded(tmp_path / "verify_draw.py")
        for name in ("open-drand", "open-logged", "sealed-drand"):
            report = {made: status for made, status, _ in alone.verify(**given(happy(name)))}
            assert "FAIL" not in report.values()
            for made in (
                "canonical",
                "signatures",
                "log",
                "events",
                "dates",
                "crews",
                "prices",
                "result",
                "changes",
            ):
                assert report[made] == "NOT CHECKED"
            assert report["seed"] == "PASS"
        files = happy("open-drand")
        files["public/frame.jsonl"] = files["public/frame.jsonl"].replace(b"district", b"District", 1)
        report = {made: status for made, status, _ in alone.verify(**given(files))}
        assert report["lists"] == "FAIL"
    finally:
        sys.modules["verify_draw"] = before


def test_a_python_without_sm3_says_so(
    small: ModuleType, happy: Any, check: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(small.hashlib, "algorithms_available", {"sha256"})
    report = check(happy("sealed-sm3"))
    assert {status for _, status, _ in report} == {"NOT CHECKED"}
    assert "SM3" in report[0][2]


def test_without_an_announcement_it_gives_no_verdict(
    small: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "result.json").write_bytes(b"{}")
    assert small.main([str(tmp_path)]) == 2
    said = capsys.readouterr().out
    assert "没有 announcement.json" in said
    assert "there is no announcement.json" in said


RFC_8032 = [
    (
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
]


@pytest.mark.parametrize(("key", "message", "signature"), RFC_8032)
def test_its_signatures_are_those_of_rfc_8032(
    key: str, message: str, signature: str, small: ModuleType
) -> None:
    signed = small.RUN["signatures"][0].__globals__["signed"]
    public, text, value = bytes.fromhex(key), bytes.fromhex(message).decode(), bytes.fromhex(signature)
    assert signed(public, value, text)
    assert not signed(public, value, f"{text}.")
    for place in (0, 31, 32, 63):
        flipped = bytes(byte ^ (k == place) for k, byte in enumerate(value))
        assert not signed(public, flipped, text)
    order = 2**252 + 27742317777372353535851937790883648493
    larger = int.from_bytes(value[32:], "little") + order
    assert not signed(public, value[:32] + larger.to_bytes(32, "little"), text)
    assert not signed(bytes(32), value, text)
    assert not signed(public, value[:-1], text)
