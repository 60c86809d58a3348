"""Write a plan as commented TOML that reads back to the same plan.

What equals its default stands there commented out, so that a person sees it and later edits (of the period, say)
carry it along. Comments are in Chinese and English.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import date, datetime
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

from dualrandom.policy.layout import LIBRARIES, documented
from dualrandom.policy.moments import deadlines_of, zone_of
from dualrandom.policy.plan import Department, LibrarySource, Named, Plan, Task
from dualrandom.policy.precedence import class_ratios
from dualrandom.policy.source import Faults, Text

_BARE = re.compile(r"[A-Za-z0-9_-]+")
_DEFAULTS = {path: value.default for path, value in documented()}
_DEADLINES = ("reveal", "result", "findings")
_ALWAYS = frozenset({"plan.number", "plan.disclosure"})
"""Written even where they equal the default: who reads a plan should see them."""
_HEAD = (
    "抽查计划（双随机、一公开）。各键的含义与法律依据见 docs/plan.zh-CN.md。# 开头的行是说明或默认值，去掉 # 即可修改。",
    "The plan of a draw. docs/plan.md explains every key. Lines with # are explanations or defaults: take # out to change.",
)
_SECTIONS: Mapping[str, Text] = {
    "deadlines": ("时限（含时差的时刻）", "deadlines, times with their offset"),
    "days": (
        "可上门检查的日期：cn 为国务院公布的工作日",
        "days for visits; cn: the State Council's working days",
    ),
    "caps": (
        "上限：每人每日、每人每期的检查组数，每户每年的检查日数",
        "most crews a person a day and period, visits an enterprise a year",
    ),
    "policy": ("规则", "rules"),
    "beacon": (
        "随机信标：公告时还不存在的公开随机数",
        "public randomness that does not exist yet when announced",
    ),
    "auditor": ("审计方：持有密封内容的开启密钥", "who can open what is sealed"),
    "log": (
        "透明日志：各次抽取的公告与结果按次序登记，见证方共签",
        "the transparency log that carries all draws in their order, cosigned by witnesses",
    ),
    "contributions": (
        "随机贡献：一方承诺的随机数，进入种子",
        "a party's committed random number that goes into the seed",
    ),
    "districts": ("行政区划", "districts"),
    "departments": (
        "部门；seats 为检查组的席位，每席列出所需资格",
        "departments; seats: a crew's seats with the marks each needs",
    ),
    "tasks": ("抽查任务；比例为年度比例", "tasks; ratios are a year's"),
    "exemptions": ("豁免：不得抽取的检查对象及理由", "enterprises that must not be drawn, and why"),
    "libraries": (
        "名录文件与列名对应（本系统列名 = 文件列名）",
        "a library's file and columns (our name = the file's)",
    ),
}
_KEYS: Mapping[str, Text] = {
    "plan.number": (
        "本机关本年度的抽取序号，连续不跳号",
        "number of the draw within authority and year, without gaps",
    ),
    "plan.months_left": (
        "年度任务还要分摊的月数，含本期",
        "months over which the year's rest is spread, this one included",
    ),
    "plan.disclosure": (
        "sealed 密封抽取（信用分类不公开），open 公开抽取",
        "sealed (classes stay internal) or open",
    ),
    "plan.enterprise_ids": ("uscc 统一社会信用代码，free 其他编号", "uscc (GB 32100-2015) or free"),
    "plan.classes": ("信用风险分类，由低到高", "credit classes from low to high risk"),
    "plan.policies": (
        "采用的政策（随附的，或 policies/ 中自己的）",
        "policies that apply, shipped ones or your own in policies/",
    ),
    "plan.rounding": ("up 向上取整，unbiased 随机取整（仅限公开抽取）", "up, or unbiased (open draws only)"),
    "deadlines.findings": ("默认：期末后 20 个工作日", "default: 20 working days after the period"),
    "caps.enterprise_annual": (
        "每户每年检查次数上限，应向社会公布",
        "yearly maximum for one enterprise; must be published",
    ),
    "policy.visit_limit": ("一次上门最多带多少：部门数、检查项数、小时数", "the most that one visit carries"),
    "policy.relief": ("排不进时依次放宽的步骤", "what is relaxed, in order, if a visit cannot be dated"),
    "beacon.time": ("该时刻起的第一轮 drand quicknet", "the first drand quicknet round from this time on"),
    "auditor.key": (
        "Ed25519 公钥；不写则公告时生成",
        "Ed25519 public key; generated when announced if absent",
    ),
}


def write_plan(plan: Plan, remarks: Mapping[str, Text] | None = None) -> str:
    """Return ``plan`` as TOML. ``remarks`` by key (``auditor.name``) or section and id (``tasks.t01``) are put
    before it as further comments, in both languages."""
    return _Writer(remarks or {}).plan(plan)


def ratio_text(ratio: Fraction) -> str:
    """Write a ratio as people do, exactly.

    >>> ratio_text(Fraction(3, 100)), ratio_text(Fraction(1, 200)), ratio_text(Fraction(1, 30))
    ('3%', '0.5%', '1/30')
    """
    percent = _decimal(ratio * 100)
    return f"{percent}%" if percent is not None else f"{ratio.numerator}/{ratio.denominator}"


def _decimal(number: Fraction) -> str | None:
    for places in range(7):
        scaled = number * 10**places
        if scaled.denominator == 1:
            digits = str(scaled.numerator).rjust(places + 1, "0")
            return f"{digits[:-places]}.{digits[-places:]}" if places else digits
    return None


def _number(number: Fraction) -> Any:
    if number.denominator == 1:
        return number.numerator
    return _decimal(number) or f"{number.numerator}/{number.denominator}"


def toml(value: Any) -> str:
    """Write one value as TOML, tables inline. Fractions are written as ratios by the caller."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        # TOML's basic strings know all of JSON's escapes, but want DEL escaped as well
        return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Mapping):
        inner = ", ".join(f"{_key(key)} = {toml(element)}" for key, element in value.items())
        return f"{{ {inner} }}" if inner else "{}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(toml(element) for element in value)}]"
    return str(value)


def _key(key: str) -> str:
    return key if _BARE.fullmatch(key) else toml(key)


def _filled(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in values.items() if value is not None}


class _Writer:
    """Collects the lines of one plan."""

    def __init__(self, remarks: Mapping[str, Text]) -> None:
        self._remarks = remarks
        self._lines: list[str] = []

    def plan(self, plan: Plan) -> str:
        self._lines = [f"# {text}" for text in _HEAD]
        zone = zone_of(Faults("", {}), plan.timezone)
        self._section("plan", _head(plan), {"plan.months_left": 13 - plan.period[0].month})
        deadlines = {key: getattr(plan.deadlines, key).astimezone(zone) for key in _DEADLINES}
        self._section("deadlines", deadlines, _usual_deadlines(plan, zone))
        self._section(
            "days", {"working": plan.working_days, "extra": plan.extra_days, "closed": plan.closed_days}
        )
        caps = plan.caps
        self._section(
            "caps", {"daily": caps.daily, "total": caps.total, "enterprise_annual": caps.enterprise_annual}
        )
        self._section("policy", _policy(plan))
        self._section("beacon", _beacon(plan, zone))
        if plan.beacon.kind == "drand":
            self._lines.append(f"# round = {plan.beacon.round}")
        if plan.auditor is not None:
            self._section("auditor", {"name": plan.auditor.name, "key": plan.auditor.key})
        if plan.log is not None:
            self._section(
                "log", {"folder": plan.log.folder, "origin": plan.log.origin, "policy": plan.log.policy}
            )
        for party in plan.contributions:
            self._row(
                "contributions",
                party.party,
                {
                    "party": party.party,
                    "name": party.name,
                    "reveal": party.reveal,
                    "key": party.key,
                    "commitment": party.commitment,
                    "signature": party.signature,
                },
            )
        for district in plan.districts:
            self._row("districts", district.id, _names(district))
        for department in plan.departments:
            seats = department.seats
            self._row("departments", department.id, {**_names(department), "seats": seats})
        for task in plan.tasks:
            self._row("tasks", task.id, _task(plan, task))
        for exemption in plan.exemptions:
            self._row(
                "exemptions",
                exemption.enterprise,
                {
                    "enterprise": exemption.enterprise,
                    "task": exemption.task,
                    "reason": exemption.reason,
                    "text": exemption.text,
                },
            )
        for kind in LIBRARIES:
            if kind in plan.libraries:
                self._library(kind, plan.libraries[kind])
        return "\n".join(self._lines) + "\n"

    def _section(
        self, name: str, values: Mapping[str, Any], computed: Mapping[str, Any] | None = None
    ) -> None:
        self._open(f"[{name}]", name)
        self._values(name, values, {**_DEFAULTS, **(computed or {})}, quiet=False)

    def _row(self, name: str, id_: str, values: Mapping[str, Any]) -> None:
        self._open(f"[[{name}]]", name, f"{name}.{id_}")
        self._values(f"{name}[]", values, _DEFAULTS, quiet=True)

    def _library(self, kind: str, source: LibrarySource) -> None:
        self._open(f"[libraries.{kind}]", "libraries")
        self._values(
            f"libraries.{kind}",
            {
                "file": source.file,
                "sheet": source.sheet,
                "encoding": source.encoding,
                "columns": source.columns,
                "values": source.values,
            },
            _DEFAULTS,
            quiet=True,
        )

    def _open(self, header: str, section: str, *keys: str) -> None:
        self._lines.append("")
        first = not any(line.startswith((f"[{section}", f"[[{section}")) for line in self._lines)
        if first and section in _SECTIONS:
            self._comment(_SECTIONS[section])
        for key in (section, *keys):
            if key in self._remarks and (first or key != section):
                self._comment(self._remarks[key])
        self._lines.append(header)

    def _values(
        self, prefix: str, values: Mapping[str, Any], defaults: Mapping[str, Any], *, quiet: bool
    ) -> None:
        """Write keys and values; what equals its default is commented out, or left out if ``quiet``."""
        for key, value in values.items():
            path = f"{prefix}.{key}"
            default = value is None or (path not in _ALWAYS and value == defaults.get(path))
            if default and (quiet or value is None) and path not in self._remarks:
                continue
            for text in (_KEYS.get(path), self._remarks.get(path)):
                if text is not None:
                    self._comment(text)
            if value is not None:
                self._lines.append(f"{'# ' if default else ''}{key} = {toml(value)}")

    def _comment(self, text: Text) -> None:
        self._lines += [f"# {text[0]}", f"# {text[1]}"]


def _head(plan: Plan) -> dict[str, Any]:
    return {
        "id": plan.id,
        "authority": plan.authority,
        "authority_name": plan.authority_name,
        "authority_name_en": _translation(plan.authority_name, plan.authority_name_en),
        "number": plan.number,
        "timezone": plan.timezone,
        "language": plan.language,
        "period": {"start": plan.period[0], "end": plan.period[1]},
        "months_left": plan.months_left,
        "suite": plan.suite,
        "disclosure": plan.disclosure,
        "classes_public": plan.classes_public,
        "enterprise_ids": plan.enterprise_ids,
        "rounding": plan.rounding,
        "classes": plan.classes,
        "policies": tuple(policy.id for policy in plan.policies),
    }


def _usual_deadlines(plan: Plan, zone: ZoneInfo | None) -> dict[str, datetime]:
    """What follows from beacon and period, by key; findings are left out where working days are not known."""
    faults = Faults("", {})
    written: dict[str, datetime | None] = dict.fromkeys(_DEADLINES)
    parsed = {"deadlines": written, "days": {"working": plan.working_days}}
    usual = deadlines_of(faults, parsed, plan.beacon, plan.period, zone)
    if usual is not None:
        return {f"deadlines.{key}": getattr(usual, key) for key in _DEADLINES}
    written["findings"] = plan.deadlines.findings
    usual = deadlines_of(faults, parsed, plan.beacon, plan.period, zone)
    return {f"deadlines.{key}": getattr(usual, key) for key in ("reveal", "result")}


def _policy(plan: Plan) -> dict[str, Any]:
    limit = plan.visit_limit
    return {
        "cross_district": plan.cross_district,
        "cross_district_basis": plan.cross_district_basis,
        "rotation": plan.rotation,
        "mask_individuals": plan.mask_individuals,
        "embargo": plan.embargo,
        "undated": plan.undated,
        "substitution": plan.substitution,
        "calendar": plan.calendar,
        "visit_limit": None
        if limit is None
        else _filled(
            {
                "departments": limit.departments,
                "checks": limit.checks,
                "hours": None if limit.hours is None else _number(limit.hours),
            }
        ),
        "relief": [_step(step) for step in plan.relief] or None,
    }


def _step(step: Mapping[str, object]) -> dict[str, Any]:
    order = {"kind": step["kind"], "department": step["department"], "amount": step["amount"] or None}
    return _filled(order)


def _beacon(plan: Plan, zone: ZoneInfo | None) -> dict[str, Any]:
    beacon = plan.beacon
    named = beacon.kind == "keystring"
    return {
        "kind": beacon.kind,
        "source": beacon.source if named else None,
        "round": beacon.round if named else None,
        "time": beacon.time.astimezone(zone),
    }


def _names(named: Named | Department | Task) -> dict[str, Any]:
    return {"id": named.id, "name": named.name, "name_en": _translation(named.name, named.name_en)}


def _translation(name: str, name_en: str) -> str | None:
    return None if name_en == name else name_en


def _task(plan: Plan, task: Task) -> dict[str, Any]:
    scope = {
        key: getattr(task.scope, key)
        for key in ("kinds", "districts", "industries", "classes", "categories", "where")
    }
    result = {
        **_names(task),
        "department": task.department,
        "mode": task.mode,
        "lead": task.lead,
        "items": task.items,
        "scope": {key: names for key, names in scope.items() if names} or None,
        "policies": [policy.id for policy in task.policies] or None,
        "interval": task.interval,
    }
    if task.mode == "follows":
        return result
    budget = task.budget
    prescribed = class_ratios((*plan.policies, *task.policies), task.scope.classes or plan.classes)
    return {
        **result,
        "operator": task.operator,
        "ratios": None
        if task.ratios is None or task.ratios == prescribed
        else {name: ratio_text(ratio) for name, ratio in task.ratios.items()},
        "budget": None
        if budget is None
        else {
            "visits": budget.visits,
            "weights": {name: _number(weight) for name, weight in budget.weights.items()},
        },
        "frequency": task.frequency,
        "strata_by": task.strata_by,
        "group_by": task.group_by,
        "control": task.control,
        "minimum": task.minimum,
    }
