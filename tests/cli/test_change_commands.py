"""``exclude``, ``substitute``, ``replace`` and ``withdraw`` as an office uses them."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from dualrandom import campaign
from dualrandom.cli import run
from dualrandom.demo import write_campaign

ANNOUNCED = datetime(2023, 8, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def drawn_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town") / "campaign"
    write_campaign("town", folder)
    plan = (folder / "plan.toml").read_text("utf-8")
    assert 'substitution = "' not in plan
    # the demonstration's next round is in the future: here the substitute follows from the seed at once
    (folder / "plan.toml").write_text(plan.replace("[policy]", '[policy]\nsubstitution = "next"', 1), "utf-8")
    campaign.announce(folder, now=ANNOUNCED)
    campaign.draw(folder)
    return folder


@pytest.fixture
def town(drawn_town: Path, tmp_path: Path) -> Path:
    shutil.copytree(drawn_town, tmp_path / "campaign")
    return tmp_path / "campaign"


@pytest.fixture
def told(capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str]]:
    def tell(*arguments: Any) -> tuple[int, str]:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        # on a busy machine the line that says what is being done comes on standard error
        return code, captured.out if "--json" in arguments else captured.out + captured.err

    return tell


def visits(town: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((town / "public" / "result.json").read_bytes())["visits"]
    return found


def test_an_enterprise_is_excluded_and_substituted_and_the_row_is_given_as_json(
    town: Path, told: Callable[..., tuple[int, str]]
) -> None:
    gone = visits(town)[0]["enterprise"]
    code, out = told("exclude", town, "--enterprise", gone, "--reason", "moved-away", "--json")
    assert code == 0
    change = json.loads(out)
    assert change["row"]["enterprise"] == gone
    assert change["counts"]["exclusions"] == {"moved-away": 1}
    assert change["counts"]["pending"] == 1
    code, out = told("substitute", town, "--json")
    assert code == 0
    change = json.loads(out)
    assert change["counts"]["pending"] == 0
    assert {visit["enterprise"] for visit in change["row"]["visits"]} <= change["names"].keys()
    assert told("verify", town / "public", "--json")[0] == 3


def test_a_replacement_is_told_in_both_languages_with_the_names_of_the_library(
    town: Path, told: Callable[..., tuple[int, str]]
) -> None:
    private = (town / "private" / "openings" / "roster.jsonl").read_bytes().splitlines()
    person_of = {row["id"]: row["hidden"]["person"] for row in map(json.loads, private)}
    done = 0
    for visit in visits(town):
        for crew in visit["crews"]:
            for person in crew["seats"]:
                language = ("zh", "en")[done % 2]
                inspector = person_of.get(person, person)
                code, out = told(
                    "replace",
                    town,
                    "--enterprise",
                    visit["enterprise"],
                    "--part",
                    visit["part"],
                    "--inspector",
                    inspector,
                    "--reason",
                    "on-enterprise-application",
                    "--language",
                    language,
                )
                if code == 0:
                    assert inspector in out
                    assert ("接替" if language == "zh" else "replacements so far") in out
                    done += 1
                else:
                    words = "没有人可以接替" if language == "zh" else "can take the place of"
                    assert (code, words in out) == (2, True), out
                if done == 2:
                    return
    raise AssertionError("nobody was replaced")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("exclude", "--enterprise", "X", "--reason", "moved-away"), "not-visited"),
        (("exclude", "--enterprise", "X", "--reason", "bored"), "change-reason"),
        (("exclude", "--enterprise", "X", "--reason", "suspended", "--round", "1"), "round-not-named"),
        (("substitute",), "nothing-pending"),
        (("replace", "--enterprise", "X", "--inspector", "Y", "--reason", "ill"), "not-visited"),
    ],
)
def test_refusals_have_a_code_and_a_remedy_in_both_languages(
    town: Path, told: Callable[..., tuple[int, str]], arguments: tuple[str, ...], code: str
) -> None:
    status, out = told(arguments[0], town, *arguments[1:], "--json")
    error = json.loads(out)["error"]
    assert (status, error["code"]) == (2, code)
    assert error["remedy"]["zh"]
    assert error["remedy"]["en"]
    assert not (town / "public" / "changes.jsonl").exists()


def test_a_round_that_is_not_out_yet_is_exit_code_3(
    tmp_path: Path, told: Callable[..., tuple[int, str]]
) -> None:
    folder = tmp_path / "fresh"
    write_campaign("town", folder)
    campaign.announce(folder, now=ANNOUNCED)
    campaign.draw(folder)
    gone = visits(folder)[0]["enterprise"]
    assert told("exclude", folder, "--enterprise", gone, "--reason", "suspended")[0] == 0
    code, out = told("substitute", folder, "--offline", "--json")
    assert code == 3
    assert "drand" in json.loads(out)["error"]["value"]


def test_what_was_changed_is_explained_with_its_reason(
    town: Path, told: Callable[..., tuple[int, str]]
) -> None:
    gone = visits(town)[0]["enterprise"]
    assert told("explain", town, "--enterprise", gone, "--json")[1].count('"changes": []') == 1
    told("exclude", town, "--enterprise", gone, "--reason", "moved-away")
    code, out = told("explain", town, "--enterprise", gone, "--json")
    pending = json.loads(out)
    assert code == 0
    assert [(one["type"], one["pending"], one["reason"]["code"]) for one in pending["changes"]] == [
        ("exclude", True, "moved-away")
    ]
    assert pending["visits"]
    assert pending["in_effect"] == []
    row = json.loads(told("substitute", town, "--json")[1])["row"]
    came = next(one["enterprise"] for one in row["tasks"] if one["enterprise"] is not None)
    (excluded,) = json.loads(told("explain", town, "--enterprise", gone, "--json")[1])["changes"]
    assert not excluded["pending"]
    assert excluded["substitutes"] == row["tasks"]
    explained = json.loads(told("explain", town, "--enterprise", came, "--json")[1])
    assert [(one["type"], one["instead_of"]) for one in explained["changes"]] == [("substitute", gone)]
    assert explained["visits"] == []
    assert [one["date"] for one in explained["in_effect"]] == explained["changes"][0]["dates"]
    for language, words in (
        ("zh", ("迁出辖区（moved-away）", "递补")),
        ("en", ("moved out of the district (moved-away)", "place")),
    ):
        for enterprise in (gone, came):
            shown = told("explain", town, "--enterprise", enterprise, "--language", language)[1]
            assert words[0] in shown
            assert words[1] in shown


def test_a_replaced_inspector_is_told_so(town: Path, told: Callable[..., tuple[int, str]]) -> None:
    rows = (town / "private" / "openings" / "roster.jsonl").read_bytes().splitlines()
    person_of = {row["id"]: row["hidden"]["person"] for row in map(json.loads, rows)}
    for visit in visits(town):
        out = person_of[visit["crews"][0]["seats"][-1]]
        where = ("--enterprise", visit["enterprise"], "--part", visit["part"], "--inspector", out)
        code, text = told("replace", town, *where, "--reason", "ill", "--json")
        if code == 0:
            break
    else:
        raise AssertionError("nobody was replaced")
    came = person_of[json.loads(text)["row"]["in"]]
    for inspector in (out, came):
        (change,) = json.loads(told("explain", town, "--inspector", inspector, "--json")[1])["changes"]
        assert (change["out"], change["in"], change["reason"]["code"]) == (out, came, "ill")
        assert (
            f"{out} 由 {came} 替换" in told("explain", town, "--inspector", inspector, "--language", "zh")[1]
        )
    explained = json.loads(told("explain", town, "--enterprise", visit["enterprise"], "--json")[1])
    crews = [crew for one in explained["in_effect"] for crew in one["crews"]]
    assert any(came in crew["inspectors"] and out not in crew["inspectors"] for crew in crews)


def withdrawal(town: Path) -> tuple[Any, ...]:
    """Return the arguments by which a department leaves on a day on which it has a crew."""
    visit = next(visit for visit in visits(town) if visit["crews"])
    now = ("--now", "2023-08-25T16:00:00+08:00")
    return visit["crews"][0]["department"], "--from", visit["date"], "--reason", "no-inspectors", *now


def test_a_department_withdraws_and_its_unfilled_crews_are_told_everywhere(
    town: Path, told: Callable[..., tuple[int, str]]
) -> None:
    letter = town / "letter.pdf"
    letter.write_bytes(b"nobody is left")
    department, *rest = withdrawal(town)
    code, out = told("withdraw", town, department, *rest, "--evidence", letter, "--json")
    assert code == 0
    change = json.loads(out)
    assert change["row"]["evidence"] == hashlib.sha256(b"nobody is left").hexdigest()
    assert change["counts"]["withdrawals"] == {"no-inspectors": 1}
    unfilled = [(one["enterprise"], one["part"]) for one in change["unfilled"]]
    assert change["counts"]["unfilled"] == len(unfilled) > 0
    status = json.loads(told("status", town, "--now", "2023-08-26T00:00:00Z", "--json")[1])
    assert status["withdrawn"] == [
        {"department": department, "from": rest[1], "reason": "no-inspectors", "unfilled": len(unfilled)}
    ]
    enterprise, part = unfilled[0]
    explained = json.loads(told("explain", town, "--enterprise", enterprise, "--json")[1])
    assert [(c["type"], c["department"], c["enterprise"], c["part"]) for c in explained["changes"]] == [
        ("withdraw", department, enterprise, p) for e, p in unfilled if e == enterprise
    ]
    crews = {c["department"]: c["inspectors"] for v in explained["in_effect"] for c in v["crews"]}
    assert crews[department] == []
    seated = next(v for v in visits(town) if (v["enterprise"], v["part"]) == (enterprise, part))
    pseudonym = next(c["seats"][0] for c in seated["crews"] if c["department"] == department)
    rows = (town / "private" / "openings" / "roster.jsonl").read_bytes().splitlines()
    person = {row["id"]: row["hidden"]["person"] for row in map(json.loads, rows)}[pseudonym]
    for language, why, empty in (("zh", "执法人员不足", "空缺"), ("en", "licensed inspectors", "unfilled")):
        asked = (
            ("status", town, "--now", "2023-08-26T00:00:00Z"),
            ("explain", town, "--enterprise", enterprise),
        )
        for arguments in asked:
            shown = told(*arguments, "--language", language)[1]
            assert why in shown
            assert empty in shown
        assert why in told("explain", town, "--inspector", person, "--language", language)[1]


def test_a_withdrawal_is_shown_with_the_crews_it_leaves_unfilled_in_both_languages(
    town: Path, tmp_path: Path, told: Callable[..., tuple[int, str]]
) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(town, copy)
    for folder, language, words in (
        (town, "zh", ("退出部门", "执法人员不足", "空缺的检查组")),
        (copy, "en", ("department", "licensed inspectors", "unfilled crew")),
    ):
        code, shown = told("withdraw", folder, *withdrawal(town), "--language", language)
        assert code == 0
        for word in words:
            assert word in shown


@pytest.mark.parametrize(
    ("place", "value", "code"),
    [
        (0, "nobody", "department-not-in-the-draw"),
        (2, "3 September", "bad-date"),
        (2, "2023-08-20", "day-not-announced"),
        (4, "tired", "change-reason"),
        (6, "2023-12-31T00:00:00Z", "withdrawal-too-early"),
        (6, "2023-08-02T00:00:00Z", "change-too-early"),
    ],
)
def test_a_withdrawal_that_the_rules_do_not_admit_is_refused_in_both_languages(
    town: Path, told: Callable[..., tuple[int, str]], place: int, value: str, code: str
) -> None:
    arguments = [*withdrawal(town)]
    arguments[place] = value
    status, out = told("withdraw", town, *arguments, "--json")
    error = json.loads(out)["error"]
    assert status == 2
    assert error["code"] == code
    assert not (town / "public" / "changes.jsonl").exists()


def test_a_department_withdraws_once(town: Path, told: Callable[..., tuple[int, str]]) -> None:
    assert told("withdraw", town, *withdrawal(town))[0] == 0
    status, out = told("withdraw", town, *withdrawal(town), "--json")
    assert status == 2
    assert json.loads(out)["error"]["code"] == "department-withdrawn"
