"""The manual tells the truth: its commands exist and run, every option and address is in it, its links lead somewhere."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import typer

from dualrandom.cli.application import app
from dualrandom_api.application import create_app

ROOT = Path(__file__).resolve().parent.parent
READMES = ("README.md", "README.zh-CN.md")
MANUALS = sorted(
    [ROOT / name for name in READMES]
    + list((ROOT / "docs").glob("*.md"))
    + list((ROOT / "fixtures").rglob("*.md"))
)
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)#\s]+)(?:#[^)]*)?\)")


def commands() -> dict[str, Any]:
    """Return every command of the command line by name."""
    group = typer.main.get_command(app)
    context = group.make_context("dualrandom", ["--help"], resilient_parsing=True)
    return {name: group.get_command(context, name) for name in group.list_commands(context)}  # type: ignore[attr-defined]


def options(command: Any) -> set[str]:
    """Return a command's long options, without those that all have."""
    return {
        option
        for parameter in command.params
        for option in parameter.opts
        if option.startswith("--") and option not in {"--help", "--json", "--language"}
    }


def command_lines(text: str) -> list[list[str]]:
    """Return the words of every line of a manual that runs ``dualrandom``."""
    lines = re.findall(r"^(?: {4}|\$ )?(dualrandom [^\n`]*)$", text, re.MULTILINE)
    lines += re.findall(r"`(dualrandom [a-z][^`\n]*)`", text)
    # a remark stands two or more spaces after the command
    return [shlex.split(re.split(r"\s{3,}| …", line)[0]) for line in lines]


@pytest.mark.parametrize("path", MANUALS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_command_line_in_the_manual_exists(path: Path) -> None:
    known = commands()
    for words in command_lines(path.read_text("utf-8")):
        arguments = words[1:]
        while arguments and arguments[0].startswith("--language"):
            arguments = arguments[1 if "=" in arguments[0] else 2 :]
        if not arguments or arguments[0].startswith("-"):
            assert set(arguments) <= {"--version", "--help", "-h", "--json"}, words
            continue
        assert arguments[0] in known, words
        given = {word.partition("=")[0] for word in arguments[1:] if word.startswith("--")}
        assert given <= options(known[arguments[0]]) | {"--help", "--json", "--language"}, words


@pytest.mark.parametrize("manual", ["commands.md", "commands.zh-CN.md"])
def test_every_command_and_option_is_in_the_manual(manual: str) -> None:
    text = (ROOT / "docs" / manual).read_text("utf-8")
    sections = dict(
        zip(
            re.findall(r"^## dualrandom (\w+)", text, re.MULTILINE),
            re.split(r"^## dualrandom .*$", text, flags=re.MULTILINE)[1:],
            strict=True,
        )
    )
    known = commands()
    assert set(sections) == set(known)
    for name, command in known.items():
        heading = next(line for line in text.splitlines() if line.startswith(f"## dualrandom {name}"))
        for option in options(command):
            assert f"`{option}" in sections[name], f"{name} {option}"
        named = set(re.findall(r"^\| `(--[a-z-]+)", sections[name], re.MULTILINE))
        assert named == options(command), name
        for parameter in command.params:
            if parameter.param_type_name == "argument":
                assert parameter.metavar in heading, name


def test_every_address_of_the_service_is_in_the_manual(tmp_path: Path) -> None:
    text = (ROOT / "docs" / "api.md").read_text("utf-8")
    described = set(re.findall(r"^\| `(/[^`]*)`", text, re.MULTILINE))
    assert described == set(create_app(tmp_path).openapi()["paths"])


@pytest.mark.parametrize("path", MANUALS, ids=lambda path: str(path.relative_to(ROOT)))
def test_links_lead_somewhere(path: Path) -> None:
    for target in LINK.findall(path.read_text("utf-8")):
        if not target.startswith(("http://", "https://")):
            assert (path.parent / target).exists(), target


@pytest.mark.parametrize("manual", ["commands", "plan", "libraries"])
def test_manuals_are_there_in_both_languages(manual: str) -> None:
    english, chinese = (
        (ROOT / "docs" / f"{manual}{suffix}.md").read_text("utf-8") for suffix in ("", ".zh-CN")
    )
    assert english.count("\n## ") == chinese.count("\n## ")


def test_both_readmes_give_the_same_commands() -> None:
    english, chinese = ((ROOT / name).read_text("utf-8") for name in READMES)

    def given(text: str) -> list[tuple[str, str]]:
        return [(kind, block) for kind, block in BLOCK.findall(text) if kind != "text"]

    assert given(english) == given(chinese)


def completed(plan: str, lines: str) -> str:
    """Set the keys that the README names, as a reader does with an editor: the marked ones, and those given as defaults."""
    for line in lines.splitlines():
        key = line.partition(" = ")[0]
        marked = rf'^(?:# )?{key} = (?:"fill-in"|"请填写.*|"drand")$'
        plan, count = re.subn(marked, line.replace("\\", r"\\"), plan, flags=re.MULTILINE)
        assert count == 1, key
    return plan


def test_the_walk_through_of_the_readme_works_as_written(tmp_path: Path) -> None:
    text = (ROOT / "README.md").read_text("utf-8")
    walk = text[text.index("## From three spreadsheets") : text.index("## Verify a published draw")]
    shutil.copytree(ROOT / "fixtures" / "three-workbooks", tmp_path / "fixtures" / "three-workbooks")
    path = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    ran = []
    for kind, block in BLOCK.findall(walk):
        if kind == "toml":
            plan = tmp_path / "build" / "september" / "plan.toml"
            plan.write_text(completed(plan.read_text("utf-8"), block), "utf-8")
        for line in block.splitlines() if kind == "sh" else ():
            # the draws are fewer here than a reader would take
            done = subprocess.run(
                ["sh", "-c", line.replace("--draws 200", "--draws 3")],
                cwd=tmp_path,
                env={**os.environ, "PATH": path},
                capture_output=True,
                text=True,
                check=False,
            )
            assert done.returncode == (3 if " verify " in line else 0), (line, done.stdout, done.stderr)
            ran.append(line.split()[1])
    assert ran == ["new", "check", "simulate", "announce", "draw", "verify", "verify"]
    listed = (tmp_path / "build" / "september" / "exports" / "task-sheet-fire.xlsx").is_file()
    assert listed
    assert "92420700XN900073XT" in walk
