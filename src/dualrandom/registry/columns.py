"""The columns of the five libraries: their names in both languages, what they hold, and the headings they go by.

One table, from which the readers recognise a file, the templates are made and the manual (``docs/libraries.md``) is
held to account. The names of columns are the fields of :mod:`dualrandom.registry.models`.
"""

from __future__ import annotations

from collections.abc import Mapping

from dualrandom.registry.columns_subjects import ENTERPRISES, INSPECTORS
from dualrandom.registry.columns_work import ITEMS, RECUSALS, VISITS
from dualrandom.registry.library import KINDS, MAY_BE_ABSENT, Column, Kind, Library

__all__ = ["KINDS", "LIBRARIES", "MAY_BE_ABSENT", "Column", "Kind", "Library"]

LIBRARIES: Mapping[Kind, Library] = {
    library.kind: library for library in (ENTERPRISES, INSPECTORS, ITEMS, RECUSALS, VISITS)
}
