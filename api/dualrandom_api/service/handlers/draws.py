"""The jobs of a draw: announced after two persons agreed, cosigned, drawn when the round is out, voided; and the log's keys."""

from __future__ import annotations

from dualrandom.progress import Progress
from dualrandom.relay import ask
from dualrandom.store.activity import SERVICE, Actor
from dualrandom.store.announcing import Ready, announce_plan, change_log_key, cosign_draw, void_draw
from dualrandom.store.drawing import draw_now
from dualrandom.store.jobs import renew
from dualrandom.store.tables import Job, Role
from dualrandom.store.workspace import Keeping
from dualrandom_api.service.parts import Service
from dualrandom_api.service.runner import HANDLERS


def keeping_of(service: Service) -> Keeping:
    """Return where the service keeps its draws."""
    return Keeping(service.database, service.vault, service.temp)


def telling(service: Service, job: Job) -> Progress:
    """Return what notes a step's stages in its job."""

    def told(zh: str, en: str) -> None:
        renew(service.database, job, service.clock(), stage=(zh, en), lease=service.settings.lease)

    return told


def actor_of(job: Job) -> Actor:
    """Return who asked for a job; what nobody asked for, the service does itself."""
    return SERVICE if job.created_by == SERVICE.name else Actor(job.created_by, Role.DISPATCHER.value)


def _announce(service: Service, job: Job) -> None:
    asked = job.arguments
    rules = {"plan.toml": asked["plan_toml"], **asked["rules"]}
    ready = Ready(job.subject, asked["version"], asked["rehearsal"], asked["revisions"], rules)
    announce_plan(
        keeping_of(service),
        ready,
        actor=actor_of(job),
        now=service.clock(),
        job=job,
        progress=telling(service, job),
    )


def _draw(service: Service, job: Job) -> None:
    draw_now(
        keeping_of(service),
        job.subject,
        now=service.clock(),
        job=job,
        fetch=lambda wanted: ask(wanted, service.settings.relays),
        progress=telling(service, job),
    )


def _cosign(service: Service, job: Job) -> None:
    cosign_draw(keeping_of(service), job.subject, now=service.clock(), job=job)


def _void(service: Service, job: Job) -> None:
    void_draw(
        keeping_of(service),
        job.subject,
        job.arguments["reason"],
        actor=actor_of(job),
        now=service.clock(),
        job=job,
    )


def _log_key(service: Service, job: Job) -> None:
    reason = job.arguments["reason"] if job.kind == "revoke-log-key" else None
    change_log_key(keeping_of(service), reason=reason, actor=actor_of(job), now=service.clock(), job=job)


HANDLERS["announce"] = _announce
HANDLERS["cosign"] = _cosign
HANDLERS["draw"] = _draw
HANDLERS["void"] = _void
HANDLERS["rotate-log-key"] = _log_key
HANDLERS["revoke-log-key"] = _log_key
