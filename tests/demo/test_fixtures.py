"""The files kept under fixtures/: real ones unchanged, invented ones as their script writes them."""

import hashlib
import importlib.util
import json
import shutil
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

import pytest

from dualrandom import campaign
from dualrandom.policy.reader import read_plan
from dualrandom.registry.columns import Kind
from dualrandom.registry.reader import read_libraries, read_library, recognise

FIXTURES = Path(__file__).resolve().parents[2] / "fixtures"
CHICAGO = FIXTURES / "chicago"
REGISTER = "chicago-food-establishments.csv"
WORKBOOKS: tuple[Kind, ...] = ("enterprises", "inspectors", "items")


@pytest.fixture(scope="module")
def script() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_fixtures", FIXTURES / "make.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def content(path: Path) -> object:
    """A file's bytes; of a workbook the parts, since zlib's versions compress differently."""
    if path.suffix != ".xlsx":
        return path.read_bytes()
    with zipfile.ZipFile(path) as book:
        return {name: book.read(name) for name in book.namelist()}


def test_the_script_writes_what_is_kept(script: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "chicago").mkdir()
    shutil.copy(CHICAGO / REGISTER, tmp_path / "chicago")
    folders = script.fixtures(tmp_path)
    written = [path for folder in folders.values() for path in folder.iterdir()]
    assert len(written) == 9
    for path in written:
        assert content(path) == content(FIXTURES / path.relative_to(tmp_path))


def test_the_register_of_chicago_is_unchanged_and_carries_its_notice() -> None:
    digest = hashlib.sha256((CHICAGO / REGISTER).read_bytes()).hexdigest()
    assert digest == "9e27780285aa75a23193746b3de502eda35ff70b10ed511ac368392084d22d53"
    notice = (CHICAGO / "LICENSE.txt").read_text("utf-8")
    assert "Copyright (c) 2014 City of Chicago" in notice
    assert "The MIT License" in notice


def test_the_register_of_chicago_is_read_by_the_plans_maps() -> None:
    plan = read_plan(CHICAGO / "plan.toml")
    assert plan.problems == ()
    assert plan.plan is not None
    read = read_libraries(CHICAGO, plan.plan)
    assert {problem.code for problem in read.problems} == {"columns-ignored"}
    establishments = read.libraries.enterprises
    assert len(establishments) == 12_367
    classes = [each.credit_class for each in establishments]
    assert [classes.count(name) for name in "BCD"] == [1016, 2910, 8441]
    assert sum(each.district == "unknown" for each in establishments) == 8
    assert sum(each.category == "" for each in establishments) == 28
    assert all("invented" in person.name for person in read.libraries.inspectors)


def test_chicago_is_drawn_openly(tmp_path: Path) -> None:
    folder = tmp_path / "chicago"
    shutil.copytree(CHICAGO, folder)
    # an office makes its secrets anew; with given ones the visits are always the same
    for party in campaign.load_inputs(folder).plan.contributions:
        for kind in ("nonces", "keys"):
            path = folder / "private" / kind / party.party
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(hashlib.sha256(f"{kind}/{party.party}".encode()).hexdigest())
    campaign.announce(folder, rehearsal=True, now=datetime(2026, 1, 1, tzinfo=UTC))
    summary = campaign.draw(folder, beacon_file=None)
    announcement = json.loads((folder / "public" / "announcement.json").read_bytes())
    assert announcement["disclosure"] == "open"
    assert announcement["auditor"] is None
    assert 150 <= summary.visits <= 260
    assert summary.undated <= 2
    first = (folder / "public" / "frame.jsonl").read_text("utf-8").splitlines()[0]
    assert json.loads(first)["id"].isdigit()


def test_an_offices_workbooks_are_recognised_and_read() -> None:
    for kind in WORKBOOKS:
        path = FIXTURES / "three-workbooks" / f"{kind}.xlsx"
        assert recognise(path) == kind
        read = read_library(kind, path, None, None)
        assert read.problems == ()
        assert read.rows


def test_ten_different_mistakes_are_all_found_at_once() -> None:
    chicago = read_plan(CHICAGO / "plan.toml").plan
    assert chicago is not None
    plan = replace(chicago, enterprise_ids="uscc", classes=("A", "B", "C", "D"))
    path = FIXTURES / "three-workbooks-with-mistakes" / "enterprises.xlsx"
    read = read_library("enterprises", path, None, plan)
    assert [(problem.row, problem.code) for problem in read.problems] == [
        (7, "uscc-check-digit"),
        (12, "uscc-character"),
        (17, "id-as-number"),
        (22, "id-duplicate"),
        (27, "id-form"),
        (32, "cell-empty"),
        (37, "uscc-length"),
        (42, "date-invalid"),
        (47, "merged-cells"),
        (83, "total-row"),
    ]
    for kind in WORKBOOKS[1:]:
        assert read_library(kind, path.with_name(f"{kind}.xlsx"), None, None).problems == ()
