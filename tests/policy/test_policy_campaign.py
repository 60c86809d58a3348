"""A campaign with policies, a filter, an exemption and its own notices, from the folder to the published record."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dualrandom.campaign import StateError, announce, draw, load_inputs
from dualrandom.cli import run
from dualrandom.demo import write_campaign
from dualrandom.errors import InputError
from dualrandom.scaffold import new_campaign
from dualrandom.verify import verify_record
from dualrandom.verify.folder import read_auditor, read_public

NOW = datetime(2023, 8, 20, tzinfo=UTC)
OWN = """
[policy]
id = "town"
version = "1"
name = "细则"
level = "city"
authority = "示范镇"
[[rules]]
id = "at-most"
kind = "ceiling"
ratio = { D = "10%" }
scope = { tasks = ["fire-premises"] }
source = "细则第一条"
[[rules]]
id = "quarter"
kind = "interval"
months = 3
source = "细则第二条"
"""


@pytest.fixture
def town(tmp_path: Path) -> Path:
    folder = tmp_path / "town"
    write_campaign("town", folder)
    (folder / "policies").mkdir()
    (folder / "policies" / "town.toml").write_text(OWN, "utf-8")
    plan = (folder / "plan.toml").read_text("utf-8").replace("[plan]", '[plan]\npolicies = ["town"]', 1)
    firm = (folder / "enterprises.csv").read_text("utf-8").splitlines()[1].split(",")[0].lstrip("\ufeff")
    plan += f'\n[[exemptions]]\nenterprise = "{firm}"\nreason = "under-investigation"\ntext = "立案调查中"\n'
    (folder / "plan.toml").write_text(plan, "utf-8")
    return folder


def test_policies_are_followed_shown_frozen_and_verified(
    town: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["check", str(town), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    capped = [row for row in told["policies"]["strata"] if row["task"] == "fire-premises"]
    assert capped
    assert all(rule["source"] == "细则第一条" for row in capped for rule in row["rules"])
    assert {rule["rule"] for rule in told["policies"]["eligibility"]["fire-premises"]} == {"town/quarter"}
    assert told["excluded"]["interval"] > 0
    assert told["excluded"]["exempt"] >= 1
    assert {flag["code"] for flag in told["flags"]} >= {"edits-not-checked"}
    announced = announce(town, now=NOW)
    assert {problem.code for problem in announced.warnings} >= {"small-frame"}
    draw(town)
    statistics = json.loads((town / "public" / "statistics.json").read_bytes())
    assert statistics["flags"] == told["flags"]
    report = verify_record(read_public(town / "public"), read_auditor(town))
    assert [check.name for check in report.checks if check.status == "FAIL"] == []
    frozen = json.loads((town / "private" / "freeze.json").read_bytes())["inputs"]
    assert len(frozen["policy:town"]) == 64


@pytest.mark.parametrize("name", ["policies/town.toml", "working-days.toml", "previous.json"])
def test_what_decides_beside_the_plan_cannot_change_after_announcing(town: Path, name: str) -> None:
    announce(town, now=NOW)
    path = town / name
    text = path.read_text("utf-8").replace("10%", "20%") if path.exists() else None
    notice = '[[notices]]\nyear = 2027\nnumber = "x"\nissued = 2026-11-01\nworking = []\n'
    notice += 'holidays = [{ name = "元旦", first = 2027-01-01, last = 2027-01-03 }]\n'
    path.write_text(text or notice, "utf-8")
    with pytest.raises(StateError) as refused:
        draw(town)
    assert refused.value.code == "changed-since-announced"
    assert name.removeprefix("policies/").removesuffix(".toml") in refused.value.value


def test_the_next_campaign_takes_the_policies_along_and_notices_edits(
    town: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    following = tmp_path / "next"
    new_campaign(following, [town], now=datetime(2023, 9, 20, tzinfo=UTC))
    assert (following / "policies" / "town.toml").read_text("utf-8") == OWN
    people = load_inputs(town).libraries.inspectors
    (following / "inspectors.xlsx").unlink()
    rows = [f"{p.code},{p.name},{p.department},{';'.join(p.marks)},{p.licence}" for p in people]
    (following / "inspectors.csv").write_text(
        "\n".join(["code,name,department,marks,licence", *rows]), "utf-8"
    )
    lines = (following / "enterprises.csv").read_text("utf-8").splitlines()
    column = lines[0].lstrip("\ufeff").split(",").index("credit_class")
    edited = 0
    for number in range(1, 40):
        cells = lines[number].split(",")
        if cells[column] == "A":
            cells[column] = "D"
            edited += 1
        lines[number] = ",".join(cells)
    (following / "enterprises.csv").write_text("\n".join(lines) + "\n", "utf-8")
    assert run(["check", str(following), "--json"]) == 0
    flags = {
        (flag["code"], flag["task"]): flag["value"] for flag in json.loads(capsys.readouterr().out)["flags"]
    }
    changed = [int(value) for (code, _), value in flags.items() if code == "classes-changed"]
    assert changed
    assert max(changed) <= edited
    assert ("edits-not-checked", "") not in flags


def test_laws_that_cannot_be_met_refuse_the_announcement_with_both_sources(town: Path) -> None:
    other = OWN.replace('"town"', '"other"').replace("ceiling", "floor").replace("10%", "40%")
    (town / "policies" / "other.toml").write_text(other.replace("细则第一条", "另一规定"), "utf-8")
    plan = town / "plan.toml"
    plan.write_text(plan.read_text("utf-8").replace('["town"]', '["other", "town"]', 1), "utf-8")
    with pytest.raises(InputError) as refused:
        announce(town, now=NOW)
    (problem,) = {one.message_zh: one for one in refused.value.problems if one.severity == "error"}.values()
    assert problem.code == "policy-conflict"
    assert "细则第一条" in problem.message_zh
    assert "另一规定" in problem.message_zh
    assert not (town / "public").exists()
