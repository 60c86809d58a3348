"""Jobs: what takes longer than an answer. Ask again from time to time, or follow the events (SSE)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Path, Response
from fastapi.sse import EventSourceResponse, ServerSentEvent
from starlette.concurrency import run_in_threadpool

from dualrandom.store import jobs
from dualrandom.store.activity import Actor
from dualrandom.store.tables import Job, Role
from dualrandom_api.service.dependencies import (
    ActorDep,
    JobAnswer,
    Listing,
    PageDep,
    ServiceDep,
    after_of,
    job_answer,
    listing,
)
from dualrandom_api.service.parts import Service
from dualrandom_api.service.problems import ProblemType
from dualrandom_api.service.security import GuardedRoute, allow

router = APIRouter(route_class=GuardedRoute, tags=["jobs"])

PROBLEMS = (
    ProblemType(
        "unknown-job", 404, "没有这个任务，或不属于您", "there is no such job, or it is not yours",
        "核对编号。", "Check the number.",
    ),
)  # fmt: skip

JobId = Annotated[int, Path(ge=1, le=2**31 - 1, description="任务编号 · a job's number", examples=[7])]

ENDED: Final = frozenset({"done", "failed"})
LOOK_EVERY: Final = 0.5
"""Seconds between two looks at a job that somebody follows."""
FOLLOWED_FOR: Final = 600.0
"""Seconds after which a stream ends: whoever still may connects again, which a browser does by itself."""


def _job(service: Service, actor: Actor, job: int) -> Job:
    with service.database.reading() as session:
        return jobs.the_job(session, actor, job)


@router.get(
    "/v1/jobs",
    response_model=Listing[JobAnswer],
    **allow(Role.DISPATCHER, Role.DEPARTMENT, Role.AUDITOR, scope="jobs:read"),
)
def own_jobs(service: ServiceDep, actor: ActorDep, page: PageDep) -> dict[str, Any]:
    """任务列表，最新在前；部门只见自己的 · Jobs, the newest first; a department sees its own."""
    after = after_of(page, int)
    with service.database.reading() as session:
        rows = jobs.visible(session, actor, before=after[0] if after else None, limit=page.fetch)
    return listing(rows, page, lambda row: [row.id], lambda row: job_answer(row, actor))


@router.get(
    "/v1/jobs/{job}",
    **allow(
        Role.DISPATCHER,
        Role.DEPARTMENT,
        Role.AUDITOR,
        scope="jobs:read",
        object="job",
        problems=["unknown-job"],
    ),
)
def one_job(service: ServiceDep, actor: ActorDep, job: JobId, response: Response) -> JobAnswer:
    """任务的进展 · How far a job is; ask again after Retry-After."""
    answer = job_answer(_job(service, actor, job), actor)
    if answer.state not in ENDED:
        response.headers["Retry-After"] = "1"
    return answer


def followed(service: ServiceDep, actor: ActorDep, job: JobId) -> Iterator[int]:
    """Yield a job that the actor may follow, and count the stream until it has ended.

    Raises UnknownError or RefusalError ``too-many-requests`` before the stream begins.
    """
    _job(service, actor, job)
    with service.followers.one_more(actor.name):
        yield job


@router.get(
    "/v1/jobs/{job}/events",
    response_class=EventSourceResponse,
    responses={
        200: {
            "description": "每有变化发一个 job 事件，结束后关闭 · an event `job` with each change, closed at the end",
        }
    },
    **allow(
        Role.DISPATCHER,
        Role.DEPARTMENT,
        Role.AUDITOR,
        scope="jobs:read",
        object="job",
        problems=["unknown-job"],
    ),
)
async def events(
    service: ServiceDep, actor: ActorDep, job: Annotated[int, Depends(followed)]
) -> AsyncIterator[ServerSentEvent]:
    """跟踪任务的进展（SSE） · Follow a job. `data` is what GET /v1/jobs/{job} gives; reconnecting is always possible."""
    told: JobAnswer | None = None
    until = time.monotonic() + FOLLOWED_FOR
    while time.monotonic() < until:
        answer = job_answer(await run_in_threadpool(_job, service, actor, job), actor)
        if answer != told:
            yield ServerSentEvent(data=answer, event="job", retry=2000)
            told = answer
        if answer.state in ENDED:
            return
        await asyncio.sleep(LOOK_EVERY)
