"""The jobs about API keys that two persons agreed upon; the key itself is made when whoever asked collects it."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import Session

from dualrandom.store import api_keys
from dualrandom.store.accounts import actor_of, the_user
from dualrandom.store.activity import Actor
from dualrandom.store.jobs import finish
from dualrandom.store.tables import ApiKey, Job
from dualrandom_api.service.parts import Service
from dualrandom_api.service.runner import HANDLERS


def _issue(service: Service, job: Job) -> None:
    asked, now = job.arguments, service.clock()
    with service.database.writing() as session:
        row = api_keys.issue_key(
            session,
            _asker(session, job),
            now,
            department=asked["department"],
            name=asked["name"],
            scopes=asked["scopes"],
            expires_at=now + timedelta(days=asked["days"]),
        )
        finish(session, job, now, result=_result(row))


def _extend(service: Service, job: Job) -> None:
    asked, now = job.arguments, service.clock()
    with service.database.writing() as session:
        until = now + timedelta(days=asked["days"])
        row = api_keys.extend_key(
            session, _asker(session, job), now, asked["department"], asked["prefix"], until
        )
        finish(session, job, now, result=_result(row))


def _asker(session: Session, job: Job) -> Actor:
    return actor_of(the_user(session, job.created_by.removeprefix("user:")))


def _result(row: ApiKey) -> dict[str, str]:
    return {"department": row.department_id, "prefix": row.prefix, "expires_at": row.expires_at.isoformat()}


HANDLERS["issue-api-key"] = _issue
HANDLERS["extend-api-key"] = _extend
