"""The filter language of scopes: what it accepts, and that its errors point at the character."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dualrandom.policy.filter import FIELDS, FIELDS_ZH, FilterError, Row, parse_filter

FIRM: Row = {
    "kind": "enterprise",
    "district": "420702",
    "class": "D",
    "industry": "5211",
    "category": "",
    "size": "small",
    "address": "1 Lake Road",
    "abnormal": True,
    "established": date(2020, 5, 1),
    "shared_address": 12,
    "years_without_report": None,
}


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ('industry starts "52"', True),
        ('行业 开头 "52" 且 区划 属于 ["420702", "420703"]', True),
        ('industry starts "61" or class = "D"', True),
        ("not abnormal", False),
        ("非 经营异常 或 同址户数 >= 10", True),
        ("shared_address>=13", False),
        ("established < 2021-01-01 and established >= 2020-01-01", True),
        ("years_without_report >= 2", False),
        ("years_without_report != 2", True),
        ('class = "A" or class = "D" and kind = "cooperative"', False),
        ('(class = "A" or class = "D") and kind = "enterprise"', True),
        ("（信用风险分类 = “D”）", True),
        ('district in ["1"]', False),
    ],
)
def test_a_filter_accepts_what_it_says(source: str, expected: bool) -> None:
    assert parse_filter(source)(FIRM) is expected


@pytest.mark.parametrize(
    ("source", "position"),
    [
        ("", 0),
        ('industri = "5"', 0),
        ("class = ", 8),
        ("class = D", 8),
        ('class > "D"', 6),
        ('class in "D"', 9),
        ('class in ["D"', 13),
        ("shared_address starts 1", 15),
        ('class = "D" abnormal', 12),
        ("(abnormal", 9),
        ("abnormal and", 12),
        ("abnormal; drop", 8),
        ("established > 2020-13-01", 14),
        ('__import__("os")', 0),
        ("abnormal()", 8),
    ],
)
def test_an_error_points_at_the_character(source: str, position: int) -> None:
    with pytest.raises(FilterError) as refused:
        parse_filter(source)
    assert refused.value.position == position
    assert str(position + 1) in refused.value.message("zh")


def test_a_misspelt_field_gets_a_suggestion() -> None:
    with pytest.raises(FilterError) as refused:
        parse_filter('industri starts "5"')
    assert "industry" in refused.value.message("en")


def test_deep_nesting_and_long_filters_are_refused() -> None:
    for source in (
        "(" * 200 + "abnormal" + ")" * 200,
        "not " * 100 + "abnormal",
        "abnormal or " * 400 + "abnormal",
    ):
        with pytest.raises(FilterError):
            parse_filter(source)


@given(st.text(max_size=60) | st.text('()[],=<>!"and or not in abnormal class 1-', max_size=60))
def test_any_text_is_read_or_refused(source: str) -> None:
    position, verdict = 0, None
    try:
        verdict = parse_filter(source)(FIRM)
    except FilterError as refused:
        position = refused.position
    assert 0 <= position <= len(source)
    assert verdict in (True, False, None)


def test_every_field_has_a_chinese_name() -> None:
    assert sorted(FIELDS_ZH.values()) == sorted(FIELDS)
