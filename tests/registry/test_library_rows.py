"""Cells and rows as people fill them in: every mistake is named at its place, and none hides another."""

from collections.abc import Callable
from datetime import date
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dualrandom.errors import Problem
from dualrandom.policy.plan import Named
from dualrandom.registry.reader import ReadResult

Read = Callable[..., ReadResult]
Make = Callable[..., Any]

FIRM = "91420704000000000L"
OTHER = "91420704000000001P"
ENTERPRISES = "统一社会信用代码,名称,行政区划,信用风险分类,主体类型,行业代码,不可检查日,地址\n"
INSPECTORS = "人员编号,姓名,部门,执法证号,证件有效期,休假日,每日上限,总上限,标记/资格,执法区域\n"
ITEMS = "事项编号,抽查事项,部门,法律依据,事项类别,检查时长,资格要求,生效日期,失效日期\n"
RECUSALS = "检查人员,回避对象,回避事由\n"
VISITS = "统一社会信用代码,检查日期,检查部门,抽查任务,抽查事项,检查人员,检查类别\n"


def enterprise(**cells: str) -> str:
    row = {
        "id": FIRM,
        "name": "甲",
        "district": "420704",
        "class": "A",
        "kind": "",
        "industry": "",
        "closed": "",
        "address": "",
    }
    return ",".join((row | cells).values()) + "\n"


def inspector(code: str = "p1", **cells: str) -> str:
    row = {
        "code": code,
        "name": "张三",
        "department": "amr",
        "licence": f"L1{code}",
        "until": "",
        "off": "",
        "daily": "",
        "total": "",
        "marks": "",
        "districts": "",
    }
    return ",".join((row | cells).values()) + "\n"


def item(identity: str = "i01", **cells: str) -> str:
    row = {
        "id": identity,
        "name": "食品",
        "department": "amr",
        "basis": "法",
        "category": "",
        "hours": "",
        "marks": "",
        "from": "",
        "until": "",
    }
    return ",".join((row | cells).values()) + "\n"


def only(result: ReadResult, code: str) -> Problem:
    """Return the one problem there is; an error leaves nothing read."""
    assert [found.code for found in result.problems] == [code]
    if result.problems[0].severity == "error":
        assert result.libraries.enterprises == ()
    else:
        assert result.libraries.enterprises
    return result.problems[0]


# --- ids ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "code", "suggestion"),
    [
        ("9.14207E+17", "id-as-number", None),
        ("91420704000000000l", "id-form", FIRM),
        ("９１４２０７０４０００００００００Ｌ", "id-form", FIRM),  # noqa: RUF001
        ("91420704 000000000L", "id-form", FIRM),
        ("91420704-000000000-L", "id-form", FIRM),
        ("'91420704000000000L", "id-form", FIRM),
        ("91420704\u200b000000000L", "id-form", FIRM),
        ("914207040000000000", "uscc-check-digit", FIRM),
        ("91420704O0000OO00L", "uscc-character", FIRM),
        ("9142O7O4000000000L", "uscc-character", FIRM),
        ("9I420704000000000L", "uscc-character", "9142070400000000" + "0L"),
        ("91420704000000000", "uscc-length", None),
        ("420704000012345", "uscc-length", None),
        ("企业甲", "uscc-length", None),
        ("", "cell-empty", None),
    ],
)
def test_a_miswritten_credit_code_is_refused(
    read: Read, written: str, code: str, suggestion: str | None
) -> None:
    found = only(read({"enterprises": ENTERPRISES + enterprise(id=written)}), code)
    assert (found.row, found.column, found.value) == (2, "统一社会信用代码", written)
    assert found.suggestion == suggestion


@pytest.mark.parametrize(
    ("written", "code", "suggestion"),
    [
        ("许可证 17", "id-pattern", None),
        ("a/b", "id-pattern", None),
        ("-a", "id-pattern", None),
        ("x" * 65, "id-pattern", None),
        ("Ａ１７", "id-form", "A17"),  # noqa: RUF001
        ("A 17", "id-form", "A17"),
        ("1.7E+17", "id-as-number", None),
    ],
)
def test_a_free_id_out_of_pattern_is_refused(
    read: Read, plan: Make, written: str, code: str, suggestion: str | None
) -> None:
    result = read({"enterprises": ENTERPRISES + enterprise(id=written)}, plan(enterprise_ids="free"))
    assert only(result, code).suggestion == suggestion


def test_an_equal_row_counts_once(read: Read) -> None:
    result = read({"enterprises": ENTERPRISES + enterprise() + enterprise(kind="企业")})
    found = only(result, "row-duplicate")
    assert (found.severity, found.row) == ("warning", 3)
    assert len(result.libraries.enterprises) == 1


def test_an_id_with_two_classes_is_refused_naming_both_rows(read: Read) -> None:
    found = only(
        read({"enterprises": ENTERPRISES + enterprise() + enterprise(**{"class": "D"})}), "id-duplicate"
    )
    for text in (found.message_zh, found.message_en):
        assert all(part in text for part in (FIRM, "2", "3", "A", "D"))


def test_ids_that_differ_only_in_case_are_refused(read: Read, plan: Make) -> None:
    rows = enterprise(id="A17") + enterprise(id="a17")
    found = only(read({"enterprises": ENTERPRISES + rows}, plan(enterprise_ids="free")), "id-case")
    assert "A17" in found.message_en
    assert (found.row, found.value) == (3, "a17")


def test_an_enterprise_may_not_have_an_inspectors_id(read: Read, plan: Make) -> None:
    result = read(
        {"enterprises": ENTERPRISES + enterprise(id="p1"), "inspectors": INSPECTORS + inspector("p1")},
        plan(enterprise_ids="free"),
    )
    found = only(result, "id-shared")
    assert (found.file, found.row) == ("inspectors.csv", 2)


def test_the_licence_number_stands_for_a_missing_code(read: Read) -> None:
    result = read({"inspectors": "姓名,部门,执法证号\n张三,amr,42070001\n"})
    assert result.problems == ()
    assert (result.libraries.inspectors[0].code, result.libraries.inspectors[0].licence) == (
        "42070001",
        "42070001",
    )


# --- required cells, words of the plan ----------------------------------------------------------------------------


@pytest.mark.parametrize("column", ["name", "district", "class"])
def test_an_empty_required_cell_is_refused(read: Read, column: str) -> None:
    found = only(read({"enterprises": ENTERPRISES + enterprise(**{column: " "})}), "cell-empty")
    assert found.row == 2
    assert found.remedy_zh


@pytest.mark.parametrize(
    ("file", "row", "code", "column", "suggestion"),
    [
        ("enterprises", enterprise(**{"class": "A+"}), "class-unknown", "信用风险分类", "A"),
        ("enterprises", enterprise(district="420740"), "district-unknown", "行政区划", "420704"),
        ("enterprises", enterprise(district="鄂城"), "district-unknown", "行政区划", "鄂城区"),
        ("enterprises", enterprise(kind="个体工商"), "choice-unknown", "主体类型", "个体工商户"),
        ("inspectors", inspector(department="市场监督局"), "department-unknown", "部门", "市场监督管理局"),
        ("inspectors", inspector(department="AMRR"), "department-unknown", "部门", "amr"),
        ("inspectors", inspector(districts="420704;华容去"), "district-unknown", "执法区域", "华容区"),
        ("items", item(department="amrs"), "department-unknown", "部门", "amr"),
        ("items", item(category="重要"), "choice-unknown", "事项类别", None),
        ("items", item(basis=""), "cell-empty", "法律依据", None),
    ],
)
def test_an_unknown_word_is_refused_and_the_nearest_suggested(
    read: Read, file: str, row: str, code: str, column: str, suggestion: str | None
) -> None:
    head = {"enterprises": ENTERPRISES, "inspectors": INSPECTORS, "items": ITEMS}[file]
    found = only(read({file: head + row}), code)
    assert (found.file, found.row, found.column) == (f"{file}.csv", 2, column)
    assert found.suggestion == suggestion


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("有限责任公司(自然人投资或控股)", "enterprise"),
        ("股份有限公司（非上市、自然人投资或控股）", "enterprise"),
        ("个人独资企业", "enterprise"),
        ("农民专业合作社分支机构", "cooperative"),
        ("个体工商户", "individual"),
    ],
)
def test_the_registers_own_types_of_enterprises_are_understood(read: Read, written: str, kind: str) -> None:
    result = read({"enterprises": ENTERPRISES + enterprise(kind=written, **{"class": "A类(低风险)"})})
    assert result.problems == ()
    assert [(each.kind, each.credit_class) for each in result.libraries.enterprises] == [(kind, "A")]


def test_an_unknown_place_is_answered_with_the_names_that_are_known(read: Read) -> None:
    found = only(
        read({"enterprises": ENTERPRISES + enterprise(district="湖北省鄂州市鄂城区")}), "district-unknown"
    )
    assert found.suggestion == "鄂城区"
    assert "420704 鄂城区" in found.remedy_zh


@pytest.mark.parametrize("written", ["全市", "全部", "不限", "ALL"])
def test_who_serves_the_whole_city_may_say_so(read: Read, written: str) -> None:
    result = read({"inspectors": INSPECTORS + inspector(districts=written)})
    assert (result.problems, result.libraries.inspectors[0].districts) == ((), ())


def test_names_stand_for_ids_and_class_suffixes_are_understood(read: Read) -> None:
    result = read(
        {
            "enterprises": ENTERPRISES + enterprise(district="鄂城区", **{"class": "b类"}),
            "inspectors": INSPECTORS + inspector(department="Market Regulation", districts="华容区、鄂城区"),
        }
    )
    assert result.problems == ()
    assert (result.libraries.enterprises[0].district, result.libraries.enterprises[0].credit_class) == (
        "420704",
        "B",
    )
    assert result.libraries.inspectors[0].department == "amr"
    assert result.libraries.inspectors[0].districts == ("420703", "420704")


def test_a_plan_without_districts_takes_those_of_its_enterprises(read: Read, plan: Make) -> None:
    free = plan(districts=())
    assert read({"enterprises": ENTERPRISES + enterprise(district="60606")}, free).problems == ()
    only(read({"enterprises": ENTERPRISES + enterprise(district="鄂城区")}, free), "district-pattern")
    found = only(read({"inspectors": INSPECTORS + inspector(districts="420705")}, free), "district-unknown")
    assert found.suggestion == "420704"


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("企业", "enterprise"),
        ("enterprise", "enterprise"),
        ("", "enterprise"),
        ("农民专业合作社", "cooperative"),
        ("Cooperative", "cooperative"),
        ("个体工商户", "individual"),
        ("学校", "学校"),
    ],
)
def test_kinds_of_objects_have_chinese_and_english_names(
    read: Read, plan: Make, task: Make, written: str, kind: str
) -> None:
    scoped = plan(
        tasks=(task(scope=task().scope.__class__(kinds=("学校", "enterprise", "cooperative", "individual"))),)
    )
    result = read({"enterprises": ENTERPRISES + enterprise(kind=written)}, scoped)
    assert {found.code for found in result.problems} <= {"scope-matches-nothing"}
    assert result.libraries.enterprises[0].kind == kind


# --- numbers and dates --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("-1", "number-negative"),
        ("2.5", "number-not-whole"),
        ("两", "number-invalid"),
        ("1e3", "number-invalid"),
    ],
)
def test_a_cap_is_a_whole_number_that_is_not_negative(read: Read, written: str, code: str) -> None:
    found = only(read({"inspectors": INSPECTORS + inspector(daily=written)}), code)
    assert (found.column, found.value) == ("每日上限", written)


def test_caps_are_read_and_empty_ones_left_to_the_plan(read: Read) -> None:
    result = read({"inspectors": INSPECTORS + inspector(daily="2.0", total="０") + inspector("p2")})  # noqa: RUF001
    assert [(each.daily, each.total) for each in result.libraries.inspectors] == [(2, 0), (None, None)]


@pytest.mark.parametrize(
    ("written", "hours"),
    [
        ("", Fraction(1)),
        ("2", Fraction(2)),
        ("1.5", Fraction(3, 2)),
        ("1/2", Fraction(1, 2)),
        ("0", Fraction(0)),
    ],
)
def test_hours_are_exact(read: Read, written: str, hours: Fraction) -> None:
    assert read({"items": ITEMS + item(hours=written)}).libraries.items[0].hours == hours


@pytest.mark.parametrize(
    ("written", "code"), [("-1", "number-negative"), ("1/0", "number-invalid"), ("半天", "number-invalid")]
)
def test_hours_that_are_none_are_refused(read: Read, written: str, code: str) -> None:
    only(read({"items": ITEMS + item(hours=written)}), code)


@pytest.mark.parametrize(
    "written",
    [
        "2023-09-04",
        "2023/9/4",
        "2023.9.4",
        "2023年9月4日",
        "2023 年 9 月 4 日",
        "20230904",
        "45173",
        "2023-09-04 00:00:00",
        "2023-9-4 8:30",
        "２０２３-09-04",  # noqa: RUF001
    ],
)
def test_a_date_may_be_written_in_the_usual_ways(read: Read, written: str) -> None:
    result = read({"enterprises": ENTERPRISES + enterprise(closed=written)})
    assert result.problems == ()
    assert result.libraries.enterprises[0].closed == (date(2023, 9, 4),)


def test_the_day_number_of_an_old_firm_is_a_date(read: Read) -> None:
    text = ENTERPRISES.rstrip("\n") + ",成立日期\n" + enterprise().rstrip("\n") + ",35916\n"
    assert read({"enterprises": text}).libraries.enterprises[0].established == date(1998, 5, 1)


@pytest.mark.parametrize(
    "written",
    ["2023-02-30", "9/4/2023", "4.9.23", "2023-13-01", "明天", "20231301", "12345", "2023-09", "2023-09/04"],
)
def test_what_is_no_date_or_could_be_two_is_refused(read: Read, written: str) -> None:
    assert (
        only(read({"enterprises": ENTERPRISES + enterprise(closed=written)}), "date-invalid").value == written
    )


@pytest.mark.parametrize("separator", [";", "；", "、", " ", "，"])
def test_lists_of_dates_may_hold_runs_of_days(read: Read, separator: str) -> None:
    written = separator.join(("2023-09-06~2023-09-08", "2023-09-04", "2023/9/4"))
    result = read({"inspectors": INSPECTORS + inspector(off=written)})
    assert result.libraries.inspectors[0].days_off == tuple(date(2023, 9, number) for number in (4, 6, 7, 8))


@pytest.mark.parametrize(
    "written",
    ["2023-09-04-2023-09-05", "2023.9.4-2023.9.5", "2023年9月4日 - 2023年9月5日", "2023/9/4--2023/9/5"],
)
def test_a_hyphen_between_two_whole_dates_is_a_run_of_days(read: Read, written: str) -> None:
    result = read({"inspectors": INSPECTORS + inspector(off=written)})
    assert result.libraries.inspectors[0].days_off == (date(2023, 9, 4), date(2023, 9, 5))


@pytest.mark.parametrize("written", ["2023-09-08~2023-09-06", "2020-01-01至2023-01-01"])
def test_a_run_of_days_that_is_reversed_or_endless_is_refused(read: Read, written: str) -> None:
    only(read({"inspectors": INSPECTORS + inspector(off=written)}), "date-range-invalid")


# --- text ---------------------------------------------------------------------------------------------------------


def test_garbled_text_is_read_with_a_warning(read: Read) -> None:
    assert only(read({"enterprises": ENTERPRISES + enterprise(name="甲�公司")}), "garbled").row == 2


@pytest.mark.parametrize("hidden", ["\u202e", "\u200b", "\ue000", "\x00"])
def test_what_a_person_cannot_see_in_a_name_is_told(read: Read, hidden: str) -> None:
    result = read({"enterprises": ENTERPRISES + enterprise(name=f"甲{hidden}公司")})
    assert only(result, "garbled").row == 2


def test_rare_characters_of_a_name_are_kept_without_a_word(read: Read) -> None:
    result = read({"enterprises": ENTERPRISES + enterprise(name="𠮷㐱\u3000公司😀")})
    assert (result.problems, result.libraries.enterprises[0].name) == ((), "𠮷㐱\u3000公司😀")


def test_names_are_stored_in_one_unicode_form(read: Read) -> None:
    result = read({"enterprises": ENTERPRISES + enterprise(name="Cafe\u0301")})
    assert result.libraries.enterprises[0].name == "Café"


# --- marks, grounds, kinds of visits ------------------------------------------------------------------------------


def test_marks_are_codes_and_the_leader_has_a_chinese_name(read: Read) -> None:
    result = read({"inspectors": INSPECTORS + inspector(marks="组长；food food")})
    assert result.libraries.inspectors[0].marks == ("food", "leader")
    found = only(read({"inspectors": INSPECTORS + inspector(marks="组长;特种设备")}), "mark-pattern")
    assert (found.column, found.value) == ("标记/资格", "特种设备")


def test_marks_are_mapped_one_by_one(read: Read, plan: Make, source: Make) -> None:
    mapped = source("inspectors.csv", values={"marks": {"特种设备": "special", "食品": "food"}})
    result = read(
        {"inspectors": INSPECTORS + inspector(marks="特种设备;食品;leader")},
        plan(libraries={"inspectors": mapped}),
    )
    assert result.libraries.inspectors[0].marks == ("food", "leader", "special")


@pytest.mark.parametrize(
    ("written", "ground"),
    [("夫妻", "spouse"), ("企业申请", "application"), ("x-17", "x-17"), ("In-Law", "in-law")],
)
def test_grounds_are_codes_with_chinese_names(read: Read, written: str, ground: str) -> None:
    result = read({"recusals": RECUSALS + f"p1,{FIRM},{written}\n"})
    assert [each.ground for each in result.libraries.recusals] == [ground]


def test_an_unknown_ground_is_refused(read: Read) -> None:
    assert (
        only(read({"recusals": RECUSALS + f"p1,{FIRM},直系亲属\n"}), "choice-unknown").suggestion
        == "直系血亲"
    )


@pytest.mark.parametrize(
    ("written", "kind"),
    [("", "plan"), ("计划", "plan"), ("个案", "case"), ("专项", "special"), ("Case", "case")],
)
def test_kinds_of_visits_have_chinese_and_english_names(read: Read, written: str, kind: str) -> None:
    result = read({"visits": VISITS + f"{FIRM},2023-03-01,amr,t01,i01,p1;p2,{written}\n"})
    assert result.problems == ()
    (visit,) = result.libraries.visits
    assert (visit.kind, visit.inspectors, visit.date) == (kind, ("p1", "p2"), date(2023, 3, 1))


# --- all at once --------------------------------------------------------------------------------------------------


def test_all_faults_of_all_files_are_reported_at_once_in_the_order_of_rows(read: Read) -> None:
    result = read(
        {
            "enterprises": ENTERPRISES
            + enterprise(
                id="914207040000000000", name="", district="1", kind="x", closed="y", **{"class": "Z"}
            )
            + enterprise(id=OTHER)
            + enterprise(**{"class": "E"}),
            "inspectors": INSPECTORS + inspector(department="none", daily="-1", until="2020-01-01"),
            "items": ITEMS + item(basis="", hours="x"),
        }
    )
    found = [(each.file, each.row, each.code) for each in result.problems]
    assert found == [
        ("enterprises.csv", 2, "uscc-check-digit"),
        ("enterprises.csv", 2, "cell-empty"),
        ("enterprises.csv", 2, "district-unknown"),
        ("enterprises.csv", 2, "class-unknown"),
        ("enterprises.csv", 2, "choice-unknown"),
        ("enterprises.csv", 2, "date-invalid"),
        ("enterprises.csv", 4, "class-unknown"),
        ("inspectors.csv", 2, "department-unknown"),
        ("inspectors.csv", 2, "number-negative"),
        ("inspectors.csv", 2, "licence-expired"),
        ("items.csv", 2, "cell-empty"),
        ("items.csv", 2, "number-invalid"),
    ]
    assert result.errors == len(found)
    assert result.libraries == result.libraries.__class__((), (), (), (), ())


rows = st.lists(
    st.sampled_from(
        [
            f"p1,{FIRM},夫妻",
            f"p1,{FIRM},other",
            f"p2,{OTHER},interest",
            "p1,p2,kin",
            "p2,p1,spouse",
            "p2,p1,kin",
            f"p1,{OTHER},interest",
        ]
    ),
    min_size=1,
    max_size=9,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(recusals=rows, random=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(read: Read, recusals: list[str], random: Any) -> None:
    firms = [
        enterprise(id=FIRM),
        enterprise(id=OTHER),
        enterprise(id=OTHER),
        enterprise(id="91420704MA0000017E"),
    ]
    people = [inspector("p1"), inspector("p2", name="李四"), inspector("p10")]
    visits = [
        f"{FIRM},2023-03-01,amr,t01,i01,p2;p1,",
        f"{OTHER},2023-02-01,amr,,,,个案",
        f"{FIRM},2023-03-01,amr,t01,i01,p1;p2,",
    ]

    def files(*parts: list[str]) -> dict[str, str]:
        heads = {"enterprises": ENTERPRISES, "inspectors": INSPECTORS, "recusals": RECUSALS, "visits": VISITS}
        return {
            kind: head + "".join(line.rstrip("\n") + "\n" for line in part)
            for (kind, head), part in zip(heads.items(), parts, strict=True)
        }

    before = read(files(firms, people, recusals, visits))
    assert before.errors == 0
    for part in (firms, people, recusals, visits):
        random.shuffle(part)
    assert read(files(firms, people, recusals, visits)).libraries == before.libraries
    assert list(before.libraries.enterprises) == sorted(
        before.libraries.enterprises, key=lambda each: each.id
    )
    pairs = [(each.inspector, each.other) for each in before.libraries.recusals]
    assert pairs == sorted(set(pairs))
    assert len(before.libraries.visits) == 2


def test_a_district_may_be_named_in_english(read: Read, plan: Make) -> None:
    named = plan(districts=(Named("d1", "环线区", "The Loop"), Named("420703", "华容区", "Huarong")))
    result = read(
        {
            "enterprises": ENTERPRISES + enterprise(district="the loop"),
            "inspectors": INSPECTORS + inspector(districts="The Loop"),
        },
        named,
    )
    assert result.problems == ()
    assert result.libraries.inspectors[0].districts == ("d1",)
