"""Departments that leave after the draw, and salted hashes of findings, as the page judges and shows them."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from dualrandom.canonical import canonical

CHANGES = "public/changes.jsonl"
FINDINGS = "public/findings.json"
LETTER: Mapping[str, Any] = {
    "department": "fire",
    "evidence": None,
    "from": "2023-09-08",
    "reason": "reorganised",
    "time": "2023-09-01T00:00:00Z",
    "type": "withdraw",
}
"""Follows the changes of `open-changed`: fire has crews at E05 and E15 on that day, and others before."""


def changed(files: dict[str, bytes], *rows: Mapping[str, Any]) -> dict[str, bytes]:
    """The record with these rows behind its changes."""
    lines = files.get(CHANGES, b"").splitlines()
    last = lines[-1] if lines else files["public/result.json"]
    for row in rows:
        last = canonical(
            {**row, "number": len(lines) + 1, "prev": hashlib.sha256(last).hexdigest()},
        )
        lines.append(last)
    without_findings = {name: data for name, data in files.items() if name != FINDINGS}
    return without_findings | {CHANGES: b"".join(line + b"\n" for line in lines)}


def exclusion(enterprise: str) -> dict[str, Any]:
    """A row that excludes an enterprise where nobody takes its place."""
    return {
        "beacon": None,
        "enterprise": enterprise,
        "evidence": None,
        "reason": "suspended",
        "time": LETTER["time"],
        "type": "exclude",
    }


def judged(found: Mapping[str, Any], check: str) -> tuple[str, str]:
    """Status and English reason of a check."""
    ((_, status, en),) = [one for one in found["checks"] if one[0] == check]
    return status, en


@pytest.mark.parametrize("name", ["open-changed", "open-changed-next", "open-changed-local"])
def test_a_department_withdraws_and_its_crews_stay_unfilled(name: str, happy: Any, in_node: Any) -> None:
    found = in_node(changed(happy(name), LETTER))
    assert found["exit"] == 3
    status, en = judged(found, "changes")
    assert status == judged(in_node(happy(name)), "changes")[0]
    assert "fire withdrew (the department, or its power to inspect, was merged or moved), leaving " in en


@pytest.mark.parametrize(
    ("difference", "complaint"),
    [
        ({"reason": "ill"}, "reason"),
        ({"reason": "tired"}, "reason"),
        ({"from": "2023-09-09"}, "is not among the days"),
        ({"from": "2023-9-8"}, "from"),
        ({"from": "2023-09-05", "time": "2023-09-06T00:00:00Z"}, "before the day of the entry"),
        ({"department": "police"}, "no task"),
        ({"evidence": "letter"}, "evidence"),
        ({"time": "2023-08-30T00:00:00Z"}, "before what stands earlier"),
        ({"note": ""}, "note"),
    ],
)
def test_a_false_withdrawal_is_refused(
    difference: Mapping[str, Any], complaint: str, happy: Any, in_node: Any
) -> None:
    found = in_node(changed(happy("open-changed"), {**LETTER, **difference}))
    status, en = judged(found, "changes")
    assert status == "FAIL"
    assert complaint in en
    assert found["exit"] == 1


def test_no_department_withdraws_twice(happy: Any, in_node: Any) -> None:
    again = {**LETTER, "from": "2023-09-04"}
    status, en = judged(in_node(changed(happy("open-changed"), LETTER, again)), "changes")
    assert status == "FAIL"
    assert "withdrew already" in en


def test_a_department_without_a_crew_left_does_not_withdraw(happy: Any, in_node: Any) -> None:
    files = happy("open-changed-none")
    gone = {json.loads(line).get("enterprise") for line in files[CHANGES].splitlines()}
    visits = json.loads(files["public/result.json"])["visits"]
    exclusions = [
        exclusion(visit["enterprise"])
        for visit in visits
        if visit["date"] == LETTER["from"] and visit["enterprise"] not in gone
    ]
    assert judged(in_node(changed(files, *exclusions)), "changes")[0] == "PASS"
    status, en = judged(in_node(changed(files, *exclusions, LETTER)), "changes")
    assert status == "FAIL"
    assert "no crew of" in en


def test_nothing_but_an_exclusion_stands_between_an_exclusion_and_its_substitute(
    happy: Any, in_node: Any
) -> None:
    files = happy("open-changed-pending")
    due = json.loads(files[CHANGES].splitlines()[-1])["beacon"]["time"]
    status, en = judged(in_node(changed(files, {**LETTER, "time": due})), "changes")
    assert status == "FAIL"
    assert "comes before this row" in en


def finding(enterprise: str, task: str, item: str, **more: Any) -> dict[str, Any]:
    return {
        "code": "1",
        "date": "2023-09-08",
        "enterprise": enterprise,
        "item": item,
        "method": "on-site",
        "part": 1,
        "reason": None,
        "revision": 1,
        "task": task,
        **more,
    }


@pytest.fixture
def with_finding(happy: Any) -> Callable[..., dict[str, bytes]]:
    """`open-changed` with one finding at E05, after these rows."""

    def made(department: str, *rows: Mapping[str, Any], **more: Any) -> dict[str, bytes]:
        files = changed(happy("open-changed"), *rows)
        announcement = files["public/announcement.json"]
        tasks = json.loads(announcement)["tasks"]
        visits = json.loads(files["public/result.json"])["visits"]
        checks = next(visit["checks"] for visit in visits if visit["enterprise"] == "E05")
        of = {task["id"]: task["department"] for task in tasks}
        task, item = next((one["task"], one["items"][0]) for one in checks if of[one["task"]] == department)
        document = {
            "announcement": hashlib.sha256(announcement).hexdigest(),
            "draw": json.loads(announcement)["draw"],
            "findings": [finding("E05", task, item, **more)],
            "type": "dualrandom/v1/findings",
        }
        return files | {FINDINGS: canonical(document)}

    return made


def test_an_unfilled_crew_finds_nothing(with_finding: Any, in_node: Any) -> None:
    assert judged(in_node(with_finding("fire")), "findings")[0] == "PASS"
    status, en = judged(in_node(with_finding("fire", LETTER)), "findings")
    assert status == "FAIL"
    assert "nobody was there" in en
    assert judged(in_node(with_finding("amr", LETTER)), "findings")[0] == "PASS"


def test_a_finding_may_carry_the_salted_hash_of_what_is_not_published(
    with_finding: Any, in_node: Any
) -> None:
    assert judged(in_node(with_finding("amr", sealed="5" * 64)), "canonical")[0] == "PASS"
    for bad in ("5" * 63, "A" * 64, None, "", 5):
        status, en = judged(in_node(with_finding("amr", sealed=bad)), "canonical")
        assert status == "FAIL"
        assert "sealed" in en


def test_readers_see_who_withdrew_and_which_crew_is_unfilled(
    open_page: Any, happy: Any, tmp_path: Path
) -> None:
    for name, data in changed(happy("open-changed"), LETTER).items():
        if name.startswith("public/"):
            (tmp_path / name.removeprefix("public/")).write_bytes(data)
    page = open_page()
    page.set_input_files("#folder", str(tmp_path))
    page.wait_for_selector(".verdict.part")
    assert "退出（机构改革或职权调整）" in page.inner_text(".facts")
    assert "个检查组空缺" in page.inner_text('[data-check="changes"]')

    def shown(enterprise: str, words: str) -> str:
        page.fill("#search", enterprise)
        page.click(f'.matches button[data-id="{enterprise}"]')
        page.locator("#explained", has_text=words).wait_for()
        text: str = page.inner_text("#explained")
        return text

    assert "自 2023-09-08 起退出（机构改革或职权调整）" in shown("E05", "空缺")
    assert "本次没有检查" in shown("E01", "抽取后被排除（迁出辖区）")
    assert "2023-09-" in shown("E13", "递补 E01")
    page.click("header button")
    assert (
        "withdrew from 2023-09-08 on (the department, or its power to inspect, was merged or moved)"
        in shown("E05", "unfilled")
    )
    assert "crews unfilled" in page.inner_text(".facts")


def test_readers_are_warned_of_what_happens_unusually_often(
    open_page: Any, happy: Any, tmp_path: Path
) -> None:
    files = happy("open-changed-none")
    gone = {json.loads(line).get("enterprise") for line in files[CHANGES].splitlines()}
    drawn = {visit["enterprise"] for visit in json.loads(files["public/result.json"])["visits"]}
    rows = [exclusion(enterprise) for enterprise in sorted(drawn - gone)[:2]]
    for name, data in changed(files, *rows).items():
        if name.startswith("public/"):
            (tmp_path / name.removeprefix("public/")).write_bytes(data)
    page = open_page()
    page.set_input_files("#folder", str(tmp_path))
    page.wait_for_selector("#warnings")
    excluded = sum(
        b'"type":"exclude"' in line for line in (tmp_path / "changes.jsonl").read_bytes().splitlines()
    )
    assert f"抽中的 {len(drawn)} 户中已排除 {excluded} 户" in page.inner_text("#warnings")
    assert page.get_attribute('[data-check="changes"]', "data-status") == "PASS"
    page.click("header button")
    assert f"{excluded} of the {len(drawn)} drawn enterprises were excluded" in page.inner_text("#warnings")
