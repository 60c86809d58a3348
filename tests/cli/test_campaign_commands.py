"""A campaign from the first template to the last finding, through the commands."""

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from dualrandom.cli import run
from dualrandom.cli.demo import MARKER

Ask = Callable[..., dict[str, Any]]
FIXTURES = Path(__file__).parents[2] / "fixtures"


@pytest.fixture
def town(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "town"))


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


def test_the_demonstration_ends_in_a_verified_record(
    ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "demo"
    told = ask("demo", "--out", out)
    assert told["drawn"]["visits"] > 0
    assert told["drawn"]["saved"] > 0
    assert told["verified"]["public"]["verdict"] == "NOT CHECKED"
    statuses = {
        who: {check["name"]: check["status"] for check in told["verified"][who]["checks"]}
        for who in ("public", "auditor")
    }
    assert "FAIL" not in statuses["public"].values()
    # the beacon's round is one of 2023: a rehearsal
    assert {name for name, one in statuses["auditor"].items() if one != "PASS"} == {"events"}
    assert statuses["public"]["log"] == statuses["public"]["receipt"] == "PASS"
    assert (told["cosigned"]["quorum"], told["cosigned"]["kept"]) == (True, True)
    assert sorted(told["cosigned"]["cosigned"]) == ["chamber", "university"]
    assert told["findings"] == told["drawn"]["checks"]
    seed = (out / "public" / "seed.txt").read_text()
    assert "contribution amr revealed" in seed
    assert "contribution fire withheld" in seed
    assert ask("status", out)["phase"] == "closed"
    codes = Path(told["receipt"]["codes"]).read_text("utf-8")
    assert codes.count("<svg") > 1
    for place in ("public/index.html", "public/result.json", "exports", "private", MARKER):
        assert (out / place).exists()
    assert ask("verify", out / "public", code=3)["verdict"] == "NOT CHECKED"
    policy = ("--log-policy", out / "reader.policy")
    assert ask("fsck", out, *policy)["problems"] == []
    report = ask("verify", out, "--auditor", *policy, "--receipt", told["receipt"]["file"], code=3)
    assert report["checks"] == told["verified"]["auditor"]["checks"]
    assert ask("demo", "--out", out, code=2)["error"]["code"] == "folder-in-use"
    assert run(["demo", "--out", str(out), "--force", "--language", "en"]) == 0
    text = capsys.readouterr().out
    for word in (
        "visits saved by joining",
        "witnesses cosign",
        "NOT CHECKED",
        "auditor",
        "dualrandom verify",
    ):
        assert word in text


def test_the_demonstration_never_replaces_anything_else(ask: Ask, town: Path, tmp_path: Path) -> None:
    assert ask("demo", "--out", town, "--force", code=2)["error"]["code"] == "folder-in-use"
    assert (town / "plan.toml").is_file()
    (tmp_path / "file").write_text("x")
    assert ask("demo", "--out", tmp_path / "file", "--force", code=2)["error"]["code"] == "folder-in-use"


def test_a_check_foretells_the_announcement_and_changes_nothing(ask: Ask, town: Path) -> None:
    before = sorted(town.rglob("*"))
    ahead = ask("check", town)
    assert sorted(town.rglob("*")) == before
    assert "--rehearsal" in ahead["obstacle"]["en"]
    announced = ask("announce", town, "--rehearsal")
    assert announced["draw"] == ahead["draw"]
    assert announced["enterprises"] == ahead["frame"]
    assert announced["days"] == ahead["days"]
    assert {one["code"] for one in announced["warnings"]} == {one["code"] for one in ahead["warnings"]}
    assert {task["task"] for task in ahead["tasks"]} == {
        task["id"] for task in json.loads((town / "public" / "announcement.json").read_bytes())["tasks"]
    }
    for department in ahead["departments"]:
        assert department["expected_seats"] <= department["capacity"]
    assert "announced" in ask("check", town)["obstacle"]["en"]


def test_all_mistakes_of_all_files_are_listed_at_once(
    ask: Ask, town: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    replace(town / "plan.toml", "rotation = true", "rotatoin = true")
    lines = (town / "enterprises.csv").read_text("utf-8-sig").splitlines()
    lines[1] = lines[1].replace(lines[1].split(",")[0], "")
    (town / "enterprises.csv").write_text("\n".join(lines) + "\n", "utf-8")
    for command in ("check", "simulate", "announce"):
        told = ask(command, town, code=2)
        assert told["error"]["code"] == "input-refused"
        errors = [one for one in told["problems"] if one["severity"] == "error"]
        assert {one["file"] for one in errors} == {"plan.toml", "enterprises.csv"}
        assert all(one["message"]["zh"] and one["message"]["en"] for one in told["problems"])
    assert run(["check", str(town)]) == 2
    seen = capsys.readouterr()
    assert "rotatoin" in seen.err
    assert "您是不是要写" in seen.err
    assert "Traceback" not in seen.err


def test_a_plan_still_to_be_filled_in_hides_no_mistake_of_the_files(ask: Ask, tmp_path: Path) -> None:
    books = sorted((Path(__file__).parents[2] / "fixtures" / "three-workbooks-with-mistakes").glob("*.xlsx"))
    new = tmp_path / "new"
    found = ask("new", new, "--from", *books, code=3)["problems"]
    assert "uscc-length" in {problem["code"] for problem in found}
    told = ask("check", new, code=2)["problems"]
    assert [problem for problem in told if problem["file"] != "plan.toml"] == found


def test_a_mistake_in_the_plan_makes_no_mistakes_of_the_districts_it_names(ask: Ask, tmp_path: Path) -> None:
    (tmp_path / "plan.toml").write_text(
        'rotatoin = 1\n[[districts]]\nid = "420704"\nname = "鄂城区"\n', "utf-8"
    )
    head = "统一社会信用代码,名称,行政区划,信用风险分类\n"
    (tmp_path / "enterprises.csv").write_text(head + "91420704MA0000017E,甲,鄂城区,A\n", "utf-8")
    told = ask("check", tmp_path, code=2)["problems"]
    assert {problem["file"] for problem in told} == {"plan.toml"}


def test_libraries_that_are_no_table_are_a_mistake_in_the_plan(ask: Ask, town: Path) -> None:
    plan = town / "plan.toml"
    plan.write_text("libraries = 5\n" + plan.read_text("utf-8"), "utf-8")
    told = ask("check", town, code=2)["problems"]
    assert "libraries" in {problem["column"] for problem in told}


def test_a_check_says_which_policies_bound_which_quotas(
    ask: Ask, town: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("check", town)["policies"]["strata"] == []
    replace(town / "plan.toml", "months_left = 4", 'months_left = 4\npolicies = ["henan-2021"]')
    strata = ask("check", town)["policies"]["strata"]
    assert {rule["rule"] for row in strata for rule in row["rules"]} == {"henan-2021/ratios-by-class"}
    for language, words in (("zh", "政策对比例的约束"), ("en", "What policies make of the quotas")):
        assert run(["check", str(town), "--language", language]) == 0
        assert words in capsys.readouterr().out
    ask("announce", town, "--rehearsal")
    row = strata[0]
    frame = (town / "private" / "openings" / "frame.jsonl").read_text("utf-8").splitlines()
    hidden = {one["id"]: one["hidden"]["strata"] for one in map(json.loads, frame)}
    member = next(name for name, places in hidden.items() if places.get(row["task"]) == row["stratum"])
    tasks = ask("explain", town, "--enterprise", member)["tasks"]
    assert next(one for one in tasks if one["task"] == row["task"])["quota"]["policies"] == row["why"]


def test_a_draw_that_is_short_of_people_says_whom_and_where(
    ask: Ask, town: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plan = (town / "plan.toml").read_text("utf-8")
    (town / "plan.toml").write_text(re.sub(r"(?m)^total = \d+$", "total = 1", plan), "utf-8")
    ask("announce", town, "--rehearsal")
    told = ask("draw", town)
    assert told["undated"] > 0
    assert told["shortages"]
    assert run(["draw", str(town), "--language", "en"]) == 0
    text = capsys.readouterr().out
    assert "Why visits have no date" in text
    assert told["shortages"][0]["en"] in text
    result = json.loads((town / "public" / "result.json").read_bytes())
    undated = next(visit["enterprise"] for visit in result["visits"] if visit["date"] is None)
    visit = ask("explain", town, "--enterprise", undated)["visits"][0]
    assert visit["date"] is None
    assert {day["outcome"] for day in visit["days"]} <= {"not-seatable", "closed"}


def test_a_known_round_is_refused_unless_it_is_a_rehearsal(ask: Ask, town: Path) -> None:
    assert ask("announce", town, code=2)["error"]["code"] == "round-already-known"
    assert not (town / "public").exists()
    ask("announce", town, "--rehearsal")
    assert ask("announce", town, "--rehearsal", code=2)["error"]["code"] == "already-announced"


def test_drawing_waits_for_the_round_and_then_always_gives_the_same_bytes(
    ask: Ask, town: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask("draw", town, code=2)["error"]["code"] == "not-announced"
    ask("announce", town, "--rehearsal")
    evidence = (town / "beacon.json").rename(town.parent / "round.json")
    assert ask("draw", town, "--offline", code=3)["error"]["code"] == "beacon-not-there"
    first = ask("draw", town, "--beacon", evidence)
    assert not first["repeated"]
    content = (town / "public" / "result.json").read_bytes()
    again = ask("draw", town, "--beacon", evidence)
    assert again["repeated"]
    assert again["digest"] == first["digest"]
    assert (town / "public" / "result.json").read_bytes() == content
    assert run(["draw", str(town), "--beacon", str(evidence)]) == 0
    assert "字节完全相同" in capsys.readouterr().out


def test_a_voided_draw_stays_public_and_the_next_one_names_it(ask: Ask, town: Path) -> None:
    first = ask("announce", town, "--rehearsal")["draw"]
    assert ask("void", town, "--reason", "  ", code=2)["error"]["code"]
    voided = ask("void", town, "--reason", "名单有误")
    assert voided["draw"] == first
    assert json.loads((town / "public" / "void.json").read_bytes())["reason"] == "名单有误"
    assert ask("draw", town, code=2)["error"]["code"] == "draw-is-void"
    person = json.loads((town / "public" / "roster.jsonl").read_text("utf-8").splitlines()[0])["id"]
    told = ask("explain", town, "--inspector", person)
    assert told["voided"]
    assert not told["drawn"]
    second = ask("announce", town, "--rehearsal")["draw"]
    assert second != first
    assert json.loads((town / "public" / "announcement.json").read_bytes())["voids"] == [first]
    ask("draw", town)
    assert ask("void", town, "--reason", "不满意", code=2)["error"]["code"] == "result-published"
    report = ask("verify", town, "--auditor", code=3)
    assert "FAIL" not in {check["status"] for check in report["checks"]}
    assert ask("verify", town / "public" / "voided" / first, code=3)["verdict"] == "NOT CHECKED"


def filled(sheet: Path, to: Path, code: str) -> Path:
    """Fill in a department's task sheet as an inspector would, with one finding code on every row."""
    book: Any = openpyxl.load_workbook(sheet)
    findings = book["findings"]
    columns = {str(cell.value).split()[-1]: cell.column for cell in findings[1]}
    rows = 0
    for row in range(2, findings.max_row + 1):
        if findings.cell(row, columns["enterprise"]).value:
            planned = findings.cell(row, columns["planned"]).value
            findings.cell(row, columns["date"], planned)
            findings.cell(row, columns["method"], "on-site")
            findings.cell(row, columns["code"], code)
            rows += 1
    assert rows
    book.save(to)
    return to


def test_findings_are_published_and_corrected_in_the_open(ask: Ask, drawn: Path, tmp_path: Path) -> None:
    town = Path(shutil.copytree(drawn, tmp_path / "town"))
    sheet = filled(town / "exports" / "task-sheet-health.xlsx", tmp_path / "first.xlsx", "1")
    first = ask("record", town, sheet)
    assert first["added"] == first["rows"] == first["published"]
    assert ask("record", town, sheet)["added"] == 0
    changed = filled(town / "exports" / "task-sheet-health.xlsx", tmp_path / "second.xlsx", "6")
    refused = ask("record", town, changed, code=2)
    assert {one["file"] for one in refused["problems"]} <= {"second.xlsx"}
    corrected = ask("record", town, changed, "--correct", "复查后更正")
    assert corrected["added"] == first["rows"]
    published = json.loads((town / "public" / "findings.json").read_bytes())["findings"]
    assert {one["reason"] for one in published if one["revision"] == 2} == {"复查后更正"}
    report = ask("verify", town, "--auditor", code=3)
    assert {check["name"]: check["status"] for check in report["checks"]}["findings"] == "PASS"


def test_findings_wait_for_the_draw(ask: Ask, announced: Path, tmp_path: Path) -> None:
    (tmp_path / "sheet.xlsx").write_bytes(b"")
    assert ask("record", announced, tmp_path / "sheet.xlsx", code=2)["error"]["code"] == "not-drawn"


def test_a_campaign_is_made_from_an_office_s_workbooks(ask: Ask, tmp_path: Path) -> None:
    folder, sheets = tmp_path / "new", sorted((FIXTURES / "three-workbooks").glob("*.xlsx"))
    told = ask("new", folder, "--from", *sheets)
    assert set(told["libraries"]) == {"enterprises", "inspectors", "items"}
    assert (folder / "plan.toml").is_file()
    waiting = ask("check", folder, code=2)
    assert {one["column"] for one in waiting["problems"] if one["severity"] == "error"} == set(
        told["to_fill"]
    )
    assert ask("new", folder, "--from", *sheets, code=2)["error"]["code"] == "campaign-exists"


def test_the_mistakes_of_a_workbook_are_listed_when_it_is_taken_in(ask: Ask, tmp_path: Path) -> None:
    sheets = sorted((FIXTURES / "three-workbooks-with-mistakes").glob("*.xlsx"))
    told = ask("new", tmp_path / "new", *(f"--from={sheet}" for sheet in sheets), code=3)
    errors = [one for one in told["problems"] if one["severity"] == "error"]
    assert len({(one["row"], one["column"], one["code"]) for one in errors}) >= 8
    again = ask("check", tmp_path / "new", code=2)["problems"]
    # until the plan is completed, its own words (the classes) cannot be held against the rows
    assert len({one["row"] for one in errors} & {one["row"] for one in again}) >= 7


def test_the_next_campaign_follows_from_the_last(ask: Ask, drawn: Path, tmp_path: Path) -> None:
    # the licences of the demonstration ended years ago, which is told, not hidden
    told = ask("new", tmp_path / "next", "--from", drawn, code=3)
    assert told["plan"].endswith("plan.toml")
    assert (tmp_path / "next" / "plan.toml").is_file()
    assert not (tmp_path / "next" / "private").exists()


def test_verify_finds_a_swapped_enterprise(ask: Ask, drawn: Path, tmp_path: Path) -> None:
    town = Path(shutil.copytree(drawn, tmp_path / "town"))
    path = town / "public" / "result.json"
    result = path.read_text("utf-8")
    visited = json.loads(result)["visits"][0]["enterprise"]
    frame = (town / "public" / "frame.jsonl").read_text("utf-8").splitlines()
    other = next(row["id"] for row in map(json.loads, frame) if row["id"] not in result)
    path.write_text(result.replace(visited, other), "utf-8")
    assert ask("verify", town / "public", code=1)["verdict"] == "FAIL"
    assert ask("verify", town, "--auditor", code=1)["exit_code"] == 1


HAPPY = Path(__file__).resolve().parents[1] / "vectors" / "happy"


def test_verify_says_who_came_into_the_frame_and_who_left_it_since_an_earlier_draw(ask: Ask) -> None:
    larger, smaller = HAPPY / "open-drand" / "public", HAPPY / "open-conspicuous" / "public"
    told = ask("verify", smaller, "--previous", larger, code=3)["frame_change"]
    assert told["came"] == []
    assert told["left"] == [f"E{number}" for number in range(13, 19)]
    assert told["stayed"] == 12
    back = ask("verify", larger, "--previous", smaller, code=3)["frame_change"]
    assert (back["came"], back["left"]) == (told["left"], told["came"])
    assert "frame_change" not in ask("verify", smaller, code=3)


@pytest.mark.parametrize(
    ("language", "said"),
    [
        ("zh", ("离开 6 户", "离开：E13, E14", "不是结论")),
        ("en", ("6 left", "left: E13, E14", "not an answer")),
    ],
)
def test_the_change_of_the_frame_is_told_in_both_languages(
    language: str, said: tuple[str, ...], capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["verify", str(HAPPY / "open-conspicuous"), "--previous", str(HAPPY / "open-drand")]
    assert run([*command, "--language", language]) == 3
    shown = capsys.readouterr().out
    assert [one for one in said if one not in shown] == []


def test_a_frame_that_is_not_the_announced_one_is_no_measure(ask: Ask, tmp_path: Path) -> None:
    earlier = Path(shutil.copytree(HAPPY / "open-drand" / "public", tmp_path / "earlier"))
    rows = (earlier / "frame.jsonl").read_bytes().splitlines(keepends=True)
    (earlier / "frame.jsonl").write_bytes(b"".join(rows[1:]))
    folder = HAPPY / "open-conspicuous" / "public"
    assert ask("verify", folder, "--previous", earlier, code=2)["error"]["code"] == "frame-refused"
    report = ask("verify", earlier, "--previous", folder, code=1)
    assert report["frame_change"] is None
    assert report["verdict"] == "FAIL"


def test_verify_takes_the_campaign_for_its_public_folder(ask: Ask, drawn: Path) -> None:
    whole, public = ask("verify", drawn, code=3), ask("verify", drawn / "public", code=3)
    assert whole == public
    assert whole["folder"].endswith("public")


@pytest.mark.parametrize(
    ("language", "words"), [("zh", ("未核验", "公告")), ("en", ("NOT CHECKED", "reason"))]
)
def test_a_report_is_readable_in_both_languages(
    language: str, words: tuple[str, ...], drawn: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", str(drawn / "public"), "--language", language]) == 3
    text = capsys.readouterr().out
    for word in words:
        assert word in text


def test_a_check_is_readable_in_both_languages(written: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for language, words in (("zh", ("预计抽中", "提醒")), ("en", ("expected crews", "warning"))):
        assert run(["check", str(written), "--language", language]) == 0
        text = capsys.readouterr().out
        for word in words:
            assert word in text


def test_templates_are_written_once(ask: Ask, tmp_path: Path) -> None:
    told = ask("template", tmp_path / "blank")
    assert {"enterprises.xlsx", "inspectors.xlsx", "items.xlsx"} <= set(told["files"])
    for name in told["files"]:
        assert (tmp_path / "blank" / name).is_file()
    assert ask("template", tmp_path / "blank", code=2)["error"]["code"] == "file-exists"


def test_a_folder_that_is_no_campaign_is_refused(ask: Ask, tmp_path: Path) -> None:
    for command in ("check", "announce", "simulate"):
        assert ask(command, tmp_path, code=2)["problems"]
    for name, *options in (("draw",), ("void", "--reason", "x"), ("explain", "--inspector", "x")):
        assert ask(name, tmp_path, *options, code=2)["error"]["code"] == "not-announced"
        assert ask(name, tmp_path / "nowhere", *options, code=2)["error"]["code"] == "no-campaign"
