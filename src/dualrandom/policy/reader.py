"""Read ``plan.toml`` (docs/plan.md): all mistakes at once, each with its key, line and remedy."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from types import MappingProxyType
from typing import Any

from dualrandom.calendar import Notices, load_notice
from dualrandom.errors import InputError, Problem
from dualrandom.policy import moments, rules, tasks
from dualrandom.policy.citing import cite_policies
from dualrandom.policy.documents import Policy, policies_in, shipped_policies
from dualrandom.policy.layout import LAYOUT, LIBRARIES, read_table
from dualrandom.policy.plan import (
    Auditor,
    Beacon,
    Budget,
    Caps,
    Contribution,
    Deadlines,
    Department,
    Exemption,
    LibrarySource,
    Named,
    Plan,
    PublicLog,
    Scope,
    Task,
    VisitLimit,
)
from dualrandom.policy.source import Faults, Text, lines_of
from dualrandom.toml_text import read_toml

POLICIES = "policies"
"""Folder beside the plan with the campaign's own policies."""
WORKING_DAYS = "working-days.toml"
"""File beside the plan with notices of working days that this release does not know."""
LARGEST_PLAN = 4 * 2**20
"""Bytes; a plan of a city has some 20 KB."""
_WIDE = "“”‘’，＝｛｝［］：；\u3000"  # noqa: RUF001
_AT = re.compile(r" \(at (?:line (\d+), column (\d+)|end of document)\)$")


@dataclass(frozen=True, slots=True)
class PlanResult:
    """The plan, None if there is an error, and everything that was noticed, by line."""

    plan: Plan | None
    problems: tuple[Problem, ...]


def read_plan(path: Path) -> PlanResult:
    """Read and check the plan at ``path``. Never raises for bad input: no file is a problem as well."""
    try:
        content = path.read_bytes()
    except OSError as failure:
        return _refused(
            path.name,
            "plan-unreadable",
            (f"无法读取计划：{failure.strerror}", f"the plan cannot be read: {failure.strerror}"),
            (
                "用 dualrandom new 新建计划，或检查路径与权限",
                "Make a plan with dualrandom new, or check the path and its permissions",
            ),
        )
    own, problems = policies_in(path.parent / POLICIES)
    notices, faults = _notices(path.parent / WORKING_DAYS)
    problems = (*problems, *faults)
    result = parse_plan(content, path.name, own, notices)
    broken = any(problem.severity == "error" for problem in problems)
    return PlanResult(None if broken else result.plan, (*result.problems, *problems))


def _notices(path: Path) -> tuple[Notices | None, tuple[Problem, ...]]:
    """Read the campaign's own notices of working days, if there are any."""
    if not path.is_file():
        return None, ()
    try:
        return load_notice(path), ()
    except InputError as refused:
        return None, refused.problems


def parse_plan(
    content: bytes,
    file: str = "plan.toml",
    policies: Mapping[str, Policy] = MappingProxyType({}),
    notices: Notices | None = None,
) -> PlanResult:
    """Check a plan given as bytes; ``file`` is its name in the problems, ``policies`` are the campaign's own by id (they
    prevail over shipped ones of the same id), ``notices`` the working days to count with (None: the shipped ones)."""
    if len(content) > LARGEST_PLAN:
        return _refused(
            file,
            "plan-unreadable",
            (f"文件过大（{len(content)} 字节）", f"the file is too large ({len(content)} bytes)"),
            ("确认这是 plan.toml，而不是名录文件", "Make sure that this is plan.toml and not a library"),
        )
    try:
        text = content.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as failure:
        return _refused(
            file,
            "plan-encoding",
            ("不是 UTF-8 编码", "is not in UTF-8"),
            ("用编辑器另存为 UTF-8 编码", "Save it as UTF-8 in your editor"),
            row=content[: failure.start].count(b"\n") + 1,
        )
    try:
        raw = read_toml(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as failure:
        return _not_toml(file, text, str(failure))
    faults = Faults(file, lines_of(text))
    parsed = read_table(faults, (), raw, LAYOUT)
    assert parsed is not None
    # follow-up checks look into raw tables, so they need those to be tables
    shaped = {key: value for key, value in raw.items() if _has_shape(key, value)}
    rules.check_ids(faults, parsed)
    rules.check_disclosure(faults, parsed, shaped)
    rules.check_policy(faults, parsed, shaped)
    rules.check_contributions(faults, parsed, shaped)
    cite_policies(faults, parsed, {**shipped_policies(), **policies})
    tasks.check_tasks(faults, parsed, shaped)
    rules.check_exemptions(faults, parsed)
    rules.check_libraries(faults, parsed)
    zone = moments.zone_of(faults, (parsed["plan"] or {}).get("timezone"))
    period = moments.period_of(faults, parsed["plan"]) if parsed["plan"] else None
    beacon = moments.beacon_of(faults, parsed["beacon"], shaped.get("beacon"))
    deadlines = moments.deadlines_of(faults, parsed, beacon, period, zone, notices)
    moments.check_days(faults, parsed["days"], period, beacon, zone, notices)
    if faults.refused:
        return PlanResult(None, faults.all)
    assert beacon is not None
    assert deadlines is not None
    return PlanResult(_plan(parsed, beacon, deadlines, notices), faults.all)


def _has_shape(key: str, value: object) -> bool:
    if key in ("tasks", "departments", "districts", "contributions", "exemptions"):
        return isinstance(value, list)
    return isinstance(value, dict)


def _plan(parsed: Mapping[str, Any], beacon: Beacon, deadlines: Deadlines, notices: Notices | None) -> Plan:
    head, days, policy = parsed["plan"], parsed["days"], parsed["policy"]
    period = (head["period"]["start"], head["period"]["end"])
    return Plan(
        id=head["id"],
        authority=head["authority"],
        authority_name=head["authority_name"],
        authority_name_en=head["authority_name_en"] or head["authority_name"],
        number=head["number"],
        year=period[0].year,
        timezone=head["timezone"],
        language=head["language"],
        period=period,
        months_left=head["months_left"] or 13 - period[0].month,
        suite=head["suite"],
        disclosure=head["disclosure"],
        classes_public=head["classes_public"],
        enterprise_ids=head["enterprise_ids"],
        classes=head["classes"],
        districts=tuple(
            sorted((Named(**_named(row)) for row in parsed["districts"]), key=lambda row: row.id)
        ),
        departments=tuple(
            sorted((Department(**_named(row)) for row in parsed["departments"]), key=lambda row: row.id)
        ),
        tasks=tuple(sorted((_task(row) for row in parsed["tasks"]), key=lambda row: row.id)),
        rounding=head["rounding"],
        calendar=policy["calendar"],
        working_days=days["working"],
        extra_days=days["extra"],
        closed_days=days["closed"],
        cross_district=policy["cross_district"],
        cross_district_basis=policy["cross_district_basis"],
        rotation=policy["rotation"],
        mask_individuals=policy["mask_individuals"],
        embargo=policy["embargo"],
        undated=policy["undated"],
        substitution=policy["substitution"],
        visit_limit=VisitLimit(**policy["visit_limit"]) if policy["visit_limit"] else None,
        caps=Caps(**parsed["caps"]),
        relief=policy["relief"],
        beacon=beacon,
        contributions=tuple(
            sorted((Contribution(**row) for row in parsed["contributions"]), key=lambda row: row.party)
        ),
        auditor=Auditor(**parsed["auditor"]) if parsed["auditor"] else None,
        deadlines=deadlines,
        libraries={
            kind: LibrarySource(**parsed["libraries"][kind])
            for kind in LIBRARIES
            if parsed["libraries"][kind] is not None
        },
        policies=head["policies"],
        exemptions=tuple(
            sorted(
                (Exemption(**row) for row in parsed["exemptions"]),
                key=lambda one: (one.enterprise, one.task or ""),
            )
        ),
        notices=notices,
        log=PublicLog(**parsed["log"]) if parsed["log"] else None,
    )


def _named(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row, "name_en": row["name_en"] or row["name"]}


def _task(row: Mapping[str, Any]) -> Task:
    budget = Budget(**row["budget"]) if row["budget"] else None
    return Task(**{**_named(row), "scope": Scope(**row["scope"]), "budget": budget})


def _not_toml(file: str, text: str, failure: str) -> PlanResult:
    """Explain a syntax error; most come from Chinese punctuation or from Windows paths in double quotes."""
    at = _AT.search(failure)
    row = int(at[1]) if at and at[1] else text.count("\n") + 1
    line = text.split("\n")[row - 1] if row <= text.count("\n") + 1 else ""
    wide = sorted(set(line) & set(_WIDE))
    reason = _AT.sub("", failure)
    remedy = (
        "更正该行；字符串用英文引号，列表用英文逗号",
        "Correct this line; texts stand in quotes, lists have commas",
    )
    if wide:
        remedy = (
            f"该行含有全角符号 {''.join(wide)}，改为半角",
            f"This line has full-width characters {''.join(wide)}: replace them by plain ones",
        )
    return _refused(
        file,
        "plan-syntax",
        (f"不是有效的 TOML：{reason}", f"is not valid TOML: {reason}"),
        remedy,
        row=row,
        value=line.strip()[:80],
    )


def _refused(
    file: str, code: str, message: Text, remedy: Text, *, row: int | None = None, value: str = ""
) -> PlanResult:
    problem = Problem(code, file, None, row, None, value, message[0], message[1], remedy[0], remedy[1])
    return PlanResult(None, (problem,))
