"""The package, the page and the small verifier, three programs in two languages, say the same of every vector and of a draw.

The page runs in Node, out of the built verify.html; without Node those tests are skipped and say so.
"""

import gzip
import importlib
import os
import re
from pathlib import Path
from typing import Any

import pytest

DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
EVERY = 1 if DEEP else 16
"""Each of the three has tests of its own that run all vectors; together they run all of them in the deep run."""
HAPPY = sorted(path.name for path in (Path(__file__).resolve().parents[1] / "vectors" / "happy").iterdir())
CHOSEN = HAPPY if DEEP else [name for name in HAPPY if name.startswith(("open-logged-", "sealed-"))]


def judged(verifiers: dict[str, Any], name: str, given: Any) -> dict[str, tuple[str, str]]:
    if name not in verifiers:
        pytest.skip("no Node: the page's script was not run (install nodejs 20 or later)")
    if name == "small" and b'"suite":"sm3"' in given.public.get("announcement.json", b""):
        module = importlib.import_module("verifiers")
        if not module.has_sm3():
            pytest.skip("this Python has no SM3, which the small verifier takes from it")
    found: dict[str, tuple[str, str]] = verifiers[name](given)
    return found


def beyond(name: str, given: Any) -> frozenset[str]:
    """Checks that this verifier may leave NOT CHECKED."""
    if name != "small":
        return frozenset()
    module = importlib.import_module("verifiers")
    found: frozenset[str] = module.beyond_the_small_one(given)
    return found


def same(name: str, given: Any, found: dict[str, tuple[str, str]], statuses: dict[str, str]) -> None:
    left = beyond(name, given)
    differing = {
        check: (status, *found.get(check, ("missing", "")))
        for check, status in statuses.items()
        if found.get(check, ("", ""))[0] != status
        and not (check in left and found.get(check, ("", ""))[0] == "NOT CHECKED")
    }
    assert differing == {}
    assert found.keys() - {"receipt"} == statuses.keys()


@pytest.mark.parametrize("happy", CHOSEN)
@pytest.mark.parametrize("name", ["package", "page", "small"])
def test_an_honest_record_gets_the_same_verdicts_from_all(
    name: str, happy: str, reading: Any, verifiers: dict[str, Any]
) -> None:
    files = reading.happy(happy)
    for who, statuses in reading.expected(happy).items():
        given = reading.given(files, auditor=who == "auditor", policy=who != "without policy")
        same(name, given, judged(verifiers, name, given), statuses)
    for receipt, status in reading.receipts(happy).items():
        given = reading.given(files, auditor=False, receipt=receipt)
        assert judged(verifiers, name, given)["receipt"][0] == status, receipt


@pytest.mark.parametrize("name", ["package", "page", "small"])
def test_a_lie_is_found_by_all_in_the_check_that_is_named_for_it(
    name: str, reading: Any, verifiers: dict[str, Any]
) -> None:
    missed = {}
    for number, lie in enumerate(reading.names("mutants")):
        if number % EVERY:
            continue
        about, files = reading.mutant(lie)
        given = reading.given(files, auditor=about["auditor"], receipt=about.get("receipt"))
        if name == "small" and about["base"].startswith("sealed-sm3") and EVERY > 1:
            continue
        found = judged(verifiers, name, given)
        status, reason = found[about["fails"]]
        left = about["fails"] in beyond(name, given) and status == "NOT CHECKED"
        if status != "FAIL" and not left:
            missed[lie] = about["fails"], status, reason
    assert missed == {}


@pytest.mark.parametrize("happy", ["open-drand", "sealed-drand", "open-changed"])
@pytest.mark.parametrize("name", ["package", "page", "small"])
def test_a_broken_result_is_not_blamed_on_the_labels(
    name: str, happy: str, reading: Any, verifiers: dict[str, Any]
) -> None:
    """The fault is one of form; what follows from a result is not checked without one (docs/protocol.md §12.1)."""
    files = reading.happy(happy)
    broken = files | {"public/result.json": files["public/result.json"] + b"\n"}
    found = judged(verifiers, name, reading.given(broken, auditor=False))
    assert found["canonical"][0] == "FAIL"
    assert {check for check, (status, _) in found.items() if status == "FAIL"} == {"canonical"}


def given_of(office: Any, *, auditor: bool) -> Any:
    reading = importlib.import_module("reading")
    held = office.auditor()
    return reading.Given(
        public=office.files(),
        secret=held.secret if auditor else None,
        openings=dict(held.openings) if auditor else {},
        policy=office.policy_text(),
        receipt=None,
    )


@pytest.mark.parametrize("name", ["package", "page", "small"])
@pytest.mark.parametrize("auditor", [False, True])
def test_a_logged_town_with_changes_passes_all(
    name: str, auditor: bool, office: Any, verifiers: dict[str, Any], reading: Any
) -> None:
    given = given_of(office, auditor=auditor)
    statuses = {check: status for check, (status, _) in verifiers["package"](given).items()}
    assert "FAIL" not in statuses.values()
    if auditor:
        assert set(statuses.values()) == {"PASS"}
    same(name, given, judged(verifiers, name, given), statuses)


@pytest.mark.skipif(not DEEP, reason="a city's draw takes minutes: only in the deep run")
@pytest.mark.parametrize("auditor", [False, True])
def test_a_city_passes_all(auditor: bool, city_office: Any, verifiers: dict[str, Any]) -> None:
    given = given_of(city_office, auditor=auditor)
    statuses = {check: status for check, (status, _) in verifiers["package"](given).items()}
    assert "FAIL" not in statuses.values()
    for name in ("page", "small"):
        same(name, given, judged(verifiers, name, given), statuses)


@pytest.mark.skipif(not DEEP, reason="a city's draw takes minutes: only in the deep run")
def test_a_citys_record_is_small_beside_its_frame(city_office: Any) -> None:
    """Under 5 MB without the frame, and the frame under 8 MB compressed (docs/measurements/record-size.md)."""
    files = city_office.files()
    frame = files.pop("frame.jsonl")
    assert len(frame) > 10**7
    assert sum(map(len, files.values())) < 5 * 10**6
    assert len(gzip.compress(frame, 9)) < 8 * 10**6


def test_a_fault_that_engine_and_verifier_share_is_seen_by_programs_that_share_nothing_with_them(
    verifiers: dict[str, Any], reading: Any
) -> None:
    """If our own verifier let everything pass, the page and the small verifier would still find these lies."""
    others = {name: verify for name, verify in verifiers.items() if name != "package"}
    for lie in ("exchanged-inspector", "shifted-date", "swapped-enterprise", "wrong-nonce"):
        about, files = reading.mutant(lie)
        given = reading.given(files, auditor=False)
        for name, verify in others.items():
            assert verify(given)[about["fails"]][0] == "FAIL", (lie, name)
    source = Path(importlib.import_module("verifiers").SMALL).read_text("utf-8")
    assert "dualrandom." not in re.sub(r'"""[^"]*"""', "", source.partition("\n# ")[0])
    imported = re.findall(r"^(?:from|import) ([a-z_]+)", source, re.MULTILINE)
    assert "dualrandom" not in imported
