"""The jobs that never end: mails are sent, what nobody needs any more is deleted, and a draw that no backup has is told of."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

from dualrandom.store import deliveries
from dualrandom.store.backups import remind
from dualrandom.store.housekeeping import Keep, tidy
from dualrandom.store.jobs import come_again, holds, keep_going
from dualrandom.store.tables import Job
from dualrandom_api.service.parts import Service
from dualrandom_api.service.post import hand_over
from dualrandom_api.service.runner import HANDLERS, LASTING

MAIL: Final = "mail"
HOUSEKEEPING: Final = "housekeeping"
EVERY: Final = timedelta(hours=1)


def keep_house(service: Service) -> None:
    """See that the jobs that never end are there and have not failed for good."""
    now = service.clock()
    with service.database.writing() as session:
        keep_going(session, HOUSEKEEPING, now, now)
        if service.settings.mail is not None:
            keep_going(session, MAIL, now, now)


def _mail(service: Service, job: Job) -> None:
    settings = service.settings.mail
    if settings is None:
        # another server has the settings, or mail was switched off: it is looked again in a while
        with service.database.writing() as session:
            come_again(session, job, service.clock() + timedelta(minutes=1), {})
        return
    counted = {"sent": 0, "failed": 0}
    with service.database.writing() as session:
        holds(session, job)
        deliveries.address(session, service.clock(), settings.domain)
        mails = deliveries.due(session, service.clock())
    for outcome in hand_over(service, settings, mails):
        now = service.clock()
        with service.database.writing() as session:
            holds(session, job)
            if outcome.problem:
                deliveries.failed(
                    session,
                    outcome.delivery,
                    now,
                    outcome.problem,
                    tries=settings.tries,
                    for_good=outcome.for_good,
                )
            else:
                deliveries.sent(session, outcome.delivery, now)
        counted["failed" if outcome.problem else "sent"] += 1
    with service.database.writing() as session:
        now = service.clock()
        # more may be waiting than are sent at once
        full = len(mails) == deliveries.AT_ONCE
        later = now if full else now + timedelta(seconds=settings.every_seconds)
        come_again(session, job, later, counted)


def _tidy(service: Service, job: Job) -> None:
    now, settings = service.clock(), service.settings
    days = settings.keep_days
    keep = Keep(
        repeats=timedelta(hours=settings.repeat_hours),
        sign_ins=timedelta(days=days.sign_ins),
        jobs=timedelta(days=days.jobs),
        mails=timedelta(days=days.mails),
    )
    with service.database.writing() as session:
        counted = tidy(session, now, keep)
        remind(session, now)
        come_again(session, job, now + EVERY, counted)


HANDLERS[MAIL] = _mail
HANDLERS[HOUSEKEEPING] = _tidy
LASTING.append(keep_house)
