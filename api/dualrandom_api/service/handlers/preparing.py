"""The jobs before a draw: files are read, departments are reminded and left out, plans are checked, nonces are published."""

from __future__ import annotations

from datetime import datetime

from dualrandom.store import accepting, checking, contributing, joining
from dualrandom.store.import_reading import read_import
from dualrandom.store.imports import IMPORT
from dualrandom.store.jobs import holds
from dualrandom.store.revealing import publish_nonce
from dualrandom.store.tables import Job
from dualrandom_api.service.handlers.draws import keeping_of
from dualrandom_api.service.parts import Service
from dualrandom_api.service.runner import HANDLERS


def _import(service: Service, job: Job) -> None:
    read_import(service.database, service.vault, job, service.clock)


def _accept(service: Service, job: Job) -> None:
    accepting.accept_import(service.database, job, service.clock())


def _check(service: Service, job: Job) -> None:
    checking.check_inputs(service.database, service.vault, job, service.clock, service.temp)


def _remind(service: Service, job: Job) -> None:
    with service.database.writing() as session:
        holds(session, job)
        joining.remind(session, job.subject, job.arguments["department"], _invited(job), service.clock())


def _leave_out(service: Service, job: Job) -> None:
    with service.database.writing() as session:
        holds(session, job)
        joining.leave_out(session, job.subject, job.arguments["department"], _invited(job), service.clock())


def _reveal(service: Service, job: Job) -> None:
    publish_nonce(keeping_of(service), job.subject, job.arguments["party"], now=service.clock(), job=job)


def _invited(job: Job) -> datetime:
    return datetime.fromisoformat(job.arguments["invited_at"])


HANDLERS[IMPORT] = _import
HANDLERS[accepting.ACCEPT] = _accept
HANDLERS[checking.CHECK] = _check
HANDLERS[joining.REMINDER] = _remind
HANDLERS[joining.DEADLINE] = _leave_out
HANDLERS[contributing.REVEAL] = _reveal
