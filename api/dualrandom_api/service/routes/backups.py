"""Backups: the newest that is known, and a statement that the database is backed up in another way."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, Field

from dualrandom.store import backups
from dualrandom.store.tables import Activity, Role
from dualrandom_api.service.dependencies import ActorDep, ServiceDep
from dualrandom_api.service.fields import Body
from dualrandom_api.service.problems import ProblemType
from dualrandom_api.service.security import GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["operations"])

PROBLEMS = (
    ProblemType(
        "backup-missing", 409, "名录或日志密钥上次更改之后没有备份",
        "no backup since libraries or the log's keys last changed",
        "运行 dualrandom service backup；已另有备份办法的，用 POST /v1/backups 说明由谁保管。",
        "Run dualrandom service backup; if it is backed up otherwise, say who keeps it with POST /v1/backups.",
    ),
)  # fmt: skip


class BackupStatement(Body):
    """Who keeps the other backup, and where: a team and a place rather than a person."""

    keeper: Annotated[
        str,
        Field(
            min_length=2,
            max_length=200,
            pattern=r"^[^\x00]*$",
            examples=["信息中心，每小时异地备份 · IT centre, hourly, off site"],
        ),
    ]


class BackupAnswer(BaseModel):
    """The newest backup. ``suffices``: since it nothing changed in the libraries and the log's keys, so a draw may be announced."""

    at: datetime | None = None
    what: str | None = Field(default=None, examples=["2026-03-02.dump"])
    by: str | None = Field(default=None, examples=["service"])
    suffices: bool


def _answer(row: Activity | None, suffices: bool) -> BackupAnswer:
    if row is None:
        return BackupAnswer(suffices=suffices)
    return BackupAnswer(at=row.at, what=row.subject, by=row.actor, suffices=suffices)


@router.get("/v1/backups/latest", **allow(Role.DISPATCHER, Role.AUDITOR, Role.SUPPORT))
def latest_backup(service: ServiceDep) -> BackupAnswer:
    """最近的备份 · The newest backup, and whether it suffices for an announcement."""
    with service.database.reading() as session:
        return _answer(backups.last_backup(session), backups.is_backed_up(session))


@router.post("/v1/backups", status_code=201, **allow(Role.DISPATCHER, Role.SUPPORT))
def state_backup(service: ServiceDep, actor: ActorDep, body: BackupStatement) -> BackupAnswer:
    """说明已另行备份、由谁保管；记入日志 · State that the database is backed up in another way; it is logged."""
    with service.database.writing() as session:
        row = backups.state_backup(session, actor, service.clock(), keeper=body.keeper)
        return _answer(row, backups.is_backed_up(session))
