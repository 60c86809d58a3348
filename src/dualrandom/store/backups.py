"""What is known of backups: each is in the activity log, with how much of that log it holds; announcing insists on a recent one.

A draw whose sealed data are lost can be neither finished nor audited. A backup counts as long as nothing has changed since in the libraries
and in the log's keys. Who backs the database up in another way states so, which is logged and counts the same.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from sqlalchemy import select
from sqlmodel import Session, col

from dualrandom.errors import Language
from dualrandom.store import activity
from dualrandom.store.activity import Actor
from dualrandom.store.errors import ConflictError
from dualrandom.store.messages import tell
from dualrandom.store.tables import Activity, Role

MADE: Final = "backup"
STATED: Final = "backup-stated"
"""Actions of the activity log that say that there is a backup."""
CHANGES: Final = (
    "import-accepted",
    "log-key-revoked",
    "log-key-rotated",
    "row-added",
    "row-changed",
    "row-removed",
)
"""Actions after which an earlier backup does not suffice any more."""
ANNOUNCED: Final = "announce"
MESSAGE: Final[Mapping[Language, str]] = {
    "zh": "名录或日志密钥上次更改之后没有备份：丢失密封数据的抽取只能作废",
    "en": "no backup since libraries or the log's keys last changed: a draw whose sealed data are lost must be voided",
}
REMEDY: Final[Mapping[Language, str]] = {
    "zh": "运行 dualrandom service backup；已另有备份办法的，用 POST /v1/backups 说明由谁保管。",
    "en": "Run dualrandom service backup; if it is backed up otherwise, say who keeps it with POST /v1/backups.",
}


def record_backup(session: Session, now: datetime, *, file: str, sha256: str, activity_rows: int) -> Activity:
    """Note a backup that this service made, which holds the first ``activity_rows`` rows of the activity log at least."""
    detail = {"activity_rows": activity_rows, "sha256": sha256}
    return activity.record(session, activity.SERVICE, MADE, file, now, detail)


def state_backup(session: Session, actor: Actor, now: datetime, *, keeper: str) -> Activity:
    """Note that the database as it is now is backed up in another way, and who keeps that backup."""
    rows, _ = activity.head(session)
    return activity.record(session, actor, STATED, keeper, now, {"activity_rows": rows})


def last_backup(session: Session) -> Activity | None:
    """Return the newest row of the activity log that tells of a backup."""
    return _newest(session, (MADE, STATED))


def require_backup(session: Session) -> None:
    """Raise ConflictError ``backup-missing`` unless there is a backup since the libraries or the log's keys last changed."""
    if not is_backed_up(session):
        raise ConflictError("backup-missing", "", MESSAGE, REMEDY)


def is_backed_up(session: Session, changes: tuple[str, ...] = CHANGES) -> bool:
    """Tell whether the newest backup holds the newest of these changes."""
    backup, change = last_backup(session), _newest(session, changes)
    if backup is None:
        return False
    return change is None or int(backup.detail.get("activity_rows", backup.id - 1)) >= change.id


def remind(session: Session, now: datetime) -> int:
    """Tell those who run the service, once a draw, that an announced draw is in no backup yet; return how many are told."""
    announced = _newest(session, (ANNOUNCED,))
    if announced is None or is_backed_up(session, (ANNOUNCED,)):
        return 0
    for role in (Role.DISPATCHER, Role.SUPPORT):
        tell(
            session,
            "backup-due",
            f"role:{role.value}",
            announced.subject,
            (
                f"抽取 {announced.subject} 公告之后还没有备份：其密封数据一旦丢失，只能作废。",
                f"There is no backup since draw {announced.subject} was announced: if its sealed data are lost, it must be voided.",
            ),
            now=now,
            once=f"backup-due:{announced.subject}:{role.value}",
        )
    return 1


def _newest(session: Session, actions: tuple[str, ...]) -> Activity | None:
    chosen = select(Activity).where(col(Activity.action).in_(actions))
    return session.scalars(chosen.order_by(col(Activity.id).desc()).limit(1)).one_or_none()
