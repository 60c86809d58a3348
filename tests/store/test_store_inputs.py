"""Libraries and plans that the database keeps are for the engine what the files were."""

import csv
import io
from dataclasses import replace
from datetime import UTC, date, datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, update
from sqlmodel import col

from dualrandom.campaign.inputs import load_inputs
from dualrandom.policy.layout import LAYOUT, documented
from dualrandom.policy.reader import parse_plan
from dualrandom.registry.models import Enterprise, Inspector, Item, PastVisit, Recusal
from dualrandom.registry.reader import read_library
from dualrandom.store.activity import Actor
from dualrandom.store.errors import UnknownError
from dualrandom.store.libraries import current_revisions, library_csv
from dualrandom.store.library_cells import cells_of, csv_of, packed
from dualrandom.store.plan_text import json_of, text_of
from dualrandom.store.planning import inputs_of, plan_toml
from dualrandom.store.tables import Join, LedgerEntry

NOW = datetime(2023, 8, 21, 1, 0, tzinfo=UTC)


def test_a_plan_and_its_libraries_come_out_of_the_database_as_they_went_in(town: Any, tmp_path: Path) -> None:
    with town.database.reading() as session:
        files = inputs_of(session, town.vault, town.plan, current_revisions(session))
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    kept, given_ = load_inputs(tmp_path), load_inputs(town.folder)
    assert kept.libraries == given_.libraries
    # the service's log is the only thing that it adds
    assert replace(kept.plan, log=None) == given_.plan


def test_the_same_revision_gives_the_same_bytes_each_time(town: Any) -> None:
    with town.database.reading() as session:
        assert library_csv(session, "enterprises", 1) == library_csv(session, "enterprises", 1)
        rows = list(csv.DictReader(io.StringIO(library_csv(session, "enterprises", 1).decode())))
    assert len(rows) == 600
    assert [row["id"] for row in rows] == sorted(row["id"] for row in rows)


def test_a_revision_that_does_not_exist_is_refused(town: Any) -> None:
    with town.database.reading() as session, pytest.raises(UnknownError, match="unknown-revision"):
        library_csv(session, "items", 99)


def test_only_inspectors_that_their_department_names_take_part(town: Any) -> None:
    fire, chosen = col(Join.department_id) == "fire", ["fire-001", "fire-002", "fire-003"]
    with town.database.writing() as session:
        session.execute(update(Join).where(fire).values(inspectors=chosen))
    with town.database.reading() as session:
        files = inputs_of(session, town.vault, town.plan, current_revisions(session))
    with town.database.writing() as session:
        session.execute(update(Join).where(fire).values(inspectors=None))
    people = list(csv.DictReader(io.StringIO(files["inspectors.csv"].decode())))
    assert [row["code"] for row in people if row["department"] == "fire"] == chosen
    assert sum(row["department"] == "amr" for row in people) > 3
    absent = {f"fire-{number:03}" for number in range(4, 100)}
    recusals = list(csv.DictReader(io.StringIO(files["recusals.csv"].decode())))
    assert recusals
    assert not any(row["inspector"] in absent for row in recusals)


def test_what_the_ledger_has_since_counts_as_past_visits(town: Any) -> None:
    with town.database.reading() as session:
        before = inputs_of(session, town.vault, town.plan, current_revisions(session))["visits.csv"]
    known = next(csv.DictReader(io.StringIO(before.decode())))
    entry: dict[str, Any] = {
        "enterprise": known["enterprise"],
        "department_id": known["department"],
        "task": known["task"],
        "item": known["item"],
        "kind": known["kind"],
        "at": NOW,
    }
    inspectors = known["inspectors"].split(";")
    with town.database.writing() as session:
        # one that the library has already, and a new one
        session.add(
            LedgerEntry(
                **entry, date=date.fromisoformat(known["date"]), source="visit:1", inspectors=inspectors
            )
        )
        session.add(LedgerEntry(**entry, date=date(2023, 8, 1), source="visit:2", inspectors=inspectors))
    with town.database.reading() as session:
        after = inputs_of(session, town.vault, town.plan, current_revisions(session))["visits.csv"]
    with town.database.writing() as session:
        session.execute(delete(LedgerEntry))
    gained = set(after.decode().splitlines()) - set(before.decode().splitlines())
    assert len(after.splitlines()) == len(before.splitlines()) + 1
    assert [line.split(",")[:2] for line in gained] == [[known["enterprise"], "2023-08-01"]]


# --- rows as text and back ----------------------------------------------------------------------------------------

_TEXT = st.text(
    st.characters(
        codec="utf-8", categories=("L", "N", "P", "S"), exclude_characters="\ufffd=示例合计小总共汇"
    ),
    min_size=1,
    max_size=12,
).filter(lambda text: text.isprintable())
_IDS = st.from_regex(r"[a-z][a-z0-9._-]{2,12}", fullmatch=True)
_DAYS = st.dates(date(2001, 1, 1), date(2099, 12, 31))
_LISTS = st.lists(_IDS, max_size=3, unique=True).map(lambda found: tuple(sorted(found)))
_DATES = st.lists(_DAYS, max_size=3, unique=True).map(lambda found: tuple(sorted(found)))
_ROWS: dict[str, st.SearchStrategy[Any]] = {
    "enterprises": st.builds(
        Enterprise,
        id=_IDS,
        name=_TEXT,
        district=_IDS,
        credit_class=st.sampled_from("ABCD"),
        kind=st.sampled_from(["enterprise", "individual"]),
        industry=_IDS,
        category=_TEXT,
        address=_TEXT,
        closed=_DATES,
        size=_TEXT,
        abnormal=st.booleans(),
        last_report=st.none() | st.integers(1990, 2090),
        established=st.none() | _DAYS,
        suspended_until=st.none() | _DAYS,
        street=_TEXT,
    ),
    "inspectors": st.builds(
        Inspector,
        code=_IDS,
        name=_TEXT,
        department=_IDS,
        districts=_LISTS,
        marks=_LISTS,
        licence=_IDS.map("L1{}".format),
        valid_until=st.none() | _DAYS,
        days_off=_DATES,
        daily=st.none() | st.integers(0, 9),
        total=st.none() | st.integers(0, 99),
    ),
    "items": st.builds(
        Item,
        id=_IDS,
        name=_TEXT,
        name_en=_TEXT,
        department=_IDS,
        basis=_TEXT,
        category=st.sampled_from(["general", "key"]),
        marks=_LISTS,
        hours=st.fractions(0, 8, max_denominator=12),
        valid_from=st.none(),
        valid_until=st.none() | _DAYS,
    ),
    "recusals": st.builds(
        Recusal, inspector=_IDS.map("p{}".format), other=_IDS.map("e{}".format), ground=st.just("spouse")
    ),
    "visits": st.builds(
        PastVisit,
        enterprise=_IDS,
        date=_DAYS,
        department=_IDS,
        task=_IDS,
        item=_IDS,
        inspectors=_LISTS,
        kind=st.sampled_from(["plan", "case", "special"]),
    ),
}


@pytest.mark.parametrize("kind", sorted(_ROWS))
@given(data=st.data())
def test_a_row_survives_being_kept_as_text(tmp_path_factory: Any, kind: Any, data: st.DataObject) -> None:
    record = data.draw(_ROWS[kind])
    path = tmp_path_factory.getbasetemp() / f"{kind}.csv"
    path.write_bytes(csv_of(kind, [cells_of(kind, record)]))
    read = read_library(kind, path, None, None)
    assert [found for found in read.problems if found.severity == "error"] == []
    assert read.rows == (record,)


def test_keys_tell_rows_apart_and_digests_tell_versions_apart() -> None:
    visit = PastVisit("e1", date(2023, 1, 2), "amr", "t", "i", ("p1", "p2"), "plan")
    other = replace(visit, item="j")
    one, two = (packed("visits", cells_of("visits", each)) for each in (visit, other))
    assert one.key != two.key
    item = Item("i", "甲", "a", "amr", "法", "general", (), Fraction(3, 2), None, None)
    one, two = (packed("items", cells_of("items", each)) for each in (item, replace(item, hours=Fraction(1))))
    assert one.key == two.key == "i"
    assert one.digest != two.digest
    assert (one.name, one.department) == ("甲", "amr")


# --- plans as text and back ---------------------------------------------------------------------------------------

_EVERY = """
[plan]
id = "p"
authority = "yunxi"
authority_name = "云溪"
period = { start = 2023-09-01, end = 2023-09-30 }
disclosure = "open"
classes_public = "试点"
[deadlines]
reveal = 2023-08-23T10:00:00+08:00
[days]
extra = [2023-09-02]
closed = [2023-09-04, 2023-09-05]
[policy]
cross_district_basis = "文件"
visit_limit = { hours = 7.5 }
relief = [{ kind = "lend", department = "amr" }]
[beacon]
time = 2023-08-23T15:59:24Z
[[departments]]
id = "amr"
name = "市场监管局"
[[tasks]]
id = "t"
name = "甲\\u007f"
department = "amr"
items = ["i"]
ratios = { A = 0.05, B = "1/30", C = 1, D = "3%" }
[[exemptions]]
enterprise = "e1"
reason = "r"
text = "在查"
"""


def test_a_plan_means_the_same_as_json() -> None:
    text = _EVERY.replace("\\u007f", "")
    plan = parse_plan(text.encode()).plan
    assert plan is not None
    assert parse_plan(text_of(json_of(text)).encode()).plan == plan


def test_every_date_and_time_of_a_plan_is_written_as_one() -> None:
    """Each key that holds a date or time keeps its type on the way through JSON."""
    from dualrandom.policy import values

    dated = {path for path, value in documented(LAYOUT) if value.read in {values.day, values.instant}}
    assert {"plan.period.start", "plan.period.end", "beacon.time"} <= dated
    for path in dated - {"plan.period.start", "plan.period.end"}:
        table, key = path.split(".")
        moment = "2023-08-23T15:59:24Z"
        assert text_of({table: {key: moment}}) == f"[{table}]\n{key} = {moment}\n\n"


def test_what_is_wrong_in_a_plan_is_still_wrong_after_json() -> None:
    document = {
        "plan": {"period": {"start": "2023-02-30", "end": "tomorrow"}, "x y": 1},
        "beacon": {"time": "noon"},
    }
    problems = parse_plan(text_of(document).encode()).problems
    assert {"plan-type", "plan-unknown-key", "plan-missing-key"} <= {found.code for found in problems}


def test_a_department_outside_the_plan_sees_nothing_of_it(town: Any) -> None:
    from dualrandom.store.plans import plan_of, plans

    with town.database.reading() as session:
        assert [plan.id for plan in plans(session, Actor("user:fire", "department", "fire"))] == [town.plan]
        stranger = Actor("user:water", "department", "water")
        assert plans(session, stranger) == []
        with pytest.raises(UnknownError, match="unknown-plan"):
            plan_of(session, town.plan, stranger)
        assert "[[tasks]]" in plan_toml(session, town.plan)
