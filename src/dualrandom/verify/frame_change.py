"""Who came into the frame and who left it since an earlier draw: ids are public, so everybody can ask why (docs/threats.md)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dualrandom.verify import schema
from dualrandom.verify.announcement import NAME as ANNOUNCEMENT
from dualrandom.verify.announcement import parse_announcement
from dualrandom.verify.lists import ListFile, rows_of
from dualrandom.verify.report import Fault

NAME = "frame.jsonl"


@dataclass(frozen=True, slots=True)
class FrameChange:
    """Ids of enterprises, ascending."""

    came: tuple[str, ...]
    left: tuple[str, ...]
    stayed: int


@dataclass(frozen=True, slots=True)
class FrameIds:
    """The enterprises of a published frame, which is the one that its announcement commits to."""

    draw: str
    ids: frozenset[str]

    def change_to(self, later: FrameIds) -> FrameChange:
        """Say who came and who left until a later frame."""
        return FrameChange(
            tuple(sorted(later.ids - self.ids)),
            tuple(sorted(self.ids - later.ids)),
            len(later.ids & self.ids),
        )


def frame_ids(files: Mapping[str, bytes]) -> FrameIds:
    """Read the frame of a published folder, open or sealed. Raises Fault if it is missing, broken or not the announced one."""
    for name in (ANNOUNCEMENT, NAME):
        if name not in files:
            raise Fault(f"缺少 {name}", f"{name} is missing")
    announcement = parse_announcement(files[ANNOUNCEMENT])
    rows, ids = rows_of(files[NAME], NAME), []
    for number, row in enumerate(rows, 1):
        value = schema.parsed(row, f"{NAME}:{number}")
        found = value.get("id") if type(value) is dict else None
        ids.append(schema.ident(found, f"{NAME}:{number}: id"))
    if ListFile(NAME, rows, ids, None).root(announcement.hash) != announcement.lists["frame"]:
        raise Fault(
            f"{NAME} 不是公告所承诺的名单", f"{NAME} is not the list that the announcement commits to"
        )
    return FrameIds(announcement.draw, frozenset(ids))


def frame_change(earlier: Mapping[str, bytes], later: Mapping[str, bytes]) -> FrameChange:
    """Compare the frames of two published folders. Raises Fault like :func:`frame_ids`.

    A task that is not drawn again takes its firms out of the frame, and so do caps and intervals: a difference is a question
    to the office, not yet an answer.
    """
    return frame_ids(earlier).change_to(frame_ids(later))
