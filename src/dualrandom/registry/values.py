"""One cell → one value: ids, dates, numbers, lists and words of a vocabulary, as people and spreadsheets write them.

A parser returns the value, or :class:`Refused` with the code of the fault. Nothing is corrected silently except what
cannot be meant otherwise: blanks around a cell, the ``="…"`` by which exports keep digits, and a whole number's ``.0``.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from difflib import get_close_matches
from fractions import Fraction
from typing import TypeAlias

from dualrandom.registry import uscc
from dualrandom.registry.tables import Raw

ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z._-]{0,63}", re.ASCII)
"""Protocol §1."""
LONGEST_RANGE = timedelta(days=400)
EXACT = 2**53
"""Spreadsheets hold whole numbers exactly only below this."""

_SCIENTIFIC = re.compile(r"\d(?:\.\d+)?E\+\d+", re.IGNORECASE | re.ASCII)
_INVISIBLE = re.compile(r"[\s\u200b-\u200f\u202a-\u202e\u2060\ufeff\x00-\x1f\x7f'\"`]+")
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
YES = frozenset({"是", "yes", "y", "true", "1", "列入", "已列入", "经营异常", "异常", "√"})
NO = frozenset({"否", "no", "n", "false", "0", "未列入", "正常", "无", "移出", "已移出"})
_SPLIT = re.compile(r"[;,；，、\s]+")
_DATE = re.compile(
    r"(\d{4})(?:([-/.])(\d{1,2})\2(\d{1,2})|\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日?)"
    r"(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?)?",
    re.ASCII,
)
_RANGE = re.compile(r" ?(?:~|至|\.\.|—+|–|\bto\b) ?")
_HYPHENED = re.compile(
    r"(?<!\d)(\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2}日?) ?-+ ?(?=\d{4}[-/.年]\d{1,2}[-/.月]\d{1,2})", re.ASCII
)
"""Between two whole dates a hyphen cannot belong to either."""
_DECIMAL = re.compile(r"[+-]?\d{1,15}(?:\.\d{1,9})?", re.ASCII)
_FRACTION = re.compile(r"(\d{1,6})/(\d{1,6})", re.ASCII)
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs"})
_CONTROL = re.compile(r"[\x00-\x1f\x7f]+")
FOREVER = frozenset(
    {"长期", "永久", "长期有效", "永久有效", "无期限", "无固定期限", "permanent", "unlimited", "long-term"}
)


@dataclass(frozen=True, slots=True, eq=False)
class Refused:
    """A cell that cannot be accepted: the fault's code, an evident correction, and the words its text needs.

    The word ``shown`` is the part of the cell that is at fault, where it is not the whole.
    """

    code: str
    suggestion: str | None = None
    words: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Noted:
    """A value that is accepted with a warning."""

    value: object
    code: str


Parse: TypeAlias = Callable[[Raw], object]


class Vocabulary:
    """The words that a column may hold, each with its other spellings, and the nearest to a misspelt one.

    Spellings are compared without regard to width and case. Looking for the nearest is slow, so it is done for
    at most ``SEARCHES`` different words and among at most ``CANDIDATES`` spellings: a column that is wrong throughout needs
    no more.
    """

    SEARCHES = 200
    CANDIDATES = 5000

    def __init__(self, words: Iterable[tuple[str, Iterable[str]]]) -> None:
        self._ids: dict[str, str] = {}
        spellings: dict[str, None] = {}
        names = []
        for identity, others in words:
            shown = next((other for other in others if other not in {"", identity}), "")
            names.append(f"{identity} {shown}".rstrip())
            for spelling in (identity, *others):
                if spelling:
                    self._ids.setdefault(_folded(spelling), identity)
                    spellings[spelling] = None
        self._spellings = {_folded(spelling): spelling for spelling in tuple(spellings)[: self.CANDIDATES]}
        self._near: dict[str, str | None] = {}
        self.names = ", ".join(names[:20]) + (" …" if len(names) > 20 else "")

    def __len__(self) -> int:
        return len(self._ids)

    def get(self, text: str) -> str | None:
        """Return the id that ``text`` spells, or None."""
        return self._ids.get(_folded(text))

    def near(self, text: str) -> str | None:
        """Return the spelling nearest to ``text``, or None if none is near."""
        if text not in self._near:
            if len(self._near) >= self.SEARCHES or len(text) > 64:
                return None
            folded = _folded(text)
            found = get_close_matches(folded, self._spellings, 1)
            if not found and not folded.isascii():
                # 湖北省鄂州市鄂城区 is far from 鄂城区, which it contains
                within = (word for word in self._spellings if len(word) > 1 and word in folded)
                found = sorted(within, key=len)[-1:]
            self._near[text] = self._spellings[found[0]] if found else None
        return self._near[text]


def _folded(text: str) -> str:
    return unicodedata.normalize("NFKC", text).strip().casefold()


def written(raw: Raw) -> str:
    """Return a cell as the text that a person sees in it, without blanks around it."""
    if isinstance(raw, str):
        text = raw.strip()
        return text if text[:2] != '="' or text[-1] != '"' or len(text) < 4 else text[2:-1].strip()
    if raw is None:
        return ""
    if isinstance(raw, bool):
        return str(raw).upper()
    if isinstance(raw, float) and raw.is_integer() and abs(raw) < EXACT:
        return str(int(raw))
    if isinstance(raw, datetime):
        return raw.isoformat(" ") if raw.time() != time() else raw.date().isoformat()
    return str(raw)


def plain(value: str) -> str:
    """Return a code without what a person does not see or may leave out: width, blanks, quotes, hidden characters."""
    return _INVISIBLE.sub("", unicodedata.normalize("NFKC", value))


def text(raw: Raw) -> object:
    """Any text, in Unicode NFC, on one line."""
    value = written(raw)
    if value.isprintable() and "\ufffd" not in value:
        if not value.isascii() and not unicodedata.is_normalized("NFC", value):
            value = unicodedata.normalize("NFC", value)
        return value
    clean = unicodedata.normalize("NFC", _CONTROL.sub(" ", value)).encode("utf-8", "replace").decode()
    # hidden marks turn the reading order round or make two names look alike; private signs differ from font to font
    strange = "\ufffd" in value or any(
        unicodedata.category(each) in _UNSEEN and not each.isspace() for each in value
    )
    return Noted(clean, "garbled") if strange else clean


def identifier(raw: Raw) -> object:
    """An id of protocol §1."""
    value = written(raw)
    if ID.fullmatch(value) and not (isinstance(raw, float) and not raw.is_integer()):
        return value
    if isinstance(raw, float) or _SCIENTIFIC.fullmatch(value):
        return Refused("id-as-number")
    bare = plain(value)
    if ID.fullmatch(bare):
        return Refused("id-form", bare)
    return Refused("id-pattern")


def credit_code(raw: Raw) -> object:
    """A unified social credit code, upper case, check digit valid."""
    value = written(raw)
    if uscc.is_uscc(value):
        return value
    if (isinstance(raw, float) and abs(raw) >= 10**15) or _SCIENTIFIC.fullmatch(value):
        return Refused("id-as-number")
    bare = plain(value).replace("-", "").upper()
    if uscc.is_uscc(bare):
        return Refused("id-form", bare)
    if len(bare) != uscc.LENGTH:
        return Refused("uscc-length")
    code = "uscc-check-digit" if uscc.is_shaped(bare) else "uscc-character"
    return Refused(code, uscc.suggestion(bare))


def licence(raw: Raw) -> object:
    """The number of an enforcement licence, in any writing that has a digit: 无, / or 协管员 say that there is none."""
    value = written(raw)
    if (isinstance(raw, float) and not (raw.is_integer() and abs(raw) < EXACT)) or _SCIENTIFIC.fullmatch(
        value
    ):
        return Refused("id-as-number")
    if not any(character.isdigit() for character in value):
        return Refused("licence-none")
    return text(raw)


def day(from_1904: bool) -> Parse:
    """Return the parser of one date: a date cell, a spreadsheet's day number, or a date as text."""

    def parse(raw: Raw) -> object:
        found = _day(raw, from_1904)
        return Refused("date-invalid") if found is None else found

    return parse


def last_day(from_1904: bool) -> Parse:
    """Return the parser of the last day of a validity; ``None`` stands for 长期 (unlimited)."""

    def parse(raw: Raw) -> object:
        if _folded(written(raw)) in FOREVER:
            return None
        found = _day(raw, from_1904)
        return Refused("date-invalid") if found is None else found

    return parse


def days(from_1904: bool) -> Parse:
    """Return the parser of a list of dates and runs of dates, ascending and distinct."""

    def parse(raw: Raw) -> object:
        single = _day(raw, from_1904)
        if single is not None:
            return (single,)
        found: set[date] = set()
        # one space at most before and after: over a run of them the search would take the square of its length
        text = " ".join(unicodedata.normalize("NFKC", written(raw)).split())
        listed = _RANGE.sub("~", _HYPHENED.sub(r"\1~", text))
        for part in _SPLIT.split(listed):
            ends = [_day(end, from_1904) for end in part.split("~")] if part else []
            if not part:
                continue
            first, last = ends[0], ends[-1]
            if first is None or last is None or len(ends) > 2:
                return Refused("date-invalid")
            if not timedelta(0) <= last - first <= LONGEST_RANGE:
                return Refused("date-range-invalid")
            found |= {first + timedelta(days=number) for number in range((last - first).days + 1)}
        return tuple(sorted(found)) if found else Refused("date-invalid")

    return parse


def _day(raw: Raw, from_1904: bool) -> date | None:
    if isinstance(raw, datetime):
        return raw.date()
    if isinstance(raw, date):
        return raw
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int | float):
        return _numbered_day(raw, from_1904)
    value = unicodedata.normalize("NFKC", written(raw))
    if value.isascii() and value.isdigit() and len(value) in {5, 8}:
        return _numbered_day(int(value), from_1904)
    match = _DATE.fullmatch(value)
    if match is None:
        return None
    year, _, month, dated, month_zh, dated_zh = match.groups()
    return _real_day(int(year), int(month or month_zh), int(dated or dated_zh))


def _numbered_day(number: float, from_1904: bool) -> date | None:
    """Read 20230901 as it looks, and a spreadsheet's day number of the years 1980 to 2099."""
    if number != number or abs(number) > 10**9:  # noqa: PLR0124 - not a number
        return None
    if float(number).is_integer() and 20_000_101 <= number <= 20_991_231:
        return _real_day(int(number) // 10_000, int(number) // 100 % 100, int(number) % 100)
    found = (date(1904, 1, 1) if from_1904 else date(1899, 12, 30)) + timedelta(days=int(number))
    return found if 1980 <= found.year <= 2099 else None


def _real_day(year: int, month: int, dated: int) -> date | None:
    try:
        return date(year, month, dated)
    except ValueError:
        return None


def count(raw: Raw) -> object:
    """A whole number that is not negative."""
    number = _number(raw)
    if number is None:
        return Refused("number-invalid")
    if number < 0:
        return Refused("number-negative")
    if number.denominator != 1:
        return Refused("number-not-whole")
    return int(number) if number < EXACT else Refused("number-invalid")


def year(raw: Raw) -> object:
    """A calendar year: 2022, 2022年 or 2022年度."""
    if isinstance(raw, date):
        return raw.year
    value = unicodedata.normalize("NFKC", written(raw)).removesuffix("度").removesuffix("年")
    return int(value) if _YEAR.fullmatch(value) else Refused("number-invalid")


def flag(raw: Raw) -> object:
    """Yes or no."""
    if isinstance(raw, bool):
        return raw
    value = _folded(written(raw))
    if value in YES or value in NO:
        return value in YES
    return Refused("choice-unknown", None, {"names": "是 yes, 否 no"})


def hours(raw: Raw) -> object:
    """A number of hours that is not negative: whole, decimal or a fraction."""
    number = _number(raw)
    if number is None and isinstance(raw, str):
        match = _FRACTION.fullmatch(unicodedata.normalize("NFKC", written(raw)))
        if match and int(match.group(2)):
            number = Fraction(int(match.group(1)), int(match.group(2)))
    if number is None:
        return Refused("number-invalid")
    return number if number >= 0 else Refused("number-negative")


def _number(raw: Raw) -> Fraction | None:
    if isinstance(raw, bool | date | time | timedelta):
        return None
    value = unicodedata.normalize("NFKC", written(raw))
    return Fraction(value) if _DECIMAL.fullmatch(value) else None


def word(vocabulary: Vocabulary, code: str, suffixes: str = "", bracketed: bool = False) -> Parse:
    """Return the parser of one word of ``vocabulary``; ``suffixes`` are characters that may follow it.

    ``bracketed`` says that a remark in brackets may follow too, as in 有限责任公司(自然人独资).
    """

    def parse(raw: Raw) -> object:
        value = written(raw)
        found = vocabulary.get(value) or vocabulary.get(value.rstrip(suffixes))
        if found is None and bracketed and value[-1:] in {")", "\uff09"}:
            bare = unicodedata.normalize("NFKC", value).partition("(")[0].strip()
            found = vocabulary.get(bare) or vocabulary.get(bare.rstrip(suffixes))
        if found is not None:
            return found
        return Refused(code, vocabulary.near(value), {"names": vocabulary.names})

    return parse


def listed(parse: Parse, mapping: Mapping[str, str]) -> Parse:
    """Return the parser of a list of what ``parse`` accepts, ascending and distinct; ``mapping`` goes before it."""

    def parse_all(raw: Raw) -> object:
        whole = written(raw)
        whole = mapping.get(whole, whole)
        single = parse(whole)
        if not isinstance(single, Refused):
            return (single,)
        found: set[str] = set()
        for part in _SPLIT.split(whole):
            if part:
                value = parse(mapping.get(part, part))
                if isinstance(value, Refused):
                    return replace(value, words={**value.words, "shown": part})
                found.add(str(value))
        return tuple(sorted(found)) if found else single

    return parse_all
