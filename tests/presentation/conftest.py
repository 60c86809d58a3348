"""Small hand-made draws, written from docs/protocol.md, not by the engine: what the page and the exports are shown."""

from collections.abc import Callable
from datetime import UTC, date, datetime
from fractions import Fraction
from typing import Any

import pytest

from dualrandom.canonical import canonical
from dualrandom.exports import ExportView
from dualrandom.hashing import hash_hex
from dualrandom.policy.plan import Beacon, Caps, Deadlines, Department, Named, Plan, Scope, Task
from dualrandom.registry.models import Enterprise, Inspector, Item, Libraries
from dualrandom.ticket import Tickets

SEED = hash_hex(b"seed")
ROUND = "2023-08-23T16:49:24Z"
FIRMS = ("91420704MA0000017E", "91420704MA0000025A", "91420704MA00000336", "91420704MA00000412")
DATES = ("2023-09-04", "2023-09-05", "2023-09-04", None)
PEOPLE = {"amr": ("a1", "a2", "a3"), "fire": ("f1", "f2")}
NAMES = {"a1": "张伟", "a2": "王芳", "a3": "李娜", "f1": "刘洋", "f2": "陈静"}

Files = dict[str, bytes]
Change = Callable[[dict[str, dict[str, Any]]], None]


def documents(disclosure: str = "open", embargo: str = "none") -> dict[str, dict[str, Any]]:
    """All documents of a draw by file name, as values. Four firms; the last one has no date."""
    is_open = disclosure == "open"
    roster = {p: p if is_open else f"r{p}" for people in PEOPLE.values() for p in people}
    visits = []
    for number, (firm, day) in enumerate(zip(FIRMS, DATES, strict=True)):
        tasks = ["t1", "t2"] if number != 1 else ["t1"]
        crews = [
            {
                "barred": [roster["a3"]] if number == 0 else [],
                "department": "amr",
                "seats": [roster["a1"], roster["a2"]],
            }
        ]
        if "t2" in tasks:
            crews.append({"barred": [], "department": "fire", "seats": [roster["f1"], roster["f2"]]})
        visits.append(
            {
                "checks": [{"items": ["i1", "i2"] if t == "t1" else ["i3"], "task": t} for t in tasks],
                "crews": crews if day else [],
                "date": day,
                "district": "420704" if number % 2 else "420702",
                "enterprise": firm,
                "part": 1,
            }
        )
    announcement: dict[str, Any] = {
        "auditor": None if is_open else {"key": "A" * 43 + "=", "name": "市审计局"},
        "authority": "ezhou",
        "beacon": {
            "kind": "drand",
            "round": "1000",
            "source": "52db9ba70e0cc0f6eaf7803dd07447a1f5477735fd3f661792ba94600c84e971",
            "time": ROUND,
        },
        "contributions": [{"commitment": "c" * 64, "key": "k", "party": "amr", "signature": "s"}],
        "crews": [
            {"department": "amr", "seats": [["leader"], []]},
            {"department": "fire", "seats": [["leader", "fire-safety"], []]},
        ],
        "days": ["2023-09-04", "2023-09-05"],
        "deadlines": {"findings": "2023-10-31T16:00:00Z", "result": "2023-08-30T16:00:00Z", "reveal": ROUND},
        "disclosure": disclosure,
        "draw": "ezhou-2023-000007",
        "enterprise_ids": "uscc",
        "lists": {
            name: {"root": hash_hex(name.encode()), "size": 40} for name in ("frame", "recusals", "roster")
        },
        "period": {"end": "2023-09-30", "start": "2023-09-01"},
        "plan": "2023-09",
        "policy": {
            "calendar": "lottery",
            "cross_district": False,
            "embargo": embargo,
            "relief": [],
            "substitution": "fresh",
            "undated": "list",
            "visit_limit": {"checks": 20, "departments": 4, "hours": "8/1"},
        },
        "profiles": [{"id": "p0001", "strata": {"t1": "A", "t2": "all"}}] if is_open else None,
        "rates": [{"greatest": "1/10", "least": "1/20", "small": [] if is_open else 0, "task": "t1"}],
        "software": {"name": "dualrandom", "version": "0.1.0"},
        "suite": "sha256",
        "tasks": [
            _task("t1", "amr", "own", None, ["i1", "i2"], is_open),
            _task("t2", "fire", "follows", "t1", ["i3"], is_open),
        ],
        "timezone": "Asia/Shanghai",
        "type": "dualrandom/v1/announcement",
        "voids": [],
    }
    if not is_open:
        announcement["lists"]["strata"] = {"root": hash_hex(b"strata"), "size": 2}
    tickets = Tickets(SEED)
    ranked = sorted(FIRMS, key=lambda firm: tickets.raw("enterprise", firm))
    cutoff = tickets.hex("enterprise", ranked[-1])
    shown = ("checks", "district", "enterprise", "part")
    visible: Any = visits
    if embargo == "crews":
        visible = [{key: visit[key] for key in shown} for visit in visits]
    elif embargo == "visits":
        visible = None
    selection = [
        {
            "selected": ranked if is_open else sorted(FIRMS),
            "strata": [{"cutoff": cutoff, "id": "A", "n": 4}] if is_open and task == "t1" else None,
            "task": task,
            "tickets": None,
        }
        for task in ("t1", "t2")
    ]
    digest = hash_hex(canonical(announcement))
    common = {"announcement": digest, "draw": "ezhou-2023-000007"}
    return {
        "announcement.json": announcement,
        "beacon.json": {
            "keystring": None,
            "kind": "drand",
            "randomness": "fe" * 32,
            "round": "1000",
            "signature": "ab" * 48,
            "source": announcement["beacon"]["source"],
            "type": "dualrandom/v1/beacon",
        },
        "result.json": {
            **common,
            "attempt": 0,
            "cutoffs": None,
            "embargoed": None if embargo == "none" else {"root": "e" * 64, "size": 5},
            "prices": [],
            "relief": [],
            "seed": SEED,
            "selection": None if embargo == "visits" else selection,
            "totals": {"checks": 11, "cost": "12", "crews": 5, "undated": 1, "visits": 4},
            "type": "dualrandom/v1/result",
            "visits": visible,
        },
        "statistics.json": {
            **common,
            "excluded": [{"count": 2, "reason": "annual-cap"}] if is_open else None,
            "flags": [{"code": "small-frame", "task": "t2", "value": "6"}],
            "frame": {
                "districts": [{"count": 30, "district": "420702"}, {"count": 10, "district": "420704"}],
                "size": 40,
            },
            "load": {"greatest": 3, "least": 0, "median": 2},
            "overlap": {"alone": 7, "independent": "5.500000", "least_possible": "4.000000", "visited": 4},
            "sample": [{"count": 2, "district": "420702"}, {"count": 2, "district": "420704"}],
            "tasks": [
                {"expected": "4/1", "selected": 4, "task": "t1"},
                {"expected": None, "selected": 3, "task": "t2"},
            ],
            "type": "dualrandom/v1/statistics",
            "undated": [{"enterprise": FIRMS[3], "part": 1, "reason": "no-seatable-day"}],
            "workload": [
                {"crews": 3, "days": 2, "inspector": roster["a1"]},
                {"crews": 3, "days": 2, "inspector": roster["a2"]},
                {"crews": 0, "days": 0, "inspector": roster["a3"]},
            ],
        },
        "labels.json": {
            "announcement": digest,
            "authority": {"en": "Ezhou Administration for Market Regulation", "zh": "鄂州市市场监督管理局"},
            "departments": {
                "amr": {"en": "Market regulation", "zh": "市场监管局"},
                "fire": {"en": "Fire", "zh": "消防救援支队"},
            },
            "districts": {
                "420702": {"en": "Liangzihu", "zh": "梁子湖区"},
                "420704": {"en": "Echeng", "zh": "鄂城区"},
            },
            "enterprises": {firm: {"en": _firm(n), "zh": _firm(n)} for n, firm in enumerate(FIRMS)},
            "inspectors": {p: {"en": n, "zh": n} for p, n in NAMES.items()} if is_open else {},
            "items": {
                "i1": {"basis": "企业信息公示暂行条例", "en": "Publicity information", "zh": "公示信息检查"},
                "i2": {"basis": "市场主体登记管理条例", "en": "Registration", "zh": "登记事项检查"},
                "i3": {"basis": "消防法", "en": "Fire safety", "zh": "消防安全检查"},
            },
            "rehearsal": False,
            "tasks": {
                "t1": {"en": "Publicity and registration", "zh": "公示与登记检查"},
                "t2": {"en": "Fire", "zh": "消防检查"},
            },
            "type": "dualrandom/v1/labels",
        },
        "findings.json": {
            **common,
            "findings": [
                _finding("i1", "1", 1, None),
                _finding("i2", "6", 1, None),
                _finding("i2", "1", 2, "登记地址录入有误"),
            ],
            "type": "dualrandom/v1/findings",
        },
        "opened": {"visits": visits},
    }


def _firm(number: int) -> str:
    return f"鄂州市示范{'甲乙丙丁'[number]}有限公司"


def _task(
    task: str, department: str, mode: str, lead: str | None, items: list[str], is_open: bool
) -> dict[str, Any]:
    own = mode == "own"
    strata = [{"expected": "4/1", "group": "all", "id": "A", "size": 40}] if own and is_open else None
    return {
        "control": "one-way",
        "department": department,
        "id": task,
        "items": [{"hours": "1/1", "id": item, "marks": []} for item in items],
        "lead": lead,
        "mode": mode,
        "strata": strata,
        "total": "4/1" if own else None,
    }


def _finding(item: str, code: str, revision: int, reason: str | None) -> dict[str, Any]:
    return {
        "code": code,
        "date": "2023-09-04",
        "enterprise": FIRMS[0],
        "item": item,
        "method": "on-site",
        "part": 1,
        "reason": reason,
        "revision": revision,
        "task": "t1",
    }


@pytest.fixture
def draw() -> Callable[..., Files]:
    """Return a function that makes the published files; ``only`` keeps some, ``change`` alters the values before."""

    def make(
        disclosure: str = "open",
        embargo: str = "none",
        only: tuple[str, ...] | None = None,
        change: Change | None = None,
    ) -> Files:
        values = documents(disclosure, embargo)
        if change is not None:
            change(values)
        opened = values.pop("opened")["visits"]
        files = {name: canonical(value) for name, value in values.items() if only is None or name in only}
        if disclosure == "open":
            row = {"detail": {"closed": [], "district": "420702", "profile": "p0001"}}
            files["frame.jsonl"] = b"".join(canonical({**row, "id": firm}) + b"\n" for firm in FIRMS)
        if "result.json" in files:
            files["seed.txt"] = b"dualrandom/v1/seed\nannouncement " + b"0" * 64 + b"\n"
            if embargo != "none":
                opening = {"hidden": opened[0], "id": "v00001", "list": "visits", "salt": "a" * 64}
                files["openings.jsonl"] = canonical(opening) + b"\n"
        return files

    return make


@pytest.fixture
def view() -> Callable[..., ExportView]:
    """Return a function that makes the view for exports; arguments replace names of things."""

    def make(
        firm: str | None = None, language: Any = "zh", address: str = "鄂州市鄂城区示范路 1 号"
    ) -> ExportView:
        values = documents("sealed")
        return ExportView(
            plan=_plan(language),
            libraries=_libraries(firm, address),
            announcement=values["announcement.json"],
            result=values["result.json"],
            person_of={f"r{p}": p for p in NAMES},
            statistics=values["statistics.json"],
            seed=SEED,
        )

    return make


def _libraries(firm: str | None, address: str) -> Libraries:
    enterprises = tuple(
        Enterprise(i, firm or _firm(n), "420702", "B", "enterprise", "", "", address, ())
        for n, i in enumerate(FIRMS)
    )
    inspectors = tuple(
        Inspector(p, NAMES[p], department, (), (), f"鄂G-{p}", None, (), None, None)
        for department, people in PEOPLE.items()
        for p in people
    )
    items = tuple(
        Item(i, zh, en, department, basis, "general", (), Fraction(1), None, None)
        for i, zh, en, department, basis in (
            ("i1", "公示信息检查", "Publicity information", "amr", "企业信息公示暂行条例"),
            ("i2", "登记事项检查", "Registration", "amr", "市场主体登记管理条例"),
            ("i3", "消防安全检查", "Fire safety", "fire", "消防法"),
        )
    )
    return Libraries(enterprises, inspectors, items, (), ())


def _plan(language: Any) -> Plan:
    due = datetime(2023, 8, 23, 16, 49, 24, tzinfo=UTC)

    def task(
        task: str, name: str, name_en: str, department: str, items: tuple[str, ...], scope: Scope
    ) -> Task:
        own = task == "t1"
        ratios = {"B": Fraction(1, 10)} if own else None
        mode: Any = "own" if own else "follows"
        lead = None if own else "t1"
        return Task(
            task,
            name,
            name_en,
            department,
            mode,
            lead,
            items,
            scope,
            "floor",
            ratios,
            None,
            1,
            ("class",),
            "task",
            "one-way",
        )

    return Plan(
        id="2023-09",
        authority="ezhou",
        authority_name="鄂州市市场监督管理局",
        authority_name_en="Ezhou Administration for Market Regulation",
        number=7,
        year=2023,
        timezone="Asia/Shanghai",
        language=language,
        period=(date(2023, 9, 1), date(2023, 9, 30)),
        months_left=4,
        suite="sha256",
        disclosure="sealed",
        classes_public=None,
        enterprise_ids="uscc",
        classes=("A", "B", "C", "D"),
        districts=(Named("420702", "梁子湖区", "Liangzihu"), Named("420704", "鄂城区", "Echeng")),
        departments=(
            Department("amr", "市场监管局", "Market regulation", (("leader",), ())),
            Department("fire", "消防救援支队", "Fire", (("leader",), ())),
        ),
        tasks=(
            task("t1", "公示与登记检查", "Publicity and registration", "amr", ("i1", "i2"), Scope()),
            task("t2", "消防检查", "Fire", "fire", ("i3",), Scope(districts=("420702",))),
        ),
        rounding="up",
        calendar="lottery",
        working_days="cn",
        extra_days=(),
        closed_days=(),
        cross_district=False,
        cross_district_basis=None,
        rotation=True,
        embargo="none",
        undated="list",
        substitution="fresh",
        visit_limit=None,
        caps=Caps(2, 20, 4),
        relief=(),
        beacon=Beacon("drand", "52db", "1000", due),
        contributions=(),
        auditor=None,
        deadlines=Deadlines(due, due, due),
        libraries={},
    )
