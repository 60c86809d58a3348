"""Every hour what nobody needs any more is deleted, and nothing else."""

from datetime import timedelta
from typing import Any

from sqlmodel import col, select

from dualrandom.store import jobs
from dualrandom.store.tables import Job, SignIn, Tries
from dualrandom_api.service.handlers.keeping_house import keep_house
from dualrandom_api.service.runner import Runner


def keep(office: Any) -> dict[str, int]:
    """Let an hour pass with its housekeeping; return what was deleted."""
    keep_house(office.service)
    office.clock.pass_(hours=1)
    office.run_jobs()
    with office.service.database.reading() as session:
        job = session.exec(select(Job).where(Job.kind == "housekeeping")).one()
    assert (job.state, job.attempts) == ("queued", 0)
    counted: dict[str, int] = job.result or {}
    return counted


def ended(office: Any, kind: str, state: str = "done") -> int:
    with office.service.database.writing() as session:
        job = jobs.enqueue(session, kind, "x", now=office.clock(), by="service")
        if state != "queued":
            job.state, job.finished_at = state, office.clock()
        else:
            job.run_after = office.clock() + timedelta(days=3650)
        session.flush()
        assert job.id is not None
        return job.id


def test_ended_sessions_and_passing_jobs_go_and_what_belongs_to_a_draw_stays(office: Any) -> None:
    keep(office)
    body = {"username": "amr", "password": "Ordinary-27-horses"}
    token = office.public.post("/v1/sessions", json=body).json()["token"]
    gone = [ended(office, "import"), ended(office, "alarm", "failed")]
    stay = [ended(office, "draw"), ended(office, "announce", "failed"), ended(office, "check", "queued")]
    with office.service.database.reading() as session:
        before = len(session.exec(select(SignIn)).all())
        assert session.exec(select(Tries)).all()
    office.clock.pass_(days=7)
    keep(office)
    with office.service.database.reading() as session:
        assert len(session.exec(select(SignIn)).all()) == before
        assert session.exec(select(Tries)).all() == []
    office.clock.pass_(days=1)
    assert keep(office)["sign_ins"] == 1
    headers = {"Authorization": f"Bearer {token}"}
    assert office.public.get("/v1/me", headers=headers).status_code == 401
    # those whose sessions are valid stay signed in
    assert office.as_("amr").get("/v1/me").status_code == 200
    office.clock.pass_(days=83)
    assert keep(office)["jobs"] == 2
    with office.service.database.reading() as session:
        left = set(session.scalars(select(col(Job.id)).where(col(Job.id).in_(gone + stay))))
    assert left == set(stay)
    chain = office.as_("auditor").get("/v1/activity/chain").json()
    assert chain["intact"]


def test_a_housekeeping_that_failed_for_good_is_begun_anew(office: Any) -> None:
    keep_house(office.service)
    with office.service.database.writing() as session:
        job = session.exec(select(Job).where(Job.kind == "housekeeping")).one()
        job.state, job.problem, job.finished_at = "failed", {"type": "x"}, office.clock()
    runner = Runner(office.service)
    runner.see_to_lasting()
    with office.service.database.reading() as session:
        job = session.exec(select(Job).where(Job.kind == "housekeeping")).one()
    assert (job.state, job.problem) == ("queued", None)
    assert runner.run_due() == 1
