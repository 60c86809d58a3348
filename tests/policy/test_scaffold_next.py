"""The next campaign goes on where the last one ended."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from dualrandom.errors import InputError
from dualrandom.policy.plan import Plan
from dualrandom.policy.reader import parse_plan, read_plan
from dualrandom.registry.reader import read_libraries
from dualrandom.scaffold import Created, new_campaign
from dualrandom.scaffold.from_campaign import next_plan

PLAN = """
[plan]
id = "plan-2023-09"
authority = "ezhou"
authority_name = "鄂州市双随机办"
number = 4
enterprise_ids = "free"
period = { start = 2023-09-01, end = 2023-09-30 }
[days]
closed = [2023-09-04]
[beacon]
round = 1000
[auditor]
name = "市审计局"
[[contributions]]
party = "amr"
name = "市场监管局"
KEYS
[[departments]]
id = "amr"
name = "市场监管局"
[[tasks]]
id = "t01"
name = "公示信息抽查"
department = "amr"
items = ["i01"]
ratios = { A = "1%", B = "2%", C = "10%", D = "30%" }
[libraries.enterprises]
file = "firms.csv"
[libraries.visits]
file = "before.csv"
"""
OWN = f'key = "{"A" * 43}="\ncommitment = "{"0" * 64}"\nsignature = "{"A" * 86}=="'
VISITS = "enterprise,date,department,task,item,inspectors,kind\n"
BEFORE = VISITS + "e1,2023-03-01,amr,t01,i01,p1;p2,plan\n"
LEDGER = VISITS + "e2,2023-09-05,amr,t01,i01,p1;p2,plan\n"


def last_campaign(folder: Path, plan: str = PLAN, keys: str = "") -> Path:
    folder.mkdir()
    for name, text in {
        "plan.toml": plan.replace("KEYS", keys),
        "firms.csv": "id,name,district,credit_class\n"
        + "".join(f"e{n},企业{n},420704,A\n" for n in range(1, 9)),
        "inspectors.csv": "code,name,department,marks,licence\np1,甲,amr,leader,1\np2,乙,amr,,2\n",
        "items.csv": "id,name,department,basis\ni01,公示信息,amr,条例\n",
        "before.csv": BEFORE,
        "ledger.csv": LEDGER,
    }.items():
        (folder / name).write_text(text, "utf-8")
    return folder


def announced(folder: Path, *voided: int, number: int) -> None:
    public = folder / "public"
    public.mkdir()
    (public / "announcement.json").write_text(
        json.dumps({"draw": f"ezhou-2023-{number:06}"}, separators=(",", ":"))
    )
    for each in voided:
        (public / "voided" / f"ezhou-2023-{each:06}").mkdir(parents=True)


NOW = datetime(2023, 9, 20, tzinfo=UTC)


def plan_in(created: Created) -> Plan:
    result = read_plan(created.folder / "plan.toml")
    assert [problem for problem in result.problems if problem.severity == "error"] == []
    assert result.plan is not None
    return result.plan


def test_the_next_month_keeps_the_rules_and_moves_what_moves(tmp_path: Path) -> None:
    last = last_campaign(tmp_path / "last")
    announced(last, number=4)
    plan = plan_in(new_campaign(tmp_path / "next", [last], now=NOW))
    before = read_plan(last / "plan.toml").plan
    assert before is not None
    assert plan.period == (date(2023, 10, 1), date(2023, 10, 31))
    assert (plan.id, plan.number, plan.months_left) == ("plan-2023-10", 5, 3)
    assert plan.beacon.time == datetime(2023, 9, 27, 2, tzinfo=UTC)
    assert plan.closed_days == ()
    assert plan.tasks == before.tasks
    assert plan.departments == before.departments


def test_numbers_of_voided_draws_are_used_up(tmp_path: Path) -> None:
    last = last_campaign(tmp_path / "last")
    announced(last, 4, 5, number=6)
    assert plan_in(new_campaign(tmp_path / "next", [last], now=NOW)).number == 7


def test_a_number_that_was_never_announced_is_still_free(tmp_path: Path) -> None:
    assert plan_in(new_campaign(tmp_path / "next", [last_campaign(tmp_path / "last")], now=NOW)).number == 4


def test_a_new_year_starts_at_one_with_twelve_months(tmp_path: Path) -> None:
    last = last_campaign(
        tmp_path / "last", PLAN.replace("2023-09", "2023-12").replace("2023-12-30", "2023-12-31")
    )
    announced(last, number=4)
    plan = plan_in(new_campaign(tmp_path / "next", [last], now=datetime(2023, 12, 10, tzinfo=UTC)))
    assert (plan.number, plan.year, plan.months_left) == (1, 2024, 12)


def test_what_was_done_counts_as_past_visits(tmp_path: Path) -> None:
    last = last_campaign(tmp_path / "last")
    created = new_campaign(tmp_path / "next", [last], now=NOW)
    read = read_libraries(created.folder, plan_in(created))
    assert [problem for problem in read.problems if problem.severity == "error"] == []
    assert [(visit.enterprise, visit.date, visit.inspectors) for visit in read.libraries.visits] == [
        ("e1", date(2023, 3, 1), ("p1", "p2")),
        ("e2", date(2023, 9, 5), ("p1", "p2")),
    ]
    assert (created.folder / "firms.csv").read_bytes() == (last / "firms.csv").read_bytes()


def test_a_campaign_made_from_the_next_one_loses_no_visit_and_doubles_none(tmp_path: Path) -> None:
    first = new_campaign(tmp_path / "next", [last_campaign(tmp_path / "last")], now=NOW).folder
    second = new_campaign(tmp_path / "after", [first], now=NOW + timedelta(days=30)).folder
    assert (second / "visits.csv").read_bytes() == (first / "visits.csv").read_bytes()


def test_a_draw_without_recorded_findings_is_warned_about(tmp_path: Path) -> None:
    last = last_campaign(tmp_path / "last")
    announced(last, number=4)
    (last / "public" / "result.json").write_text("{}")
    (last / "ledger.csv").unlink()
    problems = new_campaign(tmp_path / "next", [last], now=NOW).problems
    assert "new-unrecorded" in {problem.code for problem in problems}


def test_commitments_of_the_last_draw_are_dropped_and_asked_for_again(tmp_path: Path) -> None:
    created = new_campaign(tmp_path / "next", [last_campaign(tmp_path / "last", keys=OWN)], now=NOW)
    (party,) = plan_in(created).contributions
    assert (party.party, party.key, party.commitment, party.signature) == ("amr", None, None, None)
    assert "ask for key, commitment and signature again" in (created.folder / "plan.toml").read_text("utf-8")


def test_months_left_that_were_set_by_hand_count_down() -> None:
    plan = plan_of(PLAN.replace("number = 4", "number = 4\nmonths_left = 2").replace("KEYS", ""))
    assert next_plan(plan, (4,), NOW)[0].months_left == 1


def test_a_quarter_is_followed_by_a_quarter() -> None:
    plan = plan_of(
        PLAN.replace("2023-09-01, end = 2023-09-30", "2023-07-01, end = 2023-09-30").replace("KEYS", "")
    )
    plan = next_plan(plan, (), datetime(2023, 9, 15, tzinfo=UTC))[0]
    assert plan.period == (date(2023, 10, 1), date(2023, 12, 31))
    assert plan.months_left == 3


def test_a_late_start_does_not_draw_days_that_are_past() -> None:
    plan = next_plan(plan_of(PLAN.replace("KEYS", "")), (), datetime(2025, 3, 3, tzinfo=UTC))[0]
    assert plan.period == (date(2025, 3, 11), date(2025, 3, 31))


def test_the_next_issue_of_a_lottery_has_to_be_filled_in(tmp_path: Path) -> None:
    lottery = 'kind = "keystring"\nsource = "ssq"\nround = "2023097"\ntime = 2023-08-24T13:15:00Z'
    created = new_campaign(
        tmp_path / "next", [last_campaign(tmp_path / "last", PLAN.replace("round = 1000", lottery))], now=NOW
    )
    assert created.to_fill == ("beacon.round",)
    assert [problem.column for problem in read_plan(created.folder / "plan.toml").problems] == [
        "beacon.round"
    ]


def test_a_broken_last_plan_is_reported_with_all_its_mistakes(tmp_path: Path) -> None:
    last = last_campaign(tmp_path / "last", PLAN.replace("amr", "x y"))
    with pytest.raises(InputError) as refused:
        new_campaign(tmp_path / "next", [last], now=NOW)
    assert len(refused.value.problems) > 1


def plan_of(text: str) -> Plan:
    plan = parse_plan(text.encode()).plan
    assert plan is not None
    return plan
