"""Working days against two independent oracles, and what happens where no notice is known."""

from datetime import date, timedelta
from importlib.resources import files
from pathlib import Path

import chinese_calendar
import holidays
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualrandom.calendar import Notices, add_working_days, load_notice, shipped_notices, visit_days
from dualrandom.errors import DualRandomError, InputError

YEARS = range(2023, 2027)
FIRST, LAST = date(2023, 1, 1), date(2026, 12, 31)
SHIPPED = (files("dualrandom") / "data" / "working-days-cn.toml").read_text("utf-8")
NOTICE_2027 = """
[[notices]]
year = 2027
number = "示例"
issued = 2026-11-01
holidays = [{ name = "元旦", name_en = "New Year's Day", first = 2026-12-31, last = 2027-01-02 }]
working = [2026-12-27]
"""


def test_working_days_agree_with_both_oracles_on_every_day() -> None:
    second = holidays.country_holidays("CN", years=YEARS)
    days = visit_days(FIRST, LAST, "all")
    assert len(days) == 1461
    worked = set(visit_days(FIRST, LAST, "cn"))
    assert worked == {day for day in days if chinese_calendar.is_workday(day)}
    assert worked == {day for day in days if second.is_working_day(day)}


def test_september_2023_has_twenty_visit_days() -> None:
    days = visit_days(date(2023, 9, 1), date(2023, 9, 30), "cn")
    assert len(days) == 20
    assert days[-1] == date(2023, 9, 28)


def test_extra_days_are_added_and_closed_days_prevail() -> None:
    days = visit_days(
        date(2023, 9, 4),
        date(2023, 9, 10),
        "weekdays",
        extra=[date(2023, 9, 9), date(2023, 9, 10), date(2023, 10, 1)],
        closed=[date(2023, 9, 5), date(2023, 9, 10)],
    )
    assert [day.day for day in days] == [4, 6, 7, 8, 9]


def test_a_period_that_ends_before_it_starts_has_no_days() -> None:
    assert visit_days(date(2023, 9, 2), date(2023, 9, 1), "all") == ()


def test_twenty_working_days_after_september_2023_skip_the_national_holiday() -> None:
    # 7 and 8 October are worked; with them the 20th is 1 November.
    assert add_working_days(date(2023, 9, 30), 20, "cn") == date(2023, 11, 1)
    assert add_working_days(date(2023, 9, 30), 20, "weekdays") == date(2023, 10, 27)
    assert add_working_days(date(2023, 9, 30), 20, "all") == date(2023, 10, 20)


@given(
    day=st.dates(FIRST, date(2026, 6, 1)),
    n=st.integers(0, 60),
    working=st.sampled_from(["cn", "weekdays", "all"]),
)
def test_there_are_n_working_days_in_the_span_that_was_added(day: date, n: int, working: str) -> None:
    end = add_working_days(day, n, working)  # type: ignore[arg-type]
    days = visit_days(day + timedelta(days=1), end, working)  # type: ignore[arg-type]
    assert len(days) == n
    assert n == 0 or days[-1] == end


def test_a_negative_number_of_working_days_is_refused() -> None:
    with pytest.raises(ValueError, match="negative"):
        add_working_days(FIRST, -1, "cn")


@pytest.mark.parametrize("year", [2022, 2027])
def test_a_year_without_a_notice_is_an_error_that_says_what_to_do(year: int) -> None:
    with pytest.raises(DualRandomError) as caught:
        visit_days(date(year, 5, 1), date(year, 5, 2), "cn")
    assert caught.value.code == "working-days-unknown"
    assert caught.value.value == str(year)
    assert str(year) in caught.value.remedy("zh")
    assert str(year) in caught.value.remedy("en")
    assert visit_days(date(year, 5, 1), date(year, 5, 2), "all")


def test_a_further_notice_reaches_into_the_december_before(tmp_path: Path) -> None:
    path = tmp_path / "2027.toml"
    path.write_text(NOTICE_2027, "utf-8")
    notices = load_notice(path)
    span = date(2026, 12, 26), date(2027, 1, 4)
    assert [day.day for day in visit_days(*span, "cn", notices=notices)] == [27, 28, 29, 30, 4]
    assert add_working_days(date(2026, 12, 30), 1, "cn", notices) == date(2027, 1, 4)
    assert 2027 not in shipped_notices().by_year


def test_an_amended_notice_replaces_the_one_of_its_year(tmp_path: Path) -> None:
    path = tmp_path / "2026.toml"
    path.write_text(NOTICE_2027.replace("2027", "2026").replace("2026-12", "2025-12"), "utf-8")
    notices = load_notice(path)
    assert notices.is_working_day(date(2026, 10, 1))
    assert not shipped_notices().is_working_day(date(2026, 10, 1))


def test_the_shipped_file_is_itself_a_file_of_notices(tmp_path: Path) -> None:
    path = tmp_path / "all.toml"
    path.write_text(SHIPPED, "utf-8")
    assert load_notice(path, Notices({})) == shipped_notices()


@pytest.mark.parametrize(
    ("old", "new", "code"),
    [
        ("[[notices]]", "[notices]", "notice-missing"),
        ("[[notices]]", "[[", "notice-not-toml"),
        ("[[notices]]", "other = 1\n[[notices]]", "notice-unknown-key"),
        ("year = 2027", "year = 2027\nyeer = 2027", "notice-unknown-key"),
        ("year = 2027", 'year = "2027"', "notice-heading"),
        ("year = 2027", "year = 2028", "notice-year"),
        ("issued = 2026-11-01", "", "notice-heading"),
        ("number = ", 'number = "\\u0000" # ', "notice-heading"),
        ("number = ", 'number = "a\\nb" # ', "notice-heading"),
        pytest.param("number = ", f'number = "{"长" * 101}" # ', "notice-heading", id="long number"),
        pytest.param("year = 2027", f"year = -{'9' * 400}", "notice-heading", id="long ago"),
        pytest.param("year = 2027", f"year = 0x{'f' * 4000}", "notice-not-toml", id="year of many digits"),
        ("working = [2026-12-27]", "", "notice-days"),
        ("working = [2026-12-27]", "working = [2026-12-28]", "notice-working-day"),
        ("working = [2026-12-27]", "working = [2027-01-02]", "notice-working-day"),
        ("last = 2027-01-02", "last = 2026-12-30", "notice-holiday"),
        ("last = 2027-01-02", "last = 3", "notice-holiday"),
    ],
)
def test_a_faulty_notice_is_refused_with_its_fault(tmp_path: Path, old: str, new: str, code: str) -> None:
    path = tmp_path / "notice.toml"
    assert old in NOTICE_2027
    path.write_text(NOTICE_2027.replace(old, new), "utf-8")
    with pytest.raises(InputError) as caught:
        load_notice(path)
    assert code in {problem.code for problem in caught.value.problems}


def test_two_notices_for_one_year_in_one_file_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "notice.toml"
    path.write_text(NOTICE_2027 * 2, "utf-8")
    with pytest.raises(InputError) as caught:
        load_notice(path)
    assert [problem.code for problem in caught.value.problems] == ["notice-twice"]
