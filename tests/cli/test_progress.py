"""``dualrandom progress``: what is owed, done and will be missed."""

import json
from pathlib import Path

import pytest

from dualrandom.cli import run
from dualrandom.demo import write_campaign


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("progress") / "town"
    write_campaign("town", folder)
    return folder


def test_every_gap_has_a_sentence_in_both_languages(town: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["progress", str(town), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["months_left"] == 4
    short = [row for row in told["rows"] if row["short"]]
    assert short
    for row in short:
        assert f"将缺 {row['short']} 户次" in row["sentence"]["zh"]
        assert f"class {row['class']}: {row['short']} short by December" in row["sentence"]["en"]
    assert all(row["sentence"] is None for row in told["rows"] if not row["short"])


@pytest.mark.parametrize(("language", "words"), [("zh", "照此进度"), ("en", "At this pace")])
def test_one_task_can_be_looked_at(
    town: Path, language: str, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["progress", str(town), "--task", "fire-premises", "--language", language]) == 0
    out = capsys.readouterr().out
    assert words in out
    assert "fire-premises" in out
    assert "amr-food" not in out


def test_an_unknown_task_is_refused_with_the_known_ones(
    town: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["progress", str(town), "--task", "nobody", "--language", "en"]) == 2
    assert "fire-premises" in capsys.readouterr().err
