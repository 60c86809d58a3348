"""Draws under an embargo: what the rows and the record say then."""

import json
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlmodel import col

from dualrandom.errors import DualRandomError
from dualrandom.store import cases
from dualrandom.store.activity import Actor
from dualrandom.store.changes import Exclusion, ask_exclusion
from dualrandom.store.errors import ConflictError
from dualrandom.store.findings import Entry, enter
from dualrandom.store.publishing import ask_publication
from dualrandom.store.tables import LibraryRow
from dualrandom.store.visit_lists import VisitFilter, list_visits
from dualrandom.store.withdrawals import Withdrawal, ask_withdrawal
from dualrandom.verify import read_public, verify_record

DISPATCHER = Actor("user:dispatcher", "dispatcher")
LATER = datetime.fromisoformat("2023-08-25T08:00:00+00:00")
AFTER = datetime.fromisoformat("2023-10-02T02:00:00+00:00")


def views(drawn: Any) -> list[Any]:
    with drawn.database.reading() as session:
        return list_visits(session, DISPATCHER, VisitFilter(), limit=500)[0]


@pytest.fixture(scope="module")
def embargoed(open_town: Callable[..., Any]) -> Any:
    return open_town(lambda text: text.replace("[policy]\n", '[policy]\nembargo = "visits"\n'))


def test_crews_know_their_visits_while_the_public_does_not(embargoed: Any, tmp_path: Path) -> None:
    laid = embargoed.folder(tmp_path / "laid")
    assert json.loads((laid / "public/result.json").read_bytes())["visits"] is None
    listed = views(embargoed)
    assert listed
    assert all(one.crew for view in listed for one in view.checks)
    published = b"".join(read_public(laid / "public").values())
    crews = {person.code.encode() for view in listed for one in view.checks for person in one.crew}
    assert not any(code in published for code in crews)


def test_a_case_visit_finds_out_no_visit_that_an_embargo_hides(embargoed: Any) -> None:
    visit, coming, other = next(
        (view.visit, coming, min(others))
        for view in views(embargoed)
        for coming in [{one.check.department_id for one in view.checks}]
        if view.visit.date is not None and (others := {"amr", "fire", "health"} - coming)
    )
    assert visit.id is not None
    with embargoed.database.writing() as session:
        item = session.scalars(select(col(LibraryRow.key)).where(col(LibraryRow.kind) == "items")).first()
        case = cases.plan_case(
            session,
            enterprise=visit.enterprise,
            department=other,
            day=visit.date,
            items=[item],
            kind="case",
            basis="12345",
            actor=DISPATCHER,
            now=LATER,
        )
        assert case.id is not None

        def offered(actor: Actor, now: datetime) -> bool:
            found = cases.offers(session, embargoed.vault, case, actor=actor, now=now)
            return visit.id in {one.id for one in found}

        stranger = Actor(f"user:{other}", "department", other)
        assert not offered(stranger, LATER)
        with pytest.raises(ConflictError, match="not-offered"):
            cases.join(session, embargoed.vault, case.id, 1, visit.id, actor=stranger, now=LATER)
        assert offered(Actor("user:own", "department", min(coming)), LATER)
        assert offered(DISPATCHER, LATER)
        assert offered(stranger, AFTER)
        cases.cancel(session, case.id, 1, "x", actor=DISPATCHER, now=LATER)


def test_nothing_is_changed_under_an_embargo_and_findings_open_what_they_are_about(
    embargoed: Any, tmp_path: Path
) -> None:
    first, second = views(embargoed)[:2]
    with embargoed.database.writing() as session:
        wanted = Exclusion(second.visit.enterprise, "suspended")
        ask_exclusion(session, embargoed.draw, wanted, actor=DISPATCHER, now=LATER)
    with pytest.raises(DualRandomError, match="under-embargo"):
        embargoed.do(LATER, "change")
    assert "under an embargo" in embargoed.messages("change-refused")["role:dispatcher"]
    leaving = Withdrawal("fire", "no-inspectors")
    with embargoed.database.writing() as session, pytest.raises(ConflictError, match="under-embargo"):
        ask_withdrawal(session, embargoed.vault, embargoed.draw, leaving, actor=DISPATCHER, now=LATER)
    entries = [
        Entry(one.check.task, item, "1", "on-site", first.visit.date)
        for one in first.checks
        for item in one.check.items
    ]
    with embargoed.database.writing() as session:
        enter(session, first.visit.id, entries, actor=DISPATCHER, now=AFTER)
        ask_publication(session, embargoed.draw, department=None, actor=DISPATCHER, now=AFTER)
    embargoed.do(AFTER, "findings")
    laid = embargoed.folder(tmp_path / "laid")
    opened = [json.loads(line) for line in (laid / "public/openings.jsonl").read_bytes().splitlines()]
    assert [row["hidden"]["enterprise"] for row in opened] == [first.visit.enterprise]
    report = verify_record(read_public(laid / "public"))
    assert [(c.name, c.reason_en) for c in report.checks if c.status == "FAIL"] == []
