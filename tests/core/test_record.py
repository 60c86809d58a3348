"""Recording findings: published append-only, counted in the ledger, embargoes opened, the record still verified."""

from __future__ import annotations

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dualrandom import campaign
from dualrandom.campaign.publishing import full_result
from dualrandom.demo import write_campaign
from dualrandom.errors import DualRandomError, InputError
from dualrandom.verify import read_public, verify_record

NOW = datetime(2023, 8, 1, tzinfo=UTC)


def drawn_town(folder: Path, embargo: str) -> dict[str, Any]:
    write_campaign("town", folder)
    plan = (folder / "plan.toml").read_text("utf-8")
    assert 'embargo = "none"' in plan or "embargo" not in plan
    if 'embargo = "none"' in plan:
        plan = plan.replace('embargo = "none"', f'embargo = "{embargo}"')
    else:
        plan = plan.replace("[policy]", f'[policy]\nembargo = "{embargo}"')
    (folder / "plan.toml").write_text(plan, "utf-8")
    campaign.announce(folder, now=NOW)
    campaign.draw(folder)
    return full_result(campaign.Campaign(folder))


def sheet(path: Path, visits: list[dict[str, Any]], code: str = "1") -> Path:
    with path.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["统一社会信用代码", "次", "任务", "抽查事项", "检查日期", "检查方式", "检查结果"])
        for visit in visits:
            for check in visit["checks"]:
                for item in check["items"]:
                    rows.writerow(
                        [
                            visit["enterprise"],
                            visit["part"],
                            check["task"],
                            item,
                            visit["date"],
                            "on-site",
                            code,
                        ]
                    )
    return path


def statuses(folder: Path) -> dict[str, str]:
    return {check.name: check.status for check in verify_record(read_public(folder / "public")).checks}


@pytest.mark.parametrize("embargo", ["none", "crews", "visits"])
def test_findings_are_published_counted_and_open_an_embargo(tmp_path: Path, embargo: str) -> None:
    folder = tmp_path / "campaign"
    full = drawn_town(folder, embargo)
    dated = [visit for visit in full["visits"] if visit["date"]]
    first = campaign.record_findings(folder, sheet(tmp_path / "a.csv", dated[:3]))
    assert first.added == first.rows == sum(len(c["items"]) for v in dated[:3] for c in v["checks"])
    assert "FAIL" not in statuses(folder).values()
    index = (folder / "public" / "index.html").read_text("utf-8")
    if embargo != "none":
        opened = [
            json.loads(line) for line in (folder / "public" / "openings.jsonl").read_bytes().splitlines()
        ]
        assert {row["hidden"]["enterprise"] for row in opened} == {visit["enterprise"] for visit in dated[:3]}
        assert statuses(folder)["prices"] == "NOT CHECKED"
    if embargo == "visits":
        assert dated[0]["enterprise"] in index
        assert dated[-1]["enterprise"] not in index
    campaign.record_findings(folder, sheet(tmp_path / "b.csv", dated))
    after = statuses(folder)
    assert "FAIL" not in after.values()
    assert (after["findings"], after["prices"]) == ("PASS", "PASS")
    ledger = (folder / "ledger.csv").read_text("utf-8-sig").splitlines()
    assert len(ledger) - 1 == sum(len(c["items"]) for v in dated for c in v["checks"])


def test_a_correction_needs_a_reason_and_keeps_what_was_published(tmp_path: Path) -> None:
    folder = tmp_path / "campaign"
    full = drawn_town(folder, "none")
    visits = [visit for visit in full["visits"] if visit["date"]][:1]
    campaign.record_findings(folder, sheet(tmp_path / "a.csv", visits))
    again = campaign.record_findings(folder, sheet(tmp_path / "a.csv", visits))
    assert again.added == 0
    before = (folder / "public" / "findings.json").read_bytes()
    with pytest.raises(DualRandomError):
        campaign.record_findings(folder, sheet(tmp_path / "b.csv", visits, code="E"))
    assert (folder / "public" / "findings.json").read_bytes() == before
    corrected = campaign.record_findings(
        folder, sheet(tmp_path / "b.csv", visits, code="E"), correct="复查更正"
    )
    rows = json.loads((folder / "public" / "findings.json").read_bytes())["findings"]
    assert corrected.added == corrected.rows
    assert {(row["revision"], row["code"], row["reason"]) for row in rows} == {
        (1, "1", None),
        (2, "E", "复查更正"),
    }
    assert "FAIL" not in statuses(folder).values()


def test_findings_for_what_was_not_drawn_are_refused_all_at_once(tmp_path: Path) -> None:
    folder = tmp_path / "campaign"
    full = drawn_town(folder, "none")
    wrong = [{**visit, "enterprise": f"91420700MA000000{n}X"} for n, visit in enumerate(full["visits"][:3])]
    with pytest.raises(InputError) as refused:
        campaign.record_findings(folder, sheet(tmp_path / "a.csv", wrong))
    assert len({problem.row for problem in refused.value.problems}) >= 3
    assert not (folder / "public" / "findings.json").exists()
    assert not (folder / "ledger.csv").exists()


def test_drawing_again_after_findings_repeats_the_draw_and_keeps_them(tmp_path: Path) -> None:
    folder = tmp_path / "campaign"
    full = drawn_town(folder, "none")
    campaign.record_findings(folder, sheet(tmp_path / "a.csv", [v for v in full["visits"] if v["date"]]))
    before = {p.name: p.read_bytes() for p in (folder / "public").iterdir() if p.is_file()}
    assert campaign.draw(folder).repeated
    assert {p.name: p.read_bytes() for p in (folder / "public").iterdir() if p.is_file()} == before
