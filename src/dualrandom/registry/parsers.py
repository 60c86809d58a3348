"""How each column of each library is read, given the plan whose words it uses."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType

from dualrandom.policy.plan import Plan
from dualrandom.registry import uscc, values
from dualrandom.registry.columns import Kind
from dualrandom.registry.models import Enterprise, Inspector, Item, PastVisit, Recusal
from dualrandom.registry.tables import Raw
from dualrandom.registry.values import Parse, Refused, Vocabulary

OBJECT_KINDS = (
    (
        "enterprise",
        (
            *("企业", "公司", "企业法人", "法人企业", "内资企业", "外资企业", "外商投资企业", "内资公司"),
            *("有限责任公司", "其他有限责任公司", "有限责任公司分公司", "股份有限公司", "股份有限公司分公司"),
            *("分公司", "企业分支机构", "内资分公司", "内资企业法人", "个人独资企业", "个人独资企业分支机构"),
            *("合伙企业", "普通合伙企业", "特殊普通合伙企业", "有限合伙企业", "合伙企业分支机构"),
            *("全民所有制", "集体所有制", "股份合作制", "company", "enterprises"),
        ),
    ),
    (
        "cooperative",
        (
            *("农民专业合作社", "农民专业合作社(联合社)", "农民专业合作社联合社", "农民专业合作社分支机构"),
            *("合作社", "专业合作社", "cooperatives"),
        ),
    ),
    ("individual", ("个体工商户", "个体户", "个体", "individual business", "sole proprietor", "individuals")),
)
ITEM_CATEGORIES = (
    ("general", ("一般", "一般事项", "一般检查事项", "一般抽查事项")),
    ("key", ("重点", "重点事项", "重点检查事项", "重点抽查事项")),
)
VISIT_KINDS = (
    ("plan", ("计划", "计划检查", "双随机", "双随机抽查", "日常", "planned", "routine")),
    ("case", ("个案", "个案检查", "投诉举报", "complaint", "cases")),
    ("special", ("专项", "专项检查", "专项整治", "campaign")),
)
GROUNDS = (
    ("spouse", ("夫妻", "配偶", "夫妻关系")),
    ("direct-line", ("直系血亲", "直系", "父母子女")),
    ("collateral", ("三代以内旁系血亲", "旁系血亲", "旁系")),
    ("in-law", ("近姻亲", "姻亲", "近姻亲关系")),
    ("interest", ("利害关系", "有利害关系", "经济利益")),
    ("influence", ("其他影响", "可能影响公正", "可能影响公正执法", "其他可能影响公正的关系")),
    ("employment", ("曾任职", "任职", "原任职单位", "曾在该企业任职", "former employment")),
    ("shareholding", ("持股", "投资", "股东", "曾持股")),
    ("application", ("企业申请", "申请回避", "当事人申请", "application by the enterprise")),
    ("kin", ("同事亲属", "亲属", "亲属关系", "亲属同事", "relatives")),
    ("other", ("其他", "其它")),
)
"""Codes of recusal grounds (national rules list the relations; the codes are ours) and how people write them."""
EVERYWHERE = frozenset({"全部", "全市", "不限", "all"})
"""How people write that somebody serves every district, which an empty cell says too."""
LEADER = ("leader", ("组长", "领队", "负责人", "带队人"))

_EVERY_MODEL: Mapping[Kind, type] = {
    "enterprises": Enterprise,
    "inspectors": Inspector,
    "items": Item,
    "recusals": Recusal,
    "visits": PastVisit,
}
_DEFAULTS: Mapping[Kind, Mapping[str, object]] = {
    "enterprises": {
        "kind": "enterprise",
        "industry": "",
        "category": "",
        "address": "",
        "closed": (),
        "size": "",
        "abnormal": False,
        "last_report": None,
        "established": None,
        "suspended_until": None,
        "street": "",
    },
    "inspectors": {
        "districts": (),
        "marks": (),
        "valid_until": None,
        "days_off": (),
        "daily": None,
        "total": None,
    },
    "items": {
        "name_en": "",
        "category": "general",
        "marks": (),
        "hours": Fraction(1),
        "valid_from": None,
        "valid_until": None,
    },
    "recusals": {},
    "visits": {"task": "", "item": "", "inspectors": (), "kind": "plan"},
}


@dataclass(frozen=True, slots=True)
class Words:
    """The vocabularies of a plan; a None one is not restricted (there is no plan, or it lists none)."""

    classes: Vocabulary | None
    districts: Vocabulary | None
    departments: Vocabulary | None
    object_kinds: Vocabulary | None
    uscc: bool | None
    """Whether enterprise ids are unified social credit codes; None: those of 18 characters are."""

    @classmethod
    def of(cls, plan: Plan | None) -> Words:
        """Collect the words of ``plan``."""
        if plan is None:
            return cls(None, None, None, None, None)
        known = {name for name, _ in OBJECT_KINDS}
        extra = {kind for task in plan.tasks for kind in task.scope.kinds} - known
        return cls(
            Vocabulary((name, ()) for name in plan.classes),
            Vocabulary((each.id, (each.name, each.name_en)) for each in plan.districts)
            if plan.districts
            else None,
            Vocabulary((each.id, (each.name, each.name_en)) for each in plan.departments),
            Vocabulary((*((kind, ()) for kind in sorted(extra)), *OBJECT_KINDS)),
            plan.enterprise_ids == "uscc",
        )


def model(kind: Kind) -> Callable[..., object]:
    """Return the row class of a library; its fields are the library's columns, in order."""
    return _EVERY_MODEL[kind]


def defaults(kind: Kind) -> Mapping[str, object]:
    """Return what an empty or absent optional column stands for."""
    return _DEFAULTS[kind]


def parsers(
    kind: Kind,
    words: Words,
    from_1904: bool,
    mappings: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
) -> Mapping[str, Parse]:
    """Return the parser of each column; ``mappings`` are the plan's, which the parsers of lists apply to each part."""
    firm = {True: values.credit_code, False: values.identifier, None: _any_firm}[words.uscc]
    department = _one_of(words.departments, "department-unknown", values.text)
    district = _one_of(words.districts, "district-unknown", _district_code)
    day, last_day, days = (make(from_1904) for make in (values.day, values.last_day, values.days))

    def choice(options: Iterable[tuple[str, tuple[str, ...]]]) -> Parse:
        return values.word(Vocabulary(options), "choice-unknown")

    def several(name: str, parse: Parse) -> Parse:
        return values.listed(parse, mappings.get(name, {}))

    of_kind: dict[Kind, dict[str, Parse]] = {
        "enterprises": {
            "id": firm,
            "district": district,
            "credit_class": values.word(words.classes, "class-unknown", "类级", bracketed=True)
            if words.classes
            else values.text,
            "kind": values.word(words.object_kinds, "choice-unknown", bracketed=True)
            if words.object_kinds
            else _object_kind,
            "closed": days,
            "abnormal": values.flag,
            "last_report": values.year,
            "established": day,
            "suspended_until": day,
        },
        "inspectors": {
            "code": values.identifier,
            "department": department,
            "districts": _everywhere_or(several("districts", district)),
            "marks": several("marks", _mark),
            "licence": values.licence,
            "valid_until": last_day,
            "days_off": days,
            "daily": values.count,
            "total": values.count,
        },
        "items": {
            "id": values.identifier,
            "department": department,
            "category": choice(ITEM_CATEGORIES),
            "marks": several("marks", _mark),
            "hours": values.hours,
            "valid_from": day,
            "valid_until": last_day,
        },
        "recusals": {
            "inspector": values.identifier,
            "other": values.identifier,
            "ground": _ground,
        },
        "visits": {
            "enterprise": firm,
            "date": day,
            "department": department,
            "task": values.identifier,
            "item": values.identifier,
            "inspectors": several("inspectors", values.identifier),
            "kind": choice(VISIT_KINDS),
        },
    }
    return of_kind[kind]


_KINDS_OF_OBJECTS = Vocabulary(OBJECT_KINDS)
_GROUNDS = Vocabulary(GROUNDS)
_LEADER = Vocabulary((LEADER,))


def _any_firm(raw: Raw) -> object:
    return values.credit_code(raw) if len(values.written(raw)) == uscc.LENGTH else values.identifier(raw)


def _one_of(vocabulary: Vocabulary | None, code: str, otherwise: Parse) -> Parse:
    return values.word(vocabulary, code) if vocabulary else otherwise


def _district_code(raw: Raw) -> object:
    found = values.identifier(raw)
    if isinstance(found, Refused) and found.code == "id-pattern":
        return Refused("district-pattern")
    return found


def _everywhere_or(parse: Parse) -> Parse:
    return lambda raw: () if values.written(raw).casefold() in EVERYWHERE else parse(raw)


def _object_kind(raw: Raw) -> object:
    known = values.word(_KINDS_OF_OBJECTS, "choice-unknown", bracketed=True)(raw)
    return values.text(raw) if isinstance(known, Refused) else known


def _mark(raw: Raw) -> object:
    found = _LEADER.get(values.written(raw)) or values.identifier(raw)
    return Refused("mark-pattern") if isinstance(found, Refused) and found.code == "id-pattern" else found


def _ground(raw: Raw) -> object:
    written = values.written(raw)
    found = _GROUNDS.get(written)
    if found is not None:
        return found
    if isinstance(raw, str) and values.ID.fullmatch(written):
        return written
    return Refused("choice-unknown", _GROUNDS.near(written), {"names": _GROUNDS.names})
