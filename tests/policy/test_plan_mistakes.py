"""Every mistake in a plan is refused with its key, its line and what to do, and all of them at once."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualrandom.errors import Problem
from dualrandom.policy.reader import parse_plan, read_plan

PLAN = """\
[plan]
id = "2023-09"
authority = "ezhou"
authority_name = "鄂州市双随机办"
period = { start = 2023-09-01, end = 2023-09-30 }

[beacon]
round = 1000

[auditor]
name = "市审计局"

[policy]

[[districts]]
id = "420702"
name = "梁子湖区"

[[departments]]
id = "amr"
name = "市场监管局"

[[departments]]
id = "fire"
name = "消防救援支队"

[[tasks]]
id = "t01"
name = "公示信息抽查"
department = "amr"
items = ["i01"]
ratios = { A = "1%", B = "2%", C = "10%", D = "30%" }

[[tasks]]
id = "t02"
name = "联合抽查"
department = "fire"
items = ["i02"]
mode = "follows"
lead = "t01"
"""
RATIOS = 'ratios = { A = "1%", B = "2%", C = "10%", D = "30%" }'
KEY = "A" * 43 + "="


def errors_of(text: str) -> list[Problem]:
    result = parse_plan(text.encode())
    errors = [problem for problem in result.problems if problem.severity == "error"]
    assert (result.plan is None) == bool(errors)
    return errors


def after(header: str, lines: str) -> tuple[str, str]:
    return header, f"{header}\n{lines}"


def test_the_plan_that_all_mistakes_are_made_in_is_right() -> None:
    assert errors_of(PLAN) == []


MISTAKES: list[tuple[tuple[str, str], str, str]] = [
    # keys and types
    (('id = "2023-09"\n', ""), "plan-missing-key", "plan.id"),
    (("[beacon]\nround = 1000\n", ""), "plan-missing-key", "beacon"),
    (after("[plan]", "periods = 3"), "plan-unknown-key", "plan.periods"),
    (('"2023-09"', '"二〇二三"'), "plan-id", "plan.id"),
    (('"2023-09"', "202309"), "plan-type", "plan.id"),
    (after("[plan]", 'number = "1"'), "plan-type", "plan.number"),
    (after("[plan]", "number = true"), "plan-type", "plan.number"),
    (after("[plan]", "number = 0"), "plan-range", "plan.number"),
    (after("[plan]", "months_left = 13"), "plan-range", "plan.months_left"),
    (after("[plan]", 'suite = "sha-256"'), "plan-choice", "plan.suite"),
    (after("[plan]", 'language = "cn"'), "plan-choice", "plan.language"),
    (('"鄂州市双随机办"', '" "'), "plan-text", "plan.authority_name"),
    (('"鄂州市双随机办"', '"a\\u0000b"'), "plan-text", "plan.authority_name"),
    (after("[plan]", 'timezone = "Asia/Bejing"'), "plan-timezone", "plan.timezone"),
    (after("[plan]", 'timezone = "../etc/passwd"'), "plan-timezone", "plan.timezone"),
    (after("[plan]", 'classes = ["A", "B", "C", "D", "D"]'), "plan-twice", "plan.classes"),
    (("2023-09-01", '"2023-09-01"'), "plan-type", "plan.period.start"),
    # period, days, deadlines
    (("2023-09-30", "2023-08-30"), "plan-period", "plan.period"),
    (("2023-09-30", "2024-01-01"), "plan-period", "plan.period"),
    (("start = 2023-09-01, end = 2023-09-30", "start = 2023-09-02, end = 2023-09-03"), "plan-no-day", "plan.period"),
    (after("[policy]", "[days]\nextra = [2023-10-07]"), "plan-day-outside", "days.extra"),
    (after("[policy]", "[days]\nextra = [2023-09-09]\nclosed = [2023-09-09]"), "plan-day-both", "days.closed"),
    (after("[policy]", "[deadlines]\nresult = 2023-08-25T00:00:00"), "plan-offset", "deadlines.result"),
    (after("[policy]", "[deadlines]\nresult = 2023-08-25T00:00:00.5Z"), "plan-instant", "deadlines.result"),
    (after("[policy]", "[deadlines]\nreveal = 2023-08-24T00:00:00Z"), "plan-deadline-order", "deadlines.reveal"),
    (after("[policy]", "[deadlines]\nresult = 2023-08-23T00:00:00Z"), "plan-deadline-order", "deadlines.result"),
    (after("[policy]", "[deadlines]\nresult = 2023-12-24T00:00:00Z"), "plan-deadline-order", "deadlines.result"),
    (after("[policy]", "[deadlines]\nfindings = 2023-08-24T00:00:00Z"), "plan-deadline-order", "deadlines.findings"),
    # beacon
    (after("[beacon]", f'source = "{"0" * 64}"'), "plan-beacon-source", "beacon.source"),
    (("round = 1000", 'round = "01000"'), "plan-beacon-round", "beacon.round"),
    (("round = 1000", "round = 0"), "plan-beacon-round", "beacon.round"),
    (("round = 1000", 'kind = "drand"'), "plan-beacon", "beacon"),
    (after("[beacon]", "time = 2023-08-23T15:59:27Z"), "plan-beacon-time", "beacon.time"),
    (("round = 1000", 'kind = "local"\nround = 1000\ntime = 2023-08-23T00:00:00Z'), "plan-beacon-local", "beacon.round"),
    (("round = 1000", 'kind = "local"'), "plan-beacon", "beacon.time"),
    (("round = 1000", 'kind = "keystring"\nround = "7"\ntime = 2023-08-23T00:00:00Z'), "plan-beacon", "beacon.source"),
    # disclosure
    (('[auditor]\nname = "市审计局"\n', ""), "plan-auditor", "auditor"),
    (after("[plan]", 'rounding = "unbiased"'), "plan-rounding", "plan.rounding"),
    (after("[plan]", 'classes_public = "x"'), "plan-classes-sealed", "plan.classes_public"),
    (after("[auditor]", 'key = "abc"'), "plan-base64", "auditor.key"),
    (after("[auditor]", f'key = "{"A" * 42}B="'), "plan-base64", "auditor.key"),
    # contributions
    (after("[policy]", '[[contributions]]\nparty="x"\nname="x"\nkey="' + KEY + '"'), "plan-contribution", "contributions[1]"),
    (
        after("[policy]", '[[contributions]]\nparty="x"\nname="x"\n[[contributions]]\nparty="x"\nname="y"'),
        "plan-id-twice",
        "contributions[2].party",
    ),
    (
        after(
            "[policy]",
            f'[[contributions]]\nparty="x"\nname="x"\nkey="{KEY}"\ncommitment="{"AB" * 32}"\nsignature="{"A" * 86}=="',
        ),
        "plan-hex",
        "contributions[1].commitment",
    ),
    # departments
    (after("[policy]", '[[departments]]\nid = "AMR"\nname = "x"'), "plan-id-case", "departments[2].id"),
    (after("[policy]", '[[departments]]\nid = "amr"\nname = "x"'), "plan-id-twice", "departments[2].id"),
    (('name = "消防救援支队"', 'name = "x"\nseats = [["leader"]]'), "plan-seats", "departments[2].seats"),
    (('name = "消防救援支队"', 'name = "x"\nseats = ["leader", ""]'), "plan-type", "departments[2].seats"),
    (('name = "消防救援支队"', 'name = "x"\nseats = [["组长"], []]'), "plan-id", "departments[2].seats[1][1]"),
    (('name = "消防救援支队"', 'name = "x"\nseats = [["GSP"], ["gsp"]]'), "plan-id-case", "departments[2].seats"),
    # tasks
    (('department = "amr"', 'department = "arm"'), "plan-unknown-id", "tasks[1].department"),
    (('id = "t02"', 'id = "T01"'), "plan-id-case", "tasks[2].id"),
    (('items = ["i01"]', "items = []"), "plan-empty", "tasks[1].items"),
    (('items = ["i01"]', 'items = ["i01", "i01"]'), "plan-twice", "tasks[1].items"),
    (('items = ["i01"]', 'items = ["I02"]'), "plan-id-case", "tasks[2].items"),
    (('lead = "t01"', 'lead = "t03"'), "plan-lead", "tasks[2].lead"),
    (('lead = "t01"', 'lead = "t02"'), "plan-lead", "tasks[2].lead"),
    (('lead = "t01"\n', ""), "plan-lead", "tasks[2].lead"),
    ((RATIOS, RATIOS + '\nlead = "t02"'), "plan-lead", "tasks[1].lead"),
    (('lead = "t01"', f'lead = "t01"\n{RATIOS}'), "plan-follows", "tasks[2].ratios"),
    (('lead = "t01"', 'lead = "t01"\nfrequency = 2'), "plan-follows", "tasks[2].frequency"),
    ((RATIOS, ""), "plan-quota", "tasks[1]"),
    (
        (RATIOS, RATIOS + "\nbudget = { visits = 4, weights = { A = 1, B = 1, C = 1, D = 1 } }"),
        "plan-quota",
        "tasks[1].budget",
    ),
    (('A = "1%", ', ""), "plan-class-missing", "tasks[1].ratios"),
    (('D = "30%"', 'D = "30%", E = "1%"'), "plan-unknown-id", "tasks[1].ratios.E"),
    (('"30%"', "30"), "plan-range", "tasks[1].ratios.D"),
    (('"30%"', '"130%"'), "plan-range", "tasks[1].ratios.D"),
    (('"30%"', "-0.3"), "plan-number", "tasks[1].ratios.D"),
    (('"30%"', "nan"), "plan-number", "tasks[1].ratios.D"),
    (('"30%"', "1e999999999"), "plan-number", "tasks[1].ratios.D"),
    (('"30%"', '"1/0"'), "plan-number", "tasks[1].ratios.D"),
    (('"30%"', '"30％"'), "plan-number", "tasks[1].ratios.D"),
    ((RATIOS, "budget = { visits = 0, weights = { A = 1, B = 1, C = 1, D = 1 } }"), "plan-range", "tasks[1].budget.visits"),
    ((RATIOS, "budget = { visits = 9, weights = { A = 0, B = 0, C = 0, D = 0 } }"), "plan-weights", "tasks[1].budget.weights"),
    ((RATIOS, RATIOS + '\ncontrol = "two-way"'), "plan-two-way", "tasks[1].control"),
    (
        (RATIOS, RATIOS + '\nstrata_by = ["class", "district"]\ngroup_by = "district"\ncontrol = "two-way"'),
        "plan-two-way",
        "tasks[1].control",
    ),
    (
        (RATIOS, RATIOS + '\nstrata_by = ["class", "kind"]\ngroup_by = "class"\ncontrol = "two-way"'),
        "plan-two-way",
        "tasks[1].control",
    ),
    (('lead = "t01"', 'lead = "t01"\ncontrol = "two-way"'), "plan-two-way", "tasks[2].control"),
    ((RATIOS, RATIOS + "\nfrequency = 0"), "plan-range", "tasks[1].frequency"),
    ((RATIOS, RATIOS + '\nstrata_by = ["district"]'), "plan-strata", "tasks[1].strata_by"),
    ((RATIOS, RATIOS + '\ngroup_by = "district"'), "plan-strata", "tasks[1].group_by"),
    ((RATIOS, RATIOS + '\nscope = { districts = ["420703"] }'), "plan-unknown-id", "tasks[1].scope.districts"),
    ((RATIOS, RATIOS + '\nscope = { classes = ["E"] }'), "plan-unknown-id", "tasks[1].scope.classes"),
    ((RATIOS, RATIOS + '\nscope = { kind = ["x"] }'), "plan-unknown-key", "tasks[1].scope.kind"),
    # policy
    (after("[policy]", "cross_district = true"), "plan-cross-district", "policy.cross_district_basis"),
    (after("[policy]", 'cross_district_basis = "鄂州府办 2023 年 1 号"'), "plan-cross-district", "policy.cross_district_basis"),
    (after("[policy]", 'relief = [{ kind = "lend", department = "amr" }]'), "plan-cross-district", "policy.cross_district_basis"),
    (after("[policy]", 'relief = [{ kind = "daily", department = "amr" }]'), "plan-relief", "policy.relief[1].amount"),
    (after("[policy]", 'relief = [{ kind = "seats", department = "amr", amount = 1 }]'), "plan-relief", "policy.relief[1].amount"),
    (after("[policy]", 'relief = [{ kind = "total", department = "amt", amount = 1 }]'), "plan-unknown-id", "policy.relief[1].department"),
    (after("[policy]", 'relief = [{ kind = "hours", department = "amr", amount = 1 }]'), "plan-choice", "policy.relief[1].kind"),
    (after("[policy]", "visit_limit = { departments = 0 }"), "plan-range", "policy.visit_limit.departments"),
    (after("[policy]", "visit_limit = { hours = 0 }"), "plan-range", "policy.visit_limit.hours"),
    (after("[policy]", "visit_limit = {}"), "plan-empty", "policy.visit_limit"),
    (after("[policy]", "[caps]\ndaily = 0"), "plan-range", "caps.daily"),
    # libraries
    (after("[policy]", '[libraries.items]\nfile = "../items.csv"'), "plan-library-file", "libraries.items.file"),
    (after("[policy]", '[libraries.items]\nfile = "items.doc"'), "plan-library-file", "libraries.items.file"),
    (after("[policy]", '[libraries.items]\nfile = "items.csv"\nsheet = "1"'), "plan-library-option", "libraries.items.sheet"),
    (after("[policy]", '[libraries.item]\nfile = "items.csv"'), "plan-unknown-key", "libraries.item"),
    (
        after("[policy]", '[libraries.items]\nfile = "items.csv"\ncolumns = { nme = "名称" }'),
        "plan-unknown-key",
        "libraries.items.columns.nme",
    ),
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "code", "key"), MISTAKES, ids=[f"{code} {key}" for _, code, key in MISTAKES]
)
def test_a_mistake_is_found_alone_at_its_key_and_line(change: tuple[str, str], code: str, key: str) -> None:
    old, new = change
    assert old in PLAN
    text = PLAN.replace(old, new, 1)
    errors = errors_of(text)
    assert [(problem.code, problem.column) for problem in errors] == [(code, key)]
    (problem,) = errors
    assert problem.file == "plan.toml"
    for words in (problem.message_zh, problem.message_en, problem.remedy_zh, problem.remedy_en):
        assert words
    if problem.row is not None:
        assert 1 <= problem.row <= text.count("\n") + 1


def test_a_bare_one_among_percentages_is_not_taken_as_all() -> None:
    errors = errors_of(PLAN.replace(RATIOS, "ratios = { A = 1, B = 2, C = 10, D = 30 }", 1))
    assert sorted((found.column, found.suggestion) for found in errors) == [
        (f"tasks[1].ratios.{name}", f'"{count}%"')
        for name, count in (("A", 1), ("B", 2), ("C", 10), ("D", 30))
    ]
    assert errors_of(PLAN.replace(RATIOS, 'ratios = { A = 0, B = "2%", C = 0.1, D = 1 }', 1)) == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("百分之五", '"5%"'),
        ("百分之十二", '"12%"'),
        ("五%", '"5%"'),
        ("5 %", '"5%"'),
        ("五五%", None),
        ("几成", None),
    ],
)
def test_a_ratio_in_words_is_refused_with_what_it_means(written: str, meant: str | None) -> None:
    (found,) = errors_of(PLAN.replace('"30%"', f'"{written}"', 1))
    assert (found.code, found.suggestion) == ("plan-number", meant)


def test_classes_are_not_told_apart_by_case() -> None:
    text = PLAN.replace("[plan]", '[plan]\nclasses = ["A", "B", "C", "D", "d"]').replace(
        'D = "30%"', "D = 1, d = 1"
    )
    assert [(problem.code, problem.column) for problem in errors_of(text)] == [
        ("plan-id-case", "plan.classes")
    ]


def test_open_classes_need_a_reason_and_the_law_is_named() -> None:
    text = PLAN.replace('[auditor]\nname = "市审计局"\n', "").replace("[plan]", '[plan]\ndisclosure = "open"')
    (problem,) = errors_of(text)
    assert (problem.code, problem.column) == ("plan-classes-public", "plan.classes_public")
    assert "internal" in problem.message_en
    assert "内部" in problem.message_zh


def test_an_open_draw_has_no_auditor() -> None:
    text = PLAN.replace("[plan]", '[plan]\ndisclosure = "open"\nclasses_public = "x"')
    assert [problem.code for problem in errors_of(text)] == ["plan-auditor-open"]


@pytest.mark.parametrize(
    ("strata_by", "group_by"), [('"class", "district"', "class"), ('"district", "class"', "district")]
)
def test_two_way_control_is_accepted_for_class_and_district_grouped_by_the_first(
    strata_by: str, group_by: str
) -> None:
    keys = f'strata_by = [{strata_by}]\ngroup_by = "{group_by}"\ncontrol = "two-way"'
    plan = parse_plan(PLAN.replace(RATIOS, f"{RATIOS}\n{keys}").encode()).plan
    assert plan is not None
    assert [task.control for task in plan.tasks] == ["two-way", "one-way"]


def test_two_way_control_of_whole_samples_is_warned_of_with_what_to_do() -> None:
    keys = 'strata_by = ["class", "district"]\ngroup_by = "class"\ncontrol = "two-way"'
    sealed = PLAN.replace(RATIOS, f"{RATIOS}\n{keys}")
    opened = sealed.replace('[auditor]\nname = "市审计局"\n', "").replace(
        "[plan]", '[plan]\ndisclosure = "open"\nclasses_public = "x"'
    )
    for text, remedy in (
        (sealed, "Take control out; only an open draw"),
        (opened, 'Set rounding = "unbiased"'),
    ):
        (problem,) = [one for one in parse_plan(text.encode()).problems if one.code == "plan-two-way-idle"]
        assert (problem.severity, problem.column) == ("warning", "tasks[1].control")
        assert problem.remedy_en.startswith(remedy)
        assert problem.row is not None
    rounded = opened.replace("[plan]", '[plan]\nrounding = "unbiased"')
    assert parse_plan(rounded.encode()).problems == ()


def test_all_mistakes_are_reported_at_once_in_the_order_of_lines() -> None:
    text = PLAN
    for old, new in (
        ('authority = "ezhou"', 'authority = "鄂州"'),
        ("2023-09-30", "2023-08-30"),
        ("round = 1000", "round = 1000\ntime = 2023-08-23T16:00:00Z"),
        ("[auditor]", "[auditer]"),
        ('department = "amr"', 'department = "arm"'),
        ('"30%"', '"300%"'),
        ('lead = "t01"', 'lead = "t1"'),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    found = [(problem.row, problem.column) for problem in errors_of(text)]
    assert found == sorted(found, key=lambda each: each[0] or 0)
    assert {column for _, column in found} == {
        "auditor", "auditer", "plan.authority", "plan.period", "beacon.time", "tasks[1].department",
        "tasks[1].ratios.D", "tasks[2].lead",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "suggestion"),
    [
        (('authority_name = "', 'authority_nam = "'), "authority_name"),
        (('department = "amr"', 'department = "arm"'), "amr"),
        (('mode = "follows"', 'mode = "follow"'), "follows"),
        (('D = "30%"', "D = 30"), '"30%"'),
        (('"30%"', '"30％"'), '"30%"'),
        (("2023-09-01", '"2023年9月1日"'), "2023-09-01"),
        (("[plan]", '[plan]\ntimezone = "Asia/Beijing"'), "Asia/Shanghai"),
        (("[beacon]", "[beacon]\ntime = 2023-08-23T15:59:25Z"), "2023-08-23T15:59:24Z"),
    ],
)
def test_what_was_probably_meant_is_suggested_at_its_line(change: tuple[str, str], suggestion: str) -> None:
    old, new = change
    text = PLAN.replace(old, new, 1)
    line = text[: text.index(new) + len(new)].count("\n") + 1
    assert (line, suggestion) in [(problem.row, problem.suggestion) for problem in errors_of(text)]


@pytest.mark.parametrize(
    ("content", "code", "line", "hint"),
    [
        (b"[plan]\nid = \xe2\x80\x9c2023\xe2\x80\x9d\n", "plan-syntax", 2, "“”"),
        (b"[plan]\nid = 'a'\nid = 'b'\n", "plan-syntax", 3, ""),
        (b"[plan\n", "plan-syntax", 1, ""),
        ("[plan]\nid = '鄂'\n".encode("gbk"), "plan-encoding", 2, "UTF-8"),
        (b"x = " + b"[" * 5000, "plan-syntax", 1, ""),
        (b"#" * (5 << 20), "plan-unreadable", None, ""),
    ],
)
def test_what_is_no_toml_at_all_is_explained(content: bytes, code: str, line: int | None, hint: str) -> None:
    result = parse_plan(content)
    assert result.plan is None
    (problem,) = result.problems
    assert problem.code == code
    assert problem.row == line
    assert hint in problem.remedy_zh


def test_a_missing_file_is_a_problem_and_no_exception(tmp_path: Path) -> None:
    (problem,) = read_plan(tmp_path / "plan.toml").problems
    assert problem.code == "plan-unreadable"


def test_a_year_without_a_notice_of_holidays_says_what_to_do() -> None:
    text = PLAN.replace("2023-09", "2099-09").replace("round = 1000", "time = 2099-08-01T00:00:00Z")
    errors = errors_of(text)
    assert {problem.code for problem in errors} == {"working-days-unknown"}
    assert {problem.column for problem in errors} == {"deadlines.findings", "days.working"}


LINES = PLAN.splitlines()
JUNK = [
    "x = 1",
    "[plan]",
    "[[tasks]]",
    "id = []",
    "policy = 3",
    "tasks = 3",
    "",
    'auditor = "x"',
    "[tasks.scope]",
    "= 3",
]


@given(st.lists(st.tuples(st.integers(0, len(LINES) - 1), st.sampled_from([*JUNK, *LINES])), max_size=6))
def test_no_rearranged_file_makes_the_reader_fail(changes: list[tuple[int, str]]) -> None:
    lines = list(LINES)
    for place, line in changes:
        lines[place] = line
    assert all(error.remedy_zh and error.remedy_en for error in errors_of("\n".join(lines)))


TOML = st.recursive(
    st.sampled_from(
        ["1", "-3", "0.5", "true", '"A"', '""', "2023-09-01", "2023-09-01T00:00:00Z", "12:00:00", "nan"]
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
        st.dictionaries(st.sampled_from(["id", "A", "kind", "start"]), inner, max_size=3).map(
            lambda parts: "{" + ", ".join(f"{key} = {value}" for key, value in parts.items()) + "}"
        ),
    ),
    max_leaves=5,
)


@given(st.sampled_from([line.split(" = ")[0] for line in LINES if " = " in line]), TOML)
def test_no_value_of_another_type_makes_the_reader_fail(key: str, value: str) -> None:
    lines = [f"{key} = {value}" if line.startswith(f"{key} = ") else line for line in LINES]
    assert all(error.remedy_zh and error.remedy_en for error in errors_of("\n".join(lines)))


@given(
    st.sampled_from(["plan", "deadlines", "days", "caps", "policy", "beacon", "auditor", "contributions"]),
    TOML,
)
def test_no_table_of_another_type_makes_the_reader_fail(table: str, value: str) -> None:
    found = parse_plan(f"{table} = {value}\n[[tasks]]\nid = 3\n[[departments]]\n".encode())
    assert found.plan is None
