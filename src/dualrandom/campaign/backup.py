"""A copy of ``private/`` before anything is published: without it a draw can be neither finished nor audited.

Whoever announces commits to lists that only ``private/`` can rebuild. If it is lost, the draw must be voided for that
reason, in public; and an office that "loses" it when the outcome does not suit has a way out. So the copy is made, and
read back, before the announcement leaves the house.
"""

from __future__ import annotations

from pathlib import Path

from dualrandom.campaign.folder import Campaign, StateError, write_private


def back_up(campaign: Campaign, draw: str, target: Path) -> Path:
    """Copy ``private/`` to ``<target>/<draw>/`` (0700, files 0600), read every file back, return that folder.

    To restore, copy its files back. Raises StateError ``backup-inside`` for a folder within the campaign,
    ``backup-differs`` if a file is not read back as it was written; OSError.
    """
    require_outside(campaign, target)
    copy = target / draw
    files = {
        path.relative_to(campaign.private).as_posix(): path.read_bytes()
        for path in sorted(campaign.private.rglob("*"))
        if path.is_file() and not path.name.endswith(".part")
    }
    target.mkdir(parents=True, exist_ok=True)
    write_private(copy, files)
    for name, data in files.items():
        if (copy / name).read_bytes() != data:
            raise StateError(
                "backup-differs",
                str(copy / name),
                {
                    "zh": f"备份 {copy / name} 读回的内容与写入的不同",
                    "en": f"the backup {copy / name} reads back otherwise than it was written",
                },
                {"zh": "换一个存储位置。", "en": "Use another medium."},
            )
    return copy


def require_outside(campaign: Campaign, target: Path) -> None:
    """Raise StateError ``backup-inside`` for a folder that would be lost, or published, with the campaign."""
    if not target.resolve().is_relative_to(campaign.folder.resolve()):
        return
    raise StateError(
        "backup-inside",
        str(target),
        {
            "zh": f"备份目录 {target} 在活动目录之内：活动目录丢失时备份也会丢失",
            "en": f"the backup folder {target} lies within the campaign: it would be lost with it",
        },
        {
            "zh": "选择另一块磁盘或另一台机器上的目录。",
            "en": "Choose a folder on another disk or another machine.",
        },
    )
