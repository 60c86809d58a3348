"""A small correct campaign, of which each test spoils one thing."""

import tempfile
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from dualrandom.policy.plan import (
    Beacon,
    Caps,
    Deadlines,
    Department,
    LibrarySource,
    Named,
    Plan,
    Scope,
    Task,
)
from dualrandom.registry.reader import ReadResult, read_libraries

AT = datetime(2023, 8, 23, 15, 59, 24, tzinfo=UTC)
GOOD: Mapping[str, str] = {
    "enterprises": "统一社会信用代码,名称,行政区划,信用风险分类\n"
    "91420704000000000L,甲食品有限公司,420704,A\n"
    "91420704000000001P,乙食品有限公司,420703,D\n",
    "inspectors": "人员编号,姓名,部门,执法证号\np1,张三,amr,L1\np2,李四,amr,L2\np3,王五,fire,L3\n",
    "items": "事项编号,抽查事项,部门,法律依据\ni01,食品生产,amr,食品安全法第一百一十条\ni02,消防,fire,消防法第五十三条\n",
}


def _task(**changes: Any) -> Task:
    fields: dict[str, Any] = {
        "id": "t01",
        "name": "食品",
        "name_en": "food",
        "department": "amr",
        "mode": "own",
        "lead": None,
        "items": ("i01",),
        "scope": Scope(),
        "operator": "floor",
        "ratios": {"A": Fraction(1, 100)},
        "budget": None,
        "frequency": 1,
        "strata_by": ("class",),
        "group_by": "task",
        "control": "one-way",
    }
    return Task(**fields | changes)


def _plan(**changes: Any) -> Plan:
    fields: dict[str, Any] = {
        "id": "2023-09",
        "authority": "ezhou",
        "authority_name": "鄂州市",
        "authority_name_en": "Ezhou",
        "number": 1,
        "year": 2023,
        "timezone": "Asia/Shanghai",
        "language": "zh",
        "period": (date(2023, 9, 1), date(2023, 9, 30)),
        "months_left": 4,
        "suite": "sha256",
        "disclosure": "open",
        "classes_public": None,
        "enterprise_ids": "uscc",
        "classes": ("A", "B", "C", "D"),
        "districts": (Named("420703", "华容区", "Huarong"), Named("420704", "鄂城区", "Echeng")),
        "departments": (
            Department("amr", "市场监督管理局", "Market Regulation", ((), ())),
            Department("fire", "消防救援支队", "Fire Service", ((), ())),
        ),
        "tasks": (_task(),),
        "rounding": "up",
        "calendar": "lottery",
        "working_days": "cn",
        "extra_days": (),
        "closed_days": (),
        "cross_district": False,
        "cross_district_basis": None,
        "rotation": True,
        "embargo": "none",
        "undated": "list",
        "substitution": "fresh",
        "visit_limit": None,
        "caps": Caps(2, 20, None),
        "relief": (),
        "beacon": Beacon("local", "none", "0", AT),
        "contributions": (),
        "auditor": None,
        "deadlines": Deadlines(AT, AT, AT),
        "libraries": {},
    }
    return Plan(**fields | changes)


@pytest.fixture
def plan() -> Callable[..., Plan]:
    """Return the maker of a plan; keywords replace fields."""
    return _plan


@pytest.fixture
def task() -> Callable[..., Task]:
    """Return the maker of a task; keywords replace fields."""
    return _task


@pytest.fixture
def source() -> Callable[..., LibrarySource]:
    """Return the maker of a library source that finds the file by its name unless told otherwise."""

    def make(file: str, **changes: Any) -> LibrarySource:
        fields: dict[str, Any] = {"sheet": None, "encoding": None, "columns": {}, "values": {}}
        return LibrarySource(file, **fields | changes)

    return make


@pytest.fixture
def read(tmp_path: Path) -> Callable[..., ReadResult]:
    """Return a reader of the good campaign in which the files given replace others (None removes one)."""

    def run(files: Mapping[str, str | bytes | None] | None = None, plan: Plan | None = None) -> ReadResult:
        folder = Path(tempfile.mkdtemp(dir=tmp_path))
        changed = {} if files is None else dict(files)
        named = {name.partition(".")[0] for name in changed}
        contents: dict[str, str | bytes | None] = {
            f"{kind}.csv": text for kind, text in GOOD.items() if kind not in named
        }
        for name, content in (contents | changed).items():
            if content is not None:
                data = content.encode() if isinstance(content, str) else content
                (folder / (name if "." in name else f"{name}.csv")).write_bytes(data)
        return read_libraries(folder, plan or _plan())

    return run
