"""A drawn campaign that must be changed: what is published, what is refused, and what else follows the change."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dualrandom import campaign
from dualrandom.campaign import StateError, WaitingError
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


def result(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "public" / "result.json").read_bytes())
    return found


def rows(folder: Path) -> tuple[dict[str, Any], ...]:
    return read_rows((folder / "public" / "changes.jsonl").read_bytes())


def code_of(folder: Path, pseudonym: str) -> str:
    for line in (folder / "private" / "openings" / "roster.jsonl").read_bytes().splitlines():
        opening = json.loads(line)
        if opening["id"] == pseudonym:
            return str(opening["hidden"]["person"])
    return pseudonym


def round_1001(folder: Path) -> Path:
    path = folder / "beacon-1001.json"
    path.write_text(json.dumps({"round": 1001, "signature": ROUND_1001}), "utf-8")
    return path


def replaceable(folder: Path) -> dict[str, Any]:
    """Replace somebody of the first dated visit where anybody can come; return the row."""
    for visit in effective_visits(result(folder), rows(folder)):
        for crew in visit["crews"]:
            for person in crew["seats"]:
                code = code_of(folder, person)
                try:
                    change = campaign.replace_inspector(
                        folder, visit["enterprise"], visit["part"], code, "ill", LATER
                    )
                except DualRandomError as refused:
                    assert refused.code == "no-replacement"  # noqa: PT017
                else:
                    return dict(change.row)
    raise AssertionError("nobody can be replaced")


def test_exclusion_substitute_and_replacement_are_published_and_verified(town: Path) -> None:
    before = (town / "public" / "result.json").read_bytes()
    gone = result(town)["visits"][0]["enterprise"]
    evidence = town / "letter.pdf"
    evidence.write_bytes(b"moved")
    change = campaign.exclude(town, gone, "moved-away", evidence, EXCLUDED)
    assert change.row["evidence"] == hashlib.sha256(b"moved").hexdigest()
    assert change.row["beacon"] == {"round": "1001", "time": "2023-08-23T15:59:27Z"}
    with pytest.raises(WaitingError):
        campaign.substitute(town)
    round_1001(town)
    added = campaign.substitute(town).row["visits"]
    assert added
    replaced = replaceable(town)
    assert [row["type"] for row in rows(town)] == ["exclude", "substitute", "replace"]
    assert (town / "public" / "result.json").read_bytes() == before
    for auditor in (None, read_auditor(town)):
        report = verify_record(read_public(town / "public"), auditor)
        assert [(c.name, c.reason_en) for c in report.checks if c.status == "FAIL"] == []
    assert verify_record(read_public(town / "public"), read_auditor(town)).status("changes") == "PASS"
    listed = next((town / "exports").glob("*visit*.csv")).read_text("utf-8-sig")
    assert gone not in listed
    assert all(visit["enterprise"] in listed for visit in added)
    assert replaced["in"] != replaced["out"]
    page = (town / "public" / "index.html").read_text("utf-8")
    name = change.names[gone]
    assert page.count(name) == 1
    for words in ("changes.jsonl", "迁出辖区", "moved out of the district", "生病", replaced["in"]):
        assert words in page
    for visit in added:
        assert f"{visit['enterprise']}" in page


def test_drawing_again_after_changes_keeps_the_bytes_and_the_exports_of_the_changes(town: Path) -> None:
    gone = result(town)["visits"][0]["enterprise"]
    campaign.exclude(town, gone, "moved-away", None, EXCLUDED)
    before = {name: data for name, data in read_public(town / "public").items() if name != "index.html"}
    assert campaign.draw(town).repeated
    assert {n: d for n, d in read_public(town / "public").items() if n != "index.html"} == before
    assert gone not in next((town / "exports").glob("*visit*.csv")).read_text("utf-8-sig")


def test_findings_are_taken_for_substitutes_and_refused_for_the_excluded(town: Path, tmp_path: Path) -> None:
    first = result(town)["visits"][0]
    campaign.exclude(town, first["enterprise"], "moved-away", None, EXCLUDED)
    added = next(v for v in campaign.substitute(town, round_1001(town)).row["visits"] if v["date"])

    def sheet(visit: dict[str, Any]) -> Path:
        path = tmp_path / "findings.csv"
        with path.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.writer(stream)
            writer.writerow(["enterprise", "part", "task", "item", "date", "method", "code"])
            check = visit["checks"][0]
            cells = [visit["enterprise"], visit["part"], check["task"], check["items"][0]]
            writer.writerow([*cells, visit["date"], "on-site", "1"])
        return path

    with pytest.raises(InputError):
        campaign.record_findings(town, sheet(first))
    assert campaign.record_findings(town, sheet(added)).added == 1
    report = verify_record(read_public(town / "public"), read_auditor(town))
    assert (report.status("findings"), report.status("changes")) == ("PASS", "PASS")
    assert added["enterprise"] in (town / "ledger.csv").read_text("utf-8")
    with pytest.raises(StateError, match="already-inspected"):
        campaign.exclude(town, added["enterprise"], "suspended", None, LATER)


def test_a_firm_deregistered_before_its_visit_is_a_finding_and_not_an_exclusion(town: Path) -> None:
    visit = next(visit for visit in result(town)["visits"] if visit["date"])
    with pytest.raises(DualRandomError) as refused:
        campaign.exclude(town, visit["enterprise"], "deregistered", None, EXCLUDED)
    assert refused.value.code == "deregistered-is-a-finding"
    assert "9" in refused.value.remedy("zh")
    assert not (town / "public" / "changes.jsonl").exists()


@pytest.mark.parametrize(
    ("call", "code"),
    [
        (lambda town: campaign.exclude(town, "nobody", "suspended", None, EXCLUDED), "not-visited"),
        (lambda town: campaign.exclude(town, "nobody", "bored", None, EXCLUDED), "change-reason"),
        (campaign.substitute, "nothing-pending"),
        (lambda town: campaign.replace_inspector(town, "nobody", 1, "x", "ill", LATER), "not-visited"),
        (lambda town: campaign.replace_inspector(town, "nobody", 1, "x", "bored", LATER), "change-reason"),
    ],
)
def test_what_cannot_be_changed_is_refused_with_a_remedy_and_nothing_is_written(
    town: Path, call: Callable[[Path], object], code: str
) -> None:
    before = read_public(town / "public")
    with pytest.raises(DualRandomError) as refused:
        call(town)
    assert refused.value.code == code
    assert refused.value.remedy("zh")
    assert refused.value.remedy("en")
    assert read_public(town / "public") == before


def test_somebody_who_does_not_sit_there_is_refused_with_the_codes_of_those_who_do(town: Path) -> None:
    visit = next(visit for visit in result(town)["visits"] if visit["date"])
    with pytest.raises(DualRandomError) as refused:
        campaign.replace_inspector(town, visit["enterprise"], visit["part"], "nobody", "ill", LATER)
    assert refused.value.code == "not-in-crew"
    for person in visit["crews"][0]["seats"]:
        assert code_of(town, person) in refused.value.remedy("en")


def test_nothing_is_changed_before_the_draw(tmp_path: Path) -> None:
    folder = tmp_path / "campaign"
    write_campaign("town", folder)
    campaign.announce(folder, now=ANNOUNCED)
    with pytest.raises(StateError):
        campaign.exclude(folder, "nobody", "suspended", None, EXCLUDED)


def test_another_round_than_the_one_named_is_refused(town: Path) -> None:
    campaign.exclude(town, result(town)["visits"][0]["enterprise"], "suspended", None, EXCLUDED)
    with pytest.raises(DualRandomError) as refused:
        campaign.substitute(town, town / "beacon.json")
    assert refused.value.code == "beacon-file"
    assert [row["type"] for row in rows(town)] == ["exclude"]


def test_repeated_replacements_raise_an_alarm_with_the_name(town: Path) -> None:
    person = max(
        (p for v in result(town)["visits"] for c in v["crews"] for p in c["seats"]),
        key=lambda p: sum(p in c["seats"] for v in result(town)["visits"] for c in v["crews"]),
    )
    changes = []
    for visit in result(town)["visits"]:
        if any(person in crew["seats"] for crew in visit["crews"]):
            try:
                changes.append(
                    campaign.replace_inspector(
                        town,
                        visit["enterprise"],
                        visit["part"],
                        code_of(town, person),
                        "on-enterprise-application",
                        LATER,
                    )
                )
            except DualRandomError as refused:
                assert refused.code == "no-replacement"  # noqa: PT017
    assert len(changes) >= 3
    assert not any(person in zh for change in changes[:2] for zh, _ in change.alarms)
    assert any(person in en for _, en in changes[2].alarms)
    assert changes[-1].counts.inspectors == {person: len(changes)}


def test_a_change_that_was_published_but_not_logged_is_logged_before_the_next(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "campaign"
    write_campaign("town", folder)
    with (folder / "plan.toml").open("a", encoding="utf-8") as plan:
        plan.write('\n[log]\nfolder = "log"\n')
    campaign.announce(folder, now=ANNOUNCED)
    campaign.cosign(folder)
    campaign.draw(folder)
    gone = result(folder)["visits"][0]["enterprise"]
    with monkeypatch.context() as killed:
        killed.setattr("dualrandom.campaign.changing.put", lambda _book, _documents, write: write())
        campaign.exclude(folder, gone, "moved-away", None, EXCLUDED)
    report = verify_record(read_public(folder / "public"), read_auditor(folder))
    assert report.status("changes") == "NOT CHECKED"
    assert report.status("log") == "FAIL"
    campaign.substitute(folder, round_1001(folder))
    report = verify_record(read_public(folder / "public"), read_auditor(folder))
    assert [(c.name, c.reason_en) for c in report.checks if c.status == "FAIL"] == []
