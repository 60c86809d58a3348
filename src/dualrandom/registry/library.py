"""What a library and a column are: the words for the tables in :mod:`dualrandom.registry.columns`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Kind = Literal["enterprises", "inspectors", "items", "recusals", "visits"]
KINDS: tuple[Kind, ...] = ("enterprises", "inspectors", "items", "recusals", "visits")
MAY_BE_ABSENT: frozenset[Kind] = frozenset({"recusals", "visits"})


@dataclass(frozen=True, slots=True)
class Column:
    """One column. ``headings`` are further headings it is recognised by, besides ``name``, ``zh`` and ``en``."""

    name: str
    zh: str
    en: str
    required: bool
    headings: tuple[str, ...]
    about_zh: str
    about_en: str
    example: str

    def heading(self, language: Literal["zh", "en"]) -> str:
        """Return the heading that a template carries: the title in ``language`` and the column's name."""
        return f"{self.zh} {self.name}" if language == "zh" else f"{self.en} {self.name} {self.zh}"


@dataclass(frozen=True, slots=True)
class Library:
    """One library: its title in both languages and its columns, the first of which names the row's subject."""

    kind: Kind
    zh: str
    en: str
    columns: tuple[Column, ...]

    @property
    def required(self) -> frozenset[str]:
        """Names of the columns that every file of this library has."""
        return frozenset(column.name for column in self.columns if column.required)

    def column(self, name: str) -> Column:
        """Return the column ``name``; raises ``KeyError`` if there is none."""
        for column in self.columns:
            if column.name == name:
                return column
        raise KeyError(name)


def _words(text: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in text.split("|"))


def column(name: str, zh: str, en: str, headings: str, about_zh: str, about_en: str, example: str) -> Column:
    """Return a column; a name with a star is a required one, further headings are separated by bars."""
    required = name.endswith("*")
    return Column(name.rstrip("*"), zh, en, required, _words(headings), about_zh, about_en, example)
