"""An error says what is wrong and what to do, in both languages, wherever it is caught."""

import doctest
import pickle

import pytest

from dualrandom import errors
from dualrandom.errors import DualRandomError, InputError, IntegrityError, Problem

TOO_LATE: dict[errors.Language, str] = {"zh": "过期", "en": "too late"}
AGAIN: dict[errors.Language, str] = {"zh": "重新公告", "en": "announce again"}


def problem(code: str, row: int, severity: errors.Severity = "error") -> Problem:
    return Problem(
        code, "企业库.xlsx", "企业", row, "名称", "", "缺少名称", "no name", "补上", "add it", severity
    )


def test_an_error_speaks_both_languages() -> None:
    error = DualRandomError("late", "2026-01-02", TOO_LATE, AGAIN)
    assert (error.code, error.value) == ("late", "2026-01-02")
    assert (error.message("zh"), error.message("en")) == ("过期", "too late")
    assert (error.remedy("zh"), error.remedy("en")) == ("重新公告", "announce again")
    assert str(error) == "late (2026-01-02): 过期 / too late"


def test_an_error_in_one_language_only_cannot_be_made() -> None:
    with pytest.raises(KeyError, match="zh"):
        DualRandomError("late", "", {"en": "too late"}, AGAIN)


def test_all_problems_of_a_file_are_reported_at_once() -> None:
    error = InputError([problem("no-name", 3), problem("odd-name", 4, "warning"), problem("no-name", 9)])
    assert error.value == "2"
    assert [found.row for found in error.problems] == [3, 4, 9]
    for row in (3, 4, 9):
        assert f"row {row} ·" in str(error)


def test_warnings_alone_do_not_refuse_a_file() -> None:
    with pytest.raises(ValueError, match="at least one problem"):
        InputError([problem("odd-name", 4, "warning")])


def test_a_problem_names_only_the_places_it_knows() -> None:
    whole_file = Problem("empty", "a.csv", None, None, None, "", "空", "empty", "重传", "send again")
    assert whole_file.place("zh") == whole_file.place("en") == "a.csv"
    assert problem("no-name", 3).place("en") == '企业库.xlsx · sheet "企业" · row 3 · column "名称"'


def test_errors_survive_the_way_between_processes() -> None:
    changed = pickle.loads(pickle.dumps(IntegrityError("late", "", TOO_LATE, AGAIN)))
    assert isinstance(changed, IntegrityError)
    assert (changed.message("en"), changed.remedy("zh")) == ("too late", "重新公告")
    assert str(changed) == "late: 过期 / too late"
    refused = pickle.loads(pickle.dumps(InputError([problem("no-name", 3)])))
    assert isinstance(refused, InputError)
    assert refused.problems == (problem("no-name", 3),)


def test_the_examples_in_the_documentation_are_true() -> None:
    result = doctest.testmod(errors)
    assert result.attempted > 0
    assert result.failed == 0
