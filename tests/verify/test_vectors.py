"""The language-neutral vectors: honest records pass, every lie is found by the check that is named for it."""

import json
from collections import Counter
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from dualrandom.log.policy import parse_policy
from dualrandom.verify import AuditorFiles, Report, verify_record

VECTORS = Path(__file__).resolve().parents[1] / "vectors"


def checked(given: Any) -> Report:
    return verify_record(
        given.public,
        None if given.secret is None else AuditorFiles(given.secret, given.openings),
        log_policy=None if given.policy is None else parse_policy(given.policy),
        receipt=given.receipt,
    )


def test_an_honest_record_gets_the_expected_verdicts(happy_path: str, reading: Any) -> None:
    for who, statuses in reading.expected(happy_path).items():
        files = reading.happy(happy_path)
        report = checked(reading.given(files, auditor=who == "auditor", policy=who != "without policy"))
        assert {check.name: check.status for check in report.checks} == statuses
        assert "FAIL" not in statuses.values()


def test_an_honest_receipt_gets_the_expected_verdict(happy_path: str, reading: Any) -> None:
    files, expected = reading.happy(happy_path), reading.receipts(happy_path)
    assert {f"receipts/{name}.json" for name in expected} == {
        name for name in files if name.startswith("receipts/")
    }
    for name, status in expected.items():
        report = checked(reading.given(files, auditor=False, receipt=name))
        assert report.status("receipt") == status != "FAIL"


@pytest.mark.parametrize("name", sorted(path.stem for path in (VECTORS / "mutants").iterdir()))
def test_the_named_check_finds_the_lie(name: str, reading: Any) -> None:
    mutant, files = reading.mutant(name)
    assert files != reading.happy(mutant["base"])
    report = checked(reading.given(files, auditor=mutant["auditor"], receipt=mutant.get("receipt")))
    assert report.status(mutant["fails"]) == "FAIL"
    assert [check.name for check in report.checks if check.status == "FAIL"] == mutant["found"]
    assert report.exit_code == 1
    assert not any("internal error" in check.reason_en for check in report.checks)


def test_with_auditor_everything_but_log_and_findings_is_checked(reading: Any) -> None:
    report = checked(reading.given(reading.happy("sealed-drand"), auditor=True))
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
    # that the stored verdicts are right is for the tests above, record by record
    made = regenerate.written(told=stored)
    assert sorted(made) == sorted(stored)
    assert [name for name, data in made.items() if stored[name] != data] == []


def test_an_empty_folder_is_refused_with_reasons_in_both_languages() -> None:
    report = verify_record({})
    assert report.exit_code == 1
    assert report.status("canonical") == "FAIL"
    assert all(check.reason_zh and check.reason_en for check in report.checks)
