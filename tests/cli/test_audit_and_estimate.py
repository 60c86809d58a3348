"""The commands that look back: is the way of drawing fair, and what do its findings say about everybody."""

import csv
import json
import shutil
from pathlib import Path

import pytest

from dualrandom.campaign import Campaign
from dualrandom.campaign.publishing import full_result
from dualrandom.cli import run


def test_an_audit_of_the_demonstration_finds_it_fair_and_writes_a_page(
    written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    page = tmp_path / "fairness.html"
    words = ["audit", "fairness", str(written), "--draws", "120", "--pairings", "4", "--workers", "1"]
    assert run([*words, "--out", str(page), "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["fair"] is True
    assert report["p_value"] >= report["alpha"]
    assert report["coverage"]["seen"] > 0
    assert report["draws"] == 120
    assert b"<svg" in page.read_bytes()
    assert not (written / "exports").exists()


def test_estimates_wait_for_findings_and_then_give_rates_with_intervals(
    drawn: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "town"
    shutil.copytree(drawn, folder)
    assert run(["estimate", str(folder), "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "no-findings"
    sheet = tmp_path / "findings.csv"
    full = full_result(Campaign(folder))
    with sheet.open("w", encoding="utf-8", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["统一社会信用代码", "任务", "抽查事项", "检查日期", "检查方式", "检查结果"])
        for number, visit in enumerate(full["visits"]):
            for check in visit["checks"]:
                for item in check["items"]:
                    code = "E" if number % 3 == 0 else "1"
                    rows.writerow([visit["enterprise"], check["task"], item, visit["date"], "on-site", code])
    assert run(["record", str(folder), str(sheet), "--json"]) == 0
    capsys.readouterr()
    assert run(["estimate", str(folder), "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["type"] == "dualrandom/v1/estimate"
    assert {task["task"] for task in document["tasks"]} >= {"amr-food", "fire-premises"}
    for language, words in (("zh", "置信"), ("en", "confidence")):
        assert run(["estimate", str(folder), "--language", language]) == 0
        assert words in capsys.readouterr().out
