"""A campaign from the first template to the last finding, through the commands."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dualrandom.cli import run
from dualrandom.cli.demo import MARKER

Ask = Callable[..., dict[str, Any]]


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
    for who in ("public", "auditor"):
        assert "FAIL" not in {check["status"] for check in told["verified"][who]["checks"]}
    assert set(told["seconds"]) >= {"announcing", "drawing"}
    for place in ("public/index.html", "public/result.json", "exports", "private", MARKER):
        assert (out / place).exists()
    assert ask("verify", out / "public", code=3)["verdict"] == "NOT CHECKED"
    assert ask("demo", "--out", out, code=2)["error"]["code"] == "folder-in-use"
    assert run(["demo", "--out", str(out), "--force", "--language", "en"]) == 0
    text = capsys.readouterr().out
    for word in ("visits saved by joining", "drawing", "NOT CHECKED", "auditor", "dualrandom verify"):
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
    assert ask("draw", town, code=3)["error"]["code"] == "beacon-not-there"
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
    second = ask("announce", town, "--rehearsal")["draw"]
    assert second != first
    assert json.loads((town / "public" / "announcement.json").read_bytes())["voids"] == [first]
    ask("draw", town)
    assert ask("void", town, "--reason", "不满意", code=2)["error"]["code"] == "result-published"
    report = ask("verify", town, "--auditor", code=3)
    assert "FAIL" not in {check["status"] for check in report["checks"]}
    assert ask("verify", town / "public" / "voided" / first, code=3)["verdict"] == "NOT CHECKED"


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
        assert ask(name, tmp_path / "nowhere", *options, code=2)["error"]["code"] == "not-announced"
