"""A written plan reads back to the same plan, with the defaults left to themselves and comments in both languages."""

from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from dualrandom.beacon import QUICKNET_HASH, round_time
from dualrandom.policy.documents import shipped_policies
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
from dualrandom.policy.reader import parse_plan
from dualrandom.policy.writer import ratio_text, write_plan

CLASSES = ("A", "B", "C", "D")
WORDS = st.text("市场监管局 \"'\\#=[]{}%é\U00020000a1", min_size=1, max_size=12).map(str.strip).filter(bool)
IDS = st.from_regex(r"[0-9a-z][0-9a-z._-]{0,8}", fullmatch=True)
RATIOS = st.one_of(
    st.sampled_from([Fraction(0), Fraction(1), Fraction(3, 100), Fraction(1, 7)]),
    st.fractions(0, 1, max_denominator=10**9),
)
DAYS = st.dates(date(2023, 9, 1), date(2023, 9, 30))


def names(ids: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
    return st.lists(ids, unique=True, max_size=3).map(lambda found: tuple(sorted(found)))


POLICIES = names(st.sampled_from(["henan-2021", "lindian-bands", "national-publicity"])).map(
    lambda found: tuple(shipped_policies()[name] for name in found)
)


@st.composite
def tasks(draw: st.DrawFn, id_: str, leads: tuple[str, ...], departments: list[str], item: str) -> Task:
    follows = bool(leads) and draw(st.booleans())
    budget = not follows and draw(st.booleans())
    strata = draw(st.sampled_from([("class",), ("class", "district"), ("district", "class")]))
    usual: dict[str, Any] = {"operator": "floor", "frequency": 1, "strata_by": ("class",), "group_by": "task"}
    own: dict[str, Any] = {
        "operator": draw(st.sampled_from(["floor", "ceiling", "exact"])),
        "frequency": draw(st.integers(1, 4)),
        "strata_by": strata,
        "group_by": draw(st.sampled_from(["task", *strata])),
    }
    name = draw(WORDS)
    weights = {
        label: draw(st.sampled_from([Fraction(1), Fraction(5, 2), Fraction(1, 3)])) for label in CLASSES
    }
    return Task(
        id=id_,
        name=name,
        name_en=draw(st.one_of(st.just(name), WORDS)),
        department=draw(st.sampled_from(departments)),
        mode="follows" if follows else "own",
        lead=draw(st.sampled_from(leads)) if follows else None,
        items=(item,),
        scope=Scope(
            kinds=draw(names(WORDS)),
            classes=draw(names(st.sampled_from(CLASSES))),
            categories=draw(names(WORDS)),
            where=draw(st.sampled_from(["", 'industry starts "52" and not abnormal'])),
        ),
        minimum=0 if follows else draw(st.integers(0, 3)),
        interval=draw(st.one_of(st.none(), st.integers(1, 24))),
        policies=draw(POLICIES),
        ratios=None if follows or budget else {label: draw(RATIOS) for label in CLASSES},
        budget=Budget(draw(st.integers(1, 10**6)), weights) if budget else None,
        control="one-way",
        **(usual if follows else own),
    )


@st.composite
def beacons(draw: st.DrawFn) -> Beacon:
    time = datetime(2023, 8, 25, tzinfo=UTC) + timedelta(seconds=draw(st.integers(0, 10**5)))
    kind = draw(st.sampled_from(["drand", "keystring", "local"]))
    if kind == "drand":
        number = draw(st.integers(1, 200_000))
        return Beacon("drand", QUICKNET_HASH, str(number), round_time(number))
    if kind == "local":
        return Beacon("local", "none", "0", time)
    return Beacon("keystring", draw(IDS), draw(IDS), time)


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    beacon = draw(beacons())
    sealed = draw(st.booleans())
    departments = sorted(draw(st.sets(IDS, min_size=1, max_size=3)))
    ids = sorted(draw(st.sets(IDS, min_size=1, max_size=4)))
    lead = draw(st.sampled_from([(), (ids[0],)]))
    own = draw(tasks(ids[0], (), departments, "i0"))
    rest = [draw(tasks(id_, lead, departments, f"i{n}")) for n, id_ in enumerate(ids[1:], 1)]
    cross = draw(st.one_of(st.none(), WORDS))
    extra, closed = draw(names(DAYS)), draw(names(DAYS))
    authority = draw(WORDS)
    seats = st.lists(names(st.sampled_from(["leader", "food", "gsp"])), min_size=2, max_size=3).map(tuple)
    limit = st.builds(
        VisitLimit,
        departments=st.one_of(st.none(), st.integers(1, 9)),
        checks=st.one_of(st.none(), st.integers(1, 99)),
        hours=st.sampled_from([Fraction(8), Fraction(15, 2), Fraction(22, 3)]),
    )
    relief = st.sampled_from(
        [
            {"amount": 1, "department": departments[0], "kind": "daily"},
            {"amount": 0, "department": departments[-1], "kind": "seats"},
        ]
    )
    return Plan(
        id=draw(IDS),
        authority=draw(IDS),
        authority_name=authority,
        authority_name_en=draw(st.one_of(st.just(authority), WORDS)),
        number=draw(st.integers(1, 999_999)),
        year=2023,
        timezone=draw(st.sampled_from(["Asia/Shanghai", "UTC", "America/Chicago"])),
        language=draw(st.sampled_from(["zh", "en"])),
        period=(date(2023, 9, 1), date(2023, 9, 30)),
        months_left=draw(st.integers(1, 12)),
        suite=draw(st.sampled_from(["sha256", "sm3"])),
        disclosure="sealed" if sealed else "open",
        classes_public=None if sealed else draw(WORDS),
        enterprise_ids=draw(st.sampled_from(["uscc", "free"])),
        classes=CLASSES,
        districts=tuple(
            Named(id_, draw(WORDS), draw(WORDS)) for id_ in sorted(draw(st.sets(IDS, max_size=2)))
        ),
        departments=tuple(Department(id_, draw(WORDS), draw(WORDS), draw(seats)) for id_ in departments),
        tasks=(own, *rest),
        rounding="up" if sealed else draw(st.sampled_from(["up", "unbiased"])),
        calendar="lottery",
        working_days=draw(st.sampled_from(["cn", "weekdays", "all"])),
        extra_days=tuple(day for day in extra if day not in closed),
        closed_days=closed,
        cross_district=cross is not None,
        cross_district_basis=cross,
        rotation=draw(st.booleans()),
        embargo=draw(st.sampled_from(["none", "crews", "visits"])),
        undated=draw(st.sampled_from(["list", "void"])),
        substitution=draw(st.sampled_from(["fresh", "next", "none"])),
        visit_limit=draw(st.one_of(st.none(), limit)),
        caps=Caps(
            draw(st.integers(1, 9)), draw(st.integers(1, 99)), draw(st.one_of(st.none(), st.integers(1, 9)))
        ),
        relief=tuple(draw(st.lists(relief, max_size=2))),
        beacon=beacon,
        policies=draw(POLICIES),
        exemptions=tuple(
            Exemption(id_, draw(st.sampled_from([None, ids[0]])), draw(IDS), draw(WORDS))
            for id_ in sorted(draw(st.sets(IDS, max_size=2)))
        ),
        contributions=tuple(
            Contribution(
                id_, draw(WORDS), draw(st.booleans()), *draw(st.sampled_from([(None, None, None), GIVEN]))
            )
            for id_ in sorted(draw(st.sets(IDS, max_size=2)))
        ),
        auditor=Auditor(draw(WORDS), draw(st.sampled_from([None, GIVEN[0]]))) if sealed else None,
        log=draw(st.sampled_from([None, PublicLog("../log", None, None), PublicLog("log", "a.b/c", "w")])),
        deadlines=Deadlines(
            beacon.time - timedelta(hours=draw(st.integers(0, 3))),
            beacon.time + timedelta(days=draw(st.sampled_from([1, 7]))),
            datetime(2023, 11, 1, 15, 59, draw(st.sampled_from([58, 59])), tzinfo=UTC),
        ),
        libraries=draw(
            st.sampled_from(
                [
                    {},
                    {
                        "enterprises": LibrarySource(
                            "企业 1.csv", None, "gbk", {"id": 'a "b"'}, {"credit_class": {"": "A", "1=": "B"}}
                        ),
                        "visits": LibrarySource("v.xlsx", "表1", None, {}, {}),
                    },
                ]
            )
        ),
    )


GIVEN = ("A" * 43 + "=", "0" * 64, "A" * 86 + "==")


@given(plans())
def test_a_written_plan_reads_back_to_the_same_plan_and_text(plan: Plan) -> None:
    text = write_plan(plan)
    result = parse_plan(text.encode())
    assert [problem for problem in result.problems if problem.severity == "error"] == []
    assert result.plan == plan
    assert write_plan(result.plan) == text


@given(st.fractions(0, 1, max_denominator=10**9))
def test_a_ratio_is_written_exactly(ratio: Fraction) -> None:
    text = ratio_text(ratio)
    assert (Fraction(text[:-1]) / 100 if text.endswith("%") else Fraction(text)) == ratio


@given(plans())
def test_every_comment_for_people_is_there_in_both_languages(plan: Plan) -> None:
    text = write_plan(
        plan,
        {"plan.id": ("改这里", "edit this"), f"tasks.{plan.tasks[0].id}": ("核对比例", "check the ratios")},
    )
    lines = text.splitlines()
    for zh, en in (("# 改这里", "# edit this"), ("# 核对比例", "# check the ratios")):
        assert lines[lines.index(zh) + 1] == en
    assert lines[lines.index("# edit this") + 1].startswith("id = ")
    assert lines[lines.index("# check the ratios") + 1] == "[[tasks]]"


def test_later_edits_of_the_period_carry_the_defaults_along() -> None:
    text = """
[plan]
id = "p"
authority = "a"
authority_name = "n"
period = { start = 2023-09-01, end = 2023-09-30 }
[beacon]
time = 2023-08-25T00:00:00Z
[auditor]
name = "x"
[[departments]]
id = "d"
name = "d"
[[tasks]]
id = "t"
name = "t"
department = "d"
items = ["i"]
ratios = { A = 1, B = 1, C = 1, D = 1 }
"""
    september = parse_plan(text.encode()).plan
    assert september is not None
    written = write_plan(september)
    edited = written.replace("2023-09", "2023-10").replace("2023-08-25", "2023-09-25")
    october = parse_plan(edited.encode()).plan
    assert october is not None
    assert october.months_left == 3
    assert october.deadlines.result.date() == date(2023, 10, 2)
