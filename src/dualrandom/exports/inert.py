"""Text that a spreadsheet program does not take for a formula, whatever a name in a library says.

The danger is known as CSV or formula injection (OWASP): a cell that begins with ``=``, ``+``, ``-``, ``@``, their
full-width forms, a tab or a line end may be evaluated when the file is opened.
"""

from __future__ import annotations

DANGEROUS = ("=", "+", "-", "@", "＝", "＋", "－", "\uff20")
"""ASCII and full-width; U+FF20 is the full-width @."""


def plain(text: str) -> str:
    """Return ``text`` on one line: control characters become spaces, so none of them ends a line or begins a cell."""
    if text.isprintable():
        return text
    return "".join(" " if ord(c) < 32 or 127 <= ord(c) < 160 or c in "\u2028\u2029" else c for c in text)


def looks_like_formula(text: str) -> bool:
    """Say whether a spreadsheet program might evaluate a cell with this text."""
    seen = (character for character in text if character.isprintable() and not character.isspace())
    return next(seen, "").startswith(DANGEROUS)


def csv_cell(text: str) -> str:
    """Return ``text`` for a CSV file, with an apostrophe before what might be evaluated."""
    one_line = plain(text)
    return f"'{one_line}" if looks_like_formula(one_line) else one_line
