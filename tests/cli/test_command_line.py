"""The command line: what it offers, which language it speaks, and how it refuses."""

import doctest
import io
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

import dualrandom
from dualrandom.cli import failures, new, run
from dualrandom.cli.failures import failure_of, grouped_rows
from dualrandom.cli.language import language_in, language_of_machine, language_of_plan
from dualrandom.errors import DualRandomError, InputError, IntegrityError, Problem

COMMANDS = {
    "announce",
    "check",
    "demo",
    "draw",
    "explain",
    "new",
    "record",
    "serve",
    "simulate",
    "template",
    "verify",
    "void",
}


def problem(
    row: int, code: str = "bad-date", severity: Any = "error", suggestion: str | None = None
) -> Problem:
    return Problem(
        code,
        "检查对象.xlsx",
        "Sheet1",
        row,
        "日期",
        "[bold]2023-13-01",
        "不是日期",
        "not a date",
        "改为 2023-12-01",
        "write 2023-12-01",
        severity,
        suggestion,
    )


def test_the_version_is_the_package_s(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--version"]) == 0
    assert capsys.readouterr().out == f"dualrandom {dualrandom.__version__}\n"


def test_help_names_every_command_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["--help"]) == 0
    text = capsys.readouterr().out
    for command in COMMANDS:
        assert f" {command} " in text
    assert "复核" in text
    assert "Check a published draw" in text


def test_no_command_shows_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    assert run([]) == 0
    assert "verify" in capsys.readouterr().out


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_every_command_offers_json_and_both_languages(
    command: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run([command, "--help"]) == 0
    text = capsys.readouterr().out
    assert "--json" in text
    assert "--language" in text


def test_the_commands_of_a_higher_room_are_loaded_only_when_they_are_named() -> None:
    code = (
        "import sys\nfrom dualrandom.cli import run\nrun(['verify', '--help'])\n"
        "assert 'dualrandom_api' not in sys.modules\n"
        "assert run(['serve', '--help']) == 0\nassert 'dualrandom_api.command' in sys.modules\n"
        "assert 'fastapi' not in sys.modules\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["verify"], "FOLDER"),
        (["verify", "x", "--auditr"], "--auditor"),
        (["verfy"], "verify"),
        (["simulate", "x", "--draws", "none"], "--draws"),
        (["simulate", "x", "--draws", "0"], "--draws"),
        (["demo", "--scale", "village"], "--scale"),
        (["void", "x"], "--reason"),
        (["check", "x", "--language", "fr"], "--language"),
    ],
)
def test_bad_usage_is_told_with_exit_code_2(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(arguments) == 2
    seen = capsys.readouterr()
    assert told in seen.err
    assert "--help" in seen.err
    assert "Traceback" not in seen.err
    assert run([*arguments, "--json"]) == 2
    error = json.loads(capsys.readouterr().out)["error"]
    assert error["code"] == "usage"
    assert told in error["message"]["zh"] + error["message"]["en"]


def test_bad_usage_is_told_in_chinese_too(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["verify", "--language", "zh"]) == 2
    assert "缺少 FOLDER" in capsys.readouterr().err
    assert run(["verify", "x", "--auditr", "--language=zh"]) == 2
    assert "您是不是要写 --auditor" in capsys.readouterr().err
    assert run(["--language", "zh", "verfy"]) == 2
    assert "没有此命令" in capsys.readouterr().err


def test_json_stays_json_in_a_terminal_that_knows_only_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    written = io.BytesIO()
    stream = io.TextIOWrapper(written, encoding="ascii", errors="backslashreplace")
    monkeypatch.setattr("sys.stdout", stream)
    assert run(["verify", "没有·此处", "--json"]) == 2
    stream.flush()
    assert "没有·此处" in json.loads(written.getvalue())["error"]["message"]["zh"]


def test_a_folder_without_an_announcement_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["verify", str(tmp_path)]) == 2
    assert "announcement.json" in capsys.readouterr().err
    assert run(["--language", "zh", "verify", str(tmp_path)]) == 2
    assert "没有 announcement.json" in capsys.readouterr().err
    assert run(["verify", str(tmp_path), "--json", "--language", "zh"]) == 2
    seen = json.loads(capsys.readouterr().out)
    assert seen["error"]["code"] == "no-announcement"
    assert seen["problems"] == []


def test_serve_without_a_record_says_what_this_version_can(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["serve"]) == 2
    assert "--record" in capsys.readouterr().err


def test_a_port_in_use_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import socket

    (tmp_path / "announcement.json").write_text("{}")
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        assert run(["serve", "--record", str(tmp_path), "--port", port, "--json"]) == 2
    assert json.loads(capsys.readouterr().out)["error"]["code"] == "cannot-listen"


@pytest.mark.parametrize(
    ("command", "package", "extra"),
    [
        (["check", "."], "numpy", "draw"),
        (["demo", "--out", "nowhere"], "numpy", "draw"),
        (["simulate", "."], "ortools", "draw"),
        (["serve", "--record", "."], "fastapi", "api"),
        (["serve", "--record", "."], "uvicorn", "api"),
    ],
)
def test_a_missing_extra_is_named(command: list[str], package: str, extra: str, tmp_path: Path) -> None:
    (tmp_path / "announcement.json").write_text("{}")
    code = f"import sys; sys.modules[{package!r}] = None\nfrom dualrandom.cli import run; sys.exit(run(sys.argv[1:]))"
    done = subprocess.run(
        [sys.executable, "-c", code, *command, "--json"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2, done.stderr
    error = json.loads(done.stdout)["error"]
    assert error["code"] == "missing-extra"
    assert f'pip install "dualrandom[{extra}]"' in error["remedy"]["en"]
    assert f'pip install "dualrandom[{extra}]"' in error["remedy"]["zh"]


def test_verify_and_help_need_no_extra(tmp_path: Path) -> None:
    code = (
        "import sys\n"
        "for name in ('numpy', 'ortools', 'fastapi', 'sqlmodel', 'xlsxwriter', 'python_calamine'):\n"
        "    sys.modules[name] = None\n"
        "from dualrandom.cli import run\n"
        "codes = [run([]), run(['verify', '--help']), run(['verify', '.', '--json'])]\n"
        "assert codes == [0, 0, 2], codes\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "no-announcement" in done.stdout


def test_help_loads_neither_solver_nor_web() -> None:
    code = (
        "import sys\nfrom dualrandom.cli import run\nrun(['verify', '--help'])\n"
        "assert not {'numpy', 'ortools', 'fastapi', 'cryptography'} & set(sys.modules)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "zh_CN.UTF-8"}, "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "en"),
        ({"LANG": "de_DE.UTF-8", "LC_MESSAGES": "zh_TW"}, "zh"),
        ({"LC_ALL": "", "LANG": "zh"}, "zh"),
    ],
)
def test_the_machine_s_language_follows_its_locale(environment: dict[str, str], language: str) -> None:
    assert language_of_machine(environment) == language


@pytest.mark.parametrize(
    ("plan", "language"),
    [
        ('[plan]\nlanguage = "zh"', "zh"),
        ('\ufeff[plan]\nlanguage = "en"', "en"),
        ('[plan]\nlanguage = "fr"', None),
        ("[plan", None),
        ("plan = 1", None),
    ],
)
def test_the_plan_s_language_is_found_even_if_the_plan_is_wrong(
    plan: str, language: str | None, tmp_path: Path
) -> None:
    (tmp_path / "plan.toml").write_text(plan, "utf-8")
    assert language_of_plan(tmp_path) == language
    assert language_of_plan(tmp_path / "nowhere") is None


def test_the_language_asked_for_is_found_in_any_command_line() -> None:
    assert language_in(["x", "--language", "zh"]) == "zh"
    assert language_in(["--language=en", "x"]) == "en"
    assert language_in(["x", "--language"]) is None
    assert language_in(["--language", "fr"]) is None


def test_every_fault_becomes_an_exit_code() -> None:
    text: dict[Any, str] = {"zh": "错", "en": "wrong"}
    cases: list[tuple[BaseException, int | None]] = [
        (DualRandomError("a", "", text, text), 2),
        (IntegrityError("a", "", text, text), 1),
        (DualRandomError("beacon-not-there", "", text, text), 3),
        (InputError([problem(1)]), 2),
        (FileNotFoundError(2, "no", "x"), 2),
        (PermissionError(13, "no", "x"), 2),
        (IsADirectoryError(21, "no", "x"), 2),
        (NotADirectoryError(20, "no", "x"), 2),
        (OSError(28, "disk full", "x"), 2),
        (ModuleNotFoundError("no", name="pyarrow.parquet"), 2),
        (ModuleNotFoundError("no", name="something_else"), None),
        (MemoryError(), 2),
        (KeyError("x"), None),
        (BrokenPipeError(32, "no"), None),
    ]
    for error, expected in cases:
        failure = failure_of(error)
        assert (None if failure is None else failure.exit_code) == expected, error
        if failure is not None:
            assert failure.message["zh"]
            assert failure.message["en"]
            assert failure.remedy["zh"]
            assert failure.remedy["en"]


def test_all_problems_are_shown_with_their_places(capsys: pytest.CaptureFixture[str]) -> None:
    failure = failure_of(InputError([problem(3), problem(9, "odd", "warning", "2023-12-01")]))
    assert failure is not None
    failures.show(failure, "en")
    seen = capsys.readouterr().err
    for text in ("row 3", "row 9", 'sheet "Sheet1"', "[bold]2023-13-01", "not a date", "write 2023-12-01"):
        assert text in seen
    assert "did you mean 2023-12-01?" in seen
    failures.show(failure, "zh")
    seen = capsys.readouterr().err
    for text in ("第 3 行", "工作表“Sheet1”", "不是日期", "错误", "提醒", "您是不是要写 2023-12-01"):
        assert text in seen
    as_json = failure.as_json()
    assert [one["row"] for one in as_json["problems"]] == [3, 9]
    assert as_json["problems"][0]["message"] == {"zh": "不是日期", "en": "not a date"}


def test_in_a_narrow_terminal_problems_stand_one_under_the_other() -> None:
    for width, narrow in ((80, True), (160, False)):
        out = io.StringIO()
        failures.show_problems([problem(3)], "zh", Console(file=out, width=width))
        text = out.getvalue()
        assert "检查对象.xlsx · 工作表“Sheet1” · 第 3 行" in text or not narrow
        assert ("问题: 不是日期" in text) is narrow
        assert ("│" in text) is not narrow


def test_a_mistake_in_a_plan_is_placed_by_its_key() -> None:
    wrong = replace(problem(7), file="plan.toml", sheet=None, column="beacon.kind")
    assert failures.place(wrong, "zh") == "plan.toml · 第 7 行 · 键 beacon.kind"
    assert failures.place(wrong, "en") == "plan.toml · row 7 · key beacon.kind"
    assert failures.place(problem(7), "en") == problem(7).place("en")


def test_many_problems_are_counted_together(capsys: pytest.CaptureFixture[str]) -> None:
    many = [problem(row) for row in range(2, 80)] + [problem(5, "other"), problem(6, "odd", "warning")]
    rows = grouped_rows(many, "en")
    assert [row[0] for row in rows] == ["error", "error", "warning"]
    assert rows[0][1] == '78 × 检查对象.xlsx · sheet "Sheet1" · column "日期", rows 2, 3, 4, 5, 6…'
    failure = failure_of(InputError(many))
    assert failure is not None
    failures.show(failure, "en")
    assert "80 in all" in capsys.readouterr().err


def test_missing_columns_are_each_named_however_many_rows_are_wrong() -> None:
    missing = [replace(problem(1, "heading-missing"), column=None, message_en=f"no {name}") for name in "ab"]
    said = [row[3] for row in grouped_rows([problem(row) for row in range(2, 80)] + missing, "en")]
    assert {"no a", "no b"} <= set(said)


def test_a_value_of_a_file_has_no_power_over_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    failure = failure_of(InputError([replace(problem(2), value="\x1b[2J\u202e甲")]))
    assert failure is not None
    failures.show(failure, "zh")
    text = capsys.readouterr().err
    assert "甲" in text
    assert not {"\x1b", "\u202e"} & set(text)


def test_a_fault_of_the_program_is_not_hidden(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "announcement.json").write_text("{}")

    def broken(folder: Path) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr("dualrandom.verify.read_public", broken)
    with pytest.raises(KeyError, match="a bug"):
        run(["verify", str(tmp_path)])


def test_several_files_may_follow_one_from() -> None:
    assert doctest.testmod(new).attempted == 1
    assert new.spread_from(["d", "--from", "a", "--from", "b"]) == ["d", "--from", "a", "--from", "b"]
    assert new.spread_from(["d", "--from=a", "b"]) == ["d", "--from=a", "--from", "b"]
    assert new.spread_from(["--from", "a", "--json", "d"]) == ["--from", "a", "--json", "d"]
