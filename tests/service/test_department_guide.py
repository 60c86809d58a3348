"""The guides of dispatcher, department and carrying out: their commands are run by bash as they are printed, through a draw's whole life.

What differs from the page: the service's address, passwords, the year (the beacon's round that is at hand is of August 2023) and what a
printed notice says. Between two blocks of commands the service's jobs are done. Any refused request ends a block, and so the test.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import uvicorn
import xlsxwriter
from python_calamine import CalamineWorkbook

from dualrandom_api.service.application import create_service
from dualrandom_api.service.runner import Runner
from dualrandom_api.service.settings import PasswordSettings, Settings

ROOT = Path(__file__).resolve().parents[2]
WORKBOOKS = ROOT / "fixtures/three-workbooks"
GUIDES = ("dispatcher", "department", "carrying-out")
ENDINGS = {"en": ".md", "zh": ".zh-CN.md"}
PASSWORD = "Ordinary-27-horses"
ROUND_1000 = (
    '{"round":1000,"randomness":"fe290beca10872ef2fb164d2aa4442de4566183ec51c56ff3cd603d930e54fdd",'
    '"signature":"b44679b9a59af2ec876b1a6b1ad52ea9b1615fc3982b19576350f93447cb1125e342b73a8dd2bacbe47e4b6b63ed5e39"}'
)
ROUND_1001 = (
    '{"round":1001,'
    '"signature":"b33bf3667cbd5a82de3a24b4e0e9fe5513cc1a0e840368c6e31f5fcfa79bea03f73896b25883abf2853d10337fb8fa41"}'
)
CURL = """#!/bin/sh
exec {curl} --fail-with-body --show-error "$@"
"""


def blocks_of(guide: str, language: str) -> list[tuple[int, str]]:
    """Return the indented blocks of a guide in order, each with the number of its section."""
    text = (ROOT / "docs" / f"{guide}{ENDINGS[language]}").read_text("utf-8")
    section, open_block = 0, False
    found: list[tuple[int, str]] = []
    for line in text.split("\n"):
        if line.startswith("## "):
            section += 1
        if not line.startswith("    "):
            open_block = False
        elif open_block:
            found[-1] = (section, f"{found[-1][1]}\n{line[4:]}")
        else:
            found.append((section, line[4:]))
            open_block = True
    return found


@pytest.mark.parametrize("guide", GUIDES)
def test_both_languages_give_the_same_commands(guide: str) -> None:
    english, chinese = blocks_of(guide, "en"), blocks_of(guide, "zh")
    assert [(n, text.replace("language=en", "language=zh")) for n, text in english] == chinese
    assert len(english) > 10


class Clock:
    """The service's clock."""

    def __init__(self) -> None:
        self.now = datetime(2023, 8, 17, 1, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now


class Town:
    """A running service, and people with shells of their own."""

    def __init__(self, folder: Path, language: str, environment: Mapping[str, str]) -> None:
        self.folder, self.language, self.clock = folder, language, Clock()
        self.left = {(guide, text) for guide in GUIDES for _, text in blocks_of(guide, language)}
        bin_folder = folder / "bin"
        bin_folder.mkdir()
        curl = bin_folder / "curl"
        curl.write_text(CURL.format(curl=shutil.which("curl")))
        curl.chmod(0o755)
        self.environment = {
            "PATH": f"{bin_folder}:{Path(sys.executable).parent}:{os.environ['PATH']}",
            "LANG": "C.UTF-8",
            "PYTHONPATH": os.environ.get("PYTHONPATH", ""),
            "DUALRANDOM_LANGUAGE": "en",
            "DUALRANDOM_DATA": str(folder / "data"),
            "DUALRANDOM_PASSWORD": PASSWORD,
            "DUALRANDOM_PASSWORDS__MEMORY_KIB": "64",
            **environment,
        }
        self.url = ""
        self.run_jobs: Callable[[], Any] = lambda: None

    def bash(self, who: str, text: str) -> str:
        """Run commands in somebody's shell, which remembers its variables and functions; return what was printed."""
        home = self.folder / who
        home.mkdir(exist_ok=True)
        keep = "{ declare -p | grep -E '^declare -- [A-Z]+=' ; declare -f; } > .state"
        script = f"[ ! -f .state ] || source ./.state\nset -e -o pipefail\n{text}\n{keep}\n"
        done = subprocess.run(
            ["bash", "-c", script],
            cwd=home,
            env={**self.environment, "HOME": str(home)},
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == 0, f"{who}:\n{text}\n→ {done.returncode}\n{done.stdout}\n{done.stderr}"
        self.run_jobs()
        return done.stdout

    def follow(
        self, who: str, guide: str, begins: str, changed: Mapping[str, str] | None = None, *, ends: int = 0
    ) -> str:
        """Run the one block of a guide that begins so, as printed but for ``changed``. ``ends``: an exit code that it may have."""
        texts = [text for _, text in blocks_of(guide, self.language)]
        (text,) = [t for t in texts if t == begins] or [t for t in texts if t.startswith(begins)]
        self.left.discard((guide, text))
        usual = {
            **(changed or {}),
            "https://inspection.example.gov.cn": self.url,
            '"password":"…"': f'"password":"{PASSWORD}"',
            '"present":"…","new":"…"': f'"present":"{PASSWORD}","new":"{PASSWORD}"',
            "2026-08-25T10:00:00+08:00": "2023-08-23T23:59:24+08:00",
            "2026-": "2023-",
        }
        for old, new in usual.items():
            text = text.replace(old, new)
        return self.bash(who, f"{{ {text}\n}} || [ $? = {ends} ]" if ends else text)


@pytest.fixture
def database(request: pytest.FixtureRequest) -> dict[str, str]:
    if request.param == "sqlite":
        return {}
    copied = request.getfixturevalue("postgres")
    return {"DUALRANDOM_DATABASE_URL": copied(f"guide_{time.monotonic_ns()}", "template0")}


@pytest.fixture
def town(tmp_path: Path, database: dict[str, str], language: str) -> Iterator[Town]:
    made = Town(tmp_path, language, database)
    begin = next(text for _, text in blocks_of("service", language) if "service init" in text)
    (init,) = [line for line in begin.split("\n") if "service init" in line]
    made.bash("operator", init)
    settings = Settings(
        data=tmp_path / "data",
        database_url=database.get("DUALRANDOM_DATABASE_URL"),
        passwords=PasswordSettings(memory_kib=64),
        runners=0,
        relays=[],
    )
    app = create_service(settings, clock=made.clock)
    server = uvicorn.Server(uvicorn.Config(app, port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    made.url = f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    made.run_jobs = Runner(app.state.service).run_due
    yield made
    server.should_exit = True
    thread.join()
    app.state.service.database.close()


def people_of(department: str, path: Path) -> None:
    """Write the inspectors of one department in a workbook of its own; nobody is away, so that whoever is ill can be replaced."""
    rows = CalamineWorkbook.from_path(WORKBOOKS / "inspectors.xlsx").get_sheet_by_index(0).to_python()[1:]
    away = rows[0].index("休假日期")
    rows[1:] = [[*row[:away], "", *row[away + 1 :]] for row in rows[1:]]
    with xlsxwriter.Workbook(path) as book:
        sheet = book.add_worksheet()
        for number, row in enumerate([rows[0], *(row for row in rows if row[2] == department)]):
            sheet.write_row(number, 0, row)


DEEP = os.environ.get("DUALRANDOM_DEEP") == "1"
LIVES = [(kind, language) for kind in ("sqlite", "postgres") for language in ENDINGS]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the guides use curl")
@pytest.mark.parametrize(
    ("database", "language"), LIVES if DEEP else [("sqlite", "en")], indirect=["database"]
)
def test_the_guides_commands_lead_through_a_whole_draw(town: Town) -> None:
    prepare(town)
    draw(town)
    carry_out(town)
    assert town.left == set(), "every block of commands was run"


def prepare(town: Town) -> None:
    """Accounts, libraries, plan, joins, announcement."""
    chief = "zhang.wei"
    town.follow(chief, "dispatcher", "SERVICE=")
    town.follow(chief, "dispatcher", "send -X POST $SERVICE/v1/departments")
    town.follow(chief, "dispatcher", "send -X PUT $SERVICE/v1/me/password")
    wrong = ROOT / "fixtures/three-workbooks-with-mistakes/enterprises.xlsx"
    shutil.copy(wrong, town.folder / chief / "enterprises.xlsx")
    town.follow(chief, "dispatcher", "IMPORT=")
    assert town.follow(chief, "dispatcher", "ask $SERVICE/v1/imports/$IMPORT | field") == "refused\n"
    town.follow(chief, "dispatcher", "ask $SERVICE/v1/imports/$IMPORT/problems")
    marked = CalamineWorkbook.from_path(town.folder / chief / "problems.xlsx")
    assert marked.sheet_names
    for kind in ("enterprises", "items"):
        shutil.copy(WORKBOOKS / f"{kind}.xlsx", town.folder / chief)
        town.follow(chief, "dispatcher", "IMPORT=", {"enterprises": kind})
        assert town.follow(chief, "dispatcher", "ask $SERVICE/v1/imports/$IMPORT | field") == "ready\n"
        town.follow(chief, "dispatcher", "ask $SERVICE/v1/imports/$IMPORT/changes")
    town.follow(chief, "dispatcher", "send -X POST $SERVICE/v1/plans -d")
    town.follow(chief, "dispatcher", "ask $SERVICE/v1/plans/2026-09/document")

    for department in ("fire", "amr", "health"):
        other = {"fire": department}
        town.follow(department, "department", "SERVICE=", other)
        town.follow(department, "department", 'ask "$SERVICE/v1/libraries/inspectors/template')
        people_of(department, town.folder / department / "inspectors.xlsx")
        town.follow(department, "department", "IMPORT=")
        answer = town.follow(department, "department", "ask $SERVICE/v1/imports/$IMPORT")
        assert '"ready"' in answer
        town.follow(department, "department", "ask $SERVICE/v1/imports/$IMPORT/changes")
        town.follow(department, "department", "ask $SERVICE/v1/messages")
    # whoever sends other departments' people gets them back, marked
    shutil.copy(WORKBOOKS / "inspectors.xlsx", town.folder / "health")
    town.follow("health", "department", "IMPORT=")
    town.follow("health", "department", "ask $SERVICE/v1/imports/$IMPORT/problems")
    town.follow("health", "department", "send -X POST $SERVICE/v1/plans/2026-09/joins", {"fire": "health"})
    own = {"fire-premises": "amr-food", "fire-safety": "food", "fire": "amr", '"H", "O"': '"F", "H"'}
    town.follow("amr", "department", "send -X POST $SERVICE/v1/plans/2026-09/tasks", own)
    town.follow("amr", "department", "ask -X POST $SERVICE/v1/plans/2026-09/joins", {"fire": "amr"})
    for begins in (
        "send -X POST $SERVICE/v1/libraries/recusals",
        "ask -i $SERVICE/v1/libraries/inspectors",
        "send -X POST $SERVICE/v1/plans/2026-09/tasks",
        "ask -i $SERVICE/v1/plans/2026-09/joins",
        "ask -X POST $SERVICE/v1/plans/2026-09/joins",
        "DRAW=$(ask",
        "ask $SERVICE/v1/plans/2026-09/prerequisites",
    ):
        town.follow("fire", "department", begins)

    town.clock.now = datetime(2023, 8, 21, 1, 0, tzinfo=UTC)
    for person in (chief, "fire"):
        town.follow(person, "dispatcher" if person == chief else "department", "SERVICE=")
    town.follow(chief, "dispatcher", "ask $SERVICE/v1/backups/latest")
    town.follow(chief, "dispatcher", "send -X POST $SERVICE/v1/plans/2026-09/check")
    ready = town.follow(chief, "dispatcher", "ask $SERVICE/v1/plans/2026-09/prerequisites")
    assert '"ready":true' in ready
    town.follow(chief, "dispatcher", "APPROVAL=")
    said = town.follow(chief, "dispatcher", "TOKEN=")
    of_plan = re.search(r'"plan_toml":"([0-9a-f]{64})"', said)
    assert of_plan is not None
    assert f"{of_plan[1]}  -" in said, "the approval names the plan that is shown"
    told = town.follow(chief, "dispatcher", 'ask "$SERVICE/v1/draws?limit=1"')
    assert '"state":"announced"' in told


def draw(town: Town) -> None:
    """Reveal, the round, the record."""
    chief = "zhang.wei"
    town.follow("fire", "department", "curl -s $SERVICE/v1/public/draws/$DRAW/files")
    town.clock.now = datetime(2023, 8, 23, 15, 59, 24, tzinfo=UTC)
    for person in (chief, "fire"):
        town.follow(person, "dispatcher" if person == chief else "department", "SERVICE=")
    (town.folder / chief / "round.json").write_text(ROUND_1000)
    town.follow(chief, "dispatcher", "send -X POST $SERVICE/v1/draws/$DRAW/beacon")
    said = town.follow(chief, "dispatcher", "ask $SERVICE/v1/draws/$DRAW | field", ends=3)
    assert said.startswith("drawn\n")
    assert "FAIL" not in said
    town.follow(chief, "carrying-out", "GONE=")
    town.clock.now = datetime(2023, 8, 23, 15, 59, 27, tzinfo=UTC)
    (town.folder / chief / "next-round.json").write_text(ROUND_1001)
    town.follow(chief, "carrying-out", "send -X POST $SERVICE/v1/draws/$DRAW/substitution-beacon")
    town.follow("amr", "department", "SERVICE=", {'"fire"': '"amr"'})
    town.bash("amr", "DRAW=ezhou-2023-000001")
    town.follow(
        "amr", "carrying-out", "send -X POST $SERVICE/v1/draws/$DRAW/withdrawals", {'"fire"': '"amr"'}
    )


def carry_out(town: Town) -> None:
    """Visits, findings and what life brings, the ledger, the end."""
    chief = "zhang.wei"
    town.clock.now = datetime(2023, 9, 28, 6, 0, tzinfo=UTC)
    town.follow(chief, "dispatcher", "SERVICE=")
    town.follow("fire", "department", "SERVICE=")
    crew = one_who_goes(town, chief)
    town.follow(crew, "department", "SERVICE=", {'"username":"fire"': f'"username":"{crew}"'})
    town.bash(crew, "DRAW=ezhou-2023-000001")
    town.follow("fire", "department", 'ask "$SERVICE/v1/visits?draw=$DRAW"')
    for who in ("fire", crew):
        town.follow(who, "carrying-out", 'ask "$SERVICE/v1/visits?draw=$DRAW&state=planned"')
    town.follow("fire", "carrying-out", "send -X PUT $SERVICE/v1/visits/$VISIT/later")
    town.follow(crew, "carrying-out", "CODE=")
    visit = town.bash(crew, "ask $SERVICE/v1/visits/$VISIT | field notice; echo $CODE").split()
    real = {"ezhou-2026-000001-T00001": visit[0], "7Q2MX9KD4H": visit[1]}
    assert '"repeated":true' in town.follow(crew, "carrying-out", "curl -s -X POST", real)
    for begins in (
        "PERSON=",
        "PHOTO=",
        "send -X POST $SERVICE/v1/draws/$DRAW/publication",
        'FINDING=$(ask "$SERVICE/v1/findings?visit=$VISIT" | field items.0.id)',
        "send -X POST $SERVICE/v1/findings/$FINDING/dispute",
        'FINDING=$(ask "$SERVICE/v1/findings?visit=$VISIT" | field items.1.id)',
        "ENTERPRISE=",
        'ask "$SERVICE/v1/ledger?department=fire"',
        "ask $SERVICE/v1/draws/$DRAW/exports/visits.csv",
        "ask $SERVICE/v1/draws/$DRAW/amendments",
    ):
        (town.folder / "fire" / "photo.jpg").write_bytes(b"\xff\xd8\xff\xe0 a picture")
        town.follow("fire", "carrying-out", begins)
    town.follow(chief, "carrying-out", 'FINDING=$(ask "$SERVICE/v1/findings?draw=$DRAW"')
    town.follow(chief, "carrying-out", "ask $SERVICE/v1/draws/$DRAW/exports/provincial")
    find_nothing_elsewhere(town, chief)
    town.follow(chief, "dispatcher", "ask $SERVICE/v1/draws/$DRAW/statistics")
    town.follow(chief, "dispatcher", "send -X POST $SERVICE/v1/plans/2026-09/copies")
    said = town.follow(chief, "dispatcher", "ask $SERVICE/v1/draws/$DRAW | field", ends=3)
    assert said.startswith("closed\n")
    assert "FAIL" not in said


def one_who_goes(town: Town, chief: str) -> str:
    """Return an inspector of fire with a visit to make, who gets an account: the lot decides who that is."""
    sheet = (
        CalamineWorkbook.from_path(town.folder / "fire" / "inspectors.xlsx").get_sheet_by_index(0).to_python()
    )
    for code in (str(row[0]) for row in sheet[1:]):
        listed = town.bash("fire", f'ask "$SERVICE/v1/visits?draw=$DRAW&state=planned&inspector={code}"')
        if json.loads(listed)["items"]:
            break
    else:
        raise AssertionError("nobody of fire has a visit")
    if code != "fire-02":  # he has one from the guide
        user = {"username": code, "name": code, "role": "crew", "department": "fire", "inspector": code}
        body = json.dumps({**user, "password": PASSWORD})
        town.bash(chief, f"send -X POST $SERVICE/v1/users -d '{body}'")
    return code


def find_nothing_elsewhere(town: Town, who: str) -> None:
    """Enter and publish that nothing was found at all other visits."""
    planned = json.loads(town.bash(who, 'ask "$SERVICE/v1/visits?draw=$DRAW&state=planned"'))["items"]
    for visit in planned:
        entries = [
            {"task": check["task"], "item": item, "code": "1", "method": "on-site", "found_on": "2023-09-28"}
            for check in visit["checks"]
            if not check["unfilled"] and not check["published"]
            for item in check["items"]
        ]
        body = json.dumps({"findings": entries})
        town.bash(who, f"send -X POST $SERVICE{visit['url']}/findings -d '{body}'")
    town.bash(who, "send -X POST $SERVICE/v1/draws/$DRAW/publication")
