"""``private/`` is backed up before an announcement leaves the house; what happens when it is lost."""

from __future__ import annotations

import json
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dualrandom import campaign
from dualrandom.campaign import StateError
from dualrandom.demo import write_campaign
from dualrandom.verify import read_public, verify_record

NOW = datetime(2023, 8, 1, tzinfo=UTC)
LOG = '\n[log]\nfolder = "../log"\n'


@pytest.fixture(params=["without a log", "with a log"])
def town(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    folder = tmp_path / "office" / "campaign"
    write_campaign("town", folder)
    if request.param == "with a log":
        with (folder / "plan.toml").open("a", encoding="utf-8") as plan:
            plan.write(LOG)
    return folder


def test_a_draw_whose_private_folder_is_lost_goes_on_from_its_backup(town: Path, tmp_path: Path) -> None:
    announced = campaign.announce(town, now=NOW, backup=tmp_path / "vault")
    copy = tmp_path / "vault" / announced.draw
    names = {path.relative_to(copy).as_posix() for path in copy.rglob("*") if path.is_file()}
    assert {"list-secret", "freeze.json", "nonces/amr", "openings/frame.jsonl"} <= names
    assert all(path.stat().st_mode & 0o077 == 0 for path in (copy, *copy.rglob("*")))
    twin = Path(shutil.copytree(town.parent, tmp_path / "twin")) / "campaign"
    campaign.draw(twin)
    shutil.rmtree(town / "private")
    shutil.copytree(copy, town / "private")
    campaign.draw(town)
    first, second = ((folder / "public" / "result.json").read_bytes() for folder in (town, twin))
    assert first == second


def test_a_draw_whose_private_folder_is_lost_for_good_is_voided_with_that_reason(town: Path) -> None:
    first = campaign.announce(town, now=NOW).draw
    shutil.rmtree(town / "private")
    with pytest.raises(StateError) as lost:
        campaign.draw(town)
    assert lost.value.code == "private-file-missing"
    assert "作废" in lost.value.remedy("zh")
    assert "void" in lost.value.remedy("en")
    campaign.void(town, "private/ 丢失，无备份", NOW)
    assert json.loads((town / "public" / "void.json").read_bytes())["reason"] == "private/ 丢失，无备份"
    second = campaign.announce(town, now=NOW).draw
    assert second != first
    campaign.draw(town)
    report = verify_record(read_public(town / "public"))
    assert "FAIL" not in {check.status for check in report.checks}
    assert json.loads((town / "public" / "announcement.json").read_bytes())["voids"] == [first]


def test_nothing_is_published_if_the_backup_cannot_be_made(town: Path, tmp_path: Path) -> None:
    for inside in (town, town / "private", town / "public" / "backup", town / ".." / "campaign" / "x"):
        with pytest.raises(StateError) as refused:
            campaign.announce(town, now=NOW, backup=inside)
        assert refused.value.code == "backup-inside"
    (tmp_path / "file").write_text("not a folder")
    with pytest.raises(OSError, match="file"):
        campaign.announce(town, now=NOW, backup=tmp_path / "file")
    assert not (town / "public").exists()
    # the secrets that were made are used by the announcement that succeeds
    secret = (town / "private" / "list-secret").read_bytes()
    draw = campaign.announce(town, now=NOW, backup=tmp_path / "vault").draw
    assert (tmp_path / "vault" / draw / "list-secret").read_bytes() == secret


def test_a_backup_that_reads_back_otherwise_stops_the_announcement(
    town: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = Path.read_bytes

    def forgetful(path: Path) -> bytes:
        data = real(path)
        return data[:-1] if "vault" in path.parts and path.name == "freeze.json" else data

    monkeypatch.setattr(Path, "read_bytes", forgetful)
    with pytest.raises(StateError) as refused:
        campaign.announce(town, now=NOW, backup=tmp_path / "vault")
    assert refused.value.code == "backup-differs"
    assert not (town / "public").exists()
