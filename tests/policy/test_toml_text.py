"""TOML that people hand in: everything that is TOML is read, and nothing takes hours or all memory."""

from __future__ import annotations

import tomllib

import pytest

from dualrandom.toml_text import MOST_PARTS, MOST_WORDS, read_toml


def test_words_with_dots_between_them_are_no_key() -> None:
    words = ".".join(["word"] * (MOST_PARTS + 8))
    text = f'# {words}\nnote = "{words}"\nlong = """\n{words}\n"""\n'
    assert read_toml(text) == {"note": words, "long": words + "\n"}


@pytest.mark.parametrize("spaces", ["", " ", "\t "])
@pytest.mark.parametrize("part", ["a", '"a b"', "'a'"])
def test_a_key_of_too_many_parts_is_refused_with_its_line(part: str, spaces: str) -> None:
    dot = f"{spaces}.{spaces}"
    short, long = dot.join([part] * MOST_PARTS), dot.join([part] * (MOST_PARTS + 1))
    assert read_toml(f"{short} = 1")
    for text in (f"x = 1\n{long} = 1", f"x = 1\n[{long}]", f"x = 1\ny = {{{long} = 1}}"):
        with pytest.raises(tomllib.TOMLDecodeError, match="line 2"):
            read_toml(text)


@pytest.mark.parametrize("text", ["a." * 10**6, "a . " * 10**6, "a.b\n" * 10**5 + '"' * 10**6, "a" * 10**6])
def test_hostile_text_is_refused_without_reading_it_again_and_again(text: str) -> None:
    with pytest.raises(tomllib.TOMLDecodeError):
        read_toml(text)
    assert len(text) > MOST_WORDS


@pytest.mark.parametrize("number", ["9" * 5000, "0x" + "f" * 4000, "-9" + "9" * 5000, "0b" + "1" * 16_000])
@pytest.mark.parametrize("text", ["a = {}", "a = [[1, {}]]", "[[a]]\nb = {{ c = {} }}"])
def test_a_number_that_nobody_can_write_down_is_refused(text: str, number: str) -> None:
    assert read_toml(text.format("0x" + "f" * 100))
    with pytest.raises(tomllib.TOMLDecodeError, match="too long"):
        read_toml(text.format(number))
