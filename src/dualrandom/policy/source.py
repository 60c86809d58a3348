"""Where in a plan file something stands, and the list of everything that is wrong with it.

``tomllib`` gives values without their lines; :func:`lines_of` finds the line of each key by a scan,
which only has to be right for files that ``tomllib`` has accepted.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping

from dualrandom.errors import Problem, Severity

Path = tuple[str | int, ...]
"""Keys and, below arrays of tables, positions from 0."""
Text = tuple[str, str]
"""The same words in Chinese and in English."""

_HEADER = re.compile(r"\s*(\[\[?)(.*?)\]\]?\s*(#.*)?$")
_KEY = re.compile(r"""\s*("(?:[^"\\]|\\.)*"|'[^']*'|[A-Za-z0-9_-]+)\s*""")


def dotted(path: Path) -> str:
    """Write a path as people count, positions from 1.

    >>> dotted(("tasks", 0, "ratios", "A"))
    'tasks[1].ratios.A'
    """
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def nearest(value: str, accepted: Iterable[str]) -> str | None:
    """Return the accepted word that was probably meant, or None; of two that are equally near, neither is.

    Case and ``-``/``_`` do not count.
    """
    plain = {word.lower().replace("-", "_"): word for word in accepted}
    wanted = value.strip().lower().replace("-", "_")
    found = difflib.get_close_matches(wanted, plain, n=2, cutoff=0.6)
    if len(found) == 2 and _likeness(wanted, found[0]) == _likeness(wanted, found[1]):
        return None
    return plain[found[0]] if found else None


def _likeness(wanted: str, word: str) -> float:
    return difflib.SequenceMatcher(None, word, wanted).ratio()


class Faults:
    """Collects the problems of one plan file; each is placed by its path."""

    def __init__(self, file: str, lines: Mapping[Path, int]) -> None:
        self._file = file
        self._lines = lines
        self._found: list[Problem] = []

    @property
    def all(self) -> tuple[Problem, ...]:
        """All problems so far, by line."""
        return tuple(sorted(self._found, key=lambda problem: problem.row or 0))

    @property
    def refused(self) -> bool:
        """Whether at least one problem is an error."""
        return any(problem.severity == "error" for problem in self._found)

    def error(
        self, path: Path, code: str, value: object, message: Text, remedy: Text, suggestion: str | None = None
    ) -> None:
        """Note an error at ``path``."""
        self._note("error", path, code, value, message, remedy, suggestion)

    def warning(self, path: Path, code: str, value: object, message: Text, remedy: Text) -> None:
        """Note something that is accepted but probably not meant."""
        self._note("warning", path, code, value, message, remedy, None)

    def _note(
        self,
        severity: Severity,
        path: Path,
        code: str,
        value: object,
        message: Text,
        remedy: Text,
        suggestion: str | None,
    ) -> None:
        self._found.append(
            Problem(
                code=code,
                file=self._file,
                sheet=None,
                row=self._line(path),
                column=dotted(path) or None,
                value=_shown(value),
                message_zh=message[0],
                message_en=message[1],
                remedy_zh=remedy[0],
                remedy_en=remedy[1],
                severity=severity,
                suggestion=suggestion,
            )
        )

    def _line(self, path: Path) -> int | None:
        while path and path not in self._lines:
            path = path[:-1]
        return self._lines.get(path)


def _shown(value: object) -> str:
    if value is None:
        return ""
    text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= 80 else text[:79] + "…"


def lines_of(text: str) -> dict[Path, int]:
    """Map the path of each table header and key to its line, from 1; keys of inline tables are left out."""
    lines: dict[Path, int] = {}
    rows: dict[Path, int] = {}
    prefix: Path = ()
    continues = _Value()
    for number, line in enumerate(text.split("\n"), 1):
        if continues.open:
            continues.feed(line)
            continue
        header = _HEADER.match(line)
        if header:
            keys, _ = _keys(header[2])
            prefix = ()
            for position, key in enumerate(keys):
                prefix = (*prefix, key)
                lines.setdefault(prefix, number)
                last = position == len(keys) - 1
                if last and header[1] == "[[":
                    rows[prefix] = rows.get(prefix, -1) + 1
                if prefix in rows:
                    prefix = (*prefix, rows[prefix])
                    lines.setdefault(prefix, number)
            continue
        keys, end = _keys(line)
        if keys and line[end : end + 1] == "=":
            path = prefix
            for key in keys:
                path = (*path, key)
                lines.setdefault(path, number)
            continues.feed(line[end + 1 :])
    return lines


def _keys(text: str) -> tuple[list[str], int]:
    keys: list[str] = []
    end = 0
    while match := _KEY.match(text, end):
        keys.append(match[1].strip("\"'"))
        end = match.end()
        if text[end : end + 1] != ".":
            break
        end += 1
    return keys, end


class _Value:
    """Whether a value goes on in the next line: an open bracket or an open three-quote string."""

    def __init__(self) -> None:
        self._depth = 0
        self._quote = ""

    @property
    def open(self) -> bool:
        return self._depth > 0 or len(self._quote) == 3

    def feed(self, text: str) -> None:
        at = 0
        while at < len(text):
            if self._quote:
                if text[at] == "\\" and self._quote[0] == '"':
                    at += 2
                    continue
                if text.startswith(self._quote, at):
                    at += len(self._quote)
                    self._quote = ""
                    continue
            elif text[at] == "#":
                break
            elif text[at] in "\"'":
                self._quote = text[at] * 3 if text.startswith(text[at] * 3, at) else text[at]
                at += len(self._quote)
                continue
            elif text[at] in "[{":
                self._depth += 1
            elif text[at] in "]}":
                self._depth -= 1
            at += 1
        if len(self._quote) == 1:
            self._quote = ""
