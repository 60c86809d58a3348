"""A department that leaves after the announcement: what is published, what is refused, and what else follows it."""

from __future__ import annotations

import csv
import hashlib
import json
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from dualrandom import campaign
from dualrandom.campaign import StateError
from dualrandom.campaign.state import state_of_folder
from dualrandom.ceremony import Phase
from dualrandom.changes import effective_visits, read_rows
from dualrandom.errors import DualRandomError, InputError
from dualrandom.verify import read_auditor, read_public, verify_record

# round 1000 is due at 15:59:24, so that an exclusion a second later is decided by round 1001
EXCLUDED = datetime(2023, 8, 23, 15, 59, 25, tzinfo=UTC)
LATER = datetime(2023, 8, 25, 8, tzinfo=UTC)
ROUND_1001 = (
    "b33bf3667cbd5a82de3a24b4e0e9fe5513cc1a0e840368c6e31f5fcfa79bea03f73896b25883abf2853d10337fb8fa41"
)


def document(folder: Path, name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "public" / name).read_bytes())
    return found


def rows(folder: Path) -> tuple[dict[str, Any], ...]:
    path = folder / "public" / "changes.jsonl"
    return read_rows(path.read_bytes()) if path.exists() else ()


def busiest(folder: Path) -> tuple[str, list[str]]:
    """Return a department with crews on many days, and these days."""
    days: dict[str, set[str]] = {}
    for visit in document(folder, "result.json")["visits"]:
        for crew in visit["crews"]:
            days.setdefault(crew["department"], set()).add(visit["date"])
    department = max(sorted(days), key=lambda d: len(days[d]))
    return department, sorted(days[department])


def crews(folder: Path, department: str) -> dict[tuple[str, int], tuple[str, list[str]]]:
    """Return a department's crews in effect: place → date and seats."""
    return {
        (visit["enterprise"], visit["part"]): (visit["date"], crew["seats"])
        for visit in effective_visits(document(folder, "result.json"), rows(folder))
        for crew in visit["crews"]
        if crew["department"] == department
    }


def findings_of(folder: Path, tmp_path: Path, *crews_there: tuple[tuple[str, int], str]) -> Path:
    """Write a sheet with a finding for each check of some crews, each a place and a department."""
    department_of = {t["id"]: t["department"] for t in document(folder, "announcement.json")["tasks"]}
    path = tmp_path / "findings.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["enterprise", "part", "task", "item", "date", "method", "code"])
        for visit in document(folder, "result.json")["visits"]:
            place = visit["enterprise"], visit["part"]
            for check in visit["checks"]:
                for item in check["items"] if (place, department_of[check["task"]]) in crews_there else ():
                    writer.writerow([*place, check["task"], item, visit["date"], "on-site", "1"])
    return path


def test_a_withdrawal_empties_the_departments_crews_from_its_day_on_and_moves_nobody(town: Path) -> None:
    before = (town / "public" / "result.json").read_bytes()
    department, days = busiest(town)
    since = days[len(days) // 2]
    drawn = {
        d: crews(town, d) for d in {t["department"] for t in document(town, "announcement.json")["tasks"]}
    }
    letter = town / "letter.pdf"
    letter.write_bytes(b"merged")
    change = campaign.withdraw(town, department, date.fromisoformat(since), "reorganised", letter, LATER)
    assert change.row == rows(town)[0]
    assert {k: change.row[k] for k in ("department", "from", "reason", "evidence", "time", "type")} == {
        "department": department,
        "from": since,
        "reason": "reorganised",
        "evidence": hashlib.sha256(b"merged").hexdigest(),
        "time": "2023-08-25T08:00:00Z",
        "type": "withdraw",
    }
    gone = {place for place, (day, _) in drawn[department].items() if day >= since}
    assert set(change.unfilled) == gone
    assert change.counts.withdrawals == {"reorganised": 1}
    assert change.counts.unfilled == len(gone) > 0
    for other, seated in drawn.items():
        for place, (day, seats) in crews(town, other).items():
            assert (day, seats) == (day, [] if other == department and place in gone else seated[place][1])
    assert (town / "public" / "result.json").read_bytes() == before
    for auditor in (None, read_auditor(town)):
        report = verify_record(read_public(town / "public"), auditor)
        assert [(c.name, c.reason_en) for c in report.checks if c.status == "FAIL"] == []
    assert verify_record(read_public(town / "public"), read_auditor(town)).status("changes") == "PASS"


def withdrawn(folder: Path) -> tuple[str, str, list[tuple[str, int]]]:
    """Let the busiest department leave in the middle; return it, its day and the places left unfilled."""
    department, days = busiest(folder)
    since = days[len(days) // 2]
    change = campaign.withdraw(folder, department, date.fromisoformat(since), "no-inspectors", None, LATER)
    return department, since, list(change.unfilled)


def test_the_page_and_the_departments_lists_show_who_does_not_come_and_why(town: Path) -> None:
    department, since, unfilled = withdrawn(town)
    page = (town / "public" / "index.html").read_text("utf-8")
    assert page.count(">空缺<") == page.count(">unfilled<") == len(unfilled)
    counted = f"{len(unfilled)} 个检查组因部门退出而空缺"
    for words in (f"，自 {since} 起", "执法人员不足", "it no longer has the licensed inspectors", counted):
        assert words in page
    listed = (town / "exports" / "visits.csv").read_text("utf-8-sig")
    assert listed.count("空缺（部门退出：执法人员不足）") == len(unfilled)
    seated = sum(bool(seats) for _, seats in crews(town, department).values())
    events = (town / "exports" / f"calendar-{department}.ics").read_bytes().count(b"BEGIN:VEVENT")
    assert events == seated
    book = load_workbook(town / "exports" / f"task-sheet-{department}.xlsx")
    places = {(row[2], row[6]) for row in book["findings"].iter_rows(min_row=2, values_only=True)}
    assert places.isdisjoint(unfilled)
    assert len(places) == seated
    told = [row for row in book["crews"].iter_rows(min_row=2, values_only=True) if "空缺" in str(row[4])]
    assert sorted(str(row[1]) for row in told) == sorted(enterprise for enterprise, _ in unfilled)
    summary = (town / "exports" / "summary.html").read_text("utf-8")
    assert "空缺的检查组" in summary
    assert summary.count("it no longer has the licensed inspectors") == len(unfilled)
    sent = json.loads((town / "exports" / "provincial-platform.json").read_bytes())
    tasks = {t["id"] for t in document(town, "announcement.json")["tasks"] if t["department"] == department}
    assert {e["pripId"] for e in sent if e["raninsTaskId"] in tasks} == {e for e, _ in places}


def test_a_finding_of_an_unfilled_crew_is_refused_and_none_is_waited_for(town: Path, tmp_path: Path) -> None:
    department, _, unfilled = withdrawn(town)
    with pytest.raises(InputError) as refused:
        campaign.record_findings(town, findings_of(town, tmp_path, (unfilled[0], department)))
    assert {problem.code for problem in refused.value.problems} == {"finding-unfilled"}
    departments = {t["department"] for t in document(town, "announcement.json")["tasks"]}
    seated = [
        (place, other)
        for other in sorted(departments)
        for place, (day, seats) in crews(town, other).items()
        if day and seats
    ]
    campaign.record_findings(town, findings_of(town, tmp_path, *seated[1:]))
    assert state_of_folder(town).phase is Phase.EXECUTING
    campaign.record_findings(town, findings_of(town, tmp_path, seated[0]))
    assert state_of_folder(town).phase is Phase.CLOSED
    report = verify_record(read_public(town / "public"), None)
    assert report.status("findings") == "PASS"


def test_a_department_does_not_withdraw_from_a_crew_whose_findings_are_published(
    town: Path, tmp_path: Path
) -> None:
    department, days = busiest(town)
    place = next(place for place, (day, _) in crews(town, department).items() if day == days[0])
    campaign.record_findings(town, findings_of(town, tmp_path, (place, department)))
    with pytest.raises(StateError) as refused:
        campaign.withdraw(town, department, date.fromisoformat(days[0]), "reorganised", None, LATER)
    assert refused.value.code == "already-inspected"
    assert rows(town) == ()
    campaign.withdraw(town, department, date.fromisoformat(days[1]), "reorganised", None, LATER)


@pytest.mark.parametrize("first", ["withdraw", "exclude"])
def test_a_substitute_is_not_visited_for_a_department_that_withdrew(town: Path, first: str) -> None:
    tasks = {t["id"]: t for t in document(town, "announcement.json")["tasks"]}
    department, since, gone, lost = next(
        (crew["department"], visit["date"], visit["enterprise"], own)
        for visit in document(town, "result.json")["visits"]
        for crew in visit["crews"]
        for own in [{c["task"] for c in visit["checks"] if tasks[c["task"]]["mode"] == "own"}]
        if any(tasks[task]["department"] == crew["department"] for task in own)
    )
    steps = {
        "withdraw": lambda: campaign.withdraw(
            town, department, date.fromisoformat(since), "reorganised", None, EXCLUDED
        ),
        "exclude": lambda: campaign.exclude(town, gone, "moved-away", None, EXCLUDED),
    }
    steps.pop(first)()
    next(iter(steps.values()))()
    path = town / "beacon-1001.json"
    path.write_text(json.dumps({"round": 1001, "signature": ROUND_1001}), "utf-8")
    row = campaign.substitute(town, path).row
    left = sorted(task for task in lost if tasks[task]["department"] != department)
    assert [place["task"] for place in row["tasks"]] == left
    seated = {crew["department"] for visit in row["visits"] for crew in visit["crews"]}
    checked = {tasks[check["task"]]["department"] for visit in row["visits"] for check in visit["checks"]}
    assert department not in seated | checked
    assert verify_record(read_public(town / "public"), read_auditor(town)).status("changes") == "PASS"


def test_nobody_is_replaced_in_an_unfilled_crew(town: Path) -> None:
    department, days = busiest(town)
    place, (_, seats) = next(iter(crews(town, department).items()))
    campaign.withdraw(town, department, date.fromisoformat(days[0]), "force-majeure", None, LATER)
    with pytest.raises(DualRandomError) as refused:
        campaign.replace_inspector(town, *place, seats[0], "ill", LATER)
    assert refused.value.code == "not-in-crew"


def test_between_an_exclusions_round_and_its_substitute_no_department_withdraws(town: Path) -> None:
    department, days = busiest(town)
    gone = document(town, "result.json")["visits"][0]["enterprise"]
    campaign.exclude(town, gone, "moved-away", None, EXCLUDED)
    with pytest.raises(DualRandomError) as refused:
        campaign.withdraw(town, department, date.fromisoformat(days[-1]), "reorganised", None, LATER)
    assert refused.value.code == "substitute-pending"
    assert refused.value.value == gone
