"""Unified social credit codes, held against python-stdnum."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc as oracle

from dualrandom.registry.uscc import ALPHABET, check_digit, is_uscc, suggestion

bodies = st.builds(
    "".join,
    st.tuples(st.text("0123456789", min_size=8, max_size=8), st.text(ALPHABET, min_size=9, max_size=9)),
)


@given(bodies)
def test_the_check_digit_is_the_one_of_the_standard(body: str) -> None:
    assert check_digit(body) == oracle.calc_check_digit(body)
    assert is_uscc(body + check_digit(body))


@given(bodies, st.sampled_from(ALPHABET))
def test_exactly_one_check_digit_is_accepted(body: str, digit: str) -> None:
    assert is_uscc(body + digit) is oracle.is_valid(body + digit)


@given(st.text(ALPHABET + "IOSVZ- 09a", min_size=16, max_size=19))
def test_nothing_is_accepted_that_the_oracle_refuses(text: str) -> None:
    assert not is_uscc(text) or not text[:2].isdigit() or oracle.is_valid(text)


@given(bodies, st.integers(2, 17), st.sampled_from(ALPHABET))
def test_one_wrong_character_is_always_noticed(body: str, place: int, character: str) -> None:
    code = body + check_digit(body)
    changed = code[:place] + character + code[place + 1 :]
    assert changed == code or not is_uscc(changed)


def test_letters_may_name_the_registrar() -> None:
    assert is_uscc("N2420704MF0000001L")


@pytest.mark.parametrize(
    ("wrong", "right"),
    [
        ("91420704MAOOOOO17E", "91420704MA0000017E"),
        ("9I42O704MA0000017E", "91420704MA0000017E"),
        ("91420704ma0000017e", "91420704MA0000017E"),
        ("91420704MA0000017F", "91420704MA0000017E"),
        ("91420704MA00000", None),
        ("企业91420704MA000001", None),
    ],
)
def test_what_a_wrong_code_stands_for_is_suggested(wrong: str, right: str | None) -> None:
    assert suggestion(wrong) == right


@given(st.text(max_size=20))
def test_a_suggestion_is_always_valid(text: str) -> None:
    found = suggestion(text)
    assert found is None or is_uscc(found)
