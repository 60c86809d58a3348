"""Who came into the frame and who left it since an earlier draw: ids are public, so everybody can ask why (docs/threats.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dualrandom.verify import schema
from dualrandom.verify.lists import rows_of

NAME = "frame.jsonl"


@dataclass(frozen=True, slots=True)
class FrameChange:
    """Ids of enterprises, ascending."""

    came: tuple[str, ...]
    left: tuple[str, ...]
    stayed: int


def frame_change(earlier: Mapping[str, bytes], later: Mapping[str, bytes]) -> FrameChange:
    """Compare the frames of two published folders. Raises Fault if a frame is missing or cannot be read.

    A task that is not drawn again takes its firms out of the frame, and so do caps and intervals: a difference is a question
    to the office, not yet an answer.
    """
    before, after = _ids(earlier), _ids(later)
    return FrameChange(tuple(sorted(after - before)), tuple(sorted(before - after)), len(before & after))


def _ids(files: Mapping[str, bytes]) -> frozenset[str]:
    rows = rows_of(files.get(NAME, b"\x00"), NAME)
    places = ((row, f"{NAME}:{number}") for number, row in enumerate(rows, 1))
    return frozenset(schema.ident(schema.parsed(row, place).get("id"), place) for row, place in places)
