"""Small plans and libraries, built in memory, for the tests of the draw itself."""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from dualrandom import campaign
from dualrandom.demo import write_campaign
from dualrandom.policy.plan import (
    Auditor,
    Beacon,
    Caps,
    Deadlines,
    Department,
    Plan,
    Scope,
    Task,
)
from dualrandom.registry.models import Enterprise, Inspector, Item, Libraries, Recusal

START = date(2026, 11, 2)


def task(name: str, department: str, **changes: object) -> Task:
    base = Task(
        id=name,
        name=name,
        name_en=name,
        department=department,
        mode="own",
        lead=None,
        items=(f"{name}-item",),
        scope=Scope(),
        operator="floor",
        ratios={"A": Fraction(1, 10), "B": Fraction(1, 5), "C": Fraction(2, 5), "D": Fraction(1)},
        budget=None,
        frequency=1,
        strata_by=("class",),
        group_by="task",
        control="one-way",
    )
    return replace(base, **changes)  # type: ignore[arg-type]


def plan(**changes: object) -> Plan:
    time = datetime(2026, 10, 30, 8, tzinfo=UTC)
    base = Plan(
        id="2026-11",
        authority="test",
        authority_name="测试局",
        authority_name_en="Test authority",
        number=1,
        year=2026,
        timezone="Asia/Shanghai",
        language="zh",
        period=(START, START + timedelta(days=4)),
        months_left=1,
        suite="sha256",
        disclosure="open",
        classes_public="test",
        enterprise_ids="free",
        classes=("A", "B", "C", "D"),
        districts=(),
        departments=(
            Department("amr", "市监", "AMR", (("leader",), ())),
            Department("fire", "消防", "Fire", ((), ())),
        ),
        tasks=(task("t1", "amr"), task("t2", "fire")),
        rounding="up",
        calendar="lottery",
        working_days="all",
        extra_days=(),
        closed_days=(),
        cross_district=False,
        cross_district_basis=None,
        rotation=True,
        embargo="none",
        undated="list",
        substitution="fresh",
        visit_limit=None,
        caps=Caps(daily=2, total=6, enterprise_annual=None),
        relief=(),
        beacon=Beacon("local", "none", "0", time),
        contributions=(),
        auditor=None,
        deadlines=Deadlines(time, time + timedelta(days=7), time + timedelta(days=60)),
        libraries={},
    )
    made = replace(base, **changes)  # type: ignore[arg-type]
    if made.disclosure == "sealed":
        made = replace(made, classes_public=None, auditor=Auditor("审计局", "A" * 43 + "="))
    return made


def libraries(
    enterprises: int = 40, inspectors: int = 14, seed: int = 1, districts: tuple[str, ...] = ("d1", "d2")
) -> Libraries:
    """A random but fixed registry: ``seed`` decides classes, districts, marks, days off and recusals."""
    dice = random.Random(seed)
    firms = [
        Enterprise(
            id=f"e{number:04d}",
            name=f"企业{number}",
            district=dice.choice(districts),
            credit_class=dice.choice("AABBCD"),
            kind="enterprise",
            industry=dice.choice(("52", "61", "13")),
            category="",
            address="",
            closed=(START,) if dice.random() < 0.1 else (),
        )
        for number in range(enterprises)
    ]
    people = [
        Inspector(
            code=f"x{number:03d}",
            name=f"人员{number}",
            department="amr" if number % 2 else "fire",
            districts=(),
            marks=tuple(mark for mark in ("food", "leader") if dice.random() < 0.6),
            licence=f"L{number}",
            valid_until=None,
            days_off=(START + timedelta(days=dice.randrange(5)),) if dice.random() < 0.3 else (),
            daily=None,
            total=None,
        )
        for number in range(inspectors)
    ]
    pairs = [(dice.choice(people).code, dice.choice(firms).id) for _ in range(enterprises // 8)]
    mates = [tuple(sorted(p.code for p in dice.sample(people, 2))) for _ in range(inspectors // 5)]
    return Libraries(
        enterprises=tuple(firms),
        inspectors=tuple(people),
        items=tuple(
            Item(f"{name}-item", name, name, department, "law", "general", marks, Fraction(1), None, None)
            for name, department, marks in (
                ("t1", "amr", ("food",)),
                ("t2", "fire", ()),
                ("t3", "fire", ()),
                ("t4", "amr", ()),
            )
        ),
        recusals=tuple(Recusal(a, b, "kin") for a, b in dict.fromkeys([*pairs, *mates])),
        visits=(),
    )


@pytest.fixture
def make_task() -> Callable[..., Task]:
    return task


@pytest.fixture
def make_plan() -> Callable[..., Plan]:
    return plan


@pytest.fixture
def make_libraries() -> Callable[..., Libraries]:
    return libraries


@pytest.fixture(scope="session")
def drawn_town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A campaign after its draw; nobody changes this one."""
    folder = tmp_path_factory.mktemp("town") / "campaign"
    write_campaign("town", folder)
    campaign.announce(folder, now=datetime(2023, 8, 1, tzinfo=UTC))
    campaign.draw(folder)
    return folder


@pytest.fixture
def town(drawn_town: Path, tmp_path: Path) -> Path:
    """A fresh copy of a drawn campaign."""
    shutil.copytree(drawn_town, tmp_path / "campaign")
    return tmp_path / "campaign"
