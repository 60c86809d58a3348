"""An inspector who is ill or recused is replaced by computation, on the application of the enterprise too."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from dualrandom.changes import read_rows
from dualrandom.errors import DualRandomError
from dualrandom.store import jobs
from dualrandom.store.activity import Actor
from dualrandom.store.amendments import list_amendments
from dualrandom.store.changes import ask_replacement
from dualrandom.store.tables import Job
from dualrandom.store.visit_lists import VisitFilter, list_visits
from dualrandom.verify import read_auditor, read_public, verify_record

LATER = datetime(2023, 8, 25, 8, tzinfo=UTC)


def replaced(drawn: Any, reason: str) -> tuple[Any, str, str]:
    """Replace somebody where anybody can come; return the visit, the department and who went."""
    with drawn.database.reading() as session:
        every = list_visits(session, Actor("user:dispatcher", "dispatcher"), VisitFilter(), limit=500)[0]
    for view in every:
        for one in view.checks:
            actor = Actor("user:d", "department", one.check.department_id)
            for person in one.crew:
                with drawn.database.writing() as session:
                    number = view.visit.id or 0
                    job = ask_replacement(session, number, person.code, reason, actor=actor, now=LATER)
                try:
                    drawn.do(LATER, "change")
                except DualRandomError as refused:
                    assert refused.code == "no-replacement"  # noqa: PT017
                    with drawn.database.writing() as session:
                        kept = session.get_one(Job, job.id)
                        jobs.finish(session, kept, LATER, problem={"type": refused.code})
                else:
                    return view, one.check.department_id, person.code
    raise AssertionError("nobody can be replaced")


def test_a_replacement_is_computed_published_and_told(drawn: Any, tmp_path: Path) -> None:
    for reason in ("ill", "on-enterprise-application"):
        view, department, gone = replaced(drawn, reason)
        with drawn.database.reading() as session:
            amendment = list_amendments(session, drawn.draw)[-1]
            now_, _ = list_visits(
                session,
                Actor("user:d", "department", department),
                VisitFilter(enterprise=view.visit.enterprise),
            )
        assert (amendment.type, amendment.reason) == ("replace", reason)
        crews = [one.check.crew for each in now_ if each.visit.part == view.visit.part for one in each.checks]
        assert all(gone not in crew for crew in crews)
        told = drawn.messages("replace")
        assert {f"inspector:{gone}", f"department:{department}", "role:dispatcher"} <= told.keys()
        assert all(f"inspector:{code}" in told for crew in crews for code in crew)
    laid = drawn.folder(tmp_path / "laid")
    assert len(read_rows((laid / "public/changes.jsonl").read_bytes())) == 2
    report = verify_record(read_public(laid / "public"), read_auditor(laid))
    assert [(c.name, c.reason_en) for c in report.checks if c.status == "FAIL"] == []
    assert report.status("changes") == "PASS"
