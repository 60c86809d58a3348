"""A first plan from spreadsheets: what occurs in them becomes departments, districts, classes and tasks."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Literal
from zoneinfo import ZoneInfo

from dualrandom.errors import InputError, Language
from dualrandom.policy.plan import (
    Auditor,
    Caps,
    Department,
    LibrarySource,
    Named,
    Plan,
    Scope,
    Task,
    VisitLimit,
)
from dualrandom.policy.source import Text
from dualrandom.policy.values import FILL_IN, FILL_IN_ID, ID
from dualrandom.policy.writer import write_plan
from dualrandom.registry.columns import KINDS, Kind
from dualrandom.registry.reader import read_libraries
from dualrandom.registry.uscc import is_uscc
from dualrandom.scaffold.folder import Created, write_campaign
from dualrandom.scaffold.occurrences import Sheet, find_sheets
from dualrandom.scaffold.timing import following_month, next_dates

DAYS_AHEAD = 7
TIMEZONE = "Asia/Shanghai"
USUAL_CLASSES = ("A", "B", "C", "D")
USUAL_RATIOS = {"A": Fraction(1, 100), "B": Fraction(2, 100), "C": Fraction(10, 100), "D": Fraction(30, 100)}
"""One provincial draw of 2021; there are no national numbers."""
SAME_RATIO = Fraction(5, 100)
"""For classes of other names, whose order by risk nobody can guess."""
_WORDS = (
    ("市场监", "amr"), ("消防", "fire"), ("卫生健康", "health"), ("卫健", "health"), ("生态环境", "ecology"),
    ("教育", "education"), ("城市管理", "urban"), ("城管", "urban"), ("农业", "agriculture"), ("交通", "transport"),
    ("文化", "culture"), ("应急", "emergency"), ("住房", "housing"), ("住建", "housing"), ("税务", "tax"),
    ("人力资源", "labour"), ("人社", "labour"), ("公安", "police"), ("商务", "commerce"), ("粮食", "grain"),
)  # fmt: skip


def new_from_files(
    folder: Path,
    files: Sequence[Path],
    *,
    now: datetime,
    days_ahead: int = DAYS_AHEAD,
    language: Language = "zh",
) -> Created:
    """Make ``folder`` with copies of ``files`` and a commented ``plan.toml`` for the next month.

    ``now`` is aware. A workbook may hold several libraries, one a sheet. What only a person can say stands in the plan as
    a placeholder, which the plan's reader refuses. Raises ``InputError`` with all problems of the files,
    ``DualRandomError`` if something is in the way.
    """
    sheets, problems = find_sheets(files)
    if any(found.severity == "error" for found in problems):
        raise InputError(problems)
    sources: dict[str, LibrarySource] = {}
    copies: dict[str, bytes] = {}
    names: dict[str, str] = {}
    for kind, sheet in sheets.items():
        names[kind] = f"{kind}{sheet.path.suffix.lower()}" if sheet.alone else sheet.path.name
        copies[names[kind]] = sheet.path.read_bytes()
        if not sheet.alone:
            sources[kind] = LibrarySource(names[kind], sheet.name, None, {}, {})
    plan, remarks = draft(sheets, sources, now, days_ahead, language)
    write_campaign(folder, copies, write_plan(plan, remarks))
    read = read_libraries(folder, plan)
    to_fill = tuple(key for key, text in remarks.items() if text == _TO_FILL)
    return Created(
        folder,
        plan,
        {kind: names[kind] for kind in KINDS if kind in names},
        to_fill,
        (*problems, *read.problems),
    )


_PLACEHOLDER_AUTHORITY = f"{FILL_IN}：发布公告的机关 · the authority that announces"
_PLACEHOLDER_AUDITOR = f"{FILL_IN}：持有开启密钥的审计方 · the auditor who can open what is sealed"
_TO_FILL: Text = ("★ 请填写", "★ fill this in")


def draft(
    sheets: Mapping[Kind, Sheet],
    sources: Mapping[str, LibrarySource],
    now: datetime,
    days_ahead: int,
    language: Literal["zh", "en"],
) -> tuple[Plan, dict[str, Text]]:
    """Return a plan for what occurs in the libraries, and remarks for the person who completes it."""
    zone = ZoneInfo(TIMEZONE)
    dates = next_dates(now, days_ahead, zone, "cn", following_month(now.astimezone(zone).date()))
    remarks: dict[str, Text] = {
        "plan.authority": _TO_FILL,
        "plan.authority_name": _TO_FILL,
        "auditor.name": _TO_FILL,
        "plan.number": (
            "若本年度已有抽取，改为上一次的序号加 1",
            "if there were draws this year already: the last one's number plus 1",
        ),
        **dates.remarks,
    }
    departments = _departments(sheets, remarks)
    classes, class_values = _classes(sheets["enterprises"])
    enterprises = dict(sources)
    if class_values:
        sheet = sheets["enterprises"]
        file = f"enterprises{sheet.path.suffix.lower()}" if sheet.alone else sheet.path.name
        enterprises["enterprises"] = LibrarySource(
            file, None if sheet.alone else sheet.name, None, {}, {"credit_class": class_values}
        )
        remarks["plan.classes"] = (
            "请按风险由低到高排列："
            + "、".join(f"{ours} = {theirs}" for theirs, ours in class_values.items()),
            "Put them in order from low to high risk; values maps the file's words to them",
        )
    ids = [text for text in sheets["enterprises"].column("id") if text]
    plan = Plan(
        id=f"{dates.period[0]:%Y-%m}",
        authority=FILL_IN_ID,
        authority_name=_PLACEHOLDER_AUTHORITY,
        authority_name_en=_PLACEHOLDER_AUTHORITY,
        number=1,
        year=dates.period[0].year,
        timezone=TIMEZONE,
        language=language,
        period=dates.period,
        months_left=13 - dates.period[0].month,
        suite="sha256",
        disclosure="sealed",
        classes_public=None,
        enterprise_ids="uscc" if sum(map(is_uscc, ids)) * 2 >= len(ids) else "free",
        classes=classes,
        districts=_districts(sheets["enterprises"], remarks),
        departments=tuple(sorted(departments.values(), key=lambda each: each.id)),
        tasks=_tasks(sheets["items"], departments, classes, remarks),
        rounding="up",
        calendar="lottery",
        working_days=dates.working,
        extra_days=(),
        closed_days=(),
        cross_district=False,
        cross_district_basis=None,
        rotation=True,
        embargo="none",
        undated="list",
        substitution="fresh",
        visit_limit=VisitLimit(4, 20, Fraction(8)),
        caps=Caps(2, 20, 4),
        relief=(),
        beacon=dates.beacon,
        contributions=(),
        auditor=Auditor(_PLACEHOLDER_AUDITOR, None),
        deadlines=dates.deadlines,
        libraries=enterprises,
    )
    return plan, remarks


def _distinct(texts: Iterable[str]) -> list[str]:
    """Return the different texts, most frequent spelling of each first; width and case do not tell them apart."""
    spellings: dict[str, Counter[str]] = defaultdict(Counter)
    for text in texts:
        if text:
            spellings[text.casefold()][text] += 1
    return [spellings[key].most_common(1)[0][0] for key in sorted(spellings)]


def _ids(texts: Sequence[str], prefix: str, words: Sequence[tuple[str, str]] = ()) -> dict[str, str]:
    """Give every text an id: itself where it is one, else a well-known word, else a number."""
    ids = {text: text for text in texts if ID.fullmatch(text)}
    used = {name.lower() for name in ids.values()}
    for number, text in enumerate((text for text in texts if text not in ids), 1):
        word = next((short for part, short in words if part in text), "")
        name = word if word and word not in used else f"{prefix}{number:02}"
        while name in used:
            name += "x"
        ids[text] = name
        used.add(name)
    return ids


def _departments(sheets: Mapping[Kind, Sheet], remarks: dict[str, Text]) -> dict[str, Department]:
    """Return each department by the text that the files use; without a leader among its people, all seats are open."""
    naming: tuple[Kind, ...] = ("items", "inspectors", "visits")
    texts = _distinct(text for kind in naming if kind in sheets for text in sheets[kind].column("department"))
    ids = _ids(texts, "d", _WORDS)
    people = sheets["inspectors"]
    leaders: Counter[str] = Counter()
    staff: Counter[str] = Counter()
    for text, marks in zip(people.column("department"), people.values("marks"), strict=True):
        staff[text.casefold()] += 1
        leaders[text.casefold()] += isinstance(marks, tuple) and "leader" in marks
    departments: dict[str, Department] = {}
    for text in texts:
        led = leaders[text.casefold()] > 0
        departments[text.casefold()] = Department(
            ids[text], text, text, (("leader",), ()) if led else ((), ())
        )
        count = staff[text.casefold()]
        if count < 2:
            remarks[f"departments.{ids[text]}"] = (
                f"检查人员只有 {count} 名，检查组至少两人",
                f"has {count} inspector(s); a crew needs two",
            )
        elif not led:
            remarks[f"departments.{ids[text]}"] = (
                '名录中没有组长（leader）；如有，改为 seats = [["leader"], []]',
                'nobody here has the mark leader; if somebody should: seats = [["leader"], []]',
            )
    return departments


def _districts(enterprises: Sheet, remarks: dict[str, Text]) -> tuple[Named, ...]:
    texts = _distinct(enterprises.column("district"))
    ids = _ids(texts, "q")
    if any(ids[text] == text for text in texts):
        remarks["districts"] = ("name 改为区划名称", "write the districts' names into name")
    return tuple(sorted((Named(ids[text], text, text) for text in texts), key=lambda each: each.id))


def _classes(enterprises: Sheet) -> tuple[tuple[str, ...], dict[str, str]]:
    """Return the classes, and the file's words for them where these are no ids."""
    texts = _distinct(text.rstrip("类级") or text for text in enterprises.column("credit_class"))
    if set(texts) <= set(USUAL_CLASSES):
        return USUAL_CLASSES, {}
    if all(ID.fullmatch(text) for text in texts):
        return tuple(texts), {}
    written = _distinct(enterprises.column("credit_class"))
    ids = _ids(written, "c")
    return tuple(ids[text] for text in written), {text: name for text, name in ids.items() if text != name}


def _tasks(
    items: Sheet, departments: Mapping[str, Department], classes: Sequence[str], remarks: dict[str, Text]
) -> tuple[Task, ...]:
    """One undirected task a department, with all its items."""
    of: dict[str, list[str]] = defaultdict(list)
    for item, text in zip(items.values("id"), items.column("department"), strict=True):
        if isinstance(item, str) and text:
            of[departments[text.casefold()].id].append(item)
    ratios = USUAL_RATIOS if set(classes) <= set(USUAL_CLASSES) else dict.fromkeys(classes, SAME_RATIO)
    by_id = {department.id: department for department in departments.values()}
    tasks: list[Task] = []
    for name in sorted(of):
        task = f"{name}-1" if len(name) <= 60 else name
        remarks[f"tasks.{task}"] = (
            "按事项清单核对年度比例与方式（floor 不低于 / ceiling 不高于 / exact 等于）、范围和事项，可拆成多个任务",
            "check ratios, operator, scope and items against the published list; split it into several tasks if need be",
        )
        tasks.append(
            Task(
                id=task,
                name=f"{by_id[name].name}双随机抽查",
                name_en=f"{by_id[name].name}双随机抽查",
                department=name,
                mode="own",
                lead=None,
                items=tuple(sorted(set(of[name]))),
                scope=Scope(),
                operator="floor",
                ratios=ratios,
                budget=None,
                frequency=1,
                strata_by=("class",),
                group_by="task",
                control="one-way",
            )
        )
    return tuple(tasks)
