"""Who may be drawn, decided by scope, policies and the visit ledger; each reason is the first that holds."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dualrandom.eligibility import exclusion, later, normal_address, year_to_date
from dualrandom.explain.grounds import grounds, history
from dualrandom.frame import freeze, membership
from dualrandom.policy.documents import Policy, parse_policy
from dualrandom.policy.plan import Caps, Exemption, Plan, Scope
from dualrandom.reasons import NOT_OWED, REASONS
from dualrandom.registry.models import Enterprise, Libraries, PastVisit

START = date(2026, 11, 2)


def firm(name: str = "e1", **changes: Any) -> Enterprise:
    return replace(
        Enterprise(name, "企业", "d1", "A", "enterprise", "5211", "餐饮", "示范路 1 号", ()), **changes
    )


def visit(day: str, **changes: Any) -> PastVisit:
    base = PastVisit("e1", date.fromisoformat(day), "amr", "", "t1-item", (), "plan")
    return replace(base, **changes)


def policy(*rules: str) -> Policy:
    text = '[policy]\nid = "own"\nversion = "1"\nname = "细则"\nlevel = "city"\nauthority = "市"\n'
    for number, rule in enumerate(rules):
        text += f'[[rules]]\nid = "r{number}"\nsource = "第 {number} 条"\n{rule}\n'
    found = parse_policy(text.encode(), "own.toml")
    assert found.policy is not None, found.problems
    return found.policy


@pytest.fixture
def reason(make_plan: Callable[..., Plan], make_task: Callable[..., Any]) -> Callable[..., str | None]:
    """Return a function: rules, visits, the firm → why task t1 may not draw it."""

    def of(
        *rules: str,
        visits: tuple[PastVisit, ...] = (),
        one: Enterprise | None = None,
        plan: dict[str, Any] | None = None,
        task: dict[str, Any] | None = None,
    ) -> str | None:
        tasks = (make_task("t1", "amr", **(task or {})),)
        made = make_plan(tasks=tasks, policies=(policy(*rules),) if rules else (), **(plan or {}))
        one = one or firm()
        done = year_to_date(made, visits, (), (one,))
        return exclusion(made, tasks[0], one, done)

    return of


def test_two_departments_on_one_day_are_one_visit_and_a_case_visit_is_none(
    reason: Callable[..., Any],
) -> None:
    together = (visit("2026-03-02", item="x"), visit("2026-03-02", department="fire", item="y"))
    case = visit("2026-04-01", item="x", kind="case")
    cap = {"caps": Caps(2, 6, 2)}
    assert reason(visits=(*together, case), plan=cap) is None
    assert reason(visits=(*together, case, visit("2026-06-01", item="x")), plan=cap) == "annual-cap"


def test_special_visits_use_up_the_cap_unless_a_policy_exempts_them(reason: Callable[..., Any]) -> None:
    visits = (visit("2026-03-02", item="x", kind="special"), visit("2026-05-02", item="x"))
    rule = 'kind = "annual-cap"\ntimes = 2'
    assert reason(rule, visits=visits) == "annual-cap"
    assert reason(rule, 'kind = "special-exempt"', visits=visits) is None


def test_a_cap_of_one_class_does_not_bind_another(reason: Callable[..., Any]) -> None:
    rule = 'kind = "annual-cap"\ntimes = 1\nscope = { classes = ["A"] }'
    visits = (visit("2026-03-02", item="x"),)
    assert reason(rule, visits=visits) == "annual-cap"
    assert reason(rule, visits=visits, one=firm(credit_class="D")) is None


@pytest.mark.parametrize(
    ("day", "months", "expected"),
    [
        ("2026-08-02", 3, None),
        ("2026-08-03", 3, "interval"),
        ("2025-11-03", 12, "interval"),
        ("2025-11-02", 12, None),
    ],
)
def test_an_interval_ends_on_the_same_day_some_months_later(
    reason: Callable[..., Any], day: str, months: int, expected: str | None
) -> None:
    rule = f'kind = "interval"\nmonths = {months}'
    assert reason(rule, visits=(visit(day, item="x", department="fire"),)) == expected


def test_an_interval_of_the_task_ignores_other_visits(reason: Callable[..., Any]) -> None:
    rule = 'kind = "interval"\nmonths = 6\nof = "task"'
    assert reason(rule, visits=(visit("2026-10-01", item="x"),)) is None
    assert reason(rule, visits=(visit("2026-10-01"),), task={"frequency": 2}) == "interval"
    assert reason(visits=(visit("2026-10-01"),), task={"frequency": 2, "interval": 6}) == "interval"


def test_a_frequency_of_two_is_two_draws_an_interval_apart(reason: Callable[..., Any]) -> None:
    twice = {"frequency": 2, "interval": 6}
    assert reason(visits=(visit("2026-05-02"),), task=twice) is None
    assert reason(visits=(visit("2026-05-03"),), task=twice) == "interval"
    assert reason(visits=(visit("2026-01-05"), visit("2026-07-06")), task=twice) == "done-this-year"


@pytest.mark.parametrize(
    ("rule", "days", "expected"),
    [
        ("times = 2", ("2026-02-01", "2026-05-01"), "item-cap"),
        ("times = 2", ("2025-12-01", "2026-05-01"), None),
        ("times = 1\nmonths = 24", ("2024-11-03",), "item-cap"),
        ("times = 1\nmonths = 24", ("2024-11-02",), None),
    ],
)
def test_an_item_is_checked_so_often_in_a_year_or_in_so_many_months(
    reason: Callable[..., Any], rule: str, days: tuple[str, ...], expected: str | None
) -> None:
    # another department's check of the same item counts too
    visits = tuple(visit(day, department="fire") for day in days)
    assert reason(f'kind = "item-cap"\n{rule}', visits=visits) == expected


def test_a_licences_item_cap_is_for_its_category(reason: Callable[..., Any]) -> None:
    rule = 'kind = "item-cap"\ntimes = 1\nmonths = 60\nscope = { categories = ["计量"] }'
    visits = (visit("2023-05-01", department="fire"),)
    assert reason(rule, visits=visits) is None
    assert reason(rule, visits=visits, one=firm(category="计量")) == "item-cap"


def test_new_firms_are_left_alone_for_a_while(reason: Callable[..., Any]) -> None:
    rule = 'kind = "observation"\nmonths = 6'
    assert reason(rule, one=firm(established=date(2026, 5, 3))) == "observation"
    assert reason(rule, one=firm(established=date(2026, 5, 2))) is None
    assert reason(rule, one=firm()) is None


def test_a_suspended_firm_is_out_if_it_is_suspended_to_the_end(reason: Callable[..., Any]) -> None:
    assert reason(one=firm(suspended_until=date(2026, 11, 6))) == "suspended"
    assert reason(one=firm(suspended_until=date(2026, 11, 5))) is None


RECOGNITION = 'kind = "recognition"\nmonths = 12\nrecognises = { items = ["f7"], departments = ["fire"] }'


def test_another_departments_finding_is_recognised_for_its_months(reason: Callable[..., Any]) -> None:
    assert reason(RECOGNITION, visits=(visit("2025-11-03", department="fire", item="f7"),)) == "recognised"
    assert reason(RECOGNITION, visits=(visit("2025-11-02", department="fire", item="f7"),)) is None
    assert reason(RECOGNITION, visits=(visit("2026-05-02", department="health", item="f7"),)) is None


def test_a_task_with_a_further_item_is_not_replaced_by_recognition(reason: Callable[..., Any]) -> None:
    rule = RECOGNITION + '\nscope = { items = ["t1-item"] }'
    visits = (visit("2026-05-02", department="fire", item="f7"),)
    assert reason(rule, visits=visits) == "recognised"
    assert reason(rule, visits=visits, task={"items": ("other", "t1-item")}) is None


def test_an_exemption_holds_for_its_task_or_for_all(reason: Callable[..., Any]) -> None:
    assert reason(plan={"exemptions": (Exemption("e1", None, "r", "文件"),)}) == "exempt"
    assert reason(plan={"exemptions": (Exemption("e1", "t2", "r", "文件"),)}) is None


def test_the_first_reason_in_the_table_is_given(reason: Callable[..., Any]) -> None:
    order = list(REASONS)
    everything = {
        "plan": {"exemptions": (Exemption("e1", "t1", "r", "文件"),), "caps": Caps(2, 6, 0)},
        "one": firm(suspended_until=date(2026, 12, 31), established=date(2026, 10, 1)),
    }
    assert reason('kind = "observation"\nmonths = 6', **everything) == "exempt"
    everything["plan"] = {"caps": Caps(2, 6, 0)}
    assert reason('kind = "observation"\nmonths = 6', **everything) == "suspended"
    assert order.index("exempt") < order.index("suspended") < order.index("annual-cap")


@pytest.mark.parametrize(
    ("where", "accepted"),
    [
        ("abnormal", {"e2"}),
        ("shared_address >= 2", {"e1", "e3"}),
        ("years_without_report >= 2", {"e2"}),
        ('size = "小型" or street in ["凤凰"]', {"e3", "e4"}),
        ("established < 2020-01-01", {"e4"}),
        ('not industry starts "52"', {"e4"}),
    ],
)
def test_a_filter_asks_what_the_library_knows(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], where: str, accepted: set[str]
) -> None:
    firms = (
        firm("e1"),
        firm("e2", abnormal=True, address="", last_report=2023),
        firm("e3", address="示范路１号", size="小型", last_report=2024),
        firm("e4", address="别处", street="凤凰", established=date(2019, 5, 1), industry="6110"),
    )
    task = make_task("t1", "amr", scope=Scope(where=where))
    plan = make_plan(tasks=(task,))
    done = year_to_date(plan, (), (), firms)
    assert {one.id for one in firms if exclusion(plan, task, one, done) is None} == accepted
    placed = membership(plan, firms, done)
    assert {one.id for one, at in zip(firms, placed.profile.tolist(), strict=True) if at >= 0} == accepted


@pytest.mark.parametrize(
    ("rules", "visits", "changes", "reason", "words"),
    [
        (
            (RECOGNITION,),
            (visit("2026-05-02", department="fire", item="f7"),),
            {},
            "recognised",
            "fire checked f7 on 2026-05-02",
        ),
        (
            ('kind = "annual-cap"\ntimes = 1',),
            (visit("2026-05-02", item="x"),),
            {},
            "annual-cap",
            "1 visiting days this year",
        ),
        (
            ('kind = "item-cap"\ntimes = 1',),
            (visit("2026-05-02"),),
            {},
            "item-cap",
            "checked: t1-item 2026-05-02",
        ),
        ((), (visit("2026-05-02"),), {}, "done-this-year", "1 this year, the last on 2026-05-02"),
        (
            ('kind = "interval"\nmonths = 9',),
            (visit("2026-05-02", item="x"),),
            {},
            "interval",
            "last visit on 2026-05-02, interval 9 months",
        ),
        (
            ('kind = "observation"\nmonths = 9',),
            (),
            {"established": date(2026, 9, 1)},
            "observation",
            "established on 2026-09-01",
        ),
        ((), (), {"suspended_until": date(2027, 1, 1)}, "suspended", "suspended until 2027-01-01"),
    ],
)
def test_every_reason_is_explained_by_what_it_rests_on(
    make_plan: Callable[..., Plan],
    make_task: Callable[..., Any],
    rules: tuple[str, ...],
    visits: tuple[PastVisit, ...],
    changes: dict[str, Any],
    reason: str,
    words: str,
) -> None:
    task, one = make_task("t1", "amr"), firm(**changes)
    plan = make_plan(tasks=(task,), policies=(policy(*rules),) if rules else ())
    done = year_to_date(plan, (*visits, visit("2026-06-01", kind="case")))
    assert exclusion(plan, task, one, done) == reason
    told = grounds(plan, task, one, done, reason)
    assert told is not None
    assert told["en"] == words
    assert history(one.id, done)["cases"] == 1
    exempt = replace(plan, exemptions=(Exemption("e1", None, "r", "文件"),))
    assert grounds(exempt, task, one, year_to_date(exempt, ()), "exempt") == {
        "zh": "r：文件",
        "en": "r: 文件",
    }


def test_recognised_firms_count_apart_from_the_population(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any]
) -> None:
    firms = tuple(firm(f"e{n}", credit_class="D") for n in range(1, 51))
    plan = make_plan(tasks=(make_task("t1", "amr"),), policies=(policy(RECOGNITION),))
    visits = tuple(visit("2026-05-02", enterprise=f"e{n}", department="fire", item="f7") for n in (1, 2, 3))
    placed = membership(plan, firms, year_to_date(plan, visits))
    population = placed.populations["t1"]["D"]
    assert (population.whole, population.eligible, population.done) == (47, 47, 0)
    assert placed.by_task["t1"] == {"recognised": 3}


@pytest.mark.parametrize("registrar", ["420702", "420704", "110000"])
def test_a_branch_or_a_firm_that_moved_belongs_where_it_is_inspected(
    make_plan: Callable[..., Plan], make_task: Callable[..., Any], registrar: str
) -> None:
    plan = make_plan(tasks=(make_task("t1", "amr", strata_by=("class", "district")),))
    before = firm(f"91{registrar}MA000001X0", district="d2")
    others = tuple(firm(f"e{n}", district=district) for n, district in ((1, "d1"), (2, "d2")))
    checked = (visit("2026-05-02", enterprise=before.id, task="t1"),)
    for place in ("d1", "d2"):
        # it moves, and what was checked this year counts where it is now
        moved = (replace(before, district=place), *others)
        placed = membership(plan, moved, year_to_date(plan, checked))
        assert {stratum: (one.whole, one.done) for stratum, one in placed.populations["t1"].items()} == {
            f"A.{d}": (2, 1) if d == place else (1, 0) for d in ("d1", "d2")
        }


def test_the_days_until_a_suspension_ends_are_closed(
    make_plan: Callable[..., Plan], make_libraries: Callable[..., Libraries]
) -> None:
    libraries = make_libraries()
    plan = make_plan()
    first = replace(libraries.enterprises[0], closed=(), suspended_until=date(2026, 11, 3))
    libraries = replace(libraries, enterprises=(first, *libraries.enterprises[1:]))
    days = (START, date(2026, 11, 3), date(2026, 11, 4))
    placed = membership(plan, libraries.enterprises, year_to_date(plan, ()))
    frozen = freeze(plan, libraries, placed, "x-2026-000001", days, None)
    assert frozen.closed[frozen.ids.index(first.id)] == ("2026-11-02", "2026-11-03")


KINDS = st.sampled_from(["plan", "plan", "special", "case"])
ROWS = st.builds(
    PastVisit,
    st.sampled_from(["e1", "e2", "e3"]),
    st.dates(date(2024, 1, 1), date(2026, 11, 30)),
    st.sampled_from(["amr", "fire"]),
    st.sampled_from(["", "t1", "t2"]),
    st.sampled_from(["", "t1-item", "t2-item", "f7"]),
    st.just(()),
    KINDS,
)
RULES = st.lists(
    st.sampled_from(
        [
            'kind = "annual-cap"\ntimes = 2',
            'kind = "interval"\nmonths = 4',
            'kind = "interval"\nmonths = 9\nof = "task"',
            'kind = "item-cap"\ntimes = 1\nmonths = 8',
            'kind = "observation"\nmonths = 6\nscope = { industries = ["52"] }',
            'kind = "special-exempt"',
            RECOGNITION,
        ]
    ),
    unique=True,
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ROWS, max_size=12), RULES, st.integers(1, 2))
def test_what_is_counted_together_is_what_is_decided_one_by_one(
    make_plan: Callable[..., Plan],
    make_task: Callable[..., Any],
    visits: list[PastVisit],
    rules: list[str],
    frequency: int,
) -> None:
    firms = (
        firm("e1"),
        firm("e2", credit_class="D", established=date(2026, 8, 1)),
        firm("e3", credit_class="Z"),
        firm("e4", credit_class="D", industry="61", established=date(2026, 8, 1)),
        firm("e5", suspended_until=date(2027, 1, 1)),
    )
    tasks = (
        make_task("t1", "amr", frequency=frequency),
        make_task("t2", "fire", scope=Scope(industries=("52",))),
    )
    plan = make_plan(tasks=tasks, policies=(policy(*rules),) if rules else ())
    done = year_to_date(plan, visits)
    placed = membership(plan, firms, done)
    for task in tasks:
        reasons = {one.id: exclusion(plan, task, one, done) for one in firms}
        inside = {
            one.id
            for one, at in zip(firms, placed.profile.tolist(), strict=True)
            if at >= 0 and task.id in dict(placed.profiles[at])
        }
        assert inside == {name for name, found in reasons.items() if found is None}
        populations = placed.populations[task.id].values()
        assert sum(one.eligible for one in populations) == len(inside)
        owed = {
            n
            for n, found in reasons.items()
            if found not in {*NOT_OWED, "out-of-scope", "class-without-quota"}
        }
        assert sum(one.whole for one in populations) == len(owed)
        assert sum(placed.by_task[task.id].values()) == sum(
            found not in {None, "out-of-scope", "class-without-quota"} for found in reasons.values()
        )
    # a case visit is visible, but decides nothing
    without = year_to_date(plan, [one for one in visits if one.kind != "case"])
    for task in tasks:
        for one in firms:
            assert exclusion(plan, task, one, without) == exclusion(plan, task, one, done)
    # nor does the order of the ledger's rows
    backwards = membership(plan, firms, year_to_date(plan, visits[::-1]))
    assert backwards.populations == placed.populations


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.none() | st.integers(-3, 12), min_size=1, max_size=12),
    st.lists(st.tuples(st.integers(0, 11), st.sampled_from([None, "t1", "t2"])), max_size=4),
    st.integers(1, 9),
)
def test_who_is_open_on_some_day_and_not_exempt_may_be_drawn_and_the_others_are_counted_by_reason(
    make_plan: Callable[..., Plan],
    make_task: Callable[..., Any],
    make_libraries: Callable[..., Libraries],
    suspensions: list[int | None],
    exemptions: list[tuple[int, str | None]],
    length: int,
) -> None:
    days = tuple(START + timedelta(days=n) for n in range(length))
    firms = tuple(
        firm(f"e{n:02d}", suspended_until=None if late is None else START + timedelta(days=late))
        for n, late in enumerate(suspensions)
    )
    plan = make_plan(
        tasks=(make_task("t1", "amr"), make_task("t2", "fire")),
        period=(days[0], days[-1]),
        exemptions=tuple(Exemption(f"e{n:02d}", task, "r", "文件") for n, task in exemptions),
    )
    placed = membership(plan, firms, year_to_date(plan, ()))
    libraries = replace(make_libraries(), enterprises=firms, recusals=())
    frozen = freeze(plan, libraries, placed, "x-2026-000001", days, None)
    tasks_of = {
        name: set(frozen.profiles[at]) for name, at in zip(frozen.ids, frozen.profile.tolist(), strict=True)
    }
    shut = {
        one.id: {day for day in days if one.suspended_until is not None and day <= one.suspended_until}
        for one in firms
    }
    for task in ("t1", "t2"):
        named = {f"e{n:02d}" for n, of in exemptions if of in {None, task}}
        left = {one.id for one in firms} - named
        free = {name for name in left if shut[name] != set(days)}
        assert {name for name, tasks in tasks_of.items() if task in tasks} == free
        reasons = Counter(exempt=len(firms) - len(left), suspended=len(left) - len(free))
        assert Counter(placed.by_task[task]) == reasons
        # nobody owes a check of those who are out for this
        assert sum(one.whole for one in placed.populations[task].values()) == len(free)
    for name, closed in zip(frozen.ids, frozen.closed, strict=True):
        assert set(closed) == {day.isoformat() for day in shut[name]}


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["420702", "420704", "110000"]),
            st.sampled_from(["d1", "d2", "d3"]),
            st.sampled_from(["d1", "d2", "d3"]),
            st.booleans(),
        ),
        min_size=1,
        max_size=20,
    )
)
def test_whoever_moves_takes_place_and_checks_along_and_the_registrar_in_its_code_decides_nothing(
    make_plan: Callable[..., Plan],
    make_task: Callable[..., Any],
    make_libraries: Callable[..., Libraries],
    drawn: list[tuple[str, str, str, bool]],
) -> None:
    everywhere = make_task("t1", "amr", strata_by=("class", "district"), frequency=2)
    plan = make_plan(tasks=(everywhere, make_task("t2", "fire", scope=Scope(districts=("d1",)))))
    codes = [f"91{registrar}MA{n:06d}X0" for n, (registrar, *_) in enumerate(drawn)]
    visits = tuple(
        visit("2026-05-02", enterprise=code, task="t1")
        for code, (*_, checked) in zip(codes, drawn, strict=True)
        if checked
    )
    # before and after the move: the inspection address alone says where a firm belongs
    for when in (1, 2):
        places = [str(one[when]) for one in drawn]
        firms = tuple(firm(code, district=place) for code, place in zip(codes, places, strict=True))
        placed = membership(plan, firms, year_to_date(plan, visits))
        here = Counter(places)
        checked = Counter(place for place, (*_, done) in zip(places, drawn, strict=True) if done)
        assert {stratum: (one.whole, one.done) for stratum, one in placed.populations["t1"].items()} == {
            f"A.{place}": (number, checked[place]) for place, number in here.items()
        }
        assert sum(one.whole for one in placed.populations["t2"].values()) == here["d1"]
        libraries = replace(make_libraries(), enterprises=firms, recusals=())
        frozen = freeze(plan, libraries, placed, "x-2026-000001", (START,), None)
        assert dict(zip(frozen.ids, frozen.districts, strict=True)) == dict(zip(codes, places, strict=True))
        for name, at in zip(frozen.ids, frozen.profile.tolist(), strict=True):
            assert ("t2" in frozen.profiles[at]) == (places[codes.index(name)] == "d1")


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)), st.integers(1, 600))
def test_a_span_of_months_ends_in_that_month(day: date, months: int) -> None:
    end = later(day, months)
    assert (end.year - day.year) * 12 + end.month - day.month == months
    assert end.day == day.day or (end.day < day.day and (end.day >= 28))


def test_addresses_are_compared_without_width_blanks_and_punctuation() -> None:
    assert normal_address("示范路 １号（２楼）") == normal_address("示范路1号(2楼)")
    assert normal_address("示范路1号") != normal_address("示范路11号")
