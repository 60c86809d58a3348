"""The language-neutral vectors: honest records pass, every lie is found by the check that is named for it."""

import json
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

from dualrandom.log.policy import parse_policy
from dualrandom.verify import AuditorFiles, Report, verify_record

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def checked(files: dict[str, bytes], auditor: bool, receipt: str | None = None) -> Report:
    public = {
        name.removeprefix("public/"): data for name, data in files.items() if name.startswith("public/")
    }
    trust = parse_policy(files["reader/log.policy"]) if "reader/log.policy" in files else None
    given = None if receipt is None else files[f"receipts/{receipt}.json"]
    if not auditor:
        return verify_record(public, log_policy=trust, receipt=given)
    openings = {
        name.removeprefix("auditor/openings/").removesuffix(".jsonl"): data
        for name, data in files.items()
        if name.startswith("auditor/openings/")
    }
    secret = bytes.fromhex(files["auditor/list-secret"].decode())
    return verify_record(public, AuditorFiles(secret, openings), log_policy=trust, receipt=given)


def edited(files: dict[str, bytes], edits: list[dict[str, Any]]) -> dict[str, bytes]:
    changed = dict(files)
    for edit in edits:
        name = edit["file"]
        if edit.get("delete"):
            del changed[name]
            continue
        data = changed.get(name, b"")
        put = edit["put"].encode() if "put" in edit else bytes.fromhex(edit["put_hex"])
        changed[name] = data[: edit["at"]] + put + data[edit["at"] + edit["cut"] :]
    return changed


def test_an_honest_record_gets_the_expected_verdicts(
    happy_path: str, stored: dict[str, dict[str, bytes]]
) -> None:
    expected = json.loads((VECTORS / "happy" / happy_path / "expected.json").read_text("utf-8"))
    for who, statuses in expected.items():
        files = {
            name: data
            for name, data in stored[happy_path].items()
            if who != "without policy" or name != "reader/log.policy"
        }
        report = checked(files, auditor=who == "auditor")
        assert {check.name: check.status for check in report.checks} == statuses
        assert "FAIL" not in statuses.values()


def test_an_honest_receipt_gets_the_expected_verdict(
    happy_path: str, stored: dict[str, dict[str, bytes]]
) -> None:
    path = VECTORS / "happy" / happy_path / "receipts" / "expected.json"
    expected = json.loads(path.read_text("utf-8")) if path.exists() else {}
    assert {f"receipts/{name}.json" for name in expected} == {
        name for name in stored[happy_path] if name.startswith("receipts/")
    }
    for name, status in expected.items():
        assert checked(stored[happy_path], False, name).status("receipt") == status != "FAIL"


def test_the_named_check_finds_the_lie(mutant: dict[str, Any], stored: dict[str, dict[str, bytes]]) -> None:
    files = edited(stored[mutant["base"]], mutant["edits"])
    assert files != stored[mutant["base"]]
    report = checked(files, mutant["auditor"], mutant.get("receipt"))
    assert report.status(mutant["fails"]) == "FAIL"
    assert [check.name for check in report.checks if check.status == "FAIL"] == mutant["found"]
    assert report.exit_code == 1
    assert not any("internal error" in check.reason_en for check in report.checks)


def test_with_auditor_everything_but_log_and_findings_is_checked(stored: dict[str, dict[str, bytes]]) -> None:
    report = checked(stored["sealed-drand"], auditor=True)
    unchecked = {check.name for check in report.checks if check.status == "NOT CHECKED"}
    assert unchecked == {"log", "events", "findings"}


def test_every_check_that_can_fail_has_a_lie_that_it_finds() -> None:
    mutants = [json.loads(path.read_text("utf-8")) for path in (VECTORS / "mutants").glob("*.json")]
    found = Counter(mutant["fails"] for mutant in mutants)
    report = verify_record({})
    assert {check.name for check in report.checks} | {"receipt"} == found.keys()
    assert sum(found.values()) >= 350


def test_the_table_of_rules_names_every_lie_once() -> None:
    table = (VECTORS / "RULES.md").read_text("utf-8")
    named = [
        name.strip(" `")
        for line in table.splitlines()
        if line.startswith("| ") and "`" in line
        for name in line.split("|")[3].split(",")
    ]
    assert sorted(named) == sorted(path.stem for path in (VECTORS / "mutants").glob("*.json"))


def test_the_stored_vectors_are_those_that_are_generated(regenerate: ModuleType) -> None:
    stored = {
        path.relative_to(VECTORS).as_posix(): path.read_bytes()
        for folder in ("happy", "mutants")
        for path in (VECTORS / folder).rglob("*")
        if path.is_file()
    }
    made = regenerate.written()
    assert sorted(made) == sorted(stored)
    assert [name for name, data in made.items() if stored[name] != data] == []


def test_an_empty_folder_is_refused_with_reasons_in_both_languages() -> None:
    report = verify_record({})
    assert report.exit_code == 1
    assert report.status("canonical") == "FAIL"
    assert all(check.reason_zh and check.reason_en for check in report.checks)
