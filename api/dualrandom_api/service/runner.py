"""Does the jobs: threads in the servers' own processes, any number of servers, one runner a job (see :mod:`dualrandom.store.jobs`).

    HANDLERS["import"] = read_import          # Callable[[Service, Job], None]

A handler may end its job itself, in the transaction that keeps what it did; else it is ended when the handler returns. An error that
the domain knows (:class:`DualRandomError`) ends the job with its problem document; any other is tried again with growing delays, and
ends the job after ``ATTEMPTS``. While a handler works its lease is renewed; if the lease was lost, whatever it still writes is refused.
"""

from __future__ import annotations

import os
import random
import socket
import threading
import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, Final

import structlog
from sqlalchemy.exc import IntegrityError, OperationalError

from dualrandom.errors import DualRandomError
from dualrandom.store import jobs
from dualrandom.store.database import StaleError
from dualrandom.store.jobs import LeaseLostError
from dualrandom.store.tables import Job
from dualrandom_api.service.parts import Service
from dualrandom_api.service.problems import document_of, refusal

HANDLERS: Final[dict[str, Callable[[Service, Job], None]]] = {}
"""What does a kind of job. Modules in ``handlers/`` and ``routes/`` add theirs when they are imported."""

LASTING: Final[list[Callable[[Service], None]]] = []
"""What sees, now and then, that jobs which never end are there."""

ATTEMPTS: Final = 6
MEANWHILE: Final = timedelta(seconds=1)
"""If only another runner was faster, the first delay."""
FIRST_DELAY: Final = timedelta(seconds=10)
LONGEST_DELAY: Final = timedelta(minutes=15)
LOOK_EVERY: Final = timedelta(minutes=10)

log = structlog.get_logger("dualrandom_api")


class Runner:
    """Runs jobs in threads until it is stopped. Of several threads the first does urgent jobs only, which so never wait for long ones."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.name = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:8]}"
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._look_at = service.clock()

    def start(self) -> None:
        """Start the threads."""
        several = self.service.settings.runners > 1
        for number in range(self.service.settings.runners):
            kinds = jobs.URGENT if several and number == 0 else frozenset(HANDLERS)
            thread = threading.Thread(target=self._loop, args=(kinds,), name=f"runner-{number}", daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self, wait: float = 10) -> None:
        """Take no more jobs, and wait ``wait`` seconds for those that run; others take over what does not end."""
        self._stop.set()
        for thread in self._threads:
            thread.join(wait)

    def run_due(self, kinds: Collection[str] | None = None) -> int:
        """Run what is due, of all kinds or these, in this thread; return how many jobs were taken."""
        taken = 0
        while not self._stop.is_set() and run_one(self.service, self.name, kinds):
            taken += 1
        return taken

    def see_to_lasting(self) -> None:
        """Now and then begin the jobs that never end, if they are not there; several servers may do so at once."""
        now = self.service.clock()
        if now < self._look_at:
            return
        for begin in LASTING:
            # another server was faster
            with suppress(IntegrityError):
                begin(self.service)
        self._look_at = now + LOOK_EVERY

    def _loop(self, kinds: Collection[str]) -> None:
        while not self._stop.is_set():
            try:
                self.see_to_lasting()
                self.run_due(kinds)
            except Exception:
                # a database that is away for a while must not end the runner
                log.exception("runner-failed", runner=self.name)
            # several idle runners should not ask at the same instant
            self._stop.wait(self.service.settings.poll_seconds * random.uniform(0.5, 1.5))  # noqa: S311


def run_one(service: Service, owner: str, kinds: Collection[str] | None = None) -> bool:
    """Take a due job, of any kind or one of these, and do it; return whether there was one."""
    wanted = sorted(HANDLERS if kinds is None else kinds)
    job = jobs.claim(service.database, owner, service.clock(), wanted, service.settings.lease)
    if job is None:
        return False
    told = {"job": job.id, "kind": job.kind, "subject": job.subject, "attempt": job.attempts}
    log.info("job-begins", **told)
    try:
        with _heartbeat(service, job):
            HANDLERS[job.kind](service, job)
        _finish(service, job)
        log.info("job-ended", **told)
    except LeaseLostError:
        log.warning("lease-lost", **told)
    except (StaleError, OperationalError) as error:
        _again(service, job, error, told)
    except DualRandomError as error:
        log.warning("job-refused", problem=error.code, **told)
        _finish(service, job, problem=document_of(error))
    except Exception as error:
        log.exception("job-failed", **told)
        _again(service, job, error, told)
    return True


def _again(service: Service, job: Job, error: Exception, told: dict[str, Any]) -> None:
    """Try it later, unless it was tried often enough."""
    if job.attempts >= ATTEMPTS:
        cause = (
            error if isinstance(error, DualRandomError) else refusal("internal-error", type(error).__name__)
        )
        _finish(service, job, problem=document_of(cause))
        return
    first = MEANWHILE if isinstance(error, StaleError) else FIRST_DELAY
    delay = min(first * 2 ** (job.attempts - 1), LONGEST_DELAY)
    log.warning("job-again", error=type(error).__name__, seconds=delay.total_seconds(), **told)
    try:
        with service.database.writing(apart=True) as session:
            jobs.postpone(session, job, service.clock() + delay, attempts=job.attempts)
    except LeaseLostError:
        log.warning("lease-lost", **told)


def _finish(service: Service, job: Job, problem: dict[str, Any] | None = None) -> None:
    """End the job unless its handler has ended or postponed it."""
    with service.database.writing(apart=True) as session:
        kept = session.get(Job, job.id, with_for_update=True)
        if kept is not None and (kept.state, kept.fence) == ("running", job.fence):
            jobs.finish(session, job, service.clock(), problem=problem)


@contextmanager
def _heartbeat(service: Service, job: Job) -> Iterator[None]:
    """Renew the job's lease from another thread for as long as the block lasts."""
    ended = threading.Event()

    def beat() -> None:
        while not ended.wait(service.settings.lease_seconds / 4):
            try:
                jobs.renew(service.database, job, service.clock(), lease=service.settings.lease)
            except LeaseLostError:
                return
            except OperationalError:
                log.warning("heartbeat-missed", job=job.id)

    thread = threading.Thread(target=beat, name=f"heartbeat-{job.id}", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
