"""The commands of a logged campaign, of witnesses and of keys, as a person or a program runs them."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from dualrandom.cli import run
from dualrandom.log.reader import LogReader

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def office(written: Path, tmp_path: Path, ask: Ask) -> Path:
    """A campaign with a log and one witness, announced as a rehearsal. The witness runs at port WITNESS."""
    folder = tmp_path / "office" / "town"
    shutil.copytree(written, folder)
    root = folder.parent
    key = ask("keys", "new", root / "witness", "--witness", "--name", "chamber.example/w")["key"]
    with (folder / "plan.toml").open("a", encoding="utf-8") as plan:
        plan.write('\n[log]\nfolder = "../log"\npolicy = "../witnesses.policy"\n')
    (root / "witnesses.policy").write_text(f"witness w {key} http://127.0.0.1:1\nquorum w\n")
    ask("announce", folder, "--rehearsal")
    return folder


@pytest.fixture
def witness(office: Path) -> Iterator[str]:
    """Run the witness; its address goes into the policy."""
    root = office.parent
    key = LogReader(root / "log" / "public").first_key.text
    (root / "witness" / "logs").write_text(f"log {key}\nquorum none\n")
    command = [sys.executable, "-m", "dualrandom", "witness", "--state", str(root / "witness")]
    process = subprocess.Popen([*command, "--port", "0", "--json"], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    told = ""
    while not told.endswith("}\n"):
        line = process.stdout.readline()
        assert line, told
        told += line
    address: str = json.loads(told)["address"]
    policy = root / "witnesses.policy"
    policy.write_text(policy.read_text().replace("http://127.0.0.1:1", address))
    yield address
    process.terminate()
    process.wait()
    process.stdout.close()


def test_a_logged_draw_from_the_command_line(office: Path, witness: str, ask: Ask, tmp_path: Path) -> None:
    assert witness.startswith("http://127.0.0.1:")
    assert ask("reveal", office)["revealed"] == ["amr"]
    cosigned = ask("cosign", office)
    assert (cosigned["quorum"], cosigned["kept"], list(cosigned["cosigned"])) == (True, True, ["w"])
    ask("draw", office)
    assert ask("cosign", office)["size"] == 4
    key = LogReader(office.parent / "log" / "public").first_key.text
    policy = tmp_path / "policy"
    policy.write_text(f"log {key}\n" + (office.parent / "witnesses.policy").read_text())
    report = ask("verify", office, "--auditor", "--log-policy", policy, code=3)
    statuses = {check["name"]: check["status"] for check in report["checks"]}
    assert statuses["log"] == "PASS"
    # the round of the demonstration is one of 2023
    assert statuses["events"] == "NOT CHECKED"
    assert "FAIL" not in statuses.values()
    for path in (office, office.parent / "log"):
        assert ask("fsck", path, "--log-policy", policy) == {
            "path": str(path),
            "damaged": False,
            "problems": [],
        }


def test_a_witness_that_does_not_answer_leaves_the_draw_incomplete(office: Path, ask: Ask) -> None:
    cosigned = ask("cosign", office, code=3)
    assert (cosigned["quorum"], cosigned["kept"]) == (False, False)
    assert cosigned["failures"][0]["code"] == "witness-unreachable"
    assert all(failure["remedy"]["zh"] and failure["remedy"]["en"] for failure in cosigned["failures"])


def test_damage_is_found_and_told_in_both_languages(
    office: Path, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    log = office.parent / "log"
    (tile,) = (path for path in (log / "public" / "tile" / "0").rglob("*") if path.is_file())
    tile.write_bytes(bytes(32))
    told = ask("fsck", log, code=1)
    assert told["damaged"]
    assert told["problems"][0]["message"]["zh"]
    assert run(["fsck", str(log), "--language", "zh"]) == 1
    assert "有损坏" in capsys.readouterr().out


def test_a_folder_that_is_neither_log_nor_campaign_is_refused(tmp_path: Path, ask: Ask) -> None:
    assert ask("fsck", tmp_path, code=2)["error"]["code"] == "nothing-to-check"


def test_keys_are_made_rotated_and_revoked(office: Path, ask: Ask, tmp_path: Path) -> None:
    log = office.parent / "log"
    first = LogReader(log / "public").first_key.text
    second = ask("keys", "rotate", log)["key"]
    assert second != first
    assert ask("keys", "revoke", log, code=2)["error"]["code"] == "option-missing"
    assert ask("keys", "revoke", log, "--key", first, "--reason", "stolen")["key"] == first
    assert ask("reveal", office)["revealed"] == ["amr"]
    made = ask("keys", "new", tmp_path / "another", "--name", "log.example/another")["key"]
    assert made.startswith("log.example/another+")
    assert ask("keys", "new", tmp_path / "another", "--name", "log.example/another")["key"] == made
    other = ask("keys", "new", tmp_path / "another", "--name", "log.example/other", code=2)
    assert other["error"]["code"] == "log-origin-differs"


def test_without_a_log_there_is_nothing_to_reveal_into(announced: Path, ask: Ask) -> None:
    for command in ("reveal", "cosign"):
        assert ask(command, announced, code=2)["error"]["code"] == "no-log"
