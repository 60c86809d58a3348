"""On which days visits may take place and deadlines run: working days as versioned data, never a guess.

Mainland China's working days follow from one notice of the State Council a year
(国务院办公厅关于……部分节假日安排的通知): holidays, and weekend days that are worked instead (调休).
The notices known at release are ``data/working-days-cn.toml``; a later one is read with `load_notice` and passed on as an
argument. A year without a notice is an error, because rules of thumb are wrong about every year. A notice can
also change the last days of the December before its year: they are as the notices at hand say.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Literal

from dualrandom.errors import DualRandomError, InputError, Problem
from dualrandom.toml_text import read_toml

Working = Literal["cn", "weekdays", "all"]
SATURDAY = 5
LONGEST_NUMBER = 100
"""Characters of a notice's document number, which is shown in one line."""
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Notice:
    """One year's notice: its document number, the free days and the weekend days that are worked."""

    year: int
    number: str
    issued: date
    holidays: frozenset[date]
    working: frozenset[date]


@dataclass(frozen=True, slots=True)
class Notices:
    """The notices at hand by year; at most one a year."""

    by_year: Mapping[int, Notice]

    def is_working_day(self, day: date) -> bool:
        """Say whether `day` is worked. Raises `DualRandomError` if there is no notice for its year."""
        if day.year not in self.by_year:
            raise _missing_notice(day.year)
        around = [self.by_year[year] for year in (day.year, day.year + 1) if year in self.by_year]
        if any(day in notice.working for notice in around):
            return True
        return day.weekday() < SATURDAY and not any(day in notice.holidays for notice in around)

    def replaced_by(self, notice: Notice) -> "Notices":
        """These notices with `notice` in place of the one of its year, if there is one."""
        return Notices({**self.by_year, notice.year: notice})


@cache
def shipped_notices() -> Notices:
    """The notices that this release brings along."""
    name = "working-days-cn.toml"
    content = (files("dualrandom") / "data" / name).read_bytes()
    return Notices({notice.year: notice for notice in _parse(content, name)})


def load_notice(path: Path, known: Notices | None = None) -> Notices:
    """`known` (the shipped ones if None) with the notices of a TOML file of the shipped file's shape.

    A notice replaces the one of the same year, so an amended one can be loaded. Raises `InputError` with all
    faults of the file, and `OSError` if it cannot be read.
    """
    notices = shipped_notices() if known is None else known
    for notice in _parse(path.read_bytes(), path.name):
        notices = notices.replaced_by(notice)
    return notices


def visit_days(
    start: date,
    end: date,
    working: Working,
    extra: Iterable[date] = (),
    closed: Iterable[date] = (),
    notices: Notices | None = None,
) -> tuple[date, ...]:
    """Days from `start` to `end`, both inclusive, on which visits may take place, ascending.

    `working`: ``cn`` the State Council's working days, ``weekdays`` Monday to Friday, ``all`` every day.
    Days of `extra` are added and days of `closed` taken out, as far as they lie within; `closed` prevails.
    Empty if `end` < `start`. Raises `DualRandomError` if a needed notice is missing.
    """
    added, removed = frozenset(extra), frozenset(closed)
    days = (start + DAY * n for n in range((end - start).days + 1))
    return tuple(
        day for day in days if day not in removed and (day in added or _is_working(day, working, notices))
    )


def add_working_days(day: date, n: int, working: Working, notices: Notices | None = None) -> date:
    """The `n`-th working day after `day`, which itself does not count; `day` if `n` is 0.

    Raises `ValueError` if `n` is negative and `DualRandomError` if a needed notice is missing.
    """
    if n < 0:
        raise ValueError("the number of working days must not be negative")
    while n:
        day += DAY
        n -= _is_working(day, working, notices)
    return day


def _is_working(day: date, working: Working, notices: Notices | None) -> bool:
    if working == "cn":
        return (shipped_notices() if notices is None else notices).is_working_day(day)
    return working == "all" or day.weekday() < SATURDAY


def _missing_notice(year: int) -> DualRandomError:
    return DualRandomError(
        "working-days-unknown",
        str(year),
        {
            "zh": f"缺少 {year} 年的节假日安排，无法确定工作日",
            "en": f"the State Council's notice for {year} is missing, so its working days are not known",
        },
        {
            "zh": f'在计划的 [days] 中写 working = "weekdays"，并按国务院办公厅关于 {year} 年部分节假日安排的通知'
            "把节假日列入 closed、调休上班日列入 extra；或把通知写入计划旁的 working-days.toml（见 docs/policies.zh-CN.md）",
            "en": f'set working = "weekdays" in [days] of the plan and list the holidays of the notice for {year} '
            "in closed, its make-up days in extra; or write the notice into working-days.toml beside the plan (docs/policies.md)",
        },
    )


def _parse(content: bytes, file: str) -> list[Notice]:
    try:
        document = read_toml(content.decode("utf-8"))
    except ValueError as error:
        raise InputError(
            [
                _problem(
                    file, "notice-not-toml", "", f"不是有效的 TOML：{error}", f"is not valid TOML: {error}"
                )
            ]
        ) from None
    problems: list[Problem] = []
    notices: list[Notice] = []
    tables = document.get("notices")
    problems += [
        _problem(file, "notice-unknown-key", key, "未知的键", "is not a known key")
        for key in sorted(document.keys() - {"notices", "version"})
    ]
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        problems.append(
            _problem(file, "notice-missing", "notices", "没有 [[notices]] 表", "has no [[notices]] table")
        )
    else:
        for table in tables:
            found = [_problem(file, *fault) for fault in _faults(table)]
            problems += found
            if not found:
                notices.append(_notice(table))
    years = [notice.year for notice in notices]
    problems += [
        _problem(file, "notice-twice", str(year), "同一年份出现两次", "has two notices for one year")
        for year in sorted({year for year in years if years.count(year) > 1})
    ]
    if problems:
        raise InputError(problems)
    return notices


def _notice(table: Mapping[str, object]) -> Notice:
    year, number, issued, working = (table[key] for key in ("year", "number", "issued", "working"))
    assert isinstance(year, int)
    assert isinstance(number, str)
    assert isinstance(issued, date)
    assert isinstance(working, list)
    free = frozenset(
        day for first, last in _spans(table["holidays"]) for day in visit_days(first, last, "all")
    )
    return Notice(year, number, issued, free, frozenset(working))


def _spans(holidays: object) -> Iterator[tuple[date, date]]:
    assert isinstance(holidays, list)
    for holiday in holidays:
        yield holiday["first"], holiday["last"]


def _is_day(value: object) -> bool:
    return isinstance(value, date) and not isinstance(value, datetime)


def _is_line(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= LONGEST_NUMBER and value.isprintable()


def _faults(table: Mapping[str, object]) -> Iterator[tuple[str, str, str, str]]:
    """Each fault of one [[notices]] table: code, value, and what is wrong in Chinese and English."""
    for key in sorted(table.keys() - {"year", "number", "issued", "holidays", "working"}):
        yield "notice-unknown-key", key, "未知的键", "is not a known key"
    year, holidays, working = table.get("year"), table.get("holidays"), table.get("working")
    if (
        not isinstance(year, int)
        or isinstance(year, bool)
        or not date.min.year < year <= date.max.year
        or not _is_line(table.get("number"))
    ):
        yield (
            "notice-heading",
            str(year),
            f"year 应为整数年份，number 应为一行文字（不超过 {LONGEST_NUMBER} 字）",
            f"needs year (an integer) and number (one line of text, at most {LONGEST_NUMBER} characters)",
        )
        return
    if not _is_day(table.get("issued")):
        yield "notice-heading", str(table.get("issued")), "issued 应为日期", "needs issued (date)"
    keys = {"name", "name_en", "first", "last"}
    if not isinstance(holidays, list) or not holidays or not isinstance(working, list):
        yield "notice-days", str(year), "缺少 holidays 或 working", "needs the lists holidays and working"
        return
    free: set[date] = set()
    for holiday in holidays:
        if (
            not isinstance(holiday, dict)
            or holiday.keys() - keys
            or not all(_is_day(holiday.get(key)) for key in ("first", "last"))
        ):
            yield (
                "notice-holiday",
                str(holiday),
                "节假日应有首尾两个日期",
                "has a holiday without first and last day",
            )
        elif holiday["first"] > holiday["last"] or (holiday["last"] - holiday["first"]).days > 30:
            yield (
                "notice-holiday",
                str(holiday["first"]),
                "首尾日期颠倒或过长",
                "has a holiday of impossible length",
            )
        else:
            free.update(visit_days(holiday["first"], holiday["last"], "all"))
    for day in working:
        if not _is_day(day) or day.weekday() < SATURDAY or day in free:
            yield (
                "notice-working-day",
                str(day),
                "调休上班日应为不放假的周六或周日",
                "has a make-up day that is not a Saturday or Sunday, or is a holiday",
            )
    for day in sorted(free | {day for day in working if _is_day(day)}):
        if not date(year - 1, 12, 1) <= day <= date(year, 12, 31):
            yield (
                "notice-year",
                str(day),
                f"日期不属于 {year} 年的通知",
                f"has a day outside the notice for {year}",
            )


def _problem(file: str, code: str, value: str, zh: str, en: str) -> Problem:
    return Problem(
        code=code,
        file=file,
        sheet=None,
        row=None,
        column=None,
        value=value,
        message_zh=zh,
        message_en=en,
        remedy_zh="按通知原文更正，格式参照随附的 working-days-cn.toml",
        remedy_en="correct it after the notice's text; working-days-cn.toml shows the shape",
    )
