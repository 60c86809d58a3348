"""A small, safe language for directed draws (定向抽查): which enterprises a scope names.

    industry starts "52" and not abnormal and district in ["420702", "420703"]
    行业 开头 "52" 且 非 经营异常 且 区划 属于 ["420702", "420703"]

Grammar (keywords in English or Chinese; nothing is executed, loops and calls do not exist):

    expression = conjunction { "or" conjunction }
    conjunction = negation { "and" negation }
    negation = "not" negation | "(" expression ")" | comparison
    comparison = field [ ("=" | "!=" | "<" | "<=" | ">" | ">=" | "starts") value | "in" "[" value { "," value } "]" ]

A field alone is allowed where it is a yes-or-no field. Errors name the character at which reading stopped.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, NoReturn, cast

from dualrandom.errors import DualRandomError

Value = str | int | date | bool | None
Row = Mapping[str, Value]
"""What an enterprise says for each field; None: unknown, which no comparison but ``!=`` accepts."""

FIELDS: Mapping[str, type] = {
    "kind": str,
    "district": str,
    "class": str,
    "industry": str,
    "category": str,
    "size": str,
    "address": str,
    "street": str,
    "abnormal": bool,
    "established": date,
    "suspended_until": date,
    "shared_address": int,
    "years_without_report": int,
}
"""Field names and the types of their values."""

FIELDS_ZH: Mapping[str, str] = {
    "对象类型": "kind",
    "区划": "district",
    "信用风险分类": "class",
    "行业": "industry",
    "类别": "category",
    "规模": "size",
    "地址": "address",
    "街道": "street",
    "经营异常": "abnormal",
    "成立日期": "established",
    "歇业至": "suspended_until",
    "同址户数": "shared_address",
    "未报年报年数": "years_without_report",
}
KEYWORDS_ZH = {"且": "and", "或": "or", "非": "not", "属于": "in", "开头": "starts"}
KEYWORDS = ("and", "or", "not", "in", "starts")
OPERATORS = ("!=", "<=", ">=", "=", "<", ">")
LONGEST = 2000
DEEPEST = 50

_TOKEN = re.compile(
    r"""\s*(?:(?P<text>"[^"\n]*"|“[^”\n]*”)|(?P<date>\d{4}-\d{2}-\d{2})|(?P<number>\d+)"""
    r"""|(?P<operator>!=|<=|>=|=|<|>)|(?P<mark>[()\[\],（），【】])|(?P<word>[^\W\d]\w*))""",
    re.VERBOSE,
)
_MARKS = {"（": "(", "）": ")", "，": ",", "【": "[", "】": "]"}


class FilterError(DualRandomError):
    """A filter that cannot be read; ``position`` counts characters from 0."""

    def __init__(self, source: str, position: int, zh: str, en: str) -> None:
        pointer = f"{source}\n{' ' * _width(source[:position])}^"
        super().__init__(
            code="filter-unreadable",
            value=source,
            message={
                "zh": f"第 {position + 1} 个字符：{zh}\n{pointer}",
                "en": f"character {position + 1}: {en}\n{pointer}",
            },
            remedy={
                "zh": '写法示例：行业 开头 "52" 且 区划 属于 ["420702"]；字段：' + "、".join(FIELDS_ZH),
                "en": 'Write for example: industry starts "52" and district in ["420702"]; fields: '
                + ", ".join(FIELDS),
            },
        )
        self.args = (source, position, zh, en)
        self.position = position


@dataclass(frozen=True)
class Filter:
    """A filter that was read. Call it with a row; ``fields`` are the fields it asks."""

    source: str
    fields: frozenset[str]
    accepts: Callable[[Row], bool]

    def __call__(self, row: Row) -> bool:
        """Whether the filter accepts a row."""
        return self.accepts(row)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    value: Any
    position: int


def parse_filter(source: str) -> Filter:
    """Read a filter. Raises FilterError at the first character that does not fit."""
    return _Parser(source).parse()


class _Parser:
    def __init__(self, source: str) -> None:
        self.source = source
        self.fields: set[str] = set()
        self.depth = 0
        if len(source) > LONGEST:
            self.fail(LONGEST, f"过滤条件超过 {LONGEST} 个字符", f"a filter has at most {LONGEST} characters")
        self.tokens: list[_Token] = list(self._tokens())
        self.at = 0

    def _tokens(self) -> Iterator[_Token]:
        position = 0
        while self.source[position:].strip():
            match = _TOKEN.match(self.source, position)
            if match is None or match.lastgroup is None:
                start = position + len(self.source[position:]) - len(self.source[position:].lstrip())
                self.fail(
                    start, f"不认识的字符 {self.source[start]}", f"unexpected character {self.source[start]}"
                )
            kind = match.lastgroup
            start, text = match.start(kind), match.group(kind)
            position = match.end()
            if kind == "text":
                yield _Token("value", text[1:-1], start)
            elif kind == "number":
                yield _Token("value", int(text), start)
            elif kind == "date":
                yield _Token("value", self._date(text, start), start)
            elif kind == "mark":
                yield _Token("mark", _MARKS.get(text, text), start)
            elif kind == "operator":
                yield _Token("operator", text, start)
            else:
                word = KEYWORDS_ZH.get(text, text)
                yield _Token("keyword" if word in KEYWORDS else "field", word, start)
        yield _Token("end", "", len(self.source))

    def _date(self, text: str, start: int) -> date:
        try:
            return date.fromisoformat(text)
        except ValueError:
            self.fail(start, f"{text} 不是日期", f"{text} is not a date")

    def fail(self, position: int, zh: str, en: str) -> NoReturn:
        raise FilterError(self.source, position, zh, en)

    @property
    def token(self) -> _Token:
        return self.tokens[self.at]

    def take(self, kind: str, value: str | None = None) -> _Token | None:
        token = self.token
        if token.kind != kind or (value is not None and token.value != value):
            return None
        self.at += 1
        return token

    def need(self, kind: str, value: str) -> None:
        if self.take(kind, value) is None:
            self.fail(self.token.position, f"这里应为 {value}", f"expected {value} here")

    def parse(self) -> Filter:
        accepts = self.expression()
        if self.token.kind != "end":
            self.fail(self.token.position, "这里应为 且、或 或结尾", "expected and, or, or the end here")
        return Filter(self.source, frozenset(self.fields), accepts)

    def expression(self) -> Callable[[Row], bool]:
        parts = [self.conjunction()]
        while self.take("keyword", "or"):
            parts.append(self.conjunction())
        return parts[0] if len(parts) == 1 else lambda row: any(part(row) for part in parts)

    def conjunction(self) -> Callable[[Row], bool]:
        parts = [self.negation()]
        while self.take("keyword", "and"):
            parts.append(self.negation())
        return parts[0] if len(parts) == 1 else lambda row: all(part(row) for part in parts)

    def negation(self) -> Callable[[Row], bool]:
        self.depth += 1
        if self.depth > DEEPEST:
            self.fail(self.token.position, "嵌套过深", "nested too deeply")
        try:
            if self.take("keyword", "not"):
                inner = self.negation()
                return lambda row: not inner(row)
            if self.take("mark", "("):
                whole = self.expression()
                self.need("mark", ")")
                return whole
            return self.comparison()
        finally:
            self.depth -= 1

    def comparison(self) -> Callable[[Row], bool]:
        field = self.field()
        kind = FIELDS[field]
        if kind is bool:
            return lambda row: row.get(field) is True
        if self.take("keyword", "in"):
            self.need("mark", "[")
            values = [self.value(kind)]
            while self.take("mark", ","):
                values.append(self.value(kind))
            self.need("mark", "]")
            allowed = frozenset(values)
            return lambda row: row.get(field) in allowed
        if self.take("keyword", "starts"):
            if kind is not str:
                self.fail(self.tokens[self.at - 1].position, "“开头”只用于文字", "starts is for texts only")
            prefix = str(self.value(kind))
            return lambda row: str(row.get(field) or "").startswith(prefix)
        operator = self.take("operator")
        if operator is None:
            self.fail(
                self.token.position,
                "这里应为 =、!=、<、<=、>、>=、属于 或 开头",
                "expected =, !=, <, <=, >, >=, in or starts here",
            )
        if kind is str and operator.value not in ("=", "!="):
            self.fail(operator.position, "文字只能用 = 或 != 比较", "texts are compared with = or != only")
        return _compare(field, operator.value, self.value(kind))

    def field(self) -> str:
        token = self.take("field")
        if token is None:
            self.fail(self.token.position, "这里应为字段名", "expected a field here")
        name = FIELDS_ZH.get(token.value, str(token.value))
        if name not in FIELDS:
            close = difflib.get_close_matches(token.value, [*FIELDS, *FIELDS_ZH], n=1)
            hint_zh, hint_en = (
                (f"，是否指 {close[0]}？", f"; did you mean {close[0]}?") if close else ("", "")
            )
            self.fail(
                token.position,
                f"没有字段 {token.value}{hint_zh}",
                f"there is no field {token.value}{hint_en}",
            )
        self.fields.add(name)
        return name

    def value(self, kind: type) -> Value:
        token = self.take("value")
        wanted = {
            str: ("带引号的文字", "a text in quotes"),
            int: ("数字", "a number"),
            date: ("日期", "a date"),
        }
        if token is None or type(token.value) is not kind:
            position = self.token.position if token is None else token.position
            zh, en = wanted[kind]
            self.fail(position, f"这里应为{zh}", f"expected {en} here")
        return cast("Value", token.value)


def _compare(field: str, operator: str, wanted: Any) -> Callable[[Row], bool]:
    tests: Mapping[str, Callable[[Any], bool]] = {
        "=": lambda found: found == wanted,
        "<": lambda found: found < wanted,
        "<=": lambda found: found <= wanted,
        ">": lambda found: found > wanted,
        ">=": lambda found: found >= wanted,
    }
    if operator == "!=":
        return lambda row: row.get(field) != wanted
    test = tests[operator]
    return lambda row: row.get(field) is not None and test(row[field])


def _width(text: str) -> int:
    """Return the columns a text takes in a terminal: Chinese characters take two."""
    return sum(2 if ord(character) > 0x2E7F else 1 for character in text)
