"""A department that leaves after the announcement: what is published, what is refused, and what else follows it."""

from __future__ import annotations

import csv
import hashlib
import json
import shutil
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest

from dualrandom import campaign
from dualrandom.campaign import StateError
from dualrandom.changes import effective_visits, read_rows
from dualrandom.demo import write_campaign
from dualrandom.errors import DualRandomError, InputError
from dualrandom.verify import read_auditor, read_public, verify_record

ANNOUNCED = datetime(2023, 8, 1, tzinfo=UTC)
# round 1000 is due at 15:59:24, so that an exclusion a second later is decided by round 1001
EXCLUDED = datetime(2023, 8, 23, 15, 59, 25, tzinfo=UTC)
LATER = datetime(2023, 8, 25, 8, tzinfo=UTC)
ROUND_1001 = (
    "b33bf3667cbd5a82de3a24b4e0e9fe5513cc1a0e840368c6e31f5fcfa79bea03f73896b25883abf2853d10337fb8fa41"
)


@pytest.fixture(scope="module")
def drawn_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town") / "campaign"
    write_campaign("town", folder)
    campaign.announce(folder, now=ANNOUNCED)
    campaign.draw(folder)
    return folder


@pytest.fixture
def town(drawn_town: Path, tmp_path: Path) -> Path:
    """A fresh copy of a drawn campaign."""
    shutil.copytree(drawn_town, tmp_path / "campaign")
    return tmp_path / "campaign"


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


def findings_of(folder: Path, tmp_path: Path, place: tuple[str, int], department: str) -> Path:
    """Write a sheet with a finding for each of a department's checks of one visit."""
    tasks = {t["id"] for t in document(folder, "announcement.json")["tasks"] if t["department"] == department}
    visits = {(v["enterprise"], v["part"]): v for v in document(folder, "result.json")["visits"]}
    path = tmp_path / "findings.csv"
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["enterprise", "part", "task", "item", "date", "method", "code"])
        for check in visits[place]["checks"]:
            for item in check["items"] if check["task"] in tasks else ():
                writer.writerow([*place, check["task"], item, visits[place]["date"], "on-site", "1"])
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
