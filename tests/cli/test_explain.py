"""An explanation can be redone by hand, and it agrees with what was published."""

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dualrandom.cli import run
from dualrandom.explain import Context, explain_enterprise, explain_inspector, read_context

Ask = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def known(drawn: Path) -> Context:
    return read_context(drawn)


@pytest.fixture(scope="module")
def result(drawn: Path) -> dict[str, Any]:
    published: dict[str, Any] = json.loads((drawn / "public" / "result.json").read_bytes())
    return published


def commands(told: Any) -> list[tuple[str, str]]:
    """Return all (command, ticket) pairs of an explanation."""
    if isinstance(told, dict):
        own = [(told["command"], told["ticket"])] if told.get("command") else []
        return own + [pair for value in told.values() for pair in commands(value)]
    return [pair for value in told for pair in commands(value)] if isinstance(told, list) else []


def test_every_command_line_gives_the_ticket_that_is_shown(
    ask: Ask, drawn: Path, result: dict[str, Any]
) -> None:
    visit = max(result["visits"], key=lambda one: len(one["crews"]))
    inspector = visit["crews"][0]["seats"][0]
    pairs = commands(ask("explain", drawn, "--enterprise", visit["enterprise"]))
    pairs += commands(ask("explain", drawn, "--inspector", inspector))[:3]
    assert len(pairs) > 20
    for command, ticket in dict(pairs).items():
        assert command.startswith("printf '%s' ")
        assert subprocess.check_output(["sh", "-c", command], text=True).split()[0] == ticket


def test_an_enterprise_is_selected_exactly_if_its_rank_is_within_the_number_drawn(
    known: Context, result: dict[str, Any]
) -> None:
    selected = {one["task"]: set(one["selected"]) for one in result["selection"]}
    sample = sorted(set().union(*selected.values()))[:8] + list(known.prepared.frozen.ids[::60])
    for enterprise in sample:
        told = explain_enterprise(known, enterprise)
        assert told["in_frame"]
        for task in told["tasks"]:
            assert bool(task["selected"]) == (enterprise in selected[task["task"]])
            if task["excluded"] is None and task["mode"] == "own":
                assert (task["rank"] <= task["drawn"]) == task["selected"]
                assert (told["ticket"]["ticket"] <= (task["cutoff"] or "")) == task["selected"]
        visited = [visit for visit in result["visits"] if visit["enterprise"] == enterprise]
        assert [(v["part"], v["date"]) for v in told["visits"]] == [(v["part"], v["date"]) for v in visited]


def test_the_days_are_tried_in_ticket_order_until_one_is_taken(
    known: Context, result: dict[str, Any]
) -> None:
    for visit in result["visits"]:
        told = explain_enterprise(known, visit["enterprise"])["visits"][visit["part"] - 1]
        assert [day["ticket"] for day in told["days"]] == sorted(day["ticket"] for day in told["days"])
        outcomes = Counter(day["outcome"] for day in told["days"])
        assert outcomes["taken"] == 1
        taken = next(day for day in told["days"] if day["outcome"] == "taken")
        assert taken["date"] == visit["date"]


def test_the_crews_are_those_that_were_published(known: Context, result: dict[str, Any]) -> None:
    for visit in result["visits"]:
        told = explain_enterprise(known, visit["enterprise"])["visits"][visit["part"] - 1]
        for crew, published in zip(told["crews"], visit["crews"], strict=True):
            assert [seat["roster_id"] for seat in crew["seats"]] == published["seats"]
            assert [one["roster_id"] for one in crew["barred"]] == published["barred"]
            for seat in crew["seats"]:
                assert seat["cost"] == int(seat["ticket"][:10], 16)
                assert seat["adjusted"] == seat["cost"] + seat["price"]


def test_an_enterprise_outside_the_frame_gets_the_reason_for_every_task(
    known: Context, drawn: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outside = [one.id for one in known.inputs.libraries.enterprises if one.id not in known.position]
    assert outside
    reasons = set()
    for enterprise in outside:
        told = explain_enterprise(known, enterprise)
        assert not told["in_frame"]
        assert told["ticket"] is None
        assert told["visits"] == []
        assert all(task["excluded"] for task in told["tasks"])
        reasons |= {task["excluded"] for task in told["tasks"]}
    assert {"annual-cap", "out-of-scope"} <= reasons
    assert run(["explain", str(drawn), "--enterprise", outside[0], "--language", "en"]) == 0
    assert "Not in the frame" in capsys.readouterr().out


def test_an_inspector_is_told_about_every_crew_of_the_department(
    known: Context, result: dict[str, Any]
) -> None:
    crews = Counter(crew["department"] for visit in result["visits"] for crew in visit["crews"])
    workload: Counter[str] = Counter(
        seat for visit in result["visits"] for crew in visit["crews"] for seat in crew["seats"]
    )
    for row in known.prepared.frozen.roster:
        told = explain_inspector(known, row.person)
        assert told["roster_id"] == row.id
        assert len(told["visits"]) == crews[row.department]
        assert told["crews"] == workload[row.id]
        assert {visit["outcome"] for visit in told["visits"]} <= {
            "paired",
            "cost",
            "absent",
            "barred",
            "recused",
            "other-district",
            "no-seat",
        }
        for visit in told["visits"]:
            assert (visit["why"] is not None) == (visit["outcome"] in {"barred", "recused"})


def test_nobody_outside_a_crew_could_replace_a_member_at_less_adjusted_cost(known: Context) -> None:
    marks_of = {row.person: set(row.marks) for row in known.prepared.frozen.roster}
    compared = 0
    for row in known.prepared.frozen.roster:
        for visit in explain_inspector(known, row.person)["visits"]:
            if visit["outcome"] != "cost":
                continue
            crew = explain_enterprise(known, visit["enterprise"])["visits"][visit["part"] - 1]["crews"]
            seats = next(one for one in crew if one["department"] == row.department)["seats"]
            for seat in seats:
                if set(seat["marks"]) <= marks_of[row.person]:
                    assert visit["adjusted"] >= seat["adjusted"]
                    compared += 1
        if compared > 100:
            return
    assert compared


def test_explanations_are_readable_in_both_languages(
    drawn: Path, result: dict[str, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    visit = result["visits"][0]
    for language, words in (("zh", ("签号", "检查组", "名次")), ("en", ("Ticket", "Crew", "rank"))):
        assert run(["explain", str(drawn), "--enterprise", visit["enterprise"], "--language", language]) == 0
        text = capsys.readouterr().out
        assert "| sha256sum" in text
        assert "\N{FIRE}" not in text
        for word in words:
            assert word in text
    seat = visit["crews"][0]["seats"][0]
    for language, word in (("zh", "调整后成本"), ("en", "adjusted cost")):
        assert run(["explain", str(drawn), "--inspector", seat, "--language", language]) == 0
        assert word in capsys.readouterr().out


def test_a_task_with_two_way_control_is_announced_drawn_verified_and_explained(
    ask: Ask, written: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town = Path(shutil.copytree(written, tmp_path / "town"))
    plan = (town / "plan.toml").read_text("utf-8")
    control = 'strata_by = ["class", "district"]\ngroup_by = "class"\ncontrol = "two-way"'
    ratios = 'ratios = { A = "6%", B = "10%", C = "30%", D = "80%" }'
    for old, new in (
        ('disclosure = "sealed"', 'disclosure = "open"\nclasses_public = "test"\nrounding = "unbiased"'),
        ('[auditor]\nname = "云溪县审计局（虚构）"\n', ""),
        (ratios, f"{ratios}\n{control}"),
    ):
        assert plan.count(old) == 1, old
        plan = plan.replace(old, new)
    (town / "plan.toml").write_text(plan, "utf-8")
    ask("announce", town, "--rehearsal")
    ask("draw", town)
    statuses = {check["name"]: check["status"] for check in ask("verify", town / "public", code=3)["checks"]}
    assert {statuses[name] for name in ("canonical", "announcement", "sizes", "selection")} == {"PASS"}
    (sample,) = (
        one["strata"]
        for one in json.loads((town / "public" / "result.json").read_bytes())["selection"]
        if one["task"] == "amr-publicity"
    )
    assert {stratum["id"].split(".")[1] for stratum in sample} == {"chengguan", "dongwan", "nantang"}
    selected = read_context(town).selections["amr-publicity"].by_ticket[0]
    pairs = dict(commands(ask("explain", town, "--enterprise", selected)))
    (command,) = (command for command in pairs if ":control:amr-publicity:0'" in command)
    assert subprocess.check_output(["sh", "-c", command], text=True).split()[0] == pairs[command]
    assert run(["explain", str(town), "--enterprise", selected, "--language", "en"]) == 0
    assert "two-way rounding of task amr-publicity" in capsys.readouterr().out


def test_an_embargo_is_for_the_public_not_for_the_office(ask: Ask, written: Path, tmp_path: Path) -> None:
    town = Path(shutil.copytree(written, tmp_path / "town"))
    plan = (town / "plan.toml").read_text("utf-8")
    (town / "plan.toml").write_text(plan.replace("[policy]", '[policy]\nembargo = "visits"'), "utf-8")
    ask("announce", town, "--rehearsal")
    drawn = ask("draw", town)
    assert json.loads((town / "public" / "result.json").read_bytes())["visits"] is None
    known = read_context(town)
    assert known.result is not None
    assert len(known.result["visits"]) == drawn["visits"]
    visit = known.result["visits"][0]
    told = ask("explain", town, "--enterprise", visit["enterprise"])
    assert told["visits"][0]["date"] == visit["date"]


def test_before_the_draw_the_frame_is_explained(ask: Ask, announced: Path, known: Context) -> None:
    told = ask("explain", announced, "--enterprise", known.prepared.frozen.ids[0])
    assert not told["drawn"]
    assert told["in_frame"]
    assert told["ticket"] is None
    assert any(task["stratum"] for task in told["tasks"])
    told = ask("explain", announced, "--inspector", known.prepared.frozen.roster[0].person)
    assert told["visits"] == []
    assert told["department"]


def test_what_cannot_be_explained_is_refused(ask: Ask, written: Path, drawn: Path) -> None:
    assert ask("explain", drawn, code=2)["error"]["code"] == "explain-whom"
    both = ("--enterprise", "a", "--inspector", "b")
    assert ask("explain", drawn, *both, code=2)["error"]["code"] == "explain-whom"
    assert ask("explain", drawn, "--enterprise", "nobody", code=2)["error"]["code"] == "unknown-enterprise"
    assert ask("explain", drawn, "--inspector", "nobody", code=2)["error"]["code"] == "unknown-inspector"
    assert ask("explain", written, "--inspector", "nobody", code=2)["error"]["code"] == "not-announced"


def test_changed_lists_are_not_explained(ask: Ask, drawn: Path, tmp_path: Path) -> None:
    shutil.copytree(drawn, tmp_path / "town")
    with (tmp_path / "town" / "plan.toml").open("a", encoding="utf-8") as plan:
        plan.write("\n# later\n")
    told = ask("explain", tmp_path / "town", "--enterprise", "x", code=2)
    assert told["error"]["code"] == "changed-since-announced"


def test_a_result_that_was_tampered_with_is_noticed(
    ask: Ask, drawn: Path, known: Context, tmp_path: Path
) -> None:
    shutil.copytree(drawn, tmp_path / "town")
    path = tmp_path / "town" / "public" / "result.json"
    changed = json.loads(path.read_bytes())
    task = next(one for one in changed["selection"] if one["selected"])
    task["selected"][0] = next(one for one in known.prepared.frozen.ids if one not in task["selected"])
    path.write_text(json.dumps(changed), "utf-8")
    told = ask("explain", tmp_path / "town", "--enterprise", known.prepared.frozen.ids[0], code=1)
    assert told["error"]["code"] == "published-differs"
