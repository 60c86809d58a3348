"""Writing a new campaign's folder without overwriting anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dualrandom.errors import DualRandomError, Problem
from dualrandom.policy.plan import Plan

PLAN = "plan.toml"


@dataclass(frozen=True, slots=True)
class Created:
    """A folder that was made: its plan, the file of each library, and what a person should still look at.

    ``to_fill`` are the keys of the plan that hold a placeholder: until they are filled in, the plan is refused.
    """

    folder: Path
    plan: Plan
    libraries: Mapping[str, str]
    to_fill: tuple[str, ...]
    problems: tuple[Problem, ...]


def write_campaign(folder: Path, files: Mapping[str, bytes], plan: str) -> None:
    """Write ``files`` and last ``plan.toml`` into ``folder``, which is made if need be.

    Raises ``DualRandomError`` ``campaign-exists``, before anything is written, if one of them is there already.
    """
    content = {**files, PLAN: plan.encode()}
    there = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    # case and suffix do not tell libraries apart: enterprises.csv beside enterprises.xlsx would be ambiguous
    taken = {Path(name).stem.casefold() for name in content}
    in_the_way = [
        name for name in there if Path(name).stem.casefold() in taken or name in ("public", "private")
    ]
    if in_the_way or folder.is_file():
        raise DualRandomError(
            code="campaign-exists",
            value=", ".join(in_the_way) or str(folder),
            message={
                "zh": "目标目录中已有文件，不会覆盖",
                "en": "the folder has files already, and nothing is overwritten",
            },
            remedy={"zh": "换一个新目录。", "en": "Choose a new folder."},
        )
    folder.mkdir(parents=True, exist_ok=True)
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        with (folder / name).open("xb") as stream:
            stream.write(data)
