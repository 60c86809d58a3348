"""Jobs are done once, tried again after accidents, taken over from the dead, and followed as they go."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import httpx2
import pytest
import uvicorn
from sqlmodel import Session

from dualrandom.store import jobs
from dualrandom.store.database import StaleError
from dualrandom.store.jobs import enqueue
from dualrandom.store.tables import Job
from dualrandom_api.service import runner
from dualrandom_api.service.problems import refusal
from dualrandom_api.service.runner import Runner, run_one

Handle = Callable[[Callable[[Any, Job], None]], None]


@pytest.fixture
def handle(monkeypatch: pytest.MonkeyPatch) -> Handle:
    """Say what does jobs of the kind ``test``."""
    return lambda function: monkeypatch.setitem(runner.HANDLERS, "test", function)


def queue(office: Any, by: str = "user:amr", **more: Any) -> int:
    with office.service.database.writing() as session:
        job = enqueue(session, "test", "something", now=office.clock(), by=by, **more)
        assert job.id is not None
        return job.id


def state(office: Any, number: int) -> dict[str, Any]:
    answer: dict[str, Any] = office.as_("dispatcher").get(f"/v1/jobs/{number}").json()
    return answer


def test_a_job_is_done_and_tells_what_came_of_it(office: Any, handle: Handle) -> None:
    def work(service: Any, job: Job) -> None:
        jobs.renew(service.database, job, service.clock(), stage=("读取", "reading"), done=3, total=9)
        with service.database.writing() as session:
            jobs.finish(session, job, service.clock(), result={"rows": 9})

    handle(work)
    number = queue(office)
    assert state(office, number)["state"] == "queued"
    assert office.run_jobs() == 1
    told = state(office, number)
    assert (told["state"], told["result"], told["done"], told["total"]) == ("done", {"rows": 9}, 3, 9)
    assert told["stage"] == {"en": "reading", "zh": "读取"}
    assert office.run_jobs() == 0


def test_a_job_waits_for_its_time(office: Any, handle: Handle) -> None:
    handle(lambda *_: None)
    number = queue(office, run_after=office.clock() + timedelta(hours=1))
    assert office.run_jobs() == 0
    office.clock.pass_(hours=1)
    assert office.run_jobs() == 1
    assert state(office, number)["state"] == "done"


def test_a_refusal_ends_the_job_with_its_problem(office: Any, handle: Handle) -> None:
    def work(*_: Any) -> None:
        raise refusal("unknown-plan", "2099-01")

    handle(work)
    number = queue(office)
    office.run_jobs()
    told = state(office, number)
    assert told["state"] == "failed"
    assert told["problem"]["type"] == "urn:dualrandom:problem:unknown-plan"
    assert told["problem"]["value"] == "2099-01"
    office.clock.pass_(days=1)
    assert office.run_jobs() == 0


def test_an_accident_is_tried_again_with_growing_delays_and_then_given_up(
    office: Any, handle: Handle
) -> None:
    tries: list[int] = []

    def work(_: Any, job: Job) -> None:
        tries.append(job.attempts)
        raise RuntimeError("no disk")

    handle(work)
    number = queue(office)
    waited = []
    while state(office, number)["state"] != "failed":
        if office.run_jobs() == 0:
            office.clock.pass_(seconds=5)
            waited.append(len(tries))
    assert tries == [1, 2, 3, 4, 5, 6]
    pauses = [waited.count(number) for number in range(1, 6)]
    assert pauses == sorted(pauses)
    assert pauses[-1] > pauses[0]
    assert state(office, number)["problem"]["type"] == "urn:dualrandom:problem:internal-error"


def test_an_accident_that_passes_does_no_harm(office: Any, handle: Handle) -> None:
    def work(_: Any, job: Job) -> None:
        if job.attempts == 1:
            raise OSError("the network is away")

    handle(work)
    number = queue(office)
    office.run_jobs()
    assert state(office, number)["state"] == "queued"
    office.clock.pass_(minutes=1)
    office.run_jobs()
    assert state(office, number)["state"] == "done"


def test_a_job_that_has_only_waited_may_still_have_accidents(office: Any, handle: Handle) -> None:
    began: list[int] = []

    def work(service: Any, job: Job) -> None:
        began.append(job.attempts)
        if len(began) <= runner.ATTEMPTS:
            with service.database.writing(apart=True) as session:
                jobs.postpone(session, job, service.clock() + timedelta(seconds=30))
        elif len(began) == runner.ATTEMPTS + 1:
            raise StaleError("draw")

    handle(work)
    number = queue(office)
    for _ in range(runner.ATTEMPTS + 2):
        office.run_jobs()
        office.clock.pass_(minutes=1)
    assert (state(office, number)["state"], began[-2:]) == ("done", [1, 2])


def test_another_runner_takes_over_from_a_dead_one_who_can_then_store_nothing(
    office: Any, handle: Handle
) -> None:
    handle(lambda *_: None)
    number = queue(office)
    dead = jobs.claim(office.service.database, "dead", office.clock(), ["test"])
    assert dead is not None
    assert office.run_jobs() == 0
    office.clock.pass_(seconds=61)
    assert office.run_jobs() == 1
    assert state(office, number)["state"] == "done"
    with pytest.raises(jobs.LeaseLostError), office.service.database.writing() as session:
        jobs.finish(session, dead, office.clock(), result={"late": True})
    assert state(office, number)["result"] is None


def test_a_runner_whose_lease_was_lost_leaves_the_job_to_the_other(office: Any, handle: Handle) -> None:
    def work(service: Any, job: Job) -> None:
        if job.attempts == 1:
            office.clock.pass_(seconds=61)
            assert run_one(service, "other")
            with service.database.writing() as session:
                jobs.finish(session, job, service.clock(), result={"by": "first"})
        else:
            with service.database.writing() as session:
                jobs.finish(session, job, service.clock(), result={"by": "second"})

    handle(work)
    number = queue(office)
    assert run_one(office.service, "first")
    assert state(office, number)["result"] == {"by": "second"}


def test_of_several_runners_one_does_each_job(office: Any, handle: Handle) -> None:
    seen: list[int | None] = []
    handle(lambda _, job: seen.append(job.id))
    numbers = [queue(office) for _ in range(12)]
    threads = [threading.Thread(target=Runner(office.service).run_due) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    office.run_jobs()
    assert sorted(number or 0 for number in seen) == sorted(numbers)


def test_a_department_sees_its_own_jobs_only(office: Any, handle: Handle) -> None:
    handle(lambda *_: None)
    number = queue(office, by="user:amr")
    assert office.as_("amr").get(f"/v1/jobs/{number}").status_code == 200
    assert office.as_("fire").get(f"/v1/jobs/{number}").status_code == 404
    assert office.as_("fire").get(f"/v1/jobs/{number}/events").status_code == 404
    assert number in [one["id"] for one in office.as_("amr").get("/v1/jobs").json()["items"]]
    assert number not in [one["id"] for one in office.as_("fire").get("/v1/jobs").json()["items"]]
    assert office.as_("crew").get(f"/v1/jobs/{number}").status_code == 403
    with office.service.database.writing() as session:
        _end_all(session)


def _end_all(session: Session) -> None:
    from sqlalchemy import update

    session.execute(update(Job).values(state="done"))


@pytest.fixture
def address(office: Any) -> Iterator[str]:
    """The service behind a real socket: a stream is delivered as it comes."""
    server = uvicorn.Server(uvicorn.Config(office.app, port=0, log_level="critical", lifespan="off"))
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    yield f"http://127.0.0.1:{port}"
    server.should_exit = True
    thread.join()


def test_a_job_is_followed_as_it_goes(office: Any, handle: Handle, address: str) -> None:
    begun = threading.Event()

    def work(service: Any, job: Job) -> None:
        jobs.renew(service.database, job, service.clock(), stage=("读取", "reading"))
        assert begun.wait(60)

    handle(work)
    number = queue(office)
    seen: list[dict[str, Any]] = []
    deadline = time.monotonic() + 60
    headers = {"Authorization": office.as_("amr").headers["Authorization"]}
    with (
        httpx2.Client(timeout=20) as client,
        client.stream("GET", f"{address}/v1/jobs/{number}/events", headers=headers) as answer,
    ):
        assert answer.headers["content-type"].startswith("text/event-stream")
        worker = None
        for line in answer.iter_lines():
            assert time.monotonic() < deadline
            if not line.startswith("data:"):
                continue
            seen.append(json.loads(line.removeprefix("data:")))
            if seen[-1]["state"] == "queued":
                worker = threading.Thread(target=office.run_jobs)
                worker.start()
            if seen[-1]["stage"]["en"] == "reading":
                begun.set()
        assert worker is not None
        worker.join()
    assert seen[0]["state"] == "queued"
    assert seen[-1]["state"] == "done"
    assert seen[-1] == state(office, number)
    described = office.app.openapi()["paths"]["/v1/jobs/{job}/events"]["get"]["responses"]["200"]["content"]
    # of each event; a schema beside it would be of all of them together
    assert described["text/event-stream"].keys() == {"itemSchema"}
