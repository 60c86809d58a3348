"""A department's own random number: made without the office's system, handed over as two files, never missed if it stays away."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from dualrandom import campaign, contribution
from dualrandom.contribution import read_contribution
from dualrandom.demo import write_campaign
from dualrandom.errors import DualRandomError
from dualrandom.hashing import suite_digest
from dualrandom.seed import commitment_of
from dualrandom.verify import read_public, verify_record

NOW = datetime(2023, 8, 1, tzinfo=UTC)
DRAW = "yunxi-2023-000001"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("town") / "campaign"
    write_campaign("town", folder)
    plan = (folder / "plan.toml").read_text("utf-8").replace("reveal = false", "reveal = true")
    (folder / "plan.toml").write_text(plan, "utf-8")
    return folder


@pytest.fixture
def town(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "campaign"))


@pytest.fixture
def department(tmp_path: Path) -> Path:
    return tmp_path / "fire brigade"


def hand_over(path: Path, town: Path) -> None:
    (town / "contributions").mkdir(exist_ok=True)
    shutil.copy(path, town / "contributions")


def seed_lines(town: Path) -> list[str]:
    return (town / "public" / "seed.txt").read_text().splitlines()


def announced(town: Path) -> bytes:
    return (town / "public" / "announcement.json").read_bytes()


def test_a_department_commits_reveals_and_its_number_enters_the_seed(town: Path, department: Path) -> None:
    commitment = contribution.commit(department, DRAW, "fire")
    hand_over(commitment, town)
    campaign.announce(town, now=NOW)
    assert not (town / "private" / "nonces" / "fire").exists()
    shown = {one["party"]: one for one in json.loads(announced(town))["contributions"]}
    given = read_contribution(commitment.read_bytes(), "fire")
    assert shown["fire"]["commitment"] == given.commitment
    assert shown["fire"]["key"] == given.key
    revealed = contribution.reveal(department, "fire", announced(town))
    hand_over(revealed, town)
    campaign.draw(town)
    nonce = json.loads(revealed.read_bytes())["nonce"]
    assert f"contribution fire revealed {nonce}" in seed_lines(town)
    report = verify_record(read_public(town / "public"))
    assert (report.status("signatures"), report.status("contributions")) == ("PASS", "PASS")


def test_a_number_that_is_not_handed_over_is_replaced_by_its_commitment(town: Path, department: Path) -> None:
    commitment = contribution.commit(department, DRAW, "fire")
    hand_over(commitment, town)
    campaign.announce(town, now=NOW)
    campaign.draw(town)
    committed = read_contribution(commitment.read_bytes(), "fire").commitment
    assert f"contribution fire withheld {committed}" in seed_lines(town)
    # too late: what was drawn stays as it is
    hand_over(contribution.reveal(department, "fire", announced(town)), town)
    before = seed_lines(town)
    assert campaign.draw(town).repeated
    assert seed_lines(town) == before


def test_a_draw_that_stopped_behind_its_seed_goes_on_with_no_other_number(
    town: Path, department: Path
) -> None:
    hand_over(contribution.commit(department, DRAW, "fire"), town)
    campaign.announce(town, now=NOW)
    campaign.draw(town)
    before = {path.name: path.read_bytes() for path in (town / "public").iterdir()}
    for name in ("result.json", "index.html", "statistics.json"):
        (town / "public" / name).unlink()
    hand_over(contribution.reveal(department, "fire", announced(town)), town)
    assert not campaign.draw(town).repeated
    assert {path.name: path.read_bytes() for path in (town / "public").iterdir()} == before


def test_a_seed_with_a_number_that_nobody_committed_to_is_noticed(town: Path, department: Path) -> None:
    hand_over(contribution.commit(department, DRAW, "fire"), town)
    campaign.announce(town, now=NOW)
    hand_over(contribution.reveal(department, "fire", announced(town)), town)
    campaign.draw(town)
    (town / "public" / "result.json").unlink()
    path = town / "public" / "seed.txt"
    lines = path.read_text().splitlines()
    path.write_text(
        "".join(
            f"{line[:-1]}{'1' if line[-1] == '0' else '0'}\n" if "fire" in line else f"{line}\n"
            for line in lines
        )
    )
    with pytest.raises(DualRandomError, match="published-differs"):
        campaign.draw(town)


@pytest.mark.parametrize("suite", ["sha256", "sm3"])
def test_the_commitment_is_that_of_the_protocol_and_repeating_changes_nothing(
    suite: str, department: Path
) -> None:
    path = contribution.commit(department, DRAW, "fire", suite)
    first = path.read_bytes()
    nonce = (department / DRAW / "fire.nonce").read_text().strip()
    assert read_contribution(first, "x").commitment == commitment_of(DRAW, "fire", nonce, suite_digest(suite))
    assert contribution.commit(department, DRAW, "fire", suite).read_bytes() == first
    other = contribution.commit(department, "yunxi-2023-000002", "fire", suite)
    assert (department / "yunxi-2023-000002" / "fire.nonce").read_text().strip() != nonce
    assert read_contribution(other.read_bytes(), "x").key == read_contribution(first, "x").key
    for secret in (department / "fire.key", department / DRAW / "fire.nonce"):
        assert secret.stat().st_mode & 0o077 == 0


def test_a_number_is_not_told_before_its_commitment_is_announced(town: Path, department: Path) -> None:
    contribution.commit(department, DRAW, "fire")
    # the office left it out, and made a number of its own in the department's name
    campaign.announce(town, now=NOW)
    with pytest.raises(DualRandomError, match="not-announced-yet"):
        contribution.reveal(department, "fire", announced(town))
    assert not (department / DRAW / "fire.reveal.json").exists()
    with pytest.raises(DualRandomError, match="nonce-missing"):
        contribution.reveal(department, "amr", announced(town))
    for junk in (b"", b"[]", b"{}", b'{"draw":"../x","suite":"sha256","contributions":[]}'):
        with pytest.raises(DualRandomError, match=r"announcement-unreadable|bad-id"):
            contribution.reveal(department, "fire", junk)


Edit = Callable[[dict[str, str]], None]


@pytest.mark.parametrize(
    ("edit", "code"),
    [
        (lambda one: one.update(commitment="0" * 64), "contribution-not-signed"),
        (lambda one: one.update(party="amr"), "contribution-not-signed"),
        (lambda one: one.update(key="A" * 43 + "="), "contribution-not-signed"),
        (lambda one: one.update(signature=""), "contribution-not-signed"),
        (lambda one: one.update(commitment="xyz"), "contribution-file"),
        (lambda one: one.update(type="dualrandom/v1/reveal"), "contribution-file"),
        (lambda one: one.pop("suite"), "contribution-file"),
        (lambda one: one.update(suite="sm3"), "contribution-for-another-draw"),
    ],
)
def test_a_commitment_that_is_not_the_party_s_for_this_draw_is_refused(
    edit: Edit, code: str, town: Path, department: Path
) -> None:
    path = contribution.commit(department, DRAW, "fire")
    value = json.loads(path.read_bytes())
    edit(value)
    path.write_text(json.dumps(value))
    hand_over(path, town)
    with pytest.raises(DualRandomError) as refused:
        campaign.announce(town, now=NOW)
    assert refused.value.code == code
    assert not (town / "public").exists()


def test_after_a_void_a_department_has_to_commit_again(town: Path, department: Path) -> None:
    hand_over(contribution.commit(department, DRAW, "fire"), town)
    campaign.announce(town, now=NOW)
    campaign.void(town, "the register was wrong", NOW)
    with pytest.raises(DualRandomError, match="contribution-for-another-draw"):
        campaign.announce(town, now=NOW)
    hand_over(contribution.commit(department, "yunxi-2023-000002", "fire"), town)
    assert campaign.announce(town, now=NOW).draw == "yunxi-2023-000002"


def test_a_file_of_a_party_that_the_plan_does_not_name_is_not_passed_over(
    town: Path, department: Path
) -> None:
    hand_over(contribution.commit(department, DRAW, "chance"), town)
    with pytest.raises(DualRandomError, match="party-unknown"):
        campaign.announce(town, now=NOW)


@pytest.mark.parametrize("party", ["..", "a/b", "", "消防"])
def test_a_party_s_id_cannot_name_a_path(party: str, department: Path) -> None:
    with pytest.raises(DualRandomError, match="bad-id"):
        contribution.commit(department, DRAW, party)
    with pytest.raises(DualRandomError, match="bad-id"):
        contribution.commit(department, party, "fire")


def test_a_department_needs_nothing_but_the_base_install(town: Path, department: Path) -> None:
    """With every optional package missing, both commands work."""
    code = (
        "import sys\n"
        "for name in ('numpy', 'ortools', 'fastapi', 'sqlmodel', 'sqlalchemy', 'xlsxwriter', 'python_calamine', 'segno',\n"
        "             'icalendar', 'pyarrow', 'numba'):\n"
        "    sys.modules[name] = None\n"
        "from dualrandom.cli import run\n"
        "sys.exit(run(sys.argv[1:]))\n"
    )

    def without_extras(*arguments: object) -> dict[str, str]:
        command = [
            sys.executable,
            "-c",
            code,
            "contribute",
            department,
            "--party",
            "fire",
            *arguments,
            "--json",
        ]
        done = subprocess.run([str(one) for one in command], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        told: dict[str, str] = json.loads(done.stdout)
        return told

    hand_over(Path(without_extras("--draw", DRAW)["file"]), town)
    campaign.announce(town, now=NOW)
    hand_over(Path(without_extras("--reveal", town / "public" / "announcement.json")["file"]), town)
    campaign.draw(town)
    assert any(line.startswith("contribution fire revealed ") for line in seed_lines(town))
