"""The three verifiers alike where an embargo hides something or a form looks odd: what no lie among the vectors shows (docs/protocol.md §2, 4, 9)."""

from __future__ import annotations

import hashlib
import importlib
from types import ModuleType
from typing import Any

import pytest

from dualrandom.canonical import canonical

Files = dict[str, bytes]


def judged(verifiers: dict[str, Any], given: Any) -> dict[str, dict[str, str]]:
    """Who → check → status, without the checks that the small verifier leaves open."""
    left = importlib.import_module("verifiers").beyond_the_small_one(given)
    return {
        name: {check: status for check, (status, _) in verify(given).items() if check not in left}
        for name, verify in verifiers.items()
    }


def same(verifiers: dict[str, Any], given: Any) -> dict[str, str]:
    """Check → status, which all verifiers give."""
    found = judged(verifiers, given)
    due = found["package"]
    assert {
        (name, check, status, due[check])
        for name, statuses in found.items()
        for check, status in statuses.items()
        if status != due[check]
    } == set()
    return due


def second_attempt(reference: ModuleType, cases: ModuleType, *, opened: bool) -> Files:
    """A record with an embargo of crews, drawn by the tickets of the second attempt, with no evidence of a tie."""

    def other_tickets(record: Any, visits: Any) -> Any:
        plain = record.ticket
        record.ticket = lambda stage, name: plain("pair.1" if stage == "pair" else stage, name)
        return visits

    case = cases.cases(reference)["sealed-embargo-crews"]
    case.open_embargoed = lambda _: opened
    lies = {"dates": other_tickets, "result": lambda _, result: result | {"attempt": 1}}
    made: Files = importlib.import_module("lies").gather(reference.build(case, lies))
    return made


def test_evidence_of_ties_is_not_missed_before_the_embargo_is_lifted_in_public(
    reference: ModuleType, cases: ModuleType, reading: Any, verifiers: dict[str, Any]
) -> None:
    given = reading.given(second_attempt(reference, cases, opened=False), auditor=True)
    found = same(verifiers, given)
    assert (found["result"], found["crews"], found["prices"]) == ("PASS", "PASS", "NOT CHECKED")
    assert "FAIL" not in found.values()


def test_evidence_of_ties_is_due_once_the_embargo_is_lifted(
    reference: ModuleType, cases: ModuleType, reading: Any, verifiers: dict[str, Any]
) -> None:
    given = reading.given(second_attempt(reference, cases, opened=True), auditor=False)
    found = judged(verifiers, given)
    assert {name: statuses["result"] for name, statuses in found.items()} == dict.fromkeys(verifiers, "FAIL")


def test_evidence_of_ties_shown_before_the_embargo_is_lifted_is_too_much(
    reference: ModuleType, cases: ModuleType, reading: Any, verifiers: dict[str, Any]
) -> None:
    files = second_attempt(reference, cases, opened=False)
    digest = hashlib.sha256(files["public/announcement.json"]).hexdigest()
    ties = {"announcement": digest, "attempts": [], "type": "dualrandom/v1/ties"}
    for auditor in (False, True):
        given = reading.given(files | {"public/ties.json": canonical(ties)}, auditor=auditor)
        assert same(verifiers, given)["result"] == "FAIL"


@pytest.mark.parametrize("auditor", [False, True])
@pytest.mark.parametrize("base", ["open-embargo-visits", "open-embargo-undated", "sealed-embargo-crews"])
def test_an_embargo_hides_as_much_from_findings_as_from_their_readers(
    base: str, auditor: bool, reading: Any, verifiers: dict[str, Any]
) -> None:
    files = reading.happy(base)
    digest = hashlib.sha256(files["public/announcement.json"]).hexdigest()
    for enterprise in ("E01", "E99"):
        finding = {
            "code": "1",
            "date": "2023-09-04",
            "enterprise": enterprise,
            "item": "i1",
            "method": "on-site",
            "part": 1,
            "reason": None,
            "revision": 1,
            "task": "t1",
        }
        published = {
            "announcement": digest,
            "draw": "test-2023-000001",
            "findings": [finding],
            "type": "dualrandom/v1/findings",
        }
        data = files | {"public/findings.json": canonical(published)}
        found = same(verifiers, reading.given(data, auditor=auditor))["findings"]
        hidden = base == "open-embargo-visits" and not auditor
        assert (found == "NOT CHECKED") == hidden
        if enterprise == "E99":
            assert found != "PASS"


def test_nothing_opened_is_no_fault_in_an_open_draw_and_an_opening_is_one_of_its_lists(
    reading: Any, verifiers: dict[str, Any]
) -> None:
    files = reading.happy("open-scarce-local")
    statuses = same(verifiers, reading.given(files, auditor=False))
    empty = same(verifiers, reading.given(files | {"public/openings.jsonl": b""}, auditor=False))
    assert empty == statuses
    opening = {"hidden": {"person": "p"}, "id": "a1", "list": "roster", "salt": "0" * 64}
    data = files | {"public/openings.jsonl": canonical(opening) + b"\n"}
    found = same(verifiers, reading.given(data, auditor=False))
    assert [check for check, status in found.items() if status == "FAIL"] == ["lists"]


def test_an_opened_row_of_another_kind_is_a_fault_of_form(
    reference: ModuleType, cases: ModuleType, reading: Any, verifiers: dict[str, Any]
) -> None:
    def prices_for_a_visit(_: Any, rows: Any) -> Any:
        return rows | {"v00001": rows["prices"]}

    case = cases.cases(reference)["open-embargo-visits"]
    case.open_embargoed = lambda key: key == "v00001"
    built = reference.build(case, {"embargoed": prices_for_a_visit})
    files = importlib.import_module("lies").gather(built)
    found = judged(verifiers, reading.given(files, auditor=False))
    assert {name: statuses["canonical"] for name, statuses in found.items()} == dict.fromkeys(
        verifiers, "FAIL"
    )


@pytest.mark.parametrize("keystring", ["", "a\n\x00\x7f"])
def test_a_key_string_may_have_any_ascii(
    keystring: str, reference: ModuleType, cases: ModuleType, reading: Any, verifiers: dict[str, Any]
) -> None:
    case = cases.cases(reference)["open-parts-keystring"]
    randomness = hashlib.sha256(keystring.encode()).hexdigest()
    case.evidence |= {"keystring": keystring, "randomness": randomness}
    files = importlib.import_module("lies").gather(reference.build(case))
    assert "FAIL" not in same(verifiers, reading.given(files, auditor=False)).values()
