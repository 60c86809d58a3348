"""What routes ask for: the service, the caller, the version to change, a page of a list; and how they answer.

def change_plan(service: ServiceDep, actor: ActorDep, version: IfMatch, response: Response, ...)
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Generic, TypeVar

from fastapi import Depends, Header, Query, Request
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.responses import Response

from dualrandom.store.activity import SERVICE, Actor
from dualrandom.store.checking import result_for
from dualrandom.store.tables import Job
from dualrandom_api.service.parts import Service
from dualrandom_api.service.problems import refusal

LONGEST_PAGE: Final = 500

Item = TypeVar("Item")
Row = TypeVar("Row")


def the_service(request: Request) -> Service:
    """Return the parts of the running service."""
    service: Service = request.app.state.service
    return service


def the_actor(request: Request) -> Actor:
    """Return who calls, as :class:`dualrandom_api.service.security.GuardedRoute` found out."""
    actor: Actor = request.state.actor
    return actor


ServiceDep = Annotated[Service, Depends(the_service)]
ActorDep = Annotated[Actor, Depends(the_actor)]


def the_version(
    if_match: Annotated[
        str | None,
        Header(
            alias="If-Match",
            description="读取时得到的 ETag · the ETag that reading gave",
            examples=['"3"'],
        ),
    ] = None,
) -> int:
    """Return the version that a change is meant for. Raises RefusalError ``if-match-required``, ``header-invalid``."""
    if if_match is None:
        raise refusal("if-match-required")
    found = re.fullmatch(r'"([0-9]{1,9})"', if_match.strip())
    if found is None:
        raise refusal("header-invalid", "If-Match", zh='If-Match 形如 "3"', en='If-Match looks like "3"')
    return int(found[1])


IfMatch = Annotated[int, Depends(the_version)]
"""The version that the client read; routes that change a draft hand it to ``database.change``."""


def tagged(response: Response, version: int) -> None:
    """Give an answer the ETag of a draft's version; nobody keeps it without asking again."""
    response.headers["ETag"] = f'"{version}"'
    response.headers["Cache-Control"] = "no-cache"


@dataclass(frozen=True, slots=True)
class Page:
    """Which part of a list is asked for: ``limit`` rows after the one with the sort key ``after`` (None: from the start)."""

    limit: int
    after: list[Any] | None

    @property
    def fetch(self) -> int:
        """How many rows to fetch: one more, to know whether there are more."""
        return self.limit + 1


def the_page(
    limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE, description="条数 · rows")] = 100,
    cursor: Annotated[
        str | None,
        Query(max_length=1000, description="上一页的 next · the page before's next"),
    ] = None,
) -> Page:
    """Return the page that is asked for. Raises RefusalError ``invalid-parameter`` for a cursor that is none of ours."""
    if cursor is None:
        return Page(limit, None)
    try:
        after = json.loads(base64.urlsafe_b64decode(cursor.encode() + b"=" * (-len(cursor) % 4)))
    except ValueError:
        after = None
    if not isinstance(after, list) or not all(map(_may_be_ours, after)):
        raise refusal("invalid-parameter", "query.cursor")
    return Page(limit, after)


def _may_be_ours(part: Any) -> bool:
    """Whether a database can compare it: no number that is too large, no text with NUL or half a character."""
    if isinstance(part, str):
        return "\0" not in part and part.encode(errors="ignore").decode() == part
    return type(part) is int and abs(part) < 2**31


PageDep = Annotated[Page, Depends(the_page)]


def after_of(page: Page, *kinds: type) -> list[Any] | None:
    """Return the cursor's parts, which must be of these types. Raises RefusalError ``invalid-parameter``."""
    if page.after is None:
        return None
    if len(page.after) != len(kinds) or any(
        type(part) is not kind for part, kind in zip(page.after, kinds, strict=True)
    ):
        raise refusal("invalid-parameter", "query.cursor")
    return page.after


class Listing(BaseModel, Generic[Item]):
    """One page of a list."""

    items: list[Item]
    next: str | None = Field(
        default=None, description="下一页的 cursor，没有则为 null · the next page's cursor"
    )


def listing(
    rows: Sequence[Row], page: Page, key: Callable[[Row], Sequence[Any]], item: Callable[[Row], Any]
) -> dict[str, Any]:
    """Return a page of rows that were fetched with ``limit = page.fetch``. ``key``: the parts of a row's sort key."""
    shown = rows[: page.limit]
    following = None
    if len(rows) > page.limit:
        text = json.dumps(list(key(shown[-1])), ensure_ascii=False)
        following = base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")
    return {"items": [item(row) for row in shown], "next": following}


class Bilingual(BaseModel):
    """One text in both languages."""

    en: str
    zh: str


class JobAnswer(BaseModel):
    """Something that is being done; ``problem`` says why it failed."""

    id: int
    kind: str = Field(examples=["import"])
    subject: str
    state: str = Field(examples=["running"], description="queued, running, done, failed")
    stage: Bilingual
    done: int
    total: int
    result: dict[str, Any] | None = None
    problem: dict[str, Any] | None = None
    url: str


def job_answer(job: Job, actor: Actor) -> JobAnswer:
    """Return a job as its route shows it to ``actor``."""
    return JobAnswer(
        id=job.id or 0,
        kind=job.kind,
        subject=job.subject,
        state=job.state,
        stage=Bilingual(en=job.stage_en, zh=job.stage_zh),
        done=job.done,
        total=job.total,
        result=result_for(actor, job),
        problem=job.problem,
        url=f"/v1/jobs/{job.id}",
    )


def accepted(job: Job, actor: Actor = SERVICE) -> JSONResponse:
    """Return 202 with where to see how it goes. Routes that give it say ``status_code=202, response_model=JobAnswer``.

    ``actor``: who reads it, needed where the job may have been done already, with a result that not everybody may read.
    """
    answer = job_answer(job, actor)
    return JSONResponse(answer.model_dump(mode="json"), 202, {"Location": answer.url, "Retry-After": "1"})
