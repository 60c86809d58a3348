"""The commands around a draw's ceremony: its state, backups, other people's keys and numbers, waiting for the round."""

from __future__ import annotations

import errno
import json
import os
import shutil
import threading
from collections.abc import Callable, Iterator
from datetime import datetime, tzinfo
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import openpyxl
import pytest

from dualrandom.cli import failures, run
from dualrandom.cli.failures import SYSTEM_ERRORS, failure_of
from dualrandom.errors import DualRandomError

Ask = Callable[..., dict[str, Any]]


@pytest.fixture
def town(written: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(written, tmp_path / "town"))


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")


@pytest.fixture
def then(monkeypatch: pytest.MonkeyPatch) -> None:
    """Announce in August 2023, before the demonstration's round was known."""

    class Then(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Self:
            return cls(2023, 8, 1, tzinfo=tz)

    monkeypatch.setattr("dualrandom.cli.announce.datetime", Then)


def test_the_state_of_a_campaign_is_told_from_draft_to_result(
    town: Path, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    drafted = ask("status", town)
    assert (drafted["phase"], drafted["draw"], drafted["deadlines"]) == ("drafted", None, {})
    draw = ask("announce", town, "--rehearsal")["draw"]
    before = ("--now", "2023-08-25T00:00:00Z")
    waiting = ask("status", town, *before)
    assert (waiting["phase"], waiting["draw"], waiting["overdue"]) == ("waiting", draw, [])
    assert ask("status", town, "--now", "2023-08-31T00:00:00Z", code=1)["overdue"] == ["result"]
    ask("draw", town)
    published = ask("status", town, *before)
    assert (published["phase"], published["overdue"]) == ("published", [])
    assert ask("status", town, "--now", "2024-01-01T00:00:00Z", code=1)["overdue"] == ["findings"]
    assert ask("status", town, "--now", "yesterday", code=2)["error"]["code"] == "bad-instant"
    for language, words in (("zh", ("已发布", "有期限已过")), ("en", ("published", "A deadline has passed"))):
        assert run(["status", str(town), "--language", language, "--now", "2024-01-01T00:00:00Z"]) == 1
        text = capsys.readouterr().out
        assert all(word in text for word in words)


def test_a_void_draw_says_what_comes_next(town: Path, ask: Ask) -> None:
    ask("announce", town, "--rehearsal")
    ask("void", town, "--reason", "名录有误")
    told = ask("status", town, "--now", "2024-01-01T00:00:00Z")
    assert (told["phase"], told["overdue"]) == ("void", [])
    assert "announce" in told["next"]["zh"]


def test_an_announcement_that_counts_insists_on_a_backup(
    town: Path, ask: Ask, tmp_path: Path, then: None
) -> None:
    refused = ask("announce", town, code=2)["error"]
    assert refused["code"] == "backup-missing"
    assert "--backup" in refused["remedy"]["zh"]
    assert not (town / "public").exists()
    assert not (town / "private").exists()
    assert ask("announce", town, "--backup", town / "backup", code=2)["error"]["code"] == "backup-inside"
    draw = ask("announce", town, "--backup", tmp_path / "vault")["draw"]
    assert (tmp_path / "vault" / draw / "list-secret").is_file()
    assert ask("announce", town, code=2)["error"]["code"] == "already-announced"


def test_whoever_backs_up_otherwise_says_so_and_a_rehearsal_needs_no_backup(
    town: Path, ask: Ask, then: None
) -> None:
    ask("announce", town, "--no-backup")
    ask("void", town, "--reason", "名录有误")
    assert ask("announce", town, code=2)["error"]["code"] == "backup-missing"
    ask("announce", town, "--rehearsal")


def test_a_department_contributes_by_two_files(town: Path, ask: Ask, tmp_path: Path) -> None:
    draw, own = ask("check", town)["draw"], tmp_path / "amr"
    committed = ask("contribute", own, "--party", "amr", "--draw", draw)
    (town / "contributions").mkdir()
    shutil.copy(committed["file"], town / "contributions")
    ask("announce", town, "--rehearsal")
    announcement = town / "public" / "announcement.json"
    revealed = ask("contribute", own, "--party", "amr", "--reveal", announcement)
    shutil.copy(revealed["file"], town / "contributions")
    ask("draw", town)
    assert "contribution amr revealed" in (town / "public" / "seed.txt").read_text()
    assert ask("contribute", own, "--party", "amr", code=2)["error"]["code"] == "commit-or-reveal"
    both = ("--draw", draw, "--reveal", announcement)
    assert ask("contribute", own, "--party", "amr", *both, code=2)["error"]["code"] == "commit-or-reveal"


def test_keys_and_numbers_that_belong_to_others_are_warned_about_until_others_make_them(
    town: Path, ask: Ask, tmp_path: Path
) -> None:
    ahead = ask("check", town)
    warned = {(one["code"], one["value"]) for one in ahead["warnings"]}
    assert {("nonce-made-here", "amr"), ("nonce-made-here", "fire")} <= warned
    assert "auditor-key-made-here" in {code for code, _ in warned}
    key = ask("keys", "new", tmp_path / "auditor", "--auditor")["key"]
    assert ask("keys", "new", tmp_path / "auditor", "--auditor")["key"] == key
    secret = tmp_path / "auditor" / "auditor.key"
    assert secret.stat().st_mode & 0o077 == 0
    replace(town / "plan.toml", "[auditor]\n", f'[auditor]\nkey = "{key}"\n')
    (town / "contributions").mkdir()
    for party in ("amr", "fire"):
        made = ask("contribute", tmp_path / party, "--party", party, "--draw", ahead["draw"])["file"]
        shutil.copy(made, town / "contributions")
    left = {one["code"] for one in ask("check", town)["warnings"]}
    assert not left & {"auditor-key-made-here", "nonce-made-here"}
    ask("announce", town, "--rehearsal")
    assert not (town / "private" / "auditor.key").exists()
    ask("draw", town)
    assert ask("attest", town, "--key", secret)["draw"] == ahead["draw"]


def test_a_department_with_tasks_and_nobody_to_carry_them_out_is_an_error(
    town: Path, ask: Ask, capsys: pytest.CaptureFixture[str]
) -> None:
    book = openpyxl.load_workbook(town / "inspectors.xlsx")
    sheet: Any = book.worksheets[0]
    for row in range(sheet.max_row, 1, -1):
        if any(cell.value == "urban" for cell in sheet[row]):
            sheet.delete_rows(row)
    book.save(town / "inspectors.xlsx")
    (town / "recusals.xlsx").unlink()
    for command in (("check",), ("simulate",), ("announce", "--rehearsal")):
        (told,) = ask(command[0], town, *command[1:], code=2)["problems"]
        assert (told["code"], told["value"]) == ("department-without-inspectors", "urban")
        assert "城市管理" in told["message"]["zh"]
        assert told["remedy"]["zh"]
        assert told["remedy"]["en"]
    assert not (town / "public").exists()
    assert run(["check", str(town), "--language", "zh"]) == 2
    assert "无人可以配对" in "".join(capsys.readouterr().err.split())


@pytest.mark.parametrize(
    "arguments",
    [
        ("check",),
        ("estimate",),
        ("receipt", "--enterprise", "x"),
        ("announce",),
        ("draw", "--offline"),
        ("progress",),
        ("status",),
        ("attest", "--key", "x"),
        ("record", "x"),
    ],
)
def test_a_folder_that_is_not_there_is_named(
    arguments: tuple[str, ...], ask: Ask, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command, *options = arguments
    (tmp_path / "file").write_text("x")
    for place, words in ((tmp_path / "nowhere", "没有目录"), (tmp_path / "file", "不是目录")):
        told = ask(command, place, *options, code=2)
        assert told["error"]["code"] == "no-campaign"
        assert told["error"]["value"] == str(place)
        assert words in told["error"]["message"]["zh"]


def test_what_the_system_refuses_is_told_in_chinese_without_english_words() -> None:
    for number in SYSTEM_ERRORS:
        failure = failure_of(OSError(number, os.strerror(number), "某文件"))
        assert failure is not None
        said = failure.message["zh"].replace("某文件", "")
        assert not any("a" <= letter.lower() <= "z" for letter in said), said
        assert os.strerror(number) in failure.message["en"] or failure.code == "file-access"
    unknown = failure_of(OSError(9999, "odd"))
    assert unknown is not None
    assert "9999" in unknown.message["zh"]
    assert "磁盘已满" in SYSTEM_ERRORS[errno.ENOSPC]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("simulate", "x", "--draws", "none"), "--draws 的值无效，应为整数"),
        (("simulate", "x", "--draws", "0"), "应不小于 1"),
        (("demo", "--scale", "village"), "village，应为 town、city 之一"),
        (("exclude", "x", "--enterprise", "a", "--reason", "b", "--evidence", "没有"), "没有，不存在"),
        (("estimate", "x", "--confidence", "2"), "应不大于 0.999"),
        (("check", "a", "b"), "参数过多：b"),
        (("draw", "x", "--beacon"), "--beacon 之后缺少值"),
        (("verfy",), "没有此命令：verfy（您是不是要写 verify？）"),
    ],
)
def test_a_command_line_s_mistakes_are_told_in_chinese_alone(
    arguments: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["--language", "zh", *arguments]) == 2
    said = capsys.readouterr().err.splitlines()[0]
    assert told in said
    for english in ("Invalid", "should", "Input", "No such", "requires", "Got "):
        assert english not in said


@pytest.fixture
def relay() -> Iterator[tuple[str, list[bytes]]]:
    """A relay of drand that gives its answers one after the other, the last one for ever."""
    answers: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(answers.pop(0) if len(answers) > 1 else answers[0])

        def log_message(self, *arguments: object) -> None:
            """Be silent."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}", answers
        server.shutdown()
        thread.join()


def test_a_draw_waits_for_a_relay_that_lies_first(
    town: Path, ask: Ask, relay: tuple[str, list[bytes]]
) -> None:
    address, answers = relay
    ask("announce", town, "--rehearsal")
    honest = (town / "beacon.json").read_bytes()
    (town / "beacon.json").unlink()
    answers += [honest.replace(b"b446", b"b447"), honest]
    assert ask("draw", town, "--relay", address, code=3)["error"]["code"] == "beacon-not-there"
    assert not (town / "beacon.json").exists()
    answers.insert(0, honest.replace(b"1000", b"1001"))
    assert not ask("draw", town, "--wait", "--relay", address)["repeated"]
    assert (town / "beacon.json").read_bytes() == honest
    assert ask("draw", town, "--offline")["repeated"]


def test_an_overdue_round_is_an_alarm(town: Path) -> None:
    text: Any = {"zh": "逾期", "en": "late"}
    failure = failure_of(DualRandomError("beacon-overdue", "", text, text))
    assert failure is not None
    assert failure.exit_code == failures.WRONG


def test_numbers_of_a_lottery_are_taken_as_they_were_drawn(town: Path, ask: Ask) -> None:
    replace(
        town / "plan.toml",
        'kind = "drand"\nsource = "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971"\nround = "1000"',
        'kind = "keystring"\nsource = "lottery"\nround = "2023097"',
    )
    ask("announce", town, "--rehearsal")
    (town / "beacon.json").write_text(json.dumps({"numbers": [[9319], [2, 5, 12, 8, 10]]}))
    ask("draw", town, "--offline")
    published = json.loads((town / "public" / "beacon.json").read_bytes())
    assert published["keystring"] == "9319./2.5.8.10.12./"
