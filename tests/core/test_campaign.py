"""A campaign folder from announcement to result: what is refused, what is repeated to the byte, what is never lost."""

from __future__ import annotations

import json
import os
import shutil
import stat
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dualrandom import campaign
from dualrandom.campaign import StateError, WaitingError
from dualrandom.demo import write_campaign
from dualrandom.errors import DualRandomError, InputError

NOW = datetime(2023, 8, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def announced_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town") / "campaign"
    write_campaign("town", folder)
    campaign.announce(folder, now=NOW)
    return folder


@pytest.fixture
def town(announced_town: Path, tmp_path: Path) -> Path:
    """A fresh copy of an announced campaign."""
    shutil.copytree(announced_town, tmp_path / "campaign")
    return tmp_path / "campaign"


def public_bytes(folder: Path) -> dict[str, bytes]:
    public = folder / "public"
    return {str(p.relative_to(public)): p.read_bytes() for p in sorted(public.rglob("*")) if p.is_file()}


def test_the_same_campaign_gives_the_same_public_bytes_whatever_hash_seed_and_threads(
    town: Path, tmp_path: Path
) -> None:
    shutil.copytree(town, tmp_path / "other")
    code = "import sys, pathlib; from dualrandom.campaign import draw; draw(pathlib.Path(sys.argv[1]))"
    for folder, hash_seed, threads in ((town, "1", "1"), (tmp_path / "other", "77", "2")):
        environment = {**os.environ, "PYTHONHASHSEED": hash_seed, "OMP_NUM_THREADS": threads}
        subprocess.run([sys.executable, "-c", code, str(folder)], check=True, env=environment)
    assert public_bytes(town) == public_bytes(tmp_path / "other")


def test_the_order_of_rows_in_the_files_changes_nothing(town: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write_campaign("town", other)
    for name in ("enterprises.csv", "visits.csv"):
        head, *rows = (other / name).read_bytes().splitlines(keepends=True)
        (other / name).write_bytes(b"".join([head, *reversed(rows)]))
    shutil.copytree(town / "private", other / "private")
    campaign.announce(other, now=NOW)
    campaign.draw(other)
    campaign.draw(town)
    assert public_bytes(town) == public_bytes(other)


def test_drawing_again_gives_the_same_bytes(town: Path) -> None:
    first = campaign.draw(town)
    before = public_bytes(town)
    again = campaign.draw(town)
    assert (first.repeated, again.repeated) == (False, True)
    assert (first.digest, first.seed) == (again.digest, again.seed)
    assert public_bytes(town) == before


def test_a_draw_that_stopped_before_its_result_is_finished_by_a_rerun(town: Path) -> None:
    campaign.draw(town)
    before = public_bytes(town)
    for name in ("result.json", "index.html", "seed.txt", "cutoffs.jsonl"):
        (town / "public" / name).unlink()
    assert not campaign.draw(town).repeated
    assert public_bytes(town) == before


def test_announcing_twice_is_refused_and_names_the_digest(town: Path) -> None:
    before = public_bytes(town)
    with pytest.raises(StateError) as refused:
        campaign.announce(town, now=NOW)
    assert refused.value.code == "already-announced"
    assert len(refused.value.value) == 64
    assert refused.value.value in refused.value.message("zh")
    assert public_bytes(town) == before


@pytest.mark.parametrize("name", ["plan.toml", "enterprises.csv", "inspectors.xlsx", "visits.csv"])
def test_an_input_changed_after_the_announcement_is_refused_by_name(town: Path, name: str) -> None:
    path = town / name
    if path.suffix == ".xlsx":
        shutil.copy(town / "items.xlsx", path)
    else:
        path.write_bytes(
            path.read_bytes()
            + (b"\n# note\n" if name == "plan.toml" else path.read_bytes().splitlines()[-1] + b"\n")
        )
    with pytest.raises((StateError, InputError)) as refused:
        campaign.draw(town)
    if isinstance(refused.value, StateError):
        assert refused.value.code == "changed-since-announced"
        assert name in refused.value.value
    assert not (town / "public" / "result.json").exists()


def test_a_published_document_that_was_edited_is_noticed_and_not_overwritten(town: Path) -> None:
    campaign.draw(town)
    path = town / "public" / "result.json"
    path.write_bytes(path.read_bytes().replace(b'"undated":0', b'"undated":1'))
    edited = path.read_bytes()
    with pytest.raises(StateError) as refused:
        campaign.draw(town)
    assert "result.json" in refused.value.value
    assert path.read_bytes() == edited


def test_a_draw_waits_for_its_round_and_takes_no_other(town: Path) -> None:
    beacon = town / "beacon.json"
    evidence = json.loads(beacon.read_bytes())
    beacon.unlink()
    with pytest.raises(WaitingError) as waiting:
        campaign.draw(town)
    assert "1000" in waiting.value.value
    beacon.write_text(json.dumps({**evidence, "round": 1001}))
    with pytest.raises(DualRandomError):
        campaign.draw(town)


def test_a_changed_nonce_is_refused_and_a_missing_one_counts_as_withheld(town: Path) -> None:
    willing = [c.party for c in campaign.load_inputs(town).plan.contributions if c.reveal]
    assert willing
    path = town / "private" / "nonces" / willing[0]
    path.write_text("0" * 64 + "\n")
    with pytest.raises(StateError) as refused:
        campaign.draw(town)
    assert (refused.value.code, refused.value.value) == ("nonce-differs", willing[0])
    path.unlink()
    campaign.draw(town)
    assert f"contribution {willing[0]} withheld " in (town / "public" / "seed.txt").read_text()


def test_a_voided_draw_stays_and_the_next_announcement_names_it_with_new_secrets(town: Path) -> None:
    before = public_bytes(town)
    secret = (town / "private" / "list-secret").read_bytes()
    voided = campaign.void(town, "名录有误", NOW)
    with pytest.raises(StateError):
        campaign.draw(town)
    announced = campaign.announce(town, now=NOW)
    document = json.loads((town / "public" / "announcement.json").read_bytes())
    assert document["voids"] == [voided.draw]
    assert int(announced.draw[-6:]) == int(voided.draw[-6:]) + 1
    for name in ("announcement.json", "frame.jsonl", "roster.jsonl"):
        assert (town / "public" / "voided" / voided.draw / name).read_bytes() == before[name]
    assert (
        json.loads((town / "public" / "voided" / voided.draw / "void.json").read_bytes())["reason"]
        == "名录有误"
    )
    assert (town / "private" / "list-secret").read_bytes() != secret
    assert (town / "private" / "voided" / voided.draw / "list-secret").read_bytes() == secret
    campaign.draw(town)


def test_a_result_cannot_be_voided_and_a_void_needs_a_reason(town: Path) -> None:
    with pytest.raises(DualRandomError):
        campaign.void(town, "  ", NOW)
    campaign.draw(town)
    with pytest.raises(StateError) as refused:
        campaign.void(town, "did not suit", NOW)
    assert refused.value.code == "result-published"


def test_a_round_that_is_known_already_is_refused_unless_it_is_a_rehearsal(tmp_path: Path) -> None:
    write_campaign("town", tmp_path / "campaign")
    late = datetime(2026, 1, 1, tzinfo=UTC)
    with pytest.raises(StateError) as refused:
        campaign.announce(tmp_path / "campaign", now=late)
    assert refused.value.code == "round-already-known"
    assert not (tmp_path / "campaign" / "public").exists()
    assert not (tmp_path / "campaign" / "private").exists()
    campaign.announce(tmp_path / "campaign", now=late, rehearsal=True)
    campaign.draw(tmp_path / "campaign")
    assert json.loads((tmp_path / "campaign" / "public" / "labels.json").read_bytes())["rehearsal"] is True


def test_private_files_are_for_the_owner_only(town: Path) -> None:
    campaign.draw(town)
    private = town / "private"
    for path in [private, *private.rglob("*")]:
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), path


def test_no_secret_or_name_of_an_inspector_is_published_when_sealed(town: Path) -> None:
    campaign.draw(town)
    published = b"\n".join(public_bytes(town).values())
    assert (town / "private" / "list-secret").read_bytes().strip() not in published
    inputs = campaign.load_inputs(town)
    for inspector in inputs.libraries.inspectors:
        assert inspector.name.encode() not in published
        assert f'"{inspector.code}"'.encode() not in published


def test_an_announcement_with_mistakes_writes_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "campaign"
    write_campaign("town", folder)
    rows = (folder / "enterprises.csv").read_bytes().splitlines(keepends=True)
    (folder / "enterprises.csv").write_bytes(b"".join([*rows, rows[5].replace(b",", b",changed ", 1)]))
    plan = (folder / "plan.toml").read_text("utf-8")
    (folder / "plan.toml").write_text(plan.replace("[plan]", "[plan]\nnonsense = 1", 1), "utf-8")
    with pytest.raises(InputError) as refused:
        campaign.announce(folder, now=NOW)
    assert {problem.file for problem in refused.value.problems} >= {"plan.toml", "enterprises.csv"}
    assert not (folder / "public").exists()
    assert not (folder / "private").exists()


def test_a_contribution_that_its_party_did_not_sign_for_this_draw_is_refused(
    town: Path, tmp_path: Path
) -> None:
    document = json.loads((town / "public" / "announcement.json").read_bytes())
    (own, *_) = document["contributions"]
    other = tmp_path / "other"
    write_campaign("town", other)
    plan = (other / "plan.toml").read_text("utf-8")
    block = f'party = "{own["party"]}"\n'
    assert block in plan

    def announce_with(commitment: str) -> None:
        given = f'key = "{own["key"]}"\ncommitment = "{commitment}"\nsignature = "{own["signature"]}"\n'
        (other / "plan.toml").write_text(plan.replace(block, block + given), "utf-8")
        campaign.announce(other, now=NOW)

    with pytest.raises(DualRandomError) as refused:
        announce_with("0" * 64)
    assert (refused.value.code, refused.value.value) == ("contribution-not-signed", own["party"])
    assert not (other / "public").exists()
    announce_with(own["commitment"])
    shown = json.loads((other / "public" / "announcement.json").read_bytes())["contributions"]
    assert own in shown
